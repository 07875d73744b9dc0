"""
The whole way of a document, in a real browser against a real server with the real encoder: a clerk drops a PDF, corrects
its title, publishes it; a reader asks for it in another language; the clerk withdraws it.
"""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Literal

import httpx
import pytest
from browser_fixtures import AXE, STARTING, Server, ask, axe_violations, in_a_browser, open_chat, refuse_violations
from playwright.sync_api import Browser, FilePayload, Page, expect
from reportlab.pdfgen.canvas import Canvas

from clusterqa.settings import Settings
from clusterqa.web.staff.words import WORDS as DESK
from clusterqa.web.staff.words_documents import WORDS
from documents_fixtures import BOLD, lines, make_pdf
from web_fixtures import write_corpus

pytestmark = in_a_browser
PASSWORD = "žirafa geria šaltibarščius"
TITLE = "Klasterio „Šiaurės gintaras“ nario vadovas"
QUESTION = "What is the annual membership fee of the cluster Šiaurės gintaras?"
QUOTE = "1 480 eurų"


def first_page(canvas: Canvas) -> None:
    lines(canvas, 70, 770, ["nario vadovas (galutinis 2)"], size=18, font=BOLD)
    lines(canvas, 70, 730, ["Klasteris „Šiaurės gintaras“ vienija dvidešimt tris gintaro apdirbimo įmones Palangoje.", "",
                            "Klasterį koordinuoja viešoji įstaiga „Gintaro namai“."])  # fmt: skip


def second_page(canvas: Canvas) -> None:
    lines(canvas, 70, 770, ["Nario mokestis"], size=14, font=BOLD)
    lines(canvas, 70, 740, ["Klasterio „Šiaurės gintaras“ metinis nario mokestis yra 1 480 eurų."])


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("desk")
    corpus, data = write_corpus(base / "corpus"), base / "data"
    command = [sys.executable, "-m", "clusterqa", "staff", "add", "rasa", "--corpus", str(corpus), "--data", str(data)]
    subprocess.run(command, input=PASSWORD.encode() + b"\n", check=True, capture_output=True)
    server = Server(Settings(corpus=corpus, data=data, threads=1))
    end = time.monotonic() + 10 * STARTING / 1000
    while httpx.get(f"{server.url}/readyz").status_code != 200:
        assert time.monotonic() < end, "the server did not come up"
        time.sleep(0.5)
    yield server
    server.stop()


def log_in(page: Page, url: str, path: str) -> None:
    page.goto(url + path)
    page.get_by_label(DESK["lt"]["name"], exact=True).fill("rasa")
    page.get_by_label(DESK["lt"]["password"], exact=True).fill(PASSWORD)
    page.get_by_role("button", name=DESK["lt"]["log_in"]).click()
    expect(page.locator("h1")).to_have_text(WORDS["lt"]["documents_title"], timeout=STARTING)


def drop(page: Page, name: str, content: bytes) -> None:
    """Drop a file onto the box, as from the desktop."""
    transfer = page.evaluate_handle(
        """([name, data]) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type: "application/pdf" }));
            return transfer;
        }""",
        [name, base64.b64encode(content).decode()],
    )
    page.dispatch_event("#upload", "drop", {"dataTransfer": transfer})


def test_a_pdf_in_lithuanian_is_quoted_in_english_until_it_is_withdrawn(desk: Server, browser: Browser) -> None:
    words = WORDS["lt"]
    context = browser.new_context(locale="lt-LT", viewport={"width": 1280, "height": 900})
    clerk = context.new_page()
    clerk.on("pageerror", lambda error: pytest.fail(str(error)))
    clerk.on("console", refuse_violations)
    log_in(clerk, desk.url, "/staff/documents")

    # drop: the desk shows what was read
    drop(clerk, "vadovas GALUTINIS(2).pdf", make_pdf(first_page, second_page))
    expect(clerk).to_have_url(re.compile(r"/staff/drafts/\w+$"), timeout=STARTING)
    expect(clerk.locator("#read-title")).to_be_visible(timeout=STARTING)
    expect(clerk.locator(".sd-facts")).to_contain_text("lietuvių")
    expect(clerk.locator(".sd-passages")).to_contain_text("metinis nario mokestis yra 1 480 eurų.")
    expect(clerk.locator(".sd-passages")).to_contain_text(words["page_number"].format(2))
    title = clerk.get_by_label(words["title_label"], exact=True)
    expect(title).to_have_value("nario vadovas (galutinis 2)")

    # not live yet: the chat knows nothing, the trial does
    reader_context = browser.new_context(
        locale="en-GB", viewport={"width": 480, "height": 900}
    )  # narrow: a source is a page
    reader = reader_context.new_page()
    open_chat(reader, f"{desk.url}/en/")
    before = ask(reader, QUESTION)
    expect(before).not_to_contain_text(QUOTE)
    clerk.get_by_label(words["try_label"]).fill(QUESTION)
    clerk.locator(".sd-ask button").click()
    expect(clerk.locator("#try")).to_contain_text(QUOTE, timeout=STARTING)

    # correct the title and publish
    title = clerk.get_by_label(words["title_label"], exact=True)
    title.fill(TITLE)
    clerk.get_by_role("button", name=words["save_publish"]).click()
    expect(clerk.get_by_text(words["published_text"])).to_be_visible(timeout=STARTING)

    # asked in English, quoted in Lithuanian, with the page
    turn = ask(reader, QUESTION)
    expect(turn).to_have_attribute("data-status", "answered")
    quotation = turn.locator(".cq-quotation").first
    expect(quotation.locator("blockquote")).to_contain_text(QUOTE)
    expect(quotation.locator("blockquote")).to_have_attribute("lang", "lt")
    expect(quotation.locator(".cq-title")).to_have_text(TITLE)
    expect(quotation.locator(".cq-place")).to_contain_text("p. 2")
    quotation.locator(".cq-open").click()
    expect(reader.locator("#quote")).to_contain_text(QUOTE)
    citation = reader.url
    reader.go_back()

    # withdraw: gone at once, with the proof; the old citation still opens
    clerk.get_by_role("link", name=words["open_document"]).click()
    clerk.get_by_role("link", name=words["withdraw"]).click()
    clerk.get_by_role("button", name=words["withdraw"]).click()
    expect(clerk.locator('[data-proof="after-passages"]')).to_have_text("0", timeout=STARTING)
    expect(clerk.locator('[data-proof="after-vectors"]')).to_have_text("0")
    expect(clerk.locator('[data-proof="before-passages"]')).not_to_have_text("0")
    gone = ask(reader, QUESTION)
    expect(gone).to_have_attribute("data-status", "not_found")
    expect(gone).not_to_contain_text(QUOTE)
    reader.goto(citation)
    expect(reader.locator("#quote")).to_contain_text(QUOTE)
    expect(reader.locator(".cq-note")).to_be_visible()
    context.close()
    reader_context.close()


@pytest.mark.parametrize("language", ["lt", "en"])
def test_on_a_phone_the_documents_scroll_in_one_direction_only(desk: Server, browser: Browser, language: str) -> None:
    context = browser.new_context(locale="lt-LT", viewport={"width": 360, "height": 740})
    page = context.new_page()
    log_in(page, desk.url, "/staff/documents")
    paths = ["/staff/documents", "/staff/documents/show?id=bronze.lt.md", "/staff/documents/replace?id=bronze.lt.md"]
    page.locator("#files").set_input_files(
        FilePayload(
            name="x" * 200 + ".md",
            mimeType="text/markdown",
            buffer=b"# Label\n\nText " + b"y" * 300 + language.encode(),
        )
    )
    page.get_by_role("button", name=WORDS["lt"]["upload"], exact=True).click()
    expect(page.locator("#metadata")).to_be_visible(timeout=STARTING)
    for path in [page.url.removeprefix(desk.url), *paths]:
        page.goto(f"{desk.url}{path}{'&' if '?' in path else '?'}lang={language}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    context.close()


@pytest.mark.skipif(
    not AXE.exists(), reason="axe-core is not here; get it with: npm install --prefix build/npm axe-core"
)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["lt", "en"])
def test_no_page_of_the_desk_has_a_serious_violation(
    desk: Server, browser: Browser, language: str, scheme: Literal["light", "dark"]
) -> None:
    httpx.post(f"{desk.url}/api/v1/ask", json={"question": "Kokia rytoj Palangoje bus vandens temperatūra?"})
    context = browser.new_context(locale="lt-LT", viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    page.goto(f"{desk.url}/staff/login?lang={language}")
    found = {"/staff/login": axe_violations(page)}
    page.goto(f"{desk.url}/staff/login?lang=lt")
    log_in(page, desk.url, "/staff/documents?lang=lt")
    for path in ("", "/documents", "/documents/show?id=bronze.lt.md", "/documents/replace?id=bronze.lt.md",
                 "/documents/withdraw?id=bronze.lt.md", "/questions", "/questions/answers", "/people", "/people/rasa/remove",
                 "/log", "/password", "/judging", "/trial?q=Kiek+galioja+bronza"):  # fmt: skip
        response = page.goto(f"{desk.url}/staff{path}{'&' if '?' in path else '?'}lang={language}")
        assert response is not None and response.status == 200, path
        found[path] = axe_violations(page)
    page.goto(f"{desk.url}/staff/questions?lang={language}")
    page.locator("main a[href*='/staff/questions/']").first.click()
    found["a question"] = axe_violations(page)
    context.close()
    assert found == {path: [] for path in found}
