"""Start-up and shutdown of an app in one process, in either colour, under any server."""

from __future__ import annotations

import inspect
import logging
import os
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from concurrent.futures import Future
from typing import Any

from ..errors import UsageError, place_of

__all__ = ["Lifecycle"]

_logger = logging.getLogger("segue.app")


class Lifecycle:
    """Runs `on_startup`, `lifespan` and `on_shutdown` once per process.

    Args:
        startup: Functions, run in order.
        lifespans: Generators: the part before the `yield` at start, the rest at the end.
        shutdown: Functions, run in reverse order.
    """

    def __init__(
        self,
        *,
        startup: Sequence[Callable[[], Any]],
        lifespans: Sequence[Callable[[], Any]],
        shutdown: Sequence[Callable[[], Any]],
    ) -> None:
        self._startup = startup
        self._lifespans = lifespans
        self._shutdown = shutdown
        self._running: list[Generator[Any, Any, Any] | AsyncGenerator[Any, Any]] = []
        self._lock = threading.Lock()
        self._started_in: int | None = None
        self._start_ended: Future[None] | None = None

    @property
    def is_started(self) -> bool:
        """Whether the start-up ran in this process; a forked child starts anew."""
        return self._started_in == os.getpid()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to run."""
        return not (self._startup or self._lifespans or self._shutdown)

    def claim(self) -> bool:
        """Return `True` to the one caller that must run `start`."""
        with self._lock:
            if self.is_started:
                return False
            self._started_in = os.getpid()
            self._start_ended = Future()
            # Whoever waits for it may be cancelled; the start itself goes on.
            self._start_ended.set_running_or_notify_cancel()
            return True

    async def ensure(self) -> None:
        """Run the start, or wait for the end of the one that runs."""
        if self.claim():
            await self.start()
        elif self._start_ended is not None and not self._start_ended.done():
            from asyncio import wrap_future

            await wrap_future(self._start_ended)

    async def start(self) -> None:
        """Run what comes before serving. What raises here stops the start."""
        try:
            for function in self._startup:
                await _call(function)
            for lifespan in self._lifespans:
                running = lifespan()
                if inspect.isasyncgen(running):
                    await anext(running)
                elif inspect.isgenerator(running):
                    await _in_thread(next, running)
                else:
                    raise UsageError(
                        f"The lifespan {getattr(lifespan, '__name__', lifespan)}() does not yield.",
                        code="app/bad-lifespan",
                        where=place_of(lifespan),
                        hint="def lifespan():\n    ...  # start\n    yield\n    ...  # stop",
                    )
                self._running.append(running)
        except BaseException as error:
            self._started_in = None
            await self._end_lifespans()
            self._end_start(error)
            raise
        self._end_start(None)

    def _end_start(self, error: BaseException | None) -> None:
        ended = self._start_ended
        if ended is None:
            return
        if error is None:
            ended.set_result(None)
        else:
            ended.set_exception(error)

    async def stop(self) -> None:
        """Run what comes after the last request; each whatever the others do."""
        if not self.is_started:
            return
        self._started_in = None
        for function in reversed(self._shutdown):
            try:
                await _call(function)
            except Exception as error:
                _logger.error("the shutdown hook %r raised", function, exc_info=error)
        await self._end_lifespans()

    async def _end_lifespans(self) -> None:
        while self._running:
            running = self._running.pop()
            try:
                if inspect.isasyncgen(running):
                    await anext(running, None)
                else:
                    await _in_thread(next, running, None)
            except Exception as error:
                _logger.error("the lifespan %r raised at its end", running, exc_info=error)


async def _call(function: Callable[[], Any]) -> None:
    if inspect.iscoroutinefunction(function):
        await function()
        return
    result = await _in_thread(function)
    if inspect.isawaitable(result):
        await result


async def _in_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    from asyncio import to_thread  # a WSGI server whose app does nothing at its start needs no asyncio

    return await to_thread(function, *arguments)
