"""The texts of a group as one, on each database.

Holds: `joined`.
Imports: SQLAlchemy's expression language.
Never: puts the delimiter into SQL; it is a parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.visitors import InternalTraversal

from .kinds import constant, taken_as

__all__ = ["joined"]


def joined(
    vendor: str,
    text: ColumnElement[Any],
    delimiter: ColumnElement[Any],
    ordered: Sequence[tuple[ColumnElement[Any], Any]],
    *,
    distinct: bool,
) -> ColumnElement[Any]:
    """Return the texts with the delimiter between them.

    Args:
        ordered: The compiled expressions that order them, each with its `OrderBy`.
    """
    if vendor == "sqlite":
        return _on_sqlite(text, delimiter, ordered, distinct=distinct)
    orders = [_order(vendor, element, order) for element, order in ordered]
    flat = [part for parts in orders for part in parts]
    if vendor == "mysql":
        return _GroupConcat(text, delimiter, flat, distinct=distinct)
    from sqlalchemy.dialects.postgresql import aggregate_order_by

    first = text.distinct() if distinct else text
    last: Any = aggregate_order_by(delimiter, *flat) if flat else delimiter
    return taken_as(sa.func.string_agg(first, last), sa.Text())


def _order(vendor: str, element: ColumnElement[Any], order: Any) -> list[ColumnElement[Any]]:
    found = element.desc() if order.descending else element.asc()
    if not (order.nulls_first or order.nulls_last):
        return [found]
    if vendor == "mysql":
        missing = element.is_(None)
        return [missing.desc() if order.nulls_first else missing.asc(), found]
    return [found.nulls_first() if order.nulls_first else found.nulls_last()]


def _on_sqlite(
    text: ColumnElement[Any],
    delimiter: ColumnElement[Any],
    ordered: Sequence[tuple[ColumnElement[Any], Any]],
    *,
    distinct: bool,
) -> ColumnElement[Any]:
    if not distinct and not ordered:
        return taken_as(sa.func.group_concat(text, delimiter), sa.Text())
    # Its own knows an order since 3.44, and never a delimiter beside DISTINCT.
    how = "1" if distinct else "0"
    for _, order in ordered:
        last = order.nulls_last or (order.descending and not order.nulls_first)
        how += ("d" if order.descending else "a") + ("l" if last else "f")
    keys = [element for element, _ in ordered]
    return taken_as(sa.func.segue_joined(constant(f"'{how}'"), text, delimiter, *keys), sa.Text())


class _GroupConcat(ColumnElement[Any]):
    """MySQL's `group_concat(DISTINCT x ORDER BY y SEPARATOR z)`."""

    inherit_cache = False
    type = sa.Text()
    _traverse_internals = [  # noqa: RUF012  # SQLAlchemy's own form
        ("text", InternalTraversal.dp_clauseelement),
        ("delimiter", InternalTraversal.dp_clauseelement),
        ("ordered", InternalTraversal.dp_clauseelement_list),
        ("distinct_", InternalTraversal.dp_boolean),
    ]

    def __init__(
        self,
        text: ColumnElement[Any],
        delimiter: ColumnElement[Any],
        ordered: list[ColumnElement[Any]],
        *,
        distinct: bool,
    ) -> None:
        self.text = text
        self.delimiter = delimiter
        self.ordered = ordered
        self.distinct_ = distinct


@compiles(_GroupConcat, "mysql", "mariadb")
def _write_group_concat(element: _GroupConcat, compiler: Any, **options: Any) -> str:
    written = "DISTINCT " if element.distinct_ else ""
    written += compiler.process(element.text, **options)
    if element.ordered:
        written += " ORDER BY " + ", ".join(compiler.process(each, **options) for each in element.ordered)
    return f"group_concat({written} SEPARATOR {compiler.process(element.delimiter, **options)})"
