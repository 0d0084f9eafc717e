"""An app that is dropped goes: no cache, timer, thread or registry of the framework keeps it."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from segue import App, stream
from segue.errors import NotFound
from segue.handling.bridge import _Background
from segue.protocols import ASGIAdapter
from segue.testing import AsyncClient, Client


@pytest.fixture(autouse=True)
def among_few_objects() -> Iterator[None]:
    """Let a collection look at what the test makes alone: pytest's own is far more."""
    gc.freeze()
    yield
    gc.unfreeze()


def make(name: str = "dropped") -> App:
    """An app that has something of everything that a request may touch."""
    app = App(name, config={"ALLOWED_HOSTS": ["localhost"]}, static_folder=None, template_folder=None)

    @app.before_request
    def look() -> None:
        return None

    @app.get("/def/<int:pk>")
    def plain(pk: int) -> dict[str, int]:
        return {"pk": pk}

    @app.get("/async")
    async def coroutine(q: str = "") -> dict[str, str]:
        return {"q": q}

    @app.get("/stream")
    def streamed() -> Any:
        return stream(iter(["a", "b"]))

    @app.post("/body")
    async def body(name: str) -> dict[str, str]:
        return {"name": name}

    @app.get("/error")
    def broken() -> None:
        raise ZeroDivisionError

    @app.errorhandler(404)
    def missing(error: NotFound) -> str:
        return "nothing"

    @app.on_startup
    def begin() -> None:
        return None

    return app


async def use(app: App, protocol: str) -> None:
    async with AsyncClient(app, protocol=protocol, raise_errors=False) as client:
        await client.get("/def/3")
        await client.get("/async", query={"q": "x"})
        await client.get("/stream")
        await client.post("/body", json={"name": "x"})
        await client.get("/error")
        await client.get("/nowhere")


def dropped(made: Callable[[], App], protocol: str) -> weakref.ref[App]:
    app = made()
    asyncio.run(use(app, protocol))
    return weakref.ref(app)


def goes(left: weakref.ref[Any]) -> bool:
    """Whether it is collected, once the threads have ended the steps that they are in."""
    for _ in range(500):
        gc.collect()
        if left() is None:
            return True
        time.sleep(0.002)
    return False


@pytest.mark.parametrize("mounts", [False, True], ids=["alone", "with a mounted app"])
def test_an_app_that_served_is_collected_once_nobody_holds_it(protocol: str, mounts: bool) -> None:
    def made() -> App:
        app = make()
        if mounts:
            app.mount("/inner", make("inner"))
        return app

    assert goes(dropped(made, protocol))


def test_an_app_is_collected_while_the_loop_that_served_it_runs_on(protocol: str) -> None:
    app = make()
    with Client(app, protocol=protocol, raise_errors=False) as client:
        client.get("/def/3")
        client.get("/async")
        client.get("/error")
    left = weakref.ref(app)

    del app, client

    assert goes(left)


class Carried:
    """What a caller has in its context."""


carried: ContextVar[Carried] = ContextVar("carried")


@pytest.mark.internal
def test_the_background_loop_keeps_nothing_of_who_called_first() -> None:
    background = _Background()

    def call() -> weakref.ref[Carried]:
        mine = Carried()
        carried.set(mine)
        background.loop()
        return weakref.ref(mine)

    left = copy_context().run(call)
    gc.collect()

    assert left() is None
    loop = background.loop()
    loop.call_soon_threadsafe(loop.stop)
    while loop.is_running():
        time.sleep(0.001)
    loop.close()


async def test_the_timers_of_a_loop_keep_nothing_of_the_first_request() -> None:
    adapter = ASGIAdapter(make().compile())
    supervisor = adapter.app.on_loop(asyncio.get_running_loop())[1]

    def call() -> weakref.ref[Carried]:
        mine = Carried()
        carried.set(mine)
        supervisor.start()
        return weakref.ref(mine)

    left = copy_context().run(call)
    gc.collect()

    assert left() is None


async def test_a_mounted_app_that_was_never_stopped_goes_with_the_one_around_it() -> None:
    outer, inner = make(), make("inner")
    outer.mount("/inner", inner)
    lifecycle = outer.compile().lifecycle
    lifecycle.claim()
    await lifecycle.start()
    left = weakref.ref(inner)

    del outer, inner, lifecycle
    gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    gc.collect()

    assert left() is None
