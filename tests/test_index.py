"""The index of FAISS: what is only its own affair."""

from __future__ import annotations

import numpy as np

from clusterqa.settings import Settings
from clusterqa.store.faiss_index import FaissIndex
from clusterqa.store.view import REMEMBERED_TERMS, UNITS_PER_PASSAGE
from store_fixtures import DIMENSION, Memory, entries_of, put_drawn


def test_no_passage_has_more_sentences_than_there_is_room_for() -> None:
    """The longest passage a setting allows, all of its characters sentences."""
    longest = next(m.le for m in Settings.model_fields["passage_chars"].metadata if hasattr(m, "le"))
    assert longest + 1 < UNITS_PER_PASSAGE
    place = Memory()
    put_drawn(place.open(), "a.md", passages=2, sentences=2000)
    index = FaissIndex(place.open, DIMENSION)
    index.refresh()
    for entry in entries_of(index, place.open()):
        assert next(iter(index.nearest(entry.rows[1999].astype(np.float32), 1)["en"].best)) == entry.id


def test_remembered_postings_are_those_that_were_looked_up_and_not_too_many() -> None:
    place = Memory()
    put_drawn(place.open(), "a.md", passages=3)
    index = FaissIndex(place.open, DIMENSION)
    index.refresh()
    for number in range(REMEMBERED_TERMS + 10):
        index.postings((f"other{number}",))
    for _ in range(2):
        assert index.postings(("w2",)).body.tolist() == [3]
    assert len(index._postings) == REMEMBERED_TERMS
