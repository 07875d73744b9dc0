"""
Rows of cells → lines of text that know their columns: the same for every format that has tables.

Cells stand on a grid of columns; one that is merged over several columns, or several rows, says its text in each.
A first row is a header only where the file says so or the rows below it show it: what is taken for a header by mistake
could never be quoted.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from clusterqa.documents.extract import TextBuilder

BAR = " | "

LONGEST_NAME = 300
"""Letters; a row with a longer cell names no columns: each row below would carry it."""

MOST_REPEATED = 20
"""
So many times as many cells as a table has (and `FEW_CELLS`) may the cells that its merged ones repeat be; in a table of more
they say their text once.
"""

FEW_CELLS = 2_000


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
    A row as it is stored: its cells between bars, and those of the header above them (as many, in the same order).

    Where the row begins with empty cells, the header begins with the first column that the row has.
    """

    text: str
    header: str
    is_header: bool = False


def laid_out(rows: Sequence[Sequence[Cell]], headed: int) -> list[Row]:
    """The rows of a table whose first `headed` rows are its header; a row of one cell says it once."""
    widest = max(rows, key=len, default=())
    middles = [(cell.start + cell.end) / 2 for cell in widest]
    own = sum(len({id(cell) for cell in row}) for row in rows)
    repeats = may_repeat(sum(_covered(cell, middles) for row in rows for cell in row), own)
    # A name that is merged with a cell below it shows that the row below belongs to the header.
    while 0 < headed < len(rows) - 1:
        above = {id(cell) for cell in rows[headed - 1]}
        if not any(cell.text and id(cell) in above for cell in rows[headed]):
            break
        headed += 1
    if not any(cell.text for row in rows[headed:] for cell in row):
        headed = 0  # a header with nothing below it is all that there is to quote
    if any(len(cell.text) > LONGEST_NAME for row in rows[:headed] if len(row) > 1 for cell in row):
        headed = 0
    heads = [_aligned(row, middles, repeats) for row in rows[:headed] if len(row) > 1]
    names = [_joined(head[i] for head in heads if i < len(head)) for i in range(len(middles))] if heads else []

    @cache  # rows of one shape share one header
    def named(first: int, last: int) -> str:
        return BAR.join(names[first:last]).rstrip(BAR).lstrip()

    found = []
    for number, row in enumerate(rows):
        cells = _aligned(row, middles, repeats)
        first = next((i for i, text in enumerate(cells) if text), 0)
        header = named(first, len(cells)) if len(cells) > 1 else ""
        is_header = number < headed and len(row) > 1  # a title across the table is a row of its own
        found.append(Row(BAR.join(cells).strip(BAR), "" if is_header else header, is_header))
    return found


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


def _covered(cell: Cell, middles: Sequence[float]) -> int:
    """How many columns a cell covers, given where the middle of each is; one at least."""
    return max(1, bisect_left(middles, cell.end) - bisect_left(middles, cell.start))


def _aligned(row: Sequence[Cell], middles: Sequence[float], repeats: bool) -> list[str]:
    """The texts of a row, one for each column of the table; one cell across all of them stands once."""
    if len(row) in (1, len(middles)):
        return [cell.text for cell in row]
    before = [""] * (bisect_left(middles, row[0].start) if row else 0)
    return before + [cell.text for cell in row for _ in range(_covered(cell, middles) if repeats else 1)]


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
    if len(rest) < 2 or len(first) < 2 or any(re.search(r"\d", cell) for cell in first) or not all(first[1:]):
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


def _shape(text: str) -> str:
    return re.sub(r"\d(?:[\d.,\s\u00a0\u202f]*\d)?", "9", text)


def header_rows(rows: Sequence[Sequence[Cell]]) -> int:
    """
    How many rows from the top are a header where the file does not say: 1 for a bold row alone, or shown by figures.

    A row of one cell on top is a title; it counts with the header below it.
    """
    top = next((i for i, row in enumerate(rows) if len(row) > 1), len(rows))
    if top + 1 >= len(rows):
        return 0
    row, rest = rows[top], [row for row in rows[top + 1 :] if len(row) > 1]
    texts = [cell.text for cell in row]
    bold = all(cell.bold for cell in row if cell.text) and any(cell.text for cell in row)
    alone = bold and not any(all(cell.bold for cell in other if cell.text) for other in rest)
    if (alone and rest and may_be_header(texts)) or shows_header(texts, [[c.text for c in other] for other in rest]):
        return top + 1
    return 0


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
