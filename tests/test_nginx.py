"""The configuration for nginx that the documentation gives, with Debian's nginx in front of a running server."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from test_doors import EVENT

GIVEN = Path(__file__).parent.parent / "docs" / "server" / "nginx.conf"
NAME = "klausimai.example.lt"
AROUND = """
daemon off; pid {base}/pid; error_log {base}/error.log; worker_processes 1;
events {{ }}
http {{
    access_log off; client_body_temp_path {base}/body; proxy_temp_path {base}/proxy; fastcgi_temp_path {base}/fastcgi;
    uwsgi_temp_path {base}/uwsgi; scgi_temp_path {base}/scgi;
    include {base}/clusterqa.conf;
}}
"""
SERVE = """
import sys
from pathlib import Path
from clusterqa.settings import Settings
from clusterqa.web.app import run
base = Path(sys.argv[1])
run(Settings(corpus=base, data=base / "data", port=int(sys.argv[2]), encoder=str(base / "none"), proxy="127.0.0.1",
             hosts="klausimai.example.lt", rate_limit=2))
"""

pytestmark = pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="needs Debian's nginx and openssl"
)


def free_ports(count: int) -> list[int]:
    held = [socket.socket() for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """The ports for http and https of nginx in front of a server that is up."""
    base = tmp_path_factory.mktemp("nginx")
    plain, secure, behind = free_ports(3)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={NAME}",
         "-keyout", base / "key", "-out", base / "pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    text = GIVEN.read_text(encoding="utf-8")
    for given, here in (
        ("listen 80", f"listen 127.0.0.1:{plain}"), ("listen 443", f"listen 127.0.0.1:{secure}"),
        ("127.0.0.1:7860;", f"127.0.0.1:{behind};"), (f"/etc/ssl/certs/{NAME}.pem", f"{base}/pem"),
        (f"/etc/ssl/private/{NAME}.key", f"{base}/key"),
    ):  # fmt: skip
        assert given in text
        text = text.replace(given, here)
    (base / "clusterqa.conf").write_text(text, encoding="utf-8")
    (base / "nginx.conf").write_text(AROUND.format(base=base), encoding="utf-8")
    checked = subprocess.run(["nginx", "-t", "-c", base / "nginx.conf", "-p", base], capture_output=True, text=True)
    assert checked.returncode == 0 and "[warn]" not in checked.stderr, checked.stderr
    with (base / "serve.log").open("wb") as said:
        server = subprocess.Popen([sys.executable, "-c", SERVE, str(base), str(behind)], stderr=said)
    nginx = subprocess.Popen(["nginx", "-c", base / "nginx.conf", "-p", base])
    try:
        while not up(secure):  # however long a busy machine takes; there is no use in waiting for one that has ended
            assert server.poll() is None and nginx.poll() is None, (base / "serve.log").read_text(encoding="utf-8")
            time.sleep(0.1)
        yield plain, secure
    finally:
        nginx.terminate()
        nginx.wait()
        server.kill()
        server.wait()


def up(port: int) -> bool:
    """Whether the server answers through nginx."""
    try:
        return ask(port, "/healthz").status_code == 200
    except httpx.TransportError:
        return False


def ask(port: int, path: str, method: str = "GET", **extra: object) -> httpx.Response:
    headers = {"host": NAME, **extra.pop("headers", {})}  # type: ignore[dict-item]
    scheme = "http" if extra.pop("plain", False) else "https"
    extensions = {"sni_hostname": NAME} if scheme == "https" else {}
    with httpx.Client(verify=False, timeout=30) as client:
        url = f"{scheme}://127.0.0.1:{port}{path}"
        return client.request(method, url, headers=headers, extensions=extensions, **extra)  # type: ignore[arg-type]


def test_pages_come_over_tls_only_and_under_the_one_name(site: tuple[int, int]) -> None:
    plain, secure = site
    moved = ask(plain, "/lt/", plain=True)
    assert (moved.status_code, moved.headers["location"]) == (301, f"https://{NAME}/lt/")
    page = ask(secure, "/lt/")
    assert page.status_code == 200 and "gradio_config" in page.text
    assert page.headers["strict-transport-security"]
    assert ask(secure, "/lt").headers["location"] == "/lt/"
    for port, bare in ((plain, True), (secure, False)):
        with pytest.raises(httpx.RemoteProtocolError):
            ask(port, "/lt/", plain=bare, headers={"host": "evil.example"})


def test_a_client_can_make_up_neither_its_address_nor_the_host(site: tuple[int, int]) -> None:
    _, secure = site
    statuses = []
    for number in range(4):
        told = {"x-forwarded-for": f"198.51.100.{number}", "x-forwarded-host": "evil.example"}
        answer = ask(secure, "/api/v1/search?q=x", headers=told)
        assert "evil.example" not in answer.text + str(answer.headers)
        statuses.append(answer.status_code)
    assert statuses == [503, 503, 429, 429]  # one client, whatever it says; the encoder is not there


def test_cookies_of_the_desk_know_that_it_is_tls(site: tuple[int, int]) -> None:
    assert "Secure" in ask(site[1], "/staff/login").headers["set-cookie"]


def test_figures_stay_inside_and_sizes_are_as_the_settings_say(site: tuple[int, int]) -> None:
    _, secure = site
    assert [ask(secure, path).status_code for path in ("/metrics", "/readyz", "/healthz")] == [404, 404, 200]
    assert ask(secure, "/api/v1/ask", "POST", content=b"x" * 70_000).status_code == 413
    large = ask(secure, "/staff/drafts", "POST", content=b"x" * 2_000_000)
    assert large.status_code in (401, 403)  # the desk refused it, not nginx


def test_the_protocol_is_negotiated_with_current_tls(site: tuple[int, int]) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", site[1])) as wire,
        context.wrap_socket(wire, server_hostname=NAME) as tls,
    ):
        assert tls.version() in ("TLSv1.2", "TLSv1.3")


def test_half_sent_requests_of_one_client_keep_nobody_else_out(site: tuple[int, int]) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with ExitStack() as held:
        for number in range(120):
            wire = held.enter_context(socket.create_connection(("127.0.0.1", site[1]), timeout=20))
            if number % 3:
                tls = held.enter_context(context.wrap_socket(wire, server_hostname=NAME))
                head = f"POST /staff/drafts HTTP/1.1\r\nHost: {NAME}\r\n".encode()
                tls.sendall(head if number % 3 == 1 else head + b"Content-Length: 5000000\r\n\r\nx")
        elsewhere = httpx.HTTPTransport(verify=False, local_address="127.0.0.2")
        with httpx.Client(transport=elsewhere, timeout=20) as client:
            answer = client.get(
                f"https://127.0.0.1:{site[1]}/healthz", headers={"host": NAME}, extensions={"sni_hostname": NAME}
            )
        assert answer.status_code == 200


def test_what_the_chat_says_comes_as_a_stream(site: tuple[int, int]) -> None:
    joined = ask(site[1], "/lt/gradio_api/queue/join", "POST", json=EVENT)
    assert joined.status_code == 200, joined.text
    told = ask(site[1], f"/lt/gradio_api/queue/data?session_hash={EVENT['session_hash']}")
    assert told.headers["content-type"].startswith("text/event-stream")
    said = [json.loads(line.removeprefix("data: "))["msg"] for line in told.text.splitlines() if line]
    assert said[0] == "estimation" and said[-1] == "close_stream" and "process_completed" in said
