"""Looking into JSON.

Holds: the item at a path, what it is ordered by, and the look-ups that JSON has of its own.
Imports: look-ups, SQLAlchemy's expression language.
Never: puts a key into SQL; keys are parameters.
"""

from __future__ import annotations

import json
import operator
from contextlib import suppress
from decimal import Decimal
from math import isfinite
from numbers import Real
from typing import Any

import sqlalchemy as sa

from ..errors import NotSupportedError
from ..fields.base import lookup_error
from ..fields.special import ArrayField, JSONField
from ..types import Array, Json, json_text
from .arrays import ARRAY_LOOKUPS, array_item, is_mariadb
from .lookups import Lookup, OneOf, Prepared

__all__ = ["DOCUMENT_LOOKUPS", "item", "scalar", "sort_parts"]


_MOST_NUMBERS = 2
"""Of the keys of a path so many may be numbers that are looked for in arrays and objects alike."""


def _step(key: str, *, is_index: bool) -> str:
    return f"[{key}]" if is_index else "." + json.dumps(key, ensure_ascii=False)


def _is_number(key: str) -> bool:
    return key.isascii() and key.isdigit() and (key == "0" or key[0] != "0")


def _paths(keys: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """Return a path as SQLite and MySQL write it: one more for each number that may be a key as well.

    Beside each are the paths of the arrays that it goes through.
    """
    numbers = [at for at, key in enumerate(keys) if _is_number(key)][:_MOST_NUMBERS]
    found: list[tuple[str, list[str]]] = []
    for chosen in range(1 << len(numbers)):
        as_key = {at for bit, at in enumerate(numbers) if not chosen >> bit & 1}
        path, arrays = "$", list[str]()
        for at, key in enumerate(keys):
            is_index = _is_number(key) and at not in as_key
            if is_index:
                arrays.append(path)
            path += _step(key, is_index=is_index)
        found.append((path, arrays))
    return found


def _on_mysql(plain: Any, path: str, arrays: list[str]) -> Any:
    """Return what stands at a path; `[0]` of what is no array would be that itself."""
    found = sa.func.json_extract(plain, sa.literal(path, sa.Text()))
    if not arrays:
        return found
    kinds = [
        sa.func.json_type(sa.func.json_extract(plain, sa.literal(each, sa.Text()))) == sa.literal_column("'ARRAY'")
        for each in arrays
    ]
    return sa.case((sa.and_(*kinds), found))


def item(compiler: Any, element: Any, keys: tuple[str, ...], *, as_text: bool) -> Any:
    """Return what stands at a path in JSON or an array.

    Args:
        as_text: Whether it is wanted as text, for patterns; else as JSON.
    """
    if isinstance(element.type, Array):
        return array_item(compiler, element, tuple(map(int, keys)))
    if compiler.vendor == "postgresql":
        from sqlalchemy.dialects.postgresql import ARRAY

        path = sa.literal(list(keys), ARRAY(sa.Text()))
        return sa.type_coerce(element.op("#>>" if as_text else "#>")(path), sa.Text() if as_text else Json())
    plain = sa.type_coerce(element, sa.Text())
    if compiler.vendor == "mysql":
        for key in keys:
            _refuse_minus(compiler.dialect, key)
        found = _first([_on_mysql(plain, path, arrays) for path, arrays in _paths(keys)])
        return sa.func.json_unquote(found, type_=sa.Text()) if as_text else sa.type_coerce(found, Json())
    if any('"' in key or "\\" in key for key in keys):
        # SQLite's paths have no escapes.
        found = sa.func.segue_json_at(plain, sa.literal(json.dumps(keys), sa.Text()), type_=sa.Text())
        return sa.func.json_extract(found, sa.literal_column("'$'"), type_=sa.Text()) if as_text else _json(found)
    # `->` keeps JSON: a text stays in quotes, and can be told from a number.
    found = _first([plain.op("->")(sa.literal(path, sa.Text())) for path, _ in _paths(keys)])
    return sa.func.json_extract(found, sa.literal_column("'$'"), type_=sa.Text()) if as_text else _json(found)


def _refuse_minus(dialect: Any, key: str) -> None:
    """MariaDB (10.11) finds no key that begins so, however it is quoted; silence would look like "no rows"."""
    if key.startswith("-") and is_mariadb(dialect):
        raise NotSupportedError(
            f"MariaDB cannot look for the key {key[:40]!r} in JSON: it begins with a minus.",
            code="data/not-supported",
            hint="Give the key another name, or look for it with __contains.",
        )


def _json(element: Any) -> Any:
    return sa.type_coerce(element, Json())


def _first(elements: list[Any]) -> Any:
    return elements[0] if len(elements) == 1 else sa.func.coalesce(*elements)


def sort_parts(compiler: Any, element: Any) -> list[Any]:
    """Return what JSON is ordered by: numbers by size, then texts."""
    if compiler.vendor == "postgresql":
        return [element]
    if compiler.vendor == "sqlite":
        return [sa.func.json_extract(sa.type_coerce(element, sa.Text()), sa.literal_column("'$'"))]
    number, is_number = scalar(compiler, element, number=True)
    text = sa.func.json_unquote(sa.type_coerce(element, sa.Text()), type_=sa.Text())
    return [sa.case((is_number, 1), (element.is_(None), 0), else_=2), sa.case((is_number, number)), text]


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
            return _against(compiler, "exact", left, leaf.right.compile(compiler))
        return _same(compiler, left, leaf, 0)


def _against(compiler: Any, how: str, left: Any, right: Any) -> Any:
    """Compare JSON with another column: with JSON by value, with a number or a text as one."""
    compare = _OPERATORS[how]
    if isinstance(right.type, Json) and compiler.vendor == "postgresql":
        return compare(left, right)
    if isinstance(right.type, Json) and how == "exact":
        first, second = sa.type_coerce(left, sa.Text()), sa.type_coerce(right, sa.Text())
        if compiler.vendor == "sqlite":
            return sa.func.segue_json(first) == sa.func.segue_json(second)
        return sa.func.json_equals(first, second) == 1 if is_mariadb(compiler.dialect) else left == right
    kinds = [True, False] if isinstance(right.type, Json) else [not isinstance(right.type, sa.String)]
    found: list[Any] = []
    for number in kinds:
        element, is_kind = scalar(compiler, left, number=number)
        other, is_other = scalar(compiler, right, number=number) if isinstance(right.type, Json) else (right, sa.true())
        found.append(sa.and_(is_kind, is_other, compare(element, other)))
    return sa.or_(*found)


_OPERATORS: dict[str, Any] = {
    "exact": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


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
            sa.func.json_equals(plain, text) == 1 if is_mariadb(compiler.dialect) else plain == sa.cast(text, sa.JSON())
        )
    return sa.func.segue_json(plain) == compiler.parameter(leaf, sa.Text(), offset, _canonical)


def _canonical(value: Any) -> str:
    """Return JSON with sorted keys and no spaces: one text for equal values."""
    return json.dumps(json.loads(json_text(value)), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


class _JsonIn(OneOf):
    """One of several JSON values."""

    def same(self, compiler: Any, left: Any, leaf: Any, offset: int) -> Any:
        return _same(compiler, left, leaf, offset)


class _JsonCompare(Lookup):
    """Smaller or larger: numbers with numbers, texts with texts."""

    def prepare(self, field: Any, value: Any) -> Prepared:
        if isinstance(value, str):
            return "text", (value,)
        return "number", (_number(field, value),)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if leaf.right is not None:
            return _against(compiler, self.name, left, leaf.right.compile(compiler))
        number = leaf.kind == "number"
        element, of_kind = scalar(compiler, left, number=number)
        return sa.and_(of_kind, _OPERATORS[self.name](element, _scalar_parameter(compiler, leaf, 0, number=number)))


def _number(field: Any, value: Any) -> float:
    if not isinstance(value, bool) and isinstance(value, Real | Decimal):
        with suppress(OverflowError, ValueError):
            number = float(value)
            if isfinite(number):
                return number
    raise lookup_error(field, value)


def _scalar_parameter(compiler: Any, leaf: Any, offset: int, *, number: bool) -> Any:
    return compiler.parameter(leaf, sa.Double() if number else sa.Text(), offset)


class _JsonRange(Lookup):
    """Between two numbers or two texts, both included."""

    name = "range"
    takes_expressions = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
            raise lookup_error(field, value)
        texts = [isinstance(each, str) for each in value]
        if all(texts):
            return "text", tuple(value)
        if any(texts):
            raise lookup_error(field, value)
        return "number", tuple(_number(field, each) for each in value)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        number = leaf.kind == "number"
        element, of_kind = scalar(compiler, left, number=number)
        low, high = (_scalar_parameter(compiler, leaf, at, number=number) for at in (0, 1))
        return sa.and_(of_kind, element >= low, element <= high)


def scalar(compiler: Any, left: Any, *, number: bool) -> tuple[Any, Any]:
    """Return a JSON value as a number or text, and the condition that it is one."""
    if compiler.vendor == "postgresql":
        text = left.op("#>>")(sa.literal_column("'{}'"))
        of_kind = sa.func.jsonb_typeof(left) == ("number" if number else "string")
        # PostgreSQL may cast before it filters: what is no number becomes NULL first.
        as_number: Any = sa.cast(sa.case((of_kind, text), else_=None), sa.Double[Any]())
        return (as_number if number else text), of_kind
    plain = sa.type_coerce(left, sa.Text())
    if compiler.vendor == "mysql":
        kinds = ["INTEGER", "DOUBLE", "DECIMAL"] if number else ["STRING"]
        of_kind = sa.func.json_type(plain).in_([sa.literal_column(f"'{kind}'") for kind in kinds])
        text = sa.func.json_unquote(plain, type_=sa.Text())
        as_number = sa.cast(text, sa.Double[Any]())
        return (as_number if number else text), of_kind
    kinds = ["integer", "real"] if number else ["text"]
    of_kind = sa.func.json_type(plain).in_([sa.literal_column(f"'{kind}'") for kind in kinds])
    kind_of_value: Any = sa.Double[Any]() if number else sa.Text()
    return sa.func.json_extract(plain, sa.literal_column("'$'"), type_=kind_of_value), of_kind


class _JsonContains(Lookup):
    """Contains a value: every key and item of it."""

    name = "contains"
    takes_expressions = False
    turned = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        return "v", (value,)  # a part of a document need not be of the document's type

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
        if self.name == "has_key":
            keys = [value]
        elif isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            raise lookup_error(field, value)
        else:
            keys = list(value)
        if not keys or any(not isinstance(key, str | int) or "\x00" in str(key) for key in keys):
            raise lookup_error(field, value)
        return ("keys", len(keys)), tuple(str(key) for key in keys)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        found = [self._one(compiler, left, leaf, at) for at in range(leaf.kind[1])]
        return sa.and_(*found) if self.every else sa.or_(*found)

    def _one(self, compiler: Any, left: Any, leaf: Any, at: int) -> Any:
        if compiler.vendor == "postgresql":
            # Of an array it would ask for a text among its items.
            is_object = sa.func.jsonb_typeof(left) == sa.literal_column("'object'")
            return sa.and_(is_object, sa.func.jsonb_exists(left, compiler.parameter(leaf, sa.Text(), at)))
        plain = sa.type_coerce(left, sa.Text())
        if compiler.vendor == "mysql":
            dialect = compiler.dialect

            def step(key: str) -> str:
                _refuse_minus(dialect, key)
                return "$" + _step(key, is_index=False)

            path = compiler.parameter(leaf, sa.Text(), at, step)
            return sa.func.json_contains_path(plain, sa.literal_column("'one'"), path) == 1
        return sa.func.segue_json_has(plain, compiler.parameter(leaf, sa.Text(), at)) == 1


class _HasKeys(_HasKey):
    """Has every one of several keys."""

    name = "has_keys"


class _HasAnyKeys(_HasKey):
    """Has one of several keys."""

    name = "has_any_keys"
    every = False


def _compare(name: str) -> Lookup:
    return type(name, (_JsonCompare,), {"name": name, "__module__": __name__})()  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model


DOCUMENT_LOOKUPS: dict[Any, dict[str, Lookup]] = {
    JSONField: {
        each.name: each
        for each in (
            _JsonExact(),
            _JsonIn(),
            _JsonRange(),
            _JsonContains(),
            _JsonContainedBy(),
            _HasKey(),
            _HasKeys(),
            _HasAnyKeys(),
            *[_compare(name) for name in ("gt", "gte", "lt", "lte")],
        )
    },
    ArrayField: ARRAY_LOOKUPS,
}
