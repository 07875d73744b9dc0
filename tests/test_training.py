"""The recipe of the bundled encoder: reading four-bit weights, what is learnt from, what is left out."""

import gzip
import random
import struct
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent.parent / "training"))

import colbert
import e5
import texts
import train

HEADING = "en\tlt\tsource\tlicence\tdomain\n"


def table(path: Path, rows: str) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(HEADING + rows)
    return path


@given(
    codes=st.lists(st.integers(0, 15), min_size=32, max_size=32),
    scale=st.floats(-4, 4, width=16),
)
def test_a_block_of_four_bit_weights_is_scale_times_code_less_eight(codes: list[int], scale: float) -> None:
    packed = bytes(low | high << 4 for low, high in zip(codes[:16], codes[16:], strict=True))
    raw = struct.pack("<e", scale) + packed
    assert e5.dequantise(raw, 1, 32).tolist() == [[(code - 8) * scale for code in codes]]


def test_matrices_are_read_row_by_row() -> None:
    rows = [struct.pack("<e", 1.0) + bytes([0x10 * row + row] * 16) for row in range(4)]
    found = e5.dequantise(b"".join(rows), 2, 64)
    assert found.shape == (2, 64)
    assert found[0, :32].tolist() == [-8.0] * 32 and found[1, 32:].tolist() == [-5.0] * 32


def test_a_download_that_is_not_the_one_of_the_recipe_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e5-small-q4.bin").write_bytes(b"something else")
    with pytest.raises(SystemExit, match="is not the file this recipe was made with"):
        e5.fetch(tmp_path)


def test_pairs_without_a_licence_are_left_out(tmp_path: Path) -> None:
    path = table(
        tmp_path / "p.tsv.gz",
        "A cluster.\tKlasteris.\ta\tMIT\tlaw\n"
        "Not ours.\tNe mūsų.\tb\tnone stated\tlaw\n"
        "Nor this.\tNei šis.\tc\tnone stated (per language pack)\tlaw\n"
        "Nor that.\tNei anas.\td\t\tlaw\n",
    )
    pairs = texts.parallel(path)
    assert (pairs.en, pairs.lt) == (["A cluster."], ["Klasteris."])


def test_sentences_weigh_more_than_terse_strings_and_prose_more_than_software_help(tmp_path: Path) -> None:
    sentence = "Klasteris jungia įmones, kurios kartu kuria naujus gaminius."
    path = table(
        tmp_path / "p.tsv.gz",
        f"a\t{sentence}\ta\tMIT\tlaw\nb\tGerai\ta\tMIT\tlaw\nc\t{sentence}\ta\tMIT\tbusiness\n",
    )
    prose, terse, help_text = texts.parallel(path).weight
    assert prose > 3 * terse and prose > 3 * help_text
    assert prose + terse + help_text == pytest.approx(1.0)


def test_the_glossary_is_learnt_too(tmp_path: Path) -> None:
    glossary = tmp_path / "glossary.tsv"
    glossary.write_text("en\tlt\tnote\ncluster label\tklasterio ženklas\tx\n\tbe poros\t\n", encoding="utf-8")
    pairs = texts.parallel(table(tmp_path / "p.tsv.gz", "One.\tVienas.\ta\tMIT\tlaw\n"), glossary)
    assert pairs.lt == ["Vienas.", "klasterio ženklas"]


@given(text=st.text("aąbcčdeė šžū", min_size=1, max_size=40), seed=st.integers(0, 1000))
def test_a_typing_error_changes_at_most_one_word(text: str, seed: int) -> None:
    before, after = text.split(" "), train.with_typo(text, random.Random(seed)).split(" ")
    assert len(before) == len(after)
    changed = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert len(changed) <= 1
    assert all(len(a) > 3 and abs(len(a) - len(b)) <= 1 for a, b in changed)


def test_a_row_is_pulled_to_its_own_and_away_from_the_others() -> None:
    own = torch.eye(3)
    assert train.contrast(own, own).item() < 1e-6
    assert train.contrast(own, own.roll(1, 0)).item() == pytest.approx(1 / train.TEMPERATURE, abs=1e-3)


def test_a_text_that_says_the_same_is_not_pushed_away() -> None:
    own = torch.eye(3)
    twice = torch.cat([own, own[:1]])  # the first and the last say the same
    assert train.contrast(twice, twice).item() < 1e-6
    assert train.contrast(own, own, others=own).item() < 1e-6


def test_what_was_seen_before_is_pushed_away_too() -> None:
    student, teacher = torch.eye(3)[:2], torch.eye(3)[:2]
    wrong = torch.nn.functional.normalize(torch.tensor([[0.9, 0.0, 0.4]]), dim=1)  # alike to the first, not the same
    alone, with_it = train.contrast(student, teacher).item(), train.contrast(student, teacher, wrong).item()
    assert alone < 1e-6 < with_it


def test_memory_keeps_the_latest() -> None:
    memory = train.Memory()
    for number in range(3):
        memory.add(torch.full((train.REMEMBERED // 2, 1), float(number)))
    assert memory.vectors.shape == (train.REMEMBERED, 1)
    assert set(memory.vectors.flatten().tolist()) == {1.0, 2.0}


def reading(*texts: list[tuple[int, float]]) -> train.Reading:
    """Texts of pieces (axis of four, weight), padded to the longest with pieces that are near to everything."""
    longest = max(map(len, texts))
    pieces, weights = torch.full((len(texts), longest, 4), 0.5), torch.zeros(len(texts), longest)
    for row, text in enumerate(texts):
        for place, (axis, weight) in enumerate(text):
            pieces[row, place], weights[row, place] = torch.eye(4)[axis], weight
    return train.Reading(torch.eye(4)[: len(texts)], pieces, weights, np.full((len(texts), longest, 2), -1))


def test_pieces_are_compared_by_the_best_cosine_weighed_by_rarity_and_padding_is_never_met() -> None:
    asked, read = (
        reading([(0, 3.0), (1, 1.0)]),
        reading([(0, 1.0)], [(1, 1.0), (2, 1.0)], [(2, 1.0), (3, 1.0), (2, 1.0)]),
    )
    assert train.interaction(asked, read)[0].tolist() == pytest.approx([0.75, 0.25, 0.0])


def test_what_the_teacher_finds_alike_is_not_pushed_away_like_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "LIKENESS", 0.0)
    asked, read = reading([(0, 1.0)], [(1, 1.0)]), reading([(0, 1.0)], [(1, 1.0)])
    right = train.like_the_teacher(asked, read, torch.eye(2)).item()
    alike = train.like_the_teacher(asked, read, torch.ones(2, 2)).item()
    crossed = train.like_the_teacher(asked, reading([(1, 1.0)], [(0, 1.0)]), torch.eye(2)).item()
    assert right < 1e-6
    assert alike == pytest.approx(crossed / 4, rel=0.01)  # a quarter of the target lies on the other one


def test_likeness_is_held_to_the_teachers_also_where_the_order_is_right() -> None:
    asked, read = reading([(0, 1.0)], [(1, 1.0)]), reading([(0, 1.0)], [(1, 1.0)])
    off = torch.tensor([[1.0, 0.3], [0.3, 1.0]])
    assert train.like_the_teacher(asked, read, off).item() == pytest.approx(train.LIKENESS * 0.09 / 2, abs=1e-3)


def test_every_second_text_may_be_asked_for_among_all() -> None:
    texts = reading([(0, 1.0)], [(1, 1.0)], [(2, 1.0)], [(3, 1.0)])
    every_second = reading([(0, 1.0)], [(2, 1.0)])
    like = train.interaction(every_second, texts)
    assert train.like_the_teacher(every_second, texts, like, 2).item() < 1e-6
    assert train.like_the_teacher(every_second, texts, like.roll(1, 1), 2).item() > 10


def cut(folder: Path, *known: str) -> train.Pieces:
    """A tokenizer of words that knows just these, with their beginnings; a prompt is a piece of its own."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    folder.mkdir()
    words = {word: number for number, word in enumerate(["[CLS]", "[SEP]", "[UNK]", "query", ":", *known])}
    tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 1)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return train.Pieces(folder, 16, ["query: a label"])


def as_read(pieces: train.Pieces, text: str) -> train.Reading:
    weights, places = pieces.weighed([text], pieces.read([text]))
    return train.Reading(torch.ones(1, 1), torch.eye(places.shape[1])[None], weights, places)


def test_pieces_of_the_same_word_meet_however_it_is_cut_and_prompts_do_not_count(tmp_path: Path) -> None:
    one = as_read(cut(tmp_path / "one", "a", "cluster", "lab", "##el"), "query: a cluster label")
    other = as_read(cut(tmp_path / "other", "a", "clu", "##ster", "label"), "query: a cluster label")
    assert (one.weights[0] > 0).tolist() == [False, False, False, True, True, True, True, False]
    rows, pieces, met = train.same_words(one, other)
    # [CLS] query : a cluster lab ##el [SEP]   and   [CLS] query : a clu ##ster label [SEP]
    assert list(zip(rows.tolist(), pieces.tolist(), met.tolist(), strict=True)) == [
        (0, 3, 3),
        (0, 4, 5),
        (0, 5, 6),
        (0, 6, 6),
    ]
    assert train.apart_by_word(one, one).item() == pytest.approx(0)
    assert train.apart_by_word(one, other).item() == pytest.approx(2 / 4)


@pytest.mark.parametrize("known_before", [None, [0, 1, 2, 3], [1, 0, 3, 2]])
def test_the_first_projection_is_the_models_own_where_that_leads_to_the_teacher_and_else_fitted(
    tmp_path: Path, known_before: list[int] | None
) -> None:
    pieces = cut(tmp_path / "cut", "a", "b", "c", "d")

    def student(texts: list[str]) -> train.Reading:
        weights, places = pieces.weighed(texts, pieces.read(texts))
        axes = torch.tensor([[max(number - 5, 0) for number in ids] for ids, _ in pieces.read(texts)])
        return train.Reading(torch.ones(len(texts), 1), torch.eye(4)[axes], weights, places)

    def teacher(texts: list[str]) -> train.Reading:
        read = student(texts)
        return train.Reading(read.vectors, read.pieces[:, :, [1, 0, 3, 2]], read.weights, read.places)

    own = None if known_before is None else 3 * torch.eye(4)[known_before]
    found = train.first_projection(student, teacher, ["a b c d", "d c a b"], own)
    if known_before == [1, 0, 3, 2]:
        assert own is not None and torch.equal(found, own)
    else:
        assert torch.allclose(found, torch.eye(4)[[1, 0, 3, 2]], atol=0.01)


@given(text=st.text("ab c", min_size=1, max_size=60).filter(str.strip), seed=st.integers(0, 100))
def test_what_is_asked_stands_in_the_text(text: str, seed: int) -> None:
    whole = "passage: " + text
    (found,) = train.as_asked([whole], random.Random(seed))
    if found != whole:
        assert found.startswith("query: ")
        assert 1 <= len(found.split()) - 1 <= 8
        assert found.removeprefix("query: ") in " ".join(text.split())


def test_eight_bit_weights_are_scaled_back_and_turned() -> None:
    import onnx
    from onnx import helper, numpy_helper

    def kept(name: str, values: object, kind: str) -> onnx.TensorProto:
        return numpy_helper.from_array(np.array(values, dtype=kind), name)

    names = ("embeddings.word_embeddings.weight", "embeddings.token_type_embeddings.weight", "onnx::MatMul_7")
    tensors = [kept(f"{name}_quantized", [[128, 130, 126], [128, 129, 128]], "u1") for name in names]
    tensors += [kept(f"{name}_zero_point", 128, "u1") for name in names] + [
        kept(f"{name}_scale", 0.5, "f4") for name in names
    ]
    tensors += [
        kept("embeddings.position_embeddings.weight", [[3.0]], "f4"),
        kept("encoder.layer.0.output.dense.bias", [2.0], "f4"),
    ]
    node = helper.make_node(
        "MatMulInteger", ["x", "onnx::MatMul_7_quantized"], ["y"], name="/encoder/layer.0/output/dense/MatMul_quant"
    )
    graph = helper.make_graph([node], "g", [], [], tensors)
    found = {
        name: array.tolist() for name, array in colbert.state_dict(helper.make_model(graph).SerializeToString()).items()
    }
    assert found == {
        "embeddings.word_embeddings.weight": [[0.0, 1.0, -1.0], [0.0, 0.5, 0.0]],
        "embeddings.token_type_embeddings.weight": [[0.0, 1.0, -1.0], [0.0, 0.5, 0.0]],
        "embeddings.position_embeddings.weight": [[3.0]],
        "encoder.layer.0.output.dense.bias": [2.0],
        "encoder.layer.0.output.dense.weight": [[0.0, 0.0], [1.0, 0.5], [-1.0, 0.0]],
    }


def test_a_dictionary_gives_the_first_words_of_the_first_senses() -> None:
    lines = [
        "00-database-dictfmt",
        "abate /ə'beıt/ <v>",
        "1. (su)mažėti, (su)silpnėti, rimti",
        "2. nuleisti (kainą)",
        "3. (teis.) (pa)naikinti, anuliuoti",
        "4. atleisti",
        "   See also: {lessen}",
        "",
        "abbey /'æbı/",
        "abatija",
    ]
    assert list(texts.entries("\n".join(lines))) == [
        ("abate", "sumažėti"),
        ("abate", "susilpnėti"),
        ("abate", "nuleisti"),
        ("abate", "panaikinti"),
        ("abate", "anuliuoti"),
        ("abbey", "abatija"),
    ]


def test_lines_of_words_say_the_same_in_the_same_order_in_forms_that_people_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {"namas": ["namas", "namuose", "namasxyz"], "voverė": ["voverė", "voverės"]}
    monkeypatch.setattr(texts, "inflected", lambda words: known)
    pairs = [("house", "namas"), ("squirrel", "voverė"), ("aardvark", "vamzdžiadantis")]
    lines = list(texts.word_lines(pairs, 600, seed=1))
    assert lines == list(texts.word_lines(pairs, 600, seed=1))
    english = {form: en for en, word in pairs for form in known.get(word, [word])}
    seen: Counter[str] = Counter()
    for en, lt in lines:
        forms = lt.split(", ")
        assert 1 <= len(forms) <= 3 and en.split(", ") == [english[form] for form in forms]
        seen.update(forms)
    assert seen["namuose"] > 100 and seen["namasxyz"] == 0  # nobody writes it
    assert seen["namas"] + seen["namuose"] > seen["voverė"] + seen["voverės"] > 10 * seen["vamzdžiadantis"]


def test_the_corpus_gives_passages_and_sentences_at_the_same_place_of_both_languages(tmp_path: Path) -> None:
    (tmp_path / "label.en.md").write_text("# Label\n\nIt is valid for two years. It costs nothing.\n")
    (tmp_path / "label.lt.md").write_text("# Ženklas\n\nJis galioja dvejus metus. Jis nieko nekainuoja.\n")
    (tmp_path / "alone.en.md").write_text("# Alone\n\nNobody translated this.\n")
    (tmp_path / "longer.en.md").write_text("# A\n\nOne.\n\n# B\n\nTwo.\n")
    (tmp_path / "longer.lt.md").write_text("# A\n\nVienas.\n")
    assert list(texts.translated(tmp_path)) == [
        ("It is valid for two years. It costs nothing.", "Jis galioja dvejus metus. Jis nieko nekainuoja."),
        ("It is valid for two years.", "Jis galioja dvejus metus."),
        ("It costs nothing.", "Jis nieko nekainuoja."),
    ]
