"""The contract of every index: the cosines of plain arithmetic, and after any change the same as one freshly built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clusterqa.errors import IndexOutdated, StoreDamaged
from clusterqa.ports import Index, Store
from clusterqa.records import Language, PassageVectors
from memory import MemoryStore
from store_fixtures import (
    DIMENSION,
    IN_MEMORY,
    INDEXES,
    PLACES,
    SERVED,
    MakeIndex,
    Memory,
    Place,
    assert_same_vectors,
    document,
    entries_of,
    passage,
    put,
    put_drawn,
    remove,
    source_of,
    unit_rows,
)

OverStore = Callable[..., Index]


@pytest.fixture(
    params=[
        "faiss over sqlite",
        "faiss over postgres",
        "faiss over memory",
        "memory over memory",
        "pgvector over postgres",
        *(f"{name} over sqlite" for name in SERVED),
    ]
)
def kinds(request: pytest.FixtureRequest) -> tuple[str, str]:
    """An index, and the store under it."""
    index, _, store = request.param.partition(" over ")
    return index, store


@pytest.fixture
def place(kinds: tuple[str, str], tmp_path: Path) -> Place:
    return PLACES[kinds[1]](tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.open() as opened:
        yield opened


@pytest.fixture
def index_of(kinds: tuple[str, str], place: Place) -> Iterator[OverStore]:
    """Makes an index of what is stored now; of some languages only, when they are named."""
    opened: list[Index] = []

    def index_of(*languages: Language) -> Index:
        make = INDEXES[kinds[0]]
        index = make(place.open, DIMENSION, languages) if languages else make(place.open, DIMENSION)
        index.refresh()
        opened.append(index)
        return index

    yield index_of
    for index in opened:
        index.close()


def assert_same(patched: Index, fresh: Index, store: Store) -> None:
    """Both hold the same passages and answer every question alike."""
    assert (patched.generation, patched.epoch) == (fresh.generation, fresh.epoch)
    assert (len(patched), patched.id_bound) == (len(fresh), fresh.id_bound)
    names = [stored.id for stored in store.documents(state=None)]
    assert [patched.source(name) for name in names] == [fresh.source(name) for name in names]
    assert [list(patched.passages_of(name)) for name in names] == [list(fresh.passages_of(name)) for name in names]
    ours, theirs = entries_of(patched, store), entries_of(fresh, store)
    assert len(ours) == len(patched)
    for one, other in zip(ours, theirs, strict=True):
        assert replace(one, rows=other.rows) == other
        np.testing.assert_array_equal(one.rows, other.rows)
    assert list(patched.vocabulary()) == list(fresh.vocabulary())
    for term in ("w0", "w3"):
        held, wanted = patched.postings((term,)), fresh.postings((term,))
        assert (held.body.tolist(), held.head.tolist()) == (wanted.body.tolist(), wanted.head.tolist())
    for most in (1, 3):
        sampled = [{k: [e.id for e in found] for k, found in i.sample(most).items()} for i in (patched, fresh)]
        assert sampled[0] == sampled[1]
    for query in unit_rows(3, seed=99):
        near, expected = patched.nearest(query, 50), fresh.nearest(query, 50)
        assert near.keys() == expected.keys()
        for language in near:
            assert near[language].best == expected[language].best
            assert near[language].count == expected[language].count
            assert near[language].passages == pytest.approx(expected[language].passages, abs=1e-6)
            assert near[language].sentences == pytest.approx(expected[language].sentences, abs=1e-6)


def test_vectors_alone_are_those_of_the_whole_passages(store: Store, index_of: OverStore) -> None:
    for number in range(4):
        put_drawn(store, f"{number}.md", "en" if number % 2 else "lt", passages=3, sentences=1 + number, seed=number)
    index = index_of()
    ids = [entry.id for entry in reversed(entries_of(index, store))]
    ids.append(ids[0])
    for (language, rows), entry in zip(index.vectors(ids), index.fetch(ids), strict=True):
        assert language == entry.language
        np.testing.assert_array_equal(rows, entry.rows)
    assert index.vectors([]) == []
    with pytest.raises(KeyError):
        index.vectors([ids[0], 10_000])


# ── the nearest ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cosines_are_those_of_plain_arithmetic(store: Store, index_of: OverStore) -> None:
    """A passage's is the best over itself and its sentences; passages and sentences have each their background."""
    for number in range(20):
        language: Language = "en" if number % 2 else "lt"
        put_drawn(store, f"{number}.md", language, passages=3, sentences=1 + number % 3, seed=number)
    index = index_of()
    for query in unit_rows(5, seed=5):
        for language, found in index.nearest(query, 10_000).items():
            entries = [e for e in entries_of(index, store) if e.language == language]
            rows = {e.id: e.rows.astype(np.float32) @ query for e in entries}
            assert found.best.keys() == rows.keys()
            for i, cosines in rows.items():
                assert found.best[i] == pytest.approx(float(cosines.max()), abs=1e-5)
            whole = np.array([cosines[0] for cosines in rows.values()], dtype=np.float64)
            assert found.passages == pytest.approx((whole.mean(), whole.std()), abs=1e-5)
            single = np.concatenate([cosines[1:] for cosines in rows.values()]).astype(np.float64)
            assert found.sentences == pytest.approx((single.mean(), single.std()), abs=1e-5)
            assert found.count == len(entries) == 30


def test_the_k_nearest_are_the_best_of_all(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md", passages=50, sentences=3)
    index = index_of()
    query = unit_rows(1, seed=5)[0]
    everything = index.nearest(query, 1000)["en"].best
    for k in (1, 7, 40):
        some = index.nearest(query, k)["en"].best
        assert 1 <= len(some) <= k
        assert set(some) == set(sorted(everything, key=lambda i: -everything[i])[: len(some)])
        assert {i: everything[i] for i in some} == pytest.approx(some, abs=1e-6)


def test_each_language_has_its_own_nearest(store: Store, index_of: OverStore) -> None:
    """However many passages one language has, it does not crowd the other one out."""
    put_drawn(store, "a.en.md", "en", passages=100)
    put_drawn(store, "a.lt.md", "lt", passages=1)
    found = index_of().nearest(unit_rows(1, seed=5)[0], 2)
    assert len(found["lt"].best) == 1


def test_a_k_beyond_the_corpus_gives_the_corpus(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md", passages=2)
    found = index_of().nearest(unit_rows(1, seed=5)[0], 10_000)
    assert set(found) == {"en"}
    assert set(found["en"].best) == {1, 2}


def test_an_empty_corpus_has_no_nearest(store: Store, index_of: OverStore) -> None:
    index = index_of()
    query = unit_rows(1, seed=5)[0]
    assert (len(index), index.id_bound, index.nearest(query, 10), index.sample(3)) == (0, 0, {}, {})
    put_drawn(store, "a.md")
    index.refresh()
    assert (len(index), index.id_bound) == (2, 3)
    remove(store, "a.md")
    index.refresh()
    assert (len(index), index.id_bound, index.nearest(query, 10), index.sample(3)) == (0, 0, {}, {})
    assert (list(index.passages_of("a.md")), index.source("a.md")) == ([], None)


def test_a_document_is_read_as_it_was_stored_and_only_while_it_is_there(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md")
    index = index_of()
    with index.reading():
        assert index.read("a.md") == store.read("a.md")
        with pytest.raises(KeyError):
            index.read("b.md")
    remove(store, "a.md")
    with index.reading(), pytest.raises(KeyError):
        index.read("a.md")


def test_a_removed_document_is_never_the_nearest_again(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md", seed=1)
    put_drawn(store, "b.md", seed=2)
    index = index_of()
    gone = list(index.passages_of("a.md"))
    query = index.fetch(gone)[0].rows[0].astype(np.float32)
    best = index.nearest(query, 10)["en"].best
    assert max(best, key=lambda i: best[i]) == gone[0]
    remove(store, "a.md")
    index.refresh()
    assert not set(gone) & set(index.nearest(query, 10)["en"].best)
    with pytest.raises(KeyError):
        index.fetch(gone)


# ── passages, terms and documents ───────────────────────────────────────────────────────────────────────────────


def test_passages_are_fetched_as_stored_in_the_order_asked_for(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md", passages=3)
    new = passage(document("b.md", "Žymos 2 250!"))
    vectors = replace(new.vectors, rows=unit_rows(2, seed=9).astype(np.float16))
    put(store, document("b.md", "Žymos 2 250!", language="lt"), replace(new, vectors=vectors))
    index = index_of()
    assert [entry.id for entry in index.fetch([3, 1, 4, 1])] == [3, 1, 4, 1]
    assert index.fetch([]) == []
    (found,) = index.fetch(index.passages_of("b.md"))
    assert (found.passage, found.language) == (new.passage, "lt")
    (tokens,) = index.tokens([found.id])
    assert_same_vectors(PassageVectors(found.rows, tokens), vectors)
    assert [len(own) for own in index.tokens([4, 1, 4])] == [7, 0, 7]
    with pytest.raises(KeyError):
        index.fetch([1, 99])
    with pytest.raises(StoreDamaged):
        index.tokens([1, 99])


def test_the_passages_of_a_document_are_in_reading_order(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md", passages=5)
    put_drawn(store, "b.md", passages=5)
    index = index_of()
    for name in ("a.md", "b.md"):
        assert [e.passage.ordinal for e in index.fetch(index.passages_of(name))] == [0, 1, 2, 3, 4]


def test_postings_tell_the_body_from_the_head(store: Store, index_of: OverStore) -> None:
    rows = unit_rows(2, seed=1).astype(np.float16)
    for name, body, head in (("a.md", "gold", "silver"), ("b.md", "silver", "silver"), ("c.md", "bronze", "bronze")):
        new = passage(document(name), body, head)
        put(store, document(name), replace(new, vectors=replace(new.vectors, rows=rows)))
    index = index_of()
    found = index.postings(("silver",))
    assert (found.body.tolist(), found.head.tolist()) == ([2], [1])
    found = index.postings(("gold", "silver"))
    assert (sorted(found.body.tolist()), found.head.tolist()) == ([1, 2], [])
    assert index.postings(("none",)).body.tolist() == []


def test_postings_follow_the_generation(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md")
    index = index_of()
    assert index.postings(("w1",)).body.tolist() == [2]
    put_drawn(store, "b.md")
    remove(store, "a.md")
    index.refresh()
    assert index.postings(("w1",)).body.tolist() == [4]


def test_the_vocabulary_follows_the_generation(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md", passages=1)
    index = index_of()
    assert list(index.vocabulary()) == ["w0"]
    put_drawn(store, "b.md", passages=3)
    index.refresh()
    assert list(index.vocabulary()) == ["w0", "w1", "w2"]


@pytest.mark.parametrize("count", [1, 2, 7, 64])
@pytest.mark.parametrize("most", [1, 2, 5, 64])
def test_a_sample_has_so_many_passages_of_each_language(
    store: Store, index_of: OverStore, count: int, most: int
) -> None:
    put_drawn(store, "a.lt.md", "lt", passages=count)
    put_drawn(store, "a.en.md", "en", passages=3)
    index = index_of()
    chosen = [entry.passage.ordinal for entry in index.sample(most)["lt"]]
    assert len(chosen) == len(set(chosen)) == min(count, most)
    assert [entry.passage.ordinal for entry in index.sample(most)["lt"]] == chosen
    assert len(index.sample(most)["en"]) == min(3, most)


def test_another_document_leaves_nearly_the_whole_sample_as_it_was(store: Store, index_of: OverStore) -> None:
    def drawn() -> set[tuple[str, int]]:
        return {(entry.passage.document, entry.passage.ordinal) for entry in index.sample(20)["lt"]}

    for number in range(10):
        put_drawn(store, f"{number}.lt.md", "lt", passages=20)
    index = index_of()
    before = drawn()
    put_drawn(store, "more.lt.md", "lt", passages=20)
    index.refresh()
    assert len(before & drawn()) >= 16
    remove(store, "more.lt.md")
    index.refresh()
    assert drawn() == before


@pytest.mark.parametrize(
    ("lithuanian", "english", "translation_of"),
    [
        ("a.lt.md", "a.en.md", None),
        ("news/a.lt.md", "news/a.en.pdf", None),
        ("žyma.md", "label.md", "label.md"),
        ("news/žyma.md", "news/label.md", "label.md"),
        ("news/žyma.md", "other/label.md", "other/label.md"),
    ],
)
def test_translations_know_each_other(
    store: Store, index_of: OverStore, lithuanian: str, english: str, translation_of: str | None
) -> None:
    put_drawn(store, lithuanian, "lt", translation_of=translation_of)
    put_drawn(store, english, "en")
    index = index_of()
    assert source_of(index, lithuanian).translation == english
    assert source_of(index, english).translation == lithuanian
    remove(store, english)
    index.refresh()
    assert source_of(index, lithuanian).translation is None


def test_documents_that_only_look_alike_are_no_translations(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.lt.md", "lt")
    put_drawn(store, "other/a.en.md", "en")
    put_drawn(store, "b.md", "lt", translation_of="b.md")
    put_drawn(store, "c.md", "lt", translation_of="a.lt.md")  # of the same language
    index = index_of()
    assert {source_of(index, stored.id).translation for stored in store.documents()} == {None}


def test_an_index_of_one_language_leaves_the_other_out(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.lt.md", "lt")
    put_drawn(store, "a.en.md", "en")
    index = index_of("lt")
    assert source_of(index, "a.lt.md").translation is None
    assert (index.source("a.en.md"), list(index.passages_of("a.en.md"))) == (None, [])
    assert set(index.nearest(unit_rows(1, seed=5)[0], 10)) == set(index.sample(3)) == {"lt"}
    assert index.postings(("w0",)).body.tolist() == [1]
    remove(store, "a.en.md")
    put_drawn(store, "b.en.md", "en")
    index.refresh()
    assert source_of(index, "a.lt.md").language == "lt"
    assert index.source("b.en.md") is None
    assert len(index) == 2


# ── following the store ─────────────────────────────────────────────────────────────────────────────────────────


STEPS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from(["put", "remove", "look"]), st.integers(1, 4), st.booleans()),
    min_size=1,
    max_size=15,
)
Steps = list[tuple[str, str, int, bool]]


@pytest.mark.parametrize("make", IN_MEMORY.values(), ids=IN_MEMORY)
@settings(max_examples=60)
@given(STEPS)
def test_a_patched_index_equals_a_fresh_one(make: MakeIndex, steps: Steps) -> None:
    patch_and_compare(make, steps)


@pytest.mark.parametrize("make", SERVED.values(), ids=SERVED)
@settings(max_examples=12)
@given(STEPS)
def test_a_patched_index_in_a_server_equals_a_fresh_one(make: MakeIndex, steps: Steps) -> None:
    patch_and_compare(make, steps)


def patch_and_compare(make: MakeIndex, steps: Steps) -> None:
    """Whatever came, changed, changed its language and went, and whenever the index looked."""
    place = Memory()
    store, patched = place.open(), make(place.open, DIMENSION)
    for seed, (name, what, passages, lithuanian) in enumerate(steps):
        if what == "put":
            put_drawn(store, name, "lt" if lithuanian else "en", passages=passages, seed=seed)
        elif what == "remove":
            remove(store, name)
        else:
            patched.refresh()
    patched.refresh()
    fresh = make(place.open, DIMENSION)
    fresh.refresh()
    assert_same(patched, fresh, store)
    patched.close()
    fresh.close()


def test_between_two_looks_the_index_stays_as_it_was(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md", seed=1)
    index, query = index_of(), unit_rows(1, seed=5)[0]
    before = (index.generation, len(index), index.nearest(query, 10))
    put_drawn(store, "b.md", seed=2)
    assert (index.generation, len(index), index.nearest(query, 10)) == before
    assert index.source("b.md") is None


def test_an_index_that_is_up_to_date_says_so(kinds: tuple[str, str], place: Place, store: Store) -> None:
    index = INDEXES[kinds[0]](place.open, DIMENSION)
    assert (index.generation, index.epoch, len(index)) == (-1, "", 0)
    put_drawn(store, "a.md")
    assert index.refresh()
    assert index.generation == store.generation() == 1
    assert not index.refresh()
    index.close()


def test_after_a_rebuild_the_index_is_built_again(store: Store, index_of: OverStore) -> None:
    put_drawn(store, "a.md", seed=1)
    index = index_of()
    with store.writing():
        store.set_meta("epoch", "another")
    put_drawn(store, "a.md", seed=2)
    assert index.refresh()
    assert index.epoch == "another"
    assert_same(index, index_of(), store)


def test_an_index_moves_to_another_store_of_the_same_generation(place: Place, index_of: OverStore) -> None:
    """As when a damaged database was put aside and built again with fewer generations."""

    def build(place: Place, epoch: str, name: str) -> None:
        with place.open() as store:
            with store.writing():
                store.set_meta("epoch", epoch)
            put_drawn(store, name, seed=len(name))

    other = place.other()
    build(place, "one", "a.md")
    build(other, "two", "other.md")
    index = index_of()
    assert index.source("a.md") is not None
    place.replace(other)
    assert index.refresh()
    with place.open() as store:
        assert store.generation() == index.generation == 2
        assert_same(index, index_of(), store)
    assert index.source("a.md") is None


def test_an_index_goes_on_while_the_store_in_its_place_is_empty(
    place: Place, store: Store, index_of: OverStore
) -> None:
    put_drawn(store, "a.md")
    index, query = index_of(), unit_rows(1, seed=5)[0]
    before = index.nearest(query, 10)
    other = place.other()
    other.open().close()
    place.replace(other)
    assert not index.refresh()
    assert index.nearest(query, 10) == before


@pytest.mark.parametrize("make", INDEXES.values(), ids=INDEXES)
def test_an_error_while_reading_leaves_the_index_as_it_was(make: MakeIndex) -> None:
    class Broken(MemoryStore):
        broken = False

        def passages(self, after_generation=-1):
            yield from super().passages(after_generation)
            if self.broken:
                raise StoreDamaged("vectors without their checksum")

    place = Memory()
    store = Broken(place)
    put_drawn(store, "a.md", seed=1)
    put_drawn(store, "b.md", seed=2)
    index, query = make(lambda: Broken(place), DIMENSION), unit_rows(1, seed=5)[0]
    index.refresh()
    before = index.nearest(query, 10)
    remove(store, "a.md")
    put_drawn(store, "c.md", seed=3)
    Broken.broken = True
    with pytest.raises(StoreDamaged):
        index.refresh()
    assert index.nearest(query, 10) == before
    assert (len(index), index.generation) == (4, 2)
    Broken.broken = False
    assert index.refresh()
    fresh = make(place.open, DIMENSION)
    fresh.refresh()
    assert_same(index, fresh, store)


def test_a_generation_that_does_not_fit_is_not_taken_up(kinds: tuple[str, str], place: Place, store: Store) -> None:
    def check(store: Store) -> None:
        if store.meta("encoder") == "other":
            raise IndexOutdated("another encoder")

    put_drawn(store, "a.md")
    index = INDEXES[kinds[0]](place.open, DIMENSION, check=check)
    assert index.refresh()
    with store.writing():
        store.set_meta("encoder", "other")
    for _ in range(2):
        with pytest.raises(IndexOutdated):
            index.refresh()
    assert (index.generation, len(index)) == (1, 2)
    index.close()
