"""No command looks a name up or connects to anything but this machine, child processes included, or writes into the home folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.encoder,
    pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, which .ci/run installs"),
]

COMMAND = [sys.executable, "-m", "clusterqa"]
_ELSEWHERE = re.compile(
    r"sa_family=AF_INET6?\b(?!.*(?:inet_addr\(\"127\.|inet_pton\(AF_INET6, \"(?:::1|::ffff:127\.)))"
)


class Traced:
    """Commands run in an empty home, with every attempt to reach an address written down."""

    def __init__(self, folder: Path) -> None:
        self.home, self.trace = folder / "home", folder / "trace"
        self.home.mkdir()
        corpus = folder / "corpus"
        corpus.mkdir()
        (corpus / "bronze.en.md").write_text("# Bronze\n\nThe Bronze Label is valid for two years.\n")
        (corpus / "page.en.html").write_text(
            "<html><body><main><p>The Gold Label costs EUR 8,250.</p></main></body></html>"
        )
        self.folders = ["--corpus", str(corpus), "--data", str(folder / "data")]
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("GRADIO", "HF_", "CI"))},
            "HOME": str(self.home),
            "TMPDIR": str(folder),
        }

    def command(self, *arguments: str) -> list[str]:
        calls = "trace=connect,sendto,sendmsg,sendmmsg"
        return ["strace", "-f", "-qq", "-s", "0", "-e", calls, "-o", str(self.trace), *COMMAND, *arguments]

    def run(self, *arguments: str) -> str:
        done = subprocess.run(self.command(*arguments), env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        self.check()
        return done.stdout

    @contextmanager
    def serving(self) -> Iterator[str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = subprocess.Popen(
            self.command("serve", *self.folders, "--port", str(port)),
            env=self.environment,
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()
        self.check()

    def check(self) -> None:
        reached = [line for line in self.trace.read_text(errors="replace").splitlines() if _ELSEWHERE.search(line)]
        assert reached == []
        assert list(self.home.iterdir()) == []


@pytest.fixture
def traced(tmp_path: Path) -> Traced:
    return Traced(tmp_path)


def test_the_tracer_sees_an_attempt(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    attempt = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('192.0.2.1', 9))"
    subprocess.run(["strace", "-f", "-e", "trace=connect", "-o", trace, sys.executable, "-c", attempt], check=True)
    assert any(_ELSEWHERE.search(line) for line in trace.read_text().splitlines())


def test_indexing_asking_and_evaluating_stay_on_this_machine(traced: Traced, tmp_path: Path) -> None:
    traced.run("index", *traced.folders)
    assert "two years" in traced.run("ask", *traced.folders, "How long is the Bronze Label valid?")
    question = {
        "id": "1", "question": "How long is the Bronze Label valid?", "language": "en", "type": "plain", "history": [],
        "answer": [{"document": "bronze.en.md", "quote": "The Bronze Label is valid for two years."}],
    }  # fmt: skip
    (tmp_path / "set.jsonl").write_text(json.dumps(question) + "\n")
    traced.run("eval", "run", str(tmp_path / "set.jsonl"), *traced.folders, "--split", "all")


def test_serving_the_chat_and_the_desk_stays_on_this_machine(traced: Traced) -> None:
    with traced.serving() as address:
        deadline = time.monotonic() + 180
        while True:
            try:
                urllib.request.urlopen(f"{address}/readyz").close()
                break
            except OSError:
                assert time.monotonic() < deadline
                time.sleep(0.5)
        for page in ("/lt/", "/en/", "/staff", "/api/docs"):
            urllib.request.urlopen(address + page).close()
        body = json.dumps({"question": "How long is the Bronze Label valid?"}).encode()
        asked = urllib.request.Request(f"{address}/api/v1/ask", data=body, headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(asked) as reply:
            assert json.load(reply)["status"] == "answered"
