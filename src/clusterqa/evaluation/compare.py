"""Two runs of one question set, question by question; and more than two beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from clusterqa.errors import EvaluationError, NotComparable
from clusterqa.evaluation.measures import SHORT_MEASURES, UNJUDGED, holm, randomisation_test
from clusterqa.evaluation.outcomes import Outcome, Run, ViewName
from clusterqa.evaluation.tables import ANSWER_MEASURES, REFUSED, TABLE_MEASURES, TOTAL, Interval, mean_of, value

MEASURES = (*(name for name in TABLE_MEASURES if name != UNJUDGED), REFUSED)
"""What is better when it is higher."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One question on one view in both runs, with its value of the measure; a run that does not have it has 0."""

    id: str
    view: ViewName
    row: str
    first: Outcome | None
    second: Outcome | None
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Row:
    """
    A direction: means of both runs, on how many questions the second is better, worse or alike, and the p value.

    `holm` is p corrected for all tests that are shown together.
    """

    what: str
    questions: int
    before: float
    after: float
    wins: int
    losses: int
    ties: int
    p: float
    holm: float = 1.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows by direction, and every pair in the order of the rows."""

    measure: str
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]


@dataclass(frozen=True, slots=True)
class Contest:
    """More runs beside each other: row → the mean of each run with its interval, and a test of each two, by their places."""

    measure: str
    rows: dict[str, tuple[Interval, ...]]
    tests: tuple[tuple[int, int, Row], ...]


def contest(runs: Sequence[Run], measure: str = "hit@1", split: str = "held") -> Contest:
    """
    Compare every two of some runs by one measure; the p values of all their tests are corrected together.

    Raises as `compare` does.
    """
    found = [(i, j, compare(runs[i], runs[j], measure, split)) for i, j in combinations(range(len(runs)), 2)]
    flat = [(i, j, row) for i, j, compared in found for row in compared.rows]
    corrected = holm([row.p for *_, row in flat])
    names = list(dict.fromkeys(row.what for *_, row in flat))
    chosen = [list(_chosen(run, measure, split).values()) for run in runs]
    rows = {
        name: tuple(mean_of([o for o in outcomes if _row_of(o) == name], measure) for outcomes in chosen)
        for name in names
    }
    return Contest(
        measure, rows, tuple((i, j, replace(row, holm=p)) for (i, j, row), p in zip(flat, corrected, strict=True))
    )


def compare(first: Run, second: Run, measure: str = "hit@1", split: str = "held") -> Comparison:
    """
    Compare two runs by one measure on one split ("held", "fit" or "all") of their common question set.

    `measure` is one of MEASURES; "refused" is of the unanswerable questions, all others of the answerable ones. A row
    never mixes views, so each of its questions counts once and the randomisation test's pairs are independent.
    Raises NotComparable when the runs rest on different questions, or when one has not taken the measure.
    """
    if measure not in MEASURES:
        raise EvaluationError(f"There is no measure {measure!r}. Measures: {', '.join(MEASURES)}.")
    if first.questions_sha256 != second.questions_sha256:
        raise NotComparable("The two runs rest on different questions. Run both on the same set.")
    if measure in SHORT_MEASURES and _shorts(first) != _shorts(second):
        raise NotComparable("The two runs know different short answers. Run both on the same set.")
    sides = [_chosen(run, measure, split) for run in (first, second)]
    keys = sorted(set(sides[0]) | set(sides[1]), key=lambda key: (_ORDER.index(key[1]), key[0]))
    if not keys:
        raise NotComparable(
            f"No question of the split {split!r} has the measure {measure}. Choose another split or measure."
        )
    for name, side in zip(("first", "second"), sides, strict=True):
        outcomes = side.values()
        searched = all(o.foreign for o in outcomes)
        known = (
            not searched
            if measure in (*ANSWER_MEASURES, REFUSED)
            else any(measure in o.search or measure in o.reading for o in outcomes)
        )
        if outcomes and not known:
            raise NotComparable(f"The {name} run has not taken {measure}. Run it again, or choose another --measure.")
    pairs = []
    for key in keys:
        a, b = (side.get(key) for side in sides)
        values = [value(o, measure) if o else 0.0 for o in (a, b)]
        pairs.append(Pair(*key, _row_of(a or b), a, b, *values))  # type: ignore[arg-type]
    names = (TOTAL, *(f"{language}→{view}" for view in _ORDER for language in ("lt", "en")))
    rows = [_row(name, [pair for pair in pairs if pair.row == name]) for name in names]
    rows = [row for row in rows if row.questions]
    corrected = holm([row.p for row in rows])
    return Comparison(
        measure, tuple(replace(row, holm=p) for row, p in zip(rows, corrected, strict=True)), tuple(pairs)
    )


_ORDER: tuple[ViewName, ...] = ("both", "lt", "en")


def _shorts(run: Run) -> dict[str, set[str]]:
    return {asked.id: shorts for asked in run.questions if (shorts := {g.short for g in asked.gold if g.short})}


def _row_of(outcome: Outcome) -> str:
    return TOTAL if outcome.foreign else f"{outcome.language}→{outcome.view}"


def _chosen(run: Run, measure: str, split: str) -> dict[tuple[str, ViewName], Outcome]:
    answerable = measure != REFUSED
    return {
        (o.id, o.view): o
        for o in run.outcomes
        if (split in ("all", o.split) or o.foreign)
        and o.answerable == answerable
        and (measure not in SHORT_MEASURES or measure in o.reading)
    }


def _row(name: str, pairs: Sequence[Pair]) -> Row:
    before, after = [pair.before for pair in pairs], [pair.after for pair in pairs]
    wins = sum(b > a for a, b in zip(before, after, strict=True))
    losses = sum(b < a for a, b in zip(before, after, strict=True))
    count = len(pairs)
    return Row(
        name,
        count,
        sum(before) / count if count else 0.0,
        sum(after) / count if count else 0.0,
        wins,
        losses,
        count - wins - losses,
        randomisation_test(before, after) if count else 1.0,
    )
