"""The few threads in which passwords are hashed.

A hash takes a core for a fifth of a second and much memory. So no more run at once than
the machine has cores for, some wait, and what comes on top is told to come again: a flood
of logins costs the site its logins, and nothing else.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from ...context import find_current
from ...errors import ServiceUnavailable, UsageError

__all__ = ["HashPool", "pool"]

P = ParamSpec("P")
T = TypeVar("T")


class HashPool:
    """Runs functions in a few threads, for callers of both colours.

    Args:
        threads: At most so many run at once.
        queue: At most so many wait; a further one is refused by 503.
    """

    def __init__(self, threads: int | None = None, *, queue: int = 50) -> None:
        self.threads: int = threads or min(2, os.cpu_count() or 1)
        self.queue: int = queue
        self.forget()

    def forget(self) -> None:
        """Begin anew: a forked child has none of its parent's threads, and nothing that waits for them."""
        self._lock: threading.Lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._held: int = 0
        self._blocked: int = 0

    def __repr__(self) -> str:
        return f"<HashPool {self._held} of {self.threads}, {self.queue} may wait>"

    def run(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Run *function* in one of the threads, and wait.

        Raises:
            ServiceUnavailable: Too many wait already (`auth/hashing-busy`).
            UsageError: This is the event loop, which must not wait (`auth/blocking`).
        """
        _demand_no_loop()
        self._enter(_most_blocked())
        try:
            return self._submit(function, *arguments, **keywords).result()
        finally:
            with self._lock:
                self._blocked -= 1

    async def arun(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        """Run *function* in one of the threads, while the loop goes on; else as `run`."""
        return await asyncio.wrap_future(self._submit(function, *arguments, **keywords))

    def _enter(self, most: int | None) -> None:
        with self._lock:
            if most is not None and self._blocked >= most:
                raise _busy()
            self._blocked += 1

    def _submit(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> Future[T]:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="segue-hash")
            executor = self._executor
            if self._held >= self.threads + self.queue:
                raise _busy()
            self._held += 1
        try:
            future = executor.submit(function, *arguments, **keywords)
        except BaseException:
            self._left(None)
            raise
        # Also where the caller gave up while it waited.
        future.add_done_callback(self._left)
        return future

    def _left(self, _: Any) -> None:
        with self._lock:
            self._held -= 1


def _most_blocked() -> int | None:
    """How many `def` handlers may wait: a quarter of their threads stays free for others."""
    context = find_current()
    threads: int | None = getattr(context.app, "threads", None) if context is not None else None
    return None if threads is None else max(1, threads * 3 // 4)


def _demand_no_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise UsageError(
        "A password was to be hashed on the event loop, which would stand still meanwhile.",
        code="auth/blocking",
        why="This is an `async def` function; hashing takes a fifth of a second.",
        hint="await acheck_password(…) or await amake_password(…)",
    )


def _busy() -> ServiceUnavailable:
    return ServiceUnavailable("Too many logins at once. Try again.", code="auth/hashing-busy", retry_after_seconds=5)


pool: HashPool = HashPool()
if hasattr(os, "register_at_fork"):  # where there are forks
    os.register_at_fork(after_in_child=pool.forget)
