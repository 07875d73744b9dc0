"""
The power fails at any operation of indexing, publishing and keeping questions: nothing that was said to be done is lost, and
nothing is there by half. A few cuts here; 1,000 with `make powercut`.
"""

from __future__ import annotations

import ast
import os
import shutil
import sys
import threading
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from clusterqa.corpus.sync import out_of_step, update
from clusterqa.errors import IndexNotFound
from clusterqa.journal import Journal
from clusterqa.staff import audit
from clusterqa.staff.database import open_database
from clusterqa.store import open_store
from powercut import Operation, recorded, replay
from powercut_work import BY_HAND, PUBLISHED, QUESTIONS, drain, keeper_of, settings_of
from words_encoder import WordsEncoder

CUTS = int(os.environ.get("POWER_CUTS", "25"))
TEXTS = {(name, title or text[2 : text.index("\n")], text) for name, title, text in PUBLISHED} | {
    (name, title, text) for name, (title, text) in BY_HAND.items()
}
"""(document, title, text) that belong together."""

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Operation]]:
    """The work done once, to its end."""
    folder = tmp_path_factory.mktemp("work")
    (folder / "root").mkdir()
    work = [sys.executable, str(Path(__file__).with_name("powercut_work.py")), str(folder / "root")]
    found = recorded(
        work, folder / "root", folder / "trace", dict(os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path)}
    )
    kinds = {operation.kind for operation in found}
    assert {"write", "sync", "sync folder", "rename", "unlink", "truncate", "mkdir", "copy", "said"} <= kinds
    return folder / "root", found


def mended(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Start again on what the power cut left, as the server does; gives what is wrong then."""
    settings = settings_of(folder)
    settings.corpus.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)  # its work is done here, one after the other
    try:
        with closing(open_database(settings.home)) as database, closing(Journal.open(settings.home, 100)):
            try:
                open_store(settings.home).close()
            except IndexNotFound:
                update(settings, WordsEncoder)
            keeper = keeper_of(settings, database)
            keeper.start()
            drain(keeper.readings, keeper._changes)
            keeper.watch.look()
            drain(keeper._changes)
            keeper._stop.set()
    finally:
        monkeypatch.undo()
    with open_store(settings.home) as store:
        wrong = [*store.damage(), *out_of_step(settings, store)]
    verdict = audit.verify(settings.home)
    return [*wrong, *(verdict.faults if verdict else ())]


def test_a_power_cut_at_any_operation_loses_nothing_that_was_done_and_leaves_nothing_half(
    operations: tuple[Path, list[Operation]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, found = operations
    for cut in range(CUTS):
        chance = Random(cut)
        upto = len(found) if cut == 0 else chance.randint(1, len(found))
        folder = tmp_path / "cut"
        said = [line.split("\t") for line in replay(found, upto, chance, root, folder)]
        where = f"cut {cut} before operation {upto} of {len(found)}, after {said[-1:]}"
        assert mended(folder, monkeypatch) == [], where

        settings = settings_of(folder)
        live = {}
        with open_store(settings.home) as store:
            for stored in store.documents():
                document = store.read(stored.id)
                assert document is not None
                live[stored.id] = (stored.id, document.title, document.text)
        assert set(live.values()) <= TEXTS, where
        for name in live:
            assert (settings.corpus / name).read_text(encoding="utf-8") == live[name][2], where
        if ["indexed"] in said:
            assert set(BY_HAND) <= set(live), where
        done = [line for line in said if line[0] == "published"]
        for name in {line[1] for line in done}:
            texts = [text for document, _, text in PUBLISHED if document == name]
            last = max(texts.index(ast.literal_eval(line[2])) for line in done if line[1] == name)
            assert live[name][2] in texts[last:], f"{name} is lost: {where}"
        with closing(open_database(settings.home)) as database:
            history = keeper_of(settings, database).history
            for name in {document for document, _, _ in PUBLISHED}:
                events = history.of(name)
                assert {event.who for event in events} <= {"rasa"}, f"{where}: {events}"
                assert len(events) >= sum(line[1] == name for line in done), where
        with closing(Journal.open(settings.home, 100)) as journal:
            entries = {entry.id: entry.question for entry in journal.entries()}
        assert set(entries.values()) <= set(QUESTIONS), where
        assert {line[1] for line in said if line[0] == "asked"} <= set(entries), where
        shutil.rmtree(folder)
