"""CSV → one row a line, each with the names of its columns."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter

from clusterqa.documents import encoding, tables
from clusterqa.documents.extract import Extract, TextBuilder, one_line

_SAMPLE = 20_000
"""Characters from which the sign between the cells is told."""

_SIGNS = ";\t|,"
"""Between cells, the surest first: a comma also stands inside figures and names."""

ALIKE = 0.9
"""Share of rows with as many cells from which a sign is the one between them."""

_FORMULA = re.compile(r'\A="([^"]*)"\Z')
"""How Excel is told that figures are letters: a code keeps the zeros before it."""

_TOLD = re.compile(r"sep=([^\r\n\"])\r?\n", re.IGNORECASE)
"""How Excel is told the sign; the line is no row."""


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a table whose cells stand between commas, semicolons, tabs or bars. Raises UnreadableDocument for what is no
    text. The first row is the header where it names the columns and the rows below hold figures, or has three names.
    """
    text, warnings = encoding.decode(raw, document)
    told = _TOLD.match(text)
    sign = told[1] if told else _sign(text[:_SAMPLE])
    found = _rows(text[told.end() :] if told else text, sign)
    rows = [row for row in ([one_line(_FORMULA.sub(r"\1", cell)) for cell in row] for row in found) if any(row)]
    builder = TextBuilder()
    # A title above the table stands alone in its row; a name beside an empty one may be a header's.
    titles = next((n for n, row in enumerate(rows) if sum(map(bool, row)) > 1), 0)
    if any(len(row) > 1 for row in rows[:titles]) and not tables.names_columns(rows[titles:]):
        titles = 0
    for title in rows[:titles]:
        builder.add("paragraph", " ".join(filter(None, title)))
    rows = rows[titles:]
    grid = [[tables.Cell(cell, n, n + 1) for n, cell in enumerate(row)] for row in rows]
    joined = False
    for row in tables.laid_out(grid, tables.header_rows(grid) or int(tables.names_columns(rows))):
        joined = tables.add_row(builder, row, joined)
    return Extract(builder.text(), tuple(builder.blocks), warnings=tuple(warnings))


def _rows(text: str, sign: str) -> list[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))  # of the process: never lowered
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=sign, skipinitialspace=True))


def _sign(sample: str) -> str:
    """The sign that gives the most rows as many cells; where several give nearly all, the surest of them."""
    shares = {}
    for sign in _SIGNS:
        rows = [row for row in _rows(sample, sign) if row]
        rows = rows[:-1] if len(rows) > 1 else rows  # the last may be cut off
        width, count = Counter(map(len, rows)).most_common(1)[0] if rows else (1, 0)
        shares[sign] = count / len(rows) if width > 1 else 0.0
    best = max(shares.values())
    if not best:  # one column, or a single row that is wider than the others
        return max(reversed(_SIGNS), key=sample.split("\n", 1)[0].count)
    return next(sign for sign in _SIGNS if shares[sign] >= min(ALIKE, best))
