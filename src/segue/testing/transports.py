"""An app called in process, by the protocol that a server would use.

Each transport takes a `Call` and gives an `Answer`; what a server adds on the wire
(a length, the decoding of the path) is added here as that server does it.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from ..protocols import ASGIAdapter, RSGIAdapter, WSGIAdapter

if TYPE_CHECKING:
    from ..app import App

__all__ = ["Answer", "Call", "asgi", "rsgi", "wsgi"]


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
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


@dataclass(slots=True)
class Answer:
    """What went back. `headers` holds names in lower case, in order."""

    status: int = 0
    headers: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    chunks: list[bytes] = field(default_factory=list[bytes])


# ASGI


async def asgi(app: App, adapter: ASGIAdapter, call: Call) -> Answer:
    """Call the app by ASGI."""
    answer = Answer()
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

    async def receive() -> dict[str, Any]:
        if chunks:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}
        if not receive_state["ended"]:
            receive_state["ended"] = True
            if not call.chunks:
                return {"type": "http.request", "body": b"", "more_body": False}
        await (call.disconnect or sent_all).wait()
        return {"type": "http.disconnect"}

    receive_state = {"ended": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            if message.get("body"):
                answer.chunks.append(bytes(message["body"]))
            if not message.get("more_body", False):
                sent_all.set()
        await asyncio.sleep(0)

    await adapter(scope, receive, send)
    return answer


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

    def _start(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._answer.status = status
        self._answer.headers = list(headers)

    def _length(self, body: bytes) -> None:
        if not any(name == "content-length" for name, _ in self._answer.headers):
            self._answer.headers.append(("content-length", str(len(body))))

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self._start(status, headers)

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self._start(status, headers)
        self._length(body)
        if body and self._call.method != "HEAD":
            self._answer.chunks.append(body)

    def response_file(self, status: int, headers: list[tuple[str, str]], path: str) -> None:
        self._start(status, headers)
        self._answer.chunks.append(Path(path).read_bytes())

    def response_file_range(self, status: int, headers: list[tuple[str, str]], path: str, start: int, end: int) -> None:
        self._start(status, headers)
        self._answer.chunks.append(Path(path).read_bytes()[start:end])

    def response_stream(self, status: int, headers: list[tuple[str, str]]) -> _Transport:
        self._start(status, headers)
        return _Transport(self._answer)


class _Transport:
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def send_bytes(self, chunk: bytes) -> None:
        self._answer.chunks.append(chunk)
        await asyncio.sleep(0)


async def rsgi(app: App, adapter: RSGIAdapter, call: Call) -> Answer:
    """Call the app by RSGI."""
    answer = Answer()
    await adapter(_Scope(call), _Protocol(call, answer))
    return answer


# WSGI


def wsgi(app: App, adapter: WSGIAdapter, call: Call) -> Answer:
    """Call the app by WSGI."""
    answer = Answer()
    body = b"".join(call.chunks)
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
        "wsgi.input": io.BytesIO(body),
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
        answer.status = int(status[:3])
        answer.headers = list(headers)

    result = adapter(environ, start_response)
    try:
        for chunk in result:
            if chunk:
                answer.chunks.append(chunk)
            if call.disconnect is not None and call.disconnect.is_set():
                break
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    return answer
