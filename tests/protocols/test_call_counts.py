"""The hot path is guarded by counting calls: exact on any machine, however busy.

A number that rises is work that every request pays from then on. Raise it here only with
the reason in the commit; lower it whenever it falls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest

from segue import App
from segue.protocols import ASGIAdapter, RSGIAdapter, WSGIAdapter

pytestmark = pytest.mark.internal

CallsOf = Callable[[Callable[[], Any]], int]


class Headers:
    """What RSGI gives, without the cost of parsing."""

    def get_all(self, name: str) -> list[str]:
        return ["localhost"]


class Scope:
    proto, http_version, authority, scheme, client, method = "http", "1.1", None, "http", "127.0.0.1:1", "GET"
    headers = Headers()

    def __init__(self, path: str, query: str) -> None:
        self.path, self.query_string = path, query


class Protocol:
    def response_bytes(self, status: int, headers: Any, body: bytes) -> None:
        assert status == 200


def make(colour: str) -> App:
    app = App("counted", config={"ALLOWED_HOSTS": ["localhost"]}, static_folder=None, template_folder=None)

    def plain() -> dict[str, str]:
        return {"message": "hello"}

    async def aplain() -> dict[str, str]:
        return {"message": "hello"}

    def item(pk: int) -> dict[str, int]:
        return {"pk": pk}

    async def aitem(pk: int) -> dict[str, int]:
        return {"pk": pk}

    def search(q: str, page: Annotated[int, msgspec.Meta(ge=1)] = 1) -> dict[str, Any]:
        return {"q": q, "page": page}

    async def asearch(q: str, page: Annotated[int, msgspec.Meta(ge=1)] = 1) -> dict[str, Any]:
        return {"q": q, "page": page}

    is_def = colour == "def"
    app.get("/json")(plain if is_def else aplain)
    app.get("/items/<int:pk>")(item if is_def else aitem)
    app.get("/search")(search if is_def else asearch)
    return app


# What each protocol may call, by path: Python functions, the test's own fakes included.
MOST = {
    "wsgi": {"/json": 6, "/items/7": 11, "/search": 11},
    "rsgi": {"/json": 6, "/items/7": 10, "/search": 9},
    "asgi": {"/json": 6, "/items/7": 11, "/search": 10},
}
CASES = [("/json", ""), ("/items/7", ""), ("/search", "q=a&page=2")]


@pytest.mark.parametrize(("path", "query"), CASES, ids=["json", "path", "query"])
def test_calls_of_a_request_by_wsgi(path: str, query: str, calls_of: CallsOf) -> None:
    adapter = WSGIAdapter(make("def").compile())
    environ = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "HTTP_HOST": "localhost", "QUERY_STRING": query}

    def start_response(status: str, headers: Any) -> None:
        assert status == "200 OK"

    adapter(environ, start_response)

    def ask() -> None:
        adapter(environ, start_response)

    assert calls_of(ask) <= MOST["wsgi"][path]


@pytest.mark.parametrize(("path", "query"), CASES, ids=["json", "path", "query"])
async def test_calls_of_a_request_by_rsgi(path: str, query: str, calls_of: CallsOf) -> None:
    adapter = RSGIAdapter(make("async def").compile())
    scope, protocol = Scope(path, query), Protocol()
    await adapter(scope, protocol)
    await asyncio.sleep(0)

    assert calls_of(lambda: finish_quietly(adapter(scope, protocol))) <= MOST["rsgi"][path]


@pytest.mark.parametrize(("path", "query"), CASES, ids=["json", "path", "query"])
async def test_calls_of_a_request_by_asgi(path: str, query: str, calls_of: CallsOf) -> None:
    adapter = ASGIAdapter(make("async def").compile())
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"host", b"localhost")],
    }

    async def send(message: Any) -> None:
        return None

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    await adapter(scope, receive, send)

    assert calls_of(lambda: finish_quietly(adapter(scope, receive, send))) <= MOST["asgi"][path]


def finish_quietly(coroutine: Any) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("the request waited for something")
