"""Attacks over HTTP/2 without TLS (A19), and the hygiene that holds there too."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset
from servers import Server

LENIENT = H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding="utf-8")


class Wire2:
    """One connection, which sends whatever it is told."""

    def __init__(self, server: Server) -> None:
        self.sock = server.connect()
        self.connection = H2Connection(LENIENT)
        self.connection.initiate_connection()
        self.flush()

    def flush(self) -> None:
        self.sock.sendall(self.connection.data_to_send())

    def ask(self, *headers: tuple[str, str], end: bool = True) -> int:
        stream = self.connection.get_next_available_stream_id()
        self.connection.send_headers(stream, list(headers), end_stream=end)
        return stream

    def answer(self) -> tuple[int, bytes]:
        """Status and body of the first stream that ends; 0 for one that was reset or refused."""
        self.flush()
        status, body = 0, b""
        while True:
            try:
                data = self.sock.recv(65_536)
            except (TimeoutError, ConnectionResetError):
                return 0, body
            if not data:
                return status, body
            for event in self.connection.receive_data(data):
                if isinstance(event, ResponseReceived):
                    status = int(dict(event.headers)[":status"])
                elif isinstance(event, DataReceived):
                    body += event.data
                elif isinstance(event, StreamEnded):
                    return status, body
                elif isinstance(event, StreamReset | ConnectionTerminated):
                    return 0, body
            self.flush()


@pytest.fixture
def wire(server: Server) -> Iterator[Wire2]:
    """An open connection."""
    opened = Wire2(server)
    yield opened
    opened.sock.close()


def get(path: str = "/d/ok", authority: str | None = "localhost", *more: tuple[str, str]) -> list[tuple[str, str]]:
    head = [(":method", "GET"), (":scheme", "http"), (":path", path)]
    if authority is not None:
        head.append((":authority", authority))
    return [*head, *more]


@pytest.fixture(params=["rsgi", "asgi"])
def server(request: pytest.FixtureRequest, serve: object) -> Server:
    """WSGI servers have no HTTP/2 worth the name; Granian's answers it with its own Host."""
    return serve(f"segue-{request.param}")  # type: ignore[operator, no-any-return]  # a fixture


def test_a_request_is_answered(wire: Wire2, colour: str) -> None:
    wire.ask(*get(f"/{colour}/ok"))

    assert wire.answer() == (200, b"ok")


@pytest.mark.parametrize(
    "head",
    [
        get(authority="evil.example"),
        get(authority="localhost@evil.example"),
        get(authority=None),
        get("/d/ok", "localhost", ("host", "evil.example")),
        [*get(authority=None), ("host", "evil.example")],
        get("/d/ok", "localhost", ("host", "localhost"), ("host", "localhost")),
        get("//d/ok"),
        get("/d/%00"),
        get("d/ok"),
        get("/d/ok", "localhost", ("x-a", "one\r\nx-b: two")),
        get("/d/ok", "localhost", ("x-a", "one\x00")),
        get("/d/ok", "localhost", ("transfer-encoding", "chunked")),
        get("/d/ok", "localhost", ("connection", "close")),
        get("/d/ok", "localhost", ("X-Upper", "a")),
        get("/d/ok", "localhost", ("x a", "b")),
        get("/d/ok", "localhost", (":late", "b")),
    ],
    ids=[f"A19-{number}" for number in range(16)],
)
def test_a_malformed_request_is_refused(server: Server, wire: Wire2, head: list[tuple[str, str]]) -> None:
    wire.ask(*head)

    status, body = wire.answer()

    assert status in (0, 400, 404)
    assert body != b"ok"
    assert server.get("/pid").json == {"pid": server.pid}


def test_an_authority_beside_a_host_is_refused_or_not_believed(wire: Wire2, colour: str) -> None:
    wire.ask(*get(f"/{colour}/echo", "evil.example", ("host", "localhost")))

    status, body = wire.answer()

    assert status in (0, 200, 400)
    assert b"evil" not in body


def test_headers_over_the_budget_are_refused(server: Server, wire: Wire2) -> None:
    wire.ask(*get("/d/echo", "localhost", *[(f"x-{number}", "a" * 1000) for number in range(90)]))

    status, _ = wire.answer()

    assert status in (0, 431)
    assert server.get("/pid").json == {"pid": server.pid}


def test_a_flood_of_resets_harms_nobody(server: Server, wire: Wire2) -> None:
    with contextlib.suppress(OSError):  # the server has had enough: so it should
        for _ in range(500):
            stream = wire.ask(*get("/a/sleep?seconds=1"))
            wire.connection.reset_stream(stream)
            wire.flush()

    assert server.get("/pid").json == {"pid": server.pid}


def test_a_flood_of_continuations_harms_nobody(server: Server) -> None:
    before = server.look()["rss"]
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as sock:
        sock.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9)[:3] + b"\x04\x00" + bytes(4))
        sock.sendall(b"\x00\x00\x01\x01\x00\x00\x00\x00\x01\x82")
        with contextlib.suppress(OSError):  # cut off
            for _ in range(2_000):
                sock.sendall(b"\x00\x20\x00\x09\x00\x00\x00\x00\x01" + b"\x00\x01a\x01b" * 1638 + b"\x00\x00")

    assert server.look()["rss"] - before < 32_000_000
    assert server.get("/pid").json == {"pid": server.pid}
