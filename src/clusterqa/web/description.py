"""The OpenAPI description as its readers need it: errors as we send them, keys, and examples that a server really gave."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from clusterqa.web.problems import is_for_openai
from clusterqa.web.shapes import Problem, Refusal

GIVEN = Path(__file__).parent / "examples.json"
"""Operation → "parameters", "bodies" by name, and "answers" by status and name. Written by tools/api_examples.py."""


def install(app: FastAPI) -> None:
    """Give the app this description in place of FastAPI's."""
    describe = app.openapi
    app.openapi = cache(lambda: described(describe()))  # type: ignore[method-assign]


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """
    FastAPI's description with our errors in place of FastAPI's own shape, which we never send, and with examples.

    It also says that a key may be sent, and need not be.
    """
    schema["security"] = [{}, {"key": []}]
    parts = schema.setdefault("components", {})
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key of the staff desk."}
    }
    known = parts.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        known.pop(name, None)
    known["Problem"] = Problem.model_json_schema()
    known["Refusal"] = Refusal.model_json_schema()
    given = json.loads(GIVEN.read_text(encoding="utf-8"))
    for path, methods in schema["paths"].items():
        kind, name = ("json", "Refusal") if is_for_openai(path) else ("problem+json", "Problem")
        content = {f"application/{kind}": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
        for operation in methods.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"description": "An error that says what to do", "content": content}
            if operation["operationId"] in given:  # not yet while the examples of a new one are made
                _exemplify(operation, given[operation["operationId"]])
    return schema


def _exemplify(operation: dict[str, Any], given: dict[str, Any]) -> None:
    """Examples of an operation's parameters, body and answers; a status that is an error gets the type of all errors."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in given["parameters"]:
            parameter["example"] = given["parameters"][parameter["name"]]
    if given["bodies"]:
        operation["requestBody"]["content"]["application/json"]["examples"] = _named(given["bodies"])
    responses = operation["responses"]
    for status, answers in sorted(given["answers"].items()):
        if status not in responses:
            [(kind, typed)] = responses["default"]["content"].items()
            responses[status] = {"description": HTTPStatus(int(status)).phrase, "content": {kind: dict(typed)}}
        [content] = responses[status]["content"].values()
        content["examples"] = _named(answers)


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {name: {"summary": name.replace("_", " ").capitalize(), "value": value} for name, value in values.items()}
