"""
Document → passages: what search finds, following the document's own structure.

Blocks become units, in reading order: a paragraph or a list item (in several units where it is too long for one
passage), a table row, a heading with nothing under it. Units that belong together are then merged while they fit:

- paragraphs of one section;
- the items of one list, and the paragraph that introduces them with a colon.

A table row stays alone, as each is a statement of its own. Nothing is merged across sections or pages.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from clusterqa.records import PAGE_BREAK, Block, Document, Page, Passage, Span
from clusterqa.text.analysis import searchable
from clusterqa.text.sentences import sentences

WHOLE_ROW = 400
"""A table row of at most so many characters is one sentence; half a row is hard to understand."""

_BLANK_LINE = re.compile(r"\n[^\S\n]*\n\s*|\r[^\S\r\n]*\r(?!\n)\s*")


@dataclass(frozen=True, slots=True)
class _Unit:
    """Sentences of one block that always stay in one passage."""

    block: Block
    sentences: tuple[Span, ...]
    section: int
    heading: tuple[str, ...]
    page: Page | None
    stretch: int = 0
    """How many blocks that are left out of answers stand above it."""
    introduces: bool = False
    """It ends its block, and with a colon."""

    @property
    def start(self) -> int:
        return self.sentences[0].start

    @property
    def end(self) -> int:
        return self.sentences[-1].end


def split(document: Document, passage_chars: int = 600) -> tuple[Passage, ...]:
    """
    Cut a document into passages, in reading order; none for a document without a letter or digit.

    A passage has at most `passage_chars` characters, except where a single sentence or table row of up to
    `clusterqa.text.sentences.LONGEST` characters is longer. Passages do not overlap, and every sentence with a letter
    or digit is in one; headings are in `heading`, but for those with nothing under them, which are passages too.
    """
    units = list(_units(document, passage_chars))
    return tuple(
        _passage(document, ordinal, group, lead)
        for ordinal, (group, lead) in enumerate(_merge(document.text, units, passage_chars))
    )


def _units(document: Document, passage_chars: int) -> Iterator[_Unit]:
    blocks = [block for block in _blocks(document) if _says_something(document.text, block)]
    title = _title(document, blocks)
    path: list[tuple[int, str]] = []
    section = stretch = 0
    for index, block in enumerate(blocks):
        if block.kind == "left_out":
            stretch += 1
        elif block.kind == "heading":
            while path and path[-1][0] >= block.level:
                path.pop()
            section += 1
            below = blocks[index + 1] if index + 1 < len(blocks) else None
            if below is None or (below.kind == "heading" and below.level <= block.level):
                yield from _units_of(document, block, section, stretch, path, passage_chars)
            if block is not title:
                path.append((block.level, " ".join(document.text[block.start : block.end].split())))
        else:
            yield from _units_of(document, block, section, stretch, path, passage_chars)


def _blocks(document: Document) -> Iterable[Block]:
    if document.blocks:
        return document.blocks
    edges = [0]
    for gap in _BLANK_LINE.finditer(document.text):
        edges += gap.span()
    edges.append(len(document.text))
    return [Block("paragraph", start, end) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _says_something(text: str, span: Block | Span) -> bool:
    return any(character.isalnum() for character in text[span.start : span.end])


def _title(document: Document, blocks: list[Block]) -> Block | None:
    """The heading that is the document's own title: the first of level 1, if it says the title or is the only one."""
    tops = [block for block in blocks if block.kind == "heading" and block.level == 1]
    if tops and (len(tops) == 1 or document.text[tops[0].start : tops[0].end].split() == document.title.split()):
        return tops[0]
    return None


def _units_of(
    document: Document, block: Block, section: int, stretch: int, path: list[tuple[int, str]], passage_chars: int
) -> Iterator[_Unit]:
    heading = tuple(text for _, text in path)
    for page, spans in _pages(document, _sentences(document, block)):
        for part in _parts(spans, passage_chars):
            introduces = (
                part[-1] is spans[-1]
                and block.kind in ("paragraph", "list_item")
                and document.text[part[-1].start : part[-1].end].rstrip("*_ ").endswith(":")
            )
            if any(_says_something(document.text, span) for span in part):
                yield _Unit(block, tuple(part), section, heading, page, stretch, introduces)


def _pages(document: Document, spans: Sequence[Span]) -> Iterator[tuple[Page | None, list[Span]]]:
    """The sentences of a block by the page they stand on; one that runs on over the page stands on both."""
    pages = document.pages
    for (first, last), group in groupby(spans, lambda span: (_page(pages, span.start), _page(pages, span.end - 1))):
        if not pages:
            yield None, list(group)
        elif first == last:
            yield pages[first], list(group)
        else:
            one, other = pages[first], pages[last]
            yield Page(one.number, f"{one.label}–{other.label}", one.start, other.end), list(group)


def _page(pages: Sequence[Page], place: int) -> int:
    return max(0, bisect_right(pages, place, key=lambda page: page.start) - 1)


def _sentences(document: Document, block: Block) -> tuple[Span, ...]:
    start, end = block.start, block.end
    if block.kind in ("table_row", "heading"):
        stretch = document.text[start:end]
        start += len(stretch) - len(stretch.lstrip())
        end -= len(stretch) - len(stretch.rstrip())
        if 0 < end - start <= WHOLE_ROW:
            return (Span(start, end),)
    if document.pages and PAGE_BREAK in document.text[start:end]:
        # The end of a page inside a paragraph is a line end like any other.
        found = sentences(
            document.text[start:end].replace(PAGE_BREAK, " " * len(PAGE_BREAK)), language=document.language
        )
        return tuple(Span(start + span.start, start + span.end) for span in found)
    return sentences(document.text, start, end, document.language)


def _parts(spans: Iterable[Span], passage_chars: int) -> Iterator[list[Span]]:
    """Cut a block between sentences, where it is longer than a passage."""
    part: list[Span] = []
    for span in spans:
        if part and span.end - part[0].start > passage_chars:
            yield part
            part = []
        part.append(span)
    if part:
        yield part


def _merge(text: str, units: list[_Unit], passage_chars: int) -> Iterator[tuple[list[_Unit], str]]:
    """Units that make one passage, with what stands above them and is needed to understand them."""
    group: list[_Unit] = []
    lead = ""
    leads: list[tuple[int, str]] = []  # (nesting, sentence) that introduce a list at this place, outermost first
    for index, unit in enumerate(units):
        previous = units[index - 1] if index else None
        nesting = unit.block.level if unit.block.kind == "list_item" else -1
        if previous is None or previous.section != unit.section:
            leads = []
        leads = [(level, sentence) for level, sentence in leads if level < nesting]
        following = units[index + 1] if index + 1 < len(units) else None
        if group and _fits(group, unit, following, passage_chars):
            group.append(unit)
        else:
            if group:
                yield group, lead
            group = [unit]
            lead = unit.block.header if unit.block.kind == "table_row" else " ".join(s for _, s in leads)
        if unit.introduces:
            leads.append((nesting, text[unit.sentences[-1].start : unit.end]))
    if group:
        yield group, lead


def _fits(group: list[_Unit], unit: _Unit, following: _Unit | None, passage_chars: int) -> bool:
    first, last = group[0], group[-1]
    where = (unit.section, unit.stretch, unit.page)
    if where != (first.section, first.stretch, first.page) or unit.end - first.start > passage_chars:
        return False
    kinds = (last.block.kind, unit.block.kind)
    if kinds == ("paragraph", "paragraph"):
        # A paragraph that introduces a list goes with the list rather than with the paragraph before it.
        return not (
            unit.introduces
            and following is not None
            and following.block.kind == "list_item"
            and following.section == unit.section
            and following.end - first.start > passage_chars >= following.end - unit.start
        )
    return kinds == ("list_item", "list_item") or (kinds == ("paragraph", "list_item") and last.introduces)


def _passage(document: Document, ordinal: int, group: list[_Unit], lead: str) -> Passage:
    first, last = group[0], group[-1]
    spans = (span for unit in group for span in unit.sentences)
    return Passage(
        document=document.id,
        ordinal=ordinal,
        start=first.start,
        end=last.end,
        text=document.text[first.start : last.end],
        sentences=tuple(span for span in spans if _says_something(document.text, span)),
        heading=first.heading,
        lead=lead,
        page=first.page.number if first.page else None,
        page_label=first.page.label if first.page else None,
    )


def sentence_texts(passage: Passage) -> list[str]:
    """The sentences of a passage, cut from its text."""
    return [passage.text[s.start - passage.start : s.end - passage.start] for s in passage.sentences]


@dataclass(frozen=True, slots=True)
class PassageTexts:
    """What is encoded for a passage: the whole, a space between its parts, and each sentence by itself."""

    parts: tuple[str, ...]
    """Where it stands, then its sentences."""
    sentences: tuple[str, ...]
    """Each with what stands right above it."""

    @property
    def whole(self) -> str:
        return " ".join(self.parts)


def passage_texts(title: str, passage: Passage) -> PassageTexts:
    """What is encoded for a passage of a document with this title."""
    own = sentence_texts(passage)
    place = " – ".join(dict.fromkeys([title, *passage.heading]))
    head = " ".join(f"{part}." for part in (place, passage.lead) if part)
    above = passage.lead or (passage.heading[-1] if passage.heading else "")
    return PassageTexts(
        parts=tuple(map(searchable, [head, *own])),
        sentences=tuple(searchable(f"{above}. {text}" if above else text) for text in own),
    )
