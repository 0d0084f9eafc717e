"""Keys of every kind in one column.

Holds: how a generic reference keeps a key, reads it, and joins by it in SQL.
Imports: fields, SQLAlchemy's expressions.
Never: guesses: the text of a key is one and the same however it is made.

A number stays one where the column is a number. A text keeps `str()` of the key (of a UUID
with its dashes, of a date by ISO 8601); of a key of several columns a JSON list with a space
after each comma, which is how PostgreSQL and MySQL write one.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..errors import ValidationError
from .errors import NotSupportedError, QueryError
from .fields.numbers import IntegerField
from .fields.parts import plain_field
from .fields.special import JSONField, UUIDField
from .fields.text import CharField, TextField
from .fields.times import DateField

__all__ = ["from_stored", "joinable", "to_stored"]


def _is_text(field: Any) -> bool:
    return isinstance(plain_field(field), CharField | TextField)


def to_stored(instance: Any, field: Any) -> Any:
    """Return the key of *instance* as *field* keeps it.

    Raises:
        QueryError: It was not saved, or the field cannot keep such a key (`data/generic-key`).
    """
    key: Any = instance.pk
    if key is None:
        raise QueryError(
            f"This {type(instance).__name__} was not saved, and nothing can refer to it yet.",
            code="data/unsaved",
            hint="save() it first.",
        )
    parts: tuple[Any, ...] = key if len(instance._meta.pk_fields) > 1 else (key,)
    if isinstance(field, JSONField):
        return [_part(each, instance, field) for each in parts]
    if isinstance(key, tuple):
        if not _is_text(field):
            raise _unfit(instance, field, "It has several columns.")
        return json.dumps([_part(each, instance, field) for each in parts], ensure_ascii=False)
    if _is_text(field):
        return str(_part(key, instance, field))
    try:
        return field.prepare(key)
    except ValueError:
        raise _unfit(instance, field, f"{type(field).__name__} does not hold it.") from None


def _part(value: Any, instance: Any, field: Any) -> Any:
    if isinstance(value, str | int) and not isinstance(value, bool):
        return value
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise _unfit(instance, field, f"{type(value).__name__} has no text that is the same in every database.")


def _unfit(instance: Any, field: Any, why: str) -> QueryError:
    return QueryError(
        f"{field.model.__name__}.{field.name} cannot keep the key of {type(instance).__name__}.",
        code="data/generic-key",
        why=why,
        hint=f"{field.name} = db.CharField(max_length=64)",
    )


def from_stored(value: Any, model: Any) -> Any:
    """Return the key of *model* that a stored value means; `None` where it means none."""
    fields = model._meta.pk_fields
    try:
        parts = _list(value) if len(fields) > 1 or value.__class__ is list else [value]
        if len(parts) != len(fields):
            return None
        key = tuple(field.to_python(part) for field, part in zip(fields, parts, strict=True))
        return key if len(fields) > 1 else key[0]
    except (ValueError, TypeError, ValidationError):
        return None


def _list(value: Any) -> list[Any]:
    found: Any = value if value.__class__ is list else json.loads(value)
    return list(found) if found.__class__ is list else []


# In SQL


def joinable(
    own: Sequence[ColumnElement[Any]], fields: Sequence[Any], stored: ColumnElement[Any], kept: Any, vendor: str
) -> ColumnElement[bool]:
    """Return the condition that a key's columns are what a column keeps.

    Raises:
        NotSupportedError: The two cannot be compared in SQL (`data/not-supported`).
    """
    if isinstance(kept, JSONField):
        raise NotSupportedError(
            f"{kept.model.__name__}.{kept.name} is JSON, by which no database joins.",
            code="data/not-supported",
            hint=f"{kept.name} = db.CharField(max_length=64)",
        )
    if len(own) > 1:
        return _same_list(own, fields, stored, vendor)
    if not _is_text(kept):
        return own[0] == stored
    return _text(own[0], plain_field(fields[0]), vendor) == stored


def _text(column: ColumnElement[Any], field: Any, vendor: str) -> ColumnElement[Any]:
    if isinstance(field, CharField | TextField):
        return sa.type_coerce(column, sa.Text())
    if isinstance(field, UUIDField):
        return sa.cast(column, sa.Text()) if vendor == "postgresql" else _dashed(column)
    if isinstance(field, IntegerField | DateField):
        return sa.cast(sa.type_coerce(column, sa.Text()) if vendor == "sqlite" else column, sa.Text())
    raise NotSupportedError(
        f"{field.model.__name__}.{field.name} has no text that is the same in every database.",
        code="data/not-supported",
        hint="Look the rows up by their instances.",
    )


def _dashed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    plain = sa.type_coerce(column, sa.Text())
    found: ColumnElement[Any] | None = None
    for start, length in ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12)):
        part = sa.func.substr(plain, sa.literal_column(str(start)), sa.literal_column(str(length)), type_=sa.Text())
        found = part if found is None else found + sa.literal_column("'-'", sa.Text()) + part
    assert found is not None
    return found


def _same_list(
    own: Sequence[ColumnElement[Any]], fields: Sequence[Any], stored: ColumnElement[Any], vendor: str
) -> ColumnElement[bool]:
    parts = [
        column if isinstance(plain_field(field), IntegerField) else _text(column, plain_field(field), vendor)
        for column, field in zip(own, fields, strict=True)
    ]
    if vendor == "postgresql":
        return sa.cast(sa.func.jsonb_build_array(*parts), sa.Text()) == stored
    if vendor == "mysql":
        return sa.cast(sa.func.json_array(*parts), sa.Text()) == stored
    # SQLite writes no spaces: both sides are written by it.
    text = sa.type_coerce(stored, sa.Text())
    return sa.func.json_array(*parts) == sa.case((sa.func.json_valid(text) == 1, sa.func.json(text)))
