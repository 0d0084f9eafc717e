"""Connections that many share, handed out in the order in which they were asked for.

Holds: `Turns`, a fair queue for threads and tasks at once; `Pool`, one of connections; `LoopPools`; `Writers`.
Imports: the errors and drivers of this package.
Never: runs a statement of a user, or hands out a connection that is broken.

What makes a wake-up impossible to lose: who gives back appends first and looks for waiters
second; who waits is in the queue first and looks for what is free second. So the good path
takes no lock: `deque.pop` and `deque.append` are atomic.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from abc import ABC, abstractmethod
from asyncio import events
from collections import deque
from collections.abc import AsyncGenerator
from time import monotonic
from typing import Any, Generic, TypeVar, cast
from weakref import WeakSet, WeakValueDictionary

from .drivers import AsyncConnection, Connection, Driver
from .errors import OperationalError, PoolTimeout
from .forks import leave_to_parent

__all__ = ["LoopPools", "Pool", "Turns", "Writers", "writers_of"]

T = TypeVar("T")

# An idle connection to a server is closed after so long.
_IDLE_SECONDS = 600.0


class _Waiter(Generic[T]):
    """A thread or a task that wants its turn."""

    __slots__ = ("_future", "_gate", "_loop", "is_granted", "thing")

    def __init__(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._loop: asyncio.AbstractEventLoop | None = loop
        self._gate: threading.Lock | None = None
        self._future: asyncio.Future[None] | None = None
        self.thing: T | None = None
        self.is_granted: bool = False

    def prepare(self) -> None:
        """Make what it will sleep at."""
        if self._loop is None:
            self._gate = threading.Lock()
            self._gate.acquire()
        else:
            self._future = self._loop.create_future()

    def sleep(self, seconds: float) -> None:
        """Block the thread until it is its turn, or the time is up."""
        assert self._gate is not None
        self._gate.acquire(timeout=seconds)

    async def asleep(self, seconds: float) -> None:
        """Suspend the task until it is its turn, or the time is up."""
        assert self._loop is not None
        assert self._future is not None
        timer = self._loop.call_later(seconds, _wake, self._future)
        try:
            await self._future
        finally:
            timer.cancel()

    def grant(self, thing: T | None) -> bool:
        """Wake the waiter with what it gets; false where nobody is left to be woken."""
        self.thing = thing
        self.is_granted = True
        if self._gate is not None:
            self._gate.release()
        elif self._loop is not None:
            if events._get_running_loop() is self._loop:  # pyright: ignore[reportPrivateUsage]  # documented for this
                _wake(self._future)
                return True
            try:
                self._loop.call_soon_threadsafe(_wake, self._future)
            except RuntimeError:  # its loop was closed
                self.is_granted = False
        return self.is_granted


def _wake(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


_all: WeakSet[Turns[Any] | LoopPools] = WeakSet()


class Turns(ABC, Generic[T]):
    """At most *size* things, handed out fairly to threads and tasks alike.

    Whoever has taken gives back: by `put` what can be used again, by `drop` its mere place.

    Args:
        size: How many there may be.
        timeout_seconds: How long one waits for a turn.
    """

    def __init__(self, size: int, timeout_seconds: float) -> None:
        self.size: int = size
        self.timeout_seconds: float = timeout_seconds
        self._begin()
        _all.add(self)

    def _begin(self) -> None:
        self._lock: threading.Lock = threading.Lock()
        self._idle: deque[T] = deque()
        self._queue: deque[_Waiter[T]] = deque()
        self._made: int = 0

    def forget(self) -> None:
        """Start empty in a forked child."""
        leave_to_parent(*self._idle)
        self._begin()

    def __repr__(self) -> str:
        numbers = ", ".join(f"{number} {name}" for name, number in self.statistics().items())
        return f"<{type(self).__name__} {numbers}>"

    def statistics(self) -> dict[str, int]:
        """Return how many there may be, are in use, are idle, and how many wait."""
        idle = len(self._idle)
        return {"size": self.size, "in_use": self._made - idle, "idle": idle, "waiting": len(self._queue)}

    def reserve(self) -> T | None:
        """Wait for a turn as a thread; `None` is the right to make one thing."""
        if not self._queue:
            # PERF: what lies idle where nobody waits needs neither the lock nor a waiter.
            try:
                return self._idle.pop()
            except IndexError:
                pass
        waiter = self._enter(None)
        if not waiter.is_granted:
            try:
                waiter.sleep(self.timeout_seconds)
            except BaseException:
                self._leave(waiter)
                raise
            if self._withdraw(waiter):
                raise self.timed_out()
        return waiter.thing

    async def areserve(self) -> T | None:
        """Wait for a turn as a task; `None` is the right to make one thing."""
        if not self._queue:
            try:
                return self._idle.pop()
            except IndexError:
                pass
        waiter = self._enter(asyncio.get_running_loop())
        if not waiter.is_granted:
            try:
                await waiter.asleep(self.timeout_seconds)
            except BaseException:
                self._leave(waiter)
                raise
            if self._withdraw(waiter):
                raise self.timed_out()
        return waiter.thing

    def put(self, thing: T) -> None:
        """Give back what can be used again."""
        self._idle.append(thing)
        if self._queue:
            self._hand_on()

    def drop(self) -> None:
        """Give back a place whose thing is no more."""
        with self._lock:
            self._made -= 1
        self._hand_on()

    @abstractmethod
    def timed_out(self) -> OperationalError:
        """Return the error for who waited too long."""

    def _enter(self, loop: asyncio.AbstractEventLoop | None) -> _Waiter[T]:
        waiter: _Waiter[T] = _Waiter(loop)
        with self._lock:
            # First come, first served: who finds a queue stands behind it.
            if not self._queue and self._grant_without_sleep(waiter):
                return waiter
            waiter.prepare()
            self._queue.append(waiter)
        self._hand_on()
        return waiter

    def _grant_without_sleep(self, waiter: _Waiter[T]) -> bool:
        try:
            waiter.thing = self._idle.pop()
        except IndexError:
            if self._made >= self.size:
                return False
            self._made += 1
        waiter.is_granted = True
        return True

    def _hand_on(self) -> None:
        with self._lock:
            while self._queue:
                thing: T | None = None
                try:
                    thing = self._idle.pop()
                except IndexError:
                    if self._made >= self.size:
                        return
                    self._made += 1
                if self._queue.popleft().grant(thing):
                    continue
                if thing is None:
                    self._made -= 1
                else:
                    self._idle.append(thing)

    def _withdraw(self, waiter: _Waiter[T]) -> bool:
        """Return whether *waiter* had not got its turn; it does not stand in the queue any more."""
        with self._lock:
            if waiter.is_granted:
                return False
            self._queue.remove(waiter)
            return True

    def _leave(self, waiter: _Waiter[T]) -> None:
        """Let go of a turn that came in the moment in which its waiter was interrupted."""
        if self._withdraw(waiter):
            return
        if waiter.thing is None:
            self.drop()
        else:
            self.put(waiter.thing)


class Writers(Turns[str]):
    """The turn of those in this process who write to one file of SQLite."""

    def __init__(self, path: str, timeout_seconds: float) -> None:
        super().__init__(1, timeout_seconds)
        self.path: str = path

    def timed_out(self) -> OperationalError:
        return OperationalError(
            f"The database is locked: another transaction of this process kept writing for {self.timeout_seconds:g} s.",
            code="data/locked",
            hint="Keep transactions short: no calls to other services inside db.atomic().",
        )

    def take(self) -> None:
        """Wait for the turn as a thread."""
        self.reserve()

    async def atake(self) -> None:
        """Wait for the turn as a task."""
        await self.areserve()


_writers: WeakValueDictionary[str, Writers] = WeakValueDictionary()
_writers_lock = threading.Lock()


def writers_of(path: str, timeout_seconds: float) -> Writers:
    """Return the turn that all who write to the file at *path* share, whatever they call it."""
    path = os.path.realpath(path)
    with _writers_lock:
        found = _writers.get(path)
        if found is None:
            found = _writers[path] = Writers(path, timeout_seconds)
        return found


class _Closed(deque[Any]):
    """Takes the place of the idle connections of a closed pool: what comes back is closed.

    PERF: so `put` need not ask whether the pool is closed.
    """

    def append(self, connection: Any, /) -> None:
        connection.close()


class Pool(Turns[Any]):  # Any: connections of one of the two colours, or of both
    """Connections to one database.

    Args:
        driver: What opens them.
        size: How many there may be.
        timeout_seconds: How long one waits for one.
        name: Of the database, for the error.
    """

    size: int

    def __init__(self, driver: Driver, *, size: int, timeout_seconds: float, name: str) -> None:
        super().__init__(1 if driver.has_one_connection else size, timeout_seconds)
        self._driver = driver
        self._name = name
        self._check_after = driver.check_after_seconds
        self._suspected: float = 0.0
        self._lifetime: AsyncGenerator[None, None] | None = None

    def take(self) -> Connection:
        """Return a connection that works, for a thread."""
        idle: Connection | None = self.find_idle()
        if idle is not None:
            return idle
        connection: Connection | None = self.reserve()
        try:
            if connection is not None:
                if not self._is_doubtful(connection) or connection.is_alive():
                    return connection
                connection.close()
            return self._driver.open()
        except BaseException:
            if connection is not None:
                connection.close()
            self.drop()
            raise

    async def atake(self) -> AsyncConnection:
        """Return a connection that works, for a task."""
        idle: AsyncConnection | None = self.find_idle()
        if idle is not None:
            return idle
        connection: AsyncConnection | None = await self.areserve()
        try:
            if connection is not None:
                if not self._is_doubtful(connection) or await connection.ais_alive():
                    return connection
                connection.close()
            return await self._aopen()
        except BaseException:
            # Cancelled while it was asked, too: an answer may be on its way.
            if connection is not None:
                connection.close()
            self.drop()
            raise

    def find_idle(self) -> Any:
        """Return a connection where one is there that needs not be asked, and nobody waits; else `None`.

        PERF: the way of nearly every statement: no lock, no further call.
        """
        if self._queue:
            return None
        try:
            connection = self._idle.pop()
        except IndexError:
            return None
        if self._check_after and self._is_doubtful(connection):
            # `reserve` finds it again, and asks it.
            self._idle.append(connection)
            return None
        return connection

    def give_back_clean(self, connection: Connection | AsyncConnection) -> None:
        """Take back a connection on which a read has just succeeded."""
        if self._check_after:
            connection.last_used = monotonic()
            self._close_the_oldest(connection.last_used)
        self._idle.append(connection)
        if self._queue:
            self._hand_on()

    def give_back(self, connection: Connection | AsyncConnection) -> None:
        """Take a connection back; a broken one, or one left in a transaction, is closed."""
        if connection.is_broken or (connection.in_transaction and not connection.reset()):
            self.discard(connection)
        else:
            self.give_back_clean(connection)

    def discard(self, connection: Connection | AsyncConnection) -> None:
        """Close a connection and give its place back."""
        connection.close()
        self.drop()

    def suspect(self) -> None:
        """Ask the connections that idle now before they are used: one of them was found broken."""
        self._suspected = monotonic()

    def close(self) -> None:
        """Close what idles now, and each other connection when it is given back. Then make another pool."""
        for connection in self._shut():
            connection.close()

    async def aclose(self) -> None:
        """Close as `close` does, with a good-bye to the server where it takes one."""
        for connection in self._shut():
            await cast("AsyncConnection", connection).aclose()

    def _shut(self) -> list[Any]:
        with self._lock:
            idle, self._idle = list(self._idle), _Closed()
            # Who waits opens one for itself: what it waits for does not come back.
            self.size += len(self._queue)
            self._made -= len(idle)
        self._hand_on()
        return idle

    def timed_out(self) -> OperationalError:
        held = "its one connection" if self.size == 1 else f"one of {self.size} connections"
        return PoolTimeout(
            f"No connection to {self._name} came free in {self.timeout_seconds:g} s: {held} is asked for by "
            f"{len(self._queue) + 1}.",
            why="A transaction holds its connection until its end; a stream of rows until it is closed.",
            hint=f"DATABASE_POOL_SIZE = {self.size * 2}, or shorter transactions",
        )

    def _is_doubtful(self, connection: Connection | AsyncConnection) -> bool:
        last = connection.last_used
        return last <= self._suspected or monotonic() - last > self._check_after > 0

    def _close_the_oldest(self, now: float) -> None:
        # The last given back is the first taken, so those on the left are the ones too many.
        idle = self._idle
        try:
            if idle and now - idle[0].last_used > _IDLE_SECONDS:
                self.discard(idle.popleft())
        except IndexError:
            pass  # another thread took it

    async def _aopen(self) -> AsyncConnection:
        if self._lifetime is None and not self._driver.both_colours:
            self._lifetime = self._live()
            await anext(self._lifetime)
        return await self._driver.aopen()

    async def _live(self) -> AsyncGenerator[None, None]:
        """End the pool with its loop: a loop closes the asynchronous generators begun on it."""
        try:
            yield
        finally:
            await self.aclose()


class LoopPools:
    """One pool for each running loop; connections cannot go from one to another."""

    def __init__(self, driver: Driver, *, size: int, timeout_seconds: float, name: str) -> None:
        self._driver = driver
        self._options: dict[str, Any] = {"size": size, "timeout_seconds": timeout_seconds, "name": name}
        self.forget()
        _all.add(self)

    def forget(self) -> None:
        """Start empty: at first, and in a forked child."""
        self._lock: threading.Lock = threading.Lock()
        self._pools: dict[asyncio.AbstractEventLoop, Pool] = {}
        # PERF: in most processes it is always the same.
        self._last: tuple[asyncio.AbstractEventLoop, Pool] | None = None

    def here(self) -> Pool:
        """Return the pool of the running loop."""
        loop = asyncio.get_running_loop()
        last = self._last
        if last is not None and last[0] is loop:
            return last[1]
        with self._lock:
            pool = self._pools.get(loop)
            if pool is None:
                self._drop_closed()
                pool = self._pools[loop] = Pool(self._driver, **self._options)
            self._last = loop, pool
            return pool

    def close(self) -> None:
        """Close all pools, from any thread."""
        with self._lock:
            for pool in self._pools.values():
                pool.close()
            self._pools.clear()
            self._last = None

    async def aclose(self) -> None:
        """Close the pool of the running loop, with good-byes; the others as they are."""
        loop = asyncio.get_running_loop()
        with self._lock:
            pool = self._pools.pop(loop, None)
            self._last = None
        if pool is not None:
            await pool.aclose()

    def statistics(self) -> list[dict[str, int]]:
        """Return the numbers of each pool."""
        return [pool.statistics() for pool in list(self._pools.values())]

    def _drop_closed(self) -> None:
        for loop in [each for each in self._pools if each.is_closed()]:
            self._pools.pop(loop).close()


def _forget_all() -> None:
    global _writers_lock
    _writers_lock = threading.Lock()
    for each in list(_all):
        each.forget()


def _close_all() -> None:
    for each in list(_all):
        if isinstance(each, Pool):
            each.close()


# A script need not close what it has opened; drivers warn of what is left open.
atexit.register(_close_all)
os.register_at_fork(after_in_child=_forget_all)
