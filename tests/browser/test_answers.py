"""What an answer looks like: marked short answers, tables, lists, parts side by side; in both languages and on a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser_fixtures import AXE, Server, ask, axe_violations, in_a_browser, open_chat
from playwright.sync_api import Browser, Locator, Page, expect

from clusterqa.settings import Settings
from clusterqa.web.words import WORDS, all_of

pytestmark = in_a_browser

STEPS = 12
PAGES = {
    "pool.lt.md": """---
title: Miesto baseinas
language: lt
date: 2024-03-05
---
# Miesto baseinas

## Kainos

| Bilietas | Kaina | Galioja |
|---|---|---|
| Suaugusiesiems | **6,50 Eur** | vieną dieną |
| Vaikams iki septynerių metų | 2 Eur | vieną dieną |

## Kaip užsisakyti plaukimo pamoką

Norint užsisakyti plaukimo pamoką, reikia:

"""
    + "".join(f"{n}. Atlikti [{n} žingsnį](https://a.lt/{n}) baseino svetainėje.\n" for n in range(1, STEPS + 1))
    + """
## Taisyklės

Baseine galima pamiršti daiktą. Tokį daiktą saugome keturiolika dienų.
""",
    "library.en.md": """---
title: The library
language: en
date: 2024-03-05
---
# The library

## Fees

| Card | Fee | Valid |
|---|---|---|
| Adults | **EUR 12** | one year |
| Children under seven | EUR 3 | one year |

## How to get a library card

To get a library card, follow these steps:

"""
    + "".join(f"- Take [step {n}](https://a.example/{n}) at the library desk.\n" for n in range(1, STEPS + 1))
    + """
## Rules

Readers may leave a book in the hall. Such a book is kept for fourteen days.
""",
}
ASKED = {
    "lt": ("Kiek kainuoja baseino bilietas vaikams iki septynerių metų?", "Kaip užsisakyti plaukimo pamoką baseine?"),
    "en": ("How much is the library fee for children under seven?", "How do I get a library card?"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    base = tmp_path_factory.mktemp("answers")
    (base / "corpus").mkdir()
    for name, text in PAGES.items():
        (base / "corpus" / name).write_text(text, encoding="utf-8")
    server = Server(Settings(corpus=base / "corpus", data=base / "data"))
    yield server
    server.stop()


@pytest.fixture(params=[(1280, 800), (360, 740)], ids=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    yield context.new_page()
    context.close()


def fits(page: Page) -> bool:
    """Whether nothing of the page is wider than the window."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def quoted(turn: Locator) -> Locator:
    return turn.locator(".cq-quotation blockquote").first


@pytest.mark.parametrize("language", ["lt", "en"])
def test_an_answer_from_a_table_stands_under_its_columns_and_a_list_is_whole(
    server: Server, page: Page, language: str
) -> None:
    price, steps = ASKED[language]
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    open_chat(page, f"{server.url}/{language}/")

    turn = ask(page, price)
    row = quoted(turn).locator(".cq-row")
    names = {"lt": ["Bilietas", "Kaina", "Galioja"], "en": ["Card", "Fee", "Valid"]}[language]
    sum_of_money = {"lt": "2 Eur", "en": "EUR 3"}[language]
    expect(row.locator("th")).to_have_text(names)
    expect(row.locator("td").nth(1)).to_have_text(sum_of_money)
    expect(turn.locator("blockquote").first).not_to_contain_text("|")
    turn.locator(".cq-copy").first.click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"{names[1]}: {sum_of_money}\n" in copied and "|" not in copied
    assert fits(page)

    turn = ask(page, steps)
    items = quoted(turn).locator("li")
    expect(quoted(turn).locator("p").first).to_contain_text(":")
    expect(items).to_have_count(STEPS)
    expect(items.locator("visible=true")).to_have_count(8)
    rest = quoted(turn).locator("summary")
    expect(rest).to_have_text(all_of(STEPS, True, "lt" if language == "lt" else "en"))
    rest.click()
    expect(items.locator("visible=true")).to_have_count(STEPS)
    expect(quoted(turn)).not_to_contain_text("https://")
    assert fits(page)
    assert not AXE.exists() or axe_violations(page) == []


def test_a_sentence_brings_along_the_one_it_leans_on(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/lt/")
    turn = ask(page, "Kiek dienų saugomas baseine pamirštas daiktas?")
    expect(quoted(turn).locator(".cq-text")).to_have_text(
        "Baseine galima pamiršti daiktą. Tokį daiktą saugome keturiolika dienų."
    )
    expect(turn.get_by_role("link", name=WORDS["lt"]["open"])).to_have_count(turn.locator(".cq-quotation").count())


def test_two_questions_in_one_are_answered_side_by_side(server: Server, page: Page) -> None:
    open_chat(page, f"{server.url}/en/")
    turn = ask(page, "How much is the library fee for adults and how do I get a library card?")
    expect(turn.locator(".cq-part h2")).to_have_text(
        ["How much is the library fee for adults?", "How do I get a library card?"]
    )
    expect(turn.locator(".cq-part").first).to_contain_text("EUR 12")
    assert fits(page)
