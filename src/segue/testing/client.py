"""Clients that call an app in process: one for `def` tests, one for `async def` ones.

Both share everything but the call itself: `_Base` builds the request, keeps the
cookies, follows redirects; the clients drive it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from ..context import using
from ..errors import UsageError
from ..handling.bridge import background
from ..handling.recovery import unhandled
from ..http.headers import Headers
from ..protocols import ASGIAdapter, RSGIAdapter, WSGIAdapter
from ..protocols.asgi import ASGIExchange
from . import transports
from .transports import Answer, Call

if TYPE_CHECKING:
    from ..app import App

__all__ = ["AsyncClient", "Client", "TestResponse", "request_context"]

Protocol = Literal["asgi", "rsgi", "wsgi"]


class RequestOptions(TypedDict, total=False):
    """What every request method takes.

    Attributes:
        query: Query parameters, added to those of the path.
        json: A value to send as JSON.
        data: Form fields (a mapping or pairs), or a raw body (text, bytes).
        files: Files of a form: name → content, or (filename, content[, content type]).
        headers: Added to the client's own.
        cookies: For this request alone.
        chunks: A raw body in the pieces it is to arrive in.
        follow_redirects: Whether to go on to where a 3xx leads, within the app.
        client: The address the request comes from.
    """

    query: Mapping[str, Any]
    json: Any
    data: Any
    files: Mapping[str, Any]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    chunks: Iterable[bytes]
    content_type: str
    follow_redirects: bool
    client: str
    disconnect: asyncio.Event


class TestResponse:
    """An answer of the app.

    Attributes:
        status_code: The status.
        headers: Case-insensitive; `getlist` for repeated ones.
        body: All bytes.
        chunks: The pieces that were sent.
        history: The redirects that led here.
    """

    __test__ = False

    def __init__(self, answer: Answer, url: str, history: list[TestResponse]) -> None:
        self.status_code = answer.status
        self.headers = Headers([])
        self.headers.pairs = [(name.lower(), value) for name, value in answer.headers]
        self.chunks = answer.chunks
        self.body = b"".join(answer.chunks)
        self.url = url
        self.history = history
        self.context: dict[str, Any] = {}
        self.templates: list[str] = []

    def __repr__(self) -> str:
        return f"<TestResponse {self.status_code} {self.headers.get('content-type') or '-'}>"

    @property
    def status(self) -> int:
        """The status."""
        return self.status_code

    @property
    def text(self) -> str:
        """The body as text."""
        charset = (self.headers.get("content-type") or "").partition("charset=")[2].partition(";")[0]
        return self.body.decode(charset or "utf-8")

    @property
    def json(self) -> Any:
        """The body decoded from JSON."""
        return msgspec.json.decode(self.body)

    @property
    def content_type(self) -> str:
        """The `Content-Type` header."""
        return self.headers.get("content-type") or ""

    @property
    def location(self) -> str:
        """The `Location` header."""
        return self.headers.get("location") or ""

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that this answer sets."""
        return {name: morsel.value for name, morsel in _set_cookies(self.headers)}


def _set_cookies(headers: Headers) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for value in headers.getlist("set-cookie"):
        jar: SimpleCookie = SimpleCookie()
        jar.load(value)
        found.extend(jar.items())
    return found


Exchanges = Generator[Call, Answer, TestResponse]


class _Base:
    """What both clients do: everything but calling."""

    def __init__(
        self,
        app: App,
        *,
        protocol: Protocol = "asgi",
        base_url: str = "http://localhost",
        headers: Mapping[str, str] | None = None,
        raise_errors: bool = True,
    ) -> None:
        if app._compiled is None:  # pyright: ignore[reportPrivateUsage]
            app.testing = True
        self.app = app
        self.protocol: Protocol = protocol
        self.base_url = base_url
        self.headers = dict(headers or {})
        self.cookies: dict[str, str] = {}
        self.raise_errors = raise_errors
        self._adapter: Any = None
        self._adapted: Any = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.app.name!r} by {self.protocol}>"

    def _entry(self) -> Any:
        compiled = self.app.compile()
        if self._adapted is not compiled:
            adapters: dict[str, Any] = {"asgi": ASGIAdapter, "rsgi": RSGIAdapter, "wsgi": WSGIAdapter}
            self._adapter, self._adapted = adapters[self.protocol](compiled), compiled
        return self._adapter

    def _exchange(self, method: str, path: str, options: RequestOptions) -> Exchanges:
        """Yield calls, receive answers, return the response."""
        history: list[TestResponse] = []
        while True:
            call = self._call(method, path, options)
            answer = yield call
            response = TestResponse(answer, call.target, list(history))
            self._keep_cookies(response)
            if not (options.get("follow_redirects") and response.location and 300 <= response.status_code < 400):
                return response
            if len(history) > 20:
                raise UsageError("More than 20 redirects.", code="testing/redirect-loop", hint=f"Last: {path}")
            target = urlsplit(response.location)
            if target.netloc and target.netloc != urlsplit(self.base_url).netloc:
                return response  # another site: this client knows only its app
            history.append(response)
            path = target.path + (f"?{target.query}" if target.query else "")
            options = {
                "follow_redirects": True,
                **({"headers": options["headers"]} if "headers" in options else {}),
            }
            if response.status_code in (301, 302, 303) and method != "HEAD":
                method = "GET"

    def _call(self, method: str, path: str, options: RequestOptions) -> Call:
        unknown = set(options) - set(RequestOptions.__annotations__)
        if unknown:
            raise UsageError(f"A request takes no {unknown.pop()!r}.", code="testing/unknown-option")
        parts = urlsplit(self.base_url)
        headers = {"host": parts.netloc, "user-agent": "segue-test", **_lower(self.headers)}
        body, content_type = _body(options)
        chunks = list(options["chunks"]) if "chunks" in options else [body] if body is not None else []
        if chunks or body is not None:
            headers["content-length"] = str(sum(map(len, chunks)))
        if "content_type" in options:
            content_type = options["content_type"]
        if content_type:
            headers["content-type"] = content_type
        headers.update(_lower(options.get("headers", {})))
        cookies = {**self.cookies, **options.get("cookies", {})}
        if cookies and "cookie" not in headers:
            headers["cookie"] = "; ".join(
                f"{name}={quote(value, safe=_COOKIE_SAFE)}" for name, value in cookies.items()
            )
        if "query" in options:
            path += ("&" if "?" in path else "?") + urlencode(options["query"], doseq=True)
        target = path if path.isascii() else quote(path, safe="/?&=%:;,+@!$'()*~#[]")
        return Call(
            method.upper(),
            target.partition("#")[0],
            list(headers.items()),
            chunks,
            scheme=parts.scheme,
            client=options.get("client", "127.0.0.1"),
            disconnect=options.get("disconnect"),
        )

    def _keep_cookies(self, response: TestResponse) -> None:
        for name, morsel in _set_cookies(response.headers):
            if morsel["max-age"] == "0" or (morsel["expires"] and "1970" in morsel["expires"]):
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value


_COOKIE_SAFE = "!#$%&'()*+./:<=>?@[]^_`{|}~-"


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _body(options: RequestOptions) -> tuple[bytes | None, str]:
    if "json" in options:
        return msgspec.json.encode(options["json"]), "application/json"
    data = options.get("data")
    if "files" in options:
        return _multipart(data or {}, options["files"])
    if data is None:
        return None, ""
    if isinstance(data, bytes):
        return data, "application/octet-stream"
    if isinstance(data, str):
        return data.encode(), "text/plain; charset=utf-8"
    return urlencode(data, doseq=True).encode("ascii"), "application/x-www-form-urlencoded"


def _multipart(data: Mapping[str, Any], files: Mapping[str, Any]) -> tuple[bytes, str]:
    boundary = secrets.token_hex(12)
    parts: list[bytes] = []
    for name, value in data.items():
        for each in value if isinstance(value, list | tuple) else [value]:
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
            parts.append(head.encode() + str(each).encode() + b"\r\n")
    for name, value in files.items():
        for filename, content, kind in map(_file, value if isinstance(value, list) else [value]):
            head = (
                f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
                f"Content-Type: {kind}\r\n\r\n"
            )
            parts.append(head.encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _file(value: Any) -> tuple[str, bytes, str]:
    if not isinstance(value, tuple):
        value = ("file", value)
    name, content, *kind = value
    if hasattr(content, "read"):
        content = content.read()
    return (
        name,
        content.encode() if isinstance(content, str) else content,
        kind[0] if kind else "application/octet-stream",
    )


@contextmanager
def _raising(client: _Base) -> Iterator[list[BaseException]]:
    """Collect what no handler took, and raise it where the client is asked to."""
    errors: list[BaseException] = []
    token = unhandled.set(errors)
    try:
        yield errors
    finally:
        unhandled.reset(token)
    if errors and client.raise_errors:
        raise errors[0]


class Client(_Base):
    """Calls an app from `def` tests. As a context manager it runs start-up and shutdown.

    Args:
        protocol: `asgi`, `rsgi` or `wsgi`.
        base_url: Scheme and host of the requests.
        headers: Sent with each request.
        raise_errors: Whether an error that no handler took is raised here; else it is a 500.
    """

    def __enter__(self) -> Client:
        compiled = self.app.compile()
        if compiled.lifecycle.claim():
            asyncio.run_coroutine_threadsafe(compiled.lifecycle.start(), background.loop()).result()
        return self

    def __exit__(self, *error: object) -> None:
        compiled = self.app.compile()
        asyncio.run_coroutine_threadsafe(compiled.lifecycle.stop(), background.loop()).result()

    def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a request and return the answer."""
        steps = self._exchange(method, path, options)
        with _raising(self):
            try:
                call = next(steps)
                while True:
                    call = steps.send(self._perform(call))
            except StopIteration as stop:
                response: TestResponse = stop.value
        return response

    def _perform(self, call: Call) -> Answer:
        entry = self._entry()
        if self.protocol == "wsgi":
            return transports.wsgi(self.app, entry, call)
        perform: Any = transports.asgi if self.protocol == "asgi" else transports.rsgi
        coroutine = perform(self.app, entry, call)
        answer: Answer = asyncio.run_coroutine_threadsafe(coroutine, background.loop()).result()
        return answer

    def get(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a GET request."""
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a POST request."""
        return self.request("POST", path, **options)

    def put(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a PUT request."""
        return self.request("PUT", path, **options)

    def patch(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a PATCH request."""
        return self.request("PATCH", path, **options)

    def delete(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a DELETE request."""
        return self.request("DELETE", path, **options)

    def head(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a HEAD request."""
        return self.request("HEAD", path, **options)

    def options(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", path, **options)


class AsyncClient(_Base):
    """Calls an app from `async def` tests, on the running loop. As `Client` in all else."""

    async def __aenter__(self) -> AsyncClient:
        lifecycle = self.app.compile().lifecycle
        if lifecycle.claim():
            await lifecycle.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.app.compile().lifecycle.stop()

    async def request(self, method: str, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a request and return the answer."""
        steps = self._exchange(method, path, options)
        with _raising(self):
            try:
                call = next(steps)
                while True:
                    call = steps.send(await self._perform(call))
            except StopIteration as stop:
                response: TestResponse = stop.value
        return response

    async def _perform(self, call: Call) -> Answer:
        entry = self._entry()
        if self.protocol == "wsgi":
            return await asyncio.to_thread(transports.wsgi, self.app, entry, call)
        perform: Any = transports.asgi if self.protocol == "asgi" else transports.rsgi
        # A task of its own, as under a server: so context variables do not leak out.
        answer: Answer = await asyncio.ensure_future(perform(self.app, entry, call))
        return answer

    async def get(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a GET request."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a POST request."""
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a PUT request."""
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a PATCH request."""
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a DELETE request."""
        return await self.request("DELETE", path, **options)

    async def head(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send a HEAD request."""
        return await self.request("HEAD", path, **options)

    async def options(self, path: str, **options: Unpack[RequestOptions]) -> TestResponse:
        """Send an OPTIONS request."""
        return await self.request("OPTIONS", path, **options)


@contextmanager
def request_context(app: App, path: str = "/", *, method: str = "GET", **options: Any) -> Iterator[Any]:
    """Make a request to *path* the running one for the block, and give it."""
    client = Client(app)
    call = client._call(method, path, options)  # type: ignore[arg-type]  # the keys are checked there
    compiled = app.compile()
    body = b"".join(call.chunks)
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": call.method,
        "scheme": call.scheme,
        "path": call.raw_path,
        "query_string": call.query.encode("latin-1"),
        "headers": [(name.encode(), value.encode()) for name, value in call.headers],
        "client": (call.client, 50000),
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        raise UsageError("Nothing is answered in a test_request_context.", code="testing/no-answer")

    bridge = compiled.in_background()
    exchange = ASGIExchange(compiled, bridge, scope, receive, send, call.raw_path)
    exchange.endpoint = compiled.find(exchange, call.method, call.raw_path, urlsplit(client.base_url).netloc)
    if body:
        bridge.wait(exchange.aread_body(compiled.limits))
    with using(exchange):
        yield exchange.request
