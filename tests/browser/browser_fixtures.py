"""What the browser tests share: the app on a port of its own, and the few things a reader does on a chat page."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import ConsoleMessage, FrameLocator, Locator, Page, expect

from clusterqa.settings import Settings
from clusterqa.web.app import build

CHROMIUM = Path("/usr/bin/chromium")
AXE = Path(__file__).parents[2] / "build/npm/node_modules/axe-core/axe.min.js"

in_a_browser = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"there is no browser at {CHROMIUM}; install Debian's chromium"),
]
expect.set_options(timeout=30_000)  # milliseconds; a machine that does other things as well is slow, not wrong
STARTING = 180_000
"""Milliseconds that a first answer may take: it may find the encoder still loading."""


def refuse_violations(said: ConsoleMessage) -> None:
    """Fails when the page's content security policy kept something from it."""
    if "Content Security Policy" in said.text:
        pytest.fail(said.text)


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


class Site:
    """Somebody else's site, another origin: one page that loads the widget of `host` under a strict policy."""

    def __init__(self, language: str = "lt") -> None:
        self.host = ""
        self.language = language
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = (
                    '<!doctype html><html lang="lt"><head><title>Svetainė</title>'
                    '<meta name="viewport" content="width=device-width"></head><body><main><h1>Svetainė</h1>'
                    f'<a href="#">Nuoroda</a></main><script src="{site.host}/widget.js" data-lang="{site.language}">'
                    "</script></body></html>"
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                policy = f"default-src 'none'; script-src {site.host}; frame-src {site.host}"
                self.send_header("Content-Security-Policy", policy)
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def box(page: Page | FrameLocator) -> Locator:
    return page.locator(
        "#question textarea:visible"
    )  # while Gradio builds its page behind the first view there are two


def whole(page: Page | FrameLocator) -> None:
    """Wait until Gradio's page has taken the place of the first view."""
    expect(page.locator("#cq-first")).to_have_count(0)


def open_chat(page: Page, address: str) -> None:
    """A chat page as it stays: while Gradio builds its own behind the first view, much is there twice and may move."""
    page.goto(address)
    whole(page)


def source(page: Page) -> FrameLocator:
    """The document that stands beside the chat in a wide window."""
    return page.frame_locator("#cq-panel iframe")


def turns(page: Page | FrameLocator) -> Locator:
    """The turns that have their reply."""
    return page.locator(".cq-turn[data-status]")


def ask(page: Page, question: str) -> Locator:
    """Type a question, press Enter, wait for the reply; gives its turn."""
    before = turns(page).count()
    box(page).fill(question)
    box(page).press("Enter")
    expect(turns(page)).to_have_count(before + 1, timeout=STARTING)
    return turns(page).nth(before)


def axe_violations(page: Page) -> list[str]:
    """What axe-core calls a serious or critical violation on the page as it is: rule and place."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['target']}"
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
