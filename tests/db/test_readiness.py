"""Waiting for a socket: told each time, watched all the while, and left before it is closed."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator

import pytest
import uvloop

from segue.db.drivers.readiness import Readiness


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop of each kind."""
    made = asyncio.new_event_loop() if request.param == "asyncio" else uvloop.new_event_loop()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a connection; what is read is the first."""
    here, there = socket.socketpair()
    here.setblocking(False)
    yield here, there
    here.close()
    there.close()


Pair = tuple[socket.socket, socket.socket]


def test_each_message_is_told(loop: asyncio.AbstractEventLoop, pair: Pair) -> None:
    here, there = pair

    async def told() -> list[bytes]:
        readiness, heard = Readiness(), []
        for message in (b"one", b"two", b"three"):
            there.send(message)
            await readiness.wait(here.fileno())
            heard.append(here.recv(10))
        readiness.stop()
        return heard

    assert loop.run_until_complete(told()) == [b"one", b"two", b"three"]


def test_the_socket_is_watched_between_two_waits(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = pair
    entered: list[int] = []

    async def told() -> None:
        loop = asyncio.get_running_loop()
        enter = loop.add_reader
        monkeypatch.setattr(loop, "add_reader", lambda fd, *what: (entered.append(fd), enter(fd, *what)))
        readiness = Readiness()
        for _ in range(3):
            there.send(b"x")
            await readiness.wait(here.fileno())
            here.recv(10)
        readiness.stop()

    asyncio.run(told())

    assert entered == [here.fileno()]


def test_what_comes_unasked_is_told_to_who_waits_next(loop: asyncio.AbstractEventLoop, pair: Pair) -> None:
    here, there = pair

    async def told() -> bytes:
        readiness = Readiness()
        there.send(b"asked")
        await readiness.wait(here.fileno())
        here.recv(10)
        there.send(b"unasked")
        await asyncio.sleep(0.01)
        await readiness.wait(here.fileno())
        readiness.stop()
        return here.recv(10)

    assert loop.run_until_complete(told()) == b"unasked"


@pytest.mark.internal
def test_who_reads_late_is_watched_all_the_same(loop: asyncio.AbstractEventLoop, pair: Pair) -> None:
    here, there = pair

    async def told() -> bool:
        readiness = Readiness()
        there.send(b"x")
        await readiness.wait(here.fileno())
        here.recv(10)
        await asyncio.sleep(0.01)  # the loop may tell of the same message once more, before it is read
        watched = readiness._loop is loop  # pyright: ignore[reportPrivateUsage]
        readiness.stop()
        return watched

    assert loop.run_until_complete(told())


def test_who_waits_on_what_is_closed_is_woken(loop: asyncio.AbstractEventLoop, pair: Pair) -> None:
    here, _ = pair

    async def woken() -> bool:
        readiness = Readiness()
        waiter = readiness.wait(here.fileno())
        readiness.stop_before(here.close)
        async with asyncio.timeout(60):
            await waiter
        return here.fileno() < 0

    assert loop.run_until_complete(woken())


def test_who_waits_in_vain_is_woken_to_look(loop: asyncio.AbstractEventLoop, pair: Pair) -> None:
    here, _ = pair

    async def woken() -> bool:
        readiness = Readiness()
        waiter = readiness.wait(here.fileno())
        async with asyncio.timeout(60):
            await waiter
        readiness.stop()
        return waiter.done()

    assert loop.run_until_complete(woken())


@pytest.mark.internal
def test_another_thread_closes_what_the_loop_has_left(loop: asyncio.AbstractEventLoop, pair: Pair) -> None:
    here, there = pair
    watched: list[bool] = []

    async def closed() -> None:
        readiness = Readiness()
        there.send(b"x")
        await readiness.wait(here.fileno())
        close = lambda: watched.append(readiness._loop is not None)  # noqa: E731  # pyright: ignore[reportPrivateUsage]
        await asyncio.to_thread(readiness.stop_before, close)

    loop.run_until_complete(closed())

    assert watched == [False]


def test_a_loop_that_hangs_does_not_hold_up_who_closes(loop: asyncio.AbstractEventLoop, pair: Pair) -> None:
    here, there = pair
    closed = threading.Event()

    async def hang() -> bool:
        readiness = Readiness()
        there.send(b"x")
        await readiness.wait(here.fileno())
        threading.Thread(target=readiness.stop_before, args=(closed.set,)).start()
        return closed.wait(60)

    assert loop.run_until_complete(hang())


def test_where_no_loop_runs_it_is_closed_at_once(loop: asyncio.AbstractEventLoop, pair: Pair) -> None:
    here, there = pair
    readiness = Readiness()
    closed: list[bool] = []

    async def told() -> None:
        there.send(b"x")
        await readiness.wait(here.fileno())

    loop.run_until_complete(told())
    readiness.stop_before(lambda: closed.append(True))

    assert closed == [True]
