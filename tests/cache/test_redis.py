"""I11 and X14: cancelled commands, and a Redis that is away, slow, or comes back."""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cache_kit import REDIS, Clock, OwnBackend

from segue.cache import Cache, CacheUnavailable, RedisBackend
from segue.cache.breaker import Breaker
from segue.errors import SetupError, UsageError

NOBODY = "redis://127.0.0.1:1/0"


@pytest.mark.server
@pytest.mark.slow
def test_a_cancelled_command_leaves_no_reply_for_the_next(redis_server: Any) -> None:
    chance = random.Random(7)
    wrong: list[tuple[int, Any]] = []
    cancelled: list[int] = []

    async def ask(cache: Cache, number: int) -> None:
        found = await cache.aget(f"key {number}")
        if found != number:
            wrong.append((number, found))

    async def ask_many(cache: Cache, number: int) -> None:
        numbers = [number, (number + 1) % 50]
        found = await cache.aget_many(f"key {each}" for each in numbers)
        if found != {f"key {each}": each for each in numbers}:
            wrong.append((number, found))

    async def interrupt(cache: Cache, number: int) -> None:
        task = asyncio.ensure_future((ask_many if number % 3 == 0 else ask)(cache, number))
        for _ in range(chance.randrange(1, 5)):
            await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            cancelled.append(number)

    async def story() -> None:
        cache = Cache(RedisBackend(REDIS, patience_seconds=5), prefix=secrets.token_hex(8)).strict
        await cache.aset_many({f"key {number}": number for number in range(50)}, 60)
        while len(cancelled) < 300:
            await asyncio.gather(*[interrupt(cache, chance.randrange(50)) for _ in range(20)])
            await asyncio.gather(*[ask(cache, number) for number in range(50)])
        await cache.aclear()
        await cache.aclose()

    asyncio.run(story())

    assert wrong == []
    assert len(cancelled) >= 300


@pytest.mark.server
def test_a_server_that_is_away_is_a_miss(caplog: pytest.LogCaptureFixture) -> None:
    cache = Cache(RedisBackend(NOBODY), name="shared")
    with caplog.at_level(logging.WARNING, "segue.cache"):
        cache.set("key", 1)
        found = [cache.get("key", "miss"), cache.get_many(["key"]), cache.add("key", 1), cache.delete("key")]
        made = cache.get_or_set("key", lambda: "made")
        counted = cache.incr("key", initial=0)

    assert found == ["miss", {}, False, False]
    assert (made, counted, cache.set_many({"key": 1})) == ("made", 1, ["key"])
    assert [record.message.partition(",")[0] for record in caplog.records] == ["the cache shared does not answer"]


def test_the_strict_form_says_that_nothing_answers() -> None:
    cache = Cache(RedisBackend(NOBODY)).strict

    with pytest.raises(CacheUnavailable):
        cache.get("key")


def test_the_address_in_a_repr_shows_no_password() -> None:
    assert "secret" not in repr(Cache(RedisBackend("redis://me:secret@127.0.0.1:1/0")))


def test_a_wrong_address_of_redis_is_refused() -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        RedisBackend("http://127.0.0.1")


def test_a_blocking_call_on_a_loop_names_its_twin() -> None:
    async def story() -> None:
        Cache(RedisBackend(NOBODY)).get("key")

    with pytest.raises(UsageError, match=r"await cache.aget\("):
        asyncio.run(story())


# The circuit breaker


class Failing(OwnBackend):
    """A back end that can be away."""

    is_away = False
    calls = 0

    def get(self, key: str) -> bytes | None:
        self.calls += 1
        if self.is_away:
            raise ConnectionError("away")
        return super().get(key)


def test_who_does_not_answer_is_left_alone_then_tried_by_one(clock: Clock) -> None:
    backend = Failing(clock)
    cache = Cache(backend)
    cache.breaker = Breaker("shared", rest_seconds=0.5, clock=clock)
    cache.set("key", 1)
    backend.is_away = True

    while_away = [cache.get("key") for _ in range(10)]
    calls_at_first = backend.calls
    clock.move(0.6)
    backend.is_away = False
    after = cache.get("key")

    assert (while_away, calls_at_first) == ([None] * 10, 1)
    assert (after, cache.breaker.is_open) == (1, False)


def test_a_failed_trial_leaves_it_alone_again(clock: Clock) -> None:
    breaker = Breaker("shared", rest_seconds=0.5, clock=clock)
    breaker.failed(OSError("away"))
    clock.move(0.6)
    breaker.demand()

    with pytest.raises(CacheUnavailable):
        breaker.demand()


# A server of our own


class Server:
    """A Redis that the test stops, freezes and starts again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert time.monotonic() < deadline

    def send(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A Redis of the test's own, running."""
    if shutil.which("redis-server") is None:
        pytest.skip("needs redis-server, which is not installed")
    running = Server(tmp_path)
    running.start()
    yield running
    running.stop()


@pytest.mark.server
@pytest.mark.slow
def test_a_restart_loses_no_request_and_is_noticed_in_a_second(server: Server) -> None:
    cache = Cache(RedisBackend(f"redis://127.0.0.1:{server.port}/0"))
    cache.set("key", 1)
    server.stop()
    while_away = [cache.get("key", "miss") for _ in range(100)]
    server.start()
    started = time.monotonic()
    while cache.set_many({"key": 2}):
        assert time.monotonic() - started < 1
    found = cache.get("key")
    cache.close()

    assert (set(while_away), found) == ({"miss"}, 2)


@pytest.mark.server
@pytest.mark.slow
def test_no_connection_of_before_a_restart_is_given_out(server: Server) -> None:
    async def story() -> list[Any]:
        cache = Cache(RedisBackend(f"redis://127.0.0.1:{server.port}/0", patience_seconds=5)).strict
        await asyncio.gather(*[cache.aget("key", "miss") for _ in range(10)])
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        found = await asyncio.gather(*[cache.aget("key", "miss") for _ in range(10)], return_exceptions=True)
        await cache.aclose()
        return found

    assert asyncio.run(story()) == ["miss"] * 10


@pytest.mark.server
@pytest.mark.slow
def test_a_frozen_server_delays_one_request_in_many(server: Server) -> None:
    cache = Cache(RedisBackend(f"redis://127.0.0.1:{server.port}/0"))
    cache.set("key", 1)
    server.send(signal.SIGSTOP)
    waits: list[float] = []
    for _ in range(100):
        begun = time.monotonic()
        assert cache.get("key", "miss") == "miss"
        waits.append(time.monotonic() - begun)
    server.send(signal.SIGCONT)
    cache.close()

    assert max(waits) < 0.6
    assert sorted(waits)[94] < 0.1
