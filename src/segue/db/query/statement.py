"""Looking at a query from outside.

Holds: the Core statement with its values, and EXPLAIN.
Imports: the compiler, plans.
Never: puts a value into a text.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BindParameter

from ..errors import NotSupportedError, QueryError
from ..shapes import key_of
from ..steps import Execute, Operation, Prepared
from .compiler import Parameters, SelectCompiler
from .plans import plan_of
from .query import Query

__all__ = ["explanation", "select_of"]


def select_of(query: Query, dialect: Any) -> Any:
    """Return a query as a Core statement whose parameters hold its values."""
    _, keyer = key_of(query.shape)
    parameters = Parameters(dialect, keyer.slots)
    statement = SelectCompiler(query, parameters).select()

    def fill(part: Any, **_: Any) -> Any:
        if _is_parameter(part) and part.key in parameters.shown:
            slot, through = parameters.shown[part.key]
            value = keyer.values[slot]
            return sa.bindparam(None, through(value) if through is not None else value, type_=part.type)
        return None

    return visitors.replacement_traverse(statement, {}, fill)  # type: ignore[call-overload]  # typed for its own callers


def _is_parameter(part: Any) -> bool:
    return isinstance(part, BindParameter)


def explanation(query: Query, database: Any, *, analyze: bool, format: str) -> Operation[list[str]]:  # noqa: A002  # Django's name
    """Return the lines of the database's plan for a query.

    Raises:
        QueryError: The format is none of `text`, `json`.
        NotSupportedError: SQLite has neither formats nor measures.
    """
    if format not in ("text", "json"):
        raise QueryError(
            f"explain(format={str(format)[:40]!r}) is none of text, json.",
            code="data/argument",
            hint='explain(format="json")',
        )
    vendor = database.vendor
    if vendor == "sqlite" and (analyze or format != "text"):
        raise NotSupportedError(
            "SQLite explains neither in JSON nor with measures.", code="data/not-supported", hint="explain()"
        )
    prefix = {
        ("sqlite", False, "text"): "EXPLAIN QUERY PLAN ",
        ("postgresql", False, "text"): "EXPLAIN ",
        ("postgresql", True, "text"): "EXPLAIN (ANALYZE) ",
        ("postgresql", False, "json"): "EXPLAIN (FORMAT JSON) ",
        ("postgresql", True, "json"): "EXPLAIN (ANALYZE, FORMAT JSON) ",
        ("mysql", False, "text"): "EXPLAIN ",
        ("mysql", False, "json"): "EXPLAIN FORMAT=JSON ",
        ("mysql", True, "text"): "ANALYZE ",
        ("mysql", True, "json"): "ANALYZE FORMAT=JSON ",
    }[vendor, analyze, format]
    plan, values = plan_of(query, database)
    rows = yield Execute(Prepared(prefix + plan.sql), plan.bind(values))
    return [" ".join(str(value) for value in row if value is not None) for row in rows]
