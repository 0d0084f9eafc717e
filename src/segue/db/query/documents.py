"""Looking into JSON and arrays.

Holds: the item at a path, and the look-ups that JSON and arrays have of their own.
Imports: look-ups, SQLAlchemy's expression language.
Never: puts a key into SQL; keys are parameters.
"""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa

from ..fields.base import lookup_error
from ..fields.special import ArrayField, JSONField
from ..types import Array, Json, json_text
from .lookups import Lookup, Prepared

__all__ = ["DOCUMENT_LOOKUPS", "item"]


def _path_text(keys: tuple[str, ...]) -> str:
    """Return a path as SQLite and MySQL write it; every key quoted as JSON."""
    return "$" + "".join(f"[{key}]" if key.isdigit() else "." + json.dumps(key, ensure_ascii=False) for key in keys)


def item(compiler: Any, element: Any, keys: tuple[str, ...], *, as_text: bool) -> Any:
    """Return what stands at a path in JSON or an array.

    Args:
        as_text: Whether it is wanted as text, for patterns; else as JSON.
    """
    kind = element.type
    if compiler.vendor == "postgresql":
        if isinstance(kind, Array):
            place = sa.literal(int(keys[0]) + 1, sa.Integer())
            return sa.type_coerce(sa.type_coerce(element, kind.declare("postgresql"))[place], kind.item)
        from sqlalchemy.dialects.postgresql import ARRAY

        path = sa.literal(list(keys), ARRAY(sa.Text()))
        operator = "#>>" if as_text else "#>"
        return sa.type_coerce(element.op(operator)(path), sa.Text() if as_text else Json())
    plain = sa.type_coerce(element, sa.Text())
    path = sa.literal(_path_text(keys), sa.Text())
    if isinstance(kind, Array):
        found = sa.func.json_extract(plain, path)
        return sa.type_coerce(sa.func.json_unquote(found) if compiler.vendor == "mysql" else found, kind.kept_item)
    if compiler.vendor == "mysql":
        found = sa.func.json_extract(plain, path)
        return sa.type_coerce(sa.func.json_unquote(found), sa.Text()) if as_text else sa.type_coerce(found, Json())
    if as_text:
        return sa.func.json_extract(plain, path, type_=sa.Text())
    # `->` keeps JSON: a text stays in quotes, and can be told from a number.
    return sa.type_coerce(plain.op("->")(path), Json())


class _JsonExact(Lookup):
    """Equal to a JSON value; `None` is JSON's null or a missing value."""

    name = "exact"

    def prepare(self, field: Any, value: Any) -> Prepared:
        if value is None:
            return "null", ()
        return "v", (field.prepare(value),)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if leaf.kind == "null":
            if not leaf.target.keys:
                return left.is_(None)
            return _is_json_null(compiler, left)
        if leaf.right is not None:
            return left == leaf.right.compile(compiler)
        return _same(compiler, left, leaf, 0)


def _is_json_null(compiler: Any, left: Any) -> Any:
    if compiler.vendor == "postgresql":
        return sa.func.jsonb_typeof(left) == "null"
    if compiler.vendor == "mysql":
        return sa.func.json_type(sa.type_coerce(left, sa.Text())) == "NULL"
    return sa.type_coerce(left, sa.Text()) == "null"


def _same(compiler: Any, left: Any, leaf: Any, offset: int) -> Any:
    """Compare JSON with a value: by value, so that the order of keys does not count."""
    if compiler.vendor == "postgresql":
        return left == compiler.parameter(leaf, Json(), offset)
    plain = sa.type_coerce(left, sa.Text())
    if compiler.vendor == "mysql":
        text = compiler.parameter(leaf, sa.Text(), offset, json_text)
        return (
            sa.func.json_equals(plain, text) == 1
            if _is_mariadb(compiler.dialect)
            else plain == sa.cast(text, sa.JSON())
        )
    return sa.func.segue_json(plain) == compiler.parameter(leaf, sa.Text(), offset, _canonical)


def _canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces: one text for equal values."""
    return json.dumps(json.loads(json_text(value)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class _JsonIn(Lookup):
    """One of several JSON values."""

    name = "in"

    def prepare(self, field: Any, value: Any) -> Prepared:
        if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            raise lookup_error(field, value)
        values = tuple(field.prepare(each) for each in value if each is not None)
        return ("list", len(values)) if values else "never", values

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if leaf.kind == "never":
            return sa.false()
        return sa.or_(*[_same(compiler, left, leaf, at) for at in range(leaf.kind[1])])


class _JsonCompare(Lookup):
    """Smaller or larger: numbers with numbers, texts with texts."""

    def prepare(self, field: Any, value: Any) -> Prepared:
        if value is None or isinstance(value, bool | list | dict):
            raise lookup_error(field, value)
        return ("text" if isinstance(value, str) else "number"), (value,)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        number = leaf.kind == "number"
        element, of_kind = _scalar(compiler, left, number=number)
        right = compiler.parameter(leaf, sa.Double() if number else sa.Text(), 0, float if number else None)
        compare = {"gt": element > right, "gte": element >= right, "lt": element < right, "lte": element <= right}
        return sa.and_(of_kind, compare[self.name])


def _scalar(compiler: Any, left: Any, *, number: bool) -> tuple[Any, Any]:
    """Return a JSON value as a number or text, and the condition that it is one."""
    if compiler.vendor == "postgresql":
        text = left.op("#>>")(sa.literal_column("'{}'"))
        of_kind = sa.func.jsonb_typeof(left) == ("number" if number else "string")
        # PostgreSQL may cast before it filters: what is no number becomes NULL first.
        return (sa.cast(sa.case((of_kind, text), else_=None), sa.Double()) if number else text), of_kind
    plain = sa.type_coerce(left, sa.Text())
    if compiler.vendor == "mysql":
        kinds = ["INTEGER", "DOUBLE", "DECIMAL"] if number else ["STRING"]
        of_kind = sa.func.json_type(plain).in_([sa.literal_column(f"'{kind}'") for kind in kinds])
        text = sa.func.json_unquote(plain, type_=sa.Text())
        return (text * sa.literal_column("1.0e0") if number else text), of_kind
    kinds = ["integer", "real"] if number else ["text"]
    of_kind = sa.func.json_type(plain).in_([sa.literal_column(f"'{kind}'") for kind in kinds])
    value = sa.func.json_extract(plain, sa.literal_column("'$'"), type_=sa.Double() if number else sa.Text())
    return value, of_kind


class _JsonContains(Lookup):
    """Contains a value: every key and item of it."""

    name = "contains"
    turned = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        return "v", (field.prepare(value) if not isinstance(field, ArrayField) else field.to_python(value),)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if compiler.vendor == "postgresql":
            right = compiler.parameter(leaf, Json())
            return left.op("<@" if self.turned else "@>", is_comparison=True)(right)
        plain = sa.type_coerce(left, sa.Text())
        right = compiler.parameter(leaf, sa.Text(), 0, json_text)
        first, second = (right, plain) if self.turned else (plain, right)
        if compiler.vendor == "mysql":
            return sa.func.json_contains(first, second) == 1
        return sa.func.segue_json_contains(first, second) == 1


class _JsonContainedBy(_JsonContains):
    """Is contained by a value."""

    name = "contained_by"
    turned = True


class _HasKey(Lookup):
    """Has a key."""

    name = "has_key"
    takes_expressions = False
    every = True

    def prepare(self, field: Any, value: Any) -> Prepared:
        keys = [value] if self.name == "has_key" else list(value)
        if not keys or any(not isinstance(key, str | int) or "\x00" in str(key) for key in keys):
            raise lookup_error(field, value)
        return ("keys", len(keys)), tuple(str(key) for key in keys)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        found = [self._one(compiler, left, leaf, at) for at in range(leaf.kind[1])]
        return sa.and_(*found) if self.every else sa.or_(*found)

    def _one(self, compiler: Any, left: Any, leaf: Any, at: int) -> Any:
        if compiler.vendor == "postgresql":
            return sa.func.jsonb_exists(left, compiler.parameter(leaf, sa.Text(), at))
        path = compiler.parameter(leaf, sa.Text(), at, lambda key: _path_text((key,)))
        plain = sa.type_coerce(left, sa.Text())
        if compiler.vendor == "mysql":
            return sa.func.json_contains_path(plain, sa.literal_column("'one'"), path) == 1
        return sa.func.json_type(plain, path).is_not(None)


class _HasKeys(_HasKey):
    """Has every one of several keys."""

    name = "has_keys"


class _HasAnyKeys(_HasKey):
    """Has one of several keys."""

    name = "has_any_keys"
    every = False


class _ArrayExact(Lookup):
    """Equal, item by item."""

    name = "exact"

    def prepare(self, field: Any, value: Any) -> Prepared:
        return ("null", ()) if value is None else ("v", (field.prepare(value),))

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if leaf.kind == "null":
            return left.is_(None)
        if leaf.right is not None:
            return left == leaf.right.compile(compiler)
        return _same_array(compiler, left, leaf, 0)


def _same_array(compiler: Any, left: Any, leaf: Any, offset: int) -> Any:
    if compiler.vendor == "postgresql":
        return left == compiler.parameter(leaf, left.type, offset)
    plain, other = sa.type_coerce(left, sa.Text()), _array_text(compiler, left, leaf, offset)
    if compiler.vendor != "mysql":
        return sa.func.json(plain) == sa.func.json(other)
    if _is_mariadb(compiler.dialect):
        return sa.func.json_equals(plain, other) == 1
    return plain == sa.cast(other, sa.JSON())


def _array_text(compiler: Any, left: Any, leaf: Any, offset: int = 0) -> Any:
    """Return a list as the JSON that the column keeps: a text, which functions take."""
    return compiler.parameter(leaf, sa.Text(), offset, left.type.binder(compiler.vendor))


def _is_mariadb(dialect: Any) -> bool:
    return dialect.name == "mariadb" or bool(getattr(dialect, "is_mariadb", False))


class _ArrayIn(Lookup):
    """One of several arrays."""

    name = "in"
    takes_expressions = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            raise lookup_error(field, value)
        values = tuple(field.prepare(each) for each in value if each is not None)
        return ("list", len(values)) if values else "never", values

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if leaf.kind == "never":
            return sa.false()
        return sa.or_(*[_same_array(compiler, left, leaf, at) for at in range(leaf.kind[1])])


class _ArrayContains(Lookup):
    """Has every item of a list."""

    name = "contains"

    def prepare(self, field: Any, value: Any) -> Prepared:
        return "v", (field.to_python(value),)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if compiler.vendor == "postgresql":
            operator = {"contains": "@>", "contained_by": "<@", "overlap": "&&"}[self.name]
            return left.op(operator, is_comparison=True)(compiler.parameter(leaf, left.type))
        plain, other = sa.type_coerce(left, sa.Text()), _array_text(compiler, left, leaf)
        if compiler.vendor == "mysql":
            if self.name == "overlap":
                return sa.func.json_overlaps(plain, other) == 1
            first, second = (plain, other) if self.name == "contains" else (other, plain)
            return sa.func.json_contains(first, second) == 1
        return sa.func.segue_array(sa.literal_column(f"'{self.name}'"), plain, other) == 1


class _ArrayContainedBy(_ArrayContains):
    """Has no item that a list has not."""

    name = "contained_by"


class _ArrayOverlap(_ArrayContains):
    """Shares an item with a list."""

    name = "overlap"


class _ArrayLength(Lookup):
    """Has so many items."""

    name = "len"

    def prepare(self, field: Any, value: Any) -> Prepared:
        if type(value) is not int:
            raise lookup_error(field, value)
        return "v", (value,)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        from .transforms import array_length

        return array_length(compiler, left) == compiler.parameter(leaf, sa.Integer())


def _compare(name: str) -> Lookup:
    return type(name, (_JsonCompare,), {"name": name, "__module__": __name__})()  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model


DOCUMENT_LOOKUPS: dict[Any, dict[str, Lookup]] = {
    JSONField: {
        each.name: each
        for each in (
            _JsonExact(),
            _JsonIn(),
            _JsonContains(),
            _JsonContainedBy(),
            _HasKey(),
            _HasKeys(),
            _HasAnyKeys(),
            *[_compare(name) for name in ("gt", "gte", "lt", "lte")],
        )
    },
    ArrayField: {
        each.name: each
        for each in (_ArrayExact(), _ArrayIn(), _ArrayContains(), _ArrayContainedBy(), _ArrayOverlap(), _ArrayLength())
    },
}
