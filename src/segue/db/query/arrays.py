"""Looking into arrays.

Holds: the item at a place, how many there are, and the look-ups that arrays have of their own.
Imports: look-ups, SQLAlchemy's expression language.
Never: puts a value into SQL.

PostgreSQL has arrays; elsewhere they are kept as JSON.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from ..errors import NotSupportedError
from ..types import Array, vendor_of
from .lookups import Lookup, OneOf, Prepared

__all__ = ["ARRAY_LOOKUPS", "array_item", "is_mariadb"]


def is_mariadb(dialect: Any) -> bool:
    """Tell MariaDB from MySQL."""
    return vendor_of(dialect) == "mysql" and (dialect.name == "mariadb" or bool(getattr(dialect, "is_mariadb", False)))


def _innermost(kind: Any, depth: int) -> Any:
    for _ in range(depth):
        kind = kind.item
    return kind


def array_item(compiler: Any, element: Any, places: tuple[int, ...]) -> Any:
    """Return the item at a place, counted from 0; of an array in an array, at several."""
    kind = element.type
    inner = _innermost(kind, len(places))
    if compiler.vendor == "postgresql":
        return sa.type_coerce(_on_postgresql(element, kind, inner, places), inner)
    path = sa.literal("$" + "".join(f"[{place}]" for place in places), sa.Text())
    found = sa.func.json_extract(sa.type_coerce(element, sa.Text()), path)
    if isinstance(inner, Array):
        return sa.type_coerce(found, inner)
    item = _innermost(kind, len(places) - 1).kept_item
    return sa.type_coerce(sa.func.json_unquote(found) if compiler.vendor == "mysql" else found, item)


def _on_postgresql(element: Any, kind: Any, inner: Any, places: tuple[int, ...]) -> Any:
    plain: Any = sa.type_coerce(element, kind.declare("postgresql"))
    numbers = [sa.literal(place + 1, sa.Integer()) for place in places]
    if not isinstance(inner, Array):
        for number in numbers:
            plain = plain[number]
        return plain
    if isinstance(inner.item, Array) or len(numbers) > 1:
        raise NotSupportedError(
            "PostgreSQL cannot give a part of an array of more than two dimensions.",
            code="data/not-supported",
            hint="Ask for one item, or for the whole array.",
        )
    # A part of an array of two dimensions is of two as well: its items make a new one.
    part = sa.func.unnest(plain[sa.func.coalesce(numbers[0]) : numbers[0]])
    return sa.func.array(sa.select(part).scalar_subquery())


class _Exact(Lookup):
    """Equal, item by item."""

    name = "exact"

    def prepare(self, field: Any, value: Any) -> Prepared:
        return ("null", ()) if value is None else ("v", (field.prepare(value),))

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if leaf.kind == "null":
            return left.is_(None)
        if leaf.right is not None:
            return left == leaf.right.compile(compiler)
        return _same(compiler, left, leaf, 0)


def _same(compiler: Any, left: Any, leaf: Any, offset: int) -> Any:
    if compiler.vendor == "postgresql":
        return left == compiler.parameter(leaf, left.type, offset)
    plain, other = sa.type_coerce(left, sa.Text()), _text_of(compiler, left, leaf, offset)
    if compiler.vendor != "mysql":
        return sa.func.json(plain) == sa.func.json(other)
    if is_mariadb(compiler.dialect):
        return sa.func.json_equals(plain, other) == 1
    return plain == sa.cast(other, sa.JSON())


def _text_of(compiler: Any, left: Any, leaf: Any, offset: int = 0) -> Any:
    """Return a list as the JSON that the column keeps: a text, which functions take."""
    return compiler.parameter(leaf, sa.Text(), offset, left.type.binder(compiler.vendor))


class _In(OneOf):
    """One of several arrays."""

    def same(self, compiler: Any, left: Any, leaf: Any, offset: int) -> Any:
        return _same(compiler, left, leaf, offset)


class _Contains(Lookup):
    """Has every item of a list."""

    name = "contains"

    def prepare(self, field: Any, value: Any) -> Prepared:
        return "v", (field.to_python(value),)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if compiler.vendor == "postgresql":
            operator = {"contains": "@>", "contained_by": "<@", "overlap": "&&"}[self.name]
            return left.op(operator, is_comparison=True)(compiler.parameter(leaf, left.type))
        plain, other = sa.type_coerce(left, sa.Text()), _text_of(compiler, left, leaf)
        if compiler.vendor == "mysql":
            if self.name == "overlap":
                return sa.func.json_overlaps(plain, other) == 1
            first, second = (plain, other) if self.name == "contains" else (other, plain)
            return sa.func.json_contains(first, second) == 1
        return sa.func.segue_array(sa.literal_column(f"'{self.name}'"), plain, other) == 1


class _ContainedBy(_Contains):
    """Has no item that a list has not."""

    name = "contained_by"


class _Overlap(_Contains):
    """Shares an item with a list."""

    name = "overlap"


ARRAY_LOOKUPS: dict[str, Lookup] = {
    each.name: each for each in (_Exact(), _In(), _Contains(), _ContainedBy(), _Overlap())
}
