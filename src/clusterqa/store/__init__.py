"""Where documents, versions, passages and vectors are kept: the `Store` of a data folder, and indexes over it."""

from __future__ import annotations

from pathlib import Path

from clusterqa.ports import Store
from clusterqa.store import sqlite


def open_store(data: Path, *, create: bool = False) -> Store:
    """
    The store in a data folder; to be closed, or used in a `with`.

    Raises IndexNotFound when there is none (unless `create`), StoreError when it is damaged or of another version.
    """
    return sqlite.SqliteStore.open(data, create=create)


exists, put_aside, asides, size = sqlite.exists, sqlite.put_aside, sqlite.asides, sqlite.size
copy_database = sqlite.copy_database
