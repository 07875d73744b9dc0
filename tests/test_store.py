"""The contract of a store: one transaction, one generation, nothing half-done, nothing left of what was deleted."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.ports import Store
from clusterqa.records import Block, Document, FileState, NewPassage, Page, Passage, PassageVectors, Span
from clusterqa.store import open_store
from clusterqa.store.sqlite import DATABASE

FILE = FileState("f" * 64, 10, 1)


def document(name: str = "a.en.md", text: str = "Gold lasts two years. Bronze too.", **fields: object) -> Document:
    known = {"title": "A", "language": "en", "media_type": "text/markdown", **fields}
    return Document(id=name, text=text, blocks=(Block("paragraph", 0, len(text)),), **known)  # type: ignore[arg-type]


def passage(of: Document, terms: str = "gold year", head: str = "label", seed: int = 0) -> NewPassage:
    """One passage over the whole document, with one sentence and two vectors."""
    whole = Passage(
        of.id, 0, 0, len(of.text), of.text, (Span(0, len(of.text)),), ("Part", "Chapter"), "Lead:", 3, "iii"
    )
    draw = np.random.default_rng(seed)
    vectors = PassageVectors(
        draw.normal(size=(2, 4)).astype(np.float16),
        draw.integers(-127, 128, size=(5, 3)).astype(np.int8),
        np.array([0, 2, 5], dtype=np.int32),
    )
    return NewPassage(whole, vectors, f"digest {of.id} {seed}", terms, head)


def same_vectors(a: PassageVectors, b: PassageVectors) -> None:
    for one, other in ((a.rows, b.rows), (a.token_embeddings, b.token_embeddings), (a.cuts, b.cuts)):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def put(store: Store, of: Document, *passages: NewPassage) -> int:
    with store.writing() as generation:
        store.put(of, FILE, passages or (passage(of),), generation)
    return generation


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path, create=True) as opened:
        yield opened


def test_a_folder_without_an_index_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="clusterqa index"):
        open_store(tmp_path)
    assert not (tmp_path / DATABASE).exists()


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
    )  # fmt: skip
    new = passage(a)
    put(store, a, new)
    assert store.read(a.id) == a
    ((_, language, found, vectors),) = store.passages()
    assert language == "en"
    assert found == new.passage
    same_vectors(vectors, new.vectors)


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
    assert [p.text for _, _, p, _ in store.passages(after_generation=1)] == ["Silver."]
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


def test_the_file_itself_holds_no_stem_of_a_removed_document(store: Store, tmp_path: Path) -> None:
    """The folded stem "zmogzudyst" stands nowhere in the text, so the stored text cannot hide it."""
    put(store, document())
    b = document("b.md", "Žmogžudystėms.")
    put(store, b, passage(b, "zmogzudyst"))
    store.forget_log()
    assert b"zmogzudyst" in (tmp_path / DATABASE).read_bytes()
    with store.writing() as generation:
        store.remove("b.md", generation)
        store.forget_terms()
    store.forget_log()
    for path in tmp_path.iterdir():
        assert b"zmogzudyst" not in path.read_bytes(), path.name


def test_the_vectors_of_a_removed_document_are_overwritten_in_the_file(store: Store, tmp_path: Path) -> None:
    b = document("b.md")
    new = passage(b, seed=7)
    put(store, document())
    put(store, b, new)
    store.forget_log()
    assert new.vectors.rows.tobytes() in (tmp_path / DATABASE).read_bytes()
    assert new.vectors.token_embeddings.tobytes() in (tmp_path / DATABASE).read_bytes()
    with store.writing() as generation:
        store.remove("b.md", generation)
    store.forget_log()
    left = (tmp_path / DATABASE).read_bytes()
    assert new.vectors.rows.tobytes() not in left and new.vectors.token_embeddings.tobytes() not in left


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


def test_a_reader_keeps_its_view_while_another_process_writes(store: Store, tmp_path: Path) -> None:
    put(store, document())
    script = (
        "import sys; from pathlib import Path\n"
        "from clusterqa.store import open_store\n"
        "with open_store(Path(sys.argv[1])) as s, s.writing() as generation: s.remove('a.en.md', generation)\n"
    )
    with store.reading():
        assert store.generation() == 1
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, timeout=60)
        assert store.generation() == 1
        assert len(list(store.passages())) == 1
        assert store.matching(["gold"]) == {1: (True, False)}
    assert store.generation() == 2
    assert list(store.passages()) == []
    assert store.matching(["gold"]) == {}


def test_what_is_being_written_is_seen_by_nobody_else(store: Store, tmp_path: Path) -> None:
    put(store, document())
    with store.writing() as generation, open_store(tmp_path) as other:
        store.remove("a.en.md", generation)
        assert store.matching(["gold"]) == {}
        assert (other.generation(), other.matching(["gold"])) == (1, {1: (True, False)})


def test_vectors_are_found_again_by_what_was_encoded(store: Store) -> None:
    new = passage(document(), seed=3)
    put(store, document(), new)
    found = store.vectors_by_digest([new.digest, "never seen", *map(str, range(1200))])
    assert list(found) == [new.digest]
    same_vectors(found[new.digest], new.vectors)


def test_an_encoder_without_token_embeddings_leaves_none(store: Store) -> None:
    rows = np.ones((2, 4), dtype=np.float16)
    put(store, document(), replace(passage(document()), vectors=PassageVectors(rows)))
    ((_, _, _, vectors),) = store.passages()
    same_vectors(vectors, PassageVectors(rows))


def test_a_store_of_another_version_says_to_rebuild(store: Store, tmp_path: Path) -> None:
    with store.writing():
        store.set_meta("schema", "0")
    with pytest.raises(StoreError, match="clusterqa index --rebuild"):
        open_store(tmp_path)


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("DELETE FROM vectors WHERE passage = 2", "1 passages without vectors"),
        ("DELETE FROM stems WHERE rowid = 2", "1 passages without stems"),
        ("DELETE FROM passages WHERE id = 2", "1 vectors without a passage"),
        ("DELETE FROM versions WHERE document = 'a.en.md'", "1 documents without their text"),
        ("UPDATE documents SET state = 'removed' WHERE id = 'a.en.md'", "1 passages of a document that is not live"),
        ("UPDATE versions SET text = 'x' WHERE document = 'a.en.md'", "text of a.en.md does not have its checksum"),
        ("UPDATE vectors SET data = x'00' WHERE passage = 2", "1 vectors without their checksum"),
        ("UPDATE stems_content SET c0 = 'other' WHERE id = 2", "the lexical index does not fit the passages"),
    ],
)
def test_what_does_not_fit_together_is_named(store: Store, tmp_path: Path, sql: str, named: str) -> None:
    put(store, document("z.md"))
    put(store, document())
    with sqlite3.connect(tmp_path / DATABASE) as raw:
        raw.execute(sql)
    raw.close()
    assert any(named in line for line in store.damage()), store.damage()


@pytest.mark.parametrize("which", ["rows", "token_embeddings"])
def test_one_bit_that_turned_in_the_file_is_named_and_never_searched(store: Store, tmp_path: Path, which: str) -> None:
    """SQLite itself looks at the order of its pages, not at what stands in a value."""
    new = passage(document(), seed=5)
    put(store, document(), new)
    store.close()
    path = tmp_path / DATABASE
    raw = bytearray(path.read_bytes())
    raw[raw.index(getattr(new.vectors, which).tobytes()) + 3] ^= 1
    path.write_bytes(raw)
    with open_store(tmp_path) as opened:
        assert opened.damage() == ["1 vectors without their checksum"]
        with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
            list(opened.passages())


def test_a_text_that_changed_in_the_file_is_named_and_never_quoted(store: Store, tmp_path: Path) -> None:
    put(store, document(text="It costs 2,250 euro."))
    store.close()
    path = tmp_path / DATABASE
    path.write_bytes(path.read_bytes().replace(b"It costs 2,250 euro.", b"It costs 9,250 euro."))
    with open_store(tmp_path) as opened:
        assert opened.damage() == ["the stored text of a.en.md does not have its checksum"]
        with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
            list(opened.passages())


def test_looking_for_damage_while_another_process_writes_finds_none(store: Store, tmp_path: Path) -> None:
    put(store, document())
    with open_store(tmp_path) as other, store.writing() as generation:
        other._db.execute("PRAGMA busy_timeout = 50")
        store.remove("a.en.md", generation)
        assert other.damage() == []


def test_vectors_that_were_cut_short_are_damage_and_not_a_crash(store: Store, tmp_path: Path) -> None:
    put(store, document())
    with sqlite3.connect(tmp_path / DATABASE) as raw:
        raw.execute("UPDATE vectors SET data = x'000000'")
    raw.close()
    with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
        list(store.passages())


def test_a_file_that_is_no_database_is_damage(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
        open_store(tmp_path)


def test_a_locked_database_is_not_called_damaged(store: Store, tmp_path: Path) -> None:
    with open_store(tmp_path) as other, store.writing():
        other._db.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(StoreError, match="Another program is writing") as caught, other.writing():
            pass
    assert not isinstance(caught.value, StoreDamaged)


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(StoreError, match="--data DIR"):
        open_store(tmp_path / "data", create=True)
