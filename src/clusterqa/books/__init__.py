"""
Tables that are kept beside the documents, each a *book*: what the desk keeps to itself, and the journal.

A book is a file of SQLite in the data folder or, where the store is in PostgreSQL, a schema beside the store's, which every
process that names it has open. Statements are written once, in words that both understand, with "?" for each value; tables are
written in the words of SQLite.

    book = open_book(STAFF, settings.home)
    book.prepare(Part("audit", 1, "CREATE TABLE …"))
    with book.using() as db: …          reads
    with book.changing() as db: …       writes, in one transaction that is rolled back by any exception
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from clusterqa.errors import StoreError
from clusterqa.settings import IN_A_FILE, Home
from clusterqa.store.tables import statements

ENDING = ".sqlite3"
_NOT_HELD = re.compile(r"[\x00\ud800-\udfff]")
UNFINISHED = "unfinished"
"""Stands among the parts as long as a move to here is not through."""
Kind = Literal["sqlite", "postgres"]


class Cursor(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """What runs statements; rows are tuples."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Cursor: ...
    def executemany(self, sql: str, rows: Iterable[Sequence[Any]], /) -> object: ...


@dataclass(frozen=True, slots=True)
class Part:
    """Tables that belong together, and the version of their form."""

    name: str
    version: int
    schema: str
    """In the words of SQLite, each statement ending in ";" and a new line."""
    upgrade: Callable[[Connection, int], None] | None = None
    """Makes tables of an earlier version those of this one; in any book."""
    own: Mapping[Kind, str] = field(default_factory=dict)
    """What one kind of book has besides, in its own words."""

    @property
    def tables(self) -> list[str]:
        """Their names; a table stands after those that its rows refer to."""
        return re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", self.schema)


@dataclass(frozen=True, slots=True)
class Title:
    """Which book."""

    name: str
    """Of the file, without its ending, and at the end of the schema."""
    unusable: Callable[[str, object], StoreError]
    """The error that says that the book (as it may be shown) cannot be used, and why."""
    in_json: frozenset[str] = frozenset()
    """The columns, as "table.column", that hold JSON."""
    pragmas: tuple[str, ...] = ()
    """What SQLite is told at the start."""

    def file(self, data: Path) -> Path:
        return data / f"{self.name}{ENDING}"


class Book(ABC):
    """Thread-safe. What goes wrong in the database is raised as the title's error."""

    kind: Kind
    title: Title
    shown: str
    """Where it is, as it may be shown to anybody."""

    def __init__(self) -> None:
        self._prepared: set[str] = set()

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def using(self) -> AbstractContextManager[Connection]:
        """The connection, for this thread alone while it lasts."""

    @abstractmethod
    def changing(self) -> AbstractContextManager[Connection]:
        """The connection inside the one transaction that writes; any exception rolls it back. Not to be nested."""

    def taking(self) -> AbstractContextManager[Connection]:
        """The connection inside a transaction that keeps nobody from others but for the rows that it locks."""
        return self.changing()

    @abstractmethod
    def snapshot(self) -> AbstractContextManager[Connection]:
        """The connection inside a transaction that sees the book as it is at its beginning."""

    @abstractmethod
    def there(self) -> bool:
        """Whether it is where it was opened."""

    @abstractmethod
    def make_room(self) -> None:
        """Called before something is added. Raises the title's error where the book has reached its bound."""

    @abstractmethod
    def erase(self) -> bool:
        """See to it that nothing deleted is left in the book's files; False while somebody who reads holds that up."""

    @abstractmethod
    def guards(self, db: Connection) -> set[str]:
        """The names of the triggers that are at work."""

    @abstractmethod
    def columns(self, db: Connection) -> dict[str, list[tuple[str, type]]]:
        """Table → its columns in order, each with what it holds: str, int, float, bytes, or object where nobody says."""

    @abstractmethod
    def rows(self, db: Connection, table: str) -> Cursor:
        """All rows of a table, in the order in which they were added where that counts."""

    @abstractmethod
    def _engine_faults(self, db: Connection) -> Iterator[str]:
        """What the database itself says is wrong, in words."""

    @abstractmethod
    def _version(self, db: Connection, part: str) -> int | None:
        """Of the tables of a part; None where there are none."""

    def prepare(self, part: Part) -> None:
        """
        Make the tables of one part, or bring those of an earlier version up to date.

        The title's error when another version of clusterqa made them, and there is no way from it to this one.
        """
        if part.name in self._prepared:
            return
        with self.changing() as db:
            version = self._version(db, part.name)
            if self._version(db, UNFINISHED):
                raise self.title.unusable(
                    self.shown,
                    "only a part of what is moved there has come; go on with: clusterqa move --from … --to …",
                )
            if version is None:
                self.make(db, part)
            elif version < part.version and part.upgrade:
                part.upgrade(db, version)
                self.mark(db, part.name, part.version)
            elif version != part.version:
                newer = "a newer" if version > part.version else "another"
                raise self.title.unusable(
                    self.shown,
                    f"it was written by {newer} version of clusterqa, part {part.name} is of version {version} and not {part.version}; "
                    "run the version that wrote it",
                )
        self._prepared.add(part.name)

    def has(self, part: str) -> bool:
        """Whether the tables of a part are there, of whatever version."""
        with self.using() as db:
            return self._version(db, part) is not None

    def make(self, db: Connection, part: Part) -> None:
        """Make the tables of a part, which are not there."""
        for statement in (*statements(part.schema), *statements(part.own.get(self.kind, ""))):
            db.execute(statement)
        self.mark(db, part.name, part.version)

    def mark(self, db: Connection, part: str, version: int) -> None:
        """Note that the tables of a part are there."""
        db.execute(
            "INSERT INTO parts VALUES (?, ?) ON CONFLICT (part) DO UPDATE SET version = excluded.version",
            (part, version),
        )

    def faults(self) -> list[str]:
        """What is wrong inside, in words; empty when it is whole. Changes nothing, and may be asked while others write."""
        try:
            with self.using() as db:
                return [*self._engine_faults(db), *self._unreadable(db)]
        except StoreError as error:
            return [str(error)]

    def _unreadable(self, db: Connection) -> Iterator[str]:
        for table, columns in self.columns(db).items():
            for column, held in columns:
                in_json = f"{table}.{column}" in self.title.in_json
                asked = f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL'
                found = db.execute(asked) if held is not object else ()
                if wrong := sum(not _is_whole(value, held, column, in_json) for (value,) in found):
                    yield f"{wrong} of {table}.{column} cannot be read"


def _is_whole(value: object, held: type, column: str, is_json: bool) -> bool:
    """Columns named "at" or "…_at" hold moments in ISO 8601; one for fractions may hold a whole number."""
    try:
        if is_json:
            json.loads(value)  # type: ignore[arg-type]
        elif column == "at" or column.endswith("_at"):
            datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False
    return isinstance(value, held) or (held is float and isinstance(value, int))


def storable(text: str) -> str:
    """What one of the databases cannot hold, lone surrogates in SQLite and zeros in PostgreSQL, becomes U+FFFD in both."""
    return _NOT_HELD.sub("\ufffd", text)


def open_book(title: Title, home: Home, megabytes: int = 0) -> Book:
    """
    Open a book, making it where there is none; it does not grow past so many megabytes (0: no bound).

    Raises the title's error, SettingsError, MissingExtra.
    """
    return _kind(home).open_book(title, home, megabytes)


def look_into(title: Title, home: Home) -> Book | None:
    """A book that is read and not changed; None where there is none. Raises as `open_book` does."""
    return _kind(home).look_into(title, home)


def faults_of(title: Title, home: Home) -> list[str] | None:
    """What is wrong in a book, in words; empty when it is whole, None where there is none."""
    try:
        book = look_into(title, home)
    except StoreError as error:
        return [str(error)]
    if book is None:
        return None
    with closing(book):
        return book.faults()


class _Module(Protocol):
    """What the module of each kind brings."""

    def open_book(self, title: Title, home: Home, megabytes: int) -> Book: ...
    def look_into(self, title: Title, home: Home) -> Book | None: ...


def _kind(home: Home) -> _Module:
    if home.store == IN_A_FILE:
        from clusterqa.books import sqlite

        return sqlite
    from clusterqa import extras

    extras.need("postgres", "A desk in PostgreSQL")
    from clusterqa.books import postgres

    return postgres
