"""How an app keeps its sessions, decided once from its configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from ...errors import SetupError, did_you_mean
from ...http.response import Response
from ...signing import Keys
from .stores import CookieStore, ServerStore, Store

__all__ = ["STORES", "Sessions"]

STORES = ("cookie", "database")


class Sessions:
    """The sessions of one app.

    Attributes:
        store: Where they are kept.
        idle: Seconds after which one that nobody uses ends.
        lifetime: Seconds after which any ends.
        name: Of the cookie.
    """

    def __init__(self, config: Mapping[str, Any], keys: Keys, *, debug: bool, load: Callable[[str], Any]) -> None:
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
        self.store: Store = _store(config["SESSION_STORE"], keys, load)

    def __repr__(self) -> str:
        return f"<Sessions {self.name!r} in {self.store!r}>"

    def _name(self) -> str:
        # The prefix makes browsers refuse a cookie that a sibling host or plain HTTP set (RFC 6265bis §4.1.3).
        if not self.is_secure:
            return "session"
        is_host = self._options["path"] == "/" and self._options["domain"] is None
        return "__Host-session" if is_host else "__Secure-session"

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
        f"SESSION_STORE is {named!r}, which keeps no sessions.",
        code="web/session-store",
        where="the configuration key SESSION_STORE",
        why=f"It is one of {', '.join(STORES)}, or the target of a class with the methods of segue.web.sessions.Store.",
        hint=did_you_mean(named, STORES) if isinstance(named, str) else "",
    )
