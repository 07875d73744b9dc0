"""The README names what there is, and what it shows is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from clusterqa.cli import cli
from clusterqa.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_is_in_the_readme(command):
    assert f"clusterqa {command}" in README


@pytest.mark.parametrize("setting", sorted(Settings.model_fields))
def test_every_setting_is_in_the_readme(setting):
    assert f"`{setting}`" in README


def test_the_quotes_in_the_readme_stand_in_the_corpus_where_it_says():
    shown = re.findall(r"[„“]([^„“”]+)[“”]\n +— .*\[(\S+?):(\d+)–(\d+)\]", README)
    assert len(shown) == 2
    for text, document, start, end in shown:
        stored = (ROOT / "corpus" / document).read_text(encoding="utf-8")
        assert stored[int(start) : int(end)] == text
