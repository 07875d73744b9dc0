"""
Characters that make a text read otherwise than it is stored: turned round, hidden, or dressed up as others.

    findings(text) ─▶ [Finding]      the stored text stays as it is; whoever publishes it is told
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["direction", "hidden", "look_alike"]

_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Controls that show what follows from right to left, or left to right, whatever it is."""
# No soft hyphen (the file of any typesetter has some), no variation selector (those of an emoji), no mark of a lone direction.
_HIDDEN = re.compile(
    "[\u034f\u115f\u1160\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff\uffa0\U000e0000-\U000e007f]"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
# Letters of other scripts that no reader tells from a Latin one, beside the Latin letter.
_ALIKE = dict(zip(
    "аеорсухіјѕһԁԛԝвкмнтАВЕКМНОРСТУХІЈЅԌԚԜαορνικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijshdqwbkmhtABEKMHOPCTYXIJSGQWaopvikABEZHIKMNOPTYX",
    strict=True,
))  # fmt: skip
# Bold, on and off, is what our own lines use.
_OBEYED = re.compile("(?!\x1b\\[[01]m)[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
"""What a terminal or a reader of logs obeys in place of showing it: escapes, carriage returns, ends of lines, directions."""
_SHAPED = re.compile("[\uff21-\uff3a\uff41-\uff5a\U0001d400-\U0001d7ff]")
"""Whole alphabets that only look otherwise: full width, mathematical."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One place, `text[start:end]`: a single character, or for look-alikes the whole word. `shown` names it without doing what
    it does: "U+202E", or the word with the strangers in it named.
    """

    kind: Kind
    start: int
    end: int
    shown: str


def findings(text: str) -> list[Finding]:
    """Every place where the text reads otherwise than it is, in its order. Takes time in the length of the text."""
    found = [*_direction(text), *_hidden(text), *_look_alikes(text)]
    return sorted(found, key=lambda finding: finding.start)


def warnings(text: str) -> list[str]:
    """A sentence for each kind that is found, with how often and where first."""
    found = findings(text)
    told = {
        "direction": "Characters that turn the direction of writing, so that a text can read otherwise than it is: {}, the first "
        "({}) in line {}.",
        "hidden": "Characters that nobody sees: {}, the first ({}) in line {}.",
        "look_alike": "Words with letters of another script that look like Latin ones: {}, the first “{}” in line {}.",
    }
    sentences = []
    for kind, sentence in told.items():
        if of_kind := [finding for finding in found if finding.kind == kind]:
            first = of_kind[0]
            sentences.append(sentence.format(len(of_kind), first.shown, text.count("\n", 0, first.start) + 1))
    return sentences


def visible(text: str) -> str:
    """
    The text for a terminal or a log: what would be obeyed there stands as its escape in JSON, so that JSON stays the same data.
    """
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _direction(text: str) -> Iterator[Finding]:
    for match in _DIRECTION.finditer(text):
        yield Finding("direction", match.start(), match.end(), _named(match[0]))


def _hidden(text: str) -> Iterator[Finding]:
    for match in _HIDDEN.finditer(text):
        start, end = match.span()
        if match[0] == "\ufeff" and start == 0:  # the mark of the encoding
            continue
        if match[0] in "\u200c\u200d" and _joins(text[start - 1 : start], text[end : end + 1]):
            continue
        yield Finding("hidden", start, end, _named(match[0]))


def _joins(before: str, after: str) -> bool:
    """Whether a joiner has something to join: pictures, or letters of a script that is written joined."""
    return all(
        sign
        and (
            unicodedata.category(sign) in ("So", "Sk", "Mn", "Mc")
            or ord(sign) == 0xFE0F
            or 0x0590 <= ord(sign) < 0x1000
        )
        for sign in (before, after)
    )


def _look_alikes(text: str) -> Iterator[Finding]:
    if text.isascii():
        return
    for match in _WORD.finditer(text):
        word = match[0]
        if word.isascii():
            continue
        strangers = [letter for letter in word if letter in _ALIKE]
        # A word all of Cyrillic or Greek is a word of that script; one that has Latin letters beside them is neither.
        if (strangers and any("LATIN" in unicodedata.name(letter, "") for letter in word)) or _SHAPED.search(word):
            shown = "".join(
                f"[{_named(letter)}]" if letter in _ALIKE or _SHAPED.match(letter) else letter for letter in word
            )
            yield Finding("look_alike", match.start(), match.end(), shown)


def _named(character: str) -> str:
    return f"U+{ord(character):04X}"
