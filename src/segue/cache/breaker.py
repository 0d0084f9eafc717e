"""A circuit breaker: who does not answer is not asked by everybody."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from .errors import CacheUnavailable

__all__ = ["Breaker"]

_logger = logging.getLogger("segue.cache")


class Breaker:
    """Lets one caller at a time, and no more than one a second, ask what did not answer.

    Args:
        name: What is asked, for the log.
        rest_seconds: How long nobody asks after a failure.
        what: What kind of thing it is, and
        effect: what follows from its silence, for the log too.
    """

    def __init__(
        self,
        name: str = "",
        *,
        rest_seconds: float = 0.5,
        what: str = "cache",
        effect: str = "so nothing is found in it",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._what = what
        self._effect = effect
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the last answer was a failure."""
        return self._retry_at is not None

    def demand(self) -> None:
        """Let the caller ask.

        Raises:
            CacheUnavailable: It is not its turn.
        """
        # PERF: one comparison where all is well.
        if not self.is_open:
            return
        with self._lock:
            now = self._clock()
            if self._retry_at is not None and now < self._retry_at:
                raise CacheUnavailable(f"The {self._what} {self.name} does not answer; it is left alone for a moment.")
            self._retry_at = now + self._rest_seconds  # this caller tries; the others wait for it

    def failed(self, error: BaseException) -> None:
        """Note that it did not answer."""
        with self._lock:
            was_open, self._retry_at = self.is_open, self._clock() + self._rest_seconds
        if not was_open:
            _logger.warning("the %s %s does not answer, %s: %s", self._what, self.name, self._effect, error)

    def worked(self) -> None:
        """Note that it answered."""
        if not self.is_open:
            return
        with self._lock:
            self._retry_at = None
        _logger.info("the %s %s answers again", self._what, self.name)
