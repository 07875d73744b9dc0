"""
Putting new content in the place of what the data folder and the corpus hold, so that a kill or a power cut leaves all of
the old or all of the new.

    FOLDER/.restore-ID/new/…    what comes; it lies in the folder itself, since that may be a disk of its own
    FOLDER/.restore-ID/old/…    what went, until the exchange is through
    DATA/restore.json           the plan: once it is there the exchange is decided, and whoever takes the writer's lock next
                                finishes it

Files change places by renaming. Databases may be open in a server, so their content is exchanged in a transaction of SQLite:
its connections stay good and see the new content. Hidden files are left as they are.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clusterqa.errors import StoreDamaged, StoreError
from clusterqa.files import sync_folder, write_whole

LOCK = "writer.lock"
PLAN = "restore.json"
BESIDE = ".restore-"
DATABASE = ".sqlite3"
"""Ending of a database in the data folder; names that go on after it belong to SQLite, or were put aside."""


@dataclass(frozen=True, slots=True)
class Places:
    """The two folders that belong together; either may lie in the other."""

    data: Path
    corpus: Path

    def named(self) -> tuple[tuple[str, Path], ...]:
        return ("data", self.data), ("corpus", self.corpus)

    def holds(self, name: str) -> list[str]:
        """
        What one of the folders ("data", "corpus") holds, in order: neither hidden things, nor the other folder, nor what
        belongs to the moment: lock, plan, and all of the databases, which `databases` names.
        """
        folder, other = (self.data, self.corpus) if name == "data" else (self.corpus, self.data)
        if not folder.is_dir():
            return []
        beyond = other.absolute()
        return sorted(
            path.name
            for path in folder.iterdir()
            if not path.name.startswith(".")
            and not beyond.is_relative_to(path.absolute())
            and not (name == "data" and (path.name in (LOCK, PLAN) or DATABASE in path.name))
        )

    def databases(self) -> list[str]:
        return sorted(path.name for path in self.data.glob(f"*{DATABASE}")) if self.data.is_dir() else []


class Exchange:
    """
    New content beside the old one; under the writer's lock, and by one at a time.

    Put files below `new("data")` and `new("corpus")`, then `decide`; `finish` does the rest. Without `decide`, `clear` leaves
    everything as it was. Raises OSError.
    """

    def __init__(self, places: Places) -> None:
        self._places = places
        self._name = f"{BESIDE}{uuid.uuid4().hex[:8]}"
        self._made: list[Path] = []
        for _, folder in places.named():
            for path in reversed([folder, *folder.parents]):
                if not path.exists():
                    path.mkdir()
                    self._made.insert(0, path)
            for left in folder.glob(f"{BESIDE}*"):  # one that was never decided
                shutil.rmtree(left)
            for left in folder.glob(f".{PLAN}.*.part"):
                left.unlink()
            (folder / self._name).mkdir(mode=0o700)
            (folder / self._name / "new").mkdir()
            (folder / self._name / "old").mkdir()

    def new(self, name: str) -> Path:
        return dict(self._places.named())[name] / self._name / "new"

    def decide(self) -> None:
        """From here on the new content is what counts. Everything below `new` must be on the disk already."""
        data, corpus = self._places.data, self._places.corpus
        plan = {
            "beside": self._name,
            "corpus": str(corpus.absolute()),
            "old": {name: self._places.holds(name) for name, _ in self._places.named()},
            "databases": [path.name for path in _databases(self.new("data"))],
        }
        for folder in (data, corpus):
            sync_folder(folder / self._name)
        write_whole(data / PLAN, json.dumps(plan, ensure_ascii=True).encode())

    def clear(self) -> None:
        """Take away what was never decided, and the folders that were made for it."""
        if (self._places.data / PLAN).exists():
            return
        for _, folder in self._places.named():
            shutil.rmtree(folder / self._name, ignore_errors=True)
        for folder in self._made:
            with suppress(OSError):
                folder.rmdir()


def unfinished(data: Path) -> bool:
    return (data / PLAN).exists()


def finish(data: Path) -> None:
    """
    Go on with an exchange that is decided, from wherever it was cut off; nothing when there is none. Under the writer's lock.

    Raises StoreError.
    """
    try:
        plan = json.loads((data / PLAN).read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{data / PLAN} cannot be read ({error}). Move it away, then restore the backup again."
        ) from error
    places = Places(data, Path(plan["corpus"]))
    try:
        _exchange(places, plan["beside"], plan["old"], plan["databases"])
        (data / PLAN).unlink()
        sync_folder(data)
    except OSError as error:
        raise StoreError(
            f"A backup was restored half-way ({error.filename}: {error.strerror}). See to it that {data} and {places.corpus} can be "
            "written and have space left; the next command goes on."
        ) from error
    for _, folder in places.named():
        shutil.rmtree(folder / plan["beside"], ignore_errors=True)


def _exchange(places: Places, beside: str, old: dict[str, list[str]], databases: list[str]) -> None:
    """Each step can be done again: what stands in `old` has gone, what no longer stands in `new` has come."""
    for name, folder in places.named():
        gone = folder / beside / "old"
        for child in old[name]:
            if (folder / child).exists() and not (gone / child).exists():
                os.replace(folder / child, gone / child)
        sync_folder(gone)  # else a second try would take what has come for what has to go
        sync_folder(folder)
    for name, folder in places.named():
        for path in sorted((folder / beside / "new").iterdir()):
            if path.name not in databases or name != "data":
                if (folder / path.name).exists():  # a server made it meanwhile
                    os.replace(folder / path.name, folder / beside / "old" / f"{path.name}.{uuid.uuid4().hex[:8]}")
                os.replace(path, folder / path.name)
        sync_folder(folder)
    for path in _databases(places.data / beside / "new"):
        _take_in(path, places.data / path.name, places.data / beside / "old")
    for child in places.databases():
        if child not in databases:
            _move_database(places.data / child, places.data / beside / "old")


def _take_in(coming: Path, database: Path, gone: Path) -> None:
    from clusterqa.store import copy_database  # loads numpy, which taking the lock does not need

    if database.exists():
        try:
            copy_database(coming, database)
        except StoreDamaged:
            _move_database(database, gone)
    if not database.exists():
        os.replace(coming, database)
        sync_folder(database.parent)
    coming.unlink(missing_ok=True)


def _move_database(database: Path, gone: Path) -> None:
    for path in (*(database.with_name(database.name + end) for end in ("-wal", "-shm", "-journal")), database):
        with suppress(FileNotFoundError):
            os.replace(path, gone / path.name)


def _databases(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob(f"*{DATABASE}"))
