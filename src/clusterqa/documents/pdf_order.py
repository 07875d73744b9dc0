"""
The order of the stretches of a PDF page: whether a person would read them so, and the one that their places give.

What stands below a line comes after it, in columns and tables too, and a sentence that goes on below is not torn by what
stands beside it. Where the file holds a page otherwise, its order says little.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from clusterqa.documents.tables import Row

FEWEST = 3
"""So many stretches of a page must be out of their order at least."""

SHARE = 0.04
"""Share of the stretches of a page from which its order may be wrong."""

FARTHEST_BELOW = 2.2
"""In letter sizes: so far down at most is the next line of the same text."""

FARTHEST_LEFT = 8
"""In fields: so far at most is what stands left of a stretch and belongs to it."""

RIGHT_TO_LEFT = 0.1
"""Share of letters that are written from right to left from which a page is: its lines are read from the left."""

LARGEST = 72
"""Points; the neighbours of larger letters are not looked for."""

WIDE = 0.8
"""Share of the width of a page's text from which a line or a table parts what is above it from what is below."""

_CELL = (40.0, 10.0)
"""How wide and high, in points, the fields are in which neighbours are looked for."""

_FULL = 8
"""Of a field only so many stretches are looked at: no page has more that can be read."""

_WIDEST = 40
"""A stretch is put in so many fields of a line at most."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row of a table whose lines are drawn, and where it stands."""

    told: Row
    left: float
    right: float
    y: float
    size: float
    bold: bool
    holds_rows: bool = False
    """Its cells hold several rows that nothing parts: figures below each other beside other lines."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    Characters that stand together on one line; points from the page's lower left corner, `y` the baseline.

    The page is turned so that the line is level; `slanted` are lines that no quarter turn makes level.
    """

    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool
    slanted: bool = False
    follows: bool = False
    """Only a narrow gap parts it from the stretch before it."""
    turns: int = 0
    """By how many quarters of a turn the page is turned for it."""
    lines: tuple[Stretch, ...] = ()
    """What it was put together from, where it is a cell of several lines."""
    table: tuple[TableRow, ...] = ()
    """The rows of a drawn table, which it stands for with an empty text."""


def level(one: Stretch, other: Stretch) -> bool:
    """Whether two stretches stand on one line; nothing stands on one with a table."""
    return (
        not (one.table or other.table)
        and one.turns == other.turns
        and abs(one.y - other.y) < 0.3 * max(one.size, other.size)
    )


_BROKEN = re.compile(r"(?<=[^\W\d_])-\n(?=[^\W\d_])")


def run_on(lines: Sequence[Stretch]) -> str:
    """The lines of a cell as one text, words that are broken at the end of a line whole."""
    text = "\n".join(line.text for line in lines)
    return _BROKEN.sub(lambda found: "" if text[found.end()].islower() else "-", text).replace("\n", " ")


Fields = dict[tuple[int, int, int], list[int]]
"""The numbers of the stretches of a page by the field that they stand in: how it is turned, its column, its row."""


@dataclass(frozen=True, slots=True)
class Order:
    """How many lines of a page come before what is above or left of them, and how many sentences are torn by what comes between."""

    pairs: int
    back: int
    torn: int
    aside: int

    @property
    def wrong(self) -> int:
        return self.back + self.torn + self.aside

    @property
    def is_doubtful(self) -> bool:
        return self.wrong >= max(FEWEST, SHARE * self.pairs)


def order(stretches: Sequence[Stretch]) -> Order:
    """The order of the stretches of a page, as they are read; that of a page written from right to left is not judged."""
    read = lines_of(stretches)
    if is_right_to_left("".join(one.text for one in read)):
        return Order(0, 0, 0, 0)
    fields = fields_of(read)
    below = [_below(number, read, fields) for number in range(len(read))]
    back = sum(
        found is not None and found < number and not _is_scale(read[found], read[number], number - found)
        for number, found in enumerate(below)
    )
    torn = sum(
        found is not None
        and found > number + 1
        and _runs_on(one, read[found])
        and not _is_its_rest(number + 1, read, below)
        for number, (one, found) in enumerate(zip(read, below, strict=True))
    )
    aside = sum((left := left_of(number, read, fields)) is not None and left > number for number in range(len(read)))
    return Order(sum(found is not None for found in below), back, torn, aside)


def lines_of(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The stretches whose order says something, cells of several lines line by line."""
    return [
        line for s in stretches for line in (s.lines or (s,)) if line.text and not line.slanted and line.size < LARGEST
    ]


def is_right_to_left(text: str) -> bool:
    """Whether a page is written from the right."""
    return sum(unicodedata.bidirectional(c) in ("R", "AL") for c in text) > RIGHT_TO_LEFT * len(text)


def fields_of(read: list[Stretch]) -> Fields:
    found: defaultdict[tuple[int, int, int], list[int]] = defaultdict(list)
    for number, one in enumerate(read):
        for column in _across(one):
            field = found[one.turns, column, int(one.y // _CELL[1])]
            if len(field) < _FULL:
                field.append(number)
    return found


def _across(one: Stretch) -> range:
    first = int(one.left // _CELL[0])
    return range(first, min(int(one.right // _CELL[0]), first + _WIDEST) + 1)


def _beside(one: Stretch) -> range:
    """The rows of fields on the line of a stretch and half a line higher and lower."""
    return range(int((one.y - one.size) // _CELL[1]), int((one.y + one.size) // _CELL[1]) + 1)


def _below(number: int, read: list[Stretch], fields: Fields) -> int | None:
    """The nearest stretch that stands close below another, over half of the narrower."""
    one = read[number]
    reach = FARTHEST_BELOW * one.size
    for row in range(int(one.y // _CELL[1]), int((one.y - reach) // _CELL[1]) - 1, -1):
        near = {n for column in _across(one) for n in fields.get((one.turns, column, row), ())}
        fitting = [n for n in near if 0.5 * one.size < one.y - read[n].y < reach and overlap(one, read[n]) > 0.5]
        if fitting:
            return max(fitting, key=lambda n: (read[n].y, -read[n].left))
    return None


def left_of(number: int, read: list[Stretch], fields: Fields) -> int | None:
    """The nearest stretch that stands left of another, beside it or half a line higher or lower."""
    one = read[number]
    rows = _beside(one)
    first = int(one.left // _CELL[0])
    for column in range(first, first - FARTHEST_LEFT, -1):
        near = {n for row in rows for n in fields.get((one.turns, column, row), ())}
        fitting = [
            n for n in near if abs(read[n].y - one.y) < 0.8 * one.size and one.left - read[n].right > 0.5 * one.size
        ]
        if fitting:
            return max(fitting, key=lambda n: (read[n].right, -abs(read[n].y - one.y)))
    return None


def behind(number: int, read: list[Stretch], fields: Fields) -> set[int]:
    """The stretches in the fields at the right end of another, on its line or half a line higher or lower."""
    one = read[number]
    rows = _beside(one)
    columns = range(int((one.right - one.size) // _CELL[0]), int((one.right + one.size) // _CELL[0]) + 1)
    return {n for column in columns for row in rows for n in fields.get((one.turns, column, row), ())}


def _is_scale(lower: Stretch, upper: Stretch, later: int) -> bool:
    """Whether two stretches are neighbours on the scale of a chart, which may be held from its foot."""
    return later == 1 and not any(c.isalpha() for c in lower.text + upper.text)


def overlap(one: Stretch, other: Stretch) -> float:
    """Share of the narrower one's width over which two stretches stand above each other."""
    narrower = min(one.right - one.left, other.right - other.left) or 1.0
    return (min(one.right, other.right) - max(one.left, other.left)) / narrower


def _is_its_rest(number: int, read: list[Stretch], below: list[int | None]) -> bool:
    """Whether a stretch is the rest of the line that the one before begins, and no column: nothing stands in line below it."""
    one, under = read[number], below[number]
    beside = level(read[number - 1], one) and one.left > read[number - 1].left
    return beside and (under is None or abs(read[under].left - one.left) > 0.3 * one.size)


_ENDED = re.compile(r"[.!?…:;][\"'”“’»)\]]*\Z")


def _runs_on(one: Stretch, below: Stretch) -> bool:
    """Whether the stretch below goes on with the sentence of one."""
    return (
        abs(one.size - below.size) < 0.1 * one.size
        and one.bold == below.bold
        and one.y - below.y < 1.75 * one.size
        and below.text[:1].islower()
        and " " in one.text + below.text  # cells of a word each are no sentence
        and _ENDED.search(one.text) is None
    )


def by_place(stretches: Sequence[Stretch]) -> list[Stretch]:
    """The stretches line by line, from the top and from the left; those that are turned otherwise than most after the others."""
    most = Counter(one.turns for one in stretches).most_common(1)[0][0] if stretches else 0
    lines: list[list[Stretch]] = []
    for one in sorted(stretches, key=lambda s: (s.turns != most, s.turns, -s.y, s.left)):
        if lines and lines[-1][0].turns == one.turns and level(lines[-1][0], one):
            lines[-1].append(one)
        else:
            lines.append([one])
    return [one for line in lines for one in sorted(line, key=lambda s: s.left)]


def above_wide(stretches: Sequence[Stretch]) -> list[Stretch]:
    """
    The stretches, those moved before a line or a table over nearly the whole width of the page's text that stand above it and
    come after it: columns or not, they are read before. The lines of a text stay together.
    """
    level_ones = [s for s in stretches if not (s.turns or s.slanted)]
    if not level_ones:
        return list(stretches)
    room = max(s.right for s in level_ones) - min(s.left for s in level_ones)
    wide: list[int] = []  # the lines and tables over the whole width that are lower than all before
    heights: list[float] = []  # how high they stand, from the foot of the page, as negative numbers that ascend
    targets: dict[int, int] = {}
    for number, one in enumerate(stretches):
        if one.turns or one.slanted:
            continue
        top, foot = (one.table[0].y, one.table[-1].y) if one.table else (one.y, one.y)
        lower = bisect_right(heights, 0.8 * one.size - foot)
        if lower < len(wide):
            targets[number] = wide[lower]
        elif one.right - one.left > WIDE * room:
            wide.append(number)
            heights.append(-top)
    for number in sorted(targets, reverse=True):
        below = stretches[number + 1] if number + 1 < len(stretches) and number + 1 not in targets else None
        one = stretches[number]
        if below is not None and 0 < one.y - below.y < 1.75 * one.size and overlap(one, below) > 0.5:
            del targets[number]
    before: defaultdict[int, list[Stretch]] = defaultdict(list)
    for number, target in targets.items():
        before[target].append(stretches[number])
    found: list[Stretch] = []
    for number, one in enumerate(stretches):
        found += before[number]
        if number not in targets:
            found.append(one)
    return found


def are_mixed(stretches: Sequence[Stretch]) -> bool:
    """Whether lines of columns beside each other, which do not stand level, come in turn where a page is read by its places."""
    mixed = sum(
        one.turns == other.turns
        and not level(one, other)
        and abs(one.y - other.y) < max(one.size, other.size)
        and (one.right < other.left or other.right < one.left)
        for one, other in pairwise(stretches)
    )
    return mixed >= FEWEST
