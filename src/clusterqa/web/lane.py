"""
A lane of its own for reading documents: however many want to see pages of them, few are drawn at a time, and questions are
answered meanwhile. Only the work waits in the lane, not the sending: a client that reads slowly holds nobody up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

P = ParamSpec("P")
T = TypeVar("T")

AT_A_TIME = 2
"""A question then shares the processor with so many, and no more."""
_LANE: RunVar[CapacityLimiter] = RunVar("clusterqa.lane")


def in_lane(route: Callable[P, T]) -> Callable[P, Awaitable[T]]:
    """The route, done in a thread when its turn comes."""

    @wraps(route)
    async def when_its_turn_comes(*args: P.args, **kwargs: P.kwargs) -> T:
        return await to_thread.run_sync(partial(route, *args, **kwargs), limiter=_lane())

    return when_its_turn_comes


def _lane() -> CapacityLimiter:
    """That of this event loop."""
    try:
        return _LANE.get()
    except LookupError:
        lane = CapacityLimiter(AT_A_TIME)
        _LANE.set(lane)
        return lane
