"""What is found wrong with a class of views before a request comes.

Holds: misspelt attributes, options of `as_view`, routes that do not fit the view.
Imports: errors, hooks.
Never: refuses a name that resembles nothing.
"""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from types import CodeType
from typing import Any

from ..errors import SetupError, did_you_mean, place_of
from .hooks import is_ours

__all__ = ["check_attributes", "check_options", "check_route", "mentions"]

_HTTP = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "trace"})
# What a view sets on itself while it answers.
_OF_INSTANCES = frozenset({"args", "date_list", "kwargs", "object", "object_list", "request"})
# How alike two names are when one is taken for the other, misspelt: `slug_kw_arg` and
# `slug_url_kwarg` are 0.8. Short names and methods resemble each other by chance.
_ALIKE, _NEARLY_THE_SAME, _SHORT = 0.8, 0.9, 8


def check_attributes(cls: type) -> None:
    """Refuse an attribute of *cls*, or of a mixin of it, that is a known one misspelt.

    Raises:
        SetupError: Such an attribute (`views/unknown-attribute`).
    """
    for base in cls.__mro__:
        if base is not object and not is_ours(base):
            known = _known(cls.__mro__[cls.__mro__.index(base) + 1 :]) | _known(filter(is_ours, cls.__mro__))
            _check_class(base, known)


def _known(classes: Iterable[type]) -> set[str]:
    names = {name for base in classes for name in vars(base) if not name.startswith("_")}
    return names - _HTTP | _OF_INSTANCES


def _check_class(cls: type, known: set[str]) -> None:
    unknown = [name for name in vars(cls) if not name.startswith("_") and name not in known | _HTTP]
    if not unknown:
        return
    mentioned = {name for code in _codes(cls) for name in _names_in(code)}
    for name in unknown:
        meant = _misspelt(name, known, is_method=callable(vars(cls)[name]))
        if meant is not None and name not in mentioned:
            raise SetupError(
                f"{cls.__name__} has an attribute `{name}`, which no view reads.",
                code="views/unknown-attribute",
                where=place_of(cls) or f"class {cls.__qualname__} of {cls.__module__}",
                why="It is nearly the name of one that a view reads, so it is taken for a slip.",
                hint=f"Did you mean {meant}? If it is your own, read it in the class, or begin its name with _.",
            )


def _misspelt(name: str, known: set[str], *, is_method: bool) -> str | None:
    best, alike = None, 0.0
    for each in sorted(known):
        ratio = SequenceMatcher(None, name, each).ratio()
        if ratio > alike:
            best, alike = each, ratio
    enough = _NEARLY_THE_SAME if is_method or len(name) < _SHORT else _ALIKE
    return best if alike >= enough else None


def check_options(cls: type, options: Mapping[str, Any], where: str) -> None:
    """Refuse an option of `as_view()` that is no attribute of *cls*.

    Raises:
        SetupError: Such an option (`views/unknown-attribute`).
    """
    known = _known(cls.__mro__) - _OF_INSTANCES
    for name in options:
        if name not in known:
            raise SetupError(
                f"as_view({name}=…): {cls.__name__} has no such attribute.",
                code="views/unknown-attribute",
                where=where,
                why="as_view() sets attributes that the class has; methods and HTTP methods are not set so.",
                hint=did_you_mean(name, known),
            )


def check_route(
    view: Any,
    methods: Sequence[Callable[..., Any]],
    names: Sequence[str | None],
    constants: Mapping[str, Any],
    where: str,
) -> None:
    """Refuse a route that gives what the view never reads, or lacks what it needs.

    Args:
        view: An instance, with the attributes it will have.
        methods: What answers the route.

    Raises:
        SetupError: Such a route (`views/unread-value`, `views/missing-value`), or an
            attribute that cannot work.
    """
    given = [name for name in names if name is not None]
    view._check_setup(frozenset([*given, *constants]), where)
    reads: frozenset[str] | None = view._reads_from_route()
    if reads is None:
        return
    for name in given:
        if name not in reads and not _reads(view.__class__, methods, name):
            raise SetupError(
                f"The route gives `{name}`, and {type(view).__name__} never reads it.",
                code="views/unread-value",
                where=where,
                why=f"It reads {_listed(reads)}." if reads else "",
                hint=view._hint_for(name)
                or f'Read self.kwargs["{name}"] in a method, or take `{name}` out of the route.',
            )


def mentions(cls: type, names: set[str]) -> bool:
    """Whether the user's code of a class calls one of *names*."""
    return any(names & set(code.co_names) for code in _own_codes(cls))


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _reads(cls: type, methods: Sequence[Callable[..., Any]], name: str) -> bool:
    """Whether the user's code takes the value *name* of a route, as far as reading it can tell."""
    if any(name in inspect.signature(inspect.unwrap(each)).parameters for each in methods):
        return True
    return any(
        name in set(_constants(code)) or name in _parameters(code) or _takes_all(code) for code in _own_codes(cls)
    )


def _parameters(code: CodeType) -> Sequence[str]:
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _takes_all(code: CodeType) -> bool:
    """Whether code reads `self.kwargs` as a whole, or is a handler that does so with its `**kwargs`."""
    if code.co_flags & inspect.CO_VARKEYWORDS and code.co_name in _HANDLERS and "super" not in code.co_names:
        return True
    instructions = [each for each in dis.get_instructions(code) if each.opname not in ("PUSH_NULL", "CACHE")]
    for index, each in enumerate(instructions):
        if each.opname in ("LOAD_ATTR", "LOAD_METHOD") and each.argval == "kwargs":
            after = instructions[index + 1 : index + 3]
            if after and after[0].argval in ("get", "pop"):
                after = after[1:]
            if not after or after[0].opname != "LOAD_CONST":
                return True
    return False


_HANDLERS = _HTTP | {"dispatch", "setup"}


def _own_codes(cls: type) -> Iterator[CodeType]:
    for base in cls.__mro__:
        if base is not object and not is_ours(base):
            yield from _codes(base)


def _codes(cls: type) -> Iterator[CodeType]:
    members: list[Any] = list(vars(cls).values())
    for member in members:
        # What is no function, and no wrapper of one, may answer for any name, or only in a request.
        if not (inspect.isroutine(member) or hasattr(member.__class__, "__get__")):
            continue
        member = inspect.unwrap(member) if callable(member) else member
        for function in (member, *(getattr(member, part, None) for part in ("fget", "func", "__func__"))):
            code = getattr(function, "__code__", None)
            if isinstance(code, CodeType):
                yield from _with_inner(code)


def _with_inner(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _with_inner(each)


def _constants(code: CodeType) -> Iterator[object]:
    for each in code.co_consts:
        yield from each if isinstance(each, tuple) else (each,)


def _names_in(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    yield from (each for each in _constants(code) if isinstance(each, str))
