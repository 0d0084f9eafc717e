"""The signatures themselves, by itsdangerous: HMAC-SHA-256, the time inside, several keys.

Loaded when something signs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from itsdangerous import BadData, TimestampSigner
from itsdangerous.encoding import base64_decode, base64_encode

__all__ = ["BadData", "TimedSigner", "base64_decode", "base64_encode"]


class TimedSigner(TimestampSigner):
    """Signs with the last of *keys*, verifies with each, and reads the time from *now*."""

    def __init__(self, keys: Sequence[bytes], *, salt: bytes, now: Callable[[], float]) -> None:
        # itsdangerous' own default is SHA-1.
        super().__init__(list(keys), salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)
        self._now = now

    def get_timestamp(self) -> int:
        """Return the moment in seconds."""
        return int(self._now())
