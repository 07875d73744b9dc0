"""
How often each of many did something within the last minute, in memory.

It is counted by a clock that nobody sets, and what has left the window is forgotten, with whoever did nothing since: a flood of
addresses that are made up takes no more memory than a minute of it.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable

SECONDS = 60
MOST = 100_000
"""So many are counted at a time; whoever did nothing for longest is forgotten first."""


class Windows:
    """One moving window of `SECONDS` for each name. Thread-safe."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._clock = clock
        self._most = most
        self._times: OrderedDict[Hashable, deque[float]] = OrderedDict()  # who did something last comes last
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many are counted."""
        return len(self._times)

    def hit(self, who: Hashable, limit: int, cost: int = 1) -> bool:
        """Count `cost` more for this one, all or none; False when that would be more than `limit` in a window."""
        with self._lock:
            now = self._clock()
            times = self._within(who, now)
            if len(times) + cost > limit:
                return False
            times.extend([now] * cost)
            self._times[who] = times
            self._times.move_to_end(who)
            while len(self._times) > self._most or self._times[next(iter(self._times))][-1] <= now - SECONDS:
                self._times.popitem(last=False)
            return True

    def count(self, who: Hashable) -> int:
        """How many are counted for this one."""
        with self._lock:
            return len(self._within(who, self._clock()))

    def seconds(self, who: Hashable) -> float:
        """Until the oldest that is counted for this one leaves the window; all of it where nothing is."""
        with self._lock:
            now = self._clock()
            times = self._within(who, now)
            return times[0] + SECONDS - now if times else SECONDS

    def _within(self, who: Hashable, now: float) -> deque[float]:
        times = self._times.get(who, deque())
        while times and times[0] <= now - SECONDS:
            times.popleft()
        return times
