"""
What a client may keep of the server before it has asked anything: time and connections.

uvicorn waits for ever for the rest of a request, and takes every connection there is. Here a request must come within a
time, its body at some speed, and an answer must be taken off; there is a cap for each client and for all. Who is at a cap
and asks for one more loses the connection that has waited longest for its request, so that half-sent ones, however many,
never keep a whole one out. What uvicorn does otherwise stays as it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
from collections import Counter
from typing import Literal

import h11
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware
from uvicorn.protocols.http.h11_impl import H11Protocol

from clusterqa.addresses import neighbourhood
from clusterqa.settings import Settings

log = logging.getLogger(__name__)

SWEEP_SECONDS = 0.5
HEAD_SECONDS = 10.0
"""For the first bytes of a connection to become a whole head of a request, or those of a further request."""
BODY_SECONDS = 20.0
BODY_RATE = 1000
"""A body has BODY_SECONDS, and a second more for each of these bytes that came: a slow line passes, a dripping one does not."""
TAKE_SECONDS = 60.0
"""For a client to take off something of an answer that it does not read."""
KEEP_SECONDS = 5
"""An idle connection is kept so long for a further request."""
ACCEPTED_AT_ONCE = 4
"""asyncio accepts so many connections in one turn of its loop, and knows of them a few turns later."""
QUEUED = 1024
"""New connections that the system keeps in line meanwhile."""
RESERVED = 64
"""Descriptors that stay free for files, the databases, the libraries, and connections just accepted."""

_BUSY_BODY = (
    b'{"type":"about:blank","title":"Service Unavailable","status":503,'
    b'"detail":"Too many connections are open. Try again in a few seconds."}'
)
_BUSY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_BUSY_BODY), _BUSY_BODY)
)
State = Literal["head", "body", "us", "taking", "closing", "nothing"]
"""What a connection waits for; "us" is our answer, "nothing" a further request that need not come."""


class Connections:
    """All connections of one server, and what they may. Belongs to one event loop."""

    def __init__(self, settings: Settings, descriptors: int | None = None) -> None:
        room = max(8, (descriptors or _descriptors()) - _open_now() - RESERVED)
        self.most = min(settings.max_connections, room)
        self.most_of_one = min(settings.max_connections_per_client, max(4, self.most * 3 // 4))
        self._proxies = ProxyHeadersMiddleware(None, settings.proxy).trusted_hosts  # type: ignore[arg-type]
        self._open: dict[Patient, str] = {}  # oldest first
        self._count: Counter[str] = Counter()
        self._sweeping = False

    def admit(self, connection: Patient, address: str) -> bool:
        """Keep a new connection, at the cost of one that waits for its request if it must be; False when there is none."""
        client = "" if not address or address in self._proxies else neighbourhood(address)
        full_for_client = client and self._count[client] >= self.most_of_one
        if (full_for_client and not self._give_way(client)) or (len(self._open) >= self.most and not self._give_way()):
            log.warning("connection refused", extra={"reason": "there are too many, and all wait for answers"})
            return False
        self._open[connection] = client
        self._count[client] += 1
        if not self._sweeping:
            self._sweeping = True
            connection.loop.call_later(SWEEP_SECONDS, self._sweep, connection.loop)
        return True

    def forget(self, connection: Patient) -> None:
        client = self._open.pop(connection, None)
        if client is not None:
            self._count[client] -= 1
            if not self._count[client]:
                del self._count[client]

    def _give_way(self, client: str | None = None) -> bool:
        """Cut the oldest of a client's connections that wait for it, or of whoever has most such; False without any."""
        waiting = [connection for connection in self._open if connection.waits_for_its_client]
        if client is None and waiting:
            client = Counter(self._open[connection] for connection in waiting).most_common(1)[0][0]
        for connection in waiting:
            if self._open[connection] == client:
                self._cut(connection, "gave way to another")
                return True
        return False

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Cut what is overdue, every now and then while there is a connection."""
        for connection in list(self._open):
            if (reason := connection.overdue()) is not None:
                self._cut(connection, reason)
        self._sweeping = bool(self._open)
        if self._sweeping:
            loop.call_later(SWEEP_SECONDS, self._sweep, loop)

    def _cut(self, connection: Patient, reason: str) -> None:
        log.warning("connection cut off", extra={"reason": reason})
        self.forget(connection)
        connection.transport.abort()


class Patient(H11Protocol):
    """One connection. Times are those of the event loop."""

    rules: Connections

    _state: State = "head"
    _since = 0.0
    """When it came into this state, by the clock of the event loop."""
    _came = 0
    """Bytes that came since then."""
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._since = self.loop.time()
        self.transport = transport
        peer = transport.get_extra_info("peername")
        if not self.rules.admit(self, str(peer[0]) if isinstance(peer, tuple) else ""):
            self._refused = True
            transport.write(_BUSY)
            transport.close()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.rules.forget(self)
        if not self._refused:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        self._came += len(data)
        super().data_received(data)
        self._look()

    def send_400_response(self, msg: str) -> None:
        """What cannot be read ends the connection; an answer to what came before it would find it ended."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:  # the middle of an answer is no place for another
            self.transport.close()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look(afresh=True)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look(afresh=True)

    def _look(self, afresh: bool = False) -> None:
        """Begin to count the time anew where the connection waits for something else than before."""
        state = self._now()
        if afresh or state != self._state:
            self._state, self._since, self._came = state, self.loop.time(), 0

    def _now(self) -> State:
        if self.transport.is_closing():
            return "closing"
        if self.cycle is None or self.cycle.response_complete:
            return "head" if self.timeout_keep_alive_task is None else "nothing"
        if self.flow.write_paused:
            return "taking"
        if self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused:
            return "body"
        return "us"

    @property
    def waits_for_its_client(self) -> bool:
        """Whether no answer is lost with it."""
        return self._now() in ("head", "body", "nothing")

    def overdue(self) -> str | None:
        """What it did not do in time; None while it may go on."""
        self._look()
        passed = self.loop.time() - self._since
        if self._state == "head" and passed > HEAD_SECONDS:
            return "did not send the head of a request in time"
        if self._state == "body" and passed > BODY_SECONDS + self._came / BODY_RATE:
            return "did not send the body of a request in time"
        if self._state in ("taking", "closing") and passed > TAKE_SECONDS:
            return "did not take an answer in time"
        return None


class Server(uvicorn.Server):
    """uvicorn's server, whose queue of new connections is long although few are accepted at once."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for listener in server.sockets:
                with socket.socket(fileno=os.dup(listener.fileno())) as own:
                    own.listen(QUEUED)


def protocol(settings: Settings) -> type[Patient]:
    """The class of connections for uvicorn's setting `http`, with rules of their own."""
    return type("PatientConnection", (Patient,), {"rules": Connections(settings)})


def _descriptors() -> int:
    """How many files this process may have open, once it has asked for as many as it may ask for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return 65_536 if soft == resource.RLIM_INFINITY else soft


def _open_now() -> int:
    """How many are open already."""
    with contextlib.suppress(OSError):
        return len(os.listdir("/proc/self/fd"))
    return 16
