"""
DOCX → text and blocks, from the document's XML in body order.

python-docx opens the package and knows the styles; the walk is our own, because its paragraphs leave out what
lies in content controls and text boxes, and its rows repeat merged cells.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import Any

from clusterqa.documents.encoding import mojibake
from clusterqa.documents.extract import Extract, TextBuilder, one_line
from clusterqa.documents.metadata import Metadata, language_of
from clusterqa.errors import UnreadableDocument

MAX_UNZIPPED_BYTES = 200_000_000
MAX_RATIO = 200
"""Unzipped size over zipped size; documents of plain words stay below 30."""

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"

# Built-in style names as Word writes them in English and Lithuanian, LibreOffice in both.
_HEADING_STYLE = re.compile(r"(?:heading|antraštė|antraste)\s*([1-9])\b", re.IGNORECASE)
_TITLE_STYLE = re.compile(r"(?:title|pavadinimas|antraštė)\Z", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"(?:toc|contents|turinys|turinio)\s*(?:\d|heading|antraštė)", re.IGNORECASE)
_LIST_STYLE = re.compile(r"(?:list|sąrašas|sąrašo)\b", re.IGNORECASE)
_NO_TITLE = re.compile(
    r"(?:untitled|be pavadinimo|word document|microsoft word.*|dokumentas ?\d*|document ?\d*)\Z", re.I
)


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a Word document. Raises UnreadableDocument for one that is broken, holds no text, or would unzip to
    too much.

    The text holds the document's own words only: the numbers and bullets that Word draws are not in it.
    Changes that were tracked count as accepted; hidden text, tables of contents and field codes are left out.
    """
    _refuse_zip_bomb(raw, document)
    import docx
    from lxml import etree

    try:
        package = docx.Document(io.BytesIO(raw))
        reader = _Reader(package)
        reader.walk(package.element.body)
        properties = package.core_properties
        title, language, modified = properties.title, properties.language, properties.modified
    except (
        KeyError,
        ValueError,
        AttributeError,
        IndexError,
        OSError,
        zipfile.BadZipFile,
        etree.LxmlError,
    ) as error:
        raise UnreadableDocument(
            document,
            f"It is no whole Word document ({one_line(str(error))[:120] or type(error).__name__}).",
            "Open it in Word or LibreOffice and save it as DOCX again.",
        ) from error
    except docx.opc.exceptions.OpcError as error:
        raise UnreadableDocument(
            document, "Parts of the Word document are missing.", "Copy it from its source again."
        ) from error
    builder = reader.builder
    if not builder.blocks:
        raise UnreadableDocument(
            document,
            "There is no text in it.",
            "If it holds pictures of pages, save it as PDF and recognise the text: ocrmypdf -l lit+eng.",
        )
    text = builder.text()
    warnings = mojibake(text, document)
    title = one_line(title or "")
    heading = next((text[b.start : b.end] for b in builder.blocks if b.kind == "heading"), "")
    metadata = Metadata(
        title=title if title and not _NO_TITLE.match(title) else one_line(heading) or None,
        language=language_of(language) if language else None,
        date=modified.date().isoformat() if modified else None,
    )
    return Extract(text, tuple(builder.blocks), metadata, warnings=tuple(warnings))


def _refuse_zip_bomb(raw: bytes, document: str) -> None:
    # The sizes come from the archive's directory; zipfile never reads more of a member than is stated there.
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        unzipped = sum(member.file_size for member in archive.infolist())
        encrypted = any(member.flag_bits & 1 for member in archive.infolist())
    if encrypted:
        raise UnreadableDocument(document, "It is protected with a password.", "Save it without a password.")
    if unzipped > MAX_UNZIPPED_BYTES or unzipped > MAX_RATIO * len(raw):
        raise UnreadableDocument(
            document,
            f"It would unzip to {unzipped / 1e6:.0f} MB, {unzipped / len(raw):.0f} times its size.",
            "Open it in Word, take out what makes it so large, and save it again.",
        )


class _Reader:
    """Walks one document's body; `builder` holds what was read."""

    def __init__(self, package: Any) -> None:
        self.builder = TextBuilder()
        self.styles = {style.style_id: style for style in package.styles if style.type is not None}
        default = next((s for s in package.styles if s.element.get(f"{_W}default") == "1" and s.type == 1), None)
        self.default_style = default

    def walk(self, parent: Any) -> None:
        """Add the blocks of a body, a cell or a content control."""
        for element in parent:
            if element.tag == f"{_W}p":
                self._paragraph(element)
            elif element.tag == f"{_W}tbl":
                self._table(element)
            elif element.tag == f"{_W}sdt":
                content = element.find(f"{_W}sdtContent")
                if content is not None:
                    self.walk(content)
            elif element.tag in (f"{_W}customXml", f"{_W}ins", f"{_W}moveTo"):
                self.walk(element)

    def _paragraph(self, paragraph: Any) -> None:
        names, outline, listed = self._style(paragraph)
        if any(_CONTENTS_STYLE.match(name) for name in names):
            return
        text = _text(paragraph)
        properties = paragraph.find(f"{_W}pPr")
        if (own := _value(properties, "outlineLvl")) is not None:
            outline = own
        level = self._heading_level(names, outline)
        numbering = properties.find(f"{_W}numPr") if properties is not None else None
        if numbering is not None:
            listed = _value(numbering, "numId") != 0  # 0 takes the numbering of the style away
        if level:
            # Word has nine levels, the contract six.
            self.builder.add("heading", one_line(text), min(level, 6))
        elif listed:
            depth = _value(numbering, "ilvl")
            if depth is None:
                found = re.search(r"\d+\Z", names[0]) if names else None
                depth = int(found[0]) - 1 if found else 0
            self.builder.add("list_item", text, depth)
        else:
            self.builder.add("paragraph", text)
        for box in _text_boxes(paragraph):
            self.walk(box)

    def _heading_level(self, names: list[str], outline: int | None) -> int:
        """The level of a heading from 1, or 0 for other paragraphs."""
        for name in names:
            if found := _HEADING_STYLE.match(name):
                return int(found[1])
            if _TITLE_STYLE.match(name):
                return 1
        return outline + 1 if outline is not None and 0 <= outline < 9 else 0

    def _style(self, paragraph: Any) -> tuple[list[str], int | None, bool]:
        """
        The names of the paragraph's style and of those it is based on, its outline level, whether it is a
        list.
        """
        properties = paragraph.find(f"{_W}pPr")
        reference = properties.find(f"{_W}pStyle") if properties is not None else None
        style = self.styles.get(reference.get(f"{_W}val")) if reference is not None else self.default_style
        names: list[str] = []
        outline: int | None = None
        listed = False
        while style is not None and len(names) < 20:  # a broken file may base styles on each other in a circle
            name = style.name or ""
            names.append(name)
            own = style.element.find(f"{_W}pPr")
            if outline is None:
                outline = _value(own, "outlineLvl")
            listed = listed or bool(_LIST_STYLE.match(name) and not name.lower().startswith("list paragraph"))
            listed = listed or (own is not None and own.find(f"{_W}numPr") is not None)
            style = style.base_style
        return names, outline, listed

    def _table(self, table: Any) -> None:
        rows = [[cell for cell in _inside(row, f"{_W}tc")] for row in _inside(table, f"{_W}tr")]
        if all(len(row) < 2 for row in rows):  # a frame around text, or a column of boxes
            for row in rows:
                for cell in row:
                    self.walk(cell)
            return
        header = ""
        for number, row in enumerate(rows):
            cells = ["" if _continues(cell) else _cell_text(cell) for cell in row]
            line = " | ".join(cells).strip(" |")
            # A title row across the whole table is not the header; the row below it is.
            if not header and len(rows) > number + 1 and len(row) > 1:
                header = line
                self.builder.add_uncovered(line)
            else:
                self.builder.add("table_row", line, header=header, joined=number > 0)


def _inside(parent: Any, tag: str) -> list[Any]:
    """The children with a tag, seen through content controls and tracked changes."""
    found = []
    for child in parent:
        if child.tag == tag:
            found.append(child)
        elif child.tag in (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins"):
            found += _inside(child, tag)
    return found


def _value(properties: Any, name: str) -> int | None:
    element = properties.find(f"{_W}{name}") if properties is not None else None
    text = element.get(f"{_W}val") if element is not None else None
    return int(text) if text and text.lstrip("-").isdigit() else None


def _continues(cell: Any) -> bool:
    """Whether a cell is merged into the one above it."""
    merge = cell.find(f"{_W}tcPr/{_W}vMerge")
    return merge is not None and merge.get(f"{_W}val") != "restart"


def _cell_text(cell: Any) -> str:
    return one_line(" ".join(_text(paragraph) for paragraph in cell.iter(f"{_W}p")))


_SKIPPED = frozenset(
    {f"{_W}{name}" for name in ("del", "moveFrom", "instrText", "delText", "pPr", "rPr", "txbxContent", "rt")}
    | {f"{_MC}Fallback"}
)
_CHARACTERS = {
    "tab": "\t",
    "br": "\n",
    "cr": "\n",
    "noBreakHyphen": "\u2011",
    "softHyphen": "\u00ad",
    "ptab": "\t",
}


def _text(paragraph: Any) -> str:
    """The visible words of a paragraph, text boxes aside."""
    parts: list[str] = []

    def collect(element: Any) -> None:
        for child in element:
            if child.tag in _SKIPPED or not isinstance(child.tag, str):
                continue
            if child.tag == f"{_W}r" and _is_hidden(child):
                continue
            if child.tag == f"{_W}t":
                parts.append(child.text or "")
            elif child.tag.startswith(_W) and (name := child.tag[len(_W) :]) in _CHARACTERS:
                parts.append(" " if child.get(f"{_W}type") in ("page", "column") else _CHARACTERS[name])
            else:
                collect(child)

    collect(paragraph)
    return "".join(parts)


def _is_hidden(run: Any) -> bool:
    vanish = run.find(f"{_W}rPr/{_W}vanish")
    return vanish is not None and vanish.get(f"{_W}val", "1") not in ("0", "false", "off")


def _text_boxes(paragraph: Any) -> list[Any]:
    """The text boxes anchored in a paragraph; each is stored twice, for new and for old programs."""
    return [
        box for box in paragraph.iter(f"{_W}txbxContent") if next(box.iterancestors(f"{_MC}Fallback"), None) is None
    ]
