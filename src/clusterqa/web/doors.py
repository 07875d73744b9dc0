"""
The doors of Gradio that our pages use; the others are shut.

Gradio brings some sixty addresses: uploads, files, calls by name, a log-in, figures. The chat needs its page, what the page is
built of, and four addresses to ask at; everything else below /lt and /en is 404. What comes through a door is looked at
first and counted, so that nothing reaches Gradio that it answers with a traceback.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator
from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clusterqa.addresses import neighbourhood
from clusterqa.records import LANGUAGES
from clusterqa.settings import Settings
from clusterqa.web import pages
from clusterqa.web.callers import Caller
from clusterqa.web.head import NOWHERE
from clusterqa.web.limits import Limits, TooMany
from clusterqa.web.problems import NOTHING_HERE, problem
from clusterqa.web.windows import SECONDS

_READ = re.compile(r"/(theme\.css|(assets|static)/[A-Za-z0-9._/-]+|gradio_api/app_id)?")
_LISTEN = "gradio_api/queue/data"
_ACT = {"gradio_api/queue/join": True, "gradio_api/run/predict": False}
"""Where the page sends events, and whether those of a queue."""
_OURS = frozenset({"ask", "export", "reply-to"})
"""Forms of ours beside Gradio's page (`forms.py`), under limits of their own."""
EVENTS = 4
"""Events of a page that count as one question, which is counted itself where it is answered: loading, beginning anew."""
WAITING = 100
"""Events of one client that may wait in the queue of a page: half of what it holds, so that nobody can fill it alone."""
_HIDDEN = (
    b"host",
    b"forwarded",
    b"origin",
    b"x-direct-url",
    b"x-gradio-",
    b"x-forwarded-",
    b"x-ip-token",
    b"content-length",
)
"""Headers that Gradio would build addresses from or believe in other ways, and the length of what is said anew."""

Session = Annotated[str, Field(pattern=r"^[a-z0-9]{1,64}$")]


class Event(BaseModel):
    """What our page sends of an event; every other field that Gradio knows is left out on the way."""

    model_config = ConfigDict(extra="ignore", strict=True)

    fn_index: int = Field(ge=0)
    data: list[str | bool | int | float | None] = Field(max_length=10)
    session_hash: Session
    trigger_id: int | None = None

    @model_validator(mode="after")
    def _of_our_page(self, info: ValidationInfo) -> Event:
        """The function is one of the page, sent to where its events are taken, with as many values as it has inputs."""
        known, queued = info.context["known"], info.context["queued"]  # type: ignore[index]
        function = known.get(self.fn_index)
        if function is None or (function.queue is not False) != queued or len(self.data) != len(function.inputs):
            raise ValueError("unknown event")
        return self


class Doors:
    """ASGI middleware around the mounted pages."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        wider = {name: getattr(settings, name) * EVENTS for name in ("rate_limit", "rate_limit_overall")}
        self._limits = Limits(settings.model_copy(update=wider))
        self._pages: dict[str, Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        page, _, rest = path[1:].partition("/")
        if page not in LANGUAGES or (scope["method"] == "POST" and rest in _OURS):
            await self._app(scope, receive, send)
            return
        request, reading = Request(scope), scope["method"] in ("GET", "HEAD")
        lost = reading and not rest.startswith("gradio_api/") and pages.for_a_person(request)
        answer: ASGIApp = pages.nowhere(request) if lost else problem(404, NOTHING_HERE)
        told = [(b"host", NOWHERE.encode())]
        if reading and path == f"/{page}":
            asked = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            answer = RedirectResponse(f"{scope.get('root_path', '')}/{page}/{asked}", 308)
        elif reading and _READ.fullmatch(f"/{rest}"):
            answer = self._app
            scope = {**scope, "query_string": b""}
        elif reading and rest == _LISTEN:
            session = QueryParams(scope["query_string"]).get("session_hash", "")
            if session in self._blocks(scope, page)._queue.pending_messages_per_session:
                answer = self._app
        elif scope["method"] == "POST" and rest in _ACT:
            try:
                sent = await self._sent(scope, receive, page, _ACT[rest])
            except TooMany as error:
                answer = problem(429, str(error), {"Retry-After": str(error.seconds)})
            except (ValidationError, ClientDisconnect):
                answer = problem(422, "This is not what our page sends. Programs ask at /api/v1/ask.")
            else:
                answer, receive = self._app, _again(sent, receive)
                told.append((b"content-length", str(len(sent)).encode()))
        headers = [(name, value) for name, value in scope["headers"] if not name.startswith(_HIDDEN)]
        await answer({**scope, "headers": [*told, *headers]}, receive, send)

    async def _sent(self, scope: Scope, receive: Receive, page: str, queued: bool) -> bytes:
        """An event as our page sends it, with nothing else in it; raises TooMany and ValidationError."""
        client = scope["client"][0] if scope.get("client") else ""
        self._limits.admit(Caller(client))
        blocks = self._blocks(scope, page)
        if queued and _waiting(blocks, client) >= WAITING:
            raise TooMany("Very many of your questions are still waiting. Ask again when they are answered.", SECONDS)
        event = Event.model_validate_json(
            await Request(scope, receive).body(), context={"known": blocks.fns, "queued": queued}
        )
        return event.model_dump_json().encode()

    def _blocks(self, scope: Scope, page: str) -> Any:
        """What Gradio knows of a page."""
        if page not in self._pages:
            mounts = (route for route in scope["app"].routes if isinstance(route, Mount))
            self._pages[page] = next(route.app for route in mounts if route.path == f"/{page}").get_blocks()  # type: ignore[attr-defined]
        return self._pages[page]


def _waiting(blocks: Any, client: str) -> int:
    """How many events of a client wait in the queue of a page."""
    own, lines = neighbourhood(client), blocks._queue.event_queue_per_concurrency_id.values()
    waiting = [event.request.client for line in lines for event in line.queue]
    return sum(neighbourhood(one.host) == own for one in waiting if one is not None)


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives this body first."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
