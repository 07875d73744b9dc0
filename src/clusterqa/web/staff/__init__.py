"""
The pages of the staff desk, at /staff.

    install(app, service)    called once, when the app is put together
"""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from clusterqa.errors import ClusterQAError, IndexNotFound
from clusterqa.records import LANGUAGES, Language
from clusterqa.staff.database import DeskUnusable
from clusterqa.web.guard import UPLOADS
from clusterqa.web.problems import problem
from clusterqa.web.service import NotReady, Service
from clusterqa.web.staff import (
    documents,
    judging,
    keys,
    login,
    oidc,
    overview,
    people,
    questions,
    trial,
    words,
    words_documents,
    words_keys,
    words_questions,
)
from clusterqa.web.staff.desk import Desk, LogInFirst, Refused, Section, desk_of, language_of, page, root, service

log = logging.getLogger(__name__)

ROUTERS = (
    login.router,
    oidc.router,
    people.router,
    keys.router,
    documents.router,
    questions.router,
    trial.router,
    judging.router,
    overview.router,
)
"""The parts of the desk. The first route that fits an address answers it."""
DEEDS = (words.DEEDS, words_documents.DEEDS, words_questions.DEEDS, words_keys.DEEDS)
"""What each part calls its keys of the audit log."""
SECTIONS = (
    Section("/staff", "overview"),
    Section("/staff/documents", "documents"),
    Section("/staff/questions", "questions"),
    Section("/staff/trial", "trial"),
    Section("/staff/judging", "judging"),
    Section("/staff/people", "people", "administrator"),
    Section("/staff/keys", "keys", "administrator"),
    Section("/staff/log", "log"),
)


_FIRST = {"change_first": "/staff/password", "factor_first": "/staff/factor"}
"""Where somebody is led who must do something else first."""


def install(app: FastAPI, service: Service) -> Desk:
    """Put the desk's pages into the app. Its errors are pages; those of the rest of the app stay what they are."""
    for router in ROUTERS:
        app.include_router(router, include_in_schema=False)
    deeds: dict[Language, dict[str, str]] = {
        language: {key: told for part in DEEDS for key, told in part[language].items()} for language in LANGUAGES
    }
    desk = app.state.desk = Desk(service, SECTIONS, deeds)
    for kind in (HTTPException, RequestValidationError, NotReady, ClusterQAError, Exception):
        app.add_exception_handler(kind, _told_as_page(app.exception_handlers[kind]))
    return desk


def _told_as_page(otherwise: Any) -> Any:
    """A handler that shows an error as a page of the desk below /staff, and leaves other addresses to `otherwise`."""

    async def handle(request: Request, error: Exception) -> Response:
        path = request.scope["path"].removeprefix(root(request))
        if path != "/staff" and not path.startswith("/staff/"):
            answer: Response = await otherwise(request, error)
            return answer
        return _page_for(request, error, path)

    return handle


def _page_for(request: Request, error: Exception, path: str) -> Response:
    status, title, text = _told(error)
    reading = request.method in ("GET", "HEAD")
    if isinstance(error, LogInFirst) and reading and _wants_page(request):
        query = f"?{request.url.query}" if request.url.query else ""
        return login.to_login(request, path + query)
    if isinstance(error, Refused) and error.key in _FIRST and reading:
        return RedirectResponse(root(request) + _FIRST[error.key], 303)
    if not _wants_page(request):
        told = str(error) if isinstance(error, ClusterQAError) else words.WORDS["en"][text]
        return problem(status, str(error.detail) if isinstance(error, HTTPException) and status == 413 else told)
    language = language_of(request)
    told = words.WORDS[language][text]
    if status == 413 and path == UPLOADS:
        limit = service(request).settings.max_upload_mb
        told = words_documents.WORDS[language]["too_large_together"].format(limit)
    return page(
        request, None, "message.html", status=status, title=title, text=told,
        to=documents.HOME if path == UPLOADS else "/staff",
        login=isinstance(error, LogInFirst), here="/staff" if not reading else None,
    )  # fmt: skip


def _told(error: Exception) -> tuple[int, str, str]:
    """Status, and the keys of heading and text."""
    if isinstance(error, LogInFirst):
        return 401, "session_ended", "session_ended_text"
    if isinstance(error, Refused):
        return error.status, "sorry", error.key
    if isinstance(error, NotReady | IndexNotFound):
        return 503, "not_ready", "not_ready_text"
    if isinstance(error, RequestValidationError):
        return 422, "wrong_form", "wrong_form_text"
    if isinstance(error, HTTPException):
        if error.status_code == 413:
            return 413, "too_large", "too_large_text"
        if error.status_code in (404, 405):
            return error.status_code, "not_there", "not_there_text"
        return error.status_code, "wrong_form", "wrong_form_text"
    log.error("%s", error, exc_info=None if isinstance(error, ClusterQAError) else error)
    if isinstance(error, DeskUnusable):
        return 503, "unusable", "unusable_text"
    return (503 if isinstance(error, ClusterQAError) else 500), "fault", "fault_text"


def _wants_page(request: Request) -> bool:
    """Whether a person reads the answer; our scripts and other programs ask for JSON or send the token as a header."""
    if "x-csrf-token" in request.headers:
        return False
    accepted = request.headers.get("accept", "")
    return "text/html" in accepted or "application/json" not in accepted


__all__ = ["desk_of", "install"]
