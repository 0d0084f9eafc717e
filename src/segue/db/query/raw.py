"""SQL that users write.

Holds: the statement of `raw()`.
Imports: SQLAlchemy.
Never: formats a value into the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from ..errors import QueryError

__all__ = ["raw_statement"]


def raw_statement(model: Any, sql: Any, params: Any) -> Any:
    """Return a text as a statement that gives a model's columns; its `:names` are bound.

    Args:
        params: A mapping of names, or a sequence for the marks `%s`, in order.

    Raises:
        QueryError: The text is none, or holds several statements (`data/raw`).
    """
    if not isinstance(sql, str):
        raise QueryError(
            "raw() takes an SQL text.", code="data/raw", hint='raw("SELECT * FROM record WHERE id = :id", {"id": 1})'
        )
    text = sql.strip().rstrip(";")
    if ";" in _without_strings(text):
        raise QueryError("raw() takes one statement.", code="data/raw", hint="Run them one by one with db.execute().")
    values: dict[str, Any]
    if isinstance(params, Mapping):
        values = dict(params)
    else:
        given = list(params or ())
        parts = text.split("%s")
        if params is not None and len(parts) - 1 != len(given):
            raise QueryError(
                f"raw() has {len(parts) - 1} marks %s and {len(given)} values.",
                code="data/raw",
                hint="One value for each.",
            )
        values = {f"p{at}": value for at, value in enumerate(given)}
        if given:
            text = "".join(f"{part}:p{at}" if at < len(given) else part for at, part in enumerate(parts))
    options = model._meta
    clause = sa.text(text)
    if values:
        clause = clause.bindparams(**values)
    columns = [sa.column(field.column, field.column_type()) for field in options.fields]
    return clause.columns(*columns)


def _without_strings(text: str) -> str:
    out: list[str] = []
    quote = ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        else:
            out.append(character)
    return "".join(out)
