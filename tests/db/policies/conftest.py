"""What tests of policies share: a database for a whole module, with the tables of its models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from segue import db
from segue.db.current import connect, disconnect
from segue.db.database import Database


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mysql"])
def shelf(
    request: pytest.FixtureRequest, servers: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Database]:
    """A database of each kind with tables for `MODELS` of the module; it is the current one.

    PERF: making and dropping tables for each test took most of the time on servers.
    """
    server = None if request.param == "sqlite" else servers(request.param)
    path = tmp_path_factory.mktemp("shelf") / "test.db"
    database = connect(f"sqlite:///{path}" if server is None else server.url)
    database.create_all(*request.module.MODELS)
    yield database
    disconnect()
    if server is not None:
        server.empty()


@pytest.fixture
def emptied(shelf: Database, request: pytest.FixtureRequest) -> Database:
    """The same database, without rows."""
    models: list[type[db.Model]] = request.module.MODELS
    for model in reversed(models):
        for field in model._meta.many_to_many:
            shelf.execute(field.through.table.delete())
        shelf.execute(model.table.delete())
    return shelf
