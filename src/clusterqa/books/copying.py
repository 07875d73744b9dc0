"""
Copying a book from one home to another, row by row, as part of a move.

A copy is made in one transaction, and marked as unfinished until the whole move is through: nobody can use it meanwhile, and the
next try takes its place. What somebody uses is never written over.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from clusterqa.books import UNFINISHED, Book, Connection, Part, Title, look_into, open_book, storable
from clusterqa.errors import StoreError
from clusterqa.settings import Home
from clusterqa.store.seal import seal

AT_ONCE = 1000
"""Rows that are put with one call."""
_NUMBERS = "sqlite_sequence"
_MADE_BY_LOOKING = frozenset({"keys", _NUMBERS})
"""Tables with rows from the first time that somebody looks."""

_OF_THE_PLACE = "clock"
"""What a place notes of itself as it goes: two books that differ in nothing else are the same."""

Sums = dict[str, tuple[int, int]]
"""Table that has rows → how many, and a checksum over them in any order."""


@dataclass(frozen=True, slots=True)
class Copying:
    """One book, with the parts that it may have, from one home to another."""

    title: Title
    parts: tuple[Part, ...]
    source: Home
    target: Home

    def check(self) -> None:
        """Raises StoreError where the source has such a book, and the target one that somebody uses and that is another."""
        here, there = self._sums_at(self.source), self._sums_at(self.target)
        if here and there and here != there:
            raise StoreError(
                f"There is another {self.title.name} book where you want to move to. Name an empty place with --to, or move that "
                "book away first."
            )

    def copy(self) -> dict[str, int]:
        """
        Copy it, where there is one and the target has none that is used; gives how many rows of each table there are now.

        Raises StoreError when what is there afterwards does not have the checksum of what was read.
        """
        if not self._is_there(self.source):
            return {}
        if known := self._sums_at(self.target):
            return _counts(known)
        with (
            closing(self._open(self.source)) as here,
            closing(open_book(self.title, self.target)) as there,
            here.snapshot() as read,
            there.changing() as written,
        ):
            return self._copy(here, read, there, written)

    def _copy(self, here: Book, source: Connection, there: Book, target: Connection) -> dict[str, int]:
        for table in reversed(self._tables()):
            target.execute(f"DROP TABLE IF EXISTS {table}")
        put = there.columns(target)
        for table in ("parts", *(name for name in put if name == _NUMBERS)):
            target.execute(f"DELETE FROM {table}")
        for part in self.parts:
            if here.has(part.name):
                there.make(target, part)
        there.mark(target, UNFINISHED, 1)
        read, put = here.columns(source), there.columns(target)
        for table in (*self._tables(), _NUMBERS):
            if table in read and table in put:
                _put(table, here.rows(source, table), target)
        found = self._sums(there, target)
        if found != self._sums(here, source):
            raise StoreError(
                f"What was copied to {there.shown} is not what was read from {here.shown}, so it was undone. Try again; look at "
                "both with: clusterqa doctor"
            )
        return _counts(found)

    def finish(self) -> None:
        """The move is through: from here on the copy may be used."""
        if self._is_there(self.target):
            with closing(open_book(self.title, self.target)) as there, there.changing() as db:
                db.execute("DELETE FROM parts WHERE part = ?", (UNFINISHED,))

    def _tables(self) -> list[str]:
        return [table for part in self.parts for table in part.tables]

    def _is_there(self, home: Home) -> bool:
        book = look_into(self.title, home)
        if book:
            book.close()
        return book is not None

    def _open(self, home: Home) -> Book:
        """The book of a home, with the parts that it has brought up to date."""
        book = open_book(self.title, home)
        for part in self.parts:
            if book.has(part.name):
                book.prepare(part)
        return book

    def _sums_at(self, home: Home) -> Sums:
        """Of a book that somebody uses; empty where there is none, or a copy that is not through."""
        book = look_into(self.title, home)
        if book is None:
            return {}
        with closing(book):
            if book.has(UNFINISHED):
                return {}
        with closing(self._open(home)) as book, book.snapshot() as db:
            sums = self._sums(book, db)
        return sums if sums.keys() - _MADE_BY_LOOKING else {}

    def _sums(self, book: Book, db: Connection) -> Sums:
        known = book.columns(db)
        sums: Sums = {}
        for table in (*self._tables(), _NUMBERS):
            for row in book.rows(db, table) if table in known and table != _OF_THE_PLACE else ():
                count, total = sums.get(table, (0, 0))
                sums[table] = count + 1, (total + seal(*map(_kept, row))) % (1 << 64)
        return sums


def _counts(sums: Sums) -> dict[str, int]:
    return {table: count for table, (count, _) in sums.items()}


def _put(table: str, rows: Iterable[Any], db: Connection) -> None:
    db.execute(f"DELETE FROM {table}")
    some: list[tuple[Any, ...]] = []
    for row in rows:
        if len(some) == AT_ONCE:
            _insert(table, some, db)
            some = []
        some.append(tuple(map(_kept, row)))
    _insert(table, some, db)


def _insert(table: str, rows: list[tuple[Any, ...]], db: Connection) -> None:
    if rows:
        db.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)


def _kept(value: Any) -> Any:
    """As both kinds of books hold it."""
    return storable(value) if isinstance(value, str) else value
