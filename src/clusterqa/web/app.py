"""
The web app: two chat pages, pages of documents, the HTTP API, probes and figures, put together from settings.

    build(settings) ─▶ FastAPI        nothing is loaded until it is started
    run(settings)                     serves it until stopped
"""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route

from clusterqa import __version__, extras, runtime
from clusterqa.errors import MissingExtra
from clusterqa.records import LANGUAGES
from clusterqa.settings import Settings
from clusterqa.web import api, completions, connections, description, forms, logs, pages, problems, render
from clusterqa.web.conditional import Compressed, Conditional, Heads
from clusterqa.web.doors import Doors
from clusterqa.web.forwarded import Forwarded
from clusterqa.web.guard import Guard
from clusterqa.web.head import Head
from clusterqa.web.logs import JsonLines
from clusterqa.web.programs import Programs
from clusterqa.web.service import Service
from clusterqa.web.words import page_language

__all__ = ["JsonLines", "build", "run"]
if TYPE_CHECKING:
    from clusterqa.web.mcp import Door
    from clusterqa.web.staff.desk import Desk

STATIC = Path(__file__).parent / "static"
LANGUAGE_COOKIE = "clusterqa_language"


def build(settings: Settings) -> FastAPI:
    """The app for these settings. Its start returns at once; /readyz says when questions are answered."""
    service = Service(settings)
    mcp = _mcp(service)
    desk: Desk | None = None

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            async with mcp.living() if mcp else nullcontext():
                yield
        finally:
            service.stop()
            if desk:
                desk.close()

    app = FastAPI(
        title="clusterqa",
        description="Answers questions in Lithuanian and English by quoting documents, byte for byte. Offsets count "
        "Unicode code points in a document's text. Errors are application/problem+json.",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,  # FastAPI's page fetches its scripts from elsewhere; ours stands in the server
        redoc_url=None,
        openapi_url="/api/openapi.json",
        servers=[{"url": settings.public_address.rstrip("/")}] if settings.public_address else None,
        openapi_tags=[
            {"name": "questions", "description": "Asking, and saying whether a reply helped."},
            {"name": "documents", "description": "Searching and reading what is quoted from."},
            {"name": "openai", "description": "The same for programs that know OpenAI's API."},
        ],
    )
    app.state.service = service
    problems.install(app)
    description.install(app)
    # The last is the first that a request comes to.
    if gradio := extras.installed("web"):
        app.add_middleware(Doors, settings=settings)
        app.add_middleware(Head)
    app.add_middleware(Conditional)
    app.add_middleware(Compressed)
    app.add_middleware(Heads)
    app.add_middleware(Programs, service=service)
    app.add_middleware(Guard, settings=settings)
    app.add_middleware(Forwarded, settings=settings)

    @app.get("/", include_in_schema=False)
    def front(request: Request) -> Response:
        """To the page in the reader's language: the one chosen last, else the one the browser asks for."""
        language = page_language(request.headers.get("accept-language", ""), request.cookies.get(LANGUAGE_COOKIE))
        return RedirectResponse(
            f"{request.scope.get('root_path', '')}/{language}/",
            status_code=302,
            headers={"Vary": "Accept-Language, Cookie", "Cache-Control": "no-store"},
        )

    @app.get("/widget.js", include_in_schema=False)
    def widget() -> Response:
        """The chat for other sites; `frame_ancestors` says which of them may show it."""
        return Response(
            render.widget(),
            media_type="text/javascript",
            headers={"Cache-Control": "public, max-age=3600", "Cross-Origin-Resource-Policy": "cross-origin"},
        )

    @app.get("/favicon.ico", include_in_schema=False)
    def icon() -> Response:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    app.include_router(api.router)
    app.include_router(completions.router)
    app.include_router(pages.router)
    app.include_router(forms.router)
    if mcp:
        app.router.routes.append(Route("/mcp", mcp))
    if extras.installed("staff"):
        from clusterqa.web import staff

        desk = staff.install(app, service)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    mount = forms.mount
    if gradio:
        from clusterqa.web import chat

        mount = chat.mount
    for language in LANGUAGES:
        mount(app, service, language)
    return app


def left_out() -> list[str]:
    """What this installation serves less than the whole, each as a sentence with what to install."""
    parts: dict[extras.Extra, str] = {"web": "Gradio's chat page", "staff": "The staff desk"}
    told = []
    for extra, what in parts.items():
        try:
            extras.need(extra, what)
        except MissingExtra as error:
            told.append(str(error))
    return told


def _mcp(service: Service) -> Door | None:
    """The door for language models, where its library is installed."""
    if not extras.installed("mcp"):
        return None
    from clusterqa.web.mcp import Door

    return Door(service)


def run(settings: Settings) -> None:
    """Serve the app until it is told to stop; logs one JSON object a line to stderr, without questions or addresses."""
    import uvicorn

    logs.install()
    runtime.limit_arenas()  # before there are threads
    app = build(settings)
    gc.freeze()  # pages and libraries, 300,000 objects, are no garbage: to look through them stops all questions for 0.2 s
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        http=connections.protocol(settings),
        ws="none",
        backlog=connections.ACCEPTED_AT_ONCE,
        timeout_keep_alive=connections.KEEP_SECONDS,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # Forwarded sees to them
        timeout_graceful_shutdown=5,
    )
    server = connections.Server(config)
    server.run()
    if not server.started:
        sys.exit(1)
