"""The shape of a query, and the values that fill it.

Holds: `Keyer`, which walks a query once, collecting values and making its key.
Imports: the standard library.
Never: compiles; two queries of one shape differ in their values alone.

A value is a *slot* of the plan. A node that stands in a query twice fills one slot: its
second visit puts "the same as slot n" into the key, so two different values in those two
places are another shape.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

__all__ = ["Keyer", "UnshapedError", "bucket"]


class UnshapedError(Exception):
    """Part of a query has no key; its plan is made anew each time."""


def bucket(length: int) -> int:
    """Return the power of two a list of *length* is filled up to."""
    return 1 << (length - 1).bit_length() if length > 1 else length


class Keyer:
    """One walk through a query.

    Attributes:
        values: What fills the slots, in the order of the walk.
        slots: The first slot of each node that has one, by the node's identity.
    """

    __slots__ = ("slots", "values")

    def __init__(self) -> None:
        self.values: list[Any] = []
        self.slots: dict[int, int] = {}

    def slot(self, node: object, value: Any, kind: Hashable) -> Hashable:
        """Give *node* one slot; return its part of the key."""
        return self.fill(node, (value,), kind)

    def fill(self, node: object, values: Sequence[Any], kind: Hashable) -> Hashable:
        """Give *node* a slot for each of *values*; return its part of the key."""
        if not values:
            return kind
        known = self.slots.setdefault(id(node), len(self.values))
        if known != len(self.values):
            return (kind, known)
        self.values.extend(values)
        return kind
