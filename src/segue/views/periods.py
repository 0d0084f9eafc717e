"""What a route's texts mean as dates: a year, a month, a week, a day.

Holds: `Period`, and how a view's values become one.
Imports: errors.
Never: reads a text that is longer than any date, or answers a strange one but by 404.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass, replace
from typing import Any, Literal

from .. import clock
from ..errors import NotFound

__all__ = ["Kind", "Period", "lookups_until", "period_of", "today"]

Kind = Literal["year", "month", "week", "day"]

_LONGEST = 20
_MONDAY, _SUNDAY = 0, 6
_DAY = datetime.timedelta(days=1)


def today() -> datetime.date:
    """Return the date of now, in UTC as everything that is stored."""
    return clock.today().date()


@dataclass(frozen=True, slots=True)
class Period:
    """A span of whole days.

    Attributes:
        begin: Its first day.
        first_weekday: What a week begins with: 0 for Monday, 6 for Sunday.
    """

    kind: Kind
    begin: datetime.date
    first_weekday: int = _MONDAY

    @property
    def end(self) -> datetime.date:
        """The first day after it."""
        if self.kind == "year":
            return self.begin.replace(year=self.begin.year + 1)
        if self.kind == "month":
            return (self.begin + 31 * _DAY).replace(day=1)
        return self.begin + (7 if self.kind == "week" else 1) * _DAY

    def around(self, day: datetime.date) -> Period:
        """Return the period of this kind that has *day*."""
        begin = day
        if self.kind == "year":
            begin = day.replace(month=1, day=1)
        elif self.kind == "month":
            begin = day.replace(day=1)
        elif self.kind == "week":
            begin = day - ((day.weekday() - self.first_weekday) % 7) * _DAY
        return replace(self, begin=begin)

    def of_kind(self, kind: Kind) -> Period:
        """Return the period of another kind that has the first day of this one."""
        return replace(self, kind=kind).around(self.begin)

    def lookups(self, model: Any, name: str) -> dict[str, Any]:
        """Return the look-ups of the rows within it."""
        begin, end = _compared(model, name, self.begin), _compared(model, name, self.end)
        return {f"{name}__gte": begin, f"{name}__lt": end}

    def lookups_beyond(self, model: Any, name: str, *, forward: bool) -> dict[str, Any]:
        """Return the look-ups of the rows after it, or before it."""
        if forward:
            return {f"{name}__gte": _compared(model, name, self.end)}
        return {f"{name}__lt": _compared(model, name, self.begin)}


def lookups_until(model: Any, name: str) -> dict[str, Any]:
    """Return the look-ups of the rows that are not of the future."""
    if _has_moments(model, name):
        return {f"{name}__lte": clock.today()}
    return {f"{name}__lte": today()}


def _compared(model: Any, name: str, day: datetime.date) -> datetime.date:
    if not _has_moments(model, name):
        return day
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)


def _has_moments(model: Any, name: str) -> bool:
    from ..db import DateTimeField  # where there are rows, the data layer is there

    return isinstance(model._meta.get_field(name), DateTimeField)


def period_of(view: Any, parts: tuple[Kind, ...]) -> Period:
    """Return the period that the request asks *view* for.

    Args:
        parts: What says it, the longest first: `("year", "month")`.

    Raises:
        NotFound: A part is missing, or they are no date.
    """
    first = _SUNDAY if "week" in parts and view.week_format == "%U" else _MONDAY
    texts = [_text_of(view, part) for part in parts]
    formats = [getattr(view, f"{part}_format") for part in parts]
    if "week" in parts:
        # A week alone is no day: its first one is meant.
        texts.append("0" if first == _SUNDAY else "1")
        formats.append("%w")
    kind = parts[-1]
    try:
        period = Period(kind, datetime.datetime.strptime("~".join(texts), "~".join(formats)).date(), first)  # a date
        beyond = period.end
    except (ValueError, OverflowError):
        raise NotFound("There is no such date.") from None
    if beyond.year < 2 or (not view.get_allow_future() and period.begin > today()):
        raise NotFound("There is nothing of the future.")
    return period


def _text_of(view: Any, part: Kind) -> str:
    text = getattr(view, part) or view.kwargs.get(part) or view.request.query.get(part)
    if not text or len(str(text)) > _LONGEST or "~" in str(text):
        raise NotFound("There is no such date.")
    return str(text)
