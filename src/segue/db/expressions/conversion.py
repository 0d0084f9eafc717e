"""From one type to another, the same on every database.

Holds: what `CAST` would do, were the three databases one; texts, rounding.
Imports: `arithmetic`, types.
Never: is loaded on a hit of the plan cache.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.sql.elements import ColumnElement

from ..types import Day, ExactDecimal, Moment, TimeOfDay
from .arithmetic import as_number
from .base import Compiling
from .kinds import Whole, constant, is_real, is_whole, taken_as

__all__ = ["as_text", "assigned", "converted", "half_up"]

_ZERO = "0"
# A real number above it has no digits after the point.
_WHOLE_ABOVE = "1e15"


def as_text(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return *element* as a text."""
    return element if isinstance(element.type, sa.String) else converted(compiler, element, sa.Text())


def half_up(
    compiler: Compiling, how: str, element: ColumnElement[Any], precision: ColumnElement[Any]
) -> ColumnElement[Any]:
    """Return a number rounded; a half goes away from zero.

    Args:
        how: `round`; on SQLite also `ceil`, `floor` and `abs`.
    """
    kind = Whole() if is_whole(element.type) else element.type
    if compiler.vendor == "sqlite":
        places = (kind.places if kind.scaled else -1) if isinstance(kind, ExactDecimal) else 0
        how_word, places_word = constant(f"'{how}'"), constant(str(places))
        plain = taken_as(element, sa.types.NullType())
        return taken_as(sa.func.segue_rounded(how_word, plain, places_word, precision), kind)
    if compiler.vendor == "postgresql":
        found = sa.func.round(sa.cast(element, sa.Numeric()), precision)
        return taken_as(sa.cast(found, sa.Double()) if is_real(kind) else found, kind)
    if not is_real(kind):
        return taken_as(sa.func.round(element, precision), kind)
    exact = sa.func.round(sa.cast(element, mysql.DECIMAL(65, 15)), precision)
    small = sa.func.abs(element) < constant(_WHOLE_ABOVE)
    return taken_as(sa.case((small, exact), else_=sa.func.round(element, precision)), kind)


def converted(compiler: Compiling, element: ColumnElement[Any], kind: Any) -> ColumnElement[Any]:
    """Return *element* as another type."""
    found: ColumnElement[Any]
    if is_whole(kind):
        found = _as_whole(compiler, element, kind)
    elif isinstance(kind, ExactDecimal):
        found = _as_decimal(compiler, element, kind)
    elif is_real(kind):
        found = sa.cast(as_number(compiler, element), sa.Double[Any]())
    elif isinstance(kind, sa.String):
        found = _as_string(compiler, element, kind)
    elif isinstance(kind, Day):
        found = _as_day(compiler, element)
    elif isinstance(kind, Moment):
        found = _as_moment(compiler, element)
    elif isinstance(kind, TimeOfDay):
        found = _as_time(compiler, element)
    elif isinstance(getattr(kind, "impl_instance", kind), sa.Boolean):
        found = _as_boolean(compiler, element)
    elif compiler.vendor == "postgresql":
        found = sa.cast(element, kind)
    else:
        found = element  # JSON, UUIDs and arrays are texts there
    return taken_as(found, kind)


def assigned(compiler: Compiling, element: ColumnElement[Any], kind: Any) -> ColumnElement[Any]:
    """Return an expression as a column of *kind* keeps it: SQLite's decimals are no numbers of its own."""
    if compiler.vendor != "sqlite" or not isinstance(kind, ExactDecimal):
        return element
    source = element.type
    if isinstance(source, ExactDecimal) and (source.scaled, source.places) == (kind.scaled, kind.places):
        return element
    return _as_decimal(compiler, element, kind)


def _as_whole(compiler: Compiling, element: ColumnElement[Any], kind: Any) -> ColumnElement[Any]:
    if is_real(element.type) or isinstance(element.type, ExactDecimal | sa.Numeric):
        element = half_up(compiler, "round", element, constant(_ZERO))
    return sa.cast(as_number(compiler, element), sa.BigInteger() if isinstance(kind, sa.BigInteger) else sa.Integer())


def _as_decimal(compiler: Compiling, element: ColumnElement[Any], kind: ExactDecimal) -> ColumnElement[Any]:
    if compiler.vendor != "sqlite":
        return sa.cast(element, sa.Numeric(kind.digits, kind.places))
    places = constant(str(kind.places))
    scaled = constant(str(int(kind.scaled)))
    return sa.func.segue_decimal(_plain(as_text(compiler, element)), places, scaled)


def _plain(element: ColumnElement[Any]) -> ColumnElement[Any]:
    return taken_as(element, sa.Text())


def _as_string(compiler: Compiling, element: ColumnElement[Any], kind: Any) -> ColumnElement[Any]:
    source, vendor = element.type, compiler.vendor
    if isinstance(getattr(source, "impl_instance", source), sa.Boolean):
        yes, no = constant("'true'"), constant("'false'")
        element = sa.case((element.is_(None), sa.null()), (element, yes), else_=no)
    elif vendor == "sqlite" and isinstance(source, ExactDecimal):
        places = constant(str(source.places if source.scaled else -1))
        element = sa.func.segue_decimal_text(taken_as(element, sa.types.NullType()), places)
    elif vendor == "sqlite" and (is_real(source) or isinstance(source, sa.Numeric)):
        element = sa.func.segue_real_text(element)
    elif vendor == "postgresql" and isinstance(source, Moment):
        utc = sa.func.timezone(constant("'UTC'"), element)
        element = sa.func.to_char(utc, constant("'YYYY-MM-DD HH24:MI:SS.US'"))
    elif vendor == "postgresql" and isinstance(source, TimeOfDay):
        element = sa.func.to_char(element, constant("'HH24:MI:SS.US'"))
    length = getattr(kind, "length", None)
    if vendor == "mysql":
        return sa.cast(element, sa.CHAR(length))
    if vendor == "postgresql":
        return sa.cast(element, sa.String(length) if length else sa.Text())
    text = _plain(element) if isinstance(source, Moment | Day | TimeOfDay) else sa.cast(element, sa.Text())
    if not length:
        return text
    return sa.func.substr(text, constant("1"), constant(str(int(length))))


def _as_day(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if compiler.vendor == "sqlite":
        return sa.func.date(_plain(element))
    if compiler.vendor == "postgresql" and isinstance(element.type, Moment):
        element = sa.func.timezone(constant("'UTC'"), element)
    return sa.cast(element, sa.Date())


def _as_moment(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if compiler.vendor == "sqlite":
        return sa.func.segue_moment(_plain(element))
    if compiler.vendor == "mysql":
        return sa.cast(element, mysql.DATETIME(fsp=6))
    if isinstance(element.type, Day):
        return sa.func.timezone(constant("'UTC'"), sa.cast(element, sa.TIMESTAMP()))
    return sa.cast(element, sa.TIMESTAMP(timezone=True))


def _as_time(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if compiler.vendor == "sqlite":
        return sa.func.segue_time(_plain(element))
    if compiler.vendor == "mysql":
        return sa.cast(element, mysql.TIME(fsp=6))
    if isinstance(element.type, Moment):
        element = sa.func.timezone(constant("'UTC'"), element)
    return sa.cast(element, sa.Time())


def _as_boolean(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if is_whole(element.type) or is_real(element.type) or isinstance(element.type, ExactDecimal):
        return as_number(compiler, element) != constant(_ZERO)
    if compiler.vendor == "postgresql":
        return sa.cast(element, sa.Boolean())
    words = [constant(f"'{word}'") for word in ("true", "t", "yes", "on", "1")]
    return sa.func.lower(as_text(compiler, element)).in_(words)
