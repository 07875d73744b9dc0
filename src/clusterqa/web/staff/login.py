"""Logging in and out, and the change of one's own password."""

from __future__ import annotations

import re
import secrets
import time
from hmac import compare_digest
from typing import Annotated
from urllib.parse import unquote, urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from clusterqa.records import LANGUAGES
from clusterqa.staff.accounts import (
    MAX_PASSWORD,
    MIN_PASSWORD,
    Account,
    AccountError,
    Locked,
    NoSuchAccount,
    Session,
    WeakPassword,
    WrongPassword,
)
from clusterqa.staff.factor import WrongCode
from clusterqa.web.callers import address_of
from clusterqa.web.staff.desk import (
    SESSION_COOKIE,
    Refused,
    accounts,
    back,
    changing_own,
    desk_of,
    factor_required,
    factors,
    language_of,
    logged_in,
    page,
    root,
    said,
    same_origin,
    session_of,
)
from clusterqa.web.staff.words import WORDS, clock

router = APIRouter()

LOGIN_COOKIE = "clusterqa_login"
"""A random value, from which the log-in form's token is made: nobody can log a reader in under a stranger's name."""

HALF_SECONDS = 300
"""How long after the password the code may come."""

_PATH = re.compile(r"/staff(/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?")


def inside(target: str) -> str:
    """A path of the desk to go to after the log-in; "/staff" for anything that would lead elsewhere."""
    meant = unquote(target.split("?")[0])  # browsers take %2e for a dot
    if not _PATH.fullmatch(target) or any(sign in meant for sign in ("//", "..", "\\", "/./", "%")) or "//" in target:
        return "/staff"
    return "/staff" if meant.startswith(("/staff/login", "/staff/logout", "/staff/oidc")) else target


def to_login(request: Request, target: str) -> Response:
    """To the log-in page, and from there back to `target`."""
    query = {} if inside(target) == "/staff" else {"next": inside(target)}
    if (wish := request.query_params.get("lang")) in LANGUAGES:
        query["lang"] = str(wish)
    if SESSION_COOKIE in request.cookies:
        query["again"] = "1"
    return RedirectResponse(f"{root(request)}/staff/login{'?' if query else ''}{urlencode(query)}", 303)


@router.get("/staff/login")
def show(request: Request, next: str = "", again: str = "", out: str = "") -> Response:
    """The log-in page; who is logged in already goes on."""
    if session_of(request) is not None:
        return RedirectResponse(root(request) + inside(next), 303)
    words = WORDS[language_of(request)]
    remark = words["logged_out"] if out else words["log_in_again"] if again else ""
    return login_page(request, next, remark=remark, way_out=out == "oidc")


def seed_of(request: Request) -> str:
    """The random value of this browser's log-in, for LOGIN_COOKIE."""
    return request.cookies.get(LOGIN_COOKIE) or secrets.token_urlsafe(18)


def login_page(
    request: Request,
    target: str,
    *,
    name: str = "",
    problem: str = "",
    remark: str = "",
    way_out: bool = False,
    status: int = 200,
) -> Response:
    """The form, and the way to the provider where there is one; from here to `target`, a path of the desk."""
    seed = seed_of(request)
    book = accounts(request)
    provider = desk_of(request).provider is not None
    response = page(
        request, None, "login.html", status=status, open=provider or book.exist(), next=inside(target), name=name,
        problem=problem, remark=remark, token=book.signature("login", seed), provider=provider,
        way_out=provider and way_out,
        here=None if request.url.path == f"{root(request)}/staff/login" else "/staff/login",
    )  # fmt: skip
    set_cookie(request, response, LOGIN_COOKIE, seed)
    return response


@router.post("/staff/login")
async def log_in(
    request: Request,
    name: Annotated[str, Form(max_length=500)],
    password: Annotated[str, Form(max_length=5000)] = "",
    csrf: Annotated[str, Form(max_length=200)] = "",
    next: Annotated[str, Form(max_length=2000)] = "",
    half: Annotated[str, Form(max_length=500)] = "",
    code: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """
    Check name and password; the answer takes as long, and says the same, whether there is such a name or not. An account
    with a second factor is asked for a code then, and comes back with `half`, which says that the password was right.
    """
    gate = desk_of(request).gate
    client = address_of(request)
    if not gate.admits(client):
        raise Refused(429, "busy_login")
    return await gate.run(lambda: _log_in(request, name, password, csrf, next, client, half, code))


def _log_in(
    request: Request, name: str, password: str, csrf: str, target: str, client: str, half: str, code: str
) -> Response:
    words = WORDS[language_of(request)]
    book = accounts(request)
    seed = request.cookies.get(LOGIN_COOKIE, "")
    if not same_origin(request):
        raise Refused(403, "foreign_form")
    if not seed or not compare_digest(csrf.encode("utf-8", "replace"), book.signature("login", seed).encode()):
        return login_page(request, target, name=name, problem=words["wrong_token"], status=403)
    if not book.exist():
        return login_page(request, target, name=name, problem=words["wrong_password"], status=403)
    try:
        if half:
            account = _half_way(request, name, half, seed)
            factors(request).check(account, code, client)
        else:
            account = book.check(name, password, client)
            if factors(request).on(account):
                return _code_form(request, account, target, seed)
            factors(request).forget_offer(account)
        session = book.begin(account, client)
    except Locked as locked:
        problem = words["locked"].format(words["after_time"].format(clock(locked.until)))
        return login_page(request, target, name=name, problem=problem, status=429)
    except WrongCode:
        return _code_form(request, account, target, seed, words["wrong_code"], 403)
    except WrongPassword:
        return login_page(request, target, name=name, problem=words["wrong_password"], status=403)
    response = RedirectResponse(root(request) + inside(target), 303)
    if session.account.must_change:
        response = RedirectResponse(f"{root(request)}/staff/password", 303)
    begin_session(request, response, session)
    return response


def _code_form(
    request: Request, account: Account, target: str, seed: str, problem: str = "", status: int = 200
) -> Response:
    until = f"{int(time.time()) + HALF_SECONDS}"
    response = page(
        request, None, "code.html", status=status, next=inside(target), name=account.name, problem=problem, here="/staff/login",
        half=f"{until}.{_half(request, account, seed, until)}", token=accounts(request).signature("login", seed),
    )  # fmt: skip
    set_cookie(request, response, LOGIN_COOKIE, seed)
    return response


def _half(request: Request, account: Account, seed: str, until: str) -> str:
    """What only this server can make of an account whose password was right, for the browser that sent it."""
    return accounts(request).signature("half", f"{account.id} {account.password_at.isoformat()} {seed} {until}")


def _half_way(request: Request, name: str, half: str, seed: str) -> Account:
    """The account whose password was right a few minutes ago; raises WrongPassword."""
    until, _, signature = half.partition(".")
    try:
        account = accounts(request).find(name)
    except NoSuchAccount:
        raise WrongPassword from None
    right = _half(request, account, seed, until)  # only what we signed ourselves holds a time
    if not compare_digest(signature.encode("utf-8", "replace"), right.encode()) or time.time() > int(until):
        raise WrongPassword
    return account


@router.get("/staff/factor")
def show_factor(request: Request, account: Annotated[Account, Depends(logged_in)]) -> Response:
    """One's own second factor: to be set up, or to be taken off."""
    _kept_here(account)
    return _factor_form(request, account)


def _kept_here(account: Account) -> None:
    """Password and second factor of somebody whom a provider vouches for are the provider's."""
    if account.issuer:
        raise Refused(403, "not_kept_here")


def _factor_form(request: Request, account: Account, problem: str = "", status: int = 200) -> Response:
    import pyotp
    import segno

    book = factors(request)
    secret, picture = "", ""
    if not (on := book.on(account)):
        secret = book.offer(account)
        address = pyotp.TOTP(secret).provisioning_uri(name=account.name, issuer_name="clusterqa")
        picture = segno.make(address, error="m").svg_data_uri(scale=5, border=4, dark="black", light="white")
    return page(
        request, account, "factor.html", status=status, on=on, left=book.left(account), problem=problem, picture=picture,
        secret=" ".join(re.findall("....", secret)), required=factor_required(request, account),
    )  # fmt: skip


@router.post("/staff/factor")
def change_factor(
    request: Request,
    account: Annotated[Account, Depends(changing_own)],
    code: Annotated[str, Form(max_length=100)] = "",
    password: Annotated[str, Form(max_length=5000)] = "",
) -> Response:
    """
    Set one's own second factor up with a first code, or take it off; both with one's password, so that nobody shuts the
    owner out from a desk that was left open.
    """
    _kept_here(account)
    words = WORDS[language_of(request)]
    book = factors(request)
    on = book.on(account)
    if on and factor_required(request, account):
        return _factor_form(request, account, words["factor_required"], 403)
    client = address_of(request)
    try:
        accounts(request).check(account.name, password, client, trusting=False)
    except Locked as locked:
        problem = words["locked"].format(words["after_time"].format(clock(locked.until)))
        return _factor_form(request, account, problem, 429)
    except WrongPassword:
        return _factor_form(request, account, words["old_wrong"], 422)
    if not on:
        try:
            return page(request, account, "recovery.html", codes=book.confirm(account, code), here="/staff/factor")
        except WrongCode:
            return _factor_form(request, account, words["wrong_code"], 422)
    book.remove(account, account.name)
    return back(request, "/staff", said(request, WORDS, "factor_removed"))


@router.post("/staff/logout")
def log_out(request: Request, account: Annotated[Account, Depends(changing_own)]) -> Response:
    """End this session."""
    if (session := session_of(request)) is not None:
        accounts(request).log_out(session)
    response = RedirectResponse(f"{root(request)}/staff/login?out={'oidc' if account.issuer else '1'}", 303)
    response.delete_cookie(SESSION_COOKIE, path=f"{root(request)}/staff")
    return response


@router.get("/staff/password")
def show_password(request: Request, account: Annotated[Account, Depends(logged_in)]) -> Response:
    """The form to change one's own password."""
    _kept_here(account)
    return _password_form(request, account)


def _password_form(
    request: Request, account: Account, problem: str = "", field: str = "", status: int = 200
) -> Response:
    return page(
        request,
        account,
        "password.html",
        status=status,
        problem=problem,
        at_fault=field,
        least=MIN_PASSWORD,
        most=MAX_PASSWORD,
    )


@router.post("/staff/password")
def change_password(
    request: Request,
    account: Annotated[Account, Depends(changing_own)],
    old: Annotated[str, Form(max_length=5000)],
    new: Annotated[str, Form(max_length=5000)],
    again: Annotated[str, Form(max_length=5000)],
) -> Response:
    """Change one's own password: every session ends but this one, which goes on as a new one."""
    _kept_here(account)
    words = WORDS[language_of(request)]
    book = accounts(request)
    client = address_of(request)
    if new != again:
        return _password_form(request, account, words["not_same"], "again", 422)
    if new == old:
        return _password_form(request, account, words["same_as_old"], "new", 422)
    try:
        book.check(account.name, old, client, trusting=False)
        changed = book.set_password(account.name, new, account.name)
    except Locked as locked:
        problem = words["locked"].format(words["after_time"].format(clock(locked.until)))
        return _password_form(request, account, problem, "old", 429)
    except WrongPassword:
        return _password_form(request, account, words["old_wrong"], "old", 422)
    except WeakPassword as weak:
        return _password_form(request, account, told(request, weak), "new", 422)
    session = book.begin(changed, client)
    request.state.session = session
    response = back(request, "/staff", said(request, WORDS, "password_changed"))
    begin_session(request, response, session)
    return response


def told(request: Request, error: AccountError) -> str:
    """What is wrong with an account, in the language of the page."""
    text = said(request, WORDS, error.key)
    return text.format(MAX_PASSWORD if error.key == "password_long" else MIN_PASSWORD)


def begin_session(request: Request, response: Response, session: Session) -> None:
    set_cookie(request, response, SESSION_COOKIE, session.token)


def set_cookie(request: Request, response: Response, name: str, value: str) -> None:
    """A cookie of the desk alone, gone with the browser: out of reach of scripts, and of plain HTTP where there is TLS."""
    response.set_cookie(
        name, value, path=f"{root(request)}/staff", httponly=True, samesite="lax", secure=request.url.scheme == "https"
    )
