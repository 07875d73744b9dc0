"""The web app over a small real corpus and the real encoder: API, pages of documents, chat pages, safety."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from html import escape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from clusterqa.corpus import sync
from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.parts import cell_spans
from clusterqa.records import Language, Part, PassageText, Quote, Reply, Source, Span, Status
from clusterqa.settings import Contact, Settings
from clusterqa.shapes import reply_as_json
from clusterqa.store import open_store
from clusterqa.web import chat, render, shapes
from clusterqa.web.app import JsonLines, build
from clusterqa.web.conversations import Answered
from clusterqa.web.service import Service
from clusterqa.web.words import EXAMPLES, WORDS, days, page_language, told_date
from store_fixtures import document, put, remove
from web_fixtures import write_corpus

HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    base = tmp_path_factory.mktemp("web")
    return Settings(
        corpus=write_corpus(base / "corpus"),
        data=base / "data",
        refresh_seconds=0.1,
        frame_ancestors="https://a.example",
        contact={"lt": Contact(name="Rasa Rasaitė", replies=True)},
    )


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(build(settings), client=("127.0.0.1", 50_000)) as client:
        until_ready(client)
        yield client


def until_ready(client: TestClient) -> None:
    for _ in range(600):
        if client.get("/readyz").status_code == 200:
            return
        time.sleep(0.1)
    pytest.fail(client.get("/readyz").text)


# ── words ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["lt"].keys() == WORDS["en"].keys()
    assert len(EXAMPLES["lt"]) == len(EXAMPLES["en"]) == 6


@pytest.mark.parametrize(
    ("count", "told"), [(1, "1 dieną"), (2, "2 dienas"), (10, "10 dienų"), (12, "12 dienų"), (21, "21 dieną"), (180, "180 dienų")]
)  # fmt: skip
def test_days_are_declined(count: int, told: str) -> None:
    assert days(count, "lt") == told


def test_dates_are_told_as_each_language_writes_them() -> None:
    assert told_date("2024-03-05", "lt") == "2024 m. kovo 5 d."
    assert told_date("2024-03-05", "en") == "5 March 2024"
    assert told_date("2024-03", "lt") == "2024 m. kovas"
    assert told_date("2024-13-05", "lt") == "2024-13-05"


def test_the_page_language_is_the_wish_then_the_browsers() -> None:
    assert page_language("en-GB,lt;q=0.8") == "en"
    assert page_language("de,lt;q=0.5,en;q=0.4") == "lt"
    assert page_language("en", "lt") == "lt"
    assert page_language("en", "xx") == "en"
    assert page_language("") == "lt"


# ── replies as HTML ─────────────────────────────────────────────────────────────────────────────────────────────


def a_reply(status: Status, text: str, language: Language = "lt") -> Reply:
    source = Source(
        "a b/ž.en.md",
        "0" * 64,
        "<b>Title</b>",
        "en",
        url="javascript:alert(1)",
        date="2024-03-05",
        translation="ž.lt.md",
    )
    around = f"Before. {text} After."
    quote = Quote(
        source, "Section", 4, "iv", 108, 108 + len(text), text, PassageText(100, 100 + len(around), around), 0.9
    )
    places = {"quotes": (quote,)} if status == "answered" else {"nearest": (quote,)}
    return Reply("<i>question</i>", language, status, 0.9, "Message", **places)  # type: ignore[arg-type]


def test_a_reply_shows_the_quote_first_in_its_languages_marks_then_where_it_stands() -> None:
    html = render.conversation([Answered(a_reply("answered", "The quote."), "id1")], "lt", {})
    assert '<blockquote lang="en"><p>“<span class="cq-text">The quote.</span>”</p></blockquote>' in html
    assert '<p><span class="cq-text">Before. <mark>The quote.</mark> After.</span></p>' in html
    assert "documents/a%20b/%C5%BE.en.md?lang=lt&amp;version=" in html and "start=108&amp;end=118#quote" in html
    assert "Section, iv psl." in html and "2024 m. kovo 5 d." in html
    assert WORDS["lt"]["foreign"] in html and WORDS["lt"]["translation_lt"] in html and WORDS["lt"]["high"] in html
    assert html.index("<blockquote") < html.index('<span class="cq-place">Section, iv psl.')
    assert "javascript:" not in html and "<b>" not in html and "<i>question" not in html
    assert "0.9" not in html


def test_not_found_says_so_and_offers_the_nearest_places_and_another_way_to_ask() -> None:
    html = render.conversation([Answered(a_reply("not_found", "Near."), "id1")], "lt", {})
    for word in ("nearest", "otherwise", "passed_on"):
        assert WORDS["lt"][word] in html
    assert WORDS["lt"]["high"] not in html
    unkept = render.conversation([Answered(a_reply("not_found", "Near."), None)], "lt", {})
    assert WORDS["lt"]["passed_on"] not in unkept and "cq-feedback" not in unkept


def test_marks_of_markdown_do_not_show_and_strong_words_look_strong() -> None:
    text = "**Galiojimas** (angl. <i>validity</i>) – [taisyklės](https://a.lt/x)[^2]."
    reply = a_reply("answered", text)
    quote = replace(reply.quotes[0], source=replace(reply.quotes[0].source, media_type="text/markdown"))
    html = render.conversation([Answered(replace(reply, quotes=(quote,)), "id1")], "lt", {})
    shown = "Galiojimas (angl. validity) – taisyklės."
    assert "<strong>Galiojimas</strong> (angl. validity) – taisyklės.</span>" in html
    assert f'data-quote="{escape(f"“{shown}”")}"' in html
    assert reply_as_json(replace(reply, quotes=(quote,)))["quotes"][0]["text"] == text


def test_the_short_answer_is_marked_where_the_reader_is_sure_of_it() -> None:
    reply = a_reply("answered", "Valid for two years.")
    quote = replace(reply.quotes[0], short=Span(118, 127))
    marked = '<mark class="cq-short">two years</mark>'
    sure, unsure = (
        render.conversation([Answered(replace(reply, quotes=(replace(quote, sure=sure),)), "id1")], "lt", {})
        for sure in (True, False)
    )
    assert f"Valid for {marked}." in sure and "&amp;short=118-127#quote" in sure
    assert marked not in unsure and "short=" not in unsure


def row_quote() -> Quote:
    text = "**Silver** \\| renewed | EUR 3,620"
    start = 50
    part = Part(
        "row", start, start + len(text), text, header=("Label", "Price"), cells=cell_spans(text, "text/markdown", start)
    )
    source = Source("a.en.md", "0" * 64, "Prices", "en", media_type="text/markdown")
    return Quote(
        source, "", None, None, start, part.end, text, PassageText(start, part.end, text), 0.9,
        short=Span(part.end - 9, part.end), sure=True, parts=(part,),
    )  # fmt: skip


def test_a_row_of_a_table_is_shown_under_the_names_of_its_columns_with_the_answering_cell_marked() -> None:
    reply = Reply("Price?", "en", "answered", 0.9, "Message", quotes=(row_quote(),))
    html = render.conversation([Answered(reply, "id1")], "en", {})
    assert '<tr><th scope="row">Label</th><td><strong>Silver</strong> | renewed</td></tr>' in html
    assert '<tr><th scope="row">Price</th><td><mark class="cq-short">EUR 3,620</mark></td></tr>' in html
    assert "“" not in html.split("<blockquote")[1].split("</blockquote>")[0]
    told = reply_as_json(reply)["quotes"][0]
    assert (told["header"], told["cells"]) == (["Label", "Price"], ["Silver | renewed", "EUR 3,620"])
    assert told["shown"] == "Label: Silver | renewed\nPrice: EUR 3,620"
    assert [cell["text"] for cell in told["selection"][0]["cells"]] == ["**Silver** \\| renewed", "EUR 3,620"]


@pytest.mark.parametrize("language", ["lt", "en"])
def test_the_privacy_note_names_the_retention_time(language: Language) -> None:
    note = render.footer(language, 21)
    assert note.count(days(21, language)) == 2


def test_logs_are_one_json_object_a_line_with_what_was_given_beside_the_message() -> None:
    record = logging.makeLogRecord(
        {
            "name": "clusterqa",
            "msg": "answered „%s“",
            "args": ("a\nb\x1b[31m\x9b2J",),
            "status": "not_found",
            "levelno": logging.INFO,
            "levelname": "INFO",
        }
    )
    line = JsonLines().format(record)
    told = json.loads(line)
    assert not set(line) & set("\n\x1b\x9b"), "nothing that a terminal would obey"
    assert (told["message"], told["status"]) == ("answered „a\nb\x1b[31m\x9b2J“", "not_found")
    assert told["level"] == "info"
    assert datetime.fromisoformat(told["time"]).utcoffset() == timedelta(0)


# ── before it is ready ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_cannot_start_is_alive_but_not_ready_and_says_why(tmp_path: Path) -> None:
    settings = Settings(corpus=tmp_path, data=tmp_path / "data", encoder=str(tmp_path / "no-such-encoder"))
    with TestClient(build(settings)) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        answer = client.post("/api/v1/ask", json={"question": "Kas yra klasteris?"})
        assert answer.status_code == 503
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"]
        for _ in range(900):  # the first import of the encoder's libraries takes its time
            if "no-such-encoder" in client.get("/readyz").json()["detail"]:
                break
            time.sleep(0.1)
        assert "no-such-encoder" in client.get("/readyz").json()["detail"]
        assert client.get("/documents/a.md", headers=HTML).status_code == 503


def test_the_page_of_a_document_does_not_read_what_is_known_of_all_others_each_time(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    service = Service(settings)
    with open_store(settings.home, create=True) as store:
        put(store, document("a.en.md"))
        first = service.sources(store)
        assert service.sources(store) is first
        assert first["a.en.md"].translation is None
        put(store, document("a.lt.md", language="lt"))
        assert service.sources(store)["a.en.md"].translation == "a.lt.md"
        remove(store, "a.lt.md")
        assert service.sources(store) == first


def test_an_idle_chat_page_looks_into_its_queue_a_hundred_times_a_second_and_not_a_thousand(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = chat.page(Service(settings), "lt")._queue
    slept = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        queue.stopped = True

    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(queue.start_processing())
    assert slept == [0.01]


# ── the API ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("question", "document", "part"),
    [
        ("Kiek laiko galioja bronzos ženklas?", "bronze.lt.md", "dvejus metus"),
        ("How long is the Bronze Label valid?", "bronze.en.md", "two years"),
    ],
)
def test_an_answer_is_a_cut_of_the_document_the_api_gives(
    client: TestClient, question: str, document: str, part: str
) -> None:
    answer = client.post("/api/v1/ask", json={"question": question, "id": "q1"}).json()
    assert (answer["id"], answer["question"]) == ("q1", question)
    best = (answer["quotes"] or answer["nearest"])[0]
    assert best["document"] == document
    assert part in best["text"]
    stored = client.get(f"/api/v1/documents/{document}", params={"version": best["version"]}).json()
    assert stored["text"][best["start"] : best["end"]] == best["text"]
    inside = best["passage"]
    assert stored["text"][inside["start"] : inside["end"]] == inside["text"]


@pytest.mark.encoder
def test_history_completes_a_follow_up(client: TestClient) -> None:
    body = {"question": "And how much is it on site?", "history": ["What does benchmarking for the Bronze Label cost?"]}
    answer = client.post("/api/v1/ask", json=body).json()
    assert "2,250" in (answer["quotes"] or answer["nearest"])[0]["text"]


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "question"),
        ({"question": "x", "language": "de"}, "language"),
        ({"question": "x", "history": "y"}, "history"),
        ({"question": 5}, "question"),
    ],
)
def test_a_wrong_request_is_told_which_field(client: TestClient, body: dict[str, object], named: str) -> None:
    answer = client.post("/api/v1/ask", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(named)


@pytest.mark.encoder
def test_search_and_the_list_of_documents(client: TestClient) -> None:
    hits = client.get("/api/v1/search", params={"q": "bronzos ženklo kaina", "k": 2}).json()
    assert [hit["rank"] for hit in hits] == list(range(1, len(hits) + 1))
    assert 1 <= len(hits) <= 2 and hits[0]["document"] == "bronze.lt.md"
    listed = {item["document"]: item for item in client.get("/api/v1/documents").json()}
    assert listed["bronze.lt.md"]["translation"] == "bronze.en.md"
    assert client.get("/api/v1/search", params={"q": "x", "k": 0}).status_code == 422
    assert client.get("/api/v1/documents/none.md").status_code == 404


@pytest.mark.encoder
def test_a_request_over_the_limit_is_refused_with_and_without_a_declared_length(client: TestClient) -> None:
    large = b'{"question": "' + b"a" * 70_000 + b'"}'
    headers = {"content-type": "application/json"}
    assert client.post("/api/v1/ask", content=large, headers=headers).status_code == 413
    parts = (large[i : i + 8192] for i in range(0, len(large), 8192))
    answer = client.post("/api/v1/ask", content=parts, headers=headers)
    assert answer.status_code == 413
    assert "KiB" in answer.json()["detail"]


@pytest.mark.encoder
def test_feedback_is_found_in_the_journal_and_counted(client: TestClient) -> None:
    asked = client.post("/api/v1/ask", json={"question": "Kiek laiko galioja bronzos ženklas?"})
    name = asked.headers["x-journal-id"]
    body = {"id": name, "helpful": False, "reason": "out_of_date"}
    assert client.post("/api/v1/feedback", json=body).status_code == 204
    entries = {entry.id: entry for entry in client.app.state.service.journal.entries()}  # type: ignore[attr-defined]
    given = entries[name].feedback
    assert given is not None and not given.helpful and given.reason == "out_of_date"
    assert entries[name].shown[0].document == "bronze.lt.md"
    assert client.post("/api/v1/feedback", json={**body, "id": "never"}).status_code == 404
    foreign = client.post("/api/v1/feedback", json=body, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 403
    figures = client.get("/metrics").text
    assert 'clusterqa_feedback_total{helpful="no"} 1.0' in figures
    assert "clusterqa_ready 1.0" in figures


@pytest.mark.encoder
def test_the_description_of_the_api_is_there_for_programs_and_people(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    assert {"/api/v1/ask", "/api/v1/search", "/api/v1/documents"} <= set(paths)
    page = client.get("/api/docs").text
    assert all(path in page for path in paths)
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", page)  # examples name addresses, and fetch nothing
    for path, methods in paths.items():
        kind = "application/json" if path.startswith("/v1/") else "application/problem+json"
        for operation in methods.values():
            errors = [answer for status, answer in operation["responses"].items() if not status.startswith("2")]
            assert {*map(tuple, (answer["content"] for answer in errors))} == {(kind,)}


@pytest.mark.encoder
def test_the_description_names_every_field_of_what_is_sent(client: TestClient) -> None:
    answer = client.post("/api/v1/ask", json={"question": "Kiek laiko galioja bronzos ženklas?"}).json()
    quote = (answer["quotes"] or answer["nearest"])[0]
    conversation = {"model": "clusterqa", "messages": [{"role": "user", "content": answer["question"]}]}
    completion = client.post("/v1/chat/completions", json=conversation).json()
    sent: list[tuple[type[BaseModel], dict[str, object]]] = [
        (shapes.Answer, answer),
        (shapes.Quote, quote),
        (shapes.Passage, quote["passage"]),
        (shapes.Hit, client.get("/api/v1/search", params={"q": "bronza"}).json()[0]),
        (shapes.Facts, client.get("/api/v1/documents").json()[0]),
        (shapes.Read, client.get("/api/v1/documents/bronze.lt.md").json()),
        (shapes.Problem, client.get("/api/v1/documents/none.md").json()),
        (shapes.Completion, completion),
        (shapes.Structured, completion["clusterqa"]),
        (shapes.Choice, completion["choices"][0]),
        (shapes.Said, completion["choices"][0]["message"]),
        (shapes.Model, client.get("/v1/models/clusterqa").json()),
        (shapes.Models, client.get("/v1/models").json()),
    ]
    for shape, body in sent:
        assert set(body) == set(shape.model_fields)
        shape.model_validate(body)


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.encoder
def test_the_page_of_a_document_marks_exactly_the_quote(client: TestClient) -> None:
    text = client.get("/api/v1/documents/bronze.lt.md").json()["text"]
    quote = "Bronzos ženklas galioja dvejus metus nuo suteikimo dienos."
    start = text.index(quote)
    page = client.get(f"/documents/bronze.lt.md?start={start}&end={start + len(quote)}&lang=en").text
    assert f'<mark id="quote" tabindex="-1">{quote}</mark>' in page
    assert '<html lang="en">' in page and '<article lang="lt">' in page
    short = start + quote.index("dvejus metus")
    page = client.get(
        f"/documents/bronze.lt.md?start={start}&end={start + len(quote)}&short={short}-{short + 12}&lang=en"
    ).text
    assert '">Bronzos ženklas galioja <span class="cq-short">dvejus metus</span> nuo suteikimo dienos.</mark>' in page
    assert "Klasterių biuras" in page and "5 March 2024" in page and 'href="https://example.lt/bronza"' in page
    assert 'href="../documents/bronze.en.md?lang=en"' in page


@pytest.mark.encoder
def test_a_quote_over_two_table_rows_is_marked_in_every_cell_with_one_anchor(client: TestClient) -> None:
    text = client.get("/api/v1/documents/bronze.lt.md").json()["text"]
    start, end = text.index("Palyginamasis vertinimas vietoje"), text.index("1 650 Eur") + len("1 650 Eur")
    page = client.get(f"/documents/bronze.lt.md?start={start}&end={end}").text
    assert page.count("<mark") == 4 and page.count('id="quote"') == 1
    assert '<th scope="col">Paslauga</th>' in page


@pytest.mark.encoder
@pytest.mark.parametrize("place", ["start=5&end=2", "start=0&end=99999999", "start=-4&end=10"])
def test_a_place_that_is_not_there_shows_the_document_and_says_so(client: TestClient, place: str) -> None:
    answer = client.get(f"/documents/bronze.lt.md?{place}&lang=lt")
    assert answer.status_code == 200
    assert WORDS["lt"]["no_place"] in answer.text and "<mark" not in answer.text


@pytest.mark.encoder
def test_a_hostile_document_is_shown_as_text(client: TestClient) -> None:
    page = client.get("/documents/warehouse.en.md").text
    assert "<script>window" not in page and "<img" not in page
    assert "&lt;script&gt;" in page and "spy.example" not in page
    assert 'href="javascript' not in page


@pytest.mark.encoder
@pytest.mark.parametrize("name", ["none.md", "../secret", "a/<script>alert(1)</script>.md", "%00"])
def test_a_document_that_is_not_there_is_a_page_that_says_so(client: TestClient, name: str) -> None:
    answer = client.get(f"/documents/{name}", headers={"accept-language": "en"})
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


@pytest.mark.encoder
def test_the_front_leads_to_the_readers_language(client: TestClient) -> None:
    ask = {"follow_redirects": False}
    assert client.get("/", headers={"accept-language": "en-GB"}, **ask).headers["location"] == "/en/"  # type: ignore[arg-type]
    assert client.get("/", headers={"accept-language": "lt"}, **ask).headers["location"] == "/lt/"  # type: ignore[arg-type]
    chosen = {"accept-language": "lt", "cookie": "clusterqa_language=en"}
    assert client.get("/", headers=chosen, **ask).headers["location"] == "/en/"  # type: ignore[arg-type]


@pytest.mark.encoder
@pytest.mark.parametrize("language", ["lt", "en"])
def test_a_chat_page_has_its_words_and_fetches_nothing_from_elsewhere(client: TestClient, language: str) -> None:
    answer = client.get(f"/{language}/")
    assert answer.status_code == 200
    config = json.loads(re.search(r"window\.gradio_config = (\{.*?\});</script>", answer.text, re.DOTALL)[1])  # type: ignore[index]
    assert f'document.documentElement.lang = "{language}"' in config["head"]
    boxes = [part["props"].get("placeholder") for part in config["components"] if part["type"] == "textbox"]
    assert WORDS[language]["placeholder"] in boxes  # type: ignore[index]
    assert all(part["api_visibility"] == "private" for part in config["dependencies"])
    assert "fonts.googleapis.com" not in answer.text
    assert re.search(r'<html\s+lang="([a-z]+)"', answer.text)[1] == language  # type: ignore[index]
    assert f"<title>{WORDS[language]['title']}</title>" in answer.text  # type: ignore[index]
    first = answer.text.partition("<body")[2].partition("<gradio-app")[0]  # what is there before any script
    for text in ("welcome", "promise", "placeholder", "send"):
        assert WORDS[language][text] in first  # type: ignore[index]
    assert 'method="post" action="ask"' in first and EXAMPLES[language][0] in first  # type: ignore[index]
    previews = re.findall(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>', answer.text)
    assert len(previews) == 4 and "Gradio" not in "".join(previews)
    policy = answer.headers["content-security-policy"]
    assert "frame-ancestors 'self' https://a.example" in policy and "http:" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.encoder
def test_only_public_pages_may_stand_in_a_frame_of_a_named_site(client: TestClient) -> None:
    def ancestors(path: str) -> str:
        policy = client.get(path).headers["content-security-policy"]
        return policy.partition("frame-ancestors ")[2]

    for path in ("/lt/", "/en/", "/documents/bronze.lt.md"):
        assert ancestors(path) == "'self' https://a.example"
    for path in ("/api/docs", "/staff", "/ltx"):
        assert ancestors(path) == "'none'"


def test_the_widget_is_a_script_with_the_words_of_both_languages(client: TestClient) -> None:
    answer = client.get("/widget.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    words = json.loads(re.search(r"const WORDS = (\{.*\});", answer.text)[1])  # type: ignore[index]
    assert {language: known["widget_open"] for language, known in words.items()} == {
        "lt": WORDS["lt"]["widget_open"], "en": WORDS["en"]["widget_open"]
    }  # fmt: skip


@pytest.mark.encoder
@pytest.mark.parametrize("path", ["gradio_api/info", "gradio_api/upload", "monitoring", "gradio_api/runs"])
def test_gradios_own_doors_are_shut(client: TestClient, path: str) -> None:
    answer = client.get(f"/lt/{path}")
    assert answer.status_code >= 400 or '"named_endpoints":{}' in answer.text.replace(" ", "")


@pytest.mark.encoder
def test_pages_of_documents_run_no_script_but_ours(client: TestClient) -> None:
    policy = client.get("/documents/bronze.lt.md").headers["content-security-policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy


# ── staying in step, and limits ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.encoder
def test_a_running_server_takes_up_what_was_indexed_and_keeps_old_citations(
    client: TestClient, settings: Settings
) -> None:
    before = client.get("/api/v1/documents/bronze.en.md").json()["version"]
    generation = client.get("/readyz").json()["generation"]
    path = settings.corpus / "bronze.en.md"
    path.write_text(path.read_text(encoding="utf-8").replace("two years", "three years"), encoding="utf-8")
    sync.update(settings, lambda: SentenceEncoder.load(settings.encoder, settings.threads))
    for _ in range(50):
        if client.get("/readyz").json()["generation"] > generation:
            break
        time.sleep(0.1)
    assert client.get("/readyz").json()["generation"] == generation + 1
    answer = client.post("/api/v1/ask", json={"question": "How long is the Bronze Label valid?"}).json()
    assert "three years" in (answer["quotes"] or answer["nearest"])[0]["text"]
    old = client.get(f"/documents/bronze.en.md?version={before}&lang=en").text
    assert "two years" in old and WORDS["en"]["earlier"] in old


@pytest.mark.encoder
def test_too_many_questions_get_a_clear_reply(settings: Settings) -> None:
    few = settings.model_copy(update={"rate_limit": 3})
    with TestClient(build(few)) as client:
        until_ready(client)
        answers = [client.post("/api/v1/ask", json={"question": "bronza"}) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert "Wait a minute" in answers[-1].json()["detail"]
        assert "clusterqa_refused_total 1.0" in client.get("/metrics").text


# ── an answer by e-mail ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_address_left_with_a_question_reaches_the_journal_and_nothing_else_does(client: TestClient) -> None:
    asked = client.post("/api/v1/ask", json={"question": "Kaip išvirti cepelinus su grybais?"})
    identifier = asked.headers["x-journal-id"]
    assert asked.json()["status"] == "not_found"

    def send(language: str = "lt", **fields: str) -> tuple[int, str]:
        usual = {"question": identifier, "email": "jonas@imone.lt", "agreed": "yes", "part": "1"}
        answer = client.post(f"/{language}/reply-to", data=usual | fields)
        return answer.status_code, answer.text

    bad = WORDS["lt"]["reply_to_bad"]
    for email in (
        "jonas", "jonas@imone.lt?bcc=x@y.lt", "a@b.lt\nx", "x,ona@imone.lt", "ona%2Cx@imone.lt", "a#b@imone.lt", "a\x07@imone.lt",
        "tl.enomi@\N{RIGHT-TO-LEFT OVERRIDE}jonas.lt", "jonas\N{ZERO WIDTH SPACE}@imone.lt", "jon\N{CYRILLIC SMALL LETTER A}s@imone.lt",
    ):  # fmt: skip
        status, text = send(email=email)
        assert (status, bad in text) == (422, True), email
    assert send(agreed="")[0] == 422
    assert send(question="never-asked")[0] == 404
    assert send(language="en")[0] == 404, "English has nobody who answers"
    journal = client.app.state.service.journal  # type: ignore[attr-defined]
    assert journal.answered_at([identifier]) == {}
    status, text = send()
    assert (status, "jonas@imone.lt" in text) == (200, True)
    assert journal.answered_at([identifier]) == {identifier: "jonas@imone.lt"}


def test_without_scripts_the_address_is_taken_by_a_plain_form(client: TestClient) -> None:
    asked = client.post("/api/v1/ask", json={"question": "Kaip išvirti cepelinus su grybais?"})
    fields = {"question": asked.headers["x-journal-id"], "email": "ona@imone.lt", "agreed": "yes"}
    page = client.post("/lt/reply-to", data=fields, headers=HTML)
    assert page.status_code == 200
    assert "Atsakymą išsiųsime adresu ona@imone.lt." in page.text and "<html" in page.text
