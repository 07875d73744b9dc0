"""
Pure measures; no models in sight.

What `ir_measures` has is computed by it, question by question. What it does not have (quotes, refusal, calibration,
intervals, tests) is computed here, from the source that each docstring names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from clusterqa.errors import EvaluationError

BOOTSTRAP_SAMPLES = 2000
RANDOMISATION_SAMPLES = 10_000
SEED = 20261123
AT_ONCE = 2_000_000
"""Numbers drawn at a time, so that a large set needs no more memory than a small one."""

SEARCH_MEASURES = ("nDCG@10", "R@1", "R@5", "R@10", "R@100", "RR", "AP", "Success@5")
"""By the names of ir_measures. R@k is the share of all places that answer, Success@k whether one of them is among k."""
CHANNEL_MEASURES = ("R@5", "Success@5")
"""Of each channel alone, so that one sees which of them finds what."""


def overlaps(quote: tuple[int, int], gold: tuple[int, int]) -> bool:
    """Whether two spans of one document are the same place: they share at least half of the shorter one."""
    shared = min(quote[1], gold[1]) - max(quote[0], gold[0])
    return shared > 0 and 2 * shared >= min(quote[1] - quote[0], gold[1] - gold[0])


def search_values(
    relevant: Mapping[str, Mapping[str, int]],
    rankings: Mapping[str, Sequence[str]],
    measures: Sequence[str] = SEARCH_MEASURES,
) -> dict[str, dict[str, float]]:
    """`scored_values` of rankings that list names best first, each once."""
    # trec_eval orders by score and breaks ties by name, so each rank gets a score of its own.
    scores = {
        question: {name: float(len(ranking) - rank) for rank, name in enumerate(ranking)}
        for question, ranking in rankings.items()
    }
    return scored_values(relevant, scores, measures)


def scored_values(
    relevant: Mapping[str, Mapping[str, int]],
    scores: Mapping[str, Mapping[str, float]],
    measures: Sequence[str] = SEARCH_MEASURES,
) -> dict[str, dict[str, float]]:
    """
    Question → measure → value in [0, 1], by ir_measures, for every question of `relevant` (question → name → grade).

    `scores` is question → name → score, higher is better. A question that nothing was found for, or with nothing
    relevant to find, has 0 in every measure; it is never left out. Raises EvaluationError for an unknown measure.
    """
    import ir_measures

    try:
        chosen = {ir_measures.parse_measure(name): name for name in measures}
    except (NameError, ValueError, SyntaxError) as error:
        raise EvaluationError(
            f"One of these is no measure: {', '.join(measures)} ({error}). "
            f"Name measures like: {', '.join(SEARCH_MEASURES)}"
        ) from error
    values = {question: dict.fromkeys(measures, 0.0) for question in relevant}
    judged = {question: dict(grades) for question, grades in relevant.items() if grades}
    found = {question: dict(names) for question, names in scores.items() if question in judged and names}
    if found:
        for metric in ir_measures.iter_calc(list(chosen), judged, found):
            values[metric.query_id][chosen[metric.measure]] = float(metric.value)
    return values


def interval(values: Sequence[float], samples: int = BOOTSTRAP_SAMPLES) -> tuple[float, float, float]:
    """Mean and its 95 % bootstrap interval (percentiles; Efron 1979); (nan, nan, nan) for no values."""
    if not len(values):
        return (float("nan"),) * 3
    rows = np.asarray(values, dtype=float)
    draw = np.random.default_rng(SEED)
    means = [
        rows[draw.integers(0, len(rows), size=(count, len(rows)))].mean(axis=1) for count in _parts(samples, len(rows))
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return float(rows.mean()), float(low), float(high)


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> tuple[list[float], list[float], float]:
    """
    Coverage and risk (share wrong) when the most confident questions are answered first, and the area under the curve.

    El-Yaniv and Wiener (2010). The area is the mean of the risks, in [0, 1]; lower is better. Ties in confidence keep
    the given order. Empty lists and nan for no questions.
    """
    if not len(confidences):
        return [], [], float("nan")
    order = np.argsort(-np.asarray(confidences), kind="stable")
    wrong = 1 - np.asarray(right, dtype=float)[order]
    count = np.arange(1, len(order) + 1)
    risk = np.cumsum(wrong) / count
    return (count / len(order)).tolist(), risk.tolist(), float(risk.mean())


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Naeini et al. 2015), in [0, 1]; nan for no questions."""
    if not len(confidences):
        return float("nan")
    p, y = np.asarray(confidences, dtype=float), np.asarray(right, dtype=float)
    places = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [
        abs(p[places == b].mean() - y[places == b].mean()) * (places == b).mean()
        for b in range(bins)
        if (places == b).any()
    ]
    return float(sum(gaps))


def randomisation_test(a: Sequence[float], b: Sequence[float], samples: int = RANDOMISATION_SAMPLES) -> float:
    """
    Two-sided p value of a paired randomisation test on the difference of means (Smucker et al. 2007).

    `a` and `b` have the values of the same questions in the same order. Seeded: the same values have the same p.
    """
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    difference = difference[difference != 0]  # a tie stays a tie whichever way it is swapped
    if not len(difference):
        return 1.0
    draw, reached = np.random.default_rng(SEED), 0
    for count in _parts(samples, len(difference)):
        signs = draw.choice((-1.0, 1.0), size=(count, len(difference)))
        reached += int((np.abs((signs * difference).sum(axis=1)) >= abs(difference.sum()) - 1e-12).sum())
    return float((1 + reached) / (samples + 1))


def percentiles(values: Sequence[float]) -> dict[str, float]:
    """ "p50", "p95" and "p99", interpolated linearly; empty for no values."""
    if not len(values):
        return {}
    found = np.percentile(np.asarray(values, dtype=float), [50, 95, 99])
    return dict(zip(("p50", "p95", "p99"), (round(float(value), 2) for value in found), strict=True))


def _parts(samples: int, width: int) -> Iterable[int]:
    step = max(1, AT_ONCE // max(width, 1))
    return (min(step, samples - begin) for begin in range(0, samples, step))
