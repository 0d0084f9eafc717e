"""OPERATE-13 and I12: of all who miss a key, one makes its value; a stale one is given out meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from cache_kit import Clock

from segue.cache import Cache, MemoryBackend
from segue.cache.errors import NotStorable
from segue.errors import UsageError


class Maker:
    """Makes numbered values, once it may."""

    def __init__(self) -> None:
        self.calls = 0
        self.started = threading.Event()
        self.may_end = threading.Event()

    def __call__(self) -> str:
        self.calls += 1
        self.started.set()
        assert self.may_end.wait(10)
        return f"value {self.calls}"


@pytest.fixture
def cache(clock: Clock) -> Cache:
    """A cache in memory."""
    return Cache(MemoryBackend(clock=clock), clock=clock)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Threads for all who miss at once."""
    with ThreadPoolExecutor(100) as threads:
        yield threads


def test_a_value_is_made_once_and_kept(cache: Cache) -> None:
    made: list[int] = []

    values = [cache.get_or_set("key", lambda: made.append(1) or "value", 60) for _ in range(3)]

    assert (values, made, cache.get("key")) == (["value"] * 3, [1], "value")


def test_a_plain_value_is_taken_as_it_is(cache: Cache) -> None:
    assert [cache.get_or_set("key", "first"), cache.get_or_set("key", "second")] == ["first", "first"]


def test_a_hundred_threads_that_miss_make_one_value(cache: Cache, pool: ThreadPoolExecutor) -> None:
    make = Maker()
    waiting = [pool.submit(cache.get_or_set, "key", make) for _ in range(100)]
    make.started.wait(10)
    make.may_end.set()

    assert {each.result(10) for each in waiting} == {"value 1"}
    assert make.calls == 1


def test_a_thousand_tasks_that_miss_make_one_value(cache: Cache) -> None:
    made: list[int] = []

    async def make() -> str:
        made.append(1)
        await asyncio.sleep(0)
        return "value"

    async def story() -> list[Any]:
        return await asyncio.gather(*[cache.aget_or_set("key", make) for _ in range(1000)])

    assert set(asyncio.run(story())) == {"value"}
    assert made == [1]


def test_a_task_waits_for_a_thread(cache: Cache, pool: ThreadPoolExecutor) -> None:
    make = Maker()

    async def story() -> str:
        waiting = asyncio.ensure_future(cache.aget_or_set("key", lambda: "of the task"))
        await asyncio.sleep(0)
        make.may_end.set()
        return str(await waiting)

    leading = pool.submit(cache.get_or_set, "key", make)
    make.started.wait(10)

    assert (asyncio.run(story()), leading.result(10), make.calls) == ("value 1", "value 1", 1)


def test_each_who_waited_has_a_value_of_its_own(cache: Cache) -> None:
    async def make() -> list[int]:
        await asyncio.sleep(0)
        return [1]

    async def story() -> list[Any]:
        return await asyncio.gather(*[cache.aget_or_set("key", make) for _ in range(3)])

    first, second, third = asyncio.run(story())
    first.append(2)

    assert (second, third, cache.get("key")) == ([1], [1], [1])


def test_an_error_reaches_all_who_waited_and_nothing_is_kept(cache: Cache, pool: ThreadPoolExecutor) -> None:
    make = Maker()

    def fail() -> None:
        make()
        raise LookupError("no such record")

    waiting = [pool.submit(cache.get_or_set, "key", fail) for _ in range(5)]
    make.started.wait(10)
    make.may_end.set()
    errors = [each.exception(10) for each in waiting]

    assert {type(each) for each in errors} == {LookupError}
    assert cache.get_or_set("key", "again") == "again"


def test_who_waits_for_a_cancelled_maker_makes_the_value_itself(cache: Cache) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async def story() -> Any:
        leading = asyncio.ensure_future(cache.aget_or_set("key", never))
        await asyncio.sleep(0)
        waiting = asyncio.ensure_future(cache.aget_or_set("key", lambda: "mine"))
        await asyncio.sleep(0)
        leading.cancel()
        return await waiting

    assert asyncio.run(story()) == "mine"
    assert len(cache._flights) == 0


def test_who_is_cancelled_while_waiting_cancels_nobody_else(cache: Cache) -> None:
    async def story() -> list[Any]:
        may_end = asyncio.Event()

        async def make() -> str:
            await may_end.wait()
            return "value"

        tasks = [asyncio.ensure_future(cache.aget_or_set("key", make)) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        may_end.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, second, third = asyncio.run(story())

    assert (first, third) == ("value", "value")
    assert isinstance(second, asyncio.CancelledError)


def test_a_maker_that_asks_for_its_own_key_does_not_wait_for_itself(cache: Cache) -> None:
    def make() -> str:
        inner = cache.get_or_set("key", lambda: "inner")
        return f"outer of {inner}"

    assert cache.get_or_set("key", make) == "outer of inner"


def test_a_stale_value_is_given_out_while_one_makes_the_new(
    cache: Cache, clock: Clock, pool: ThreadPoolExecutor
) -> None:
    cache.get_or_set("key", "old", 60, stale=30)
    clock.move(70)
    make = Maker()
    leading = pool.submit(cache.get_or_set, "key", make, 60, stale=30)
    make.started.wait(10)

    others = [cache.get_or_set("key", make, 60, stale=30) for _ in range(5)]
    make.may_end.set()

    assert (others, leading.result(10), make.calls) == (["old"] * 5, "value 1", 1)
    assert cache.get_or_set("key", make, 60, stale=30) == "value 1"


def test_a_value_is_not_given_out_beyond_its_stale_time(cache: Cache, clock: Clock) -> None:
    cache.get_or_set("key", "old", 60, stale=30)
    clock.move(91)

    assert cache.get("key") is None


def test_jitter_ends_values_apart_and_never_later(clock: Clock) -> None:
    backend = MemoryBackend(clock=clock)
    cache = Cache(backend, clock=clock)
    for number in range(200):
        cache.get_or_set(f"key {number}", number, 100, jitter=0.5)

    clock.move(50)
    half = len(cache.get_many(f"key {number}" for number in range(200)))
    clock.move(25)
    three_quarters = len(cache.get_many(f"key {number}" for number in range(200)))
    clock.move(25)

    assert half == 200
    assert 40 < three_quarters < 160
    assert cache.get_many(f"key {number}" for number in range(200)) == {}


def test_a_value_whose_tag_is_forgotten_while_it_is_made_is_not_kept_as_good(cache: Cache) -> None:
    def make() -> str:
        cache.invalidate_tags("records")
        return "old"

    cache.invalidate_tags("records")

    assert cache.get_or_set("key", make, tags=["records"]) == "old"
    assert cache.get("key") is None


class Record(msgspec.Struct):
    title: str
    price: Decimal


def test_a_value_has_the_type_that_is_asked_for(cache: Cache) -> None:
    made = cache.get_or_set("key", lambda: Record("Blue Train", Decimal("9.90")), type=Record)

    assert made == cache.get("key", type=Record) == Record("Blue Train", Decimal("9.90"))


def test_a_value_of_another_shape_is_a_miss(cache: Cache) -> None:
    cache.set("key", {"name": "of an older release"})

    assert cache.get("key", type=Record) is None
    assert cache.get_or_set("key", Record("new", Decimal(1)), type=Record).title == "new"


def test_an_object_is_refused_by_all_who_make_it(cache: Cache) -> None:
    with pytest.raises(NotStorable):
        cache.get_or_set("key", lambda: object())


def test_an_async_maker_needs_the_async_method(cache: Cache) -> None:
    async def make() -> int:
        return 1

    with pytest.raises(UsageError, match="aget_or_set"):
        cache.get_or_set("key", make)


def test_waiting_for_others_on_a_loop_is_refused(cache: Cache) -> None:
    async def story() -> None:
        cache.get_or_set("key", 1)

    with pytest.raises(UsageError, match=r"await cache.aget_or_set"):
        asyncio.run(story())
