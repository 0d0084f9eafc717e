"""Fields of time.

Holds: days, times of day, moments, spans.
Imports: `base`, widgets.
Never: returns a moment without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Unpack

from ..widgets import DateInput, DateTimeInput, TextInput, TimeInput
from .base import Field, FieldOptions

__all__ = ["DateField", "DateTimeField", "DurationField", "TimeField"]

_LONGEST = 64

DATE_FORMATS = (
    "%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d %b, %Y", "%B %d %Y", "%B %d, %Y",
    "%d %B %Y", "%d %B, %Y",
)  # fmt: skip
TIME_FORMATS = ("%H:%M:%S", "%H:%M:%S.%f", "%H:%M")
DATETIME_FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S.%f",
    "%m/%d/%Y %H:%M", "%m/%d/%y %H:%M:%S", "%m/%d/%y %H:%M:%S.%f", "%m/%d/%y %H:%M",
)  # fmt: skip


class _Timed(Field):
    """What is read by formats."""

    formats: ClassVar[tuple[str, ...]] = ()

    def __init__(self, *, input_formats: Iterable[str] | None = None, **options: Unpack[FieldOptions]) -> None:
        self.input_formats: tuple[str, ...] | None = None if input_formats is None else tuple(input_formats)
        super().__init__(**options)

    def _parsed(self, value: Any) -> datetime:
        text = value.strip() if isinstance(value, str) and len(value) <= _LONGEST else ""
        # strptime() takes digits of every script.
        if text.isascii():
            for each in self.formats if self.input_formats is None else self.input_formats:
                try:
                    return datetime.strptime(text, each)  # the zone is added by who knows it
                except ValueError:
                    continue
        raise self.fault("invalid")


class DateField(_Timed):
    """A day.

    Args:
        input_formats: How it may be typed, in place of ISO 8601 and the usual American ways.
    """

    widget = DateInput
    formats: ClassVar[tuple[str, ...]] = DATE_FORMATS
    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid": "This is not a date."}

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        if self.input_formats is None and isinstance(value, str) and len(value) == 10 and value.isascii():
            # PERF: what browsers send; strptime() takes forty times as long.
            with suppress(ValueError):
                return date.fromisoformat(value)
        return self._parsed(value).date()


class TimeField(_Timed):
    """A time of day.

    Args:
        input_formats: How it may be typed, in place of `14:30`, `14:30:59` and `14:30:59.000200`.
    """

    widget = TimeInput
    formats: ClassVar[tuple[str, ...]] = TIME_FORMATS
    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid": "This is not a time."}

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, time):
            return value
        return self._parsed(value).time()


_ISO_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII
)


class DateTimeField(_Timed):
    """A moment, aware; one without a zone is in UTC.

    Args:
        input_formats: How it may be typed, in place of ISO 8601 and the usual American ways.
    """

    widget = DateTimeInput
    formats: ClassVar[tuple[str, ...]] = (*DATETIME_FORMATS, *DATE_FORMATS)
    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid": "This is not a date and time."}

    def prepare_value(self, value: Any) -> Any:
        return value.astimezone(UTC) if isinstance(value, datetime) and value.tzinfo is not None else value

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, datetime):
            return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC)
        found = self._iso(value) or self._parsed(value)
        return found if found.tzinfo is not None else found.replace(tzinfo=UTC)

    def _iso(self, value: Any) -> datetime | None:
        text = value.strip() if isinstance(value, str) and len(value) <= _LONGEST else ""
        if self.input_formats is not None or not _ISO_MOMENT.fullmatch(text):
            return None
        try:
            found = datetime.fromisoformat(text)
            return found.astimezone(UTC) if found.tzinfo is not None else found
        except (ValueError, OverflowError):
            return None


_CLOCK = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d{1,9}) (?:days?,? )?)?"
    r"(?:(?:(?P<hours>\d{1,4}):)?(?P<minutes>\d{1,4}):)?(?P<seconds>\d{1,9})(?:[.,](?P<fraction>\d{1,6}))?",
    re.ASCII,
)
_ISO_SPAN = re.compile(
    r"(?P<sign>[+-])?P(?=.)(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?"
    r"(?:(?P<seconds>\d{1,9})(?:[.,](?P<fraction>\d{1,6}))?S)?)?",
    re.ASCII,
)


class DurationField(Field):
    """A span of time: `3 days 04:05:06`, `05:06`, `90`, or ISO 8601 (`P3DT4H`)."""

    widget = TextInput
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid": "This is not a span of time.",
        "overflow": "This span of time is too long.",
    }

    def prepare_value(self, value: Any) -> Any:
        return _shown(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, timedelta):
            return value
        text = str(value).strip() if isinstance(value, str | int) and len(str(value)) <= _LONGEST else ""
        found = _CLOCK.fullmatch(text) or _ISO_SPAN.fullmatch(text)
        if found is None:
            raise self.fault("invalid")
        try:
            return _span_of(found)
        except OverflowError:
            raise self.fault("overflow") from None


def _span_of(found: re.Match[str]) -> timedelta:
    span = timedelta(
        days=int(found["days"] or 0),
        hours=int(found["hours"] or 0),
        minutes=int(found["minutes"] or 0),
        seconds=int(found["seconds"] or 0),
        microseconds=int((found["fraction"] or "0").ljust(6, "0")),
    )
    return -span if found["sign"] == "-" else span


def _shown(value: timedelta) -> str:
    sign, span = ("-", -value) if value < timedelta(0) else ("", value)
    minutes, seconds = divmod(span.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days = f"{span.days} " if span.days else ""
    fraction = f".{span.microseconds:06}" if span.microseconds else ""
    return f"{sign}{days}{hours:02}:{minutes:02}:{seconds:02}{fraction}"
