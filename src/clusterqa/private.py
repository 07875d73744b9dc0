"""
Files of SQLite that only their owner may read.

A live database is never opened by hand: POSIX drops every lock that a process holds on a file as soon as the process closes
any descriptor of it, and SQLite's own locks with them. So a file is made before SQLite knows it, and later touched by name only.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

FAILURES = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises: the second where bytes of a damaged file stand in the message itself."""

_making = threading.Lock()
"""Whoever finds a file there must not open it before the one that made it has closed it."""


def prepare(path: Path) -> None:
    """
    Make the folder and an empty file for its owner alone, or take the rights of all others from a file that is there.

    What SQLite puts beside the file has the file's own rights. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _making:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            for name in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
                with suppress(FileNotFoundError, PermissionError):  # somebody else's file is that person's to close
                    if (mode := name.stat().st_mode) & 0o077:
                        name.chmod(mode & 0o700)


def faults(path: Path, in_json: frozenset[str] = frozenset()) -> list[str]:
    """
    What is wrong in such a file, in words; empty when it is whole. Changes nothing, and may be asked while others write.

    `in_json` are the columns, as "table.column", that hold JSON. Those named "at" or "…_at" hold moments in ISO 8601.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as db:
            db.execute("BEGIN")
            found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(10)") if row[0] != "ok"]
            found += [
                f"a row of {row[0]} without its row in {row[2]}" for row in db.execute("PRAGMA foreign_key_check")
            ]
            return found + list(_unreadable(db, in_json))
    except FAILURES as error:
        return [str(error)]


def _unreadable(db: sqlite3.Connection, in_json: frozenset[str]) -> Iterator[str]:
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
        for _, column, kind, *_ in db.execute(f'PRAGMA table_info("{table}")').fetchall():
            wrong = 0
            for (value,) in db.execute(f'SELECT "{column}" FROM "{table}" WHERE "{column}" IS NOT NULL'):
                wrong += kind == "TEXT" and not _is_text(value, column, f"{table}.{column}" in in_json)
            if wrong:
                yield f"{wrong} of {table}.{column} cannot be read"


def _is_text(value: object, column: str, is_json: bool) -> bool:
    try:
        if is_json:
            json.loads(value)  # type: ignore[arg-type]
        elif column == "at" or column.endswith("_at"):
            datetime.fromisoformat(value)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        return False
    return isinstance(value, str)
