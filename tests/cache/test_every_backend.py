"""OPERATE-11 and OPERATE-33: one suite on each back end, in both colours."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cache_kit import Clock, Coloured

from segue.cache.errors import BadKey, NoCounter, NotStorable


@pytest.mark.parametrize(
    "value",
    [
        None, True, 0, -5, 2**63 - 1, 2**64 - 1, 1.5, "", "Ørsted", b"\x00\xff", [1, "two", None], {"a": {"b": [1]}},
        datetime(2026, 1, 31, 12, tzinfo=UTC),
    ],
)  # fmt: skip
def test_a_value_comes_back_as_it_was(kept: Coloured, value: Any) -> None:
    kept.set("key", value)

    assert kept.get("key", "nothing") == value
    assert type(kept.get("key", "nothing")) is type(value)


def test_what_is_not_there_is_the_default(kept: Coloured) -> None:
    assert kept.get("key") is None
    assert kept.get("key", 7) == 7
    assert kept.has_key("key") is False


def test_a_later_value_replaces_an_earlier(kept: Coloured) -> None:
    kept.set("key", 1)
    kept.set("key", "two")

    assert kept.get("key") == "two"


def test_a_value_ends_after_its_time(kept: Coloured, clock: Clock) -> None:
    kept.set("short", 1, 10)
    kept.set("span", 1, timedelta(minutes=1))
    kept.set("default", 1)
    kept.set("for ever", 1, None)

    clock.move(11)
    after_eleven = kept.get_many(["short", "span", "default", "for ever"])
    clock.move(50)
    after_a_minute = kept.get_many(["short", "span", "default", "for ever"])
    clock.move(300)

    assert sorted(after_eleven) == ["default", "for ever", "span"]
    assert sorted(after_a_minute) == ["default", "for ever"]
    assert kept.get_many(["default", "for ever"]) == {"for ever": 1}


def test_no_time_at_all_forgets_the_value(kept: Coloured) -> None:
    kept.set("key", 1)
    kept.set("key", 2, 0)

    assert kept.get("key") is None


def test_add_keeps_the_first(kept: Coloured, clock: Clock) -> None:
    assert kept.add("key", 1, 10) is True
    assert kept.add("key", 2, 10) is False
    assert kept.get("key") == 1

    clock.move(11)

    assert kept.add("key", 3, 10) is True
    assert kept.get("key") == 3


def test_delete_tells_whether_it_was_there(kept: Coloured) -> None:
    kept.set("key", 1)

    assert [kept.delete("key"), kept.delete("key"), kept.get("key")] == [True, False, None]


def test_touch_lets_a_value_live_longer(kept: Coloured, clock: Clock) -> None:
    kept.set("touched", "a", 10)
    kept.set("for ever", "b", 10)

    touched = [kept.touch("touched", 60), kept.touch("for ever", None), kept.touch("absent", 60)]
    clock.move(30)
    values = kept.get_many(["touched", "for ever"])
    clock.move(60)

    assert touched == [True, True, False]
    assert values == {"touched": "a", "for ever": "b"}
    assert kept.get_many(["touched", "for ever"]) == {"for ever": "b"}


def test_touch_without_time_forgets(kept: Coloured) -> None:
    kept.set("key", 1)

    assert kept.touch("key", 0) is True
    assert kept.get("key") is None


def test_counting_adds_and_subtracts(kept: Coloured) -> None:
    kept.set("key", 10)

    assert [kept.incr("key"), kept.incr("key", 5), kept.decr("key", 20), kept.get("key")] == [11, 16, -4, -4]


def test_a_counter_that_is_made_by_counting_has_its_end_at_once(kept: Coloured, clock: Clock) -> None:
    first = kept.incr("key", initial=0, timeout=60)
    clock.move(40)
    second = kept.incr("key", initial=0, timeout=60)
    clock.move(21)

    assert (first, second, kept.get("key")) == (1, 2, None)
    assert kept.incr("key", initial=0, timeout=60) == 1


def test_counting_says_how_long_the_counter_lives(kept: Coloured, clock: Clock) -> None:
    kept.counted("key", timeout=60)
    clock.move(20)
    count = kept.counted("key", timeout=60)

    assert count.value == 2
    assert 35 < count.seconds_left <= 40
    assert kept.counted("for ever", timeout=None).seconds_left is None


@pytest.mark.parametrize("value", ["text", 1.5, [1], {"a": 1}])
def test_what_is_no_number_is_not_counted(kept: Coloured, value: Any) -> None:
    kept.set("key", value)

    with pytest.raises(NoCounter, match="cannot be counted"):
        kept.incr("key")


def test_nothing_is_not_counted_unless_it_is_said_from_where(kept: Coloured) -> None:
    with pytest.raises(NoCounter, match="nothing under 'key'"):
        kept.incr("key")


def test_many_threads_count_exactly(kept: Coloured) -> None:
    # The first of all makes the counter: that too is done by one.
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: kept.cache.incr("key", initial=0), range(80)))

    assert sorted(seen) == list(range(1, 81))


def test_of_many_who_add_one_wins(kept: Coloured) -> None:
    barrier = threading.Barrier(8)

    def add(number: int) -> bool:
        barrier.wait()
        return kept.cache.add("key", number)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(add, range(8))).count(True) == 1


@pytest.mark.parametrize("old", [7, "seven", b"\x00\xff", [1, {"a": None}]])
def test_a_value_is_put_in_the_place_of_the_one_that_was_read(kept: Coloured, clock: Clock, old: Any) -> None:
    kept.set("key", old, 10)

    answers = [kept.swap("key", "other", "new"), kept.swap("key", old, "new", 60), kept.swap("key", old, "late")]
    clock.move(11)

    assert answers == [False, True, False]
    assert kept.get("key") == "new"
    clock.move(60)
    assert kept.swap("key", "new", "again") is False
    assert kept.get("key") is None


def test_a_number_takes_the_place_of_a_text_and_a_text_of_a_number(kept: Coloured) -> None:
    kept.set("key", "one")

    assert [kept.swap("key", "one", 2), kept.swap("key", 2, "three"), kept.swap("key", 3, 4)] == [True, True, False]
    assert kept.get("key") == "three"


def test_nothing_is_put_in_the_place_of_nothing(kept: Coloured) -> None:
    assert kept.swap("key", None, 1) is False
    assert kept.get("key") is None


def test_what_is_swapped_for_no_time_is_gone(kept: Coloured) -> None:
    kept.set("key", 1)

    assert kept.swap("key", 1, 2, 0) is True
    assert kept.get("key") is None


def test_of_many_who_swap_one_wins(kept: Coloured) -> None:
    kept.set("key", "old")
    barrier = threading.Barrier(8)

    def swap(number: int) -> bool:
        barrier.wait()
        return kept.cache.swap("key", "old", number)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(swap, range(8))).count(True) == 1


def test_many_values_at_once(kept: Coloured) -> None:
    failed = kept.set_many({"a": 1, "b": "two", "c": [3]}, 60)
    found = kept.get_many(["a", "b", "c", "d"])
    kept.delete_many(["a", "c"])

    assert failed == []
    assert found == {"a": 1, "b": "two", "c": [3]}
    assert kept.get_many(["a", "b", "c"]) == {"b": "two"}
    assert kept.get_many([]) == {}


def test_nothing_at_once_is_nothing(kept: Coloured) -> None:
    kept.set_many({})
    kept.delete_many([])

    assert kept.get_many([]) == {}


def test_clear_forgets_what_has_its_prefix_alone(kept: Coloured) -> None:
    other = kept.with_(prefix=f"{kept.cache.prefix}%'; --")
    kept.set("key", "mine")
    other.set("key", "theirs")

    kept.clear()
    left = other.get("key")
    other.clear()

    assert (kept.get("key"), left, other.get("key")) == (None, "theirs", None)


def test_versions_are_apart(kept: Coloured) -> None:
    kept.set("key", "one")
    kept.set("key", "two", version=2)
    second = kept.with_(prefix=kept.cache.prefix, version=2)

    assert [kept.get("key"), kept.get("key", version=2), second.get("key")] == ["one", "two", "two"]


# Keys: I06 to I08


HOSTILE = [
    "a/b", "a_b", "a\\b", "../../etc/passwd", "a b", "a\r\nDEL b", "a\x00b", "é", "e\u0301", "ﬁ", "fi", "key", "KEY",
    "x" * 250, "x" * 5000, "x" * 5001, "*", "?", "[a]", "%", "'; DROP TABLE segue_cache; --", "", " ", "\ud800",
    "1:a", "1", ":a",
]  # fmt: skip


def test_no_two_keys_are_one(kept: Coloured) -> None:
    kept.set_many({key: number for number, key in enumerate(HOSTILE)})

    assert kept.get_many(HOSTILE) == {key: number for number, key in enumerate(HOSTILE)}


def test_parts_of_a_key_do_not_run_into_each_other(kept: Coloured) -> None:
    kept.set("1", "a", version="1")

    assert kept.get("", version="11") is None
    assert kept.get("11", version="") is None


@pytest.mark.parametrize("key", [1, None, b"key", ("a", "b")])
def test_a_key_is_text(kept: Coloured, key: Any) -> None:
    with pytest.raises(BadKey):
        kept.set(key, 1)


@pytest.mark.parametrize("value", [object(), lambda: 1, 2**64, {1: object()}], ids=["object", "function", "long", "in"])
def test_what_cannot_come_back_is_refused(kept: Coloured, value: Any) -> None:
    with pytest.raises(NotStorable):
        kept.set("key", value)

    assert kept.get("key") is None


# X34


@pytest.mark.parametrize(
    "stored",
    [b"v", b"v\xc1", b"v\x91", b"e", b"e\x93", b"e\x80", b"v" + b"\x91" * 5000, b"e\x93\xc4\x01v\xc0\x80"],
)  # fmt: skip
def test_garbage_is_a_miss(kept: Coloured, stored: bytes) -> None:
    kept.cache.backend.set(kept.cache._key("key", None), stored, 60)

    assert kept.get("key", "miss") == "miss"
    assert kept.get_many(["key"]) == {}
    assert kept.has_key("key") is False
    assert kept.add("key", "made") is True
    assert kept.get("key") == "made"


@pytest.mark.parametrize("kind", ["memory", "file", "redis"], indirect=True)
@pytest.mark.parametrize("stored", [b"", b"cos\nsystem\n", b"\x80\x04.", b"1" * 5000, b"1.5"])
def test_what_another_program_wrote_is_a_miss(kept: Coloured, stored: bytes) -> None:
    kept.cache.backend.set(kept.cache._key("key", None), stored, 60)

    assert kept.get("key", "miss") == "miss"


# Tags


def test_a_tag_forgets_all_that_was_given_it(kept: Coloured) -> None:
    kept.set("a", 1, tags=["records", "home"])
    kept.set("b", 2, tags=["records"])
    kept.set("c", 3, tags=["people"])
    kept.set("d", 4)
    before = kept.get_many(["a", "b", "c", "d"])

    kept.invalidate_tags("records")

    assert before == {"a": 1, "b": 2, "c": 3, "d": 4}
    assert kept.get_many(["a", "b", "c", "d"]) == {"c": 3, "d": 4}
    assert [kept.get("a"), kept.get("c"), kept.has_key("b")] == [None, 3, False]


def test_a_value_that_is_kept_after_its_tag_was_forgotten_is_good(kept: Coloured) -> None:
    kept.set("key", "old", tags=["records"])
    kept.invalidate_tags("records")

    added = kept.add("key", "new", tags=["records"])

    assert (added, kept.get("key")) == (True, "new")


def test_tags_are_several_names(kept: Coloured) -> None:
    with pytest.raises(BadKey, match="one text"):
        kept.set("key", 1, tags="records")
