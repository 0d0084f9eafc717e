"""Attacks on static files and downloads (E): what is served, and under which headers."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from servers import OUTSIDE, Server
from verdicts import assert_discreet
from wire import request

CLIMBS = [
    "../secret.txt", "..%2fsecret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt", "..%5csecret.txt",
    "..\\secret.txt", "%2e%2e%5csecret.txt", "....//secret.txt", "..;/secret.txt", "..%00/secret.txt",
    "%252e%252e%252fsecret.txt", "%c0%ae%c0%ae/secret.txt", "%c0%ae%c0%ae%c0%afsecret.txt", "..%c0%afsecret.txt",
    "%uff0e%uff0e/secret.txt", "%ef%bc%8e%ef%bc%8e/secret.txt", "sub/../../secret.txt", "sub/..%2f..%2fsecret.txt",
    "./../secret.txt", "/../secret.txt", "//secret.txt", "/etc/passwd", "%2fetc%2fpasswd", "//etc/passwd",
    "C:/secret.txt", "C:%5csecret.txt", "file:///etc/passwd", "\\\\host\\share", "app.css%00.txt", "app.css/..%2f..",
    "..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/%2e%2e/etc/passwd", ".../secret.txt",
    "~root/secret.txt", "link.txt", "up/secret.txt", "../static-secret/secret.txt", "%2e%2e/static-secret/secret.txt",
    "..%252fstatic-secret/secret.txt", "app.css/../../secret.txt",
]  # fmt: skip


@pytest.mark.parametrize("name", CLIMBS, ids=[f"E01-E02-{name}" for name in CLIMBS])
@pytest.mark.parametrize("folder", ["/static/", "/a/files/"], ids=["static", "files"])
def test_no_name_leads_out_of_its_folder(server: Server, folder: str, name: str) -> None:
    reply = server.get(folder + name)

    assert reply.status in (301, 308, 400, 403, 404)
    assert OUTSIDE.encode() not in reply.body
    assert b"root:" not in reply.body
    assert_discreet(reply)


DEVICES = [
    "con", "NUL.txt", "nul", "aux%20.css", "COM%C2%B9", "CONIN$", "app.css::$DATA", "app.css:stream", "app.css.",
    "app.css%20", "app.css/", "PRN.css", "lpt9.txt", "app.css%E2%80%8B", "app.css%EF%BC%8E", "AUX",
]  # fmt: skip


@pytest.mark.parametrize("name", DEVICES, ids=[f"E03-{name}" for name in DEVICES])
def test_a_device_or_a_stream_is_not_found(server: Server, name: str) -> None:
    assert server.get(f"/static/{name}").status in (400, 404)


@pytest.mark.parametrize(
    ("there", "not_there"),
    [
        ("/static/../secret.txt", "/static/../nothing"),
        ("/static/%2e%2e/secret.txt", "/static/%2e%2e/nothing"),
        ("/static/..%2fsecret.txt", "/static/..%2fnothing"),
        ("/static/link.txt", "/static/nothing.txt"),
        ("/static/.env", "/static/.nothing"),
        ("/static/sub", "/static/nothing"),
        ("/a/files/link.txt", "/a/files/nothing.txt"),
        ("/a/files/.hidden", "/a/files/.nothing"),
    ],
    ids=[f"E04-{number}" for number in range(8)],
)
def test_whether_a_hidden_file_exists_cannot_be_told(server: Server, there: str, not_there: str) -> None:
    one, other = server.get(there), server.get(not_there)

    assert (one.status, one.body) == (other.status, other.body)


DOTS = [".env", ".git/config", ".git", "sub/", "sub", "", ".", "app.py", "app.css~", ".htaccess", "%2eenv", "sub/.x"]


@pytest.mark.parametrize("name", DOTS, ids=[f"E05-E06-{name}" for name in DOTS])
def test_dotfiles_and_listings_are_not_served(server: Server, name: str) -> None:
    reply = server.get(f"/static/{name}")

    assert reply.status in (301, 308, 400, 404)
    assert b"inner" not in reply.body
    assert OUTSIDE.encode() not in reply.body


NAMES = [
    'a".css', "a;b.css", "a\r\nX-Injected: yes", "\u00c9t\u00e9.pdf", "a%0d%0aX-Injected: yes", "a" * 5000, "../a.css",
    "a\\b.css", "a\u202egnp.exe", "a,b", "a'b", 'a"; filename="evil.exe', "a\tb", "\u2028a", "", "a/b/c",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES, ids=[f"E07-{name[:16]!r}" for name in NAMES])
def test_a_download_name_stays_one_parameter(server: Server, colour: str, name: str) -> None:
    reply = server.get(f"/{colour}/download?name={quote(name, safe='')}")

    assert reply.status in (200, 414)
    for value in reply.all("content-disposition"):
        assert value.startswith("attachment")
        assert value.count('filename="') <= 1
        assert value.count('"') in (0, 2)
        assert "evil.exe" not in value.partition("filename*")[0].partition('"')[0]
    assert len(reply.all("content-disposition")) <= 1
    assert reply["x-injected"] is None


@pytest.mark.parametrize("name", ["page.html", "picture.svg"])
def test_a_served_file_cannot_run_on_this_origin(server: Server, colour: str, name: str) -> None:
    reply = server.get(f"/{colour}/files/{name}")  # E10

    assert reply.status == 200
    assert reply["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in (reply["content-security-policy"] or "")


@pytest.mark.parametrize(
    "line",
    [
        "X-Accel-Redirect: /secret.txt",
        "X-Sendfile: /etc/passwd",
        "X-Accel-Mapping: /=/",
        "X-LIGHTTPD-send-file: /etc/passwd",
        "Range: bytes=0-5",
    ],
    ids=lambda line: f"E16-{line.partition(':')[0]}",
)
def test_a_client_does_not_choose_what_is_sent(server: Server, line: str) -> None:
    reply = server.get("/static/plain.txt", line)

    assert reply.body in (b"0123456789" * 10, b"012345")
    assert not [name for name, _ in reply.headers if name.startswith(("x-accel", "x-sendfile", "x-lighttpd"))]


@pytest.mark.parametrize("name", ["app.css", "%61pp.css", "sub/inner.txt"], ids=lambda name: f"E16-{name}")
def test_every_spelling_of_a_file_has_the_same_headers(server: Server, name: str) -> None:
    reply = server.get(f"/static/{name}")

    assert reply.status == 200
    assert reply["cache-control"] == "public, no-cache"
    assert reply["x-content-type-options"] == "nosniff"


def test_a_compressed_variant_is_sent_to_who_accepts_it(server: Server) -> None:
    plain = server.get("/static/app.css")
    packed = server.get("/static/app.css", "Accept-Encoding: gzip")  # E17

    assert plain["content-encoding"] is None
    assert packed["content-encoding"] == "gzip"
    assert packed["content-type"] == plain["content-type"] == "text/css; charset=utf-8"
    assert "Accept-Encoding" in (plain["vary"] or "")
    assert "Accept-Encoding" in (packed["vary"] or "")
    assert packed["etag"] != plain["etag"]
    assert len(packed.body) < len(plain.body) == int(plain["content-length"] or 0)


@pytest.mark.parametrize("name", ["leak.css", "stale.css"], ids=["E17-link", "E17-stale"])
def test_a_variant_from_outside_or_older_is_not_sent(server: Server, name: str) -> None:
    reply = server.get(f"/static/{name}", "Accept-Encoding: gzip, br")

    assert reply["content-encoding"] is None
    assert reply.body in (b"leak", b"new")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_static_file_is_only_read(server: Server, method: str) -> None:
    reply = server.one(request(method, "/static/app.css", length=True))

    assert reply.status == 405
    assert "GET" in (reply["allow"] or "")


def test_the_head_of_a_file_says_its_length(server: Server) -> None:
    reply = server.get("/static/plain.txt", method="HEAD")

    assert (reply.status, reply["content-length"], reply.body) == (200, "100", b"")


def test_a_part_of_a_file_is_sent(server: Server) -> None:
    reply = server.get("/static/plain.txt", "Range: bytes=90-")

    assert (reply.status, reply.body, reply["content-range"]) == (206, b"0123456789", "bytes 90-99/100")


def test_a_file_that_the_client_has_is_not_sent_again(server: Server) -> None:
    first = server.get("/static/plain.txt")

    again = server.one(request("GET", "/static/plain.txt", f"If-None-Match: {first['etag']}"))

    assert (again.status, again.body) == (304, b"")
    assert again["x-content-type-options"] == "nosniff"
