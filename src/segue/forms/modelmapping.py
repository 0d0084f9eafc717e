"""From a field of a model to a field of a form.

Holds: the one table of it, `formfield` and `fields_for_model`.
Imports: db, fields.
Never: is known by db; a field of one's own says its own by a method `formfield`.
"""

# Fields of models are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .. import db
from ..errors import SetupError, did_you_mean
from ..text import capitalized
from . import fields as forms
from .adoptedfields import adopted_entry
from .modelfields import ModelChoiceField, ModelMultipleChoiceField
from .widgets import Textarea

__all__ = ["ALL_FIELDS", "fields_for_model", "formfield", "is_writable"]

ALL_FIELDS = "__all__"

Options = dict[str, Any]


def _text(field: Any) -> Options:
    return {
        "max_length": field.max_length,
        "min_length": getattr(field, "min_length", None),
        "empty_value": None if field.null else "",
    }


def _whole(field: Any) -> Options:
    low = field.min_value if field.min_value is not None else 0 if field.positive else None
    return {"min_value": low, "max_value": field.max_value}


def _limits(field: Any) -> Options:
    return {"min_value": field.min_value, "max_value": field.max_value}


def _reference(field: Any) -> Options:
    return {
        "queryset": lambda: field.target._meta.default_queryset(),
        "to_field_name": field.to_field,
        "limit_choices_to": field.limit_choices_to,
        "blank": field.blank,
    }


def _many(field: Any) -> Options:
    return {
        "queryset": lambda: field.target._meta.default_queryset(),
        "limit_choices_to": field.limit_choices_to,
    }


# Kind of the model's field → class of the form's, and the options that follow from the declaration.
# `None`: no form has it. A kind that is not here is that of the class of field it derives from.
TABLE: dict[str, tuple[Any, Callable[[Any], Options]] | None] = {
    "integer": (forms.IntegerField, _whole),
    "float": (forms.FloatField, _limits),
    "decimal": (
        forms.DecimalField,
        lambda field: {**_limits(field), "max_digits": field.max_digits, "decimal_places": field.decimal_places},
    ),
    "boolean": (forms.BooleanField, lambda field: {"required": False}),
    "char": (forms.CharField, _text),
    "text": (forms.CharField, lambda field: {**_text(field), "widget": Textarea}),
    "slug": (forms.SlugField, _text),
    "email": (forms.EmailField, _text),
    "url": (forms.URLField, _text),
    "ip": (
        forms.GenericIPAddressField,
        lambda field: {"protocol": field.protocol, "empty_value": None if field.null else ""},
    ),
    "uuid": (forms.UUIDField, lambda field: {}),
    "json": (forms.JSONField, lambda field: {}),
    "array": (forms.JSONField, lambda field: {}),
    "date": (forms.DateField, lambda field: {}),
    "datetime": (forms.DateTimeField, lambda field: {}),
    "time": (forms.TimeField, lambda field: {}),
    "duration": (forms.DurationField, lambda field: {}),
    "foreign_key": (ModelChoiceField, _reference),
    "one_to_one": (ModelChoiceField, _reference),
    "many_to_many": (ModelMultipleChoiceField, _many),
    "auto": None,
    "core_auto": None,
    "binary": None,
    "generated": None,
    "key_part": None,
    # A path is written by whoever stores the file.
    "file": None,
    "image": None,
}


def _entry(field: Any) -> tuple[Any, Callable[[Any], Options]] | None:
    for kind in type(field).__mro__:
        name = vars(kind).get("kind")
        if name == "core":
            return adopted_entry(field)
        if name in TABLE:
            return TABLE[name]
    return None


def is_writable(field: Any) -> bool:
    """Whether a form can have the field at all."""
    if not field.editable or field.generated or getattr(field, "parent_link", False):
        return False
    if isinstance(field, db.ManyToManyField):
        return field.auto_created
    return _entry(field) is not None or hasattr(field, "formfield")


def formfield(field: Any, form_class: Any = None, **given: Any) -> Any:
    """Return the field of a form for one of a model; `None` where there is none.

    Args:
        form_class: Another class than the table's.
        given: Options that go before those that follow from the declaration.
    """
    own = getattr(field, "formfield", None)
    if own is not None:
        return own(**({"form_class": form_class} if form_class else {}), **given)
    entry = _entry(field)
    if entry is None:
        return None
    kind, follow = entry
    shared: Options = {
        "required": not field.blank,
        "label": capitalized(field.verbose_name),
        "help_text": field.help_text,
    }
    if field.has_default:
        shared["initial"] = field.default
    if field.choices_given is not None:
        kind, own_options = _choosing(field)
    elif field.kind == "boolean" and field.null:
        kind, own_options = forms.NullBooleanField, dict[str, Any]()
    else:
        own_options = follow(field)
    if form_class is not None:
        own_options = {name: each for name, each in own_options.items() if _takes(form_class, name)}
    return (form_class or kind)(**{**shared, **own_options, **given})


def _takes(form_class: Any, name: str) -> bool:
    from .fields.base import FieldOptions, _parameters  # pyright: ignore[reportPrivateUsage]  # one package

    return name in FieldOptions.__annotations__ or name in _parameters(form_class) or name == "queryset"


def _choosing(field: Any) -> tuple[Any, Options]:
    def choices() -> list[tuple[Any, Any]]:
        found: list[tuple[Any, Any]] = list(field.choices)
        has_blank = any(value in ("", None) for value, _ in found)
        needs_blank = field.blank or not field.has_default
        return [("", "---------"), *found] if needs_blank and not has_blank else found

    def coerce(text: Any) -> Any:
        # Of an Enum a member, as a row that is fetched has it.
        return field.enum(field.to_python(text)) if field.enum is not None else field.to_python(text)

    given = choices if callable(field.choices_given) and field.enum is None else choices()
    return forms.TypedChoiceField, {
        "choices": given,
        "coerce": coerce,
        "empty_value": None if field.null else "",
        "required": not field.blank,
    }


def fields_for_model(
    model: Any,
    fields: Any = None,
    exclude: Iterable[str] | None = None,
    *,
    widgets: Mapping[str, Any] | None = None,
    labels: Mapping[str, Any] | None = None,
    help_texts: Mapping[str, Any] | None = None,
    error_messages: Mapping[str, Any] | None = None,
    field_classes: Mapping[str, Any] | None = None,
    localized_fields: Any = None,
    formfield_callback: Callable[..., Any] | None = None,
    where: str = "",
    declared: Iterable[str] = (),
) -> dict[str, Any]:
    """Return the fields of a form for those of a model, by name.

    Args:
        fields: Their names, in order; `"__all__"` is every one but secrets and privileged ones.
        exclude: Names that are left out.
        declared: Names that the form has itself.

    Raises:
        SetupError: A name is no field of the model, or one that no form can have.
    """
    options = model._meta
    every = {each.name: each for each in (*options.fields, *options.many_to_many)}
    left_out = set(exclude or ())
    is_listed = fields is not None and fields != ALL_FIELDS
    listed: list[str] = [] if fields is None or fields == ALL_FIELDS else list(fields)
    for name in (*listed, *left_out):
        if name not in every and name not in declared and options.find_field(name) is None:
            raise SetupError(
                f"{options.object_name} has no field {name!r}.",
                code="forms/unknown-model-field",
                where=where,
                hint=did_you_mean(name, every),
            )
    if is_listed:
        names = [name for name in listed if name not in left_out]
    else:
        hidden = options.privileged
        names = [each.name for each in every.values() if each.name not in left_out | hidden and not each.secret]
    found: dict[str, Any] = {}
    for name in names:
        if name in declared:
            continue
        field = every.get(name)
        if field is None or not is_writable(field):
            if is_listed:
                raise _unwritable(options, name, where)
            continue
        given: Options = {}
        for option, values in (
            ("widget", widgets),
            ("label", labels),
            ("help_text", help_texts),
            ("error_messages", error_messages),
            ("form_class", field_classes),
        ):
            if values and name in values:
                given[option] = values[name]
        if localized_fields == ALL_FIELDS or name in (localized_fields or ()):
            given["localize"] = True
        made = formfield(field, **given) if formfield_callback is None else formfield_callback(field, **given)
        if made is not None:
            found[name] = made
    return found


def _unwritable(options: Any, name: str, where: str) -> SetupError:
    return SetupError(
        f"{options.object_name}.{name} is nothing that a form can write.",
        code="forms/unwritable-field",
        where=where,
        why="It is filled in by the database or by the program (editable=False), or is the path of a file.",
        hint=f"Leave {name!r} out of Meta.fields, or declare a field of the form under that name.",
    )
