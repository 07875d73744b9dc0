"""ODT → text and blocks, from the document's XML in its order; numbers of lists and notes stand where they are seen."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from clusterqa.documents import tables
from clusterqa.documents.docx_numbers import written
from clusterqa.documents.encoding import mojibake
from clusterqa.documents.extract import Extract, TextBuilder, first_heading, left_out, one_line, unknown_signs
from clusterqa.documents.formulas import mathml
from clusterqa.documents.metadata import Metadata, language_of
from clusterqa.documents.packages import ZIP_BROKEN, parsed, refuse_zip_bomb
from clusterqa.documents.symbols import UNKNOWN, in_font, low, raised, spoken
from clusterqa.errors import UnreadableDocument

_OASIS = "{urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE, _OFFICE = f"{_OASIS}text:1.0}}", f"{_OASIS}table:1.0}}", f"{_OASIS}office:1.0}}"
_STYLE, _DRAW, _FO = f"{_OASIS}style:1.0}}", f"{_OASIS}drawing:1.0}}", f"{_OASIS}xsl-fo-compatible:1.0}}"
_FORM = f"{_OASIS}form:1.0}}"
_LOEXT = "{urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0}"
_XLINK = "{http://www.w3.org/1999/xlink}"
_SKIPPED = frozenset(
    {f"{_TEXT}{name}" for name in ("tracked-changes", "table-of-content", "alphabetical-index", "sequence-decls")}
    | {f"{_OFFICE}annotation", f"{_OFFICE}annotation-end", f"{_OFFICE}forms"}
)
_WALKED = frozenset(f"{_TEXT}{name}" for name in ("numbered-paragraph", "bibliography", "index-title", "index-body"))
_KINDS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman", "1": "decimal"}
_TWIPS = {"in": 1440, "cm": 1440 / 2.54, "mm": 144 / 2.54, "pt": 20}
_HIGH = re.compile(r"super|[1-9]\d")
"""How a style says that letters stand above their line: by its word, or by the share of their height."""
MAX_REPEATED = 1_000
"""A cell that is stored once for more places than this is empty filling, and stands once."""
MAX_REPEATED_LETTERS = 10_000
"""Of a row that is stored once for several; one that would give more stands once."""


def extract(raw: bytes, document: str) -> Extract:
    """
    Read an OpenDocument text. Raises UnreadableDocument for one that is broken or protected with a password.

    Headers come first and footers last; a note stands after the paragraph with its mark. What was deleted in tracked
    changes, hidden text and tables of contents are left out; comments, pictures and embedded files are named in warnings.
    """
    refuse_zip_bomb(raw, document)
    from lxml import etree

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            if "META-INF/manifest.xml" in archive.namelist() and b"encryption-data" in archive.read(
                "META-INF/manifest.xml"
            ):
                raise UnreadableDocument(document, "It is protected with a password.", "Save it without a password.")
            reader = _Reader(archive)
            reader.read()
            meta = parsed(archive.read("meta.xml")) if "meta.xml" in archive.namelist() else None
    except (KeyError, ValueError, AttributeError, *ZIP_BROKEN, etree.LxmlError) as error:
        raise UnreadableDocument(
            document, "It is no whole OpenDocument text.", "Open it in LibreOffice and save it again."
        ) from error
    text = reader.builder.text()
    told = (
        {e.tag.rpartition("}")[2]: e.text or "" for e in meta.iter() if isinstance(e.tag, str)}
        if meta is not None
        else {}
    )
    metadata = Metadata(
        title=one_line(told.get("title", "")) or first_heading(text, reader.builder.blocks) or None,
        language=language_of(told.get("language", "")) or reader.language,
    )
    return Extract(
        text,
        tuple(reader.builder.blocks),
        metadata,
        warnings=(*mojibake(text, document), *reader.warnings(), *unknown_signs(text.count(UNKNOWN))),
    )


class _Reader:
    """Walks one document; `builder` holds what was read."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.builder = TextBuilder()
        content = parsed(archive.read("content.xml"))
        styles = parsed(archive.read("styles.xml")) if "styles.xml" in archive.namelist() else content
        self.body = content.find(f"{_OFFICE}body/{_OFFICE}text")
        if self.body is None:
            raise ValueError("there is no body")
        self.styles = {e.get(f"{_STYLE}name"): e for root in (styles, content) for e in root.iter(f"{_STYLE}style")}
        self.lists = {e.get(f"{_STYLE}name"): e for root in (styles, content) for e in root.iter(f"{_TEXT}list-style")}
        self.outline = next(styles.iter(f"{_TEXT}outline-style"), None)
        self.masters = _used_masters(styles, content)
        default = next(
            (e.get(f"{_FO}language") for e in styles.iter(f"{_STYLE}text-properties") if e.get(f"{_FO}language")), ""
        )
        self.language = language_of(default)
        self.counts: dict[str, list[int]] = {}
        self.heads: list[int] = []
        self.pending: list[str] = []
        self.controls = {
            e.get(f"{_FORM}id"): e for e in content.iter() if isinstance(e.tag, str) and e.get(f"{_FORM}id")
        }
        self.comments = self.pictures = self.objects = self.struck = self.prompts = 0

    def read(self) -> None:
        """Headers, the body, footers."""
        self._margins("header")
        self._walk(self.body)
        self._margins("footer")

    def warnings(self) -> list[str]:
        """What a person sees and the text does not hold."""
        found = []
        if comments := sum(1 for _ in self.body.iter(f"{_OFFICE}annotation")):
            found.append(f"Comments that are not read: {comments}.")
        found += left_out(pictures=self.pictures, files=self.objects, struck=self.struck, prompts=self.prompts)
        return found

    def _margins(self, kind: str) -> None:
        """What the headers or the footers of the pages say; each text once."""
        told = {""}
        for master in self.masters:
            for part in (master.find(f"{_STYLE}{kind}{which}") for which in ("-first", "", "-left")):
                if part is None or part.get(f"{_STYLE}display") == "false":
                    continue
                for paragraph in part.iter(f"{_TEXT}p"):
                    said = self._words(paragraph, without_numbers=True)
                    # A page number alone is no content of its own.
                    if said not in told and any(c.isalpha() for c in said):
                        told.add(said)
                        self.builder.add("paragraph", said)

    def _walk(self, parent: Any, lists: tuple[str, ...] = ()) -> None:
        for element in parent:
            tag = element.tag
            if tag in _SKIPPED or not isinstance(tag, str):
                continue
            if tag == f"{_TEXT}h":
                self._heading(element)
            elif tag == f"{_TEXT}p":
                title = "Title" in self._names(element.get(f"{_TEXT}style-name"))
                self._paragraph(element, "heading" if title else "paragraph", 1 if title else 0, "")
            elif tag == f"{_TEXT}list":
                self._list(element, lists)
            elif tag == f"{_TABLE}table":
                self._table(element)
            elif tag == f"{_TEXT}section":
                if not _is_unseen(element):
                    self._walk(element, lists)
            elif tag == f"{_DRAW}frame":  # one that belongs to the page and to no paragraph
                self.builder.add("paragraph", self._frame(element))
                self._walk(element, lists)
            elif tag.startswith(_DRAW) or tag in _WALKED:
                self._walk(element, lists)

    def _names(self, name: str | None) -> list[str]:
        """The name of a style and of those it is based on."""
        found: list[str] = []
        while name and name not in found and len(found) < 20:
            found.append(name)
            style = self.styles.get(name)
            name = style.get(f"{_STYLE}parent-style-name") if style is not None else None
        return found

    def _heading(self, element: Any) -> None:
        level = _whole(element.get(f"{_TEXT}outline-level"), 1)
        number = ""
        if self.outline is not None and not element.get(f"{_TEXT}is-list-header"):
            self.heads = [*self.heads, *[0] * level][:level]
            restarted = element.get(f"{_TEXT}restart-numbering") == "true"
            before = _whole(element.get(f"{_TEXT}start-value"), 1) - 1 if restarted else self.heads[level - 1]
            self.heads[level - 1] = before + 1
            number = _number(self.outline, level, self.heads)
        self._paragraph(element, "heading", min(level, 6), number)

    def _paragraph(self, element: Any, kind: str, level: int, mark: str) -> None:
        words = self._words(element)
        if kind == "heading":
            self.builder.add("heading", one_line(f"{mark} {words}" if words.strip() else ""), level)
        elif kind == "list_item":
            self.builder.add("list_item", words, level, mark=mark)
        else:
            self.builder.add("paragraph", words)
        self._tell_notes()
        for box in _boxes(element):
            self._walk(box)

    def _tell_notes(self) -> None:
        for note in self.pending:
            self.builder.add("paragraph", note)
        self.pending = []

    def _list(self, element: Any, lists: tuple[str, ...]) -> None:
        for child, mark, inner in self._items(element, lists):
            if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                kind = "heading" if child.tag == f"{_TEXT}h" else "list_item" if mark is not None else "paragraph"
                level = _whole(child.get(f"{_TEXT}outline-level"), 1) if kind == "heading" else len(inner) - 1
                self._paragraph(child, kind, level, mark or "")
            else:
                self._walk([child], inner)

    def _items(self, element: Any, lists: tuple[str, ...]) -> Iterator[tuple[Any, str | None, tuple[str, ...]]]:
        """
        What the items of a list hold, in its order: each with the item's number ("" for a bullet), which the first paragraph
        alone has, and with the lists it lies in.
        """
        name = element.get(f"{_TEXT}style-name") or (lists[-1] if lists else "")
        lists = (*lists, name)
        depth = len(lists)
        counts = self.counts.setdefault(name, [])
        if element.get(f"{_TEXT}continue-numbering") != "true" and not element.get(f"{_TEXT}continue-list"):
            counts[depth - 1 :] = []
        style = self.lists.get(name)
        for item in element:
            if item.tag not in (f"{_TEXT}list-item", f"{_TEXT}list-header"):
                continue
            mark: str | None = ""
            if item.tag == f"{_TEXT}list-item" and style is not None:
                counts[:] = [*counts[:depth], *[0] * (depth - len(counts))]
                counts[depth - 1] = _whole(item.get(f"{_TEXT}start-value"), counts[depth - 1] + 1)
                mark = _number(style, depth, counts)
            for child in item:
                yield child, mark, lists
                mark = None if child.tag in (f"{_TEXT}p", f"{_TEXT}h") else mark

    def _cell_text(self, parent: Any, lists: tuple[str, ...] = ()) -> str:
        """The words of a cell, or of a part of one, without the tables in it."""
        parts = []
        for element in parent:
            if element.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                parts.append(self._words(element))
                parts += [self._cell_text(box) for box in _boxes(element)]
            elif element.tag == f"{_TEXT}list":
                for child, mark, inner in self._items(element, lists):
                    words = self._cell_text([child], inner)
                    parts.append(f"{mark or tables.BULLET} {words}" if words and mark is not None else words)
            elif element.tag == f"{_TEXT}section" and not _is_unseen(element):
                parts.append(self._cell_text(element, lists))
            elif element.tag == f"{_DRAW}frame":
                parts.append(self._frame(element))
        return " ".join(filter(None, parts))

    def _table(self, table: Any) -> None:
        grid: list[list[tables.Cell]] = []
        nested: list[list[Any]] = []
        headed = own = repeated = 0
        above: dict[int, tuple[int, tables.Cell]] = {}  # by first column: rows still to fill, the cell
        for row in table.iter(f"{_TABLE}table-row"):
            if next(row.iterancestors(f"{_TABLE}table")) is not table or _is_hidden(row):
                continue
            line: list[tables.Cell] = []
            inner: list[Any] = []
            place = 0
            for cell in row:
                if cell.tag not in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
                    continue
                own += 1
                times = _whole(cell.get(f"{_TABLE}number-columns-repeated"), 1)
                if times > MAX_REPEATED or not tables.may_repeat(repeated + times, own):
                    times = 1
                repeated += times
                covered = cell.tag == f"{_TABLE}covered-table-cell"
                words = "" if covered else self._cell_text(cell)
                for _ in range(times):
                    if covered:
                        if place in above:
                            left, made = above.pop(place)
                            if left > 1:
                                above[place] = (left - 1, made)
                            line.append(made)
                        place += 1
                        continue
                    wide = _whole(cell.get(f"{_TABLE}number-columns-spanned"), 1)
                    tall = _whole(cell.get(f"{_TABLE}number-rows-spanned"), 1)
                    made = tables.Cell(one_line(words), place, place + wide, self._is_bold(cell))
                    if tall > 1:
                        above[place] = (tall - 1, made)
                    line.append(made)
                    place += 1
            inner = [
                t
                for cell in row
                for t in cell.iter(f"{_TABLE}table")
                if next(t.iterancestors(f"{_TABLE}table")) is table
            ]
            headed += row.getparent().tag == f"{_TABLE}table-header-rows"
            times = min(_whole(row.get(f"{_TABLE}number-rows-repeated"), 1), MAX_REPEATED)
            for _ in range(times if times * sum(len(cell.text) for cell in line) <= MAX_REPEATED_LETTERS else 1):
                grid.append(line)
                nested.append(inner)
                inner = []
        if all(len(row) < 2 for row in grid):  # a frame around text
            for cell in table.iter(f"{_TABLE}table-cell"):
                if next(cell.iterancestors(f"{_TABLE}table")) is table:
                    self._walk(cell)
            self.pending = []
            return
        grid = tables.drawn(grid, self._column_places(table))
        if not 0 < headed < len(grid):
            headed = tables.header_rows(grid)
        joined = False
        for number, row in enumerate(tables.laid_out(grid, headed)):
            joined = tables.add_row(self.builder, row, joined)
            for table_inside in nested[number]:
                self._table(table_inside)
                joined = False
        self._tell_notes()

    def _column_places(self, table: Any) -> list[int]:
        """Where the columns of a table begin, and the last ends, in twentieths of a point; nothing where that is not told."""
        places = [0]
        for column in table.iter(f"{_TABLE}table-column"):
            if next(column.iterancestors(f"{_TABLE}table")) is not table:
                continue
            style = self.styles.get(column.get(f"{_TABLE}style-name"))
            look = style.find(f"{_STYLE}table-column-properties") if style is not None else None
            width = (
                re.fullmatch(r"(\d{0,4}\.?\d{1,6})(in|cm|mm|pt)", look.get(f"{_STYLE}column-width", ""))
                if look is not None
                else None
            )
            times = _whole(column.get(f"{_TABLE}number-columns-repeated"), 1)
            if width is None or times > MAX_REPEATED or len(places) > MAX_REPEATED:
                return []
            wide = round(float(width[1]) * _TWIPS[width[2]])
            places += [places[-1] + wide * (n + 1) for n in range(times)]
        return places

    def _is_bold(self, cell: Any) -> bool:
        paragraphs = [p for p in cell.iter(f"{_TEXT}p") if "".join(p.itertext()).strip()]
        return bool(paragraphs) and all(
            self._bold(p.get(f"{_TEXT}style-name"))
            or (len(p) > 0 and not (p.text or "").strip() and all(self._bold(s.get(f"{_TEXT}style-name")) for s in p))
            for p in paragraphs
        )

    def _bold(self, name: str | None) -> bool:
        for known in self._names(name):
            style = self.styles.get(known)
            look = style.find(f"{_STYLE}text-properties") if style is not None else None
            if look is not None and (weight := look.get(f"{_FO}font-weight")):
                return bool(weight == "bold" or (weight.isdigit() and int(weight) >= 600))
        return False

    def _property(self, name: str | None, key: str) -> str:
        for known in self._names(name):
            style = self.styles.get(known)
            look = style.find(f"{_STYLE}text-properties") if style is not None else None
            if look is not None and look.get(key):
                return str(look.get(key))
        return ""

    def _words(self, element: Any, without_numbers: bool = False) -> str:
        if self._is_struck(element.get(f"{_TEXT}style-name")):
            self.struck += bool("".join(element.itertext()).strip())
            return ""
        hidden = (e.get(f"{_TEXT}is-hidden") for e in element.iter(f"{_TEXT}hidden-paragraph"))
        if "true" in hidden or self._property(element.get(f"{_TEXT}style-name"), f"{_TEXT}display") == "none":
            return ""
        return "".join(self._collect(element, without_numbers)).strip()

    def _is_struck(self, name: str | None) -> bool:
        return self._property(name, f"{_STYLE}text-line-through-style") not in ("", "none")

    def _collect(self, element: Any, without_numbers: bool) -> Iterator[str]:
        yield " ".join((element.text or "").split("\n"))
        for child in element:
            tag = child.tag
            if not isinstance(tag, str) or tag in _SKIPPED:
                pass
            elif tag == f"{_TEXT}s":
                yield " " * min(_whole(child.get(f"{_TEXT}c"), 1), 100)
            elif tag == f"{_TEXT}tab":
                yield "\t"
            elif tag == f"{_TEXT}line-break":
                yield "\n"
            elif tag == f"{_TEXT}note":
                yield self._note(child)
            elif tag in (f"{_TEXT}page-number", f"{_TEXT}page-count") and without_numbers:
                pass
            elif tag == f"{_DRAW}frame":
                yield self._frame(child)
            elif tag == f"{_DRAW}control":
                yield f"{_control(self.controls.get(child.get(f'{_DRAW}control')))} "
            elif tag == f"{_TEXT}placeholder":
                self.prompts += 1
            elif tag == f"{_TEXT}ruby-text":
                yield spoken("".join(self._collect(child, without_numbers)))
            elif tag == f"{_TEXT}span":
                name = child.get(f"{_TEXT}style-name")
                if self._is_struck(name):
                    self.struck += bool("".join(child.itertext()).strip())
                elif self._property(name, f"{_TEXT}display") != "none":
                    font = self._property(name, f"{_STYLE}font-name") or self._property(name, f"{_FO}font-family")
                    words = in_font("".join(self._collect(child, without_numbers)), font)
                    position = self._property(name, f"{_STYLE}text-position")
                    high, down = bool(_HIGH.match(position)), position.startswith(("sub", "-"))
                    yield low(words) if down else (raised(words) if high else None) or words
            elif tag == f"{_LOEXT}content-control" and child.get(f"{_LOEXT}showing-place-holder") == "true":
                self.prompts += 1
            elif not (
                (tag == f"{_TEXT}hidden-text" and child.get(f"{_TEXT}is-hidden") != "false")
                or (
                    tag.startswith(_DRAW) and tag not in (f"{_DRAW}g", f"{_DRAW}a")
                )  # shapes are read after the paragraph
            ):
                yield from self._collect(child, without_numbers)
            yield " ".join((child.tail or "").split("\n"))

    def _note(self, note: Any) -> str:
        citation = "".join(note.find(f"{_TEXT}note-citation").itertext())
        mark = raised(citation) or f"[{citation}]"
        body = note.find(f"{_TEXT}note-body")
        lines = [self._words(p) for p in body.iter(f"{_TEXT}p")] if body is not None else []
        self.pending.append(f"{mark} " + "\n".join(line for line in lines if line))
        return mark

    def _frame(self, frame: Any) -> str:
        """A formula is read; a text box is read after its paragraph; a picture is counted."""
        for inner in frame:
            if inner.tag == f"{_DRAW}object":
                name = f"{(inner.get(f'{_XLINK}href') or '').removeprefix('./')}/content.xml"
                if name in self.archive.namelist():
                    root = parsed(self.archive.read(name))
                    if root.tag.endswith("}math"):
                        return mathml(root)
                self.objects += 1
                return ""
            if inner.tag == f"{_DRAW}image":
                self.pictures += 1
        return ""


def _control(field: Any | None) -> str:
    """What a person sees of a field of a form: its label, what is written, ticked or picked in it."""
    if field is None:
        return ""
    kind = field.tag.removeprefix(_FORM)
    label = field.get(f"{_FORM}label") or ""
    if kind in ("checkbox", "radio"):
        states = [field.get(f"{_FORM}{name}") for name in ("current-state", "state", "current-selected", "selected")]
        stated = next((state for state in states if state), "")
        return f"{'☒' if stated in ('checked', 'true') else '☐'} {label}"
    if kind == "listbox":
        lines = field.findall(f"{_FORM}option")
        now = [line for line in lines if line.get(f"{_FORM}current-selected") == "true"]
        picked = now or [line for line in lines if line.get(f"{_FORM}selected") == "true"]
        return " ".join(line.get(f"{_FORM}label") or "" for line in picked)
    if kind in ("fixed-text", "frame"):
        return label
    if kind in ("password", "button", "hidden", "file", "image"):
        return ""
    return field.get(f"{_FORM}current-value") or field.get(f"{_FORM}value") or ""


def _is_unseen(section: Any) -> bool:
    """Whether a section is hidden, always or by a condition that held when the document was saved."""
    shown = section.get(f"{_TEXT}display")
    return bool(shown == "none" or (shown == "condition" and section.get(f"{_TEXT}is-hidden") == "true"))


def _is_hidden(row: Any) -> bool:
    return bool(row.get(f"{_TABLE}visibility", "visible") != "visible")


def _boxes(paragraph: Any) -> list[Any]:
    """The text boxes, and the shapes with words, that hang in a paragraph itself."""
    held = (f"{_TEXT}p", f"{_TEXT}h", f"{_TEXT}list")
    boxes = [
        e
        for e in paragraph.iter()
        if isinstance(e.tag, str) and e.tag.startswith(_DRAW) and any(child.tag in held for child in e)
    ]
    return [box for box in boxes if next(box.iterancestors(f"{_TEXT}p", f"{_TEXT}h"), None) is paragraph]


def _used_masters(styles: Any, content: Any) -> list[Any]:
    """The page styles that some paragraph or table asks for, the usual one first, with those that follow on them."""
    masters = {master.get(f"{_STYLE}name") or "": master for master in styles.iter(f"{_STYLE}master-page")}
    asked = [next(iter(masters), "")]
    asked += [style.get(f"{_STYLE}master-page-name") or "" for style in content.iter(f"{_STYLE}style")]
    found: dict[str, Any] = {}
    for name in asked:
        while name in masters and name not in found:
            found[name] = masters[name]
            name = masters[name].get(f"{_STYLE}next-style-name") or ""
    return list(found.values())


def _number(style: Any, depth: int, counts: list[int]) -> str:
    """The number that a list style draws on a level, with those of the levels above it that it shows; "" for bullets."""
    level = next((e for e in style if e.get(f"{_TEXT}level") == str(depth)), None)
    kind = level.get(f"{_STYLE}num-format") if level is not None else None
    if level is None or not kind:
        return ""
    shown = max(1, _whole(level.get(f"{_TEXT}display-levels"), 1))
    start = _whole(level.get(f"{_TEXT}start-value"), 1) - 1
    told = []
    for at in range(max(0, depth - shown), depth):
        other = next((e for e in style if e.get(f"{_TEXT}level") == str(at + 1)), level)
        count = (counts[at] if at < len(counts) else 1) + (start if at == depth - 1 else 0)
        told.append(written(max(count, 1), _KINDS.get(other.get(f"{_STYLE}num-format") or "1", "decimal")))
    return f"{level.get(f'{_STYLE}num-prefix') or ''}{'.'.join(told)}{level.get(f'{_STYLE}num-suffix') or ''}".strip()


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() else otherwise
