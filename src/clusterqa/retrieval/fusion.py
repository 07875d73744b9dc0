"""
The first look: both channels asked, their scores added up.

The sum is of scores and not of ranks: reciprocal rank fusion lets the lexical list of the wrong language, which is noise,
push right answers out (measured: 45 % → 16 % cross-lingual hits).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from clusterqa.ports import Index
from clusterqa.records import Candidate, FirstLook, Passage, Query
from clusterqa.retrieval.dense import best_cosines, passage_background, standings
from clusterqa.retrieval.lexical import best_shares, shares_of_words
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.lexicon import Lexicon


def first_look(query: Query, index: Index, lexicon: Lexicon, weights: SearchWeights) -> FirstLook:
    """The passages that either channel finds, best first; equal scores are ordered by document, then by place in it."""
    neighbours = index.nearest(query.encoded.vector, weights.candidates)
    concepts, lexical = shares_of_words(query, index, lexicon, weights)
    found = {language: dict(seen.best) for language, seen in neighbours.items()}
    by_words = [
        i for i in best_shares(lexical, weights.candidates // 2) if not any(i in best for best in found.values())
    ]
    for i, (language, cosine) in best_cosines(by_words, query, index).items():
        found[language][i] = cosine
    candidates: list[Candidate] = []
    for language, seen in neighbours.items():
        ids, cosines = list(found[language]), np.array(list(found[language].values()))
        background, held = passage_background(seen.passages, seen.count, weights), lexical[ids]
        scores = fused(standings(cosines, background, weights.dense_scale), held, weights)
        candidates += map(Candidate, ids, cosines.tolist(), held.tolist(), scores.tolist())
    return FirstLook(concepts, neighbours, lexical, tuple(_in_order(candidates, index)))


def _in_order(candidates: Sequence[Candidate], index: Index) -> list[Candidate]:
    """Best first; only of those that share their score is a passage fetched, for its place."""
    keys = {candidate.passage: _downwards(candidate.score) for candidate in candidates}
    shared = Counter(keys.values())
    alike = [i for i, key in keys.items() if shared[key] > 1]
    places = {entry.id: (entry.passage.document, entry.passage.start) for entry in index.fetch(alike)}
    return sorted(candidates, key=lambda one: (keys[one.passage], places.get(one.passage, ("", 0))))


Score = TypeVar("Score", float, NDArray[np.float64])


def fused(dense: Score, lexical: Score, weights: SearchWeights) -> Score:
    """One score in [0, 1] of nearness by meaning and a share of words, each in [0, 1]."""
    return weights.dense_weight * dense + (1 - weights.dense_weight) * lexical


def order_key(passage: Passage, score: float) -> tuple[float, str, int]:
    """What passages are sorted by: best first, equal ones by document, then by place in it."""
    return (_downwards(score), passage.document, passage.start)


def _downwards(score: float) -> float:
    """Sorts the best first; scores that differ in the tenth place are equal."""
    return -round(score, 9)
