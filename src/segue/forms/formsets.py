"""Several forms of one kind in one page.

Holds: `BaseFormSet`, `ManagementForm`, `formset_factory`.
Imports: forms, fields, widgets, floor 0.
Never: makes as many forms as a visitor says, unless the formset allows so many.
"""

# What is sent, and forms of users, are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from inspect import isawaitable
from typing import Any, ClassVar, TypeVar

from markupsafe import Markup

from ..colours import Operation, arun, either, run
from ..context import lazy
from ..errors import Fault, SetupError, UsageError, ValidationError
from ..places import caller_place
from .faults import ErrorDict, ErrorList
from .fields import BooleanField, IntegerField
from .form import NOT_GIVEN, Form
from .media import Media
from .rendering import RENDERER
from .requests import data_of
from .waiting import awaited, refuse_async
from .widgets import CheckboxInput, HiddenInput, NumberInput

__all__ = ["BaseFormSet", "ManagementForm", "formset_factory"]

S = TypeVar("S", bound="BaseFormSet")

DEFAULT_MAX = 1000


class ManagementForm(Form):
    """How many forms there are, and how many of them were there before."""

    TOTAL_FORMS = IntegerField(widget=HiddenInput, min_value=0)
    INITIAL_FORMS = IntegerField(widget=HiddenInput, min_value=0)
    MIN_NUM_FORMS = IntegerField(widget=HiddenInput, required=False)
    MAX_NUM_FORMS = IntegerField(widget=HiddenInput, required=False)

    most: int = 0

    def clean(self) -> Any:
        total = self.cleaned_data.get("TOTAL_FORMS", 0)
        if total > self.most:
            raise ValidationError("There are too many forms.", "too_many_forms", {"limit": self.most})
        if self.cleaned_data.get("INITIAL_FORMS", 0) > total:
            raise ValidationError("More forms were there before than there are.", "invalid")


class BaseFormSet:
    """Several forms of one kind. `formset_factory` makes a class of them.

    Args:
        data: What was sent; `None` for formsets to fill in.
        files: The files that were sent.
        initial: What each form starts with.
        form_kwargs: What each form is given besides.
        user: As of a form.

    Attributes:
        form: The class of its forms.
        extra: How many empty ones it shows.
        can_delete: Whether each has a box that takes it away.
        can_order: Whether each has a number that says its place.
    """

    form: ClassVar[type[Form]] = Form
    extra: int = 1
    can_order: bool = False
    can_delete: bool = False
    can_delete_extra: bool = True
    max_num: int = DEFAULT_MAX
    absolute_max: int = DEFAULT_MAX * 2
    min_num: int = 0
    validate_max: bool = False
    validate_min: bool = False
    default_renderer: Any = None
    template_name: str = "segue/forms/formsets/div.html"
    template_name_div: str = "segue/forms/formsets/div.html"
    template_name_p: str = "segue/forms/formsets/p.html"
    template_name_table: str = "segue/forms/formsets/table.html"
    template_name_ul: str = "segue/forms/formsets/ul.html"
    default_error_messages: ClassVar[Mapping[str, str]] = {
        "missing_management_form": "How many forms there are was not sent, or cannot be. "
        "A template that shows the forms one by one has to show the formset's management_form too.",
        "too_many_forms": "At most %(num)s forms can be sent.",
        "too_few_forms": "At least %(num)s forms are needed.",
    }
    __takes_files__: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls.__takes_files__ = cls.form.__takes_files__

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        auto_id: str | bool = "id_%s",  # noqa: FBT001  # Django's place for it
        prefix: str | None = None,
        initial: Sequence[Mapping[str, Any]] | None = None,
        error_class: type[ErrorList] = ErrorList,
        *,
        form_kwargs: Mapping[str, Any] | None = None,
        error_messages: Mapping[str, str] | None = None,
        renderer: Any = None,
        user: Any = NOT_GIVEN,
    ) -> None:
        self.is_bound: bool = data is not None or files is not None
        self.data: Mapping[str, Any] = {} if data is None else data
        self.files: Mapping[str, Any] = {} if files is None else files
        self.auto_id = auto_id
        self.prefix: str = prefix or self.get_default_prefix()
        self.initial: list[Mapping[str, Any]] = list(initial or ())
        self.error_class = error_class
        self.form_kwargs: dict[str, Any] = dict(form_kwargs or {})
        if user is not NOT_GIVEN:
            self.form_kwargs["user"] = user
        self.error_messages: dict[str, str] = {**self.default_error_messages, **(error_messages or {})}
        default = self.default_renderer
        self.renderer: Any = renderer or (default() if isinstance(default, type) else default) or RENDERER
        self._errors: list[ErrorDict] | None = None
        self._above: ErrorList = self._new_list()
        self._management: ManagementForm | None = None
        self._forms: list[Any] | None = None

    def __repr__(self) -> str:
        state = "unbound" if not self.is_bound else "unchecked"
        if self._errors is not None and self.is_bound:
            state = "valid" if self._is_good() else "with errors"
        return f"<{type(self).__name__} {state} of {self.form.__name__}>"

    @classmethod
    def get_default_prefix(cls) -> str:
        """Return what stands before every name."""
        return "form"

    @classmethod
    def from_request(cls: type[S], request: Any, **options: Any) -> S:
        """Return a formset for *request*: bound to the body of a POST, PUT or PATCH, else to fill in."""
        data, files = data_of(request)
        return cls(data=data, files=files, **options)

    @classmethod
    def __from_request__(cls: type[S], request: Any) -> S:
        return cls.from_request(request)

    def _new_list(self) -> ErrorList:
        return self.error_class(error_class="nonform", renderer=self.renderer)

    # How many

    @property
    def management_form(self) -> ManagementForm:
        """How many forms there are, as hidden fields."""
        if self._management is None:
            if self.is_bound:
                form = ManagementForm(self.data, auto_id=self.auto_id, prefix=self.prefix, renderer=self.renderer)
                form.most = self.absolute_max
                form.full_clean()
            else:
                start = {
                    "TOTAL_FORMS": self.total_form_count(),
                    "INITIAL_FORMS": self.initial_form_count(),
                    "MIN_NUM_FORMS": self.min_num,
                    "MAX_NUM_FORMS": self.max_num,
                }
                form = ManagementForm(auto_id=self.auto_id, prefix=self.prefix, initial=start, renderer=self.renderer)
            self._management = form
        return self._management

    def _sent(self, name: str) -> int:
        form = self.management_form
        return int(form.cleaned_data.get(name, 0)) if form.is_valid() else 0

    def total_form_count(self) -> int:
        """Return how many forms there are."""
        if self.is_bound:
            return self._sent("TOTAL_FORMS")
        before = self.initial_form_count()
        total = max(before, self.min_num) + self.extra
        # Those that are there are shown, however many may be.
        return max(before, min(total, self.max_num))

    def initial_form_count(self) -> int:
        """Return how many of them were there before."""
        return self._sent("INITIAL_FORMS") if self.is_bound else len(self.initial)

    # Its forms

    @property
    def forms(self) -> list[Any]:
        """The forms."""
        if self._forms is None:
            self._forms = [self._construct_form(at) for at in range(self.total_form_count())]
        return self._forms

    def _construct_form(self, index: int, **given: Any) -> Any:
        options: dict[str, Any] = {
            "auto_id": self.auto_id,
            "prefix": self.add_prefix(index),
            "error_class": self.error_class,
            "use_required_attribute": False,
            "renderer": self.renderer,
            **self.get_form_kwargs(index),
            **given,
        }
        if self.is_bound:
            options |= {"data": self.data, "files": self.files}
        if index < len(self.initial) and "initial" not in options:
            options["initial"] = self.initial[index]
        if index >= self.initial_form_count() and index >= self.min_num:
            options["empty_permitted"] = True
        form = self.form(**options)
        self.add_fields(form, index)
        return form

    @property
    def empty_form(self) -> Any:
        """A form whose number is `__prefix__`, for script that adds forms."""
        form = self.form(
            auto_id=self.auto_id,
            prefix=self.add_prefix("__prefix__"),
            empty_permitted=True,
            use_required_attribute=False,
            renderer=self.renderer,
            **self.get_form_kwargs(None),
        )
        self.add_fields(form, None)
        return form

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Return what a form is given besides; `None` is the empty one."""
        return dict(self.form_kwargs)

    def add_prefix(self, index: int | str) -> str:
        """Return what stands before the names of one form."""
        return f"{self.prefix}-{index}"

    def add_fields(self, form: Any, index: int | None) -> None:
        """Add to a form the fields by which it is ordered and deleted; the place to add others."""
        before = self.initial_form_count()
        if self.can_order:
            form.fields["ORDER"] = self._order.clone()
            form.fields["ORDER"].initial = index + 1 if index is not None and index < before else None
        if self.can_delete and (self.can_delete_extra or (index is not None and index < before)):
            form.fields["DELETE"] = self._deletion.clone()

    # PERF: made once and copied for each form; to make them anew was a third of checking a formset.

    @lazy
    def _order(self) -> IntegerField:
        return IntegerField(label="Order", required=False, widget=self.get_ordering_widget())

    @lazy
    def _deletion(self) -> BooleanField:
        return BooleanField(label="Delete", required=False, widget=self.get_deletion_widget())

    def get_ordering_widget(self) -> Any:
        """Return what shows the place of a form."""
        return NumberInput()

    def get_deletion_widget(self) -> Any:
        """Return what shows the box that deletes one."""
        return CheckboxInput()

    def __iter__(self) -> Iterator[Any]:
        return iter(self.forms)

    def __len__(self) -> int:
        return len(self.forms)

    def __bool__(self) -> bool:
        return True  # the management form is always there

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, int | slice):
            raise TypeError(index)  # the protocol of a sequence: a template asks for names too
        return self.forms[index]

    @property
    def initial_forms(self) -> list[Any]:
        """Those that were there before."""
        return self.forms[: self.initial_form_count()]

    @property
    def extra_forms(self) -> list[Any]:
        """Those that are new."""
        return self.forms[self.initial_form_count() :]

    def _is_deleted(self, form: Any) -> bool:
        return "DELETE" in form.fields and bool(form["DELETE"].field.to_python(form["DELETE"].data))

    def _demand_valid(self, what: str) -> None:
        if not self.is_valid():
            raise UsageError(
                f"{type(self).__name__}.{what}: the formset is not valid.",
                code="forms/not-valid",
                hint=f"if formset.is_valid():\n    formset.{what}",
            )

    @property
    def cleaned_data(self) -> list[dict[str, Any]]:
        """The clean values of each form."""
        self._demand_valid("cleaned_data")
        return [form.cleaned_data for form in self.forms]

    @property
    def deleted_forms(self) -> list[Any]:
        """Those whose box was ticked."""
        if not self.is_valid() or not self.can_delete:
            return []
        before = self.initial_form_count()
        return [
            form for at, form in enumerate(self.forms) if self._is_deleted(form) and (at < before or form.has_changed())
        ]

    @property
    def ordered_forms(self) -> list[Any]:
        """Those that stay, in the order that was sent; those without a number come last."""
        self._demand_valid("ordered_forms")
        before = self.initial_form_count()
        staying = [
            form
            for at, form in enumerate(self.forms)
            if (at < before or form.has_changed()) and not (self.can_delete and self._is_deleted(form))
        ]
        if not self.can_order:
            raise UsageError(
                f"{type(self).__name__} has no order.",
                code="forms/no-order",
                hint=f"formset_factory({self.form.__name__}, can_order=True)",
            )
        return sorted(staying, key=lambda form: _place(form.cleaned_data.get("ORDER")))

    # Checking

    def is_valid(self) -> bool:
        """Tell whether it was sent and nothing is wrong with any form that stays."""
        if self._errors is None:
            self.full_clean()
        return self._is_good()

    async def ais_valid(self) -> bool:
        """`is_valid()` in async code."""
        if self._errors is None:
            await self.afull_clean()
        return self._is_good()

    def _is_good(self) -> bool:
        return self.is_bound and not self._above and not any(self._errors or ())

    def full_clean(self) -> None:
        """Check everything, whatever was found before."""
        run(self.checking())

    async def afull_clean(self) -> None:
        """`full_clean()` in async code."""
        await arun(self.checking())

    @property
    def errors(self) -> list[ErrorDict]:
        """What is wrong with each form; of one that is deleted nothing."""
        if self._errors is None:
            self.full_clean()
        assert self._errors is not None
        return self._errors

    @property
    def faults(self) -> list[Fault]:
        """What is wrong, in the one shape that all of Segue has; a path begins with the form's number."""
        inside = [
            Fault((at, *fault.path), fault.code, fault.message, fault.params)
            for at, errors in enumerate(self.errors)
            for fault in errors.faults()
        ]
        return [*self._above.faults, *inside]

    def non_form_errors(self) -> ErrorList:
        """Return what is wrong with all of it."""
        _ = self.errors
        return self._above

    def total_error_count(self) -> int:
        """Return how many errors there are."""
        return len(self.faults)

    def leave_unchecked(self) -> None:
        """Show what was sent without a word on what is wrong with it."""
        for form in self.forms:
            form.leave_unchecked()
        self._errors = [form.errors for form in self.forms]

    def checking(self) -> Operation[None]:
        """`full_clean` as an operation of two colours."""
        self._above = self._new_list()
        if not self.is_bound:
            self._errors = []
            return
        yield from self.loading()
        if not self.management_form.is_valid():
            self._add("missing_management_form")
            self._errors = []
            return
        found: list[ErrorDict] = []
        staying = 0
        before = self.initial_form_count()
        for at, form in enumerate(self.forms):
            if self.can_delete and self._is_deleted(form):
                found.append(ErrorDict())  # whatever is wrong with what goes
                continue
            staying += at < before or form.has_changed()
            yield from form.checking()
            found.append(form.errors)
        self._errors = found
        self._count(staying)
        try:
            result = self.clean()
            if isawaitable(result):
                yield from either(refuse_async, awaited, result, self.clean)
        except ValidationError as error:
            self._above.extend(error.faults)
        except BaseException:
            self._errors = None  # nothing was found out
            raise

    def loading(self) -> Operation[None]:
        """Fetch what the forms are made of; a plain formset needs nothing."""
        return
        yield  # an operation without steps

    def _count(self, staying: int) -> None:
        total = self.total_form_count()
        if (self.validate_max and staying > self.max_num) or total > self.absolute_max:
            self._add("too_many_forms", num=self.max_num)
        if self.validate_min and staying < self.min_num:
            self._add("too_few_forms", num=self.min_num)

    def _add(self, code: str, **params: Any) -> None:
        self._above.append(ValidationError(self.error_messages[code], code, params))

    def clean(self) -> Any:
        """Check what concerns several forms; the place to override, `async` too."""

    def has_changed(self) -> bool:
        """Tell whether any form was changed."""
        return any(form.has_changed() for form in self)

    # HTML

    def is_multipart(self) -> bool:
        """Tell whether it sends files."""
        return bool(self.forms[0].is_multipart() if self.forms else self.empty_form.is_multipart())

    @property
    def media(self) -> Media:
        """The files of style and script that its forms need."""
        made: Media = self.forms[0].media if self.forms else self.empty_form.media
        return made

    def get_context(self) -> dict[str, Any]:
        """Return what its template sees."""
        return {"formset": self, "errors": self.non_form_errors() if self.is_bound else ""}

    def render(self, template_name: str | None = None, context: Mapping[str, Any] | None = None) -> Markup:
        """Return the whole of it as HTML, without `<form>` and buttons."""
        made: Markup = self.renderer.render(
            template_name or self.template_name, self.get_context() if context is None else context
        )
        return made

    def __html__(self) -> Markup:
        return self.render()

    def __str__(self) -> str:
        return str(self.render())

    def as_div(self) -> Markup:
        """Return it with each field in a `<div>`."""
        return self.render(self.template_name_div)

    def as_p(self) -> Markup:
        """Return it with each field in a `<p>`."""
        return self.render(self.template_name_p)

    def as_ul(self) -> Markup:
        """Return it with each field in an `<li>`."""
        return self.render(self.template_name_ul)

    def as_table(self) -> Markup:
        """Return it with each field in a `<tr>`."""
        return self.render(self.template_name_table)


def _place(order: Any) -> tuple[bool, int]:
    return (True, 0) if order is None else (False, order)


def formset_options(**given: Any) -> dict[str, Any]:
    """Return what a factory was given as attributes of the class it makes.

    Raises:
        SetupError: `absolute_max` is smaller than `max_num`.
    """
    most = DEFAULT_MAX if given.get("max_num") is None else given["max_num"]
    absolute = most + DEFAULT_MAX if given.get("absolute_max") is None else given["absolute_max"]
    if most > absolute:
        raise SetupError(
            f"absolute_max={absolute} is smaller than max_num={most}.",
            code="forms/formset-limits",
            where=caller_place(),
            why="absolute_max is how many forms are read at all, max_num how many are shown.",
            hint=f"Leave absolute_max= out, or make it {most} or more.",
        )
    named = {name: each for name, each in given.items() if each is not None}
    return {**named, "max_num": most, "absolute_max": absolute}


def formset_factory(
    form: type[Form],
    formset: type[BaseFormSet] = BaseFormSet,
    *,
    extra: int = 1,
    can_order: bool = False,
    can_delete: bool = False,
    max_num: int | None = None,
    validate_max: bool = False,
    min_num: int = 0,
    validate_min: bool = False,
    absolute_max: int | None = None,
    can_delete_extra: bool = True,
    renderer: Any = None,
) -> type[Any]:
    """Return a class of formsets of *form*.

    Args:
        formset: What it derives from.
        extra: How many empty forms it shows.
        can_order: Whether each form has a number that says its place.
        can_delete: Whether each has a box that takes it away.
        max_num: How many forms it shows.
        validate_max: Whether more than `max_num` are an error.
        min_num: How many forms it has at least.
        validate_min: Whether fewer are an error.
        absolute_max: How many are read at all; `max_num` and a thousand unless given.
        can_delete_extra: Whether new forms have that box too.
    """
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
    return type(f"{form.__name__}FormSet", (formset,), {"form": form, "__module__": form.__module__, **options})
