"""A clock that tests move, a back end of a user, and a cache in one colour."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Any

from segue.cache import Backend, Cache, Count

# Read now: before a test everything of Segue is taken out of the environment.
REDIS = os.environ.get("SEGUE_TEST_REDIS", "redis://127.0.0.1:6379/0")


class Clock:
    """Moments that move when the test says so."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.on_move: list[Callable[[float], None]] = []

    def __call__(self) -> float:
        return self.now

    def move(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.now += seconds
        for each in self.on_move:
            each(seconds)


class OwnBackend(Backend):
    """A back end of a user, in thirty lines."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.kept: dict[str, tuple[bytes, float]] = {}
        self.clock, self.lock = clock, threading.RLock()

    def until(self, seconds: float | None) -> float:
        return float("inf") if seconds is None else self.clock() + seconds

    def get(self, key: str) -> bytes | None:
        value, until = self.kept.get(key, (b"", 0.0))
        return value if until > self.clock() else None

    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        self.kept[key] = value, self.until(seconds)

    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        with self.lock:
            return self.get(key) is None and self.kept.update({key: (value, self.until(seconds))}) is None

    def delete(self, key: str) -> bool:
        return self.get(key) is not None and self.kept.pop(key, None) is not None

    def touch(self, key: str, seconds: float | None) -> bool:
        value = self.get(key)
        return value is not None and self.kept.update({key: (value, self.until(seconds))}) is None

    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        with self.lock:
            if initial is None and self.get(key) is None:
                return None
            self.add(key, str(initial).encode(), seconds)
            value, until = self.kept[key]
            self.kept[key] = str(int(value) + step).encode(), until
            return Count(int(value) + step, None if until == float("inf") else until - self.clock())

    def swap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        with self.lock:
            return self.get(key) == old and self.set(key, new, seconds) is None

    def clear(self, start: str) -> None:
        self.kept = {key: kept for key, kept in self.kept.items() if not key.startswith(start)}


class Coloured:
    """A cache whose methods are called in one colour: plainly, or their async twins on a loop."""

    def __init__(self, cache: Cache, runner: asyncio.Runner | None) -> None:
        self.cache = cache
        self.runner = runner

    def __getattr__(self, name: str) -> Callable[..., Any]:
        runner = self.runner
        if runner is None:
            return getattr(self.cache, name)  # type: ignore[no-any-return]
        twin = getattr(self.cache, f"a{name}")
        return lambda *arguments, **keywords: runner.run(twin(*arguments, **keywords))

    def with_(self, **changed: Any) -> Coloured:
        """Return another cache on the same back end."""
        return Coloured(Cache(self.cache.backend, **changed), self.runner)
