"""XLSX → the rows of its sheets as they are shown, each with the names of its columns; a sheet is a page."""

from __future__ import annotations

import io
import re
import zipfile
from bisect import bisect_left
from dataclasses import replace
from itertools import chain, pairwise
from typing import Any

from clusterqa.documents import tables
from clusterqa.documents.charts import SHAPES, add_chart
from clusterqa.documents.drawing import DIAGRAM, NEW_CHART, of_diagram, seen, unescaped, words
from clusterqa.documents.extract import Extract, TextBuilder, is_page_number, left_out, one_line, unknown_signs
from clusterqa.documents.figures import shown
from clusterqa.documents.metadata import Metadata, language_of
from clusterqa.documents.packages import ZIP_BROKEN, parsed, refuse_zip_bomb, relations, transitional
from clusterqa.documents.symbols import UNKNOWN, in_font, low, raised
from clusterqa.errors import UnreadableDocument
from clusterqa.records import Page

MAX_CELLS = 1_000_000
MOST_TITLES = 3
"""So many rows of one cell above a table are its titles."""
MAX_MERGED = 200_000
"""Cells that are merged with others; the library makes each of them as it opens the workbook."""

_BROKEN = (
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    OSError,
    StopIteration,
    *ZIP_BROKEN,
    SyntaxError,
)


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a workbook. Raises UnreadableDocument for one that is broken or has more than `MAX_CELLS` cells.

    Formulas count with the value that was stored for them. Charts and text boxes come after the rows of their sheet,
    headers and footers last. Hidden sheets, rows and columns are left out; they, pictures, comments and formulas
    without a value are named in warnings.
    """
    refuse_zip_bomb(raw, document)
    import openpyxl

    try:
        raw = transitional(raw)
        _refuse_merged(raw, document)
        book = openpyxl.load_workbook(io.BytesIO(raw), data_only=True, rich_text=True, keep_links=False)
        parts = _Parts(raw)
    except _BROKEN as error:
        raise UnreadableDocument(
            document, f"It is no whole spreadsheet ({one_line(str(error))[:120]}).",
            "Open it in Excel or LibreOffice and save it as XLSX again.",
        ) from error  # fmt: skip
    if sum(len(sheet._cells) for sheet in book.worksheets) > MAX_CELLS:
        raise UnreadableDocument(document, f"It has more than {MAX_CELLS:,} cells.", "Split it into several documents.")
    builder = TextBuilder()
    pages: list[Page] = []
    hidden: list[str] = []
    comments = charts = unseen = missing = struck = alike = rules = 0
    told: set[str] = set()
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            hidden.append(sheet.title)
            continue
        start = builder.new_page()
        unseen += _sheet(sheet, builder, parts.pictured(sheet.title))
        charts += parts.add_drawings(sheet.title, builder)
        _margins(sheet, builder, told)
        pages.append(Page(len(pages) + 1, one_line(sheet.title), start, builder.length()))
        struck += sum(_is_struck(cell) or _seen(cell.value, struck=True) != "" for cell in sheet._cells.values())
        alike += sum(map(_is_alike, sheet._cells.values()))
        rules += sum(map(_writes_otherwise, chain.from_iterable(kept.rules for kept in sheet.conditional_formatting)))
        comments += sum(cell.comment is not None for cell in sheet._cells.values())
        missing += parts.without_value(sheet.title)
    for chart in book.chartsheets:
        if chart.sheet_state != "visible":
            hidden.append(chart.title)
            continue
        start = builder.new_page()
        charts += parts.add_drawings(chart.title, builder)
        pages.append(Page(len(pages) + 1, one_line(chart.title), start, builder.length()))
    warnings = []
    if hidden:
        warnings.append(f"Hidden sheets that are not read: {', '.join(hidden)}.")
    if unseen:
        warnings.append(f"Hidden rows and columns that are not read: {unseen}.")
    warnings += left_out(parts.pictures, charts, parts.files, struck, alike=alike)
    if rules:
        warnings.append(
            f"Conditional formats that hide values, or write them otherwise, and are not followed: {rules}."
        )
    warnings += unknown_signs(builder.text().count(UNKNOWN))
    if comments:
        warnings.append(f"Comments that are not read: {comments}.")
    if missing:
        warnings.append(
            f"Formulas without a stored value, which are left out: {missing}. Open it in Excel and save it again."
        )
    properties = book.properties
    metadata = Metadata(title=one_line(properties.title or "") or None, language=language_of(properties.language or ""))
    return Extract(builder.text(), tuple(builder.blocks), metadata, tuple(pages), tuple(warnings))


_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']")


def _refuse_merged(raw: bytes, document: str) -> None:
    """Raise UnreadableDocument for a workbook in which more than `MAX_MERGED` cells are merged."""
    from openpyxl.utils import column_index_from_string as column

    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
    merged = 0
    for left, top, right, bottom in (area for sheet in sheets for area in _MERGED.findall(sheet)):
        wide = 1 + abs(column(right.decode()) - column(left.decode()))
        merged += wide * (1 + abs(int(bottom) - int(top)))
    if merged > MAX_MERGED:
        raise UnreadableDocument(
            document, f"More than {MAX_MERGED:,} of its cells are merged.",
            "Take the merging of cells out in Excel, and save it again.",
        )  # fmt: skip


_NO_VALUE = re.compile(
    rb"<(?:\w+:)?c\b[^>]*>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)?\s*"
    rb"</(?:\w+:)?c>"
)
_PICTURED = re.compile(rb"<(?:\w+:)?c\b(?=[^>]*\svm=\")(?=[^>]*\st=\"e\")[^>]*?\sr=\"([A-Z]{1,3}\d{1,7})\"")
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_C = f"{{{_DRAWING}/chart}}"
_A = f"{{{_DRAWING}/main}}"
_XDR = f"{{{_DRAWING}/spreadsheetDrawing}}"


class _Parts:
    """The parts of a workbook that openpyxl leaves out: drawings with their text, charts, formulas beside their values."""

    def __init__(self, raw: bytes) -> None:
        self.archive = zipfile.ZipFile(io.BytesIO(raw))
        self.pictures = self.files = 0
        """In the sheets whose drawings were added."""
        workbook = next(name for kind, name in relations(self.archive, "").values() if kind == "officeDocument")
        named = relations(self.archive, workbook)
        # Not every sheet: openpyxl also takes one in another namespace, and gives one of two with the same name a new one.
        self.sheets = {
            sheet.get("name"): named[sheet.get(f"{_R}id")][1]
            for sheet in parsed(self.archive.read(workbook)).iter()
            if isinstance(sheet.tag, str) and sheet.tag.endswith("}sheet") and sheet.get(f"{_R}id") in named
        }

    def without_value(self, title: str) -> int:
        """How many formulas of a sheet have no stored value."""
        part = self.sheets.get(title)
        return len(_NO_VALUE.findall(self.archive.read(part))) if part else 0

    def pictured(self, title: str) -> set[str]:
        """The cells of a sheet that show a picture, which stands in them as an error; they are counted."""
        part = self.sheets.get(title)
        found = {name.decode() for name in _PICTURED.findall(self.archive.read(part))} if part else set()
        self.pictures += len(found)
        return found

    def add_drawings(self, title: str, builder: TextBuilder) -> int:
        """Append the text boxes and the charts of a sheet, from the top; returns how many charts are not read."""
        unread = 0
        part = self.sheets.get(title)
        boxes = self._boxes(part) if part else {}
        for kind, drawing in relations(self.archive, part).values() if part else ():
            self.files += kind in ("oleObject", "package")
            if kind != "drawing":
                continue
            related = relations(self.archive, drawing)
            for anchor in sorted(parsed(self.archive.read(drawing)), key=_place):
                shown_here = list(seen(anchor))
                for paragraph in (e for e in shown_here if e.tag == f"{_A}p"):
                    named = next((s.find(f"*/{_XDR}cNvPr") for s in paragraph.iterancestors(f"{_XDR}sp")), None)
                    box = boxes.pop(named.get("id"), "") if named is not None else ""
                    builder.add("paragraph", f"{box} {words(paragraph)}")
                for diagram in (e for e in shown_here if e.tag == DIAGRAM):
                    _, data = related.get(diagram.get(f"{_R}dm"), ("", ""))
                    if data not in self.archive.namelist():
                        self.files += 1
                        continue
                    for said in of_diagram(parsed(self.archive.read(data))):
                        builder.add("paragraph", said)
                for chart in (e for e in shown_here if e.tag in (f"{_C}chart", NEW_CHART)):
                    _, drawn = related.get(chart.get(f"{_R}id"), ("", ""))
                    unread += not (drawn in self.archive.namelist() and self._add_chart(drawn, builder))
                self.pictures += sum(e.tag == f"{_XDR}pic" for e in shown_here)
        return unread

    def _add_chart(self, part: str, builder: TextBuilder) -> bool:
        """Append a chart with the text boxes inside it; whether it could be read."""
        over = [name for kind, name in relations(self.archive, part).values() if kind == SHAPES]
        shapes = [parsed(self.archive.read(name)) for name in over if name in self.archive.namelist()]
        return add_chart(builder, parsed(self.archive.read(part)), next(iter(shapes), None))

    def _boxes(self, part: str) -> dict[str, str]:
        """The boxes to tick on a sheet, ticked or not, by the number of the shape that has their label."""
        related = relations(self.archive, part)
        found = {}
        for control in parsed(self.archive.read(part)).iter("{*}control"):
            kind, name = related.get(control.get(f"{_R}id"), ("", ""))
            if kind == "ctrlProp" and name in self.archive.namelist():
                field = parsed(self.archive.read(name))
                if field.get("objectType") in ("CheckBox", "Radio"):
                    found[control.get("shapeId", "")] = "☒" if field.get("checked") == "Checked" else "☐"
        return found


def _place(anchor: Any) -> tuple[int, int]:
    """The row and the column where a drawing begins."""
    start = anchor.find(f".//{_XDR}from")
    if start is None:
        return (0, 0)
    row, column = (start.findtext(f"{_XDR}{name}") or "0" for name in ("row", "col"))
    return (int(row), int(column))


def _margins(sheet: Any, builder: TextBuilder, told: set[str]) -> None:
    """What headers and footers say on the printed sheet, beside page numbers and the like; each text once."""
    margins = [sheet.oddHeader, sheet.oddFooter]
    margins += [sheet.firstHeader, sheet.firstFooter] if sheet.HeaderFooter.differentFirst else []
    margins += [sheet.evenHeader, sheet.evenFooter] if sheet.HeaderFooter.differentOddEven else []
    for margin in margins:
        for part in (margin.left, margin.center, margin.right):
            said = one_line(re.sub(r"&(?:\[\w+\]|K[0-9A-Fa-f]{6}|K\d\d[+-]\d{3}|[A-Z])", " ", part.text or ""))
            if not is_page_number(said) and said not in told:
                told.add(said)
                builder.add("paragraph", said)


def _sheet(sheet: Any, builder: TextBuilder, pictured: set[str]) -> int:
    """
    Add the tables of a sheet: rows up to an empty one belong together; a row of one cell is a heading above them; `pictured` are the
    cells that show a picture. Returns how many rows and columns with something in them are hidden.
    """
    merged: dict[tuple[int, int], Any] = {}
    for area in sheet.merged_cells.ranges:
        for row in range(area.min_row, area.max_row + 1):
            for column in range(area.min_col, area.max_col + 1):
                merged[row, column] = (area.min_row, area.min_col, area.max_col - area.min_col + 1)
    # Neighbours that are hidden together are stored as one, under the first letter.
    hidden = [kept for kept in sheet.column_dimensions.values() if kept.hidden or kept.width == 0]
    unseen = {column for kept in hidden for column in range(kept.min or 0, (kept.max or 0) + 1)}
    rows: dict[int, list[Any]] = {}
    covered: dict[tuple[int, int], tables.Cell] = {}
    # Only the cells that there are: a sheet may hold a few that lie far apart.
    for (number, _), cell in sorted(sheet._cells.items()):
        rows.setdefault(number, []).append(cell)
    group: list[list[tables.Cell]] = []
    first = before = hidden_rows = 0
    hidden_columns: set[int] = set()
    hidden_numbers = {number for number, kept in sheet.row_dimensions.items() if kept.hidden or kept.height == 0}
    for number, held in rows.items():
        if number in hidden_numbers:
            hidden_rows += any(cell.value is not None for cell in held)
            continue
        cells: list[tables.Cell] = []
        for cell in held:
            if cell.column in unseen:
                hidden_columns |= {cell.column} if cell.value is not None else set()
                continue
            top, left, wide = merged.get((number, cell.column), (number, cell.column, 1))
            if cell.column != left or cell.coordinate in pictured:
                continue
            origin = sheet.cell(top, left)
            value = _seen(origin.value)
            if value == 0 and sheet.sheet_view.showZeros is False:
                continue
            if (text := shown(value, origin.number_format or "General")) and not (
                _is_struck(origin) or _is_alike(origin)
            ):
                bold = bool(origin.font and origin.font.b)
                text = in_font(text, (origin.font and origin.font.name) or "")
                made = tables.Cell(text, cell.column, cell.column + wide, bold)
                cells.append(covered.setdefault((top, left), made))
        if not cells:
            continue
        if any(between not in hidden_numbers for between in range(before + 1, number)):
            _table(sheet, group, first, builder)
            group = []
        if not group:
            first = number
        group.append(cells)
        before = number
    _table(sheet, group, first, builder)
    return hidden_rows + len(hidden_columns)


def _seen(value: Any, struck: bool = False) -> Any:
    """
    What is seen of a cell's value: of letters with looks of their own, those that are not struck out, raised figures as such.
    With `struck`, the others.
    """
    from openpyxl.cell.rich_text import CellRichText, TextBlock

    if isinstance(value, str):
        return "" if struck else unescaped(value)
    if not isinstance(value, CellRichText):
        return "" if struck else value
    parts = []
    for part in value:
        font = part.font if isinstance(part, TextBlock) else None
        text = part.text if isinstance(part, TextBlock) else str(part)
        text = in_font(text, (font and font.rFont) or "")
        if font is not None and font.vertAlign == "superscript":
            text = raised(text) or text
        elif font is not None and font.vertAlign == "subscript":
            text = low(text)
        if bool(font is not None and font.strike) == struck:
            parts.append(unescaped(text))
    return "".join(parts)


def _is_struck(cell: Any) -> bool:
    return cell.value is not None and bool(cell.font and cell.font.strike)


def _is_alike(cell: Any) -> bool:
    """Whether the words of a cell have the colour of its ground: white ones on nothing, or the colour that fills it."""
    color = cell.font and cell.font.color
    if cell.value is None or color is None or color.type != "rgb":
        return False
    fill = cell.fill
    if fill.fill_type is None:  # the style of a table, or a condition, may lay a ground under it
        sheet = cell.parent
        return color.rgb[2:] == "FFFFFF" and not (sheet.tables or sheet.conditional_formatting or sheet._images)
    ground = fill.fgColor if fill.fill_type == "solid" else None
    if ground is None or ground.type != "rgb" or ground.rgb == "00000000":  # as it stands where none is given
        return False
    return bool(ground.rgb[2:] == color.rgb[2:])


def _writes_otherwise(rule: Any) -> bool:
    """Whether a rule of a conditional format shows no values, white ones, or those of another number format."""
    if any(kind is not None and kind.showValue is False for kind in (rule.iconSet, rule.dataBar)):
        return True
    look = rule.dxf
    color = look.font.color if look is not None and look.font is not None else None
    white = color is not None and color.type == "rgb" and color.rgb[2:] == "FFFFFF" and look.fill is None
    return white or (look is not None and look.numFmt is not None)


def _table(sheet: Any, group: list[list[tables.Cell]], first: int, builder: TextBuilder) -> None:
    """Add rows that follow each other, given by the cells that have text."""
    # A title above the table stands alone in its row; many such rows are a list.
    titles = next((n for n, row in enumerate(group) if len(row) > 1), len(group))
    alone = [cell for (cell,) in group[:titles]]
    for number, cell in enumerate(alone, start=1):
        is_title = number < len(group) and len(cell.text) <= 120 and any(c.isalpha() for c in cell.text)
        if titles > MOST_TITLES or titles == len(group):
            is_title = is_title and cell.bold and not all(other.bold for other in alone)
        builder.add("heading" if is_title else "paragraph", cell.text, 2 if is_title else 0)
    group = _filled(group[titles:])
    first += titles
    if not group:
        return
    stated = {
        int(re.sub(r"\D", "", table.ref.split(":")[0]) or 0) for table in sheet.tables.values() if table.headerRowCount
    }
    if sheet.auto_filter.ref:
        stated.add(int(re.sub(r"\D", "", sheet.auto_filter.ref.split(":")[0]) or 0))
    headed = int(first in stated) or tables.header_rows(group)
    headed = headed or int(tables.names_columns([[cell.text for cell in row] for row in group]))
    wide = max(row[-1].end for row in group)
    for upper, lower in pairwise(group[:headed]):
        _reach_on(upper, lower)
    for line in group[:headed]:  # a sheet has its columns, also where they have no name
        line += _empty(line[-1].end, wide) if len(line) > 1 else []
    joined = False
    for row in tables.laid_out(group, headed):
        joined = tables.add_row(builder, row, joined)


def _reach_on(upper: list[tables.Cell], lower: list[tables.Cell]) -> None:
    """A name stands over the empty cells behind it too, where the names below come again: 2023, "", 2024, "" over Kaina, Kiekis twice."""
    names = [cell.text for cell in lower if cell.text]
    if len(names) == len(set(names)) or len(upper) < 2:
        return
    upper += _empty(upper[-1].end, lower[-1].end)
    before = ""
    for number, (cell, below) in enumerate(zip(upper, lower, strict=False)):
        if cell.text or not below.text:
            before = cell.text
        elif before:
            upper[number] = replace(cell, text=before)


def _filled(group: list[list[tables.Cell]]) -> list[list[tables.Cell]]:
    """
    The rows on the columns that any of them uses, with an empty cell in each of these up to their last; without these where
    they would be too many.
    """
    used = sorted({cell.start for row in group for cell in row})
    own = sum(map(len, group))
    placed: dict[int, tables.Cell] = {}  # a cell merged over rows stays one
    group = [
        [
            placed.setdefault(
                id(cell), replace(cell, start=bisect_left(used, cell.start), end=bisect_left(used, cell.end))
            )
            for cell in row
        ]
        for row in group
    ]
    if not tables.may_repeat(sum(row[-1].end for row in group), own):
        return group
    filled = []
    for row in group:
        line: list[tables.Cell] = []
        for cell in row:
            line += _empty(line[-1].end if line else 0, cell.start)
            line.append(cell)
        filled.append(line)
    return filled


def _empty(start: int, end: int) -> list[tables.Cell]:
    return [tables.Cell("", column, column + 1) for column in range(start, end)]
