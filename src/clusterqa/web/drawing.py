"""
What is shown of a document in a form that a template can draw: paragraphs, lists, tables, with what is marked in them.

Stored text is shown without what only marks it (`documents.shown`); the stored text itself goes to programs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from clusterqa.documents.shown import (
    Mark,
    Piece,
    as_shown,
    begins_with_number,
    goes_on,
    pieces,
    short_marks,
)  # fmt: skip
from clusterqa.parts import cell_spans, column_names, list_number
from clusterqa.records import Block, Language, Page, Part, Quote, Span
from clusterqa.web.words import WORDS

Pieces = Sequence[Piece]

MOST_LINES = 8
"""Items or rows of a selection that are shown at once; the others are folded when there are more than two of them."""


class Line(NamedTuple):
    """A sentence, an item or the cells of a row; `kind` as in `records.Part`."""

    kind: str
    cells: Sequence[Pieces]
    level: int = 0
    number: str = ""
    numbered: bool = False
    """Its text begins with its number."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Lines that are drawn as one thing: "text" in one paragraph, a "list", a single "row" with its columns, a "table"."""

    kind: Literal["text", "list", "row", "table"]
    lines: tuple[Line, ...]
    header: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Line, ...]:
        """The lines that are shown at once."""
        return self.lines if len(self.lines) <= MOST_LINES + 2 else self.lines[:MOST_LINES]

    @property
    def folded(self) -> tuple[Line, ...]:
        return self.lines[len(self.open) :]


def shapes(parts: Sequence[Part], media_type: str, marks: Sequence[Mark] = ()) -> list[Shape]:
    """Parts of one document as shapes, in their order. `marks` count in the document."""
    made: list[Shape] = []
    for index, part in enumerate(parts):
        line = _line(part, media_type, marks)
        kind: Literal["text", "list", "row"] = {"item": "list", "row": "row"}.get(part.kind, "text")  # type: ignore[assignment]
        last = made[-1] if made else None
        if last and kind == "text" == last.kind and goes_on(parts[index - 1], part):
            made[-1] = Shape("text", (*last.lines, line))
        elif last and kind == "list" == last.kind:
            made[-1] = Shape("list", (*last.lines, line))
        elif last and kind == "row" and last.kind in ("row", "table") and parts[index - 1].header == part.header:
            made[-1] = Shape("table", (*last.lines, line), last.header)
        else:
            made.append(Shape(kind, (line,), tuple(as_shown(name, media_type) for name in part.header)))
    return made


def quoted(quote: Quote) -> list[Shape]:
    """What is shown as the quote, with the short answer marked where a reader is sure of it."""
    return shapes(quote.selection, quote.source.media_type, short_marks(quote))


def around(quote: Quote) -> list[Shape]:
    """The passage around a quote, in which the quote is marked."""
    passage = quote.passage
    parts = quote.around or (Part("text", passage.start, passage.end, passage.text),)
    return shapes(parts, quote.source.media_type, [Mark(quote.start, quote.end, "quote")])


def _line(part: Part, media_type: str, marks: Sequence[Mark]) -> Line:
    spans = part.cells or (Span(part.start, part.end),)
    cells = [_cut(part.cut(span), span.start, media_type, marks, is_cell=bool(part.cells)) for span in spans]
    return Line(part.kind, cells, part.level, part.number, part.kind == "item" and begins_with_number(part.text))


def _cut(text: str, start: int, media_type: str, marks: Sequence[Mark], is_cell: bool) -> Pieces:
    """Text that begins at `start` of its document, as shown, with marks that count in the document."""
    here = [Mark(mark.start - start, mark.end - start, mark.name) for mark in marks]
    return pieces(text, media_type, here, is_cell)


# ── a whole document ────────────────────────────────────────────────────────────────────────────────────────────

SHEET = 100_000
"""Characters that are drawn at once: some tenths of a second of work, and no more than a browser shows with ease."""


def sheets(blocks: Sequence[Block], length: int) -> list[list[Block]]:
    """
    The blocks of a document of so many characters, in sheets of at most SHEET and the headings over their first block; a longer
    block is cut, and a text without blocks is one paragraph. Names of columns count with each row.
    """
    made: list[list[Block]] = [[]]
    room = SHEET
    for block in _cut_to_size(blocks or (Block("paragraph", 0, length),)):
        takes = block.end - block.start + len(block.header)
        if takes > room and made[-1]:
            made.append(_headings_at_the_end(made[-1]))
            room = SHEET
        made[-1].append(block)
        room -= takes
    return made


def _headings_at_the_end(sheet: list[Block]) -> list[Block]:
    """Takes the headings off the end of a sheet that has more than them: they belong to what follows."""
    kept = next((n for n in range(len(sheet), 0, -1) if sheet[n - 1].kind != "heading"), len(sheet))
    headings = sheet[kept:]
    del sheet[kept:]
    return headings


def _cut_to_size(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        if block.end - block.start + len(block.header) <= SHEET:
            yield block
            continue
        for start in range(block.start, block.end, SHEET):
            yield replace(block, start=start, end=min(start + SHEET, block.end), header="")


@dataclass(frozen=True, slots=True)
class Element:
    """One block of a document's page; `cells` has one cell but for table rows; `begins` where the quote begins."""

    kind: str
    level: int
    cells: tuple[Pieces, ...]
    header: tuple[str, ...] = ()
    number: str = ""
    page: str = ""
    begins: bool = False


def elements(
    text: str,
    blocks: Sequence[Block],
    pages: Sequence[Page],
    language: Language,
    media_type: str,
    marks: Sequence[Mark] = (),
) -> list[Element]:
    """Blocks of a document for its page, with what is marked."""
    made: list[Element] = []
    begun = False
    turned = 1
    for block in blocks:
        page = ""
        while turned < len(pages) and pages[turned].start <= block.start:
            page = WORDS[language]["pages"].format(pages[turned].label or pages[turned].number)
            turned += 1
        body = text[block.start : block.end]
        is_row = block.kind == "table_row"
        spans = cell_spans(body, media_type, block.start) if is_row else (Span(block.start, block.start + len(body)),)
        cells = tuple(_cut(text[span.start : span.end], span.start, media_type, marks, is_row) for span in spans)
        marked = any(piece.mark for cell in cells for piece in cell)
        made.append(
            Element(
                kind=block.kind,
                level=block.level,
                cells=cells,
                header=tuple(as_shown(name, media_type) for name in column_names(block.header, media_type)),
                number=list_number(text, block),
                page=page,
                begins=marked and not begun,
            )
        )
        begun = begun or marked
    return made
