"""The numbers that Word draws before headings and list items: worked out from `numbering.xml`, paragraph by paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
LEVELS = 9


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of a list: `text` is its pattern ("%1.%2."); each of the first `restarts` levels sets it back."""

    start: int = 1
    kind: str = "decimal"
    text: str = ""
    legal: bool = False
    restarts: int = LEVELS
    style: str = ""


class Numbers:
    """Counts the lists of one document; `style_numbers` gives the list a paragraph style names, by the style's id."""

    def __init__(self, numbering: Any | None, style_numbers: dict[str, int]) -> None:
        self._levels: dict[int, dict[int, _Level]] = {}
        self._lists: dict[int, tuple[int, dict[int, _Level], dict[int, int]]] = {}
        self._counts: dict[int, list[int | None]] = {}
        self._begun: set[tuple[int, int]] = set()
        self.worded = 0
        """How many numbers so far are drawn in words, or in signs that are not known here."""
        if numbering is None:
            return
        links: dict[int, str] = {}
        for abstract in numbering.iter(f"{_W}abstractNum"):
            number = _number(abstract.get(f"{_W}abstractNumId"))
            self._levels[number] = {_number(x.get(f"{_W}ilvl")): _level(x) for x in abstract.findall(f"{_W}lvl")}
            if link := _text(abstract, "numStyleLink"):
                links[number] = link
        for entry in numbering.iter(f"{_W}num"):
            own: dict[int, _Level] = {}
            starts: dict[int, int] = {}
            for override in entry.findall(f"{_W}lvlOverride"):
                at = _number(override.get(f"{_W}ilvl"))
                if (level := override.find(f"{_W}lvl")) is not None:
                    own[at] = _level(level)
                if start := _text(override, "startOverride"):
                    starts[at] = _number(start)
            self._lists[_number(entry.get(f"{_W}numId"))] = (_number(_text(entry, "abstractNumId")), own, starts)
        for number, style in links.items():
            target = self._lists.get(style_numbers.get(style, -1))
            if target is not None and target[0] != number:
                self._levels[number] = self._levels.get(target[0], {})

    def level_of_style(self, number: int, style: str) -> int:
        """The level of the list `number` that is meant for paragraphs of a style, 0 where none is."""
        return next((at for at, level in self._all(number).items() if level.style == style), 0)

    def next(self, number: int, at: int) -> str:
        """
        The number of the next paragraph on level `at` (from 0) of the list `number`, as it is drawn: "2.1.", "b)".

        "" for bullets, and for a list that is not there.
        """
        levels = self._all(number)
        level = levels.get(at)
        if level is None or number not in self._lists:
            return ""
        abstract, _, starts = self._lists[number]
        counts = self._counts.setdefault(abstract, [None] * LEVELS)
        before = counts[at]
        if at in starts and (number, at) not in self._begun:
            before = starts[at] - 1
        self._begun.add((number, at))
        counts[at] = (level.start - 1 if before is None else before) + 1
        for above in range(at):  # a level that was skipped counts as begun: after 2.1.1 comes 2.2
            if counts[above] is None and f"%{above + 1}" in level.text:
                counts[above] = levels.get(above, _Level()).start
        for deeper in range(at + 1, LEVELS):
            if at < levels.get(deeper, _Level()).restarts:
                counts[deeper] = None
        if level.kind in ("bullet", "none"):
            return ""

        def told(found: re.Match[str]) -> str:
            place = int(found[1]) - 1
            other = levels.get(place, _Level())
            count = counts[place] if counts[place] is not None else other.start
            assert count is not None
            self.worded += not (level.legal or is_known(other.kind))
            return written(count, "decimal" if level.legal else other.kind)

        return re.sub(r"%([1-9])", told, level.text).strip()

    def _all(self, number: int) -> dict[int, _Level]:
        if number not in self._lists:
            return {}
        abstract, own, _ = self._lists[number]
        return {**self._levels.get(abstract, {}), **own}


def _level(element: Any) -> _Level:
    start = _text(element, "start")
    legal = element.find(f"{_W}isLgl")
    return _Level(
        start=_number(start) if start else 1,
        kind=_kind(element),
        text=_text(element, "lvlText"),
        legal=legal is not None and legal.get(f"{_W}val", "1") not in ("0", "false", "off"),
        restarts=_number(restart) if (restart := _text(element, "lvlRestart")) else LEVELS,
        style=_text(element, "pStyle"),
    )


def _kind(element: Any) -> str:
    """How a level counts; "001, 002, 003, ..." is a form of its own, stored beside one for old programs."""
    own = element.find(f"{_MC}AlternateContent/{_MC}Choice/{_W}numFmt")
    zeros = re.match(r"0+1, ", own.get(f"{_W}format", "") if own is not None else "")
    return "0" * (len(zeros[0]) - 2) if zeros else _text(element, "numFmt") or "decimal"


def _text(element: Any, name: str) -> str:
    found = element.find(f"{_W}{name}")
    return found.get(f"{_W}val", "") if found is not None else ""


def _number(text: str | None) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,9}", text) else 0


_CHICAGO = "*†‡§"
_RUSSIAN = "абвгдежзиклмнопрстуфхцчшщыэюя"
_ENCLOSED = {"decimalEnclosedCircle": 0x2460, "decimalEnclosedParen": 0x2474, "decimalEnclosedFullstop": 0x2488}
"""The first of the twenty signs of a number in a circle, in brackets, with a full stop."""
_KNOWN = frozenset(
    "lowerLetter upperLetter lowerRoman upperRoman ordinal none bullet chicago numberInDash hex "
    "russianLower russianUpper".split()
)


def is_known(kind: str) -> bool:
    """Whether `written` draws numbers of a kind as Word does."""
    return kind in _KNOWN or kind in _ENCLOSED or kind.startswith("decimal") or not kind.strip("0")


def written(count: int, kind: str) -> str:
    """A number as Word writes it in a list of this kind ("lowerLetter", "upperRoman", …); in figures where it has no kind."""
    match kind:
        case "lowerLetter" | "upperLetter":
            letter = chr(ord("a") + (count - 1) % 26) * (1 + (count - 1) // 26) if 0 < count < 1000 else str(count)
            return letter if kind == "lowerLetter" else letter.upper()
        case "lowerRoman" | "upperRoman":
            roman = to_roman(count)
            return roman if kind == "lowerRoman" else roman.upper()
        case "decimalZero":
            return f"{count:02}"
        case _ if kind and not kind.strip("0"):
            return str(count).zfill(len(kind))
        case "ordinal":
            ending = "th" if count % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
            return f"{count}{ending}"
        case "none" | "bullet":
            return ""
        case "chicago" if count > 0:
            return _CHICAGO[(count - 1) % 4] * (1 + (count - 1) // 4)
        case "numberInDash":
            return f"- {count} -"
        case "hex" if count > 0:
            return f"{count:X}"
        case "russianLower" | "russianUpper" if 0 < count < 1000:
            letter = _RUSSIAN[(count - 1) % len(_RUSSIAN)] * (1 + (count - 1) // len(_RUSSIAN))
            return letter if kind == "russianLower" else letter.upper()
        case _ if kind in _ENCLOSED and 0 < count <= 20:
            return chr(_ENCLOSED[kind] + count - 1)
        case _:
            return str(count)


def to_roman(count: int) -> str:
    """A number in small Roman numerals, in figures where it has none (below 1, above 3999)."""
    if not 0 < count < 4000:
        return str(count)
    told = ""
    for value, letters in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    ):
        told += letters * (count // value)
        count %= value
    return told
