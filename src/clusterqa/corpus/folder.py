"""
The corpus folder: which files are in it, and adding, removing and restoring one.

A document is a file, with a sidecar of metadata beside it where there is one; the two come, change and go together.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

from clusterqa import documents
from clusterqa.corpus import change
from clusterqa.corpus.change import Step
from clusterqa.corpus.lock import writer_lock
from clusterqa.errors import CorpusError, UnreadableDocument
from clusterqa.records import Document, FileState
from clusterqa.settings import Settings

REMOVED = "removed"
EARLIER = "earlier"
"""Folder in the data folder where files go that are replaced, each under the digest it had."""
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
    with writer_lock(settings.home):
        change.finish(settings)
        for path in files:
            name = unicodedata.normalize("NFC", path.name)
            target = dict(corpus_files(settings)).get(name, settings.corpus / name)
            try:
                if path.is_dir():
                    raise UnreadableDocument(str(path), "It is a folder.", "Name the files in it.")
                if not path.is_file():
                    raise UnreadableDocument(str(path), "There is no such file.", "Check the name and the folder.")
                if documents.is_long(name):
                    raise UnreadableDocument(name, "Its name is too long.", "Give it a shorter name, then add it.")
                read_file(path, name)
                if not _same(path, target):
                    if target.exists() and not replace:
                        raise UnreadableDocument(
                            name,
                            "A document of this name is in the corpus already, with another content.",
                            "Give the file another name, or replace the old one with: clusterqa add --replace",
                        )
                    coming = [*_unit(path, target, copy=True), *_orphans(path, target)]
                    change.make(settings, [*coming, *_put_aside(target, _earlier(settings, name, target))])
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


def place(
    settings: Settings, document: str, file: Path | bytes, sidecar: Path | bytes | None, aside: Path | None = None
) -> None:
    """
    Make `file` the file of a document in the corpus, with `sidecar` as its metadata, in place of what it had, which is
    kept in the folder `aside`.

    All of it or nothing. The file has been read already; `update` must follow. Raises CorpusError.
    """
    if not settings.corpus.is_dir():
        _make_folder(settings.corpus)
    target = dict(corpus_files(settings)).get(document, settings.corpus / document)
    if not target.resolve().is_relative_to(settings.corpus.resolve()) or Path(document).name.startswith("."):
        raise CorpusError(f"{document} cannot be the name of a document. Give it a plain file name.")
    steps = [Step(file, target, copy=True)]
    if sidecar is not None:
        steps.append(Step(sidecar, _beside(target)[0], copy=True))
    steps += [Step(old, None) for old in _sidecars(target) if old not in {step.target for step in steps}]
    if aside is not None:
        steps += [*_put_aside(target, lambda part: aside / part.name), *_orphans(target, aside / target.name)]
    with writer_lock(settings.home):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            change.make(settings, steps)
        except OSError as error:
            raise CorpusError(
                f"{document} cannot be put into {settings.corpus} ({error.strerror}). "
                "Check its permissions and the space on the disk."
            ) from error


def drop(settings: Settings, document: str) -> None:
    """Undo `place` where there was nothing before: the file and its sidecars go. Raises CorpusError."""
    with writer_lock(settings.home):
        path = dict(corpus_files(settings)).get(document)
        if path is not None:
            _move(settings, document, [Step(part, None) for part in (path, *_sidecars(path))])


def remove(settings: Settings, document: str) -> bool:
    """
    Move a document's file out of the corpus, into the data folder, from where `restore` brings it back; False when it was
    there already, as after a removal that broke off. `update` must follow.

    An earlier removed file of the same name is kept as a replaced one is. Raises CorpusError.
    """
    document = unicodedata.normalize("NFC", document)
    with writer_lock(settings.home):
        change.finish(settings)
        source = dict(corpus_files(settings)).get(
            document
        )  # only what the corpus has: never a path that leads out of it
        if source is None:
            if document in removed(settings):
                return False
            raise CorpusError(
                f"There is no document {document} in {settings.corpus}. See what there is with: clusterqa list"
            )
        target = settings.data / REMOVED / document
        kept = [] if _same(source, target) else _put_aside(target, _earlier(settings, document, target))
        _move(settings, document, [*_unit(source, target), *_orphans(source, target), *kept])
    return True


def restore(settings: Settings, document: str) -> bool:
    """
    Bring a removed document's file back into the corpus; False when it is there already. `update` must follow.

    Raises CorpusError.
    """
    document = unicodedata.normalize("NFC", document)
    with writer_lock(settings.home):
        change.finish(settings)
        folder = settings.data / REMOVED
        source = dict(documents.list_files(folder)).get(document) if folder.is_dir() else None
        present = dict(corpus_files(settings)).get(document)
        if source is None:
            if present is not None:
                return False
            raise CorpusError(
                f"{document} was not removed with clusterqa remove, so it cannot be restored. "
                f"Put its file back into {settings.corpus} and run: clusterqa index"
            )
        if present is not None and not _same(source, present):
            raise CorpusError(
                f"There is a document {document} in the corpus again. Rename it first, then restore this one."
            )
        target = present or settings.corpus / document
        kept = [] if present else _put_aside(target, _earlier(settings, document, target))
        _move(settings, document, [*_unit(source, target), *_orphans(source, target), *kept])
    return True


def removed(settings: Settings) -> list[str]:
    """Ids of the documents that can be restored."""
    folder = settings.data / REMOVED
    return [name for name, _ in documents.list_files(folder)] if folder.is_dir() else []


def _same(one: Path, other: Path) -> bool:
    """Whether two files are one, or say the same, sidecars included."""
    if not one.exists() or not other.exists():
        return False
    return one.resolve() == other.resolve() or file_state(one, one.name).sha256 == file_state(other, other.name).sha256


def _unit(source: Path, target: Path, copy: bool = False) -> list[Step]:
    """A file with its sidecars to another place."""
    parts = (source, *_sidecars(source))
    return [Step(part, target.with_name(target.name + part.name[len(source.name) :]), copy) for part in parts]


def _orphans(source: Path, target: Path) -> list[Step]:
    """Away with sidecars at the target that `source` has no like of: they speak of another file."""
    coming = {part.name[len(source.name) :] for part in _sidecars(source)}
    return [Step(old, None) for old in _sidecars(target) if old.name[len(target.name) :] not in coming]


def _put_aside(target: Path, place: Callable[[Path], Path]) -> list[Step]:
    """Copies of what stands at the target, file or sidecar, to the `place` of each: what is replaced is not lost."""
    return [Step(part, place(part), copy=True) for part in (target, *_sidecars(target)) if part.exists()]


def _earlier(settings: Settings, document: str, target: Path) -> Callable[[Path], Path]:
    """Where what is replaced is kept: under its digest."""
    digest = hashlib.sha256(b"".join(part.read_bytes() for part in (target, *_sidecars(target)) if part.exists()))
    folder = settings.data / EARLIER / document / digest.hexdigest()[:16]
    return lambda part: folder / part.name


def _move(settings: Settings, document: str, steps: Sequence[Step]) -> None:
    try:
        change.make(settings, steps)
    except OSError as error:
        raise CorpusError(
            f"{document} cannot be moved ({error.strerror}). Check the permissions of "
            f"{settings.corpus} and {settings.data}, and the space on their disks."
        ) from error


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
    return [beside for beside in _beside(path) if beside.is_file()]


def _beside(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in SIDECARS]
