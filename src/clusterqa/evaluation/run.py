"""One run: every question against every view, and what came of it."""

from __future__ import annotations

import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from clusterqa import __version__
from clusterqa.answer import features, reply
from clusterqa.assistant import SEARCH_DEPTH, load_calibration
from clusterqa.conversation import understand
from clusterqa.encoder import Encoder
from clusterqa.errors import EvaluationError
from clusterqa.evaluation.measures import interval, overlaps
from clusterqa.evaluation.sets import Item, digest, spans
from clusterqa.index import View
from clusterqa.lexicon import Lexicon
from clusterqa.library import check_in_step
from clusterqa.records import LANGUAGES, Language, Quote
from clusterqa.search import search
from clusterqa.settings import Settings
from clusterqa.store import Store

ViewName = Literal["both", "lt", "en"]
VIEWS: dict[ViewName, tuple[Language, ...]] = {"both": LANGUAGES, "lt": ("lt",), "en": ("en",)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What came of one question on one view.

    `rank` is the place of the first right quote among those shown or offered (1–3), 0 when none is; it does not
    depend on the operating point. `passage_rank` is that of the first passage (of ten) which holds an answer.
    """

    id: str
    view: ViewName
    language: Language
    type: str
    half: str
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


@dataclass(frozen=True, slots=True)
class Run:
    """A run with everything needed to compare it with another."""

    questions_sha256: str
    encoder: str
    corpus: dict[str, str]
    """Document id → version."""
    versions: dict[str, str]
    outcomes: tuple[Outcome, ...]

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Run:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            data["outcomes"] = tuple(Outcome(**item) for item in data["outcomes"])
            return cls(**data)
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise EvaluationError(
                f"{path} is not a run ({error}). Make one with: clusterqa eval run SET -o {path}"
            ) from error


def run(items: Sequence[Item], settings: Settings, encoder: Encoder, tick: Callable[[], None] | None = None) -> Run:
    """Ask every question on every view; those of one language only where an answer is known in that language."""
    lexicon, calibration = Lexicon.load(), load_calibration(settings.data, encoder)
    outcomes: list[Outcome] = []
    with Store.open(settings.data) as store:
        check_in_step(store, settings, encoder)
        views = {name: View(encoder.dimension, languages) for name, languages in VIEWS.items()}
        texts: dict[str, str] = {}
        for view in views.values():
            view.refresh(store)
        for stored in store.documents():
            texts[stored.id] = store.text(stored.id, stored.version) or ""
        languages = {stored.id: stored.language for stored in store.documents()}
        for item in items:
            gold = spans(item, store)
            begin = time.perf_counter()
            understood = understand(item.ask(), encoder)
            encoded = time.perf_counter() - begin
            for name, view in views.items():
                mine = {d: places for d, places in gold.items() if languages[d] in VIEWS[name]}
                if item.answers and not mine:
                    continue
                if understood.query is None:
                    outcomes.append(_failed(item, name, understood.language, understood.remark or ""))
                    continue
                begin = time.perf_counter()
                found = search(understood.query, view, store, lexicon, SEARCH_DEPTH)
                answer = reply(item.ask(), understood.query, found, calibration, view.generation)
                seconds = time.perf_counter() - begin + encoded
                quotes = answer.quotes or answer.nearest
                right = [_right(quote, mine, texts) for quote in quotes]
                passages = [
                    any(overlaps((h.passage.start, h.passage.end), g) for g in mine.get(h.passage.document, ()))
                    for h in found.hits
                ]
                first = quotes[0] if quotes else None
                outcomes.append(
                    Outcome(
                        id=item.id,
                        view=name,
                        language=item.language,
                        type=item.type,
                        half=item.half,
                        answerable=bool(item.answers),
                        status=answer.status,
                        rank=right.index(True) + 1 if True in right else 0,
                        passage_rank=passages.index(True) + 1 if True in passages else 0,
                        confidence=answer.confidence,
                        exact=all(texts[q.source.document][q.start : q.end] == q.text for q in quotes),
                        told_language=understood.language,
                        milliseconds=round(1000 * seconds, 2),
                        quote=first.text if first else "",
                        document=first.source.document if first else "",
                        features=features(understood.query, found) if found.hits else {},
                    )
                )
            if tick:
                tick()
        return Run(
            questions_sha256=digest(items),
            encoder=encoder.fingerprint,
            corpus={stored.id: stored.version for stored in store.documents()},
            versions={
                "clusterqa": __version__,
                "python": platform.python_version(),
                **{name: version(name) for name in ("torch", "sentence-transformers", "faiss-cpu", "PyStemmer")},
            },
            outcomes=tuple(outcomes),
        )


def _right(quote: Quote, gold: dict[str, list[tuple[int, int]]], texts: dict[str, str]) -> bool:
    """Whether a quote is one of the known places, or says word for word what one of them says."""
    if any(overlaps((quote.start, quote.end), place) for place in gold.get(quote.source.document, ())):
        return True
    return any(texts[document][a:b] in quote.text for document, places in gold.items() for a, b in places)


def _failed(item: Item, view: ViewName, language: Language, remark: str) -> Outcome:
    """A question that was taken for small talk: wrong, never missing."""
    return Outcome(
        item.id, view, item.language, item.type, item.half, bool(item.answers), remark, 0, 0, 0.0, True, language, 0.0, "", ""
    )  # fmt: skip


def as_table(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Rows of direction, count and measures with intervals, directions first, then the whole, then question types."""
    rows: list[dict[str, Any]] = []

    def row(name: str, chosen: Sequence[Outcome]) -> None:
        if chosen:
            rows.append(
                {
                    "what": name,
                    "questions": len(chosen),
                    "hit@1": interval([float(o.rank == 1) for o in chosen]),
                    "hit@3": interval([float(1 <= o.rank <= 3) for o in chosen]),
                    "passage@10": interval([float(o.passage_rank > 0) for o in chosen]),
                    "answered": interval([float(o.status == "answered") for o in chosen]),
                }
            )

    answerable = [o for o in outcomes if o.answerable]
    for asked in LANGUAGES:
        for told in LANGUAGES:
            row(f"{asked}→{told}", [o for o in answerable if o.language == asked and o.view == told])
    for asked in LANGUAGES:
        row(f"{asked}→both", [o for o in answerable if o.language == asked and o.view == "both"])
    for kind in sorted({o.type for o in answerable}):
        row(f"both, {kind}", [o for o in answerable if o.view == "both" and o.type == kind])
    return rows


def refusals(outcomes: Sequence[Outcome]) -> dict[str, tuple[float, float, float]]:
    """Share of the unanswerable refused and of the answerable refused, each with its interval, on the view of both."""
    whole = [o for o in outcomes if o.view == "both"]
    return {
        "unanswerable refused": interval([float(o.status != "answered") for o in whole if not o.answerable]),
        "answerable refused": interval([float(o.status != "answered") for o in whole if o.answerable]),
        "answered and right": interval([float(o.rank == 1) for o in whole if o.status == "answered"]),
    }
