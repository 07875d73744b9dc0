"""
The index of one generation in memory, searched by FAISS: the only importer of faiss.

Built from the store, patched to the next generation in proportion to what changed, never saved: at 10,000 passages
the store is read in about a second, and an index that is not on disk cannot be stale. Vectors stand in FAISS and nowhere else;
of a passage what is stored is kept as text, and made a record when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import faiss
import numpy as np
from numpy.typing import NDArray

from clusterqa.ports import Vectors
from clusterqa.records import LANGUAGES, IndexedPassage, Language, Neighbours
from clusterqa.store.moments import Backgrounds
from clusterqa.store.tables import parts
from clusterqa.store.view import UNITS_PER_PASSAGE, StoreView, packed, units_from, units_of, unpacked


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
        self.index.add_with_ids(matrix, _units(map(units_of, entries)))
        self.backgrounds.add(entries, +1)

    def remove(self, entries: Sequence[IndexedPassage]) -> None:
        if not entries:
            return
        self.index.remove_ids(faiss.IDSelectorBatch(_units(map(units_of, entries))))
        self.backgrounds.add(entries, -1)

    def rows(self, units: Sequence[range]) -> list[NDArray[np.float16]]:
        """The vectors of the units of each passage, as they came."""
        found = self.index.reconstruct_batch(_units(units)).astype(np.float16)
        return np.split(found, np.cumsum([len(own) for own in units])[:-1])

    def nearest(self, query: NDArray[np.float32], k: int) -> Neighbours:
        scores, units = self.index.search(query.reshape(1, -1), min(k, int(self.index.ntotal)))
        best: dict[int, float] = {}
        for score, unit in zip(scores[0].tolist(), units[0].tolist(), strict=True):
            if unit >= 0:  # faiss pads with -1
                best.setdefault(unit // UNITS_PER_PASSAGE, score)
        return Neighbours(best, *self.backgrounds.of(query), self.backgrounds.passages.count)


def _units(of_each: Iterable[range]) -> NDArray[np.int64]:
    return np.concatenate([np.arange(own.start, own.stop, dtype=np.int64) for own in of_each])


class _Kept(NamedTuple):
    """What is kept of a passage beside its vectors."""

    language: Language
    units: int
    text: str


class _Content:
    """Vectors and passages of one generation."""

    def __init__(self, dimension: int, languages: Sequence[Language]) -> None:
        self.sides = {language: _Side(dimension) for language in languages}
        self.passages: dict[int, _Kept] = {}
        self.by_document: dict[str, list[int]] = {}
        self.languages = np.zeros(0, dtype=np.int8)
        """By passage id: 0 for none, else 1 + the place of its language in LANGUAGES; there may be more zeros than ids."""

    def add(self, entries: Sequence[IndexedPassage]) -> None:
        for language, side in self.sides.items():
            side.add([entry for entry in entries if entry.language == language])
        for entry in entries:
            self.passages[entry.id] = _Kept(entry.language, len(entry.rows), packed(entry.passage))
            self.by_document.setdefault(entry.passage.document, []).append(entry.id)
        known, bound = len(self.languages), max(entry.id for entry in entries) + 1
        if bound > known:
            self.languages = np.concatenate([self.languages, np.zeros(max(bound - known, known), dtype=np.int8)])
        self.languages[[entry.id for entry in entries]] = [1 + LANGUAGES.index(entry.language) for entry in entries]

    def remove(self, ids: Iterable[int]) -> None:
        entries = list(self.load([i for i in ids if i in self.passages]))
        for language, side in self.sides.items():
            side.remove([entry for entry in entries if entry.language == language])
        for entry in entries:
            del self.passages[entry.id]
            siblings = self.by_document[entry.passage.document]
            siblings.remove(entry.id)
            if not siblings:
                del self.by_document[entry.passage.document]
        self.languages[[entry.id for entry in entries]] = 0

    def load(self, ids: Sequence[int]) -> Iterator[IndexedPassage]:
        """Those of these passages that there are."""
        there = [i for i in ids if i in self.passages]
        for i, (language, rows) in zip(there, self.vectors(there), strict=True):
            yield IndexedPassage(i, unpacked(self.passages[i].text), language, rows)

    def vectors(self, ids: Sequence[int]) -> list[tuple[Language, NDArray[np.float16]]]:
        """Language and vectors of each of these passages."""
        found: dict[int, tuple[Language, NDArray[np.float16]]] = {}
        for language, side in self.sides.items():
            own = [i for i in dict.fromkeys(ids) if self.passages[i].language == language]
            if own:
                all_rows = side.rows([units_from(i, self.passages[i].units) for i in own])
                found |= {i: (language, rows) for i, rows in zip(own, all_rows, strict=True)}
        return [found[i] for i in ids]


class FaissIndex(StoreView):
    """Vectors and passages of one generation."""

    def _clear(self) -> None:
        super()._clear()
        self._content = _Content(self.dimension, self.languages)

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
            fresh = self.generation < 0 or epoch != self.epoch or generation < self.generation or set_back
            known = -1 if fresh else self.generation
            current, over = self._documents(day)
            new: Iterable[IndexedPassage] = (
                entry
                for entry in store.passages(after_generation=known)
                if entry.language in self.languages and entry.passage.document not in over
            )
            # An error while reading leaves the index as it was: what takes its place is filled beside it, what changes it is
            # read before.
            if fresh:
                content, gone = _Content(self.dimension, self.languages), []
            else:
                content, new = self._content, list(new)
                expired = [i for document in over for i in content.by_document.get(document, ())]
                gone = [i for i in dict.fromkeys([*store.removed_since(known), *expired]) if i in content.passages]
                if generation == self.generation and not gone:
                    self._day = day
                    return False
            content.remove(gone)
            for some in parts(new):
                content.add(some)
        self._content = content
        self._hold(content.languages)
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
            for language, side in self._content.sides.items()
            if side.backgrounds.passages.count
        }

    def _load(self, ids: Sequence[int]) -> Iterator[IndexedPassage]:
        return self._content.load(ids)

    def vectors(self, ids: Sequence[int]) -> list[tuple[Language, NDArray[np.float16]]]:
        return self._content.vectors(ids)

    def passages_of(self, document: str) -> Sequence[int]:
        return self._content.by_document.get(document, ())
