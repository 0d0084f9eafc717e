"""Views around a form: show it, check it, act on it, lead on.

Holds: `FormMixin`, `ModelFormMixin`, `DeletionMixin` and the views made of them.
Imports: base, details, rows; forms and the data layer when one is needed.
Never: shows or changes an object that the model's policies keep from the user.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, ClassVar
from urllib.parse import quote

from ..colours import Operation, arun, either, run
from ..errors import Forbidden, SetupError, ValidationError, place_of
from ..http.redirects import LazyURL
from ..http.request import Request
from ..http.response import redirect
from .base import View
from .details import SingleObjectMixin
from .hooks import hook, is_overridden
from .naming import model_of
from .rows import may

__all__ = [
    "CreateView",
    "DeleteView",
    "DeletionMixin",
    "FormMixin",
    "FormView",
    "ModelFormMixin",
    "UpdateView",
]

_WRITES = frozenset({"POST", "PUT", "PATCH"})


class FormMixin(View):
    """Makes a form of a request, and answers what comes of it.

    Attributes:
        form_class: The class of the form.
        initial: What its fields start with.
        prefix: What stands before their names.
        success_url: Where a good form leads; `{name}` stands for an attribute of the object.
        success_message: What the next page tells the visitor; `{name}` is a value of the form.
        invalid_status: Of the page that shows what is wrong. htmx, which shows no page of an
            error, gets 200.
    """

    form_class: type[Any] | None = None
    initial: Mapping[str, Any] = {}  # never changed: get_initial() copies it
    prefix: str | None = None
    success_url: str | LazyURL | None = None
    success_message: str = ""
    invalid_status: int = 422

    object: Any

    # Whether a good form is saved: that of a model.
    _saves_form: ClassVar[bool] = False

    # The form

    def get_initial(self) -> dict[str, Any]:
        """Return what the fields start with."""
        return dict(self.initial)

    def get_prefix(self) -> str | None:
        """Return what stands before the names of the fields."""
        return self.prefix

    def get_form_class(self) -> type[Any]:
        """Return the class of the form."""
        if self.form_class is not None:
            return self.form_class
        fields: Sequence[str] | str | None = getattr(self, "fields", None)
        if not self._saves_form or fields is None:
            raise no_form(self)
        return form_of_model(model_of(self, getattr(self, "object", None)), fields)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Return the arguments of the form: `initial`, `prefix`, `data`, `files`, `instance`."""
        from ..forms.requests import data_of  # its weight is for forms

        kwargs: dict[str, Any] = {"initial": self.get_initial(), "prefix": self.get_prefix()}
        if self.request.method in _WRITES:
            kwargs["data"], kwargs["files"] = data_of(self.request)
        if self._saves_form:
            kwargs["instance"] = self.object
        return kwargs

    def get_form(self, form_class: type[Any] | None = None) -> Any:
        """Return the form of this request."""
        return (form_class or self.get_form_class())(**self.get_form_kwargs())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template, `form` among them."""
        if "form" not in kwargs:
            kwargs["form"] = self.get_form()
        return super().get_context_data(**kwargs)

    # What comes of it

    def get_success_url(self) -> str:
        """Return where a good form leads: `success_url`, else the object's `get_absolute_url()`."""
        obj: Any = getattr(self, "object", None)
        if self.success_url is None and hasattr(obj, "get_absolute_url"):
            return str(obj.get_absolute_url())
        return success_url_of(self)

    def get_success_message(self, cleaned_data: Mapping[str, Any]) -> str:
        """Return what the next page tells the visitor; empty for nothing."""
        return self.success_message.format_map(cleaned_data)

    def _leave_message(self, form: Any) -> None:
        text = self.get_success_message(form.cleaned_data)
        if text:
            from ..web.messages import success  # sessions are for those who leave something in them

            success(self.request, text)

    def form_valid(self, form: Any) -> Any:
        """Answer a good form: save that of a model, and lead to `get_success_url()`."""
        return run(self._form_valid(form))

    async def aform_valid(self, form: Any) -> Any:
        """`form_valid()` in async code."""
        return await arun(self._form_valid(form))

    def _form_valid(self, form: Any) -> Operation[Any]:
        if self._saves_form:
            try:
                self.object = yield from either(form.save, form.asave)
            except ValidationError:
                if not form.errors:
                    raise  # another's
                # Somebody was quicker than this form, which says so now.
                return (yield from hook(self, "form_invalid", form))
        url = yield from hook(self, "get_success_url")
        self._leave_message(form)
        # 303: the browser gets the next page, whatever the method was, and a reload sends nothing again.
        return redirect(url, 303, external=_leaves(self.success_url))

    def form_invalid(self, form: Any) -> Any:
        """Answer a bad form: the page again, with what is wrong."""
        return run(self._form_invalid(form))

    async def aform_invalid(self, form: Any) -> Any:
        """`form_invalid()` in async code."""
        return await arun(self._form_invalid(form))

    def _form_invalid(self, form: Any) -> Operation[Any]:
        context = yield from hook(self, "get_context_data", form=form)
        response = yield from hook(self, "render_to_response", context)
        if response.status == 200 and self.request.headers.get("hx-request") != "true":
            response.status = self.invalid_status
        return response

    def _begin(self) -> Operation[None]:
        """Find the object, where there is one, or refuse: before anything is shown or done."""
        return
        yield  # an operation without steps

    # What start-up asks

    def _takes_files(self) -> bool:
        is_known = not is_overridden(type(self), "get_form_class") and not is_overridden(type(self), "get_form")
        return is_known and bool(getattr(self.get_form_class(), "__takes_files__", False))

    def _check_setup(self, given: frozenset[str], where: str) -> None:
        super()._check_setup(given, where)
        cls = type(self)
        if not is_overridden(cls, "get_form") and not is_overridden(cls, "get_form_class"):
            self.get_form_class()  # which says what is missing, or misspelt
        own = ("get_success_url", "aget_success_url", "form_valid", "aform_valid", "post")
        if self.success_url is not None or any(is_overridden(cls, name) for name in own):
            return
        if not hasattr(model_of(self, None) if isinstance(self, SingleObjectMixin) else None, "get_absolute_url"):
            raise no_success_url(self)


class ModelFormMixin(FormMixin, SingleObjectMixin):
    """Makes the form of a model, and saves it: to combine; `CreateView` and `UpdateView` have it all.

    Attributes:
        fields: Those of the model that the form has; or give a `form_class`.
    """

    fields: Sequence[str] | str | None = None
    template_name_suffix = "_form"
    _saves_form = True

    def _begin(self) -> Operation[None]:
        yield from self._load_object()


# The HTTP methods of all views around a form. Each of these classes has them as its own,
# because a mixin that had them would hide those of the view it is combined with.


def _shown(view: Any) -> Operation[Any]:
    yield from view._begin()
    context = yield from hook(view, "get_context_data")
    return (yield from hook(view, "render_to_response", context))


def _sent(view: Any) -> Operation[Any]:
    yield from view._begin()
    form = yield from hook(view, "get_form")
    is_valid: bool = yield from either(form.is_valid, form.ais_valid)
    return (yield from hook(view, "form_valid" if is_valid else "form_invalid", form))


def _get(self: FormMixin, request: Request, *args: Any, **kwargs: Any) -> Any:
    """Answer with the form to fill in."""
    return run(_shown(self))


async def _aget(self: FormMixin, request: Request, *args: Any, **kwargs: Any) -> Any:
    """`get()` in async code."""
    return await arun(_shown(self))


def _post(self: FormMixin, request: Request, *args: Any, **kwargs: Any) -> Any:
    """Check the form that was sent, and answer what comes of it."""
    return run(_sent(self))


async def _apost(self: FormMixin, request: Request, *args: Any, **kwargs: Any) -> Any:
    """`post()` in async code."""
    return await arun(_sent(self))


class FormView(FormMixin):
    """Shows a form, checks what is sent, and leads on."""

    get, aget, post, apost = _get, _aget, _post, _apost


class CreateView(FormMixin, SingleObjectMixin):
    """Makes an object from a form, with `<label>/<model>_form.html`.

    Attributes:
        fields: Those of the model that the form has; or give a `form_class`.
    """

    fields: Sequence[str] | str | None = None
    template_name_suffix = "_form"
    policy_action = "add"
    _saves_form = True

    get, aget, post, apost = _get, _aget, _post, _apost

    def _begin(self) -> Operation[None]:
        self.object: Any = None
        if not (yield from may(self, self.policy_action, model_of(self, None))):
            raise Forbidden()

    def _finds_by_route(self) -> bool:
        return False


class UpdateView(FormMixin, SingleObjectMixin):
    """Changes an object by a form, with `<label>/<model>_form.html`.

    Attributes:
        fields: Those of the model that the form has; or give a `form_class`.
    """

    fields: Sequence[str] | str | None = None
    template_name_suffix = "_form"
    policy_action = "change"
    _saves_form = True

    get, aget, post, apost = _get, _aget, _post, _apost

    def _begin(self) -> Operation[None]:
        yield from self._load_object()


class DeletionMixin(View):
    """Deletes the object and leads on, by POST or DELETE: to combine with what finds the object."""

    success_url: str | LazyURL | None = None

    def get_success_url(self) -> str:
        """Return where it leads; `{name}` stands for an attribute of the object that was deleted."""
        return success_url_of(self)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Delete the object and lead to `get_success_url()`."""
        return run(_deleted(self))

    async def adelete(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`delete()` in async code."""
        return await arun(_deleted(self))

    def post(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer as `delete()` does."""
        return run(_deleted(self))

    async def apost(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`post()` in async code."""
        return await arun(_deleted(self))


class DeleteView(FormMixin, SingleObjectMixin):
    """Asks by GET whether to delete an object, and deletes it by POST or DELETE.

    The page of the question is `<label>/<model>_confirm_delete.html`.
    """

    template_name_suffix = "_confirm_delete"
    policy_action = "delete"

    get, aget, post, apost = _get, _aget, _post, _apost

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer as `post()` does."""
        return run(_sent(self))

    async def adelete(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`delete()` in async code."""
        return await arun(_sent(self))

    def get_form_class(self) -> type[Any]:
        """Return the class of the form: an empty one, unless `form_class` asks for more than a click."""
        from ..forms import Form  # its weight is for forms

        return self.form_class or Form

    def get_form_kwargs(self) -> dict[str, Any]:
        """Return the arguments of the form; by DELETE it is sent too, with nothing in it."""
        kwargs = super().get_form_kwargs()
        if self.request.method == "DELETE":
            kwargs["data"] = {}
        return kwargs

    def _begin(self) -> Operation[None]:
        yield from self._load_object()

    def _form_valid(self, form: Any) -> Operation[Any]:
        response = yield from _delete(self)
        self._leave_message(form)
        return response


def _deleted(view: Any) -> Operation[Any]:
    view.object = yield from hook(view, "get_object")
    return (yield from _delete(view))


def _delete(view: Any) -> Operation[Any]:
    # The address may have attributes of the object, which is gone afterwards.
    url = yield from hook(view, "get_success_url")
    yield from either(view.object.delete, view.object.adelete)
    return redirect(url, 303, external=_leaves(view.success_url))


# Addresses


def success_url_of(view: Any) -> str:
    """Return the `success_url` of a view, with attributes of its object filled in."""
    if view.success_url is None:
        raise no_success_url(view)
    obj = getattr(view, "object", None)
    text = str(view.success_url)
    return text.format_map(_Quoted(obj)) if obj is not None else text


class _Quoted(dict[str, str]):
    """The attributes of an object as parts of an address; looked up when an address names them."""

    def __init__(self, obj: Any) -> None:
        super().__init__()
        self._obj = obj

    def __missing__(self, name: str) -> str:
        return quote(str(getattr(self._obj, name)), safe="")


def _leaves(target: str | LazyURL | None) -> bool:
    # Said by the class alone, never by a value of the object or the request.
    return target is not None and str(target).startswith(("http://", "https://"))


def form_of_model(model: Any, fields: Sequence[str] | str) -> type[Any]:
    """Return the class of forms for *fields* of *model*, the same each time."""
    return _form_of_model(model, fields if isinstance(fields, str) else tuple(fields))


@cache
def _form_of_model(model: Any, fields: tuple[str, ...] | str) -> type[Any]:
    from ..forms.models import modelform_factory  # its weight is for forms

    return modelform_factory(model, fields=fields)


def no_success_url(view: Any) -> SetupError:
    """Return what is wrong with a view that does not know where a good form leads."""
    cls: type[Any] = view.__class__
    return SetupError(
        f"{cls.__name__} does not say where a good form leads.",
        code="views/no-success-url",
        where=place_of(cls) or f"class {cls.__qualname__} of {cls.__module__}",
        hint='success_url = "/thanks/", or success_url = url_for_lazy("thanks"), or get_absolute_url() of the model',
    )


def no_form(view: Any) -> SetupError:
    """Return what is wrong with a view around a form that has none."""
    cls: type[Any] = view.__class__
    return SetupError(
        f"{cls.__name__} has no form.",
        code="views/no-form",
        where=place_of(cls) or f"class {cls.__qualname__} of {cls.__module__}",
        hint='fields = ["title", "year"], or form_class = RecordForm'
        if view._saves_form
        else "form_class = ContactForm",
    )
