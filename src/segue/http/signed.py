"""What requests and responses need of signing, which is an engine of its own.

Holds the Protocol of what makes and reads signed cookies, the key under which an app
provides it, and the options that cookies have in common.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

from ..context import Key

__all__ = ["SIGNED_COOKIES", "CookieOptions", "CookieSigner", "SameSite", "seconds_of"]

SameSite: TypeAlias = Literal["Lax", "Strict", "None"]


class CookieSigner(Protocol):
    """Makes and reads the values of signed cookies."""

    def write(self, name: str, value: Any, *, salt: str, max_age: float | None) -> str:
        """Return the text of the cookie *name*."""
        ...

    def read(self, name: str, text: str | None, default: Any, *, salt: str, max_age: float | None) -> Any:
        """Return the value in the cookie *name*, or *default* where it is absent, forged or too old."""
        ...


SIGNED_COOKIES: Key[CookieSigner] = Key("signed cookies")


class CookieOptions(TypedDict, total=False):
    """Where a cookie is sent, beside its name, value and age.

    Attributes:
        path: Below which it is sent.
        domain: With its subdomains; the host alone where absent.
        secure: Whether only over TLS.
        httponly: Whether scripts cannot read it.
        samesite: Whether requests from other sites carry it.
        partitioned: Whether each embedding site has one of its own.
    """

    path: str
    domain: str | None
    secure: bool
    httponly: bool
    samesite: SameSite | None
    partitioned: bool


def seconds_of(span: float | timedelta | None) -> float | None:
    """Return a span in seconds."""
    return span.total_seconds() if isinstance(span, timedelta) else span
