"""
The one way of a question: understand → candidates → rerank → merge → read → quote → confidence → reply.

    trace = Pipeline(encoder, index, reranker, reader, lexicon, profile).ask(question)

Everything that anybody wants to know of a question is read from its `Trace`: the chat takes the reply, an evaluation the
ranking, the staff desk the inside.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Self

from clusterqa.encoders.passing import PassingEncoder
from clusterqa.ports import Encoder, Index, Reader, Reranker, Vectors
from clusterqa.records import (
    LANGUAGES,
    Concept,
    Encoded,
    FirstLook,
    Hit,
    Language,
    Query,
    Question,
    Quote,
    Reading,
    Remark,
    Reply,
    Reranked,
    Trace,
)
from clusterqa.retrieval.confidence import features
from clusterqa.retrieval.dense import best_cosines
from clusterqa.retrieval.fusion import first_look, order_key
from clusterqa.retrieval.merge import Merged, Places, merge
from clusterqa.retrieval.preference import explains, preferred
from clusterqa.retrieval.profile import Profile
from clusterqa.retrieval.quote import (
    FAIRLY_SURE,
    MAX_QUOTES,
    compares,
    quotable,
    quote,
    remark_reply,
    reply,
    shows,
    tells_of_a_table,
    together,
    window,
)
from clusterqa.retrieval.reading import leaning, ordered, short_answer
from clusterqa.retrieval.understand import is_ellipsis, understand
from clusterqa.text.asked_parts import AskedPart, asked_parts
from clusterqa.text.countries import is_of_another_country
from clusterqa.text.lacking import lacks
from clusterqa.text.lexicon import Lexicon
from clusterqa.text.times import is_of_another_time

DEPTH = 10
"""Hits of a question: three are quoted, the others show how far the first stands out."""
READ_TWICE = 4
"""Hits that are read in both languages, where they are told in both (docs/measurements.md, 139)."""
OTHER_LANGUAGE = 0.4
"""What the reading of a place in the other language weighs of both."""
OTHER_READING = 0.3
"""What the less sure reading of a question weighs in the confidence of its answer (docs/measurements.md, 116)."""
BY_ITSELF = 0.3
"""What the score that a follow-up gives a passage by itself weighs beside that which it gives with the questions before it."""


class Pipeline:
    """
    Puts the stages together over one index. Thread-safe: encoder and reader work in parallel, the index behind a lock.

    Every question is answered from the newest generation, which another process may have written a moment ago.
    """

    def __init__(
        self,
        encoder: Encoder,
        index: Index,
        reranker: Reranker,
        reader: Reader | None,
        lexicon: Lexicon,
        profile: Profile,
    ) -> None:
        self.encoder = encoder
        self.index = index
        self.reranker = reranker
        self.reader = reader
        self.lexicon = lexicon
        self.profile = profile
        self._places = Places(index)
        self._lock = threading.Lock()

    def refresh(self) -> bool:
        """Take up the newest generation; says whether there was one. Raises IndexOutdated, StoreError."""
        with self._lock:
            return self.index.refresh()

    def ask(self, question: Question, depth: int = DEPTH) -> Trace:
        """
        One question through all stages, with at most `depth` hits; of two readings of it the one in whose reply the confidence is
        higher by more than its doubt, the likelier one where it is not. Deterministic: equal scores are ordered by document id,
        then by place in it. There is no hit, and the reply is "not found", when the index is empty.
        """
        clock = _Clock()
        encoder = _TimedEncoder(self.encoder)
        readings = understand(question, encoder, self.profile.search.replaces_cosine)
        clock.lap("understand", less=encoder.seconds)
        clock.milliseconds["encode"] = 1000 * encoder.seconds
        if isinstance(readings, Remark):
            return Trace(question, readings, remark_reply(question, readings), milliseconds=clock.milliseconds)
        try:
            with _Turn(self._lock, self.index, clock) as turn:
                return self._answer(question, readings, depth, clock, turn)
        except _Changed:  # while the reader read: once more, without letting go
            with _Turn(self._lock, self.index, clock, lets_go=False) as turn:
                return self._answer(question, readings, depth, clock, turn)

    def _answer(self, question: Question, readings: Sequence[Query], depth: int, clock: _Clock, turn: _Turn) -> Trace:
        trace = self._likeliest(question, readings, depth, clock, turn)
        parts = asked_parts(question.text, trace.reply.language)
        if not parts or (not parts[-1].leans and compares(trace.reply, parts)):
            return trace
        reply = together(trace.reply, parts, self._each(question, parts, trace.reply.language, turn))
        clock.lap("parts")
        return replace(trace, reply=reply, milliseconds=clock.milliseconds)

    def _likeliest(
        self, question: Question, readings: Sequence[Query], depth: int, clock: _Clock, turn: _Turn
    ) -> Trace:
        """The reading of which the answer is surest; the less sure the other one is, the less sure is that it was meant."""
        alone = min(readings, key=lambda query: len(query.text))
        first = self._search(question, alone, depth, clock, turn)
        by_itself = dict(first.ranking)
        found = [
            (first if query is alone else self._search(question, query, depth, clock, turn, by_itself), query)
            for query in readings
        ]
        chosen, query = max(found, key=lambda one: one[0].reply.confidence - one[1].doubt)
        least = min(trace.reply.confidence for trace, _ in found)
        sure = chosen.reply.confidence - OTHER_READING * (chosen.reply.confidence - least)
        if sure == chosen.reply.confidence:
            return chosen
        quotes = chosen.reply.quotes or chosen.reply.nearest
        return replace(chosen, reply=self._reply(question, query, chosen.hits, quotes, sure))

    def _each(self, question: Question, parts: Sequence[AskedPart], language: Language, turn: _Turn) -> list[Reply]:
        """The replies to the parts of a question, each asked alone; one that leans, after the one before."""
        replies, before = [], question.history
        for part in parts:
            asked = Question(part.question, before if part.leans else question.history, language)
            with turn.away():
                readings = understand(asked, self.encoder, self.profile.search.replaces_cosine)
            if isinstance(readings, Remark):
                replies.append(remark_reply(asked, readings))
            else:
                replies.append(self._likeliest(asked, readings, DEPTH, _Clock(), turn).reply)
            before = (*question.history, part.question)
        return replies

    def _search(
        self,
        question: Question,
        query: Query,
        depth: int,
        clock: _Clock,
        turn: _Turn,
        by_itself: Mapping[int, float] | None = None,
    ) -> Trace:
        weights, calibration = self.profile.search, self.profile.calibration
        first = first_look(query, self.index, self.lexicon, weights)
        clock.lap("candidates")
        ids = [candidate.passage for candidate in first.candidates]
        read, rest = ids[: max(weights.reranked, 4 * depth)], ids[max(weights.reranked, 4 * depth) :]
        verdicts = dict(zip(read, self.reranker.rerank(query, read, first, self.index), strict=True))
        clock.lap("rerank")
        entries = sorted(self.index.fetch(read), key=lambda entry: order_key(entry.passage, verdicts[entry.id].score))
        order = [entry.id for entry in entries]
        scores = {candidate.passage: candidate.score for candidate in first.candidates}
        scores |= {i: verdict.score for i, verdict in verdicts.items()}
        hits = self._hits(query, first, order, scores, verdicts, max(depth, weights.read if self.reader else 0))
        clock.lap("merge")
        readings: dict[int, Reading] = {}
        if self.reader and hits:
            hits, readings = self._read(query, hits, first, verdicts, self.reader, turn)
            clock.lap("read")
        if by_itself is not None:
            hits = leaning(hits, by_itself, BY_ITSELF)
        hits = preferred(question.text, hits, _named(question, query, first))[:depth]
        quotes = self._quotes(query, hits, first, readings)
        values = features(query, first, hits, quotes, readings, weights)
        confidence = calibration.probability(values) if quotes else 0.0
        if quotes and not self._may_answer(question, quotes[0]):  # no answer, but perhaps a place worth a look
            confidence = min(confidence, calibration.threshold / 2)
        answer = self._reply(question, query, hits, quotes, confidence)
        clock.lap("quote")
        # What was merged into a hit stands where the hit stands.
        read_first = hits if readings else ()
        places = {i: rank for rank, hit in enumerate(read_first) for i in (hit.passage_id, *hit.merged)}
        ranking = sorted(((i, scores[i]) for i in (*order, *rest)), key=lambda row: places.get(row[0], len(places)))
        return Trace(question, query, answer, first, tuple(ranking), hits, values, clock.milliseconds, readings)

    def _reply(
        self, question: Question, query: Query, hits: Sequence[Hit], quotes: tuple[Quote, ...], confidence: float
    ) -> Reply:
        threshold = self.profile.calibration.threshold
        if quotes and explains(question.text, quotes[0], hits[0]) and self._may_answer(question, quotes[0]):
            confidence = max(confidence, threshold, FAIRLY_SURE)
        if confidence < FAIRLY_SURE:  # a mark in a quote that may be wrong would only look sure
            quotes = tuple(replace(made, sure=False) for made in quotes)
        return reply(question, query, quotes, confidence, threshold, self.index.generation)

    def _read(
        self,
        query: Query,
        hits: tuple[Hit, ...],
        first: FirstLook,
        verdicts: Mapping[int, Reranked],
        reader: Reader,
        turn: _Turn,
    ) -> tuple[tuple[Hit, ...], dict[int, Reading]]:
        """
        The hits in the order of the reader, those behind that it did not read as they were. It reads the best ones in both
        languages, so that the language of a question tells less.
        """
        best, rest = hits[: self.profile.search.read], hits[self.profile.search.read :]
        told_twice = self._translated(query, best[:READ_TWICE], first, verdicts)
        ids = [hit.passage_id for hit in best]
        tokens, others = self.index.tokens(ids), self.index.tokens([hit.passage_id for hit in told_twice.values()])
        with turn.away():
            readings = dict(zip(ids, reader.read(query, best, tokens), strict=True))
            again = reader.read(query, list(told_twice.values()), others) if told_twice else []
        for i, reading in zip(told_twice, again, strict=True):
            both = (1 - OTHER_LANGUAGE) * readings[i].answers + OTHER_LANGUAGE * reading.answers
            readings[i] = replace(readings[i], answers=both)
        return (*ordered(best, [readings[i] for i in ids], self.profile.search), *rest), readings

    def _translated(
        self, query: Query, hits: Sequence[Hit], first: FirstLook, verdicts: Mapping[int, Reranked]
    ) -> dict[int, Hit]:
        """By the passage of each hit the same place in the other language, where there is one."""
        cosine = self.profile.search.same_place_cosine
        told: dict[int, Merged] = {}
        for hit in hits:
            (other,) = (language for language in LANGUAGES if language != hit.source.language)
            place = self._places.place_in(hit.passage_id, other, cosine)
            if place != hit.passage_id:
                told[hit.passage_id] = (place, hit.score, ())
        return dict(zip(told, self._made(query, list(told.values()), first, verdicts), strict=True))

    def _quotes(
        self, query: Query, hits: tuple[Hit, ...], first: FirstLook, readings: Mapping[int, Reading]
    ) -> tuple[Quote, ...]:
        made: list[Quote] = []
        for hit in quotable(hits):
            if len(made) == MAX_QUOTES:
                break
            self.index.confirm([hit.passage_id])
            begin, end = window(hit, first.concepts, self.profile.search.neighbour_share)
            reading = readings.get(hit.passage_id)
            found = short_answer(hit, reading, begin, end, self.encoder, query.text) if reading else None
            short, sure = found or (None, False)
            document = self.index.read(hit.passage.document)
            listed = not made and tells_of_a_table(hit, hits)
            cut = quote(hit, begin, end, document, asked=query.text, short=short, sure=sure, listed=listed)
            if not any(shows(earlier, cut) for earlier in made):
                made.append(cut)
        return tuple(made)

    def _may_answer(self, question: Question, quote: Quote) -> bool:
        """Whether what is shown of a quote holds what is plainly asked for, of the time and the country that is asked about."""
        shown = " ".join((quote.text, *(part.text for part in quote.selection)))
        source = quote.source
        told = " ".join((source.title, source.date or "", quote.heading, quote.passage.text, shown))
        document = self.index.read(source.document).text
        return not (
            lacks(question.text, shown)
            or is_of_another_time(question.text, told, document, quote.closed)
            or is_of_another_country(question.text, told)
        )

    def _hits(
        self,
        query: Query,
        first: FirstLook,
        order: Sequence[int],
        scores: dict[int, float],
        verdicts: Mapping[int, Reranked],
        depth: int,
    ) -> tuple[Hit, ...]:
        merged = merge(order, scores, query.language, self.index, depth, self.profile.search, self._places)
        return tuple(self._made(query, merged, first, verdicts))

    def _made(
        self, query: Query, merged: Sequence[Merged], first: FirstLook, verdicts: Mapping[int, Reranked]
    ) -> list[Hit]:
        ids = [i for i, _, _ in merged]
        # A translation may be told from a passage that neither channel found.
        unread = [i for i in ids if i not in verdicts]
        verdicts = {**verdicts} | dict(zip(unread, self.reranker.rerank(query, unread, first, self.index), strict=True))
        cosines = {candidate.passage: candidate.cosine for candidate in first.candidates}
        unseen = best_cosines([i for i in ids if i not in cosines], query, self.index)
        cosines |= {i: cosine for i, (_, cosine) in unseen.items()}
        hits = []
        for entry, (i, score, others) in zip(self.index.fetch(ids), merged, strict=True):
            source = self.index.source(entry.passage.document)
            assert source is not None  # an index holds no passage of a document that it does not know
            hits.append(
                Hit(
                    passage_id=i,
                    passage=entry.passage,
                    source=source,
                    score=min(max(score, 0.0), 1.0),
                    dense=cosines[i],
                    meaning=verdicts[i].meaning,
                    lexical=float(first.lexical[i]),
                    sentence_scores=verdicts[i].sentences,
                    merged=others,
                )
            )
        return hits


def _named(question: Question, query: Query, first: FirstLook) -> tuple[Concept, ...]:
    """What a question names that says nothing else and leans on the one before ("o auksas?"); nothing for all others."""
    if not is_ellipsis(question.text):
        return ()
    own = tuple(concept for concept in first.concepts if query.words.get(concept.word) == 1)
    return own if len(own) < len(query.words) else ()


class _Changed(Exception):
    """The index took up something else while a question had let go of it."""


class _Turn:
    """
    A question's turn with the index, which sees one state of it from beginning to end. `away` lets others have it meanwhile,
    unless `lets_go` is false, and raises _Changed when it is no longer the same afterwards.
    """

    def __init__(self, lock: threading.Lock, index: Index, clock: _Clock, lets_go: bool = True) -> None:
        self._lock, self._index, self._clock, self._lets_go = lock, index, clock, lets_go
        self._held = ExitStack()

    def __enter__(self) -> Self:
        self._take()
        self._changes = self._index.changes
        return self

    def __exit__(self, *error: Any) -> None:
        self._held.__exit__(*error)

    @contextmanager
    def away(self) -> Iterator[None]:
        if not self._lets_go:
            yield
            return
        self._held.close()
        try:
            yield
        finally:
            self._take()
        if self._index.changes != self._changes:
            raise _Changed

    def _take(self) -> None:
        with ExitStack() as stack, self._clock.waiting():
            stack.enter_context(self._lock)
            stack.enter_context(self._index.reading())
            self._held = stack.pop_all()


class _Clock:
    """Milliseconds of stages, one after the other; of a stage that is gone through twice their sum. To wait belongs to none of them."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}
        self._begin = time.perf_counter()

    def lap(self, stage: str, less: float = 0.0) -> None:
        """The stage that ends here, without `less` seconds that belong to another."""
        now = time.perf_counter()
        self.milliseconds[stage] = self.milliseconds.get(stage, 0.0) + 1000 * (now - self._begin - less)
        self._begin = now

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Until the index is this question's, and a new generation taken up."""
        begin = time.perf_counter()
        yield
        waited = time.perf_counter() - begin
        self.milliseconds["wait"] = self.milliseconds.get("wait", 0.0) + 1000 * waited
        self._begin += waited


class _TimedEncoder(PassingEncoder):
    """Adds up the time that one question takes to encode, so that it can be told from the reading around it."""

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
