"""
The web app: two chat pages, pages of documents, the HTTP API, probes and figures, put together from settings.

    build(settings) ─▶ FastAPI        nothing is loaded until it is started
    run(settings)                     serves it until stopped
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.routing import Route

from clusterqa import __version__
from clusterqa.errors import SettingsError
from clusterqa.records import LANGUAGES
from clusterqa.settings import Settings
from clusterqa.web import api, chat, pages, problems, render, staff
from clusterqa.web.conditional import Conditional
from clusterqa.web.guard import Guard
from clusterqa.web.head import Head
from clusterqa.web.service import Service
from clusterqa.web.words import page_language

if TYPE_CHECKING:
    from clusterqa.web.mcp import Door

STATIC = Path(__file__).parent / "static"
LANGUAGE_COOKIE = "clusterqa_language"


def build(settings: Settings) -> FastAPI:
    """The app for these settings. Its start returns at once; /readyz says when questions are answered."""
    service = Service(settings)
    mcp = _mcp(service)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.start()
        try:
            async with mcp.living() if mcp else nullcontext():
                yield
        finally:
            service.stop()
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
        openapi_tags=[
            {"name": "questions", "description": "Asking, and saying whether a reply helped."},
            {"name": "documents", "description": "Searching and reading what is quoted from."},
        ],
    )
    app.state.service = service
    problems.install(app)
    app.add_middleware(Head)
    app.add_middleware(Conditional)
    app.add_middleware(Guard, settings=settings)

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
    app.include_router(pages.router)
    if mcp:
        app.router.routes.append(Route("/mcp", mcp))
    desk = staff.install(app, service)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for language in LANGUAGES:
        chat.mount(app, service, language)
    return app


def _mcp(service: Service) -> Door | None:
    """The door for language models, where its library is installed. Raises SettingsError."""
    if find_spec("mcp") is None:
        if service.settings.mcp_key:
            raise SettingsError(
                "mcp_key is set, but MCP is not installed. Install it with: pip install 'clusterqa[mcp]'"
            )
        return None
    from clusterqa.web.mcp import Door

    return Door(service)


def run(settings: Settings) -> None:
    """Serve the app until it is told to stop; logs one JSON object a line to stderr, without questions or addresses."""
    import uvicorn

    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    for name in ("clusterqa", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(logging.INFO)
    uvicorn.run(
        build(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.proxy),
        forwarded_allow_ips=settings.proxy or None,
        timeout_graceful_shutdown=5,
    )


class JsonLines(logging.Formatter):
    """One JSON object a record; what was given as `extra` stands beside the message."""

    _usual = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in self._usual},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
