"""Several caches by name, and the addresses that say what they are."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from segue import App
from segue.cache import CACHES, Cache, FileBackend, MemoryBackend, cache, caches
from segue.errors import SetupError, UsageError


def make_app(configured: Any = None, **options: Any) -> App:
    """An app with such a key `CACHES`."""
    return App("tests_app", config={"CACHES": configured}, static_folder=None, template_folder=None, **options)


def test_every_app_has_a_cache_in_memory() -> None:
    with make_app().context():
        cache.set("key", "value")

        assert (cache.get("key"), "key" in cache, caches["default"].get("key")) == ("value", True, "value")


def test_two_apps_have_caches_of_their_own() -> None:
    with make_app().context():
        cache.set("key", "value")
    with make_app().context():
        assert cache.get("key") is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("memory://?max_entries=5", "<Cache <MemoryBackend of 0 values, 0 bytes>>"),
        ("dummy://", "<Cache <DummyBackend>>"),
        ("redis://me:pass@127.0.0.1:1/3", "127.0.0.1:1/3"),
        ("segue.cache.dummy:DummyBackend", "<Cache <DummyBackend>>"),
        ("segue.cache:MemoryBackend(max_entries=5)", "<Cache <MemoryBackend of 0 values, 0 bytes>>"),
        (MemoryBackend(), "<Cache <MemoryBackend of 0 values, 0 bytes>>"),
        ({"default": {"url": "memory://", "timeout": 60}}, "<Cache <MemoryBackend of 0 values, 0 bytes>>"),
    ],
)
def test_an_address_says_what_a_cache_is(address: Any, shown: str) -> None:
    made = make_app(address).provided(CACHES)["default"]

    assert shown in repr(made)
    assert "pass" not in repr(made)


def test_a_folder_is_relative_to_the_app() -> None:
    app = make_app("file://cached")

    backend = app.provided(CACHES)["default"].backend

    assert isinstance(backend, FileBackend)
    assert backend.folder == Path(app.root_path) / "cached"


def test_a_cache_in_the_database_of_the_app(tmp_path: Path) -> None:
    app = make_app({"shared": "database://"}, database=f"sqlite:///{tmp_path}/club.db")

    @app.get("/sync")
    def count() -> dict[str, int]:
        return {"visits": caches["shared"].incr("visits", initial=0)}

    @app.get("/async")
    async def acount() -> dict[str, int]:
        return {"visits": await caches["shared"].aincr("visits", initial=0)}

    client = app.test_client()
    found = [client.get(path).json["visits"] for path in ("/sync", "/async", "/sync")]
    app.db.close()

    assert found == [1, 2, 3]


def test_a_handler_that_asks_for_a_cache_gets_the_default() -> None:
    app = make_app()

    @app.get("/")
    def index(kept: Cache) -> dict[str, int]:
        return {"visits": kept.incr("visits", initial=0)}

    client = app.test_client()

    assert [client.get("/").json["visits"] for _ in range(2)] == [1, 2]


def test_options_of_an_address_are_those_of_the_cache() -> None:
    made = make_app("memory://?timeout=none&prefix=club&version=7").provided(CACHES)["default"]

    assert (made.timeout, made.prefix, made.version) == (None, "club", "7")


@pytest.mark.parametrize(
    "address",
    [
        "memroy://", "memory://?size=5", "memory://?max_entries=many", "memory://?timeout=soon", "file://", "database://",
        "builtins:dict", 7,
    ],
)  # fmt: skip
def test_a_wrong_address_stops_the_start(address: Any) -> None:
    with pytest.raises(SetupError) as caught:
        make_app(address).compile()

    assert caught.value.code == "cache/bad-address"


def test_an_unknown_name_suggests_the_nearest() -> None:
    with make_app({"pages": "memory://"}).context(), pytest.raises(UsageError, match="pages"):
        caches["page"].get("key")


def test_memory_has_a_limit_and_forgets_what_was_not_used_for_longest() -> None:
    kept = Cache(MemoryBackend(max_entries=3))
    kept.set_many({"a": 1, "b": 2, "c": 3})
    kept.get("a")
    kept.set("d", 4)

    assert kept.get_many("abcd") == {"a": 1, "c": 3, "d": 4}


def test_memory_has_a_limit_of_bytes() -> None:
    kept = Cache(MemoryBackend(max_bytes=1000))
    for number in range(10):
        kept.set(str(number), "x" * 300)
    kept.set("too large", "x" * 2000)

    assert sorted(kept.get_many([*map(str, range(10)), "too large"])) == ["7", "8", "9"]


def test_files_have_a_limit_and_are_nobody_elses(tmp_path: Path) -> None:
    kept = Cache(FileBackend(tmp_path / "cache", max_entries=0))
    kept.set_many({str(number): number for number in range(2500)})
    files = [each for each in (tmp_path / "cache").glob("*/*/*") if each.name != ".lock"]

    assert len(files) <= 256 * 8
    assert {each.stat().st_mode & 0o077 for each in files} == {0}


@pytest.mark.parametrize("damage", [b"", b"SGC1", b"\x80\x04.", None])
def test_a_damaged_file_is_a_miss(tmp_path: Path, damage: bytes | None) -> None:
    kept = Cache(FileBackend(tmp_path / "cache"))
    kept.set("key", "a value of some length")
    (file,) = [each for each in (tmp_path / "cache").glob("*/*/*") if each.name != ".lock"]
    file.write_bytes(file.read_bytes()[:-3] if damage is None else damage)

    assert kept.get("key", "miss") == "miss"


def test_what_keeps_nothing_makes_each_time() -> None:
    with make_app("dummy://").context():
        made = [cache.get_or_set("key", value) for value in (1, 2)]

        assert (made, cache.get("key"), cache.incr("key", initial=0)) == ([1, 2], None, 1)


def test_caches_are_closed_at_the_end() -> None:
    closed: list[str] = []

    class Closing(MemoryBackend):
        def close(self) -> None:
            closed.append("closed")

    app = make_app({"default": Closing()})
    asyncio.run(app.provided(CACHES).aclose())

    assert closed == ["closed"]
