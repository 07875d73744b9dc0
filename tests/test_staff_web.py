"""The staff desk over HTTP: who gets in, what is refused, and that every change leaves its line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from clusterqa.records import LANGUAGES
from clusterqa.settings import Settings
from clusterqa.staff.accounts import FAILURES_HERE, Role
from clusterqa.staff.database import DATABASE
from clusterqa.staff.exporting import harmless
from clusterqa.web import staff
from clusterqa.web.app import build
from clusterqa.web.staff import desk, oidc, words
from clusterqa.web.staff.login import inside
from clusterqa.web.staff.words import DEEDS, WORDS
from web_fixtures import write_corpus

PASSWORD = "žirafa geria šaltibarščius"
OTHER = "debesis neša geltoną lagaminą"
HTML = {"accept": "text/html"}
TEMPLATES = Path(staff.__file__).parent.parent / "templates" / "staff"
addresses = count(1)


class Browser(TestClient):
    """A browser with an address and cookies of its own; it follows no redirect unasked."""

    name: str
    """Of the account that it is logged in with."""

    def __init__(self, app: FastAPI, base_url: str = "http://testserver") -> None:
        number = next(addresses)
        client = (f"192.0.{number // 250}.{number % 250 + 1}", 50_000)
        super().__init__(
            app, base_url, client=client, follow_redirects=False, headers=HTML, raise_server_exceptions=False
        )

    def csrf(self, path: str = "/staff/password") -> str:
        return cut_out(r'name="csrf" value="([^"]+)"', self.get(path).text)

    def log_in(self, name: str, password: str = PASSWORD, next: str = "", **headers: str):
        form = {"name": name, "password": password, "csrf": self.csrf("/staff/login"), "next": next}
        return self.post("/staff/login", data=form, headers=headers)

    def change(self, path: str, **form: str):
        return self.post(path, data={"csrf": self.csrf(), **form})


def cut_out(pattern: str, text: str) -> str:
    """The part of the text that the pattern has a group for."""
    match = re.search(pattern, text)
    assert match, text
    return match[1]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    base = tmp_path_factory.mktemp("staff")
    return Settings(corpus=write_corpus(base / "corpus"), data=base / "data", frame_ancestors="https://a.example")


@pytest.fixture(scope="module")
def app(settings: Settings) -> Iterator[FastAPI]:
    app = build(settings)  # the desk's own pages need no encoder: the service is not started
    stranger = Browser(app)
    page = stranger.get("/staff/login?lang=lt").text
    assert "Darbuotojų skiltis dar neatverta" in page and "clusterqa staff add VARDAS" in page
    assert "clusterqa staff add NAME" in stranger.get("/staff/login?lang=en").text
    assert "<form" not in page
    accounts(app).add("ada", PASSWORD, "administrator", "cli:root")
    yield app
    app.state.desk.close()


def accounts(app: FastAPI):
    return app.state.desk.parts()[2]


def audit(app: FastAPI):
    return app.state.desk.parts()[1]


names = (f"person{number}" for number in count())


def person(app: FastAPI, role: Role = "editor", **extra: bool) -> str:
    name = next(names)
    accounts(app).add(name, PASSWORD, role, "ada", **extra)
    return name


@pytest.fixture
def stranger(app: FastAPI) -> Browser:
    return Browser(app)


@pytest.fixture
def editor(app: FastAPI) -> Browser:
    browser = Browser(app)
    browser.name = person(app)
    assert browser.log_in(browser.name).status_code == 303
    return browser


@pytest.fixture
def administrator(app: FastAPI) -> Browser:
    browser = Browser(app)
    browser.name = person(app, "administrator")
    assert browser.log_in(browser.name).status_code == 303
    return browser


# ── logging in ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_logging_in_leads_to_the_page_that_was_asked_for(app: FastAPI, stranger: Browser) -> None:
    sent = stranger.get("/staff/log?what=login")
    assert (sent.status_code, sent.headers["location"]) == (303, "/staff/login?next=%2Fstaff%2Flog%3Fwhat%3Dlogin")
    form = stranger.get(sent.headers["location"]).text
    target = cut_out(r'name="next" value="([^"]+)"', form)
    entered = stranger.log_in(person(app), next=target)
    assert (entered.status_code, entered.headers["location"]) == (303, "/staff/log?what=login")
    assert stranger.get("/staff/log?what=login").status_code == 200


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(app: FastAPI) -> None:
    plain = Browser(app).log_in(person(app)).headers["set-cookie"]
    assert re.fullmatch(r"clusterqa_staff=[\w-]{43}\.[\w-]{43}; HttpOnly; Path=/staff; SameSite=lax", plain)
    tls = Browser(app, "https://testserver").log_in(person(app)).headers["set-cookie"]
    assert tls.endswith("; HttpOnly; Path=/staff; SameSite=lax; Secure")


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(app: FastAPI, stranger: Browser) -> None:
    stranger.csrf("/staff/login")
    answers = []
    for name in (person(app), "nobody99"):
        answer = stranger.log_in(name, "ne tas slaptažodis")
        assert answer.status_code == 403 and "clusterqa_staff=" not in answer.headers.get("set-cookie", "")
        answers.append(answer.text.replace(name, "NAME"))
    assert answers[0] == answers[1]
    assert WORDS["lt"]["wrong_password"] in answers[0]


def test_five_failures_lock_the_right_password_out_too(app: FastAPI, stranger: Browser) -> None:
    name = person(app)
    for _ in range(FAILURES_HERE):
        assert stranger.log_in(name, "ne tas slaptažodis").status_code == 403
    locked = stranger.log_in(name)
    assert locked.status_code == 429
    assert re.search(r"Bandykite vėl po \d\d:\d\d val\.", locked.text)
    assert Browser(app).log_in(name).status_code == 303  # from her own address


def test_a_flood_from_one_address_is_stopped_before_any_password_is_checked(
    app: FastAPI, stranger: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []
    monkeypatch.setattr(accounts(app), "check", lambda *values: checked.append(values) or 1 / 0)  # type: ignore[func-returns-value]
    token = stranger.csrf("/staff/login")
    form = {"name": "x", "password": "y", "csrf": token}
    codes = [stranger.post("/staff/login", data=form).status_code for _ in range(40)]
    assert codes[-10:] == [429] * 10
    assert len(checked) == 30


@pytest.mark.parametrize("sent", [{}, {"csrf": "x"}, {"csrf": ""}])
def test_the_log_in_form_needs_its_token(app: FastAPI, stranger: Browser, sent: dict[str, str]) -> None:
    stranger.get("/staff/login")
    answer = stranger.post("/staff/login", data={"name": person(app), "password": PASSWORD, **sent})
    assert answer.status_code == 403 and "clusterqa_staff" not in answer.headers.get("set-cookie", "")


def test_the_log_in_form_of_another_browser_or_site_is_refused(app: FastAPI, stranger: Browser) -> None:
    token = Browser(app).csrf("/staff/login")
    stranger.get("/staff/login")
    form = {"name": person(app), "password": PASSWORD, "csrf": token}
    assert stranger.post("/staff/login", data=form).status_code == 403
    assert stranger.log_in(person(app), **{"sec-fetch-site": "cross-site"}).status_code == 403
    assert stranger.log_in(person(app), origin="https://evil.example").status_code == 403
    assert stranger.log_in(person(app), origin="null").status_code == 403
    assert stranger.log_in(person(app), origin="http://testserver").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "/staff//evil.example", "/staff/../lt", "/staff\\x",
        "/staffing", "/lt/", "javascript:alert(1)", "/staff\r\nset-cookie: x=y", "/staff/login", "/staff/logout", "",
        "/staff@evil.example", "staff", "/staff/%2e%2e", "/staff?next=//evil.example",
    ],
)  # fmt: skip
def test_the_log_in_leads_nowhere_else(app: FastAPI, target: str) -> None:
    location = Browser(app).log_in("ada", next=target).headers["location"]
    assert location == "/staff"


@pytest.mark.parametrize(
    "target",
    [
        "/staff/%2e%2e/", "/staff/%2E%2E/lt/", "/staff/.%2e/lt", "/staff/%2e./lt", "/staff/%252e%252e/lt", "/staff/a/%2e/b",
        "/staff/%2f%2fevil.example", "/staff/%5c%5cevil.example", "/staff/..;/lt", "/staff%2f..",
    ],
)  # fmt: skip
def test_no_spelling_of_a_way_out_of_the_desk_is_gone(target: str) -> None:
    assert inside(target) == "/staff"


def test_paths_of_the_desk_are_gone_to() -> None:
    for target in (
        "/staff",
        "/staff/",
        "/staff/log",
        "/staff/documents?sort=date&q=%C5%BE",
        "/staff/documents/a.lt.md",
    ):
        assert inside(target) == target


# ── what strangers and editors may not ──────────────────────────────────────────────────────────────────────────


def routes(method: str) -> list[str]:
    """Every path of the desk with this method, those of all its parts; parameters filled in."""
    found = [
        re.sub(r"\{[^}]+\}", "1", route.path)
        for router in staff.ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and method in (route.methods or ())
    ]
    return sorted(path for path in set(found) - {"/staff/login"} if not path.startswith(oidc.START))


@pytest.mark.parametrize("path", routes("GET"))
def test_a_page_sends_a_stranger_to_the_log_in(stranger: Browser, path: str) -> None:
    sent = stranger.get(path)
    assert sent.status_code == 303
    assert sent.headers["location"].startswith("/staff/login")


@pytest.mark.parametrize("path", routes("POST"))
def test_a_change_is_refused_without_log_in_without_token_and_from_elsewhere(
    app: FastAPI, administrator: Browser, path: str
) -> None:
    before = audit(app).entries()
    token = administrator.csrf()
    assert Browser(app).post(path, data={"csrf": token}).status_code == 401
    assert administrator.post(path, data={}).status_code == 403
    assert administrator.post(path, data={"csrf": "x" * 43}).status_code == 403
    assert administrator.post(path, headers={b"x-csrf-token": "ž".encode()}).status_code == 403
    for foreign in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
    ):
        for proof in ({"data": {"csrf": token}}, {"headers": {"x-csrf-token": token}}):
            headers = {**proof.get("headers", {}), **foreign}
            assert administrator.post(path, data=proof.get("data"), headers=headers).status_code == 403
    assert audit(app).entries() == before
    assert administrator.get("/staff/password").status_code == 200  # still logged in


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_changes_are_made_by_post_only(method: str) -> None:
    assert routes(method) == []


def test_the_token_of_another_account_is_refused(app: FastAPI, administrator: Browser, editor: Browser) -> None:
    target = person(app)
    answer = administrator.post(f"/staff/people/{target}/remove", data={"csrf": editor.csrf()})
    assert answer.status_code == 403
    assert accounts(app).find(target).name == target


@pytest.mark.parametrize("path", [path for path in routes("GET") if path.startswith("/staff/people")])
def test_accounts_are_for_administrators(editor: Browser, path: str) -> None:
    refused = editor.get(path)
    assert refused.status_code == 403
    assert WORDS["lt"]["administrators_only"] in refused.text


def test_an_editor_cannot_change_accounts(app: FastAPI, editor: Browser) -> None:
    target = person(app)
    token = editor.csrf()
    for path in routes("POST"):
        if path.startswith("/staff/people"):
            form = {"csrf": token, "name": "newcomer", "role": "administrator"}
            assert editor.post(path.replace("/1", f"/{target}"), data=form).status_code == 403, path
    assert accounts(app).find(target).role == "editor"
    assert editor.name not in [line.who for line in audit(app).entries(what="account")]
    page = editor.get("/staff/log").text
    assert "/staff/people" not in page


def test_programs_get_their_refusals_as_json(app: FastAPI, stranger: Browser) -> None:
    refused = stranger.get("/staff/log", headers={"accept": "application/json"})
    assert refused.status_code == 401 and refused.headers["content-type"] == "application/problem+json"
    assert (
        stranger.post("/staff/logout", headers={"x-csrf-token": "x"}).headers["content-type"].startswith("application/")
    )


def test_errors_elsewhere_stay_json_and_those_of_the_desk_are_pages(stranger: Browser, editor: Browser) -> None:
    programme = stranger.get("/nowhere", headers={"accept": "application/json"})
    assert programme.headers["content-type"] == "application/problem+json"
    missing = editor.get("/staff/nowhere")
    assert missing.status_code == 404 and "Tokio puslapio nėra" in missing.text
    assert (
        editor.get("/staffing", headers={"accept": "application/json"}).headers["content-type"]
        == "application/problem+json"
    )


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_logging_out_ends_the_session_on_the_server(app: FastAPI, editor: Browser) -> None:
    cookie = editor.cookies["clusterqa_staff"]
    assert editor.change("/staff/logout").headers["location"] == "/staff/login?out=1"
    thief = Browser(app)
    thief.cookies.set("clusterqa_staff", cookie)
    assert thief.get("/staff/log").status_code == 303
    assert "Jūs atsijungėte" in editor.get("/staff/login?out=1").text


def test_ones_own_password_change_ends_the_other_sessions_and_keeps_this_one(app: FastAPI, editor: Browser) -> None:
    elsewhere = Browser(app)
    elsewhere.log_in(editor.name)
    form = {"old": PASSWORD, "new": OTHER, "again": OTHER}
    assert editor.change("/staff/password", **form).headers["location"] == "/staff"
    assert elsewhere.get("/staff/log").headers["location"].startswith("/staff/login")
    page = editor.get("/staff/log")
    assert page.status_code == 200 and WORDS["lt"]["password_changed"] in page.text
    assert WORDS["lt"]["password_changed"] not in editor.get("/staff/log").text  # said once
    assert Browser(app).log_in(editor.name, PASSWORD).status_code == 403
    assert Browser(app).log_in(editor.name, OTHER).status_code == 303


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({"old": "ne tas slaptažodis", "new": OTHER, "again": OTHER}, "old_wrong"),
        ({"old": PASSWORD, "new": OTHER, "again": OTHER + "!"}, "not_same"),
        ({"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "same_as_old"),
        ({"old": PASSWORD, "new": "password1234", "again": "password1234"}, "password_guessable"),
    ],
)
def test_a_password_change_that_cannot_be_says_why(
    app: FastAPI, editor: Browser, form: dict[str, str], key: str
) -> None:
    refused = editor.change("/staff/password", **form)
    assert refused.status_code == 422 and WORDS["lt"][key] in refused.text
    assert Browser(app).log_in(editor.name, PASSWORD).status_code == 303


def test_guessing_the_old_password_on_an_open_desk_is_locked_out_as_well(editor: Browser) -> None:
    form = {"old": "ne tas slaptažodis", "new": OTHER, "again": OTHER}
    codes = [editor.change("/staff/password", **form).status_code for _ in range(FAILURES_HERE + 1)]
    assert codes == [422] * FAILURES_HERE + [429]


def test_a_removed_account_is_out_at_its_next_click(app: FastAPI, editor: Browser, administrator: Browser) -> None:
    assert editor.get("/staff/log").status_code == 200
    assert administrator.change(f"/staff/people/{editor.name}/remove").headers["location"] == "/staff/people"
    assert editor.get("/staff/log").headers["location"] == "/staff/login?next=%2Fstaff%2Flog&again=1"
    assert WORDS["lt"]["log_in_again"] in editor.get("/staff/login?again=1").text


def test_a_form_written_before_the_session_ended_is_taken_after_logging_in_again(
    app: FastAPI, administrator: Browser
) -> None:
    """What was typed is not lost: the same form, sent again from the page that is still open, goes through."""
    form = {"csrf": administrator.csrf("/staff/people"), "name": next(names), "role": "editor"}
    accounts(app).end_sessions(administrator.name, "ada")
    ended = administrator.post("/staff/people", data=form)
    assert ended.status_code == 401 and WORDS["lt"]["session_ended_text"].split("(")[0].strip() in ended.text
    administrator.log_in(administrator.name)
    assert administrator.post("/staff/people", data=form).status_code == 200
    assert accounts(app).find(form["name"]).role == "editor"


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_colleague_gets_a_password_once_and_must_replace_it(app: FastAPI, administrator: Browser) -> None:
    name = next(names)
    given = administrator.change("/staff/people", name=name, role="editor")
    password = cut_out(r"<code translate=\"no\">([^<]+)</code>", given.text)
    assert password not in administrator.get("/staff/people").text
    newcomer = Browser(app)
    assert newcomer.log_in(name, password).headers["location"] == "/staff/password"
    assert newcomer.get("/staff/log").headers["location"] == "/staff/password"  # nothing else opens before
    assert newcomer.post("/staff/people", data={"csrf": newcomer.csrf()}).status_code == 403
    assert newcomer.change("/staff/password", old=password, new=OTHER, again=OTHER).status_code == 303
    assert newcomer.get("/staff/log").status_code == 200
    assert newcomer.get("/staff/login").headers["location"] == "/staff"  # logged in already: on to the work


def test_a_forgotten_password_is_replaced_and_the_old_one_ends(
    app: FastAPI, editor: Browser, administrator: Browser
) -> None:
    given = administrator.change(f"/staff/people/{editor.name}/password")
    password = cut_out(r"<code translate=\"no\">([^<]+)</code>", given.text)
    assert editor.get("/staff/log").status_code == 303
    assert Browser(app).log_in(editor.name, PASSWORD).status_code == 403
    assert Browser(app).log_in(editor.name, password).headers["location"] == "/staff/password"


@pytest.mark.parametrize(("name", "key"), [("a b", "wrong_name"), ("ada", "name_taken")])
def test_an_account_that_cannot_be_made_says_why_and_keeps_what_was_typed(
    administrator: Browser, name: str, key: str
) -> None:
    refused = administrator.change("/staff/people", name=name, role="editor")
    assert refused.status_code == 422
    assert WORDS["lt"][key] in refused.text and f'value="{name}"' in refused.text


def test_nobody_removes_or_demotes_themselves(app: FastAPI, administrator: Browser) -> None:
    for name in (administrator.name.upper(), f"%20{administrator.name}%E2%80%83"):
        for action, form in (("remove", {}), ("role", {"role": "editor"})):
            administrator.change(f"/staff/people/{name}/{action}", **form)
            assert WORDS["lt"]["not_yourself"] in administrator.get("/staff/people").text
        given = administrator.change(f"/staff/people/{name}/password")  # one's own is changed with the old one
        assert (given.status_code, given.headers["location"]) == (303, "/staff/password")
    assert accounts(app).find(administrator.name).administrates


def test_roles_are_changed_and_questions_come_before_what_cannot_be_undone(
    app: FastAPI, editor: Browser, administrator: Browser
) -> None:
    administrator.change(f"/staff/people/{editor.name}/role", role="administrator")
    assert editor.get("/staff/people").status_code == 200
    asked = administrator.get(f"/staff/people/{editor.name}/remove")
    assert f"Pašalinti paskyrą „{editor.name}“?" in asked.text
    assert accounts(app).find(editor.name).administrates
    assert administrator.get("/staff/people/nobody99/remove").headers["location"] == "/staff/people"
    assert administrator.change("/staff/people/nobody99/role", role="owner").status_code == 422


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_change_made_here_is_in_the_log_with_who_and_what(app: FastAPI, administrator: Browser) -> None:
    name = next(names)
    administrator.change("/staff/people", name=name, role="editor")
    administrator.change(f"/staff/people/{name}/role", role="administrator")
    administrator.change(f"/staff/people/{name}/password")
    administrator.change(f"/staff/people/{name}/sessions")
    administrator.change(f"/staff/people/{name}/remove")
    lines = [(line.what, line.target, line.detail) for line in reversed(audit(app).entries(who=administrator.name))]
    assert lines == [
        ("login", "", ""),
        ("account.added", name, "editor"),
        ("account.role", name, "administrator"),
        ("account.password", name, ""),
        ("account.logged_out", name, ""),
        ("account.removed", name, ""),
    ]
    for language in LANGUAGES:
        page = administrator.get(f"/staff/log?lang={language}&who={administrator.name}").text
        for what, _, _ in lines:
            assert DEEDS[language][what] in page
    csv = administrator.get(f"/staff/log.csv?who={administrator.name}")
    assert csv.headers["content-type"] == "text/csv; charset=utf-8"
    assert len(csv.text.splitlines()) == 1 + len(lines)


def test_an_editor_reads_only_their_own_lines(editor: Browser, administrator: Browser) -> None:
    page = editor.get(f"/staff/log?who={administrator.name}").text
    assert f">{editor.name}</td>" in page and f">{administrator.name}<" not in page
    assert administrator.name not in editor.get(f"/staff/log.csv?who={administrator.name}").text


def test_long_logs_are_read_page_by_page(app: FastAPI, editor: Browser) -> None:
    for number in range(150):
        audit(app).record(editor.name, "document.published", f"document-{number:03}.md")
    first = editor.get("/staff/log").text
    following = cut_out(r'href="(/staff/log\?[^"]+before=\d+)"', first).replace("&amp;", "&")
    second = editor.get(following).text
    shown = [re.findall(r"document-\d{3}", page) for page in (first, second)]
    assert shown[0] == [f"document-{number:03}" for number in range(149, 49, -1)]
    assert shown[1] == [f"document-{number:03}" for number in range(49, -1, -1)]


def test_what_stands_in_the_log_is_shown_as_text(app: FastAPI, editor: Browser) -> None:
    audit(app).record(editor.name, "document.published", "<script>window.hacked = 1</script>", "=cmd|' /C calc'!A0")
    page = editor.get("/staff/log").text
    assert "<script>window" not in page and "&lt;script&gt;window" in page
    assert "'=cmd" in editor.get("/staff/log.csv").text


@pytest.mark.parametrize(
    ("cell", "harmless_one"),
    [
        ("-1", "'-1"), ("@x", "'@x"), ("a=b", "a=b"), ("\tx", "'\tx"), ("＝1+1", "'＝1+1"), ("", ""), ("a - b, +370", "a - b, +370"),
        ("kaina;=1+1", "kaina;'=1+1"), ("kaina,@SUM(1)", "kaina,'@SUM(1)"), ("kaina\n=1", "kaina\n'=1"), ("a|-1;+2", "a|'-1;'+2"),
    ],
)  # fmt: skip
def test_no_spreadsheet_finds_a_formula_whatever_it_takes_for_the_end_of_a_cell(cell: str, harmless_one: str) -> None:
    assert harmless(cell) == harmless_one


# ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_language_is_chosen_on_every_page_and_remembered(stranger: Browser) -> None:
    assert '<html lang="lt">' in stranger.get("/staff/login").text
    english = stranger.get("/staff/login?next=%2Fstaff%2Flog&lang=en")
    assert '<html lang="en">' in english.text and "Log in to the staff desk" in english.text
    assert "/staff/login?next=%2Fstaff%2Flog&amp;lang=lt" in english.text
    assert '<html lang="en">' in stranger.get("/staff/login").text
    assert stranger.get("/").headers["location"] == "/en/"  # the chat's choice is the same one


def test_the_language_asked_for_is_the_log_ins_too(stranger: Browser) -> None:
    sent = stranger.get("/staff/log?lang=en").headers["location"]
    assert sent == "/staff/login?next=%2Fstaff%2Flog%3Flang%3Den&lang=en"
    assert '<html lang="en">' in stranger.get(sent).text
    unknown = stranger.get("/staff/people?lang=xx").headers["location"]
    assert unknown == "/staff/login?next=%2Fstaff%2Fpeople%3Flang%3Dxx"


def test_pages_are_not_kept_by_the_browser_and_never_stand_in_a_frame(editor: Browser) -> None:
    page = editor.get("/staff/log")
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "style-src 'self';" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy  # though the chat may, on https://a.example


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_templates_hold_no_script_and_no_style_of_their_own(template: Path) -> None:
    """The content security policy would not run them."""
    text = template.read_text(encoding="utf-8")
    assert not re.search(r"<style|<script(?![^>]* src=)|\sstyle=|\son\w+=|javascript:", text)


@pytest.mark.parametrize("template", sorted(TEMPLATES.glob("*.html")), ids=lambda path: path.name)
def test_every_form_that_changes_something_holds_a_token(template: Path) -> None:
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", template.read_text(encoding="utf-8"), re.DOTALL):
        assert "csrf" in form, form[:200]


def test_both_languages_say_the_same_things() -> None:
    modules = [words, *(module for name, module in vars(staff).items() if name.startswith("words_"))]
    for module in modules:
        for table in (getattr(module, name) for name in ("WORDS", "DEEDS") if hasattr(module, name)):
            assert table["lt"].keys() == table["en"].keys(), module.__name__
            for key, told in table["lt"].items():
                assert told.count("{") == table["en"][key].count("{"), key
    for part in staff.DEEDS:
        assert part["lt"].keys() == part["en"].keys()


def test_a_desk_that_cannot_be_opened_leaves_the_rest_alone(tmp_path: Path) -> None:
    settings = Settings(corpus=write_corpus(tmp_path / "corpus"), data=tmp_path / "data")
    settings.data.mkdir()
    (settings.data / DATABASE).write_bytes(b"not a database" * 100)
    app = build(settings)
    browser = Browser(app)
    page = browser.get("/staff/login")
    assert page.status_code == 503 and WORDS["lt"]["unusable"] in page.text
    assert browser.get("/healthz").status_code == 200
    (settings.data / DATABASE).unlink()
    assert browser.get("/staff/login").status_code == 200  # put right, it works without a restart
    app.state.desk.close()


def test_times_are_told_on_the_clock_of_lithuania() -> None:
    from datetime import UTC, datetime

    winter, summer = datetime(2026, 1, 5, 22, 30, tzinfo=UTC), datetime(2026, 7, 5, 9, 5, tzinfo=UTC)
    assert words.told_time(winter, "lt") == "2026 m. sausio 6 d., 00:30"
    assert words.told_time(summer, "en") == "5 July 2026, 12:05"
    assert words.told_time(None, "lt") == "dar niekada"


def test_paths_keep_the_prefix_that_the_app_is_mounted_at(settings: Settings, app: FastAPI) -> None:
    mounted = TestClient(app, root_path="/labels", follow_redirects=False, headers=HTML, client=("192.0.2.250", 1))
    sent = mounted.get("/labels/staff/log")
    assert sent.headers["location"].startswith("/labels/staff/login")
    assert 'href="/labels/static/staff.css"' in mounted.get("/labels/staff/login").text
    assert desk.SESSION_COOKIE == "clusterqa_staff"
