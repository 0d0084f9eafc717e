"""Knowing whether an instance still is what was loaded.

Holds: `notice_changes`, called for models with policies, and `is_as_loaded`.
Imports: the standard library.
Never: costs models without policies anything.

A rule that is answered in memory reads what the instance holds. Was `owner` assigned since,
from a form say, the row in the database has another owner, and the row is what counts.
"""

from __future__ import annotations

from typing import Any

__all__ = ["is_as_loaded", "notice_changes"]

_MARK = "_changed"


def _set_attribute(self: Any, name: str, value: Any) -> None:
    self.__dict__[_MARK] = True
    object.__setattr__(self, name, value)


def notice_changes(model: Any) -> None:
    """Let instances of *model* remember that an attribute was set."""
    if model.__setattr__ is object.__setattr__:
        model.__setattr__ = _set_attribute


def is_as_loaded(instance: Any) -> bool:
    """Tell whether no attribute was set since the row was loaded.

    A class with a `__setattr__` of its own is not known to be.
    """
    setter: Any = type(instance).__setattr__
    return setter is _set_attribute and _MARK not in instance.__dict__
