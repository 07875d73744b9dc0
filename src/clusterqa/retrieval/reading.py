"""
The reader: question and passage read together, the last word on which hit answers, which sentence, in how few words.

It reads the best hits after translations and near-duplicates are merged, so that no place is read twice. How the search
ranked them is told to it, so that it starts where the search stands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from clusterqa.passages import passage_texts
from clusterqa.ports import Encoder, Reader
from clusterqa.readers import Read, features
from clusterqa.readers import Reader as Network
from clusterqa.records import Hit, Query, Reading, Span, TokenStates, as_bytes
from clusterqa.retrieval.fusion import order_key
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.analysis import origin
from clusterqa.text.answer_types import expected, says_unknown, things


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


def leaning(hits: Sequence[Hit], by_itself: Mapping[int, float], weight: float) -> tuple[Hit, ...]:
    """
    The hits of a follow-up that was read behind earlier questions: to each score comes, `weight` times, how much more than to
    the others the follow-up gives it by itself, for what answers only the earlier questions was told already.
    """
    own = [by_itself.get(hit.passage_id, 0.0) for hit in hits]
    mean = sum(own) / max(len(own), 1)
    leant = (replace(hit, score=hit.score + weight * (score - mean)) for hit, score in zip(hits, own, strict=True))
    return tuple(sorted(leant, key=lambda hit: order_key(hit.passage, hit.score)))


RANGE_GAP = 8
"""Characters between the two ends of a range: "three days to one month"."""
LONGEST_MARKED = 90
"""Characters of a short answer that is marked; more are no short answer."""


def short_answer(
    hit: Hit, reading: Reading, first: int, last: int, encoder: Encoder, question: str
) -> tuple[Span, bool] | None:
    """
    Where the shortest answer in the sentences `first` to `last` of a passage stands in its document, and whether it is sure
    enough to be marked for people; None without one.

    It is sure where the question asks for a kind of thing and the answer holds the only one of its sentence, or a range of
    two; the reader's score tells right ones from wrong ones no better (docs/measurements.md, 87). Half of such a thing
    ("dvejus" of „dvejus metus“) is made whole.
    """
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
    if place is None:
        return None
    kind = expected(question)
    held = things(own, kind) if kind else []
    asked = [found for found in held if found[0] < place.end and place.start < found[1]]
    if asked:
        place = Span(min(place.start, asked[0][0]), max(place.end, asked[-1][1]))
    one = len(held) == 1 or (len(held) == 2 and held[1][0] - held[0][1] <= RANGE_GAP)
    span = Span(sentence.start + place.start, sentence.start + place.end)
    return span, bool(asked) and one and not says_unknown(own) and _can_be_marked(own[place.start : place.end])


def _can_be_marked(text: str) -> bool:
    """Whether a short answer is short, lies in one cell of a table, and tears no bracket or quotation mark from its pair."""
    pairs = [("(", ")"), ("[", "]"), ("„" if "„" in text else "“", "“" if "„" in text else "”")]
    return (
        len(text) <= LONGEST_MARKED
        and " | " not in text
        and all(text.count(opening) == text.count(closing) for opening, closing in pairs)
    )
