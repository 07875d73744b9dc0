"""Who sent a request, as `programs.py` found out."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection
from starlette.types import Scope

from clusterqa.staff.keys import Key

DOORS = ("/api/v1", "/v1", "/mcp")
"""What programs ask at; everything below as well."""
CALLER = "clusterqa.caller"
"""In the scope of a request: its Caller."""
ALLOWED_SITE = "clusterqa.allowed_site"
"""In the scope of a request: whether a page of another site sent it that may do so."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an address, and the key that came with the request, if one did."""

    client: str
    key: Key | None = None


def caller_of(request: HTTPConnection) -> Caller:
    """Who sent a request; without a key where none is looked at."""
    found: Caller | None = request.scope.get(CALLER)
    return found or Caller(address_of(request))


def address_of(request: HTTPConnection) -> str:
    """Where a request comes from, "" where nobody says."""
    return request.client.host if request.client else ""


def from_allowed_site(request: HTTPConnection) -> bool:
    """Whether a page of another site sent a request that may do so."""
    return bool(request.scope.get(ALLOWED_SITE))


def is_door(scope: Scope) -> bool:
    """Whether a request is for one of the doors for programs."""
    if scope["type"] != "http":
        return False
    path = scope["path"].removeprefix(scope.get("root_path", ""))
    return path in DOORS or path.startswith(tuple(f"{door}/" for door in DOORS))
