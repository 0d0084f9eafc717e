"""Making and checking stored passwords, in both colours.

A wrong password costs the same whether there is a user, whether they have a usable
password, and whether it is stored as it would be today: else the time would tell.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from functools import lru_cache
from inspect import isawaitable
from time import perf_counter
from typing import Any

from ...colours import Operation, either
from .formats import find_format
from .octets import octets
from .pool import pool
from .strength import Strength, current_strength

__all__ = [
    "acheck_password",
    "amake_password",
    "check_password",
    "checking_password",
    "is_password_usable",
    "make_password",
    "making_password",
    "needs_rehash",
]

_UNUSABLE = "!"
_OURS = re.compile(r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,4}),p=(\d{1,3})\$")


def make_password(password: str | None) -> str:
    """Return *password* as it is stored; of `None` one that nobody has.

    Raises:
        PasswordTooLong: It has over 4,096 bytes.
        ServiceUnavailable: Too many are hashed at once.
    """
    if password is None:
        return _unusable()
    return pool.run(_encoding(password))


async def amake_password(password: str | None) -> str:
    """Return *password* as it is stored; the loop goes on meanwhile. Else as `make_password`."""
    if password is None:
        return _unusable()
    return await pool.arun(_encoding(password))


def check_password(password: str | None, encoded: str | None, setter: Callable[[str], Any] | None = None) -> bool:
    """Return whether *password* is the one stored as *encoded*.

    Args:
        encoded: `None` where there is no such user: it costs as much, and is `False`.
        setter: Called with the password where it is right and should be stored anew.

    Raises:
        PasswordTooLong: It has over 4,096 bytes.
        ServiceUnavailable: Too many are hashed at once.
    """
    strength = current_strength()
    is_right = pool.run(_verifying(password, encoded, strength)) and password is not None
    if is_right and setter is not None and password is not None and _is_outdated(encoded, strength):
        setter(password)
    return is_right


async def acheck_password(
    password: str | None, encoded: str | None, setter: Callable[[str], Awaitable[Any] | Any] | None = None
) -> bool:
    """Return whether *password* is the one stored as *encoded*; the loop goes on meanwhile.

    Args:
        setter: A `def` or an `async def` function. Else as for `check_password`.
    """
    strength = current_strength()
    is_right = await pool.arun(_verifying(password, encoded, strength)) and password is not None
    if is_right and setter is not None and password is not None and _is_outdated(encoded, strength):
        done = setter(password)
        if isawaitable(done):
            await done
    return is_right


def making_password(password: str | None) -> Operation[str]:
    """`make_password()` as steps."""
    return (yield from either(lambda: make_password(password), lambda: amake_password(password)))


def checking_password(password: str | None, encoded: str | None) -> Operation[bool]:
    """`check_password()` as steps."""
    return (yield from either(lambda: check_password(password, encoded), lambda: acheck_password(password, encoded)))


def needs_rehash(encoded: str) -> bool:
    """Return whether a password stored as *encoded* should be stored anew at the next login."""
    return _is_outdated(encoded, current_strength())


def is_password_usable(encoded: str | None) -> bool:
    """Return whether somebody can log in with a password stored as *encoded*."""
    return encoded is not None and not encoded.startswith(_UNUSABLE)


def _unusable() -> str:
    # Random, so that a token bound to the stored password changes when one is taken away again.
    return _UNUSABLE + secrets.token_urlsafe(30)


# What waits is a closure: arguments of the pool would be locals of its frames, which a debug page shows.


def _encoding(password: str) -> Callable[[], str]:
    password_octets, strength = octets(password), current_strength()
    return lambda: _encode(password_octets, strength)


def _verifying(password: str | None, encoded: str | None, strength: Strength) -> Callable[[], bool]:
    password_octets = octets(password or "")
    return lambda: _verify(password_octets, encoded, strength)


def _encode(password: bytes, strength: Strength) -> str:
    from argon2.low_level import Type, hash_secret

    return hash_secret(
        password,
        secrets.token_bytes(16),
        time_cost=strength.passes,
        memory_cost=strength.memory_kib,
        parallelism=strength.lanes,
        hash_len=32,
        type=Type.ID,
    ).decode("ascii")


def _verify(password: bytes, encoded: str | None, strength: Strength) -> bool:
    verify = find_format(encoded) if encoded is not None and is_password_usable(encoded) else None
    if encoded is None or verify is None:
        _encode(password, strength)
        return False
    if not _is_outdated(encoded, strength):
        return verify(password, encoded)
    start = perf_counter()
    is_right = verify(password, encoded)
    _spend_the_rest(perf_counter() - start, strength)
    return is_right


def _spend_the_rest(spent_seconds: float, strength: Strength) -> None:
    """Work as long as today's hash takes, after one that took less."""
    left = 1 - spent_seconds / _cost_seconds(strength)
    memory = int(strength.work * left)
    if memory >= 8 * strength.lanes:
        _encode(b"", Strength(memory, 1, strength.lanes))


@lru_cache(maxsize=8)
def _cost_seconds(strength: Strength) -> float:
    """The time of one hash here; the shortest of three, so that a busy moment does not count."""
    times: list[float] = []
    for _ in range(3):
        start = perf_counter()
        _encode(b"", strength)
        times.append(perf_counter() - start)
    return min(times)


def _is_outdated(encoded: str | None, strength: Strength) -> bool:
    found = _OURS.match(encoded or "")
    if found is None:
        return True
    memory, passes, lanes = (int(each) for each in found.groups())
    return memory < strength.memory_kib or passes < strength.passes or lanes != strength.lanes
