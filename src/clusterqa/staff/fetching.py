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
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit

from clusterqa.documents.encoding import is_for_texts
from clusterqa.documents.formats import FORMAT_OF_SUFFIX, KINDS
from clusterqa.staff.drafts import DeskError, too_large
from clusterqa.staff.names import safe_name

SECONDS = 30.0
"""For everything: all redirects, and the last byte."""
REDIRECTS = 5
PORTS = {"http": 80, "https": 443}
CHUNK = 64 * 1024
_HEADERS = {"User-Agent": "clusterqa", "Accept-Encoding": "identity", "Connection": "close"}
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
"""What there is of the open network in IPv6; all else is for a machine, a link or a house."""
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv4 addresses as a network without IPv4 writes them."""
_INSIDE_ALL_THE_SAME = tuple(
    ipaddress.ip_network(network) for network in ("168.63.129.16/32", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20")
)
"""Of the open network by their numbers alone: where clouds answer their own machines, and what was never given out to anybody."""
_SUFFIXES = {kind.media_type: kind.suffixes[0] for kind in KINDS} | {
    "application/xhtml+xml": "html", "application/x-pdf": "pdf", "text/x-markdown": "md", "text/rtf": "rtf",
    "application/csv": "csv", "text/tab-separated-values": "tsv",
}  # fmt: skip
_SAYS_LITTLE = frozenset(
    "application/octet-stream binary/octet-stream application/force-download application/download application/x-download "
    "application/zip application/x-zip-compressed application/vnd.ms-excel text/plain".split()
)
"""Kinds that servers give to any file; the ending of its name says more."""
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
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if address in _TRANSLATED:
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
        if address not in _GIVEN_OUT:
            return False
    inside = any(address in network for network in _INSIDE_ALL_THE_SAME)
    return address.is_global and not address.is_multicast and not inside


def fetch(url: str, limit: int, seconds: float = SECONDS, allowed: Callable[[Address], bool] = is_public) -> Fetched:
    """
    The page at an address with http or https, of at most `limit` bytes, within so many seconds.

    Raises DeskError with what is in the way.
    """
    until = time.monotonic() + seconds
    url = url.strip()
    for _ in range(REDIRECTS + 1):
        place = _place(url)
        try:
            with _connected(place, until, allowed) as connection:
                connection.request("GET", place.path, headers=_HEADERS)
                answer = connection.getresponse()
                if answer.status in (301, 302, 303, 307, 308):
                    url = urljoin(url, answer.getheader("Location") or "")
                    continue
                if answer.status != 200:
                    raise DeskError(
                        "fetch_status", f"The server answered {answer.status} {answer.reason}.", status=answer.status
                    )
                content = _body(answer, limit)
                _left(until)  # a page without a length ends also where it is cut off
                return _kept(url, answer, content)
        except TimeoutError as error:
            raise _slow() from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            _left(until)  # cut off
            raise DeskError("fetch_failed", f"{place.host} gives no page ({type(error).__name__}).") from error
    raise DeskError("fetch_redirects", f"The address leads on more than {REDIRECTS} times.")


@dataclass(frozen=True, slots=True)
class _Place:
    """What an address names: the host as it is written and as it is asked for, the port, and the path with its query."""

    scheme: str
    host: str
    name: str
    port: int
    path: str


def _place(url: str) -> _Place:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
        name = host if re.fullmatch(r"[\d.]+|.*:.*", host) else host.encode("idna").decode("ascii")
        written = bool(name) and port in PORTS.values() and not parts.username and not re.search(r"[\s\\]", url)
    except (ValueError, UnicodeError):
        written = False
    if not written or parts.scheme not in PORTS:
        raise DeskError(
            "fetch_address",
            "This address is not fetched; it must begin with https:// or http://, without a password or a port of its own (such as :8080).",
        )
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return _Place(parts.scheme, host, name, port, f"{path}?{query}" if query else path)


@contextmanager
def _connected(place: _Place, until: float, allowed: Callable[[Address], bool]) -> Iterator[http.client.HTTPConnection]:
    """A connection to the very address that was looked at; it is cut off when the time is over, whatever still comes."""
    wire = _wire(_addresses(place, allowed), place.port, until)
    with wire.dup() as cut:  # of its own, because TLS takes the other one over

        def stop() -> None:
            with suppress(OSError):
                cut.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(_left(until), stop)
        timer.start()
        try:
            if place.scheme == "https":
                wire = ssl.create_default_context().wrap_socket(wire, server_hostname=place.name)
            connection = http.client.HTTPConnection(place.name, place.port)
            connection.default_port = PORTS[place.scheme]  # so that the Host header names no port
            connection.sock = wire
            yield connection
        finally:
            timer.cancel()
            wire.close()


def _addresses(place: _Place, allowed: Callable[[Address], bool]) -> list[str]:
    """All addresses of a host; refused when one of them is not allowed."""
    try:
        found = socket.getaddrinfo(place.name, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DeskError("fetch_failed", f"The name {place.host} is not known.") from error
    addresses = [str(entry[4][0]).split("%")[0] for entry in found]
    if not addresses or not all(allowed(ipaddress.ip_address(address)) for address in addresses):
        raise DeskError(
            "fetch_private",
            f"{place.host} is an address inside a network; only public pages are fetched.",
            host=place.host,
        )
    return addresses


def _wire(addresses: Sequence[str], port: int, until: float) -> socket.socket:
    """A connection to the first of the addresses that answers. Raises OSError."""
    for address in addresses[:-1]:
        with suppress(OSError):
            return socket.create_connection((address, port), timeout=_left(until) / len(addresses))
    return socket.create_connection((addresses[-1], port), timeout=_left(until))


def _body(answer: http.client.HTTPResponse, limit: int) -> bytes:
    """What an answer holds. Raises DeskError when it is too large, IncompleteRead when less came than was said."""
    length = answer.length  # None where the answer does not say it
    made = bytearray()
    while length is None or len(made) < length:
        if max(len(made), length or 0) > limit:
            raise too_large(limit)
        chunk = answer.read1(CHUNK)
        if not chunk:
            break
        made += chunk
    if len(made) > limit:
        raise too_large(limit)
    if length is not None and len(made) < length:
        raise http.client.IncompleteRead(bytes(made), length - len(made))
    return bytes(made)


def _kept(url: str, answer: http.client.HTTPResponse, content: bytes) -> Fetched:
    kind = answer.headers.get_content_type()
    parts = urlsplit(url)
    called = PurePosixPath(answer.headers.get_filename() or unquote(parts.path)).name
    ending = PurePosixPath(called).suffix.lower().lstrip(".")
    suffix = ending if kind in _SAYS_LITTLE and ending in FORMAT_OF_SUFFIX else _SUFFIXES.get(kind)
    if suffix is None:
        raise DeskError("fetch_kind", f"What is there is no document ({kind}).", kind=kind)
    if not content:
        raise DeskError("empty", "The file is empty. Check it at its source, then upload it again.")
    charset = answer.headers.get_content_charset("utf-8")
    other = charset != "utf-8" and is_for_texts(charset)  # one that there is not: the reader works it out
    if suffix == "html" and other and not _CHARSET.search(content[:4096]):
        content = content.decode(charset).encode("utf-8")  # only the answer said in what the page is written
    stem = PurePosixPath(called).stem if called else parts.hostname or ""
    return Fetched(url, safe_name(f"{stem}.{suffix}"), content)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise _slow()
    return left


def _slow() -> DeskError:
    return DeskError("fetch_slow", f"The page did not come within {SECONDS:g} seconds.", seconds=f"{SECONDS:g}")
