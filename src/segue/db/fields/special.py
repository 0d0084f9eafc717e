"""Fields of other values.

Holds: UUIDs, JSON (typed too), bytes, arrays, generated columns.
Imports: `base`, `types`, msgspec.
Never: unpickles; JSON is the only format of a column.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, TypeVar, Unpack, overload

import msgspec
import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from ...errors import Fault, ValidationError
from ..errors import DataError, ModelError
from ..expressions.base import Expression
from ..types import Array, Json, Uuid
from .base import Field, FieldOptions

__all__ = ["ArrayField", "BinaryField", "GeneratedField", "JSONField", "UUIDField"]

T = TypeVar("T")
S = TypeVar("S")


class UUIDField(Field[T]):
    """A UUID."""

    kind = "uuid"
    exact: ClassVar[frozenset[type]] = frozenset({uuid.UUID})

    @overload
    def __init__(
        self: UUIDField[uuid.UUID], *, null: Literal[False] = ..., **options: Unpack[FieldOptions]
    ) -> None: ...
    @overload
    def __init__(self: UUIDField[uuid.UUID | None], *, null: bool, **options: Unpack[FieldOptions]) -> None: ...
    def __init__(self, *, null: bool = False, **options: Any) -> None:
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, uuid.UUID):
            return value
        try:
            if isinstance(value, str) and len(value) <= 45:
                return uuid.UUID(value)
            if isinstance(value, int) and not isinstance(value, bool):
                return uuid.UUID(int=value)
        except ValueError:
            pass
        raise self.invalid()

    def make_type(self) -> TypeEngine[Any]:
        return Uuid()


class BinaryField(Field[T]):
    """Bytes."""

    kind = "binary"
    exact: ClassVar[frozenset[type]] = frozenset({bytes})
    own_options: ClassVar[tuple[str, ...]] = ("max_length",)
    empty_values: ClassVar[tuple[Any, ...]] = (None, b"")

    @overload
    def __init__(
        self: BinaryField[bytes],
        *,
        max_length: int | None = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: BinaryField[bytes | None],
        *,
        max_length: int | None = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, *, max_length: int | None = None, null: bool = False, **options: Any) -> None:
        self.max_length = max_length
        options.setdefault("editable", False)
        super().__init__(null=null, **options)

    def default_validators(self) -> Any:
        if self.max_length is not None:
            from ...validators import MaxLengthValidator

            yield MaxLengthValidator(self.max_length)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, bytes | bytearray | memoryview):
            return bytes(value)  # pyright: ignore[reportUnknownArgumentType]  # a buffer of any kind
        raise self.invalid()

    def make_type(self) -> TypeEngine[Any]:
        from sqlalchemy.dialects import mysql

        return _Bytes().with_variant(mysql.LONGBLOB(), "mysql", "mariadb")


class _Bytes(sa.types.TypeDecorator[Any]):
    """Bytes, whatever buffer the driver gives."""

    impl = sa.LargeBinary
    cache_ok = True

    def bind_processor(self, dialect: Any) -> Any:
        return None

    def result_processor(self, dialect: Any, coltype: Any) -> Any:
        return None


class JSONField(Field[T]):
    """JSON: any, or of one type.

    Args:
        type: A Struct, dataclass, TypedDict or annotation: what is written is checked
            against it, and what is read is one.
    """

    kind = "json"
    empty_values: ClassVar[tuple[Any, ...]] = (None, "", [], (), {})

    @overload
    def __init__(self: JSONField[Any], *, null: bool = ..., **options: Unpack[FieldOptions]) -> None: ...
    @overload
    def __init__(
        self: JSONField[S],
        type: type[S],  # what it is
        *,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: JSONField[S | None],
        type: type[S],  # what it is
        *,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, type: Any = None, *, null: bool = False, **options: Any) -> None:  # noqa: A002  # what it is
        self.type: Any = type
        super().__init__(null=null, **options)

    def to_python(self, value: Any) -> Any:
        if self.type is not None:
            try:
                return msgspec.convert(msgspec.to_builtins(value), self.type)
            except (msgspec.ValidationError, TypeError) as error:
                raise ValidationError([Fault((), "invalid", str(error))]) from None
        try:
            msgspec.json.encode(value)
        except (TypeError, ValueError, OverflowError, RecursionError):
            raise self.invalid() from None
        return value

    def prepare(self, value: Any) -> Any:
        # Any JSON is looked at when it is written as text; of one type it is made one first.
        return value if self.type is None or value is None else super().prepare(value)

    def from_database(self) -> Callable[[Any], Any] | None:
        kind = self.type
        if kind is None:
            return None

        def read(value: Any) -> Any:
            return None if value is None else msgspec.convert(value, kind)

        return read

    def make_type(self) -> TypeEngine[Any]:
        return Json()


class ArrayField(Field[T]):
    """A list of values of one field: an array on PostgreSQL, JSON elsewhere."""

    kind = "array"

    @overload
    def __init__(
        self: ArrayField[list[S]],
        item: Field[S],
        *,
        max_length: int | None = ...,
        null: Literal[False] = ...,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ArrayField[list[S] | None],
        item: Field[S],
        *,
        max_length: int | None = ...,
        null: bool,
        **options: Unpack[FieldOptions],
    ) -> None: ...
    def __init__(self, item: Field[Any], *, max_length: int | None = None, null: bool = False, **options: Any) -> None:
        self.item = item
        self.max_length = max_length
        super().__init__(null=null, **options)

    def default_validators(self) -> Any:
        if self.max_length is not None:
            from ...validators import MaxLengthValidator

            yield MaxLengthValidator(self.max_length)

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, list | tuple | set | frozenset):
            raise self.invalid()
        faults: list[Fault] = []
        values: list[Any] = []
        for at, each in enumerate(tuple[Any, ...](value)):  # pyright: ignore[reportUnknownArgumentType]  # of any kind
            try:
                values.append(None if each is None else self.item.to_python(each))
            except ValidationError as error:
                faults.extend(
                    Fault((at, *fault.path), fault.code, fault.message, fault.params) for fault in error.faults
                )
        if faults:
            raise ValidationError(faults)
        if isinstance(self.item, ArrayField) and values:
            # PostgreSQL has arrays of several dimensions, not arrays of arrays.
            lengths = {len(each) if each is not None else 0 for each in values}
            if len(lengths) > 1 or 0 in lengths:
                raise self.invalid("uneven")
        return values

    messages: ClassVar[Mapping[str, str]] = {
        **Field.messages,
        "uneven": "The lists inside must be of one length, and not empty.",
    }

    def guard(self, vendor: str) -> Callable[[Any], Any] | None:
        if vendor == "postgresql":
            return None
        # Inside JSON no database knows the size of an item.
        each = self.item.guard("sqlite")
        if each is None:
            return None

        def check(value: Any) -> Any:
            try:
                for one in value or ():
                    each(one)
            except DataError:
                raise self.misfit() from None
            return value

        return check

    def faults(self, value: Any) -> Any:
        yield from super().faults(value)
        for at, each in enumerate(value or ()):
            for fault in self.item.faults(each):
                yield Fault((at, *fault.path), fault.code, fault.message, fault.params)

    def make_type(self) -> TypeEngine[Any]:
        return Array(self.item.column_type())

    def deconstruct(self) -> dict[str, Any]:
        return {**super().deconstruct(), "item": self.item.deconstruct_item()}


class GeneratedField(Field[T]):
    """A column that the database computes from others.

    Args:
        expression: Of fields of the same row: `F("price") * F("count")`.
        output_field: What it is.
        db_persist: Whether it is stored; MySQL and SQLite can also compute it at each read.
    """

    kind = "generated"
    generated = True

    def __init__(
        self,
        *,
        expression: Expression,
        output_field: Field[T],
        db_persist: bool = True,
        **options: Unpack[FieldOptions],
    ) -> None:
        if "default" in options or "db_default" in options:
            raise ModelError(
                "A GeneratedField has no default.", code="data/field-option", hint="Leave default= and db_default= out."
            )
        self.expression = expression
        self.output_field = output_field
        self.db_persist = db_persist
        options["editable"] = False
        options["blank"] = True
        super().__init__(null=output_field.null, **options)

    def column_type(self) -> TypeEngine[Any]:
        return self.output_field.column_type()

    def to_python(self, value: Any) -> Any:
        return self.output_field.to_python(value)

    def prepare(self, value: Any) -> Any:
        return self.output_field.prepare(value)

    def from_database(self) -> Callable[[Any], Any] | None:
        return self.output_field.from_database()

    def deconstruct(self) -> dict[str, Any]:
        facts = super().deconstruct()
        facts |= {"expression": self.expression, "output": self.output_field.deconstruct_item()}
        return facts if self.db_persist else {**facts, "db_persist": False}
