"""Fields whose choices are rows.

Holds: `ModelChoiceField`, `ModelMultipleChoiceField`; `UniqueIn` and `ExistsIn`, validators that ask.
Imports: db, fields, widgets.
Never: loads all choices to check one; offers a row that its user may not see.
"""

# Rows, keys and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Unpack

from ..colours import Operation, either, run
from ..db.expressions.q import Q
from ..db.policies.rules import is_strict, rules_of
from ..db.queryset import QuerySet
from ..errors import UsageError, ValidationError, cut
from .boundfield import BoundField
from .fields.base import Field, FieldOptions
from .fields.choosing import MOST_VALUES
from .widgets import MultipleHiddenInput, Select, SelectMultiple

if TYPE_CHECKING:
    from .form import Form

__all__ = ["ExistsIn", "ModelChoiceField", "ModelChoiceIterator", "ModelMultipleChoiceField", "UniqueIn", "rows_in"]

_LONGEST_KEY = 1000


def rows_in(given: Any) -> QuerySet[Any]:
    """Return the queryset that is meant by one, by a model, by a manager, or by a function that returns any."""
    if isinstance(given, QuerySet):
        return given.all()
    options = getattr(given, "_meta", None)
    if isinstance(given, type) and options is not None:
        return options.default_queryset()  # type: ignore[no-any-return]  # of any model
    every = getattr(given, "all", None)
    found = every() if callable(every) else given() if callable(given) else None
    if isinstance(found, QuerySet):
        return found
    raise UsageError(
        f"Choices are a queryset, not {type(given).__name__}.",
        code="forms/queryset",
        hint="forms.ModelChoiceField(Musician.objects.all())",
    )


class ModelChoiceIterator:
    """The choices of a field: key and label of each row, in groups where the field says so."""

    def __init__(self, field: ModelChoiceField) -> None:
        self.field = field

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        if self.field.empty_label is not None:
            yield "", self.field.empty_label
        for row in self.field.offered():
            yield self.field.prepare_value(row), self.field.label_from_instance(row)


class ModelChoiceField(Field):
    """A row of a queryset; in HTML its key.

    Where the model has a policy, and the form a user or a request, the choices are the rows that
    the user may see.

    Args:
        queryset: The rows to choose from; a model stands for all of its rows.
        empty_label: What stands for no choice; `None` for nothing.
        to_field_name: A unique field that stands in HTML in place of the key.
        limit_choices_to: What else must hold: a mapping of look-ups, a `Q`, or a function.
        blank: Whether there is a choice for nothing though one is required and chosen already.
    """

    widget = Select
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid_choice": "This is not one of the choices.",
    }
    waits = True

    def __init__(
        self,
        queryset: Any,
        *,
        empty_label: str | None = "---------",
        to_field_name: str | None = None,
        limit_choices_to: Any = None,
        blank: bool = False,
        **options: Unpack[FieldOptions],
    ) -> None:
        super().__init__(**options)
        has_start = self.required and options.get("initial") is not None
        is_radio = self.widget.use_fieldset and not blank
        self.empty_label: str | None = None if (has_start or (is_radio and self.required)) else empty_label
        self.to_field_name = to_field_name
        self.limit_choices_to = limit_choices_to
        self._form: Form | None = None
        self.queryset = queryset

    def clone(self) -> Any:
        twin = super().clone()
        twin.widget.choices = ModelChoiceIterator(twin)
        return twin

    @property
    def queryset(self) -> Any:
        """The rows to choose from; assign others to change those of one form."""
        if callable(self._queryset) and not isinstance(self._queryset, type):
            return rows_in(self._queryset)
        return self._queryset

    @queryset.setter
    def queryset(self, given: Any) -> None:
        if not callable(given) or isinstance(given, type):
            given = rows_in(given)
        self._queryset = given
        self.widget.choices = ModelChoiceIterator(self)

    @property
    def choices(self) -> ModelChoiceIterator:
        """The choices, asked for anew each time they are iterated."""
        return ModelChoiceIterator(self)

    def get_bound_field(self, form: Form, name: str) -> BoundField:
        self._form = form
        return super().get_bound_field(form, name)

    def label_from_instance(self, obj: Any) -> str:
        """Return what people read of a row; the place to override."""
        return str(obj)

    def prepare_value(self, value: Any) -> Any:
        if hasattr(value, "_meta"):
            return getattr(value, self.to_field_name) if self.to_field_name else value.pk
        return value

    # Rows

    def _limited(self) -> QuerySet[Any]:
        rows = rows_in(self.queryset)
        limit: Any = self.limit_choices_to() if callable(self.limit_choices_to) else self.limit_choices_to
        if not limit:
            return rows
        if isinstance(limit, Q):
            return rows.filter(limit)
        lookups: dict[str, Any] = dict(limit)
        return rows.filter(**lookups)

    def _rows(self, form: Form | None) -> Operation[QuerySet[Any]]:
        rows = self._limited()
        if form is None or not form.is_scoped or not (rules_of(rows.model, "view") or is_strict()):
            return rows
        user = yield from form.who()
        return (yield from either(rows.visible_to, rows.avisible_to, user))

    def offered(self) -> QuerySet[Any]:
        """Return the rows that are offered to the user of the form."""
        return run(self._rows(self._form))

    # Checking

    def _key(self) -> str:
        return self.to_field_name or "pk"

    def cleaning(self, value: Any, form: Form | None = None) -> Operation[Any]:
        if value in self.empty_values:
            self.validate(None)
            return None
        if isinstance(value, list | tuple | dict | set):
            raise self.fault("several")
        key = self.prepare_value(value)
        if len(str(key)) > _LONGEST_KEY:
            raise self.fault("invalid_choice", value=cut(key))
        rows = yield from self._rows(form)
        try:
            found = yield from either(_first, _afirst, rows, {self._key(): key})
        except (ValueError, TypeError, OverflowError):
            found = None  # no key of this model looks so
        if found is None:
            raise self.fault("invalid_choice", value=cut(key))
        self.run_validators(found)
        yield from self.asking(found, form)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        return _text(self.prepare_value(initial)) != _text(data)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _first(rows: QuerySet[Any], lookups: Mapping[str, Any]) -> Any:
    # The order is nobody's business here, and would cost a sort.
    return rows.filter(**lookups).order_by().first()


async def _afirst(rows: QuerySet[Any], lookups: Mapping[str, Any]) -> Any:
    return await rows.filter(**lookups).order_by().afirst()


def _all(rows: QuerySet[Any]) -> list[Any]:
    return list(rows)


async def _aall(rows: QuerySet[Any]) -> list[Any]:
    return await rows


class ModelMultipleChoiceField(ModelChoiceField):
    """Rows of a queryset, as a list; at most a thousand."""

    widget: Any = SelectMultiple
    hidden_widget = MultipleHiddenInput
    takes_many = True
    default_error_messages: ClassVar[Mapping[str, Any]] = {
        "invalid_list": "This must be a list of values.",
        "too_many": "At most %(limit)s values can be chosen.",
    }

    def __init__(self, queryset: Any, **options: Any) -> None:
        super().__init__(queryset, empty_label=None, **options)

    def prepare_value(self, value: Any) -> Any:
        if value is None or isinstance(value, str) or hasattr(value, "_meta") or not hasattr(value, "__iter__"):
            return super().prepare_value(value)
        return [super(ModelMultipleChoiceField, self).prepare_value(each) for each in value]

    def cleaning(self, value: Any, form: Form | None = None) -> Operation[Any]:
        if not value:
            self.validate(None)
            return []
        if not isinstance(value, list | tuple) or any(isinstance(each, list | tuple | dict | set) for each in value):
            raise self.fault("invalid_list")
        if len(value) > MOST_VALUES:
            raise self.fault("too_many", limit=MOST_VALUES)
        keys = [self.prepare_value(each) for each in value]
        if any(len(str(each)) > _LONGEST_KEY for each in keys):
            raise self.fault("invalid_choice")
        rows = yield from self._rows(form)
        try:
            found = yield from either(_all, _aall, rows.filter(**{f"{self._key()}__in": keys}))
        except (ValueError, TypeError, OverflowError):
            raise self.fault("invalid_choice") from None
        known = {_text(self.prepare_value(each)) for each in found}
        for key in keys:
            if _text(key) not in known and not _is_spelt_otherwise(key, found, len(keys)):
                raise self.fault("invalid_choice", value=cut(key))
        self.run_validators(found)
        yield from self.asking(found, form)
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        if self.disabled:
            return False
        before = [] if initial is None else self.prepare_value(list(initial))
        return {_text(each) for each in before} != {_text(each) for each in data or ()}


def _is_spelt_otherwise(key: Any, found: list[Any], count: int) -> bool:
    """Whether all keys were found, so that one of them has another spelling (`+1`, a UUID in capitals)."""
    return len(found) == count


class _Asking:
    """A validator that asks whether a row has the value."""

    waits: ClassVar[bool] = True
    code = ""
    text = ""

    def __init__(self, queryset: Any, field: str, *, message: str | None = None) -> None:
        self.rows = rows_in(queryset)
        self.field = field
        self.message = message or self.text
        self.rows.model._meta.resolve(field)  # a misspelt name is an error here, not at the first visitor

    def __call__(self, value: Any) -> None:
        run(self.checking(value))

    def _found(self, value: Any, form: Form | None) -> Operation[bool]:
        rows = self.rows.filter(**{self.field: value})
        own = getattr(form, "instance", None)
        if own is not None and own.pk is not None and isinstance(own, rows.model):
            rows = rows.exclude(pk=own.pk)
        try:
            return (yield from either(rows.exists, rows.aexists))
        except (ValueError, TypeError, OverflowError):
            return False

    def checking(self, value: Any, form: Form | None = None) -> Operation[None]:
        """Ask, in both colours."""
        raise TypeError(type(self).__name__)  # pragma: no cover
        yield

    def refusal(self) -> ValidationError:
        """Return the error."""
        return ValidationError(self.message, self.code)


class UniqueIn(_Asking):
    """No row of the queryset may have the value; the one that a form changes does not count.

    Args:
        queryset: The rows, or their model.
        field: What is compared, as in `filter()`: `"email"`, `"email__iexact"`.
    """

    code = "unique"
    text = "This is taken."

    def checking(self, value: Any, form: Form | None = None) -> Operation[None]:
        if (yield from self._found(value, form)):
            raise self.refusal()


class ExistsIn(_Asking):
    """Some row of the queryset must have the value.

    Args:
        queryset: The rows, or their model.
        field: What is compared, as in `filter()`.
    """

    code = "unknown"
    text = "There is no such row."

    def checking(self, value: Any, form: Form | None = None) -> Operation[None]:
        if not (yield from self._found(value, form)):
            raise self.refusal()
