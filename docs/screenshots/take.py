"""
Take the screenshots of this folder again: a real server, the real corpus, Chromium.

    python docs/screenshots/take.py [--data DIR]

Without `--data` the corpus is indexed into build/screenshots, which takes a few minutes the first time.
"""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import uvicorn
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from clusterqa.corpus import sync
from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.errors import IndexOutdated, StoreDamaged
from clusterqa.records import Language
from clusterqa.settings import Settings
from clusterqa.web.app import build

FOLDER = Path(__file__).parent
CHROMIUM = "/usr/bin/chromium"
DESKTOP, PHONE = (1280, 800), (360, 740)
LARGEST = 200_000
"""Bytes of one picture: they are shown in the README and kept in the repository."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One screenshot: the page, the questions asked in it, then what is clicked."""

    name: str
    language: Language
    size: tuple[int, int]
    scheme: Literal["light", "dark"]
    questions: tuple[str, ...] = ()
    click: str = ""


PICTURES = (
    Picture("welcome-lt-phone", "lt", PHONE, "light"),
    Picture("answer-lt-phone", "lt", PHONE, "light", ("kiek laiko galioja bronzos zenklas",)),
    Picture("not-found-lt-phone", "lt", PHONE, "dark", ("Kokia rytoj Palangoje bus vandens temperatūra?",)),
    Picture("welcome-en-desktop", "en", DESKTOP, "light"),
    Picture("answer-en-desktop", "en", DESKTOP, "light", ("How much does the Silver Label cost?",)),
    Picture("answer-en-desktop-dark", "en", DESKTOP, "dark", ("How do I prepare for benchmarking?",)),
    Picture("source-en-desktop", "en", DESKTOP, "light", ("How much does the Silver Label cost?",), ".cq-open"),
    Picture("source-lt-phone-dark", "lt", PHONE, "dark", ("Kas yra „ClusterXchange“?",), ".cq-open"),
)


def take(browser: Browser, url: str, picture: Picture) -> Path:
    context = browser.new_context(
        viewport={"width": picture.size[0], "height": picture.size[1]},
        color_scheme=picture.scheme,
        device_scale_factor=2,
    )
    page: Page = context.new_page()
    page.goto(f"{url}/{picture.language}/")
    page.wait_for_selector("#cq-examples button")
    for number, question in enumerate(picture.questions):
        box = page.locator("#question textarea, #question input")
        box.fill(question)
        box.press("Enter")
        page.locator(".cq-turn[data-status]").nth(number).wait_for(timeout=60_000)
    if picture.click:
        page.locator(picture.click).first.click()
        page.wait_for_selector("#quote, .cq-turn[data-status]")
    page.wait_for_timeout(400)
    path = FOLDER / f"{picture.name}.png"
    page.screenshot(path=path)
    context.close()
    # a palette is enough for text on plain ground, and a quarter of the bytes
    palette = Image.Quantize.FASTOCTREE
    Image.open(path).convert("RGB").quantize(256, method=palette, dither=Image.Dither.NONE).save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        raise SystemExit(f"{path} has {path.stat().st_size} bytes; more than {LARGEST} should not be kept")
    return path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--data", type=Path, default=Path("build/screenshots"))
    options = parser.parse_args()
    settings = Settings(corpus=options.corpus, data=options.data)
    try:
        sync.update(settings, SentenceEncoder.load)
    except (IndexOutdated, StoreDamaged):  # left by another version; the server would wait for somebody to rebuild it
        sync.update(settings, SentenceEncoder.load, rebuild=True)
    app = build(settings)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    while not app.state.service.ready:
        time.sleep(0.2)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for picture in PICTURES:
            path = take(browser, url, picture)
            print(f"{path.name}: {path.stat().st_size // 1024} KiB")
        browser.close()
    server.should_exit = True
    thread.join(30)


if __name__ == "__main__":
    main()
