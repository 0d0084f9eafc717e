"""The shape of a query, and the values that fill it.

Holds: `Keyer`, which walks a query once, collecting values and making its key;
`PlanCache`, which keeps by such keys what queries were compiled to.
Imports: the errors of this package.
Never: compiles; two queries of one shape differ in their values alone.

A value is a *slot* of the plan. A node that stands in a query twice fills one slot: its
second visit puts "the same as slot n" into the key, so two different values in those two
places are another shape.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeVar

from .errors import too_deep

__all__ = ["Keyer", "PlanCache", "UnshapedError", "bucket", "key_of"]

P = TypeVar("P")

_MOST_PLANS = 2048


class UnshapedError(Exception):
    """Part of a query has no key; its plan is made anew each time."""


def bucket(length: int) -> int:
    """Return the power of two a list of *length* is filled up to."""
    return 1 << (length - 1).bit_length() if length > 1 else length


class Keyer:
    """One walk through a query.

    Args:
        lenient: Whether what has no key may be walked: the key is then not used.

    Attributes:
        values: What fills the slots, in the order of the walk.
        slots: The first slot of each node that has one, by the node's identity.
        repeats: How often a node was met again: then a key depends on what came before.
    """

    __slots__ = ("lenient", "repeats", "slots", "values")

    def __init__(self, *, lenient: bool = False) -> None:
        self.values: list[Any] = []
        self.slots: dict[int, int] = {}
        self.repeats: int = 0
        self.lenient: bool = lenient

    def slot(self, node: object, value: Any, kind: Hashable) -> Hashable:
        """Give *node* one slot; return its part of the key."""
        return self.fill(node, (value,), kind)

    def fill(self, node: object, values: Sequence[Any], kind: Hashable) -> Hashable:
        """Give *node* a slot for each of *values*; return its part of the key."""
        if not values:
            return kind
        known = self.slots.setdefault(id(node), len(self.values))
        if known != len(self.values):
            self.repeats += 1
            return (kind, known)
        self.values.extend(values)
        return kind

    def enter(self, node: object) -> bool:
        """Tell whether *node*, which has no slot of its own, is met for the first time."""
        if id(node) in self.slots:
            self.repeats += 1
            return False
        self.slots[id(node)] = -1
        return True


def key_of(shape: Callable[[Keyer], Hashable]) -> tuple[Hashable | None, Keyer]:
    """Return the key of a query, or `None` where it has none, and the walk that made it."""
    keyer = Keyer()
    try:
        return shape(keyer), keyer
    except UnshapedError:
        keyer = Keyer(lenient=True)
        shape(keyer)
        return None, keyer
    except RecursionError:
        raise too_deep() from None


class PlanCache:
    """The plans of one database; thread-safe, bounded.

    A hit is one look-up in a dictionary: nothing is reordered. When it is full the older
    half goes; plans in use come back at their next call.
    """

    def __init__(self, most: int = _MOST_PLANS) -> None:
        self.most = most
        self.compiled: int = 0
        self._plans: dict[Hashable, Any] = {}
        self.get: Callable[[Hashable], Any] = self._plans.get

    def __len__(self) -> int:
        return len(self._plans)

    def find(self, key: Hashable | None, build: Callable[[], P]) -> P:
        """Return the plan under *key*, built where there is none yet."""
        plan: P | None = self.get(key)
        if plan is not None:
            return plan
        try:
            return self.keep(key, build())
        except RecursionError:
            raise too_deep() from None

    def keep(self, key: Hashable | None, plan: P) -> P:
        """Keep a new plan, unless it has no key; return it."""
        self.compiled += 1
        if key is None:
            return plan
        plans = self._plans
        if len(plans) >= self.most:
            for old in list(plans)[: self.most // 2]:
                plans.pop(old, None)
        plans[key] = plan
        return plan
