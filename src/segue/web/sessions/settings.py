"""How an app keeps its sessions, decided once from its configuration."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ...errors import SetupError, did_you_mean
from ...http.response import Response
from ...masking import mask
from ...signing import Keys
from .stores import CookieStore, ServerStore, Store

if TYPE_CHECKING:
    from ...cache import Cache

__all__ = ["STORES", "Sessions"]

STORES = ("cookie", "database", "redis", "cache")
_REDIS = ("redis://", "rediss://", "unix://")


class Sessions:
    """The sessions of one app.

    Attributes:
        store: Where they are kept.
        idle: Seconds after which one that nobody uses ends.
        lifetime: Seconds after which any ends.
        name: Of the cookie.

    Args:
        load: Returns what a target names.
        caches: Returns the caches of the app.
        space: Keeps its sessions apart from those of other apps on the same server: the app's name.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        keys: Keys,
        *,
        debug: bool,
        load: Callable[[str], Any],
        caches: Callable[[], Mapping[str, Cache]],
        space: str = "",
    ) -> None:
        self.idle: int = _seconds(config, "SESSION_IDLE")
        self.lifetime: int = _seconds(config, "SESSION_LIFETIME")
        self.is_permanent: bool = config["SESSION_PERMANENT"]
        said = config["SESSION_COOKIE_SECURE"]
        self.is_secure: bool = not debug if said is None else said
        self._options: dict[str, Any] = {
            "path": config["SESSION_COOKIE_PATH"],
            "domain": config["SESSION_COOKIE_DOMAIN"],
            "samesite": config["SESSION_COOKIE_SAMESITE"],
            "secure": self.is_secure,
            "httponly": True,
        }
        self.name: str = config["SESSION_COOKIE_NAME"] or self._name()
        named = config["SESSION_STORE"]
        if isinstance(named, str) and (named == "redis" or named.startswith(_REDIS)):
            self.store: Store = _in_redis(named, config["REDIS_URL"], space)
        elif isinstance(named, str) and (named == "cache" or named.startswith("cache://")):
            self.store = _in_cache(named.removeprefix("cache").removeprefix("://"), caches, self.lifetime)
        else:
            self.store = _store(named, keys, load)

    def __repr__(self) -> str:
        return f"<Sessions {self.name!r} in {self.store!r}>"

    def _name(self) -> str:
        # The prefix makes browsers refuse a cookie that a sibling host or plain HTTP set (RFC 6265bis §4.1.3).
        if not self.is_secure:
            return "session"
        is_host = self._options["path"] == "/" and self._options["domain"] is None
        return "__Host-session" if is_host else "__Secure-session"

    async def aclose(self) -> None:
        """Close what the store holds open."""
        backend: Any = getattr(self.store, "backend", self.store)
        close: Callable[[], Awaitable[None]] | None = getattr(backend, "aclose", None)
        if close is not None:
            await close()

    def write(self, response: Response, text: str, *, max_age: int | None) -> None:
        """Set the cookie."""
        response.set_cookie(self.name, text, max_age=max_age, **self._options)

    def erase(self, response: Response) -> None:
        """Let the browser forget the cookie."""
        response.delete_cookie(self.name, **self._options)


def _seconds(config: Mapping[str, Any], key: str) -> int:
    value = config[key]
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not 1 <= seconds <= 10 * 365 * 86400:
        raise SetupError(
            f"{key} is {value!r}.",
            code="config/wrong-value",
            where=f"the configuration key {key}",
            why="A session lives between a second and ten years.",
            hint=f"{key} = 14 * 24 * 3600   # seconds, or a timedelta",
        )
    return int(seconds)


def _in_redis(named: str, configured: str | None, space: str) -> Store:
    address = configured if named == "redis" else named
    if not address:
        raise SetupError(
            "Sessions are to be in Redis, and nothing says where that is.",
            code="web/session-store",
            where="the configuration key SESSION_STORE",
            hint="REDIS_URL = redis://127.0.0.1:6379/0",
        )
    from .redis import RedisBackend  # with its client

    return ServerStore(RedisBackend(address, space=space))


def _in_cache(named: str, caches: Callable[[], Mapping[str, Cache]], lifetime: int) -> Store:
    from .cached import CacheBackend

    cache = caches()[named or "default"]
    if not cache.can_swap:
        raise SetupError(
            f"Sessions are to be in {cache!r}, which cannot keep them.",
            code="web/session-store",
            where="the configuration key SESSION_STORE",
            why="It keeps nothing, or its back end has no method `swap`: two requests would lose each other's changes.",
            hint='SESSION_STORE = "cache://sessions"\nCACHES = {"default": "dummy://", "sessions": "memory://"}',
        )
    return ServerStore(CacheBackend(cache, lifetime=lifetime))


def _store(named: Any, keys: Keys, load: Callable[[str], Any]) -> Store:
    if named == "cookie":
        return CookieStore(keys.signer(("session",), feature="Sessions"))
    if named == "database":
        from .database import DatabaseBackend  # with SQLAlchemy

        return ServerStore(DatabaseBackend())
    own: Any = load(named) if isinstance(named, str) and (":" in named or "." in named) else named
    if isinstance(own, type):
        own = own()
    if hasattr(own, "read") and hasattr(own, "insert"):
        return ServerStore(own)
    if hasattr(own, "open") and hasattr(own, "create"):
        return own  # type: ignore[no-any-return]  # it has what a store has
    raise SetupError(
        f"SESSION_STORE is {mask('SESSION_STORE', named)!r}, which keeps no sessions.",
        code="web/session-store",
        where="the configuration key SESSION_STORE",
        why=f"It is one of {', '.join(STORES)}, or the target of a class with the methods of segue.web.sessions.Store.",
        hint=did_you_mean(named, STORES) if isinstance(named, str) else "",
    )
