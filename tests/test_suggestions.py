"""Only questions that the documents answer are offered, the nearest first, and none that was asked already."""

from __future__ import annotations

from datetime import date

import pytest

from clusterqa.records import Question, Reply
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.store import open_store
from clusterqa.web.suggestions import Suggestion, Suggestions, alike, answers, as_question, questions
from clusterqa.web.words import EXAMPLES

GUIDE = """---
title: Atmintinė apie sandėlį
language: lt
---
# Atmintinė apie sandėlį

## Kada atidaromas sandėlis

Sandėlis atidaromas septintą valandą ryto ir uždaromas devintą vakaro.

## Kas prižiūri sandėlį?

Sandėlį prižiūri budintis meistras, kurio telefonas iškabintas prie vartų.

## Vartai

Vartai rakinami kiekvieną vakarą.

## Kuriuo metų laiku sandėlyje auginami ananasai?

Žr. kitą dokumentą.
"""


def always() -> bool:
    return True


@pytest.mark.parametrize(
    ("heading", "language", "question"),
    [
        ("Kiek sidabro ženklas kainuoja", "lt", "Kiek sidabro ženklas kainuoja?"),
        ("Ar ženklas padeda patekti į ES projektus?", "lt", "Ar ženklas padeda patekti į ES projektus?"),
        ("Kaina ir terminai", "lt", ""),
        ("Kaip tai veikia", "lt", ""),
        ("How is the Bronze Label renewed", "en", "How is the Bronze Label renewed?"),
        ("What the interview covers in practice", "en", ""),
        ("How to apply for the label", "en", ""),
        ("Why now?", "en", ""),
        ("Ar šių klasterių ženklai dabar galioja?", "lt", ""),
        ("Are these clusters' labels valid now?", "en", ""),
        ("How much support did it give?", "en", ""),
        ("Does a cluster belong to its members?", "en", "Does a cluster belong to its members?"),
        ("What " + "very " * 40 + "long?", "en", ""),
    ],
)
def test_a_heading_that_asks_becomes_a_question(heading: str, language, question: str) -> None:
    assert as_question(heading, language) == question


@pytest.mark.encoder
def test_what_the_documents_answer_is_offered_and_what_they_refuse_is_not(
    settings: Settings, write, index, bundled_encoder
) -> None:
    write("sandelis.lt.md", GUIDE)
    index(bundled_encoder)
    assistant = KnowledgeBase(settings, bundled_encoder)
    suggestions = Suggestions()
    suggestions.work(lambda: open_store(settings.home), assistant.generation, assistant.ask, always)
    offered = {one.text for one in suggestions.offered("lt")}
    tried = {"Kada atidaromas sandėlis?", "Kas prižiūri sandėlį?", "Kuriuo metų laiku sandėlyje auginami ananasai?"}
    assert offered and offered <= tried | set(EXAMPLES["lt"])
    for text in offered:
        assert assistant.ask(Question(text, language="lt")).status == "answered"
    assert suggestions.offered("en") == []
    reply = assistant.ask(Question("Kada atidaromas sandėlis?", language="lt"))
    assert "Kada atidaromas sandėlis?" not in suggestions.next_to(reply, ["kada atidaromas sandelis"])
    assistant.close()


def test_what_is_no_longer_valid_is_not_offered_from_the_day_after(settings: Settings, write, index) -> None:
    write("sandelis.lt.md", GUIDE.replace("language: lt", "language: lt\nvalid_until: 2026-03-05"))
    index()
    suggestions, asked = Suggestions(), list[str]()

    def ask(question: Question) -> Reply:
        asked.append(question.text)
        return Reply(question.text, "lt", "not_found", 0.1, "…")

    for day, opened in ((date(2026, 3, 5), 2), (date(2026, 3, 6), 0), (None, 2)):
        with open_store(settings.home) as store:
            assert len([one for one in questions(store, day) if one.document]) == opened
        suggestions.work(lambda: open_store(settings.home), 1, ask, always, day)
    assert asked.count("Kas prižiūri sandėlį?") == 2  # what was not to be offered for a day is tried out again


def test_nothing_is_tried_while_somebody_waits_and_what_is_left_is_tried_later(
    settings: Settings, write, index
) -> None:
    write("sandelis.lt.md", GUIDE)
    index()
    suggestions, asked = Suggestions(), list[str]()

    def ask(question: Question) -> Reply:
        asked.append(question.text)
        return Reply(question.text, "lt", "not_found", 0.1, "…")

    for more, together in ((0, 0), (2, 2), (1, 3)):
        left = iter([True] * more + [False])
        suggestions.work(lambda: open_store(settings.home), 1, ask, left.__next__)
        assert len(asked) == together
    assert len(set(asked)) == 3


def test_what_shares_rare_words_with_a_question_comes_first() -> None:
    offered = [
        Suggestion(text, "lt")
        for text in ("Kiek kainuoja bronzos ženklas?", "Kas suteikia ženklą?", "Kada vyksta sidabro auditas?")
    ]
    assert alike("sidabro ženklo auditas", offered)[0].text == "Kada vyksta sidabro auditas?"
    assert alike("Kokia vandens temperatūra?", offered) == []


def test_a_refused_question_is_no_answer() -> None:
    refused = Reply("x", "lt", "not_found", 0.1, "…")
    assert not answers(refused, Suggestion("x", "lt"))
