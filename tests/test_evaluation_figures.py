"""The figures agree with independent tools, and programs get every one of them in the form they want."""

from __future__ import annotations

import csv
import io
import json
import math
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from clusterqa.cli import cli, common
from clusterqa.errors import NotComparable
from clusterqa.evaluation import continuous, report
from clusterqa.evaluation.compare import compare, contest
from clusterqa.evaluation.figures import figures, flat
from clusterqa.evaluation.gate import Verdict, baseline_of
from clusterqa.evaluation.measures import (
    holm,
    interval,
    intervals,
    randomisation_test,
    risk_coverage,
    selective,
    short_scores,
)
from clusterqa.evaluation.outcomes import Asked, Place, Run
from clusterqa.evaluation.run import run
from clusterqa.evaluation.sets import read_set
from clusterqa.evaluation.tables import as_table, consistency
from clusterqa.retrieval.weights import SearchWeights
from evaluation_fixtures import BRONZE_EN, BRONZE_LT, QUESTIONS, build, outcome, run_of, write_set
from words_encoder import WordsEncoder

SHARES = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40)
ASCII = st.text(st.sampled_from("abthe 2,.'-"), max_size=20)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return build(tmp_path_factory.mktemp("figures")).model_copy(update={"reader": "none"})


@pytest.fixture
def call(settings, monkeypatch):
    """Runs `clusterqa eval …` with the encoder for paper, outside any workflow."""
    monkeypatch.setattr(common, "load_encoder", lambda settings: WordsEncoder)
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CLUSTERQA_READER", "none")

    def call(command, *arguments, data=False):
        flags = ["--corpus", str(settings.corpus), "--data", str(settings.data)] if data else []
        return CliRunner().invoke(cli, ["eval", command, *map(str, arguments), *flags])

    return call


def ranks(*values, **more):
    """Answerable questions a, b, c … with these ranks."""
    return run_of(*(outcome(letter, rank=rank) for letter, rank in zip("abcdefgh", values, strict=False)), **more)


# ── statistics ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_intervals_are_those_of_a_bootstrap_by_scipy():
    from scipy.stats import bootstrap

    values = np.random.default_rng(3).random(60)
    mean, low, high = interval(values.tolist())
    theirs = bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", random_state=1).confidence_interval
    assert mean == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.006)  # two draws of one distribution
    both = intervals(np.column_stack([values, 1 - values]))
    assert both[0] == interval(values.tolist())
    assert both[1] == pytest.approx((1 - mean, 1 - high, 1 - low))


@given(SHARES)
def test_accuracy_at_a_coverage_is_that_of_the_surest(pairs):
    from sklearn.metrics import accuracy_score

    confidences, right = zip(*pairs, strict=True)
    found = selective(confidences, right, samples=50)
    surest = sorted(range(len(pairs)), key=lambda i: -confidences[i])
    for percent in (50, 80, 95):
        answered = [right[i] for i in surest[: max(1, -(-percent * len(pairs) // 100))]]
        mean, low, high = found[f"accuracy at {percent} %"]
        assert mean == pytest.approx(accuracy_score([True] * len(answered), answered))
        assert 0 <= low <= high <= 1
    assert found["risk–coverage area"][0] == pytest.approx(risk_coverage(confidences, right)[2])


def test_the_interval_of_the_area_is_that_of_a_bootstrap_by_scipy():
    from scipy.stats import bootstrap

    draw = np.random.default_rng(5)
    confidences = draw.random(80)
    right = draw.random(80) < confidences

    def area(p, y):
        return risk_coverage(p, y)[2]

    theirs = bootstrap(
        (confidences, right), area, paired=True, vectorized=False, n_resamples=3000, method="percentile", random_state=1
    ).confidence_interval
    mean, low, high = selective(confidences.tolist(), right.tolist())["risk–coverage area"]
    assert low < mean < high
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_no_questions_have_no_figures():
    assert all(math.isnan(number) for values in selective([], []).values() for number in values)
    assert figures(run_of(), "held")["rows"] == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_that_of_statsmodels(values):
    tests = pytest.importorskip("statsmodels.stats.multitest")
    assert holm(values) == pytest.approx(tests.multipletests(values, method="holm")[1].tolist())


@given(ASCII, st.lists(ASCII, min_size=1, max_size=3))
def test_short_answers_are_scored_as_by_squad(told, known):
    squad = pytest.importorskip("torchmetrics.functional.text").squad
    theirs = squad(
        [{"prediction_text": told, "id": "q"}],
        [{"id": "q", "answers": {"text": known, "answer_start": [0] * len(known)}}],
    )
    found = short_scores(told, known)
    assert 100 * found["EM"] == pytest.approx(float(theirs["exact_match"]))
    if all(word.split() for word in (told, *known)):  # of two empty answers theirs says 0
        assert 100 * found["F1"] == pytest.approx(float(theirs["f1"]), abs=1e-3)


@pytest.mark.parametrize(
    ("told", "known", "f1", "exact"),
    [
        ("Dvejus metus", "dvejus metus", 1, 1),
        ("„dvejus metus“.", "Dvejus metus", 1, 1),
        ("zenklas galioja", "ženklas galioja", 1, 1),
        ("2 250 eurų", "2,250 eurų", 1, 1),
        ("2\u202f250 eurų", "2.250 eurų", 1, 1),
        ("dvejus metus nuo pokalbio", "dvejus metus", 2 / 3, 0),
        ("5 metai 300 eurų", "5300 eurų", 2 / 6, 0),
        ("", "metai", 0, 0),
    ],
)
def test_short_answers_are_folded_for_lithuanian(told, known, f1, exact):
    assert short_scores(told, [known, "visai kitas"]) == {"F1": pytest.approx(f1), "EM": exact}


def test_three_runs_are_tested_two_by_two_and_corrected_together():
    runs = [ranks(1, 1, 1, 1, 1, 1, 1, 1), ranks(0, 0, 0, 0, 0, 0, 0, 0), ranks(1, 1, 1, 1, 0, 0, 0, 0)]
    found = contest(runs)
    assert [values[0] for values in found.rows["en→both"]] == [1.0, 0.0, 0.5]
    assert [(i, j) for i, j, _ in found.tests] == [(0, 1), (0, 2), (1, 2)]
    for (i, j, row), corrected in zip(found.tests, holm([row.p for *_, row in found.tests]), strict=True):
        first, second = ([float(o.rank == 1) for o in runs[k].outcomes] for k in (i, j))
        assert row.p == randomisation_test(first, second)
        assert row.holm == corrected >= row.p
    assert found.tests[0][2].holm == pytest.approx(3 * found.tests[0][2].p)


def test_the_rows_of_a_comparison_are_corrected_together_too():
    def made(rank):
        return run_of(*(outcome(f"q{n}", rank=rank, language=("lt", "en")[n % 2]) for n in range(16)))

    lt, en = compare(made(1), made(0)).rows
    assert lt.p == en.p < 0.05
    assert lt.holm == en.holm == pytest.approx(2 * lt.p)


# ── short answers and pairs ─────────────────────────────────────────────────────────────────────────────────────

PAIRED = [
    {**QUESTIONS[0], "pair": "price", "answer": [{**BRONZE_EN, "short": "2,250 euro"}, {**BRONZE_LT, "short": "2 250 eurų"}]},
    {**QUESTIONS[1], "pair": "price"},
    {**QUESTIONS[4], "pair": "none"},
    {**QUESTIONS[5], "pair": "none"},
    {**QUESTIONS[3], "pair": "alone"},
]  # fmt: skip


@pytest.fixture(scope="module")
def paired(settings, tmp_path_factory):
    path = write_set(tmp_path_factory.mktemp("pairs") / "set.jsonl", PAIRED)
    return run(read_set(path), settings, WordsEncoder())


def test_the_short_answer_is_measured_where_the_set_knows_one(paired):
    told = {(o.id, o.view): o.reading for o in paired.outcomes if o.reading}
    assert {identifier for identifier, _ in told} == {"q1"}
    # No reader marked a short answer, so the whole quote is compared, without "The" and "a".
    words = "bronze label has price of 2250 euro".split()
    assert told["q1", "en"] == {"F1": pytest.approx(2 * 2 / (len(words) + 2)), "EM": 0.0}
    rows = {row["what"]: row for row in as_table(paired.outcomes)}
    assert rows["en→en"]["questions"] == 2
    assert rows["en→en"]["F1"][0] == told["q1", "en"]["F1"]
    assert math.isnan(rows["lt→en"]["F1"][0])


def test_a_question_that_failed_has_no_right_short_answer(settings, tmp_path, monkeypatch):
    from clusterqa.retrieval.pipeline import Pipeline

    monkeypatch.setattr(Pipeline, "ask", lambda *_: 1 / 0)
    made = run(read_set(write_set(tmp_path / "set.jsonl", PAIRED[:1])), settings, WordsEncoder())
    assert {o.status for o in made.outcomes} == {"error"}
    assert [o.reading for o in made.outcomes] == [{"F1": 0.0, "EM": 0.0}] * 3


def test_runs_that_know_other_short_answers_are_not_compared_by_them(paired):
    asked = paired.questions[0]
    other = replace(asked, gold=tuple(replace(place, short="2,250") for place in asked.gold))
    with pytest.raises(NotComparable, match="different short answers"):
        compare(paired, replace(paired, questions=(other, *paired.questions[1:])), "F1", "all")
    assert compare(paired, paired, "F1", "all").rows[0].questions == 1


def pair_of(number, lt, en):
    return [outcome(f"{number}lt", language="lt", **lt), outcome(f"{number}en", language="en", **en)]


def test_the_versions_of_one_question_are_held_to_each_other():
    outcomes = [
        *pair_of(1, {"rank": 1, "place": "a"}, {"rank": 1, "place": "a"}),
        *pair_of(2, {"rank": 1, "place": "a"}, {"rank": 2, "place": "b", "status": "not_found"}),
        *pair_of(3, {"rank": 0, "place": "c"}, {"rank": 0, "place": "c"}),
        *pair_of(4, {"answerable": False, "status": "not_found"}, {"answerable": False, "place": "d"}),
    ]
    asked = tuple(Asked(o.id, "?", o.language, "plain", "held", pair=o.id[0]) for o in outcomes)
    found = consistency(run_of(*outcomes, questions=asked))
    assert {name: (count, values[0]) for name, (count, values) in found.items()} == {
        "same place": (4, 0.5),
        "both right": (3, pytest.approx(1 / 3)),
        "one right": (3, pytest.approx(1 / 3)),
        "both wrong": (3, pytest.approx(1 / 3)),
        "alike": (4, 0.5),
    }
    assert consistency(run_of(*outcomes)) == {}


def test_a_passage_and_its_translation_are_one_place(tmp_path):
    """The two texts have the same words for the encoder, and nobody named an answer."""
    pages = {"tax.en.md": "# Tax\n\nA gold label, euro.\n", "tax.lt.md": "# Tax\n\nApie gold label, euro.\n"}
    own = build(tmp_path, pages).model_copy(update={"reader": "none"})
    asked = [
        {"id": "l", "question": "Kas yra gold label euro?", "language": "lt", "pair": "g"},
        {"id": "e", "question": "What is the gold label euro?", "language": "en", "pair": "g"},
    ]
    made = run(read_set(write_set(tmp_path / "set.jsonl", asked)), own, WordsEncoder())
    both = {o.id: o for o in made.outcomes if o.view == "both"}
    assert {both["l"].document, both["e"].document} == {"tax.lt.md", "tax.en.md"}
    assert consistency(made)["same place"] == (1, (1.0, 1.0, 1.0))


# ── for programs ────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_run_keeps_its_aggregates_unrounded(paired, tmp_path):
    paired.write(tmp_path / "run.json")
    kept = json.loads((tmp_path / "run.json").read_text())["figures"]
    assert set(kept) == {"all", *{o.split for o in paired.outcomes}}
    for row, table in zip(kept["all"]["rows"], as_table(paired.outcomes), strict=True):
        assert row["what"] == table["what"]
        for name, told in row["measures"].items():
            assert tuple(told.values()) == table[name]
    assert Run.read(tmp_path / "run.json") == paired


def test_run_prints_json_csv_and_latex(call, tmp_path):
    path = write_set(tmp_path / "set.jsonl", PAIRED)
    made = call("run", path, "--split", "all", "-o", tmp_path / "run.json", "--json", data=True)
    assert made.exit_code == 0, made.output
    found = json.loads(made.stdout)
    kept = Run.read(tmp_path / "run.json")
    assert found["rows"] == kept.figures["all"]["rows"]
    assert found["questions_sha256"] == kept.questions_sha256
    lines = list(csv.DictReader(io.StringIO(call("table", tmp_path / "run.json", "--split", "all", "--csv").stdout)))
    assert len(lines) == len(list(flat(found)))
    [line] = [line for line in lines if (line["what"], line["measure"]) == ("en→both", "F1")]
    [row] = [row for row in found["rows"] if row["what"] == "en→both"]
    assert float(line["mean"]) == row["measures"]["F1"]["mean"]
    latex = call("table", tmp_path / "run.json", "--split", "all", "--latex").stdout
    assert latex.count(r"\begin{tabular}") == latex.count(r"\end{tabular}") > 0
    assert r"en$\to$both" in latex and r"hit@1" in latex
    for table in latex.split(r"\begin{tabular}{")[1:]:
        columns = len(table.split("}")[0])
        rows = [line for line in table.splitlines() if line.endswith(r"\\")]
        assert all(line.count(" & ") + 1 == columns for line in rows)
    assert call("table", tmp_path / "run.json", "--csv", "--json").exit_code == 2


def test_score_prints_json(call, tmp_path):
    (tmp_path / "run").write_text("q Q0 a 1 2 t\nq Q0 b 2 1 t\n")
    (tmp_path / "qrels").write_text("q 0 b 1\n")
    found = json.loads(
        call("score", tmp_path / "run", tmp_path / "qrels", "-m", "RR", "-m", "unjudged@2", "--json").stdout
    )
    assert found == {
        "questions": 1,
        "measures": {name: {"mean": 0.5, "low": 0.5, "high": 0.5} for name in ("RR", "unjudged@2")},
    }


def test_more_than_two_runs_stand_beside_each_other(call, tmp_path):
    paths = [tmp_path / f"{name}.json" for name in "abc"]
    for path, made in zip(paths, (ranks(1, 1, 1), ranks(1, 0, 1), ranks(0, 0, 0)), strict=True):
        made.write(path)
    found = json.loads(call("compare", *paths, "--json").stdout)
    assert [own["mean"] for own in found["rows"][0]["runs"]] == [1.0, pytest.approx(2 / 3), 0.0]
    assert [(test["first"], test["second"]) for test in found["tests"]] == [
        ("a.json", "b.json"), ("a.json", "c.json"), ("b.json", "c.json"),
    ]  # fmt: skip
    text = call("compare", *paths).output
    assert "Holm" in text and "1 → 3" in text and "66.7" in text
    assert r"\begin{tabular}" in call("compare", *paths, "--latex").output
    assert call("compare", *paths[:2], "--csv").output.splitlines()[1].startswith("en→both,3,a.json,1.0,")
    assert call("compare", paths[0]).exit_code == 2


@pytest.fixture
def floors(tmp_path):
    baseline_of(ranks(1, 1, 1, 1)).write(tmp_path / "floors.json")
    ranks(1, 1, 0, 0).write(tmp_path / "run.json")
    return tmp_path


def test_the_gate_tells_programs_what_it_found(call, floors):
    done = call(
        "gate", floors / "run.json", "--baseline", floors / "floors.json", "--json", "--junit", floors / "junit.xml"
    )
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    fell = {verdict["name"] for verdict in found["verdicts"] if not verdict["passed"]}
    assert (found["passed"], fell) == (False, {"en→both hit@1", "en→both hit@3"})
    [suite] = ElementTree.parse(floors / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == (str(len(found["verdicts"])), "2")
    assert {case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None} == fell
    ranks(1, questions_sha256="other").write(floors / "run.json")
    done = call("gate", floors / "run.json", "--baseline", floors / "floors.json", "--junit", floors / "junit.xml")
    [suite] = ElementTree.parse(floors / "junit.xml").getroot()
    assert (done.exit_code, suite.get("errors")) == (2, "1")
    assert "other questions" in next(suite.iter("error")).attrib["message"]


def test_in_a_workflow_the_gate_writes_a_summary_and_annotations(call, floors, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(floors / "summary.md"))
    (floors / "summary.md").write_text("before\n")
    done = call("gate", floors / "run.json", "--baseline", floors / "floors.json")
    assert done.exit_code == 1
    assert "::error title=Fell%3A en→both hit@1::50.0 %25, floor 100.0 %25" in done.stderr
    summary = (floors / "summary.md").read_text()
    assert summary.startswith("before\n### run.json: 2 of ")
    assert "| ✗ | en→both hit@1 | 50.0 % | 100.0 % | 75.0 % | 4 |" in summary
    ranks(1, questions_sha256="other").write(floors / "run.json")
    done = call("gate", floors / "run.json", "--baseline", floors / "floors.json")
    assert (done.exit_code, "::error title=Cannot be compared::" in done.stderr) == (2, True)


def test_names_from_outside_cannot_break_a_summary_or_xml():
    verdict = Verdict("a|b\x01 <x>\n::error::", 0.0, 1.0, 0.9, 3)
    assert "a\\|b" in continuous.as_summary([verdict], "run")
    ElementTree.fromstring(continuous.as_junit([verdict]))
    assert "\n" not in continuous.annotation(verdict.name, verdict.name)


# ── report ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_quote_to_a_question_without_an_answer_is_not_called_gone():
    answered = outcome("u", answerable=False, quote="A price.", document="a.md")
    asked = Asked("u", "Who won?", "en", "unanswerable", "held")
    page = report.as_html(report.build(run_of(answered, questions=(asked,))))
    assert "A price." in page and "stands there no more" not in page
    gone = replace(asked, gold=(Place("a.md", "Gone.", None, None),))
    page = report.as_html(report.build(run_of(replace(answered, answerable=True), questions=(gone,))))
    assert page.count("stands there no more") == 1


def test_the_report_shows_the_new_figures(paired):
    built = report.build(paired, split="all")
    titles = [table.title for table in built.tables]
    assert {"Short answers", "The surest answers", "One question in both languages"} <= set(titles)
    [area] = [plot.caption for plot in built.plots if plot.title == "Risk and coverage"]
    told = figures(paired, "all")["confidence"]["risk–coverage area"]
    assert f"[{told['low']:.3f}–{told['high']:.3f}]" in area


def test_the_confidence_is_shown_on_another_subject(paired):
    other = replace(
        paired, questions_sha256="other", outcomes=tuple(replace(o, confidence=1.0) for o in paired.outcomes)
    )
    [table] = [t for t in report.build(paired, split="all", shifted=other).tables if "another subject" in t.title]
    [(_, here), (_, there)] = table.rows
    assert [cell.text for cell in here[:2]] == [cell.text for cell in there[:2]] == ["5", "60.0"]
    assert there[2].text == "0.400"  # always sure, and right in three of five
    with pytest.raises(NotComparable, match="same profile"):
        report.build(paired, split="all", shifted=replace(other, threshold=0.9))


# ── a run that is broken off ────────────────────────────────────────────────────────────────────────────────────


class Counted(WordsEncoder):
    """Counts the questions, and stops at one as a person with Ctrl-C would."""

    def __init__(self, stop_at=""):
        super().__init__()
        self.asked, self.stop_at = [], stop_at

    def encode_queries(self, texts):
        self.asked += texts
        if self.stop_at and any(self.stop_at in text for text in texts):
            raise KeyboardInterrupt
        return super().encode_queries(texts)


def without_times(made):
    def plain(outcomes):
        return [replace(o, milliseconds=0, stages={}) for o in outcomes]

    return plain(made.outcomes), plain(made.variants)


def test_a_run_that_was_broken_off_asks_only_what_is_left(settings, tmp_path):
    items = read_set(write_set(tmp_path / "set.jsonl"))
    whole = run(items, settings, WordsEncoder())
    with pytest.raises(KeyboardInterrupt):
        run(items, settings, Counted("food cluster member"), resume=tmp_path / "asked")
    with (tmp_path / "asked").open("a") as file:
        file.write('{"asked": "half a l')
    encoder = Counted()
    resumed = run(items, settings, encoder, resume=tmp_path / "asked")
    assert without_times(resumed) == without_times(whole)
    assert "food cluster member" in encoder.asked
    assert not any("bronze label" in text for text in encoder.asked)
    nothing_left = Counted()
    run(items, settings, nothing_left, resume=tmp_path / "asked")
    assert len(nothing_left.asked) == 1  # the text that warms the encoder up


def test_a_question_that_failed_is_asked_again(settings, tmp_path, monkeypatch):
    from clusterqa.retrieval.pipeline import Pipeline

    items = read_set(write_set(tmp_path / "set.jsonl", QUESTIONS[:1]))
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "ask", lambda *_: 1 / 0)
        run(items, settings, WordsEncoder(), resume=tmp_path / "asked")
    again = run(items, settings, WordsEncoder(), resume=tmp_path / "asked").outcomes
    assert {o.status for o in again} == {"answered", "not_found"}


def test_what_was_asked_with_another_search_is_asked_again(settings, tmp_path):
    items = read_set(write_set(tmp_path / "set.jsonl"))
    run(items, settings, WordsEncoder(), resume=tmp_path / "asked")
    made = run(items, settings, WordsEncoder(), resume=tmp_path / "asked")
    other = SearchWeights(**{**made.weights, "dense_weight": 0.9})  # type: ignore[arg-type]
    run(items, settings, encoder := Counted(), weights=other, resume=tmp_path / "asked")
    assert "food cluster member" in encoder.asked


def test_resuming_on_the_command_line_leaves_only_the_run(call, tmp_path):
    path = write_set(tmp_path / "set.jsonl")
    assert call("run", path, "--resume", data=True).exit_code == 2
    assert call("run", path, "--resume", "-o", tmp_path / "run.json", data=True).exit_code == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.json", "set.jsonl"]


def test_one_question_less_passes_whatever_the_rounding() -> None:
    for questions in range(2, 200):
        for right in range(1, questions + 1):
            floor, value = round(right / questions, 4), round((right - 1) / questions, 4)
            assert Verdict("hit@1", value, floor, floor - 1 / questions, questions).passed
            assert not Verdict(
                "hit@1", round((right - 2) / questions, 4), floor, floor - 1 / questions, questions
            ).passed
