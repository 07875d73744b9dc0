"""API keys, for administrators: made, shown once, changed, revoked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from clusterqa.staff.accounts import Account
from clusterqa.staff.keys import Key, KeyProblem, NoSuchKey
from clusterqa.web.staff.desk import (
    Administrating,
    Administrator,
    back,
    keys,
    language_of,
    page,
    said,
    service,
    trouble,
)
from clusterqa.web.staff.words_keys import WORDS

router = APIRouter()

KEYS = "/staff/keys"

Name = Annotated[str, Form(max_length=200)]
Limit = Annotated[int, Form()]
Sites = Annotated[str, Form(max_length=5000)]


@router.get(KEYS)
def show(request: Request, account: Administrator) -> Response:
    """The keys, and the form for a new one."""
    return _list(request, account, limit=service(request).settings.rate_limit)


def _list(
    request: Request,
    account: Account,
    *,
    limit: int,
    name: str = "",
    sites: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    return page(
        request, account, "keys.html", words=WORDS, keys=keys(request).everyone(), name=name, limit=limit, sites=sites,
        problem=problem, status=status, here=KEYS,
    )  # fmt: skip


@router.post(KEYS)
def add(request: Request, account: Administrating, name: Name, limit: Limit, sites: Sites = "") -> Response:
    """Make a key, and show it this once."""
    try:
        key, secret = keys(request).add(name, limit, sites, account.name)
    except KeyProblem as error:
        told = _told(request, error)
        return _list(request, account, limit=limit, name=name, sites=sites, problem=told, status=422)
    return page(request, account, "key_given.html", words=WORDS, name=key.name, secret=secret, here=KEYS)


@router.get(f"{KEYS}/{{identifier}}")
def look(request: Request, account: Administrator, identifier: int) -> Response:
    """One key, with the form to change it."""
    try:
        key = keys(request).find(identifier)
    except NoSuchKey as error:
        return trouble(request, KEYS, _told(request, error))
    return _one(request, account, key, key.rate_limit, " ".join(key.origins))


def _one(
    request: Request, account: Account, key: Key, limit: int, sites: str, problem: str = "", status: int = 200
) -> Response:
    return page(
        request, account, "key.html", words=WORDS, key=key, limit=limit, sites=sites, problem=problem, status=status,
        here=f"{KEYS}/{key.id}",
    )  # fmt: skip


@router.post(f"{KEYS}/{{identifier}}")
def change(request: Request, account: Administrating, identifier: int, limit: Limit, sites: Sites = "") -> Response:
    """Another limit, other sites; the secret stays."""
    try:
        key = keys(request).find(identifier)
        try:
            keys(request).change(identifier, limit, sites, account.name)
        except NoSuchKey:
            raise
        except KeyProblem as error:
            return _one(request, account, key, limit, sites, _told(request, error), 422)
    except NoSuchKey as error:
        return trouble(request, KEYS, _told(request, error))
    return back(request, KEYS, said(request, WORDS, "key_changed").format(key.name))


@router.get(f"{KEYS}/{{identifier}}/revoke")
def ask_revoke(request: Request, account: Administrator, identifier: int) -> Response:
    """The question before a key is revoked."""
    try:
        key = keys(request).find(identifier)
    except NoSuchKey as error:
        return trouble(request, KEYS, _told(request, error))
    return page(request, account, "key_revoke.html", words=WORDS, key=key)


@router.post(f"{KEYS}/{{identifier}}/revoke")
def revoke(request: Request, account: Administrating, identifier: int) -> Response:
    """End a key, for every process that serves it."""
    try:
        key = keys(request).revoke(identifier, account.name)
    except NoSuchKey as error:
        return trouble(request, KEYS, _told(request, error))
    return back(request, KEYS, said(request, WORDS, "key_revoked").format(key.name))


def _told(request: Request, error: KeyProblem) -> str:
    return WORDS[language_of(request)][error.key].format(error.what)
