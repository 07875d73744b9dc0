"""
The documents for language models: a server of the Model Context Protocol, over standard input and output, or at /mcp.

    serve(settings)              `clusterqa mcp`: until the standard input ends
    Door(service)                the same in the web app, an ASGI app with a life of its own

A model gets quotes, with document, version and offsets, and is told to keep to them; it is this server that quotes, never the
model. The SDK is not needed by anything else (`pip install 'clusterqa[mcp]'`).
"""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, Protocol
from urllib.parse import quote as percent_encoded

import anyio.to_thread
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError, ToolError
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolResult,
    GetPromptResult,
    InputRequiredResult,
    Resource,
    TextContent,
    ToolAnnotations,
)
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from clusterqa import __version__, python
from clusterqa.errors import ClusterQAError, CorpusError
from clusterqa.ports import Store
from clusterqa.records import Hit, Language, Question, Reply
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.shapes import hits_as_json, reply_as_json
from clusterqa.store import open_store, reading
from clusterqa.store.translations import sources
from clusterqa.web import shapes
from clusterqa.web.api import facts
from clusterqa.web.callers import Caller, caller_of
from clusterqa.web.forwarded import PASSED_ON
from clusterqa.web.problems import mistake
from clusterqa.web.service import NotReady, Service

log = logging.getLogger(__name__)

CHARACTERS = 20_000
"""Of a document, at most, in one result."""
DOCUMENTS = 100
"""In one result, at most."""

INSTRUCTIONS = (
    "Answers questions in Lithuanian and English from a collection of documents, by quoting them. Every result carries the "
    "document, its version and offsets in Unicode code points (the end is exclusive). Quote verbatim: copy the text of a result "
    "character by character, in the language it is written in, and name the document beside it. When the status is not_found, "
    "the documents do not answer; say so."
)

ENGLISH = """Answer this question from the documents: {question}

Call the tool "ask" first, and "search" and "read_document" where its quotes do not say enough. Say only what the documents say. \
Copy every quote character by character from the field "text" of a result: change no letter, number, mark or space, leave \
nothing out in the middle, and translate nothing that stands in quotation marks. After each quote name the document, its \
version and the offsets (start–end). If the status is "not_found", say that the documents do not answer, and name the nearest \
places. Add nothing from your own knowledge."""

LITHUANIAN = """Atsakykite į klausimą remdamiesi dokumentais: {question}

Pirmiausia iškvieskite įrankį „ask“, o jei jo citatų nepakanka, – „search“ ir „read_document“. Sakykite tik tai, kas parašyta \
dokumentuose. Kiekvieną citatą perrašykite pažodžiui iš rezultato lauko „text“: nekeiskite nė vienos raidės, skaičiaus, ženklo \
ar tarpo, nieko nepraleiskite viduryje ir neverskite to, kas parašyta kabutėse. Po kiekvienos citatos nurodykite dokumentą, jo \
versiją ir citatos vietą (pradžią–pabaigą). Jei būsena yra „not_found“, pasakykite, kad dokumentuose atsakymo nėra, ir \
nurodykite artimiausias vietas. Nieko nepridėkite iš savo žinių."""


class Found(BaseModel):
    """Passages, best first."""

    hits: list[shapes.Hit]


class Stretch(BaseModel):
    """A part of a document: `text` is exactly the document's text from `start` to `end`."""

    document: str
    version: str = Field(description="sha256 of the document's text.")
    title: str
    language: Language
    url: str | None
    start: int = shapes.Start
    end: int = shapes.End
    length: int = Field(description="Of the whole text, in code points.")
    next: int | None = Field(description="Where to read on; null at the end.")
    text: str


class Listed(BaseModel):
    """Documents in the order of their ids."""

    documents: list[shapes.Facts]
    next: str | None = Field(description='What to give as "after" for the rest; null at the end.')


class Answers(Protocol):
    """What the server asks: a knowledge base of its own, or the web app's. Thread-safe; raises ClusterQAError."""

    def ask(self, question: Question) -> Reply: ...

    def search(self, question: Question, k: int) -> Sequence[Hit]: ...

    def store(self) -> Store: ...


def server(answers: Answers, say: Callable[[ClusterQAError], str]) -> MCPServer[Any]:
    """The tools, resources and prompts over `answers`; `say` makes of an error what the model is told."""
    made = _Server(answers)

    @contextmanager
    def told() -> Iterator[None]:
        try:
            yield
        except ClusterQAError as error:
            raise ToolError(say(error)) from error

    read_only = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)

    @made.tool(title="Ask the documents", annotations=read_only)
    def ask(
        question: Annotated[str, Field(min_length=1, max_length=2000, description="In Lithuanian or English.")],
        history: Annotated[
            list[str], Field(max_length=100, description="Earlier questions of the conversation, oldest first.")
        ] = [],  # noqa: B006  only read
        language: Annotated[
            Language | None, Field(description="To answer in, where the question itself does not tell.")
        ] = None,
    ) -> Annotated[CallToolResult, shapes.Answer]:
        """Answer a question with at most three verbatim quotes, or say that the documents do not. Quote them unchanged."""
        with told():
            reply = answers.ask(Question(question, tuple(history), language))
        quotes = reply.quotes or reply.nearest
        parts = [reply.message, *(_place(q.source.title, q.source.document, q.source.version, q) for q in quotes)]
        return _result("\n\n".join(parts), reply_as_json(reply))

    @made.tool(title="Search the documents", annotations=read_only)
    def search(
        query: Annotated[str, Field(min_length=1, max_length=2000, description="Words, or a question.")],
        k: Annotated[int, Field(ge=1, le=50, description="How many passages at most.")] = 10,
        language: Annotated[
            Language | None, Field(description="Of the query, where the words themselves do not tell.")
        ] = None,
    ) -> Annotated[CallToolResult, Found]:
        """Find passages, best first, in both languages, each with its place in its document."""
        with told():
            hits = answers.search(Question(query, language=language), k)
        parts = [_place(h.source.title, h.source.document, h.source.version, h.passage) for h in hits]
        return _result("\n\n".join(parts) or "Nothing was found.", {"hits": hits_as_json(hits)})

    @made.tool(title="Read a document", annotations=read_only)
    def read_document(
        document: Annotated[str, Field(min_length=1, max_length=1000, description="Its id, as results have it.")],
        version: Annotated[
            str | None, Field(max_length=64, description="sha256 of a version; without it the newest.")
        ] = None,
        start: Annotated[int, Field(ge=0, description="First offset, in code points.")] = 0,
        end: Annotated[
            int | None, Field(ge=0, description=f"Offset behind the last; at most {CHARACTERS:,} are read at a time.")
        ] = None,
    ) -> Annotated[CallToolResult, Stretch]:
        """Read a part of a document by offsets; they hold for one version, so give the version that came with them."""
        with told(), answers.store() as store, store.reading():
            stored, wanted, text = reading.find(store, document, version)
        if start > len(text) or (end is not None and end < start):
            raise ToolError(f"{document} has {len(text)} characters: give 0 ≤ start ≤ end ≤ {len(text)}.")
        stop = min(len(text) if end is None else end, start + CHARACTERS, len(text))
        stretch = {
            "document": stored.id,
            "version": wanted,
            "title": stored.title,
            "language": stored.language,
            "url": stored.url,
            "start": start,
            "end": stop,
            "length": len(text),
            "next": stop if stop < len(text) else None,
            "text": text[start:stop],
        }
        return _result(text[start:stop], stretch)

    @made.tool(title="List the documents", annotations=read_only)
    def list_documents(
        language: Annotated[Language | None, Field(description="Only those in this language.")] = None,
        after: Annotated[str, Field(max_length=1000, description='The "next" of the result before.')] = "",
    ) -> Annotated[CallToolResult, Listed]:
        """List what there is to be quoted: title, language, date and version of each document."""
        with told(), answers.store() as store, store.reading():
            live = store.documents()
        known = sources(live)
        rest = [facts(s, known) for s in live if s.id > after and language in (None, s.language)]
        listed = {"documents": rest[:DOCUMENTS], "next": rest[DOCUMENTS - 1]["document"] if rest[DOCUMENTS:] else None}
        lines = [f"{row['document']} [{row['language']}] {row['title']}" for row in rest[:DOCUMENTS]]
        return _result("\n".join(lines) or "There are no documents.", listed)

    @made.resource(
        "clusterqa://documents/{+document}{?version}",
        name="document",
        title="A document",
        description="The text that offsets count in. With a version (sha256) it never changes; without, it is the newest.",
        mime_type="text/plain",
    )
    def document_text(document: str, version: str = "") -> str:
        try:
            with answers.store() as store, store.reading():
                return reading.find(store, document, version)[2]
        except CorpusError as error:
            raise ResourceNotFoundError(str(error)) from error
        except ClusterQAError as error:
            raise ResourceError(say(error)) from error

    @made.prompt(title="Answer by quoting verbatim")
    def quote_verbatim(question: str) -> str:
        """Answer a question with quotes that are copied character by character, each with its place."""
        return ENGLISH.format(question=question)

    @made.prompt(title="Atsakyti cituojant pažodžiui")
    def cituoti_pazodziui(question: str) -> str:
        """Atsakyti į klausimą pažodinėmis citatomis, prie kiekvienos nurodant jos vietą."""
        return LITHUANIAN.format(question=question)

    return made


class _Server(MCPServer[Any]):
    """Lists the documents of the moment as resources, each as the version that it has now; says what a client did wrong."""

    def __init__(self, answers: Answers) -> None:
        super().__init__("clusterqa", title="clusterqa", instructions=INSTRUCTIONS, version=__version__)
        self._answers = answers

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None, context: Context[Any, Any] | None = None
    ) -> GetPromptResult | InputRequiredResult:
        try:
            return await super().get_prompt(name, arguments, context)
        except ValueError as error:  # a mistake of the client, which is no error of the server
            raise MCPError(INVALID_PARAMS, str(error)) from None

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        takes = next((tool.input_schema["properties"] for tool in await self.list_tools() if tool.name == name), None)
        if takes is not None and (unknown := [argument for argument in arguments if argument not in takes]):
            # Passed over, "limit" for "k" would give another answer than was asked for.
            raise ToolError(f"{name} takes no {', '.join(unknown)}, only {', '.join(takes)}.")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                mistakes = [mistake(item) for item in error.__cause__.errors()]
                raise ToolError("; ".join(f"{place}: {what}" for place, what in mistakes)) from None
            raise

    async def list_resources(self) -> list[Resource]:
        return await anyio.to_thread.run_sync(self._documents)

    def _documents(self) -> list[Resource]:
        with self._answers.store() as store:
            return [
                Resource(
                    uri=f"clusterqa://documents/{percent_encoded(stored.id, safe='/')}?version={stored.version}",
                    name=stored.id,
                    title=stored.title,
                    mime_type="text/plain",
                )
                for stored in store.documents()
            ]


class _Place(Protocol):
    """A stretch of a document: a quote, or a passage."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def text(self) -> str: ...


def _place(title: str, document: str, version: str, place: _Place) -> str:
    """For programs that show text only: the place on a line of its own, then the text unchanged."""
    return f"{title} [{document}, {place.start}–{place.end}, version {version}]:\n{place.text}"


def _result(text: str, structured: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structured)


# ── over standard input and output ──────────────────────────────────────────────────────────────────────────────


class _Own:
    """Opens a knowledge base of its own when something is first asked of it; a failed attempt is made again."""

    def __init__(self, open: Callable[[], KnowledgeBase]) -> None:
        self._open = open
        self._lock = threading.Lock()
        self._opened: KnowledgeBase | None = None

    def ask(self, question: Question) -> Reply:
        return self.opened().ask(question)

    def search(self, question: Question, k: int) -> Sequence[Hit]:
        return self.opened().trace(question, k).hits

    def store(self) -> Store:
        return open_store(self.opened().settings.home)

    def opened(self) -> KnowledgeBase:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            return self._opened

    def warm_up(self) -> None:
        """Open, so that the first question need not wait; whoever asks is told of an error."""
        try:
            self.opened()
        except ClusterQAError as error:
            log.error("%s", error)


def serve(settings: Settings) -> None:
    """
    Serve one client over standard input and output, until the input ends.

    Says hello at once and loads meanwhile. While it runs the standard output carries messages of the protocol only: what
    anything else prints goes to the standard error.
    """
    own = _Own(lambda: python.open(settings))
    threading.Thread(target=own.warm_up, daemon=True).start()
    server(own, str).run("stdio")


# ── at /mcp of the web app ──────────────────────────────────────────────────────────────────────────────────────


class _Served:
    """The web app's knowledge base; questions are kept in the journal as those of the API are."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def ask(self, question: Question) -> Reply:
        return self._service.ask(question, "api").reply

    def search(self, question: Question, k: int) -> Sequence[Hit]:
        return self._service.search(question, k)

    def store(self) -> Store:
        self._service.assistant()  # raises NotReady while there may be no index
        return self._service.store()


def _in_public(error: ClusterQAError) -> str:
    """What is wrong with the store or the encoder is for whoever runs the server, not for whoever asks."""
    if isinstance(error, NotReady | CorpusError):
        return str(error)
    log.error("%s", error)
    return "The documents cannot be read right now. The server's log says why."


class Door:
    """
    ASGI app for the path /mcp: streamable HTTP without sessions, so that nothing is kept of a client between its requests.

    Whoever brings an API key is served. Without one only programs on this machine are: neither those behind a proxy nor a
    page in a browser whose name was made to point here.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._behind_proxy = bool(service.settings.proxy)
        self._loopback = TransportSecurityMiddleware(
            TransportSecuritySettings(
                allowed_hosts=["127.0.0.1:*", "localhost:*", "[::1]:*"],
                allowed_origins=["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"],
            )
        )
        self._app: ASGIApp | None = None

    @asynccontextmanager
    async def living(self) -> AsyncIterator[None]:
        """Serves inside."""
        made = server(_Served(self._service), _in_public)
        anywhere = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # names are looked at in __call__
        app = made.streamable_http_app(stateless_http=True, json_response=True, transport_security=anywhere)
        async with made.session_manager.run():
            self._app = app
            try:
                yield
            finally:
                self._app = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        caller = caller_of(request)
        if caller.key is None:
            self._keep_out_strangers(request, caller)
            if (refusal := await self._loopback.validate_request(request)) is not None:
                await refusal(scope, receive, send)
                return
        if request.method != "POST":
            raise HTTPException(405, "MCP is spoken with POST here: there are no sessions.", {"Allow": "POST"})
        self._service.limits.admit(caller)
        if self._app is None:
            raise NotReady(self._service.problem)
        await self._app(scope, receive, send)

    def _keep_out_strangers(self, request: Request, caller: Caller) -> None:
        """Raises HTTPException when a request without a key did not come from a program on this machine."""
        forwarded = request.scope.get(PASSED_ON) or {"forwarded", "x-forwarded-for", "x-real-ip"} & set(request.headers)
        if self._behind_proxy or forwarded or not _is_loopback(caller.client):
            detail = "A key is needed here: Authorization: Bearer KEY. Administrators make keys at the staff desk."
            raise HTTPException(401, detail, {"WWW-Authenticate": "Bearer"})


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
