"""
Moving a knowledge base, its desk and its journal to another place: from the data folder to PostgreSQL, back, or to another server.

Rows are copied as they are, numbers of passages and generations too, so answers stay the same. The new place says that it is
unfinished until the last row is there, so nobody takes a part of it for the whole; whoever was cut off goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from clusterqa import journal
from clusterqa.books.copying import Copying
from clusterqa.corpus.lock import writer_lock
from clusterqa.errors import IndexNotFound, StoreDamaged, StoreError
from clusterqa.settings import IN_A_FILE, Home
from clusterqa.staff.database import STAFF
from clusterqa.staff.tables import PARTS
from clusterqa.store import alone, open_tables, shown
from clusterqa.store.batches import parts
from clusterqa.store.tables import TableStore

AT_ONCE = 50
"""So many documents are copied in one transaction."""

Progress = Callable[[int, int], None]
"""Told how many documents are there, and how many there will be."""


@dataclass(frozen=True, slots=True)
class Moved:
    """
    What stands in the new place, counted there; `copied` are the documents that no earlier try had put there. `kept` are the rows
    of the desk's book and the journal, by table.
    """

    counts: dict[str, int]
    copied: int
    kept: dict[str, int] = field(default_factory=dict)


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


def books(source: Home, target: Home) -> list[Copying]:
    """The desk's book and the journal, to be copied."""
    return [Copying(STAFF, PARTS, source, target), Copying(journal.BOOK, (journal.QUESTIONS,), source, target)]


def copy_books(kept: list[Copying]) -> dict[str, int]:
    """Copy them, where there is no more to it."""
    copied = {table: count for book in kept for table, count in book.copy().items()}
    for book in kept:
        book.finish()
    return copied


def copy(source: Home, target: Home, progress: Progress = lambda done, total: None) -> Moved:
    """
    As `move`, where the caller sees to it that nobody indexes or publishes. What is asked or done at the desk while its book is
    copied, or later, stays where it was.
    """
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
        return _copy(here, there, books(source, target), progress)


def _copy(here: TableStore, there: TableStore, kept: list[Copying], progress: Progress) -> Moved:
    if there.generation() and not there.unfinished():
        if there.meta("seal") == here.meta("seal"):
            # The last step of a move that was cut off there, or of one by a version that left the books where they were.
            return Moved(there.counts(), 0, copy_books(kept))
        raise StoreError(
            f"There is another index at {there.shown}. Name an empty place with --to, or delete that one first."
        )
    for book in kept:
        book.check()
    with there.noting():
        there.set_unfinished()
    wanted, had = here.seals(), there.seals()
    for names in parts((name for name in had if had[name] != wanted.get(name)), AT_ONCE):
        with there.noting():
            for name in names:
                there.drop(name)
    lacking = [name for name in wanted if had.get(name) != wanted[name]]
    done = len(wanted) - len(lacking)
    for names in parts(lacking, AT_ONCE):
        progress(done, len(wanted))
        with there.noting():
            for name in names:
                there.take(here.copy_of(name))
        done += len(names)
    copied = {table: count for book in kept for table, count in book.copy().items()}
    with there.noting():
        there.take_whole(here.copy_of_whole())
    for book in kept:
        book.finish()
    there.forget_log()
    progress(len(wanted), len(wanted))
    return Moved(there.counts(), len(lacking), copied)
