"""
What every page of the staff desk uses: who is asking, may they, and the page around what they came for.

    @router.get("/staff/things")
    def things(request: Request, account: Editor) -> Response:
        return page(request, account, "things.html", words=WORDS, things=…)

    @router.post("/staff/things")
    def add(request: Request, account: Changing, title: Annotated[str, Form()]) -> Response:
        …
        audit(request).record(account.name, "thing.added", title)
        return back(request, "/staff/things", words["added"])

A form that changes something holds `{{ csrf_field() }}`; a script sends `desk.csrf` of the page (`<body data-csrf>`) as
the header X-CSRF-Token. FastAPI reads a declared body before it asks who sends it: a route that takes files declares no
Form or File beside `Changing`, but reads `request.stream()` or `request.form()` itself.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

from fastapi import Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from clusterqa.errors import ClusterQAError
from clusterqa.records import LANGUAGES, Language
from clusterqa.staff.accounts import Account, Accounts, Role, Session
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database, open_database
from clusterqa.staff.factor import Factors
from clusterqa.staff.keys import Keys
from clusterqa.staff.oidc import Provider
from clusterqa.web import render
from clusterqa.web import words as public
from clusterqa.web.service import Service
from clusterqa.web.staff.gate import Gate
from clusterqa.web.staff.words import WORDS, clock, told_time
from clusterqa.web.templating import Environment

SESSION_COOKIE = "clusterqa_staff"
LANGUAGE_COOKIE = "clusterqa_language"
LANGUAGE_SECONDS = 365 * 24 * 3600

Words = Mapping[Language, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the navigation: its path below the server's root, the key of its word, who sees it."""

    path: str
    word: str
    role: Role = "editor"


class Refused(ClusterQAError):
    """A request that is not carried out; `key` names the words that say why and what to do."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(WORDS["en"][key])
        self.status = status
        self.key = key


class LogInFirst(ClusterQAError):
    """Nobody is logged in; a page that was to be read sends the reader to the log-in page and back."""


class Desk:
    """What the desk keeps open, from the first request on: a data folder that cannot be written must not stop the chat."""

    def __init__(self, service: Service, sections: tuple[Section, ...], deeds: Words) -> None:
        self.service = service
        self.sections = sections
        self.deeds = deeds
        self.gate = Gate()
        self.provider = Provider(service.settings) if service.settings.oidc_issuer else None
        self.provider_gate = Gate()
        """One of its own: a provider that is slow must not hold up those who log in with a password."""
        self._lock = threading.Lock()
        self._database: Database | None = None
        self._audit: Audit | None = None
        self._accounts: Accounts | None = None

    def parts(self) -> tuple[Database, Audit, Accounts]:
        """The file of the desk and what stands on it; raises StoreError as long as it cannot be opened."""
        with self._lock:
            if self._database is None or self._audit is None or self._accounts is None:
                settings = self.service.settings
                database = open_database(settings.home)
                try:
                    self._audit = Audit(database)
                    self._accounts = Accounts(database, self._audit, settings.session_hours, settings.oidc_issuer)
                except ClusterQAError:
                    database.close()
                    raise
                self._database = database
            return self._database, self._audit, self._accounts

    def close(self) -> None:
        with self._lock:
            if self._database is not None:
                self._database.close()
            self._database = self._audit = self._accounts = None


# ── what a route asks for ───────────────────────────────────────────────────────────────────────────────────────


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def service(request: Request) -> Service:
    return desk_of(request).service


def database(request: Request) -> Database:
    """The desk's book, for parts of the desk that have tables of their own in it."""
    return desk_of(request).parts()[0]


def audit(request: Request) -> Audit:
    return desk_of(request).parts()[1]


def accounts(request: Request) -> Accounts:
    return desk_of(request).parts()[2]


def keys(request: Request) -> Keys:
    return service(request).keys()


def factors(request: Request) -> Factors:
    return Factors(*desk_of(request).parts())


def language_of(request: Request) -> Language:
    """The language asked for in the address, else the one chosen last, here or in the chat, else the browser's."""
    wishes = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
    return public.page_language(request.headers.get("accept-language", ""), *wishes)


def root(request: Request) -> str:
    """The path the whole app is mounted at; "" when it is not below another."""
    return str(request.scope.get("root_path", ""))


def session_of(request: Request) -> Session | None:
    """Who is logged in, if anybody; looked up once a request."""
    if not hasattr(request.state, "session"):
        token = request.cookies.get(SESSION_COOKIE)
        request.state.session = accounts(request).session(token) if token else None
    session: Session | None = request.state.session
    return session


def logged_in(request: Request) -> Account:
    session = session_of(request)
    if session is None:
        raise LogInFirst("Log in first, at /staff/login.")
    return session.account


def editor(request: Request) -> Account:
    """
    Anybody of the staff. Nobody logged in: to the log-in page; a password given out: first to be changed; no second factor where
    the settings require one: first to be set up.
    """
    account = logged_in(request)
    if account.must_change:
        raise Refused(403, "change_first")
    if lacks_factor(request, account):
        raise Refused(403, "factor_first")
    return account


def lacks_factor(request: Request, account: Account) -> bool:
    """Whether this account must set a second factor up before anything else; a provider asks for one itself."""
    return factor_required(request, account) and not factors(request).on(account)


def factor_required(request: Request, account: Account) -> bool:
    return service(request).settings.second_factor == "required" and not account.issuer


def administrator(request: Request) -> Account:
    """An administrator; 403 for an editor."""
    account = editor(request)
    if not account.administrates:
        raise Refused(403, "administrators_only")
    return account


def csrf_token(request: Request, account: Account) -> str:
    """
    What a form must bring back. It belongs to the account and its password, not to the session: who has been logged out in
    the middle of a long text logs in again and sends the same form, and loses nothing.
    """
    return accounts(request).signature("csrf", f"{account.id} {account.password_at.isoformat()}")


def same_origin(request: Request) -> bool:
    """Whether a request comes from a page of ours, as far as the browser says; programs say nothing, and pass."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _sent_token(request: Request) -> str:
    """The CSRF token of the header, else of the form; a body is read only when there is no header."""
    if (header := request.headers.get("x-csrf-token")) is not None:
        return header
    kind = request.headers.get("content-type", "")
    if not kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        return ""
    sent = (await request.form()).get("csrf")
    return sent if isinstance(sent, str) else ""


def _ours(request: Request) -> Account:
    account = logged_in(request)
    if not same_origin(request):
        raise Refused(403, "foreign_form")
    return account


def checked(request: Request, account: Account, token: str) -> Account:
    """The account, when the token is its own; 403 otherwise."""
    if not compare_digest(token.encode("utf-8", "replace"), csrf_token(request, account).encode()):
        raise Refused(403, "wrong_token")
    return account


def changing_own(
    request: Request, account: Annotated[Account, Depends(_ours)], token: Annotated[str, Depends(_sent_token)]
) -> Account:
    """For changes to one's own account: logged in, from a page of ours, with the token."""
    return checked(request, account, token)


def changing(request: Request, account: Annotated[Account, Depends(changing_own)]) -> Account:
    """For every POST of an editor: logged in, from a page of ours, with the CSRF token (field `csrf` or X-CSRF-Token)."""
    return editor(request)


def administrating(request: Request, account: Annotated[Account, Depends(changing_own)]) -> Account:
    """The same for a POST of an administrator."""
    return administrator(request)


Editor = Annotated[Account, Depends(editor)]
Administrator = Annotated[Account, Depends(administrator)]
Changing = Annotated[Account, Depends(changing)]
Administrating = Annotated[Account, Depends(administrating)]


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────

_ENVIRONMENT = Environment("templates/staff")
_TROUBLE = "\N{WARNING SIGN} "
"""Stands before a message that tells a trouble, where it waits for the next page."""


@pass_context
def _csrf_field(context: Context) -> Markup:
    return Markup('<input type="hidden" name="csrf" value="{}">').format(context["desk"]["csrf"])


_ENVIRONMENT.globals.update(
    csrf_field=_csrf_field, told_date=public.told_date, told_time=told_time, clock=clock, drawn=render.drawn,
    drawn_passage=render.drawn_passage, marks=public.QUOTATION_MARKS,
)  # fmt: skip


def page(
    request: Request,
    account: Account | None,
    template: str,
    *,
    words: Words | None = None,
    status: int = 200,
    here: str | None = None,
    **context: Any,
) -> HTMLResponse:
    """
    A page of the desk from a template of templates/staff, which extends "base.html".

    In the template: `language`; `w`, the desk's words with those of `words`; `root`, to be put before every path ("{{ root
    }}/staff/documents"); `desk` with account, csrf, sections, message (and whether it tells a trouble), here. `here` is the path that the language switch
    leads to, when that is not the address of the request (as after a form with mistakes).
    """
    language = language_of(request)
    session = session_of(request) if account else None
    begins = account is None or account.must_change or lacks_factor(request, account)
    message = accounts(request).take_message(session) if session else ""
    path = here or request.url.path.removeprefix(root(request))
    query = {} if here else {k: v for k, v in request.query_params.items() if k != "lang"}
    base = root(request)
    html = _ENVIRONMENT.get_template(template).render(
        language=language,
        w={**public.WORDS[language], **WORDS[language], **(words[language] if words else {})},
        root=base,
        desk={
            "account": account,
            "csrf": csrf_token(request, account) if account else "",
            "sections": [
                s
                for s in desk_of(request).sections
                if account and not begins and (s.role == "editor" or account.administrates)
            ],
            "message": message.removeprefix(_TROUBLE),
            "trouble": message.startswith(_TROUBLE),
            "here": path,
            "languages": {code: f"{base}{path}?{urlencode([*query.items(), ('lang', code)])}" for code in LANGUAGES},
        },
        **context,
    )
    response = HTMLResponse(html, status, headers={"Cache-Control": "no-store"})
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, language, max_age=LANGUAGE_SECONDS, path="/", samesite="lax")
    return response


def fragment(request: Request, template: str, *, words: Words | None = None, **context: Any) -> HTMLResponse:
    """A piece of a page, for a script that keeps it up to date; without the page around it."""
    language = language_of(request)
    html = _ENVIRONMENT.get_template(template).render(
        language=language,
        w={**public.WORDS[language], **WORDS[language], **(words[language] if words else {})},
        root=root(request),
        **context,
    )
    return HTMLResponse(html, headers={"Cache-Control": "no-store"})


def flash(request: Request, text: str) -> None:
    """Leave a text for the next page that this person opens."""
    if (session := session_of(request)) is not None:
        accounts(request).leave_message(session, text)


def back(request: Request, path: str, text: str = "") -> Response:
    """After a change that was made: to a page of the desk, with a text on top of it."""
    if text:
        flash(request, text)
    return RedirectResponse(root(request) + path, 303)


def trouble(request: Request, path: str, text: str) -> Response:
    """After a change that could not be made: to a page of the desk, with what was in its way on top."""
    return back(request, path, _TROUBLE + text)


def said(request: Request, words: Words, key: str) -> str:
    """A word of this request's language, for `flash` and `back`."""
    return words[language_of(request)][key]
