"""Tokens that are used once: for a new password, an address, an invitation.

Pure functions: whoever keeps tokens stores the digest, the fingerprint and the expiry of
what `issue_token` made, looks a token up by `token_digest`, asks `is_token_good`, and
deletes it in the same statement that uses it.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ..clock import today
from ..signing import equal

__all__ = ["IssuedToken", "is_token_good", "issue_token", "token_digest"]

MAX_TOKEN = 128


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new token, and what is stored of it.

    Attributes:
        text: What is sent; it is stored nowhere.
        digest: By which it is found again.
        fingerprint: Of what it is bound to: it is good only as long as that stays the same.
        expires_at: From then on it is good no more.
    """

    text: str = field(repr=False)
    digest: str
    fingerprint: str
    expires_at: datetime


def issue_token(
    purpose: str, *, lifetime: timedelta, bound_to: Iterable[object] = (), now: datetime | None = None
) -> IssuedToken:
    """Make a token of 256 random bits for one purpose.

    Args:
        purpose: Such as `password reset`; a token for one is none for another.
        bound_to: What must not change until it is used: the address, the stored password,
            the last login.
        now: The moment it is made; by default this one.
    """
    text = secrets.token_urlsafe(32)
    expires_at = (now or today()) + lifetime
    return IssuedToken(text, token_digest(text, purpose=purpose), _digest(["bound", *bound_to]), expires_at)


def token_digest(text: str, *, purpose: str) -> str:
    """Return by what a token is found: of any text, however it came here."""
    return _digest(["token", purpose, text[: MAX_TOKEN + 1]])


def is_token_good(
    text: str,
    *,
    purpose: str,
    digest: str,
    fingerprint: str,
    expires_at: datetime,
    bound_to: Iterable[object] = (),
    now: datetime | None = None,
) -> bool:
    """Return whether *text* is the token that is stored, for this purpose, now.

    It takes the same time whatever is wrong. That it was not used before is the caller's
    to say: a used token is deleted.
    """
    is_same = equal(token_digest(text, purpose=purpose), digest) and 0 < len(text) <= MAX_TOKEN
    is_bound = equal(_digest(["bound", *bound_to]), fingerprint)
    is_fresh = (now or today()) < expires_at
    return is_same and is_bound and is_fresh


def _digest(parts: Iterable[object]) -> str:
    # Each part with its length before it: ("ab", "c") is not ("a", "bc").
    digest = hashlib.sha256()
    for part in parts:
        encoded = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big") + encoded)
    return digest.hexdigest()
