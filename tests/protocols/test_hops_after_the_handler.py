"""A stream, a clean-up and a hook run after the handler; what they hand to a thread is run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import pytest

from segue import App, Depends, run_sync, stream
from segue.http import StreamResponse

Clients = Callable[..., Any]


@pytest.mark.parametrize("colour", ["def", "async def"])
def test_a_stream_may_run_a_function_in_a_thread(app: App, client: Clients, colour: str) -> None:
    async def chunks() -> AsyncIterator[str]:
        yield "one "
        yield await run_sync(lambda: "two")

    async def coroutine() -> StreamResponse:
        return stream(chunks())

    app.get("/")(coroutine if colour == "async def" else lambda: stream(chunks()))

    assert client().get("/").text == "one two"


async def opened(log: list[str]) -> AsyncIterator[str]:
    yield "open"
    await run_sync(log.append, "closed")


def test_a_clean_up_may_run_a_function_in_a_thread(app: App, client: Clients) -> None:
    log: list[str] = []

    async def connection() -> AsyncIterator[str]:
        async for state in opened(log):
            yield state

    async def view(state: str) -> str:
        return state

    view.__annotations__["state"] = Annotated[str, Depends(connection)]
    app.get("/")(view)

    assert client().get("/").text == "open"
    assert log == ["closed"]


def test_a_users_context_variable_ends_with_its_request(app: App, client: Callable[..., Any]) -> None:
    from contextvars import ContextVar

    seen: ContextVar[str] = ContextVar("seen", default="nothing")

    @app.get("/")
    def handler() -> str:
        before = seen.get()
        seen.set("the last request")
        return before

    browser = client()

    assert [browser.get("/").text, browser.get("/").text] == ["nothing", "nothing"]
