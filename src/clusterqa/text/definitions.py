"""
Questions for what something is („kas yra X?“, "what is X"), and the sentences that say so („X – tai …“, "X is a …").
"""

from __future__ import annotations

import re
from functools import lru_cache

from clusterqa.text.analysis import content_words, fold, nfc, terms
from clusterqa.text.answer_types import expected
from clusterqa.text.sentences import sentences

LONGEST_TERM = 5
"""Words; more of them ask for a fact about something rather than what it is."""

_ASKED = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?:o |ir |tai |sakykite |paaiskinkite |paaiskink )*(?:kas|koks|kokia)(?: per daiktas)? (?:yra|buvo|tai|tas|ta|toks|tokia|tie|tos)(?: (?:yra|buvo|tai|toks|tokia|tas|ta))* (?P<term>.+)",
        r"(?:ka|kas) (?:reiskia|vadinam\w+|laikom\w+) (?:\w*terminas |savoka |zodis )?(?P<term>.+)",
        r"(?P<term>.+?)[ ,–-]+(?:kas tai|kas tai yra|kas tai buvo|ka tai reiskia)",
        r"(?:so |and |explain )*(?:what|who)(?: is| was| were|s| are|re|'s)(?: actually| exactly)? (?P<term>.+)",
        r"(?:ka|kuo) (?:veikia|daro|uzsiima) (?P<term>.+)",
        r"(?:papasakok\w*|informacija|info)(?: man| mums)? apie (?P<term>.+)",
        r"(?:tell me|information|info) about (?P<term>.+)",
        r"what (?:does|do) (?P<term>.+?) (?:mean|stand for|do)",
        r"(?:define|explain|meaning of|definition of) (?P<term>.+)",
        r"(?P<term>.+?) (?:meaning|definition)",
    )
)
_NO_TERM = re.compile(r"(?:it|this|that|they|new|next|wrong|the difference.*|skirtumas.*|jis|ji|tai|naujo)")
_ARTICLE = re.compile(r"^(?:an?|the|our|those|tas|ta|tie|tos|toks|tokia) ")
_ASIDE = re.compile(r" ?,? (?:kai|kalbant|when|in the context of) .*")
_SAYS = re.compile(
    r"\s(?:[–—-]\s(?:tai\s)?|yra\s|buvo\s(?!\w+(?:tas|ta|ti|tos|mas|ma|mi|mos)\b)|tai\s(?:yra\s|buvo\s)?|reiskia\s|vadinam\w+\s|laikom\w+\s"
    r"|(?:is|was)\s(?:an?|the|one|any|what|how|\w+'s?)\s|(?:are|were)\s(?!not\b|valid\b|listed\b|\w+ed\b)|means\s|stands\sfor\s|refers\sto\s)"
)
_SURELY_SAYS = re.compile(
    r"\s(?:[–—-]\s|tai\s|reiskia\s|vadinam\w+\s|(?:is|was)\san?\s|means\s|stands\sfor\s|refers\sto\s)"
)
"""What no remark about a thing goes on with, as „requirements are strict“ does."""
_REMARK = re.compile(r"\([^)]*\)")
_OTHER_NAME = re.compile(r", (?:arba|dar|kitaip|or|also|in full|short for|known as|formerly)\b[^,]*(?:,[^,]*)?, ")
"""After a name: „InoLink“, arba „…“, is …"""
_NAMED = re.compile(r" [–—-] |: |, | \(")
"""Ends what a title names first: „FETEK – fotoelektros technologijų klasteris“."""
_MORE = re.compile(r"\b(?:taip pat|jau|dar|also|already|still)\b")
"""Says one thing more of what was told of before."""
_NAME = re.compile(
    r"[„“\"*_]*\w*[A-ZĄČĘĖĮŠŲŪŽ]\w*[A-ZĄČĘĖĮŠŲŪŽ]\w*[“”\"*_]* (?:yra|is|are|was|were|buvo) (?!viena |vienas |one )"
)
"""A name that is none of the usual words: „PrefabLT“, "ESCA"; what it is said to be is no remark, as „Parama yra didelė“ is."""
_MARKS = re.compile(r"[*_„“”\"«»]|(?<!\w)'|'(?!\w)")


@lru_cache(maxsize=256)  # asked where hits are put in order, and again of the quote
def defined_term(question: str) -> str | None:
    """The thing that a question asks to have explained, as typed but folded; None where it asks something else."""
    plain = " ".join(fold(question).replace("?", " ").replace("„", " ").replace("“", " ").replace("”", " ").split())
    plain = plain.strip(" .!,")
    if expected(question) is not None:
        return None
    for pattern in _ASKED:
        if found := pattern.fullmatch(plain):
            term = _ARTICLE.sub("", _ASIDE.sub("", found["term"])).strip(" ,.!\"'")
            held = content_words(term)
            known = held and len(held) <= LONGEST_TERM and len(term.split()) <= LONGEST_TERM + 2
            return term if known and not _NO_TERM.fullmatch(term) else None
    return None


def defines(sentence: str, term: str) -> bool:
    """Whether a sentence says what the thing is: it begins with the thing, and nothing else, and goes on with „yra“, "is a"."""
    return _defines(sentence, term, _SAYS)


def _defines(sentence: str, term: str, says: re.Pattern[str]) -> bool:
    plain = _MARKS.sub("", _REMARK.sub(" ", fold(sentence[:400])))
    plain = " ".join(_OTHER_NAME.sub(" ", " ".join(plain.split()), count=1).split())
    found = says.search(f"{plain} ")
    if found is None or found.start() > 80 or _MORE.search(plain[: found.start()]):
        return False
    return _same_thing(plain[: found.start()], term)


def is_about(title: str, term: str) -> bool:
    """Whether a title names the thing, and nothing before it: what such a document begins with tells of the thing."""
    return _same_thing(_NAMED.split(_MARKS.sub("", fold(title)), maxsplit=1)[0], term)


def _same_thing(one: str, other: str) -> bool:
    own, others = content_words(one), content_words(other)
    return bool(own) and all(_meets(word, own) for word in others) and all(_meets(word, others) for word in own)


def says_what_it_is(term: str, text: str) -> bool:
    """Whether a sentence of a text surely says what the thing is."""
    told = [text[span.start : span.end] for span in sentences(text)]
    return any(_defines(one, term, _SAYS if _NAME.match(nfc(one)) else _SURELY_SAYS) for one in told)


def _meets(word: str, others: list[str]) -> bool:
    own = set(terms(word))
    return any(own & set(terms(other)) for other in others)
