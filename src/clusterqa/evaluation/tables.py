"""From outcomes to tables: by direction, by question type, of refusal; every figure with its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clusterqa.evaluation.measures import (
    CHANNEL_MEASURES,
    SEARCH_MEASURES,
    SHORT_MEASURES,
    UNJUDGED,
    calibration_error,
    interval,
    intervals,
    percentiles,
    risk_coverage,
    selective,
)
from clusterqa.evaluation.outcomes import Outcome, Run, ViewName
from clusterqa.records import LANGUAGES, Language

ANSWER_MEASURES = ("hit@1", "hit@3", "passage@10", "answered")
"""The first quote right, one of three right, a hit of ten that holds an answer, answered at the operating point."""
CHANNELS = ("dense", "lexical")
ALONE = tuple(f"{channel} {measure}" for channel in CHANNELS for measure in CHANNEL_MEASURES)
TABLE_MEASURES = (*ANSWER_MEASURES, *SHORT_MEASURES, *SEARCH_MEASURES, UNJUDGED, *ALONE)
TOTAL = "all"
"""The row of all queries of a set with its own documents."""
REFUSED = "refused"
"""The measure of an unanswerable question: 1 when it was not answered."""
STAGES = ("understand", "encode", "wait", "candidates", "rerank", "merge", "read", "quote", "parts")

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
    return outcome.search.get(measure, outcome.reading.get(measure, 0.0))


def groups(outcomes: Sequence[Outcome]) -> list[tuple[str, list[Outcome]]]:
    """
    (Name, outcomes) of the answerable questions: the four directions, the two of both languages, question types.

    For a set with its own documents all of its queries, and those of each group that the set itself names.
    """
    if outcomes and all(o.foreign for o in outcomes):
        names = sorted({name for o in outcomes for name in o.slices})
        return [(TOTAL, list(outcomes)), *((name, [o for o in outcomes if name in o.slices]) for name in names)]
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
    return [{"what": name, "questions": len(chosen), **means(chosen)} for name, chosen in groups(outcomes)]


def by_direction(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of a table that are directions, or of a set with its own documents: not those of question types."""
    return [row for row in rows if not row["what"].startswith("both, ")]


def means(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
    """`mean_of` every one of TABLE_MEASURES."""
    found: dict[str, Interval] = dict.fromkeys(TABLE_MEASURES, (float("nan"),) * 3)
    together: dict[int, tuple[list[Outcome], list[str]]] = {}
    for measure in TABLE_MEASURES:
        taken = _taken(outcomes, measure)
        if taken:
            together.setdefault(len(taken), (taken, []))[1].append(measure)
    for taken, measures in together.values():
        values = np.array([[value(o, measure) for measure in measures] for o in taken])
        found.update(zip(measures, intervals(values), strict=True))
    return found


def mean_of(outcomes: Sequence[Outcome], measure: str) -> Interval:
    """The mean over the outcomes that have the measure, with its interval; nan when it was not taken."""
    return interval([value(o, measure) for o in _taken(outcomes, measure)])


def _taken(outcomes: Sequence[Outcome], measure: str) -> list[Outcome]:
    """Those that a measure is the mean of: all of them where it was taken at all, of short answers those that have one."""
    if measure in SHORT_MEASURES:
        return [o for o in outcomes if measure in o.reading]
    if measure in ANSWER_MEASURES or measure == REFUSED:
        taken = any(o.status != "searched" for o in outcomes) and not all(o.foreign for o in outcomes)
    else:
        taken = any(measure in o.search for o in outcomes)
    return list(outcomes) if taken else []


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
                    rows.append({"what": f"lt→{view}, {what}", "questions": len(chosen), **means(chosen)})
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


def surest(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
    """`measures.selective` on the view of both: the area under the curve, and how right the surest answers are."""
    return selective(*confidence_pairs(outcomes))


def consistency(run: Run, split: str = "all") -> dict[str, tuple[int, Interval]]:
    """
    Whether the Lithuanian and the English version of one question fare alike, on the view of both: (pairs, share).

    "same place": the first quotes stand in the same passage, or in passages that translations of one document have in
    common; this needs no known answers. Of answerable pairs "both right", "one right", "both wrong" by the first quote.
    Of all "alike": both answered or both refused. Empty for a set without pairs.
    """
    pair_of = {asked.id: asked.pair for asked in run.questions if asked.pair}
    versions: dict[str, dict[str, Outcome]] = {}
    for o in run.outcomes:
        if o.view == "both" and o.id in pair_of and split in ("all", o.split):
            versions.setdefault(pair_of[o.id], {})[o.language] = o
    pairs = [(own["lt"], own["en"]) for own in versions.values() if len(own) == len(LANGUAGES)]
    if not pairs:
        return {}
    placed = [(a, b) for a, b in pairs if a.place or b.place]
    right = [value(a, "hit@1") + value(b, "hit@1") for a, b in pairs if a.answerable and b.answerable]
    shares = {
        "same place": [float(a.place == b.place) for a, b in placed],
        "both right": [float(count == 2) for count in right],
        "one right": [float(count == 1) for count in right],
        "both wrong": [float(count == 0) for count in right],
        "alike": [float((a.status == "answered") == (b.status == "answered")) for a, b in pairs],
    }
    return {name: (len(values), interval(values)) for name, values in shares.items()}


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
