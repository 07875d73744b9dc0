"""RTF → its text, paragraph by paragraph, as striprtf gives it: rows of tables, but no headings and no lists."""

from __future__ import annotations

import re

from clusterqa.documents import tables
from clusterqa.documents.encoding import mojibake
from clusterqa.documents.extract import Extract, TextBuilder, left_out, one_line
from clusterqa.documents.metadata import Metadata
from clusterqa.documents.symbols import raised
from clusterqa.errors import UnreadableDocument

_MARGINS = re.compile(rb"\\(?:(?:header|footer)[lrf]?|footnote|annotation)\b")
_NOT_READ = (
    "Headers, footers, notes and comments of an RTF document are not read, and this one has some. Save it as DOCX to have "
    "them read."
)
_BOXES = re.compile(rb"\\(?:shptxt|dptxbxtext)\b")
_BOXES_NOT_READ = (
    "Text boxes of an RTF document are not read, and this one has some. Save it as DOCX to have them read."
)
_TITLE = re.compile(rb"\{\\title\s+([^\\{}]+)\}")


_TOKEN = re.compile(
    r"\\(?P<word>[a-z]{1,32})(?P<value>-?\d{1,10})?[ ]?|\\'(?P<hex>[0-9a-f]{2})|\\(?P<sign>[^a-z])|(?P<brace>[{}])|[\r\n]+|(?P<letter>.)",
    re.IGNORECASE | re.DOTALL,
)
_LETTERS = frozenset("u tab line emdash endash bullet lquote rquote ldblquote rdblquote emspace enspace".split())
"""Words that stand for a letter."""


def _as_seen(source: str) -> str:
    """
    The source without hidden and deleted text, with the numbers of items, with raised figures as raised letters („5²“ is not „52“), and letters that stand in it
    as bare bytes as the escapes that the reader decodes.
    """
    hidden = high = False
    outer: list[tuple[bool, bool]] = []
    parts: list[str] = []
    for token in _TOKEN.finditer(source):
        word, value, letter = token["word"], token["value"], token["letter"]
        if token["brace"] == "{":
            outer.append((hidden, high))
        elif token["brace"] and outer:
            hidden, high = outer.pop()
        elif word in ("v", "deleted"):
            hidden = value != "0"
        elif word == "plain":
            hidden = high = False
        elif word in ("super", "up"):
            high = value != "0"
        elif word in ("nosupersub", "sub"):
            high = False
        drawn = letter or token["hex"] or word in _LETTERS or token["sign"] in ("~", "-", "_", "\\", "{", "}")
        if hidden and drawn:
            continue
        if letter and letter > "\x7f":
            parts.append(f"\\'{ord(letter):02x}")
        elif letter and high:
            parts.append(raised(letter) or letter)
        elif word == "pntext":  # the number of an item, as older programs write it
            parts.append("\\listtext ")
        else:
            parts.append(token[0])
    return "".join(parts)


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an RTF document. Raises UnreadableDocument for one that is broken.

    Its words are read, and the rows of its tables; headings and lists are paragraphs. Hidden text is left out. Headers, footers, notes and
    pictures are left out, and a warning names them.
    """
    from striprtf.striprtf import rtf_to_text

    try:
        text = rtf_to_text(_as_seen(raw.decode("latin-1")), errors="replace")
    except (ValueError, OverflowError, LookupError, AttributeError, TypeError) as error:
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
            joined = False
            for row in tables.laid_out(grid, tables.header_rows(grid)):
                joined = tables.add_row(builder, row, joined)
            table = []
        builder.add("paragraph", line.strip())
    warnings = mojibake(builder.text(), document)
    warnings += left_out(pictures=len(re.findall(rb"\\pict\b", raw)), files=len(re.findall(rb"\\object\b", raw)))
    if _MARGINS.search(raw):
        warnings.append(_NOT_READ)
    if _BOXES.search(raw):
        warnings.append(_BOXES_NOT_READ)
    title = _TITLE.search(raw)
    metadata = Metadata(title=one_line(title[1].decode("ascii", "ignore")) or None if title else None)
    return Extract(builder.text(), tuple(builder.blocks), metadata, warnings=tuple(warnings))
