"""Connections to one Redis or Valkey: those of threads, and those of each running loop.

The client is redis-py, loaded with the first of these. A call waits a quarter of a second at most,
and nothing is tried twice: a counter would count twice. A command that was cancelled on its way
takes its connection with it, since a reply to it may come yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from ..errors import SetupError
from ..masking import mask
from .errors import CacheUnavailable

__all__ = ["RedisConnections", "WrongKind", "aguarded", "guarded"]

P = ParamSpec("P")
T = TypeVar("T")


class WrongKind(CacheUnavailable):
    """What is kept under a key is of another kind than the command wants."""


def guarded(method: Callable[P, T]) -> Callable[P, T]:
    """Decorate what asks Redis: its errors become those of this package."""

    @wraps(method)
    def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        from redis.exceptions import RedisError

        try:
            return method(*arguments, **keywords)
        except RedisError as error:
            raise _own(error) from error

    return call


def aguarded(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Do in async code what `guarded` does."""

    @wraps(method)
    async def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        from redis.exceptions import RedisError

        try:
            return await method(*arguments, **keywords)
        except RedisError as error:
            raise _own(error) from error

    return call


class RedisConnections:
    """The clients of the Redis at *url*: `redis://host:6379/0`, `rediss://…`, `unix://…`.

    Args:
        patience_seconds: How long a call waits for a connection, and for an answer.

    Attributes:
        threads: The client of code that runs on no event loop.

    Raises:
        SetupError: The client is not installed (`cache/no-redis`), or the address is wrong.
    """

    def __init__(self, url: str, *, patience_seconds: float = 0.25) -> None:
        try:
            import redis
        except ImportError:
            raise SetupError(
                "Something is to be kept in Redis, and its client is not installed.",
                code="cache/no-redis",
                hint='pip install "segue[redis]"',
            ) from None
        self._url = url
        self._options: dict[str, Any] = {
            "socket_timeout": patience_seconds,
            "socket_connect_timeout": patience_seconds,
        }
        # Any: the methods of redis-py are both colours to type checkers.
        self.threads: Any = self._make(redis)
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return str(mask("REDIS_URL", self._url))

    def _make(self, module: Any) -> Any:
        from redis.backoff import NoBackoff
        from redis.maint_notifications import MaintNotificationsConfig

        retry = module.retry.Retry(NoBackoff(), 0)
        # Where a server may announce its maintenance, redis-py gives out connections that were closed
        # meanwhile, each of which fails one command after a restart.
        announced = MaintNotificationsConfig(enabled=False)
        try:
            return module.Redis.from_url(self._url, retry=retry, maint_notifications_config=announced, **self._options)
        except ValueError as error:
            raise SetupError(
                f"The address of Redis cannot be read: {error}",
                code="cache/bad-address",
                hint="redis://127.0.0.1:6379/0",
            ) from None

    def here(self) -> Any:
        """Return the client of the running loop; connections belong to one."""
        loop = asyncio.get_running_loop()
        client = self._loops.get(loop)
        if client is None:
            import redis.asyncio

            client = self._loops[loop] = self._make(redis.asyncio)
        return client

    @guarded
    def call(self, *command: Any) -> Any:
        """Send one command, as it is written in the manual, and return the bare answer.

        Raises:
            CacheUnavailable: There is no answer, or a refusal.
            WrongKind: The key holds something of another kind.
        """
        return self.threads.execute_command(*command)

    @aguarded
    async def acall(self, *command: Any) -> Any:
        """`call()` in async code."""
        return await self.here().execute_command(*command)

    def close(self) -> None:
        """Close the connections of threads; a later call opens new ones."""
        self.threads.close()

    async def aclose(self) -> None:
        """Close the connections of this loop and those of threads."""
        client = self._loops.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
        self.close()


def _own(error: Exception) -> Exception:
    text = str(error)
    if "not an integer" in text or "would overflow" in text:
        return ValueError(text)
    if text.startswith("WRONGTYPE"):
        return WrongKind(text)
    return CacheUnavailable(f"Redis cannot do it: {error}")
