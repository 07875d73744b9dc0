"""
Moving the store of a knowledge base to another place: from the data folder to PostgreSQL, back, or to another server.

Rows are copied as they are, numbers of passages and generations too, so answers stay the same. The new place says that it is
unfinished until the last row is there, so nobody takes a part of it for the whole; whoever was cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from clusterqa.corpus.lock import writer_lock
from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.settings import IN_A_FILE, Home
from clusterqa.store import alone, open_tables, shown
from clusterqa.store.tables import TableStore

AT_ONCE = 50
"""So many documents are copied in one transaction."""

Progress = Callable[[int, int], None]
"""Told how many documents are there, and how many there will be."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What stands in the new place, counted there; `copied` are the documents that no earlier try had put there."""

    counts: dict[str, int]
    copied: int


def move(source: Home, target: Home, progress: Progress = lambda done, total: None) -> Moved:
    """
    Copy everything from one store to another, which is empty or holds what an earlier try has left; the first stays as it is.

    Raises IndexNotFound when there is nothing to move; StoreDamaged when a checksum does not fit, in the one or in the other;
    StoreError when the target is in use, or cannot be reached.
    """
    if shown(source) == shown(target):
        raise StoreError(f"{shown(source)} is named twice. Name two places with --from and --to.")
    with ExitStack() as stack:
        # Nobody writes to either. Both may use one data folder, whose lock is then taken once.
        for folder in dict.fromkeys((source.data.resolve(), target.data.resolve())):
            stack.enter_context(writer_lock(Home(folder)))
        for home in (source, target):
            if home.store != IN_A_FILE:
                stack.enter_context(alone(home))
        return copy(source, target, progress)


def copy(source: Home, target: Home, progress: Progress = lambda done, total: None) -> Moved:
    """As `move`, where the caller sees to it that nobody writes to either."""
    with ExitStack() as stack:
        here = stack.enter_context(open_tables(source))
        if here.generation() == 0:
            raise IndexNotFound(shown(source))
        if faults := here.damage():
            raise StoreDamaged(
                f"The index at {shown(source)} is damaged ({'; '.join(faults)[:300]}), so it is not moved. "
                "Build it again with: clusterqa index --rebuild"
            )
        there = stack.enter_context(open_tables(target, create=True, unfinished=True))
        stack.enter_context(here.reading())
        return _copy(here, there, progress)


def _copy(here: TableStore, there: TableStore, progress: Progress) -> Moved:
    if there.generation() and not there.unfinished():
        if there.meta("seal") == here.meta("seal"):
            return Moved(there.counts(), 0)
        raise StoreError(
            f"There is another index at {there.shown}. Name an empty place with --to, or delete that one first."
        )
    with there.noting():
        there.set_unfinished()
    wanted, had = here.seals(), there.seals()
    for names in _parts([name for name in had if had[name] != wanted.get(name)]):
        with there.noting():
            for name in names:
                there.drop(name)
    lacking = [name for name in wanted if had.get(name) != wanted[name]]
    done = len(wanted) - len(lacking)
    for names in _parts(lacking):
        progress(done, len(wanted))
        with there.noting():
            for name in names:
                there.take(here.copy_of(name))
        done += len(names)
    with there.noting():
        there.take_whole(here.copy_of_whole())
    there.forget_log()
    progress(len(wanted), len(wanted))
    return Moved(there.counts(), len(lacking))


def _parts(names: list[str]) -> Iterator[list[str]]:
    for begin in range(0, len(names), AT_ONCE):
        yield names[begin : begin + AT_ONCE]
