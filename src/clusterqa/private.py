"""
Files of SQLite that only their owner may read.

A live database is never opened by hand: POSIX drops every lock that a process holds on a file as soon as the process closes
any descriptor of it, and SQLite's own locks with them. So a file is made before SQLite knows it, and later touched by name only.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import suppress
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
