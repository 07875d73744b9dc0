"""PPTX → the words of its slides, in the order in which they lie on them; a slide is a page."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from clusterqa.documents import tables
from clusterqa.documents.extract import Extract, TextBuilder, first_heading, left_out, one_line
from clusterqa.documents.formulas import omml
from clusterqa.documents.metadata import Metadata, language_of
from clusterqa.documents.packages import refuse_zip_bomb
from clusterqa.errors import UnreadableDocument
from clusterqa.records import Page

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a presentation. Raises UnreadableDocument for one that is broken.

    The title of a slide is a heading. Hidden slides are left out; they, speaker's notes, pictures and charts are named
    in warnings.
    """
    refuse_zip_bomb(raw, document)
    import pptx
    from lxml import etree

    try:
        deck = pptx.Presentation(io.BytesIO(raw))
        slides = list(deck.slides)
    except (KeyError, ValueError, AttributeError, OSError, zipfile.BadZipFile, etree.LxmlError,
            pptx.exc.PythonPptxError) as error:  # fmt: skip
        raise UnreadableDocument(
            document, f"It is no whole presentation ({one_line(str(error))[:120]}).",
            "Open it in PowerPoint or LibreOffice and save it as PPTX again.",
        ) from error  # fmt: skip
    builder = TextBuilder()
    pages: list[Page] = []
    hidden: list[str] = []
    noted: list[str] = []
    seen = {"pictures": 0, "charts": 0, "files": 0}
    for number, slide in enumerate(slides, start=1):
        if slide._element.get("show") in ("0", "false"):
            hidden.append(str(number))
            continue
        start = builder.new_page()
        _Slide(slide, number, builder, seen).read()
        pages.append(Page(len(pages) + 1, str(number), start, builder.length()))
        if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None and frame.text.strip():
            noted.append(str(number))
    warnings = []
    if hidden:
        warnings.append(f"Hidden slides that are not read: {', '.join(hidden)}.")
    if noted:
        warnings.append(f"Slides whose speaker's notes are not read: {', '.join(noted)}.")
    warnings += left_out(seen["pictures"], seen["charts"], seen["files"])
    properties = deck.core_properties
    text = builder.text()
    title = one_line(properties.title or "")
    generic = title.lower() in ("", "powerpoint presentation", "„powerpoint“ pateiktis", "presentation", "pateiktis")
    metadata = Metadata(
        title=(first_heading(text, builder.blocks) or None) if generic else title,
        language=language_of(properties.language or ""),
    )
    return Extract(text, tuple(builder.blocks), metadata, tuple(pages), tuple(warnings))


class _Slide:
    """Reads one slide into `builder`; counts in `seen` what it cannot read."""

    def __init__(self, slide: Any, number: int, builder: TextBuilder, seen: dict[str, int]) -> None:
        self.slide = slide
        self.level = 1 if number == 1 else 2
        self.builder = builder
        self.seen = seen

    def read(self) -> None:
        """The title, then all shapes in their order."""
        title = self.slide.shapes.title
        if title is not None:
            self.builder.add("heading", one_line(" ".join(map(_text, title._element.iter(f"{_A}p")))), self.level)
        for shape in self.slide.shapes:
            if title is None or shape.shape_id != title.shape_id:
                self._shape(shape)

    def _shape(self, shape: Any) -> None:
        if getattr(shape, "shapes", None) is not None and shape.shape_type is not None and hasattr(shape, "shapes"):
            for inner in shape.shapes:
                self._shape(inner)
        elif shape.has_text_frame:
            # The number, the date and the foot of a slide come back on every one.
            if shape.is_placeholder and shape.placeholder_format.type in _FRAME:
                return
            listed = shape.is_placeholder
            for paragraph in shape.text_frame.paragraphs:
                text = _text(paragraph._p)
                several = len(shape.text_frame.paragraphs) > 1
                self.builder.add(
                    "list_item" if listed and several else "paragraph",
                    text,
                    paragraph.level if listed and several else 0,
                )
        elif getattr(shape, "has_table", False) and shape.has_table:
            self._table(shape.table)
        elif getattr(shape, "has_chart", False) and shape.has_chart:
            self.seen["charts"] += 1
        elif shape._element.tag.endswith("}pic"):
            self.seen["pictures"] += 1
        elif shape._element.tag.endswith("}graphicFrame"):
            self.seen["files"] += 1

    def _table(self, table: Any) -> None:
        grid: list[list[tables.Cell]] = []
        above: dict[int, tables.Cell] = {}
        for row in table.rows:
            line: list[tables.Cell] = []
            for column, cell in enumerate(row.cells):
                properties = cell._tc
                if properties.hMerge:
                    continue
                if properties.vMerge and column in above:
                    made = above[column]
                else:
                    text = one_line(" ".join(map(_text, properties.iter(f"{_A}p"))))
                    made = tables.Cell(text, column, column + max(1, properties.gridSpan), _is_bold(properties))
                above[column] = made
                line.append(made)
            grid.append(line)
        texts = [cell.text for cell in grid[0]] if grid else []
        drawn = table.first_row and len(grid) > 1 and tables.may_be_header(texts)
        joined = False
        for row in tables.laid_out(grid, 1 if drawn else tables.header_rows(grid)):
            joined = tables.add_row(self.builder, row, joined)


def _frame() -> frozenset[Any]:
    from pptx.enum.shapes import PP_PLACEHOLDER

    return frozenset({PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER})


_FRAME = _frame()


def _is_bold(cell: Any) -> bool:
    runs = [run for run in cell.iter(f"{_A}r") if "".join(run.itertext(f"{_A}t")).strip()]
    return bool(runs) and all(
        (properties := run.find(f"{_A}rPr")) is not None and properties.get("b") in ("1", "true") for run in runs
    )


def _text(paragraph: Any) -> str:
    return "".join(_parts(paragraph))


def _parts(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_A}t":
            yield child.text or ""
        elif child.tag == f"{_A}br":
            yield "\n"
        elif child.tag in (f"{_M}oMath", f"{_M}oMathPara"):
            yield omml(child)
        elif child.tag != f"{_MC}Fallback" and not (child.tag == f"{_A}fld" and child.get("type") == "slidenum"):
            yield from _parts(child)
