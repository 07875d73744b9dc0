"""Fitting the confidence on the fitting split, and choosing the operating point from its refusals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clusterqa.errors import EvaluationError
from clusterqa.evaluation.outcomes import Outcome, Run
from clusterqa.retrieval.confidence import Calibration
from clusterqa.retrieval.profile import NO_READER, Profile
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.settings import Home
from clusterqa.store import open_store, shown

FOLDS = 10
SEED = 20261123
L2 = 1.0
FOR_AN_ANSWER = frozenset(
    "score dense cosine meaning lexical sentence quote_words place_words rarest lead crowd agreement".split()
)
"""Features whose rise must not lower the confidence."""
AGAINST_AN_ANSWER = frozenset({"unknown"})
"""Features whose rise must not raise it. All others may weigh either way."""
PLACE_FOUND = 0.5
"""
What a question with an answer is worth to the fit when its first quote is wrong: the answer may be the second quote, and more
is known to be there than of a question without one. With 0 fewer of those without an answer are refused (docs/measurements.md, 104).
"""
MAX_LOST = 0.08
"""Share of the answerable questions that may lose a right first answer to a refusal at the operating point."""


def calibrate(runs: Sequence[Run]) -> Calibration:
    """
    A logistic regression from the features of a search to "the first quote is right", on the fitting split of one or several
    runs; several, of documents of unlike subjects, make it hold on subjects that it has not seen.

    Evidence may only weigh the way it points: free signs let features that go together cancel each other, so that more
    of the question's words in a quote could lower its confidence. The operating point is chosen on out-of-fold
    probabilities (folds keep a question's views together), so that it is not flattered by the fit. Raises EvaluationError when there is too little to fit on.
    """
    chosen = [o for run in runs for o in run.outcomes if o.split == "fit" and o.features]
    right = np.array([float(o.answerable and o.rank == 1) for o in chosen])
    labels = np.maximum(right, [PLACE_FOUND * o.answerable for o in chosen])
    if len(chosen) < 60 or right.sum() < 20 or (1 - right).sum() < 20:
        raise EvaluationError(
            f"There are only {len(chosen)} outcomes to fit on ({int(right.sum())} right). "
            "Give a question set with at least 20 right and 20 wrong or unanswerable ones in its fitting split."
        )
    names = sorted(chosen[0].features)
    matrix = np.array([[o.features[name] for name in names] for o in chosen])
    means, scales = matrix.mean(axis=0), matrix.std(axis=0) + 1e-9
    standard = (matrix - means) / scales
    groups = _folds([o.id for o in chosen])
    # The view of both languages is what people use; the other two lend it their cases at half weight.
    weights = np.array([1.0 if o.view == "both" else 0.5 for o in chosen])
    out_of_fold = np.empty(len(chosen))
    for fold in range(FOLDS):
        test = groups == fold
        if test.any():
            coefficients, bias = _fit(names, standard[~test], labels[~test], right[~test], weights[~test])
            out_of_fold[test] = 1 / (1 + np.exp(-(standard[test] @ coefficients + bias)))
    coefficients, bias = _fit(names, standard, labels, right, weights)
    return Calibration(
        weights=dict(zip(names, coefficients.round(5).tolist(), strict=True)),
        means=dict(zip(names, means.round(5).tolist(), strict=True)),
        scales=dict(zip(names, scales.round(5).tolist(), strict=True)),
        bias=round(float(bias), 5),
        threshold=round(operating_point(chosen, out_of_fold), 4),
        fitted_on=" ".join(run.questions_sha256 for run in runs),
        outcomes=[
            (round(float(probability), 4), int(o.answerable), int(o.answerable and o.rank == 1))
            for o, probability in zip(chosen, out_of_fold, strict=True)
            if o.view == "both"
        ],
    )


def fit_profile(runs: Sequence[Run]) -> Profile:
    """
    The profile of the encoder, reranker and reader of one or several runs: the weights they were searched with, and `calibrate`.

    Raises EvaluationError when the runs were not made with the same.
    """
    run = runs[0]
    if any(
        (other.encoder, other.weights, _models(other)) != (run.encoder, run.weights, _models(run)) for other in runs
    ):
        raise EvaluationError(
            "The runs were made with unlike encoders, rerankers, readers or weights. Make them again with the same."
        )
    try:
        weights = SearchWeights(**run.weights)  # type: ignore[arg-type]
    except TypeError as error:
        raise EvaluationError(
            f"The run was made by another version of clusterqa ({error}). Make it again with: clusterqa eval run"
        ) from error
    return Profile(run.encoder, *_models(run), weights, calibrate(runs))


def _models(run: Run) -> tuple[str, str]:
    return str(run.settings.get("reranker", "")), str(run.settings.get("reader", NO_READER))


def check_encoder(run: Run, home: Home) -> None:
    """Raise EvaluationError when an index was built with another encoder than the run."""
    with open_store(home) as store:
        used = store.meta("encoder")
    if used != run.encoder:
        raise EvaluationError(
            f"The run was made with the encoder {run.encoder}, but the index in {shown(home)} was built with {used}: a confidence "
            "fitted for one says nothing of the other. Run the questions again on this index, or name a file with -o."
        )


def operating_point(outcomes: Sequence[Outcome], probabilities: np.ndarray) -> float:
    """
    The threshold in use: the highest at which the refusals cost at most MAX_LOST of the answerable questions their right answer.

    Not the share of answerable questions refused: an answerable question whose first quote would be wrong is
    better refused, and shown the nearest places. On the view of both languages, which is what people use.
    """
    whole = [i for i, o in enumerate(outcomes) if o.view == "both" and o.answerable]
    right = np.sort([probabilities[i] for i in whole if outcomes[i].rank == 1])
    return float(right[min(int(len(whole) * MAX_LOST), len(right) - 1)])


def _fit(
    names: Sequence[str], matrix: np.ndarray, labels: np.ndarray, right: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, float]:
    """
    Coefficients, within the bounds of the names, and bias: what tells the `labels` apart, as a probability of `right` (Platt
    1999).
    """
    bounds = [
        (0, None) if name in FOR_AN_ANSWER else (None, 0) if name in AGAINST_AN_ANSWER else (None, None)
        for name in names
    ]
    coefficients, bias = _regress(matrix, labels, weights, bounds)
    stretch, shift = _regress((matrix @ coefficients + bias)[:, None], right, weights, [(0, None)])
    return coefficients * stretch, float(bias * stretch[0] + shift)


def _regress(
    matrix: np.ndarray, labels: np.ndarray, weights: np.ndarray, bounds: Sequence[tuple[float | None, float | None]]
) -> tuple[np.ndarray, float]:
    """Coefficients and bias of least weighted log loss + L2/2 · |coefficients|² for labels in [0, 1]."""
    from scipy.optimize import minimize

    def loss(at: np.ndarray) -> tuple[float, np.ndarray]:
        z = matrix @ at[:-1] + at[-1]
        value = weights @ (np.logaddexp(0, z) - labels * z) + L2 / 2 * (at[:-1] @ at[:-1])
        slope = weights * (1 / (1 + np.exp(-z)) - labels)
        return float(value), np.append(matrix.T @ slope + L2 * at[:-1], slope.sum())

    start = np.zeros(matrix.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)]).x
    return found[:-1], float(found[-1])


def _folds(ids: Sequence[str]) -> np.ndarray:
    names = sorted(set(ids))
    places = np.random.default_rng(SEED).permutation(len(names)) % FOLDS
    fold = dict(zip(names, places.tolist(), strict=True))
    return np.array([fold[name] for name in ids])
