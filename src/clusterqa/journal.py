"""
What was asked, what was shown for it, and whether it helped: a small SQLite file of its own in the data folder.

It holds no names and nothing that ties two questions to one person, and no address but an e-mail address that somebody
gave with a question to get an answer; questions older than the retention time are deleted, with all that belongs to them.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from clusterqa import private
from clusterqa.errors import StoreError
from clusterqa.records import Language, Reply, Status

JOURNAL = "journal.sqlite3"
SCHEMA_VERSION = 3

Reason = Literal["wrong_place", "out_of_date", "not_understood"]
REASONS: tuple[Reason, ...] = get_args(Reason)
Channel = Literal["chat", "api"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS questions (
    id TEXT PRIMARY KEY, asked_at TEXT NOT NULL, channel TEXT NOT NULL, question TEXT NOT NULL, language TEXT NOT NULL,
    status TEXT NOT NULL, confidence REAL NOT NULL, generation INTEGER NOT NULL, shown TEXT NOT NULL,
    milliseconds REAL               -- NULL for questions asked before version 2
);
CREATE INDEX IF NOT EXISTS questions_asked_at ON questions (asked_at);
CREATE TABLE IF NOT EXISTS feedback (
    question TEXT PRIMARY KEY REFERENCES questions (id) ON DELETE CASCADE,
    given_at TEXT NOT NULL, helpful INTEGER NOT NULL, reason TEXT
);
CREATE TABLE IF NOT EXISTS reply_to (
    question TEXT PRIMARY KEY REFERENCES questions (id) ON DELETE CASCADE, given_at TEXT NOT NULL, email TEXT NOT NULL
);
"""

_ENTRIES = (
    "SELECT q.id, q.asked_at, q.channel, q.question, q.language, q.status, q.confidence, q.generation, q.shown, "
    "q.milliseconds, f.helpful, f.reason, f.given_at, r.email FROM questions q "
    "LEFT JOIN feedback f ON f.question = q.id LEFT JOIN reply_to r ON r.question = q.id"
)
_NEWEST_FIRST = "ORDER BY q.asked_at DESC, q.rowid DESC"


@dataclass(frozen=True, slots=True)
class Shown:
    """A place that was shown: `text[start:end]` of that version of the document."""

    document: str
    version: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Feedback:
    """Whether a reply helped; a reason only when it did not."""

    helpful: bool
    reason: Reason | None
    given_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One question of the journal; `shown` best first (the quotes, or the nearest places), times in UTC.

    `milliseconds` is what encoding, searching and quoting took together; None where it was not kept. `reply_to` is the e-mail
    address at which the asker waits for an answer.
    """

    id: str
    asked_at: datetime
    channel: Channel
    question: str
    language: Language
    status: Status
    confidence: float
    generation: int
    shown: tuple[Shown, ...]
    feedback: Feedback | None
    milliseconds: float | None = None
    reply_to: str | None = None

    @property
    def reference(self) -> str:
        """The number of the question that the asker was shown."""
        return reference(self.id)


def reference(identifier: str) -> str:
    """A short number for a question, to be told on the telephone or in a letter."""
    return identifier[:8]


class Journal:
    """Thread-safe. Errors of SQLite come out as StoreError."""

    def __init__(self, path: Path, connection: sqlite3.Connection, retention_days: int) -> None:
        self.path = path
        self.retention_days = retention_days
        self._db = connection
        self._lock = threading.Lock()
        self.owing = True
        """Whether deleted text may still stand in the write-ahead log; `purge` again, also when nothing is old."""

    @classmethod
    def open(cls, data: Path, retention_days: int, megabytes: int = 0) -> Journal:
        """
        Open the journal of a data folder, making it when there is none; old questions are deleted at once.

        It does not grow past so many megabytes (0: no bound): then nothing more is kept until old questions have gone.
        Only its owner may read it: what people ask is nobody else's business.
        """
        path = data / JOURNAL
        try:
            private.prepare(path)
            connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        except (OSError, *private.FAILURES) as error:
            raise _explain(error, path) from error
        journal = cls(path, connection, retention_days)
        try:
            with journal._using() as db:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA foreign_keys = ON")
                db.execute("PRAGMA secure_delete = ON")  # what is deleted is gone from the file as well
                if megabytes:
                    pages = megabytes * 1_000_000 // db.execute("PRAGMA page_size").fetchone()[0]
                    db.execute(f"PRAGMA max_page_count = {pages}")
                journal._bring_up_to_date(db)
            journal.purge()
        except StoreError:
            connection.close()
            raise
        return journal

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _bring_up_to_date(self, db: sqlite3.Connection) -> None:
        """Make the tables, or add what an older version did not have; nothing that stands there is touched."""
        # The lock comes before the look: of two servers that start at once, one finds the other's work done.
        db.execute("BEGIN IMMEDIATE")
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise StoreError(
                    f"The journal {self.path} was made by a newer version of clusterqa. "
                    "Install that version, or move the file away; a new one is begun."
                )
            if version == 1:
                db.execute("ALTER TABLE questions ADD COLUMN milliseconds REAL")
            for statement in _SCHEMA.split(";\n"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")

    def record(
        self, reply: Reply, channel: Channel, milliseconds: float | None = None, now: datetime | None = None
    ) -> str:
        """Keep a question with what was shown for it and how long that took; gives the id that feedback names."""
        identifier = secrets.token_urlsafe(12)
        shown = [
            [quote.source.document, quote.source.version, quote.start, quote.end]
            for quote in reply.quotes or reply.nearest
        ]
        row = (
            identifier, _stamp(now), channel, _storable(reply.question), reply.language, reply.status,
            reply.confidence, reply.generation, json.dumps(shown, ensure_ascii=False),
            None if milliseconds is None else round(milliseconds, 2),
        )  # fmt: skip
        with self._using() as db:
            db.execute("INSERT INTO questions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        return identifier

    def give_feedback(
        self, question: str, helpful: bool, reason: Reason | None = None, now: datetime | None = None
    ) -> bool:
        """Keep what a reader thinks of a reply, in place of what was said before; False when the id is not known."""
        row = (question, _stamp(now), int(helpful), None if helpful else reason)
        with self._using() as db:
            if not db.execute("SELECT 1 FROM questions WHERE id = ?", (question,)).fetchone():
                return False
            db.execute("INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?)", row)
        return True

    def feedback(self, questions: Iterable[str]) -> dict[str, Feedback]:
        """The feedback given for these ids; ids without any are left out."""
        wanted = list(questions)
        marks = ",".join("?" * len(wanted))
        with self._using() as db:
            rows = db.execute(
                f"SELECT question, helpful, reason, given_at FROM feedback WHERE question IN ({marks})", wanted
            ).fetchall()
        return {row[0]: Feedback(bool(row[1]), row[2], datetime.fromisoformat(row[3])) for row in rows}

    def answer_at(self, question: str, email: str, now: datetime | None = None) -> bool:
        """
        Keep the address at which somebody waits for the answer to a question that found nothing, in place of an earlier one;
        False when there is no such question.
        """
        with self._using() as db:
            asked = "SELECT 1 FROM questions WHERE id = ? AND status = 'not_found'"
            if not db.execute(asked, (question,)).fetchone():
                return False
            db.execute("INSERT OR REPLACE INTO reply_to VALUES (?, ?, ?)", (question, _stamp(now), _storable(email)))
        return True

    def answered_at(self, questions: Iterable[str]) -> dict[str, str]:
        """The addresses given with these ids; ids without one are left out."""
        wanted = list(questions)
        marks = ",".join("?" * len(wanted))
        with self._using() as db:
            rows = db.execute(f"SELECT question, email FROM reply_to WHERE question IN ({marks})", wanted).fetchall()
        return dict(rows)

    def entries(
        self, status: Status | None = None, limit: int | None = 1000, since: datetime | None = None
    ) -> list[Entry]:
        """The newest questions first: all of them or those of one status, at most `limit`, asked at `since` or later."""
        conditions = ["q.status = ?"] if status else []
        values: list[object] = [status] if status else []
        if since is not None:
            conditions.append("q.asked_at >= ?")
            values.append(_stamp(since))
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        return self._entries(f"{where} {_NEWEST_FIRST} LIMIT ?", [*values, -1 if limit is None else limit])

    def unmet(self, limit: int = 1000) -> list[Entry]:
        """The newest questions first whose asker went away without: not found, or found to be of no help."""
        where = "WHERE f.helpful = 0 OR (q.status = 'not_found' AND f.helpful IS NULL)"
        return self._entries(f"{where} {_NEWEST_FIRST} LIMIT ?", [limit])

    def known(self, questions: Iterable[str]) -> set[str]:
        """Those of the ids that the journal still holds."""
        wanted = list(questions)
        found: set[str] = set()
        for begin in range(0, len(wanted), 500):
            part = wanted[begin : begin + 500]
            marks = ",".join("?" * len(part))
            with self._using() as db:
                found.update(row[0] for row in db.execute(f"SELECT id FROM questions WHERE id IN ({marks})", part))
        return found

    def _entries(self, rest: str, values: list[object]) -> list[Entry]:
        with self._using() as db:
            rows = db.execute(f"{_ENTRIES} {rest}", values).fetchall()
        try:
            return [_entry(row) for row in rows]
        except (ValueError, TypeError) as error:
            raise _explain(error, self.path) from error

    def purge(self, now: datetime | None = None) -> int:
        """
        Delete the questions older than the retention time, with their feedback; gives how many.

        Their text is gone from the files as well, unless somebody reads there at the moment: then `owing` stays true,
        and the next purge sees to it.
        """
        oldest = _stamp((now or datetime.now(UTC)) - timedelta(days=self.retention_days))
        with self._using() as db:
            count = db.execute("DELETE FROM questions WHERE asked_at < ?", (oldest,)).rowcount
            self.owing = self.owing or count > 0
            if self.owing:
                timeout = db.execute("PRAGMA busy_timeout").fetchone()[0]
                db.execute("PRAGMA busy_timeout = 0")  # those who ask do not wait for somebody who reads
                try:
                    self.owing = bool(db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
                finally:
                    db.execute(f"PRAGMA busy_timeout = {timeout}")
        return int(count)

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except private.FAILURES as error:
                raise _explain(error, self.path) from error


def faults(data: Path) -> list[str] | None:
    """What is wrong in the journal of a data folder, in words; empty when it is whole, None where there is none."""
    path = data / JOURNAL
    return private.faults(path, frozenset({"questions.shown"})) if path.is_file() else None


def _entry(row: tuple[Any, ...]) -> Entry:
    return Entry(
        id=row[0],
        asked_at=datetime.fromisoformat(row[1]),
        channel=row[2],
        question=row[3],
        language=row[4],
        status=row[5],
        confidence=row[6],
        generation=row[7],
        shown=tuple(Shown(*place) for place in json.loads(row[8])),
        milliseconds=row[9],
        feedback=None if row[10] is None else Feedback(bool(row[10]), row[11], datetime.fromisoformat(row[12])),
        reply_to=row[13],
    )


def _stamp(moment: datetime | None) -> str:
    """UTC to the second, in a form whose order as text is the order in time."""
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds")


def _storable(text: str) -> str:
    """Lone surrogates, which SQLite cannot hold, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _explain(error: Exception, path: Path) -> StoreError:
    return StoreError(
        f"The journal {path} cannot be used ({error}). Check the permissions, the space on the disk and the setting journal_mb; "
        "if the file is damaged, move it away and a new one is begun."
    )
