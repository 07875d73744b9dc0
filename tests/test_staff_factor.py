"""The second factor: codes of an app, each once, and recovery codes; at the desk and on the command line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner

from clusterqa.cli import cli
from clusterqa.settings import Home, Settings
from clusterqa.staff.accounts import FAILURES_HERE, FAILURES_IN_ALL, LOCK, Account, Accounts, Locked
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import Database
from clusterqa.staff.factor import LONG, RECOVERY_CODES, Factors, WrongCode
from clusterqa.web.app import build
from clusterqa.web.staff.words import WORDS
from test_staff_web import PASSWORD, Browser

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HALF_A_MINUTE = timedelta(seconds=30)
HERE = "192.0.2.1"


@pytest.fixture
def factors(database: Database) -> Factors:
    audit = Audit(database)
    return Factors(database, audit, Accounts(database, audit))


@pytest.fixture
def rasa(factors: Factors) -> Account:
    return factors._accounts.add("rasa", PASSWORD, "administrator", "cli:root")


def code(factors: Factors, account: Account, at: datetime) -> str:
    with factors._database.using() as db:
        [secret] = db.execute("SELECT secret FROM factors WHERE account = ?", (account.id,)).fetchone()
    return pyotp.TOTP(secret).at(at)


def test_nothing_is_asked_for_until_the_first_right_code(factors: Factors, rasa: Account) -> None:
    secret = factors.offer(rasa)
    assert secret == factors.offer(rasa) and len(secret) == 32
    with pytest.raises(WrongCode):
        factors.confirm(rasa, "000000" if pyotp.TOTP(secret).at(NOON) != "000000" else "111111", NOON)
    assert not factors.on(rasa)
    codes = factors.confirm(rasa, pyotp.TOTP(secret).at(NOON), NOON)
    assert factors.on(rasa) and len(set(codes)) == RECOVERY_CODES == factors.left(rasa)
    with pytest.raises(WrongCode):  # it is on already
        factors.confirm(rasa, pyotp.TOTP(secret).at(NOON + 2 * HALF_A_MINUTE), NOON + 2 * HALF_A_MINUTE)


def test_a_code_lets_in_once_and_a_little_before_and_after_its_time(factors: Factors, rasa: Account) -> None:
    factors.offer(rasa)
    factors.confirm(rasa, code(factors, rasa, NOON), NOON)
    later = NOON + 10 * HALF_A_MINUTE
    given = code(factors, rasa, later)
    for moment, offset in ((later + HALF_A_MINUTE, 0), (later + 2 * HALF_A_MINUTE, 3)):
        used = given if not offset else code(factors, rasa, later + offset * HALF_A_MINUTE)
        factors.check(rasa, f" {used[:3]} {used[3:]} ", HERE, moment)
        with pytest.raises(WrongCode):
            factors.check(rasa, used, HERE, moment)
    with pytest.raises(WrongCode):  # two half-minutes old
        factors.check(rasa, code(factors, rasa, later + 20 * HALF_A_MINUTE), HERE, later + 22 * HALF_A_MINUTE)


def test_a_recovery_code_lets_in_once_however_it_is_typed(factors: Factors, rasa: Account) -> None:
    factors.offer(rasa)
    first, second, *_ = factors.confirm(rasa, code(factors, rasa, NOON), NOON)
    factors.check(rasa, f" {first.upper()} ", HERE, NOON)
    factors.check(rasa, second.replace("-", ""), HERE, NOON)
    assert factors.left(rasa) == RECOVERY_CODES - 2
    with pytest.raises(WrongCode):
        factors.check(rasa, first, HERE, NOON)


def test_codes_are_not_guessed(factors: Factors, rasa: Account) -> None:
    factors.offer(rasa)
    factors.confirm(rasa, code(factors, rasa, NOON), NOON)
    for _ in range(FAILURES_HERE):
        with pytest.raises(WrongCode):
            factors.check(rasa, "wrong", HERE, NOON)
    moment = NOON + 4 * HALF_A_MINUTE
    with pytest.raises(Locked) as locked:
        factors.check(rasa, code(factors, rasa, moment), HERE, moment)
    assert locked.value.until == NOON + LOCK
    factors.check(rasa, code(factors, rasa, moment), "198.51.100.1", moment)
    for number in range(FAILURES_IN_ALL - FAILURES_HERE):
        with pytest.raises(WrongCode):
            factors.check(rasa, "wrong", f"203.0.113.{number}", NOON)
    with pytest.raises(Locked) as locked:
        factors.check(rasa, "wrong", "198.51.100.9", NOON)
    assert locked.value.until == NOON + LONG
    with pytest.raises(Locked):  # few a day, or whoever has the password finds a code within months
        factors.check(rasa, "wrong", HERE, NOON + LONG - HALF_A_MINUTE)
    after = NOON + LONG + HALF_A_MINUTE
    factors.check(rasa, code(factors, rasa, after), HERE, after)


def test_whoever_has_the_password_alone_shuts_nobody_out(factors: Factors, rasa: Account) -> None:
    factors.offer(rasa)
    factors.confirm(rasa, code(factors, rasa, NOON), NOON)
    factors._accounts.begin(rasa, HERE, NOON)
    for number in range(FAILURES_IN_ALL):
        stranger = f"203.0.113.{number}"
        factors._accounts.check("rasa", PASSWORD, stranger, NOON)  # which does not make the address known
        with pytest.raises(WrongCode):
            factors.check(rasa, "wrong", stranger, NOON)
    moment = NOON + 4 * HALF_A_MINUTE
    for stranger in ("203.0.113.1", "198.51.100.1"):
        with pytest.raises(Locked):
            factors.check(rasa, code(factors, rasa, moment), stranger, moment)
    factors.check(rasa, code(factors, rasa, moment), HERE, moment)


def test_a_code_is_taken_once_however_many_come_with_it_at_one_time(factors: Factors, rasa: Account) -> None:
    factors.offer(rasa)
    recovery, *_ = factors.confirm(rasa, code(factors, rasa, NOON), NOON)
    later = NOON + 4 * HALF_A_MINUTE

    def taken(given: str, number: int) -> bool:
        try:
            factors.check(rasa, given, f"198.51.100.{number}", later)
        except WrongCode:
            return False
        return True

    for given in (code(factors, rasa, later), recovery):
        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(taken, [given] * 8, range(8))) == 1


def test_a_secret_seen_at_an_open_desk_is_not_the_one_that_is_confirmed_later(
    desk: Browser, factors: Factors, rasa: Account
) -> None:
    assert desk.log_in("rasa").status_code == 303
    seen = factors.offer(rasa)
    desk.change("/staff/logout")
    assert desk.log_in("rasa").status_code == 303
    assert factors.offer(rasa) != seen


def test_neither_recovery_codes_nor_a_removed_accounts_secret_stay(
    factors: Factors, rasa: Account, database: Database
) -> None:
    factors.offer(rasa)
    codes = factors.confirm(rasa, code(factors, rasa, NOON), NOON)
    with database.using() as db:
        kept = [row[0] for row in db.execute("SELECT digest FROM recovery_codes")]
        assert not set(codes) & set(kept)
        factors._accounts.remove("rasa", "cli:root")
        assert db.execute(
            "SELECT (SELECT count(*) FROM factors) + (SELECT count(*) FROM recovery_codes)"
        ).fetchone() == (0,)


# ── at the desk ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(tmp_path: Path, home: Home, factors: Factors, rasa: Account) -> Iterator[Browser]:
    app = build(Settings(corpus=tmp_path, data=home.data, store=home.store))
    yield Browser(app)
    app.state.desk.close()


def turn_on(browser: Browser, factors: Factors, account: Account) -> list[str]:
    browser.log_in("rasa")
    page = browser.get("/staff/factor").text
    assert "data:image/svg+xml" in page
    given = code(factors, account, datetime.now(UTC) + HALF_A_MINUTE)
    shown = browser.change("/staff/factor", code=given, password=PASSWORD)
    browser.change("/staff/logout")
    return re.findall(r"<li><code[^>]*>([^<]+)</code>", shown.text)


def second_step(browser: Browser, page: str, **changed: str):
    fields = dict(re.findall(r'name="(csrf|next|name|half)" value="([^"]*)"', page))
    return browser.post("/staff/login", data={**fields, **changed})


def test_a_log_in_with_a_factor_takes_password_and_code(desk: Browser, factors: Factors, rasa: Account) -> None:
    codes = turn_on(desk, factors, rasa)
    assert len(codes) == RECOVERY_CODES
    asked = desk.log_in("rasa", next="/staff/log")
    assert asked.status_code == 200 and 'name="half"' in asked.text
    assert desk.get("/staff/log").status_code == 303  # the password alone opens nothing
    wrong = second_step(desk, asked.text, code="wrong")
    assert wrong.status_code == 403 and 'name="half"' in wrong.text
    let_in = second_step(desk, wrong.text, code=codes[0])
    assert (let_in.status_code, let_in.headers["location"]) == (303, "/staff/log")
    assert desk.get("/staff/log").status_code == 200


def test_a_half_log_in_is_nobody_elses_and_cannot_be_made_up(desk: Browser, factors: Factors, rasa: Account) -> None:
    codes = turn_on(desk, factors, rasa)
    page = desk.log_in("rasa").text
    [half] = re.findall(r'name="half" value="([^"]+)"', page)
    until, signature = half.split(".", 1)
    for forged in ("x", ".", f"{int(until) + 1}.{signature}", f"{until}.", "1.x", f"-1.{signature}"):
        assert second_step(desk, page, code=codes[0], half=forged).status_code == 403
    assert second_step(desk, page, code=codes[0], name="jonas").status_code == 403
    other = Browser(desk.app)  # type: ignore[arg-type]
    token = other.csrf("/staff/login")
    assert second_step(other, page, code=codes[0], csrf=token).status_code == 403
    factors._accounts.set_password("rasa", "debesis neša geltoną lagaminą", "cli:root")
    assert second_step(desk, page, code=codes[0]).status_code == 403


def test_whoever_finds_a_desk_open_cannot_set_up_a_factor_of_their_own(
    desk: Browser, factors: Factors, rasa: Account
) -> None:
    desk.log_in("rasa")
    assert 'name="password"' in desk.get("/staff/factor").text
    given = code(factors, rasa, datetime.now(UTC) + HALF_A_MINUTE)
    for password in ("", "ne tas slaptažodis"):
        refused = desk.change("/staff/factor", code=given, password=password)
        assert refused.status_code == 422 and WORDS["lt"]["old_wrong"] in refused.text
    assert not factors.on(rasa)


def test_the_factor_is_taken_off_with_the_password_or_on_the_command_line(
    desk: Browser, factors: Factors, rasa: Account, home: Home
) -> None:
    codes = turn_on(desk, factors, rasa)
    second_step(desk, desk.log_in("rasa").text, code=codes[0])
    assert desk.change("/staff/factor", password="ne tas slaptažodis").status_code == 422
    assert factors.on(rasa)
    assert desk.change("/staff/factor", password=PASSWORD).status_code == 303
    assert not factors.on(rasa)
    factors.offer(rasa)
    factors.confirm(rasa, code(factors, rasa, NOON), NOON)
    command = ["staff", "factor-off", "RASA", "--data", str(home.data)]
    result = CliRunner().invoke(cli, command, env={"CLUSTERQA_STORE": home.store})
    assert result.exit_code == 0 and not factors.on(rasa)
    whats = [line.what for line in Audit(factors._database).entries(what="account")]
    assert whats[:4] == ["account.factor_off", "account.factor_on", "account.factor_off", "account.factor_on"]


def test_where_a_factor_is_required_nothing_else_is_done_before_it_is_set_up(
    tmp_path: Path, home: Home, factors: Factors, rasa: Account
) -> None:
    app = build(Settings(corpus=tmp_path, data=home.data, store=home.store, second_factor="required"))
    browser = Browser(app)
    browser.log_in("rasa")
    for path in ("/staff", "/staff/log", "/staff/people", "/staff/documents"):
        assert browser.get(path).headers["location"] == "/staff/factor"
    shown = browser.get("/staff/factor").text
    assert WORDS["lt"]["factor_first"] in shown and 'href="/staff/documents"' not in shown
    refused = browser.post("/staff/people", data={"csrf": browser.csrf("/staff/factor"), "name": "x", "role": "editor"})
    assert refused.status_code == 403 and WORDS["lt"]["factor_first"] in refused.text
    given = code(factors, rasa, datetime.now(UTC) + HALF_A_MINUTE)
    assert browser.change("/staff/factor", code=given, password=PASSWORD).status_code == 200
    assert browser.get("/staff/log").status_code == 200
    kept = browser.change("/staff/factor", password=PASSWORD)
    assert kept.status_code == 403 and WORDS["lt"]["factor_required"] in kept.text and factors.on(rasa)
    assert "<button" not in browser.get("/staff/factor").text.partition("<main")[2]
    factors.remove(rasa, "cli:root")  # the telephone is lost: the session may set up the next one, and nothing else
    assert browser.get("/staff/log").headers["location"] == "/staff/factor"
    app.state.desk.close()


def test_codes_go_on_after_a_clock_was_set_back(factors: Factors, rasa: Account) -> None:
    future = NOON + timedelta(days=400)
    factors.offer(rasa)
    factors.confirm(rasa, code(factors, rasa, future), future)
    for number in range(FAILURES_IN_ALL):
        with pytest.raises(WrongCode):
            factors.check(rasa, "wrong", f"203.0.113.{number}", future)
    factors.check(rasa, code(factors, rasa, NOON), HERE, NOON)
    with pytest.raises(WrongCode):
        factors.check(rasa, code(factors, rasa, NOON), HERE, NOON)
