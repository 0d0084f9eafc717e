"""Requests are watched from one timer, which rests while there are none."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from segue import App, Request
from segue.handling import supervision
from segue.protocols import ASGIAdapter
from segue.testing import Client


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look every millisecond, and rest after two idle looks."""
    monkeypatch.setattr(supervision, "_TICK_SECONDS", 0.001)
    monkeypatch.setattr(supervision, "_IDLE_TICKS", 2)


async def ask(adapter: ASGIAdapter, path: str) -> int:
    statuses: list[int] = []

    async def receive() -> Any:
        await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    await adapter(scope, receive, send)
    return statuses[0]


def make() -> App:
    config = {"ALLOWED_HOSTS": ["localhost"], "HANDLER_DEADLINE_SECONDS": 0.01}
    app = App("watched", config=config, static_folder=None, template_folder=None)

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.get_running_loop().create_future()
        return "never"

    @app.get("/quick")
    async def quick() -> str:
        return "at once"

    return app


async def test_a_handler_past_its_deadline_is_cancelled(hasty: None) -> None:
    adapter = ASGIAdapter(make().compile())

    assert await asyncio.wait_for(ask(adapter, "/slow"), 5) == 503


@pytest.mark.parametrize("protocol", ["asgi", "rsgi"])
def test_what_a_cancelled_handler_left_to_be_done_is_done(hasty: None, protocol: Any) -> None:
    app = make()
    app.config["SECRET_KEY"] = "a key of this test alone, and long enough"

    @app.get("/counting")
    async def counting(request: Request) -> None:
        request.session["seen"] = 1
        await asyncio.get_running_loop().create_future()

    @app.get("/seen")
    def seen(request: Request) -> Any:
        return {"seen": request.session["seen"]}

    client = Client(app, protocol=protocol, base_url="https://localhost")
    answer = client.get("/counting")

    assert (answer.status_code, answer.headers["vary"]) == (503, "Cookie")
    assert client.get("/seen").json == {"seen": 1}


async def test_the_timer_rests_and_wakes_with_the_next_request(hasty: None) -> None:
    adapter = ASGIAdapter(make().compile())
    await ask(adapter, "/quick")
    async with asyncio.timeout(5):
        while adapter.loop.loop is not None:
            await asyncio.sleep(0.001)

    assert await asyncio.wait_for(ask(adapter, "/slow"), 5) == 503


@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_a_small_body_that_does_not_come_is_408(hasty: None, colour: str) -> None:
    app = App("reading", config={"ALLOWED_HOSTS": ["localhost"]}, static_folder=None, template_folder=None)

    def plain(request: Request) -> str:
        return request.text

    async def coroutine(request: Request) -> str:
        return request.text

    app.post("/")(plain if colour == "def" else coroutine)
    compiled = app.compile()
    compiled.body_clock = supervision.BodyClock(base_seconds=0.01)
    statuses: list[int] = []

    async def receive() -> Any:
        await asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"host", b"localhost"), (b"content-length", b"5"), (b"content-type", b"text/plain")]
    scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}
    await asyncio.wait_for(ASGIAdapter(compiled)(scope, receive, send), 5)

    assert statuses == [408]


async def upload(app: App, receive: Any) -> int:
    """Send a body without an end to `/` and return the status."""
    compiled = app.compile()
    compiled.body_clock = supervision.BodyClock(base_seconds=0.02)
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    headers = [(b"host", b"localhost"), (b"content-length", b"500"), (b"content-type", b"text/plain")]
    scope = {"type": "http", "method": "PUT", "path": "/", "query_string": b"", "headers": headers}
    await asyncio.wait_for(ASGIAdapter(compiled)(scope, receive, send), 5)
    return statuses[0]


def streaming(colour: str, seconds_for_each: float = 0) -> App:
    """An app that reads a body itself, and takes its time for each chunk."""
    app = App("streaming", config={"ALLOWED_HOSTS": ["localhost"]}, static_folder=None, template_folder=None)

    def plain(request: Request) -> str:
        for _ in request.stream():
            time.sleep(seconds_for_each)
        return "read"

    async def coroutine(request: Request) -> str:
        async for _ in request.stream():
            await asyncio.sleep(seconds_for_each)
        return "read"

    app.put("/", stream=True)(plain if colour == "def" else coroutine)
    return app


@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_a_body_that_trickles_into_a_handler_is_408(hasty: None, colour: str) -> None:
    async def receive() -> Any:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b"x", "more_body": True}

    assert await upload(streaming(colour), receive) == 408


@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_the_time_of_the_handler_is_not_that_of_the_client(hasty: None, colour: str) -> None:
    chunks = [b"x" * 100] * 5

    async def receive() -> Any:
        chunk = chunks.pop()
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    assert await upload(streaming(colour, seconds_for_each=0.015), receive) == 200


async def test_a_handler_that_is_cancelled_by_disconnect_still_gets_its_whole_body(hasty: None) -> None:
    app = App("listening", config={"ALLOWED_HOSTS": ["localhost"]}, static_folder=None, template_folder=None)
    sizes: list[int] = []

    @app.put("/", stream=True, cancel_on_disconnect=True)
    async def put(request: Request) -> str:
        async for chunk in request.stream():
            sizes.append(len(chunk))
            await asyncio.sleep(0.005)  # the supervisor looks in between
        return "read"

    chunks = [b"x" * 100] * 5

    async def receive() -> Any:
        if not chunks:
            await asyncio.get_running_loop().create_future()
        chunk = chunks.pop()
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    assert await upload(app, receive) == 200
    assert sizes == [100] * 5
