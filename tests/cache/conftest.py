"""Every kind of cache, in both colours, with a clock that the test moves."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from cache_kit import REDIS, Clock, Coloured, OwnBackend

from segue.cache import Backend, Cache, DatabaseBackend, FileBackend, MemoryBackend, RedisBackend
from segue.db import Database

# Read now: before a test everything of Segue is taken out of the environment.
POSTGRESQL = os.environ.get("SEGUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
MYSQL = os.environ.get("SEGUE_TEST_MYSQL", "mysql://root@127.0.0.1:3306")
MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"

KINDS = ("memory", "file", "own", "sqlite", "postgresql", "mysql", "redis")


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
