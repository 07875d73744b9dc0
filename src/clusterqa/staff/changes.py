"""What a new version of a document changes: a difference of the texts, and the passages that disappear."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from clusterqa.records import Document, Passage

Kind = Literal["same", "gone", "new"]

ALIKE = 0.4
"""Share of equal words from which two paragraphs count as one that was changed, not as one that went and one that came."""
LONGEST_COMPARED = 2_000
"""Words of a paragraph up to which it is compared word by word."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    `changes` in the order of the text, each the pieces of one or two paragraphs with what became of them; `lost` are the
    passages of the earlier version whose words no longer stand together in the new one.
    """

    changes: tuple[tuple[tuple[Kind, str], ...], ...]
    lost: tuple[Passage, ...]


def compare(before: Document, after: Document, passages: Sequence[Passage]) -> Comparison:
    """Two versions of a document; `passages` are those of the one before."""
    old, new = _paragraphs(before), _paragraphs(after)
    changes: list[tuple[tuple[Kind, str], ...]] = []
    same: list[tuple[int, int]] = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            same.append((before.blocks[a].start, before.blocks[b - 1].end))
        else:
            changes += _changed(old[a:b], new[c:d])
    whole = _plain(after.text)

    def is_lost(passage: Passage) -> bool:
        # Most passages of most new versions stand in what stayed: nothing has to be searched for them.
        stayed = any(start <= passage.start and passage.end <= end for start, end in same)
        return not stayed and _plain(passage.text) not in whole

    return Comparison(tuple(changes), tuple(filter(is_lost, passages)))


def _changed(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[tuple[Kind, str], ...]]:
    """Paragraphs that stand in one place, each with the one that took its place where the two are alike."""
    for position in range(max(len(old), len(new))):
        gone, came = old[position : position + 1], new[position : position + 1]
        if gone and came and (pieces := _by_words(gone[0], came[0])):
            yield pieces
            continue
        yield from (((("gone", text),)) for text in gone)
        yield from (((("new", text),)) for text in came)


def _by_words(old: str, new: str) -> tuple[tuple[Kind, str], ...]:
    """The pieces of a paragraph that was changed; none when the two are too little alike, or too long."""
    before, after = (re.findall(r"\S+\s*", text) for text in (old, new))
    if max(len(before), len(after)) > LONGEST_COMPARED:
        return ()
    words = difflib.SequenceMatcher(
        None, [word.strip() for word in before], [word.strip() for word in after], autojunk=False
    )
    if words.ratio() < ALIKE:
        return ()
    pieces: list[tuple[Kind, str]] = []
    for tag, a, b, c, d in words.get_opcodes():
        if tag == "equal":
            pieces.append(("same", "".join(after[c:d])))
        else:
            pieces += [("gone", "".join(before[a:b]))] if a < b else []
            pieces += [("new", "".join(after[c:d]))] if c < d else []
    return tuple(pieces)


def _paragraphs(document: Document) -> list[str]:
    return [_plain(document.text[block.start : block.end]) for block in document.blocks]


def _plain(text: str) -> str:
    return " ".join(text.split())
