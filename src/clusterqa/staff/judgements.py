"""
Who judged which passage, how and when; the list to be judged is `clusterqa eval pool`'s.

A judgement is its own record of who and when, so the activity log does not repeat each of thousands.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from clusterqa.evaluation.pool import Grade, Judgement, Pooled
from clusterqa.staff.database import DATABASE, Database, stamp

_SCHEMA = """
CREATE TABLE judgements (
    question TEXT NOT NULL, passage TEXT NOT NULL, version TEXT NOT NULL, who TEXT NOT NULL,
    grade TEXT NOT NULL CHECK (grade IN ('right', 'partly', 'wrong')), at TEXT NOT NULL,
    PRIMARY KEY (question, passage, version, who)
);
"""


class Judgements:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.prepare("judgements", 1, _SCHEMA)

    def judge(self, pooled: Pooled, grade: Grade, who: str) -> None:
        """Keep what somebody says of a passage, in place of what they said before."""
        row = (pooled.question, pooled.passage, pooled.version, who, grade, stamp())
        with self._database.changing() as db:
            db.execute("INSERT OR REPLACE INTO judgements VALUES (?, ?, ?, ?, ?, ?)", row)

    def all(self) -> list[Judgement]:
        """In the order in which they were made."""
        with self._database.using() as db:
            return [
                Judgement(*row) for row in db.execute("SELECT * FROM judgements ORDER BY at, question, passage, who")
            ]


def judgements_in(data: Path) -> list[Judgement]:
    """Those of a data folder; none where nobody has a desk."""
    if not (data / DATABASE).exists():
        return []
    database = Database.open(data)
    try:
        return Judgements(database).all()
    finally:
        database.close()


def last_of(judgements: Iterable[Judgement], who: str) -> Judgement | None:
    """The latest judgement of one person, from a list in the order of time."""
    own = [judgement for judgement in judgements if judgement.who == who]
    return own[-1] if own else None
