"""
Which of the hits comes first where the search and the reader see little between them: what answers before what asks, what is
about the thing named before what is about another, what holds in general before a special case, what defines where that is
asked, what announces a list where one is asked for, the newer of two editions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from clusterqa.passages import sentence_texts
from clusterqa.records import Concept, Hit, Quote
from clusterqa.retrieval.lexical import coverage
from clusterqa.retrieval.notes import CLOSED
from clusterqa.text.analysis import content_terms, content_words, fold, holds_words
from clusterqa.text.answer_types import wants_list, wants_names
from clusterqa.text.definitions import defined_term, defines, is_about, says_what_it_is
from clusterqa.text.lacking import lacks

NEARLY_AS_GOOD = 0.12
"""A hit may come before the first when its score is at most so much less."""
SAME_STATEMENT = 0.7
"""Share of the words of two sentences, figures left out, that both hold when they say the same of different times."""
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_SPECIAL = re.compile(
    r"\b(?:atnauj|prates|pakartotin|is naujo|klaid|velu|velav|atsauk|nuolaid|sutaup|isimt"
    r"|renew|exten(?:d|sion)|again\b|mistake|late\b|cancel|discount|saving|save\b|except)"
)
"""Folded beginnings of words that say of a heading that what stands under it holds in a case of its own."""
_NAME = re.compile(r"\w*[A-ZĄČĘĖĮŠŲŪŽ]\w*")
_CAPITALS = re.compile(r"\b(?=\w{3})\w*[A-ZĄČĘĖĮŠŲŪŽ]\w*[A-ZĄČĘĖĮŠŲŪŽ]\w*\b")
_NO_NAMES = frozenset(("eur", "usd", "pvm", "vat"))
_EMPHASIS = re.compile(r"[*_„“”\"]")
_HEAD = re.compile(r".{1,80}?(?= [|–—-] |: )")
_A_NAME = r"(?:the )?[„“\"]?\w?[A-ZĄČĘĖĮŠŲŪŽ][\w-]*(?: [„“\"]?[\w-]+){0,3}[“”\"]?"
_SEVERAL_NAMES = re.compile(rf"{_A_NAME}(?:, {_A_NAME}){{2}}|{_A_NAME}, {_A_NAME},? (?:ir|and|bei) {_A_NAME}")
_NUMBER = re.compile(r"(?<![\d.,])\d{1,9}(?![\d.,]*\d)")
_THOUSANDS = re.compile(r"(?<=\d)\s(?=\d{3}\b)")
_BETWEEN = re.compile(r"(\d+)\s?(?:[–-]|to|iki)\s?(\d+)")
_AT_MOST = re.compile(
    r"(?:up to|at most|no more than|iki|ne daugiau (?:kaip|nei)|(under|below|less than|fewer than|maziau (?:kaip|nei)?)) (\d+)"
)
_AT_LEAST = re.compile(
    r"(?:from|at least|nuo|bent|ne maziau (?:kaip|nei)|(over|above|more than|daugiau (?:kaip|nei)|virs)) (\d+)"
    r"|(\d+)(?:\+| (?:[\w.]+ ){0,2}(?:or|and|ir|ar|arba) (?:more|over|older|above|daugiau|vyresn\w+))"
)
"""Ranges at the head of a row; the first group where the number itself lies outside."""
_ASKS = re.compile(r"\?[\s*_\"“”»)]*\Z")
_ABOUT_QUESTIONS = re.compile(r"\bklaus|\bpaklaus|\bquestion|\bask")


def preferred(question: str, hits: Sequence[Hit], named: Sequence[Concept] = ()) -> tuple[Hit, ...]:
    """
    The hits in the order in which they are quoted for a question of its kind; `named` is what a question names that says
    nothing else and leans on the one before.
    """
    answering = _about_it(question, _answering(question, hits))
    usual = _usual(question, _in_range(question, _naming(named, answering)))
    return _newest(question, _holding(question, _defining(question, _listing(question, usual))))


def _answering(question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """A sentence that asks is no answer: what follows it is taken in its place, and passages of questions alone come last."""
    if _ABOUT_QUESTIONS.search(fold(question)):
        return tuple(hits)
    asking = [[_ASKS.search(text) is not None for text in sentence_texts(hit.passage)] for hit in hits]
    answering = [
        replace(hit, sentence_scores=_handed_on(hit.sentence_scores, asks)) if any(asks) else hit
        for hit, asks in zip(hits, asking, strict=True)
        if not all(asks)
    ]
    return (*answering, *(hit for hit, asks in zip(hits, asking, strict=True) if all(asks)))


def _handed_on(scores: Sequence[float], asks: Sequence[bool]) -> tuple[float, ...]:
    """The scores of sentences, where each that asks gives its own to the next that does not, and stays just behind it."""
    made = list(scores)
    for place in reversed(range(len(made))):
        if asks[place]:
            follows = next((n for n in range(place + 1, len(made)) if not asks[n]), None)
            if follows is None:
                made[place] = min(made)
            else:
                made[follows] = max(made[follows], made[place])
                made[place] = min(made[place], made[follows] - 1e-6)
    return tuple(made)


def _about_it(question: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """
    Where a question names something ("ESCA") that one of the hits is about, the others that are about something else by name
    come last: their heading names that, or the head of their row or item, or their best sentence begins with it.
    """
    about = [_names_above(hit) for hit in hits]
    beginning = [_names_before(_best_sentence(hit)) for hit in hits]
    known = frozenset().union(*about, *beginning)
    asked = known.intersection(re.findall(r"\w+", question.lower()))
    if not asked:
        return hits
    others = [
        bool(above and not above & asked) or bool(not above and begins and not begins & asked)
        for above, begins in zip(about, beginning, strict=True)
    ]
    told = [_told_of(asked, hit) for hit in hits]
    return tuple(hit for late in (False, True) for hit, other in zip(told, others, strict=True) if other is late)


def _told_of(asked: frozenset[str], hit: Hit) -> Hit:
    """A hit, its sentences that begin with another name and do not hold what is asked about behind one that does."""
    texts = sentence_texts(hit.passage)
    holding = [not asked.isdisjoint(_names(text)) for text in texts]
    if not any(holding):
        return hit
    best = max(score for score, holds in zip(hit.sentence_scores, holding, strict=True) if holds)
    scores = tuple(
        min(score, best - 1e-6) if not holds and _names_before(text) else score
        for score, text, holds in zip(hit.sentence_scores, texts, holding, strict=True)
    )
    return replace(hit, sentence_scores=scores)


def _names_above(hit: Hit) -> frozenset[str]:
    return _names("".join(hit.passage.heading[-1:]))


def _names_before(sentence: str) -> frozenset[str]:
    """The names at the head of a row or an item, or that a sentence begins with."""
    plain = _EMPHASIS.sub("", sentence)
    head = _HEAD.match(plain)
    return _names(head[0] if head else "".join(plain.split(maxsplit=1)[:1]))


def _names(text: str) -> frozenset[str]:
    """The names that are plain by their capitals, in lower case: "ESCA", „InoLink“; none where all is written in capitals."""
    if text.isupper() and len(text.split()) > 2:
        return frozenset()
    return frozenset(found[0].lower() for found in _CAPITALS.finditer(text)) - _NO_NAMES


def _listing(question: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """The hits, first one that announces a list of just what is asked for, where a list is asked for, or else one that names several."""
    if wants_names(question):
        hits = _put_first(hits, lambda hit: _SEVERAL_NAMES.search(_best_sentence(hit)) is not None)
    if not wants_list(question):
        return hits

    def announces(hit: Hit) -> bool:
        text = _best_sentence(hit)
        return text.rstrip("*_ ").endswith(":") and holds_words(text, question)

    return _put_first(hits, announces)


def _naming(named: Sequence[Concept], hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """The hits, first one whose heading or best sentence names all of this."""

    def names(hit: Hit) -> bool:
        told = " ".join((*hit.passage.heading, _best_sentence(hit)))
        return all(coverage(told, [concept]) > 0 for concept in named)

    return _put_first(hits, names)


def _usual(question: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """
    The hits, first one that names no special case (a renewal, a discount, a mistake) that the question does not name: neither
    in its heading nor at the head of its row. The row of a call that is over is one too.
    """
    asked = set(_SPECIAL.findall(fold(question)))

    def is_usual(hit: Hit) -> bool:
        label, row, cells = _best_sentence(hit).partition(" | ")
        if CLOSED.search(fold(cells)) and not content_terms(" ".join(_NAME.findall(label))) & content_terms(question):
            return False
        return asked.issuperset(_SPECIAL.findall(fold(" ".join((*hit.passage.heading[-1:], label if row else "")))))

    return _put_first(hits, is_usual)


def _in_range(question: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """
    The hits, first the row of a table whose range holds a number of the question, where a row of it for other numbers is
    nearly as good as the first, which does not tell the number.
    """
    numbers = _numbers(_YEAR.sub(" ", _THOUSANDS.sub("", question)))
    if not hits or not numbers or numbers & _numbers(_THOUSANDS.sub("", _best_sentence(hits[0]))):
        return hits
    tables = {
        hit.passage.section
        for hit in hits
        if hit.score >= hits[0].score - NEARLY_AS_GOOD and _fits(hit, numbers) is False
    }
    row = next((hit for hit in hits if hit.passage.section in tables and _fits(hit, numbers)), None)
    return hits if row is None else (row, *(hit for hit in hits if hit is not row))


def _numbers(text: str) -> set[int]:
    return set(map(int, _NUMBER.findall(text)))


def _fits(hit: Hit, numbers: Collection[int]) -> bool | None:
    """Whether the range at the head of a row ("10–49 staff", "250 or more") holds one of the numbers; None where there is none."""
    label, row, _ = _best_sentence(hit).partition(" | ")
    plain = _THOUSANDS.sub("", fold(label)) if row else ""
    low, high = 0.0, math.inf
    if found := _BETWEEN.search(plain):
        low, high = float(found[1]), float(found[2])
    elif found := _AT_MOST.search(plain):
        high = float(found[2]) - bool(found[1])
    elif found := _AT_LEAST.search(plain):
        low = float(found[2] or found[3]) + bool(found[1])
    else:
        return None
    return any(low <= number <= high for number in numbers)


def _holding(question: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """The hits, first one whose best sentence holds the kind of thing that is plainly asked for."""
    return _put_first(hits, lambda hit: not lacks(question, _best_sentence(hit)))


def _put_first(hits: tuple[Hit, ...], fits: Callable[[Hit], bool]) -> tuple[Hit, ...]:
    """The hits, before all others the first that fits, among those nearly as good as the first."""
    for hit in hits:
        if hit.score >= hits[0].score - NEARLY_AS_GOOD and fits(hit):
            return (hit, *(other for other in hits if other is not hit))
    return hits


def _newest(question: str, hits: tuple[Hit, ...]) -> tuple[Hit, ...]:
    """
    The hits, with the newest edition of what the first one says before it, unless the question names a year.

    Editions are documents whose titles are the same but for figures („Kainos 2024“, „Kainos 2025“); what is older still
    follows, with its year.
    """
    if not hits or _YEAR.search(question):
        return hits
    first = hits[0]
    editions = [hit for hit in hits if hit.score >= first.score - NEARLY_AS_GOOD and _another_edition(hit, first)]
    newest = max([first, *editions], key=_time)
    return (newest, *(hit for hit in hits if hit is not newest))


def _another_edition(hit: Hit, first: Hit) -> bool:
    if hit.passage.document == first.passage.document or "" in (_time(hit)[0], _time(first)[0]):
        return False
    if _wording(hit.source.title) != _wording(first.source.title):
        return False
    one, other = _wording(_best_sentence(hit)), _wording(_best_sentence(first))
    return len(one & other) >= SAME_STATEMENT * len(one | other)


def _time(hit: Hit) -> tuple[str, str]:
    """The year that a hit's document is about and its date, in the order of time; empty where it says neither."""
    date = hit.source.date or ""
    return max(_YEAR.findall(hit.source.title), default=date[:4]), date


def _best_sentence(hit: Hit) -> str:
    return max(zip(hit.sentence_scores, sentence_texts(hit.passage), strict=True))[1]


def _wording(text: str) -> frozenset[str]:
    """The words of a text without those that hold a figure."""
    return frozenset(word for word in content_words(text) if not any(c.isdigit() for c in word))


def _defining(question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits, first what surely says what the thing asked about is, else what its own document begins with, else what may say so."""
    term = defined_term(question)
    if term is None:
        return tuple(hits)
    told = [sentence_texts(hit.passage) for hit in hits]
    saying = [next((n for n, text in enumerate(texts) if defines(text, term)), None) for texts in told]
    begins = [_begins_to_tell(hit, term) for hit in hits]
    ways = (
        [
            found is not None and (own or says_what_it_is(term, texts[found]))
            for texts, found, own in zip(told, saying, begins, strict=True)
        ],
        begins,
        [found is not None for found in saying],
    )
    place = next((fits.index(True) for fits in ways if True in fits), None)
    if place is None:
        return tuple(hits)
    hit, found = hits[place], saying[place] or 0
    best = max(hit.sentence_scores)
    scores = tuple(best if n == found else min(score, best - 1e-6) for n, score in enumerate(hit.sentence_scores))
    return (replace(hit, sentence_scores=scores), *hits[:place], *hits[place + 1 :])


def explains(question: str, quote: Quote, hit: Hit) -> bool:
    """Whether a quote of a hit surely tells what something is, where that is asked."""
    term = defined_term(question)
    return term is not None and (says_what_it_is(term, quote.text) or _begins_to_tell(hit, term))


def _begins_to_tell(hit: Hit, term: str) -> bool:
    """Whether a hit is what the document about a thing begins with."""
    return hit.passage.ordinal == 0 and is_about(hit.source.title, term)
