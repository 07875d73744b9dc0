"""
A change of several files that is made whole or not at all, whenever the process ends or the power fails.

What is to be done is written down first, with copies of what comes from elsewhere. As soon as that folder, `data/changing`, has
its name, the change will be made: by this process, or by the next one that looks at the corpus to change or to index
it (`finish`). Every step can be repeated. All of this under the writer lock.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from clusterqa.errors import CorpusError
from clusterqa.files import SHORT, copy_content, put, sync_folder
from clusterqa.settings import Settings

CHANGING = "changing"
_PREPARED = ".changing"
_PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Step:
    """
    A file that goes from `source` to `target`, or goes away when there is no target; with `copy` the source stays. Bytes are
    the content of a new one.
    """

    source: Path | bytes
    target: Path | None
    copy: bool = False


def make(settings: Settings, steps: Sequence[Step]) -> None:
    """
    Make a change, after the one before; all but the sources of copies lie in the corpus or the data folder.

    Raises OSError when it cannot be made, CorpusError when the one before cannot be finished.
    """
    finish(settings)
    prepared, decided = settings.data / _PREPARED, settings.data / CHANGING
    prepared.mkdir(parents=True)
    try:
        plan = []
        for number, step in enumerate(steps):
            box, source, mark = prepared / str(number), decided / str(number), 0
            if isinstance(step.source, bytes):
                _write(box, step.source)
            elif step.copy:
                copy_content(step.source, box)
            else:
                source, mark = step.source, step.source.stat().st_mtime_ns
            plan.append((_told(settings, source), _told(settings, step.target) if step.target else None, mark))
        _write(prepared / _PLAN, json.dumps(plan).encode())
        sync_folder(prepared)
        put(prepared, decided)
    finally:
        shutil.rmtree(prepared, ignore_errors=True)
    _carry_out(settings)


def finish(settings: Settings) -> None:
    """Make the change that a process began and did not finish, where there is one. Raises CorpusError when it cannot."""
    shutil.rmtree(settings.data / _PREPARED, ignore_errors=True)
    if not (settings.data / CHANGING).is_dir():
        return
    try:
        _carry_out(settings)
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"A change of the documents was broken off and cannot be finished ({error}). Check the permissions of "
            f"{settings.corpus} and {settings.data} and the space on their disks, then run: clusterqa index"
        ) from error


def is_unfinished(settings: Settings) -> bool:
    return (settings.data / CHANGING).is_dir()


def _carry_out(settings: Settings) -> None:
    """Do what is written down. A change whose first step fails already is given up: nothing was done."""
    plan = json.loads((settings.data / CHANGING / _PLAN).read_text(encoding="utf-8"))
    for number, (source, target, mark) in enumerate(plan):
        try:
            path = _meant(settings, source)
            if path.exists() and mark in (0, path.stat().st_mtime_ns):  # else it is done; another file came meanwhile
                _go(path, _meant(settings, target) if target else None)
        except OSError:
            if number == 0:
                _forget(settings)
            raise
    _forget(settings)


def _forget(settings: Settings) -> None:
    os.replace(settings.data / CHANGING, settings.data / _PREPARED)
    shutil.rmtree(settings.data / _PREPARED, ignore_errors=True)


def _go(source: Path, target: Path | None) -> None:
    if target is None:
        source.unlink()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Renamed, it might after a power cut have gone from here and not come there; and a link would lead nowhere from there.
    if source.parent.name == CHANGING or source.is_symlink():
        _go_across(source, target)
        return
    try:
        put(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _go_across(source, target)


def _go_across(source: Path, target: Path) -> None:
    """By a copy that is there for good before the source goes: also from one file system to another."""
    part = target.with_name(f".{target.name[:SHORT]}.part")  # the same each time, so that a killed process leaves none
    try:
        copy_content(source, part)
        put(part, target)
    finally:
        part.unlink(missing_ok=True)
    source.unlink()


def _write(target: Path, content: bytes) -> None:
    with target.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _told(settings: Settings, path: Path) -> tuple[str, str]:
    """A path as the folder it lies in and the rest, so that both may be moved before the change is finished."""
    for name, folder in (("data", settings.data), ("corpus", settings.corpus)):
        if path.is_relative_to(folder):
            return name, path.relative_to(folder).as_posix()
    raise ValueError(f"{path} lies in neither folder")


def _meant(settings: Settings, told: Sequence[str]) -> Path:
    return (settings.data if told[0] == "data" else settings.corpus) / told[1]
