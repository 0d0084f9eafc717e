"""One app under every server: the same answers to the same requests."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from forms import FORM, JSON, MULTIPART, field, file, multipart
from servers import Server
from wire import chunked, request

SERVERS = ("segue-rsgi", "segue-asgi", "segue-wsgi", "uvicorn", "hypercorn-asgi", "hypercorn-wsgi", "gunicorn")


@pytest.fixture(params=SERVERS)
def served(request: pytest.FixtureRequest, serve: Callable[..., Server]) -> Iterator[Server]:
    """The app under each server."""
    running = serve(request.param)
    yield running
    assert running.get("/pid").json == {"pid": running.pid}


def test_text_is_served(served: Server, colour: str) -> None:
    reply = served.get(f"/{colour}/ok")

    assert (reply.status, reply.body) == (200, b"ok")
    assert reply["content-type"] == "text/html; charset=utf-8"
    assert reply["content-length"] == "2"
    assert reply["x-content-type-options"] == "nosniff"


def test_the_head_of_a_page_has_its_length_and_no_body(served: Server, colour: str) -> None:
    reply = served.get(f"/{colour}/ok", method="HEAD")

    assert (reply.status, reply["content-length"], reply.body) == (200, "2", b"")


def test_the_methods_of_a_path_are_told(served: Server) -> None:
    reply = served.get("/any", method="OPTIONS")

    assert reply.status == 204
    assert (reply["allow"] or "").split(", ") == ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]


def test_a_request_is_seen_as_it_was_sent(served: Server, colour: str) -> None:
    reply = served.get(f"/{colour}/echo?a=1&b=%C3%A9&a=2", "X-One: 1", "Cookie: c=3; d=4")

    seen = reply.json
    assert seen["query"] == [["a", "1"], ["b", "é"], ["a", "2"]]
    assert seen["cookies"] == {"c": "3", "d": "4"}
    assert ["x-one", "1"] in seen["headers"]
    assert (seen["method"], seen["client"], seen["host"], seen["scheme"]) == ("GET", "127.0.0.1", "localhost", "http")
    assert seen["url"] == f"http://localhost/{colour}/echo?a=1&b=%C3%A9&a=2"


def test_a_path_is_decoded_once(served: Server, colour: str) -> None:
    reply = served.get("/slash/caf%C3%A9%20%25/")

    assert reply.json == {"name": "café %"}


def test_an_urlencoded_form_is_read(served: Server, colour: str) -> None:
    reply = served.one(request("POST", f"/{colour}/form", FORM, body=b"a=1&b=%C3%A9+x"))

    assert reply.json == {"fields": [["a", "1"], ["b", "é x"]], "files": []}


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_multipart_form_is_read(served: Server, colour: str, coding: str) -> None:
    body = multipart(field("a", b"1"), file("f", b"a.txt", b"x" * 700_000))
    whole = {"fields": [["a", "1"]], "files": [{"field": "f", "name": "a.txt", "size": 700_000, "on_disk": True}]}

    reply = served.one(_in(coding, "POST", f"/{colour}/upload", MULTIPART, body=body))

    assert reply.json == whole


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_json_body_is_read(served: Server, colour: str, coding: str) -> None:
    reply = served.one(_in(coding, "POST", f"/{colour}/typed", JSON, body=b'{"quantity": 7, "name": "x"}'))

    assert reply.json == {"quantity": 7, "name": "x"}


def _in(coding: str, method: str, path: str, *headers: str, body: bytes) -> bytes:
    if coding == "length":
        return request(method, path, *headers, body=body)
    pieces = [body[start : start + 50_000] for start in range(0, len(body), 50_000)]
    return request(method, path, *headers, "Transfer-Encoding: chunked", body=chunked(*pieces), length=False)


def test_faults_of_a_body_are_listed(served: Server, colour: str) -> None:
    reply = served.one(request("POST", f"/{colour}/typed", JSON, body=b'{"quantity": "x"}'))

    assert reply.status == 422
    assert [each["pointer"] for each in reply.json["errors"]] == ["/body/quantity"]


def test_a_body_is_read_by_the_handler_itself(served: Server, colour: str) -> None:
    reply = served.one(request("POST", f"/{colour}/read", "Content-Type: text/plain", body=b"x" * 300_000))

    assert reply.json == {"size": 300_000}


def test_a_body_over_the_limit_is_refused(served: Server, colour: str) -> None:
    replies = served.send(request("POST", f"/{colour}/body", "Content-Type: text/plain", body=b"x" * 3_000_000))

    assert [reply.status for reply in replies] == [413]


def test_a_stream_is_sent_in_chunks(served: Server, colour: str) -> None:
    reply = served.get(f"/{colour}/stream?chunks=30&size=1000")

    assert (reply.status, reply.body, reply.whole) == (200, b"x" * 30_000, True)
    assert reply["content-length"] is None


def test_a_file_is_sent_whole_in_part_or_not_again(served: Server) -> None:
    whole = served.get("/static/plain.txt")
    part = served.get("/static/plain.txt", "Range: bytes=5-14")
    again = served.get("/static/plain.txt", f"If-None-Match: {whole['etag']}")

    assert (whole.status, whole.body, whole["content-length"]) == (200, b"0123456789" * 10, "100")
    assert (part.status, part.body, part["content-range"]) == (206, b"5678901234", "bytes 5-14/100")
    assert (again.status, again.body) == (304, b"")


def test_cookies_and_redirects_are_sent(served: Server, colour: str) -> None:
    cookie = served.get(f"/{colour}/cookie?name=a&value=b")
    redirect = served.get(f"/{colour}/go?to=/home%3Fa=1")
    slash = served.get("/slash?x=1")

    assert cookie.all("set-cookie") == ["a=b; Path=/; SameSite=Lax"]
    assert (redirect.status, redirect["location"]) == (302, "/home?a=1")
    assert (slash.status, slash["location"]) == (308, "/slash/?x=1")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("POST", "/d/ok", 405), ("GET", "/d/items/x", 404), ("GET", "/d/search?page=x", 422),
     ("GET", "/d/bug", 500), ("GET", "/private", 403)],
)  # fmt: skip
def test_errors_are_problems(served: Server, method: str, path: str, status: int) -> None:
    reply = served.one(request(method, path, "Accept: application/json"))

    assert reply.status == status
    assert reply["content-type"] == "application/problem+json"
    assert json.loads(reply.body)["status"] == status


def test_an_unknown_method_is_refused(served: Server) -> None:
    assert served.one(request("BREW", "/d/ok")).status in (400, 501)  # uvicorn's parser knows its own list


def test_a_foreign_host_is_refused(served: Server) -> None:
    assert served.get("/d/ok", host="evil.example").status == 400


def test_a_connection_is_kept_for_the_next_request(served: Server, colour: str) -> None:
    first = request("GET", f"/{colour}/items/1", close=False)
    last = request("GET", f"/{colour}/items/2")

    replies = served.send(first + last)

    assert [reply.json for reply in replies] == [{"pk": 1}, {"pk": 2}]
