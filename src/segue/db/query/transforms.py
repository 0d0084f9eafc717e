"""What a look-up may do to a column before it compares.

Holds: parts of dates, cases and lengths of text; by name, each with what comes out;
`Transform`, to write own ones.
Imports: fields, SQLAlchemy's expression language.
Never: takes a part's name from a user into SQL: the names are those of this table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..expressions.base import Compiling
from ..expressions.parts import PARTS, extract
from ..fields.base import Field
from ..fields.numbers import BigIntegerField, IntegerField
from ..fields.special import ArrayField
from ..fields.text import TextField
from ..fields.times import DateField, DateTimeField, TimeField
from ..types import Day, Moment, TimeOfDay

__all__ = ["TRANSFORMS", "Transform", "register_transform", "transform_for", "transforms_of"]

Build = Callable[[Compiling, ColumnElement[Any]], ColumnElement[Any]]


class Transform:
    """One step from a column to what is compared.

    Subclasses give `name`, and `build`: what is made of the column. What comes out is compared as
    the field itself would be, unless `output` says otherwise.

    >>> class Rounded(Transform):
    ...     name = "rounded"
    ...
    ...     def output(self, field):
    ...         return IntegerField()
    ...
    ...     def build(self, compiler, element):
    ...         return sa.func.round(element)
    """

    name: str = ""

    def output(self, field: Any) -> Any:
        """Return the field by which what comes out is compared, given the one it is made of."""
        return field

    def build(self, compiler: Any, element: Any) -> ColumnElement[Any]:
        """Return the Core expression of what is made of a column."""
        raise TypeError(f"{type(self).__name__} has no build()")


class _BuiltIn(Transform):
    """A transform of this package: what it can start from, and what comes out."""

    def __init__(self, name: str, sources: tuple[type[Field[Any]], ...], output: Field[Any], build: Build) -> None:
        self.name = name
        self.sources = sources
        self._facts = output, build

    def output(self, field: Any) -> Any:
        return self._facts[0]

    def build(self, compiler: Any, element: Any) -> ColumnElement[Any]:
        return self._facts[1](compiler, element)


_OWN: dict[type[Any], dict[str, Transform]] = {}


def register_transform(field: type[Field[Any]], transform: Transform) -> None:
    """Give fields of a class (and its subclasses) a transform of one's own."""
    _OWN.setdefault(field, {})[transform.name] = transform


def transform_for(field: Any, name: str) -> Transform | None:
    """Return the transform that *name* means for *field*."""
    for kind in _kinds_of(field):
        found = _OWN.get(kind, {}).get(name)
        if found is not None:
            return found
    built_in = TRANSFORMS.get(name)
    return built_in if built_in is not None and _starts_from(built_in, field) else None


def transforms_of(field: Any) -> list[str]:
    """Return the names of the transforms that *field* has."""
    own = [name for kind in _kinds_of(field) for name in _OWN.get(kind, {})]
    return [*own, *(each.name for each in TRANSFORMS.values() if _starts_from(each, field))]


def _is_of_any_kind(field: Any) -> bool:
    # What an annotation is of is not known yet, so it has the transforms of all fields.
    return getattr(field, "is_of_any_kind", False)


def _kinds_of(field: Any) -> Iterable[type[Any]]:
    return list(_OWN) if _is_of_any_kind(field) else type(field).__mro__


def _starts_from(transform: _BuiltIn, field: Any) -> bool:
    return _is_of_any_kind(field) or isinstance(field, transform.sources)


def _part(name: str) -> Build:
    return lambda compiler, element: extract(compiler, name, element)


def _as_date(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if compiler.vendor == "sqlite":
        return sa.type_coerce(sa.func.date(sa.type_coerce(element, sa.Text())), Day())
    if compiler.vendor == "postgresql" and isinstance(element.type, Moment):
        element = sa.func.timezone(sa.literal_column("'UTC'"), element)
    return sa.type_coerce(sa.cast(element, sa.Date), Day())


def _as_time(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    if compiler.vendor == "sqlite":
        return sa.type_coerce(sa.func.substr(sa.type_coerce(element, sa.Text()), sa.literal_column("12")), TimeOfDay())
    if compiler.vendor == "postgresql":
        element = sa.func.timezone(sa.literal_column("'UTC'"), element)
        return sa.type_coerce(sa.cast(element, sa.Time), TimeOfDay())
    from sqlalchemy.dialects import mysql

    return sa.type_coerce(sa.cast(element, mysql.TIME(fsp=6)), TimeOfDay())


def _case(name: str) -> Build:
    # SQLite's own know ASCII alone.
    def build(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
        own = f"segue_{name}" if compiler.vendor == "sqlite" else name
        return getattr(sa.func, own)(element, type_=sa.Text())  # type: ignore[no-any-return]  # sa.func is open

    return build


def _trim(_: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    return sa.func.trim(element, type_=sa.Text())


def _length(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    name = "length" if compiler.vendor == "sqlite" else "char_length"
    return getattr(sa.func, name)(element, type_=sa.Integer())  # type: ignore[no-any-return]  # sa.func is open


def array_length(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return how many items an array has; 0 for an empty one."""
    if compiler.vendor == "postgresql":
        return sa.func.cardinality(element, type_=sa.Integer())
    name = "json_length" if compiler.vendor == "mysql" else "json_array_length"
    return getattr(sa.func, name)(sa.type_coerce(element, sa.Text()), type_=sa.Integer())  # type: ignore[no-any-return]  # sa.func is open


_DATES = (DateField, DateTimeField)
_CLOCKS = (DateTimeField, TimeField)

TRANSFORMS: dict[str, _BuiltIn] = {
    each.name: each
    for each in (
        *[
            _BuiltIn(name, _CLOCKS if name in ("hour", "minute", "second") else _DATES, IntegerField(), _part(name))
            for name in sorted(PARTS)
        ],
        _BuiltIn("date", (DateTimeField,), DateField(), _as_date),
        _BuiltIn("time", (DateTimeField,), TimeField(), _as_time),
        _BuiltIn("lower", (Field,), TextField(), _case("lower")),
        _BuiltIn("upper", (Field,), TextField(), _case("upper")),
        _BuiltIn("trim", (Field,), TextField(), _trim),
        _BuiltIn("length", (Field,), BigIntegerField(), _length),
        _BuiltIn("len", (ArrayField,), IntegerField(), array_length),
    )
}
