"""Fields of numbers, keys among them.

Holds: integers of every size, booleans, floats, decimals, automatic keys.
Imports: `base`, `validators`, `types`.
Never: rounds silently; a value that does not fit is refused.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, Unpack, overload

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from ...validators import DecimalValidator, MaxValueValidator, MinValueValidator
from ..errors import ModelError
from ..types import EXACT, ExactDecimal
from .base import Field, FieldOptions

__all__ = [
    "AutoField",
    "BigAutoField",
    "BigIntegerField",
    "BooleanField",
    "DecimalField",
    "FloatField",
    "IntegerField",
    "PositiveBigIntegerField",
    "PositiveIntegerField",
    "PositiveSmallIntegerField",
    "SmallAutoField",
    "SmallIntegerField",
]

T = TypeVar("T")


class IntegerField(Field[T]):
    """A whole number of 32 bits.

    Args:
        min_value: The smallest that validation accepts.
        max_value: The largest.
    """

    kind = "integer"
    exact: ClassVar[frozenset[type]] = frozenset({int})
    bits: ClassVar[int] = 32
    positive: ClassVar[bool] = False

    @overload
    def __init__(
        self: IntegerField[int],
        *,
        min_value: int | None = ...,
        max_value: int | None = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: IntegerField[int | None],
        *,
        min_value: int | None = ...,
        max_value: int | None = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, min_value: int | None = None, max_value: int | None = None, null: bool = False, **options: Any
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        super().__init__(null=null, **options)

    @property
    def limits(self) -> tuple[int, int]:
        """The smallest and the largest that the column holds."""
        half = 1 << (self.bits - 1)
        return (0 if self.positive else -half), half - 1

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        low, high = self.limits
        yield MinValueValidator(low if self.min_value is None else max(low, self.min_value))
        yield MaxValueValidator(high if self.max_value is None else min(high, self.max_value))

    def to_python(self, value: Any) -> Any:
        if isinstance(value, bool):
            return int(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        # One with a large exponent would take seconds to write out.
        if isinstance(value, Decimal) and value.is_finite() and value.adjusted() <= 40 and value == int(value):
            return int(value)
        # ASCII digits alone: int() takes "1_0", white space and other scripts too.
        if isinstance(value, str) and len(value) <= 40:
            digits = value[1:] if value[:1] in "+-" else value
            if digits.isascii() and digits.isdigit():
                return int(value)
        raise self.invalid()

    def guard(self, vendor: str) -> Callable[[Any], Any] | None:
        if vendor != "sqlite":
            return None
        half = 1 << (self.bits - 1)

        def check(value: Any) -> Any:
            if value is not None and not -half <= value < half:
                raise self.misfit()
            return value

        return check

    def make_type(self) -> TypeEngine[Any]:
        return {16: sa.SmallInteger, 32: sa.Integer, 64: sa.BigInteger}[self.bits]()


class BigIntegerField(IntegerField[T]):
    """A whole number of 64 bits."""

    kind = "big_integer"
    bits = 64

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: BigIntegerField[int],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: Literal[False] = ...,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: BigIntegerField[int | None],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, **options: Any) -> None: ...


class SmallIntegerField(IntegerField[T]):
    """A whole number of 16 bits."""

    kind = "small_integer"
    bits = 16

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: SmallIntegerField[int],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: Literal[False] = ...,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: SmallIntegerField[int | None],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, **options: Any) -> None: ...


class PositiveIntegerField(IntegerField[T]):
    """A whole number from 0, of 31 bits; the database checks it."""

    kind = "positive_integer"
    positive = True

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveIntegerField[int],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: Literal[False] = ...,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveIntegerField[int | None],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, **options: Any) -> None: ...


class PositiveBigIntegerField(BigIntegerField[T]):
    """A whole number from 0, of 63 bits; the database checks it."""

    kind = "positive_big_integer"
    positive = True

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveBigIntegerField[int],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: Literal[False] = ...,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveBigIntegerField[int | None],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, **options: Any) -> None: ...


class PositiveSmallIntegerField(SmallIntegerField[T]):
    """A whole number from 0, of 15 bits; the database checks it."""

    kind = "positive_small_integer"
    positive = True

    if TYPE_CHECKING:

        @overload
        def __init__(
            self: PositiveSmallIntegerField[int],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: Literal[False] = ...,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        @overload
        def __init__(
            self: PositiveSmallIntegerField[int | None],
            *,
            min_value: int | None = ...,
            max_value: int | None = ...,
            null: bool,
            **options: Unpack[FieldOptions],
        ) -> None: ...
        def __init__(self, **options: Any) -> None: ...


class AutoField(IntegerField[T]):
    """A key that the database counts up."""

    kind = "auto"
    generated = True

    def __init__(self: AutoField[int], **options: Unpack[FieldOptions]) -> None:
        options.setdefault("primary_key", True)
        options.setdefault("blank", True)
        Field.__init__(self, null=False, **options)  # pyright: ignore[reportUnknownMemberType]  # of any kind

    min_value = None
    max_value = None

    def make_type(self) -> TypeEngine[Any]:
        # SQLite counts up only a column that is declared INTEGER PRIMARY KEY.
        return super().make_type().with_variant(sa.Integer(), "sqlite")


class BigAutoField(AutoField[T]):
    """A key of 64 bits that the database counts up; what a model without a key gets."""

    kind = "big_auto"
    bits = 64


class SmallAutoField(AutoField[T]):
    """A key of 16 bits that the database counts up."""

    kind = "small_auto"
    bits = 16


_TRUE = frozenset({"true", "True", "t", "1", "on", "yes"})
_FALSE = frozenset({"false", "False", "f", "0", "off", "no"})


class BooleanField(Field[T]):
    """Yes or no."""

    kind = "boolean"
    exact: ClassVar[frozenset[type]] = frozenset({bool})
    empty_values: ClassVar[tuple[Any, ...]] = (None, "", [], ())

    @overload
    def __init__(self: BooleanField[bool], *, null: Literal[False] = ..., **options: Unpack[FieldOptions]) -> None: ...
    @overload
    def __init__(self: BooleanField[bool | None], *, null: bool, **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Any) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        if isinstance(value, int) and value in (0, 1):
            return bool(value)
        if isinstance(value, str):
            if value in _TRUE:
                return True
            if value in _FALSE:
                return False
        raise self.invalid()

    def make_type(self) -> TypeEngine[Any]:
        return _Boolean()

    def from_database(self) -> Callable[[Any], Any] | None:
        return None


class _Boolean(sa.types.TypeDecorator[Any]):
    """Yes or no, where SQLite and MySQL keep 1 or 0."""

    impl = sa.Boolean
    cache_ok = True

    def bind_processor(self, dialect: Any) -> Any:
        return None

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        return None if dialect.name == "postgresql" else _as_bool


def _as_bool(value: Any) -> bool | None:
    return None if value is None else bool(value)


class FloatField(Field[T]):
    """A double precision number; not a number and infinity are refused."""

    kind = "float"
    exact: ClassVar[frozenset[type]] = frozenset()

    @overload
    def __init__(
        self: FloatField[float],
        *,
        min_value: float | None = ...,
        max_value: float | None = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: FloatField[float | None],
        *,
        min_value: float | None = ...,
        max_value: float | None = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self, *, min_value: float | None = None, max_value: float | None = None, null: bool = False, **options: Any
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        super().__init__(null=null, **options)

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        if self.min_value is not None:
            yield MinValueValidator(self.min_value)
        if self.max_value is not None:
            yield MaxValueValidator(self.max_value)

    def to_python(self, value: Any) -> Any:
        try:
            number = float(value) if not isinstance(value, str) or len(value) <= 400 else math.nan
        except (TypeError, ValueError, OverflowError):
            raise self.invalid() from None
        if not math.isfinite(number):
            raise self.invalid()
        return number

    def make_type(self) -> TypeEngine[Any]:
        return sa.Double()


class DecimalField(Field[T]):
    """An exact number of *max_digits* digits, *decimal_places* of them after the point."""

    kind = "decimal"
    exact: ClassVar[frozenset[type]] = frozenset()
    own_options: ClassVar[tuple[str, ...]] = ("max_digits", "decimal_places")

    @overload
    def __init__(
        self: DecimalField[Decimal],
        *,
        max_digits: int,
        decimal_places: int,
        min_value: Any = ...,
        max_value: Any = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: DecimalField[Decimal | None],
        *,
        max_digits: int,
        decimal_places: int,
        min_value: Any = ...,
        max_value: Any = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(
        self,
        *,
        max_digits: int,
        decimal_places: int,
        min_value: Any = None,
        max_value: Any = None,
        null: bool = False,
        **options: Any,
    ) -> None:
        if not 0 <= decimal_places <= max_digits <= 65 or not max_digits:
            raise ModelError(
                f"DecimalField(max_digits={max_digits!r}, decimal_places={decimal_places!r}) cannot be.",
                code="data/field-option",
                why="There are 1 to 65 digits, and no more places than digits.",
                hint="DecimalField(max_digits=10, decimal_places=2)",
            )
        self.max_digits = max_digits
        self.decimal_places = decimal_places
        self.min_value = min_value
        self.max_value = max_value
        super().__init__(null=null, **options)

    def default_validators(self) -> Iterable[Callable[[Any], Any]]:
        yield DecimalValidator(self.max_digits, self.decimal_places)
        if self.min_value is not None:
            yield MinValueValidator(self.min_value)
        if self.max_value is not None:
            yield MaxValueValidator(self.max_value)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, str) and (len(value) > 100 or "_" in value)):
            raise self.invalid()
        try:
            number = Decimal(repr(value) if isinstance(value, float) else value)
        except (InvalidOperation, TypeError, ValueError):
            raise self.invalid() from None
        if not number.is_finite() or number.adjusted() > 100:
            raise self.invalid()
        return number

    @property
    def limits(self) -> tuple[Decimal, Decimal]:
        """The smallest and the largest that the column holds."""
        largest = Decimal(10**self.max_digits - 1).scaleb(-self.decimal_places, EXACT)
        return -largest, largest

    def guard(self, vendor: str) -> Callable[[Any], Any] | None:
        last_place = Decimal(1).scaleb(-self.decimal_places, EXACT)
        low, high = self.limits

        def rounded(value: Any) -> Any:
            if value is None:
                return None
            # Here, so that every database has the same digit.
            number = value.quantize(last_place, context=EXACT)
            if not low <= number <= high:
                raise self.misfit()
            return number

        return rounded

    def make_type(self) -> TypeEngine[Any]:
        return ExactDecimal(self.max_digits, self.decimal_places)
