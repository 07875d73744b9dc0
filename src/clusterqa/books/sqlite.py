"""A book in one file of SQLite, for its owner alone; several processes may have it open."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from clusterqa import private
from clusterqa.books import Book, Connection, Cursor, Title
from clusterqa.settings import Home

_PARTS = "CREATE TABLE IF NOT EXISTS parts (part TEXT PRIMARY KEY, version INTEGER NOT NULL)"
_HELD = {"TEXT": str, "INTEGER": int, "REAL": float, "BLOB": bytes}
_TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"

Place = tuple[int, int]
"""Device and inode: which file it is, whatever it is called."""


class FileBook(Book):
    """Each process has a file open once, however many ask for it."""

    kind = "sqlite"
    _open: ClassVar[dict[Place, FileBook]] = {}
    """Those of this process that are written to."""
    _opening = threading.Lock()

    def __init__(self, title: Title, path: Path, connection: sqlite3.Connection, place: Place) -> None:
        super().__init__()
        self.title = title
        self.shown = str(path)
        self._path = path
        self._db = connection
        self._place = place
        self._users = 1
        self._lock = threading.RLock()

    def close(self) -> None:
        """Let go of the file; once for each time it was opened."""
        with self._opening, self._lock:
            self._users -= 1
            if self._users == 0:
                if self._open.get(self._place) is self:
                    del self._open[self._place]
                self._db.close()

    @contextmanager
    def using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._check_place()
            try:
                yield self._db
            except private.FAILURES as error:
                raise self.title.unusable(self.shown, error) from error

    def _check_place(self) -> None:
        """An account that is removed in the file's successor must not live on in the one that we still hold."""
        try:
            if _place(self._path) == self._place:
                return
            problem = "was replaced"
        except FileNotFoundError:
            problem = "was moved away"
        except OSError as error:
            raise self.title.unusable(self.shown, error) from error
        raise self.title.unusable(self.shown, f"it {problem} while it was open; put it back, or start the server again")

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        with self.using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        with self.using() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("ROLLBACK")

    def there(self) -> bool:
        return self._path.is_file()

    def make_room(self) -> None:
        """SQLite sees to the bound itself."""

    def erase(self) -> bool:
        with self.using() as db:
            timeout = db.execute("PRAGMA busy_timeout").fetchone()[0]
            db.execute("PRAGMA busy_timeout = 0")  # those who write do not wait for somebody who reads
            try:
                return not db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            finally:
                db.execute(f"PRAGMA busy_timeout = {timeout}")

    def guards(self, db: Connection) -> set[str]:
        return {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}

    def columns(self, db: Connection) -> dict[str, list[tuple[str, type]]]:
        tables = [name for (name,) in db.execute(_TABLES).fetchall()]
        return {
            table: [
                (name, _HELD.get(kind, object)) for _, name, kind, *_ in db.execute(f'PRAGMA table_info("{table}")')
            ]
            for table in tables
        }

    def rows(self, db: Connection, table: str) -> Cursor:
        return db.execute(f'SELECT * FROM "{table}" ORDER BY rowid')

    def _engine_faults(self, db: Connection) -> Iterator[str]:
        yield from (str(row[0]) for row in db.execute("PRAGMA integrity_check(10)") if row[0] != "ok")
        for row in db.execute("PRAGMA foreign_key_check"):
            yield f"a row of {row[0]} without its row in {row[2]}"

    def _version(self, db: Connection, part: str) -> int | None:
        row = db.execute("SELECT version FROM parts WHERE part = ?", (part,)).fetchone()
        if row is None and part == self.title.name:  # a journal of an earlier version of clusterqa says it so
            row = db.execute("PRAGMA user_version").fetchone()
        try:
            return int(row[0]) or None if row else None
        except (TypeError, ValueError) as error:
            raise self.title.unusable(self.shown, error) from error


def open_book(title: Title, home: Home, megabytes: int) -> FileBook:
    path = title.file(home.data)
    with FileBook._opening:
        try:
            private.prepare(path)
            place = _place(path)
            if place in FileBook._open:
                FileBook._open[place]._users += 1
                return FileBook._open[place]
            connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        except (OSError, *private.FAILURES) as error:
            raise title.unusable(str(path), error) from error
        book = FileBook(title, path, connection, place)
        try:
            with book.using() as db:
                for pragma in ("journal_mode = WAL", "foreign_keys = ON", *title.pragmas):
                    db.execute(f"PRAGMA {pragma}")
                if megabytes:
                    pages = megabytes * 1_000_000 // db.execute("PRAGMA page_size").fetchone()[0]
                    db.execute(f"PRAGMA max_page_count = {pages}")
                db.execute(_PARTS)
        except BaseException:
            connection.close()
            raise
        FileBook._open[place] = book
        return book


def look_into(title: Title, home: Home) -> FileBook | None:
    path = title.file(home.data)
    if not path.is_file():
        return None
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10, isolation_level=None, check_same_thread=False
        )
        return FileBook(title, path, connection, _place(path))
    except (OSError, *private.FAILURES) as error:
        raise title.unusable(str(path), error) from error


def _place(path: Path) -> Place:
    found = path.stat()
    return found.st_dev, found.st_ino
