"""The gate before the log-in: a flood of attempts must take neither the memory nor the threads that the chat works with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from clusterqa.addresses import neighbourhood
from clusterqa.web.windows import Windows

T = TypeVar("T")

AT_A_TIME = 2
"""Passwords checked at a time; the check is slow on purpose and has threads of its own."""
WAITING = 20
"""Attempts that may wait for their turn; more are asked to come back later."""
A_MINUTE = 30
"""Attempts of one address in a minute, whatever the name."""


class Gate:
    """One for each app."""

    def __init__(self) -> None:
        self._windows = Windows()
        self._threads: CapacityLimiter | None = None  # belongs to the event loop, which is not there yet
        self._waiting = 0

    def admits(self, client: str) -> bool:
        """Count an attempt; False when there are too many."""
        return self._windows.hit(neighbourhood(client), A_MINUTE) and self._waiting < WAITING

    async def run(self, work: Callable[[], T]) -> T:
        """Do the work in one of the gate's own threads, when its turn comes."""
        self._threads = self._threads or CapacityLimiter(AT_A_TIME)
        self._waiting += 1
        try:
            return await to_thread.run_sync(work, limiter=self._threads)
        finally:
            self._waiting -= 1
