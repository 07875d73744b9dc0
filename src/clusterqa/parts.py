"""A stretch of a document cut along its structure: sentences, list items, table rows, and what belongs to them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from clusterqa.records import Block, Document, Part, PartKind, Span
from clusterqa.text.sentences import sentences

_CELL_BAR = re.compile(r"(?:\A| )\|(?: |\Z)")
_MARKDOWN = "text/markdown"
_MARKDOWN_BAR = re.compile(r"(?<!\\)\s*\|\s*|\s*(?:</t[dh]\s*>\s*)?<t[dh](?:\s[^<>]*)?>\s*", re.IGNORECASE)
_LIST_NUMBER = re.compile(r"\(?(?:\d{1,4}(?:\.\d{1,4})*|[a-zA-Z])[.)]")
_KINDS: dict[str, PartKind] = {
    "paragraph": "text",
    "heading": "text",
    "list_item": "item",
    "table_row": "row",
    "left_out": "text",
}
LONGEST_ROW = 10_000
"""Characters with the names of its columns; a longer row is shown as text, and only what was meant of it."""


def cut(document: Document, start: int, end: int) -> tuple[Part, ...]:
    """
    The parts of `text[start:end]`, one a block; of a table row the whole row, even where only some of it was meant, if it is
    of at most LONGEST_ROW.
    """
    if not document.blocks:
        return (Part("text", start, end, document.text[start:end]),)
    made = []
    for block in document.blocks[_index(document.blocks, start) :]:
        if block.start >= end:
            break
        span = Span(block.start, block.end) if _kind(block) == "row" else _inside(document.text, block, start, end)
        if span and block.end > start:
            made.append(of_block(document, block, span))
    return tuple(made) or (Part("text", start, end, document.text[start:end]),)


def of_block(document: Document, block: Block, span: Span | None = None) -> Part:
    """A span of a block, without one the whole block, as a part."""
    span = span or Span(block.start, block.end)
    text = document.text[span.start : span.end]
    kind = _kind(block)
    if kind == "row":
        return Part(
            kind, span.start, span.end, text, header=column_names(block.header, document.media_type),
            cells=cell_spans(text, document.media_type, span.start),
        )  # fmt: skip
    if kind == "item":
        return Part(kind, span.start, span.end, text, level=block.level, number=list_number(document.text, block))
    return Part(kind, span.start, span.end, text)


def _kind(block: Block) -> PartKind:
    too_long = block.kind == "table_row" and block.end - block.start + len(block.header) > LONGEST_ROW
    return "text" if too_long else _KINDS[block.kind]


def cell_spans(row: str, media_type: str, start: int = 0) -> tuple[Span, ...]:
    """Where the cells of a stored table row stand that begins at `start`, in a document of this media type."""
    bars = list(_bar(media_type).finditer(row))
    edges = zip([0, *(bar.end() for bar in bars)], [*(bar.start() for bar in bars), len(row)], strict=True)
    return tuple(Span(start + a, start + b) for a, b in edges)


def column_names(header: str, media_type: str) -> tuple[str, ...]:
    """The names of the columns in the header of a table row; none for an empty one."""
    return tuple(name.strip().replace(r"\|", "|") for name in _bar(media_type).split(header)) if header else ()


def _bar(media_type: str) -> re.Pattern[str]:
    """What stands between cells: in Markdown as its author writes it, else as the readers do."""
    return _MARKDOWN_BAR if media_type == _MARKDOWN else _CELL_BAR


def list_number(text: str, block: Block) -> str:
    """The number of a list item where it stands before its block, else ""."""
    before = text[text.rfind("\n", 0, block.start) + 1 : block.start].strip()
    return before if block.kind == "list_item" and _LIST_NUMBER.fullmatch(before) else ""


def _index(blocks: Sequence[Block], place: int) -> int:
    """The number of the last block that begins at a place or before it; 0 when none does."""
    return max(0, bisect_right(blocks, place, key=lambda block: block.start) - 1)


def _inside(text: str, block: Block, start: int, end: int) -> Span | None:
    """What of a block lies in the stretch, without white space around it; None for nothing."""
    start, end = max(start, block.start), min(end, block.end)
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return Span(start, end) if start < end else None


# ── lists ───────────────────────────────────────────────────────────────────────────────────────────────────────


LONGEST_LIST = 100
"""Items or rows; of a longer list only what was meant is shown."""
LONGEST_LISTED = 50_000
"""Characters of all its items or rows; the same."""
_INTRODUCES = re.compile(r":[*_\s]*\Z")
_POINTS_DOWN = re.compile(
    r"\b(?:following|below|these|šie|šios|šių|šiuos|šias|tokie|tokios|toliau|žemiau)\b", re.IGNORECASE
)


def whole_list(document: Document, start: int, end: int) -> tuple[Part, ...]:
    """
    The list or the table that the stretch lies in or announces, with what introduces it; () where there is none.

    A list nested under an item that introduces it is a list of its own. A list of one is none.
    """
    blocks = document.blocks
    if not blocks:
        return ()
    first, last = _index(blocks, start), _index(blocks, end - 1)
    at = next((n for n in range(last, first - 1, -1) if blocks[n].kind in ("list_item", "table_row")), None)
    following = last + 1 if last + 1 < len(blocks) else last
    if blocks[last].kind != "heading" and _introduces(document, blocks[last]) and _under(blocks, last, following):
        at = following
    if at is None or blocks[at].kind not in ("list_item", "table_row"):
        return ()
    begin, stop, _ = _run(document, at)
    if not 2 <= stop - begin <= LONGEST_LIST or blocks[stop - 1].end - blocks[begin].start > LONGEST_LISTED:
        return ()
    items = [of_block(document, block) for block in blocks[begin:stop]]
    lead = lead_of(document, at) or _heading_over(document, begin)
    least = min(item.level for item in items)
    listed = tuple(replace(item, level=item.level - least) for item in items)
    return (*((lead,) if lead else ()), *listed)


def section_list(document: Document, place: int) -> tuple[Part, ...]:
    """As `whole_list`, the only list or table of the section that a place stands in; () where it has none, or several."""
    blocks = document.blocks
    if not blocks:
        return ()
    at = _index(blocks, place)
    begin = next((n + 1 for n in range(at, -1, -1) if blocks[n].kind == "heading"), 0)
    end = next((n for n in range(max(at, begin), len(blocks)) if blocks[n].kind == "heading"), len(blocks))
    items = [n for n in range(begin, end) if blocks[n].kind in ("list_item", "table_row")]
    if not items or _run(document, items[0])[:2] != (items[0], items[-1] + 1):
        return ()
    first = blocks[items[0]]
    return whole_list(document, first.start, first.end)


def lead_of(document: Document, index: int) -> Part | None:
    """What introduces the list that the item with this number stands in: the item above it, or the sentence before the list."""
    blocks = document.blocks
    if blocks[index].kind != "list_item":
        return None
    begin, _, parent = _run(document, index)
    if parent is not None:
        return replace(of_block(document, blocks[parent]), kind="lead", level=0, number="")
    before = blocks[begin - 1] if begin else None
    if before is None or before.kind != "paragraph":
        return None
    sentence = sentences(document.text, before.start, before.end, document.language)[-1]
    text = document.text[sentence.start : sentence.end]
    if _INTRODUCES.search(text) or _POINTS_DOWN.search(text):
        return Part("lead", sentence.start, sentence.end, text)
    return None


def item_at(document: Document, place: int) -> int | None:
    """The number of the block that holds a place, if it is an item of a list."""
    index = _index(document.blocks, place) if document.blocks else 0
    return index if document.blocks and document.blocks[index].kind == "list_item" else None


def _run(document: Document, at: int) -> tuple[int, int, int | None]:
    """The items [begin, end) of the list around an item (or of the table around a row), and the item that introduces them."""
    blocks = document.blocks
    kind, header = blocks[at].kind, blocks[at].header
    level = blocks[at].level
    parent = next((n for n in range(at - 1, -1, -1) if blocks[n].kind != kind or blocks[n].level < level), None)
    if parent is None or blocks[parent].kind != kind or not _introduces(document, blocks[parent]):
        level, parent = 0, None
    begin, end = at, at + 1
    while begin and (blocks[begin - 1].kind, blocks[begin - 1].header) == (kind, header) and begin - 1 != parent:
        begin -= 1
    while end < len(blocks) and (blocks[end].kind, blocks[end].header) == (kind, header) and blocks[end].level >= level:
        end += 1
    return begin, end, parent


def _introduces(document: Document, block: Block) -> bool:
    return _INTRODUCES.search(document.text[block.start : block.end]) is not None


def _under(blocks: Sequence[Block], one: int, other: int) -> bool:
    """Whether the block after another is a list or table that the other may introduce."""
    if blocks[one].kind == "list_item":
        return blocks[other].kind == "list_item" and blocks[other].level > blocks[one].level
    return blocks[one].kind == "paragraph" and blocks[other].kind in ("list_item", "table_row")


def _heading_over(document: Document, begin: int) -> Part | None:
    above = document.blocks[begin - 1] if begin else None
    if above is None or above.kind != "heading":
        return None
    return replace(of_block(document, above), kind="lead")


# ── what a sentence leans on ────────────────────────────────────────────────────────────────────────────────────


def sentence_before(document: Document, start: int) -> Part | None:
    """The sentence before the one that begins at a place, in its block or at the end of the paragraph right above."""
    blocks = document.blocks
    if not blocks:
        return None
    index = _index(blocks, start)
    for block in (blocks[index], blocks[index - 1] if index else None):
        if block is None or (block is not blocks[index] and {block.kind, blocks[index].kind} != {"paragraph"}):
            return None
        found = [s for s in sentences(document.text, block.start, block.end, document.language) if s.end <= start]
        if found:
            return Part("before", found[-1].start, found[-1].end, document.text[found[-1].start : found[-1].end])
    return None
