"""
data/staff.sqlite3: one file for everything the desk keeps to itself. Each part of the desk has tables of its own in it.

    database = Database.open(settings.data)
    database.prepare("audit", 1, "CREATE TABLE IF NOT EXISTS …")
    with database.using() as db: …          reads
    with database.changing() as db: …       writes, in one transaction that is rolled back by any exception
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from clusterqa import private
from clusterqa.errors import StoreError

DATABASE = "staff.sqlite3"

Connection = sqlite3.Connection
Row = sqlite3.Row

_IN_JSON = frozenset({"document_history.detail", "answers.content", "answers.checks"})
_SCHEMA = "CREATE TABLE IF NOT EXISTS parts (part TEXT PRIMARY KEY, version INTEGER NOT NULL)"


class DeskUnusable(StoreError):
    """The desk's own file cannot be opened, read or written; answering goes on without it."""


Place = tuple[int, int]
"""Device and inode: which file it is, whatever it is called."""


class Database:
    """
    Thread-safe; several processes may have it open, and each has it open once, however many parts ask for it.

    Errors of SQLite come out as DeskUnusable.
    """

    _open: dict[Place, Database] = {}  # noqa: RUF012 - those of this process
    _opening = threading.Lock()

    def __init__(self, path: Path, connection: sqlite3.Connection, place: Place) -> None:
        self.path = path
        self._db = connection
        self._place = place
        self._users = 1
        self._lock = threading.RLock()

    @classmethod
    def open(cls, data: Path) -> Database:
        """
        Open the file in a data folder, making both when there are none; only its owner may read the file.

        A file that this process has open already is shared; it stays open until everybody who opened it closed it.
        """
        path = data / DATABASE
        with cls._opening:
            try:
                private.prepare(path)
                place = _place(path)
                if place in cls._open:
                    cls._open[place]._users += 1
                    return cls._open[place]
                connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            except (OSError, *private.FAILURES) as error:
                raise _explain(error, path) from error
            database = cls(path, connection, place)
            try:
                with database.using() as db:
                    db.execute("PRAGMA journal_mode = WAL")
                    db.execute("PRAGMA synchronous = FULL")  # what was said to be done is done, also after a power cut
                    db.execute("PRAGMA foreign_keys = ON")
                    db.execute(_SCHEMA)
            except StoreError:
                connection.close()
                raise
            cls._open[place] = database
            return database

    def close(self) -> None:
        """Let go of the file; once for each `open`."""
        with self._opening, self._lock:
            self._users -= 1
            if self._users == 0:
                self._open.pop(self._place, None)
                self._db.close()

    def prepare(
        self, part: str, version: int, schema: str, upgrade: Callable[[sqlite3.Connection, int], None] | None = None
    ) -> None:
        """
        Make the tables of one part of the desk, or bring those of an earlier version up to date with `upgrade`.

        DeskUnusable when another version of clusterqa made them, and there is no way from it to this one.
        """
        with self.changing() as db:
            row = db.execute("SELECT version FROM parts WHERE part = ?", (part,)).fetchone()
            if row and row[0] < version and upgrade is not None:
                upgrade(db, row[0])
                db.execute("UPDATE parts SET version = ? WHERE part = ?", (version, part))
            elif row and row[0] != version:
                raise DeskUnusable(
                    f"{self.path} was written by another version of clusterqa (part {part}: {row[0]} instead of {version}). "
                    "Run the version that wrote it, or move the file away and make the accounts anew."
                )
            elif not row:
                for statement in statements(schema):
                    db.execute(statement)
                db.execute("INSERT INTO parts VALUES (?, ?)", (part, version))

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        """The connection, for this thread alone while it lasts."""
        with self._lock:
            self._check_place()
            try:
                yield self._db
            except private.FAILURES as error:
                raise _explain(error, self.path) from error

    def _check_place(self) -> None:
        """An account that is removed in the file's successor must not live on in the one that we still hold."""
        try:
            if _place(self.path) == self._place:
                return
            problem = "was replaced"
        except FileNotFoundError:
            problem = "was moved away"
        except OSError as error:
            raise _explain(error, self.path) from error
        raise DeskUnusable(f"{self.path} {problem} while it was open. Put it back, or start the server again.")

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """The connection inside one transaction; any exception rolls it back. Not to be nested."""
        with self.using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise


def stamp(moment: datetime | None = None) -> str:
    """UTC to the millisecond, in a form whose order as text is the order in time; now without a moment."""
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def storable(text: str) -> str:
    """Lone surrogates, which SQLite cannot hold, become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8")


def when(text: Any) -> datetime:
    """A moment as `stamp` wrote it. Raises DeskUnusable when it is none, which only damage does."""
    try:
        return datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise _unreadable(error) from error


def unpacked(text: Any) -> Any:
    """What was kept as JSON. Raises DeskUnusable when it is none."""
    try:
        return json.loads(text)
    except (ValueError, TypeError) as error:
        raise _unreadable(error) from error


def faults(data: Path) -> list[str] | None:
    """What is wrong in the file of a data folder, in words; empty when it is whole, None where nobody has a desk."""
    path = data / DATABASE
    return private.faults(path, _IN_JSON) if path.is_file() else None


def _unreadable(error: Exception) -> DeskUnusable:
    return DeskUnusable(
        f"Something in {DATABASE} cannot be read ({error}). Look for what is damaged with: clusterqa doctor"
    )


def statements(schema: str) -> Iterator[str]:
    """The statements of a script one by one: `executescript` would commit the transaction it stands in."""
    statement = ""
    for line in schema.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement


def _place(path: Path) -> Place:
    found = path.stat()
    return found.st_dev, found.st_ino


def _explain(error: Exception, path: Path) -> DeskUnusable:
    return DeskUnusable(
        f"The staff desk's file {path} cannot be used ({error}). Check the permissions and the space on the disk; "
        "if the file is damaged, move it away and make the accounts anew with: clusterqa staff add NAME"
    )
