"""The formats in which passwords are stored, here and elsewhere.

One function for each reads a stored hash and says whether a password is the one: of
Segue (the PHC form of Argon2), of Django, of Werkzeug, of passlib's scrypt, of bcrypt.
What cannot be read, or would cost more than a server gives, is nobody's password.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Callable

__all__ = ["find_format"]

_MAX_ITERATIONS = 10_000_000
_MAX_MEMORY = 256 * 1024 * 1024
MAX_ENCODED = 512

Verify = Callable[[bytes, str], bool]

_ARGON2 = re.compile(
    r"\$argon2(?:id|i|d)\$(?:v=\d{1,3}\$)?m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$[^$]{1,128}\$[^$]{1,200}"
)
_PBKDF2_DJANGO = re.compile(r"pbkdf2_(sha1|sha256)\$(\d{1,9})\$([^$]{1,128})\$([A-Za-z0-9+/=]{1,128})")
_PBKDF2_WERKZEUG = re.compile(r"pbkdf2:(sha1|sha256|sha512):(\d{1,9})\$([^$]{1,128})\$([0-9a-f]{1,128})")
_SCRYPT_DJANGO = re.compile(r"scrypt\$(\d{1,9})\$([^$]{1,128})\$(\d{1,4})\$(\d{1,4})\$([A-Za-z0-9+/=]{1,128})")
_SCRYPT_WERKZEUG = re.compile(r"scrypt:(\d{1,9}):(\d{1,4}):(\d{1,4})\$([^$]{1,128})\$([0-9a-f]{1,128})")
_SCRYPT_PHC = re.compile(
    r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([A-Za-z0-9+/]{1,128})\$([A-Za-z0-9+/]{1,128})"
)
_BCRYPT = re.compile(r"(?:bcrypt(_sha256)?\$)?(\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53})")


def find_format(encoded: str) -> Verify | None:
    """Return what verifies *encoded*, or `None` where nothing does."""
    if len(encoded) > MAX_ENCODED or not encoded.isascii():
        return None
    for prefix, verify in _FORMATS:
        if encoded.startswith(prefix):
            return verify
    return None


def _argon2(password: bytes, encoded: str) -> bool:
    from argon2.exceptions import Argon2Error, InvalidHashError
    from argon2.low_level import Type, verify_secret

    phc = encoded.removeprefix("argon2")  # as Django writes it
    found = _ARGON2.fullmatch(phc)
    if found is None or int(found[1]) * 1024 > _MAX_MEMORY or int(found[1]) * int(found[2]) > 4 * 1024 * 1024:
        return False
    kind = {"argon2id": Type.ID, "argon2i": Type.I, "argon2d": Type.D}[phc.split("$")[1]]
    try:
        return verify_secret(phc.encode(), password, kind)
    except (Argon2Error, InvalidHashError):
        return False


def _pbkdf2_django(password: bytes, encoded: str) -> bool:
    found = _PBKDF2_DJANGO.fullmatch(encoded)
    return found is not None and _pbkdf2(password, found[1], found[2], found[3], _base64(found[4]))


def _pbkdf2_werkzeug(password: bytes, encoded: str) -> bool:
    found = _PBKDF2_WERKZEUG.fullmatch(encoded)
    return found is not None and _pbkdf2(password, found[1], found[2], found[3], _hex(found[4]))


def _pbkdf2(password: bytes, digest: str, iterations: str, salt: str, expected: bytes) -> bool:
    count = int(iterations)
    if not 0 < count <= _MAX_ITERATIONS or not expected:
        return False
    return hmac.compare_digest(hashlib.pbkdf2_hmac(digest, password, salt.encode(), count), expected)


def _scrypt_django(password: bytes, encoded: str) -> bool:
    found = _SCRYPT_DJANGO.fullmatch(encoded)
    if found is None:
        return False
    return _scrypt(password, int(found[1]), int(found[3]), int(found[4]), found[2].encode(), _base64(found[5]))


def _scrypt_werkzeug(password: bytes, encoded: str) -> bool:
    found = _SCRYPT_WERKZEUG.fullmatch(encoded)
    if found is None:
        return False
    return _scrypt(password, int(found[1]), int(found[2]), int(found[3]), found[4].encode(), _hex(found[5]))


def _scrypt_phc(password: bytes, encoded: str) -> bool:
    found = _SCRYPT_PHC.fullmatch(encoded)
    if found is None or int(found[1]) > 24:
        return False
    return _scrypt(password, 1 << int(found[1]), int(found[2]), int(found[3]), _base64(found[4]), _base64(found[5]))


def _scrypt(password: bytes, n: int, r: int, p: int, salt: bytes, expected: bytes) -> bool:
    # Memory is 128·N·r, work that times p; the library refuses what is no power of two.
    if not expected or 128 * n * r > _MAX_MEMORY or 128 * n * r * p > 16 * _MAX_MEMORY:
        return False
    try:
        made = hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=2 * _MAX_MEMORY, dklen=len(expected))
    except ValueError:
        return False
    return hmac.compare_digest(made, expected)


def _bcrypt(password: bytes, encoded: str) -> bool:
    found = _BCRYPT.fullmatch(encoded)
    if found is None or int(found[3]) > 16:
        return False
    try:
        from bcrypt import checkpw  # not among Segue's own; whoever has such hashes installs it
    except ImportError:
        return False
    if found[1]:
        password = hashlib.sha256(password).hexdigest().encode()
    elif len(password) > 72 or b"\0" in password:
        return False  # bcrypt would stop reading there, and take every password that begins so
    try:
        return checkpw(password, found[2].encode())
    except ValueError:
        return False


def _base64(text: str) -> bytes:
    try:
        return b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), validate=True)
    except Base64Error:
        return b""


def _hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


_FORMATS: tuple[tuple[str, Verify], ...] = (
    ("$argon2", _argon2),
    ("argon2$", _argon2),
    ("pbkdf2_", _pbkdf2_django),
    ("pbkdf2:", _pbkdf2_werkzeug),
    ("scrypt$", _scrypt_django),
    ("scrypt:", _scrypt_werkzeug),
    ("$scrypt$", _scrypt_phc),
    ("bcrypt", _bcrypt),
    ("$2", _bcrypt),
)
