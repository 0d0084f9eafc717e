"""Filters for moments and spans: `date`, `time`, `timesince`, `naturaltime`."""

from __future__ import annotations

import calendar
import datetime
from collections.abc import Callable
from email.utils import format_datetime
from typing import Any

from jinja2 import Undefined

from ...errors import UsageError

__all__ = ["date", "format_date", "naturalday", "naturaltime", "time", "timesince", "timeuntil"]

Moment = datetime.date | datetime.time

_NAMED = {
    "DATE_FORMAT": "N j, Y",
    "DATETIME_FORMAT": "N j, Y, P",
    "TIME_FORMAT": "P",
    "YEAR_MONTH_FORMAT": "F Y",
    "MONTH_DAY_FORMAT": "F j",
    "SHORT_DATE_FORMAT": "m/d/Y",
    "SHORT_DATETIME_FORMAT": "m/d/Y P",
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
# As newspapers of the Associated Press abbreviate them: five months never are.
_PRESS_MONTHS = ("Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MOST_FORMAT = 500

# Singular, plural, seconds; months and years have no fixed length and are counted by the calendar.
_SPANS = (
    ("week", "weeks", 604_800),
    ("day", "days", 86_400),
    ("hour", "hours", 3_600),
    ("minute", "minutes", 60),
)


def date(value: Any, format: str = "DATE_FORMAT") -> str:  # noqa: A002 - Django's word
    """Format a date or moment by Django's letters: `{{ born|date("j F Y") }}`; else the empty text."""
    if not isinstance(value, datetime.date | datetime.time):
        return _blank(value)
    return format_date(value, format)


def time(value: Any, format: str = "TIME_FORMAT") -> str:  # noqa: A002 - Django's word
    """Format a time or moment by Django's letters: `{{ starts|time("H:i") }}`; else the empty text."""
    if not isinstance(value, datetime.datetime | datetime.time):
        return _blank(value)
    return format_date(value, format)


def _blank(value: Any) -> str:
    # Anything but a moment prints nothing, as in Django; but an undefined name says so itself.
    return str(value) if isinstance(value, Undefined) else ""


def format_date(value: Moment, format: str) -> str:  # noqa: A002 - Django's word
    """Return *value* by a format of letters, or by the name of one such as `SHORT_DATE_FORMAT`.

    Raises:
        UsageError: A letter asks for what *value* has not (`templates/date-format`).
    """
    letters = _NAMED.get(format, format)[:_MOST_FORMAT]
    parts: list[str] = []
    escaped = False
    for letter in letters:
        if escaped or letter not in _LETTERS:
            if letter == "\\" and not escaped:
                escaped = True
                continue
            parts.append(letter)
            escaped = False
            continue
        parts.append(_format_letter(letter, value, format))
    return "".join(parts)


def _format_letter(letter: str, value: Moment, format: str) -> str:  # noqa: A002 - Django's word
    try:
        return _LETTERS[letter](value)
    except AttributeError:
        kind = "time" if isinstance(value, datetime.time) else "date"
        raise UsageError(
            f"The format {format!r} asks a {kind} for {letter!r}, which it does not have.",
            code="templates/date-format",
            why="Letters for the time of day need a time or a datetime, those for the day a date or a datetime.",
            hint=f"Leave {letter!r} out, write it as \\\\{letter} if the letter itself is meant, or pass a datetime.",
        ) from None


def _month(value: Any) -> str:
    return _MONTHS[int(value.month) - 1]


def _day(value: Any) -> str:
    return _DAYS[int(value.weekday())]


def _hour12(value: Any) -> int:
    return value.hour % 12 or 12


def _half(value: Any) -> str:
    return "p.m." if value.hour > 11 else "a.m."


def _short_time(value: Any) -> str:
    return f"{_hour12(value)}:{value.minute:02}" if value.minute else f"{_hour12(value)}"


def _clock(value: Any) -> str:
    if value.minute == 0 and value.hour in (0, 12):
        return "noon" if value.hour else "midnight"
    return f"{_short_time(value)} {_half(value)}"


def _suffix(value: Any) -> str:
    return english_suffix(value.day)


def english_suffix(number: int) -> str:
    """Return what makes *number* an ordinal: `st`, `nd`, `rd` or `th`."""
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _offset(value: Any) -> str:
    offset = value.utcoffset()
    if offset is None:
        return ""
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _offset_seconds(value: Any) -> str:
    offset = value.utcoffset()
    return "" if offset is None else str(int(offset.total_seconds()))


def _summer(value: Any) -> str:
    saved = value.dst()
    return "" if saved is None else str(int(bool(saved)))


def _rfc5322(value: Any) -> str:
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    return format_datetime(value if value.tzinfo else value.astimezone())


def _epoch(value: Any) -> str:
    if not isinstance(value, datetime.datetime):
        value = datetime.datetime(value.year, value.month, value.day)
    return str(int(value.timestamp()))


def _zone(value: Any) -> str:
    return value.tzname() or ""


def _zone_name(value: Any) -> str:
    # "" for a naive one; the name of the zone where it has one, else its offset.
    return _zone(value) or _offset(value)


_LETTERS: dict[str, Callable[[Any], str]] = {
    "a": _half,
    "A": lambda value: "PM" if value.hour > 11 else "AM",
    "b": lambda value: _month(value)[:3].lower(),
    "c": lambda value: str(value.isoformat()),
    "d": lambda value: f"{value.day:02}",
    "D": lambda value: _day(value)[:3],
    "e": _zone_name,
    "E": _month,
    "f": _short_time,
    "F": _month,
    "g": lambda value: str(_hour12(value)),
    "G": lambda value: str(value.hour),
    "h": lambda value: f"{_hour12(value):02}",
    "H": lambda value: f"{value.hour:02}",
    "i": lambda value: f"{value.minute:02}",
    "I": _summer,
    "j": lambda value: str(value.day),
    "l": _day,
    "L": lambda value: str(calendar.isleap(value.year)),
    "m": lambda value: f"{value.month:02}",
    "M": lambda value: _month(value)[:3],
    "n": lambda value: str(value.month),
    "N": lambda value: _PRESS_MONTHS[int(value.month) - 1],
    "o": lambda value: str(value.isocalendar().year),
    "O": _offset,
    "P": _clock,
    "r": _rfc5322,
    "s": lambda value: f"{value.second:02}",
    "S": _suffix,
    "t": lambda value: str(calendar.monthrange(value.year, value.month)[1]),
    "T": _zone_name,
    "u": lambda value: f"{value.microsecond:06}",
    "U": _epoch,
    "w": lambda value: str(value.isoweekday() % 7),
    "W": lambda value: str(value.isocalendar().week),
    "y": lambda value: f"{value.year % 100:02}",
    "Y": lambda value: f"{value.year:04}",
    "z": lambda value: str(value.timetuple().tm_yday),
    "Z": _offset_seconds,
}


def timesince(value: Any, now: Any = None) -> str:
    """Return how long ago *value* was, in its two largest units: "4 days, 6 hours"."""
    if not isinstance(value, datetime.date):
        return _blank(value)
    earlier = _as_moment(value)
    return _span(earlier, _now(now, earlier))


def timeuntil(value: Any, now: Any = None) -> str:
    """Return how far off *value* is, in its two largest units."""
    if not isinstance(value, datetime.date):
        return _blank(value)
    later = _as_moment(value)
    return _span(_now(now, later), later)


def _as_moment(value: datetime.date) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    return datetime.datetime(value.year, value.month, value.day)


def _now(given: Any, other: datetime.datetime) -> datetime.datetime:
    if isinstance(given, datetime.date):
        return _as_moment(given)
    return datetime.datetime.now(other.tzinfo)


def _span(start: datetime.datetime, end: datetime.datetime) -> str:
    if end <= start:
        return _count(0, "minute", "minutes")
    if start.tzinfo is not None and end.tzinfo is not None:
        end = end.astimezone(start.tzinfo)
    months = (end.year - start.year) * 12 + end.month - start.month
    if (end.day, end.time()) < (start.day, start.time()):
        months -= 1
    pivot = _add_months(start, months)
    counts = [(months // 12, "year", "years"), (months % 12, "month", "months")]
    seconds = int((end - pivot).total_seconds())
    for singular, plural, length in _SPANS:
        counts.append((seconds // length, singular, plural))
        seconds %= length
    first = next((index for index, count in enumerate(counts) if count[0]), None)
    if first is None:
        return _count(0, "minute", "minutes")
    shown = [count for count in counts[first : first + 2] if count[0]]
    return ", ".join(_count(*count) for count in shown)


def _add_months(moment: datetime.datetime, months: int) -> datetime.datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _count(number: int, singular: str, plural: str) -> str:
    # A non-breaking space keeps number and unit on one line.
    return f"{number}\xa0{singular if number == 1 else plural}"


def naturaltime(value: Any, now: Any = None) -> str:
    """Return a moment as people say it: "now", "4 minutes ago", "an hour from now"."""
    if not isinstance(value, datetime.datetime):
        return "" if value is None else str(value)
    present = _now(now, value)
    is_past = value <= present
    gap = present - value if is_past else value - present
    tail = "ago" if is_past else "from now"
    if gap.days:
        span = _span(value, present) if is_past else _span(present, value)
        return f"{span} {tail}"
    seconds = gap.seconds
    if seconds == 0:
        return "now"
    if seconds < 60:
        return f"a second {tail}" if seconds == 1 else f"{_count(seconds, 'second', 'seconds')} {tail}"
    if seconds < 3600:
        minutes = seconds // 60
        return f"a minute {tail}" if minutes == 1 else f"{_count(minutes, 'minute', 'minutes')} {tail}"
    hours = seconds // 3600
    return f"an hour {tail}" if hours == 1 else f"{_count(hours, 'hour', 'hours')} {tail}"


def naturalday(value: Any, format: str = "DATE_FORMAT", now: Any = None) -> str:  # noqa: A002 - Django's word
    """Return "today", "yesterday" or "tomorrow", else the date by *format*."""
    if not isinstance(value, datetime.date):
        return "" if value is None else str(value)
    moment = _as_moment(value)
    days = (moment.date() - _now(now, moment).date()).days
    return {0: "today", 1: "tomorrow", -1: "yesterday"}.get(days) or format_date(value, format)
