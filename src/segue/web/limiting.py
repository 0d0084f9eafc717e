"""Rate limits: how often one client, account or anything else may do something.

A window begins with the first hit and ends after its time; the counter and its end are made in one
piece by the cache, so the count is exact however many workers share it. What is refused counts too,
but makes no window longer: nobody is locked out for good.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Generator
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Any, Final, TypeVar

from ..cache import CACHES, Cache, CacheUnavailable
from ..colours import Operation, arun, either, pair, run
from ..context import Key, current
from ..errors import ServiceUnavailable, SetupError, TooManyRequests, cut, place_of
from ..handling.markers import mark, marks_of
from ..http.request import Request
from ..http.response import Response

__all__ = [
    "Hit",
    "Limiter",
    "Rate",
    "account_key",
    "canonical_name",
    "network_of",
    "rate_limit",
]

F = TypeVar("F", bound=Callable[..., Any])

_MAX_NAME: Final = 254
_UNITS = {
    "s": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86_400, "day": 86_400,
}  # fmt: skip
_RATE = re.compile(r"([1-9][0-9]{0,8})\s*/\s*([1-9][0-9]{0,5})?\s*([a-z]+?)s?").fullmatch
_HITS: Key[list[Hit]] = Key("rate limit hits")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many hits in so many seconds.

    >>> Rate.parse("10/5m")
    Rate(limit=10, seconds=300)
    """

    limit: int
    seconds: int

    @classmethod
    def parse(cls, text: str | Rate) -> Rate:
        """Read `10/5m`, `1/s`, `100/hour`, `1000/2 days`.

        Raises:
            SetupError: It is no rate (`web/bad-rate`).
        """
        if isinstance(text, Rate):
            return text
        found = _RATE(text.strip().lower()) if len(text) < 40 else None
        unit = None if found is None else _UNITS.get(found[3]) or _UNITS.get(f"{found[3]}s")
        if found is None or unit is None:
            raise SetupError(
                f"{cut(text)} is no rate.",
                code="web/bad-rate",
                why="A rate is a number of hits, a slash, and a time in s, m, h or d.",
                hint='rate_limit("10/5m")   # ten hits in five minutes',
            )
        return cls(int(found[1]), int(found[2] or 1) * unit)


@dataclass(frozen=True, slots=True)
class Hit:
    """One hit, counted.

    Attributes:
        is_allowed: Whether it is within the limit.
        remaining: How many more there may be in this window.
        reset_seconds: When the window ends.
    """

    is_allowed: bool
    rate: Rate
    remaining: int
    reset_seconds: int
    name: str = "default"

    @property
    def retry_after_seconds(self) -> int:
        """When to try again; 0 where it is allowed."""
        return 0 if self.is_allowed else max(1, self.reset_seconds)

    @property
    def headers(self) -> dict[str, str]:
        """The RateLimit headers, and `Retry-After` where it is refused."""
        found = {
            "ratelimit-policy": f'"{self.name}";q={self.rate.limit};w={self.rate.seconds}',
            "ratelimit": f'"{self.name}";r={self.remaining};t={self.reset_seconds}',
        }
        return found if self.is_allowed else {**found, "retry-after": str(self.retry_after_seconds)}

    def demand(self) -> None:
        """Refuse what is over the limit.

        Raises:
            TooManyRequests: It is, with the headers that say when to come again.
        """
        if not self.is_allowed:
            raise TooManyRequests(
                f"Too many requests. Try again in {self.retry_after_seconds} seconds.", headers=self.headers
            )


class Limiter:
    """Counts hits by key.

    Args:
        rate: Such as `10/5m`.
        scope: What is limited; limiters of one scope and rate share their counts.
        cache: Where the counts are: the name of one of the app's caches, or a cache.
        fail_closed: Whether a hit is refused (503) where the cache does not answer; else it is allowed.

    >>> from segue.cache import MemoryBackend
    >>> limiter = Limiter("1/h", scope="doc", cache=Cache(MemoryBackend()))
    >>> [limiter.hit("key").is_allowed for _ in range(2)]
    [True, False]
    """

    def __init__(
        self, rate: str | Rate, *, scope: str, cache: str | Cache = "default", fail_closed: bool = False
    ) -> None:
        self.rate: Rate = Rate.parse(rate)
        self.scope: str = scope
        self.cache: str | Cache = cache
        self.fail_closed: bool = fail_closed

    def __repr__(self) -> str:
        return f"<Limiter {self.scope!r}: {self.rate.limit} in {self.rate.seconds} seconds>"

    def _hit(self, key: str) -> Operation[Hit]:
        """`hit()` as steps."""
        cache = self._cache()
        name = self._name(key)
        try:
            counted = yield from either(cache.counted, cache.acounted, name, timeout=self.rate.seconds)
        except CacheUnavailable:
            if self.fail_closed:
                raise ServiceUnavailable("The limit of requests cannot be looked at.", code="web/no-limits") from None
            return self._told(0, None)
        # None: a back end that keeps nothing.
        return self._told(0, None) if counted is None else self._told(counted.value, counted.seconds_left)

    def hit(self, key: str) -> Hit:
        """Count a hit of *key* and tell whether it is allowed.

        Raises:
            ServiceUnavailable: The cache does not answer, and the limiter fails closed.
        """
        return run(self._hit(key))

    async def ahit(self, key: str) -> Hit:
        """`hit()` in async code."""
        return await arun(self._hit(key))

    def _reset(self, key: str) -> Operation[None]:
        """`reset()` as steps."""
        cache = self._cache(strict=False)
        yield from either(cache.delete, cache.adelete, self._name(key))

    def reset(self, key: str) -> None:
        """Forget the hits of *key*, such as those before a log-in that succeeded."""
        return run(self._reset(key))

    async def areset(self, key: str) -> None:
        """`reset()` in async code."""
        return await arun(self._reset(key))

    def _told(self, count: int, seconds_left: float | None) -> Hit:
        rate = self.rate
        left = rate.seconds if seconds_left is None else min(rate.seconds, max(0, ceil(seconds_left)))
        return Hit(count <= rate.limit, rate, max(0, rate.limit - count), left)

    def _name(self, key: str) -> str:
        # The length keeps a scope and a key from running into each other.
        return f"rate:{self.rate.limit}/{self.rate.seconds}:{len(self.scope)}:{self.scope}:{key}"

    def _cache(self, *, strict: bool = True) -> Cache:
        cache = current().get(CACHES)[self.cache] if isinstance(self.cache, str) else self.cache
        return cache.strict if strict else cache


def rate_limit(
    rate: str | Rate,
    *,
    key: Callable[[Request], str | None] | None = None,
    scope: str | None = None,
    cache: str | Cache = "default",
    fail_closed: bool = False,
) -> Callable[[F], F]:
    """Refuse (429) who asks a handler too often; each address, or each *key*, has a count of its own.

    It runs before the body is read. Its place among other decorators does not matter, and there may
    be several. The answers say what is left in `RateLimit` headers.

    Args:
        rate: `10/5m` are ten requests in five minutes.
        key: Whose count it is, from the request; `None` from it means that no count applies. By
            default the client's address: an IPv4 address, or a network /64 of IPv6.
        scope: Handlers of one scope share their counts; by default each has its own.
        cache: Where the counts are. In memory each worker counts alone; name one that they share.
        fail_closed: Whether requests are refused (503) while the cache does not answer.

    Raises:
        SetupError: The rate cannot be read (`web/bad-rate`).
    """
    parsed = Rate.parse(rate)

    def decorate(function: F) -> F:
        owner = scope or f"{function.__module__}.{getattr(function, '__qualname__', repr(function))}"
        limiter = Limiter(parsed, scope=owner, cache=cache, fail_closed=fail_closed)
        marks = marks_of(function)
        around = marks.get("middleware", ())
        return mark(
            function,
            guards=[*marks.get("guards", ()), _guard(limiter, key)],
            middleware=around if _tell_limits in around else [_tell_limits, *around],
        )

    return decorate


def _guard(limiter: Limiter, key: Callable[[Request], str | None] | None) -> Callable[..., Any]:
    def _check_rate(request: Request) -> Operation[None]:
        """Count this request, and refuse it where it is one too many."""
        whose = network_of(request.client) if key is None else key(request)
        if whose is None:
            return
        if not isinstance(whose, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # users give anything
            raise SetupError(
                f"The key of a rate limit is text or None, not {cut(whose)}.",
                code="web/bad-rate",
                where=place_of(key) if key is not None else "",
                hint="return str(request.user.pk)",
            )
        hit = yield from either(limiter.hit, limiter.ahit, whose)
        hit.demand()
        context: Any = request.context
        context.kept.setdefault(_HITS, []).append(hit)

    return pair(_check_rate)[0]


def _tell_limits(request: Request) -> Generator[None, Response, None]:
    """Say in the answer what is left of the narrowest limit."""
    response = yield
    context: Any = request.context
    hits: list[Hit] = context.kept.get(_HITS, [])
    if hits:
        for name, value in min(hits, key=lambda hit: hit.remaining).headers.items():
            response.headers.setdefault(name, value)


# Whose hit it is


def network_of(address: str) -> str:
    """Return what one client can choose its address from: itself, or the /64 of an IPv6 address.

    >>> network_of("2001:db8:1:2:3:4:5:6")
    '2001:db8:1:2::/64'
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:_MAX_NAME]
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return str(found)


def canonical_name(name: str) -> str:
    """Return one form of the ways to write a user's name: NFKC, case folded, stripped.

    At most 254 characters of it are looked at: normalising a long one takes minutes.

    >>> canonical_name(" \\uff21lice ")
    'alice'
    """
    folded = unicodedata.normalize("NFKC", name[:_MAX_NAME]).casefold()
    return unicodedata.normalize("NFKC", folded).strip()


def account_key(name: str, client: str) -> str:
    """Return the key under which attempts on an account from a network are counted.

    Names that a database may take for equal are one here: accents and invisible characters go too.

    Args:
        name: The user's name, as it came.
        client: The address: `request.client`.

    >>> account_key("\\u00c1lice ", "192.0.2.7")
    'alice@192.0.2.7'
    """
    parts = unicodedata.normalize("NFKD", canonical_name(name))
    kept = "".join(sign for sign in parts if unicodedata.category(sign) not in {"Mn", "Me", "Cf"})
    return f"{kept.strip()}@{network_of(client)}"
