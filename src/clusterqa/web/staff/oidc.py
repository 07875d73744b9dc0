"""Logging in through the organisation's OpenID Connect provider, where the settings name one: there and back, and out again."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from hmac import compare_digest
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from clusterqa.staff.accounts import AccountError, WrongPassword
from clusterqa.staff.oidc import Attempt, Provider, ProviderDown
from clusterqa.web.api import public_address
from clusterqa.web.callers import address_of
from clusterqa.web.staff.desk import Refused, accounts, desk_of, language_of, root, said
from clusterqa.web.staff.login import LOGIN_COOKIE, begin_session, inside, login_page, seed_of, set_cookie, told
from clusterqa.web.staff.words import WORDS

router = APIRouter()
log = logging.getLogger(__name__)

START, BACK, OUT = "/staff/oidc", "/staff/oidc/back", "/staff/oidc/out"
SECONDS = 900
"""How long the log-in at the provider may take."""

Short = Annotated[str, Query(max_length=4000)]


@router.get(START)
async def start(request: Request, next: Short = "") -> Response:
    """To the provider, and from there to `come_back`."""
    return await _asking(request, lambda provider: _start(request, provider, inside(next)))


def _start(request: Request, provider: Provider, target: str) -> Response:
    seed = seed_of(request)
    begun = f"{int(time.time()) + SECONDS}.{secrets.token_urlsafe(9)}"
    state = f"{begun}.{_signed(request, 'state', seed, begun, target)}.{target}"
    attempt = _attempt(request, seed, begun, state)
    response = RedirectResponse(provider.address(_here(request, BACK), attempt, language_of(request)), 303)
    set_cookie(request, response, LOGIN_COOKIE, seed)
    return response


@router.get(BACK)
async def come_back(
    request: Request, state: Short = "", code: Short = "", error: Short = "", iss: Short = ""
) -> Response:
    """From the provider, with a code for whoever logged in there."""
    return await _asking(request, lambda provider: _come_back(request, provider, state, code, error, iss))


def _come_back(request: Request, provider: Provider, state: str, code: str, error: str, iss: str) -> Response:
    seed = request.cookies.get(LOGIN_COOKIE, "")
    until, chance, signature, target = [*state.split(".", 3), "", "", "", ""][:4]
    begun = f"{until}.{chance}"
    right = _signed(request, "state", seed, begun, target)
    if not seed or not compare_digest(signature.encode("utf-8", "replace"), right.encode()) or time.time() > int(until):
        return login_page(request, inside(target), problem=said(request, WORDS, "oidc_begin_again"), status=403)
    if error or iss not in ("", provider.issuer):
        log.warning("log-in through OpenID Connect: the provider sent back", extra={"reason": error[:100] or "issuer"})
        return login_page(request, inside(target), problem=said(request, WORDS, "oidc_not_confirmed"), status=403)
    identity = provider.identity(_here(request, BACK), _attempt(request, seed, begun, state), code)
    book = accounts(request)
    response = RedirectResponse(root(request) + inside(target), 303)
    client = address_of(request)
    begin_session(request, response, book.begin(book.vouched_for(identity), client))
    return response


@router.get(OUT)
async def log_out_there(request: Request) -> Response:
    """To the place where one logs out at the provider; who is logged in here stays so."""
    return await _asking(request, lambda provider: _log_out_there(request, provider))


def _log_out_there(request: Request, provider: Provider) -> Response:
    place = provider.way_out(_here(request, "/staff/login"))
    if place is None:
        return login_page(request, "/staff", problem=said(request, WORDS, "oidc_no_way_out"), status=404)
    return RedirectResponse(place, 303)


async def _asking(request: Request, work: Callable[[Provider], Response]) -> Response:
    """Do what asks the provider; what is in the way is told on the log-in page. 404 where the settings name none."""
    desk = desk_of(request)
    provider = desk.provider
    if provider is None:
        raise HTTPException(404)
    if not desk.provider_gate.admits(address_of(request)):
        raise Refused(429, "busy_login")

    def answer() -> Response:
        try:
            return work(provider)
        except WrongPassword:  # the account was removed in this moment
            return login_page(request, "/staff", problem=said(request, WORDS, "oidc_begin_again"), status=403)
        except AccountError as error:
            log.warning("log-in through OpenID Connect: %s", error.key, extra={"reason": _reason(error)})
            status = 503 if isinstance(error, ProviderDown) else 403
            return login_page(request, "/staff", problem=told(request, error), status=status)

    return await desk.provider_gate.run(answer)


def _reason(error: AccountError) -> str:
    """What the server's log says: what the provider did wrong, nothing that names the person."""
    return str(error.__cause__ or "")[:300]


def _attempt(request: Request, seed: str, begun: str, state: str) -> Attempt:
    """All of it comes from the cookie's seed and our key: nothing is kept here between there and back."""
    return Attempt(state, _signed(request, "nonce", seed, begun), _signed(request, "verifier", seed, begun))


def _signed(request: Request, purpose: str, *parts: str) -> str:
    return accounts(request).signature(f"oidc.{purpose}", "\n".join(parts))


def _here(request: Request, path: str) -> str:
    """An address of ours as the provider knows it."""
    return public_address(request).rstrip("/") + path
