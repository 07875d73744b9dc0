"""Passages that nobody judged are pooled, judged by people at the desk, and become qrels; what nobody asks about is listed."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sklearn.metrics import cohen_kappa_score

from clusterqa.cli import cli, common
from clusterqa.errors import EvaluationError, NotComparable
from clusterqa.evaluation.measures import cohen_kappa
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.pool import (
    POOL,
    Grade,
    Judgement,
    Pooled,
    Settled,
    agreement,
    pool,
    read_pool,
    settle,
    to_judge,
    with_known,
    write_pool,
)
from clusterqa.evaluation.run import run
from clusterqa.evaluation.sets import read_set
from clusterqa.evaluation.trec import read_qrels
from clusterqa.evaluation.trec import write as write_trec
from clusterqa.settings import Settings
from clusterqa.staff.accounts import Accounts
from clusterqa.staff.answers import QUESTIONS as ANSWERED
from clusterqa.store import open_store
from clusterqa.web.app import build as build_app
from clusterqa.web.staff.words_judging import WORDS
from clusterqa.web.staff.words_questions import percent
from evaluation_fixtures import BRONZE_EN, build, outcome, run_of, write_set
from words_encoder import WordsEncoder

PASSWORD = "žirafa geria šaltibarščius"
Call = Callable[..., Result]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return build(tmp_path_factory.mktemp("judging"))


@pytest.fixture(scope="module")
def made(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Run:
    questions = write_set(tmp_path_factory.mktemp("set") / "questions.jsonl")
    return run(read_set(questions), settings, WordsEncoder())


def pooled_of(run: Run, settings: Settings, depth: int = 10, **more: Run) -> list[Pooled]:
    with open_store(settings.home) as store:
        found, lost = pool({"run.json": run, **more}, store, depth)
    assert lost == 0
    return found


# ── the pool ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pool_holds_what_a_search_found_and_nobody_judged_as_it_stands_in_its_document(
    made: Run, settings: Settings
) -> None:
    found = pooled_of(made, settings)
    assert found
    known = {(o.id, row.key) for o in made.outcomes for row in (*o.relevant, *o.irrelevant)}
    ranked = {(o.id, row.key) for o in made.outcomes for row in o.ranked}
    assert {(one.question, one.passage) for one in found} == ranked - known
    with open_store(settings.home) as store:
        for one in found:
            assert (store.text(one.document, one.version) or "")[one.start : one.end] == one.text != ""
    assert [one.id for one in found if BRONZE_EN["quote"] in one.text and one.question == "q1"] == []


def test_the_order_tells_nothing_of_ranks_and_two_runs_are_one_list(made: Run, settings: Settings) -> None:
    found = pooled_of(made, settings, other=made)
    places = [(one.question, one.document, one.start) for one in found]
    assert places == sorted(places)
    assert len({one.id for one in found}) == len(found)
    assert {one.runs for one in found} == {("other", "run.json")}
    assert len(pooled_of(made, settings, depth=1)) < len(found)


def test_runs_over_other_questions_and_over_sets_of_other_people_are_refused(settings: Settings) -> None:
    with open_store(settings.home) as store:
        with pytest.raises(NotComparable, match="different question sets"):
            pool({"a": run_of(outcome("1")), "b": run_of(outcome("1"), questions_sha256="other")}, store, 10)
        with pytest.raises(EvaluationError, match=r"theirs\.json is of a set with its own documents"):
            pool({"theirs.json": run_of(outcome("1"), kind="beir")}, store, 10)


def test_a_pool_is_kept_and_read_again_and_a_damaged_line_is_named(
    made: Run, settings: Settings, tmp_path: Path
) -> None:
    found = pooled_of(made, settings)
    path = tmp_path / "pool.jsonl"
    write_pool(path, found)
    assert read_pool(path) == found
    path.write_text(path.read_text(encoding="utf-8") + '{"question": "x"}\n', encoding="utf-8")
    with pytest.raises(EvaluationError, match=rf"line {len(found) + 1}: .*clusterqa eval pool"):
        read_pool(path)


# ── agreement and qrels ─────────────────────────────────────────────────────────────────────────────────────────


def test_kappa_on_paper() -> None:
    # Of 50 pairs 35 agree; by chance 0.5 · 0.6 + 0.5 · 0.4 = 0.5, so kappa is (0.7 − 0.5) / 0.5.
    pairs = [("a", "a")] * 20 + [("a", "b")] * 5 + [("b", "a")] * 10 + [("b", "b")] * 15
    assert cohen_kappa(pairs) == pytest.approx(0.4)
    assert cohen_kappa([("a", "b"), ("b", "a")]) == -1
    assert cohen_kappa([]) is cohen_kappa([("a", "a")] * 3) is None


def test_kappa_is_that_of_scikit_learn() -> None:
    chance = random.Random(7)
    for _ in range(50):
        pairs = [(chance.choice("rpw"), chance.choice("rrpw")) for _ in range(chance.randint(5, 60))]
        firsts, seconds = zip(*pairs, strict=True)
        found = cohen_kappa(pairs)
        assert found is not None and found == pytest.approx(cohen_kappa_score(firsts, seconds))


def said(who: str, grade: Grade, passage: str = "a.md#0-5", question: str = "q1") -> Judgement:
    return Judgement(question, passage, "v", who, grade, "2026-11-29T10:00:00.000+00:00")


def test_the_majority_settles_and_where_there_is_none_a_third_person_is_asked() -> None:
    one = Pooled("q1", "?", "en", (), "a.md", "v", 0, 5, "Text.", ("r",))
    assert [len(to_judge([one], told, who)) for told, who in [
        ([], "ada"), ([said("ada", "right")], "ada"), ([said("ada", "right")], "rasa"),
        ([said("ada", "right"), said("rasa", "right")], "jonas"), ([said("ada", "right"), said("rasa", "wrong")], "jonas"),
        ([said("ada", "right"), said("rasa", "wrong"), said("jonas", "wrong")], "ona"),
    ]] == [1, 0, 1, 0, 1, 0]  # fmt: skip
    assert settle([said("ada", "right"), said("rasa", "wrong")]) == Settled({}, 0, [("q1", "a.md#0-5", "v")])
    three = [said("ada", "right"), said("rasa", "wrong"), said("jonas", "wrong")]
    assert settle(three) == Settled({"q1": {"a.md#0-5": 0}}, 0, [])
    assert settle([said("ada", "partly", question="q2")]) == Settled({"q2": {"a.md#0-5": 1}}, 1, [])


def test_of_two_versions_with_a_passage_at_the_same_place_the_one_judged_last_counts() -> None:
    old = [said("ada", "right"), said("rasa", "right")]
    for name in ("a", "z"):  # whatever its digest
        new = replace(said("ada", "wrong"), version=name, at="2026-11-30T10:00:00.000+00:00")
        assert settle([*old, new]) == settle([new, *old]) == Settled({"q1": {"a.md#0-5": 0}}, 1, [])


def test_what_the_set_knows_is_right_beside_what_people_said() -> None:
    known = {"q1": {"a.md#0-5": 1.0, "b.md#0-5": 1.0, "c.md#0-5": 0.0}, "q3": {"d.md#0-5": 1.0}}
    assert with_known({"q1": {"a.md#0-5": 1}, "q2": {"e.md#0-5": 0}}, known) == {
        "q1": {"a.md#0-5": 1, "b.md#0-5": 2, "c.md#0-5": 0}, "q2": {"e.md#0-5": 0}, "q3": {"d.md#0-5": 2},
    }  # fmt: skip


def test_agreement_is_told_for_every_two_people_over_what_both_judged() -> None:
    told = [
        said("ada", "right"), said("rasa", "right"), said("ada", "wrong", "b#0-1"), said("rasa", "wrong", "b#0-1"),
        said("ada", "wrong", "c#0-1"), said("jonas", "right", "c#0-1"), said("rasa", "right", "d#0-1"),
    ]  # fmt: skip
    found = {(row.first, row.second): (row.passages, row.observed, row.kappa) for row in agreement(told)}
    assert found == {("ada", "rasa"): (2, 1.0, 1.0), ("ada", "jonas"): (1, 0.0, 0.0)}


# ── the desk ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def desk(settings: Settings, made: Run, tmp_path: Path) -> Iterator[FastAPI]:
    data = tmp_path / "data"
    data.mkdir()
    for path in settings.data.iterdir():
        if path.is_file() and not path.name.startswith("staff"):
            (data / path.name).write_bytes(path.read_bytes())
    own = settings.model_copy(update={"data": data})
    write_pool(data / POOL, pooled_of(made, settings)[:3])
    app = build_app(own)
    TestClient(app).get("/staff/login")
    accounts: Accounts = app.state.desk.parts()[2]
    for name in ("ada", "rasa", "jonas"):
        accounts.add(name, PASSWORD, "editor", "cli:root")
    yield app
    app.state.desk.close()


def person(app: FastAPI, name: str) -> TestClient:
    browser = TestClient(app, follow_redirects=False, headers={"accept": "text/html"})
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/staff/login").text)
    assert token
    form = {"name": name, "password": PASSWORD, "csrf": token[1], "next": ""}
    assert browser.post("/staff/login", data=form).status_code == 303
    return browser


def judge(browser: TestClient, grade: str, page: str = "/staff/judging") -> str:
    """Judge the passage that a page shows; gives its id."""
    shown = browser.get(page).text
    form = dict(re.findall(r'name="(csrf|item)" value="([^"]+)"', shown.partition('id="judging"')[2]))
    assert browser.post("/staff/judging", data={**form, "grade": grade}).headers["location"] == "/staff/judging"
    return form["item"]


def test_two_people_judge_and_a_third_decides_where_they_differ(desk: FastAPI) -> None:
    ada, rasa, jonas = (person(desk, name) for name in ("ada", "rasa", "jonas"))
    assert WORDS["en"]["judging_left"].format(3, 3) in ada.get("/staff/judging?lang=en").text
    items = [judge(ada, grade) for grade in ("right", "partly", "wrong")]
    assert WORDS["en"]["judging_done"] in ada.get("/staff/judging").text
    assert WORDS["en"]["agreement_none"] in ada.get("/staff/judging").text
    assert [judge(rasa, grade) for grade in ("right", "wrong", "wrong")] == items
    shown = rasa.get("/staff/judging?lang=lt").text
    assert f">{percent(2 / 3, 'lt')}<" in shown and ">0,50<" in shown  # 2 of 3 agree; by chance 1/3 would
    assert judge(jonas, "wrong") == items[1]  # the only one that is left
    assert WORDS["lt"]["judging_done"] in jonas.get("/staff/judging?lang=lt").text
    qrels = ada.get("/staff/judging/judged.qrels").text.splitlines()
    assert sorted(line.split()[3] for line in qrels) == ["0", "0", "2"]
    every = [json.loads(line) for line in ada.get("/staff/judging/judgements.jsonl").text.splitlines()]
    assert [(one["who"], one["grade"]) for one in every][-1] == ("jonas", "wrong")
    assert len(every) == 7 and all(one["at"].endswith("+00:00") for one in every)


def test_one_can_go_back_and_judge_anew_and_nobody_sees_what_others_said(desk: FastAPI) -> None:
    ada, rasa = person(desk, "ada"), person(desk, "rasa")
    first = judge(ada, "wrong")
    assert f"item={first}" in ada.get("/staff/judging").text
    again = ada.get(f"/staff/judging?item={first}&lang=en").text
    assert WORDS["en"]["judging_own"].format(WORDS["en"]["grade_wrong"]) in again
    assert judge(ada, "right", f"/staff/judging?item={first}") == first
    (line,) = ada.get("/staff/judging/judgements.jsonl").text.splitlines()
    assert json.loads(line)["grade"] == "right"
    assert WORDS["en"]["judging_own"].partition(":")[0] not in rasa.get(f"/staff/judging?item={first}&lang=en").text


def test_a_judgement_of_a_list_that_was_replaced_is_not_taken_for_another(desk: FastAPI) -> None:
    ada = person(desk, "ada")
    shown = ada.get("/staff/judging?lang=lt").text
    form = dict(re.findall(r'name="(csrf|item)" value="([^"]+)"', shown.partition('id="judging"')[2]))
    (desk.state.service.settings.data / POOL).unlink()
    ada.post("/staff/judging", data={**form, "grade": "right"})
    page = ada.get("/staff/judging?lang=lt").text
    assert WORDS["lt"]["judging_gone"] in page and WORDS["lt"]["judging_none"] in page
    assert ada.get("/staff/judging/judgements.jsonl").text == ""


def test_both_languages_have_the_same_words() -> None:
    assert set(WORDS["lt"]) == set(WORDS["en"])
    assert [key for key in WORDS["lt"] if WORDS["lt"][key].count("{}") != WORDS["en"][key].count("{}")] == []


# ── the command line ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def call(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Call:
    monkeypatch.setattr(common, "load_encoder", lambda _: lambda: WordsEncoder())

    def call(command: str, *arguments: object) -> Result:
        where = ["--corpus", str(settings.corpus), "--data", str(settings.data)]
        return CliRunner().invoke(cli, ["eval", command, *map(str, arguments), *where])

    return call


def test_the_commands_pool_and_settle(call: Call, made: Run, settings: Settings, tmp_path: Path, desk: FastAPI) -> None:
    made.write(tmp_path / "run.json")
    done = call("pool", tmp_path / "run.json", "--split", "all", "-o", tmp_path / "list.jsonl")
    assert done.exit_code == 0, done.output
    assert f"{len(read_pool(tmp_path / 'list.jsonl'))} unjudged passages" in done.output
    assert "0 judgements; 0 passages settled" in call("judged").output
    judge(person(desk, "ada"), "right")
    own = desk.state.service.settings.data
    target = tmp_path / "judged.qrels"
    told = CliRunner().invoke(cli, ["eval", "judged", "--data", str(own), "-o", str(target), "--json"])
    assert json.loads(told.stdout) == {"judgements": 1, "settled": 1, "by one": 1, "differing": 0, "agreement": []}
    assert re.fullmatch(r"\S+ 0 \S+#\d+-\d+ 2\n", target.read_text(encoding="utf-8"))
    assert json.loads((tmp_path / "judged.qrels.jsonl").read_text(encoding="utf-8"))["who"] == "ada"


def test_judgements_and_known_answers_are_one_file_that_scores_a_run(
    made: Run, settings: Settings, tmp_path: Path, desk: FastAPI
) -> None:
    known = next(path for path in write_trec(made, tmp_path / "trec") if path.name == "both.qrels")
    judge(person(desk, "ada"), "right")
    own, target = desk.state.service.settings.data, tmp_path / "joined.qrels"
    arguments = ["eval", "judged", "--data", str(own), "--known", str(known)]
    done = CliRunner().invoke(cli, [*arguments, "-o", str(target)])
    assert done.exit_code == 0, done.output
    assert "1 passages settled (1 by one person alone)" in done.output
    before, after = read_qrels(known), read_qrels(target)
    assert all(after[query][name] == 2 * value for query, row in before.items() for name, value in row.items())
    assert sum(map(len, after.values())) == sum(map(len, before.values())) + 1
    assert CliRunner().invoke(cli, ["eval", "score", str(known.with_name("both.run")), str(target)]).exit_code == 0
    assert "name it with -o" in CliRunner().invoke(cli, arguments).output


def test_no_qrels_are_written_while_nobody_has_judged(call: Call, tmp_path: Path) -> None:
    done = call("judged", "-o", tmp_path / "judged.qrels")
    assert done.exit_code == 1 and "clusterqa eval pool RUN" in done.output
    assert not (tmp_path / "judged.qrels").exists()


def test_proposals_are_passages_without_an_answer_and_what_the_desk_answered(
    call: Call, settings: Settings, tmp_path: Path
) -> None:
    questions = write_set(tmp_path / "questions.jsonl")
    answered = {"id": "a", "question": "Kas rašo ataskaitą?", "language": "lt", "type": "plain", "answer": [BRONZE_EN]}
    there = {**answered, "id": "b", "question": "FOOD  cluster member"}
    write_set(settings.data / ANSWERED, [answered, there])
    try:
        done = call("propose", questions, "--json")
        shown = call("propose", questions, "-n", 1)
        kept = call("propose", questions, "-n", 1, "-o", tmp_path / "list" / "proposed.json")
    finally:
        (settings.data / ANSWERED).unlink()
    found = json.loads(done.output)
    texts = [one["text"] for one in found["candidates"]]
    assert found["uncovered"] == len(texts) and found["passages"] > len(texts)
    assert any("The gold label needs two experts." in text for text in texts)
    assert not any(BRONZE_EN["quote"] in text for text in texts)
    assert [item["question"] for item in found["answered at the desk"]] == ["Kas rašo ataskaitą?"]
    assert kept.stdout == shown.stdout
    written = json.loads((tmp_path / "list" / "proposed.json").read_text(encoding="utf-8"))
    assert written == {**found, "candidates": found["candidates"][:1]}
    assert "Kas rašo ataskaitą?" in shown.output and "hold no known answer" in shown.output
