"""
What flows through clusterqa, stage by stage.

    file ─read─▶ Document ─split─▶ Passage ─search─▶ Hit ─quote─▶ Quote ─▶ Reply

One frozen record a stage. Every offset counts Unicode code points in `Document.text`, the end is exclusive, and
`document.text[start:end]` is the text meant: a quotation can always be traced.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["lt", "en"]
LANGUAGES: tuple[Language, ...] = ("lt", "en")

BlockKind = Literal["heading", "paragraph", "list_item", "table_row"]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a document's text: `text[start:end]`."""

    start: int
    end: int

    def __len__(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Block:
    """
    One structural unit of a document, in reading order; blocks never overlap.

    The span leaves out what only marks the structure (`## `, `- `, the bars around a table row), so that a quote of
    a whole block reads clean. `level` is 1–6 for a heading, the nesting depth (from 0) for a list item, else 0.
    `header` is the text of the table's header row for a table row, else "". Text between blocks is never quoted.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    header: str = ""


PAGE_BREAK = "\n\f\n"
"""Stands in the text between two pages, slides or sheets."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a paged document: `number` counts from 1, `label` is what is printed on it ("iv", "A-3")."""

    number: int
    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Document:
    """
    A document as read: its stored text, its structure and what is known about it.

    `id` is the path below the corpus folder, with forward slashes. `text` is immutable; `version` names it. For
    Markdown and plain text it is the decoded file itself (front matter included, which no block covers); for HTML, PDF
    and DOCX it is the extracted text. `translation_of` is the id of the twin this document translates. `warnings` are
    sentences for the person who added it.
    """

    id: str
    text: str
    title: str
    language: Language
    blocks: tuple[Block, ...]
    media_type: str
    url: str | None = None
    date: str | None = None
    publisher: str | None = None
    tags: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    translation_of: str | None = None
    pages: tuple[Page, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """sha256 of the stored text in UTF-8, in hexadecimal."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Passage:
    """
    What search finds: a stretch of one document, inside one section and one page.

    `text == document.text[start:end]`. `sentences` are the spans a quote may be made of, in order, inside
    `[start, end)`, without surrounding white space; there is at least one. `heading` is the path of headings above
    it, outermost first, without the document's own title. `lead` is what stands above the passage and is needed to
    understand it (a table's header row, the sentence that introduces a list), else "". `page` counts from 1, None
    for a document without pages.
    """

    document: str
    ordinal: int
    start: int
    end: int
    text: str
    sentences: tuple[Span, ...]
    heading: tuple[str, ...] = ()
    lead: str = ""
    page: int | None = None
    page_label: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What is shown about a document beside a quote of it. `version` is the sha256 of the stored text."""

    document: str
    version: str
    title: str
    language: Language
    url: str | None = None
    date: str | None = None
    publisher: str | None = None
    translation: str | None = None
    """Id of the same document in the other language, if there is one."""


@dataclass(frozen=True, slots=True)
class Hit:
    """
    A passage found for a question.

    `score` in [0, 1], higher is better, comparable across languages. `dense` is the best cosine of the passage and its
    sentences, in [-1, 1]; `meaning`, in [0, 1], how far the passage stands out from the corpus by meaning; `lexical` the share of the question's weight of words that the passage holds, in [0, 1].
    `sentence_scores` has one fused score for each of `passage.sentences`.
    """

    passage_id: int
    passage: Passage
    source: Source
    score: float
    dense: float
    meaning: float
    lexical: float
    sentence_scores: tuple[float, ...]
    twins: tuple[int, ...] = ()
    """Passage ids merged into this hit: its translation, or a near-identical passage elsewhere."""


@dataclass(frozen=True, slots=True)
class Quote:
    """One to three sentences cut from a document, inside the passage around them."""

    source: Source
    heading: str
    page: int | None
    page_label: str | None
    start: int
    end: int
    text: str
    passage: PassageText
    score: float


@dataclass(frozen=True, slots=True)
class PassageText:
    """The passage around a quote, with its offsets in the document."""

    start: int
    end: int
    text: str


Status = Literal["answered", "not_found", "small_talk", "empty"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question on entry: `text` as typed, the earlier questions of the conversation (oldest first), a language."""

    text: str
    history: tuple[str, ...] = ()
    language: Language | None = None
    """The page's or the caller's language; the text decides where it says enough."""
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What is shown for a question.

    `quotes` (at most three, best first, from different passages) are filled only when `status` is "answered";
    `nearest` (places to look) only when it is "not_found". `confidence` in [0, 1] is the calibrated probability that
    `quotes[0]` (or `nearest[0]`) answers the question; 0 for small talk and empty input.
    """

    question: str
    language: Language
    status: Status
    confidence: float
    message: str
    quotes: tuple[Quote, ...] = ()
    nearest: tuple[Quote, ...] = ()
    id: str | None = None
    generation: int = 0
    """Generation of the index that answered; 0 when none was asked."""
    timings: dict[str, float] = field(default_factory=dict)
    """Milliseconds spent in each stage: encode, search, quote."""
