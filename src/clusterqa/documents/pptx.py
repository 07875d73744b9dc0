"""PPTX → the words of its slides, in the order in which they lie on them; a slide is a page."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from clusterqa.documents import tables
from clusterqa.documents.charts import add_chart, drawn_over
from clusterqa.documents.docx_numbers import written
from clusterqa.documents.drawing import DIAGRAM, NEW_CHART, is_hidden, is_struck, of_diagram, words
from clusterqa.documents.extract import Extract, TextBuilder, first_heading, left_out, one_line, unknown_signs
from clusterqa.documents.metadata import Metadata, language_of
from clusterqa.documents.packages import ZIP_BROKEN, parsed, refuse_zip_bomb, transitional
from clusterqa.documents.symbols import UNKNOWN
from clusterqa.errors import UnreadableDocument
from clusterqa.records import Page

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_HOLDERS = frozenset({f"{_P}spTree", f"{_P}grpSp"})
_SHAPES = frozenset(f"{_P}{name}" for name in ("sp", "grpSp", "graphicFrame", "pic", "cxnSp"))
MOST_SHAPES = 300
"""On a slide or in a group; more are a drawing, whose shapes stay in their order."""
SLACK = 0.1
"""Share of the smaller of two boxes by which they may lie over each other and still stand one after the other."""


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a presentation. Raises UnreadableDocument for one that is broken.

    The title of a slide is a heading; what stands at the foot of every slide, or is drawn on their master, comes once.
    Hidden slides are left out; they, speaker's notes, comments and pictures are named in warnings.
    """
    refuse_zip_bomb(raw, document)
    import pptx
    from lxml import etree

    try:
        return _read(pptx.Presentation(io.BytesIO(transitional(raw))))  # parts are looked for as they are come to
    except (KeyError, ValueError, TypeError, AttributeError, OSError, *ZIP_BROKEN, etree.LxmlError,
            pptx.exc.PythonPptxError) as error:  # fmt: skip
        raise UnreadableDocument(
            document, f"It is no whole presentation ({one_line(str(error))[:120]}).",
            "Open it in PowerPoint or LibreOffice and save it as PPTX again.",
        ) from error  # fmt: skip


def _read(deck: Any) -> Extract:
    builder = TextBuilder()
    pages: list[Page] = []
    hidden: list[str] = []
    noted: list[str] = []
    seen = {"pictures": 0, "charts": 0, "files": 0, "beside": 0}
    told: set[str] = set()
    comments = struck = 0
    for number, slide in enumerate(deck.slides, start=1):
        if slide._element.get("show") in ("0", "false"):
            hidden.append(str(number))
            continue
        start = builder.new_page()
        _Slide(slide, number, builder, seen, told).read()
        pages.append(Page(len(pages) + 1, str(number), start, builder.length()))
        if slide.has_notes_slide and any(
            shape.has_text_frame and shape.text_frame.text.strip() and not _is_frame(shape)
            for shape in slide.notes_slide.shapes
        ):
            noted.append(str(number))
        comments += _comments(slide)
        struck += sum(is_struck(run) and bool("".join(run.itertext()).strip()) for run in slide._element.iter(f"{_A}r"))
    warnings = []
    if hidden:
        warnings.append(f"Hidden slides that are not read: {', '.join(hidden)}.")
    if noted:
        warnings.append(f"Slides whose speaker's notes are not read: {', '.join(noted)}.")
    if comments:
        warnings.append(f"Comments that are not read: {comments}.")
    if seen["beside"]:
        warnings.append(f"Texts that lie beside their slides and are not read: {seen['beside']}.")
    warnings += left_out(seen["pictures"], seen["charts"], seen["files"], struck)
    properties = deck.core_properties
    text = builder.text()
    warnings += unknown_signs(text.count(UNKNOWN))
    title = one_line(properties.title or "")
    generic = title.lower() in ("", "powerpoint presentation", "„powerpoint“ pateiktis", "presentation", "pateiktis")
    metadata = Metadata(
        title=(first_heading(text, builder.blocks) or None) if generic else title,
        language=language_of(properties.language or ""),
    )
    return Extract(text, tuple(builder.blocks), metadata, tuple(pages), tuple(warnings))


class _Slide:
    """
    Reads one slide into `builder`; counts in `seen` what it cannot read, and keeps in `told` what stands on every slide.
    """

    def __init__(self, slide: Any, number: int, builder: TextBuilder, seen: dict[str, int], told: set[str]) -> None:
        self.slide = slide
        self.told = told
        self.level = 1 if number == 1 else 2
        self.builder = builder
        self.seen = seen

    def read(self) -> None:
        """The title, then all shapes as they are read, then what the slide's layout and master draw on it."""
        _unwrap(self.slide.shapes._spTree)
        title = self.slide.shapes.title
        if title is not None:
            self.builder.add("heading", one_line(" ".join(map(words, title._element.iter(f"{_A}p")))), self.level)
        for shape in _as_read(list(self.slide.shapes)):
            if self._is_beside(shape):
                self.seen["beside"] += any(said.text for said in shape._element.iter(f"{_A}t"))
            elif title is None or shape._element is not title._element:
                self._shape(shape)
        layout = self.slide.slide_layout
        behind = [layout, layout.slide_master] if _shows_behind(layout) else [layout]
        for sheet in behind if _shows_behind(self.slide) else []:
            _unwrap(sheet.shapes._spTree)
            for shape in _flat(sheet.shapes):
                if shape.has_text_frame and not shape.is_placeholder:
                    self._tell_once(shape)

    def _is_beside(self, shape: Any) -> bool:
        """Whether a shape lies wholly outside the slide, where its author keeps remarks and what was taken off."""
        box, deck = _box(shape), self.slide.part.package.presentation_part.presentation
        wide, high = deck.slide_width, deck.slide_height
        if box is None or not wide or not high:
            return False
        return box[0] >= wide or box[1] >= high or box[2] <= 0 or box[3] <= 0

    def _tell_once(self, shape: Any) -> None:
        for paragraph in shape.text_frame.paragraphs:
            said = one_line(words(paragraph._p))
            if any(c.isalnum() for c in said) and said not in self.told:
                self.told.add(said)
                self.builder.add("paragraph", said)

    def _shape(self, shape: Any) -> None:
        if is_hidden(shape._element):
            return
        self.seen["pictures"] += shape._element.find(f"{_P}spPr/{_A}blipFill/{_A}blip") is not None
        if getattr(shape, "shapes", None) is not None and shape.shape_type is not None and hasattr(shape, "shapes"):
            for inner in _as_read(list(shape.shapes)):
                self._shape(inner)
        elif shape.has_text_frame:
            if _is_frame(shape):
                if shape.placeholder_format.type.name != "SLIDE_NUMBER":
                    self._tell_once(shape)
                return
            listed = shape.is_placeholder
            counts: dict[int, int] = {}
            styles = self._list_styles(shape)
            for paragraph in shape.text_frame.paragraphs:
                text = words(paragraph._p)
                several = len(shape.text_frame.paragraphs) > 1
                drawn = _bullet(paragraph._p, paragraph.level, styles)
                mark = _number(drawn, paragraph.level, counts) if text.strip() else ""
                item = bool(mark) or (listed and several)
                self.builder.add("list_item" if item else "paragraph", text, paragraph.level if item else 0, mark=mark)
        elif getattr(shape, "has_table", False) and shape.has_table:
            self._table(shape.table)
        elif getattr(shape, "has_chart", False) and shape.has_chart:
            over = drawn_over(shape.chart.part)
            self.seen["charts"] += not add_chart(self.builder, shape.chart._chartSpace, over)
        elif shape._element.tag.endswith("}pic"):
            self.seen["pictures"] += 1
        elif shape._element.tag.endswith("}graphicFrame"):
            diagram = next(shape._element.iter(DIAGRAM), None)
            if next(shape._element.iter(NEW_CHART), None) is not None:
                self.seen["charts"] += 1
            elif diagram is None:
                self.seen["files"] += 1
            else:
                self._diagram(diagram)

    def _list_styles(self, shape: Any) -> list[Any]:
        """What says how the items of a shape look: itself, then what it has its place from on the layout and the master."""
        found = [shape._element.find(f".//{_A}lstStyle")]
        if shape.is_placeholder:
            layout = self.slide.slide_layout
            place = shape.placeholder_format
            for other in layout.placeholders:
                if other.placeholder_format.idx == place.idx:
                    found.append(other._element.find(f".//{_A}lstStyle"))
            for other in layout.slide_master.placeholders:
                if other.placeholder_format.type == place.type or (
                    place.type in _BODIES and other.placeholder_format.type in _BODIES
                ):
                    found.append(other._element.find(f".//{_A}lstStyle"))
            if place.type in _BODIES:
                found.append(layout.slide_master._element.find(f"{_P}txStyles/{_P}bodyStyle"))
        return [style for style in found if style is not None]

    def _diagram(self, element: Any) -> None:
        """The words of a SmartArt drawing, a paragraph for each shape."""
        for said in of_diagram(parsed(self.slide.part.related_part(element.get(f"{_R}dm")).blob)):
            self.builder.add("paragraph", said)

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
                    text = _cell_text(properties)
                    made = tables.Cell(text, column, column + max(1, properties.gridSpan), _is_bold(properties))
                above[column] = made
                line.append(made)
            grid.append(line)
        texts = [cell.text for cell in grid[0]] if grid else []
        drawn = table.first_row and len(grid) > 1 and tables.may_be_header(texts)
        joined = False
        for row in tables.laid_out(grid, 1 if drawn else tables.header_rows(grid)):
            joined = tables.add_row(self.builder, row, joined)


def _cell_text(cell: Any) -> str:
    """The words of a cell, its items with their numbers."""
    counts: dict[int, int] = {}
    parts = []
    for paragraph in cell.iter(f"{_A}p"):
        if text := words(paragraph).strip():
            properties = paragraph.find(f"{_A}pPr")
            level = int(properties.get("lvl", "0")) if properties is not None else 0
            parts.append(f"{_number(_bullet(paragraph, level, []), level, counts)} {text}")
    return one_line(" ".join(parts))


def _unwrap(parent: Any) -> None:
    """Put the shapes that are stored twice, for new and for old programs, in their place: the new form where it has any."""
    for both in list(parent.iter(f"{_MC}AlternateContent")):
        forms = [form for form in both if any(child.tag in _SHAPES for child in form)]
        if both.getparent() is not None and both.getparent().tag in _HOLDERS and forms:
            for shape in forms[0]:
                both.addprevious(shape)
            both.getparent().remove(both)


def _flat(shapes: Any) -> Iterator[Any]:
    """The shapes that are seen, those inside groups too."""
    for shape in shapes:
        if is_hidden(shape._element):
            continue
        if shape._element.tag == f"{_P}grpSp":
            yield from _flat(shape.shapes)
        else:
            yield shape


def _as_read(shapes: list[Any]) -> list[Any]:
    """
    Shapes in the order in which they were drawn, but for one that stands clearly above another, or left of it on its level:
    that comes first.
    """
    boxes = [_box(shape) for shape in shapes]
    if len(shapes) > MOST_SHAPES:
        return shapes
    before = [{n for n, other in enumerate(boxes) if other and box and _goes_before(other, box)} for box in boxes]
    found: list[int] = []
    waiting = list(range(len(shapes)))
    while waiting:
        chosen = next((n for n in waiting if not before[n]), waiting[0])
        waiting.remove(chosen)
        found.append(chosen)
        for others in before:
            others.discard(chosen)
    return [shapes[n] for n in found]


def _box(shape: Any) -> tuple[int, int, int, int] | None:
    """Left, top, right and bottom of a shape that stands upright, where the file says it."""
    left, top, width, height = shape.left, shape.top, shape.width, shape.height
    if left is None or top is None or not width or not height or getattr(shape, "rotation", None):
        return None
    return left, top, left + width, top + height


def _goes_before(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether a box stands above another, both in one column, or left of it, both on one level."""

    def lies(side: int, share: float) -> bool:
        """Before it from left to right (0) or from the top (1), with a common stretch of some share of the shorter across."""
        across = 1 - side
        common = min(one[across + 2], other[across + 2]) - max(one[across], other[across])
        shorter = min(box[across + 2] - box[across] for box in (one, other))
        overlap = min(box[side + 2] - box[side] for box in (one, other)) * SLACK
        return one[side + 2] <= other[side] + overlap and common > share * shorter

    return lies(1, 0.3) or lies(0, 0.5)


def _frame() -> frozenset[Any]:
    from pptx.enum.shapes import PP_PLACEHOLDER

    return frozenset({PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER})


_FRAME = _frame()


def _bodies() -> frozenset[Any]:
    from pptx.enum.shapes import PP_PLACEHOLDER

    return frozenset({PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT})


_BODIES = _bodies()
"""Placeholders whose items look as the master says of the text of slides."""


def _is_frame(shape: Any) -> bool:
    """Whether it is the number, the date, the head or the foot of a slide."""
    return bool(shape.is_placeholder and shape.placeholder_format.type in _FRAME)


def _shows_behind(sheet: Any) -> bool:
    """Whether the shapes of the sheet behind a slide or a layout are drawn on it."""
    return sheet._element.get("showMasterSp") not in ("0", "false")


def _comments(slide: Any) -> int:
    """How many comments are pinned to a slide; each is an element `cm`, a reply is one too in newer files."""
    parts = [r.target_part for r in slide.part.rels.values() if not r.is_external and r.reltype.endswith("/comments")]
    return sum(e.tag.endswith("}cm") for part in parts for e in parsed(part.blob).iter() if isinstance(e.tag, str))


def _is_bold(cell: Any) -> bool:
    runs = [run for run in cell.iter(f"{_A}r") if "".join(run.itertext(f"{_A}t")).strip()]
    return bool(runs) and all(
        (properties := run.find(f"{_A}rPr")) is not None and properties.get("b") in ("1", "true") for run in runs
    )


_NUMBERS = {
    "arabic": "decimal", "alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}  # fmt: skip
_AROUND = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}"}


def _bullet(paragraph: Any, level: int, styles: list[Any]) -> Any | None:
    """What says which number is drawn before a paragraph: itself, or the first of the styles that says anything of its level."""
    for properties in [paragraph.find(f"{_A}pPr"), *(style.find(f"{_A}lvl{level + 1}pPr") for style in styles)]:
        for child in properties if properties is not None else ():
            if child.tag in (f"{_A}buNone", f"{_A}buChar", f"{_A}buBlip", f"{_A}buAutoNum"):
                return child if child.tag == f"{_A}buAutoNum" else None
    return None


def _number(drawn: Any | None, level: int, counts: dict[int, int]) -> str:
    """
    The number that PowerPoint draws before a paragraph, "" for none; `counts` has the numbers above it, by level.
    """
    for deeper in [known for known in counts if known > level]:
        del counts[deeper]
    kind = re.match(r"([a-z]+(?:Lc|Uc)?)([A-Z]\w*)\Z", drawn.get("type", "")) if drawn is not None else None
    if drawn is None or kind is None or kind[1] not in _NUMBERS or kind[2] not in _AROUND:
        counts.pop(level, None)
        return ""
    start = drawn.get("startAt", "1")
    counts[level] = counts.get(level, (int(start) if re.fullmatch(r"\d{1,5}", start) else 1) - 1) + 1
    return _AROUND[kind[2]].format(written(counts[level], _NUMBERS[kind[1]]))
