"""Two runs of one question set, question by question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clusterqa.errors import EvaluationError, NotComparable
from clusterqa.evaluation.measures import randomisation_test
from clusterqa.evaluation.outcomes import Outcome, Run, ViewName
from clusterqa.evaluation.tables import ANSWER_MEASURES, REFUSED, TABLE_MEASURES, value

MEASURES = (*TABLE_MEASURES, REFUSED)


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
    """A direction: means of both runs, on how many questions the second is better, worse or alike, and the p value."""

    what: str
    questions: int
    before: float
    after: float
    wins: int
    losses: int
    ties: int
    p: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows by direction, and every pair in the order of the rows."""

    measure: str
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]


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
    sides = [_chosen(run, measure, split) for run in (first, second)]
    keys = sorted(set(sides[0]) | set(sides[1]), key=lambda key: (_ORDER.index(key[1]), key[0]))
    if not keys:
        raise NotComparable(
            f"No question of the split {split!r} has the measure {measure}. Choose another split or measure."
        )
    for name, side in zip(("first", "second"), sides, strict=True):
        outcomes = side.values()
        searched = all(o.status == "searched" for o in outcomes)
        known = not searched if measure in (*ANSWER_MEASURES, REFUSED) else any(measure in o.search for o in outcomes)
        if outcomes and not known:
            raise NotComparable(f"The {name} run has not taken {measure}. Run it again, or choose another --measure.")
    pairs = []
    for key in keys:
        a, b = (side.get(key) for side in sides)
        values = [value(o, measure) if o else 0.0 for o in (a, b)]
        language = (a or b).language  # type: ignore[union-attr]
        pairs.append(Pair(*key, f"{language}→{key[1]}", a, b, *values))
    names = list(dict.fromkeys(f"{language}→{view}" for view in _ORDER for language in ("lt", "en")))
    rows = [_row(name, [pair for pair in pairs if pair.row == name]) for name in names]
    return Comparison(measure, tuple(row for row in rows if row.questions), tuple(pairs))


_ORDER: tuple[ViewName, ...] = ("both", "lt", "en")


def _chosen(run: Run, measure: str, split: str) -> dict[tuple[str, ViewName], Outcome]:
    answerable = measure != REFUSED
    return {(o.id, o.view): o for o in run.outcomes if split in ("all", o.split) and o.answerable == answerable}


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
