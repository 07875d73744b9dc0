"""The desk's file between processes: nobody cuts it off, and what one process revokes is revoked in the others at once."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusterqa import private
from clusterqa.journal import JOURNAL, Journal
from clusterqa.settings import Home, Settings
from clusterqa.staff.accounts import Accounts
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import DATABASE, DeskUnusable, open_database
from clusterqa.store import open_store
from clusterqa.web.app import build
from test_staff_web import OTHER, PASSWORD, Browser

SERVER = """
import sys
from pathlib import Path
from clusterqa.settings import Home
from clusterqa.staff.accounts import Accounts
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import open_database
data = Path(sys.argv[1])
first = open_database(Home(data))
book = Accounts(first, Audit(first))
open_database(Home(data)).close()
print("open", flush=True)
for line in sys.stdin:
    book.add(line.strip(), "debesis neša geltoną lagaminą", "editor", "rasa")
    print("added", flush=True)
"""


def staff(data: Path, *words: str, stdin: str = "") -> str:
    """`clusterqa staff …` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "clusterqa", "staff", *words, "--data", str(data)],
        input=stdin, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="looks into /proc")
def test_what_a_killed_server_wrote_last_is_there_whoever_looked_into_its_file_meanwhile(tmp_path: Path) -> None:
    staff(tmp_path, "add", "rasa", stdin=f"{PASSWORD}\n")
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin and server.stdout and server.stdout.readline() == "open\n"
        try:
            assert "rasa" in staff(tmp_path, "list")
            held = [os.readlink(link) for link in Path(f"/proc/{server.pid}/fd").iterdir()]
            assert str(tmp_path / f"{DATABASE}-wal") in held
            assert [name for name in held if DATABASE in name and "(deleted)" in name] == []
            server.stdin.write("jonas\n")
            server.stdin.flush()
            assert server.stdout.readline() == "added\n"
        finally:
            server.kill()
    assert "jonas" in staff(tmp_path, "list")
    staff(tmp_path, "remove", "jonas")
    assert "jonas" not in staff(tmp_path, "list")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Path, Browser]]:
    """A running desk with one of the staff logged in, and the file open a second time, as the keeper has it."""
    data = tmp_path / "data"
    staff(data, "add", "rasa", stdin=f"{PASSWORD}\n")
    staff(data, "add", "jonas", stdin=f"{OTHER}\n")
    app = build(Settings(corpus=tmp_path, data=data))
    browser = Browser(app)
    assert browser.log_in("jonas", OTHER).status_code == 303
    keeper = open_database(Home(data))
    yield data, browser
    keeper.close()
    app.state.desk.close()


def test_an_account_removed_on_the_command_line_is_out_of_a_running_server_at_once(desk: tuple[Path, Browser]) -> None:
    data, browser = desk
    assert browser.get("/staff/log").status_code == 200
    staff(data, "list")
    staff(data, "remove", "jonas")
    assert browser.get("/staff/log").headers["location"].startswith("/staff/login")
    assert browser.log_in("jonas", OTHER).status_code == 403


def test_a_password_changed_on_the_command_line_holds_in_a_running_server_at_once(desk: tuple[Path, Browser]) -> None:
    data, browser = desk
    new = "pelėda skolinasi žalią skėtį"
    staff(data, "password", "jonas", stdin=f"{new}\n")
    assert browser.get("/staff/log").headers["location"].startswith("/staff/login")
    assert browser.log_in("jonas", OTHER).status_code == 403
    assert browser.log_in("jonas", new).status_code == 303


def test_a_process_has_the_file_open_once_however_often_it_is_asked_for(tmp_path: Path) -> None:
    first, second = open_database(Home(tmp_path)), open_database(Home(tmp_path / ".." / tmp_path.name))
    assert first is second
    first.close()
    with second.using() as db:
        assert db.execute("SELECT 1").fetchone() == (1,)
    second.close()
    third = open_database(Home(tmp_path))
    assert third is not second
    third.close()


def test_a_file_that_was_moved_away_or_replaced_is_not_written_to_unseen(tmp_path: Path) -> None:
    database = open_database(Home(tmp_path))
    (tmp_path / DATABASE).rename(tmp_path / "aside")
    with pytest.raises(DeskUnusable, match="moved away"), database.changing():
        pass
    new = open_database(Home(tmp_path))
    book = Accounts(new, Audit(new))
    assert new is not database and not book.exist()
    with pytest.raises(DeskUnusable, match="replaced"), database.using():
        pass
    new.close()
    database.close()


def test_nobody_opens_a_live_database_by_hand(tmp_path: Path) -> None:
    """Python tells of every file that it opens itself; what SQLite opens is SQLite's own business."""
    program = """
import os, sys
from pathlib import Path
opened = []
def hook(event, args):
    if event == "open" and ".sqlite3" in os.fspath(args[0] if not isinstance(args[0], int) else "") and not (args[2] or 0) & os.O_EXCL:
        opened.append(args)
sys.addaudithook(hook)
from clusterqa.journal import Journal
from clusterqa.staff.accounts import Accounts
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import open_database
from clusterqa.settings import Home
from clusterqa.store import open_store
data = Path(sys.argv[1])
for _ in range(2):
    desk, journal, store = open_database(Home(data)), Journal.open(Home(data), 1), open_store(Home(data), create=True)
    Accounts(desk, Audit(desk)).exist()
    again = open_database(Home(data)), Journal.open(Home(data), 1), open_store(Home(data))
    journal.purge()
    for one in (*again, desk, journal, store):
        one.close()
print(opened)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_only_its_owner_may_read_is_so_from_the_first_moment_and_after_an_upgrade(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        journal, desk = Journal.open(Home(tmp_path), 30), open_database(Home(tmp_path))
    finally:
        os.umask(before)
    with desk.changing() as db:
        db.execute("CREATE TABLE t (x)")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert {JOURNAL, f"{JOURNAL}-wal", DATABASE, f"{DATABASE}-wal"} <= set(files)
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in files} == {0o600}
    journal.close()
    desk.close()
    (tmp_path / JOURNAL).chmod(0o644)  # as earlier versions made it
    Journal.open(Home(tmp_path), 30).close()
    assert stat.S_IMODE((tmp_path / JOURNAL).stat().st_mode) == 0o600


def test_a_file_that_sqlite_has_open_keeps_its_locks_when_it_is_prepared_again(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite3"
    private.prepare(path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN EXCLUSIVE")
    private.prepare(path)
    other = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('CREATE TABLE t (x)')"
    done = subprocess.run([sys.executable, "-c", other, str(path)], capture_output=True, text=True)
    assert "database is locked" in done.stderr
    db.close()


def test_the_index_is_opened_by_sqlite_alone_too(tmp_path: Path) -> None:
    with open_store(Home(tmp_path), create=True) as store:
        other = f"""
from pathlib import Path
from clusterqa.settings import Home
from clusterqa.store import open_store
open_store(Home(Path({str(tmp_path)!r}))).close()
"""
        open_store(Home(tmp_path)).close()
        subprocess.run([sys.executable, "-c", other], check=True)
        assert store.generation() == 0
        assert (tmp_path / "clusterqa.sqlite3-wal").exists()
