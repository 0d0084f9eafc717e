"""A server that stands still keeps no time, so the driver keeps it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from segue.db.database import Database
from segue.db.errors import OperationalError
from segue.db.steps import Prepared


class Proxy:
    """Stands between a client and a server, and swallows what either says once it is told to."""

    def __init__(self, host: str, port: int) -> None:
        self._server = host, port
        self._door = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._door]
        self.port = int(self._door.getsockname()[1])
        self.is_silent = False
        self.connections = 0
        self._start(self._accept)

    def _start(self, function: Callable[..., None], *arguments: Any) -> None:
        threading.Thread(target=function, args=arguments, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                self.connections += 1
                server = socket.create_connection(self._server)
                self._sockets += [client, server]
                self._start(self._carry, client, server)
                self._start(self._carry, server, client)

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.is_silent:
                    target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        for each in self._sockets:
            each.close()


@pytest.fixture
def proxy(servers: Callable[[str], Any]) -> Iterator[Proxy]:
    """A proxy to PostgreSQL."""
    parts = urlsplit(servers("postgresql").url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 5432)
    yield proxy
    proxy.close()


@pytest.fixture
def database(proxy: Proxy, servers: Callable[[str], Any]) -> Iterator[Database]:
    """PostgreSQL behind the proxy, with a statement_timeout."""
    parts = urlsplit(servers("postgresql").url)
    database = Database(
        f"postgresql://{parts.username}@127.0.0.1:{proxy.port}{parts.path}?statement_timeout=0.3&connect_timeout=2"
    )
    yield database
    database.close()


ONE = Prepared("SELECT 1")


@pytest.mark.slow
async def test_a_statement_on_a_silent_server_ends_in_time(both: Any, database: Database, proxy: Proxy) -> None:
    await both.fetch(database, ONE)
    proxy.is_silent = True

    with pytest.raises(OperationalError) as caught:
        await both.fetch(database, ONE)

    # Once alone: a second try would have waited as long again.
    assert (caught.value.code, caught.value.status, proxy.connections) == ("data/statement-timeout", 503, 1)


@pytest.mark.slow
async def test_a_transaction_on_a_silent_server_ends_in_time(both: Any, database: Database, proxy: Proxy) -> None:
    with pytest.raises(OperationalError) as caught:
        async with both.atomic(database):
            await both.fetch(database, ONE)
            proxy.is_silent = True

    assert caught.value.code == "data/statement-timeout"
    proxy.is_silent = False
    assert await both.fetch(database, ONE) == [(1,)]


@pytest.mark.slow
async def test_a_statement_that_keeps_sending_rows_is_not_given_up(both: Any, database: Database) -> None:
    rows = await both.fetch(database, Prepared("SELECT n FROM generate_series(1, 20000) AS n"))

    assert len(rows) == 20000
