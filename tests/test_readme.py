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


def test_the_defaults_in_the_readme_are_those_of_the_settings():
    rows = [[cell.strip() for cell in line.split(" | ")] for line in README.splitlines() if line.startswith("| `")]
    shown = {
        name: default.strip("`")
        for names, defaults, *_ in (row for row in rows if len(row) == 3)
        for name, default in zip(re.findall(r"`(\w+)`", names), defaults.split(", "), strict=False)
        if name in Settings.model_fields
    }
    said_in_words = {
        "contact",
        "corpus",
        "cors_origins",
        "data",
        "frame_ancestors",
        "hosts",
        "oidc_client_id",
        "oidc_client_secret",
        "oidc_groups",
        "oidc_issuer",
        "proxy",
        "public_address",
        "watch_token",
    }
    assert set(shown) | said_in_words == set(Settings.model_fields)
    for name in set(shown) - said_in_words:
        default = Settings.model_fields[name].default
        number = isinstance(default, int | float) and not isinstance(default, bool)
        assert shown[name] == (f"{default:g}" if number else str(default).lower()), name


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_what_the_words_for_developers_name_is_there(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(re.findall(r"(?:`| {4})make ([a-z-]+)", text)) <= set(targets)
    for path in re.findall(r"(?<!build/)\b(?:docs|benchmarks|evaluation|training|tools)/[\w/.-]+\.\w+", text):
        assert (ROOT / path).exists(), path
