"""The store in SQLite: what its file holds, what turns up in it damaged, and who may write to it when."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.records import PassageVectors
from clusterqa.settings import Home
from clusterqa.store import open_store
from clusterqa.store.damage import DRAWN, wrong_rows
from clusterqa.store.sqlite import DATABASE, SqliteStore
from clusterqa.store.tables import SAMPLED, SCHEMA_VERSION, Row
from store_fixtures import FILE, assert_same_vectors, document, passage, put, remove


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(tmp_path, create=True) as opened:
        yield opened


DROP_1 = (
    "DELETE FROM passages WHERE id = 1; DELETE FROM vectors WHERE passage = 1; DELETE FROM tokens WHERE passage = 1; "
    "DELETE FROM stems WHERE rowid = 1;"
)


def change(data: Path, sql: str) -> None:
    """Do to the database what nobody should."""
    with closing(sqlite3.connect(data / DATABASE)) as raw:
        raw.executescript(sql)


def test_a_folder_without_an_index_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound, match="clusterqa index"):
        open_store(Home(tmp_path))
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
        "from clusterqa.settings import Home\n"
        "from clusterqa.store import open_store\n"
        "with open_store(Home(Path(sys.argv[1]))) as s, s.writing() as generation: s.remove('a.en.md', generation)\n"
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
        open_store(Home(tmp_path))


TO_VERSION_4 = """
DROP INDEX passages_terms; DROP INDEX versions_seal;
ALTER TABLE documents DROP COLUMN seal; ALTER TABLE documents DROP COLUMN passages; ALTER TABLE versions DROP COLUMN seal;
ALTER TABLE documents DROP COLUMN valid_until; ALTER TABLE documents DROP COLUMN review_by;
ALTER TABLE passages DROP COLUMN seal; ALTER TABLE passages DROP COLUMN terms;
ALTER TABLE vectors RENAME COLUMN seal TO crc32; UPDATE vectors SET crc32 = crc32(data);
ALTER TABLE tokens RENAME COLUMN seal TO crc32; UPDATE tokens SET crc32 = crc32(states, ids, cuts);
DELETE FROM meta WHERE key = 'seal'; UPDATE meta SET value = '4' WHERE key = 'schema';
"""


def take_back_to_version_4(data: Path) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as raw:
        raw.create_function("crc32", -1, lambda *parts: zlib.crc32(b"".join(parts)), deterministic=True)
        raw.executescript(TO_VERSION_4)


def test_an_index_of_version_4_gets_its_checksums_where_it_stands(store: SqliteStore, tmp_path: Path) -> None:
    put(store, document("gone.md"))
    put(store, document(text="Earlier."))
    put(store, document())
    put(store, document("z.md"))
    remove(store, "z.md")  # its id is not used again
    before = ([*store.documents(state=None)], [entry.passage for entry in store.passages()], store.versions("a.en.md"))
    tokens = store.tokens([1, 3])
    store.close()
    take_back_to_version_4(tmp_path)
    with open_store(Home(tmp_path)) as new:
        assert new.damage() == []
        assert ([*new.documents(None)], [e.passage for e in new.passages()], new.versions("a.en.md")) == before
        for one, other in zip(new.tokens([1, 3]), tokens, strict=True):
            assert_same_vectors(
                PassageVectors(np.zeros((0, 0), np.float16), one), PassageVectors(np.zeros((0, 0), np.float16), other)
            )
        assert new.matching(["gold"]) == {1: (True, False), 3: (True, False)}
        put(new, document("new.md"))
        assert [entry.id for entry in new.passages()] == [1, 3, 5]
        assert new.damage() == []
    with open_store(Home(tmp_path)) as again:
        assert again.meta("schema") == SCHEMA_VERSION


@pytest.mark.parametrize("sql", ["UPDATE vectors SET data = x'00'", "UPDATE versions SET text = 'x'"])
def test_an_index_of_version_4_that_is_damaged_is_not_sealed_as_it_is(
    store: SqliteStore, tmp_path: Path, sql: str
) -> None:
    put(store, document())
    store.close()
    take_back_to_version_4(tmp_path)
    change(tmp_path, sql)
    before = (tmp_path / DATABASE).read_bytes()
    with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
        open_store(Home(tmp_path))
    assert (tmp_path / DATABASE).read_bytes() == before


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
        ("UPDATE vectors SET rows = 1 WHERE passage = 2", "1 vectors without their checksum"),
        ("UPDATE vectors SET passage = 3 - passage + 10", "2 vectors without a passage"),
        (
            "UPDATE vectors SET passage = -passage; UPDATE vectors SET passage = passage + 3",
            "2 vectors without their checksum",
        ),
        ("UPDATE tokens SET cuts = x'00' WHERE passage = 2", "1 tokens without their checksum"),
        ("UPDATE passages SET start = start + 7 WHERE id = 1", "1 passages without their checksum"),
        ("UPDATE passages SET sentences = '[[0, 4]]'", "2 passages without their checksum"),
        ("UPDATE passages SET heading = '[\"Other\"]', page = 9 WHERE id = 1", "1 passages without their checksum"),
        ("UPDATE passages SET start = 'x'", "2 passages without their checksum"),
        ("UPDATE documents SET title = 'Other' WHERE id = 'z.md'", "what is known of z.md does not have its checksum"),
        ("UPDATE documents SET sources = '[' WHERE id = 'z.md'", "what is known of z.md does not have its checksum"),
        (
            "UPDATE versions SET blocks = '[]' WHERE document = 'z.md'",
            "the stored text of z.md does not have its checksum",
        ),
        (
            f"{DROP_1} DELETE FROM documents WHERE id = 'z.md'; DELETE FROM versions WHERE document = 'z.md'",
            "the list of documents",
        ),
        (DROP_1, "passages of z.md are missing"),
        ("UPDATE meta SET value = '7' WHERE key = 'generation'", "the list of documents and facts"),
        (
            "UPDATE stems_content SET c0 = 'x' WHERE id = 2; INSERT INTO stems (stems) VALUES ('rebuild')",
            "1 stems without their",
        ),
        ("UPDATE stems_content SET c0 = 'other' WHERE id = 2", "the lexical index does not fit the passages"),
    ],
)
def test_what_does_not_fit_together_is_named(store: SqliteStore, tmp_path: Path, sql: str, named: str) -> None:
    put(store, document("z.md"))
    put(store, document())
    change(tmp_path, sql)
    assert any(named in line for line in store.damage()), store.damage()


def test_a_look_reads_no_more_of_a_large_store_than_of_a_small_one(store: SqliteStore) -> None:
    with store.writing() as generation:
        for number in range(DRAWN + 300):
            one = document(f"{number}.en.md")
            store.put(one, FILE, [passage(one)], generation)
    read: Counter[str] = Counter()
    each = store._each

    def counted(sql: str, parameters: Sequence[object] = ()) -> Iterator[Row]:
        for row in each(sql, parameters):
            read[sql.split(" IN ")[0].split(" WHERE ")[0].strip()] += 1
            yield row

    assert [*wrong_rows(counted, SAMPLED)] == []
    assert read["SELECT document, seal FROM passages"] == read["SELECT * FROM documents"] == DRAWN
    assert read["SELECT * FROM versions"] == SAMPLED
    for table in ("passages", "vectors", "tokens"):
        assert 1 < read[f"SELECT * FROM {table}"] <= SAMPLED
    read.clear()
    assert [*wrong_rows(counted)] == []
    assert {read[f"SELECT * FROM {table}"] for table in ("documents", "passages", "versions", "tokens")} == {
        DRAWN + 300
    }


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE documents SET title = 'Other' WHERE id = '7.en.md'", "what is known of 7.en.md"),
        ("UPDATE documents SET id = NULL WHERE id = '7.en.md'", "1 documents are not found by their names"),
        ("UPDATE passages SET seal = 1 WHERE id = 7", "passages of 6.en.md are missing"),
        ("UPDATE versions SET text = 'x'", "the stored text of"),
        ("UPDATE vectors SET data = x'00'", " vectors without their checksum"),
    ],
)
def test_a_look_finds_what_is_wrong_in_it(store: SqliteStore, tmp_path: Path, sql: str, named: str) -> None:
    for number in range(40):
        put(store, document(f"{number}.en.md"))
    change(tmp_path, sql)
    assert any(named in line for line in wrong_rows(store._each, SAMPLED))


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
    with open_store(Home(tmp_path)) as opened:
        assert opened.damage() == [f"1 {which} without their checksum"]
        with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
            opened.tokens([entry.id for entry in opened.passages()])


def test_a_text_that_changed_in_the_file_is_named_and_never_quoted(store: SqliteStore, tmp_path: Path) -> None:
    put(store, document(text="It costs 2,250 euro."))
    store.close()
    path = tmp_path / DATABASE
    path.write_bytes(path.read_bytes().replace(b"It costs 2,250 euro.", b"It costs 9,250 euro."))
    with open_store(Home(tmp_path)) as opened:
        assert opened.damage() == [
            "the stored text of a.en.md does not have its checksum",
            "1 passages without their checksum",
        ]
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
    change(tmp_path, "UPDATE vectors SET data = x'000000'")
    with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
        list(store.passages())


def test_a_file_that_is_no_database_is_damage(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
        open_store(Home(tmp_path))


def test_a_fault_that_cannot_be_told_in_utf_8_is_damage_too(store: SqliteStore, tmp_path: Path) -> None:
    """SQLite repeats bytes of a broken schema in its message, and Python cannot make a text of them."""
    store.close()
    path = tmp_path / DATABASE
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"title TEXT NOT NULL,", b"title TEXT NOT \xed\xee,,"))
    assert path.read_bytes() != raw
    with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"):
        open_store(Home(tmp_path))


def test_a_locked_database_is_not_called_damaged(store: SqliteStore, tmp_path: Path) -> None:
    with SqliteStore.open(tmp_path) as other, store.writing():
        other._db.execute("PRAGMA busy_timeout = 50")
        with pytest.raises(StoreError, match="Another program is writing") as caught, other.writing():
            pass
    assert not isinstance(caught.value, StoreDamaged)


def test_a_data_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("x")
    with pytest.raises(StoreError, match="--data DIR"):
        open_store(Home(tmp_path / "data"), create=True)
