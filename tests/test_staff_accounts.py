"""Accounts of the staff, sessions, lock-out, the audit log, and the commands that make and remove them."""

from __future__ import annotations

import json
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from clusterqa.cli import cli
from clusterqa.errors import StoreError
from clusterqa.settings import IN_A_FILE, Home
from clusterqa.staff.accounts import (
    FAILURES_HERE,
    FAILURES_IN_ALL,
    IDLE_SHARE,
    KNOWN,
    LOCK,
    MOST_KNOWN,
    AccountError,
    Accounts,
    LastAdministrator,
    Locked,
    NameTaken,
    NoSuchAccount,
    WeakPassword,
    WrongName,
    WrongPassword,
    one_time_password,
)
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import DATABASE, Database, open_database
from engines import postgres_files

PASSWORD = "žirafa geria šaltibarščius"
OTHER = "debesis neša geltoną lagaminą"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(database)


@pytest.fixture
def accounts(database: Database, audit: Audit) -> Accounts:
    return Accounts(database, audit, session_hours=12)


@pytest.fixture
def rasa(accounts: Accounts) -> Accounts:
    """The accounts with one administrator in them."""
    accounts.add("rasa", PASSWORD, "administrator", "cli:root")
    return accounts


def fail(accounts: Accounts, times: int, client: str = HERE, at: datetime = NOON, name: str = "rasa") -> None:
    for second in range(times):
        with pytest.raises(WrongPassword):
            accounts.check(name, "ne tas slaptažodis", client, at + timedelta(seconds=second))


# ── accounts ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_desk_without_accounts_says_so_and_one_account_opens_it(accounts: Accounts) -> None:
    assert not accounts.exist()
    accounts.add("rasa", PASSWORD, "administrator", "cli:root")
    assert accounts.exist()
    [account] = accounts.everyone()
    assert (account.name, account.role, account.must_change, account.seen_at) == ("rasa", "administrator", False, None)


def test_neither_passwords_nor_sessions_stand_in_the_files(rasa: Accounts, home: Home) -> None:
    token = rasa.log_in("rasa", PASSWORD, HERE).token
    folder = home.data if home.store == IN_A_FILE else postgres_files()
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"$argon2id$" in written
    for secret in (PASSWORD, token, token.rsplit(".", 1)[0], HERE):
        assert secret.encode() not in written


def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    open_database(Home(tmp_path)).close()
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_a_name_is_the_same_however_it_is_written(rasa: Accounts) -> None:
    rasa.add("Rūta.Jonaitienė", OTHER, "editor", "rasa")
    decomposed = "ru\u0304ta.jonaitiene\u0307"
    assert rasa.find(decomposed).name == "Rūta.Jonaitienė"
    assert rasa.check(f" {decomposed} ", OTHER, HERE).name == "Rūta.Jonaitienė"
    with pytest.raises(NameTaken):
        rasa.add("RŪTA.JONAITIENĖ", OTHER, "editor", "rasa")


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "../x", "a/b", "cli:root", ".rasa", "<b>", "a" * 65, "a\nb", "\udc80"]
)
def test_names_that_could_be_mistaken_for_something_else_are_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(WrongName):
        accounts.add(name, PASSWORD, "editor", "cli:root")
    assert accounts.everyone() == []


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("šaltis", "password_short"),
        ("a" * 201, "password_long"),
        ("aaaaaaaaaaaa", "password_guessable"),
        ("password1234", "password_guessable"),
        ("Slaptažodis2026", "password_guessable"),
        ("LabasRytas123", "password_guessable"),
        ("rasa.rasa.rasa", "password_guessable"),
        ("Klasteriai2026", "password_guessable"),
    ],
)
def test_passwords_that_are_guessed_at_once_are_refused(accounts: Accounts, password: str, key: str) -> None:
    with pytest.raises(WeakPassword) as refused:
        accounts.add("rasa", password, "editor", "cli:root")
    assert refused.value.key == key
    assert not accounts.exist()


def test_a_password_given_out_is_good_enough_and_never_the_same(accounts: Accounts) -> None:
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    account = accounts.add("jonas", made.pop(), "editor", "rasa", must_change=True)
    assert account.must_change
    assert not accounts.set_password("jonas", PASSWORD, "jonas").must_change


def test_diacritics_typed_in_two_ways_are_one_password(rasa: Accounts) -> None:
    import unicodedata

    assert rasa.check("rasa", unicodedata.normalize("NFD", PASSWORD), HERE).name == "rasa"


def test_the_last_administrator_stays_while_others_are_there(rasa: Accounts) -> None:
    rasa.add("jonas", OTHER, "editor", "rasa")
    with pytest.raises(LastAdministrator):
        rasa.remove("rasa", "rasa")
    with pytest.raises(LastAdministrator):
        rasa.set_role("rasa", "editor", "rasa")
    rasa.set_role("jonas", "administrator", "rasa")
    rasa.set_role("rasa", "editor", "jonas")
    assert {account.name: account.role for account in rasa.everyone()} == {"jonas": "administrator", "rasa": "editor"}
    rasa.remove("rasa", "jonas")
    rasa.remove("jonas", "cli:root")
    assert not rasa.exist()


@pytest.mark.parametrize("change", ["remove", "set_password", "set_role", "end_sessions", "find"])
def test_what_is_done_to_an_account_that_is_not_there_says_so(rasa: Accounts, change: str) -> None:
    values = {
        "remove": ["x"],
        "set_password": [PASSWORD, "x"],
        "set_role": ["editor", "x"],
        "end_sessions": ["x"],
        "find": [],
    }
    with pytest.raises(NoSuchAccount, match="clusterqa staff list"):
        getattr(rasa, change)("nobody", *values[change])


# ── attempts ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_five_failures_lock_the_name_for_that_address_and_for_a_quarter_of_an_hour(rasa: Accounts) -> None:
    fail(rasa, FAILURES_HERE)
    last = NOON + timedelta(seconds=FAILURES_HERE - 1)
    with pytest.raises(Locked) as locked:
        rasa.check("rasa", PASSWORD, HERE, last + LOCK - timedelta(seconds=1))
    assert locked.value.until == last + LOCK
    assert rasa.check("rasa", PASSWORD, ELSEWHERE, last).name == "rasa"  # a stranger does not shut her out
    assert rasa.check("rasa", PASSWORD, HERE, last + LOCK).name == "rasa"


def test_four_failures_do_not_lock_and_success_forgets_them(rasa: Accounts) -> None:
    fail(rasa, FAILURES_HERE - 1)
    assert rasa.check("rasa", PASSWORD, HERE, NOON).name == "rasa"
    fail(rasa, FAILURES_HERE - 1)
    assert rasa.check("rasa", PASSWORD, HERE, NOON).name == "rasa"


def test_failures_far_apart_do_not_add_up(rasa: Accounts) -> None:
    for turn in range(3):
        fail(rasa, FAILURES_HERE - 1, at=NOON + turn * (LOCK + timedelta(minutes=1)))


def test_many_addresses_together_leave_one_attempt_to_each_and_shut_nobody_out(rasa: Accounts) -> None:
    for place in range(FAILURES_IN_ALL // 4):
        fail(rasa, 4, client=f"203.0.113.{place}")
    later = NOON + timedelta(seconds=10)
    with pytest.raises(WrongPassword):
        rasa.check("rasa", "ne tas slaptažodis", "203.0.113.99", later)
    with pytest.raises(Locked):
        rasa.check("rasa", PASSWORD, "203.0.113.99", later)
    assert rasa.check("rasa", PASSWORD, HERE, later).name == "rasa"  # from where she has never been


def test_a_right_password_is_never_refused_where_it_has_logged_in_before(rasa: Accounts) -> None:
    rasa.log_in("rasa", PASSWORD, HERE, NOON)
    for place in range(FAILURES_IN_ALL):
        fail(rasa, 1, client=f"203.0.113.{place}")
    fail(rasa, 3 * FAILURES_HERE)  # somebody else behind the same address
    assert rasa.check("rasa", PASSWORD, HERE, NOON + timedelta(minutes=1)).name == "rasa"
    assert rasa.check("rasa", PASSWORD, HERE, NOON + KNOWN / 2).name == "rasa"
    fail(rasa, FAILURES_HERE, at=NOON + 2 * KNOWN)
    with pytest.raises(Locked):  # nobody came from there for long
        rasa.check("rasa", PASSWORD, HERE, NOON + 2 * KNOWN + timedelta(minutes=1))


def test_an_address_is_known_to_the_account_that_came_from_there_only(rasa: Accounts) -> None:
    rasa.add("jonas", OTHER, "editor", "rasa")
    rasa.log_in("jonas", OTHER, HERE, NOON)
    fail(rasa, FAILURES_HERE)
    with pytest.raises(Locked):
        rasa.check("rasa", PASSWORD, HERE, NOON + timedelta(minutes=1))


def test_whoever_has_many_addresses_of_ipv6_has_one(rasa: Accounts) -> None:
    for number in range(FAILURES_HERE):
        fail(rasa, 1, client=f"2001:db8:1:2::{number:x}", at=NOON + timedelta(seconds=number))
    with pytest.raises(Locked):
        rasa.check("rasa", PASSWORD, "2001:db8:1:2:ffff::1", NOON + timedelta(minutes=1))
    assert rasa.check("rasa", PASSWORD, "2001:db8:1:3::1", NOON + timedelta(minutes=1)).name == "rasa"


def test_only_so_many_addresses_are_known_and_none_can_be_read(
    rasa: Accounts, database: Database, tmp_path: Path
) -> None:
    for number in range(MOST_KNOWN + 5):
        rasa.log_in("rasa", PASSWORD, f"198.51.100.{number}", NOON + timedelta(minutes=number))
    with database.using() as db:
        kept = [row[0] for row in db.execute("SELECT client FROM places")]
    assert len(kept) == MOST_KNOWN and not [client for client in kept if "198.51" in client]


@pytest.mark.parametrize(("version", "lacking"), [(1, ("places", "identities")), (2, ("identities",))])
def test_accounts_of_an_earlier_version_are_taken_over(home: Home, version: int, lacking: tuple[str, ...]) -> None:
    with closing(open_database(home)) as database:
        Accounts(database, Audit(database)).add("rasa", PASSWORD, "administrator", "cli:root")
        with database.changing() as db:
            for table in lacking:
                db.execute(f"DROP TABLE {table}")
            db.execute("UPDATE parts SET version = ? WHERE part = 'accounts'", (version,))
    with closing(open_database(home)) as database:
        book = Accounts(database, Audit(database))
        assert book.check("rasa", PASSWORD, HERE).role == "administrator"


def test_names_that_do_not_exist_lock_alike(rasa: Accounts) -> None:
    fail(rasa, FAILURES_HERE, name="nobody")
    with pytest.raises(Locked):
        rasa.check("nobody", PASSWORD, HERE, NOON)


def test_a_restart_does_not_lift_the_lock(rasa: Accounts, home: Home) -> None:
    fail(rasa, FAILURES_HERE)
    again = open_database(home)
    with pytest.raises(Locked):
        Accounts(again, Audit(again)).check("rasa", PASSWORD, HERE, NOON + timedelta(minutes=1))
    again.close()


def test_a_new_password_lifts_the_lock(rasa: Accounts) -> None:
    fail(rasa, FAILURES_HERE)
    rasa.set_password("rasa", OTHER, "cli:root")
    assert rasa.check("rasa", OTHER, HERE, NOON).name == "rasa"


def test_attempts_at_one_time_cannot_outrun_the_count(rasa: Accounts) -> None:
    outcomes: list[str] = []

    def attempt() -> None:
        try:
            rasa.check("rasa", "ne tas slaptažodis", HERE)
        except AccountError as error:
            outcomes.append(error.key)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["locked"] * 7 + ["wrong_password"] * FAILURES_HERE


def test_an_unknown_name_costs_the_same_work_as_a_wrong_password(
    rasa: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One argon2 check with the same parameters in both cases: the time taken does not show whether a name exists."""
    asked: list[str] = []

    class Counting:
        def __init__(self, hasher) -> None:
            self.hasher = hasher

        def verify(self, hashed: str, password: str) -> bool:
            asked.append(hashed)
            return self.hasher.verify(hashed, password)

    monkeypatch.setattr(rasa, "_hasher", Counting(rasa._hasher))
    for name in ("rasa", "nobody"):
        with pytest.raises(WrongPassword) as wrong:
            rasa.check(name, "ne tas slaptažodis", HERE)
        assert str(wrong.value) == "The name or the password is wrong."
    known, unknown = (hashed.rsplit("$", 2)[0] for hashed in asked)
    assert known == unknown == "$argon2id$v=19$m=19456,t=2,p=1"


def test_a_very_long_attempt_is_refused_without_being_hashed_whole(rasa: Accounts) -> None:
    with pytest.raises(WrongPassword):
        rasa.check("rasa", "a" * 1_000_000, HERE)


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_lasts_while_it_is_used_and_ends_at_its_whole_time(rasa: Accounts) -> None:
    token = rasa.log_in("rasa", PASSWORD, HERE, NOON).token
    idle = timedelta(hours=12) / IDLE_SHARE
    at = NOON
    while at - NOON <= timedelta(hours=10):
        at += idle - timedelta(minutes=1)
        assert rasa.session(token, at) is not None
    assert rasa.session(token, NOON + timedelta(hours=12, seconds=1)) is None
    assert rasa.session(token, at) is None  # ended is ended, whatever the clock says later


def test_a_session_that_is_not_used_ends_earlier(rasa: Accounts) -> None:
    token = rasa.log_in("rasa", PASSWORD, HERE, NOON).token
    assert rasa.session(token, NOON + timedelta(hours=3, seconds=1)) is None


def test_a_password_change_ends_every_session_of_that_account_only(rasa: Accounts) -> None:
    rasa.add("jonas", OTHER, "editor", "rasa")
    first, second = (rasa.log_in("rasa", PASSWORD, HERE).token for _ in range(2))
    other = rasa.log_in("jonas", OTHER, HERE).token
    rasa.set_password("rasa", OTHER, "rasa")
    assert rasa.session(first) is None and rasa.session(second) is None
    assert rasa.session(other) is not None


def test_removal_ends_sessions_and_a_new_account_of_the_name_does_not_revive_them(rasa: Accounts) -> None:
    rasa.add("jonas", OTHER, "editor", "rasa")
    token = rasa.log_in("jonas", OTHER, HERE).token
    rasa.remove("jonas", "rasa")
    assert rasa.session(token) is None
    rasa.add("jonas", OTHER, "editor", "rasa")
    assert rasa.session(token) is None


def test_a_role_holds_from_the_next_request(rasa: Accounts) -> None:
    rasa.add("jonas", OTHER, "editor", "rasa")
    token = rasa.log_in("jonas", OTHER, HERE).token
    rasa.set_role("jonas", "administrator", "rasa")
    session = rasa.session(token)
    assert session is not None and session.account.administrates


def test_logging_out_ends_one_session_and_being_logged_out_ends_all(rasa: Accounts) -> None:
    first, second, third = (rasa.log_in("rasa", PASSWORD, HERE) for _ in range(3))
    rasa.log_out(first)
    assert rasa.session(first.token) is None and rasa.session(second.token) is not None
    rasa.end_sessions("rasa", "rasa")
    assert rasa.session(second.token) is None and rasa.session(third.token) is None


@pytest.mark.parametrize("forged", ["", "x", "x.y", "\udc80", "a" * 10_000])
def test_a_forged_token_is_nobody(rasa: Accounts, forged: str) -> None:
    token = rasa.log_in("rasa", PASSWORD, HERE).token
    assert rasa.session(forged) is None
    assert rasa.session(token[:-1]) is None and rasa.session("x" + token) is None


def test_a_session_cannot_begin_with_a_password_that_has_changed_meanwhile(rasa: Accounts) -> None:
    checked = rasa.check("rasa", PASSWORD, HERE)
    rasa.set_password("rasa", OTHER, "cli:root")
    with pytest.raises(WrongPassword):
        rasa.begin(checked, HERE)


def test_a_message_is_shown_once(rasa: Accounts) -> None:
    session = rasa.log_in("rasa", PASSWORD, HERE)
    rasa.leave_message(session, "Išsaugota.")
    assert rasa.take_message(session) == "Išsaugota."
    assert rasa.take_message(session) == ""


# ── the audit log ───────────────────────────────────────────────────────────────────────────────────────────────


def test_every_change_of_an_account_is_in_the_log(rasa: Accounts, audit: Audit) -> None:
    rasa.add("jonas", OTHER, "editor", "rasa")
    rasa.set_role("jonas", "administrator", "rasa")
    rasa.set_password("jonas", PASSWORD, "cli:root")
    rasa.log_out(rasa.log_in("jonas", PASSWORD, HERE))
    rasa.end_sessions("jonas", "rasa")
    rasa.remove("jonas", "rasa")
    lines = [(line.who, line.what, line.target, line.detail) for line in reversed(audit.entries())]
    assert lines == [
        ("cli:root", "account.added", "rasa", "administrator"),
        ("rasa", "account.added", "jonas", "editor"),
        ("rasa", "account.role", "jonas", "administrator"),
        ("cli:root", "account.password", "jonas", ""),
        ("jonas", "login", "", ""),
        ("jonas", "logout", "", ""),
        ("rasa", "account.logged_out", "jonas", ""),
        ("rasa", "account.removed", "jonas", ""),
    ]


def test_a_change_that_was_refused_is_not_in_the_log(rasa: Accounts, audit: Audit) -> None:
    before = audit.entries()
    for refused in (
        lambda: rasa.add("RASA", OTHER, "editor", "x"),
        lambda: rasa.add("jonas", "trumpas", "editor", "x"),
        lambda: rasa.remove("nobody", "x"),
        lambda: rasa.set_password("rasa", "trumpas", "x"),
    ):
        with pytest.raises(AccountError):
            refused()
    assert audit.entries() == before


def test_failures_are_logged_for_accounts_and_never_what_was_typed_for_a_name(rasa: Accounts, audit: Audit) -> None:
    fail(rasa, FAILURES_HERE)
    with pytest.raises(WrongPassword):
        rasa.check(PASSWORD, "", HERE)  # the password in the box for the name
    whats = [line.what for line in audit.entries(who="rasa")]
    assert whats == ["login.locked", *["login.failed"] * FAILURES_HERE]
    assert PASSWORD not in repr(audit.entries())


def test_the_log_can_only_grow(audit: Audit, database: Database) -> None:
    audit.record("rasa", "document.published", "a.md")
    row = "'2026-01-01T00:00:00.000+00:00', 'x', 'x', 'x', 'x', 'x'"
    tries = ["UPDATE audit SET who = 'x'", "DELETE FROM audit"]
    if database.kind == "sqlite":
        tries += [f"INSERT OR REPLACE INTO audit VALUES (1, {row})"]
        tries += [f"INSERT INTO audit (at, who, what, target, detail, chain) VALUES ({row})"]
    else:
        tries += ["TRUNCATE audit", f"INSERT INTO audit VALUES (0, {row})"]
    for statement in tries:
        with pytest.raises(StoreError, match=r"audit log|given before"), database.changing() as db:
            db.execute(statement)
    assert [line.who for line in audit.entries()] == ["rasa"]


def test_the_log_is_read_by_person_by_kind_and_page_by_page(audit: Audit) -> None:
    for number in range(5):
        audit.record("rasa", "document.published", f"{number}.md", now=NOON + timedelta(minutes=number))
    audit.record("jonas", "document.withdrawn", "0.md")
    audit.record("jonas", "documents", "x\udc80")
    assert [line.target for line in audit.entries(who="rasa", limit=2)] == ["4.md", "3.md"]
    assert [line.target for line in audit.entries(who="rasa", before=audit.entries(who="rasa")[1].id)] == [
        "2.md",
        "1.md",
        "0.md",
    ]
    assert len(audit.entries(what="document")) == 6  # and not the key that only begins alike
    assert [line.who for line in audit.entries(what="document", target="0.md")] == ["jonas", "rasa"]
    assert audit.people() == ["jonas", "rasa"]
    assert audit.entries(who="rasa")[0].at == NOON + timedelta(minutes=4)


# ── the file ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_exception_takes_back_the_whole_change(database: Database, audit: Audit) -> None:
    with pytest.raises(ZeroDivisionError), database.changing() as db:
        audit.note(db, "rasa", "document.published")
        _ = 1 // 0
    assert audit.entries() == []


def test_a_damaged_file_and_one_of_another_version_say_what_to_do(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / DATABASE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="clusterqa staff add"):
        open_database(Home(damaged))
    database = open_database(Home(tmp_path / "other"))
    Audit(database)
    database.close()
    with sqlite3.connect(tmp_path / "other" / DATABASE) as db:
        db.execute("UPDATE parts SET version = 99")
    database = open_database(Home(tmp_path / "other"))
    with pytest.raises(StoreError, match="a newer version"):
        Audit(database)
    database.close()


# ── the commands ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def run(tmp_path: Path):
    def run(*words: str, stdin: str = "", status: int = 0) -> str:
        result = CliRunner().invoke(cli, ["staff", *words, "--data", str(tmp_path / "data")], input=stdin)
        assert result.exit_code == status, result.output
        return result.output

    return run


def test_accounts_are_made_listed_and_removed_on_the_command_line(run, tmp_path: Path) -> None:
    assert "clusterqa staff add NAME" in run("list")
    assert run("add", "rasa", stdin=f"{PASSWORD}\n") == "Added: rasa (administrator). Log in at /staff\n"
    assert "jonas (editor)" in run("add", "jonas", stdin=f"{OTHER}\r\n")
    assert run("list").splitlines() == [
        "jonas  [editor]  never logged in",
        "rasa  [administrator]  never logged in",
    ]
    assert [row["role"] for row in json.loads(run("list", "--json"))] == ["editor", "administrator"]
    assert run("password", "JONAS", stdin=f"{PASSWORD}\n") == "Changed: the password of jonas\n"
    database = open_database(Home(tmp_path / "data"))
    audit = Audit(database)
    assert Accounts(database, audit).check("jonas", PASSWORD, HERE).role == "editor"
    assert "administrator first" in run("remove", "rasa", status=1)
    assert run("remove", "jonas") == "Removed: jonas\n"
    whos = {line.who for line in audit.entries(what="account")}
    assert len(whos) == 1 and whos.pop().startswith("cli:")
    database.close()


def test_a_weak_password_and_an_unknown_name_end_with_a_message(run) -> None:
    assert "at least 12 characters" in run("add", "rasa", stdin="trumpas\n", status=1)
    assert "at least 12 characters" in run("add", "rasa", stdin="", status=1)
    assert "clusterqa staff list" in run("password", "nobody", stdin=f"{PASSWORD}\n", status=1)
    assert "clusterqa staff list" in run("remove", "nobody", status=1)


def test_no_password_is_taken_as_an_argument(run) -> None:
    assert "unexpected extra argument" in run("add", "rasa", PASSWORD, status=2)
    assert "No such option" in run("add", "rasa", "--password", PASSWORD, status=2)


# ── clocks, and two at a time ───────────────────────────────────────────────────────────────────────────────────


def test_a_clock_that_was_set_back_makes_nobody_wait_for_it_and_ends_sessions_of_its_future(rasa: Accounts) -> None:
    future = NOON + timedelta(days=400)
    session = rasa.begin(rasa.find("rasa"), "203.0.113.7", future)
    fail(rasa, FAILURES_HERE, at=future)
    assert rasa.check("rasa", PASSWORD, HERE, NOON).name == "rasa"
    assert rasa.session(session.token, NOON) is None
    fail(rasa, FAILURES_HERE, client=ELSEWHERE)
    with pytest.raises(Locked):  # a clock that is a little behind lifts no lock
        rasa.check("rasa", PASSWORD, ELSEWHERE, NOON - timedelta(seconds=30))


def test_two_administrators_who_remove_each_other_leave_one(rasa: Accounts) -> None:
    rasa.add("jonas", OTHER, "administrator", "rasa")
    rasa.remove("jonas", "rasa")
    with pytest.raises(NoSuchAccount):  # what jonas sent a moment before
        rasa.remove("rasa", "jonas")
    assert rasa.exist()


@pytest.mark.parametrize(
    "name", ["r\u0430sa", "\u0433\u0430\u0441\u0430x", "ra\u0455a", "rasa\u0337", "p\u0430stas@example.lt"]
)
def test_a_name_that_looks_like_another_ones_is_no_name(rasa: Accounts, name: str) -> None:
    with pytest.raises(WrongName):
        rasa.add(name, OTHER, "editor", "rasa")
    assert rasa.add("žąsė.Šėlė-ŪŽ_1", OTHER, "editor", "rasa").role == "editor"
