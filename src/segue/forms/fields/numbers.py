"""Fields of numbers, and of yes and no.

Holds: whole numbers, floats, decimals, booleans.
Imports: `base`, validators, widgets.
Never: computes with a number before its digits are counted; takes digits of other scripts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Unpack

from ...errors import ValidationError
from ...validators import DecimalValidator, MaxValueValidator, MinValueValidator
from ..widgets import CheckboxInput, NullBooleanSelect, NumberInput, Widget
from .base import Field, FieldOptions

__all__ = ["BooleanField", "DecimalField", "FloatField", "IntegerField", "NullBooleanField"]

_WHOLE = re.compile(r"-?[0-9]{1,19}")
_REAL = re.compile(r"[+-]?(?:[0-9]{1,200}(?:\.[0-9]{0,200})?|\.[0-9]{1,200})(?:[eE][+-]?[0-9]{1,3})?")
_MOST_DIGITS = 200


class IntegerField(Field):
    """A whole number of at most 19 digits.

    Args:
        min_value: The smallest that is good.
        max_value: The largest.
        step_size: What it must be a multiple of, from `min_value` on.
    """

    widget = NumberInput
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid": "This is not a whole number.",
        "step_size": "This must be a multiple of %(limit_value)s.",
    }
    inputmode: ClassVar[str] = "numeric"

    def __init__(
        self,
        *,
        min_value: Any = None,
        max_value: Any = None,
        step_size: Any = None,
        **options: Unpack[FieldOptions],
    ) -> None:
        self.min_value = min_value
        self.max_value = max_value
        self.step_size = step_size
        super().__init__(**options)
        if max_value is not None:
            self.validators.append(MaxValueValidator(max_value))
        if min_value is not None:
            self.validators.append(MinValueValidator(min_value))
        if step_size is not None:
            self.validators.append(self._check_step)

    def clone(self) -> Any:
        twin = super().clone()
        if self.step_size is not None:
            twin.validators = [twin._check_step if each == self._check_step else each for each in self.validators]
        return twin

    def _check_step(self, value: Any) -> None:
        start = self.min_value if isinstance(self.min_value, int | float | Decimal) else 0
        rest = math.remainder(float(value) - float(start), float(self.step_size))
        if not math.isclose(rest, 0.0, abs_tol=1e-9 * max(1.0, abs(float(value)))):
            raise self.fault("step_size", limit_value=self.step_size)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            # As many digits as a text may have.
            if abs(value) < 10**19:
                return value
            raise self.fault("invalid")
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            return int(value)
        text = value.strip() if isinstance(value, str) and len(value) <= 64 else ""
        if not _WHOLE.fullmatch(text):
            raise self.fault("invalid")
        return int(text)

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        if isinstance(widget, NumberInput):
            limits = {"min": self.min_value, "max": self.max_value, "step": self.step_size}
            # A limit that is a function is known when it is asked.
            attrs |= {name: each for name, each in limits.items() if each is not None and not callable(each)}
            attrs.setdefault("inputmode", self.inputmode if self._is_positive() else "text")
            if attrs["inputmode"] == "text":
                del attrs["inputmode"]
        return attrs

    def _is_positive(self) -> bool:
        # The keys of digits alone have no minus sign on some telephones.
        return isinstance(self.min_value, int | float | Decimal) and self.min_value >= 0


class FloatField(IntegerField):
    """A double precision number; infinity and not-a-number are refused."""

    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid": "This is not a number."}
    inputmode = "decimal"

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        text = _digits_of(value)
        if text is None:
            raise self.fault("invalid")
        found = float(text)
        if not math.isfinite(found):
            raise self.fault("invalid")
        return found

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        if isinstance(widget, NumberInput) and "step" not in widget.attrs:
            attrs.setdefault("step", "any")
        return attrs


class DecimalField(IntegerField):
    """A decimal number, exact.

    Args:
        max_digits: How many digits it may have in all.
        decimal_places: How many of them after the point.
    """

    default_error_messages: ClassVar[Mapping[str, Any]] = {"invalid": "This is not a number."}
    inputmode = "decimal"

    def __init__(self, *, max_digits: int | None = None, decimal_places: int | None = None, **options: Any) -> None:
        self.max_digits = max_digits
        self.decimal_places = decimal_places
        super().__init__(**options)
        self._digits = _DigitsValidator(max_digits, decimal_places)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        text = _digits_of(value)
        if text is None:
            raise self.fault("invalid")
        found = Decimal(text)
        # The digits are counted before anything is computed: 1E+1000000 takes a minute to write out.
        if not found.is_finite() or abs(found.adjusted()) > _MOST_DIGITS:
            raise self.fault("invalid")
        return found

    def run_validators(self, value: Any) -> None:
        if isinstance(value, Decimal):
            try:
                self._digits(value)
            except ValidationError as error:
                raise ValidationError([self.worded(fault, value) for fault in error.faults]) from None
        super().run_validators(value)

    def _check_step(self, value: Any) -> None:
        start = Decimal(str(self.min_value)) if self.min_value is not None and not callable(self.min_value) else 0
        if (value - start) % Decimal(str(self.step_size)):
            raise self.fault("step_size", limit_value=self.step_size)

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        attrs = super().widget_attrs(widget)
        if isinstance(widget, NumberInput) and "step" not in widget.attrs and "step" not in attrs:
            places = self.decimal_places
            attrs["step"] = (
                "any" if places is None else str(Decimal(1).scaleb(-places)) if places < 7 else f"1e-{places}"
            )
        return attrs


class _DigitsValidator:
    """At most so many digits, where anybody says how many."""

    def __init__(self, digits: int | None, places: int | None) -> None:
        self.digits = digits
        self.places = places

    def __call__(self, value: Decimal) -> None:
        most = _MOST_DIGITS if self.digits is None else self.digits
        places = min(self.places if self.places is not None else most, most)
        _sign, digits, exponent = value.as_tuple()
        after = max(-int(exponent), 0)
        total = max(len(digits) + max(int(exponent), 0), after)
        if self.digits is not None and total > self.digits:
            raise ValidationError(f"At most {most} digits.", "max_digits", {"max": most})
        if self.places is not None:
            DecimalValidator(most, places)(value)


def _digits_of(value: Any) -> str | None:
    """Return a number as the text of one, or `None` where it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        return None
    if isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS:
        return None
    if isinstance(value, Decimal) and (not value.is_finite() or abs(value.adjusted()) > _MOST_DIGITS):
        return None
    text = (
        value.strip() if isinstance(value, str) and len(value) <= 1000 else "" if isinstance(value, str) else str(value)
    )
    return text if _REAL.fullmatch(text) else None


_FALSE = frozenset({"false", "0", "off", "no", "f", "n"})


class BooleanField(Field):
    """Yes or no; a required one must be yes."""

    widget: Any = CheckboxInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, str):
            return len(value) > 5 or (value.lower() not in _FALSE and value != "")
        return bool(value)

    def validate(self, value: Any) -> None:
        if not value and self.required:
            raise self.fault("required")

    def has_changed(self, initial: Any, data: Any) -> bool:
        return not self.disabled and self.to_python(initial) != self.to_python(data)


class NullBooleanField(BooleanField):
    """Yes, no or unknown, which is `None`; never an error."""

    widget = NullBooleanSelect
    _words: ClassVar[Mapping[Any, bool]] = {
        "true": True, "True": True, "1": True, "on": True, "false": False, "False": False, "0": False, "off": False,
    }  # fmt: skip

    def to_python(self, value: Any) -> Any:
        if isinstance(value, bool):
            return value
        return self._words.get(value) if isinstance(value, str) else None

    def validate(self, value: Any) -> None:
        pass
