"""One writer of an index at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from clusterqa.errors import StoreError

LOCK = "writer.lock"
LOCK_SECONDS = 600


@contextmanager
def writer_lock(data: Path) -> Iterator[None]:
    """One writer at a time; the lock goes with its process, so a killed one leaves nothing behind."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data / LOCK, timeout=LOCK_SECONDS, is_singleton=True)
        lock.acquire()
    except Timeout as error:
        raise StoreError(
            "Another program has been writing to the index for long. Wait for it, then try again."
        ) from error
    except OSError as error:
        raise StoreError(
            f"The data folder {data} cannot be written ({error.strerror}). Check its permissions, or name another: --data DIR"
        ) from error
    try:
        yield
    finally:
        lock.release()
