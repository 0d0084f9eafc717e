"""Every kind of cache, in both colours, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from segue.cache import Backend, Cache, Count, DatabaseBackend, FileBackend, MemoryBackend, RedisBackend
from segue.db import Database

# Read now: before a test everything of Segue is taken out of the environment.
REDIS = os.environ.get("SEGUE_TEST_REDIS", "redis://127.0.0.1:6379/0")
POSTGRESQL = os.environ.get("SEGUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
MYSQL = os.environ.get("SEGUE_TEST_MYSQL", "mysql://root@127.0.0.1:3306")
MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"

KINDS = ("memory", "file", "own", "sqlite", "postgresql", "mysql", "redis")


class Clock:
    """Moments that move when the test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.on_move: list[Callable[[float], None]] = []

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += seconds
        for each in self.on_move:
            each(seconds)


class OwnBackend(Backend):
    """A back end of a user, in thirty lines."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.kept: dict[str, tuple[bytes, float]] = {}
        self.clock, self.lock = clock, threading.RLock()

    def until(self, seconds: float | None) -> float:
        return float("inf") if seconds is None else self.clock() + seconds

    def get(self, key: str) -> bytes | None:
        value, until = self.kept.get(key, (b"", 0.0))
        return value if until > self.clock() else None

    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        self.kept[key] = value, self.until(seconds)

    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        with self.lock:
            return self.get(key) is None and self.kept.update({key: (value, self.until(seconds))}) is None

    def delete(self, key: str) -> bool:
        return self.get(key) is not None and self.kept.pop(key, None) is not None

    def touch(self, key: str, seconds: float | None) -> bool:
        value = self.get(key)
        return value is not None and self.kept.update({key: (value, self.until(seconds))}) is None

    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        with self.lock:
            if initial is None and self.get(key) is None:
                return None
            self.add(key, str(initial).encode(), seconds)
            value, until = self.kept[key]
            self.kept[key] = str(int(value) + step).encode(), until
            return Count(int(value) + step, None if until == float("inf") else until - self.clock())

    def clear(self, start: str) -> None:
        self.kept = {key: kept for key, kept in self.kept.items() if not key.startswith(start)}


class Coloured:
    """A cache whose methods are called in one colour: plainly, or their async twins on a loop."""

    def __init__(self, cache: Cache, runner: asyncio.Runner | None) -> None:
        self.cache = cache
        self.runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        runner = self.runner
        if runner is None:
            return getattr(self.cache, name)  # type: ignore[no-any-return]
        twin = getattr(self.cache, f"a{name}")
        return lambda *arguments, **keywords: runner.run(twin(*arguments, **keywords))

    def with_(self, **changed: Any) -> Coloured:
        """Return another cache on the same back end."""
        return Coloured(Cache(self.cache.backend, **changed), self.runner)


def missing(what: str) -> None:
    """Skip what needs a server that does not answer, by its name; with SEGUE_TEST_ALL fail."""
    message = f"needs {what}, which does not answer"
    if MISSING_IS_FAILURE:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


@pytest.fixture(scope="session")
def own_databases() -> Iterator[Callable[[str], str]]:
    """Make a database of this worker's own on a server, and drop it at the end."""
    name = f"segue_cache_{os.getpid()}_{secrets.token_hex(4)}"
    made: dict[str, Any] = {}

    def address(kind: str) -> str:
        if kind not in made:
            try:
                made[kind] = _connect(kind)
                made[kind].cursor().execute(f"CREATE DATABASE {name}")
            except Exception:
                made[kind] = None
        if made[kind] is None:
            missing(kind)
        return f"{POSTGRESQL if kind == 'postgresql' else MYSQL}/{name}"

    yield address
    for connection in made.values():
        if connection is not None:
            connection.cursor().execute(f"DROP DATABASE {name}")
            connection.close()


def _connect(kind: str) -> Any:
    if kind == "postgresql":
        import psycopg

        return psycopg.connect(f"{POSTGRESQL}/postgres", autocommit=True, connect_timeout=3)
    import pymysql

    parts = urlsplit(MYSQL)
    return pymysql.connect(
        host=parts.hostname or "localhost",
        port=parts.port or 3306,
        user=parts.username or "root",
        password=parts.password or "",
        autocommit=True,
    )


@pytest.fixture
def redis_server() -> Iterator[Any]:
    """A client of Redis, beside the cache."""
    import redis

    client = redis.Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.ConnectionError:
        missing("redis")
    yield client
    client.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of back end in turn."""
    return str(request.param)


@pytest.fixture
def backend(kind: str, clock: Clock, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Backend]:
    """A back end of that kind."""
    if kind in ("sqlite", "postgresql", "mysql"):
        address = f"sqlite:///{tmp_path}/cache.db"
        if kind != "sqlite":
            address = request.getfixturevalue("own_databases")(kind)
        database = Database(address)
        yield DatabaseBackend(database, clock=clock)
        database.close()
    elif kind == "redis":
        client = request.getfixturevalue("redis_server")
        clock.on_move.append(lambda seconds: _age(client, seconds))
        found = RedisBackend(REDIS, patience_seconds=5)
        yield found
        found.close()
    else:
        yield {
            "memory": lambda: MemoryBackend(clock=clock),
            "file": lambda: FileBackend(tmp_path / "cache", clock=clock),
            "own": lambda: OwnBackend(clock),
        }[kind]()


def _age(client: Any, seconds: float) -> None:
    """Let time pass for the keys of this worker: Redis has a clock of its own."""
    for key in client.scan_iter(match="segue:cache:*"):
        left = client.pttl(key)
        if left >= 0 and _is_ours(key):
            client.pexpire(key, left - int(seconds * 1000))


_starts: set[str] = set()


def _is_ours(key: bytes) -> bool:
    return key.decode().split(":")[2] in _starts


@pytest.fixture(params=["sync", "async"])
def colour(request: pytest.FixtureRequest) -> str:
    """Each colour in turn."""
    return str(request.param)


@pytest.fixture
def kept(backend: Backend, clock: Clock, colour: str) -> Iterator[Coloured]:
    """An empty cache of each kind, in each colour."""
    from segue.cache.packing import start_of

    prefix = secrets.token_hex(8)
    _starts.add(start_of(prefix).rstrip(":"))
    cache = Cache(backend, prefix=prefix, clock=clock)
    if colour == "sync":
        yield Coloured(cache, None)
        cache.clear()
        return
    with asyncio.Runner() as runner:
        yield Coloured(cache, runner)
        runner.run(cache.aclear())
        runner.run(cache.aclose())
        if isinstance(backend, DatabaseBackend):
            runner.run(backend._find().aclose())
