"""Tables that are made once for each module and database, and emptied after each test.

A module names its models in `MODELS`. A test takes `tables` (the database, which is current)
or `both` besides, to run in both colours.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from segue import db
from segue.db.observing import watching
from segue.db.schema import create_all, tables_of

DATABASES = ("sqlite", "postgresql", "mysql")


@pytest.fixture(scope="module", params=DATABASES)
def made(
    request: pytest.FixtureRequest, servers: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[db.Database, Any]]:
    """A database with the tables of the module's models, and its server."""
    vendor = str(request.param)
    server = None if vendor == "sqlite" else servers(vendor)
    url = f"sqlite:///{tmp_path_factory.mktemp('relations')}/test.db" if server is None else str(server.url)
    database = db.connect(url, pool_size=20, pool_timeout=20)
    with database.connection() as connection:
        create_all(connection, request.module.MODELS)
        connection.commit()
    yield database, server
    database.close()
    if server is not None:
        server.empty()


@pytest.fixture
def tables(request: pytest.FixtureRequest, made: tuple[db.Database, Any]) -> Iterator[db.Database]:
    """The database, with empty tables, which is the current one."""
    database, server = made
    db.current._connected.put("default", database)  # as `connect`, without closing it after each test
    yield database
    db.current._connected.put("default", None)
    database.signals._signals.clear()
    quote = database.dialect.identifier_preparer.quote
    names = [quote(table.name) for table in tables_of(request.module.MODELS)]
    if database.vendor == "sqlite":
        with database.atomic():
            for name in names:
                database.execute(f"DELETE FROM {name}")
    elif database.vendor == "postgresql":
        server.execute("; ".join(f"DELETE FROM {name}" for name in names))
    else:
        server.execute("SET foreign_key_checks = 0")
        for name in names:
            server.execute(f"DELETE FROM {name}")
        server.execute("SET foreign_key_checks = 1")


@pytest.fixture
def counting() -> Callable[[], AbstractContextManager[list[str]]]:
    """Return a block that gives the list of the statements inside it."""

    @contextmanager
    def block() -> Generator[list[str]]:
        seen: list[str] = []
        with watching(lambda prepared, parameters, seconds: seen.append(prepared.sql)):
            yield seen

    return block
