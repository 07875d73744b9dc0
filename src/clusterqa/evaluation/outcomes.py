"""What a run leaves behind: one outcome a question and view, in one JSON file."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple

from clusterqa.errors import EvaluationError
from clusterqa.evaluation.files import reason
from clusterqa.evaluation.sets import Variant
from clusterqa.files import write_whole
from clusterqa.jsontext import parsed
from clusterqa.records import LANGUAGES, Language

ViewName = Literal["both", "lt", "en"]
VIEWS: dict[ViewName, tuple[Language, ...]] = {"both": LANGUAGES, "lt": ("lt",), "en": ("en",)}

Kind = Literal["questions", "beir"]
BEIR = "beir"
"""The type of every query of a set with its own documents."""


class Ranked(NamedTuple):
    """
    A passage in a ranking, with its score; or one that is known to be relevant, with its grade as the score.

    In a run over a BEIR folder it is a whole document: `document` is its BEIR id, `start` and `end` are 0.
    """

    document: str
    start: int
    end: int
    score: float

    @property
    def key(self) -> str:
        """Its name in measures and TREC files."""
        return f"{self.document}#{self.start}-{self.end}" if self.end else self.document


@dataclass(frozen=True, slots=True)
class Shown:
    """A quote that was shown, or offered as one of the nearest places; `right` when it is a known answer."""

    document: str
    start: int
    end: int
    text: str
    right: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A known answer: a quote, where it stands in its document today (None when no longer there), and its short answer."""

    document: str
    quote: str
    start: int | None
    end: int | None
    short: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of the set as it was when the run was made, so that a report needs nothing but the run."""

    id: str
    question: str
    language: str
    type: str
    split: str
    history: tuple[str, ...] = ()
    gold: tuple[Place, ...] = ()
    pair: str = ""
    """The same for the versions of one question in both languages."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of one question on one view.

    `rank` is the place of the first right quote among those shown or offered (1–3), 0 when none is; it does not
    depend on the operating point. `passage_rank` is that of the first hit (of ten) which holds an answer. `status` is
    the reply's, the remark's ("greeting", "empty", …), "searched" for a query of a BEIR folder, or "error".
    """

    id: str
    view: ViewName
    language: Language
    type: str
    split: str
    answerable: bool
    status: str
    rank: int
    passage_rank: int
    confidence: float
    exact: bool
    told_language: Language
    milliseconds: float
    quote: str
    document: str
    features: dict[str, float] = field(default_factory=dict)
    variant: Variant = ""
    error: str = ""
    """The exception that the question ended in; such a question counts as wrong in every measure."""
    quotes: tuple[Shown, ...] = ()
    ranked: tuple[Ranked, ...] = ()
    """At most 100, best first, before translations and near-identical passages are merged."""
    relevant: tuple[Ranked, ...] = ()
    """The passages of the view that hold a known answer."""
    search: dict[str, float] = field(default_factory=dict)
    """Measure → value, for answerable questions: "nDCG@10", …; "dense R@5" and the like are of one channel alone."""
    stages: dict[str, float] = field(default_factory=dict)
    """Milliseconds of the stages (`tables.STAGES`); they add up to `milliseconds`."""
    irrelevant: tuple[Ranked, ...] = ()
    """What a set of other people judged and found not relevant, with its grade."""
    slices: tuple[str, ...] = ()
    """The groups that such a set itself puts the query into: "language lt", "tag medicine"."""
    short: str = ""
    """The short answer that was marked in the first quote."""
    reading: dict[str, float] = field(default_factory=dict)
    """"F1" and "EM" of the first quote's short answer, or of the whole quote, where the set knows a short answer."""
    place: str = ""
    """Where the first quote stands: the name of its passage, or of the one in its Lithuanian translation that says the same."""

    @property
    def foreign(self) -> bool:
        """A query of a set with its own documents, where nothing but search is measured."""
        return self.type == BEIR

    @property
    def key(self) -> str:
        """Id of the question, of a variant with the mark of what it is."""
        return f"{self.id}~{self.variant}" if self.variant else self.id


@dataclass(frozen=True, slots=True)
class Run:
    """A run with everything needed to look at it and to compare it with another."""

    questions_sha256: str
    encoder: str
    corpus: dict[str, str]
    """Document id → version."""
    versions: dict[str, str]
    outcomes: tuple[Outcome, ...]
    variants: tuple[Outcome, ...] = ()
    """Of the variants, which no other measure counts in."""
    questions: tuple[Asked, ...] = ()
    kind: Kind = "questions"
    created: str = ""
    """UTC, ISO 8601."""
    settings: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    """The search's constants, see clusterqa.retrieval.weights.SearchWeights."""
    threshold: float | None = None
    """The operating point: the confidence from which an answer is given."""
    corpus_sha256: str = ""
    """Over ids and versions of the documents."""
    latency: dict[str, dict[str, float]] = field(default_factory=dict)
    """Stage, or "total" → "p50", "p95", "p99" in milliseconds, on the view of both languages."""
    peak_memory_bytes: int | None = None
    """Largest resident size of the process, libraries and all; None where the system does not say."""
    index_bytes: int | None = None
    """Size of the database on disk."""
    texts: dict[str, str] = field(default_factory=dict)
    """Document id → how it begins, of those that the failures of a set with its own documents name."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Split → `figures.figures`: every aggregate with its interval, unrounded, for whoever reads the file without us."""

    def write(self, path: Path) -> None:
        """As JSON, one outcome a line, gzipped when the name ends in .gz; the file appears whole or not at all."""
        table: dict[tuple[str, int, int], int] = {}
        lists: dict[str, list[Any]] = {
            "questions": [asdict(asked) for asked in self.questions],
            "outcomes": [packed(outcome, table) for outcome in self.outcomes],
            "variants": [packed(outcome, table) for outcome in self.variants],
            "passages": list(table),
        }
        lines = [
            f" {json.dumps(f.name)}: {json.dumps(getattr(self, f.name), ensure_ascii=False)}"
            for f in fields(self)
            if f.name not in lists
        ]
        for name, rows in lists.items():
            body = ",\n  ".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
            lines.append(f' "{name}": [\n  {body}\n ]' if rows else f' "{name}": []')
        content = ("{\n" + ",\n".join(lines) + "\n}\n").encode("utf-8", "surrogatepass")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, gzip.compress(content, mtime=0) if path.suffix == ".gz" else content, opener=None)
        except OSError as error:
            raise EvaluationError(
                f"The run cannot be written to {path} ({reason(error)}). Name another file with -o."
            ) from error

    @classmethod
    def read(cls, path: Path) -> Run:
        """The run in a file. Raises EvaluationError when it is none."""
        try:
            content = path.read_bytes()
            data = parsed(gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content)
            passages = data.pop("passages", [])
            data["outcomes"] = tuple(unpacked(row, passages) for row in data["outcomes"])
            data["variants"] = tuple(unpacked(row, passages) for row in data.get("variants", ()))
            data["questions"] = tuple(_asked(row) for row in data.get("questions", ()))
            return cls(**data)
        except (OSError, EOFError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            known = isinstance(error, OSError | EOFError | ValueError)  # the others say where our code stumbled
            told = reason(error) if known else "it has not what a run has"
            raise EvaluationError(
                f"{path} is not a run ({told}). Make one with: clusterqa eval run SET -o {path}"
            ) from error


def packed(outcome: Outcome, table: dict[tuple[str, int, int], int]) -> dict[str, Any]:
    """An outcome as JSON; its passages, which come back in every question, as places in one table."""
    data = asdict(outcome)
    for name in _PASSAGES:
        rows: Iterable[Ranked] = getattr(outcome, name)
        data[name] = [[table.setdefault(row[:3], len(table)), row.score] for row in rows]
    empty: tuple[Any, ...] = ("", [], {}, ())
    return {key: value for key, value in data.items() if key not in _OPTIONAL or value not in empty}


_PASSAGES = ("ranked", "relevant", "irrelevant")
_OPTIONAL = frozenset(
    ("features", "variant", "error", "quotes", *_PASSAGES, "search", "stages", "slices", "short", "reading", "place")
)


def unpacked(data: dict[str, Any], passages: Sequence[Sequence[Any]]) -> Outcome:
    for name in _PASSAGES:
        data[name] = tuple(
            Ranked(str(passages[place][0]), passages[place][1], passages[place][2], score)
            for place, score in data.get(name, ())
        )
    data["quotes"] = tuple(Shown(**row) for row in data.get("quotes", ()))
    data["slices"] = tuple(data.get("slices", ()))
    return Outcome(**data)


def _asked(data: dict[str, Any]) -> Asked:
    data["history"] = tuple(data.get("history", ()))
    data["gold"] = tuple(Place(**row) for row in data.get("gold", ()))
    return Asked(**data)
