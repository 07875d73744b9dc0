"""
The book that the desk keeps to itself: accounts, the activity log, what happened to documents, answers, keys. Each part of the desk
has tables of its own in it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from clusterqa.books import Book, Title, faults_of, open_book
from clusterqa.errors import StoreError
from clusterqa.settings import Home


class DeskUnusable(StoreError):
    """The desk's own book cannot be opened, read or written; answering goes on without it."""


def _unusable(shown: str, error: object) -> DeskUnusable:
    return DeskUnusable(
        f"The staff desk's book {shown} cannot be used ({error}). Check the permissions, the space on the disk and the server; "
        "if it is damaged, move it away and make the accounts anew with: clusterqa staff add NAME"
    )


STAFF = Title(
    "staff",
    _unusable,
    in_json=frozenset({"document_history.detail", "answers.content", "answers.checks"}),
    pragmas=("synchronous = FULL",),  # what was said to be done is done, also after a power cut
)
DATABASE = "staff.sqlite3"
"""Its file, where it is one."""

Database = Book


def open_database(home: Home) -> Database:
    """Open the desk's book, making it when there is none; only its owner may read it. Raises DeskUnusable."""
    return open_book(STAFF, home)


def stamp(moment: datetime | None = None) -> str:
    """UTC to the millisecond, in a form whose order as text is the order in time; now without a moment."""
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="milliseconds")


def when(text: Any) -> datetime:
    """A moment as `stamp` wrote it. Raises DeskUnusable when it is none, which only damage does."""
    try:
        return datetime.fromisoformat(text)
    except (ValueError, TypeError) as error:
        raise unreadable(error) from error


def whole(value: Any) -> int:
    """A whole number. Raises DeskUnusable when it is none, which only damage does."""
    if not isinstance(value, int):
        raise unreadable(TypeError(f"{type(value).__name__} in place of a number"))
    return value


def unpacked(text: Any) -> Any:
    """What was kept as JSON. Raises DeskUnusable when it is none."""
    try:
        return json.loads(text)
    except (ValueError, TypeError) as error:
        raise unreadable(error) from error


def faults(home: Home) -> list[str] | None:
    """What is wrong in the desk's book, in words; empty when it is whole, None where nobody has a desk."""
    return faults_of(STAFF, home)


def unreadable(error: Exception) -> DeskUnusable:
    """What to raise where something is not what was kept."""
    return DeskUnusable(
        f"Something in the desk's book cannot be read ({error}). Look for what is damaged with: clusterqa doctor"
    )
