"""The contract of every store: one transaction, one generation, nothing half-done, nothing left of what was removed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clusterqa.errors import StoreDamaged
from clusterqa.ports import Store
from clusterqa.records import Block, Document, FileState, Page, PassageVectors
from clusterqa.settings import Home
from clusterqa.store import open_store, open_tables
from clusterqa.store.seal import seal
from clusterqa.store.tables import SCHEMA_VERSION
from store_fixtures import FILE, PLACES, Place, assert_same_vectors, document, passage, put, put_drawn, remove


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    return PLACES[request.param](tmp_path)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.open() as opened:
        yield opened


# ── what is put in comes out ────────────────────────────────────────────────────────────────────────────────────


def test_a_new_store_is_of_generation_nought_and_empty(store: Store) -> None:
    assert store.generation() == 0
    assert store.documents() == []
    assert list(store.passages()) == []
    assert store.vocabulary() == []
    assert store.matching(["gold"]) == {}
    assert set(store.counts().values()) == {0}
    assert store.damage() == []


def test_everything_of_a_document_comes_back_as_it_was_put(store: Store) -> None:
    a = document(
        url="https://example.org/", date="2018-03-05", publisher="Ž", tags=("x", "y"), sources=("s",),
        translation_of="a.lt.md", pages=(Page(1, "iii", 0, 33),), warnings=("w",),
        valid_until="2026-12", review_by="2026-06-30",
    )  # fmt: skip
    new = passage(a)
    put(store, a, new)
    assert store.read(a.id) == a
    (found,) = store.passages()
    assert found.language == "en"
    assert found.passage == new.passage
    assert_same_vectors(PassageVectors(found.rows, *store.tokens([found.id])), new.vectors)


def test_each_change_raises_the_generation_by_one(store: Store) -> None:
    assert [put(store, document()), put(store, document("b.md")), put(store, document())] == [1, 2, 3]
    assert store.generation() == 3


def test_an_error_while_writing_leaves_the_previous_generation(store: Store) -> None:
    put(store, document())
    before = (store.counts(), store.vocabulary(), store.documents())
    with pytest.raises(ZeroDivisionError), store.writing() as generation:
        store.put(document("b.md"), FILE, [passage(document("b.md"), "silver")], generation)
        store.remove("a.en.md", generation)
        raise ZeroDivisionError
    assert store.generation() == 1
    assert (store.counts(), store.vocabulary(), store.documents()) == before
    assert put(store, document("b.md")) == 2  # and the store can be written to again


def test_noting_that_a_file_was_touched_makes_no_generation(store: Store) -> None:
    put(store, document())
    with store.noting():
        store.touch("a.en.md", FileState("f" * 64, 10, 99))
    assert store.generation() == 1
    assert store.documents()[0].file_mtime_ns == 99


def test_a_document_put_again_has_only_its_new_passages(store: Store) -> None:
    put(store, document(), passage(document(), "gold"))
    (old,) = store.matching(["gold"])
    changed = document(text="Silver.")
    put(store, changed, passage(changed, "silver"))
    assert store.matching(["gold"]) == {}
    assert store.counts() == {"documents": 1, "versions": 2, "passages": 1, "vectors": 1, "stems": 1}
    assert store.removed_since(1) == [old]
    assert [entry.passage.text for entry in store.passages(after_generation=1)] == ["Silver."]
    assert store.damage() == []


def test_earlier_versions_stay_readable_in_the_order_they_came(store: Store) -> None:
    texts = ["One.", "Two.", "Three."]
    for text in texts:
        put(store, document(text=text))
    versions = store.versions("a.en.md")
    assert [store.text("a.en.md", version) for version in versions] == texts
    assert versions == [document(text=text).version for text in texts]


def test_reading_the_same_text_in_other_blocks_keeps_the_text_and_takes_the_blocks(store: Store) -> None:
    a = document()
    put(store, a)
    better = (Block("heading", 0, 21, 1), Block("paragraph", 22, 33))
    put(store, Document(a.id, a.text, a.title, a.language, better, a.media_type))
    assert store.structure(a.id, a.version)[0] == better
    assert len(store.versions(a.id)) == 1


def test_a_removed_document_leaves_no_vector_no_stem_and_no_term(store: Store) -> None:
    put(store, document(), passage(document(), "gold shared"))
    b = document("b.md", "Unique.")
    put(store, b, passage(b, "zmogzudyst shared", head="onlyhere"))
    assert set(store.vocabulary()) == {"gold", "label", "onlyhere", "shared", "zmogzudyst"}
    with store.writing() as generation:
        store.remove("b.md", generation)
        store.forget_terms()
    assert store.vocabulary() == ["gold", "label", "shared"]
    assert store.matching(["zmogzudyst", "onlyhere"]) == {}
    assert store.counts() == {"documents": 2, "versions": 2, "passages": 1, "vectors": 1, "stems": 1}
    assert [d.id for d in store.documents()] == ["a.en.md"]
    assert store.damage() == []
    assert store.text("b.md", b.version) == "Unique."  # an old citation still opens


def test_a_changed_document_leaves_none_of_its_old_terms(store: Store) -> None:
    """They would be offered as spellings of words that nobody writes any more."""
    put(store, document(), passage(document(), "zmogzudyst"))
    put(store, document(), passage(document(), "gold"))
    assert store.vocabulary() == ["gold", "label"]


def test_matching_tells_the_body_from_the_head(store: Store) -> None:
    a, b = document("a.md"), document("b.md")
    put(store, a, passage(a, "gold", "silver"))
    put(store, b, passage(b, "silver", "silver"))
    assert store.matching(["silver"]) == {1: (False, True), 2: (True, True)}
    assert store.matching(["gold", "nothing"]) == {1: (True, False)}


@pytest.mark.parametrize("term", ["žymą", "2250", "and", "or", "near", "not", "ß", "日本"])
def test_any_term_of_the_analysis_can_be_looked_up(store: Store, term: str) -> None:
    put(store, document(), passage(document(), f"gold {term}"))
    assert store.matching([term]) == {1: (True, False)}


def test_what_is_being_written_is_seen_by_nobody_else(store: Store, place: Place) -> None:
    put(store, document())
    with store.writing() as generation, place.open() as other:
        store.remove("a.en.md", generation)
        assert store.matching(["gold"]) == {}
        assert (other.generation(), other.matching(["gold"])) == (1, {1: (True, False)})


def test_a_passage_is_confirmed_as_long_as_the_store_has_it_as_it_was_given(store: Store) -> None:
    put(store, document())
    (entry,) = store.passages()
    (stored,) = store.documents()
    source = stored.source("a.lt.md")
    store.confirm(entry, source)
    store.confirm(entry, stored.source(None))
    others = [
        (replace(entry, passage=replace(entry.passage, start=1)), source),
        (replace(entry, passage=replace(entry.passage, text="f Gold.")), source),
        (replace(entry, id=2), source),
        (entry, replace(source, title="Other")),
    ]
    for other, known in others:
        with pytest.raises(StoreDamaged):
            store.confirm(other, known)
    remove(store, "a.en.md")
    with pytest.raises(StoreDamaged):
        store.confirm(entry, source)


def test_documents_are_read_by_the_generation_of_their_last_change(store: Store) -> None:
    for name in ("a.en.md", "b.en.md", "c.en.md"):
        put(store, document(name))
    put(store, document("a.en.md", "Other."))
    remove(store, "b.en.md")
    with store.noting():
        store.touch("c.en.md", FileState("f" * 64, 11, 99))
    changed = [[(d.id, d.state) for d in store.documents(None, after_generation=g)] for g in range(2, 6)]
    a, b, c = ("a.en.md", "live"), ("b.en.md", "removed"), ("c.en.md", "live")
    assert changed == [[a, b, c], [a, b], [b], []]
    assert [d.id for d in store.documents(after_generation=3)] == ["a.en.md"]


def test_a_store_that_is_whole_passes_any_look(store: Store) -> None:
    store.spot_check()
    for name in ("a.en.md", "b.en.md"):
        put(store, document(name))
    put(store, document("a.en.md", "Other."))
    remove(store, "b.en.md")
    with store.noting():
        store.touch("a.en.md", FileState("f" * 64, 11, 99))
    store.spot_check()
    assert store.damage() == []


def test_vectors_are_found_again_by_what_was_encoded(store: Store) -> None:
    new = passage(document(), seed=3)
    put(store, document(), new)
    found = store.vectors_by_digest([new.digest, "never seen", *map(str, range(1200))])
    assert list(found) == [new.digest]
    assert_same_vectors(found[new.digest], new.vectors)


def test_an_encoder_without_tokens_leaves_none(store: Store) -> None:
    rows = np.ones((2, 4), dtype=np.float16)
    put(store, document(), replace(passage(document()), vectors=PassageVectors(rows)))
    (found,) = store.passages()
    assert_same_vectors(PassageVectors(found.rows, *store.tokens([found.id])), PassageVectors(rows))


def test_what_is_known_of_a_document_stands_beside_its_text(store: Store) -> None:
    put(store, document("b.md", title="B"))
    put(store, document("a.md", title="A"))
    remove(store, "b.md")
    assert [(d.id, d.title, d.state) for d in store.documents()] == [("a.md", "A", "live")]
    assert [(d.id, d.state) for d in store.documents(state=None)] == [("a.md", "live"), ("b.md", "removed")]
    found = store.document("b.md")
    assert found is not None
    assert (found.state, found.version) == ("removed", document().version)
    assert (found.file_sha256, found.file_size, found.file_mtime_ns) == (FILE.sha256, FILE.size, FILE.mtime_ns)
    assert store.read("b.md") == document("b.md", title="B")


def test_what_is_not_there_is_nothing_and_no_error(store: Store) -> None:
    assert (store.document("x"), store.read("x"), store.text("x", "y"), store.meta("x")) == (None, None, None, None)
    assert (store.versions("x"), store.structure("x", "y"), store.removed_since(-1)) == ([], ((), ()), [])
    assert store.vectors_by_digest([]) == {}
    remove(store, "x")
    assert store.documents(state=None) == []


def test_a_document_that_comes_back_is_live_again_with_new_passages(store: Store) -> None:
    put(store, document())
    remove(store, "a.en.md")
    put(store, document())
    assert [stored.state for stored in store.documents(state=None)] == ["live"]
    assert [entry.id for entry in store.passages()] == [2]  # an id is never used for another passage
    assert store.removed_since(0) == [1]
    assert store.versions("a.en.md") == [document().version]


def test_passages_come_in_the_order_of_their_ids_after_any_generation(store: Store) -> None:
    a = document()
    first = passage(a)
    second = replace(first, passage=replace(first.passage, ordinal=1))
    put(store, a, first, second)
    put(store, document("b.md"))
    assert [(entry.id, entry.passage.document, entry.passage.ordinal) for entry in store.passages()] == [
        (1, "a.en.md", 0), (2, "a.en.md", 1), (3, "b.md", 0),
    ]  # fmt: skip
    assert [entry.id for entry in store.passages(after_generation=1)] == [3]
    assert list(store.passages(after_generation=2)) == []


def test_facts_about_the_whole_are_kept_by_name(store: Store) -> None:
    with store.writing():
        store.set_meta("encoder", "one")
    with store.writing():
        store.set_meta("encoder", "other")
    assert (store.meta("encoder"), store.generation()) == ("other", 2)


def test_the_files_that_cannot_be_read_are_those_of_the_last_run(store: Store) -> None:
    with store.writing():
        store.set_unreadable([("b.pdf", "broken", "mend it"), ("a.pdf", "empty", "fill it")])
    assert store.unreadable() == [("a.pdf", "empty", "fill it"), ("b.pdf", "broken", "mend it")]
    with store.writing():
        store.set_unreadable([])
    assert store.unreadable() == []


def test_what_is_held_of_a_document_is_counted(store: Store) -> None:
    put(store, document())
    put(store, document("b.md"))
    assert store.held("a.en.md") == {"passages": 1, "vectors": 2, "stems": 1}
    assert store.held(None) == {"passages": 2, "vectors": 4, "stems": 2}
    remove(store, "a.en.md")
    assert store.held("a.en.md") == {"passages": 0, "vectors": 0, "stems": 0}


def test_the_order_of_the_vocabulary_is_that_of_the_code_points(store: Store) -> None:
    put(store, document(), passage(document(), "žyma zona 2250 日本 ąžuol abc", head=""))
    assert store.vocabulary() == sorted(["žyma", "zona", "2250", "日本", "ąžuol", "abc"])


# ── several at once ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reader_keeps_its_view_while_another_store_writes(store: Store, place: Place) -> None:
    put(store, document())
    with place.open() as writer, store.reading():
        assert store.generation() == 1
        remove(writer, "a.en.md")
        assert (store.generation(), len(list(store.passages()))) == (1, 1)
        assert store.matching(["gold"]) == {1: (True, False)}
        assert [stored.id for stored in store.documents()] == ["a.en.md"]
    assert store.generation() == 2
    assert list(store.passages()) == []
    assert store.matching(["gold"]) == {}


def test_an_error_while_reading_or_noting_leaves_the_store_usable(store: Store) -> None:
    put(store, document())
    with pytest.raises(ZeroDivisionError), store.reading():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), store.noting():
        store.touch("a.en.md", FileState("f" * 64, 11, 99))
        raise ZeroDivisionError
    assert store.documents()[0].file_mtime_ns == FILE.mtime_ns
    assert put(store, document("b.md")) == 2


def test_a_store_that_was_replaced_says_so(store: Store, place: Place) -> None:
    put(store, document())
    other = place.other()
    with other.open() as built:
        put(built, document("b.md"))
    assert store.current()
    place.replace(other)
    assert not store.current()
    with place.open() as opened:
        assert opened.current()
        assert [stored.id for stored in opened.documents()] == ["b.md"]


# ── of an earlier version ───────────────────────────────────────────────────────────────────────────────────────

TO_VERSION_5 = """
ALTER TABLE documents DROP COLUMN seal; ALTER TABLE documents DROP COLUMN valid_until;
ALTER TABLE documents DROP COLUMN review_by; ALTER TABLE documents ADD COLUMN seal BIGINT;
DROP INDEX passages_terms; DROP INDEX versions_seal
"""


def take_back_to_version_5(home: Home, change: str = "") -> None:
    """The tables as they were before documents had a last day, with their checksums."""
    with open_tables(home) as store, store.noting():
        for statement in TO_VERSION_5.split(";"):
            store._run(statement)
        for row in store._rows("SELECT * FROM documents"):
            store._run("UPDATE documents SET seal = ? WHERE id = ?", seal(*list(row)[:-1]), row["id"])
        if change:
            store._run(change)
        store.set_meta("schema", "5")


def test_an_index_of_version_5_learns_until_when_documents_are_valid(home: Home) -> None:
    with open_store(home, create=True) as store:
        put(store, document())
        put(store, document("z.md"))
        remove(store, "z.md")
        before = ([*store.documents(state=None)], [entry.passage for entry in store.passages()])
    take_back_to_version_5(home)
    with open_store(home) as new:
        assert new.damage() == []
        assert ([*new.documents(state=None)], [entry.passage for entry in new.passages()]) == before
        put(new, document("new.md", valid_until="2030"))
        assert [stored.valid_until for stored in new.documents()] == [None, "2030"]
        assert (new.damage(), new.meta("schema")) == ([], SCHEMA_VERSION)


def test_an_index_of_version_5_that_is_damaged_is_not_sealed_as_it_is(home: Home) -> None:
    with open_store(home, create=True) as store:
        put(store, document())
    take_back_to_version_5(home, "UPDATE documents SET title = 'Other'")
    for _ in range(2):  # the first try has changed nothing
        with pytest.raises(StoreDamaged, match=r"what is known of a\.en\.md, without its checksum"):
            open_store(home)


@pytest.mark.parametrize(("version", "lacks"), [("6", ("passages_terms", "versions_seal")), ("7", ("versions_seal",))])
def test_an_index_of_an_earlier_version_gets_the_indexes_that_it_lacks(
    home: Home, version: str, lacks: tuple[str, ...]
) -> None:
    with open_store(home, create=True) as store:
        put(store, document())
        before, shuffled = [entry.passage for entry in store.passages()], [*store.shuffled()]
    with open_tables(home) as store, store.noting():
        store.set_meta("schema", version)
        for name in lacks:
            store._run(f"DROP INDEX {name}")
    with open_store(home) as new:
        assert (new.damage(), new.meta("schema")) == ([], SCHEMA_VERSION)
        assert ([entry.passage for entry in new.passages()], [*new.shuffled()]) == (before, shuffled)


def test_passages_are_shuffled_by_their_words_alone(store: Store) -> None:
    put_drawn(store, "a.md", passages=700)  # more than are read at once
    first = [*store.shuffled()]
    assert sorted(first) == list(range(1, 701))
    assert first != sorted(first)
    assert [*store.shuffled([7, 999, *first[500:0:-7]])] == [i for i in first if i in {7, *first[500:0:-7]}]
    put_drawn(store, "b.md", passages=2)
    assert [i for i in store.shuffled() if i <= 700] == first
