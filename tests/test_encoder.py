"""The encoder: unit vectors, two languages in one space, prompts of its own, no network."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from clusterqa.encoders.sentence import SentenceEncoder, bundled_path, folder_fingerprint, prompts_of
from clusterqa.errors import EncoderError
from probes import told_by


@pytest.mark.encoder
def test_vectors_are_of_unit_length_and_keep_the_order_of_the_texts(bundled_encoder):
    texts = ["short", "a much longer text about clusters " * 4, "klasteris"]
    vectors = bundled_encoder.encode_passages(texts)
    assert vectors.shape == (3, bundled_encoder.dimension) == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    for text, vector in zip(texts, vectors, strict=True):
        np.testing.assert_allclose(bundled_encoder.encode_passages([text])[0], vector, atol=1e-4)


@pytest.mark.encoder
def test_no_texts_give_no_vectors(bundled_encoder):
    assert bundled_encoder.encode_passages([]).shape == bundled_encoder.encode_queries([]).shape == (0, 384)


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("lithuanian", "english", "other"),
    [
        ("Kiek kainuoja įstoti?", "How much does it cost to join?", "The weather was fine yesterday."),
        ("Įmonė eksportuoja į Vokietiją.", "The company exports to Germany.", "The children play in the garden."),
    ],
)
def test_a_sentence_is_nearer_to_its_translation_than_to_another(bundled_encoder, lithuanian, english, other):
    a, b, c = bundled_encoder.encode_queries([lithuanian, english, other])
    assert float(a @ b) > float(a @ c) + 0.05


@pytest.mark.encoder
def test_letters_without_diacritics_and_decomposed_ones_mean_the_same(bundled_encoder):
    composed, plain, decomposed = bundled_encoder.encode_queries(["ženklas", "zenklas", "z\u030cenklas"])
    assert float(composed @ plain) > 0.9999
    assert float(composed @ decomposed) > 0.9999


@pytest.mark.encoder
def test_texts_that_the_model_would_cut_off_are_named(bundled_encoder):
    assert bundled_encoder.cut_off(["short", "klasterio ženklas " * 400, "also short"]) == [1]


@pytest.mark.encoder
def test_another_folder_is_another_encoder(tmp_path):
    folder = tmp_path / "mine"
    shutil.copytree(bundled_path(), folder)
    encoder = SentenceEncoder.load(str(folder))
    assert encoder.fingerprint.startswith("mine@")
    assert encoder.encode_queries(["a"]).shape == (1, 384)


def test_a_word_in_the_model_card_changes_no_fingerprint_and_a_weight_does(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "README.md").write_text("one")
    (folder / "model.safetensors").write_bytes(b"weights")
    before = folder_fingerprint(folder)
    (folder / "README.md").write_text("two")
    assert folder_fingerprint(folder) == before
    (folder / "model.safetensors").write_bytes(b"others")
    assert folder_fingerprint(folder) != before


def test_an_encoder_that_is_not_there_is_named_with_the_next_step(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(EncoderError, match=r"cannot be loaded.*--encoder"):
        SentenceEncoder.load(str(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("name", "prompts", "wanted"),
    [
        ("all-MiniLM-L6-v2", {}, {"query": "", "document": ""}),
        ("intfloat/multilingual-e5-small", {}, {"query": "query: ", "document": "passage: "}),
        ("mine", {"query": "ask: ", "document": "doc: "}, {"query": "ask: ", "document": "doc: "}),
        ("mine", {"query": "q: ", "passage": "p: "}, {"query": "q: ", "document": "p: "}),
    ],
)
def test_prompts_are_the_models_own_or_those_of_its_family(name, prompts, wanted):
    assert prompts_of(prompts, name) == wanted


@pytest.mark.encoder
def test_the_bundled_encoder_asks_nothing_of_the_network():
    """Every attempt to look up or reach another host fails loudly; the encoder works all the same."""
    probe = (
        "import socket\n"
        "def refuse(*a, **k): raise SystemExit('the network was asked')\n"
        "socket.getaddrinfo = socket.create_connection = refuse\n"
        "socket.socket.connect = refuse\n"
        "from clusterqa.encoders.sentence import SentenceEncoder\n"
        "print(SentenceEncoder.load().encode_queries(['labas']).shape)\n"
    )
    assert told_by(probe) == "(1, 384)"
