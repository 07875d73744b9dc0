"""Every measure agrees with the tools of the field, or with plain arithmetic where they do not have it."""

from __future__ import annotations

import math

import ir_measures
import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from clusterqa.errors import EvaluationError
from clusterqa.evaluation.measures import (
    SEARCH_MEASURES,
    calibration_error,
    interval,
    overlaps,
    percentiles,
    randomisation_test,
    risk_coverage,
    search_values,
)
from clusterqa.evaluation.tables import value
from evaluation_fixtures import outcome

TREC_EVAL = {
    "nDCG@10": "ndcg_cut_10", "R@1": "recall_1", "R@5": "recall_5", "R@10": "recall_10", "R@100": "recall_100",
    "RR": "recip_rank", "AP": "map", "Success@5": "success_5",
}  # fmt: skip

NAMES = [f"d{n}" for n in range(30)]
QRELS = st.dictionaries(
    st.sampled_from([f"q{n}" for n in range(6)]),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 3), min_size=1, max_size=12),
    min_size=1,
)
RANKINGS = st.dictionaries(st.sampled_from([f"q{n}" for n in range(6)]), st.permutations(NAMES).map(lambda p: p[:23]))


@settings(max_examples=60)
@given(QRELS, RANKINGS)
def test_search_measures_agree_with_trec_eval_on_random_data(qrels, rankings):
    """Whatever the names and however few were found; questions without a ranking have 0 and are not left out."""
    found = search_values(qrels, rankings)
    scores = {q: {name: 1 / (1 + rank) for rank, name in enumerate(names)} for q, names in rankings.items()}
    wanted = {"ndcg_cut.10", "recall.1,5,10,100", "recip_rank", "map", "success.5"}
    expected = pytrec_eval.RelevanceEvaluator(qrels, wanted).evaluate({q: s for q, s in scores.items() if q in qrels})
    assert set(found) == set(qrels)
    for question, values in found.items():
        for measure in SEARCH_MEASURES:
            oracle = expected.get(question, {}).get(TREC_EVAL[measure], 0.0)
            assert values[measure] == pytest.approx(oracle, abs=1e-9)


@settings(max_examples=40)
@given(st.lists(st.lists(st.booleans(), max_size=10), min_size=1, max_size=12))
def test_hits_of_quotes_agree_with_success_of_ir_measures(right):
    """hit@1, hit@3 and passage@10 are Success@1, @3 and @10 of the list of quotes or hits."""
    qrels = {
        f"q{n}": {"none": 1, **{f"p{i}": 1 for i, is_right in enumerate(row) if is_right}}
        for n, row in enumerate(right)
    }
    run = {f"q{n}": {f"p{i}": -float(i) for i in range(len(row))} or {"x": 0.0} for n, row in enumerate(right)}
    chosen = [ir_measures.parse_measure(f"Success@{k}") for k in (1, 3, 10)]
    expected = {(m.query_id, str(m.measure)): m.value for m in ir_measures.iter_calc(chosen, qrels, run)}
    for n, row in enumerate(right):
        rank = row.index(True) + 1 if True in row else 0
        shown = outcome(f"q{n}", rank=rank)
        for name, k in (("hit@1", 1), ("hit@3", 3), ("passage@10", 10)):
            assert value(shown, name) == pytest.approx(expected[f"q{n}", f"Success@{k}"], abs=1e-9)


def test_a_ranking_on_paper():
    """One of two places second, the other fourth: RR 1/2, AP (1/2 + 2/4)/2, R@1 0, R@5 1, nDCG by hand."""
    values = search_values({"q": {"b": 1, "d": 1}}, {"q": ["a", "b", "c", "d"]})["q"]
    gain = (1 / math.log2(3) + 1 / math.log2(5)) / (1 / math.log2(2) + 1 / math.log2(3))
    assert values == pytest.approx(
        {"nDCG@10": gain, "R@1": 0, "R@5": 1, "R@10": 1, "R@100": 1, "RR": 0.5, "AP": 0.5, "Success@5": 1}
    )


def test_names_do_not_reorder_a_ranking():
    """trec_eval breaks ties by name; a ranking has none."""
    for names in (["z", "a", "m"], ["a", "m", "z"]):
        assert search_values({"q": {names[0]: 1}}, {"q": names}, ["RR"]) == {"q": {"RR": 1.0}}


def test_a_question_with_nothing_to_find_or_nothing_found_has_zero():
    assert search_values({"a": {}, "b": {"d": 1}}, {"a": ["d"], "b": []}, ["RR", "R@5"]) == {
        "a": {"RR": 0.0, "R@5": 0.0},
        "b": {"RR": 0.0, "R@5": 0.0},
    }


def test_a_measure_that_is_none_is_named_with_those_there_are():
    with pytest.raises(EvaluationError, match=r"nDGC@10.*Name measures like: nDCG@10"):
        search_values({"q": {"d": 1}}, {"q": ["d"]}, ["nDGC@10"])


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_risk_at_each_coverage_is_the_share_wrong_among_the_most_confident(pairs):
    coverage, risk, area = risk_coverage([c for c, _ in pairs], [r for _, r in pairs])
    ordered = sorted(pairs, key=lambda pair: -pair[0])
    expected = [sum(not right for _, right in ordered[:k]) / k for k in range(1, len(pairs) + 1)]
    assert coverage == pytest.approx([k / len(pairs) for k in range(1, len(pairs) + 1)], abs=1e-9)
    assert risk == pytest.approx(expected, abs=1e-9)
    assert area == pytest.approx(sum(expected) / len(expected), abs=1e-9)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60))
def test_calibration_error_is_the_gap_in_each_tenth_weighed_by_its_questions(pairs):
    total = 0.0
    for tenth in range(10):
        mine = [(c, r) for c, r in pairs if min(int(c * 10), 9) == tenth]
        if mine:
            total += abs(sum(c for c, _ in mine) - sum(r for _, r in mine)) / len(pairs)
    assert calibration_error([c for c, _ in pairs], [r for _, r in pairs]) == pytest.approx(total, abs=1e-9)


def test_the_interval_is_that_of_scipy():
    values = np.random.default_rng(5).random(200) < 0.7
    mean, low, high = interval(values.astype(float).tolist())
    oracle = stats.bootstrap((values.astype(float),), np.mean, n_resamples=5000, method="percentile", rng=1)
    assert mean == pytest.approx(values.mean(), abs=1e-9)
    assert (low, high) == pytest.approx(tuple(oracle.confidence_interval), abs=0.01)


def test_the_interval_of_equal_values_is_a_point_and_of_none_is_nan():
    assert interval([1.0] * 7) == (1.0, 1.0, 1.0)
    assert all(math.isnan(part) for part in interval([]))


def test_the_randomisation_test_agrees_with_the_exact_one_of_scipy():
    draw = np.random.default_rng(3)
    a, b = draw.random(12), draw.random(12)
    exact = stats.permutation_test(
        (a, b),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert randomisation_test(a.tolist(), b.tolist()) == pytest.approx(exact.pvalue, abs=0.02)


def test_alike_runs_differ_by_chance_and_opposite_ones_do_not():
    assert randomisation_test([1.0, 0.0, 1.0], [1.0, 0.0, 1.0]) == 1.0
    assert randomisation_test([0.0] * 30, [1.0] * 30) == pytest.approx(1 / 10_001)


def test_percentiles_are_interpolated():
    assert percentiles(list(range(101))) == {"p50": 50.0, "p95": 95.0, "p99": 99.0}
    assert percentiles([]) == {}


@pytest.mark.parametrize(
    ("quote", "gold", "same"),
    [
        ((0, 10), (0, 10), True),
        ((0, 10), (5, 40), True),  # half of the shorter one
        ((0, 10), (6, 40), False),
        ((0, 100), (40, 50), True),  # one inside the other
        ((0, 10), (10, 20), False),  # side by side
    ],
)
def test_two_spans_are_one_place_when_they_share_half_of_the_shorter(quote, gold, same):
    assert overlaps(quote, gold) is same
    assert overlaps(gold, quote) is same
