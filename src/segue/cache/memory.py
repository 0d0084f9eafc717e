"""A back end in the memory of this process: bounded, and shared by its threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import ClassVar, NamedTuple

from ..clock import now
from .backends import Backend, Count

__all__ = ["MemoryBackend"]


class _Kept(NamedTuple):
    value: bytes
    until: float | None


class MemoryBackend(Backend):
    """Keeps values in this process; the one that was not used for longest makes room.

    Args:
        max_entries: How many values there may be.
        max_bytes: How many bytes they may have, all together.
        clock: The moment in seconds.
    """

    waits: ClassVar[bool] = False

    def __init__(
        self,
        *,
        max_entries: int = 10_000,
        max_bytes: int = 64_000_000,
        clock: Callable[[], float] = now,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0

    def __repr__(self) -> str:
        return f"<MemoryBackend of {len(self._kept)} values, {self._bytes} bytes>"

    def get(self, key: str) -> bytes | None:
        """Return the value of *key*, or `None`."""
        with self._lock:
            kept = self._find(key)
            return None if kept is None else kept.value

    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        """Keep *value*, over what was there."""
        with self._lock:
            self._put(key, value, self._until(seconds))

    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        """Keep *value* where nothing is; tell whether it was."""
        with self._lock:
            if self._find(key) is not None:
                return False
            self._put(key, value, self._until(seconds))
            return True

    def delete(self, key: str) -> bool:
        """Forget *key*; tell whether it was there."""
        with self._lock:
            is_there = self._find(key) is not None
            self._drop(key)
            return is_there

    def touch(self, key: str, seconds: float | None) -> bool:
        """Let *key* live so long from now; tell whether it is there."""
        with self._lock:
            kept = self._find(key)
            if kept is None:
                return False
            self._kept[key] = kept._replace(until=self._until(seconds))
            return True

    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """Add *step* to a number."""
        with self._lock:
            kept = self._find(key)
            if kept is None and initial is None:
                return None
            number = step + (int(kept.value) if kept is not None else initial or 0)
            until = kept.until if kept is not None else self._until(seconds)
            self._put(key, b"%d" % number, until)
            return Count(number, None if until is None else until - self._clock())

    def swap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        """Keep *new* if *old* is what is there; tell whether it was."""
        with self._lock:
            kept = self._find(key)
            if kept is None or kept.value != old:
                return False
            self._put(key, new, self._until(seconds))
            return True

    def clear(self, start: str) -> None:
        """Forget all keys that start with *start*."""
        with self._lock:
            for key in [key for key in self._kept if key.startswith(start)]:
                self._drop(key)

    # Under the lock

    def _until(self, seconds: float | None) -> float | None:
        return None if seconds is None else self._clock() + seconds

    def _find(self, key: str) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.until is not None and kept.until <= self._clock():
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept

    def _put(self, key: str, value: bytes, until: float | None) -> None:
        self._drop(key)
        if len(value) > self._max_bytes:
            return
        self._kept[key] = _Kept(value, until)
        self._bytes += len(value)
        while len(self._kept) > self._max_entries or self._bytes > self._max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._bytes -= len(kept.value)
