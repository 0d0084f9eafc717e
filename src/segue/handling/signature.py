"""What a callable asks for, read from its signature once, at start-up."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Annotated, Any, TypeGuard, get_args, get_origin, get_type_hints

from ..colours import twin_of
from ..errors import SetupError, cut, did_you_mean, place_of
from .markers import Depends, Marker, marks_of

__all__ = ["MISSING", "Callee", "Parameter", "inspect_callable", "names_read_from_kwargs", "route_line"]

MISSING: Any = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a callable.

    Attributes:
        annotation: Its type with `Annotated` kept for constraints, markers taken out.
        marker: Its marker, or `None`.
        default: `MISSING` where it has none.
        positional: Whether it can only be given by position.
    """

    name: str
    annotation: Any
    marker: Marker | Depends | None
    default: Any
    positional: bool


@dataclass(frozen=True, slots=True)
class Callee:
    """A callable with what it asks for and how it runs.

    Attributes:
        function: What to call: the outermost wrapper.
        is_async: Whether calling it gives a coroutine.
        is_generator: Whether it yields (a `def` generator).
        is_async_generator: Whether it yields (an `async def` generator).
        blocking: Whether a `def` may wait, and so must not run on the loop.
        takes_kwargs: The name of its `**kwargs`, or `None`.
        takes_args: The name of its `*args`, or `None`.
        returns: Its return annotation, or `MISSING`.
        twin: The async function that does the same, for a `def` that has one.
    """

    function: Callable[..., Any]
    name: str
    place: str
    parameters: tuple[Parameter, ...]
    is_async: bool
    is_generator: bool
    is_async_generator: bool
    blocking: bool
    takes_kwargs: str | None
    takes_args: str | None
    returns: Any
    twin: Callable[..., Any] | None = None

    def __str__(self) -> str:
        return f"{self.name}()"

    def on_loop(self) -> Callee:
        """Return what stands for this in an endpoint that runs on a loop: its twin, if it has one."""
        if self.twin is None:
            return self
        return replace(self, function=self.twin, is_async=True, blocking=False, twin=None)


def inspect_callable(function: Callable[..., Any], *, skip: int = 0) -> Callee:
    """Return what *function* asks for.

    A function wrapped with `functools.wraps` is called by its outermost wrapper
    and read by its innermost signature.

    Args:
        skip: How many leading parameters are given by position (an exception, a response).

    Raises:
        SetupError: It is no function, or an annotation cannot be resolved.
    """
    inner = _innermost(function)
    try:
        signature = inspect.signature(inner)
    except (TypeError, ValueError):
        raise SetupError(
            f"{cut(function)} is not a function whose parameters can be read.",
            code="handling/not-a-function",
            hint="Register a def or async def function, or a class with __call__.",
        ) from None
    hints = _hints(inner)
    parameters: list[Parameter] = []
    takes_args = takes_kwargs = None
    for index, parameter in enumerate(signature.parameters.values()):
        if parameter.kind is parameter.VAR_KEYWORD:
            takes_kwargs = parameter.name
        elif parameter.kind is parameter.VAR_POSITIONAL:
            takes_args = parameter.name
        elif index >= skip:
            annotation, marker = _split(hints.get(parameter.name, parameter.annotation))
            parameters.append(
                Parameter(
                    parameter.name,
                    annotation,
                    marker,
                    parameter.default,
                    positional=parameter.kind is parameter.POSITIONAL_ONLY,
                )
            )
    called = function.func if _is_partial(function) else function
    if not inspect.isroutine(called) and not isinstance(called, type):
        called = type(called).__call__
    is_async = inspect.iscoroutinefunction(called) or (
        called is not inner and inspect.iscoroutinefunction(inner) and not _is_plain_wrapper(called)
    )
    return Callee(
        function=function,
        name=getattr(inner, "__qualname__", type(inner).__name__).rpartition("<locals>.")[2],
        place=place_of(inner),
        parameters=tuple(parameters),
        is_async=is_async,
        is_generator=inspect.isgeneratorfunction(called),
        is_async_generator=inspect.isasyncgenfunction(called),
        blocking=not is_async and marks_of(function).get("blocking", True),
        takes_kwargs=takes_kwargs,
        takes_args=takes_args,
        returns=hints.get("return", signature.return_annotation),
        twin=twin_of(function),
    )


def _is_plain_wrapper(function: Callable[..., Any]) -> bool:
    # A def wrapper around an async def mostly returns the coroutine it got.
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _is_partial(function: Any) -> TypeGuard[partial[Any]]:
    return isinstance(function, partial)


def _innermost(function: Callable[..., Any]) -> Any:
    target: Any = function
    while True:
        if _is_partial(target):
            return target
        if hasattr(target, "__wrapped__"):
            target = target.__wrapped__
        elif not inspect.isroutine(target) and not isinstance(target, type) and callable(target):
            return target.__call__
        else:
            return target


def _hints(function: Any) -> dict[str, Any]:
    target = function.func if _is_partial(function) else function
    if isinstance(target, type):
        target = target.__dict__.get("__init__", target)
    try:
        return get_type_hints(target, include_extras=True)
    except (NameError, AttributeError) as error:
        hints = _without_return(target)
        if hints is not None:
            return hints
        name = getattr(error, "name", None) or str(error)
        known = [*getattr(target, "__globals__", {}), *dir(__builtins__)]
        raise SetupError(
            f"An annotation of {getattr(target, '__qualname__', target)}() names `{name}`, which does not exist there.",
            code="handling/unknown-annotation",
            where=place_of(target),
            why="Annotations say where a parameter comes from, so they are read at start-up.",
            hint=did_you_mean(str(name), known) or "Import it at the top of the module, outside `if TYPE_CHECKING`.",
        ) from None
    except TypeError:
        return {}


def _without_return(target: Any) -> dict[str, Any] | None:
    """The hints of the parameters alone: a result type that cannot be read matters to nobody."""
    own = {name: hint for name, hint in getattr(target, "__annotations__", {}).items() if name != "return"}
    holder = SimpleNamespace(__annotations__=own)
    try:
        return get_type_hints(holder, globalns=getattr(target, "__globals__", {}), include_extras=True)
    except (NameError, AttributeError, TypeError):
        return None


def _split(annotation: Any) -> tuple[Any, Marker | Depends | None]:
    """Take the marker out of `Annotated`, leaving the constraints."""
    if get_origin(annotation) is not Annotated:
        return annotation, None
    base, *extras = get_args(annotation)
    marker = None
    kept: list[Any] = []
    for extra in extras:
        if isinstance(extra, type) and issubclass(extra, Marker):
            extra = extra()
        if isinstance(extra, Marker | Depends):
            marker = extra
        else:
            kept.append(extra)
    for extra in kept:
        base = Annotated[base, extra]
    return base, marker


def names_read_from_kwargs(callee: Callee) -> set[str]:
    """Return the literal names that the body reads as `kwargs["name"]`."""
    code = getattr(_innermost(callee.function), "__code__", None)
    if code is None or callee.takes_kwargs is None:
        return set()
    found: set[str] = set()
    before: list[dis.Instruction] = []
    for instruction in dis.get_instructions(code):
        if (
            len(before) >= 2
            and instruction.opname.startswith("BINARY_")
            and before[-1].opname == "LOAD_CONST"
            and before[-2].argval == callee.takes_kwargs
            and isinstance(before[-1].argval, str)
        ):
            found.add(before[-1].argval)
        before.append(instruction)
    return found


def route_line(path: str, methods: frozenset[str] | set[str]) -> str:
    """Return a route as its decorator would stand in the code."""
    verbs = sorted(set(methods) - {"HEAD", "OPTIONS"})
    if len(verbs) == 1:
        return f'@app.{verbs[0].lower()}("{path}")'
    return f'@app.route("{path}", methods={verbs})'
