"""SQL that users write.

Holds: the text of `raw()`: its check, its parameters, and the instances it gives.
Imports: SQLAlchemy.
Never: formats a value into the text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa

from ...errors import did_you_mean
from ..errors import QueryError
from ..expressions.base import Raw

__all__ = ["RawText", "raw_statement"]


class RawText(Raw):
    """An SQL text that gives rows of a model.

    What narrows or orders it further makes it a table inside another query; left alone it
    is sent as it is, and its columns are known by the names that come back.

    Attributes:
        text: The text; its values are parameters.
        values: The values by name.
    """

    def __init__(self, model: Any, text: Any, values: Mapping[str, Any]) -> None:
        columns: list[Any] = [sa.column(field.column, field.column_type()) for field in model._meta.fields]
        bound = text.bindparams(**values) if values else text
        super().__init__(bound.columns(*columns))
        self.text: Any = text
        self.values: dict[str, Any] = dict(values)

    def instances(self, result: Any, model: Any, peers: Any, dialect: Any) -> list[Any]:
        """Return the rows of a result as instances.

        A column that is no field is an attribute; a field that is no column is loaded when it is touched.

        Raises:
            QueryError: The key is not among the columns.
        """
        options = model._meta
        by_column = {field.column: field for field in options.fields}
        fields = [by_column.get(name) for name in result.columns]
        missing = [field for field in options.pk_fields if field not in fields]
        if missing:
            raise QueryError(
                f"raw() on {options.object_name} selects no {missing[0].column!r}.",
                code="data/raw",
                why="An instance without its key cannot be saved, compared, or loaded further.",
                hint=f"SELECT {missing[0].column}, … FROM {options.db_table}",
            )
        names = [name if field is None else field.attname for name, field in zip(result.columns, fields, strict=True)]
        readers = [None if field is None else _reader(field, dialect) for field in fields]
        found: list[Any] = []
        for row in result.all():
            values = [value if reader is None else reader(value) for value, reader in zip(row, readers, strict=True)]
            instance = object.__new__(model)
            instance.__dict__.update(zip(names, values, strict=True), _peers=peers)
            found.append(instance)
        return found


def _reader(field: Any, dialect: Any) -> Any:
    from .compiler import Column
    from .plans import reader_of

    return reader_of(Column(field.attname, field.model._meta.table.c[field.column], field), dialect)


def raw_statement(model: Any, sql: Any, params: Any) -> RawText:
    """Return a text as a statement that gives a model's rows; its `:names` are bound.

    Args:
        params: A mapping of names, or a sequence for the marks `%s`, in order.

    Raises:
        QueryError: The text is none, holds several statements, or its values do not fit (`data/raw`).
    """
    if not isinstance(sql, str):
        raise QueryError(
            "raw() takes an SQL text.", code="data/raw", hint='raw("SELECT * FROM record WHERE id = :id", {"id": 1})'
        )
    text = sql.strip().rstrip(";").rstrip()
    if ";" in _without_strings(text):
        raise QueryError("raw() takes one statement.", code="data/raw", hint="Run them one by one with db.execute().")
    values: dict[str, Any]
    if isinstance(params, Mapping):
        values = dict(cast("Mapping[str, Any]", params))
    elif isinstance(params, str | bytes) or (params is not None and not hasattr(params, "__iter__")):
        raise QueryError(
            f"raw() takes its values as a mapping or a sequence, not as {type(params).__name__}.",
            code="data/raw",
            hint='raw("… WHERE id = :id", {"id": 1})',
        )
    else:
        text, values = _numbered(text, params)
    clause = sa.text(text)
    wanted = list(clause._bindparams)  # pyright: ignore[reportPrivateUsage]  # the only list of its names
    odd = [name for name in wanted if name not in values] or [name for name in values if name not in wanted]
    if odd:
        lacking = odd[0] in wanted
        raise QueryError(
            f"raw() was given no value for :{odd[0]}." if lacking else f"The text of raw() has no :{odd[0]}.",
            code="data/raw",
            hint=(did_you_mean(odd[0], values if lacking else wanted) or "Give one value for each name.")
            + (" A colon that begins no name is written \\:." if lacking else ""),
        )
    return RawText(model, clause, values)


def _numbered(text: str, params: Any) -> tuple[str, dict[str, Any]]:
    """Return a text whose marks `%s` became names, and the values."""
    given = list(params or ())
    if params is None:
        return text, {}
    parts = text.split("%s")
    if len(parts) - 1 != len(given):
        raise QueryError(
            f"raw() has {len(parts) - 1} marks %s and {len(given)} values.", code="data/raw", hint="One value for each."
        )
    joined = "".join(f"{part}:p{at}" if at < len(given) else part for at, part in enumerate(parts))
    return joined, {f"p{at}": value for at, value in enumerate(given)}


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
