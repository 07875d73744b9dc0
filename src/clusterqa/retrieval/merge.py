"""One hit for each place: translations of one document and near-duplicate passages are merged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from clusterqa.ports import Index
from clusterqa.records import IndexedPassage, Language
from clusterqa.retrieval.fusion import order_key
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.analysis import content_words, searchable

Merged = tuple[int, float, tuple[int, ...]]
"""(Passage id, score, ids of the passages merged into it)."""


def merge(
    order: Sequence[int],
    scores: Mapping[int, float],
    language: Language,
    index: Index,
    k: int,
    weights: SearchWeights,
    known: Places,
) -> list[Merged]:
    """
    At most `k` places, best first, whatever language each is told in.

    A passage whose document has a translation in the question's language gives its score to the passage there that
    says the same, if one does; otherwise it stays as it is.
    """
    places: dict[int, float] = {}
    translations: dict[int, list[int]] = {}
    for i in order:
        place = known.place_in(i, language, weights.same_place_cosine)
        if place != i:
            translations.setdefault(place, []).append(i)
        places[place] = max(places.get(place, 0.0), scores[i], scores.get(place, 0.0))
    result: list[Merged] = []
    kept: list[IndexedPassage] = []
    entries = sorted(index.fetch(list(places)), key=lambda entry: order_key(entry.passage, places[entry.id]))
    for entry in entries:
        i = entry.id
        duplicates = (_near_duplicates(entry, other, weights.near_duplicate_cosine) for other in kept)
        same = next((k for k, duplicate in enumerate(duplicates) if duplicate), None)
        if same is None:
            if len(result) == k:
                break
            kept.append(entry)
            result.append((i, places[i], tuple(sorted(translations.get(i, ())))))
        else:
            first, score, merged = result[same]
            result[same] = (first, score, tuple(sorted({*merged, i, *translations.get(i, ())})))
    return result


REMEMBERED_PLACES = 16_384
"""Answers of `Places` that are kept: some 4 MB."""


class Places:
    """`place_in` for one index, which the same passages are asked for in question after question."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._changes = index.changes
        self._found = lru_cache(REMEMBERED_PLACES)(partial(place_in, index=index))

    def place_in(self, i: int, language: Language, from_cosine: float) -> int:
        if self._changes != self._index.changes:
            self._found.cache_clear()
            self._changes = self._index.changes
        return self._found(i, language, from_cosine=from_cosine)


def place_in(i: int, language: Language, index: Index, from_cosine: float) -> int:
    """The passage that says in a language what passage `i` says, by the translation of its document; else `i` itself."""
    (entry,) = index.fetch([i])
    own = index.source(entry.passage.document)
    translation = index.source(own.translation) if own and own.translation else None
    if entry.language == language or translation is None or translation.language != language:
        return i
    others = index.passages_of(translation.document)
    if not others:
        return i
    rows = np.stack([vectors[0] for _, vectors in index.vectors(others)]).astype(np.float32)
    cosines = rows @ entry.rows[0].astype(np.float32)
    # Translations follow the same order: of passages alike in meaning the one at the same depth is meant.
    siblings = index.passages_of(entry.passage.document)
    here = _depths(len(siblings))[siblings.index(i)]
    best = int(np.argmax(cosines - 0.3 * np.abs(_depths(len(others)) - here)))
    return others[best] if cosines[best] >= from_cosine else i


def _depths(passages: int) -> NDArray[np.float32]:
    """Where in a document of so many passages each stands, 0 at the beginning, 1 at the end."""
    return np.arange(passages, dtype=np.float32) / np.float32(max(passages - 1, 1))


@lru_cache(maxsize=4096)
def _letters(text: str) -> tuple[str, str]:
    """Letters and digits alone, in lower case; and the digits."""
    letters = "".join(filter(str.isalnum, searchable(text).lower()))
    return letters, "".join(filter(str.isdigit, letters))


def _near_duplicates(a: IndexedPassage, b: IndexedPassage, from_cosine: float) -> bool:
    if a.language != b.language:
        return False
    (first, its_digits), (second, digits) = _letters(a.passage.text), _letters(b.passage.text)
    if first == second:
        return True
    # Rows that differ only in a figure or a name have almost the same vector, and are not the same at all.
    if its_digits != digits:
        return False
    if float(a.rows[0].astype(np.float32) @ b.rows[0].astype(np.float32)) < from_cosine:
        return False
    return set(content_words(a.passage.text)) == set(content_words(b.passage.text))
