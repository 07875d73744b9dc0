"""The lane of documents: however many want to read them, two are read at a time, and whoever asks is answered meanwhile."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import httpx
import pytest

from clusterqa.errors import StoreError
from clusterqa.ports import Store
from clusterqa.settings import Settings
from clusterqa.web.app import build
from clusterqa.web.lane import AT_A_TIME

READING = ("/documents", "/documents/a.lt.md", "/api/v1/documents", "/api/v1/documents/a.lt.md")
"""Everywhere that documents are read whole."""


class Slow:
    """A store that lets nobody go on before it is told to, and counts who is there at a time."""

    def __init__(self) -> None:
        self.here = self.most = self.came = 0
        self.go_on = threading.Event()
        self._lock = threading.Lock()

    def __call__(self) -> Store:
        with self._lock:
            self.here, self.came = self.here + 1, self.came + 1
            self.most = max(self.most, self.here)
        self.go_on.wait(60)
        with self._lock:
            self.here -= 1
        raise StoreError("That was long.")


def test_two_documents_are_read_at_a_time_and_questions_are_answered_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = build(Settings(corpus=tmp_path, data=tmp_path / "data"))  # not started: whoever asks is told so at once
    slow = Slow()
    monkeypatch.setattr(app.state.service, "store", slow)

    async def told() -> list[int]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://a.example") as client:
            waiting = [asyncio.create_task(client.get(path)) for path in READING * 25]
            while slow.here < AT_A_TIME:
                await asyncio.sleep(0.01)
            for _ in range(5):
                asked = await client.post("/api/v1/ask", json={"question": "Kas yra klasteris?"})
                form = await client.post("/lt/ask", data={"question": "Kas yra klasteris?"})
                ready = await client.get("/readyz")
                assert [answer.status_code for answer in (asked, form, ready)] == [503, 503, 503]
            assert (slow.here, slow.came) == (AT_A_TIME, AT_A_TIME)
            slow.go_on.set()
            return [answer.status_code for answer in await asyncio.gather(*waiting)]

    assert asyncio.run(told()) == [503] * 100
    assert (slow.most, slow.came) == (AT_A_TIME, 100)
