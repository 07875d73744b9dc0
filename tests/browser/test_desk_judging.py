"""Judging passages by the keyboard alone, in a real browser; on a phone nothing is cut off, and axe-core finds nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_fixtures import AXE, Server, axe_violations, in_a_browser
from playwright.sync_api import Page, expect

from clusterqa.evaluation.pool import POOL, Pooled, write_pool
from clusterqa.settings import Settings
from clusterqa.web.staff.words import WORDS as DESK
from clusterqa.web.staff.words_judging import WORDS

pytestmark = in_a_browser
PASSWORD = "žirafa geria šaltibarščius"
PASSAGES = [
    Pooled(f"q{number}", f"Klausimas {number}?", "lt", (), "bronze.lt.md", "0" * 64, number, number + 9, text, ("run.json",))
    for number, text in enumerate(("Bronzos ženklas galioja dvejus metus.", "Sidabro ženklas.", "Aukso ženklas."), start=1)
]  # fmt: skip


@pytest.fixture
def judging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The desk alone, with a list to be judged by ada and rasa; there is no encoder, and none is needed."""
    base = tmp_path_factory.mktemp("judging")
    (base / "corpus").mkdir()
    write_pool(base / "data" / POOL, PASSAGES)
    server = Server(Settings(corpus=base / "corpus", data=base / "data", encoder=str(base / "none")))
    accounts = server.app.state.desk.parts()[2]
    for name in ("ada", "rasa"):
        accounts.add(name, PASSWORD, "editor", "cli:root")
    yield server
    server.stop()


def log_in(page: Page, server: Server, name: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{server.url}/staff/login?lang=lt&next=/staff/judging")
    page.get_by_label(DESK["lt"]["name"], exact=True).fill(name)
    page.get_by_label(DESK["lt"]["password"], exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(WORDS["lt"]["judging_title"])


def test_two_people_judge_by_the_keyboard_and_see_how_far_they_agree(judging: Server, page: Page) -> None:
    lt = WORDS["lt"]
    for name, keys in (("ada", "132"), ("rasa", "133")):
        log_in(page, judging, name)
        for passage, key in zip(PASSAGES, keys, strict=True):
            expect(page.locator("blockquote")).to_have_text(passage.text)
            page.wait_for_load_state()
            page.keyboard.press(f"Control+{key}")  # the browser's own keys stay its own
            page.keyboard.press(key)
        expect(page.get_by_text(lt["judging_done"])).to_be_visible()
    row = page.locator("tbody tr")
    expect(row).to_contain_text("ada, rasa")
    expect(row).to_contain_text("0,50")
    page.keyboard.press("0")
    expect(page.locator("blockquote")).to_have_text(PASSAGES[-1].text)
    page.wait_for_load_state()
    page.keyboard.press("2")
    expect(page.get_by_text(lt["judging_done"])).to_be_visible()
    page.goto(f"{judging.url}/staff/judging")
    expect(page.locator("tbody tr")).to_contain_text("1,00")


@pytest.mark.parametrize("language", ["lt", "en"])
def test_the_page_fits_a_phone_and_is_accessible(judging: Server, page: Page, language: str) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    log_in(page, judging, "ada")
    page.wait_for_load_state()
    page.keyboard.press("1")
    expect(page.locator("blockquote")).to_have_text(PASSAGES[1].text)
    page.goto(f"{judging.url}/staff/judging?lang={language}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    if AXE.exists():
        assert axe_violations(page) == []
