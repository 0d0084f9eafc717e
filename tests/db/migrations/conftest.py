"""Histories of migrations on every database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from migration_histories import History, Models, schema_of

from segue.db.database import Database


@pytest.fixture
def declare() -> Models:
    """Where a test declares its models."""
    return Models()


@pytest.fixture
def history(tmp_path: Path, database: Database) -> History:
    """A history on every database."""
    return History(tmp_path / "migrations", database)


@pytest.fixture
def files(tmp_path: Path) -> History:
    """A history without a database."""
    return History(tmp_path / "migrations")


@pytest.fixture
def on_sqlite(tmp_path: Path, file: Database) -> History:
    """A history on a SQLite file."""
    return History(tmp_path / "migrations", file)


@pytest.fixture
def schema() -> Callable[[Database], dict[str, Any]]:
    """Reads the tables of a database."""
    return schema_of


@pytest.fixture
def fresh(tmp_path: Path, vendor: str, servers: Any) -> Callable[[Iterable[Any]], dict[str, Any]]:
    """Makes tables of models in the empty database, reads them, and drops them."""

    def make(models: Iterable[Any]) -> dict[str, Any]:
        server = None if vendor == "sqlite" else servers(vendor)
        database = Database(f"sqlite:///{tmp_path}/fresh.db" if server is None else server.url)
        from segue.db.schema import create_all, drop_all

        listed = list(models)
        with database.connection() as connection:
            create_all(connection, listed)
            connection.commit()
        found = schema_of(database)
        with database.connection() as connection:
            drop_all(connection, listed)
            connection.commit()
        database.close()
        return found

    return make
