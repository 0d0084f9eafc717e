"""Sessions that are kept in the app's database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from segue import App, Request
from segue.clock import moved
from segue.colours import run
from segue.errors import UsageError
from segue.testing import Client, assert_queries
from segue.web.sessions import Session
from segue.web.sessions.database import DatabaseBackend, SessionRow
from segue.web.sessions.stores import key_of

NAME = "__Host-session"


@pytest.fixture
def store() -> str:
    return "database"


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


def test_ending_it_ends_every_copy_of_its_cookie(app: App, visitor: Client) -> None:
    visitor.get("/count")
    cookies = {NAME: visitor.cookies[NAME]}

    visitor.get("/forget")

    assert visitor.get("/read", cookies=cookies).json == {}
    assert rows(app) == []


def test_the_old_id_of_a_renewed_session_is_dead(visitor: Client) -> None:
    visitor.get("/count")
    cookies = {NAME: visitor.cookies[NAME]}

    visitor.get("/renew")

    assert visitor.get("/read", cookies=cookies).json == {}


def test_a_slow_request_does_not_bring_back_what_was_ended(app: App) -> None:
    inside, go_on = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow(session: Session) -> str:
        session["slow"] = 1
        inside.set()
        go_on.wait(5)
        return "x"

    with app.test_client() as first:
        first.get("/count")
        cookies = {NAME: first.cookies[NAME]}
        thread = threading.Thread(target=lambda: app.test_client().get("/slow", cookies=cookies))
        thread.start()
        inside.wait(5)
        first.get("/forget")
        go_on.set()
        thread.join()

    assert rows(app) == []


def test_two_requests_that_change_different_keys_both_win(app: App) -> None:
    inside, go_on = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow(session: Session) -> str:
        session["slow"] = 1
        del session["gone"]
        inside.set()
        go_on.wait(5)
        return "x"

    @app.get("/begin")
    def begin(session: Session) -> str:
        session["gone"] = session["kept"] = 1
        return "x"

    with app.test_client() as visitor:
        visitor.get("/begin")
        cookies = {NAME: visitor.cookies[NAME]}
        thread = threading.Thread(target=lambda: app.test_client().get("/slow", cookies=cookies))
        thread.start()
        inside.wait(5)
        visitor.get("/count")
        go_on.set()
        thread.join()

        assert visitor.get("/read").json == {"kept": 1, "count": 1, "slow": 1}


def test_a_change_that_is_made_anew_keeps_what_the_request_had_set_before(app: App) -> None:
    others: list[Callable[[], object]] = []

    @app.get("/change")
    def change(session: Session) -> str:
        session["own"] = 1

        def add(content: dict[str, Any]) -> None:
            while others:
                others.pop()()
            content["hits"] = content.get("hits", 0) + 1

        session.change(add)
        return "x"

    with app.test_client() as visitor:
        visitor.get("/count")
        cookies = {NAME: visitor.cookies[NAME]}
        others.append(lambda: app.test_client().get("/count", cookies=cookies))
        visitor.get("/change")

        assert visitor.get("/read").json == {"count": 2, "own": 1, "hits": 1}


def test_a_change_of_a_session_that_ends_meanwhile_is_nobodys(app: App) -> None:
    ends: list[Callable[[], object]] = []

    @app.get("/enter")
    def enter(session: Session) -> str:
        session.owner = "7"
        session["x"] = 1
        return "x"

    @app.get("/change")
    def change(session: Session) -> str:
        session.change(lambda content: [each() for each in ends])
        session["late"] = 1
        return "x"

    with app.test_client() as visitor:
        visitor.get("/enter")
        cookies = {NAME: visitor.cookies[NAME]}
        ends.append(lambda: app.test_client().get("/forget", cookies=cookies))
        visitor.get("/change")

    assert [each.owner for each in rows(app)] == [""]


@pytest.mark.slow
def test_two_hundred_increments_at_once_are_two_hundred(app: App) -> None:
    def add(content: dict[str, Any]) -> None:
        content["hits"] = content.get("hits", 0) + 1

    @app.get("/hit")
    def hit(session: Session) -> str:
        session.change(add)
        return "x"

    @app.get("/ahit")
    async def ahit(session: Session) -> str:
        await session.achange(add)
        return "x"

    with app.test_client() as visitor:
        visitor.get("/count")
        cookies = {NAME: visitor.cookies[NAME]}

        def work(path: str) -> None:
            client = app.test_client()
            for _ in range(25):
                client.get(path, cookies=cookies)

        threads = [threading.Thread(target=work, args=(path,)) for path in ("/hit", "/ahit") * 4]
        for each in threads:
            each.start()
        for each in threads:
            each.join()

        assert visitor.get("/read").json["hits"] == 200


def test_on_the_loop_it_must_be_loaded_first(app: App) -> None:
    @app.get("/unloaded")
    async def unloaded(request: Request) -> str:
        return str(request.session.get("count"))

    @app.get("/loaded")
    async def loaded(request: Request) -> str:
        await request.asession()
        return str(request.session.get("count"))

    with app.test_client() as visitor:
        visitor.get("/count")

        assert visitor.get("/loaded").text == "1"
        with pytest.raises(UsageError) as raised:
            visitor.get("/unloaded")

    assert raised.value.code == "web/session-not-loaded"
    assert "request.asession()" in raised.value.hint


def test_a_visitor_without_a_cookie_needs_no_loading(app: App) -> None:
    @app.get("/unloaded")
    async def unloaded(request: Request) -> str:
        return str(request.session.get("count"))

    with app.test_client() as visitor:
        assert visitor.get("/unloaded").text == "None"


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


def test_the_sessions_of_one_user_can_be_listed_and_ended(app: App) -> None:
    @app.get("/enter")
    def enter(session: Session) -> str:
        session.owner = "7"
        session["x"] = 1
        return "x"

    with app.test_client() as one, app.test_client() as two:
        one.get("/enter")
        two.get("/enter")
        backend = DatabaseBackend()
        with app.context():
            keys = {each.key for each in run(backend.of_owner("7"))}
            ended = run(backend.remove_of_owner("7", keep=key_of(one.cookies[NAME])))

        assert keys == {key_of(one.cookies[NAME]), key_of(two.cookies[NAME])}
        assert ended == 1
        assert one.get("/read").json == {"x": 1}
        assert two.get("/read").json == {}


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
