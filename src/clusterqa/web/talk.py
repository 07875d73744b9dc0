"""
One exchange on a chat page, whatever carries it: Gradio's queue, or a plain form before Gradio is there and without scripts.

    Asked ─▶ HTML of the turns, while the question waits and when it is answered
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from clusterqa.errors import ClusterQAError
from clusterqa.journal import Feedback
from clusterqa.records import Language, Question
from clusterqa.web import render
from clusterqa.web.callers import Caller
from clusterqa.web.conversations import Answered
from clusterqa.web.limits import TooMany
from clusterqa.web.service import NotReady, Service

log = logging.getLogger(__name__)

_IDENTIFIER = re.compile(r"[0-9a-f]{32}")

State = Literal["done", "pending", "warming", "busy", "starting", "failed"]
"""What became of a question; each but "done" is also the key of the words said under it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page sends: a question (blank only to look), its conversation, one to be forgotten, a mark that comes back."""

    question: str
    conversation: str = ""
    ended: str = ""
    token: str = ""

    @property
    def identifier(self) -> str:
        """The conversation's id; "" for anything that neither our script nor `fresh` made up."""
        return self.conversation if _IDENTIFIER.fullmatch(self.conversation) else ""


@dataclass(frozen=True, slots=True)
class Shown:
    """The conversation as HTML, and what became of the question."""

    html: str
    state: State


def fresh() -> str:
    """An id for a conversation that has none."""
    return secrets.token_hex(16)


def ask(service: Service, language: Language, asked: Asked, client: str, patience: float) -> Iterator[Shown]:
    """
    Answer one question of a page; the last item says how it ended.

    `patience` is how many seconds to wait for a server that is starting.
    """
    service.conversations.end(asked.ended)
    text, identifier = asked.question, asked.identifier
    earlier = service.conversations.turns(identifier)

    def shown(state: State, turns: tuple[Answered, ...] = earlier) -> Shown:
        given: dict[str, Feedback] = {}
        replies_to: dict[str, str] = {}
        if service.journal is not None and turns:
            try:
                kept = [turn.journal_id for turn in turns if turn.journal_id]
                given, replies_to = service.journal.feedback(kept), service.journal.answered_at(kept)
            except ClusterQAError as error:
                log.error("%s", error)
        pending = None if state == "done" else text
        last = turns[-1].reply if turns else None
        questions = [turn.reply.question for turn in turns]
        offered = (
            service.suggestions.next_to(last, questions) if last and last.status in ("answered", "not_found") else []
        )
        html = render.conversation(
            turns, language, given, pending, state, identifier, asked.token, offered, service.settings.contact,
            replies_to, service.settings.retention_days,
        )  # fmt: skip
        return Shown(html, state)

    if not text.strip():
        yield shown("done")
        return
    if not patience and not service.ready:  # nothing was asked yet that could count
        yield shown("starting")
        return
    try:
        service.limits.admit(Caller(client))
        yield shown("pending" if service.ready else "warming")
        history = tuple(turn.reply.question for turn in earlier)
        answered = service.ask(Question(text, history, language), "chat", patience)
    except TooMany:
        service.metrics.refused.inc()
        yield shown("busy")
    except NotReady:
        yield shown("starting")
    except Exception:  # whatever it was, the reader gets a word and keeps the question
        log.exception("a question could not be answered")
        yield shown("failed")
    else:
        yield shown("done", service.conversations.add(identifier, answered))
