"""
A page of the web, fetched once because somebody at the desk asked for it; the only place that asks another machine.

Only where the setting `fetch_urls` allows it. The server can reach what a stranger cannot, so every address is resolved here,
refused unless it is public, and connected to as it was resolved: also after each redirect, so that no name leads inside.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit

from clusterqa.documents.formats import KINDS
from clusterqa.staff.drafts import DeskError, too_large
from clusterqa.staff.names import safe_name

SECONDS = 30.0
"""For everything: all redirects, and the last byte."""
REDIRECTS = 5
PORTS = {"http": 80, "https": 443}
CHUNK = 64 * 1024
_SUFFIXES = {kind.media_type: kind.suffixes[0] for kind in KINDS} | {"application/xhtml+xml": "html"}
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset|<\?xml[^>]{0,200}encoding|\A(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)", re.I)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: the address it came from in the end, a file name for it, and its bytes."""

    url: str
    name: str
    content: bytes


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open network: none of a house, a machine or a link, however it is written."""
    if isinstance(address, ipaddress.IPv6Address):
        inside = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inside is not None:
            return is_public(inside)
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast


def fetch(url: str, limit: int, seconds: float = SECONDS, allowed: Callable[[Address], bool] = is_public) -> Fetched:
    """
    The page at an address with http or https, of at most `limit` bytes, within so many seconds.

    Raises DeskError with what is in the way.
    """
    until = time.monotonic() + seconds
    url = url.strip()
    for _ in range(REDIRECTS + 1):
        connection, path = _connect(url, until, allowed)
        try:
            connection.request("GET", path, headers={"User-Agent": "clusterqa", "Accept-Encoding": "identity"})
            answer = connection.getresponse()
            if answer.status in (301, 302, 303, 307, 308):
                url = urljoin(url, answer.getheader("Location") or "")
                continue
            if answer.status != 200:
                raise DeskError(
                    "fetch_status", f"The server answered {answer.status} {answer.reason}.", status=answer.status
                )
            return _kept(url, answer, _body(answer, connection, until, limit))
        except TimeoutError as error:
            raise _slow() from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DeskError("fetch_failed", f"The page cannot be fetched ({type(error).__name__}).") from error
        finally:
            connection.close()
    raise DeskError("fetch_redirects", f"The address leads on more than {REDIRECTS} times.")


def _connect(url: str, until: float, allowed: Callable[[Address], bool]) -> tuple[http.client.HTTPConnection, str]:
    """A connection to the very address that was looked at, and what to ask it for."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORTS.get(parts.scheme, 0)
        name = host.encode("idna").decode("ascii") if host and not re.fullmatch(r"[\d.]+|.*:.*", host) else host or ""
    except (ValueError, UnicodeError):
        host = None
    if (
        not host
        or parts.scheme not in PORTS
        or port not in PORTS.values()
        or parts.username
        or re.search(r"[\s\\]", url)
    ):
        raise DeskError("fetch_address", "This is no address of a page; it must begin with https:// or http://.")
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeskError("fetch_failed", f"The name {host} is not known.") from error
    addresses = [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
    if not addresses or not all(allowed(address) for address in addresses):
        raise DeskError(
            "fetch_private", f"{host} is an address inside a network; only public pages are fetched.", host=host
        )
    try:
        wire = socket.create_connection((str(addresses[0]), port), timeout=_left(until))
        if parts.scheme == "https":
            wire = ssl.create_default_context().wrap_socket(wire, server_hostname=name)
    except TimeoutError as error:
        raise _slow() from error
    except (OSError, ValueError) as error:
        raise DeskError("fetch_failed", f"{host} cannot be reached ({type(error).__name__}).") from error
    connection = http.client.HTTPConnection(name, port, timeout=_left(until))
    connection.default_port = PORTS[parts.scheme]  # so that the Host header names no port
    connection.sock = wire
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return connection, f"{path}?{query}" if query else path


def _body(answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, until: float, limit: int) -> bytes:
    made = bytearray()
    while True:
        if connection.sock is not None:
            connection.sock.settimeout(_left(until))
        chunk = answer.read1(CHUNK)
        if not chunk:
            return bytes(made)
        made += chunk
        if len(made) > limit:
            raise too_large(limit)
        _left(until)


def _kept(url: str, answer: http.client.HTTPResponse, content: bytes) -> Fetched:
    kind = answer.headers.get_content_type()
    if kind not in _SUFFIXES:
        raise DeskError("fetch_kind", f"What is there is no document ({kind}).", kind=kind)
    if not content:
        raise DeskError("empty", "The file is empty. Check it at its source, then upload it again.")
    charset = answer.headers.get_content_charset()
    if _SUFFIXES[kind] == "html" and charset not in (None, "utf-8") and not _CHARSET.search(content[:4096]):
        content = content.decode(charset).encode("utf-8")  # only the answer said in what the page is written
    parts = urlsplit(url)
    last = PurePosixPath(unquote(parts.path)).name
    stem = PurePosixPath(last).stem if last else parts.hostname or ""
    return Fetched(url, safe_name(f"{stem}.{_SUFFIXES[kind]}"), content)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise _slow()
    return left


def _slow() -> DeskError:
    return DeskError("fetch_slow", f"The page did not come within {SECONDS:g} seconds.", seconds=f"{SECONDS:g}")
