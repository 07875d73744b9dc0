"""
The head of the chat pages as a finished service has it, and a first view in front of Gradio's.

Gradio's page says lang="en" in every language, has no title before its scripts run, and introduces itself as Gradio to whoever
shows a preview of a link. It also writes down the address that it was asked under, which whoever asks can make up; a browser
knows better where its page comes from. None of this can be set from outside, so the page is mended on its way out.
"""

from __future__ import annotations

import gzip
import re
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clusterqa.records import LANGUAGES, Language
from clusterqa.web import forms, pages, render
from clusterqa.web.conditional import takes_gzip
from clusterqa.web.whole import whole

NOWHERE = "clusterqa.invalid"
"""The host that Gradio is told instead of the one that was asked for."""

_ADDRESS = re.compile(rf"https?://{re.escape(NOWHERE)}")
_CONFIG = re.compile(r"<script>window\.gradio_config = .*?</script>", re.DOTALL)
_WHERE = "<script>window.gradio_config.root = new URL(window.gradio_config.root, location.href).href;</script>"
_LANGUAGE = re.compile(r'(<html\b[^>]*?\blang=")[^"]*(")')
_STYLE = re.compile(r'<link rel="stylesheet" crossorigin href="\./assets/[^">]*"(?=>)')
_PREVIEW = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')


def mended(page: str, language: Language, first: str) -> str:
    """Gradio's page with our language, title and description, and a first view that does not wait for Gradio."""
    page = _LANGUAGE.sub(rf"\g<1>{language}\g<2>", page, count=1)
    page = _PREVIEW.sub("", page)
    page = _CONFIG.sub(lambda config: config[0] + _WHERE, _ADDRESS.sub("", page), count=1)
    page = page.replace("<head>", "<head>" + render.page("head.html", language), 1)
    # A style sheet in the head holds up everything, and Gradio's is needed only by Gradio. Ours come after it and so prevail.
    page = _STYLE.sub('\\g<0> media="print" onload="this.media=\'all\'"', page, count=1)
    page = page.replace("</head>", render.page("styles.html", language) + "</head>", 1)
    return page.replace("<gradio-app", f"{first}<gradio-app", 1)


class Head:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        language = _page(scope)
        if language is None:
            await self._app(scope, receive, _instead(scope, receive, send))
            return
        packed = takes_gzip(Headers(scope=scope))
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("q", [""])[-1]

        def mend(begin: Message, body: bytes) -> bytes:
            first = forms.first(scope["app"].state.service, language, question=asked[: forms.LONGEST])
            body = mended(body.decode("utf-8"), language, first).encode("utf-8")
            sent = MutableHeaders(scope=begin)
            sent.add_vary_header("Accept-Encoding")
            if packed:
                body = gzip.compress(body, 6)
                sent["Content-Encoding"] = "gzip"
            sent["Content-Length"] = str(len(body))
            return body

        # what is to be changed must not come compressed
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        await self._app({**scope, "headers": headers}, receive, whole(send, _html, mend))


def _html(begin: Message) -> bool:
    return "text/html" in Headers(raw=begin["headers"]).get("content-type", "")


def _instead(scope: Scope, receive: Receive, send: Send) -> Send:
    """A `send` that puts our page in place of Gradio's "Not Found" (JSON, in English) where a person looks for a page."""
    if scope["type"] != "http" or not _below_chat(scope) or not pages.for_a_person(request := Request(scope, receive)):
        return send
    replaced = False

    async def send_instead(message: Message) -> None:
        nonlocal replaced
        if message["type"] == "http.response.start" and message["status"] == 404:
            replaced = True
            await pages.nowhere(request)(scope, receive, send)
        elif not replaced:
            await send(message)

    return send_instead


def _below_chat(scope: Scope) -> bool:
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return path.startswith(tuple(f"/{language}/" for language in LANGUAGES))


def _page(scope: Scope) -> Language | None:
    """The language of the chat page that is asked for; None for everything else."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return next((language for language in LANGUAGES if path == f"/{language}/"), None)
