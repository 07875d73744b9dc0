"""
The index of one generation in memory, searched by FAISS: the only importer of faiss.

Built from the store, patched to the next generation in proportion to what changed, never saved: at 10,000 passages
the store is read in about a second, and an index that is not on disk cannot be stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import faiss
import numpy as np
from numpy.typing import NDArray

from clusterqa.ports import Vectors
from clusterqa.records import IndexedPassage, Language, Neighbours
from clusterqa.store.moments import Backgrounds
from clusterqa.store.view import UNITS_PER_PASSAGE, StoreView, spread, units_of


def one_thread() -> None:
    """FAISS shares out questions among threads, and there is one at a time: a second thread would only be waited for."""
    faiss.omp_set_num_threads(1)


class _Side:
    """The vectors of one language, with the moments from which a question's mean and deviation follow exactly."""

    def __init__(self, dimension: int) -> None:
        # Inner product of unit vectors is their cosine; explicit ids, since a flat index shifts its own on removal.
        # Half precision is what the store has: the cosines are the same as in single, in a quarter of the time.
        half = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self.index = faiss.IndexIDMap2(half)
        self.backgrounds = Backgrounds.none(dimension)

    def add(self, entries: Sequence[IndexedPassage]) -> None:
        if not entries:
            return
        matrix = np.concatenate([entry.rows for entry in entries]).astype(np.float32)
        self.index.add_with_ids(matrix, _units(entries))
        self.backgrounds.add(entries, +1)

    def remove(self, entries: Sequence[IndexedPassage]) -> None:
        if not entries:
            return
        self.index.remove_ids(faiss.IDSelectorBatch(_units(entries)))
        self.backgrounds.add(entries, -1)

    def nearest(self, query: NDArray[np.float32], k: int) -> Neighbours:
        scores, units = self.index.search(query.reshape(1, -1), min(k, int(self.index.ntotal)))
        best: dict[int, float] = {}
        for score, unit in zip(scores[0].tolist(), units[0].tolist(), strict=True):
            if unit >= 0:  # faiss pads with -1
                best.setdefault(unit // UNITS_PER_PASSAGE, score)
        return Neighbours(best, *self.backgrounds.of(query), self.backgrounds.passages.count)


def _units(entries: Sequence[IndexedPassage]) -> NDArray[np.int64]:
    return np.array([unit for entry in entries for unit in units_of(entry)], dtype=np.int64)


class FaissIndex(StoreView):
    """Vectors and passages of one generation."""

    def _clear(self) -> None:
        super()._clear()
        self._entries: dict[int, IndexedPassage] = {}
        self._by_document: dict[str, list[int]] = {}
        self._sides: dict[Language, _Side] = {language: _Side(self.dimension) for language in self.languages}
        self._samples: dict[int, dict[Language, list[IndexedPassage]]] = {}
        self._id_bound = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def id_bound(self) -> int:
        return self._id_bound

    def refresh(self) -> bool:
        if not self._follow():
            return False
        store, day = self._store, self._today()
        if self._stored_state() == (self.generation, self.epoch) and day == self._day:
            return False
        with store.reading():
            generation, epoch = self._stored_state()
            if (generation, epoch, day) == (self.generation, self.epoch, self._day):
                return False
            self._check(store)
            set_back = day is not None and self._day is not None and day < self._day
            fresh = epoch != self.epoch or generation < self.generation or set_back
            known = -1 if fresh else self.generation
            # Everything is read before anything is changed: an error while reading leaves the index as it was.
            current, over = self._documents(day)
            removed = [] if fresh else store.removed_since(known)
            expired = [] if fresh else [i for document in over for i in self._by_document.get(document, ())]
            gone = [self._entries[i] for i in dict.fromkeys([*removed, *expired]) if i in self._entries]
            new = [
                entry
                for entry in store.passages(after_generation=known)
                if entry.language in self.languages and entry.passage.document not in over
            ]
        if not fresh and generation == self.generation and not gone:
            self._day = day
            return False
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
        self._samples = {}
        self._id_bound = max(self._entries, default=-1) + 1
        self._took_up(generation, epoch, current, day)
        return True

    @contextmanager
    def reading(self) -> Iterator[None]:
        while True:
            self.refresh()
            with self._store.reading():
                if self._stored_state() == (self.generation, self.epoch):
                    yield
                    return

    def nearest(self, vector: Vectors, k: int) -> dict[Language, Neighbours]:
        return {
            language: side.nearest(vector, k)
            for language, side in self._sides.items()
            if side.backgrounds.passages.count
        }

    def _has(self, passage: int) -> bool:
        return passage in self._entries

    def fetch(self, ids: Sequence[int]) -> list[IndexedPassage]:
        return [self._entries[i] for i in ids]

    def passages_of(self, document: str) -> Sequence[int]:
        return self._by_document.get(document, ())

    def sample(self, most: int) -> dict[Language, list[IndexedPassage]]:
        if most not in self._samples:
            by_language = {
                language: [entry for entry in self._entries.values() if entry.language == language]
                for language in self.languages
            }
            self._samples[most] = {
                language: [found[place] for place in spread(len(found), most)]
                for language, found in by_language.items()
                if found
            }
        return self._samples[most]
