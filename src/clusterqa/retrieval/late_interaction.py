"""
Late interaction: a question compared with a passage token by token.

Each token of the question looks for the token of the passage that it is nearest to, and the cosines of these pairs are
averaged (Khattab and Zaharia 2020, arXiv:2004.12832). A token counts the less the nearer it is to passages that have
nothing to do with it ("the", "?", and "cluster" in a corpus about clusters): its weight is (1 − m)², m being its mean
over a sample of the passages. The same sample gives the background from which a good passage stands out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clusterqa.records import Background, Encoded, Language, TokenStates

Floats = NDArray[np.float32]

SAMPLED = 64
"""Passages of a language that the weights and the background are taken from."""


COMPARED = 128
"""Columns of the states by which tokens are compared; an encoder with fewer has them all compared."""


def unit(rows: Floats) -> Floats:
    """Rows of length one."""
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)  # type: ignore[no-any-return]


def has_text(tokens: TokenStates) -> bool:
    """Whether there is a token to compare."""
    return len(tokens) > 0 and bool(tokens.cuts[-1] > tokens.cuts[0])


class TokenBlock:
    """Passages put together, so that one product compares a question with all of them. Each has at least one token."""

    def __init__(self, passages: Sequence[TokenStates]) -> None:
        self.count = len(passages)
        own = [passage.states[passage.cuts[0] : passage.cuts[-1], :COMPARED] for passage in passages]
        self._rows = unit(np.concatenate(own).astype(np.float32))
        sizes = np.array([len(rows) for rows in own])
        begins = np.cumsum(sizes) - sizes
        cuts = [passage.cuts - passage.cuts[0] + begin for passage, begin in zip(passages, begins, strict=True)]
        first, last = np.concatenate([c[:-1] for c in cuts]), np.concatenate([c[1:] for c in cuts])
        self._there = np.flatnonzero(last > first)  # of a text that is too long the last parts have no token
        self._part_begins = first[self._there]
        self._parts = len(first)
        counts = np.array([len(c) - 1 for c in cuts])
        self._begins = np.cumsum(counts) - counts  # the part that stands above each passage
        self._heads = np.repeat(self._begins, counts - 1)
        self._sentences = np.delete(np.arange(self._parts), self._begins)
        self.splits = np.cumsum(counts - 1)[:-1]
        """Where in the sentences of all passages those of the second begin, of the third, and so on."""

    def best(self, asked: Floats) -> tuple[Floats, Floats]:
        """
        For each passage the best cosine with each token of a question of shape (n, dimension), (passages, n), and for each of
        their sentences, (sentences, n): by the sentence's own tokens or by those that stand above it.
        """
        parts = np.full((self._parts, len(asked)), -1.0, dtype=np.float32)
        parts[self._there] = np.maximum.reduceat(self._rows @ asked.T, self._part_begins, axis=0)
        sentences = np.maximum(parts[self._sentences], parts[self._heads])
        return np.maximum.reduceat(parts, self._begins, axis=0), sentences


@dataclass(frozen=True, slots=True)
class Scores:
    """How near passages are to a question: each as a whole, and each of its sentences."""

    passages: Floats
    sentences: list[Floats]


class AskedTokens:
    """A question's tokens with their weights, which add up to one."""

    def __init__(self, question: Encoded, samples: Mapping[Language, TokenBlock], prior: tuple[float, int]) -> None:
        """
        `samples` are passages by language; `prior` is the nearness that is assumed of a token in a corpus too small to show
        it, as if so many passages had been seen.
        """
        tokens = self._tokens = unit(question.states[question.ends > 0, :COMPARED])
        assumed, passages = prior
        best = {language: sample.best(tokens) for language, sample in samples.items()}
        means = [
            (best[language][0].sum(axis=0) + passages * assumed) / (sample.count + passages)
            for language, sample in samples.items()
        ]
        weight = np.maximum(1 - np.mean(means, axis=0), 1e-3) ** 2
        self._weight: Floats = (weight / weight.sum()).astype(np.float32)
        self._seen = {language: tuple(found @ self._weight for found in pair) for language, pair in best.items()}

    def background(self, language: Language) -> tuple[Background, Background]:
        """Of the scores of the sample's passages, and of its sentences."""
        passages, sentences = (Background(float(scores.mean()), float(scores.std())) for scores in self._seen[language])
        return passages, sentences

    def scores(self, block: TokenBlock) -> Scores:
        passages, sentences = (found @ self._weight for found in block.best(self._tokens))
        return Scores(passages, np.split(sentences, block.splits))
