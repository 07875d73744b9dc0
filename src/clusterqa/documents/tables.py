"""
Rows of cells → lines of text that know their columns: the same for every format that has tables.

Cells stand on a grid of columns; one that is merged over several columns, or several rows, says its text in each.
A first row is a header only where the file says so or the rows below it show it: what is taken for a header by mistake
could never be quoted.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise

from clusterqa.documents.extract import TextBuilder

BAR = " | "
BULLET = "•"
"""Stands before an item of a list in a cell, where all words run on."""

LONGEST_NAME = 300
"""Letters; a row with a longer cell names no columns: each row below would carry it."""

MOST_REPEATED = 20
"""
So many times as many cells as a table has (and `FEW_CELLS`) may the cells that its merged ones repeat be; in a table of more
they say their text once.
"""

FEW_CELLS = 2_000

NEAR = 100
"""Twentieths of a point; edges of cells so near to each other are one. No column is so narrow, as its margins alone are wider."""

OFTEN = 0.1
"""Share of the rows below a header that make an edge of their cells one of the table's columns."""

LONGEST_UPPER = 60
"""Letters; what is longer is a text and no name above other names."""

MOST_HEADED = 3
"""So many rows of names at most stand above one that counts the columns."""

_OWN_BAR = re.compile(r"(?<!\S)[ ]?\|[ ]?(?!\S)|[ ]\|[ ]")
"""A bar inside a cell that would be taken for one between cells."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The text of a cell and the columns of the grid it covers, `[start, end)`."""

    text: str
    start: int
    end: int
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """
    A row as it is stored: its cells between bars, and the names of the table's columns, in the same order.

    Empty cells at its end are left out; those at its beginning keep their bars. Where it cannot be known which columns its
    cells stand in, it has no names.
    """

    text: str
    header: str
    is_header: bool = False


def laid_out(rows: Sequence[Sequence[Cell]], headed: int) -> list[Row]:
    """The rows of a table whose first `headed` rows are its header; a row of one cell says it once."""
    headed = whole_header(rows, headed)
    edges = _edges(rows, headed)
    edge_set = frozenset(edges)
    own = sum(len({id(cell) for cell in row}) for row in rows)
    repeats = may_repeat(sum(bisect_left(edges, row[-1].end) for row in rows if len(row) > 1), own)
    heads = [row for row in rows[:headed] if len(row) > 1]
    names = (
        [_joined(column) for column in zip(*(_aligned(row, edges) for row in heads), strict=True)] if repeats else []
    )

    @cache  # rows of one shape share one header
    def header(columns: int) -> str:
        return lined(names[:columns])

    named_to = max((row[-1].end for row in heads), default=0)
    known = True
    found = []
    for number, row in enumerate(rows):
        fits = repeats and len(row) > 1 and edge_set.issuperset(_places(row)) and _side_by_side(row)
        cells = _aligned(row, edges) if fits else [cell.text for cell in row]
        is_header = number < headed and len(row) > 1  # a title across the table is a row of its own
        # Where a row is longer than the header, a cell too many may stand anywhere in it.
        is_named = known and fits and not is_header and not any(cell.text and cell.start >= named_to for cell in row)
        found.append(Row(lined(cells), header(bisect_left(edges, row[-1].end)) if is_named else "", is_header))
        known = known and not (number >= headed and _may_rename(rows, number))
    return found


def lined(cells: Sequence[str]) -> str:
    """Cells as one line with bars between them, without the empty ones at the end."""
    last = next((number for number in range(len(cells), 0, -1) if cells[number - 1]), 0)
    return BAR.join(_OWN_BAR.sub("\u00a0|\u00a0", cell) for cell in cells[:last]).lstrip(" ")


def snapped(rows: Sequence[Sequence[Cell]], near: int = NEAR) -> list[list[Cell]]:
    """
    The rows with the edges of their cells counted from 0, where edges of at most `near` from the first of them are one: a
    border that was drawn a little aside makes no column. Empty cells between such edges are left out.
    """
    counts: dict[int, int] = {}
    first, count = None, -1
    for place in sorted({place for row in rows for cell in row for place in (cell.start, cell.end)}):
        if first is None or place - first > near:
            first, count = place, count + 1
        counts[place] = count
    made: dict[int, Cell] = {}
    found = []
    for row in rows:
        line = []
        for cell in row:
            start, end = counts[cell.start], counts[cell.end]
            if start < end:
                line.append(made.setdefault(id(cell), replace(cell, start=start, end=end)))
            elif cell.text:
                return snapped(rows, 0) if near else [list(row) for row in rows]
        found.append(line)
    return found


def drawn(rows: Sequence[Sequence[Cell]], places: Sequence[int]) -> list[list[Cell]]:
    """
    The rows on the columns that a person sees, where `places` says in twentieths of a point where those of the grid begin and the
    last ends; as they are where they reach beyond.
    """
    if any(cell.end >= len(places) for row in rows for cell in row):
        return [list(row) for row in rows]
    made: dict[int, Cell] = {}  # a cell merged over rows stays one
    return snapped(
        [[made.setdefault(id(c), replace(c, start=places[c.start], end=places[c.end])) for c in row] for row in rows]
    )


def whole_header(rows: Sequence[Sequence[Cell]], headed: int) -> int:
    """How many rows are the header in truth, where `headed` are said to be."""
    # A name that is merged with a cell below it shows that the row below belongs to the header.
    while 0 < headed < len(rows) - 1:
        above = {id(cell) for cell in rows[headed - 1]}
        if not any(cell.text and id(cell) in above for cell in rows[headed]):
            break
        headed += 1
    # So do names right below a wider one, where figures stand below them.
    if 0 < headed < len(rows) - 1 and any(_parts(cell, rows[headed]) for cell in rows[headed - 1] if cell.text):
        below, *rest = [[cell.text for cell in row] for row in rows[headed:]]
        headed += shows_header(below, [row for row in rest if len(row) == len(below)])
    if not any(cell.text for row in rows[headed:] for cell in row):
        return 0  # a header with nothing below it is all that there is to quote
    if any(len(cell.text) > LONGEST_NAME for row in rows[:headed] if len(row) > 1 for cell in row):
        return 0
    return headed


def _edges(rows: Sequence[Sequence[Cell]], headed: int) -> list[int]:
    """
    Where the columns of a table begin, and where the last ends: as the header has them, as a row has them that parts those
    further, and as many rows agree. Without a header, as the row of the most cells has them.
    """
    if not any(len(row) > 1 for row in rows[:headed]):
        return sorted(_places(max(rows, key=len, default=())))
    base = frozenset().union(*(_places(row) for row in rows[:headed] if len(row) > 1))
    shapes = Counter(_places(row) for row in rows[headed:] if len(row) > 1)
    often: Counter[int] = Counter()
    for places, count in shapes.items():
        often.update(dict.fromkeys(places, count))
    enough = max(2, OFTEN * shapes.total())
    found = base | {place for place, count in often.items() if count >= enough}
    return sorted(found.union(*(places for places in shapes if places >= base)))


def _places(row: Sequence[Cell]) -> frozenset[int]:
    """Where the cells of a row begin and end."""
    return frozenset(place for cell in row for place in (cell.start, cell.end))


def _side_by_side(row: Sequence[Cell]) -> bool:
    return all(cell.start < cell.end for cell in row) and all(a.end <= b.start for a, b in pairwise(row))


def _parts(cell: Cell, row: Sequence[Cell]) -> bool:
    """Whether a cell stands above several of a row."""
    return sum(cell.start <= other.start and other.end <= cell.end for other in row) > 1


def _may_rename(rows: Sequence[Sequence[Cell]], number: int) -> bool:
    """Whether a row further down may name the columns anew: it alone is bold among its neighbours, and has no figures."""
    above, row, below = (rows[n] if 0 <= n < len(rows) else () for n in (number - 1, number, number + 1))
    names = len(row) > 1 and _is_bold(row) and all(cell.text and not re.search(r"\d", cell.text) for cell in row)
    return names and bool(below) and not _is_bold(below) and not _is_bold(above)


def _is_bold(row: Sequence[Cell]) -> bool:
    return all(cell.bold for cell in row if cell.text) and any(cell.text for cell in row)


def may_repeat(cells: int, own: int) -> bool:
    """Whether a table of `own` cells may be so many `cells` once its merged ones are repeated."""
    return cells <= MOST_REPEATED * own + FEW_CELLS


def add_row(builder: TextBuilder, row: Row, joined: bool) -> bool:
    """
    Append a row; `joined` says whether a row of the same table stands right before it. Returns what it is for the next row.

    A header row stays in the document but is never quoted.
    """
    if row.is_header:
        builder.add_uncovered(row.text)
    else:
        builder.add("table_row", row.text, header=row.header, joined=joined)
    return joined or bool(row.text)


def _aligned(row: Sequence[Cell], edges: Sequence[int]) -> list[str]:
    """The texts of a row, one for each column between the edges, "" where it has no cell."""
    texts = [""] * (len(edges) - 1)
    for cell in row:
        for column in range(bisect_left(edges, cell.start), bisect_left(edges, cell.end)):
            texts[column] = cell.text
    return texts


def _joined(texts: object) -> str:
    return " ".join(dict.fromkeys(text for text in texts if text))  # type: ignore[attr-defined]


_VALUE = re.compile(r"@|\d{5}|\+\d|\d[\d\s().-]{6,}\d")
"""What stands in no header: an address for e-mail, a telephone number, a code."""


def may_be_header(cells: Sequence[str]) -> bool:
    """Whether a row that is drawn as a header can be one: no cell beside the first holds somebody's telephone or code."""
    return not any(_VALUE.search(cell) for cell in cells[1:])


def shows_header(first: Sequence[str], rest: Sequence[Sequence[str]]) -> bool:
    """
    Whether figures show that a row is the header of those below: it has none, and some column below has nothing else.

    With two columns, where a list of names and values looks much alike, the figures must also be of one kind
    ("600 EUR", "1 200 EUR").
    """
    years = _are_years(first[1:]) and not any(_are_years(row[1:]) for row in rest)
    if len(rest) < 2 or len(first) < 2 or not all(first[1:]) or (not years and any(re.search(r"\d", c) for c in first)):
        return False
    columns: list[list[str]] = [[] for _ in first]
    for row in rest:
        for column, text in zip(columns, row, strict=False):
            if text:
                column.append(text)
    for below in columns[1:]:
        if len(below) < 2 or not all(re.match(r"\D{0,3}\d", text) for text in below):
            continue
        if len(first) > 2 or len({_shape(text) for text in below}) == 1:
            return True
    return False


def _goes_below(names: Sequence[Sequence[Cell]], rest: Sequence[Sequence[Cell]]) -> bool:
    """
    Whether the last of some rows of names is one too, though nothing marks them: figures stand below it, none in it, and it stands
    below empty cells or begins with one, as no row of values does.
    """
    *above, last = names
    texts = [cell.text for cell in last]
    below_empty = any(not one.text and other.text for row in above for one, other in zip(row, last, strict=False))
    if any(_has_figures(cell.text) or len(cell.text) > LONGEST_UPPER for row in above for cell in row):
        return False
    return (not texts[0] or below_empty) and shows_header(
        texts, [[cell.text for cell in row] for row in rest if len(row) > 1]
    )


def _has_figures(text: str) -> bool:
    """Whether a text has figures that are no year."""
    return bool(re.search(r"\d", _YEAR.sub("", text)))


_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


def _counts(row: Sequence[Cell]) -> bool:
    """Whether the cells of a row count its columns, three at least."""
    return len(row) > 2 and [cell.text.rstrip(".") for cell in row] == [str(n + 1) for n in range(len(row))]


def _are_years(cells: Sequence[str]) -> bool:
    """Whether cells are years in their order, two at least, as a header may have them."""
    found = [int(cell[:4]) for cell in cells if re.fullmatch(r"(?:19|20)\d\d(?:\s?m\.)?", cell)]
    steps = {b - a for a, b in pairwise(found)}
    return len(found) == len(cells) > 1 and len(steps) == 1 and 0 < abs(steps.pop()) <= 10


def _shape(text: str) -> str:
    return re.sub(r"\d(?:[\d.,\s\u00a0\u202f]*\d)?", "9", text)


def header_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """
    How many rows from the top are a header where the file does not say: 1 for a bold row alone, one that is merged over and with
    the cells of the next, or shown by figures; down to a row that counts the columns (1, 2, 3 …).

    A row of one cell on top is a title; it counts with the header below it.
    """
    top = next((i for i, row in enumerate(rows) if len(row) > 1), len(rows))
    if top + 1 >= len(rows):
        return 0
    for number in range(top + 1, min(top + 1 + MOST_HEADED, len(rows) - 1)):
        if _counts(rows[number]) or _goes_below(rows[top : number + 1], rows[number + 1 :]):
            return number + 1
    figures = any(re.match(r"\D{0,3}\d", cell.text) for row in rows[top : top + 2] for cell in row)
    if parts_below(rows[top], rows[top + 1]) and not figures:
        return top + 1
    row, rest = rows[top], [row for row in rows[top + 1 :] if len(row) > 1]
    texts = [cell.text for cell in row]
    alone = _is_bold(row) and not any(all(cell.bold for cell in other if cell.text) for other in rest)
    if (alone and rest and may_be_header(texts)) or shows_header(texts, [[c.text for c in other] for other in rest]):
        return top + 1
    return 0


def parts_below(row: Sequence[Cell], below: Sequence[Cell]) -> bool:
    """Whether a row has a cell over several of the next, beside one that is merged with its own, as two rows of names have."""
    down = {id(cell) for cell in row if cell.text} & {id(cell) for cell in below}
    return bool(down) and any(_parts(cell, below) for cell in row if cell.text)


def names_columns(rows: Sequence[Sequence[str]]) -> bool:
    """
    Whether the first row of a sheet or of a CSV file names the columns: every cell a different name without a figure,
    in three columns or more, or shown by the figures below.
    """
    if len(rows) < 2:
        return False
    first = rows[0]
    named = all(first) and len(set(first)) == len(first) and not any(re.search(r"\d{3}|@", cell) for cell in first)
    return named and (len(first) > 2 or shows_header(first, rows[1:]))
