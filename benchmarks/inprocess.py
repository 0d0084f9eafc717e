"""`python -m benchmarks.inprocess`: a framework's own cost of a request, without a server.

Segue, the hand-written function and the leanest peers are called with the same stand-ins
for a server's objects, in one process, in turns. What a framework adds is the median of
the differences of single rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from importlib import import_module
from itertools import cycle, islice
from statistics import median
from time import process_time_ns
from typing import Any

from benchmarks.environment import ROOT, ensure_environment, save
from benchmarks.http.rows import ROWS, Ask, Row
from benchmarks.load import Answer, LoadError
from benchmarks.servers import pin_to
from benchmarks.verdicts import Verdict, conclude

CONTESTANTS = {
    "rsgi": ("bare", "segue"),
    "asgi": ("bare", "segue", "starlette", "falcon", "blacksheep"),
    "wsgi": ("bare", "segue", "falcon", "flask"),
}
MOST_ADDED_US = 1.5
_HOST = "127.0.0.1:8000"

Pairs = list[tuple[str, str]]


def request_headers(ask: Ask) -> Pairs:
    """Return the headers as the load of `benchmarks.http` sends them, names in lower case."""
    pairs = [("host", _HOST), ("user-agent", "segue-load/1"), ("accept", "*/*")]
    pairs += [(name.lower(), value) for name, value in ask.headers]
    if ask.body:
        pairs.append(("content-length", str(len(ask.body))))
    return pairs


class Stage:
    """One contestant on one row: its calls, and the last answer it gave."""

    status: int = 0
    headers: Pairs = []  # noqa: RUF012  # replaced by every answer, never changed
    body: bytes = b""

    def answer(self) -> Answer:
        """Return the last answer, for the row to check."""
        return Answer(self.status, {name.lower(): value for name, value in self.headers}, self.body)


class RSGIHeaders:
    """Stands in for Granian's mapping of headers."""

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        self._first = dict(reversed(pairs))

    def get(self, name: str, default: str | None = None) -> str | None:
        return self._first.get(name, default)

    def get_all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def keys(self) -> list[str]:
        return list(self._first)

    def values(self) -> list[str]:
        return [value for _, value in self._pairs]

    def items(self) -> Pairs:
        return self._pairs

    def __contains__(self, name: object) -> bool:
        return name in self._first

    def __getitem__(self, name: str) -> str:
        return self._first[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._first)

    def __len__(self) -> int:
        return len(self._pairs)


class RSGIScope:
    """Stands in for Granian's scope."""

    __slots__ = (
        "authority", "client", "headers", "http_version", "method", "path", "proto", "query_string", "rsgi_version",
        "scheme", "server",
    )  # fmt: skip

    def __init__(self, ask: Ask) -> None:
        self.proto, self.http_version, self.rsgi_version = "http", "1.1", "1.6"
        self.server, self.client, self.scheme = _HOST, "127.0.0.1:50000", "http"
        self.method = ask.method
        self.path, _, self.query_string = ask.target.partition("?")
        self.headers = RSGIHeaders(request_headers(ask))
        self.authority = None


class RSGIStage(Stage):
    """Stands in for Granian's protocol object too."""

    def __init__(self, app: Any, row: Row) -> None:
        self._call = app.__rsgi__
        self._asks = cycle([(RSGIScope(ask), ask.body) for ask in row.asks])
        self._sent = b""

    async def __call__(self) -> bytes:
        return self._sent

    def response_bytes(self, status: int, headers: Pairs, body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    def response_str(self, status: int, headers: Pairs, body: str) -> None:
        self.status, self.headers, self.body = status, headers, body.encode()

    def response_empty(self, status: int, headers: Pairs) -> None:
        self.status, self.headers, self.body = status, headers, b""

    async def run(self, requests: int) -> None:
        call = self._call
        for scope, sent in islice(self._asks, requests):
            self._sent = sent
            await call(scope, self)


class ASGIStage(Stage):
    """Stands in for an ASGI server's two callables."""

    def __init__(self, app: Any, row: Row) -> None:
        self._app = app
        self._asks = cycle([(asgi_scope(ask), ask.body) for ask in row.asks])
        self._sent = b""

    async def _receive(self) -> dict[str, Any]:
        return {"type": "http.request", "body": self._sent, "more_body": False}

    async def _send(self, event: dict[str, Any]) -> None:
        if event["type"] == "http.response.start":
            self.status = event["status"]
            self._raw = event["headers"]
        else:
            self.body = event.get("body", b"")

    def answer(self) -> Answer:
        self.headers = [(name.decode(), value.decode()) for name, value in self._raw]
        return super().answer()

    async def run(self, requests: int) -> None:
        app, receive, send = self._app, self._receive, self._send
        for scope, sent in islice(self._asks, requests):
            self._sent = sent
            # A server makes one a request, and applications write into it.
            await app(dict(scope), receive, send)


def asgi_scope(ask: Ask) -> dict[str, Any]:
    """Return the scope of a request."""
    path, _, query = ask.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": ask.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in request_headers(ask)],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
        "extensions": {},
        "state": {},
    }


class WSGIStage(Stage):
    """Stands in for a WSGI server."""

    def __init__(self, app: Any, row: Row) -> None:
        self._app = app
        self._asks = cycle([(wsgi_environ(ask), ask.body) for ask in row.asks])

    def _start_response(self, status: str, headers: Pairs, error: Any = None) -> None:
        self.status, self.headers = int(status[:3]), headers

    async def run(self, requests: int) -> None:
        app, start_response = self._app, self._start_response
        for environ, sent in islice(self._asks, requests):
            answer = app({**environ, "wsgi.input": io.BytesIO(sent)}, start_response)
            self.body = b"".join(answer)
            if (close := getattr(answer, "close", None)) is not None:
                close()


def wsgi_environ(ask: Ask) -> dict[str, Any]:
    """Return the environ of a request, without its input."""
    path, _, query = ask.target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": ask.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in request_headers(ask):
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


STAGES: dict[str, Callable[[Any, Row], Any]] = {"rsgi": RSGIStage, "asgi": ASGIStage, "wsgi": WSGIStage}


async def start(app: Callable[..., Awaitable[None]]) -> asyncio.Task[None]:
    """Take an ASGI application through its start-up; its task ends with the loop."""
    started = asyncio.Event()
    events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    events.put_nowait({"type": "lifespan.startup"})

    async def send(event: dict[str, Any]) -> None:
        started.set()

    async def live() -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        await app(scope, events.get, send)

    task = asyncio.ensure_future(live())
    await asyncio.wait({task, asyncio.ensure_future(started.wait())}, return_when=asyncio.FIRST_COMPLETED)
    return task


async def measure(interface: str, row: Row, stages: dict[str, Any], *, rounds: int, requests: int) -> dict[str, float]:
    """Return the CPU time of a request: the bare function's, and what each other one adds to it."""
    for name, stage in stages.items():
        await stage.run(1)
        try:
            if stage.status != 200:
                raise LoadError(f"status {stage.status}")
            row.expect(row.asks[0], stage.answer())
        except (LoadError, KeyError, ValueError) as error:
            raise LoadError(
                f"{interface} {name}: {row.name} was answered wrongly: {error!r}: {stage.answer()}"
            ) from error
        await stage.run(requests)
    spent: dict[str, list[float]] = {name: [] for name in stages}
    for _ in range(rounds):
        for name, stage in stages.items():
            before = process_time_ns()
            await stage.run(requests)
            spent[name].append((process_time_ns() - before) / requests / 1000)
    bare = spent["bare"]
    return {
        name: median(bare) if name == "bare" else median(ours - base for ours, base in zip(values, bare, strict=True))
        for name, values in spent.items()
    }


async def main(options: argparse.Namespace) -> int:
    """Measure every interface and row, print, and save."""
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for interface, names in CONTESTANTS.items():
        apps = {name: getattr(import_module(f"benchmarks.http.apps.{name}"), interface) for name in names}
        tasks = [await start(app) for app in apps.values()] if interface == "asgi" else []
        gc.collect()
        gc.freeze()
        print(f"{interface}: us above the bare function" + "".join(f"{name:>12}" for name in names))
        for row in (ROWS[name] for name in options.rows):
            stages = {name: STAGES[interface](app, row) for name, app in apps.items()}
            found = await measure(interface, row, stages, rounds=options.rounds, requests=options.requests)
            figures.setdefault(interface, {})[row.name] = found
            cells = (f"({value:.2f})" if name == "bare" else f"+{value:.2f}" for name, value in found.items())
            print(f"  {row.title:<34}" + "".join(f"{cell:>12}" for cell in cells), flush=True)
        for task in tasks:
            task.cancel()
    verdicts = list(judge(figures))
    path = save(
        "inprocess",
        {
            "plan": {"rounds": options.rounds, "requests": options.requests},
            "us_above_bare": figures,
            "verdicts": [verdict.as_json() for verdict in verdicts],
        },
    )
    status = conclude(verdicts, check=options.check)
    print(f"Written to {path.relative_to(ROOT)}")
    return status


def judge(figures: dict[str, dict[str, dict[str, float]]]) -> Iterator[Verdict]:
    """Yield what is required: what Segue adds to JSON."""
    for interface, rows in figures.items():
        if "json" in rows:
            yield Verdict(
                f"{interface} json, us that segue adds", rows["json"]["segue"], MOST_ADDED_US, is_ceiling=True
            )


def run(coroutine: Coroutine[Any, Any, int]) -> int:
    """Run to the end on the loop that the servers use."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(coroutine)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inprocess", description="The cost without a server.")
    parser.add_argument("--rows", type=lambda text: text.split(","), default=["plain", "json", "path", "query", "body"])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--requests", type=int, default=5_000, help="in a round")
    parser.add_argument("--check", action="store_true", help="end with status 1 where a requirement is missed")
    arguments = parser.parse_args()
    ensure_environment("benchmarks.inprocess")
    pin_to(0)
    sys.exit(run(main(arguments)))
