"""Which database is meant: the running app's, the owner's, the connected one, or none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from segue.context import Context, using
from segue.db import current
from segue.db.current import (
    DATABASES,
    Databases,
    aexecute,
    atomic,
    connect,
    current_database,
    disconnect,
    execute,
)
from segue.db.database import Database
from segue.errors import SegueError, UsageError


class App:
    """As much of an app as a context asks for."""

    def __init__(self, databases: Databases | None = None) -> None:
        self.databases = databases

    def provided(self, key: Any) -> Any:
        if key is DATABASES and self.databases is not None:
            return self.databases
        raise UsageError("nothing", code="app/nothing-provided")


@pytest.fixture
def nothing_connected(monkeypatch: pytest.MonkeyPatch) -> None:
    """No database is current: none connected, and no app of another test, which may still be alive."""
    disconnect()
    monkeypatch.setattr(current, "_of_apps", [])


@pytest.mark.usefixtures("nothing_connected")
def test_without_any_the_error_holds_the_line_to_write() -> None:
    with pytest.raises(UsageError) as caught:
        current_database()

    assert caught.value.code == "data/no-database"
    assert 'db.connect("sqlite:///club.db")' in caught.value.hint
    assert f"{Path(__file__).name}:" in caught.value.where


def test_what_connect_made_is_current(memory: Database) -> None:
    assert current_database() is memory


def test_the_running_app_comes_before_the_connected_one(memory: Database) -> None:
    mine = Database("sqlite://:memory:")

    with using(Context(App(Databases({"default": mine})))):
        assert current_database() is mine
    assert current_database() is memory


def test_an_app_without_a_database_leaves_the_connected_one(memory: Database) -> None:
    with using(Context(App())):
        assert current_database() is memory


def test_the_owner_comes_before_the_connected_one(memory: Database) -> None:
    owned = Database("sqlite://:memory:")

    assert current_database(owner=lambda: Databases({"default": owned})) is owned
    assert current_database(owner=lambda: None) is memory


def test_a_database_is_meant_by_its_name(memory: Database) -> None:
    replica = connect("sqlite://:memory:", name="replica")

    assert current_database("replica") is replica
    disconnect("replica")


def test_a_database_may_be_given_itself(memory: Database) -> None:
    other = Database("sqlite://:memory:")

    assert current_database(other) is other


def test_an_unknown_name_suggests_the_nearest(memory: Database) -> None:
    with pytest.raises(UsageError) as caught:
        current_database("defalt")

    assert (caught.value.code, caught.value.hint) == ("data/unknown-database", "Did you mean default?")


def test_several_databases_are_a_mapping() -> None:
    databases = Databases({"default": Database("sqlite://:memory:"), "archive": Database("sqlite://:memory:")})

    assert (list(databases), len(databases), "archive" in databases) == (["default", "archive"], 2, True)
    assert databases.find("none") is None
    with pytest.raises(SegueError):
        databases["none"]
    databases.close()


def test_connecting_again_closes_the_one_before(tmp_path: Path) -> None:
    first = connect("sqlite:///a.db", root=tmp_path)
    first.execute("SELECT 1")
    second = connect("sqlite:///b.db", root=tmp_path)

    assert (current_database() is second, first.pool.statistics()["idle"]) == (True, 0)
    disconnect()


async def test_calls_without_a_database_mean_the_current_one(both: Any, memory: Database) -> None:
    async def run(text: str) -> Any:
        return await aexecute(text) if both.is_async else execute(text)

    await run("CREATE TABLE notes (text VARCHAR(9))")
    with pytest.raises(ZeroDivisionError):
        if both.is_async:
            async with atomic():
                await run("INSERT INTO notes VALUES ('a')")
                raise ZeroDivisionError
        else:
            with atomic():
                await run("INSERT INTO notes VALUES ('a')")
                raise ZeroDivisionError

    assert (await run("SELECT count(*) AS n FROM notes")).scalar() == 0
