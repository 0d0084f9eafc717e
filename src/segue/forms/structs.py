"""Forms of Structs.

Holds: `form_for`, `StructForm`.
Imports: msgspec, forms.
Never: makes a Struct that its own type would refuse.
"""

# What a Struct holds is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
from msgspec import inspect as shapes

from ..colours import Operation
from ..errors import SetupError, ValidationError
from ..places import caller_place
from . import fields as forms
from .form import Form

__all__ = ["StructForm", "form_for"]


class StructForm(Form):
    """A form whose clean values make a Struct."""

    struct: ClassVar[type[msgspec.Struct]]
    _value: Any = None

    def _clean_more(self) -> Operation[None]:
        if self.errors:
            return
        values = {name: each for name, each in self.cleaned_data.items() if name not in self._left_out()}
        try:
            self._value = msgspec.convert(msgspec.to_builtins(values), self.struct)
        except msgspec.ValidationError as error:
            # Its message ends in the path: " - at `$.name`".
            text, _, path = str(error).partition(" - at ")
            name = path.strip("`$.").partition(".")[0].partition("[")[0]
            self.add_error(name if name in self.fields else None, ValidationError(text))
        return
        yield  # an operation without steps

    def _left_out(self) -> set[str]:
        """Return the fields that were left empty and have a default, which then stands."""
        return {
            name
            for name, field in self.fields.items()
            if not field.required and self.cleaned_data.get(name) in field.empty_values and name in self._defaults
        }

    _defaults: ClassVar[frozenset[str]] = frozenset()

    def to_struct(self) -> Any:
        """Return the Struct.

        Raises:
            ValidationError: The form is not valid.
        """
        if not self.is_valid():
            raise ValidationError(self.faults)
        return self._value


_SIMPLE: dict[type, Callable[[Any], Any]] = {
    shapes.StrType: lambda kind: _text(kind),
    shapes.IntType: lambda kind: forms.IntegerField(**_limits(kind)),
    shapes.FloatType: lambda kind: forms.FloatField(**_limits(kind)),
    shapes.DecimalType: lambda kind: forms.DecimalField(),
    shapes.BoolType: lambda kind: forms.BooleanField(required=False),
    shapes.DateType: lambda kind: forms.DateField(),
    shapes.DateTimeType: lambda kind: forms.DateTimeField(),
    shapes.TimeType: lambda kind: forms.TimeField(),
    shapes.TimeDeltaType: lambda kind: forms.DurationField(),
    shapes.UUIDType: lambda kind: forms.UUIDField(),
    shapes.EnumType: lambda kind: forms.TypedChoiceField(choices=kind.cls, coerce=_member_of(kind.cls)),
    shapes.LiteralType: lambda kind: forms.TypedChoiceField(
        choices=[(each, str(each)) for each in kind.values], coerce=_literal_of(kind.values)
    ),
}


def _text(kind: Any) -> Any:
    if kind.pattern is not None:
        return forms.RegexField(kind.pattern, max_length=kind.max_length, min_length=kind.min_length)
    return forms.CharField(max_length=kind.max_length, min_length=kind.min_length)


def _limits(kind: Any) -> dict[str, Any]:
    low = kind.ge if kind.ge is not None else kind.gt
    high = kind.le if kind.le is not None else kind.lt
    return {"min_value": low, "max_value": high}


def _member_of(cls: Any) -> Callable[[Any], Any]:
    return {str(each.value): each for each in cls}.__getitem__


def _literal_of(values: Any) -> Callable[[Any], Any]:
    return {str(each): each for each in values}.__getitem__


def _field_of(kind: Any, where: str, name: str) -> Any:
    if isinstance(kind, shapes.UnionType):
        inner = [each for each in kind.types if not isinstance(each, shapes.NoneType)]
        if len(inner) == 1:
            field = _field_of(inner[0], where, name)
            field.required = field.widget.is_required = False
            if isinstance(field, forms.BooleanField):
                return forms.NullBooleanField(required=False)
            if hasattr(field, "empty_value"):
                field.empty_value = None
            return field
    if isinstance(kind, shapes.ListType | shapes.SetType):
        item: Any = kind.item_type
        if isinstance(item, shapes.EnumType):
            return forms.TypedMultipleChoiceField(choices=item.cls, coerce=_member_of(item.cls), required=False)
        if isinstance(item, shapes.LiteralType):
            choices = [(each, str(each)) for each in item.values]
            return forms.TypedMultipleChoiceField(choices=choices, coerce=_literal_of(item.values), required=False)
    make = _SIMPLE.get(type(kind))
    if make is None:
        raise SetupError(
            f"No field of a form is known for {name!r}.",
            code="forms/struct-field",
            where=where,
            why="Texts, numbers, booleans, times, UUIDs, Enums, Literals, and lists of the last two have one.",
            hint=f"form_for(…, {name}=forms.JSONField()), or exclude=[{name!r}]",
        )
    return make(kind)


def form_for(struct: type[msgspec.Struct], *, exclude: Any = (), **declared: Any) -> type[StructForm]:
    """Return a class of forms whose fields are those of a Struct, and whose values make one.

    Args:
        struct: The Struct.
        exclude: Names that are left out; they need a default.
        declared: Fields in place of those that follow from the annotations.

    Raises:
        SetupError: A field has a type that no form can ask for.
    """
    where = caller_place()
    described: Any = shapes.type_info(struct)
    body: dict[str, Any] = {}
    defaults: set[str] = set()
    for each in described.fields:
        if each.name in exclude:
            continue
        field = declared.get(each.name) or _field_of(each.type, where, each.name)
        if not each.required and each.name not in declared:
            defaults.add(each.name)
            field.required = field.widget.is_required = False
            if each.default is not msgspec.NODEFAULT:
                field.initial = each.default
            elif each.default_factory is not msgspec.NODEFAULT:
                field.initial = each.default_factory
        body[each.name] = field
    namespace = {**body, "struct": struct, "_defaults": frozenset(defaults), "__module__": struct.__module__}
    return type(f"{struct.__name__}Form", (StructForm,), namespace)
