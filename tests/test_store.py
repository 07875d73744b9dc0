"""The store in SQLite: what its file holds, what turns up in it damaged, and who may write to it when."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.store import open_store
from clusterqa.store.sqlite import DATABASE, SqliteStore
from store_fixtures import document, passage, put


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path, create=True) as opened:
        yield opened


def test_a_folder_without_an_index_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="clusterqa index"):
        open_store(tmp_path)
    assert not (tmp_path / DATABASE).exists()


def test_the_file_itself_holds_no_stem_of_a_removed_document(store: SqliteStore, tmp_path: Path) -> None:
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


def test_the_vectors_of_a_removed_document_are_overwritten_in_the_file(store: SqliteStore, tmp_path: Path) -> None:
    b = document("b.md")
    new = passage(b, seed=7)
    put(store, document())
    put(store, b, new)
    store.forget_log()
    assert new.vectors.rows.tobytes() in (tmp_path / DATABASE).read_bytes()
    assert new.vectors.tokens.states.tobytes() in (tmp_path / DATABASE).read_bytes()
    with store.writing() as generation:
        store.remove("b.md", generation)
    store.forget_log()
    left = (tmp_path / DATABASE).read_bytes()
    assert new.vectors.rows.tobytes() not in left and new.vectors.tokens.states.tobytes() not in left


def test_a_reader_keeps_its_view_while_another_process_writes(store: SqliteStore, tmp_path: Path) -> None:
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


def test_a_store_of_another_version_says_to_rebuild(store: SqliteStore, tmp_path: Path) -> None:
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
def test_what_does_not_fit_together_is_named(store: SqliteStore, tmp_path: Path, sql: str, named: str) -> None:
    put(store, document("z.md"))
    put(store, document())
    with sqlite3.connect(tmp_path / DATABASE) as raw:
        raw.execute(sql)
    raw.close()
    assert any(named in line for line in store.damage()), store.damage()


@pytest.mark.parametrize("which", ["vectors", "tokens"])
def test_one_bit_that_turned_in_the_file_is_named_and_never_searched(
    store: SqliteStore, tmp_path: Path, which: str
) -> None:
    """SQLite itself looks at the order of its pages, not at what stands in a value."""
    new = passage(document(), seed=5)
    put(store, document(), new)
    store.close()
    path = tmp_path / DATABASE
    raw = bytearray(path.read_bytes())
    kept = {"vectors": new.vectors.rows.tobytes(), "tokens": new.vectors.tokens.states.tobytes()}[which]
    raw[raw.index(kept) + 3] ^= 1
    path.write_bytes(raw)
    with open_store(tmp_path) as opened:
        assert opened.damage() == [f"1 {which} without their checksum"]
        with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
            opened.tokens([entry.id for entry in opened.passages()])


def test_a_text_that_changed_in_the_file_is_named_and_never_quoted(store: SqliteStore, tmp_path: Path) -> None:
    put(store, document(text="It costs 2,250 euro."))
    store.close()
    path = tmp_path / DATABASE
    path.write_bytes(path.read_bytes().replace(b"It costs 2,250 euro.", b"It costs 9,250 euro."))
    with open_store(tmp_path) as opened:
        assert opened.damage() == ["the stored text of a.en.md does not have its checksum"]
        with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
            list(opened.passages())


def test_looking_for_damage_while_another_process_writes_finds_none(store: SqliteStore, tmp_path: Path) -> None:
    put(store, document())
    with SqliteStore.open(tmp_path) as other, store.writing() as generation:
        other._db.execute("PRAGMA busy_timeout = 50")
        store.remove("a.en.md", generation)
        assert other.damage() == []


def test_vectors_that_were_cut_short_are_damage_and_not_a_crash(store: SqliteStore, tmp_path: Path) -> None:
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


def test_a_locked_database_is_not_called_damaged(store: SqliteStore, tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path) as other, store.writing():
        other._db.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(StoreError, match="Another program is writing") as caught, other.writing():
            pass
    assert not isinstance(caught.value, StoreDamaged)


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(StoreError, match="--data DIR"):
        open_store(tmp_path / "data", create=True)
