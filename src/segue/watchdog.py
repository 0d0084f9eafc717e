"""The watchdog of an event loop: says who blocks it, and where.

A thread wakes twenty times a second and looks how old the loop's last heartbeat is. A
loop that was silent for too long is not asked what it does, it could not answer: the
stack of its thread is read from outside, while the blocking call is still on it.

Holds: `Watchdog`, loaded where LOOP_BLOCKED_SECONDS asks for one.
Imports: the standard library.
Never: knows a request.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import sys
import threading
import traceback
from contextvars import Context
from time import monotonic

__all__ = ["Watchdog"]

_logger = logging.getLogger("segue.loop")


class Watchdog:
    """Logs the stack of a loop that is blocked, once for each time it is.

    Args:
        loop: The running loop; call from its thread.
        limit_seconds: So long a step may hold it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, limit_seconds: float = 0.1) -> None:
        self.loop: asyncio.AbstractEventLoop = loop
        self.limit_seconds: float = limit_seconds
        self._thread_id = threading.get_ident()
        self._beat_at = monotonic()
        self._reported_at = 0.0
        self._is_over = threading.Event()
        self._beat()
        threading.Thread(target=self._watch, name="segue-watchdog", daemon=True).start()

    def __repr__(self) -> str:
        return f"<Watchdog, {self.limit_seconds:g} s>"

    def stop(self) -> None:
        """Look no more."""
        self._is_over.set()

    def _beat(self) -> None:
        self._beat_at = monotonic()
        if not self._is_over.is_set():
            self.loop.call_later(self.limit_seconds / 4, self._beat, context=Context())

    def _watch(self) -> None:
        while not self._is_over.wait(self.limit_seconds / 2):
            if self.loop.is_closed():
                return
            beat_at = self._beat_at
            silent = monotonic() - beat_at
            if silent > self.limit_seconds and beat_at != self._reported_at:
                self._reported_at = beat_at
                self._report(silent)

    def _report(self, silent: float) -> None:
        # The interpreter holds a lock while it lists the frames, and a collection in there
        # that runs a callback would wait for itself: seen with hypothesis's.
        collects = gc.isenabled()
        gc.disable()
        try:
            frame = sys._current_frames().get(self._thread_id)  # pyright: ignore[reportPrivateUsage]  # the documented way
        finally:
            if collects:
                gc.enable()
        if frame is None:
            return
        stack = traceback.extract_stack(frame)
        if _is_plumbing(stack[-1].filename):
            return  # the loop waits for events, or a server's own code works
        own = [each for each in stack if not _is_plumbing(each.filename)]
        last = next((each for each in reversed(own) if not _is_library(each.filename)), own[-1])
        _logger.warning(
            "The event loop has been blocked for %.0f ms by %s (%s:%s). A call that waits belongs into a `def` "
            "handler, or into `await run_sync(...)`.\n%s",
            silent * 1000,
            last.name,
            last.filename,
            last.lineno,
            "".join(traceback.format_list(own)).rstrip(),
        )


_SEGUE = os.path.dirname(__file__).replace("\\", "/") + "/"
_PLUMBING = (
    "/asyncio/",
    "/selectors.py",
    "/uvloop/",
    "/granian/",
    "/uvicorn/",
    "/hypercorn/",
    "<segue endpoint>",
    "/runpy.py",
)


def _is_plumbing(filename: str) -> bool:
    name = filename.replace("\\", "/")
    return any(part in name for part in _PLUMBING) or name.startswith((_SEGUE, "<frozen"))


def _is_library(filename: str) -> bool:
    """Whether it is the standard library's or an installed package's: called, not written, by the user."""
    return "site-packages" in filename or filename.startswith(os.path.dirname(os.__file__))
