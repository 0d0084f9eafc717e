"""What must not be shown, and secrets that must not be used.

Holds: `mask`, for values that reports print; `check_secret`, the rules for a key that signs.
Imports: the standard library and `errors`.
Never: keeps or logs a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, cast

from .conversion import is_table
from .errors import SetupError

__all__ = ["MASK", "check_secret", "is_secret_name", "mask"]

MASK = "***"
MIN_SECRET_BYTES = 32

_NAMES = re.compile(r"secret|token|pass|pwd|key|auth|cookie|dsn|credential", re.IGNORECASE)
_USER_AND_PASSWORD = re.compile(r"(\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@]*):(?!//)\S*@", re.IGNORECASE)
_TOKEN_IN_URL = re.compile(r"(\bhttps?://)[^\s:/@]+@", re.IGNORECASE)
_PAIR = re.compile(r"(?<![\w.-])([\w.-]++)=([^&;\s]+)")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]{0,30}:", re.IGNORECASE)
_SAMPLES = (
    "changeme", "changethis", "replaceme", "yoursecret", "insecure", "secretkeyhere", "notasecret",
    "supersecret", "placeholder", "thisisasecret", "mysecret",
)  # fmt: skip


def is_secret_name(name: str) -> bool:
    """Return whether a key, header or variable of that name is masked wherever it is shown."""
    return _NAMES.search(name) is not None


def mask(key: str, value: Any, *, secret: bool = False) -> Any:
    """Return *value* as it may be shown: `***` where *key* names a secret.

    Passwords inside addresses (`postgresql://me:***@host/club`) and settings
    (`password=***`) are masked under every key, in lists and tables too. Nothing,
    flags and empty values are shown: that a secret is missing is no secret.

    Args:
        secret: Whether the value is known to be secret. Of addresses still only
            the credentials are hidden, so that a report says which database it is.

    >>> mask("DATABASE", {"main": "mysql://root:hunter2@db/club"})
    {'main': 'mysql://root:***@db/club'}
    """
    if value is None or isinstance(value, bool) or value in ("", [], {}, ()):
        return value
    if is_secret_name(key):
        return MASK
    if is_table(value):
        return {name: mask(str(name), each, secret=secret) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask(key, each, secret=secret) for each in cast("Iterable[Any]", value)]
    if isinstance(value, str):
        return MASK if secret and not _ADDRESS.match(value) else _mask_text(value)
    return MASK if secret else value


def _mask_text(text: str) -> str:
    text = _USER_AND_PASSWORD.sub(rf"\1:{MASK}@", text)
    text = _TOKEN_IN_URL.sub(rf"\1{MASK}@", text)
    return _PAIR.sub(lambda found: f"{found[1]}={MASK}" if is_secret_name(found[1]) else found[0], text)


def check_secret(value: Any, *, name: str = "SECRET_KEY", where: str = "") -> None:
    """Refuse a secret that does not protect: empty, under 32 bytes, or a known sample.

    Args:
        name: The configuration key, for the message.
        where: Where it was set.

    Raises:
        SetupError: `config/weak-secret`; the value is never shown.
    """
    problem = _weakness(value)
    if problem:
        raise SetupError(
            f"{name} {problem}.",
            code="config/weak-secret",
            where=where,
            why="Who guesses it can sign sessions and tokens as anybody.",
            hint="Make one, and keep it out of the repository:\n"
            'python -c "import secrets; print(secrets.token_urlsafe(48))"',
        )


def _weakness(value: Any) -> str:
    if not isinstance(value, str | bytes):
        return f"is {type(value).__name__}, not text"
    size = len(value.encode() if isinstance(value, str) else value)
    if not size:
        return "is empty"
    if size < MIN_SECRET_BYTES:
        return f"has {size} bytes; it needs {MIN_SECRET_BYTES} or more"
    text = value if isinstance(value, str) else value.decode("latin-1")
    plain = re.sub(r"[^a-z]", "", text.casefold())
    return "is a sample that everybody knows" if any(sample in plain for sample in _SAMPLES) else ""
