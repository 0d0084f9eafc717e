"""Waiting until a socket can be read.

Holds: `Readiness`.
Imports: asyncio.
Never: reads or closes the socket.
"""

from __future__ import annotations

import asyncio
import threading
from asyncio import events
from collections.abc import Callable
from time import monotonic

__all__ = ["Readiness"]

_LOOK_SECONDS = 0.25
_SOON_SECONDS = 0.01
_PATIENCE_SECONDS = 1.0
_running_loop = events._get_running_loop  # pyright: ignore[reportPrivateUsage]  # documented for this


class Readiness:
    """Tells a task that a socket can be read, time after time.

    PERF: the loop goes on watching the socket between two waits. psycopg lets it begin and end, and sets
    a timer, for each statement, which costs as much as the statement.

    A socket must be left (`stop()`) before it is closed: its number may be another one's a moment later.
    """

    __slots__ = ("__weakref__", "_loop", "_seen", "_socket", "_timer", "_told", "_waiter")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._socket = -1
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._seen: asyncio.Future[None] | None = None
        self._told = False

    def wait(self, socket: int) -> asyncio.Future[None]:
        """Return what is done as soon as *socket* can be read, or may have broken: then it is to be tried."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._socket != socket:
            self.stop()
            loop.add_reader(socket, self._wake)
            self._loop, self._socket = loop, socket
        waiter = self._waiter = loop.create_future()
        if self._timer is None:
            self._timer = loop.call_later(_LOOK_SECONDS, self._look)
        return waiter

    def _wake(self) -> None:
        if self._tell():
            self._told = True
        elif self._told:
            self._told = False  # PERF: of the same message, which who was told has yet to read
        else:
            # The server speaks unasked, or has gone. Who waits next hears of it at once.
            self.stop()

    def _look(self) -> None:
        """Wake who waits since the last look: uvloop says nothing of a socket that broke (libuv's UV_EBADF)."""
        waiter, loop = self._waiter, self._loop
        self._timer = None
        if waiter is None or loop is None:
            return
        if waiter is self._seen:
            self.stop()
            self._tell()
            return
        self._seen = waiter
        self._timer = loop.call_later(_LOOK_SECONDS, self._look)

    def stop(self) -> None:
        """Let the loop watch no more; on its own thread, or when it does not run."""
        loop, self._loop = self._loop, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if loop is not None and not loop.is_closed():
            loop.remove_reader(self._socket)

    def stop_before(self, close: Callable[[], object]) -> None:
        """Stop, then call *close*; from any thread. Who waits still is woken, to find it closed."""
        loop = self._loop
        if loop is not None and loop.is_running() and _running_loop() is not loop and self._is_left_there(loop):
            close()
            return
        self.stop()
        close()
        if self._waiter is not None and not self._waiter.get_loop().is_closed():
            self._tell()

    def _is_left_there(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Let the thread of *loop* stop; return whether it did so, and does not end or hang instead."""
        done = threading.Event()

        def leave() -> None:
            self.stop()
            loop.call_later(_SOON_SECONDS, self._tell)  # then it is closed
            done.set()

        try:
            loop.call_soon_threadsafe(leave)
        except RuntimeError:
            return False  # it was closed in this moment
        last = monotonic() + _PATIENCE_SECONDS
        while loop.is_running() and monotonic() < last:
            if done.wait(_SOON_SECONDS):
                return True
        return done.is_set()

    def _tell(self) -> bool:
        """Wake who waits; return whether somebody does."""
        waiter, self._waiter = self._waiter, None
        if waiter is None or waiter.done():
            return False
        waiter.set_result(None)
        return True
