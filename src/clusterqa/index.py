"""
The view of one generation in memory: the only importer of faiss.

Built from the store, patched to the next generation in proportion to what changed, never saved: at 10,000 passages
the store is read in about a second, and a view that is not on disk cannot be stale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from clusterqa.analysis import searchable
from clusterqa.interaction import Block, spread
from clusterqa.records import LANGUAGES, Language, Passage, Source
from clusterqa.store import PassageVectors, Store

UNITS_PER_PASSAGE = 8192
"""
A unit (the passage itself, or one sentence) has the id `passage id · 8192 + position`, position 0 being the passage.
More than the longest passage has characters, so that no passage can have more sentences.
"""


faiss.omp_set_num_threads(1)
"""FAISS shares out questions among threads, and there is one at a time: a second thread would only be waited for."""

Ids = NDArray[np.int64]

REMEMBERED_TERMS = 512
"""Groups of terms whose passages are kept; at 10,000 passages some 10 MB at the most."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage of the view, with its vectors as the store has them (`PassageVectors`)."""

    id: int
    passage: Passage
    language: Language
    vectors: NDArray[np.float16]
    pieces: NDArray[np.int8]
    cuts: NDArray[np.int32]
    key: str
    """The passage's letters and digits in lower case: equal keys are near-identical passages."""
    figures: str
    """Its digits alone."""


@dataclass(frozen=True, slots=True)
class Cosines:
    """
    The passages of one language nearest to a question.

    `best` maps passage id to the best cosine over the passage and its sentences. `passages` and `sentences` are mean and
    deviation of the question's cosines with *all* passages and sentences of that language: the ground from which a good
    one stands out, whatever the encoder gives to the two languages, and to long and short texts. `count` is how many
    passages that is.
    """

    best: dict[int, float]
    passages: tuple[float, float]
    sentences: tuple[float, float]
    count: int


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

    def ground(self, query: NDArray[np.float64]) -> tuple[float, float]:
        """Mean and deviation of the cosines of a unit vector with all of them."""
        mean = float(query @ self._first) / self.count
        variance = float(query @ self._second @ query) / self.count - mean * mean
        return mean, max(variance, 0.0) ** 0.5


class _Side:
    """The vectors of one language, with the moments from which a question's mean and deviation follow exactly."""

    def __init__(self, dimension: int) -> None:
        # Inner product of unit vectors is their cosine; explicit ids, since a flat index shifts its own on removal.
        # Half precision is what the store has: the cosines are the same as in single, in a quarter of the time.
        half = faiss.IndexScalarQuantizer(dimension, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
        self.index = faiss.IndexIDMap2(half)
        self.passages = _Moments(dimension)
        self.sentences = _Moments(dimension)

    def add(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        matrix = np.concatenate([entry.vectors for entry in entries]).astype(np.float32)
        units = [e.id * UNITS_PER_PASSAGE + position for e in entries for position in range(len(e.vectors))]
        self.index.add_with_ids(matrix, np.array(units, dtype=np.int64))
        self._count(entries, +1)

    def remove(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        units = [e.id * UNITS_PER_PASSAGE + position for e in entries for position in range(len(e.vectors))]
        self.index.remove_ids(faiss.IDSelectorBatch(np.array(units, dtype=np.int64)))
        self._count(entries, -1)

    def _count(self, entries: Sequence[Entry], sign: int) -> None:
        self.passages.add(np.stack([entry.vectors[0] for entry in entries]), sign)
        self.sentences.add(np.concatenate([entry.vectors[1:] for entry in entries]), sign)

    def nearest(self, query: NDArray[np.float32], k: int) -> Cosines:
        scores, units = self.index.search(query.reshape(1, -1), min(k, int(self.index.ntotal)))
        best: dict[int, float] = {}
        for score, unit in zip(scores[0].tolist(), units[0].tolist(), strict=True):
            if unit >= 0:  # faiss pads with -1
                best.setdefault(unit // UNITS_PER_PASSAGE, score)
        q = query.astype(np.float64)
        return Cosines(best, self.passages.ground(q), self.sentences.ground(q), self.passages.count)


class View:
    """Vectors and passages of one generation. `refresh` brings it to the newest; use it from one thread at a time."""

    def __init__(self, dimension: int, languages: tuple[Language, ...] = LANGUAGES) -> None:
        """`languages` other than both leave the documents of the other one out: for measuring one direction."""
        self.dimension = dimension
        self.languages = languages
        self.generation = -1
        self.epoch = ""
        self._clear()

    def _clear(self) -> None:
        self.generation = -1
        self.entries: dict[int, Entry] = {}
        self.by_document: dict[str, list[int]] = {}
        self.sources: dict[str, Source] = {}
        self._vocabulary: list[str] | None = None
        self._matches: dict[tuple[str, ...], tuple[Ids, Ids]] = {}
        self._sides: dict[Language, _Side] = {language: _Side(self.dimension) for language in self.languages}
        self._samples: dict[Language, Block] | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def refresh(self, store: Store) -> bool:
        """Bring the view to the store's generation; tells whether anything changed."""
        with store.reading():
            generation, epoch = store.generation(), store.meta("epoch") or ""
            if (generation, epoch) == (self.generation, self.epoch):
                return False
            anew = epoch != self.epoch or generation < self.generation
            known = -1 if anew else self.generation
            # Everything is read before anything is changed: an error while reading leaves the view as it was.
            gone = [] if anew else [self.entries[i] for i in store.removed_since(known) if i in self.entries]
            new = [
                _entry(i, passage, language, vectors)
                for i, language, passage, vectors in store.passages(after_generation=known)
                if language in self.languages
            ]
            current = sources(store, self.languages)
        if anew:
            self._clear()
        for language, side in self._sides.items():
            side.remove([entry for entry in gone if entry.language == language])
            side.add([entry for entry in new if entry.language == language])
        for entry in gone:
            del self.entries[entry.id]
            siblings = self.by_document[entry.passage.document]
            siblings.remove(entry.id)
            if not siblings:
                del self.by_document[entry.passage.document]
        for entry in new:
            self.entries[entry.id] = entry
            self.by_document.setdefault(entry.passage.document, []).append(entry.id)
        self.sources = current
        self._vocabulary = None
        self._matches = {}
        self._samples = None
        self.generation, self.epoch = generation, epoch
        return True

    def nearest(self, query: NDArray[np.float32], k: int) -> dict[Language, Cosines]:
        """
        For each language that has passages, those nearest to one unit query vector of shape (dimension,).

        The `k` nearest passages and sentences of a language are looked at, so that neither language crowds out the other.
        """
        return {language: side.nearest(query, k) for language, side in self._sides.items() if side.passages.count}

    def samples(self) -> dict[Language, Block]:
        """For each language that has passages with pieces some of them, evenly spread, for the ground of late interaction."""
        if self._samples is None:
            self._samples = {}
            for language in self.languages:
                pieced = [entry for entry in self.entries.values() if entry.language == language and len(entry.pieces)]
                if pieced:
                    self._samples[language] = Block(spread(pieced))
        return self._samples

    def matching(self, store: Store, terms: tuple[str, ...]) -> tuple[Ids, Ids]:
        """
        The passages of this view that hold one of the terms: in their body, and only in their head (title, headings, tags).

        The words of a domain come back in question after question, so the latest answers are kept for a generation.
        """
        known = self._matches.get(terms)
        if known is None:
            found = store.matching(terms)
            known = (
                np.array([i for i, (body, _) in found.items() if body and i in self.entries], dtype=np.int64),
                np.array([i for i, (body, _) in found.items() if not body and i in self.entries], dtype=np.int64),
            )
            if len(self._matches) >= REMEMBERED_TERMS:
                self._matches.pop(next(iter(self._matches)))
            self._matches[terms] = known
        return known

    def vocabulary(self, store: Store) -> list[str]:
        """The terms of the lexical index, read once a generation."""
        if self._vocabulary is None:
            self._vocabulary = store.vocabulary()
        return self._vocabulary


def _entry(i: int, passage: Passage, language: Language, vectors: PassageVectors) -> Entry:
    key = "".join(c for c in searchable(passage.text).lower() if c.isalnum())
    figures = "".join(c for c in key if c.isdigit())
    return Entry(i, passage, language, vectors.rows, vectors.pieces, vectors.cuts, key, figures)


def sources(store: Store, languages: tuple[Language, ...] = LANGUAGES) -> dict[str, Source]:
    """Every live document as a source, with its translation: named in the metadata, or by NAME.lt.* beside NAME.en.*."""
    documents = {stored.id: stored for stored in store.documents() if stored.language in languages}
    twins: dict[str, str] = {}
    for stored in documents.values():
        original = stored.translation_of
        if original:
            beside = "/".join([*stored.id.split("/")[:-1], original])
            name = beside if beside in documents else original
            if name in documents and name != stored.id and documents[name].language != stored.language:
                twins[stored.id] = name
                twins.setdefault(name, stored.id)
    stems: dict[str, dict[str, str]] = {}
    for name in documents:
        folder, _, file = name.rpartition("/")
        parts = file.split(".")
        if len(parts) > 2 and parts[-2].lower() in ("lt", "en"):
            stems.setdefault(f"{folder}/{'.'.join(parts[:-2])}", {})[parts[-2].lower()] = name
    for pair in stems.values():
        if len(pair) == 2:
            twins.setdefault(pair["lt"], pair["en"])
            twins.setdefault(pair["en"], pair["lt"])
    return {name: stored.source(twins.get(name)) for name, stored in documents.items()}
