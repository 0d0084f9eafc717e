"""Two databases of each kind: `default` and `other`, both connected and empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import pytest

from segue import db
from segue.db.current import connect, disconnect, route
from segue.db.database import Database


class Pair(NamedTuple):
    """Two databases."""

    default: Database
    other: Database

    def create_all(self, *models: Any) -> None:
        """Make tables in both."""
        for database in self:
            database.create_all(*models)


def _admin(server: Any, sql: str) -> None:
    run = getattr(server, "_server", None)
    run.execute(sql) if run is not None else server.execute(sql)


@pytest.fixture(scope="session")
def other_url(servers: Callable[[str], Any]) -> Iterator[Callable[[str], str]]:
    """Return the address of a second database on a server, made at the first call."""
    made: dict[str, Any] = {}

    def get(vendor: str) -> str:
        server = servers(vendor)
        if vendor not in made:
            _admin(server, f"CREATE DATABASE {server.name}_2")
            made[vendor] = server
        return f"{server.url}_2"

    yield get
    for vendor, server in made.items():
        with suppress(Exception):
            _admin(server, f"DROP DATABASE {server.name}_2" + (" WITH (FORCE)" if vendor == "postgresql" else ""))


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mysql"])
def connected(
    request: pytest.FixtureRequest,
    servers: Callable[[str], Any],
    other_url: Callable[[str], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pair]:
    """The two, with tables for `MODELS` of the module in each."""
    vendor: str = request.param
    if vendor == "sqlite":
        folder = tmp_path_factory.mktemp("pair")
        urls = [f"sqlite:///{folder}/one.db", f"sqlite:///{folder}/two.db"]
    else:
        urls = [servers(vendor).url, other_url(vendor)]
    pair = Pair(connect(urls[0]), connect(urls[1], name="other"))
    pair.create_all(*request.module.MODELS)
    yield pair
    for database in pair:
        database.drop_all(*request.module.MODELS)
    disconnect()
    disconnect("other")


@pytest.fixture
def pair(connected: Pair, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """The two, without rows; routers are forgotten afterwards."""
    models: list[type[db.Model]] = request.module.MODELS
    for database in connected:
        for model in reversed(models):
            for field in model._meta.many_to_many:
                database.execute(field.through.table.delete())
            database.execute(model.table.delete())
    yield connected
    route()
