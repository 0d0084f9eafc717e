"""`Cache`: what users say to what keeps values.

Each operation is written once, as a generator of steps on the back end; `run` and `arun` drive it for the `def`
and the `async def` method of it. What the back end cannot answer is a miss.
"""

from __future__ import annotations

import asyncio
import inspect
import random
import secrets
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from copy import copy
from datetime import timedelta
from typing import Any, Final

from ..clock import now
from ..colours import Either, Operation, arun, run
from ..errors import UsageError, cut, place_of
from .backends import Backend, Count
from .breaker import Breaker
from .errors import BadKey, CacheUnavailable, NoCounter
from .flights import Flights, Landed, await_landing, own_flights, wait_for_landing
from .packing import MISSING, Envelope, hashed, pack, start_of, unpack, unwrap, wrap

__all__ = ["DEFAULT_TIMEOUT", "Cache", "Timeout", "is_on_loop"]

DEFAULT_TIMEOUT: Final[Any] = object()
"""As long as the cache says itself."""

Timeout = float | timedelta | None
_LONGEST_SECONDS = 100 * 366 * 86_400.0


class Cache:
    """Keeps values for a time, under names.

    A value is what JSON can say, bytes, or a moment; it comes back as such (a tuple as a list). A
    timeout is in seconds, or a span; `None` keeps the value until there is no room, 0 does not keep it.
    Where the back end is away, nothing is found and nothing is kept, and no error is raised.

    Args:
        backend: What keeps the bytes.
        timeout: How long a value is kept where nothing else is said.
        prefix: Keeps the keys of several users of one back end apart.
        version: Part of each key, where a call gives none: who changes it begins with an empty cache.
        name: For the log.
        clock: Moments in seconds, for what is given out stale.

    >>> from segue.cache import Cache, MemoryBackend
    >>> cache = Cache(MemoryBackend())
    >>> cache.get_or_set("answer", lambda: 42)
    42
    """

    def __init__(
        self,
        backend: Backend,
        *,
        timeout: Timeout = 300,
        prefix: str = "",
        version: int | str = 1,
        name: str = "",
        clock: Callable[[], float] = now,
    ) -> None:
        self.backend: Backend = backend
        self.timeout: Timeout = timeout
        self.prefix: str = prefix
        self.version: int | str = version
        self.is_strict: bool = False
        self.breaker: Breaker = Breaker(name or repr(backend))
        self._clock = clock
        self._flights = Flights()

    def __repr__(self) -> str:
        return f"<Cache {self.backend!r}>"

    @classmethod
    def __from_request__(cls, request: Any) -> Cache:
        """Return the default cache of the app, for a handler that asks for one."""
        from . import CACHES

        found: Cache = request.context.get(CACHES)["default"]
        return found

    @property
    def strict(self) -> Cache:
        """The same cache, which raises `CacheUnavailable` where nothing answers."""
        twin = copy(self)
        twin.is_strict = True
        return twin

    @property
    def can_swap(self) -> bool:
        """Whether `swap()` works: what keeps the values has it, and keeps them at all."""
        from .dummy import DummyBackend

        return type(self.backend).swap is not Backend.swap and not isinstance(self.backend, DummyBackend)

    # One value

    def _get(self, key: str, default: Any = None, version: Any = None, *, type: Any = Any) -> Operation[Any]:  # noqa: A002  # msgspec's name
        """`get()` as steps."""
        found, _ = yield from self._look(self._key(key, version), type)
        return default if found is MISSING else found

    def get(self, key: str, default: Any = None, version: Any = None, *, type: Any = Any) -> Any:  # noqa: A002  # msgspec's name
        """Return the value of *key*, else *default*.

        Args:
            type: What the value has to be, such as a Struct; what is not is not found.
        """
        return run(self._get(key, default, version, type=type))

    async def aget(self, key: str, default: Any = None, version: Any = None, *, type: Any = Any) -> Any:  # noqa: A002
        """`get()` in async code."""
        return await arun(self._get(key, default, version, type=type))

    def _set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None, *, tags: Iterable[str] = ()
    ) -> Operation[None]:
        """`set()` as steps."""
        tokens = yield from self._tokens(tags)
        packed = wrap(pack(value), fresh_until=None, tags=tokens)
        yield from self._put(self._key(key, version), packed, self._seconds(timeout))

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None, *, tags: Iterable[str] = ()
    ) -> None:
        """Keep *value* under *key*.

        Args:
            tags: Names; `invalidate_tags()` with one of them forgets the value.

        Raises:
            NotStorable: A cache cannot give it back (`cache/not-storable`).
        """
        return run(self._set(key, value, timeout, version, tags=tags))

    async def aset(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None, *, tags: Iterable[str] = ()
    ) -> None:
        """`set()` in async code."""
        return await arun(self._set(key, value, timeout, version, tags=tags))

    def _add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None, *, tags: Iterable[str] = ()
    ) -> Operation[bool]:
        """`add()` as steps."""
        full, seconds = self._key(key, version), self._seconds(timeout)
        tokens = yield from self._tokens(tags)
        packed = wrap(pack(value), fresh_until=None, tags=tokens)
        if seconds is not None and seconds <= 0:
            return (yield from self._look(full, Any))[0] is MISSING
        added: bool = yield from self._ask("add", full, packed, seconds, otherwise=False)
        if added or (yield from self._look(full, Any))[0] is not MISSING:
            return added
        # What is there is garbage, or was forgotten by its tag.
        yield from self._ask("delete", full, otherwise=False)
        return (yield from self._ask("add", full, packed, seconds, otherwise=False))  # type: ignore[no-any-return]  # a bool

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None, *, tags: Iterable[str] = ()
    ) -> bool:
        """Keep *value* where nothing is under *key*; tell whether it was. Of several callers one wins."""
        return run(self._add(key, value, timeout, version, tags=tags))

    async def aadd(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None, *, tags: Iterable[str] = ()
    ) -> bool:
        """`add()` in async code."""
        return await arun(self._add(key, value, timeout, version, tags=tags))

    def _swap(
        self, key: str, old: Any, new: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None
    ) -> Operation[bool]:
        """`swap()` as steps."""
        full, seconds = self._key(key, version), self._seconds(timeout)
        before, after = pack(old), pack(new)
        if seconds is not None and seconds <= 0:
            swapped: bool = yield from self._ask("swap", full, before, after, 1.0, otherwise=False)
            if swapped:
                yield from self._ask("delete", full)
            return swapped
        return (yield from self._ask("swap", full, before, after, seconds, otherwise=False))  # type: ignore[no-any-return]  # a bool

    def swap(self, key: str, old: Any, new: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Keep *new* if *old* is what is under *key*; tell whether it was.

        Of several callers that read the same value one wins; the others read again. A value with
        tags, or one that may be given out stale, is never equal.

        >>> from segue.cache import MemoryBackend
        >>> cache = Cache(MemoryBackend())
        >>> cache.set("seats", [1, 2])
        >>> [cache.swap("seats", [1, 2], [2]) for _ in range(2)]
        [True, False]

        Raises:
            UsageError: What keeps the values cannot do it (`cache/no-swap`).
        """
        return run(self._swap(key, old, new, timeout, version))

    async def aswap(self, key: str, old: Any, new: Any, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """`swap()` in async code."""
        return await arun(self._swap(key, old, new, timeout, version))

    def _delete(self, key: str, version: Any = None) -> Operation[bool]:
        """`delete()` as steps."""
        return (yield from self._ask("delete", self._key(key, version), otherwise=False))  # type: ignore[no-any-return]  # a bool

    def delete(self, key: str, version: Any = None) -> bool:
        """Forget *key*; tell whether it was there."""
        return run(self._delete(key, version))

    async def adelete(self, key: str, version: Any = None) -> bool:
        """`delete()` in async code."""
        return await arun(self._delete(key, version))

    def _touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> Operation[bool]:
        """`touch()` as steps."""
        full, seconds = self._key(key, version), self._seconds(timeout)
        if (yield from self._find(full)) is None:
            return False
        if seconds is not None and seconds <= 0:
            return (yield from self._ask("delete", full, otherwise=False))  # type: ignore[no-any-return]  # a bool
        return (yield from self._ask("touch", full, seconds, otherwise=False))  # type: ignore[no-any-return]  # a bool

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """Let *key* live so long from now; tell whether it is there."""
        return run(self._touch(key, timeout, version))

    async def atouch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: Any = None) -> bool:
        """`touch()` in async code."""
        return await arun(self._touch(key, timeout, version))

    def _has_key(self, key: str, version: Any = None) -> Operation[bool]:
        """`has_key()` as steps."""
        return (yield from self._look(self._key(key, version), Any))[0] is not MISSING

    def has_key(self, key: str, version: Any = None) -> bool:
        """Tell whether something is kept under *key*."""
        return run(self._has_key(key, version))

    async def ahas_key(self, key: str, version: Any = None) -> bool:
        """`has_key()` in async code."""
        return await arun(self._has_key(key, version))

    def __contains__(self, key: str) -> bool:
        return self.has_key(key)

    # Numbers

    def _incr(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = None,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> Operation[int]:
        """`incr()` as steps."""
        counted = yield from self._counted(key, delta, version, initial=initial, timeout=timeout)
        if counted is not None:
            return counted.value
        if initial is not None:  # the back end is away
            return initial + delta
        raise NoCounter(
            f"There is nothing under {cut(key)} to count.",
            code="cache/no-counter",
            why="A cache forgets: what was there has ended, or made room.",
            hint=f"cache.incr({cut(key)}, initial=0, timeout=3600)",
        )

    def incr(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = None,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> int:
        """Add *delta* to a number and return it; exact, whoever else counts.

        Args:
            initial: What is counted from where nothing is there.
            timeout: How long a number that is made by this is kept; later steps leave it.

        Raises:
            NoCounter: Nothing is there and *initial* is not given, or what is there is no number.
        """
        return run(self._incr(key, delta, version, initial=initial, timeout=timeout))

    async def aincr(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = None,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> int:
        """`incr()` in async code."""
        return await arun(self._incr(key, delta, version, initial=initial, timeout=timeout))

    def _decr(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = None,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> Operation[int]:
        """`decr()` as steps."""
        return (yield from self._incr(key, -delta, version, initial=initial, timeout=timeout))

    def decr(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = None,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> int:
        """Subtract *delta* from a number and return it, as `incr()` adds."""
        return run(self._decr(key, delta, version, initial=initial, timeout=timeout))

    async def adecr(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = None,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> int:
        """`decr()` in async code."""
        return await arun(self._decr(key, delta, version, initial=initial, timeout=timeout))

    def _counted(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = 0,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> Operation[Count | None]:
        """`counted()` as steps."""
        full, seconds = self._key(key, version), self._seconds(timeout)
        try:
            return (yield from self._ask("count", full, delta, initial, seconds))  # type: ignore[no-any-return]
        except (ValueError, OverflowError):
            raise NoCounter(
                f"What is kept under {cut(key)} cannot be counted.",
                code="cache/no-counter",
                why="It is no whole number, or would be larger than 64 bits.",
                hint="cache.set(key, 0)   # a number, without tags",
            ) from None

    def counted(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = 0,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> Count | None:
        """Count as `incr()` does, and return how long the counter lives too; `None` where there is none."""
        return run(self._counted(key, delta, version, initial=initial, timeout=timeout))

    async def acounted(
        self,
        key: str,
        delta: int = 1,
        version: Any = None,
        *,
        initial: int | None = 0,
        timeout: Any = DEFAULT_TIMEOUT,
    ) -> Count | None:
        """`counted()` in async code."""
        return await arun(self._counted(key, delta, version, initial=initial, timeout=timeout))

    # Many

    def _get_many(self, keys: Iterable[str], version: Any = None) -> Operation[dict[str, Any]]:
        """`get_many()` as steps."""
        full = {self._key(key, version): key for key in keys}
        stored: dict[str, bytes] = yield from self._ask("get_many", list(full), otherwise={})
        opened = {each: envelope for each, value in stored.items() if (envelope := unwrap(value)) is not None}
        current = yield from self._current_tokens({tag for envelope in opened.values() for tag in envelope.tags})
        found = {full[each]: unpack(kept.packed) for each, kept in opened.items() if _is_good(kept, current)}
        return {key: value for key, value in found.items() if value is not MISSING}

    def get_many(self, keys: Iterable[str], version: Any = None) -> dict[str, Any]:
        """Return the values of those keys that are there."""
        return run(self._get_many(keys, version))

    async def aget_many(self, keys: Iterable[str], version: Any = None) -> dict[str, Any]:
        """`get_many()` in async code."""
        return await arun(self._get_many(keys, version))

    def _set_many(
        self,
        values: Mapping[str, Any],
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
    ) -> Operation[list[str]]:
        """`set_many()` as steps."""
        seconds = self._seconds(timeout)
        tokens = yield from self._tokens(tags)
        packed = {
            self._key(key, version): wrap(pack(value), fresh_until=None, tags=tokens) for key, value in values.items()
        }
        if seconds is not None and seconds <= 0:
            yield from self._ask("delete_many", list(packed))
            return []
        failed: Any = yield from self._ask("set_many", packed, seconds, otherwise=MISSING)
        return list(values) if failed is MISSING else []

    def set_many(
        self,
        values: Mapping[str, Any],
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
    ) -> list[str]:
        """Keep several values; return the keys of those that could not be kept."""
        return run(self._set_many(values, timeout, version, tags=tags))

    async def aset_many(
        self,
        values: Mapping[str, Any],
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
    ) -> list[str]:
        """`set_many()` in async code."""
        return await arun(self._set_many(values, timeout, version, tags=tags))

    def _delete_many(self, keys: Iterable[str], version: Any = None) -> Operation[None]:
        """`delete_many()` as steps."""
        yield from self._ask("delete_many", [self._key(key, version) for key in keys])

    def delete_many(self, keys: Iterable[str], version: Any = None) -> None:
        """Forget several keys."""
        return run(self._delete_many(keys, version))

    async def adelete_many(self, keys: Iterable[str], version: Any = None) -> None:
        """`delete_many()` in async code."""
        return await arun(self._delete_many(keys, version))

    def _clear(self) -> Operation[None]:
        """`clear()` as steps."""
        yield from self._ask("clear", start_of(self.prefix))

    def clear(self) -> None:
        """Forget everything of this prefix."""
        return run(self._clear())

    async def aclear(self) -> None:
        """`clear()` in async code."""
        return await arun(self._clear())

    def _invalidate_tags(self, *tags: str) -> Operation[None]:
        """`invalidate_tags()` as steps."""
        values = {self._tag_key(tag): pack(secrets.token_hex(8)) for tag in tags}
        yield from self._ask("set_many", values, None)

    def invalidate_tags(self, *tags: str) -> None:
        """Forget every value that was given one of these tags."""
        return run(self._invalidate_tags(*tags))

    async def ainvalidate_tags(self, *tags: str) -> None:
        """`invalidate_tags()` in async code."""
        return await arun(self._invalidate_tags(*tags))

    # What is made where it is missing

    def _get_or_set(
        self,
        key: str,
        default: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
        stale: Timeout = 0,
        jitter: float = 0.0,
        type: Any = Any,  # noqa: A002  # msgspec's name
    ) -> Operation[Any]:
        """`get_or_set()` as steps."""
        yield Either(self._refuse_on_loop, _wait_for_nothing, "get_or_set")
        return (yield from self._made(self._key(key, version), default, timeout, tuple(tags), stale, jitter, type))

    def _made(
        self, full: str, default: Any, timeout: Any, tags: tuple[str, ...], stale: Timeout, jitter: float, kind: Any
    ) -> Operation[Any]:
        me = (id(self._flights), full)
        while True:
            found, is_fresh = yield from self._look(full, kind)
            if is_fresh:
                return found
            if me in own_flights.get():
                return (yield from _produce(default))
            flight, leads = self._flights.join(full)
            if leads:
                with self._leading(full, me) as landing:
                    # Another may have led, and landed, since this one looked.
                    found, is_fresh = yield from self._look(full, kind)
                    if is_fresh:
                        landing.append(pack(found))
                        return found
                    landing.append((yield from self._make(full, default, timeout, tags, stale, jitter)))
                return unpack(landing[0], kind)
            if found is not MISSING:
                return found
            landed: Landed = yield Either(wait_for_landing, await_landing, flight)
            if landed.error is not None:
                raise landed.error
            if landed.packed is not None:
                return unpack(landed.packed, kind)

    def get_or_set(
        self,
        key: str,
        default: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
        stale: Timeout = 0,
        jitter: float = 0.0,
        type: Any = Any,  # noqa: A002  # msgspec's name
    ) -> Any:
        """Return the value of *key*; where it is missing, make and keep it.

        Of all who miss it at once in this process, one makes it and the others wait for it.

        Args:
            default: The value, or a function that makes it; in async code it may be async.
            stale: For how long after its time the old value is given out, while one caller
                makes the new one.
            jitter: Which part of the time may be cut off, by chance, so that values that were
                made together do not end together: 0.1 is up to a tenth.
            type: What the value has to be, such as a Struct; what is not is made anew.
        """
        return run(self._get_or_set(key, default, timeout, version, tags=tags, stale=stale, jitter=jitter, type=type))

    async def aget_or_set(
        self,
        key: str,
        default: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: Any = None,
        *,
        tags: Iterable[str] = (),
        stale: Timeout = 0,
        jitter: float = 0.0,
        type: Any = Any,  # noqa: A002  # msgspec's name
    ) -> Any:
        """`get_or_set()` in async code."""
        return await arun(
            self._get_or_set(key, default, timeout, version, tags=tags, stale=stale, jitter=jitter, type=type)
        )

    @contextmanager
    def _leading(self, full: str, me: tuple[int, str]) -> Generator[list[bytes]]:
        """Lead a flight for the block, which leaves the packed value in the list."""
        landing: list[bytes] = []
        landed = Landed()
        token = own_flights.set(own_flights.get() | {me})
        try:
            yield landing
            landed = Landed(landing[0])
        except Exception as error:
            landed = Landed(landing[0] if landing else None, None if landing else error)
            raise
        finally:
            own_flights.reset(token)
            self._flights.land(full, landed)

    def _make(
        self, full: str, default: Any, timeout: Any, tags: tuple[str, ...], stale: Timeout, jitter: float
    ) -> Operation[bytes]:
        # The tokens of now: a value that is forgotten while it is made is not kept as good.
        tokens = yield from self._tokens(tags)
        packed = pack((yield from _produce(default)))
        seconds, more = self._seconds(timeout), self._seconds(stale)
        if seconds is not None:
            seconds *= 1 - random.random() * jitter
        fresh_until = None
        if seconds is not None and seconds > 0 and more:
            fresh_until = self._clock() + seconds
            seconds += more
        yield from self._put(full, wrap(packed, fresh_until=fresh_until, tags=tokens), seconds)
        return packed

    def _look(self, full: str, kind: Any) -> Operation[tuple[Any, bool]]:
        """Return what is kept, or `MISSING`, and whether it is fresh."""
        envelope = yield from self._find(full)
        found = MISSING if envelope is None else unpack(envelope.packed, kind)
        if envelope is None or found is MISSING:
            return MISSING, False
        return found, envelope.fresh_until is None or self._clock() < envelope.fresh_until

    # The end

    def close(self) -> None:
        """Give back what the back end holds open."""
        self.backend.close()

    async def aclose(self) -> None:
        """`close()` in async code."""
        await self.backend.aclose()

    # Between the keys of users and the back end

    def _key(self, key: str, version: Any) -> str:
        return hashed(self.prefix, "value", self.version if version is None else version, key)

    def _tag_key(self, tag: str) -> str:
        return hashed(self.prefix, "tag", "", tag)

    def _seconds(self, timeout: Any) -> float | None:
        if timeout is DEFAULT_TIMEOUT:
            timeout = self.timeout
        if timeout is None:
            return None
        seconds = timeout.total_seconds() if isinstance(timeout, timedelta) else timeout
        return min(float(seconds), _LONGEST_SECONDS)

    def _find(self, full: str) -> Operation[Envelope | None]:
        """Return what is kept and good."""
        stored: bytes | None = yield from self._ask("get", full)
        envelope = None if stored is None else unwrap(stored)
        if envelope is None or not envelope.tags:
            return envelope
        current = yield from self._current_tokens(envelope.tags)
        return envelope if _is_good(envelope, current) else None

    def _put(self, full: str, packed: bytes, seconds: float | None) -> Operation[None]:
        if seconds is not None and seconds <= 0:
            yield from self._ask("delete", full)
        else:
            yield from self._ask("set", full, packed, seconds)

    def _tokens(self, tags: Iterable[str]) -> Operation[dict[str, str]]:
        """Return the token of each tag; one that has none gets one."""
        names = _names(tags)
        found = yield from self._current_tokens(names)
        for tag in names:
            if tag in found:
                continue
            token = secrets.token_hex(8)
            if not (yield from self._ask("add", self._tag_key(tag), pack(token), None, otherwise=False)):
                token = (yield from self._current_tokens([tag])).get(tag, token)
            found[tag] = token
        return found

    def _current_tokens(self, tags: Iterable[str]) -> Operation[dict[str, str]]:
        keys = {self._tag_key(tag): tag for tag in tags}
        if not keys:
            return {}
        stored: dict[str, bytes] = yield from self._ask("get_many", list(keys), otherwise={})
        return {keys[key]: unpack(value) for key, value in stored.items()}

    def _ask(self, what: str, *arguments: Any, otherwise: Any = None) -> Operation[Any]:
        """Call a method of the back end; *otherwise* is the answer where it gives none."""
        try:
            return (yield Either(self._call, self._acall, what, *arguments))
        except CacheUnavailable:
            if self.is_strict:
                raise
            return otherwise

    def _call(self, what: str, *arguments: Any) -> Any:
        if self.backend.waits:
            self._refuse_on_loop("incr" if what == "count" else what)
        self.breaker.demand()
        try:
            answer = getattr(self.backend, what)(*arguments)
        except (CacheUnavailable, OSError) as error:
            raise self._away(error) from error
        self.breaker.worked()
        return answer

    async def _acall(self, what: str, *arguments: Any) -> Any:
        self.breaker.demand()
        try:
            answer = await getattr(self.backend, "a" + what)(*arguments)
        except (CacheUnavailable, OSError) as error:
            raise self._away(error) from error
        self.breaker.worked()
        return answer

    def _away(self, error: Exception) -> CacheUnavailable:
        self.breaker.failed(error)
        if isinstance(error, CacheUnavailable):
            return error
        return CacheUnavailable(f"The cache {self.breaker.name} cannot be used: {error}")

    def _refuse_on_loop(self, method: str) -> None:
        """Refuse to wait in a thread that runs an event loop."""
        if not is_on_loop():
            return
        raise UsageError(
            f"cache.{method}() would keep the event loop waiting.",
            code="cache/blocking-call",
            why="While it waits, no other request of this process is served.",
            hint=f"await cache.a{method}(…)",
        )


def is_on_loop() -> bool:
    """Tell whether this thread runs an event loop, on which nothing may wait."""
    return asyncio._get_running_loop() is not None  # documented for this


async def _wait_for_nothing(method: str) -> None:
    """Let the async twin of what may wait go on."""


def _is_good(envelope: Envelope, current: Mapping[str, str]) -> bool:
    return all(current.get(tag) == token for tag, token in envelope.tags.items())


def _names(tags: Iterable[str]) -> list[str]:
    if isinstance(tags, str):
        raise BadKey(
            f"Tags are several names, and {cut(tags)} is one text.",
            code="cache/bad-key",
            hint=f"cache.set(key, value, tags=[{cut(tags)}])",
        )
    return list(dict.fromkeys(tags))


def _produce(default: Any) -> Operation[Any]:
    if not callable(default):
        return default
    return (yield Either(_produced, _aproduced, default))


def _produced(make: Callable[[], Any]) -> Any:
    made = make()
    if not inspect.isawaitable(made):
        return made
    if inspect.iscoroutine(made):
        made.close()
    raise UsageError(
        f"{getattr(make, '__name__', 'The function')}() is async, and get_or_set() does not await it.",
        code="cache/async-producer",
        where=place_of(make),
        hint="await cache.aget_or_set(key, make)",
    )


async def _aproduced(make: Callable[[], Any]) -> Any:
    made = make()
    return await made if inspect.isawaitable(made) else made
