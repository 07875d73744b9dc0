"""Getting into the staff desk in a real browser, in both languages: the closed desk, log-in, colleagues, log-out."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from clusterqa.records import Language
from clusterqa.settings import Settings
from clusterqa.web.staff.words import WORDS

sys.path.insert(0, str(Path(__file__).parent.parent))
from browser_fixtures import Server, in_a_browser, refuse_violations

from web_fixtures import write_corpus

pytestmark = in_a_browser
PASSWORD = "žirafa geria šaltibarščius"
OTHER = "debesis neša geltoną lagaminą"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    base = tmp_path_factory.mktemp("desk")
    return Settings(corpus=write_corpus(base / "corpus"), data=base / "data", threads=1)


@pytest.fixture(scope="module")
def url(settings: Settings) -> Iterator[str]:
    server = Server(settings)
    until = time.monotonic() + 120
    while httpx.get(f"{server.url}/readyz").status_code != 200 and time.monotonic() < until:
        time.sleep(0.2)
    yield server.url
    server.stop()


def opened(browser: Browser, language: Language, width: int = 1280) -> Page:
    """A fresh browser whose person reads this language; anything its console complains of fails the test."""
    context = browser.new_context(
        locale=f"{language}-{'LT' if language == 'lt' else 'GB'}", viewport={"width": width, "height": 760}
    )
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.on("console", refuse_violations)
    return page


def log_in(page: Page, name: str, password: str, words: dict[str, str]) -> None:
    page.get_by_label(words["name"], exact=True).fill(name)
    page.get_by_label(words["password"], exact=True).fill(password)
    page.keyboard.press("Enter")


def test_the_closed_desk_says_how_to_open_it_and_opens(browser: Browser, url: str, settings: Settings) -> None:
    page = opened(browser, "lt")
    page.goto(f"{url}/staff")
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["lt"]["closed_title"])
    command = page.locator(".sd-command").inner_text().replace("VARDAS", "rasa").split()
    assert command == ["clusterqa", "staff", "add", "rasa"]
    made = subprocess.run(
        [sys.executable, "-m", *command, "--data", str(settings.data)],
        input=f"{PASSWORD}\n",
        text=True,
        capture_output=True,
    )
    assert made.stdout == "Added: rasa (administrator). Log in at /staff\n", made.stderr
    page.reload()
    expect(page.get_by_label(WORDS["lt"]["name"], exact=True)).to_be_focused()
    page.context.close()


@pytest.mark.parametrize("language", ["lt", "en"])
def test_a_colleague_is_added_chooses_a_password_and_leaves(
    browser: Browser, url: str, settings: Settings, language: Language
) -> None:
    words = WORDS[language]
    boss, colleague = opened(browser, language), opened(browser, language, width=360)
    boss.goto(f"{url}/staff/people")
    expect(boss.locator("html")).to_have_attribute("lang", language)
    log_in(boss, "rasa", "ne tas slaptažodis", words)
    expect(boss.get_by_role("alert")).to_have_text(words["wrong_password"])
    log_in(boss, "rasa", PASSWORD, words)
    expect(boss.get_by_role("heading", level=1)).to_have_text(words["people_title"])

    name = f"jonas.{language}"
    boss.get_by_label(words["name"], exact=True).fill(name)
    boss.get_by_role("button", name=words["add_account"]).click()
    given = boss.locator(".sd-secret code").inner_text()
    boss.get_by_role("link", name=words["done_noted"]).click()
    expect(boss.get_by_role("rowheader", name=re.compile(re.escape(name)))).to_contain_text(words["must_change_mark"])

    colleague.goto(f"{url}/staff")
    log_in(colleague, name, given, words)
    expect(colleague.get_by_text(words["change_first"])).to_be_visible()
    colleague.get_by_label(words["old_password"], exact=True).fill(given)
    colleague.get_by_label(words["new_password"], exact=True).fill(OTHER)
    colleague.get_by_label(words["new_again"], exact=True).fill(OTHER)
    reveal = colleague.get_by_label(words["show_password"])
    reveal.check()
    expect(colleague.locator("#new")).to_have_attribute("type", "text")
    reveal.uncheck()
    colleague.get_by_role("button", name=words["own_password"]).click()
    expect(colleague.get_by_role("status")).to_have_text(words["password_changed"])
    colleague.goto(f"{url}/staff/people")
    expect(colleague.get_by_text(words["administrators_only"])).to_be_visible()
    colleague.goto(f"{url}/staff/log")
    assert colleague.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than the phone"

    cookie = next(kept for kept in colleague.context.cookies(f"{url}/staff") if kept["name"] == "clusterqa_staff")
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/staff")
    assert "clusterqa_staff" not in colleague.evaluate("document.cookie")

    colleague.locator(".sd-menu summary").click()
    colleague.get_by_role("button", name=words["log_out"]).click()
    expect(colleague.get_by_role("status")).to_have_text(words["logged_out"])
    colleague.go_back()
    colleague.reload()
    expect(colleague.get_by_role("heading", level=1)).to_have_text(words["log_in_title"])

    boss.goto(f"{url}/staff/people")
    row = boss.get_by_role("row").filter(has_text=name)
    row.locator("summary").click()
    row.get_by_role("link", name=words["remove_account"]).click()
    expect(boss.get_by_role("heading", level=1)).to_have_text(words["remove_title"].format(name))
    boss.get_by_role("button", name=words["remove_account"]).click()
    expect(boss.get_by_role("status")).to_have_text(words["account_removed"].format(name))
    expect(boss.get_by_role("row").filter(has_text=name)).to_have_count(0)
    boss.context.close()
    colleague.context.close()


def test_the_language_is_switched_in_place_and_the_chat_keeps_it(browser: Browser, url: str) -> None:
    page = opened(browser, "lt")
    page.goto(f"{url}/staff/log")
    page.get_by_role("navigation", name="Puslapio kalba").get_by_role("link", name="EN").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["en"]["log_in_title"])
    log_in(page, "rasa", PASSWORD, WORDS["en"])
    expect(page).to_have_url(f"{url}/staff/log")  # still where the reader wanted to go
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["en"]["log_title"])
    page.get_by_role("link", name=WORDS["en"]["to_chat"]).first.click()
    expect(page).to_have_url(f"{url}/en/")
    page.context.close()


def test_the_menu_closes_with_the_keyboard_and_the_first_tab_leads_to_the_content(browser: Browser, url: str) -> None:
    page = opened(browser, "lt")
    page.goto(f"{url}/staff/log")
    log_in(page, "rasa", PASSWORD, WORDS["lt"])
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["lt"]["log_title"])
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name=WORDS["lt"]["skip_main"])).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()
    menu = page.locator(".sd-menu")
    menu.locator("summary").press("Enter")
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(menu.locator("summary")).to_be_focused()
    page.context.close()
