"""
Is what `pip install` gives whole? Installs the wheel alone into a new environment, outside the repository, and uses it.

    python tools/check_wheel.py dist/clusterqa-*.whl                   the core
    python tools/check_wheel.py dist/clusterqa-*.whl --extra all       then with an extra too
    python tools/check_wheel.py dist/clusterqa-*.whl --python python3.13 --pip bundled

The core reads a file of every kind, asks, and serves; what needs an extra says which. Exits with 1 at the first that does not hold.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

PIP = "23.2.1"
"""The pip that Python 3.11.7 brings, the oldest that people install with."""
START_SECONDS = 300

MAKE_SAMPLES = """
import sys
from pathlib import Path
from clusterqa.documents.formats import KINDS
from clusterqa.documents.samples import SAMPLES
for kind in KINDS:
    name = f"sample-{kind.format}.lt.{kind.suffixes[0]}"
    Path(sys.argv[1], name).write_bytes(SAMPLES[kind.format]())
"""
MCP_CLIENT = """
import asyncio, sys
from mcp import Client, StdioServerParameters

async def ask():
    async with Client(StdioServerParameters(command=sys.argv[1], args=["mcp", *sys.argv[2:]])) as client:
        reply = await client.call_tool("ask", {"question": "How long is the Bronze Label valid?"})
        print(reply.structured_content["quotes"][0]["text"])

asyncio.run(ask())
"""
ANSWER = "The Bronze Label is valid for two years."
BRONZE = f"# Bronze\n\n{ANSWER}\n"
ASKED = "How long is the Bronze Label valid?"
QUESTION = {
    "id": "bronze", "question": ASKED, "language": "en", "type": "plain",
    "answer": [{"document": "bronze.en.md", "quote": ANSWER}],
}  # fmt: skip


class Environment:
    """A new virtual environment in a folder of its own, and the commands in it."""

    def __init__(self, folder: Path, python: str) -> None:
        self.folder, self.home = folder / "venv", folder
        hidden = ("PYTHON", "VIRTUAL_ENV", "CLUSTERQA_")
        self.variables = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        subprocess.run([python, "-m", "venv", self.folder], check=True)

    def command(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    def run(self, name: str, *arguments: str, status: int = 0) -> str:
        """What a command says on both streams; it must end with this status."""
        done = subprocess.run(
            [self.command(name), *arguments], cwd=self.home, env=self.variables, capture_output=True, text=True
        )
        said = done.stdout + done.stderr
        told = " ".join([name, *arguments]).strip().splitlines()[0]
        check(done.returncode == status and "Traceback" not in said, told, said)
        return done.stdout if status == 0 else said

    def install(self, what: str) -> None:
        began = time.monotonic()
        self.run("python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", what)
        # Without pip and setuptools, which every environment has.
        tools = self.run("python", "-c", "import pip, pathlib; print(pathlib.Path(pip.__file__).parent.parent)").strip()
        size = _bytes(self.folder) - sum(_bytes(Path(tools, name)) for name in ("pip", "setuptools"))
        print(f"{Path(what).name}: {size / 1e6:.0f} MB in {time.monotonic() - began:.0f} s", flush=True)


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def check(holds: bool, what: str, told: object = "") -> None:
    if not holds:
        sys.exit(f"BAD {what}\n{told}")
    print(f"ok  {what}", flush=True)


def check_core(environment: Environment, folders: list[str]) -> None:
    """Reading, asking, and what is said of that which is not installed."""
    corpus = environment.home / "corpus"
    corpus.mkdir()
    environment.run("python", "-c", MAKE_SAMPLES, str(corpus))
    (corpus / "bronze.en.md").write_text(BRONZE, encoding="utf-8")
    names = sorted(path.name for path in corpus.iterdir())
    indexed = json.loads(environment.run("clusterqa", "index", "--strict", "--json", *folders))
    check(sorted(indexed["added"]) == names, f"a file of each of {len(names)} kinds is read", indexed)
    environment.run(
        "python",
        "-c",
        "import clusterqa; assert (__import__('pathlib').Path(clusterqa.__file__).parent / 'py.typed').exists()",
    )
    for question in (ASKED, "Kiek laiko galioja bronzos ženklas?"):
        reply = environment.run("clusterqa", "ask", question, *folders)
        check(ANSWER in reply, f"an answer to: {question}", reply)
    environment.run("clusterqa", "doctor", *folders)
    Path(environment.home, "set.jsonl").write_text(json.dumps(QUESTION) + "\n", encoding="utf-8")
    for extra, command in (("eval", ["eval", "run", "set.jsonl"]), ("staff", ["staff", "list"]), ("mcp", ["mcp"])):
        said = environment.run("clusterqa", *command, *folders, status=1)
        check(f"pip install 'clusterqa[{extra}]'" in said, f"without [{extra}] it is said how to get it", said)


def check_extras(environment: Environment, folders: list[str], extras: set[str]) -> None:
    """What the extras bring beside the web app, with the programs they are made for."""
    if extras & {"eval", "all"}:
        found = environment.run("clusterqa", "eval", "run", "set.jsonl", "--split", "all", "--json", *folders)
        rows = {row["what"]: row for row in json.loads(found)["rows"]}
        check(rows["en→en"]["measures"]["hit@1"]["mean"] == 1, "a run measures that the answer is right", found)
    if extras & {"mcp", "all"}:
        said = environment.run("python", "-c", MCP_CLIENT, environment.command("clusterqa"), *folders)
        check(ANSWER in said, "a client of MCP's own library is answered", said)


def check_serving(environment: Environment, folders: list[str], extras: bool) -> None:
    """The web app: the HTTP API and the chat page; the desk and Gradio's page where they are installed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [environment.command("clusterqa"), "serve", *folders, "--port", str(port)],
        cwd=environment.home, env=environment.variables, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + START_SECONDS
        while _fetch(f"{address}/readyz")[0] != 200:
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                sys.exit(f"BAD the server does not start\n{server.communicate()[1]}")
            time.sleep(0.5)
        status, reply = _fetch(f"{address}/api/v1/ask", {"question": ASKED})
        check(status == 200 and json.loads(reply)["status"] == "answered", "the HTTP API answers", reply)
        status, page = _fetch(f"{address}/lt/")
        check(status == 200 and ("gradio_config" in page) == extras, "the chat page is there", page)
        status, page = _fetch(f"{address}/staff")
        check((status == 404) != extras, "the desk is there where it is installed", (status, page))
    finally:
        server.terminate()
        said = server.communicate()[1]
    check(("clusterqa[web]" in said) != extras, "the server says what it leaves out", said)


def _fetch(address: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
    asked = urllib.request.Request(address, json.dumps(body).encode() if body else None)
    asked.add_header("Content-Type", "application/json")
    asked.add_header("Accept", "text/html, application/json")
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.status, answer.read().decode("utf-8")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8")
    except OSError:
        return 0, ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--pip", default=PIP, help='a version, or "bundled" for the one that Python brings')
    parser.add_argument("--extra", default="", help="install this too, and check the web app again")
    chosen = parser.parse_args()
    wheel = str(chosen.wheel.resolve())
    with TemporaryDirectory(prefix="clusterqa-wheel-") as folder:
        environment = Environment(Path(folder), chosen.python)
        if chosen.pip not in ("bundled", environment.run("pip", "--version").split()[1]):
            environment.run("python", "-m", "pip", "install", "--quiet", f"pip=={chosen.pip}")
        print(environment.run("pip", "--version").strip())
        folders = ["--corpus", "corpus", "--data", "data"]
        environment.install(wheel)
        check_core(environment, folders)
        check_serving(environment, folders, extras=False)
        if chosen.extra:
            environment.install(f"{wheel}[{chosen.extra}]")
            check_extras(environment, folders, set(chosen.extra.split(",")))
            check_serving(environment, folders, extras=True)


if __name__ == "__main__":
    main()
