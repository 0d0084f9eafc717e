"""`View`: a class that answers requests, by a method for each HTTP method.

Holds: `View` and `MethodView`.
Imports: methods (how a class becomes handlers), hooks, checks, shortcuts.
Never: reads a database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, TypeVar

from ..colours import Operation, arun, either, run
from ..errors import MethodNotAllowed, SetupError, UsageError, place_of
from ..handling.markers import mark
from ..http.request import Request
from ..http.response import Response
from ..places import caller_place
from ..shortcuts import arender_template, render_template
from .checks import check_attributes, check_options
from .hooks import hook
from .methods import HTTP_METHODS, Bound, Methods, answered_by, call_method, method_of, snake_name

__all__ = ["MethodView", "View"]

E = TypeVar("E", SetupError, UsageError)


class View:
    """Answers requests by its methods `get`, `post` and so on; one instance for each request.

    A method takes what a function would: the request, the route's values, typed parameters,
    injected ones; it is `def` or `async def`.

    Attributes:
        request: The request that this instance answers.
        args: The values of the route's unnamed groups.
        kwargs: The values of the route, by name.
        template_name: The template that `render_to_response` renders.
        fragment: The block of it that answers htmx and Turbo, instead of the page.
        extra_context: Names for the template, beside those of `get_context_data`.
    """

    http_method_names: ClassVar[Sequence[str]] = HTTP_METHODS

    template_name: str | None = None
    fragment: str | None = None
    content_type: str | None = None
    extra_context: Mapping[str, Any] | None = None

    request: Request
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]

    _bound: Bound | None = None

    def __init__(self, **options: Any) -> None:
        for name, value in options.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        check_attributes(cls)

    @classmethod
    def as_view(cls, name: str | None = None, /, **options: Any) -> Callable[..., Any]:
        """Return the function that answers with a new instance for each request.

        Args:
            name: The endpoint's name; else the class's, as `user_profile` for `UserProfile`.
            options: Attributes for the instances, such as `template_name="page.html"`.

        Raises:
            SetupError: The class has no such attribute (`views/unknown-attribute`).
        """
        check_options(cls, options, caller_place())

        methods = Methods(cls, options)

        def view(*arguments: Any, **keywords: Any) -> Any:
            return methods.answer(arguments, keywords, methods.routed())

        view.__name__ = view.__qualname__ = name or snake_name(cls.__name__)
        view.__doc__, view.__module__ = cls.__doc__, cls.__module__
        # What Flask and Django keep there too, for those who list routes.
        vars(view).update(view_class=cls, view_initkwargs=options, methods=sorted(methods.methods))
        methods.view = view
        return mark(view, by_method=methods)

    # What happens to a request

    def setup(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Keep the request and the route's values; runs before everything else."""
        self.request = request
        self.args = args
        self.kwargs = kwargs

    def dispatch(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Call the method that the request asks for; an override sees every request."""
        name = method_of(type(self), request.method)
        if name is None:
            return self.http_method_not_allowed(request, *args, **kwargs)
        return call_method(getattr(self, name), self._bound, request, args, kwargs)

    def http_method_not_allowed(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer a method that the class does not have.

        Raises:
            MethodNotAllowed: Always; the answer is 405, with `Allow`.
        """
        raise MethodNotAllowed(allowed=self._allowed())

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        """Answer OPTIONS: the methods that there are, and no body."""
        return Response(b"", 204, {"allow": ", ".join(self._allowed())})

    # What a page is made of

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Return the names for the template: `view`, `extra_context` and what is given."""
        return {"view": self, **kwargs, **(self.extra_context or {})}

    def get_template_names(self) -> list[str]:
        """Return the names of templates to try, in order.

        Raises:
            UsageError: The class names none (`views/no-template`).
        """
        if self.template_name is None:
            raise self._no_template(UsageError)
        return [self.template_name]

    def _no_template(self, kind: type[E]) -> E:
        cls = type(self)
        return kind(
            f"{cls.__name__} names no template.",
            code="views/no-template",
            where=place_of(cls) or f"class {cls.__qualname__} of {cls.__module__}",
            hint=f'template_name = "{snake_name(cls.__name__)}.html"',
        )

    def render_to_response(self, context: Mapping[str, Any], **options: Any) -> Any:
        """Return the response of the template, or of its fragment where a part is asked for.

        Args:
            options: For the response: `status`, `headers`, `content_type`.
        """
        return run(self._render_to_response(context, **options))

    async def arender_to_response(self, context: Mapping[str, Any], **options: Any) -> Any:
        """`render_to_response()` in async code: the template is rendered in a thread."""
        return await arun(self._render_to_response(context, **options))

    def _render_to_response(self, context: Mapping[str, Any], **options: Any) -> Operation[Any]:
        names = list((yield from hook(self, "get_template_names")))
        if self.fragment is not None and self.request.is_fragment:
            names = [f"{name}#{self.fragment}" for name in names]
        text = yield from either(render_template, arender_template, names, context)
        if self.content_type is not None:
            options.setdefault("content_type", self.content_type)
        response = Response(text, **options)
        if self.fragment is not None:
            response.headers.add("vary", "HX-Request, HX-Boosted, Turbo-Frame")
        return response

    # What start-up asks, of an instance as `as_view()` will make it

    def _check_setup(self, given: frozenset[str], where: str) -> None:
        """Refuse what cannot work with a route that gives the values *given*."""

    def _reads_from_route(self) -> frozenset[str] | None:
        """Return the route's values that this view reads by itself; `None` where it may be any."""
        return frozenset()

    def _takes_files(self) -> bool:
        """Whether bodies of the size of files are read."""
        return False

    def _hint_for(self, name: str) -> str:
        """Say how this view could read the route's value *name*."""
        return ""

    def _allowed(self) -> list[str]:
        return sorted(answered_by(type(self)) | {"OPTIONS"})


class MethodView(View):
    """A view whose methods take what they name, and no request unless they name it: Flask's."""
