"""Mistakes at the command line are said, never passed over."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from clusterqa.cli import cli, common
from clusterqa.encoders import SentenceEncoder
from clusterqa.errors import EncoderError
from clusterqa.settings import Settings
from words_encoder import WordsEncoder


@pytest.fixture
def call(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(common, "load_encoder", lambda _: WordsEncoder)

    def run(*arguments: str, typed: str | None = None) -> Result:
        folders = ["--corpus", str(settings.corpus), "--data", str(settings.data)]
        return CliRunner().invoke(cli, [*arguments, *([] if "--corpus" in arguments else folders)], input=typed)

    return run


def test_a_corpus_that_is_not_there_is_not_passed_over(call, tmp_path):
    done = call("ask", "bronze?", "--corpus", str(tmp_path / "nosuch"))
    assert done.exit_code == 1
    assert "There is no folder" in done.output
    assert "nosuch" in done.output


def test_a_variable_with_a_slip_in_its_name_is_refused_with_the_one_that_is_meant(call, monkeypatch):
    monkeypatch.setenv("CLUSTERQA_PROT", "1")
    done = call("list")
    assert done.exit_code == 1
    assert "Is CLUSTERQA_PORT meant?" in done.output


def test_an_encoder_folder_that_is_not_there_is_said_to_be_missing():
    pytest.importorskip("sentence_transformers")
    with pytest.raises(EncoderError, match="There is no folder nosuchfolder"):
        SentenceEncoder.load("nosuchfolder")


@pytest.mark.parametrize("name", ["./nosuch", "models/nosuch/v2", "/nosuch", "~/nosuch", "models/"])
def test_what_can_only_be_a_folder_is_looked_for_nowhere_else(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)  # which would ask the hub
    with pytest.raises(EncoderError, match=rf"^There is no folder {re.escape(name)}\."):
        SentenceEncoder.load(name)


def test_a_port_out_of_range_is_wrong_usage(call):
    assert call("serve", "--port", "70000").exit_code == 2


def test_a_place_that_nobody_can_listen_at_is_said_before_anything_is_loaded(call):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = call("serve", "--port", port)
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"cannot listen at 127.0.0.1:{port} (Address already in use)" in done.stderr
    assert "The chat opens" not in done.stderr
    done = call("serve", "--host", "192.0.2.1")  # an address that no machine has
    assert done.exit_code == 1
    assert "cannot listen at 192.0.2.1:7860" in done.stderr


@pytest.mark.parametrize("command", ["ask", "search"])
def test_an_empty_question_is_wrong_usage(call, command):
    for given in ("", "  ", "-"):
        done = call(command, given, typed="\n")
        assert (done.exit_code, "The question is empty." in done.stderr) == (2, True)


def test_a_strict_index_ends_with_one_when_a_file_could_not_be_read(call, write):
    write("good.en.md", "# Good\n\nThe bronze label lasts a year.\n")
    write("bad.pdf", "no PDF at all")
    done = call("index", "--strict")
    assert done.exit_code == 1
    assert "1 added" in done.output
    assert "1 not read" in done.output
    assert call("index").exit_code == 0


def test_a_dash_is_the_standard_input(call, write):
    write("bronze.en.md", "# Bronze\n\nThe bronze label lasts a year.\n")
    assert call("index").exit_code == 0
    assert "lasts a year" in call("ask", "-", typed="bronze label\n").output
    assert "bronze.en.md" in call("search", "-", typed="bronze label\n").output
    done = call("ask", "--input", "-", typed='{"id": "1", "question": "bronze label"}\n')
    assert '"id": "1"' in done.output


def test_settings_are_read_from_their_own_variables_still(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("CLUSTERQA_PORT", "1234")
    assert Settings.load({"corpus": tmp_path}).port == 1234


def test_a_copied_file_is_not_called_changed(call, write, settings):
    for name in ("a.en.md", "b.en.md"):
        write(name, "# Bronze\n\nThe bronze label lasts a year.\n")
    assert call("index").exit_code == 0
    for path in settings.corpus.iterdir():
        os.utime(path, (1, 1))
    assert "changed" not in call("ask", "bronze label").stderr
    write("a.en.md", "# Bronze\n\nThe bronze label lasts 2 yrs.\n")
    assert "1 document changed since the index was built (a.en.md)." in call("ask", "bronze label").stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# mine\n", "line 1: this is no JSON (column 1: there are no comments in JSON)"),
        (b'{"question": "a"}\r\n["b"]\r\n', "line 2: this is no JSON object"),
        ('{"question": "ž"}'.encode("utf-16"), "it is no UTF-8"),
        (None, "No such file or directory"),
    ],
)
def test_questions_that_cannot_be_read_are_told_with_what_is_wrong(call, tmp_path, content, told):
    path = tmp_path / "questions.jsonl"
    if content:
        path.write_bytes(content)
    done = call("ask", "--input", str(path))
    assert (done.exit_code, done.stdout) == (1, "")
    assert told in done.stderr and "Errno" not in done.stderr and " 1 lines" not in done.stderr


def test_ctrl_c_is_130_in_one_line_and_no_regression(call, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(common, "knowledge_base", interrupted)
    done = call("ask", "bronze?")
    assert (done.exit_code, done.stdout, done.stderr) == (130, "", "\nInterrupted.\n")


def test_every_command_is_told_in_a_list_without_being_cut_off():
    def groups(command: click.Command, *names: str) -> Iterator[tuple[str, ...]]:
        if isinstance(command, click.Group):
            yield names
            for name, below in command.commands.items():
                yield from groups(below, *names, name)

    for names in groups(cli):
        shown = CliRunner().invoke(cli, [*names, "--help"], terminal_width=80).stdout
        assert not [line for line in shown.splitlines()[1:] if line.endswith("...")], names
