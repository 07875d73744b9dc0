"""
Who comes to the doors for programs: the key that a request brings, the sites whose pages may read the answers, and what is left
of the limit, said in every answer.

A key is a bearer token. Without one everything is as for any reader; a wrong one is refused rather than passed over, so that
nobody believes to have a limit of their own and has none.
"""

from __future__ import annotations

import logging

from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clusterqa.errors import StoreError
from clusterqa.settings import ANY_ORIGIN
from clusterqa.staff.keys import PREFIX, Key, WrongKey
from clusterqa.web.callers import ALLOWED_SITE, CALLER, Caller, is_door
from clusterqa.web.problems import problem
from clusterqa.web.service import Service
from clusterqa.web.windows import SECONDS

log = logging.getLogger(__name__)

ANONYMOUS = "anonymous"
"""For programs that cannot do without a key: the same as none."""
TOLD = ("ETag", "Link", "RateLimit", "RateLimit-Policy", "Retry-After", "Server-Timing", "X-Journal-Id")
"""Headers that a page of another site may read, beside those it always may."""


class Programs:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app = app
        self._service = service
        self._sites = frozenset(service.settings.cors_origins.split())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not is_door(scope):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        asks_first = scope["method"] == "OPTIONS" and "access-control-request-method" in headers
        app, sites = self._app, self._sites
        key: Key | None = None
        try:
            if secret := _secret(headers):
                key = await to_thread.run_sync(lambda: self._service.keys().check(secret))
                sites |= frozenset(key.origins)
            elif origin and asks_first:  # a browser brings the key with the question only
                sites |= await to_thread.run_sync(lambda: self._service.keys().origins())
        except WrongKey as error:
            app = problem(401, str(error), {"WWW-Authenticate": 'Bearer error="invalid_token"'})
        except StoreError as error:
            log.error("%s", error)
            app = problem(503, "Keys cannot be looked up right now. The server's log says why.", {"Retry-After": "30"})
        caller = Caller(scope["client"][0] if scope.get("client") else "", key)
        allowed = bool(origin) and bool({ANY_ORIGIN, origin} & sites)
        if allowed:
            app = CORSMiddleware(
                app,
                allow_origins=[origin],
                allow_methods=["GET", "HEAD", "POST"],
                allow_headers=["*"],  # the API reads no cookies, so nothing is trusted because it comes from a browser
                expose_headers=TOLD,
                max_age=SECONDS,  # a revoked key's sites are forgotten as soon
            )
        await app({**scope, CALLER: caller, ALLOWED_SITE: allowed}, receive, self._telling(caller, send))

    def _telling(self, caller: Caller, send: Send) -> Send:
        async def send_told(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if "origin" not in headers.get("vary", "").lower():
                    headers.add_vary_header("Origin")
                if (standing := self._service.limits.standing(caller)) is not None:
                    headers["RateLimit-Policy"] = f'"{standing.policy}";q={standing.quota};w={SECONDS}'
                    headers["RateLimit"] = f'"{standing.policy}";r={standing.remaining};t={standing.seconds}'
            await send(message)

        return send_told


def _secret(headers: Headers) -> str:
    """The bearer token of a request; "" when it has none, or the one that stands for none."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    value = value.strip()
    if kind.startswith(PREFIX):
        raise WrongKey("The key stands without its scheme. Send it as Authorization: Bearer KEY")
    return value if kind.lower() == "bearer" and value != ANONYMOUS else ""
