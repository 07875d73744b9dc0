"""One run: every question against every view, and what came of it."""

from __future__ import annotations

import datetime
import hashlib
import logging
import platform
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from heapq import nsmallest
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from clusterqa import __version__, runtime
from clusterqa.encoders.passing import RememberingQueries
from clusterqa.errors import ClusterQAError
from clusterqa.evaluation.beir import BeirSet, beir_id
from clusterqa.evaluation.figures import of_every_split
from clusterqa.evaluation.measures import (
    CHANNEL_MEASURES,
    SEARCH_MEASURES,
    SHORT_MEASURES,
    UNJUDGED,
    overlaps,
    search_values,
    short_scores,
)
from clusterqa.evaluation.outcomes import BEIR, VIEWS, Asked, Outcome, Place, Ranked, Run, Shown, ViewName
from clusterqa.evaluation.resume import Kept
from clusterqa.evaluation.sets import Item, digest, places, spans
from clusterqa.evaluation.tables import CHANNELS, latencies
from clusterqa.ports import Encoder, Store
from clusterqa.records import Hit, IndexedPassage, Language, Question, Quote, Remark, Trace
from clusterqa.retrieval.merge import place_in
from clusterqa.retrieval.pipeline import Pipeline
from clusterqa.retrieval.profile import NO_READER, Profile
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.settings import Settings
from clusterqa.store import open_store, size

log = logging.getLogger(__name__)

DEPTH = 100
"""Passages of a ranking that are kept."""
CHANNEL_DEPTH = 10
SHOWN, BEGINNING = 5, 300
"""Documents that a report shows for a query that failed, and the letters of each."""
PACKAGES = ("openvino", "torch", "sentence-transformers", "faiss-cpu", "PyStemmer", "ir_measures")

Places = dict[str, list[tuple[int, int]]]
Tick = Callable[[], object]


@dataclass(frozen=True, slots=True)
class _Bench:
    """
    What every question of a run is put to: a pipeline for each view, and one that searches by meaning alone.

    They share an encoder that encodes a question once for all of them.
    """

    store: Store
    profile: Profile
    pipelines: Mapping[ViewName, Pipeline]
    by_meaning: Mapping[ViewName, Pipeline]
    texts: Mapping[str, str]
    languages: Mapping[str, Language]
    alone: dict[str, dict[tuple[str, ViewName], list[str]]] = field(
        default_factory=lambda: {channel: {} for channel in CHANNELS}
    )
    """Channel → (question, view) → what that channel alone would rank first; filled as questions are asked."""

    def ranked(self, trace: Trace, name: ViewName, most: int = DEPTH) -> tuple[Ranked, ...]:
        rows = []
        for entry, (_, score) in zip(
            self._fetch([i for i, _ in trace.ranking[:most]], name), trace.ranking, strict=False
        ):
            passage = entry.passage
            rows.append(Ranked(passage.document, passage.start, passage.end, round(score, 6)))
        return tuple(rows)

    def relevant(self, gold: Places, name: ViewName) -> tuple[Ranked, ...]:
        """The passages of a view that hold one of the places: the answers, whatever way the documents are split."""
        index = self.pipelines[name].index
        return tuple(
            Ranked(passage.document, passage.start, passage.end, 1)
            for document in sorted(gold)
            for passage in (entry.passage for entry in index.fetch(index.passages_of(document)))
            if any(overlaps((passage.start, passage.end), place) for place in gold[document])
        )

    def note_channels(self, key: str, name: ViewName, trace: Trace) -> None:
        """Keep what each channel would rank first if it were asked alone; ties by document and place."""
        assert trace.first is not None
        lexical = trace.first.lexical
        entries = self._fetch([int(i) for i in lexical.nonzero()[0]], name)
        passages = ((-round(float(lexical[entry.id]), 9), entry.passage) for entry in entries)
        held = nsmallest(CHANNEL_DEPTH, passages, key=lambda row: (row[0], row[1].document, row[1].start))
        self.alone["lexical"][key, name] = [Ranked(p.document, p.start, p.end, 0).key for _, p in held]
        by_meaning = self.by_meaning[name].ask(trace.question)
        self.alone["dense"][key, name] = [row.key for row in self.ranked(by_meaning, name, CHANNEL_DEPTH)]

    def place(self, quote: Quote, trace: Trace, name: ViewName) -> str:
        """The name of the passage that a quote was cut from, in Lithuanian where a translation says the same."""
        for hit in trace.hits:
            passage = hit.passage
            if passage.document == quote.source.document and passage.start <= quote.start < passage.end:
                index, cosine = self.pipelines[name].index, self.profile.search.same_place_cosine
                [entry] = index.fetch([place_in(hit.passage_id, "lt", index, cosine)])
                return Ranked(entry.passage.document, entry.passage.start, entry.passage.end, 0).key
        return ""

    def _fetch(self, ids: Sequence[int], name: ViewName) -> list[IndexedPassage]:
        return self.pipelines[name].index.fetch(ids)


def _meaning_alone(profile: Profile) -> Profile:
    """The same search without words: whole texts and, where there are any, token embeddings."""
    weights = replace(
        profile.search,
        dense_weight=1.0,
        answer_type_bonus=0.0,
        announcement_malus=0.0,
        # As far apart as before, but short of the upper bound: no ties at the top.
        dense_scale=4 * profile.search.dense_scale,
        token_scale=4 * profile.search.token_scale,
    )
    return replace(profile, search=weights)


def run(
    items: Sequence[Item],
    settings: Settings,
    encoder: Encoder,
    tick: Tick | None = None,
    *,
    weights: SearchWeights | None = None,
    resume: Path | None = None,
) -> Run:
    """
    Ask every question on every view; those of one language only where an answer is known in that language.

    Each question is encoded once for all its views. One that ends in an exception counts as wrong; only what the person
    at the keyboard can mend (ClusterQAError) ends the run. Variants among the items are kept apart from the rest. `tick`
    is called after each question. `weights` in place of those of the encoder's profile. `resume` is a file that keeps each
    question as soon as it was asked; a later run with the same search takes what is there. Raises IndexNotFound or
    IndexOutdated when the index does not fit the settings.
    """
    with open_store(settings.home) as store:
        bench = _bench(store, settings, encoder, weights, VIEWS)
        kept = Kept(resume, _facts(settings, store, bench)) if resume else None
        outcomes: list[Outcome] = []
        asked: list[Asked] = []
        for item in items:
            if not item.variant:
                asked.append(_asked(item, store))
            outcomes += _once(kept, item, bench, partial(_ask, item, spans(item, store), bench))
            if tick:
                tick()
        if kept:
            kept.close()
        outcomes = _measured(outcomes, bench.alone)
        made = replace(
            _facts(settings, store, bench),
            questions_sha256=digest([item for item in items if not item.variant]),
            outcomes=tuple(o for o in outcomes if not o.variant),
            variants=tuple(o for o in outcomes if o.variant),
            questions=tuple(asked),
            latency=latencies([o for o in outcomes if not o.variant]),
            peak_memory_bytes=_peak_memory(),
        )
        return replace(made, figures=of_every_split(made))


def run_beir(
    beir: BeirSet,
    settings: Settings,
    encoder: Encoder,
    tick: Tick | None = None,
    *,
    weights: SearchWeights | None = None,
    resume: Path | None = None,
) -> Run:
    """
    Search for every query of a BEIR folder that has judgements; `settings` are those that `beir.index` gave.

    A document is as good as its best passage. As in the beir package, a document with the id of the query is left out.
    """
    with open_store(settings.home) as store:
        bench = _bench(store, settings, encoder, weights, {"both": VIEWS["both"]})
        kept = Kept(resume, _facts(settings, store, bench)) if resume else None
        outcomes: list[Outcome] = []
        for query_id, grades in beir.qrels.items():
            asked = query_id, beir.queries.get(query_id, ""), grades, beir.slices.get(query_id, ())
            outcomes += _once(kept, asked, bench, partial(_search_beir, *asked, bench))
            if tick:
                tick()
        if kept:
            kept.close()
        outcomes = _measured(outcomes, {}, (*SEARCH_MEASURES, UNJUDGED))
        made = replace(
            _facts(settings, store, bench),
            questions_sha256=beir.sha256,
            outcomes=tuple(outcomes),
            kind="beir",
            latency=latencies(outcomes),
            questions=tuple(
                Asked(o.id, beir.queries.get(o.id, ""), o.language, o.type, o.split) for o in outcomes
            ),
            peak_memory_bytes=_peak_memory(),
            texts=_beginnings(beir, outcomes),
        )  # fmt: skip
        return replace(made, figures=of_every_split(made))


def _once(kept: Kept | None, asked: object, bench: _Bench, ask: Callable[[], list[Outcome]]) -> list[Outcome]:
    """What is kept of a question, or what comes of asking it now."""
    if kept and (found := kept.get(asked)):
        outcomes, alone = found
        for channel, views in alone.items():
            bench.alone[channel].update({(o.key, o.view): views[o.view] for o in outcomes if o.view in views})
        return outcomes
    outcomes = ask()
    if kept and all(o.status != "error" for o in outcomes):  # what failed is asked again
        alone = {
            channel: {o.view: ranked[o.key, o.view] for o in outcomes if (o.key, o.view) in ranked}
            for channel, ranked in bench.alone.items()
        }
        kept.put(asked, outcomes, alone)
    return outcomes


def _beginnings(beir: BeirSet, outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Of the documents that a report shows for the queries that found nothing relevant."""
    failed = [o for o in outcomes if not o.search.get("nDCG@10")]
    named = {row.document for o in failed for row in (*o.ranked[:SHOWN], *o.relevant[:SHOWN])}
    return {
        name: " — ".join(filter(None, (title, text[:BEGINNING])))
        for name in sorted(named & beir.documents.keys())
        for title, text in (beir.documents[name],)
    }


def _bench(
    store: Store,
    settings: Settings,
    encoder: Encoder,
    weights: SearchWeights | None,
    views: Mapping[ViewName, tuple[Language, ...]],
) -> _Bench:
    runtime.limit_threads()
    encoder = RememberingQueries(encoder)
    reader = runtime.load_reader(settings, encoder)
    profile = runtime.find_profile(settings, encoder, reader)
    if weights is not None:
        profile = replace(profile, search=weights)
    pipelines = {
        name: runtime.pipeline(settings, encoder, languages=own, profile=profile) for name, own in views.items()
    }
    meaning = _meaning_alone(profile)
    encoder.encode_queries(["Kiek laiko galioja ženklas?"])  # the first text takes longer, and would be nobody's time
    documents = store.documents()
    return _Bench(
        store=store,
        profile=profile,
        pipelines=pipelines,
        by_meaning={
            name: Pipeline(encoder, made.index, runtime.reranker(settings, meaning.search), None, made.lexicon, meaning)
            for name, made in pipelines.items()
        },
        texts={stored.id: store.text(stored.id, stored.version) or "" for stored in documents},
        languages={stored.id: stored.language for stored in documents},
    )


def _asked(item: Item, store: Store) -> Asked:
    gold = []
    for answer in item.answers:
        start, end = next(iter(places(answer, store)), (None, None))
        gold.append(Place(answer.document, answer.quote, start, end, answer.short))
    return Asked(item.id, item.question, item.language, item.type, item.split, item.history, tuple(gold), item.pair)


def _ask(item: Item, gold: Places, bench: _Bench) -> list[Outcome]:
    """The outcomes of one question: on the view of both languages, and on each where an answer is known."""
    told = {bench.languages[answer.document] for answer in item.answers if answer.document in bench.languages}
    names = [name for name in bench.pipelines if name == "both" or not item.answers or told & set(VIEWS[name])]
    mine = {name: {d: p for d, p in gold.items() if bench.languages[d] in VIEWS[name]} for name in names}
    blank = [_blank(item, name, bench.relevant(mine[name], name)) for name in names]
    outcomes = []
    for outcome in blank:
        try:
            outcomes.append(_on_view(item, outcome, mine[outcome.view], bench))
        except ClusterQAError:
            raise
        except Exception as error:
            outcomes.append(_failed(outcome, error))
    return outcomes


def _on_view(item: Item, outcome: Outcome, gold: Places, bench: _Bench) -> Outcome:
    trace = bench.pipelines[outcome.view].ask(item.ask())
    answer = trace.reply
    outcome = replace(outcome, status=answer.status, told_language=answer.language, **_times(trace))
    if isinstance(trace.understood, Remark):
        return replace(outcome, status=trace.understood.kind)
    quotes = answer.quotes or answer.nearest
    right = [_right(quote, gold, bench.texts) for quote in quotes]
    held = [_holds(hit, gold) for hit in trace.hits]
    bench.note_channels(outcome.key, outcome.view, trace)
    first = quotes[0] if quotes else None
    known = [gold.short for gold in item.answers if gold.short]
    return replace(
        outcome,
        short=first.short_text if first else "",
        reading=short_scores((first.short_text or first.text) if first else "", known) if known else {},
        place=bench.place(first, trace, outcome.view) if first else "",
        rank=right.index(True) + 1 if True in right else 0,
        passage_rank=held.index(True) + 1 if True in held else 0,
        confidence=answer.confidence,
        exact=all(bench.texts[q.source.document][q.start : q.end] == q.text for q in quotes),
        quote=quotes[0].text if quotes else "",
        document=quotes[0].source.document if quotes else "",
        features=dict(trace.features),
        quotes=tuple(
            Shown(q.source.document, q.start, q.end, q.text, is_right)
            for q, is_right in zip(quotes, right, strict=True)
        ),
        ranked=bench.ranked(trace, outcome.view),
    )


def _search_beir(
    query_id: str, text: str, grades: Mapping[str, float], slices: tuple[str, ...], bench: _Bench
) -> list[Outcome]:
    """The one outcome of a query."""
    judged = [Ranked(name, 0, 0, grade) for name, grade in grades.items() if name != query_id]
    blank = Outcome(
        query_id, "both", "en", BEIR, "held", True, "searched", 0, 0, 0.0, True, "en", 0.0, "", "",
        slices=slices, relevant=tuple(row for row in judged if row.score > 0), irrelevant=tuple(row for row in judged if row.score <= 0),
    )  # fmt: skip
    try:
        trace = bench.pipelines["both"].ask(Question(text))
    except ClusterQAError:
        raise
    except Exception as error:
        return [_failed(blank, error)]
    language = trace.reply.language
    best: dict[str, float] = {}
    for entry, (_, score) in zip(
        bench.pipelines["both"].index.fetch([i for i, _ in trace.ranking]), trace.ranking, strict=True
    ):
        name = beir_id(entry.passage.document)
        if name != query_id:
            best.setdefault(name, round(score, 6))  # the ranking is best first
    ranked = tuple(Ranked(name, 0, 0, score) for name, score in list(best.items())[:DEPTH])
    return [replace(blank, language=language, told_language=language, ranked=ranked, **_times(trace))]


def _blank(item: Item, view: ViewName, relevant: tuple[Ranked, ...]) -> Outcome:
    """What is known of a question before it is asked: nothing is right yet."""
    return Outcome(
        item.id, view, item.language, item.type, item.split, bool(item.answers), "error", 0, 0, 0.0, True, item.language,
        0.0, "", "", variant=item.variant, relevant=relevant,
        reading=dict.fromkeys(SHORT_MEASURES, 0.0) if any(gold.short for gold in item.answers) else {},
    )  # fmt: skip


def _failed(outcome: Outcome, error: Exception) -> Outcome:
    """A question that ended in an exception: wrong, never missing."""
    log.warning("The question %s (%s) failed.", outcome.id, outcome.view, exc_info=error)
    return replace(outcome, status="error", error=f"{type(error).__name__}: {error}")


def _measured(
    outcomes: Sequence[Outcome],
    alone: Mapping[str, Mapping[tuple[str, ViewName], list[str]]],
    measures: Sequence[str] = SEARCH_MEASURES,
) -> list[Outcome]:
    """The outcomes with the search measures of the answerable ones, each of a question and view."""
    asked = {(o.view, o.key): o for o in outcomes if o.answerable}
    judged = {_name(*key): {row.key: row.score for row in (*o.relevant, *o.irrelevant)} for key, o in asked.items()}
    rankings = {_name(*key): [row.key for row in o.ranked] for key, o in asked.items()}
    values = search_values(judged, rankings, measures)
    for channel, found in alone.items():
        rankings = {_name(view, key): found.get((key, view), []) for view, key in asked}
        for name, measured in search_values(judged, rankings, CHANNEL_MEASURES).items():
            values[name].update({f"{channel} {measure}": value for measure, value in measured.items()})
    return [replace(o, search=values[_name(o.view, o.key)]) if o.answerable else o for o in outcomes]


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


def _times(trace: Trace) -> dict[str, Any]:
    """The fields `stages` and `milliseconds` of an outcome."""
    rounded = {stage: round(value, 3) for stage, value in trace.milliseconds.items()}
    return {"stages": rounded, "milliseconds": round(sum(rounded.values()), 2)}


def _facts(settings: Settings, store: Store, bench: _Bench) -> Run:
    """A run without outcomes: what it was made with."""
    corpus = {stored.id: stored.version for stored in store.documents()}
    return Run(
        questions_sha256="",
        encoder=bench.pipelines["both"].encoder.fingerprint,
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
            "reranker": settings.reranker,
            "reader": reader.fingerprint if (reader := bench.pipelines["both"].reader) else NO_READER,
            "calibrated_for": bench.profile.encoder,
        },
        weights=asdict(bench.profile.search),
        threshold=bench.profile.calibration.threshold,
        index_bytes=size(settings.home),
    )


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
