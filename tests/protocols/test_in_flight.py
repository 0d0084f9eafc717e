"""SECURITY X31: above MAX_IN_FLIGHT a request is refused at once, whatever serves it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from segue import App, stream
from segue.testing import Client


class Gate:
    """Where handlers wait, in a thread or on a loop, until they are let go."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.is_open = threading.Event()

    def wait(self) -> None:
        self.entered.release()
        assert self.is_open.wait(10)

    async def await_(self) -> None:
        self.entered.release()
        while not self.is_open.is_set():
            await asyncio.sleep(0.001)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def limited(gate: Gate) -> App:
    """An app that serves two requests at once."""
    app = App("limited", config={"MAX_IN_FLIGHT": 2}, static_folder=None, template_folder=None)

    @app.get("/def")
    def plain() -> str:
        gate.wait()
        return "def"

    @app.get("/async def")
    async def coroutine() -> str:
        await gate.await_()
        return "async def"

    @app.get("/stream")
    def streamed() -> Any:
        def pieces() -> Iterator[str]:
            gate.wait()
            yield "stream"

        return stream(pieces())

    @app.get("/error")
    def broken() -> None:
        raise ZeroDivisionError

    @app.get("/quick")
    def quick() -> str:
        return "quick"

    return app


@pytest.fixture
def asked(limited: App, protocol: str, gate: Gate) -> Iterator[Callable[[str], Any]]:
    """Fill the app with two requests of a path and return what a third one gets."""
    client = Client(limited, protocol=protocol, raise_errors=False)
    with ThreadPoolExecutor(2) as pool:

        def ask(path: str) -> Any:
            waiting = [pool.submit(client.get, path) for _ in range(2)]
            for _ in waiting:
                assert gate.entered.acquire(timeout=10)
            third = client.get("/quick")
            gate.is_open.set()
            assert [each.result().text for each in waiting] == [path[1:]] * 2
            return third, client.get("/quick")

        yield ask
        gate.is_open.set()


@pytest.mark.parametrize("path", ["/def", "/async def", "/stream"])
def test_a_request_above_the_limit_is_refused_and_told_when_to_come_again(
    asked: Callable[[str], Any], path: str
) -> None:
    third, _ = asked(path)

    assert (third.status_code, third.headers["retry-after"]) == (503, "1")
    assert third.json["code"] == "http/service-unavailable"
    assert third.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/def", "/async def", "/stream"])
def test_whoever_comes_after_the_last_byte_is_served_again(asked: Callable[[str], Any], path: str) -> None:
    _, after = asked(path)

    assert (after.status_code, after.text) == (200, "quick")


def test_a_request_that_fails_or_leads_nowhere_gives_its_place_back(limited: App, protocol: str) -> None:
    client = Client(limited, protocol=protocol, raise_errors=False)

    for _ in range(3):
        client.get("/error")
        client.get("/nowhere")

    assert client.get("/quick").text == "quick"
