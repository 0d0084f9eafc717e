"""What keeps the values of a cache: the interface, and what every back end gets for free.

A back end sees keys of 81 characters of `0-9a-f:` and values that are bytes; whole numbers
come as their digits. It may raise `CacheUnavailable` or `OSError` from anywhere.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, ParamSpec, TypeVar

from ..errors import UsageError

__all__ = ["Backend", "Count"]

P = ParamSpec("P")
T = TypeVar("T")


class Count(NamedTuple):
    """A counter after a step.

    Attributes:
        seconds_left: When it ends; `None` where it does not.
    """

    value: int
    seconds_left: float | None


class Backend(ABC):
    """Keeps bytes by key, each for some seconds, or until there is no room (`None`).

    Seven methods make one; they may be called from several threads at once. The others have
    defaults: several keys one after the other, the async ones in a thread.

    Attributes:
        waits: Whether a call may wait for a disk or a server, so that it has no place on an event loop.
    """

    waits: ClassVar[bool] = True

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @abstractmethod
    def get(self, key: str) -> bytes | None:
        """Return the value of *key*, or `None`."""

    @abstractmethod
    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        """Keep *value*, over what was there."""

    @abstractmethod
    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        """Keep *value* where nothing is; tell whether it was. Of several callers one wins."""

    @abstractmethod
    def delete(self, key: str) -> bool:
        """Forget *key*; tell whether it was there."""

    @abstractmethod
    def touch(self, key: str, seconds: float | None) -> bool:
        """Let *key* live so long from now; tell whether it is there."""

    @abstractmethod
    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """Add *step* to a number, in one piece whoever else does.

        Args:
            initial: Where nothing is, what is counted from, for *seconds*; `None` makes nothing.

        Returns:
            `None` where nothing is and nothing was made.

        Raises:
            ValueError: What is there is no number.
        """

    @abstractmethod
    def clear(self, start: str) -> None:
        """Forget all keys that start with *start*."""

    def swap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        """Keep *new* if *old* is what is there, in one piece whoever else does; tell whether it was.

        Raises:
            UsageError: This back end cannot do it (`cache/no-swap`).
        """
        raise UsageError(
            f"{self!r} cannot put a value in the place of another in one piece.",
            code="cache/no-swap",
            where=f"{type(self).__module__}.{type(self).__qualname__}",
            hint="def swap(self, key, old, new, seconds): ...   # under a lock, or by the server",
        )

    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the values of those keys that are there."""
        found = {key: self.get(key) for key in keys}
        return {key: value for key, value in found.items() if value is not None}

    def set_many(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        """Keep several values."""
        for key, value in values.items():
            self.set(key, value, seconds)

    def delete_many(self, keys: Sequence[str]) -> None:
        """Forget several keys."""
        for key in keys:
            self.delete(key)

    def close(self) -> None:  # noqa: B027  # most hold nothing open
        """Give back what is held open; a later call opens it anew."""

    # In async code

    def aget(self, key: str) -> Coroutine[Any, Any, bytes | None]:
        """`get()` in async code."""
        return self._elsewhere(self.get, key)

    def aset(self, key: str, value: bytes, seconds: float | None) -> Coroutine[Any, Any, None]:
        """`set()` in async code."""
        return self._elsewhere(self.set, key, value, seconds)

    def aadd(self, key: str, value: bytes, seconds: float | None) -> Coroutine[Any, Any, bool]:
        """`add()` in async code."""
        return self._elsewhere(self.add, key, value, seconds)

    def adelete(self, key: str) -> Coroutine[Any, Any, bool]:
        """`delete()` in async code."""
        return self._elsewhere(self.delete, key)

    def atouch(self, key: str, seconds: float | None) -> Coroutine[Any, Any, bool]:
        """`touch()` in async code."""
        return self._elsewhere(self.touch, key, seconds)

    def acount(
        self, key: str, step: int, initial: int | None, seconds: float | None
    ) -> Coroutine[Any, Any, Count | None]:
        """`count()` in async code."""
        return self._elsewhere(self.count, key, step, initial, seconds)

    def aswap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> Coroutine[Any, Any, bool]:
        """`swap()` in async code."""
        return self._elsewhere(self.swap, key, old, new, seconds)

    def aclear(self, start: str) -> Coroutine[Any, Any, None]:
        """`clear()` in async code."""
        return self._elsewhere(self.clear, start)

    def aget_many(self, keys: Sequence[str]) -> Coroutine[Any, Any, dict[str, bytes]]:
        """`get_many()` in async code."""
        return self._elsewhere(self.get_many, keys)

    def aset_many(self, values: Mapping[str, bytes], seconds: float | None) -> Coroutine[Any, Any, None]:
        """`set_many()` in async code."""
        return self._elsewhere(self.set_many, values, seconds)

    def adelete_many(self, keys: Sequence[str]) -> Coroutine[Any, Any, None]:
        """`delete_many()` in async code."""
        return self._elsewhere(self.delete_many, keys)

    def aclose(self) -> Coroutine[Any, Any, None]:
        """`close()` in async code; what belongs to the running loop is closed with it."""
        return self._elsewhere(self.close)

    async def _elsewhere(self, function: Callable[P, T], *arguments: P.args, **keywords: P.kwargs) -> T:
        if not self.waits:
            return function(*arguments, **keywords)
        called: Any = asyncio.to_thread(function, *arguments, **keywords)
        return await called  # type: ignore[no-any-return]  # what the function returns
