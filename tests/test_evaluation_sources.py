"""Sets of other people in every form they come in, and what is said of those that cannot be used."""

from __future__ import annotations

import gzip
import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from clusterqa.errors import EvaluationError
from clusterqa.evaluation import report, trec
from clusterqa.evaluation.beir import index, is_foreign, read_beir, read_foreign
from clusterqa.evaluation.compare import compare
from clusterqa.evaluation.gate import baseline_of
from clusterqa.evaluation.measures import scored_values
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.run import run_beir
from clusterqa.evaluation.sets import read_set
from clusterqa.evaluation.tables import as_table
from words_encoder import WordsEncoder

DOCUMENTS = {
    "d1": "The gold label has a price.",
    "d2": "Sidabro ženklas galioja metus.",
    "d3": "A food cluster member.",
    **{f"r{number}": f"Bronze report {number}." for number in range(12)},
}
"""What the third query looks for stands behind twelve reports."""
QUERIES: list[dict[str, Any]] = [
    {"_id": "q1", "text": "gold price", "language": "en", "tags": ["money"]},
    {"_id": "q2", "text": "sidabro ženklas", "metadata": {"lang": "lt", "tags": "labels"}},
    {"_id": "q3", "text": "bronze report"},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td3\t0\nq2\td2\t1\nq3\td3\t1\n"


def as_lines(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "set"
    (path / "qrels").mkdir(parents=True)
    (path / "corpus.jsonl").write_text(as_lines({"_id": i, "title": "", "text": t} for i, t in DOCUMENTS.items()))
    (path / "queries.jsonl").write_text(as_lines(QUERIES), encoding="utf-8")
    (path / "qrels" / "test.tsv").write_text(QRELS)
    return path


@pytest.fixture
def searched(folder, settings):
    """A run over the set, with the encoder for paper."""
    settings = settings.model_copy(update={"reader": "none"})

    def searched(split=""):
        beir = read_foreign(folder, split)
        own, _ = index(beir, settings, WordsEncoder)
        return run_beir(beir, own, WordsEncoder())

    return searched


# ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_judgements_without_a_header_keep_their_first_line(folder):
    with_header = read_beir(folder)
    (folder / "qrels" / "test.tsv").write_text(QRELS.split("\n", 1)[1])
    assert read_beir(folder).qrels == with_header.qrels == {"q1": {"d1": 2, "d3": 0}, "q2": {"d2": 1}, "q3": {"d3": 1}}


def test_the_same_judgement_twice_is_one_and_a_contradiction_is_told(folder):
    (folder / "qrels" / "test.tsv").write_text(QRELS + "q2\td2\t1\n")
    assert read_beir(folder).qrels["q2"] == {"d2": 1}
    (folder / "qrels" / "test.tsv").write_text(QRELS + "q2\td2\t0\n")
    with pytest.raises(EvaluationError, match=r"test.tsv line 6: it judges d2 twice for the question q2, as 1 and 0"):
        read_beir(folder)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("query-id,corpus-id,score\nq1,d1,1\n", "line 1: 1 column instead of 3: query-id, corpus-id, score. Part them by tabs"),
        ("q1\t0\td1\t1\n", "line 1: 4 columns instead of 3"),
        ("q1\td1\tgood\nq1\td1\tgood\n", "line 2: could not convert string to float: 'good'"),
        ("q1\td1\tnan\n", "line 1: 'nan' is no number"),
        ("q9\td1\t1\n", "line 1: there is no query q9"),
    ],
)  # fmt: skip
def test_judgements_that_cannot_be_read_are_told_with_their_line(folder, content, told):
    (folder / "qrels" / "test.tsv").write_text(content)
    with pytest.raises(EvaluationError) as caught:
        read_beir(folder)
    assert f"test.tsv {told}" in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_utf_16_is_told_with_its_mend(folder, name, encoding):
    path = folder / name
    path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    with pytest.raises(EvaluationError, match=rf"{path.name} line 1: this is UTF-16.*Save the file as UTF-8"):
        read_beir(folder)


def test_another_encoding_is_told_with_its_line(folder):
    (folder / "queries.jsonl").write_bytes(as_lines(QUERIES).encode() + b'{"_id": "q4", "text": "\xfeenklas"}\n')
    with pytest.raises(EvaluationError, match=r"queries.jsonl line 4: this is not UTF-8"):
        read_beir(folder)


def test_gzipped_files_are_read_like_the_others(folder):
    plain = read_beir(folder)
    for path in (folder / "corpus.jsonl", folder / "queries.jsonl", folder / "qrels" / "test.tsv"):
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert read_beir(folder) == plain


def test_a_gzipped_file_that_ends_early_is_told(folder):
    path = folder / "corpus.jsonl"
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(path.read_bytes())[:-12])
    path.unlink()
    with pytest.raises(EvaluationError, match=r"corpus\.jsonl\.gz cannot be read"):
        read_beir(folder)


def test_several_splits_are_joined_and_each_is_a_slice(folder):
    (folder / "qrels" / "dev.tsv").write_text("q3\td1\t1\nq1\td1\t2\n")
    both = read_beir(folder, "test,dev")
    assert both.qrels == {"q1": {"d1": 2, "d3": 0}, "q2": {"d2": 1}, "q3": {"d3": 1, "d1": 1}}
    assert both.qrels == read_beir(folder, "all").qrels
    assert both.slices["q1"] == ("language en", "tag money", "split test", "split dev")
    assert both.sha256 != read_beir(folder).sha256
    with pytest.raises(EvaluationError, match="for the split 'train', only for: dev, test"):
        read_beir(folder, "test,train")
    (folder / "qrels" / "dev.tsv").write_text("q1\td1\t1\n")
    with pytest.raises(EvaluationError, match=r"it judges d1 twice for the question q1, as 1 and 2"):
        read_beir(folder, "all")


def parquet(folder, name, rows):
    pyarrow = pytest.importorskip("pyarrow")
    import pyarrow.parquet as files

    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    files.write_table(pyarrow.Table.from_pylist(rows), folder / name)


def mteb(folder, prefix="", documents=DOCUMENTS):
    """A folder as MTEB's repositories on the Hugging Face hub are laid out: its grades are floating-point numbers."""
    parquet(folder, f"{prefix}corpus/corpus-00000-of-00001.parquet", [{"_id": i, "title": "", "text": t} for i, t in documents.items()])  # fmt: skip
    parquet(folder, f"{prefix}queries/queries-00000-of-00001.parquet", [{"_id": q["_id"], "text": q["text"]} for q in QUERIES])  # fmt: skip
    rows = [line.split("\t") for line in QRELS.split("\n")[1:-1]]
    for number, part in enumerate((rows[:2], rows[2:])):
        parquet(
            folder,
            f"{prefix}qrels/test-0000{number}-of-00002.parquet",
            [{"query-id": q, "corpus-id": d, "score": float(g)} for q, d, g in part],
        )


def test_the_parquet_layout_of_mteb_holds_the_same_set(folder, tmp_path):
    mteb(tmp_path / "hub")
    found, beir = read_foreign(tmp_path / "hub"), read_beir(folder)
    assert (found.documents, found.queries, found.qrels) == (beir.documents, beir.queries, beir.qrels)
    assert all(isinstance(grade, int) for row in found.qrels.values() for grade in row.values())
    with pytest.raises(EvaluationError, match="for the split 'dev', only for: test"):
        read_foreign(tmp_path / "hub", "dev")


def test_one_of_several_sets_in_a_folder_is_chosen_by_its_prefix(tmp_path):
    mteb(tmp_path, "lit-")
    mteb(tmp_path, "eng-", DOCUMENTS | {"d4": "more"})
    assert set(read_foreign(tmp_path, subset="eng").documents) == {*DOCUMENTS, "d4"}
    assert set(read_foreign(tmp_path, subset="lit").documents) == set(DOCUMENTS)
    with pytest.raises(EvaluationError, match="no subset '', only: eng, lit"):
        read_foreign(tmp_path)


def test_parquet_files_that_lack_a_part_or_are_broken_are_told(tmp_path):
    parquet(tmp_path, "corpus/test-00000-of-00001.parquet", [{"_id": "a", "text": "x"}])
    with pytest.raises(EvaluationError, match="no Parquet files for: queries, qrels"):
        read_foreign(tmp_path)
    (tmp_path / "corpus" / "broken.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(EvaluationError, match="cannot be read"):
        read_foreign(tmp_path)


def test_a_data_set_of_ir_datasets_is_read_by_its_id(folder, tmp_path):
    ir_datasets = pytest.importorskip("ir_datasets")
    (tmp_path / "docs.tsv").write_text("".join(f"{i}\t{text}\n" for i, text in DOCUMENTS.items()), encoding="utf-8")
    (tmp_path / "queries.tsv").write_text("".join(f"{q['_id']}\t{q['text']}\n" for q in QUERIES), encoding="utf-8")
    (tmp_path / "qrels").write_text("".join(f"{q} 0 {d} {g}\n" for q, d, g in (line.split("\t") for line in QRELS.split("\n")[1:-1])))  # fmt: skip
    made = ir_datasets.create_dataset(
        docs_tsv=str(tmp_path / "docs.tsv"),
        queries_tsv=str(tmp_path / "queries.tsv"),
        qrels_trec=str(tmp_path / "qrels"),
    )
    if "clusterqa-sources/test" not in ir_datasets.registry:
        ir_datasets.registry.register("clusterqa-sources/test", made)
    source = Path("ir_datasets:clusterqa-sources/test")
    assert is_foreign(source)
    found, beir = read_foreign(source), read_beir(folder)
    assert (found.documents, found.queries, found.qrels) == (beir.documents, beir.queries, beir.qrels)
    with pytest.raises(EvaluationError, match="knows no data set 'clusterqa-sources/none'"):
        read_foreign(Path("ir_datasets:clusterqa-sources/none"))
    with pytest.raises(EvaluationError, match="Leave out --split"):
        read_foreign(source, "test")


# ── running ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_set_of_others_has_one_total_and_the_slices_that_it_names_itself(searched):
    rows = {row["what"]: row for row in as_table(searched().outcomes)}
    assert {name: row["questions"] for name, row in rows.items()} == {
        "all": 3, "language en": 1, "language lt": 1, "tag labels": 1, "tag money": 1,
    }  # fmt: skip
    assert rows["all"]["nDCG@10"][0] == pytest.approx(2 / 3)
    assert rows["language lt"]["nDCG@10"] == (1, 1, 1)


def test_what_nobody_judged_is_told(searched):
    made = searched()
    share = {o.id: o.search["unjudged@10"] for o in made.outcomes}
    for o in made.outcomes:
        judged = {row.document for row in (*o.relevant, *o.irrelevant)}
        found = [row.document for row in o.ranked[:10]]
        assert share[o.id] == pytest.approx(sum(name not in judged for name in found) / max(len(found), 1)), o.id
    assert share["q1"] > 0


def test_grades_of_0_are_kept_in_the_run_and_in_exported_judgements(searched, tmp_path):
    made = searched()
    made.write(tmp_path / "run.json")
    read = Run.read(tmp_path / "run.json")
    assert read == made
    _, qrels = trec.write(read, tmp_path)
    assert qrels.read_text() == "q1 0 d1 2\nq1 0 d3 0\nq2 0 d2 1\nq3 0 d3 1\n"


def test_fractions_are_grades_too(folder, searched, tmp_path):
    import ir_measures

    (folder / "qrels" / "test.tsv").write_text("q1\td1\t0.5\nq1\td3\t0.25\nq2\td2\t1.0\nq3\td3\t0.75\n")
    made = searched()
    values = {o.id: o.search["nDCG@10"] for o in made.outcomes}
    run_file, qrels = trec.write(made, tmp_path)
    assert qrels.read_text().splitlines()[:2] == ["q1 0 d1 50", "q1 0 d3 25"]
    whole = ir_measures.iter_calc(
        [ir_measures.nDCG @ 10], ir_measures.read_trec_qrels(str(qrels)), ir_measures.read_trec_run(str(run_file))
    )
    assert {row.query_id: row.value for row in whole} == values
    assert 0 < values["q1"] <= 1


def test_measures_that_need_whole_grades_say_so():
    with pytest.raises(EvaluationError, match=r"P\(rel=2\)@5 needs whole grades"):
        scored_values({"q": {"a": 0.5}}, {"q": {"a": 1.0}}, ["P(rel=2)@5"])
    with pytest.raises(EvaluationError, match="finer than 1/1000"):
        scored_values({"q": {"a": 1 / 3}}, {"q": {"a": 1.0}})


@pytest.mark.parametrize("name", ["P(rel=0.5)@5", "INST", "alpha_nDCG@10", "nDCG(gains={1:0.5})@5", "R@", "nonsense"])
def test_a_measure_that_cannot_be_taken_is_our_own_error(name):
    with pytest.raises(EvaluationError, match=r"is no measure|cannot be taken"):
        scored_values({"q": {"a": 1}}, {"q": {"a": 1.0}}, [name])


@pytest.mark.skipif(not shutil.which("perl"), reason="ir_measures takes ERR with a Perl program")
def test_expected_reciprocal_rank_takes_questions_of_any_name():
    """The program behind ERR reads only numbers as names of questions."""
    found = scored_values({"klausimas": {"a": 1, "b": 0}}, {"klausimas": {"b": 2.0, "a": 1.0}}, ["ERR@10"])
    assert found["klausimas"]["ERR@10"] == pytest.approx((2**1 - 1) / 2**4 / 2, abs=1e-5)


def test_failures_show_the_texts(searched):
    built = report.build(searched())
    [case] = built.failures
    assert case.id == "q3"
    assert [str(answer.text) for answer in case.gold] == [DOCUMENTS["d3"]]
    assert all(str(answer.text) in DOCUMENTS.values() for answer in case.sides[0].answers)
    page = report.as_html(built)
    assert DOCUMENTS["d3"] in page
    assert "→" not in page.split('id="failures"')[1]
    assert "Search" in [table.title for table in built.tables]


def test_two_runs_and_the_gate_rest_on_the_total(searched):
    made = searched()
    [row] = compare(made, made, "nDCG@10").rows
    assert (row.what, row.questions, row.ties) == ("all", 3, 3)
    assert {"all nDCG@10", "language lt R@100"} <= set(baseline_of(made).floors)


# ── TREC files and question sets ────────────────────────────────────────────────────────────────────────────────


def test_trec_files_may_be_gzipped_and_have_fractions(tmp_path):
    (tmp_path / "run").write_bytes(gzip.compress(b"q Q0 a 1 2 t\nq Q0 b 2 1 t\n"))
    (tmp_path / "qrels").write_bytes(gzip.compress(b"q 0 a 0.5\nq 0 b 1.0\n"))
    count, found = trec.score(tmp_path / "run", tmp_path / "qrels", ["nDCG@10", "unjudged@1"])
    assert count == 1
    assert found["nDCG@10"][0] == pytest.approx((0.5 + 1 / math.log2(3)) / (1 + 0.5 / math.log2(3)))
    assert found["unjudged@1"][0] == 0


@pytest.mark.parametrize(
    ("run", "qrels", "told"),
    [
        ("q,Q0,a,1,1,t\n", "q 0 a 1\n", "run line 1: 1 column instead of 6, parted by spaces and not by commas"),
        ("q Q0 a 1 1 t\n", "q a 1\n", "qrels line 1: 3 columns instead of 4"),
        ("q Q0 a 1 nan t\n", "q 0 a 1\n", "run line 1: 'nan' is no number"),
        ("q Q0 a 1 1 t\n", "q 0 a 1\nq 0 a 2\n", "qrels line 2: it judges a twice"),
        ("q Q0 a 1 1 t\nq Q0 a 1 1 t\n", "q 0 a 1\n", "run line 2: it ranks a twice"),
    ],
)
def test_trec_files_that_cannot_be_read_are_told_with_their_line(tmp_path, run, qrels, told):
    (tmp_path / "run").write_text(run)
    (tmp_path / "qrels").write_text(qrels)
    with pytest.raises(EvaluationError) as caught:
        trec.score(tmp_path / "run", tmp_path / "qrels")
    assert told in str(caught.value)


GOLD = {"document": "a.md", "quote": "Galioja dvejus metus."}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"language": None}, '"language" is missing'),
        ({"question": None}, '"question" is missing'),
        ({"history": "Kas?"}, '"history" is not a list'),
        ({"answer": "dvejus"}, '"answer" is not a list'),
        ({"answer": ["dvejus"]}, "an answer: this is no JSON object"),
        ({"answer": [{"document": "a.md"}]}, 'an answer: "quote" is missing'),
        ({"answers": [GOLD]}, '"answers" is not known; write "answer"'),
        ({"answer": [{**GOLD, "shorts": "dvejus"}]}, 'an answer: "shorts" is not known; write "short"'),
        ({"answer": [{**GOLD, "short": "trejus metus"}]}, "\"short\" 'trejus metus' does not stand in its quote"),
    ],
)
def test_a_line_of_a_question_set_says_what_is_wrong_with_it(tmp_path, changes, told):
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({"id": "a", "question": "Kiek galioja?", "language": "lt", **changes}))
    with pytest.raises(EvaluationError) as caught:
        read_set(path)
    assert f"line 1: {told}" in str(caught.value)


def test_a_question_set_may_be_gzipped_and_hold_short_answers_and_pairs(tmp_path):
    line = {"id": "a", "question": "Kiek\u2028galioja?", "language": "lt", "answer": [{**GOLD, "short": "dvejus metus"}], "pair": 7}  # fmt: skip
    (tmp_path / "set.jsonl.gz").write_bytes(gzip.compress(json.dumps(line, ensure_ascii=False).encode()))
    [item] = read_set(tmp_path / "set.jsonl.gz")
    assert (item.pair, item.answers[0].short) == ("7", "dvejus metus")


def test_a_run_of_another_set_is_told_and_not_scored_as_nothing(tmp_path):
    run, qrels = tmp_path / "run", tmp_path / "qrels"
    run.write_text("a Q0 d 1 1.0 tag\n")
    qrels.write_text("q-a 0 d 1\n")
    with pytest.raises(EvaluationError, match=r"answers none of the questions .* 'a' .* 'q-a'"):
        trec.score(run, qrels)
    run.write_text("")  # a search that found nothing is one, and is wrong everywhere
    assert trec.score(run, qrels, ["R@1"]) == (1, {"R@1": (0.0, 0.0, 0.0)})
