"""What the HTTP API answers, described for its readers. Only described: the API sends what the core gives, unfiltered."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from clusterqa.records import Language, PartKind, Status

Start = Field(description="Offset of the first character in the document's text, in Unicode code points.")
End = Field(description="Offset behind the last character.")


class Passage(BaseModel):
    """The passage around a quote."""

    start: int = Start
    end: int = End
    text: str


class Short(BaseModel):
    """The shortest answer inside a quote."""

    start: int = Start
    end: int = End
    text: str
    sure: bool = Field(description="Whether the reader is sure enough of it for the chat to mark it.")


class Cell(BaseModel):
    """A cell of a table row."""

    start: int = Start
    end: int = End
    text: str


class Part(BaseModel):
    """One exact cut of what is shown for a quote: `text` is exactly the document's text from `start` to `end`."""

    kind: PartKind = Field(
        description='"text", an "item" of a list, a "row" of a table; "lead" introduces what follows, and what follows '
        '"before" leans on that sentence.'
    )
    start: int = Start
    end: int = End
    text: str
    level: int = Field(ge=0, description="How deep an item is nested.")
    number: str = Field(description="The number of an item where it stands before its text.")
    header: list[str] = Field(description="Of a row: the names of its columns.")
    cells: list[Cell] = Field(description="Of a row: its cells.")


class Quote(BaseModel):
    """A cut of a document: `text` is exactly the document's text from `start` to `end`."""

    document: str = Field(description="Path of the document below the corpus folder.")
    version: str = Field(description="sha256 of the document's text.")
    title: str
    url: str | None = Field(description="Where the original stands, if that is known.")
    date: str | None = Field(description="Date of the document: YYYY, YYYY-MM or YYYY-MM-DD.")
    publisher: str | None
    language: Language
    translation: str | None = Field(description="The same document in the other language.")
    valid_until: str | None = Field(description="Last day on which the document holds: YYYY, YYYY-MM or YYYY-MM-DD.")
    heading: str = Field(description='The headings above the quote, outermost first, with " › " between them.')
    page: int | None = Field(description="Number of the page, counted from 1, where the document has pages.")
    page_label: str | None = Field(description="What is printed on that page as its number.")
    start: int = Start
    end: int = End
    text: str
    short: Short | None = Field(description="Where a reader marked one.")
    shown: str = Field(
        description="The whole selection as people read it: without marks of Markdown, words joined over line ends."
    )
    header: list[str] = Field(description="The names of the columns where the quote is a row of a table.")
    cells: list[str] = Field(description="The cells of that row as they are shown.")
    year: int | None = Field(description="Where its figures are older than its document: the year they are of.")
    closed: bool = Field(description="Whether its document says of it that the call is closed.")
    sources: list[str] = Field(description="What the document names as its own sources.")
    selection: list[Part] = Field(
        description="All that is shown, in the document's order; the quote and what it needs."
    )
    passage: Passage
    score: float = Field(ge=0, le=1)


class AnsweredPart(BaseModel):
    """One of the things that a question asked at once."""

    label: str = Field(description="Its words, cut from the question.")
    confidence: float = Field(ge=0, le=1)
    quote: Quote | None = Field(description="What answers it; null where nothing does.")


class Answer(BaseModel):
    """The reply to a question."""

    id: str | None = Field(description="The id that came with the question.")
    question: str
    language: Language
    status: Status
    confidence: float = Field(
        ge=0, le=1, description="Calibrated probability that the first quote answers the question."
    )
    message: str = Field(description="The words shown around the quotes.")
    quotes: list[Quote] = Field(description="At most three, best first; the first is the answer.")
    nearest: list[Quote] = Field(description='The places that come nearest, where the status is "not_found".')
    parts: list[AnsweredPart] = Field(description="Where the question asked two things: what answers each.")
    choices: list[str] = Field(
        description="Where it is not sure which of `quotes` answers: what each of them is about."
    )
    generation: int = Field(description="Generation of the index that answered.")


class Answered(BaseModel):
    """The reply to one of several questions."""

    answer: Answer
    journal_id: str | None = Field(description="Names the reply for feedback; null when the journal cannot be written.")


class Answers(BaseModel):
    """The replies to several questions, in their order."""

    answers: list[Answered]


class Hit(BaseModel):
    """A passage found for a search."""

    rank: int = Field(ge=1)
    document: str
    version: str
    title: str
    url: str | None
    language: Language
    heading: str
    page: int | None
    start: int = Start
    end: int = End
    text: str
    score: float
    dense: float = Field(description="Score of the channel that compares meanings.")
    lexical: float = Field(description="Score of the channel that compares words.")


class Facts(BaseModel):
    """What is known about a document."""

    document: str
    version: str
    title: str
    language: Language
    url: str | None
    date: str | None
    publisher: str | None
    media_type: str
    translation: str | None
    valid_until: str | None


class Read(Facts):
    """A document with its text."""

    state: str = Field(description='"live", or "removed" when it is no longer used for answers.')
    versions: list[str] = Field(description="sha256 of every version that is kept, oldest first.")
    tags: list[str]
    sources: list[str] = Field(description="What the document names as its own sources.")
    text: str = Field(description="The text that offsets count in.")


class Structured(Answer):
    """The reply beside a chat completion."""

    journal_id: str | None = Field(description="Names the reply for feedback; null when the journal cannot be written.")


class Said(BaseModel):
    """What is said in a chat completion."""

    role: Literal["assistant"]
    content: str = Field(description="The quotes with their sources, as Markdown.")
    refusal: None


class Choice(BaseModel):
    """The one answer of a chat completion."""

    index: Literal[0]
    message: Said
    logprobs: None
    finish_reason: Literal["stop"]


class Usage(BaseModel):
    """No language model reads or writes anything: all are 0."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """A chat completion, as OpenAI has it."""

    id: str
    object: Literal["chat.completion"]
    created: int = Field(description="Seconds since 1970, UTC.")
    model: str
    choices: list[Choice]
    usage: Usage
    clusterqa: Structured = Field(description="The reply that `ask` gives.")


class Model(BaseModel):
    """A model, as OpenAI has it."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class Models(BaseModel):
    """The models: one."""

    object: Literal["list"]
    data: list[Model]


class Problem(BaseModel):
    """An error, after RFC 9457."""

    type: str
    title: str
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What went wrong and what to do, for the person who reads it.")


class Refusal(BaseModel):
    """An error in the shape of OpenAI's API."""

    error: dict[str, str | None] = Field(
        description='"message" says what to do; "type", "param" and "code" as OpenAI has them.'
    )
