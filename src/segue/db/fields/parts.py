"""Keys of several columns.

Holds: `CompositeKey`, several fields as one value; `KeyPart`, one column of a foreign key to such a
key; what stands on the class for that reference and for its key.
Imports: `base`.
Never: knows the target; `relations` does, and `models.settling` makes the parts once it is known.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from ..columns import Column
from .base import Field, lookup_error

__all__ = ["CompositeKey", "KeyOfParts", "KeyPart", "Reference", "plain_field", "referring_type"]


def plain_field(field: Any) -> Any:
    """Return the field whose values a column keeps: of a reference, what it refers to in the end."""
    while (remote := getattr(field, "remote", None)) is not None:
        field = remote
    return field


def referring_type(remote: Any) -> TypeEngine[Any]:
    """Return the type of a column that refers to *remote*."""
    kind: TypeEngine[Any] = plain_field(remote).column_type()
    if isinstance(kind, sa.types.TypeDecorator):
        return kind
    # A reference to a key that SQLite must call INTEGER is of the key's own size.
    return type(kind)() if isinstance(kind, sa.Integer) else kind


class CompositeKey:
    """Several fields as one value, a tuple: those of a key, or any that are looked up together."""

    is_relation = False
    is_column = False
    null = False
    secret = False

    def __init__(self, name: str, model: Any, fields: Sequence[Field[Any]]) -> None:
        self.fields: tuple[Field[Any], ...] = tuple(fields)
        self.model: Any = model
        self.name: str = name
        self.attname: str = name

    def prepare(self, value: Any) -> tuple[Any, ...]:
        """Return each part ready for its column.

        Raises:
            ValueError: It has not the right number of parts.
        """
        if not isinstance(value, tuple | list) or len(value) != len(self.fields):  # pyright: ignore[reportUnknownArgumentType]  # of any kind
            raise lookup_error(self, value)  # type: ignore[arg-type]  # as far as the message needs it
        return tuple(field.prepare(part) for field, part in zip(self.fields, tuple[Any, ...](value), strict=True))  # pyright: ignore[reportUnknownArgumentType]  # of any kind


class KeyPart(Field[Any]):
    """One column of a foreign key to a key of several.

    Args:
        reference: The foreign key.
        remote: The field of the target that this column equals.
        column: The name of the column, where it does not follow.
    """

    kind = "key_part"

    def __init__(self, reference: Any, remote: Any, column: str | None, **options: Any) -> None:
        self.reference = reference
        self.remote = remote
        super().__init__(
            null=reference.null,
            blank=reference.blank,
            db_column=column,
            editable=False,
            secret=reference.secret or remote.secret,
            **options,
        )

    def make_type(self) -> TypeEngine[Any]:
        return referring_type(self.remote)

    def to_python(self, value: Any) -> Any:
        return self.remote.to_python(value)

    def prepare(self, value: Any) -> Any:
        return self.remote.prepare(value)

    def from_database(self) -> Callable[[Any], Any] | None:
        return self.remote.from_database()  # type: ignore[no-any-return]  # of any field

    @property
    def limits(self) -> Any:
        """The smallest and largest value, where it is a number."""
        return getattr(self.remote, "limits", None)


class Reference:
    """`record.leader`, where the key of a leader has several columns."""

    def __init__(self, field: Any) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return Column[Any](owner, self.field.name)
        return instance._referred(self.field)

    def __set__(self, instance: Any, value: Any) -> None:
        instance._refer(self.field, value)


class KeyOfParts:
    """`record.leader_id`, where the key of a leader has several columns: a tuple of them, or `None`."""

    def __init__(self, field: Any) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return Column[Any](owner, self.field.attname)
        key = tuple([getattr(instance, part.attname) for part in self.field.fields])
        return None if None in key else key

    def __set__(self, instance: Any, value: Any) -> None:
        self.field.set_parts(instance.__dict__, value)
