"""Every test of the data layer on every database, in both colours.

`database` is connected, current, and empty. With `both`, an `async def` test runs twice: on an event
loop against the async methods, and without any against the sync ones, under the same names.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from segue.db.current import connect, disconnect
from segue.db.database import Database
from segue.db.steps import Operation, Prepared

DATABASES = ("sqlite", "postgresql", "mysql")
# Read now: before a test everything of Segue is taken out of the environment.
MISSING_IS_FAILURE = os.environ.get("SEGUE_TEST_ALL") == "1"
SERVERS = {
    "postgresql": os.environ.get("SEGUE_TEST_POSTGRESQL", "postgresql://postgres@127.0.0.1:5432"),
    "mysql": os.environ.get("SEGUE_TEST_MYSQL", "mysql://root@127.0.0.1:3306"),
}


def missing(vendor: str) -> None:
    """Skip what needs a server that does not answer, by its name; with SEGUE_TEST_ALL fail."""
    message = f"needs {vendor}, which does not answer at {SERVERS[vendor]}"
    if MISSING_IS_FAILURE:
        pytest.fail(message)
    pytest.skip(message)


class PostgreSQLServer:
    """A database of this worker's own, emptied after each test."""

    def __init__(self) -> None:
        import psycopg

        self.name = f"segue_test_{os.getpid()}_{secrets.token_hex(4)}"
        self.url = f"{SERVERS['postgresql']}/{self.name}"
        self._server = psycopg.connect(f"{SERVERS['postgresql']}/postgres", autocommit=True, connect_timeout=3)
        self._server.execute(f"CREATE DATABASE {self.name}")  # type: ignore[call-overload]
        self._admin = psycopg.connect(self.url, autocommit=True)

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL on a connection of the test's own."""
        cursor = self._admin.execute(sql)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []

    def kill_all(self) -> None:
        """Break every connection to the database but this one."""
        self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def idle_in_transaction(self) -> int:
        """Count the connections that are left in a transaction."""
        return int(
            self.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"
            )[0][0]
        )

    def running(self) -> int:
        """Count the statements that run."""
        return int(
            self.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND state = 'active'"
            )[0][0]
        )

    def empty(self) -> None:
        """Drop everything."""
        if self.execute("SELECT 1 FROM pg_class WHERE relnamespace = 'public'::regnamespace LIMIT 1"):
            self.kill_all()
            self.execute("DROP SCHEMA public CASCADE")
            self.execute("CREATE SCHEMA public")

    def close(self) -> None:
        """Drop the database itself."""
        self._admin.close()
        self._server.execute(f"DROP DATABASE {self.name} WITH (FORCE)")  # type: ignore[call-overload]
        self._server.close()


class MySQLServer:
    """A database of this worker's own, emptied after each test."""

    def __init__(self) -> None:
        import pymysql

        self.name = f"segue_test_{os.getpid()}_{secrets.token_hex(4)}"
        self.url = f"{SERVERS['mysql']}/{self.name}"
        parts = urlsplit(SERVERS["mysql"])
        self._admin = pymysql.connect(
            host=parts.hostname or "localhost",
            port=parts.port or 3306,
            user=parts.username or "root",
            password=parts.password or "",
            autocommit=True,
            connect_timeout=3,
        )
        self.execute(f"CREATE DATABASE {self.name}")
        self.execute(f"USE {self.name}")

    def execute(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL on a connection of the test's own."""
        with self._admin.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    def kill_all(self) -> None:
        """Break every connection to the database but this one."""
        from pymysql.err import OperationalError

        for (number,) in self.execute(
            f"SELECT id FROM information_schema.processlist WHERE db = '{self.name}' AND id <> CONNECTION_ID()"
        ):
            with suppress(OperationalError):  # it may have ended meanwhile
                self.execute(f"KILL {number}")

    def idle_in_transaction(self) -> int:
        """Count the connections that are left in a transaction."""
        return int(
            self.execute(
                "SELECT count(*) FROM information_schema.innodb_trx t JOIN information_schema.processlist p "
                f"ON p.id = t.trx_mysql_thread_id WHERE p.db = '{self.name}' AND p.command = 'Sleep'"
            )[0][0]
        )

    def running(self) -> int:
        """Count the statements that run."""
        return int(
            self.execute(
                "SELECT count(*) FROM information_schema.processlist "
                f"WHERE db = '{self.name}' AND command = 'Query' AND id <> CONNECTION_ID()"
            )[0][0]
        )

    def empty(self) -> None:
        """Drop everything."""
        tables = self.execute(f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{self.name}'")
        if tables:
            self.kill_all()
            self.execute("SET foreign_key_checks = 0")
            self.execute(f"DROP TABLE {', '.join(f'`{name}`' for (name,) in tables)}")
            self.execute("SET foreign_key_checks = 1")

    def close(self) -> None:
        """Drop the database itself."""
        self.execute(f"DROP DATABASE {self.name}")
        self._admin.close()


@pytest.fixture(scope="session")
def servers() -> Iterator[Callable[[str], Any]]:
    """Return the server of a vendor, with a database of this worker's own."""
    running: dict[str, Any] = {}

    def get(vendor: str) -> Any:
        if vendor not in running:
            try:
                running[vendor] = PostgreSQLServer() if vendor == "postgresql" else MySQLServer()
            except Exception:
                running[vendor] = None
        if running[vendor] is None:
            missing(vendor)
        return running[vendor]

    yield get
    for server in running.values():
        if server is not None:
            server.close()


@pytest.fixture(params=DATABASES)
def vendor(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return str(request.param)


@pytest.fixture
def server(vendor: str, servers: Callable[[str], Any]) -> Any:
    """The server behind `database`; `None` for SQLite."""
    return None if vendor == "sqlite" else servers(vendor)


@pytest.fixture
def database_url(vendor: str, server: Any, tmp_path: Path) -> str:
    """The address of an empty database."""
    return f"sqlite:///{tmp_path}/test.db" if server is None else str(server.url)


@pytest.fixture
def database(database_url: str, server: Any) -> Iterator[Database]:
    """An empty database, which is the current one."""
    connected = connect(database_url)
    yield connected
    disconnect()
    connected.close()  # another one may have become current meanwhile
    if server is not None:
        server.empty()


@pytest.fixture
def memory() -> Iterator[Database]:
    """A SQLite database in memory, which is the current one."""
    yield connect("sqlite://:memory:")
    disconnect()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Database]:
    """A SQLite database in a file, which is the current one."""
    yield connect("sqlite:///test.db", root=tmp_path)
    disconnect()


class Both:
    """One name for the methods of both colours: to be awaited, whether they wait or not."""

    def __init__(self, *, is_async: bool) -> None:
        self.is_async = is_async

    def __repr__(self) -> str:
        return "async" if self.is_async else "sync"

    def tell(self, story: Coroutine[Any, Any, None]) -> None:
        """Run a story to its end: on a loop, or without any."""
        if self.is_async:
            asyncio.run(story)
            return
        try:
            story.send(None)
        except StopIteration:
            return
        story.close()
        pytest.fail("the story of the sync colour awaited something")

    async def call(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
        """Call the function of a database, or its async twin."""
        if not self.is_async:
            return function(*arguments, **keywords)
        owner, name = getattr(function, "__self__", None), function.__name__
        return await getattr(owner, f"a{name}")(*arguments, **keywords)

    async def execute(self, database: Database, statement: Any, parameters: Any = None) -> Any:
        """Run a statement."""
        return await self.call(database.execute, statement, parameters)

    async def fetch(self, database: Database, prepared: Prepared, parameters: Any = ()) -> Any:
        """Run one statement that returns rows."""
        return await self.call(database.fetch, prepared, parameters)

    async def run(self, database: Database, operation: Operation[Any]) -> Any:
        """Drive an operation."""
        return await self.call(database.run, operation)

    async def close(self, database: Database) -> None:
        """Close a database."""
        await self.call(database.close)

    def atomic(self, database: Database, **options: Any) -> Any:
        """Enter a block."""
        return database.atomic(**options) if self.is_async else _awaited(database.atomic(**options))

    def decorate(self, database: Database, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """Decorate an async function, or what it is without a loop."""
        block = database.atomic(**options)
        if self.is_async:
            return block(function)

        @block
        def plain(*arguments: Any) -> Any:
            return _drive(function(*arguments))

        async def decorated(*arguments: Any) -> Any:
            return plain(*arguments)

        return decorated

    async def stream(self, database: Database, prepared: Prepared, size: int) -> AsyncIterator[list[Any]]:
        """Yield rows in chunks."""
        if self.is_async:
            chunks = database.astream(prepared, (), size)
            try:
                async for chunk in chunks:
                    yield chunk
            finally:
                await chunks.aclose()
        else:
            plain = database.stream(prepared, (), size)
            try:
                for chunk in plain:
                    yield chunk
            finally:
                plain.close()


def _drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the sync colour awaited something")


@asynccontextmanager
async def _awaited(block: Any) -> AsyncIterator[None]:
    with block:
        yield


@pytest.fixture(params=("sync", "async"))
def both(request: pytest.FixtureRequest) -> Both:
    """Each colour in turn; an `async def` test that takes it runs in that colour."""
    return Both(is_async=request.param == "async")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test that takes `both` in the colour of its turn."""
    function = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function) or "both" not in pyfuncitem.funcargs:
        return None
    given = {name: pyfuncitem.funcargs[name] for name in inspect.signature(function).parameters}
    pyfuncitem.funcargs["both"].tell(function(**given))
    return True
