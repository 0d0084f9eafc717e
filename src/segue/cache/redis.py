"""A back end in Redis or Valkey, shared by all workers and machines.

The client is redis-py, loaded with the first of these. A call waits a quarter of a second at most;
what it cannot do then is a `CacheUnavailable`, and nothing is tried twice: a counter would count
twice. A command that was cancelled on its way takes its connection with it, since a reply to it may
come yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from ..errors import SetupError
from ..masking import mask
from .backends import Backend, Count
from .errors import CacheUnavailable

__all__ = ["RedisBackend"]

P = ParamSpec("P")
T = TypeVar("T")

# SET and INCRBY in one piece, so that a counter never lives without its end. The number is read
# as text: those of Lua are exact up to 53 bits only.
_COUNT = """
if redis.call('EXISTS', KEYS[1]) == 0 then
    if ARGV[2] == '' then return false end
    redis.call('SET', KEYS[1], ARGV[2])
    if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
end
redis.call('INCRBY', KEYS[1], ARGV[1])
return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}
"""
_SPACE = "segue:cache:"
_BATCH = 500


def _guarded(method: Callable[P, T]) -> Callable[P, T]:
    @wraps(method)
    def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        from redis.exceptions import RedisError

        try:
            return method(*arguments, **keywords)
        except RedisError as error:
            raise _own(error) from error

    return call


def _aguarded(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    @wraps(method)
    async def call(*arguments: P.args, **keywords: P.kwargs) -> T:
        from redis.exceptions import RedisError

        try:
            return await method(*arguments, **keywords)
        except RedisError as error:
            raise _own(error) from error

    return call


class RedisBackend(Backend):
    """Keeps values in the Redis at *url*: `redis://host:6379/0`, `rediss://…`, `unix://…`.

    Args:
        patience_seconds: How long a call waits for a connection, and for an answer.

    Raises:
        SetupError: The client is not installed (`cache/no-redis`), or the address is wrong.
    """

    def __init__(self, url: str, *, patience_seconds: float = 0.25) -> None:
        try:
            import redis
        except ImportError:
            raise SetupError(
                "A cache is to be in Redis, and its client is not installed.",
                code="cache/no-redis",
                hint='pip install "segue[redis]"',
            ) from None
        self._url = url
        self._options: dict[str, Any] = {
            "socket_timeout": patience_seconds,
            "socket_connect_timeout": patience_seconds,
        }
        # Any: the methods of redis-py are both colours to type checkers.
        self._client: Any = self._make(redis)
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Any] = WeakKeyDictionary()

    def __repr__(self) -> str:
        return f"<RedisBackend {mask('REDIS_URL', self._url)}>"

    def _make(self, module: Any) -> Any:
        from redis.backoff import NoBackoff

        retry = module.retry.Retry(NoBackoff(), 0)
        try:
            return module.Redis.from_url(self._url, retry=retry, **self._options)
        except ValueError as error:
            raise SetupError(
                f"The address of Redis cannot be read: {error}",
                code="cache/bad-address",
                hint="redis://127.0.0.1:6379/0",
            ) from None

    def _here(self) -> Any:
        """Return the client of the running loop; connections belong to one."""
        loop = asyncio.get_running_loop()
        client = self._loops.get(loop)
        if client is None:
            import redis.asyncio

            client = self._loops[loop] = self._make(redis.asyncio)
        return client

    # Sync

    @_guarded
    def get(self, key: str) -> bytes | None:
        """Return the value of *key*, or `None`."""
        return self._client.get(_SPACE + key)  # type: ignore[no-any-return]  # bytes: nothing is decoded

    @_guarded
    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        """Keep *value*, over what was there."""
        self._client.set(_SPACE + key, value, px=_milliseconds(seconds))

    @_guarded
    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        """Keep *value* where nothing is; tell whether it was."""
        return bool(self._client.set(_SPACE + key, value, px=_milliseconds(seconds), nx=True))

    @_guarded
    def delete(self, key: str) -> bool:
        """Forget *key*; tell whether it was there."""
        return bool(self._client.delete(_SPACE + key))

    @_guarded
    def touch(self, key: str, seconds: float | None) -> bool:
        """Let *key* live so long from now; tell whether it is there."""
        return _touched(self._client.execute_command(*_touch(key, seconds)))

    @_guarded
    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """Add *step* to a number."""
        return _counted(self._client.eval(*_count(key, step, initial, seconds)))

    @_guarded
    def clear(self, start: str) -> None:
        """Forget all keys that start with *start*."""
        batch: list[Any] = []
        for key in self._client.scan_iter(match=f"{_SPACE}{start}*", count=_BATCH):
            batch.append(key)
            if len(batch) == _BATCH:
                self._client.unlink(*batch)
                batch.clear()
        if batch:
            self._client.unlink(*batch)

    @_guarded
    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the values of those keys that are there."""
        return _present(keys, self._client.mget([_SPACE + key for key in keys]) if keys else [])

    @_guarded
    def set_many(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        """Keep several values."""
        pipeline = self._client.pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(_SPACE + key, value, px=_milliseconds(seconds))
        pipeline.execute()

    @_guarded
    def delete_many(self, keys: Sequence[str]) -> None:
        """Forget several keys."""
        if keys:
            self._client.delete(*[_SPACE + key for key in keys])

    def close(self) -> None:
        """Close the connections of threads; a later call opens new ones."""
        self._client.close()

    # Async

    @_aguarded
    async def aget(self, key: str) -> bytes | None:
        """`get()` in async code."""
        return await self._here().get(_SPACE + key)  # type: ignore[no-any-return]  # bytes: nothing is decoded

    @_aguarded
    async def aset(self, key: str, value: bytes, seconds: float | None) -> None:
        """`set()` in async code."""
        await self._here().set(_SPACE + key, value, px=_milliseconds(seconds))

    @_aguarded
    async def aadd(self, key: str, value: bytes, seconds: float | None) -> bool:
        """`add()` in async code."""
        return bool(await self._here().set(_SPACE + key, value, px=_milliseconds(seconds), nx=True))

    @_aguarded
    async def adelete(self, key: str) -> bool:
        """`delete()` in async code."""
        return bool(await self._here().delete(_SPACE + key))

    @_aguarded
    async def atouch(self, key: str, seconds: float | None) -> bool:
        """`touch()` in async code."""
        return _touched(await self._here().execute_command(*_touch(key, seconds)))

    @_aguarded
    async def acount(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """`count()` in async code."""
        answer: Any = self._here().eval(*_count(key, step, initial, seconds))
        return _counted(await answer)

    @_aguarded
    async def aclear(self, start: str) -> None:
        """`clear()` in async code."""
        client = self._here()
        batch: list[Any] = []
        async for key in client.scan_iter(match=f"{_SPACE}{start}*", count=_BATCH):
            batch.append(key)
            if len(batch) == _BATCH:
                await client.unlink(*batch)
                batch.clear()
        if batch:
            await client.unlink(*batch)

    @_aguarded
    async def aget_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """`get_many()` in async code."""
        return _present(keys, await self._here().mget([_SPACE + key for key in keys]) if keys else [])

    @_aguarded
    async def aset_many(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        """`set_many()` in async code."""
        pipeline = self._here().pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(_SPACE + key, value, px=_milliseconds(seconds))
        await pipeline.execute()

    @_aguarded
    async def adelete_many(self, keys: Sequence[str]) -> None:
        """`delete_many()` in async code."""
        if keys:
            await self._here().delete(*[_SPACE + key for key in keys])

    async def aclose(self) -> None:
        """Close the connections of this loop and those of threads."""
        client = self._loops.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.aclose()
        self.close()


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else max(1, round(seconds * 1000))


def _touch(key: str, seconds: float | None) -> list[Any]:
    if seconds is None:
        # PERSIST answers 0 for a key that had no end too.
        return ["EVAL", "redis.call('PERSIST', KEYS[1]) return redis.call('EXISTS', KEYS[1])", 1, _SPACE + key]
    return ["PEXPIRE", _SPACE + key, _milliseconds(seconds)]


def _touched(answer: Any) -> bool:
    return bool(answer)


def _count(key: str, step: int, initial: int | None, seconds: float | None) -> tuple[Any, ...]:
    end = _milliseconds(seconds)
    return _COUNT, 1, _SPACE + key, step, "" if initial is None else initial, "" if end is None else end


def _counted(answer: Any) -> Count | None:
    if answer is None:
        return None
    number, left = answer
    return Count(int(number), left / 1000 if left >= 0 else None)


def _present(keys: Sequence[str], values: Any) -> dict[str, bytes]:
    return {key: value for key, value in zip(keys, values, strict=True) if value is not None}


def _own(error: Exception) -> Exception:
    if "not an integer" in str(error) or "would overflow" in str(error):
        return ValueError(str(error))
    return CacheUnavailable(f"Redis cannot do it: {error}")
