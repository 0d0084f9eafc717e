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
from ..fields.base import Field
from ..fields.numbers import BigIntegerField, IntegerField
from ..fields.text import TextField
from ..fields.times import DateField, DateTimeField, TimeField
from ..types import Day, Moment, TimeOfDay

__all__ = ["TRANSFORMS", "Transform", "extract"]

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


# SQLAlchemy pastes the part into the SQL as it stands, so it must be one of these.
_PARTS = frozenset(
    {
        "year",
        "iso_year",
        "quarter",
        "month",
        "week",
        "day",
        "week_day",
        "iso_week_day",
        "hour",
        "minute",
        "second",
    }
)
_STRFTIME = {"year": "%Y", "month": "%m", "day": "%d", "hour": "%H", "minute": "%M", "second": "%S"}


def extract(compiler: Compiling, part: str, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return one part of a date or time as a whole number.

    Args:
        part: A name that Django's look-ups have; weeks are those of ISO 8601, `week_day`
            counts from Sunday (1), `iso_week_day` from Monday (1).

    Raises:
        ValueError: The part is none of these.
    """
    if part not in _PARTS:
        raise ValueError(f"{part[:80]!r} is no part of a date")
    build = {"sqlite": _sqlite_part, "postgresql": _postgresql_part, "mysql": _mysql_part}[compiler.vendor]
    return sa.type_coerce(build(part, element), sa.Integer())


def _sqlite_part(part: str, element: ColumnElement[Any]) -> ColumnElement[Any]:
    plain = sa.type_coerce(element, sa.Text())
    if part in _STRFTIME:
        return sa.cast(sa.func.strftime(sa.literal_column(f"'{_STRFTIME[part]}'"), plain), sa.Integer)
    if part == "quarter":
        return (_sqlite_part("month", element) + sa.literal_column("2")) // sa.literal_column("3")
    if part in ("week_day", "iso_week_day"):
        day = sa.cast(sa.func.strftime(sa.literal_column("'%w'"), plain), sa.Integer)
        one: Any = sa.literal_column("1")
        return day + one if part == "week_day" else (day + sa.literal_column("6")) % sa.literal_column("7") + one  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model
    return sa.func.segue_iso(sa.literal_column(f"'{part}'"), plain)


def _postgresql_part(part: str, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(element.type, Moment):
        element = sa.func.timezone(sa.literal_column("'UTC'"), element)
    name = {"iso_year": "isoyear", "week_day": "dow", "iso_week_day": "isodow"}.get(part, part)
    found = sa.cast(sa.func.floor(sa.extract(name, element)), sa.Integer)
    return found + sa.literal_column("1") if part == "week_day" else found


def _mysql_part(part: str, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if part == "week_day":
        return sa.func.dayofweek(element)
    if part == "iso_week_day":
        return sa.func.weekday(element) + sa.literal_column("1")
    if part == "week":
        return sa.func.week(element, sa.literal_column("3"))
    if part == "iso_year":
        return sa.cast(sa.func.yearweek(element, sa.literal_column("3")), sa.Integer).op("DIV")(
            sa.literal_column("100")
        )
    return sa.extract(part, element)


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


def _function(name: str, kind: Any) -> Build:
    return lambda _, element: getattr(sa.func, name)(element, type_=kind)


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
            for name in sorted(_PARTS)
        ],
        Transform("date", (DateTimeField,), DateField(), _as_date),
        Transform("time", (DateTimeField,), TimeField(), _as_time),
        Transform("lower", (Field,), TextField(), _function("lower", sa.Text())),
        Transform("upper", (Field,), TextField(), _function("upper", sa.Text())),
        Transform("trim", (Field,), TextField(), _function("trim", sa.Text())),
        Transform("length", (Field,), BigIntegerField(), _length),
    )
}
