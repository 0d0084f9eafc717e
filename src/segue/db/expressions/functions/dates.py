"""Dates and moments.

Holds: `Extract` and `Trunc` with their short forms, `TruncDate`, `TruncTime`, `Now`.
Imports: the parts of `base`.
Never: takes a part's name into SQL that is not one of its own; a zone is a parameter.
"""

from __future__ import annotations

from collections.abc import Hashable
from datetime import timedelta, timezone, tzinfo
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ...errors import QueryError
from ...types import Day, Moment, TimeOfDay
from ..base import Compiling, Func, Value, column_type, output_facts
from ..conversion import converted
from ..kinds import constant, taken_as
from ..parts import PARTS, extract

__all__ = [
    "Extract",
    "ExtractDay",
    "ExtractHour",
    "ExtractIsoWeekDay",
    "ExtractIsoYear",
    "ExtractMinute",
    "ExtractMonth",
    "ExtractQuarter",
    "ExtractSecond",
    "ExtractWeek",
    "ExtractWeekDay",
    "ExtractYear",
    "Now",
    "Trunc",
    "TruncDate",
    "TruncDay",
    "TruncHour",
    "TruncMinute",
    "TruncMonth",
    "TruncQuarter",
    "TruncSecond",
    "TruncTime",
    "TruncWeek",
    "TruncYear",
]

_CUTS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
_CLOCK = ("hour", "minute", "second")


class Zone(Value):
    """The zone whose wall clock is meant: a parameter.

    Attributes:
        fixed: Whether it is a distance from UTC, not a name.
    """

    def __init__(self, zone: tzinfo) -> None:
        key = getattr(zone, "key", None)
        self.fixed: bool = key is None
        if key is None:
            apart = zone.utcoffset(None) if isinstance(zone, timezone) else None
            if apart is None:
                raise QueryError(
                    f"tzinfo= takes a ZoneInfo or a timezone, not {type(zone).__name__}.",
                    code="data/argument",
                    hint='tzinfo=ZoneInfo("Europe/Oslo")',
                )
            key = _offset(apart)
        super().__init__(key)

    def shape(self, keyer: Any) -> Hashable:
        return self.fixed, super().shape(keyer)

    def local(self, compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return a moment as the wall clock shows it, without a zone."""
        zone = self._zone(compiler)
        if compiler.vendor == "postgresql":
            return sa.func.timezone(zone, element)
        if compiler.vendor == "mysql":
            return sa.func.convert_tz(element, constant("'+00:00'"), zone)
        return sa.func.segue_zoned(taken_as(element, sa.Text()), zone)

    def moment(self, compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return what the wall clock shows as a moment."""
        zone = self._zone(compiler)
        if compiler.vendor == "postgresql":
            return sa.func.timezone(zone, element)
        if compiler.vendor == "mysql":
            return sa.func.convert_tz(element, zone, constant("'+00:00'"))
        return sa.func.segue_unzoned(taken_as(element, sa.Text()), zone)

    def _zone(self, compiler: Compiling) -> ColumnElement[Any]:
        bound = compiler.bind(self, sa.Text())
        if compiler.vendor != "postgresql":
            return bound
        # PostgreSQL reads "+02:00" as west of Greenwich; an interval means what it says.
        return sa.cast(bound, sa.Interval()) if self.fixed else sa.cast(bound, sa.Text())


def _offset(apart: timedelta) -> str:
    minutes = round(apart / timedelta(minutes=1))
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


class _Zoned(Func):
    """A function that may look at the wall clock of a zone; at UTC's otherwise."""

    def __init__(self, expression: Any, *, tzinfo: tzinfo | None = None, output_field: Any = None) -> None:
        super().__init__(expression, output_field=output_field)
        self.zone = None if tzinfo is None else Zone(tzinfo)

    def children(self) -> tuple[Any, ...]:
        return (*self.expressions, *(() if self.zone is None else (self.zone,)))

    def facts(self) -> Hashable:
        return self.zone is None, output_facts(self.output_field)

    def element(self, compiler: Compiling) -> tuple[ColumnElement[Any], Any]:
        """Return the argument as the wall clock shows it, and the type it has without."""
        element = self.arguments(compiler)[0]
        kind = element.type
        if isinstance(kind, sa.types.NullType | sa.String):
            raise QueryError(
                f"{type(self).__name__}({self.expressions[0]!r}) is of no date, moment or time.",
                code="data/argument",
                hint="Cast(…, db.DateTimeField()) says what it is.",
            )
        if isinstance(kind, Moment):
            if self.zone is not None:
                element = taken_as(
                    self.zone.local(compiler, element), sa.Text() if compiler.vendor == "sqlite" else sa.DateTime()
                )
            elif compiler.vendor == "postgresql":
                element = taken_as(sa.func.timezone(constant("'UTC'"), element), sa.DateTime())
        return element, kind


class Extract(_Zoned):
    """One part of a date, moment or time, as a whole number.

    Args:
        lookup_name: `year`, `iso_year`, `quarter`, `month`, `week`, `day`, `week_day`
            (Sunday is 1), `iso_week_day` (Monday is 1), `hour`, `minute`, `second`.
        tzinfo: The zone whose wall clock is read; UTC without it. MariaDB and MySQL know
            names of zones only once their tables of zones are filled (`mysql_tzinfo_to_sql`).

    Raises:
        QueryError: The part is none of these (`data/argument`).
    """

    part: ClassVar[str] = ""

    def __init__(self, expression: Any, lookup_name: str = "", *, tzinfo: tzinfo | None = None) -> None:
        super().__init__(expression, tzinfo=tzinfo)
        self.kind: str = lookup_name or self.part
        _check(self.kind, sorted(PARTS))

    def facts(self) -> Hashable:
        return self.kind, super().facts()

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        element, kind = self.element(compiler)
        if isinstance(kind, Day) and self.kind in _CLOCK:
            raise _no_part("date", self.kind)
        if isinstance(kind, TimeOfDay) and self.kind not in _CLOCK:
            raise _no_part("time", self.kind)
        return extract(compiler, self.kind, element)


def _check(part: str, parts: Any) -> None:
    if part not in parts:
        raise QueryError(
            f"{str(part)[:40]!r} is no part of a date.", code="data/argument", hint=f"One of {', '.join(parts)}."
        )


def _no_part(kind: str, part: str) -> QueryError:
    return QueryError(f"A {kind} has no {part}.", code="data/argument", hint="Use a DateTimeField.")


class ExtractYear(Extract):
    """The year."""

    part = "year"


class ExtractIsoYear(Extract):
    """The year of the week, by ISO 8601."""

    part = "iso_year"


class ExtractQuarter(Extract):
    """The quarter, from 1."""

    part = "quarter"


class ExtractMonth(Extract):
    """The month, from 1."""

    part = "month"


class ExtractWeek(Extract):
    """The week of the year, by ISO 8601."""

    part = "week"


class ExtractDay(Extract):
    """The day of the month."""

    part = "day"


class ExtractWeekDay(Extract):
    """The day of the week: Sunday is 1."""

    part = "week_day"


class ExtractIsoWeekDay(Extract):
    """The day of the week: Monday is 1."""

    part = "iso_week_day"


class ExtractHour(Extract):
    """The hour."""

    part = "hour"


class ExtractMinute(Extract):
    """The minute."""

    part = "minute"


class ExtractSecond(Extract):
    """The second."""

    part = "second"


class Trunc(_Zoned):
    """A date, moment or time, cut to the beginning of its year … second.

    Args:
        kind: `year`, `quarter`, `month`, `week`, `day`, `hour`, `minute`, `second`.
        output_field: A `DateField` makes a date of a moment, a `DateTimeField` a moment of a date.
        tzinfo: The zone whose wall clock is meant; UTC without it.

    Raises:
        QueryError: The part is none of these (`data/argument`).
    """

    part: ClassVar[str] = ""

    def __init__(
        self, expression: Any, kind: str = "", *, output_field: Any = None, tzinfo: tzinfo | None = None
    ) -> None:
        super().__init__(expression, tzinfo=tzinfo, output_field=output_field)
        self.kind: str = kind or self.part
        _check(self.kind, _CUTS)

    def facts(self) -> Hashable:
        return self.kind, super().facts()

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        element, kind = self.element(compiler)
        wanted: Any = column_type(self.output_field) if self.output_field is not None else kind
        if isinstance(kind, TimeOfDay) and self.kind not in _CLOCK:
            raise _no_part("time", self.kind)
        if isinstance(wanted, Day) and self.kind in _CLOCK:
            raise _no_part("date", self.kind)
        as_time = isinstance(kind, TimeOfDay)
        build = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}[compiler.vendor]
        name = "time" if as_time else "day" if isinstance(wanted, Day) else "moment"
        cut = build(self.kind, element, name)
        if name != "moment":
            return taken_as(cut, wanted)
        if self.zone is not None:
            cut = self.zone.moment(compiler, cut)
        elif compiler.vendor == "postgresql":
            cut = sa.func.timezone(constant("'UTC'"), cut)
        return taken_as(cut, Moment())


def _sqlite(part: str, element: Any, kind: str) -> Any:
    words = [constant(f"'{word}'") for word in (part, kind)]
    return sa.func.segue_trunc(words[0], taken_as(element, sa.Text()), words[1])


def _postgresql(part: str, element: Any, kind: str) -> Any:
    # A bare date would be taken as a moment in the zone of the session.
    plain = element if kind == "time" else sa.cast(element, sa.TIMESTAMP())
    cut = sa.func.date_trunc(constant(f"'{part}'"), plain)
    kinds: dict[str, Any] = {"day": sa.Date(), "time": sa.Time(), "moment": sa.TIMESTAMP()}
    return sa.cast(cut, kinds[kind])


_MYSQL = {
    "year": "%Y-01-01 00:00:00",
    "month": "%Y-%m-01 00:00:00",
    "day": "%Y-%m-%d 00:00:00",
    "hour": "%Y-%m-%d %H:00:00",
    "minute": "%Y-%m-%d %H:%i:00",
    "second": "%Y-%m-%d %H:%i:%s",
}


def _mysql(part: str, element: Any, kind: str) -> Any:
    from sqlalchemy.dialects import mysql

    if kind == "time":
        return sa.cast(sa.func.time_format(element, constant(f"'{_MYSQL[part][9:]}'")), mysql.TIME(fsp=6))
    if part == "week":
        cut = sa.func.date(sa.func.subdate(element, sa.func.weekday(element)))
    elif part == "quarter":
        year = sa.func.makedate(sa.func.year(element), constant("1"))
        quarters = sa.func.quarter(element) - constant("1")
        cut = sa.func.timestampadd(constant("QUARTER"), quarters, year)
    else:
        cut = sa.func.date_format(element, constant(f"'{_MYSQL[part]}'"))
    return sa.cast(cut, sa.Date() if kind == "day" else mysql.DATETIME(fsp=6))


class TruncYear(Trunc):
    """The beginning of the year."""

    part = "year"


class TruncQuarter(Trunc):
    """The beginning of the quarter."""

    part = "quarter"


class TruncMonth(Trunc):
    """The beginning of the month."""

    part = "month"


class TruncWeek(Trunc):
    """The Monday of the week."""

    part = "week"


class TruncDay(Trunc):
    """The beginning of the day."""

    part = "day"


class TruncHour(Trunc):
    """The beginning of the hour."""

    part = "hour"


class TruncMinute(Trunc):
    """The beginning of the minute."""

    part = "minute"


class TruncSecond(Trunc):
    """The beginning of the second."""

    part = "second"


class TruncDate(_Zoned):
    """The date of a moment."""

    wanted: ClassVar[Any] = Day()

    def __init__(self, expression: Any, *, tzinfo: tzinfo | None = None) -> None:
        super().__init__(expression, tzinfo=tzinfo)

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        element, _ = self.element(compiler)
        return converted(compiler, element, self.wanted)


class TruncTime(TruncDate):
    """The time of day of a moment."""

    wanted: ClassVar[Any] = TimeOfDay()


class Now(Func):
    """The moment it is, by the database's clock."""

    def __init__(self) -> None:
        super().__init__()

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        if compiler.vendor == "sqlite":
            now: Any = sa.func.strftime(constant("'%Y-%m-%d %H:%M:%f000'"), constant("'now'"))
        elif compiler.vendor == "mysql":
            now = sa.func.utc_timestamp(constant("6"))
        else:
            now = sa.func.statement_timestamp()
        return taken_as(now, Moment())
