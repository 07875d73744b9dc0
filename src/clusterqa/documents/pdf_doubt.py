"""
Whether the layout of a PDF page may have been misread: what the text should look like, held against the places of its pieces.

What a person sees side by side is one line of the text or one row of a table, unless it is a line of a column; a line is made of
what belongs together; the text is upright. A page where that is often not so is named, so that somebody compares it with its picture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from itertools import pairwise

from clusterqa.documents.pdf_grid import WIDE_GAP
from clusterqa.documents.pdf_order import (
    FARTHEST_BELOW,
    SHARE,
    Fields,
    Order,
    Stretch,
    TableRow,
    behind,
    fields_of,
    is_right_to_left,
    left_of,
    level,
    lines_of,
    overlap,
)
from clusterqa.documents.tables import BAR

EDGE = 0.1
"""Share of a page's height, at the top and at the bottom, where lines stand side by side that do not belong together."""

FEWEST = 2
"""So many places of a page at least speak against its reading; those in a wrong order are more than `SHARE` of its lines, too."""

LEVEL = 0.6
"""In letter sizes: what stands less higher or lower is seen side by side."""

FEWEST_TURNED = 3
"""So many turned lines at least make a turned table or drawing; one or two are remarks at the edge of a page."""

MOST_LINES = 3
"""What stands side by side has so many lines at most, both together; columns have more."""

FARTHEST_ITEM = 3
"""In letter sizes: so far down at most is the next item of a list; the places of a form, with what belongs in each below it, stand farther apart."""

LEVEL_WITH = 0.25
"""In letter sizes: a value stands so little higher or lower than its label."""

SPACED = 1.5
"""In letter sizes: so far at least stand the labels of a form below each other that end with no colon."""

FEWEST_LABELS = 3
"""So many labels below each other at least make a list of them."""

LONGEST_LABEL = 40
"""Letters."""

COLUMN_CHARACTERS = 18
"""A figure in a column of a table has fewer letters."""

FEWEST_ROWS = 5
"""So many lines of a column must stand beside two others each, for a table that is held column by column."""

DOUBTS = {
    "columns": "Pages with tables that the PDF holds column by column, so that their rows are not put together: {}.",
    "cells": "Pages with tables whose cells may be put together wrongly: {}. Compare them with the page.",
    "turned": "Pages with turned text, whose words and lines may be put together wrongly: {}. Compare it with the page.",
    "order": "Pages whose text may stand in a wrong order: {}. Compare it with the page.",
    "apart": "Pages where texts side by side, such as labels and values, may be read apart: {}. Compare them with the page.",
    "across": "Pages where columns may be read across, as one line: {}. Compare them with the page.",
}
"""Why a page is doubtful, the likeliest reason first, and the warning that names the pages."""

_NUMBER = re.compile(r"\d{1,3}\Z")
"""That of a line or of an item, which may stand apart from it."""
_WORD = re.compile(r"[^\W\d_]{2}")
_LEADER = re.compile(r"(?:[.·…_]\s?){5}")


def doubt(
    rows: Sequence[Sequence[Stretch]], tables: Container[int], found: Order, height: float, turns: int
) -> str | None:
    """
    The reason, of `DOUBTS`, why a page may have been misread, None where nothing speaks for it: its rows in their order, those of a
    number in `tables` read as cells; the page is shown turned by so many quarters.
    """
    read: list[Stretch] = []
    row_of: list[int] = []  # the number of the row, -1 in a table
    for number, row in enumerate(rows):
        lines = lines_of(row)
        read += lines
        row_of += [-1 if number in tables else number] * len(lines)
    if _is_by_columns(read):
        return "columns"
    drawn = [row[0].table for row in rows if row[0].table]
    if any(row.holds_rows for table in drawn for row in table):
        return "cells"
    if sum(_is_odd(above, row) for table in drawn for above, row in pairwise(table)) >= FEWEST:
        return "cells"
    if sum(any(one.turns != turns for one in lines_of(row)) for row in rows) >= FEWEST_TURNED:
        return "turned"
    if is_right_to_left("".join(one.text for one in read)):
        return None

    def is_inside(one: Stretch) -> bool:
        return one.turns > 0 or EDGE * height < one.y < (1 - EDGE) * height

    fields = fields_of(read)
    lengths = _block_lengths(read)

    def is_apart(number: int) -> bool:
        """Whether a stretch is read apart from the one left of it, both in no text of several lines."""
        left = left_of(number, read, fields)
        return (
            left is not None
            and abs(number - left) > 1
            and not level(read[number], read[number - 1])
            and -1 not in (row_of[number], row_of[left])
            and (lengths[number] + lengths[left] <= MOST_LINES or _is_label(read[left].text))
            and abs(read[number].y - read[left].y) < LEVEL * read[number].size
            and not _NUMBER.match(read[left].text)
            and is_inside(read[number])
        )

    if any(-1 not in row_of[start : end + end - start] for start, end in _lists_beside(read)):
        return "apart"
    wide = {n for n, row in enumerate(rows) if n not in tables and is_inside(row[0]) and _is_wide(row)}
    places = {
        "order": found.wrong + sum(_is_between(number, read) for number in range(1, len(read) - 1)),
        "apart": sum(is_apart(number) or _is_cut_off(number, read, row_of, fields) for number in range(len(read))),
        "across": sum(
            (n + 1 in wide or n + 1 in tables)
            and 0 < rows[n][0].y - rows[n + 1][0].y < FARTHEST_BELOW * rows[n][0].size
            for n in wide
        ),
    }
    several = sum(places.values()) >= FEWEST and sum(places.values()) > SHARE * found.pairs
    if several or max(places["apart"], places["across"]) >= FEWEST:
        return max(places, key=lambda why: places[why])
    return None


def _is_by_columns(read: Sequence[Stretch]) -> bool:
    """
    Whether a page has a table of which a column comes apart from its rows: figures below each other that share their
    lines with two other places each.
    """
    columns: list[list[Stretch]] = []
    for stretch in read:
        last = columns[-1][-1] if columns else None
        if last is not None and stretch.y < last.y and abs(stretch.left - last.left) < stretch.size:
            columns[-1].append(stretch)
        else:
            columns.append([stretch])
    lines = Counter(round(stretch.y) for stretch in read)
    return any(
        len(column) > FEWEST_ROWS
        and all(re.search(r"\d", s.text) and len(s.text) < COLUMN_CHARACTERS for s in column[1:])
        and sum(lines[round(s.y)] > 2 for s in column) >= FEWEST_ROWS
        for column in columns
    )


def _is_odd(above: TableRow, row: TableRow) -> bool:
    """
    Whether a drawn row, none of names, says a cell in three columns behind its first, or nothing but cells of the row above: its
    table has lines that part no rows and columns.
    """
    cells, before = row.told.text.split(BAR), above.told.text.split(BAR)
    worded = [_WORD.search(cell) is not None for cell in cells]
    thrice = any(
        worded[n] and cells[n] == cells[n + 1] == cells[n + 2] != cells[n - 1] for n in range(1, len(cells) - 2)
    )
    return not row.told.is_header and (thrice or (any(worded) and set(cells) <= {*before, ""}))


def _is_label(text: str) -> bool:
    """Whether a value belongs to a text; the last line of a paragraph begins with a small letter mostly."""
    return text.endswith(":") and text[0].isupper() and len(text) <= LONGEST_LABEL


def _lists_beside(read: Sequence[Stretch]) -> Iterator[tuple[int, int]]:
    """
    Where a list of short texts is read, and then as many that stand beside it, line by line, as labels and their values do, and
    not the sender and the receiver of a letter; the first of the labels and that of the values.
    """
    for end in range(FEWEST_LABELS, len(read)):
        above, first = read[end - 1 : end + 1]
        if first.y <= above.y or first.left <= above.right:
            continue
        start = next((n for n in range(end - 1, -1, -1) if read[n].y - first.y > -LEVEL_WITH * first.size), -1)
        lines = end - start
        if start < 0 or lines < FEWEST_LABELS or end + lines > len(read):
            continue
        pairs = list(zip(read[start:end], read[end : end + lines], strict=True))
        apart = min(one.y - other.y for one, other in pairwise(read[start:end])) > SPACED * above.size
        named = 2 * sum(label.text.endswith(":") for label, _ in pairs) > lines
        goes_on = end + lines < len(read) and _is_next_line(read[end + lines - 1], read[end + lines])
        if (
            (apart or named)
            and not goes_on
            and all(
                abs(label.y - value.y) < LEVEL_WITH * label.size
                and value.left > label.right
                and len(label.text) <= LONGEST_LABEL
                and len(value.text) <= LONGEST_LABEL
                and not (label.text[0].islower() or value.text[0].islower())
                for label, value in pairs
            )
        ):
            yield start, end


def _is_between(number: int, read: list[Stretch]) -> bool:
    """Whether a line of another column stands between two that stand below each other."""
    above, one, below = read[number - 1 : number + 2]
    return (
        above.turns == one.turns == below.turns
        and abs(above.left - below.left) < below.size
        and above.y - LEVEL * above.size > one.y > below.y + LEVEL * below.size
        and above.y - below.y < FARTHEST_ITEM * below.size
        and (one.right < min(above.left, below.left) or one.left > max(above.right, below.right))
    )


def _block_lengths(read: Sequence[Stretch]) -> list[int]:
    """For each stretch how many lines the text has that it is one of: each stands close below the one that was read before it."""
    lengths: list[int] = []
    start = 0
    for number in range(1, len(read) + 1):
        if number == len(read) or not _is_next_line(read[number - 1], read[number]):
            lengths += [number - start] * (number - start)
            start = number
    return lengths


def _is_next_line(one: Stretch, below: Stretch) -> bool:
    near = 0 < one.y - below.y < FARTHEST_BELOW * max(one.size, below.size)
    return one.turns == below.turns and near and overlap(one, below) > 0


def _is_cut_off(number: int, read: list[Stretch], row_of: list[int], fields: Fields) -> bool:
    """Whether something that is a line of its own begins right behind the end of a stretch, as marks and parts of formulas do."""
    one = read[number]
    return any(
        row_of[n] != row_of[number]
        and -0.3 < (read[n].left - one.right) / max(one.size, read[n].size) < 0.4
        and 0.05 < abs(read[n].y - one.y) / max(one.size, read[n].size) < 0.75
        for n in behind(number, read, fields)
    )


def _is_wide(row: Sequence[Stretch]) -> bool:
    """Whether texts with words stand far from each other in a row."""
    worded = [one for one in row if _WORD.search(one.text) and not _LEADER.search(one.text)]
    return any(other.left - one.right > WIDE_GAP * other.size for one, other in pairwise(worded))
