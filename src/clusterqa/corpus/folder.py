"""
The corpus folder: which files are in it, and adding, removing and restoring one.

A document is a file, with a sidecar of metadata beside it where there is one; the two come, change and go together.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import unicodedata
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from clusterqa import documents
from clusterqa.corpus.lock import writer_lock
from clusterqa.errors import CorpusError, UnreadableDocument
from clusterqa.records import Document, FileState
from clusterqa.settings import Settings

REMOVED = "removed"
SIDECARS = (".yaml", ".yml")
"""Endings of the file with metadata beside a document; it comes, changes and goes with the document."""

Reader = Callable[[Path, str], Document]
"""Reads the file at a path as the document of an id; raises UnreadableDocument."""


def corpus_files(settings: Settings) -> list[tuple[str, Path]]:
    """(id, path) of the files of the corpus, in the order of their ids; without a data folder that lies inside it."""
    return [(name, path) for name, path in documents.list_files(settings.corpus) if not derived(settings, path)]


def derived(settings: Settings, path: Path) -> bool:
    return path.absolute().is_relative_to(settings.data.absolute())


def read_file(path: Path, name: str, read: Reader = documents.read) -> Document:
    """`read`, which also refuses what the database could not hold. Raises UnreadableDocument."""
    document = read(path, name)
    facts = (document.title, document.url, document.date, document.publisher, *document.tags, *document.sources)
    try:
        "".join((document.text, *(fact or "" for fact in facts), document.translation_of or "")).encode()
    except UnicodeEncodeError as error:
        raise UnreadableDocument(
            name,
            f"Its text or metadata hold half a character (U+{ord(error.object[error.start]):04X}).",
            "Save it again as UTF-8, and take such an escape out of its metadata.",
        ) from error
    return document


# ── adding, removing, restoring ─────────────────────────────────────────────────────────────────────────────────


def add(
    settings: Settings, files: Sequence[Path], *, replace: bool = False
) -> tuple[list[str], list[UnreadableDocument]]:
    """
    Copy files into the corpus folder; gives the ids of those that came in and what could not be read.

    Each file is read first: what cannot be read does not come in and does not stop the others. A file of the same name
    and other content is refused unless `replace`. `update` must follow.
    """
    if not settings.corpus.is_dir():
        _make_folder(settings.corpus)
    added: list[str] = []
    refused: list[UnreadableDocument] = []
    with writer_lock(settings.data):
        for path in files:
            name = unicodedata.normalize("NFC", path.name)
            target = dict(corpus_files(settings)).get(name, settings.corpus / name)
            try:
                if not path.is_file():
                    raise UnreadableDocument(str(path), "There is no such file.", "Check the name and the folder.")
                read_file(path, name)
                if target.exists() and target.resolve() != path.resolve():
                    same = file_state(target, name).sha256 == file_state(path, name).sha256
                    if not same and not replace:
                        raise UnreadableDocument(
                            name,
                            "A document of this name is in the corpus already, with another content.",
                            "Give the file another name, or replace the old one with: clusterqa add --replace",
                        )
                    if same:
                        added.append(name)
                        continue
                _copy_whole(path, target)
                for suffix in SIDECARS:
                    sidecar = path.with_name(path.name + suffix)
                    if sidecar.is_file():
                        _copy_whole(sidecar, target.with_name(target.name + suffix))
            except UnreadableDocument as error:
                refused.append(error)
            except OSError as error:
                raise CorpusError(
                    f"{name} cannot be copied into {settings.corpus} ({error.strerror}). "
                    "Check its permissions and the space on the disk, or name another corpus: --corpus DIR"
                ) from error
            else:
                added.append(name)
    return added, refused


def place(settings: Settings, document: str, file: Path, sidecar: Path | None) -> None:
    """
    Make `file` the file of a document in the corpus, with `sidecar` as its metadata, in place of what it had.

    Each of the two is there whole or not at all; the sidecar comes first, since without its file it means nothing.
    The file has been read already; `update` must follow. Raises CorpusError.
    """
    if not settings.corpus.is_dir():
        _make_folder(settings.corpus)
    target = dict(corpus_files(settings)).get(document, settings.corpus / document)
    if not target.resolve().is_relative_to(settings.corpus.resolve()) or Path(document).name.startswith("."):
        raise CorpusError(f"{document} cannot be the name of a document. Give it a plain file name.")
    with writer_lock(settings.data):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            for suffix in SIDECARS:
                beside = target.with_name(target.name + suffix)
                if sidecar is not None and suffix == SIDECARS[0]:
                    _copy_whole(sidecar, beside)
                else:
                    beside.unlink(missing_ok=True)
            _copy_whole(file, target)
        except OSError as error:
            raise CorpusError(
                f"{document} cannot be put into {settings.corpus} ({error.strerror}). "
                "Check its permissions and the space on the disk."
            ) from error


def remove(settings: Settings, document: str) -> None:
    """
    Move a document's file out of the corpus, into the data folder, from where `restore` brings it back.

    An earlier removed file of the same name is kept beside it under another name.
    """
    document = unicodedata.normalize("NFC", document)
    source = dict(corpus_files(settings)).get(document)  # only what the corpus has: never a path that leads out of it
    if source is None:
        raise CorpusError(
            f"There is no document {document} in {settings.corpus}. See what there is with: clusterqa list"
        )
    _move(settings, source, settings.data / REMOVED / document)


def restore(settings: Settings, document: str) -> None:
    """Bring a removed document's file back into the corpus."""
    document = unicodedata.normalize("NFC", document)
    kept = settings.data / REMOVED
    source = dict(documents.list_files(kept)).get(document) if kept.is_dir() else None
    if source is None:
        raise CorpusError(
            f"{document} was not removed with clusterqa remove, so it cannot be restored. "
            f"Put its file back into {settings.corpus} and run: clusterqa index"
        )
    target = dict(corpus_files(settings)).get(document, settings.corpus / document)
    if target.exists() and target.read_bytes() != source.read_bytes():
        raise CorpusError(
            f"There is a document {document} in the corpus again. Rename it first, then restore this one."
        )
    _move(settings, source, target)


def removed(settings: Settings) -> list[str]:
    """Ids of the documents that can be restored."""
    folder = settings.data / REMOVED
    return [name for name, _ in documents.list_files(folder)] if folder.is_dir() else []


def _move(settings: Settings, source: Path, target: Path) -> None:
    with writer_lock(settings.data):
        try:
            for extra in ("", *SIDECARS):
                here, there = source.with_name(source.name + extra), target.with_name(target.name + extra)
                if here.is_file():
                    there.parent.mkdir(parents=True, exist_ok=True)
                    _keep_earlier(there, here)
                    _copy_whole(here, there)
                    here.unlink()
        except OSError as error:
            raise CorpusError(
                f"{source} cannot be moved to {target} ({error.strerror}). Check the permissions of both folders."
            ) from error


def _keep_earlier(target: Path, coming: Path) -> None:
    if not target.exists() or target.read_bytes() == coming.read_bytes():
        return
    number = 1
    while (earlier := target.with_name(f"{target.name}.earlier-{number}")).exists():
        number += 1
    os.replace(target, earlier)


def _copy_whole(source: Path, target: Path) -> None:
    """Copy so that the target is there whole or not at all, whenever the power fails."""
    if target.exists() and target.resolve() == source.resolve():
        return
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        shutil.copyfile(source, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise CorpusError(
            f"The folder {folder} cannot be made ({error.strerror}). Name another: --corpus DIR"
        ) from error


# ── files and locks ─────────────────────────────────────────────────────────────────────────────────────────────


def file_state(path: Path, name: str) -> FileState:
    """Digest of a file's bytes and its sidecar's, with the size and time that they had before they were read."""
    try:
        size, mtime = file_stat(path)
        digest = hashlib.sha256(path.read_bytes())
        for sidecar in _sidecars(path):
            digest.update(b"\x00" + sidecar.read_bytes())
    except OSError as error:
        raise UnreadableDocument(name, f"It cannot be opened: {error.strerror}.", "Check its permissions.") from error
    return FileState(digest.hexdigest(), size, mtime)


def file_stat(path: Path) -> tuple[int, int]:
    """Size and time of last change, of the file and its sidecar together."""
    stats = [part.stat() for part in (path, *_sidecars(path))]
    return sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)


def _sidecars(path: Path) -> list[Path]:
    return [beside for suffix in SIDECARS if (beside := path.with_name(path.name + suffix)).is_file()]
