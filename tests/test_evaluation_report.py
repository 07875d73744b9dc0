"""The report: what it shows is what was measured, it needs nothing but itself, and nothing in a text becomes markup."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from lxml import html
from scipy.stats import binomtest

from clusterqa.cli import cli
from clusterqa.errors import EvaluationError, NotComparable
from clusterqa.evaluation import plots, report
from clusterqa.evaluation.beir import index, read_beir
from clusterqa.evaluation.measures import calibration_error, interval
from clusterqa.evaluation.outcomes import Asked, Place, Ranked, Run, Shown
from clusterqa.evaluation.run import run, run_beir
from clusterqa.evaluation.sets import read_set
from clusterqa.evaluation.tables import as_table
from clusterqa.evaluation.variants import variants
from evaluation_fixtures import build, outcome, run_of, write_set
from words_encoder import WordsEncoder

EVIL = '</script><script>alert(1)</script>| "a" & <b>b</b>\n@everyone [x](http://example.org) #7'


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return build(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def made(settings, tmp_path_factory):
    items = read_set(write_set(tmp_path_factory.mktemp("set") / "questions.jsonl"))
    return run([*items, *variants(items)], settings, WordsEncoder())


@pytest.fixture(scope="module")
def page(made):
    return html.document_fromstring(report.as_html(report.build(made, split="all")))


def asked(identifier: str, question: str = "What is it?", *gold: Place, language: str = "en") -> Asked:
    return Asked(identifier, question, language, "plain", "held", (), gold)


def before_and_now() -> tuple[Run, Run]:
    """Two runs of the same questions: the second loses one, wins one, and answers what it should refuse."""
    gold = Place("a.lt.md", "Ženklas galioja dvejus metus.", 11, 40)
    questions = (asked("lost", "Kiek galioja?", gold, language="lt"), asked("won", "Who?", gold), asked("none", "Why?"))
    right = Shown("a.lt.md", 0, 40, "Sakinys. – Ženklas galioja dvejus metus.", True)
    wrong = Shown("b.en.md", 5, 20, "Something else.", False)
    found = (Ranked("a.lt.md", 0, 50, 1),)

    def side(identifier, quote, **more):
        return outcome(
            identifier, rank=int(quote.right), quotes=(quote,), quote=quote.text, document=quote.document,
            relevant=found, **more,
        )  # fmt: skip

    none = outcome("none", answerable=False, status="not_found", confidence=0.1)
    before = (side("lost", right, language="lt"), side("won", wrong), none)
    now = (
        side("lost", wrong, language="lt", confidence=0.9),
        side("won", right),
        replace(none, status="answered", confidence=0.6, quotes=(wrong,)),
    )
    return run_of(*before, questions=questions), run_of(*now, questions=questions)


# ── the page needs nothing but itself ─────────────────────────────────────────────────────────────────────────────


def test_the_page_fetches_nothing_and_runs_only_its_own_script(page):
    assert all(link.startswith("#") for _, _, link, _ in page.iterlinks())
    assert not page.xpath("//link | //img | //iframe | //object | //script[@src]")
    assert "@import" not in page.xpath("string(//style)")
    [script] = page.xpath("//script")
    digest = base64.b64encode(hashlib.sha256(script.text.encode()).digest()).decode()
    [policy] = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}';" in policy


def test_every_link_of_the_page_leads_to_one_place_in_it(page):
    names = page.xpath("//@id")
    assert len(names) == len(set(names))
    links = page.xpath("//a/@href | //@*[name()='xlink:href'] | //@aria-labelledby")
    wanted = {part.lstrip("#") for link in links for part in link.split()}
    assert wanted <= set(names)


def test_what_stands_in_a_question_or_a_document_stays_text():
    shown = Shown(EVIL, 0, len(EVIL), EVIL, False)
    bad = outcome("x", quotes=(shown,), quote=EVIL, document=EVIL, type=EVIL)
    evil = run_of(
        bad, questions=(asked("x", EVIL, Place(EVIL, EVIL, None, None)),), settings={EVIL: EVIL}, encoder=EVIL
    )
    built = report.build(evil, name=EVIL)
    page = html.document_fromstring(report.as_html(built))
    assert len(page.xpath("//script")) == 1
    assert not page.xpath("//article//b[text()='b']")
    [question] = page.xpath("//article/h3")
    assert question.text_content().split() == EVIL.split()
    text = report.as_markdown(built)
    assert "<script" not in text.replace("\\<script", "")
    assert "http://" not in text
    assert not re.search(r"(?<!\w)@everyone", text)
    [row] = [line for line in text.splitlines() if line.startswith("| \\<")]
    assert len(re.findall(r"(?<!\\)\|", row)) == 5


def test_it_can_be_made_without_a_plotting_library_in_every_command():
    probe = "import sys, clusterqa.cli, clusterqa.evaluation.report; print('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout.strip() == "False"


# ── what it shows is what was measured ────────────────────────────────────────────────────────────────────────────


def test_the_table_of_directions_has_the_figures_of_the_run(made, page):
    rows = {
        row.xpath("string(th)"): row.xpath("td") for row in page.xpath("(//section[@id='tables']//table)[1]//tr[td]")
    }
    for row in as_table(made.outcomes):
        if "→" in row["what"]:
            count, first = (cell.text_content().split() for cell in rows[row["what"]][:2])
            mean, low, high = row["hit@1"]
            assert count == [str(row["questions"])]
            assert first == [f"{100 * mean:.1f}", f"{100 * low:.0f}–{100 * high:.0f}"]


def test_the_parts_that_a_run_has_are_all_there(page):
    titles = page.xpath("//section[@id='tables']/h3/text()")
    assert titles == [
        "Answers by direction", "Answers by type of question", "Search by direction", "Each channel alone",
        "Lithuanian typed in a hurry", "Where answers get lost", "Refusal", "The surest answers", "Promises", "Time by stage",
    ]  # fmt: skip
    assert page.xpath("//figure/h3/text()") == ["Risk and coverage", "Calibration", "Time"]
    made_with = page.xpath("string(//section[@id='made-with'])")
    for part in ("setting passage_chars", "search dense_weight", "version of torch", "corpus, sha256", "index on disk"):
        assert part in made_with


def test_every_question_that_went_wrong_is_among_the_failures_and_no_other(made, page):
    shown = page.xpath("//section[@id='failures']/article")
    wrong = [o for o in made.outcomes if report.cause(o)]
    assert len(shown) == len(wrong) > 0
    assert {a.get("id") for a in shown} == {f"case-{o.id}-{o.view}" for o in wrong}


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({"rank": 1}, ""),
        ({"rank": 1, "status": "not_found"}, "withheld"),
        ({"rank": 2, "passage_rank": 1}, "quote"),
        ({"rank": 0, "passage_rank": 1, "status": "not_found"}, "quote"),
        ({"rank": 2, "passage_rank": 2}, "ranking"),
        ({"rank": 0, "passage_rank": 0}, "search"),
        ({"rank": 0, "status": "greeting"}, "remark"),
        ({"rank": 1, "status": "error"}, "error"),
        ({"answerable": False}, "invented"),
        ({"answerable": False, "status": "not_found"}, ""),
        ({"answerable": False, "status": "greeting"}, ""),
        ({"answerable": False, "status": "error"}, "error"),
        ({"status": "searched", "search": {"nDCG@10": 0.4}}, ""),
        ({"status": "searched", "search": {"nDCG@10": 0.0}}, "search"),
    ],
)
def test_a_failure_is_told_by_the_first_stage_that_went_wrong(facts, cause):
    assert report.cause(outcome("x", **facts)) == cause


def test_a_question_that_failed_says_with_what():
    built = report.build(run_of(outcome("x", status="error", error="ZeroDivisionError: by zero")))
    [case] = built.failures
    assert case.cause == "error"
    assert "ZeroDivisionError: by zero" in report.as_html(built)


GOLD = Place("a", "two years", 20, 29)


@pytest.mark.parametrize(
    ("text", "quote", "pieces"),
    [
        ("for two years.", ("a", 16, 30), [("for ", False), ("two years", True), (".", False)]),
        ("It runs for two", ("a", 8, 23), [("It runs for ", False), ("two", True)]),
        ("years from now", ("a", 24, 38), [("years", True), (" from now", False)]),
        ("elsewhere", ("a", 40, 49), [("elsewhere", False)]),
        ("for two years", ("b", 0, 13), [("for ", False), ("two years", True)]),
        ("for two weeks", ("b", 16, 29), [("for two weeks", False)]),
        ("two", None, [("two", True)]),
        ("", None, []),
    ],
)
def test_what_a_known_answer_covers_in_a_quote_is_marked(text, quote, pieces):
    assert list(report.marked(text, quote, [GOLD])) == pieces


def test_lithuanian_text_says_that_it_is_lithuanian(made, page):
    quotes = page.xpath("//article[@data-told='lt']//blockquote//span/@lang")
    assert quotes and set(quotes) == {"lt"}
    questions = {o.id: o.language for o in made.outcomes}
    for article in page.xpath("//section[@id='failures']/article"):
        name = article.xpath("string(header/a)")
        assert article.xpath("string(h3/span/@lang)") == questions[name]


# ── comparing ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_questions_that_changed_sides_come_losses_first_with_both_quotes_and_the_gold_marked():
    before, now = before_and_now()
    page = html.document_fromstring(report.as_html(report.build(now, before, name="new", other="old")))
    cases = page.xpath("//section[@id='changed']/article")
    assert [(case.get("data-cause"), case.get("id")) for case in cases] == [
        ("lost", "change-lost-both"), ("lost", "change-none-both"), ("won", "change-won-both"),
    ]  # fmt: skip
    lost = cases[0]
    old, new, gold = lost.xpath(".//section")
    assert old.xpath("string(h4)").startswith("old: Answered")
    assert old.xpath(".//mark/text()") == ["Ženklas galioja dvejus metus."]
    assert "✓ right" in old.text_content()
    assert new.xpath("string(h4)").startswith("new: Answered")
    assert new.xpath("string(.//blockquote/p)") == "Something else."
    assert "✗ wrong" in new.text_content()
    assert gold.xpath(".//mark/text()") == ["Ženklas galioja dvejus metus."]


def test_the_markdown_names_what_was_lost_and_counts_what_was_won():
    before, now = before_and_now()
    text = report.as_markdown(report.build(now, before, name="new", other="old"))
    assert "**2 lost, 1 won**" in text
    assert "| lost | lt→both | Kiek galioja? | Sakinys. – Ženklas galioja dvejus metus. | Something else. |" in text
    assert "| none | en→both | Why? | Refused | Answered: Something else. |" in text
    assert len(text) < 60_000  # GitHub takes 65,536 characters


def test_only_as_many_losses_as_one_reads_are_in_the_markdown():
    several = [f"q{i:02}" for i in range(15)]
    before, now = (run_of(*(outcome(name, rank=rank) for name in several)) for rank in (1, 0))
    text = report.as_markdown(report.build(now, before))
    assert len(re.findall(r"^\| q\d\d \|", text, re.MULTILINE)) == report.MARKDOWN_ROWS == 10
    assert "and 5 more in the page." in text


def test_a_run_beside_itself_has_changed_nothing(made):
    built = report.build(made, made, split="all")
    assert built.changed == ()
    assert all(other == "" for _, _, other in built.made_with)
    assert {cells[3].text for table in built.changes for _, cells in table.rows} == {"0.0"}


def test_another_setting_is_shown_beside_the_one_of_this_run():
    first, second = (run_of(outcome("x", rank=1), settings={"passage_chars": n, "threads": 2}) for n in (600, 300))
    built = report.build(second, first)
    assert ("setting passage_chars", "300", "600") in built.made_with
    assert ("setting threads", "2", "") in built.made_with


def test_runs_of_different_questions_are_not_compared():
    with pytest.raises(NotComparable, match="different questions"):
        report.build(run_of(outcome("x")), run_of(outcome("x"), questions_sha256="other"))


# ── older runs, BEIR folders ──────────────────────────────────────────────────────────────────────────────────────

OLD = {
    "questions_sha256": "q", "encoder": "old@1", "corpus": {"a.en.md": "1"}, "versions": {"clusterqa": "0.1.0"},
    "outcomes": [
        {"id": name, "view": "both", "language": "en", "type": "plain", "split": "held", "answerable": answerable,
         "status": "answered", "rank": rank, "passage_rank": rank, "confidence": 0.5, "exact": True,
         "told_language": "en", "milliseconds": 12.5, "quote": "Two years.", "document": "a.en.md", "features": {}}
        for name, answerable, rank in (("x", True, 1), ("y", True, 0), ("z", False, 0))
    ],
}  # fmt: skip


def test_a_run_of_an_older_version_gives_a_report_of_what_it_has(tmp_path):
    path = tmp_path / "old.json"
    path.write_text(json.dumps(OLD))
    built = report.build(Run.read(path))
    titles = [table.title for table in built.tables]
    assert "Answers by direction" in titles and "Search by direction" not in titles
    assert [table.rows for table in built.tables if table.title == "Time by stage"] == [
        (("total", (report.Cell("12.5"),) * 3),)
    ]
    assert [(case.id, case.question) for case in built.failures] == [("y", None), ("z", None)]
    assert "Two years." in report.as_html(built)
    assert "Two years." in report.as_markdown(built)


def test_a_beir_folder_is_reported_by_its_search(tmp_path, settings):
    folder = tmp_path / "set"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": "d1", "text": "The gold label."}, {"_id": "d2", "text": "A food cluster."}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    queries = [{"_id": "q1", "text": "gold label"}, {"_id": "q2", "text": "euro price"}]
    (folder / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in queries))
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\tmissing\t1\n")
    beir = read_beir(folder)
    own, _ = index(beir, settings.model_copy(update={"data": tmp_path / "data"}), WordsEncoder)
    built = report.build(run_beir(beir, own, WordsEncoder()))
    assert [table.title for table in built.tables] == ["Search", "Time by stage"]
    assert [(case.id, case.cause) for case in built.failures] == [("q2", "search")]
    assert "missing" in report.as_html(built)
    assert dict(built.summary).keys() >= {"all, nDCG@10"}


# ── plots ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def drawn():
    draw = np.random.default_rng(7)
    confidences = draw.random(150)
    right = draw.random(150) < confidences
    latency = {"search": {"p50": 3.0, "p95": 9.5, "p99": 20.0}, "total": {"p50": 30.0, "p95": 60.0, "p99": 90.0}}
    return [
        plots.risk_coverage_plot(confidences.tolist(), right.tolist(), (confidences > 0.4).tolist()),
        plots.reliability_plot(confidences.tolist(), right.tolist()),
        plots.latency_plot(latency, latency),
    ]


def test_a_plot_can_be_read_by_those_who_do_not_see_it(drawn):
    for svg in drawn:
        element = html.fragment_fromstring(svg)
        assert element.get("role") == "img"
        title, description = (element.xpath(f"//*[@id='{name}']") for name in element.get("aria-labelledby").split())
        assert title[0].text
        assert re.search(r"\d", description[0].text)
    assert "search: p50 3.0, p95 9.5, p99 20.0 milliseconds." in drawn[2]


def test_a_plot_has_the_colours_and_the_letters_of_the_page(drawn):
    for svg in drawn:
        colours = set(re.findall(r"(?:fill|stroke): ([^;\"]+)", svg))
        assert colours <= {
            "none",
            "currentColor",
            "var(--soft)",
            "var(--line)",
            "var(--accent)",
            "var(--second)",
            "var(--card)",
        }
        assert "font-family" not in svg
        assert "<style" not in svg
        assert "<text" in svg


def test_the_same_numbers_give_the_same_drawing():
    values = ([0.1, 0.6, 0.9], [False, True, True])
    assert plots.reliability_plot(*values) == plots.reliability_plot(*values)


def test_without_questions_there_is_no_plot():
    assert plots.risk_coverage_plot([], [], []) == plots.reliability_plot([], []) == plots.latency_plot({}) == ""


def test_the_bins_that_are_drawn_are_those_of_the_calibration_error():
    draw = np.random.default_rng(3)
    confidences, right = [*draw.random(97).tolist(), 1.0, 0.0], (draw.random(99) < 0.5).tolist()
    bins = plots.reliability(confidences, right)
    error = sum(row["questions"] * abs(row["confidence"] - row["right"]) for row in bins) / 99
    assert error == pytest.approx(calibration_error(confidences, right), abs=1e-12)
    assert all(row["from"] <= row["right"] <= row["to"] for row in bins)


@pytest.mark.parametrize(("hits", "count"), [(0, 1), (1, 1), (0, 7), (7, 7), (3, 10), (250, 1000)])
def test_the_interval_of_a_share_is_that_of_scipy(hits, count):
    expected = binomtest(hits, count).proportion_ci(0.95, method="wilson")
    assert plots.wilson(hits, count) == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_the_band_ends_in_the_bootstrap_interval_of_all_questions():
    draw = np.random.default_rng(5)
    confidences, right = draw.random(200), draw.random(200) < 0.6
    low, high = plots._band(confidences.tolist(), right.tolist())
    _, expected_low, expected_high = interval((1 - right.astype(float)).tolist())
    assert (low[-1], high[-1]) == pytest.approx((expected_low, expected_high), abs=0.015)
    assert (low <= high).all()


# ── the command ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_writes_the_page_and_the_markdown(made, tmp_path):
    made.write(tmp_path / "run.json.gz")
    arguments = ["eval", "report", tmp_path / "run.json.gz", "--split", "all", "-o", tmp_path / "a" / "report.html"]
    result = CliRunner().invoke(cli, list(map(str, [*arguments, "--markdown", tmp_path / "report.md"])))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "a" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "report.md").read_text(encoding="utf-8").startswith("## Evaluation of run.json.gz\n")


def test_what_cannot_be_reported_is_said_with_the_next_step(tmp_path):
    with pytest.raises(EvaluationError, match="--split"):
        report.build(run_of(outcome("x", split="fit")))
    run_of(outcome("x")).write(tmp_path / "run.json")
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(
        cli, ["eval", "report", str(tmp_path / "run.json"), "-o", str(tmp_path / "file" / "report.html")]
    )
    assert result.exit_code == 1
    assert "Name another file" in result.output
