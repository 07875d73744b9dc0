"""The chat in a real browser: a real server, the real encoder, a small real corpus."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_fixtures import STARTING, Server, ask, box, in_a_browser, open_chat, source, turns
from playwright.sync_api import Browser, Page, expect

from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.settings import Settings
from clusterqa.web import chat
from clusterqa.web.words import WORDS
from web_fixtures import write_corpus

pytestmark = in_a_browser


# ── asking and reading ──────────────────────────────────────────────────────────────────────────────────────────


def test_ask_follow_the_source_come_back_switch_language_and_begin_anew(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/lt/")
    expect(page.locator("html")).to_have_attribute("lang", "lt")
    expect(page.locator("#cq-examples button")).to_have_count(6)
    ask(page, "kiek laiko galioja bronzos zenklas")
    quote = page.locator(".cq-quotation blockquote").first
    expect(quote).to_contain_text("dvejus metus")
    expect(quote).to_have_attribute("lang", "lt")
    expect(box(page)).to_be_focused()
    page.locator(".cq-open").first.click()
    mark = source(page).locator("#quote")
    expect(mark).to_contain_text("dvejus metus")
    expect(mark).to_be_in_viewport()
    page.get_by_role("link", name=WORDS["lt"]["panel_page"]).click()
    expect(page.locator("#quote")).to_be_in_viewport()
    page.get_by_role("link", name=WORDS["lt"]["back"]).click()
    expect(turns(page)).to_have_count(1)
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(turns(page)).to_have_count(1)
    page.get_by_role("button", name=WORDS["en"]["new"]).click()
    expect(page.locator(".cq-turn")).to_have_count(0)
    expect(page.locator("#cq-examples")).to_be_visible()
    page.goto(server.url)
    expect(page).to_have_url(f"{server.url}/en/")


def test_a_follow_up_is_understood_from_the_conversation(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/en/")
    ask(page, "What does benchmarking for the Bronze Label cost?")
    turn = ask(page, "And by video?")
    expect(turn).to_contain_text("EUR 1,650")


def test_what_the_documents_do_not_say_is_said_plainly_and_passed_on_to_staff(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/lt/")
    question = "Kokia rytoj Palangoje bus vandens temperatūra?"
    turn = ask(page, question)
    expect(turn).to_have_attribute("data-status", "not_found")
    expect(turn.locator(".cq-message")).to_be_visible()
    expect(turn.locator(".cq-band")).to_have_count(0)
    expect(turn.get_by_text(WORDS["lt"]["passed_on"])).to_be_visible()
    expect(turn.locator(".cq-otherwise, .cq-offered")).to_have_count(1)
    newest = server.app.state.service.journal.entries()[0]
    assert (newest.question, newest.status) == (question, "not_found")


def test_a_copied_quote_keeps_its_source_line(server: Server, page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    open_chat(page, f"{server.url}/lt/")
    turn = ask(page, "Kiek laiko galioja bronzos ženklas?")
    told = turn.locator(".cq-text").first.inner_text()
    source = "— Bronzos ženklas, Galiojimas, Klasterių biuras, 2024 m. kovo 5 d., https://example.lt/bronza"
    turn.get_by_role("button", name=WORDS["lt"]["copy"]).first.click()
    expect(turn.get_by_role("button", name=WORDS["lt"]["copied"])).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"„{told}“\n\n{source}"
    turn.locator(".cq-text").first.select_text()
    page.keyboard.press("Control+c")
    assert page.evaluate("navigator.clipboard.readText()") == f"{told}\n\n{source}"


def test_feedback_with_a_reason_reaches_the_journal_and_is_remembered(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/en/")
    ask(page, "How long is the Bronze Label valid?")
    page.get_by_role("button", name=WORDS["en"]["no"], exact=True).click()
    page.get_by_role("button", name=WORDS["en"]["out_of_date"]).click()
    expect(page.locator(".cq-feedback")).to_have_text(WORDS["en"]["thanks"])
    newest = server.app.state.service.journal.entries()[0]
    assert newest.question == "How long is the Bronze Label valid?"
    assert newest.feedback is not None and newest.feedback.reason == "out_of_date"
    assert newest.shown[0].document == "bronze.en.md" and newest.generation >= 1
    page.reload()
    expect(page.locator(".cq-thanks")).to_be_visible()


def test_hostile_questions_and_documents_are_text(server: Server, page: Page) -> None:
    asked_elsewhere: list[str] = []
    page.on("request", lambda r: None if r.url.startswith((server.url, "data:")) else asked_elsewhere.append(r.url))
    open_chat(page, f"{server.url}/en/")
    question = "<img src=x onerror='window.hacked=1'> ${window.hacked=2} {{7*7}} **forklift** at which gate"
    ask(page, question)
    expect(page.locator(".cq-question p")).to_have_text(question)
    expect(page.locator(".cq-turn")).to_contain_text("<script>window.hacked = 1</script>")
    assert page.locator(".cq-turn img").count() == 0
    page.goto(f"{server.url}/documents/warehouse.en.md")  # tags of Markdown do not show
    expect(page.locator("article")).to_contain_text("at gate seven window.hacked = 1 every evening")
    assert page.locator("article script, article img").count() == 0
    assert page.evaluate("window.hacked") is None
    assert asked_elsewhere == []


def test_a_long_question_grows_the_box_and_enter_still_sends_it(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/lt/")
    height = box(page).bounding_box()["height"]  # type: ignore[index]
    question = "Mūsų klasteris dar jaunas, narių nedaug, o lėšų skirta mažai, todėl norėtume suprasti planą. " * 3
    question += "Kiek laiko galioja bronzos ženklas?"
    box(page).fill(question)
    assert box(page).bounding_box()["height"] > 1.5 * height  # type: ignore[index]
    box(page).press("Enter")
    expect(turns(page)).to_have_count(1, timeout=STARTING)
    expect(page.locator(".cq-question p")).to_have_text(question)


# ── the keyboard, and small windows ─────────────────────────────────────────────────────────────────────────────


def test_the_keyboard_alone_is_enough(server: Server, page: Page) -> None:
    """From the skip link to an example, from the reply to the source and back, to the other language and to feedback."""

    def tab_to(selector: str, key: str = "Tab") -> None:
        for _ in range(40):
            page.keyboard.press(key)
            if page.evaluate("s => document.activeElement?.matches(s)", selector):
                return
        pytest.fail(f"{selector} cannot be reached with {key}")

    open_chat(page, f"{server.url}/lt/")
    expect(page.locator("#cq-examples button").first).to_be_visible()
    page.evaluate("document.activeElement?.blur()")
    tab_to(".cq-skip")
    expect(page.locator(".cq-skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(box(page)).to_be_focused()
    tab_to("#cq-examples button", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(turns(page)).to_have_count(1, timeout=STARTING)
    expect(box(page)).to_be_focused()
    page.keyboard.type("Kiek laiko galioja bronzos ženklas?")
    page.keyboard.press("Enter")
    expect(turns(page)).to_have_count(2)
    tab_to(".cq-feedback button[data-helpful=true]", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(turns(page).nth(1).locator(".cq-feedback")).to_have_text(WORDS["lt"]["thanks"])
    expect(box(page)).to_be_focused()
    tab_to(".cq-open", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(source(page).locator("#quote")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#cq-panel")).to_have_count(0)
    expect(page.locator(".cq-open").last).to_be_focused()
    tab_to("#question textarea")
    tab_to(".cq-languages a[hreflang=en]", "Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("language", ["lt", "en"])
@pytest.mark.parametrize(("width", "scale"), [(360, 1), (640, 2)], ids=["phone", "zoomed to 200 %"])
def test_small_windows_scroll_in_one_direction_only(
    server: Server, browser: Browser, language: str, width: int, scale: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 400 * scale}, device_scale_factor=scale)
    page = context.new_page()
    try:
        open_chat(page, f"{server.url}/{language}/")
        expect(page.locator("#cq-examples button").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        ask(page, "Bronze Label " + "x" * 120)
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.goto(f"{server.url}/documents/bronze.lt.md")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    finally:
        context.close()


# ── when not everything goes well ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(corpus=write_corpus(tmp_path / "corpus"), data=tmp_path / "data")


def test_a_question_asked_while_the_server_starts_waits_with_a_word_and_is_answered(
    settings: Settings, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    load = SentenceEncoder.load

    def slow_load(*arguments: object) -> SentenceEncoder:
        go_on.wait(60)
        return load(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SentenceEncoder, "load", slow_load)
    server = Server(settings)
    try:
        open_chat(page, f"{server.url}/lt/")
        box(page).fill("Kiek laiko galioja bronzos ženklas?")
        box(page).press("Enter")
        expect(page.locator(".cq-remark")).to_have_text(WORDS["lt"]["warming"])
        expect(turns(page)).to_have_count(0)
        go_on.set()
        expect(turns(page)).to_have_count(1, timeout=STARTING)
        expect(turns(page)).to_contain_text("dvejus metus")
    finally:
        go_on.set()
        server.stop()


def test_too_many_questions_of_one_reader_are_refused_in_words_and_not_lost(settings: Settings, page: Page) -> None:
    server = Server(settings.model_copy(update={"rate_limit": 1}))
    try:
        open_chat(page, f"{server.url}/en/")
        ask(page, "How long is the Bronze Label valid?")
        box(page).fill("What does benchmarking cost?")
        box(page).press("Enter")
        expect(page.locator(".cq-remark")).to_have_text(WORDS["en"]["busy"])
        expect(box(page)).to_have_value("What does benchmarking cost?")
        expect(turns(page)).to_have_count(1)
    finally:
        server.stop()


@pytest.fixture
def held_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Server, threading.Event]]:
    """A server with room for one question in work and one in the queue, whose answers wait for the event."""
    monkeypatch.setattr(chat, "PARALLEL", 1)
    monkeypatch.setattr(chat, "QUEUE", 1)
    server = Server(settings)
    service = server.app.state.service
    service.assistant(60)
    go_on, answer = threading.Event(), service.ask

    def ask_later(*arguments: object) -> object:
        go_on.wait(60)
        return answer(*arguments)

    service.ask = ask_later
    yield server, go_on
    go_on.set()
    server.stop()


def test_a_full_queue_is_told_in_the_pages_words_and_the_question_stays_in_the_box(
    held_up: tuple[Server, threading.Event], browser: Browser
) -> None:
    server, go_on = held_up
    contexts = [browser.new_context() for _ in range(3)]
    try:
        readers = [context.new_page() for context in contexts]
        for number, reader in enumerate(readers):
            open_chat(reader, f"{server.url}/lt/")
            box(reader).fill(f"Kiek laiko galioja bronzos ženklas {number}?")
            box(reader).press("Enter")
            word = "busy" if number == 2 else "pending"
            expect(reader.locator(".cq-remark")).to_have_text(WORDS["lt"][word])
            time.sleep(0.3)  # until it stands in the queue
        expect(box(readers[2])).to_have_value("Kiek laiko galioja bronzos ženklas 2?")
        go_on.set()
        for reader in readers[:2]:
            expect(turns(reader)).to_have_count(1)
        box(readers[2]).press("Enter")
        expect(turns(readers[2])).to_have_count(1)
    finally:
        for context in contexts:
            context.close()


def test_a_lost_connection_is_told_in_the_pages_words(settings: Settings, page: Page) -> None:
    server = Server(settings)
    open_chat(page, f"{server.url}/en/")
    ask(page, "How long is the Bronze Label valid?")
    server.stop()
    box(page).fill("What does benchmarking cost?")
    box(page).press("Enter")
    expect(page.locator(".cq-remark")).to_have_text(WORDS["en"]["lost"], timeout=30_000)
    expect(box(page)).to_have_value("What does benchmarking cost?")
