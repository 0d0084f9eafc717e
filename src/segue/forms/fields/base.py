"""What every field is.

Holds: `Field`: one declaration of how a value is read, checked and shown.
Imports: widgets, floor 0.
Never: keeps a value; a form does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack

from ...colours import Operation, run
from ...errors import Fault, SetupError, ValidationError, did_you_mean
from ...places import caller_place
from ...validators import filled
from ..boundfield import BoundField
from ..widgets import HiddenInput, TextInput, Widget

if TYPE_CHECKING:
    from ..form import Form

__all__ = ["Field", "FieldOptions"]


class FieldOptions(TypedDict, total=False):
    """The options that every field takes, as in Django."""

    required: bool
    widget: Any
    label: Any
    initial: Any
    help_text: Any
    error_messages: Mapping[str, Any]
    show_hidden_initial: bool
    validators: Sequence[Callable[[Any], Any]]
    localize: bool
    disabled: bool
    label_suffix: str | None
    template_name: str | None


# PERF: `list | tuple | …` would be put together anew for each value.
_SEVERAL = (list, tuple, dict, set)


class Field:
    """How one value of a form is read, checked and shown.

    Args:
        required: Whether an empty value is an error.
        widget: What shows it, where that is not the field's own: a class or an instance.
        label: Its name for people; made of its name in the form unless given.
        initial: What it shows before anything was sent; or a function that makes it.
        help_text: What stands beside it.
        error_messages: Other texts, by the code of the error.
        show_hidden_initial: Send what it started with, to see whether it changed.
        validators: Functions that raise `ValidationError` for a bad value.
        disabled: Show it, and take nothing that is sent for it.
        label_suffix: What ends its label; the form's `:` unless given.
        template_name: The template of label, help, errors and element.
    """

    widget: Any = TextInput
    hidden_widget: Any = HiddenInput
    default_validators: ClassVar[Sequence[Callable[[Any], Any]]] = ()
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "required": "This field is required.",
        "several": "Only one value can stand here.",
    }
    empty_values: ClassVar[tuple[Any, ...]] = (None, "", [], (), {})
    # Whether a list or a mapping is a value; for others it is what nobody's browser sends.
    takes_many: ClassVar[bool] = False
    # Whether its values must be asked for, so that `cleaning` has steps that wait.
    waits: bool = False
    _messages: ClassVar[dict[str, Any]] = dict(default_error_messages)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._messages = {
            code: text
            for each in reversed(cls.__mro__)
            for code, text in vars(each).get("default_error_messages", {}).items()
        }

    def __init__(self, **options: Unpack[FieldOptions]) -> None:
        unknown = [name for name in options if name not in FieldOptions.__annotations__]
        if unknown:
            raise SetupError(
                f"{type(self).__name__} takes no `{unknown[0]}`.",
                code="forms/field-option",
                where=caller_place(),
                hint=did_you_mean(unknown[0], [*FieldOptions.__annotations__, *_parameters(type(self))]),
            )
        self.required: bool = options.get("required", True)
        self.label: Any = options.get("label")
        self.initial: Any = options.get("initial")
        self.help_text: Any = options.get("help_text", "")
        self.show_hidden_initial: bool = options.get("show_hidden_initial", False)
        self.localize: bool = options.get("localize", False)
        self.disabled: bool = options.get("disabled", False)
        self.label_suffix: str | None = options.get("label_suffix")
        self.template_name: str | None = options.get("template_name")
        self.error_messages: dict[str, Any] = {**self._messages, **options.get("error_messages", {})}
        self.validators: list[Callable[[Any], Any]] = [*self.default_validators, *options.get("validators", ())]
        if any(getattr(each, "waits", False) for each in self.validators):
            self.waits = True
        given = options.get("widget") or self.widget
        widget: Widget = given() if isinstance(given, type) else given.clone()
        widget.is_required = self.required
        widget.is_localized = widget.is_localized or self.localize
        widget.attrs = {**widget.attrs, **self.widget_attrs(widget)}
        self.widget = widget

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def clone(self) -> Any:
        """Return a copy that can be changed for one form, with its widget."""
        kind = type(self)
        # PERF: made for each field of each form; copy.copy() takes five times as long.
        twin = kind.__new__(kind)
        own = twin.__dict__
        own.update(self.__dict__)
        own["widget"] = self.widget.clone()
        own["error_messages"] = self.error_messages.copy()
        own["validators"] = self.validators.copy()
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self.clone()

    def get_bound_field(self, form: Form, name: str) -> BoundField:
        """Return what `form[name]` is."""
        return BoundField(form, self, name)

    def widget_attrs(self, widget: Widget) -> dict[str, Any]:
        """Return the attributes by which a browser checks what the field does."""
        return {}

    # Reading

    def prepare_value(self, value: Any) -> Any:
        """Return a value as the widget shows it."""
        return value

    def to_python(self, value: Any) -> Any:
        """Return what was sent as the value it is.

        Raises:
            ValidationError: It is none.
        """
        return value

    def validate(self, value: Any) -> None:
        """Refuse a value that is empty where one is required.

        Raises:
            ValidationError: It is.
        """
        if self.required and value in self.empty_values:
            raise self.fault("required")

    def run_validators(self, value: Any) -> None:
        """Run the validators, all of them, on a value that is not empty.

        Raises:
            ValidationError: With what each of them says.
        """
        if not self.validators or value in self.empty_values:
            return
        faults: list[Any] = []
        for validator in self.validators:
            if getattr(validator, "waits", False):
                continue  # `cleaning` asks it
            try:
                validator(value)
            except ValidationError as error:
                faults.extend(self.worded(fault, value) for fault in error.faults)
        if faults:
            raise ValidationError(faults)

    def clean(self, value: Any) -> Any:
        """Return what was sent as a value that is checked.

        Raises:
            ValidationError: It is not good.
        """
        if self.waits:
            return run(self.cleaning(value))
        return self._cleaned(value)

    def _cleaned(self, value: Any) -> Any:
        if not self.takes_many and isinstance(value, _SEVERAL):
            raise self.fault("several")
        value = self.to_python(value)
        self.validate(value)
        self.run_validators(value)
        return value

    def cleaning(self, value: Any, form: Form | None = None) -> Operation[Any]:
        """`clean` where it has to ask, in both colours."""
        value = self._cleaned(value)
        if value not in self.empty_values:
            yield from self.asking(value, form)
        return value

    def asking(self, value: Any, form: Form | None) -> Operation[None]:
        """Run the validators that have to ask."""
        for validator in self.validators:
            if getattr(validator, "waits", False):
                checking: Any = validator
                try:
                    yield from checking.checking(value, form)
                except ValidationError as error:
                    raise ValidationError([self.worded(fault, value) for fault in error.faults]) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what a form that comes back shows: what was sent, or what it started with."""
        return initial if self.disabled else data

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether what was sent is another value than it started with."""
        if self.disabled:
            return False
        try:
            data = self.to_python(data)
        except ValidationError:
            return True
        return bool(self._blank(initial) != self._blank(data))

    def _blank(self, value: Any) -> Any:
        return "" if value is None else value

    def fault(self, code: str, **params: Any) -> ValidationError:
        """Return the error of that code, worded by `error_messages`."""
        return ValidationError(self.error_messages[code], code, params)

    def worded(self, fault: Fault, value: Any = None) -> Fault:
        """Return a fault in the words that this field was given for its code, where it was given some.

        They may name what the validator names, and `%(value)s`: what was refused.
        """
        text = self.error_messages.get(fault.code)
        if text is None or text == self._messages.get(fault.code):
            return fault  # the field's own words are for its own checks
        return Fault((), fault.code, filled(text, value, fault.params), fault.params)


def _parameters(kind: type) -> list[str]:
    """Return the options that a class of field and those above it name in `__init__`."""
    found: list[str] = []
    for each in kind.__mro__:
        made = vars(each).get("__init__")
        if made is not None and each is not object:
            found += [name for name, one in signature(made).parameters.items() if one.kind is one.KEYWORD_ONLY]
    return found
