"""
What every format module returns: the text of one file, the blocks in it, and what the file says about itself.

    bytes ─encoding─▶ text ─markdown│plain│html│pdf│docx─▶ Extract ─metadata─▶ Document
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from clusterqa.documents.metadata import Metadata
from clusterqa.documents.symbols import UNKNOWN, settled
from clusterqa.records import PAGE_BREAK, Block, BlockKind, Document, Page


@dataclass(frozen=True, slots=True)
class Extract:
    """One file as its format module reads it; `metadata` is what the file itself says, never a guess."""

    text: str
    blocks: tuple[Block, ...]
    metadata: Metadata = field(default_factory=Metadata)
    pages: tuple[Page, ...] = ()
    warnings: tuple[str, ...] = ()


class TextBuilder:
    """
    Builds the stored text of a format that has to be extracted (HTML, DOCX), and its blocks along with it.

    Blocks are joined with an empty line; neighbouring list items, and neighbouring rows, with one line break.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._fresh = False
        self.blocks: list[Block] = []

    def add(
        self, kind: BlockKind, text: str, level: int = 0, header: str = "", joined: bool = True, mark: str = ""
    ) -> None:
        """
        Append one block; blank text is left out. `joined=False` keeps a row apart from a table before it. `mark` is
        the number of a list item ("2."), which stands before the block.
        """
        text = clean(text).strip()
        if not text:
            return
        start = self._separate(kind, joined)
        if mark:
            self._append(f"{mark} ")
            start = self._length
        self._append(text)
        self.blocks.append(Block(kind, start, self._length, level, header))

    def add_uncovered(self, text: str) -> None:
        """Append text that stays in the document but is never quoted, such as a table's header row."""
        text = clean(text).strip()
        if text:
            self._separate(None, False)
            self._append(text)

    def add_extract(self, extract: Extract) -> None:
        """Append another text with its blocks, such as that of a file inside this one."""
        start = self._separate(None, False)
        self._append(extract.text)
        self.blocks += [replace(b, start=b.start + start, end=b.end + start) for b in extract.blocks]

    def length(self) -> int:
        """How many characters there are so far."""
        return self._length

    def new_page(self) -> int:
        """Part what follows from what stands here by a page break; gives where the next page begins."""
        if self._length:
            self._append(PAGE_BREAK)
        self._fresh = True
        return self._length

    def text(self) -> str:
        """The text so far."""
        return "".join(self._parts)

    def _separate(self, kind: BlockKind | None, joined: bool) -> int:
        if self._length and not self._fresh:
            last = self.blocks[-1] if self.blocks else None
            follows = last is not None and last.end == self._length and last.kind == kind
            row_under_header = kind == "table_row" and joined
            tight = row_under_header or (follows and kind == "list_item")
            self._append("\n" if tight else "\n\n")
        return self._length

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
        self._fresh = False


_BLANKED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def clean(text: str) -> str:
    """The text with lowered figures settled, and a space for every control character but line feed, carriage return and tab."""
    return _BLANKED.sub(" ", settled(text))


def one_line(text: str) -> str:
    """The text with every run of white space, and of control characters, made one space."""
    return " ".join(clean(text).split())


_PAGE_WORDS = re.compile(r"(?:\W|\d|_|page|seite|puslapis|psl|lapas|iš|of|p)*\Z", re.IGNORECASE)


def is_page_number(text: str) -> bool:
    """
    Whether a piece of a header or a footer says nothing but the number of the page, which may be left out of it: „Puslapis iš“,
    "- 2 -"; dates, codes and telephone numbers are longer.
    """
    figures = re.findall(r"\d+", text)
    return bool(_PAGE_WORDS.match(text)) and len(figures) <= 2 and all(len(number) <= 3 for number in figures)


def first_heading(text: str, blocks: Sequence[Block]) -> str:
    """What the first heading among these blocks says, on one line; "" where there is none."""
    return next((one_line(text[block.start : block.end]) for block in blocks if block.kind == "heading"), "")


def left_out(
    pictures: int = 0, charts: int = 0, files: int = 0, struck: int = 0, prompts: int = 0, alike: int = 0
) -> list[str]:
    """A warning for each kind of thing that may say something and is not read, where there is any."""
    found = []
    if pictures:
        found.append(f"Pictures whose words are not read: {pictures}.")
    if charts:
        found.append(f"Charts that are not read: {charts}.")
    if files:
        found.append(f"Embedded files that are not read: {files}.")
    if struck:
        found.append(f"Places with struck-out text, which is not read: {struck}.")
    if prompts:
        found.append(f"Places to fill in, whose prompts are not read: {prompts}.")
    if alike:
        found.append(
            f"Places with letters in the colour of what lies under them, which cannot be seen and are not read: {alike}."
        )
    return found


def unknown_signs(count: int) -> list[str]:
    """A warning where there are signs of symbol fonts that are not known."""
    return [f"Signs of symbol fonts that are not known (shown as {UNKNOWN}): {count}."] if count else []


def trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at either end; an empty span when nothing else is in it."""
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    return start, max(start, end - (len(part) - len(part.rstrip())))


def faults(document: Document) -> list[str]:
    """
    What is wrong with a document's structure; empty when it keeps the promises of `Block` and `Page`.

    Blocks stand in order, do not overlap, lie inside the text (and inside one page, or two that follow each other), are
    not empty and have no white space at either end; the id is in NFC.
    """
    found: list[str] = []
    before = 0
    for number, block in enumerate(document.blocks):
        here = f"block {number} ({block.kind}, {block.start}–{block.end})"
        if not 0 <= block.start < block.end <= len(document.text):
            found.append(f"{here} is empty or outside the text of {len(document.text)} characters")
            continue
        if block.start < before:
            found.append(f"{here} starts before the end of the block above it, {before}")
        before = block.end
        text = document.text[block.start : block.end]
        if text != text.strip():
            found.append(f"{here} has white space at an end: {text!r}")
        if block.kind == "heading" and not 1 <= block.level <= 6:
            found.append(f"{here} has heading level {block.level}")
        on = [page.number for page in document.pages if page.start < block.end and block.start < page.end]
        if document.pages and (not on or on[-1] - on[0] > 1 or block.end > document.pages[on[-1] - 1].end):
            found.append(f"{here} is not inside one page or two that follow each other")
    before = 0
    for page in document.pages:
        if not before <= page.start <= page.end <= len(document.text):
            found.append(f"page {page.number} ({page.start}–{page.end}) is out of order or outside the text")
        before = page.end
    if document.id != unicodedata.normalize("NFC", document.id):
        found.append("the id is not in NFC")
    return found


def check(document: Document) -> None:
    """Raise ValueError with every fault of the document's structure; for tests and for doctors."""
    found = faults(document)
    if found:
        raise ValueError(f"{document.id}: " + "; ".join(found))
