"""Single flight: of all who miss one key in this process, one makes the value.

The others wait for its packed bytes, or its error. A leader that was cancelled leaves neither:
then one of those who wait leads. Both colours wait for the same futures.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from contextvars import ContextVar
from typing import NamedTuple

__all__ = ["Flights", "Landed", "await_landing", "own_flights", "wait_for_landing"]

own_flights: ContextVar[frozenset[tuple[int, str]]] = ContextVar("segue_cache_flights", default=frozenset())
"""What this context makes already: a producer that asks for its own key would wait for itself."""


class Landed(NamedTuple):
    """How a flight ended: with the bytes, with an error, or with neither."""

    packed: bytes | None = None
    error: Exception | None = None


class Flights:
    """The values that are being made now, by key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._flying: dict[str, Future[Landed]] = {}

    def __len__(self) -> int:
        return len(self._flying)

    def join(self, key: str) -> tuple[Future[Landed], bool]:
        """Return the flight of *key*, and whether the caller leads it: then it must `land` it."""
        with self._lock:
            flight = self._flying.get(key)
            if flight is not None:
                return flight, False
            flight = self._flying[key] = Future()
            # Whoever waits for it may be cancelled; the flight itself goes on.
            flight.set_running_or_notify_cancel()
            return flight, True

    def land(self, key: str, landed: Landed) -> None:
        """End the flight of *key*."""
        with self._lock:
            flight = self._flying.pop(key)
        flight.set_result(landed)


def wait_for_landing(flight: Future[Landed]) -> Landed:
    """Wait in this thread."""
    return flight.result()


async def await_landing(flight: Future[Landed]) -> Landed:
    """Wait on this loop; who is cancelled meanwhile cancels nobody else."""
    return await asyncio.shield(asyncio.wrap_future(flight))
