"""The chat in a real browser: a real server, the real encoder, a small real corpus."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from clusterqa.settings import Settings
from clusterqa.web.app import build
from clusterqa.web.words import WORDS

sys.path.insert(0, str(Path(__file__).parent.parent))
from web_fixtures import write_corpus

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no browser at {CHROMIUM}; install Debian's chromium"),
]


class Server:
    """The app on a free port of loopback, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.app = build(settings)
        self._server = uvicorn.Server(uvicorn.Config(self.app, port=0, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.05)
        self.url = f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("browser")
    server = Server(Settings(corpus=write_corpus(base / "corpus"), data=base / "data"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def ask(page: Page, question: str) -> None:
    before = page.locator(".cq-turn[data-status]").count()
    box = page.locator("#question input, #question textarea")
    box.fill(question)
    box.press("Enter")
    # the first question may find the encoder still loading: it waits, it does not fail
    expect(page.locator(".cq-turn[data-status]")).to_have_count(before + 1, timeout=60_000)


def test_ask_follow_the_source_come_back_switch_language_and_begin_anew(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/lt/")
    expect(page.locator("html")).to_have_attribute("lang", "lt")
    expect(page.locator("#cq-examples button")).to_have_count(6)
    ask(page, "kiek laiko galioja bronzos zenklas")
    quote = page.locator(".cq-quotation blockquote").first
    expect(quote).to_contain_text("dvejus metus")
    expect(quote).to_have_attribute("lang", "lt")
    expect(page.locator("#question input, #question textarea")).to_be_focused()
    page.locator(".cq-open").first.click()
    mark = page.locator("#quote")
    expect(mark).to_contain_text("dvejus metus")
    expect(mark).to_be_in_viewport()
    page.get_by_role("link", name=WORDS["lt"]["back"]).click()
    expect(page.locator(".cq-turn[data-status]")).to_have_count(1)
    page.get_by_role("link", name="EN", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.locator(".cq-turn[data-status]")).to_have_count(1)
    page.get_by_role("button", name=WORDS["en"]["new"]).click()
    expect(page.locator(".cq-turn")).to_have_count(0)
    expect(page.locator("#cq-examples")).to_be_visible()
    page.goto(server.url)
    expect(page).to_have_url(f"{server.url}/en/")


def test_feedback_with_a_reason_reaches_the_journal_and_is_remembered(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/en/")
    ask(page, "How long is the Bronze Label valid?")
    page.get_by_role("button", name=WORDS["en"]["no"], exact=True).click()
    page.get_by_role("button", name=WORDS["en"]["out_of_date"]).click()
    expect(page.locator(".cq-feedback")).to_have_text(WORDS["en"]["thanks"])
    newest = server.app.state.service.journal.entries()[0]
    assert newest.question == "How long is the Bronze Label valid?"
    assert newest.feedback is not None and newest.feedback.reason == "out_of_date"
    page.reload()
    expect(page.locator(".cq-thanks")).to_be_visible()


def test_hostile_questions_and_documents_are_text(server: Server, page: Page) -> None:
    asked_elsewhere: list[str] = []
    page.on("request", lambda r: None if r.url.startswith((server.url, "data:")) else asked_elsewhere.append(r.url))
    page.goto(f"{server.url}/en/")
    question = "<img src=x onerror='window.hacked=1'> ${window.hacked=2} {{7*7}} **forklift** at which gate"
    ask(page, question)
    expect(page.locator(".cq-question p")).to_have_text(question)
    expect(page.locator(".cq-turn")).to_contain_text("<script>window.hacked = 1</script>")
    assert page.locator(".cq-turn img").count() == 0
    page.goto(f"{server.url}/documents/warehouse.en.md")
    expect(page.locator("article")).to_contain_text("<script>window.hacked = 1</script>")
    assert page.evaluate("window.hacked") is None
    assert asked_elsewhere == []


@pytest.mark.parametrize("language", ["lt", "en"])
def test_a_phone_scrolls_in_one_direction_only(server: Server, page: Page, language: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"{server.url}/{language}/")
    ask(page, "Bronze Label " + "x" * 120)
    for summary in page.locator("summary:visible").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.goto(f"{server.url}/documents/bronze.lt.md")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_keyboard_alone_is_enough(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/lt/")
    example = page.locator("#cq-examples button").first
    expect(example).to_be_visible()
    page.locator(".cq-skip").focus()
    for _ in range(12):
        page.keyboard.press("Tab")
        if example.evaluate("e => e === document.activeElement"):
            break
    expect(example).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".cq-turn[data-status]")).to_have_count(1, timeout=60_000)
    expect(page.locator("#question input, #question textarea")).to_be_focused()
