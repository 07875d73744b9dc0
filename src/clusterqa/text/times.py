"""
What is of another time than is asked about: the figure of 2015 is no answer to "in 2023", the second call none to "the third".

Only a year, or the number of an event, that a question plainly asks about counts, and a text need only touch on it. Of 94
questions about a year with a known answer 1 has one that is told of another time, of 106 without an answer 26 have a
most tempting place that is (docs/measurements.md, 103). Matched on folded text, so diacritics do not matter.
"""

from __future__ import annotations

import re
from functools import lru_cache

from clusterqa.text.analysis import fold, nfc
from clusterqa.text.answer_types import says_unknown, yes_or_no
from clusterqa.text.lacking import what_asks

_YEAR = r"(?<!\d)(?:19|20)\d\d(?!\d)"
_BETWEEN = re.compile(rf"({_YEAR})\s?(?:m\.\s)?(?:[–-]|to|until|and|iki|ir)\s?({_YEAR})")
_SINCE = re.compile(rf"\b(?:since|from|after|nuo|po)\s(?:[\w.]+\s){{0,3}}?({_YEAR})")
_UNTIL = re.compile(rf"\b(?:until|till|before|by|to|iki|pries)\s(?:[\w.]+\s){{0,3}}?({_YEAR})")
_NEXT_TO_ANOTHER = re.compile(
    r"\b(?:pernai|uzpernai|kitamet|kit\w+ met|praejus\w+ met|pries \w+ met|metais (?:anksciau|veliau)"
    r"|(?:last|next|previous) year|years? (?:before|after|earlier|later|ago))"
)
"""A year that is told from another one."""
_OWN_STORY = re.compile(
    r"\b(?:i'm|i've|i'd|my|me|we|we're|we've|our|us|mes|mus|musu|mums|as|mano|man|mane|savo|turiu|turime|esu|esame|buvau|buvome|\w{3,}iau)\b"
)
"""A year of the person who asks is not what is asked about ("I was born in 1963")."""
_I = re.compile(r"(?<!\w)[Ii](?!\w)")
"""Looked for in the text as typed: folded, the Lithuanian „į“ would be one."""

_ENDING = (
    r"(?:as|asis|ojo|ojame|ajame|ajam|aji|oji|osios|ojoje|o|a|os|oje|ame|am|i|ieji|uosius|uju|is|iojo|ioji|iosios|iasis|ias"
    r"|ia|iajame|iame|iaji)"
)
_NUMBERED = {
    number: rf"(?:{english}|(?:{lithuanian}|{number}-){_ENDING})"
    for number, english, lithuanian in (
        (1, "first|1st|i", "pirm"),
        (2, "second|2nd|ii", "antr"),
        (3, "third|3rd|iii", "treci"),
        (4, "fourth|4th|iv", "ketvirt"),
        (5, "fifth|5th|v", "penkt"),
        (6, "sixth|6th|vi", "sest"),
        (7, "seventh|7th|vii", "septint"),
    )
}
_EVENT = (
    r"(?:calls?|rounds?|editions?|forums?|conferences?|competitions?|fairs?|summits?|congress\w*|meetings?"
    r"|kvietim\w+|konkurs\w+|tur(?:as|o|e|ui|ai)|forum\w+|konferencij\w+|muge\w*|susitikim\w+|suvaziavim\w+|kongres\w+)"
)
_BREAK = r"(?:per|in|at|of|to|for|on|by|the|i|prie|uz|po|del|su)\b"
"""What stands between a number and its event is the event's name."""
_NUMBERED_EVENT = {
    number: re.compile(rf"\b{word}\s(?:(?!{_BREAK})[\w„“\"-]+\s){{0,3}}?{_EVENT}\b")
    for number, word in _NUMBERED.items()
}
_COMING = re.compile(
    rf"\b(?:next|upcoming|coming|kit(?:as|o|a|os)|busim\w+|artimiaus\w+)\s(?:[\w„“\"-]+\s){{0,3}}?{_EVENT}\b"
)


def is_of_another_time(question: str, told: str, document: str, closed: bool = False) -> bool:
    """
    Whether a question plainly asks about a year, an event by its number or the next one, and what is told is of another.

    `told` is a quote with what stands around it and above it, `document` the text it was cut from; `closed` says that it tells
    of a call that is over.
    """
    year, event, coming = _asked_about(question)
    if not (year or event or coming) or says_unknown(told):
        return False
    plain = fold(told)
    others = any(pattern.search(plain) for pattern in _NUMBERED_EVENT.values())
    if coming and not _COMING.search(plain) and (closed or others):
        return True
    if (
        event
        and not _NUMBERED_EVENT[event].search(plain)
        and (others or not re.search(rf"\b{_NUMBERED[event]}\b", fold(document)))
    ):
        return True
    return year is not None and not _touches(year, plain)


@lru_cache(maxsize=256)
def _asked_about(question: str) -> tuple[str | None, int | None, bool]:
    """The one year, the number of an event, and whether it is one to come."""
    plain = fold(what_asks(question))
    if yes_or_no(plain):
        return None, None, False
    years = set(re.findall(_YEAR, plain))
    # The first of several is often just "the call": nothing told of it says so.
    event = next((n for n, pattern in _NUMBERED_EVENT.items() if n > 1 and pattern.search(plain)), None)
    own = _OWN_STORY.search(plain) or _I.search(nfc(question))
    year = years.pop() if len(years) == 1 and not own else None
    return year, event, _COMING.search(plain) is not None


def _touches(year: str, told: str) -> bool:
    """Whether a folded text names a year, or a time that it may lie in."""
    return (
        year in told
        or _NEXT_TO_ANOTHER.search(told) is not None
        or any(first <= year <= last for first, last in _BETWEEN.findall(told))
        or any(first <= year for first in _SINCE.findall(told))
        or any(year <= last for last in _UNTIL.findall(told))
    )
