"""Many things, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def parts(things: Iterable[T], size: int = 500) -> Iterator[list[T]]:
    """So many at a time; by default as many as one statement may name."""
    waiting = iter(things)
    while part := list(islice(waiting, size)):
        yield part
