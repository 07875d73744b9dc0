"""CSV → one row a line, each with the names of its columns."""

from __future__ import annotations

import csv
import io

from clusterqa.documents import encoding, tables
from clusterqa.documents.extract import Extract, TextBuilder, one_line

_SAMPLE = 20_000
"""Characters from which the sign between the cells is told."""


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a table whose cells stand between commas, semicolons, tabs or bars. Raises UnreadableDocument for what is no
    text. The first row is the header where it names the columns and the rows below hold figures, or has three names.
    """
    text, warnings = encoding.decode(raw, document)
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff(text[:_SAMPLE], delimiters=";,\t|")
    except csv.Error:  # one column, or signs that do not come back in every row
        dialect = csv.excel
        first = text.split("\n", 1)[0]
        dialect.delimiter = max(",;\t|", key=first.count)
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))  # of the process: never lowered
    found = [[one_line(cell) for cell in row] for row in csv.reader(io.StringIO(text, newline=""), dialect)]
    rows = [row for row in found if any(row)]
    grid = [[tables.Cell(cell, n, n + 1) for n, cell in enumerate(row)] for row in rows]
    builder = TextBuilder()
    joined = False
    for row in tables.laid_out(grid, int(tables.names_columns(rows))):
        joined = tables.add_row(builder, row, joined)
    return Extract(builder.text(), tuple(builder.blocks), warnings=tuple(warnings))
