"""Several rows in one page.

Holds: `BaseModelFormSet`, `BaseInlineFormSet`, and the factories of both.
Imports: db, formsets, forms of models.
Never: changes or deletes a row that is not in its queryset, whatever key was sent.
"""

# Rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..colours import Either, Operation, arun, either, run
from ..context import lazy
from ..db.choice import database_for
from ..errors import NON_FIELD_ERRORS, SetupError, UsageError, ValidationError, did_you_mean
from ..places import caller_place
from .fields import CharField
from .formsets import BaseFormSet, formset_options
from .modelfields import rows_in
from .models import ModelForm, modelform_factory
from .widgets import HiddenInput
from .widgets.base import value_in

__all__ = ["BaseInlineFormSet", "BaseModelFormSet", "inlineformset_factory", "modelformset_factory"]

_LONGEST_KEY = 1000


class BaseModelFormSet(BaseFormSet):
    """Forms for the rows of a queryset, and for new ones.

    Args:
        queryset: The rows; all of the model unless given.

    Attributes:
        edit_only: Whether no new row is made.
        new_objects: The rows that `save()` made.
        changed_objects: Those that it changed, each with the names of the fields.
        deleted_objects: Those that it deleted.
    """

    model: ClassVar[Any] = None
    edit_only: bool = False

    def __init__(self, *args: Any, queryset: Any = None, **options: Any) -> None:
        self.queryset = queryset
        self._rows: list[Any] | None = None
        self.new_objects: list[Any] = []
        self.changed_objects: list[tuple[Any, list[str]]] = []
        self.deleted_objects: list[Any] = []
        super().__init__(*args, **options)
        # What new forms start with; those of rows start with the row.
        self.initial_extra: list[Mapping[str, Any]] = self.initial
        self.initial: list[Mapping[str, Any]] = []

    def get_queryset(self) -> Any:
        """Return the rows, in an order that stays the same."""
        rows = rows_in(self.model if self.queryset is None else self.queryset)
        return rows if rows.ordered else rows.order_by("pk")

    # Rows

    def loading(self) -> Operation[None]:
        if self._rows is not None:
            return
        rows = self.get_queryset()
        if not self.is_bound:
            self._rows = yield from either(_all, _aall, rows)
            return
        keys = [self._key_sent(at) for at in range(self.initial_form_count())]
        good = [each for each in keys if each is not None]
        found: list[Any] = []
        if good:
            try:
                found = yield from either(_all, _aall, rows.filter(pk__in=good))
            except (ValueError, TypeError, OverflowError):
                found = yield from self._one_by_one(rows, good)
        by_key = {str(each.pk): each for each in found}
        # Each row once: a key that came twice would be saved twice.
        self._rows = [by_key.pop(str(key), None) for key in keys]

    def _one_by_one(self, rows: Any, keys: list[Any]) -> Operation[list[Any]]:
        """Fetch what is there of keys among which one is none at all."""
        good: list[Any] = []
        for each in keys:
            try:
                self.model._meta.pk.prepare(each)
            except (ValueError, TypeError, OverflowError):
                continue
            good.append(each)
        return (yield from either(_all, _aall, rows.filter(pk__in=good)))

    def _key_sent(self, index: int) -> Any:
        value = value_in(self.data, f"{self.add_prefix(index)}-{self._key_name}")
        return value if isinstance(value, str | int) and value != "" and len(str(value)) <= _LONGEST_KEY else None

    @property
    def _key_name(self) -> str:
        return str(self.model._meta.pk.name)

    def _row(self, index: int) -> Any:
        if self._rows is None:
            run(self.loading())
        assert self._rows is not None
        return self._rows[index] if index < len(self._rows) else None

    def initial_form_count(self) -> int:
        if self.is_bound:
            return super().initial_form_count()
        if self._rows is None:
            run(self.loading())
        assert self._rows is not None
        return len(self._rows)

    def _construct_form(self, index: int, **given: Any) -> Any:
        row = self._row(index) if index < self.initial_form_count() else None
        if row is not None:
            given["instance"] = row
        elif index >= self.initial_form_count():
            at = index - self.initial_form_count()
            if at < len(self.initial_extra):
                given["initial"] = self.initial_extra[at]
        return super()._construct_form(index, **given)

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if self._key_name in form.base_fields:
            return  # a key that people write
        key = form.instance.pk if index is not None and index < self.initial_form_count() else None
        form.fields[self._key_name] = self._shown_key.clone()
        form.fields[self._key_name].initial = key

    @lazy
    def _shown_key(self) -> CharField:
        # The key is read by `loading`; the field only shows it.
        return CharField(widget=HiddenInput, required=False, disabled=True)

    def checking(self) -> Operation[None]:
        yield from super().checking()
        if self._errors is None or not self.is_bound:
            return
        for at in range(min(self.initial_form_count(), len(self.forms))):
            if self._row(at) is None:
                form = self.forms[at]
                form.add_error(NON_FIELD_ERRORS, ValidationError("This row cannot be changed here.", "invalid_choice"))
                self._errors[at] = form.errors

    # Saving

    def save(self, *, commit: bool = True) -> list[Any]:
        """Write what was changed, added and deleted, all or nothing; return the rows that were written.

        Args:
            commit: `False` returns the instances unsaved, and deletes nothing: `deleted_objects`.

        Raises:
            UsageError: The formset is not valid (`forms/not-valid`).
        """
        if not commit:
            return run(self._saving(commit=False))
        with database_for(self.model, None, writes=True).atomic():
            return run(self._saving(commit=True))

    async def asave(self, *, commit: bool = True) -> list[Any]:
        """`save()` in async code."""
        if not commit:
            return await arun(self._saving(commit=False))
        async with database_for(self.model, None, writes=True).atomic():
            return await arun(self._saving(commit=True))

    save.alters_data = True  # type: ignore[attr-defined]  # templates do not call it

    def _saving(self, *, commit: bool) -> Operation[list[Any]]:
        if self._errors is None or not self._is_good():
            raise UsageError(
                f"{type(self).__name__}.save(): the formset is not valid.",
                code="forms/not-valid",
                hint="if formset.is_valid():\n    formset.save()",
            )
        self.new_objects, self.changed_objects, self.deleted_objects = [], [], []
        saved: list[Any] = []
        for at, form in enumerate(self.initial_forms):
            row = self._row(at)
            if row is None:
                continue  # it was refused
            if self.can_delete and self._is_deleted(form):
                self.deleted_objects.append(row)
                if commit:
                    yield Either(row.delete, row.adelete)
            elif form.has_changed():
                saved.append((yield Either(form.save, form.asave, commit=commit)))
                self.changed_objects.append((row, form.changed_data))
        for form in () if self.edit_only else self.extra_forms:
            if form.has_changed() and not (self.can_delete and self._is_deleted(form)):
                made = yield from self._adding(form, commit=commit)
                self.new_objects.append(made)
                saved.append(made)
        return saved

    def _adding(self, form: Any, *, commit: bool) -> Operation[Any]:
        return (yield Either(form.save, form.asave, commit=commit))

    def save_m2m(self) -> None:
        """Write the many-to-many relations, after `save(commit=False)` and each instance's own `save()`."""
        for form in self._written():
            form.save_m2m()

    async def asave_m2m(self) -> None:
        """`save_m2m()` in async code."""
        for form in self._written():
            await form.asave_m2m()

    def _written(self) -> list[Any]:
        rows = {id(row) for row in (*self.new_objects, *[row for row, _ in self.changed_objects])}
        return [form for form in self.forms if id(form.instance) in rows]


def _all(rows: Any) -> list[Any]:
    return list(rows)


async def _aall(rows: Any) -> list[Any]:
    return await rows  # type: ignore[no-any-return]  # rows of any model


class BaseInlineFormSet(BaseModelFormSet):
    """Forms for the rows that refer to one row.

    Args:
        instance: The row they refer to.
    """

    # In a tuple, since a field is a descriptor wherever it is an attribute of a class.
    parent_key: ClassVar[tuple[Any, ...]] = ()

    def __init__(self, *args: Any, instance: Any = None, queryset: Any = None, **options: Any) -> None:
        self.instance: Any = self.fk.target() if instance is None else instance
        super().__init__(*args, queryset=queryset, **options)

    @property
    def fk(self) -> Any:
        """The foreign key by which the rows refer to theirs."""
        return self.parent_key[0]

    @classmethod
    def get_default_prefix(cls) -> str:
        (field,) = cls.parent_key
        return str(field.model._meta.model_name if field.hidden else field.back_name(many=not field.one)).replace(
            "+", ""
        )

    def get_queryset(self) -> Any:
        rows = super().get_queryset()
        return rows.none() if self.instance.pk is None else rows.filter(**{self.fk.name: self.instance})

    def _construct_form(self, index: int, **given: Any) -> Any:
        form = super()._construct_form(index, **given)
        # Known before it is checked, so that what must be unique within it is.
        self._refer(form.instance)
        return form

    def _refer(self, row: Any) -> None:
        if self.instance.pk is not None:
            setattr(row, self.fk.name, self.instance)

    def _adding(self, form: Any, *, commit: bool) -> Operation[Any]:
        self._refer(form.instance)
        return (yield from super()._adding(form, commit=commit))


def modelformset_factory(
    model: Any,
    form: type[ModelForm] = ModelForm,
    formset: type[BaseModelFormSet] = BaseModelFormSet,
    *,
    fields: Any = None,
    exclude: Any = None,
    extra: int = 1,
    can_order: bool = False,
    can_delete: bool = False,
    max_num: int | None = None,
    validate_max: bool = False,
    min_num: int = 0,
    validate_min: bool = False,
    absolute_max: int | None = None,
    can_delete_extra: bool = True,
    edit_only: bool = False,
    renderer: Any = None,
    **details: Any,
) -> type[Any]:
    """Return a class of formsets for the rows of *model*; options as of `formset_factory`.

    Args:
        form: The class of its forms.
        fields: The names of their fields.
        edit_only: Make no new rows.
        details: What else `Meta` of the forms says: `widgets`, `labels`, …
    """
    said = getattr(form, "Meta", None)
    if fields is None and exclude is None and getattr(said, "fields", None) is None and not hasattr(said, "exclude"):
        raise SetupError(
            f"The formset of {model.__name__} is told neither fields nor exclude.",
            code="forms/no-fields",
            where=caller_place(),
            why="A field that the model gets later would be open to everybody.",
            hint='fields=["title", "year"]',
        )
    kind = modelform_factory(model, form, fields, exclude, **details)
    options = formset_options(
        extra=extra,
        can_order=can_order,
        can_delete=can_delete,
        max_num=max_num,
        validate_max=validate_max,
        min_num=min_num,
        validate_min=validate_min,
        absolute_max=absolute_max,
        can_delete_extra=can_delete_extra,
        default_renderer=renderer,
    )
    body = {"form": kind, "model": model, "edit_only": edit_only, "__module__": kind.__module__, **options}
    return type(f"{model.__name__}FormSet", (formset,), body)


def inlineformset_factory(
    parent_model: Any,
    model: Any,
    form: type[ModelForm] = ModelForm,
    formset: type[BaseInlineFormSet] = BaseInlineFormSet,
    *,
    fk_name: str | None = None,
    fields: Any = None,
    exclude: Any = None,
    extra: int = 3,
    can_delete: bool = True,
    **options: Any,
) -> type[Any]:
    """Return a class of formsets for the rows of *model* that refer to one of *parent_model*.

    Args:
        fk_name: The foreign key, where there are several.

    Raises:
        SetupError: There is no such foreign key, or more than one.
    """
    fk = _key_between(parent_model, model, fk_name)
    left_out = None if exclude is None and fields not in (None, "__all__") else [*(exclude or ()), fk.name]
    if fields not in (None, "__all__"):
        fields = [name for name in fields if name != fk.name]
    elif fields is None and exclude is None:
        left_out = None
    if fk.unique:
        options["max_num"] = 1
    made = modelformset_factory(
        model, form, formset, fields=fields, exclude=left_out, extra=extra, can_delete=can_delete, **options
    )
    made.parent_key = (fk,)
    return made


def _key_between(parent: Any, model: Any, name: str | None) -> Any:
    keys = [each for each in model._meta.foreign_keys if issubclass(parent, each.target)]
    chosen = [each for each in keys if each.name == name] if name is not None else keys
    if len(chosen) == 1:
        return chosen[0]
    names = [each.name for each in keys]
    raise SetupError(
        f"{model.__name__} has no foreign key to {parent.__name__}"
        + (f" called {name!r}." if name else "." if not keys else f" alone: {', '.join(names)}."),
        code="forms/inline-key",
        where=caller_place(),
        hint=did_you_mean(name, names) if name else f'fk_name="{names[0]}"' if names else "Swap the two models.",
    )
