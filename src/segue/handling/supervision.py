"""Time limits of requests on a loop: the deadline, slow bodies, clients that are gone.

One timer per loop looks at every request in flight ten times a second. A request
that is answered before the first look costs one `set.add` and one `discard`;
a timer or a watching task for each would cost more than the whole pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any
from weakref import WeakMethod

if TYPE_CHECKING:
    import asyncio

    from ..watchdog import Watchdog
    from .exchange import Exchange

__all__ = ["GONE", "BodyClock", "Supervisor"]

GONE = "gone"
_TICK_SECONDS = 0.1
_IDLE_TICKS = 20


class Supervisor:
    """Watches the requests of one loop.

    Args:
        deadline_seconds: An `async def` handler that runs longer is cancelled (503).
        body_seconds: A small body may take so long (408).
        blocked_seconds: A step that holds the loop for longer is logged; 0 looks at none.

    Attributes:
        inflight: The requests being watched; adapters add and discard. The set itself
            is theirs to hold: it is never replaced.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        deadline_seconds: float,
        body_seconds: float = 10.0,
        blocked_seconds: float = 0.0,
    ) -> None:
        self._blocked_seconds = blocked_seconds
        self._watchdog: Watchdog | None = None
        self.body_seconds: float = body_seconds
        self.loop = loop
        self.deadline_seconds = deadline_seconds
        self.inflight: set[Exchange] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._idle_ticks: int = 0
        # Weak, so that the timer keeps no app that is dropped, as in tests.
        self._to_tell: list[WeakMethod[Callable[[], None]]] = []

    def __repr__(self) -> str:
        return f"<Supervisor {len(self.inflight)} in flight>"

    def start(self, on_rest: Callable[[], None] | None = None) -> None:
        """Begin to look, until nothing happens for a while.

        Args:
            on_rest: A method to call when looking ends: who adds to `inflight` must start it
                again. Its object is not kept alive.
        """
        if on_rest is not None:
            self._to_tell.append(WeakMethod(on_rest))
        if self._timer is None:
            self._idle_ticks = 0
            self._look_later()
            if self._blocked_seconds > 0:
                from ..watchdog import Watchdog  # for development

                self._watchdog = Watchdog(self.loop, limit_seconds=self._blocked_seconds)

    def forget(self, exchange: Exchange) -> None:
        """Stop watching *exchange*, which was seen: it was answered."""
        self.inflight.discard(exchange)
        if exchange.watcher is not None:
            exchange.watcher.cancel()

    def _look(self) -> None:
        if not self.inflight:
            self._idle_ticks += 1
            if self._idle_ticks >= _IDLE_TICKS:
                self._timer = None
                if self._watchdog is not None:
                    self._watchdog.stop()
                    self._watchdog = None
                told, self._to_tell = self._to_tell, []
                for each in told:
                    tell = each()
                    if tell is not None:
                        tell()
                return
        else:
            self._idle_ticks = 0
            now = self.loop.time()
            for exchange in list(self.inflight):
                deadline = exchange.deadline
                if deadline is None:
                    if exchange.is_reading:
                        exchange.deadline = now + self.body_seconds
                    else:
                        exchange.deadline = now + self.deadline_seconds
                        self._listen(exchange)
                elif now >= deadline:
                    self.stop(exchange, 408 if exchange.is_reading else 503)
        self._look_later()

    def _look_later(self) -> None:
        # In no one's context: the timer would keep what the first request carries along.
        self._timer = self.loop.call_later(_TICK_SECONDS, self._look, context=Context())

    def _listen(self, exchange: Exchange) -> None:
        endpoint = exchange.endpoint
        if endpoint is None or endpoint.streams_body:
            return  # listening takes messages, and the handler may wait for the next of its body
        if endpoint.cancellable and exchange.watcher is None:
            exchange.watcher = self.loop.create_task(exchange.wait_for_disconnect())
            exchange.watcher.add_done_callback(
                lambda done: None if done.cancelled() or done.exception() else self.stop(exchange, GONE)
            )

    def stop(self, exchange: Exchange, reason: Any) -> None:
        """Cancel the task of *exchange* and say why in its `stopped`."""
        if exchange in self.inflight and exchange.stopped is None and exchange.task is not None:
            exchange.stopped = reason
            exchange.task.cancel()


class BodyClock:
    """The deadline of a body that trickles in: 10 s, and 1 s more for each 64 KB.

    >>> BodyClock(base_seconds=10).allowed(640 * 1024)
    20.0
    """

    __slots__ = ("base_seconds", "bytes_per_second")

    def __init__(self, *, base_seconds: float = 10.0, bytes_per_second: int = 65_536) -> None:
        self.base_seconds: float = base_seconds
        self.bytes_per_second: int = bytes_per_second

    def allowed(self, received: int) -> float:
        """Return how many seconds a body may have taken when *received* bytes are here."""
        return self.base_seconds + received / self.bytes_per_second
