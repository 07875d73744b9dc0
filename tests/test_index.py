"""The view in memory: the cosines of plain arithmetic, and after any change the same as one freshly built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clusterqa.errors import StoreDamaged
from clusterqa.ports import Store
from clusterqa.records import (
    LANGUAGES,
    Block,
    Document,
    FileState,
    IndexedPassage,
    Language,
    NewPassage,
    Passage,
    PassageVectors,
    Source,
    Span,
)
from clusterqa.settings import Settings
from clusterqa.store import open_store
from clusterqa.store.faiss_index import UNITS_PER_PASSAGE, FaissIndex
from clusterqa.store.sqlite import DATABASE

DIMENSION = 6


def unit_rows(count: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, DIMENSION)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def put(
    store: Store, name: str, language: Language = "en", passages: int = 2, sentences: int = 2, seed: int = 0,
    translation_of: str | None = None,
) -> None:  # fmt: skip
    """A document of so many passages, each of so many sentences of one letter, with vectors drawn from `seed`."""
    size = 2 * sentences
    text = "x " * (passages * sentences)
    document = Document(
        name, text, name, language, (Block("paragraph", 0, len(text)),), "text/plain", translation_of=translation_of
    )
    new = []
    for p in range(passages):
        spans = tuple(Span(p * size + 2 * s, p * size + 2 * s + 1) for s in range(sentences))
        begin, end = spans[0].start, spans[-1].end
        vectors = unit_rows(1 + sentences, seed * 1000 + p).astype(np.float16)
        new.append(
            NewPassage(Passage(name, p, begin, end, text[begin:end], spans), PassageVectors(vectors), "", f"w{p}", "")
        )
    with store.writing() as generation:
        store.put(document, FileState("", 0, 0), new, generation)


def remove(store: Store, name: str) -> None:
    with store.writing() as generation:
        store.remove(name, generation)


def index_of(store: Store, *languages: Language) -> FaissIndex:
    index = FaissIndex(lambda: store, DIMENSION, languages or LANGUAGES)
    index.refresh()
    return index


def entries_of(index: FaissIndex, store: Store) -> list[IndexedPassage]:
    """All passages of an index, by document."""
    return index.fetch([i for stored in store.documents() for i in index.passages_of(stored.id)])


def source_of(index: FaissIndex, name: str) -> Source:
    found = index.source(name)
    assert found is not None
    return found


def assert_same(patched: FaissIndex, fresh: FaissIndex, store: Store) -> None:
    """Both views hold the same passages and answer every question alike."""
    assert (patched.generation, patched.epoch) == (fresh.generation, fresh.epoch)
    assert (len(patched), patched.id_bound) == (len(fresh), fresh.id_bound)
    names = [stored.id for stored in store.documents(state=None)]
    assert [patched.source(name) for name in names] == [fresh.source(name) for name in names]
    assert [list(patched.passages_of(name)) for name in names] == [list(fresh.passages_of(name)) for name in names]
    ours, theirs = entries_of(patched, store), entries_of(fresh, store)
    assert len(ours) == len(patched)
    for one, other in zip(ours, theirs, strict=True):
        assert replace(one, vectors=other.vectors) == other
        np.testing.assert_array_equal(one.vectors.rows, other.vectors.rows)
    assert list(patched.vocabulary()) == list(fresh.vocabulary())
    for term in ("w0", "w3"):
        ours, theirs = patched.postings((term,)), fresh.postings((term,))
        assert (ours.body.tolist(), ours.head.tolist()) == (theirs.body.tolist(), theirs.head.tolist())
    for most in (1, 3):
        ours, theirs = patched.sample(most), fresh.sample(most)
        assert {k: [e.id for e in v] for k, v in ours.items()} == {k: [e.id for e in v] for k, v in theirs.items()}
    for query in unit_rows(3, seed=99):
        ours, theirs = patched.nearest(query, 50), fresh.nearest(query, 50)
        assert ours.keys() == theirs.keys()
        for language in ours:
            assert ours[language].best == theirs[language].best
            assert ours[language].count == theirs[language].count
            assert ours[language].passages == pytest.approx(theirs[language].passages, abs=1e-6)
            assert ours[language].sentences == pytest.approx(theirs[language].sentences, abs=1e-6)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path, create=True) as opened:
        yield opened


def test_faiss_agrees_with_plain_arithmetic(store: Store) -> None:
    """A passage's cosine is the best dot product over itself and its sentences; passages and sentences have each their ground."""
    for number in range(20):
        put(store, f"{number}.md", "en" if number % 2 else "lt", passages=3, sentences=1 + number % 3, seed=number)
    view = index_of(store)
    for query in unit_rows(5, seed=5):
        for language, found in view.nearest(query, 10_000).items():
            entries = [e for e in entries_of(view, store) if e.language == language]
            rows = {e.id: e.vectors.rows.astype(np.float32) @ query for e in entries}
            assert found.best.keys() == rows.keys()
            for i, cosines in rows.items():
                assert found.best[i] == pytest.approx(float(cosines.max()), abs=1e-5)
            whole = np.array([cosines[0] for cosines in rows.values()], dtype=np.float64)
            assert found.passages == pytest.approx((whole.mean(), whole.std()), abs=1e-5)
            single = np.concatenate([cosines[1:] for cosines in rows.values()]).astype(np.float64)
            assert found.sentences == pytest.approx((single.mean(), single.std()), abs=1e-5)
            assert found.count == len(entries) == 30


def test_the_k_nearest_are_the_best_of_all(store: Store) -> None:
    put(store, "a.md", passages=50, sentences=3)
    view = index_of(store)
    query = unit_rows(1, seed=5)[0]
    everything = view.nearest(query, 1000)["en"].best
    for k in (1, 7, 40):
        some = view.nearest(query, k)["en"].best
        assert 1 <= len(some) <= k
        assert set(some) == set(sorted(everything, key=lambda i: -everything[i])[: len(some)])


def test_each_language_has_its_own_nearest(store: Store) -> None:
    """However many passages one language has, it does not crowd the other one out."""
    put(store, "a.en.md", "en", passages=100)
    put(store, "a.lt.md", "lt", passages=1)
    found = index_of(store).nearest(unit_rows(1, seed=5)[0], 2)
    assert len(found["lt"].best) == 1


def test_a_k_beyond_the_corpus_gives_the_corpus(store: Store) -> None:
    put(store, "a.md", passages=2)
    found = index_of(store).nearest(unit_rows(1, seed=5)[0], 10_000)
    assert set(found) == {"en"}
    assert set(found["en"].best) == {1, 2}


def test_an_empty_corpus_has_no_nearest(store: Store) -> None:
    view = index_of(store)
    assert (len(view), view.nearest(unit_rows(1, seed=5)[0], 10)) == (0, {})
    put(store, "a.md")
    view.refresh()
    remove(store, "a.md")
    view.refresh()
    assert (len(view), view.nearest(unit_rows(1, seed=5)[0], 10)) == (0, {})
    assert (list(view.passages_of("a.md")), view.source("a.md")) == ([], None)


def test_a_removed_document_is_never_the_nearest_again(store: Store) -> None:
    put(store, "a.md", seed=1)
    put(store, "b.md", seed=2)
    view = index_of(store)
    gone = list(view.passages_of("a.md"))
    query = view.fetch(gone)[0].vectors.rows[0].astype(np.float32)
    assert next(iter(view.nearest(query, 10)["en"].best)) == gone[0]
    remove(store, "a.md")
    view.refresh()
    assert not set(gone) & set(view.nearest(query, 10)["en"].best)


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"), st.sampled_from(["put", "remove", "look"]), st.integers(1, 4), st.booleans()
        ),
        min_size=1,
        max_size=15,
    )
)
def test_a_patched_view_equals_a_fresh_one(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, int, bool]]
) -> None:
    """Whatever came, changed, changed its language and went, and whenever the view looked."""
    with open_store(tmp_path_factory.mktemp("data"), create=True) as store:
        patched = index_of(store)
        for seed, (name, what, passages, lithuanian) in enumerate(steps):
            if what == "put":
                put(store, name, "lt" if lithuanian else "en", passages=passages, seed=seed)
            elif what == "remove":
                remove(store, name)
            else:
                patched.refresh()
        patched.refresh()
        assert_same(patched, index_of(store), store)


def test_a_view_that_is_up_to_date_says_so(store: Store) -> None:
    put(store, "a.md")
    view = FaissIndex(lambda: store, DIMENSION)
    assert view.refresh()
    assert not view.refresh()


def test_after_a_rebuild_the_view_is_built_anew(store: Store) -> None:
    put(store, "a.md", seed=1)
    view = index_of(store)
    with store.writing():
        store.set_meta("epoch", "another")
    put(store, "a.md", seed=2)
    assert view.refresh()
    assert_same(view, index_of(store), store)


def test_a_view_moves_to_another_store_of_the_same_generation(tmp_path: Path) -> None:
    """As when a damaged database was put aside and built again with fewer generations."""

    def build(data: Path, epoch: str, name: str) -> None:
        with open_store(data, create=True) as store:
            with store.writing():
                store.set_meta("epoch", epoch)
            put(store, name, seed=len(name))

    build(tmp_path, "one", "a.md")
    build(tmp_path / "other", "two", "other.md")
    view = FaissIndex(lambda: open_store(tmp_path), DIMENSION)
    assert view.refresh()
    for path in tmp_path.glob(f"{DATABASE}*"):
        path.unlink()
    (tmp_path / "other" / DATABASE).rename(tmp_path / DATABASE)
    assert view.refresh()
    with open_store(tmp_path) as store:
        assert store.generation() == view.generation == 2
        assert_same(view, index_of(store), store)
    assert view.source("a.md") is None
    view.close()


def test_an_error_while_reading_leaves_the_view_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, "a.md", seed=1)
    put(store, "b.md", seed=2)
    view, query = index_of(store), unit_rows(1, seed=5)[0]
    before = view.nearest(query, 10)
    remove(store, "a.md")
    put(store, "c.md", seed=3)
    store._db.execute("UPDATE vectors SET data = x'00' WHERE passage = (SELECT max(passage) FROM vectors)")
    with pytest.raises(StoreDamaged):
        view.refresh()
    assert view.nearest(query, 10) == before
    put(store, "c.md", seed=3)
    view.refresh()
    assert_same(view, index_of(store), store)


def test_no_passage_has_more_sentences_than_there_is_room_for(store: Store) -> None:
    """The longest passage a setting allows, all of its characters sentences."""
    longest = next(m.le for m in Settings.model_fields["passage_chars"].metadata if hasattr(m, "le"))
    assert longest + 1 < UNITS_PER_PASSAGE
    put(store, "a.md", passages=2, sentences=2000)
    view = index_of(store)
    for entry in entries_of(view, store):
        assert next(iter(view.nearest(entry.vectors.rows[1999].astype(np.float32), 1)["en"].best)) == entry.id


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
def test_translations_know_each_other(store: Store, lithuanian: str, english: str, translation_of: str | None) -> None:
    put(store, lithuanian, "lt", translation_of=translation_of)
    put(store, english, "en")
    view = index_of(store)
    assert source_of(view, lithuanian).translation == english
    assert source_of(view, english).translation == lithuanian
    remove(store, english)
    view.refresh()
    assert source_of(view, lithuanian).translation is None


def test_documents_that_only_look_alike_are_no_translations(store: Store) -> None:
    put(store, "a.lt.md", "lt")
    put(store, "other/a.en.md", "en")
    put(store, "b.md", "lt", translation_of="b.md")
    put(store, "c.md", "lt", translation_of="a.lt.md")  # of the same language
    view = index_of(store)
    assert {source_of(view, stored.id).translation for stored in store.documents()} == {None}


def test_a_view_of_one_language_leaves_the_other_out(store: Store) -> None:
    put(store, "a.lt.md", "lt")
    put(store, "a.en.md", "en")
    view = index_of(store, "lt")
    assert source_of(view, "a.lt.md").translation is None
    assert view.source("a.en.md") is None
    assert set(view.nearest(unit_rows(1, seed=5)[0], 10)) == {"lt"}
    remove(store, "a.en.md")
    put(store, "b.en.md", "en")
    view.refresh()
    assert source_of(view, "a.lt.md").language == "lt"
    assert view.source("b.en.md") is None


def test_the_vocabulary_follows_the_generation(store: Store) -> None:
    put(store, "a.md", passages=1)
    view = index_of(store)
    assert view.vocabulary() == ["w0"]
    put(store, "b.md", passages=3)
    view.refresh()
    assert view.vocabulary() == ["w0", "w1", "w2"]
