"""
The index of one generation in memory, searched by FAISS: the only importer of faiss.

Built from the store, patched to the next generation in proportion to what changed, never saved: at 10,000 passages
the store is read in about a second, and an index that is not on disk cannot be stale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import faiss
import numpy as np
from numpy.typing import NDArray

from clusterqa.errors import IndexNotFound, StoreDamaged
from clusterqa.ports import Index, Store, Vectors
from clusterqa.records import (
    LANGUAGES,
    Background,
    Document,
    IndexedPassage,
    Language,
    Neighbours,
    Postings,
    Source,
    TokenStates,
)
from clusterqa.store.translations import sources

UNITS_PER_PASSAGE = 8192
"""
A unit (the passage itself, or one sentence) has the id `passage id · 8192 + position`, position 0 being the passage.
More than the longest passage has characters, so that no passage can have more sentences.
"""

REMEMBERED_TERMS = 512
"""Groups of terms whose passages are kept; at 10,000 passages some 10 MB at the most."""


REMEMBERED_DOCUMENTS = 32
"""Documents that are kept with their structure for a generation: the three of a reply are often those of the last one."""


def one_thread() -> None:
    """FAISS shares out questions among threads, and there is one at a time: a second thread would only be waited for."""
    faiss.omp_set_num_threads(1)


class _Moments:
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


class _Side:
    """The vectors of one language, with the moments from which a question's mean and deviation follow exactly."""

    def __init__(self, dimension: int) -> None:
        # Inner product of unit vectors is their cosine; explicit ids, since a flat index shifts its own on removal.
        # Half precision is what the store has: the cosines are the same as in single, in a quarter of the time.
        half = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self.index = faiss.IndexIDMap2(half)
        self.passages = _Moments(dimension)
        self.sentences = _Moments(dimension)

    def add(self, entries: Sequence[IndexedPassage]) -> None:
        if not entries:
            return
        matrix = np.concatenate([entry.rows for entry in entries]).astype(np.float32)
        units = [e.id * UNITS_PER_PASSAGE + position for e in entries for position in range(len(e.rows))]
        self.index.add_with_ids(matrix, np.array(units, dtype=np.int64))
        self._count(entries, +1)

    def remove(self, entries: Sequence[IndexedPassage]) -> None:
        if not entries:
            return
        units = [e.id * UNITS_PER_PASSAGE + position for e in entries for position in range(len(e.rows))]
        self.index.remove_ids(faiss.IDSelectorBatch(np.array(units, dtype=np.int64)))
        self._count(entries, -1)

    def _count(self, entries: Sequence[IndexedPassage], sign: int) -> None:
        self.passages.add(np.stack([entry.rows[0] for entry in entries]), sign)
        self.sentences.add(np.concatenate([entry.rows[1:] for entry in entries]), sign)

    def nearest(self, query: NDArray[np.float32], k: int) -> Neighbours:
        scores, units = self.index.search(query.reshape(1, -1), min(k, int(self.index.ntotal)))
        best: dict[int, float] = {}
        for score, unit in zip(scores[0].tolist(), units[0].tolist(), strict=True):
            if unit >= 0:  # faiss pads with -1
                best.setdefault(unit // UNITS_PER_PASSAGE, score)
        q = query.astype(np.float64)
        return Neighbours(best, self.passages.background(q), self.sentences.background(q), self.passages.count)


class FaissIndex(Index):
    """Vectors and passages of one generation."""

    def __init__(
        self,
        connect: Callable[[], Store],
        dimension: int,
        languages: tuple[Language, ...] = LANGUAGES,
        check: Callable[[Store], None] = lambda store: None,
    ) -> None:
        """
        `connect` opens the store, which is closed by `close`; `check` raises where a generation must not be taken up.
        `languages` other than both leave the documents of the other one out: for measuring one direction.
        """
        self.dimension = dimension
        self.languages = languages
        self._connect = connect
        self._check = check
        self._store = connect()
        self._clear()

    def _clear(self) -> None:
        self.generation, self.epoch = -1, ""
        self._entries: dict[int, IndexedPassage] = {}
        self._by_document: dict[str, list[int]] = {}
        self._sources: dict[str, Source] = {}
        self._vocabulary: list[str] | None = None
        self._postings: dict[tuple[str, ...], Postings] = {}
        self._read: dict[str, Document] = {}
        self._sides: dict[Language, _Side] = {language: _Side(self.dimension) for language in self.languages}
        self._samples: dict[int, dict[Language, list[IndexedPassage]]] = {}
        self._id_bound = 0

    def close(self) -> None:
        self._store.close()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def id_bound(self) -> int:
        return self._id_bound

    def refresh(self) -> bool:
        if not self._follow():
            return False
        store = self._store
        if store.generation() == self.generation and store.meta("epoch") == self.epoch:
            return False
        with store.reading():
            generation, epoch = store.generation(), store.meta("epoch") or ""
            if (generation, epoch) == (self.generation, self.epoch):
                return False
            self._check(store)
            fresh = epoch != self.epoch or generation < self.generation
            known = -1 if fresh else self.generation
            # Everything is read before anything is changed: an error while reading leaves the index as it was.
            gone = [] if fresh else [self._entries[i] for i in store.removed_since(known) if i in self._entries]
            new = [entry for entry in store.passages(after_generation=known) if entry.language in self.languages]
            current = sources(stored for stored in store.documents() if stored.language in self.languages)
        if fresh:
            self._clear()
        for language, side in self._sides.items():
            side.remove([entry for entry in gone if entry.language == language])
            side.add([entry for entry in new if entry.language == language])
        for entry in gone:
            del self._entries[entry.id]
            siblings = self._by_document[entry.passage.document]
            siblings.remove(entry.id)
            if not siblings:
                del self._by_document[entry.passage.document]
        for entry in new:
            self._entries[entry.id] = entry
            self._by_document.setdefault(entry.passage.document, []).append(entry.id)
        self._sources = current
        self._vocabulary = None
        self._postings = {}
        self._read = {}
        self._samples = {}
        self._id_bound = max(self._entries, default=-1) + 1
        self.generation, self.epoch = generation, epoch
        return True

    @contextmanager
    def reading(self) -> Iterator[None]:
        while True:
            self.refresh()
            with self._store.reading():
                if (self._store.generation(), self._store.meta("epoch") or "") == (self.generation, self.epoch):
                    yield
                    return

    def _follow(self) -> bool:
        """Whether there is a store to read: one that took the other's place answers from its first generation on."""
        if self._store.current():
            return True
        try:
            fresh = self._connect()
        except IndexNotFound:
            return False
        if fresh.generation() == 0:
            fresh.close()
            return False
        self._store.close()
        self._store = fresh
        return True

    def nearest(self, vector: Vectors, k: int) -> dict[Language, Neighbours]:
        return {language: side.nearest(vector, k) for language, side in self._sides.items() if side.passages.count}

    def postings(self, terms: tuple[str, ...]) -> Postings:
        # The words of a domain come back in question after question, so the latest answers are kept for a generation.
        known = self._postings.get(terms)
        if known is None:
            found = self._store.matching(terms)
            known = Postings(
                np.array([i for i, (body, _) in found.items() if body and i in self._entries], dtype=np.int64),
                np.array([i for i, (body, _) in found.items() if not body and i in self._entries], dtype=np.int64),
            )
            if len(self._postings) >= REMEMBERED_TERMS:
                self._postings.pop(next(iter(self._postings)))
            self._postings[terms] = known
        return known

    def vocabulary(self) -> list[str]:
        if self._vocabulary is None:
            self._vocabulary = self._store.vocabulary()
        return self._vocabulary

    def fetch(self, ids: Sequence[int]) -> list[IndexedPassage]:
        return [self._entries[i] for i in ids]

    def tokens(self, ids: Sequence[int]) -> list[TokenStates]:
        return self._store.tokens(ids)

    def passages_of(self, document: str) -> Sequence[int]:
        return self._by_document.get(document, ())

    def sample(self, most: int) -> dict[Language, list[IndexedPassage]]:
        if most not in self._samples:
            by_language = {
                language: [entry for entry in self._entries.values() if entry.language == language]
                for language in self.languages
            }
            self._samples[most] = {language: _spread(found, most) for language, found in by_language.items() if found}
        return self._samples[most]

    def source(self, document: str) -> Source | None:
        return self._sources.get(document)

    def confirm(self, ids: Sequence[int]) -> None:
        for entry in self.fetch(ids):
            self._store.confirm(entry, self._sources[entry.passage.document])

    def read(self, document: str) -> Document:
        if document not in self._read:
            if document not in self._sources:
                raise KeyError(document)
            found = self._store.read(document)
            if found is None:
                raise StoreDamaged(
                    f"The text of {document} is missing from the index. Mend it with: clusterqa index --rebuild"
                )
            if len(self._read) >= REMEMBERED_DOCUMENTS:
                self._read.pop(next(iter(self._read)))
            self._read[document] = found
        return self._read[document]


def _spread(passages: Sequence[IndexedPassage], most: int) -> list[IndexedPassage]:
    places = np.linspace(0, len(passages) - 1, min(most, len(passages))).astype(int).tolist()
    return [passages[place] for place in places]
