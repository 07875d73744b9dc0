"""
Who judged which passage, how and when; the list to be judged is `clusterqa eval pool`'s.

A judgement is its own record of who and when, so the activity log does not repeat each of thousands.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from clusterqa.books import look_into
from clusterqa.evaluation.pool import Grade, Judgement, Pooled
from clusterqa.settings import Home
from clusterqa.staff.database import STAFF, Database, open_database, stamp
from clusterqa.staff.tables import JUDGEMENTS


class Judgements:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.prepare(JUDGEMENTS)

    def judge(self, pooled: Pooled, grade: Grade, who: str) -> None:
        """Keep what somebody says of a passage, in place of what they said before."""
        row = (pooled.question, pooled.passage, pooled.version, who, grade, stamp())
        with self._database.changing() as db:
            db.execute(
                "INSERT INTO judgements VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (question, passage, version, who) DO UPDATE "
                "SET grade = excluded.grade, at = excluded.at",
                row,
            )

    def all(self) -> list[Judgement]:
        """In the order in which they were made."""
        with self._database.using() as db:
            return [
                Judgement(*row) for row in db.execute("SELECT * FROM judgements ORDER BY at, question, passage, who")
            ]


def judgements_in(home: Home) -> list[Judgement]:
    """Those at a home's desk; none where nobody has one."""
    database = look_into(STAFF, home)
    if database is None:
        return []
    database.close()
    with closing(open_database(home)) as database:
        return Judgements(database).all()


def last_of(judgements: Iterable[Judgement], who: str) -> Judgement | None:
    """The latest judgement of one person, from a list in the order of time."""
    own = [judgement for judgement in judgements if judgement.who == who]
    return own[-1] if own else None
