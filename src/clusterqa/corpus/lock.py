"""One writer of an index at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from clusterqa.corpus import exchange
from clusterqa.errors import StoreError

LOCK_SECONDS = 600


@contextmanager
def writer_lock(data: Path) -> Iterator[None]:
    """
    One writer at a time; the lock goes with its process, so a killed one leaves nothing behind.

    A backup that was being restored when its process was killed is restored to the end first.
    """
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data / exchange.LOCK, timeout=LOCK_SECONDS, is_singleton=True)
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
        exchange.finish(data)
        yield
    finally:
        lock.release()


def finish_restoring(data: Path) -> bool:
    """To be called before anything is read: a restore that was killed half-way is brought to its end; says whether there was one."""
    if not exchange.unfinished(data):
        return False
    with writer_lock(data):
        return True
