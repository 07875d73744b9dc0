"""Who may see the figures, the details of the state and the description of the API, where the setting `watch_token` is set."""

from __future__ import annotations

import base64
import binascii
from hmac import compare_digest

from starlette.datastructures import Headers
from starlette.types import Scope

from clusterqa.settings import Settings

CLOSED = ("/metrics", "/api/docs", "/api/openapi.json")


def may(scope: Scope, settings: Settings) -> bool:
    """Whether the request brings the token: "Authorization: Bearer TOKEN", or as the password that a browser asks for."""
    if not settings.watch_token:
        return True
    kind, _, value = Headers(scope=scope).get("authorization", "").partition(" ")
    sent = value.strip().encode("latin-1", "replace")
    if kind.lower() == "basic":
        try:
            sent = base64.b64decode(sent, validate=True).partition(b":")[2]
        except binascii.Error:
            return False
    elif kind.lower() != "bearer":
        return False
    return compare_digest(sent, settings.watch_token.encode())
