"""Passwords as they are stored.

Holds: `make_password`, `check_password` and their kin, the formats of others, the pool.
Imports: floor 0; argon2 and bcrypt when the first password is hashed.
Never: cuts a password off, or hashes outside its threads.
"""

from .making import (
    acheck_password,
    amake_password,
    check_password,
    is_password_usable,
    make_password,
    needs_rehash,
)
from .octets import MAX_PASSWORD_BYTES, PasswordTooLong
from .strength import FLOOR, PRODUCTION, STRENGTH, TESTING, Strength

__all__ = [
    "FLOOR",
    "MAX_PASSWORD_BYTES",
    "PRODUCTION",
    "STRENGTH",
    "TESTING",
    "PasswordTooLong",
    "Strength",
    "acheck_password",
    "amake_password",
    "check_password",
    "is_password_usable",
    "make_password",
    "needs_rehash",
]
