"""The load: HTTP/1.1 with keep-alive over raw sockets, and a client for one request.

One request is in flight on each connection (no pipelining), and there are enough
connections that the server always finds the next one waiting. The loop does as little
as it can, so that one core of load keeps one core of server busy. Linux only.
"""

from __future__ import annotations

import re
import select
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter

__all__ = ["Answer", "Load", "LoadError", "Tally", "build_request", "fetch"]

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_BODILESS = frozenset({b"204", b"304"})
_CHUNK_BYTES = 262_144


class LoadError(RuntimeError):
    """The server answered what no measurement can be made of, or not at all."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response, taken apart; header names in lower case, the last of a name wins."""

    status: int
    headers: dict[str, str]
    body: bytes

    def __str__(self) -> str:
        return f"{self.status} {self.headers.get('content-type', '-')} {self.body[:200]!r}"


@dataclass(slots=True)
class Tally:
    """What one run of a load did."""

    requests: int = 0
    seconds: float = 0.0
    statuses: Counter[bytes] = field(default_factory=Counter[bytes])

    @property
    def per_second(self) -> float:
        """Requests answered in a second of wall-clock time."""
        return self.requests / self.seconds if self.seconds else 0.0


def build_request(
    method: str,
    target: str,
    *,
    port: int,
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    host: str | None = None,
) -> bytes:
    """Return the bytes of a request as a browser-like client sends it.

    Args:
        target: Path and query, already encoded.
        host: The `Host` header; the loopback address with *port* where `None`.
    """
    lines = [
        f"{method} {target} HTTP/1.1",
        f"Host: {host or f'127.0.0.1:{port}'}",
        "User-Agent: segue-load/1",
        "Accept: */*",
    ]
    lines += [f"{name}: {value}" for name, value in headers]
    if body or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def fetch(request: bytes, *, port: int, timeout_seconds: float = 10.0) -> Answer:
    """Send one request on a connection of its own and return the answer.

    Raises:
        OSError: Nobody listens, or the connection broke.
        LoadError: The connection ended before the answer did.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_seconds) as connection:
        connection.sendall(request)
        buffer = b""
        while (end := answer_end(buffer)) is None:
            data = connection.recv(_CHUNK_BYTES)
            if not data:
                raise LoadError(f"The answer to {request[:60]!r} ended early: {buffer[:200]!r}")
            buffer += data
    return _take_apart(buffer[:end])


def answer_end(buffer: bytes) -> int | None:
    """Return where the response at the start of *buffer* ends, or `None` if it is not all there."""
    head_end = buffer.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    start = head_end + 4
    if buffer[9:12] in _BODILESS:
        return start
    length = _LENGTH.search(buffer, 0, start)
    if length is not None:
        end = start + int(length[1])
        return end if len(buffer) >= end else None
    if _CHUNKED.search(buffer, 0, start) is not None:
        return _chunks_end(buffer, start)
    raise LoadError(f"An answer that does not say where it ends: {buffer[:200]!r}")


def _chunks_end(buffer: bytes, start: int) -> int | None:
    while True:
        line_end = buffer.find(b"\r\n", start)
        if line_end < 0:
            return None
        size = int(buffer[start:line_end].split(b";")[0], 16)
        start = line_end + 2 + size + 2
        if len(buffer) < start:
            return None
        if size == 0:
            return start


def _take_apart(whole: bytes) -> Answer:
    head, _, body = whole.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    if "chunked" in headers.get("transfer-encoding", ""):
        body = _join_chunks(body)
    return Answer(int(lines[0].split(" ", 2)[1]), headers, body)


def _join_chunks(body: bytes) -> bytes:
    joined, start = b"", 0
    while True:
        line_end = body.index(b"\r\n", start)
        size = int(body[start:line_end].split(b";")[0], 16)
        if size == 0:
            return joined
        joined += body[line_end + 2 : line_end + 2 + size]
        start = line_end + 2 + size + 2


class Load:
    """Keep-alive connections to one server that can be driven again and again.

    Args:
        port: On the loopback address.
        requests: Whole requests, one after the other; must not run out.
        connections: How many requests are in flight at once.
        accept: The statuses a run may see; another one ends it.
    """

    def __init__(
        self,
        port: int,
        requests: Iterator[bytes],
        *,
        connections: int = 64,
        accept: frozenset[bytes] = frozenset({b"200"}),
    ) -> None:
        self._port = port
        self._requests = requests
        self._accept = accept
        self._usual = -1
        self._start = b"HTTP/1.1 200"
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._partial: dict[int, bytes] = {}
        for _ in range(connections):
            self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self._port), timeout=30)
        connection.settimeout(None)  # PERF: a socket with a timeout asks the kernel once more each time
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets[connection.fileno()] = connection
        self._poll.register(connection.fileno(), select.EPOLLIN)
        return connection

    def _drop(self, number: int) -> None:
        self._poll.unregister(number)
        self._partial.pop(number, None)
        self._sockets.pop(number).close()

    def _renew(self) -> None:
        """Replace the connections that the server closed because nothing came for a while."""
        for number, _ in self._poll.poll(0):
            self._drop(number)
            self._connect()

    def close(self) -> None:
        """Close every connection."""
        for number in list(self._sockets):
            self._drop(number)
        self._poll.close()

    def run(self, *, seconds: float | None = None, requests: int | None = None) -> Tally:
        """Send until so many seconds have passed or so many requests were sent; then await the rest.

        Raises:
            LoadError: A status that is not accepted, or a server that stopped answering.
        """
        tally = Tally()
        begin = perf_counter()
        deadline = begin + seconds if seconds is not None else float("inf")
        left = requests if requests is not None else 1 << 62
        waiting = 0
        self._renew()
        for connection in list(self._sockets.values())[: min(left, len(self._sockets))]:
            connection.sendall(next(self._requests))
            left -= 1
            waiting += 1
        # PERF: local names and one comparison for the usual answer; every microsecond
        # here is one that the server would stand idle.
        poll, sockets, requests_ahead, usual, start = (
            self._poll.poll,
            self._sockets,
            self._requests,
            self._usual,
            self._start,
        )
        answered = usual_answers = 0
        while waiting:
            events = poll(15)
            if not events:
                raise LoadError(f"No answer in 15 s; {waiting} requests wait.")
            if left and perf_counter() >= deadline:
                left = 0
            for number, _ in events:
                connection = sockets[number]
                data = connection.recv(_CHUNK_BYTES)
                if len(data) == usual and data.startswith(start):
                    usual_answers += 1
                else:
                    outcome = self._take(number, data, tally)
                    if outcome is None:
                        continue
                    connection = outcome
                    usual = self._usual
                answered += 1
                if left:
                    left -= 1
                    connection.send(next(requests_ahead))
                else:
                    waiting -= 1
        tally.requests = answered
        tally.seconds = perf_counter() - begin
        if usual_answers:
            tally.statuses[b"200"] += usual_answers
        return tally

    def _take(self, number: int, data: bytes, tally: Tally) -> socket.socket | None:
        """Take in bytes that are not the usual answer; return the connection once it is free again."""
        if not data:
            raise LoadError("The server closed a connection whose request it had not answered.")
        buffer = self._partial.pop(number, b"") + data
        end = answer_end(buffer)
        if end is None:
            self._partial[number] = buffer
            return None
        if end != len(buffer):
            raise LoadError(f"More bytes than the answer has: {buffer[end : end + 80]!r}")
        status = buffer[9:12]
        if status not in self._accept:
            raise LoadError(f"The server answered {buffer[:300]!r}")
        tally.statuses[status] += 1
        if _CLOSE.search(buffer, 0, buffer.find(b"\r\n\r\n") + 4) is not None:
            self._drop(number)
            return self._connect()
        if status == b"200" and data is buffer:
            self._usual = end
        return self._sockets[number]
