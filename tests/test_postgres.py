"""The store in PostgreSQL: questions are answered from it as from the file; and what is its affair alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from clusterqa import backup, doctor
from clusterqa.backup import BackupError
from clusterqa.cli import common
from clusterqa.corpus import sync
from clusterqa.corpus.lock import writer_lock
from clusterqa.errors import IndexNotFound, SettingsError, StoreDamaged, StoreError
from clusterqa.moving import move
from clusterqa.retrieval.profile import Profile
from clusterqa.runtime import KnowledgeBase, index_of
from clusterqa.settings import Home, Settings
from clusterqa.store import asides, exists, open_store, postgres, size
from clusterqa.store.sqlite import DATABASE
from engines import postgres_address
from store_fixtures import document, passage, put, remove
from test_served import PAGES, QUESTIONS
from words_encoder import WordTokens

ENCODER = WordTokens()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A place in the server that nobody has used."""
    return Home(tmp_path / "data", postgres_address())


@pytest.fixture
def served(settings: Settings, home: Home, write: Callable[[str, str], object]) -> Settings:
    """Settings of a corpus that is indexed in PostgreSQL."""
    for name, text in PAGES.items():
        write(name, text)
    settings = settings.model_copy(update={"store": home.store})
    sync.update(settings, lambda: ENCODER)
    return settings


@pytest.fixture
def db(home: Home) -> Iterator[psycopg.Connection]:
    """A connection of somebody else, to the schema of the store."""
    address, _, schema = home.store.partition("&schema=")
    with psycopg.connect(address, autocommit=True, options=f"-csearch_path={schema}") as db:
        yield db


def at(settings: Settings, name: str, **changes: object) -> Settings:
    """The same corpus and store from another machine: with a data folder of its own."""
    return settings.model_copy(update={"data": settings.data / name, **changes})


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("index", ["faiss", "pgvector"])
def test_questions_are_answered_as_from_the_file(
    index: str, served: Settings, settings: Settings, write: Callable[[str, str], object]
) -> None:
    in_file = settings.model_copy(update={"data": settings.data / "file"})
    kind = {"index": index if index == "faiss" else f"pgvector:{postgres_address()}"}
    sync.update(in_file, lambda: ENCODER)
    with (
        KnowledgeBase(in_file, ENCODER, Profile.bundled()) as usual,
        KnowledgeBase(served.model_copy(update=kind), ENCODER, Profile.bundled()) as kb,
        KnowledgeBase(at(served, "other", **kind), ENCODER, Profile.bundled()) as other,
    ):
        for _ in range(2):
            for question in QUESTIONS:
                one = replace(usual.ask(question), id=None)
                assert [replace(each.ask(question), id=None) for each in (kb, other)] == [one, one]
            write("bronze.en.md", "# Bronze\n\nThe price of the gold label falls to 5 euro in May.\n")
            usual.update()
            other.update()
        assert kb.generation == other.generation == usual.generation == 2
        assert [hit.source.document for hit in kb.search("bronze", 1)] == ["bronze.en.md"]


def test_what_is_in_both_has_one_checksum(served: Settings, settings: Settings) -> None:
    sync.update(settings, lambda: ENCODER)
    with open_store(settings.home) as file, open_store(served.home) as server:
        with file.noting():  # the one thing that is drawn
            file.set_meta("epoch", server.meta("epoch") or "")
        assert file.meta("seal") == server.meta("seal")
        assert file.vocabulary() == server.vocabulary()
        assert file.counts() == server.counts()


@pytest.mark.parametrize("happens", ["the connection breaks", "the schema is made anew"])
def test_the_next_question_is_answered_again_after(happens: str, served: Settings, db: psycopg.Connection) -> None:
    with KnowledgeBase(served, ENCODER, Profile.bundled()) as kb:
        before = replace(kb.ask(QUESTIONS[0]), id=None)
        if happens == "the connection breaks":
            db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        else:
            db.execute(f"DROP SCHEMA {served.store.partition('&schema=')[2]} CASCADE")
            sync.update(served, lambda: ENCODER)
        assert replace(kb.ask(QUESTIONS[0]), id=None) == before


# ── one writer ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_runs_on_two_machines_do_not_change_it_at_once(served: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "WAIT_FOR_RUN", "50ms")
    with writer_lock(served.home), writer_lock(served.home):  # one thread may take it twice
        told: list[str] = []

        def run() -> None:
            try:
                sync.update(at(served, "other"), lambda: ENCODER)
            except StoreError as error:
                told.append(str(error))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    assert len(told) == 1 and told[0].startswith("Another program is writing to postgresql:///postgres (schema test")
    assert sync.update(at(served, "other"), lambda: ENCODER).unchanged == len(PAGES)


def test_writers_wait_for_each_other(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "WAIT", "50ms")
    with open_store(home, create=True) as store, open_store(home) as other:
        with store.writing(), pytest.raises(StoreError, match=r"Wait for it, then try again\.$"), other.writing():
            pass
        put(other, document())
        assert store.generation() == 2


# ── what was removed, and damage ────────────────────────────────────────────────────────────────────────────────


def test_what_was_removed_is_swept_out(home: Home, db: psycopg.Connection) -> None:
    with open_store(home, create=True) as store:
        a, b = document("a.md"), document("b.md")
        put(store, a)
        put(store, b, passage(b, "zmogzudyst"))
        remove(store, "b.md")
        dead = (
            "SELECT sum(n_dead_tup) FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = 'stems'"
        )
        db.execute("SELECT pg_stat_force_next_flush()")
        store.forget_log()
        assert db.execute("SELECT pg_stat_clear_snapshot()") and db.execute(dead).fetchall() == [(0,)]
        assert db.execute("SELECT body FROM stems").fetchall() == [("gold year",)]


@pytest.mark.parametrize(
    ("sql", "named"),
    [
        ("UPDATE passages SET start = start + 1 WHERE id = 1", "1 passages without their checksum"),
        ("UPDATE versions SET text = text || 'x'", "the stored text of a.en.md does not have its checksum"),
        ("UPDATE documents SET title = 'B'", "what is known of a.en.md does not have its checksum"),
        ("UPDATE stems SET body = 'silver'", "1 stems without their checksum"),
        ("DELETE FROM tokens", "1 passages without tokens"),
        ("INSERT INTO stems VALUES (7, 'a', 'b')", "1 stems without a passage"),
        ("UPDATE sqlite_sequence SET seq = 0", "the list of documents and facts does not have its checksum"),
    ],
)
def test_what_does_not_fit_together_is_named(sql: str, named: str, home: Home, db: psycopg.Connection) -> None:
    with open_store(home, create=True) as store:
        put(store, document())
        db.execute(sql)
        assert named in store.damage()


def test_a_rebuild_puts_a_damaged_store_aside(served: Settings, db: psycopg.Connection) -> None:
    db.execute("UPDATE vectors SET data = data || '\\x00'")
    with pytest.raises(StoreDamaged, match="clusterqa index --rebuild"), KnowledgeBase(served, ENCODER):
        pass
    (whole,) = [finding for finding in doctor.examine(served, lambda: ENCODER) if finding.what == "database"]
    assert not whole.ok and "3 vectors without their checksum" in whole.detail
    sync.update(served, lambda: ENCODER, rebuild=True)
    told = {finding.what: finding for finding in doctor.examine(served, lambda: ENCODER)}
    assert told["database"].detail == "whole"
    schema = served.store.partition("&schema=")[2]
    assert asides(served.home) == [f"{schema}_damaged_1"]
    assert told["set aside"].detail.startswith(f"{schema}_damaged_1: ")
    assert f"in postgresql:///postgres (schema {schema})" in told["index"].detail


def test_a_lost_table_is_damage(home: Home, db: psycopg.Connection) -> None:
    with open_store(home, create=True) as store:
        put(store, document())
        db.execute("DROP TABLE tokens")
        with pytest.raises(StoreDamaged, match='"tokens" does not exist'):
            store.damage()


# ── places ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_there_is_none_before_it_is_made(home: Home) -> None:
    assert not exists(home)
    with pytest.raises(IndexNotFound, match=r"^There is no index at postgresql:///postgres \(schema test"):
        open_store(home)
    assert size(home) == 0
    open_store(home, create=True).close()
    assert exists(home)
    assert size(home) > 8192


def test_a_schema_with_other_tables_is_left_alone(home: Home, served: Settings) -> None:
    address = postgres_address()
    with psycopg.connect(address.partition("&schema=")[0], autocommit=True) as db:
        schema = address.partition("&schema=")[2]
        db.execute(f"CREATE SCHEMA {schema}; CREATE TABLE {schema}.theirs ()")
    with pytest.raises(
        StoreError, match=r"tables of something else .* Give the store a schema of its own: \?schema=NAME$"
    ):
        open_store(Home(home.data, address), create=True)
    mixed = served.model_copy(update={"index": f"pgvector:{served.store}"})
    with pytest.raises(StoreError, match=r"Give the index a schema of its own: \?schema=NAME$"):
        index_of(mixed, ENCODER).refresh()


def test_an_odd_name_of_a_schema_is_only_a_name(home: Home) -> None:
    address = home.store.partition("&schema=")[0]
    odd = Home(home.data, f"{address}&schema=O%27Neil%22%3B%20x")
    with open_store(odd, create=True) as store:
        put(store, document())
        assert store.current()
    assert exists(odd) and size(odd) > 8192


def test_a_server_that_is_not_there_is_named_without_its_password(settings: Settings) -> None:
    away = settings.model_copy(update={"store": "postgresql://me:s3cret@127.0.0.1:1/kb"})
    with pytest.raises(StoreError) as refused:
        open_store(away.home)
    told = str(refused.value)
    assert told.startswith("The index at postgresql://127.0.0.1:1/kb (schema clusterqa_store) cannot be reached (")
    assert told.endswith('correct the setting store; store = "sqlite" goes without a server.')
    findings = doctor.examine(away, lambda: ENCODER)
    assert any(told == finding.detail for finding in findings)
    with pytest.raises(StoreError, match="cannot be reached"):
        common.update_index(away, encoder=lambda: ENCODER)
    shown = [told, str(findings), repr(away), repr(away.home)]
    assert not any("s3cret" in text for text in shown)


@pytest.mark.parametrize(
    "address",
    ["me:s3@cret@here/kb", "me:12/s3cret@here/kb", "me:s3cret/x@here/kb", "me:12?s3cret@here/kb", "me:12#s3cret@here/kb",
     "me:s3%cret@here/kb", "me:x@here/kb?s3cret=1", "me:x@here:s3cret/kb"],
)  # fmt: skip
@pytest.mark.parametrize("setting", ["store", "index"])
def test_an_address_that_is_none_is_refused_and_not_printed(setting: str, address: str, settings: Settings) -> None:
    value = {"store": f"postgresql://{address}", "index": f"pgvector:postgresql://{address}"}[setting]
    wrong = settings.model_copy(update={setting: value})
    with pytest.raises(SettingsError, match=f"^{setting} is no address of PostgreSQL. It looks like ") as refused:
        open_store(wrong.home) if setting == "store" else index_of(wrong, ENCODER)
    assert "cret" not in f"{refused.value} {wrong!r}"


@pytest.mark.parametrize("store", ["postgresql:", "mysql://a/b", "postgresql://s3cret b", "sqlite:x"])
def test_a_store_that_there_is_none_of_is_refused_and_not_printed(store: str) -> None:
    with pytest.raises(SettingsError, match=r"^--store has a wrong value: String should match") as refused:
        Settings.load({"store": store})
    assert "s3cret" not in str(refused.value)


def test_a_backup_has_the_index_as_a_file_and_it_goes_to_a_server_again(served: Settings, tmp_path: Path) -> None:
    (served.data / DATABASE).write_bytes(b"left over from the time before the server")
    saved = backup.save(served, tmp_path / "b.zip")
    assert {member.path for member in saved.members} >= {f"data/{DATABASE}", *(f"corpus/{name}" for name in PAGES)}
    assert backup.check(tmp_path / "b.zip") == saved
    with pytest.raises(
        BackupError, match=r"CLUSTERQA_STORE=sqlite clusterqa restore .*, then clusterqa move --from sqlite"
    ):
        backup.restore(served, tmp_path / "b.zip")
    restored = served.model_copy(update={"corpus": tmp_path / "corpus2", "data": tmp_path / "data2", "store": "sqlite"})
    assert backup.restore(restored, tmp_path / "b.zip").remarks == ()
    again = restored.model_copy(update={"store": postgres_address()})
    move(restored.home, again.home)
    with (
        KnowledgeBase(served, ENCODER, Profile.bundled()) as kb,
        KnowledgeBase(again, ENCODER, Profile.bundled()) as other,
    ):
        for question in QUESTIONS:
            assert replace(other.ask(question), id=None) == replace(kb.ask(question), id=None)


def test_a_backup_without_an_index_has_the_rest(served: Settings, home: Home, tmp_path: Path) -> None:
    empty = served.model_copy(update={"store": postgres_address()})
    assert {member.path for member in backup.save(empty, tmp_path / "b.zip").members} >= {
        f"corpus/{name}" for name in PAGES
    }
    assert not exists(empty.home)
