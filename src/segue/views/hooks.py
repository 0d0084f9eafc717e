"""The override points of a view, called in the colour of the request.

Holds: `hook`, a step of an operation that calls a method which a user may have overridden.
Imports: colours, shortcuts, errors.
Never: knows what the methods do.

What a view does is written once, as an operation. It calls `get_object` and the like through
`hook`: in a `def` method the method itself; in an `async def` one its twin (`aget_object`)
where that is the nearer override, an `async def` override as it is, a `def` override of the
user's in a thread (it may wait), and a method of this package's own in place (it does not).
"""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from ..colours import Operation, either
from ..errors import UsageError, place_of
from ..shortcuts import run_sync

__all__ = ["has_methods_of_ours", "hook", "is_ours", "is_overridden", "owner_of"]

_PACKAGE = __name__.rpartition(".")[0]


def owner_of(cls: type, name: str) -> type | None:
    """Return the class that *cls* has the attribute *name* from."""
    return next((base for base in cls.__mro__ if name in vars(base)), None)


def is_ours(cls: type | None) -> bool:
    """Whether a class belongs to this package, not to its users."""
    return cls is not None and cls.__module__.rpartition(".")[0] == _PACKAGE


def is_overridden(cls: type, name: str) -> bool:
    """Whether the nearest *name* of a class is a user's."""
    owner = owner_of(cls, name)
    return owner is not None and not is_ours(owner)


def has_methods_of_ours(cls: type) -> bool:
    """Whether an HTTP method of a class is one that this package wrote."""
    owners = [owner_of(cls, name) for name in ("get", "post", "put", "patch", "delete", "head")]
    return any(is_ours(owner) for owner in owners)


def hook(view: Any, name: str, /, *arguments: Any, **keywords: Any) -> Operation[Any]:
    """Call the method *name* of *view*, whichever colour it has."""

    def call() -> Any:
        method = getattr(view, name)
        if iscoroutinefunction(method):
            raise UsageError(
                f"{name}() of {type(view).__name__} is async def, and it was called from def code.",
                code="views/async-override",
                where=place_of(method),
                hint=f"Write the method that calls it as async def, and `await` its twin `a{name}()` there, "
                "or make the override a def.",
            )
        return method(*arguments, **keywords)

    async def acall() -> Any:
        cls: type[Any] = view.__class__
        owner, twin = owner_of(cls, name), owner_of(cls, f"a{name}")
        if twin is not None and (owner is None or cls.__mro__.index(twin) <= cls.__mro__.index(owner)):
            return await getattr(view, f"a{name}")(*arguments, **keywords)
        method = getattr(view, name)
        if iscoroutinefunction(method):
            return await method(*arguments, **keywords)
        if is_ours(owner):
            return method(*arguments, **keywords)
        return await run_sync(method, *arguments, **keywords)

    return (yield from either(call, acall))
