"""The examples of the API's description are of the shape that it tells, and are what a server answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator

from clusterqa.settings import Settings
from clusterqa.web.app import build
from clusterqa.web.description import GIVEN
from probes import tool

CHANGING = {"confidence", "score", "dense", "lexical", "journal_id", "created"}
"""What is another number or name each time, or with other weights of the reader."""


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    base = tmp_path_factory.mktemp("described")
    described: dict[str, Any] = (
        TestClient(build(Settings(corpus=base, data=base / "data"))).get("/api/openapi.json").json()
    )
    return described


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for methods in schema["paths"].values():
        for operation in methods.values():
            yield operation["operationId"], operation


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is sent and answered with a body: ("body" or the status, its content)."""
    if "requestBody" in operation:
        yield "body", operation["requestBody"]["content"]["application/json"]
    for status, response in operation["responses"].items():
        if status not in ("default", "204"):
            [content] = response["content"].values()
            yield status, content


def test_every_body_answer_and_error_has_an_example_of_its_shape(schema: dict[str, Any]) -> None:
    for name, operation in operations(schema):
        told = dict(contents(operation))
        assert {"401"} < set(told), name
        for where, content in told.items():
            assert content["examples"], (name, where)
            validator = Draft202012Validator({**content["schema"], "components": schema["components"]})
            for example in content["examples"].values():
                assert [error.message for error in validator.iter_errors(example["value"])] == [], (name, where)


def test_an_example_of_another_shape_would_be_seen(schema: dict[str, Any]) -> None:
    content = dict(contents(dict(operations(schema))["ask"]))["200"]
    validator = Draft202012Validator({**content["schema"], "components": schema["components"]})
    answer = content["examples"]["answered"]["value"]
    del answer["quotes"][0]["passage"]["start"]
    assert [error.message for error in validator.iter_errors(answer)] == ["'start' is a required property"]


def test_an_error_has_the_status_that_its_example_tells(schema: dict[str, Any]) -> None:
    told = [
        (status, example["value"]["status"])
        for _, operation in operations(schema)
        for status, content in contents(operation)
        for example in content["examples"].values()
        if status.startswith(("4", "5")) and "status" in example["value"]
    ]
    assert {status for status, _ in told} == {"401", "404", "422", "429", "503"}
    assert all(status == str(written) for status, written in told)


def test_parameters_that_must_be_given_have_an_example(schema: dict[str, Any]) -> None:
    needed = {
        (name, parameter["name"]): parameter.get("example")
        for name, operation in operations(schema)
        for parameter in operation.get("parameters", ())
        if parameter["required"]
    }
    assert set(needed) >= {("search", "q"), ("read_document", "document"), ("read_model", "model")}
    assert None not in needed.values()


@pytest.mark.encoder
def test_a_server_answers_as_the_examples_say(tmp_path: Path) -> None:
    made, written = tool("api_examples").collected(tmp_path), json.loads(GIVEN.read_text(encoding="utf-8"))
    for examples in (made, written):
        del examples["list_questions"]["answers"]["200"]  # they grow while a server runs
        examples["give_feedback"]["bodies"] = set(examples["give_feedback"]["bodies"])  # with an id that was drawn
        examples["complete_chat"]["answers"]["200"]["answered"].pop("id")
    assert lasting(made) == lasting(written), "write them anew: python tools/api_examples.py"


def lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: lasting(part) for name, part in value.items() if name not in CHANGING}
    return [lasting(part) for part in value] if isinstance(value, list) else value
