"""
Replies and documents as HTML.

Everything goes through Jinja with autoescape: text of documents and questions is shown as text, whatever it holds.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote as percent
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup

from clusterqa.clock import today
from clusterqa.documents.shown import as_lines, as_shown
from clusterqa.journal import REASONS, Feedback, reference
from clusterqa.parts import cut
from clusterqa.records import Document, Language, Passage, Quote, Reply, Span, is_over
from clusterqa.retrieval.small_talk import REPLIES
from clusterqa.retrieval.understand import is_follow_up
from clusterqa.retrieval.wording import WORDS as SAID
from clusterqa.settings import Contact
from clusterqa.text.neighbours import neighbour
from clusterqa.web import drawing
from clusterqa.web.conversations import Answered
from clusterqa.web.templating import Environment
from clusterqa.web.words import EXAMPLES, QUOTATION_MARKS, WORDS, all_of, band, days, told_date

_MARKED = re.compile(r'\s*["„“”«»]|.*["„“”«»][.,!?…]*\s*\Z', re.DOTALL)
"""A text that begins or ends with a quotation mark of its own."""

_SIGN = re.compile(r"[\\`*_\[\]<>&~|$]")
"""What means something anywhere in Markdown, as renderers know it."""
_AT_BEGINNING = re.compile(r"^(\d*)([#=+:.)-])")
"""What means something at the beginning of a line: a heading, a list, a rule."""

VERSION_DIGITS = 16
"""Of a version's sha256 in an address: enough to tell versions apart, short enough to be printed."""
NEAREST_FLOOR = 0.12
"""Confidence below which a place that was found is no better than any other, and is not shown."""
NAMED_SITES = 3
LONGEST_SITE = 40
"""Characters; a longer name of a site tells nobody anything."""
DRAWN_QUOTES = 1024
"""Quotes of which the HTML is kept, some 10 MB at the most: a conversation is drawn anew with each of its turns."""
LINKED_TURNS = 4
"""Questions that a link to an answer may carry: the one that was asked and those it leans on."""


def web_address(url: str | None) -> str | None:
    """The address if it is one a reader may be sent to; `javascript:` and its like are not."""
    return url if url and re.match(r"https?://[^\s]+$", url, re.IGNORECASE) else None


def document_address(
    document: str,
    language: Language,
    version: str | None = None,
    start: int | None = None,
    end: int | None = None,
    short: Span | None = None,
    sheet: int | None = None,
) -> str:
    """
    Address of our page of a document, relative to the server's root, without a slash in front.

    `text[start:end]` is marked there, and inside it the `short` answer. `sheet` is a part of a long document, from 1.
    """
    values: dict[str, str | int] = {"lang": language}
    if version:
        values["version"] = version[:VERSION_DIGITS]
    anchor = ""
    if start is not None and end is not None:
        values |= {"start": start, "end": end}
        if short:
            values["short"] = f"{short.start}-{short.end}"
        anchor = "#quote"
    if sheet:
        values["sheet"] = sheet
    return f"documents/{percent(document)}?{urlencode(values)}{anchor}"


def quotation_marks(text: str, language: Language) -> tuple[str, str]:
    """The marks to set around a quote: those of its language, none where it has marks at an edge already („„A“ …“)."""
    return ("", "") if _MARKED.match(text) else QUOTATION_MARKS[language]


def marks_around(quote: Quote) -> tuple[str, str]:
    """The same for what is shown of a quote: a list or a table has none."""
    if any(part.kind in ("item", "row") for part in quote.selection):
        return "", ""
    return quotation_marks(as_lines(quote.selection, quote.source.media_type), quote.source.language)


def quote_text(quote: Quote) -> str:
    """What is shown of a quote as plain text, in quotation marks where it consists of sentences."""
    opening, closing = marks_around(quote)
    return f"{opening}{as_lines(quote.selection, quote.source.media_type)}{closing}"


def quote_address(quote: Quote, language: Language) -> str:
    """As `document_address`, for what is shown of a quote."""
    shown = [part for part in quote.selection if part.kind != "before"]
    start, end = min(quote.start, shown[0].start), max(quote.end, shown[-1].end)
    short = quote.short if quote.sure else None
    return document_address(quote.source.document, language, quote.source.version, start, end, short)


def own_sources(lines: Sequence[str]) -> list[tuple[str, str]]:
    """The sites that a document rests on, at most NAMED_SITES, each with the first address there."""
    found: dict[str, str] = {}
    for line in lines:
        if (
            (address := web_address(line.strip()))
            and (host := urlsplit(address).hostname)
            and len(host) <= LONGEST_SITE
        ):
            found.setdefault(host.removeprefix("www."), address)
    return list(found.items())[:NAMED_SITES]


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


def over(day: str | None, language: Language) -> str:
    """The note on a document whose last day has passed; "" for every other."""
    if day is None or not is_over(day, today()):
        return ""
    return WORDS[language]["over"].format(told_date(day, language))


def _citation(quote: Quote, language: Language) -> str:
    """The source line that goes with a copied quote."""
    source = quote.source
    date = told_date(source.date, language) if source.date else ""
    parts = [
        source.title,
        _place(quote, language),
        source.publisher or "",
        date,
        web_address(source.url) or "",
        over(source.valid_until, language),
    ]
    return ", ".join(part for part in parts if part)


def quotation(quote: Quote, told: Language, language: Language) -> Markup:
    """A quote with its source, in words of the language `told`; links lead to pages in `language`."""
    return _quotation(quote, told, language, today())


@lru_cache(maxsize=DRAWN_QUOTES)
def _quotation(quote: Quote, told: Language, language: Language, _day: datetime.date) -> Markup:
    template = _ENVIRONMENT.get_template("quotation.html")
    return Markup(template.render(quote=quote, told=told, w=WORDS[told], language=language))


_STATIC = Path(__file__).parent / "static"
_STYLES = Markup("\n").join(Markup((_STATIC / name).read_text(encoding="utf-8")) for name in ("page.css", "chat.css"))
"""The style of a chat page, in the page itself: on a slow line nothing is seen until it is there."""

_ENVIRONMENT = Environment()
_ENVIRONMENT.globals.update(
    words=WORDS, examples=EXAMPLES, quotation_marks=quotation_marks, link=link, letter=letter, neighbour=neighbour,
    styles=_STYLES, floor=NEAREST_FLOOR, reasons=REASONS, band=band, told_date=told_date, days=days, reference_of=reference, web_address=web_address,
    document_address=document_address, place=_place, citation=_citation, quote_address=quote_address, quote_text=quote_text, own_sources=own_sources, said=SAID, as_shown=as_shown,
    marks_around=marks_around, quoted=drawing.quoted, around=drawing.around, all_of=all_of,
    over=over, quotation=quotation,
    said_of_a_person={language: replies["person"] for language, replies in REPLIES.items()},
)  # fmt: skip


def drawn(quote: Quote, language: Language) -> Markup:
    """What is shown of a quote, as HTML for the inside of a blockquote."""
    return _drawn(drawing.quoted(quote), language, marks_around(quote))


def drawn_passage(document: Document, passage: Passage, language: Language) -> Markup:
    """The same for a passage."""
    shapes = drawing.shapes(cut(document, passage.start, passage.end), document.media_type)
    marks = QUOTATION_MARKS[document.language] if all(shape.kind == "text" for shape in shapes) else ("", "")
    return _drawn(shapes, language, marks)


def _drawn(shapes: Sequence[drawing.Shape], language: Language, marks: tuple[str, str]) -> Markup:
    made: Markup = _ENVIRONMENT.get_template("selection.html").module.drawn(shapes, WORDS[language], language, marks)  # type: ignore[attr-defined]
    return made


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
        lines += [
            f"## {literally(' '.join(turn.reply.question.split()))}",
            *reply_as_markdown(turn.reply, language, base),
        ]
    return "\n\n".join(lines) + "\n"


def reply_as_markdown(reply: Reply, language: Language, base: str) -> list[str]:
    """
    A reply as paragraphs of Markdown: our words, then each quote and, in a paragraph of its own, its source.

    Links lead to pages in `language` on the server at `base`, an address with a slash at its end.
    """
    lines = [*([other.notice] if (other := neighbour(reply.question)) else []), reply.message]
    told = [(part.label, part.quote) for part in reply.parts] or [
        ("", quote) for quote in (*reply.quotes, *(reply.nearest if reply.confidence >= NEAREST_FLOOR else ()))
    ]
    for label, quote in told:
        lines += [f"### {literally(' '.join(label.split()))}"] if label else []
        if quote is None:
            lines.append(SAID[reply.language]["no_part"])
            continue
        shown = literally(quote_text(quote))
        lines.append("\n".join(f"> {line}" if line else ">" for line in shown.split("\n")))
        cited = literally(_citation(quote, reply.language))
        lines.append(f"{WORDS[reply.language]['source_line']}: {cited}  \n<{base}{quote_address(quote, language)}>")
    return lines


def literally(text: str) -> str:
    """
    Markdown that is shown as this text: no sign in it sets anything, fetches a picture or becomes a link.

    Lines stay lines. White space within one is shown as every page shows it.
    """
    lines = [_AT_BEGINNING.sub(r"\1\\\2", _SIGN.sub(r"\\\g<0>", line.strip())) for line in text.split("\n")]
    # Two spaces keep the break, except before an empty line, which ends the paragraph.
    return "\n".join(
        f"{line}  " if line and following else line for line, following in zip(lines, [*lines[1:], ""], strict=True)
    )


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
