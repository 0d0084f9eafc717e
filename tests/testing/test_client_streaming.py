"""CORE-90: answers that are read while the handler makes them, and clients that leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from segue import App, abort
from segue.http import StreamResponse
from segue.testing import AsyncClient, Client


def test_pieces_come_while_the_handler_runs(app: App, protocol: str) -> None:
    made: list[int] = []

    @app.get("/")
    def numbers() -> Iterator[str]:
        for number in range(100):
            made.append(number)
            yield f"{number};"

    with Client(app, protocol=protocol).stream("GET", "/") as response:
        pieces = iter(response)
        first = next(pieces)
        made_so_far = len(made)
        rest = b"".join(pieces)

    assert (response.status_code, first) == (200, b"0;")
    assert made_so_far < 10
    assert rest.endswith(b"99;")


async def test_pieces_come_while_the_handler_runs_on_the_loop(app: App, protocol: str) -> None:
    made: list[int] = []

    @app.get("/")
    async def numbers() -> AsyncIterator[str]:
        for number in range(100):
            made.append(number)
            yield f"{number};"

    async with AsyncClient(app, protocol=protocol).stream("GET", "/") as response:
        pieces = aiter(response)
        first = await anext(pieces)
        made_so_far = len(made)
        rest = await response.read()

    assert (response.status_code, first) == (200, b"0;")
    assert made_so_far < 10
    assert rest.endswith(b"99;")


def test_a_client_that_leaves_ends_an_endless_answer(app: App, protocol: str) -> None:
    ended: list[str] = []

    @app.get("/")
    async def endless() -> AsyncIterator[str]:
        try:
            while True:
                yield "tick;"
                await asyncio.sleep(0)
        finally:
            ended.append("generator")

    app.teardown_request(lambda error: ended.append("teardown"))

    with Client(app, protocol=protocol).stream("GET", "/") as response:
        first = next(iter(response))

    assert first == b"tick;"
    assert ended == ["generator", "teardown"]


async def test_an_async_client_that_leaves_ends_an_endless_answer(app: App, protocol: str) -> None:
    ended: list[str] = []

    @app.get("/")
    def endless() -> Iterator[str]:
        try:
            while True:
                yield "tick;"
        finally:
            ended.append("generator")

    async with AsyncClient(app, protocol=protocol).stream("GET", "/") as response:
        first = await anext(aiter(response))

    assert first == b"tick;"
    assert ended == ["generator"]


def test_a_whole_answer_can_be_streamed_too(app: App, protocol: str) -> None:
    app.get("/")(lambda: {"a": 1})

    with Client(app, protocol=protocol).stream("GET", "/") as response:
        body = response.read()

    assert (response.content_type, body) == ("application/json", b'{"a":1}')


def test_an_error_before_the_first_piece_is_raised(app: App, protocol: str) -> None:
    @app.get("/")
    def broken() -> Any:
        raise KeyError("lost")

    with (
        pytest.raises(KeyError, match="lost"),
        Client(app, protocol=protocol).stream("GET", "/") as response,
    ):
        response.read()


def test_an_http_error_is_an_answer(app: App, protocol: str) -> None:
    app.get("/")(lambda: abort(404))

    with Client(app, protocol=protocol).stream("GET", "/") as response:
        response.read()

    assert response.status_code == 404


@pytest.mark.parametrize("raising", ["asgi", "wsgi"])
def test_an_error_in_the_middle_is_raised_after_the_pieces_before_it(app: App, raising: Any) -> None:
    def pieces() -> Iterator[str]:
        yield "one"
        raise KeyError("lost")

    app.get("/")(lambda: StreamResponse(pieces()))
    taken: list[bytes] = []

    with (
        pytest.raises(KeyError, match="lost"),
        Client(app, protocol=raising).stream("GET", "/") as response,
    ):
        taken.extend(response)

    assert taken in ([b"one"], [])
    assert response.status_code == 200


def test_an_error_in_the_middle_of_an_rsgi_answer_ends_it_and_is_logged(
    app: App, caplog: pytest.LogCaptureFixture
) -> None:
    def pieces() -> Iterator[str]:
        yield "one"
        raise KeyError("lost")

    app.get("/")(lambda: StreamResponse(pieces()))

    with Client(app, protocol="rsgi", raise_errors=False).stream("GET", "/") as response:
        body = response.read()

    assert body == b"one"
    assert "raised KeyError while it was sent" in caplog.text


def test_the_slow_reader_makes_the_app_wait(app: App) -> None:
    made: list[int] = []

    @app.get("/")
    async def numbers() -> AsyncIterator[bytes]:
        for number in range(50):
            made.append(number)
            yield b"x"

    client = Client(app)
    with client.stream("GET", "/") as response:
        pieces = iter(response)
        ahead = [len(made) - taken for taken, _ in enumerate(pieces, 1)]

    assert max(ahead) <= 3
