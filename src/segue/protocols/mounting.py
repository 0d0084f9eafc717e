"""Foreign applications below a prefix: any WSGI or ASGI one, under any protocol of ours.

The mounted application is a handler: it gets a scope or an environ made from the
request, and its answer becomes a response.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from ..errors import SetupError
from ..http.request import Request
from ..http.response import Response, StreamResponse

__all__ = ["mounted"]


def mounted(application: Any, prefix: str) -> tuple[Callable[..., Any], Callable[[], AsyncIterator[None]] | None]:
    """Return the handler that passes requests on to *application*, and its lifespan.

    A WSGI application has no lifespan.

    Raises:
        SetupError: It is neither an ASGI nor a WSGI application.
    """
    begin = "/" + prefix.strip("/")
    kind = _kind_of(application)
    if kind == "asgi":
        # What its start-up leaves here, its requests find in their scopes.
        state: dict[str, Any] = {}

        async def mounted_asgi(request: Request, mounted_path: str = "") -> Response:
            return await _call_asgi(application, request, begin, state)

        return mounted_asgi, lambda: _lifespan(application, begin, state)
    if kind == "wsgi":

        def mounted_wsgi(request: Request, mounted_path: str = "") -> Response:
            return _call_wsgi(application, request, begin)

        return mounted_wsgi, None
    raise SetupError(
        f"{application!r} cannot be mounted.",
        code="app/not-mountable",
        why="An ASGI application takes (scope, receive, send), a WSGI one (environ, start_response).",
        hint="Mount the application object itself, not its module or factory.",
    )


def _kind_of(application: Any) -> str:
    if hasattr(application, "__rsgi__"):
        return "asgi"  # one of ours answers both; ASGI has a lifespan
    if hasattr(application, "wsgi_app") and not hasattr(application, "asgi_app"):
        return "wsgi"
    target = application
    if not inspect.isroutine(application):
        target = getattr(type(application), "__call__", None)  # noqa: B004  # pyright: ignore[reportUnknownArgumentType]  # its kind is wanted
    if inspect.iscoroutinefunction(target):
        return "asgi"
    try:
        count = len([each for each in inspect.signature(application).parameters.values() if each.default is each.empty])
    except (TypeError, ValueError):
        return ""
    return {2: "wsgi", 3: "asgi"}.get(count, "")


async def _lifespan(application: Any, begin: str, state: dict[str, Any]) -> AsyncIterator[None]:
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    outgoing: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": state}

    async def run() -> None:
        try:
            await application(scope, incoming.get, outgoing.put)
        except Exception as error:
            # Raising instead of answering says that it knows no lifespan.
            await outgoing.put({"type": "ended", "message": f"{type(error).__name__}: {error}"})
        else:
            await outgoing.put({"type": "ended", "message": ""})

    # A loop holds its tasks weakly: this frame is what keeps the application alive, and the
    # app around it keeps this frame.
    task = asyncio.ensure_future(run())
    # An app that is dropped, or a process that ends, without a shutdown is no news.
    task._log_destroy_pending = False  # type: ignore[attr-defined]  # what asyncio itself sets on such tasks
    incoming.put_nowait({"type": "lifespan.startup"})
    answer = await outgoing.get()
    if answer["type"] == "lifespan.startup.failed":
        task.cancel()
        raise SetupError(
            f"The application mounted at {begin} did not start: {answer.get('message') or 'it does not say why'}",
            code="app/mount-failed",
            why="Its start-up runs with that of the app around it, and answered that it failed.",
            hint="Start it alone to see its own error.",
        )
    yield
    if answer["type"] == "lifespan.startup.complete":
        incoming.put_nowait({"type": "lifespan.shutdown"})
        await outgoing.get()
    await task


async def _call_asgi(application: Any, request: Request, begin: str, state: dict[str, Any]) -> Response:
    root = request.root_path + begin
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.http_version,
        "method": request.method,
        "scheme": request.scheme,
        "path": request.root_path + request.path,
        "raw_path": request.full_path.partition("?")[0].encode("ascii"),
        "query_string": request.query_string.encode("latin-1"),
        "root_path": root,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in request.headers.multi_items()],
        "client": (request.client, 0),
        "server": (request.host.partition(":")[0], None),
        "state": dict(state),
    }
    incoming = request.stream()
    started: asyncio.Future[tuple[int, list[tuple[str, str]]]] = asyncio.get_running_loop().create_future()
    outgoing: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=8)

    async def receive() -> dict[str, Any]:
        chunk = await _next(incoming)
        if chunk is None:
            if receive.ended:  # type: ignore[attr-defined]  # a flag on the function itself
                await asyncio.get_running_loop().create_future()
            receive.ended = True  # type: ignore[attr-defined]  # a flag on the function itself
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": chunk, "more_body": True}

    receive.ended = False  # type: ignore[attr-defined]  # a flag on the function itself

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message.get("headers", ())]
            started.set_result((message["status"], headers))
        elif message["type"] == "http.response.body":
            if message.get("body"):
                await outgoing.put(message["body"])
            if not message.get("more_body", False):
                await outgoing.put(None)

    async def run() -> None:
        try:
            await application(scope, receive, send)
        except BaseException as error:
            if not started.done():
                started.set_exception(error)
            raise
        finally:
            if started.done() and not started.cancelled():
                await outgoing.put(None)

    task = asyncio.ensure_future(run())
    task.add_done_callback(lambda done: None if done.cancelled() else done.exception())
    status, headers = await started

    async def chunks() -> AsyncIterator[bytes]:
        try:
            while (chunk := await outgoing.get()) is not None:
                yield chunk
        finally:
            task.cancel()

    return StreamResponse(chunks(), status, headers, content_type=None)


async def _next(incoming: Any) -> bytes | None:
    if hasattr(incoming, "__anext__"):
        chunk: bytes | None = await anext(incoming, None)
        return chunk
    return await asyncio.to_thread(next, incoming, None)


def _call_wsgi(application: Any, request: Request, begin: str) -> Response:
    exchange: Any = request.context
    incoming = request.stream()
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": (request.root_path + begin).encode().decode("latin-1"),
        "PATH_INFO": request.path[len(begin) :].encode().decode("latin-1"),
        "QUERY_STRING": request.query_string,
        "SERVER_NAME": request.host.partition(":")[0],
        "SERVER_PORT": request.host.partition(":")[2] or ("443" if request.is_secure else "80"),
        "SERVER_PROTOCOL": f"HTTP/{request.http_version}",
        "REMOTE_ADDR": request.client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BufferedReader(_Incoming(exchange, incoming)),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    answer: list[Any] = []
    written: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        answer[:] = [int(status[:3]), headers]
        return written.append

    result = application(environ, start_response)
    iterator = iter(result)
    first = next(iterator, b"") if not answer else b""

    def chunks() -> Iterator[bytes]:
        try:
            yield from written
            if first:
                yield first
            yield from iterator
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    return StreamResponse(chunks(), answer[0], answer[1], content_type=None)


class _Incoming(io.RawIOBase):
    """The request's chunks as the file that WSGI reads."""

    def __init__(self, exchange: Any, incoming: Any) -> None:
        self._exchange = exchange
        self._incoming = incoming
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._left:
            if hasattr(self._incoming, "__anext__"):
                self._left = self._exchange.bridge.wait(_next(self._incoming)) or b""
            else:
                self._left = next(self._incoming, b"")
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size
