"""Looking at neighbouring rows.

Holds: `Window` and its frames.
Imports: the parts of `base`.
Never: filters; a window is computed after WHERE.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement, TypeCoerce

from ..errors import QueryError
from .base import Compiling, Expression, F, OrderBy, as_expression, output_facts
from .kinds import taken_as

__all__ = ["RowRange", "ValueRange", "Window"]


class _Frame:
    """Which rows around this one are looked at; `None` is without end."""

    kind = ""

    def __init__(self, start: int | None = None, end: int | None = None) -> None:
        for name, bound in (("start", start), ("end", end)):
            if bound is not None and type(bound) is not int:
                raise QueryError(
                    f"{type(self).__name__}({name}=) takes a whole number or None.",
                    code="data/argument",
                    hint=f"{type(self).__name__}(-1, 0)",
                )
        self.start = start
        self.end = end


class RowRange(_Frame):
    """A frame counted in rows: `RowRange(start=-2, end=0)`."""

    kind = "rows"


class ValueRange(_Frame):
    """A frame counted in the value that orders it."""

    kind = "range_"


class Window(Expression):
    """A function over the rows around this one.

    Args:
        expression: An aggregate, or `RowNumber()`, `Rank()`, `Lag("year")` …
        partition_by: Names or expressions that part the rows.
        order_by: Names (`-year`) or expressions.
        frame: `RowRange` or `ValueRange`.
    """

    is_window: ClassVar[bool] = True

    def __init__(
        self,
        expression: Expression,
        *,
        partition_by: Any = (),
        order_by: Any = (),
        frame: _Frame | None = None,
        output_field: Any = None,
    ) -> None:
        self.expression = expression
        self.partition_by: tuple[Expression, ...] = tuple(
            F(each) if isinstance(each, str) else as_expression(each) for each in _several(partition_by)
        )
        self.order_by: tuple[OrderBy, ...] = tuple(_order(each) for each in _several(order_by))
        self.frame = frame
        self.output_field = output_field

    def __repr__(self) -> str:
        return f"Window({self.expression!r})"

    def children(self) -> tuple[Expression, ...]:
        return (self.expression, *self.partition_by, *self.order_by)

    def facts(self) -> Hashable:
        frame = self.frame
        framed = None if frame is None else (frame.kind, frame.start, frame.end)
        return framed, len(self.partition_by), output_facts(self.output_field)

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        options: dict[str, Any] = {}
        if self.frame is not None:
            options[self.frame.kind] = (self.frame.start, self.frame.end)
        partition = [each.compile(compiler) for each in self.partition_by]
        ordered = [part for each in self.order_by for part in each.compile_all(compiler)]

        def over(call: Any) -> ColumnElement[Any]:
            return sa.over(call, partition_by=partition or None, order_by=ordered or None, **options)

        windowed = getattr(self.expression, "windowed", None)
        if windowed is not None:
            return self.typed(windowed(compiler, over))
        inner: Any = self.expression.compile(compiler)
        kind = inner.type
        while isinstance(inner, TypeCoerce):
            inner = cast("Any", inner).clause
        return self.typed(taken_as(over(inner), kind))


def _several(thing: Any) -> Any:
    return cast("Any", thing) if isinstance(thing, list | tuple) else (thing,)


def _order(thing: Any) -> OrderBy:
    if isinstance(thing, OrderBy):
        return thing
    if isinstance(thing, str):
        return OrderBy(F(thing.removeprefix("-")), descending=thing.startswith("-"))
    return OrderBy(thing)
