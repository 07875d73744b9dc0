"""
DOCX → text and blocks, from the document's XML in body order.

python-docx opens the package and knows the styles; the walk is our own, because its paragraphs leave out what
lies in content controls, text boxes, notes and formulas, and know no numbers of lists.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any

from clusterqa.documents import tables
from clusterqa.documents.charts import add_chart, drawn_over
from clusterqa.documents.docx_numbers import Numbers, written
from clusterqa.documents.drawing import DIAGRAM, NEW_CHART, is_hidden, of_diagram, words
from clusterqa.documents.encoding import decode, mojibake
from clusterqa.documents.extract import (
    Extract,
    TextBuilder,
    first_heading,
    is_page_number,
    left_out,
    one_line,
    unknown_signs,
)
from clusterqa.documents.formulas import equation, omml
from clusterqa.documents.metadata import Metadata, language_of
from clusterqa.documents.packages import ZIP_BROKEN, parsed, refuse_zip_bomb, transitional
from clusterqa.documents.symbols import UNKNOWN, is_symbol_font, low, raised, sign, spoken, symbol_field
from clusterqa.errors import UnreadableDocument

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_WP = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}"
_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_LOCKED = "{http://schemas.openxmlformats.org/drawingml/2006/lockedCanvas}lockedCanvas"
_WORD_ART = "{urn:schemas-microsoft-com:vml}textpath"
_SIGN_EX = "{http://schemas.microsoft.com/office/word/2015/wordml/symex}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_OBJECT = "{urn:schemas-microsoft-com:office:office}OLEObject"

# Built-in style names as Word writes them in English and Lithuanian, LibreOffice in both.
_HEADING_STYLE = re.compile(r"(?:heading|antraštė|antraste)\s*([1-9])\b", re.IGNORECASE)
_TITLE_STYLE = re.compile(r"(?:title|pavadinimas|antraštė)\Z", re.IGNORECASE)
_CONTENTS_STYLE = re.compile(r"(?:toc|contents|turinys|turinio)\s*(?:\d|heading|antraštė)", re.IGNORECASE)
_LIST_STYLE = re.compile(r"(?:list|sąrašas|sąrašo)\b", re.IGNORECASE)
_NO_TITLE = re.compile(
    r"(?:untitled|be pavadinimo|word document|microsoft word.*|dokumentas ?\d*|document ?\d*)\Z", re.I
)
RAISED = 4
"""Half points; figures that stand so much above their line are raised."""

_FORMULA_FIELD = re.compile(r"\s*EQ\s+(.*)", re.IGNORECASE | re.DOTALL)
_PAGE_FIELD = re.compile(r"\s*(?:page|numpages|sectionpages|section)\b", re.IGNORECASE)
_NUMBER_FIELD = re.compile(r"\s*(?:listnum|autonum(?:lgl|out)?)\b", re.IGNORECASE)
_PROMPT_FIELD = re.compile(r"\s*macrobutton\s+\S+\s+\S", re.IGNORECASE)


def extract(raw: bytes, document: str) -> Extract:
    """
    Read a Word document. Raises UnreadableDocument for one that is broken, holds no text, or would unzip to
    too much.

    The numbers that Word draws before items and headings are worked out; a note stands after the paragraph with its
    mark. Changes that were tracked count as accepted; hidden text, placeholders, tables of contents and field codes
    are left out. Comments, pictures and embedded files are named in warnings.
    """
    refuse_zip_bomb(raw, document)
    import docx
    from docx.oxml.exceptions import XmlchemyError
    from lxml import etree

    try:
        package = docx.Document(io.BytesIO(transitional(raw)))
        reader = _Reader(package, document)
        reader.read()
        properties = package.core_properties
        title, language = properties.title, properties.language
    except (
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        *ZIP_BROKEN,
        etree.LxmlError,
        XmlchemyError,
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
    warnings = [*mojibake(text, document), *reader.warnings()]
    title = one_line(title or "")
    metadata = Metadata(
        title=title if title and not _NO_TITLE.match(title) else first_heading(text, builder.blocks) or None,
        language=language_of(language) if language else None,
    )
    return Extract(text, tuple(builder.blocks), metadata, warnings=tuple(warnings))


@dataclass(slots=True)
class _Notes:
    """The notes of one kind: their texts by id, how they are counted and from where, and the marks given so far."""

    texts: dict[str, str]
    kind: str
    start: int = 1
    anew: str = ""
    """Where they are counted anew: "eachSect", "eachPage", or nowhere."""
    given: int = 0
    """How many have a mark since they were counted anew."""
    marks: dict[str, str] = field(default_factory=dict)

    def mark(self, name: str) -> str:
        if name not in self.marks:
            mark = written(self.start + self.given, self.kind)
            self.given += 1
            # A small Roman numeral in brackets, as Unicode has no raised one.
            high = mark if self.kind == "chicago" else None if "Roman" in self.kind else raised(mark)
            self.marks[name] = high or (f"[{mark}]" if mark else "")
        return self.marks[name]


@dataclass(frozen=True, slots=True)
class _Style:
    """What a paragraph's style says, with the styles it is based on: the names, the outline level, its list."""

    names: tuple[str, ...] = ()
    outline: int | None = None
    listed: bool = False
    list: int | None = None
    level: int | None = None
    id: str = ""
    bold: bool = False


class _Reader:
    """Walks one document's body; `builder` holds what was read."""

    def __init__(self, package: Any, document: str) -> None:
        self.builder = TextBuilder()
        self.document = document
        self.package = package
        self.part = package.part
        self.body = package.element.body
        self.styles = {style.style_id: style for style in package.styles if style.type is not None}
        self.default_style = next(
            (s for s in package.styles if s.element.get(f"{_W}default") == "1" and s.type == 1), None
        )
        self.known: dict[str, _Style] = {}
        self.looks: dict[tuple[str, str], Any] = {}
        self.roots = [self.body]
        """What is seen of the document: the body, then the notes, the headers and the footers."""
        numbering = self._related("/numbering")
        self.numbers = Numbers(numbering, {name: n for name in self.styles if (n := self._list_of_style(name))})
        self.pending: list[str] = []
        self.carried = ""
        self.missing: list[str] = []
        self.unknown_signs = self.charts = self.uncounted = self.prompts = 0
        self.grounds: dict[Any, bool] = {}
        margins = [
            r.target_part
            for r in self.part.rels.values()
            if r.reltype.endswith(("/header", "/footer")) and not r.is_external
        ]
        roots = (self.body, *map(_root, margins))
        behind = (anchor.get("behindDoc") for root in roots for anchor in root.iter(f"{_WP}anchor"))
        drawn = (shape.get("style") or "" for root in roots for shape in root.iter("{urn:schemas-microsoft-com:vml}*"))
        self.has_grounds = (
            "1" in behind
            or any("z-index:-" in look for look in drawn)
            or package.element.find(f"{_W}background") is not None
        )
        """Whether a colour of the page, or something behind its text, may make white letters seen."""
        self.fields: list[str] | None = []
        self.skip_page_fields = False
        self.notes = {
            "footnote": self._counted_notes("footnote", "decimal"),
            "endnote": self._counted_notes("endnote", "lowerRoman"),
        }

    # ── the document ────────────────────────────────────────────────────────────────────────────────────────────

    def read(self) -> None:
        """Headers, the body, footers."""
        self._margins("header")
        self._begin_fields(self.body)
        self.walk(self.body)
        self._margins("footer")

    def warnings(self) -> list[str]:
        """What a person sees on the pages and the text does not hold."""
        found = list(self.missing)
        comments = self._related("/comments")
        if comments is not None and (said := [one_line("".join(c.itertext(f"{_W}t"))) for c in comments]):
            found.append(f"Comments that are not read: {len(said)}, the first “{said[0][:80]}”.")
        seen = [e for r in self.roots for e in r.iter() if next(e.iterancestors(f"{_MC}Fallback"), None) is None]
        found += left_out(
            pictures=sum(e.tag in (f"{_A}blip", "{urn:schemas-microsoft-com:vml}imagedata") for e in seen),
            charts=sum(e.tag in (_CHART, NEW_CHART) for e in seen) - self.charts,
            files=sum(e.tag == _OBJECT for e in seen),
            struck=sum(e.tag == f"{_W}r" and self._begins_struck(e) for e in seen),
        )
        prompts = sum(
            e.tag == f"{_W}sdt" and _is_placeholder(e) and any(t.text for t in e.iter(f"{_W}t")) for e in seen
        )
        runs = [e for e in seen if e.tag == f"{_W}r" and any(t.text for t in e.iter(f"{_W}t"))]
        found += left_out(prompts=prompts + self.prompts, alike=sum(map(self._is_covered, runs)))
        if white := sum(map(self._is_white, runs)):
            found.append(f"Places with white letters on white, which cannot be seen and are not read: {white}.")
        if self.uncounted:
            found.append(f"Numbers that fields draw (LISTNUM, AUTONUM), which are not read: {self.uncounted}.")
        if through := sum(len(n.marks) for n in self.notes.values() if n.anew == "eachPage" and len(n.marks) > 1):
            found.append(f"Notes that Word counts anew on each page have other marks here, counted through: {through}.")
        if self.numbers.worded:
            found.append(
                f"Numbers that Word writes in words or in another script are figures here: {self.numbers.worded}."
            )
        found += unknown_signs(self.unknown_signs)
        return found

    def walk(self, parent: Any) -> None:
        """Add the blocks of a body, a cell or a content control."""
        self._walk(parent)
        if self.carried:  # the mark of the last paragraph was deleted, and there is none to go on in
            self.builder.add("paragraph", self.carried)
            self.carried = ""
        self._tell_notes()

    def _walk(self, parent: Any) -> None:
        for element in parent:
            if element.tag == f"{_W}p":
                self._paragraph(element)
            elif element.tag == f"{_W}tbl":
                self._table(element)
            elif element.tag == f"{_W}sdt":
                content = element.find(f"{_W}sdtContent")
                if content is not None and not _is_placeholder(element) and not _is_contents(element):
                    self._walk(content)
            elif element.tag == f"{_W}altChunk":
                self._other_file(element)
            elif element.tag in (f"{_W}customXml", f"{_W}ins", f"{_W}moveTo", f"{_W}smartTag"):
                self._walk(element)
            elif element.tag == f"{_MC}AlternateContent":
                chosen = element.find(f"{_MC}Choice")
                if chosen is not None:
                    self._walk(chosen)

    def _related(self, kind: str) -> Any | None:
        """The root of the part that the document names as its comments, numbering and so on; None without one."""
        for relation in self.part.rels.values():
            if relation.reltype.endswith(kind) and not relation.is_external:
                return _root(relation.target_part)
        return None

    def _counted_notes(self, kind: str, usual: str) -> _Notes:
        """The notes of a kind, counted as the last section says it, or the whole document."""
        settings = self._related("/settings")
        last = next(reversed(self.body.findall(f"{_W}sectPr")), None)
        told = [place.find(f"{_W}{kind}Pr") for place in (last, settings) if place is not None]
        forms = [form.get(f"{_W}val") for said in told if said is not None for form in said.findall(f"{_W}numFmt")]
        starts = [start for said in told if (start := _value(said, "numStart")) is not None]
        sections = [*self.body.iter(f"{_W}sectPr")] + ([] if settings is None else [settings])
        anew = {
            said.get(f"{_W}val", "") for place in sections for said in place.iterfind(f"{_W}{kind}Pr/{_W}numRestart")
        }
        where = next((name for name in ("eachPage", "eachSect") if name in anew), "")
        return _Notes(self._notes(kind), next(iter(forms), None) or usual, next(iter(starts), 1), where)

    def _notes(self, kind: str) -> dict[str, str]:
        root = self._related(f"/{kind}s")
        if root is None:
            return {}
        self.roots.append(root)
        self.fields = None
        found = {}
        for note in root.findall(f"{_W}{kind}"):
            if note.get(f"{_W}type") in (None, "normal"):
                paragraphs = [self._text(p) for p in note.iter(f"{_W}p")]
                found[note.get(f"{_W}id", "")] = "\n".join(line.strip() for line in paragraphs if line.strip())
        return found

    def _tell_notes(self) -> None:
        for note in self.pending:
            self.builder.add("paragraph", note)
        self.pending = []

    def _margins(self, kind: str) -> None:
        """
        What headers or footers say beside page numbers and what the document's properties say; each text once.
        """
        settings = self._related("/settings")
        even = settings is not None and settings.find(f"{_W}evenAndOddHeaders") is not None
        properties = self.package.core_properties
        known = {one_line(x or "") for x in (properties.title, properties.author, properties.last_modified_by)}
        known |= {day.date().isoformat() for day in (properties.created, properties.modified) if day}
        told: set[str] = set()
        self.skip_page_fields = True
        inherited: dict[str, Any] = {}  # a section has those of the one before it where it names none itself
        for section in self.body.iter(f"{_W}sectPr"):
            inherited |= {r.get(f"{_W}type", "default"): r for r in section.findall(f"{_W}{kind}Reference")}
            for which, reference in inherited.items():
                if (which == "first" and not _switch(section, "titlePg")) or (which == "even" and not even):
                    continue
                part = self.part.rels.get(reference.get(f"{_R}id"))
                if part is None or part.is_external:
                    continue
                root = _root(part.target_part)
                if root not in self.roots:
                    self.roots.append(root)
                self._begin_fields(root)
                for paragraph in root.iter(f"{_W}p"):
                    if _is_unseen(paragraph):
                        continue
                    pieces = [one_line(piece) for piece in re.split(r"[\t\n]", self._text(paragraph))]
                    said = " ".join(p for p in pieces if p not in known and not is_page_number(p))
                    for text in (said, *map(one_line, _drawn_words(paragraph))):
                        if text and text not in told:
                            told.add(text)
                            self.builder.add("paragraph", text)
        self.skip_page_fields = False
        self._tell_notes()

    def _other_file(self, element: Any) -> None:
        """A file that stands in place of text; Word takes it into the document when it is saved next."""
        relation = self.part.rels.get(element.get(f"{_R}id"))
        if relation is None or relation.is_external:
            self.missing.append("A part of the document lies in another file and is not read.")
            return
        part = relation.target_part
        raw, kind = part.blob, part.content_type
        try:
            if "wordprocessingml" in kind:
                found = extract(raw, self.document)
            elif "html" in kind:
                from clusterqa.documents.html import extract as read_html

                found = read_html(raw, self.document)
            elif kind == "text/plain":
                from clusterqa.documents import plain

                found = plain.extract(decode(raw, self.document)[0])
            else:
                self.missing.append(f"A part of the document is a file of another kind ({kind}) and is not read.")
                return
        except UnreadableDocument as error:
            self.missing.append(f"A part of the document is not read: {error.reason}")
            return
        self.builder.add_extract(found)
        self.missing += found.warnings

    # ── paragraphs ──────────────────────────────────────────────────────────────────────────────────────────────

    def _paragraph(self, paragraph: Any) -> None:
        style = self._style(paragraph)
        if any(_CONTENTS_STYLE.match(name) for name in style.names):
            return
        text = self.carried + self._text(paragraph)
        self.carried = ""
        properties = paragraph.find(f"{_W}pPr")
        if properties is not None and (_mark_deleted(properties) or _is_drop_cap(properties)):
            self.carried = text
            return
        outline = own if (own := _value(properties, "outlineLvl")) is not None else style.outline
        level = _heading_level(style.names, outline)
        number, listed, depth = self._number(properties, style)
        if level:
            # Word has nine levels, the contract six.
            self.builder.add("heading", one_line(f"{number} {text}"), min(level, 6))
        elif listed and not re.search(r"[^\W\d_]{3}", number):
            self.builder.add("list_item", text, depth, mark=number)
        else:  # "1 straipsnis." is a part of the text itself
            self.builder.add("paragraph", f"{number} {text}" if text.strip() else "")
        self._tell_notes()
        if properties is not None and properties.find(f"{_W}sectPr") is not None:  # the last paragraph of a section
            for notes in self.notes.values():
                notes.given = 0 if notes.anew == "eachSect" else notes.given
        for box in _text_boxes(paragraph):
            self._walk(box)
        for diagram in paragraph.iter(DIAGRAM):
            self._diagram(diagram)
        for chart in paragraph.iter(_CHART):
            self._chart(chart)
        for said in _drawn_words(paragraph):
            self.builder.add("paragraph", said)

    def _number(self, properties: Any, style: _Style) -> tuple[str, bool, int]:
        """The number drawn before a paragraph ("" if none), whether it is an item of a list, and how deep."""
        numbering = properties.find(f"{_W}numPr") if properties is not None else None
        own = _value(numbering, "numId")
        listed, which = style.listed, style.list
        if numbering is not None:
            listed = own != 0  # 0 takes the numbering of the style away
            which = own if own is not None else which
        depth = _value(numbering, "ilvl")
        if depth is None:
            found = re.search(r"\d+\Z", style.names[0]) if style.names else None
            depth = int(found[0]) - 1 if found else 0
            at = style.level if style.level is not None else self.numbers.level_of_style(which or 0, style.id)
        else:
            at = depth
        hidden = properties is not None and _switch(properties.find(f"{_W}rPr"), "vanish")  # Word does not count it
        number = self.numbers.next(which, at) if listed and which and not hidden else ""
        return number, listed, depth

    def _style(self, paragraph: Any) -> _Style:
        properties = paragraph.find(f"{_W}pPr")
        reference = properties.find(f"{_W}pStyle") if properties is not None else None
        style = self.styles.get(reference.get(f"{_W}val")) if reference is not None else self.default_style
        key = style.style_id if style is not None else ""
        if key not in self.known:
            self.known[key] = self._style_of(style)
        return self.known[key]

    def _style_of(self, style: Any) -> _Style:
        identifier = style.style_id if style is not None else ""
        names: list[str] = []
        outline = number = level = None
        bold: bool | None = None
        listed = False
        while style is not None and len(names) < 20:  # a broken file may base styles on each other in a circle
            name = style.name or ""
            names.append(name)
            own = style.element.find(f"{_W}pPr")
            if outline is None:
                outline = _value(own, "outlineLvl")
            if bold is None:
                bold = _switch(style.element.find(f"{_W}rPr"), "b")
            listed = listed or bool(_LIST_STYLE.match(name) and not name.lower().startswith("list paragraph"))
            if own is not None and (numbering := own.find(f"{_W}numPr")) is not None:
                listed = True
                number = number if number is not None else _value(numbering, "numId")
                level = level if level is not None else _value(numbering, "ilvl")
            style = style.base_style
        return _Style(tuple(names), outline, listed, number, level, identifier, bool(bold))

    def _list_of_style(self, name: str) -> int | None:
        return _value(self.styles[name].element.find(f"{_W}pPr/{_W}numPr"), "numId")

    def _diagram(self, element: Any) -> None:
        """The words of a SmartArt drawing, a paragraph for each shape."""
        relation = self.part.rels.get(element.get(f"{_R}dm"))
        if relation is not None and not relation.is_external:
            for said in of_diagram(_root(relation.target_part)):
                self.builder.add("paragraph", said)

    def _chart(self, element: Any) -> None:
        relation = self.part.rels.get(element.get(f"{_R}id"))
        if relation is not None and not relation.is_external:
            part = relation.target_part
            self.charts += add_chart(self.builder, _root(part), drawn_over(part))

    # ── tables ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _table(self, table: Any) -> None:
        rows = [
            (row, [cell for cell in _inside(row, f"{_W}tc") if cell.find(f"{_W}tcPr/{_W}cellDel") is None])
            for row in _inside(table, f"{_W}tr")
            if row.find(f"{_W}trPr/{_W}del") is None and not _switch(row.find(f"{_W}trPr"), "hidden")
        ]
        lays_out = len(rows) == 1 and any(cell.find(f"{_W}tbl") is not None for cell in rows[0][1])
        if lays_out or all(len(cells) < 2 for _, cells in rows):  # a frame around text, or a column of boxes
            for _, cells in rows:
                for cell in cells:
                    self._walk(cell)
            return
        grid, nested = self._grid(rows, _grid_places(table))
        stated = [_switch(row.find(f"{_W}trPr"), "tblHeader") for row, _ in rows]
        headed = stated.index(None) if None in stated else len(stated)
        texts = [[cell.text for cell in row] for row in grid]
        if not headed or headed == len(rows):
            top = next((i for i, row in enumerate(grid) if len(row) > 1), 0)
            drawn = top + 1 < len(grid) and tables.may_be_header(texts[top]) and self._styled_header(table)
            headed = top + 1 if drawn else tables.header_rows(grid)
        joined = False
        for number, row in enumerate(tables.laid_out(grid, headed)):
            joined = tables.add_row(self.builder, row, joined)
            for inner in nested[number]:
                self._table(inner)
                joined = False
        self._tell_notes()

    def _grid(
        self, rows: list[tuple[Any, list[Any]]], places: list[int]
    ) -> tuple[list[list[tables.Cell]], list[list[Any]]]:
        """
        The cells of a table on its columns, a merged one in each of its rows, and the tables inside each row; `places` says
        where the columns of its grid lie.
        """
        grid: list[list[tables.Cell]] = []
        nested: list[list[Any]] = []
        above: dict[int, tables.Cell] = {}
        counted = [_counted_ends(row, cells) for row, cells in rows]
        if any(ends[-1] >= len(places) for ends in counted):
            places = []
        for (row, cells), ends in zip(rows, counted, strict=True):
            if places:
                whole = ends[-1] == len(places) - 1 or _value(row.find(f"{_W}trPr"), "gridAfter")
                ends = (not whole and _drawn_ends(cells, places[-1])) or [places[end] for end in ends]
            line: list[tables.Cell] = []
            inner: list[Any] = []
            for cell, (start, end) in zip(cells, pairwise(ends), strict=True):
                properties = cell.find(f"{_W}tcPr")
                merge = properties.find(f"{_W}vMerge") if properties is not None else None
                if merge is not None and merge.get(f"{_W}val") != "restart" and start in above:
                    made = above[start] if above[start].end == end else replace(above[start], start=start, end=end)
                else:
                    made = tables.Cell(self._cell_text(cell), start, end, self._is_bold(cell))
                    inner += [table for table in _inside(cell, f"{_W}tbl")]
                above[start] = made
                line.append(made)
            grid.append(line)
            nested.append(inner)
        return (tables.snapped(grid) if places else grid), nested

    def _cell_text(self, cell: Any) -> str:
        parts = []
        for paragraph in _inside(cell, f"{_W}p"):
            number, listed, _ = self._number(paragraph.find(f"{_W}pPr"), self._style(paragraph))
            mark = number or (tables.BULLET if listed else "")
            if text := self._text(paragraph).strip():
                parts.append(f"{mark} {text}" if mark else text)
            elif number:  # a column of numbers that Word counts has no words of its own
                parts.append(number)
            boxes = [inner for box in _text_boxes(paragraph) for inner in _inside(box, f"{_W}p")]
            parts += [self._text(inner) for inner in boxes]
        return one_line(" ".join(parts))

    def _is_bold(self, cell: Any) -> bool:
        """Whether all words of a cell are bold."""
        said = False
        for paragraph in _inside(cell, f"{_W}p"):
            style = self._style(paragraph)
            for run in paragraph.iter(f"{_W}r"):
                if not "".join(run.itertext(f"{_W}t")).strip():
                    continue
                own = _switch(run.find(f"{_W}rPr"), "b")
                if not (style.bold if own is None else own):
                    return False
                said = True
        return said

    def _styled_header(self, table: Any) -> bool:
        """Whether the table's style draws the first row in another way, and is told to."""
        properties = table.find(f"{_W}tblPr")
        look = properties.find(f"{_W}tblLook") if properties is not None else None
        reference = properties.find(f"{_W}tblStyle") if properties is not None else None
        if look is None or reference is None:
            return False
        bits = look.get(f"{_W}val", "0")
        stated = look.get(f"{_W}firstRow")
        wanted = stated in ("1", "true", "on") if stated else bool(_hexadecimal(bits) & 0x20)
        style = self.styles.get(reference.get(f"{_W}val"))
        for _ in range(20):
            if style is None or not wanted:
                return False
            for part in style.element.findall(f"{_W}tblStylePr"):
                if part.get(f"{_W}type") == "firstRow":
                    shaded = part.find(f"{_W}tcPr/{_W}shd") is not None
                    return shaded or bool(_switch(part.find(f"{_W}rPr"), "b"))
            style = style.base_style
        return False

    # ── the words of a paragraph ────────────────────────────────────────────────────────────────────────────────

    def _begin_fields(self, root: Any) -> None:
        """Fields are followed only where each that begins also ends; else a broken one would swallow the rest."""
        kinds = [e.get(f"{_W}fldCharType") for e in root.iter(f"{_W}fldChar")]
        self.fields = [] if kinds.count("begin") == kinds.count("end") else None

    def _text(self, paragraph: Any) -> str:
        """The visible words of a paragraph, text boxes aside; its notes come into `pending`."""
        return "".join(self._collect(paragraph))

    def _collect(self, element: Any) -> Iterator[str]:
        for child in element:
            tag = child.tag
            if not isinstance(tag, str) or tag in _SKIPPED:
                continue
            if tag == f"{_W}fldChar":
                yield self._field(child)
            elif tag == f"{_W}instrText":
                if self.fields and self.fields[-1] is not _RESULT:
                    self.fields[-1] += child.text or ""
            elif tag == f"{_W}r":
                if not (self._is_hidden(child) or self._is_struck(child)):
                    yield self._run(child)
            elif tag == f"{_W}ruby":
                for part in child.findall(f"{_W}rubyBase"):
                    yield from self._collect(part)
                for part in child.findall(f"{_W}rt"):
                    yield spoken("".join(self._collect(part)))
            elif tag == f"{_W}fldSimple":
                code = child.get(f"{_W}instr", "")
                if drawn := self._drawn_field(code):
                    yield drawn
                elif not (self.skip_page_fields and _PAGE_FIELD.match(code)):
                    yield from self._collect(child)
            elif tag == f"{_W}sdt":
                if not _is_placeholder(child):
                    yield from self._collect(child)
            elif tag in _LEAVES:
                # Not the result of a field inside the code of another.
                if not self.fields or all(state is _RESULT for state in self.fields):
                    yield self._leaf(child, tag)
            else:
                yield from self._collect(child)

    def _leaf(self, element: Any, tag: str) -> str:
        if tag in (f"{_M}oMath", f"{_M}oMathPara"):
            return omml(element)
        if tag == f"{_W}t":
            return element.text or ""
        if tag == f"{_SIGN_EX}symEx":
            return self._sign(element.get(f"{_SIGN_EX}char", ""), element.get(f"{_SIGN_EX}font", ""))
        if tag == f"{_W}subDoc":
            self._other_file(element)
            return ""
        if tag == f"{_W}sym":
            return self._sign(element.get(f"{_W}char", ""), element.get(f"{_W}font", ""))
        if tag.endswith("Reference"):
            return self._note(element, tag[len(_W) : -len("Reference")])
        return " " if element.get(f"{_W}type") in ("page", "column") else _CHARACTERS[tag[len(_W) :]]

    def _run(self, run: Any) -> str:
        text = "".join(self._collect(run))
        if not text:
            return text
        position = next((e.get(f"{_W}val") for e in self._looks(run, "vertAlign")), None)
        if position == "superscript":
            return raised(text) or text  # "10" and a raised "6" are not 106
        if position == "subscript":
            return low(text)
        lift = _value(run.find(f"{_W}rPr"), "position") or 0
        if lift >= RAISED and text.strip().isdigit():
            return raised(text) or text
        fonts = (e.get(f"{_W}ascii") or e.get(f"{_W}hAnsi") for e in self._looks(run, "rFonts"))
        font = next(filter(None, fonts), "")
        if is_symbol_font(font):
            plain = (
                run.find(f"{_W}sym") is None
            )  # letters of the keyboard are other signs too, those of `w:sym` are read already
            return "".join(
                self._drawn(c, font) if "\uf000" <= c <= "\uf0ff" or (plain and "!" <= c <= "\xff") else c for c in text
            )
        return text

    def _drawn(self, letter: str, font: str) -> str:
        drawn = sign(ord(letter), font)
        self.unknown_signs += drawn == UNKNOWN
        return drawn

    def _sign(self, code: str, font: str) -> str:
        number = _hexadecimal(code)
        if is_symbol_font(font):
            return self._drawn(chr(number), font)
        if number and not 0xE000 <= number <= 0xF8FF and not 0xD800 <= number <= 0xDFFF and number < 0x110000:
            return chr(number)
        self.unknown_signs += 1
        return UNKNOWN

    def _note(self, reference: Any, kind: str) -> str:
        notes, name = self.notes[kind], reference.get(f"{_W}id", "")
        custom = reference.get(f"{_W}customMarkFollows") in ("1", "true", "on")
        mark = "" if custom else notes.mark(name)
        text = notes.texts.get(name)
        if text is None:
            self.missing.append(f"The note {mark or name} is not in the file.")
        elif text:
            self.pending.append(f"{mark} {text}".strip())
        return mark

    def _field(self, element: Any) -> str:
        """Begin, turn or end a field; a box that is ticked, and the chosen line of a list, are what is seen of it."""
        if self.fields is None:
            return ""
        kind = element.get(f"{_W}fldCharType")
        if kind == "begin":
            self.fields.append("")
            if (box := element.find(f"{_W}ffData/{_W}checkBox")) is not None:
                ticked = _switch(box, "checked")
                return "☒" if (ticked if ticked is not None else _switch(box, "default")) else "☐"
            if (lines := element.find(f"{_W}ffData/{_W}ddList")) is not None:
                entries = lines.findall(f"{_W}listEntry")
                chosen = _value(lines, "result") or 0
                return entries[chosen].get(f"{_W}val", "") if 0 <= chosen < len(entries) else ""
        elif kind == "separate" and self.fields:
            code = self.fields[-1]
            drawn = self._drawn_field(code)
            skipped = drawn or (self.skip_page_fields and _PAGE_FIELD.match(code))
            self.fields[-1] = _DONE if skipped else _RESULT
            return drawn
        elif kind == "end" and self.fields:
            code = self.fields.pop()
            self.uncounted += bool(_NUMBER_FIELD.match(code))
            self.prompts += bool(_PROMPT_FIELD.match(code))
            return self._drawn_field(code) if code not in (_DONE, _RESULT) else ""
        return ""

    def _drawn_field(self, code: str) -> str:
        """What Word draws from the code of a field alone: a sign of a font, or a formula."""
        if symbol := symbol_field(code):
            number, font = symbol
            if is_symbol_font(font):
                return self._drawn(chr(number), font) if number < 0x10000 else UNKNOWN
            return chr(number) if 0x20 <= number < 0xD800 else UNKNOWN
        return equation(found[1]) if (found := _FORMULA_FIELD.match(code)) else ""

    def _is_hidden(self, run: Any) -> bool:
        return self._is_set(run, "vanish") or self._is_white(run) or self._is_covered(run)

    def _is_covered(self, run: Any) -> bool:
        """
        Whether the letters of a run have the very colour that it is shaded or marked with, as what is blacked out has. What Word
        chooses by itself ("auto") is to be seen on any ground.
        """
        color = next(iter(self._looks(run, "color")), None)
        if color is None or color.get(f"{_W}themeColor") or color.get(f"{_W}val") == "auto":
            return False
        shades = {"clear": "fill", "nil": "fill", "solid": "color"}
        grounds = [e.get(_W + shades.get(e.get(f"{_W}val"), ""), "") for e in self._looks(run, "shd")[:1]]
        grounds += [_MARKERS.get(e.get(f"{_W}val"), "") for e in self._looks(run, "highlight")[:1]]
        return color.get(f"{_W}val", "").upper() in {ground.upper() for ground in grounds if ground}

    def _is_white(self, run: Any) -> bool:
        """Whether the letters of a run are white, and nothing around or behind them has a colour, or may have one."""
        color = next(iter(self._looks(run, "color")), None)
        if color is None or color.get(f"{_W}val", "").upper() != "FFFFFF":
            return False
        if color.get(f"{_W}themeColor", "background1") != "background1" or self.has_grounds:
            return False
        grounds = (*self._looks(run, "shd"), *self._looks(run, "highlight"), *run.iterancestors(f"{_W}txbxContent"))
        if grounds:
            return False
        around = [*run.iterancestors(f"{_W}p", f"{_W}tbl")]
        style = self.styles.get(self._style(around[0]).id) if around else None
        while style is not None and style.element not in around:
            around.append(style.element)
            style = style.base_style
        return not any(map(self._has_ground, around))

    def _has_ground(self, element: Any) -> bool:
        if element not in self.grounds:
            self.grounds[element] = next(element.iter(f"{_W}shd", f"{_W}tblStyle"), None) is not None
        return self.grounds[element]

    def _is_struck(self, run: Any) -> bool:
        return self._is_set(run, "strike") or self._is_set(run, "dstrike")

    def _begins_struck(self, run: Any) -> bool:
        """Whether struck-out words begin with this run."""
        before = run.getprevious()
        goes_on = before is not None and before.tag == run.tag and self._is_struck(before)
        return not goes_on and self._is_struck(run) and any(t.text for t in run.iter(f"{_W}t"))

    def _is_set(self, run: Any, name: str) -> bool:
        """Whether a property that is on or off is on for a run."""
        found = next(iter(self._looks(run, name)), None)
        return found is not None and found.get(f"{_W}val", "1") not in ("0", "false", "off")

    def _looks(self, run: Any, name: str) -> list[Any]:
        """What says of one thing how the letters of a run look: itself, its style of letters, the style of its paragraph."""
        properties = run.find(f"{_W}rPr")
        own = properties.find(f"{_W}{name}") if properties is not None else None
        found = [own]
        if properties is not None and (named := properties.find(f"{_W}rStyle")) is not None:
            found.append(self._look_of_style(named.get(f"{_W}val", ""), name))
        if (paragraph := next(run.iterancestors(f"{_W}p"), None)) is not None:
            found.append(self._look_of_style(self._style(paragraph).id, name))
        return [element for element in found if element is not None]

    def _look_of_style(self, identifier: str, name: str) -> Any | None:
        """What a style, or the nearest that it is based on, says of one thing."""
        if (identifier, name) not in self.looks:
            style, found = self.styles.get(identifier), None
            for _ in range(20):  # a broken file may base styles on each other in a circle
                if style is None or found is not None:
                    break
                found = style.element.find(f"{_W}rPr/{_W}{name}")
                style = style.base_style
            self.looks[identifier, name] = found
        return self.looks[identifier, name]


_RESULT = "result"
"""State of a field whose result is being read; before, the state is its code so far."""
_DONE = "done"
"""State of a field whose result is left out."""


def _root(part: Any) -> Any:
    """The root element of a part of the package."""
    element = getattr(part, "element", None)
    if element is not None:
        return element
    return parsed(part.blob)


def _heading_level(names: tuple[str, ...], outline: int | None) -> int:
    """The level of a heading from 1, or 0 for other paragraphs."""
    for name in names:
        if found := _HEADING_STYLE.match(name):
            return int(found[1])
        if _TITLE_STYLE.match(name):
            return 1
    return outline + 1 if outline is not None and 0 <= outline < 9 else 0


def _inside(parent: Any, tag: str) -> list[Any]:
    """The children with a tag, seen through content controls and tracked changes."""
    found = []
    for child in parent:
        if child.tag == tag:
            found.append(child)
        elif child.tag == f"{_W}sdt":
            if not _is_placeholder(child):
                found += _inside(child, tag)
        elif child.tag in (f"{_W}sdtContent", f"{_W}customXml", f"{_W}ins", f"{_W}smartTag"):
            found += _inside(child, tag)
    return found


def _counted_ends(row: Any, cells: list[Any]) -> list[int]:
    """Where the cells of a row begin and end, in columns of the table's grid."""
    spans = [max(1, _value(cell.find(f"{_W}tcPr"), "gridSpan") or 1) for cell in cells]
    return [*accumulate(spans, initial=max(0, _value(row.find(f"{_W}trPr"), "gridBefore") or 0))]


def _grid_places(table: Any) -> list[int]:
    """Where the columns of a table's grid begin, and the last ends, in twentieths of a point; nothing where that is not told."""
    columns = table.findall(f"{_W}tblGrid/{_W}gridCol")
    widths = [int(width) if (width := column.get(f"{_W}w", "")).isdigit() else 0 for column in columns]
    return [*accumulate(widths, initial=0)] if widths and all(widths) else []


def _drawn_ends(cells: list[Any], whole: int) -> list[int]:
    """Where the cells of a row begin and end by their own widths, where these fill the table; else nothing."""
    found = [cell.find(f"{_W}tcPr/{_W}tcW") for cell in cells]
    widths = [
        int(width.get(f"{_W}w")) if width is not None and re.fullmatch(r"\d{1,6}", width.get(f"{_W}w", "")) else 0
        for width in found
    ]
    told = all(widths) and all(width.get(f"{_W}type", "dxa") == "dxa" for width in found)
    ends = [*accumulate(widths, initial=0)]
    return ends if told and abs(ends[-1] - whole) <= tables.NEAR else []


def _is_placeholder(control: Any) -> bool:
    """Whether a content control shows only what should be put into it ("Click here to enter text")."""
    return bool(_switch(control.find(f"{_W}sdtPr"), "showingPlcHdr"))


def _is_contents(control: Any) -> bool:
    gallery = control.find(f"{_W}sdtPr/{_W}docPartObj/{_W}docPartGallery")
    return gallery is not None and gallery.get(f"{_W}val") == "Table of Contents"


def _mark_deleted(properties: Any) -> bool:
    """Whether the end of a paragraph was deleted or moved away, so that it goes on in the next."""
    own = properties.find(f"{_W}rPr")
    return own is not None and any(own.find(f"{_W}{name}") is not None for name in ("del", "moveFrom"))


def _is_drop_cap(properties: Any) -> bool:
    """Whether a paragraph is the large first letter of the next."""
    frame = properties.find(f"{_W}framePr")
    return frame is not None and frame.get(f"{_W}dropCap") in ("drop", "margin")


def _is_unseen(element: Any) -> bool:
    """Whether an element stands in the form for old programs, or in a shape that is hidden."""
    outer = element.iterancestors(f"{_MC}Fallback", f"{_WP}anchor", f"{_WP}inline")
    return any(e.tag == f"{_MC}Fallback" or is_hidden(e) for e in outer)


def _drawn_words(paragraph: Any) -> list[str]:
    """Words that a paragraph's drawings hold outside text boxes: of WordArt, such as a watermark, and of pasted drawings."""
    found = [art.get("string", "") for art in paragraph.iter(_WORD_ART) if not _is_unseen(art)]
    locked = [canvas for canvas in paragraph.iter(_LOCKED) if not _is_unseen(canvas)]
    return found + [words(said) for canvas in locked for said in canvas.iter(f"{_A}p")]


def _switch(properties: Any, name: str) -> bool | None:
    """A property that is on or off, None where nothing is said."""
    element = properties.find(f"{_W}{name}") if properties is not None else None
    return element.get(f"{_W}val", "1") not in ("0", "false", "off") if element is not None else None


def _value(properties: Any, name: str) -> int | None:
    element = properties.find(f"{_W}{name}") if properties is not None else None
    text = element.get(f"{_W}val") if element is not None else None
    return int(text) if text and text.lstrip("-").isdigit() else None


def _hexadecimal(text: str) -> int:
    return int(text, 16) if re.fullmatch(r"[0-9a-fA-F]{1,8}", text) else 0


_MARKERS = {
    "black": "000000",
    "white": "FFFFFF",
    "yellow": "FFFF00",
    "red": "FF0000",
    "blue": "0000FF",
    "green": "00FF00",
}
"""The colours of marker pens."""
_SKIPPED = frozenset(
    {f"{_W}{name}" for name in ("del", "moveFrom", "delText", "pPr", "rPr", "txbxContent", "sdtPr")}
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
_LEAVES = frozenset(
    {f"{_W}{name}" for name in (*_CHARACTERS, "t", "sym", "subDoc", "footnoteReference", "endnoteReference")}
    | {f"{_M}oMath", f"{_M}oMathPara", f"{_SIGN_EX}symEx"}
)


def _text_boxes(paragraph: Any) -> list[Any]:
    """The text boxes anchored in a paragraph; each is stored twice, for new and for old programs."""
    return [
        box
        for box in paragraph.iter(f"{_W}txbxContent")
        if not _is_unseen(box)
        and not any(paragraph in outer.iterancestors() for outer in box.iterancestors(f"{_W}txbxContent"))
    ]
