"""Filters for lists and choices: `slice`, `dictsort`, `yesno`, `make_list`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import Undefined, pass_environment
from jinja2.environment import Environment
from jinja2.filters import do_dictsort, make_attrgetter, sync_do_slice

__all__ = ["default_if_none", "dictsort", "dictsortreversed", "make_list", "slice_", "yesno"]


def default_if_none(value: Any, default: Any) -> Any:
    """Return *default* for `None`; other false values stay."""
    return default if value is None else value


def yesno(value: Any, choices: str = "yes,no,maybe") -> Any:
    """Return the first choice for true, the second for false, the third (else the second) for `None`."""
    words = choices.split(",")
    if len(words) < 2:
        return value
    if value is None:
        return words[2] if len(words) > 2 else words[1]
    return words[0] if value else words[1]


def make_list(value: Any) -> list[str]:
    """Return the characters, or digits, one by one."""
    return list(str(value))


def slice_(value: Any, slices: int | str, fill_with: Any = None) -> Any:
    """Return part of a list for `"1:3"`, as Django; that many lists for a number, as Jinja2."""
    if isinstance(slices, int):
        return sync_do_slice(value, slices, fill_with)
    try:
        bounds = [int(bound) if bound else None for bound in str(slices).split(":")]
        return value[slice(*bounds)]
    except (TypeError, ValueError):
        return value


@pass_environment
def dictsort(environment: Environment, value: Any, key: Any = False, *options: Any, **named: Any) -> Any:  # noqa: FBT002 - Jinja2's first argument
    """Sort a list by one key of its items, as Django; a dictionary by its keys, as Jinja2.

    Names that start with an underscore are no keys: they may come from a request.
    """
    if issubclass(type(value), Mapping):
        return do_dictsort(value, named.pop("case_sensitive", key), *options, **named)
    return _sorted(environment, value, key)


@pass_environment
def dictsortreversed(environment: Environment, value: Any, key: Any) -> Any:
    """Sort a list by one key of its items, last first."""
    return _sorted(environment, value, key)[::-1]


def _sorted(environment: Environment, value: Iterable[Any], key: Any) -> list[Any]:
    look_up = make_attrgetter(environment, key)
    keyed = [(look_up(item), item) for item in value]
    if any(isinstance(found, Undefined) for found, _ in keyed):
        return []
    try:
        return [item for _, item in sorted(keyed, key=lambda pair: pair[0])]
    except TypeError:
        return []
