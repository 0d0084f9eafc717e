"""Sessions that are kept in the app's database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from segue import App
from segue.clock import moved
from segue.colours import run
from segue.testing import Client, assert_queries
from segue.web.sessions.database import DatabaseBackend, SessionRow
from segue.web.sessions.stores import key_of

NAME = "__Host-session"


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.param)


def rows(app: App) -> list[SessionRow]:
    with app.context():
        return list(SessionRow.objects.all())


def test_the_table_holds_the_hash_of_the_id_and_not_the_id(app: App, visitor: Client) -> None:
    visitor.get("/count")

    (row,) = rows(app)

    assert row.key == key_of(visitor.cookies[NAME])
    assert visitor.cookies[NAME] not in repr(row.__dict__)


def test_visitors_who_keep_nothing_make_no_rows(app: App, visitor: Client) -> None:
    for path in ("/", "/read", "/untouched", "/missing", "/forget"):
        visitor.get(path)

    assert rows(app) == []
    assert dict(visitor.cookies) == {}


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x91", b"garbage", b"\x92\x80"])
def test_a_garbled_row_is_as_none_and_no_error(app: App, visitor: Client, data: bytes) -> None:
    visitor.get("/count")
    with app.context():
        SessionRow.objects.update(data=data)

    answer = visitor.get("/count")

    assert (answer.status_code, answer.text) == (200, "1")


def test_expired_sessions_can_be_cleared_away(app: App, visitor: Client) -> None:
    visitor.get("/count")
    app.test_client().get("/count")

    with app.context(), moved(15 * 86400):
        assert run(DatabaseBackend().remove_expired()) == 2

    assert rows(app) == []


def test_a_request_costs_one_statement_to_read_and_one_to_write(app: App, visitor: Client) -> None:
    visitor.get("/count")

    with assert_queries(1):
        visitor.get("/read")
    with assert_queries(2):
        visitor.get("/count")


def test_the_table_is_one_of_the_apps_own(make_app: Callable[..., App]) -> None:
    app = make_app("database")

    assert SessionRow in app.owned_models()
    assert SessionRow not in make_app("cookie").owned_models()


def test_a_store_may_be_the_projects_own(make_app: Callable[..., App]) -> None:
    app = make_app(Memory)

    with app.test_client() as visitor:
        assert [visitor.get("/count").text, visitor.get("/acount").text] == ["1", "2"]


class Memory(DatabaseBackend):
    """Keeps sessions in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def read(self, key: str) -> Any:
        return self.kept.get(key)
        yield

    def insert(self, key: str, stored: Any) -> Any:
        self.kept[key] = stored
        return
        yield

    def update(self, key: str, stored: Any) -> Any:
        self.kept[key] = stored
        return "saved"
        yield


def test_a_misspelt_store_is_an_error(make_app: Callable[..., App]) -> None:
    app = make_app("databse")

    with app.test_client() as visitor, pytest.raises(Exception, match="databse") as raised:
        visitor.get("/count")

    assert "database" in raised.value.hint  # type: ignore[attr-defined]
