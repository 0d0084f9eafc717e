"""Second factors without a network: codes of an authenticator, and codes for when it is lost.

TOTP is RFC 6238 over the HOTP of RFC 4226. Pure functions: the caller stores the secret,
the last counter that was used, and the hashes of the recovery codes.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import b32decode, b32encode
from binascii import Error as Base32Error
from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote, urlencode

from .. import clock
from ..errors import UsageError
from ..signing import equal

__all__ = [
    "find_recovery_code",
    "hash_recovery_code",
    "make_code",
    "make_recovery_codes",
    "make_secret",
    "provisioning_url",
    "verify_code",
]

STEP_SECONDS = 30
DIGITS = 6
_CODE = re.compile(r"[0-9]{6,8}")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what looks like something else
_GROUPS, _GROUP = 4, 4

Algorithm = Literal["sha1", "sha256", "sha512"]


def make_secret() -> str:
    """Return a new secret of 160 bits, in base 32, as authenticators read it."""
    return b32encode(secrets.token_bytes(20)).decode("ascii")


def provisioning_url(secret: str, *, account: str, issuer: str) -> str:
    """Return the address that an authenticator reads from a QR code.

    Args:
        account: Whom the authenticator shows; most often the address.
        issuer: The site.
    """
    label = quote(f"{issuer}:{account}", safe="@")
    query = urlencode({"secret": secret, "issuer": issuer, "digits": DIGITS, "period": STEP_SECONDS}, quote_via=quote)
    return f"otpauth://totp/{label}?{query}"


def make_code(secret: str, *, now: float | None = None, digits: int = DIGITS, algorithm: Algorithm = "sha1") -> str:
    """Return the code of a moment, as the authenticator shows it.

    Args:
        now: Seconds since 1970; by default this moment.

    Raises:
        UsageError: The secret is not base 32 (`auth/bad-totp-secret`).
    """
    return _code(_key(secret), _counter(now), digits, algorithm)


def verify_code(secret: str, code: str, *, last_used: int | None = None, now: float | None = None) -> int | None:
    """Return the counter of a good code, to be stored as *last_used*, or `None`.

    A code is good in its half minute and in those before and after it, as clocks differ.
    Store the counter where it is higher than the stored one, in one statement, and take
    the code only if that changed a row: so it works once, even for two at the same time.

    Args:
        code: ASCII digits; anything else is no code, not an error.
        last_used: The counter of the last code that was taken; it and those before are none.
        now: Seconds since 1970; by default this moment.
    """
    key, counter = _key(secret), _counter(now)
    is_code = len(code) == DIGITS and _CODE.fullmatch(code) is not None
    found: int | None = None
    for each in (counter - 1, counter, counter + 1):  # all, so that the time does not tell which
        if each >= 0 and equal(_code(key, each, DIGITS, "sha1"), code) and is_code:
            found = each
    return found if found is not None and (last_used is None or found > last_used) else None


def make_recovery_codes(count: int = 10) -> list[str]:
    """Return new codes for whoever loses their authenticator; each works once."""
    return ["-".join(_letters(_GROUP) for _ in range(_GROUPS)) for _ in range(count)]


def hash_recovery_code(code: str) -> str:
    """Return a recovery code as it is stored.

    A code has 79 random bits: nobody tries them all, so a fast digest is enough.
    """
    return hashlib.sha256(b"recovery code\0" + _plain(code).encode("utf-8", "surrogatepass")).hexdigest()


def find_recovery_code(code: str, stored: Iterable[str]) -> str | None:
    """Return the stored hash that *code* belongs to, which is to be deleted, or `None`.

    Case, spaces and dashes do not count. All are compared, so that the time does not tell.
    """
    wanted = hash_recovery_code(code)
    found: str | None = None
    for each in stored:
        if equal(each, wanted):
            found = each
    return found


def _code(key: bytes, counter: int, digits: int, algorithm: Algorithm) -> str:
    digest = hmac.digest(key, counter.to_bytes(8, "big"), algorithm)
    offset = digest[-1] & 15
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**digits).zfill(digits)


def _counter(now: float | None) -> int:
    return int((clock.now() if now is None else now) // STEP_SECONDS)


def _key(secret: str) -> bytes:
    text = secret.replace(" ", "").upper().rstrip("=")
    try:
        key = b32decode(text + "=" * (-len(text) % 8))
    except (Base32Error, ValueError):
        key = b""
    if key:
        return key
    raise UsageError(
        "The secret of an authenticator is not base 32.",
        code="auth/bad-totp-secret",
        why="It consists of the letters A to Z and the digits 2 to 7.",
        hint="from segue.auth.totp import make_secret",
    )


def _letters(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))


def _plain(code: str) -> str:
    return re.sub(r"[\s-]", "", code[:64]).lower()
