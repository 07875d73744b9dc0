"""Who changed what, and when. The log only grows: the database itself refuses to alter or delete a line of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clusterqa.staff.database import Connection, Database, stamp, storable

COMMAND_LINE = "cli:"
"""What `who` begins with when a change came from the command line; account names hold no colon."""

_SCHEMA = """
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
    target TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX audit_who ON audit (who);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is not altered'); END;
CREATE TRIGGER audit_grows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is not shortened'); END;
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One line of the log; `at` in UTC, `id` grows with time.

    `who` is an account's name or "cli:" and the operating system's user; `what` a key like "document.published";
    `target` what it was done to (a document's id, an account's name); `detail` the rest, in a form that needs no
    translation, "" when there is none.
    """

    id: int
    at: datetime
    who: str
    what: str
    target: str
    detail: str


class Audit:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.prepare("audit", 1, _SCHEMA)

    def record(self, who: str, what: str, target: str = "", detail: str = "", now: datetime | None = None) -> None:
        """Add a line of its own."""
        with self._database.changing() as db:
            self.note(db, who, what, target, detail, now)

    def note(
        self,
        db: Connection,
        who: str,
        what: str,
        target: str = "",
        detail: str = "",
        now: datetime | None = None,
    ) -> None:
        """Add a line inside the caller's transaction, so that change and line are there together or not at all."""
        row = (stamp(now), who, what, storable(target), storable(detail))
        db.execute("INSERT INTO audit (at, who, what, target, detail) VALUES (?, ?, ?, ?, ?)", row)

    def entries(
        self,
        *,
        who: str | None = None,
        what: str | None = None,
        target: str | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Entry]:
        """
        The newest lines first, those that agree with every value given; `before` an id continues a list.

        `what` may be the beginning of a key up to a dot: "document" stands for every "document.…".
        """
        conditions, values = ["1"], list[str | int]()
        for condition, value in (("who = ?", who), ("target = ?", target), ("id < ?", before)):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if what is not None:
            conditions.append("(what = ? OR substr(what, 1, length(?) + 1) = ? || '.')")
            values += [what, what, what]
        sql = f"SELECT id, at, who, what, target, detail FROM audit WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
        with self._database.using() as db:
            rows = db.execute(sql, [*values, limit]).fetchall()
        return [Entry(row[0], datetime.fromisoformat(row[1]), *row[2:]) for row in rows]

    def people(self) -> list[str]:
        """Everyone who stands in the log as `who`, in the order of names."""
        with self._database.using() as db:
            return [row[0] for row in db.execute("SELECT DISTINCT who FROM audit ORDER BY who")]
