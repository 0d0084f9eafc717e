"""From a class to its handlers: one for each HTTP method, with the method's own signature.

Holds: `Methods`, what the compiler asks (the Protocol `ByMethod`); what a request bound.
Imports: marks and the exchange of handling.
Never: decides what a route must look like; `checks` does.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import cache
from types import MethodType
from typing import Any, NamedTuple, cast

from ..context import current, find_current
from ..errors import SetupError, place_of
from ..handling.exchange import Exchange
from ..handling.markers import mark, marks_of
from ..http.request import Request
from .checks import check_route
from .hooks import is_ours, owner_of

__all__ = ["HTTP_METHODS", "Bound", "Methods", "answered_by", "call_method", "method_of", "snake_name"]

# TRACE and CONNECT are for servers: no class answers them.
HTTP_METHODS = ("get", "post", "put", "patch", "delete", "head", "options")

_WRITES = frozenset({"POST", "PUT", "PATCH"})
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_name(name: str) -> str:
    """Return a class's name as a function would have it.

    >>> snake_name("UserProfile"), snake_name("JSONList")
    ('user_profile', 'json_list')
    """
    return _WORD.sub("_", name).lower()


class Bound(NamedTuple):
    """What one request gives to a view.

    Attributes:
        args: The values of the route's unnamed groups.
        kwargs: The values of the route, by name, as typed parameters made them.
        given: The positional and keyword arguments of the method, injected ones among them;
            `None` where the view was called by hand.
    """

    request: Request
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    given: tuple[tuple[Any, ...], dict[str, Any]] | None = None


@cache
def _attributes(cls: Any) -> Mapping[str, str]:
    """Return the HTTP methods that a class has, and the attribute that answers each."""
    names: Sequence[str] = cls.http_method_names
    unknown = [name for name in names if name not in HTTP_METHODS]
    if unknown:
        raise SetupError(
            f"{cls.__name__}.http_method_names has {unknown[0]!r}, which is no HTTP method that a class answers.",
            code="routing/bad-methods",
            where=place_of(cls),
            hint=f"Choices: {', '.join(HTTP_METHODS)}.",
        )
    waits = _waits(cls)
    found: dict[str, str] = {}
    for name in names:
        if not callable(getattr(cls, name, None)):
            continue
        twin = f"a{name}"
        # An override that waits makes the methods of ours wait that call it.
        found[name] = twin if waits and is_ours(owner_of(cls, name)) and hasattr(cls, twin) else name
    return found


def _waits(cls: type) -> bool:
    """Whether a user wrote as `async def` what this package has as `def` with a twin or an override point."""
    for base in cls.__mro__:
        if is_ours(base) or base is object:
            continue
        for name, member in vars(base).items():
            ours = any(is_ours(each) and name in vars(each) for each in cls.__mro__)
            if ours and name not in HTTP_METHODS and not name.startswith("a") and inspect.iscoroutinefunction(member):
                return True
    return False


def method_of(cls: type, method: str) -> str | None:
    """Return the attribute of *cls* that answers *method*, or `None`."""
    found = _attributes(cls)
    name = method.lower()
    return found.get(name) or (found.get("get") if name == "head" else None)


def answered_by(cls: type) -> frozenset[str]:
    """Return the HTTP methods that a class answers; HEAD comes with GET."""
    names = {name.upper() for name in _attributes(cls)}
    return frozenset(names | {"HEAD"} if "GET" in names else names)


def call_method(
    method: Callable[..., Any], bound: Bound | None, request: Request, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Call *method* with what its signature asked for; *kwargs* may have been changed on the way."""
    if bound is None or bound.given is None:
        return method(request, *args, **kwargs) if _takes_request(method) else method(*args, **kwargs)
    positional, keywords = bound.given
    changed = {name: value for name, value in kwargs.items() if name in keywords or name not in bound.kwargs}
    return method(*positional, **{**keywords, **changed})


def _takes_request(method: Callable[..., Any]) -> bool:
    first = next(iter(inspect.signature(method).parameters.values()), None)
    if first is None:
        return False
    return first.name == "request" or first.kind is first.VAR_POSITIONAL or first.annotation in (Request, "Request")


class Methods:
    """What the compiler asks of the function that `as_view()` returned.

    Args:
        cls: The class of the view.
        options: Attributes of its instances.

    Attributes:
        view: What `as_view()` returned.
    """

    def __init__(self, cls: type, options: Mapping[str, Any]) -> None:
        self._cls = cls
        self._options = options
        self.view: Callable[..., Any] | None = None

    @property
    def methods(self) -> frozenset[str]:
        """The HTTP methods that it answers; all, where a method of the class decides that."""
        cls: Any = self._cls
        own = set(_attributes(cls))
        if is_ours(owner_of(cls, "dispatch")) and is_ours(owner_of(cls, "http_method_not_allowed")):
            if is_ours(owner_of(cls, "options")):
                own.discard("options")  # the router answers it
        else:
            own = set(cls.http_method_names)
            if "head" not in _attributes(cls):
                own.discard("head")
        return frozenset(name.upper() for name in own)

    def check_route(self, names: Sequence[str | None], constants: Mapping[str, Any], where: str) -> None:
        """Refuse a route that gives what the view never reads, or lacks what it needs."""
        check_route(self._cls(**self._options), self._functions(), names, constants, where)

    def _functions(self) -> list[Callable[..., Any]]:
        return [getattr(self._cls, name) for name in _attributes(self._cls).values()]

    def handler(self, method: str, view: Callable[..., Any]) -> Callable[..., Any]:
        """Return what answers *method*: it has the signature of the class's method, and calls *view*."""
        cls: Any = self._cls
        name = method_of(cls, method)
        function = getattr(cls, name) if name is not None else cls.http_method_not_allowed
        made = _in_colour_of(function, cls, self._called(view))
        made.__name__ = made.__qualname__ = f"{cls.__name__}.{method.lower()}"
        # Read by the innermost signature, as every wrapped handler is; `self` is taken out of it.
        made.__wrapped__ = MethodType(inspect.unwrap(function), cls)  # type: ignore[attr-defined]
        marks = _merged(cls, view, cls.dispatch, function)
        takes_files = method in _WRITES and cls(**self._options)._takes_files()
        marks |= {"is_method": True, "takes_files": takes_files, "by_method": None, "methods_of": self}
        return mark(made, **marks)

    # What happens to a request

    def answer(self, arguments: tuple[Any, ...], keywords: dict[str, Any], exchange: Exchange | None) -> Any:
        """Answer by a new instance.

        Args:
            exchange: The running one, where the view was called by its route, not by hand.
        """
        instance: Any = self._cls(**self._options)
        bound = instance._bound = _bind(arguments, keywords, exchange)
        instance.setup(bound.request, *bound.args, **bound.kwargs)
        return instance.dispatch(bound.request, *bound.args, **bound.kwargs)

    def made_for(self, exchange: Exchange) -> Any:
        """Return an instance that knows the request, for a gate that asks it before there is a handler."""
        instance: Any = self._cls(**self._options)
        bound = instance._bound = _bind((), {}, exchange)
        instance.setup(bound.request, *bound.args, **bound.kwargs)
        return instance

    def routed(self) -> Exchange | None:
        """Return the running exchange, where it is this view that its endpoint calls."""
        context = find_current()
        if not isinstance(context, Exchange) or context.endpoint is None or context.endpoint.handler is None:
            return None
        marks = marks_of(context.endpoint.handler.function)
        return context if marks.get("methods_of") is self else None

    def _called(self, view: Callable[..., Any]) -> Callable[..., Any]:
        """Return what a handler calls: *view*, or without the detour what it comes to."""
        if view is not self.view:
            return view  # something was wrapped around it

        def answer(*arguments: Any, **keywords: Any) -> Any:
            return self.answer(arguments, keywords, cast("Exchange", current()))

        return answer


def _bind(arguments: tuple[Any, ...], keywords: dict[str, Any], exchange: Exchange | None) -> Bound:
    """Return what a call of the view says: by a route, which may have injected, or by hand."""
    if exchange is None:
        found = keywords.get("request") or next((each for each in arguments if isinstance(each, Request)), None)
        request: Any = found if found is not None else current().request
        rest = tuple(each for each in arguments if each is not request)
        return Bound(request, rest, {name: each for name, each in keywords.items() if name != "request"})
    kwargs = {name: keywords.get(name, value) for name, value in exchange.path_params.items()}
    names = exchange.endpoint.route.names if exchange.endpoint is not None else ()
    args: tuple[Any, ...] = ()
    if None in names:
        args = tuple(value for name, value in zip(names, exchange.values, strict=False) if name is None)
    return Bound(exchange.request, args, kwargs, (arguments, keywords))


def _in_colour_of(function: Callable[..., Any], cls: Any, view: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that calls *view*, of the kind that *function* is."""
    if inspect.isgeneratorfunction(function):

        def pieces(*arguments: Any, **keywords: Any) -> Iterator[Any]:
            yield from view(*arguments, **keywords)

        return pieces
    if inspect.isasyncgenfunction(function):

        async def apieces(*arguments: Any, **keywords: Any) -> AsyncIterator[Any]:
            async for piece in view(*arguments, **keywords):
                yield piece

        return apieces
    if not (inspect.iscoroutinefunction(inspect.unwrap(function)) or inspect.iscoroutinefunction(cls.dispatch)):

        def answer(*arguments: Any, **keywords: Any) -> Any:
            return view(*arguments, **keywords)

        return answer

    async def aanswer(*arguments: Any, **keywords: Any) -> Any:
        result = view(*arguments, **keywords)
        return await result if inspect.isawaitable(result) else result

    return aanswer


def _merged(*things: Any) -> dict[str, Any]:
    """Return the marks of a class, of what wraps it and of its method: gates add up."""
    found: dict[str, Any] = {}
    for thing in things:
        for name, value in marks_of(thing).items():
            if name in ("guards", "middleware"):
                value = [*found.get(name, ()), *(each for each in value if each not in found.get(name, ()))]
            found[name] = value
    return found
