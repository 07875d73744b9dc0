"""
What people still have to judge, and what nobody asks about yet.

    runs ─pool─▶ passages that a search found and nobody judged ─▶ the desk's page ─▶ settle ─▶ qrels
    question set ─uncovered─▶ passages that answer no question of it

Both only list. Whether a passage answers a question is said by people, and so is every new question.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

from clusterqa.errors import EvaluationError, NotComparable
from clusterqa.evaluation.files import read_text, write
from clusterqa.evaluation.measures import cohen_kappa
from clusterqa.evaluation.outcomes import BEIR, Ranked, Run
from clusterqa.evaluation.sets import Item, spans
from clusterqa.jsontext import parsed
from clusterqa.ports import Store
from clusterqa.records import Language

POOL = "pool.jsonl"
"""In the data folder, where the desk looks for it."""

Grade = Literal["right", "partly", "wrong"]
GRADES: dict[Grade, int] = {"right": 2, "partly": 1, "wrong": 0}
"""What a judgement is worth in qrels."""
ENOUGH = 2
"""People who judge a passage; more only where they differ."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """
    A passage to be judged for a question.

    `question` is the question's id in its set, `start` and `end` are offsets in that `version` of the document, `runs` the runs
    that found it. People are shown neither runs nor ranks.
    """

    question: str
    asked: str
    language: str
    history: tuple[str, ...]
    document: str
    version: str
    start: int
    end: int
    text: str
    runs: tuple[str, ...]

    @property
    def passage(self) -> str:
        """Its name in qrels."""
        return Ranked(self.document, self.start, self.end, 0).key

    @property
    def id(self) -> str:
        """Names question and passage in forms and addresses."""
        return hashlib.sha256("\t".join((self.question, self.passage, self.version)).encode()).hexdigest()[:20]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one person said of a passage; `at` is UTC in ISO 8601. A later one of the same person replaces it."""

    question: str
    passage: str
    version: str
    who: str
    grade: Grade
    at: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """
    Two people over the passages that both judged: how many, in which share they agree, and Cohen's kappa.

    Kappa is 1 for full agreement and 0 for what chance would give; None where chance alone would give full agreement.
    """

    first: str
    second: str
    passages: int
    observed: float
    kappa: float | None


Key = tuple[str, str, str]
"""Question, passage, version."""


def pool(runs: Mapping[str, Run], store: Store, depth: int, split: str = "all") -> tuple[list[Pooled], int]:
    """
    The unjudged passages among the first `depth` of each question and view of some runs (name → run); and how many are left
    out because their text is no longer there.

    In the order of the questions, and for each by document and place, so that nothing tells how high a search put them. Raises
    NotComparable for runs over different questions, EvaluationError for one over a set with its own documents.
    """
    first, *others = runs.values()
    for name, run in runs.items():
        if run.kind == BEIR:
            raise EvaluationError(
                f"{name} is of a set with its own documents, which are not in this index. Judge runs over a question set."
            )
    if any(other.questions_sha256 != first.questions_sha256 for other in others):
        raise NotComparable("The runs are over different question sets. Run one set with each search, then pool them.")
    known: dict[str, set[str]] = defaultdict(set)
    found: dict[str, dict[Ranked, set[str]]] = defaultdict(lambda: defaultdict(set))
    versions: dict[str, str] = {}
    for name, run in runs.items():
        versions |= run.corpus
        for outcome in run.outcomes:
            known[outcome.id].update(row.key for row in (*outcome.relevant, *outcome.irrelevant))
            for row in outcome.ranked[:depth]:
                found[outcome.id][row._replace(score=0)].add(name)
    pooled, lost = [], 0
    texts: dict[str, str | None] = {}
    for asked in first.questions:
        if split not in ("all", asked.split):
            continue
        for row in sorted(found[asked.id]):
            if row.key in known[asked.id]:
                continue
            version = versions[row.document]
            if row.document not in texts:
                texts[row.document] = store.text(row.document, version)
            if not (text := (texts[row.document] or "")[row.start : row.end]):
                lost += 1
                continue
            names = tuple(sorted(found[asked.id][row]))
            pooled.append(
                Pooled(asked.id, asked.question, asked.language, asked.history, row.document, version, row.start, row.end,
                       text, names)
            )  # fmt: skip
    return pooled, lost


def write_pool(path: Path, pooled: Iterable[Pooled]) -> None:
    """One JSON object a line; the file appears whole or not at all. Raises EvaluationError."""
    lines = (json.dumps(asdict(one), ensure_ascii=False) for one in pooled)
    write(path, "".join(f"{line}\n" for line in lines))


def read_pool(path: Path) -> list[Pooled]:
    """The passages of a pool, in its order. Raises EvaluationError that names the wrong line."""
    pooled = []
    for number, line in enumerate(read_text(path, "a pool: clusterqa eval pool RUN").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            pooled.append(_pooled(parsed(line)))
        except (KeyError, TypeError, ValueError) as error:
            raise EvaluationError(
                f"{path} line {number}: {error}. Make the list again with: clusterqa eval pool RUN"
            ) from error
    return pooled


def _pooled(data: dict[str, Any]) -> Pooled:
    return Pooled(**{**data, "history": tuple(data["history"]), "runs": tuple(data["runs"])})


# ── judgements ──────────────────────────────────────────────────────────────────────────────────────────────────


def to_judge(pooled: Sequence[Pooled], judgements: Iterable[Judgement], who: str) -> list[Pooled]:
    """What is left for one person: what fewer than two others have judged, or what those who did differ about."""
    told = _by_passage(judgements)
    left = []
    for one in pooled:
        grades = {j.who: j.grade for j in told.get((one.question, one.passage, one.version), ())}
        if who not in grades and (len(grades) < ENOUGH or _majority(grades.values()) is None):
            left.append(one)
    return left


@dataclass(frozen=True, slots=True)
class Settled:
    """
    What most people said: question → passage → grade, as qrels have it.

    `by_one` counts the passages that one person alone has judged yet; `differing` are those without a majority, which have no
    grade until somebody else has judged them.
    """

    grades: dict[str, dict[str, float]]
    by_one: int
    differing: list[Key]

    @property
    def count(self) -> int:
        """Passages that have a grade."""
        return sum(map(len, self.grades.values()))


def settle(judgements: Iterable[Judgement]) -> Settled:
    """Of versions of a document in which a passage has the same offsets, the one judged last is taken."""
    told: dict[tuple[str, str], tuple[Key, list[Judgement]]] = {}
    by_passage = _by_passage(judgements)
    for key in sorted(by_passage, key=lambda key: max(judgement.at for judgement in by_passage[key])):
        told[key[:2]] = key, by_passage[key]
    grades: dict[str, dict[str, float]] = defaultdict(dict)
    by_one, differing = 0, []
    for (question, passage), (key, own) in sorted(told.items()):
        grade = _majority(judgement.grade for judgement in own)
        if grade is None:
            differing.append(key)
            continue
        grades[question][passage] = GRADES[grade]
        by_one += len(own) == 1
    return Settled(dict(grades), by_one, differing)


def with_known(
    grades: Mapping[str, Mapping[str, float]], known: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Grades of people with what the question set knows beside them, as right or as wrong; where both speak, people do."""
    joined = {
        question: {passage: GRADES["right" if value > 0 else "wrong"] for passage, value in row.items()}
        for question, row in known.items()
    }
    return {question: {**joined.get(question, {}), **grades.get(question, {})} for question in {**joined, **grades}}


def agreement(judgements: Iterable[Judgement]) -> list[Agreement]:
    """Every two people who judged a passage in common, in the order of their names."""
    pairs: dict[tuple[str, str], list[tuple[Grade, Grade]]] = defaultdict(list)
    for told in _by_passage(judgements).values():
        for first, second in combinations(sorted(told, key=lambda judgement: judgement.who), 2):
            pairs[first.who, second.who].append((first.grade, second.grade))
    return [
        Agreement(*who, len(both), sum(a == b for a, b in both) / len(both), cohen_kappa(both))
        for who, both in sorted(pairs.items())
    ]


def _by_passage(judgements: Iterable[Judgement]) -> dict[Key, list[Judgement]]:
    found: dict[Key, list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        found[judgement.question, judgement.passage, judgement.version].append(judgement)
    return found


def _majority(grades: Iterable[Grade]) -> Grade | None:
    """The grade that more people gave than any other; None when there is none."""
    counted = Counter(grades).most_common(2)
    return None if len(counted) > 1 and counted[0][1] == counted[1][1] else counted[0][0]


# ── what nobody asks ────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A passage in which no known answer of a question set stands; `asked` says how many answers its document has."""

    document: str
    version: str
    language: Language
    heading: tuple[str, ...]
    start: int
    end: int
    text: str
    asked: int


def uncovered(items: Sequence[Item], store: Store) -> tuple[list[Uncovered], int]:
    """
    The live passages that no known answer touches, and how many passages there are in all.

    Documents that are asked about least come first; inside a document passages keep their order.
    """
    known: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for item in items:
        for document, places in spans(item, store).items():
            known[document].extend(places)
    live = {stored.id: stored for stored in store.documents()}
    found, count = [], 0
    for entry in store.passages():
        passage = entry.passage
        if (stored := live.get(passage.document)) is None:
            continue
        count += 1
        if any(start < passage.end and passage.start < end for start, end in known[passage.document]):
            continue
        found.append(
            Uncovered(passage.document, stored.version, stored.language, passage.heading, passage.start, passage.end,
                      passage.text, len(known[passage.document]))
        )  # fmt: skip
    return sorted(found, key=lambda one: (one.asked, one.document, one.start)), count


def not_yet(items: Sequence[Item], candidates: Iterable[Item]) -> list[Item]:
    """Those candidates whose question, but for case and space, is not in the set."""
    there = {_folded(item.question) for item in items}
    return [candidate for candidate in candidates if _folded(candidate.question) not in there]


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
