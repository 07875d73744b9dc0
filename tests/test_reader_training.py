"""The recipe of the reader: what is learnt from, what is only judged by, and that it learns."""

import gzip
import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

sys.path.insert(0, str(Path(__file__).parent.parent / "training" / "reader"))

import bundles
import evaluate
import evaluation_sets
import mean
import prepare
import start
import written
from model import Model, Shape

from clusterqa.encoders import SentenceEncoder, bundled_path
from clusterqa.encoders.openvino import PROJECTION
from clusterqa.evaluation.sets import read_set
from clusterqa.readers import Reader, bundled_reader
from clusterqa.retrieval.late_interaction import COMPARED, unit
from data import LONGEST_PASSAGE, Pair, Shard, batch

# By its path: the encoder's recipe has a `train` too.
spec = importlib.util.spec_from_file_location("reader_train", Path(bundles.__file__).parent / "train.py")
assert spec and spec.loader
train = importlib.util.module_from_spec(spec)
sys.modules["reader_train"] = train
spec.loader.exec_module(train)

SETS = Path(__file__).parent.parent / "evaluation" / "reading"
SHIPPED = bundled_reader()

POOL = (
    "Baseinas dirba nuo **7 val.** iki 21 val. Sekmadieniais jis uždarytas. Vaikams iki 7 metų reikia suaugusiojo.",
    "The pool is open from **7 a.m.** to 9 p.m. On Sundays it is closed. Children under 7 need an adult.",
)
LIBRARY = "Bibliotekos bilietas galioja dvejus metus. Knygą galima pratęsti du kartus.\n\n| Paslauga | Kaina |\n|---|---|\n| Kopija | 0,10 Eur |\n| Naujas bilietas | 2 Eur |\n"


def place(texts: tuple[str, ...], document: int, part: str, short: str = "") -> dict[str, object]:
    start = texts[document].index(part)
    found: dict[str, object] = {"document": document, "start": start, "end": start + len(part), "text": part}
    if short:
        begin = texts[document].index(short, start)
        found["short"] = {"start": begin, "end": begin + len(short), "text": short}
    return found


def question(
    text: str,
    language: str,
    answers: list[dict[str, object]],
    *history: str,
    tempting: list[dict[str, object]] | None = None,
) -> dict[str, object]:
    return {
        "lang": language, "type": "followup" if history else "plain", "history": list(history), "question": text,
        "answers": answers, "tempting": tempting or [],
    }  # fmt: skip


@pytest.fixture(scope="session")
def two_bundles() -> list[dict[str, object]]:
    own = (LIBRARY,)
    return [
        {
            "id": "w1-901",
            "documents": [
                {"lang": "lt", "title": "Baseino darbo laikas", "text": POOL[0]},
                {"lang": "en", "title": "Pool opening hours", "text": POOL[1]},
            ],
            "questions": [
                question("When can I go for a swim?", "en", [place(POOL, 0, "nuo **7 val.**", "7 val."), place(POOL, 1, "from **7 a.m.** to 9 p.m.", "7 a.m.")]),
                question("O sekmadienį?", "lt", [place(POOL, 0, "Sekmadieniais jis uždarytas", "uždarytas")], "Kada dirba baseinas?"),
                question("Kiek kainuoja bilietas į baseiną?", "lt", [], tempting=[place(POOL, 0, "nuo **7 val.**")]),
            ],
        },
        {
            "id": "w22-902",
            "documents": [{"lang": "lt", "title": "Bibliotekos paslaugos", "text": LIBRARY}],
            "questions": [
                question("How long is a library card valid?", "en", [place(own, 0, "galioja dvejus metus", "dvejus metus")]),
                question("kiek už kopiją", "lt", [place(own, 0, "| Kopija | 0,10 Eur", "0,10 Eur")], tempting=[place(own, 0, "Naujas bilietas | 2 Eur")]),
            ],
        },
    ]  # fmt: skip


@pytest.fixture(scope="session")
def cut() -> np.ndarray:
    """How the bundled encoder cuts its last layer down to states."""
    return load_file(bundled_path() / PROJECTION)["projection"].astype(np.float32)


@pytest.fixture(scope="session")
def prepared(two_bundles: list[dict[str, object]], cut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder with the two bundles in one index."""
    work = tmp_path_factory.mktemp("work")
    recorder = prepare.Recorder()
    prepare.index(two_bundles, recorder, prepare.pieces_only(), work / "data" / "bundles-01.npz")
    return work


@pytest.fixture(scope="session")
def shard(prepared: Path) -> Shard:
    return Shard.load(prepared / "data" / "bundles-01.npz")


def words_of(pieces: np.ndarray) -> str:
    """What pieces of the vocabulary say, in small letters and without diacritics."""
    tokenizer = prepare.pieces_only()
    return "".join(tokenizer.id_to_token(piece) for piece in pieces.tolist()).replace("▁", " ").strip()


def asked(shard: Shard, number: int, reading: str = "conversation") -> object:
    return [q for q in shard.questions if q.reading == reading][number]


def test_every_kind_keeps_at_least_two_bundles_for_judging_whatever_their_order() -> None:
    ids = [f"w{kind}-{number:03}" for kind, count in ((1, 44), (2, 3), (3, 24)) for number in range(count)]
    kept = bundles.chosen(ids)
    assert [sum(bundles.kind(name) == kind for name in kept) for kind in ("w1", "w2", "w3")] == [4, 2, 2]
    assert bundles.chosen(reversed(ids)) == kept


def test_an_untaught_reader_keeps_what_late_interaction_leaves() -> None:
    """Of rows in four directions, two of which are known, the other two are found, the stronger one first."""
    random = np.random.default_rng(5)
    rows = random.normal(size=(500, 6)) * np.array([2.0, 1.0, 0.5, 3.0, 0.0, 0.0])
    found = start.directions(rows, np.eye(6)[:2], 2)
    assert np.abs(found[0] / np.linalg.norm(found[0]) @ np.eye(6)[3]) == pytest.approx(1, abs=0.01)
    assert np.abs(found[1] / np.linalg.norm(found[1]) @ np.eye(6)[2]) == pytest.approx(1, abs=0.01)
    assert np.mean((rows @ found.T) ** 2) == pytest.approx(np.mean((rows @ np.eye(6)[:2].T) ** 2))


def test_a_piece_that_no_text_holds_is_the_rarest() -> None:
    rarity = start.rarities([[1, 2, 2], [1, 3], [1]], 5)
    assert rarity[1] == 0 and rarity[2] == rarity[3] and rarity[0] == rarity[4] == 1
    assert 0 < rarity[2] < 1


def test_what_is_judged_by_is_never_learnt_from(prepared: Path) -> None:
    """Neither a file of the recipe nor the training itself mixes the two."""
    everything = [{"id": name} for name in [*bundles.development(), *(f"w1-{n:03}" for n in range(500, 560))]]
    named = prepare.lots(everything, "bundles")
    judged = {b["id"] for name, lot in named.items() if name.startswith("development-") for b in lot}
    learnt = {b["id"] for name, lot in named.items() if name.startswith("bundles-") for b in lot}
    assert judged == set(bundles.development()) and len(learnt) == 60 and not judged & learnt
    questions = train.Questions(seed=1)
    for path in (prepared / "data").glob("bundles-01.*"):
        (path.parent / path.name.replace("bundles", "development")).write_bytes(path.read_bytes())
    questions.take_up(prepared / "data")
    assert list(questions.shards) == ["bundles-01"]


WRITTEN = """##### w99-001
#DOC lt rules | Baseino taisyklės
Baseinas dirba nuo 7 val. iki 21 val.

Sekmadieniais uždarytas.
#Q en followup
< When does the pool open?
? and on Sundays
= Sekmadieniais [uždarytas]
~ nuo 7 val. iki 21 val.
#Q lt plain
? Kiek kainuoja bilietas?
~ Baseinas dirba
"""


def test_bundles_are_read_as_people_write_them() -> None:
    (bundle,) = written.bundles_of(WRITTEN.splitlines())
    text = "Baseinas dirba nuo 7 val. iki 21 val.\n\nSekmadieniais uždarytas.\n"
    assert bundle["documents"] == [{"lang": "lt", "kind": "rules", "title": "Baseino taisyklės", "text": text}]
    first, second = bundle["questions"]
    assert first["history"] == ["When does the pool open?"] and first["question"] == "and on Sundays"
    assert first["answers"] == [place((text,), 0, "Sekmadieniais uždarytas", "uždarytas")]
    assert first["tempting"] == [place((text,), 0, "nuo 7 val. iki 21 val.")]
    assert (second["answers"], second["tempting"]) == ([], [place((text,), 0, "Baseinas dirba")])


@pytest.mark.parametrize(
    ("line", "instead", "told"),
    [
        ("= Sekmadieniais [uždarytas]", "= Šeštadieniais", "w99-001: found 0 times: Šeštadieniais"),
        ("= Sekmadieniais [uždarytas]", "= [val.]", "w99-001: found 2 times"),
        ("#Q lt plain", "#Q lt odd", "line 11: no such type of question"),
        ("#Q lt plain", "#Q de plain", "line 11: a mark that cannot be read"),
        ("? and on Sundays", "and on Sundays", "line 8: neither a question nor a part of one"),
        ("< When does the pool open?", "", "w99-001: a question without its words, or a follow-up"),
    ],
)
def test_a_bundle_that_is_written_wrongly_is_refused_with_its_place(line: str, instead: str, told: str) -> None:
    with pytest.raises(written.Fault, match=told):
        written.bundles_of(WRITTEN.replace(line, instead).splitlines())


def test_documents_that_only_belong_together_are_no_translations_by_their_names(tmp_path: Path) -> None:
    documents = [{"lang": language, "title": "Fees", "text": "Fees.\n"} for language in ("lt", "en")]
    for name in ("w33-001", "w27-001"):
        bundles.write({"id": name, "documents": documents}, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "w33-001-1.lt.md", "w33-001-2.en.md", "w27-001.lt.md", "w27-001.en.md",
    }  # fmt: skip


def test_the_evaluation_sets_are_those_bundles_and_each_is_in_one_index() -> None:
    folders = sorted(SETS.iterdir(), key=lambda path: path.name)
    of_documents = [{path.name.partition(".")[0] for path in (folder / "corpus").iterdir()} for folder in folders]
    of_questions = [{item.id.rpartition("-")[0] for item in read_set(folder / "questions.jsonl")} for folder in folders]
    assert of_documents == of_questions
    assert sorted(name for names in of_documents for name in names) == bundles.development()


def test_a_bundle_becomes_a_question_set_with_quotes(two_bundles: list[dict[str, object]], tmp_path: Path) -> None:
    rows = evaluation_sets.rows(two_bundles[0])
    path = tmp_path / "questions.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    items = read_set(path)
    assert [item.id for item in items] == ["w1-901-01", "w1-901-02", "w1-901-03"]
    assert [(gold.document, gold.quote) for gold in items[0].answers] == [
        ("w1-901.lt.md", "nuo **7 val.**"),
        ("w1-901.en.md", "from **7 a.m.** to 9 p.m."),
    ]
    assert items[1].history == ("Kada dirba baseinas?",) and not items[2].answers


def test_a_question_knows_which_passage_and_sentence_answer_and_in_which_pieces(shard: Shard) -> None:
    card = asked(shard, 3)
    ((passage, sentences),) = card.answers.items()
    assert sentences == [0] and passage in card.candidates
    first, last = shard.span(card, passage)
    kept = shard.read(passage)
    assert words_of(kept.ids[first : last + 1]) == "dvejus metus"
    assert set(kept.sentence[first : last + 1].tolist()) == {0}
    pool = asked(shard, 0)
    assert sorted(shard.passages[passage]["language"] for passage in pool.answers) == ["en", "lt"]
    unknown = asked(shard, 2)
    assert not unknown.answerable and not unknown.answers and list(unknown.tempting.values()) == [[0]]


def test_a_table_row_answers_and_the_row_beside_it_tempts(shard: Shard) -> None:
    copy = asked(shard, 4)
    (right,), (tempting,) = copy.answers, copy.tempting
    assert right != tempting
    first, last = shard.span(copy, right)
    assert words_of(shard.read(right).ids[first : last + 1]) == "0,10 eur"


def test_a_question_that_leans_on_another_is_read_twice(shard: Shard) -> None:
    in_conversation, alone = asked(shard, 1), asked(shard, 0, "one text")
    assert in_conversation.id == alone.id == "w1-901-02"
    assert in_conversation.answers == alone.answers


def test_states_hold_what_late_interaction_compares(shard: Shard) -> None:
    """The first numbers of a state point where the product's own pieces do."""
    encoder = SentenceEncoder.load()
    states = unit(encoder.read_query("kiek už kopiją").states[:, :COMPARED])
    kept = unit(shard.states[shard.piece_rows(asked(shard, 4).text)].astype(np.float32)[:, :COMPARED])
    assert kept.shape == states.shape
    assert (kept * states).sum(1).min() > 0.99


def test_a_group_holds_what_answers_and_what_tempts(shard: Shard) -> None:
    questions = train.Questions(seed=2)
    copy = asked(shard, 4)
    for _ in range(5):
        pairs = questions.group(shard, copy)
        passages = [pair.passage for pair in pairs]
        assert {*copy.answers, *copy.tempting} <= set(passages)
        assert len(set(passages)) == len(passages) <= train.GROUP


def test_a_batch_keeps_every_piece_once_and_groups_pairs_of_like_length(shard: Shard) -> None:
    pairs = [Pair(shard, q, p, n) for q in shard.questions for n, p in enumerate(q.candidates)]
    read = batch(pairs)
    lengths = [len(shard.ids[shard.piece_rows(p.question.text)]) for p in read.pairs]
    told = [min(len(shard.read(p.passage).ids), LONGEST_PASSAGE) for p in read.pairs]
    assert len(read.states) == sum(lengths) + sum(told)
    assert told == sorted(told) and len(read.pairs) == len(pairs)
    assert (read.told - read.first).tolist() == lengths
    for chunk in read.chunks:
        assert len(chunk.place) == chunk.rows.stop - chunk.rows.start == len(set(chunk.place.tolist()))


def test_some_steps_of_learning_bring_the_loss_down_and_the_right_passage_first(
    shard: Shard, cut: np.ndarray, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = Model(Shape(width=96, heads=3, layers=1), torch.from_numpy(cut), torch.full((32000,), 0.5), dropout=0.0)
    questions = train.Questions(seed=3)
    questions.shards = {"bundles-01": shard}
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    seen = []
    for _ in range(30):
        read = batch([pair for question in shard.questions for pair in questions.group(shard, question)])
        parts = train.losses(model(read), read)
        assert set(parts) == set(train.WEIGHTS)
        loss = train.weighed(parts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seen.append(float(loss.detach()))
    assert seen[-1] < seen[0] / 2
    model.save(tmp_path)
    outcomes = [evaluate.outcomes(shard, q, Reader.load(tmp_path))["both"] for q in shard.questions]
    answerable = [found for found in outcomes if found.answerable]
    assert sum(found.first for found in answerable) >= len(answerable) - 1
    assert evaluate.measures(outcomes)["answerable"] == len(answerable) == 5


def test_mixing_begins_where_the_search_stands(shard: Shard, cut: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """An untaught reader that is mixed with the search ranks no worse than the search does."""
    torch.manual_seed(0)
    model = Model(Shape(width=96, heads=3, layers=1), torch.from_numpy(cut), torch.full((32000,), 0.5))
    questions = train.Questions(seed=3)
    questions.shards = {"bundles-01": shard}
    monkeypatch.setattr(train, "MIXED_ON", 12)
    train.mix(model, questions)
    first = {"mixed": 0, "search": 0}
    for question in shard.questions:
        pairs = [Pair(shard, question, passage, n) for n, passage in enumerate(question.candidates)]
        read = batch(pairs)
        with torch.no_grad():
            best = read.pairs[int(model(read).passages.argmax())]
        first["mixed"] += best.passage in question.answers
        first["search"] += question.candidates[0] in question.answers
    assert first["mixed"] >= first["search"] > 0


def test_english_sets_bring_their_own_passages(cut: np.ndarray, tmp_path: Path) -> None:
    text = "Normandy. The Normans gave their name to Normandy. Rollo was their leader."
    document = {
        "set": "squad2",
        "document": "Normans",
        "passages": [
            {"text": text, "sentences": [[10, 50], [51, 74]]},
            {"text": "Normandy. It lies in France.", "sentences": [[10, 28]]},
        ],
        "questions": [
            {"question": "Who led the Normans?", "answers": [{"passage": 0, "sentences": [1], "start": 51, "end": 56}]},
            {"question": "Who led the Saxons?", "answers": [], "tempting": [0]},
        ],
    }
    source = tmp_path / "questions.jsonl.gz"
    with gzip.open(source, "wt", encoding="utf-8") as file:
        file.write(json.dumps(document) + "\n")
    (tmp_path / "plain").mkdir()
    recorder = prepare.Recorder()
    prepare.english(source, recorder, prepare.pieces_only(), tmp_path / "data", (0, 40))
    shard = Shard.load(tmp_path / "data" / "english-01.npz")
    led, other = shard.questions
    assert led.answers == {0: [1]} and led.features is None and sorted(led.candidates) == [0, 1]
    first, last = shard.span(led, 0)
    assert words_of(shard.read(0).ids[first : last + 1]) == "rollo"
    assert not other.answerable and list(other.tempting) == [0]


def test_the_mean_of_two_readers_is_a_reader(tmp_path):
    """A mean of one with itself is itself, to the last bit; a mean of two lies halfway between."""
    first, second = load_file(SHIPPED / "model.safetensors"), {}
    for name, tensor in first.items():
        second[name] = tensor + np.float16(1) if name == "edges.bias" else tensor
    for folder, tensors in ((tmp_path / "a", first), (tmp_path / "b", second)):
        folder.mkdir()
        save_file(tensors, folder / "model.safetensors")
        shutil.copyfile(SHIPPED / "config.json", folder / "config.json")
    mean.mean([tmp_path / "a", tmp_path / "a"], tmp_path / "same")
    assert (tmp_path / "same" / "model.safetensors").read_bytes() == (tmp_path / "a" / "model.safetensors").read_bytes()
    mean.mean([tmp_path / "a", tmp_path / "b"], tmp_path / "mean")
    found = load_file(tmp_path / "mean" / "model.safetensors")
    assert np.allclose(found["edges.bias"], first["edges.bias"] + 0.5, atol=1e-3)
    Reader.load(tmp_path / "mean")
