"""Fields whose values are among choices.

Holds: choices of one and of several, of texts and of other types.
Imports: `base`, widgets.
Never: takes a value that is none of the choices.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Unpack

from ...errors import cut
from ..widgets import MultipleHiddenInput, Select, SelectMultiple
from ..widgets.choosing import choice_text, grouped
from .base import Field, FieldOptions

__all__ = ["ChoiceField", "MultipleChoiceField", "TypedChoiceField", "TypedMultipleChoiceField"]

# No page offers more; a list of more was made to cost time.
MOST_VALUES = 1000


def normalized(choices: Any) -> list[Any]:
    """Return choices as pairs: of an Enum, of a mapping, or pairs themselves; groups stay groups."""
    if isinstance(choices, type) and issubclass(choices, enum.Enum):
        own = getattr(choices, "choices", None)
        kind: Any = choices
        members: list[Any] = list(kind)
        if own is not None:
            return list(own)
        return [(each.value, each.name.replace("_", " ").title()) for each in members]
    if isinstance(choices, Mapping):
        return [_pair(each) for each in choices.items()]
    pairs: Any = choices
    return [_pair(each) for each in pairs]


def _pair(thing: Any) -> tuple[Any, Any]:
    if isinstance(thing, str):
        return thing, thing
    value, label = thing
    if isinstance(label, Mapping):
        label = list(label.items())
    return value, label


class _Called:
    """Choices that a function makes, each time they are asked for."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make

    def __iter__(self) -> Iterator[Any]:
        return iter(normalized(self.make()))


class ChoiceField(Field):
    """A text that is one of the choices.

    Args:
        choices: Pairs of value and label, groups of them, a mapping, an Enum, or a function that
            makes any of these anew for each form.
    """

    widget = Select
    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid_choice": "%(value)s is not one of the choices."}

    def __init__(self, *, choices: Any = (), **options: Unpack[FieldOptions]) -> None:
        super().__init__(**options)
        self.choices = choices

    def clone(self) -> Any:
        twin = super().clone()
        twin._set_choices(self._choices if isinstance(self._choices, _Called) else list(self._choices))
        return twin

    @property
    def choices(self) -> Any:
        """Pairs of value and label; assign others to change those of one form."""
        return self._choices

    @choices.setter
    def choices(self, given: Any) -> None:
        is_function = callable(given) and not isinstance(given, type)
        self._set_choices(_Called(given) if is_function else normalized(given))

    def _set_choices(self, choices: Any) -> None:
        self._choices = self.widget.choices = choices

    def to_python(self, value: Any) -> Any:
        return "" if value in self.empty_values else choice_text(value)

    def validate(self, value: Any) -> None:
        super().validate(value)
        if value and not self.valid_value(value):
            raise self.fault("invalid_choice", value=cut(value))

    def valid_value(self, value: Any) -> bool:
        """Whether a value is one of the choices."""
        text = choice_text(value)
        return any(text == choice_text(each) for _, pairs in grouped(self.choices) for each, _ in pairs)


class TypedChoiceField(ChoiceField):
    """One of the choices, as another type.

    Args:
        coerce: Makes the value of the text.
        empty_value: What an empty text becomes.
    """

    def __init__(self, *, coerce: Callable[[Any], Any] = str, empty_value: Any = "", **options: Any) -> None:
        self.coerce: Callable[[Any], Any] = coerce
        self.empty_value = empty_value
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        value = super().clean(value)
        if value == self.empty_value or value in self.empty_values:
            return self.empty_value
        return _coerced(self, self.coerce, value)


def _coerced(field: ChoiceField, coerce: Callable[[Any], Any], value: Any) -> Any:
    try:
        return coerce(value)
    except (ValueError, TypeError, ArithmeticError):
        raise field.fault("invalid_choice", value=cut(value)) from None


class MultipleChoiceField(ChoiceField):
    """Texts that are all among the choices; at most a thousand."""

    widget: Any = SelectMultiple
    hidden_widget = MultipleHiddenInput
    takes_many = True
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid_list": "This must be a list of values.",
        "too_many": "At most %(limit)s values can be chosen.",
    }

    def to_python(self, value: Any) -> Any:
        if not value:
            return []
        if not isinstance(value, list | tuple):
            raise self.fault("invalid_list")
        values = list[Any](value)
        if len(values) > MOST_VALUES:
            raise self.fault("too_many", limit=MOST_VALUES)
        if any(isinstance(each, list | tuple | dict) for each in values):
            raise self.fault("invalid_list")
        return [choice_text(each) for each in values]

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise self.fault("required")
        known = {choice_text(each) for _, pairs in grouped(self.choices) for each, _ in pairs} if value else set[str]()
        for each in value:
            if each not in known:
                raise self.fault("invalid_choice", value=cut(each))

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        given: Iterable[Any] = data if isinstance(data, list | tuple) else [] if data is None else [data]
        return {choice_text(each) for each in initial or ()} != {choice_text(each) for each in given}


class TypedMultipleChoiceField(MultipleChoiceField):
    """Several of the choices, as another type.

    Args:
        coerce: Makes each value of its text.
        empty_value: What no choice at all becomes; an empty list unless given.
    """

    def __init__(self, *, coerce: Callable[[Any], Any] = str, empty_value: Any = None, **options: Any) -> None:
        self.coerce: Callable[[Any], Any] = coerce
        self.empty_value: Any = [] if empty_value is None else empty_value
        super().__init__(**options)

    def clean(self, value: Any) -> Any:
        values = super().clean(value)
        return [_coerced(self, self.coerce, each) for each in values] if values else self.empty_value
