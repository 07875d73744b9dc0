"""Files that others wrote: plain or gzipped text, and grades; every mistake is told with its file and line."""

from __future__ import annotations

import codecs
import gzip
import math
import zlib
from pathlib import Path
from typing import Any

from clusterqa.errors import EvaluationError

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
        raise EvaluationError(f"{path} cannot be read ({error}). Give {wanted}.") from error
    # UTF-16 without a mark at its start is valid UTF-8, with a zero beside every plain letter.
    if content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) or b"\x00" in content[:200]:
        raise EvaluationError(f"{path} line 1: this is UTF-16, or no text at all. Save the file as UTF-8.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise EvaluationError(f"{path} line {line}: this is not UTF-8. Save the file as UTF-8.") from error


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
