"""Numbers.

Holds: rounding, roots, logarithms, angles, random numbers.
Imports: the parts of `base`.
Never: pastes a user's word into SQL.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..base import Compiling, Func

__all__ = ["Random"]


class Random(Func):
    """A random number from 0 to 1."""

    def __init__(self) -> None:
        super().__init__()

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        name = "rand" if compiler.vendor == "mysql" else "random"
        return getattr(sa.func, name)(type_=sa.Double())  # type: ignore[no-any-return]  # sa.func is open
