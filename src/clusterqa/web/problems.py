"""Errors of the HTTP API as application/problem+json (RFC 9457), each with a text that says what to do."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from clusterqa.errors import ClusterQAError
from clusterqa.web import pages
from clusterqa.web.limits import TooMany
from clusterqa.web.service import NotReady
from clusterqa.web.shapes import Problem

log = logging.getLogger(__name__)

NOTHING_HERE = "There is nothing at this address. What there is stands at /api/docs."


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> Response:
    """A problem+json response; `detail` is for the person who reads it."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def described(schema: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI description in which every error is a problem, in place of FastAPI's own shape, which we never send."""
    known = schema.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        known.pop(name, None)
    known["Problem"] = Problem.model_json_schema()
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for methods in schema["paths"].values():
        for operation in methods.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"description": "An error that says what to do", "content": content}
    return schema


def install(app: FastAPI) -> None:
    """Make every error of the app a problem+json, and say so in its description."""
    describe = app.openapi
    app.openapi = lambda: described(describe())  # type: ignore[method-assign]

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        detail = error.detail
        if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase and pages.for_a_person(request):
            return pages.nowhere(request)
        if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
            detail = NOTHING_HERE
        return problem(error.status_code, detail, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def wrong_request(_: Request, error: RequestValidationError) -> Response:
        lines = [
            f"{'.'.join(str(part) for part in item['loc'] if part != 'body') or 'body'}: {item['msg']}"
            for item in error.errors()
        ]
        return problem(422, "; ".join(lines) + ". The shape of a request stands at /api/docs.")

    @app.exception_handler(TooMany)
    async def too_many(_: Request, error: TooMany) -> Response:
        app.state.service.metrics.refused.inc()
        return problem(429, str(error), {"Retry-After": "60"})

    @app.exception_handler(NotReady)
    async def not_ready(_: Request, error: NotReady) -> Response:
        return problem(503, str(error), {"Retry-After": "5"})

    @app.exception_handler(ClusterQAError)
    async def ours(_: Request, error: ClusterQAError) -> Response:
        log.error("%s", error)
        return problem(503, "The documents cannot be read right now. The server's log says why.", {"Retry-After": "30"})

    @app.exception_handler(Exception)
    async def bug(_: Request, error: Exception) -> Response:
        return problem(500, "The server made a mistake, and its log says which. Try again, or ask something else.")
