"""ASGI 3: the complete interface, and the one every server speaks."""

from __future__ import annotations

import asyncio
from asyncio import get_running_loop
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import unquote_to_bytes

from ..context import lazy
from ..errors import BadRequest, HeaderFieldsTooLarge
from ..handling.application import CompiledApp
from ..handling.bridge import Bridge
from ..handling.endpoint import Endpoint
from ..handling.exchange import Exchange
from ..handling.results import Blocks
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
from .sending import BODILESS, block_for, chunks_of, clean_pairs, is_file, overloaded, peer_of, ready, run_closers

if TYPE_CHECKING:
    from ..http.download import FileResponse

__all__ = ["ASGIAdapter", "ASGIExchange"]

_new = object.__new__

Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_MAX_HEADERS = 100


class ASGIExchange(Exchange):
    """An exchange over ASGI's scope and its two callables."""

    scope: Scope
    receive: Receive
    send: Send
    received: Body | None = None

    @classmethod
    def make(
        cls, app: CompiledApp, bridge: Bridge, scope: Scope, receive: Receive, send: Send, path: str
    ) -> ASGIExchange:
        """Make one outside the adapter, for tests."""
        exchange = _new(cls)
        exchange.app, exchange.bridge, exchange.path = app, bridge, path
        exchange.scope, exchange.receive, exchange.send = scope, receive, send
        return exchange

    @lazy
    def method(self) -> str:
        return self.scope["method"]

    query_string: str = cast(str, property(lambda self: self.scope["query_string"].decode("latin-1")))

    @lazy
    def root_path(self) -> str:
        return self.scope.get("root_path") or ""

    @lazy
    def http_version(self) -> str:
        return self.scope.get("http_version", "1.1")

    def header(self, name: str) -> str | None:
        """Return one header without parsing the others; *name* in lower case."""
        wanted = name.encode("ascii")
        for key, value in self.scope["headers"]:
            if key == wanted:
                return value.decode("latin-1")
        return None

    def header_pairs(self) -> list[tuple[str, str]]:
        return clean_pairs(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in self.scope["headers"]
        )

    def peer(self, headers: RequestHeaders) -> Peer:
        client = self.scope.get("client")
        return peer_of(
            self.app,
            client[0] if client else "",
            self.scope.get("scheme", "http"),
            headers.get("host", ""),
            headers,
        )

    # The body

    async def aread_body(self, limits: Limits) -> None:
        """Read the body into `received`."""
        # PERF: five fields of some ten are looked up in C; of one that comes twice, the last.
        fields = dict(self.scope["headers"])
        length = fields.get(b"content-length")
        declared = declared_length(length.decode("latin-1")) if length is not None else None
        if declared is None and b"transfer-encoding" not in fields and not self.http_version.startswith("2"):
            self.received = Body(b"", limits)
            return
        content_type = fields.get(b"content-type", b"").decode("latin-1")
        encoding = fields.get(b"content-encoding", b"").decode("latin-1") or None
        first = b""
        if is_small(declared, limits, content_type, encoding):
            if self.task is None:
                message = await in_time(self, self._message())
            else:
                # PERF: a flag tells the supervisor that it is the body's time that runs.
                self.begin_reading()
                try:
                    message = await self._message()
                finally:
                    self.end_reading()
            first = message.get("body", b"")
            if not message.get("more_body", False):
                if len(first) != declared:
                    raise BadRequest("The body is not as long as it says.", code="http/incomplete-body")
                self.received = Body(first, limits, content_type)
                return
        intake = Intake(
            content_type=content_type, declared=declared, content_encoding=encoding, limits=limits, proves_end=True
        )
        if first:
            intake.feed(first)
        await take_in(self, intake, self._chunks())

    async def _message(self) -> MutableMapping[str, Any]:
        try:
            message = await self.receive()
        except (RuntimeError, ValueError, OSError) as error:
            # Granian raises here for a malformed chunk.
            raise BadRequest("The body could not be read.", code="http/incomplete-body") from error
        if message["type"] == "http.disconnect":
            raise BadRequest("The client was gone before its body was whole.", code="http/incomplete-body")
        return message

    async def _chunks(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._message()
            chunk = message.get("body", b"")
            if chunk:
                yield chunk
            more = message.get("more_body", False)

    def read_body(self, limits: Limits) -> None:
        """Read the body from the thread of a `def` endpoint."""
        self.bridge.wait(self.aread_body(limits))

    def open_stream(self) -> Any:
        """The chunks as they come, counted against the route's limit."""
        from .streaming import stream_of  # for handlers that read the body themselves

        return stream_of(self, self._chunks(), proves_end=True)

    async def wait_for_disconnect(self) -> None:
        """Return once the client is gone."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


class ASGIAdapter:
    """Answers ASGI calls for one compiled app."""

    def __init__(self, app: CompiledApp, *, socket: Callable[..., Any] | None = None) -> None:
        self.app = app
        self.loop: Loop = Loop(app)
        self._socket = socket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one connection."""
        kind = scope["type"]
        if kind != "http":
            await self._other(kind, scope, receive, send)
            return
        app, here = self.app, self.loop
        loop = get_running_loop()
        if here.loop is not loop:
            if not app.lifecycle.is_empty:
                await app.lifecycle.ensure()  # a server without lifespan support
            here.enter(loop)
        if here.requests >= here.most:
            await self._send_whole(send, overloaded(), app.blocks, head=scope["method"] == "HEAD")
            return
        path = scope["path"]
        root = scope.get("root_path")
        if root and path.startswith(root):
            path = path[len(root) :] or "/"
        # PERF: six stores instead of a call of __init__: 0.1 us.
        exchange = _new(ASGIExchange)
        exchange.app = app
        exchange.bridge = here.bridge
        exchange.scope = scope
        exchange.receive = receive
        exchange.send = send
        exchange.path = path
        token = set_current(exchange)
        here.requests += 1
        try:
            method, headers = scope["method"], scope["headers"]
            host, hosts, endpoint = b"", 0, None
            for name, value in headers:
                if name == b"host":
                    host = value
                    hosts += 1
            if hosts != 1 or host not in app.hosts.accepted_raw or len(headers) > _MAX_HEADERS:
                endpoint = self._refuse(exchange, headers)
            if endpoint is None:
                table = app.static_routes.get(path)
                endpoint = table.get(method) if table is not None else None
                if endpoint is None:
                    endpoint = self._find(exchange, method, path, host.decode("latin-1"))
            exchange.endpoint = endpoint
            if endpoint.is_async:
                exchange.task = task_of(loop)
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
            if reply.__class__ is tuple:
                status, block, body = reply
                length = (b"content-length", b"%d" % len(body))
                await send({"type": "http.response.start", "status": status, "headers": [*block.raw, length]})
                await send({"type": "http.response.body", "body": body if method != "HEAD" else b""})
            elif reply is not None:  # else the client is gone: nothing can be sent
                await self._send(exchange, endpoint, reply, head=method == "HEAD")
            if exchange.cleanups is not None or endpoint.teardown or app.finished.receivers:
                await finish(exchange, endpoint)
        finally:
            here.requests -= 1
            reset_current(token)

    def _refuse(self, exchange: ASGIExchange, headers: list[Any]) -> Endpoint | None:
        if len(headers) > _MAX_HEADERS:
            return self.app.refuse(exchange, HeaderFieldsTooLarge("Too many headers."))
        return self.app.refuse_host(exchange, [value.decode("latin-1") for name, value in headers if name == b"host"])

    def _find(self, exchange: ASGIExchange, method: str, path: str, host: str) -> Endpoint:
        if not path.isascii() and _is_damaged(exchange.scope):
            return self.app.refuse(exchange, BadRequest("The path is malformed.", code="http/bad-path"))
        return self.app.find(exchange, method, path, host)

    async def _send(self, exchange: ASGIExchange, endpoint: Endpoint, reply: Response, *, head: bool) -> None:
        try:
            response = ready(exchange, reply)
            try:
                if isinstance(response, StreamResponse):
                    await self._send_stream(exchange, response, endpoint.blocks, head=head)
                elif is_file(response):
                    await self._send_file(exchange, response, endpoint.blocks, head=head)
                else:
                    await self._send_whole(exchange.send, response, endpoint.blocks, head=head)
            finally:
                run_closers(response)
        except Exception as error:
            # The server breaks the connection off, so that the client sees it.
            exchange.error = error
            await finish(exchange, endpoint)
            raise

    async def _send_whole(self, send: Send, response: Response, blocks: Blocks, *, head: bool) -> None:
        headers = block_for(response, blocks).raw_under(response.headers.pairs)
        status, body = response.status, response.body
        if status not in BODILESS:
            headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if head or status in BODILESS else body})

    async def _send_stream(
        self, exchange: ASGIExchange, response: StreamResponse, blocks: Blocks, *, head: bool
    ) -> None:
        status = response.status
        headers = block_for(response, blocks).raw_under(response.headers.pairs)
        await exchange.send({"type": "http.response.start", "status": status, "headers": headers})
        await self._stream(exchange, chunks_of(exchange, response.chunks), head=head or status in BODILESS)

    async def _send_file(self, exchange: ASGIExchange, response: FileResponse, blocks: Blocks, *, head: bool) -> None:
        headers = block_for(response, blocks).raw_under(response.headers.pairs)
        headers.append((b"content-length", b"%d" % response.length))
        await exchange.send({"type": "http.response.start", "status": response.status, "headers": headers})
        if response.is_whole and not head and "http.response.pathsend" in exchange.scope.get("extensions", {}):
            await exchange.send({"type": "http.response.pathsend", "path": str(response.path.resolve())})
        else:
            await self._stream(exchange, chunks_of(exchange, response.chunks()), head=head)

    async def _stream(self, exchange: ASGIExchange, chunks: Any, *, head: bool) -> None:
        send = exchange.send
        try:
            if not head:
                async with ended_by_disconnect(exchange):
                    async for chunk in chunks:
                        try:
                            await send({"type": "http.response.body", "body": chunk, "more_body": True})
                        except OSError:  # so servers say that the client is gone
                            exchange.error = asyncio.CancelledError("the client is gone")
                            return
                if exchange.error is not None:
                    return
            await send({"type": "http.response.body", "body": b""})
        finally:
            await chunks.aclose()

    # What is not HTTP

    async def _other(self, kind: str, scope: Scope, receive: Receive, send: Send) -> None:
        if kind == "lifespan":
            await self._lifespan(receive, send)
        elif kind == "websocket":
            await receive()
            if self._socket is not None:
                await self._socket(self, scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 1000})
        else:
            raise ValueError(f"Segue does not speak ASGI's {kind!r}.")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        lifecycle = self.app.lifecycle
        self.loop.enter(get_running_loop())
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    if lifecycle.claim():
                        await lifecycle.start()
                except Exception as error:
                    await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
                    raise
                await send({"type": "lifespan.startup.complete"})
            else:
                await lifecycle.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _is_damaged(scope: Scope) -> bool:
    """Whether the path as sent is not UTF-8; servers decode it in ways of their own."""
    raw = scope.get("raw_path")
    if raw is None or b"%" not in raw:
        return False
    try:
        unquote_to_bytes(raw.partition(b"?")[0]).decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False
