"""RSGI 1.6: Granian's own interface, the cheapest for `async def` handlers.

What Granian does behind it, measured: the path arrives decoded, a malformed byte as
U+FFFD; header values that are not ASCII are missing; an upload cut off looks complete
under `async for`; a response header with a control character is dropped silently. So
paths are refused at the gate, lengths are compared, and headers are checked by us.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from operator import attrgetter
from typing import Any, cast

from ..errors import BadRequest
from ..handling.application import CompiledApp
from ..handling.endpoint import Endpoint
from ..handling.exchange import Exchange
from ..handling.results import Blocks, Reply
from ..http.headers import RequestHeaders
from ..http.intake import Body, Intake, declared_length, is_small
from ..http.limits import Limits
from ..http.proxies import Peer
from ..http.response import Response, StreamResponse
from .loops import (
    Loop,
    ended_by_disconnect,
    finish,
    in_thread,
    in_time,
    reset_current,
    set_current,
    stopped,
    take_in,
    task_of,
)
from .sending import (
    BODILESS,
    all_headers,
    chunks_of,
    clean_pairs,
    is_file,
    overloaded,
    peer_of,
    ready,
    report_broken_stream,
    run_closers,
)

__all__ = ["RSGIAdapter", "RSGIExchange"]

_new = object.__new__


class RSGIExchange(Exchange):
    """An exchange over RSGI's scope and protocol objects."""

    scope: Any  # Any: RSGI's objects have no types
    protocol: Any
    received: Body | None = None

    # PERF: read in C; a request mostly asks once, so nothing is kept.
    method: str = cast(str, property(attrgetter("scope.method")))
    path: str = cast(str, property(attrgetter("scope.path")))
    query_string: str = cast(str, property(attrgetter("scope.query_string")))
    http_version: str = cast(str, property(attrgetter("scope.http_version")))
    root_path = ""

    def header(self, name: str) -> str | None:
        """Return one header without parsing the others; *name* in lower case."""
        return self.scope.headers.get(name)

    def header_pairs(self) -> list[tuple[str, str]]:
        headers = self.scope.headers
        return clean_pairs((name, value) for name in headers.keys() for value in headers.get_all(name))  # noqa: SIM118 - RSGI's headers are no dict

    def peer(self, headers: RequestHeaders) -> Peer:
        scope = self.scope
        host = headers.get("host") or scope.authority or ""
        return peer_of(self.app, scope.client.rpartition(":")[0].strip("[]"), scope.scheme, host, headers)

    # The body

    async def aread_body(self, limits: Limits) -> None:
        """Read the body into `received`."""
        headers = self.scope.headers
        length = headers.get("content-length")
        declared = declared_length(length)
        if declared is None and headers.get("transfer-encoding") is None and not self._may_have_body():
            self.received = Body(b"", limits)
            return
        content_type = headers.get("content-type") or ""
        encoding = headers.get("content-encoding")
        if is_small(declared, limits, content_type, encoding):
            # PERF: a small body in one await; Granian raises where it is cut short.
            try:
                if self.task is None:
                    data = await in_time(self, self.protocol())
                else:
                    # PERF: a flag tells the supervisor that it is the body's time that runs.
                    self.begin_reading()
                    try:
                        data = await self.protocol()
                    finally:
                        self.end_reading()
            except (RuntimeError, ValueError, OSError) as error:
                raise BadRequest("The body could not be read.", code="http/incomplete-body") from error
            if len(data) != declared:
                raise BadRequest("The body is not as long as it says.", code="http/incomplete-body")
            self.received = Body(data, limits, content_type)
            return
        intake = Intake(content_type=content_type, declared=declared, content_encoding=encoding, limits=limits)
        await take_in(self, intake, self._chunks())

    def _may_have_body(self) -> bool:
        return self.scope.http_version.startswith("2")

    async def _chunks(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self.protocol:
                if chunk:
                    yield bytes(chunk)
        except (RuntimeError, ValueError, OSError) as error:
            raise BadRequest("The body could not be read.", code="http/incomplete-body") from error

    def read_body(self, limits: Limits) -> None:
        """Read the body from the thread of a `def` endpoint."""
        self.bridge.wait(self.aread_body(limits))

    def open_stream(self) -> Any:
        """The chunks as they come, counted against the route's limit."""
        from .streaming import stream_of  # for handlers that read the body themselves

        return stream_of(self, self._chunks())

    async def wait_for_disconnect(self) -> None:
        """Return once the client is gone."""
        await self.protocol.client_disconnect()


class RSGIAdapter:
    """Answers RSGI calls for one compiled app."""

    def __init__(self, app: CompiledApp, *, socket: Callable[..., Any] | None = None) -> None:
        self.app = app
        self.loop: Loop = Loop(app)
        self._starting: asyncio.Future[None] | None = None
        self._socket = socket

    # Start and stop

    def init(self, loop: asyncio.AbstractEventLoop) -> None:
        """`__rsgi_init__`: run the start-up before the first request."""
        self.loop.enter(loop)
        lifecycle = self.app.lifecycle
        if lifecycle.is_empty:
            return
        if loop.is_running():
            # The embedded server calls this on its running loop: requests wait instead.
            self._starting = asyncio.ensure_future(lifecycle.ensure(), loop=loop)
        else:
            loop.run_until_complete(lifecycle.ensure())

    def stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """`__rsgi_del__`: run the shutdown after the last request."""
        if loop.is_running():
            self._starting = asyncio.ensure_future(self.app.lifecycle.stop(), loop=loop)
        elif not loop.is_closed():
            loop.run_until_complete(self.app.lifecycle.stop())

    # One request

    async def __call__(self, scope: Any, protocol: Any) -> None:
        """Answer one request."""
        app, here = self.app, self.loop
        if scope.proto != "http":
            await self._refuse_socket(scope, protocol)
            return
        if here.loop is None or self._starting is not None:
            await self._prepare()
        if here.requests >= here.most:
            self._send_whole(protocol, overloaded(), self.app.blocks, head=scope.method == "HEAD")
            return
        # PERF: five stores instead of a call of __init__: 0.1 us.
        exchange = _new(RSGIExchange)
        exchange.app = app
        exchange.bridge = here.bridge
        exchange.scope = scope
        exchange.protocol = protocol
        token = set_current(exchange)
        here.requests += 1
        try:
            method, path = scope.method, scope.path
            # PERF: one touch of scope.headers (it copies), one look-up for the host.
            hosts = scope.headers.get_all("host")
            authority = scope.authority
            endpoint = None
            if not (
                len(hosts) == 1 and hosts[0] in app.hosts.accepted and (authority is None or authority == hosts[0])
            ):
                endpoint = app.refuse_host(exchange, hosts, authority)
            if endpoint is None:
                table = app.static_routes.get(path)
                endpoint = table.get(method) if table is not None else None
                if endpoint is None:
                    endpoint = app.find(exchange, method, path, hosts[0] if hosts else authority or "")
            exchange.endpoint = endpoint
            if endpoint.is_async:
                exchange.task = task_of(here.loop)
                here.inflight.add(exchange)
                try:
                    reply = await endpoint.call(exchange, exchange.values)
                except asyncio.CancelledError:
                    reply = await stopped(endpoint, exchange)
                finally:
                    here.inflight.discard(exchange)
                    if exchange.deadline is not None:
                        here.supervisor.forget(exchange)
            else:
                reply = await in_thread(endpoint, exchange)
            if reply is None:
                protocol.response_empty(499, [])
            elif reply.__class__ is tuple and method != "HEAD":
                protocol.response_bytes(reply[0], reply[1].text, reply[2])
            elif (
                reply.__class__ is Response
                and method != "HEAD"
                and reply.closers is None
                and reply._body
                and reply.status not in BODILESS
            ):
                protocol.response_bytes(reply.status, all_headers(reply, endpoint.blocks), reply._body)
            else:
                await self._send(exchange, endpoint, reply, head=method == "HEAD")
            if exchange.cleanups is not None or endpoint.teardown or app.finished.receivers:
                await finish(exchange, endpoint)
        finally:
            here.requests -= 1
            reset_current(token)

    async def _prepare(self) -> None:
        if self.loop.loop is None:
            self.init(asyncio.get_running_loop())
        if self._starting is not None:
            await self._starting
            self._starting = None

    async def _send(self, exchange: RSGIExchange, endpoint: Endpoint, reply: Reply, *, head: bool) -> None:
        protocol = exchange.protocol
        if isinstance(reply, tuple):
            status, block, body = reply
            protocol.response_empty(status, [*block.text, ("content-length", str(len(body)))])
            return
        response = ready(exchange, reply)
        if is_file(response):
            status = response.status
            headers = [*all_headers(response, endpoint.blocks), ("content-length", str(response.length))]
            if head:
                protocol.response_empty(status, headers)
            elif response.is_whole:
                protocol.response_file(status, headers, str(response.path))
            else:
                protocol.response_file_range(status, headers, str(response.path), response.start, response.end)
        elif isinstance(response, StreamResponse):
            await self._stream(exchange, response, all_headers(response, endpoint.blocks), head=head)
        else:
            self._send_whole(protocol, response, endpoint.blocks, head=head)
        run_closers(response)

    def _send_whole(self, protocol: Any, response: Response, blocks: Blocks, *, head: bool) -> None:
        headers = all_headers(response, blocks)
        if response.status in BODILESS:
            protocol.response_empty(response.status, headers)
        elif head:
            protocol.response_empty(response.status, [*headers, ("content-length", str(len(response.body)))])
        else:
            protocol.response_bytes(response.status, headers, response.body)

    async def _stream(
        self, exchange: RSGIExchange, response: StreamResponse, headers: list[tuple[str, str]], *, head: bool
    ) -> None:
        chunks = chunks_of(exchange, response.chunks)
        try:
            if head or response.status in BODILESS:
                exchange.protocol.response_empty(response.status, headers)
                return
            transport = exchange.protocol.response_stream(response.status, headers)
            async with ended_by_disconnect(exchange):
                async for chunk in chunks:
                    try:
                        await transport.send_bytes(chunk)
                    except RuntimeError:
                        exchange.error = asyncio.CancelledError("the client is gone")
                        return
        except Exception as error:
            # Granian ends the response in order when the transport goes; it goes with
            # this frame, which a traceback that is kept would keep, and the client waiting.
            report_broken_stream(exchange, error)
            exchange.error = error.with_traceback(None)
        finally:
            await chunks.aclose()  # type: ignore[attr-defined]  # an async generator

    async def _refuse_socket(self, scope: Any, protocol: Any) -> None:
        if self._socket is not None:
            await self._socket(self, scope, protocol)
        else:
            protocol.close(1000)
