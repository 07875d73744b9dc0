"""
By meaning: how far a passage's cosine stands out from the question's cosines with *all* passages of its language.

An encoder that puts languages a little apart gives one of them higher cosines throughout; against the background of its own
language each passage is judged alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clusterqa.ports import Index
from clusterqa.records import Background, Language, Query
from clusterqa.retrieval.weights import SearchWeights


def standing(cosine: float, background: Background, scale: float) -> float:
    """How far a cosine stands out, in [0, 1]: 0 at the background's mean, 1 at `scale` deviations above it."""
    mean, deviation = background
    return min(max((cosine - mean) / (deviation * scale), 0.0), 1.0)


def standings(cosines: NDArray[np.float64], background: Background, scale: float) -> NDArray[np.float64]:
    """`standing` of many cosines."""
    mean, deviation = background
    return np.clip((cosines - mean) / (deviation * scale), 0.0, 1.0)


def passage_background(seen: Background, passages: int, weights: SearchWeights) -> Background:
    """The background of cosines of whole texts, as seen in so many passages and, where these are few, as assumed."""
    return _mixed(seen, passages, weights.prior_passages, weights.passage_prior_mean, weights.passage_prior_deviation)


def token_background(seen: Background, passages: int, weights: SearchWeights) -> Background:
    """The same for scores of late interaction."""
    return _mixed(seen, passages, weights.prior_passages, weights.token_prior_mean, weights.token_prior_deviation)


def _mixed(seen: Background, passages: int, prior: int, mean: float, deviation: float) -> Background:
    share = passages / (passages + prior)
    return Background(share * seen.mean + (1 - share) * mean, share * seen.deviation + (1 - share) * deviation)


def best_cosines(ids: Sequence[int], query: Query, index: Index) -> dict[int, tuple[Language, float]]:
    """The language and the best cosine of each passage and its sentences, for those that were not among the nearest."""
    if not ids:
        return {}
    languages, rows = zip(*index.vectors(ids), strict=True)
    cosines = np.concatenate(rows).astype(np.float32) @ query.encoded.vector
    begins = np.cumsum([0, *(len(part) for part in rows[:-1])])
    best = np.maximum.reduceat(cosines, begins).tolist()
    return dict(zip(ids, zip(languages, best, strict=True), strict=True))
