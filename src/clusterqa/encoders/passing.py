"""Encoders around an encoder: they leave everything to it, and see or remember what passes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import numpy as np

from clusterqa.ports import Encoder, Progress, Vectors
from clusterqa.records import Encoded

REMEMBERED_TEXTS, REMEMBERED_PASSAGES = 20_000, 2_000
"""Whole passages come with their token embeddings, some 40 kB each."""

T = TypeVar("T")


class PassingEncoder(Encoder):
    """An encoder that leaves everything to another; a subclass overrides what it does differently."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.fingerprint = encoder.fingerprint
        self.dimension = encoder.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        return self._encoder.encode_passages(texts, progress)

    def read_query(self, text: str) -> Encoded:
        return self._encoder.read_query(text)

    def read_passages(self, texts: Sequence[str], progress: Progress | None = None) -> list[Encoded]:
        return self._encoder.read_passages(texts, progress)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return self._encoder.token_spans(text)

    def cut_off(self, texts: Sequence[str]) -> list[int]:
        return self._encoder.cut_off(texts)


class RememberingQueries(PassingEncoder):
    """Encodes equal questions once: an evaluation asks each on several views and with several settings."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._known: dict[tuple[str, ...], Vectors] = {}
        self._read: dict[str, Encoded] = {}

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        key = tuple(texts)
        if key not in self._known:
            self._known[key] = super().encode_queries(texts)
        return self._known[key]

    def read_query(self, text: str) -> Encoded:
        if text not in self._read:
            self._read[text] = super().read_query(text)
        return self._read[text]


class RememberingPassages(PassingEncoder):
    """Does not encode a passage text twice: what was tried as a draft is live at once when published. Thread-safe."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self._read: OrderedDict[str, Encoded] = OrderedDict()
        self._lock = threading.Lock()

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        rows = self._remembered(self._known, REMEMBERED_TEXTS, super().encode_passages, texts, progress)
        return np.stack(rows) if rows else np.zeros((0, self.dimension), dtype=np.float32)

    def read_passages(self, texts: Sequence[str], progress: Progress | None = None) -> list[Encoded]:
        return self._remembered(self._read, REMEMBERED_PASSAGES, super().read_passages, texts, progress)

    def _remembered(
        self,
        known: OrderedDict[str, T],
        most: int,
        encode: Callable[[Sequence[str], Progress | None], Iterable[T]],
        texts: Sequence[str],
        progress: Progress | None,
    ) -> list[T]:
        with self._lock:
            found = {text: known[text] for text in texts if text in known}
        missing = list(dict.fromkeys(text for text in texts if text not in found))
        if progress and len(missing) < len(texts):
            progress(len(texts) - len(missing))
        if missing:
            found.update(zip(missing, encode(missing, progress), strict=True))
            with self._lock:
                known.update((text, found[text]) for text in missing)
                while len(known) > most:
                    known.popitem(last=False)
        return [found[text] for text in texts]
