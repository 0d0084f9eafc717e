"""What the two adapters that run on an event loop share: starting, stopping, cancelling."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import Token
from typing import Any, TypeVar

from ..context import Context, _current  # pyright: ignore[reportPrivateUsage]  # PERF: set once per request
from ..errors import RequestTimeout, ServiceUnavailable
from ..handling.application import CompiledApp
from ..handling.bridge import Bridge
from ..handling.endpoint import Endpoint
from ..handling.exchange import Exchange
from ..handling.recovery import arun, cleanup
from ..handling.results import Reply
from ..handling.runtime import asettle
from ..handling.supervision import GONE, BodyClock, Supervisor
from ..http.intake import Intake

__all__ = [
    "BodyWatch",
    "Loop",
    "ended_by_disconnect",
    "finish",
    "in_thread",
    "in_time",
    "reset_current",
    "set_current",
    "stopped",
    "take_in",
    "task_of",
    "timed",
]

_logger = logging.getLogger("segue.request")

T = TypeVar("T")

# PERF: before 3.12 asyncio.current_task is a Python function, 0.3 us; its table is 0.04.
task_of: Callable[[asyncio.AbstractEventLoop | None], asyncio.Task[Any] | None]
if sys.version_info >= (3, 12):
    task_of = asyncio.current_task
else:
    task_of = asyncio.tasks._current_tasks.get  # type: ignore[attr-defined]  # private, and only where it is dear

set_current: Callable[[Context | None], Token[Context | None]] = _current.set
reset_current: Callable[[Token[Context | None]], None] = _current.reset


class Loop:
    """The adapter's view of the loop it runs on.

    Attributes:
        requests: So many of any kind are between their first line and their last byte.
        most: So many may be; who comes then is refused.
    """

    bridge: Bridge
    supervisor: Supervisor
    inflight: set[Exchange]

    def __init__(self, app: CompiledApp) -> None:
        self.app = app
        self.loop: asyncio.AbstractEventLoop | None = None
        self.requests: int = 0
        self.most: int = app.max_in_flight or sys.maxsize

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use *loop* from now on, until its supervisor rests; then `loop` is `None` again."""
        self.loop = loop
        self.bridge, self.supervisor = self.app.on_loop(loop)
        self.inflight = self.supervisor.inflight
        if loop.is_running():
            self.supervisor.start(self._leave)
        else:
            loop.call_soon(self.supervisor.start, self._leave)

    def _leave(self) -> None:
        self.loop = None


async def in_thread(endpoint: Endpoint, exchange: Exchange) -> Any:  # Any: see `stopped`
    """Run a `def` endpoint in a pool thread, its body read beforehand where that comes first."""
    if endpoint.body_first:
        try:
            await exchange.aread_body(endpoint.limits)
        except Exception as error:
            return await _refused(endpoint, exchange, error)
    try:
        # PERF: one hop for the whole endpoint, hooks and all.
        return await exchange.bridge.hop(None, endpoint.call, exchange, exchange.values)
    except ServiceUnavailable as error:
        return await _refused(endpoint, exchange, error)


async def _refused(endpoint: Endpoint, exchange: Exchange, error: Exception) -> Reply:
    """Answer *error* for an endpoint that cannot: what its steps left to be done is done as there."""
    afail = endpoint.recovery.afail
    reply = await afail(exchange, error)
    return reply if exchange.finishers is None else await asettle(exchange, reply, afail)


async def stopped(endpoint: Endpoint, exchange: Exchange) -> Any:
    # Any: a `Reply` or `None`, told apart by its class, which type checkers do not follow.
    """Answer a request that the supervisor cancelled; any other cancellation goes on."""
    reason = exchange.stopped
    if reason is None:
        raise asyncio.CancelledError
    if exchange.task is not None:
        exchange.task.uncancel()
    if reason == GONE:
        exchange.error = asyncio.CancelledError("the client is gone")
        _logger.debug("%s %s: the client is gone", exchange.request.method, exchange.request.path)
        return None
    if reason == 408:
        return await _refused(endpoint, exchange, RequestTimeout("The body came too slowly."))
    _logger.warning("%s %s ran past its deadline", exchange.request.method, exchange.request.path)
    return await _refused(endpoint, exchange, ServiceUnavailable("The answer took too long."))


class BodyWatch:
    """Lets the supervisor watch the reading of a body, in whatever task reads it.

    The block is cancelled when the exchange's `deadline` is past; what comes out of it
    then is a `RequestTimeout`.
    """

    __slots__ = ("_exchange", "_is_added", "loop", "supervisor")

    def __init__(self, exchange: Exchange) -> None:
        self.loop: asyncio.AbstractEventLoop = asyncio.get_running_loop()
        self.supervisor: Supervisor = exchange.app.on_loop(self.loop)[1]
        self._exchange = exchange
        self._is_added = False

    def __enter__(self) -> None:
        exchange, supervisor = self._exchange, self.supervisor
        exchange.is_reading = True
        if exchange not in supervisor.inflight:
            self._is_added = True
            exchange.task = task_of(self.loop)
            supervisor.inflight.add(exchange)
            supervisor.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        exchange = self._exchange
        exchange.end_reading()
        task = exchange.task
        if self._is_added:
            self.supervisor.forget(exchange)
            exchange.task = None
        if kind is asyncio.CancelledError and exchange.stopped == 408:
            exchange.stopped = None
            if task is not None:
                task.uncancel()
            raise RequestTimeout("The body came too slowly.") from None


async def in_time(exchange: Exchange, awaitable: Awaitable[T]) -> T:
    """Await a small body, or the first bytes of one, within the time it may take.

    Raises:
        RequestTimeout: It did not come.
    """
    with BodyWatch(exchange):
        return await awaitable


async def take_in(exchange: Exchange, intake: Intake, chunks: AsyncIterator[bytes]) -> None:
    """Feed a body from *chunks*, within the time a body may take.

    Raises:
        RequestTimeout: It came too slowly.
    """
    watch = BodyWatch(exchange)
    clock: BodyClock = exchange.app.body_clock
    started = watch.loop.time()
    try:
        with watch:
            exchange.deadline = started + clock.allowed(0)
            async for chunk in chunks:
                exchange.deadline = started + clock.allowed(intake.received)
                if intake.touches_disk:
                    await exchange.bridge.hop(exchange.portal, intake.feed, chunk)
                else:
                    intake.feed(chunk)
            received = exchange.received = intake.finish()
            if received.data is None:
                exchange.add_cleanup(lambda error: received.close())
    except BaseException:
        intake.close()
        raise


async def timed(exchange: Exchange, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Iterate a body that a handler reads itself: what it waits for the client is limited.

    The handler's own time between two chunks is not the client's, and does not count.

    Raises:
        RequestTimeout: It came too slowly.
    """
    watch = BodyWatch(exchange)
    clock: BodyClock = exchange.app.body_clock
    received, waited = 0, 0.0
    while True:
        began = watch.loop.time()
        with watch:
            exchange.deadline = began + clock.allowed(received) - waited
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        waited += watch.loop.time() - began
        received += len(chunk)
        yield chunk


@asynccontextmanager
async def ended_by_disconnect(exchange: Exchange) -> AsyncGenerator[None]:
    """Cancel the block when the client is gone, and leave it quietly."""
    current = asyncio.current_task()
    gone = asyncio.ensure_future(exchange.wait_for_disconnect())
    is_inside = True

    def leave(done: asyncio.Future[None]) -> None:
        # What the block has left already, its clean-up, is not cancelled.
        if is_inside and not done.cancelled() and current is not None:
            current.cancel()

    gone.add_done_callback(leave)
    try:
        yield
    except asyncio.CancelledError:
        if not gone.done() or current is None:
            raise
        current.uncancel()
        exchange.error = asyncio.CancelledError("the client is gone")
    finally:
        is_inside = False
        gone.cancel()


async def finish(exchange: Exchange, endpoint: Endpoint) -> None:
    """Run what follows the last byte."""
    if exchange.cleanups is not None or endpoint.teardown:
        await arun(cleanup(exchange, endpoint.teardown), exchange)
    finished = exchange.app.finished
    if finished.receivers:
        finished.send(exchange.app.app, request=exchange.request)
