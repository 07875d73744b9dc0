"""XLSX → the rows of its sheets as they are shown, each with the names of its columns; a sheet is a page."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from typing import Any

from clusterqa.documents import tables
from clusterqa.documents.extract import Extract, TextBuilder, left_out, one_line
from clusterqa.documents.metadata import Metadata, language_of
from clusterqa.documents.packages import refuse_zip_bomb
from clusterqa.errors import UnreadableDocument
from clusterqa.records import Page

MAX_CELLS = 1_000_000

_BROKEN = (KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, zipfile.BadZipFile, SyntaxError)


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a workbook. Raises UnreadableDocument for one that is broken or has more than `MAX_CELLS` cells.

    Formulas count with the value that was stored for them. Hidden sheets, rows and columns are left out; hidden sheets,
    pictures, charts, comments and formulas without a value are named in warnings.
    """
    refuse_zip_bomb(raw, document)
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(raw), data_only=True)
        formulas = openpyxl.load_workbook(io.BytesIO(raw), read_only=True)
    except _BROKEN as error:
        raise UnreadableDocument(
            document, f"It is no whole spreadsheet ({one_line(str(error))[:120]}).",
            "Open it in Excel or LibreOffice and save it as XLSX again.",
        ) from error  # fmt: skip
    if sum(sheet.max_row * sheet.max_column for sheet in book.worksheets) > MAX_CELLS:
        raise UnreadableDocument(document, f"It has more than {MAX_CELLS:,} cells.", "Split it into several documents.")
    builder = TextBuilder()
    pages: list[Page] = []
    hidden: list[str] = []
    comments = pictures = charts = 0
    for sheet in book.worksheets:
        if sheet.sheet_state != "visible":
            hidden.append(sheet.title)
            continue
        start = builder.new_page()
        _sheet(sheet, builder)
        pages.append(Page(len(pages) + 1, one_line(sheet.title), start, builder.length()))
        comments += sum(cell.comment is not None for row in sheet.iter_rows() for cell in row)
        pictures += len(sheet._images)
        charts += len(sheet._charts)
    warnings = []
    if hidden:
        warnings.append(f"Hidden sheets that are not read: {', '.join(hidden)}.")
    warnings += left_out(pictures, charts)
    if comments:
        warnings.append(f"Comments that are not read: {comments}.")
    if missing := _without_value(book, formulas):
        warnings.append(
            f"Formulas without a stored value, which are left out: {missing}. Open it in Excel and save it again."
        )
    properties = book.properties
    metadata = Metadata(title=one_line(properties.title or "") or None, language=language_of(properties.language or ""))
    return Extract(builder.text(), tuple(builder.blocks), metadata, tuple(pages), tuple(warnings))


def _without_value(book: Any, formulas: Any) -> int:
    missing = 0
    for sheet in formulas.worksheets:
        values = book[sheet.title]
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f" and values.cell(cell.row, cell.column).value is None:
                    missing += 1
    return missing


def _sheet(sheet: Any, builder: TextBuilder) -> None:
    """Add the tables of a sheet: rows up to an empty one belong together; a row of one cell is a heading above them."""
    merged: dict[tuple[int, int], Any] = {}
    for area in sheet.merged_cells.ranges:
        for row in range(area.min_row, area.max_row + 1):
            for column in range(area.min_col, area.max_col + 1):
                merged[row, column] = (area.min_row, area.min_col, area.max_col - area.min_col + 1)
    # Neighbours that are hidden together are stored as one, under the first letter.
    hidden = [kept for kept in sheet.column_dimensions.values() if kept.hidden]
    unseen = {column for kept in hidden for column in range(kept.min or 0, (kept.max or 0) + 1)}
    group: list[list[tables.Cell]] = []
    first = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        if sheet.row_dimensions[number].hidden:
            continue
        cells: list[tables.Cell] = []
        for cell in row:
            if cell.column in unseen:
                continue
            top, left, wide = merged.get((number, cell.column), (number, cell.column, 1))
            if cell.column != left:
                continue
            origin = sheet.cell(top, left)
            bold = bool(origin.font and origin.font.b)
            cells.append(tables.Cell(_shown(origin), cell.column, cell.column + wide, bold))
        while cells and not cells[-1].text:
            cells.pop()
        if not cells:
            _table(sheet, group, first, builder)
            group = []
            continue
        if not group:
            first = number
        group.append(cells)
    _table(sheet, group, first, builder)


def _table(sheet: Any, group: list[list[tables.Cell]], first: int, builder: TextBuilder) -> None:
    # A title above the table stands alone in its row.
    while group and sum(bool(cell.text) for cell in group[0]) == 1:
        text = next(cell.text for cell in group[0] if cell.text)
        builder.add("heading" if len(group) > 1 and len(text) <= 120 else "paragraph", text, 2)
        group = group[1:]
        first += 1
    if not group:
        return
    stated = {
        int(re.sub(r"\D", "", table.ref.split(":")[0]) or 0) for table in sheet.tables.values() if table.headerRowCount
    }
    if sheet.auto_filter.ref:
        stated.add(int(re.sub(r"\D", "", sheet.auto_filter.ref.split(":")[0]) or 0))
    headed = int(first in stated) or tables.header_rows(group)
    headed = headed or int(tables.names_columns([[cell.text for cell in row] for row in group]))
    joined = False
    for row in tables.laid_out(group, headed):
        joined = tables.add_row(builder, row, joined)


def _shown(cell: Any) -> str:
    """A cell as the sheet shows it, as far as its format is understood: places after the point, per cent, a currency."""
    value, form = cell.value, cell.number_format or "General"
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "minutes")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if not isinstance(value, int | float):
        return one_line(str(value))
    plain = re.sub(r"\"[^\"]*\"|\[[^\]]*\]|\\.", "", form.split(";")[0])
    percent = "%" in plain
    places = re.search(r"\.(0+)", plain)
    grouped = "," if re.search(r"#[, ]##0|0[, ]000", plain) else ""
    number = value * 100 if percent else value
    if places or percent or re.search(r"0", plain):
        told = f"{number:{grouped}.{len(places[1]) if places else 0}f}"
    else:
        told = f"{number:.15g}"
    told = told.replace(",", " ")
    currency = re.search(r"\[\$([^\]-]+)|\"([^\"]*)\"|([€$£])", form)
    sign = next((part.strip() for part in currency.groups() if part), "") if currency else ""
    return f"{told}%" if percent else f"{told} {sign}".strip()
