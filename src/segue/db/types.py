"""Column types that mean the same on every database.

Holds: SQLAlchemy types for what the three databases keep differently: moments, exact
decimals, spans, UUIDs, JSON, arrays.
Imports: SQLAlchemy, the errors of this package.
Never: knows a field or a model.

Each type says how it is declared on a dialect and gives the two functions that plans
call: value to parameter, and column to value. `None` passes through both.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..errors import cut
from .errors import DataError

__all__ = [
    "EXACT",
    "Array",
    "Day",
    "ExactDecimal",
    "InJson",
    "Json",
    "Moment",
    "Span",
    "TimeOfDay",
    "Uuid",
    "json_text",
    "vendor_of",
]

Processor = Callable[[Any], Any] | None

_SQLITE_INTEGER_DIGITS = 18
"""A scaled integer of so many digits fits the 64 bits of SQLite."""
_LARGEST = 2**63 - 1
# Digits enough for every column, whatever context a thread has chosen for its own arithmetic.
EXACT = Context(prec=200)


def vendor_of(dialect: Dialect) -> str:
    """Return `sqlite`, `postgresql` or `mysql` (MariaDB too)."""
    return "mysql" if dialect.name == "mariadb" else dialect.name


class _Type(TypeDecorator[Any]):
    """A type that gives its processors itself: no wrapper is called around them."""

    cache_ok = True
    impl = sa.Text

    def __init_subclass__(cls, **options: Any) -> None:
        cls.cache_ok = True  # SQLAlchemy asks each class for its own
        super().__init_subclass__(**options)

    def declare(self, vendor: str) -> TypeEngine[Any]:
        """Return the type of the column on *vendor*."""
        raise TypeError(f"{type(self).__name__} does not say how it is declared")  # pragma: no cover

    def binder(self, vendor: str) -> Processor:
        """Return what turns a value into a parameter; `None` where the driver does."""
        return None

    def reader(self, vendor: str) -> Processor:
        """Return what turns a column into a value; `None` where the driver does."""
        return None

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(self.declare(vendor_of(dialect)))

    # Any: SQLAlchemy calls them by position, whatever it calls the parameter.

    def bind_processor(self, dialect: Dialect) -> Any:
        return self.binder(vendor_of(dialect))

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        return self.reader(vendor_of(dialect))

    def literal_processor(self, dialect: Dialect) -> Any:
        binder = self.literal_binder(vendor_of(dialect))
        # Texts of DDL go through the driver's own formatting.
        doubles = dialect.identifier_preparer._double_percents  # pyright: ignore[reportPrivateUsage]  # as sa.String does

        def literal(value: Any) -> str:
            bound = binder(value) if binder is not None else value
            if bound is None:
                return "NULL"
            if isinstance(bound, int | float | Decimal):
                return str(bound)
            text = "'" + str(bound).replace("'", "''") + "'"
            return text.replace("%", "%%") if doubles else text

        return literal

    def literal_binder(self, vendor: str) -> Processor:
        """Return what turns a value into what stands in a text of SQL."""
        return self.binder(vendor)

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        return self


class Moment(_Type):
    """An aware datetime, kept in UTC to the microsecond.

    SQLite keeps text of one width, so that it sorts; MySQL `DATETIME(6)`.
    """

    def declare(self, vendor: str) -> TypeEngine[Any]:
        if vendor == "postgresql":
            return postgresql.TIMESTAMP(timezone=True)
        return mysql.DATETIME(fsp=6) if vendor == "mysql" else sa.Text()

    def binder(self, vendor: str) -> Processor:
        return {"postgresql": None, "mysql": _naive_utc}.get(vendor, _moment_text)

    def reader(self, vendor: str) -> Processor:
        return {"postgresql": _in_utc, "mysql": _from_naive_utc}.get(vendor, _moment_from_text)  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model


def _naive_utc(value: datetime | None) -> datetime | None:
    return None if value is None else _as_utc(value).replace(tzinfo=None)


def _as_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except (OverflowError, ValueError):
        raise DataError("A moment lies outside of the years 1 to 9999 of UTC.") from None


def _moment_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return _as_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds")


def _in_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)


def _from_naive_utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.replace(tzinfo=UTC)


def _moment_from_text(value: Any) -> datetime | None:
    if value is None:
        return None
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


class Day(_Type):
    """A date."""

    def declare(self, vendor: str) -> TypeEngine[Any]:
        return sa.Text() if vendor == "sqlite" else sa.Date()

    def binder(self, vendor: str) -> Processor:
        return _iso if vendor == "sqlite" else None

    def reader(self, vendor: str) -> Processor:
        return _day_from_text if vendor == "sqlite" else None


def _iso(value: date | None) -> str | None:
    return None if value is None else value.isoformat()


def _day_from_text(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value[:10])


class TimeOfDay(_Type):
    """A time of day to the microsecond, without a zone."""

    def declare(self, vendor: str) -> TypeEngine[Any]:
        if vendor == "mysql":
            return mysql.TIME(fsp=6)
        return sa.Text() if vendor == "sqlite" else sa.Time()

    def binder(self, vendor: str) -> Processor:
        return _time_text if vendor == "sqlite" else None

    def reader(self, vendor: str) -> Processor:
        if vendor == "sqlite":
            return _time_from_text
        return _time_from_span if vendor == "mysql" else None


def _time_text(value: time | None) -> str | None:
    return None if value is None else value.isoformat("microseconds")


def _time_from_text(value: str | None) -> time | None:
    return None if value is None else time.fromisoformat(value)


def _time_from_span(value: Any) -> Any:
    if isinstance(value, timedelta):
        return (datetime.min + value).time()
    return value


class Span(_Type):
    """A timedelta, kept as a whole number of microseconds: sums and order are exact."""

    def declare(self, vendor: str) -> TypeEngine[Any]:
        return sa.BigInteger()

    def binder(self, vendor: str) -> Processor:
        return _microseconds

    def reader(self, vendor: str) -> Processor:
        return _span


_MICROSECOND = timedelta(microseconds=1)


def _microseconds(value: timedelta | None) -> int | None:
    return None if value is None else value // _MICROSECOND


def _span(value: Any) -> timedelta | None:
    return None if value is None else timedelta(microseconds=int(value))


class ExactDecimal(_Type):
    """A decimal that loses no digit.

    SQLite has none: up to 18 digits are kept as an integer of the last place, so
    comparing and summing are exact; longer ones as text that sorts by the collation
    `segue_decimal`. Arithmetic on the column goes through `scale`.
    """

    def __init__(self, digits: int, places: int) -> None:
        super().__init__()
        self.digits = digits
        self.places = places

    @property
    def scaled(self) -> bool:
        """Whether SQLite keeps it as an integer."""
        return self.digits <= _SQLITE_INTEGER_DIGITS

    def declare(self, vendor: str) -> TypeEngine[Any]:
        if vendor != "sqlite":
            return sa.Numeric(self.digits, self.places)
        return sa.BigInteger() if self.scaled else sqlite.VARCHAR(collation="segue_decimal")

    def binder(self, vendor: str) -> Processor:
        if vendor != "sqlite":
            return None
        if not self.scaled:
            return _decimal_text
        places = self.places

        def to_integer(value: Decimal | None) -> int | float | None:
            if value is None:
                return None
            scaled = Decimal(value).scaleb(places, EXACT)
            whole = int(scaled)
            # What lies between two values of the column, or beyond all, is only looked up: a row is
            # written with a value that fits. As a real number it compares right with integers.
            if whole != scaled:
                return float(scaled)
            return max(-_LARGEST, min(whole, _LARGEST))

        return to_integer

    def reader(self, vendor: str) -> Processor:
        if vendor != "sqlite":
            return _as_decimal
        if not self.scaled:
            return _decimal_from_text
        places = self.places

        def from_integer(value: Any) -> Decimal | None:
            if value is None:
                return None
            if type(value) is int:
                return Decimal(value).scaleb(-places, EXACT)
            return Decimal(repr(value)).scaleb(-places, EXACT)  # an average of integers is a float

        return from_integer


def _decimal_text(value: Decimal | None) -> str | None:
    return None if value is None else format(Decimal(value), "f")


def _decimal_from_text(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _as_decimal(value: Any) -> Any:
    return Decimal(repr(value)) if isinstance(value, float) else value


class Uuid(_Type):
    """A UUID: native on PostgreSQL, 32 hexadecimal digits elsewhere."""

    def declare(self, vendor: str) -> TypeEngine[Any]:
        return postgresql.UUID(as_uuid=True) if vendor == "postgresql" else sa.CHAR(32)

    def binder(self, vendor: str) -> Processor:
        return None if vendor == "postgresql" else _hex

    def reader(self, vendor: str) -> Processor:
        return None if vendor == "postgresql" else _uuid


def _hex(value: uuid.UUID | None) -> str | None:
    return None if value is None else value.hex


def _uuid(value: str | None) -> uuid.UUID | None:
    return None if value is None else uuid.UUID(value)


def json_text(value: Any) -> str:
    """Return *value* as compact JSON; moments, UUIDs and decimals as msgspec writes them.

    Raises:
        DataError: JSON cannot say it: no number, a zero byte, an object of some other kind.
    """
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DataError(f"{cut(value)} cannot be kept as JSON.", why=str(error)) from error
    # PERF: what is no number becomes `null`, so only a text with a null in it is looked at again.
    if "null" in text:
        _refuse_no_numbers(value)
    if "\\u0000" in text and _has_zero_byte(text):
        raise DataError("JSON with a zero byte cannot be kept.", hint="Take it out, or keep bytes in a BinaryField.")
    return text


def _refuse_no_numbers(value: Any) -> None:
    try:
        json.dumps(value, allow_nan=False, default=msgspec.to_builtins)
    except ValueError as error:
        raise DataError(
            "JSON has no infinity, and nothing that is not a number.", hint="Write None in its place."
        ) from error
    except TypeError:
        pass  # keys that msgspec alone writes


def _has_zero_byte(text: str) -> bool:
    """Tell whether an escape for the zero byte is one, and not a backslash before `u0000`."""
    return "\\u0000" in text.replace("\\\\", "")


class Json(_Type):
    """JSON: `JSONB` on PostgreSQL, `JSON` on MySQL. Python's `None` is SQL's NULL.

    SQLite keeps text: a column that it is told is JSON would turn "1" into a number.
    """

    def declare(self, vendor: str) -> TypeEngine[Any]:
        if vendor == "postgresql":
            return postgresql.JSONB()
        return mysql.JSON() if vendor == "mysql" else sa.Text()

    def binder(self, vendor: str) -> Processor:
        return _jsonb if vendor == "postgresql" else _json_or_none

    def literal_binder(self, vendor: str) -> Processor:
        return _json_or_none

    def reader(self, vendor: str) -> Processor:
        # psycopg decodes jsonb itself; a path through it may come as text already decoded.
        return None if vendor == "postgresql" else _json_value


def _json_or_none(value: Any) -> str | None:
    return None if value is None else json_text(value)


def _jsonb(value: Any) -> Any:
    if value is None:
        return None
    from psycopg.types.json import Jsonb

    return Jsonb(value, dumps=json_text)


def _json_value(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str | bytes) else value


class Array(_Type):
    """A list of values of one type: an array on PostgreSQL, JSON elsewhere."""

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def declare(self, vendor: str) -> TypeEngine[Any]:
        if vendor == "postgresql":
            item = self.item.declare(vendor) if isinstance(self.item, _Type) else self.item
            inner: Any = item
            if isinstance(item, postgresql.ARRAY):
                return postgresql.ARRAY[Any](inner.item_type, dimensions=(inner.dimensions or 1) + 1)
            return postgresql.ARRAY[Any](inner)
        return mysql.JSON() if vendor == "mysql" else sa.Text()

    @property
    def kept_item(self) -> TypeEngine[Any]:
        """The type of an item where the array is JSON."""
        return InJson(self.item) if isinstance(self.item, _Type) else self.item

    def literal_processor(self, dialect: Dialect) -> Any:
        if vendor_of(dialect) != "postgresql":
            return super().literal_processor(dialect)
        item: Any = self.item  # Any: SQLAlchemy's own types leave this method untyped
        each = item.literal_processor(dialect)
        kind = dialect.type_compiler_instance.process(self.declare("postgresql"))

        def literal(value: Any) -> str:
            return "NULL" if value is None else f"ARRAY[{', '.join(map(each, value))}]::{kind}"

        return literal

    def binder(self, vendor: str) -> Processor:
        item = self.item if vendor == "postgresql" else self.kept_item
        each = item.binder(vendor) if isinstance(item, _Type) else None

        def to_list(value: Any) -> Any:
            return [one if each is None or one is None else each(one) for one in value]

        if vendor == "postgresql":
            return lambda value: None if value is None else to_list(value)
        inner = self.item
        if isinstance(inner, Array):  # the inner list is a part of the outer one's JSON
            return lambda value: None if value is None else json.dumps(_plain_lists(value, inner))
        return lambda value: None if value is None else json.dumps(to_list(value))

    def reader(self, vendor: str) -> Processor:
        item = self.item if vendor == "postgresql" else self.kept_item
        each = item.reader(vendor) if isinstance(item, _Type) else None

        def from_column(value: Any) -> Any:
            if value is None:
                return None
            values = json.loads(value) if isinstance(value, str | bytes) else value
            return list(values) if each is None else [each(one) for one in values]

        return from_column


def _plain_lists(value: Any, item: Array) -> Any:
    """Return nested lists of what their innermost type keeps in JSON."""
    if value is None:
        return None
    if isinstance(item.item, Array):
        return [_plain_lists(each, item.item) for each in value]
    inner = item.kept_item
    each = inner.binder("sqlite") if isinstance(inner, _Type) else None
    return [one if each is None or one is None else [each(two) for two in one] for one in value]


class InJson(_Type):
    """An item of an array that is kept as JSON: what SQLite keeps can stand there."""

    def __init__(self, item: _Type) -> None:
        super().__init__()
        self.item = item

    def declare(self, vendor: str) -> TypeEngine[Any]:
        return self.item.declare(vendor)

    def binder(self, vendor: str) -> Processor:
        return self.item.binder("sqlite")

    def reader(self, vendor: str) -> Processor:
        return self.item.reader("sqlite")
