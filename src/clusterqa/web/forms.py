"""
A chat page without Gradio: what its first response shows, and the plain forms that work before scripts do.

    GET  /lt/        Gradio's page with this view in front of it (head.py puts it there); this view alone without Gradio
    POST /lt/ask     answers a question: a whole page, or only the conversation for our script (`part`)
    POST /lt/reply-to  an e-mail address for the answer to a question that found nothing (`part`: only the form, for our script)
    POST /lt/export  the conversation as a Markdown file
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, FastAPI, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from clusterqa import deceptive
from clusterqa.records import Language
from clusterqa.settings import EMAIL
from clusterqa.web import render, talk
from clusterqa.web.api import public_address, service_of
from clusterqa.web.callers import caller_of
from clusterqa.web.service import Service

router = APIRouter()

_STATUS: dict[talk.State, int] = {
    "done": 200,
    "pending": 200,
    "warming": 200,
    "busy": 429,
    "starting": 503,
    "failed": 500,
}

LONGEST = 2000
"""Characters of a question that an address puts into the box."""

Text = Annotated[str, Form(max_length=20_000)]
Name = Annotated[str, Form(max_length=64)]


def mount(app: FastAPI, service: Service, language: Language) -> None:
    """The page of one language where Gradio is not installed; its script asks by `POST ask`, and so does its form."""

    @app.get(f"/{language}/", include_in_schema=False, name=f"chat-{language}")
    def page(q: Annotated[list[str] | None, Query()] = None) -> HTMLResponse:
        return _whole(language, first(service, language, question=q[-1][:LONGEST] if q else ""))


def _whole(language: Language, view: str, status: int = 200, headers: dict[str, str] | None = None) -> HTMLResponse:
    return HTMLResponse(render.page("answer.html", language, first=Markup(view)), status, headers)


def first(
    service: Service, language: Language, conversation: str = "", identifier: str = "", question: str = ""
) -> str:
    """The view itself, with the turns of a conversation and a question in the box."""
    return render.page(
        "first.html",
        language,
        conversation=Markup(conversation or render.conversation((), language, {})),
        identifier=identifier,
        question=question,
        footer=Markup(render.footer(language, service.settings.retention_days)),
    )


@router.post("/{language}/ask", include_in_schema=False)
def ask(
    language: Language,
    request: Request,
    question: Text = "",
    conversation: Name = "",
    ended: Name = "",
    token: Name = "",
    part: Name = "",
) -> HTMLResponse:
    """Answer a question, at once or not at all: a server that is starting says so."""
    service = service_of(request)
    asked = talk.Asked(question, conversation, ended, token)
    if not asked.identifier:
        asked = replace(asked, conversation=talk.fresh())
    *_, shown = talk.ask(service, language, asked, caller_of(request).client, patience=0)
    # not "no-store": Back must find the page again without sending the question a second time.
    status, headers = _STATUS[shown.state], {"Cache-Control": "private, no-cache"}
    if part:
        return HTMLResponse(shown.html, status, headers)
    view = first(service, language, shown.html, asked.identifier, "" if shown.state == "done" else question)
    return _whole(language, view, status, headers)


@router.post("/{language}/reply-to", include_in_schema=False)
def reply_to(
    language: Language,
    request: Request,
    question: Name = "",
    email: Annotated[str, Form(max_length=254)] = "",
    agreed: Name = "",
    part: Name = "",
) -> HTMLResponse:
    """Keep the address at which somebody waits for an answer, where the settings of the language say so."""
    service = service_of(request)
    service.limits.admit(caller_of(request))
    contact = service.settings.contact.get(language)
    if contact is None or not contact.replies:
        raise HTTPException(404, "E-mail addresses are not taken here.")
    status, fault, email = 200, "", email.strip()
    if not agreed or not re.fullmatch(EMAIL, email) or deceptive.findings(email):
        status, fault = 422, "reply_to_bad"
    elif service.journal is None:
        status, fault = 503, "reply_to_failed"
    elif not service.journal.answer_at(question, email):
        status, fault = 404, "reply_to_gone"
    form = render.reply_to(language, service.settings.retention_days, question, "" if fault else email, fault)
    if part:
        return HTMLResponse(form, status)
    return _whole(language, first(service, language, form), status)


@router.post("/{language}/export", include_in_schema=False)
def export(language: Language, request: Request, conversation: Name = "") -> Response:
    """The conversation as Markdown, to be kept."""
    turns = service_of(request).conversations.turns(conversation)
    now = datetime.now().astimezone()
    text = render.markdown(turns, language, now.date().isoformat(), public_address(request))
    name = f"{'pokalbis' if language == 'lt' else 'conversation'}-{now:%Y-%m-%d}.md"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/markdown; charset=utf-8", headers=headers)
