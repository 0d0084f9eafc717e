"""Tables that are made once for each module of tests, on every database.

A module names its tables in `MODELS` and fills them in `fill()`; its tests only read, or
write inside `undone`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segue.db.current import connect, disconnect
from segue.db.database import Database
from segue.db.schema import create_all

VENDORS = ("sqlite", "postgresql", "mysql")


@pytest.fixture(scope="module", params=VENDORS)
def tables(
    request: pytest.FixtureRequest,
    servers: Callable[[str], Any],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Database]:
    """A current database with the module's tables and what its `fill` put there."""
    vendor = str(request.param)
    server = None if vendor == "sqlite" else servers(vendor)
    database = connect(f"sqlite:///{tmp_path_factory.mktemp('queries')}/test.db" if server is None else server.url)
    with database.connection() as connection:
        create_all(connection, getattr(request.module, "MODELS", ()))
        connection.commit()
    fill = getattr(request.module, "fill", None)
    if fill is not None:
        fill()
    yield database
    disconnect()
    if server is not None:
        server.empty()


@pytest.fixture
def database(tables: Database) -> Database:
    """The module's database, which is the current one."""
    return tables


@pytest.fixture
def undone(database: Database) -> Iterator[Database]:
    """The module's database, in a transaction that is rolled back after the test."""
    with database.atomic():
        yield database
        database.set_rollback(True)


class Sent:
    """The statements that were sent."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, prepared: Any, parameters: Any, seconds: float) -> None:
        self.texts.append(prepared.sql)

    def __len__(self) -> int:
        return len(self.texts)


@pytest.fixture
def sent(database: Database) -> Iterator[Sent]:
    """The statements that a test sends."""
    seen = Sent()
    database.observers.append(seen)
    yield seen
    database.observers.remove(seen)
