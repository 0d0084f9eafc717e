"""Trying again where two transactions met.

Holds: `retried`.
Imports: steps, errors.
Never: tries again inside a transaction of the caller: what was done before would be lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..errors import SerializationError
from ..steps import Operation, Transaction

__all__ = ["retried"]

T = TypeVar("T")

# Deadlocks of a few callers on one row; each retry lets one of them through.
_TIMES = 8


def retried(database: Any, begin: Callable[[], Operation[T]], *, savepoint: bool = True) -> Operation[T]:
    """Drive an operation in a transaction of its own, and anew where that was refused for another's sake.

    Args:
        begin: Makes the operation, each time from its beginning.

    Raises:
        SerializationError: It met others every time, or the caller has a transaction open.
    """
    left = 0 if database.in_atomic else _TIMES
    while True:
        try:
            return (yield Transaction(begin(), savepoint=savepoint))  # type: ignore[no-any-return]  # the step's result
        except SerializationError:
            if not left:
                raise
            left -= 1
