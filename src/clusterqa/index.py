"""
The view of one generation in memory: the only importer of faiss.

Built from the store, patched to the next generation in proportion to what changed, never saved: at 10,000 passages
the store is read in about a second, and a view that is not on disk cannot be stale.
"""

from __future__ import annotations

from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from clusterqa.analysis import searchable
from clusterqa.records import Language, Passage, Source
from clusterqa.store import Store

UNITS_PER_PASSAGE = 1024
"""A unit (the passage itself, or one sentence) has the id `passage id · 1024 + position`, position 0 being the passage."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage of the view; `vectors` has shape (1 + sentences, dimension), row 0 the passage, unit length."""

    id: int
    passage: Passage
    language: Language
    vectors: NDArray[np.float16]
    key: str
    """The passage's text folded for comparison: equal keys are near-identical passages."""


@dataclass(frozen=True, slots=True)
class Cosines:
    """
    Best cosine of each passage of one language for a question.

    `ids` are passage ids, best first (ties: lower id first); `best` their best cosine over the passage and its
    sentences. `mean` and `deviation` describe the question's cosines with all passages of that language: the ground
    from which a good one stands out, whatever the encoder gives to the two languages.
    """

    ids: NDArray[np.int64]
    best: NDArray[np.float32]
    mean: float
    deviation: float


class View:
    """Vectors and passages of one generation. `refresh` brings it to the newest; use it from one thread at a time."""

    def __init__(self, dimension: int) -> None:
        self.generation = -1
        self.epoch = ""
        self.dimension = dimension
        self.entries: dict[int, Entry] = {}
        self.sources: dict[str, Source] = {}
        self._index = _empty(dimension)

    def __len__(self) -> int:
        return len(self.entries)

    def refresh(self, store: Store) -> bool:
        """Bring the view to the store's generation; tells whether anything changed."""
        with store.reading():
            generation, epoch = store.generation(), store.meta("epoch") or ""
            if (generation, epoch) == (self.generation, self.epoch):
                return False
            if epoch != self.epoch or generation < self.generation:
                self.entries, self._index, self.generation = {}, _empty(self.dimension), -1
            gone = [i for i in store.removed_since(self.generation) if i in self.entries]
            if gone:
                units = [
                    i * UNITS_PER_PASSAGE + position for i in gone for position in range(len(self.entries[i].vectors))
                ]
                self._index.remove_ids(np.array(units, dtype=np.int64))
                for i in gone:
                    del self.entries[i]
            units, rows = [], []
            for i, language, passage, vectors in store.passages(after_generation=self.generation):
                self.entries[i] = Entry(i, passage, language, vectors, _key(passage.text))  # type: ignore[arg-type]
                units.extend(i * UNITS_PER_PASSAGE + position for position in range(len(vectors)))
                rows.append(vectors)
            if rows:
                matrix = np.concatenate(rows).astype(np.float32)
                self._index.add_with_ids(matrix, np.array(units, dtype=np.int64))
            self.sources = _sources(store)
            self.generation, self.epoch = generation, epoch
        return True

    def cosines(self, query: NDArray[np.float32]) -> dict[Language, Cosines]:
        """Cosines of one unit query vector, shape (dimension,), with every passage, by the passage's language."""
        total = int(self._index.ntotal)
        if not total:
            return {}
        scores, units = self._index.search(query.reshape(1, -1), total)
        found = units[0] >= 0  # faiss pads with -1
        passages = units[0][found] // UNITS_PER_PASSAGE
        ids, first = np.unique(passages, return_index=True)  # results come best first, so the first is the best
        best = scores[0][found][first]
        lithuanian = np.fromiter((self.entries[int(i)].language == "lt" for i in ids), dtype=bool, count=len(ids))
        result: dict[Language, Cosines] = {}
        chosen: tuple[tuple[Language, NDArray[np.bool_]], ...] = (("lt", lithuanian), ("en", ~lithuanian))
        for language, mask in chosen:
            if mask.any():
                values, names = best[mask], ids[mask]
                order = np.lexsort((names, -values))
                result[language] = Cosines(names[order], values[order], float(values.mean()), float(values.std()))
        return result


def _empty(dimension: int) -> faiss.Index:
    # Inner product of unit vectors is their cosine; explicit ids, since a flat index shifts its own on removal.
    return faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))


def _key(text: str) -> str:
    return "".join(c for c in searchable(text).lower() if c.isalnum())


def _sources(store: Store) -> dict[str, Source]:
    """Every live document as a source, with its translation: named in the metadata, or by NAME.lt.* beside NAME.en.*."""
    documents = {stored.id: stored for stored in store.documents()}
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
