"""Comparing and converting.

Holds: `Cast`, `Coalesce`, `Greatest`, `Least`, `NullIf`.
Imports: the parts of `base`.
Never: guesses a type; `Cast` is told.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ...errors import QueryError
from ..arithmetic import alike
from ..base import Compiling, Func, column_type
from ..conversion import converted
from ..kinds import taken_as

__all__ = ["Cast", "Coalesce", "Greatest", "Least", "NullIf"]


class Cast(Func):
    """A value as another type: `Cast("year", db.FloatField())`. A half is rounded away from zero."""

    def __init__(self, expression: Any, output_field: Any) -> None:
        super().__init__(expression, output_field=output_field)

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        return converted(compiler, arguments[0], column_type(self.output_field))


class _Alike(Func):
    """A function whose arguments and result are of one type."""

    def __init__(self, *expressions: Any, output_field: Any = None) -> None:
        if len(expressions) < 2:
            raise QueryError(
                f"{type(self).__name__}() takes two or more.",
                code="data/argument",
                hint=f'{type(self).__name__}("one", "other")',
            )
        super().__init__(*expressions, output_field=output_field)

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        elements, kind = alike(compiler, list(arguments), self.expressions)
        return taken_as(self.call(compiler, elements), kind)

    def call(self, compiler: Compiling, elements: list[ColumnElement[Any]]) -> ColumnElement[Any]:
        """Return the call on arguments that are alike."""
        return getattr(sa.func, self.function)(*elements)  # type: ignore[no-any-return]  # sa.func is open


class Coalesce(_Alike):
    """The first value that is not NULL."""

    function = "coalesce"


class Greatest(_Alike):
    """The largest of the values; NULL if one is NULL, on every database."""

    names: tuple[str, ...] = ("greatest", "max")

    def call(self, compiler: Compiling, elements: list[ColumnElement[Any]]) -> ColumnElement[Any]:
        call: ColumnElement[Any] = getattr(sa.func, self.names[compiler.vendor == "sqlite"])(*elements)
        if compiler.vendor != "postgresql":
            return call
        # PostgreSQL alone skips NULLs here.
        return sa.case((sa.or_(*[each.is_(None) for each in elements]), sa.null()), else_=call)


class Least(Greatest):
    """The smallest of the values; NULL if one is NULL, on every database."""

    names: tuple[str, ...] = ("least", "min")


class NullIf(_Alike):
    """The first value, or NULL where it equals the second."""

    function = "nullif"
