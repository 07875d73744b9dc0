"""What a reader must know of a quote beside its words: that its figures are of an older year, that its call is closed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from clusterqa.records import Document, Part, Passage
from clusterqa.text.analysis import fold
from clusterqa.text.answer_types import expected

OLD = 2
"""Years before its document from which on a figure is called old."""
_BEGINNING = 1_500
"""Characters at the beginning of a document that say what it is about."""

_YEAR = re.compile(r"(?<![\d.,])(?:19|20)\d\d(?![\d%])")
_DATE = re.compile(
    r"(?:19|20)\d\d(?:[–-](?:19|20)?\d\d)?(?: m\.)?(?: \w+ \d{1,2} d\.| \w+ \d{1,2}(?!\d))?|\d{1,2} [A-Z][a-z]+(?= (?:19|20)\d\d)"
)
_FIGURE = re.compile(r"\d")
_WHICH = re.compile(r"\bkuri(?:e|os|uos|as)\b|\bwhich\b|\bkas (?:tur|vadov)\w*|\bwho\b")
CLOSED = re.compile(
    r"kvietim\w+(?: \S+){0,3} (?:baigt|uzdaryt|pasibaig)\w*|(?:baigt|uzdaryt)\w+ kvietim|(?:nebe|daugiau ne)priima\w* parais"
    r"|\bcalls?(?: \S+){0,3} (?:closed|ended|over)\b|\bclosed call|no longer accept"
)


def year_of(parts: Sequence[Part], document: Document, question: str) -> int | None:
    """
    The year of the figures in what is shown, where it is older than the document.

    None where the question does not ask for what changes with the years (a sum, a number, who does something, which there
    are), or names the year itself; and for a list, whose items have years of their own.
    """
    written = _YEAR.search(document.date or "")
    text = " ".join(" ".join((*part.header, part.text)) for part in parts if part.kind != "before")
    years = {int(year) for year in _YEAR.findall(text)}
    changes = expected(question) in ("money", "number", "person") or _WHICH.search(fold(question))
    several = sum(part.kind in ("item", "row") for part in parts) > 1
    if not written or not years or not changes or several or _YEAR.search(question):
        return None
    latest = max(years)
    return latest if latest <= int(written[0]) - OLD and _FIGURE.search(_DATE.sub(" ", text)) else None


def says_closed(parts: Sequence[Part], passage: Passage, document: Document) -> bool:
    """Whether the quote, the passage around it or the beginning of its document says that a call is closed."""
    items = [part.text for part in parts if part.kind == "item"]
    if items:  # an item is about its own call, and of several each about another
        around = items[0] if len(items) == 1 else ""
    elif any(part.kind == "row" for part in parts):
        around = " ".join(part.text for part in parts)
    else:
        around = " ".join((*passage.heading, passage.text))
        if "kvietim" in fold(document.title) or re.search(r"\bcall\b", document.title, re.IGNORECASE):
            around += " " + document.text[:_BEGINNING]
    return CLOSED.search(fold(" ".join(around.split()))) is not None
