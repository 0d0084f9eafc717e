"""Fields made of others.

Holds: `ComboField`, `MultiValueField`, `SplitDateTimeField`.
Imports: `base`, `times`, widgets.
Never: joins values of which one is not good.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Unpack

from ...errors import UsageError, ValidationError
from ..widgets import MultiWidget, SplitDateTimeWidget, SplitHiddenDateTimeWidget
from .base import Field, FieldOptions
from .times import DateField, TimeField

__all__ = ["ComboField", "MultiValueField", "SplitDateTimeField"]


class ComboField(Field):
    """A value that several fields check, one after the other.

    Args:
        fields: The fields; each gets what the one before made of it.
    """

    def __init__(self, *, fields: Sequence[Field], **options: Unpack[FieldOptions]) -> None:
        super().__init__(**options)
        self.fields: list[Field] = [each.clone() for each in fields]
        for each in self.fields:
            each.required = False

    def clean(self, value: Any) -> Any:
        super().clean(value)
        for each in self.fields:
            value = each.clean(value)
        return value


class MultiValueField(Field):
    """A value that several fields make together; a subclass says in `compress` how.

    Args:
        fields: The fields, in the order of the widget's own.
        require_all_fields: Whether each must have a value where one is required; else each
            field's own `required` counts.
    """

    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid": "This must be a list of values.",
        "incomplete": "A part of this is missing.",
    }
    takes_many = True

    def __init__(
        self, *, fields: Sequence[Field], require_all_fields: bool = True, **options: Unpack[FieldOptions]
    ) -> None:
        self.require_all_fields = require_all_fields
        super().__init__(**options)
        self.fields: list[Field] = [each.clone() for each in fields]
        for each in self.fields:
            each.error_messages.setdefault("incomplete", self.error_messages["incomplete"])
            each.disabled = each.disabled or self.disabled
            if require_all_fields:
                # Whether all are there is for this field to say.
                each.required = False

    def clone(self) -> Any:
        twin = super().clone()
        twin.fields = [each.clone() for each in self.fields]
        return twin

    def validate(self, value: Any) -> None:
        pass

    def clean(self, value: Any) -> Any:
        if self.disabled and not isinstance(value, list):
            value = self._decompressed(value)
        values = self._values(value)
        if all(each in self.empty_values for each in values):
            if self.required:
                raise self.fault("required")
            return self.compress([])
        cleaned: list[Any] = []
        faults: list[Any] = []
        for field, each in zip(self.fields, values, strict=True):
            if each in self.empty_values and (self.require_all_fields or field.required):
                faults.append(self._missing(field))
                continue
            try:
                cleaned.append(field.clean(each))
            except ValidationError as error:
                faults.extend(error.faults)
        if faults:
            raise ValidationError(_each_once(ValidationError(faults).faults))
        made = self.compress(cleaned)
        self.run_validators(made)
        return made

    def _missing(self, field: Field) -> ValidationError:
        if not self.require_all_fields:
            return field.fault("incomplete")
        return self.fault("required" if self.required else "incomplete")

    def _values(self, value: Any) -> list[Any]:
        if value is None or value == "":
            return [None] * len(self.fields)
        if not isinstance(value, list | tuple) or len(value) > len(self.fields):
            raise self.fault("invalid")
        values = list[Any](value)
        return values + [None] * (len(self.fields) - len(values))

    def _decompressed(self, value: Any) -> Any:
        return self.widget.decompress(value) if isinstance(self.widget, MultiWidget) else value

    def compress(self, data_list: list[Any]) -> Any:
        """Return one value for those of the fields; the list is empty where nothing was sent."""
        raise UsageError(
            f"{type(self).__name__} does not say what its values make together.",
            code="forms/compress",
            hint="def compress(self, data_list):\n    return Point(*data_list) if data_list else None",
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        before = initial if isinstance(initial, list | tuple) else self._decompressed(initial)
        olds: list[Any] = list(before) if isinstance(before, list | tuple) else [None] * len(self.fields)
        try:
            news = self._values(data)
        except ValidationError:
            return True
        return any(field.has_changed(old, new) for field, old, new in zip(self.fields, olds, news, strict=False))


def _each_once(faults: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for each in faults:
        if all((each.code, each.message) != (other.code, other.message) for other in found):
            found.append(each)
    return found


class SplitDateTimeField(MultiValueField):
    """A moment whose day and time are sent apart.

    Args:
        input_date_formats: How the day may be typed.
        input_time_formats: How the time may be.
    """

    widget = SplitDateTimeWidget
    hidden_widget = SplitHiddenDateTimeWidget
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid_date": "This is not a date.",
        "invalid_time": "This is not a time.",
    }

    def __init__(
        self,
        *,
        input_date_formats: Iterable[str] | None = None,
        input_time_formats: Iterable[str] | None = None,
        **options: Any,
    ) -> None:
        texts = {**self._messages, **options.get("error_messages", {})}
        fields = [
            DateField(input_formats=input_date_formats, error_messages={"invalid": texts["invalid_date"]}),
            TimeField(input_formats=input_time_formats, error_messages={"invalid": texts["invalid_time"]}),
        ]
        super().__init__(fields=fields, **options)

    def compress(self, data_list: list[Any]) -> Any:
        if not data_list:
            return None
        day, clock = data_list
        return datetime.combine(day, clock, tzinfo=UTC)
