"""
Errors of the HTTP API as application/problem+json (RFC 9457), each with a text that says what to do.

Below /v1 they have the shape that OpenAI's clients know.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from clusterqa import jsontext
from clusterqa.errors import ClusterQAError
from clusterqa.web import pages
from clusterqa.web.limits import TooMany, TooManyAtOnce
from clusterqa.web.service import NotReady

log = logging.getLogger(__name__)

_OPENAI_TYPES = {429: "requests", 401: "authentication_error"}
_OPENAI_CODES = {429: "rate_limit_exceeded", 401: "invalid_api_key"}

_NOT_PARSED = "There was an error parsing the body"
"""What FastAPI says of a body that is no UTF-8, or nested too deeply."""

NOTHING_HERE = "There is nothing at this address. What there is stands at /api/docs."


def problem(status: int, detail: str, headers: dict[str, str] | None = None, param: str | None = None) -> Response:
    """A problem+json response; `detail` is for the person who reads it, `param` the part of the request that is wrong."""
    return _Problem(status, detail, headers, param)


class _Problem(JSONResponse):
    """Sends itself in the shape that whoever asked knows."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None, param: str | None) -> None:
        body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
        super().__init__(body, status, headers=headers, media_type="application/problem+json")
        kind = _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
        code = "model_not_found" if (status, param) == (404, "model") else _OPENAI_CODES.get(status)
        error = {"message": detail, "type": kind, "param": param, "code": code}
        self._for_openai = JSONResponse({"error": error}, 400 if status == 422 else status, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if is_for_openai(scope["path"].removeprefix(scope.get("root_path", ""))):
            await self._for_openai(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def is_for_openai(path: str) -> bool:
    """Whether the programs that ask at a path know OpenAI's API."""
    return path.startswith("/v1/")


def install(app: FastAPI) -> None:
    """Make every error of the app a problem+json."""

    @app.exception_handler(HTTPException)
    async def http_error(request: Request, error: HTTPException) -> Response:
        detail = error.detail
        if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase and pages.for_a_person(request):
            return pages.nowhere(request)
        if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
            detail = NOTHING_HERE
        elif error.status_code == 405 and (allowed := (error.headers or {}).get("Allow")):
            detail = f"This address takes {allowed}, not {request.method}."
        elif detail == _NOT_PARSED:
            detail = "The body cannot be read. Send JSON in UTF-8, not nested without end."
        return problem(error.status_code, detail, dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def wrong_request(_: Request, error: RequestValidationError) -> Response:
        mistakes = [mistake(item, error.body) for item in error.errors()]
        detail = "; ".join(f"{place or 'body'}: {what}" for place, what in mistakes)
        return problem(422, f"{detail}. The shape of a request stands at /api/docs.", param=mistakes[0][0] or None)

    @app.exception_handler(TooMany)
    async def too_many(_: Request, error: TooMany) -> Response:
        app.state.service.metrics.refused.inc()
        return problem(429, str(error), {"Retry-After": str(error.seconds)})

    @app.exception_handler(TooManyAtOnce)
    async def too_many_at_once(_: Request, error: TooManyAtOnce) -> Response:
        return problem(422, str(error))

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


def mistake(item: Mapping[str, Any], body: Any = None) -> tuple[str, str]:
    """Where one error of pydantic's is ("" for the whole), and what is wrong there, for whoever sent it."""
    if item["type"] == "json_invalid":
        return "", jsontext.told(json.JSONDecodeError(item["ctx"]["error"], body, item["loc"][-1]))
    place = ".".join(str(part) for part in item["loc"] if part != "body")
    if item["type"] == "extra_forbidden":
        return place, "there is no such field here, leave it out"
    if isinstance(item["input"], bytes):
        return place, "this was not sent as JSON. Give the header Content-Type: application/json"
    return place, item["msg"].removeprefix("Value error, ")
