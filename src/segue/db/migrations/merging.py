"""Two branches of the history become one.

Holds: `merge_states`: a three-way merge of snapshots.
Imports: states.
Never: chooses where both sides changed one thing; that is an error which names it.
"""

from __future__ import annotations

from typing import Any, cast

from .files import MigrationError
from .state import State

__all__ = ["conflicts_of", "merge_states"]

_MISSING: Any = object()


def merge_states(base: State, one: State, two: State, names: tuple[str, str] = ("one", "the other")) -> State:
    """Return what both sides made of *base*.

    Raises:
        MigrationError: Both changed one thing (`data/migration-conflict`).
    """
    conflicts: list[str] = []
    merged = _merge(base.models, one.models, two.models, (), conflicts)
    if conflicts:
        raise MigrationError(
            f"{names[0]} and {names[1]} contradict each other: {'; '.join(conflicts[:10])}.",
            code="data/migration-conflict",
            why="Both change the same, so the order would decide what comes out.",
            hint=f"Delete {names[1]} and its snapshot; segue makemigrations makes it anew, after {names[0]}.",
        )
    return State(merged)


def conflicts_of(base: State, one: State, two: State) -> list[str]:
    """Return what both sides changed."""
    conflicts: list[str] = []
    _merge(base.models, one.models, two.models, (), conflicts)
    return conflicts


def _merge(base: Any, one: Any, two: Any, path: tuple[str, ...], conflicts: list[str]) -> Any:
    if one == base:
        return two
    if two == base:
        return one
    if path and path[-1] == "order":
        return _merge_order(base if base is not _MISSING else [], one, two)
    is_group = all(isinstance(each, dict) for each in (one, two)) and (base is _MISSING or isinstance(base, dict))
    # A model, a field or an index that both bring is done twice, equal or not.
    is_whole = (base is _MISSING and len(path) != 2) or len(path) >= 3
    if not is_group or is_whole:
        conflicts.append(_named(path))
        return one
    first, second = cast("dict[str, Any]", one), cast("dict[str, Any]", two)
    old = cast("dict[str, Any]", {} if base is _MISSING else base)
    merged: dict[str, Any] = {}
    for key in dict.fromkeys([*old, *first, *second]):
        value = _merge(
            old.get(key, _MISSING), first.get(key, _MISSING), second.get(key, _MISSING), (*path, key), conflicts
        )
        if value is not _MISSING:
            merged[key] = value
    return merged


def _merge_order(base: list[str], one: list[str], two: list[str]) -> list[str]:
    kept = [name for name in one if name in two or name not in base]
    return kept + [name for name in two if name not in base and name not in kept]


def _named(path: tuple[str, ...]) -> str:
    model, *rest = path
    if not rest:
        return model
    kind, *name = rest
    return f"{model}.{name[0]}" if kind == "fields" and name else f"{model} {kind.rstrip('s')} {' '.join(name)}".strip()
