"""The bridge between the two colours: threads for `def`, a loop for `async def`.

A `def` step of a coroutine endpoint *hops*: it runs in a pool thread, or, under
WSGI, in the request's own thread, which waits at a portal. A thread that needs an
async step *waits*: the step runs on the bridge's loop.

Results travel back in batches. A worker appends to `_done` and wakes the loop only
if no wake-up is pending; `_drain` clears that mark *before* it empties the deque, so
a result appended in between schedules another wake-up and none is lost.
PERF: one wake-up serves every result of a burst; run_in_executor pays one for each.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, TypeVar

from ..errors import ServiceUnavailable

__all__ = ["Bridge", "Portal", "background"]

# An app that is not asked any more, as in tests, gives its threads back.
_IDLE_SECONDS = 5.0

T = TypeVar("T")


class _Job:
    """One call on its way to a thread and back."""

    __slots__ = ("args", "bridge", "context", "error", "fn", "future", "result", "since", "state")

    def __init__(self, bridge: Bridge, fn: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self.bridge: Bridge = bridge
        self.fn: Callable[..., Any] = fn
        self.args: tuple[Any, ...] = args
        self.context: contextvars.Context = contextvars.copy_context()
        self.future: asyncio.Future[Any] = bridge.loop.create_future()
        self.error: BaseException | None = None
        self.result: Any = None
        self.state: str = "queued"
        self.since: float = 0.0

    def run(self) -> None:
        if self.state == "abandoned":
            return
        self.state = "running"
        try:
            self.result = self.context.run(self.fn, *self.args)
        except StopIteration as error:
            # A future cannot hold StopIteration (it would end the awaiting generator).
            self.error = RuntimeError("a step raised StopIteration")
            self.error.__cause__ = error
        except BaseException as error:
            self.error = error
        self.bridge.finished(self)


class Portal:
    """Where a waiting WSGI thread takes the `def` steps of its own request."""

    __slots__ = ("_jobs",)

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()

    def put(self, job: _Job | None) -> None:
        self._jobs.put(job)

    def serve(self) -> None:
        """Run jobs until `None` comes."""
        while (job := self._jobs.get()) is not None:
            job.run()


class Bridge:
    """Carries calls between one event loop and its threads.

    Args:
        loop: The loop that serves.
        threads: At most so many `def` steps run at once.
        queue_seconds: A step that found no free thread for so long is refused by 503.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, threads: int, queue_seconds: float = 5.0) -> None:
        self.loop = loop
        self.threads = threads
        self.queue_seconds = queue_seconds
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._done: deque[_Job] = deque()
        self._late: deque[_Job] = deque()
        self._lock = threading.Lock()
        self._woken = False
        self._outstanding = 0
        self._running_threads = 0
        self._timer: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Bridge {self._running_threads}/{self.threads} threads, {self._outstanding} calls>"

    def hop(self, portal: Portal | None, fn: Callable[..., T], *args: Any) -> asyncio.Future[T]:
        """Run *fn* in a thread, with this task's context variables; awaitable on the loop."""
        job = _Job(self, fn, args)
        self._outstanding += 1
        if portal is not None:
            portal.put(job)
            return job.future
        self._jobs.put(job)
        if self._outstanding > self._running_threads:
            if self._running_threads < self.threads:
                self._start_thread()
            else:
                self._expect_late(job)
        return job.future

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run *coroutine* on the loop; the calling thread blocks until it ends."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def portal(self) -> Portal:
        """Return the place for the `def` steps of one request whose thread waits."""
        return Portal()

    def drive(self, portal: Portal, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run *coroutine* on the loop while this thread serves its `def` steps."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        future.add_done_callback(lambda _: portal.put(None))
        portal.serve()
        return future.result()

    def finished(self, job: _Job) -> None:
        """Send a finished job back; called in the thread that ran it."""
        self._done.append(job)
        if not self._woken:
            self._woken = True
            try:
                self.loop.call_soon_threadsafe(self._drain)
            except RuntimeError:
                # The loop was closed while the step ran: nobody waits for it any more.
                self._woken = False

    def _drain(self) -> None:
        self._woken = False
        done = self._done
        while done:
            job = done.popleft()
            future = job.future
            if future.done():
                # Cancelled, or refused as late in the very instant it started.
                self._outstanding -= future.cancelled()
                continue
            self._outstanding -= 1
            if job.error is None:
                future.set_result(job.result)
            else:
                future.set_exception(job.error)

    def _count(self, change: int) -> None:
        with self._lock:
            self._running_threads += change

    def _start_thread(self) -> None:
        self._count(+1)
        threading.Thread(target=self._work, name="segue-worker", daemon=True).start()

    def _work(self) -> None:
        get = self._jobs.get
        while True:
            try:
                job = get(timeout=_IDLE_SECONDS)
            except Empty:
                # Counted out first and looked again: a job that came in between is either
                # seen here, or its `hop` sees one worker less and starts another.
                self._count(-1)
                if self._jobs.empty():
                    return
                self._count(+1)
                continue
            if job is None:
                return
            job.run()
            # A waiting worker must not keep the last request alive.
            del job

    def close(self) -> None:
        """End the threads once they have finished what they do."""
        for _ in range(self._running_threads):
            self._jobs.put(None)
        self._running_threads = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Steps that find no thread

    def _expect_late(self, job: _Job) -> None:
        job.since = monotonic()
        self._late.append(job)
        if self._timer is None:
            self._refuse_later(min(0.25, self.queue_seconds))

    def _refuse_late(self) -> None:
        self._timer = None
        late = self._late
        oldest = monotonic() - self.queue_seconds
        while late and (late[0].state != "queued" or late[0].since <= oldest):
            job = late.popleft()
            if job.state == "queued" and not job.future.done():
                # The worker may start it in this instant: then its result is dropped.
                job.state = "abandoned"
                self._outstanding -= 1
                job.future.set_exception(
                    ServiceUnavailable("Every worker thread is busy.", code="handling/threads-busy")
                )
        if late:
            self._refuse_later(0.25)

    def _refuse_later(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._refuse_late, context=contextvars.Context())


class _Background:
    """One loop in a daemon thread, started at first use, anew in a forked child."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pid = 0

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, running."""
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                # In no one's context: the loop lives on, and would keep what the first caller has.
                self._loop = contextvars.Context().run(asyncio.new_event_loop)
                self._pid = os.getpid()
                threading.Thread(target=self._loop.run_forever, name="segue-loop", daemon=True).start()
            return self._loop


background: _Background = _Background()
