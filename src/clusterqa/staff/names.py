"""File names from elsewhere → names that are safe in the corpus folder."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from pathlib import PurePosixPath

LONGEST_NAME = 150
"""In bytes of UTF-8; file systems take 255, and a sidecar's ending and a number may be added."""

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?=\.|\Z)", re.IGNORECASE)


def safe_name(name: str) -> str:
    """
    The last part of a path as a plain file name: no folders, nothing hidden, nothing that an operating system forbids.

    A name that is too long is shortened before its endings (`.lt.pdf`); one of which nothing remains becomes "document".
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    last = " ".join(_FORBIDDEN.sub(" ", last).split())
    last = last.lstrip(". ~#$").rstrip(". ~#")
    if _DEVICES.match(last):
        last = f"document-{last}"
    stem, endings = _parted(last)
    room = LONGEST_NAME - len(endings.encode())
    stem = stem.encode()[: max(room, 1)].decode("utf-8", "ignore").rstrip(". ")
    return (stem or "document") + endings


def free_name(name: str, taken: Collection[str]) -> str:
    """`name`, or with the first number that makes it one that is not taken: `report.lt.pdf` → `report-2.lt.pdf`."""
    stem, endings = _parted(name)
    number = 2
    found = name
    while found in taken:
        found = f"{stem}-{number}{endings}"
        number += 1
    return found


def _parted(name: str) -> tuple[str, str]:
    """Stem and endings: the last one, with a language before it."""
    ending = PurePosixPath(name).suffix
    if not ending or len(ending) > 12:
        return name, ""
    stem = name[: -len(ending)]
    if stem.lower().endswith((".lt", ".en")) and len(stem) > 3:
        return stem[:-3], stem[-3:] + ending
    return stem, ending
