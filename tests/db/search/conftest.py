"""A library that is searched on every database: its tables are made once for a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from search_models import SEARCHED, fill

from segue.db.current import connect, disconnect
from segue.db.database import Database
from segue.db.schema import create_all


@pytest.fixture(scope="module", params=("sqlite", "postgresql", "mysql"))
def shelves(
    request: pytest.FixtureRequest, servers: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A current database with the tables, without rows."""
    vendor = str(request.param)
    server = None if vendor == "sqlite" else servers(vendor)
    database = connect(f"sqlite:///{tmp_path_factory.mktemp('search')}/test.db" if server is None else server.url)
    with database.connection() as connection:
        create_all(connection, SEARCHED)
        connection.commit()
    yield database
    disconnect()
    if server is not None:
        server.empty()


@pytest.fixture(scope="module")
def library(shelves: Database) -> Database:
    """The same with every record; its tests only read."""
    fill()
    return shelves


@pytest.fixture
def empty(shelves: Database) -> Iterator[Database]:
    """The same without a row, and emptied after the test."""
    yield shelves
    for model in reversed(SEARCHED):
        getattr(model, "all_objects", model.objects).all().delete()
