"""One run: every question against every view, and what came of it."""

from __future__ import annotations

import datetime
import hashlib
import logging
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from heapq import nsmallest
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from clusterqa import __version__
from clusterqa.answer import features, reply
from clusterqa.assistant import SEARCH_DEPTH, load_calibration
from clusterqa.calibration import Calibration
from clusterqa.conversation import Understood, understand
from clusterqa.encoder import Encoded, Encoder, PassingEncoder, Vectors
from clusterqa.errors import ClusterQAError
from clusterqa.evaluation.beir import BeirSet, beir_id
from clusterqa.evaluation.measures import CHANNEL_MEASURES, SEARCH_MEASURES, overlaps, search_values
from clusterqa.evaluation.outcomes import VIEWS, Asked, Outcome, Place, Ranked, Run, Shown, ViewName
from clusterqa.evaluation.sets import Item, digest, places, spans
from clusterqa.evaluation.tables import CHANNELS, latencies
from clusterqa.index import View
from clusterqa.lexicon import Lexicon
from clusterqa.library import check_in_step
from clusterqa.records import Hit, Language, Question, Quote
from clusterqa.search import WEIGHTS, Found, SearchWeights, search
from clusterqa.settings import Settings
from clusterqa.store import DATABASE, Store

log = logging.getLogger(__name__)

DEPTH = 100
"""Passages of a ranking that are kept."""
CHANNEL_DEPTH = 10
PACKAGES = ("openvino", "torch", "sentence-transformers", "faiss-cpu", "PyStemmer", "ir_measures")

Places = dict[str, list[tuple[int, int]]]
Tick = Callable[[], object]


class _Clock(PassingEncoder):
    """An encoder that adds up the time it takes, so that it can be separated from the rest of reading a question."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.seconds = 0.0

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        with self._running():
            return super().encode_queries(texts)

    def read_query(self, text: str) -> Encoded:
        with self._running():
            return super().read_query(text)

    @contextmanager
    def _running(self) -> Iterator[None]:
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds += time.perf_counter() - begin


@dataclass(frozen=True, slots=True)
class _Bench:
    """The parts that every question of a run is put to."""

    store: Store
    encoder: _Clock
    lexicon: Lexicon
    calibration: Calibration
    weights: SearchWeights
    views: Mapping[ViewName, View]
    texts: Mapping[str, str]
    languages: Mapping[str, Language]
    alone: dict[str, dict[tuple[str, ViewName], list[str]]] = field(
        default_factory=lambda: {channel: {} for channel in CHANNELS}
    )
    """Channel → (question, view) → what that channel alone would rank first; filled as questions are asked."""

    def understand(self, question: Question) -> tuple[Understood, dict[str, float]]:
        """The question understood, and the seconds of the stages "language" and "encode"."""
        before, begin = self.encoder.seconds, time.perf_counter()
        understood = understand(question, self.encoder)
        encode = self.encoder.seconds - before
        return understood, {"language": time.perf_counter() - begin - encode, "encode": encode}

    def search(self, understood: Understood, name: ViewName, weights: SearchWeights | None = None) -> Found:
        """By the weights of the run, if no others are given."""
        assert understood.query is not None
        view, weights = self.views[name], weights or self.weights
        return search(understood.query, view, self.store, self.lexicon, SEARCH_DEPTH, weights)

    def ranked(self, found: Found, name: ViewName) -> tuple[Ranked, ...]:
        rows = []
        for i, score in found.trace.ranking[:DEPTH]:
            passage = self.views[name].entries[i].passage
            rows.append(Ranked(passage.document, passage.start, passage.end, round(score, 6)))
        return tuple(rows)

    def relevant(self, gold: Places, name: ViewName) -> tuple[Ranked, ...]:
        """The passages of a view that hold one of the places: the answers, whatever way the documents are split."""
        view = self.views[name]
        return tuple(
            Ranked(passage.document, passage.start, passage.end, 1)
            for document in sorted(gold)
            for passage in (view.entries[i].passage for i in view.by_document.get(document, ()))
            if any(overlaps((passage.start, passage.end), place) for place in gold[document])
        )

    def note_channels(self, key: str, name: ViewName, understood: Understood, found: Found) -> None:
        """Keep what each channel would rank first if it were asked alone; ties by document and place."""
        view, lexical = self.views[name], found.trace.lexical
        passages = ((-round(float(lexical[i]), 9), view.entries[int(i)].passage) for i in lexical.nonzero()[0])
        held = nsmallest(CHANNEL_DEPTH, passages, key=lambda row: (row[0], row[1].document, row[1].start))
        self.alone["lexical"][key, name] = [Ranked(p.document, p.start, p.end, 0).key for _, p in held]
        by_meaning = self.search(understood, name, _meaning_alone(self.weights))
        self.alone["dense"][key, name] = [row.key for row in self.ranked(by_meaning, name)[:CHANNEL_DEPTH]]


def _meaning_alone(weights: SearchWeights) -> SearchWeights:
    """The same search without words: whole texts and, where there are any, pieces."""
    return replace(
        weights,
        dense_weight=1.0,
        expected_bonus=0.0,
        announcement_malus=0.0,
        # As far apart as before, but short of the upper bound: no ties at the top.
        dense_scale=4 * weights.dense_scale,
        piece_scale=4 * weights.piece_scale,
    )


def run(
    items: Sequence[Item],
    settings: Settings,
    encoder: Encoder,
    tick: Tick | None = None,
    *,
    weights: SearchWeights = WEIGHTS,
) -> Run:
    """
    Ask every question on every view; those of one language only where an answer is known in that language.

    Each question is encoded once for all its views. One that ends in an exception counts as wrong; only what the person
    at the keyboard can put right (ClusterQAError) ends the run. Twins among the items are kept apart from the rest. `tick`
    is called after each question. Raises IndexNotFound or IndexOutdated when the index does not fit the settings.
    """
    with Store.open(settings.data) as store:
        bench = _bench(store, settings, encoder, weights, VIEWS)
        outcomes: list[Outcome] = []
        asked: list[Asked] = []
        for item in items:
            if not item.twin:
                asked.append(_asked(item, store))
            outcomes += _ask(item, spans(item, store), bench)
            if tick:
                tick()
        outcomes = _measured(outcomes, bench.alone)
        return replace(
            _facts(settings, store, bench),
            questions_sha256=digest([item for item in items if not item.twin]),
            outcomes=tuple(o for o in outcomes if not o.twin),
            twins=tuple(o for o in outcomes if o.twin),
            questions=tuple(asked),
            latency=latencies([o for o in outcomes if not o.twin]),
            peak_memory_bytes=_peak_memory(),
        )


def run_beir(
    beir: BeirSet,
    settings: Settings,
    encoder: Encoder,
    tick: Tick | None = None,
    *,
    weights: SearchWeights = WEIGHTS,
) -> Run:
    """
    Search for every query of a BEIR folder that has judgements; `settings` are those that `beir.index` gave.

    A document is as good as its best passage. As in the beir package, a document with the id of the query is left out.
    """
    with Store.open(settings.data) as store:
        bench = _bench(store, settings, encoder, weights, {"both": VIEWS["both"]})
        outcomes = []
        for query_id, grades in beir.qrels.items():
            outcomes.append(_search_beir(query_id, beir.queries.get(query_id, ""), grades, bench))
            if tick:
                tick()
        outcomes = _measured(outcomes, {})
        return replace(
            _facts(settings, store, bench),
            questions_sha256=beir.sha256,
            outcomes=tuple(outcomes),
            kind="beir",
            latency=latencies(outcomes),
            questions=tuple(
                Asked(o.id, beir.queries.get(o.id, ""), o.language, o.type, o.half) for o in outcomes
            ),
            peak_memory_bytes=_peak_memory(),
        )  # fmt: skip


def _bench(
    store: Store,
    settings: Settings,
    encoder: Encoder,
    weights: SearchWeights,
    views: Mapping[ViewName, tuple[Language, ...]],
) -> _Bench:
    check_in_step(store, settings, encoder)
    made: dict[ViewName, View] = {name: View(encoder.dimension, languages) for name, languages in views.items()}
    for view in made.values():
        view.refresh(store)
    encoder.encode_queries(["Kiek laiko galioja ženklas?"])  # the first text takes longer than the others
    documents = store.documents()
    return _Bench(
        store=store,
        encoder=_Clock(encoder),
        lexicon=Lexicon.load(),
        calibration=load_calibration(settings.data, encoder),
        weights=weights,
        views=made,
        texts={stored.id: store.text(stored.id, stored.version) or "" for stored in documents},
        languages={stored.id: stored.language for stored in documents},
    )


def _asked(item: Item, store: Store) -> Asked:
    gold = []
    for answer in item.answers:
        start, end = next(iter(places(answer, store)), (None, None))
        gold.append(Place(answer.document, answer.quote, start, end))
    return Asked(item.id, item.question, item.language, item.type, item.half, item.history, tuple(gold))


def _ask(item: Item, gold: Places, bench: _Bench) -> list[Outcome]:
    """The outcomes of one question: on the view of both languages, and on each where an answer is known."""
    told = {bench.languages[answer.document] for answer in item.answers if answer.document in bench.languages}
    names = [name for name in bench.views if name == "both" or not item.answers or told & set(VIEWS[name])]
    mine = {name: {d: p for d, p in gold.items() if bench.languages[d] in VIEWS[name]} for name in names}
    blank = [_blank(item, name, bench.relevant(mine[name], name)) for name in names]
    try:
        understood, stages = bench.understand(item.ask())
    except ClusterQAError:
        raise
    except Exception as error:
        return [_failed(outcome, error) for outcome in blank]
    if understood.query is None:
        return [
            replace(o, status=understood.remark or "", told_language=understood.language, **_times(stages))
            for o in blank
        ]
    outcomes = []
    for outcome in blank:
        try:
            outcomes.append(_on_view(item, understood, stages, outcome, mine[outcome.view], bench))
        except ClusterQAError:
            raise
        except Exception as error:
            outcomes.append(_failed(outcome, error))
    return outcomes


def _on_view(
    item: Item, understood: Understood, stages: Mapping[str, float], outcome: Outcome, gold: Places, bench: _Bench
) -> Outcome:
    assert understood.query is not None
    view = bench.views[outcome.view]
    begin = time.perf_counter()
    found = bench.search(understood, outcome.view)
    searched = time.perf_counter()
    answer = reply(item.ask(), understood.query, found, bench.calibration, view.generation)
    quoted = time.perf_counter()
    quotes = answer.quotes or answer.nearest
    right = [_right(quote, gold, bench.texts) for quote in quotes]
    held = [_holds(hit, gold) for hit in found.hits]
    bench.note_channels(outcome.key, outcome.view, understood, found)
    return replace(
        outcome,
        status=answer.status,
        rank=right.index(True) + 1 if True in right else 0,
        passage_rank=held.index(True) + 1 if True in held else 0,
        confidence=answer.confidence,
        exact=all(bench.texts[q.source.document][q.start : q.end] == q.text for q in quotes),
        told_language=understood.language,
        quote=quotes[0].text if quotes else "",
        document=quotes[0].source.document if quotes else "",
        features=features(understood.query, found) if found.hits else {},
        quotes=tuple(
            Shown(q.source.document, q.start, q.end, q.text, is_right)
            for q, is_right in zip(quotes, right, strict=True)
        ),
        ranked=bench.ranked(found, outcome.view),
        **_times({**stages, "search": searched - begin, "quote": quoted - searched}),
    )  # fmt: skip


def _search_beir(query_id: str, text: str, grades: Mapping[str, int], bench: _Bench) -> Outcome:
    relevant = tuple(Ranked(name, 0, 0, grade) for name, grade in grades.items() if grade > 0 and name != query_id)
    blank = Outcome(
        query_id, "both", "en", "beir", "held", True, "searched", 0, 0, 0.0, True, "en", 0.0, "", "", relevant=relevant
    )  # fmt: skip
    try:
        understood, stages = bench.understand(Question(text))
        blank = replace(blank, language=understood.language, told_language=understood.language)
        if understood.query is None:
            return replace(blank, **_times(stages))
        begin = time.perf_counter()
        found = bench.search(understood, "both")
        seconds = time.perf_counter() - begin
    except ClusterQAError:
        raise
    except Exception as error:
        return _failed(blank, error)
    best: dict[str, float] = {}
    for i, score in found.trace.ranking:
        name = beir_id(bench.views["both"].entries[i].passage.document)
        if name != query_id:
            best.setdefault(name, round(score, 6))  # the ranking is best first
    ranked = tuple(Ranked(name, 0, 0, score) for name, score in list(best.items())[:DEPTH])
    return replace(blank, ranked=ranked, **_times({**stages, "search": seconds}))


def _blank(item: Item, view: ViewName, relevant: tuple[Ranked, ...]) -> Outcome:
    """What is known of a question before it is asked: nothing is right yet."""
    return Outcome(
        item.id, view, item.language, item.type, item.half, bool(item.answers), "error", 0, 0, 0.0, True, item.language,
        0.0, "", "", twin=item.twin, relevant=relevant,
    )  # fmt: skip


def _failed(outcome: Outcome, error: Exception) -> Outcome:
    """A question that ended in an exception: wrong, never missing."""
    log.warning("The question %s (%s) failed.", outcome.id, outcome.view, exc_info=error)
    return replace(outcome, status="error", error=f"{type(error).__name__}: {error}")


def _measured(
    outcomes: Sequence[Outcome], alone: Mapping[str, Mapping[tuple[str, ViewName], list[str]]]
) -> list[Outcome]:
    """The outcomes with the search measures of the answerable ones, each of a question and view."""
    asked = {(o.view, o.key): o for o in outcomes if o.answerable}
    judged = {_name(*key): {row.key: int(row.score) for row in o.relevant} for key, o in asked.items()}
    rankings = {_name(*key): [row.key for row in o.ranked] for key, o in asked.items()}
    values = search_values(judged, rankings, SEARCH_MEASURES)
    for channel, found in alone.items():
        rankings = {_name(view, key): found.get((key, view), []) for view, key in asked}
        for name, measured in search_values(judged, rankings, CHANNEL_MEASURES).items():
            values[name].update({f"{channel} {measure}": value for measure, value in measured.items()})
    return [
        replace(o, search={m: round(v, 6) for m, v in values[_name(o.view, o.key)].items()}) if o.answerable else o
        for o in outcomes
    ]


def _name(view: ViewName, key: str) -> str:
    return f"{view}:{key}"


def _right(quote: Quote, gold: Places, texts: Mapping[str, str]) -> bool:
    """Whether a quote is one of the known places, or says word for word what one of them says."""
    if any(overlaps((quote.start, quote.end), place) for place in gold.get(quote.source.document, ())):
        return True
    return any(texts[document][a:b] in quote.text for document, places in gold.items() for a, b in places)


def _holds(hit: Hit, gold: Places) -> bool:
    passage = hit.passage
    return any(overlaps((passage.start, passage.end), place) for place in gold.get(passage.document, ()))


def _times(stages: Mapping[str, float]) -> dict[str, Any]:
    """Seconds → the fields `stages` and `milliseconds` of an outcome."""
    rounded = {stage: round(1000 * seconds, 3) for stage, seconds in stages.items()}
    return {"stages": rounded, "milliseconds": round(sum(rounded.values()), 2)}


def _facts(settings: Settings, store: Store, bench: _Bench) -> Run:
    """A run without outcomes: what it was made with."""
    corpus = {stored.id: stored.version for stored in store.documents()}
    return Run(
        questions_sha256="",
        encoder=bench.encoder.fingerprint,
        corpus=corpus,
        corpus_sha256=hashlib.sha256("".join(f"{k}\t{v}\n" for k, v in sorted(corpus.items())).encode()).hexdigest(),
        versions=_versions(PACKAGES),
        outcomes=(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings={
            "encoder": settings.encoder,
            "passage_chars": settings.passage_chars,
            "threads": settings.threads,
            "documents": len(corpus),
            "passages": store.counts()["passages"],
            "calibrated_for": bench.calibration.encoder,
        },
        weights=asdict(bench.weights),
        threshold=bench.calibration.threshold,
        index_bytes=sum(part.stat().st_size for part in settings.data.glob(f"{DATABASE}*") if _in_use(part.name)),
    )


def _in_use(name: str) -> bool:
    return name in (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm")


def _versions(packages: Iterable[str]) -> dict[str, str]:
    found = {"clusterqa": __version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # faiss comes by other names too
            continue
    return found


def _peak_memory() -> int | None:
    try:
        import resource
    except ImportError:  # not on Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak) if sys.platform == "darwin" else int(peak) * 1024
