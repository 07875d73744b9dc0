"""From outcomes to tables: by direction, by question type, of refusal; every figure with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clusterqa.evaluation.measures import (
    CHANNEL_MEASURES,
    SEARCH_MEASURES,
    calibration_error,
    interval,
    percentiles,
    risk_coverage,
)
from clusterqa.evaluation.outcomes import Outcome, Run, ViewName
from clusterqa.records import LANGUAGES, Language

ANSWER_MEASURES = ("hit@1", "hit@3", "passage@10", "answered")
"""The first quote right, one of three right, a hit of ten that holds an answer, answered at the operating point."""
CHANNELS = ("dense", "lexical")
ALONE = tuple(f"{channel} {measure}" for channel in CHANNELS for measure in CHANNEL_MEASURES)
TABLE_MEASURES = (*ANSWER_MEASURES, *SEARCH_MEASURES, *ALONE)
REFUSED = "refused"
"""The measure of an unanswerable question: 1 when it was not answered."""
STAGES = ("understand", "encode", "candidates", "rerank", "merge", "read", "quote")

Interval = tuple[float, float, float]


def value(outcome: Outcome, measure: str) -> float:
    """One outcome's value of a measure, in [0, 1]; a question that failed has 0 in all of them."""
    if outcome.status == "error":
        return 0.0
    if measure == "hit@1":
        return float(outcome.rank == 1)
    if measure == "hit@3":
        return float(1 <= outcome.rank <= 3)
    if measure == "passage@10":
        return float(1 <= outcome.passage_rank <= 10)
    if measure == "answered":
        return float(outcome.status == "answered")
    if measure == REFUSED:
        return float(outcome.status != "answered")
    return outcome.search.get(measure, 0.0)


def groups(outcomes: Sequence[Outcome]) -> list[tuple[str, list[Outcome]]]:
    """(Name, outcomes) of the answerable questions: the four directions, the two of both languages, question types."""
    answerable = [o for o in outcomes if o.answerable]
    directions: list[tuple[Language, ViewName]] = [(asked, told) for asked in LANGUAGES for told in LANGUAGES]
    directions += [(asked, "both") for asked in LANGUAGES]
    found = [
        (f"{asked}→{told}", [o for o in answerable if o.language == asked and o.view == told])
        for asked, told in directions
    ]
    found += [
        (f"both, {kind}", [o for o in answerable if o.view == "both" and o.type == kind])
        for kind in sorted({o.type for o in answerable})
    ]
    return [(name, chosen) for name, chosen in found if chosen]


def as_table(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """
    Rows of "what", the number of "questions", and each of TABLE_MEASURES as (mean, low, high).

    A measure that no outcome of a row knows (search in a run of an older version, quotes in a BEIR run) is nan.
    """
    return [
        {"what": name, "questions": len(chosen), **{measure: mean_of(chosen, measure) for measure in TABLE_MEASURES}}
        for name, chosen in groups(outcomes)
    ]


def mean_of(outcomes: Sequence[Outcome], measure: str) -> Interval:
    """The mean over outcomes with its interval; nan when the measure was not taken."""
    if measure in ANSWER_MEASURES or measure == REFUSED:
        taken = any(o.status != "searched" for o in outcomes)
    else:
        taken = any(measure in o.search for o in outcomes)
    return interval([value(o, measure) for o in outcomes] if taken else [])


def variant_table(run: Run, split: str = "all") -> list[dict[str, Any]]:
    """
    Rows for the questions that have a variant of a kind, as written and as the variant: "lt→lt, as written (folded)".

    Both rows rest on the same questions. Columns are those of `as_table`; `split` is "fit", "held" or "all".
    """
    rows: list[dict[str, Any]] = []
    variants = [o for o in run.variants if o.answerable and split in ("all", o.split)]
    originals = {(o.id, o.view): o for o in run.outcomes}
    for kind in ("folded", "typo"):
        for view in ("lt", "en", "both"):
            typed = [o for o in variants if o.variant == kind and o.view == view and (o.id, o.view) in originals]
            if typed:
                written = [originals[o.id, o.view] for o in typed]
                for what, chosen in ((f"as written ({kind})", written), (kind, typed)):
                    values = {measure: mean_of(chosen, measure) for measure in TABLE_MEASURES}
                    rows.append({"what": f"lt→{view}, {what}", "questions": len(chosen), **values})
    return rows


def refusals(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
    """
    How "not found" is used, on the view of both languages: the shares that the names say, with intervals.

    A question that failed was not refused.
    """
    whole = [o for o in outcomes if o.view == "both" and o.status != "searched"]
    not_found = [o for o in whole if o.status == "not_found"]
    unanswerable = [o for o in whole if not o.answerable]
    return {
        "unanswerable refused": interval([value(o, REFUSED) for o in unanswerable]),
        "answerable refused": interval([value(o, REFUSED) for o in whole if o.answerable]),
        "answered and right": interval([value(o, "hit@1") for o in whole if o.status == "answered"]),
        "not_found precision": interval([float(not o.answerable) for o in not_found]),
        "not_found recall": interval([float(o.status == "not_found") for o in unanswerable]),
    }


def confidence(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """The confidence as a probability, on the view of both: "risk–coverage area" and "calibration error", in [0, 1]."""
    confidences, right = confidence_pairs(outcomes)
    return {
        "risk–coverage area": risk_coverage(confidences, right)[2],
        "calibration error": calibration_error(confidences, right),
    }


def confidence_pairs(outcomes: Sequence[Outcome]) -> tuple[list[float], list[bool]]:
    """Confidence, and whether the first quote answers, of every question on the view of both."""
    whole = [o for o in outcomes if o.view == "both" and o.status != "searched"]
    return [o.confidence for o in whole], [o.answerable and value(o, "hit@1") == 1 for o in whole]


def soundness(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
    """Shares that should be 1: exact quotes, recognised languages, questions that did not fail."""
    whole = [o for o in outcomes if o.view == "both" and o.status != "searched"]
    return {
        "quotes exact": interval([float(o.exact) for o in outcomes]),
        "language recognised": interval([float(o.status != "error" and o.told_language == o.language) for o in whole]),
        "did not fail": interval([float(o.status != "error") for o in outcomes]),
    }


def latencies(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float]]:
    """Stage, or "total" → p50, p95 and p99 in milliseconds, on the view of both, of the questions that were searched for."""
    whole = [o for o in outcomes if o.view == "both" and "candidates" in o.stages]
    found = {stage: percentiles([o.stages[stage] for o in whole if stage in o.stages]) for stage in STAGES}
    found["total"] = percentiles([o.milliseconds for o in whole])
    return {stage: values for stage, values in found.items() if values}
