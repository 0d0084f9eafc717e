"""The keys of an app, and signing with those of the running one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from ..context import current
from ..errors import UsageError
from . import KEYS
from .signer import Purpose, Secret, Signer

__all__ = ["Keys", "dumps", "loads"]

# PERF: Segue asks for few purposes, and for one of them with each request of somebody logged in.
_MOST_SIGNERS = 64


class Keys:
    """What an app signs with: `SECRET_KEY`, and `SECRET_KEY_FALLBACKS` that still verify.

    An app without a key has one of these too; it complains when something asks for a signer.
    """

    __slots__ = ("_fallbacks", "_secret", "_signers")

    def __init__(self, secret: Secret | None, fallbacks: Iterable[Secret] = ()) -> None:
        self._secret = secret or None
        self._fallbacks = tuple(each for each in fallbacks if each)
        self._signers: dict[Purpose, Signer] = {}

    def __repr__(self) -> str:
        return f"<Keys: {'one' if self._secret else 'none'} and {len(self._fallbacks)} former>"

    def __bool__(self) -> bool:
        return self._secret is not None

    def signer(self, salt: Purpose, *, feature: str) -> Signer:
        """Return the signer for the purpose *salt*.

        Args:
            feature: What needs it, for the error: "Signed cookies".

        Raises:
            UsageError: The app has no key (`signing/no-key`).
        """
        if self._secret is None:
            raise UsageError(
                f"{feature} need a secret key, and this app has none.",
                code="signing/no-key",
                why="Without a key, anybody could make what is signed.",
                hint="segue secret   # prints a new key\n"
                "Then set the variable SECRET_KEY to it (in development, in the file .env).",
            )
        purpose = salt if isinstance(salt, str) else tuple(salt)
        found = self._signers.get(purpose)
        if found is None:
            if len(self._signers) >= _MOST_SIGNERS:
                self._signers.clear()
            found = self._signers[purpose] = Signer(self._secret, salt=salt, fallbacks=self._fallbacks)
        return found


def dumps(value: Any, *, salt: Purpose) -> str:
    """Return any JSON value as a token, signed with the key of the running app.

    Args:
        salt: What the token is for; `loads` must be given the same.

    Raises:
        UsageError: The app has no key (`signing/no-key`), none is running
            (`app/no-context`), or JSON cannot hold the value (`signing/not-json`).
    """
    return _signer(salt).dumps(value)


def loads(token: str, *, salt: Purpose, max_age: float | timedelta | None = None) -> Any:
    """Return the value inside a token that `dumps` made in this app.

    Args:
        max_age: Oldest accepted token, in seconds or as a span. `None` accepts any age.

    Raises:
        BadSignature: The token was changed, or was signed with another key or for another purpose.
        SignatureExpired: The signature is good, but the token is older than *max_age*.
        UsageError: As for `dumps`.
    """
    return _signer(salt).loads(token, max_age=max_age)


def _signer(salt: Purpose) -> Signer:
    # A first part of its own, so that no salt of a user is that of a part of Segue.
    parts = (salt,) if isinstance(salt, str) else salt
    return current().get(KEYS).signer(("value", *parts), feature="signing.dumps() and loads()")
