"""Types of what a database computes, where it is not said by a column.

Holds: whole numbers, real numbers, decimals, whatever the driver gives them as; what is one;
reading an expression as another type; constants.
Imports: SQLAlchemy's types.
Never: declares a column.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter, ColumnElement, Grouping
from sqlalchemy.types import TypeDecorator

__all__ = ["AnyDecimal", "Real", "Whole", "constant", "is_real", "is_whole", "taken_as"]


def constant(sql: str) -> ColumnElement[Any]:
    """Return SQL that stands in a statement as it is: written in this package, never made of a value."""
    return sa.literal_column(sql)


class _Result(TypeDecorator[Any]):
    """A type that reads results by one function, and binds values as they are."""

    impl: Any = sa.BigInteger
    cache_ok: bool | None = True
    read: Callable[[Any], Any]

    def bind_processor(self, dialect: Any) -> Any:
        return None

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        return type(self).read


class Whole(_Result):
    """A whole number: a sum is a decimal on PostgreSQL and MySQL."""

    impl = sa.BigInteger
    cache_ok: bool | None = True

    @staticmethod
    def read(value: Any) -> int | None:
        """Return it as an `int`."""
        return None if value is None else int(value)


class Real(_Result):
    """A number of double precision."""

    impl = sa.Double
    cache_ok: bool | None = True

    @staticmethod
    def read(value: Any) -> float | None:
        """Return it as a `float`."""
        return None if value is None else float(value)


class AnyDecimal(_Result):
    """A decimal of any digits; SQLite calculates it as a real number."""

    impl = sa.Numeric
    cache_ok: bool | None = True

    @staticmethod
    def read(value: Any) -> Decimal | None:
        """Return it as a `Decimal`."""
        return None if value is None else Decimal(str(value))


def is_whole(kind: Any) -> bool:
    """Tell whether values of a type are whole numbers."""
    return isinstance(kind, sa.Integer | Whole)


def is_real(kind: Any) -> bool:
    """Tell whether values of a type are numbers of double precision."""
    return isinstance(kind, sa.Float | Real) and not isinstance(kind, Whole)


def taken_as(element: ColumnElement[Any], kind: Any) -> ColumnElement[Any]:
    """Return *element* read as another type; a parameter is still bound as its own."""
    # SQLAlchemy's type_coerce() would bind a parameter as the new type too.
    inner = Grouping(element) if isinstance(element, BindParameter) else element
    return sa.type_coerce(inner, kind)
