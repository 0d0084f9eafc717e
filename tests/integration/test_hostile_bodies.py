"""Attacks by request bodies (B): forms, JSON, compression, lengths."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import pytest
from forms import FORM, JSON, MULTIPART, field, file, multipart, part
from servers import Server
from verdicts import assert_discreet
from wire import chunked, request

MB = 1_000_000


def test_a_hundred_thousand_parts_are_refused(server: Server, colour: str) -> None:
    before = server.look()["rss"]  # B01

    reply = server.one(request("POST", f"/{colour}/upload", MULTIPART, body=multipart(*[field("a", b"")] * 50_000)))

    assert reply.status == 413
    assert server.look()["rss"] - before < 64 * MB


def test_a_long_field_is_refused_and_a_long_file_is_not(server: Server, colour: str) -> None:
    before = server.look()["rss"]  # B02

    refused = server.one(request("POST", f"/{colour}/upload", MULTIPART, body=multipart(field("a", b"x" * 3 * MB))))
    taken = server.one(
        request("POST", f"/{colour}/upload", MULTIPART, body=multipart(file("f", b"a.bin", b"x" * 3 * MB)))
    )

    assert refused.status == 413
    assert taken.json["files"] == [{"field": "f", "name": "a.bin", "size": 3 * MB, "on_disk": True}]
    assert server.look()["rss"] - before < 48 * MB


SLOW_PARTS = {
    "B03-crlf-then-text": multipart(file("f", b"a", b"\r\n" + b"x" * 2_400_000)),
    "B03-only-cr": multipart(file("f", b"a", b"\r" * 2_400_000)),
    "B03-only-crlf": multipart(file("f", b"a", b"\r\n" * 1_200_000)),
    "B03-almost-boundary": multipart(file("f", b"a", b"\r\n--limi" * 300_000)),
    "B04-preamble": b"\r\n" * 1_200_000 + multipart(field("a", b"1")),
    "B04-preamble-of-dashes": b"-" * 2_400_000 + b"\r\n" + multipart(field("a", b"1")),
    "B04-epilogue": multipart(field("a", b"1")) + b"\r\n" * 1_200_000,
    "B07-base64": multipart(file("f", b"a", b" " * 2_400_000, b"Content-Transfer-Encoding: base64")),
    "B07-quoted-printable": multipart(field("a", b"=" * 100, b"Content-Transfer-Encoding: quoted-printable")),
}


@pytest.mark.parametrize("body", SLOW_PARTS.values(), ids=SLOW_PARTS)
def test_a_strange_part_neither_spins_nor_floods_the_log(server: Server, colour: str, body: bytes) -> None:
    mark = server.mark()

    reply = server.one(request("POST", f"/{colour}/upload", MULTIPART, body=body))

    assert reply.status in (200, 400, 413)
    assert len(server.logged(mark).splitlines()) <= 5  # requests before it may be told late
    assert_discreet(reply)


def test_an_encoded_part_is_refused(server: Server, colour: str) -> None:
    body = multipart(field("a", b"eA==", b"Content-Transfer-Encoding: base64"))  # B07

    assert server.one(request("POST", f"/{colour}/form", MULTIPART, body=body)).status == 400


BAD_HEADERS = {
    "megabyte-line": multipart(field("a", b"1", b"X-A: " + b"a" * MB)),
    "ten-thousand-lines": multipart(field("a", b"1", *[b"X-A%d: b" % number for number in range(10_000)])),
    "seventeen-lines": multipart(field("a", b"1", *[b"X-A%d: b" % number for number in range(17)])),
    "escapes": multipart(part(b'Content-Disposition: form-data; name="' + b'\\"' * 5_000 + b'"', value=b"1")),
    "semicolons": multipart(part(b'Content-Disposition: form-data; name="a"' + b";" * 9_000, value=b"1")),
    "no-colon": multipart(part(b"Content-Disposition form-data", value=b"1")),
    "no-disposition": multipart(part(b"Content-Type: text/plain", value=b"1")),
    "two-dispositions": multipart(
        part(b'Content-Disposition: form-data; name="a"', b'Content-Disposition: form-data; name="b"', value=b"1")
    ),
    "no-name": multipart(part(b"Content-Disposition: form-data", value=b"1")),
    "empty-name": multipart(field("", b"1")),
    "nul-in-name": multipart(field("a\x00b", b"1")),
    "long-name": multipart(field("a" * 300, b"1")),
    "attachment": multipart(part(b'Content-Disposition: attachment; name="a"', value=b"1")),
    "unknown-charset": multipart(field("a", b"1", b"Content-Type: text/plain; charset=zip")),
    "not-utf-8": multipart(field("a", b"\xff")),
    "nul-in-value": multipart(field("a", b"\x00")),
}


@pytest.mark.parametrize("body", BAD_HEADERS.values(), ids=[f"B05-{name}" for name in BAD_HEADERS])
def test_a_part_with_bad_headers_is_refused(server: Server, colour: str, body: bytes) -> None:
    reply = server.one(request("POST", f"/{colour}/form", MULTIPART, body=body))

    assert reply.status in (400, 413, 415, 431)
    assert_discreet(reply)


WHOLE = multipart(field("a", b"1"))
TRUNCATED = {
    "no-last-boundary": WHOLE[: -len(b"--limit--\r\n")],
    "half-boundary": WHOLE[:-6],
    "no-end-of-headers": b'--limit\r\nContent-Disposition: form-data; name="a"\r\n',
    "only-boundary": b"--limit\r\n",
    "empty": b"",
    "garbage": b"no form at all",
    "other-boundary": b"--other\r\n\r\n\r\n--other--\r\n",
    "last-boundary-only": b"--limit--",
    "bare-lf": WHOLE.replace(b"\r\n", b"\n"),
    "boundary-with-tail": WHOLE.replace(b"--limit\r\n", b"--limitx\r\n"),
}


@pytest.mark.parametrize("body", TRUNCATED.values(), ids=[f"B06-{name}" for name in TRUNCATED])
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_form_without_its_end_is_refused(server: Server, colour: str, body: bytes, coding: str) -> None:
    headers = [MULTIPART] if coding == "length" else [MULTIPART, "Transfer-Encoding: chunked"]
    sent = body if coding == "length" else (chunked(body) if body else b"0\r\n\r\n")

    reply = server.one(request("POST", f"/{colour}/form", *headers, body=sent, length=coding == "length"))

    assert reply.status == 400 or reply.json == {"fields": [], "files": []}
    assert_discreet(reply)


BOUNDARIES = {
    "none": "multipart/form-data",
    "empty": "multipart/form-data; boundary=",
    "empty-quoted": 'multipart/form-data; boundary=""',
    "long": "multipart/form-data; boundary=" + "b" * 71,
    "non-ascii": "multipart/form-data; boundary=\xe9",
    "tab": 'multipart/form-data; boundary="a\tb"',
    "twice": "multipart/form-data; boundary=other; boundary=limit",
    "rfc2231": "multipart/form-data; boundary*=utf-8''limit",
}


@pytest.mark.parametrize("kind", BOUNDARIES.values(), ids=[f"B06-boundary-{name}" for name in BOUNDARIES])
def test_a_form_without_a_usable_boundary_is_refused(server: Server, colour: str, kind: str) -> None:
    reply = server.one(request("POST", f"/{colour}/form", f"Content-Type: {kind}", body=WHOLE))

    # A server that drops a header that is not ASCII leaves a body of no type: no form.
    assert reply.status == 400 or reply.json["fields"] == []


@pytest.mark.parametrize("route", ["form", "json", "read"])
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_body_over_the_limit_is_refused_before_it_is_read(
    server: Server, colour: str, route: str, coding: str
) -> None:
    kind = {"form": MULTIPART, "json": JSON, "read": JSON}[route]  # B08, B22
    body = b"[" + b"1," * 4 * MB + b"1]"
    if route == "form":
        body = multipart(file("f", b"a", b"x" * 8 * MB))
    pieces = [body[start : start + 100_000] for start in range(0, len(body), 100_000)]
    headers = [kind] if coding == "length" else [kind, "Transfer-Encoding: chunked"]
    before = server.look()["rss"]

    replies = server.send(
        request(
            "POST",
            f"/{colour}/{route}",
            *headers,
            body=body if coding == "length" else chunked(*pieces),
            length=coding == "length",
        )
    )

    assert len(replies) <= 1
    assert all(reply.status == 413 for reply in replies)
    assert server.look()["rss"] - before < 48 * MB


@pytest.mark.parametrize("route", ["body", "json", "form", "read"])
@pytest.mark.parametrize("declared", ["9999999999", "99999999999999999999"])
def test_a_length_over_the_limit_is_refused_at_once(server: Server, colour: str, route: str, declared: str) -> None:
    data = request("POST", f"/{colour}/{route}", JSON, f"Content-Length: {declared}", length=False)

    reply = server.one(data + b"[")

    assert reply.status in (400, 413)


@pytest.mark.parametrize("route", ["body", "json", "form", "read"])
def test_a_body_cut_short_is_never_taken_for_whole(server: Server, colour: str, route: str) -> None:
    kind = MULTIPART if route == "form" else JSON  # B08
    data = request("POST", f"/{colour}/{route}", kind, "Content-Length: 100", length=False) + b'{"a": 1}'

    with server.connect() as sock:
        sock.sendall(data)
        sock.shutdown(1)
        answer = sock.recv(65_536)

    assert b" 200 " not in answer


def test_thousands_of_tiny_chunks_are_one_document(server: Server, colour: str) -> None:
    body = b"[" + b"1," * 2_500 + b"1]"  # B09: 100 000 in tests/faults
    data = request("POST", f"/{colour}/json", JSON, "Transfer-Encoding: chunked", length=False)

    reply = server.one(data + b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n")

    assert reply.status == 200


@pytest.mark.parametrize(
    "body",
    [b"&".join([b"a=1"] * 600_000), b"&".join([b"a=1"] * 1001), b"&".join([b"%61"] * 1001), b"a" * 300 + b"=1"],
    ids=["B10-600000", "B10-1001", "B10-1001-encoded", "B10-long-name"],
)
def test_a_form_over_its_limits_is_refused(server: Server, colour: str, body: bytes) -> None:
    reply = server.one(request("POST", f"/{colour}/form", FORM, body=body))

    assert reply.status in (400, 413)


def test_a_semicolon_separates_nothing(server: Server, colour: str) -> None:
    form = server.one(request("POST", f"/{colour}/form", FORM, body=b"a=1;b=2"))  # B11
    query = server.get(f"/{colour}/echo?a=1;b=2")

    assert form.json["fields"] == [["a", "1;b=2"]]
    assert query.json["query"] == [["a", "1;b=2"]]


NAMES = {
    "B12-star": b'form-data; name="f"; filename="plain.txt"; filename*=UTF-8\'\'..%2Fevil.txt',
    "B12-star-first": b'form-data; filename*=UTF-8\'\'..%2Fevil.txt; name="f"; filename="plain.txt"',
    "B12-name-star": b'form-data; name="f"; name*=UTF-8\'\'evil; filename="plain.txt"',
    "E08-dots": b'form-data; name="f"; filename="../../plain.txt"',
    "E08-backslash": b'form-data; name="f"; filename="C:\\\\dir\\\\plain.txt"',
    "E08-absolute": b'form-data; name="f"; filename="/etc/plain.txt"',
    "E08-url": b'form-data; name="f"; filename="%2e%2e%2fplain.txt"',
    "E08-rtl": 'form-data; name="f"; filename="\u202eplain.txt"'.encode(),
}


@pytest.mark.parametrize("head", NAMES.values(), ids=NAMES)
def test_a_file_name_is_a_plain_base_name(server: Server, colour: str, head: bytes) -> None:
    body = multipart(part(b"Content-Disposition: " + head, value=b"x"))

    reply = server.one(request("POST", f"/{colour}/upload", MULTIPART, body=body))

    name = reply.json["files"][0]["name"]
    assert reply.json["files"][0]["field"] == "f"
    assert name.endswith("plain.txt")
    assert not set(name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


HOSTILE_NAMES = [
    b"..", b".", b"", b".htaccess", b"con", b"NUL.txt", b"a.php;.jpg", b"a\x00.png", b"a" * 5000 + b".txt",
    b"aux .css", b"COM1", "ＣＯＮ".encode(), b"~", b"a/../../b", b"a:b", b"a%00b", "\uff0e\uff0e/x".encode(),
    b"<script>", b"a\tb", b"--", b"...", b"a.", b"a ", b"\\\\server\\share",
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE_NAMES, ids=[f"E08-{name[:12]!r}" for name in HOSTILE_NAMES])
def test_a_hostile_file_name_becomes_harmless(server: Server, raw: bytes) -> None:
    body = multipart(file("f", raw.replace(b'"', b"%22"), b"x"))

    reply = server.one(request("POST", "/d/upload", MULTIPART, body=body))

    assert reply.status in (200, 400)
    for each in reply.json.get("files", ()):
        name = each["name"]
        assert 0 < len(name) <= 100
        assert name == name.strip(".")
        assert not set(name) - set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


OPTIONS = ['\\"' * 4000, ";" * 7000, '; a="' + ";" * 6000 + '"', "; a=b" * 1500, '"' * 6000, " " * 7000, "=" * 7000]


@pytest.mark.parametrize("tail", OPTIONS, ids=[f"B13-{index}" for index in range(len(OPTIONS))])
def test_a_long_content_type_is_parsed_in_linear_time(server: Server, colour: str, tail: str) -> None:
    reply = server.one(request("POST", f"/{colour}/text", f"Content-Type: text/plain{tail}", body=b"x"))

    assert reply.status in (200, 400, 415, 431)


@pytest.mark.parametrize(
    "kind",
    [
        "Content-Type: text/plain",
        "Content-Type: application/json;x=text/plain, text/plain",
        "Content-Type: text/json",
        "Content-Type: application/jsonx",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: text/plain;application/json",
        "Content-Type: ",
        "X-None: 1",
        "Content-Type: application/json\x80",
    ],
    ids=lambda kind: f"B14-{kind}",
)
@pytest.mark.parametrize("route", ["json", "typed"])
def test_json_under_another_type_is_refused(server: Server, colour: str, kind: str, route: str) -> None:
    reply = server.one(request("POST", f"/{colour}/{route}", kind, body=b'{"quantity": 1}'))

    assert reply.status in (415, 422)
    assert b'"quantity":1' not in reply.body


DOCUMENTS = {
    "B15-arrays": b"[" * 100_000 + b"]" * 100_000,
    "B15-objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "B15-unclosed": b"[" * 1_000_000,
    "B15-65-levels": b"[" * 65 + b"]" * 65,
    "B16-5000-digits": b"9" * 5000,
    "B16-2-to-64": str(2**64).encode(),
    "B16-minus-2-to-63-1": str(-(2**63) - 1).encode(),
    "B16-nan": b"NaN",
    "B16-infinity": b"Infinity",
    "B16-minus-infinity": b"-Infinity",
    "B16-huge-exponent": b"1e999",
    "B16-leading-zero": b"01",
    "B16-plus": b"+1",
    "B16-hex": b"0x1",
    "B17-utf-16": '{"a": 1}'.encode("utf-16"),
    "B17-utf-16-le": '{"a": 1}'.encode("utf-16-le"),
    "B17-utf-32": '{"a": 1}'.encode("utf-32"),
    "B17-utf-7": b"+AHs-+AH0-",
    "B17-invalid": b'"\xff"',
    "B17-bom": b'\xef\xbb\xbf{"a": 1}',
    "B17-raw-surrogate": b'"\xed\xa0\x80"',
    "N10-two-keys": b'{"qty": 1, "qty": -5}',
    "N10-two-keys-escaped": b'{"qty": 1, "\\u0071ty": -5}',
    "N10-trailing": b'{"a": 1} x',
    "N10-two-documents": b"{}{}",
    "N10-comment": b'{"a": 1} // x',
    "N10-single-quotes": b"{'a': 1}",
    "N10-trailing-comma": b"[1,]",
    "control-in-string": b'"a\x01"',
    "empty": b"",
    "space": b" ",
    "unclosed-string": b'"' + b"a" * 100_000,
    "lone-bracket": b"]",
}


@pytest.mark.parametrize("body", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_bad_document_is_a_bad_request(server: Server, colour: str, body: bytes) -> None:
    reply = server.one(request("POST", f"/{colour}/json", JSON, body=body, length=True))

    assert reply.status in (400, 413, 422)
    assert_discreet(reply)


ODD_BUT_GOOD = {
    "minus-zero": (b"-0", 0),
    "max": (str(2**63 - 1).encode(), 2**63 - 1),
    "min": (str(-(2**63)).encode(), -(2**63)),
    "64-levels": (b"[" * 64 + b"]" * 64, None),
    "lone-surrogate-escape": (b'"\\ud800"', None),
    "pair": (b'"\\ud83d\\ude00"', "\U0001f600"),
    "proto": (b'{"__proto__": 1}', {"__proto__": 1}),
}


@pytest.mark.parametrize("name", ODD_BUT_GOOD, ids=[f"B16-{name}" for name in ODD_BUT_GOOD])
def test_an_odd_document_is_read_or_refused(server: Server, colour: str, name: str) -> None:
    body, value = ODD_BUT_GOOD[name]

    reply = server.one(request("POST", f"/{colour}/json", JSON, body=body))

    assert reply.status in (200, 400)
    assert value is None or json.loads(reply.body) == {"value": value}


@pytest.mark.parametrize(
    "charset", ["utf-16", "utf-7", "zip", "idna", "punycode", "unicode_escape", "rot13", "nonsense", "x" * 4000]
)
@pytest.mark.parametrize("route", ["text", "form"])
def test_an_unknown_charset_is_refused(server: Server, colour: str, charset: str, route: str) -> None:
    kind = "text/plain" if route == "text" else "application/x-www-form-urlencoded"  # B17

    reply = server.one(request("POST", f"/{colour}/{route}", f"Content-Type: {kind}; charset={charset}", body=b"a=1"))

    assert reply.status in (400, 415)
    assert charset not in reply.text


BOMBS = {
    "B18-gzip": ("gzip", gzip.compress(b"[" + b" " * 20 * MB + b"]")),
    "B18-deflate": ("deflate", zlib.compress(b"[]")),
    "B18-br": ("br", b"\x0b\x02\x80[]\x03"),
    "B18-two": ("gzip, gzip", gzip.compress(gzip.compress(b"[]"))),
    "B18-case": ("GZIP", gzip.compress(b"[]")),
    "B18-unknown": ("x-none", b"[]"),
    "B19-empty-members": ("gzip", gzip.compress(b"") * 50_000),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.parametrize("route", ["json", "body", "form"])
def test_an_encoded_body_is_refused(server: Server, colour: str, name: str, route: str) -> None:
    encoding, body = BOMBS[name]

    reply = server.one(request("POST", f"/{colour}/{route}", JSON, f"Content-Encoding: {encoding}", body=body))

    assert reply.status == 415
    assert_discreet(reply)


def test_uploads_that_break_off_leave_nothing_behind(server: Server, colour: str, root: Path) -> None:
    before = server.look()  # B20
    start = request("POST", f"/{colour}/upload", MULTIPART, "Content-Length: 9000000", length=False)
    body = multipart(file("f", b"a", b"x" * 2 * MB))[:1_500_000]
    mark = server.mark()

    for _ in range(10):
        with server.connect() as sock:
            sock.sendall(start + body)
    after = _settled(server, before["fds"])

    assert after["fds"] <= before["fds"] + 3
    assert list((root / "tmp").glob("segue-*")) == []
    assert "Traceback" not in server.logged(mark)


def _settled(server: Server, fds: int) -> dict[str, int]:
    """The worker's facts, once it has noticed that the clients are gone."""
    for _ in range(200):
        facts = server.look()
        if facts["fds"] <= fds + 3:
            break
    return facts


@pytest.mark.parametrize(
    "body",
    [b'{"quantity": [1]}', b'{"quantity": "one"}', b'{"quantity": 1.5}', b'{"name": "x"}', b"[]", b"1", b"null",
     b'{"quantity": true}', b'{"quantity": 1, "name": {"a": 1}}', b'{"quantity": null}'],
)  # fmt: skip
def test_a_document_of_the_wrong_shape_is_unprocessable(server: Server, colour: str, body: bytes) -> None:
    reply = server.one(request("POST", f"/{colour}/typed", JSON, body=body))  # B21

    assert reply.status == 422
    assert reply["content-type"] == "application/problem+json"
    assert_discreet(reply)


@pytest.mark.parametrize("body", [b"quantity=1&quantity=2", b"quantity[a]=1", b"quantity=x", b"quantity[]=1", b""])
def test_a_form_of_the_wrong_shape_is_unprocessable(server: Server, colour: str, body: bytes) -> None:
    reply = server.one(request("POST", f"/{colour}/typed", FORM, body=body, length=True))  # B21

    assert reply.status in (415, 422)


def test_a_request_full_of_mistakes_logs_one_line(server: Server, colour: str) -> None:
    cookies = "; ".join(f"b ad{number}" for number in range(90))  # B23
    body = multipart(*[field("a", b"\xff")] * 500)
    mark = server.mark()

    reply = server.one(request("POST", f"/{colour}/form", MULTIPART, f"Cookie: {cookies}", body=body))

    assert reply.status == 400
    assert len(server.logged(mark).splitlines()) <= 5  # requests before it may be told late


def test_others_are_answered_while_uploads_go_to_disk(server: Server, colour: str) -> None:
    body = multipart(file("f", b"a", b"x" * 20 * MB))  # B24
    data = request("POST", f"/{colour}/upload", MULTIPART, body=body)
    half = len(data) // 2
    uploads = [server.connect() for _ in range(3)]

    for sock in uploads:
        sock.sendall(data[:half])
    others = [server.get(f"/{colour}/ok") for _ in range(20)]
    for sock in uploads:
        sock.sendall(data[half:])
    answers = [sock.recv(65_536) for sock in uploads]
    for sock in uploads:
        sock.close()

    assert [reply.body for reply in others] == [b"ok"] * 20
    assert all(b" 200 " in answer for answer in answers)
