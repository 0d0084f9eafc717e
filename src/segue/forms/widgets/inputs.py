"""Widgets of one element.

Holds: every kind of `<input>`, and `<textarea>`.
Imports: `base`.
Never: shows a password again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

from .base import Widget, values_in

__all__ = [
    "CheckboxInput",
    "ColorInput",
    "DateInput",
    "DateTimeInput",
    "EmailInput",
    "HiddenInput",
    "Input",
    "MultipleHiddenInput",
    "NumberInput",
    "PasswordInput",
    "SearchInput",
    "TelInput",
    "TextInput",
    "Textarea",
    "TimeInput",
    "URLInput",
]


class Input(Widget):
    """An `<input>` of the type `input_type`."""

    input_type: str | None = "text"
    template_name = "segue/forms/widgets/input.html"

    def __init__(self, attrs: Mapping[str, Any] | None = None) -> None:
        super().__init__(attrs)
        # A type among the attributes is the widget's, so that its template shows one.
        self.input_type = self.attrs.pop("type", self.input_type)


class TextInput(Input):
    """A line of text."""


class NumberInput(Input):
    """A number."""

    input_type: str | None = "number"


class EmailInput(Input):
    """An address of mail."""

    input_type: str | None = "email"
    default_attrs: ClassVar[Mapping[str, Any]] = {"autocomplete": "email", "inputmode": "email"}


class URLInput(Input):
    """A URL."""

    input_type: str | None = "url"
    default_attrs: ClassVar[Mapping[str, Any]] = {"autocomplete": "url", "inputmode": "url"}


class ColorInput(Input):
    """A colour."""

    input_type: str | None = "color"


class SearchInput(Input):
    """Words to search for."""

    input_type: str | None = "search"


class TelInput(Input):
    """A number of telephone."""

    input_type: str | None = "tel"
    default_attrs: ClassVar[Mapping[str, Any]] = {"autocomplete": "tel", "inputmode": "tel"}


class PasswordInput(Input):
    """A password. For a new one: `attrs={"autocomplete": "new-password"}`.

    Args:
        render_value: Whether a form that comes back shows what was typed, in the page's source.
    """

    input_type: str | None = "password"
    default_attrs: ClassVar[Mapping[str, Any]] = {"autocomplete": "current-password"}

    def __init__(self, attrs: Mapping[str, Any] | None = None, *, render_value: bool = False) -> None:
        super().__init__(attrs)
        self.render_value = render_value

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        return super().get_context(name, value if self.render_value else None, attrs)


class HiddenInput(Input):
    """A value that nobody sees."""

    input_type: str | None = "hidden"


class MultipleHiddenInput(HiddenInput):
    """Several values that nobody sees."""

    template_name = "segue/forms/widgets/multiple_hidden.html"

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        widget = context["widget"]
        id_ = widget["attrs"].pop("id", None)
        widget["subwidgets"] = [
            {
                **widget,
                "value": each,
                "attrs": self.build_attrs(widget["attrs"], {"id": f"{id_}_{at}"} if id_ else None),
            }
            for at, each in enumerate(widget["value"])
        ]
        return context

    def format_value(self, value: Any) -> Any:
        return [] if value is None else [str(each) for each in value]

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        return values_in(data, name)


class _Timed(Input):
    """What shows a day or a time; in a format of one's own it is plain text."""

    own_type: ClassVar[str] = ""

    def __init__(self, attrs: Mapping[str, Any] | None = None, *, format: str | None = None) -> None:  # noqa: A002  # Django's name
        # A browser's own picker sends and takes ISO 8601 alone.
        self.format = format
        self.input_type = self.own_type if format is None else "text"
        super().__init__(attrs)
        if self.input_type == "text":
            self.attrs.pop("step", None)

    def format_value(self, value: Any) -> Any:
        if value is None or value == "":
            return None
        if not hasattr(value, "strftime"):
            return str(value)
        return value.strftime(self.format) if self.format is not None else self.as_iso(value)

    def as_iso(self, value: Any) -> str:
        """Return *value* as the browser's element takes it."""
        return str(value.isoformat())


class DateInput(_Timed):
    """A day."""

    own_type = "date"

    def as_iso(self, value: Any) -> str:
        return str(value.date().isoformat() if isinstance(value, datetime) else value.isoformat())


class DateTimeInput(_Timed):
    """A day and a time."""

    own_type = "datetime-local"
    supports_microseconds = False
    default_attrs: ClassVar[Mapping[str, Any]] = {"step": "1"}  # seconds, which a browser refuses without it

    def as_iso(self, value: Any) -> str:
        # The element takes no zone.
        plain = value.replace(tzinfo=None) if isinstance(value, datetime) else value
        return str(plain.isoformat())


class TimeInput(_Timed):
    """A time of day."""

    own_type = "time"
    supports_microseconds = False
    default_attrs: ClassVar[Mapping[str, Any]] = {"step": "1"}


class Textarea(Widget):
    """Text of several lines."""

    template_name = "segue/forms/widgets/textarea.html"
    default_attrs: ClassVar[Mapping[str, Any]] = {"cols": "40", "rows": "10"}
    multiline = True


_FALSE = frozenset({"false", "False", "0", "off", "no", ""})


class CheckboxInput(Input):
    """A box to tick.

    Args:
        check_test: Tells from a value whether it is ticked.
    """

    input_type: str | None = "checkbox"

    def __init__(
        self, attrs: Mapping[str, Any] | None = None, *, check_test: Callable[[Any], bool] | None = None
    ) -> None:
        super().__init__(attrs)
        self.check_test: Callable[[Any], bool] = check_test or _is_ticked

    def format_value(self, value: Any) -> Any:
        if value is True or value is False or value is None or value == "":
            return None
        return str(value)

    def get_context(self, name: str, value: Any, attrs: Mapping[str, Any] | None) -> dict[str, Any]:
        ticked = {"checked": True} if self.check_test(value) else {}
        return super().get_context(name, value, {**(attrs or {}), **ticked})

    def value_from_datadict(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> Any:
        values = values_in(data, name)
        if not values:
            return False
        # A hidden field before the box says what it is when it is not ticked.
        value = values[-1]
        return value not in _FALSE if isinstance(value, str) else value

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Mapping[str, Any], name: str) -> bool:
        # A browser sends nothing for a box that is not ticked.
        return False


def _is_ticked(value: Any) -> bool:
    return value is not False and value is not None and value != ""
