"""
What the staff say of single paragraphs, items and rows of a document: that they are left out of answers, or a note.

It stands in the sidecar, so it comes, changes and goes with the document. Each is a line: the key of the block, then the
reason or the note. A key is a digest of the block's words, with a number where the same words stand in the document several
times. So a mark stays with its words when the file is published again, or a new version still has them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from clusterqa.records import Block, Document

KEY_CHARS = 12


def keys(text: str, blocks: Sequence[Block]) -> list[str]:
    """The key of each block that can be marked, "" for a heading: what stands below it would be without it."""
    seen: Counter[str] = Counter()
    found = []
    for block in blocks:
        if block.kind == "heading":
            found.append("")
            continue
        words = " ".join(text[block.start : block.end].split())
        key = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_CHARS]
        seen[key] += 1
        found.append(f"{key}.{seen[key]}" if seen[key] > 1 else key)
    return found


def parsed(lines: Sequence[str]) -> dict[str, str]:
    """The reason, or the note, by key."""
    return {key: said for key, _, said in (line.partition(" ") for line in lines)}


def written(said: dict[str, str]) -> tuple[str, ...]:
    """As `parsed` takes it."""
    return tuple(f"{key} {text}".strip() for key, text in said.items())


def applied(document: Document, left_out: Sequence[str]) -> Document:
    """
    The document without these blocks among what may be quoted; its text stays as it is. A warning counts those that its text
    does not have.
    """
    if not left_out:
        return document
    out = parsed(left_out)
    known = keys(document.text, document.blocks)
    blocks = tuple(
        replace(block, kind="left_out") if key in out else block
        for block, key in zip(document.blocks, known, strict=True)
    )
    if lost := len(out.keys() - set(known)):
        warning = f"Passages that were to be left out of answers and are no longer in the text: {lost}."
        return replace(document, blocks=blocks, warnings=(*document.warnings, warning))
    return replace(document, blocks=blocks)
