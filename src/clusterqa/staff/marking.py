"""Passages of a document that the staff leave out of answers, put back, or note something on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import shorten
from typing import Literal, get_args

from clusterqa.documents import marks
from clusterqa.documents.metadata import MOST_YAML, Metadata
from clusterqa.records import Document
from clusterqa.staff.drafts import DeskError, sidecar_text

Deed = Literal["left_out", "put_back", "noted"]
DEEDS: tuple[Deed, ...] = get_args(Deed)

QUOTED = 160
"""Characters of a passage that the history keeps."""
MOST_QUOTED = 20


@dataclass(frozen=True, slots=True)
class Markable:
    """A paragraph, item or row that can be left out; `reason` says why it is, None when it is quoted; `note` may be ""."""

    key: str
    text: str
    heading: str
    reason: str | None
    note: str


def markable(document: Document, metadata: Metadata) -> list[Markable]:
    """What of a document can be marked, in its order, with what is said of it."""
    out, notes = marks.parsed(metadata.left_out), marks.parsed(metadata.notes)
    heading, found = "", []
    for block, key in zip(document.blocks, marks.keys(document.text, document.blocks), strict=True):
        text = " ".join(document.text[block.start : block.end].split())
        if not key:
            heading = text
        elif any(letter.isalnum() for letter in text):
            found.append(Markable(key, text, heading, out.get(key), notes.get(key, "")))
    return found


def quotations(document: Document, keys: Sequence[str]) -> list[str]:
    """How the passages of these keys begin, for the history. Raises DeskError when the document has not all of them."""
    texts = {one.key: one.text for one in markable(document, Metadata())}
    if not keys or not set(keys) <= texts.keys():
        raise DeskError("no_passages", "Tick at least one passage; the text may have changed meanwhile.")
    return [shorten(texts[key], QUOTED, placeholder=" …") for key in keys[:MOST_QUOTED]]


def marked(metadata: Metadata, deed: Deed, keys: Sequence[str], said: str) -> Metadata:
    """The metadata with these passages left out, put back or noted. Raises DeskError when there are too many marks."""
    said = " ".join(said.split())
    if deed == "left_out" and not said:
        raise DeskError("no_reason", "Say why the passages are left out.")
    out, notes = marks.parsed(metadata.left_out), marks.parsed(metadata.notes)
    for key in keys:
        if deed == "left_out":
            out[key] = said
        elif deed == "put_back":
            out.pop(key, None)
        elif said:
            notes[key] = said
        else:
            notes.pop(key, None)
    changed = replace(metadata, left_out=marks.written(out), notes=marks.written(notes))
    if len(sidecar_text(changed)) > MOST_YAML:
        raise DeskError(
            "too_many_marks", "So many passages cannot be marked one by one. Replace the document by a shorter one."
        )
    return changed
