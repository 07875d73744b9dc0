"""What an index in a server promises beside the contract of every index: several processes share it, and it holds no ghosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clusterqa.errors import StoreDamaged, StoreError
from clusterqa.ports import Store
from clusterqa.records import PassageVectors
from clusterqa.settings import Home
from clusterqa.store.faiss_index import FaissIndex
from clusterqa.store.served import ServedIndex
from clusterqa.store.view import packed, unpacked
from engines import here
from memory import MemoryStore
from store_fixtures import (
    DIMENSION,
    FILE,
    SERVED,
    Folder,
    Memory,
    document,
    entries_of,
    passage,
    put,
    put_drawn,
    remove,
    unit_rows,
)

MakeServed = Callable[..., ServedIndex]


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture
def store(place: Folder) -> Iterator[Store]:
    with place.open() as opened:
        yield opened


@pytest.fixture(params=SERVED)
def served(request: pytest.FixtureRequest, place: Folder) -> Iterator[MakeServed]:
    """Makes indexes that share one place in a server, as those of several processes do."""
    make, address = SERVED[request.param].open, SERVED[request.param].address()
    opened: list[ServedIndex] = []

    def served(
        connect: Callable[[], Store] = place.open, dimension: int = DIMENSION, owner: str = here(), **more: Any
    ) -> ServedIndex:
        index = make(address, connect, dimension, Home(Path(owner)), **more)
        assert isinstance(index, ServedIndex)
        opened.append(index)
        return index

    yield served
    for index in opened:
        index.close()


def held(store: Store) -> dict[str, int]:
    return {name: store.held(None)[name] for name in ("passages", "vectors")}


def test_what_one_process_has_taken_up_the_others_find_done(store: Store, place: Folder, served: MakeServed) -> None:
    put_drawn(store, "a.md", passages=3, seed=1)
    one, other = served(), served(partial(_without_passages, place))
    assert one.refresh() and other.refresh()
    for query in unit_rows(3, seed=5):
        assert other.nearest(query, 10) == one.nearest(query, 10)
    assert [entry.id for entry in entries_of(other, store)] == [1, 2, 3]


def test_what_is_no_longer_valid_is_left_out_for_those_who_leave_it_out(
    store: Store, place: Folder, served: MakeServed
) -> None:
    put_drawn(store, "a.md", passages=3, seed=1)
    put_drawn(store, "old.md", passages=40, seed=2, valid_until="2026-03-05")
    put_drawn(store, "z.md", passages=3, seed=3, valid_until="2026-03-06")
    days = [date(2026, 3, 5)]
    mine, everything = served(today=lambda: days[-1]), served()
    fresh = FaissIndex(place.open, DIMENSION, today=lambda: days[-1])

    def same() -> list[str]:
        mine.refresh(), fresh.refresh()
        for query in unit_rows(5, seed=9):
            near, wanted = mine.nearest(query, 10)["en"], fresh.nearest(query, 10)["en"]
            assert (list(near.best), near.count) == (list(wanted.best), wanted.count)
            assert near.passages == pytest.approx(wanted.passages, abs=1e-6)
            assert near.sentences == pytest.approx(wanted.sentences, abs=1e-6)
        assert (len(mine), mine.id_bound) == (len(fresh), fresh.id_bound)
        for name in ("a.md", "old.md", "z.md"):
            assert (mine.source(name), list(mine.passages_of(name))) == (fresh.source(name), [*fresh.passages_of(name)])
        assert {k: [e.id for e in v] for k, v in mine.sample(4).items()} == {
            k: [e.id for e in v] for k, v in fresh.sample(4).items()
        }
        return [entry.passage.document for entry in entries_of(mine, store)]

    assert len(same()) == 46
    days.append(date(2026, 3, 6))
    assert mine.refresh() and not mine.refresh()
    assert same() == ["a.md"] * 3 + ["z.md"] * 3
    put_drawn(store, "b.md", passages=2, seed=4)
    days.append(date(2026, 3, 7))
    assert same() == ["a.md"] * 3 + ["b.md"] * 2
    put_drawn(store, "old.md", passages=1, seed=5, valid_until="2026-12")
    assert sorted(same()) == ["a.md"] * 3 + ["b.md"] * 2 + ["old.md"]
    days.append(date(2026, 3, 6))  # the clock is set back
    assert len(same()) == 9
    assert everything.refresh() and len(everything) == 9
    fresh.close()


def _without_passages(place: Folder) -> Store:
    """A store that cannot be read for its passages: whoever fills a server from it fails."""
    store = place.open()

    def passages(after_generation: int = -1) -> Iterator[object]:
        raise AssertionError("read again")
        yield

    store.passages = passages  # type: ignore[method-assign, assignment]
    return store


def test_whoever_reads_has_one_generation_whole_while_another_is_written(store: Store, served: MakeServed) -> None:
    for name in ("a.md", "b.md", "c.md"):
        put_drawn(store, name, seed=ord(name[0]))
    reader, writer = served(), served()
    query = unit_rows(1, seed=5)[0]

    def seen() -> tuple[object, ...]:
        near = reader.nearest(query, 100)["en"]
        documents = {name: list(reader.passages_of(name)) for name in ("a.md", "b.md", "c.md", "d.md")}
        return near, documents, reader.postings(("w0",)).body.tolist()

    with reader.reading():
        reader.fetch(reader.passages_of("b.md"))
        before = seen()
        put_drawn(store, "a.md", passages=3, seed=1)
        remove(store, "b.md")
        put_drawn(store, "d.md", seed=2)
        assert writer.refresh()
        assert writer.generation == 6
        reader._forget()  # so that nothing is answered from memory
        assert seen() == before
        assert len(reader.fetch(reader.passages_of("b.md"))) == 2
        assert (reader.generation, len(reader)) == (3, 6)
    with reader.reading():
        assert seen() != before
        assert (reader.generation, len(reader)) == (6, 7)
        assert seen()[0] == writer.nearest(query, 100)["en"]


def test_no_ghost_stays_whatever_is_replaced_and_removed(store: Store, served: MakeServed) -> None:
    """Counted in the server itself."""
    index = served()
    for seed in range(4):
        for name in ("a.md", "b.md", "c.md"):
            put_drawn(store, name, "lt" if seed % 2 else "en", passages=1 + seed, sentences=1 + seed, seed=seed)
        remove(store, "b.md")
        index.refresh()
        assert index.held() == held(store) == {"passages": 2 * (1 + seed), "vectors": 2 * (1 + seed) * (2 + seed)}
    with store.writing():
        store.set_meta("epoch", "another")
    index.refresh()
    assert index.held() == held(store)
    for name in ("a.md", "c.md"):
        remove(store, name)
    index.refresh()
    assert index.held() == {"passages": 0, "vectors": 0}


def test_what_breaks_off_half_way_leaves_nothing_behind(served: MakeServed) -> None:
    class Breaking(MemoryStore):
        def passages(self, after_generation: int = -1) -> Iterator[object]:  # type: ignore[override]
            for number, entry in enumerate(super().passages(after_generation)):
                if broken and number == 700:
                    raise StoreDamaged("half-way")
                yield entry

    broken = False
    data = Memory()
    store = data.open()
    put_drawn(store, "a.md", seed=1)
    index, query = served(lambda: Breaking(data)), unit_rows(1, seed=5)[0]
    index.refresh()
    near = index.nearest(query, 10)
    remove(store, "a.md")
    put_drawn(store, "b.md", passages=900, sentences=1, seed=2)
    broken = True
    with pytest.raises(StoreDamaged):
        index.refresh()
    assert index.nearest(query, 10) == near
    broken = False
    assert index.refresh()
    assert index.held() == {"passages": 900, "vectors": 1800}
    assert set(index.nearest(query, 5000)["en"].best) == set(range(3, 903))


def test_a_server_is_filled_again_after_an_encoder_of_another_dimension(
    place: Folder, store: Store, served: MakeServed
) -> None:
    put_drawn(store, "a.md")
    served().refresh()
    with store.writing() as generation:
        store.set_meta("epoch", "another")
        new = passage(document())
        rows = np.eye(2, 9, dtype=np.float16)
        store.put(document(), FILE, [replace(new, vectors=PassageVectors(rows))], generation)
        store.remove("a.md", generation)
    index = served(dimension=9)
    index.refresh()
    assert index.nearest(rows[1].astype(np.float32), 1)["en"].best == {3: 1.0}


def test_the_index_of_another_data_folder_is_not_written_over(tmp_path: Path, store: Store, served: MakeServed) -> None:
    with store.writing():
        store.set_meta("epoch", "one")
    put_drawn(store, "a.md")
    one, two, moved = (tmp_path / name for name in ("one", "two", "moved"))
    for folder in (one, two, moved):
        folder.mkdir()
    mine = served(owner=str(one))
    mine.refresh()
    elsewhere = Folder(tmp_path / "other")
    with elsewhere.open() as other:
        with other.writing():
            other.set_meta("epoch", "two")
        put_drawn(other, "b.md")
    with pytest.raises(StoreError, match=f"belongs to {one}, not to {two}"):
        served(elsewhere.open, owner=str(two)).refresh()
    assert not mine.refresh()
    assert served(owner=str(moved)).refresh()  # the same store, under another name


def test_any_character_of_a_document_comes_back(store: Store, served: MakeServed) -> None:
    text = "Žymė\x00 😀 \\ \"'\t\u2028."
    of = document('ąžuolo\'s "a".en.md', text)
    new = passage(of)
    put(store, of, replace(new, vectors=PassageVectors(unit_rows(2, seed=1).astype(np.float16))))
    assert unpacked(packed(new.passage)) == new.passage
    index = served()
    index.refresh()
    (found,) = index.fetch(index.passages_of(of.id))
    assert found.passage == new.passage


def test_more_passages_than_are_remembered_are_fetched_alike(
    store: Store, served: MakeServed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterqa.store.view.REMEMBERED_PASSAGES", 3)
    put_drawn(store, "a.md", passages=8)
    index = served()
    index.refresh()
    for ids in ([1, 2, 3], [3, 4], [1, 2, 3, 4, 5, 6], [6, 1, 8]):
        assert [entry.id for entry in index.fetch(ids)] == ids
    assert len(index._entries) <= 6
