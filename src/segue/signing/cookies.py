"""Signed cookies: their name is part of the purpose, their end part of what is signed."""

from __future__ import annotations

from typing import Any

from .keys import Keys
from .signer import BadSignature, Signer

__all__ = ["SignedCookies"]


class SignedCookies:
    """Makes and reads the values of signed cookies with the keys of an app."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def __repr__(self) -> str:
        return f"<SignedCookies with {self._keys!r}>"

    def write(self, name: str, value: Any, *, salt: str, max_age: float | None) -> str:
        """Return the text of the cookie *name*.

        Args:
            max_age: Seconds after which `read` does not take it; browsers may keep it longer.
        """
        return self._signer(name, salt).dumps([value, max_age])

    def read(self, name: str, text: str | None, default: Any, *, salt: str, max_age: float | None) -> Any:
        """Return the value in the cookie *name*, or *default* where it is absent, forged or too old.

        Args:
            max_age: A further limit, beside the one that it was written with.
        """
        signer = self._signer(name, salt)
        if text is None:
            return default
        try:
            (value, written), signed_at = signer.loads_with_time(text)
            for limit in (written, max_age):
                if limit is not None:
                    signer.check_age(signed_at, limit)
        except BadSignature:
            return default
        return value

    def _signer(self, name: str, salt: str) -> Signer:
        return self._keys.signer(("cookie", name, salt), feature="Signed cookies")
