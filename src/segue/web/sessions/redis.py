"""Sessions in Redis or Valkey, shared by all workers and machines.

A session is a hash that ends by itself; each script below is one step to everybody else, so that
two saves never lose each other's, and a save never brings back what was ended. Of each user there
is a sorted set of the keys of their sessions, by the moment when they end. All keys of an app hold
its name in braces: a cluster keeps them on one node, which scripts demand.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from ... import clock
from ...cache import CacheUnavailable
from ...cache.breaker import Breaker
from ...cache.connecting import RedisConnections, WrongKind
from ...colours import Either, Operation
from .stores import Stored, unavailable

__all__ = ["RedisBackend"]

_FIELDS = ("data", "created", "seen", "expires", "version", "owner")

# KEYS: the session, the set of its owner. ARGV: the version that it must have, or nothing for a
# new one; its key; the milliseconds it lives; then the fields. A session that had another owner
# stays in the set of that one until somebody lists it: who lists a set looks at the owners.
_SAVE = """
if ARGV[1] ~= '' then
    if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 'gone' end
    if redis.call('HGET', KEYS[1], 'version') ~= ARGV[1] then return 'changed' end
end
redis.call('HSET', KEYS[1], 'data', ARGV[4], 'created', ARGV[5], 'seen', ARGV[6], 'expires', ARGV[7],
    'version', ARGV[8], 'owner', ARGV[9])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[9] ~= '' then
    redis.call('ZADD', KEYS[2], ARGV[7], ARGV[2])
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[6])
    if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[2], ARGV[3]) end
end
return 'saved'
"""
# The fields of the sessions of one owner, each after its key; what has ended leaves the set.
_LIST = """
local found = {}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[2])
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local name = ARGV[1] .. key
    local row = {}
    if redis.call('TYPE', name).ok == 'hash' then
        row = redis.call('HMGET', name, 'data', 'created', 'seen', 'expires', 'version', 'owner')
    end
    if row[6] == ARGV[3] then
        found[#found + 1] = {key, row}
    else
        redis.call('ZREM', KEYS[1], key)
    end
end
return found
"""
_END = """
if redis.call('TYPE', KEYS[1]).ok == 'hash' then
    redis.call('ZREM', ARGV[1] .. (redis.call('HGET', KEYS[1], 'owner') or ''), ARGV[2])
end
return redis.call('DEL', KEYS[1])
"""
_END_OTHERS = """
local ended = 0
for _, key in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    if key ~= ARGV[2] then
        local name = ARGV[1] .. key
        if redis.call('TYPE', name).ok == 'hash' and redis.call('HGET', name, 'owner') == ARGV[3] then
            ended = ended + redis.call('DEL', name)
        end
        redis.call('ZREM', KEYS[1], key)
    end
end
return ended
"""


class RedisBackend:
    """Keeps sessions in the Redis at *url*.

    Args:
        space: Keeps the sessions of one app apart from those of others in the same Redis.

    Raises:
        SetupError: The client is not installed (`cache/no-redis`), or the address is wrong.
    """

    def __init__(self, url: str, *, space: str = "", patience_seconds: float = 0.25) -> None:
        self._connections = RedisConnections(url, patience_seconds=patience_seconds)
        self._breaker = Breaker(
            repr(self._connections), what="store of sessions", effect="so requests that need one are told to come again"
        )
        braced = space.translate({ord("{"): "(", ord("}"): ")"})
        self._sessions = f"segue:session:{{{braced}}}:key:"
        self._owners = f"segue:session:{{{braced}}}:owner:"

    def __repr__(self) -> str:
        return f"<RedisBackend {self._connections!r}>"

    def read(self, key: str) -> Operation[Stored | None]:
        """Return the session of *key*, or `None`."""
        try:
            row = yield from self._ask("HMGET", self._sessions + key, *_FIELDS)
        except WrongKind:
            return None
        return _stored(key, row)

    def insert(self, key: str, stored: Stored) -> Operation[None]:
        """Keep a new session."""
        yield from self._save(key, stored, expected="", version=stored.version)

    def update(self, key: str, stored: Stored) -> Operation[Literal["saved", "changed", "gone"]]:
        """Keep a session that exists in this version, and count the version up; make none."""
        answer = yield from self._save(key, stored, expected=stored.version, version=stored.version + 1)
        outcomes: dict[bytes, Literal["saved", "changed", "gone"]]
        outcomes = {b"saved": "saved", b"changed": "changed", b"gone": "gone"}
        return outcomes[answer]

    def remove(self, key: str) -> Operation[None]:
        """Forget the session of *key*."""
        yield from self._ask("EVAL", _END, 1, self._sessions + key, self._owners, key)

    def of_owner(self, owner: str) -> Operation[Sequence[Stored]]:
        """Return the sessions of one user, latest seen first."""
        moment = int(clock.now())
        rows = yield from self._ask("EVAL", _LIST, 1, self._owners + owner, self._sessions, moment, owner)
        found = [_stored(key.decode(), row) for key, row in rows]
        return sorted((each for each in found if each is not None), key=lambda each: each.seen, reverse=True)

    def remove_of_owner(self, owner: str, *, keep: str = "") -> Operation[int]:
        """End the sessions of one user, but that of the key *keep*; say how many."""
        return (  # type: ignore[no-any-return]  # a number
            yield from self._ask("EVAL", _END_OTHERS, 1, self._owners + owner, self._sessions, keep, owner)
        )

    def remove_expired(self) -> Operation[int]:
        """Return 0: Redis forgets by itself what has expired."""
        return 0
        yield

    def close(self) -> None:
        """Close the connections of threads; a later call opens new ones."""
        self._connections.close()

    async def aclose(self) -> None:
        """Close the connections of this loop and those of threads."""
        await self._connections.aclose()

    def _save(self, key: str, stored: Stored, *, expected: int | str, version: int) -> Operation[Any]:
        milliseconds = max(1, round((stored.expires - clock.now()) * 1000))
        names = (self._sessions + key, self._owners + stored.owner)
        fields = (stored.data, stored.created, stored.seen, stored.expires, version, stored.owner)
        return (yield from self._ask("EVAL", _SAVE, len(names), *names, expected, key, milliseconds, *fields))

    def _ask(self, *command: Any) -> Operation[Any]:
        try:
            return (yield Either(self._call, self._acall, *command))
        except WrongKind:
            raise
        except CacheUnavailable as error:
            raise unavailable() from error

    def _call(self, *command: Any) -> Any:
        with self._asking():
            return self._connections.call(*command)

    async def _acall(self, *command: Any) -> Any:
        with self._asking():
            return await self._connections.acall(*command)

    @contextmanager
    def _asking(self) -> Generator[None]:
        self._breaker.demand()
        try:
            yield
        except WrongKind:
            self._breaker.worked()
            raise
        except CacheUnavailable as error:
            self._breaker.failed(error)
            raise
        self._breaker.worked()


def _stored(key: str, row: Sequence[bytes | None]) -> Stored | None:
    """Return what a hash says; `None` where it is none of ours, or is damaged."""
    if None in row:
        return None
    data, created, seen, expires, version, owner = (each or b"" for each in row)
    try:
        return Stored(data, int(created), int(seen), int(expires), int(version), owner.decode(), key)
    except ValueError:
        return None
