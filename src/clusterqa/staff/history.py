"""What happened to each document: who published, replaced, withdrew or restored it, and what was changed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from clusterqa.books import Connection, storable
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, stamp, unpacked, when
from clusterqa.staff.tables import CHANGES, HISTORY

What = Literal[
    "published", "replaced", "corrected", "left_out", "put_back", "noted", "withdrawn", "restored",
    "added_by_hand", "changed_by_hand", "removed_by_hand", "read_anew",
]  # fmt: skip

AMENDING: tuple[What, ...] = ("corrected", "left_out", "put_back", "noted")
"""The events that change what is said of a document, and not its file."""
BRINGING: tuple[What, ...] = ("published", "replaced", "added_by_hand", "changed_by_hand", "read_anew")
"""The events that give a document a content."""

_COLUMNS = "at, who, what, document, version, generation, detail"


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one document; `at` in UTC, `who` None for a change by hand or by the program, `detail` what else is known of it."""

    who: str | None
    what: What
    document: str
    version: str | None
    generation: int
    detail: Mapping[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a document that somebody began: written down before anything is touched, so that it is never nobody's."""

    id: int
    who: str
    what: What
    document: str
    detail: Mapping[str, Any]


class History:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.prepare(HISTORY)
        database.prepare(CHANGES)

    def record(self, event: Event, audit: Audit | None = None, told: str = "") -> None:
        """Keep an event; with `audit` and the line in the log, which `told` is the detail of: both or neither."""
        with self._database.changing() as db:
            self._note(db, event, audit, told)

    def _note(self, db: Connection, event: Event, audit: Audit | None, told: str = "") -> None:
        if audit is not None and event.who is not None:
            audit.note(db, event.who, f"document.{event.what}", event.document, told)
        row = (
            stamp(event.at), event.who, event.what, event.document, event.version, event.generation,
            _packed(event.detail),
        )  # fmt: skip
        db.execute(f"INSERT INTO document_history ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    # ── what is begun and not ended ─────────────────────────────────────────────────────────────────────────────

    def begin(self, who: str, what: What, document: str, detail: Mapping[str, Any] | None = None) -> Change:
        """Write down what is going to be done; `end` or `give_up` must follow, after a kill at the next start."""
        with self._database.changing() as db:
            row = (stamp(), who, what, document, _packed(detail or {}))
            (number,) = db.execute(
                "INSERT INTO document_changes (at, who, what, document, detail) VALUES (?, ?, ?, ?, ?) RETURNING id",
                row,
            ).fetchone()
            return Change(number, who, what, document, detail or {})

    def end(self, change: Change, event: Event, audit: Audit, told: str = "") -> None:
        """The change is made: its event and its line in the log are there, and it is no longer begun."""
        with self._database.changing() as db:
            db.execute("DELETE FROM document_changes WHERE id = ?", (change.id,))
            self._note(db, event, audit, told)

    def give_up(self, change: Change) -> None:
        """Nothing was changed."""
        with self._database.changing() as db:
            db.execute("DELETE FROM document_changes WHERE id = ?", (change.id,))

    def begun(self) -> list[Change]:
        """What a killed server left unfinished, oldest first."""
        with self._database.using() as db:
            rows = db.execute("SELECT id, who, what, document, detail FROM document_changes ORDER BY id").fetchall()
        return [Change(id, who, what, document, unpacked(detail)) for id, who, what, document, detail in rows]

    def of(self, document: str) -> list[Event]:
        """What happened to a document, newest first."""
        return self._events("WHERE document = ? ORDER BY id DESC", (document,))

    def brought(self) -> dict[str, Event]:
        """For each document the event that gave it its latest content; none for what was there before the desk was."""
        marks = ",".join("?" * len(BRINGING))
        events = self._events(
            f"WHERE id IN (SELECT max(id) FROM document_history WHERE what IN ({marks}) GROUP BY document)", BRINGING
        )
        return {event.document: event for event in events}

    def _events(self, where: str, values: tuple[str, ...]) -> list[Event]:
        with self._database.using() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM document_history {where}", values).fetchall()
        return [
            Event(who, what, document, version, generation, unpacked(detail), when(at))
            for at, who, what, document, version, generation, detail in rows
        ]


def _packed(detail: Mapping[str, Any]) -> str:
    return storable(json.dumps(dict(detail), ensure_ascii=False))
