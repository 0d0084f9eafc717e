"""What a template gets when it reads an attribute: a bound method is called.

`{{ user.get_full_name }}` calls, as does any read of a bound method that needs
no argument, unless the template calls it itself or it is marked `alters_data`.
Methods written in C are called only where they cannot change anything: the
table below names them.
"""

from __future__ import annotations

import inspect
from datetime import date, time, timedelta
from decimal import Decimal
from functools import cached_property
from types import BuiltinMethodType, MethodType
from typing import Any

from ..errors import UsageError, place_of

__all__ = ["BUILTIN_NAMES", "call_builtin", "call_method", "is_computed"]

_TEXT = {
    "capitalize", "casefold", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "islower", "isnumeric",
    "isspace", "istitle", "isupper", "lower", "lstrip", "rstrip", "split", "splitlines", "strip", "swapcase",
    "title", "upper",
}  # fmt: skip
# Receiver and the names read as Django's users expect; dict.pop, list.sort and the like are not among them.
_READABLE: list[tuple[type, frozenset[str]]] = [
    (dict, frozenset({"items", "keys", "values", "copy"})),
    (str, frozenset(_TEXT)),
    (bytes, frozenset({"decode", "hex"})),
    (date, frozenset({"ctime", "date", "dst", "isocalendar", "isoformat", "isoweekday", "time", "timestamp",
                      "timetuple", "timetz", "toordinal", "tzname", "utcoffset", "weekday"})),
    (time, frozenset({"isoformat", "tzname", "utcoffset"})),
    (timedelta, frozenset({"total_seconds"})),
    (int, frozenset({"bit_count", "bit_length"})),
    (float, frozenset({"hex", "is_integer"})),
    (Decimal, frozenset({"adjusted", "is_finite", "is_infinite", "is_nan", "is_signed", "is_zero", "normalize"})),
    (list, frozenset({"copy"})),
    (set, frozenset({"copy"})),
]  # fmt: skip

# The compiler looks only for these, so that other attributes pay for one type check, not two.
BUILTIN_NAMES = frozenset[str]().union(*(names for _, names in _READABLE))

_WAITS = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


def call_builtin(value: Any, name: str) -> Any:
    """Return what a method written in C says, if it is one that only reads; else *value*."""
    if type(value) is not BuiltinMethodType:
        return value
    receiver = value.__self__
    for kind, names in _READABLE:
        if isinstance(receiver, kind) and name in names:
            return value()
    return value


def call_method(method: MethodType, undefined: Any) -> Any:
    """Return what *method* says if it needs no argument, else the method itself.

    Args:
        method: A bound method that a template reads.
        undefined: Makes the value that stands for one that must not be called.

    Raises:
        UsageError: The method is `async` (`templates/async-method`).
    """
    function = method.__func__
    marks = getattr(function, "__dict__", None)
    if marks:
        if marks.get("do_not_call_in_templates"):
            return method
        if marks.get("alters_data"):
            return undefined(
                hint=f"{method.__qualname__}() changes data, so reading it in a template does not call it",
                obj=method.__self__,
                name=method.__name__,
            )
    code = getattr(function, "__code__", None)
    if code is not None and code.co_flags & _WAITS:
        raise UsageError(
            f"{method.__qualname__} is an async method, and a template cannot wait for it.",
            code="templates/async-method",
            where=place_of(method),
            why="Templates are rendered in one go, by handlers of both kinds.",
            hint=f"Pass the result: {method.__name__}=await value.{method.__name__}(), or read its `def` twin.",
        )
    return method() if _needs_nothing(function, method) else method


def _needs_nothing(function: Any, method: MethodType) -> bool:
    # A decorator that hides the real parameters behind *args names the function it wraps:
    # each level must be content without arguments.
    while True:
        code = getattr(function, "__code__", None)
        if code is None:
            return _signature_needs_nothing(method)
        if code.co_argcount - len(function.__defaults__ or ()) > 1:
            return False
        if code.co_kwonlyargcount > len(function.__kwdefaults__ or ()):
            return False
        inner = function.__dict__.get("__wrapped__")
        if inner is None:
            return True
        function = inner


def _signature_needs_nothing(method: MethodType) -> bool:
    try:
        inspect.signature(method).bind()
    except (TypeError, ValueError):
        return False
    return True


def is_computed(value: object, name: str) -> bool:
    """Tell whether *name* is a property, whose own AttributeError must not be taken for its absence."""
    return isinstance(inspect.getattr_static(type(value), name, None), (property, cached_property))
