"""Methods that fields give their model, under Django's names.

Holds: `get_FOO_display()`, `get_next_by_FOO()`, `get_previous_by_FOO()`.
Imports: fields, `Q`.
Never: takes the place of a method that the class has.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import QueryError
from ..expressions.q import Q
from ..fields.times import DateField, DateTimeField

__all__ = ["add_methods"]


def add_methods(cls: Any, fields: Any) -> None:
    """Give *cls* the methods that follow from its own fields."""
    for field in fields:
        if field.choices_given is not None:
            _add(cls, f"get_{field.name}_display", _label_method(field), f"Return the label of `{field.name}`.")
        if isinstance(field, DateField | DateTimeField) and not field.null:
            for name, later in (("next", True), ("previous", False)):
                find, afind = _neighbour_methods(field, later=later)
                text = f"Return the {name} row by `{field.name}`, the key deciding among equals."
                _add(cls, f"get_{name}_by_{field.name}", find, text)
                _add(cls, f"aget_{name}_by_{field.name}", afind, text)


def _add(cls: Any, name: str, method: Callable[..., Any], text: str) -> None:
    if not hasattr(cls, name):
        method.__name__ = name
        method.__qualname__ = f"{cls.__qualname__}.{name}"
        method.__doc__ = text
        setattr(cls, name, method)


def _label_method(field: Any) -> Callable[[Any], str]:
    def label(self: Any) -> str:
        value = getattr(self, field.attname)
        value = getattr(value, "value", value)
        try:
            return str(dict(field.flat_choices).get(value, "" if value is None else value))
        except TypeError:  # a list or dictionary is no key of the labels
            return str(value)

    return label


def _neighbour_methods(field: Any, *, later: bool) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def find(self: Any, **lookups: Any) -> Any:
        return _found(self, _neighbours(self, field, lookups, later=later).first())

    async def afind(self: Any, **lookups: Any) -> Any:
        return _found(self, await _neighbours(self, field, lookups, later=later).afirst())

    return find, afind


def _neighbours(instance: Any, field: Any, lookups: dict[str, Any], *, later: bool) -> Any:
    if instance.pk is None:
        raise QueryError(
            f"This {type(instance).__name__} was not saved, and has no neighbours.",
            code="data/unsaved",
            hint="Save it first.",
        )
    how, sign = ("gt", "") if later else ("lt", "-")
    value = getattr(instance, field.attname)
    beyond = Q(**{f"{field.name}__{how}": value}) | Q(**{field.name: value, f"pk__{how}": instance.pk})
    rows = instance._meta.default_queryset().using(instance._database())
    return rows.filter(beyond, **lookups).order_by(f"{sign}{field.name}", f"{sign}pk")


def _found(instance: Any, neighbour: Any) -> Any:
    if neighbour is None:
        raise instance.DoesNotExist(f"{type(instance).__name__} {instance.pk!r} is the last on that side.")
    return neighbour
