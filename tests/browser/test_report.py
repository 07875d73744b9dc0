"""The evaluation report in a browser: narrowed by its own script, readable on a phone, alike in both themes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page

from clusterqa.evaluation import report
from clusterqa.evaluation.files import write
from clusterqa.evaluation.outcomes import Asked, Place, Run, Shown
from evaluation_fixtures import outcome, run_of

pytestmark = pytest.mark.browser

FACTS: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("q1", "lt", "both", "Kiek laiko galioja ženklas?", {"rank": 2, "passage_rank": 2}),
    ("q1", "lt", "en", "Kiek laiko galioja ženklas?", {"rank": 0, "passage_rank": 0}),
    ("q2", "en", "both", "How long is it valid?", {"rank": 0, "passage_rank": 0}),
    ("q3", "en", "both", "Who won the match?", {"answerable": False}),
]


def a_run() -> Run:
    gold = Place("label.lt.md", "Ženklas galioja dvejus metus.", 0, 29)
    outcomes = []
    for identifier, language, view, _, facts in FACTS:
        text = "Sidabro ženklas kainuoja 3 620 Eur be PVM, tiek pirmas, tiek atnaujinamas. " * 2
        shown = Shown("silver-label.lt.md", 40, 40 + len(text), text, False)
        outcomes.append(outcome(identifier, language=language, view=view, quotes=(shown,), **facts))
    questions = tuple(
        Asked(name, text, language, "plain", "held", (), (gold,))
        for name, language, text in {(name, language, text) for name, language, _, text, _ in FACTS}
    )
    return run_of(*outcomes, questions=questions, latency={"total": {"p50": 30.0, "p95": 60.0, "p99": 90.0}})


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    file: Path = tmp_path_factory.mktemp("report") / "report.html"
    before = run_of(*(outcome(name, language=lang, view=view, rank=1) for name, lang, view, _, _ in FACTS[:3]))
    write(file, report.as_html(report.build(a_run(), before)))
    return file.as_uri()


def shown(page: Page) -> list[str]:
    return [a.get_attribute("id") or "" for a in page.locator("#failures article").all() if a.is_visible()]


def test_the_failures_are_narrowed_by_view_by_cause_and_by_words(page: Page, address: str):
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address)
    failures = page.locator("#failures")
    assert sorted(shown(page)) == ["case-q1-both", "case-q2-both", "case-q3-both"]
    assert failures.locator("output").inner_text() == "3 of 4 shown"
    failures.get_by_role("combobox", name="Documents", exact=True).select_option("")
    assert len(shown(page)) == 4
    failures.get_by_role("combobox", name="What happened", exact=True).select_option("search")
    assert sorted(shown(page)) == ["case-q1-en", "case-q2-both"]
    failures.get_by_role("searchbox", name="Words", exact=True).fill("zenklas KIEK")
    assert shown(page) == ["case-q1-en"]
    assert problems == []


def test_a_link_to_a_question_shows_it_whatever_the_list_is_narrowed_to(page: Page, address: str):
    page.goto(f"{address}#case-q1-en")
    assert page.locator("#case-q1-en").is_visible()
    assert page.locator("#case-q1-en h3").inner_text() == "Kiek laiko galioja ženklas?"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_the_page_is_as_wide_as_the_phone_and_the_curves_are_seen(
    browser: Browser, address: str, scheme: Literal["light", "dark"]
):
    context = browser.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    plot = page.locator("figure svg").first
    colour = plot.locator("text").first.evaluate("e => getComputedStyle(e).fill")
    assert colour == page.evaluate("getComputedStyle(document.body).color")
    box = plot.bounding_box()
    assert box is not None and box["width"] > 250
    context.close()


def test_without_scripts_everything_is_there_and_no_form_that_does_nothing(browser: Browser, address: str):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert len(shown(page)) == 4
    assert not page.locator("form").first.is_visible()
    context.close()
