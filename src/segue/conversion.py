"""Texts and loose values made into the type a configuration key declares.

Holds: `from_text` (variables, `.env`), `conform` (Python, TOML, JSON), `guess`, `kind_of`, `describe`.
Imports: the standard library only.
Never: knows keys, layers or where a value came from; what does not fit is a `ValueError`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path, PurePath
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, cast, get_args, get_origin

__all__ = ["conform", "describe", "from_text", "guess", "is_table", "kind_of"]

Kind = Any  # a class, or a typing form such as `list[int]` or `Literal["a", "b"]`

_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)?")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "": 1}
_INFERRED = (bool, int, float, str, list, dict, tuple, set, frozenset, timedelta)
_COLLECTIONS: dict[type, Callable[[list[Any]], Any]] = {
    list: list, tuple: tuple, set: set, frozenset: frozenset,
}  # fmt: skip


def kind_of(default: object) -> Kind:
    """Return the type that *default* implies, or `None` where it implies none."""
    if isinstance(default, PurePath):
        return Path
    return type(default) if type(default) in _INFERRED else None


def describe(kind: Kind) -> str:
    """Return *kind* as a person writes it: `int`, `list[str]`, `bool | None`."""
    if kind is None:
        return "anything"
    origin: Any = get_origin(kind)
    if origin is Literal:
        return "one of " + ", ".join(repr(choice) for choice in get_args(kind))
    if origin in (Union, UnionType):
        return " | ".join("None" if part is NoneType else describe(part) for part in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "one of " + ", ".join(kind.__members__)
    if isinstance(kind, type) and not get_args(kind):
        return kind.__name__
    return str(kind).replace("typing.", "")


def from_text(text: str, kind: Kind) -> Any:
    """Return *text*, from a variable, as *kind*.

    A list is written `a,b,c` or as JSON, a table as JSON, a span as seconds or
    `1h30m`; a flag is true, yes, on, 1, false, no, off or 0.

    Raises:
        ValueError: The text is not of that kind; the message says what was expected.

    >>> from_text("8, 9", list[int])
    [8, 9]
    """
    kind, origin, parts = _open(kind)
    if kind is None or kind is Any or kind is object:
        return guess(text)
    if origin is Literal:
        return _choose(text, {str(choice): choice for choice in parts}, kind)
    if origin in (Union, UnionType):
        return _first_that_fits(text, parts, from_text, kind)
    if kind is NoneType:
        if text.casefold() in ("", "none", "null"):
            return None
        raise ValueError("None is written as nothing, none or null")
    base = origin or kind
    if base in _COLLECTIONS:
        return conform(_list_of(text), kind, text=True)
    if base is dict or base is Mapping:
        return conform(_json(text), kind)
    return _scalar(text, base)


def conform(value: Any, kind: Kind, *, text: bool = False) -> Any:
    """Return *value*, from code or a file, as *kind*; a text is no number and no flag.

    Args:
        text: Whether items of a list are texts that are still to be read.

    Raises:
        ValueError: The value is not of that kind; the message says what was expected.
    """
    kind, origin, parts = _open(kind)
    if text and isinstance(value, str):
        return from_text(value, kind)
    if kind is None or kind is Any or kind is object:
        return value
    if origin is Literal:
        if any(value == choice and type(value) is type(choice) for choice in parts):
            return value
        raise ValueError(f"expected {describe(kind)}")
    if origin in (Union, UnionType):
        return _first_that_fits(value, parts, conform, kind)
    base = origin or kind
    if base in _COLLECTIONS:
        return _collect(value, base, parts, text=text)
    if base is dict or base is Mapping:
        if not is_table(value):
            raise ValueError(f"expected {describe(kind)}")
        part = parts[1] if len(parts) == 2 else None
        return {name: conform(each, part) for name, each in value.items()}
    return _plain(value, base)


def is_table(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Return whether *value* is a mapping, of whatever to whatever."""
    return isinstance(value, Mapping)


def guess(text: str) -> Any:
    """Return *text* as the JSON value it is (`5`, `true`, `["a"]`), else as text.

    `True`, `False` and `None` are understood too, so that no `"False"` counts as true.
    """
    if text in ("True", "False", "None"):
        return {"True": True, "False": False, "None": None}[text]
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _open(kind: Kind) -> tuple[Kind, Any, tuple[Any, ...]]:
    origin: Any = get_origin(kind)
    if origin is Annotated:
        return _open(get_args(kind)[0])
    return kind, origin, get_args(kind)


def _scalar(text: str, base: Any) -> Any:
    text = text if base is str else text.strip()
    if base is str:
        return text
    if base is bool:
        if text.casefold() not in _WORDS:
            raise ValueError("expected true or false")
        return _WORDS[text.casefold()]
    if base is int:
        if not re.fullmatch(r"[+-]?[0-9](?:_?[0-9]){0,99}", text):
            raise ValueError("expected a whole number")
        return int(text)
    if base is float:
        return _finite(text)
    if base is timedelta:
        return _span(text)
    if isinstance(base, type) and issubclass(base, Enum):
        return _choose(text, {**{str(each.value): each for each in base}, **base.__members__}, base)
    return _make(text, base)


def _plain(value: Any, base: Any) -> Any:
    flag = isinstance(value, bool)
    if base is bool and (flag or (type(value) is int and value in (0, 1))):
        return bool(value)
    if base is float and type(value) is int:
        return float(value)
    if isinstance(base, type) and isinstance(value, base) and not flag:
        return value
    if isinstance(base, type) and isinstance(value, str) and issubclass(base, PurePath | Enum | timedelta):
        return _scalar(value, base)
    if base is timedelta and isinstance(value, int | float) and not flag:
        return timedelta(seconds=value)
    raise ValueError(f"expected {describe(base)}")


def _collect(value: Any, base: Any, parts: tuple[Any, ...], *, text: bool) -> Any:
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError(f"expected a {base.__name__}" + (", not one text" if isinstance(value, str) else ""))
    items = list(cast("list[Any]", value))
    if base is tuple and parts and parts[-1] is not Ellipsis:
        if len(items) != len(parts):
            raise ValueError(f"expected {len(parts)} values")
        return tuple(conform(item, part, text=text) for item, part in zip(items, parts, strict=True))
    part = parts[0] if parts else (str if text else None)
    return _COLLECTIONS[base]([conform(item, part, text=text) for item in items])


def _first_that_fits(value: Any, parts: tuple[Any, ...], convert: Callable[[Any, Kind], Any], kind: Kind) -> Any:
    # `None` and narrow types first: a text fits `str`, whatever it says.
    for part in sorted(parts, key=lambda part: (part is str, part is not NoneType)):
        if part is NoneType and isinstance(value, str) and value and str in parts:
            continue
        try:
            return convert(value, part)
        except ValueError:
            continue
    raise ValueError(f"expected {describe(kind)}")


def _choose(text: str, choices: Mapping[str, Any], kind: Kind) -> Any:
    if text in choices:
        return choices[text]
    raise ValueError(f"expected {describe(kind)}")


def _list_of(text: str) -> Any:
    if text.lstrip().startswith("["):
        return _json(text)
    return [part.strip() for part in text.split(",") if part.strip()]


def _json(text: str) -> Any:
    import json

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("expected JSON") from None


def _finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ValueError("expected a number") from None
    if not math.isfinite(number):
        raise ValueError("expected a finite number")
    return number


def _span(text: str) -> timedelta:
    parts = _SPAN.findall(text)
    if not parts or _SPAN.sub("", text).strip() or (len(parts) > 1 and any(not unit for _, unit in parts)):
        raise ValueError("expected seconds, or a span such as 1h30m")
    try:
        return timedelta(seconds=sum(float(number) * _SECONDS[unit] for number, unit in parts))
    except OverflowError:
        raise ValueError("expected a shorter span") from None


def _make(text: str, base: Any) -> Any:
    try:
        return base(text)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ValueError(f"expected {describe(base)}") from error
