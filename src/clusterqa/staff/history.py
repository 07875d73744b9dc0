"""What happened to each document: who published, replaced, withdrew or restored it, and what was changed by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from clusterqa.staff.database import Database, stamp, storable, unpacked, when

What = Literal["published", "replaced", "withdrawn", "restored", "added_by_hand", "changed_by_hand", "removed_by_hand"]

BRINGING: tuple[What, ...] = ("published", "replaced", "added_by_hand", "changed_by_hand")
"""The events that give a document a content."""

_SCHEMA = """
CREATE TABLE document_history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL,
    who TEXT,                       -- NULL when the file was changed by hand
    what TEXT NOT NULL, document TEXT NOT NULL,
    version TEXT,                   -- sha256 of the text that the document has now, or had last
    generation INTEGER NOT NULL,    -- of the index that was the first to answer so
    detail TEXT NOT NULL            -- JSON
);
CREATE INDEX document_history_document ON document_history (document);
"""
_COLUMNS = "at, who, what, document, version, generation, detail"


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one document; `at` in UTC, `who` None for a change by hand, `detail` what else is known of it."""

    who: str | None
    what: What
    document: str
    version: str | None
    generation: int
    detail: Mapping[str, Any] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


class History:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.prepare("document_history", 1, _SCHEMA)

    def record(self, event: Event) -> None:
        detail = storable(json.dumps(dict(event.detail), ensure_ascii=False))
        row = (stamp(event.at), event.who, event.what, event.document, event.version, event.generation, detail)
        with self._database.changing() as db:
            db.execute(f"INSERT INTO document_history ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)

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
