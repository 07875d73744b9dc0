"""A client generated from our description, by openapi-python-client, asks a server on loopback."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from clusterqa.settings import Settings
from clusterqa.web.app import build
from web_fixtures import listening, write_corpus

PACKAGE = "generated_clusterqa"

# "1and", where the generator leaves the spaces to a formatter
pytestmark = pytest.mark.filterwarnings("ignore:invalid decimal literal:SyntaxWarning")


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    base = tmp_path_factory.mktemp("generated")
    return build(Settings(corpus=write_corpus(base / "corpus"), data=base / "data", reader="none"))


@pytest.fixture(scope="module")
def generated(app: FastAPI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package, importable; the generator had nothing to warn of. Without its hooks: they are formatters, to be found on the PATH."""
    from openapi_python_client.cli import app as generator

    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(TestClient(app).get("/api/openapi.json").json()), encoding="utf-8")
    (folder / "config.yaml").write_text(f"package_name_override: {PACKAGE}\npost_hooks: []\n", encoding="utf-8")
    run = CliRunner().invoke(
        generator,
        ["generate", "--path", str(folder / "openapi.json"), "--config", str(folder / "config.yaml"), "--meta", "none",
         "--output-path", str(folder / PACKAGE), "--fail-on-warning"],
    )  # fmt: skip
    assert run.exit_code == 0, run.output
    sys.path.insert(0, str(folder))
    yield folder / PACKAGE
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def address(app: FastAPI) -> Iterator[str]:
    with listening(app) as address:
        yield address


def operation(tag: str, name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.api.{tag}.{name}")


def test_every_operation_is_a_function_of_its_name(generated: Path) -> None:
    found = {
        f"{path.parent.name}.{path.stem}" for path in (generated / "api").glob("*/*.py") if path.stem != "__init__"
    }
    assert found == {
        "questions.ask", "questions.ask_batch", "questions.give_feedback", "questions.list_questions",
        "documents.search", "documents.list_documents", "documents.read_document",
        "openai.complete_chat", "openai.list_models", "openai.read_model",
    }  # fmt: skip


@pytest.mark.encoder
def test_it_asks_searches_reads_and_gives_feedback(app: FastAPI, generated: Path, address: str) -> None:
    package, models = importlib.import_module(PACKAGE), importlib.import_module(f"{PACKAGE}.models")
    _, secret = app.state.service.keys().add("generated", 50, "", "rasa")
    with package.AuthenticatedClient(base_url=address, token=secret) as client:
        asked = models.Asked(question="Kiek laiko galioja bronzos ženklas?", id="1")
        answered = operation("questions", "ask").sync_detailed(client=client, body=asked)
        assert answered.headers["ratelimit-policy"] == '"key";q=50;w=60'
        answer = answered.parsed
        assert (answer.id, answer.status, answer.language) == ("1", "answered", "lt")
        quote = answer.quotes[0]
        assert quote.text.startswith("Bronzos ženklas galioja dvejus metus")
        read = operation("documents", "read_document").sync(quote.document, client=client, version=quote.version)
        assert read.text[quote.start : quote.end] == quote.text
        given = models.Given(id=answered.headers["x-journal-id"], helpful=True)
        assert operation("questions", "give_feedback").sync_detailed(client=client, body=given).status_code == 204

        batch = operation("questions", "ask_batch").sync(
            client=client, body=models.AskedBatch(questions=[asked, asked])
        )
        assert [one.answer.quotes[0].document for one in batch.answers] == [quote.document] * 2
        hits = operation("documents", "search").sync(client=client, q="bronze", k=2)
        assert [hit.rank for hit in hits] == [1, 2]
        message = models.Message(models.MessageRole.USER, content=asked.question)
        conversation = models.Conversation(model="clusterqa", messages=[message])
        completion = operation("openai", "complete_chat").sync(client=client, body=conversation)
        assert completion.clusterqa.quotes[0].document == quote.document
        assert [model.id for model in operation("openai", "list_models").sync(client=client).data] == ["clusterqa"]
        listed = operation("documents", "list_documents").sync(client=client, limit=2)
        assert [facts.document for facts in listed] == ["bronze.en.md", "bronze.lt.md"]


@pytest.mark.encoder
def test_an_error_has_a_type_too(generated: Path, address: str) -> None:
    client = importlib.import_module(PACKAGE).Client(base_url=address)
    problem = operation("documents", "read_document").sync("none.md", client=client)
    assert (type(problem).__name__, problem.status) == ("Problem", 404)
    assert "none.md" in problem.detail
