"""
Pure measures; no models in sight.

What `ir_measures` has is computed by it, question by question. What it does not have (quotes, refusal, calibration,
intervals, tests) is computed here, from the source that each docstring names.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from clusterqa.errors import EvaluationError
from clusterqa.text.analysis import fold

BOOTSTRAP_SAMPLES = 2000
RANDOMISATION_SAMPLES = 10_000
SEED = 20261123
AT_ONCE = 2_000_000
"""Numbers drawn at a time, so that a large set needs no more memory than a small one."""

SEARCH_MEASURES = ("nDCG@10", "R@1", "R@5", "R@10", "R@100", "RR", "AP", "Success@5")
"""By the names of ir_measures. R@k is the share of all places that answer, Success@k whether one of them is among k."""
CHANNEL_MEASURES = ("R@5", "Success@5")
"""Of each channel alone, so that one sees which of them finds what."""
UNJUDGED = "unjudged@10"
"""Share of the first ten that nobody has judged; where it is high, a low figure may be the judges' and not the search's."""
SHORT_MEASURES = ("F1", "EM")
"""Of the short answer, where the set has one: words shared with the nearest known one, and whether they are the same."""
COVERAGES = (0.5, 0.8, 0.95)
"""Shares of the questions, the surest first, that the accuracy is told of."""
FINEST_GRADE = 1000


def overlaps(quote: tuple[int, int], gold: tuple[int, int]) -> bool:
    """Whether two spans of one document are the same place: they share at least half of the shorter one."""
    shared = min(quote[1], gold[1]) - max(quote[0], gold[0])
    return shared > 0 and 2 * shared >= min(quote[1] - quote[0], gold[1] - gold[0])


def search_values(
    relevant: Mapping[str, Mapping[str, float]],
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
    relevant: Mapping[str, Mapping[str, float]],
    scores: Mapping[str, Mapping[str, float]],
    measures: Sequence[str] = SEARCH_MEASURES,
) -> dict[str, dict[str, float]]:
    """
    Question → measure → value, by ir_measures, for every question of `relevant` (question → name → grade).

    `scores` is question → name → score, higher is better. A question that nothing was found for, or with nothing
    relevant to find, has 0 in every measure; it is never left out. Beside the measures of ir_measures there is
    "unjudged@k", the share of the first k that has no grade. Grades may be fractions, for measures that only ask whether
    a grade is above 0 or, as nDCG, for how they stand to each other. Raises EvaluationError for a measure that is
    unknown, cannot be taken of these grades, or needs what is not installed.
    """
    import ir_measures

    chosen = {}
    for name in measures:
        judged_name = f"Judged@{found[1]}" if (found := _UNJUDGED.fullmatch(name)) else name
        try:
            chosen[name] = ir_measures.parse_measure(judged_name)
            chosen[name].validate_params()
        except (NameError, ValueError, SyntaxError, TypeError, AssertionError, AttributeError) as error:
            raise EvaluationError(
                f"{name!r} is no measure ({error}). Name measures like: {', '.join(SEARCH_MEASURES)}"
            ) from error
    whole, factor = whole_grades(relevant)
    for name, measure in chosen.items():
        if factor > 1 and (measure.NAME not in _OF_ANY_GRADES or set(measure.params) - {"cutoff"}):
            raise EvaluationError(
                f"{name} needs whole grades, and some of these are fractions. Choose other measures, or make the grades whole."
            )
    # Numbers in place of ids: one of the programs that ir_measures calls takes nothing else.
    numbers = {question: str(number) for number, question in enumerate(relevant, start=1)}
    judged = {numbers[question]: grades for question, grades in whole.items() if grades}
    ranked = {numbers[q]: dict(names) for q, names in scores.items() if q in numbers and whole[q] and names}
    taken: dict[tuple[object, str], float] = {}
    if ranked:
        try:
            for metric in ir_measures.iter_calc(set(chosen.values()), judged, ranked):
                taken[metric.measure, metric.query_id] = float(metric.value)
        except Exception as error:  # whatever the many programs behind these names raise
            raise EvaluationError(
                f"{', '.join(measures)} cannot be taken: {error}. Choose other measures, or install what is missing."
            ) from error

    def value(name: str, question: str) -> float:
        found = taken.get((chosen[name], numbers[question]), 0.0)
        return 1 - found if _UNJUDGED.fullmatch(name) and numbers[question] in ranked else found

    return {question: {name: value(name, question) for name in measures} for question in relevant}


_UNJUDGED = re.compile(r"unjudged@(\d+)")
_OF_ANY_GRADES = frozenset(("nDCG", "R", "P", "RR", "AP", "Success", "Judged", "Rprec", "Bpref"))
"""Measures that a common factor of all grades does not change, as long as no parameter names a grade."""


def whole_grades(relevant: Mapping[str, Mapping[str, float]]) -> tuple[dict[str, dict[str, int]], int]:
    """The grades as whole numbers, and the factor that made them so: 1, 10, 100 or 1000. Raises EvaluationError."""
    every = {value for row in relevant.values() for value in row.values()}
    for factor in (1, 10, 100, FINEST_GRADE):
        if all(abs(value * factor - round(value * factor)) < 1e-6 for value in every):
            return {
                q: {name: round(value * factor) for name, value in row.items()} for q, row in relevant.items()
            }, factor
    raise EvaluationError(f"Some grades are finer than 1/{FINEST_GRADE}. Round them to three places.")


def interval(values: Sequence[float], samples: int = BOOTSTRAP_SAMPLES) -> tuple[float, float, float]:
    """Mean and its 95 % bootstrap interval (percentiles; Efron 1979); (nan, nan, nan) for no values."""
    if not len(values):
        return (float("nan"),) * 3
    [found] = intervals(np.asarray(values, dtype=float)[:, None], samples)
    return found


def intervals(columns: np.ndarray, samples: int = BOOTSTRAP_SAMPLES) -> list[tuple[float, float, float]]:
    """`interval` of each column of a matrix that has a row for each question and at least one; all from the same draws."""
    count = len(columns)
    drawn = [times @ columns / count for times in _draws(count, samples)]
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5], axis=0)
    return list(zip(columns.mean(axis=0).tolist(), low.tolist(), high.tolist(), strict=True))


def _draws(count: int, samples: int) -> Iterable[np.ndarray]:
    """How often each of `count` questions is in each sample, in parts of shape (some samples, count)."""
    draw = np.random.default_rng(SEED)
    for some in _parts(samples, count):
        places = draw.integers(0, count, size=(some, count)) + count * np.arange(some)[:, None]
        yield np.bincount(places.ravel(), minlength=some * count).reshape(some, count).astype(float)


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


def selective(
    confidences: Sequence[float], right: Sequence[bool], samples: int = BOOTSTRAP_SAMPLES
) -> dict[str, tuple[float, float, float]]:
    """
    The "risk–coverage area", and the "accuracy at 50 %", "… 80 %" and "… 95 %": the share right among so many of the
    questions, rounded up, the most confident first. Each with its 95 % bootstrap interval; nan for no questions.
    """
    names = ["risk–coverage area", *(f"accuracy at {100 * share:.0f} %" for share in COVERAGES)]
    if not len(confidences):
        return dict.fromkeys(names, (float("nan"),) * 3)
    order = np.argsort(-np.asarray(confidences), kind="stable")
    ordered, count = np.asarray(right, dtype=float)[order], len(order)
    # In floating point 0.95 · 20 is a little more than 19.
    at = [max(1, int(np.ceil(round(share * count, 9)))) - 1 for share in COVERAGES]

    def curve(rows: np.ndarray) -> np.ndarray:
        accuracy = np.cumsum(rows, axis=1) / np.arange(1, count + 1)
        return np.column_stack([1 - accuracy.mean(axis=1), accuracy[:, at]])

    drawn = []
    for times in _draws(count, samples):
        places = np.repeat(np.tile(np.arange(count), len(times)), times.astype(int).ravel()).reshape(len(times), count)
        drawn.append(curve(ordered[places]))
    low, high = np.percentile(np.concatenate(drawn), [2.5, 97.5], axis=0)
    [reached] = curve(ordered[None, :])
    return {name: (float(a), float(b), float(c)) for name, a, b, c in zip(names, reached, low, high, strict=True)}


def short_scores(told: str, known: Sequence[str]) -> dict[str, float]:
    """
    "F1" and "EM" of a short answer against the nearest of the known ones (at least one): SQuAD's (Rajpurkar et al. 2016).

    Compared are words in lower case without punctuation and articles. For Lithuanian also without diacritics, and with
    the digits of one number together: "2 250" is "2,250".
    """
    words = _plain_words(told)
    pairs = [(words, _plain_words(short)) for short in known]
    return {"F1": max(_shared(*pair) for pair in pairs), "EM": float(any(a == b for a, b in pairs))}


_ARTICLES = frozenset(("a", "an", "the"))
_DIGIT_GROUPS = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")


def _plain_words(text: str) -> list[str]:
    text = _DIGIT_GROUPS.sub("", text)
    kept = "".join(c for c in fold(text) if unicodedata.category(c)[0] not in "PS")
    return [word for word in kept.split() if word not in _ARTICLES]


def _shared(told: Sequence[str], known: Sequence[str]) -> float:
    if not told or not known:
        return float(told == known)
    both = (Counter(told) & Counter(known)).total()
    return 2 * both / (len(told) + len(known))


def holm(values: Sequence[float]) -> list[float]:
    """The p values of several tests, corrected together, in their order (Holm 1979)."""
    corrected, highest = [0.0] * len(values), 0.0
    for done, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - done) * values[place]))
        corrected[place] = highest
    return corrected


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


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """
    Agreement of two people beyond chance, from the labels that each gave the same things; at most 1.

    (p_o − p_e) / (1 − p_e): p_o is the share of agreements, p_e the share that two people would reach who gave the same labels
    as often, but blindly (J. Cohen, "A coefficient of agreement for nominal scales", 1960). None where p_e is 1, because
    both gave one and the same label throughout, and where there are no pairs.
    """
    count = len(pairs)
    if not count:
        return None
    firsts, seconds = Counter(first for first, _ in pairs), Counter(second for _, second in pairs)
    agreed = sum(first == second for first, second in pairs)
    by_chance = sum(firsts[label] * seconds[label] for label in firsts)  # of count²
    if by_chance == count * count:
        return None
    return (agreed * count - by_chance) / (count * count - by_chance)


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
