"""What is kept beside the documents, in files and in PostgreSQL: between processes, after a fault, and moved from one to the other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner

from clusterqa import backup, journal, moving
from clusterqa.books import Book, open_book
from clusterqa.cli import cli
from clusterqa.doctor import examine
from clusterqa.errors import StoreError
from clusterqa.journal import Journal
from clusterqa.moving import move
from clusterqa.settings import IN_A_FILE, Home, Settings
from clusterqa.staff.accounts import Accounts
from clusterqa.staff.audit import Audit, export, verify
from clusterqa.staff.database import STAFF, open_database
from clusterqa.staff.factor import Factors
from clusterqa.staff.history import Event, History
from clusterqa.staff.keys import Keys
from clusterqa.store import open_store
from engines import postgres_address
from store_fixtures import document, put
from test_journal import reply
from words_encoder import WordsEncoder

PASSWORD = "debesis neša geltoną lagaminą"
WRITERS, LINES = 4, 25


@contextmanager
def accounts(home: Home) -> Iterator[Accounts]:
    with closing(open_database(home)) as database:
        yield Accounts(database, Audit(database))


def staff(home: Home, *words: str, stdin: str = "") -> str:
    """`clusterqa staff …` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "clusterqa", "staff", *words, "--data", str(home.data)],
        input=stdin, capture_output=True, text=True, env=os.environ | {"CLUSTERQA_STORE": home.store},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


# ── between processes ───────────────────────────────────────────────────────────────────────────────────────────


def test_writers_at_one_time_make_one_chain(home: Home) -> None:
    program = f"""
import sys
from pathlib import Path
from clusterqa.settings import Home
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import open_database
audit = Audit(open_database(Home(Path(sys.argv[1]), sys.argv[2])))
for number in range({LINES}):
    audit.record(sys.argv[3], "document.published", str(number))
"""
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(home.data), home.store, f"w{number}"])
        for number in range(WRITERS)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * WRITERS
    verdict = verify(home)
    assert verdict is not None and (verdict.lines, verdict.faults) == (WRITERS * LINES, ())
    for number in range(WRITERS):
        assert [line["target"] for line in export(home) if line["who"] == f"w{number}"] == [
            str(n) for n in range(LINES)
        ]


def test_what_one_process_revokes_is_revoked_in_the_others_at_once(home: Home) -> None:
    staff(home, "add", "rasa", stdin=f"{PASSWORD}\n")
    staff(home, "add", "jonas", stdin=f"{PASSWORD} du\n")
    with accounts(home) as book:
        token = book.log_in("jonas", f"{PASSWORD} du", "192.0.2.1").token
        assert book.session(token) is not None
        staff(home, "remove", "jonas")
        assert book.session(token) is None
        assert [person.name for person in book.everyone()] == ["rasa"]
    assert "Whole: " in staff(home, "log", "--verify")
    assert "account.removed" in staff(home, "log")


def test_a_number_is_never_given_twice(home: Home) -> None:
    with accounts(home) as book:
        book.add("rasa", PASSWORD, "administrator", "cli:root")
        first = book.add("jonas", PASSWORD + " du", "editor", "rasa")
        book.remove("jonas", "rasa")
        assert book.add("ona", PASSWORD + " trys", "editor", "rasa").id == first.id + 1


# ── faults ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def server(tmp_path: Path) -> Home:
    return Home(tmp_path / "data", postgres_address())


@contextmanager
def outside(home: Home, book: str) -> Iterator[psycopg.Connection]:
    """Somebody who may do everything in the server."""
    address, _, schema = home.store.partition("&schema=")
    with psycopg.connect(address, autocommit=True, options=f"-csearch_path={schema}_{book}") as db:
        yield db


def test_a_connection_that_broke_is_made_anew(server: Home) -> None:
    with accounts(server) as book, closing(Journal.open(server, 30)) as own, outside(server, "staff") as db:
        book.add("rasa", PASSWORD, "administrator", "cli:root")
        db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        assert own.record(reply(), "chat")
        assert [person.name for person in book.everyone()] == ["rasa"]
        assert book.add("jonas", PASSWORD + " du", "editor", "rasa").name == "jonas"


def test_a_server_that_is_away_says_so_without_the_password(tmp_path: Path) -> None:
    away = Home(tmp_path, "postgresql://me:s3cret@127.0.0.1:1/kb")
    for opened in (open_database, lambda home: Journal.open(home, 30)):
        with pytest.raises(StoreError, match="cannot be used") as told:
            opened(away)
        assert "s3cret" not in str(told.value)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("UPDATE audit SET who = 'x' WHERE id = 2", "Line 2 "),
        ("DELETE FROM audit WHERE id = 2", "Line 2 is missing"),
        ("DELETE FROM audit WHERE id = 3", "The last lines are missing"),
        ("TRUNCATE audit", "The last lines are missing: 3 were written, the last is 0"),
    ],
)
def test_a_log_that_was_changed_in_the_server_is_found(server: Home, change: str, fault: str) -> None:
    with closing(open_database(server)) as database:
        for number in range(3):
            Audit(database).record("rasa", "document.published", f"{number}.md")
    with outside(server, "staff") as db:
        with pytest.raises(psycopg.errors.RaiseException, match="audit log"):
            db.execute(change)
        db.execute("ALTER TABLE audit DISABLE TRIGGER USER")
        db.execute(change)
    verdict = verify(server)
    assert verdict is not None
    assert verdict.faults[0].startswith(fault)
    assert "taken off (audit_goes_on, audit_grows, audit_number, audit_stays)" in verdict.faults[-1]


def test_doctor_looks_at_desk_and_journal_in_the_server(settings: Settings, server: Home) -> None:
    settings = settings.model_copy(update={"store": server.store})

    def told() -> dict[str, tuple[bool, str]]:
        return {found.what: (found.ok, found.detail) for found in examine(settings, WordsEncoder)}

    assert not told().keys() & {"journal", "staff", "activity log"}
    Journal.open(server, 30).record(reply(), "chat")
    with closing(open_database(server)) as database:
        Audit(database).record("rasa", "login")
    found = told()
    assert found["journal"] == found["staff"] == (True, "whole")
    assert found["activity log"] == (True, "whole: 1 lines")
    with outside(server, "journal") as db:
        db.execute("UPDATE questions SET shown = 'x', asked_at = 'yesterday'")
    ok, detail = told()["journal"]
    assert not ok and "1 of questions.asked_at cannot be read; 1 of questions.shown cannot be read" in detail


def test_a_purge_that_a_reader_held_up_in_the_server_is_finished_by_the_next_one(server: Home) -> None:
    with closing(Journal.open(server, 30)) as own, outside(server, "journal") as db:
        assert not own.owing
        own.record(reply("slaptas"), "chat", now=datetime.now(UTC) - timedelta(days=31))
        with db.transaction():
            db.execute("SELECT * FROM questions")
            assert own.purge() == 1
            assert own.owing
        assert own.purge() == 0
        assert not own.owing


# ── moved ───────────────────────────────────────────────────────────────────────────────────────────────────────


def fill(home: Home) -> None:
    with open_store(home, create=True) as store:
        put(store, document("ž.lt.md"))
    with closing(open_database(home)) as database:
        audit = Audit(database)
        book = Accounts(database, audit)
        rasa = book.add("rasa", PASSWORD, "administrator", "cli:root")
        book.add("jonas", PASSWORD + " du", "editor", "rasa")
        book.remove("jonas", "rasa")
        book.log_in("rasa", PASSWORD, "192.0.2.1")
        Factors(database, audit, book).offer(rasa)
        Keys(database, audit).add("portal", 600, "https://example.lt", "rasa")
        History(database).record(Event("rasa", "published", "ž.lt.md", "f" * 64, 1, {"earlier": None}), audit, "ž")
    with closing(Journal.open(home, 30)) as own:
        for number in range(3):
            asked = own.record(reply(f"Klausimas {number}\0?", "not_found"), "chat", 12.5)
            own.give_feedback(asked, False, "wrong_place")
        own.answer_at(asked, "ona@kita.lt")


def kept(home: Home) -> dict[str, list[tuple[object, ...]]]:
    """Every row of both books, by table, where there is one."""
    found = {}
    for title in (STAFF, journal.BOOK):
        with closing(open_book(title, home)) as book, book.using() as db:
            for table in book.columns(db):
                found[f"{title.name}.{table}"] = sorted(book.rows(db, table), key=repr)
    return {table: rows for table, rows in found.items() if rows}


def test_desk_and_journal_move_there_and_back(server: Home, tmp_path: Path) -> None:
    filled, back = Home(tmp_path / "files"), Home(tmp_path / "back")
    fill(filled)
    moved = move(filled, server)
    assert (moved.kept["accounts"], moved.kept["api_keys"], moved.kept["questions"], moved.kept["reply_to"]) == (
        1,
        1,
        3,
        1,
    )
    move(server, back)
    assert kept(filled) == kept(back) == kept(server)
    for home in (server, back):
        verdict, before = verify(home), verify(filled)
        assert verdict == before and before is not None and not before.faults
        with accounts(home) as book, closing(Journal.open(home, 30)) as own:
            assert [entry.question for entry in own.entries()] == [f"Klausimas {n}\ufffd?" for n in (2, 1, 0)]
            assert book.check("rasa", PASSWORD, "192.0.2.9").name == "rasa"
            assert book.add("ona", PASSWORD + " trys", "editor", "rasa").id == 3  # 2 was somebody


def test_a_move_that_is_cut_off_before_its_end_is_nobodys_desk_and_goes_on(server: Home, tmp_path: Path) -> None:
    filled = Home(tmp_path / "files")
    fill(filled)
    killed = """
import os, signal, sys
from pathlib import Path
from clusterqa.moving import move
from clusterqa.settings import Home
from clusterqa.store.tables import TableStore
TableStore.take_whole = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
move(Home(Path(sys.argv[1])), Home(Path(sys.argv[2]), sys.argv[3]))
"""
    program = [sys.executable, "-c", killed, str(filled.data), str(server.data), server.store]
    assert subprocess.run(program, timeout=120).returncode == -signal.SIGKILL
    with pytest.raises(StoreError, match="only a part of what is moved"), accounts(server):
        pass
    with pytest.raises(StoreError, match="only a part of what is moved"):
        Journal.open(server, 30)
    with closing(Journal.open(filled, 30)) as own:
        own.record(reply("Dar vienas?"), "chat")
    assert move(filled, server).kept["questions"] == 4
    assert kept(server)["staff.audit"] == kept(filled)["staff.audit"]
    assert len(kept(server)["journal.questions"]) == 4


def test_looking_into_a_journal_makes_it_neither_a_used_nor_another_one(server: Home, tmp_path: Path) -> None:
    filled, later = Home(tmp_path / "files"), datetime.now(UTC) + timedelta(days=1)
    fill(filled)
    Journal.open(server, 30).close()
    assert move(filled, server).kept["questions"] == 3
    for home in (filled, server):
        Journal.open(home, 30, now=later).close()
        later += timedelta(days=1)
    assert move(filled, server).kept["questions"] == 3


def test_accounts_that_somebody_uses_are_never_written_over(server: Home, tmp_path: Path) -> None:
    filled = Home(tmp_path / "files")
    fill(filled)
    with accounts(server) as book:
        book.add("kita", PASSWORD, "administrator", "cli:root")
    with pytest.raises(StoreError, match="another staff book"):
        move(filled, server)
    with accounts(server) as book:
        assert [person.name for person in book.everyone()] == ["kita"]


def test_a_store_that_was_moved_alone_gets_its_desk_and_what_came_later_stays(server: Home, tmp_path: Path) -> None:
    filled = Home(tmp_path / "files")
    with open_store(filled, create=True) as store:
        put(store, document("ž.lt.md"))
    assert move(filled, server).kept == {}
    with accounts(filled) as book:
        book.add("rasa", PASSWORD, "administrator", "cli:root")
    assert move(filled, server).kept["accounts"] == 1
    with accounts(server) as book:
        book.add("ona", PASSWORD + " trys", "editor", "rasa")
    assert move(filled, server).kept["accounts"] == 2
    with accounts(server) as book:
        assert [person.name for person in book.everyone()] == ["ona", "rasa"]


def test_a_row_that_is_lost_on_the_way_is_missed(server: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled = Home(tmp_path / "files")
    fill(filled)
    from clusterqa.books import copying

    whole = copying._insert
    monkeypatch.setattr(copying, "_insert", lambda table, rows, db: whole(table, rows[1:], db))
    with pytest.raises(StoreError, match="is not what was read from"):
        move(filled, server)
    monkeypatch.undo()
    assert move(filled, server).kept["questions"] == 3


def test_a_backup_of_a_server_has_desk_and_journal_as_files(settings: Settings, server: Home, tmp_path: Path) -> None:
    fill(server)
    settings = settings.model_copy(update={"store": server.store})
    (settings.corpus / "a.en.md").write_text("# A\n\nText.\n", encoding="utf-8")
    settings.data.mkdir(exist_ok=True)
    (settings.data / "staff.sqlite3").write_bytes(b"left over from the time before the server")
    saved = backup.save(settings, tmp_path / "b.zip")
    assert {member.path for member in saved.members} >= {
        "data/clusterqa.sqlite3", "data/staff.sqlite3", "data/journal.sqlite3",
    }  # fmt: skip
    restored = settings.model_copy(update={"corpus": tmp_path / "c2", "data": tmp_path / "d2", "store": IN_A_FILE})
    backup.restore(restored, tmp_path / "b.zip")
    assert kept(restored.home)["staff.audit"] == kept(server)["staff.audit"]
    again = Home(tmp_path / "d3", postgres_address())
    moving.move(restored.home, again)
    assert kept(again) == kept(server)


def test_the_command_counts_what_was_moved(server: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    filled = Home(tmp_path / "files")
    fill(filled)
    (tmp_path / "corpus").mkdir()
    words = ["move", "--data", str(filled.data), "--from", "sqlite", "--to", server.store]
    told = CliRunner().invoke(cli, words).output
    assert "1 accounts, 6 lines of the activity log, 3 questions of the journal" in told


def test_books_of_one_place_are_one(tmp_path: Path) -> None:
    books: list[Book] = [open_database(Home(tmp_path)) for _ in range(2)]
    assert books[0] is books[1]
    for book in books:
        book.close()
