"""API keys: made and revoked at the desk, known by their checksum only, with limits and sites of their own."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fastapi import FastAPI
from fastapi.testclient import TestClient

from clusterqa.cli import cli
from clusterqa.settings import Settings
from clusterqa.staff.audit import Audit, export
from clusterqa.staff.database import DATABASE, Database
from clusterqa.staff.keys import (
    SHOWN,
    KeyNameTaken,
    KeyProblem,
    Keys,
    NoSuchKey,
    TooManyOrigins,
    WrongKey,
    WrongKeyName,
    WrongLimit,
    WrongOrigin,
)
from clusterqa.web.app import build
from clusterqa.web.staff.words_keys import DEEDS, WORDS
from test_staff_web import Browser, person

SITE = "https://portal.example.lt"
ASKED = {"question": "Kas yra klasteris?"}


@pytest.fixture
def keys(database: Database) -> Keys:
    return Keys(database, Audit(database))


# ── kept ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_is_long_and_stands_nowhere(keys: Keys, database: Database) -> None:
    key, secret = keys.add("portal", 600, "", "rasa")
    assert re.fullmatch(r"cqa_[\w-]{43}", secret)
    assert (key.beginning, keys.check(secret).id) == (secret[:SHOWN], key.id)
    with database.using() as db:
        assert secret[SHOWN:] not in str([database.rows(db, table).fetchall() for table in database.columns(db)])


def test_what_is_no_key_or_none_any_more_is_refused(keys: Keys) -> None:
    key, secret = keys.add("portal", 600, "", "rasa")
    for wrong in ("", "cqa_", secret[:-1], secret + "x", secret.upper(), "cqa_ž" + "\ud800", "Bearer"):
        with pytest.raises(WrongKey):
            keys.check(wrong)
    keys.revoke(key.id, "rasa")
    with pytest.raises(WrongKey):
        keys.check(secret)
    for number in (key.id, 0, -(10**30), 10**30):  # SQLite holds no number as large
        with pytest.raises(NoSuchKey):
            keys.revoke(number, "rasa")
    keys.add("portal", 0, "", "rasa")  # the name is free again


def test_the_last_use_is_known_to_the_minute(keys: Keys) -> None:
    key, secret = keys.add("portal", 600, "", "rasa")
    assert key.used_at is None
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for seconds, known in ((0, 0), (59, 0), (60, 60), (30, 60)):
        keys.check(secret, noon + timedelta(seconds=seconds))
        assert keys.find(key.id).used_at == noon + timedelta(seconds=known)


def test_sites_are_written_as_browsers_send_them(keys: Keys) -> None:
    given = " https://Portal.example.lt/,\nhttp://[::1]:3000  https://portal.example.lt *"
    key, _ = keys.add("portal", 600, given, "rasa")
    assert key.origins == (SITE, "http://[::1]:3000", "*")
    assert keys.origins() == {*key.origins}
    keys.change(key.id, 600, "", "rasa")
    assert keys.origins() == frozenset()


@pytest.mark.parametrize(
    ("name", "limit", "sites", "error"),
    [
        ("", 1, "", WrongKeyName), ("  ", 1, "", WrongKeyName), ("ž" * 65, 1, "", WrongKeyName), ("a\0b", 1, "", WrongKeyName),
        ("PORTAL", 1, "", KeyNameTaken), ("new", -1, "", WrongLimit), ("new", 100_001, "", WrongLimit),
        ("new", 1, "portal.example.lt", WrongOrigin), ("new", 1, f"{SITE}/path", WrongOrigin), ("new", 1, "null", WrongOrigin),
        ("new", 1, "https://*.example.lt", WrongOrigin), ("new", 1, "javascript:alert(1)", WrongOrigin),
        ("new", 1, " ".join(f"https://{n}.example.lt" for n in range(21)), TooManyOrigins),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_made_says_why(
    keys: Keys, name: str, limit: int, sites: str, error: type[KeyProblem]
) -> None:
    keys.add("portal", 600, "", "rasa")
    with pytest.raises(error) as refused:
        keys.add(name, limit, sites, "rasa")
    assert [key.name for key in keys.everyone()] == ["portal"]
    for language in ("lt", "en"):
        assert refused.value.key in WORDS[language]


def test_every_change_is_in_the_log_and_no_secret_is(keys: Keys, database: Database) -> None:
    key, secret = keys.add("Portalas", 600, SITE, "rasa")
    keys.change(key.id, 600, SITE, "rasa")  # no change, no line
    keys.change(key.id, 0, "", "jonas")
    keys.revoke(key.id, "cli:root")
    lines = Audit(database).entries(what="key")
    assert [(line.who, line.what, line.target, line.detail) for line in reversed(lines)] == [
        ("rasa", "key.added", "Portalas", f"600/min {SITE}"),
        ("jonas", "key.changed", "Portalas", "∞"),
        ("cli:root", "key.revoked", "Portalas", ""),
    ]
    assert secret not in str(lines)
    assert {line.what for line in lines} == set(DEEDS["lt"])


# ── at the desk ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    """An app that was not started: whoever is let in is told that nothing can be answered yet."""
    (tmp_path / "corpus").mkdir()
    app = build(Settings(corpus=tmp_path / "corpus", data=tmp_path / "data", rate_limit=5))
    yield app
    app.state.service.stop()
    app.state.desk.close()


@pytest.fixture
def administrator(app: FastAPI) -> Browser:
    return logged_in(app, "administrator")


def logged_in(app: FastAPI, role: str) -> Browser:
    browser = Browser(app)
    browser.name = person(app, role)  # type: ignore[arg-type]
    browser.log_in(browser.name)
    return browser


def test_an_administrator_makes_a_key_that_is_shown_once(app: FastAPI, administrator: Browser) -> None:
    given = administrator.change("/staff/keys", name="Portalas <b>", limit="2", sites=SITE)
    assert given.headers["cache-control"] == "no-store"
    secret = re.findall(r"cqa_[\w-]{43}", given.text)[0]
    assert f"Authorization: Bearer {secret}" in given.text
    listed = administrator.get("/staff/keys").text
    assert secret not in listed and f"{secret[:SHOWN]}…" in listed
    assert "Portalas &lt;b&gt;" in listed and SITE in listed and WORDS["lt"]["keys_none"] not in listed
    assert programme(app, secret).status_code == 503
    assert "dar niekada" not in administrator.get("/staff/keys").text


def test_a_key_is_changed_and_revoked_after_a_question(app: FastAPI, administrator: Browser) -> None:
    key, secret = app.state.service.keys().add("Portalas", 2, SITE, "rasa")
    page = administrator.get(f"/staff/keys/{key.id}").text
    assert f'value="{SITE}"' in page and 'value="2"' in page
    assert administrator.change(f"/staff/keys/{key.id}", limit="7", sites="").headers["location"] == "/staff/keys"
    assert app.state.service.keys().find(key.id).rate_limit == 7
    assert "Panaikinti raktą „Portalas“?" in administrator.get(f"/staff/keys/{key.id}/revoke").text
    assert programme(app, secret).status_code == 503
    administrator.change(f"/staff/keys/{key.id}/revoke")
    assert WORDS["lt"]["key_revoked"].format("Portalas") in administrator.get("/staff/keys").text
    assert programme(app, secret).status_code == 401
    for path in (f"/staff/keys/{key.id}", f"/staff/keys/{key.id}/revoke"):
        assert administrator.get(path).headers["location"] == "/staff/keys"
        assert administrator.change(path, limit="7").headers["location"] == "/staff/keys"


def test_what_was_typed_stays_when_a_key_cannot_be_made_or_changed(app: FastAPI, administrator: Browser) -> None:
    refused = administrator.change("/staff/keys", name="Portalas", limit="9", sites="portalas.example.lt")
    assert refused.status_code == 422
    assert WORDS["lt"]["wrong_origin"].format("portalas.example.lt") in refused.text
    assert (
        'value="Portalas"' in refused.text
        and 'value="9"' in refused.text
        and 'value="portalas.example.lt"' in refused.text
    )
    key, _ = app.state.service.keys().add("Portalas", 2, "", "rasa")
    refused = administrator.change(f"/staff/keys/{key.id}", limit="200000", sites=SITE)
    assert (refused.status_code, WORDS["lt"]["wrong_limit"] in refused.text) == (422, True)


def test_keys_are_for_administrators(app: FastAPI) -> None:
    editor = logged_in(app, "editor")
    key, _ = app.state.service.keys().add("Portalas", 2, "", "rasa")
    token = editor.csrf()
    for path in ("/staff/keys", f"/staff/keys/{key.id}", f"/staff/keys/{key.id}/revoke"):
        assert editor.get(path).status_code == 403
        form = {"csrf": token, "name": "mine", "limit": "0", "sites": "*"}
        assert editor.post(path, data=form).status_code == 403
    assert "/staff/keys" not in editor.get("/staff/log").text
    assert [(key.name, key.rate_limit) for key in app.state.service.keys().everyone()] == [("Portalas", 2)]


# ── at the doors ────────────────────────────────────────────────────────────────────────────────────────────────


def programme(app: FastAPI, secret: str = "", path: str = "/api/v1/ask", **headers: str):
    """What a program gets that asks with this key."""
    if secret:
        headers["authorization"] = f"Bearer {secret}"
    return TestClient(app, client=("192.0.2.9", 50_000)).post(path, json=ASKED, headers=headers)


@pytest.mark.parametrize("path", ["/api/v1/ask", "/api/v1/ask:batch", "/api/v1/feedback", "/api/v1/nosuch", "/mcp"])
@pytest.mark.parametrize("secret", ["cqa_" + "x" * 43, "sk-1234", "x"])
def test_a_wrong_key_is_refused_at_every_door(app: FastAPI, path: str, secret: str) -> None:
    answer = programme(app, secret, path)
    assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert "wrong or was revoked" in answer.json()["detail"] and secret not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer anonymous", "Basic dXNlcjpwYXNz", "bearer  anonymous "]
)
def test_without_a_key_everything_is_as_for_any_reader(app: FastAPI, given: str) -> None:
    answer = programme(app, authorization=given)
    assert answer.status_code == 503  # let in, and told that the server is starting
    assert answer.headers["ratelimit-policy"] == '"client";q=5;w=60'


def test_a_key_without_its_scheme_is_not_taken_for_none(app: FastAPI) -> None:
    answer = programme(app, authorization="cqa_" + "x" * 43)
    assert (answer.status_code, "Authorization: Bearer KEY" in answer.json()["detail"]) == (401, True)


def test_a_key_revoked_by_another_process_ends_at_once(app: FastAPI) -> None:
    key, secret = app.state.service.keys().add("portal", 0, "", "rasa")
    assert programme(app, secret).status_code == 503
    data = app.state.service.settings.data
    subprocess.run([sys.executable, "-c", f"""
from pathlib import Path
from clusterqa.settings import Home
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import open_database
from clusterqa.staff.keys import Keys
database = open_database(Home(Path({str(data)!r})))
Keys(database, Audit(database)).revoke({key.id}, "cli:root")
"""], check=True)  # fmt: skip
    assert programme(app, secret).status_code == 401


def test_a_key_has_a_limit_of_its_own_and_every_answer_says_what_is_left(app: FastAPI) -> None:
    (_, few), (_, more) = (
        app.state.service.keys().add(name, limit, "", "rasa") for name, limit in (("a", 2), ("b", 9))
    )
    told = [programme(app, few) for _ in range(3)]
    assert [answer.status_code for answer in told] == [503, 503, 429]
    assert {answer.headers["ratelimit-policy"] for answer in told} == {'"key";q=2;w=60'}
    left = [re.fullmatch(r'"key";r=(\d+);t=(\d+)', answer.headers["ratelimit"]) for answer in told]
    assert [int(found[1]) for found in left if found] == [1, 0, 0]
    assert all(0 < int(found[2]) <= 60 for found in left if found)
    assert 0 < int(told[2].headers["retry-after"]) <= 60
    assert programme(app, more).headers["ratelimit"].startswith('"key";r=8;')
    assert programme(app).headers["ratelimit"].startswith('"client";r=4;')


def test_more_at_once_than_the_limit_ever_allows_is_said_and_not_put_off(app: FastAPI) -> None:
    client = TestClient(app)
    answer = client.post("/api/v1/ask:batch", json={"questions": [ASKED] * 6})
    assert (answer.status_code, "retry-after" in answer.headers) == (422, False)
    assert "5 questions a minute are allowed, so 6 at once never pass" in answer.json()["detail"]


def test_without_a_limit_nothing_is_said_of_one(app: FastAPI) -> None:
    _, secret = app.state.service.keys().add("free", 0, "", "rasa")
    assert not [name for name in programme(app, secret).headers if name.startswith("ratelimit")]


def test_keys_do_not_stand_in_the_servers_log(app: FastAPI, caplog: pytest.LogCaptureFixture) -> None:
    _, secret = app.state.service.keys().add("portal", 1, "", "rasa")
    with caplog.at_level(logging.DEBUG):
        for sent in (secret, secret, secret + "x"):
            programme(app, sent)
        programme(app, secret, "/api/v1/ask?key=" + secret)
    logged = "".join(str(vars(record)) for record in caplog.records if not record.name.startswith("httpx"))
    assert secret[SHOWN:] not in logged


def test_the_pages_and_probes_look_at_no_key(app: FastAPI) -> None:
    client = TestClient(app, headers={"authorization": "Bearer wrong"})
    for path in ("/lt/", "/healthz", "/api/docs", "/staff/login"):
        answer = client.get(path)
        assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)


def test_while_the_desks_file_cannot_be_used_keys_are_put_off_and_readers_are_not(app: FastAPI) -> None:
    _, secret = app.state.service.keys().add("portal", 1, "", "rasa")
    path = app.state.service.settings.data / DATABASE
    path.rename(path.with_suffix(".away"))
    answer = programme(app, secret)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert "Keys cannot be looked up" in answer.json()["detail"]
    assert "Keys" not in programme(app).json()["detail"]


# ── at the command line ─────────────────────────────────────────────────────────────────────────────────────────


def at_the_command_line(app: FastAPI, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["keys", *arguments, "--data", str(app.state.service.settings.data)])


def test_a_key_made_at_the_command_line_holds_in_a_running_server_and_ends_there(app: FastAPI) -> None:
    made = at_the_command_line(app, "add", "portal", "--limit", "2", "--site", SITE)
    assert made.exit_code == 0
    assert re.fullmatch(r"cqa_[\w-]{43}\n", made.stdout)  # alone, so that it can be sent into a file
    secret = made.stdout.strip()
    assert secret not in made.stderr
    assert programme(app, secret).headers["ratelimit-policy"] == '"key";q=2;w=60'
    listed = at_the_command_line(app, "list").stdout
    assert listed.startswith(f"portal (2 questions a minute), {SITE}  [{secret[:SHOWN]}…]  last used 20")
    assert secret not in listed

    assert (
        at_the_command_line(app, "change", "Portal", "--limit", "0").stdout == f"Changed: portal (no limit), {SITE}\n"
    )
    assert "ratelimit" not in programme(app, secret).headers
    assert at_the_command_line(app, "change", "portal", "--no-sites").stdout == "Changed: portal (no limit)\n"
    assert at_the_command_line(app, "remove", "PORTAL").stdout == "Removed: portal\n"
    assert programme(app, secret).status_code == 401
    entries = list(export(app.state.service.settings.home))
    assert [entry["what"] for entry in entries] == ["key.added", "key.changed", "key.changed", "key.revoked"]
    assert all(str(entry["who"]).startswith("cli:") for entry in entries)


def test_programs_read_the_keys_as_json_and_a_secret_only_where_it_is_made(app: FastAPI) -> None:
    made = json.loads(at_the_command_line(app, "add", "portal", "--json").stdout)
    assert app.state.service.keys().check(made["key"]).name == made["name"] == "portal"
    assert made["rate_limit"] == Settings().rate_limit
    [listed] = json.loads(at_the_command_line(app, "list", "--json").stdout)
    assert {**listed, "used_at": None} == {name: value for name, value in made.items() if name != "key"}


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("add", "portal"), 1, "There is a key portal already"), (("remove", "none"), 1, "clusterqa keys list"),
        (("add", "x", "--site", "portal.example.lt"), 1, "not the address of a site"), (("add", "x", "--limit", "-1"), 1, "from 0"),
        (("change", "portal"), 2, "--limit, --site or --no-sites"), (("change", "none", "--limit", "1"), 1, "There is no key none"),
        (("change", "portal", "--no-sites", "--site", SITE), 2, "not both"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_to_keys_says_why(app: FastAPI, arguments: tuple[str, ...], status: int, told: str) -> None:
    app.state.service.keys().add("portal", 600, "", "rasa")
    refused = at_the_command_line(app, *arguments)
    assert (refused.exit_code, refused.stdout) == (status, "")
    assert told in refused.stderr
    assert [key.rate_limit for key in app.state.service.keys().everyone()] == [600]


# ── pages of other sites ────────────────────────────────────────────────────────────────────────────────────────


def preflight(app: FastAPI, origin: str):
    asked = {
        "origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,x-mine",
    }  # fmt: skip
    return TestClient(app).options("/api/v1/ask", headers=asked)


def test_the_sites_of_a_key_may_use_that_key_only(app: FastAPI) -> None:
    (_, theirs), (_, other) = (
        app.state.service.keys().add(name, 0, sites, "rasa") for name, sites in (("a", SITE), ("b", ""))
    )
    before = preflight(app, SITE)
    assert before.status_code == 200
    assert before.headers["access-control-allow-origin"] == SITE
    assert before.headers["access-control-allow-headers"] == "authorization,x-mine"
    answer = programme(app, theirs, origin=SITE)
    assert answer.headers["access-control-allow-origin"] == SITE
    assert "RateLimit" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers
    for wrong in (
        programme(app, other, origin=SITE),
        programme(app, origin=SITE),
        programme(app, "cqa_x", origin=SITE),
    ):
        assert "access-control-allow-origin" not in wrong.headers
        assert wrong.headers["vary"] == "Origin"
    stranger = preflight(app, "https://evil.example")
    assert (stranger.status_code, stranger.headers["content-type"]) == (405, "application/problem+json")


@pytest.mark.parametrize(("allowed", "site"), [(SITE, SITE), (f"https://a.example {SITE}", SITE), ("*", "null")])
def test_the_sites_of_the_setting_need_no_key(tmp_path: Path, allowed: str, site: str) -> None:
    (tmp_path / "corpus").mkdir()
    app = build(Settings(corpus=tmp_path / "corpus", data=tmp_path / "data", cors_origins=allowed))
    assert preflight(app, site).headers["access-control-allow-origin"] == site
    assert programme(app, origin=site).headers["access-control-allow-origin"] == site
    refused = programme(app, "cqa_x", origin=site)
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, site)
    given = programme(app, path="/api/v1/feedback", origin=site, **{"sec-fetch-site": "cross-site"})
    assert given.status_code != 403
    page = TestClient(app).get("/lt/", headers={"origin": site})
    assert "access-control-allow-origin" not in page.headers


@pytest.mark.parametrize("wrong", ["portal.example.lt", f"{SITE}/", f"{SITE},https://a.example", "* https://a.example"])
def test_a_setting_that_names_no_sites_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="cors_origins"):
        Settings(cors_origins=wrong)
