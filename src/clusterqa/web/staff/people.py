"""The accounts of the staff, for administrators; the activity log, for everybody their own lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response

from clusterqa.errors import ClusterQAError
from clusterqa.staff.accounts import Account, AccountError, NoSuchAccount, Role, name_key, one_time_password
from clusterqa.staff.audit import COMMAND_LINE, PROVIDER, Entry
from clusterqa.staff.exporting import harmless
from clusterqa.store import open_store
from clusterqa.web.staff.desk import (
    Administrating,
    Administrator,
    Editor,
    accounts,
    audit,
    back,
    desk_of,
    language_of,
    page,
    said,
    service,
    trouble,
)
from clusterqa.web.staff.login import told
from clusterqa.web.staff.words import WORDS

router = APIRouter()

PEOPLE = "/staff/people"
LINES = 100
"""Lines of the log on one page."""

Name = Annotated[str, Form(max_length=200)]


@router.get(PEOPLE)
def show(request: Request, account: Administrator) -> Response:
    """The accounts, and the form for a new one."""
    return _list(request, account)


def _list(request: Request, account: Account, *, problem: str = "", name: str = "", status: int = 200) -> Response:
    return page(
        request, account, "people.html", people=accounts(request).everyone(), problem=problem, name=name, status=status,
        here=PEOPLE,
    )  # fmt: skip


@router.post(PEOPLE)
def add(request: Request, account: Administrating, name: Name, role: Annotated[Role, Form()]) -> Response:
    """Make an account with a password that is shown once and must be changed at the first log-in."""
    password = one_time_password()
    try:
        made = accounts(request).add(name, password, role, account.name, must_change=True)
    except AccountError as error:
        return _list(request, account, problem=told(request, error), name=name, status=422)
    return _given(request, account, made.name, password)


@router.get(f"{PEOPLE}/{{name}}/remove")
def ask_remove(request: Request, account: Administrator, name: str) -> Response:
    """The question before an account is removed; works without a script."""
    return _ask(request, account, name, "remove")


@router.get(f"{PEOPLE}/{{name}}/password")
def ask_password(request: Request, account: Administrator, name: str) -> Response:
    """The question before a password is replaced."""
    return _ask(request, account, name, "reset")


def _ask(request: Request, account: Account, name: str, action: str) -> Response:
    try:
        found = accounts(request).find(name)
    except NoSuchAccount:
        return back(request, PEOPLE, said(request, WORDS, "no_such_account"))
    return page(request, account, "confirm.html", name=found.name, action=action)


@router.post(f"{PEOPLE}/{{name}}/remove")
def remove(request: Request, account: Administrating, name: str) -> Response:
    """Remove an account; nobody removes their own, so that nobody shuts themselves out by mistake."""
    return _done(request, account, name, "account_removed", lambda: accounts(request).remove(name, account.name))


@router.post(f"{PEOPLE}/{{name}}/role")
def set_role(request: Request, account: Administrating, name: str, role: Annotated[Role, Form()]) -> Response:
    """Make an editor an administrator, or the other way round."""
    return _done(request, account, name, "role_changed", lambda: accounts(request).set_role(name, role, account.name))


@router.post(f"{PEOPLE}/{{name}}/sessions")
def end_sessions(request: Request, account: Administrating, name: str) -> Response:
    """Log an account out everywhere: a lost laptop, a shared computer."""
    try:
        accounts(request).end_sessions(name, account.name)
    except NoSuchAccount as error:
        return trouble(request, PEOPLE, told(request, error))
    return back(request, PEOPLE, said(request, WORDS, "ended_everywhere").format(name))


@router.post(f"{PEOPLE}/{{name}}/password")
def give_password(request: Request, account: Administrating, name: str) -> Response:
    """Replace a forgotten password by one that is shown once."""
    if _own(account, name):
        return back(request, "/staff/password")
    password = one_time_password()
    try:
        changed = accounts(request).set_password(name, password, account.name, must_change=True)
    except AccountError as error:
        return trouble(request, PEOPLE, told(request, error))
    return _given(request, account, changed.name, password)


def _given(request: Request, account: Account, name: str, password: str) -> Response:
    return page(request, account, "given.html", name=name, password=password, here=PEOPLE)


def _own(account: Account, name: str) -> bool:
    return name_key(name) == name_key(account.name)


def _done(request: Request, account: Account, name: str, key: str, change: Callable[[], None]) -> Response:
    if _own(account, name):
        return back(request, PEOPLE, said(request, WORDS, "not_yourself"))
    try:
        change()
    except AccountError as error:
        return trouble(request, PEOPLE, told(request, error))
    return back(request, PEOPLE, said(request, WORDS, key).format(name))


# ── the activity log ────────────────────────────────────────────────────────────────────────────────────────────


@router.get("/staff/log")
def log(
    request: Request,
    account: Editor,
    who: Annotated[str, Query(max_length=200)] = "",
    what: Annotated[str, Query(max_length=100)] = "",
    before: Annotated[int | None, Query(ge=1)] = None,
) -> Response:
    """The newest lines first; an editor sees their own."""
    entries = _entries(request, account, who, what, before, LINES + 1)
    deeds = desk_of(request).deeds[language_of(request)]
    people = audit(request).people() if account.administrates else [account.name]
    return page(
        request, account, "log.html", entries=entries[:LINES], deeds=deeds, who=who, what=what, people=people,
        earlier=entries[LINES - 1].id if len(entries) > LINES else None, told_who=_told_who(request), before=before,
        titles=_titles(request, entries),
    )  # fmt: skip


@router.get("/staff/log.csv")
def log_csv(
    request: Request,
    account: Editor,
    who: Annotated[str, Query(max_length=200)] = "",
    what: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The same lines as a table for a spreadsheet, all of them; times in UTC."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["at", "who", "what", "target", "title", "detail"])
    entries = _entries(request, account, who, what, None, 1_000_000)
    titles = _titles(request, entries)
    for entry in entries:
        title = titles.get(entry.target, "")
        row = (entry.at.isoformat(timespec="seconds"), entry.who, entry.what, entry.target, title, entry.detail)
        writer.writerow([harmless(cell) for cell in row])
    return Response(
        "\ufeff" + buffer.getvalue(),  # the mark tells Excel that it is UTF-8
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="clusterqa-log.csv"', "Cache-Control": "no-store"},
    )


def _entries(request: Request, account: Account, who: str, what: str, before: int | None, limit: int) -> list[Entry]:
    seen = who or None if account.administrates else account.name
    return audit(request).entries(who=seen, what=what or None, before=before, limit=limit)


def _titles(request: Request, entries: Iterable[Entry]) -> dict[str, str]:
    """Titles by what these lines are about: documents as they are called now, answers by their document in either language."""
    about = {entry.target for entry in entries if entry.what.startswith(("document.", "answer.", "questions."))}
    if not about:
        return {}
    try:
        with open_store(service(request).settings.home) as store:
            known = {stored.id: stored.title for stored in store.documents(state=None)}
    except ClusterQAError:  # the log can be read also where there is no index
        return {}
    found = {target: known.get(target) or next((known[name] for name in (f"{target}.lt.md", f"{target}.en.md") if name in known), "")
             for target in about}  # fmt: skip
    return {target: title for target, title in found.items() if title}


def _told_who(request: Request) -> Callable[[str], str]:
    words = WORDS[language_of(request)]

    def told_who(who: str) -> str:
        for beginning, key in ((COMMAND_LINE, "command_line"), (PROVIDER, "oidc_told")):
            if who.startswith(beginning):
                return words[key].format(who.removeprefix(beginning))
        return who

    return told_who
