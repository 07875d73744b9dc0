"""axe-core over every kind of public page, in both languages, light and dark. Gradio's own faults would be named here."""

from __future__ import annotations

from typing import Literal

import pytest
from browser_fixtures import AXE, Server, ask, axe_violations, box, in_a_browser, open_chat
from playwright.sync_api import Browser, expect

pytestmark = [
    *in_a_browser,
    pytest.mark.skipif(
        not AXE.exists(), reason="axe-core is not here; get it with: npm install --prefix build/npm axe-core"
    ),
]

GRADIOS_OWN: frozenset[str] = frozenset()
"""Serious violations, as `rule: place`, that Gradio makes and we cannot correct from outside; docs/decisions.md says why."""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["lt", "en"])
def test_no_page_has_a_serious_violation_that_is_ours(
    server: Server, browser: Browser, language: str, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    try:
        open_chat(page, f"{server.url}/{language}/")
        expect(box(page)).to_be_visible()
        expect(page.locator("#cq-examples button").first).to_be_visible()
        found = {"empty": axe_violations(page)}
        ask(page, "Kiek laiko galioja bronzos ženklas?")
        ask(page, "How long is the Bronze Label valid?")
        ask(page, "forklift gate")
        for summary in page.locator("summary:visible").all():
            summary.click()
        found["answers"] = axe_violations(page)
        page.locator(".cq-open:visible").first.click()
        expect(page.frame_locator("#cq-panel iframe").locator("#quote")).to_be_visible()
        found["a document beside"] = axe_violations(page)
        page.keyboard.press("Escape")
        ask(page, "Kokia rytoj Palangoje bus vandens temperatūra?")
        found["not found"] = axe_violations(page)
        page.goto(f"{server.url}/documents/bronze.lt.md?start=110&end=200&lang={language}")
        found["document"] = axe_violations(page)
        page.goto(f"{server.url}/documents/none.md?lang={language}")
        found["no document"] = axe_violations(page)
        page.goto(f"{server.url}/documents?lang={language}")
        found["documents"] = axe_violations(page)
        page.goto(f"{server.url}/xyz")
        found["no page"] = axe_violations(page)
        page.goto(f"{server.url}/api/docs")
        found["API"] = axe_violations(page)
    finally:
        context.close()
    assert {where: set(places) - GRADIOS_OWN for where, places in found.items()} == {where: set() for where in found}
