"""A back end that keeps nothing: every question is a miss."""

from __future__ import annotations

from typing import ClassVar

from .backends import Backend, Count

__all__ = ["DummyBackend"]


class DummyBackend(Backend):
    """Keeps nothing, so that in development nothing is ever out of date. Counters always start anew."""

    waits: ClassVar[bool] = False

    def get(self, key: str) -> bytes | None:
        """Return `None`."""
        return None

    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        """Keep nothing."""

    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        """Keep nothing, successfully."""
        return True

    def delete(self, key: str) -> bool:
        """Find nothing."""
        return False

    def touch(self, key: str, seconds: float | None) -> bool:
        """Find nothing."""
        return False

    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """Return the first step."""
        return None if initial is None else Count(initial + step, seconds)

    def swap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        """Find nothing."""
        return False

    def clear(self, start: str) -> None:
        """Forget nothing."""
