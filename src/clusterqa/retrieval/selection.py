"""
What is shown for a quote: the sentences that answer, and what a reader needs beside them.

A whole list with what introduces it where a list was asked for or is announced; the introduction of a single item; the
sentence before where the first one leans on it. Everything is cut from the document, in its order.
"""

from __future__ import annotations

from collections.abc import Sequence

from clusterqa.parts import cut, item_at, lead_of, section_list, sentence_before, whole_list
from clusterqa.records import Document, Part, Span
from clusterqa.text.analysis import content_terms, content_words, terms
from clusterqa.text.leaning import leans

NAMED = 0.5
"""Share of the words of a column's name that a question holds when it names the column."""
SHORT_LIST = 600
"""A list or a table of so many characters is shown whole, unless one thing of a kind is asked for and one item or row holds it."""
MOST_BEFORE = 2
"""Sentences that are brought along at most when each leans on the one before."""


def selection(document: Document, start: int, end: int, wants_list: bool, wants_one: bool = False) -> tuple[Part, ...]:
    """
    The parts that are shown for the quote `document.text[start:end]` of a question that wants a list, or one thing of a kind (a
    price, a date), or neither.
    """
    core = cut(document, start, end)
    announces = any(part.kind == "text" and part.text.rstrip("*_ ").endswith(":") for part in core)
    wanted = wants_list or announces
    own = [part for part in core if part.kind in ("item", "row")]
    listed = whole_list(document, start, end) if wanted or len(own) > wants_one else ()
    if listed and (wanted or _are_of_short(own, listed)):
        return (*_apart(core, listed), *listed)
    if wants_list and core[0].kind == "text" and (listed := section_list(document, start)):
        return tuple(sorted((*listed, *core), key=lambda part: part.start))
    if core[0].kind == "item":
        at = item_at(document, start)
        lead = lead_of(document, at) if at is not None else None
        return (*((lead,) if lead else ()), *core)
    if core[0].kind == "text":
        return (*_before(document, core[0]), *core)
    return core


def _are_of_short(own: Sequence[Part], listed: Sequence[Part]) -> bool:
    """Whether all these items or rows are of a list or a table that is short."""
    places = {part.start for part in listed}
    return sum(len(part.text) for part in listed) <= SHORT_LIST and all(part.start in places for part in own)


def named_cell(parts: Sequence[Part], question: str) -> Span | None:
    """In a single row the cell under the one column that the question names best; None where it names none or several."""
    rows = [part for part in parts if part.kind == "row"]
    if len(rows) != 1:
        return None
    (row,) = rows
    asked = content_terms(question)
    named = [_share_held(name, asked) for name in row.header[1 : len(row.cells)]]
    if not named or max(named) < NAMED or named.count(max(named)) > 1:
        return None
    cell = row.cells[1 + named.index(max(named))]
    return cell if row.cut(cell).strip() else None


def _share_held(name: str, asked: frozenset[str]) -> float:
    """The share of the words of a name that a question holds in any form."""
    words = content_words(name)
    return sum(bool(asked & set(terms(word))) for word in words) / len(words) if words else 0.0


def _apart(core: tuple[Part, ...], listed: tuple[Part, ...]) -> tuple[Part, ...]:
    """The sentences of a quote that are not in its list."""
    found = []
    for part in core:
        if part.kind == "text" and part.start < listed[0].start:
            end = min(part.end, listed[0].start)
            text = part.text[: end - part.start].rstrip()
            if text:
                found.append(Part("text", part.start, part.start + len(text), text))
    return tuple(found)


def _before(document: Document, first: Part) -> tuple[Part, ...]:
    found: list[Part] = []
    while len(found) < MOST_BEFORE and leans(first.text, document.language):
        before = sentence_before(document, first.start)
        if before is None:
            break
        found.insert(0, before)
        first = before
    return tuple(found)
