"""Answering a condition for one instance without asking the database.

Holds: `Answer`, and `answer`, which reads an instance as SQL would read its row.
Imports: resolved conditions, fields, look-ups.
Never: guesses: whatever could differ from SQL is left open.

Texts are compared by collations, decimals and moments by how a column keeps them; those are
the database's to compare. Whole numbers, booleans, UUIDs and members of an Enum are the same
everywhere. NULL is three-valued: a comparison with it is neither true nor false.
"""

from __future__ import annotations

import enum
from typing import Any, cast
from uuid import UUID

from ..fields.numbers import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BooleanField,
    IntegerField,
    PositiveBigIntegerField,
    PositiveIntegerField,
    PositiveSmallIntegerField,
    SmallAutoField,
    SmallIntegerField,
)
from ..fields.parts import plain_field
from ..fields.special import UUIDField
from ..query.lookups import LOOKUPS
from ..query.where import Leaf, Node

__all__ = ["Answer", "answer"]


class Answer(enum.Enum):
    """What is known of a condition."""

    YES = "yes"
    NO = "no"
    NULL = "null"
    OPEN = "open"


YES, NO, NULL, OPEN = Answer.YES, Answer.NO, Answer.NULL, Answer.OPEN

_WHOLE = frozenset(
    {
        AutoField,
        BigAutoField,
        BigIntegerField,
        IntegerField,
        PositiveBigIntegerField,
        PositiveIntegerField,
        PositiveSmallIntegerField,
        SmallAutoField,
        SmallIntegerField,
    }
)
_ORDERED = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
_MISSING = object()


def answer(condition: Any, instance: Any) -> Answer:
    """Return what a resolved condition says of *instance*."""
    if isinstance(condition, Node):
        return _node(condition, instance)
    return _leaf(condition, instance) if isinstance(condition, Leaf) else OPEN


def _node(node: Node, instance: Any) -> Answer:
    parts = [answer(each, instance) for each in node.parts]
    if node.connector == "XOR":
        # The compiler counts those that are true.
        joined = OPEN if OPEN in parts else _known(parts.count(YES) % 2 == 1)
    else:
        decisive, other = (NO, YES) if node.connector == "AND" else (YES, NO)
        joined = next((each for each in (decisive, OPEN, NULL) if each in parts), other)
    if not node.negated or joined is OPEN:
        return joined
    # As in Django, a denied condition holds wherever the condition does not.
    return _known(joined is not YES)


def _known(value: bool) -> Answer:  # noqa: FBT001  # a truth made an answer
    return YES if value else NO


def _leaf(leaf: Leaf, instance: Any) -> Answer:
    target, kind = leaf.target, leaf.kind
    lookup = target.lookup
    if leaf.right is not None or target.transforms or target.keys or LOOKUPS.get(lookup.name) is not lookup:
        return OPEN
    field = _column(target.reached)
    value = _MISSING if field is None else instance.__dict__.get(field.attname, _MISSING)
    if value is _MISSING or (value is not None and not _is_plain(field, value)):
        return OPEN
    if isinstance(value, enum.Enum):
        value = value.value
    if lookup.name == "isnull":
        return _known((value is None) == kind)
    if kind == "null":
        return _known(value is None)
    if kind == "never":
        return NO
    if kind == "always":
        return _known(value is not None)
    return _compared(lookup.name, value, leaf, field)


def _column(reached: Any) -> Any:
    """Return the field of the instance's own row that a path ends at, or `None`."""
    if reached is None:
        return None
    field = reached.field
    if reached.relations:
        first = reached.relations[0]
        if len(reached.relations) > 1 or first.kind != "forward":
            return None
        # leader, leader_id and leader__id are one column, in this row.
        wanted = getattr(field, "attname", None)
        here = next((here for here, there in first.hops[0].pairs if there == wanted), None)
        field = None if here is None else first.source._meta.find_field(here)
        field = field if field is not None and first.tells(field) else None
    return field if field is not None and field.is_column else None


def _is_plain(field: Any, value: Any) -> bool:
    """Tell whether a value of this field means the same in memory and in the database."""
    if field.enum is not None:
        return isinstance(value, field.enum) and _are_apart(field.enum)
    field = plain_field(field)
    kind: type[Any] = cast("Any", type(field))
    if kind in _WHOLE:
        return type(value) is int
    return (kind is BooleanField and type(value) is bool) or (kind is UUIDField and type(value) is UUID)


def _are_apart(kind: type[enum.Enum]) -> bool:
    """Tell whether no collation takes one member for another."""
    values = [each.value for each in kind]
    if all(type(value) is int for value in values):
        return True
    plain = all(isinstance(value, str) and value.isascii() and value.isidentifier() for value in values)
    return plain and len({value.casefold() for value in values}) == len(values)


def _compared(name: str, value: Any, leaf: Leaf, field: Any) -> Answer:
    given = list(leaf.values[0] if name == "in" else leaf.values)
    if name not in ("exact", "in", "range") and name not in _ORDERED:
        return OPEN
    if not all(_is_comparable(field, each) for each in given):
        return OPEN
    if value is None:
        return NULL
    if name in ("exact", "in"):
        return _known(value in given)
    if type(value) is not int:
        return OPEN  # the order of the others is the database's own
    if name == "range":
        return _known(given[0] <= value <= given[1])
    return _known(_ORDERED[name](value, given[0]))


def _is_comparable(field: Any, given: Any) -> bool:
    given = getattr(given, "value", given)
    if field.enum is not None:
        return any(type(given) is type(each.value) and given == each.value for each in field.enum)
    return _is_plain(field, given)
