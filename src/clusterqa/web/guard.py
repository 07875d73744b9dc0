"""What every request passes: the size limit on the way in, security headers on the way out."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clusterqa.settings import Settings
from clusterqa.web.problems import problem

_CHAT = ("/lt", "/en")


class _TooLarge(HTTPException):
    """The body grew over the limit while it was read; as an HTTPException it passes FastAPI's reading of the body."""


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._limit = settings.max_body_kb * 1024
        ancestors = " ".join(["'self'", *settings.frame_ancestors.split()])
        common = (
            "default-src 'none'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; object-src 'none'; "
            f"base-uri 'self'; form-action 'self'; frame-ancestors {ancestors}"
        )
        self._strict = f"{common}; script-src 'self'; style-src 'self'"
        # Gradio's pages hold scripts and styles inline and compile their event handlers in the browser.
        self._gradio = (
            f"{common}; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
            "worker-src 'self' blob:; manifest-src 'self'"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        chat = path in _CHAT or path.startswith(tuple(f"{page}/" for page in _CHAT))
        begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                headers["Content-Security-Policy"] = self._gradio if chat else self._strict
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
                headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                if "text/html" in headers.get("content-type", "") and "cache-control" not in headers:
                    headers["Cache-Control"] = "no-cache"
            await send(message)

        received = 0
        too_large = f"The request is larger than {self._limit // 1024} KiB. Send less at a time."

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._limit:
                raise _TooLarge(413, too_large)
            return message

        refusal = problem(413, too_large)
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limit:
            await refusal(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, receive_limited, send_guarded)
        except _TooLarge:
            if begun:
                raise
            await refusal(scope, receive, send_guarded)
