"""Views of one object.

Holds: `SingleObjectMixin`, which finds the object of a route; `DetailView`.
Imports: base, naming, scoping; the data layer when it reads.
Never: finds what the model's policies hide.
"""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from ..colours import Operation, arun, run
from ..errors import SetupError, UsageError, place_of
from ..http.request import Request
from .base import View
from .checks import mentions
from .hooks import has_methods_of_ours, hook, is_overridden
from .naming import listed, model_of, names_of_templates
from .rows import demand_rows, find_one, rows_of, scoped, unknown_field

__all__ = ["DetailView", "SingleObjectMixin"]

E = TypeVar("E", SetupError, UsageError)


class AnonymousUserError(UsageError):
    """A page that shows the user who asks was asked for by nobody."""

    # A visitor is told to log in; the log and the debug page tell the developer what is missing.
    status = 401


class SingleObjectMixin(View):
    """Finds one object by the values of the route.

    Attributes:
        model: The model; or give a `queryset`.
        queryset: The rows among which the object is.
        pk_url_kwarg: The route's value with the primary key.
        slug_url_kwarg: The route's value with the slug, where there is no key.
        slug_field: The field, or the path to one, that the slug is compared with.
        query_pk_and_slug: Compare both, where the route gives both.
        context_object_name: The object's name in the template; else that of the model in
            lower case.
        template_name_field: A field of the object that holds a template's name, tried first.
        template_name_suffix: The end of the default name, `<label>/<model>_detail.html`.
        object: What was found.
    """

    model: Any = None
    queryset: Any = None
    pk_url_kwarg: str = "pk"
    slug_url_kwarg: str = "slug"
    slug_field: str = "slug"
    query_pk_and_slug: bool = False
    context_object_name: str | None = None
    template_name_field: str | None = None
    template_name_suffix: str = "_detail"

    object: Any

    # What the policies of a model are asked for.
    policy_action: ClassVar[str] = "view"

    # Declared so loosely because an override may take the queryset or not; type checkers allow both.
    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        """Return the object that the route names, among the rows of a *queryset* or of `get_queryset()`.

        Raises:
            NotFound: There is none, or the model's policies hide it.
        """
        return run(self._get_object(*args, **kwargs))

    async def aget_object(self, *args: Any, **kwargs: Any) -> Any:
        """`get_object()` in async code."""
        return await arun(self._get_object(*args, **kwargs))

    def get_queryset(self) -> Any:
        """Return the rows among which the object is."""
        return rows_of(self)

    def get_slug_field(self) -> str:
        """Return the field that the slug is compared with."""
        return self.slug_field

    def get_context_object_name(self, obj: Any) -> str | None:
        """Return the object's name in the template, beside `object`."""
        if self.context_object_name is not None:
            return self.context_object_name
        model = model_of(self, obj)
        return model._meta.model_name if model is not None else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template: `object`, and the same by the model's name."""
        context: dict[str, Any] = {}
        obj = getattr(self, "object", None)
        if obj is not None:
            context["object"] = obj
            name = self.get_context_object_name(obj)
            if name:
                context[name] = obj
        return super().get_context_data(**{**context, **kwargs})

    def get_template_names(self) -> list[str]:
        """Return the names of templates to try: `template_name`, else `<label>/<model>_<suffix>.html`."""
        if self.template_name is not None:
            return [self.template_name]
        obj = getattr(self, "object", None)
        names: list[str] = []
        if self.template_name_field is not None and obj is not None:
            named = getattr(obj, self.template_name_field)
            names += [named] if named else []
        names += names_of_templates([model_of(self, obj), obj.__class__], self.template_name_suffix)
        return names or super().get_template_names()

    # How it is found

    def _get_object(self, queryset: Any = None) -> Operation[Any]:
        rows = queryset if queryset is not None else (yield from hook(self, "get_queryset"))
        rows = self._narrowed((yield from scoped(self, rows, self.policy_action)))
        return (yield from find_one(rows, self._lookups(rows.model)))

    def _narrowed(self, rows: Any) -> Any:
        return rows

    def _lookups(self, model: Any) -> dict[str, Any]:
        kwargs = self.kwargs
        keys = _parts_of_key(model, self.pk_url_kwarg)
        lookups: dict[str, Any] = {}
        if all(name in kwargs for name in keys):
            lookups = {field: kwargs[name] for name, field in keys.items()}
        if self.slug_url_kwarg in kwargs and (not lookups or self.query_pk_and_slug):
            lookups[self.get_slug_field()] = kwargs[self.slug_url_kwarg]
        if not lookups:
            raise self._no_key(UsageError, frozenset(kwargs))
        return lookups

    def _load_object(self) -> Operation[Any]:
        """Find the object and keep it; refuse to show nobody as somebody."""
        self.object = yield from hook(self, "get_object")
        if getattr(self.object, "is_anonymous", False) is True:
            raise AnonymousUserError(
                f"{type(self).__name__}.get_object() returned an anonymous user: this page needs a logged-in user.",
                code="auth/anonymous-user",
                where=place_of(type(self).get_object),
                why="The page shows the user who asks, and nobody is logged in.",
                hint=f"Add login_required: @login_required above class {type(self).__name__}.",
            )
        return self.object

    # What start-up asks

    def _finds_by_route(self) -> bool:
        return not (is_overridden(type(self), "get_object") or is_overridden(type(self), "aget_object"))

    def _reads_from_route(self) -> frozenset[str]:
        # An override may call what it overrides.
        if not self._finds_by_route() and not mentions(type(self), {"get_object", "aget_object"}):
            return frozenset()
        return frozenset([*self._keys(), self.slug_url_kwarg])

    def _keys(self) -> dict[str, str]:
        model = model_of(self, None)
        return _parts_of_key(model, self.pk_url_kwarg) if model is not None else {self.pk_url_kwarg: "pk"}

    def _check_setup(self, given: frozenset[str], where: str) -> None:
        super()._check_setup(given, where)
        demand_rows(self)
        # Who writes all the methods anew decides what they read.
        if not self._finds_by_route() or not has_methods_of_ours(type(self)):
            return
        has_key = given.issuperset(self._keys())
        if not has_key and self.slug_url_kwarg not in given:
            raise self._no_key(SetupError, given, where)
        if not has_key or self.query_pk_and_slug:
            self._check_slug(given, where)

    def _check_slug(self, given: frozenset[str], where: str) -> None:
        model = model_of(self, None)
        if model is None or self.slug_url_kwarg not in given:
            return
        problem = unknown_field(model, self.get_slug_field())
        if problem is not None:
            raise SetupError(
                f"{type(self).__name__} looks for `{self.slug_url_kwarg}` in {model.__name__}.{self.get_slug_field()}, "
                "which does not exist.",
                code="views/unknown-field",
                where=where,
                hint=f'slug_field = "…", the name of the field to compare with. {problem}',
            )

    def _no_key(self, kind: type[E], given: frozenset[str], where: str = "") -> E:
        name, keys = type(self).__name__, list(self._keys())
        hint = f'Write the route with "<int:{keys[0]}>", or override get_object().'
        if len(given) == 1:
            (only,) = given
            hint = f'slug_url_kwarg = "{only}" with slug_field, or pk_url_kwarg = "{only}", in {name}. {hint}'
        return kind(
            f"{name} needs the value {' and '.join(f'`{key}`' for key in keys)} or `{self.slug_url_kwarg}` "
            f"of the route, which gives {listed(given)}.",
            code="views/missing-value",
            where=where or place_of(type(self)),
            why="It says which object to show.",
            hint=hint,
        )

    def _hint_for(self, name: str) -> str:
        if not self._finds_by_route():
            return ""
        return (
            f'Write pk_url_kwarg = "{name}" in {type(self).__name__} if it is the primary key, or '
            f'slug_url_kwarg = "{name}" with slug_field, the field that it is compared with.'
        )


class DetailView(SingleObjectMixin):
    """Shows one object: by `pk` or `slug` of the route, with `<label>/<model>_detail.html`."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer with the page of the object."""
        return run(self._get())

    async def aget(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """`get()` in async code."""
        return await arun(self._get())

    def _get(self) -> Operation[Any]:
        found = yield from self._load_object()
        context = yield from hook(self, "get_context_data", object=found)
        return (yield from hook(self, "render_to_response", context))


def _parts_of_key(model: Any, pk_name: str) -> dict[str, str]:
    """Return the route's values that make a primary key, and the lookup of each."""
    fields = [field.name for field in model._meta.pk_fields]
    return {name: name for name in fields} if len(fields) > 1 else {pk_name: "pk"}
