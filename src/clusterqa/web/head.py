"""
The head of the chat pages as a finished service has it.

Gradio's page says lang="en" in every language, has no title before its scripts run, and introduces itself as Gradio to whoever
shows a preview of a link. It also writes down the address that it was asked under, which whoever asks can make up; a browser
knows better where its page comes from. None of this can be set from outside, so the page is mended on its way out.
"""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clusterqa.records import LANGUAGES, Language
from clusterqa.web import render

NOWHERE = "clusterqa.invalid"
"""The host that Gradio is told instead of the one that was asked for."""

_ADDRESS = re.compile(rf"https?://{re.escape(NOWHERE)}")
_CONFIG = re.compile(r"<script>window\.gradio_config = .*?</script>", re.DOTALL)
_WHERE = "<script>window.gradio_config.root = new URL(window.gradio_config.root, location.href).href;</script>"
_LANGUAGE = re.compile(r'(<html\b[^>]*?\blang=")[^"]*(")')
_PREVIEW = re.compile(r'<meta\s+(?:property="og:|name="twitter:)[^>]*>\s*')


def mended(page: str, language: Language) -> str:
    """Gradio's page with our language, title, description and remark for browsers without scripts."""
    page = _LANGUAGE.sub(rf"\g<1>{language}\g<2>", page, count=1)
    page = _PREVIEW.sub("", page)
    page = _CONFIG.sub(lambda config: config[0] + _WHERE, _ADDRESS.sub("", page), count=1)
    page = page.replace("<head>", "<head>" + render.page("head.html", language), 1)
    return page.replace("</body>", render.page("noscript.html", language) + "</body>", 1)


class Head:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        language = _page(scope)
        if language is None:
            await self._app(scope, receive, send)
            return
        # what is to be changed must not come compressed
        headers = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        begin: Message = {}
        parts: list[bytes] = []

        async def send_mended(message: Message) -> None:
            nonlocal begin
            if message["type"] == "http.response.start":
                begin = message
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body"):
                return
            body = b"".join(parts)
            if "text/html" in Headers(raw=begin["headers"]).get("content-type", ""):
                body = mended(body.decode("utf-8"), language).encode("utf-8")
                MutableHeaders(scope=begin)["Content-Length"] = str(len(body))
            await send(begin)
            await send({"type": "http.response.body", "body": body})

        await self._app({**scope, "headers": headers}, receive, send_mended)


def _page(scope: Scope) -> Language | None:
    """The language of the chat page that is asked for; None for everything else."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return next((language for language in LANGUAGES if path == f"/{language}/"), None)
