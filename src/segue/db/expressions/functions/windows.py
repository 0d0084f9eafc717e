"""Functions of windows: `Window(Rank(), order_by="-year")`.

Holds: numbers, ranks, and the values of neighbouring rows.
Imports: the parts of `base`.
Never: stands outside a `Window`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ...errors import QueryError
from ..arithmetic import alike
from ..base import Compiling, Func, Value, as_expression
from ..kinds import Real, constant, taken_as

__all__ = [
    "CumeDist",
    "DenseRank",
    "FirstValue",
    "Lag",
    "LastValue",
    "Lead",
    "NthValue",
    "Ntile",
    "PercentRank",
    "Rank",
    "RowNumber",
]

Over = Callable[[ColumnElement[Any]], ColumnElement[Any]]


class WindowFunction(Func):
    """A function that only a `Window` can hold."""

    name: ClassVar[str] = ""
    gives: ClassVar[Any] = sa.BigInteger()

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        raise QueryError(
            f"{type(self).__name__}() stands outside a Window.",
            code="data/window",
            hint=f'Window({type(self).__name__}(…), order_by="year")',
        )

    def windowed(self, compiler: Compiling, over: Over) -> ColumnElement[Any]:
        """Return the function over its window."""
        return taken_as(over(getattr(sa.func, self.name)(*self.arguments(compiler))), self.gives)


class _Plain(WindowFunction):
    def __init__(self) -> None:
        super().__init__()


class RowNumber(_Plain):
    """The number of the row, from 1."""

    name = "row_number"


class Rank(_Plain):
    """The rank of the row: equal ones share it, and the next ones are skipped."""

    name = "rank"


class DenseRank(_Plain):
    """The rank of the row, none skipped."""

    name = "dense_rank"


class PercentRank(_Plain):
    """The rank as a number from 0 to 1."""

    name = "percent_rank"
    gives: ClassVar[Any] = Real()


class CumeDist(_Plain):
    """The part of the rows that are not behind this one."""

    name = "cume_dist"
    gives: ClassVar[Any] = Real()


def _count(what: str, number: Any, least: int) -> Any:
    if type(number) is not int or number < least:
        raise QueryError(f"{what} is a whole number of {least} or more.", code="data/argument", hint=f"{what}={least}")
    return Value(number)


class Ntile(WindowFunction):
    """The number of the bucket, when the rows are dealt into so many."""

    name = "ntile"

    def __init__(self, num_buckets: int = 1) -> None:
        super().__init__(_count("num_buckets", num_buckets, 1))


class _OfRow(WindowFunction):
    """A value of another row."""

    def windowed(self, compiler: Compiling, over: Over) -> ColumnElement[Any]:
        arguments = self.arguments(compiler)
        kind = arguments[0].type
        return self.typed(taken_as(over(getattr(sa.func, self.name)(*arguments)), kind))


class FirstValue(_OfRow):
    """The value of the first row of the frame."""

    name = "first_value"

    def __init__(self, expression: Any, *, output_field: Any = None) -> None:
        super().__init__(expression, output_field=output_field)


class LastValue(FirstValue):
    """The value of the last row of the frame: of this one, unless `frame=` says more."""

    name = "last_value"


class NthValue(_OfRow):
    """The value of the nth row of the frame."""

    name = "nth_value"

    def __init__(self, expression: Any, nth: int = 1, *, output_field: Any = None) -> None:
        super().__init__(expression, _count("nth", nth, 1), output_field=output_field)


class Lag(_OfRow):
    """The value of a row before this one.

    Args:
        offset: How many rows before.
        default: What the first rows have; NULL without it.
    """

    name = "lag"

    def __init__(self, expression: Any, offset: int = 1, default: Any = None, *, output_field: Any = None) -> None:
        super().__init__(expression, _count("offset", offset, 1), output_field=output_field)
        self.default: Any = None if default is None else as_expression(default)

    def children(self) -> tuple[Any, ...]:
        return (*self.expressions, *(() if self.default is None else (self.default,)))

    def facts(self) -> Hashable:
        return super().facts(), self.default is None

    def windowed(self, compiler: Compiling, over: Over) -> ColumnElement[Any]:
        value, offset = self.arguments(compiler)
        call = getattr(sa.func, self.name)
        if self.default is None:
            return self.typed(taken_as(over(call(value, offset)), value.type))
        (value, default), kind = alike(
            compiler, [value, self.default.compile(compiler)], (self.expressions[0], self.default)
        )
        if compiler.vendor != "mysql":
            return self.typed(taken_as(over(call(value, offset, default)), kind))
        # MariaDB takes no default here: a row that has no such neighbour is told by a constant's NULL.
        there = over(call(constant("1"), offset))
        found = sa.case((there.is_(None), default), else_=over(call(value, offset)))
        return self.typed(taken_as(found, kind))


class Lead(Lag):
    """The value of a row after this one."""

    name = "lead"
