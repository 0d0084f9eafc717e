"""From a column of an adopted table to a field of a form.

Holds: `adopted_entry`, which chooses by the type that SQLAlchemy gives the column.
Imports: fields, widgets.
Never: has a field for a type whose values nobody can type.
"""

# Types and columns of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from . import fields as forms
from .widgets import Textarea

__all__ = ["adopted_entry"]

Options = dict[str, Any]
Entry = tuple[Any, Callable[[Any], Options]]


class _PlainDateTimeField(forms.DateTimeField):
    """A moment for a column without a zone: what is read in UTC is kept as it stands."""

    def to_python(self, value: Any) -> Any:
        found = super().to_python(value)
        return None if found is None else found.replace(tzinfo=None)


def _text(field: Any) -> Options:
    length = getattr(field.core_type, "length", None)
    options: Options = {"max_length": length, "empty_value": None if field.null else ""}
    return options if length is not None else {**options, "widget": Textarea}


def _choice(field: Any) -> Options:
    names = list(field.core_type.enums)
    blank = [("", "---------")] if field.blank or not field.has_default else []
    kind = getattr(field.core_type, "enum_class", None)
    coerce: Callable[[Any], Any] = kind.__getitem__ if kind is not None else str
    return {"choices": [*blank, *((each, each) for each in names)], "coerce": coerce, "empty_value": None}


def _decimal(field: Any) -> Options:
    return {"max_digits": field.core_type.precision, "decimal_places": field.core_type.scale}


def _nothing(field: Any) -> Options:
    return {}


_BY_TYPE: Mapping[type, Entry] = {
    str: (forms.CharField, _text),
    int: (forms.IntegerField, _nothing),
    float: (forms.FloatField, _nothing),
    Decimal: (forms.DecimalField, _decimal),
    date: (forms.DateField, _nothing),
    time: (forms.TimeField, _nothing),
    timedelta: (forms.DurationField, _nothing),
    uuid.UUID: (forms.UUIDField, _nothing),
    dict: (forms.JSONField, _nothing),
}


def adopted_entry(field: Any) -> Entry | None:
    """Return the class of the form's field and its options; `None` where no form has such a column."""
    kind = field.core_type
    if getattr(kind, "enums", None):
        return forms.TypedChoiceField, _choice
    try:
        wanted: type = kind.python_type
    except NotImplementedError:
        return None
    if wanted is bool:
        return (forms.NullBooleanField, _nothing) if field.null else (forms.BooleanField, lambda _: {"required": False})
    if wanted is datetime:
        return (forms.DateTimeField if getattr(kind, "timezone", False) else _PlainDateTimeField), _nothing
    return _BY_TYPE.get(wanted)
