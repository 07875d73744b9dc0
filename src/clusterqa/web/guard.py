"""What every request passes: the host and the size on the way in, security headers on the way out."""

from __future__ import annotations

import re

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clusterqa.settings import Settings
from clusterqa.web import watching
from clusterqa.web.problems import problem

_CHAT = ("/lt", "/en")
UPLOADS = "/staff/drafts"
"""Where the staff send files; the route asks who sends before it reads any of the body."""
DRAINED = 10
"""Of an upload that is too large, up to so many times the limit is received and thrown away."""
_FRAMED = (*_CHAT, "/documents")
"""What other sites may show in a frame, where the settings name them; everything else never stands in a frame."""
PROBES = ("/healthz", "/readyz", "/metrics")
"""Asked for under whatever name the machine has; what they tell does not depend on it."""

_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


class _TooLarge(HTTPException):
    """The body grew over the limit while it was read; as an HTTPException it passes FastAPI's reading of the body."""


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._settings = settings
        self._hosts = {host.lower() for host in settings.hosts.split()}
        self._limit = settings.max_body_kb * 1024
        # What a form puts around a file is no part of it.
        self._upload_limit = settings.max_upload_mb * 1024 * 1024 + self._limit
        self._max_upload_mb = settings.max_upload_mb
        ancestors = " ".join(["'self'", *settings.frame_ancestors.split()])
        self._ancestors = {True: f"; frame-ancestors {ancestors}", False: "; frame-ancestors 'none'"}
        common = (
            "default-src 'none'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
            "base-uri 'self'; form-action 'self'"
        )
        self._strict = f"{common}; script-src 'self'; style-src 'self'"
        # Gradio's pages hold scripts and styles inline and compile their event handlers in the browser: without
        # 'unsafe-eval' no button of the chat does anything.
        self._gradio = (
            f"{common}; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
            "worker-src 'self' blob:; manifest-src 'self'; frame-src 'self'"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        chat, framed = _below(path, _CHAT), _below(path, _FRAMED)
        begun = False
        host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
        origin = f"{scope['scheme']}://{host}"

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = (self._gradio if chat else self._strict) + self._ancestors[framed]
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
                headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                if host and headers.get("location", "").startswith(f"{origin}/"):  # whoever asks can make up the host
                    headers["Location"] = headers["location"].removeprefix(origin)
                if "text/html" in headers.get("content-type", "") and "cache-control" not in headers:
                    headers["Cache-Control"] = "no-cache"
            await send(message)

        if not self._answers_to(host, path):
            misdirected = "This server is not reached under this name. Its setting `hosts` says under which it is."
            await problem(400, misdirected)(scope, receive, send_guarded)
            return
        if {b"content-length", b"transfer-encoding"} <= {name for name, _ in scope["headers"]}:
            # Where a proxy in front believes the one and we the other, the rest of one request is the next one to us.
            told = "The request tells its length in two ways. Send Content-Length, or chunks, and not both."
            await problem(400, told, {"Connection": "close"})(scope, receive, send_guarded)
            return
        if path.rstrip("/") in watching.CLOSED and not watching.may(scope, self._settings):
            told = "This is for whoever runs the server. Send the token of its setting `watch_token`."
            asking = {"WWW-Authenticate": 'Basic realm="clusterqa", charset="UTF-8"'}
            await problem(401, told, asking)(scope, receive, send_guarded)
            return
        received = 0
        limit = self._limit
        too_large = f"The request is larger than {limit // 1024} KiB. Send less at a time."
        if path == UPLOADS and scope["method"] == "POST":
            limit = self._upload_limit
            too_large = (
                f"The file is larger than {self._max_upload_mb} MB, so nothing of it was kept. Split it, or make its pictures "
                f"smaller. / Failas didesnis nei {self._max_upload_mb} MB, todėl nieko iš jo neišsaugojome. Padalykite jį arba "
                "sumažinkite paveikslėlius."
            )

        declared = dict(scope["headers"]).get(b"content-length", b"0")
        over = not declared.isdigit() or int(declared) > limit

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit or over:
                # A browser shows an answer only once it has sent everything; whoever may upload can wait for that.
                while path == UPLOADS and message.get("more_body") and received <= DRAINED * limit:
                    message = await receive()
                    received += len(message.get("body", b""))
                raise _TooLarge(413, too_large)
            return message

        refusal = problem(413, too_large)
        if over and path != UPLOADS:
            await refusal(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, receive_limited, send_guarded)
        except _TooLarge:
            if begun:
                raise
            await refusal(scope, receive, send_guarded)

    def _answers_to(self, host: str, path: str) -> bool:
        name = _HOST.fullmatch(host)
        if name is None:
            return not host and not self._hosts
        return not self._hosts or path in PROBES or name[1].lower().rstrip(".") in self._hosts


def _below(path: str, folders: tuple[str, ...]) -> bool:
    return path in folders or path.startswith(tuple(f"{folder}/" for folder in folders))
