"""Every aggregate of a run as plain data, at full precision: what run.json holds, and what programs are given."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from clusterqa.evaluation import tables
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.tables import Interval

Figure = tuple[str, int | None, str, Interval]
"""Row, number of questions where it is known, measure, and its mean with the bounds of its 95 % interval."""


def figures(run: Run, split: str) -> dict[str, Any]:
    """
    The figures of one split ("held", "fit" or "all") for JSON: means with "low" and "high", the bounds of their 95 % interval.

    "rows" are by direction and type of question (of a set with its own documents: all of its queries, and its slices),
    "variants" of mistyped questions; "shares", "confidence" and "pairs" are as in `tables`. A measure that was not taken
    is left out. "latency" is in milliseconds.
    """
    outcomes = [o for o in run.outcomes if split in ("all", o.split)]
    pairs = tables.consistency(run, split)
    plain = run.kind == "questions"
    return {
        "split": split,
        "questions": len({o.id for o in outcomes}),
        "rows": [_row(row) for row in tables.as_table(outcomes)],
        "variants": [_row(row) for row in tables.variant_table(run, split)],
        "shares": _intervals({**tables.refusals(outcomes), **tables.soundness(outcomes)} if plain else {}),
        "confidence": {
            **_intervals(tables.surest(outcomes) if plain else {}),
            **{
                name: {"mean": number}
                for name, number in tables.confidence(outcomes).items()
                if name == "calibration error" and not math.isnan(number)
            },
        },
        "pairs": {
            name: {"pairs": count, **told}
            for name, (count, values) in pairs.items()
            for told in _intervals({name: values}).values()
        },
        "latency": tables.latencies(outcomes),
    }


def of_every_split(run: Run) -> dict[str, Any]:
    """Split → `figures`, of the splits that the run has questions of, and of all of them."""
    known = sorted({o.split for o in run.outcomes})
    return {split: figures(run, split) for split in (("all",) if run.kind == "beir" else (*known, "all"))}


def flat(found: Mapping[str, Any]) -> Iterable[Figure]:
    """The same as one figure after the other, in order."""
    for row in (*found["rows"], *found["variants"]):
        for measure, told in row["measures"].items():
            yield row["what"], row["questions"], measure, _triple(told)
    for group in ("shares", "confidence", "pairs"):
        for name, told in found[group].items():
            yield group, told.get("pairs"), name, _triple(told)


def _triple(told: Mapping[str, float]) -> Interval:
    return told["mean"], told.get("low", math.nan), told.get("high", math.nan)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    measures = {name: cell for name, cell in row.items() if isinstance(cell, tuple)}
    return {"what": row["what"], "questions": row["questions"], "measures": _intervals(measures)}


def _intervals(values: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {
        name: {"mean": mean, "low": low, "high": high}
        for name, (mean, low, high) in values.items()
        if not math.isnan(mean)
    }
