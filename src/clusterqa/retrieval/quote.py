"""
Hits to a reply: the best one to three sentences, or a short paragraph, as a quotation, or an honest "not found".

Every quote is cut here, from the stored text, by its offsets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clusterqa.parts import cut
from clusterqa.passages import sentence_texts
from clusterqa.records import (
    Concept,
    Document,
    Hit,
    Part,
    PartReply,
    PassageText,
    Query,
    Question,
    Quote,
    Remark,
    Reply,
    Span,
    Status,
)
from clusterqa.retrieval.lexical import coverage
from clusterqa.retrieval.notes import says_closed, year_of
from clusterqa.retrieval.selection import named_cell, selection
from clusterqa.retrieval.small_talk import REPLIES
from clusterqa.retrieval.wording import WORDS
from clusterqa.text.analysis import holds_words
from clusterqa.text.answer_types import expected, wants_list
from clusterqa.text.asked_parts import AskedPart

HEADING_BAR = " › "
FAIRLY_SURE = 0.6
"""Confidence from which on short answers are marked. Below it the quotes are a choice, where their headings tell them apart."""
PART_SURE = 0.5
"""Confidence from which on a part that leans on the one before counts as answered."""
HARDLY_LESS = 0.1
"""So much less sure than a part alone a whole question may be, for its place to answer all of it."""
MAX_QUOTES = 3
MAX_SENTENCES = 3
SHORT_QUOTE = 60
"""A quote of fewer characters is too short to stand alone and takes the sentence beside it."""
SHORT_PARAGRAPH = 400
"""A paragraph of so many characters is quoted whole: the rule and its exception, the step and its deadline."""
SEVERAL_ROWS = 3
"""So many rows that are found with the text beside their table make it be shown."""
MORE_WORDS = 0.12
"""A neighbouring sentence joins the quote also when it brings at least this much more of the question's words."""
FURTHER_SHARE = 0.45
"""A further quote is shown when its score is at least this share of the first one's."""


def remark_reply(question: Question, remark: Remark) -> Reply:
    """The reply where nothing needs to be searched for."""
    status: Status = "empty" if remark.kind in ("empty", "too_long", "unreadable") else "small_talk"
    message = REPLIES[remark.language].get(remark.kind) or WORDS[remark.language][remark.kind]
    return Reply(question.text, remark.language, status, 0.0, message, id=question.id)


def quotable(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that may be quoted: the best, and further ones that are nearly as good."""
    floor = FURTHER_SHARE * hits[0].score if hits else 0.0
    return [hit for hit in hits if hit.score >= floor]


def tells_of_a_table(hit: Hit, hits: Sequence[Hit]) -> bool:
    """Whether a hit is the text beside a table of which several rows are hits themselves: they answer together."""
    section = hit.passage.section
    rows = sum(" | " in other.passage.text and other.passage.section == section for other in hits if other is not hit)
    return " | " not in hit.passage.text and rows >= SEVERAL_ROWS


def shows(quote: Quote, other: Quote) -> bool:
    """Whether the list or table shown for a quote holds the other one already."""
    return quote.source.document == other.source.document and any(
        part.kind in ("item", "row") and part.start <= other.start and other.end <= part.end for part in quote.selection
    )


def reply(
    question: Question, query: Query, quotes: tuple[Quote, ...], confidence: float, threshold: float, generation: int
) -> Reply:
    """The reply to a question that was searched for: below the `threshold` the quotes are only places to look."""
    words = WORDS[query.language]
    status: Status = "not_found"
    if not quotes:
        message = words["nothing"]
    elif confidence < threshold:
        message = words["not_found"]
    else:
        status, written_in = "answered", quotes[0].source.language
        message = words["answered" if written_in == query.language else f"answered_{written_in}"]
    answered = status == "answered"
    return Reply(
        question.text, query.language, status, confidence, message, quotes=quotes if answered else (),
        nearest=() if answered else quotes, id=question.id, generation=generation,
        choices=choices(quotes) if answered and confidence < FAIRLY_SURE else (),
    )  # fmt: skip


def choices(quotes: Sequence[Quote]) -> tuple[str, ...]:
    """What each quote is about, by the headings over them; () where these do not tell them apart."""
    own = [quote.heading.rpartition(HEADING_BAR)[2] or quote.source.title for quote in quotes]
    full = [
        HEADING_BAR.join(dict.fromkeys((quote.source.title, name))) for quote, name in zip(quotes, own, strict=True)
    ]
    labels = [name if own.count(name) == 1 else whole for name, whole in zip(own, full, strict=True)]
    return tuple(labels) if len(set(labels)) == len(labels) > 1 else ()


def together(whole: Reply, parts: Sequence[AskedPart], replies: Sequence[Reply]) -> Reply:
    """The reply to a question that asks several things: as to the whole, with what answers each of them."""
    # What leans on the part before it may be read wrongly: it has to be surer.
    made = tuple(
        PartReply(
            part.label,
            reply.quotes[0] if reply.quotes and (not part.leans or reply.confidence >= PART_SURE) else None,
            reply.confidence,
        )
        for part, reply in zip(parts, replies, strict=True)
    )
    found = [part.quote for part in made if part.quote]
    if not found or len({_place(quote) for quote in found}) < len(found):
        return whole
    if whole.status == "answered":
        if parts[-1].leans and _answered_in_one(whole, made, replies):
            return whole
        return replace(whole, parts=made, choices=())
    first = next(reply for reply in replies if reply.quotes)
    return replace(
        whole, status="answered", confidence=first.confidence, message=first.message, quotes=tuple(found), nearest=(),
        parts=made,
    )  # fmt: skip


def _answered_in_one(whole: Reply, made: Sequence[PartReply], replies: Sequence[Reply]) -> bool:
    """
    Whether one place seems to answer all. Where a part has no answer: to ask for more made the whole's hardly less sure, or
    what comes nearest to the part is the place of another part's answer. Else: a part is answered out of another document, and
    so perhaps about another thing.
    """
    answered = {_place(part.quote): part.confidence for part in made if part.quote}
    if len(answered) == len(made):
        return {document for document, _ in answered} != {whole.quotes[0].source.document}
    nearest = {
        _place(quote)
        for part, reply in zip(made, replies, strict=True)
        if not part.quote
        for quote in (*reply.quotes, *reply.nearest)[:1]
    }
    return whole.confidence >= min(answered.values()) - HARDLY_LESS or not nearest.isdisjoint(answered)


def _place(quote: Quote) -> tuple[str, int]:
    return quote.source.document, quote.passage.start


def compares(reply: Reply, parts: Sequence[AskedPart]) -> bool:
    """Whether a reply that is fairly sure names, in its first quote, all that is to be compared."""
    if reply.status != "answered" or reply.confidence < FAIRLY_SURE:
        return False
    return all(holds_words(reply.quotes[0].text, part.label) for part in parts)


def quote(
    hit: Hit,
    first: int,
    last: int,
    document: Document,
    *,
    asked: str = "",
    short: Span | None = None,
    sure: bool = False,
    listed: bool = False,
) -> Quote:
    """
    The sentences `first` to `last` of a hit in its document, as a quotation; with the whole list of its section where one is
    `asked` for, or should be `listed`.
    """
    passage = hit.passage
    start, end = passage.sentences[first].start, passage.sentences[last].end
    text = passage.text[start - passage.start : end - passage.start]
    wanted = listed or wants_list(asked)
    parts = selection(document, start, end, wanted, wants_one=expected(asked) is not None)
    answering = parts if wanted else _without_others(parts, start, end)
    if (cell := named_cell(answering, asked)) and start <= cell.start and cell.end <= end:
        short, sure = cell, True
    return Quote(
        source=hit.source,
        heading=HEADING_BAR.join(passage.heading),
        page=passage.page,
        page_label=passage.page_label,
        start=start,
        end=end,
        text=text,
        passage=PassageText(passage.start, passage.end, passage.text),
        score=round(min(max(hit.score, 0.0), 1.0), 6),
        short=short,
        sure=sure,
        parts=parts,
        around=cut(document, passage.start, passage.end),
        year=year_of(answering, document, asked),
        closed=says_closed(answering, passage, document),
    )


def _without_others(parts: tuple[Part, ...], start: int, end: int) -> tuple[Part, ...]:
    """The parts without the items or rows beside those that are quoted; all of them where none is quoted itself."""
    listed = ("item", "row")
    left = tuple(part for part in parts if part.kind not in listed or start <= part.start < end)
    return left if any(part.kind in listed for part in left) else parts


def window(hit: Hit, concepts: Sequence[Concept], neighbour_share: float) -> tuple[int, int]:
    """The first and the last of the best one to three neighbouring sentences of a hit, or all of a short paragraph."""
    scores = hit.sentence_scores
    texts = sentence_texts(hit.passage)
    best = max(range(len(scores)), key=lambda i: (round(scores[i], 9), -i))
    if paragraph := _short_paragraph(hit, best):
        return paragraph
    first = last = best
    while last - first + 1 < MAX_SENTENCES:
        held = coverage(" ".join(texts[first : last + 1]), concepts)
        length = sum(len(text) for text in texts[first : last + 1])
        choices = []
        for i in (first - 1, last + 1):
            if 0 <= i < len(scores) and _run_on(hit, min(i, first), max(i, last)):
                gain = coverage(" ".join([*texts[first : last + 1], texts[i]]), concepts) - held
                if gain >= MORE_WORDS or scores[i] >= neighbour_share * scores[best] or length < SHORT_QUOTE:
                    choices.append((round(gain + scores[i], 9), -i, i))
        if not choices:
            break
        i = max(choices)[2]
        first, last = min(first, i), max(last, i)
    if texts[last].endswith(":"):  # what follows is what was announced
        last = min(max(last, first + MAX_SENTENCES - 1), len(scores) - 1)
    return first, last


def _short_paragraph(hit: Hit, place: int) -> tuple[int, int] | None:
    """The first and the last sentence of the paragraph of a sentence; None where it is long."""
    passage = hit.passage
    if len(passage.text) <= SHORT_PARAGRAPH and _run_on(hit, 0, len(passage.sentences) - 1):
        return 0, len(passage.sentences) - 1
    first = last = place
    while first and _same_paragraph(hit, first - 1):
        first -= 1
    while last < len(passage.sentences) - 1 and _same_paragraph(hit, last):
        last += 1
    length = passage.sentences[last].end - passage.sentences[first].start
    return (first, last) if first < last and length <= SHORT_PARAGRAPH else None


def _same_paragraph(hit: Hit, place: int) -> bool:
    """Whether a sentence and the next one stand in one paragraph."""
    passage = hit.passage
    one, other = passage.sentences[place : place + 2]
    between = passage.text[one.end - passage.start : other.start - passage.start]
    return not between.strip() and "\n\n" not in between


def _run_on(hit: Hit, first: int, last: int) -> bool:
    """Whether only white space stands between these sentences: a quote takes no list mark or table bar along."""
    passage = hit.passage
    pairs = zip(passage.sentences[first:last], passage.sentences[first + 1 : last + 1], strict=True)
    return all(not passage.text[a.end - passage.start : b.start - passage.start].strip() for a, b in pairs)
