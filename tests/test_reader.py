"""The reader of question and passage, as the product runs it, against the same arithmetic as it learns."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).parent.parent / "training" / "reader"))

from model import Model, Shape

from clusterqa.encoders.openvino import PROJECTION
from clusterqa.encoders.sentence import bundled_path
from clusterqa.errors import EncoderError
from clusterqa.readers import Read, Reader, features
from clusterqa.readers.features import Features, of_scores
from clusterqa.readers.reader import LONGEST_SHORT
from clusterqa.records import Hit, Passage, Reading, Source, Span, as_bytes
from data import Asked, Pair, Shard, batch

SCORES = [(0.61, 0.84, 0.5, 0.7), (0.55, 0.86, 0.6, 0.2), (0.3, 0.8, 0.2, 0.4)]
SENTENCES = [[0.5, 0.62], [0.4], [0.3, 0.1, 0.2]]


@pytest.fixture(scope="module")
def model() -> Model:
    """Random weights, in none of which a zero could hide a mistake."""
    torch.manual_seed(7)
    found = Model(Shape(layers=2), torch.randn(192, 384), torch.rand(500)).eval()
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
        found.passage_features_mean.fill_(0.2)
        found.sentence_features_scale.fill_(0.5)
    return found


@pytest.fixture(scope="module")
def reader(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("reader")
    model.save(folder, half=False)
    return Reader.load(folder)


@pytest.fixture(scope="module")
def shard() -> Shard:
    """A question of 14 pieces and three passages of 9, 30 and 14, with two, one and three sentences; some fill their grid."""
    random = np.random.default_rng(3)
    lengths, sentences = [14, 9, 30, 14], [0, 2, 1, 3]
    begins = np.concatenate([[0], np.cumsum(lengths)])
    parts = [np.full(14, -1)]
    for length, count in zip(lengths[1:], sentences[1:], strict=True):
        parts.append(np.concatenate([[-1, -1], np.sort(np.arange(length - 3) % count), [-1]]))
    question = Asked(
        "q", "bundles", "w1", "lt", "plain", "conversation", 0, [0, 1, 2],
        of_scores(SCORES, SENTENCES, [False, True, False]), {0: [1]}, {}, {}, True,
    )  # fmt: skip
    return Shard(
        "tiny",
        begins,
        random.integers(-127, 128, (begins[-1], 192)).astype(np.int8),
        random.integers(0, 500, begins[-1]).astype(np.int32),
        np.zeros((begins[-1], 2), dtype=np.int32),
        np.concatenate(parts).astype(np.int16),
        [{"text": number, "language": "lt", "sentences": sentences[number]} for number in (1, 2, 3)],
        [question],
    )


def asked(reader: Reader, shard: Shard, which: list[int], known: Features | None) -> list[Reading]:
    rows = shard.piece_rows(0)
    return reader.read(shard.states[rows], shard.ids[rows], [shard.read(passage) for passage in which], known)


def test_the_product_reads_as_the_reader_has_learnt(model: Model, reader: Reader, shard: Shard) -> None:
    """OpenVINO's graph and torch's agree on every logit, with the search's features."""
    question = shard.questions[0]
    read = batch([Pair(shard, question, passage, passage) for passage in question.candidates])
    with torch.no_grad():
        logits = model(read)
    found = asked(reader, shard, [0, 1, 2], question.features)
    for number, pair in enumerate(read.pairs):
        reading, first = found[pair.passage], int(read.sentences[number])
        assert reading.answers == pytest.approx(float(logits.passages[number]), abs=1e-3)
        assert reading.by_text == pytest.approx(float(logits.by_texts[0][number]), abs=1e-3)
        count = len(reading.sentences)
        assert reading.sentences == pytest.approx(logits.sentences[first : first + count].tolist(), abs=1e-3)
        edges = logits.edges[int(read.told[number]) :]
        for short in reading.shorts:
            score = float(edges[short.start, 0] + edges[short.end - 1, 1])
            assert short.score == pytest.approx(score, abs=1e-3)


def test_a_passage_is_judged_alike_whatever_is_read_beside_it(reader: Reader, shard: Shard) -> None:
    together = asked(reader, shard, [0, 1, 2], None)
    for passage in (0, 1, 2):
        (alone,) = asked(reader, shard, [passage], None)
        assert alone.answers == pytest.approx(together[passage].answers, abs=1e-3)
        assert alone.sentences == pytest.approx(together[passage].sentences, abs=1e-3)
        assert [(s.start, s.end) for s in alone.shorts] == [(s.start, s.end) for s in together[passage].shorts]


def test_what_the_search_found_changes_the_judgement(reader: Reader, shard: Shard) -> None:
    with_it = asked(reader, shard, [0, 1, 2], shard.questions[0].features)
    without = asked(reader, shard, [0, 1, 2], None)
    assert all(abs(a.answers - b.answers) > 0.01 for a, b in zip(with_it, without, strict=True))
    assert [a.by_text for a in with_it] == pytest.approx([b.answers for b in without], abs=1e-4)


def test_a_short_answer_lies_within_one_sentence(reader: Reader, shard: Shard) -> None:
    for passage, reading in enumerate(asked(reader, shard, [0, 1, 2], None)):
        kept = shard.read(passage)
        assert len(reading.shorts) == len(reading.sentences) == kept.sentences
        for number, short in enumerate(reading.shorts):
            assert 0 < short.end - short.start <= LONGEST_SHORT
            assert set(kept.sentence[short.start : short.end].tolist()) == {number}
        best = int(np.argmax(reading.sentences))
        assert reading.short == reading.shorts[best]


def test_a_sentence_of_which_nothing_is_read_has_no_short_answer(reader: Reader, shard: Shard) -> None:
    kept = shard.read(0)
    longer = Read(kept.states, kept.ids, kept.sentence, kept.sentences + 1)
    rows = shard.piece_rows(0)
    (reading,) = reader.read(shard.states[rows], shard.ids[rows], [longer])
    assert len(reading.sentences) == 3
    assert (reading.shorts[2].start, reading.shorts[2].end) == (0, 0)


def test_nothing_to_read_gives_nothing(reader: Reader, shard: Shard) -> None:
    assert asked(reader, shard, [], None) == []


def test_states_keep_direction_and_order_of_size_in_eight_bits(model: Model) -> None:
    rows = np.random.default_rng(1).normal(size=(20, 384)).astype(np.float32)
    exact = rows @ model.cut.numpy().T
    states = as_bytes(exact)
    assert states.dtype == np.int8 and states.shape == (20, 192)
    assert np.abs(states).max(axis=1).tolist() == [127] * 20
    kept = states.astype(np.float32)
    cosines = (exact * kept).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(kept, axis=1)
    assert cosines.min() > 0.999
    assert np.array_equal(as_bytes(3 * rows @ model.cut.numpy().T), states)


def test_features_tell_how_a_passage_stands_beside_the_others() -> None:
    known = of_scores(SCORES, SENTENCES, [False, True, False])
    assert known.passages[:, 0].tolist() == pytest.approx([0.61, 0.55, 0.3])
    assert known.passages[:, 1].tolist() == pytest.approx([0, -0.06, -0.31])
    assert known.passages[:, 2].tolist() == pytest.approx([0.06, -0.06, -0.31])
    assert known.passages[:, 9].tolist() == pytest.approx([1, 1 / 2, 1 / 3])
    assert known.passages[:, 11].tolist() == [0, 1, 0]
    assert known.sentences[0].tolist() == [pytest.approx([0.5, -0.12, -0.12, 0]), pytest.approx([0.62, 0, 0, 1])]


def test_features_of_hits_are_those_of_their_numbers() -> None:
    hits = [
        Hit(
            passage_id=number,
            passage=Passage("d.md", number, 0, 5, "Taip.", (Span(0, 5),)),
            source=Source("d.md", "v", "Title", "lt"),
            score=score,
            dense=dense,
            meaning=meaning,
            lexical=lexical,
            sentence_scores=tuple(sentences),
        )
        for number, ((score, dense, meaning, lexical), sentences) in enumerate(zip(SCORES, SENTENCES, strict=True))
    ]
    found, known = features(hits, "en"), of_scores(SCORES, SENTENCES, [True] * 3)
    assert np.array_equal(found.passages, known.passages)
    assert all(np.array_equal(a, b) for a, b in zip(found.sentences, known.sentences, strict=True))


def test_one_hit_and_none_have_features_too() -> None:
    assert np.isfinite(of_scores(SCORES[:1], SENTENCES[:1], [False]).passages).all()
    assert of_scores([], [], []).passages.shape == (0, 12)


def test_a_folder_without_a_reader_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="Install the package again, or go without a reader"):
        Reader.load(tmp_path)


def test_a_reader_taught_with_other_features_is_refused(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"lead"', '"something else"'), encoding="utf-8")
    with pytest.raises(EncoderError, match="other features of the search"):
        Reader.load(tmp_path)


def test_half_precision_weights_say_the_same(model: Model, reader: Reader, shard: Shard, tmp_path: Path) -> None:
    model.save(tmp_path)
    assert {tensor.dtype.name for tensor in load_file(tmp_path / "model.safetensors").values()} == {"float16"}
    whole, half = (asked(one, shard, [0, 1, 2], None) for one in (reader, Reader.load(tmp_path)))
    for a, b in zip(whole, half, strict=True):
        assert a.answers == pytest.approx(b.answers, abs=0.03)


def test_in_bfloat16_a_reader_says_nearly_the_same(model: Model, reader: Reader, shard: Shard, tmp_path: Path) -> None:
    model.save(tmp_path)
    whole, half = (asked(one, shard, [0, 1, 2], None) for one in (reader, Reader.load(tmp_path, precision="bfloat16")))
    for a, b in zip(whole, half, strict=True):
        assert a.answers == pytest.approx(b.answers, abs=0.1)


def test_threads_of_a_reader_do_not_mix_their_questions(reader: Reader, shard: Shard) -> None:
    from concurrent.futures import ThreadPoolExecutor

    alone = [asked(reader, shard, [passage], None)[0].answers for passage in (0, 1, 2)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda passage: asked(reader, shard, [passage], None)[0].answers, [0, 1, 2] * 8))
    assert together == pytest.approx(alone * 8, abs=1e-4)


def test_the_projection_of_late_interaction_is_the_beginning_of_the_bundled_readers_states() -> None:
    from clusterqa.readers import bundled_reader

    cut = load_file(bundled_reader() / "model.safetensors")["cut"]
    projection = load_file(bundled_path() / PROJECTION)["projection"]
    assert np.abs(cut[: len(projection)].astype(np.float32) - projection.astype(np.float32)).max() < 1e-3
