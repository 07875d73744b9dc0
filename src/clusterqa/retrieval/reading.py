"""
The reader: question and passage read together, the last word on which hit answers, which sentence, in how few words.

It reads the best hits after translations and near-duplicates are merged, so that no place is read twice. How the search
ranked them is told to it, so that it starts where the search stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from clusterqa.passages import passage_texts
from clusterqa.ports import Encoder, Reader
from clusterqa.readers import Read, features
from clusterqa.readers import Reader as Network
from clusterqa.records import Hit, Query, Reading, Span, TokenStates, as_bytes
from clusterqa.retrieval.fusion import order_key
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.analysis import origin


class SmallReader(Reader):
    """The bundled reader's network behind the port."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.fingerprint = network.fingerprint

    def read(self, query: Query, hits: Sequence[Hit], tokens: Sequence[TokenStates]) -> list[Reading]:
        passages = [
            Read(own.states, own.ids, own.sentences(), len(hit.passage.sentences))
            for hit, own in zip(hits, tokens, strict=True)
        ]
        asked = query.encoded
        return self._network.read(as_bytes(asked.states), asked.ids, passages, features(hits, query.language))


def ordered(hits: Sequence[Hit], readings: Sequence[Reading], weights: SearchWeights) -> list[Hit]:
    """
    The hits that were read, best first: to the search's score of a passage and its sentences comes the reader's.

    The reader alone ranks no better than the search; the two together rank better than either (docs/measurements.md, 79).
    """
    read = [
        replace(
            hit,
            score=hit.score + weights.passage_reading * reading.answers,
            sentence_scores=tuple(
                score + weights.sentence_reading * logit
                for score, logit in zip(hit.sentence_scores, reading.sentences, strict=True)
            ),
        )
        for hit, reading in zip(hits, readings, strict=True)
    ]
    return sorted(read, key=lambda hit: order_key(hit.passage, hit.score))


def short_answer(hit: Hit, reading: Reading, first: int, last: int, encoder: Encoder) -> Span | None:
    """Where the shortest answer in the sentences `first` to `last` of a passage stands in its document; None without one."""
    best = max(range(first, last + 1), key=lambda i: reading.sentences[i])
    short = reading.shorts[best]
    if short.start == short.end:
        return None
    texts = passage_texts(hit.source.title, hit.passage)
    spans = encoder.token_spans(texts.whole)[short.start : short.end]
    before = len(" ".join(texts.parts[: best + 1])) + 1
    sentence = hit.passage.sentences[best]
    own = hit.passage.text[sentence.start - hit.passage.start : sentence.end - hit.passage.start]
    place = origin(own, spans[0][0] - before, spans[-1][1] - before) if spans else None
    return Span(sentence.start + place.start, sentence.start + place.end) if place else None
