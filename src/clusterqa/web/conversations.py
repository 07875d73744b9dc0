"""The conversations of browser tabs, in memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from clusterqa.records import Reply

MAX_CONVERSATIONS = 2000
MAX_TURNS = 50
CONVERSATION_SECONDS = 2 * 3600


@dataclass(frozen=True, slots=True)
class Answered:
    """A reply with the id under which the journal keeps it; None when the journal could not be written."""

    reply: Reply
    journal_id: str | None


@dataclass(slots=True)
class Conversation:
    """The turns of one browser tab, oldest first; kept in memory only."""

    turns: list[Answered] = field(default_factory=list)
    touched: float = 0.0


class Conversations:
    """Conversations by the id that a browser tab made up; the longest untouched go first. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Conversation] = OrderedDict()
        self._lock = threading.Lock()

    def turns(self, identifier: str) -> tuple[Answered, ...]:
        with self._lock:
            self._forget()
            kept = self._kept.get(identifier)
            return tuple(kept.turns) if kept else ()

    def add(self, identifier: str, turn: Answered) -> tuple[Answered, ...]:
        """The turns with the new one; beyond MAX_TURNS the oldest are dropped. Nothing is kept under the id ""."""
        if not identifier:
            return (turn,)
        with self._lock:
            kept = self._kept.setdefault(identifier, Conversation())
            kept.turns = [*kept.turns, turn][-MAX_TURNS:]
            kept.touched = time.monotonic()
            self._kept.move_to_end(identifier)
            self._forget()
            return tuple(kept.turns)

    def end(self, identifier: str) -> None:
        with self._lock:
            self._kept.pop(identifier, None)

    def _forget(self) -> None:
        oldest = time.monotonic() - CONVERSATION_SECONDS
        while self._kept:
            first = next(iter(self._kept))
            if len(self._kept) <= MAX_CONVERSATIONS and self._kept[first].touched >= oldest:
                return
            del self._kept[first]
