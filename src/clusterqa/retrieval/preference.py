"""Which of the hits comes first for a question of a certain kind, where the search and the reader see little between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clusterqa.passages import sentence_texts
from clusterqa.records import Hit
from clusterqa.text.definitions import defined_term, defines

NEARLY_AS_GOOD = 0.12
"""A hit may come before the first when its score is at most so much less."""


def by_kind(question: str, hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits, first of all one that says what a thing is, where that is asked."""
    term = defined_term(question)
    if term is None:
        return tuple(hits)
    for place, hit in enumerate(hits):
        if hit.score < hits[0].score - NEARLY_AS_GOOD:
            continue
        found = next((n for n, text in enumerate(sentence_texts(hit.passage)) if defines(text, term)), None)
        if found is not None:
            best = max(hit.sentence_scores)
            scores = tuple(
                best if n == found else min(score, best - 1e-6) for n, score in enumerate(hit.sentence_scores)
            )
            return (replace(hit, sentence_scores=scores), *hits[:place], *hits[place + 1 :])
    return tuple(hits)
