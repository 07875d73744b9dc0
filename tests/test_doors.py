"""The chat pages are open only where our page goes in and out, and believe no stranger about where they stand."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from clusterqa.settings import Settings
from clusterqa.web.app import build
from clusterqa.web.doors import EVENTS, WAITING

EVENT = {"data": ["Kas yra klasteris?", "0" * 32, "", ""], "fn_index": 0, "session_hash": "abc123", "trigger_id": 1}
LOAD = {"data": ["0" * 32], "session_hash": "abc123"}


def browser(tmp_path: Path, **settings: object) -> TestClient:
    """A reader of an app that was not started: its pages are there, nothing is answered."""
    (tmp_path / "corpus").mkdir(exist_ok=True)
    app = build(Settings(corpus=tmp_path / "corpus", data=tmp_path / "data", **settings))  # type: ignore[arg-type]
    return TestClient(app, client=("192.0.2.1", 50_000), follow_redirects=False, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    yield browser(tmp_path_factory.mktemp("doors"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "gradio_api/upload"), ("POST", "gradio_api/upload/"), ("GET", "gradio_api/upload_progress?upload_id=x"),
        ("POST", "gradio_api/call/v2/ask"), ("POST", "gradio_api/call/ask"), ("POST", "gradio_api/api/predict"),
        ("POST", "gradio_api/run/ask"), ("POST", "gradio_api/cancel"), ("POST", "gradio_api/reset"),
        ("POST", "gradio_api/component_server"), ("POST", "gradio_api/process_recording"), ("POST", "login"),
        ("POST", "gradio_api/queue/join/"), ("GET", "gradio_api/queue/join"), ("POST", "gradio_api/vibe-edit"),
        ("GET", "gradio_api/heartbeat/abc123"), ("GET", "gradio_api/info"), ("GET", "gradio_api/openapi.json"),
        ("GET", "gradio_api/file=/etc/passwd"), ("GET", "gradio_api/proxy=https://example.lt/"), ("GET", "config"),
        ("GET", "gradio_api/deep_link"), ("GET", "monitoring"), ("GET", "gradio_api/startup-events"),
        ("GET", "gradio_api/stream/a/b/c/playlist.m3u8"), ("GET", "svelte/x"), ("GET", "docs"), ("GET", "openapi.json"),
        ("GET", "gradio_api/user"), ("GET", "gradio_api/runs"), ("GET", "manifest.json"), ("GET", "robots.txt"),
        ("OPTIONS", "gradio_api/queue/join"), ("PUT", ""), ("DELETE", "gradio_api/queue/data"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["lt", "en"])
def test_every_door_of_gradio_that_our_page_does_not_use_is_shut(
    client: TestClient, method: str, path: str, language: str
) -> None:
    answer = client.request(method, f"/{language}/{path}", headers={"origin": "http://localhost:3000"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


def test_every_route_that_gradio_brings_is_shut_but_those_of_our_page(client: TestClient) -> None:
    """Whatever another version of Gradio brings along, it is shut until our page needs it."""
    from starlette.routing import Mount

    mounted = next(r for r in client.app.routes if isinstance(r, Mount) and r.path == "/lt")  # type: ignore[attr-defined]
    routes = [*mounted.app.routes]  # type: ignore[attr-defined]
    for route in mounted.app.routes:  # type: ignore[attr-defined]
        routes += getattr(getattr(route, "original_router", None), "routes", [])
    paths = {path for route in routes if (path := getattr(route, "path", ""))}
    assert "/gradio_api/upload" in paths and len(paths) > 50
    open_doors = set()
    for path in paths:
        for method in ("GET", "POST"):
            answer = client.request(method, "/lt" + path.replace("{", "").replace("}", "").replace(":path", ""))
            if answer.headers["content-type"] != "application/problem+json":
                open_doors.add((method, path))
    assert {path for method, path in open_doors if method == "GET"} <= {
        "/", "/theme.css", "/gradio_api/app_id", "/assets/{path:path}", "/static/{path:path}",
    }  # fmt: skip
    assert {path for method, path in open_doors if method == "POST"} == set()


def test_the_event_that_the_others_are_made_of_is_let_in(client: TestClient) -> None:
    assert client.post("/lt/gradio_api/queue/join", json=EVENT).status_code == 200


def test_nothing_is_kept_of_a_file_that_somebody_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    client = browser(tmp_path)
    for number in range(5):
        answer = client.post("/lt/gradio_api/upload", files={"files": (f"{number}.txt", b"x")})
        assert answer.status_code == 404
    assert not list((tmp_path / "uploads").rglob("*.txt"))


@pytest.mark.parametrize(
    "changed",
    [
        {"fn_index": 999}, {"fn_index": -1}, {"fn_index": "0"}, {"fn_index": None}, {"data": []}, {"data": "x"},
        {"data": [{"path": "/etc/passwd"}, "x", "", ""]}, {"data": ["x"] * 3}, {"session_hash": None}, {"session_hash": "../x"},
        {"session_hash": "a" * 65}, {"trigger_id": "x"},
    ],
)  # fmt: skip
def test_an_event_that_is_not_our_pages_is_refused_in_one_line(
    client: TestClient, caplog: pytest.LogCaptureFixture, changed: dict[str, object]
) -> None:
    with caplog.at_level(logging.INFO):
        answer = client.post("/lt/gradio_api/queue/join", json={**EVENT, **changed})
    assert answer.status_code == 422
    assert "/api/v1/ask" in answer.json()["detail"]
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{" * 50_000])
def test_what_is_no_event_at_all_is_refused_too(client: TestClient, body: bytes) -> None:
    for path in ("queue/join", "run/predict"):
        answer = client.post(f"/lt/gradio_api/{path}", content=body, headers={"content-type": "application/json"})
        assert answer.status_code == 422


def test_every_event_of_the_page_goes_through_the_queue_and_none_past_it(client: TestClient) -> None:
    assert client.post("/lt/gradio_api/run/predict", json=EVENT).status_code == 422
    assert all(function.queue is not False for function in blocks(client).fns.values())


def blocks(client: TestClient):
    return next(r.app for r in client.app.routes if getattr(r, "path", "") == "/lt").get_blocks()  # type: ignore[attr-defined]


def test_listening_to_a_conversation_that_was_never_begun_is_404(client: TestClient) -> None:
    assert client.get("/lt/gradio_api/queue/data", params={"session_hash": "never"}).status_code == 404
    assert client.get("/lt/gradio_api/queue/data").status_code == 404


def test_events_of_one_client_are_counted(tmp_path: Path) -> None:
    client = browser(tmp_path, rate_limit=2)
    answers = [client.post("/en/gradio_api/queue/join", json={}) for _ in range(2 * EVENTS + 2)]
    assert [answer.status_code for answer in answers] == [422] * 2 * EVENTS + [429, 429]
    assert answers[-1].headers["retry-after"] == "60"


def test_nobody_can_fill_the_queue_of_a_page_alone(tmp_path: Path) -> None:
    """Nothing is answered here, so every event stays in the queue."""
    client = browser(tmp_path)
    other = TestClient(client.app, client=("192.0.2.2", 50_000))
    join = "/en/gradio_api/queue/join"
    answers = [client.post(join, json=EVENT).status_code for _ in range(WAITING + 2)]
    assert answers == [200] * WAITING + [429] * 2
    assert other.post(join, json=EVENT).status_code == 200
    assert client.post("/lt/gradio_api/queue/join", json=EVENT).status_code == 200


# ── where the page stands ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"}, {"x-forwarded-host": "evil.example"}, {"x-forwarded-host": "testserver, evil.example"},
        {"host": "evil.example:8080", "x-forwarded-proto": "https"}, {"forwarded": "host=evil.example"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/lt/", "/lt", "/", "/en/theme.css", "/staff/people", "/documents", "/widget.js"])
def test_no_answer_repeats_a_host_that_somebody_made_up(client: TestClient, headers: dict[str, str], path: str) -> None:
    answer = client.get(path, headers=headers)
    assert "evil.example" not in answer.text + json.dumps(dict(answer.headers))


def test_the_page_finds_out_in_the_browser_where_it_stands(client: TestClient) -> None:
    page = client.get("/lt/").text
    assert '"root":"/lt"' in page
    assert "window.gradio_config.root = new URL(window.gradio_config.root, location.href).href" in page
    assert "clusterqa.invalid" not in page and "http://testserver" not in page


def test_only_the_names_of_the_setting_are_answered_to_and_probes_to_any(tmp_path: Path) -> None:
    client = browser(tmp_path, hosts="example.lt www.example.lt [::1]")
    for host, status in {
        "example.lt": 200, "WWW.Example.LT": 200, "example.lt:8443": 200, "example.lt.": 200, "[::1]:7860": 200,
        "evil.example": 400, "example.lt.evil.example": 400, "xexample.lt": 400, "": 400, "192.0.2.7": 400,
    }.items():  # fmt: skip
        assert client.get("/en/", headers={"host": host}).status_code == status, host
    refused = client.get("/staff/login", headers={"host": "evil.example"})
    assert refused.status_code == 400 and "`hosts`" in refused.json()["detail"]
    assert client.get("/healthz", headers={"host": "10.0.0.9:7860"}).status_code == 200


@pytest.mark.parametrize("host", ["a b", "evil.example/x", "x@evil.example", "<script>", "a:b", "example.lt:999999"])
def test_a_host_that_is_none_is_refused(client: TestClient, host: str) -> None:
    assert client.get("/lt/", headers={"host": host}).status_code == 400


def test_a_request_that_tells_its_length_in_two_ways_is_refused_and_its_connection_ended(client: TestClient) -> None:
    """A proxy that believes the other one would pass a second request on inside of the first."""
    told = {"content-length": "5", "transfer-encoding": "chunked", "content-type": "application/json"}
    answer = client.post("/api/v1/ask", content=b"0\r\n\r\n", headers=told)
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")
    assert "Content-Length" in answer.json()["detail"]


def test_only_the_proxy_of_the_setting_is_believed_about_the_host(tmp_path: Path) -> None:
    told = {"host": "10.0.0.1:7860", "x-forwarded-host": "evil.example, example.lt", "x-forwarded-for": "198.51.100.7"}
    behind = browser(tmp_path, hosts="example.lt", proxy="192.0.2.1")
    assert behind.get("/lt/", headers=told).status_code == 200
    assert browser(tmp_path, hosts="example.lt", proxy="192.0.2.99").get("/lt/", headers=told).status_code == 400


@pytest.mark.parametrize(("proxy", "counted_together"), [("192.0.2.1", False), ("192.0.2.99", True), ("", True)])
def test_readers_behind_the_proxy_of_the_setting_have_a_count_of_their_own(
    tmp_path: Path, proxy: str, counted_together: bool
) -> None:
    client = browser(tmp_path, rate_limit=1, proxy=proxy)
    statuses = {
        client.post(
            "/lt/gradio_api/queue/join", json={}, headers={"x-forwarded-for": f"198.51.100.{number}"}
        ).status_code
        for number in range(EVENTS + 1)
    }
    assert (429 in statuses) == counted_together


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:7860", "null", "https://evil.example"])
@pytest.mark.parametrize("path", ["/lt/", "/lt/theme.css", "/lt/gradio_api/app_id", "/api/v1/documents"])
def test_no_other_site_may_read_our_answers_with_the_readers_cookies(
    client: TestClient, origin: str, path: str
) -> None:
    answer = client.get(path, headers={"origin": origin, "host": "localhost:7860"})
    assert not [name for name in answer.headers if name.startswith("access-control")]
