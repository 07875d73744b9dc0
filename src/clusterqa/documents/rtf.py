"""RTF → its text, paragraph by paragraph, as striprtf gives it: rows of tables, but no headings and no lists."""

from __future__ import annotations

import re

from clusterqa.documents import tables
from clusterqa.documents.encoding import mojibake
from clusterqa.documents.extract import Extract, TextBuilder, one_line
from clusterqa.documents.metadata import Metadata
from clusterqa.errors import UnreadableDocument

_NOT_READ = (("Pictures", rb"\\pict\b"), ("Embedded files", rb"\\object\b"))
_TITLE = re.compile(rb"\{\\title\s+([^\\{}]+)\}")


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an RTF document. Raises UnreadableDocument for one that is broken.

    Its words are read, and the rows of its tables; headings and lists are paragraphs. Headers, footers, notes and
    pictures are left out, and a warning names them.
    """
    from striprtf.striprtf import rtf_to_text

    try:
        text = rtf_to_text(raw.decode("latin-1"), errors="replace")
    except (ValueError, IndexError, KeyError, LookupError, AttributeError) as error:
        raise UnreadableDocument(
            document, "It is no whole RTF document.", "Open it in Word or LibreOffice and save it as DOCX."
        ) from error
    builder = TextBuilder()
    table: list[list[str]] = []
    for line in [*re.split(r"[\r\n]+", text), ""]:
        if line.rstrip().endswith("|"):
            table.append([one_line(cell) for cell in line.rstrip().removesuffix("|").split("|")])
            continue
        if table:
            grid = [[tables.Cell(cell, n, n + 1) for n, cell in enumerate(row)] for row in table]
            for number, row in enumerate(tables.laid_out(grid, tables.header_rows(grid))):
                if row.is_header:
                    builder.add_uncovered(row.text)
                else:
                    builder.add("table_row", row.text, header=row.header, joined=number > 0)
            table = []
        builder.add("paragraph", line.strip())
    counts = [(what, len(re.findall(pattern, raw))) for what, pattern in _NOT_READ]
    warnings = mojibake(builder.text(), document)
    if told := ", ".join(f"{what} {number}" for what, number in counts if number):
        warnings.append(f"What is written in them is not read: {told}. Look whether it says anything of its own.")
    margins = {rb"\\(?:header|footer)[lrf]?\b": "headers or footers", rb"\\footnote\b": "notes", rb"\\annotation\b": "comments"}
    if left := [what for pattern, what in margins.items() if re.search(pattern, raw)]:
        warnings.append(f"Not read from the RTF document: {', '.join(left)}. Save it as DOCX to have them read.")
    title = _TITLE.search(raw)
    metadata = Metadata(title=one_line(title[1].decode("ascii", "ignore")) or None if title else None)
    return Extract(builder.text(), tuple(builder.blocks), metadata, warnings=tuple(warnings))
