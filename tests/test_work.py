"""What is encoded, shared by processes through the queue in PostgreSQL or kept in a file: each may be killed at any moment, and nothing is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import monotonic, sleep

import psycopg
import pytest
from click.testing import CliRunner

from clusterqa.cli import cli
from clusterqa.corpus import sync
from clusterqa.corpus.work import KEPT, queue
from clusterqa.errors import SettingsError, StoreError
from clusterqa.settings import Home, Settings
from clusterqa.store import open_store
from engines import postgres_address
from words_encoder import WordTokens

DOCUMENTS, PARAGRAPHS = 8, 12
PATIENCE = 120.0

WORKER = """
import sys, time
from pathlib import Path
from clusterqa.corpus import work
from clusterqa.settings import Home
from words_encoder import WordTokens

class Slow(WordTokens):
    def read_passages(self, texts, progress=None):
        print("taken", flush=True)
        time.sleep(float(sys.argv[3]))
        return super().read_passages(texts, progress)

work.AT_ONCE = 4
with work.queue(Home(Path(sys.argv[1]), sys.argv[2]), Slow()) as shared:
    while True:
        if not shared.work():
            time.sleep(0.02)
"""
KEEPER = """
import os, signal, sys
from pathlib import Path
from clusterqa.corpus import sync, work
from clusterqa.settings import Settings
from words_encoder import WordTokens
work.FEW = 4
left = int(sys.argv[3])
put = work.Shelf.put
def put_or_die(self, db, vectors):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    put(self, db, vectors)
work.Shelf.put = put_or_die
sync.update(Settings(corpus=Path(sys.argv[1]), data=Path(sys.argv[2])), WordTokens)
"""
INDEXER = """
import os, signal, sys
from pathlib import Path
from clusterqa.corpus import sync, work
from clusterqa.settings import Settings
from words_encoder import WordTokens
work.AT_ONCE = 4
left = int(sys.argv[4])
take = work.Queue.work
def work_or_die(self):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return take(self)
work.Queue.work = work_or_die
sync.update(Settings(corpus=Path(sys.argv[1]), data=Path(sys.argv[2]), store=sys.argv[3]), WordTokens)
"""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes import what lies beside this file."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


@pytest.fixture
def settings(settings: Settings, write: Callable[[str, str], object]) -> Settings:
    for number in range(DOCUMENTS):
        text = "\n\n".join(f"Pastraipa {number} {line} sako žodį w{number}x{line}. " * 9 for line in range(PARAGRAPHS))
        write(f"{number}.lt.md", f"# Dokumentas {number}\n\n{text}\n")
    return settings.model_copy(update={"store": postgres_address()})


def contents(settings: Settings) -> list[object]:
    with open_store(settings.home) as store:
        assert store.damage() == []
        entries = list(store.passages())
        return [
            (e.passage, e.rows.tobytes(), t.states.tobytes())
            for e, t in zip(entries, store.tokens([e.id for e in entries]), strict=True)
        ]


@pytest.fixture
def expected(settings: Settings) -> list[object]:
    """What one process alone makes of the corpus, in a file."""
    alone = settings.model_copy(update={"store": "sqlite", "data": settings.data / "alone"})
    sync.update(alone, WordTokens)
    return contents(alone)


def waiting(settings: Settings) -> tuple[int, int]:
    """Passages that wait, and that are encoded and not yet in the store."""
    address, _, schema = settings.store.partition("&schema=")
    with psycopg.connect(address, autocommit=True, options=f"-csearch_path={schema}_work") as db:
        row = db.execute("SELECT (SELECT count(*) FROM waiting), (SELECT count(*) FROM encoded)").fetchone()
    assert row is not None
    return row[0], row[1]


def start(home: Home, seconds: float) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", WORKER, str(home.data), home.store, str(seconds)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


def test_what_is_shared_is_what_one_alone_would_make(settings: Settings, expected: list[object]) -> None:
    workers = [start(settings.home, 0.01) for _ in range(2)]
    try:
        report = sync.update(settings, WordTokens)
        assert [worker.poll() for worker in workers] == [None, None]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    assert len(report.added) == DOCUMENTS
    assert contents(settings) == expected
    assert waiting(settings) == (0, 0)


def test_a_worker_that_is_killed_gives_back_what_it_had_taken(settings: Settings, expected: list[object]) -> None:
    words = [sys.executable, "-c", INDEXER, str(settings.corpus), str(settings.data), settings.store]
    assert subprocess.run([*words, "0"], timeout=PATIENCE).returncode == -signal.SIGKILL  # all wait, and nobody works
    slow = start(settings.home, 3600)  # takes some, and never ends by itself
    processes: list[subprocess.Popen[str]] = [slow]
    try:
        assert slow.stdout is not None and slow.stdout.readline() == "taken\n"
        indexer = subprocess.Popen([*words, "-1"], text=True)
        processes.append(indexer)
        end = monotonic() + PATIENCE
        while waiting(settings)[0] != 4 and monotonic() < end:  # all but what the slow one holds
            sleep(0.05)
        assert waiting(settings)[0] == 4 and indexer.poll() is None
        slow.send_signal(signal.SIGKILL)
        assert indexer.wait(timeout=PATIENCE) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert contents(settings) == expected


def test_an_indexer_that_is_killed_loses_nothing_of_what_was_encoded(
    settings: Settings, expected: list[object]
) -> None:
    words = [sys.executable, "-c", INDEXER, str(settings.corpus), str(settings.data), settings.store]
    assert subprocess.run([*words, "3"], timeout=PATIENCE).returncode == -signal.SIGKILL
    left, done = waiting(settings)
    assert done == 3 * 4 and left == len(expected) - done
    with open_store(settings.home) as store:
        assert store.generation() == 0  # nobody sees a part of it
    encoded: list[str] = []

    class Counting(WordTokens):
        def read_passages(self, texts, progress=None):
            encoded.extend(texts)
            return super().read_passages(texts, progress)

    sync.update(settings, Counting)
    assert len(encoded) == len(expected) - done
    assert contents(settings) == expected
    assert waiting(settings) == (0, 0)


@pytest.fixture
def in_a_file(settings: Settings) -> Settings:
    """A store in a file, and a run that was killed when it had encoded three times four passages."""
    alone = settings.model_copy(update={"store": "sqlite"})
    words = [sys.executable, "-c", KEEPER, str(alone.corpus), str(alone.data), "3"]
    assert subprocess.run(words, timeout=PATIENCE).returncode == -signal.SIGKILL
    assert (alone.data / KEPT).is_dir()
    return alone


def test_a_run_over_a_file_that_is_killed_loses_nothing_of_what_was_encoded(
    in_a_file: Settings, expected: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(in_a_file.home) as store:
        assert store.generation() == 0
    encoded: list[str] = []

    class Counting(WordTokens):
        def read_passages(self, texts, progress=None):
            encoded.extend(texts)
            return super().read_passages(texts, progress)

    monkeypatch.setattr("clusterqa.corpus.work.FEW", 4)
    told: list[tuple[int, int]] = []
    sync.update(in_a_file, Counting, progress=lambda stage, done, total: told.append((done, total)))
    assert len(encoded) == len(expected) - 3 * 4
    assert told[-1][0] == told[-1][1] > 0
    assert contents(in_a_file) == expected
    assert not (in_a_file.data / KEPT).exists()


def test_what_was_damaged_in_the_file_is_not_taken_for_a_vector(
    in_a_file: Settings, expected: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clusterqa.corpus.work.FEW", 4)
    with closing(sqlite3.connect(in_a_file.data / KEPT / "encoded.sqlite3", isolation_level=None)) as db:
        db.execute("UPDATE encoded SET seal = seal + 1")
    with pytest.raises(StoreError, match="does not have its checksum"):
        sync.update(in_a_file, WordTokens)
    with open_store(in_a_file.home) as store:
        assert store.generation() == 0
    sync.update(in_a_file, WordTokens)  # encoded anew
    assert contents(in_a_file) == expected


def test_a_file_that_is_no_database_is_named(in_a_file: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clusterqa.corpus.work.FEW", 4)
    for path in (in_a_file.data / KEPT).iterdir():
        path.write_bytes(b"x" * 5000)
    with pytest.raises(StoreError, match=r"cannot be kept in .*encoded\.sqlite3 .* delete that file"):
        sync.update(in_a_file, WordTokens)


def test_what_a_killed_run_has_left_goes_with_the_next_one(in_a_file: Settings, expected: list[object]) -> None:
    sync.update(in_a_file, WordTokens)  # fewer passages than are kept
    assert contents(in_a_file) == expected
    assert not (in_a_file.data / KEPT).exists()


def test_what_was_damaged_in_the_queue_is_not_taken_for_a_vector(settings: Settings) -> None:
    words = [sys.executable, "-c", INDEXER, str(settings.corpus), str(settings.data), settings.store, "3"]
    subprocess.run(words, timeout=PATIENCE)
    address, _, schema = settings.store.partition("&schema=")
    with psycopg.connect(address, autocommit=True, options=f"-csearch_path={schema}_work") as db:
        db.execute("UPDATE encoded SET seal = seal + 1")
    with pytest.raises(StoreError, match="does not have its checksum"):
        sync.update(settings, WordTokens)
    sync.update(settings, WordTokens)  # encoded anew
    with open_store(settings.home) as store:
        assert store.damage() == []


def test_the_command_says_what_it_needs(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="store = "), queue(Home(tmp_path), WordTokens()):
        pass
    told = CliRunner().invoke(cli, ["work", "--until-empty", "--data", str(tmp_path)])
    assert told.exit_code == 1 and 'Set store = "postgresql://…"' in told.output


@pytest.mark.encoder
def test_the_command_takes_its_share(settings: Settings) -> None:
    """`clusterqa work` in a process of its own, with the bundled encoder."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "clusterqa", "work", "--data", str(settings.data / "elsewhere")],
        env=os.environ | {"CLUSTERQA_STORE": settings.store}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert worker.stderr is not None and "Working with e5-small" in worker.stderr.readline()
        done = CliRunner().invoke(
            cli,
            ["index", "--corpus", str(settings.corpus), "--data", str(settings.data)],
            env={"CLUSTERQA_STORE": settings.store},
        )
        assert done.exit_code == 0, done.output
        worker.send_signal(signal.SIGINT)
        told = worker.communicate(timeout=PATIENCE)[0]
    finally:
        worker.kill()
        worker.wait()
    assert "passages were encoded here." in told and not told.startswith("0 ")
    assert waiting(settings) == (0, 0)
