"""Databases for the tests of models; SQLite in memory, since the driver is not what is tested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import db
from segue.db.schema import create_all


@pytest.fixture(scope="session", params=["sqlite", "postgresql", "mysql"])
def vendor(request: pytest.FixtureRequest) -> str:
    """Each kind of database in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def server(vendor: str, servers: Callable[[str], Any]) -> Any:
    """The server of that kind; `None` for SQLite."""
    return None if vendor == "sqlite" else servers(vendor)


@pytest.fixture(scope="session")
def database_url(server: Any) -> str:
    """The address of a database of this process alone."""
    return "sqlite://:memory:" if server is None else str(server.url)


@pytest.fixture
def tables(database: db.Database) -> Callable[..., None]:
    """Make the tables of models."""

    def make(*models: Any) -> None:
        with database.connection() as connection:
            create_all(connection, models)
            connection.commit()

    return make
