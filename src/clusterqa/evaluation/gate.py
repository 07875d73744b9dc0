"""Floors that a run is held to, with a digest of the questions they were measured on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from clusterqa.errors import EvaluationError, NotComparable
from clusterqa.evaluation.files import reason, write
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.tables import REFUSED, as_table, by_direction, mean_of, soundness
from clusterqa.jsontext import parsed

TOLERATED_QUESTIONS = 1
"""A floor may be missed by the effect of so many questions before the gate calls it a regression."""
ROUNDED = 0.0001
"""Floors and values are kept to four digits, so that much of a difference is none."""
MEASURES = {"questions": ("hit@1", "hit@3", "nDCG@10"), "beir": ("nDCG@10", "R@100")}
"""Kind of run → what is held to a floor in each direction."""
ABSOLUTE = ("quotes exact", "did not fail")
"""Promises: a single question that breaks one is a regression."""


@dataclass(frozen=True, slots=True)
class Floor:
    """A value in [0, 1], and the number of questions it rests on."""

    value: float
    questions: int


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was reached once, and on which questions."""

    questions_sha256: str
    encoder: str
    floors: dict[str, Floor]
    corpus_sha256: str = ""

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """The baseline in a file. Raises EvaluationError when it is none."""
        try:
            data = parsed(path.read_text(encoding="utf-8"))
            floors = {str(name): Floor(float(f["value"]), int(f["questions"])) for name, f in data["floors"].items()}
            return cls(data["questions_sha256"], data["encoder"], floors, data.get("corpus_sha256", ""))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise EvaluationError(
                f"{path} is not a baseline ({reason(error)}). Make one with: clusterqa eval gate RUN --baseline FILE --write"
            ) from error

    def write(self, path: Path) -> None:
        """Raises EvaluationError."""
        write(path, json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n")


@dataclass(frozen=True, slots=True)
class Verdict:
    """One measure beside its floor; `allowed` is the lowest value that passes."""

    name: str
    value: float
    floor: float
    allowed: float
    questions: int

    @property
    def passed(self) -> bool:
        return self.value >= self.allowed - ROUNDED


def baseline_of(run: Run) -> Baseline:
    """The values of a run's kept-out split as a baseline. Raises NotComparable when the split has no questions."""
    if not (floors := values(run)):
        raise NotComparable(
            "The gate holds the split held, and none of the questions of this run is in it. Give the set more questions: the "
            "id of each decides its split."
        )
    return Baseline(run.questions_sha256, run.encoder, floors, run.corpus_sha256)


def values(run: Run) -> dict[str, Floor]:
    """The measures that are held to a floor, of the kept-out split."""
    outcomes = [o for o in run.outcomes if o.split == "held"]
    found = {
        f"{row['what']} {name}": Floor(round(row[name][0], 4), row["questions"])
        for row in by_direction(as_table(outcomes))
        for name in MEASURES[run.kind]
        if row[name][0] == row[name][0]  # not in runs of an older version
    }
    if run.kind == "questions":
        whole = [o for o in outcomes if o.view == "both"]
        for label, measure, answerable in (
            ("unanswerable refused", REFUSED, False),
            ("answerable answered", "answered", True),
        ):
            if chosen := [o for o in whole if o.answerable == answerable]:
                found[label] = Floor(round(mean_of(chosen, measure)[0], 4), len(chosen))
    sound = soundness(outcomes)
    found.update({name: Floor(round(sound[name][0], 4), len(outcomes)) for name in ABSOLUTE if outcomes})
    return found


def hold(run: Run, baseline: Baseline) -> list[Verdict]:
    """
    Every floor beside what the run reached.

    Raises NotComparable when there are no floors, they were measured on other questions, or the run has not taken one of them.
    """
    if not baseline.floors:
        raise NotComparable(
            "The baseline has no floors, so any run would pass. Write it again: clusterqa eval gate … --write"
        )
    if baseline.questions_sha256 != run.questions_sha256:
        raise NotComparable(
            "The floors were measured on other questions. Look at the run, then: clusterqa eval gate … --write"
        )
    reached = values(run)
    if missing := [name for name in baseline.floors if name not in reached]:
        raise NotComparable(
            f"The run has not taken {', '.join(missing)}. Run it again, or write new floors with: clusterqa eval gate … --write"
        )
    return [
        Verdict(
            name,
            reached[name].value,
            floor.value,
            floor.value if name in ABSOLUTE else floor.value - TOLERATED_QUESTIONS / max(floor.questions, 1),
            floor.questions,
        )
        for name, floor in baseline.floors.items()
    ]


def lowered(new: Baseline, old: Baseline) -> list[str]:
    """Floors that `new` would lower or drop; none when `old` rests on other questions, which cannot be compared."""
    if new.questions_sha256 != old.questions_sha256:
        return []
    return [
        name
        for name, floor in old.floors.items()
        if name not in new.floors or new.floors[name].value < floor.value - 1e-9
    ]
