"""
The index of one generation in memory, searched by FAISS: the only importer of faiss.

Built from the store, patched to the next generation in proportion to what changed, never saved: at 10,000 passages
the store is read in about a second, and an index that is not on disk cannot be stale. Vectors stand in FAISS and nowhere else;
of a passage what is stored is kept as text, and made a record when it is asked for. Both stand in shards, so that what comes or
goes moves little of what stays.
"""

from __future__ import annotations

import datetime
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from clusterqa.ports import Store, Vectors
from clusterqa.records import LANGUAGES, IndexedPassage, Language, Neighbours
from clusterqa.store.batches import parts
from clusterqa.store.moments import Backgrounds
from clusterqa.store.view import StoreView, packed, unpacked

PASSAGES_PER_SHARD = 16_384
"""Ids that share a shard: some 40 MB of vectors, which are moved in a few milliseconds where a passage goes."""


def one_thread() -> None:
    """
    FAISS shares out questions among threads, and there is one at a time: a second thread would only be waited for. Where there is
    much to search, shards are shared out instead.
    """
    faiss.omp_set_num_threads(1)


class _Shard:
    """
    The passages of one language among so many ids in a row, which come in the order of their ids: vectors and texts one after the
    other, and where those of each passage begin.
    """

    def __init__(self, dimension: int) -> None:
        # Inner product of unit vectors is their cosine. Half precision is what the store has: the cosines are the same as in
        # single, in a quarter of the time.
        self._index = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self._rows = np.zeros((0, dimension), dtype=np.float16)
        self._texts = bytearray()
        self.ids = np.zeros(0, dtype=np.int64)
        self._rows_from = self._text_from = np.zeros(1, dtype=np.int64)

    def add(self, entries: Sequence[IndexedPassage]) -> None:
        texts = [packed(entry.passage, ascii=False).encode(errors="surrogatepass") for entry in entries]
        self._index.add(np.concatenate([entry.rows for entry in entries]).astype(np.float32))
        self._rows = self._as_they_lie()
        self._texts += b"".join(texts)
        self.ids = np.append(self.ids, [entry.id for entry in entries])
        self._rows_from = _extended(self._rows_from, [len(entry.rows) for entry in entries])
        self._text_from = _extended(self._text_from, list(map(len, texts)))

    def remove(self, ids: Sequence[int]) -> None:
        gone = np.searchsorted(self.ids, ids)
        rows = [np.arange(self._rows_from[place], self._rows_from[place + 1]) for place in gone]
        self._index.remove_ids(faiss.IDSelectorBatch(np.concatenate(rows)))
        self._rows = self._as_they_lie()
        stay = np.ones(len(self.ids), dtype=np.bool_)
        stay[gone] = False
        self._texts = bytearray().join(self._text(place) for place in np.flatnonzero(stay))
        self.ids = self.ids[stay]
        self._rows_from, self._text_from = (
            _extended(begins[:1], np.diff(begins)[stay]) for begins in (self._rows_from, self._text_from)
        )

    def text(self, passage: int) -> bytearray:
        return self._text(np.searchsorted(self.ids, passage))

    def _text(self, place: np.int64) -> bytearray:
        return self._texts[self._text_from[place] : self._text_from[place + 1]]

    def rows(self, passage: int) -> NDArray[np.float16]:
        """The vectors of a passage, as they came."""
        place = np.searchsorted(self.ids, passage)
        return self._rows[self._rows_from[place] : self._rows_from[place + 1]].copy()

    def _as_they_lie(self) -> NDArray[np.float16]:
        """All vectors, in the memory of FAISS, which moves them when some come or go."""
        codes = faiss.rev_swig_ptr(self._index.codes.data(), self._index.codes.size())
        return codes.view(np.float16).reshape(-1, self._index.d)

    def nearest(self, query: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Cosines of the nearest vectors, and the passage of each."""
        cosines, places = self._index.search(query.reshape(1, -1), min(k, int(self._index.ntotal)))
        return cosines[0], self.ids[np.searchsorted(self._rows_from, places[0], side="right") - 1]


def _extended(begins: NDArray[np.int64], counts: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    return np.append(begins, begins[-1] + np.cumsum(counts))


class _Side:
    """The passages of one language, with the moments from which a question's mean and deviation follow exactly."""

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self.shards: dict[int, _Shard] = {}
        self.backgrounds = Backgrounds.none(dimension)

    def add(self, entries: Sequence[IndexedPassage]) -> None:
        for number in dict.fromkeys(entry.id // PASSAGES_PER_SHARD for entry in entries):
            shard = self.shards.setdefault(number, _Shard(self._dimension))
            shard.add([entry for entry in entries if entry.id // PASSAGES_PER_SHARD == number])
        self.backgrounds.add(entries, +1)

    def remove(self, entries: Sequence[IndexedPassage]) -> None:
        self.backgrounds.add(entries, -1)
        for number in dict.fromkeys(entry.id // PASSAGES_PER_SHARD for entry in entries):
            gone = [entry.id for entry in entries if entry.id // PASSAGES_PER_SHARD == number]
            if len(gone) == len(self.shards[number].ids):
                del self.shards[number]
            else:
                self.shards[number].remove(gone)

    def shard(self, passage: int) -> _Shard:
        return self.shards[passage // PASSAGES_PER_SHARD]

    def nearest(self, query: NDArray[np.float32], k: int, each: Callable[..., Iterable[Any]]) -> Neighbours:
        """`each` does it shard by shard, as `map` does."""
        found = each(lambda shard: shard.nearest(query, k), self.shards.values())
        cosines, passages = (np.concatenate(columns) for columns in zip(*found, strict=True))
        best: dict[int, float] = {}
        for place in np.lexsort((passages, -cosines))[:k]:
            best.setdefault(int(passages[place]), float(cosines[place]))
        return Neighbours(best, *self.backgrounds.of(query), self.backgrounds.passages.count)


class _Content:
    """Vectors and passages of one generation."""

    def __init__(self, dimension: int, languages: Sequence[Language]) -> None:
        self.sides = {language: _Side(dimension) for language in languages}
        self.by_document: dict[str, array[int]] = {}
        self.languages = np.zeros(0, dtype=np.int8)
        """By passage id: 0 for none, else 1 + the place of its language in LANGUAGES; there may be more zeros than ids."""

    def add(self, entries: Sequence[IndexedPassage]) -> None:
        for language, side in self.sides.items():
            side.add([entry for entry in entries if entry.language == language])
        for entry in entries:
            self.by_document.setdefault(entry.passage.document, array("q")).append(entry.id)
        known, bound = len(self.languages), max(entry.id for entry in entries) + 1
        if bound > known:
            self.languages = np.concatenate([self.languages, np.zeros(max(bound - known, known), dtype=np.int8)])
        self.languages[[entry.id for entry in entries]] = [1 + LANGUAGES.index(entry.language) for entry in entries]

    def remove(self, ids: Iterable[int]) -> None:
        entries = list(self.load(list(ids)))
        for language, side in self.sides.items():
            side.remove([entry for entry in entries if entry.language == language])
        for entry in entries:
            siblings = self.by_document[entry.passage.document]
            siblings.remove(entry.id)
            if not siblings:
                del self.by_document[entry.passage.document]
        self.languages[[entry.id for entry in entries]] = 0

    def has(self, passage: int) -> bool:
        return 0 <= passage < len(self.languages) and bool(self.languages[passage])

    def load(self, ids: Sequence[int]) -> Iterator[IndexedPassage]:
        """Those of these passages that there are."""
        for i in filter(self.has, ids):
            language, shard = self._place(i)
            yield IndexedPassage(i, unpacked(shard.text(i)), language, shard.rows(i))

    def vectors(self, ids: Sequence[int]) -> list[tuple[Language, NDArray[np.float16]]]:
        """Language and vectors of each of these passages."""
        found: dict[int, tuple[Language, NDArray[np.float16]]] = {}
        for i in dict.fromkeys(ids):
            language, shard = self._place(i)
            found[i] = language, shard.rows(i)
        return [found[i] for i in ids]

    def _place(self, passage: int) -> tuple[Language, _Shard]:
        """The language of a passage, and the shard that it stands in. Raises KeyError for an unknown one."""
        if not self.has(passage):
            raise KeyError(passage)
        language = LANGUAGES[self.languages[passage] - 1]
        return language, self.sides[language].shard(passage)


class FaissIndex(StoreView):
    """Vectors and passages of one generation."""

    def __init__(
        self,
        connect: Callable[[], Store],
        dimension: int,
        languages: tuple[Language, ...] = LANGUAGES,
        check: Callable[[Store], None] = lambda store: None,
        today: Callable[[], datetime.date] | None = None,
        threads: int = 1,
    ) -> None:
        """As `StoreView`; so many threads share the shards of a search."""
        super().__init__(connect, dimension, languages, check, today)
        self._threads = ThreadPoolExecutor(threads, "clusterqa-search", one_thread)  # started when needed

    def close(self) -> None:
        self._threads.shutdown()
        super().close()

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
            documents = self._read_documents(day, known)
            new: Iterable[IndexedPassage] = (
                entry
                for entry in store.passages(after_generation=known)
                if entry.language in self.languages and entry.passage.document not in documents.over
            )
            # An error while reading leaves the index as it was: what takes its place is filled beside it, what changes it is
            # read before.
            if fresh:
                content, gone = _Content(self.dimension, self.languages), []
            else:
                content, new = self._content, list(new)
                expired = [i for document in documents.over for i in content.by_document.get(document, ())]
                gone = [i for i in dict.fromkeys([*store.removed_since(known), *expired]) if content.has(i)]
                if generation == self.generation and not gone:
                    self._day = day
                    return False
            content.remove(gone)
            for some in parts(new):
                content.add(some)
        self._content = content
        self._hold(content.languages)
        self._took_up(generation, epoch, documents, day)
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
            language: side.nearest(vector, k, self._threads.map if len(side.shards) > 1 else map)
            for language, side in self._content.sides.items()
            if side.backgrounds.passages.count
        }

    def _load(self, ids: Sequence[int]) -> Iterator[IndexedPassage]:
        return self._content.load(ids)

    def vectors(self, ids: Sequence[int]) -> list[tuple[Language, NDArray[np.float16]]]:
        return self._content.vectors(ids)

    def passages_of(self, document: str) -> Sequence[int]:
        return self._content.by_document.get(document, ())
