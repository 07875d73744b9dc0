"""The contract of every encoder: unit vectors that depend on the text alone, and token embeddings that fit to it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from clusterqa.encoders.passing import PassingEncoder, RememberingPassages, RememberingQueries
from clusterqa.ports import Encoder
from words_encoder import WordsEncoder, WordTokens

MADE: dict[str, Callable[[], Encoder]] = {
    "words": WordsEncoder,
    "word tokens": WordTokens,
    "passing": lambda: PassingEncoder(WordTokens()),
    "remembering queries": lambda: RememberingQueries(WordTokens()),
    "remembering passages": lambda: RememberingPassages(WordTokens()),
}
BUNDLED = pytest.param("bundled", marks=pytest.mark.encoder)

TEXTS = (
    "Kiek kainuoja aukso ženklas?",
    "The gold label has a price of 2,250 euro.",
    "KLASTERIS jungia narius ir ekspertus; klasteris rašo ataskaita.",
    "z\u030cenklas 中文 \U0001f600",
    "gold",
    "?",
)


@pytest.fixture(scope="module", params=[*MADE, BUNDLED])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    if request.param == "bundled":
        found: Encoder = request.getfixturevalue("bundled_encoder")
        return found
    return MADE[request.param]()


@pytest.mark.parametrize("side", ["encode_queries", "encode_passages"])
def test_each_text_has_a_unit_row(encoder: Encoder, side: str) -> None:
    rows = getattr(encoder, side)(TEXTS)
    assert (rows.shape, rows.dtype) == ((len(TEXTS), encoder.dimension), np.float32)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("side", ["encode_queries", "encode_passages"])
def test_no_texts_have_no_rows(encoder: Encoder, side: str) -> None:
    assert getattr(encoder, side)([]).shape == (0, encoder.dimension)
    assert encoder.read_passages([]) == []
    assert list(encoder.cut_off([])) == []


@pytest.mark.parametrize("side", ["encode_queries", "encode_passages"])
def test_a_vector_depends_on_its_text_alone(encoder: Encoder, side: str) -> None:
    """Not on the texts beside it, nor on those before."""
    encode = getattr(encoder, side)
    together = encode(TEXTS)
    np.testing.assert_array_equal(encode(TEXTS), together)
    np.testing.assert_allclose(encode(TEXTS[::-1])[::-1], together, atol=1e-5)
    for text, row in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(encode([text])[0], row, atol=1e-5)


def test_what_is_alike_in_meaning_is_nearer(encoder: Encoder) -> None:
    (asked,) = encoder.encode_queries(["What is the price of the gold label?"])
    near, far = encoder.encode_passages(["The gold label has a price.", "Each member of a cluster gets food."])
    assert float(asked @ near) > float(asked @ far) + 0.05


def test_a_text_read_with_its_tokens_has_the_same_vector(encoder: Encoder) -> None:
    for text, row in zip(TEXTS, encoder.encode_queries(TEXTS), strict=True):
        np.testing.assert_allclose(encoder.read_query(text).vector, row, atol=1e-5)
    read = encoder.read_passages(TEXTS)
    np.testing.assert_allclose(np.stack([one.vector for one in read]), encoder.encode_passages(TEXTS), atol=1e-5)


def test_every_token_has_its_states_its_number_and_the_place_that_it_ends_at(encoder: Encoder) -> None:
    read = [*map(encoder.read_query, TEXTS), *encoder.read_passages(TEXTS)]
    for text, one in zip((*TEXTS, *TEXTS), read, strict=True):
        assert len(one.states) == len(one.ids) == len(one.ends)
        assert np.isfinite(one.states).all()
        ends = [end for end in one.ends.tolist() if end]  # 0 for what stands around the text
        assert ends == sorted(ends)
        assert all(end <= len(text) for end in ends)


def test_the_tokens_of_a_passage_stand_where_their_ends_say(encoder: Encoder) -> None:
    for text, read in zip(TEXTS, encoder.read_passages(TEXTS), strict=True):
        spans = encoder.token_spans(text)
        if spans:
            assert [end for _, end in spans] == read.ends.tolist()
            assert all(0 <= start <= end for start, end in spans)


def test_progress_adds_up_to_the_texts(encoder: Encoder) -> None:
    texts = [f"{text} {number}" for number in range(20) for text in TEXTS]
    for encode in (encoder.encode_passages, encoder.read_passages):
        told: list[int] = []
        encode(texts, told.append)
        assert sum(told) == len(texts)
        assert min(told) > 0


def test_texts_longer_than_it_reads_are_named_by_their_places(encoder: Encoder) -> None:
    assert list(encoder.cut_off(["gold " * 20_000, *TEXTS, "label " * 20_000])) == [0, len(TEXTS) + 1]


def test_several_threads_get_what_one_gets(encoder: Encoder) -> None:
    texts = [f"klausimas {number} apie gold label " * (1 + number % 5) for number in range(40)]
    alone = [encoder.encode_queries([text])[0] for text in texts]
    with ThreadPoolExecutor(8) as threads:
        for row, found in zip(alone, threads.map(lambda text: encoder.encode_queries([text])[0], texts), strict=True):
            np.testing.assert_array_equal(found, row)


def test_the_fingerprint_tells_encoders_apart(encoder: Encoder) -> None:
    assert encoder.fingerprint
    assert encoder.fingerprint != WordsEncoder(words=("other",)).fingerprint
