"""
The examples of the API's description: what a server with two documents of the corpus really answers.

    python tools/api_examples.py

writes them to src/clusterqa/web/examples.json; a test asks again and compares. Run it when a shape or a message changes.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.testclient import TestClient

from clusterqa.settings import Settings
from clusterqa.web.app import build
from clusterqa.web.description import GIVEN

CORPUS = Path(__file__).parent.parent / "corpus"
DOCUMENTS = ("bronze-label.en.md", "bronze-label.lt.md")
QUESTION = {"question": "Kiek laiko galioja bronzos ženklas?"}
UNKNOWN = {"question": "How tall is the Gediminas Tower?"}
BATCH = 2
"""Questions in the example of a batch."""
REFUSED = {503: "not_ready", 429: "too_many"}
"""Status → name of what a server answers that has loaded nothing yet, and then has been asked too often."""

Examples = dict[str, dict[str, Any]]
"""Operation → "parameters" and "bodies" that are answered, "answers" by status and name."""


class Request(NamedTuple):
    """What is sent to an operation; a value of `parameters` that its path does not name goes behind the question mark."""

    operation: str
    name: str
    body: Mapping[str, Any] | None = None
    parameters: Mapping[str, Any] = {}


def chat(question: str, **more: Any) -> dict[str, Any]:
    return {"model": "clusterqa", "messages": [{"role": "user", "content": question}], **more}


def requests(journal_id: str) -> Sequence[Request]:
    """Of each operation first what it is for, then what it refuses; `journal_id` is that of an answer."""
    return (
        Request("ask", "answered", QUESTION),
        Request("ask", "not_found", UNKNOWN),
        Request("ask", "unknown_field", {**QUESTION, "lang": "lt"}),
        Request("ask_batch", "two_questions", {"questions": [{**QUESTION, "id": "1"}, {**UNKNOWN, "id": "2"}]}),
        Request("ask_batch", "no_question", {"questions": []}),
        Request("give_feedback", "helpful", {"id": journal_id, "helpful": True}),
        Request("give_feedback", "not_helpful", {"id": journal_id, "helpful": False, "reason": "out_of_date"}),
        Request("give_feedback", "unknown_reply", {"id": "none", "helpful": True}),
        Request("give_feedback", "no_verdict", {"id": journal_id}),
        Request("list_questions", "questions", parameters={"language": "en"}),
        Request("list_questions", "other_language", parameters={"language": "de"}),
        Request("search", "passages", parameters={"q": "renewal of the label", "k": 2}),
        Request("search", "unknown_parameter", parameters={"q": "renewal", "limit": 2}),
        Request("list_documents", "first_page", parameters={"limit": 1}),
        Request("list_documents", "no_limit", parameters={"limit": 0}),
        Request("read_document", "document", parameters={"document": DOCUMENTS[0]}),
        Request("read_document", "unknown_document", parameters={"document": "golden-label.en.md"}),
        Request("read_document", "unknown_parameter", parameters={"document": DOCUMENTS[0], "page": 2}),
        Request("list_models", "models"),
        Request("read_model", "model", parameters={"model": "clusterqa"}),
        Request("read_model", "unknown_model", parameters={"model": "gpt-4"}),
        Request("complete_chat", "answered", chat(QUESTION["question"])),
        Request("complete_chat", "unknown_model", {**chat(QUESTION["question"]), "model": "gpt-4"}),
        Request("complete_chat", "unknown_field", chat(QUESTION["question"], response_format={"type": "json_object"})),
    )  # fmt: skip


def collected(folder: Path) -> Examples:
    """The examples, made in an empty folder."""
    (folder / "corpus").mkdir()
    for name in DOCUMENTS:
        shutil.copy(CORPUS / name, folder / "corpus")
    settings = Settings(corpus=folder / "corpus", data=folder / "data", rate_limit=1000)
    made: Examples = {}
    with TestClient(build(settings), client=("127.0.0.1", 50_000)) as client:
        while client.get("/readyz").status_code != 200 or not client.get("/api/v1/questions?language=en").json():
            time.sleep(0.1)
        every = requests(client.post("/api/v1/ask", json=QUESTION).headers["x-journal-id"])
        for request in every:
            keep(made, request, request.name, send(client, request))
        meant = {request.operation: request for request in reversed(every)}.values()
        for request in meant:
            keep(made, request, "wrong_key", send(client, request, key="cqa_revoked"))
    app = build(settings.model_copy(update={"data": folder / "empty", "rate_limit": BATCH}))  # is not started
    for number, request in enumerate(meant, start=1):
        client = TestClient(app, client=(f"127.0.1.{number}", 50_000))
        for _ in range(BATCH + 1):
            answer = send(client, request)
            if answer.status_code in REFUSED:
                keep(made, request, REFUSED[answer.status_code], answer)
    app.state.service.stop()
    return made


def send(client: TestClient, request: Request, key: str = "") -> Any:
    method, path = places(client.app)[request.operation]  # type: ignore[arg-type]
    query = {name: value for name, value in request.parameters.items() if f"{{{name}}}" not in path}
    for name, value in request.parameters.items():
        path = path.replace(f"{{{name}}}", quote(str(value)))
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return client.request(method, path, params=query, json=request.body, headers=headers)


def keep(made: Examples, request: Request, name: str, answer: Any) -> None:
    """Put what came of a request among the examples, under a name."""
    example = made.setdefault(request.operation, {"parameters": {}, "bodies": {}, "answers": {}})
    if answer.is_success:
        example["parameters"] |= request.parameters
        if request.body is not None:
            example["bodies"][name] = request.body
    if answer.content:
        example["answers"].setdefault(str(answer.status_code), {})[name] = answer.json()


def places(app: FastAPI) -> dict[str, tuple[str, str]]:
    """Operation → its method and path."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


if __name__ == "__main__":
    logging.disable()
    with TemporaryDirectory() as folder:
        found = collected(Path(folder))
    GIVEN.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
