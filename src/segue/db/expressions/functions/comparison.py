"""Comparing and converting.

Holds: `Cast`, `Coalesce`, `Greatest`, `Least`, `NullIf`.
Imports: the parts of `base`.
Never: guesses a type; `Cast` is told.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..base import Compiling, Func, column_type

__all__ = ["Cast", "Coalesce", "Greatest", "Least", "NullIf"]


class Cast(Func):
    """A value as another type: `Cast("year", db.FloatField())`."""

    def __init__(self, expression: Any, output_field: Any) -> None:
        super().__init__(expression, output_field=output_field)

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        from ..arithmetic import as_number

        kind = column_type(self.output_field)
        return sa.cast(as_number(compiler, arguments[0]), kind)


class Coalesce(Func):
    """The first value that is not NULL."""

    function = "coalesce"

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        return sa.func.coalesce(*arguments, type_=_first_type(arguments))


class Greatest(Func):
    """The largest of the values; NULL if one is NULL, on every database."""

    names = ("greatest", "max")

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        kind = _first_type(arguments)
        name = self.names[compiler.vendor == "sqlite"]
        call: ColumnElement[Any] = getattr(sa.func, name)(*arguments, type_=kind)
        if compiler.vendor != "postgresql":
            return call
        # PostgreSQL alone skips NULLs here.
        return sa.case((sa.or_(*[each.is_(None) for each in arguments]), sa.null()), else_=call)


class Least(Greatest):
    """The smallest of the values; NULL if one is NULL, on every database."""

    names = ("least", "min")


class NullIf(Func):
    """The first value, or NULL where it equals the second."""

    function = "nullif"


def _first_type(arguments: tuple[ColumnElement[Any], ...]) -> Any:
    for each in arguments:
        if not isinstance(each.type, sa.types.NullType):
            return each.type
    return None
