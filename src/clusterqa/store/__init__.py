"""Where documents, versions, passages and vectors are kept: the `Store` of a data folder, and indexes over it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

from clusterqa import extras
from clusterqa.errors import SettingsError
from clusterqa.ports import Index, Store
from clusterqa.records import LANGUAGES, Language
from clusterqa.settings import IN_A_FILE, Home
from clusterqa.store import sqlite
from clusterqa.store.served import Engine, ServedIndex
from clusterqa.store.tables import TableStore


class _Kind(Protocol):
    """What the module of each kind of store brings."""

    def open_store(self, home: Home, *, create: bool = False, unfinished: bool = False) -> TableStore: ...
    def shown(self, home: Home) -> str: ...
    def exists(self, home: Home) -> bool: ...
    def put_aside(self, home: Home) -> None: ...
    def asides(self, home: Home) -> list[str]: ...
    def size(self, home: Home) -> int: ...
    def alone(self, home: Home) -> AbstractContextManager[None]: ...


def _kind(home: Home) -> _Kind:
    if home.store == IN_A_FILE:
        return sqlite
    extras.need("postgres", "A store in PostgreSQL")
    from clusterqa.store import postgres

    return postgres


def open_store(home: Home, *, create: bool = False) -> Store:
    """
    The store of a home; to be closed, or used in a `with`.

    Raises IndexNotFound when there is none (unless `create`), StoreError when it is damaged, out of reach or of another
    version. This and all below raise MissingExtra, SettingsError, and StoreError where a server cannot be reached.
    """
    return _kind(home).open_store(home, create=create)


def open_tables(home: Home, *, create: bool = False, unfinished: bool = False) -> TableStore:
    """The store for copying it row by row; `unfinished` opens one of which only a part was copied, too."""
    return _kind(home).open_store(home, create=create, unfinished=unfinished)


def shown(home: Home) -> str:
    """Where the store is, as it may be shown to anybody; the same for all who use it."""
    return _kind(home).shown(home)


def exists(home: Home) -> bool:
    """Whether there is a store."""
    return _kind(home).exists(home)


def put_aside(home: Home) -> None:
    """Rename a store that a rebuild in place cannot repair; what is only full, or closed to us, is raised, not renamed away."""
    _kind(home).put_aside(home)


def asides(home: Home) -> list[str]:
    """Names of the damaged stores that were put aside, in order."""
    return _kind(home).asides(home)


def size(home: Home) -> int:
    """Bytes that the store takes on a disk."""
    return _kind(home).size(home)


def alone(home: Home) -> AbstractContextManager[None]:
    """
    Keeps others from changing the store inside who do not use the same data folder; those who do have the folder's lock.

    Raises StoreError when somebody else works for long.
    """
    return _kind(home).alone(home)


def open_index(
    kind: str,
    connect: Callable[[], Store],
    dimension: int,
    home: Home,
    languages: tuple[Language, ...] = LANGUAGES,
    check: Callable[[Store], None] = lambda store: None,
    today: Callable[[], datetime.date] | None = None,
    threads: int = 1,
) -> Index:
    """
    The index of a kind, "faiss", "pgvector:ADDRESS" or "milvus:ADDRESS", over the stores that `connect` opens; empty until it is refreshed.

    `home` is that of these stores; an index in memory is searched by so many `threads`. Raises MissingExtra, SettingsError, StoreError.
    """
    name, _, address = kind.partition(":")
    if name == "faiss" and not address:
        from clusterqa.store.faiss_index import FaissIndex

        return FaissIndex(connect, dimension, languages, check, today, threads)
    if name not in ("pgvector", "milvus"):
        raise SettingsError(
            f'index is "{name}", which there is none of. Set it to "faiss", "pgvector:postgresql://…" or "milvus:…".'
        )
    engine: Engine
    if name == "pgvector":
        extras.need("postgres", "An index in PostgreSQL")
        from clusterqa.store.pgvector import PgvectorEngine

        engine = PgvectorEngine(address, dimension, shown(home))
    else:
        extras.need("milvus", "An index in Milvus")
        from clusterqa.store.milvus import MilvusEngine

        engine = MilvusEngine(address, dimension, str(home.data.resolve()))
    return ServedIndex(engine, connect, dimension, languages, check, today)


copy_database = sqlite.copy_database
