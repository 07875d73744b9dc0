"""`clusterqa eval …`: comparison, gate, sweep and calibration, as a developer meets them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace

import numpy as np
import pytest
from click.testing import CliRunner

from clusterqa.cli import cli, common
from clusterqa.errors import EvaluationError, NotComparable, SettingsError
from clusterqa.evaluation.calibrate import MAX_LOST, calibrate, check_encoder, fit_profile
from clusterqa.evaluation.compare import compare
from clusterqa.evaluation.gate import Baseline, baseline_of, hold, lowered
from clusterqa.evaluation.sets import read_set
from clusterqa.evaluation.sweep import parse_grid, sweep
from clusterqa.retrieval.profile import FILE, Profile
from clusterqa.runtime import find_profile
from clusterqa.settings import Home
from clusterqa.store import open_store
from evaluation_fixtures import build, outcome, run_of, write_set
from words_encoder import WordsEncoder, WordTokens


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return build(tmp_path_factory.mktemp("commands"))


@pytest.fixture
def questions(tmp_path):
    return write_set(tmp_path / "questions.jsonl")


@pytest.fixture
def call(settings, monkeypatch):
    """Runs `clusterqa eval …` with the encoder for paper; settings go in by the flags that the command takes."""
    monkeypatch.setattr(common, "load_encoder", lambda settings: WordsEncoder)

    def call(command, *arguments, data=True):
        flags = ["--corpus", str(settings.corpus), "--data", str(settings.data)] if data else []
        return CliRunner().invoke(cli, ["eval", command, *map(str, arguments), *flags])

    return call


def ranks(*values, **more):
    """Answerable questions a, b, c … with these ranks."""
    return run_of(*(outcome(letter, rank=rank) for letter, rank in zip("abcdefgh", values, strict=False)), **more)


# ── run, check, score ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_run_prints_directions_and_keeps_everything(call, questions, tmp_path):
    done = call(
        "run", questions, "--split", "all", "--variants", "-o", tmp_path / "run.json", "--trec", tmp_path / "trec"
    )
    assert done.exit_code == 0, done.output
    for part in (
        "lt→lt",
        "en→en",
        "nDCG@10",
        "lexical Success@5",
        "lt→both, typo",
        "not_found precision",
        "encode, ms",
    ):
        assert part in done.output
    kept = json.loads((tmp_path / "run.json").read_text())
    assert {row["id"] for row in kept["outcomes"]} == {f"q{n}" for n in range(1, 8)}
    assert {row["variant"] for row in kept["variants"]} == {"folded", "typo"}
    assert sorted(path.name for path in (tmp_path / "trec").iterdir()) == [
        "both.qrels", "both.run", "en.qrels", "en.run", "lt.qrels", "lt.run",
    ]  # fmt: skip
    scored = call("score", tmp_path / "trec" / "en.run", tmp_path / "trec" / "en.qrels", "-m", "RR", data=False)
    assert scored.exit_code == 0, scored.output
    assert scored.output.splitlines()[0].startswith("3 judged questions")
    mean = np.mean([row["search"]["RR"] for row in kept["outcomes"] if row["view"] == "en" and row["answerable"]])
    assert f"{100 * mean:5.1f}" in scored.output.splitlines()[1]


def test_a_split_without_questions_is_said_with_what_to_do_and_not_a_fault(call, tmp_path):
    held = next(f"i{n}" for n in range(50) if _half(tmp_path, f"i{n}") == "held")
    path = write_set(tmp_path / "one.jsonl", [{"id": held, "question": "gold?", "language": "en", "answer": []}])
    done = call("run", path, "--split", "fit")
    assert done.exit_code == 0
    assert "None of the questions is of the split 'fit'" in done.output and "--split all" in done.output


def _half(tmp_path, identifier):
    return read_set(
        write_set(tmp_path / "split.jsonl", [{"id": identifier, "question": "x", "language": "en"}])
    )[0].split  # fmt: skip


def test_check_fails_for_a_quote_that_is_gone(call, questions, tmp_path):
    assert call("check", questions).output == "7 questions, 0 quotes that no longer stand in their document.\n"
    path = write_set(
        tmp_path / "stale.jsonl",
        [{"id": "q", "question": "x", "language": "en", "answer": [{"document": "food.en.md", "quote": "Gone."}]}],
    )
    done = call("check", path)
    assert done.exit_code == 1
    assert "q: not in food.en.md: Gone." in done.output
    assert "1 known answers no longer stand in their document" in call("run", path, "--split", "all").output


def test_a_beir_folder_is_run_like_a_set(call, tmp_path):
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "a", "text": "gold label"}\n{"_id": "b", "text": "silver label"}\n')
    (folder / "queries.jsonl").write_text('{"_id": "1", "text": "gold"}\n')
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n1\ta\t1\n")
    assert "2 documents, 1 judged queries; 0 judgements" in call("check", folder).output
    done = call("run", folder, "-o", tmp_path / "run.json")
    assert done.exit_code == 0, done.output
    row = next(line for line in done.output.splitlines() if line.startswith("all"))
    assert row.split()[1:4] == ["1", "100.0", "[100–100]"]
    assert "hit@1" not in done.output
    gate = call("gate", tmp_path / "run.json", "--baseline", tmp_path / "floors.json", "--write", data=False)
    assert gate.exit_code == 0
    assert "all nDCG@10" in json.loads((tmp_path / "floors.json").read_text())["floors"]


# ── compare ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_wins_losses_and_ties_are_counted_question_by_question():
    compared = compare(ranks(1, 1, 2, 0), ranks(1, 0, 1, 1))
    (row,) = compared.rows
    assert (row.what, row.questions, row.before, row.after) == ("en→both", 4, 0.5, 0.75)
    assert (row.wins, row.losses, row.ties) == (2, 1, 1)
    assert [(p.id, p.before, p.after) for p in compared.pairs] == [("a", 1, 1), ("b", 1, 0), ("c", 0, 1), ("d", 0, 1)]


def test_a_question_that_one_run_lacks_counts_as_wrong_there():
    compared = compare(ranks(1, 1), ranks(1))
    assert (compared.rows[0].questions, compared.rows[0].losses) == (2, 1)
    assert compared.pairs[1].second is None


def test_views_are_rows_of_their_own():
    """Three views of a question are not three independent questions."""
    views = [outcome("a", rank=1, view=view, language="lt") for view in ("both", "lt", "en")]
    compared = compare(run_of(*views), run_of(*views))
    assert [(row.what, row.questions) for row in compared.rows] == [("lt→both", 1), ("lt→lt", 1), ("lt→en", 1)]


def test_refusals_are_compared_on_the_unanswerable():
    before = run_of(outcome("u", answerable=False, status="answered"), outcome("a", rank=1))
    after = run_of(outcome("u", answerable=False, status="not_found"), outcome("a"))
    (row,) = compare(before, after, "refused").rows
    assert (row.questions, row.wins, row.losses) == (1, 1, 0)


def test_runs_on_different_questions_and_measures_not_taken_are_refused():
    with pytest.raises(NotComparable, match="Run both on the same set"):
        compare(ranks(1), ranks(1, questions_sha256="other"))
    with pytest.raises(NotComparable, match=r"first run has not taken nDCG@10"):
        compare(ranks(1), ranks(1), "nDCG@10")
    with pytest.raises(EvaluationError, match="Measures: hit@1"):
        compare(ranks(1), ranks(1), "hit@9")


def test_compare_shows_both_quotes_side_by_side(call, tmp_path):
    first = run_of(outcome("a", rank=1, quote="Ženklas galioja dvejus metus.", document="a.md"))
    second = run_of(outcome("a", rank=2, quote="Something else.", document="b.md"))
    first.write(tmp_path / "1.json")
    second.write(tmp_path / "2.json")
    done = call("compare", tmp_path / "1.json", tmp_path / "2.json", data=False)
    assert done.exit_code == 0, done.output
    assert "en→both            1   100.0 %     0.0 %      0     1     0  1.0000" in done.output
    assert any("Ženklas galioja" in line and "Something else." in line for line in done.output.splitlines())
    as_json = json.loads(call("compare", tmp_path / "1.json", tmp_path / "2.json", "--json", data=False).output)
    assert as_json["rows"][0]["losses"] == 1
    assert as_json["questions"][0]["second"] == "Something else."


# ── gate ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def floors_file(tmp_path):
    return tmp_path / "floors.json"


@pytest.fixture
def gate(call, floors_file, tmp_path):
    """Holds a run to the floors of another; gives exit status and output."""

    def gate(run, *arguments, floors=None):
        if floors is not None:
            baseline_of(floors).write(floors_file)
        run.write(tmp_path / "run.json")
        done = call("gate", tmp_path / "run.json", "--baseline", floors_file, *arguments, data=False)
        return done.exit_code, done.output

    return gate


def test_the_gate_passes_what_reaches_its_floors_and_one_question_less(gate):
    assert gate(ranks(1, 1, 1, 1), floors=ranks(1, 1, 1, 1))[0] == 0
    assert gate(ranks(1, 1, 1, 0), floors=ranks(1, 1, 1, 1))[0] == 0


def test_a_gate_that_holds_nothing_is_no_gate(gate, call, floors_file, tmp_path):
    """A run without questions of the held split would pass whatever it did."""
    fitted = run_of(*(replace(outcome(letter), split="fit") for letter in "abc"))
    code, output = gate(fitted, "--write")
    assert (code, floors_file.exists()) == (2, False)
    assert "none of the questions of this run is in it" in output
    Baseline(fitted.questions_sha256, fitted.encoder, {}).write(floors_file)
    done = call("gate", tmp_path / "run.json", "--baseline", floors_file, "--json", data=False)
    assert done.exit_code == 2
    told = json.loads(done.stdout)
    assert (told["passed"], "any run would pass" in told["error"]) == (False, True)


def test_what_is_written_makes_its_folder_or_is_told(gate, call, tmp_path):
    ranks(1, 1).write(tmp_path / "run.json")
    call("gate", tmp_path / "run.json", "--baseline", tmp_path / "new" / "floors.json", "--write", data=False)
    assert Baseline.read(tmp_path / "new" / "floors.json").floors
    (tmp_path / "file").write_text("x")
    done = call("gate", tmp_path / "run.json", "--baseline", tmp_path / "file" / "floors.json", "--write", data=False)
    assert (done.exit_code, "cannot be written (File exists)" in done.output) == (2, True)


def test_the_gate_fails_a_regression_with_1_and_names_it(gate):
    code, output = gate(ranks(1, 1, 0, 0), floors=ranks(1, 1, 1, 1))
    assert code == 1
    assert "BAD en→both hit@1: 50.0 % (floor 100.0 %, 4 questions)" in output


@pytest.mark.parametrize("broken", [{"exact": False}, {"status": "error"}])
def test_a_promise_has_no_tolerance(gate, broken):
    """One inexact quote, or one question that failed, is a regression among however many."""
    many = [outcome(f"q{n}", rank=1) for n in range(500)]
    code, output = gate(run_of(*many[:-1], replace(many[-1], **broken)), floors=run_of(*many))
    assert code == 1
    assert f"BAD {'quotes exact' if 'exact' in broken else 'did not fail'}: 99.8 % (floor 100.0 %" in output


@pytest.mark.parametrize(
    ("run", "floors"),
    [
        (ranks(1, questions_sha256="other"), ranks(1)),
        (run_of(outcome("a", rank=1, view="lt")), ranks(1)),  # has not taken what is held to a floor
    ],
)
def test_what_cannot_be_compared_is_2(gate, run, floors):
    code, output = gate(run, floors=floors)
    assert code == 2
    assert "--write" in output


def test_a_missing_run_or_baseline_is_2(gate, floors_file, call, tmp_path):
    assert gate(ranks(1))[0] == 2
    assert call("gate", tmp_path / "none.json", "--baseline", floors_file, data=False).exit_code == 2
    floors_file.write_text("{}")
    assert gate(ranks(1))[0] == 2


def test_the_gate_never_changes_its_floors(gate, floors_file):
    baseline_of(ranks(1, 1)).write(floors_file)
    before = floors_file.read_bytes()
    gate(ranks(0, 0))
    gate(ranks(1, 1))
    assert floors_file.read_bytes() == before


def test_writing_lowers_a_floor_only_when_told_to(gate, floors_file):
    code, output = gate(ranks(1, 0), "--write", floors=ranks(1, 1))
    assert code == 1
    assert "it would lower en→both hit@1, en→both hit@3" in output
    assert Baseline.read(floors_file) == baseline_of(ranks(1, 1))
    assert gate(ranks(1, 0), "--write", "--lower")[0] == 0
    assert Baseline.read(floors_file).floors["en→both hit@1"].value == 0.5
    assert gate(ranks(1, 1), "--write")[0] == 0  # raises it
    assert Baseline.read(floors_file).floors["en→both hit@1"].value == 1.0


def test_a_question_that_failed_was_neither_answered_nor_refused(gate):
    """Held to a floor, both directions of the error count as wrong."""
    broken = run_of(*(outcome(n, answerable=n < "c", status="error") for n in "abcd"))
    found = baseline_of(broken).floors
    assert (found["answerable answered"].value, found["unanswerable refused"].value) == (0.0, 0.0)
    assert found["did not fail"].value == 0.0


def test_floors_of_other_questions_are_replaced():
    assert lowered(baseline_of(ranks(0)), baseline_of(ranks(1, questions_sha256="other"))) == []


def test_a_floor_of_a_baseline_from_before_is_still_held(tmp_path):
    """The baselines that stand in repositories have no digest of the corpus."""
    file = tmp_path / "old.json"
    file.write_text(
        '{"questions_sha256": "q", "encoder": "e", "floors": {"en→both hit@1": {"value": 0.5, "questions": 2}}}'
    )
    assert [v.passed for v in hold(ranks(1, 0), Baseline.read(file))] == [True]


def test_only_the_kept_out_half_is_held_to_floors():
    run = run_of(outcome("a", rank=1), outcome("b", rank=0, split="fit"))
    assert baseline_of(run).floors["en→both hit@1"].value == 1.0


# ── sweep ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sweep_runs_every_combination_and_indexes_only_what_needs_it(settings, questions):
    grid = parse_grid(["passage_chars=600,200", "dense-weight=0,1"])
    encoders = []

    def load(own):
        encoders.append(WordsEncoder())
        return encoders[-1]

    tried = list(sweep(read_set(questions), settings, grid, load))
    assert [t.values for t in tried] == [
        {"passage_chars": chars, "dense_weight": weight} for chars in (600, 200) for weight in (0.0, 1.0)
    ]
    assert [t.run.settings["passage_chars"] for t in tried] == [600, 600, 200, 200]
    assert [t.run.weights["dense_weight"] for t in tried] == [0.0, 1.0, 0.0, 1.0]
    assert len(encoders) == 1
    assert len(list((settings.data / "sweep").iterdir())) == 1
    again = WordsEncoder()
    list(sweep(read_set(questions), settings, {"passage_chars": [200]}, lambda own: again))
    assert again.encoded == []  # the index was there


def test_another_encoder_gets_an_index_of_its_own(settings, questions):
    loaded = {"bundled": WordsEncoder(), "other": WordsEncoder(words=("food", "gold"))}
    tried = list(sweep(read_set(questions), settings, {"encoder": list(loaded)}, lambda own: loaded[own.encoder]))
    assert [t.run.encoder for t in tried] == [encoder.fingerprint for encoder in loaded.values()]
    assert loaded["bundled"].encoded == []
    assert len(loaded["other"].encoded) > 0


def test_an_index_made_for_a_sweep_has_the_token_states_that_the_encoder_gives(questions, tmp_path):
    settings = build(tmp_path)
    list(sweep(read_set(questions), settings, {"passage_chars": [200]}, lambda own: WordTokens()))
    (made,) = (settings.data / "sweep").iterdir()
    with open_store(Home(made)) as store:
        tokens = [len(own) for own in store.tokens([entry.id for entry in store.passages()])]
    assert tokens and min(tokens) > 0


def test_wrong_settings_of_a_sweep_are_named_together(settings, questions):
    with pytest.raises(EvaluationError) as caught:
        parse_grid(["dense_weigth=1", "passage_chars=long", "reranked="])
    for part in (
        "no setting 'dense_weigth'",
        "dense_weight",
        "passage_chars=long: invalid literal",
        "no value is given",
    ):
        assert part in str(caught.value)
    with pytest.raises(SettingsError, match="passage-chars"):
        list(sweep(read_set(questions), settings, {"passage_chars": [5]}, lambda own: WordsEncoder()))


def test_a_sweep_prints_a_line_for_each_and_keeps_them(call, questions, tmp_path):
    done = call("sweep", questions, "--vary", "dense_weight=0.3,0.6", "--split", "all", "-o", tmp_path / "sweep.json")
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if line.startswith("dense_weight=")]
    assert [line.split()[0] for line in lines] == ["dense_weight=0.3", "dense_weight=0.6"]
    kept = json.loads((tmp_path / "sweep.json").read_text())
    assert [row["values"] for row in kept] == [{"dense_weight": 0.3}, {"dense_weight": 0.6}]
    assert [row["what"] for row in kept[0]["rows"]][:2] == ["lt→lt", "lt→en"]


# ── calibration ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def fitting():
    """300 questions: the higher the score, the likelier the first quote is right; "noise" says nothing."""
    draw = np.random.default_rng(11)
    outcomes = []
    for n in range(300):
        score = float(draw.random())
        right = draw.random() < score
        outcomes.append(
            outcome(
                f"f{n}", rank=int(right), answerable=n % 3 > 0 or right, split="fit",
                features={"score": score, "noise": float(draw.random())},
            )
        )  # fmt: skip
    return run_of(
        *outcomes,
        encoder=WordsEncoder().fingerprint,
        settings={"reranker": "late_interaction"},
        weights=asdict(replace(Profile.bundled().search, dense_weight=0.25)),
    )


def test_the_confidence_learns_what_tells_right_from_wrong(fitting):
    fitted = calibrate([fitting])
    low, middle, high = (fitted.probability({"score": s, "noise": 0.5}) for s in (0.1, 0.5, 0.9))
    assert low < 0.25 < middle < 0.75 < high
    assert abs(fitted.weights["noise"]) < 0.3 < fitted.weights["score"]
    assert fit_profile([fitting]).encoder == WordsEncoder().fingerprint


def test_a_wrong_quote_of_a_question_with_an_answer_counts_less_than_one_without_and_the_probability_stays_one_of_being_right(
    fitting,
):
    """ "found" tells questions with an answer from those without, but not right quotes from wrong ones."""
    outcomes = [replace(o, features={**o.features, "found": float(o.answerable)}) for o in fitting.outcomes]
    fitted = calibrate([replace(fitting, outcomes=tuple(outcomes))])
    told = [fitted.probability(o.features) for o in outcomes]
    with_answer = [p for p, o in zip(told, outcomes, strict=True) if o.answerable and o.rank != 1]
    without = [p for p, o in zip(told, outcomes, strict=True) if not o.answerable]
    assert np.mean(with_answer) > np.mean(without) + 0.1
    assert np.mean(told) == pytest.approx(np.mean([o.rank == 1 for o in outcomes]), abs=0.02)


def test_more_evidence_never_lowers_the_confidence(fitting):
    """Two features that say the same, one of them with noise: free signs would play them off against each other."""
    draw = np.random.default_rng(12)
    doubled = [
        replace(o, features={**o.features, "lexical": o.features["score"] ** 2, "unknown": float(draw.random())})
        for o in fitting.outcomes
    ]
    turned = [replace(o, features={**o.features, "lexical": 1 - o.features["lexical"]}) for o in doubled]
    straight, reverse = (calibrate([replace(fitting, outcomes=tuple(some))]) for some in (doubled, turned))
    assert all(fitted.weights[name] >= 0 for fitted in (straight, reverse) for name in ("score", "lexical"))
    assert reverse.weights["lexical"] == 0 < reverse.weights["score"]
    assert straight.weights["unknown"] <= 0


def test_the_operating_point_costs_at_most_so_many_right_answers(fitting):
    fitted = calibrate([fitting])
    answerable = [o for o in fitting.outcomes if o.answerable]
    lost = [o for o in answerable if o.rank == 1 and fitted.probability(o.features) < fitted.threshold]
    assert 0 < len(lost) / len(answerable) <= MAX_LOST + 0.02  # the point was chosen on other folds


def test_the_kept_out_half_does_not_bear_on_the_fit(fitting):
    liar = [outcome(f"h{n}", rank=1, features={"score": 0.0, "noise": 0.0}) for n in range(200)]
    assert calibrate([replace(fitting, outcomes=(*fitting.outcomes, *liar))]) == calibrate([fitting])


def test_too_little_to_fit_on_is_refused():
    with pytest.raises(EvaluationError, match="at least 20 right and 20 wrong"):
        calibrate([ranks(1, 0)])


def same(a: Profile, b: Profile) -> bool:
    """Whether two profiles are the same file."""
    return json.dumps(asdict(a)) == json.dumps(asdict(b))


def test_a_profile_holds_the_weights_of_its_run_and_is_read_as_written(fitting, tmp_path):
    fitted = fit_profile([fitting])
    (tmp_path / FILE).write_text(fitted.as_text())
    assert same(Profile.read(tmp_path / FILE), fitted)
    assert fitted.calibration == calibrate([fitting])
    assert fitted.search == replace(Profile.bundled().search, dense_weight=0.25)


@pytest.mark.parametrize(
    ("encoder", "reranker", "told"),
    [
        (WordsEncoder(words=("other",)), "late_interaction", r"words@\w+ with .*, not for the encoder words@\w+ with"),
        (
            WordsEncoder(),
            "other:Reranker",
            "words@.* with late_interaction, not for the encoder words@.* with other:Reranker",
        ),
    ],
)
def test_a_profile_of_another_encoder_or_reranker_is_passed_over(
    fitting, settings, tmp_path, caplog, encoder, reranker, told
):
    (tmp_path / FILE).write_text(fit_profile([fitting]).as_text())
    own = settings.model_copy(update={"data": tmp_path, "reranker": reranker})
    assert find_profile(own, encoder, None) == Profile.bundled()  # and says so
    assert re.search(f"fitted for the encoder {told}.*clusterqa eval calibrate", caplog.text)


def test_a_file_that_is_no_profile_is_passed_over(settings, tmp_path, caplog):
    (tmp_path / FILE).write_text("{}")
    with pytest.raises(EvaluationError, match="clusterqa eval calibrate"):
        Profile.read(tmp_path / FILE)
    assert find_profile(settings.model_copy(update={"data": tmp_path}), WordsEncoder(), None) == Profile.bundled()
    assert "cannot be read" in caplog.text


def test_a_run_without_its_weights_makes_no_profile(fitting):
    with pytest.raises(EvaluationError, match="clusterqa eval run"):
        fit_profile([replace(fitting, weights={})])


def test_a_run_of_another_encoder_does_not_calibrate_this_index(settings, fitting, call, tmp_path):
    check_encoder(fitting, settings.home)
    foreign = replace(fitting, encoder="other@1")
    with pytest.raises(EvaluationError, match=r"encoder other@1, but the index .* was built with words@"):
        check_encoder(foreign, settings.home)
    foreign.write(tmp_path / "foreign.json")
    done = call("calibrate", tmp_path / "foreign.json")
    assert done.exit_code == 1
    assert not (settings.data / FILE).exists()


def test_several_runs_are_fitted_together_and_unlike_ones_are_refused(fitting):
    other = replace(fitting, outcomes=tuple(replace(o, id=f"other-{o.id}") for o in fitting.outcomes))
    together = fit_profile([fitting, other])
    assert len(together.calibration.outcomes) == 2 * len(fit_profile([fitting]).calibration.outcomes)
    with pytest.raises(EvaluationError, match="unlike encoders"):
        fit_profile([fitting, replace(other, encoder="another")])


def test_calibrate_writes_what_the_assistant_takes(fitting, call, settings, tmp_path):
    fitting.write(tmp_path / "run.json")
    done = call("calibrate", tmp_path / "run.json")
    assert done.exit_code == 0, done.output
    try:
        assert same(find_profile(settings, WordsEncoder(), None), fit_profile([fitting]))
    finally:
        (settings.data / FILE).unlink()
