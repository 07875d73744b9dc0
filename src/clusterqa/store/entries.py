"""A passage as an index holds it."""

from __future__ import annotations

from clusterqa.records import IndexedPassage, Language, Passage, PassageVectors
from clusterqa.text.analysis import searchable


def indexed(i: int, passage: Passage, language: Language, vectors: PassageVectors) -> IndexedPassage:
    """A stored passage with what near-duplicates are told by."""
    letters = "".join(c for c in searchable(passage.text).lower() if c.isalnum())
    return IndexedPassage(i, passage, language, vectors, letters, "".join(c for c in letters if c.isdigit()))
