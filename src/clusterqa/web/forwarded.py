"""What a proxy in front says about a request, believed only where the settings name the proxy."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from clusterqa.settings import Settings

PASSED_ON = "clusterqa.passed_on"
"""In the scope of a request: whether it named a proxy, whoever that was."""


class Forwarded:
    """
    ASGI middleware: address and scheme of the client, and the host asked for, as the proxy gives them.

    All of them leave the request here, so that nothing behind believes in them once more.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._believing = ProxyHeadersMiddleware(self._without, settings.proxy)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope["client"][0] if scope.get("client") else ""
        if scope["type"] != "http" or peer not in self._believing.trusted_hosts:
            await self._without(scope, receive, send)
            return
        if hosts := [value for name, value in scope["headers"] if name == b"x-forwarded-host"]:
            host = hosts[-1].rpartition(b",")[2].strip()  # what stands before it came with the request
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "headers": [(b"host", host), *others]}
        await self._believing(scope, receive, send)  # type: ignore[arg-type]

    async def _without(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            kept = [
                (name, value)
                for name, value in scope["headers"]
                if name != b"forwarded" and not name.startswith(b"x-forwarded-")
            ]
            scope = {**scope, "headers": kept, PASSED_ON: len(kept) < len(scope["headers"])}
        await self._app(scope, receive, send)
