"""
Questions that ask two things: a comparison („kuo skiriasi X nuo Y?“), or a second question after „ir“ or "and".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clusterqa.records import Language
from clusterqa.text.analysis import content_words


@dataclass(frozen=True, slots=True)
class AskedPart:
    """One of the things that are asked: its `label`, cut from the question, and the question that asks it alone."""

    label: str
    question: str
    leans: bool = False
    """Whether it is to be understood after the part before it."""


_NAME = r"[^?!.,;]+?"
_COMPARED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:o )?kuo (?:\w+ )?(?:skiriasi|skirias) (?P<one>{_NAME}) (?:nuo|ir|bei) (?P<other>{_NAME})",
        rf"(?:koks|kokie|ar yra) (?:yra )?skirtum\w+ tarp (?P<one>{_NAME}) (?:ir|bei) (?P<other>{_NAME})",
        rf"(?P<one>{_NAME}) (?:ir|bei|ar) (?P<other>{_NAME})[ ,–-]+(?:koks )?skirtum\w+",
        rf"(?:so |and )?what(?:'s|’s| is| are)? (?:the )?differences? between (?P<one>{_NAME}) and (?P<other>{_NAME})",
        rf"(?:so |and )?how (?:do|does|is|are) (?P<one>{_NAME}) (?:differ|different) from (?P<other>{_NAME})",
        rf"(?:compare )?(?P<one>{_NAME}) (?:vs\.?|versus|compared (?:to|with)) (?P<other>{_NAME})",
    )
)
_LAST = {
    "lt": r"kiek|kada|kas|ką|kaip|kur|ar|koks|kokia|kokie|kokios|kokį|kokią|kuris|kuri|kurie|kuo|kam|kodėl",
    "en": r"how|what|when|where|who|which|why|is|are|do|does|can|must",
}
_JOINED = re.compile(
    rf"(?P<one>.{{12,}}?),? (?:ir|bei|o|and|also)(?: tai| dar| taip pat)? (?P<other>(?:{_LAST['lt']}|{_LAST['en']}) .{{4,}})",
    re.IGNORECASE | re.DOTALL,
)
_ASKS = re.compile(rf"(?:\w+[ ,]+){{0,2}}(?:{_LAST['lt']}|{_LAST['en']})\b", re.IGNORECASE)
_TWO = re.compile(r"(?P<one>[^?]{8,})\?\s+(?P<other>[^?]{6,})\?\s*", re.DOTALL)


def asked_parts(question: str, language: Language) -> tuple[AskedPart, ...]:
    """The two things that a question asks for; () where it is one."""
    plain = " ".join(question.split())
    bare = plain.strip(" ?!.")
    for pattern in _COMPARED:
        if found := pattern.fullmatch(bare):
            one, other = (found[name].strip(' „“”"') for name in ("one", "other"))
            if content_words(one) and content_words(other) and not _ASKS.match(one):
                asked = "Kas yra {}?" if language == "lt" else "What is {}?"
                return AskedPart(one, asked.format(one)), AskedPart(other, asked.format(other))
    found = _TWO.fullmatch(plain) or _JOINED.fullmatch(bare)
    if found and _ASKS.match(found["one"]) and _ASKS.match(found["other"]):
        one, other = (f"{found[name].strip(' ,')}?" for name in ("one", "other"))
        return AskedPart(one, one), AskedPart(_capital(other), other, leans=True)
    return ()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
