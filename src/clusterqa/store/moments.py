"""First and second moments of unit vectors, from which a question's background follows exactly without looking at them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from clusterqa.records import Background, IndexedPassage, Language


class Moments:
    """First and second moments of some unit vectors."""

    def __init__(self, dimension: int) -> None:
        self.count = 0
        self._first = np.zeros(dimension)
        self._second = np.zeros((dimension, dimension))

    def add(self, vectors: NDArray[np.float16], sign: int) -> None:
        rows = vectors.astype(np.float64)
        self.count += sign * len(rows)
        self._first += sign * rows.sum(axis=0)
        self._second += sign * (rows.T @ rows)

    def background(self, query: NDArray[np.float64]) -> Background:
        """Mean and deviation of the cosines of a unit vector with all of them."""
        mean = float(query @ self._first) / self.count
        variance = float(query @ self._second @ query) / self.count - mean * mean
        return Background(mean, max(variance, 0.0) ** 0.5)

    def as_numbers(self) -> NDArray[np.float64]:
        return np.concatenate([[self.count], self._first, self._second.ravel()])

    @classmethod
    def from_numbers(cls, numbers: NDArray[np.float64], dimension: int) -> Self:
        made = cls(dimension)
        made.count = int(numbers[0])
        made._first[:] = numbers[1 : dimension + 1]
        made._second.ravel()[:] = numbers[dimension + 1 :]
        return made


@dataclass(frozen=True, slots=True)
class Backgrounds:
    """The moments of the passages of one language, and of their sentences."""

    passages: Moments
    sentences: Moments

    @classmethod
    def none(cls, dimension: int) -> Self:
        return cls(Moments(dimension), Moments(dimension))

    def add(self, entries: Sequence[IndexedPassage], sign: int) -> None:
        if entries:
            self.passages.add(np.stack([entry.rows[0] for entry in entries]), sign)
            self.sentences.add(np.concatenate([entry.rows[1:] for entry in entries]), sign)

    def of(self, query: NDArray[np.float32]) -> tuple[Background, Background]:
        """Of a unit vector's cosines with passages, and with sentences."""
        exact = query.astype(np.float64)
        return self.passages.background(exact), self.sentences.background(exact)

    def as_bytes(self) -> bytes:
        return np.concatenate([self.passages.as_numbers(), self.sentences.as_numbers()]).tobytes()

    @classmethod
    def from_bytes(cls, data: bytes, dimension: int) -> Self:
        passages, sentences = np.frombuffer(data, dtype=np.float64).reshape(2, -1)
        return cls(Moments.from_numbers(passages, dimension), Moments.from_numbers(sentences, dimension))


def count(backgrounds: Mapping[Language, Backgrounds], entries: Sequence[IndexedPassage], sign: int) -> None:
    """Add passages to the backgrounds of their languages, or take them out (`sign` -1)."""
    for language, found in backgrounds.items():
        found.add([entry for entry in entries if entry.language == language], sign)
