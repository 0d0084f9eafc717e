"""Threads for what would keep the event loop waiting.

Holds: `Workers`, which carry calls from any loop to threads and back.
Imports: the standard library.
Never: knows what it runs.

Results travel back in batches: a thread appends to the deque of its loop and wakes the loop
only where no wake-up is pending; the loop clears that mark *before* it empties the deque, so
that a result appended in between wakes it again and none is lost.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["Workers", "workers"]

_IDLE_SECONDS = 5.0

T = TypeVar("T")


class _Job:
    __slots__ = ("arguments", "error", "function", "future", "has_ended", "home", "is_abandoned", "result")

    def __init__(self, home: _Home, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        self.home: _Home = home
        self.function: Callable[..., Any] = function
        self.arguments: tuple[Any, ...] = arguments
        self.future: asyncio.Future[Any] = home.loop.create_future()
        self.error: BaseException | None = None
        self.result: Any = None
        self.is_abandoned: bool = False
        self.has_ended: bool = False

    def run(self) -> None:
        if not self.is_abandoned:
            try:
                self.result = self.function(*self.arguments)
            except BaseException as error:
                self.error = error
        self.home.finished(self)


class _Home:
    """Where the results for one loop arrive."""

    __slots__ = ("_done", "_woken", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self._done: deque[_Job] = deque()
        self._woken: bool = False

    def finished(self, job: _Job) -> None:
        self._done.append(job)
        if not self._woken:
            self._woken = True
            try:
                self.loop.call_soon_threadsafe(self._drain)
            except RuntimeError:
                self._woken = False  # the loop is closed: nobody waits any more

    def _drain(self) -> None:
        self._woken = False
        while self._done:
            job = self._done.popleft()
            job.has_ended = True
            if job.future.done():
                continue
            if job.error is None:
                job.future.set_result(job.result)
            else:
                job.future.set_exception(job.error)


class Workers:
    """As many threads as there are calls at once; idle ones end after some seconds.

    Whoever calls is bounded by something else: a pool of connections.
    """

    def __init__(self) -> None:
        self._forget()

    def __repr__(self) -> str:
        return f"<Workers {self._threads} threads, {self._busy} calls>"

    def _forget(self) -> None:
        self._lock = threading.Lock()
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._homes: WeakKeyDictionary[asyncio.AbstractEventLoop, _Home] = WeakKeyDictionary()
        self._threads = 0
        self._busy = 0

    async def run(
        self, function: Callable[..., T], *arguments: Any, on_cancel: Callable[[], object] | None = None
    ) -> T:
        """Call *function* in a thread and return what it returns.

        A cancelled caller gets its `CancelledError` only when the call has ended, so that
        what the thread works on is never used by two.

        Args:
            on_cancel: Called on the loop to make the call end sooner.
        """
        job = self._submit(function, arguments)
        try:
            return await job.future  # type: ignore[no-any-return]  # a job keeps what it was given
        except asyncio.CancelledError:
            if job.future.cancelled():
                await self._outlive(job, on_cancel)
            raise

    async def run_in_context(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call *function* in a thread that sees this task's context variables."""
        context = contextvars.copy_context()
        return await self.run(lambda: context.run(function, *arguments))

    def _submit(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> _Job:
        loop = asyncio.get_running_loop()
        with self._lock:
            home = self._homes.get(loop)
            if home is None:
                home = self._homes[loop] = _Home(loop)
            job = _Job(home, function, arguments)
            self._busy += 1
            self._jobs.put(job)
            if self._busy > self._threads:
                self._threads += 1
                threading.Thread(target=self._work, name="segue-database", daemon=True).start()
        return job

    async def _outlive(self, job: _Job, on_cancel: Callable[[], object] | None) -> None:
        """Wait until the thread has let go, however often the caller is cancelled meanwhile."""
        if job.has_ended:
            return
        job.is_abandoned = True
        # The first future is cancelled: the job reports to another one.
        job.future = job.home.loop.create_future()
        if on_cancel is not None:
            on_cancel()
        while not job.future.done():
            try:
                await asyncio.wait([job.future])
            except asyncio.CancelledError:
                continue
        job.future.exception()

    def _work(self) -> None:
        jobs = self._jobs
        while True:
            try:
                job = jobs.get(timeout=_IDLE_SECONDS)
            except Empty:
                # Under the lock nobody submits: a call that came in between is seen here.
                with self._lock:
                    if jobs.empty():
                        self._threads -= 1
                        return
                continue
            job.run()
            # A waiting thread must not keep the last result alive.
            del job
            with self._lock:
                self._busy -= 1


workers: Workers = Workers()
os.register_at_fork(after_in_child=workers._forget)  # pyright: ignore[reportPrivateUsage]  # threads do not survive a fork
