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

Floats = NDArray[np.float32]


SAMPLED = 96
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
        self._begins = begins
        self._parts = np.flatnonzero(last > first)  # of a text that is too long the last parts have no piece
        self._part_begins = first[self._parts]
        self._part_count = len(first)
        counts = np.array([len(c) - 1 for c in cuts])
        self._heads = np.cumsum(counts) - counts
        self._splits = self._heads[1:]

    def best(self, asked: Floats) -> tuple[Floats, Floats]:
        """
        For each piece of a question, shape (n, dimension), the best cosine with each passage, (n, passages), and with each
        part of each passage, (n, parts); −1 with a part that has no piece.
        """
        cosines = asked @ self._rows.T
        parts = np.full((len(asked), self._part_count), -1.0, dtype=np.float32)
        parts[:, self._parts] = np.maximum.reduceat(cosines, self._part_begins, axis=1)
        return np.maximum.reduceat(cosines, self._begins, axis=1), parts

    def with_heads(self, parts: Floats, share: float) -> list[Floats]:
        """For each passage, (n, sentences): what a sentence or, for `share` of it, the head above it has."""
        found = []
        for passage in np.split(parts, self._splits, axis=1):
            found.append(np.maximum(passage[:, 1:], share * passage[:, :1]))
        return found


def as_bytes(pieces: Floats) -> NDArray[np.int8]:
    """Unit rows as they are kept: times 127."""
    return np.rint(pieces * 127).astype(np.int8)


def spread(passages: Sequence[T]) -> list[T]:
    """At most SAMPLED of them, evenly spread."""
    places = np.linspace(0, len(passages) - 1, min(SAMPLED, len(passages))).astype(int).tolist()
    return [passages[place] for place in places]


@dataclass(frozen=True, slots=True)
class Scores:
    """How near passages are to a question: each as a whole, and each of its sentences with the head above it."""

    passages: Floats
    sentences: list[Floats]


class Asked(Generic[L]):
    """A question's pieces, shape (n, dimension), with their weights, which add up to one."""

    def __init__(self, pieces: Floats, samples: Mapping[L, Block], head_share: float) -> None:
        """`samples` are passages by language; `head_share` is what a piece is worth that only the head above a sentence meets."""
        self._pieces = pieces
        self._head_share = head_share
        best = {language: sample.best(pieces) for language, sample in samples.items()}
        means = [
            (passages.sum(axis=1) + PRIOR_PASSAGES * PRIOR_MEAN) / (sample.count + PRIOR_PASSAGES)
            for sample, (passages, _) in zip(samples.values(), best.values(), strict=True)
        ]
        weight = np.maximum(1 - np.mean(means, axis=0), 1e-3) ** 2
        self._weight: Floats = (weight / weight.sum()).astype(np.float32)
        self._samples = {language: self._scores(samples[language], *found) for language, found in best.items()}

    def ground(self, language: L) -> tuple[tuple[float, float], tuple[float, float]]:
        """Mean and deviation of the scores of the sample's passages, and of its sentences."""
        seen = self._samples[language]
        sentences = np.concatenate(seen.sentences)
        return (float(seen.passages.mean()), float(seen.passages.std())), (
            float(sentences.mean()),
            float(sentences.std()),
        )

    def scores(self, block: Block) -> Scores:
        return self._scores(block, *block.best(self._pieces))

    def _scores(self, block: Block, passages: Floats, parts: Floats) -> Scores:
        found = block.with_heads(parts, self._head_share)
        return Scores(self._weight @ passages, [self._weight @ sentences for sentences in found])
