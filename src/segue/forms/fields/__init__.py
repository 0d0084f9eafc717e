"""How the values of a form are read and checked.

Holds: `Field` and every kind of it that needs no database.
Imports: widgets, validators, floor 0.
Never: keeps a value.
"""

from __future__ import annotations

from .base import Field
from .choosing import ChoiceField, MultipleChoiceField, TypedChoiceField, TypedMultipleChoiceField
from .composite import ComboField, MultiValueField, SplitDateTimeField
from .files import FileField, ImageField
from .numbers import BooleanField, DecimalField, FloatField, IntegerField, NullBooleanField
from .text import (
    CharField,
    EmailField,
    GenericIPAddressField,
    JSONField,
    RegexField,
    SlugField,
    URLField,
    UUIDField,
)
from .times import DateField, DateTimeField, DurationField, TimeField

__all__ = [
    "BooleanField",
    "CharField",
    "ChoiceField",
    "ComboField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DurationField",
    "EmailField",
    "Field",
    "FileField",
    "FloatField",
    "GenericIPAddressField",
    "ImageField",
    "IntegerField",
    "JSONField",
    "MultiValueField",
    "MultipleChoiceField",
    "NullBooleanField",
    "RegexField",
    "SlugField",
    "SplitDateTimeField",
    "TimeField",
    "TypedChoiceField",
    "TypedMultipleChoiceField",
    "URLField",
    "UUIDField",
]
