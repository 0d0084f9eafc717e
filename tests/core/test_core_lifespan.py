"""CORE-6: start-up, shutdown and what runs around a worker's life."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from segue import App, UsageError
from segue.protocols import ASGIAdapter, RSGIAdapter, WSGIAdapter

COLOURS = ["def", "async def"]


def recorded(app: App, colour: str) -> list[str]:
    """Add two hooks of each kind and a lifespan; return the log they write."""
    log: list[str] = []

    def writer(name: str) -> Callable[[], Any]:
        async def coroutine() -> None:
            log.append(name)

        return (lambda: log.append(name)) if colour == "def" else coroutine

    def plain() -> Iterator[None]:
        log.append("enter")
        yield
        log.append("leave")

    async def generator() -> AsyncIterator[None]:
        log.append("enter")
        yield
        log.append("leave")

    app.on_startup(writer("start 1"))
    app.on_startup(writer("start 2"))
    app.on_shutdown(writer("stop 1"))
    app.on_shutdown(writer("stop 2"))
    app.lifespan(plain if colour == "def" else generator)
    app.get("/")(lambda: ",".join(log))
    return log


EVERYTHING = ["start 1", "start 2", "enter", "stop 2", "stop 1", "leave"]


@pytest.mark.parametrize("colour", COLOURS)
def test_start_up_runs_in_order_and_shutdown_reversed(app: App, client: Callable[..., Any], colour: str) -> None:
    log = recorded(app, colour)

    with client() as browser:
        first, second = browser.get("/"), browser.get("/")

    assert first.text == second.text == "start 1,start 2,enter"
    assert log == EVERYTHING


@pytest.mark.parametrize("colour", COLOURS)
async def test_the_async_client_runs_the_same(app: App, colour: str) -> None:
    log = recorded(app, colour)

    async with app.async_client() as browser:
        await browser.get("/")

    assert log == EVERYTHING


@pytest.mark.parametrize("colour", COLOURS)
async def test_a_server_of_asgi_starts_and_stops_the_app_once(app: App, colour: str) -> None:
    log = recorded(app, colour)
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        outgoing.append(message)

    app.testing = True
    incoming.put_nowait({"type": "lifespan.startup"})
    incoming.put_nowait({"type": "lifespan.shutdown"})
    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, incoming.get, send)

    assert [each["type"] for each in outgoing] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert log == EVERYTHING


@pytest.mark.parametrize("colour", COLOURS)
def test_a_server_of_rsgi_starts_and_stops_the_app_once(app: App, colour: str) -> None:
    log = recorded(app, colour)
    app.testing = True
    loop = asyncio.new_event_loop()
    try:
        app.__rsgi_init__(loop)
        loop.run_until_complete(asyncio.sleep(0))
        started = list(log)
        app.__rsgi_del__(loop)
    finally:
        loop.close()

    assert started == EVERYTHING[:3]
    assert log == EVERYTHING


@pytest.mark.parametrize("colour", COLOURS)
def test_under_wsgi_the_app_starts_once_before_the_first_request(app: App, colour: str) -> None:
    log = recorded(app, colour)
    app.testing = True
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
    }
    assert log == []

    answers = [b"".join(app.wsgi(dict(environ), lambda status, headers, exc_info=None: None)) for _ in range(3)]

    assert answers == [b"start 1,start 2,enter"] * 3


def test_a_request_that_comes_during_the_start_waits_for_its_end(app: App, protocol: str) -> None:
    log: list[str] = []
    app.testing = True

    def ask() -> None:
        app.test_client(protocol=protocol).get("/")

    second = threading.Thread(target=ask)

    @app.on_startup
    def start() -> None:
        log.append("begin")
        second.start()
        second.join(0.2)
        log.append("end")

    @app.get("/")
    async def index() -> str:
        log.append("request")
        return ""

    ask()
    second.join(10)

    assert log == ["begin", "end", "request", "request"]


@pytest.mark.parametrize("colour", COLOURS)
async def test_a_raise_stops_the_start_and_ends_what_was_begun(app: App, colour: str) -> None:
    log: list[str] = []

    @app.lifespan
    def around() -> Iterator[None]:
        log.append("enter")
        try:
            yield
        finally:
            log.append("leave")

    def plain() -> Iterator[None]:
        raise RuntimeError("no disk")
        yield

    async def generator() -> AsyncIterator[None]:
        raise RuntimeError("no disk")
        yield

    app.lifespan(plain if colour == "def" else generator)

    with pytest.raises(RuntimeError, match="no disk"):
        async with app.async_client():
            log.append("never")

    assert log == ["enter", "leave"]


@pytest.mark.parametrize("colour", COLOURS)
async def test_a_raise_at_start_up_is_told_to_the_server(app: App, colour: str) -> None:
    def plain() -> None:
        raise RuntimeError("no disk")

    async def coroutine() -> None:
        raise RuntimeError("no disk")

    app.on_startup(plain if colour == "def" else coroutine)
    app.testing = True
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        outgoing.append(message)

    incoming.put_nowait({"type": "lifespan.startup"})
    incoming.put_nowait({"type": "lifespan.shutdown"})
    with pytest.raises(RuntimeError):
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, incoming.get, send)

    assert outgoing[0]["type"] == "lifespan.startup.failed"
    assert "no disk" in outgoing[0]["message"]


def test_a_raise_at_start_up_stops_an_rsgi_server(app: App) -> None:
    @app.on_startup
    def fail() -> None:
        raise RuntimeError("no disk")

    app.testing = True
    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(RuntimeError, match="no disk"):
            app.__rsgi_init__(loop)
    finally:
        loop.close()


def test_one_failing_shutdown_hook_does_not_keep_the_others(
    app: App, client: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    log: list[str] = []
    app.on_shutdown(lambda: log.append("first"))

    @app.on_shutdown
    def fail() -> None:
        raise RuntimeError("stuck")

    app.on_shutdown(lambda: log.append("last"))

    with caplog.at_level(logging.ERROR, "segue"), client():
        pass

    assert log == ["last", "first"]
    assert "raised" in caplog.text


def test_a_lifespan_that_does_not_yield_is_told(app: App, client: Callable[..., Any]) -> None:
    app.lifespan(lambda: None)

    with pytest.raises(UsageError) as caught, client():
        pass

    assert caught.value.code == "app/bad-lifespan"


@pytest.mark.internal
@pytest.mark.parametrize("adapter", [ASGIAdapter, RSGIAdapter, WSGIAdapter])
def test_adapters_of_one_app_share_one_start(app: App, adapter: Callable[..., Any]) -> None:
    compiled = app.compile()

    adapter(compiled)

    assert compiled.lifecycle.claim() is True
    assert compiled.lifecycle.claim() is False
