"""CORE-46 to CORE-48, CORE-58, CORE-59, CORE-62: what handlers return."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from segue import App, Response, html, jsonify, make_response, redirect


class Public(msgspec.Struct):
    name: str


class Secret(Public):
    password: str


@dataclass
class Pair:
    a: int


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


def numbers() -> Iterator[str]:
    yield "1"
    yield "2"


async def anumbers() -> AsyncIterator[str]:
    yield "1"
    yield "2"


KINDS: list[tuple[str, Callable[[], Any], int, str, bytes]] = [
    ("str", lambda: "<b>", 200, "text/html; charset=utf-8", b"<b>"),
    ("dict", lambda: {"a": 1}, 200, "application/json", b'{"a":1}'),
    ("list", lambda: [1], 200, "application/json", b"[1]"),
    ("struct", lambda: Public("x"), 200, "application/json", b'{"name":"x"}'),
    ("dataclass", lambda: Pair(1), 200, "application/json", b'{"a":1}'),
    ("bytes", lambda: b"\x00", 200, "application/octet-stream", b"\x00"),
    ("generator", numbers, 200, "text/html; charset=utf-8", b"12"),
    ("async generator", anumbers, 200, "text/html; charset=utf-8", b"12"),
    ("body and status", lambda: ("made", 201), 201, "text/html; charset=utf-8", b"made"),
    ("body and headers", lambda: ("x", {"x-y": "z"}), 200, "text/html; charset=utf-8", b"x"),
    ("all three", lambda: ({"a": 1}, 202, {"x-y": "z"}), 202, "application/json", b'{"a":1}'),
    ("response", lambda: Response("t", 203, content_type="text/plain"), 203, "text/plain", b"t"),
    ("jsonify", lambda: jsonify(a=1), 200, "application/json", b'{"a":1}'),
    ("html", lambda: html("<b>{}</b>", "<i>"), 200, "text/html; charset=utf-8", b"<b>&lt;i&gt;</b>"),
]


@pytest.mark.parametrize("colour", ["def", "async def"])
@pytest.mark.parametrize(("name", "make", "status", "kind", "body"), KINDS, ids=[each[0] for each in KINDS])
def test_every_kind_of_result_becomes_its_answer(
    app: App,
    client: Callable[..., Any],
    colour: str,
    name: str,
    make: Callable[[], Any],
    status: int,
    kind: str,
    body: bytes,
) -> None:
    def plain():  # type: ignore[no-untyped-def]
        return make()

    async def coroutine():  # type: ignore[no-untyped-def]
        return make()

    app.get("/")(plain if colour == "def" else coroutine)

    answer = client().get("/")

    assert (answer.status_code, answer.content_type, answer.body) == (status, kind, body)


def test_generator_handlers_are_streamed(app: App, client: Callable[..., Any]) -> None:
    app.get("/sync")(numbers)
    app.get("/async")(anumbers)

    browser = client()

    assert browser.get("/sync").chunks == [b"1", b"2"]
    assert browser.get("/async").chunks == [b"1", b"2"]


def test_none_is_204_only_where_declared(app: App, client: Callable[..., Any]) -> None:
    @app.get("/declared")
    def declared() -> None:
        return None

    @app.delete("/status", status=204)
    async def by_status():  # type: ignore[no-untyped-def]
        return None

    @app.get("/forgotten")
    def forgotten():  # type: ignore[no-untyped-def]
        pass

    browser = client()

    assert browser.get("/declared").status_code == 204
    assert browser.delete("/status").status_code == 204
    assert browser.get("/forgotten").status_code == 500


def test_a_forgotten_return_names_the_function(app: App) -> None:
    @app.get("/")
    def forgotten():  # type: ignore[no-untyped-def]
        pass

    with pytest.raises(Exception, match="forgotten") as caught:
        app.test_client().get("/")

    assert caught.value.code == "handling/returned-none"  # type: ignore[attr-defined]


def test_a_declared_result_drops_other_fields(app: App, client: Callable[..., Any]) -> None:
    @app.get("/annotated")
    def annotated() -> Public:
        return Secret("ann", "pw")

    @app.get("/option", response=list[Public])
    async def by_option():  # type: ignore[no-untyped-def]
        return [Secret("ann", "pw")]

    browser = client()

    assert browser.get("/annotated").json == {"name": "ann"}
    assert browser.get("/option").json == [{"name": "ann"}]


def test_own_types_are_returned_by_a_registered_encoder(app: App, client: Callable[..., Any]) -> None:
    @app.encoder(Money)
    def money(value: Money) -> dict[str, int]:
        return {"cents": value.cents}

    @app.get("/")
    def price():  # type: ignore[no-untyped-def]
        return Money(5)

    assert client().get("/").json == {"cents": 5}


def test_an_answer_of_no_known_kind_is_an_error_that_names_the_function(app: App) -> None:
    @app.get("/")
    def odd():  # type: ignore[no-untyped-def]
        return object()

    with pytest.raises(Exception, match="odd") as caught:
        app.test_client().get("/")

    assert caught.value.code == "handling/bad-result"  # type: ignore[attr-defined]


def test_def_runs_off_the_loop_and_async_on_it(app: App) -> None:
    threads: dict[str, int] = {}

    @app.get("/def")
    def plain() -> str:
        threads["def"] = threading.get_ident()
        return ""

    @app.get("/async")
    async def coroutine() -> str:
        threads["async"] = threading.get_ident()
        return ""

    browser = app.test_client(protocol="asgi")
    browser.get("/def")
    browser.get("/async")

    assert threads["def"] != threads["async"]
    assert threading.get_ident() not in threads.values()


def test_a_generator_is_closed_when_the_client_leaves(app: App) -> None:
    import asyncio

    ended = threading.Event()
    gone = asyncio.Event()

    @app.get("/")
    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "x"
                gone.set()
                await asyncio.sleep(0)
        finally:
            ended.set()

    app.test_client(protocol="asgi").get("/", disconnect=gone)

    assert ended.wait(1)


def test_response_headers_are_checked() -> None:
    with pytest.raises(ValueError, match="control"):
        Response("x", headers={"x-a": "1\r\nset-cookie: b=c"})


def test_cookies_are_written_with_their_attributes() -> None:
    response = Response("x")
    response.set_cookie("a", "1", secure=True, httponly=True, samesite="None", partitioned=True, max_age=60)

    assert response.headers.getlist("set-cookie") == [
        "a=1; Max-Age=60; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"
    ]


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_redirect_refuses_to_leave_the_site(target: str) -> None:
    with pytest.raises(ValueError, match="redirect"):
        redirect(target)


def test_redirect_goes_elsewhere_when_told() -> None:
    assert redirect("https://example.org/ä", external=True).headers["location"] == "https://example.org/%C3%A4"


def test_make_response_takes_what_a_handler_returns(app: App, client: Callable[..., Any]) -> None:
    @app.get("/")
    def handler() -> Response:
        response = make_response({"a": 1}, 201)
        response.headers["x-y"] = "z"
        return response

    answer = client().get("/")

    assert (answer.status_code, answer.json, answer.headers["x-y"]) == (201, {"a": 1}, "z")


def test_a_status_without_a_body_sends_none(app: App, client: Callable[..., Any]) -> None:
    app.get("/")(lambda: Response("left over", 204))

    answer = client().get("/")

    assert (answer.status_code, answer.body, answer.headers.get("content-length")) == (204, b"", None)
