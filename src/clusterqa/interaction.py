"""
Late interaction: a question compared with a passage piece by piece.

Each piece of the question looks for the piece of the passage that it is nearest to, and the cosines of these pairs are
averaged (Khattab and Zaharia 2020, arXiv:2004.12832). A piece counts the less the nearer it is to passages that have
nothing to do with it ("the", "?", and "cluster" in a corpus about clusters): its weight is (1 − m)², m being its mean
over a sample of the passages. The same sample gives the ground from which a good passage stands out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

# The products here are small and there is one question at a time: a second thread would only be in the encoder's way.
threadpool_limits(1, user_api="blas")

Floats = NDArray[np.float32]

SAMPLED = 64
"""Passages of a language that the weights and the ground are taken from."""

PRIOR_PASSAGES, PRIOR_MEAN = 20, 0.7
"""What is assumed of a piece in a corpus too small to show how common it is, as if so many passages had been seen."""

T = TypeVar("T")
L = TypeVar("L")


class Pieced(Protocol):
    """A passage's pieces, as the store has them (`PassageVectors`)."""

    @property
    def pieces(self) -> NDArray[np.int8]: ...

    @property
    def cuts(self) -> NDArray[np.int32]: ...


class Block:
    """Passages put together, so that one product compares a question with all of them. Each has at least one piece."""

    def __init__(self, passages: Sequence[Pieced]) -> None:
        self.count = len(passages)
        self._rows = np.concatenate([passage.pieces for passage in passages]).astype(np.float32) / 127
        sizes = np.array([len(passage.pieces) for passage in passages])
        begins = np.cumsum(sizes) - sizes
        cuts = [passage.cuts + begin for passage, begin in zip(passages, begins, strict=True)]
        first, last = np.concatenate([c[:-1] for c in cuts]), np.concatenate([c[1:] for c in cuts])
        self._there = np.flatnonzero(last > first)  # of a text that is too long the last parts have no piece
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
        For each passage the best cosine with each piece of a question of shape (n, dimension), (passages, n), and for each of
        their sentences, (sentences, n): by the sentence's own pieces or by those that stand above it.
        """
        parts = np.full((self._parts, len(asked)), -1.0, dtype=np.float32)
        parts[self._there] = np.maximum.reduceat(self._rows @ asked.T, self._part_begins, axis=0)
        sentences = np.maximum(parts[self._sentences], parts[self._heads])
        return np.maximum.reduceat(parts, self._begins, axis=0), sentences


def as_bytes(pieces: Floats) -> NDArray[np.int8]:
    """Unit rows as they are kept: times 127."""
    return np.rint(pieces * 127).astype(np.int8)


def spread(passages: Sequence[T]) -> list[T]:
    """At most SAMPLED of them, evenly spread."""
    places = np.linspace(0, len(passages) - 1, min(SAMPLED, len(passages))).astype(int).tolist()
    return [passages[place] for place in places]


@dataclass(frozen=True, slots=True)
class Scores:
    """How near passages are to a question: each as a whole, and each of its sentences."""

    passages: Floats
    sentences: list[Floats]


class Asked(Generic[L]):
    """A question's pieces, shape (n, dimension), with their weights, which add up to one."""

    def __init__(self, pieces: Floats, samples: Mapping[L, Block]) -> None:
        """`samples` are passages by language."""
        self._pieces = pieces
        best = {language: sample.best(pieces) for language, sample in samples.items()}
        means = [
            (best[language][0].sum(axis=0) + PRIOR_PASSAGES * PRIOR_MEAN) / (sample.count + PRIOR_PASSAGES)
            for language, sample in samples.items()
        ]
        weight = np.maximum(1 - np.mean(means, axis=0), 1e-3) ** 2
        self._weight: Floats = (weight / weight.sum()).astype(np.float32)
        self._seen = {language: tuple(found @ self._weight for found in pair) for language, pair in best.items()}

    def ground(self, language: L) -> tuple[tuple[float, float], ...]:
        """Mean and deviation of the scores of the sample's passages, and of its sentences."""
        return tuple((float(scores.mean()), float(scores.std())) for scores in self._seen[language])

    def scores(self, block: Block) -> Scores:
        passages, sentences = (found @ self._weight for found in block.best(self._pieces))
        return Scores(passages, np.split(sentences, block.splits))
