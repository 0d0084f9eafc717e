"""WSGI (PEP 3333): the cheapest interface for `def` handlers.

The request's own thread runs everything; async steps run on the background loop
while it waits. What WSGI cannot tell: a header `X_Name` from `X-Name`, a repeated
header from a joined one, and that a client is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from functools import lru_cache
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any

from ..context import _current, lazy  # pyright: ignore[reportPrivateUsage]  # PERF: set once per request
from ..errors import BadRequest
from ..handling.application import CompiledApp
from ..handling.endpoint import Endpoint
from ..handling.exchange import Exchange
from ..handling.recovery import cleanup, run
from ..http.headers import RequestHeaders
from ..http.intake import Body, Intake, declared_length, is_small
from ..http.limits import Limits
from ..http.proxies import Peer
from ..http.response import Response, StreamResponse
from .sending import BODILESS, all_headers, clean_pairs, is_file, overloaded, peer_of, ready, run_closers, sync_chunks

if TYPE_CHECKING:
    from ..handling.bridge import Bridge

__all__ = ["WSGIAdapter", "WSGIExchange"]

_set_current = _current.set
_CHUNK = 65_536
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}
# One empty chunk: hypercorn never sends the headers of a response that has none.
_NOTHING = (b"",)


@lru_cache(maxsize=128)
def _key_of(name: str) -> str:
    """Return the environ's key of a header. PERF: guards ask for few names, and for them with each request."""
    key = name.replace("-", "_").upper()
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else "HTTP_" + key


class WSGIExchange(Exchange):
    """An exchange over WSGI's environ."""

    received: Body | None = None

    def __init__(self, app: CompiledApp, environ: dict[str, Any], path: str) -> None:
        self.app = app
        self.environ = environ
        self.path = path

    @lazy
    def bridge(self) -> Bridge:
        """The way to the background loop, where async steps run."""
        return self.app.in_background()

    @lazy
    def method(self) -> str:
        return self.environ["REQUEST_METHOD"]

    @lazy
    def query_string(self) -> str:
        return self.environ.get("QUERY_STRING", "")

    @lazy
    def root_path(self) -> str:
        return self.environ.get("SCRIPT_NAME", "").encode("latin-1").decode("utf-8", "replace")

    @lazy
    def http_version(self) -> str:
        return self.environ.get("SERVER_PROTOCOL", "HTTP/1.1").removeprefix("HTTP/")

    def header(self, name: str) -> str | None:
        """Return one header without parsing the others; *name* in lower case."""
        return self.environ.get(_key_of(name))

    def header_pairs(self) -> list[tuple[str, str]]:
        pairs = [
            (key[5:].replace("_", "-").lower(), value)
            for key, value in self.environ.items()
            if key.startswith("HTTP_") and key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
        ]
        for key, name in (("CONTENT_TYPE", "content-type"), ("CONTENT_LENGTH", "content-length")):
            if self.environ.get(key):
                pairs.append((name, self.environ[key]))
        return clean_pairs(pairs)

    def peer(self, headers: RequestHeaders) -> Peer:
        environ = self.environ
        address = environ.get("REMOTE_ADDR", "")
        # Granian puts the port behind the address.
        if address.count(":") == 1:
            address = address.partition(":")[0]
        return peer_of(self.app, address, environ.get("wsgi.url_scheme", "http"), headers.get("host", ""), headers)

    # The body

    def read_body(self, limits: Limits) -> None:
        """Read the body into `received`."""
        environ = self.environ
        declared = declared_length(environ.get("CONTENT_LENGTH") or None)
        if declared is None and "HTTP_TRANSFER_ENCODING" not in environ:
            self.received = Body(b"", limits)
            return
        content_type = environ.get("CONTENT_TYPE") or ""
        encoding = environ.get("HTTP_CONTENT_ENCODING")
        if is_small(declared, limits, content_type, encoding):
            data = self._read(declared)
            while len(data) < declared:
                more = self._read(declared - len(data))
                if not more:
                    raise BadRequest("The body is not as long as it says.", code="http/incomplete-body")
                data += more
            self.received = Body(data, limits, content_type)
            return
        intake = Intake(content_type=content_type, declared=declared, content_encoding=encoding, limits=limits)
        try:
            for chunk in self._chunks(declared):
                intake.feed(chunk)
            received = self.received = intake.finish()
        except BaseException:
            intake.close()
            raise
        if received.data is None:
            self.add_cleanup(lambda error: received.close())

    async def aread_body(self, limits: Limits) -> None:
        """Read the body for a coroutine endpoint, in the request's own thread."""
        await self.bridge.hop(self.portal, self.read_body, limits)

    def _read(self, size: int) -> bytes:
        try:
            return self.environ["wsgi.input"].read(size)
        except (OSError, RuntimeError, ValueError) as error:
            raise BadRequest("The body could not be read.", code="http/incomplete-body") from error

    def _chunks(self, declared: int | None) -> Iterator[bytes]:
        left = declared
        while left is None or left > 0:
            chunk = self._read(_CHUNK if left is None else min(_CHUNK, left))
            if not chunk:
                return
            if left is not None:
                left -= len(chunk)
            yield chunk

    def open_stream(self) -> Any:
        """The chunks as they come, counted against the route's limit."""
        from .streaming import sync_stream_of  # for handlers that read the body themselves

        return sync_stream_of(self, self._chunks(declared_length(self.environ.get("CONTENT_LENGTH") or None)))

    async def wait_for_disconnect(self) -> None:
        """Wait for ever: WSGI does not tell."""
        await self.bridge.loop.create_future()


class WSGIAdapter:
    """Answers WSGI calls for one compiled app."""

    def __init__(self, app: CompiledApp) -> None:
        self.app = app
        self._is_started = app.lifecycle.is_empty
        self._lock = Lock()
        self._requests = 0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request, with context variables of its own: servers keep their threads."""
        if not self._is_started:
            self._start()
        if self.app.max_in_flight:
            return self._answer_counted(environ, start_response)
        return copy_context().run(self._answer, environ, start_response)

    def _answer_counted(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            is_full = self._requests >= self.app.max_in_flight
            self._requests += not is_full
        if is_full:
            response = overloaded()
            headers = [*all_headers(response, self.app.blocks), ("content-length", str(len(response.body)))]
            start_response(_STATUS_LINES[response.status], headers)
            return _NOTHING if environ["REQUEST_METHOD"] == "HEAD" else [response.body]
        try:
            body = copy_context().run(self._answer, environ, start_response)
        except BaseException:
            self._uncount()
            raise
        if isinstance(body, _Sent):
            body.when_closed = self._uncount
        else:
            self._uncount()
        return body

    def _uncount(self) -> None:
        with self._lock:
            self._requests -= 1

    def _answer(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        app = self.app
        path = environ["PATH_INFO"] or "/"
        method = environ["REQUEST_METHOD"]
        exchange = WSGIExchange(app, environ, path)
        _set_current(exchange)
        host = environ.get("HTTP_HOST")
        endpoint = None
        if host not in app.hosts.accepted:
            endpoint = app.refuse_host(exchange, [host] if host is not None else [])
        if endpoint is None:
            table = app.static_routes.get(path)
            endpoint = table.get(method) if table is not None else None
            if endpoint is None:
                endpoint = self._find(exchange, method, path, host or "")
        exchange.endpoint = endpoint
        if endpoint.is_async:
            exchange.portal = portal = exchange.bridge.portal()
            try:
                reply = exchange.bridge.drive(portal, endpoint.call(exchange, exchange.values))
            finally:
                # This thread serves it no more: what a stream or a clean-up hops goes to the pool.
                exchange.portal = None
        else:
            reply = endpoint.call(exchange, exchange.values)
        if reply.__class__ is tuple:
            status, block, body = reply
            start_response(_STATUS_LINES[status], [*block.text, ("content-length", str(len(body)))])
            if exchange.cleanups is None and not endpoint.teardown and not app.finished.receivers:
                return [body] if method != "HEAD" else _NOTHING
            return _Sent(exchange, endpoint, [body] if method != "HEAD" else _NOTHING, None)
        if reply.__class__ is Response and reply.closers is None and exchange.cleanups is None and method != "HEAD":
            body = reply._body
            if body and reply.status not in BODILESS and not endpoint.teardown and not app.finished.receivers:
                headers = [*all_headers(reply, endpoint.blocks), ("content-length", str(len(body)))]
                start_response(_STATUS_LINES.get(reply.status) or f"{reply.status} Status", headers)
                return [body]
        return self._send(exchange, endpoint, reply, start_response, head=method == "HEAD")

    def _find(self, exchange: WSGIExchange, method: str, path: str, host: str) -> Endpoint:
        if not path.isascii():
            try:
                path = exchange.path = path.encode("latin-1").decode("utf-8")
            except (UnicodeDecodeError, UnicodeEncodeError):
                return self.app.refuse(exchange, BadRequest("The path is malformed.", code="http/bad-path"))
            table = self.app.static_routes.get(path)
            if table is not None and method in table:
                return table[method]
        return self.app.find(exchange, method, path, host)

    def _start(self) -> None:
        self.app.in_background().wait(self.app.lifecycle.ensure())
        self._is_started = True

    def stop(self) -> None:
        """Run the shutdown; servers do not tell WSGI apps, so the runner does."""
        if self.app.lifecycle.is_started:
            self.app.in_background().wait(self.app.lifecycle.stop())
        self._is_started = self.app.lifecycle.is_empty

    def _send(
        self,
        exchange: WSGIExchange,
        endpoint: Endpoint,
        reply: Response,
        start_response: Callable[..., Any],
        *,
        head: bool,
    ) -> Iterable[bytes]:
        response = ready(exchange, reply)
        headers = all_headers(response, endpoint.blocks)
        status = response.status
        chunks: Iterable[bytes]
        if isinstance(response, StreamResponse):
            chunks = _NOTHING if head or status in BODILESS else sync_chunks(exchange, response.chunks)
        elif is_file(response):
            headers = [*headers, ("content-length", str(response.length))]
            chunks = _NOTHING if head else response.chunks()
        else:
            body = response.body
            if status not in BODILESS:
                headers = [*headers, ("content-length", str(len(body)))]
            chunks = _NOTHING if head or status in BODILESS else (body,)
        start_response(_STATUS_LINES.get(status) or f"{status} Status", headers)
        return _Sent(exchange, endpoint, chunks, response)


class _Sent:
    """A body on its way out; its end runs what follows the last byte.

    Attributes:
        when_closed: Called at the very end.
    """

    __slots__ = ("_chunks", "_context", "_endpoint", "_exchange", "_response", "when_closed")

    def __init__(
        self, exchange: WSGIExchange, endpoint: Endpoint, chunks: Iterable[bytes], response: Response | None
    ) -> None:
        self._exchange: WSGIExchange | None = exchange
        self._endpoint = endpoint
        self._chunks = chunks
        self._response = response
        self.when_closed: Callable[[], None] | None = None
        # The request's own variables, for a stream's code and for the clean-up.
        self._context = copy_context()

    def __iter__(self) -> Iterator[bytes]:
        exchange = self._exchange
        chunks = iter(self._chunks)
        while True:
            try:
                chunk = self._context.run(next, chunks, None)
            except Exception as error:
                if exchange is not None:
                    exchange.error = error
                raise
            if chunk is None:
                return
            yield chunk

    def close(self) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            try:
                self._context.run(self._finish, exchange)
            finally:
                if self.when_closed is not None:
                    self.when_closed()

    def _finish(self, exchange: WSGIExchange) -> None:
        close = getattr(self._chunks, "close", None)
        if close is not None:
            close()
        if self._response is not None:
            run_closers(self._response)
        if exchange.cleanups is not None or self._endpoint.teardown:
            run(cleanup(exchange, self._endpoint.teardown), exchange)
        finished = exchange.app.finished
        if finished.receivers:
            finished.send(exchange.app.app, request=exchange.request)
