"""BEIR folders, as the beir package writes them, and TREC files."""

from __future__ import annotations

import json
import math

import pytest

from clusterqa.errors import EvaluationError
from clusterqa.evaluation import trec
from clusterqa.evaluation.beir import beir_id, index, read_beir, splits
from clusterqa.evaluation.outcomes import Ranked
from clusterqa.evaluation.run import run_beir
from clusterqa.evaluation.tables import as_table
from clusterqa.settings import Settings
from evaluation_fixtures import outcome, run_of
from words_encoder import WordsEncoder

DOCUMENTS = {
    "doc/1": {"title": "Bronze: „bronza“", "text": "The bronze label has a price."},
    "a.lt": {"title": "", "text": "Sidabro ženklas galioja metus.\nAntra eilutė."},
    "a.en": {"title": "", "text": "The silver label. An expert writes a report."},
    "Gold 3": {"title": "Gold", "text": "The gold label needs an expert.\tTwo of them."},
    "empty": {"title": "", "text": ""},
    "q4": {"title": "", "text": "food cluster member food"},
}
QUERIES = {"q1": "price of the bronze label", "q2": "gold expert", "q3": "who reads this?", "q4": "food cluster member"}
QRELS = {"q1": {"doc/1": 2, "Gold 3": 1}, "q2": {"Gold 3": 1, "a.en": 1}, "q4": {"q4": 1, "doc/1": 1}}


@pytest.fixture
def folder(tmp_path):
    """A folder written by the beir package itself."""
    util = pytest.importorskip("beir.util")
    path = tmp_path / "tiny set"
    (path / "qrels").mkdir(parents=True)
    util.write_to_json(str(path / "corpus.jsonl"), DOCUMENTS)
    util.write_to_json(str(path / "queries.jsonl"), QUERIES)
    util.write_to_tsv(str(path / "qrels" / "test.tsv"), QRELS)
    util.write_to_tsv(str(path / "qrels" / "dev.tsv"), {"q1": {"doc/1": 1}})
    return path


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "corpus").mkdir()
    return Settings.load({"corpus": tmp_path / "corpus", "data": tmp_path / "data"})


def test_a_folder_written_by_beir_is_read_as_beir_reads_it(folder):
    from beir.datasets.data_loader import GenericDataLoader

    for split in ("test", "dev"):
        corpus, queries, qrels = GenericDataLoader(data_folder=str(folder)).load(split=split)
        found = read_beir(folder, split)
        assert found.documents == {name: (row["title"], row["text"]) for name, row in corpus.items()}
        assert {name: found.queries[name] for name in found.qrels} == queries
        assert found.qrels == qrels
    assert splits(folder) == ["dev", "test"]


def test_judgements_as_jsonl_are_read_too(folder):
    """The form in which mteb's repositories keep them."""
    rows = [{"query-id": q, "corpus-id": d, "score": s} for q, row in QRELS.items() for d, s in row.items()]
    (folder / "qrels" / "valid.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_beir(folder, "valid").qrels == read_beir(folder).qrels


def test_a_split_that_is_not_there_is_said_with_those_that_are(folder):
    with pytest.raises(EvaluationError, match=r"'train', only for: dev, test\. Choose one with --split"):
        read_beir(folder, "train")


def test_every_wrong_line_is_named(folder):
    (folder / "corpus.jsonl").write_text(
        '{"_id": "a", "text": "x"}\n{"_id": "a", "text": "y"}\nnot json\n{"text": "z"}\n'
    )
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\ta\tmuch\nq9\ta\t1\nq1\ta\n")
    with pytest.raises(EvaluationError) as caught:
        read_beir(folder)
    for part in (
        "corpus.jsonl line 2: the id a is there twice",
        "corpus.jsonl line 3",
        "corpus.jsonl line 4: _id is missing",
        "test.tsv line 2",
        "test.tsv line 3: there is no query q9",
        "test.tsv line 4",
    ):
        assert part in str(caught.value)


def test_a_folder_that_is_none_is_refused_with_what_is_missing(tmp_path):
    with pytest.raises(EvaluationError, match=r"corpus\.jsonl and queries\.jsonl is missing"):
        read_beir(tmp_path)


def test_documents_are_found_by_their_beir_ids_and_scored_by_hand(folder, settings):
    encoder = WordsEncoder()
    beir = read_beir(folder)
    own, report = index(beir, settings, lambda: encoder)
    assert sorted(map(beir_id, report.added)) == sorted(set(DOCUMENTS) - {"empty"})
    assert [error.document for error in report.unreadable] == ["empty.txt"]
    result = run_beir(beir, own, encoder)
    outcomes = {o.id: o for o in result.outcomes}
    assert list(outcomes) == ["q1", "q2", "q4"]  # q3 has no judgement
    assert outcomes["q1"].ranked[0].key == "doc/1"
    ranks = {row.key: rank for rank, row in enumerate(outcomes["q1"].ranked, start=1)}
    gain = 2 / math.log2(1 + ranks["doc/1"]) + (1 / math.log2(1 + ranks["Gold 3"]) if "Gold 3" in ranks else 0)
    assert outcomes["q1"].search["nDCG@10"] == pytest.approx(gain / (2 + 1 / math.log2(3)), abs=1e-6)
    assert {row.key for row in outcomes["q2"].relevant} == {"Gold 3", "a.en"}
    assert as_table(result.outcomes)[0]["what"] == "all"
    assert math.isnan(as_table(result.outcomes)[0]["hit@1"][0])
    assert result.kind == "beir"


def test_translations_by_name_and_the_query_itself_do_not_count(folder, settings):
    """ "a.lt" and "a.en" are ids, not two languages of one document; a document with the query's id is left out."""
    encoder = WordsEncoder()
    beir = read_beir(folder)
    own, _ = index(beir, settings, lambda: encoder)
    result = run_beir(beir, own, encoder)
    outcomes = {o.id: o for o in result.outcomes}
    assert {"a.lt", "a.en"} <= {row.key for row in outcomes["q1"].ranked}
    assert "q4" not in {row.key for row in (*outcomes["q4"].ranked, *outcomes["q4"].relevant)}


def test_a_second_run_encodes_only_what_changed(folder, settings):
    index(read_beir(folder), settings, WordsEncoder)
    lines = (folder / "corpus.jsonl").read_text().splitlines()
    kept = [line for line in lines if '"Gold 3"' not in line and '"doc/1"' not in line]
    kept += [json.dumps({"_id": "doc/1", "title": "Bronze", "text": "A bronze member."})]
    (folder / "corpus.jsonl").write_text("\n".join(kept) + "\n")
    encoder = WordsEncoder()
    _, report = index(read_beir(folder), settings, lambda: encoder)
    assert [beir_id(name) for name in report.changed] == ["doc/1"]
    assert [beir_id(name) for name in report.removed] == ["Gold 3"]
    assert encoder.encoded and all("bronze" in text.lower() for text in encoder.encoded)


def test_the_corpus_of_the_settings_is_left_alone(folder, settings):
    own, _ = index(read_beir(folder), settings, WordsEncoder)
    assert own.data.is_relative_to(settings.data)
    assert list(settings.corpus.iterdir()) == []
    assert not (settings.data / "clusterqa.sqlite3").exists()


# ── TREC files ──────────────────────────────────────────────────────────────────────────────────────────────────


def searched(identifier, ranked, relevant):
    return outcome(
        identifier,
        ranked=tuple(Ranked(name, 0, 9, score) for name, score in ranked),
        relevant=tuple(Ranked(name, 0, 9, 1) for name in relevant),
    )


def test_a_run_written_for_trec_scores_as_it_did_here(tmp_path):
    """Also where scores are equal, which other tools would order by name, and where names hold spaces."""
    run = run_of(
        searched("q1", [("b.md", 0.5), ("a z.md", 0.5), ("c.md", 0.5)], ["a z.md"]),
        searched("q2", [], ["a z.md"]),
        outcome("q3", answerable=False),
    )
    paths = trec.write(run, tmp_path / "out")
    assert [path.name for path in paths] == ["both.run", "both.qrels"]
    assert paths[0].read_text().splitlines() == [
        "q1 Q0 b.md#0-9 1 0.500000 clusterqa",
        "q1 Q0 a%20z.md#0-9 2 0.499999 clusterqa",
        "q1 Q0 c.md#0-9 3 0.499998 clusterqa",
    ]
    questions, values = trec.score(paths[0], paths[1], ["RR", "R@1", "Success@5"])
    assert questions == 2
    assert {name: mean for name, (mean, _, _) in values.items()} == {"RR": 0.25, "R@1": 0.0, "Success@5": 0.5}


def test_a_run_file_of_the_beir_package_is_scored_as_trec_eval_does(tmp_path):
    util = pytest.importorskip("beir.util")
    util.save_runfile(str(tmp_path / "run.trec"), {"q1": {"a": 0.1, "b": 0.9, "c": 0.4}, "q2": {"a": 1.0}})
    (tmp_path / "qrels").write_text("q1 0 c 1\nq1 0 b 0\nq2 0 a 1\nq3 0 a 1\n")
    questions, values = trec.score(tmp_path / "run.trec", tmp_path / "qrels", ["RR"])
    assert questions == 3
    assert values["RR"][0] == pytest.approx((1 / 2 + 1 + 0) / 3)


@pytest.mark.parametrize(
    ("run", "qrels", "said"),
    [
        ("q1 Q0 a 1 x t\n", "q1 0 a 1\n", "line 1: could not convert string to float: 'x'"),
        ("q1 Q0 a 1 0.5\n", "q1 0 a 1\n", "line 1: 5 columns instead of 6"),
        ("q1 Q0 a 1 0.5 t\nq1 Q0 a 2 0.4 t\n", "q1 0 a 1\n", "ranks a twice"),
        ("q1 Q0 a 1 0.5 t\n", "q1 0 a 1\nq1 0 a 0\n", "judges a twice"),
        ("q1 Q0 a 1 0.5 t\n", "\n", "holds no judgements"),
        ("q1 Q0 a 1 0.5 t\n", "q1 a 1\n", "3 columns instead of 4"),
    ],
)
def test_a_wrong_trec_file_is_refused_by_its_line(tmp_path, run, qrels, said):
    (tmp_path / "run").write_text(run)
    (tmp_path / "qrels").write_text(qrels)
    with pytest.raises(EvaluationError) as caught:
        trec.score(tmp_path / "run", tmp_path / "qrels")
    assert said in str(caught.value)
