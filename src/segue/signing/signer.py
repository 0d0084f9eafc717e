"""`Signer`: one key, one purpose. And `equal`, the only comparison for secrets.

A token is `text.moment.signature`. The signature covers the text and the moment, and
its key is derived from the secret and the purpose, so that a token of one purpose is
worth nothing for another.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from .. import clock
from ..errors import SegueError, UsageError, cut

if TYPE_CHECKING:
    from .timed import TimedSigner

__all__ = ["BadSignature", "Purpose", "Secret", "SignatureExpired", "Signer", "equal", "purpose_bytes"]

Secret: TypeAlias = str | bytes
Purpose: TypeAlias = str | Sequence[str]

# Clocks of two machines differ; a token of the near future is not a forgery.
_MOST_SKEW_SECONDS = 60


class BadSignature(SegueError, ValueError):
    """The token was not made by us for this purpose, or was changed on its way."""

    code = "signing/bad-signature"
    status = 400


class SignatureExpired(BadSignature):
    """The token is ours, but too old.

    Attributes:
        signed_at: When it was signed.
    """

    code = "signing/expired"

    def __init__(self, message: str, *, signed_at: datetime) -> None:
        super().__init__(message, hint="Make a new one: what signed it once can do so again.")
        self.signed_at = signed_at

    def __reduce__(self) -> tuple[Any, ...]:
        return _expired, (self.message, self.signed_at)


def _expired(message: str, signed_at: datetime) -> SignatureExpired:
    return SignatureExpired(message, signed_at=signed_at)


class Signer:
    """Signs texts and values for one purpose.

    A signature hides nothing: whoever has the token can read what is in it.

    Args:
        key: The secret that signs.
        salt: The purpose: a text, or several, which are joined so that no two
            purposes meet (`("ab", "c")` is not `("a", "bc")`).
        fallbacks: Former secrets that still verify.
        now: The clock, in seconds since 1970.

    Raises:
        UsageError: A secret is empty (`signing/empty-key`).

    >>> signer = Signer(b"0123456789abcdef0123456789abcdef", salt="greeting")
    >>> signer.unsign(signer.sign("user 42"), max_age=60)
    'user 42'
    """

    __slots__ = ("_keys", "_now", "_salt", "_timed", "salt")

    def __init__(
        self,
        key: Secret,
        *,
        salt: Purpose,
        fallbacks: Iterable[Secret] = (),
        now: Callable[[], float] = clock.now,
    ) -> None:
        self.salt: Purpose = salt
        self._salt = purpose_bytes(salt)
        # The last signs, all verify.
        self._keys = [_key_bytes(each) for each in (*fallbacks, key)]
        self._now = now
        self._timed: TimedSigner | None = None

    def __repr__(self) -> str:
        return f"<Signer for {self.salt!r}>"

    def sign(self, text: str) -> str:
        """Return *text* with the moment and the signature behind it."""
        return self._signer().sign(text.encode()).decode()

    def unsign(self, token: str, *, max_age: float | timedelta | None = None) -> str:
        """Return the text inside *token* once its signature and age are good.

        The comparison takes the same time for every wrong signature, so it does
        not tell an attacker how much of a guess was right.

        Args:
            token: What `sign` returned. Anything else is a bad signature, not a crash.
            max_age: Oldest accepted token, in seconds or as a span. `None` accepts any age.

        Raises:
            BadSignature: The token was changed, or was signed with another key or for another purpose.
            SignatureExpired: The signature is good, but the token is older than *max_age*.
        """
        text, signed_at = self.unsign_with_time(token)
        if max_age is not None:
            self.check_age(signed_at, max_age)
        return text

    def unsign_with_time(self, token: str) -> tuple[str, datetime]:
        """Return the text inside *token*, and when it was signed.

        Raises:
            BadSignature: As for `unsign`.
        """
        from .timed import BadData

        try:
            given = token.encode()
            value, signed_at = self._signer().unsign(given, return_timestamp=True)
            text = value.decode()
        except (BadData, UnicodeError, AttributeError):
            raise _bad_signature() from None
        if not _is_canonical(given):
            raise _bad_signature()
        return text, signed_at

    def check_age(self, signed_at: datetime, max_age: float | timedelta) -> None:
        """Refuse a token that was signed longer ago than *max_age*.

        Raises:
            SignatureExpired: It was, or it comes from the future.
        """
        limit = max_age.total_seconds() if isinstance(max_age, timedelta) else max_age
        age = int(self._now()) - signed_at.timestamp()
        # Written so that a limit that is no number accepts nothing.
        if not (-_MOST_SKEW_SECONDS <= age <= limit):
            moment = signed_at.astimezone(UTC).isoformat(timespec="seconds")
            raise SignatureExpired(f"The token of {moment} is not valid any more.", signed_at=signed_at)

    def fingerprint(self, text: str) -> bytes:
        """Return 32 bytes that only this key makes of *text*: the same each time, and without a date."""
        from .timed import base64_decode

        return base64_decode(self._signer().get_signature(text.encode()))

    def is_fingerprint(self, fingerprint: bytes, text: str) -> bool:
        """Whether this key, or a former one, made *fingerprint* of *text*."""
        from .timed import base64_encode

        return self._signer().verify_signature(text.encode(), base64_encode(fingerprint))

    def dumps(self, value: Any) -> str:
        """Return any JSON value as a token of letters, digits, `-`, `_` and `.`.

        Raises:
            UsageError: JSON cannot hold the value (`signing/not-json`).
        """
        from .timed import base64_encode

        try:
            encoded = msgspec.json.encode(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise UsageError(
                f"{cut(value)} cannot be signed: {error}",
                code="signing/not-json",
                why="A signed value travels as JSON.",
                hint="Sign a key of it (record.pk), or what JSON holds: text, numbers, lists, dicts.",
            ) from error
        return self.sign(base64_encode(encoded).decode("ascii"))

    def loads(self, token: str, *, max_age: float | timedelta | None = None) -> Any:
        """Return the value inside a token that `dumps` made.

        Args:
            max_age: As for `unsign`.

        Raises:
            BadSignature, SignatureExpired: As for `unsign`.
        """
        return _decode(self.unsign(token, max_age=max_age))

    def loads_with_time(self, token: str) -> tuple[Any, datetime]:
        """Return the value inside *token*, and when it was signed.

        Raises:
            BadSignature: As for `unsign`.
        """
        text, signed_at = self.unsign_with_time(token)
        return _decode(text), signed_at

    def _signer(self) -> TimedSigner:
        if self._timed is None:
            from .timed import TimedSigner

            self._timed = TimedSigner(self._keys, salt=self._salt, now=self._now)
        return self._timed


def equal(one: str | bytes | None, other: str | bytes | None) -> bool:
    """Return whether two secrets are the same, in a time that tells nothing of them.

    Text counts as its UTF-8 bytes. `None` (there is no secret) equals nothing, not even
    `None`. Never raises, whatever it is given.

    >>> equal("token", b"token"), equal(None, None)
    (True, False)
    """
    left, right = _comparable(one), _comparable(other)
    return left is not None and right is not None and hmac.compare_digest(left, right)


def purpose_bytes(purpose: Purpose) -> bytes:
    """Return a purpose as bytes that no other purpose has: each part stands behind its length."""
    parts = (purpose,) if isinstance(purpose, str) else purpose
    encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
    return b"segue:" + b"".join(b"%d:%b" % (len(part), part) for part in encoded)


def _comparable(value: object) -> bytes | None:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    return bytes(value) if isinstance(value, bytes | bytearray) else None


def _key_bytes(key: Secret) -> bytes:
    if not key:
        raise UsageError(
            "An empty key cannot sign.",
            code="signing/empty-key",
            why="Everybody knows it, so everybody could sign.",
            hint="segue secret   # prints a new key",
        )
    return key.encode() if isinstance(key, str) else bytes(key)


def _is_canonical(token: bytes) -> bool:
    """Whether the signature is written in the one way in which it was made.

    The last letter of base64 has bits to spare; without this, some tokens could be
    changed in it and still verify, and a list of revoked tokens would miss them.
    """
    from .timed import base64_decode, base64_encode

    signature = token.rpartition(b".")[2]
    return hmac.compare_digest(base64_encode(base64_decode(signature)), signature)


def _decode(text: str) -> Any:
    from .timed import BadData, base64_decode

    try:
        return msgspec.json.decode(base64_decode(text))
    except (BadData, UnicodeError, msgspec.DecodeError):
        # Signed by `sign`, not by `dumps`: ours, but no value.
        raise _bad_signature() from None


def _bad_signature() -> BadSignature:
    return BadSignature(
        "The signature is not right.",
        why="The token was changed or cut, or was signed with another key or for another purpose.",
        hint="Treat it as if none had been sent. After a change of SECRET_KEY, keep the old one in "
        "SECRET_KEY_FALLBACKS.",
    )
