"""A password as the bytes that are hashed: all of them, and not too many."""

from __future__ import annotations

from ...errors import SegueError

__all__ = ["MAX_PASSWORD_BYTES", "PasswordTooLong", "octets"]

MAX_PASSWORD_BYTES = 4096


class PasswordTooLong(SegueError, ValueError):
    """A password is longer than any person's; nothing was hashed."""

    code = "auth/password-too-long"
    status = 400


def octets(password: str) -> bytes:
    """Return *password* as UTF-8; NUL and lone surrogates count as they are.

    Raises:
        PasswordTooLong: It has over 4,096 bytes.
    """
    # A character is a byte at least: the length is asked before anything is copied.
    if len(password) <= MAX_PASSWORD_BYTES:
        encoded = password.encode("utf-8", "surrogatepass")
        if len(encoded) <= MAX_PASSWORD_BYTES:
            return encoded
    raise PasswordTooLong(
        "The password is too long.",
        why=f"It may have {MAX_PASSWORD_BYTES} bytes; all of them count, and hashing takes time.",
        hint=f"Refuse it in the form: max_length={MAX_PASSWORD_BYTES // 4}",
    )
