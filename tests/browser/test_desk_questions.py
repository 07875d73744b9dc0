"""From a question in vain to its answer in the other language, in a real browser over the real encoder."""

from __future__ import annotations

import re

from browser_fixtures import Server, ask, in_a_browser, open_chat, turns
from playwright.sync_api import Page, expect

from clusterqa.evaluation.sets import read_set
from clusterqa.staff.answers import QUESTIONS
from clusterqa.web.staff.words import WORDS as DESK
from clusterqa.web.staff.words_questions import WORDS

pytestmark = in_a_browser
PASSWORD = "žirafa geria šaltibarščius"
QUESTION = "Kas išduoda pamesto zebro pažymėjimo dublikatą?"
ENGLISH = "Who issues a duplicate of a lost zebra certificate?"
ANSWER = "Pamesto zebro pažymėjimo dublikatą išduoda sandėlio vedėjas Petras Petraitis."


def fits(page: Page) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} is {wide} px too wide"


def test_a_question_in_vain_is_answered_and_found_in_the_other_language(server: Server, page: Page) -> None:
    lt, en = WORDS["lt"], WORDS["en"]
    server.app.state.service.assistant(patience=300)
    page.on("console", lambda said: print("console:", said.text) if said.type == "error" else None)
    open_chat(page, f"{server.url}/lt/")
    expect(ask(page, QUESTION)).to_have_attribute("data-status", "not_found")
    open_chat(page, f"{server.url}/en/")
    expect(turns(page)).to_have_count(1)  # the conversation comes back before the next question
    expect(ask(page, ENGLISH)).to_have_attribute("data-status", "not_found")

    server.app.state.desk.parts()[2].add("rasa", PASSWORD, "editor", "cli:root")
    page.goto(f"{server.url}/staff/login?lang=lt&next=/staff/questions")
    page.get_by_label(DESK["lt"]["name"], exact=True).fill("rasa")
    page.get_by_label(DESK["lt"]["password"], exact=True).fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(lt["questions_title"])
    row = page.locator("tbody tr", has_text="zebro")
    expect(row).to_contain_text(ENGLISH)  # one group, both languages
    row.get_by_role("link").click()
    page.get_by_text(lt["shown"]).first.click()
    expect(page.get_by_text(lt["shown_nothing"]).first).to_be_visible()
    page.get_by_role("link", name=lt["write"]).click()
    expect(page.locator("#question_lt")).to_have_value(QUESTION)
    expect(page.locator("#question_en")).to_have_value(ENGLISH)
    page.locator("#answer_lt").fill(ANSWER)
    page.get_by_role("button", name=lt["publish"]).click()
    expect(page.get_by_role("alert")).to_have_text(lt["problems"])
    expect(page.locator("#answer_lt")).to_have_value(ANSWER)
    page.locator("#sources").fill("Sandėlio tvarka, 2026 m.")
    page.get_by_role("button", name=lt["publish"]).click()
    expect(page.get_by_text(lt["all_right"])).to_be_visible(timeout=60_000)
    expect(page.locator("tbody tr", has_text=ENGLISH)).to_contain_text(lt["right"])
    page.set_viewport_size({"width": 360, "height": 740})
    fits(page)

    open_chat(page, f"{server.url}/en/")
    expect(turns(page)).to_have_count(2)
    quote = ask(page, ENGLISH).locator(".cq-quotation").first
    expect(quote.locator("blockquote")).to_contain_text(ANSWER)
    expect(quote.locator("blockquote")).to_have_attribute("lang", "lt")
    expect(quote).to_contain_text(QUESTION)

    page.goto(f"{server.url}/staff/questions?tab=answered&lang=en")
    expect(page.locator("tbody tr", has_text="zebra")).to_have_count(1)
    fits(page)
    page.goto(f"{server.url}/staff/questions")
    expect(page.get_by_text(en["none_open"])).to_be_visible()
    items = read_set(server.app.state.service.settings.data / QUESTIONS)
    assert {item.question for item in items} == {QUESTION, ENGLISH}
    assert {gold.quote for item in items for gold in item.answers} == {ANSWER}

    page.goto(f"{server.url}/staff?days=7")
    picture = page.get_by_alt_text(en["plot_days_alt"])
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
    fits(page)
    page.goto(f"{server.url}/staff/trial")
    page.get_by_label(en["trial_question"], exact=True).fill(ENGLISH)
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text(ANSWER)
    expect(page.get_by_role("heading", name=en["trial_features"])).to_be_visible()
    expect(page.locator("main")).to_contain_text(re.compile(r"Lithuanian|English"))
    fits(page)
