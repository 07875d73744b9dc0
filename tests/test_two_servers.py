"""Two servers on one PostgreSQL, each a real process with a data folder of its own: what happens in one holds in the other at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from clusterqa.journal import Journal
from clusterqa.settings import Home
from engines import postgres_address
from test_staff_documents_web import RealServer, until
from test_staff_web import OTHER, PASSWORD

pytestmark = pytest.mark.encoder

QUESTION = "Kiek kainuoja platinos ženklas?"


def staff(settings: dict[str, str], folder: Path, *words: str, stdin: str = "") -> None:
    subprocess.run(
        [sys.executable, "-m", "clusterqa", "staff", *words, "--data", str(folder / "cli")],
        input=stdin, text=True, check=True, capture_output=True, env=os.environ | settings,
    )  # fmt: skip


def ask(server: RealServer) -> tuple[str, list[str]]:
    told = httpx.post(f"{server.url}/api/v1/ask", json={"question": QUESTION}, timeout=120).json()
    return told["status"], [quote["document"] for quote in told["quotes"]]


def test_what_happens_in_one_server_holds_in_the_other_at_once(tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "gold.en.md").write_text("# Gold\n\nThe Gold Label is valid for three years.\n")
    settings = {
        "CLUSTERQA_STORE": postgres_address(),
        "CLUSTERQA_INDEX": f"pgvector:{postgres_address()}",
        "CLUSTERQA_REFRESH_SECONDS": "3600",  # nothing but the question itself looks for what is new
    }
    staff(settings, tmp_path, "add", "rasa", stdin=f"{PASSWORD}\n")
    staff(settings, tmp_path, "add", "ona", "--role", "administrator", stdin=f"{OTHER}\n")
    with ExitStack() as stack:
        servers = []
        for data in ("one", "two"):
            servers.append(RealServer(tmp_path, data, **settings))
            stack.callback(servers[-1].kill, signal.SIGTERM)
        one, two = servers
        assert [ask(server)[0] for server in servers] == ["not_found"] * 2
        client = stack.enter_context(closing(one.client()))
        text = "# Platina\n\nPlatinos ženklas kainuoja 12 345 eurus.\n"
        draft = client.post("/staff/drafts", files=[("files", ("platina.lt.md", text.encode()))]).json()[0]["draft"]
        until(lambda: client.get(f"/staff/drafts/{draft}/state").json()["state"] == "ready", 300)
        form = {"revision": "1", "title": "Platina", "language": "lt", "then": "publish"}
        assert client.post(f"/staff/drafts/{draft}", data=form).status_code == 303
        until(lambda: client.get(f"/staff/drafts/{draft}/state").json()["state"] == "published", 300)
        assert [ask(server) for server in (two, one)] == [("answered", ["platina.lt.md"])] * 2
        # One session and one log for both: the cookie of the one lets into the other.
        assert client.get(f"{two.url}/staff/documents").status_code == 200
        staff(settings, tmp_path, "remove", "rasa")
        revoked = [client.get(f"{server.url}/staff/documents") for server in servers]
        assert [answer.status_code for answer in revoked] == [401, 401]
    with closing(Journal.open(Home(tmp_path / "cli", settings["CLUSTERQA_STORE"]), 30)) as journal:
        assert [entry.status for entry in journal.entries()] == ["answered"] * 2 + ["not_found"] * 2
