"""Conditions before they meet a model.

Holds: `Q`: look-ups by name, columns' comparisons and expressions, joined by and, or, xor, not.
Imports: the parts of `base`.
Never: resolves a name; a queryset does, when it is given the condition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..errors import QueryError
from .base import Expression

__all__ = ["AND", "OR", "XOR", "Q"]

AND, OR, XOR = "AND", "OR", "XOR"


class Q:
    """A condition: `Q(year__gte=1935) | ~Q(leader__slug="duke")`.

    Args:
        conditions: Other conditions: `Q`, `Record.year >= 1935`, `Exists(…)`.
        lookups: Look-ups by name; all must hold.

    Attributes:
        connector: How the children are joined.
        negated: Whether the whole is denied.
        children: `(name, value)` pairs, other `Q`s, and expressions of yes or no.
    """

    __slots__ = ("children", "connector", "negated")
    is_condition = True

    def __init__(self, *conditions: Any, **lookups: Any) -> None:
        self.connector: str = AND
        self.negated: bool = False
        children: list[Any] = [_checked(each) for each in conditions]
        children.extend(sorted(lookups.items()))
        self.children: tuple[Any, ...] = tuple(children)

    def __repr__(self) -> str:
        parts = [f"{each[0]}={each[1]!r}" if isinstance(each, tuple) else repr(each) for each in self.children]
        joined = f" {self.connector} ".join(parts)
        return f"<Q {'NOT ' if self.negated else ''}({joined})>"

    def _joined(self, other: Any, connector: str) -> Q:
        other = other if isinstance(other, Q) else Q(other)
        if not other.children:
            return self
        if not self.children:
            return other  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model
        joined = Q()
        joined.connector = connector
        joined.children = (*self._flat(connector), *other._flat(connector))
        return joined

    def _flat(self, connector: str) -> tuple[Any, ...]:
        if not self.negated and connector != XOR and (self.connector == connector or len(self.children) == 1):
            return self.children
        return (self,)

    def __and__(self, other: Any) -> Q:
        return self._joined(other, AND)

    def __or__(self, other: Any) -> Q:
        return self._joined(other, OR)

    def __xor__(self, other: Any) -> Q:
        return self._joined(other, XOR)

    def __invert__(self) -> Q:
        inverted = Q()
        inverted.connector = self.connector
        inverted.negated = not self.negated
        inverted.children = self.children
        return inverted

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Q):
            return NotImplemented
        return (self.connector, self.negated, self.children) == (other.connector, other.negated, other.children)

    def __hash__(self) -> int:
        return hash((self.connector, self.negated, len(self.children)))

    def __bool__(self) -> bool:
        return bool(self.children)

    def names(self) -> Iterator[str]:
        """Return the look-up names inside."""
        for child in self.children:
            if isinstance(child, Q):
                yield from child.names()
            elif isinstance(child, tuple):
                yield child[0]


def _is_named(condition: Any) -> bool:
    return isinstance(condition, tuple) and len(cast("Any", condition)) == 2 and isinstance(condition[0], str)


def _checked(condition: Any) -> Any:
    if isinstance(condition, Q | Expression):
        return condition
    convert = getattr(condition, "__expression__", None)
    if convert is not None:
        made: Any = convert()
        return made
    if hasattr(condition, "__clause_element__"):
        from .base import Raw

        return Raw(condition)
    if _is_named(condition):
        return condition
    raise QueryError(
        f"A condition cannot be {type(condition).__name__}.",
        code="data/condition",
        why="It is a Q, a comparison of a column (Record.year >= 1935), an Exists(…), or look-ups by name.",
        hint="filter(year__gte=1935)",
    )
