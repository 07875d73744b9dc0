"""Files that wait to be read: the smallest first, and never two large ones at once, so that a small one need not wait for them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from clusterqa.staff.jobs import Job

WORKERS = 2
LARGE = 2_000_000
"""Bytes from which a file is large. Nearly all that are read within a second are smaller."""


@dataclass(frozen=True, slots=True, order=True)
class _Waiting:
    size: int
    order: int
    key: str = field(compare=False)
    task: Callable[[], None] = field(compare=False)


class Readings:
    """
    What WORKERS threads take their work from, with the `get` of a `queue.Queue`. Thread-safe.

    A large file waits while another large one is read: one worker is always there for small ones.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Waiting] = []
        self._running: dict[_Waiting, float] = {}
        """What is being read, and since when (`time.monotonic`)."""
        self._order = 0

    def put(self, key: str, size: int, task: Callable[[], None]) -> None:
        """Let the file of a draft wait; `size` is in bytes."""
        with self._changed:
            self._order += 1
            self._waiting = sorted([*self._waiting, _Waiting(size, self._order, key, task)])
            self._changed.notify()

    def get(self, timeout: float) -> Callable[[], None]:
        """The next reading, to be called by whoever takes it; raises `queue.Empty` when there is none for so many seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._next() is not None, timeout):
                raise queue.Empty
            taken = self._next()
            assert taken is not None
            self._waiting.remove(taken)
            self._running[taken] = time.monotonic()

        def read() -> None:
            try:
                taken.task()
            finally:
                with self._changed:
                    del self._running[taken]
                    self._changed.notify_all()

        return read

    def job(self, key: str) -> Job | None:
        """How far a file is: "queue" with its place and how many wait, "reading" with the seconds it takes already."""
        with self._changed:
            for running, since in self._running.items():
                if running.key == key:
                    return Job("reading", int(time.monotonic() - since))
            place = next((n for n, waiting in enumerate(self._waiting, start=1) if waiting.key == key), None)
            return Job("queue", place, len(self._waiting)) if place else None

    def _next(self) -> _Waiting | None:
        busy = any(running.size >= LARGE for running in self._running)
        return next((waiting for waiting in self._waiting if waiting.size < LARGE or not busy), None)
