"""Moving a store: everything is there afterwards, whatever cut it off on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from clusterqa import moving
from clusterqa.cli import cli
from clusterqa.corpus import sync
from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.retrieval.profile import Profile
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Home, Settings
from clusterqa.store import exists, open_store, open_tables
from clusterqa.store.sqlite import DATABASE
from engines import postgres_address
from store_fixtures import document, passage, put, remove
from test_served import PAGES, QUESTIONS
from words_encoder import WordTokens

ENCODER = WordTokens()


@pytest.fixture
def filled(tmp_path: Path) -> Home:
    """A store with all that there can be: several versions, removed documents, gaps between numbers, unreadable files."""
    home = Home(tmp_path / "data")
    with open_store(home, create=True) as store:
        for number in range(6):
            name = f"ž{number}.lt.md"
            put(
                store,
                document(name, f"Pirma {number}."),
                passage(document(name, f"Pirma {number}."), f"pirm w{number}"),
            )
            if number % 2:
                put(
                    store,
                    document(name, f"Antra {number}.", tags=("a", "ą")),
                    passage(document(name, f"Antra {number}.")),
                )
        remove(store, "ž5.lt.md")
        with store.writing():
            store.set_meta("epoch", "one")
            store.set_unreadable([("x.pdf", "broken", "mend it")])
    return home


@pytest.fixture
def server(tmp_path: Path) -> Home:
    return Home(tmp_path / "data", postgres_address())


def everything(home: Home) -> object:
    with open_tables(home) as store:
        copies = {name: store.copy_of(name) for name in store.seals()}
        return store.damage(), store.counts(), {name: {k: sorted(v) for k, v in c.items()} for name, c in copies.items()}, {
            where: sorted(rows) for where, rows in store.copy_of_whole().items()
        }  # fmt: skip


def test_there_and_back_is_the_same_to_the_last_byte(filled: Home, server: Home, tmp_path: Path) -> None:
    back = Home(tmp_path / "back")
    moved = moving.move(filled, server)
    assert (moved.counts["documents"], moved.counts["versions"], moved.counts["passages"]) == (6, 9, 5)
    assert moved.copied == 6
    moving.move(server, back)
    assert everything(filled) == everything(server) == everything(back)
    with open_store(back) as one, open_store(server) as other:
        for store in (one, other):  # and goes on as the first would
            put(store, document("new.md"))
        assert [entry.id for entry in one.passages()] == [entry.id for entry in other.passages()]
        assert [entry.id for entry in one.passages()][-1] == 10
        assert one.meta("seal") == other.meta("seal")


def test_answers_are_the_same_afterwards(
    settings: Settings, server: Home, write: Callable[[str, str], object], index: Callable[..., object]
) -> None:
    for name, text in PAGES.items():
        write(name, text)
    index(ENCODER)
    moving.move(settings.home, server)
    moved = settings.model_copy(update={"store": server.store})
    with (
        KnowledgeBase(settings, ENCODER, Profile.bundled()) as usual,
        KnowledgeBase(moved, ENCODER, Profile.bundled()) as kb,
    ):
        for question in QUESTIONS:
            assert replace(kb.ask(question), id=None) == replace(usual.ask(question), id=None)
    assert sync.update(moved, lambda: ENCODER).unchanged == len(PAGES)  # nothing is encoded again


@pytest.mark.parametrize("way", ["to the server", "from the server"])
def test_a_move_that_was_killed_goes_on(way: str, filled: Home, server: Home, tmp_path: Path) -> None:
    source, target = filled, server
    if way == "from the server":
        moving.move(filled, server)
        source, target = server, Home(tmp_path / "back")
    killed = """
import os, signal, sys
from pathlib import Path
from clusterqa import moving
from clusterqa.settings import Home
from clusterqa.store.tables import TableStore
moving.AT_ONCE = 1
take, left = TableStore.take, int(sys.argv[5])
def take_or_die(self, copy):
    global left
    take(self, copy)
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
TableStore.take = take_or_die
moving.move(Home(Path(sys.argv[1]), sys.argv[2]), Home(Path(sys.argv[3]), sys.argv[4]))
"""
    for documents in (0, 2):
        places = [str(source.data), source.store, str(target.data), target.store]
        done = subprocess.run([sys.executable, "-c", killed, *places, str(documents)], env=os.environ, timeout=120)
        assert done.returncode == -signal.SIGKILL
        with pytest.raises(StoreError, match=r"Only a part of what is moved to .* Go on with: clusterqa move"):
            open_store(target)
    assert moving.move(source, target).copied == 6 - 2
    assert everything(source) == everything(target)
    assert moving.move(source, target).copied == 0


@pytest.fixture
def cut_off(filled: Home, server: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """A move that came to its last step, and not through it."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("clusterqa.store.tables.TableStore.take_whole", interrupted)
        moving.move(filled, server)


@pytest.mark.usefixtures("cut_off")
def test_another_store_takes_the_place_of_what_was_cut_off(filled: Home, server: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    with open_store(other, create=True) as store:
        for name in ("ž3.lt.md", "ą.lt.md"):  # with numbers of passages that the first store used for others
            put(store, document(name))
    assert moving.move(other, server).copied == 2
    assert everything(other) == everything(server)


@pytest.mark.usefixtures("cut_off")
def test_what_changed_since_it_was_cut_off_is_copied_anew(filled: Home, server: Home) -> None:
    with open_store(filled) as store:
        put(store, document("ž0.lt.md", "Kita."))
        remove(store, "ž1.lt.md")
        put(store, document("new.md"))
    assert moving.move(filled, server).copied == 3
    assert everything(filled) == everything(server)


def test_a_row_that_is_lost_on_the_way_is_missed(filled: Home, server: Home) -> None:
    address, _, schema = server.store.partition("&schema=")

    def lose(done: int, total: int) -> None:
        if done == total:
            return
        with psycopg.connect(address, autocommit=True) as db:  # a trigger that loses what is written
            db.execute(f"SET search_path TO {schema}; CREATE OR REPLACE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS "
                       "'BEGIN IF NEW.passage = 1 THEN RETURN NULL; END IF; RETURN NEW; END'; "
                       "CREATE TRIGGER lose BEFORE INSERT ON tokens FOR EACH ROW EXECUTE FUNCTION lose()")  # fmt: skip

    with pytest.raises(StoreDamaged, match="1 passages without tokens"):
        moving.move(filled, server, lose)
    with pytest.raises(StoreError, match="Only a part"):
        open_store(server)


def test_what_cannot_be_moved_is_refused(filled: Home, server: Home, tmp_path: Path) -> None:
    with pytest.raises(IndexNotFound):
        moving.move(Home(tmp_path / "none"), server)
    assert not exists(server)
    with pytest.raises(StoreError, match="is named twice"):
        moving.move(filled, filled)
    with open_store(server, create=True) as store:
        put(store, document())
    with pytest.raises(StoreError, match=r"There is another index at .* Name an empty place"):
        moving.move(filled, server)
    with psycopg.connect(server.store.partition("&schema=")[0], autocommit=True) as db:
        db.execute(f"DROP SCHEMA {server.store.partition('&schema=')[2]} CASCADE")
    (filled.data / DATABASE).write_bytes((filled.data / DATABASE).read_bytes().replace(b"Pirma 0.", b"Pirma 1."))
    with pytest.raises(StoreDamaged, match="so it is not moved"):
        moving.move(filled, server)
    assert not exists(server)


def test_the_command_says_what_was_moved_and_no_password(
    filled: Home, server: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "corpus").mkdir()

    def run(*words: str) -> str:
        return CliRunner().invoke(cli, ["move", "--data", str(filled.data), *words]).output

    to = server.store.replace("clusterqa@", "clusterqa:s3cret@")
    told = run("--from", "sqlite", "--to", to)
    assert "6 documents, 9 versions, 5 passages; 6 documents were copied now. Every checksum is right." in told
    told += run("--from", to, "--to", f"sqlite:{tmp_path / 'back'}")
    assert everything(Home(tmp_path / "back")) == everything(filled)
    told += run("--from", "sqlite", "--to", "postgresql://me:s3cret@127.0.0.1:1/kb")
    assert "cannot be reached" in told
    assert "s3cret" not in told
    for wrong in ("mysql://me:s3cret@here", "sqlite:", "pgvector:postgresql://a/b"):
        assert '--to is no place. Write "sqlite"' in (refused := run("--from", "sqlite", "--to", wrong))
        assert "s3cret" not in refused
