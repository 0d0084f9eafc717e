"""Arithmetic that gives the same result on every database.

Holds: how two expressions are combined, by the types of both sides.
Imports: SQLAlchemy's expression language.
Never: is loaded on a hit of the plan cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter, ColumnElement

from ..types import Day, ExactDecimal, Moment, Span, TimeOfDay
from .base import ARITHMETIC, Compiling, Expression
from .kinds import AnyDecimal, Real, Whole, constant, is_real, is_whole, taken_as

__all__ = ["alike", "as_number", "combine"]


# As SQLAlchemy's own `*` and `/` have it; an operator it does not know would bind loosest.
_PRECEDENCE_OF_TIMES = 8


def as_number(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a decimal column as a number that SQLite can calculate with."""
    kind = element.type
    if compiler.vendor != "sqlite" or not isinstance(kind, ExactDecimal):
        return element
    real = sa.cast(taken_as(element, sa.Text()), sa.REAL)
    return real / constant(f"{10**kind.places}.0") if kind.scaled else real


def alike(
    compiler: Compiling, elements: Sequence[ColumnElement[Any]], nodes: Sequence[Expression] = ()
) -> tuple[list[ColumnElement[Any]], Any]:
    """Return elements that can stand beside each other (in a comparison, a CASE), and their type."""
    kinds = [element.type for element in elements if not isinstance(element.type, sa.types.NullType)]
    if not kinds:
        return list(elements), sa.types.NullType()
    decimals = [kind for kind in kinds if isinstance(kind, ExactDecimal)]
    numbers = all(
        isinstance(kind, ExactDecimal | sa.Numeric | AnyDecimal) or is_whole(kind) or is_real(kind) for kind in kinds
    )
    if not numbers and compiler.vendor == "mysql" and isinstance(kinds[0], Day | Moment | TimeOfDay):
        # A parameter is a text to it, and would make a text of all.
        return [sa.cast(each, kinds[0]) if isinstance(each, BindParameter) else each for each in elements], kinds[0]
    if len(kinds) == 1 or not numbers:
        return list(elements), kinds[0]
    if decimals and compiler.vendor == "sqlite":
        return _alike_decimals(compiler, elements, decimals)
    if any(is_real(kind) for kind in kinds):
        return list(elements), Real()
    if decimals:
        return list(elements), ExactDecimal(65, max(kind.places for kind in decimals))
    if all(is_whole(kind) for kind in kinds):
        return list(elements), kinds[0] if len({type(kind) for kind in kinds}) == 1 else Whole()
    return list(elements), AnyDecimal()


def _alike_decimals(
    compiler: Compiling, elements: Sequence[ColumnElement[Any]], decimals: list[ExactDecimal]
) -> tuple[list[ColumnElement[Any]], Any]:
    if all(isinstance(each.type, ExactDecimal | sa.types.NullType) for each in elements) and not any(
        kind.scaled for kind in decimals
    ):
        return list(elements), decimals[0]  # texts that the collation of decimals compares
    whole = all(is_whole(each.type) or isinstance(each.type, ExactDecimal | sa.types.NullType) for each in elements)
    if whole and all(kind.scaled for kind in decimals):
        places = max(kind.places for kind in decimals)
        return [_scaled(each, places) for each in elements], ExactDecimal(18, places)
    return [as_number(compiler, each) for each in elements], AnyDecimal()


def _scaled(element: ColumnElement[Any], places: int) -> ColumnElement[Any]:
    """Return a scaled decimal or whole number as an integer of so many places."""
    kind = element.type
    if isinstance(kind, sa.types.NullType):
        return element
    here = kind.places if isinstance(kind, ExactDecimal) else 0
    plain = taken_as(element, sa.BigInteger())
    return plain if here == places else plain * constant(str(10 ** (places - here)))


def combine(compiler: Compiling, left: Expression, connector: str, right: Expression) -> ColumnElement[Any]:
    """Compile `left connector right`."""
    first, second = left.compile(compiler), right.compile(compiler)
    moment = _moments(compiler, first, connector, second)
    if moment is not None:
        return moment
    if connector == "**":
        from .functions.maths import Power

        return Power(left, right).compile(compiler)
    decimals = [element.type for element in (first, second) if isinstance(element.type, ExactDecimal)]
    if decimals and compiler.vendor == "sqlite":
        return _sqlite_decimals(compiler, first, connector, second)
    if connector == "bitxor":
        if compiler.vendor == "sqlite":  # which has no such operator
            return first.bitwise_or(second) - first.bitwise_and(second)
        return first.bitwise_xor(second)
    if connector == "+" and isinstance(first.type, sa.String) and isinstance(second.type, sa.String):
        return first.concat(second)
    if connector == "/" and is_whole(first.type) and is_whole(second.type):
        # Whole numbers stay whole, as in PostgreSQL and SQLite; MySQL would make a decimal.
        if compiler.vendor == "postgresql":
            first, second = (sa.cast(each, sa.BigInteger()) for each in (first, second))
        first, second = (taken_as(each, sa.BigInteger()) for each in (first, second))
        divide = "DIV" if compiler.vendor == "mysql" else "/"
        return taken_as(first.op(divide, precedence=_PRECEDENCE_OF_TIMES)(second), Whole())
    plain = [taken_as(each, sa.Numeric()) if isinstance(each.type, ExactDecimal) else each for each in (first, second)]
    result: ColumnElement[Any] = ARITHMETIC[connector](*plain)
    if any(is_real(element.type) for element in (first, second)):
        return taken_as(result, Real())
    if is_whole(first.type) and is_whole(second.type):
        return taken_as(result, Whole())
    if decimals:
        places = max(kind.places for kind in decimals)
        return taken_as(result, AnyDecimal() if connector == "/" else ExactDecimal(65, places))
    return result


def _sqlite_decimals(
    compiler: Compiling, first: ColumnElement[Any], connector: str, second: ColumnElement[Any]
) -> ColumnElement[Any]:
    left, right = first.type, second.type
    exact = all(is_whole(kind) or (isinstance(kind, ExactDecimal) and kind.scaled) for kind in (left, right))
    if exact and connector in "+-*":
        here, there = (kind.places if isinstance(kind, ExactDecimal) else 0 for kind in (left, right))
        if connector == "*":
            both = [taken_as(each, sa.BigInteger()) for each in (first, second)]
            return taken_as(both[0] * both[1], ExactDecimal(18, here + there))
        places = max(here, there)
        whole = [_scaled(each, places) for each in (first, second)]
        return taken_as(ARITHMETIC[connector](*whole), ExactDecimal(18, places))
    numbers = [as_number(compiler, element) for element in (first, second)]
    return taken_as(ARITHMETIC[connector](*numbers), AnyDecimal())


def _moments(
    compiler: Compiling, first: ColumnElement[Any], connector: str, second: ColumnElement[Any]
) -> ColumnElement[Any] | None:
    """Return the result where moments or days and spans are added or taken from each other."""
    if connector not in "+-":
        return None
    left_is, right_is = isinstance(first.type, Moment | Day), isinstance(second.type, Moment | Day)
    if left_is and right_is:
        return taken_as(_difference(compiler.vendor, first, second), Span())
    if left_is and isinstance(second.type, Span):
        # Of a day too: whether a span is whole days is its value, which a plan does not know.
        return taken_as(_moved(compiler.vendor, first, connector, second), Moment())
    if right_is and isinstance(first.type, Span) and connector == "+":
        return taken_as(_moved(compiler.vendor, second, "+", first), Moment())
    if isinstance(first.type, Span) and isinstance(second.type, Span):
        plain = [taken_as(element, sa.BigInteger()) for element in (first, second)]
        return taken_as(ARITHMETIC[connector](*plain), Span())
    return None


def _difference(vendor: str, first: ColumnElement[Any], second: ColumnElement[Any]) -> ColumnElement[Any]:
    if vendor == "postgresql":
        apart = sa.cast(first, sa.TIMESTAMP(timezone=True)) - sa.cast(second, sa.TIMESTAMP(timezone=True))
        return sa.cast(sa.extract("epoch", apart) * constant("1000000"), sa.BigInteger())
    if vendor == "mysql":
        return sa.func.timestampdiff(constant("MICROSECOND"), second, first)
    return sa.func.segue_difference(first, second)


def _moved(vendor: str, moment: ColumnElement[Any], connector: str, span: ColumnElement[Any]) -> ColumnElement[Any]:
    amount: ColumnElement[Any] = taken_as(span, sa.BigInteger())
    if connector == "-":
        amount = -amount
    if vendor == "postgresql":
        return moment + amount * constant("INTERVAL '1 microsecond'")
    if vendor == "mysql":
        return sa.func.timestampadd(constant("MICROSECOND"), amount, moment)
    return sa.func.segue_moved(moment, amount)
