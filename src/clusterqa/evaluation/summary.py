"""An evaluation as numbers that another program goes on with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusterqa.errors import EvaluationError
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.run import run
from clusterqa.evaluation.sets import read_set, stale
from clusterqa.evaluation.splits import SPLITS
from clusterqa.evaluation.tables import TABLE_MEASURES, as_table, confidence, refusals
from clusterqa.store import open_store

if TYPE_CHECKING:
    from pandas import DataFrame

    from clusterqa.runtime import KnowledgeBase


@dataclass(frozen=True, slots=True)
class Figures:
    """
    The measures of one evaluation, as plain numbers; a measure that was not taken is left out.

    `rows` has one row for each direction and question type: "what" ("lt→en", "en→both", …), the number of "questions", and
    each measure in [0, 1] with the ends of its 95 % interval: "hit@1", "hit@1 low", "hit@1 high". `refusals` and `confidence`
    are over the questions asked of both languages. `stale` are sentences about known answers that no longer stand in their
    document, and so cannot be found. `run` holds every single outcome: `run.write(path)` keeps it for `clusterqa eval`.
    """

    rows: tuple[Mapping[str, Any], ...]
    refusals: Mapping[str, float]
    confidence: Mapping[str, float]
    stale: tuple[str, ...]
    run: Run

    def frame(self) -> DataFrame:
        """The rows as a DataFrame, "what" as its index. Raises EvaluationError when pandas is not installed."""
        try:
            from pandas import DataFrame
        except ImportError as error:
            raise EvaluationError("pandas is not installed. Install it, or read the same numbers in `rows`.") from error
        return DataFrame(list(self.rows), columns=None if self.rows else ["what", "questions"]).set_index("what")


def evaluate(path: Path, kb: KnowledgeBase, split: str) -> Figures:
    """Put the questions of a JSONL file to a knowledge base. Raises EvaluationError."""
    if split not in SPLITS:
        raise EvaluationError(f"There is no split {split!r}. Choose one of {', '.join(SPLITS)}.")
    items = [item for item in read_set(path) if split in ("all", item.split)]
    if not items:
        raise EvaluationError(f"{path} has no question of the split {split!r}. Choose another.")
    with open_store(kb.settings.home) as store:
        lost = stale(items, store)
    made = run(items, kb.settings, kb.encoder)
    return Figures(
        rows=tuple(_plain(row) for row in as_table(made.outcomes)),
        refusals=_means(refusals(made.outcomes)),
        confidence={name: value for name, value in confidence(made.outcomes).items() if not math.isnan(value)},
        stale=tuple(lost),
        run=made,
    )


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    plain = {"what": row["what"], "questions": row["questions"]}
    for measure in TABLE_MEASURES:
        for name, value in zip(("", " low", " high"), row[measure], strict=True):
            if not math.isnan(value):
                plain[measure + name] = float(value)
    return plain


def _means(intervals: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    return {name: float(mean) for name, (mean, _, _) in intervals.items() if not math.isnan(mean)}
