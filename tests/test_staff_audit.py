"""The activity log proves itself: whatever is done to a line from outside, `verify` finds it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from clusterqa.cli import cli
from clusterqa.doctor import examine
from clusterqa.errors import StoreError
from clusterqa.settings import Home, Settings
from clusterqa.staff.audit import BEGINNING, MOST_FAULTS, Audit, export, link, verify
from clusterqa.staff.database import DATABASE, open_database
from words_encoder import WordsEncoder

LINES = 5
VERSION_1 = """
CREATE TABLE parts (part TEXT PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO parts VALUES ('audit', 1);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,
    target TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE INDEX audit_who ON audit (who);
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is not altered'); END;
CREATE TRIGGER audit_grows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is not shortened'); END;
INSERT INTO audit (at, who, what, target, detail) VALUES ('2026-01-01T10:00:00.000+00:00', 'rasa', 'login', '', '');
INSERT INTO audit (at, who, what, target, detail) VALUES ('2026-01-01T11:00:00.000+00:00', 'rasa', 'logout', 'ž', '');
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    database = open_database(Home(tmp_path))
    audit = Audit(database)
    for number in range(LINES):
        audit.record("rasa", "document.published", f"ženklai-{number}.md", '"kabutės" | x')
    database.close()
    return tmp_path


@pytest.fixture
def outside(data: Path) -> Iterator[sqlite3.Connection]:
    """Somebody with the file and an editor, who took off what keeps the log."""
    db = sqlite3.connect(data / DATABASE, isolation_level=None)
    for guard in ("audit_stays", "audit_grows", "audit_goes_on"):
        db.execute(f"DROP TRIGGER {guard}")
    yield db
    db.close()


def faults(data: Path, noted: str = "") -> list[str]:
    """What is wrong with the log beside the missing guards."""
    verdict = verify(Home(data), noted)
    assert verdict is not None and "audit_stays" in verdict.faults[-1]
    return list(verdict.faults[:-1])


def test_a_log_that_nobody_touched_is_whole_and_its_chain_can_be_followed_by_anybody(data: Path) -> None:
    verdict = verify(Home(data))
    assert verdict is not None and (verdict.lines, verdict.faults) == (LINES, ())
    chain = BEGINNING
    for line in export(Home(data)):
        chain = link(chain, [line[name] for name in ("id", "at", "who", "what", "target", "detail")])
        assert line["chain"] == chain
    assert verdict.end == f"{LINES}:{chain}"


@pytest.mark.parametrize("line", range(1, LINES + 1))
@pytest.mark.parametrize("column", ["at", "who", "what", "target", "detail", "chain"])
def test_a_change_of_any_cell_is_found_and_named(
    data: Path, outside: sqlite3.Connection, line: int, column: str
) -> None:
    outside.execute(f"UPDATE audit SET {column} = {column} || 'x' WHERE id = ?", (line,))
    assert faults(data)[0].startswith(f"Line {line} ")


@pytest.mark.parametrize("line", range(1, LINES + 1))
def test_a_line_that_was_taken_out_is_missed_wherever_it_stood(
    data: Path, outside: sqlite3.Connection, line: int
) -> None:
    outside.execute("DELETE FROM audit WHERE id = ?", (line,))
    [fault] = faults(data)
    assert "missing" in fault


def test_a_line_replaced_with_its_number_kept_is_found(data: Path, outside: sqlite3.Connection) -> None:
    outside.execute(
        "INSERT OR REPLACE INTO audit SELECT id, at, 'jonas', what, target, detail, chain FROM audit WHERE id = 2"
    )
    [fault] = faults(data)
    assert fault.startswith("Line 2 ")


def test_two_lines_that_changed_places_and_one_put_before_all_are_found(
    data: Path, outside: sqlite3.Connection
) -> None:
    outside.execute("UPDATE audit SET target = 'x' WHERE id = 2")
    outside.execute("INSERT INTO audit SELECT -5, at, who, what, target, detail, chain FROM audit WHERE id = 1")
    told = faults(data)
    assert any("where none can be" in fault for fault in told) and any(fault.startswith("Line 2 ") for fault in told)


def test_a_chain_computed_anew_is_found_by_its_end_that_was_noted(data: Path, outside: sqlite3.Connection) -> None:
    before = verify(Home(data))
    assert before is not None
    chain = BEGINNING
    for row in outside.execute("SELECT id, at, who, what, target, detail FROM audit ORDER BY id").fetchall():
        row = (*row[:2], "jonas", *row[3:])
        chain = link(chain, row)
        outside.execute("UPDATE audit SET who = 'jonas', chain = ? WHERE id = ?", (chain, row[0]))
    assert faults(data) == []
    [fault] = faults(data, before.end)
    assert before.end in fault and "rewritten" in fault


def test_an_end_noted_earlier_is_still_there_when_the_log_has_grown(data: Path) -> None:
    before = verify(Home(data))
    assert before is not None
    database = open_database(Home(data))
    audit = Audit(database)
    audit.record("rasa", "login")
    after = verify(Home(data), before.end)
    assert after is not None and (after.lines, after.faults) == (LINES + 1, ())
    assert after.end == audit.end() != before.end
    database.close()


def test_many_faults_are_not_all_told(data: Path, outside: sqlite3.Connection) -> None:
    outside.execute(
        "WITH RECURSIVE n (x) AS (SELECT 6 UNION ALL SELECT x + 1 FROM n WHERE x < 500) "
        "INSERT INTO audit SELECT x, 'at', 'who', 'what', '', '', 'chain' FROM n"
    )
    verdict = verify(Home(data))
    assert verdict is not None and len(verdict.faults) == MOST_FAULTS + 1


def test_a_log_of_the_first_version_is_chained_as_it_stands(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.executescript(VERSION_1)
    db.close()
    before = verify(Home(tmp_path))
    assert before is not None and "earlier version" in before.faults[0]
    for _ in range(2):
        database = open_database(Home(tmp_path))
        audit = Audit(database)
        audit.record("jonas", "login")
        database.close()
    verdict = verify(Home(tmp_path))
    assert verdict is not None and (verdict.lines, verdict.faults) == (4, ())
    assert [(line["id"], line["who"], line["target"]) for line in export(Home(tmp_path))] == [
        (1, "rasa", ""), (2, "rasa", "ž"), (3, "jonas", ""), (4, "jonas", ""),
    ]  # fmt: skip


def test_where_there_is_no_desk_there_is_nothing_to_verify_and_a_damaged_file_says_so(tmp_path: Path) -> None:
    assert verify(Home(tmp_path)) is None and list(export(Home(tmp_path))) == []
    assert not (tmp_path / DATABASE).exists()
    (tmp_path / DATABASE).write_bytes(b"no database" * 1000)
    with pytest.raises(StoreError, match="backup"):
        verify(Home(tmp_path))


def test_the_command_says_whether_the_log_is_whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    def run(*words: str, status: int = 0) -> str:
        result = CliRunner().invoke(cli, ["staff", "log", *words, "--data", str(data)])
        assert result.exit_code == status, result.output
        return result.output

    assert run("--verify").startswith(f"Whole: {LINES} lines.")
    end = run("--verify").split()[-1]
    assert run("--verify", "--noted", end).startswith("Whole")
    lines = [json.loads(line) for line in run("--json").splitlines()]
    assert [line["id"] for line in lines] == [1, 2, 3, 4, 5] and lines[-1]["chain"] == end.split(":")[1]
    assert "ženklai-0.md" in run().splitlines()[0]
    aside = tmp_path_factory.mktemp("aside") / DATABASE
    shutil.copy(data / DATABASE, aside)  # nobody has it open
    with sqlite3.connect(aside) as db:
        db.execute("DROP TRIGGER audit_stays")
        db.execute("UPDATE audit SET who = 'x' WHERE id = 3")
    db.close()
    result = CliRunner().invoke(cli, ["staff", "log", "--verify", "--data", str(aside.parent)])
    assert result.exit_code == 1 and "Line 3" in result.output


def test_doctor_looks_at_the_log(settings: Settings, words: WordsEncoder) -> None:
    def found() -> dict[str, bool]:
        return {finding.what: finding.ok for finding in examine(settings, lambda: words)}

    assert "activity log" not in found()
    database = open_database(settings.home)
    Audit(database).record("rasa", "login")
    assert found()["activity log"]
    with database.changing() as db:
        db.execute("DROP TRIGGER audit_stays")
        db.execute("UPDATE audit SET who = 'x'")
    assert found()["activity log"] is False
    database.close()
