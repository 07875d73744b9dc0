"""What HTTP offers to whoever has an answer already, or wants no more than its head."""

from __future__ import annotations

import hashlib
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TAGGED = "/api/v1/documents"
"""Answers below have an ETag: a version never changes, so asking for it again costs a few bytes."""

_ETAG = re.compile(r'(?:W/)?("[^"]*")')


class Conditional:
    """ASGI middleware: HEAD wherever there is GET; ETag and 304 for documents."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            send = _bodiless(send)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path == TAGGED or path.startswith(f"{TAGGED}/"):
            send = _tagged(Headers(scope=scope).get("if-none-match", ""), send)
        await self._app({**scope, "method": "GET"}, receive, send)


def _bodiless(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head


def _tagged(known: str, send: Send) -> Send:
    """Answers of status 200 whole, with a tag of their bytes; 304 in their place when the tag is among those known."""
    begin: Message | None = None
    parts: list[bytes] = []

    async def send_tagged(message: Message) -> None:
        nonlocal begin
        if message["type"] == "http.response.start" and message["status"] == 200:
            begin = message
            return
        if begin is None or message["type"] != "http.response.body":
            await send(message)
            return
        parts.append(message.get("body", b""))
        if message.get("more_body"):
            return
        body = b"".join(parts)
        headers = MutableHeaders(scope=begin)
        headers["ETag"] = tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers["Cache-Control"] = "no-cache"  # may be kept, and is asked for again: a document can be withdrawn
        if known.strip() == "*" or tag in _ETAG.findall(known):
            begin["status"] = 304
            del headers["content-length"], headers["content-type"]
            body = b""
        await send(begin)
        await send({"type": "http.response.body", "body": body})

    return send_tagged
