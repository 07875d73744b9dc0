"""The core does without the libraries of the extras, and says which extra is missing where one is needed."""

from __future__ import annotations

import json
import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from clusterqa import extras
from clusterqa.errors import MissingExtra
from probes import told_by, tool

sbom = tool("sbom")
PROJECT = sbom.PROJECT

WITHOUT = """
import sys
blocked = {blocked!r}
class Without:
    def __init__(self, finder): self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] in blocked else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


def modules_beside_the_core() -> set[str]:
    """Top-level modules that are installed here and that `pip install clusterqa` would not bring."""
    core = {*sbom.graph(["clusterqa"]), "pip", "setuptools"}
    return {
        module
        for module, brought_by in packages_distributions().items()
        if not core & {canonicalize_name(name) for name in brought_by}
    }


def told_by_the_core(code: str) -> str:
    return told_by(WITHOUT.format(blocked=modules_beside_the_core()) + code)


def test_what_is_blocked_here_is_what_the_extras_bring() -> None:
    blocked = modules_beside_the_core()
    assert {"gradio", "scipy", "matplotlib", "pandas", "ir_measures", "argon2"} <= blocked
    assert not blocked & {"numpy", "fastapi", "uvicorn", "openvino", "jinja2", "clusterqa"}


@pytest.mark.parametrize("extra", extras.MODULES)
def test_an_extra_brings_what_the_program_looks_for(extra: extras.Extra) -> None:
    named = {canonicalize_name(Requirement(line).name) for line in PROJECT["optional-dependencies"][extra]}
    brings = packages_distributions()
    looked_for = {canonicalize_name(name) for module in extras.MODULES[extra] for name in brings[module]}
    assert looked_for == named


def test_everything_is_all_extras_but_torch_which_brings_gigabytes() -> None:
    (line,) = PROJECT["optional-dependencies"]["all"]
    assert Requirement(line).extras == set(extras.MODULES) - {"torch"}


def test_the_makefile_installs_what_running_takes() -> None:
    makefile = (Path(__file__).parent.parent / "Makefile").read_text(encoding="utf-8")
    run = makefile.partition("$(VENV)/.run:")[2].partition("\n\n")[0]
    assert {"web", "staff", "eval"} <= set(re.findall(r"\w+", run.partition("--editable")[2]))


def test_what_is_missing_is_named_with_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name in ("pyotp", "segno") else object())
    assert not extras.installed("staff") and extras.installed("web")
    extras.need("web", "The chat page")
    with pytest.raises(MissingExtra) as refused:
        extras.need("staff", "The staff desk")
    assert str(refused.value) == (
        "The staff desk cannot be used: pyotp, segno are not installed. Install it with: pip install 'clusterqa[staff]'"
    )


def test_the_core_alone_loads_every_command_and_serves_the_api_and_a_chat_page(tmp_path: Path) -> None:
    told = told_by_the_core(f"""
import json
import clusterqa.cli, clusterqa.doctor, clusterqa.python, clusterqa.runtime
from clusterqa.settings import Settings
from clusterqa.web import app
made = app.build(Settings(corpus={str(tmp_path)!r}, data={str(tmp_path / "data")!r}))
print(json.dumps([list(made.openapi()["paths"]), app.left_out()]))
""")
    paths, left_out = json.loads(told)
    assert {"/api/v1/ask", "/api/v1/search", "/api/v1/documents"} <= set(paths)
    assert [re.findall(r"clusterqa\[\w+\]", line) for line in left_out] == [["clusterqa[web]"], ["clusterqa[staff]"]]


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        ("eval run x.jsonl", "eval"), ("eval report x.json", "eval"), ("eval score a b", "eval"), ("staff list", "staff"),
        ("eval sweep x.jsonl --vary a=1", "eval"), ("eval calibrate x.json", "eval"), ("staff add rasa", "staff"), ("mcp", "mcp"),
    ],
)  # fmt: skip
def test_a_command_whose_extra_is_missing_says_so(command: str, extra: str) -> None:
    told = told_by_the_core(f"""
from click.testing import CliRunner
from clusterqa.cli import cli
shown = CliRunner().invoke(cli, {command.split()!r})
print(shown.exit_code, shown.output)
""")
    assert told.startswith("1 Error: ") and told.endswith(f"Install it with: pip install 'clusterqa[{extra}]'"), told


@pytest.mark.parametrize(
    ("index", "extra"), [("pgvector:postgresql://here/kb", "postgres"), ("milvus:kb.db", "milvus")]
)
def test_an_index_whose_extra_is_missing_says_so(index: str, extra: str) -> None:
    told = told_by_the_core(f"""
from clusterqa.errors import MissingExtra
from clusterqa.store import open_index
try:
    open_index({index!r}, lambda: None, 3, "here")
except MissingExtra as error:
    print(error)
""")
    assert told.endswith(f"Install it with: pip install 'clusterqa[{extra}]'"), told


def test_the_plain_chat_page_of_the_core_answers_by_its_form(tmp_path: Path) -> None:
    told = told_by_the_core(f"""
import asyncio, json
from clusterqa.settings import Settings
from clusterqa.web import app
made = app.build(Settings(corpus={str(tmp_path)!r}, data={str(tmp_path / "data")!r}, encoder={str(tmp_path / "none")!r}))

async def ask(method, path, query=b"", body=b""):
    sent = []
    kind = b"application/x-www-form-urlencoded"
    scope = {{"type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": query, "scheme": "http",
             "headers": [(b"host", b"a"), (b"content-type", kind), (b"content-length", str(len(body)).encode())],
             "client": ("127.0.0.1", 1), "server": ("a", 80), "http_version": "1.1", "root_path": ""}}
    async def receive(): return {{"type": "http.request", "body": body, "more_body": False}}
    async def send(message): sent.append(message)
    await made(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()

print(json.dumps([
    asyncio.run(ask("GET", "/lt/", b"q=Kiek%20kainuoja%3F")), asyncio.run(ask("POST", "/en/ask", b"", b"question=How+much")),
    asyncio.run(ask("GET", "/lt")), asyncio.run(ask("GET", "/staff")), asyncio.run(ask("GET", "/lt/gradio_api/info")),
]))
""")
    page, asked, moved, desk, door = json.loads(told)
    assert page[0] == 200 and '<html lang="lt">' in page[1] and "Kiek kainuoja?</textarea>" in page[1]
    assert asked[0] == 503 and "How much" in asked[1]  # there is no encoder, and the question is kept
    assert (moved[0], desk[0], door[0]) == (307, 404, 404)
