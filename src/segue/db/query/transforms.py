"""What a look-up may do to a column before it compares.

Holds: parts of dates, cases and lengths of text; by name, each with what comes out.
Imports: fields, SQLAlchemy's expression language.
Never: takes a part's name from a user into SQL: the names are those of this table.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..expressions.base import Compiling
from ..expressions.parts import PARTS, extract
from ..fields.base import Field
from ..fields.numbers import BigIntegerField, IntegerField
from ..fields.special import ArrayField
from ..fields.text import TextField
from ..fields.times import DateField, DateTimeField, TimeField
from ..types import Day, Moment, TimeOfDay

__all__ = ["TRANSFORMS", "Transform"]

Build = Callable[[Compiling, ColumnElement[Any]], ColumnElement[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Transform:
    """One step from a column to what is compared.

    Attributes:
        name: As it stands in a look-up.
        sources: The kinds of field it can start from.
        output: What comes out.
        build: Makes the Core expression.
    """

    name: str
    sources: tuple[type[Field[Any]], ...]
    output: Field[Any]
    build: Build


def _part(name: str) -> Build:
    return lambda compiler, element: extract(compiler, name, element)


def _as_date(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if compiler.vendor == "sqlite":
        return sa.type_coerce(sa.func.date(sa.type_coerce(element, sa.Text())), Day())
    if compiler.vendor == "postgresql" and isinstance(element.type, Moment):
        element = sa.func.timezone(sa.literal_column("'UTC'"), element)
    return sa.type_coerce(sa.cast(element, sa.Date), Day())


def _as_time(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if compiler.vendor == "sqlite":
        return sa.type_coerce(sa.func.substr(sa.type_coerce(element, sa.Text()), sa.literal_column("12")), TimeOfDay())
    if compiler.vendor == "postgresql":
        element = sa.func.timezone(sa.literal_column("'UTC'"), element)
        return sa.type_coerce(sa.cast(element, sa.Time), TimeOfDay())
    from sqlalchemy.dialects import mysql

    return sa.type_coerce(sa.cast(element, mysql.TIME(fsp=6)), TimeOfDay())


def _case(name: str) -> Build:
    # SQLite's own know ASCII alone.
    def build(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
        own = f"segue_{name}" if compiler.vendor == "sqlite" else name
        return getattr(sa.func, own)(element, type_=sa.Text())  # type: ignore[no-any-return]  # sa.func is open

    return build


def _trim(_: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    return sa.func.trim(element, type_=sa.Text())


def _length(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    name = "length" if compiler.vendor == "sqlite" else "char_length"
    return getattr(sa.func, name)(element, type_=sa.Integer())  # type: ignore[no-any-return]  # sa.func is open


def array_length(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return how many items an array has; 0 for an empty one."""
    if compiler.vendor == "postgresql":
        return sa.func.cardinality(element, type_=sa.Integer())
    name = "json_length" if compiler.vendor == "mysql" else "json_array_length"
    return getattr(sa.func, name)(sa.type_coerce(element, sa.Text()), type_=sa.Integer())  # type: ignore[no-any-return]  # sa.func is open


_DATES = (DateField, DateTimeField)
_CLOCKS = (DateTimeField, TimeField)

TRANSFORMS: dict[str, Transform] = {
    each.name: each
    for each in (
        *[
            Transform(name, _CLOCKS if name in ("hour", "minute", "second") else _DATES, IntegerField(), _part(name))
            for name in sorted(PARTS)
        ],
        Transform("date", (DateTimeField,), DateField(), _as_date),
        Transform("time", (DateTimeField,), TimeField(), _as_time),
        Transform("lower", (Field,), TextField(), _case("lower")),
        Transform("upper", (Field,), TextField(), _case("upper")),
        Transform("trim", (Field,), TextField(), _trim),
        Transform("length", (Field,), BigIntegerField(), _length),
        Transform("len", (ArrayField,), IntegerField(), array_length),
    )
}
