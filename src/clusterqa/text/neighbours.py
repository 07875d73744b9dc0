"""
Questions in a neighbour's language: Russian, Polish, German. They are answered as well as the encoder can, in Lithuanian or
English, after one sentence in the asker's own language that says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clusterqa.text.language import detect


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A language that questions come in but answers do not: its code (ISO 639-1) and what is said in it."""

    code: str
    notice: str


RUSSIAN = Neighbour(
    "ru", "Ответы даются на литовском и английском языках: мы цитируем документы на том языке, на котором они написаны."
)
POLISH = Neighbour("pl", "Odpowiedzi są po litewsku i angielsku: cytujemy dokumenty w języku, w którym je napisano.")
GERMAN = Neighbour("de", "Die Antworten sind auf Litauisch und Englisch: Wir zitieren die Dokumente in der Sprache, in der sie verfasst sind.")  # fmt: skip


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_POLISH = _words(
    """
    jak jaki jaka jakie jakich czy czym czego ile kiedy gdzie kto kogo komu jest są się nie dla przez który która które których
    można mogę może możemy trzeba proszę dzień dobry dziękuję cześć chcę chcemy chciałbym chciałabym potrzebuję potrzebne
    kosztuje trwa długo uzyskać otrzymać zdobyć klaster klastra klastry klastrów klastrem klastrze brązowy brązowa brązowej
    srebrny srebrna złoty złota znak znaku etykieta odznaka w z ze od oraz albo lub też litwie litwa polsce
    moze mozna dziekuje dlugo ktory ktore sie
    """
)
_GERMAN = _words(
    """
    wie was wer wann programm unternehmen firma warum wieso welche welcher welches wem wen ist sind der das den dem des ein eine einen einem einer und oder
    für fuer nicht kein keine auf aus bei mit nach von vor zu zum zur über ueber gibt es ich wir ihr sie kann kann's können
    koennen muss müssen muessen möchte moechte bitte danke guten morgen tag hallo kostet dauert lange gültig gueltig bekomme
    bekommt erhalten beantragen cluster litauen deutschland silber bronze gold siegel auszeichnung wo wieviel viel
    """
)
_ALIKE = _words("was programm firma der des es von das den silber bronze gold cluster guten tag viel w z ze od lub is")
"""Words of these languages that also stand in Lithuanian or English texts, as names or otherwise: alone they tell nothing."""

_CYRILLIC = re.compile(r"[Ѐ-ӿ]")
_POLISH_LETTER = re.compile("[łńśźżćó]")
_GERMAN_LETTER = re.compile("[äöüß]")
_QUOTED = re.compile(r"„[^„“”\"]*[“”\"]|“[^“”]*”|\"[^\"]*\"|«[^«»]*»")


def neighbour(text: str) -> Neighbour | None:
    """The neighbour's language a question is written in; None for Lithuanian, English and what does not tell."""
    text = _QUOTED.sub(" ", text.lower())[:2000]
    letters = [c for c in text if c.isalpha()]
    if letters and len(_CYRILLIC.findall(text)) > len(letters) / 2:
        return RUSSIAN
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)*", text)
    scores = {
        POLISH: _evidence(words, _POLISH) + 1.5 * sum(bool(_POLISH_LETTER.search(word)) for word in words),
        GERMAN: _evidence(words, _GERMAN) + 1.5 * sum(bool(_GERMAN_LETTER.search(word)) for word in words),
    }
    best = max(scores, key=lambda language: scores[language])
    if scores[best] < 2 or scores[best] < len(words) / 4:
        return None
    found = detect(text)  # knows two languages only: it is asked whether the words of one of them frame the question
    own = _OWN[found.language]
    return best if scores[best] > _evidence(words, own) else None


def _evidence(words: list[str], known: frozenset[str]) -> float:
    return sum(0.4 if word in _ALIKE else 1.0 for word in words if word in known)


_OWN = {
    "lt": _words("kas ko kam ką kuo kiek kaip kada kur ar yra ir dėl del nuo už uz kuris kuri ženklas zenklas ženklo zenklo galioja kainuoja reikia gali"),
    "en": _words("what which who when where why how the of and is are do does can in for to a an it from with by was much many long valid label"),
}  # fmt: skip
