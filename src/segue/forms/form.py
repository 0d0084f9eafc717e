"""Forms: what is asked of a visitor, checked together and shown together.

Holds: `Form`.
Imports: fields, `boundfield`, `faults`, floor 0; MarkupSafe.
Never: shows what was sent in `repr`.

Checking is an operation of two colours (`segue.colours`): `is_valid()` and `ais_valid()` drive the
same text. It yields a step only where something has to wait, so a form without such fields costs no
more for it.
"""

# What is sent, and what it becomes, is of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import isawaitable
from typing import Any, ClassVar, TypeVar

from markupsafe import Markup

from ..colours import Operation, arun, either, run
from ..context import lazy
from ..errors import (
    NON_FIELD_ERRORS,
    Fault,
    SetupError,
    UsageError,
    ValidationError,
    cut,
    did_you_mean,
    nearest,
    place_of,
)
from .boundfield import BoundField, without_microseconds
from .faults import ErrorDict, ErrorList
from .fields.base import Field
from .fields.files import FileField
from .media import Media, media_of
from .rendering import RENDERER
from .requests import data_of, user_of
from .waiting import awaited, refuse_async

__all__ = ["Form", "UnknownField"]

F = TypeVar("F", bound="Form")

NOT_GIVEN: Any = object()


class UnknownField(UsageError, KeyError):
    """A form was asked for a field that it does not have."""

    code = "forms/unknown-field"


class Form:
    """A class of forms: its fields are declared as attributes.

    >>> class Contact(Form):
    ...     name = CharField(max_length=100)
    >>> form = Contact({"name": " Nina "})
    >>> form.is_valid(), form.cleaned_data
    (True, {'name': 'Nina'})

    A handler's parameter `form: Contact` is one: bound to the body of a POST, PUT or PATCH.

    Args:
        data: What was sent: `request.form`, or any mapping. `None` is a form to fill in.
        files: The files that were sent: `request.files`.
        auto_id: How ids are made of names; `False` for none.
        prefix: What stands before every name, so that two forms can be on one page.
        initial: What fields start with, by name.
        error_class: What holds the errors of a field.
        label_suffix: What ends a label.
        empty_permitted: Whether a form that nobody changed is good as it is.
        field_order: Names in the order in which they are shown.
        use_required_attribute: Whether browsers are told what is required.
        renderer: What renders, in place of the app's templates.
        user: Whose choices are offered, where a policy says what each may see; the one who makes
            the request unless given.

    Attributes:
        fields: The fields by name: copies, so that those of one form can be changed.
        cleaned_data: The values, once they are checked; of fields with errors none.
        is_bound: Whether it was given data.
    """

    declared_fields: ClassVar[dict[str, Field]] = {}
    base_fields: ClassVar[dict[str, Field]] = {}
    # Asking a handler for such a form is the opt-in to bodies of the size of files.
    __takes_files__: ClassVar[bool] = False

    default_renderer: Any = None
    field_order: Sequence[str] | None = None
    prefix: str | None = None
    use_required_attribute: bool = True
    error_css_class: str = ""
    required_css_class: str = ""
    template_name: str = "segue/forms/div.html"
    template_name_div: str = "segue/forms/div.html"
    template_name_p: str = "segue/forms/p.html"
    template_name_table: str = "segue/forms/table.html"
    template_name_ul: str = "segue/forms/ul.html"
    template_name_field: str = "segue/forms/field.html"
    template_name_label: str = "segue/forms/label.html"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._declare(_declared(cls))

    @classmethod
    def _declare(cls, fields: dict[str, Field]) -> None:
        cls.declared_fields = fields
        cls._fit(dict(fields))

    @classmethod
    def _fit(cls, fields: dict[str, Field]) -> None:
        """Take the fields that a form starts with, once all of them are known."""
        cls.base_fields = fields
        cls.__takes_files__ = any(each.widget.needs_multipart_form for each in fields.values())
        for name, value in vars(cls).items():
            if name.startswith("clean_") and callable(value) and name[6:] not in fields:
                _check_cleaner(cls, name, fields)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        auto_id: str | bool = "id_%s",  # noqa: FBT001  # Django's place for it
        prefix: str | None = None,
        initial: Mapping[str, Any] | None = None,
        error_class: type[ErrorList] = ErrorList,
        label_suffix: str | None = None,
        *,
        empty_permitted: bool = False,
        field_order: Sequence[str] | None = None,
        use_required_attribute: bool | None = None,
        renderer: Any = None,
        user: Any = NOT_GIVEN,
    ) -> None:
        self.is_bound: bool = data is not None or files is not None
        self.data: Mapping[str, Any] = _mapping(type(self), data)
        self.files: Mapping[str, Any] = _mapping(type(self), files)
        self.auto_id = auto_id
        if prefix is not None:
            self.prefix = prefix
        self.initial: dict[str, Any] = dict(initial or {})
        self.error_class = error_class
        self.label_suffix: str = ":" if label_suffix is None else label_suffix
        self.empty_permitted = empty_permitted
        if use_required_attribute is not None:
            self.use_required_attribute = use_required_attribute
        self.renderer: Any = renderer or _made(self.default_renderer) or RENDERER
        self.cleaned_data: dict[str, Any] = {}
        self._errors: ErrorDict | None = None
        self._bound: dict[str, BoundField] = {}
        self.initial_values: dict[str, Any] = {}
        self._user: Any = user
        self.fields: dict[str, Any] = {name: field.clone() for name, field in self.base_fields.items()}
        self.order_fields(self.field_order if field_order is None else field_order)

    def __repr__(self) -> str:
        state = "unbound" if not self.is_bound else "unchecked"
        if self._errors is not None and self.is_bound:
            state = "with errors" if self._errors else "valid"
        return f"<{type(self).__name__} {state}: {', '.join(self.fields)}>"

    # Where it comes from

    @classmethod
    def from_request(cls: type[F], request: Any, **options: Any) -> F:
        """Return a form for *request*: bound to the body of a POST, PUT or PATCH, else to fill in.

        The body is a form or a JSON object.

        Args:
            options: What the class itself takes: `initial`, `prefix`, `instance`, …

        Raises:
            UnsupportedMediaType: The body is neither.
            BadRequest: The JSON is none, or is no object.
        """
        data, files = data_of(request)
        form = cls(data=data, files=files, **options)
        form._request = request
        return form

    @classmethod
    def __from_request__(cls: type[F], request: Any) -> F:
        return cls.from_request(request)

    _request: Any = None

    @property
    def user(self) -> Any:
        """Whose form it is: the one it was given, or who makes the request; `None` is nobody."""
        if self._user is NOT_GIVEN:
            self._user = run(user_of(self._request))
        return self._user

    @property
    def is_scoped(self) -> bool:
        """Whether anybody's view of rows counts: outside a request, where no user was given, none does."""
        from .requests import running_request

        return self._user is not NOT_GIVEN or self._request is not None or running_request() is not None

    def who(self) -> Operation[Any]:
        """`user`, in both colours."""
        if self._user is NOT_GIVEN:
            self._user = yield from user_of(self._request)
        return self._user

    # Fields

    def order_fields(self, order: Iterable[str] | None) -> None:
        """Put the fields in *order*; those it does not name come after."""
        if order is None:
            return
        first = {name: self.fields[name] for name in order if name in self.fields}
        self.fields = {**first, **self.fields}

    def __iter__(self) -> Iterator[BoundField]:
        return (self[name] for name in self.fields)

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def __getitem__(self, name: str) -> BoundField:
        bound = self._bound.get(name)
        if bound is None:
            field = self.fields.get(name)
            if field is None:
                raise UnknownField(
                    f"{type(self).__name__} has no field {cut(name)}.",
                    where=place_of(type(self)),
                    hint=did_you_mean(str(name), self.fields),
                )
            bound = self._bound[name] = field.get_bound_field(self, name)
        return bound

    def add_prefix(self, name: str) -> str:
        """Return the name of a field in HTML."""
        return f"{self.prefix}-{name}" if self.prefix else name

    def add_initial_prefix(self, name: str) -> str:
        """Return the name under which a field sends what it started with."""
        return f"initial-{self.add_prefix(name)}"

    def get_initial_for_field(self, field: Any, name: str) -> Any:
        """Return what a field starts with."""
        value = self.initial.get(name, field.initial)
        if callable(value):
            value = value()
        return value if field.widget.supports_microseconds else without_microseconds(value)

    def sent_for(self, widget: Any, name: str) -> Any:
        """Return what was sent for a widget of that name in HTML."""
        return widget.value_from_datadict(self.data, self.files, name)

    # Checking

    def is_valid(self) -> bool:
        """Tell whether it was sent and nothing is wrong with it.

        Raises:
            UsageError: Something in it is `async` (`forms/async-clean`); `ais_valid()` waits for it.
        """
        return self.is_bound and not self.errors

    async def ais_valid(self) -> bool:
        """`is_valid()` in async code; it waits for what is `async`, and asks databases so."""
        if self._errors is None:
            await self.afull_clean()
        return self.is_bound and not self._errors

    @property
    def errors(self) -> ErrorDict:
        """What is wrong, by field; checked at the first look."""
        if self._errors is None:
            self.full_clean()
        assert self._errors is not None
        return self._errors

    @property
    def faults(self) -> list[Fault]:
        """What is wrong, in the one shape that all of Segue has: `ValidationError(form.faults)`."""
        return self.errors.faults()

    def full_clean(self) -> None:
        """Check everything, whatever was found before."""
        run(self.checking())

    async def afull_clean(self) -> None:
        """`full_clean()` in async code."""
        await arun(self.checking())

    def leave_unchecked(self) -> None:
        """Show what was sent without a word on what is wrong with it: an answer begun, not given."""
        self._errors = ErrorDict()

    def checking(self) -> Operation[None]:
        """`full_clean` as an operation of two colours, for what checks several forms."""
        self._errors = ErrorDict()
        self.cleaned_data = {}
        if not self.is_bound or (self.empty_permitted and not self.has_changed()):
            return
        try:
            yield from self._clean_fields()
            yield from self._clean_form()
            yield from self._clean_more()
        except BaseException:
            self._errors = None  # nothing was found out
            raise

    def _clean_fields(self) -> Operation[None]:
        for name, field in self.fields.items():
            bound = self[name]
            try:
                value = bound.initial if field.disabled else bound.data
                if isinstance(field, FileField):
                    value = field.clean(value, bound.initial)
                elif field.waits:
                    value = yield from field.cleaning(value, self)
                else:
                    value = field.clean(value)
                self.cleaned_data[name] = value
                hook = getattr(self, f"clean_{name}", None)
                if hook is not None:
                    value = hook()
                    if isawaitable(value):
                        value = yield from either(refuse_async, awaited, value, hook)
                    self.cleaned_data[name] = value
            except ValidationError as error:
                self.add_error(name, error)

    def _clean_form(self) -> Operation[None]:
        try:
            cleaned = self.clean()
            if isawaitable(cleaned):
                cleaned = yield from either(refuse_async, awaited, cleaned, self.clean)
        except ValidationError as error:
            self.add_error(None, error)
        else:
            if cleaned is not None:
                self.cleaned_data = cleaned

    def _clean_more(self) -> Operation[None]:
        """Check what other declarations say, such as a model's."""
        return
        yield  # an operation without steps

    def clean(self) -> Any:
        """Check what concerns several fields, in `cleaned_data`; the place to override, `async` too.

        It may return other `cleaned_data`, and raise `ValidationError` or call `add_error`.
        """
        return self.cleaned_data

    def add_error(self, field: str | None, error: Any) -> None:
        """Add an error to a field, or to the whole form; the field's value is no longer clean.

        Args:
            field: Its name; `None` for the form, or where *error* says by name which fields.
            error: A text, or what `ValidationError` takes.

        Raises:
            UnknownField: There is no such field.
        """
        faults = error.faults if isinstance(error, ValidationError) else ValidationError(error).faults
        if self._errors is None:
            self._errors = ErrorDict()
        for fault in faults:
            name, path = field, fault.path
            if field is None and path:
                name, path = str(path[0]), path[1:]
            if name is None:
                name = NON_FIELD_ERRORS
            elif name != NON_FIELD_ERRORS and name not in self.fields:
                _ = self[name]  # says which there are
            if name not in self._errors:
                self._errors[name] = self.error_list(name)
            self._errors[name].faults.append(Fault(path, fault.code, fault.message, fault.params))
            self.cleaned_data.pop(name, None)

    def error_list(self, name: str) -> ErrorList:
        """Return an empty list for the errors of a field, or of the form."""
        if name == NON_FIELD_ERRORS:
            return self.error_class(error_class="nonfield", renderer=self.renderer)
        id_ = self[name].auto_id if name in self.fields else ""
        return self.error_class(error_id=f"{id_}_error" if id_ else "", renderer=self.renderer)

    def has_error(self, field: str | None, code: str | None = None) -> bool:
        """Tell whether a field (`None`: the form) has an error, perhaps one of that code."""
        found = self.errors.get(NON_FIELD_ERRORS if field is None else field)
        return found is not None and (code is None or any(each.code == code for each in found.faults))

    def non_field_errors(self) -> ErrorList:
        """Return what is wrong with the form as a whole."""
        found = self.errors.get(NON_FIELD_ERRORS)
        return found if found is not None else self.error_list(NON_FIELD_ERRORS)

    def has_changed(self) -> bool:
        """Tell whether anything was sent that differs from what the form started with."""
        return bool(self.changed_data)

    @lazy
    def changed_data(self) -> list[str]:
        """The names of the fields that were changed; found out at the first look."""
        return [name for name in self.fields if self[name].has_changed()]

    # HTML

    @property
    def media(self) -> Media:
        """The files of style and script that it and its widgets need."""
        return sum((each.widget.media for each in self.fields.values()), media_of(type(self)))

    def is_multipart(self) -> bool:
        """Tell whether it sends files, so that it must say `enctype="multipart/form-data"`."""
        return any(each.widget.needs_multipart_form for each in self.fields.values())

    def hidden_fields(self) -> list[BoundField]:
        """Return the fields that nobody sees."""
        return [each for each in self if each.is_hidden]

    def visible_fields(self) -> list[BoundField]:
        """Return the fields that are seen."""
        return [each for each in self if not each.is_hidden]

    def get_context(self) -> dict[str, Any]:
        """Return what the form's template sees."""
        return {
            "form": self,
            "fields": self.visible_fields(),
            "hidden_fields": self.hidden_fields(),
            "errors": self._errors_above() if self.is_bound else "",
        }

    def _errors_above(self) -> ErrorList:
        """Return what is wrong with the form as a whole, and with fields that nobody sees."""
        found = self.error_list(NON_FIELD_ERRORS)
        found.extend(self.non_field_errors().faults)
        for each in self.hidden_fields():
            found.extend(
                Fault(fault.path, fault.code, f"(Hidden field {each.name}) {fault.message}", fault.params)
                for fault in each.errors.faults
            )
        return found

    def render(self, template_name: str | None = None, context: Mapping[str, Any] | None = None) -> Markup:
        """Return the whole form as HTML, without `<form>` and buttons."""
        made: Markup = self.renderer.render(
            template_name or self.template_name, self.get_context() if context is None else context
        )
        return made

    def __html__(self) -> Markup:
        return self.render()

    def __str__(self) -> str:
        return str(self.render())

    def as_div(self) -> Markup:
        """Return it with each field in a `<div>`: what `{{ form }}` is, unless `template_name` is another."""
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


def _made(renderer: Any) -> Any:
    return renderer() if isinstance(renderer, type) else renderer


def _mapping(form: type, given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not hasattr(given, "get") or isinstance(given, Form) or hasattr(given, "form"):
        raise UsageError(
            f"{form.__name__}() was given {type(given).__name__}, which is no mapping.",
            code="forms/data",
            hint=f"{form.__name__}(request.form, request.files), or {form.__name__}.from_request(request)",
        )
    return given  # type: ignore[no-any-return]  # a mapping, by what it can


def _declared(cls: type) -> dict[str, Field]:
    """Return the fields of a class and those it derives from; `name = None` takes one away."""
    found: dict[str, Field] = {}
    for base in reversed(cls.__mro__[1:]):
        found.update(vars(base).get("declared_fields", {}))
        for name, value in vars(base).items():
            if value is None:
                found.pop(name, None)
    for name, value in list(vars(cls).items()):
        if isinstance(value, Field):
            found[name] = value
            delattr(cls, name)
        elif value is None:
            found.pop(name, None)
    return found


def _check_cleaner(cls: type, name: str, fields: Mapping[str, Any]) -> None:
    close = nearest(name[6:], fields, most=1)
    if close:
        raise SetupError(
            f"{cls.__name__}.{name}() checks no field: there is no {name[6:]!r}.",
            code="forms/unknown-clean",
            where=place_of(vars(cls)[name]),
            why="A method clean_<field> is called for the field of that name.",
            hint=f"def clean_{close[0]}(self)",
        )
