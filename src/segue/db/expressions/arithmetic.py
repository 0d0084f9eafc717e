"""Arithmetic that gives the same result on every database.

Holds: how two expressions are combined, by the types of both sides.
Imports: SQLAlchemy's expression language.
Never: is loaded on a hit of the plan cache.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..types import Day, ExactDecimal, Moment, Span
from .base import ARITHMETIC, Compiling, Expression, Value

__all__ = ["as_number", "combine"]


def as_number(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a decimal column as a number that SQLite can calculate with."""
    kind = element.type
    if compiler.vendor != "sqlite" or not isinstance(kind, ExactDecimal):
        return element
    real = sa.cast(sa.type_coerce(element, sa.Text()), sa.REAL)
    return real / sa.literal_column(f"{10**kind.places}.0") if kind.scaled else real


def combine(compiler: Compiling, left: Expression, connector: str, right: Expression) -> ColumnElement[Any]:
    """Compile `left connector right`."""
    first, second = left.compile(compiler), right.compile(compiler)
    moment = _moments(compiler, first, connector, second, right)
    if moment is not None:
        return moment
    decimals = [element.type for element in (first, second) if isinstance(element.type, ExactDecimal)]
    if decimals and compiler.vendor == "sqlite":
        return _sqlite_decimals(compiler, first, connector, second)
    if connector == "**":
        return sa.func.power(first, second, type_=sa.Double())
    if connector == "bitxor":
        if compiler.vendor == "sqlite":  # which has no such operator
            return first.bitwise_or(second) - first.bitwise_and(second)
        return first.bitwise_xor(second)
    if connector == "+" and isinstance(first.type, sa.String) and isinstance(second.type, sa.String):
        return first.concat(second)
    result: ColumnElement[Any] = ARITHMETIC[connector](first, second)
    if connector == "/" and isinstance(first.type, sa.Integer) and isinstance(second.type, sa.Integer):
        # Whole numbers stay whole, as in PostgreSQL and SQLite; MySQL would make a decimal.
        result = sa.type_coerce(first, sa.Integer()).op("DIV" if compiler.vendor == "mysql" else "/")(second)
        result = sa.type_coerce(result, sa.Integer())
    if decimals:
        places = max(kind.places for kind in decimals)
        return sa.type_coerce(result, ExactDecimal(38, places))
    return result


def _sqlite_decimals(
    compiler: Compiling, first: ColumnElement[Any], connector: str, second: ColumnElement[Any]
) -> ColumnElement[Any]:
    left, right = first.type, second.type
    if connector in "+-" and isinstance(left, ExactDecimal) and isinstance(right, ExactDecimal):
        places = max(left.places, right.places)
        if left.scaled and right.scaled:
            whole = [_rescale(element, kind, places) for element, kind in ((first, left), (second, right))]
            return sa.type_coerce(ARITHMETIC[connector](*whole), ExactDecimal(18, places))
    if connector == "*" and isinstance(left, ExactDecimal) and left.scaled and isinstance(right, sa.Integer):
        return sa.type_coerce(sa.type_coerce(first, sa.BigInteger()) * second, left)
    numbers = [as_number(compiler, element) for element in (first, second)]
    return sa.type_coerce(ARITHMETIC[connector](*numbers), sa.Numeric(asdecimal=True))


def _rescale(element: ColumnElement[Any], kind: ExactDecimal, places: int) -> ColumnElement[Any]:
    plain = sa.type_coerce(element, sa.BigInteger())
    return plain if kind.places == places else plain * sa.literal_column(str(10 ** (places - kind.places)))


def _moments(
    compiler: Compiling, first: ColumnElement[Any], connector: str, second: ColumnElement[Any], right: Expression
) -> ColumnElement[Any] | None:
    """Return the result where moments or days and spans are added or taken from each other."""
    if connector not in "+-":
        return None
    left_is, right_is = isinstance(first.type, Moment | Day), isinstance(second.type, Moment | Day)
    if left_is and right_is:
        return sa.type_coerce(_difference(compiler.vendor, first, second), Span())
    if left_is and isinstance(second.type, Span):
        moved = _moved(compiler.vendor, first, connector, second)
        only_days = isinstance(right, Value) and isinstance(right.value, timedelta) and not right.value % timedelta(1)
        keeps_day = isinstance(first.type, Day) and only_days
        return sa.type_coerce(moved, Day() if keeps_day else Moment())
    if right_is and isinstance(first.type, Span) and connector == "+":
        return sa.type_coerce(_moved(compiler.vendor, second, "+", first), Moment())
    if isinstance(first.type, Span) and isinstance(second.type, Span):
        plain = [sa.type_coerce(element, sa.BigInteger()) for element in (first, second)]
        return sa.type_coerce(ARITHMETIC[connector](*plain), Span())
    return None


def _difference(vendor: str, first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[Any]:
    if vendor == "postgresql":
        apart = sa.cast(first, sa.TIMESTAMP(timezone=True)) - sa.cast(second, sa.TIMESTAMP(timezone=True))
        return sa.cast(sa.extract("epoch", apart) * sa.literal_column("1000000"), sa.BigInteger())
    if vendor == "mysql":
        return sa.func.timestampdiff(sa.literal_column("MICROSECOND"), second, first)
    return sa.func.segue_difference(first, second)


def _moved(vendor: str, moment: ColumnElement[Any], connector: str, span: ColumnElement[Any]) -> ColumnElement[Any]:
    amount: ColumnElement[Any] = sa.type_coerce(span, sa.BigInteger())
    if connector == "-":
        amount = -amount
    if vendor == "postgresql":
        return moment + amount * sa.literal_column("INTERVAL '1 microsecond'")
    if vendor == "mysql":
        return sa.func.timestampadd(sa.literal_column("MICROSECOND"), amount, moment)
    return sa.func.segue_moved(moment, amount)
