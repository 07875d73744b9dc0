"""
The store in a schema of PostgreSQL: the tables of `tables.py`, and stems in one that a GIN index looks words up in.

A reader's transaction is a snapshot, so it has one generation whole; who writes holds an advisory lock. The only module that
knows how the store lies in PostgreSQL.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from functools import cache
from itertools import count
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.records import NewPassage
from clusterqa.settings import Home
from clusterqa.store.libpq import Address, one, size_of, table_id, told
from clusterqa.store.seal import Value
from clusterqa.store.tables import DAMAGED, SCHEMA, Row, TableStore, by_place, faults, statements

log = logging.getLogger(__name__)

EXAMPLE = '"postgresql://user@host/database"'
USUAL_SCHEMA = "clusterqa_store"
WAIT = "30s"
"""So long one writer waits for another, as in SQLite."""
WAIT_FOR_RUN = "600s"
"""So long an indexing run waits for another, as for the lock in the data folder."""
AT_ONCE = 500
"""Rows that come at a time where all of a table are read."""

# Named as SQLite names them, so that the same statements serve both. The order of SQLite is that of the code points, as in "C".
_STEMS = """
CREATE TABLE stems (rowid INTEGER PRIMARY KEY, body TEXT NOT NULL, head TEXT NOT NULL);
CREATE INDEX stems_body ON stems USING gin (string_to_array(body, ' '));
CREATE INDEX stems_head ON stems USING gin (string_to_array(head, ' '));
CREATE TABLE sqlite_sequence (name TEXT PRIMARY KEY, seq INTEGER NOT NULL);
"""
_TYPES = (
    ("INTEGER PRIMARY KEY AUTOINCREMENT", "INTEGER PRIMARY KEY"),
    ("INTEGER", "BIGINT"),
    ("TEXT", 'TEXT COLLATE "C"'),
    ("BLOB", "BYTEA"),
    ("REAL", "DOUBLE PRECISION"),
)

# The first that fits counts; all others mean that PostgreSQL refuses something.
_MESSAGES: tuple[tuple[tuple[type[psycopg.Error], ...], type[StoreError], str], ...] = (
    ((errors.DataCorrupted, errors.IndexCorrupted, errors.UndefinedTable, errors.UndefinedColumn), StoreDamaged, DAMAGED),
    ((errors.DiskFull,), StoreError, "There is no space left for {path} ({error}), so nothing was changed. "
     "Free some space on the server's disk and run: clusterqa index"),
    ((errors.LockNotAvailable,), StoreError, "Another program is writing to {path} ({error}). Wait for it, then try again."),
    ((errors.InsufficientPrivilege,), StoreError, "{path} cannot be written ({error}). Its user must own the schema, or be allowed "
     "to make it: GRANT CREATE ON DATABASE … TO …"),
    ((errors.ReadOnlySqlTransaction,), StoreError, "{path} cannot be written ({error}). Name the primary server in the "
     "setting store."),
    ((psycopg.OperationalError,), StoreError, "The index at {path} cannot be reached ({error}). Start PostgreSQL, or correct the "
     'setting store; store = "sqlite" goes without a server.'),
    ((psycopg.Error,), StoreError, "PostgreSQL refuses what the index at {path} needs ({error}). Look into the server's log, "
     "then try again."),
)  # fmt: skip


def explain(error: psycopg.Error, shown: str) -> StoreError:
    """A StoreError for PostgreSQL's error, with the next step."""
    kind, message = next((kind, message) for of, kind, message in _MESSAGES if isinstance(error, of))
    return kind(message.format(path=shown, error=told(error)))


_numbers = count(1)


class PostgresStore(TableStore):
    """One connection to the schema. Not for use by several threads at once: each opens its own."""

    def __init__(self, address: Address, connection: psycopg.Connection[Any]) -> None:
        self.shown = address.shown
        self._schema = address.schema
        self._db = connection
        self._made: int | None = None

    @classmethod
    def open(cls, address: Address, *, create: bool = False, unfinished: bool = False) -> PostgresStore:
        """
        Open the store at an address.

        Raises IndexNotFound when there is none (unless `create`), StoreError when it cannot be reached, is damaged or of
        another version.
        """
        try:
            store = cls(address, address.connect())
        except psycopg.Error as error:
            raise explain(error, address.shown) from error
        try:
            with store._explained():
                store._prepare(address, create, unfinished)
        except BaseException:
            store.close()
            raise
        return store

    def _prepare(self, address: Address, create: bool, unfinished: bool) -> None:
        self._db.execute(sql.SQL("SET search_path TO {}").format(address.identifier))
        if self._meta_table() is None:
            if not create:
                raise IndexNotFound(self.shown)
            with self._locked():
                if self._meta_table() is None:  # else somebody was quicker
                    self._make(address)
        self._bring_up_to_date(_statements())
        self._check_version(unfinished)
        self._made = self._meta_table()

    def _make(self, address: Address) -> None:
        if one(self._db, "SHOW server_encoding") != "UTF8":
            raise StoreError(
                f"The database of {self.shown} is not in UTF-8. Make one that is: createdb --encoding=UTF8 --template=template0"
            )
        self._db.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(address.identifier))
        if one(
            self._db, "SELECT count(*) FROM pg_class WHERE relnamespace = quote_ident(current_schema())::regnamespace"
        ):
            raise StoreError(
                f"There are tables of something else in {self.shown}. Give the store a schema of its own: ?schema=NAME"
            )
        self._make_tables(_statements())

    def _meta_table(self) -> int | None:
        """What tells this store from another one that takes its place; None where there is none."""
        return table_id(self._db, self._schema, "meta")

    def close(self) -> None:
        self._db.close()

    def current(self) -> bool:
        try:
            return not self._db.closed and self._meta_table() == self._made
        except psycopg.Error:  # the connection broke: a new one may be good
            return False

    # ── transactions ────────────────────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise explain(error, str(self.shown)) from error

    @contextmanager
    def _between(self, begin: str, end: str) -> Iterator[None]:
        self._db.execute(begin)
        try:
            yield
            self._db.execute(end)
        except BaseException:
            if not self._db.closed:
                self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One consistent view of the database for everything inside."""
        with self._explained(), self._between("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "ROLLBACK"):
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._explained(), self._locked():
            yield
            self._seal_whole()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """A transaction that nobody else writes in; each statement sees what was committed before it."""
        with self._between("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE", "COMMIT"):
            self._db.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
            self._db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"write {self._schema}",))
            yield

    # ── statements ──────────────────────────────────────────────────────────────────────────────────────────────

    def _each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """A few rows at a time, where a transaction keeps the rest."""
        if self._db.info.transaction_status != TransactionStatus.INTRANS:
            yield from self._rows(sql, parameters)
            return
        with self._explained(), self._db.cursor(f"each{next(_numbers)}", binary=True, row_factory=_named) as cursor:
            cursor.itersize = AT_ONCE
            yield from cursor.execute(marked(sql), parameters)

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with self._explained(), self._db.cursor(binary=True, row_factory=_named) as cursor:
            cursor.execute(marked(sql), parameters)
            return list(cursor) if cursor.description else []

    def _many(self, sql: str, rows: Iterable[Sequence[Value]]) -> None:
        with self._db.cursor() as cursor:
            cursor.executemany(marked(sql), rows)

    # ── the lexical index ───────────────────────────────────────────────────────────────────────────────────────

    def matching(self, terms: Sequence[str]) -> dict[int, tuple[bool, bool]]:
        body, head = (
            [row for (row,) in self._rows(f"SELECT rowid FROM stems WHERE {words} && ? ORDER BY rowid", (list(terms),))]
            for words in ("string_to_array(body, ' ')", "string_to_array(head, ' ')")
        )
        return by_place(body, head)

    def vocabulary(self) -> list[str]:
        words = "unnest(string_to_array(body, ' ') || string_to_array(head, ' '))"
        return [row[0] for row in self._rows(f"SELECT DISTINCT {words} AS term FROM stems ORDER BY term")]

    def _put_passages(self, numbered: Sequence[tuple[int, NewPassage]], generation: int) -> None:
        super()._put_passages(numbered, generation)
        for number, _ in numbered[-1:]:
            self._run(
                "INSERT INTO sqlite_sequence VALUES ('passages', ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq",
                number,
            )

    def forget_terms(self) -> None:
        """Nothing is left of them but rows that nobody can see any more, which `forget_log` sweeps out."""

    def forget_log(self) -> None:
        """
        Sweep out rows that were deleted, and count anew what the planner of queries goes by.

        What a backup of the server, or its write-ahead log, holds of them is the affair of whoever runs it.
        """
        with suppress(psycopg.Error):
            self._db.execute("VACUUM (ANALYZE) documents, versions, passages, vectors, tokens, stems")


# ── the schema; what each of these promises stands in `store/__init__.py` ───────────────────────────────────────


def open_store(home: Home, *, create: bool = False, unfinished: bool = False) -> PostgresStore:
    return PostgresStore.open(address_of(home), create=create, unfinished=unfinished)


def shown(home: Home) -> str:
    return address_of(home).shown


def exists(home: Home) -> bool:
    try:
        open_store(home).close()
    except IndexNotFound:
        return False
    return True


def put_aside(home: Home) -> None:
    damage = faults(lambda: open_store(home, create=True))
    if not damage:
        return
    address = address_of(home)
    aside = f"{address.schema}_damaged_{1 + len(asides(home))}"
    with _connected(address) as db:
        db.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(address.identifier, sql.Identifier(aside)))
    log.warning("The damaged index was put aside as schema %s: %s", aside, "; ".join(damage)[:300])


def asides(home: Home) -> list[str]:
    address = address_of(home)
    names = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s) ORDER BY oid"
    with _connected(address) as db:
        return [name for (name,) in db.execute(names, (f"{address.schema}_damaged_",))]


def size(home: Home) -> int:
    address = address_of(home)
    with _connected(address) as db:
        return size_of(db, address.schema)


@contextmanager
def alone(home: Home) -> Iterator[None]:
    address = address_of(home)
    with _connected(address) as db:
        db.execute(f"SET lock_timeout = '{WAIT_FOR_RUN}'")
        db.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"run {address.schema}",))
        yield


def address_of(home: Home) -> Address:
    """Where the store of a home is. Raises SettingsError."""
    return Address.parse(home.store, "store", EXAMPLE, USUAL_SCHEMA)


@contextmanager
def _connected(address: Address) -> Iterator[psycopg.Connection[Any]]:
    """A connection for what is done inside; what PostgreSQL says is raised as a StoreError."""
    try:
        with closing(address.connect()) as db:
            yield db
    except psycopg.Error as error:
        raise explain(error, address.shown) from error


@cache
def _statements() -> tuple[str, ...]:
    """What makes the tables, in PostgreSQL's words."""
    return tuple(statements(in_own_words(SCHEMA + _STEMS)))


def in_own_words(schema: str) -> str:
    """What makes or changes tables, from SQLite's words to PostgreSQL's."""
    for sqlites, ours in _TYPES:
        schema = schema.replace(sqlites, ours)
    return schema


@cache
def marked(sql: str) -> str:
    """A statement whose values are marked as psycopg has it."""
    return sql.replace("%", "%%").replace("?", "%s")


def _named(cursor: psycopg.Cursor[Any] | psycopg.ServerCursor[Any]) -> Any:
    """Makes rows whose values are found by the names of their columns too, as SQLite's are."""
    return _row_of(tuple(column.name for column in cursor.description or ()))


@cache
def _row_of(names: tuple[str, ...]) -> type[tuple[Any, ...]]:
    places = {name: place for place, name in enumerate(names)}

    class Named(tuple[Any, ...]):
        __slots__ = ()

        def __getitem__(self, key: Any) -> Any:
            return tuple.__getitem__(self, places[key] if isinstance(key, str) else key)

        def keys(self) -> tuple[str, ...]:  # so that dict() takes it, as it takes SQLite's
            return names

    return Named
