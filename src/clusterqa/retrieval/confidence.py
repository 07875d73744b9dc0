"""
The confidence: a probability that the first quote answers the question, fitted on questions with known answers.

A logistic regression over a handful of features of a search. Which weights, and above which probability an answer is given,
stands in the profile of the encoder and reranker (`profile.py`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clusterqa.records import Concept, FirstLook, Hit, Query, Quote, Reading
from clusterqa.retrieval.dense import passage_background, standing
from clusterqa.retrieval.lexical import coverage
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.analysis import content_words


@dataclass(frozen=True, slots=True)
class Calibration:
    """
    P(right) = 1 / (1 + exp(−(bias + Σ weights[f] · (features[f] − means[f]) / scales[f]))).

    `threshold` is the operating point: below it the reply is an honest "not found".
    """

    weights: Mapping[str, float]
    means: Mapping[str, float]
    scales: Mapping[str, float]
    bias: float
    threshold: float
    fitted_on: str = ""
    outcomes: Sequence[tuple[float, int, int]] = ()
    """
    What the operating point was chosen from, one row for each question of the fitting half: (out-of-fold probability,
    1 if it can be answered, 1 if the first quote is right). The staff desk shows by it what another point would do.
    """

    def probability(self, features: Mapping[str, float]) -> float:
        """The probability in (0, 1) that the first quote answers; a feature that is not weighed does not count."""
        z = self.bias + sum(
            weight * (features.get(name, self.means[name]) - self.means[name]) / self.scales[name]
            for name, weight in self.weights.items()
        )
        return 1 / (1 + math.exp(-max(min(z, 30.0), -30.0)))


def features(
    query: Query,
    first: FirstLook,
    hits: Sequence[Hit],
    quotes: Sequence[Quote],
    readings: Mapping[int, Reading],
    weights: SearchWeights,
) -> dict[str, float]:
    """
    What the confidence in the first quote rests on; empty where there is none.

    Every value is about 0–1 (logits of a reader: about −5 to 5), and none depends on which two languages meet.
    """
    if not quotes:
        return {}
    top, concepts = hits[0], first.concepts
    total = sum(concept.weight for concept in concepts) or 1.0
    seen = first.neighbours[top.source.language]
    background = passage_background(seen.passages, seen.count, weights)
    heading = " ".join((top.source.title, *top.passage.heading))
    words = content_words(query.text)
    others = [hit.score for hit in hits[1:]]
    foreign = top.source.language != query.language
    read = _of_reader(top, readings)
    return read | {
        "score": top.score,
        "dense": standing(top.dense, background, weights.dense_scale),
        "cosine": top.dense,
        "meaning": top.meaning,
        "lexical": top.lexical,
        "sentence": max(top.sentence_scores),
        "quote_words": coverage(quotes[0].text, concepts),
        "place_words": coverage(f"{heading} {top.passage.lead} {top.passage.text}", concepts),
        # In a document of the other language nobody could have written the question's words.
        "unknown": 0.0 if foreign else sum(c.weight for c in concepts if c.kind == "unknown") / total,
        "rarest": _rarest_held(concepts, f"{heading} {top.passage.text}"),
        "lead": top.score - (others[0] if others else 0.0),
        "crowd": top.score - (sum(others[:5]) / len(others[:5]) if others else 0.0),
        "agreement": float(top.dense >= max(hit.dense for hit in hits))
        + float(top.lexical >= max(hit.lexical for hit in hits)),
        "length": math.log1p(len(words)),
        "foreign": float(foreign),
    }


def _of_reader(top: Hit, readings: Mapping[int, Reading]) -> dict[str, float]:
    """What a reader says of the first hit, and how it stands beside the others that were read."""
    if top.passage_id not in readings:
        return {}
    own = readings[top.passage_id]
    others = sorted((reading.answers for i, reading in readings.items() if i != top.passage_id), reverse=True)
    return {
        "answers": own.answers,
        "answering sentence": max(own.sentences),
        "answers next": others[0] if others else own.answers - 1,
        "answers others": sum(others) / len(others) if others else own.answers - 1,
        "by text": own.by_text,
        "by text best": max(reading.by_text for reading in readings.values()),
    }


def _rarest_held(concepts: Sequence[Concept], text: str) -> float:
    """Whether the question's weightiest word stands in the text: strength in [0, 1]."""
    if not concepts:
        return 0.0
    rarest = max(concepts, key=lambda c: c.weight)
    return coverage(text, [rarest]) if rarest.weight > 0 else 0.0
