"""SECURITY H11, X35: hashing runs in few threads, and a flood of it is told to come again."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from statistics import median

import pytest

from segue import App
from segue.auth.hashing import STRENGTH, Strength, acheck_password, check_password
from segue.auth.hashing.pool import HashPool, pool
from segue.errors import ServiceUnavailable
from segue.testing import AsyncClient


class Gate:
    """Holds every call until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self) -> str:
        self.entered.release()
        assert self.opened.wait(10)
        return threading.current_thread().name


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def test_it_has_as_many_threads_as_cores_but_two_at_most() -> None:
    own = HashPool()

    assert own.threads == min(2, os.cpu_count() or 1)
    assert own.queue == 50


async def test_the_loop_goes_on_and_what_is_too_much_is_refused(gate: Gate) -> None:
    own = HashPool(1, queue=2)
    waiting = [asyncio.ensure_future(own.arun(gate)) for _ in range(3)]
    await asyncio.sleep(0)

    with pytest.raises(ServiceUnavailable) as caught:
        await own.arun(gate)

    gate.opened.set()
    assert caught.value.headers["Retry-After"] == "5"
    assert all(name.startswith("segue-hash") for name in await asyncio.gather(*waiting))
    assert await own.arun(len, "free again") == 10


async def test_who_gives_up_makes_room(gate: Gate) -> None:
    own = HashPool(1, queue=1)
    first = asyncio.ensure_future(own.arun(gate))
    second = asyncio.ensure_future(own.arun(gate))
    await asyncio.sleep(0)

    second.cancel()
    await asyncio.sleep(0)
    third = asyncio.ensure_future(own.arun(len, "third"))
    gate.opened.set()

    assert await third == 5
    await first


def test_sync_callers_wait_for_their_turn() -> None:
    own = HashPool(1, queue=5)
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(own.run(len, "four"))) for _ in range(5)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [4] * 5


def test_a_raise_comes_back_and_makes_room() -> None:
    own = HashPool(1, queue=0)

    with pytest.raises(ValueError):
        own.run(int, "no number")

    assert own.run(int, "1") == 1


def test_def_handlers_leave_threads_to_others(gate: Gate) -> None:
    app = App("tests_app", static_folder=None, template_folder=None, config={"THREADS": 2})
    own = HashPool(1, queue=50)
    started = threading.Thread(target=lambda: _in_context(app, lambda: own.run(gate)))
    started.start()
    assert gate.entered.acquire(timeout=10)

    with app.context(), pytest.raises(ServiceUnavailable):
        own.run(len, "one too many")

    gate.opened.set()
    started.join()


def _in_context(app: App, function: Callable[[], object]) -> None:
    with app.context():
        function()


def test_a_forked_child_hashes_too() -> None:
    code = """
    import os, warnings
    from segue.auth.hashing.pool import pool

    warnings.simplefilter("ignore")  # of forks where threads run: that is what this is about
    assert pool.run(len, "in the parent") == 13
    child = os.fork()
    if child == 0:
        os._exit(pool.run(len, "child"))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 5
    """

    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, timeout=30, check=False)

    assert (done.returncode, done.stderr) == (0, b"")


async def test_a_busy_pool_is_503_with_retry_after(app: App, gate: Gate) -> None:
    @app.post("/login")
    async def login() -> dict[str, bool]:
        return {"right": await acheck_password("a", None)}

    held = [asyncio.ensure_future(pool.arun(gate)) for _ in range(pool.threads + pool.queue)]
    await asyncio.sleep(0)

    response = await AsyncClient(app, raise_errors=False).post("/login")

    gate.opened.set()
    await asyncio.gather(*held)
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")


@pytest.mark.slow
@pytest.mark.parametrize("colour", ["def", "async def"])
async def test_others_are_served_during_a_flood_of_logins(app: App, colour: str) -> None:
    app.provide(STRENGTH, Strength(4096, 1))

    def login() -> dict[str, bool]:
        return {"right": check_password("a", None)}

    async def alogin() -> dict[str, bool]:
        return {"right": await acheck_password("a", None)}

    app.post("/login")(login if colour == "def" else alogin)
    app.get("/ok")(lambda: "ok")
    client = AsyncClient(app, raise_errors=False)

    logins = [asyncio.ensure_future(client.post("/login")) for _ in range(200)]
    await asyncio.sleep(0)
    loop, seconds = asyncio.get_running_loop(), list[float]()
    while not all(each.done() for each in logins):
        start = loop.time()
        assert (await client.get("/ok")).status_code == 200
        seconds.append(loop.time() - start)

    assert {each.result().status_code for each in logins} == {200, 503}
    assert median(seconds) < 0.1
