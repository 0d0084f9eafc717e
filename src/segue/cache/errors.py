"""What goes wrong with caches."""

from __future__ import annotations

from ..errors import SegueError, UsageError

__all__ = ["BadKey", "CacheUnavailable", "NoCounter", "NotStorable"]


class CacheUnavailable(SegueError):
    """What keeps the values does not answer.

    A cache takes it as a miss; its `strict` form lets it through.
    """

    code = "cache/unavailable"


class NotStorable(UsageError, TypeError):
    """A value that a cache cannot give back as it was (`cache/not-storable`)."""


class BadKey(UsageError, TypeError):
    """A key that is no text, or of which two values could look alike (`cache/bad-key`)."""


class NoCounter(UsageError, ValueError):
    """`incr()` of what is not there, or is no whole number (`cache/no-counter`)."""
