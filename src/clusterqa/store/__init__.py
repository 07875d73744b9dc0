"""Where documents, versions, passages and vectors are kept: the `Store` of a data folder, and indexes over it."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

from clusterqa import extras
from clusterqa.errors import SettingsError
from clusterqa.ports import Index, Store
from clusterqa.records import LANGUAGES, Language
from clusterqa.store import sqlite
from clusterqa.store.served import Engine, ServedIndex


def open_store(data: Path, *, create: bool = False) -> Store:
    """
    The store in a data folder; to be closed, or used in a `with`.

    Raises IndexNotFound when there is none (unless `create`), StoreError when it is damaged or of another version.
    """
    return sqlite.SqliteStore.open(data, create=create)


def open_index(
    kind: str,
    connect: Callable[[], Store],
    dimension: int,
    place: str,
    languages: tuple[Language, ...] = LANGUAGES,
    check: Callable[[Store], None] = lambda store: None,
    today: Callable[[], datetime.date] | None = None,
) -> Index:
    """
    The index of a kind, "faiss", "pgvector:ADDRESS" or "milvus:ADDRESS", over the stores that `connect` opens; empty until it is refreshed.

    `place` names the data folder to an index that may hold those of others. Raises MissingExtra, SettingsError, StoreError.
    """
    name, _, address = kind.partition(":")
    if name == "faiss" and not address:
        from clusterqa.store.faiss_index import FaissIndex

        return FaissIndex(connect, dimension, languages, check, today)
    if name not in ("pgvector", "milvus"):
        raise SettingsError(
            f'index is "{name}", which there is none of. Set it to "faiss", "pgvector:postgresql://…" or "milvus:…".'
        )
    engine: Engine
    if name == "pgvector":
        extras.need("postgres", "An index in PostgreSQL")
        from clusterqa.store.pgvector import PgvectorEngine

        engine = PgvectorEngine(address, dimension, place)
    else:
        extras.need("milvus", "An index in Milvus")
        from clusterqa.store.milvus import MilvusEngine

        engine = MilvusEngine(address, dimension, place)
    return ServedIndex(engine, connect, dimension, languages, check, today)


exists, put_aside, asides, size = sqlite.exists, sqlite.put_aside, sqlite.asides, sqlite.size
copy_database = sqlite.copy_database
