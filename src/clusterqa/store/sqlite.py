"""
The store in one SQLite file: documents, versions, passages, vectors and stems change in one transaction.

Readers never see half of a generation: they work inside a read transaction (WAL), while one writer at a time prepares the
next. The only module that knows the file's name.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any

from clusterqa import private
from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.private import FAILURES
from clusterqa.settings import Home
from clusterqa.store.seal import Value
from clusterqa.store.tables import DAMAGED, SCHEMA, Row, TableStore, by_place, faults, statements

log = logging.getLogger(__name__)

DATABASE = "clusterqa.sqlite3"
_PARTS = ("", "-wal", "-shm")

_STEMS = (
    'CREATE VIRTUAL TABLE stems USING fts5(body, head, tokenize = "unicode61 remove_diacritics 0", detail = column);\n'
)
_STATEMENTS = statements(SCHEMA + _STEMS)

_TABLES = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY name"

# By SQLite's name of the error; the first that the name begins with counts. Anything else is damage.
_MESSAGES: tuple[tuple[str, type[StoreError], str], ...] = (
    ("SQLITE_IOERR_SHORT_READ", StoreDamaged, DAMAGED),
    ("SQLITE_IOERR_READ", StoreError, "The index at {path} cannot be read ({error}). Check the disk, then try again."),
    ("SQLITE_IOERR", StoreError, "The disk refused to write to {path} ({error}), so nothing was changed. "
     "Check its space and run: clusterqa index"),
    ("SQLITE_FULL", StoreError, "There is no space left for {path} ({error}), so nothing was changed. "
     "Free some space on the disk and run: clusterqa index"),
    ("SQLITE_BUSY", StoreError, "Another program is writing to {path} ({error}). Wait for it, then try again."),
    ("SQLITE_LOCKED", StoreError, "Another program is writing to {path} ({error}). Wait for it, then try again."),
    ("SQLITE_READONLY", StoreError, "{path} cannot be written ({error}). Check its permissions, or name another "
     "data folder: --data DIR"),
    ("SQLITE_CANTOPEN", StoreError, "{path} cannot be opened ({error}). Check its permissions, or name another "
     "data folder: --data DIR"),
    ("SQLITE_PERM", StoreError, "{path} cannot be opened ({error}). Check its permissions, or name another "
     "data folder: --data DIR"),
)  # fmt: skip


def explain(error: Exception, path: Path) -> StoreError:
    """A StoreError for SQLite's error, with the next step; StoreDamaged when only a rebuild helps."""
    if isinstance(error, sqlite3.ProgrammingError):
        raise error  # a bug of ours keeps its traceback
    name = getattr(error, "sqlite_errorname", "")
    for beginning, kind, message in _MESSAGES:
        if name.startswith(beginning):
            return kind(message.format(path=path, error=error))
    return StoreDamaged(DAMAGED.format(path=path, error=error))


class SqliteStore(TableStore):
    """One connection to the database. Not for use by several threads at once: each opens its own."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = self.shown = path
        self._db = connection
        self._inode = _inode(path)

    @classmethod
    def open(cls, data: Path, *, create: bool = False, unfinished: bool = False) -> SqliteStore:
        """
        Open the store in a data folder.

        Raises IndexNotFound when there is none (unless `create`), StoreError when it is damaged or of another version.
        """
        path = data / DATABASE
        if not path.is_file() or path.stat().st_size == 0:
            if not create:
                raise IndexNotFound(data)
            try:
                data.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"The data folder {data} cannot be made ({error.strerror}). Name another one: --data DIR"
                ) from error
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA cache_size = -65536")
            connection.execute("PRAGMA temp_store = MEMORY")
            store = cls(path, connection)
            store._prepare(create, unfinished)
            return store
        except FAILURES as error:
            if connection is not None:
                connection.close()
            raise explain(error, path) from error
        except StoreError:
            if connection is not None:
                connection.close()
            raise

    def _prepare(self, create: bool, unfinished: bool) -> None:
        exists = self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
        if not exists:
            if not create:
                raise IndexNotFound(self.path.parent)
            self._db.execute("BEGIN IMMEDIATE")
            self._make_tables(_STATEMENTS)
            self._db.execute("COMMIT")
            return
        self._bring_up_to_date(_STATEMENTS)
        self._check_version(unfinished)
        if [
            tuple(row) for row in self._rows(_TABLES)
        ] != _tables():  # a column that is called otherwise, a tokenizer that folds otherwise
            raise self._damaged("its tables are not as they were made")

    def close(self) -> None:
        self._db.close()

    def current(self) -> bool:
        return _inode(self.path) == self._inode

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One consistent view of the database for everything inside."""
        try:
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                if self._db.in_transaction:  # some errors end it on their own
                    self._db.execute("ROLLBACK")
        except FAILURES as error:
            raise explain(error, self.path) from error

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._seal_whole()
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except FAILURES as error:
            raise explain(error, self.path) from error

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────────

    def _each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        try:
            yield from self._db.execute(sql, parameters)
        except FAILURES as error:
            raise explain(error, self.path) from error

    def _many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        self._db.executemany(sql, rows)

    # ── the lexical index ───────────────────────────────────────────────────────────────────────────────────────

    def matching(self, terms: Sequence[str]) -> dict[int, tuple[bool, bool]]:
        query = " OR ".join(f'"{term}"' for term in terms)
        body, head = (
            self._numbers("SELECT rowid FROM stems WHERE stems MATCH ?", f"{column} : ({query})")
            for column in ("body", "head")
        )
        return by_place(body, head)

    def _numbers(self, sql: str, parameter: str) -> list[int]:
        """A column of numbers, without a row made of each: there may be thousands."""
        try:
            cursor = self._db.cursor()
            cursor.row_factory = None
            return [number for (number,) in cursor.execute(sql, (parameter,))]
        except FAILURES as error:
            raise explain(error, self.path) from error

    def vocabulary(self) -> list[str]:
        self._rows("CREATE VIRTUAL TABLE IF NOT EXISTS temp.stem_terms USING fts5vocab(main, stems, row)")
        return [str(row[0]) for row in self._rows("SELECT term FROM temp.stem_terms ORDER BY term")]

    def forget_terms(self) -> None:
        """
        Merge the lexical index into one segment, so that deleted terms are gone from the file and not only marked.

        Costs time that grows with the corpus: called after a removal, which is rare, not after every addition.
        """
        self._run("INSERT INTO stems (stems) VALUES ('optimize')")

    def forget_log(self) -> None:
        """
        Carry the write-ahead log into the database and empty it, so that nothing deleted remains in it either.

        Outside of `writing()`. A reader at work may keep the log; it is then emptied with the next change.
        """
        with suppress(sqlite3.OperationalError):
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    # ── damage ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _engine_faults(self) -> Iterator[str]:
        return (str(row[0]) for row in self._rows("PRAGMA integrity_check(10)") if row[0] != "ok")

    def _lexical_faults(self) -> Iterator[str]:
        if not self._stems_are_whole():
            yield "the lexical index does not fit the passages"

    def _stems_are_whole(self) -> bool:
        try:
            self._db.execute("BEGIN")
            try:
                self._db.execute("INSERT INTO stems (stems) VALUES ('integrity-check')")  # changes nothing
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
        except FAILURES as error:  # busy or not writable: cannot be looked at now
            return not isinstance(explain(error, self.path), StoreDamaged)
        return True


# ── the file; what each of these promises stands in `store/__init__.py` ─────────────────────────────────────────


def open_store(home: Home, *, create: bool = False, unfinished: bool = False) -> SqliteStore:
    return SqliteStore.open(home.data, create=create, unfinished=unfinished)


def shown(home: Home) -> str:
    return str(home.data.resolve())


def exists(home: Home) -> bool:
    return (home.data / DATABASE).is_file()


def put_aside(home: Home) -> None:
    path = home.data / DATABASE
    if not path.exists():
        return
    damage = faults(lambda: open_store(home, create=True))
    if not damage:
        return
    number = 1
    while (aside := path.with_name(f"{DATABASE}.damaged-{number}")).exists():
        number += 1
    for suffix in _PARTS:
        part = path.with_name(path.name + suffix)
        if part.exists():
            os.replace(part, aside.with_name(aside.name + suffix))
    log.warning("The damaged index was put aside as %s: %s", aside.name, "; ".join(damage)[:300])


def asides(home: Home) -> list[str]:
    return sorted(path.name for path in home.data.glob(f"{DATABASE}.damaged-*"))


def alone(home: Home) -> AbstractContextManager[None]:
    return nullcontext()  # a file belongs to one data folder


def size(home: Home) -> int:
    parts = [home.data / (DATABASE + suffix) for suffix in _PARTS]
    return sum(part.stat().st_size for part in parts if part.exists())


def copy_database(source: Path, target: Path) -> None:
    """
    Make one SQLite file, whatever is in it, hold what another holds at this moment; both may be in use.

    The target changes in one transaction, and is made for its owner alone when it is not there. Raises StoreDamaged when either
    of them cannot be read as a database, else StoreError.
    """
    try:
        private.prepare(target)
        with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=30)) as here:
            here.execute("SELECT count(*) FROM sqlite_master").fetchone()
            with closing(sqlite3.connect(target, timeout=30)) as there:
                here.backup(there)
    except (sqlite3.Error, OSError) as error:
        damaged = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT"))
        raise (StoreDamaged if damaged else StoreError)(
            f"{source} cannot be copied to {target} ({error}). Look at both with: clusterqa doctor"
        ) from error


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0


@cache
def _tables() -> list[tuple[str, str, str]]:
    """What the database's own list of its tables says in a new one."""
    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(SCHEMA + _STEMS)
        return db.execute(_TABLES).fetchall()
