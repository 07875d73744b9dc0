"""JSON and TOML of other people that no parser gets to the end of is their mistake, told as one of ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from clusterqa.cli.asking import read_questions
from clusterqa.errors import ClusterQAError
from clusterqa.evaluation.gate import Baseline
from clusterqa.evaluation.outcomes import Run
from clusterqa.evaluation.pool import read_pool
from clusterqa.evaluation.sets import read_set
from clusterqa.jsontext import parsed
from clusterqa.retrieval.profile import Profile
from clusterqa.settings import SETTINGS_FILE, Settings

DEEP = "[" * 20_000


@pytest.mark.parametrize(
    "read", [read_set, Run.read, Baseline.read, read_pool, Profile.read, lambda path: read_questions(path, None)]
)
@pytest.mark.parametrize(
    ("content", "told"), [(DEEP, "nested too deeply"), ('"x"', None), ("1", None), ("[]", None), ("null", None)]
)
def test_what_is_nested_without_end_or_is_something_else_is_told(
    read: Callable[[Path], object], content: str, told: str | None, tmp_path: Path
) -> None:
    path = tmp_path / "given"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ClusterQAError, match=told):
        read(path)


def test_settings_that_are_nested_without_end_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path(SETTINGS_FILE).write_text(f"corpus = {DEEP}", encoding="utf-8")
    with pytest.raises(ClusterQAError, match=f"{SETTINGS_FILE} cannot be read"):
        Settings.load()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("# my questions", "column 1: there are no comments in JSON"),
        ('{"a": 1} // mine', "column 10: there are no comments in JSON"),
        ('{"a": 1,}', "column 9: a comma too many"),
        ("[1,,2]", "column 4: a comma too many"),
        ("{'a': 1}", "column 2: texts stand in double quotation marks"),
        ('{"a": ', "column 7: it ends in the middle"),
        ('{"a":\n1,\n}', "line 3, column 1: a comma too many"),
        ("id,question", "column 1: expecting value"),
    ],
)
def test_what_is_no_json_is_told_in_words_for_whoever_wrote_it(line: str, told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"this is no JSON ({told})")):
        parsed(line)
