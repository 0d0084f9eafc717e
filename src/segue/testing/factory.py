"""Requests without a handler: for functions that take a `Request`."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import unquote, urlsplit

from ..context import using
from ..errors import UsageError
from ..http.request import Request
from ..protocols.asgi import ASGIExchange
from .calling import Caller, RequestOptions

if TYPE_CHECKING:
    from ..app import App

__all__ = ["RequestFactory", "make_exchange", "request_context"]


def make_exchange(app: App, path: str, *, method: str = "GET", **options: Any) -> ASGIExchange:
    """Return the context of a request to *path*: routed, its body read, nothing run."""
    url, call = Caller(app).first_call(method, path, options)  # type: ignore[arg-type]  # the keys are checked there
    compiled = app.compile()
    body = b"".join(call.chunks)
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "method": call.method,
        "scheme": call.scheme,
        "path": unquote(call.raw_path),
        "query_string": call.query.encode("latin-1"),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in call.headers],
        "client": (call.client, 50000),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        raise UsageError(
            "Nothing is answered here.",
            code="testing/no-answer",
            why="This request was made for a function that takes one; no server waits for its answer.",
            hint="app.test_client() sends requests and gives answers.",
        )

    bridge = compiled.in_background()
    exchange = ASGIExchange.make(compiled, bridge, scope, receive, send, scope["path"])
    exchange.endpoint = compiled.find(exchange, call.method, scope["path"], urlsplit(url).netloc)
    if body:
        bridge.wait(exchange.aread_body(compiled.limits))
    return exchange


@contextmanager
def request_context(app: App, path: str = "/", *, method: str = "GET", **options: Any) -> Generator[Request]:
    """Make a request to *path* the running one for the block, and give it."""
    with using(make_exchange(app, path, method=method, **options)) as exchange:
        request: Request = exchange.request
        yield request


class RequestFactory:
    """Makes requests, as `Client` makes them, and sends none.

    >>> from segue import App
    >>> RequestFactory(App("demo")).get("/search", query={"q": "ellington"}).query["q"]
    'ellington'
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def __repr__(self) -> str:
        return f"<RequestFactory of {self._app.name!r}>"

    def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> Request:
        """Return a request; its body, if any, is read."""
        request: Request = make_exchange(self._app, path, method=method, **options).request
        return request

    def get(self, path: str, **options: Unpack[RequestOptions]) -> Request:
        """Return a GET request."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Unpack[RequestOptions]) -> Request:
        """Return a POST request."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Unpack[RequestOptions]) -> Request:
        """Return a PUT request."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[RequestOptions]) -> Request:
        """Return a PATCH request."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[RequestOptions]) -> Request:
        """Return a DELETE request."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Unpack[RequestOptions]) -> Request:
        """Return a HEAD request."""
        return self.request("HEAD", path, **options)
