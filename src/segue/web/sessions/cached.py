"""Sessions in a cache of the app: in memory, files, a database or Redis, as its address says.

A session is one value, replaced only where it is still the one that was read. Of each user there is
one value more: the keys of their sessions, with the moments when they end. A cache may forget
whatever it wants when it is full, and a session is then as good as ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from ... import clock
from ...cache import Cache, CacheUnavailable
from ...colours import Operation, either
from .stores import Stored, unavailable

__all__ = ["CacheBackend"]

T = TypeVar("T")

_MOST_TRIES = 50
# From so many sessions of one user on, those that ended early are looked for.
_MANY = 100


class CacheBackend:
    """Keeps sessions in a cache.

    Args:
        lifetime: Seconds after which any session ends.
    """

    def __init__(self, cache: Cache, *, lifetime: int) -> None:
        self._cache = cache.strict
        self._lifetime = lifetime

    def __repr__(self) -> str:
        return f"<CacheBackend in {self._cache!r}>"

    def read(self, key: str) -> Operation[Stored | None]:
        """Return the session of *key*, or `None`."""
        return _stored(key, (yield from self._get(_session(key))))

    def insert(self, key: str, stored: Stored) -> Operation[None]:
        """Keep a new session."""
        yield from self._set(_session(key), _row(stored, stored.version), _seconds_of(stored))
        # The browser is sent its cookie after that: no session is used that its owner's list does not have.
        yield from self._enlist(key, stored)

    def update(self, key: str, stored: Stored) -> Operation[Literal["saved", "changed", "gone"]]:
        """Keep a session that exists in this version, and count the version up; make none."""
        row = yield from self._get(_session(key))
        found = _stored(key, row)
        if found is None:
            return "gone"
        if found.version != stored.version:
            return "changed"
        if found.owner != stored.owner:
            yield from self._enlist(key, stored)
        new = _row(stored, stored.version + 1)
        if (yield from self._swap(_session(key), row, new, _seconds_of(stored))):
            return "saved"
        return "gone" if _stored(key, (yield from self._get(_session(key)))) is None else "changed"

    def remove(self, key: str) -> Operation[None]:
        """Forget the session of *key*."""
        found = yield from self.read(key)
        yield from self._delete(_session(key))
        if found is not None and found.owner:
            yield from self._change_list(found.owner, lambda ends: ends.pop(key, None))

    def of_owner(self, owner: str) -> Operation[Sequence[Stored]]:
        """Return the sessions of one user, latest seen first."""
        found: list[Stored] = []
        for key in _ends((yield from self._get(_list(owner)))):
            stored = yield from self.read(key)
            if stored is not None and stored.owner == owner and stored.expires > clock.now():
                found.append(stored)
        return sorted(found, key=lambda each: each.seen, reverse=True)

    def remove_of_owner(self, owner: str, *, keep: str = "") -> Operation[int]:
        """End the sessions of one user, but that of the key *keep*; say how many."""
        count = 0
        for key in _ends((yield from self._get(_list(owner)))):
            stored = yield from self.read(key)
            if key != keep and stored is not None and stored.owner == owner:
                count += yield from self._delete(_session(key))
        return count

    def remove_expired(self) -> Operation[int]:
        """Return 0: a cache forgets by itself what has expired."""
        return 0
        yield

    # The list of an owner

    def _enlist(self, key: str, stored: Stored) -> Operation[None]:
        if stored.owner:
            # Saves move the end of a session, but never beyond this; so they need not write here.
            last = stored.created + self._lifetime
            yield from self._change_list(stored.owner, lambda ends: ends.update({key: last}))

    def _change_list(self, owner: str, change: Callable[[dict[str, int]], Any]) -> Operation[None]:
        for _ in range(_MOST_TRIES):
            value = yield from self._get(_list(owner))
            ends = {key: end for key, end in _ends(value).items() if end > clock.now()}
            if len(ends) > _MANY:
                ends = yield from self._living(ends)
            change(ends)
            seconds = max(ends.values(), default=0) - clock.now()
            if value is None:
                if not ends or (yield from self._add(_list(owner), ends, seconds)):
                    return
            elif (yield from self._swap(_list(owner), value, ends, seconds)):
                return
        raise unavailable()

    def _living(self, ends: dict[str, int]) -> Operation[dict[str, int]]:
        """Return those of the sessions that are still there."""
        rows = yield from _asked(either(self._cache.get_many, self._cache.aget_many, list(map(_session, ends))))
        return {key: end for key, end in ends.items() if _session(key) in rows}

    # The cache

    def _get(self, key: str) -> Operation[Any]:
        return (yield from _asked(either(self._cache.get, self._cache.aget, key)))

    def _set(self, key: str, value: Any, seconds: float) -> Operation[None]:
        yield from _asked(either(self._cache.set, self._cache.aset, key, value, seconds))

    def _add(self, key: str, value: Any, seconds: float) -> Operation[bool]:
        return (yield from _asked(either(self._cache.add, self._cache.aadd, key, value, seconds)))

    def _swap(self, key: str, old: Any, new: Any, seconds: float) -> Operation[bool]:
        return (yield from _asked(either(self._cache.swap, self._cache.aswap, key, old, new, seconds)))

    def _delete(self, key: str) -> Operation[bool]:
        return (yield from _asked(either(self._cache.delete, self._cache.adelete, key)))


def _asked(step: Operation[T]) -> Operation[T]:
    try:
        return (yield from step)
    except CacheUnavailable as error:
        raise unavailable() from error


def _session(key: str) -> str:
    return f"session:{key}"


def _list(owner: str) -> str:
    return f"sessions of:{owner}"


def _seconds_of(stored: Stored) -> float:
    return stored.expires - clock.now()


class _Row(msgspec.Struct, array_like=True, frozen=True):
    data: bytes
    created: int
    seen: int
    expires: int
    version: int
    owner: str


def _row(stored: Stored, version: int) -> list[Any]:
    return [stored.data, stored.created, stored.seen, stored.expires, version, stored.owner]


def _stored(key: str, row: Any) -> Stored | None:
    try:
        found = msgspec.convert(row, _Row)
    except msgspec.ValidationError:
        return None
    return Stored(found.data, found.created, found.seen, found.expires, found.version, found.owner, key)


def _ends(value: Any) -> dict[str, int]:
    """Return the sessions in the list of an owner, each with its last moment."""
    try:
        return msgspec.convert(value, dict[str, int])
    except msgspec.ValidationError:
        return {}
