"""First and second moments of unit vectors, from which a question's background follows exactly without looking at them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clusterqa.records import Background, IndexedPassage


class Moments:
    """First and second moments of some unit vectors."""

    def __init__(self, dimension: int) -> None:
        self.count = 0
        self.first = np.zeros(dimension)
        self.second = np.zeros((dimension, dimension))

    def add(self, vectors: NDArray[np.float16], sign: int) -> None:
        rows = vectors.astype(np.float64)
        self.count += sign * len(rows)
        self.first += sign * rows.sum(axis=0)
        self.second += sign * (rows.T @ rows)

    def background(self, query: NDArray[np.float64]) -> Background:
        """Mean and deviation of the cosines of a unit vector with all of them."""
        mean = float(query @ self.first) / self.count
        variance = float(query @ self.second @ query) / self.count - mean * mean
        return Background(mean, max(variance, 0.0) ** 0.5)


class Backgrounds:
    """The moments of the passages of one language, and of their sentences."""

    def __init__(self, dimension: int) -> None:
        self.passages = Moments(dimension)
        self.sentences = Moments(dimension)

    def add(self, entries: Sequence[IndexedPassage], sign: int) -> None:
        if entries:
            self.passages.add(np.stack([entry.rows[0] for entry in entries]), sign)
            self.sentences.add(np.concatenate([entry.rows[1:] for entry in entries]), sign)

    def of(self, query: NDArray[np.float32]) -> tuple[Background, Background]:
        """Of a unit vector's cosines with passages, and with sentences."""
        exact = query.astype(np.float64)
        return self.passages.background(exact), self.sentences.background(exact)
