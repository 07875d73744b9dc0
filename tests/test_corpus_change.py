"""A document and its sidecar come, change and go together, whenever the process dies; then the command is repeated."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from clusterqa.corpus import change, sync
from clusterqa.corpus import folder as corpus_folder
from clusterqa.corpus.change import Step
from clusterqa.doctor import examine
from clusterqa.errors import CorpusError
from clusterqa.settings import Settings
from clusterqa.store import open_store
from probes import dies_at
from words_encoder import WordsEncoder

OLD, NEW = "The silver label.\n", "The gold label.\n"
Work = Callable[[Settings], None]


def update(settings: Settings) -> None:
    sync.update(settings, WordsEncoder)


def add(settings: Settings) -> None:
    added, refused = corpus_folder.add(settings, [settings.corpus.with_name("mine") / "a.txt"], replace=True)
    assert added == ["a.txt"] and not refused
    update(settings)


def remove(settings: Settings) -> None:
    corpus_folder.remove(settings, "a.txt")
    update(settings)


def restore(settings: Settings) -> None:
    corpus_folder.restore(settings, "a.txt")
    update(settings)


def place(settings: Settings) -> None:
    mine = settings.corpus.with_name("mine")
    corpus_folder.place(settings, "a.txt", mine / "a.txt", mine / "a.txt.yaml")
    update(settings)


def there(settings: Settings, text: str = OLD, title: str = "Old", suffix: str = ".yaml") -> None:
    """A document of the corpus, indexed."""
    (settings.corpus / "a.txt").write_text(text)
    (settings.corpus / f"a.txt{suffix}").write_text(f"title: {title}\n")
    update(settings)


def removed_before(settings: Settings) -> None:
    there(settings)
    remove(settings)


def orphan(settings: Settings) -> None:
    """A sidecar whose document somebody deleted by hand."""
    (settings.corpus / "a.txt.yml").write_text("title: Orphan\n")
    update(settings)


def removed_twice(settings: Settings) -> None:
    there(settings, title="Older", suffix=".yml")
    remove(settings)
    there(settings)


def nothing(settings: Settings) -> None:
    update(settings)


def tree(settings: Settings) -> dict[str, bytes]:
    """Every file of both folders by its path, without the database."""
    found = {}
    for folder in (settings.corpus, settings.data):
        for path in folder.rglob("*"):
            if path.is_file() and not path.name.startswith(("clusterqa.sqlite3", "writer.lock")):
                found[path.relative_to(settings.corpus.parent).as_posix()] = path.read_bytes()
    return found


def live(settings: Settings) -> list[tuple[str, str]]:
    """(text, title) of what can be quoted."""
    with open_store(settings.home) as store:
        assert store.damage() == []
        return [(store.text(d.id, d.version) or "", d.title) for d in store.documents()]


BEFORE_AND_WORK = [
    (nothing, add), (there, add), (orphan, add), (removed_before, add),
    (there, remove), (removed_twice, remove), (removed_before, restore), (nothing, place), (there, place),
]  # fmt: skip


@pytest.mark.parametrize(("before", "work"), BEFORE_AND_WORK, ids=lambda step: step.__name__)
def test_a_command_that_died_at_any_operation_is_simply_repeated(
    settings: Settings, tmp_path: Path, before: Work, work: Work
) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "a.txt").write_text(NEW)
    (mine / "a.txt.yaml").write_text("title: New\n")
    before(settings)
    kept = tmp_path / "kept"
    for folder in (settings.corpus, settings.data):
        shutil.copytree(folder, kept / folder.name)
    started = live(settings)

    def again() -> None:
        for folder in (settings.corpus, settings.data):
            shutil.rmtree(folder)
            shutil.copytree(kept / folder.name, folder)

    work(settings)
    files, ended = tree(settings), live(settings)
    number = 0
    while True:
        again()
        number += 1
        if not dies_at(number, tmp_path, lambda: work(settings)):
            break
        assert live(settings) in (started, ended)
        if number % 2:  # somebody else indexes first
            update(settings)
            assert live(settings) in (started, ended)
        work(settings)
        assert live(settings) == ended
        assert tree(settings) == files
    assert number > 15


def test_a_sidecar_goes_with_its_document_and_is_never_that_of_another(settings: Settings, tmp_path: Path) -> None:
    there(settings)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "a.txt").write_text(NEW)
    add(settings)
    assert live(settings) == [(NEW, "A")]
    (kept,) = (settings.data / corpus_folder.EARLIER / "a.txt").iterdir()
    assert {path.name: path.read_text() for path in kept.iterdir()} == {"a.txt": OLD, "a.txt.yaml": "title: Old\n"}
    remove(settings)
    there(settings, OLD, "Third")
    remove(settings)
    restore(settings)
    assert live(settings) == [(OLD, "Third")]
    remove(settings)
    (settings.corpus / "a.txt.yml").write_text("title: Orphan\n")
    restore(settings)
    assert live(settings) == [(OLD, "Third")]


@pytest.mark.parametrize("sign", ["a", "ž", "–", "🙂"])
def test_a_document_of_the_longest_name_comes_goes_and_changes_like_any_other(
    settings: Settings, tmp_path: Path, sign: str
) -> None:
    stem = sign * (246 // len(sign.encode()))
    name = stem + "b" * (246 - len(stem.encode())) + ".txt"
    mine = tmp_path / name
    for number in range(3):
        mine.write_text(f"{number}")
        mine.with_name(f"{name}.yaml").write_text(f"title: {number}\n")
        assert corpus_folder.add(settings, [mine], replace=True) == ([name], [])
        update(settings)
        assert live(settings) == [(f"{number}", f"{number}")]
        if number:
            corpus_folder.remove(settings, name)
    assert not change.is_unfinished(settings) and corpus_folder.removed(settings) == [name]
    kept = (settings.data / corpus_folder.EARLIER / name).rglob(name)
    assert sorted(path.read_text() for path in kept) == ["0", "1"]
    corpus_folder.restore(settings, name)
    assert (settings.corpus / name).read_text() == "2"


def test_a_name_that_leaves_no_room_for_a_sidecar_is_told_and_stops_nothing(settings: Settings, tmp_path: Path) -> None:
    there(settings)
    name = "b" * 247 + ".txt"
    (tmp_path / name).write_text(NEW)
    added, [refused] = corpus_folder.add(settings, [tmp_path / name])
    assert not added and "too long" in str(refused)
    (settings.corpus / name).write_text(NEW)
    (settings.corpus / "c.txt").write_text("A cluster.\n")
    report = sync.update(settings, WordsEncoder)
    assert report.ignored == (name,) and report.added == ("c.txt",)
    with open_store(settings.home) as store:
        assert sync.to_look_at(settings, store) == []


def test_a_link_to_another_document_is_removed_and_comes_back_with_its_content(settings: Settings) -> None:
    there(settings)
    (settings.corpus / "link.txt").symlink_to("a.txt")
    corpus_folder.remove(settings, "link.txt")
    assert corpus_folder.removed(settings) == ["link.txt"]
    corpus_folder.restore(settings, "link.txt")
    assert (settings.corpus / "link.txt").read_text() == OLD == (settings.corpus / "a.txt").read_text()


def test_a_file_that_is_kept_again_without_a_sidecar_does_not_keep_the_one_of_before(settings: Settings) -> None:
    aside = settings.data / corpus_folder.EARLIER / "a.txt" / "1"
    there(settings, suffix=".yml")
    corpus_folder.place(settings, "a.txt", NEW.encode(), b"title: New\n", aside)
    assert {path.name for path in aside.iterdir()} == {"a.txt", "a.txt.yml"}
    update(settings)
    assert live(settings) == [(NEW, "New")]
    corpus_folder.place(settings, "a.txt", OLD.encode(), None)
    corpus_folder.place(settings, "a.txt", NEW.encode(), None, aside)
    assert {path.name: path.read_text() for path in aside.iterdir()} == {"a.txt": OLD}


def test_removing_and_restoring_again_do_nothing_and_say_so(settings: Settings) -> None:
    there(settings)
    assert [corpus_folder.remove(settings, "a.txt"), corpus_folder.remove(settings, "a.txt")] == [True, False]
    assert [corpus_folder.restore(settings, "a.txt"), corpus_folder.restore(settings, "a.txt")] == [True, False]


def test_a_change_that_cannot_begin_is_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    there(settings)
    before = tree(settings)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(change, "_go", refuse)
        with pytest.raises(CorpusError, match="cannot be moved"):
            corpus_folder.remove(settings, "a.txt")
    assert tree(settings) == before


def test_a_change_that_cannot_be_finished_is_named_and_finished_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there(settings)
    go = change._go
    with monkeypatch.context() as patched:

        def full(source: Path, target: Path | None) -> None:
            if source.suffix == ".yaml":
                raise OSError(28, "No space left on device")
            go(source, target)

        patched.setattr(change, "_go", full)
        with pytest.raises(CorpusError):
            corpus_folder.remove(settings, "a.txt")
        with pytest.raises(CorpusError, match="clusterqa index"):
            update(settings)
        told = {finding.what: finding for finding in examine(settings, WordsEncoder)}
        assert not told["corpus"].ok and "clusterqa index" in told["corpus"].detail
    update(settings)
    assert live(settings) == [] and corpus_folder.removed(settings) == ["a.txt"]
    restore(settings)
    assert live(settings) == [(OLD, "Old")]


def test_files_go_from_one_file_system_to_another(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    there(settings)
    replace = os.replace

    def across(source: Path, target: Path) -> None:
        if source.is_relative_to(settings.corpus) != target.is_relative_to(settings.corpus):
            raise OSError(18, "Invalid cross-device link")
        replace(source, target)

    monkeypatch.setattr("clusterqa.corpus.change.os.replace", across)
    remove(settings)
    assert not list(settings.corpus.iterdir())
    restore(settings)
    assert live(settings) == [(OLD, "Old")]
    assert sorted(path.name for path in settings.corpus.iterdir()) == ["a.txt", "a.txt.yaml"]


def test_a_file_that_came_after_a_change_broke_off_is_not_taken_for_the_old_one(settings: Settings) -> None:
    there(settings)
    change.make(settings, [Step(settings.corpus / "a.txt.yaml", None)])
    target = settings.data / corpus_folder.REMOVED / "a.txt"
    (settings.data / change.CHANGING).mkdir()
    (settings.data / change.CHANGING / "plan.json").write_text(
        '[[["corpus", "a.txt"], ["data", "removed/a.txt"], 1], [["corpus", "gone.txt"], ["data", "removed/gone.txt"], 1]]'
    )
    change.finish(settings)
    assert (settings.corpus / "a.txt").read_text() == OLD and not target.exists()
