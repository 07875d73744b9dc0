"""
The closer look: each of the best candidates read sentence by sentence.

`LateInteraction` compares question and passage token by token where the encoder has token embeddings, and by the vectors of
whole texts and sentences; adds the words that a sentence holds; and prefers sentences that hold the kind of thing asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from clusterqa.passages import sentence_texts
from clusterqa.ports import Index, Reranker
from clusterqa.records import Background, Concept, FirstLook, IndexedPassage, Language, Query, Reranked
from clusterqa.retrieval.dense import passage_background, standing, token_background
from clusterqa.retrieval.fusion import fused
from clusterqa.retrieval.late_interaction import SAMPLED, AskedTokens, TokenBlock, has_text
from clusterqa.retrieval.lexical import share, term_set
from clusterqa.retrieval.weights import SearchWeights
from clusterqa.text.answer_types import AnswerType, expected, holds


@dataclass(frozen=True, slots=True)
class _Near:
    """How far a passage and each of its sentences stand out by meaning, in [0, 1]."""

    passage: float
    sentences: list[float]


class LateInteraction(Reranker):
    """The reranker that needs nothing but the encoder. Keeps a sample of one generation at a time."""

    name = "late_interaction"

    def __init__(self, weights: SearchWeights) -> None:
        self._weights = weights
        self._sampled: tuple[Index, int, str, dict[Language, TokenBlock]] | None = None

    def rerank(self, query: Query, ids: Sequence[int], first: FirstLook, index: Index) -> list[Reranked]:
        weights, kind = self._weights, expected(query.text)
        entries = index.fetch(ids)
        verdicts = []
        for entry, near in zip(entries, self._nearness(query, entries, first, index), strict=True):
            sentences = self._sentences(entry, near, first.concepts, kind, index)
            whole = fused(near.passage, float(first.lexical[entry.id]), weights)
            score = weights.passage_share * whole + (1 - weights.passage_share) * max(sentences)
            verdicts.append(Reranked(score, sentences, near.passage))
        return verdicts

    def _nearness(self, query: Query, entries: Sequence[IndexedPassage], first: FirstLook, index: Index) -> list[_Near]:
        weights = self._weights
        found = self._by_vectors(query, entries, first)
        samples = self._samples(index) if query.encoded.ends.any() else {}
        if not samples or not entries:
            return found
        tokens = index.tokens([entry.id for entry in entries])
        places = [place for place, own in enumerate(tokens) if has_text(own)]
        asked = AskedTokens(query.encoded, samples, (weights.common_token_prior, weights.prior_passages))
        backgrounds: dict[Language, tuple[Background, Background]] = {}
        for language in samples:
            of_passages, of_sentences = asked.background(language)
            count = first.neighbours[language].count
            backgrounds[language] = (
                token_background(of_passages, count, weights),
                token_background(of_sentences, count, weights),
            )
        if not places:
            return found
        scores = asked.scores(TokenBlock([tokens[place] for place in places]))
        for place, whole, cosines in zip(places, scores.passages.tolist(), scores.sentences, strict=True):
            of_passages, of_sentences = backgrounds[entries[place].language]
            known = found[place]
            found[place] = _Near(
                self._both(standing(whole, of_passages, weights.token_scale), known.passage),
                [
                    self._both(standing(cosine, of_sentences, weights.token_scale), by_vector)
                    for cosine, by_vector in zip(cosines.tolist(), known.sentences, strict=True)
                ],
            )
        return found

    def _by_vectors(self, query: Query, entries: Sequence[IndexedPassage], first: FirstLook) -> list[_Near]:
        if not entries:
            return []
        weights = self._weights
        rows = np.concatenate([entry.rows for entry in entries]).astype(np.float32)
        cosines = iter((rows @ query.encoded.vector).tolist())
        backgrounds = {
            language: (
                passage_background(seen.passages, seen.count, weights),
                passage_background(seen.sentences, seen.count, weights),
            )
            for language, seen in first.neighbours.items()
        }
        found = []
        for entry in entries:
            of_passages, of_sentences = backgrounds[entry.language]
            whole, *others = islice(cosines, len(entry.rows))
            found.append(
                _Near(
                    standing(whole, of_passages, weights.dense_scale),
                    [standing(cosine, of_sentences, weights.dense_scale) for cosine in others],
                )
            )
        return found

    def _both(self, by_tokens: float, by_vector: float) -> float:
        return self._weights.token_share * by_tokens + (1 - self._weights.token_share) * by_vector

    def _samples(self, index: Index) -> dict[Language, TokenBlock]:
        kept = self._sampled
        if kept is None or kept[0] is not index or kept[1:3] != (index.generation, index.epoch):
            samples = {}
            for language, entries in index.sample(SAMPLED).items():
                if tokens := [own for own in index.tokens([entry.id for entry in entries]) if has_text(own)]:
                    samples[language] = TokenBlock(tokens)
            self._sampled = kept = (index, index.generation, index.epoch, samples)
        return kept[3]

    def _sentences(
        self, entry: IndexedPassage, near: _Near, concepts: Sequence[Concept], kind: AnswerType | None, index: Index
    ) -> tuple[float, ...]:
        """
        One score a sentence: how near it is by meaning, the share of the question's words that it holds (its title and
        headings count less), and whether it holds the kind of thing that is asked for.
        """
        weights, passage = self._weights, entry.passage
        source = index.source(passage.document)
        head = term_set(" ".join((source.title if source else "", *passage.heading, passage.lead)))
        texts = sentence_texts(passage)
        scores = [
            fused(dense, share(concepts, term_set(text), head, weights.head_strength), weights)
            + (weights.answer_type_bonus if kind and holds(text, kind) else 0.0)
            for dense, text in zip(near.sentences, texts, strict=True)
        ]
        if texts[-1].endswith(":"):
            scores[-1] -= weights.announcement_malus
        return tuple(scores)
