"""
Backups: one zip archive with everything that a server has, made and put back while it runs.

    manifest.json       the format's number, and for each file its name, size, sha256, time and mode
    corpus/…            the documents with their sidecars
    data/…              the databases (index, staff, journal), drafts, withdrawn documents, earlier versions, the rest
    clusterqa.toml      the settings, where they stand in the folder that the command runs in

It holds the accounts with the digests of their passwords, and the secrets of the settings, so only its owner may read it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import struct
import time
import tomllib
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from clusterqa import __version__
from clusterqa.corpus.exchange import LOCK, PLAN, Exchange, Places, finish
from clusterqa.corpus.lock import writer_lock
from clusterqa.documents.packages import ZIP_BROKEN
from clusterqa.errors import ClusterQAError, IndexNotFound, StoreError
from clusterqa.files import growing, part_of, private, sweep, sync_folder, write_whole
from clusterqa.journal import JOURNAL
from clusterqa.moving import books, copy_books
from clusterqa.moving import copy as copy_store
from clusterqa.settings import IN_A_FILE, SETTINGS_FILE, Home, Settings
from clusterqa.staff.database import DATABASE as STAFF
from clusterqa.store import copy_database, open_store
from clusterqa.store.sqlite import DATABASE as INDEX

MANIFEST = "manifest.json"
FORMAT = 1
CHUNK = 1 << 20
LARGEST_MANIFEST = 1 << 28
_PACKED = (".pdf", ".docx", ".odt", ".pptx", ".xlsx", ".epub", ".gz", ".zip", ".jpg", ".png")
_FIRST, _LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
"""The times that a zip archive can tell; the manifest has those of the files as they are."""
_COPIED_FIRST = (STAFF,)
"""Before the journal: what the staff wrote about a question then never stands there without the question."""
_BROKEN = (*ZIP_BROKEN, RuntimeError, ValueError, struct.error)
"""What reading a zip archive raises when it is damaged."""


class BackupError(ClusterQAError):
    """A backup cannot be made, or cannot be put back; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of a backup; `path` below the archive with forward slashes, `mtime_ns` and `mode` those of the file."""

    path: str
    size: int
    sha256: str
    mtime_ns: int
    mode: int


@dataclass(frozen=True, slots=True)
class Backup:
    """What stands in a backup; `left_out` what was there and could not come in, with the reason."""

    made_at: str
    version: str
    members: tuple[Member, ...]
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(member.size for member in self.members)


# ── making one ──────────────────────────────────────────────────────────────────────────────────────────────────


def save(settings: Settings, target: Path, *, replace: bool = False) -> Backup:
    """
    Write a backup of corpus, data folder and settings file.

    Nothing is published meanwhile, so that documents and index fit each other; asking goes on. The file is there whole or not at
    all. Raises BackupError, StoreError.
    """
    places = Places(settings.data, settings.corpus)
    _check_target(places, target, replace)
    try:
        with writer_lock(settings.home):
            sweep(target)
            work = part_of(target)
            work.mkdir(0o700)
            try:
                with growing(target, "xb", opener=private) as file:
                    return _write(settings.home, places, file, work)
            finally:
                shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise BackupError(
            f"{target} cannot be written ({error.strerror}). Check the space on the disk and the permissions, or name another file."
        ) from error


def _check_target(places: Places, target: Path, replace: bool) -> None:
    if target.is_dir():
        raise BackupError(f"{target} is a folder. Name a file in it.")
    if target.exists() and not replace:
        raise BackupError(f"There is a file {target}. Name another, or write over it with --replace.")
    if any(target.resolve().is_relative_to(folder.resolve()) for _, folder in places.named()):
        raise BackupError(
            f"{target} would lie in what it saves. Name a file outside of {places.data} and {places.corpus}."
        )
    if not places.corpus.is_dir() and not places.databases():
        raise BackupError(f"There is nothing to save: no documents in {places.corpus}, no databases in {places.data}.")


def _write(home: Home, places: Places, file: IO[bytes], work: Path) -> Backup:
    members: list[Member] = []
    left_out: list[str] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        from_server = _from_server(home, work)
        for copy in from_server:
            members.append(_add(archive, copy, f"data/{copy.name}", copy.stat()))
        names = set(places.databases())
        if home.store != IN_A_FILE:  # what may lie there is of an earlier time
            names -= {INDEX, STAFF, JOURNAL}
        for name in sorted(names, key=lambda name: (name not in _COPIED_FIRST, name)):
            copy = work / name
            copy_database(places.data / name, copy)
            stat = (places.data / name).stat()
            members.append(_add(archive, copy, f"data/{name}", stat))
            copy.unlink()
        for name, folder in places.named():
            for path in _files(folder, places.holds(name)):
                inside = f"{name}/{path.relative_to(folder).as_posix()}"
                if fault := _fault(inside):
                    left_out.append(f"{os.fsencode(inside).decode(errors='backslashreplace')}: {fault}")
                    continue
                with suppress(FileNotFoundError):  # a draft was discarded this moment
                    members.append(_add(archive, path, inside, path.stat()))
        if Path(SETTINGS_FILE).is_file():
            members.append(_add(archive, Path(SETTINGS_FILE), SETTINGS_FILE, Path(SETTINGS_FILE).stat()))
        made = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = {"format": FORMAT, "clusterqa": __version__, "made_at": made, "files": [asdict(m) for m in members]}
        archive.writestr(MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1))
    return Backup(made, __version__, tuple(members), tuple(left_out))


def _from_server(home: Home, work: Path) -> list[Path]:
    """Index, desk and journal of a server as files, like those that they would be in the data folder."""
    if home.store == IN_A_FILE:
        return []
    files = Home(work / "index")
    with suppress(IndexNotFound):
        copy_store(home, files)
    copy_books(books(home, files))  # where there is no index
    return sorted(files.data.glob("*.sqlite3"))


def _files(folder: Path, names: list[str]) -> Iterator[Path]:
    """The files below these children, in order; neither hidden ones nor links that lead out of the folder."""
    root = folder.resolve()
    for name in names:
        child = folder / name
        found = [child] if child.is_file() else sorted(_below(child))
        yield from (path for path in found if path.resolve().is_relative_to(root))


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (path for name in files if not name.startswith(".") and (path := Path(here, name)).is_file())


def _add(archive: zipfile.ZipFile, path: Path, name: str, stat: os.stat_result) -> Member:
    packed = path.suffix.lower() in _PACKED  # once more only costs time
    info = zipfile.ZipInfo(name, min(max(time.localtime(stat.st_mtime)[:6], _FIRST), _LAST))
    info.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file, archive.open(info, "w", force_zip64=True) as inside:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            inside.write(chunk)
    return Member(name, size, digest.hexdigest(), stat.st_mtime_ns, stat.st_mode & 0o777)


# ── looking at one ──────────────────────────────────────────────────────────────────────────────────────────────


def check(source: Path) -> Backup:
    """Read a backup to its end and hold every file to its digest. Raises BackupError that says what is damaged."""
    with _opened(source) as archive:
        backup = _manifest(source, archive)
        for member in backup.members:
            for _ in _content(source, archive, member):
                pass
        return backup


def _opened(source: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(source)
    except FileNotFoundError as error:
        raise BackupError(f"There is no file {source}. Name the backup to restore.") from error
    except OSError as error:
        raise BackupError(f"{source} cannot be read ({error.strerror}). Check its permissions and the disk.") from error
    except _BROKEN as error:
        raise _damaged(source, f"it is cut off, or no backup at all ({error})") from error


def _manifest(source: Path, archive: zipfile.ZipFile) -> Backup:
    """What the archive says of itself, once it is certain that it can be followed."""
    try:
        if archive.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
            raise _damaged(source, f"{MANIFEST} is too large")
        with archive.open(MANIFEST) as file:
            told = json.loads(file.read(LARGEST_MANIFEST))
        number = told["format"]
    except KeyError as error:
        raise _damaged(source, f"it has no {MANIFEST}, so it is no backup") from error
    except (*_BROKEN, OSError, TypeError, RecursionError) as error:
        raise _damaged(source, f"{MANIFEST} cannot be read ({error})") from error
    if number != FORMAT:
        raise BackupError(
            f"{source} was made by another version of clusterqa (format {str(number)[:20]!r}, not {FORMAT}). "
            "Restore it with that version, then upgrade."
        )
    try:
        members = tuple(Member(**values) for values in told["files"])
        backup = Backup(str(told["made_at"]), str(told["clusterqa"]), members)
        whole = all(
            (type(m.path), type(m.size), type(m.sha256), type(m.mtime_ns), type(m.mode)) == (str, int, str, int, int)
            and m.size >= 0
            and -1 << 63 <= m.mtime_ns < 1 << 63
            for m in members
        )
    except (KeyError, TypeError) as error:
        raise _damaged(source, f"{MANIFEST} lacks something ({error})") from error
    if not whole:
        raise _damaged(source, f"{MANIFEST} has values that no file can have")
    _check_names(source, archive, [member.path for member in members])
    return backup


def _check_names(source: Path, archive: zipfile.ZipFile, names: list[str]) -> None:
    for name in names:
        if fault := _fault(name):
            raise _damaged(source, f"it holds {name[:200]!r}: {fault}")
    files = set(names)
    if len(files) < len(names):
        raise _damaged(source, f"{MANIFEST} names a file twice")
    for name in names:
        parent = name
        while parent := parent.rpartition("/")[0]:
            if parent in files:
                raise _damaged(source, f"{parent!r} is a file and a folder in it")
    inside = archive.namelist()
    if odd := sorted({*inside} ^ {*names, MANIFEST}):
        what = "is not in it" if odd[0] in files else f"is in it and not in {MANIFEST}"
        raise _damaged(source, f"{odd[0]!r} {what}")
    if len(inside) != len(names) + 1:
        raise _damaged(source, "it holds a file twice")


_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


def _fault(name: str) -> str:
    """Why no file of a backup may have this name; "" when it may."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return "the name is not valid Unicode"
    first, *rest = name.split("/")
    if name == SETTINGS_FILE:
        return ""
    if first not in ("corpus", "data") or not rest:
        return "it belongs to neither corpus nor data"
    if _CONTROL.search(name):
        return "the name holds a backslash or a control character"
    if any(not part or part.startswith(".") for part in rest):
        return "the name leads elsewhere, or is hidden"
    if any(len(part.encode()) > 255 for part in rest) or len(name.encode()) > 4000:
        return "the name is too long"
    if first == "data" and (rest[0] in (PLAN, LOCK) or ".sqlite3" in rest[0].removesuffix(".sqlite3")):
        return "a file of this name is never in a backup"
    return ""


def _content(source: Path, archive: zipfile.ZipFile, member: Member) -> Iterator[bytes]:
    """The bytes of one file; BackupError as soon as they cannot be right, at the latest after the last of them."""
    digest, size = hashlib.sha256(), 0
    try:
        info = archive.getinfo(member.path)
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _damaged(source, f"{member.path} is packed in a way that backups do not use")
        with archive.open(info) as file:
            while chunk := file.read(CHUNK):
                size += len(chunk)
                if size > member.size:
                    break
                digest.update(chunk)
                yield chunk
    except (*_BROKEN, OSError) as error:
        raise _damaged(source, f"{member.path} cannot be read ({error})") from error
    if size != member.size or digest.hexdigest() != member.sha256:
        raise _damaged(source, f"{member.path} is not what it was when it was saved")


def _damaged(source: Path, what: str) -> BackupError:
    return BackupError(
        f"The backup {source} is damaged: {what}. Nothing was changed. Take another copy of it, or an earlier one."
    )


# ── putting one back ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Restored:
    """`remarks` are what the person should know."""

    backup: Backup
    remarks: tuple[str, ...]


def restore(settings: Settings, source: Path, *, replace: bool = False) -> Restored:
    """
    Put what a backup holds into the corpus and the data folder, in place of what is there when `replace`.

    Everything is unpacked and held to its digest before anything is changed; a kill leaves all of the old, or all of the new once
    the next command has run. A running server goes on with the new. `clusterqa.toml` comes back where there is none.

    Raises BackupError, StoreError.
    """
    if settings.store != IN_A_FILE:
        raise BackupError(
            "A backup is restored into the data folder, not into a server. Restore it there, and take everything to an empty place in "
            f"the server: CLUSTERQA_STORE={IN_A_FILE} clusterqa restore {source}, then clusterqa move --from {IN_A_FILE} --to …"
        )
    places = Places(settings.data, settings.corpus)
    with _opened(source) as archive:
        backup = _manifest(source, archive)  # refused before any folder is made
        missing = [folder for folder in (settings.data, *settings.data.parents) if not folder.exists()]
        try:
            with writer_lock(settings.home):
                return _restore(places, source, archive, backup, replace)
        except BaseException:
            if missing:  # nothing but the lock can be in them
                (settings.data / LOCK).unlink(missing_ok=True)
            for folder in missing:
                with suppress(OSError):
                    folder.rmdir()
            raise


def _restore(places: Places, source: Path, archive: zipfile.ZipFile, backup: Backup, replace: bool) -> Restored:
    full = [str(folder) for name, folder in places.named() if places.holds(name)] + places.databases()
    if full and not replace:
        raise BackupError(f"There is something in {full[0]} already. Put the backup in its place with: --replace")
    if places.data.absolute() == places.corpus.absolute():
        raise BackupError("The corpus and the data folder are one. Name two with --corpus and --data.")
    own = next((member for member in backup.members if member.path == SETTINGS_FILE), None)
    text = b"".join(_content(source, archive, own)) if own else b""
    remarks = _check_settings(places, source, text) if own and not Path(SETTINGS_FILE).exists() else []
    coming = None
    try:
        coming = Exchange(places)
        for member in backup.members:
            if member is not own:
                name, _, inside = member.path.partition("/")
                _unpack(source, archive, member, coming.new(name) / inside)
        remarks += _new_epoch(coming.new("data"))
        for name, _ in places.named():
            _sync_folders(coming.new(name))
        if own and not Path(SETTINGS_FILE).exists():
            write_whole(Path(SETTINGS_FILE), text)
        elif own and Path(SETTINGS_FILE).read_bytes() != text:
            remarks.append(f"The {SETTINGS_FILE} that is here was left as it is; the backup has another.")
        coming.decide()
    except OSError as error:
        raise BackupError(
            f"{source} cannot be unpacked into {places.data} and {places.corpus} ({error.strerror}), so nothing was changed. "
            "Check the space on the disk and the permissions."
        ) from error
    finally:
        if coming is not None:
            coming.clear()
    finish(places.data)
    return Restored(backup, tuple(remarks))


def _check_settings(places: Places, source: Path, text: bytes) -> list[str]:
    """That the settings which come back will find what comes back with them. Raises BackupError."""
    try:
        told = tomllib.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        return [f"The {SETTINGS_FILE} of the backup cannot be read ({error}). Correct it before the next start."]
    for name, folder in places.named():
        if isinstance(there := told.get(name), str) and Path(there).expanduser().absolute() != folder.absolute():
            flags = " ".join(f"--{key} {told[key]}" for key in ("corpus", "data") if key in told)
            raise BackupError(
                f"The {SETTINGS_FILE} that {source} would put here has {name} = {there!r}, and not {folder}. "
                f"Restore there with: {flags}. Or first put a {SETTINGS_FILE} of your own here."
            )
    return []


def _unpack(source: Path, archive: zipfile.ZipFile, member: Member, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "xb", opener=private) as file:
        for chunk in _content(source, archive, member):
            file.write(chunk)
        file.flush()
        os.fchmod(file.fileno(), member.mode & 0o755)
        os.utime(file.fileno(), ns=(member.mtime_ns, member.mtime_ns))  # else every document looks changed to the index
        os.fsync(file.fileno())


def _sync_folders(folder: Path) -> None:
    for here, _, _ in os.walk(folder):
        sync_folder(Path(here))


def _new_epoch(data: Path) -> list[str]:
    """Servers that have the old index in memory are told by its new epoch that this is another one."""
    try:
        with open_store(Home(data)) as store, store.noting():
            store.set_meta("epoch", uuid.uuid4().hex)
    except StoreError:
        return ["There is no index in the backup that this version can use. Make one with: clusterqa index --rebuild"]
    return []
