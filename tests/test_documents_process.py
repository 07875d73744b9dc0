"""What is promised of reading many files: one that breaks its reader is skipped with a message, the rest is read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from clusterqa import documents
from clusterqa.corpus.sync import Report, update
from clusterqa.documents import plain
from clusterqa.errors import UnreadableDocument
from clusterqa.settings import Settings
from clusterqa.staff.reading import Limits, Reader
from documents_fixtures import lines, make_pdf
from words_encoder import WordsEncoder


def test_one_process_reads_many_files_as_reading_here_does(tmp_path: Path) -> None:
    (tmp_path / "a.lt.md").write_text("# Ženklai\n\nTekstas.\n", encoding="utf-8")
    (tmp_path / "b.lt.pdf").write_bytes(make_pdf(lambda c: lines(c, 72, 700, ["Tekstas apie ženklus."])))
    (tmp_path / "c.pdf").write_bytes(b"Tekstas.")
    with Reader() as read:
        for name in ("a.lt.md", "b.lt.pdf", "a.lt.md"):
            assert read(tmp_path / name, name) == documents.read(tmp_path / name, name)
        with pytest.raises(UnreadableDocument, match="It is not a PDF document"):
            read(tmp_path / "c.pdf", "c.pdf")


def test_a_file_that_needs_too_much_memory_stops_only_itself(tmp_path: Path) -> None:
    (tmp_path / "big.lt.md").write_text("- punktas\n" * 1_500_000, encoding="utf-8")
    (tmp_path / "small.lt.md").write_text("Tekstas.\n", encoding="utf-8")
    with Reader(Limits(megabytes=400)) as read:
        with pytest.raises(UnreadableDocument, match="more than 400 MB of memory"):
            read(tmp_path / "big.lt.md", "big.lt.md")
        assert read(tmp_path / "small.lt.md", "small.lt.md").text == "Tekstas.\n"


@pytest.mark.skipif(os.name != "posix", reason="only POSIX counts the processor's time of a process")
def test_a_machine_with_other_work_may_take_four_times_as_long_by_the_clock() -> None:
    assert Limits(seconds=120).patience == 485


def test_a_process_that_is_killed_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.lt.md").write_text("Tekstas.\n", encoding="utf-8")
    with Reader() as read:
        read(tmp_path / "a.lt.md", "a.lt.md")
        assert read._process is not None
        read._process.terminate()
        read._process.wait()
        with pytest.raises(UnreadableDocument, match=r"broke down on it"):
            read(tmp_path / "a.lt.md", "a.lt.md")
        assert read(tmp_path / "a.lt.md", "a.lt.md").text == "Tekstas.\n"


@pytest.mark.parametrize(
    ("fault", "reason", "step"),
    [
        (ZeroDivisionError("float division by zero"), "broke down (ZeroDivisionError: float division by zero)", "report the file"),
        (ImportError("No module named 'x'"), "What reads such files is not installed", "pip install clusterqa"),
    ],
)  # fmt: skip
def test_whatever_a_parser_raises_is_about_that_file_alone(
    settings: Settings, write: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch,
    fault: Exception, reason: str, step: str,
) -> None:  # fmt: skip
    whole = plain.extract

    def extract(text: str) -> object:
        if "blogas" in text:
            raise fault
        return whole(text)

    monkeypatch.setattr(plain, "extract", extract)
    write("a.lt.txt", "Geras tekstas.\n")
    write("b.lt.txt", "Čia blogas tekstas.\n")
    report: Report = update(settings, WordsEncoder)
    assert report.added == ("a.lt.txt",)
    [error] = report.unreadable
    assert error.document == "b.lt.txt" and reason in error.reason and step in error.next_step


def test_letters_of_no_size_do_not_stop_a_pdf(tmp_path: Path) -> None:
    """A size that rounds to nothing divided by it once, and ended the whole run."""

    def page(canvas):
        lines(canvas, 72, 700, [f"smulki eilutė numeris {n}" for n in range(9)], size=0.03)

    (tmp_path / "a.lt.pdf").write_bytes(make_pdf(page))
    document = documents.read(tmp_path / "a.lt.pdf", "a.lt.pdf")
    assert "smulki eilutė numeris 8" in document.text
