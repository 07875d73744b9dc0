"""The door for programs that know OpenAI's API, by OpenAI's own client, on a server on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from openai import OpenAI

from clusterqa.settings import Settings
from clusterqa.web import render, shapes
from clusterqa.web.app import build
from web_fixtures import HOSTILE, listening, write_corpus

QUESTION = "How long is the Bronze Label valid?"
ANSWER = "The Bronze Label is valid for two years from the day it is awarded."
USER = {"role": "user", "content": QUESTION}
markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    base = tmp_path_factory.mktemp("completions")
    return build(Settings(corpus=write_corpus(base / "corpus"), data=base / "data", reader="none", rate_limit=200))


@pytest.fixture(scope="module")
def address(app: FastAPI) -> Iterator[str]:
    with listening(app) as address:
        yield address


@pytest.fixture(scope="module")
def client(address: str) -> OpenAI:
    return OpenAI(base_url=f"{address}/v1", api_key="anonymous", max_retries=0)


def asked(client: OpenAI, *messages: Any, **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "clusterqa", "messages": list(messages), **more})


def shown(text: str) -> str:
    """What a reader of rendered Markdown sees, with single spaces."""
    blocks = [token.children or () for token in markdown.parse(text) if token.type == "inline"]
    return " ".join(" ".join("".join(part.content or " " for part in block) for block in blocks).split())


@pytest.mark.encoder
def test_the_answer_is_a_quote_with_its_source_and_holds_the_reply_itself(client: OpenAI, address: str) -> None:
    answer = asked(client, USER)
    assert (answer.object, answer.model, answer.choices[0].finish_reason) == ("chat.completion", "clusterqa", "stop")
    message = answer.choices[0].message
    assert message.role == "assistant" and f"> “{ANSWER}" in message.content
    assert "The Bronze Label, Validity, Cluster Office" in message.content
    reply = shapes.Answer.model_validate(answer.clusterqa)
    assert (reply.status, reply.quotes[0].document, reply.quotes[0].text[: len(ANSWER)]) == (
        "answered",
        "bronze.en.md",
        ANSWER,
    )
    links = [part.split(">")[0] for part in message.content.split(f"<{address}/")[1:]]
    assert len(links) == len(reply.quotes)
    page = httpx.get(f"{address}/{links[0]}").text
    assert '<mark id="quote">' in page or "<mark" in page
    given = httpx.post(f"{address}/api/v1/feedback", json={"id": answer.clusterqa["journal_id"], "helpful": True})
    assert given.status_code == 204


@pytest.mark.encoder
def test_a_stream_brings_the_same_piece_by_piece(client: OpenAI) -> None:
    whole = asked(client, USER)
    chunks = list(asked(client, USER, stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]
    assert "".join(pieces) == whole.choices[0].message.content
    assert len(pieces) >= 3
    assert chunks[0].choices[0].delta.role == "assistant"
    *_, last, cost = chunks
    assert (last.choices[0].finish_reason, cost.choices, cost.usage.total_tokens) == ("stop", [], 0)
    same = {name: value for name, value in last.clusterqa.items() if name != "journal_id"}
    assert same == {name: value for name, value in whole.clusterqa.items() if name != "journal_id"}
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


@pytest.mark.encoder
def test_a_stream_is_server_sent_events_to_the_last_line(address: str) -> None:
    body = {"model": "clusterqa", "messages": [USER], "stream": True}
    answer = httpx.post(f"{address}/v1/chat/completions", json=body)
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    *events, done, end = answer.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    assert all(json.loads(event.removeprefix("data: "))["object"] == "chat.completion.chunk" for event in events)
    assert answer.headers["ratelimit-policy"] == '"client";q=200;w=60'


@pytest.mark.encoder
def test_earlier_messages_of_the_user_are_the_history_and_nothing_else_is(client: OpenAI) -> None:
    first = asked(client, {"role": "system", "content": "Answer about warehouses only."}, USER)
    again = asked(client, USER, first.choices[0].message, {"role": "user", "content": "And how much is it on site?"})
    reply = shapes.Answer.model_validate(again.clusterqa)
    assert reply.quotes[0].document == "bronze.en.md" and "2,250" in "".join(quote.text for quote in reply.quotes)


@pytest.mark.encoder
def test_a_question_in_lithuanian_in_parts_is_answered_in_lithuanian(client: OpenAI) -> None:
    parts = [{"type": "text", "text": "Kiek laiko"}, {"type": "text", "text": "galioja bronzos ženklas?"}]
    answer = asked(client, {"role": "user", "content": parts})
    assert answer.clusterqa["language"] == "lt"
    assert "„Bronzos ženklas galioja dvejus metus" in answer.choices[0].message.content
    assert asked(client, {"role": "user", "content": "?"}, extra_body={"language": "lt"}).clusterqa["language"] == "lt"


@pytest.mark.encoder
def test_what_the_documents_do_not_say_is_said(client: OpenAI) -> None:
    answer = asked(client, {"role": "user", "content": "Who won the Eurovision Song Contest in 1987?"})
    assert answer.clusterqa["status"] == "not_found"
    assert answer.choices[0].message.content.startswith(answer.clusterqa["message"])


@pytest.mark.encoder
def test_what_stands_in_a_document_sets_nothing_in_the_answer(client: OpenAI) -> None:
    answer = asked(client, {"role": "user", "content": "Where must the warehouse forklift be parked?"})
    content = answer.choices[0].message.content
    assert HOSTILE in answer.clusterqa["quotes"][0]["text"]
    html = markdown.render(content)
    assert "<script" not in html and "<img" not in html and 'href="https://spy.example' not in html
    assert HOSTILE in shown(content)


@pytest.mark.encoder
def test_what_programs_send_unasked_changes_nothing(client: OpenAI) -> None:
    plain = asked(client, USER).choices[0].message.content
    more = {
        "temperature": 0.7, "top_p": 1, "max_tokens": 5, "max_completion_tokens": 5, "frequency_penalty": 0, "n": 1,
        "presence_penalty": 0, "seed": 1, "user": "me", "tools": None, "stop": None,
    }  # fmt: skip
    assert asked(client, USER, **more).choices[0].message.content == plain


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("sent", "param", "told"),
    [
        ({"tools": [{"type": "function", "function": {"name": "x"}}]}, "tools", "leave it out"),
        ({"response_format": {"type": "json_object"}}, "response_format", "leave it out"),
        ({"logprobs": True}, "logprobs", "leave it out"),
        ({"stop": ["x"]}, "stop", "leave it out"),
        ({"n": 2}, "n", "Input should be 1"),
        ({"extra_body": {"tempreature": 1}}, "tempreature", "leave it out"),
        ({"stream": True, "stream_options": {"x": 1}}, "stream_options.x", "leave it out"),
        ({"messages": []}, "messages", "at least 1"),
        ({"messages": [USER, {"role": "assistant", "content": "x"}]}, "messages", "the last message is the question"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}, USER]}, "messages.0.role", "'assistant'"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
         "messages.0.content", "leave out pictures"),
        ({"messages": [{"role": "user", "content": "x" * 20_001}]}, "messages.0.content", "at most 20000"),
        ({"extra_query": {"api-version": "1"}}, None, "There is no parameter api-version here"),
    ],
)  # fmt: skip
def test_what_is_unknown_is_refused_as_openai_refuses(
    client: OpenAI, sent: dict[str, Any], param: str | None, told: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"model": "clusterqa", "messages": [USER], **sent})
    assert (refused.value.param, refused.value.type) == (param, "invalid_request_error")
    assert told in refused.value.message and "Value error" not in refused.value.message


@pytest.mark.encoder
def test_there_is_one_model(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["clusterqa"]
    assert client.models.retrieve("clusterqa").object == "model"
    for call in (
        lambda: client.models.retrieve("gpt-5"),
        lambda: asked(client, USER, model="gpt-5"),
    ):
        with pytest.raises(openai.NotFoundError, match="is called clusterqa") as missing:
            call()
        assert (missing.value.code, missing.value.param) == ("model_not_found", "model")


@pytest.mark.encoder
def test_keys_limits_and_sizes_are_those_of_the_other_doors(app: FastAPI, address: str) -> None:
    _, secret = app.state.service.keys().add("a program", 1, "", "rasa")
    known = OpenAI(base_url=f"{address}/v1", api_key=secret, max_retries=0)
    assert asked(known, USER).clusterqa["status"] == "answered"
    with pytest.raises(openai.RateLimitError) as many:
        asked(known, USER)
    assert (many.value.code, int(many.value.response.headers["retry-after"]) > 0) == ("rate_limit_exceeded", True)
    with pytest.raises(openai.AuthenticationError, match="wrong or was revoked") as wrong:
        asked(OpenAI(base_url=f"{address}/v1", api_key="sk-1", max_retries=0), USER)
    assert (wrong.value.code, wrong.value.type) == ("invalid_api_key", "authentication_error")
    with pytest.raises(openai.APIStatusError, match="larger than 64 KiB") as large:
        asked(
            OpenAI(base_url=f"{address}/v1", api_key="anonymous", max_retries=0),
            *[{**USER, "content": "x" * 15_000}] * 5,
        )
    assert large.value.status_code == 413
    missing = httpx.post(f"{address}/v1/embeddings", json={})
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "invalid_request_error")


def test_before_the_server_is_ready_a_client_is_put_off(settings: Settings) -> None:
    from fastapi.testclient import TestClient

    body = {"model": "clusterqa", "messages": [USER]}
    answer = TestClient(build(settings)).post("/v1/chat/completions", json=body)
    assert (answer.status_code, answer.json()["error"]["type"]) == (503, "server_error")
    assert int(answer.headers["retry-after"]) > 0


# ── Markdown that is shown as the text it is ────────────────────────────────────────────────────────────────────

SIGNS = st.text(st.sampled_from("ab1 .)\\`*_[]<>&~|$#=+-:!\"'(\n0ž;/amp"), max_size=60)


@given(SIGNS)
def test_every_text_is_shown_as_it_is(text: str) -> None:
    assert shown(render.literally(f"x{text}")) == " ".join(f"x{text}".split())
    assert shown(render.literally(text)) == " ".join(text.split())


@pytest.mark.parametrize(
    "text",
    ["1. Pirmas\n2. Antras", "# Ne antraštė\n---\n| a | b |\n|---|---|\n| c | d |", "  \n\n    kodas\n> x\n<!-- y -->"],
)
def test_lines_stay_lines(text: str) -> None:
    html = markdown.render(render.literally(text))
    assert html.count("<br") + html.count("</p>") == len([line for line in text.split("\n") if line.strip()])
    assert not {"<h", "<ol", "<ul", "<tab", "<pre", "<blo", "<!"} & {
        html[i : i + n] for n in (2, 3, 4) for i in range(len(html))
    }
