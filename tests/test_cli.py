"""The command line: answers on stdout, remarks on stderr; exit 0, 1 for an error whose message says what to do, 2 for usage."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from clusterqa import cli
from clusterqa.cli import common
from clusterqa.encoders.sentence import SentenceEncoder
from clusterqa.settings import Settings
from clusterqa.store import open_store
from clusterqa.store.sqlite import DATABASE
from seed_texts import KAINOS, PRICES, SEED
from words_encoder import WORDS, WordsEncoder

Run = Callable[..., Result]
Write = Callable[[str, str], Path]

HEAVY = {
    "torch",
    "sentence_transformers",
    "transformers",
    "faiss",
    "gradio",
    "fastapi",
    "scipy",
    "sklearn",
    "numpy",
    "pandas",
}


@pytest.fixture
def run(settings: Settings, words: WordsEncoder, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command over the test's own corpus, with the encoder for paper."""
    monkeypatch.setattr(common, "load_encoder", lambda _: lambda: words)

    def run(command: str, *arguments: object, folders: bool = True) -> Result:
        where = ["--corpus", str(settings.corpus), "--data", str(settings.data)] if folders else []
        return CliRunner().invoke(cli.cli, [command, *where, *map(str, arguments)])

    return run


def one_line(result: Result) -> str:
    """The message of one of our errors: exit 1, one line, no traceback, nothing on stdout."""
    assert result.exit_code == 1, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.stdout == ""
    (line,) = result.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    return line


# ── starting ────────────────────────────────────────────────────────────────────────────────────────────────────


def loaded_by(*arguments: str) -> set[str]:
    """Top-level modules that a command loads, in a process of its own."""
    probe = "import sys; from clusterqa.cli import cli\ntry: cli(sys.argv[1:])\nfinally: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in done.stderr.split()}


def test_help_loads_no_heavy_library() -> None:
    assert not loaded_by("--help") & HEAVY


@pytest.mark.parametrize("command", sorted(cli.cli.commands))
def test_every_command_explains_itself_without_a_heavy_library(command: str) -> None:
    assert not loaded_by(command, "--help") & HEAVY


def test_looking_at_documents_loads_no_model(settings: Settings, run: Run, write: Write) -> None:
    write("a.en.md", PRICES)
    run("index")
    loaded = loaded_by("list", "--corpus", str(settings.corpus), "--data", str(settings.data))
    assert not loaded & {"torch", "sentence_transformers", "transformers", "faiss", "gradio"}


def test_version_and_help_of_the_installed_command() -> None:
    script = Path(sys.executable).with_name("clusterqa")
    command = [str(script)] if script.exists() else [sys.executable, "-m", "clusterqa"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split()[0]) == (0, "clusterqa,")
    shown = subprocess.run([sys.executable, "-m", "clusterqa", "-h"], capture_output=True, text=True, timeout=60).stdout
    assert all(
        name in shown
        for name in ("serve", "index", "ask", "search", "add", "list", "show", "remove", "restore", "doctor")
    )


# ── exit status ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing"], ["ask"], ["ask", "a", "--input", "q.jsonl"], ["ask", "a", "--output", "o.jsonl"],
        ["ask", "a", "--lang", "de"], ["ask", "a", "b"], ["search"], ["search", "a", "-k", "0"], ["search", "a", "-k", "x"],
        ["add"], ["show"], ["remove"], ["restore"], ["index", "--nothing"], ["serve", "--port", "x"],
    ],
)  # fmt: skip
def test_wrong_usage_exits_with_2(run: Run, arguments: list[str]) -> None:
    result = run(arguments[0], *arguments[1:], folders=False)
    assert result.exit_code == 2
    assert "Usage:" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "next_step"),
    [
        (["list"], "clusterqa index"),
        (["show", "a.md"], "clusterqa index"),
        (["remove", "a.md"], "clusterqa list"),
        (["restore", "a.md"], "clusterqa index"),
        (["ask", "--input", "missing.jsonl"], "UTF-8 file of JSON lines"),
    ],
)
def test_our_errors_are_one_line_with_the_next_step(run: Run, arguments: list[str], next_step: str) -> None:
    assert next_step in one_line(run(*arguments))


def test_a_missing_corpus_is_one_line(settings: Settings, run: Run) -> None:
    settings.corpus.rmdir()
    result = run("index")
    assert result.exit_code == 1
    assert result.stderr.strip().splitlines()[-1].startswith(f"Error: There is no folder {settings.corpus}")
    assert "Traceback" not in result.output


def test_a_wrong_setting_names_the_flag_the_variable_or_the_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "--corpus has a wrong value" in one_line(run("list", "--corpus", ""))
    with monkeypatch.context() as patch:
        patch.setenv("CLUSTERQA_PASSAGE_CHARS", "7")
        assert "the variable CLUSTERQA_PASSAGE_CHARS has a wrong value '7'" in one_line(run("list"))
    (tmp_path / "clusterqa.toml").write_text("threads = 0\n")
    assert "clusterqa.toml (threads) has a wrong value 0" in one_line(run("list"))


def test_a_damaged_index_is_one_line_with_the_mending_command(settings: Settings, run: Run, write: Write) -> None:
    write("a.en.md", PRICES)
    run("index")
    (settings.data / DATABASE).write_bytes(b"no database " * 1000)
    for arguments in (["list"], ["show", "a.en.md"], ["ask", "gold"], ["search", "gold"]):
        assert "clusterqa index --rebuild" in one_line(run(*arguments))
    assert run("doctor").exit_code == 1
    assert run("index", "--rebuild").exit_code == 0
    assert run("list").stdout == "a.en.md  [en]  Label prices\n"


def test_another_encoder_is_one_line_with_the_rebuilding_command(
    run: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.en.md", PRICES)
    run("index")
    monkeypatch.setattr(common, "load_encoder", lambda _: lambda: WordsEncoder(WORDS[::-1]))
    for command in (["index"], ["ask", "gold"]):
        result = run(*command)
        assert result.exit_code == 1
        assert "clusterqa index --rebuild" in result.stderr.strip().splitlines()[-1]
    assert "clusterqa index --rebuild" in run("doctor").stdout


# ── documents ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_index_says_what_it_did(run: Run, write: Write) -> None:
    write("a.en.md", PRICES)
    write("b.pdf", "no PDF")
    result = run("index")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "Added: a.en.md"
    assert result.stdout.splitlines()[-1].startswith(
        "Generation 1: 1 added, 0 changed, 0 removed, 0 unchanged, 1 not read;"
    )
    assert "Not read: b.pdf: " in result.stderr
    told = json.loads(run("index", "--json").stdout)
    assert (told["generation"], told["added"], told["unchanged"]) == (1, [], 1)
    assert told["unreadable"][0]["document"] == "b.pdf"


def test_show_text_prints_exactly_the_stored_text(run: Run, write: Write, settings: Settings) -> None:
    raw = ("---\ntitle: Žyma\n---\n" + PRICES + "\r\n„Ž“ 😀 without a newline at the end").encode()
    (settings.corpus / "a.en.md").write_bytes(raw)
    run("index")
    assert run("show", "a.en.md", "--text").stdout_bytes == raw
    facts = run("show", "a.en.md").stdout.splitlines()
    assert "title: Žyma" in facts
    assert f"characters: {len(raw.decode())}" in facts


def test_show_opens_an_earlier_version_by_the_beginning_of_its_sum(run: Run, write: Write, settings: Settings) -> None:
    write("a.en.md", PRICES)
    run("index")
    write("a.en.md", KAINOS)
    run("index")
    with open_store(settings.home) as store:
        first, second = store.versions("a.en.md")
    assert run("show", "a.en.md", "--text", "--version", first[:10]).stdout == PRICES
    assert run("show", "a.en.md", "--text", "--version", second).stdout == KAINOS
    assert "has no version that begins with xyz. It has: " in one_line(run("show", "a.en.md", "--version", "xyz"))
    run("remove", "a.en.md")
    assert run("show", "a.en.md", "--text").stdout == KAINOS  # an old citation still opens


def test_list_remove_and_restore(run: Run, write: Write) -> None:
    write("a.en.md", PRICES)
    write("b.lt.md", KAINOS)
    run("index")
    assert run("list").stdout == "a.en.md  [en]  Label prices\nb.lt.md  [lt]  Ženklų kainos\n"
    assert run("remove", "b.lt.md").stdout == "Removed: b.lt.md. Bring it back with: clusterqa restore b.lt.md\n"
    assert run("list").stdout == (
        "a.en.md  [en]  Label prices\nb.lt.md  (removed; restore with: clusterqa restore b.lt.md)\n"
    )
    assert [d["document"] for d in json.loads(run("list", "--json").stdout)] == ["a.en.md"]
    assert run("restore", "b.lt.md").stdout == "Restored: b.lt.md\n"
    assert [d["document"] for d in json.loads(run("list", "--json").stdout)] == ["a.en.md", "b.lt.md"]


def test_add_says_what_became_of_each_file(run: Run, tmp_path: Path) -> None:
    mine, broken = tmp_path / "mine.en.md", tmp_path / "broken.pdf"
    mine.write_text(PRICES)
    broken.write_text("no PDF")
    assert run("add", mine).stdout == "Added: mine.en.md\n"
    assert run("add", mine).stdout == "There already: mine.en.md\n"
    mine.write_text(KAINOS)
    refused = run("add", mine, broken)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "clusterqa add --replace" in refused.stderr
    assert "Not added: broken.pdf: " in refused.stderr
    replaced = run("add", "--replace", mine, broken)
    assert (replaced.exit_code, replaced.stdout) == (1, "Replaced: mine.en.md\n")


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_question_builds_the_index(run: Run, write: Write) -> None:
    write("a.en.md", PRICES)
    result = run("search", "gold expert", "--json")
    assert "building it first" in result.stderr
    assert json.loads(result.stdout)[0]["document"] == "a.en.md"


def test_a_changed_corpus_is_mentioned_and_the_index_left_alone(run: Run, write: Write) -> None:
    write("a.en.md", PRICES)
    run("index")
    write("b.lt.md", KAINOS)
    result = run("search", "gold expert", "--json")
    assert "clusterqa index" in result.stderr
    assert {hit["document"] for hit in json.loads(result.stdout)} == {"a.en.md"}


def test_search_gives_both_scores_and_exact_offsets(run: Run, write: Write) -> None:
    write("a.en.md", PRICES)
    hits = json.loads(run("search", "gold expert", "-k", "1", "--json").stdout)
    (hit,) = hits
    assert (hit["rank"], hit["heading"], hit["page"]) == (1, "The gold label", None)
    assert (
        PRICES[hit["start"] : hit["end"]]
        == hit["text"]
        == "The gold label needs an expert. Two experts write the report."
    )
    assert hit["dense"] == pytest.approx(
        3 / (2**0.5 * 3), abs=1e-3
    )  # with "The gold label. The gold label needs an expert."
    assert 0 <= hit["score"] <= 1


def test_many_questions_go_in_and_come_out_line_by_line(run: Run, write: Write, tmp_path: Path) -> None:
    write("a.en.md", PRICES)
    questions: list[dict[str, object]] = [
        {"id": "1", "question": "What does the gold label need?"},
        {"id": 2, "question": "Kokia bronzos ženklo kaina?", "language": "lt", "history": ["Labas"]},
        {"question": "labas", "history": None},
        {"id": "4", "question": ""},
        {"id": "5", "question": "half \ud800 of it"},
        {"id": "6", "question": "two\nlines \u2028 and \x85 more of the gold label"},
    ]
    source, target = tmp_path / "q.jsonl", tmp_path / "a.jsonl"
    source.write_text("\ufeff" + "\r\n\n".join(json.dumps(q) for q in questions), encoding="utf-8")
    result = run("ask", "--input", source, "--output", target)
    assert (result.exit_code, result.stdout) == (0, "")
    answers = [json.loads(line) for line in target.read_text(encoding="utf-8").split("\n") if line]
    assert [a["question"] for a in answers] == [q["question"] for q in questions]
    assert [a["id"] for a in answers] == ["1", "2", None, "4", "5", "6"]
    assert [a["status"] for a in answers][2:5] == ["small_talk", "empty", "empty"]
    for answer in answers:
        for quote in (*answer["quotes"], *answer["nearest"]):
            assert PRICES[quote["start"] : quote["end"]] == quote["text"]
            around = quote["passage"]
            assert PRICES[around["start"] : around["end"]] == around["text"]
    printed = run("ask", "--input", source)
    assert [json.loads(line)["id"] for line in printed.stdout.split("\n") if line] == [a["id"] for a in answers]
    assert not list(tmp_path.glob("*.part"))


def test_every_wrong_line_is_named(run: Run, write: Write, tmp_path: Path) -> None:
    write("a.en.md", PRICES)
    source = tmp_path / "q.jsonl"
    source.write_text(
        '{"question": "good"}\n'
        "not json\n"
        '{"id": "3"}\n'
        '{"question": 4}\n'
        '["question"]\n'
        '{"question": "a", "history": "not a list"}\n'
        '{"question": "a", "history": [7]}\n'
        '{"question": "a", "language": "de"}\n'
        "null\n"
    )
    result = run("ask", "--input", source, "--output", tmp_path / "a.jsonl")
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    named = [line.split(":")[0].strip() for line in result.stderr.splitlines()[1:]]
    assert named == [f"line {number}" for number in range(2, 10)]
    assert not (tmp_path / "a.jsonl").exists()


def test_an_output_that_cannot_be_written_is_named_before_the_work(run: Run, write: Write, tmp_path: Path) -> None:
    write("a.en.md", PRICES)
    run("index")
    source = tmp_path / "q.jsonl"
    source.write_text('{"question": "gold"}\n')
    for target in (tmp_path / "missing" / "a.jsonl", tmp_path):
        result = run("ask", "--input", source, "--output", target)
        assert result.exit_code == 1
        assert "--output" in result.stderr.strip().splitlines()[-1]
        assert isinstance(result.exception, SystemExit)


def test_an_output_that_is_there_is_replaced_only_when_all_is_answered(
    run: Run, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("a.en.md", PRICES)
    source, target = tmp_path / "q.jsonl", tmp_path / "a.jsonl"
    source.write_text('{"question": "gold"}\n')
    target.write_text("the earlier answers\n")
    with monkeypatch.context() as patch:
        patch.setattr("clusterqa.runtime.KnowledgeBase.ask", lambda *_: 1 / 0)
        assert isinstance(run("ask", "--input", source, "--output", target).exception, ZeroDivisionError)
    assert target.read_text() == "the earlier answers\n"
    run("ask", "--input", source, "--output", target)
    assert json.loads(target.read_text())["question"] == "gold"


def test_a_question_in_wrong_bytes_is_answered_and_not_a_crash(settings: Settings, write: Write) -> None:
    """A terminal in another encoding hands over bytes that are not UTF-8."""
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from clusterqa import cli; from clusterqa.cli import common; from words_encoder import WordsEncoder\n"
        "common.load_encoder = lambda _: WordsEncoder\n"
        "cli.main()\n"
    )
    write("a.en.md", PRICES)
    command = [sys.executable, "-c", script, "ask", "--corpus", str(settings.corpus), "--data", str(settings.data)]
    for extra, encoding in (([], "utf-8"), (["--json"], "utf-8"), (["--json"], "ascii"), ([], "cp1257")):
        done = subprocess.run(
            [*map(os.fsencode, command), b"\xfeenklas gold", *map(os.fsencode, extra)],
            capture_output=True, timeout=900, env={**os.environ, "PYTHONIOENCODING": encoding},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        if extra:
            assert json.loads(done.stdout)["status"] == "empty"


# ── the bundled encoder ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def seeded(bundled_encoder: SentenceEncoder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """A corpus that holds a few lines of ours, to which a member of staff adds the document we were given."""
    folder = tmp_path_factory.mktemp("seeded")
    (folder / "corpus").mkdir()
    (folder / "corpus" / "prices.en.md").write_text(PRICES)
    (folder / "corpus" / "kainos.lt.md").write_text(KAINOS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "load_encoder", lambda _: lambda: bundled_encoder)

        def run(command: str, *arguments: object) -> Result:
            where = ["--corpus", str(folder / "corpus"), "--data", str(folder / "data")]
            return CliRunner().invoke(cli.cli, [command, *where, *map(str, arguments)])

        assert run("index").exit_code == 0
        added = run("add", SEED)
        assert (added.exit_code, added.stdout) == (0, f"Added: {SEED.name}\n")
        yield run


@pytest.mark.encoder
@pytest.mark.parametrize(
    ("question", "language", "within"),
    [
        ("How many clusters received the Bronze label?", "en", "as many as eight clusters managed by the Agency"),
        ("Kiek klasterių gavo bronzos ženklą?", "lt", "as many as eight clusters managed by the Agency"),
        ("Who rated and certified the clusters?", "en", "European Secretariat for Cluster Analysis"),
        ("Kas vertino ir sertifikavo klasterius?", "lt", "European Secretariat for Cluster Analysis"),
        ("What types of labels are there?", "en", "bronze, silver, and gold"),
    ],
)
def test_the_added_document_answers_by_exact_quotes(seeded: Run, question: str, language: str, within: str) -> None:
    stored = seeded("show", SEED.name, "--text").stdout
    assert stored == SEED.read_bytes().decode()
    answer = json.loads(seeded("ask", question, "--json").stdout)
    assert (answer["language"], answer["status"]) == (language, "answered")
    first = answer["quotes"][0]
    assert first["document"] == SEED.name
    # Asked in Lithuanian, the sentence about ESCA comes second: „sertifikavo“ and "certified" do not meet as words.
    shown = answer["quotes"][: 2 if language == "lt" else 1]
    assert any(within in quote["text"] for quote in shown)
    for quote in answer["quotes"]:
        text = seeded("show", quote["document"], "--text").stdout
        assert text[quote["start"] : quote["end"]] == quote["text"]
        assert quote["passage"]["start"] <= quote["start"] < quote["end"] <= quote["passage"]["end"]


@pytest.mark.encoder
def test_an_answer_is_explained_by_the_time_of_its_stages_its_hits_and_its_confidence(seeded: Run) -> None:
    question = "What types of labels are there?"
    answer = json.loads(seeded("ask", question, "--explain", "--json").stdout)
    trace = answer["trace"]
    assert list(trace["milliseconds"]) == [
        "understand",
        "encode",
        "wait",
        "candidates",
        "rerank",
        "merge",
        "read",
        "quote",
    ]
    assert (trace["understood"], trace["hits"][0]["document"]) == (question, answer["quotes"][0]["document"])
    assert trace["hits"][0]["reading"] is not None and trace["features"]
    told = seeded("ask", question, "--explain").stdout
    assert told.startswith(seeded("ask", question).stdout)
    assert " · in all " in told and f" 1. {trace['hits'][0]['score']:.3f}" in told
    assert f"confidence {answer['confidence']:.2f}, answered from " in told


@pytest.mark.encoder
def test_what_the_documents_do_not_say_is_not_found(seeded: Run) -> None:
    answer = json.loads(seeded("ask", "When does the swimming pool in Tokyo open?", "--json").stdout)
    assert (answer["status"], answer["quotes"]) == ("not_found", [])


@pytest.mark.encoder
def test_doctor_finds_nothing_wrong(seeded: Run) -> None:
    result = seeded("doctor", "--json")
    wrong = [f for f in json.loads(result.stdout) if not f["ok"]]
    assert (wrong, result.exit_code) == ([], 0)


def test_no_document_and_no_name_commands_the_terminal(run: Run, write: Write) -> None:
    hostile = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202egnp"
    write(
        "a.en.md",
        f'---\ntitle: "Prices \\e]0;owned\\a\\u009b2J\\u202egnp"\n---\nThe gold label {hostile} costs 5 euro.\n',
    )
    write("b\x1b[31m.en.xyz", "no document")
    said = [
        run("index"),
        run("list"),
        run("list", "--json"),
        run("show", "a.en.md"),
        run("search", "gold label"),
        run("ask", "gold label"),
    ]
    said += [run("ask", "--json", "gold label"), run("show", f"x{hostile}")]
    for result in said:
        assert not set(result.output) & set("\x1b\x07\x9b\u202e"), result.output
    assert json.loads(said[2].stdout)[0]["title"] == "Prices \x1b]0;owned\x07\x9b2J\u202egnp"
    assert f"The gold label {hostile} costs" in run("show", "--text", "a.en.md").stdout, "into a file it goes as it is"
