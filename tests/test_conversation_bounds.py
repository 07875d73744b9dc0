"""What the chat keeps of conversations stays within the settings, however many there are and however long."""

from __future__ import annotations

import time

import pytest

from clusterqa.records import PassageText, Quote, Reply, Source
from clusterqa.settings import Settings
from clusterqa.web.conversations import Answered, Conversations


def answer(number: int, length: int = 1500) -> Answered:
    source = Source("gold.en.md", "f" * 64, "Gold", "en")
    text = "ž" * length
    quote = Quote(source, "", None, None, 0, 10, text[:10], PassageText(0, length, text), 0.5)
    return Answered(Reply(f"question {number}", "en", "answered", 0.9, "", (quote,)), f"id{number}")


def questions(turns: tuple[Answered, ...]) -> list[str]:
    return [turn.reply.question for turn in turns]


def test_a_conversation_keeps_its_newest_turns() -> None:
    kept = Conversations(Settings(conversation_turns=3))
    for number in range(5):
        told = kept.add("a", answer(number))
    assert questions(told) == questions(kept.turns("a")) == ["question 2", "question 3", "question 4"]


def test_all_together_stay_within_their_memory_and_the_longest_untouched_go_first() -> None:
    kept = Conversations(Settings(conversations_mb=1))
    for number in range(1000):
        kept.add("first", answer(number, 100))
        kept.add(f"tab {number}", answer(number))
        assert 0 < kept.weight <= 1_000_000
    assert len(kept.turns("first")) == 50
    assert kept.turns("tab 0") == () and len(kept.turns("tab 999")) == 1
    alive = sum(bool(kept.turns(f"tab {number}")) for number in range(1000))
    assert 120 < alive < 250
    for number in range(1000):
        kept.end(f"tab {number}")
    kept.end("first")
    kept.end("never there")
    assert kept.weight == 0


def test_what_lies_untouched_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Conversations(Settings(conversation_hours=1))
    kept.add("a", answer(1))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 3500)
    assert len(kept.turns("a")) == 1
    monkeypatch.setattr(time, "monotonic", lambda: now + 3700)
    assert kept.turns("a") == () and kept.weight == 0


def test_without_an_id_nothing_is_kept() -> None:
    kept = Conversations(Settings())
    assert len(kept.add("", answer(1))) == 1
    assert kept.turns("") == () and kept.weight == 0
