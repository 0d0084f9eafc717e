"""Forms of models.

Holds: `ModelForm`, `modelform_factory`, `model_to_dict`, `construct_instance`.
Imports: db, forms.
Never: writes a field that its `Meta` does not name, or anything before `save()`.
"""

# Rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, TypeVar

from .. import db
from ..colours import Either, Operation, arun, run
from ..db.models.faults import fault_of, groups_of
from ..errors import NON_FIELD_ERRORS, SetupError, UsageError, ValidationError, did_you_mean, place_of
from .fields.base import Field
from .form import Form
from .modelfields import ExistsIn, ModelChoiceField, ModelChoiceIterator, ModelMultipleChoiceField, UniqueIn
from .modelmapping import ALL_FIELDS, fields_for_model, formfield

__all__ = [
    "ALL_FIELDS",
    "ExistsIn",
    "ModelChoiceField",
    "ModelChoiceIterator",
    "ModelForm",
    "ModelMultipleChoiceField",
    "UniqueIn",
    "construct_instance",
    "fields_for_model",
    "formfield",
    "model_to_dict",
    "modelform_factory",
]

META_NAMES = (
    "error_messages", "exclude", "field_classes", "fields", "formfield_callback", "help_texts", "labels",
    "localized_fields", "model", "widgets",
)  # fmt: skip

M = TypeVar("M", bound="ModelForm")


class ModelFormOptions:
    """What the class `Meta` of a form says."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.model: Any = given.get("model")
        self.fields: Any = given.get("fields")
        self.exclude: Any = given.get("exclude")
        self.given: dict[str, Any] = dict(given)

    @property
    def details(self) -> dict[str, Any]:
        """What is said of single fields."""
        return {name: each for name, each in self.given.items() if name not in ("model", "fields", "exclude")}


def _meta_of(cls: type) -> dict[str, Any]:
    """Return what the classes `Meta` of a form and those it derives from say."""
    found: dict[str, Any] = {}
    for kind in reversed(cls.__mro__):
        given = vars(kind).get("Meta")
        for part in reversed(given.__mro__) if isinstance(given, type) else ():
            found.update({name: each for name, each in vars(part).items() if not name.startswith("_")})
    unknown = [name for name in found if name not in META_NAMES]
    if unknown:
        raise SetupError(
            f"{cls.__name__}.Meta has an unknown option {unknown[0]!r}.",
            code="forms/meta-option",
            where=place_of(cls) or f"{cls.__module__}.{cls.__qualname__}",
            hint=did_you_mean(unknown[0], META_NAMES),
        )
    for name in ("fields", "exclude"):
        value = found.get(name)
        if isinstance(value, str) and not (name == "fields" and value == ALL_FIELDS):
            raise SetupError(
                f"{cls.__name__}.Meta.{name} is the text {value!r}.",
                code="forms/meta-option",
                where=place_of(cls) or f"{cls.__module__}.{cls.__qualname__}",
                hint=f'{name} = ["{value}"]',
            )
    return found


class ModelForm(Form):
    """A form that makes or changes a row.

    The class `Meta` names the `model`, and its `fields` or those it leaves out (`exclude`).
    `fields = "__all__"` is every field but secrets, and those that the model's own `Meta` calls
    `privileged_fields`; these a form has only where it names them.

    Args:
        instance: The row to change; a new one unless given.
    """

    _meta: ClassVar[ModelFormOptions] = ModelFormOptions({})

    @classmethod
    def _declare(cls, fields: dict[str, Field]) -> None:
        cls.declared_fields = fields
        given = _meta_of(cls)
        cls._meta = ModelFormOptions(given)
        options = cls._meta
        if options.model is None:
            cls._fit(dict(fields))
            return
        if options.fields is None and options.exclude is None:
            raise SetupError(
                f"{cls.__name__}.Meta says neither fields nor exclude.",
                code="forms/no-fields",
                where=place_of(cls),
                why="A field that the model gets later would be open to everybody.",
                hint='fields = ["title", "year"], or fields = "__all__" where every field may be written',
            )
        made = fields_for_model(
            options.model,
            options.fields,
            options.exclude,
            **options.details,
            where=place_of(cls) or f"{cls.__module__}.{cls.__qualname__}",
            declared=fields,
        )
        if options.fields is not None and options.fields != ALL_FIELDS:
            # The order that Meta.fields says, declared ones among them.
            every = {**made, **fields}
            made = {name: every[name] for name in options.fields if name in every}
        # A name that the class body set to None is taken away.
        made = {name: each for name, each in made.items() if vars(cls).get(name, each) is not None}
        cls._fit({**made, **fields})

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        *,
        instance: Any = None,
        initial: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        meta = self._meta
        if meta.model is None:
            raise UsageError(
                f"{type(self).__name__} names no model.",
                code="forms/no-model",
                where=place_of(type(self)),
                hint='class Meta:\n    model = Record\n    fields = ["title"]',
            )
        self.instance: Any = meta.model() if instance is None else instance
        start = {} if instance is None else model_to_dict(instance, list(self.base_fields))
        super().__init__(data, files, initial={**start, **(initial or {})}, **options)
        if instance is None:
            return
        for name, field in self.fields.items():
            # A default is of new rows.
            if name in start and name not in (initial or {}):
                field.initial = None

    # Checking

    def _clean_more(self) -> Operation[None]:
        left_out = self._unchecked()
        instance = self.instance
        construct_instance(self, instance)
        try:
            yield Either(
                instance.full_clean,
                instance.afull_clean,
                left_out,
                validate_unique=False,
                validate_constraints=False,
            )
        except ValidationError as error:
            self._take(error)
        bad = set(self._errors or ())
        left_out = self._not_unique(left_out) | bad
        for check, acheck in (
            (instance.validate_unique, instance.avalidate_unique),
            (instance.validate_constraints, instance.avalidate_constraints),
        ):
            try:
                yield Either(check, acheck, left_out)
            except ValidationError as error:
                self._take(error)

    def _unchecked(self) -> set[str]:
        """Return the model's fields that are not checked: others', bad ones, and empty ones that may be so."""
        options = self.instance._meta
        found: set[str] = set()
        for each in (*options.fields, *options.references):
            field = self.fields.get(each.name) if each.name in self.base_fields else None
            if field is None or each.name in (self._errors or ()):
                found.add(each.name)
            elif not (field.required or each.blank or each.null):
                found |= {each.name} if self.cleaned_data.get(each.name) in field.empty_values else set()
        return found

    def _not_unique(self, left_out: set[str]) -> set[str]:
        """Return the fields without which unique values are checked.

        A group of which one part is asked for and another is known (whose record it is) is checked too.
        """
        options = self.instance._meta
        groups = [*groups_of(options.unique_together), *[each.fields for each in _uniques(options)]]
        partners = {name for group in groups if any(each not in left_out for each in group) for name in group}
        known = {
            each.name
            for each in (*options.fields, *options.references)
            if not each.unique
            and each.name not in self.fields
            and all(self.instance.__dict__.get(part.attname) not in (None, "") for part in each.columns)
        }
        return left_out - (partners & known)

    def _take(self, error: ValidationError) -> None:
        """Add what the model says, in the words of the form's field where it has some."""
        for fault in error.faults:
            name = str(fault.path[0]) if fault.path else NON_FIELD_ERRORS
            field = self.fields.get(name)
            if field is None:
                self.add_error(NON_FIELD_ERRORS, ValidationError(fault.message, fault.code))
                continue
            worded = field.worded(fault, self.cleaned_data.get(name))
            self.add_error(name, ValidationError(worded.message, worded.code))

    # Saving

    def save(self, *, commit: bool = True) -> Any:
        """Write the row and its many-to-many relations; return the instance.

        Args:
            commit: `False` returns the instance unsaved; save it, then call `save_m2m()`.

        Raises:
            UsageError: The form is not valid (`forms/not-valid`).
            ValidationError: Another row took a unique value in the meantime.
        """
        return run(self._saving(commit=commit))

    async def asave(self, *, commit: bool = True) -> Any:
        """`save()` in async code."""
        return await arun(self._saving(commit=commit))

    def save_m2m(self) -> None:
        """Write the many-to-many relations, after `save(commit=False)` and the instance's own `save()`."""
        run(self._saving_many())

    async def asave_m2m(self) -> None:
        """`save_m2m()` in async code."""
        await arun(self._saving_many())

    save.alters_data = True  # type: ignore[attr-defined]  # templates do not call it
    save_m2m.alters_data = True  # type: ignore[attr-defined]  # templates do not call it

    def _saving(self, *, commit: bool) -> Operation[Any]:
        if self._errors is None or self._errors or not self.is_bound:
            raise UsageError(
                f"{type(self).__name__}.save(): the form is not valid.",
                code="forms/not-valid",
                why="Nothing was checked yet, or something is wrong with it.",
                hint="if form.is_valid():\n    form.save()",
            )
        if commit:
            try:
                yield Either(self.instance.save, self.instance.asave)
            except db.IntegrityError as error:
                # Somebody was quicker: the same fault as if the check had seen it.
                self._take(ValidationError([fault_of(error, self.instance)]))
                raise ValidationError(self.faults) from error
            yield from self._saving_many()
        return self.instance

    def _saving_many(self) -> Operation[None]:
        for each in self.instance._meta.many_to_many:
            if each.name in self.fields and each.name in self.cleaned_data:
                related = getattr(self.instance, each.name)
                yield Either(related.set, related.aset, self.cleaned_data[each.name])


def _uniques(options: Any) -> Iterable[Any]:
    return [each for each in options.constraints if isinstance(each, db.UniqueConstraint)]


def model_to_dict(instance: Any, fields: Iterable[str] | None = None, exclude: Iterable[str] = ()) -> dict[str, Any]:
    """Return the values of a row as a form starts with them.

    Many-to-many relations are functions that ask when they are called.

    Args:
        fields: Names of those alone.
        exclude: Names of those left out.
    """
    options = instance._meta
    chosen = None if fields is None else set(fields)
    left_out = set(exclude)
    found: dict[str, Any] = {}
    for each in options.fields:
        if (chosen is None and not each.editable) or (chosen is not None and each.name not in chosen):
            continue
        if each.name not in left_out:
            found[each.name] = getattr(instance, each.attname)
    for each in options.many_to_many:
        if (chosen is None or each.name in chosen) and each.name not in left_out:
            found[each.name] = _KeysOf(instance, each.name)
    return found


class _KeysOf:
    """The rows that a many-to-many relation leads to, asked for when somebody wants to know."""

    def __init__(self, instance: Any, name: str) -> None:
        self.instance = instance
        self.name = name

    def __call__(self) -> list[Any]:
        return [] if self.instance.pk is None else list(getattr(self.instance, self.name).all())


def construct_instance(form: Any, instance: Any, fields: Iterable[str] | None = None) -> Any:
    """Write the clean values of a form to an instance, unsaved.

    A field for which nothing at all was sent keeps the model's default.

    Args:
        fields: Names of those alone.
    """
    options = instance._meta
    chosen = None if fields is None else set(fields)
    for each in options.fields:
        name = each.name
        if name not in form.cleaned_data or name not in form.base_fields or (chosen is not None and name not in chosen):
            continue
        if each.generated or (not each.editable and name not in form.declared_fields):
            continue
        field = form.fields[name]
        value = form.cleaned_data[name]
        omitted = field.widget.value_omitted_from_data(form.data, form.files, form.add_prefix(name))
        if each.has_default and omitted and value in field.empty_values:
            continue
        setattr(instance, name, value)
    return instance


def modelform_factory(
    model: Any, form: type[ModelForm] = ModelForm, fields: Any = None, exclude: Any = None, **details: Any
) -> type[ModelForm]:
    """Return a class of forms for *model*.

    Args:
        form: What it derives from.
        details: What else its `Meta` says: `widgets`, `labels`, `help_texts`, …
    """
    said = {"model": model, "fields": fields, "exclude": exclude, **details}
    own = {name: each for name, each in said.items() if each is not None}
    parent = getattr(form, "Meta", None)
    meta = type("Meta", (parent,) if parent is not None else (), own)
    return type(f"{model.__name__}Form", (form,), {"Meta": meta, "__module__": form.__module__})
