"""
What is told of other countries than the one that is asked about: the clusters of Norway are no answer to "in Germany".

Only one foreign country that a question names counts, and a text that tells of others alone and says nothing of "other
countries" or of those abroad. Of 60 such questions with a known answer 3 have one that is told of other countries alone, of 46
without an answer 7 have a most tempting place that is (docs/measurements.md, 131). Matched on folded text, so diacritics do not
matter, and by word stems, so no ending does.
"""

from __future__ import annotations

import re
from functools import lru_cache

from clusterqa.text.analysis import fold
from clusterqa.text.answer_types import says_unknown
from clusterqa.text.lacking import what_asks

_PEOPLE = r"(?:u|ai|us|ams|ais|uose)\b"
_COUNTRIES = tuple(
    re.compile(rf"\b(?:{pattern})")
    for pattern in (
        r"lietuv|lithuania",
        rf"latvij|latvi{_PEOPLE}|latvia",
        rf"estij|est{_PEOPLE}|estonia",
        rf"lenkij|lenk{_PEOPLE}|poland|polish|poles\b",
        r"vokietij|vokiec|german",
        rf"suomij|suomi{_PEOPLE}|finland|finnish|finns\b",
        rf"svedij|sved{_PEOPLE}|sweden|swedish|swedes\b",
        rf"norvegij|norveg{_PEOPLE}|norway|norwegian",
        rf"danij|dan{_PEOPLE}|denmark|danish|danes\b",
        rf"islandij|island{_PEOPLE}|iceland",
        rf"prancuzij|prancuz{_PEOPLE}|france|french",
        rf"ispanij|ispan{_PEOPLE}|katalonij|spain|spanish|spaniard|catalonia|catalan",
        rf"portugalij|portugal{_PEOPLE}|portugal\b|portuguese",
        rf"italij|ital{_PEOPLE}|italy|italian",
        rf"austrij|austr{_PEOPLE}|austria",
        rf"sveicarij|sveicar{_PEOPLE}|switzerland|swiss",
        rf"olandij|oland{_PEOPLE}|nyderland|netherlands|holland|dutch",
        rf"belgij|belg{_PEOPLE}|belgi(?:um|an)",
        r"liuksemburg|luxembourg",
        rf"airij|airi{_PEOPLE}|ireland|irish",
        rf"jungtin\w+ karalyst|britanij|brit{_PEOPLE}|anglij|skotij|united kingdom|britain|british|england|scotland|uk\b",
        rf"cekij|cek{_PEOPLE}|czech",
        r"slovak",
        r"sloven",
        rf"vengrij|vengr{_PEOPLE}|hungar",
        r"rumun|romania",
        r"bulgar",
        rf"graikij|graik{_PEOPLE}|greece|greek",
        r"kroat|croatia",
        r"serb",
        r"kipr|cypr",
        r"malt(?:a|os|oje|ese)\b",
        r"ukrain",
        r"moldov",
        r"sakartvel|gruzij|georgia\b",
        rf"turkij|turk{_PEOPLE}|turkey|turkish",
        r"baltarusij|belarus",
        rf"rusij|rus{_PEOPLE}|russia",
        rf"kinij|kin{_PEOPLE}|china\b|chinese",
        r"japon|japan",
        r"indij|india\b",
        r"korej|korea",
        r"izrael|israel",
        r"amerik|jungtin\w+ valstij|jav\b|america|united states|usa\b",
        r"kanad|canad",
    )
)
"""The first is ours."""
_OF_A_LANGUAGE = re.compile(
    r"kalb|\bvert(?:im|ej|e|i)\w*|isk(?:ai|as|os|u)\b|\blanguage|\btranslat|\bspeak|\b(?:in|into|from) [a-z]+(?:ish|ian|ese|man|ch|ek)\b(?! \w)"
)
"""Countries are named by these questions because of their languages."""
_OF_MANY = re.compile(
    r"\bkit(?:os|ose|u|oms|omis) (?:\w+ )?(?:sal|valstyb)|\bkitur\b|uzsien|svetur|\b(?:other|foreign|any|every|all) (?:[\w-]+ ){0,2}countr|\babroad|\belsewhere|\boverseas|\bvis(?:os|ose|oms) saly"
)


def is_of_another_country(question: str, told: str) -> bool:
    """Whether a question names one foreign country, and what is told is of others alone."""
    asked = _asked_about(question)
    if asked is None or says_unknown(told):
        return False
    plain = fold(told)
    if asked.search(plain) or _OF_MANY.search(plain):
        return False
    return any(country.search(plain) for country in _COUNTRIES)


@lru_cache(maxsize=256)
def _asked_about(question: str) -> re.Pattern[str] | None:
    """The one foreign country that a question asks about."""
    plain = fold(what_asks(question))
    if _OF_A_LANGUAGE.search(plain):
        return None
    found = [country for country in _COUNTRIES[1:] if country.search(plain)]
    return found[0] if len(found) == 1 else None
