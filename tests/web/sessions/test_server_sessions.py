"""What every store does that keeps sessions on the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from segue import App, Request, run_sync
from segue.auth import Auth, User, login
from segue.clock import moved
from segue.colours import arun, run
from segue.errors import UsageError
from segue.testing import Client
from segue.web.sessions import SESSIONS, Session
from segue.web.sessions.stores import ServerStore, key_of

NAME = "__Host-session"


@pytest.fixture(params=["sqlite", "postgresql", "mysql", "redis", "cache"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of store in turn."""
    return str(request.param)


def backend_of(app: App) -> Any:
    store = app.provided(SESSIONS).store
    assert isinstance(store, ServerStore)
    return store.backend


def test_ending_it_ends_every_copy_of_its_cookie(app: App, visitor: Client) -> None:
    visitor.get("/count")
    cookies = {NAME: visitor.cookies[NAME]}

    visitor.get("/forget")

    assert visitor.get("/read", cookies=cookies).json == {}


def test_the_old_id_of_a_renewed_session_is_dead(visitor: Client) -> None:
    visitor.get("/count")
    cookies = {NAME: visitor.cookies[NAME]}

    visitor.get("/renew")

    assert visitor.get("/read", cookies=cookies).json == {}


@pytest.mark.parametrize("colour", ["sync", "async"])
def test_a_slow_request_does_not_bring_back_what_was_ended(app: App, colour: str) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def work(session: Session) -> str:
        session["slow"] = 1
        inside.set()
        go_on.wait(5)
        return "x"

    @app.get("/slow/sync")
    def slow(session: Session) -> str:
        return work(session)

    @app.get("/slow/async")
    async def aslow(session: Session) -> str:
        return await run_sync(work, session)

    with app.test_client() as first:
        first.get("/count")
        cookies = {NAME: first.cookies[NAME]}
        answers: list[Any] = []
        thread = threading.Thread(
            target=lambda: answers.append(app.test_client().get(f"/slow/{colour}", cookies=cookies))
        )
        thread.start()
        inside.wait(5)
        first.get("/forget")
        go_on.set()
        thread.join()

        assert "Max-Age=0" in answers[0].headers["set-cookie"]
        assert first.get("/read", cookies=cookies).json == {}


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
        return session.owner

    with app.test_client() as visitor:
        visitor.get("/enter")
        cookies = {NAME: visitor.cookies[NAME]}
        ends.append(lambda: app.test_client().get("/forget", cookies=cookies))

        assert visitor.get("/change").text == ""


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


# The sessions of one user


@pytest.fixture
def entering(app: App) -> App:
    """An app whose visitors can become a user."""

    @app.get("/enter/<owner>")
    def enter(session: Session, owner: str) -> str:
        session.owner = owner
        session["x"] = 1
        return "x"

    return app


def test_the_sessions_of_one_user_can_be_listed_and_ended(entering: App) -> None:
    with entering.test_client() as one, entering.test_client() as two, entering.test_client() as other:
        for client, owner in ((one, "7"), (two, "7"), (other, "8")):
            client.get(f"/enter/{owner}")
        backend = backend_of(entering)
        with entering.context():
            keys = {each.key for each in run(backend.of_owner("7"))}
            ended = run(backend.remove_of_owner("7", keep=key_of(one.cookies[NAME])))
            left = [each.key for each in run(backend.of_owner("7"))]

        assert keys == {key_of(one.cookies[NAME]), key_of(two.cookies[NAME])}
        assert (ended, left) == (1, [key_of(one.cookies[NAME])])
        assert [client.get("/read").json for client in (one, two, other)] == [{"x": 1}, {}, {"x": 1}]


def test_they_are_listed_latest_seen_first_with_their_moments(entering: App) -> None:
    with entering.test_client() as one, entering.test_client() as two, moved() as travel:
        one.get("/enter/7")
        travel.forward(60)
        two.get("/enter/7")
        travel.forward(60)
        one.get("/count")
        with entering.context():
            found = run(backend_of(entering).of_owner("7"))

    assert [each.key for each in found] == [key_of(one.cookies[NAME]), key_of(two.cookies[NAME])]
    # The clock that is moved goes on meanwhile.
    assert 120 <= found[0].seen - found[0].created < 150
    assert 60 <= found[1].created - found[0].created < 90
    assert (found[0].owner, found[0].version) == ("7", 1)


def test_both_colours_list_and_end_them(entering: App) -> None:
    @entering.get("/others")
    async def others(session: Session) -> dict[str, Any]:
        backend = backend_of(entering)
        found = await arun(backend.of_owner("7"))
        ended = await arun(backend.remove_of_owner("7", keep=session.key))
        return {"found": len(found), "ended": ended}

    with entering.test_client() as one, entering.test_client() as two:
        one.get("/enter/7")
        two.get("/enter/7")

        assert one.get("/others").json == {"found": 2, "ended": 1}
        assert one.get("/others").json == {"found": 1, "ended": 0}


def test_a_session_that_got_another_owner_is_that_ones(entering: App) -> None:
    with entering.test_client() as visitor:
        visitor.get("/count")
        visitor.get("/enter/7")
        visitor.get("/enter/8")
        backend = backend_of(entering)
        with entering.context():
            found = [len(run(backend.of_owner(owner))) for owner in ("7", "8")]
            ended = [run(backend.remove_of_owner(owner)) for owner in ("7", "8")]

        assert (found, ended) == ([0, 1], [0, 1])
        assert visitor.get("/read").json == {}


def test_what_was_ended_or_has_expired_is_listed_no_more(entering: App) -> None:
    with entering.test_client() as one, entering.test_client() as two, moved() as travel:
        one.get("/enter/7")
        two.get("/enter/7")
        one.get("/forget")
        backend = backend_of(entering)
        with entering.context():
            after_one = len(run(backend.of_owner("7")))
            travel.forward(15 * 86400)
            after_all = len(run(backend.of_owner("7")))

    assert (after_one, after_all) == (1, 0)


def test_a_session_that_is_used_for_weeks_is_still_listed(entering: App) -> None:
    with entering.test_client() as visitor, entering.test_client() as other, moved() as travel:
        visitor.get("/enter/7")
        travel.forward(10 * 86400)
        visitor.get("/count")
        travel.forward(10 * 86400)
        other.get("/enter/7")
        with entering.context():
            found = {each.key for each in run(backend_of(entering).of_owner("7"))}

    assert found == {key_of(visitor.cookies[NAME]), key_of(other.cookies[NAME])}


def test_a_save_tells_whether_it_was_of_the_version_that_is_there(entering: App) -> None:
    with entering.test_client() as visitor:
        visitor.get("/enter/7")
        with entering.context():
            backend = backend_of(entering)
            stored = run(backend.of_owner("7"))[0]
            outcomes = [
                run(backend.update(stored.key, stored)),
                run(backend.update(stored.key, stored)),
                run(backend.update("0" * 64, stored)),
            ]

    assert outcomes == ["saved", "changed", "gone"]


# F12


@pytest.mark.slow
def test_a_thousand_interleaved_requests_never_see_each_others_session(app: App) -> None:
    """Each visitor adds only to their own session, and finds nothing else in it, whoever is served meanwhile."""

    @app.get("/mark/<me>")
    async def mark(session: Session, me: str) -> dict[str, Any]:
        before = list(session.get("marks", []))
        await asyncio.sleep(0)
        session.setdefault("marks", []).append(me)
        await asyncio.sleep(0)
        return {"before": before, "after": session["marks"]}

    async def story() -> list[tuple[str, int, Any]]:
        async with app.async_client() as client:
            cookies: dict[str, dict[str, str]] = {}

            async def visit(me: str, turn: int) -> tuple[str, int, Any]:
                answer = await client.get(f"/mark/{me}", cookies=cookies.get(me, {}))
                cookies.setdefault(me, {NAME: answer.cookies.get(NAME, "")})
                return me, turn, answer.json

            seen: list[tuple[str, int, Any]] = []
            for turn in range(20):
                seen += await asyncio.gather(*[visit(f"visitor-{number}", turn) for number in range(50)])
            return seen

    seen = asyncio.run(story())

    assert len(seen) == 1000
    assert [
        each for each in seen if each[2] != {"before": [each[0]] * each[1], "after": [each[0]] * (each[1] + 1)}
    ] == []


# Users


def test_a_user_is_logged_in_listed_and_logged_out_everywhere(app: App) -> None:
    app.register(Auth(pages=False))

    @app.get("/log-in")
    def log_in(request: Request) -> str:
        user, _ = User.objects.get_or_create(username="miles", defaults={"email": "miles@example.com"})
        login(request, user)
        return str(user.pk)

    @app.get("/who")
    async def who(user: User | None) -> str:
        return user.username if user is not None else "nobody"

    with app.test_client() as one, app.test_client() as two:
        one.get("/count")
        before = one.cookies[NAME]
        key = one.get("/log-in").text
        two.get("/log-in")
        seen = [client.get("/who").text for client in (one, two)]
        with app.context():
            backend = backend_of(app)
            listed = len(run(backend.of_owner(key)))
            run(backend.remove_of_owner(key))

        assert one.cookies.get(NAME) != before
        assert (seen, listed) == (["miles", "miles"], 2)
        assert [client.get("/read").json for client in (one, two)] == [{}, {}]
