"""What shows a value in a page, and takes it from what a browser sends.

Holds: `Widget` and every kind of it.
Imports: `media`, `rendering`, MarkupSafe.
Never: checks a value.
"""

from __future__ import annotations

from .base import Attributes, Widget
from .choosing import CheckboxSelectMultiple, ChoiceWidget, NullBooleanSelect, RadioSelect, Select, SelectMultiple
from .composite import MultiWidget, SelectDateWidget, SplitDateTimeWidget, SplitHiddenDateTimeWidget
from .files import ClearableFileInput, FileInput
from .inputs import (
    CheckboxInput,
    ColorInput,
    DateInput,
    DateTimeInput,
    EmailInput,
    HiddenInput,
    Input,
    MultipleHiddenInput,
    NumberInput,
    PasswordInput,
    SearchInput,
    TelInput,
    Textarea,
    TextInput,
    TimeInput,
    URLInput,
)

__all__ = [
    "Attributes",
    "CheckboxInput",
    "CheckboxSelectMultiple",
    "ChoiceWidget",
    "ClearableFileInput",
    "ColorInput",
    "DateInput",
    "DateTimeInput",
    "EmailInput",
    "FileInput",
    "HiddenInput",
    "Input",
    "MultiWidget",
    "MultipleHiddenInput",
    "NullBooleanSelect",
    "NumberInput",
    "PasswordInput",
    "RadioSelect",
    "SearchInput",
    "Select",
    "SelectDateWidget",
    "SelectMultiple",
    "SplitDateTimeWidget",
    "SplitHiddenDateTimeWidget",
    "TelInput",
    "TextInput",
    "Textarea",
    "TimeInput",
    "URLInput",
    "Widget",
]
