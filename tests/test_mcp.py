"""The door for language models, by the SDK's own client: a process over its standard input, a server over HTTP."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from click.testing import CliRunner
from fastapi.testclient import TestClient

from clusterqa import extras
from clusterqa.cli import cli
from clusterqa.settings import Home, Settings
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import open_database
from clusterqa.staff.keys import Keys
from python_fixtures import DOCUMENTS, environment, folder_with_corpus

mcp = pytest.importorskip("mcp")
httpx2 = pytest.importorskip("httpx2")

from mcp import Client, StdioServerParameters  # noqa: E402
from mcp.client.streamable_http import streamable_http_client  # noqa: E402
from mcp.shared.exceptions import MCPError  # noqa: E402

QUESTION = "How long is a first Bronze Label valid?"
ANSWER = "A first Bronze Label is valid for two years from the month of the benchmarking interview."
COMMAND = ("-m", "clusterqa")

Talk = Callable[[Callable[[Any], Awaitable[Any]]], Any]
"""Runs a conversation with a client that is connected, and gives what it gives."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index."""
    folder = folder_with_corpus(tmp_path_factory.mktemp("mcp") / "here")
    subprocess.run([sys.executable, *COMMAND, "index"], cwd=folder, env=environment(), check=True, capture_output=True)
    return folder


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The web app in a process of its own; gives its address once questions are answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, *COMMAND, "serve", "--port", str(port)],
            cwd=folder,
            env=environment(),
            stderr=log,
        )
    try:
        while True:
            try:
                urllib.request.urlopen(f"{address}/readyz").close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.2)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with serving(folder) as address:
        yield address


@contextmanager
def talking(connect: Callable[[], Any]) -> Iterator[Talk]:
    """One connection for many conversations, kept open in a thread of its own."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(portal.call(connected, connect)) as client,
    ):
        yield lambda conversation: portal.call(conversation, client)


async def connected(connect: Callable[[], Any]) -> Any:
    return connect()


@pytest.fixture(scope="module")
def over_http(address: str) -> Iterator[Talk]:
    with talking(lambda: Client(f"{address}/mcp")) as talk:
        yield talk


@pytest.fixture(scope="module")
def over_stdio(folder: Path) -> Iterator[Talk]:
    parameters = StdioServerParameters(
        command=sys.executable, args=[*COMMAND, "mcp"], cwd=folder, env=dict(environment())
    )
    with talking(lambda: Client(parameters)) as talk:
        yield talk


@pytest.fixture(params=["over_stdio", "over_http"])
def talk(request: pytest.FixtureRequest) -> Talk:
    found: Talk = request.getfixturevalue(request.param)
    return found


def stored(name: str) -> str:
    return (Path(__file__).parent.parent / "corpus" / name).read_text(encoding="utf-8")


@pytest.mark.encoder
def test_a_question_is_answered_with_a_quote_that_can_be_traced(talk: Talk) -> None:
    async def conversation(client: Any) -> Any:
        asked = await client.call_tool("ask", {"question": QUESTION})
        quote = asked.structured_content["quotes"][0]
        place = {name: quote[name] for name in ("document", "version", "start", "end")}
        return asked, quote, await client.call_tool("read_document", place)

    asked, quote, read = talk(conversation)
    assert asked.structured_content["status"] == "answered"
    assert quote["text"].startswith(ANSWER)
    assert stored(quote["document"])[quote["start"] : quote["end"]] == quote["text"]
    assert read.structured_content["text"] == read.content[0].text == quote["text"]
    # A program that shows text only has the quote unchanged, and its place.
    told = asked.content[0].text
    assert f"\n{quote['text']}" in told
    assert f"[{quote['document']}, {quote['start']}–{quote['end']}, version {quote['version']}]" in told


@pytest.mark.encoder
def test_a_question_in_lithuanian_is_answered_in_lithuanian(talk: Talk) -> None:
    async def conversation(client: Any) -> Any:
        return await client.call_tool(
            "ask", {"question": "O sidabro?", "history": ["Kiek laiko galioja bronzos ženklas?"], "language": "lt"}
        )

    answer = talk(conversation).structured_content
    assert answer["language"] == "lt"
    assert answer["quotes"][0]["document"] == "silver-label.lt.md"


@pytest.mark.encoder
def test_what_the_documents_do_not_say_is_not_found(talk: Talk) -> None:
    async def conversation(client: Any) -> Any:
        return await client.call_tool("ask", {"question": "Where can I buy a bicycle in Kaunas?"})

    answer = talk(conversation)
    assert (answer.is_error, answer.structured_content["status"]) == (False, "not_found")
    assert answer.structured_content["quotes"] == []


@pytest.mark.encoder
def test_a_search_gives_places(talk: Talk) -> None:
    async def conversation(client: Any) -> Any:
        return await client.call_tool("search", {"query": "renewal of the Bronze Label", "k": 3})

    hits = talk(conversation).structured_content["hits"]
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    for hit in hits:
        assert stored(hit["document"])[hit["start"] : hit["end"]] == hit["text"]


@pytest.mark.encoder
def test_documents_are_listed_and_are_resources_that_can_be_read(talk: Talk) -> None:
    async def conversation(client: Any) -> Any:
        listed = await client.call_tool("list_documents", {"language": "lt"})
        resources = (await client.list_resources()).resources
        read = [(await client.read_resource(resource.uri)).contents[0].text for resource in resources]
        newest = await client.read_resource("clusterqa://documents/silver-label.lt.md")
        return listed.structured_content, resources, read, newest.contents[0].text

    listed, resources, read, newest = talk(conversation)
    assert [row["document"] for row in listed["documents"]] == ["bronze-label.lt.md", "silver-label.lt.md"]
    assert listed["documents"][0]["translation"] == "bronze-label.en.md"
    assert listed["next"] is None
    assert [resource.name for resource in resources] == list(DOCUMENTS)
    assert read == [stored(name) for name in DOCUMENTS]
    assert newest == stored("silver-label.lt.md")


@pytest.mark.encoder
def test_a_mistake_is_told_with_the_next_step(talk: Talk) -> None:
    async def conversation(client: Any) -> Any:
        wrong = (
            ("read_document", {"document": "nosuch.md"}),
            ("read_document", {"document": DOCUMENTS[0], "version": "0" * 64}),
            ("read_document", {"document": DOCUMENTS[0], "start": 10**9}),
            ("read_document", {"document": DOCUMENTS[0], "start": 20, "end": 10}),
            ("search", {"query": "label", "k": 0}),
        )
        results = [await client.call_tool(name, arguments) for name, arguments in wrong]
        with pytest.raises(MCPError, match=r"There is no document nosuch\.md"):
            await client.read_resource("clusterqa://documents/nosuch.md")
        return [result.is_error for result in results], [result.content[0].text for result in results]

    errors, told = talk(conversation)
    assert errors == [True] * 5
    for text, says in zip(
        told,
        ("no document nosuch.md", "no version that begins", "characters: give", "characters: give", "greater"),
        strict=True,
    ):
        assert says in text


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("search", {"query": "label", "limit": 3}, "search takes no limit, only query, k, language."),
        ("ask", {"question": QUESTION, "lang": "lt"}, "ask takes no lang, only question, history, language."),
        ("ask", {}, "question: Field required"),
        ("ask", {"question": 5}, "question: Input should be a valid string"),
        ("ask", {"question": QUESTION, "language": "de"}, "language: Input should be 'lt' or 'en'"),
        ("nosuch", {}, "Unknown tool: nosuch"),
    ],
)
def test_arguments_that_a_tool_does_not_take_are_refused_in_one_line(
    talk: Talk, name: str, arguments: dict[str, Any], told: str
) -> None:
    result = talk(lambda client: client.call_tool(name, arguments))
    assert (result.is_error, result.content[0].text) == (True, told)


@pytest.mark.encoder
def test_the_prompts_tell_a_model_to_quote_verbatim_in_both_languages(talk: Talk) -> None:
    async def conversation(client: Any) -> Any:
        names = [prompt.name for prompt in (await client.list_prompts()).prompts]
        given = [await client.get_prompt(name, {"question": "Kas yra ESCA?"}) for name in names]
        return names, [prompt.messages[0].content.text for prompt in given]

    names, texts = talk(conversation)
    assert names == ["quote_verbatim", "cituoti_pazodziui"]
    assert "character by character" in texts[0]
    assert "pažodžiui" in texts[1]
    assert all("Kas yra ESCA?" in text for text in texts)


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [("quote_verbatim", {}, "Missing required arguments.*question"), ("nothing", {"question": "?"}, "Unknown prompt: nothing")],
)  # fmt: skip
def test_a_prompt_asked_for_wrongly_is_a_mistake_of_the_client(
    talk: Talk, folder: Path, name: str, arguments: dict[str, str], told: str
) -> None:
    with pytest.raises(MCPError, match=told) as caught:
        talk(lambda client: client.get_prompt(name, arguments))
    assert caught.value.code == -32602
    log = folder / "log"
    assert not log.exists() or "Traceback" not in log.read_text(encoding="utf-8")


@pytest.mark.encoder
def test_the_tools_say_what_they_take_and_give(talk: Talk) -> None:
    async def conversation(client: Any) -> Any:
        return (await client.list_tools()).tools, client.instructions

    tools, instructions = talk(conversation)
    assert [tool.name for tool in tools] == ["ask", "search", "read_document", "list_documents"]
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert tool.output_schema["properties"]
        assert all("description" in field for field in tool.input_schema["properties"].values())
    assert "verbatim" in instructions


@pytest.mark.encoder
def test_the_standard_output_carries_messages_only_and_ends_with_the_input(folder: Path) -> None:
    lines = [
        {
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"},
            },
        },
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": QUESTION}}},
    ]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, *COMMAND, "-v", "mcp", "--data", str(folder / "fresh")],  # with an index to be built first
        cwd=folder, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdin and process.stdout
    process.stdin.write("".join(json.dumps(line) + "\n" for line in lines))
    process.stdin.flush()
    replies = [json.loads(process.stdout.readline()) for _ in range(2)]
    process.stdin.close()
    assert process.stdout.read() == ""
    assert process.wait() == 0
    assert [(reply["jsonrpc"], reply["id"]) for reply in replies] == [("2.0", 1), ("2.0", 2)]
    assert replies[1]["result"]["structuredContent"]["quotes"][0]["text"].startswith(ANSWER)


@pytest.mark.encoder
def test_what_cannot_be_opened_is_told_to_the_model(tmp_path: Path) -> None:
    parameters = StdioServerParameters(
        command=sys.executable,
        args=[*COMMAND, "mcp"],
        cwd=tmp_path,
        env={**environment(), "CLUSTERQA_CORPUS": str(tmp_path / "nosuch")},
    )

    async def run() -> Any:
        async with Client(parameters) as client:
            return await client.call_tool("ask", {"question": QUESTION})

    result = asyncio.run(run())
    assert result.is_error
    assert "nosuch" in result.content[0].text


# ── who is let in ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.encoder
def test_whoever_has_a_key_is_served_from_anywhere_and_a_wrong_one_is_refused(folder: Path, address: str) -> None:
    key = new_key(folder / "data")

    async def asked(address: str, key: str) -> Any:
        async with (
            httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
            Client(streamable_http_client(f"{address}/mcp", http_client=http)) as client,
        ):
            return await client.call_tool("search", {"query": "label", "k": 1})

    assert len(asyncio.run(asked(address, key)).structured_content["hits"]) == 1
    elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    for headers, told in (
        ({"Authorization": f"Bearer {key}x"}, 'Bearer error="invalid_token"'),
        ({"Authorization": f"Basic {key}", **elsewhere}, "Bearer"),
        (elsewhere, "Bearer"),
    ):
        request = urllib.request.Request(f"{address}/mcp", data=b"{}", headers=headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        assert (refused.value.code, refused.value.headers["WWW-Authenticate"]) == (401, told)
    assert key not in (folder / "log").read_text()


def new_key(data: Path) -> str:
    """The secret of an API key, as an administrator would make it at the desk."""
    database = open_database(Home(data))
    try:
        return Keys(database, Audit(database)).add("mcp", 0, "", "cli:test")[1]
    finally:
        database.close()


BODY = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip


def knock(settings: Settings, client: str = "127.0.0.1", host: str = "127.0.0.1:7860", **headers: str) -> Any:
    """The answer to a hello from an address, under a name."""
    from clusterqa.web.app import build

    accepted = {"accept": "application/json, text/event-stream", "host": host}
    with TestClient(build(settings), client=(client, 50_000)) as caller:
        return caller.post(
            "/mcp", json=BODY, headers={**accepted, **{k.replace("_", "-"): v for k, v in headers.items()}}
        )


@pytest.fixture
def local(settings: Settings) -> Settings:
    return settings.model_copy(update={"reader": "none"})


def test_without_a_key_this_machine_is_served(local: Settings) -> None:
    answer = knock(local)
    assert answer.status_code == 200
    assert answer.json()["result"]["serverInfo"]["name"] == "clusterqa"


@pytest.mark.parametrize(
    "caller",
    [
        {"client": "192.0.2.7"},
        {"host": "attacker.example"},
        {"origin": "https://attacker.example"},
        {"x_forwarded_for": "192.0.2.7"},
        {"forwarded": "for=192.0.2.7"},
    ],
    ids=lambda caller: next(iter(caller)),
)
def test_without_a_key_nobody_else_is_served(local: Settings, caller: dict[str, str]) -> None:
    assert knock(local, **caller).status_code in (401, 403, 421)


def test_without_a_key_nobody_is_served_behind_a_proxy(local: Settings) -> None:
    assert knock(local.model_copy(update={"proxy": "127.0.0.1"})).status_code == 401


def test_with_a_key_other_machines_are_served(local: Settings) -> None:
    key = new_key(local.data)
    other = {"client": "192.0.2.7", "host": "docs.example.lt", "origin": "https://docs.example.lt"}
    assert knock(local, **other, authorization=f"Bearer {key}").status_code == 200
    assert knock(local, **other).status_code == 401


def test_the_limit_of_questions_holds_here_too(local: Settings) -> None:
    from clusterqa.web.app import build

    headers = {"accept": "application/json, text/event-stream", "host": "127.0.0.1:7860"}
    with TestClient(build(local.model_copy(update={"rate_limit": 2})), client=("127.0.0.1", 50_000)) as caller:
        answers = [caller.post("/mcp", json=BODY, headers=headers) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert caller.get("/mcp", headers=headers).status_code == 405


def test_without_the_library_it_is_said_how_to_get_it(local: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from clusterqa.web import app

    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "mcp" else find_spec(name))
    shown = CliRunner().invoke(cli, ["mcp", "--corpus", str(local.corpus)])
    assert (shown.exit_code, "pip install 'clusterqa[mcp]'" in shown.output) == (1, True)
    assert "/mcp" not in {getattr(route, "path", "") for route in app.build(local).routes}


def test_the_page_of_documentation_shows_commands_that_are_there() -> None:
    page = (Path(__file__).parent.parent / "docs" / "mcp.md").read_text(encoding="utf-8")
    assert json.loads(page.split("```json\n")[1].split("```")[0])["mcpServers"]["clusterqa"]["args"][0] == "mcp"
    for name in ("ask", "search", "read_document", "list_documents", "quote_verbatim", "cituoti_pazodziui"):
        assert f"`{name}`" in page
