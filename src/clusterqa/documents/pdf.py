"""
PDF → text with pages, and blocks found by where the letters stand.

pdfium gives characters with their places, in the order in which the program that made the file wrote them,
which is nearly always the order in which they are read. From them: stretches of a line, columns where the
order jumps between two of them, table rows where stretches line up, then paragraphs by the space between
lines, by indents and by letter size. No script in a PDF is ever run: forms are not initialised.

The text has a line break where the page has one (words broken by a hyphen stay broken), an empty line between
blocks, and a form feed between pages.
"""

from __future__ import annotations

import ctypes
import re
import statistics
import threading
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from clusterqa.documents.encoding import mojibake
from clusterqa.documents.extract import PAGE_BREAK, Extract, clean, one_line, trimmed
from clusterqa.documents.metadata import Metadata, iso_date, language_of
from clusterqa.errors import UnreadableDocument
from clusterqa.records import Block, BlockKind, Page

MAX_PAGES = 3000
MAX_CHARACTERS = 20_000_000

WIDE_GAP = 1.6
"""
In letter sizes: a wider gap inside a line parts columns or cells; the spaces of justified lines stay below
it.
"""

NARROW_GAP = 0.6
"""
In letter sizes: a gap wider than this and narrower than `WIDE_GAP` is a space of a justified line, or the border
of a cell that is filled to its edge; where other rows have a border there tells which.
"""

QUARTER = 1.5707963267948966
"""A quarter turn in radians: lines of a landscape page stand on end in the file's own coordinates."""

PARAGRAPH_GAP = 1.3
"""In usual line distances: a wider one starts a new block."""

HEADING_SIZE = 1.15
"""In sizes of the body text: larger lines are headings."""

RUNNING_SHARE = 0.4
"""
Share of pages on which a line at the edge must stand to be a running header; below a half, as left and right
pages have different ones.
"""

MARGIN = 0.13
"""Share of a page's height, at the top and at the bottom, in which running lines stand."""

COLUMN_CHARACTERS = 18
"""Mean length of a stretch from which two side by side are columns of text and not cells."""

WRAPPED_LINES = 8
"""A cell of a table has at most so many lines; what is longer is a column of text."""

GARBLED_SHARE = 0.2
"""Share of characters without a meaning above which a PDF counts as unreadable."""

_OCR = "Recognise its text first, for example: ocrmypdf -l lit+eng in.pdf out.pdf"
_OCR_AGAIN = "Make it anew from its source, or recognise its text: ocrmypdf --force-ocr -l lit+eng in.pdf out.pdf"

# pdfium may be used by one thread at a time.
_PDFIUM = threading.Lock()

_SENTENCE_END = re.compile(r"[.!?…:;][\"'”“’»)\]]*\Z")
_BULLET = r"[-*•·‣▪▫◦●○■□–—\uf0b7\uf0a7\uf0d8\u2713✓➢]"
_MARKER = re.compile(rf"(?:{_BULLET}|\(?(?:\d{{1,2}}|[a-zA-Ząčęėįšųūž])[.)])[ \t\u00a0]+(?=\S)")
_LEADER = re.compile(r"(?:[.·…_]\s?){5,}\s*[\dIVXLCivxlc]{1,6}\Z")
"""The dots and the page number at the end of an entry of a table of contents."""
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|puslapis|psl\.?|p\.)\s*)?([\w-]{1,8})\W*(?:(?:iš|of|/)\s*\d+)?\W*", re.IGNORECASE
)
_NO_TITLE = re.compile(
    r"\W*\Z|microsoft (word|powerpoint|excel)|.*\.(docx?|pdf|rtf|odt|indd|tex|dvi|qxd|pptx?|xlsx?)\Z"
    r"|(untitled|be pavadinimo|bevardis|document|dokumentas|(powerpoint )?presentation|pristatymas)\W*\d*\Z",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """
    Characters that stand together on one line; points from the page's lower left corner, `y` the baseline.

    The page is turned so that the line is level; `slanted` are lines that no quarter turn makes level.
    """

    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool
    slanted: bool = False
    follows: bool = False
    """Only a narrow gap parts it from the stretch before it."""


@dataclass(frozen=True, slots=True)
class Line:
    """
    One line of a page, or one row of a table when it has several `cells`; `running` when it repeats on the
    pages.
    """

    text: str
    left: float
    right: float
    y: float
    size: float
    bold: bool
    cells: tuple[Stretch, ...] = ()
    running: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page as read: its lines in reading order, its printed label and its height in points."""

    lines: tuple[Line, ...]
    label: str
    height: float


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a PDF. Raises UnreadableDocument for one that is broken, locked, made of pictures, or of letters
    without meaning.

    Pages without text are kept, empty, so that page numbers stay right; a warning names them.
    """
    with _PDFIUM:
        sheets, properties, warnings = _load(raw, document)
    joined = "".join(line.text for sheet in sheets for line in sheet.lines)
    _refuse_garbled(joined, document)
    layout = _Layout(_mark_running(sheets))
    text, blocks, pages = layout.build()
    warnings += mojibake(text, document, _OCR_AGAIN)
    if silent := [sheet.label for sheet in sheets if not sheet.lines]:
        shown = ", ".join(silent[:20]) + (" …" if len(silent) > 20 else "")
        warnings.append(f"Pages without text, perhaps pictures of pages: {shown}. {_OCR}")
    title = one_line(properties.get("Title", ""))
    metadata = Metadata(
        title=layout.title() if not title or _NO_TITLE.match(title) else title,
        language=language_of(properties.get("Lang", "")),
        date=_creation_date(properties.get("CreationDate", "")),
    )
    return Extract(text, tuple(blocks), metadata, tuple(pages), tuple(warnings))


def _load(raw: bytes, document: str) -> tuple[list[Sheet], dict[str, str], list[str]]:
    import pypdfium2

    try:
        file = pypdfium2.PdfDocument(raw)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise UnreadableDocument(
                document,
                "It is protected with a password.",
                "Open it, then save or print it as a PDF without a password.",
            ) from error
        raise UnreadableDocument(
            document, "The PDF is broken or incomplete.", "Copy it from its source again."
        ) from error
    with file:
        if len(file) > MAX_PAGES:
            raise UnreadableDocument(
                document,
                f"It has {len(file)} pages, more than {MAX_PAGES}.",
                "Split it into several documents.",
            )
        sheets: list[Sheet] = []
        warnings: list[str] = []
        pictures = False
        total = 0
        for index in range(len(file)):
            label = one_line(file.get_page_label(index)) or str(index + 1)
            try:
                page = file[index]
            except pypdfium2.PdfiumError:
                sheets.append(Sheet((), label, 0.0))
                warnings.append(f"Page {label} is broken and left out; copy the PDF from its source again.")
                continue
            textpage = page.get_textpage()
            lines = _lines(_joined_again(list(_stretches(textpage, page.get_height()))))
            total += sum(len(line.text) for line in lines)
            if total > MAX_CHARACTERS:
                raise UnreadableDocument(
                    document,
                    f"It holds more than {MAX_CHARACTERS:,} characters.",
                    "Split it into several documents.",
                )
            if not lines and not pictures:
                pictures = next(iter(page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])), None) is not None
            sheets.append(Sheet(tuple(lines), label, page.get_height()))
            textpage.close()
            page.close()
        properties = {**file.get_metadata_dict(), "Lang": _language(file)}
    if not any(any(c.isalnum() for c in line.text) for sheet in sheets for line in sheet.lines):
        what = "It holds pictures of pages and no text." if pictures else "There is no text in it."
        raise UnreadableDocument(document, what, _OCR)
    return sheets, properties, warnings


def _language(file: Any) -> str:
    """The language that the PDF states for itself, "" if none."""
    import pypdfium2.raw as pdfium

    size = pdfium.FPDFCatalog_GetLanguage(file, None, 0)
    if not 2 < size < 200:
        return ""
    buffer = ctypes.create_string_buffer(size)
    pdfium.FPDFCatalog_GetLanguage(file, ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return buffer.raw[:size].decode("utf-16-le", "ignore").rstrip("\0")


def _stretches(textpage: Any, height: float) -> Iterator[Stretch]:
    """
    The stretches of a page in the order of its content; a new one at a line end, a wide gap or a step back.
    """
    import pypdfium2.raw as pdfium

    left, right, bottom, top, x, y = (ctypes.c_double() for _ in range(6))
    box = tuple(map(ctypes.byref, (left, right, bottom, top)))
    origin = tuple(map(ctypes.byref, (x, y)))
    font = ctypes.create_string_buffer(128)
    flags = ctypes.c_int()
    letters: list[str] = []
    sizes: Counter[float] = Counter()
    bold = marks = 0
    start = end = line = 0.0
    slanted = follows = False

    def taken() -> Iterator[Stretch]:
        nonlocal letters, bold, marks, follows
        text = _joined(letters).strip()
        if text and sizes:
            yield Stretch(text, start, end, line, sizes.most_common(1)[0][0], 2 * bold > marks, slanted, follows)
        letters, bold, marks, follows = [], 0, 0, False
        sizes.clear()

    for index in range(textpage.count_chars()):
        code = pdfium.FPDFText_GetUnicode(textpage, index)
        if pdfium.FPDFText_IsHyphen(textpage, index) == 1:
            # pdfium stands a control character for the hyphen at a line end, and leaves the line end out.
            letters.append("-")
            yield from taken()
            continue
        char = chr(code)
        if char in "\r\n":
            yield from taken()
            continue
        if char.isspace() or code == 0:
            letters.append(" " if code in (0, 0x20) else char)
            continue
        pdfium.FPDFText_GetCharBox(textpage, index, *box)
        pdfium.FPDFText_GetCharOrigin(textpage, index, *origin)
        angle = -pdfium.FPDFText_GetCharAngle(textpage, index)  # pdfium counts clockwise
        low, high, baseline = left.value, right.value, y.value
        turns = round(angle / QUARTER) % 4
        if turns == 1:
            low, high, baseline = bottom.value, top.value, height - x.value
        elif turns == 2:
            low, high, baseline = -right.value, -left.value, height - y.value
        elif turns == 3:
            low, high, baseline = -top.value, -bottom.value, x.value
        tilted = abs(angle / QUARTER - round(angle / QUARTER)) > 0.05
        size = round(_letter_size(pdfium, textpage, index), 1)
        if letters and sizes:
            gap = low - end
            small = min(size, sizes.most_common(1)[0][0])  # a raised note number is smaller than its line
            off = gap > WIDE_GAP * size or gap < -2 * size or abs(baseline - line) > 0.8 * small
            if tilted != slanted or (off and not tilted):
                yield from taken()
            elif gap > NARROW_GAP * size and letters[-1].isspace() and not tilted:
                yield from taken()
                follows = True
        if not sizes:
            letters = []
            start, end, line, slanted = low, high, baseline, tilted
        letters.append(char)
        end = max(end, high)
        sizes[size] += 1
        marks += 1
        if len(letters) % 4 == 1:  # every fourth letter is enough to tell a bold stretch
            named = pdfium.FPDFText_GetFontInfo(textpage, index, font, len(font), ctypes.byref(flags))
            weight = pdfium.FPDFText_GetFontWeight(textpage, index)
            bold += 4 * (weight >= 600 or (named > 0 and b"bold" in font.value.lower()))
    yield from taken()


def _is_marker(text: str) -> bool:
    """Whether a text is nothing but the bullet or the number of a list item."""
    found = _MARKER.match(f"{text} x")
    return found is not None and found.end() == len(text) + 1


def _joined_again(stretches: list[Stretch]) -> list[Stretch]:
    """
    The stretches of a page, those joined that a narrow gap parts where no other line has a border at that place.
    """
    borders = {round(s.left) for s in stretches if not s.follows}
    found: list[Stretch] = []
    for stretch in stretches:
        at_border = any(round(stretch.left) + step in borders for step in (-1, 0, 1))
        if not stretch.follows or not found or (at_border and not _is_marker(found[-1].text)):
            found.append(stretch)
            continue
        before = found[-1]
        longer = max(before, stretch, key=lambda s: len(s.text))
        found[-1] = replace(
            before,
            text=f"{before.text} {stretch.text}",
            right=max(before.right, stretch.right),
            size=longer.size,
            bold=longer.bold,
        )
    return found


def _letter_size(pdfium: Any, textpage: Any, index: int) -> float:
    """The size in points at which a letter is drawn; some programs set size 1 and scale the page instead."""
    size = float(pdfium.FPDFText_GetFontSize(textpage, index))
    matrix = pdfium.FS_MATRIX()
    if pdfium.FPDFText_GetMatrix(textpage, index, ctypes.byref(matrix)):
        size *= (matrix.c**2 + matrix.d**2) ** 0.5 or 1.0
    return size


def _joined(letters: list[str]) -> str:
    """Letters as one text: surrogate pairs made whole, control characters made spaces, bare spaces single."""
    text = "".join(letters).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub(r" {2,}", " ", re.sub("[\ufffe\uffff]", " ", clean(text)))


def _lines(stretches: list[Stretch]) -> list[Line]:
    """The lines of one page in reading order."""
    rows: list[list[Stretch]] = []
    for wrapped, part in _parted(stretches):
        rows += part if wrapped else _unwoven(part)
    table = _table_rows(rows)
    return [_line(row, as_cells=number in table) for number, row in enumerate(rows)]


def _rows(stretches: list[Stretch]) -> list[list[Stretch]]:
    """The stretches as rows: those that stand on one line, from left to right."""
    rows: list[list[Stretch]] = []
    for stretch in stretches:
        if rows and _level(rows[-1][-1], stretch) and stretch.left > rows[-1][-1].right:
            rows[-1].append(stretch)
        else:
            rows.append([stretch])
    return rows


def _level(one: Stretch, other: Stretch) -> bool:
    """Whether two stretches stand on one line."""
    return abs(one.y - other.y) < 0.3 * max(one.size, other.size)


Band = list[list[Stretch]]
"""A row of a table, perhaps, as cells, each of the lines that its text is broken into."""


def _parted(stretches: list[Stretch]) -> Iterator[tuple[bool, list[list[Stretch]]]]:
    """
    The rows of a page in stretches of the page: (True, rows of a table whose cells are wrapped) and (False, all else).

    Wrapped cells come cell by cell, each from its first line to its last, so the order of the content steps up
    where the next cell begins. Only where such rows make up a table are they taken for one.
    """
    bands = _bands(stretches)
    merged = [[_cell(lines) for lines in band] for band in bands]
    table = _table_rows(merged)
    wrapped: set[int] = set()
    run: list[int] = []
    for number in [*sorted(table), len(bands) + 1]:
        if run and number != run[-1] + 1:
            if any(len(lines) > 1 for row in run for lines in bands[row]):
                wrapped.update(run)
            run = []
        run.append(number)
    plain: list[Stretch] = []
    for number, band in enumerate(bands):
        if number not in wrapped:
            plain += [stretch for lines in band for stretch in lines]
            continue
        if plain:
            yield False, _rows(plain)
            plain = []
        yield True, [merged[number]]
    if plain:
        yield False, _rows(plain)


def _bands(stretches: list[Stretch]) -> list[Band]:
    """The stretches, in their order, as what would be rows of a table if the page were one."""
    bands: list[Band] = []
    for stretch in stretches:
        band = bands[-1] if bands else [[]]
        last = band[-1][-1] if bands else None
        if last is None:
            bands.append([[stretch]])
        elif _level(band[0][0], stretch) and all(line.right < stretch.left for lines in band for line in lines):
            band.append([stretch])
        elif len(band) > 1 and _goes_on(band[-1], stretch):
            band[-1].append(stretch)
        elif (first := _cell_left_of(bands, stretch)) is not None:
            bands[first:] = [[[lines[0] for (lines,) in bands[first:]], [stretch]]]
        else:
            bands.append([[stretch]])
    return bands


def _goes_on(lines: list[Stretch], below: Stretch) -> bool:
    """Whether a stretch is the next line of a cell: close below its last, and standing in line with it."""
    last = lines[-1]
    return (
        0 < last.y - below.y < 1.6 * max(last.size, below.size)
        and len(lines) < WRAPPED_LINES
        and _in_line([last], [below])
    )


def _cell_left_of(bands: list[Band], stretch: Stretch) -> int | None:
    """
    Where the wrapped cell starts that stands left of a stretch and begins on its line; None where there is none.
    """
    for number in range(len(bands) - 1, max(-1, len(bands) - 1 - WRAPPED_LINES), -1):
        band = bands[number]
        if len(band) > 1 or len(band[0]) > 1 or band[0][0].right >= stretch.left:
            return None
        if number + 1 < len(bands) and not _goes_on(band[0], bands[number + 1][0][0]):
            return None
        if _level(band[0][0], stretch):
            return number
    return None


def _cell(lines: list[Stretch]) -> Stretch:
    """The lines of a cell as one stretch, on the line of the first."""
    return replace(
        lines[0],
        text=" ".join(line.text for line in lines),
        left=min(line.left for line in lines),
        right=max(line.right for line in lines),
        bold=all(line.bold for line in lines),
    )


def _line(row: list[Stretch], as_cells: bool) -> Line:
    longest = max(row, key=lambda stretch: len(stretch.text))
    text = (" | " if as_cells else " ").join(stretch.text for stretch in row)
    bold = all(stretch.bold for stretch in row)
    cells = tuple(row) if as_cells else ()
    # A slanted line is a watermark: it stays in the text and is never quoted.
    return Line(text, row[0].left, max(s.right for s in row), row[0].y, longest.size, bold, cells, row[0].slanted)


def _unwoven(rows: list[list[Stretch]]) -> list[list[Stretch]]:
    """
    Put two columns one after the other where the file holds them line by line, left and right in turn.

    A gutter is where no stretch of the rows around crosses; rows that do cross it (a title), and rows of
    three and more stretches (a table), part the page.
    """
    pairs = [row for row in rows if len(row) == 2]
    if len(pairs) < 3 or len(pairs) < sum(len(row) > 2 for row in rows):
        return rows
    lengths = [len(stretch.text) for row in pairs for stretch in row]
    lefts = Counter(round(row[1].left / 4) for row in pairs)
    commonest = lefts.most_common(1)[0][0]
    aligned = [row for row in pairs if abs(row[1].left / 4 - commonest) <= 1]
    if statistics.mean(lengths) < COLUMN_CHARACTERS or len(aligned) < 0.7 * len(pairs):
        return rows
    gutter_right = min(row[1].left for row in aligned)
    gutter_left = sorted(row[0].right for row in aligned)[9 * len(aligned) // 10]
    gutter = (min(gutter_left, gutter_right) + gutter_right) / 2
    ordered: list[list[Stretch]] = []
    sides: tuple[list[list[Stretch]], list[list[Stretch]]] = ([], [])
    for row in rows:
        if len(row) > 2 or any(s.left < gutter < s.right for s in row):
            ordered += [*sides[0], *sides[1], row]
            sides = ([], [])
        else:
            for side, part in enumerate(([s for s in row if s.right <= gutter], [s for s in row if s.left >= gutter])):
                if part:
                    sides[side].append(part)
    return [*ordered, *sides[0], *sides[1]]


def _table_rows(rows: list[list[Stretch]]) -> set[int]:
    """
    Which rows belong to tables: neighbours with as many stretches, standing in line (left, right or middle).
    """
    found: set[int] = set()
    first = 0
    for number in range(1, len(rows) + 1):
        if number < len(rows) and len(rows[number]) > 1 and _in_line(rows[number - 1], rows[number]):
            continue
        run = range(first, number)
        # Two rows of two could be any two lines with a tab in them.
        if len(rows[first]) > 1 and len(run) * len(rows[first]) >= 6:
            found.update(run)
        first = number
    return found


def _in_line(above: list[Stretch], below: list[Stretch]) -> bool:
    if len(above) != len(below):
        return False
    size = max(above[0].size, below[0].size)
    return all(
        min(abs(a.left - b.left), abs(a.right - b.right), abs(a.left + a.right - b.left - b.right) / 2) < 0.5 * size
        for a, b in zip(above, below, strict=True)
    )


def _mark_running(sheets: list[Sheet]) -> list[Sheet]:
    """
    Mark running headers, footers and page numbers: lines at a page's edge that come back on the other pages.

    On most of the pages, or (chapter titles) as the outermost line on three of the nine pages around.
    """
    edges: list[list[int]] = []
    places: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
    for page, sheet in enumerate(sheets):
        by_height = sorted(range(len(sheet.lines)), key=lambda number: sheet.lines[number].y)
        edges.append([*by_height[-2:], *(number for number in by_height[:2] if number not in by_height[-2:])])
        for number in edges[-1]:
            places[_without_numbers(sheet.lines[number].text)].append((page, sheet.lines[number].y))
    most = max(2, RUNNING_SHARE * sum(bool(sheet.lines) for sheet in sheets))
    marked = []
    for page, (sheet, edge) in enumerate(zip(sheets, edges, strict=True)):
        lines = list(sheet.lines)
        heights = [line.y for line in lines]
        for number in edge:
            line = lines[number]
            same = {other for other, y in places[_without_numbers(line.text)] if abs(y - line.y) < 3}
            outermost = line.y in (max(heights), min(heights))
            running = len(same) >= most or (outermost and sum(abs(other - page) <= 4 for other in same) >= 3)
            bare = _PAGE_NUMBER.fullmatch(line.text)
            numbered = bare is not None and bare[1] in (sheet.label, str(page + 1))
            in_margin = not MARGIN * sheet.height < line.y < (1 - MARGIN) * sheet.height
            if len(lines) > 1 and in_margin and (running or numbered):
                lines[number] = replace(line, running=True)
        marked.append(replace(sheet, lines=tuple(lines)))
    return marked


def _without_numbers(text: str) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "0", text.lower())


class _Layout:
    """
    Lines of all pages → text, blocks and pages; what is usual (size, line distance) is measured over the
    document.
    """

    def __init__(self, sheets: list[Sheet]) -> None:
        self.sheets = sheets
        lines = [line for sheet in sheets for line in sheet.lines if not line.running]
        weights: Counter[float] = Counter()
        for line in lines:
            weights[line.size] += len(line.text)
        self.size = weights.most_common(1)[0][0] if weights else 10.0
        body = [line for line in lines if abs(line.size - self.size) < 0.1]
        self.bold_body = sum(len(x.text) for x in body if x.bold) > 0.5 * sum(len(x.text) for x in body)
        steps = [
            (above.y - below.y) / below.size
            for sheet in sheets
            for above, below in pairwise(sheet.lines)
            if above.size == below.size == self.size and 0.8 < (above.y - below.y) / below.size < 3
        ]
        # The lower quartile: in a text of one-line paragraphs most steps are those between paragraphs.
        self.step = sorted(steps)[len(steps) // 4] if steps else 1.2
        larger = sorted({round(line.size * 2) for line in lines if line.size >= HEADING_SIZE * self.size}, reverse=True)
        self.levels = {size: min(rank, 6) for rank, size in enumerate(larger, start=1)}
        self.headings: list[tuple[int, float, str]] = []

    def title(self) -> str | None:
        """The largest heading of the first page that has one."""
        if not self.headings:
            return None
        page = self.headings[0][0]
        return max((h for h in self.headings if h[0] == page), key=lambda h: h[1])[2]

    def build(self) -> tuple[str, list[Block], list[Page]]:
        parts: list[str] = []
        blocks: list[Block] = []
        pages: list[Page] = []
        length = 0
        for number, sheet in enumerate(self.sheets, start=1):
            if number > 1:
                parts.append(PAGE_BREAK)
                length += len(PAGE_BREAK)
            start = length
            for group in self._groups(sheet):
                if length > start:
                    gap = "\n" if group[0].cells and blocks and blocks[-1].kind == "table_row" else "\n\n"
                    parts.append(gap)
                    length += len(gap)
                text = "\n".join(line.text for line in group)
                parts.append(text)
                if not group[0].running:
                    blocks += self._blocks(group, text, length, number)
                length += len(text)
            pages.append(Page(number, sheet.label, start, length))
        return "".join(parts), blocks, pages

    def _groups(self, sheet: Sheet) -> list[list[Line]]:
        """The lines of a page as groups that each become one block; the rows of one table are one group."""
        edge = _right_edges(sheet.lines)
        groups: list[list[Line]] = []
        for line in sheet.lines:
            if groups and not self._breaks(groups[-1], line, edge):
                groups[-1].append(line)
            else:
                groups.append([line])
        return groups

    def _breaks(self, group: list[Line], line: Line, edge: dict[int, float]) -> bool:
        """Whether `line` starts a new block after the lines of `group`."""
        above, first = group[-1], group[0]
        if above.running or line.running:
            return True
        if above.cells or line.cells:
            return len(above.cells) != len(line.cells)
        if bool(_LEADER.search(above.text)) != bool(_LEADER.search(line.text)):
            return True
        if abs(above.size - line.size) > 0.07 * max(above.size, line.size):
            return True
        ended = _SENTENCE_END.search(above.text) is not None
        step = above.y - line.y
        if step < 0.2 * line.size:  # up to the next column: a sentence may run on there
            return ended or not line.text[:1].islower()
        if step > PARAGRAPH_GAP * self.step * line.size:
            return True
        # A bold line above a plain one is a heading, unless the sentence just goes on.
        if above.bold != line.bold and not line.text[:1].islower() and all(x.bold == above.bold for x in group):
            return True
        listed = _MARKER.match(first.text) is not None
        if _MARKER.match(line.text) and (listed or ended):
            return True
        if listed and ended and line.left <= first.left + 0.5 * line.size and first.left < above.left:
            return True
        if not listed and ended and line.left > above.left + 0.8 * line.size:
            return True
        width = edge.get(round(above.left / 10), above.right) - above.left
        short = above.right - above.left < 0.8 * width
        return ended and short and not above.text.endswith((":", ";"))

    def _blocks(self, group: list[Line], text: str, offset: int, page: int) -> list[Block]:
        if group[0].cells:
            return self._rows(group, offset)
        start, end = trimmed(text, 0, len(text))
        if start == end or all(_LEADER.search(line.text) for line in group):
            return []  # nothing there, or a table of contents, which says nothing itself
        kind: BlockKind = "paragraph"
        level = 0
        if heading := self._heading_level(group, text):
            kind, level = "heading", heading
            self.headings.append((page, group[0].size, one_line(text)))
        elif marker := _MARKER.match(text):
            kind, start = "list_item", marker.end()
        return [Block(kind, offset + start, offset + end, level)]

    def _rows(self, group: list[Line], offset: int) -> list[Block]:
        """One block a row; the first is the header if it alone is bold, or alone without figures among figures."""
        first = group[0]
        rest = [line for line in group if line.text != first.text]  # a header comes back where a table goes on
        alone_bold = first.bold and not any(line.bold for line in rest)
        figures = sum(bool(re.search(r"\d", line.text)) for line in rest)
        headed = alone_bold or (not re.search(r"\d", first.text) and 2 * figures >= len(rest))
        header = first.text if headed and rest else ""
        blocks = []
        for line in group:
            if not header or line.text != header:
                blocks.append(Block("table_row", offset, offset + len(line.text), header=header))
            offset += len(line.text) + 1
        return blocks

    def _heading_level(self, group: list[Line], text: str) -> int:
        """
        The level of a heading from 1, 0 when the group is none: it is larger, or bold in a text that is not.
        """
        if not any(c.isalpha() for c in text):
            return 0
        larger = min(line.size for line in group) >= HEADING_SIZE * self.size
        if larger and len(group) <= 3 and len(text) <= 200:
            return self.levels[round(group[0].size * 2)]
        bold = all(line.bold for line in group) and not self.bold_body and group[0].size >= 0.95 * self.size
        if bold and len(group) <= 2 and len(text) <= 120 and not re.search(r"[.;,:]\Z", text):
            return min(len(self.levels) + 1, 6)
        return 0


def _right_edges(lines: tuple[Line, ...]) -> dict[int, float]:
    """How far the lines that start at about the same place reach, by their left end in tens of points."""
    edges: dict[int, float] = {}
    for line in lines:
        key = round(line.left / 10)
        for near in (key - 1, key, key + 1):
            edges[near] = max(edges.get(near, 0.0), line.right)
    return edges


def _refuse_garbled(text: str, document: str) -> None:
    """Refuse letters that the fonts of the PDF give no meaning to."""
    marks = [c for c in text if not c.isspace()]
    bad = sum(c == "\ufffd" or unicodedata.category(c) in ("Co", "Cn") for c in marks)
    if bad > GARBLED_SHARE * len(marks):
        raise UnreadableDocument(
            document, "Its fonts do not say which letters they draw, so its text cannot be read.", _OCR_AGAIN
        )


def _creation_date(text: str) -> str | None:
    """The day in a PDF date such as D:20240305120000+02'00', in ISO 8601."""
    found = re.match(r"(?:D:)?(\d{4})(\d\d)(\d\d)", text)
    return iso_date("-".join(found.groups())) if found else None
