"""Writing files so that they are there whole or not at all, whenever the power fails."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import IO, Any, Literal

SHORT = 50
"""Characters of a name that leave room for more, however many bytes each takes: file systems allow 255 of them."""


def part_of(target: Path) -> Path:
    """The name under which a file grows before it takes its place: hidden, in the same folder, and nobody else's."""
    return target.with_name(f".{target.name[:SHORT]}.{uuid.uuid4().hex[:8]}.part")


def sweep(target: Path) -> None:
    """Remove what killed processes left of a file that they were writing; for whoever alone may write it now."""
    for part in target.parent.glob(f".{escape(target.name[:SHORT])}.*.part"):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink(missing_ok=True)


def private(path: str, flags: int) -> int:
    """Opener of files that only their owner may read."""
    return os.open(path, flags, 0o600)


@contextmanager
def growing(target: Path, mode: Literal["x", "xb"], **how: Any) -> Iterator[IO[Any]]:
    """
    A file to write into, opened as `how` says; it takes its place in the end, and not after an exception. Raises OSError.

    The file that a link leads to is replaced, not the link. What is no file (/dev/stdout, a pipe) is written to as it is.
    """
    if target.exists() and not target.is_file():
        with open(target, "wb" if mode == "xb" else "w", **how) as file:
            yield file
        return
    target = target.resolve()
    part = part_of(target)
    try:
        with open(part, mode, **how) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        put(part, target)
    finally:
        part.unlink(missing_ok=True)


def write_whole(target: Path, content: bytes, opener: Callable[[str, int], int] | None = private) -> None:
    """For its owner alone; without an `opener` with the rights that new files have. Raises OSError."""
    with growing(target, "xb", opener=opener) as file:
        file.write(content)


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file's content. Raises OSError."""
    part = part_of(target)
    try:
        copy_content(source, part)
        put(part, target)
    finally:
        part.unlink(missing_ok=True)


def copy_content(source: Path, target: Path) -> None:
    """To the disk, not only to the system's memory; a kill may leave a part of it. Raises OSError."""
    shutil.copyfile(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def put(part: Path, target: Path) -> None:
    """Rename, for good: without the folder's own fsync a power cut may bring the old name back."""
    os.replace(part, target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """What was made, renamed and removed in a folder stays so after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
