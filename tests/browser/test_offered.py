"""Questions that are offered, remarks that are no questions, and whom to turn to: in both languages, on a phone as well."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from browser_fixtures import AXE, Server, ask, axe_violations, box, in_a_browser, open_chat, turns, whole
from playwright.sync_api import Browser, Page, expect

from clusterqa.records import Language
from clusterqa.retrieval.small_talk import REPLIES
from clusterqa.settings import Contact, Settings
from clusterqa.web.words import WORDS
from web_fixtures import write_corpus

pytestmark = in_a_browser
languages = pytest.mark.parametrize("language", ["lt", "en"])

GUIDE = {
    "lt": """---
title: Sandėlio atmintinė
language: lt
---
# Sandėlio atmintinė

## Kada atidaromas sandėlis ryte?

Sandėlis ryte atidaromas septintą valandą.

## Kas prižiūri sandėlio vartus?

Sandėlio vartus prižiūri budintis meistras.

## Kiek kainuoja sidabro ženklas?

Sidabro ženklas kainuoja 3600 eurų.
""",
    "en": """---
title: A guide to the warehouse
language: en
---
# A guide to the warehouse

## When does the warehouse open in the morning?

The warehouse opens at seven o'clock in the morning.

## Who looks after the warehouse gates?

The warehouse gates are looked after by the foreman on duty.

## How much does the Silver Label cost?

The Silver Label costs 3600 euros.
""",
}
TYPED = {"lt": "sandel ryt", "en": "warehouse morn"}
QUESTION = {"lt": "Kada atidaromas sandėlis ryte?", "en": "When does the warehouse open in the morning?"}
NEXT = {"lt": "Kas prižiūri sandėlio vartus?", "en": "Who looks after the warehouse gates?"}
NONSENSE = {"lt": "Kaip išvirti cepelinus su grybais?", "en": "How do I bake sourdough bread?"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("offered")
    corpus = write_corpus(base / "corpus")
    for language, text in GUIDE.items():
        (corpus / f"sandelis.{language}.md").write_text(text, encoding="utf-8")
    contact: dict[Language, Contact] = {
        "lt": Contact(name="Rasa Rasaitė", email="rasa@example.lt", telephone="+370 600 00000", replies=True),
        "en": Contact(name="Rasa Rasaitė", form="https://example.lt/ask", replies=True),
    }
    server = Server(Settings(corpus=corpus, data=base / "data", refresh_seconds=0.1, contact=contact))
    suggestions = server.app.state.service.suggestions
    for _ in range(1200):  # until the questions have been tried out
        if {one.text for language in ("lt", "en") for one in suggestions.offered(language)} >= set(NEXT.values()):
            break
        time.sleep(0.1)
    yield server
    server.stop()


@languages
@pytest.mark.parametrize("width", [360, 1280])
def test_while_one_types_questions_are_offered_and_chosen_with_the_keys(
    server: Server, browser: Browser, language: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 740})
    page = context.new_page()
    try:
        open_chat(page, f"{server.url}/{language}/")
        box(page).press_sequentially(TYPED[language])
        option = page.get_by_role("option", name=QUESTION[language])
        expect(option).to_be_visible()
        expect(box(page)).to_have_attribute("aria-expanded", "true")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if AXE.exists():
            assert axe_violations(page) == []
        box(page).press("ArrowDown")
        expect(option).to_have_attribute("aria-selected", "true")
        expect(box(page)).to_have_attribute("aria-activedescendant", str(option.get_attribute("id")))
        box(page).press("Escape")
        expect(page.locator("#cq-hints")).to_have_count(0)
        expect(box(page)).to_have_value(TYPED[language])
        box(page).press_sequentially("i" if language == "en" else "e")
        box(page).press("ArrowDown")
        box(page).press("Enter")
        expect(turns(page)).to_have_count(1)
        expect(turns(page).locator(".cq-question p")).to_have_text(QUESTION[language])
        expect(box(page)).to_have_value("")
    finally:
        context.close()


def test_the_offers_while_typing_can_be_turned_off_for_good(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/lt/")
    check = page.get_by_role("checkbox", name=WORDS["lt"]["hints"])
    check.focus()
    check.press("Space")
    box(page).press_sequentially(TYPED["lt"])
    expect(page.locator("#cq-hints")).to_have_count(0)
    page.reload()
    whole(page)
    expect(check).not_to_be_checked()


@languages
def test_under_an_answer_its_neighbours_are_offered_and_one_click_asks_them(
    server: Server, page: Page, language: str
) -> None:
    open_chat(page, f"{server.url}/{language}/")
    turn = ask(page, QUESTION[language])
    offered = turn.locator(".cq-offered")
    expect(offered.get_by_role("button", name=QUESTION[language])).to_have_count(0)
    offered.get_by_role("button", name=NEXT[language]).click()
    expect(turns(page)).to_have_count(2)
    expect(turns(page).nth(1)).to_have_attribute("data-status", "answered")
    expect(turns(page).nth(0).locator(".cq-offered")).to_have_count(0)


@languages
def test_where_nothing_is_found_a_phone_shows_a_few_words_whom_to_ask_and_what_is_answered(
    server: Server, browser: Browser, language: str
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    try:
        open_chat(page, f"{server.url}/{language}/")
        turn = ask(page, NONSENSE[language])
        expect(turn).to_have_attribute("data-status", "not_found")
        expect(turn.locator("blockquote:visible")).to_have_count(0)
        expect(turn.locator(".cq-contact")).to_contain_text("Rasa Rasaitė")
        number = turn.locator(".cq-contact code").inner_text()
        newest = server.app.state.service.journal.entries()[0]
        assert newest.question == NONSENSE[language] and newest.id.startswith(number)
        form = turn.locator(".cq-reply-to")
        form.get_by_role("textbox").fill("jonas@imone.lt")
        form.get_by_role("checkbox").check()
        form.get_by_role("button").click()
        expect(turn.locator(".cq-reply-to")).to_have_text(WORDS[language]["reply_to_kept"].format("jonas@imone.lt"))  # type: ignore[index]
        assert server.app.state.service.journal.entries()[0].reply_to == "jonas@imone.lt"
        assert 1 <= turn.locator(".cq-offered button").count() <= 3
        turn.locator(".cq-offered button").first.click()
        expect(turns(page).nth(1)).to_have_attribute("data-status", "answered")
        if AXE.exists():
            assert axe_violations(page) == []
    finally:
        context.close()


@pytest.mark.parametrize(
    ("language", "text", "remark"),
    [
        ("lt", "Nuoširdžiai dėkoju už pagalbą", None),
        ("lt", "tu kvailas botas", "complaint"),
        ("lt", "ar as kalbu su zmogumi?", "robot"),
        ("en", "Are you ChatGPT?", "robot"),
        ("en", "who made you", "maker"),
        ("en", "can I talk to a person please", "person"),
    ],
)
def test_remarks_get_a_word_no_quotes_and_nothing_for_the_staff(
    server: Server, page: Page, language: str, text: str, remark: str | None
) -> None:
    before = len(server.app.state.service.journal.entries())
    open_chat(page, f"{server.url}/{language}/")
    turn = ask(page, text)
    expect(turn).to_have_attribute("data-status", "small_talk")
    expect(turn.locator("blockquote")).to_have_count(0)
    if remark:
        expect(turn.locator(".cq-message")).to_have_text(REPLIES[language][remark])  # type: ignore[index]
    expect(turn.locator(".cq-contact")).to_have_count(int(remark == "person"))
    assert len(server.app.state.service.journal.entries()) == before


def test_a_question_inside_a_complaint_is_answered(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/lt/")
    turn = ask(page, "Tu kvailas botas! Kada atidaromas sandėlis ryte? Ačiū")
    expect(turn).to_contain_text("septintą valandą")
    expect(turn).to_have_attribute("data-status", "answered")
