"""A chat page that loses nothing: typing while an answer is on its way, lines that break or are slow, links, print, documents."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from browser_fixtures import STARTING, Server, ask, box, in_a_browser, open_chat, source, turns, whole
from playwright.sync_api import Browser, Page, Route, expect

from clusterqa.web.words import WORDS

pytestmark = in_a_browser

VALID = {"lt": "Kiek laiko galioja bronzos ženklas?", "en": "How long is the Bronze Label valid?"}
PRICE = {"lt": "Kiek kainuoja palyginamasis vertinimas vietoje?", "en": "What does benchmarking on site cost?"}
TWO_YEARS = {"lt": "dvejus metus", "en": "two years"}
PHONE = {"width": 360, "height": 740}
languages = pytest.mark.parametrize("language", ["lt", "en"])


def without_gradio(page: Page) -> None:
    """Gradio's scripts never come, as on a line that is too slow for them."""
    page.route("**/assets/**", lambda route: route.abort())


# ── typing while an answer is on its way ────────────────────────────────────────────────────────────────────────


@languages
@pytest.mark.parametrize("gradio", [True, False], ids=["in Gradio's page", "in the first view"])
def test_what_is_typed_while_an_answer_is_pending_stays_and_a_second_question_waits_its_turn(
    server: Server, page: Page, language: str, gradio: bool
) -> None:
    service = server.app.state.service
    service.assistant(180)
    answer, go_on = service.ask, threading.Event()

    def ask_later(*arguments: object) -> object:
        go_on.wait(60)
        return answer(*arguments)

    if not gradio:
        without_gradio(page)
    page.goto(f"{server.url}/{language}/")
    if gradio:
        whole(page)
    service.ask = ask_later
    try:
        box(page).fill(VALID[language])
        box(page).press("Enter")
        expect(page.locator(".cq-remark")).to_have_text(WORDS[language]["pending"])  # type: ignore[index]
        expect(box(page)).to_have_value("")
        box(page).fill(PRICE[language])
        box(page).press("Enter")
        expect(page.locator(".cq-remark").last).to_have_text(WORDS[language]["waits"])  # type: ignore[index]
        box(page).press_sequentially("trečias")
        go_on.set()
        expect(turns(page)).to_have_count(2)
        expect(box(page)).to_have_value("trečias")
        expect(turns(page).nth(0)).to_contain_text(TWO_YEARS[language])
        expect(turns(page).nth(1).locator(".cq-question p")).to_have_text(PRICE[language])
        expect(page.locator(".cq-waiting")).to_have_count(0)
    finally:
        go_on.set()
        del service.ask


def test_the_arrow_key_brings_the_last_questions_back(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/lt/")
    ask(page, VALID["lt"])
    ask(page, PRICE["lt"])
    box(page).press("ArrowUp")
    expect(box(page)).to_have_value(PRICE["lt"])
    box(page).press("ArrowUp")
    expect(box(page)).to_have_value(VALID["lt"])
    box(page).press("ArrowDown")
    box(page).press("ArrowDown")
    expect(box(page)).to_have_value("")
    box(page).fill("juodraštis")
    box(page).press("ArrowUp")
    expect(box(page)).to_have_value("juodraštis")


@languages
def test_a_question_that_is_too_long_is_told_while_it_is_typed_and_is_not_cut(
    server: Server, page: Page, language: str
) -> None:
    open_chat(page, f"{server.url}/{language}/")
    box(page).fill("ž" * 2013)
    expect(page.locator(".cq-long")).to_have_text(f"{WORDS[language]['long']} 13.")  # type: ignore[index]
    box(page).press("Enter")
    expect(box(page)).to_have_value("ž" * 2013)
    expect(page.locator(".cq-turn")).to_have_count(0)
    box(page).fill("ž" * 2000)
    expect(page.locator(".cq-long")).to_have_count(0)


# ── lines that break, and slow ones ─────────────────────────────────────────────────────────────────────────────


@languages
def test_a_question_outlasts_a_broken_line_and_the_reload_that_follows(
    server: Server, page: Page, language: str
) -> None:
    open_chat(page, f"{server.url}/{language}/")
    ask(page, VALID[language])
    page.context.set_offline(True)
    box(page).fill(PRICE[language])
    box(page).press("Enter")
    expect(page.locator(".cq-remark")).to_have_text(WORDS[language]["lost"])  # type: ignore[index]
    expect(box(page)).to_have_value(PRICE[language])
    page.context.set_offline(False)
    page.reload()  # Gradio reloads by itself once it sees that the line is there again
    expect(turns(page)).to_have_count(1)
    whole(page)
    expect(box(page)).to_have_value(PRICE[language])
    box(page).press("Enter")
    expect(turns(page)).to_have_count(2)
    expect(box(page)).to_have_value("")


@languages
@pytest.mark.parametrize("width", [360, 1280])
def test_the_first_response_alone_can_be_read_and_asked_without_javascript(
    server: Server, browser: Browser, language: str, width: int
) -> None:
    server.app.state.service.assistant(180)
    context = browser.new_context(java_script_enabled=False, viewport={"width": width, "height": 740})
    page = context.new_page()
    try:
        page.goto(f"{server.url}/{language}/")
        expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language]["welcome"])  # type: ignore[index]
        expect(page.locator("#cq-examples button")).to_have_count(6)
        page.get_by_role("textbox").fill(VALID[language])
        page.get_by_role("button", name=WORDS[language]["send"], exact=True).click()  # type: ignore[index]
        expect(turns(page).first).to_contain_text(TWO_YEARS[language])
        page.get_by_role("textbox").fill(PRICE[language])
        page.get_by_role("button", name=WORDS[language]["send"], exact=True).click()  # type: ignore[index]
        expect(turns(page)).to_have_count(2)
        page.locator(".cq-open").first.click()
        expect(page.locator("#quote")).to_contain_text(TWO_YEARS[language])
        page.go_back()
        page.get_by_role("button", name=WORDS[language]["new"]).click()  # type: ignore[index]
        expect(turns(page)).to_have_count(0)
    finally:
        context.close()


def test_what_stands_in_the_box_of_the_first_view_moves_into_gradios(server: Server, page: Page) -> None:
    waiting: list[Route] = []
    page.route("**/assets/*.js", lambda route: waiting.append(route))
    page.goto(f"{server.url}/lt/", wait_until="commit")
    turn = ask(page, VALID["lt"])
    expect(turn).to_contain_text("dvejus metus")
    box(page).press_sequentially("Kiek kainuoja")
    box(page).press("Home")
    for route in waiting:
        route.continue_()
    page.unroute("**/assets/*.js")
    whole(page)
    expect(turns(page)).to_have_count(1)
    expect(box(page)).to_be_focused()
    expect(box(page)).to_have_value("Kiek kainuoja")
    box(page).press_sequentially("O ")
    expect(box(page)).to_have_value("O Kiek kainuoja")
    ask(page, PRICE["lt"])
    expect(turns(page)).to_have_count(2)


# ── small screens, and two languages ────────────────────────────────────────────────────────────────────────────


def test_on_a_phone_held_sideways_the_box_stays_on_the_screen(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 740, "height": 340})
    page = context.new_page()
    try:
        open_chat(page, f"{server.url}/lt/")
        expect(box(page)).to_be_in_viewport(ratio=1)
        ask(page, VALID["lt"])
        expect(box(page)).to_be_in_viewport(ratio=1)
        expect(page.locator(".cq-text").first).to_be_in_viewport()
    finally:
        context.close()


def test_what_is_touched_is_large_enough_for_a_finger(server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    small = """() => [...document.querySelectorAll('a, button, summary, textarea, input')]
        .filter((part) => part.checkVisibility() && !part.matches('.cq-skip, .cq-privacy summary, .cq-hints input'))
        .map((part) => [part.className || part.textContent, Math.round(part.getBoundingClientRect().height)])
        .filter(([name, height]) => height && height < 44)"""
    try:
        open_chat(page, f"{server.url}/lt/")
        assert page.evaluate(small) == []
        ask(page, VALID["lt"])
        page.get_by_role("button", name=WORDS["lt"]["no"], exact=True).click()
        expect(page.locator(".cq-why")).to_be_visible()
        assert page.evaluate(small) == []
    finally:
        context.close()


def test_our_words_in_a_turn_are_of_one_language_whatever_the_page(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/lt/")
    ask(page, VALID["en"])
    ask(page, VALID["lt"])
    page.get_by_role("link", name="EN", exact=True).click()
    for number, language in ((0, "en"), (1, "lt")):
        turn, words = turns(page).nth(number), WORDS[language]  # type: ignore[index]
        expect(turn).to_have_attribute("lang", language)
        for key in ("open", "copy", "link", "helped"):
            expect(turn).to_contain_text(words[key])


# ── links, print, export ────────────────────────────────────────────────────────────────────────────────────────


@languages
def test_a_link_to_an_answer_asks_its_question_once(server: Server, page: Page, language: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    open_chat(page, f"{server.url}/{language}/")
    turn = ask(page, VALID[language])
    turn.locator(".cq-link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert page.url == link
    page.reload()
    whole(page)
    expect(turns(page)).to_have_count(1)
    other = page.context.new_page()
    other.goto(link.replace(f"/{language}/?", f"/{language}?"))
    expect(turns(other)).to_have_count(1, timeout=STARTING)
    expect(turns(other)).to_contain_text(TWO_YEARS[language])
    expect(box(other)).to_have_value("")


def test_a_link_to_a_follow_up_asks_what_it_leans_on_first(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/en/")
    ask(page, "What does benchmarking for the Bronze Label cost?")
    link = ask(page, "And by video?").locator(".cq-link").get_attribute("href")
    other = page.context.new_page()
    open_chat(other, f"{server.url}/en/{link}")
    expect(turns(other)).to_have_count(2)
    expect(turns(other).nth(1)).to_contain_text("EUR 1,650")


def test_a_printed_conversation_has_everything_open_the_addresses_and_no_box(
    server: Server, page: Page, tmp_path: Path
) -> None:
    open_chat(page, f"{server.url}/lt/")
    ask(page, VALID["lt"])
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    for hidden in ("#cq-header", "#cq-composer", ".cq-foot", ".cq-tools"):
        expect(page.locator(hidden).first).to_be_hidden()
    assert page.locator(".cq-reply details:not([open])").count() == 0
    shown = page.locator(".cq-open").first.evaluate("link => getComputedStyle(link, '::after').content")
    assert f"{server.url}/documents/bronze.lt.md" in shown
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".cq-reply details[open]").count() == 0
    assert page.pdf()[:5] == b"%PDF-"


@languages
def test_a_conversation_is_taken_along_as_markdown(server: Server, page: Page, language: str) -> None:
    open_chat(page, f"{server.url}/{language}/")
    ask(page, VALID[language])
    with page.expect_download() as download:
        page.get_by_role("button", name=WORDS[language]["export"]).click()  # type: ignore[index]
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename.endswith(".md")
    assert f"## {VALID[language]}" in text
    assert f"{server.url}/documents/bronze.{language}.md" in text
    quote = next(line for line in text.split("\n") if line.startswith("> "))
    assert TWO_YEARS[language] in quote
    expect(turns(page)).to_have_count(1)


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────


@languages
def test_beside_the_chat_a_document_shows_the_mark_and_back_closes_it(
    server: Server, page: Page, language: str
) -> None:
    open_chat(page, f"{server.url}/{language}/")
    turn = ask(page, VALID[language])
    address = page.url
    turn.locator(".cq-open").first.click()
    mark = source(page).locator("#quote")
    expect(mark).to_contain_text(TWO_YEARS[language])
    expect(mark).to_be_in_viewport()
    expect(source(page).locator(".cq-bar")).to_be_hidden()
    expect(box(page)).to_be_in_viewport()
    page.reload()
    expect(source(page).locator("#quote")).to_be_in_viewport()
    page.go_back()
    expect(page.locator("#cq-panel")).to_have_count(0)
    assert page.url == address
    expect(turns(page)).to_have_count(1)


def test_on_a_phone_a_document_has_a_page_of_its_own_and_back_returns_to_the_same_place(
    server: Server, browser: Browser
) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]
    page = context.new_page()
    try:
        open_chat(page, f"{server.url}/lt/")
        for question in (VALID["lt"], PRICE["lt"], "Kas yra bronzos ženklas?"):
            ask(page, question)
        link = turns(page).nth(1).locator(".cq-open").first
        link.scroll_into_view_if_needed()
        before = link.bounding_box()
        link.click()
        expect(page.locator("#quote")).to_be_in_viewport()
        page.go_back()
        whole(page)
        expect(turns(page)).to_have_count(3)
        after = link.bounding_box()
        assert before and after and abs(before["y"] - after["y"]) < 30
    finally:
        context.close()


@languages
def test_the_documents_are_listed_by_language_and_found_without_diacritics(
    server: Server, page: Page, language: str
) -> None:
    open_chat(page, f"{server.url}/{language}/")
    page.get_by_role("link", name=WORDS[language]["documents"], exact=True).click()  # type: ignore[index]
    title = {"lt": "Bronzos ženklas", "en": "The Bronze Label"}[language]
    expect(page.get_by_role("link", name=title)).to_be_visible()
    page.get_by_role("searchbox").fill({"lt": "zenkl bronz", "en": "LABEL bron"}[language])
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator(".cq-topic li")).to_have_count(1)
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


@languages
@pytest.mark.parametrize("path", ["/xyz", "/lt/xyz", "/en/a/b/c"])
def test_an_address_that_leads_nowhere_is_a_page_in_the_visitors_language(
    server: Server, browser: Browser, language: str, path: str
) -> None:
    context = browser.new_context(locale={"lt": "lt-LT", "en": "en-GB"}[language])
    page = context.new_page()
    try:
        answer = page.goto(f"{server.url}{path}")
        assert answer is not None and answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text(WORDS[language]["no_page"])  # type: ignore[index]
        page.get_by_role("link", name=WORDS[language]["to_chat"]).click()  # type: ignore[index]
        expect(box(page)).to_be_visible()
        data = page.request.get(f"{server.url}/xyz", headers={"accept": "application/json"})
        assert json.loads(data.text())["status"] == 404
    finally:
        context.close()
