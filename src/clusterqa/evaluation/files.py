"""
Files that others wrote: plain or gzipped text, and grades; every mistake is told with its file and line. And writing what
others read.
"""

from __future__ import annotations

import codecs
import gzip
import math
import zlib
from pathlib import Path
from typing import Any

from clusterqa.errors import EvaluationError
from clusterqa.files import write_whole

Qrels = dict[str, dict[str, float]]
"""Query id → document id → grade; above 0 is relevant, 0 and below was looked at and is not."""


def read_text(path: Path, wanted: str) -> str:
    """
    The text of a UTF-8 file, gzipped or not; `wanted` says what should stand in it, for the message.

    Raises EvaluationError when it cannot be read, or is in another encoding.
    """
    try:
        content = path.read_bytes()
        content = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (OSError, EOFError, zlib.error) as error:
        raise EvaluationError(f"{path} cannot be read ({reason(error)}). Give {wanted}.") from error
    # UTF-16 without a mark at its start is valid UTF-8, with a zero beside every plain letter.
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\x00" in content[:200]:
        raise EvaluationError(f"{path} line 1: this is UTF-16, or no text at all. Save the file as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EvaluationError(f"{path} line {line}: this is not UTF-8. Save the file as UTF-8.") from error


def write(path: Path, content: str, append: bool = False) -> None:
    """With the folders it needs; whole or not at all, unless it is appended. Raises EvaluationError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if append:
            with path.open("a", encoding="utf-8") as file:
                file.write(content)
        else:
            write_whole(path, content.encode(), opener=None)
    except OSError as error:
        raise EvaluationError(f"{path} cannot be written ({reason(error)}). Name another file.") from error


def reason(error: Exception) -> str:
    """Why a file cannot be read or written, without its name and a number, which messages have or do not need."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def number(value: Any) -> float:
    """A grade or score, whole where it is whole. Raises ValueError for what is no finite number."""
    try:
        found = float(value)
    except TypeError:
        raise ValueError(f"{value!r} is no number") from None
    if not math.isfinite(found):
        raise ValueError(f"{value!r} is no number")
    return int(found) if found.is_integer() else found


def judge(qrels: Qrels, query: str, document: str, value: float) -> None:
    """Note a judgement; the same one twice is one. Raises ValueError for one that contradicts an earlier one."""
    row = qrels.setdefault(query, {})
    if row.setdefault(document, value) != value:
        raise ValueError(
            f"it judges {document} twice for the question {query}, as {row[document]:g} and {value:g}; remove one"
        )
