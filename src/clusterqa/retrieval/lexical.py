"""
By words: which share of the question's words, weighed by rarity, a text holds.

A word may be held by itself (any of its index terms), by a translation or synonym (the lexicon), or, when nobody in the
corpus writes it, by its nearest neighbour in spelling.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from clusterqa.ports import Index
from clusterqa.records import Concept, Query
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.analysis import term_in, terms, words
from clusterqa.text.lexicon import Lexicon

TRANSLATION_FLOOR = 0.1
MAX_TRANSLATIONS = 4
MAX_WORDS = 40

Shares = NDArray[np.float64]


def shares_of_words(
    query: Query, index: Index, lexicon: Lexicon, weights: SearchWeights
) -> tuple[tuple[Concept, ...], Shares]:
    """
    The question's words as concepts, and the share of their weight that each passage holds.

    The shares stand in an array by passage id, with 0 for passages that hold none.
    """
    total = max(len(index), 1)
    size = max(index.id_bound, 1)
    concepts: list[Concept] = []
    strengths: list[Shares] = []
    for word, query_weight in list(query.words.items())[:MAX_WORDS]:
        variants = {term: 1.0 for term in terms(word)}
        kind, held = "word", np.zeros(size)
        _mark(held, index, variants, 1.0, weights)
        likely = [term for term, p in lexicon.related(word, query.language) if p >= TRANSLATION_FLOOR]
        translated = {term: weights.translation_strength for term in likely[:MAX_TRANSLATIONS] if term not in variants}
        if not held.any() and not any(character.isdigit() for character in word):
            variants.update(dict.fromkeys(_spelled_alike(word, index), weights.spelling_strength))
            _mark(held, index, variants, weights.spelling_strength, weights)
            kind = "spelling"
        if translated:
            if not held.any():
                kind = "translation"
            _mark(held, index, translated, weights.translation_strength, weights)
            variants = {**translated, **variants}
        count = int(np.count_nonzero(held))
        rarity = math.log(1 + (total - count + 0.5) / (count + 0.5))
        concepts.append(Concept(word, variants, query_weight * rarity, count, kind if count else "unknown"))
        strengths.append(held)
    weight = sum(concept.weight for concept in concepts)
    shares = np.zeros(size)
    if weight > 0:
        for concept, held in zip(concepts, strengths, strict=True):
            shares += concept.weight / weight * held
    return tuple(concepts), shares


def _mark(held: Shares, index: Index, variants: Iterable[str], strength: float, weights: SearchWeights) -> None:
    """Raise to `strength` the passages that hold one of the terms in their body; in their head only, to less."""
    postings = index.postings(tuple(sorted(variants)))
    held[postings.head] = np.maximum(held[postings.head], strength * weights.head_strength)
    held[postings.body] = np.maximum(held[postings.body], strength)


def best_shares(shares: Shares, k: int) -> list[int]:
    """The `k` passages with the largest shares above 0; ties: lower id first."""
    ids = np.flatnonzero(shares)
    return [int(i) for i in ids[np.lexsort((ids, -shares[ids]))][:k]]


def _spelled_alike(word: str, index: Index) -> list[str]:
    """Terms of the corpus one slip of the finger away (two for a long word); none for a short one."""
    plain = term_in(word, "lt")
    if len(plain) < 4:
        return []
    slips = 1 if len(plain) < 8 else 2
    found = process.extract(plain, index.vocabulary(), scorer=OSA.distance, score_cutoff=slips, limit=3, processor=None)
    if not found:
        return []
    closest = min(distance for _, distance, _ in found)
    return sorted(term for term, distance, _ in found if distance == closest and term[0] == plain[0])


def coverage(text: str, concepts: Sequence[Concept]) -> float:
    """Which share of the question's weight of words a text holds, in [0, 1]."""
    return share(concepts, term_set(text), frozenset(), 0.0)


def share(concepts: Sequence[Concept], body: frozenset[str], head: frozenset[str], head_strength: float) -> float:
    """As `coverage`, of a text with a head above it, whose words count `head_strength` of those in the body."""
    weight = sum(concept.weight for concept in concepts)
    if weight <= 0:
        return 0.0
    held = 0.0
    for concept in concepts:
        strengths = (
            strength if term in body else strength * head_strength
            for term, strength in concept.variants.items()
            if term in body or term in head
        )
        held += concept.weight * max(strengths, default=0.0)
    return held / weight


@lru_cache(maxsize=16384)
def term_set(text: str) -> frozenset[str]:
    return frozenset(term for word in words(text) for term in terms(word))
