"""Pure measures over outcomes; no models in sight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BOOTSTRAP_SAMPLES = 2000
SEED = 20261123


def overlaps(quote: tuple[int, int], gold: tuple[int, int]) -> bool:
    """Whether two spans of one document are the same place: they share at least half of the shorter one."""
    shared = min(quote[1], gold[1]) - max(quote[0], gold[0])
    return shared > 0 and 2 * shared >= min(quote[1] - quote[0], gold[1] - gold[0])


def interval(values: Sequence[float], samples: int = BOOTSTRAP_SAMPLES) -> tuple[float, float, float]:
    """Mean and its 95 % bootstrap interval (percentiles); (nan, nan, nan) for no values."""
    if not values:
        return (float("nan"),) * 3
    rows = np.asarray(values, dtype=float)
    draws = np.random.default_rng(SEED).integers(0, len(rows), size=(samples, len(rows)))
    means = rows[draws].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(rows.mean()), float(low), float(high)


def risk_coverage(confidences: Sequence[float], right: Sequence[bool]) -> tuple[list[float], list[float], float]:
    """
    Coverage and risk (share wrong) when the most confident questions are answered first, and the area under the curve.

    El-Yaniv and Wiener (2010). Ties in confidence keep the given order.
    """
    order = np.argsort(-np.asarray(confidences), kind="stable")
    wrong = 1 - np.asarray(right, dtype=float)[order]
    count = np.arange(1, len(order) + 1)
    risk = np.cumsum(wrong) / count
    return (count / len(order)).tolist(), risk.tolist(), float(risk.mean())


def calibration_error(confidences: Sequence[float], right: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error over equal-width bins (Naeini et al. 2015), in [0, 1]."""
    p, y = np.asarray(confidences), np.asarray(right, dtype=float)
    places = np.minimum((p * bins).astype(int), bins - 1)
    gaps = [
        abs(p[places == b].mean() - y[places == b].mean()) * (places == b).mean()
        for b in range(bins)
        if (places == b).any()
    ]
    return float(sum(gaps))


def randomisation_test(a: Sequence[float], b: Sequence[float], samples: int = 10000) -> float:
    """Two-sided p value of a paired randomisation test on the difference of means (Smucker et al. 2007)."""
    difference = np.asarray(a, dtype=float) - np.asarray(b, dtype=float)
    if not difference.any():
        return 1.0
    signs = np.random.default_rng(SEED).choice((-1.0, 1.0), size=(samples, len(difference)))
    drawn = np.abs((signs * difference).mean(axis=1))
    return float((1 + (drawn >= abs(difference.mean()) - 1e-12).sum()) / (samples + 1))
