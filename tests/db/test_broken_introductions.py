"""A connection that breaks while the server is asked what it is."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from segue.db.database import Database
from segue.db.errors import ConnectionLost

# What SQLAlchemy asks first.
QUESTIONS = {"postgresql": b"version()", "mysql": b"lower_case_table_names"}


class Proxy:
    """Stands between a client and a server, and hangs up when it hears something."""

    def __init__(self, host: str, port: int) -> None:
        self._server = host, port
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        self.hangs_up_at: bytes | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._door.accept()
                server = socket.create_connection(self._server)
                threading.Thread(target=self._carry, args=(client, server), daemon=True).start()
                threading.Thread(target=self._carry, args=(server, client), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.hangs_up_at is not None and self.hangs_up_at in data:
                    break
                target.sendall(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def close(self) -> None:
        self._door.close()


@pytest.fixture(params=QUESTIONS)
def vendor(request: pytest.FixtureRequest) -> str:
    """Each database that is spoken to over a network."""
    return str(request.param)


@pytest.fixture
def proxy(servers: Callable[[str], Any], vendor: str) -> Iterator[Proxy]:
    """A proxy to the server."""
    parts = urlsplit(servers(vendor).url)
    proxy = Proxy(parts.hostname or "127.0.0.1", parts.port or 0)
    proxy.hangs_up_at = QUESTIONS[vendor]
    yield proxy
    proxy.close()


@pytest.fixture
def database(servers: Callable[[str], Any], vendor: str, proxy: Proxy) -> Iterator[Database]:
    """The database behind the proxy."""
    parts = urlsplit(servers(vendor).url)
    database = Database(f"{vendor}://{parts.username}@127.0.0.1:{proxy.port}{parts.path}")
    yield database
    database.close()


@pytest.mark.slow
async def test_a_server_that_hangs_up_is_told_as_a_lost_connection(both: Any, database: Database, proxy: Proxy) -> None:
    with pytest.raises(ConnectionLost) as caught:
        await both.execute(database, "SELECT 1")

    assert (caught.value.code, caught.value.status) == ("data/connection-lost", 503)
    proxy.hangs_up_at = None
    assert (await both.execute(database, "SELECT 1")).scalar() == 1
