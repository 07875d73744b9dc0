"""
A question to hits: two channels, each with scores that mean the same in both languages, added up.

Dense: the best cosine of a passage and its sentences, measured in standard deviations above the question's mean cosine
with all passages *of that passage's language*. An encoder that puts languages a little apart gives one of them higher
cosines throughout; against its own ground both are alike.

Lexical: which share of the question's words, weighed by rarity, the passage holds. A word may be held by itself (any of
its index terms), by a translation (the lexicon), or, when nobody in the corpus writes it, by its nearest neighbour in
spelling.

The sum is of these two and not of ranks: reciprocal rank fusion lets the lexical list of the wrong language, which
is noise, push right answers out (measured: 45 % → 16 % cross-lingual hits).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import process
from rapidfuzz.distance import OSA

from clusterqa import interaction
from clusterqa.analysis import content_words, term_in, terms, words
from clusterqa.expectation import Kind, expected, holds
from clusterqa.index import Cosines, Entry, View
from clusterqa.lexicon import Lexicon
from clusterqa.passages import sentence_texts
from clusterqa.records import Hit, Language
from clusterqa.store import Store

# Tuned on the fitting half of evaluation/questions.jsonl; see docs/decisions.md, which also names the command.
CANDIDATES = 400
"""Passages and sentences looked at in each language."""
DENSE_WEIGHT = 0.85
DENSE_SCALE = 6.0
"""Standard deviations above the mean at which the dense part is full."""
TRANSLATION_STRENGTH = 0.8
SPELLING_STRENGTH = 0.8
HEAD_STRENGTH = 0.6
"""A word held only by the title or a heading above the passage."""
TRANSLATION_FLOOR = 0.1
MAX_TRANSLATIONS = 4
MAX_WORDS = 40
TWIN_COSINE = 0.925
"""Passages of two translations of one document are the same place from this cosine on."""
DUPLICATE_COSINE = 0.985
"""Passages of one language with the same content words are near-identical from this cosine on."""
RERANKED = 60
"""Passages whose sentences are looked at one by one."""
PASSAGE_SHARE = 0.5
"""What the passage as a whole counts beside its best sentence."""
EXPECTED_BONUS = 0.15
"""For a sentence that holds the kind of thing asked for (a date, a sum, a name)."""
ANNOUNCEMENT_MALUS = 0.15
"""For a sentence that only announces a list which stands in the next passage."""
PIECE_SHARE = 0.7
"""What the comparison piece by piece counts beside that of whole texts, where there is one."""
PIECE_SCALE = 7.5
PRIOR_PASSAGES, PRIOR, PIECE_PRIOR = 20, (0.77, 0.03), (0.68, 0.047)
"""
What is assumed of the ground (mean, deviation) of a corpus too small to show one, as if so many passages had been seen:
of cosines of whole texts, and of those piece by piece.
"""


Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SearchWeights:
    """
    What an evaluation may vary without an index built anew; the defaults are the constants above, where each is explained.
    """

    candidates: int = CANDIDATES
    reranked: int = RERANKED
    dense_weight: float = DENSE_WEIGHT
    dense_scale: float = DENSE_SCALE
    translation_strength: float = TRANSLATION_STRENGTH
    spelling_strength: float = SPELLING_STRENGTH
    head_strength: float = HEAD_STRENGTH
    passage_share: float = PASSAGE_SHARE
    piece_share: float = PIECE_SHARE
    piece_scale: float = PIECE_SCALE
    expected_bonus: float = EXPECTED_BONUS
    announcement_malus: float = ANNOUNCEMENT_MALUS


WEIGHTS = SearchWeights()


@dataclass(frozen=True, slots=True)
class Query:
    """
    A question ready to be searched for: what is encoded and which words are looked up.

    `vector` is of unit length, and so is each row of `pieces`, of which there are none when the encoder compares whole
    texts only. `words` maps each content word to its weight in (0, 1]: 1 for a word of the question
    itself, less for one that an earlier question lends to it.
    """

    text: str
    language: Language
    vector: NDArray[np.float32]
    words: dict[str, float]
    pieces: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Concept:
    """One word of the question: its possible terms with their strength in (0, 1], and its weight (rarity × query weight)."""

    word: str
    variants: dict[str, float]
    weight: float
    found: int
    """How many passages hold it."""
    kind: str
    """How it was found: "word", "translation", "spelling" or "unknown"."""


@dataclass(frozen=True, slots=True)
class Trace:
    """The inside of one search, for the features of the confidence and for a developer who looks."""

    concepts: tuple[Concept, ...]
    ground: dict[Language, tuple[float, float]]
    """Mean and deviation of the cosines, by language of the passages."""
    dense: dict[int, float]
    """Passage id → best cosine, of every passage looked at."""
    lexical: Shares
    """Share of the question's words, by passage id."""
    ranking: tuple[tuple[int, float], ...]
    """
    (Passage id, score) of every passage looked at, best first, before translations and near-identical passages are
    merged. Those whose sentences were looked at come first; the scores of the others are of the first look.
    """


@dataclass(frozen=True, slots=True)
class Found:
    """Hits, best first, and how they came about."""

    hits: tuple[Hit, ...]
    trace: Trace


def search(query: Query, view: View, store: Store, lexicon: Lexicon, k: int, weights: SearchWeights = WEIGHTS) -> Found:
    """
    Find at most `k` passages for a question, best first, in either language.

    Translations of one document are merged (the reader gets the question's language where that version says it), and so
    are near-identical passages. Deterministic: equal scores are ordered by document id, then by place in it. Empty
    when the corpus is.
    """
    nearest = view.nearest(query.vector, weights.candidates)
    meaning = _Meaning(query, view, nearest, weights)
    concepts, lexical = _lexical(query, view, store, lexicon, weights)
    dense = {i: cosine for cosines in nearest.values() for i, cosine in cosines.best.items()}
    dense |= _best_cosines([i for i in _best(lexical, weights.candidates // 2) if i not in dense], view, query)
    scores = {i: fused(meaning.at_first(i, cosine), float(lexical[i]), weights) for i, cosine in dense.items()}
    looked_at = sorted(scores, key=lambda i: _rank_key(view.entries[i], scores[i]))
    depth = max(weights.reranked, 4 * k)
    first, rest = looked_at[:depth], looked_at[depth:]
    kind = expected(query.text)
    near = meaning.closely(first)
    sentences = {i: _sentence_scores(view, i, concepts, near[i], kind, weights) for i in first}
    for i in first:
        whole = fused(near[i].passage, float(lexical[i]), weights)
        scores[i] = weights.passage_share * whole + (1 - weights.passage_share) * max(sentences[i])
    order = sorted(first, key=lambda i: _rank_key(view.entries[i], scores[i]))
    trace = Trace(tuple(concepts), meaning.ground, dense, lexical, tuple((i, scores[i]) for i in (*order, *rest)))
    hits = []
    merged = _merged(order, scores, query.language, view, k)
    dense |= _best_cosines([i for i, _, _ in merged if i not in dense], view, query)
    if further := [i for i, _, _ in merged if i not in near]:
        near |= meaning.closely(further)
        sentences |= {i: _sentence_scores(view, i, concepts, near[i], kind, weights) for i in further}
    for i, score, twins in merged:
        entry = view.entries[i]
        hits.append(
            Hit(
                passage_id=i,
                passage=entry.passage,
                source=view.sources[entry.passage.document],
                score=min(max(score, 0.0), 1.0),
                dense=dense[i],
                meaning=near[i].passage,
                lexical=float(lexical[i]),
                sentence_scores=sentences[i],
                twins=twins,
            )
        )
    return Found(tuple(hits), trace)


def _best_cosines(ids: Sequence[int], view: View, query: Query) -> dict[int, float]:
    """The best cosine of each passage and its sentences, for those that were not among the nearest."""
    if not ids:
        return {}
    vectors = [view.entries[i].vectors for i in ids]
    cosines = np.concatenate(vectors).astype(np.float32) @ query.vector
    begins = np.cumsum([0, *(len(rows) for rows in vectors[:-1])])
    return dict(zip(ids, np.maximum.reduceat(cosines, begins).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class _Near:
    """How far a passage and each of its sentences stand out by meaning, in [0, 1]."""

    passage: float
    sentences: list[float]


class _Meaning:
    """How far passages stand out from the rest for one question: as whole texts, and piece by piece where there are pieces."""

    def __init__(self, query: Query, view: View, nearest: Mapping[Language, Cosines], weights: SearchWeights) -> None:
        self._query, self._view, self._weights = query, view, weights
        self.ground = {language: _ground(seen.passages, seen.count, PRIOR) for language, seen in nearest.items()}
        self._below = {language: _ground(seen.sentences, seen.count, PRIOR) for language, seen in nearest.items()}
        self._asked: interaction.Asked[Language] | None = None
        if len(query.pieces) and (samples := view.samples()):
            self._asked = interaction.Asked(query.pieces, samples)
            self._pieces = {
                language: tuple(
                    _ground(seen, nearest[language].count, PIECE_PRIOR) for seen in self._asked.ground(language)
                )
                for language in samples
            }

    def at_first(self, i: int, cosine: float) -> float:
        """By the best cosine of a passage and its sentences."""
        return dense_score(cosine, self.ground[self._view.entries[i].language], self._weights.dense_scale)

    def closely(self, ids: Sequence[int]) -> dict[int, _Near]:
        entries = [self._view.entries[i] for i in ids]
        found = {entry.id: self._by_vectors(entry) for entry in entries}
        pieced = [entry for entry in entries if len(entry.pieces)]
        if self._asked is None or not pieced:
            return found
        scores = self._asked.scores(interaction.Block(pieced))
        for entry, whole, cosines in zip(pieced, scores.passages.tolist(), scores.sentences, strict=True):
            of_passages, of_sentences = self._pieces[entry.language]
            known, scale = found[entry.id], self._weights.piece_scale
            found[entry.id] = _Near(
                self._both(dense_score(whole, of_passages, scale), known.passage),
                [
                    self._both(dense_score(cosine, of_sentences, scale), by_vector)
                    for cosine, by_vector in zip(cosines.tolist(), known.sentences, strict=True)
                ],
            )
        return found

    def _by_vectors(self, entry: Entry) -> _Near:
        first, *others = (entry.vectors.astype(np.float32) @ self._query.vector).tolist()
        scale, below = self._weights.dense_scale, self._below[entry.language]
        return _Near(
            dense_score(first, self.ground[entry.language], scale),
            [dense_score(cosine, below, scale) for cosine in others],
        )

    def _both(self, by_pieces: float, by_vector: float) -> float:
        return self._weights.piece_share * by_pieces + (1 - self._weights.piece_share) * by_vector


def fused(dense: float, lexical: float, weights: SearchWeights = WEIGHTS) -> float:
    """One score in [0, 1] of nearness by meaning and a share of words, each in [0, 1]."""
    return weights.dense_weight * dense + (1 - weights.dense_weight) * lexical


def dense_score(cosine: float, ground: tuple[float, float], scale: float = DENSE_SCALE) -> float:
    """How far a cosine stands out from the ground (mean, deviation): 0 at the mean, 1 at `scale` deviations."""
    mean, deviation = ground
    return min(max((cosine - mean) / (deviation * scale), 0.0), 1.0)


def _ground(seen: tuple[float, float], passages: int, prior: tuple[float, float]) -> tuple[float, float]:
    share = passages / (passages + PRIOR_PASSAGES)
    mean, deviation = (share * here + (1 - share) * assumed for here, assumed in zip(seen, prior, strict=True))
    return mean, deviation


def _rank_key(entry: Entry, score: float) -> tuple[float, str, int]:
    return (-round(score, 9), entry.passage.document, entry.passage.start)


def _lexical(
    query: Query, view: View, store: Store, lexicon: Lexicon, weights: SearchWeights
) -> tuple[list[Concept], Shares]:
    """
    The question's words as concepts, and the share of their weight that each passage holds.

    The shares stand in an array by passage id, with 0 for passages that hold none.
    """
    total = max(len(view), 1)
    size = max(view.entries, default=0) + 1
    concepts: list[Concept] = []
    strengths: list[Shares] = []
    for word, query_weight in list(query.words.items())[:MAX_WORDS]:
        variants = {term: 1.0 for term in terms(word)}
        kind, held = "word", np.zeros(size)
        _mark(held, view, store, variants, 1.0, weights)
        likely = [term for term, p in lexicon.related(word, query.language) if p >= TRANSLATION_FLOOR]
        translated = {term: weights.translation_strength for term in likely[:MAX_TRANSLATIONS] if term not in variants}
        if not held.any() and not any(character.isdigit() for character in word):
            variants.update(dict.fromkeys(_spelled_alike(word, view, store), weights.spelling_strength))
            _mark(held, view, store, variants, weights.spelling_strength, weights)
            kind = "spelling"
        if translated:
            if not held.any():
                kind = "translation"
            _mark(held, view, store, translated, weights.translation_strength, weights)
            variants = {**translated, **variants}
        count = int(np.count_nonzero(held))
        rarity = math.log(1 + (total - count + 0.5) / (count + 0.5))
        concepts.append(Concept(word, variants, query_weight * rarity, count, kind if count else "unknown"))
        strengths.append(held)
    weight = sum(concept.weight for concept in concepts)
    shares = np.zeros(size)
    if weight > 0:
        for concept, held in zip(concepts, strengths, strict=True):
            shares += concept.weight / weight * held
    return concepts, shares


def _mark(
    held: Shares, view: View, store: Store, variants: Iterable[str], strength: float, weights: SearchWeights
) -> None:
    """Raise to `strength` the passages that hold one of the terms in their body; in their head only, to less."""
    body, head = view.matching(store, tuple(sorted(variants)))
    held[head] = np.maximum(held[head], strength * weights.head_strength)
    held[body] = np.maximum(held[body], strength)


def _best(shares: Shares, k: int) -> list[int]:
    """The `k` passages with the largest shares above 0; ties: lower id first."""
    ids = np.flatnonzero(shares)
    return [int(i) for i in ids[np.lexsort((ids, -shares[ids]))][:k]]


def _spelled_alike(word: str, view: View, store: Store) -> list[str]:
    """Terms of the corpus one slip of the finger away (two for a long word); none for a short one."""
    plain = term_in(word, "lt")
    if len(plain) < 4:
        return []
    slips = 1 if len(plain) < 8 else 2
    found = process.extract(
        plain, view.vocabulary(store), scorer=OSA.distance, score_cutoff=slips, limit=3, processor=None
    )
    if not found:
        return []
    closest = min(distance for _, distance, _ in found)
    return sorted(term for term, distance, _ in found if distance == closest and term[0] == plain[0])


def _merged(
    order: Sequence[int], scores: dict[int, float], language: Language, view: View, k: int
) -> list[tuple[int, float, tuple[int, ...]]]:
    """
    At most `k` of (passage, score, merged passages), best first: one for each place, whatever language it is told in.

    A passage whose document has a translation in the question's language gives its score to the passage there that
    says the same, if one does; otherwise it stays as it is.
    """
    places: dict[int, float] = {}
    twins: dict[int, list[int]] = {}
    for i in order:
        place = _place(i, language, view)
        if place != i:
            twins.setdefault(place, []).append(i)
        places[place] = max(places.get(place, 0.0), scores[i], scores.get(place, 0.0))
    result: list[tuple[int, float, tuple[int, ...]]] = []
    kept: list[Entry] = []
    for i in sorted(places, key=lambda i: _rank_key(view.entries[i], places[i])):
        entry = view.entries[i]
        same = next((k for k, other in enumerate(kept) if _near_identical(entry, other)), None)
        if same is None:
            if len(result) == k:
                break
            kept.append(entry)
            result.append((i, places[i], tuple(sorted(twins.get(i, ())))))
        else:
            first, score, merged = result[same]
            result[same] = (first, score, tuple(sorted({*merged, i, *twins.get(i, ())})))
    return result


def _place(i: int, language: Language, view: View) -> int:
    entry = view.entries[i]
    twin = view.sources[entry.passage.document].translation
    if entry.language == language or twin is None or twin not in view.sources:
        return i
    if view.sources[twin].language != language:
        return i
    others = view.by_document.get(twin, [])
    if not others:
        return i
    rows = np.stack([view.entries[other].vectors[0] for other in others]).astype(np.float32)
    cosines = rows @ entry.vectors[0].astype(np.float32)
    # Translations follow the same order: of passages alike in meaning the one at the same depth is meant.
    here = _depth(entry, view)
    depths = np.array([_depth(view.entries[other], view) for other in others], dtype=np.float32)
    best = int(np.argmax(cosines - 0.3 * np.abs(depths - here)))
    return others[best] if cosines[best] >= TWIN_COSINE else i


def _depth(entry: Entry, view: View) -> float:
    """Where in its document a passage stands, 0 at the beginning, 1 at the end."""
    return entry.passage.ordinal / max(len(view.by_document[entry.passage.document]) - 1, 1)


def _near_identical(a: Entry, b: Entry) -> bool:
    if a.language != b.language:
        return False
    if a.key == b.key:
        return True
    # Rows that differ only in a figure or a name have almost the same vector, and are not the same at all.
    if a.figures != b.figures:
        return False
    if float(a.vectors[0].astype(np.float32) @ b.vectors[0].astype(np.float32)) < DUPLICATE_COSINE:
        return False
    return set(content_words(a.passage.text)) == set(content_words(b.passage.text))


def _sentence_scores(
    view: View, i: int, concepts: Sequence[Concept], near: _Near, kind: Kind | None, weights: SearchWeights
) -> tuple[float, ...]:
    """
    One score a sentence: how near it is by meaning, the share of the question's words that it holds (its title and
    headings count less), and whether it holds the kind of thing that is asked for.
    """
    entry = view.entries[i]
    passage = entry.passage
    head = _term_set(" ".join((view.sources[passage.document].title, *passage.heading, passage.lead)))
    texts = sentence_texts(passage)
    scores = [
        fused(dense, _share(concepts, _term_set(text), head, weights), weights)
        + (weights.expected_bonus if kind and holds(text, kind) else 0.0)
        for dense, text in zip(near.sentences, texts, strict=True)
    ]
    if texts[-1].endswith(":"):
        scores[-1] -= weights.announcement_malus
    return tuple(scores)


def coverage(text: str, concepts: Sequence[Concept]) -> float:
    """Which share of the question's weight of words a text holds, in [0, 1]."""
    return _share(concepts, _term_set(text), frozenset())


def _share(
    concepts: Sequence[Concept], body: frozenset[str], head: frozenset[str], weights: SearchWeights = WEIGHTS
) -> float:
    weight = sum(concept.weight for concept in concepts)
    if weight <= 0:
        return 0.0
    held = 0.0
    for concept in concepts:
        strengths = (
            strength if term in body else strength * weights.head_strength
            for term, strength in concept.variants.items()
            if term in body or term in head
        )
        held += concept.weight * max(strengths, default=0.0)
    return held / weight


@lru_cache(maxsize=16384)
def _term_set(text: str) -> frozenset[str]:
    return frozenset(term for word in words(text) for term in terms(word))
