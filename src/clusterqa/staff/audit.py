"""
Who changed what, and when. The log only grows, and can prove it.

The database refuses to alter, replace or delete a line. Whoever goes round that, with an editor or with the triggers taken off,
breaks the chain: each line holds the sha256 of the line before it and of all that it says itself. Somebody who may write
the file can compute the whole chain anew; that is found out with the chain's end as it was noted elsewhere, which
`clusterqa staff log --verify` prints and the server's own log holds.

    verify(home)           looks at it from outside, without changing anything
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

from clusterqa.books import Book, Connection, Kind, Part, look_into, storable
from clusterqa.errors import StoreError
from clusterqa.settings import Home
from clusterqa.staff.database import STAFF, Database, DeskUnusable, stamp, when
from clusterqa.store.tables import statements

COMMAND_LINE = "cli:"
"""What `who` begins with when a change came from the command line; account names hold no colon."""
PROVIDER = "oidc:"
"""The same for what the OpenID Connect provider told when somebody logged in."""

BEGINNING = "0" * 64
"""What the first line is chained to."""

MOST_FAULTS = 20
"""Faults that are told one by one."""

_GUARDS: Mapping[Kind, str] = {
    "sqlite": """
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is not altered'); END;
CREATE TRIGGER audit_grows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is not shortened'); END;
CREATE TRIGGER audit_goes_on BEFORE INSERT ON audit WHEN NEW.id <= (SELECT max(id) FROM audit)
    BEGIN SELECT RAISE(ABORT, 'a line of the audit log is not replaced'); END;
""",
    "postgres": """
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION refuse('the audit log is not altered');
CREATE TRIGGER audit_grows BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse('the audit log is not shortened');
CREATE TRIGGER audit_goes_on BEFORE TRUNCATE ON audit EXECUTE FUNCTION refuse('the audit log is not emptied');
""",
}
_NAMES: Mapping[Kind, frozenset[str]] = {
    "sqlite": frozenset({"audit_stays", "audit_grows", "audit_goes_on"}),
    "postgres": frozenset({"audit_stays", "audit_grows", "audit_goes_on", "audit_number"}),
}
_SCHEMA = """
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
    target TEXT NOT NULL, detail TEXT NOT NULL,
    chain TEXT NOT NULL             -- sha256 of the line before and this one
);
CREATE INDEX audit_who ON audit (who);
"""
_COLUMNS = ("id", "at", "who", "what", "target", "detail", "chain")


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One line of the log; `at` in UTC, `id` grows with time.

    `who` is an account's name, "cli:" and the operating system's user, or "oidc:" and whom the provider vouched for; `what` a key like "document.published";
    `target` what it was done to (a document's id, an account's name); `detail` the rest, in a form that needs no
    translation, "" when there is none.
    """

    id: int
    at: datetime
    who: str
    what: str
    target: str
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What became of the log: its `lines`, the `end` of its chain (the last line's number and sha256, as "12:ab…"), and what is
    wrong with it, one sentence each; whole when there are none.
    """

    lines: int
    end: str
    faults: tuple[str, ...]


class Audit:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.prepare(AUDIT)

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
        said = (stamp(now), storable(who), what, storable(target), storable(detail))
        last = db.execute("SELECT id, chain FROM audit ORDER BY id DESC LIMIT 1").fetchone() or (0, BEGINNING)
        row = (last[0] + 1, *said)
        db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, link(last[1], row)))

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
        conditions, values = ["true"], list[str | int]()
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
        return [Entry(row[0], when(row[1]), *row[2:]) for row in rows]

    def people(self) -> list[str]:
        """Everyone who stands in the log as `who`, in the order of names."""
        with self._database.using() as db:
            return [row[0] for row in db.execute("SELECT DISTINCT who FROM audit ORDER BY who")]

    def end(self) -> str:
        """The last line's number and sha256, "12:ab…"; to be noted where whoever writes this file does not write."""
        with self._database.using() as db:
            number, chain = db.execute("SELECT id, chain FROM audit ORDER BY id DESC LIMIT 1").fetchone() or (
                0,
                BEGINNING,
            )
        return f"{number}:{chain}"


def link(before: str, row: Iterable[object]) -> str:
    """The chain's sha256 at a line (id, at, who, what, target, detail) after one whose sha256 is `before`."""
    # What only damage puts there, bytes, is told apart from everything else as well.
    told = json.dumps([before, *row], ensure_ascii=False, separators=(",", ":"), default=repr)
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()


def verify(home: Home, noted: str = "") -> Verdict | None:
    """
    Follow the chain of the log at a home's desk; None when nobody has one there.

    `noted` is an end of the chain as it was noted earlier: the log must still hold it. Nothing is changed.
    Raises StoreError when it cannot be read.
    """
    with _looking(home) as found:
        if found is None:
            return None
        book, db = found
        version = db.execute("SELECT version FROM parts WHERE part = 'audit'").fetchone()
        if version == (1,):
            return Verdict(0, "", ("The log is of an earlier version, without a chain. Start the server once.",))
        if version is None and "audit" not in book.columns(db):
            return None
        return _verdict(book, db, noted)


def export(home: Home) -> Iterator[dict[str, object]]:
    """
    Every line of the log at a home's desk with its sha256, oldest first; with `link`, anybody can follow the chain in it.

    Raises StoreError when it cannot be read.
    """
    with _looking(home) as found:
        if found is not None:
            for row in found[1].execute(f"SELECT {', '.join(_COLUMNS)} FROM audit ORDER BY id"):
                yield dict(zip(_COLUMNS, row, strict=True))


@contextmanager
def _looking(home: Home) -> Iterator[tuple[Book, Connection] | None]:
    """The desk's book from outside; None where there is none."""
    try:
        book = look_into(STAFF, home)
        if book is None:
            yield None
            return
        with closing(book), book.using() as db:
            yield book, db
    except DeskUnusable as error:
        raise StoreError(f"The log cannot be read; if it is damaged, take it from a backup. {error}") from error


def _verdict(book: Book, db: Connection, noted: str) -> Verdict:
    faults = []
    number, chain, found = 0, BEGINNING, not noted or noted == f"0:{BEGINNING}"
    for row in db.execute("SELECT id, at, who, what, target, detail, chain FROM audit ORDER BY id"):
        if row[0] != number + 1:
            gap = f"{number + 1} is" if row[0] == number + 2 else f"{number + 1} to {row[0] - 1} are"
            faults.append(f"Line {gap} missing." if row[0] > number else f"Line {row[0]} stands where none can be.")
        elif link(chain, row[:-1]) != row[-1]:
            faults.append(f"Line {row[0]} ({row[1]}) or the one before it was changed.")
        if len(faults) == MOST_FAULTS:
            return Verdict(row[0], "", (*faults, "There is more; the rest was not looked at."))
        number, chain = row[0], row[-1]
        found = found or noted == f"{number}:{chain}"
    counted = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").fetchone()
    if (counted[0] if counted else 0) != number:
        faults.append(f"The last lines are missing: {counted[0] if counted else 0} were written, the last is {number}.")
    if not found:
        faults.append(
            f"The end of the chain noted earlier, {noted}, is not in the log: lines were rewritten or cut off."
        )
    if missing := _NAMES[book.kind] - book.guards(db):
        faults.append(f"What keeps the log from being changed was taken off ({', '.join(sorted(missing))}).")
    return Verdict(number, f"{number}:{chain}", tuple(faults))


def _upgrade(db: Connection, version: int) -> None:
    """Chain the lines of version 1, which had none; only files of SQLite are so old."""
    rows = db.execute("SELECT id, at, who, what, target, detail FROM audit ORDER BY id").fetchall()
    db.execute("DROP TABLE audit")
    for statement in statements(_SCHEMA + _GUARDS["sqlite"]):
        db.execute(statement)
    chain = BEGINNING
    for row in rows:
        chain = link(chain, row)
        db.execute("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, chain))


AUDIT = Part("audit", 2, _SCHEMA, _upgrade, _GUARDS)
