"""
The inside of one question: language, words, both channels, the fused order, features and confidence.

And of many: what moving the operating point would do, worked out from questions with known answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clusterqa.errors import EvaluationError
from clusterqa.records import Concept, FirstLook, Hit, Question, Remark, RemarkKind, Reply
from clusterqa.retrieval.confidence import Calibration
from clusterqa.retrieval.profile import FILE, Profile
from clusterqa.runtime import KnowledgeBase
from clusterqa.text.language import detect, lithuanian_probability

if TYPE_CHECKING:
    from clusterqa.evaluation.outcomes import Run

RUNS = ("evaluation.json", "evaluation.json.gz")
"""Where a run is looked for in the data folder: what `clusterqa eval run SET -o DATA/evaluation.json` writes."""


@dataclass(frozen=True, slots=True)
class RankedHit:
    """A hit with its rank in each channel, from 1; None where the channel did not find the passage. `quoted` from 1."""

    rank: int
    hit: Hit
    dense_rank: int | None
    lexical_rank: int | None
    quoted: int | None


@dataclass(frozen=True, slots=True)
class Feature:
    """
    One feature of the confidence: its value, its weight on the standardised value, and what it adds to the log odds.
    """

    name: str
    value: float
    weight: float
    adds: float


@dataclass(frozen=True, slots=True)
class Inside:
    """
    What happened to a question. `lithuanian` is the probability in [0, 1] that its text is Lithuanian; `certain` whether
    that alone decided the language. `remark` is given instead of the rest where nothing was searched for.
    """

    reply: Reply
    lithuanian: float
    certain: bool
    remark: RemarkKind | None = None
    searched: str = ""
    """The text that was encoded; a follow-up is completed from the earlier question."""
    concepts: tuple[Concept, ...] = ()
    hits: tuple[RankedHit, ...] = ()
    features: tuple[Feature, ...] = ()
    bias: float = 0.0
    threshold: float = 0.0


def inside(kb: KnowledgeBase, question: Question) -> Inside:
    """Ask as the chat does, and keep what it saw. Nothing is written to the journal."""
    calibration = kb.profile.calibration
    lithuanian, certain = lithuanian_probability(question.text), detect(question.text).certain
    trace = kb.trace(question)
    answer, first = trace.reply, trace.first
    if isinstance(trace.understood, Remark) or first is None:
        remark = trace.understood.kind if isinstance(trace.understood, Remark) else None
        return Inside(answer, lithuanian, certain, remark, threshold=calibration.threshold)
    dense, lexical = _ranks(first, {hit.passage_id for hit in trace.hits})
    quotes = answer.quotes or answer.nearest
    return Inside(
        reply=answer,
        lithuanian=lithuanian,
        certain=certain,
        searched=trace.understood.text,
        concepts=first.concepts,
        hits=tuple(
            RankedHit(
                rank=rank,
                hit=hit,
                dense_rank=dense.get(hit.passage_id),
                lexical_rank=lexical.get(hit.passage_id),
                quoted=rank if rank <= len(quotes) else None,
            )
            for rank, hit in enumerate(trace.hits, start=1)
        ),
        features=tuple(
            Feature(
                name=name,
                value=value,
                weight=calibration.weights.get(name, 0.0),
                adds=calibration.weights.get(name, 0.0)
                * (value - calibration.means.get(name, 0.0))
                / calibration.scales.get(name, 1.0),
            )
            for name, value in trace.features.items()
        ),
        bias=calibration.bias,
        threshold=calibration.threshold,
    )


def _ranks(first: FirstLook, wanted: set[int]) -> tuple[dict[int, int], dict[int, int]]:
    """Passage id → rank by meaning, and by words; equal ones share the better rank."""
    known = {candidate.passage: candidate.cosine for candidate in first.candidates}
    cosines, shares = np.array(list(known.values())), first.lexical
    dense = {i: int((cosines > known[i]).sum()) + 1 for i in wanted if i in known}
    lexical = {i: int((shares > shares[i]).sum()) + 1 for i in wanted if shares[i] > 0}
    return dense, lexical


# ── the operating point ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Judged:
    """One evaluation question: its confidence, whether it can be answered, whether the first quote is right."""

    confidence: float
    answerable: bool
    right: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    Outcomes that the operating point is judged by. `origin` is "run" (a run in the data folder, its kept-out split) or
    "calibration" (the fitting split, out of fold); `name` the file.
    """

    origin: str
    name: str
    outcomes: tuple[Judged, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """
    What one operating point does, all shares in [0, 1] of the questions that they speak of.

    `answered` of all questions; `wrong` of those answered (0 when none is); `lost` of the answerable ones, refused although
    the first quote is right; `refused` of the unanswerable ones.
    """

    threshold: float
    answered: float
    wrong: float
    lost: float
    refused: float


def evidence(data: Path, profile: Profile) -> Evidence | None:
    """
    A run in the data folder, made with this encoder, else what the calibration was fitted on; None when there is neither.

    The confidences of a run are computed again from its features with today's calibration, on the split that nothing was
    fitted on.
    """
    from clusterqa.evaluation.outcomes import Run

    calibration = profile.calibration
    for name in RUNS:
        path = data / name
        if path.is_file():
            try:
                run = Run.read(path)
            except EvaluationError:
                continue
            if run.encoder == profile.encoder and (outcomes := _of_run(run, calibration)):
                return Evidence("run", name, outcomes)
    if calibration.outcomes:
        told = tuple(Judged(float(p), bool(answerable), bool(right)) for p, answerable, right in calibration.outcomes)
        return Evidence("calibration", FILE, told)
    return None


def _of_run(run: Run, calibration: Calibration) -> tuple[Judged, ...]:
    needed = set(calibration.weights)
    return tuple(
        Judged(
            confidence=calibration.probability(o.features) if needed <= set(o.features) else o.confidence,
            answerable=o.answerable,
            right=o.answerable and o.rank == 1,
        )
        for o in run.outcomes
        if o.view == "both" and o.split == "held"
    )


def point(outcomes: Sequence[Judged], threshold: float) -> Point:
    """What this operating point would do to these questions: those with at least this confidence are answered."""
    answered = [o for o in outcomes if o.confidence >= threshold]
    answerable = [o for o in outcomes if o.answerable]
    unanswerable = [o for o in outcomes if not o.answerable]
    return Point(
        threshold=threshold,
        answered=_share(len(answered), len(outcomes)),
        wrong=_share(sum(not o.right for o in answered), len(answered)),
        lost=_share(sum(o.right and o.confidence < threshold for o in answerable), len(answerable)),
        refused=_share(sum(o.confidence < threshold for o in unanswerable), len(unanswerable)),
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
