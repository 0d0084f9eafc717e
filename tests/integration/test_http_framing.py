"""Attacks on HTTP framing and the request line (A): raw bytes at a real server."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from servers import Server
from verdicts import assert_discreet
from wire import chunked, request

GRACE = 0.3


def post(path: str, *headers: str | bytes, body: bytes = b"", **options: object) -> bytes:
    return request("POST", path, *headers, body=body, length=False, **options)  # type: ignore[arg-type]


SMUGGLED = b"GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n"
TWO_LENGTHS = {
    "te-first": (b"Transfer-Encoding: chunked", b"Content-Length: %d"),
    "cl-first": (b"Content-Length: %d", b"Transfer-Encoding: chunked"),
    "te-upper": (b"Content-Length: %d", b"TRANSFER-ENCODING: CHUNKED"),
}


@pytest.mark.parametrize("order", TWO_LENGTHS, ids=[f"A01-{name}" for name in TWO_LENGTHS])
def test_a_body_with_two_lengths_gets_one_response(server: Server, colour: str, order: str) -> None:
    body = chunked(b'{"a":1}') + SMUGGLED
    headers = [line % len(body) if b"%d" in line else line for line in TWO_LENGTHS[order]]

    replies = server.send(
        post(f"/{colour}/json", "Content-Type: application/json", *headers, body=body, close=False), grace_seconds=GRACE
    )

    assert len(replies) == 1
    assert replies[0].status in (400, 411, 200)
    assert replies[0]["connection"] == "close"
    assert b"pid" not in replies[0].body


BAD_LENGTHS = {
    "different": ["Content-Length: 3", "Content-Length: 4"],
    "list": ["Content-Length: 3, 4"],
    "negative": ["Content-Length: -3"],
    "plus": ["Content-Length: +3"],
    "hex": ["Content-Length: 0x3"],
    "float": ["Content-Length: 3.0"],
    "exponent": ["Content-Length: 3e0"],
    "underscore": ["Content-Length: 0_3"],
    "space-inside": ["Content-Length: 1 3"],
    "word": ["Content-Length: three"],
    "fullwidth": ["Content-Length: \uff13".encode()],
    "superscript": [b"Content-Length: \xb3"],
    "huge": ["Content-Length: " + "9" * 30],
    "nul": [b"Content-Length: 3\x00"],
    "name-with-space": ["Content-Length : 3"],
}


@pytest.mark.parametrize("lines", BAD_LENGTHS.values(), ids=[f"A02-{name}" for name in BAD_LENGTHS])
def test_a_malformed_length_is_refused(server: Server, colour: str, lines: list[str | bytes]) -> None:
    reply = server.one(post(f"/{colour}/body", *lines, body=b"abc"))

    assert reply.status in (400, 413)
    assert b"size" not in reply.body
    assert_discreet(reply)


BAD_CODINGS = {
    "space-before-colon": ["Transfer-Encoding : chunked"],
    "unknown": ["Transfer-Encoding: xchunked"],
    "vertical-tab": ["Transfer-Encoding: \x0bchunked"],
    "not-last": ["Transfer-Encoding: chunked, identity"],
    "identity": ["Transfer-Encoding: identity"],
    "gzip": ["Transfer-Encoding: gzip"],
    "nul": [b"Transfer-Encoding: chunked\x00"],
    "quoted": ['Transfer-Encoding: "chunked"'],
    "two-fields": ["Transfer-Encoding: chunked", "Transfer-Encoding: cow"],
    "folded": ["Transfer-Encoding:\r\n chunked"],
    "bare-cr": [b"Transfer-Encoding: chunked\rX: y"],
}


@pytest.mark.parametrize("lines", BAD_CODINGS.values(), ids=[f"A03-{name}" for name in BAD_CODINGS])
def test_an_obfuscated_transfer_encoding_is_refused(server: Server, colour: str, lines: list[str | bytes]) -> None:
    data = post(f"/{colour}/body", "Content-Length: 3", *lines, body=chunked(b"abc") + SMUGGLED)

    replies = server.send(data)

    assert len(replies) == 1
    assert replies[0].status in (400, 411, 501)
    assert b"pid" not in replies[0].body


BAD_CHUNKS = {
    "negative": b"-5\r\nabcde\r\n0\r\n\r\n",
    "hex-prefix": b"0x5\r\nabcde\r\n0\r\n\r\n",
    "plus": b"+5\r\nabcde\r\n0\r\n\r\n",
    "unicode-digit": "\uff15\r\nabcde\r\n0\r\n\r\n".encode(),
    "twenty-digits": b"F" * 20 + b"\r\nabcde\r\n0\r\n\r\n",
    "underscore": b"0_5\r\nabcde\r\n0\r\n\r\n",
    "no-size": b"\r\nabcde\r\n0\r\n\r\n",
    "word": b"five\r\nabcde\r\n0\r\n\r\n",
    "longer-than-size": b"2\r\nabcde\r\n0\r\n\r\n",
    "bare-lf": b"5\nabcde\n0\n\n",
    "extension-with-cr": b"5;a\rb\r\nabcde\r\n0\r\n\r\n",
    "endless-extension": b"5;" + b"a" * 40_000 + b"\r\nabcde\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("chunks", BAD_CHUNKS.values(), ids=[f"A04-{name}" for name in BAD_CHUNKS])
@pytest.mark.parametrize("route", ["json", "read", "form"])
def test_a_malformed_chunk_is_a_bad_request(server: Server, colour: str, route: str, chunks: bytes) -> None:
    kind = {"json": "application/json", "read": "text/plain", "form": "multipart/form-data; boundary=b"}[route]

    reply = server.one(post(f"/{colour}/{route}", f"Content-Type: {kind}", "Transfer-Encoding: chunked", body=chunks))

    assert reply.status in (400, 411)
    assert_discreet(reply)


HOSTS = {
    "two": ["Host: localhost", "Host: localhost"],
    "two-different": ["Host: localhost", "Host: evil.example"],
    "list": ["Host: localhost, evil.example"],
    "missing": [],
    "empty": ["Host: "],
    "path": ["Host: localhost/?x="],
    "userinfo": ["Host: localhost@evil.example"],
    "userinfo-reversed": ["Host: evil.example@localhost"],
    "password": ["Host: a:b@localhost"],
    "fragment": ["Host: localhost#evil"],
    "query": ["Host: localhost?evil"],
    "space": ["Host: local host"],
    "tab": ["Host: local\thost"],
    "open-bracket": ["Host: [::1"],
    "bracketed-name": ["Host: [localhost]"],
    "port-too-large": ["Host: localhost:99999"],
    "port-word": ["Host: localhost:http"],
    "port-negative": ["Host: localhost:-1"],
    "two-ports": ["Host: localhost:80:80"],
    "backslash": ["Host: localhost\\evil.example"],
    "percent": ["Host: local%68ost"],
    "quote": ['Host: localhost"'],
    "wildcard": ["Host: *"],
    "dot": ["Host: ."],
    "leading-dot": ["Host: .example.com"],
    "double-dot": ["Host: a..example.com"],
    "latin-1": [b"Host: localh\xf6st"],
    "utf-8": ["Host: localh\u00f6st".encode()],
    "long": ["Host: " + "a" * 300 + ".example.com"],
    "long-label": ["Host: " + "a" * 64 + ".example.com"],
    "scheme": ["Host: http://localhost"],
    "underscore-name": ["Host: localhost", "H_ost: evil.example", "Host_: evil"],
}


@pytest.mark.parametrize(
    "lines",
    [lines for name, lines in HOSTS.items() if name != "underscore-name"],
    ids=[f"A05-A06-{name}" for name in HOSTS if name != "underscore-name"],
)
@pytest.mark.parametrize("path", ["/d/ok", "/nowhere"], ids=["route", "404"])
def test_a_request_without_exactly_one_good_host_is_refused(
    server: Server, path: str, lines: list[str | bytes]
) -> None:
    reply = server.one(request("GET", path, *lines, host=None))

    assert reply.status == 400
    assert b"evil" not in reply.body
    assert_discreet(reply)


@pytest.mark.parametrize(
    "target",
    ["@evil.example", "evil.example", "ok", "?x=1", "*", "a:b", "javascript:alert(1)", "\\\\evil.example", "#/d/ok"],
    ids=lambda target: f"A07-{target}",
)
def test_a_target_without_a_slash_is_refused(server: Server, target: str) -> None:
    replies = server.send(request("GET", target))

    assert all(reply.status in (400, 404, 405) for reply in replies)
    assert len(replies) <= 1


@pytest.mark.parametrize(
    ("target", "host"),
    [
        ("http://evil.example/{colour}/echo", "localhost"),
        ("http://localhost@evil.example/{colour}/echo", "localhost"),
        ("http://evil.example:80/{colour}/echo", "localhost"),
        ("https://evil.example/{colour}/echo", "localhost"),
        ("http://localhost.evil.example/{colour}/echo", "localhost"),
        ("http://localhost/{colour}/echo", "evil.example"),
    ],
    ids=["A08-other", "A08-userinfo", "A08-port", "A08-https", "A08-suffix", "A08-host"],
)
def test_an_absolute_target_never_names_another_host(server: Server, colour: str, target: str, host: str) -> None:
    reply = server.one(request("GET", target.format(colour=colour), host=host))

    assert reply.status == 400 or b"evil" not in reply.body


METHODS = ["get", "Get", "dispatch", "as_view", "__class__", "setup", "CONNECT", "TRACE", "TRACK", "PROPFIND", "FOO"]


@pytest.mark.parametrize("method", METHODS, ids=[f"A09-{method}" for method in METHODS])
@pytest.mark.parametrize("path", ["/any", "/nowhere"])
def test_an_unknown_method_is_refused(server: Server, path: str, method: str) -> None:
    replies = server.send(request(method, path))

    assert len(replies) == 1
    assert replies[0].status in (400, 404, 405, 501)
    assert replies[0].body != b"ok"
    assert b'"method"' not in replies[0].body


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"], ids=["A10-HEAD", "A10-OPTIONS"])
@pytest.mark.parametrize("path", ["/private", "/private/area/"])
def test_a_guard_holds_for_every_method(server: Server, method: str, path: str) -> None:
    guarded = server.get(path)

    reply = server.one(request(method, path), head=method == "HEAD")

    assert guarded.status == 403
    assert reply.status == (403 if method == "HEAD" else reply.status)
    assert reply.body == b""


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        ("/any?_method=DELETE", []),
        ("/any", ["X-HTTP-Method-Override: DELETE"]),
        ("/any", ["X-Method-Override: DELETE"]),
        ("/any", ["X-HTTP-Method: DELETE"]),
    ],
    ids=["A11-query", "A11-override", "A11-method-override", "A11-method"],
)
def test_the_method_is_the_one_of_the_request_line(server: Server, path: str, lines: list[str]) -> None:
    body = b"_method=DELETE"

    reply = server.one(request("POST", path, *lines, "Content-Type: application/x-www-form-urlencoded", body=body))

    assert reply.json == {"method": "POST"}


UNDERSCORES = ["X_Remote_User: admin", "X_Forwarded_For: 6.6.6.6", "Remote_User: admin", "X-Remote_User: admin"]


@pytest.mark.parametrize("line", UNDERSCORES, ids=[f"A12-{line.partition(':')[0]}" for line in UNDERSCORES])
def test_a_header_with_an_underscore_is_not_seen(
    server: Server, colour: str, line: str, impossible: Callable[[str], None]
) -> None:
    impossible("A12")

    reply = server.get(f"/{colour}/echo", line)

    assert reply.status == 200
    assert not [name for name, _ in reply.json["headers"] if "remote" in name or "forwarded" in name]


def test_an_underscore_header_does_not_join_the_real_one(
    server: Server, colour: str, impossible: Callable[[str], None]
) -> None:
    impossible("A12")

    reply = server.get(f"/{colour}/echo", "X-Remote-User: alice", "X_Remote_User: admin")

    assert "admin" not in reply.text


def test_a_header_repeated_ninety_times_is_joined_once(server: Server, colour: str) -> None:
    lines = [f"X-Many: {'v' * 600}"] * 90  # A13

    reply = server.get(f"/{colour}/echo", *lines)

    assert reply.status in (200, 431)
    assert_discreet(reply)


BAD_FIELDS = {
    "folded": b"X-A: one\r\n two",
    "nul": b"X-A: o\x00ne",
    "bare-cr": b"X-A: one\rX-B: two",
    "no-colon": b"X-A one",
    "empty-name": b": one",
    "space-in-name": b"X A: one",
    "space-before-colon": b"X-A : one",
    "control-in-name": b"X-\x01A: one",
    "control-in-value": b"X-A: \x01",
    "non-ascii-name": b"X-\xe9: one",
    "bracket-name": b"X[A]: one",
}


@pytest.mark.parametrize("line", BAD_FIELDS.values(), ids=[f"A14-{name}" for name in BAD_FIELDS])
def test_a_malformed_header_field_is_refused(server: Server, colour: str, line: bytes) -> None:
    reply = server.one(request("GET", f"/{colour}/echo", line))

    assert reply.status == 400


@pytest.mark.parametrize(
    "lines",
    [
        [f"X-{number}: a" for number in range(200)],
        ["X-Big: " + "a" * 500_000],
        [f"X-{number}: {'a' * 1000}" for number in range(90)],
        ["Cookie: " + "; ".join(f"c{number}=1" for number in range(2000))],
    ],
    ids=["A15-200-fields", "A15-500-kb-field", "A15-90-kb-in-90", "A15-2000-cookies"],
)
def test_headers_over_the_budget_are_refused(server: Server, colour: str, lines: list[str]) -> None:
    replies = server.send(request("GET", f"/{colour}/echo", *lines))

    assert len(replies) <= 1
    assert all(reply.status == 431 for reply in replies)


@pytest.mark.parametrize(
    "target",
    [
        "/{colour}/search?q=" + "a" * 100_000,
        "/{colour}/search?q=" + "a" * 9_000,
        "/{colour}/slugs/" + "a" * 9_000,
        "/" + "a/" * 5_000,
    ],
    ids=["A15-100-kb-query", "A15-9-kb-query", "A15-9-kb-path", "A15-5000-segments"],
)
def test_an_address_over_the_budget_is_refused(server: Server, colour: str, target: str) -> None:
    reply = server.one(request("GET", target.format(colour=colour)))

    assert reply.status in (404, 414)


@pytest.mark.parametrize(
    "value",
    [b"\xe9\xff", "\u00e9".encode(), b"chat, \x80", b"a" * 8000],
    ids=["A16-latin-1", "A16-utf-8", "A16-c1", "A16-long"],
)
def test_an_upgrade_with_a_strange_subprotocol_harms_no_worker(server: Server, colour: str, value: bytes) -> None:
    replies = server.send(
        request(
            "GET",
            f"/{colour}/ok",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            b"Sec-WebSocket-Protocol: " + value,
            close=False,
        ),
        grace_seconds=GRACE,
    )

    assert len(replies) <= 1
    assert all(reply.status < 500 for reply in replies)


BAD_ANSWERS = {
    "value-crlf": "name=x-a&value=b%0D%0AX-Injected:%20yes",
    "value-lf": "name=x-a&value=b%0AX-Injected:%20yes",
    "value-non-ascii": "name=x-a&value=%C3%A9",
    "value-escape": "name=x-a&value=%1B",
    "name-space": "name=x%20a&value=b",
    "name-colon": "name=x:a&value=b",
    "name-crlf": "name=x%0D%0AX-Injected:a&value=b",
    "name-empty": "name=&value=b",
    "name-non-ascii": "name=%C3%A9&value=b",
}


@pytest.mark.parametrize("query", BAD_ANSWERS.values(), ids=[f"A17-{name}" for name in BAD_ANSWERS])
def test_a_bad_response_header_is_an_error_and_not_dropped(server: Server, colour: str, query: str) -> None:
    reply = server.get(f"/{colour}/header?{query}")

    assert reply.status == 500
    assert reply["x-injected"] is None
    assert_discreet(reply)


def test_pipelined_requests_are_answered_in_order(server: Server, colour: str) -> None:
    count = 200  # A18: 5000 in tests/faults
    data = b"".join(request("GET", f"/{colour}/items/{number}", close=False) for number in range(count))

    replies = server.send(data + request("GET", f"/{colour}/ok"))

    assert [reply.json["pk"] for reply in replies[:-1]] == list(range(count))
    assert replies[-1].body == b"ok"
