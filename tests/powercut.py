"""
What a disk may hold after the power fails: the file operations of a process, written down by strace, and replayed up to any of them.

    operations = recorded([…command…], root, trace)
    replay(operations, upto=57, chance=Random(3), root=root, target=folder)

Of what was written and not synced any part may be missing, in any order, and a write may be torn at a sector. Names come and go in
the order of each folder; the last ones may be missing when the folder was not synced. A new file that was synced itself has its
name, and the new folders that it lies in have theirs: that is so on every journalling file system, and SQLite relies on it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

SECTOR = 512
_CALLS = "openat,write,pwrite64,ftruncate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,sendfile,copy_file_range,lseek,link,linkat,writev,pwritev,fallocate"  # fmt: skip
_LINE = re.compile(r"(?:\d+ +)?(\w+)\((.*)\) += (-?\d+)(?:<((?:[^>\\]|\\.)*)>)?.*")
_FD = re.compile(r"(-?\d+|AT_FDCWD)(?:<((?:[^>\\]|\\.)*)>)?")


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; paths are absolute. `kind`: create, write, truncate, sync, sync folder, rename, unlink, mkdir, said."""

    kind: str
    path: str
    to: str = ""
    offset: int = 0
    data: bytes = b""


def recorded(command: Sequence[str], root: Path, trace: Path, environment: dict[str, str]) -> list[Operation]:
    """Run a process of one thread, and give what it did below `root`, and what it said to its standard output."""
    subprocess.run(
        ["strace", "-o", str(trace), "-y", "-xx", "-s", "100000000", "-e", f"trace={_CALLS}", *command],
        check=True, stdout=subprocess.DEVNULL, env=environment,
    )  # fmt: skip
    found: list[Operation] = []
    position: dict[str, int] = {}
    for line in trace.read_text(encoding="ascii", errors="replace").splitlines():
        match = _LINE.fullmatch(line)
        if match and int(match[3]) >= 0:
            found += _operations(match[1], _split(match[2]), int(match[3]), match[4], position, os.fsencode(root))
    return found


def _split(arguments: str) -> list[str]:
    return re.findall(r'(?:"[^"]*"(?:\.\.\.)?|<(?:[^>\\]|\\.)*>|[^,"<])+', arguments)


def _text(argument: str) -> bytes:
    return bytes.fromhex("".join(re.findall(r"\\x([0-9a-f]{2})", argument)))


def _operations(
    call: str, arguments: list[str], result: int, opened: str | None, position: dict[str, int], root: bytes
) -> list[Operation]:
    arguments = [argument.strip() for argument in arguments]
    name, handle = "", arguments[0]
    if match := _FD.fullmatch(handle):
        handle, name = match[1], os.fsdecode(_text(match[2])) if match[2] else ""

    def inside(path: str) -> bool:
        return os.fsencode(path).startswith(root + b"/") or os.fsencode(path) == root

    def named(folder: str, argument: str) -> str:
        match = _FD.fullmatch(folder)
        base = os.fsdecode(_text(match[2])) if match and match[2] else os.getcwd()
        return os.path.normpath(os.path.join(base, os.fsdecode(_text(argument))))

    match call:
        case "openat":
            path = os.fsdecode(_text(opened)) if opened else ""
            if not inside(path) or "O_DIRECTORY" in arguments[2]:
                return []
            position[str(result)] = 0
            if "O_CREAT" not in arguments[2] and "O_TRUNC" not in arguments[2]:
                return []
            return [Operation("create", path, offset=int("O_TRUNC" in arguments[2]))]
        case "write" if handle == "1":
            return [Operation("said", "", data=_text(arguments[1]))]
        case "write" if inside(name):
            at = position.get(handle, 0)
            position[handle] = at + result
            return [Operation("write", name, offset=at, data=_text(arguments[1])[:result])]
        case "pwrite64" if inside(name):
            return [Operation("write", name, offset=int(arguments[3]), data=_text(arguments[1])[:result])]
        case "lseek":
            position[handle] = result
        case "sendfile" | "copy_file_range":
            source = _FD.fullmatch(arguments[1] if call == "sendfile" else arguments[0])
            target = _FD.fullmatch(arguments[0] if call == "sendfile" else arguments[2])
            assert source and target and target[2]
            path = os.fsdecode(_text(target[2]))
            if result and inside(path):
                at = position.get(target[1], 0)
                position[target[1]] = at + result
                return [
                    Operation(
                        "copy", path, to=os.fsdecode(_text(source[2] or "")), offset=at, data=str(result).encode()
                    )
                ]
        case "ftruncate" if inside(name):
            return [Operation("truncate", name, offset=int(arguments[1]))]
        case "fsync" | "fdatasync" if inside(name):
            return [Operation("sync folder" if os.path.isdir(name) else "sync", name)]
        case "rename":
            return (
                [Operation("rename", named("", arguments[0]), to=named("", arguments[1]))]
                if inside(named("", arguments[1]))
                else []
            )
        case "renameat" | "renameat2":
            return [Operation("rename", named(arguments[0], arguments[1]), to=named(arguments[2], arguments[3]))]
        case "unlink" | "rmdir" if inside(named("", arguments[0])):
            return [Operation("unlink", named("", arguments[0]))]
        case "unlinkat" if inside(named(arguments[0], arguments[1])):
            return [Operation("unlink", named(arguments[0], arguments[1]))]
        case "mkdir" if inside(named("", arguments[0])):
            return [Operation("mkdir", named("", arguments[0]))]
        case "mkdirat" if inside(named(arguments[0], arguments[1])):
            return [Operation("mkdir", named(arguments[0], arguments[1]))]
        case "writev" | "pwritev" | "link" | "linkat" | "fallocate" if inside(name or named("", arguments[0])):
            raise AssertionError(f"{call} is not replayed yet")
    return []


@dataclass
class _File:
    content: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    """(offset, data) of writes and (size, None) of truncations since the last sync."""

    def now(self) -> bytes:
        return _with(self.content, self.pending)

    def after_a_cut(self, chance: Random) -> bytes:
        """Some of what was not synced, in no order; a write perhaps torn."""
        kept: list[tuple[int, bytes | None]] = []
        share = chance.choice((0.0, 0.5, 0.9, 1.0))
        for offset, data in self.pending:
            if chance.random() < share:
                if data is not None and len(data) > SECTOR and chance.random() < 0.2:
                    begin = chance.randrange(0, len(data), SECTOR)
                    kept.append((offset + begin, data[begin : begin + SECTOR * chance.randint(1, 4)]))
                else:
                    kept.append((offset, data))
        if chance.random() < 0.3:
            chance.shuffle(kept)
        return _with(self.content, kept)


def _with(content: bytes | bytearray, changes: Sequence[tuple[int, bytes | None]]) -> bytes:
    made = bytearray(content)
    for offset, data in changes:
        size = offset if data is None else max(len(made), offset + len(data))
        made = made[:size] + bytes(max(0, size - len(made)))
        if data is not None:
            made[offset : offset + len(data)] = data
    return bytes(made)


@dataclass
class _Names:
    """Of one folder: the names on the disk, and what was done with names since its last sync."""

    kept: dict[str, object] = field(default_factory=dict)
    pending: list[tuple[str, object | None]] = field(default_factory=list)
    """(name, what it stands for since; None when it went)."""

    def now(self) -> dict[str, object]:
        return self.upto(len(self.pending))

    def upto(self, count: int) -> dict[str, object]:
        names = dict(self.kept)
        for name, what in self.pending[:count]:
            if what is None:
                names.pop(name, None)
            else:
                names[name] = what
        return names


class _Disk:
    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.folders: dict[str, _Names] = {self.root: _Names()}

    def at(self, path: str) -> object | None:
        folder, name = os.path.split(path)
        return self.folders[folder].now().get(name) if folder in self.folders else None

    def _name(self, path: str, what: object | None) -> None:
        folder, name = os.path.split(path)
        self.folders[folder].pending.append((name, what))

    def _keep_name(self, path: str) -> None:
        """What is new goes to the disk with its name, and those of the new folders that it is in."""
        while path != self.root:
            folder, name = os.path.split(path)
            names = self.folders[folder]
            if name not in names.kept:
                names.kept, names.pending = names.now(), []
            path = folder

    def do(self, operation: Operation) -> None:
        path = operation.path
        what = self.at(path)
        match operation.kind:
            case "mkdir":
                self._name(path, "folder")
                self.folders[path] = _Names()
            case "create":
                if not isinstance(what, _File):
                    self._name(path, _File())
                elif operation.offset:
                    what.pending.append((0, None))
            case "write" if isinstance(what, _File):
                what.pending.append((operation.offset, operation.data))
            case "copy" if isinstance(what, _File):
                source = self.at(operation.to)
                content = source.now() if isinstance(source, _File) else Path(operation.to).read_bytes()
                what.pending.append((operation.offset, content[operation.offset :][: int(operation.data)]))
            case "truncate" if isinstance(what, _File):
                what.pending.append((operation.offset, None))
            case "sync" if isinstance(what, _File):
                what.content, what.pending = bytearray(what.now()), []
                self._keep_name(path)
            case "sync folder" if path in self.folders:
                self.folders[path].kept, self.folders[path].pending = self.folders[path].now(), []
                self._keep_name(path)
            case "unlink":
                self._name(path, None)
            case "rename" if what is not None:
                self._name(operation.to, what)
                self._name(path, None)
                if what == "folder":
                    for folder in [name for name in self.folders if name == path or name.startswith(f"{path}/")]:
                        self.folders[operation.to + folder[len(path) :]] = self.folders.pop(folder)

    def write(self, target: Path, chance: Random) -> None:
        self._write(self.root, target, chance)

    def _write(self, folder: str, target: Path, chance: Random) -> None:
        target.mkdir(parents=True, exist_ok=True)
        names = self.folders[folder]
        count = len(names.pending) if chance.random() < 0.5 else chance.randint(0, len(names.pending))
        for name, what in names.upto(count).items():
            if isinstance(what, _File):
                (target / name).write_bytes(what.after_a_cut(chance))
            elif f"{folder}/{name}" in self.folders:
                self._write(f"{folder}/{name}", target / name, chance)


def replay(operations: Sequence[Operation], upto: int, chance: Random, root: Path, target: Path) -> list[str]:
    """Make `target` what `root` may be when the power fails before operation `upto`; gives the lines said until then."""
    disk = _Disk(root)
    said = b""
    for operation in operations[:upto]:
        if operation.kind == "said":
            said += operation.data
        else:
            disk.do(operation)
    disk.write(target, chance)
    return said.decode().splitlines()
