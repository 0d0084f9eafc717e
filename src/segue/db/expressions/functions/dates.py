"""Dates and moments.

Holds: `Trunc` and `Extract` and their short forms, `Now`.
Imports: the parts of `base`.
Never: takes a part's name into SQL that is not one of its own.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ...errors import QueryError
from ...types import Day, Moment
from ..base import Compiling, Func, output_facts

__all__ = ["Now", "Trunc"]

_PARTS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


class Trunc(Func):
    """A date or moment, cut to the beginning of its year … second.

    Raises:
        QueryError: The part is none of these (`data/argument`).
    """

    part: ClassVar[str] = ""

    def __init__(self, expression: Any, part: str = "", *, output_field: Any = None) -> None:
        super().__init__(expression, output_field=output_field)
        self.kind = part or self.part
        if self.kind not in _PARTS:
            raise QueryError(
                f"{str(self.kind)[:40]!r} is no part of a date.",
                code="data/argument",
                hint=f"One of {', '.join(_PARTS)}.",
            )

    def facts(self) -> Any:
        return self.kind, output_facts(self.output_field)

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        element = self.arguments(compiler)[0]
        wanted: Any = self.output_field.column_type() if self.output_field is not None else element.type
        day = isinstance(wanted, Day)
        build = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}[compiler.vendor]
        return sa.type_coerce(build(self.kind, element, day=day), Day() if day else Moment())


def _sqlite(part: str, element: Any, *, day: bool) -> Any:
    kind: Any = sa.literal_column("'day'" if day else "'moment'")
    return sa.func.segue_trunc(sa.literal_column(f"'{part}'"), sa.type_coerce(element, sa.Text()), kind)


def _postgresql(part: str, element: Any, *, day: bool) -> Any:
    if isinstance(element.type, Moment):
        element = sa.func.timezone(sa.literal_column("'UTC'"), element)
    cut = sa.func.date_trunc(sa.literal_column(f"'{part}'"), element)
    return sa.cast(cut, sa.Date) if day else sa.func.timezone(sa.literal_column("'UTC'"), cut)


_MYSQL = {
    "year": "%Y-01-01 00:00:00",
    "month": "%Y-%m-01 00:00:00",
    "day": "%Y-%m-%d 00:00:00",
    "hour": "%Y-%m-%d %H:00:00",
    "minute": "%Y-%m-%d %H:%i:00",
    "second": "%Y-%m-%d %H:%i:%s",
}


def _mysql(part: str, element: Any, *, day: bool) -> Any:
    if part == "week":
        cut = sa.func.date(sa.func.subdate(element, sa.func.weekday(element)))
    elif part == "quarter":
        year = sa.func.makedate(sa.func.year(element), sa.literal_column("1"))
        quarters = sa.func.quarter(element) - sa.literal_column("1")
        cut = sa.func.timestampadd(sa.literal_column("QUARTER"), quarters, year)
    else:
        cut = sa.func.date_format(element, sa.literal(_MYSQL[part], sa.Text()))
    return sa.cast(cut, sa.Date if day else sa.dialects.mysql.DATETIME(fsp=6))


class Now(Func):
    """The moment it is, by the database's clock."""

    def __init__(self) -> None:
        super().__init__()

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        if compiler.vendor == "sqlite":
            now: Any = sa.func.strftime(sa.literal_column("'%Y-%m-%d %H:%M:%f000'"), sa.literal_column("'now'"))
        elif compiler.vendor == "mysql":
            now = sa.func.utc_timestamp(sa.literal_column("6"))
        else:
            now = sa.func.statement_timestamp()
        return sa.type_coerce(now, Moment())
