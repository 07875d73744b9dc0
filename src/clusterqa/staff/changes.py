"""What a new version of a document changes: a difference of the texts, and the passages that disappear."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from rapidfuzz.distance import Indel

from clusterqa.records import Document, Passage

Kind = Literal["same", "gone", "new"]

ALIKE = 0.4
"""Share of equal words from which two paragraphs count as one that was changed, not as one that went and one that came."""
LONGEST_COMPARED = 2_000
"""Words of a paragraph up to which it is compared word by word."""

MOST_COMPARED = 100_000
"""Words that are compared word by word in all; of more changes, paragraphs went and came."""
RUN = 5
"""Words in a row by which most passages that are lost are known without a search for them."""


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
    left = MOST_COMPARED
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new).get_opcodes():
        if tag == "equal":
            same.append((before.blocks[a].start, before.blocks[b - 1].end))
        else:
            for gone, came in zip_longest(old[a:b], new[c:d], fillvalue=""):
                left -= gone.count(" ") + came.count(" ")
                changes += _changed(gone, came, by_words=left > 0)
    whole = _plain(after.text)
    words = whole.split(" ")
    runs = set(zip(*(words[n:] for n in range(RUN)), strict=False))

    def is_lost(passage: Passage) -> bool:
        # Most passages of most new versions stand in what stayed: nothing has to be searched for them.
        if any(start <= passage.start and passage.end <= end for start, end in same):
            return False
        inside = passage.text.split()[1:-1]  # the words at its ends may have got a sign
        if len(inside) >= RUN and tuple(inside[:RUN]) not in runs:
            return True
        return _plain(passage.text) not in whole

    return Comparison(tuple(changes), tuple(filter(is_lost, passages)))


def _changed(old: str, new: str, by_words: bool) -> list[tuple[tuple[Kind, str], ...]]:
    """A paragraph and the one that took its place: one change where the two are alike, else two; "" for none."""
    if old and new and by_words and (pieces := _by_words(old, new)):
        return [pieces]
    return [(piece,) for piece in _put(old, new)]


def _by_words(old: str, new: str) -> tuple[tuple[Kind, str], ...]:
    """The pieces of a paragraph that was changed; none when the two are too little alike, or too long."""
    before, after = (re.findall(r"\S+\s*", text) for text in (old, new))
    if max(len(before), len(after)) > LONGEST_COMPARED:
        return ()
    plain = [[word.strip() for word in words] for words in (before, after)]
    if Indel.normalized_similarity(*plain) < ALIKE:
        return ()
    pieces: list[tuple[Kind, str]] = []
    gone = new = ""
    for step in Indel.opcodes(*plain):
        left, came = (
            "".join(words[start:end])
            for words, start, end in ((before, step.src_start, step.src_end), (after, step.dest_start, step.dest_end))
        )
        if step.tag == "equal":
            pieces += [*_put(gone, new), ("same", came)]
            gone = new = ""
        else:
            gone, new = gone + left, new + came
    return (*pieces, *_put(gone, new))


def _put(gone: str, new: str) -> list[tuple[Kind, str]]:
    pieces: list[tuple[Kind, str]] = [("gone", gone), ("new", new)]
    return [piece for piece in pieces if piece[1]]


def _paragraphs(document: Document) -> list[str]:
    return [_plain(document.text[block.start : block.end]) for block in document.blocks]


def _plain(text: str) -> str:
    return " ".join(text.split())
