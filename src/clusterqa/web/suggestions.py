"""
Questions that the documents answer, to be offered: while somebody types, under an answer, and where nothing was found.

They are the documents' own headings that ask (the staff's answers are documents too) and the examples of the welcome page.
Each is asked once in the background, and only those that are answered from where they stand are ever offered.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from clusterqa.ports import Store
from clusterqa.records import LANGUAGES, Language, Question, Reply, is_over
from clusterqa.text.analysis import content_terms, fold
from clusterqa.web.words import EXAMPLES

OFFERED = 3
LONGEST = 120
"""Characters of a heading that is offered; a longer one is a text, not a question."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question, the document it stands in ("" for an example of ours) and where in its text."""

    text: str
    language: Language
    document: str = ""
    version: str = ""
    start: int = 0


class Suggestions:
    """Thread-safe: one thread brings it in step, all others read."""

    def __init__(self) -> None:
        self._seen: tuple[int, date | None] = (-1, None)
        self._known: dict[Suggestion, bool] = {}
        self._waiting: list[Suggestion] = []
        self._lock = threading.Lock()

    def offered(self, language: Language) -> list[Suggestion]:
        """What may be offered in a language, in the order of the documents."""
        with self._lock:
            return [one for one, answered in self._known.items() if answered and one.language == language]

    def work(
        self,
        store: Callable[[], Store],
        generation: int,
        ask: Callable[[Question], Reply],
        free: Callable[[], bool],
        day: date | None = None,
    ) -> None:
        """
        Take up a new generation, and ask what was not asked yet, one after the other as long as there is time for it: `free`
        says so. With `day`, documents that are no longer valid on it are left out.
        """
        if (generation, day) != self._seen:
            with store() as opened, opened.reading():
                found = list(questions(opened, day))
            with self._lock:
                self._known = {one: self._known[one] for one in found if one in self._known}
            self._waiting = [one for one in found if one not in self._known]
            self._seen = generation, day
        while self._waiting and free():
            one = self._waiting.pop(0)
            answered = answers(ask(Question(one.text, language=one.language)), one)
            with self._lock:
                self._known[one] = answered

    def next_to(self, reply: Reply, asked: Iterable[str]) -> list[str]:
        """
        What to ask after this reply: neighbours of its quote, then what is alike; OFFERED at most, none that was asked.

        After "not found" only what is alike, and where nothing is, the examples.
        """
        offered = self.offered(reply.language)
        gone = {_plain(text) for text in asked}
        offered = [one for one in offered if _plain(one.text) not in gone]
        chosen: list[Suggestion] = []
        if reply.quotes:
            quote = reply.quotes[0]
            beside = [one for one in offered if one.document == quote.source.document]
            before = max((one.start for one in beside if one.start <= quote.start), default=-1)
            beside = [one for one in beside if one.start != before]  # the heading that the quote stands under
            chosen = sorted(beside, key=lambda one: abs(one.start - quote.start))
        chosen += alike(reply.question, [one for one in offered if one not in chosen])
        if not reply.quotes:
            chosen += [one for one in offered if not one.document and one not in chosen]
        return list(dict.fromkeys(one.text for one in chosen))[:OFFERED]


def questions(store: Store, day: date | None = None) -> Iterable[Suggestion]:
    """The examples, then every title and heading of a live document that is a question; of those valid on a day, with `day`."""
    for language in LANGUAGES:
        for text in EXAMPLES[language]:
            yield Suggestion(text, language)
    for stored in store.documents():
        if stored.language not in LANGUAGES or (day and is_over(stored.valid_until, day)):
            continue
        if question := as_question(stored.title, stored.language):
            yield Suggestion(question, stored.language, stored.id, stored.version)
        text = store.text(stored.id, stored.version) or ""
        blocks, _ = store.structure(stored.id, stored.version)
        for block in blocks:
            if block.kind == "heading" and (question := as_question(text[block.start : block.end], stored.language)):
                yield Suggestion(question, stored.language, stored.id, stored.version, block.start)


def as_question(heading: str, language: Language) -> str:
    """
    A heading that asks, with its question mark („Kiek galioja ženklas“ asks too); "" for any other, and for one that cannot be
    understood away from its document („Ar šių klasterių ženklai galioja?“).
    """
    text = " ".join(heading.split())
    words = fold(text).split()
    asks = text.endswith("?") and len(words) > 2
    if not asks and len(words) > 3 and ":" not in text:
        asks = words[0] in _ASKING[language] if language == "lt" else bool(_INVERTED.match(" ".join(words)))
    if not asks or len(text) > LONGEST or _LEANING[language].search(fold(text)):
        return ""
    return text if text.endswith("?") else f"{text}?"


_ASKING: dict[str, frozenset[str]] = {
    "lt": frozenset(
        """kas ko kam ka kuo kur kiek kaip kada kodel kuris kuri kurie kurios kuriam kuria kuri koks kokia kokie kokios kokiu ar""".split()
    ),
}
"""Folded words that a question begins with. In English they begin a heading like “What the interview covers” too."""
_LEANING = {
    "lt": re.compile(
        r"\b(?:s(?:is|i|ie|ios|io|iu|iam|iems|iai|ia|iuos|iose|iame|ioje)|to(?:ks|kia|kie|kios|kio|kiu|kiam|kiai))\b"
    ),
    "en": re.compile(r"\b(?:this|these|those|such)\b|\b(?:did|was|does|has|had|can|will) (?:it|they|he|she)\b"),
}
"""Folded words that point at what stands before."""
_INVERTED = re.compile(
    r"(?:(?:what|who|whom|when|where|why|how|which \w+|how \w+) )?(?:is|are|was|were|do|does|did|can|could|will|must|may|should|has|have) "
)


def answers(reply: Reply, suggestion: Suggestion) -> bool:
    """Whether a question is answered, and from its own document or that document's translation."""
    if reply.status != "answered":
        return False
    sources = {name for quote in reply.quotes for name in (quote.source.document, quote.source.translation)}
    return not suggestion.document or suggestion.document in sources


def alike(question: str, offered: Sequence[Suggestion]) -> list[Suggestion]:
    """Those that share the most terms with a question, best first; a term that many share counts little."""
    asked = content_terms(question)
    held = [content_terms(one.text) & asked for one in offered]
    common = {term: sum(term in each for each in held) for term in asked}
    weights = [sum(1 / common[term] for term in each) for each in held]
    order = sorted(range(len(offered)), key=lambda i: -weights[i])
    return [offered[i] for i in order if weights[i] > 0]


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in fold(text)).split())
