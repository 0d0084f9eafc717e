"""Sessions that are kept in a cache of the app."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segue import App
from segue.cache import CACHES, Backend, CacheUnavailable, MemoryBackend
from segue.colours import run
from segue.errors import SetupError
from segue.testing import Client
from segue.web.sessions import SESSIONS, Session
from segue.web.sessions.stores import Stored, key_of

NAME = "__Host-session"
NOW = int(time.time())


@pytest.fixture
def kind() -> str:
    return "cache"


class Failing(MemoryBackend):
    """Memory that can be away."""

    is_away = False

    def get(self, key: str) -> bytes | None:
        if self.is_away:
            raise CacheUnavailable("away")
        return super().get(key)

    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        if self.is_away:
            raise CacheUnavailable("away")
        super().set(key, value, seconds)


class Plain(MemoryBackend):
    """Memory without `swap`, as a back end of a user may be."""

    swap = Backend.swap


def cached(app: App, visitor: Client) -> str:
    """The key under which the session of a visitor is in the cache."""
    return f"session:{key_of(visitor.cookies[NAME])}"


@pytest.mark.parametrize("kept_in", ["memory://", "file://", "database://"])
def test_each_kind_of_cache_keeps_them(make_app: Callable[..., App], tmp_path: Path, kept_in: str) -> None:
    address = f"file://{tmp_path}/cache" if kept_in == "file://" else kept_in
    app = make_app("cache://sessions", CACHES={"sessions": address})

    with app.test_client() as visitor:
        counts = [visitor.get(path).text for path in ("/count", "/acount", "/count")]
        visitor.get("/forget")

        assert counts == ["1", "2", "3"]
        assert visitor.get("/read").json == {}


def test_the_cache_knows_the_hash_of_the_id_and_not_the_id(app: App, visitor: Client) -> None:
    visitor.get("/count")

    cache = app.provided(CACHES)["default"]

    assert cache.get(cached(app, visitor)) is not None
    assert cache.get(f"session:{visitor.cookies[NAME]}") is None


GARBAGE: list[Any] = [b"", "text", 7, [], [b"\xc1", 1, 1, 2**40, 0, ""], [b"", "soon", 1, 1, 0, ""], {"data": b""}]


@pytest.mark.parametrize("path", ["/count", "/acount"])
@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
def test_a_garbled_session_is_as_none_and_no_error(app: App, visitor: Client, garbage: Any, path: str) -> None:
    visitor.get("/count")
    app.provided(CACHES)["default"].set(cached(app, visitor), garbage)

    answers = [visitor.get(each) for each in (path, path)]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "1"), (200, "2")]


@pytest.mark.parametrize("size", [0, 7, 20])
def test_a_damaged_file_is_as_none_and_no_error(make_app: Callable[..., App], tmp_path: Path, size: int) -> None:
    app = make_app("cache", CACHES=f"file://{tmp_path}/cache")

    with app.test_client() as visitor:
        visitor.get("/count")
        (file,) = (each for each in tmp_path.glob("cache/*/*/*") if not each.name.startswith("."))
        file.write_bytes(file.read_bytes()[:size])

        assert [visitor.get("/count").text, visitor.get("/count").text] == ["1", "2"]


def test_a_garbled_list_of_a_user_is_an_empty_one(app: App) -> None:
    with app.context() as context:
        backend: Any = context.get(SESSIONS).store.backend  # type: ignore[attr-defined]
        context.get(CACHES)["default"].set("sessions of:7", ["garbage"])
        before = run(backend.of_owner("7"))
        run(backend.insert("1" * 64, Stored(b"", NOW, NOW, NOW + 3600, owner="7")))
        after = run(backend.of_owner("7"))

    assert (before, [each.key for each in after]) == ([], ["1" * 64])


def test_of_many_sessions_of_a_user_those_that_are_gone_leave_the_list(app: App) -> None:
    with app.context() as context:
        backend: Any = context.get(SESSIONS).store.backend  # type: ignore[attr-defined]
        cache = context.get(CACHES)["default"]
        gone = {f"{number:064}": 2**40 for number in range(101)}
        cache.set("sessions of:7", gone)
        run(backend.insert("1" * 64, Stored(b"", NOW, NOW, NOW + 3600, owner="7")))

        assert list(cache.get("sessions of:7")) == ["1" * 64]


@pytest.mark.parametrize("path", ["/count", "/acount", "/read"])
def test_a_cache_that_is_away_is_503_and_no_logout(make_app: Callable[..., App], path: str) -> None:
    backend = Failing()
    app = make_app("cache", CACHES={"default": backend})

    with app.test_client(raise_errors=False) as visitor:
        visitor.get("/count")
        backend.is_away = True
        answer = visitor.get(path)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "set-cookie" not in answer.headers


def test_a_session_that_cannot_be_begun_sets_no_cookie(make_app: Callable[..., App]) -> None:
    backend = Failing()
    backend.is_away = True
    app = make_app("cache", CACHES={"default": backend})

    with app.test_client(raise_errors=False) as visitor:
        assert visitor.get("/count").status_code == 503
        assert dict(visitor.cookies) == {}


@pytest.mark.parametrize("keeps", ["dummy://", {"url": Plain()}], ids=["nothing", "no swap"])
def test_a_cache_that_cannot_keep_them_is_refused_at_the_start(make_app: Callable[..., App], keeps: Any) -> None:
    with pytest.raises(SetupError, match="cannot keep them") as raised:
        make_app("cache", CACHES={"default": keeps}).compile()

    assert raised.value.code == "web/session-store"


def test_an_unknown_cache_is_named_at_the_start(make_app: Callable[..., App]) -> None:
    with pytest.raises(Exception, match="sesions") as raised:
        make_app("cache://sesions", CACHES={"sessions": "memory://"}).compile()

    assert "sessions" in raised.value.hint  # type: ignore[attr-defined]


def test_values_of_the_site_are_not_in_its_way(app: App) -> None:
    @app.get("/cache")
    def fill(session: Session) -> str:
        from segue.cache import cache

        cache.set("count", 100)
        session["count"] = session.get("count", 0) + 1
        return f"{session['count']} {cache.get('count')}"

    with app.test_client() as visitor:
        assert [visitor.get("/cache").text, visitor.get("/cache").text] == ["1 100", "2 100"]
