"""One writer of an index at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from filelock import FileLock, Timeout

from clusterqa.corpus import exchange
from clusterqa.errors import StoreError
from clusterqa.settings import IN_A_FILE, Home

LOCK_SECONDS = 600


@contextmanager
def writer_lock(home: Home) -> Iterator[None]:
    """
    One writer at a time, of the data folder and of the store; a lock goes with its process, so a killed one leaves nothing behind.

    A backup that was being restored when its process was killed is restored to the end first.
    """
    data = home.data
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
        with _alone(home) if lock.lock_counter == 1 else nullcontext():  # a thread may take it within itself
            exchange.finish(data)
            yield
    finally:
        lock.release()


def _alone(home: Home) -> AbstractContextManager[None]:
    if home.store == IN_A_FILE:
        return nullcontext()
    from clusterqa.store import alone  # loads numpy, which taking the lock of a folder does not need

    return alone(home)


def finish_restoring(home: Home) -> bool:
    """To be called before anything is read: a restore that was killed half-way is brought to its end; says whether there was one."""
    if not exchange.unfinished(home.data):
        return False
    with writer_lock(home):
        return True
