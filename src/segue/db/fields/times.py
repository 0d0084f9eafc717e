"""Fields of time.

Holds: dates, moments, times of day, spans.
Imports: `base`, `types`.
Never: keeps a moment without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

from sqlalchemy.types import TypeEngine

from ..errors import ModelError
from ..types import Day, Moment, Span, TimeOfDay
from .base import Field, FieldOptions

__all__ = ["DateField", "DateTimeField", "DurationField", "TimeField", "now", "today"]

T = TypeVar("T")

_DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}", re.ASCII)
_LONGEST = 64


def now() -> datetime:
    """Return the moment it is, in UTC."""
    return datetime.now(UTC)


def today() -> date:
    """Return the day it is in UTC."""
    return datetime.now(UTC).date()


class _Automatic(Field[T]):
    """A field that can fill itself in when a row is made or saved."""

    own_options: ClassVar[tuple[str, ...]] = ("auto_now", "auto_now_add")
    auto_now: bool = False
    auto_now_add: bool = False
    clock: ClassVar[Callable[[], Any]]

    def _automatic(self, options: dict[str, Any], *, auto_now: bool, auto_now_add: bool) -> None:
        if auto_now + auto_now_add + ("default" in options) > 1:
            raise ModelError(
                "auto_now, auto_now_add and default exclude each other.",
                code="data/field-option",
                why="Each says what a new row has.",
                hint="Keep one of them; default=… with editable=False is auto_now_add that can be changed.",
            )
        self.auto_now = auto_now
        self.auto_now_add = auto_now_add
        if type(self).pre_save is _Automatic.pre_save:  # pyright: ignore[reportUnknownMemberType]  # of any kind
            self.fills_itself = auto_now or auto_now_add
        if auto_now or auto_now_add:
            options.setdefault("editable", False)
            options.setdefault("blank", True)

    def pre_save(self, instance: Any, *, adding: bool) -> Any:
        if self.auto_now or (self.auto_now_add and adding):
            value: Any = getattr(type(self), "clock")()  # noqa: B009  # a function, and no method of instances
            instance.__dict__[self.attname] = value
            return value
        return super().pre_save(instance, adding=adding)


class DateField(_Automatic[T]):
    """A day.

    Args:
        auto_now: Set it to today at each save.
        auto_now_add: Set it to today when the row is made.
    """

    kind = "date"
    exact: ClassVar[frozenset[type]] = frozenset({date})
    clock: ClassVar[Callable[[], Any]] = staticmethod(today)

    @overload
    def __init__(
        self: DateField[date],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DateField[date | None],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, auto_now: bool = False, auto_now_add: bool = False, null: bool = False, **options: Any
    ) -> None:
        self._automatic(options, auto_now=auto_now, auto_now_add=auto_now_add)
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                return date(*map(int, value.split("-")))
            except ValueError:
                raise self.invalid() from None
        raise self.invalid()

    def make_type(self) -> TypeEngine[Any]:
        return Day()


class DateTimeField(_Automatic[T]):
    """A moment, aware, kept in UTC. One without a zone is taken as UTC.

    Args:
        auto_now: Set it to now at each save.
        auto_now_add: Set it to now when the row is made.
    """

    kind = "datetime"
    exact: ClassVar[frozenset[type]] = frozenset()
    clock: ClassVar[Callable[[], Any]] = staticmethod(now)

    @overload
    def __init__(
        self: DateTimeField[datetime],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DateTimeField[datetime | None],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, auto_now: bool = False, auto_now_add: bool = False, null: bool = False, **options: Any
    ) -> None:
        self._automatic(options, auto_now=auto_now, auto_now_add=auto_now_add)
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str) and len(value) <= _LONGEST:
            try:
                value = datetime.fromisoformat(value)
            except ValueError:
                raise self.invalid() from None
        elif type(value) is date:
            value = datetime(value.year, value.month, value.day)
        if not isinstance(value, datetime):
            raise self.invalid()
        if value.tzinfo is None:
            return value.replace(tzinfo=UTC)
        try:
            value.astimezone(UTC)
        except OverflowError:
            raise self.invalid() from None
        return value

    def make_type(self) -> TypeEngine[Any]:
        return Moment()


class TimeField(_Automatic[T]):
    """A time of day, without a zone."""

    kind = "time"
    exact: ClassVar[frozenset[type]] = frozenset()
    clock: ClassVar[Callable[[], Any]] = staticmethod(lambda: now().time())

    @overload
    def __init__(
        self: TimeField[time],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: TimeField[time | None],
        *,
        auto_now: bool = ...,
        auto_now_add: bool = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, auto_now: bool = False, auto_now_add: bool = False, null: bool = False, **options: Any
    ) -> None:
        self._automatic(options, auto_now=auto_now, auto_now_add=auto_now_add)
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, datetime):
            value = value.time()
        if isinstance(value, str) and len(value) <= _LONGEST:
            try:
                value = time.fromisoformat(value)
            except ValueError:
                raise self.invalid() from None
        if not isinstance(value, time) or value.tzinfo is not None:
            raise self.invalid()
        return value

    def make_type(self) -> TypeEngine[Any]:
        return TimeOfDay()


_CLOCK = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d{1,9}) (?:days?,? )?)?(?P<hours>\d{1,4}):(?P<minutes>\d{2})"
    r"(?::(?P<seconds>\d{2})(?:\.(?P<fraction>\d{1,6}))?)?",
    re.ASCII,
)
_ISO_SPAN = re.compile(
    r"(?P<sign>[+-])?P(?:(?P<days>\d{1,9})D)?"
    r"(?:T(?:(?P<hours>\d{1,9})H)?(?:(?P<minutes>\d{1,9})M)?(?:(?P<seconds>\d{1,9})(?:\.(?P<fraction>\d{1,6}))?S)?)?",
    re.ASCII,
)


class DurationField(Field[T]):
    """A span of time, exact to the microsecond."""

    kind = "duration"
    exact: ClassVar[frozenset[type]] = frozenset({timedelta})

    @overload
    def __init__(
        self: DurationField[timedelta], *, null: Literal[False] = ..., **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(self: DurationField[timedelta | None], *, null: bool, **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Any) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, timedelta):
            return value
        if isinstance(value, str) and len(value) <= _LONGEST:
            found = _CLOCK.fullmatch(value) or (_ISO_SPAN.fullmatch(value) if value not in ("P", "-P", "+P") else None)
            if found is not None:
                return _span_of(found)
        raise self.invalid()

    # What 64 bits of microseconds hold.
    limits: ClassVar[tuple[timedelta, timedelta]] = (
        timedelta(microseconds=-(2**63)),
        timedelta(microseconds=2**63 - 1),
    )

    def make_type(self) -> TypeEngine[Any]:
        return Span()


def _span_of(found: re.Match[str]) -> timedelta:
    span = timedelta(
        days=int(found["days"] or 0),
        hours=int(found["hours"] or 0),
        minutes=int(found["minutes"] or 0),
        seconds=int(found["seconds"] or 0),
        microseconds=int((found["fraction"] or "0").ljust(6, "0")),
    )
    return -span if found["sign"] == "-" else span
