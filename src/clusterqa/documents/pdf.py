"""
PDF → text with pages, and blocks found by where the letters stand.

pdfium gives characters with their places, in the order in which the program that made the file wrote them,
which is nearly always the order in which they are read. From them: stretches of a line, columns where the
order jumps between two of them, table rows where stretches line up, then paragraphs by the space between
lines, by indents and by letter size. No script in a PDF is ever run: forms are not initialised.

The text has a line break where the page has one (words broken by a hyphen stay broken), an empty line between
blocks, and a form feed between pages. A paragraph that runs on over the page is one block; what stands at the edges of
the two pages is put before and after it.
"""

from __future__ import annotations

import ctypes
import re
import statistics
import threading
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from clusterqa.documents import items, tables
from clusterqa.documents.encoding import mojibake
from clusterqa.documents.extract import Extract, clean, left_out, one_line, trimmed
from clusterqa.documents.metadata import Metadata, language_of
from clusterqa.documents.pdf_doubt import DOUBTS, doubt
from clusterqa.documents.pdf_grid import Grids, Head, with_tables
from clusterqa.documents.pdf_letters import DOUBLED, DROPPED, Letters, Look, Place
from clusterqa.documents.pdf_order import (
    Order,
    Stretch,
    above_wide,
    are_mixed,
    by_place,
    is_right_to_left,
    level,
    order,
    run_on,
)
from clusterqa.documents.pdf_outlines import drawn_boxes, has_drawn_words
from clusterqa.documents.pdf_scales import scales
from clusterqa.documents.pdf_shapes import Shapes
from clusterqa.documents.pdf_sight import Sight, pictures
from clusterqa.documents.pdf_signs import Signs, put_right
from clusterqa.documents.plausible import are_words
from clusterqa.documents.symbols import raised
from clusterqa.errors import UnreadableDocument
from clusterqa.records import PAGE_BREAK, Block, BlockKind, Page

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

TOUCHING = 0.45
"""In letter sizes: words of two cells, with the line between them, stand farther apart."""

SPACE = 0.15
"""In letter sizes: a wider gap behind a small letter is a space."""

WIDEST_MARK = 5
"""In letter sizes: so wide may the gap between an item's mark and its text be."""

PARAGRAPH_GAP = 1.3
"""In usual line distances: a wider one starts a new block."""

FULL_TEXT = 0.9
"""Share of the room of a line from which it is full."""

LONG_LINE = 40
"""Letters; a line of more is one of a text, where it is full."""

FEWEST_INNER = 3
"""So many full lines at least that go on in the next show how far apart those of a page stand."""

HEADING_SIZE = 1.15
"""In sizes of the body text: larger lines are headings."""

FARTHEST_LABEL = 4
"""In letter sizes: so far at most stands what a box to tick is for."""

SHORT = 0.75
"""Share of where the page's lines end; the last line of a paragraph may end before it."""

LONGEST_HEADING_WITH_STOP = 60
"""Letters; a longer text that ends in a full stop is a sentence, however large."""

RUNNING_SHARE = 0.4
"""
Share of pages on which a line at the edge must stand to be a running header; below a half, as left and right
pages have different ones.
"""

MARGIN = 0.13
"""Share of a page's height, at the top and at the bottom, in which running lines stand."""

COLUMN_CHARACTERS = 18
"""Mean length of a stretch from which two side by side are columns of text and not cells."""

FARTHEST_ROW = 3
"""In letter sizes: so far at most is the next row of a table, where it has empty cells."""

FARTHEST_LINE = 2.2
"""In letter sizes: so far down at most is the next line of the same text."""

FEWEST_ENDS = 3
"""So many figures that end below each other show a column, though only a space parts it from the next."""

FEWEST_LINES = 10
"""So many lines at least has each of two columns that the file holds line by line."""

FULL_LINE = 0.75
"""Share of the way to the next column that most lines of a column reach."""

ROW_GAP = 1.25
"""In line distances: rows whose cells are wrapped stand so much farther apart at least."""

WRAPPED_LINES = 8
"""A cell of a table has at most so many lines; what is longer is a column of text."""

MOST_NAMED = 100
"""A warning names so many pages; a file of more says how many it leaves out."""

FEWEST_SPACED = 4
"""So many letters at least make a word that is set apart by spaces."""

VOWELS = 0.2
"""Share of the letters of a word at least."""

LESS = 0.75
"""Share of the wrong places of a page below which the order that the places give is taken instead of the file's."""

MOST_STEPS = 200
"""A page whose content steps up more often is a drawing, and is left in its order."""

LARGE_PICTURE = 0.03
"""Share of a page from which a picture may hold words worth reading: a strip across the page has 0.05, a logo 0.02."""

WHOLE_PAGE = 0.8
"""Share of a page from which a picture is the page itself, scanned, with recognised text laid over it."""

GARBLED_SHARE = 0.2
"""Share of characters without a meaning above which a PDF counts as unreadable."""

_OCR = "Recognise its text first, for example: ocrmypdf -l lit+eng in.pdf out.pdf"
_OCR_AGAIN = "Make it anew from its source, or recognise its text: ocrmypdf --force-ocr -l lit+eng in.pdf out.pdf"

# pdfium may be used by one thread at a time.
_PDFIUM = threading.Lock()

_NOTES = "[⁰¹²³⁴-⁹ᵃ-ᶻ*]*"
_SENTENCE_END = re.compile(rf"[.!?…:;][\"'”“’»)\]]*{_NOTES}\Z")
_LEADER = re.compile(r"(?:[.·…_]\s?){5,}\s*[\dIVXLCivxlc]{1,6}\Z")
"""The dots and the page number at the end of an entry of a table of contents."""
_DOTS = re.compile(r"(?:[.·…_]\s?){5}")
_PAGE_NUMBER = re.compile(
    r"\W*(?:(?:page|puslapis|psl\.?|p\.)\s*)?([\w-]{1,8})\W*(?:(?:iš|of|/)\s*\d+)?\W*", re.IGNORECASE
)
_NOTHING = re.compile(r"[-–—](?: [-–—])*\Z")
"""The dash of a cell that has no value, or several."""
_FIGURE = re.compile(r"[-–−(]?\d[\d.,–-]*(?:[ \xa0\u202f]\d{3})*[\d.,–-]*(?: ?%)?\)?\Z")
_NO_WORDS = re.compile(r"[-–—\d.,()% ]+\Z")
_NO_TITLE = re.compile(
    r"\W*\Z|microsoft (word|powerpoint|excel)|.*\.(docx?|pdf|rtf|odt|indd|tex|dvi|qxd|pptx?|xlsx?)\Z"
    r"|(untitled|be pavadinimo|bevardis|document|dokumentas|(powerpoint )?presentation|pristatymas)\W*\d*\Z",
    re.IGNORECASE,
)


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
    mark: int = 0
    """How many letters at its beginning are the bullet or the number of an item."""
    row: tables.Row | None = None
    """What it is in a table whose lines are drawn."""
    table: int = 0
    """The number of that table on its page, from 1."""


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

    Pages without text are kept, empty, so that page numbers stay right; a warning names them. The values of a form
    stand at their places. Attached files, comments and large pictures are named in warnings.
    """
    with _PDFIUM:
        sheets, properties, warnings = _load(raw, document)
    sheets, told = _without_garbled(sheets, document)
    warnings += told
    layout = _Layout(_mark_items(_mark_running(sheets)))
    text, blocks, pages = layout.build()
    warnings += mojibake(text, document, _OCR_AGAIN)
    if silent := [sheet.label for sheet in sheets if not sheet.lines]:
        warnings.append(f"Pages without text, perhaps pictures of pages: {_listed(silent)}. {_OCR}")
    if lost := [sheet.label for sheet in sheets if any("\ufffd" in line.text for line in sheet.lines)]:
        warnings.append(f"Pages with letters whose meaning the PDF does not say (shown as �): {_listed(lost)}.")
    if is_right_to_left(text):
        warnings.append("It is written from right to left; the order of its words may be wrong.")
    title = one_line(properties.get("Title", ""))
    metadata = Metadata(
        title=layout.title() if not title or _NO_TITLE.match(title) else title,
        language=language_of(properties.get("Lang", "")),
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
        seen = _Seen()
        head: Head | None = None
        for index in range(len(file)):
            label = one_line(file.get_page_label(index)) or str(index + 1)
            try:
                page = file[index]
            except pypdfium2.PdfiumError:
                sheets.append(Sheet((), label, 0.0))
                warnings.append(f"Page {label} is broken and left out; copy the PDF from its source again.")
                continue
            seen.label = label
            stretches, page, grids = _drawn(file, index, page, seen)
            stretches = _once(stretches)
            grids.add_ruled(stretches, lambda texts: _joined_again(texts, items_whole=False))
            stretches, head = with_tables(stretches, grids, _tidy, head)
            held, told = _without_scales(_tidy(stretches))
            if told:
                seen.charts.append(label)
            reading = _reading(_in_order(held, page.get_height()))
            if (moved := above_wide(held)) != held:
                moved = _in_order(moved, page.get_height())
                other = _reading(moved)
                if other.order.wrong <= reading.order.wrong:
                    held, reading = moved, other
            if reading.order.is_doubtful:
                placed = by_place(reading.stretches)
                others = [_in_order(held, page.get_height(), beside=True)] if are_mixed(placed) else []
                for stretches in (*others, placed):
                    other = _reading(stretches)
                    if other.order.wrong < LESS * reading.order.wrong and (
                        stretches is placed or not other.order.is_doubtful
                    ):
                        reading = other
                        break
            turns = page.get_rotation() // 90
            why = doubt(reading.rows, reading.tables, reading.order, page.get_height(), turns)
            if grids.are_nested:
                why = "cells"
            if why:
                seen.doubts[why].append(label)
            lines = reading.lines + told
            total += sum(len(line.text) for line in lines)
            if total > MAX_CHARACTERS:
                raise UnreadableDocument(
                    document,
                    f"It holds more than {MAX_CHARACTERS:,} characters.",
                    "Split it into several documents.",
                )
            if not lines and not pictures:
                pictures = next(iter(page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])), None) is not None
            seen.pictures(page, label, bool(lines))
            sheets.append(Sheet(tuple(lines), label, page.get_height()))
            page.close()
        seen.empty_fields += _held_by_parents(raw, seen.doubtful)
        if file.get_formtype() == pypdfium2.raw.FORMTYPE_XFA_FULL:
            warnings.append(
                "It is a form that only Adobe's programs draw (XFA); what they show is not read. Print it as a PDF from there."
            )
        attached = [file.get_attachment(n).get_name() for n in range(file.count_attachments())]
        warnings += seen.warnings([one_line(name.translate(_DOC_ENCODING)) for name in attached])
        form = file.get_formtype() in (pypdfium2.raw.FORMTYPE_XFA_FULL, pypdfium2.raw.FORMTYPE_XFA_FOREGROUND)
        unlisted = len(_EMBEDDED.findall(raw)) - len(attached) - seen.files
        if unlisted > 0 and not form:  # such a form is made of files itself
            warnings.append(f"Files inside the PDF that it does not list as attached are not read: {unlisted}.")
        properties = {**file.get_metadata_dict(), "Lang": _language(file)}
    if not any(any(c.isalnum() for c in line.text) for sheet in sheets for line in sheet.lines):
        what = "It holds pictures of pages and no text." if pictures else "There is no text in it."
        raise UnreadableDocument(document, what, _OCR)
    return sheets, properties, warnings


class _Seen:
    """What a person sees on the pages, or beside them, and the text does not hold."""

    def __init__(self) -> None:
        self.comments = 0
        self.files = 0
        self.empty_fields = 0
        self.lists = 0
        """Fields that show all lines of a list, whichever are picked."""
        self.doubts: defaultdict[str, list[str]] = defaultdict(list)
        """The pages whose layout may have been misread, by the reason."""
        self.charts: list[str] = []
        self.drawn: list[str] = []
        """The pages with words that are drawn as shapes."""
        self.label = ""
        """Of the page that is read."""
        self.signs = Signs()
        self.shapes = Shapes()
        self.unseen = 0
        """Letters that nothing shows on the page."""
        self.struck = 0
        self.doubtful: list[tuple[int, int]] = []
        """The pages, and the annotations on them, of fields that draw nothing and whose value another object may hold."""
        self._pictures: list[str] = []
        self._scans: list[str] = []

    def pictures(self, page: Any, label: str, has_text: bool) -> None:
        """Look for pictures so large that something may be written in them."""
        if not has_text:
            return
        left, bottom, right, top = page.get_cropbox()
        shares = [
            max(0.0, min(area[2], right) - max(area[0], left)) * max(0.0, min(area[3], top) - max(area[1], bottom))
            for area in pictures(page)
        ]
        whole = (right - left) * (top - bottom) or 1.0
        if max(shares, default=0.0) >= WHOLE_PAGE * whole:
            self._scans.append(label)
        elif sum(shares) >= LARGE_PICTURE * whole:  # a picture may be cut into strips
            self._pictures.append(label)

    def warnings(self, attached: list[str]) -> list[str]:
        """A sentence for each kind of thing that is not read."""
        found = []
        if attached:
            found.append(f"Files attached to the PDF are not read: {_listed(attached)}. Add them as documents.")
        if self.files:
            found.append(f"Files pinned to its pages are not read: {self.files}. Add them as documents.")
        if self._scans:
            found.append(
                f"Pages that are pictures with text recognised by a program: {_listed(self._scans)}. "
                "Compare the letters and the figures with the pictures."
            )
        if self._pictures:
            found.append(f"Pages with pictures whose words are not read: {_listed(self._pictures)}.")
        found += [told.format(_listed(self.doubts[why])) for why, told in DOUBTS.items() if why in self.doubts]
        if self.charts:
            found.append(
                f"Pages with charts, whose scales are not quoted and whose figures stand without what they belong to: {_listed(self.charts)}."
            )
        if self.drawn:
            found.append(f"Pages with words that are drawn as shapes, and are not read: {_listed(self.drawn)}.")
        if self.unseen:
            found.append(
                f"Letters that cannot be seen on the page (in its own colour, covered, cut off or in a layer that is off) and are not read: {self.unseen}. "
                "They are still in the file, which anyone can open."
            )
        if self.signs.written:
            told = ", ".join(f"{sign} ({number})" for sign, number in self.signs.written.most_common())
            found.append(
                f"Signs for several letters whose font says another letter were read by their width: {told}. "
                "Compare them with the page."
            )
        if self.signs.unknown:
            found.append(
                f"Pages with signs that are wider than the letter that their font says: {_listed(self.signs.unknown)}. {_OCR_AGAIN}"
            )
        if self.shapes.read:
            told = ", ".join(f"{letter} → {sign} ({n})" for (letter, sign), n in self.shapes.read.most_common())
            found.append(
                f"Signs whose font says another letter were read by their shape: {told}. Compare them with the page."
            )
        for font, pages in self.shapes.unknown.items():
            found.append(
                f"Pages with letters that are drawn otherwise than their font says (shown as �): {_listed(pages)} (font {font})."
            )
        found += left_out(struck=self.struck)
        if self.comments:
            found.append(f"Comments on its pages that are not read: {self.comments}.")
        if self.empty_fields:
            found.append(
                f"Form fields whose values the PDF does not draw: {self.empty_fields}. Print it as a PDF anew."
            )
        if self.lists:
            found.append(f"Lists in forms of which all lines are read, not which are picked: {self.lists}.")
        return found


def _listed(names: list[str]) -> str:
    """All names of a short list; of a longer one the first, and how many there are more."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" (+ {more})" if more > 0 else "")


def _without_scales(stretches: list[Stretch]) -> tuple[list[Stretch], list[Line]]:
    """The stretches of a page without those of the scales of charts, and these as lines that are not quoted."""
    found = scales(stretches)
    own = {id(one) for scale in found for one in scale}
    lines = [
        replace(_line(scale, as_cells=False), right=max(one.right for one in scale), running=True) for scale in found
    ]
    return [one for one in stretches if id(one) not in own], lines


def _tidy(stretches: list[Stretch]) -> list[Stretch]:
    """The stretches with what belongs together joined: gaps of justified lines, marks of items and notes, fractions."""
    return _fractions(_with_marks(_joined_again(stretches)))


def _drawn(file: Any, index: int, page: Any, seen: _Seen) -> tuple[list[Stretch], Any, Grids]:
    """
    The stretches of a page, the values of its form at their places, the page (a new one where it has a form), and the
    grids of lines on it.

    A form is drawn into the page, as printing does; no script of it runs.
    """
    import pypdfium2.raw as pdfium

    textpage = page.get_textpage()
    if has_drawn_words(page, textpage):
        seen.drawn.append(seen.label)
    grids = Grids(page)
    stretches = list(_stretches(textpage, page, seen, grids))
    has_form, boxes = _form_of(page, index, seen)
    for (left, bottom, right, top), ticked in drawn_boxes(page):
        drawn = _Box(left, bottom, right, top, ticked, is_drawn=True)
        if not any(drawn.holds(text) for text in stretches):
            boxes.append(drawn)
    own = Letters(textpage).places() if has_form else frozenset()
    textpage.close()
    for box in boxes:
        stretches = _ticked(stretches, box, boxes, grids)
    if not has_form or pdfium.FPDFPage_Flatten(page, pdfium.FLAT_NORMALDISPLAY) != pdfium.FLATTEN_SUCCESS:
        return stretches, page, grids
    page.close()
    page = file[index]
    textpage = page.get_textpage()
    values = list(_stretches(textpage, page, seen, grids, own))
    textpage.close()
    for value in values:
        if not any(box.holds(value) for box in boxes):
            stretches = _placed(stretches, value)
    return stretches, page, grids


@dataclass(frozen=True, slots=True)
class _Box:
    """A field of a form to be ticked, or one of several to pick from, in points of the page."""

    left: float
    bottom: float
    right: float
    top: float
    ticked: bool
    is_drawn: bool = False
    """Whether lines on the page make it, which may make a grid together."""

    def holds(self, text: Stretch) -> bool:
        """Whether the middle of a text stands in it."""
        middle = (text.left + text.right) / 2
        return self.left <= middle <= self.right and self.is_level(text)

    def is_level(self, text: Stretch) -> bool:
        """Whether a text stands on its line."""
        aside = (self.top - self.bottom) / 4
        return not text.turns and self.bottom - aside <= text.y + 0.3 * text.size <= self.top + aside


def _ticked(stretches: list[Stretch], box: _Box, boxes: list[_Box], grids: Grids) -> list[Stretch]:
    """
    The stretches with a box that is ticked, ☒, or not, ☐, before the text to its right, or behind the one to its left where that is
    nearer; alone where none is near in its cell, and where it would be behind a text and another box follows, as in columns of boxes.
    """
    sign = "☒" if box.ticked else "☐"
    cell = grids.at(box.right + 1 if box.is_drawn else (box.left + box.right) / 2, (box.bottom + box.top) / 2)
    level_with = [(number, one) for number, one in enumerate(stretches) if box.is_level(one)]
    near: list[tuple[float, bool, int]] = []
    for number, one in level_with:
        if grids.at(*grids.place(one)) == cell:
            behind = (one.left + one.right) / 2 < (box.left + box.right) / 2
            gap = box.left - one.right if behind else one.left - box.right
            if -0.5 * one.size < gap < FARTHEST_LABEL * one.size:
                near.append((gap, behind, number))
    follows = any(
        other.left > box.right
        and abs(other.bottom - box.bottom) < (box.top - box.bottom) / 2
        and not any(box.right < (s.left + s.right) / 2 < other.left for _, s in level_with)
        for other in boxes
    )
    if not near or (min(near)[1] and follows):
        height = box.top - box.bottom
        return _placed(stretches, Stretch(sign, box.left, box.right, box.bottom + 0.2 * height, 0.8 * height, False))
    _, behind, number = min(near)
    one = stretches[number]
    labelled = (
        replace(one, text=f"{one.text} {sign}", right=box.right)
        if behind
        else replace(one, text=f"{sign} {one.text}", left=box.left, follows=False)
    )
    return [*stretches[:number], labelled, *stretches[number + 1 :]]


def _form_of(page: Any, index: int, seen: _Seen) -> tuple[bool, list[_Box]]:
    """Whether fields or typed remarks are drawn on a page, and its boxes to tick; counts what is not drawn."""
    import pypdfium2.raw as pdfium

    found = False
    boxes: list[_Box] = []
    edges = pdfium.FS_RECTF()
    for number in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, number)
        kind = pdfium.FPDFAnnot_GetSubtype(annotation)
        if kind in (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT, pdfium.FPDF_ANNOT_STAMP):
            drawn = pdfium.FPDFAnnot_GetAP(annotation, pdfium.FPDF_ANNOT_APPEARANCEMODE_NORMAL, None, 0) > 2
            found = found or drawn
            state = _text_of(annotation, b"AS") if kind == pdfium.FPDF_ANNOT_WIDGET else ""
            if state and pdfium.FPDFAnnot_GetRect(annotation, ctypes.byref(edges)):
                if not pdfium.FPDFAnnot_GetFlags(annotation) & _UNSEEN:
                    boxes.append(_Box(edges.left, edges.bottom, edges.right, edges.top, state != "Off"))
            elif drawn and _is_list(annotation):
                seen.lists += 1
            elif kind == pdfium.FPDF_ANNOT_WIDGET and not (drawn and _SHOWS.search(_drawing_of(annotation))):
                several = pdfium.FPDFAnnot_GetValueType(annotation, b"V") == pdfium.FPDF_OBJECT_ARRAY
                if several or _text_of(annotation, b"V"):
                    seen.empty_fields += 1
                elif pdfium.FPDFAnnot_HasKey(annotation, b"Parent"):
                    seen.doubtful.append((index, number))
        elif kind == pdfium.FPDF_ANNOT_FILEATTACHMENT:
            seen.files += 1
        elif kind in (pdfium.FPDF_ANNOT_TEXT, pdfium.FPDF_ANNOT_HIGHLIGHT, pdfium.FPDF_ANNOT_UNDERLINE):
            seen.comments += pdfium.FPDFAnnot_GetStringValue(annotation, b"Contents", None, 0) > 2
        pdfium.FPDFPage_CloseAnnot(annotation)
    return found, boxes


def _held_by_parents(raw: bytes, fields: list[tuple[int, int]]) -> int:
    """How many of these fields (page, annotation) have a value that the field above them holds."""
    import pypdfium2
    import pypdfium2.raw as pdfium

    if not fields:
        return 0
    held = 0
    with pypdfium2.PdfDocument(raw) as file:
        file.init_forms()  # only to ask for values: no script is run, and this copy is not drawn
        if file.formenv is None:
            return 0
        form = file.formenv.raw
        for index, number in fields:
            page = file[index]
            annotation = pdfium.FPDFPage_GetAnnot(page, number)

            def ask(buffer: Any, size: int, annotation: Any = annotation) -> int:
                return int(pdfium.FPDFAnnot_GetFormFieldValue(form, annotation, buffer, size))

            written = pdfium.FPDFAnnot_GetFormFieldType(form, annotation) in (
                pdfium.FPDF_FORMFIELD_TEXTFIELD, pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX,
            )  # fmt: skip
            held += written and bool(_wide(ask))
            pdfium.FPDFPage_CloseAnnot(annotation)
            page.close()
    return held


_EMBEDDED = re.compile(rb"/EmbeddedFile(?![A-Za-z])")
"""What a file inside a PDF says of itself, in clear, whatever else is compressed."""

_DOC_ENCODING = {0x80 + n: sign for n, sign in enumerate("•†‡…—–ƒ⁄‹›−‰„“”‘’‚™ﬁﬂŁŒŠŸŽıłœšž")}
"""Signs of a name that pdfium leaves in the encoding that PDF has of its own."""

_SHOWS = re.compile(r"\bTj|\bTJ|['\"]\s|\bDo\b|[)\]>](?:Tj|TJ|'|\")")
"""What in the drawing of a field puts letters, or a drawing of its own, on the page."""


_COMBO = 1 << 17
"""The flag of a list that shows only what is picked."""

_UNSEEN = 0x2 | 0x20
"""The flags of an annotation that is hidden, or is only printed."""


def _is_list(annotation: Any) -> bool:
    """Whether a field shows all lines of a list."""
    import pypdfium2.raw as pdfium

    flags = ctypes.c_float()
    pdfium.FPDFAnnot_GetNumberValue(annotation, b"Ff", ctypes.byref(flags))
    return _text_of(annotation, b"FT") == "Ch" and not int(flags.value) & _COMBO


def _text_of(annotation: Any, key: bytes) -> str:
    import pypdfium2.raw as pdfium

    return _wide(lambda buffer, size: pdfium.FPDFAnnot_GetStringValue(annotation, key, buffer, size))


def _drawing_of(annotation: Any) -> str:
    import pypdfium2.raw as pdfium

    usual = pdfium.FPDF_ANNOT_APPEARANCEMODE_NORMAL
    return _wide(lambda buffer, size: pdfium.FPDFAnnot_GetAP(annotation, usual, buffer, size))


def _wide(ask: Callable[[Any, int], int]) -> str:
    """A text that pdfium writes into a buffer, as UTF-16 with a NUL at its end; asked for its size first."""
    import pypdfium2.raw as pdfium

    size = ask(None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    ask(ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR)), size)
    return buffer.raw[:size].decode("utf-16-le", "ignore").rstrip("\0")


def _placed(stretches: list[Stretch], value: Stretch) -> list[Stretch]:
    """The stretches with another put where it stands: behind what is left of it on its line, or above what is lower."""
    near = 0.6 * value.size
    beside = [n for n, s in enumerate(stretches) if abs(s.y - value.y) < near and s.left < value.left]
    if beside:
        label = max(beside, key=lambda n: stretches[n].left)
        return [*stretches[: label + 1], replace(value, y=stretches[label].y), *stretches[label + 1 :]]
    below = next((n for n, s in enumerate(stretches) if s.y < value.y), len(stretches))
    return [*stretches[:below], value, *stretches[below:]]


def _language(file: Any) -> str:
    """The language that the PDF states for itself, "" if none."""
    import pypdfium2.raw as pdfium

    return _wide(lambda buffer, size: pdfium.FPDFCatalog_GetLanguage(file, buffer, size))[:100]


def _stretches(
    textpage: Any, sheet: Any, seen: _Seen, grids: Grids, known: frozenset[Place] = frozenset()
) -> Iterator[Stretch]:
    """
    The stretches of a page, without the letters that are `known`, in the order of its content; a new one at a line end, a wide gap,
    a step back or a line of a table. Letters that lie outside the page, or are drawn twice to look bold, are left out.
    """
    page = Letters(textpage)
    sight = Sight(page, sheet)
    written = put_right(page, seen.label, Signs() if known else seen.signs, seen.shapes.of(page, seen.label))
    written |= sight.underlined
    if not known:
        seen.shapes.read.update((chr(page.code(n)), sign) for n, sign in sight.underlined.items())
    objects = page.objects()
    height = sheet.get_height()
    edges = sheet.get_cropbox()
    letters: list[str] = []
    sizes: Counter[float] = Counter()
    bold = marks = 0
    start = end = line = 0.0
    slanted = follows = False
    turns = 0
    raised_from = -1  # where in `letters` raised ones begin
    before: int | None = None  # the text object of the letter before, None after a space
    drawn: int | None = None  # the text object that was asked last whether it is `faint`
    faint = False
    cell: tuple[int, int] | None = None  # that the word before stands in
    last = -1  # the letter whose right end is not looked up yet
    look: Look | None = None

    def taken() -> Iterator[Stretch]:
        nonlocal letters, bold, marks, follows, before, raised_from
        lift()
        text = _joined(letters).strip()
        if text and sizes:
            yield Stretch(text, start, end, line, sizes.most_common(1)[0][0], 2 * bold > marks, slanted, follows, turns)
        letters, bold, marks, follows, before = [], 0, 0, False, None
        sizes.clear()

    def ends(index: int, seen: Look) -> float:
        """The right end of a letter on its line, however the line is turned."""
        left, right, bottom, top = page.box(index)
        return (right, top, -left, -bottom)[seen.turns]

    def lift() -> None:
        """Figures that stand raised are written so: "10" and a raised "6" are not 106."""
        nonlocal raised_from
        if raised_from >= 0 and (told := raised("".join(letters[raised_from:]))):
            letters[raised_from:] = [told]
        raised_from = -1

    for index, code in enumerate(page.codes()):
        if code == DROPPED or (known and page.place(index) in known):
            continue
        plain = 0x21 <= code < 0x7F and code != 0x2D
        if not plain and index not in written:
            if page.is_hyphen(index):
                # pdfium stands a control character for the hyphen at a line end, and leaves the line end out.
                if last >= 0 and look is not None:
                    end, last = max(end, ends(last, look)), -1
                letters.append("-")
                yield from taken()
                continue
            char = chr(code)
            if char.isspace() or code == 0:
                if last >= 0 and look is not None:
                    end, last = max(end, ends(last, look)), -1
                before = None
                if char in "\r\n":
                    yield from taken()
                else:
                    letters.append(" " if code in (0, 0x20) else char)
                continue
        address = objects[index]
        if (
            last >= 0
            and letters
            and letters[-1] == chr(code)
            and address != before  # one sign for two letters, "ff", has both at one place
            and look is not None
            and page.covers(last, index, look.size)
        ):
            continue
        if address is None or address != drawn:
            drawn, faint = address, sight.is_faint(address, index)
        if (faint and sight.hides(index)) or index in sight.left_out:
            continue
        if address is None or address != before:
            if last >= 0 and look is not None:
                end, last = max(end, ends(last, look)), -1
            before_it, look = look, page.look(address, index)
            left, right, bottom, top = page.box(index)
            if right < edges[0] - 1 or left > edges[2] + 1 or top < edges[1] - 1 or bottom > edges[3] + 1:
                before = None
                continue
            low, baseline = (
                (left, look.y), (bottom, height - look.x), (-right, height - look.y), (-top, look.x)
            )[look.turns]  # fmt: skip
            where = grids.at((left + right) / 2, (bottom + top) / 2) if grids.found else None
            if where != cell:
                # Words of a sentence that a line of a drawing runs through stand as close as ever.
                close = 0.1 * look.size > abs(baseline - line) and -0.1 < (low - end) / look.size < TOUCHING
                goes_on = close and chr(code).isalpha() and "".join(letters[-3:]).rstrip()[-1:].isalpha()
                yield from taken()
                cell, follows = where, goes_on
            if letters and sizes:
                size = look.size
                usual = sizes.most_common(1)[0][0]
                gap = low - end
                small = min(size, usual)  # a raised note number is smaller than its line
                near = size < 0.8 * usual and 0 < baseline - line < 0.6 * usual and -0.5 * usual < gap < 0.4 * usual
                if _is_raised_before(usual, size, line - baseline, gap) and (mark := _number_of_note("".join(letters))):
                    spaced = chr(code).isalnum() and (gap > 0.05 * size or letters[-1].isspace())
                    letters = [mark, " "] if spaced else [mark]
                    sizes.clear()
                    sizes[size] += 1
                    line, gap, usual = baseline, 0.0, size
                off = gap > WIDE_GAP * size or gap < -2 * size or (abs(baseline - line) > 0.8 * small and not near)
                if look.tilted != slanted or (off and not look.tilted):
                    yield from taken()
                elif near and baseline - line > 0.15 * usual and (chr(code).isdigit() or not letters[-1].isspace()):
                    if raised_from < 0:
                        while letters[-1:] == [" "]:  # some files set one before the number of a note
                            letters.pop()
                        raised_from = len(letters)
                elif gap > NARROW_GAP * size and letters[-1].isspace() and not look.tilted:
                    yield from taken()
                    follows = True
                else:
                    if raised_from >= 0 and letters[-1] == " " and gap < SPACE * size:
                        letters.pop()  # pdfium gives one where a raised mark ends, though nothing parts it from the next sign
                    lift()
                    if (
                        before_it is not None
                        and before_it.size < 0.8 * size
                        and gap > SPACE * size
                        and chr(code).isalnum()
                    ):
                        letters.append(" ")  # pdfium gives none between a lowered letter and the next word
            if not sizes:
                letters = []
                start, end, line, slanted, turns = low, low, baseline, look.tilted, look.turns
            before = address
        # A code without a meaning at the beginning of a line is a bullet of a symbol font.
        letters.append(
            written.get(index)
            or (
                "•"
                if 0x80 <= code < 0xA0 and not letters and page.code(min(index + 1, page.count - 1)) == 0x20
                else chr(code)
            )
        )
        last = index
        assert look is not None
        sizes[look.size] += 1
        marks += 1
        bold += look.bold
    if last >= 0 and look is not None:
        end = max(end, ends(last, look))
    yield from taken()
    if not known:  # the letters of a form come with those that were counted before
        seen.unseen += sight.unseen
        seen.struck += sight.struck


def _once(stretches: list[Stretch]) -> list[Stretch]:
    """The stretches without those that are drawn once more over themselves."""
    found: list[Stretch] = []
    places: defaultdict[str, list[Stretch]] = defaultdict(list)
    for stretch in stretches:
        near = DOUBLED * stretch.size
        same = places[stretch.text]
        if not any(abs(s.left - stretch.left) < near and abs(s.y - stretch.y) < near for s in same[-4:]):
            same.append(stretch)
            found.append(stretch)
    return found


def _joined_again(stretches: list[Stretch], items_whole: bool = True) -> list[Stretch]:
    """
    The stretches of a page, those joined that a narrow gap parts where no other line has a border at that place, and
    an item's mark with its text, unless a third stretch makes a row of a table of them or not `items_whole`.
    """
    borders = {round(s.left) for s in stretches if not s.follows}
    ends = Counter(round(s.right) for s in stretches if _FIGURE.match(s.text))
    begins = Counter(round(s.left) for s in stretches if s.follows)

    def is_often(place: float, places: Counter[int]) -> bool:
        return sum(places[round(place) + n] for n in (-1, 0, 1)) >= FEWEST_ENDS

    def parts_columns(one: Stretch, other: Stretch, first: bool) -> bool:
        """
        Whether one ends where figures end below each other, and the other does so too or, where one is not the `first` of its line,
        begins where others do so.
        """
        if not is_often(one.right, ends):
            return False
        figures = _FIGURE.match(one.text) and _FIGURE.match(other.text)
        begins_there = other.follows and not first and is_often(other.left, begins)
        return begins_there or bool(figures and is_often(other.right, ends))

    found: list[Stretch] = []
    for number, stretch in enumerate(stretches):
        before = found[-1] if found else None
        is_mark = items_whole and before is not None and items.is_marker(before.text)
        marked = is_mark and before is not None and _beside(before, stretch)
        if marked and before is not None and not items.BULLETED.match(f"{before.text} x"):
            following = stretches[number + 1] if number + 1 < len(stretches) else None
            earlier = found[-2] if len(found) > 1 else None
            marked = not (
                (following is not None and not following.follows and _beside(stretch, following, WIDEST_MARK * 4))
                or (earlier is not None and _beside(earlier, before, WIDEST_MARK * 4))
            )
        at_border = any(round(stretch.left) + step in borders for step in (-1, 0, 1))
        both = (before.text, stretch.text) if before is not None else ()
        dashes = any(map(_NOTHING.match, both)) and all(map(_NO_WORDS.match, both))
        first = not any(level(s, found[-1]) and s.right < found[-1].left for s in found[-WRAPPED_LINES - 1 : -1])
        columns = before is not None and parts_columns(before, stretch, first)
        apart = dashes or columns
        joined = stretch.follows and not apart and (not at_border or is_mark)
        if before is None or not (joined or (marked and not apart)):
            found.append(stretch)
            continue
        longer = max(before, stretch, key=lambda s: len(s.text))
        found[-1] = replace(
            before,
            text=f"{before.text} {stretch.text}",
            right=max(before.right, stretch.right),
            size=longer.size,
            bold=longer.bold,
        )
    return found


def _with_marks(stretches: list[Stretch]) -> list[Stretch]:
    """The stretches with a small raised figure, the number of a note, as the end of the line before it, or as the beginning of the next."""
    found: list[Stretch] = []
    for stretch in stretches:
        mark = found[-1] if found else None
        if (
            mark is not None
            and stretch.turns == mark.turns
            and stretch.size < 0.8 * mark.size
            and 0.1 * mark.size < stretch.y - mark.y < 0.7 * mark.size
            and -0.1 * mark.size < stretch.left - mark.right < 0.3 * mark.size
            and (told := _number_of_note(stretch.text))
        ):
            found[-1] = replace(mark, text=mark.text + told, right=stretch.right)
        elif (
            mark is not None
            and _is_raised_before(mark.size, stretch.size, mark.y - stretch.y, stretch.left - mark.right)
            and (told := _number_of_note(mark.text))
        ):
            apart = " " if stretch.left - mark.right > 0.05 * stretch.size and stretch.text[0].isalnum() else ""
            found[-1] = replace(stretch, text=f"{told}{apart}{stretch.text}", left=mark.left)
        else:
            found.append(stretch)
    return found


def _fractions(stretches: list[Stretch]) -> list[Stretch]:
    """
    The stretches with fractions that are drawn small, a raised figure and a stroke, as such: „48 1/2“, not „48¹ /2“; and what ends a
    part of a sentence right behind a raised mark joined with it, where pdfium sees a new line.
    """
    found: list[Stretch] = []
    for stretch in stretches:
        before = found[-1] if found else None
        if (
            before is not None
            and level(before, stretch)
            and ((re.match(r"[⁄/]\d", stretch.text) and before.text[-1:] in _RAISED) or stretch.text[0] in ",;:)")
            and abs(stretch.left - before.right) < 0.5 * stretch.size
        ):
            found[-1] = replace(before, text=before.text + stretch.text, right=stretch.right)
        else:
            found.append(stretch)
    return [replace(s, text=_FRACTION.sub(_as_fraction, s.text)) if _FRACTION.search(s.text) else s for s in found]


_RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_FRACTION = re.compile(rf"(?<=(.))?([{_RAISED}]+) ?([⁄/]\d+)")


def _as_fraction(found: re.Match[str]) -> str:
    figures = unicodedata.normalize("NFKC", found[2])
    return f"{' ' if found[1] and found[1].isalnum() else ''}{figures}{found[3]}"


def _is_raised_before(small: float, size: float, rise: float, gap: float) -> bool:
    """Whether something of size `small` is raised, by `rise`, before a line of letters of `size` that begins `gap` after it."""
    return small < 0.8 * size and 0.1 * size < rise < 0.7 * size and -0.1 * size < gap < size


def _number_of_note(text: str) -> str:
    """A text as the raised number that stands before a note; "" if it is none."""
    return raised(text.strip()) or ""


def _in_order(stretches: list[Stretch], height: float, beside: bool = False) -> list[Stretch]:
    """
    The stretches of a page, those moved that the file draws after what stands below them: where the order steps up, and all
    down to the next such step has no other line beside it, its place is before what stands below. A column, or a cell,
    beside another stays, and so do one or two lines at the edges of the page, whose place says nothing. What is turned
    otherwise than most comes last.

    With `beside`, for a page whose order is in doubt, each text of a column is moved too, before what stands right below it.
    """
    most = Counter(one.turns for one in stretches).most_common(1)[0][0] if stretches else 0
    turned = [one for one in stretches if one.turns != most]
    runs: list[list[list[Stretch]]] = []
    for row in _rows([one for one in stretches if one.turns == most]):
        if runs and row[0].y < runs[-1][-1][0].y:
            runs[-1].append(row)
        else:
            runs.append([row])
    if len(runs) > MOST_STEPS:
        return stretches
    placed: list[list[Stretch]] = []
    edges: set[int] = set()
    lowest = height
    moves = 0
    for run in runs:
        if len(run) < 3 and not any(MARGIN * height < row[0].y < (1 - MARGIN) * height for row in run):
            edges |= set(map(id, run))
            placed += run
            continue
        for part in _without_gaps(run) if beside else [run]:
            bottom = part[-1][0].y - 0.9 * part[-1][0].size
            at = len(placed)
            if bottom > lowest:
                moves += 1
                if moves > MOST_STEPS:
                    return stretches
                at = _place_of(part, placed, bottom, edges, beside)
            placed[at:at] = part
            lowest = min(lowest, part[-1][0].y)
    # The first cell of a row that comes before a name that stands over the others.
    for n in range(len(placed) - 2):
        first, above, others = placed[n : n + 3]
        if (
            level(first[0], others[0])
            and len(others) > 1
            and above[0].y > first[0].y
            and first[-1].right < min(above[0].left, others[0].left)
        ):
            placed[n : n + 2] = [above, first]
    return [*(stretch for row in placed for stretch in row), *turned]


def _without_gaps(run: list[list[Stretch]]) -> Iterator[list[list[Stretch]]]:
    """Lines that go down the page, parted where a gap is wider than between the lines of a text."""
    start = 0
    for number, (above, below) in enumerate(pairwise(run), start=1):
        if above[0].y - below[0].y > FARTHEST_LINE * max(above[0].size, below[0].size):
            yield run[start:number]
            start = number
    yield run[start:]


def _place_of(
    part: list[list[Stretch]], placed: list[list[Stretch]], bottom: float, edges: set[int], moves: bool
) -> int:
    """
    The number of the row before which lines stand that end at `bottom`: the first that is lower, or where others stand beside them
    and it `moves` them the first of those right below them; `edges` are rows whose place says nothing.
    """
    top = part[0][0].y + 0.9 * part[0][0].size
    left, right = min(s.left for row in part for s in row), max(s.right for row in part for s in row)
    alone = not any(bottom <= row[0].y <= top for row in placed)

    def is_below(row: list[Stretch]) -> bool:
        return any(2 * (min(s.right, right) - max(s.left, left)) > min(s.right - s.left, right - left) for s in row)

    lower = (n for n, row in enumerate(placed) if row[0].y < bottom and id(row) not in edges)
    return next((n for n in lower if alone or (moves and is_below(placed[n]))), len(placed))


def _beside(one: Stretch, other: Stretch, gap: float = 0.0) -> bool:
    """Whether the other stands on the same line, to the right, not further than `gap` letters (of its size)."""
    return level(one, other) and 0 < other.left - one.right < (gap or WIDEST_MARK) * other.size


def _joined(letters: list[str]) -> str:
    """Letters as one text: surrogate pairs made whole, control characters made spaces, bare spaces single."""
    text = "".join(letters).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub(r" {2,}", " ", _unspaced(re.sub("[\ufffe\uffff]", " ", clean(text))))


def _unspaced(text: str) -> str:
    """A line whose capitals are set apart by spaces, „P R I C E“, as its words; marks and letters in a row (A B C D, M T W T F) stay."""
    letters = [part for part in text.split() if part.isalpha()]
    plain = unicodedata.normalize("NFD", "".join(letters))
    if (
        len(letters) < FEWEST_SPACED
        or any(len(part) > 1 for part in text.split())
        or not all(map(str.isupper, letters))
        or letters == sorted(letters)
        or sum(c in "AEIOUY" for c in plain) < VOWELS * len(letters)
    ):
        return text
    return " ".join("".join(word.split()) for word in re.split(r" {2,}", text.strip()))


@dataclass(frozen=True, slots=True)
class _Reading:
    """The stretches of a page in an order, as rows, of which some, by number, are in `tables`, and as lines."""

    stretches: list[Stretch]
    rows: list[list[Stretch]]
    tables: set[int]
    lines: list[Line]
    order: Order


def _reading(stretches: list[Stretch]) -> _Reading:
    """A page as it is read in the order of its stretches."""
    rows: list[list[Stretch]] = []
    for column in _columns(stretches):
        for wrapped, part in _parted(column):
            rows += part if wrapped else _unwoven(part)
    table = _table_rows(rows)
    _fill_up(rows, table)
    lines: list[Line] = []
    drawn = 0
    for number, row in enumerate(rows):
        if row[0].table:
            drawn += 1
            lines += _drawn_rows(row[0], drawn)
        else:
            lines.append(_line(row, as_cells=number in table))
    return _Reading(stretches, rows, table, lines, order([stretch for row in rows for stretch in row]))


def _columns(stretches: list[Stretch]) -> list[list[Stretch]]:
    """
    The stretches of a page in the columns of text that they are lines of, where the file holds them from top to bottom, a line
    of one and a line of the other in turn, on levels of their own. Lines that reach over both columns part the page.

    The lines of a column stand close below each other and reach to the gap between the columns; those of a table's cells do
    not, on one side at least.
    """
    if len(stretches) < 2 * FEWEST_LINES:
        return [stretches]
    start = min(s.left for s in stretches)
    lefts = Counter(round(s.left / 4) for s in stretches if s.left > start + 100)
    if not lefts:
        return [stretches]
    commonest = lefts.most_common(1)[0][0]
    right = min(s.left for s in stretches if abs(round(s.left / 4) - commonest) <= 1)
    sides = [0 if s.right < right else 1 if s.left >= right else -1 for s in stretches]
    columns = [[s for s, side in zip(stretches, sides, strict=True) if side == which] for which in (0, 1)]
    turns = sum(one != other for one, other in pairwise(side for side in sides if side >= 0))
    edge = start + FULL_LINE * (right - start)
    if (
        min(map(len, columns)) < FEWEST_LINES
        or sum(s.right > edge for s in columns[0]) < 0.4 * len(columns[0])
        or sides.count(-1) > 0.2 * len(sides)
        or turns < 0.5 * len(sides)
        or any(statistics.median(len(s.text) for s in column) < COLUMN_CHARACTERS for column in columns)
        or any(sum(0 < a.y - b.y < 1.4 * b.size for a, b in pairwise(c)) < 0.5 * len(c) for c in columns)
    ):
        return [stretches]
    found: list[list[Stretch]] = []
    parts: tuple[list[Stretch], list[Stretch]] = ([], [])
    for stretch, side in zip(stretches, sides, strict=True):
        if side >= 0:
            parts[side].append(stretch)
            continue
        found += [*_columns(parts[0]), *_columns(parts[1]), [stretch]]
        parts = ([], [])
    return [part for part in [*found, *_columns(parts[0]), *_columns(parts[1])] if part]


def _rows(stretches: list[Stretch]) -> list[list[Stretch]]:
    """The stretches as rows: those that stand on one line, from left to right."""
    rows: list[list[Stretch]] = []
    for stretch in stretches:
        if rows and level(rows[-1][-1], stretch) and stretch.left > rows[-1][-1].right:
            rows[-1].append(stretch)
        else:
            rows.append([stretch])
    return rows


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
    order = {id(stretch): number for number, stretch in enumerate(stretches)}
    plain: list[Stretch] = []
    for number, band in enumerate(bands):
        if number not in wrapped:
            plain += sorted((stretch for lines in band for stretch in lines), key=lambda s: order[id(s)])
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
    taken = 0
    for number, stretch in enumerate(stretches):
        if number < taken:
            continue
        band = bands[-1] if bands else [[]]
        last = band[-1][-1] if bands else None
        if last is None or stretch.table or last.table:
            bands.append([[stretch]])
        elif any(level(cell[0], stretch) for cell in band) and all(
            line.right < stretch.left for lines in band for line in lines
        ):
            band.append([stretch])
        elif len(band) > 1 and _goes_on(band[-1], stretch):
            band[-1].append(stretch)
        elif places := _wrapped_below(bands, stretches, number):
            taken = number + len(places)
            for place, one in zip(places, stretches[number:taken], strict=True):
                band[place].append(one)
        elif (first := _cell_left_of(bands, stretch)) is not None:
            bands[first:] = [[[lines[0] for (lines,) in bands[first:]], [stretch]]]
        elif stretch.y > last.y and last.right < stretch.left and _is_centred(band[0], stretches, number):
            band.append([stretch])
        else:
            bands.append([[stretch]])
    return bands


def _wrapped_below(bands: list[Band], stretches: list[Stretch], number: int) -> list[int]:
    """
    The cells of the last row that go on in the next line, which begins with the stretch of a number: words in half of the cells at
    most. None where a row that stands in line with it, above or below, is as near as that line.
    """
    band = bands[-1]
    first = [cell[0] for cell in band]
    line = _level_from(stretches, number)
    if len(band) < 2 or 2 * len(line) > len(band) or items.is_marker(first[0].text):
        return []
    low = min(cell[-1].y for cell in band)
    places: list[int] = []
    for one in line:
        fitting = (
            n
            for n, cell in enumerate(band)
            if cell[-1].y - low < 0.3 * one.size
            and _goes_on(cell, one)
            and all(one.right < other[0].left for other in band[n + 1 :])
        )
        places.append(-1 if _NO_WORDS.match(one.text) else next(fitting, -1))
    if -1 in places or len(set(places)) < len(places):
        return []
    end = number + len(line)
    below = _level_from(stretches, end)
    longer = [[*cell, line[places.index(n)]] if n in places else cell for n, cell in enumerate(band)]
    step = low - line[0].y
    if below and len(below) < len(band) and line[0].y - below[0].y < ROW_GAP * step:
        return places if _wrapped_below([*bands[-2:-1], longer], stretches, end) else []
    gaps = [line[0].y - below[0].y] if below and _in_line(first, below) else []
    if len(bands) > 1 and _in_line([cell[0] for cell in bands[-2]], first):
        gaps.append(min(cell[-1].y for cell in bands[-2]) - first[0].y)
    return places if gaps and min(gaps) > ROW_GAP * step else []


def _level_from(stretches: list[Stretch], number: int) -> list[Stretch]:
    """The stretches that stand on one line, from left to right, from a number on."""
    line = stretches[number : number + 1]
    for one in stretches[number + 1 :]:
        if not level(line[-1], one) or one.left < line[-1].right:
            break
        line.append(one)
    return line


def _is_centred(cell: list[Stretch], stretches: list[Stretch], number: int) -> bool:
    """Whether the stretches from a number on are the lines of a cell whose middle is that of a cell beside it."""
    lines = [stretches[number]]
    for below in stretches[number + 1 :]:
        if not _goes_on(lines, below):
            break
        lines.append(below)
    return len(lines) > 1 and abs((lines[0].y + lines[-1].y - cell[0].y - cell[-1].y) / 2) < 0.3 * lines[0].size


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
    Where the wrapped cell starts that stands left of a stretch and begins on its line, or has its middle there; None where
    there is none.
    """
    first = None
    for number in range(len(bands) - 1, max(-1, len(bands) - 1 - WRAPPED_LINES), -1):
        band = bands[number]
        if len(band) > 1 or len(band[0]) > 1 or band[0][0].table or band[0][0].right >= stretch.left:
            break
        if number + 1 < len(bands) and not _goes_on(band[0], bands[number + 1][0][0]):
            break
        middle = (band[0][0].y + bands[-1][0][0].y) / 2
        if level(band[0][0], stretch) or abs(middle - stretch.y) < 0.3 * stretch.size:
            first = number
    return first


def _cell(lines: list[Stretch]) -> Stretch:
    """The lines of a cell as one stretch, on the line of the first."""
    return replace(
        lines[0],
        text=run_on(lines),
        left=min(line.left for line in lines),
        right=max(line.right for line in lines),
        bold=all(line.bold for line in lines),
        lines=tuple(lines) if len(lines) > 1 else (),
    )


def _line(row: list[Stretch], as_cells: bool) -> Line:
    longest = max(row, key=lambda stretch: len(stretch.text))
    text = (
        (tables.BAR if as_cells else " ").join(stretch.text for stretch in row).strip(tables.BAR if as_cells else None)
    )
    bold = all(stretch.bold for stretch in row)
    cells = tuple(row) if as_cells else ()
    # A slanted line is a watermark: it stays in the text and is never quoted.
    return Line(text, row[0].left, max(s.right for s in row), row[0].y, longest.size, bold, cells, row[0].slanted)


def _drawn_rows(table: Stretch, number: int) -> list[Line]:
    """The rows of a drawn table as lines."""
    return [
        Line(row.told.text, row.left, row.right, row.y, row.size, row.bold, (table,), row=row.told, table=number)
        for row in table.table
        if row.told.text
    ]


def _unwoven(rows: list[list[Stretch]]) -> list[list[Stretch]]:
    """
    Put two columns one after the other where the file holds them line by line, left and right in turn.

    A gutter is where no stretch of the rows around crosses; rows that do cross it (a title), and rows of
    three and more stretches (a table), part the page.
    """
    pairs = [row for row in rows if len(row) == 2]
    if len(pairs) < 3 or len(pairs) < sum(len(row) > 2 for row in rows):
        return rows
    lefts = Counter(round(row[1].left / 4) for row in pairs)
    commonest = lefts.most_common(1)[0][0]
    aligned = [row for row in pairs if abs(row[1].left / 4 - commonest) <= 1]
    lengths = [len(stretch.text) for row in aligned for stretch in row]
    usual = min(statistics.mean(lengths), statistics.median(lengths))  # the head of a page may be long
    if usual < COLUMN_CHARACTERS or len(aligned) < 0.7 * len(pairs):
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
    Which rows belong to tables: neighbours with as many stretches, standing in line (left, right or middle). One with fewer
    that stand under theirs may lie between two of them.
    """
    found: set[int] = set()
    run = [0]
    for number in range(1, len(rows) + 1):
        full = rows[run[-1]] if rows else []
        if number < len(rows) and len(rows[number]) > 1:
            if _in_line(full, rows[number]):
                run.append(number)
                continue
            goes_on = number + 1 < len(rows) and _in_line(full, rows[number + 1])
            if goes_on and len(rows[number]) < len(full) and _filled(rows[number], full) is not None:
                continue
        # Two rows of two could be any two lines with a tab in them.
        if len(full) > 1 and len(run) * len(full) >= 6 and not (len(run) == 1 and _is_justified(full)):
            found.update(run)
        run = [number]
    return found


def _fill_up(rows: list[list[Stretch]], table: set[int]) -> None:
    """
    Give the rows above, between and below those of a table that have fewer cells empty ones where they have none, and take
    them in: two stretches at least, each in a column of its own.
    """
    for number, step in [*((n, 1) for n in sorted(table)), *((n, -1) for n in sorted(table, reverse=True))]:
        while 0 <= number + step < len(rows):
            full, row = rows[number], rows[number + step]
            near = abs(full[0].y - row[0].y) < FARTHEST_ROW * max(full[0].size, row[0].size)
            filled = _filled(row, full) if near and 1 < len(row) < len(full) else None
            if filled is None:
                break
            rows[number + step] = filled
            table.add(number + step)
            number += step


def _filled(row: list[Stretch], full: list[Stretch]) -> list[Stretch] | None:
    """A row with an empty cell for each column of a full one that it has nothing in; None if its cells are no such columns."""
    places = []
    for stretch in row:
        under = [n for n, cell in enumerate(full) if stretch.left < cell.right and cell.left < stretch.right]
        if (
            len(under) != 1
            or under[0] in places
            or _DOTS.search(stretch.text)
            or not _in_line([full[under[0]]], [stretch])
        ):
            return None
        places.append(under[0])
    filled = [replace(cell, text="", y=row[0].y, bold=row[0].bold) for cell in full]
    for place, stretch in zip(places, row, strict=True):
        filled[place] = stretch
    return filled


def _is_justified(row: list[Stretch]) -> bool:
    """Whether a row is a line whose words were pulled apart: the gaps between them are alike."""
    gaps = [other.left - one.right for one, other in pairwise(row)]
    return max(gaps) - min(gaps) < 0.5 * row[0].size


def _in_line(above: list[Stretch], below: list[Stretch]) -> bool:
    if len(above) != len(below) or above[0].turns != below[0].turns:
        return False
    size = max(above[0].size, below[0].size)
    return all(
        min(abs(a.left - b.left), abs(a.right - b.right), abs(a.left + a.right - b.left - b.right) / 2) < 0.5 * size
        for a, b in zip(above, below, strict=True)
    )


def _mark_running(sheets: list[Sheet]) -> list[Sheet]:
    """
    Mark running headers, footers and page numbers: lines at a page's edge that come back on the other pages.

    On most of the pages, or (chapter titles) as the outermost line on three of the nine pages around. Their numbers stay, or
    count on with the pages: the first rows of a table that goes on over pages differ in their figures.
    """
    edges: list[list[int]] = []
    places: defaultdict[str, list[tuple[int, float, tuple[str, ...]]]] = defaultdict(list)
    for page, sheet in enumerate(sheets):
        by_height = sorted(range(len(sheet.lines)), key=lambda number: sheet.lines[number].y)
        edges.append([*by_height[-2:], *(number for number in by_height[:2] if number not in by_height[-2:])])
        for number in edges[-1]:
            text = sheet.lines[number].text
            places[_without_numbers(text)].append((page, sheet.lines[number].y, _numbers(text)))
    most = max(2, RUNNING_SHARE * sum(bool(sheet.lines) for sheet in sheets))
    marked = []
    for page, (sheet, edge) in enumerate(zip(sheets, edges, strict=True)):
        lines = list(sheet.lines)
        heights = [line.y for line in lines]
        for number in edge:
            line = lines[number]
            own = _numbers(line.text)
            same = {
                other
                for other, y, numbers in places[_without_numbers(line.text)]
                if abs(y - line.y) < 3 and _counts_on(own, numbers, other - page)
            }
            outermost = line.y in (max(heights), min(heights))
            running = len(same) >= most or (outermost and sum(abs(other - page) <= 4 for other in same) >= 3)
            bare = _PAGE_NUMBER.fullmatch(line.text)
            numbered = bare is not None and bare[1] in (sheet.label, str(page + 1))
            in_margin = not MARGIN * sheet.height < line.y < (1 - MARGIN) * sheet.height
            if len(lines) > 1 and in_margin and (running or numbered):
                lines[number] = replace(line, running=True)
        marked.append(replace(sheet, lines=tuple(lines)))
    return marked


def _numbers(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\d+", text))


def _counts_on(own: tuple[str, ...], other: tuple[str, ...], pages: int) -> bool:
    """Whether each number of a line is the same in the other, so many pages on, or greater by the pages in between."""
    return own == other or (
        len(own) == len(other)
        and all(
            a == b or (max(len(a), len(b)) < 9 and int(b) - int(a) == pages) for a, b in zip(own, other, strict=True)
        )
    )


def _without_numbers(text: str) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "0", text.lower())


def _mark_items(sheets: list[Sheet]) -> list[Sheet]:
    """Mark the lines that begin with a bullet or with the number of an item."""
    places = [(page, number) for page, sheet in enumerate(sheets) for number in range(len(sheet.lines))]
    lines = (sheets[page].lines[number] for page, number in places)
    marks = items.marks(None if line.running or line.cells else line.text for line in lines)
    lengths = {places[at]: length for at, length in marks.items()}
    return [
        replace(sheet, lines=tuple(replace(x, mark=lengths.get((page, n), 0)) for n, x in enumerate(sheet.lines)))
        for page, sheet in enumerate(sheets)
    ]


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
        sheets = [self._groups(sheet) for sheet in self.sheets]
        goes_on = False  # the first paragraph of this page begins on the one before
        for number, sheet in enumerate(self.sheets, start=1):
            if number > 1:
                parts.append(PAGE_BREAK)
                length += len(PAGE_BREAK)
            start = length
            body = [group for group in sheets[number - 1] if not group[0].running]
            runs_on = number < len(sheets) and self._runs_on(body, sheets[number])
            if goes_on and runs_on and len(body) == 1:
                runs_on = False  # a page of one paragraph has no place for what stands at its edges
            for group in self._ordered(sheets[number - 1], goes_on, runs_on):
                if length > start:
                    gap = "\n" if group[0].cells and blocks and blocks[-1].kind == "table_row" else "\n\n"
                    parts.append(gap)
                    length += len(gap)
                text = "\n".join(line.text for line in group)
                parts.append(text)
                if goes_on:
                    blocks[-1] = replace(blocks[-1], end=length + len(text.rstrip()))
                    goes_on = False
                elif not group[0].running:
                    blocks += self._blocks(group, text, length, number)
                length += len(text)
            goes_on = runs_on
            pages.append(Page(number, sheet.label, start, length))
        return "".join(parts), blocks, pages

    def _runs_on(self, body: list[list[Line]], following: list[list[Line]]) -> bool:
        """Whether the last paragraph of a page goes on in the first of the next."""
        below = next((group for group in following if not group[0].running), None)
        if not body or below is None:
            return False
        last, first = body[-1][-1], below[0]
        return (
            not (last.cells or first.cells or first.mark)
            and abs(last.size - first.size) <= 0.07 * max(last.size, first.size)
            and _SENTENCE_END.search(last.text) is None
            and _LEADER.search(last.text) is None
            and (first.text[:1].islower() or (last.text.endswith("-") and first.text[:1].isalpha()))
            and not self._heading_level(body[-1], "\n".join(line.text for line in body[-1]))
            and not self._heading_level(below, "\n".join(line.text for line in below))
        )

    def _ordered(self, groups: list[list[Line]], goes_on: bool, runs_on: bool) -> list[list[Line]]:
        """The groups of a page, a paragraph that comes from or goes to another page at the page's very edge."""
        if not goes_on and not runs_on:
            return groups
        edges = [group for group in groups if group[0].running]
        body = [group for group in groups if not group[0].running]
        if goes_on and not runs_on:
            return [*body, *edges]
        return [*body[:1], *edges, *body[1:]] if goes_on else [*edges, *body]

    def _groups(self, sheet: Sheet) -> list[list[Line]]:
        """The lines of a page as groups that each become one block; the rows of one table are one group."""
        edge = _right_edges(sheet.lines)
        step = self._step(sheet, edge)
        groups: list[list[Line]] = []
        for line in sheet.lines:
            if groups and not self._breaks(groups[-1], line, edge, step):
                groups[-1].append(line)
            else:
                groups.append([line])
        return groups

    def _step(self, sheet: Sheet, edge: dict[int, float]) -> float:
        """How far apart the lines of a text stand on a page, at least as far as in the document: where full ones just go on."""
        inner = [
            (above.y - below.y) / below.size
            for above, below in pairwise(sheet.lines)
            if above.size == self.size and not (above.cells or below.cells) and _just_goes_on(above, below, edge)
        ]
        inner = [step for step in inner if 0.8 < step < 3]
        return max(self.step, statistics.median(inner)) if len(inner) >= FEWEST_INNER else self.step

    def _breaks(self, group: list[Line], line: Line, edge: dict[int, float], usual: float) -> bool:
        """Whether `line` starts a new block after the lines of `group`, where lines stand so far apart as `usual`."""
        above, first = group[-1], group[0]
        if above.running or line.running:
            return True
        if above.cells or line.cells:
            return len(above.cells) != len(line.cells) or above.table != line.table
        if bool(_LEADER.search(above.text)) != bool(_LEADER.search(line.text)):
            return True
        if abs(above.size - line.size) > 0.07 * max(above.size, line.size):
            return True
        ended = _SENTENCE_END.search(above.text) is not None
        step = above.y - line.y
        if step < 0.2 * line.size:  # up to the next column: a sentence may run on there
            return ended or not line.text[:1].islower()
        if step > PARAGRAPH_GAP * usual * line.size and not (
            # In letters of which the page has few.
            step < FARTHEST_LINE * line.size and len(above.text) > LONG_LINE and _just_goes_on(above, line, edge)
        ):
            return True
        # A bold line above a plain one is a heading, unless the sentence just goes on.
        if above.bold != line.bold and not line.text[:1].islower() and all(x.bold == above.bold for x in group):
            return True
        listed = first.mark > 0
        if (line.mark or items.NUMBERED.match(line.text)) and (listed or ended):
            return True
        # The next line of an item stands left of its mark only where the one above is full.
        if (
            listed
            and line.left < first.left - 0.5 * line.size
            and above.right < SHORT * edge.get(round(line.left / 10), above.right)
        ):
            return True
        if listed and ended and line.left <= first.left + 0.5 * line.size and first.left < above.left:
            return True
        if not listed and ended and line.left > above.left + 0.8 * line.size:
            return True
        width = edge.get(round(above.left / 10), above.right) - above.left
        short = above.right - above.left < 0.8 * width
        return ended and short and not above.text.endswith((":", ";"))

    def _blocks(self, group: list[Line], text: str, offset: int, page: int) -> list[Block]:
        if group[0].row is not None:
            return _row_blocks(group, offset)
        if group[0].cells:
            return self._rows(group, offset)
        start, end = trimmed(text, 0, len(text))
        if start == end or all(_LEADER.search(line.text) for line in group):
            return []  # nothing there, or a table of contents, which says nothing itself
        if text.count("\ufffd") > GARBLED_SHARE * len(text):
            return []  # letters that nobody can read, which a warning names
        kind: BlockKind = "paragraph"
        level = 0
        if heading := self._heading_level(group, text):
            kind, level = "heading", heading
            self.headings.append((page, group[0].size, one_line(text)))
        elif group[0].mark:
            kind, start = "list_item", group[0].mark
        return [Block(kind, offset + start, offset + end, level)]

    def _rows(self, group: list[Line], offset: int) -> list[Block]:
        """One block a row; the first is the header if it alone is bold, or if the figures below show it."""
        first = group[0]
        rest = [line for line in group if line.text != first.text]  # a header comes back where a table goes on
        names = [cell.text for cell in first.cells]
        alone_bold = first.bold and not any(line.bold for line in rest) and tables.may_be_header(names)
        headed = alone_bold or tables.shows_header(names, [[cell.text for cell in line.cells] for line in rest])
        header = first.text if headed and rest else ""
        blocks = []
        for line in group:
            if not header or line.text != header:
                begins = next(n for n, cell in enumerate(line.cells) if cell.text)
                own = tables.BAR.join(names[begins:]).rstrip(tables.BAR).lstrip() if header else ""
                blocks.append(Block("table_row", offset, offset + len(line.text), header=own))
            offset += len(line.text) + 1
        return blocks

    def _heading_level(self, group: list[Line], text: str) -> int:
        """
        The level of a heading from 1, 0 when the group is none: it is larger, or bold in a text that is not.
        """
        if not any(c.isalpha() for c in text) or items.BULLETED.match(text):
            return 0
        larger = min(line.size for line in group) >= HEADING_SIZE * self.size
        if larger and len(group) <= 3 and len(text) <= 200 and not _is_sentence(text):
            return self.levels[round(group[0].size * 2)]
        bold = all(line.bold for line in group) and not self.bold_body and group[0].size >= 0.95 * self.size
        if bold and len(group) <= 2 and len(text) <= 120 and not re.search(rf"[.;,:]{_NOTES}\Z", text):
            return min(len(self.levels) + 1, 6)
        return 0


def _row_blocks(group: list[Line], offset: int) -> list[Block]:
    """One block a row of a drawn table, but for those of its header."""
    blocks = []
    for line in group:
        if line.row is not None and not line.row.is_header:
            blocks.append(Block("table_row", offset, offset + len(line.text), header=line.row.header))
        offset += len(line.text) + 1
    return blocks


def _is_sentence(text: str) -> bool:
    """Whether a larger text is a sentence rather than a heading, by its end and its length."""
    return len(text) > LONGEST_HEADING_WITH_STOP and re.search(rf"[^.][.;]{_NOTES}\Z", text) is not None


def _just_goes_on(above: Line, below: Line, edge: dict[int, float]) -> bool:
    """Whether a line is full and its sentence just goes on in the one below, in letters of the same size."""
    return (
        above.size == below.size
        and abs(above.left - below.left) < below.size
        and above.right - above.left > FULL_TEXT * (edge[round(above.left / 10)] - above.left)
        and _SENTENCE_END.search(above.text) is None
        and below.text[:1].islower()
    )


def _right_edges(lines: tuple[Line, ...]) -> dict[int, float]:
    """How far the lines that start at about the same place reach, by their left end in tens of points."""
    edges: dict[int, float] = {}
    for line in lines:
        key = round(line.left / 10)
        for near in (key - 1, key, key + 1):
            edges[near] = max(edges.get(near, 0.0), line.right)
    return edges


def _without_garbled(sheets: list[Sheet], document: str) -> tuple[list[Sheet], list[str]]:
    """
    Refuse letters that the fonts of the PDF give no meaning to, or a wrong one; where that is so on a few pages, what
    stands there is not quoted, and a warning names them.
    """
    texts = ["\n".join(line.text for line in sheet.lines) for sheet in sheets]
    marks = [c for c in "".join(texts) if not c.isspace()]
    bad = sum(c == "\ufffd" or unicodedata.category(c) in ("Co", "Cn") for c in marks)
    if bad > GARBLED_SHARE * len(marks):
        raise UnreadableDocument(
            document, "Its fonts do not say which letters they draw, so its text cannot be read.", _OCR_AGAIN
        )
    mixed = [number for number, text in enumerate(texts) if not are_words(text)]
    if not are_words("\n".join(texts)) or sum(len(texts[n]) for n in mixed) > GARBLED_SHARE * sum(map(len, texts)):
        raise UnreadableDocument(
            document, "Its fonts say other letters than they draw, so its text cannot be read.", _OCR_AGAIN
        )
    if not mixed:
        return sheets, []
    quoted = list(sheets)
    for number in mixed:
        lines = tuple(replace(line, running=True) for line in sheets[number].lines)
        quoted[number] = replace(sheets[number], lines=lines)
    named = _listed([sheets[number].label for number in mixed])
    return quoted, [
        f"Pages whose fonts say other letters than they draw, and that are not quoted: {named}. {_OCR_AGAIN}"
    ]
