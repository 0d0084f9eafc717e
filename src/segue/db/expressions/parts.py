"""Parts of dates and times.

Holds: `extract`: year, week, weekday … as the same whole number on every database.
Imports: SQLAlchemy's expression language, types.
Never: takes a part's name into SQL that is not one of `PARTS`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..types import Moment
from .base import Compiling
from .kinds import constant, taken_as

__all__ = ["PARTS", "extract"]

# SQLAlchemy pastes the part into the SQL as it stands, so it must be one of these.
PARTS = frozenset(
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
    if part not in PARTS:
        raise ValueError(f"{part[:80]!r} is no part of a date")
    build = {"sqlite": _sqlite_part, "postgresql": _postgresql_part, "mysql": _mysql_part}[compiler.vendor]
    return taken_as(build(part, element), sa.Integer())


def _sqlite_part(part: str, element: ColumnElement[Any]) -> ColumnElement[Any]:
    plain = taken_as(element, sa.Text())
    if part in _STRFTIME:
        return sa.cast(sa.func.strftime(constant(f"'{_STRFTIME[part]}'"), plain), sa.Integer)
    if part == "quarter":
        return (_sqlite_part("month", element) + constant("2")) // constant("3")
    if part in ("week_day", "iso_week_day"):
        day = sa.cast(sa.func.strftime(constant("'%w'"), plain), sa.Integer)
        one: Any = constant("1")
        return day + one if part == "week_day" else (day + constant("6")) % constant("7") + one  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model
    return sa.func.segue_iso(constant(f"'{part}'"), plain)


def _postgresql_part(part: str, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if isinstance(element.type, Moment):
        element = sa.func.timezone(constant("'UTC'"), element)
    name = {"iso_year": "isoyear", "week_day": "dow", "iso_week_day": "isodow"}.get(part, part)
    found = sa.cast(sa.func.floor(sa.extract(name, element)), sa.Integer)
    return found + constant("1") if part == "week_day" else found


def _mysql_part(part: str, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if part == "week_day":
        return sa.func.dayofweek(element)
    if part == "iso_week_day":
        return sa.func.weekday(element) + constant("1")
    if part == "week":
        return sa.func.week(element, constant("3"))
    if part == "iso_year":
        return sa.cast(sa.func.yearweek(element, constant("3")), sa.Integer).op("DIV")(constant("100"))
    return sa.extract(part, element)
