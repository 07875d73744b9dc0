"""What a chat page shows around an answer: marks, links, contact, and the file that a conversation is taken along in."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from fastapi.testclient import TestClient

from clusterqa.cli.asking import place
from clusterqa.corpus.sync import Report
from clusterqa.records import Block, PassageText, Quote, Reply, Source
from clusterqa.settings import Contact, Settings
from clusterqa.web import render
from clusterqa.web.app import build
from clusterqa.web.conversations import Answered
from clusterqa.web.drawing import SHEET, sheets
from clusterqa.web.words import WORDS

SOURCE = Source("a.lt.md", "0" * 64, "Bronzos ženklas", "lt", publisher="Biuras", date="2024-03-05")


def answered(question: str, text: str = "Galioja dvejus metus.") -> Answered:
    quote = Quote(SOURCE, "Galiojimas", None, None, 5, 5 + len(text), text, PassageText(5, 5 + len(text), text), 0.9)
    return Answered(Reply(question, "lt", "answered", 0.9, "Dokumentuose rašoma:", quotes=(quote,)), "0123456789abcdef")


def refused(confidence: float) -> Answered:
    reply = answered("Ko nėra?").reply
    return Answered(
        replace(reply, status="not_found", quotes=(), nearest=reply.quotes, confidence=confidence), "0123456789"
    )


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Galioja dvejus metus.", ("„", "“")),
        ("„ClusterXchange“ yra programa.", ("", "")),
        ("Programa vadinasi „ClusterXchange“.", ("", "")),
        ("Programa „ClusterXchange“ yra nauja.", ("„", "“")),
        ('"ClusterXchange" yra programa.', ("", "")),
    ],
)
def test_quotation_marks_are_not_doubled(text: str, marks: tuple[str, str]) -> None:
    assert render.quotation_marks(text, "lt") == marks


def test_a_link_carries_the_questions_that_an_answer_leans_on_and_no_others() -> None:
    turns = [
        answered(text) for text in ("Kas yra ESCA ir kur ji įsikūrusi?", "Kiek kainuoja bronzos ženklas?", "O aukso?")
    ]
    assert parse_qs(render.link(turns, 2))["q"] == ["Kiek kainuoja bronzos ženklas?", "O aukso?"]
    assert parse_qs(render.link(turns, 1))["q"] == ["Kiek kainuoja bronzos ženklas?"]


def test_a_quote_that_was_drawn_before_is_drawn_anew_for_another_page_language_or_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (quote,) = answered("Kiek galioja?").reply.quotes
    until = replace(quote, source=replace(SOURCE, valid_until="2026-03-05"))
    monkeypatch.setattr(render, "today", lambda: datetime.date(2026, 3, 5))
    same_day = render.quotation(until, "lt", "lt")
    assert "cq-over" not in same_day and "lang=lt" in same_day
    assert render.quotation(until, "lt", "lt") == same_day
    assert "lang=en" in render.quotation(until, "lt", "en")
    assert WORDS["en"]["open"] in render.quotation(until, "en", "lt")
    assert "Galioja trejus metus." in render.quotation(replace(until, text="Galioja trejus metus."), "lt", "lt")
    monkeypatch.setattr(render, "today", lambda: datetime.date(2026, 3, 6))
    assert "cq-over" in render.quotation(until, "lt", "lt")


def test_a_long_document_is_drawn_sheet_by_sheet_and_none_of_it_is_lost(
    settings: Settings, write: Callable[[str, str], Path], index: Callable[[], Report]
) -> None:
    sentences = [f"Paragraph {n} of the report is here." for n in range(8000)]
    write("report.en.md", "# Report\n\n" + "\n\n".join(sentences))
    index()
    client = TestClient(build(settings))
    text = client.get("/api/v1/documents/report.en.md").json()["text"]
    pages = [client.get(f"/documents/report.en.md?sheet={number}&lang=en").text for number in (1, 2, 3)]
    assert [
        text for page in pages for text in re.findall(r"<p>(Paragraph \d+ of the report is here.)</p>", page)
    ] == sentences
    assert max(map(len, pages)) < 200_000
    assert [page.count('rel="next"') for page in pages] == [2, 2, 0]
    assert "Part 2 of 3" in pages[1] and "sheet=1" in pages[1] and "sheet=3" in pages[1]
    assert client.get("/documents/report.en.md?lang=en").text == pages[0]
    assert client.get("/documents/report.en.md?sheet=99&lang=en").text == pages[2]
    start = text.index(sentences[4000])
    quoted = client.get(f"/documents/report.en.md?start={start}&end={start + len(sentences[4000])}&lang=en").text
    assert f'<mark id="quote" tabindex="-1">{sentences[4000]}</mark>' in quoted and "Part 2 of 3" in quoted


def test_a_block_that_no_page_could_show_is_drawn_in_pieces() -> None:
    length = 2 * SHEET + 7
    pieces = sheets((Block("table_row", 10, 10 + length, 0, "A | B"), Block("paragraph", length + 10, length + 20)), 0)
    assert [[(block.start, block.end) for block in sheet] for sheet in pieces] == [
        [(10, 10 + SHEET)], [(10 + SHEET, 10 + 2 * SHEET)], [(10 + 2 * SHEET, 10 + length), (10 + length, 20 + length)],
    ]  # fmt: skip
    assert sheets((), 5) == [[Block("paragraph", 0, 5)]]
    heading, part = Block("heading", SHEET - 9, SHEET - 1, 2), Block("paragraph", SHEET, SHEET + 20)
    assert sheets((Block("paragraph", 0, SHEET - 10), heading, part), 0)[1] == [heading, part]
    assert sheets((heading, Block("paragraph", 0, SHEET)), 0)[0] == [heading]
    rows = tuple(Block("table_row", n, n + 1, 0, "x" * (SHEET // 2)) for n in range(3))
    assert [len(sheet) for sheet in sheets(rows, 3)] == [1, 1, 1]


def test_places_that_are_as_good_as_chance_are_not_shown() -> None:
    near = WORDS["lt"]["nearest"]
    assert near in render.conversation([refused(0.3)], "lt", {})
    assert near not in render.conversation([refused(0.03)], "lt", {})


def test_a_reader_without_an_answer_is_told_whom_to_turn_to_where_that_is_set() -> None:
    assert "cq-contact" not in render.conversation([refused(0.3)], "lt", {})
    contacts = {"lt": Contact(name="Rasa <b>", email="rasa@example.lt", telephone="+370 600 00000")}
    html = render.conversation([refused(0.3)], "lt", {}, contacts=contacts)  # type: ignore[arg-type]
    assert "Rasa &lt;b&gt;" in html and "01234567" in html and 'href="tel:+37060000000"' in html
    assert "mailto:rasa@example.lt?subject=" in html and "body=Ko%20n%C4%97ra%3F" in html
    assert "cq-contact" not in render.conversation([answered("x")], "lt", {}, contacts=contacts)  # type: ignore[arg-type]


def test_an_address_is_asked_for_where_that_is_set_and_told_back_once_it_was_left() -> None:
    contacts = {"lt": Contact(name="Rasa", replies=True)}
    turns = [refused(0.3)]
    asked = render.conversation(turns, "lt", {}, contacts=contacts, retention_days=21)  # type: ignore[arg-type]
    assert 'name="email" required' in asked and "su šiuo klausimu 21 dieną ir" in asked
    left = {"0123456789": "jonas@imone.lt"}
    told = render.conversation(turns, "lt", {}, contacts=contacts, replies_to=left)  # type: ignore[arg-type]
    assert "Atsakymą išsiųsime adresu jonas@imone.lt." in told and 'name="email"' not in told
    assert 'name="email"' not in render.conversation(turns, "lt", {}, contacts={"lt": Contact(name="Rasa")})


def test_a_conversation_as_markdown_has_every_question_quote_and_source() -> None:
    text = render.markdown(
        [answered("Kiek\ngalioja?", "Viena eilutė.\nKita."), refused(0.3)], "lt", "2024-05-01", "https://x/"
    )
    assert "2024 m. gegužės 1 d. pokalbis" in text
    assert "## Kiek galioja?" in text
    assert "> „Viena eilutė.  \n> Kita.“" in text  # two spaces: lines stay lines
    assert "Šaltinis: Bronzos ženklas, Galiojimas, Biuras, 2024 m. kovo 5 d." in text
    assert "<https://x/documents/a.lt.md?lang=lt&version=0000000000000000&start=5&end=24#quote>" in text


def test_a_quote_of_what_is_no_longer_valid_says_so_wherever_it_is_shown_or_copied() -> None:
    turn = answered("Kiek kainuoja?")
    for day, said in (("2001-05", True), ("2999", False), (None, False)):
        quote = turn.reply.quotes[0]
        old = replace(quote, source=replace(quote.source, valid_until=day))
        told = replace(turn, reply=replace(turn.reply, quotes=(old,)))
        html, text = render.conversation([told], "lt", {}), render.markdown([told], "lt", "2024-05-01", "https://x/")
        note = "Nebegalioja. Galiojo iki: 2001 m. gegužė"
        assert (f'<span class="cq-over">{note}' in html, note in text) == (said, said)
        assert ("no longer valid, valid until: 2001-05" in place(old, "en")) is said


def test_a_question_of_a_neighbour_is_told_in_its_language_before_the_answer() -> None:
    html = render.conversation([answered("Ile kosztuje brązowy znak?")], "lt", {})
    assert html.index('<p class="cq-neighbour" lang="pl">') < html.index("<blockquote")
    assert "cq-neighbour" not in render.conversation([answered("Kiek kainuoja?")], "lt", {})
