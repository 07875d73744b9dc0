"""The conversations of browser tabs, in memory and within bounds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from clusterqa.records import Reply
from clusterqa.settings import Settings


@dataclass(frozen=True, slots=True)
class Answered:
    """
    A reply with the id under which the journal keeps it, None when the journal could not be written, and the milliseconds of
    each stage.
    """

    reply: Reply
    journal_id: str | None
    milliseconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        """What programs are told beside the reply."""
        named = {"X-Journal-Id": self.journal_id} if self.journal_id else {}
        return {**named, "Server-Timing": timing(self.milliseconds)}


def timing(milliseconds: Mapping[str, float]) -> str:
    """The stages as a Server-Timing header has them (W3C Server Timing)."""
    return ", ".join(f"{stage};dur={value:.1f}" for stage, value in milliseconds.items())


@dataclass(slots=True)
class Conversation:
    """The turns of one browser tab, oldest first; kept in memory only."""

    turns: list[Answered] = field(default_factory=list)
    touched: float = 0.0
    weight: int = 0


class Conversations:
    """
    Conversations by the id that a browser tab made up, within the bounds of the settings. Thread-safe.

    A conversation loses its oldest turns, and all of them together their longest untouched conversation.
    """

    def __init__(self, settings: Settings) -> None:
        self._turns = settings.conversation_turns
        self._seconds = settings.conversation_hours * 3600
        self._bytes = settings.conversations_mb * 1_000_000
        self._kept: OrderedDict[str, Conversation] = OrderedDict()
        self.weight = 0
        """About how many bytes all of them take."""
        self._lock = threading.Lock()

    def turns(self, identifier: str) -> tuple[Answered, ...]:
        with self._lock:
            self._forget()
            kept = self._kept.get(identifier)
            return tuple(kept.turns) if kept else ()

    def add(self, identifier: str, turn: Answered) -> tuple[Answered, ...]:
        """The turns with the new one. Nothing is kept under the id ""."""
        if not identifier:
            return (turn,)
        with self._lock:
            kept = self._kept.setdefault(identifier, Conversation())
            kept.turns = [*kept.turns, turn][-self._turns :]
            kept.touched = time.monotonic()
            self.weight -= kept.weight
            kept.weight = _EACH + sum(_weight(turn.reply) for turn in kept.turns)
            self.weight += kept.weight
            self._kept.move_to_end(identifier)
            self._forget()
            return tuple(kept.turns)

    def end(self, identifier: str) -> None:
        with self._lock:
            if kept := self._kept.pop(identifier, None):
                self.weight -= kept.weight

    def _forget(self) -> None:
        oldest = time.monotonic() - self._seconds
        while self._kept:
            first = next(iter(self._kept))
            if self.weight <= self._bytes and self._kept[first].touched >= oldest:
                return
            self.weight -= self._kept.pop(first).weight


_EACH = 1000
"""Bytes of a record, its names and its numbers, beside its texts; rather too many."""


def _weight(reply: Reply) -> int:
    """About how many bytes a reply takes, at two for a letter, as Python keeps Lithuanian ones."""
    places = (*reply.quotes, *reply.nearest)
    letters = len(reply.question) + len(reply.message) + sum(len(p.text) + len(p.passage.text) for p in places)
    return 2 * letters + _EACH * (1 + len(places))
