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
from ..handling.supervision import GONE, BodyClock, Supervisor
from ..http.intake import Intake

__all__ = [
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
    """The adapter's view of the loop it runs on."""

    bridge: Bridge
    supervisor: Supervisor
    inflight: set[Exchange]

    def __init__(self, app: CompiledApp) -> None:
        self.app = app
        self.loop: asyncio.AbstractEventLoop | None = None

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
            return await endpoint.recovery.afail(exchange, error)
    try:
        # PERF: one hop for the whole endpoint, hooks and all.
        return await exchange.bridge.hop(None, endpoint.call, exchange, exchange.values)
    except ServiceUnavailable as error:
        return await endpoint.recovery.afail(exchange, error)


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
        return await endpoint.recovery.afail(exchange, RequestTimeout("The body came too slowly."))
    _logger.warning("%s %s ran past its deadline", exchange.request.method, exchange.request.path)
    return await endpoint.recovery.afail(exchange, ServiceUnavailable("The answer took too long."))


async def in_time(exchange: Exchange, awaitable: Awaitable[T]) -> T:
    """Await a small body, or the first bytes of one, within the time it may take.

    Raises:
        RequestTimeout: It did not come.
    """
    loop = asyncio.get_running_loop()
    supervisor = exchange.app.on_loop(loop)[1]
    watched = exchange in supervisor.inflight
    if not watched:
        exchange.task = task_of(loop)
        supervisor.inflight.add(exchange)
    exchange.deadline = loop.time() + exchange.app.body_clock.base_seconds
    try:
        return await awaitable
    except asyncio.CancelledError:
        raise _too_slow(exchange) from None
    finally:
        exchange.deadline = None
        if not watched:
            supervisor.forget(exchange)


def _too_slow(exchange: Exchange) -> BaseException:
    """Return why reading a body was cancelled: it came too slowly, or something else."""
    if exchange.stopped != 503:
        return asyncio.CancelledError()
    # The supervisor only knows that time is up; here it is the body's.
    exchange.stopped = None
    if exchange.task is not None:
        exchange.task.uncancel()
    return RequestTimeout("The body came too slowly.")


async def take_in(exchange: Exchange, intake: Intake, chunks: AsyncIterator[bytes]) -> None:
    """Feed a body from *chunks*, within the time a body may take."""
    loop = asyncio.get_running_loop()
    supervisor = exchange.app.on_loop(loop)[1]
    clock: BodyClock = exchange.app.body_clock
    watched = exchange in supervisor.inflight
    if not watched:
        exchange.task = asyncio.current_task()
        supervisor.inflight.add(exchange)
        supervisor.start()
    started = loop.time()
    exchange.deadline = started + clock.allowed(0)
    try:
        async for chunk in chunks:
            exchange.deadline = started + clock.allowed(intake.received)
            if intake.touches_disk:
                await exchange.bridge.hop(exchange.portal, intake.feed, chunk)
            else:
                intake.feed(chunk)
        received = exchange.received = intake.finish()
        if received.data is None:
            exchange.add_cleanup(lambda error: received.close())
    except asyncio.CancelledError:
        intake.close()
        raise _too_slow(exchange) from None
    except BaseException:
        intake.close()
        raise
    finally:
        exchange.deadline = None
        if not watched:
            supervisor.forget(exchange)


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
    await arun(cleanup(exchange, endpoint.teardown), exchange)
