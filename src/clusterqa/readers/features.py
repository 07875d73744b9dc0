"""What the search found, as numbers for the reader: how each passage stands in itself, and beside the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clusterqa.records import Hit, Language

Floats = NDArray[np.float32]

PASSAGE_FEATURES = (
    "score", "score below the best", "lead", "share of the best", "cosine below the best", "meaning",
    "meaning below the best", "words", "words below the best", "rank", "sentence below the best", "foreign",
)  # fmt: skip
SENTENCE_FEATURES = ("score", "below the best of its passage", "below the best of all", "best of its passage")


@dataclass(frozen=True, slots=True)
class Features:
    """For each passage a row of PASSAGE_FEATURES, and for each of its sentences one of SENTENCE_FEATURES."""

    passages: Floats
    sentences: tuple[Floats, ...]


def features(hits: Sequence[Hit], language: Language) -> Features:
    """The features of all hits of one search, best first, for a question in `language`."""
    return of_scores(
        [(hit.score, hit.dense, hit.meaning, hit.lexical) for hit in hits],
        [hit.sentence_scores for hit in hits],
        [hit.source.language != language for hit in hits],
    )


def of_scores(
    scores: Sequence[tuple[float, float, float, float]],
    sentences: Sequence[Sequence[float]],
    foreign: Sequence[bool],
) -> Features:
    """The same from bare numbers: of each hit `score`, `dense`, `meaning` and `lexical`, and its `sentence_scores`."""
    if not scores:
        return Features(np.zeros((0, len(PASSAGE_FEATURES)), dtype=np.float32), ())
    score, dense, meaning, lexical = np.array(scores, dtype=np.float64).T
    own = np.array([max(line) for line in sentences])
    best = float(own.max())
    others = np.array([np.delete(score, i).max(initial=0.0) for i in range(len(score))])
    columns = (
        score,
        score - score.max(),
        score - others,
        score / max(score.max(), 1e-6),
        dense - dense.max(),
        meaning,
        meaning - meaning.max(),
        lexical,
        lexical - lexical.max(),
        1 / np.arange(1, len(score) + 1),
        own - best,
        np.array(foreign, dtype=np.float64),
    )
    rows = []
    for line in sentences:
        each = np.array(line)
        rows.append(np.stack([each, each - each.max(), each - best, each >= each.max()], axis=1).astype(np.float32))
    return Features(np.stack(columns, axis=1).astype(np.float32), tuple(rows))
