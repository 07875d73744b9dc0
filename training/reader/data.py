"""What `prepare.py` wrote, in memory, and batches of pairs of question and passage from it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from clusterqa.readers.features import PASSAGE_FEATURES, SENTENCE_FEATURES, Features, of_scores
from clusterqa.readers.reader import LONGEST_QUESTION, Read

LONGEST_PASSAGE = 176
"""Pieces of a passage that are learnt from; the reader itself reads them all."""
TOGETHER = 16
"""Pairs whose attention is computed in one grid. They are alike in length, so that little of it is empty."""
CANDIDATES = 12
"""Passages of a search that the reader is taught to judge."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what is known about it; passages are rows of the same `Shard`."""

    id: str
    set: str
    kind: str
    language: str
    type: str
    reading: str
    text: int
    candidates: list[int]
    features: Features | None
    """Of the candidates, in their order; None where nothing was searched for."""
    answers: dict[int, list[int]]
    """Passage → the sentences that answer; none where they are not known."""
    spans: dict[int, tuple[int, int]]
    tempting: dict[int, list[int]]
    answerable: bool


@dataclass(frozen=True, slots=True)
class Shard:
    """The texts of one file with their pieces, and its questions."""

    name: str
    begins: NDArray[np.int64]
    states: NDArray[np.int8]
    ids: NDArray[np.int32]
    places: NDArray[np.int32]
    sentence: NDArray[np.int16]
    passages: list[dict[str, Any]]
    questions: list[Asked]

    @classmethod
    def load(cls, path: Path) -> Shard:
        arrays = np.load(path)
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        return cls(
            path.stem,
            *(arrays[name] for name in ("begins", "states", "ids", "places", "sentence")),
            facts["passages"],
            [_asked(question) for question in facts["questions"]],
        )

    def piece_rows(self, text: int) -> slice:
        return slice(int(self.begins[text]), int(self.begins[text + 1]))

    def read(self, passage: int) -> Read:
        """A passage as the product keeps it."""
        rows, facts = self.piece_rows(self.passages[passage]["text"]), self.passages[passage]
        return Read(self.states[rows], self.ids[rows], self.sentence[rows], facts["sentences"])

    def span(self, question: Asked, passage: int) -> tuple[int, int] | None:
        """First and last piece of the shortest answer in a passage; None when it is not known or cut off."""
        if passage not in question.spans:
            return None
        start, end = question.spans[passage]
        places = self.places[self.piece_rows(self.passages[passage]["text"])]
        rows = np.flatnonzero((places[:, 0] < end) & (places[:, 1] > start) & (places[:, 0] >= 0))
        if not len(rows) or places[rows[-1], 1] < end or rows[-1] >= LONGEST_PASSAGE:
            return None
        return int(rows[0]), int(rows[-1])


def _asked(facts: dict[str, Any]) -> Asked:
    given = [tuple(line) for line in facts["hits"]][:CANDIDATES]
    found = of_scores(given, facts["sentence_scores"][:CANDIDATES], facts["foreign"][:CANDIDATES]) if given else None
    return Asked(
        facts["id"],
        facts["set"],
        facts["kind"],
        facts["language"],
        facts["type"],
        facts["reading"],
        facts["text"],
        facts["candidates"][:CANDIDATES] if given else facts["candidates"],
        found,
        *({int(row): value for row, value in facts[name].items()} for name in ("answers", "spans", "tempting")),
        facts["answerable"],
    )


class Pair(NamedTuple):
    """A question of a shard with a passage to judge, and the passage's place among the candidates (-1: not among them)."""

    shard: Shard
    question: Asked
    passage: int
    candidate: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some pairs that follow each other: their rows, and where each of these stands in a grid (pairs, question + passage)."""

    pairs: slice
    rows: slice
    place: Tensor
    question: int
    passage: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs without padding: one row a piece, a pair's question before its passage; shapes in words below."""

    states: Tensor
    """(rows, width)"""
    ids: Tensor
    side: Tensor
    """0 a question's piece, 1 a passage's."""
    pair: Tensor
    first: Tensor
    """(pairs,): the row of the question's first piece; its passage begins at `told`."""
    told: Tensor
    sentence: Tensor
    """Number of the sentence in the whole batch, or -1."""
    owner: Tensor
    """(sentences,): the pair of each."""
    sentences: Tensor
    """(pairs,): the number of its first sentence in the batch."""
    passage_features: Tensor
    sentence_features: Tensor
    searched: Tensor
    """(pairs,): 1 where there are features."""
    chunks: tuple[Chunk, ...]
    pairs: tuple[Pair, ...] = field(default=())


def batch(pairs: Sequence[Pair], longest: int = LONGEST_PASSAGE) -> Batch:
    """The pairs as a batch, shortest passage first; their new order is `pairs` of it."""
    cut = [(pair, *_rows(pair, longest)) for pair in pairs]
    cut.sort(key=lambda line: (line[2].stop - line[2].start, line[1].stop - line[1].start))
    states, ids, side, owner_rows, sentence = [], [], [], [], []
    first, told, begins, owner, searched = [], [], [], [], []
    passage_features = np.zeros((len(cut), len(PASSAGE_FEATURES)), dtype=np.float32)
    sentence_features = []
    row = count = 0
    for number, (pair, asked, read) in enumerate(cut):
        lengths = (asked.stop - asked.start, read.stop - read.start)
        first.append(row)
        told.append(row + lengths[0])
        row += sum(lengths)
        begins.append(count)
        for part in (asked, read):
            states.append(pair.shard.states[part])
            ids.append(pair.shard.ids[part])
        side.append(np.repeat([0, 1], lengths))
        owner_rows.append(np.full(sum(lengths), number))
        own = pair.shard.sentence[read].astype(np.int64)
        sentence += [np.full(lengths[0], -1), np.where(own >= 0, own + count, -1)]
        sentences = pair.shard.passages[pair.passage]["sentences"]
        owner += [number] * sentences
        count += sentences
        known = pair.question.features
        searched.append(known is not None)
        below = np.zeros((sentences, len(SENTENCE_FEATURES)), dtype=np.float32)
        if known is not None:
            # An answer that was not found stands where the last one found does.
            passage_features[number] = known.passages[pair.candidate]
            if pair.candidate >= 0:
                below = known.sentences[pair.candidate]
        sentence_features.append(below)
    return Batch(
        torch.from_numpy(np.concatenate(states)).float(),
        torch.from_numpy(np.concatenate(ids)).long(),
        torch.from_numpy(np.concatenate(side)),
        torch.from_numpy(np.concatenate(owner_rows)),
        torch.tensor(first),
        torch.tensor(told),
        torch.from_numpy(np.concatenate(sentence)),
        torch.tensor(owner),
        torch.tensor(begins),
        torch.from_numpy(passage_features),
        torch.from_numpy(np.concatenate(sentence_features)),
        torch.tensor(searched, dtype=torch.float32),
        tuple(_chunks([(a.stop - a.start, b.stop - b.start) for _, a, b in cut], first)),
        tuple(pair for pair, _, _ in cut),
    )


def _rows(pair: Pair, longest: int) -> tuple[slice, slice]:
    asked = pair.shard.piece_rows(pair.question.text)
    read = pair.shard.piece_rows(pair.shard.passages[pair.passage]["text"])
    return (
        slice(max(asked.start, asked.stop - LONGEST_QUESTION), asked.stop),
        slice(read.start, min(read.stop, read.start + longest)),
    )


def _chunks(lengths: Sequence[tuple[int, int]], first: Sequence[int]) -> list[Chunk]:
    chunks = []
    for begin in range(0, len(lengths), TOGETHER):
        some = lengths[begin : begin + TOGETHER]
        question, passage = (max(length) for length in zip(*some, strict=True))
        width = question + passage
        place = [
            np.concatenate([number * width + np.arange(a), number * width + question + np.arange(b)])
            for number, (a, b) in enumerate(some)
        ]
        rows = sum(map(sum, some))
        chunks.append(
            Chunk(
                slice(begin, begin + len(some)),
                slice(first[begin], first[begin] + rows),
                torch.from_numpy(np.concatenate(place)),
                question,
                passage,
            )
        )
    return chunks
