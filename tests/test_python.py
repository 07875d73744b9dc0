"""The Python door: light to import, typed, whole, and as docs/python.md shows it."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
import subprocess
import sys
import threading
from importlib.resources import files

import pytest

import clusterqa
from clusterqa.corpus import sync
from clusterqa.python import KnowledgeBase
from clusterqa.settings import Settings
from python_fixtures import DOCUMENTS, READER, ROOT, environment, folder_with_corpus

GUIDE = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = [match.groups() for match in re.finditer(r"^```(\w+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)]
SILVER = "# Silver\n\nThe silver label costs 3,620 euro.\n"


@pytest.fixture
def kb(settings, words, write):
    """Answers with the encoder for paper."""
    write("gold.en.md", "# Gold\n\nThe gold label costs 8,250 euro.\n")
    settings = Settings(corpus=settings.corpus, data=settings.data, reader="none")
    sync.update(settings, lambda: words)
    with KnowledgeBase(settings, words) as opened:
        yield opened


def test_importing_loads_nothing_heavy():
    script = (
        "import sys, clusterqa; print(sorted({'numpy', 'pydantic', 'faiss', 'openvino', 'click'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"


def test_every_public_name_is_there_and_no_other():
    for name in clusterqa.__all__:
        assert getattr(clusterqa, name) is not None
    assert set(clusterqa.__all__) <= set(dir(clusterqa))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = clusterqa.nonsense


def test_every_public_error_is_one_of_ours():
    for name in clusterqa.__all__:
        public = getattr(clusterqa, name)
        if isinstance(public, type) and issubclass(public, Exception):
            assert issubclass(public, clusterqa.ClusterQAError)


def test_the_package_says_that_it_is_typed():
    assert files("clusterqa").joinpath("py.typed").is_file()


def test_a_question_is_a_text_or_a_record(kb):
    assert kb.ask("What does the gold label cost?") == kb.ask(clusterqa.Question("What does the gold label cost?"))
    with pytest.raises(TypeError, match="its own history"):
        kb.ask(clusterqa.Question("gold"), language="lt")


@pytest.mark.parametrize(
    ("call", "kind", "says"),
    [
        (lambda kb: kb.ask(5), TypeError, "a text or a Question, not int"),
        (lambda kb: kb.ask(None), TypeError, "a text or a Question, not NoneType"),
        (lambda kb: kb.ask("gold", history="one text"), TypeError, "a list of questions, not one text"),
        (lambda kb: kb.ask("gold", history=[1]), TypeError, "earlier questions as texts"),
        (lambda kb: kb.ask("gold", language="de"), ValueError, 'give "lt", "en" or None'),
        (lambda kb: kb.search("gold", "3"), TypeError, "integer"),
        (lambda kb: kb.search("gold", 0), ValueError, "one hit or more"),
    ],
)
def test_what_is_given_wrongly_is_said_at_once(kb, call, kind, says):
    with pytest.raises(kind, match=says):
        call(kb)


def test_a_folder_is_no_document(kb, tmp_path):
    with pytest.raises(clusterqa.UnreadableDocument, match=r"It is a folder\. Name the files in it\."):
        kb.add(tmp_path)


def test_one_that_was_closed_says_so(kb):
    kb.close()
    kb.close()
    for use in (lambda: kb.ask("gold"), lambda: kb.search("gold"), kb.documents, lambda: kb.add("gold.md"), kb.update):
        with pytest.raises(clusterqa.ClusterQAError, match="was closed"):
            use()


def test_replies_and_errors_go_through_a_pickle_and_a_knowledge_base_does_not(kb):
    """So that processes can hand each other what they found, and what went wrong."""
    reply, hits = kb.ask("What does the gold label cost?"), kb.search("gold")
    assert pickle.loads(pickle.dumps((reply, hits))) == (reply, hits)
    errors: list[clusterqa.ClusterQAError] = [clusterqa.UnreadableDocument("a.pdf", "It is damaged.", "Save it again.")]
    errors += [clusterqa.IndexNotFound("data"), clusterqa.MissingExtra("The desk", "staff", ["scipy"])]
    for error in errors:
        again = pickle.loads(pickle.dumps(error))
        assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    with pytest.raises(TypeError, match="Open one where it is needed"):
        pickle.dumps(kb)


def test_language_and_history_go_with_a_text(kb):
    assert [kb.ask("MITA 2018", language=language).language for language in ("lt", "en")] == ["lt", "en"]
    question = kb.trace("and the price?", history=["gold label"]).question
    assert question.history == ("gold label",)


def test_a_search_gives_as_many_hits_as_are_asked_for(kb, tmp_path):
    (tmp_path / "silver.en.md").write_text(SILVER, encoding="utf-8")
    kb.add(tmp_path / "silver.en.md")
    assert [len(kb.search("label", k=k)) for k in (1, 2, 10)] == [1, 2, 2]
    with pytest.raises(ValueError, match="one hit or more"):
        kb.search("label", k=0)


def test_documents_come_go_and_come_back(kb, tmp_path):
    (tmp_path / "silver.en.md").write_text(SILVER, encoding="utf-8")
    assert kb.add(str(tmp_path / "silver.en.md")) == "silver.en.md"
    assert kb.search("silver")[0].passage.document == "silver.en.md"
    kb.remove("silver.en.md")
    assert [stored.id for stored in kb.documents()] == ["gold.en.md"]
    kb.restore("silver.en.md")
    assert [stored.id for stored in kb.documents()] == ["gold.en.md", "silver.en.md"]


def test_a_document_of_the_same_name_needs_a_word(kb, tmp_path):
    (tmp_path / "gold.en.md").write_text("# Gold\n\nThe gold label is free.\n", encoding="utf-8")
    with pytest.raises(clusterqa.UnreadableDocument, match="another content"):
        kb.add(tmp_path / "gold.en.md")
    kb.add(tmp_path / "gold.en.md", replace=True)
    assert "free" in kb.text("gold.en.md")


def test_an_earlier_version_can_still_be_read(kb, write):
    [hit] = kb.search("gold")
    write("gold.en.md", "# Gold\n\nThe gold label costs nothing.\n")
    assert kb.update().changed == ("gold.en.md",)
    assert kb.text("gold.en.md", hit.source.version)[hit.passage.start : hit.passage.end] == hit.passage.text
    assert "nothing" in kb.text("gold.en.md")


@pytest.mark.parametrize(("document", "version"), [("nosuch.md", None), ("gold.en.md", "0" * 64)])
def test_what_is_not_there_is_said(kb, document, version):
    with pytest.raises(clusterqa.CorpusError, match=r"no document nosuch|no version that begins"):
        kb.text(document, version)


def test_many_threads_ask_while_documents_change(kb, tmp_path):
    (tmp_path / "silver.en.md").write_text(SILVER, encoding="utf-8")
    found: list[object] = []

    def ask() -> None:
        try:
            found.extend(kb.ask("What does the gold label cost?").quotes[0].text for _ in range(20))
        except BaseException as error:  # a thread's error must fail the test
            found.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    kb.add(tmp_path / "silver.en.md")
    kb.remove("silver.en.md")
    for thread in threads:
        thread.join()
    assert found == ["The gold label costs 8,250 euro."] * 80


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_one_that_came_through_a_fork_refuses_to_work(kb):
    child = os.fork()
    if child == 0:  # only this: the child must not run the rest of the tests
        status = 1
        with contextlib.suppress(BaseException):
            try:
                kb.ask("gold")
            except clusterqa.ClusterQAError as error:
                status = 0 if "fork" in str(error) else 2
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert kb.ask("gold").generation == kb.generation


def test_figures_are_plain_numbers_with_their_intervals(kb, tmp_path):
    (tmp_path / "set.jsonl").write_text(
        '{"id": "1", "question": "What does the gold label cost?", "language": "en", '
        '"answer": [{"document": "gold.en.md", "quote": "The gold label costs 8,250 euro."}]}\n'
        '{"id": "2", "question": "What does the tin label cost?", "language": "en", '
        '"answer": [{"document": "tin.en.md", "quote": "The tin label is free."}]}\n',
        encoding="utf-8",
    )
    figures = kb.evaluate(tmp_path / "set.jsonl")
    [row] = [row for row in figures.rows if row["what"] == "en→both"]
    assert (row["questions"], row["hit@1"]) == (2, 0.5)
    assert 0 <= row["hit@1 low"] < 0.5 < row["hit@1 high"] <= 1
    assert {type(value) for row in figures.rows for value in row.values()} == {str, int, float}
    assert figures.stale == ("2: there is no document tin.en.md",)
    pytest.importorskip("pandas")
    assert figures.frame().loc["en→both", "hit@1"] == 0.5


@pytest.mark.parametrize(("split", "says"), [("best", "no split 'best'"), ("fit", "no question of the split")])
def test_a_split_that_cannot_be_measured_is_said(kb, tmp_path, split, says):
    # Of the ids only "2" would be among those to fit on.
    (tmp_path / "set.jsonl").write_text('{"id": "HELD", "question": "gold?", "language": "en"}\n', encoding="utf-8")
    with pytest.raises(clusterqa.EvaluationError, match=says):
        kb.evaluate(tmp_path / "set.jsonl", split=split)


def test_settings_stand_alone(settings):
    with pytest.raises(TypeError, match="Give them alone"):
        clusterqa.open(settings, data="elsewhere")


def test_a_set_without_an_answer_has_no_rows(kb, tmp_path):
    pytest.importorskip("pandas")
    (tmp_path / "set.jsonl").write_text('{"id": "q", "question": "gold?", "language": "en", "answer": []}\n')
    figures = kb.evaluate(tmp_path / "set.jsonl")
    assert (figures.rows, figures.frame().empty) == ((), True)


def test_a_missing_corpus_is_said(tmp_path):
    with pytest.raises(clusterqa.CorpusError, match="nosuch"):
        clusterqa.open(tmp_path / "nosuch", data=tmp_path / "data", reader="none")


def test_every_block_is_code_or_what_the_code_before_it_prints():
    kinds = [kind for kind, _ in BLOCKS]
    assert set(kinds) == {"python", "text"}
    assert all(kinds[i - 1] == "python" for i, kind in enumerate(kinds) if kind == "text")
    assert GUIDE.count("```") == 2 * len(BLOCKS)


@pytest.mark.encoder
def test_the_guide_is_true(tmp_path, monkeypatch):
    monkeypatch.chdir(folder_with_corpus(tmp_path / "guide"))
    for name, value in READER.items():
        monkeypatch.setenv(name, value)
    names: dict[str, object] = {"__name__": "guide"}
    printed = ""
    for kind, text in BLOCKS:
        if kind == "text":
            assert printed == text
            continue
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(text, "docs/python.md", "exec"), names)
        printed = out.getvalue()
    assert sorted(os.listdir("corpus")) == sorted(DOCUMENTS)
