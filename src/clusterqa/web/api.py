"""The HTTP API: the shapes of the command line, over HTTP. Also the probes and the figures for whoever runs the server."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict, Field

from clusterqa.errors import CorpusError
from clusterqa.journal import Reason
from clusterqa.ports import Store
from clusterqa.records import Language, Question, Source, Stored
from clusterqa.shapes import hits_as_json, reply_as_json
from clusterqa.store import reading
from clusterqa.store.translations import sources
from clusterqa.web import render, shapes, watching
from clusterqa.web.callers import caller_of, from_allowed_site, is_door
from clusterqa.web.conversations import timing
from clusterqa.web.lane import in_lane
from clusterqa.web.service import NotReady, Service


def only_known(request: Request) -> None:
    """Refuse parameters that a door for programs does not have: a misspelt one must not be taken for none."""
    if not is_door(request.scope):
        return
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    if unknown := sorted(set(request.query_params) - set(known)):
        has = f"It has {', '.join(known)}." if known else "It has none."
        raise HTTPException(422, f"There is no parameter {', '.join(unknown)} here. {has}")


router = APIRouter(dependencies=[Depends(only_known)])

Text = Annotated[str, Field(max_length=20_000)]


class Asked(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid")

    question: Text = Field(
        description="The question, in Lithuanian or English; up to 2,000 characters are answered.",
        examples=["Kiek laiko galioja bronzos ženklas?", "How long is the Bronze Label valid?"],
    )
    history: list[Text] = Field(
        default=[], max_length=100, description="The earlier questions of the conversation, oldest first."
    )
    language: Language | None = Field(
        default=None, description='"lt" or "en": the language to answer in where the question itself does not tell.'
    )
    id: str | None = Field(default=None, max_length=200, description="Comes back with the answer.")

    def as_question(self) -> Question:
        return Question(self.question, tuple(self.history), self.language, self.id)


class AskedBatch(BaseModel):
    """Several questions."""

    model_config = ConfigDict(extra="forbid")

    questions: list[Asked] = Field(min_length=1, max_length=50, description="They are answered in this order.")


class Given(BaseModel):
    """What a reader thinks of a reply."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(max_length=64, description="The X-Journal-Id of the reply.")
    helpful: bool = Field(description="Whether the reply helped.")
    reason: Reason | None = Field(
        default=None, description='"wrong_place", "out_of_date" or "not_understood", when it did not help.'
    )


def public_address(request: Request) -> str:
    """Where this server is reached, with a slash at the end: as the settings say, else as it was asked."""
    told = service_of(request).settings.public_address
    return f"{told.rstrip('/')}/" if told else str(request.base_url)


def service_of(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


@router.post(
    "/api/v1/ask",
    summary="Ask a question",
    operation_id="ask",
    tags=["questions"],
    response_model=None,
    responses={200: {"model": shapes.Answer}},
)
def ask(asked: Asked, request: Request, response: Response) -> dict[str, Any]:
    """
    Answer one question by quoting, or say that the documents do not.

    The header X-Journal-Id names it for feedback; Server-Timing says how long each stage took.
    """
    service = service_of(request)
    service.limits.admit(caller_of(request))
    answered = service.ask(asked.as_question(), "api")
    response.headers.update(answered.headers)
    return reply_as_json(answered.reply)


@router.post(
    "/api/v1/ask:batch",
    summary="Ask several questions",
    operation_id="ask_batch",
    tags=["questions"],
    response_model=None,
    responses={200: {"model": shapes.Answers}},
)
def ask_batch(asked: AskedBatch, request: Request, response: Response) -> dict[str, Any]:
    """
    Answer each question as `ask` does, in their order. Each counts for the limits; past them none is answered.

    The header Server-Timing says how long each stage took for all of them together.
    """
    service = service_of(request)
    service.limits.admit(caller_of(request), len(asked.questions))
    answered = [service.ask(one.as_question(), "api") for one in asked.questions]
    taken: Counter[str] = Counter()
    for each in answered:
        taken.update(each.milliseconds)
    response.headers["Server-Timing"] = timing(taken)
    return {
        "answers": [{"answer": reply_as_json(one.reply), "journal_id": one.journal_id} for one in answered],
    }


@router.post(
    "/api/v1/feedback",
    summary="Say whether a reply helped",
    operation_id="give_feedback",
    tags=["questions"],
    status_code=204,
)
def feedback(given: Given, request: Request) -> None:
    """Keep in the journal whether a reply helped; a later word replaces an earlier one."""
    service = service_of(request)
    service.limits.admit(caller_of(request))
    ours = request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
    if not ours and not from_allowed_site(request):
        raise HTTPException(403, "Feedback is taken from our own pages, and those of allowed sites, only.")
    if service.journal is None:
        raise HTTPException(503, "The journal cannot be written right now. Try again later.")
    if not service.journal.give_feedback(given.id, given.helpful, given.reason):
        raise HTTPException(404, "There is no reply of this id. It may be older than the retention time.")
    service.metrics.feedback.labels("yes" if given.helpful else "no").inc()


@router.get(
    "/api/v1/search",
    summary="Find passages",
    operation_id="search",
    tags=["documents"],
    response_model=None,
    responses={200: {"model": list[shapes.Hit]}},
)
def search(
    request: Request,
    q: Annotated[str, Query(min_length=1, max_length=2000, description="What to look for.")],
    k: Annotated[int, Query(ge=1, le=100, description="How many passages at most.")] = 10,
    language: Annotated[
        Language | None, Query(description='"lt" or "en", where the words themselves do not tell.')
    ] = None,
) -> list[dict[str, Any]]:
    """Passages, best first, with the scores of both channels; an empty list when there is nothing to search for."""
    service = service_of(request)
    service.limits.admit(caller_of(request))
    return hits_as_json(service.search(Question(q, language=language), k))


@router.get(
    "/api/v1/questions",
    operation_id="list_questions",
    tags=["questions"],
    summary="List questions that are answered",
    response_model=None,
    responses={200: {"model": list[str]}},
)
def questions(
    request: Request,
    response: Response,
    language: Annotated[Language, Query(description='"lt" or "en": the language of the questions.')],
) -> list[str]:
    """Questions that the documents are known to answer, to be offered to whoever types; the list grows after a start."""
    response.headers["Cache-Control"] = "public, max-age=60"
    return list(dict.fromkeys(one.text for one in service_of(request).suggestions.offered(language)))


@router.get(
    "/api/v1/documents",
    summary="List the documents",
    operation_id="list_documents",
    tags=["documents"],
    response_model=None,
    responses={200: {"model": list[shapes.Facts]}},
)
@in_lane
def documents(
    request: Request,
    limit: Annotated[int | None, Query(ge=1, le=1000, description="How many at most; all without it.")] = None,
    cursor: Annotated[
        str,
        Query(max_length=2000, description='Where to go on: the header Link of the answer before, rel="next", has it.'),
    ] = "",
) -> Response:
    """
    The documents that questions are answered from, in the order of their ids.

    With `limit`, the header Link leads to the rest while there is one. A document that comes or goes meanwhile moves no other.
    """
    with service_of(request).store() as store, store.reading():
        live = store.documents()
    known = sources(live)
    rest = [stored for stored in live if stored.id > cursor]
    shown = rest[:limit]
    answer = JSONResponse([facts(stored, known) for stored in shown])
    if len(shown) < len(rest):
        query = urlencode({"limit": limit, "cursor": shown[-1].id})
        answer.headers["Link"] = f'<{request.scope.get("root_path", "")}/api/v1/documents?{query}>; rel="next"'
    return answer


@router.get(
    "/api/v1/documents/{document:path}",
    summary="Read a document",
    operation_id="read_document",
    tags=["documents"],
    response_model=None,
    responses={200: {"model": shapes.Read}},
)
@in_lane
def document(
    document: str,
    request: Request,
    version: Annotated[
        str | None, Query(max_length=64, description="sha256 of an earlier version; its beginning is enough.")
    ] = None,
) -> Response:
    """What is known about a document, its versions (oldest first) and the text that offsets count in."""
    with service_of(request).store() as store, store.reading():
        stored, wanted, text = find(store, document, version)
        told = {
            **facts(stored, service_of(request).sources(store)),
            "version": wanted,
            "state": stored.state,
            "versions": store.versions(document),
            "tags": stored.tags,
            "sources": stored.sources,
            "text": text,
        }
    return JSONResponse(told)


@router.get("/healthz", include_in_schema=False)
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@router.get("/readyz", include_in_schema=False)
def readyz(request: Request) -> dict[str, Any]:
    """Questions are answered, and whether they are kept; 503 while the encoder or the index is not there."""
    service = service_of(request)
    told = watching.may(request.scope, service.settings)
    try:
        assistant = service.check()
    except NotReady:
        if told:
            raise
        raise NotReady("Questions are not answered at the moment. Try again in a few seconds.") from None
    if not told:
        return {"status": "ready"}
    journal = "on" if service.journalling else "off"
    return {"status": "ready", "generation": assistant.generation, "journal": journal}


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """Figures in Prometheus' format."""
    return Response(generate_latest(service_of(request).metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/api/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """What the API offers, for people; made from the same OpenAPI description that programs read."""
    pretty = partial(json.dumps, ensure_ascii=False, indent=2)
    return HTMLResponse(render.page("api.html", "en", schema=request.app.openapi(), pretty=pretty))


def find(store: Store, document: str, version: str | None) -> tuple[Stored, str, str]:
    """A document, the sha256 of the wanted version (the current one without a wish) and its text; HTTPException 404."""
    try:
        return reading.find(store, document, version)
    except CorpusError as error:
        raise HTTPException(404, str(error)) from error


def facts(stored: Stored, known: dict[str, Source]) -> dict[str, Any]:
    """What is known about a document, in the shape `Facts`; `known` are the live documents as sources."""
    return {
        "document": stored.id,
        "version": stored.version,
        "title": stored.title,
        "language": stored.language,
        "url": stored.url,
        "date": stored.date,
        "publisher": stored.publisher,
        "media_type": stored.media_type,
        "translation": known[stored.id].translation if stored.id in known else None,
        "valid_until": stored.valid_until,
    }
