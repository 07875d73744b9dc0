"""For each file one browser and a server over the small corpus, for each test a fresh window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_fixtures import CHROMIUM, Server
from playwright.sync_api import Browser, Page, sync_playwright

from clusterqa.settings import Settings
from web_fixtures import write_corpus


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("browser")
    server = Server(Settings(corpus=write_corpus(base / "corpus"), data=base / "data"))
    yield server
    server.stop()


@pytest.fixture(scope="module")  # Playwright allows one at a time; a file may bring a browser of its own
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
