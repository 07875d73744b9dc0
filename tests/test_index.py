"""The index of FAISS: what is only its own affair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import ClassVar

import numpy as np
import pytest

from clusterqa.records import Stored, is_over
from clusterqa.settings import Settings
from clusterqa.store.faiss_index import FaissIndex
from clusterqa.store.view import REMEMBERED_TERMS, UNITS_PER_PASSAGE
from memory import MemoryStore
from store_fixtures import DIMENSION, Memory, document, entries_of, passage, put, put_drawn, remove, unit_rows


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


@pytest.mark.parametrize(
    ("last", "day", "over"),
    [
        ("2026-03-05", date(2026, 3, 5), False), ("2026-03-05", date(2026, 3, 6), True), ("2026-03", date(2026, 3, 31), False),
        ("2026-03", date(2026, 4, 1), True), ("2026", date(2026, 12, 31), False), ("2026", date(2027, 1, 1), True),
        (None, date(2999, 1, 1), False),
    ],
)  # fmt: skip
def test_a_document_holds_through_its_last_day(last: str | None, day: date, over: bool) -> None:
    assert is_over(last, day) is over


def test_what_is_no_longer_valid_goes_on_the_day_after_and_comes_back_when_it_is_renewed() -> None:
    place, days = Memory(), [date(2026, 3, 5)]
    store = place.open()
    put(store, document("old.en.md", valid_until="2026-03-05"))
    put(store, document("new.en.md"))
    index = FaissIndex(place.open, 4, today=lambda: days[-1])
    everything = FaissIndex(place.open, 4)

    def held() -> list[str]:
        index.refresh()
        return sorted(entry.passage.document for entry in entries_of(index, store))

    assert held() == ["new.en.md", "old.en.md"]
    days.append(date(2026, 3, 6))
    assert index.refresh()
    assert (held(), index.source("old.en.md"), index.passages_of("old.en.md")) == (["new.en.md"], None, ())
    assert [index.postings(("gold",)).body.size, len(index.nearest(np.eye(1, 4)[0].astype("f4"), 9)["en"].best)] == [
        1,
        1,
    ]
    days.append(date(2026, 3, 7))
    assert not index.refresh()
    renewed = document("old.en.md", valid_until="2026-12")
    put(store, renewed, passage(renewed))
    assert held() == ["new.en.md", "old.en.md"]
    put(store, document("third.en.md", valid_until="2020"))
    assert held() == ["new.en.md", "old.en.md"]
    days.append(date(2019, 1, 1))  # the clock is set back
    assert held() == ["new.en.md", "old.en.md", "third.en.md"]
    everything.refresh()
    assert len(everything) == 3


def test_what_was_made_a_record_and_forgotten_comes_again_as_it_was_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vectors stand in FAISS alone, and passages as text, until somebody asks."""
    monkeypatch.setattr("clusterqa.store.view.REMEMBERED_PASSAGES", 3)
    place = Memory()
    store = place.open()
    put_drawn(store, "a.lt.md", "lt", passages=4)
    put_drawn(store, "b.en.md", "en", passages=4)
    index = FaissIndex(place.open, DIMENSION)
    index.refresh()
    assert index._entries == {}
    stored = {entry.id: entry for entry in store.passages()}
    for ids in ([1, 2, 3], [8, 1], [7, 6, 5, 4, 3, 2, 1], [4, 4, 8]):
        for number, entry in zip(ids, index.fetch(ids), strict=True):
            assert (entry.id, entry.passage, entry.language) == (
                number,
                stored[number].passage,
                stored[number].language,
            )
            assert entry.rows.dtype == np.float16 and entry.rows.tolist() == stored[number].rows.tolist()
        assert len(index._entries) <= max(3, len(set(ids)))
    remove(store, "a.lt.md")
    put_drawn(store, "c.lt.md", "lt", passages=2)
    index.refresh()
    assert [entry.passage.document for entry in index.fetch([5, 9, 10])] == ["b.en.md", "c.lt.md", "c.lt.md"]
    with pytest.raises(KeyError):
        index.fetch([5, 1])


def test_what_stands_in_many_shards_is_found_as_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes, goes and leaves a shard empty."""
    place = Memory()
    store = place.open()
    monkeypatch.setattr("clusterqa.store.faiss_index.PASSAGES_PER_SHARD", 3)
    many = FaissIndex(place.open, DIMENSION, threads=2)
    for step in range(12):
        put_drawn(
            store,
            f"{step % 5}.md",
            "lt" if step % 3 else "en",
            passages=1 + step % 4,
            sentences=step % 3 + 1,
            seed=step,
        )
        if step % 4 == 3:
            remove(store, f"{(step + 2) % 5}.md")
        many.refresh()
    with monkeypatch.context() as patch:
        patch.setattr("clusterqa.store.faiss_index.PASSAGES_PER_SHARD", 1000)
        one = FaissIndex(place.open, DIMENSION)
        one.refresh()
        shards = {language: len(side.shards) for language, side in one._content.sides.items()}
        ours = entries_of(one, store)
        near = [one.nearest(query, k) for query in unit_rows(3, seed=9) for k in (1, 4, 50)]
    assert shards == {"lt": 1, "en": 1}
    assert [entry.passage for entry in entries_of(many, store)] == [entry.passage for entry in ours]
    for mine, theirs in zip(entries_of(many, store), ours, strict=True):
        np.testing.assert_array_equal(mine.rows, theirs.rows)
    held = {entry.id // 3 for entry in ours}
    assert {number for side in many._content.sides.values() for number in side.shards} == held
    found = [many.nearest(query, k) for query in unit_rows(3, seed=9) for k in (1, 4, 50)]
    assert [{k: v.best for k, v in own.items()} for own in found] == [
        {k: v.best for k, v in own.items()} for own in near
    ]


def test_any_character_of_a_document_comes_back() -> None:
    of = document("ąžuolo.en.md", "Žymė\x00 😀 \\ \"'\t\u2028\ud800.")
    new = passage(of)
    place = Memory()
    put(place.open(), of, new)
    index = FaissIndex(place.open, 4)
    index.refresh()
    assert [entry.passage for entry in index.fetch(index.passages_of(of.id))] == [new.passage]


def test_a_sample_of_a_rare_language_does_not_read_all_of_the_others() -> None:
    class Counted(MemoryStore):
        steps = 0

        def shuffled(self, among: Sequence[int] | None = None) -> Iterator[int]:
            for i in super().shuffled(among):
                Counted.steps += 1
                yield i

    place = Memory()
    store = place.open()
    for number in range(60):
        put_drawn(store, f"{number}.en.md", "en", passages=100, sentences=1, seed=number)
    put_drawn(store, "a.lt.md", "lt", passages=30, sentences=1, seed=99)
    index = FaissIndex(lambda: Counted(place), DIMENSION)
    index.refresh()
    sample = {language: [entry.id for entry in found] for language, found in index.sample(4).items()}
    lithuanian = set(index.passages_of("a.lt.md"))
    order = [*store.shuffled()]
    assert sample == {
        "lt": [i for i in order if i in lithuanian][:4],
        "en": [i for i in order if i not in lithuanian][:4],
    }
    assert Counted.steps < 100


def test_of_the_documents_only_those_that_changed_are_read_again() -> None:
    class Noted(MemoryStore):
        looks: ClassVar[list[list[str]]] = []

        def documents(self, state: str | None = "live", after_generation: int = -1) -> list[Stored]:
            found = super().documents(state, after_generation)
            Noted.looks.append([stored.id for stored in found])
            return found

    place = Memory()
    store = place.open()
    for name in ("a.lt.md", "a.en.md", "b.md"):
        put_drawn(store, name, "lt" if ".lt." in name else "en")
    index = FaissIndex(lambda: Noted(place), DIMENSION)
    index.refresh()
    put_drawn(store, "c.md")
    remove(store, "a.en.md")
    index.refresh()
    assert Noted.looks == [["a.en.md", "a.lt.md", "b.md"], ["a.en.md", "c.md"]]
    shown = {name: index.source(name) for name in ("a.lt.md", "a.en.md", "b.md", "c.md")}
    fresh = FaissIndex(place.open, DIMENSION)
    fresh.refresh()
    assert shown == {name: fresh.source(name) for name in shown}
    assert shown["a.en.md"] is None
