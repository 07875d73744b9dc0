"""Logging in through an OpenID Connect provider: who gets in, as whom, and what a provider or a stranger cannot do."""

from __future__ import annotations

import hmac
import json
import re
import time
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import oidc_provider_mock
import pytest
from fastapi import FastAPI
from joserfc.jwk import OctKey, RSAKey

from clusterqa.errors import SettingsError
from clusterqa.settings import Settings
from clusterqa.staff.accounts import Accounts, Identity, LastAdministrator, NotKeptHere, Role
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database
from clusterqa.staff.oidc import LARGEST
from clusterqa.web.app import build
from clusterqa.web.staff.login import inside
from clusterqa.web.staff.words import WORDS
from oidc_fixtures import CLIENT, SECRET, LocalProvider, local_provider
from test_staff_web import PASSWORD, Browser

GROUPS: dict[str, Role] = {"redakcija": "editor", "prižiūrėtojai": "administrator"}


@pytest.fixture(scope="module")
def running() -> Iterator[LocalProvider]:
    with local_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., FastAPI]]:
    apps = []

    def start(issuer: str, **more: Any) -> FastAPI:
        folder = tmp_path_factory.mktemp("desk")
        settings = Settings(
            corpus=folder, data=folder / "data", oidc_issuer=issuer, oidc_client_id=CLIENT, oidc_client_secret=SECRET,
            oidc_groups=GROUPS, **more,
        )  # fmt: skip
        apps.append(build(settings))
        return apps[-1]

    yield start
    for app in apps:
        app.state.desk.close()


@pytest.fixture(scope="module")
def desk(started: Callable[..., FastAPI], running: LocalProvider) -> FastAPI:
    return started(running.issuer)


@pytest.fixture
def provider(running: LocalProvider) -> LocalProvider:
    """As it is when nobody has lied yet."""
    running.tell_the_truth()
    return running


@pytest.fixture
def app(desk: FastAPI) -> FastAPI:
    """Without any account."""
    with desk.state.desk.parts()[0].changing() as db:
        db.execute("DELETE FROM accounts")
    return desk


@pytest.fixture
def browser(app: FastAPI) -> Browser:
    return Browser(app)


def accounts(app: FastAPI) -> Accounts:
    book: Accounts = app.state.desk.parts()[2]
    return book


def begun(browser: Browser, provider: LocalProvider, next: str = "") -> dict[str, str]:
    """What the browser is to bring back, once the person has logged in at the provider."""
    sent = browser.get("/staff/oidc", params={"next": next} if next else {})
    assert sent.status_code == 303, sent.text
    code, state = provider.code_for(sent.headers["location"])
    return {"code": code, "state": state}


def log_in(browser: Browser, provider: LocalProvider, next: str = ""):
    return browser.get("/staff/oidc/back", params=begun(browser, provider, next))


def log_out(browser: Browser):
    return browser.post("/staff/logout", data={"csrf": browser.csrf("/staff/log")})


def refusal(answer: httpx2.Response, key: str, status: int = 403) -> None:
    assert (answer.status_code, WORDS["lt"][key] in answer.text) == (status, True), answer.text
    assert "clusterqa_staff=" not in answer.headers.get("set-cookie", "")


def test_somebody_of_a_mapped_group_gets_in_with_its_role_and_to_the_page_asked_for(
    app: FastAPI, browser: Browser, provider: LocalProvider
) -> None:
    page = browser.get("/staff/login?next=/staff/log").text
    assert 'href="/staff/oidc?next=/staff/log"' in page and WORDS["lt"]["oidc_log_in"] in page
    entered = log_in(browser, provider, "/staff/log?what=login")
    assert (entered.status_code, entered.headers["location"]) == (303, "/staff/log?what=login")
    log = browser.get("/staff/log").text
    assert browser.get("/staff/people").status_code == 403
    rasa = accounts(app).find("rasa")
    assert (rasa.role, rasa.issuer, rasa.must_change) == ("editor", provider.issuer, False)
    lines = [(line.who, line.what, line.target) for line in Audit(app.state.desk.parts()[0]).entries(limit=2)]
    assert lines == [("rasa", "login", ""), ("oidc:rasa", "account.added", "rasa")]
    assert "rasa" in log


def test_a_role_that_changed_at_the_provider_holds_from_the_next_log_in(
    app: FastAPI, browser: Browser, provider: LocalProvider
) -> None:
    log_in(browser, provider)
    provider.claims = {"groups": ["redakcija", "prižiūrėtojai"], "preferred_username": "rasa.petraityte"}
    log_in(browser, provider)
    assert browser.get("/staff/people").status_code == 200
    [rasa] = accounts(app).everyone()
    assert (rasa.name, rasa.role) == ("rasa", "administrator")  # the name stays what the log knows it by
    told = browser.get("/staff/log?lang=lt").text
    assert WORDS["lt"]["oidc_told"].format("rasa") in told


@pytest.mark.parametrize(
    "groups",
    [
        [], ["kiti"], None, "kiti", {"redakcija": True}, [["redakcija"]], 7, "redakcija prižiūrėtojai", "redakcija,kiti", "redakcija\x00",
        [{"name": "redakcija"}], [None, True, 1.5], {"0": "redakcija"}, ["Redakcija"], ["redakcija "], ["redak\u0441ija"],
        ["redakcija\u200b"], [unicodedata.normalize("NFD", "prižiūrėtojai")], ["/redakcija"], [""],
    ],
)  # fmt: skip
def test_somebody_of_no_mapped_group_is_refused_in_their_language_and_leaves_no_account(
    app: FastAPI, browser: Browser, provider: LocalProvider, groups: object
) -> None:
    provider.claims = {"groups": groups}
    provider.userinfo = {"sub": "u-1"}
    refusal(log_in(browser, provider), "oidc_no_group")
    english = browser.get("/staff/oidc/back", params=begun(browser, provider), headers={"accept-language": "en"})
    assert WORDS["en"]["oidc_no_group"] in english.text
    assert accounts(app).everyone() == []


def test_who_lost_their_groups_is_no_longer_let_in(browser: Browser, provider: LocalProvider) -> None:
    assert log_in(browser, provider).status_code == 303
    log_out(browser)
    provider.claims = {"groups": []}
    refusal(log_in(browser, provider), "oidc_no_group")
    assert browser.get("/staff/log").status_code == 303


@pytest.mark.parametrize("name", ["rasa", "RASA", " rasa ", "ra\u0073a"])
def test_an_account_with_a_password_is_not_taken_over(
    app: FastAPI, browser: Browser, provider: LocalProvider, name: str
) -> None:
    accounts(app).add("rasa", PASSWORD, "administrator", "cli:root")
    provider.claims = {"preferred_username": name, "groups": ["prižiūrėtojai"]}
    refusal(log_in(browser, provider), "oidc_name_taken")
    assert not accounts(app).find("rasa").issuer
    assert browser.log_in("rasa").status_code == 303  # and its password goes on working


def test_two_people_of_one_name_are_told_apart_by_what_never_changes(
    app: FastAPI, browser: Browser, provider: LocalProvider
) -> None:
    log_in(browser, provider)
    provider.claims = {"sub": "u-2"}
    refusal(log_in(Browser(app), provider), "oidc_name_taken")


@pytest.mark.parametrize("name", ["", "a b", "a:b", "<b>", "x" * 65, "../rasa", "\u202erasa"])
def test_a_name_that_no_account_can_have_is_refused(browser: Browser, provider: LocalProvider, name: str) -> None:
    provider.claims = {"preferred_username": name}
    refusal(log_in(browser, provider), "wrong_name")


def test_without_a_name_nobody_gets_in(browser: Browser, provider: LocalProvider) -> None:
    provider.claims, provider.userinfo = {"preferred_username": None}, {"sub": "u-1"}
    refusal(log_in(browser, provider), "oidc_no_name")


def test_what_the_token_leaves_out_is_asked_for_and_must_be_about_the_same_person(
    browser: Browser, provider: LocalProvider
) -> None:
    provider.claims = {"groups": None}
    provider.userinfo = {"sub": "u-2", "groups": ["prižiūrėtojai"]}
    refusal(log_in(browser, provider), "oidc_not_confirmed")
    provider.userinfo = {"sub": "u-1", "groups": ["prižiūrėtojai"], "preferred_username": "kita"}
    assert log_in(browser, provider).status_code == 303
    assert browser.get("/staff/people").status_code == 200


def test_groups_may_stand_inside_another_claim(started: Callable[..., FastAPI], provider: LocalProvider) -> None:
    app = started(provider.issuer, oidc_groups_claim="realm_access.roles", oidc_name_claim="email")
    provider.claims = {"realm_access": {"roles": ["redakcija"]}, "email": "rasa@example.lt", "groups": None}
    assert log_in(Browser(app), provider).status_code == 303
    assert accounts(app).find("rasa@example.lt").role == "editor"


# ── what a provider, or somebody between, could say ─────────────────────────────────────────────────────────────

HOUR = 3600


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "https://evil.example"}, {"iss": None}, {"aud": "another"}, {"aud": None}, {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"}, {"azp": "another"}, {"exp": 1}, {"exp": None}, {"exp": "never"}, {"iat": None},
        {"iat": 2**40}, {"nbf": 2**40}, {"nonce": "another"}, {"nonce": None}, {"sub": None}, {"sub": ""}, {"sub": 7},        {"sub": ["u-1"]}, {"at_hash": "x"},
        {"sub": "s" * 256}, {"sub": "u\x00-1"}, {"exp": True}, {"iss": ["https://evil.example"]},
    ],
)  # fmt: skip
def test_a_token_that_is_not_for_this_log_in_is_refused(
    app: FastAPI, browser: Browser, provider: LocalProvider, lie: dict[str, Any]
) -> None:
    provider.claims = lie
    refusal(log_in(browser, provider), "oidc_not_confirmed")
    assert accounts(app).everyone() == []


@pytest.mark.parametrize("how", ["another key", "a key of its own", "shared secret", "none"])
def test_a_token_that_the_provider_did_not_sign_is_refused(browser: Browser, provider: LocalProvider, how: str) -> None:
    if how == "another key":
        provider.signed_by = RSAKey.generate_key(2048, {"kid": "1"})
    elif how == "a key of its own":
        own = RSAKey.generate_key(2048)
        provider.signed_by, provider.header = own, {"alg": "RS256", "jwk": own.as_dict(private=False)}
    elif how == "none":
        provider.header = {"alg": "none", "kid": "1"}
    else:
        provider.header, provider.signed_by = {"alg": "HS256", "kid": "1"}, OctKey.import_key(SECRET.encode())
    refusal(log_in(browser, provider), "oidc_not_confirmed")


@pytest.mark.parametrize("secret", ["pem", "der"])
def test_the_providers_public_key_is_no_secret_to_sign_with(
    browser: Browser, provider: LocalProvider, secret: str
) -> None:
    back = begun(browser, provider)
    now = int(time.time())
    claims = {"iss": provider.issuer, "sub": "u-1", "aud": CLIENT, "iat": now, "exp": now + 300,
              "nonce": provider.attempts[back["code"]]["nonce"], "preferred_username": "rasa", "groups": ["redakcija"]}  # fmt: skip
    head = {"alg": "HS256", "kid": "1"}
    parts = [urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (head, claims)]
    key = provider.key.as_pem(private=False) if secret == "pem" else provider.key.as_der(private=False)
    signature = urlsafe_b64encode(hmac.digest(key, b".".join(parts), "sha256")).rstrip(b"=")
    token = b".".join([*parts, signature]).decode()
    provider.answers = {"/token": (200, json.dumps({"access_token": "a", "token_type": "Bearer", "id_token": token}))}
    refusal(browser.get("/staff/oidc/back", params=back), "oidc_not_confirmed")


def test_a_provider_that_changed_its_keys_needs_no_restart(browser: Browser, provider: LocalProvider) -> None:
    assert log_in(browser, provider).status_code == 303
    provider.key, provider.header = RSAKey.generate_key(2048, {"kid": "2"}), {"alg": "RS256", "kid": "2"}
    assert log_in(browser, provider).status_code == 303


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys", "/token"])
@pytest.mark.parametrize(
    "answer",
    [
        "",
        "[]",
        "7",
        "{}",
        "null",
        '{"keys": 7}',
        '{"id_token": 7}',
        '{"error": 7}',
        "<html>",
        '{"id_token": "a.b.c"}',
        "[" * 100_000,
    ],
)
def test_an_answer_of_another_shape_is_no_fault_of_ours(
    browser: Browser, provider: LocalProvider, path: str, answer: str
) -> None:
    back = begun(browser, provider)
    provider.answers = {path: (200, answer)}
    told = browser.get("/staff/oidc/back", params=back)
    assert told.status_code in (403, 503) and "sd-problem" in told.text
    assert browser.get("/staff").status_code == 303


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/keys"])
def test_an_answer_that_is_too_large_is_not_read(browser: Browser, provider: LocalProvider, path: str) -> None:
    back = begun(browser, provider)
    _, text = provider.answer(path, {}, "")
    provider.answers = {path: (200, text + " " * LARGEST)}
    refusal(browser.get("/staff/oidc/back", params=back), "oidc_down", 503)
    provider.answers = {path: (200, text + " " * (LARGEST // 2))}
    assert browser.get("/staff/oidc/back", params=back).status_code == 303


def test_an_answer_that_becomes_larger_when_it_is_unpacked_is_not_unpacked(
    browser: Browser, provider: LocalProvider
) -> None:
    provider.packs = True
    refusal(browser.get("/staff/oidc"), "oidc_down", 503)


@pytest.mark.parametrize("what", ["head", "body"])
def test_a_provider_that_never_comes_to_an_end_is_not_waited_for(
    browser: Browser, provider: LocalProvider, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    monkeypatch.setattr("clusterqa.staff.oidc.SECONDS", 1.0)
    provider.drips = what
    refusal(browser.get("/staff/oidc"), "oidc_down", 503)
    assert provider.asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize("status", [301, 302, 400, 500])
def test_a_redirect_is_not_followed_and_an_error_is_told(
    browser: Browser, provider: LocalProvider, status: int
) -> None:
    provider.answers = {"/.well-known/openid-configuration": (status, "{}")}
    refusal(browser.get("/staff/oidc"), "oidc_down", 503)
    assert "/elsewhere" not in provider.asked


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://evil.example"}, {"issuer": None}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": "http://10.0.0.1/"}, {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": 7},
    ],
)  # fmt: skip
def test_a_provider_that_is_not_the_one_of_the_settings_is_sent_nothing(
    browser: Browser, provider: LocalProvider, about: dict[str, Any]
) -> None:
    provider.about = about
    refusal(browser.get("/staff/oidc"), "oidc_down", 503)
    assert provider.asked == ["/.well-known/openid-configuration"]


def test_a_provider_that_is_down_is_told_and_passwords_go_on_working(started: Callable[..., FastAPI]) -> None:
    app = started("http://127.0.0.1:9")
    accounts(app).add("rasa", PASSWORD, "administrator", "cli:root")
    browser = Browser(app)
    refusal(browser.get("/staff/oidc"), "oidc_down", 503)
    assert browser.log_in("rasa").status_code == 303


# ── what a stranger could send ──────────────────────────────────────────────────────────────────────────────────


def test_an_answer_is_good_once_in_the_browser_that_asked_and_for_a_while(
    app: FastAPI, browser: Browser, provider: LocalProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = begun(browser, provider)
    refusal(Browser(app).get("/staff/oidc/back", params=back), "oidc_begin_again")
    other = Browser(app)
    begun(other, provider)
    refusal(other.get("/staff/oidc/back", params=back), "oidc_begin_again")
    until, chance, signature, _ = back["state"].split(".", 3)
    for forged in (
        "",
        "x",
        "...",
        f"{int(until) + 1}.{chance}.{signature}./staff",
        f"{until}.{chance}.{signature}./staff/log",
        f"{until}.x.{signature}./staff",
        "٣.x.y./staff",
        "9" * 4000,
    ):
        refusal(browser.get("/staff/oidc/back", params={**back, "state": forged}), "oidc_begin_again")
    late = time.time() + HOUR
    with monkeypatch.context() as later:
        later.setattr("clusterqa.web.staff.oidc.time.time", lambda: late)
        refusal(browser.get("/staff/oidc/back", params=back), "oidc_begin_again")
    assert browser.get("/staff/oidc/back", params=back).status_code == 303
    refusal(browser.get("/staff/oidc/back", params=back), "oidc_not_confirmed")  # the code is used up


def test_an_answer_to_another_attempt_of_the_same_browser_does_not_fit(
    browser: Browser, provider: LocalProvider
) -> None:
    first, second = begun(browser, provider), begun(browser, provider)
    refusal(
        browser.get("/staff/oidc/back", params={"code": first["code"], "state": second["state"]}), "oidc_not_confirmed"
    )


def test_a_refusal_at_the_provider_and_an_answer_of_another_one_are_told(
    browser: Browser, provider: LocalProvider
) -> None:
    back = begun(browser, provider)
    asked = len(provider.asked)
    for more in ({"error": "access_denied", "code": ""}, {"iss": "https://evil.example"}):
        refusal(browser.get("/staff/oidc/back", params={**back, **more}), "oidc_not_confirmed")
    assert len(provider.asked) == asked
    assert browser.get("/staff/oidc/back", params={**back, "iss": provider.issuer}).status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example",
        "//evil.example",
        "/staff/oidc",
        "/staff/oidc/back?code=x",
        "/lt/",
        "/staff/../x",
        "/staff/%6fidc",
        "/staff/%6Fidc/out",
        "/staff/%6cogin/",
        "/staff\\evil.example",
        "/staff@evil.example",
        "/staff/\r\nx: y",
        "/staff/?x=//evil.example",
    ],
)  # fmt: skip
def test_the_way_leads_to_the_desk_only(browser: Browser, provider: LocalProvider, target: str) -> None:
    assert inside(target) == "/staff"
    assert log_in(browser, provider, target).headers["location"] == "/staff"


def test_many_attempts_from_one_address_have_to_wait(browser: Browser, provider: LocalProvider) -> None:
    statuses = [browser.get("/staff/oidc/back").status_code for _ in range(40)]
    assert statuses[-1] == 429 and provider.asked == []


# ── the account afterwards ──────────────────────────────────────────────────────────────────────────────────────


def test_a_removed_account_is_logged_out_at_once_and_has_no_password_to_come_back_with(
    app: FastAPI, browser: Browser, provider: LocalProvider
) -> None:
    log_in(browser, provider)
    book = accounts(app)
    with pytest.raises(NotKeptHere):
        book.set_password("rasa", PASSWORD, "cli:root")
    with pytest.raises(NotKeptHere):
        book.set_role("rasa", "administrator", "cli:root")
    assert Browser(app).log_in("rasa", "").status_code == 403
    for path in ("/staff/password", "/staff/factor"):
        assert WORDS["lt"]["not_kept_here"] in browser.get(path).text and browser.get(path).status_code == 403
    book.end_sessions("rasa", "cli:root")
    assert browser.get("/staff/log").status_code == 303
    log_in(browser, provider)
    book.remove("rasa", "cli:root")
    assert browser.get("/staff/log").status_code == 303


def test_administrators_of_the_provider_do_not_count_as_a_way_back(database: Database) -> None:
    book = Accounts(database, Audit(database), issuer="https://id.example")
    rasa = book.vouched_for(Identity("https://id.example", "1", "rasa", "administrator"))
    book.add("ada", PASSWORD, "administrator", "cli:root")
    for change in (lambda: book.remove("ada", "rasa"), lambda: book.set_role("ada", "editor", "rasa")):
        with pytest.raises(LastAdministrator):
            change()
    assert book.vouched_for(Identity("https://id.example", "1", "rasa", "editor")).role == "editor"
    book.remove("rasa", "ada")
    assert [account.name for account in book.everyone()] == ["ada"] and rasa.administrates


def test_without_the_provider_its_people_are_out_and_nothing_is_asked(
    started: Callable[..., FastAPI], provider: LocalProvider, tmp_path: Path
) -> None:
    browser = Browser(started(provider.issuer))
    log_in(browser, provider)
    asked = len(provider.asked)
    off = build(Settings(corpus=tmp_path, data=tmp_path / "data"))
    plain = Browser(off)
    plain.cookies.update(browser.cookies)
    assert plain.get("/staff/log").status_code == 303
    assert [plain.get(path).status_code for path in ("/staff/oidc", "/staff/oidc/back?code=x", "/staff/oidc/out")] == [
        404
    ] * 3
    assert "/staff/oidc" not in plain.get("/staff/login").text and len(provider.asked) == asked
    off.state.desk.close()


def test_logging_out_ends_the_session_here_and_shows_the_way_out_there(
    browser: Browser, provider: LocalProvider
) -> None:
    log_in(browser, provider)
    out = log_out(browser)
    assert out.headers["location"] == "/staff/login?out=oidc" and browser.get("/staff/log").status_code == 303
    assert 'href="/staff/oidc/out"' in browser.get("/staff/login?out=oidc").text
    there = urlsplit(browser.get("/staff/oidc/out").headers["location"])
    assert there.path == "/out"
    assert parse_qs(there.query) == {
        "client_id": [CLIENT],
        "post_logout_redirect_uri": ["http://testserver/staff/login"],
    }
    provider.about = {"end_session_endpoint": None}
    refusal(browser.get("/staff/oidc/out"), "oidc_no_way_out", 404)


def test_the_provider_knows_us_under_the_address_of_the_settings(
    started: Callable[..., FastAPI], provider: LocalProvider
) -> None:
    app = started(provider.issuer, public_address="https://klausimai.example.lt/kb/")
    sent = Browser(app).get("/staff/oidc", headers={"x-forwarded-host": "evil.example"}).headers["location"]
    assert parse_qs(urlsplit(sent).query)["redirect_uri"] == ["https://klausimai.example.lt/kb/staff/oidc/back"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"oidc_issuer": "https://id.example"}, "oidc_client_id and oidc_groups must be set too"),
        ({"oidc_issuer": "https://id.example", "oidc_client_id": "x"}, "oidc_groups must be set too"),
        ({"oidc_issuer": "http://id.example"}, "oidc-issuer"),
        ({"oidc_groups": {"a": "owner"}}, "oidc-groups"),
        ({"oidc_scopes": "profile"}, "oidc-scopes"),
    ],
)
def test_settings_that_would_let_nobody_in_or_a_secret_out_are_refused(values: dict[str, Any], said: str) -> None:
    secret = {"oidc_client_secret": "do not print"}
    with pytest.raises(SettingsError, match=said) as refused:
        Settings.load({**values, **secret})
    assert "do not print" not in str(refused.value)
    assert "do not print" not in repr(Settings(**secret))  # type: ignore[arg-type]


# ── with a provider that others wrote ───────────────────────────────────────────────────────────────────────────


@pytest.mark.filterwarnings("ignore")
def test_the_whole_way_with_oidc_provider_mock(started: Callable[..., FastAPI]) -> None:
    users = [
        oidc_provider_mock.User(sub="ona", claims={"preferred_username": "ona", "groups": ["prižiūrėtojai"]}),
        oidc_provider_mock.User(sub="petras", claims={"preferred_username": "petras", "groups": ["sandėlis"]}),
    ]
    with oidc_provider_mock.run_server_in_thread(
        user_claims=users, access_token_max_age=timedelta(minutes=5)
    ) as server:
        app = started(f"http://localhost:{server.server_port}")
        for name, status in (("ona", 303), ("petras", 403)):
            browser = Browser(app)
            there = browser.get("/staff/oidc?next=/staff/people").headers["location"]
            back = httpx2.post(there, data={"sub": name}).headers["location"]
            assert back.startswith("http://testserver/staff/oidc/back?")
            entered = browser.get(back)
            assert entered.status_code == status
        assert [(account.name, account.role) for account in accounts(app).everyone()] == [("ona", "administrator")]
    refusal(Browser(app).get("/staff/oidc"), "oidc_down", 503)
    assert re.fullmatch(r"http://localhost:\d+", accounts(app).find("ona").issuer)
