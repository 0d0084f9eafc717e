"""One text of an operation for `def` and `async def`.

Holds: `Either`, a step that can be taken in both colours; `pair`, which makes the two
functions of an operation; `listing`, a list of what both colours iterate; `twin`, which joins two;
`twin_of`; `is_on_loop`.
Imports: the standard library only.
Never: knows what an operation is about, or starts a loop or a thread.

An operation is a generator function. It yields steps and is sent their results, so it
says once what happens in which order, whoever waits:

    def _greet(name: str) -> Operation[str]:
        found = yield from either(Musician.objects.get, Musician.objects.aget, name=name)
        return f"Hello {found}"

    greet, agreet = pair(_greet)
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from functools import wraps
from types import MethodType
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

__all__ = ["Either", "Operation", "arun", "either", "is_on_loop", "listing", "pair", "run", "twin", "twin_of"]

P = ParamSpec("P")
T = TypeVar("T")

_TWIN = "__segue_twin__"


class Either(Generic[T]):
    """A step of an operation: the same call in two colours; one of them is made."""

    __slots__ = ("arguments", "asynchronous", "keywords", "synchronous")

    def __init__(
        self,
        synchronous: Callable[P, T],
        asynchronous: Callable[P, Awaitable[T]],
        *arguments: P.args,
        **keywords: P.kwargs,
    ) -> None:
        self.synchronous: Callable[..., T] = synchronous
        self.asynchronous: Callable[..., Awaitable[T]] = asynchronous
        self.arguments: tuple[Any, ...] = arguments
        self.keywords: dict[str, Any] = keywords


Operation: TypeAlias = Generator[Either[Any], Any, T]


def either(
    synchronous: Callable[P, T], asynchronous: Callable[P, Awaitable[T]], *arguments: P.args, **keywords: P.kwargs
) -> Operation[T]:
    """Take one step, typed: `found = yield from either(load, aload, key)`."""
    result: T = yield Either(synchronous, asynchronous, *arguments, **keywords)
    return result


def listing(rows: Any) -> Operation[list[Any]]:
    """Return as a list what can be iterated in both colours, such as a queryset."""
    return (yield from either(lambda: list(rows), lambda: _alist(rows)))


async def _alist(rows: Any) -> list[Any]:
    return [each async for each in rows]


def run(operation: Operation[T]) -> T:
    """Drive *operation* to its end by its sync calls; waits where they do."""
    try:
        step = next(operation)
        while True:
            try:
                result = step.synchronous(*step.arguments, **step.keywords)
            except BaseException as error:
                step = operation.throw(error)
            else:
                step = operation.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what the operation returns


async def arun(operation: Operation[T]) -> T:
    """Drive *operation* to its end by its async calls."""
    try:
        step = next(operation)
        while True:
            try:
                result = await step.asynchronous(*step.arguments, **step.keywords)
            except BaseException as error:
                step = operation.throw(error)
            else:
                step = operation.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what the operation returns


def pair(operation: Callable[P, Operation[T]]) -> tuple[Callable[P, T], Callable[P, Coroutine[Any, Any, T]]]:
    """Return the `def` and the `async def` function of *operation*.

    Both have its signature and docstring; the second is the twin of the first, so a step
    of a request that is given the first runs as the second where the request is async.

    >>> def _double(number: int) -> Operation[int]:
    ...     half = yield from either(abs, _aabs, number)
    ...     return half * 2
    >>> async def _aabs(number: int) -> int:
    ...     return abs(number)
    >>> double, adouble = pair(_double)
    >>> double(-2)
    4
    """
    name = operation.__name__.lstrip("_")

    @wraps(operation)
    def synchronous(*arguments: P.args, **keywords: P.kwargs) -> T:
        return run(operation(*arguments, **keywords))

    @wraps(operation)
    async def asynchronous(*arguments: P.args, **keywords: P.kwargs) -> T:
        return await arun(operation(*arguments, **keywords))

    function: Any
    for function, called in ((synchronous, name), (asynchronous, f"a{name}")):
        function.__name__ = called
        function.__qualname__ = operation.__qualname__.removesuffix(operation.__name__) + called
    return twin(asynchronous)(synchronous), asynchronous


def twin(asynchronous: Callable[P, Coroutine[Any, Any, T]]) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a `def` function as the sync twin of *asynchronous*, where both are written out."""

    def join(synchronous: Callable[P, T]) -> Callable[P, T]:
        setattr(synchronous, _TWIN, asynchronous)
        return synchronous

    return join


def twin_of(function: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]] | None:
    """Return the async function that *function* is the sync one of, or `None`."""
    twin = getattr(function, _TWIN, None)
    if twin is not None and isinstance(function, MethodType):
        return MethodType(twin, function.__self__)
    return twin


def is_on_loop() -> bool:
    """Tell whether this thread runs an event loop, on which nothing may wait."""
    asyncio = sys.modules.get("asyncio")  # not loaded by what has no loop
    return asyncio is not None and asyncio._get_running_loop() is not None
