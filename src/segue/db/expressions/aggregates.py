"""Functions that sum rows up.

Holds: `Count`, `Sum`, `Avg`, `Min`, `Max`, deviations, joined text.
Imports: the parts of `base`.
Never: decides what is grouped; the compiler does.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..errors import QueryError
from ..types import ExactDecimal, Span
from .arithmetic import alike, as_number
from .base import Compiling, Expression, F, Func, OrderBy, Value, as_expression
from .kinds import AnyDecimal, Real, Whole, is_whole, taken_as
from .q import Q

__all__ = ["Aggregate", "Avg", "Count", "Max", "Min", "StdDev", "StringAgg", "Sum", "Variance"]


class Aggregate(Func):
    """A function over the rows of a group.

    Args:
        expression: What is summed up: a name, `"*"` for rows, or an expression.
        filter: Counts only the rows that fit this `Q`.
        distinct: Counts equal values once.
        default: What an empty group gives instead of `None`.
    """

    is_aggregate: ClassVar[bool] = True
    allows_distinct: ClassVar[bool] = True
    # Multiplied rows do not change what it says.
    ignores_repeats: ClassVar[bool] = False

    def __init__(
        self,
        expression: Any,
        *further: Any,
        filter: Q | None = None,  # noqa: A002  # Django's name
        distinct: bool = False,
        default: Any = None,
        output_field: Any = None,
        order_by: Any = (),
    ) -> None:
        super().__init__(expression, *further, output_field=output_field)
        if distinct and not self.allows_distinct:
            raise QueryError(f"{type(self).__name__} takes no distinct=.", code="data/argument", hint="Leave it out.")
        # A Q until a query resolves it.
        self.filter: Any = filter
        self.distinct = distinct
        self.default: Expression | None = None if default is None else as_expression(default)
        orders = (order_by,) if isinstance(order_by, str | Expression) else order_by
        self.order_by: tuple[OrderBy, ...] = tuple(_as_order(each) for each in orders)

    def children(self) -> tuple[Expression, ...]:
        further = [each for each in (self.default, self.filter) if isinstance(each, Expression)]
        return (*self.expressions, *self.order_by, *further)

    @property
    def default_name(self) -> str:
        """What `annotate(Count("records"))` calls it: `records__count`."""
        first = self.expressions[0] if self.expressions else None
        if not isinstance(first, F) or len(self.expressions) > 1:
            raise QueryError(
                f"{self!r} needs a name.", code="data/alias", hint=f"annotate(total={type(self).__name__}(…))"
            )
        return f"{first.name}__{type(self).__name__.lower()}"

    def facts(self) -> Hashable:
        return (*super().facts(), self.distinct, self.filter is None, len(self.expressions), len(self.order_by))  # type: ignore[misc]  # a tuple

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        arguments = self.arguments(compiler)
        if self.filter is not None:
            arguments[0] = self.filtered(compiler, arguments[0], compiler.condition(self.filter))
        if self.distinct:
            arguments[0] = self.made_distinct(arguments[0])
        result = self.build(compiler, *arguments)
        if self.default is not None:
            both, kind = alike(compiler, [result, self.default.compile(compiler)])
            result = taken_as(sa.func.coalesce(*both), kind)
        return self.typed(result)

    def made_distinct(self, argument: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return *argument* so that equal values count once."""
        return argument.distinct()

    def filtered(
        self, compiler: Compiling, argument: ColumnElement[Any], condition: ColumnElement[bool]
    ) -> ColumnElement[Any]:
        """Return *argument* where the filter holds, NULL elsewhere: every aggregate skips NULL."""
        return sa.case((condition, argument), else_=None)


def _as_order(thing: Any) -> OrderBy:
    if isinstance(thing, OrderBy):
        return thing
    if isinstance(thing, str):
        return OrderBy(F(thing.removeprefix("-")), descending=thing.startswith("-"))
    return OrderBy(thing)


class Count(Aggregate):
    """How many rows have a value; `Count("*")` counts rows."""

    function = "count"

    def __init__(self, expression: Any = "*", **options: Any) -> None:
        self.of_rows: bool = expression == "*" if isinstance(expression, str) else False
        super().__init__(Value(1) if self.of_rows else expression, **options)

    @property
    def default_name(self) -> str:
        if self.of_rows:
            raise QueryError('Count("*") needs a name.', code="data/alias", hint='annotate(total=Count("*"))')
        return super().default_name

    def arguments(self, compiler: Compiling) -> list[ColumnElement[Any]]:
        first = self.expressions[0]
        parts = compiler.parts(first.name) if self.distinct and isinstance(first, F) else []
        return [_as_one(compiler.vendor, parts)] if len(parts) > 1 else super().arguments(compiler)

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        if self.of_rows and self.filter is None:
            return sa.func.count(type_=sa.BigInteger())
        return sa.func.count(arguments[0], type_=sa.BigInteger())


def _as_one(vendor: str, parts: list[ColumnElement[Any]]) -> ColumnElement[Any]:
    """Return a key of several columns as one value that is equal for equal keys, and NULL where a part is."""
    if vendor == "postgresql":
        whole: Any = sa.tuple_(*parts)
    else:
        texts: list[Any] = [sa.func.quote(parts[0])]
        for each in parts[1:]:
            texts += [sa.literal_column("','"), sa.func.quote(each)]
        if vendor == "mysql":
            # As bytes: it would compare by a collation that the text has from its parts.
            whole = sa.cast(sa.func.concat(*texts), sa.BINARY())
        else:
            whole = texts[0]
            for each in texts[1:]:
                whole = whole.op("||")(each)
    return sa.case((sa.and_(*[each.is_not(None) for each in parts]), whole))


class Sum(Aggregate):
    """The sum; `None` for an empty group unless `default=` says otherwise."""

    function = "sum"

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        kind = arguments[0].type
        if isinstance(kind, ExactDecimal):
            if not kind.scaled:
                return taken_as(sa.func.sum(as_number(compiler, arguments[0])), AnyDecimal())
            return taken_as(sa.func.sum(arguments[0]), ExactDecimal(18, kind.places))
        if isinstance(kind, Span):
            return taken_as(sa.func.sum(taken_as(arguments[0], sa.BigInteger())), Span())
        if is_whole(kind):
            return taken_as(sa.func.sum(arguments[0]), Whole())
        return sa.func.sum(arguments[0], type_=kind)


class _Mean(Aggregate):
    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        kind = arguments[0].type
        call = getattr(sa.func, self.function)
        if isinstance(kind, Span):
            return taken_as(call(taken_as(arguments[0], sa.BigInteger())), Span())
        if isinstance(kind, ExactDecimal):
            if compiler.vendor == "sqlite" and kind.scaled and self.function == "avg":
                return taken_as(call(taken_as(arguments[0], sa.BigInteger())), ExactDecimal(18, kind.places))
            number = as_number(compiler, arguments[0])
            return taken_as(call(number), AnyDecimal())
        return taken_as(call(arguments[0]), Real())


class Avg(_Mean):
    """The mean."""

    function = "avg"


class StdDev(_Mean):
    """The standard deviation; of a population unless `sample=True`."""

    function: str = "stddev_pop"
    allows_distinct = False

    def __init__(self, expression: Any, *, sample: bool = False, **options: Any) -> None:
        super().__init__(expression, **options)
        self.function = self.function.replace("pop", "samp") if sample else self.function


class Variance(StdDev):
    """The variance; of a population unless `sample=True`."""

    function = "var_pop"


class Max(Aggregate):
    """The largest value."""

    function = "max"
    ignores_repeats = True

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        return taken_as(getattr(sa.func, self.function)(arguments[0]), arguments[0].type)


class Min(Max):
    """The smallest value."""

    function = "min"


class StringAgg(Aggregate):
    """The values as one text.

    Args:
        delimiter: What stands between them: a value, never part of the SQL.
    """

    function = "string_agg"

    def __init__(self, expression: Any, delimiter: Any = ",", **options: Any) -> None:
        super().__init__(expression, Value(delimiter) if isinstance(delimiter, str) else delimiter, **options)

    def made_distinct(self, argument: ColumnElement[Any]) -> ColumnElement[Any]:
        return argument  # databases say it in other places

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        from .conversion import as_text
        from .joining import joined

        text, delimiter = arguments
        ordered = [(each.expression.compile(compiler), each) for each in self.order_by]
        return joined(compiler.vendor, as_text(compiler, text), delimiter, ordered, distinct=self.distinct)
