"""What HTTP offers to whoever has an answer already, wants no more than its head, or has a slow line."""

from __future__ import annotations

import hashlib
import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clusterqa.web.callers import is_door
from clusterqa.web.whole import whole

TAGGED = "/api/v1/documents"
"""Answers below have an ETag: a version never changes, so asking for it again costs a few bytes."""

_NOT_AT_ALL = re.compile(r"q=0(\.0*)?")
_ETAG = re.compile(r'(?:W/)?("[^"]*")')


class Heads:
    """ASGI middleware: HEAD wherever there is GET, with the headers that GET would have, down to its length."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _bodiless(send)
        await self._app(scope, receive, send)


class Compressed:
    """ASGI middleware: gzip at the doors for programs. Pages of the desk hold secrets beside what others sent: not there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(app, minimum_size=1000, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_door(scope):
            await self._app(scope, receive, send)
            return
        headers = [line for line in scope["headers"] if line[0] != b"accept-encoding"]
        if takes_gzip(Headers(scope=scope)):
            headers.append((b"accept-encoding", b"gzip"))  # GZipMiddleware looks for the word alone
        await self._compressing({**scope, "headers": headers}, receive, send)


class Conditional:
    """ASGI middleware: ETag and 304 for documents."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            path = scope["path"].removeprefix(scope.get("root_path", ""))
            if path == TAGGED or path.startswith(f"{TAGGED}/"):
                send = _tagged(",".join(Headers(scope=scope).getlist("if-none-match")), send)
        await self._app(scope, receive, send)


def takes_gzip(headers: Headers) -> bool:
    """Whether Accept-Encoding names gzip, with a weight that is not 0 (RFC 9110, 12.5.3)."""
    for line in headers.getlist("accept-encoding"):
        for coding in line.lower().split(","):
            name, _, weight = coding.partition(";")
            if name.strip() == "gzip":
                return not _NOT_AT_ALL.fullmatch(weight.replace(" ", ""))
    return False


def _bodiless(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head


def _tagged(known: str, send: Send) -> Send:
    """Answers of status 200 with a tag of their bytes; 304 in their place when the tag is among those known."""

    def tag_it(begin: Message, body: bytes) -> bytes:
        headers = MutableHeaders(scope=begin)
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers["ETag"] = f"W/{tag}"  # weak: the same whether it is sent compressed or not
        headers["Cache-Control"] = "no-cache"  # may be kept, and is asked for again: a document can be withdrawn
        if known.strip() != "*" and tag not in _ETAG.findall(known):
            return body
        begin["status"] = 304
        del headers["content-length"], headers["content-type"]
        headers.add_vary_header("Accept-Encoding")  # `Compressed` says it of what has a body
        return b""

    return whole(send, lambda begin: begin["status"] == 200, tag_it)
