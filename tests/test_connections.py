"""Slow and half-open clients: whoever keeps the server waiting loses the connection, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn

from clusterqa.addresses import neighbourhood
from clusterqa.settings import Settings
from clusterqa.web import connections
from clusterqa.web.connections import BODY_RATE, BODY_SECONDS, HEAD_SECONDS, TAKE_SECONDS, Connections, Patient
from clusterqa.web.logs import JsonLines, Repeated

HALF = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
WHOLE = HALF + b"\r\n"


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time is set by the test."""

    now = 0.0

    def time(self) -> float:
        return self.now


class Wire(asyncio.Transport):
    """The other end of a connection, in memory."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 50_000)})
        self.sent = b""
        self.state = "open"

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.sent += bytes(data)

    def close(self) -> None:
        self.state = "closed" if self.state == "open" else self.state

    def abort(self) -> None:
        self.state = "cut"

    def is_closing(self) -> bool:
        return self.state != "open"

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


async def app(scope, receive, send) -> None:
    """Answers once the body is there, at /now at once; at /never it does not."""
    while scope["path"] != "/now" and (await receive()).get("more_body"):
        pass
    if scope["path"] == "/never":
        await asyncio.Event().wait()
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


class Site:
    """A server without a network."""

    def __init__(self, loop: Clock, most: int = 100, of_one: int = 100, proxy: str = "") -> None:
        self.loop = loop
        self.config = uvicorn.Config(app, lifespan="off", log_config=None)
        self.config.load()
        settings = Settings(max_connections=most, max_connections_per_client=of_one, proxy=proxy)
        self.rules = Connections(settings, descriptors=100_000)
        self.state = uvicorn.server.ServerState()
        self.state.default_headers = []

    def connect(self, address: str = "192.0.2.1", said: bytes = b"") -> tuple[Patient, Wire]:
        kind = type("Connection", (Patient,), {"rules": self.rules})
        connection, wire = kind(self.config, self.state, {}, self.loop), Wire(address)
        connection.connection_made(wire)
        if said:
            connection.data_received(said)
        self.turn()
        return connection, wire

    def turn(self) -> None:
        """Let the application do what it can."""
        self.loop.run_until_complete(_turns())

    def after(self, seconds: float) -> None:
        self.loop.now += seconds
        self.turn()
        self.rules._sweep(self.loop)
        self.turn()


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
def loop() -> Iterator[Clock]:
    loop = Clock()
    asyncio.set_event_loop(loop)
    yield loop
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(_turns())
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.parametrize("path", [b"/now", b"/"])
@pytest.mark.parametrize("together", [True, False])
def test_what_cannot_be_read_is_answered_once_and_is_no_fault_of_ours(
    loop: Clock, caplog: pytest.LogCaptureFixture, path: bytes, together: bool
) -> None:
    head, broken = b"POST %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % path, b"zz\r\n"
    site = Site(loop)
    connection, _ = site.connect(said=head + broken if together else head)
    if not together:
        connection.data_received(broken)
    site.turn()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


# ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("said", [b"", b"GET", HALF])
def test_a_head_that_does_not_come_whole_in_time_ends_the_connection(loop: Clock, said: bytes) -> None:
    site = Site(loop)
    _, wire = site.connect(said=said)
    site.after(HEAD_SECONDS)
    assert wire.state == "open"
    site.after(0.1)
    assert wire.state == "cut"


def test_a_head_that_drips_has_no_more_time_than_one_that_does_not_come(loop: Clock) -> None:
    site = Site(loop)
    connection, wire = site.connect(said=HALF)
    for number in range(12):
        if wire.state == "open":
            connection.data_received(b"X-%d: 1\r\n" % number)
        site.after(1)
    assert wire.state == "cut"


def test_a_body_may_be_slow_but_must_come_on(loop: Clock) -> None:
    site = Site(loop)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    stuck, slow = site.connect(said=head), site.connect(said=head)
    for _ in range(4):
        site.after(BODY_SECONDS / 2 + 1)
        slow[0].data_received(b"a" * int(BODY_RATE * (BODY_SECONDS / 2 + 2)))
    assert (stuck[1].state, slow[1].state) == ("cut", "open")


def test_who_waits_for_us_is_never_cut_off(loop: Clock) -> None:
    site = Site(loop)
    _, wire = site.connect(said=b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in range(10):
        site.after(1000)
    assert wire.state == "open"


def test_a_second_request_on_a_connection_has_its_own_time(loop: Clock) -> None:
    site = Site(loop)
    connection, wire = site.connect(said=WHOLE)
    assert b"204" in wire.sent
    site.after(3)
    connection.data_received(HALF)
    site.after(HEAD_SECONDS - 1)
    assert wire.state == "open"
    connection.data_received(b"\r\n")
    site.turn()
    assert wire.sent.count(b"204") == 2
    connection.data_received(HALF)
    site.after(HEAD_SECONDS + 1)
    assert wire.state == "cut"


def test_who_does_not_read_the_answer_does_not_keep_the_connection(loop: Clock) -> None:
    site = Site(loop)
    connection, wire = site.connect(said=b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.pause_writing()
    site.after(TAKE_SECONDS - 1)
    connection.resume_writing()  # it took something
    connection.pause_writing()
    site.after(TAKE_SECONDS - 1)
    assert wire.state == "open"
    site.after(2)
    assert wire.state == "cut"


# ── number ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_at_the_cap_the_oldest_half_sent_request_gives_way_and_no_whole_one_does(loop: Clock) -> None:
    site = Site(loop, most=8)
    asked = [site.connect(said=b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")[1] for _ in range(3)]
    half = [site.connect(f"203.0.113.{number}", HALF)[1] for number in range(5)]
    _, new = site.connect("198.51.100.1", WHOLE)
    assert b"204" in new.sent
    assert [wire.state for wire in half] == ["cut", "open", "open", "open", "open"]
    assert {wire.state for wire in asked} == {"open"}


def test_one_client_with_many_half_sent_requests_loses_its_own_and_not_others(loop: Clock) -> None:
    site = Site(loop, most=50, of_one=5)
    _, other = site.connect("198.51.100.1", HALF)
    many = [site.connect(f"2001:db8::{number:x}", HALF)[1] for number in range(1, 21)]  # one /64, one client
    assert [wire.state for wire in many].count("open") == 5
    assert other.state == "open"


def test_when_all_wait_for_answers_one_more_is_told_to_come_again(loop: Clock) -> None:
    site = Site(loop, most=8)
    for number in range(8):
        site.connect(f"203.0.113.{number}", b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
    _, wire = site.connect("198.51.100.1", WHOLE)
    head, _, body = wire.sent.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503") and b"Retry-After" in head and b"Content-Length: %d" % len(body) in head
    assert json.loads(body)["status"] == 503
    assert wire.state == "closed"


def test_connections_of_the_proxy_are_not_those_of_one_client(loop: Clock) -> None:
    site = Site(loop, most=50, of_one=4, proxy="10.0.0.1")
    behind = [site.connect("10.0.0.1", HALF)[1] for _ in range(20)]
    assert {wire.state for wire in behind} == {"open"}


def test_a_connection_that_ended_leaves_its_place(loop: Clock) -> None:
    site = Site(loop, most=8)
    for _ in range(50):
        connection, wire = site.connect(said=b"GET /never HTTP/1.1\r\nHost: x\r\n\r\n")
        assert wire.state == "open"
        connection.connection_lost(None)
    assert not site.rules._open and not site.rules._count


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.1", "192.0.2.1"), ("::ffff:192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"), ("testclient", "testclient"), ("", ""),
    ],
)  # fmt: skip
def test_what_one_client_is(address: str, client: str) -> None:
    assert neighbourhood(address) == client


# ── a whole server ──────────────────────────────────────────────────────────────────────────────────────────────

SERVE = """
import resource, sys
from pathlib import Path
limit = int(sys.argv[2])
from clusterqa.settings import Settings
from clusterqa.web.app import run
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
base = Path(sys.argv[1])
run(Settings(corpus=base, data=base / "data", port=int(sys.argv[3]), encoder=str(base / "none")))
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def asked(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(HALF + b"Connection: close\r\n\r\n")
        wire.settimeout(20)
        parts = []
        while part := wire.recv(4096):
            parts.append(part)
        return b"".join(parts)


def until(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.1)
    pytest.fail("it did not come")


def answers(port: int) -> bool:
    try:
        return asked(port).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def test_a_hundred_and_twenty_half_sent_requests_do_not_stop_a_server_with_few_files(tmp_path: Path) -> None:
    port = free_port()
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(tmp_path), "128", str(port)], stderr=out)
    half = []
    try:
        until(lambda: answers(port))
        for _ in range(3):
            for _ in range(120):
                wire = socket.create_connection(("127.0.0.1", port), timeout=20)
                wire.sendall(HALF)
                half.append(wire)
            assert asked(port).endswith(b'{"status":"ok"}')
        assert len(os.listdir(f"/proc/{server.pid}/fd")) < 128
    finally:
        for wire in half:
            wire.close()
        server.kill()
        server.wait()
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert len(lines) < 100 and log.stat().st_size < 50_000
    assert not [line for line in lines if "out of system resource" in line["message"]]
    assert [line["reason"] for line in lines if line["message"] == "connection cut off"] == ["gave way to another"]


def test_the_cap_follows_from_what_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    settings = Settings(max_connections=1000)
    assert Connections(settings, descriptors=100_000).most == 1000
    few = Connections(settings, descriptors=200)
    assert 8 <= few.most < 200 - connections.RESERVED and few.most_of_one < few.most
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (soft, hard)


# ── the log ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_error_that_repeats_itself_is_told_once_with_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    repeated = Repeated(handler)
    handler.addFilter(repeated)
    logger = logging.Logger("clusterqa.test")
    logger.addHandler(handler)
    for number in range(1000):
        try:
            _ = 1 // 0
        except ZeroDivisionError:
            logger.exception("broken by %s", number)
        logger.info("fine")
    logger.error("another")
    for key in list(repeated._left_out):
        record = logging.makeLogRecord({"name": "clusterqa.test", "levelno": logging.ERROR, "levelname": "ERROR"})
        repeated.tell(key, record)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    told = [line for line in lines if line["level"] == "error"]
    assert [line.get("repeated") for line in told] == [None, None, 999]
    assert "ZeroDivisionError" in told[0]["error"] and "error" not in told[2]
    assert len([line for line in lines if line["message"] == "fine"]) == 1000
