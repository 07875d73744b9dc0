"""
The first look: both channels asked, their scores added up.

The sum is of scores and not of ranks: reciprocal rank fusion lets the lexical list of the wrong language, which is noise,
push right answers out (measured: 45 % → 16 % cross-lingual hits).
"""

from __future__ import annotations

from clusterqa.ports import Index
from clusterqa.records import Candidate, FirstLook, Passage, Query
from clusterqa.retrieval.dense import best_cosines, passage_background, standing
from clusterqa.retrieval.lexical import best_shares, shares_of_words
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.lexicon import Lexicon


def first_look(query: Query, index: Index, lexicon: Lexicon, weights: SearchWeights) -> FirstLook:
    """The passages that either channel finds, best first; equal scores are ordered by document, then by place in it."""
    neighbours = index.nearest(query.encoded.vector, weights.candidates)
    concepts, lexical = shares_of_words(query, index, lexicon, weights)
    cosines = {i: cosine for seen in neighbours.values() for i, cosine in seen.best.items()}
    by_words = [i for i in best_shares(lexical, weights.candidates // 2) if i not in cosines]
    cosines |= best_cosines(by_words, query, index)
    backgrounds = {
        language: passage_background(seen.passages, seen.count, weights) for language, seen in neighbours.items()
    }
    candidates = []
    for entry, cosine in zip(index.fetch(list(cosines)), cosines.values(), strict=True):
        held = float(lexical[entry.id])
        near = standing(cosine, backgrounds[entry.language], weights.dense_scale)
        candidates.append(Candidate(entry, cosine, held, fused(near, held, weights)))
    candidates.sort(key=lambda candidate: order_key(candidate.entry.passage, candidate.score))
    return FirstLook(concepts, neighbours, lexical, tuple(candidates))


def fused(dense: float, lexical: float, weights: SearchWeights) -> float:
    """One score in [0, 1] of nearness by meaning and a share of words, each in [0, 1]."""
    return weights.dense_weight * dense + (1 - weights.dense_weight) * lexical


def order_key(passage: Passage, score: float) -> tuple[float, str, int]:
    """What passages are sorted by: best first, equal ones by document, then by place in it."""
    return (-round(score, 9), passage.document, passage.start)
