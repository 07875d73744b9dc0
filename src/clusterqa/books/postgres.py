"""
A book in a schema of PostgreSQL, beside the store's: many processes on many machines share it.

Who changes something holds an advisory lock, so that what is looked at before a change still holds when it is made, as in a file
of SQLite; every statement sees what was committed before it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.pq import TransactionStatus

from clusterqa.books import Book, Connection, Cursor, Title, storable
from clusterqa.settings import Home
from clusterqa.store.libpq import Address, one, size_of, table_id, told
from clusterqa.store.postgres import address_of, in_own_words, marked
from clusterqa.store.tables import statements

WAIT = "10s"
"""So long one change waits for another, as in SQLite."""
ERASING_WAIT = "100ms"

# SQLite numbers the rows of a table whose "id" counts on, and never gives a number twice; so does this. The table is called
# as it is there, so that the same statement asks for the last number.
_TABLES = """
CREATE TABLE parts (part TEXT PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE sqlite_sequence (name TEXT PRIMARY KEY, seq INTEGER NOT NULL);
"""
_FUNCTIONS = (
    """
    CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    DECLARE last BIGINT;
    BEGIN
        SELECT seq INTO last FROM sqlite_sequence WHERE name = TG_TABLE_NAME;
        NEW.id := coalesce(NEW.id, last + 1, 1);
        IF NEW.id <= last THEN RAISE EXCEPTION 'number % of % was given before', NEW.id, TG_TABLE_NAME; END IF;
        INSERT INTO sqlite_sequence VALUES (TG_TABLE_NAME, NEW.id) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq;
        RETURN NEW;
    END $$
    """,
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END $$",
)
_COUNTS_ON = "INTEGER PRIMARY KEY AUTOINCREMENT"


class _Connection:
    """Runs what is written for SQLite."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self._db = db

    def execute(self, statement: str, values: Sequence[Any] = (), /) -> psycopg.Cursor[Any]:
        if statement.lstrip().startswith(("CREATE", "ALTER")):
            return self._make(statement)
        return self._db.execute(marked(statement), [_taken(value) for value in values])

    def _make(self, statement: str) -> psycopg.Cursor[Any]:
        done = self._db.execute(in_own_words(statement))
        if _COUNTS_ON in statement:
            table = statement.split("(")[0].split()[-1]
            trigger = f"CREATE TRIGGER {table}_number BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION number()"
            done = self._db.execute(trigger)
        return done

    def executemany(self, statement: str, rows: Iterable[Sequence[Any]], /) -> None:
        with self._db.cursor() as cursor:
            cursor.executemany(marked(statement), [[_taken(value) for value in row] for row in rows])


def _taken(value: Any) -> Any:
    """As SQLite takes it: a truth value is a number, and a letter that PostgreSQL cannot hold is no error."""
    if isinstance(value, str):
        return storable(value)
    return int(value) if isinstance(value, bool) else value


class ServerBook(Book):
    """One connection, made anew where it broke."""

    kind = "postgres"

    def __init__(self, title: Title, address: Address, megabytes: int = 0) -> None:
        super().__init__()
        self.title = title
        self.shown = address.shown
        self._address = address
        self._bound = megabytes * 1_000_000
        self._lock = threading.RLock()
        with self._explained():
            self._db = self._connected()

    def _connected(self) -> psycopg.Connection[Any]:
        db = self._address.connect()
        db.execute(sql.SQL("SET search_path TO {}").format(self._address.identifier))
        return db

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            raise self.title.unusable(self.shown, told(error)) from error

    @contextmanager
    def using(self) -> Iterator[_Connection]:
        with self._lock, self._explained():
            if self._db.info.transaction_status not in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                self._see_to_connection()
            yield _Connection(self._db)

    def _see_to_connection(self) -> None:
        try:
            self._db.execute("SELECT")
        except psycopg.OperationalError:
            self._db.close()
            self._db = self._connected()

    @contextmanager
    def changing(self) -> Iterator[_Connection]:
        with self.using() as db, self._db.transaction():
            self._db.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
            self._db.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (self._address.schema,))
            yield db

    @contextmanager
    def taking(self) -> Iterator[_Connection]:
        with self.using() as db, self._db.transaction():
            yield db

    @contextmanager
    def snapshot(self) -> Iterator[_Connection]:
        with self.using() as db, self._db.transaction(force_rollback=True):
            self._db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield db

    def there(self) -> bool:
        return True  # who uses it finds out

    def make_room(self) -> None:
        with self.using():
            if self._bound and size_of(self._db, self._address.schema) >= self._bound:
                raise self.title.unusable(self.shown, f"it has {self._bound // 1_000_000} MB")

    def erase(self) -> bool:
        """Tables are written anew without their deleted rows; who records something meanwhile waits that long."""
        with self.using() as db:
            self._db.execute(f"SET lock_timeout = '{ERASING_WAIT}'")
            try:
                for table in self.columns(db):
                    self._db.execute(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(table)))
                return True
            except errors.LockNotAvailable:
                return False
            finally:
                self._db.execute("RESET lock_timeout")

    def guards(self, db: Connection) -> set[str]:
        at_work = (
            "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal "
            "AND t.tgenabled IN ('O', 'A') AND c.relnamespace = quote_ident(?)::regnamespace"
        )
        return {name for (name,) in db.execute(at_work, (self._address.schema,))}

    def columns(self, db: Connection) -> dict[str, list[tuple[str, type]]]:
        found: dict[str, list[tuple[str, type]]] = {}
        asked = (
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = ? AND column_name <> 'rowid' ORDER BY table_name, ordinal_position"
        )
        for table, column, kind in db.execute(asked, (self._address.schema,)):
            found.setdefault(table, []).append((column, str if kind == "text" else object))  # it sees to all others
        return found

    def rows(self, db: Connection, table: str) -> Cursor:
        columns = [name for name, _ in self.columns(db)[table]]
        counted = one(
            self._db, "SELECT 1 FROM information_schema.columns WHERE table_schema = %s AND table_name = %s AND column_name = 'rowid'",
            self._address.schema, table,
        )  # fmt: skip
        names = ", ".join(f'"{column}"' for column in columns)
        return db.execute(f'SELECT {names} FROM "{table}" ORDER BY {"rowid" if counted else "1"}')

    def _engine_faults(self, db: Connection) -> Iterator[str]:
        return iter(())  # it holds rows to their keys itself, and says so where a page cannot be read

    def _version(self, db: Connection, part: str) -> int | None:
        row = db.execute("SELECT version FROM parts WHERE part = ?", (part,)).fetchone()
        return int(row[0]) if row else None

    def made(self) -> bool:
        """Whether its tables are there."""
        with self.using():
            return table_id(self._db, self._address.schema, "parts") is not None

    def begin(self) -> None:
        """Make its tables."""
        with self.changing() as db:
            if not self.made():  # else somebody was quicker
                self._db.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(self._address.identifier))
                for statement in statements(_TABLES):
                    db.execute(statement)
                for function in _FUNCTIONS:
                    self._db.execute(function)


def open_book(title: Title, home: Home, megabytes: int) -> ServerBook:
    book = ServerBook(title, _address(title, home), megabytes)
    try:
        if not book.made():
            book.begin()
    except BaseException:
        book.close()
        raise
    return book


def look_into(title: Title, home: Home) -> ServerBook | None:
    book = ServerBook(title, _address(title, home))
    if book.made():
        return book
    book.close()
    return None


def _address(title: Title, home: Home) -> Address:
    return address_of(home).beside(title.name)
