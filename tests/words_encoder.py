"""A stand-in for the encoder with one axis a word, so that every cosine can be worked out on paper."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence

import numpy as np

from clusterqa.ports import Encoder, Vectors
from clusterqa.records import Encoded

WORDS = (
    "bronze", "silver", "gold", "label", "cluster", "price", "euro", "year", "expert", "report", "member", "food",
    "bronzos", "sidabro", "aukso", "ženklas", "ženklo", "klasteris", "kaina", "metai", "ekspertas", "ataskaita", "narys",
)  # fmt: skip


class WordsEncoder(Encoder):
    """
    The unit vector of a text's word counts: "gold label" and "gold price" have the cosine 1/√2 · 1/√2 = 1/2.

    A text with none of the words lies on an axis of its own, one for questions and another for passages, so that such
    texts have the cosine 0 with everything asked. `encoded` lists every passage text that was encoded.
    """

    def __init__(self, words: Sequence[str] = WORDS, limit: int = 10_000) -> None:
        self.words = tuple(words)
        self.limit = limit
        self.fingerprint = "words@" + hashlib.sha256(" ".join(self.words).encode()).hexdigest()[:8]
        self.dimension = len(self.words) + 2
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._rows(texts, other=len(self.words))

    def encode_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> Vectors:
        self.encoded += texts
        if progress:
            progress(len(texts))
        return self._rows(texts, other=len(self.words) + 1)

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        return [i for i, text in enumerate(texts) if len(text.split()) > self.limit]

    def _rows(self, texts: Sequence[str], other: int) -> Vectors:
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            found = re.findall(r"\w+", text.lower())
            row[: len(self.words)] = [found.count(word) for word in self.words]
            if not row.any():
                row[other] = 1
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows


class WordTokens(WordsEncoder):
    """The same, with a token for each of its words in a text: the unit vector of that word's axis."""

    def read_query(self, text: str) -> Encoded:
        return self._read(text, self.encode_queries([text])[0])

    def read_passages(self, texts: Sequence[str], progress: Callable[[int], None] | None = None) -> list[Encoded]:
        return [self._read(text, row) for text, row in zip(texts, self.encode_passages(texts, progress), strict=True)]

    def _read(self, text: str, vector: Vectors) -> Encoded:
        found = [m for m in re.finditer(r"\w+", text.lower()) if m.group() in self.words]
        tokens = np.zeros((len(found), len(self.words)), dtype=np.float32)
        for row, match in enumerate(found):
            tokens[row, self.words.index(match.group())] = 1
        ids = np.array([self.words.index(match.group()) for match in found], dtype=np.int32)
        return Encoded(vector, tokens, ids, np.array([match.end() for match in found], dtype=np.int64))
