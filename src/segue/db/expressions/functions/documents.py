"""JSON made of a row's values.

Holds: `JSONObject`.
Imports: the parts of `base`.
Never: puts a key into SQL; keys are parameters.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ...types import Array, Day, ExactDecimal, Json, Moment, TimeOfDay
from ..arithmetic import as_number
from ..base import Compiling, Func, Value
from ..kinds import constant, taken_as

__all__ = ["JSONObject"]

# MySQL's of JSON: texts of several collations do not go into one object.
_COLLATION = "utf8mb4_bin"


class JSONObject(Func):
    """An object of JSON: `JSONObject(title="title", by="leader__name")`.

    Moments are texts of ISO 8601 in UTC, decimals are numbers.
    """

    def __init__(self, **fields: Any) -> None:
        super().__init__(*fields.values())
        self.keys: tuple[Value, ...] = tuple(Value(name) for name in fields)

    def children(self) -> tuple[Any, ...]:
        return (*self.keys, *self.expressions)

    def facts(self) -> Hashable:
        return len(self.keys)

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        name = {"sqlite": "json_object", "postgresql": "jsonb_build_object", "mysql": "json_object"}[compiler.vendor]
        parts: list[Any] = []
        for key, value in zip(self.keys, arguments, strict=True):
            parts += [key.compile(compiler), _as_json(compiler, value)]
        if compiler.vendor == "postgresql":
            parts[::2] = [sa.cast(each, sa.Text()) for each in parts[::2]]
        return taken_as(getattr(sa.func, name)(*parts), Json())


def _as_json(compiler: Compiling, value: ColumnElement[Any]) -> Any:
    """Return a value as the database's JSON functions take it: the same on all."""
    kind, vendor = value.type, compiler.vendor
    inner: Any = getattr(kind, "impl_instance", kind)
    if isinstance(kind, sa.Boolean) or isinstance(inner, sa.Boolean):
        return value if vendor == "postgresql" else _boolean(vendor, value)
    if isinstance(kind, Moment):
        return _moment(vendor, value)
    if isinstance(kind, Day | TimeOfDay):
        if vendor == "postgresql":
            return sa.func.to_char(value, _fixed("YYYY-MM-DD" if isinstance(kind, Day) else "HH24:MI:SS.US"))
        plain = taken_as(value, sa.Text())
        return plain if vendor == "sqlite" else sa.collate(sa.cast(plain, sa.CHAR()), _COLLATION)
    if isinstance(kind, ExactDecimal):
        return as_number(compiler, value)
    if isinstance(kind, Json | Array) and vendor != "postgresql":
        plain = taken_as(value, sa.Text())
        return sa.func.json(plain) if vendor == "sqlite" else sa.func.json_extract(plain, _fixed("$"))
    if vendor == "mysql" and isinstance(kind, sa.String):
        return sa.collate(value, _COLLATION)
    return value


def _fixed(text: str) -> Any:
    return constant(f"'{text}'")  # a word of this module's


def _boolean(vendor: str, value: Any) -> Any:
    text = sa.case((value.is_(None), sa.null()), (value, _fixed("true")), else_=_fixed("false"))
    return sa.func.json(text) if vendor == "sqlite" else sa.func.json_extract(text, _fixed("$"))


def _moment(vendor: str, value: Any) -> Any:
    if vendor == "sqlite":
        plain = taken_as(value, sa.Text())
        return sa.func.replace(plain, _fixed(" "), _fixed("T")).concat(_fixed("Z"))
    if vendor == "mysql":
        return sa.func.date_format(value, _fixed("%Y-%m-%dT%H:%i:%s.%fZ"))
    return sa.func.to_char(sa.func.timezone(_fixed("UTC"), value), _fixed('YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))
