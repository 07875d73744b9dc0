"""Late interaction: a question's tokens against a passage's, worked out on paper and against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from clusterqa.records import Encoded, TokenStates, as_bytes
from clusterqa.retrieval.late_interaction import AskedTokens, TokenBlock
from clusterqa.retrieval.profile import Profile

X, Y, Z = np.eye(3, dtype=np.float32)


WEIGHTS = Profile.bundled().search
PRIOR = (WEIGHTS.common_token_prior, WEIGHTS.prior_passages)


def passage_of(*parts: list[NDArray[np.float32]]) -> TokenStates:
    """A passage whose parts (what stands above it, then each sentence) have these tokens."""
    rows = [token for part in parts for token in part]
    around = [X + Y + Z]  # the marks of beginning and end, which are not compared
    states = as_bytes(np.array([*around, *rows, *around], dtype=np.float32))
    cuts = np.cumsum([1, *map(len, parts)]).astype(np.int32)
    return TokenStates(states, np.zeros(len(states), dtype=np.int32), cuts)


def question_of(*tokens: NDArray[np.float32]) -> Encoded:
    """A question of these tokens, each one character of its text."""
    states = np.stack([X + Y + Z, *tokens])
    return Encoded(X, states, np.zeros(len(states), dtype=np.int32), np.arange(len(states)))


def asked(*tokens: NDArray[np.float32], sample: TokenStates | None = None) -> AskedTokens:
    return AskedTokens(question_of(*tokens), {"en": TokenBlock([sample or passage_of([Z], [Z])])}, PRIOR)


def test_a_token_looks_for_the_nearest_token_of_the_passage_and_of_each_sentence():
    passage = passage_of([Z], [X, Y], [(X + Y) / np.sqrt(2, dtype=np.float32)])
    scores = asked(X).scores(TokenBlock([passage]))
    assert scores.passages[0] == pytest.approx(1.0)
    assert scores.sentences[0].tolist() == pytest.approx([1.0, np.sqrt(0.5)], abs=0.005)


def test_what_stands_above_a_sentence_counts_for_it():
    passage = passage_of([X], [Y], [Z])
    scores = asked(X, Y).scores(TokenBlock([passage]))
    assert scores.passages[0] == pytest.approx(1.0)
    assert scores.sentences[0].tolist() == pytest.approx([1.0, 0.5])


def test_tokens_that_every_passage_is_near_to_count_less():
    common = passage_of([], [X])
    question = AskedTokens(question_of(X, Y), {"en": TokenBlock([common] * 60), "lt": TokenBlock([common] * 60)}, PRIOR)
    mean = np.array([60, 0]) + PRIOR[1] * PRIOR[0]
    weight = (1 - mean / (60 + PRIOR[1])) ** 2
    only_common, only_rare = question.scores(TokenBlock([passage_of([], [X]), passage_of([], [Y])])).passages
    assert only_common == pytest.approx(weight[0] / weight.sum(), rel=1e-3)
    assert only_rare == pytest.approx(weight[1] / weight.sum(), rel=1e-3)
    assert only_rare > 5 * only_common


def test_in_a_corpus_of_one_passage_no_token_is_taken_for_common():
    """Or what the only passage is about would be what counts least."""
    only = passage_of([], [X])
    question = AskedTokens(question_of(X, Y), {"en": TokenBlock([only])}, PRIOR)
    assert question.scores(TokenBlock([only])).passages[0] > 0.4


def test_the_background_is_mean_and_deviation_over_the_sample():
    near, far = passage_of([], [X]), passage_of([], [Y], [Y])
    question = AskedTokens(question_of(X), {"en": TokenBlock([near, far])}, PRIOR)
    (mean, deviation), (of_sentences, _) = question.background("en")
    assert (mean, deviation, of_sentences) == pytest.approx((0.5, 0.5, 1 / 3))


def test_a_sentence_beyond_what_the_encoder_reads_has_no_token_and_is_not_near():
    passage = passage_of([Z], [X], [])
    assert asked(X).scores(TokenBlock([passage])).sentences[0].tolist() == pytest.approx([1.0, 0.0])


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.lists(st.lists(st.integers(0, 3), min_size=2, max_size=4), min_size=1, max_size=5))
def test_many_passages_at_once_are_compared_as_one_by_one(seed, shapes):
    draw = np.random.default_rng(seed)

    def unit(count: int) -> list[NDArray[np.float32]]:
        rows = draw.normal(size=(count, 3))
        return list((rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32))

    passages = [passage_of(unit(1), *map(unit, shape[1:])) for shape in shapes]
    question = asked(*unit(4))
    together = question.scores(TokenBlock(passages))
    for at, passage in enumerate(passages):
        alone = question.scores(TokenBlock([passage]))
        assert together.passages[at] == pytest.approx(float(alone.passages[0]), abs=1e-5)
        np.testing.assert_allclose(together.sentences[at], alone.sentences[0], atol=1e-5)
        assert len(together.sentences[at]) == len(passage.cuts) - 2
