"""The moment, for everything that expires.

Holds: `now`, which sessions, tokens and limits ask, and `moved`, by which tests travel.
Imports: the standard library only.
Never: sleeps, or measures how long something took (that is `time.perf_counter`).
"""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

__all__ = ["Travel", "moved", "now", "today"]


class Travel:
    """How far the clock was moved, in seconds; `forward` moves it further."""

    def __init__(self) -> None:
        self.seconds: float = 0.0

    def __repr__(self) -> str:
        return f"<Travel {self.seconds:+.0f} s>"

    def forward(self, seconds: float | timedelta) -> None:
        """Move the clock on; a negative span moves it back."""
        self.seconds += seconds.total_seconds() if isinstance(seconds, timedelta) else seconds


_travel = Travel()


def now() -> float:
    """Return the moment in seconds since 1970."""
    return time.time() + _travel.seconds


def today() -> datetime:
    """Return the moment as an aware datetime, in UTC."""
    return datetime.fromtimestamp(now(), UTC)


@contextmanager
def moved(seconds: float | timedelta = 0.0) -> Generator[Travel]:
    """Move the clock of this process for the block: for tests.

    >>> with moved(60) as travel:
    ...     travel.forward(1)
    ...     travel.seconds
    61.0
    """
    before = _travel.seconds
    _travel.forward(seconds)
    try:
        yield _travel
    finally:
        _travel.seconds = before
