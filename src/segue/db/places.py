"""Lines of the user's code, for errors about who did what at the same time.

Holds: the place of the caller, and of another task or thread that is running.
Imports: the standard library.
Never: costs anything before an error is made.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from asyncio import events
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

__all__ = ["Owner", "place_of_caller", "place_of_owner", "this_owner"]

Owner = asyncio.Task[Any] | int
"""A task, or the number of a thread."""

_OURS = str(Path(__file__).resolve().parents[1])
_STANDARD = str(Path(asyncio.__file__).resolve().parents[1])


def this_owner() -> Owner:
    """Return the running task, or the number of this thread where none runs."""
    if events._get_running_loop() is not None:  # pyright: ignore[reportPrivateUsage]  # documented for this
        task = asyncio.current_task()
        if task is not None:
            return task
    return threading.get_ident()


def place_of_caller() -> str:
    """Return `file:line` of the nearest caller that is neither ours nor the standard library's."""
    return _innermost(_outwards(sys._getframe(1)))  # pyright: ignore[reportPrivateUsage]  # the documented way


def place_of_owner(owner: Owner | None) -> str:
    """Return the line of the user's code where a task is suspended or a thread is."""
    if owner is None:
        return ""
    if isinstance(owner, int):
        frame = sys._current_frames().get(owner)  # pyright: ignore[reportPrivateUsage]  # the documented way
        return _innermost(_outwards(frame))
    return _innermost(reversed(list(_suspended(owner.get_coro()))))


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    # What is around the event loop has not called this.
    while frame is not None and frame.f_code.co_filename != events.__file__:
        yield frame
        frame = frame.f_back


def _suspended(awaited: Any) -> Iterator[FrameType]:
    """Yield the frames that a suspended coroutine waits through, outermost first."""
    while awaited is not None:
        following = None
        for kind, waits in (("cr", "cr_await"), ("gi", "gi_yieldfrom"), ("ag", "ag_await")):
            frame = getattr(awaited, f"{kind}_frame", None)
            if frame is not None:
                yield frame
                following = getattr(awaited, waits)
        awaited = following


def _innermost(frames: Iterator[FrameType]) -> str:
    for frame in frames:
        file = frame.f_code.co_filename
        if not file.startswith((_OURS, _STANDARD, "<")) and "site-packages" not in file:
            return f"{file}:{frame.f_lineno}"
    return ""
