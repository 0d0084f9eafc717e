"""A back end in Redis or Valkey, shared by all workers and machines.

What a call cannot do is a `CacheUnavailable`; how long it waits is told in `connecting.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .backends import Backend, Count
from .connecting import RedisConnections, aguarded, guarded

__all__ = ["RedisBackend"]

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
_SWAP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
if ARGV[3] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end
return 1
"""
_SPACE = "segue:cache:"
_BATCH = 500


class RedisBackend(Backend):
    """Keeps values in the Redis at *url*: `redis://host:6379/0`, `rediss://…`, `unix://…`.

    Args:
        patience_seconds: How long a call waits for a connection, and for an answer.

    Raises:
        SetupError: The client is not installed (`cache/no-redis`), or the address is wrong.
    """

    def __init__(self, url: str, *, patience_seconds: float = 0.25) -> None:
        self._connections = RedisConnections(url, patience_seconds=patience_seconds)
        self._client: Any = self._connections.threads
        self._here: Callable[[], Any] = self._connections.here

    def __repr__(self) -> str:
        return f"<RedisBackend {self._connections!r}>"

    # Sync

    @guarded
    def get(self, key: str) -> bytes | None:
        """Return the value of *key*, or `None`."""
        return self._client.get(_SPACE + key)  # type: ignore[no-any-return]  # bytes: nothing is decoded

    @guarded
    def set(self, key: str, value: bytes, seconds: float | None) -> None:
        """Keep *value*, over what was there."""
        self._client.set(_SPACE + key, value, px=_milliseconds(seconds))

    @guarded
    def add(self, key: str, value: bytes, seconds: float | None) -> bool:
        """Keep *value* where nothing is; tell whether it was."""
        return bool(self._client.set(_SPACE + key, value, px=_milliseconds(seconds), nx=True))

    @guarded
    def delete(self, key: str) -> bool:
        """Forget *key*; tell whether it was there."""
        return bool(self._client.delete(_SPACE + key))

    @guarded
    def touch(self, key: str, seconds: float | None) -> bool:
        """Let *key* live so long from now; tell whether it is there."""
        return _touched(self._client.execute_command(*_touch(key, seconds)))

    @guarded
    def count(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """Add *step* to a number."""
        return _counted(self._client.eval(*_count(key, step, initial, seconds)))

    @guarded
    def swap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        """Keep *new* if *old* is what is there; tell whether it was."""
        return bool(self._client.eval(*_swap(key, old, new, seconds)))

    @guarded
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

    @guarded
    def get_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Return the values of those keys that are there."""
        return _present(keys, self._client.mget([_SPACE + key for key in keys]) if keys else [])

    @guarded
    def set_many(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        """Keep several values."""
        pipeline = self._client.pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(_SPACE + key, value, px=_milliseconds(seconds))
        pipeline.execute()

    @guarded
    def delete_many(self, keys: Sequence[str]) -> None:
        """Forget several keys."""
        if keys:
            self._client.delete(*[_SPACE + key for key in keys])

    def close(self) -> None:
        """Close the connections of threads; a later call opens new ones."""
        self._connections.close()

    # Async

    @aguarded
    async def aget(self, key: str) -> bytes | None:
        """`get()` in async code."""
        return await self._here().get(_SPACE + key)  # type: ignore[no-any-return]  # bytes: nothing is decoded

    @aguarded
    async def aset(self, key: str, value: bytes, seconds: float | None) -> None:
        """`set()` in async code."""
        await self._here().set(_SPACE + key, value, px=_milliseconds(seconds))

    @aguarded
    async def aadd(self, key: str, value: bytes, seconds: float | None) -> bool:
        """`add()` in async code."""
        return bool(await self._here().set(_SPACE + key, value, px=_milliseconds(seconds), nx=True))

    @aguarded
    async def adelete(self, key: str) -> bool:
        """`delete()` in async code."""
        return bool(await self._here().delete(_SPACE + key))

    @aguarded
    async def atouch(self, key: str, seconds: float | None) -> bool:
        """`touch()` in async code."""
        return _touched(await self._here().execute_command(*_touch(key, seconds)))

    @aguarded
    async def acount(self, key: str, step: int, initial: int | None, seconds: float | None) -> Count | None:
        """`count()` in async code."""
        answer: Any = self._here().eval(*_count(key, step, initial, seconds))
        return _counted(await answer)

    @aguarded
    async def aswap(self, key: str, old: bytes, new: bytes, seconds: float | None) -> bool:
        """`swap()` in async code."""
        answer: Any = self._here().eval(*_swap(key, old, new, seconds))
        return bool(await answer)

    @aguarded
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

    @aguarded
    async def aget_many(self, keys: Sequence[str]) -> dict[str, bytes]:
        """`get_many()` in async code."""
        return _present(keys, await self._here().mget([_SPACE + key for key in keys]) if keys else [])

    @aguarded
    async def aset_many(self, values: Mapping[str, bytes], seconds: float | None) -> None:
        """`set_many()` in async code."""
        pipeline = self._here().pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(_SPACE + key, value, px=_milliseconds(seconds))
        await pipeline.execute()

    @aguarded
    async def adelete_many(self, keys: Sequence[str]) -> None:
        """`delete_many()` in async code."""
        if keys:
            await self._here().delete(*[_SPACE + key for key in keys])

    async def aclose(self) -> None:
        """Close the connections of this loop and those of threads."""
        await self._connections.aclose()


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


def _swap(key: str, old: bytes, new: bytes, seconds: float | None) -> tuple[Any, ...]:
    end = _milliseconds(seconds)
    return _SWAP, 1, _SPACE + key, old, new, "" if end is None else end


def _counted(answer: Any) -> Count | None:
    if answer is None:
        return None
    number, left = answer
    return Count(int(number), left / 1000 if left >= 0 else None)


def _present(keys: Sequence[str], values: Any) -> dict[str, bytes]:
    return {key: value for key, value in zip(keys, values, strict=True) if value is not None}
