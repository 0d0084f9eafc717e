"""Attacks on error pages, logs and streams (P): nothing leaks, nothing is written twice."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable

import pytest
from servers import Server
from verdicts import assert_discreet
from wire import request

HEADERS = ("x-content-type-options", "referrer-policy", "cross-origin-opener-policy", "x-frame-options",
           "cross-origin-resource-policy", "content-security-policy")  # fmt: skip
ACCEPTS = ["text/html", "application/json", "*/*"]


@pytest.mark.parametrize("kind", ["plain", "quarrelsome", "recursion"], ids=lambda kind: f"P03-P06-{kind}")
@pytest.mark.parametrize("accept", ACCEPTS)
def test_an_error_of_ours_shows_nothing(server: Server, colour: str, kind: str, accept: str) -> None:
    reply = server.get(f"/{colour}/bug?kind={kind}", f"Accept: {accept}")

    assert reply.status == 500
    assert len(reply.body) < 2000
    assert "Server Error" in reply.text
    assert_discreet(reply)


def test_an_error_of_megabytes_is_answered_and_logged_in_kilobytes(server: Server, colour: str) -> None:
    mark = server.mark()  # P06

    reply = server.get(f"/{colour}/bug?kind=huge")
    log = server.wait_for_log(mark, "kind=huge")

    assert reply.status == 500
    assert len(reply.body) < 2000
    assert len(log) < 100_000


def test_an_error_is_logged_with_its_place(server: Server, colour: str) -> None:
    mark = server.mark()

    server.get(f"/{colour}/bug")
    log = server.wait_for_log(mark, "RuntimeError: bug with")

    assert "RuntimeError: bug with" in log
    assert "in raise_by_kind" in log


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nowhere/%3Cscript%3Ealert(1)%3C/script%3E", 404),
        ("/d/ok/", 404),
        ("/d/items/x", 404),
        ("/a%0ab", 400),
        ("/d/go", 422),
    ],
)
@pytest.mark.parametrize("accept", ACCEPTS)
def test_an_error_page_repeats_nothing_of_the_request(server: Server, path: str, status: int, accept: str) -> None:
    reply = server.get(f"{path}?marker=%3Cb%3Emarker%3C/b%3E", f"Accept: {accept}", "User-Agent: marker")  # J11

    assert reply.status == status
    assert b"marker" not in reply.body
    assert b"<script>" not in reply.body
    assert_discreet(reply)


@pytest.mark.parametrize(
    "path",
    ["/d/ok", "/a/echo", "/nowhere", "/d/bug", "/slash", "/static/app.css", "/d/ok@HEAD", "/any@OPTIONS", "/d/stream",
     "/d/search?page=x", "/a%00", "/d/ok@TRACE", "/any@BREW"],
)  # fmt: skip
def test_every_response_carries_the_constant_headers(server: Server, path: str) -> None:
    target, _, method = path.partition("@")  # J13

    reply = server.one(request(method or "GET", target), head=method == "HEAD")

    assert [name for name in HEADERS if reply[name] is None] == []
    assert [name for name in HEADERS if len(reply.all(name)) > 1] == []


@pytest.mark.parametrize("path", ["/d/ok", "/nowhere", "/d/bug", "/static/app.css"])
def test_no_header_tells_a_version(server: Server, path: str) -> None:
    reply = server.get(path)  # P08

    assert not any(character.isdigit() for character in reply["server"] or "")
    assert reply["x-powered-by"] is None


INJECTIONS = {
    "path": request("GET", "/nowhere%0d%0aFAKE-LINE%20200"),
    "path-escape": request("GET", "/nowhere%1b[31mFAKE"),
    "path-separator": request("GET", "/nowhere%E2%80%A8FAKE-LINE"),
    "path-bidi": request("GET", "/nowhere%E2%80%AEFAKE"),
    "path-format": request("GET", "/nowhere%25s%25d%25(x)s"),
    "query": request("GET", "/nowhere?a=%0aFAKE-LINE"),
    "user-agent": request("GET", "/d/bug", "User-Agent: a\x1b[31mFAKE"),
    "nul": request("GET", "/nowhere%00FAKE"),
    "c1": request("GET", "/nowhere%C2%9BFAKE"),
    "method": request("FAKE%0aLINE", "/nowhere"),
    "host": request("GET", "/nowhere", host="a%0aFAKE-LINE"),
}


@pytest.mark.parametrize("data", INJECTIONS.values(), ids=[f"P04-{name}" for name in INJECTIONS])
def test_a_request_cannot_write_a_line_of_the_log(server: Server, data: bytes) -> None:
    mark = server.mark()

    server.send(data)
    server.get("/pid?after")
    log = server.wait_for_log(mark, "/pid?after")

    assert not [line for line in log.splitlines() if line.startswith("FAKE")]
    assert not [character for character in log if character in "\x1b\x00\x9b\u2028\u202e\r"]


def test_one_request_is_one_line_of_the_log(server: Server, colour: str) -> None:
    mark = server.mark()  # P04

    server.get(f"/{colour}/echo?a=1%0a2")
    server.get("/pid?after")
    log = server.wait_for_log(mark, "/pid?after")

    assert log.count("/echo") == 1


def test_secrets_of_a_query_are_masked_in_the_log(server: Server, colour: str) -> None:
    mark = server.mark()  # P05

    server.get(
        f"/{colour}/echo?api_key=s3cr3t-1&password=s3cr3t-2&page=7",
        "Authorization: Bearer s3cr3t-3",
        "Cookie: session=s3cr3t-4",
    )
    log = server.wait_for_log(mark, "page=7")

    assert "page=7" in log
    assert "s3cr3t" not in log


@pytest.mark.parametrize(
    "path", ["/__debugger__", "/console", "/_debug", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/debug/default"]
)
def test_there_is_no_console(server: Server, path: str) -> None:
    assert server.get(path).status == 404  # P01


def test_a_stream_that_fails_is_seen_to_be_broken(
    server: Server, colour: str, impossible: Callable[[str], None]
) -> None:
    impossible("P09")

    reply = server.one(request("GET", f"/{colour}/broken"))

    assert reply.status == 200
    assert not reply.whole


def test_a_stream_that_fails_shows_nothing(server: Server, colour: str) -> None:
    mark = server.mark()

    reply = server.one(request("GET", f"/{colour}/broken"))

    assert reply.body == b"first"
    assert "broken with hunter2" in server.wait_for_log(mark, "broken with hunter2")
    assert_discreet(reply)


def test_a_stream_arrives_whole(server: Server, colour: str) -> None:
    reply = server.get(f"/{colour}/stream?chunks=50&size=1000")

    assert reply.whole
    assert reply.body == b"x" * 50_000


@pytest.mark.parametrize("close", ["fin", "reset"])
def test_a_client_that_leaves_ends_the_stream_it_was_sent(server: Server, colour: str, close: str) -> None:
    before = server.look()["events"]  # X11
    mark = server.mark()

    sock = server.connect()
    sock.sendall(request("GET", f"/{colour}/endless"))
    sock.recv(1000)
    if close == "reset":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    sock.close()
    events = _after(server, "closed", before["closed"])

    assert events["closed"] == before["closed"] + 1
    assert "Traceback" not in server.logged(mark)


def _after(server: Server, name: str, count: int) -> dict[str, int]:
    """The worker's events, once *name* happened more often than *count*."""
    for _ in range(1000):
        events: dict[str, int] = server.look()["events"]
        if events[name] > count:
            break
    return events


def test_a_client_that_leaves_cancels_an_async_read(server: Server, impossible: Callable[[str], None]) -> None:
    impossible("X11")
    before = server.look()["events"]

    with server.connect() as sock:
        sock.sendall(request("GET", "/a/sleep?seconds=8"))
        _after(server, "started", before["started"])
    events = _after(server, "cancelled", before["cancelled"])

    assert events["cancelled"] == before["cancelled"] + 1


def test_half_a_request_harms_nobody(server: Server) -> None:
    data = request("POST", "/d/json", "Content-Type: application/json", body=b'{"a": 1}')

    for end in range(0, len(data), 7):
        with contextlib.suppress(OSError), server.connect() as sock:
            sock.sendall(data[:end])

    assert server.get("/d/ok").body == b"ok"
