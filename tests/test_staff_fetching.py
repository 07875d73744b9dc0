"""A page added by its address: only where it is allowed, never from inside a network, never without an end."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from clusterqa import documents
from clusterqa.corpus import sync
from clusterqa.documents import samples
from clusterqa.documents.formats import KIND
from clusterqa.settings import Settings
from clusterqa.staff.audit import Audit
from clusterqa.staff.database import open_database
from clusterqa.staff.drafts import DeskError, Draft
from clusterqa.staff.fetching import Address, Fetched, fetch, is_public
from clusterqa.staff.history import History
from clusterqa.staff.publishing import Keeper
from words_encoder import WordsEncoder

PAGE = (
    "<!doctype html><html lang='lt'><head><title>Kaina</title></head><body><main><h1>Kaina</h1><p>{} kaina yra 2 250 eurų.</p>"
    + "<p>Mokestį už paslaugas reikia sumokėti per trisdešimt dienų nuo sąskaitos gavimo, o klausimus siųsti biurui.</p>"
    * 4
    + "</main></body></html>"
)


FILES = {
    "/price": ("application/pdf", ""),
    "/price.pdf": ("application/octet-stream", ""),
    "/get.php": ("application/force-download", "attachment; filename*=UTF-8''kainos%20%C5%BE.docx"),
    "/list.csv": ("application/vnd.ms-excel", ""),
    "/notes.md": ("text/plain; charset=utf-8", ""),
    "/some.bin": ("application/octet-stream", ""),
}
"""What a site says of its files: the kind, and how the file is to be called."""


class Site(BaseHTTPRequestHandler):
    """A few addresses of a site, on this machine."""

    protocol_version = "HTTP/1.1"
    said = ""

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/kaina.html" | "/kaina/":
                self.give(PAGE.format("Žąsų").encode(), "text/html; charset=utf-8")
            case "/baltic":
                self.give(PAGE.format("Žąsų").encode("windows-1257"), "text/html; charset=windows-1257")
            case "/moved":
                self.give(b"", "text/html", 302, "/kaina.html")
            case "/inside":
                self.give(b"", "text/html", 302, "http://10.0.0.1/secret")
            case "/file":
                self.give(b"", "text/html", 302, "file:///etc/passwd")
            case "/loop":
                self.give(b"", "text/html", 302, "/loop")
            case "/large":
                self.give(b"x" * 200_000, "text/html")
            case "/price" | "/price.pdf" | "/get.php" | "/list.csv" | "/notes.md" | "/some.bin":
                kind, self.said = FILES[self.path.partition("?")[0]]
                self.give(b"a,b\n1,2\n", kind)
            case "/picture":
                self.give(b"GIF8", "image/gif")
            case "/slow":
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                while True:
                    self.wfile.write(b"x")
                    time.sleep(0.05)
            case "/slow-head":
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while True:
                    self.wfile.write(b"X-More: x\r\n")
                    time.sleep(0.05)
            case "/cut":
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", "5000")
                self.end_headers()
                self.wfile.write(b"<p>The beginning")
                self.close_connection = True
            case "/charset":
                self.give(PAGE.format("Žąsų").encode(), "text/html; charset=klingon")
            case "/charset-of-hosts":
                self.give(PAGE.format("Žąsų").encode(), "text/html; charset=punycode")
            case _:
                self.give(b"", "text/html", 404)

    def give(self, content: bytes, kind: str, status: int = 200, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if self.said:
            self.send_header("Content-Disposition", self.said)
        self.send_header("Content-Length", str(len(content)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://localhost:{server.server_address[1]}"
    server.shutdown()


@pytest.fixture(autouse=True)
def any_port(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests cannot listen on port 80."""
    monkeypatch.setattr("clusterqa.staff.fetching.PORTS", {"http": int(site.rsplit(":", 1)[1]), "https": 443})


def this_machine(address: Address) -> bool:
    return str(address) in ("127.0.0.1", "::1")


def refused(url: str, allowed: Callable[[Address], bool] = this_machine, seconds: float = 20) -> str:
    with pytest.raises(DeskError) as error:
        fetch(url, 100_000, seconds, allowed)
    return error.value.code


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("127.0.0.1", False), ("127.9.9.9", False), ("0.0.0.0", False),
        ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False), ("100.64.0.1", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False), ("fe80::1", False), ("fc00::1", False),
        ("ff02::1", False), ("::ffff:127.0.0.1", False), ("::ffff:10.0.0.1", False), ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False), ("2002:0a00:0001::", False), ("::7f00:1", False), ("fec0::1", False), ("64:ff9b::808:808", True),
        ("64:ff9b:1::808:808", False), ("168.63.129.16", False), ("::ffff:168.63.129.16", False), ("192.0.0.192", False),
        ("192.0.0.8", False), ("192.88.99.1", False), ("3fff::1", False), ("168.63.129.17", True),
    ],
)  # fmt: skip
def test_only_addresses_of_the_open_network_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) is public


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
def test_nothing_of_this_machine_is_fetched_however_it_is_written(site: str, host: str) -> None:
    assert refused(f"http://{host}:{site.rsplit(':', 1)[1]}/kaina.html", is_public) in ("fetch_private", "fetch_failed")


def test_a_name_that_is_also_inside_is_refused(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a name's addresses count, and the one that was looked at is the one that is connected to."""
    entries = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("8.8.8.8", "192.168.0.1")]
    monkeypatch.setattr("clusterqa.staff.fetching.socket.getaddrinfo", lambda *_, **__: entries)
    assert refused("http://example.org:80/".replace(":80", site[site.rindex(":") :]), is_public) == "fetch_private"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/inside", "fetch_private"), ("/file", "fetch_address"), ("/loop", "fetch_redirects"), ("/large", "too_large"),
        ("/picture", "fetch_kind"), ("/some.bin", "fetch_kind"), ("/nowhere", "fetch_status"), ("/cut", "fetch_failed"),
    ],
)  # fmt: skip
def test_what_leads_inside_or_is_no_whole_document_is_refused(site: str, path: str, code: str) -> None:
    assert refused(site + path) == code


@pytest.mark.parametrize("path", ["/slow", "/slow-head"])
def test_a_page_that_never_ends_is_left(site: str, path: str) -> None:
    assert refused(site + path, seconds=1) == "fetch_slow"


def test_an_address_that_does_not_answer_leaves_the_page_to_the_next(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        found = ("127.0.0.2", "127.0.0.1") if host == "localhost" else (host,)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    monkeypatch.setattr("clusterqa.staff.fetching.socket.getaddrinfo", resolved)
    assert fetch(f"{site}/kaina.html", 100_000, allowed=lambda _: True).name == "kaina.html"


@pytest.mark.parametrize(
    "url", ["", "ftp://example.org/", "file:///etc/passwd", "http://", "http://a b/", "http://u:p@localhost/", "http://localhost:22/"]
)  # fmt: skip
def test_what_is_no_address_of_a_page_is_told(url: str) -> None:
    assert refused(url) == "fetch_address"


def test_a_page_comes_whole_with_the_address_where_it_was_in_the_end(site: str, tmp_path: Path) -> None:
    found = fetch(f"{site}/moved?x=ž y".replace(" ", "%20"), 100_000, allowed=this_machine)
    assert (found.url, found.name) == (f"{site}/kaina.html", "kaina.html")
    assert found.content == PAGE.format("Žąsų").encode()
    assert fetch(f"{site}/kaina/", 100_000, allowed=this_machine).name == "kaina.html"
    for path in ("charset", "charset-of-hosts"):
        assert fetch(f"{site}/{path}", 100_000, allowed=this_machine).content == PAGE.format("Žąsų").encode()
    (tmp_path / "a.html").write_bytes(fetch(f"{site}/baltic", 100_000, allowed=this_machine).content)
    assert "Žąsų kaina yra 2 250 eurų." in documents.read(tmp_path / "a.html", "a.html").text


@pytest.fixture
def keeper(settings: Settings, words: WordsEncoder) -> Iterator[tuple[Keeper, list[str]]]:
    """A keeper whose pages change each time they are fetched, and what it was asked for."""
    settings = settings.model_copy(update={"refresh_seconds": 0.02, "fetch_urls": True})
    sync.update(settings, lambda: words)
    database = open_database(settings.home)
    asked: list[str] = []

    def page(url: str, limit: int) -> Fetched:
        asked.append(url)
        return Fetched(url, "kaina.html", PAGE.format("Žąsų " * len(asked)).encode())

    keeper = Keeper(
        settings,
        words,
        History(database),
        Audit(database),
        read=documents.read,
        today=lambda: date(2030, 1, 2),
        fetch=page,
    )
    keeper.start()
    yield keeper, asked
    keeper.stop()
    database.close()


def settled(keeper: Keeper, draft: Draft) -> Draft:
    end = time.monotonic() + 60
    while keeper.drafts.get(draft.id).state in ("reading", "publishing"):
        assert time.monotonic() < end
        time.sleep(0.02)
    return keeper.drafts.get(draft.id)


def test_a_fetched_page_is_a_draft_with_its_address_and_day_and_is_fetched_again_by_hand(
    keeper: tuple[Keeper, list[str]],
) -> None:
    desk, asked = keeper
    draft = settled(desk, desk.fetch("https://example.org/kaina", "rasa", 100_000)[0])
    document = desk.drafts.read(draft)
    assert document is not None
    assert (document.url, document.date, draft.fetched_on) == ("https://example.org/kaina", "2030-01-02", "2030-01-02")
    desk.publish(draft.id, "rasa")
    assert settled(desk, draft).state == "published"
    again = settled(desk, desk.fetch("https://example.org/kaina", "rasa", 100_000, "kaina.html")[0])
    assert (again.intent, again.document, len(asked)) == ("replace", "kaina.html", 2)
    document = desk.drafts.read(again)
    assert document is not None
    comparison = desk.comparison(again, document)
    assert comparison is not None and comparison.changes


def test_a_server_that_may_not_fetch_asks_nobody(keeper: tuple[Keeper, list[str]]) -> None:
    desk, asked = keeper
    desk.settings = desk.settings.model_copy(update={"fetch_urls": False})
    with pytest.raises(DeskError) as error:
        desk.fetch("https://example.org/", "rasa", 100_000)
    assert (error.value.code, asked) == ("fetch_off", [])
    assert not Settings().fetch_urls


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/price", "price.pdf"), ("/price.pdf", "price.pdf"), ("/get.php?id=5", "kainos ž.docx"), ("/list.csv", "list.csv"),
        ("/notes.md", "notes.md"),
    ],
)  # fmt: skip
def test_a_file_of_any_format_comes_under_a_name_that_says_what_it_is(site: str, path: str, name: str) -> None:
    assert fetch(site + path, 100_000, allowed=this_machine).name == name


@pytest.mark.parametrize("format", samples.SAMPLES)
def test_every_format_is_fetched_and_fetched_again(keeper: tuple[Keeper, list[str]], format: str) -> None:
    desk, _ = keeper
    suffixes = KIND[format].suffixes  # type: ignore[index]
    content = samples.SAMPLES[format]()  # type: ignore[index]
    desk._fetch = lambda url, limit: Fetched(url, f"kaina.{suffixes[0]}", content)
    draft = settled(desk, desk.fetch("https://example.org/kaina", "rasa", 10_000_000)[0])
    desk.drafts.change(draft.id, None, document=f"kaina.{suffixes[-1]}")
    desk.publish(draft.id, "rasa")
    assert settled(desk, draft).state == "published"
    again, _ = desk.fetch("https://example.org/kaina", "rasa", 10_000_000, f"kaina.{suffixes[-1]}")
    assert (again.intent, again.document) == ("replace", f"kaina.{suffixes[-1]}")
    assert settled(desk, again).state == "ready"


def test_another_format_than_before_is_refused_with_the_reason(keeper: tuple[Keeper, list[str]]) -> None:
    desk, _ = keeper
    draft = settled(desk, desk.fetch("https://example.org/kaina", "rasa", 100_000)[0])
    desk.publish(draft.id, "rasa")
    settled(desk, draft)
    desk._fetch = lambda url, limit: Fetched(url, "kaina.pdf", samples.SAMPLES["pdf"]())
    with pytest.raises(DeskError) as error:
        desk.fetch("https://example.org/kaina", "rasa", 100_000, "kaina.html")
    assert error.value.code == "other_format"
