"""
What flows through clusterqa, stage by stage.

    file ─read─▶ Document ─split─▶ Passage ─encode─▶ PassageVectors ─index─▶ IndexedPassage
    Question ─understand─▶ Query ─search─▶ Candidate ─rerank─▶ Reranked ─merge─▶ Hit ─quote─▶ Quote ─▶ Reply

One frozen record a stage; `Trace` holds what all stages of one question gave. Every offset counts Unicode code points in `Document.text`, the end is exclusive, and
`document.text[start:end]` is the text meant: a quotation can always be traced.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Language = Literal["lt", "en"]
LANGUAGES: tuple[Language, ...] = ("lt", "en")

BlockKind = Literal["heading", "paragraph", "list_item", "table_row", "left_out"]
"""`left_out` is what the staff took out of answers: it stands in the text and is never quoted, nor does a passage run across it."""


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


def is_over(day: str | None, today: datetime.date) -> bool:
    """Whether the last day named by a date (YYYY, YYYY-MM or YYYY-MM-DD) has passed; None never does."""
    return day is not None and today.isoformat()[: len(day)] > day


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
    and DOCX it is the extracted text. `translation_of` is the id of the document that this one translates. `warnings` are
    sentences for the person who added it. `valid_until` is the last day on which it holds, `review_by` the day by which
    somebody is to look at it again; both as `date`, where a month or a year stands for its last day.
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
    valid_until: str | None = None
    review_by: str | None = None

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

    @property
    def section(self) -> tuple[str, tuple[str, ...]]:
        """The section that it stands in: its document and the headings above it."""
        return self.document, self.heading


# ── what an encoder makes of texts ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Encoded:
    """
    A text as encoded: its unit `vector`, shape (dimension,), and what the encoder made of each of its tokens.

    `states` has a row for each token, shape (tokens, width), of any length: the first columns are those by which late
    interaction compares (`retrieval.late_interaction`), all of them are for a reader. `ids` are the tokens' numbers in the
    vocabulary, `ends` how many characters of the text are read with each; 0 for what stands around the text (the prompt, the
    marks of beginning and end). All three are empty when the encoder compares whole texts only.
    """

    vector: NDArray[np.float32]
    states: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    ids: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    ends: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def as_bytes(rows: NDArray[np.floating[Any]]) -> NDArray[np.int8]:
    """Token states as they are kept and read, shape (tokens, width): each row times what makes its largest number 127. Whoever uses them makes them unit again."""
    largest = np.maximum(np.abs(rows).max(axis=1, keepdims=True, initial=0.0), 1e-12)
    scaled: NDArray[np.int8] = np.rint(rows * (127 / largest)).astype(np.int8)
    return scaled


@dataclass(frozen=True, slots=True)
class TokenStates:
    """
    The tokens of a passage as they are kept: their `states` in bytes, shape (tokens, width), each row with a scale of its
    own that is not kept, and their `ids`.

    Those from `cuts[0]` on stand above the passage (title, headings, lead), those from `cuts[1 + i]` on in sentence i, up to
    the last cut; what comes before the first and after the last is the prompt and the marks of beginning and end.
    """

    states: NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int8))
    ids: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    cuts: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    def sentences(self) -> NDArray[np.int16]:
        """The number of the sentence that each token stands in, -1 for those in none."""
        found = np.full(len(self), -1, dtype=np.int16)
        for number, (start, end) in enumerate(zip(self.cuts[1:-1], self.cuts[2:], strict=True)):
            found[start:end] = number
        return found

    def __len__(self) -> int:
        return len(self.states)


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """
    What an encoder made of a passage, as it is stored: `rows` of unit length, shape (1 + sentences, dimension), row 0 the
    passage; and its tokens.
    """

    rows: NDArray[np.float16]
    tokens: TokenStates = field(default_factory=TokenStates)


@dataclass(frozen=True, slots=True)
class IndexedPassage:
    """A passage of an index; `rows` are its vectors as the store has them (`PassageVectors`)."""

    id: int
    passage: Passage
    language: Language
    rows: NDArray[np.float16]


# ── what a store keeps ──────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class FileState:
    """What shows whether a file changed since it was read."""

    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store knows of a document beside its text. `state` is "live" or "removed"."""

    id: str
    version: str
    title: str
    language: Language
    media_type: str
    url: str | None
    date: str | None
    publisher: str | None
    tags: tuple[str, ...]
    sources: tuple[str, ...]
    translation_of: str | None
    warnings: tuple[str, ...]
    file_sha256: str
    file_size: int
    file_mtime_ns: int
    state: str
    valid_until: str | None = None
    review_by: str | None = None

    def source(self, translation: str | None) -> Source:
        return Source(
            self.id, self.version, self.title, self.language, self.url, self.date, self.publisher, translation,
            media_type=self.media_type, sources=self.sources, valid_until=self.valid_until,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NewPassage:
    """A passage with everything that is stored beside it; `digest` is of the texts that were encoded."""

    passage: Passage
    vectors: PassageVectors
    digest: str
    body_terms: str
    head_terms: str


# ── from a question to its passages ─────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Query:
    """
    A question ready to be searched for: what was encoded and which words are looked up.

    `words` maps each content word to its weight in (0, 1]: 1 for a word of the question itself, less for one that an
    earlier question lends to it.
    """

    text: str
    language: Language
    encoded: Encoded
    words: Mapping[str, float]
    doubt: float = 0.0
    """How much surer of its answer than the other reading of the question this one must be to be taken."""


SmallTalk = Literal["greeting", "thanks", "farewell", "fine", "complaint", "robot", "maker", "person", "about", "task"]
RemarkKind = SmallTalk | Literal["empty", "too_long", "unreadable"]


@dataclass(frozen=True, slots=True)
class Remark:
    """What was typed needs no search: small talk, or nothing that can be read."""

    kind: RemarkKind
    language: Language


Understood = Query | Remark


class Background(NamedTuple):
    """Mean and deviation of a question's scores over a whole corpus: what a good passage stands out from."""

    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Neighbours:
    """
    The passages of one language nearest to a question.

    `best` maps passage id to the best cosine over the passage and its sentences. `passages` and `sentences` are the
    background statistics of the question's cosines with *all* passages and sentences of that language, whatever the encoder
    gives to the two languages and to long and short texts. `count` is how many passages that is.
    """

    best: Mapping[int, float]
    passages: Background
    sentences: Background
    count: int


@dataclass(frozen=True, slots=True)
class Postings:
    """Ids of the passages that hold a term in their body, and of those that hold it only in their head (title, headings, tags)."""

    body: NDArray[np.int64]
    head: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Concept:
    """One word of the question: its possible terms with their strength in (0, 1], and its weight (rarity × query weight)."""

    word: str
    variants: Mapping[str, float]
    weight: float
    found: int
    """How many passages hold it."""
    kind: str
    """How it was found: "word", "translation", "spelling" or "unknown"."""


class Candidate(NamedTuple):
    """
    A passage, by id, that either channel found: its best `cosine` (of the passage and its sentences), the share of the
    question's words that it holds, and the `score` in [0, 1] of the two together.
    """

    passage: int
    cosine: float
    lexical: float
    score: float


@dataclass(frozen=True, slots=True)
class FirstLook:
    """
    What both channels gave for a question. `candidates` is best first; `neighbours` by language of the passages; `lexical`
    the share of the question's words that each passage holds, an array by passage id.
    """

    concepts: tuple[Concept, ...]
    neighbours: Mapping[Language, Neighbours]
    lexical: NDArray[np.float64]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Reranked:
    """
    What a reranker says of one candidate, higher is better: a score of the passage and one for each of its sentences, both
    comparable across languages; and `meaning` in [0, 1], how far the passage stands out by meaning alone.
    """

    score: float
    sentences: tuple[float, ...]
    meaning: float


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
    media_type: str = "text/plain"
    """Says which marks in its text only mark (`documents.shown`)."""
    sources: tuple[str, ...] = ()
    """What the document names as its own sources."""
    valid_until: str | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """
    A passage found for a question.

    `score` in [0, 1], higher is better, comparable across languages. `dense` is the best cosine of the passage and its
    sentences, in [-1, 1]; `meaning`, in [0, 1], how far the passage stands out from the corpus by meaning; `lexical` the share of the question's weight of words that the passage holds, in [0, 1].
    `sentence_scores` has one score for each of `passage.sentences`.
    """

    passage_id: int
    passage: Passage
    source: Source
    score: float
    dense: float
    meaning: float
    lexical: float
    sentence_scores: tuple[float, ...]
    merged: tuple[int, ...] = ()
    """Ids of the passages merged into this hit: translations of it, and near-duplicates elsewhere."""


PartKind = Literal["text", "item", "row", "lead", "before"]


@dataclass(frozen=True, slots=True)
class Part:
    """
    One exact span of what is shown of a document, inside one block: `text == document.text[start:end]`.

    "text" stands in a paragraph or a heading; "item" in a list, `level` deep (from 0), with the `number` before it where that
    is not in the text; "row" in a table, with the names of its columns (`header`, maybe empty) and where its `cells` stand.
    "lead" introduces what comes after it, and what comes after "before" leans on that sentence.
    """

    kind: PartKind
    start: int
    end: int
    text: str
    level: int = 0
    number: str = ""
    header: tuple[str, ...] = ()
    cells: tuple[Span, ...] = ()

    def cut(self, span: Span) -> str:
        """The text of a span of the document that lies inside the part."""
        return self.text[span.start - self.start : span.end - self.start]


@dataclass(frozen=True, slots=True)
class Quote:
    """
    One to three sentences, or a short paragraph, cut from a document, inside the passage around them, and what is shown with them.

    `text` is the document's from `start` to `end`. `parts` are all that is shown, in the document's order: the sentences, item
    or row themselves, and what a reader needs beside them. `around` is the passage, in parts as well.
    """

    source: Source
    heading: str
    page: int | None
    page_label: str | None
    start: int
    end: int
    text: str
    passage: PassageText
    score: float
    short: Span | None = None
    """The shortest answer inside the quote, in the document's offsets; None where no reader marked one."""
    sure: bool = False
    """Whether the reader is sure enough of the short answer to have it marked for people."""
    parts: tuple[Part, ...] = ()
    around: tuple[Part, ...] = ()
    year: int | None = None
    """Where its figures are older than its document, the year that they are of."""
    closed: bool = False
    """Whether its document says of it that the call is closed."""

    @property
    def short_text(self) -> str:
        return self.text[self.short.start - self.start : self.short.end - self.start] if self.short else ""

    @property
    def selection(self) -> tuple[Part, ...]:
        """What is shown: the parts, or the text alone."""
        return self.parts or (Part("text", self.start, self.end, self.text),)


@dataclass(frozen=True, slots=True)
class PassageText:
    """The passage around a quote, with its offsets in the document."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Short:
    """A short answer: the tokens [start, end) of a passage, and its score, a sum of two logits. No token: start == end."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """
    What a reader makes of a passage that it read together with the question.

    `answers` is a logit: above 0 the passage answers rather than not; `by_text` the same without knowing how the search ranked
    it. `sentences` has one such logit for each sentence, and `shorts` the best short answer in it.
    """

    answers: float
    by_text: float
    sentences: tuple[float, ...]
    shorts: tuple[Short, ...]

    @property
    def short(self) -> Short:
        """The best short answer of the sentence that answers best."""
        return self.shorts[max(range(len(self.sentences)), key=lambda i: self.sentences[i])]


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
class PartReply:
    """One of the things that were asked at once: its `label`, cut from the question, and what answers it; None for nothing."""

    label: str
    quote: Quote | None
    confidence: float


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
    parts: tuple[PartReply, ...] = ()
    """Where a question asked two things: what answers each."""
    choices: tuple[str, ...] = ()
    """Where it is not sure which of `quotes` answers: what each is about, from the headings over them."""


@dataclass(frozen=True, slots=True)
class Trace:
    """
    One question on its way through the pipeline: what each stage gave. Empty where a remark needed no search.

    `ranking` has (passage id, score) of every candidate, best first, before translations and near-duplicates are merged:
    first those that were reranked, then the others by the score of the first look. `features` are what the confidence
    rests on. `milliseconds` is the time of each stage, in their order: understand, encode, wait (for the index, and for its new
    generation), candidates, rerank, merge, read, quote, parts (of a question that asks several things).
    """

    question: Question
    understood: Understood
    reply: Reply
    first: FirstLook | None = None
    ranking: tuple[tuple[int, float], ...] = ()
    hits: tuple[Hit, ...] = ()
    features: Mapping[str, float] = field(default_factory=dict)
    milliseconds: Mapping[str, float] = field(default_factory=dict)
    readings: Mapping[int, Reading] = field(default_factory=dict)
    """By passage id, of the hits that were read."""
