"""The journal: what is kept, what is not, and for how long."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clusterqa.errors import StoreError
from clusterqa.journal import JOURNAL, Journal, Shown
from clusterqa.records import PassageText, Quote, Reply, Source
from clusterqa.settings import IN_A_FILE, Home
from engines import postgres_files

NOW = datetime(2026, 3, 5, 12, 0, tzinfo=UTC)


def reply(question: str = "Kiek galioja ženklas?", status: str = "answered") -> Reply:
    source = Source("zenklai.lt.md", "ab" * 32, "Ženklai", "lt")
    quote = Quote(source, "Galiojimas", None, None, 10, 20, "0123456789", PassageText(0, 30, "x" * 30), 0.8)
    places = {"quotes": (quote,)} if status == "answered" else {"nearest": (quote,)}
    return Reply(question, "lt", status, 0.9, "Dokumentuose rašoma:", generation=7, **places)  # type: ignore[arg-type]


def found_in_the_files(home: Home, text: str) -> bool:
    """Looked for by another process: to read a live database by hand would take its locks away."""
    folder = home.data if home.store == IN_A_FILE else postgres_files()
    return subprocess.run(["grep", "-rqaF", text, str(folder)]).returncode == 0


def test_a_question_is_kept_with_what_was_shown(home: Home) -> None:
    journal = Journal.open(home, 180)
    identifier = journal.record(reply(), "chat", now=NOW)
    journal.purge(NOW)
    (entry,) = journal.entries()
    assert (entry.id, entry.question, entry.status, entry.generation) == (
        identifier, "Kiek galioja ženklas?", "answered", 7,
    )  # fmt: skip
    assert entry.shown == (Shown("zenklai.lt.md", "ab" * 32, 10, 20),)
    assert entry.asked_at == NOW
    assert entry.feedback is None


def test_feedback_replaces_what_was_said_before_and_outlives_a_restart(home: Home) -> None:
    journal = Journal.open(home, 180)
    identifier = journal.record(reply(), "chat")
    assert journal.give_feedback(identifier, False, "out_of_date")
    assert journal.give_feedback(identifier, True)
    journal.close()
    again = Journal.open(home, 180)
    given = again.feedback([identifier, "unknown"])
    assert list(given) == [identifier]
    assert given[identifier].helpful and given[identifier].reason is None


def test_feedback_for_a_question_never_asked_is_refused(home: Home) -> None:
    journal = Journal.open(home, 180)
    assert not journal.give_feedback("x", True)
    assert journal.entries() == []


def test_a_full_journal_grows_no_more_and_keeps_questions_again_when_old_ones_have_gone(home: Home) -> None:
    journal = Journal.open(home, 30, megabytes=1)
    old = NOW - timedelta(days=29)
    kept = 0
    with pytest.raises(StoreError, match="journal_mb"):
        while kept < 10_000:
            journal.record(reply("ar telpa? " * 200), "api", now=old)
            kept += 1
    assert 150 < kept < 10_000  # of some 4 kB each; PostgreSQL packs them
    assert len(journal.entries(limit=None)) == kept
    assert journal.purge(NOW + timedelta(days=2)) == kept
    assert journal.record(reply("ar vėl telpa? " * 200), "api", now=NOW)
    journal.close()
    if home.store == IN_A_FILE:
        assert (home.data / JOURNAL).stat().st_size <= 1_000_000


def test_questions_go_after_the_retention_time_and_leave_no_trace_in_the_files(home: Home) -> None:
    journal = Journal.open(home, 30)
    old = journal.record(reply("slaptas senas klausimas"), "chat", now=NOW - timedelta(days=31))
    journal.give_feedback(old, False, "wrong_place", NOW - timedelta(days=31))
    young = journal.record(reply("naujas klausimas"), "chat", now=NOW - timedelta(days=29))
    assert journal.purge(NOW) == 1
    assert [entry.id for entry in journal.entries()] == [young]
    assert journal.feedback([old]) == {}
    journal.close()
    assert not found_in_the_files(home, "slaptas")


def test_an_address_for_an_answer_is_kept_with_its_question_and_goes_with_it(home: Home) -> None:
    journal = Journal.open(home, 30)
    asked = NOW - timedelta(days=31)
    old = journal.record(reply(status="not_found"), "chat", now=asked)
    assert journal.answer_at(old, "jonas@imone.lt", asked)
    assert journal.answer_at(old, "ona@imone.lt", asked)
    (entry,) = journal.entries()
    assert (entry.reply_to, entry.reference) == ("ona@imone.lt", old[:8])
    assert journal.answered_at([old, "unknown"]) == {old: "ona@imone.lt"}
    journal.purge(NOW)
    journal.close()
    assert not found_in_the_files(home, "imone")


def test_an_address_is_kept_only_with_a_question_that_found_nothing(home: Home) -> None:
    journal = Journal.open(home, 30)
    assert not journal.answer_at(journal.record(reply(), "chat"), "jonas@imone.lt")
    assert not journal.answer_at("never-asked", "jonas@imone.lt")
    assert [entry.reply_to for entry in journal.entries()] == [None]


def test_a_purge_leaves_nothing_in_the_files_of_a_journal_that_stays_open(home: Home) -> None:
    journal = Journal.open(home, 30)
    journal.record(reply("slaptas senas klausimas"), "chat", now=NOW - timedelta(days=31))
    assert found_in_the_files(home, "slaptas")
    assert journal.purge(NOW) == 1 and not journal.owing
    assert not found_in_the_files(home, "slaptas")
    journal.close()


def test_a_purge_that_a_reader_held_up_is_finished_by_the_next_one(tmp_path: Path) -> None:
    journal = Journal.open(Home(tmp_path), 30)
    journal.record(reply("slaptas senas klausimas"), "chat", now=NOW - timedelta(days=31))
    reader = sqlite3.connect(tmp_path / JOURNAL, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT * FROM questions").fetchall()
    assert journal.purge(NOW) == 1
    assert journal.owing and found_in_the_files(Home(tmp_path), "slaptas")
    assert journal.record(reply("naujas klausimas"), "chat", now=NOW)  # nobody waits for the reader
    reader.close()
    assert journal.purge(NOW) == 0
    assert not journal.owing and not found_in_the_files(Home(tmp_path), "slaptas")
    assert [entry.question for entry in journal.entries()] == ["naujas klausimas"]
    journal.close()


def test_what_a_killed_server_still_owed_is_done_at_the_next_start(tmp_path: Path) -> None:
    program = """
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from clusterqa.journal import Journal
from clusterqa.settings import IN_A_FILE, Home
journal = Journal.open(Home(Path(sys.argv[1])), 1)
with journal._book.using() as db:
    db.execute("INSERT INTO questions VALUES ('a', '2020-01-01', 'chat', 'slaptas senas', 'lt', 'answered', 1, 1, '[]', 1)")
    db.execute("DELETE FROM questions")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path)])
    assert found_in_the_files(Home(tmp_path), "slaptas")
    journal = Journal.open(Home(tmp_path), 1)
    assert not found_in_the_files(Home(tmp_path), "slaptas")
    journal.close()


def test_a_clock_that_leaps_ahead_deletes_nothing_until_it_has_lasted(home: Home) -> None:
    journal = Journal.open(home, 30, now=NOW)
    kept = journal.record(reply(), "chat", now=NOW)
    for years in (30, 5, 300):  # wherever it leaps to, again and again
        assert journal.purge(NOW + timedelta(days=365 * years)) == 0
        assert journal.doubted == NOW + timedelta(days=365 * years)
    journal.close()
    journal = Journal.open(home, 30, now=NOW + timedelta(days=365))  # a start is no reason to believe it
    assert journal.doubted == NOW + timedelta(days=365)
    assert journal.purge(NOW + timedelta(hours=1)) == 0  # corrected
    assert journal.doubted is None
    assert [entry.id for entry in journal.entries()] == [kept]
    assert journal.purge(NOW + timedelta(days=29)) == 0
    assert journal.purge(NOW + timedelta(days=31)) == 1
    journal.close()


def test_after_a_server_was_off_for_long_old_questions_go_a_week_late(home: Home) -> None:
    journal = Journal.open(home, 30, now=NOW)
    journal.record(reply(), "chat", now=NOW)
    started = NOW + timedelta(days=100)
    deleted = []
    for day in range(9):
        before = len(journal.entries())
        journal.close()
        journal = Journal.open(home, 30, now=started + timedelta(days=day))
        deleted.append(before - len(journal.entries()))
    assert deleted == [0, 0, 0, 0, 0, 0, 0, 1, 0]
    journal.close()


def test_a_clock_that_was_set_back_deletes_nothing_and_is_believed(home: Home) -> None:
    journal = Journal.open(home, 30, now=NOW)
    kept = journal.record(reply(), "chat", now=NOW)
    assert journal.purge(NOW - timedelta(days=20_000)) == 0
    assert journal.doubted is None
    assert journal.purge(NOW) == 0 and journal.doubted == NOW
    assert [entry.id for entry in journal.entries()] == [kept]
    journal.close()


def test_old_questions_go_when_the_journal_is_opened(home: Home) -> None:
    first = Journal.open(home, 3650)
    first.record(reply(), "api", now=datetime.now(UTC) - timedelta(days=200))
    first.close()
    assert Journal.open(home, 180).entries() == []


def test_unanswered_questions_can_be_listed_newest_first(home: Home) -> None:
    journal = Journal.open(home, 180)
    journal.record(reply("a"), "chat")
    for minute, text in enumerate(("b", "c")):
        journal.record(reply(text, "not_found"), "chat", now=datetime.now(UTC) + timedelta(minutes=minute))
    assert [entry.question for entry in journal.entries("not_found")] == ["c", "b"]


def test_no_column_could_hold_a_person(tmp_path: Path) -> None:
    Journal.open(Home(tmp_path), 180).close()
    with sqlite3.connect(tmp_path / JOURNAL) as db:
        columns = {row[1] for table in ("questions", "feedback") for row in db.execute(f"PRAGMA table_info({table})")}
    assert columns == {
        "id", "asked_at", "channel", "question", "language", "status", "confidence", "generation", "shown",
        "milliseconds", "given_at", "helpful", "reason",
    }  # fmt: skip


def test_a_lone_surrogate_in_a_question_is_no_error(home: Home) -> None:
    journal = Journal.open(home, 180)
    journal.record(reply("kas \ud800 tai"), "api")
    assert journal.entries()[0].question == "kas \ufffd tai"


def test_a_damaged_journal_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_bytes(b"not a database at all, but long enough to be read as one" * 20)
    with pytest.raises(StoreError, match="move it away"):
        Journal.open(Home(tmp_path), 180)


def test_a_journal_of_the_first_version_is_taken_over_with_everything_in_it(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / JOURNAL) as db:
        db.executescript(
            """
            CREATE TABLE questions (
                id TEXT PRIMARY KEY, asked_at TEXT NOT NULL, channel TEXT NOT NULL, question TEXT NOT NULL,
                language TEXT NOT NULL, status TEXT NOT NULL, confidence REAL NOT NULL, generation INTEGER NOT NULL,
                shown TEXT NOT NULL
            );
            CREATE INDEX questions_asked_at ON questions (asked_at);
            CREATE TABLE feedback (
                question TEXT PRIMARY KEY REFERENCES questions (id) ON DELETE CASCADE,
                given_at TEXT NOT NULL, helpful INTEGER NOT NULL, reason TEXT
            );
            PRAGMA user_version = 1;
            """
        )
        db.execute(
            "INSERT INTO questions VALUES ('old', ?, 'chat', 'Kas?', 'lt', 'answered', 0.5, 3, '[[\"a.md\", \"ff\", 1, 2]]')",
            (NOW.isoformat(timespec="seconds"),),
        )
        db.execute("INSERT INTO feedback VALUES ('old', ?, 0, 'out_of_date')", (NOW.isoformat(timespec="seconds"),))
    db.close()
    for _ in range(2):  # opening it again changes nothing more
        journal = Journal.open(Home(tmp_path), 3650)
        (old,) = journal.entries()
        assert (old.question, old.shown, old.milliseconds) == ("Kas?", (Shown("a.md", "ff", 1, 2),), None)
        assert old.feedback is not None and old.feedback.reason == "out_of_date"
        journal.close()
    journal = Journal.open(Home(tmp_path), 3650)
    journal.record(reply("Kada?"), "chat", milliseconds=30.5)
    assert journal.entries(limit=1)[0].milliseconds == 30.5


def test_a_journal_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    Journal.open(Home(tmp_path), 180).close()
    with sqlite3.connect(tmp_path / JOURNAL) as db:
        db.execute("UPDATE parts SET version = 99")
    db.close()
    with pytest.raises(StoreError, match="newer version"):
        Journal.open(Home(tmp_path), 180)


def test_unmet_are_the_not_found_and_the_unhelpful_but_not_what_helped_after_all(home: Home) -> None:
    journal = Journal.open(home, 180)
    journal.record(reply("rasta"), "chat")
    disliked = journal.record(reply("netiko"), "chat")
    liked = journal.record(reply("nerasta, bet padėjo", "not_found"), "chat")
    journal.record(reply("nerasta", "not_found"), "chat")
    journal.give_feedback(disliked, False, "wrong_place")
    journal.give_feedback(liked, True)
    assert [entry.question for entry in journal.unmet()] == ["nerasta", "netiko"]
    assert journal.known([disliked, "gone"]) == {disliked}


def test_entries_since_a_moment(home: Home) -> None:
    journal = Journal.open(home, 3650)
    for day in (1, 2, 3):
        journal.record(reply(f"{day}"), "chat", now=NOW + timedelta(days=day))
    assert [entry.question for entry in journal.entries(since=NOW + timedelta(days=2))] == ["3", "2"]
    assert [entry.question for entry in journal.entries(limit=None)] == ["3", "2", "1"]
