"""What whoever runs the server sees of it, and who else does."""

from __future__ import annotations

import base64
import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from clusterqa.errors import SettingsError, StoreError
from clusterqa.journal import JOURNAL, Journal
from clusterqa.records import Encoded, Query, Question, Reply, Trace
from clusterqa.settings import Settings
from clusterqa.web.app import build

TOKEN = "vandenilio-skarele-17"
BEARER = {"authorization": f"Bearer {TOKEN}"}


class Answering:
    """An assistant that is there; what it says does not matter here."""

    generation = 7

    def trace(self, question: Question) -> Trace:
        reply = Reply(question.text, "lt", "not_found", 0.1, "Nerasta.", generation=7)
        return Trace(question, Query(question.text, "lt", Encoded(np.zeros(1, dtype=np.float32)), {}), reply)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., TestClient]]:
    """A server that is up: with a journal, and an index on the disk."""
    journals = []

    def started(**settings: Any) -> TestClient:
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / "clusterqa.sqlite3").touch()
        app = build(Settings(corpus=tmp_path, data=tmp_path / "data", **settings))
        service = app.state.service
        service._open_journal()
        journals.append(service.journal)
        service._assistant = Answering()
        service._ready(True)
        return TestClient(app, raise_server_exceptions=False)

    yield started
    for journal in journals:
        if journal is not None:
            journal.close()


@pytest.mark.parametrize("path", ["/metrics", "/api/docs", "/api/openapi.json"])
def test_with_a_token_figures_and_description_are_for_those_who_bring_it(
    started: Callable[..., TestClient], path: str
) -> None:
    client = started(watch_token=TOKEN)
    basic = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    for headers, status in (
        ({}, 401), (BEARER, 200), ({"authorization": f"basic {basic}"}, 200), ({"authorization": "Basic ???"}, 401),
        ({"authorization": f"Bearer {TOKEN}x"}, 401), ({"authorization": TOKEN}, 401), ({"authorization": "Bearer "}, 401),
    ):  # fmt: skip
        answer = client.get(path, headers=headers)
        assert answer.status_code == status, headers
    assert "WWW-Authenticate" in client.get(path).headers
    assert client.get(f"{path}/").status_code != 200


def test_without_the_setting_everybody_sees_them(started: Callable[..., TestClient]) -> None:
    client = started()
    for path in ("/metrics", "/api/docs", "/api/openapi.json"):
        assert client.get(path).status_code == 200
    assert client.get("/readyz").json() == {"status": "ready", "generation": 7, "journal": "on"}


def test_readyz_tells_strangers_only_whether(started: Callable[..., TestClient], tmp_path: Path) -> None:
    client = started(watch_token=TOKEN)
    assert client.get("/readyz").json() == {"status": "ready"}
    assert client.get("/readyz", headers=BEARER).json()["generation"] == 7
    shutil.rmtree(tmp_path / "data")
    stranger, known = client.get("/readyz"), client.get("/readyz", headers=BEARER)
    assert stranger.status_code == known.status_code == 503
    assert str(tmp_path) not in stranger.text and str(tmp_path / "data") in known.json()["detail"]


def test_readyz_says_when_the_data_folder_is_gone(started: Callable[..., TestClient], tmp_path: Path) -> None:
    client = started()
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    answer = client.get("/readyz")
    assert answer.status_code == 503 and "is gone" in answer.json()["detail"]
    (tmp_path / "elsewhere").rename(tmp_path / "data")
    assert client.get("/readyz").status_code == 200


def test_a_journal_that_cannot_be_written_stops_no_answer_and_readyz_says_so(
    started: Callable[..., TestClient], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = started()

    def full(self: Journal, *_: object) -> str:
        raise StoreError("The journal cannot be used (attempt to write a readonly database).")

    with monkeypatch.context() as broken:
        broken.setattr(Journal, "record", full)
        answer = client.post("/api/v1/ask", json={"question": "Kas?"})
        assert answer.status_code == 200 and "x-journal-id" not in answer.headers
        assert client.get("/readyz").json()["journal"] == "off"
    assert "x-journal-id" in client.post("/api/v1/ask", json={"question": "Kas?"}).headers
    assert client.get("/readyz").json()["journal"] == "on"
    (tmp_path / "data" / JOURNAL).unlink()
    assert client.get("/readyz").json()["journal"] == "off"


def test_a_journal_that_cannot_be_opened_stops_no_answer_either(
    started: Callable[..., TestClient], tmp_path: Path
) -> None:
    (tmp_path / "data" / JOURNAL).mkdir(parents=True)
    client = started()
    assert client.post("/api/v1/ask", json={"question": "Kas?"}).status_code == 200
    assert client.get("/readyz").json() == {"status": "ready", "generation": 7, "journal": "off"}


def test_the_text_of_a_question_is_neither_in_the_log_nor_in_the_figures(
    started: Callable[..., TestClient], caplog: pytest.LogCaptureFixture
) -> None:
    client = started()
    with caplog.at_level(logging.DEBUG, logger="clusterqa"):
        client.post("/api/v1/ask", json={"question": "Ar mano slaptas vardas Balys?"})
    assert caplog.records and "Balys" not in caplog.text + client.get("/metrics").text
    assert not [record for record in caplog.records if "Balys" in str(vars(record))]


def test_a_short_token_is_refused_and_not_printed() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.load({"watch_token": "trumpas"})
    assert "watch-token" in str(refused.value) and "trumpas" not in str(refused.value)
    assert TOKEN not in repr(Settings(watch_token=TOKEN))
