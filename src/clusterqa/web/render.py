"""
Replies and documents as HTML.

Everything goes through Jinja with autoescape: text of documents and questions is shown as text, whatever it holds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote as percent
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from clusterqa.journal import REASONS, Feedback, reference
from clusterqa.records import Block, Language, Page, Quote
from clusterqa.retrieval.small_talk import REPLIES
from clusterqa.retrieval.understand import is_follow_up
from clusterqa.settings import Contact
from clusterqa.text.neighbours import neighbour
from clusterqa.web.conversations import Answered
from clusterqa.web.words import EXAMPLES, QUOTATION_MARKS, WORDS, band, days, told_date

_CELL_BAR = re.compile(r"(?<!\\)\s*\|\s*")
_LIST_NUMBER = re.compile(r"\d{1,4}[.)]")
_MARKED = re.compile(r'\s*["„“”«»]|.*["„“”«»][.,!?…]*\s*\Z', re.DOTALL)
"""A text that begins or ends with a quotation mark of its own."""
_BOLD = re.compile(r"\*\*(?=[^\s*])([^*\n]*[^\s*])\*\*")

VERSION_DIGITS = 16
"""Of a version's sha256 in an address: enough to tell versions apart, short enough to be printed."""
NEAREST_FLOOR = 0.12
"""Confidence below which a place that was found is no better than any other, and is not shown."""
LINKED_TURNS = 4
"""Questions that a link to an answer may carry: the one that was asked and those it leans on."""

Segment = tuple[str, bool]
"""A piece of text and whether it belongs to the quote."""


@dataclass(frozen=True, slots=True)
class Element:
    """One block of a document's page; `cells` has one cell but for table rows; `begins` where the quote begins."""

    kind: str
    level: int
    cells: tuple[tuple[Segment, ...], ...]
    header: tuple[str, ...] = ()
    number: str = ""
    page: str = ""
    begins: bool = False


def web_address(url: str | None) -> str | None:
    """The address if it is one a reader may be sent to; `javascript:` and its like are not."""
    return url if url and re.match(r"https?://[^\s]+$", url, re.IGNORECASE) else None


def document_address(
    document: str, language: Language, version: str | None = None, start: int | None = None, end: int | None = None
) -> str:
    """Address of our page of a document, relative to the server's root, without a slash in front."""
    values: dict[str, str | int] = {"lang": language}
    if version:
        values["version"] = version[:VERSION_DIGITS]
    anchor = ""
    if start is not None and end is not None:
        values |= {"start": start, "end": end}
        anchor = "#quote"
    return f"documents/{percent(document)}?{urlencode(values)}{anchor}"


def bold(text: str, document: str) -> Markup:
    """
    Text of a document, escaped, in which the strong words of a Markdown file look strong.

    The asterisks stay in the page, so that the quote is still byte for byte what is read out of it or copied; they are only
    too small to see. Nothing else of Markdown is followed: a link or an image is shown as the text it is.
    """
    if not document.endswith(".md"):
        return escape(text)
    sign = Markup('<span class="cq-sign" aria-hidden="true">**</span>')
    made, done = Markup(), 0
    for found in _BOLD.finditer(text):
        made += escape(text[done : found.start()]) + Markup("<strong>{0}{1}{0}</strong>").format(sign, found[1])
        done = found.end()
    return made + escape(text[done:])


def quotation_marks(text: str, language: Language) -> tuple[str, str]:
    """The marks to set around a quote: those of its language, none where it has marks at an edge already („„A“ …“)."""
    return ("", "") if _MARKED.match(text) else QUOTATION_MARKS[language]


def link(turns: Sequence[Answered], index: int) -> str:
    """The query of a link that asks this turn's question again, after the questions that it leans on."""
    first = index
    while first > max(0, index - LINKED_TURNS + 1) and is_follow_up(turns[first].reply.question):
        first -= 1
    return urlencode([("q", turn.reply.question.strip()) for turn in turns[first : index + 1]])


def letter(contact: Contact, reference: str, question: str, language: Language) -> str:
    """A `mailto:` address for a question: its number in the subject, the question itself in the text."""
    subject = f"{WORDS[language]['reference']} {reference}" if reference else WORDS[language]["you"]
    return f"mailto:{contact.email}?subject={percent(subject)}&body={percent(question)}"


def _place(quote: Quote, language: Language) -> str:
    """Heading and page of a quote, in the page's words; no heading that only repeats the document's title."""
    page = WORDS[language]["page"].format(quote.page_label or quote.page) if quote.page else ""
    heading = quote.heading if quote.heading != quote.source.title else ""
    return ", ".join(part for part in (heading, page) if part)


def _citation(quote: Quote, language: Language) -> str:
    """The source line that goes with a copied quote."""
    source = quote.source
    date = told_date(source.date, language) if source.date else ""
    parts = [source.title, _place(quote, language), source.publisher or "", date, web_address(source.url) or ""]
    return ", ".join(part for part in parts if part)


def _cut(text: str, offset: int, start: int, end: int) -> tuple[Segment, ...]:
    """`text`, which begins at `offset` of the document, cut where the quote `[start, end)` begins and ends."""
    a, b = (min(max(place - offset, 0), len(text)) for place in (start, end))
    pieces = ((text[:a], False), (text[a:b], True), (text[b:], False))
    return tuple(piece for piece in pieces if piece[0])


def _passage(quote: Quote) -> tuple[Segment, ...]:
    return _cut(quote.passage.text, quote.passage.start, quote.start, quote.end)


def elements(
    text: str, blocks: Sequence[Block], pages: Sequence[Page], language: Language, start: int = 0, end: int = 0
) -> list[Element]:
    """A document's blocks for its page, with `text[start:end]` marked; a text without blocks is one paragraph."""
    made: list[Element] = []
    begun = False
    turned = 1
    for block in blocks or (Block("paragraph", 0, len(text)),):
        page = ""
        while turned < len(pages) and pages[turned].start <= block.start:
            page = WORDS[language]["pages"].format(pages[turned].label or pages[turned].number)
            turned += 1
        body = text[block.start : block.end]
        cells = tuple(_cut(body[a:b], block.start + a, start, end) for a, b in _cells(block, body))
        marked = any(inside for cell in cells for _, inside in cell)
        before = text[text.rfind("\n", 0, block.start) + 1 : block.start].strip()
        made.append(
            Element(
                kind=block.kind,
                level=block.level,
                cells=cells,
                header=tuple(_CELL_BAR.split(block.header)) if block.header else (),
                number=before if block.kind == "list_item" and _LIST_NUMBER.fullmatch(before) else "",
                page=page,
                begins=marked and not begun,
            )
        )
        begun = begun or marked
    return made


def _cells(block: Block, body: str) -> list[tuple[int, int]]:
    if block.kind != "table_row":
        return [(0, len(body))]
    bars = list(_CELL_BAR.finditer(body))
    return list(zip([0, *(bar.end() for bar in bars)], [*(bar.start() for bar in bars), len(body)], strict=True))


_STATIC = Path(__file__).parent / "static"
_STYLES = Markup("\n").join(Markup((_STATIC / name).read_text(encoding="utf-8")) for name in ("page.css", "chat.css"))
"""The style of a chat page, in the page itself: on a slow line nothing is seen until it is there."""

_ENVIRONMENT = Environment(
    loader=PackageLoader("clusterqa.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.globals.update(
    words=WORDS, examples=EXAMPLES, quotation_marks=quotation_marks, link=link, letter=letter, neighbour=neighbour,
    styles=_STYLES, floor=NEAREST_FLOOR, reasons=REASONS, band=band, told_date=told_date, days=days, reference_of=reference, web_address=web_address,
    document_address=document_address, place=_place, citation=_citation, passage=_passage, bold=bold,
    said_of_a_person={language: replies["person"] for language, replies in REPLIES.items()},
)  # fmt: skip


def page(template: str, language: Language, **values: Any) -> str:
    """A template in one language; the words of the language are `w`."""
    return _ENVIRONMENT.get_template(template).render(language=language, w=WORDS[language], **values)


def conversation(
    turns: Sequence[Answered],
    language: Language,
    feedback: Mapping[str, Feedback],
    pending: str | None = None,
    remark: str = "pending",
    identifier: str = "",
    token: str = "",
    offered: Sequence[str] = (),
    contacts: Mapping[Language, Contact] = MappingProxyType({}),
    replies_to: Mapping[str, str] = MappingProxyType({}),
    retention_days: int = 0,
) -> str:
    """
    The turns, oldest first, then a question that waits for its answer with a remark under it.

    Our own words of a turn are in the language of its reply; `language` is that of the page around. By `token` our script
    knows which of its questions this is the answer to. `offered` are questions to go on with, under the last turn; `contacts` are whom to turn to, by language;
    `replies_to` the e-mail addresses that were left, by journal id, which are kept for `retention_days`.
    """
    return page(
        "conversation.html", language, turns=turns, feedback=feedback, pending=pending, remark=remark,
        identifier=identifier, token=token, offered=offered, contacts=contacts, replies_to=replies_to,
        retention_days=retention_days,
    )  # fmt: skip


def reply_to(language: Language, retention_days: int, question: str, email: str = "", fault: str = "") -> str:
    """
    The form by which a reader leaves an e-mail address with a question; the words that it was left, when there is one.

    `fault` is the key of the words that say what was wrong with what was sent.
    """
    return page(
        "reply_to.html",
        language,
        told=language,
        question=question,
        email=email,
        fault=fault,
        retention_days=retention_days,
    )


def markdown(turns: Sequence[Answered], language: Language, date: str, base: str) -> str:
    """
    A conversation as Markdown: each question, our words, the quotes with their sources.

    `date` is an ISO date, `base` the address of this server, with a slash at its end.
    """
    words = WORDS[language]
    lines = [f"# {words['name']}", words["exported"].format(date=told_date(date, language))]
    for turn in turns:
        reply = turn.reply
        lines += [
            f"## {_plain(reply.question)}",
            *([other.notice] if (other := neighbour(reply.question)) else []),
            reply.message,
        ]
        for quote in (*reply.quotes, *reply.nearest):
            opening, closing = quotation_marks(quote.text, quote.source.language)
            lines.append("\n".join(f"> {line}".rstrip() for line in f"{opening}{quote.text}{closing}".split("\n")))
            place = document_address(quote.source.document, language, quote.source.version, quote.start, quote.end)
            lines.append(
                f"{WORDS[reply.language]['source_line']}: {_citation(quote, reply.language)}  \n<{base}{place}>"
            )
    return "\n\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """A text on one line, for a heading."""
    return " ".join(text.split())


def widget() -> str:
    """The script that other sites load, with its words in both languages."""
    words = {
        language: {key: text for key, text in known.items() if key == "name" or key.startswith("widget_")}
        for language, known in WORDS.items()
    }
    return _ENVIRONMENT.get_template("widget.js").render(words=words)


def header(language: Language) -> str:
    return page("header.html", language)


def start(language: Language) -> str:
    """What a page shows until something was asked."""
    return page("start.html", language)


def footer(language: Language, retention_days: int) -> str:
    return page("footer.html", language, days=days(retention_days, language))
