"""Sessions that are kept in Redis."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from segue import App, Request
from segue.colours import arun, run
from segue.errors import SetupError
from segue.testing import Client
from segue.web.sessions import SESSIONS, Session
from segue.web.sessions.redis import RedisBackend
from segue.web.sessions.stores import Stored, key_of

NAME = "__Host-session"
NOBODY = "redis://127.0.0.1:1/0"
AWAY = {NAME: "A" * 43}


@pytest.fixture(params=["redis"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def away(make_app: Callable[..., App]) -> App:
    """An app whose Redis does not answer."""
    return make_app(NOBODY)


def keys(server: Any, space: str) -> list[str]:
    return [key.decode() for key in server.scan_iter(match=f"segue:session:{{{space}}}:*", count=1000)]


def test_redis_holds_the_hash_of_the_id_and_not_the_id(visitor: Client, redis_server: Any, space: str) -> None:
    visitor.get("/count")

    (key,) = keys(redis_server, space)

    assert key.endswith(f":key:{key_of(visitor.cookies[NAME])}")
    assert visitor.cookies[NAME].encode() not in b"".join(redis_server.hvals(key))


def test_it_ends_there_when_the_session_does(visitor: Client, redis_server: Any, space: str) -> None:
    visitor.get("/count")

    assert 14 * 86400 - 60 < redis_server.ttl(keys(redis_server, space)[0]) <= 14 * 86400


def test_visitors_who_keep_nothing_leave_nothing(visitor: Client, redis_server: Any, space: str) -> None:
    answers = [visitor.get(path) for path in ("/", "/read", "/untouched", "/missing", "/forget")]

    assert keys(redis_server, space) == []
    assert [answer.headers.get("set-cookie") for answer in answers] == [None] * 5


def test_an_app_of_another_name_has_other_users(redis_server: Any, redis_address: str, space: str) -> None:
    first, second = RedisBackend(redis_address, space=space), RedisBackend(redis_address, space=f"{space}}}:2")
    now = int(time.time())
    for backend, key in ((first, "1" * 64), (second, "2" * 64)):
        run(backend.insert(key, Stored(b"", now, now, now + 60, owner="7")))

    ended = run(first.remove_of_owner("7"))
    left = [each.key for each in run(second.of_owner("7"))]
    run(second.remove_of_owner("7"))
    first.close()
    second.close()

    assert (ended, left) == (1, ["2" * 64])


def test_the_set_of_a_user_holds_no_ended_session(app: App, redis_server: Any, space: str) -> None:
    @app.get("/enter")
    def enter(session: Session) -> str:
        session.owner = "7"
        return "x"

    with app.test_client() as other:
        other.get("/enter")
        other.get("/forget")

    assert keys(redis_server, space) == []


GARBAGE: dict[str, Callable[[Any, str], object]] = {
    "content": lambda server, key: server.hset(key, "data", b"\xc1"),
    "cut": lambda server, key: server.hset(key, "data", server.hget(key, "data")[:3]),
    "moment": lambda server, key: server.hset(key, "expires", "soon"),
    "owner": lambda server, key: server.hset(key, "owner", b"\xff"),
    "field": lambda server, key: server.hdel(key, "seen"),
    "kind": lambda server, key: (server.delete(key), server.set(key, "text", ex=60)),
}


@pytest.mark.parametrize("path", ["/count", "/acount"])
@pytest.mark.parametrize("what", GARBAGE)
def test_a_garbled_session_is_as_none_and_no_error(
    visitor: Client, redis_server: Any, space: str, what: str, path: str
) -> None:
    visitor.get("/count")
    GARBAGE[what](redis_server, keys(redis_server, space)[0])

    answers = [visitor.get(each) for each in (path, path)]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "1"), (200, "2")]


def test_one_that_is_garbled_while_a_request_runs_is_gone(app: App, redis_server: Any, space: str) -> None:
    @app.get("/garble")
    def garble(session: Session) -> str:
        session["count"] = 7
        GARBAGE["kind"](redis_server, keys(redis_server, space)[0])
        return "x"

    with app.test_client() as visitor:
        visitor.get("/count")

        assert "Max-Age=0" in visitor.get("/garble").headers["set-cookie"]


# Redis is away


@pytest.mark.parametrize("path", ["/read", "/count", "/acount", "/forget", "/renew"])
def test_a_session_that_cannot_be_read_is_503_and_no_logout(away: App, path: str) -> None:
    with away.test_client(raise_errors=False) as visitor:
        answer = visitor.get(path, cookies=AWAY)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/count", "/acount"])
def test_one_that_cannot_be_saved_is_503_too(away: App, path: str) -> None:
    with away.test_client(raise_errors=False) as visitor:
        answer = visitor.get(path, headers={"accept": "application/json"})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json["code"] == "web/sessions-unavailable"
    assert "set-cookie" not in answer.headers


def test_requests_that_touch_no_session_go_on(away: App) -> None:
    with away.test_client() as visitor:
        assert visitor.get("/untouched", cookies=AWAY).text == "x"
        assert visitor.get("/read").json == {}


def test_it_is_logged_once_and_not_asked_by_everybody(away: App, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "segue.cache"), away.test_client(raise_errors=False) as visitor:
        statuses = {visitor.get("/read", cookies=AWAY).status_code for _ in range(20)}

    assert statuses == {503}
    assert [record.message.partition(",")[0] for record in caplog.records] == [
        f"the store of sessions {NOBODY} does not answer"
    ]


def test_the_address_in_a_repr_shows_no_password() -> None:
    assert "secret" not in repr(RedisBackend("redis://me:secret@127.0.0.1:1/0"))


def test_without_an_address_the_app_does_not_start(make_app: Callable[..., App]) -> None:
    with pytest.raises(SetupError, match="nothing says where") as raised:
        make_app("redis", REDIS_URL=None).compile()

    assert (raised.value.code, raised.value.hint) == ("web/session-store", "REDIS_URL = redis://127.0.0.1:6379/0")


# F12 and I11


@pytest.mark.slow
def test_cancelled_requests_leave_no_session_for_the_next(app: App) -> None:
    """I11: a reply that nobody waited for reaches nobody else."""
    chance = random.Random(7)
    wrong: list[Any] = []
    cancelled = 0

    async def story() -> None:
        nonlocal cancelled
        backend = app.provided(SESSIONS).store.backend  # type: ignore[attr-defined]
        now = int(time.time())
        held = {f"{number:064}": f"content {number}".encode() for number in range(50)}
        for key, data in held.items():
            await arun(backend.insert(key, Stored(data, now, now, now + 60)))

        async def ask(key: str) -> None:
            found = await arun(backend.read(key))
            if found is None or found.data != held[key]:
                wrong.append((key, found))

        async def save(key: str) -> None:
            found = await arun(backend.read(key))
            outcome = await arun(backend.update(key, found))
            if outcome not in ("saved", "changed"):
                wrong.append((key, outcome))

        async def interrupt(key: str) -> bool:
            task = asyncio.ensure_future(chance.choice((ask, save))(key))
            for _ in range(chance.randrange(1, 8)):
                await asyncio.sleep(0)
            task.cancel()
            return isinstance((await asyncio.gather(task, return_exceptions=True))[0], asyncio.CancelledError)

        chosen = list(held)
        while cancelled < 300:
            cancelled += sum(await asyncio.gather(*[interrupt(chance.choice(chosen)) for _ in range(20)]))
            await asyncio.gather(*[ask(key) for key in chosen])
        await backend.aclose()

    asyncio.run(story())

    assert wrong == []
    assert cancelled >= 300


def test_the_connections_of_a_loop_end_with_the_app(app: App) -> None:
    @app.get("/open")
    async def is_open(request: Request) -> str:
        await request.asession()
        return str(len(app.provided(SESSIONS).store.backend._connections._loops))  # type: ignore[attr-defined]

    with app.test_client() as visitor:
        visitor.get("/count")
        visitor.get("/acount")

        assert visitor.get("/open").text == "1"
