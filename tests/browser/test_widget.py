"""The widget on somebody else's site: a second real server, another origin, with a strict policy of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_fixtures import AXE, STARTING, Server, Site, axe_violations, box, in_a_browser, turns, whole
from playwright.sync_api import Browser, Page, expect

from clusterqa.settings import Settings
from clusterqa.web.words import WORDS
from web_fixtures import write_corpus

pytestmark = in_a_browser
W = WORDS["lt"]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Site]]:
    """A site that the settings name, and one that they do not."""
    allowed, refused = Site(), Site()
    base = tmp_path_factory.mktemp("widget")
    settings = Settings(corpus=write_corpus(base / "corpus"), data=base / "data", frame_ancestors=allowed.url)
    server = Server(settings)
    allowed.host = refused.host = server.url
    yield allowed, refused
    for site in (allowed, refused):
        site.stop()
    server.stop()


def test_an_allowed_site_opens_the_chat_asks_and_comes_back_with_the_keyboard(
    sites: tuple[Site, Site], page: Page
) -> None:
    complaints: list[str] = []
    page.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
    page.goto(sites[0].url)
    assert page.locator("iframe").count() == 0, "nothing is fetched from the chat before it is opened"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    button = page.get_by_role("button", name=W["widget_open"])
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name=W["name"])).to_be_visible()
    chat = page.frame_locator("iframe")
    whole(chat)
    box(chat).fill("Kiek laiko galioja bronzos ženklas?")
    box(chat).press("Enter")
    expect(turns(chat)).to_have_count(1, timeout=STARTING)
    expect(turns(chat)).to_contain_text("dvejus metus")
    chat.locator(".cq-open").first.click()
    expect(chat.locator("#quote")).to_contain_text("dvejus metus")
    page.frames[1].wait_for_load_state()  # the quote is there before the script that hears Escape
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    chat.get_by_role("link", name=W["back"]).click()
    expect(turns(chat)).to_have_count(1)
    page.get_by_role("button", name=W["widget_close"]).click()
    expect(button).to_be_focused()
    assert complaints == []


def test_the_focus_goes_into_the_box_when_the_chat_opens(sites: tuple[Site, Site], page: Page) -> None:
    page.goto(sites[0].url)
    page.get_by_role("button", name=W["widget_open"]).press("Enter")
    expect(box(page.frame_locator("iframe"))).to_be_focused()


def test_on_a_phone_the_chat_fills_the_screen_and_what_is_behind_cannot_be_reached(
    sites: tuple[Site, Site], browser: Browser
) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    try:
        page.goto(sites[0].url)
        page.get_by_role("button", name=W["widget_open"]).click()
        assert page.get_by_role("dialog").bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 740}
        expect(box(page.frame_locator("iframe"))).to_be_visible()
        assert page.locator("dialog").evaluate("d => d.matches(':modal')")
        assert page.frames[1].evaluate("document.documentElement.scrollWidth") <= 360
        page.get_by_role("button", name=W["widget_close"]).focus()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name=W["widget_open"])).to_be_focused()
    finally:
        context.close()


def test_a_site_that_is_not_named_is_refused_and_offers_a_link(sites: tuple[Site, Site], page: Page) -> None:
    page.goto(sites[1].url)
    page.get_by_role("button", name=W["widget_open"]).click()
    expect(page.get_by_text(W["widget_refused"])).to_be_visible(timeout=15_000)
    expect(page.locator("iframe")).to_be_hidden()
    link = page.get_by_role("link", name=W["widget_elsewhere"])
    with page.context.expect_page() as opened:
        link.click()
    expect(box(opened.value)).to_be_visible()


@pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not here; get it with: npm install --prefix build/npm axe-core"
)
def test_the_widget_is_accessible_closed_and_open(sites: tuple[Site, Site], browser: Browser) -> None:
    context = browser.new_context(bypass_csp=True)  # or the site's own policy would keep axe-core out
    page = context.new_page()
    try:
        page.goto(sites[0].url)
        closed = axe_violations(page)
        page.get_by_role("button", name=W["widget_open"]).click()
        expect(box(page.frame_locator("iframe"))).to_be_visible()
        assert (closed, axe_violations(page)) == ([], [])
    finally:
        context.close()


def test_the_words_are_those_of_the_page_where_no_language_is_given(sites: tuple[Site, Site], page: Page) -> None:
    english = Site("")
    english.host = sites[0].host
    try:
        page.goto(english.url)  # the site's own page is in Lithuanian
        expect(page.get_by_role("button", name=W["widget_open"])).to_be_visible()
        english.language = "en"
        page.reload()
        expect(page.get_by_role("button", name=WORDS["en"]["widget_open"])).to_be_visible()
        english.language = "de"
        page.reload()
        expect(page.get_by_role("button", name=W["widget_open"])).to_be_visible()
    finally:
        english.stop()
