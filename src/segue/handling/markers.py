"""Marks for parameters and functions: where a value comes from, what guards a handler.

Parameters carry theirs in `Annotated[T, Header()]`. Functions carry theirs in one
attribute, so that the place of a decorator among others does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

__all__ = [
    "Body",
    "ByMethod",
    "Cookie",
    "Depends",
    "File",
    "Form",
    "Header",
    "Marker",
    "Path",
    "Query",
    "mark",
    "marks_of",
]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Marker:
    """Where a parameter's value comes from.

    Args:
        alias: The name on the wire, where it differs from the parameter's.
    """

    alias: str | None = None


class Path(Marker):
    """A parameter of the route."""

    __slots__ = ()


class Query(Marker):
    """A query parameter; with a Struct, all of them."""

    __slots__ = ()


class Header(Marker):
    """A request header; `x_token` reads `x-token` unless an alias is given."""

    __slots__ = ()


class Cookie(Marker):
    """A cookie."""

    __slots__ = ()


class Form(Marker):
    """A field of an urlencoded or multipart body."""

    __slots__ = ()


class File(Marker):
    """An uploaded file: `UploadFile`, or a list of them."""

    __slots__ = ()


class Body(Marker):
    """The whole body: `bytes`, `str`, or any type that JSON can hold."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Depends:
    """A value made by *function* for this request, once however many ask for it.

    Args:
        function: `def` or `async def`; its own parameters are injected too. One that
            yields is cleaned up after the response was sent.
        use_cache: Whether to share one call between all that depend on it.

    >>> Depends(print).use_cache
    True
    """

    function: Callable[..., Any]
    use_cache: bool = True


class ByMethod(Protocol):
    """The mark `by_method` of a view that answers each HTTP method by a function of its own.

    Such a function has the mark `is_method`: it may read the request and the route's
    values through its object, so what its signature does not take is no mistake. With the
    mark `takes_files` it may have bodies of the size of files.
    """

    @property
    def methods(self) -> frozenset[str]:
        """The HTTP methods that it answers."""
        ...

    def handler(self, method: str, view: Callable[..., Any]) -> Callable[..., Any]:
        """Return what answers *method*, with the signature to bind; it calls *view*, which wraps this."""
        ...

    def check_route(self, names: Sequence[str | None], constants: Mapping[str, Any], where: str) -> None:
        """Refuse a route that gives what the view never reads, or lacks what it needs.

        Raises:
            SetupError: Such a route.
        """
        ...


_MARKS = "__segue_marks__"


def mark(function: F, **values: Any) -> F:
    """Set marks on *function* and return it; the compiler reads them at start-up."""
    found = {**getattr(function, _MARKS, {}), **values}
    setattr(function, _MARKS, found)
    return function


def marks_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the marks of *function* and of all it wraps; the outermost wins."""
    found: dict[str, Any] = {}
    target: Any = function
    while target is not None:
        found = {**getattr(target, _MARKS, {}), **found}
        target = getattr(target, "__wrapped__", None) or getattr(target, "__func__", None)
    return found
