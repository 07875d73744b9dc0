"""Backup and restore: everything comes back, all of it or nothing, and what is damaged or hostile is refused."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
import stat
import zipfile
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from clusterqa import cli
from clusterqa.backup import FORMAT, MANIFEST, BackupError, check, restore, save
from clusterqa.corpus import folder as corpus_folder
from clusterqa.corpus.exchange import BESIDE, PLAN
from clusterqa.corpus.lock import finish_restoring, writer_lock
from clusterqa.corpus.sync import out_of_step, update
from clusterqa.errors import ClusterQAError, StoreError
from clusterqa.journal import JOURNAL, Journal
from clusterqa.records import Reply
from clusterqa.runtime import KnowledgeBase
from clusterqa.settings import Settings
from clusterqa.shapes import reply_as_json
from clusterqa.staff import audit
from clusterqa.staff.accounts import Accounts
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import open_database
from clusterqa.store import copy_database, open_store
from clusterqa.store.sqlite import DATABASE
from killing import dies_at
from words_encoder import WordsEncoder

QUESTIONS = ("What does the gold label cost?", "Kiek kainuoja aukso ženklas?", "What does the silver label cost?")
PASSWORD = "debesis neša geltoną lagaminą"


@pytest.fixture
def full(tmp_path: Path, words: WordsEncoder, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A server's folders with something in every corner, and the current folder beside them."""
    settings = Settings(corpus=tmp_path / "one/corpus", data=tmp_path / "one/data", reader="none")
    (settings.corpus / "deep").mkdir(parents=True)
    texts = {
        "gold.en.md": "# Gold\n\nThe gold label costs 8,250 euro.\n",
        "auksas.lt.md": "# Auksas\n\nAukso ženklas kainuoja 8 250 eurų.\n",
        "deep/silver.en.md": "# Silver\n\nThe silver label costs 3,620 euro.\n",
        "old.en.md": "# Old\n\nThe bronze label was a cluster.\n",
    }
    for name, text in texts.items():
        (settings.corpus / name).write_text(text, encoding="utf-8")
    (settings.corpus / "gold.en.md.yaml").write_text("publisher: Klasterių biuras\n", encoding="utf-8")
    (settings.corpus / ".hidden").write_text("stays", encoding="utf-8")
    update(settings, lambda: words)
    corpus_folder.remove(settings, "old.en.md")
    update(settings, lambda: words)
    earlier = settings.data / "earlier/gold.en.md/0123456789abcdef/gold.en.md"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("# Gold\n\nThe gold label costs 8,000 euro.\n", encoding="utf-8")
    with closing(Journal.open(settings.home, 100)) as journal:
        journal.record(unanswered("Kiek kainuoja?"), "api")
    with closing(open_database(settings.home)) as database:
        Accounts(database, Audit(database)).add("rasa", PASSWORD, "administrator", "rasa")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    Path("clusterqa.toml").write_text("passage_chars = 600\n", encoding="utf-8")
    return settings


def unanswered(question: str) -> Reply:
    return Reply(question, "lt", "not_found", 0.1, "–", generation=2)


def other(settings: Settings, name: str = "two") -> Settings:
    folder = settings.data.parent.parent / name
    return settings.model_copy(update={"corpus": folder / "corpus", "data": folder / "data"})


def files(settings: Settings) -> dict[str, bytes]:
    """Every file of both folders that is not a database, by its place in them."""
    return {
        f"{name}/{path.relative_to(folder).as_posix()}": path.read_bytes()
        for name, folder in (("data", settings.data), ("corpus", settings.corpus))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".sqlite3" not in path.name and path.name != "writer.lock" and ".restore" not in str(path)
    }


def told(settings: Settings) -> dict[str, Any]:
    """What the copy answers, and what it knows of people and questions."""
    with KnowledgeBase(settings, WordsEncoder()) as kb:
        answers = [json.dumps(reply_as_json(kb.ask(question)), ensure_ascii=False) for question in QUESTIONS]
    with closing(Journal.open(settings.home, 100)) as journal, closing(open_database(settings.home)) as database:
        people = Accounts(database, Audit(database)).everyone()
        return {"answers": answers, "asked": journal.entries(), "people": people, "log": Audit(database).entries()}


def everything(settings: Settings) -> str:
    """A digest of all that a restore could change; databases by their rows, without the mark that tells servers to look."""
    rows = []
    for path in sorted(settings.data.glob("*.sqlite3")):
        with closing(sqlite3.connect(path)) as db:
            marks = ("epoch", "seal")
            rows += [
                path.name,
                *(
                    line
                    for line in db.iterdump()
                    if not line.startswith(tuple(f"INSERT INTO \"meta\" VALUES('{m}'" for m in marks))
                ),
            ]
    return hashlib.sha256(repr((sorted(files(settings).items()), rows)).encode()).hexdigest()


# ── what comes back ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_restored_copy_has_every_file_and_answers_the_same_byte_for_byte(full: Settings) -> None:
    saved = save(full, Path("b.zip"))
    assert {m.path for m in saved.members} == {
        "data/clusterqa.sqlite3", "data/journal.sqlite3", "data/staff.sqlite3", "data/removed/old.en.md",
        "data/earlier/gold.en.md/0123456789abcdef/gold.en.md", "corpus/gold.en.md", "corpus/gold.en.md.yaml",
        "corpus/auksas.lt.md", "corpus/deep/silver.en.md", "clusterqa.toml",
    }  # fmt: skip
    assert check(Path("b.zip")) == saved
    restore(other(full), Path("b.zip"))
    assert files(other(full)) == {name: text for name, text in files(full).items() if name != "corpus/.hidden"}
    assert told(other(full)) == told(full)
    assert '"status": "answered"' in told(full)["answers"][0] and len(told(full)["asked"]) == 1
    verdict = audit.verify(other(full).home)
    assert verdict is not None and not verdict.faults and verdict.lines == 1
    with open_store(other(full).home) as store:
        assert out_of_step(other(full), store) == []
        assert store.damage() == []


@pytest.mark.parametrize("year", [1950, 1969, 1975, 2040, 2200])
def test_a_file_of_any_year_is_saved_and_comes_back_with_it(full: Settings, year: int) -> None:
    moment = int(datetime(year, 6, 1, tzinfo=UTC).timestamp())
    os.utime(full.corpus / "gold.en.md", (moment, moment))
    saved = save(full, Path("b.zip"))
    assert check(Path("b.zip")) == saved
    restore(other(full), Path("b.zip"))
    assert (other(full).corpus / "gold.en.md").stat().st_mtime == moment


def test_only_its_owner_may_read_a_backup_and_what_was_private_in_it(full: Settings) -> None:
    os.umask(os.umask(0o022))
    save(full, Path("b.zip"))
    assert stat.S_IMODE(Path("b.zip").stat().st_mode) == 0o600
    restore(other(full), Path("b.zip"))
    for name in ("staff.sqlite3", JOURNAL):
        assert stat.S_IMODE((other(full).data / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((other(full).corpus / "gold.en.md").stat().st_mode) == stat.S_IMODE(
        (full.corpus / "gold.en.md").stat().st_mode
    )


def test_a_restore_in_place_reaches_the_connections_that_a_server_has_open(full: Settings, words: WordsEncoder) -> None:
    before = told(full)
    with (
        KnowledgeBase(full, words) as kb,
        closing(Journal.open(full.home, 100)) as journal,
        closing(open_database(full.home)) as database,
    ):
        book = Accounts(database, Audit(database))
        save(full, Path("b.zip"))
        (full.corpus / "gold.en.md").write_text("# Gold\n\nThe gold label costs nothing.\n", encoding="utf-8")
        (full.corpus / "new.en.md").write_text("# New\n\nA new expert.\n", encoding="utf-8")
        kb.update()
        book.add("jonas", PASSWORD, "editor", "rasa")
        journal.record(unanswered("Later?"), "chat")
        assert "nothing" in kb.ask(QUESTIONS[0]).quotes[0].text

        assert command(full, "restore", "b.zip", "--replace").exit_code == 0
        assert [reply_as_json(kb.ask(question)) for question in QUESTIONS] == [*map(json.loads, before["answers"])]
        assert [entry.question for entry in journal.entries()] == ["Kiek kainuoja?"]
        assert [account.name for account in book.everyone()] == ["rasa"]
        journal.record(unanswered("After?"), "chat")
        book.add("ona", PASSWORD, "editor", "rasa")
    assert not (full.corpus / "new.en.md").exists()
    assert (full.corpus / ".hidden").read_text() == "stays"
    after = told(full)
    assert [entry.question for entry in after["asked"]] == ["After?", "Kiek kainuoja?"]
    assert [account.name for account in after["people"]] == ["ona", "rasa"]
    verdict = audit.verify(full.home)
    assert verdict is not None and not verdict.faults


def test_a_backup_is_made_while_others_write_and_holds_whole_transactions(full: Settings) -> None:
    with closing(Journal.open(full.home, 100)) as journal, closing(open_database(full.home)) as database:
        with database.changing() as db:
            db.execute("CREATE TABLE half (x)")
            save(full, Path("b.zip"))
        journal.record(unanswered("Afterwards?"), "chat")
    restore(other(full), Path("b.zip"))
    with closing(open_database(other(full).home)) as copy, copy.using() as db:
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'half'").fetchone() == (0,)
    assert len(told(other(full))["asked"]) == 1


def test_a_data_folder_that_lies_beside_or_around_the_corpus_comes_back_too(full: Settings, tmp_path: Path) -> None:
    around = full.model_copy(update={"corpus": tmp_path / "all/corpus", "data": tmp_path / "all"})
    shutil.copytree(full.data, around.data)
    shutil.copytree(full.corpus, around.corpus)
    before = everything(around)
    names = {member.path for member in save(around, Path("b.zip")).members}
    assert "corpus/gold.en.md" in names and not any("data/corpus" in name for name in names)
    (around.corpus / "gold.en.md").unlink()
    restore(around, Path("b.zip"), replace=True)
    assert everything(around) == before


def test_a_damaged_database_that_is_there_is_replaced(full: Settings) -> None:
    before = told(full)
    save(full, Path("b.zip"))
    for name in (DATABASE, JOURNAL, "staff.sqlite3"):
        (full.data / name).write_bytes(b"this is no database" * 400)
    restore(full, Path("b.zip"), replace=True)
    assert told(full) == before


def test_a_database_that_the_backup_does_not_know_is_gone_afterwards(full: Settings) -> None:
    (full.data / JOURNAL).rename(full.data / "aside")
    save(full, Path("b.zip"))
    (full.data / "aside").rename(full.data / JOURNAL)
    restore(full, Path("b.zip"), replace=True)
    assert not (full.data / JOURNAL).exists()


# ── all of it or nothing ────────────────────────────────────────────────────────────────────────────────────────


def test_a_restore_that_is_killed_at_any_file_operation_leaves_all_of_the_old_or_all_of_the_new(full: Settings) -> None:
    save(full, Path("b.zip"))
    new = everything(full)
    (full.corpus / "gold.en.md").write_text("# Gold\n\nThe gold label costs nothing.\n", encoding="utf-8")
    (full.corpus / "more.en.md").write_text("# More\n\nThe gold report.\n", encoding="utf-8")
    update(full, WordsEncoder)
    with closing(Journal.open(full.home, 100)) as journal:
        journal.record(unanswered("Later?"), "chat")
    old = everything(full)
    kept = full.data.parent.parent / "kept"
    shutil.copytree(full.data.parent, kept)
    seen = []
    for number in range(1, 1000, 5):
        killed = dies_at(number, lambda: restore(full, Path("b.zip"), replace=True))
        again = dies_at(number % 7 + 1, lambda: finish_restoring(full.home))  # and a second time, while it is mended
        finish_restoring(full.home)
        state = everything(full)
        assert state in (old, new), f"half of it after {number} operations"
        assert not (full.data / PLAN).exists()
        seen.append(state == new)
        if not killed and not again:
            break
        shutil.rmtree(full.data.parent)
        shutil.copytree(kept, full.data.parent)
    assert len(seen) > 15
    assert seen == sorted(seen) and not seen[0] and seen[-1]  # old up to one moment, new from then on
    assert not list(full.data.glob(f"{BESIDE}*")) and not list(full.corpus.glob(f"{BESIDE}*"))


def test_what_a_killed_restore_left_is_swept_by_the_next(full: Settings) -> None:
    save(full, Path("b.zip"))
    assert dies_at(45, lambda: restore(full, Path("b.zip"), replace=True))
    assert list(full.data.glob(f"{BESIDE}*"))
    restore(full, Path("b.zip"), replace=True)
    assert not list(full.data.glob(f"{BESIDE}*")) and not list(full.corpus.glob(f"{BESIDE}*"))


def test_a_backup_that_is_killed_leaves_no_half_file_and_the_next_sweeps_the_rest(full: Settings) -> None:
    left = 0
    for number in range(1, 60, 9):
        if not dies_at(number, lambda: save(full, Path("b.zip"))):
            break
        left = max(left, len(list(Path().glob(".*"))))
        if Path("b.zip").exists():  # killed after it had its name
            check(Path("b.zip"))
            Path("b.zip").unlink()
    check(Path("b.zip"))
    assert left == 2 and not list(Path().glob(".*"))


def test_without_replace_what_is_there_stays(full: Settings) -> None:
    save(full, Path("b.zip"))
    before = everything(full)
    with pytest.raises(BackupError, match=r"something in .* already.*--replace"):
        restore(full, Path("b.zip"))
    assert everything(full) == before


def test_who_takes_the_lock_after_a_killed_restore_finds_the_new(full: Settings, words: WordsEncoder) -> None:
    """A server that goes on while a restore is killed must not index the old corpus into the new index."""
    save(full, Path("b.zip"))
    new = told(full)["answers"]
    (full.corpus / "gold.en.md").write_text("# Gold\n\nThe gold label costs nothing.\n", encoding="utf-8")
    update(full, lambda: words)
    for number in range(300, 1, -1):
        if dies_at(number, lambda: restore(full, Path("b.zip"), replace=True)) and (full.data / PLAN).exists():
            break
    report = update(full, lambda: words)
    assert (report.added, report.changed, report.removed) == ((), (), ())
    assert told(full)["answers"] == new


# ── what is refused ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_flipped_or_missing_byte_is_refused_or_changes_nothing_that_is_restored(full: Settings) -> None:
    save(full, Path("b.zip"))
    restore(other(full), Path("b.zip"))
    expected, content = everything(other(full)), Path("b.zip").read_bytes()
    chance = random.Random(20)
    damages: list[bytes] = [content[:at] for at in (0, 1, 30, len(content) // 2, len(content) - 1)]
    for _ in range(60):
        at = chance.randrange(len(content))
        damages.append(content[:at] + bytes([content[at] ^ (1 << chance.randrange(8))]) + content[at + 1 :])
    refused = 0
    for number, damaged in enumerate(damages):
        Path("d.zip").write_bytes(damaged)
        target = other(full, f"d{number}")
        try:
            restore(target, Path("d.zip"))
        except BackupError as error:
            refused += 1
            assert "d.zip is damaged: " in str(error) and "Nothing was changed" in str(error)
            assert not target.data.parent.exists()
        else:
            assert everything(target) == expected
    assert refused > 50


def test_a_damaged_backup_is_refused_with_the_file_that_is_damaged(full: Settings) -> None:
    save(full, Path("b.zip"))
    before = everything(full)
    with zipfile.ZipFile("b.zip") as archive:
        info = archive.getinfo("corpus/gold.en.md")
        at = info.header_offset + 30 + len(info.filename) + 20 + 3
    content = bytearray(Path("b.zip").read_bytes())
    content[at] ^= 0x55
    Path("b.zip").write_bytes(content)
    with pytest.raises(BackupError, match=r"damaged: corpus/gold\.en\.md"):
        check(Path("b.zip"))
    result = command(full, "restore", "b.zip", "--replace")
    assert result.exit_code == 1 and "corpus/gold.en.md" in result.stderr
    assert everything(full) == before and not list(full.data.glob(f"{BESIDE}*"))


def forged(path: Path, members: dict[str, bytes], **changes: Any) -> Path:
    """A backup with these files, digests and all."""
    entries = [
        {
            "path": name,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "mtime_ns": 1,
            "mode": 0o644,
        }
        for name, content in members.items()
    ]
    manifest = {"format": FORMAT, "clusterqa": "0", "made_at": "2026-01-01", "files": entries} | changes
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr(MANIFEST, json.dumps(manifest))
    return path


HOSTILE = (
    "../evil.md", "corpus/../../evil.md", "/etc/evil.md", "corpus//etc/evil.md", "corpus/..", "corpus/a/../b.md", "corpus/./b.md",
    "corpus\\..\\evil.md", "corpus/a\x00.md", "corpus/a\nb.md", "corpus/.ssh/key", "corpus/.htaccess", "data/.restore-1/new/x", "corpus",
    "data/", "evil.md", "data/writer.lock", "data/restore.json", "data/staff.sqlite3-wal", "data/clusterqa.sqlite3-shm",
    "data/x.sqlite3.damaged-1", "C:/evil.md", "corpus/" + "a" * 300, "corpus/" + "a/" * 2500 + "b", "Corpus/a.md", "./clusterqa.toml",
)  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_refused_before_anything_is_written(name: str, full: Settings, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    backup = tmp_path / "hostile.zip"
    forged(backup, {name: b"evil", "corpus/good.md": b"good"})
    with pytest.raises(BackupError, match="damaged"):
        restore(other(full), backup)
    assert sorted(tmp_path.rglob("*")) == sorted([*before, backup])


def test_what_the_manifest_does_not_know_or_misstates_is_refused(full: Settings, tmp_path: Path) -> None:
    good = {"corpus/a.md": b"text"}
    entry = {
        "path": "corpus/a.md",
        "size": 4,
        "sha256": hashlib.sha256(b"text").hexdigest(),
        "mtime_ns": 1,
        "mode": 420,
    }
    cases: dict[str, dict[str, Any]] = {
        "not in it": {"files": [entry, entry | {"path": "corpus/b.md"}]},
        "not in manifest": {"files": []},
        "names a file twice": {"files": [entry, entry]},
        "what it was when": {"files": [entry | {"size": 3}]},
        "what it was when it": {"files": [entry | {"sha256": "0" * 64}]},
        "no file can have": {"files": [entry | {"size": -1}]},
        "no file can have ": {"files": [entry | {"mtime_ns": 10**30}]},
        "lacks something": {"files": [{"path": "corpus/a.md"}]},
        "lacks something ": {"files": 7},
        "another version": {"format": 2},
        "another version of": {"format": [1]},
    }
    for said, changes in cases.items():
        with pytest.raises(BackupError, match=said.strip()):
            restore(other(full), forged(tmp_path / "f.zip", good, **changes))
        assert not other(full).data.parent.exists()
    with pytest.raises(BackupError, match="a file and a folder"):
        check(forged(tmp_path / "f.zip", {"corpus/a": b"1", "corpus/a/b": b"2"}))
    with zipfile.ZipFile(tmp_path / "plain.zip", "w") as archive:
        archive.writestr("corpus/a.md", "text")
    with pytest.raises(BackupError, match=r"no manifest\.json"):
        check(tmp_path / "plain.zip")
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(BackupError, match="cut off, or no backup"):
        check(tmp_path / "text.zip")
    with pytest.raises(BackupError, match="no file"):
        check(tmp_path / "absent.zip")


def test_a_file_that_unpacks_to_more_than_it_says_is_not_unpacked(full: Settings, tmp_path: Path) -> None:
    entry = {"path": "corpus/a.md", "size": 10, "sha256": "0" * 64, "mtime_ns": 1, "mode": 420}
    manifest = {"format": FORMAT, "clusterqa": "0", "made_at": "2026-01-01", "files": [entry]}
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("corpus/a.md", b"0" * 200_000_000)
        archive.writestr(MANIFEST, json.dumps(manifest))
    with pytest.raises(BackupError, match="not what it was"):
        restore(other(full), tmp_path / "bomb.zip")
    assert not other(full).data.parent.exists()


def test_a_full_disk_is_told_and_changes_nothing(full: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    save(full, Path("b.zip"))
    before = everything(full)

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(BackupError, match=r"No space left on device.*nothing was changed"):
        restore(full, Path("b.zip"), replace=True)
    with pytest.raises(BackupError, match="No space left on device"):
        save(full, Path("c.zip"))
    monkeypatch.undo()
    assert everything(full) == before
    assert not list(Path().glob("c.zip*"))


def test_an_index_of_another_version_comes_back_with_a_word_on_it(full: Settings) -> None:
    with open_store(full.home) as store, store.noting():
        store.set_meta("schema", "0")
    save(full, Path("b.zip"))
    done = restore(other(full), Path("b.zip"))
    assert any("clusterqa index --rebuild" in remark for remark in done.remarks)
    with pytest.raises(StoreError):
        open_store(other(full).home)


# ── the commands ────────────────────────────────────────────────────────────────────────────────────────────────


def command(settings: Settings, *words: str) -> Result:
    where = ("--corpus", str(settings.corpus), "--data", str(settings.data))
    return CliRunner().invoke(cli.cli, [words[0], *where, *words[1:]])


def test_the_commands_save_check_and_restore(full: Settings) -> None:
    assert command(full, "backup", "b.zip").stdout.startswith("Saved: b.zip (10 files, ")
    assert "There is a file b.zip" in command(full, "backup", "b.zip").stderr
    assert command(full, "backup", "b.zip", "--replace").exit_code == 0
    assert command(full, "backup", "--check", "b.zip").stdout.startswith("Whole: 10 files, ")
    assert "something in" in command(full, "restore", "b.zip").stderr
    done = command(other(full), "restore", "b.zip")
    assert done.exit_code == 0 and done.stdout.startswith("Restored: 10 files, ")
    assert told(other(full)) == told(full)


def test_a_removed_document_is_still_restored_by_its_name(full: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from clusterqa.cli import common

    monkeypatch.setattr(common, "load_encoder", lambda _: WordsEncoder)
    Path("old.en.md").write_text("a file of the same name here is not meant")
    assert command(full, "restore", "old.en.md").stdout == "Restored: old.en.md\n"
    assert (full.corpus / "old.en.md").is_file()
    assert command(full, "restore", "old.en.md").stdout == "There already: old.en.md\n"  # repeated, as after a kill
    assert "no backup b.zip" in command(full, "restore", "b.zip").stderr
    assert "was not removed" in command(full, "restore", "nothing.md").stderr


def test_settings_come_back_where_there_are_none_and_never_over_those_that_are_there(
    full: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Path("clusterqa.toml").write_text(
        'corpus = "texts"\npassage_chars = 700\nwatch_token = "a key of more than sixteen"\n'
    )
    save(full, tmp_path / "b.zip")
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(cli.cli, ["restore", "b.zip"])
    assert "has corpus = 'texts'" in refused.stderr and "--corpus texts" in refused.stderr
    assert "more than sixteen" not in refused.output and not (tmp_path / "data").exists()
    assert CliRunner().invoke(cli.cli, ["restore", "b.zip", "--corpus", "texts"]).exit_code == 0
    assert (tmp_path / "texts/gold.en.md").is_file() and (tmp_path / "data" / DATABASE).is_file()
    assert "passage_chars = 700" in (tmp_path / "clusterqa.toml").read_text()
    assert stat.S_IMODE((tmp_path / "clusterqa.toml").stat().st_mode) == 0o600
    (tmp_path / "clusterqa.toml").write_text('corpus = "texts"\n')
    again = CliRunner().invoke(cli.cli, ["restore", "b.zip", "--replace"])
    assert again.exit_code == 0 and "left as it is" in again.stderr
    assert (tmp_path / "clusterqa.toml").read_text() == 'corpus = "texts"\n'


def test_a_backup_does_not_go_where_it_would_save_itself(full: Settings) -> None:
    for target in (full.data / "b.zip", full.corpus / "b.zip"):
        with pytest.raises(BackupError, match="outside of"):
            save(full, target)
    with pytest.raises(BackupError, match="is a folder"):
        save(full, full.data.parent)
    with pytest.raises(BackupError, match="nothing to save"):
        save(other(full), Path("b.zip"))


def test_nothing_is_published_while_a_backup_is_made(full: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    locked: list[bool] = []

    def copy(source: Path, target: Path) -> None:
        locked.append(dies_at(1_000_000, lambda: _try_lock(full)))
        copy_database(source, target)

    monkeypatch.setattr("clusterqa.backup.copy_database", copy)
    save(full, Path("b.zip"))
    assert locked == [False] * 3


def _try_lock(settings: Settings) -> None:
    from filelock import FileLock, Timeout

    with pytest.raises(Timeout):
        FileLock(settings.data / "writer.lock", timeout=0).acquire()


def test_a_plan_that_nobody_can_read_stops_writers_with_a_word(full: Settings) -> None:
    (full.data / PLAN).write_text("{")
    with pytest.raises(ClusterQAError, match="Move it away"), writer_lock(full.home):
        pass
