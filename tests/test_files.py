"""Files are there whole or not at all, and nothing else than files is replaced."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from clusterqa.files import growing, sweep, write_whole
from probes import dies_at, told_by


def test_after_an_exception_the_old_file_is_there_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "run.json"
    target.write_text("old")
    with pytest.raises(RuntimeError), growing(target, "x") as file:
        file.write("half")
        raise RuntimeError
    assert (target.read_text(), os.listdir(tmp_path)) == ("old", ["run.json"])


def test_the_file_that_a_link_leads_to_is_written_and_the_link_stays(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real, link = tmp_path / "elsewhere" / "run.json", tmp_path / "latest.json"
    link.symlink_to(real)
    for content in (b"first", b"second"):
        write_whole(link, content)
        assert (real.read_bytes(), link.is_symlink()) == (content, True)


def test_the_standard_output_can_be_named_as_a_file() -> None:
    code = (
        "from pathlib import Path; from clusterqa.files import write_whole; write_whole(Path('/dev/stdout'), b'told')"
    )
    assert told_by(code) == "told"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    write_whole(pipe, b"to whoever reads")
    reader.join(timeout=60)
    assert (read, pipe.is_fifo(), os.listdir(tmp_path)) == ([b"to whoever reads"], True, ["pipe"])


@pytest.mark.parametrize("name", ["set.jsonl", "–" * 80 + ".md", "[a].md"])
def test_what_a_killed_process_left_of_a_file_is_swept_and_nothing_of_another(tmp_path: Path, name: str) -> None:
    other = tmp_path / ".other.md.12345678.part"
    other.touch()
    assert dies_at(3, tmp_path, lambda: write_whole(tmp_path / name, b"new"))
    assert len(os.listdir(tmp_path)) == 2
    sweep(tmp_path / name)
    assert os.listdir(tmp_path) == [other.name]
