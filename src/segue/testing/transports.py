"""An app called in process, by the protocol that a server would use.

Each transport takes a `Call` and an `Answer` to fill; what a server adds on the wire
(a length, the decoding of the path) is added here as that server does it. An answer
that is a `Pipe` is read while it is being made: the app waits at each piece.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from ..protocols import ASGIAdapter, RSGIAdapter, WSGIAdapter

__all__ = ["Answer", "Call", "Pipe", "asgi", "rsgi", "wsgi", "wsgi_pieces"]


@dataclass(slots=True)
class Call:
    """One request as a server would have read it.

    Attributes:
        target: Path and query as they stand in the request line.
        chunks: The body, in the pieces it comes in.
        disconnect: Set when the client is gone; `None` for a client that stays.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    chunks: list[bytes] = field(default_factory=list[bytes])
    scheme: str = "http"
    client: str = "127.0.0.1"
    root_path: str = ""
    disconnect: asyncio.Event | None = None

    @property
    def raw_path(self) -> str:
        """The path as it was sent."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """What stands behind the `?`."""
        return self.target.partition("?")[2]


class Answer:
    """What went back. `headers` holds names in lower case, in order."""

    def __init__(self) -> None:
        self.status: int = 0
        self.headers: list[tuple[str, str]] = []
        self.chunks: list[bytes] = []

    def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Take status and headers."""
        self.status = status
        self.headers = list(headers)

    def add(self, chunk: bytes) -> None:
        """Take the piece that is the whole body."""
        if chunk:
            self.chunks.append(chunk)

    async def send(self, chunk: bytes) -> None:
        """Take one piece of several; a reader that is slow makes the app wait."""
        self.add(chunk)
        await asyncio.sleep(0)


class Pipe(Answer):
    """An answer whose pieces are taken while the app still makes them.

    The app is at most one piece ahead. A reader that leaves sets *gone*: from then on
    pieces are dropped, as uvicorn drops them, and the app is told by its protocol.

    Args:
        gone: Set once the client has disconnected.
    """

    def __init__(self, gone: asyncio.Event) -> None:
        super().__init__()
        self._gone = gone
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self.started: asyncio.Event = asyncio.Event()

    def start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        """Take status and headers, and let the reader go on."""
        super().start(status, headers)
        self.started.set()

    def add(self, chunk: bytes) -> None:
        """Take the piece that is the whole body."""
        if chunk:
            self._pieces.put_nowait(chunk)

    async def send(self, chunk: bytes) -> None:
        """Hand one piece to the reader; wait until there is room for it."""
        await asyncio.sleep(0)
        if chunk:
            await self._put(chunk)

    async def finish(self) -> None:
        """Say that no piece follows."""
        self.started.set()
        await self._put(None)

    async def _put(self, piece: bytes | None) -> None:
        if self._gone.is_set():
            return
        put = asyncio.ensure_future(self._pieces.put(piece))
        gone = asyncio.ensure_future(self._gone.wait())
        try:
            await asyncio.wait({put, gone}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            put.cancel()
            gone.cancel()

    async def take(self) -> bytes | None:
        """Return the next piece, or `None` after the last."""
        return await self._pieces.get()


# ASGI


async def asgi(adapter: ASGIAdapter, call: Call, answer: Answer) -> None:
    """Call the app by ASGI."""
    chunks = list(call.chunks)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": call.scheme,
        "path": unquote(call.raw_path),
        "raw_path": call.raw_path.encode("latin-1"),
        "query_string": call.query.encode("latin-1"),
        "root_path": call.root_path,
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in call.headers],
        "client": (call.client, 50000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    sent_all = asyncio.Event()
    is_read = False

    async def receive() -> dict[str, Any]:
        nonlocal is_read
        if chunks:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}
        if not is_read:
            is_read = True
            if not call.chunks:
                return {"type": "http.request", "body": b"", "more_body": False}
        await (call.disconnect or sent_all).wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            pairs = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
            answer.start(message["status"], pairs)
        elif message["type"] == "http.response.body":
            await answer.send(bytes(message.get("body", b"")))
            if not message.get("more_body", False):
                sent_all.set()

    await adapter(scope, receive, send)


# RSGI


class _Headers:
    """The header object of RSGI: lower-case names, several values each."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = [(name.lower(), value) for name, value in pairs if value.isascii()]

    def get(self, name: str, default: str | None = None) -> str | None:
        return next((value for key, value in self._pairs if key == name.lower()), default)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name.lower()]

    def keys(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self._pairs))

    def items(self) -> list[tuple[str, str]]:
        return list(self._pairs)

    def __contains__(self, name: str) -> bool:
        return any(key == name.lower() for key, _ in self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)


class _Scope:
    proto = "http"
    http_version = "1.1"
    rsgi_version = "1.6"
    server = "127.0.0.1:80"
    authority = None

    def __init__(self, call: Call) -> None:
        self.client = f"{call.client}:50000"
        self.scheme = call.scheme
        self.method = call.method
        self.path = unquote_to_bytes(call.raw_path).decode("utf-8", "replace")
        self.query_string = call.query
        self.headers = _Headers(call.headers)


class _Protocol:
    """The protocol object of RSGI, recording what is answered."""

    def __init__(self, call: Call, answer: Answer) -> None:
        self._call = call
        self._answer = answer

    async def __call__(self) -> bytes:
        return b"".join(self._call.chunks)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._call.chunks:
            await asyncio.sleep(0)
            yield chunk

    async def client_disconnect(self) -> None:
        if self._call.disconnect is not None:
            await self._call.disconnect.wait()
        else:
            await asyncio.get_running_loop().create_future()

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._answer.start(status, headers)

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        has_length = any(name == "content-length" for name, _ in headers)
        self._answer.start(status, headers if has_length else [*headers, ("content-length", str(len(body)))])
        if self._call.method != "HEAD":
            self._answer.add(body)

    def response_file(self, status: int, headers: list[tuple[str, str]], path: str) -> None:
        self._answer.start(status, headers)
        self._answer.add(Path(path).read_bytes())

    def response_file_range(self, status: int, headers: list[tuple[str, str]], path: str, start: int, end: int) -> None:
        self._answer.start(status, headers)
        self._answer.add(Path(path).read_bytes()[start:end])

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> _Transport:
        self._answer.start(status, headers)
        return _Transport(self._answer)


class _Transport:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def send_bytes(self, chunk: bytes) -> None:
        await self._answer.send(chunk)


async def rsgi(adapter: RSGIAdapter, call: Call, answer: Answer) -> None:
    """Call the app by RSGI."""
    await adapter(_Scope(call), _Protocol(call, answer))


# WSGI


def wsgi(adapter: WSGIAdapter, call: Call, answer: Answer) -> None:
    """Call the app by WSGI."""
    with contextlib.closing(wsgi_pieces(adapter, call, answer)) as pieces:
        next(pieces)
        for chunk in pieces:
            answer.chunks.append(chunk)
            if call.disconnect is not None and call.disconnect.is_set():
                break


def wsgi_pieces(adapter: WSGIAdapter, call: Call, answer: Answer) -> Generator[bytes, None, None]:
    """Call the app by WSGI and yield its pieces as they come; the first step fills *answer*.

    The first piece is always empty: after it, status and headers are known.
    """
    environ: dict[str, Any] = {
        "REQUEST_METHOD": call.method,
        "SCRIPT_NAME": call.root_path,
        "PATH_INFO": unquote_to_bytes(call.raw_path).decode("latin-1")[len(call.root_path) :],
        "QUERY_STRING": call.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": call.client,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": call.scheme,
        "wsgi.input": io.BytesIO(b"".join(call.chunks)),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in call.headers:
        key = name.upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        answer.start(int(status[:3]), headers)

    result = adapter(environ, start_response)
    try:
        yield b""
        for chunk in result:
            if chunk:
                yield chunk
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
