"""An app whose sessions are kept in each store, with handlers of both colours."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from segue import App, Request
from segue.testing import Client
from segue.web.sessions import Session

KEY = "f2c0d7c1b4e14c3f9a3b7d55e1a0c9de"


# Read now: before a test everything of Segue is taken out of the environment.
POSTGRESQL = os.environ.get("SEGUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432")
MYSQL = os.environ.get("SEGUE_TEST_MYSQL", "mysql://root@127.0.0.1:3306")
# With more patience than an app has: the machine may do much else.
REDIS = os.environ.get("SEGUE_TEST_REDIS", "redis://127.0.0.1:6379/0") + "?socket_timeout=5&socket_connect_timeout=5"
MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"
KINDS = ("cookie", "sqlite", "postgresql", "mysql", "redis", "cache")


def missing(what: str) -> None:
    """Skip what needs a server that does not answer, by its name; with SEGUE_TEST_ALL fail."""
    message = f"needs {what}, which does not answer"
    if MISSING_IS_FAILURE:
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def own_databases() -> Iterator[Callable[[str], str]]:
    """Make a database of this worker's own on a server, and drop it at the end."""
    name = f"segue_sessions_{os.getpid()}_{secrets.token_hex(4)}"
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
def redis_address() -> str:
    """Where the Redis of these tests is."""
    return REDIS


@pytest.fixture
def redis_server() -> Iterator[Any]:
    """A client of Redis, beside the sessions."""
    import redis

    client = redis.Redis.from_url(REDIS)
    try:
        client.ping()
    except redis.ConnectionError:
        missing("redis")
    yield client
    client.close()


@pytest.fixture
def space(request: pytest.FixtureRequest, kind: str) -> Iterator[str]:
    """The name of the apps of one test: what keeps their sessions apart in Redis."""
    name = f"sessions_app_{secrets.token_hex(6)}"
    server = request.getfixturevalue("redis_server") if kind == "redis" else None
    yield name
    if server is not None:
        for key in server.scan_iter(match=f"segue:session:{{{name}}}:*", count=1000):
            server.delete(key)


@pytest.fixture
def database(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> str:
    """The address of the database of the apps."""
    if kind in ("postgresql", "mysql"):
        return str(request.getfixturevalue("own_databases")(kind))
    return f"sqlite:///{tmp_path}/sessions.db"


@pytest.fixture
def make_app(kind: str, space: str, database: str) -> Iterator[Callable[..., App]]:
    """Make apps that count, remember and forget in their sessions."""
    made: list[App] = []

    def make(store: Any, **config: Any) -> App:
        made.append(counting_app(store, space, database, **config))
        return made[-1]

    yield make
    if kind in ("postgresql", "mysql") and made:
        with made[0].context():
            made[0].db.drop_all(*made[0].owned_models())
    for each in made:
        each.db.close()


def counting_app(store: Any, name: str, database: str, **config: Any) -> App:
    """An app that counts, remembers and forgets in its sessions."""
    app = App(
        name,
        config={"SECRET_KEY": KEY, "SESSION_STORE": store, "REDIS_URL": REDIS, **config},
        database=database,
        static_folder=None,
        template_folder=None,
    )

    @app.get("/count")
    def count(session: Session) -> str:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @app.get("/acount")
    async def acount(session: Session) -> str:
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    @app.get("/read")
    def read(session: Session) -> dict[str, Any]:
        return dict(session)

    @app.get("/untouched")
    def untouched(request: Request) -> str:
        return "x"

    @app.get("/nested")
    def nested(session: Session) -> str:
        session.setdefault("list", []).append(1)
        return str(len(session["list"]))

    @app.get("/same")
    def same(session: Session) -> str:
        session["count"] = session.get("count")
        return "x"

    @app.get("/forget")
    def forget(session: Session) -> str:
        session.flush()
        return "x"

    @app.get("/renew")
    async def renew(session: Session) -> str:
        session.cycle_key()
        return "x"

    @app.get("/clear")
    def clear(session: Session) -> str:
        session.clear()
        return "x"

    @app.get("/stay")
    def stay(session: Session) -> str:
        session.permanent = True
        session["stays"] = True
        return "x"

    return app


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store in turn."""
    return str(request.param)


@pytest.fixture
def store(kind: str) -> str:
    """What `SESSION_STORE` says for it."""
    return "database" if kind in ("sqlite", "postgresql", "mysql") else kind


@pytest.fixture
def app(store: str, make_app: Callable[..., App]) -> App:
    """An app with one of the stores."""
    return make_app(store)


@pytest.fixture
def visitor(app: App) -> Iterator[Client]:
    """A client with cookies of its own."""
    with app.test_client() as client:
        yield client
