"""Statements of SQLAlchemy Core, and texts, made ready for a driver's cursor.

Holds: `Compiled`, a statement with its parameters in place; how its answer is read.
Imports: floor 0, the errors and steps of this package; SQLAlchemy when the first statement comes.
Never: keeps the values of a statement, or puts a value into SQL text.

This is the way of `db.execute()`, which compiles each statement anew. The queries of models have
plans of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from ..errors import cut
from .errors import QueryError, TransactionManagementError
from .results import Result
from .steps import Prepared, Row, Written

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.sql.compiler import SQLCompiler

    from .drivers import Answer

__all__ = ["Compiled", "compile_statement"]

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]

_COMMENT = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\()*"
_FIRST_WORD = re.compile(_COMMENT + r"([a-z]+)", re.IGNORECASE | re.DOTALL)
_READS = {"SELECT", "VALUES", "EXPLAIN", "SHOW", "DESCRIBE", "DESC", "TABLE", "WITH"}
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE|REPLACE|INTO)\b", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL)
_TRANSACTION = {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE", "ABORT"}


class Compiled(NamedTuple):
    """A statement that only needs a connection.

    Attributes:
        sql: The text.
        parameters: One list of values for each run; texts that are run once have one.
        is_many: Whether it is run for each of several rows; rows that it returns are dropped.
        writes: Whether it may change something.
        read: Makes the result of the driver's answer.
    """

    sql: str
    parameters: list[Sequence[Any]]
    is_many: bool
    writes: bool
    read: Callable[[Answer], Result]

    @property
    def call(self) -> tuple[str, Prepared, Sequence[Any]]:
        """What to run: a method of a connection, and what it takes."""
        prepared = Prepared(self.sql, writes=self.writes, returns_rows=not self.is_many)
        return ("execute_many", prepared, self.parameters) if self.is_many else ("answer", prepared, self.parameters[0])

    def result(self, answer: Answer | Written | list[Row]) -> Result:
        """Return what the user gets for the answer to that call."""
        if isinstance(answer, Written):
            return Result(None, [], rowcount=answer.count, lastrowid=answer.last_id)
        assert not isinstance(answer, list)
        return self.read(answer)


def compile_statement(statement: Any, parameters: Parameters | None, dialect: Dialect) -> Compiled:
    """Compile a Core statement, or a text with `:name` for each value.

    Raises:
        QueryError: It is no statement, or its parameters do not fit.
        TransactionManagementError: The text begins or ends a transaction.
    """
    from sqlalchemy import TextClause, text
    from sqlalchemy.sql.base import Executable

    if isinstance(statement, str):
        statement = text(statement)
    if not isinstance(statement, Executable):
        raise QueryError(
            f"db.execute() was given {cut(statement)}, which is no statement.",
            hint='db.execute("SELECT … WHERE id = :id", {"id": 5}), or a statement of SQLAlchemy Core',
        )
    rows = _rows_of(parameters)
    # Any: the base of all executables does not say that they can be compiled.
    executable: Any = cast("Any", statement)
    # The columns of an INSERT or UPDATE that holds no values itself; DDL does not take it.
    options = {"column_keys": list(rows[0])} if rows and rows[0] else {}
    compiled: Any = executable.compile(dialect=dialect, **options)
    if not hasattr(compiled, "construct_expanded_state"):  # DDL: no parameters
        return Compiled(str(compiled), [()], is_many=False, writes=True, read=_read_plain)
    if isinstance(statement, TextClause):
        return _compile_text(compiled, statement, rows, parameters)
    sql, values = _bind_all(compiled, rows or [{}])
    # A SELECT may hold a write: `WITH new AS (INSERT … RETURNING …)`.
    writes = bool(compiled.isinsert or compiled.isupdate or compiled.isdelete) or _may_write(sql)
    return Compiled(sql, values, is_many=_is_many(parameters), writes=writes, read=_reader(compiled))


def _compile_text(compiled: Any, statement: Any, rows: list[Mapping[str, Any]], parameters: Any) -> Compiled:
    unknown = sorted({name for row in rows for name in row} - set(compiled.binds))
    if unknown:
        raise QueryError(
            f"The text has no {':' + unknown[0] if unknown[0].isidentifier() else cut(unknown[0])}.",
            hint=f"It has {', '.join(':' + name for name in compiled.binds) or 'none'}.",
        )
    found = _FIRST_WORD.match(statement.text)
    word = found[1].upper() if found else ""
    if word in _TRANSACTION:
        raise TransactionManagementError(
            f"{word} by db.execute() would begin or end a transaction behind Segue's back.",
            code="data/transaction",
            hint="with db.atomic(): …",
        )
    writes = word not in _READS or _may_write(statement.text)
    sql, values = _bind_all(compiled, rows or [{}])
    return Compiled(sql, values, is_many=_is_many(parameters), writes=writes, read=_reader(compiled))


def _may_write(sql: str) -> bool:
    """Whether a word outside of quotes looks like a write; the database has the last word."""
    return _WRITES.search(_QUOTED.sub("", sql)) is not None


def _is_many(parameters: Any) -> bool:
    return parameters is not None and not isinstance(parameters, Mapping)


def _rows_of(parameters: Any) -> list[Mapping[str, Any]]:
    if parameters is None:
        return []
    if isinstance(parameters, Mapping):
        return [parameters]
    rows = cast("Sequence[Any]", parameters) if isinstance(parameters, list | tuple) else [None]
    if not all(isinstance(each, Mapping) for each in rows):
        raise QueryError(
            f"Parameters have names, so they are a dictionary, not {cut(cast('object', parameters))}.",
            hint='db.execute("… WHERE id = :id", {"id": 5}), or a list of dictionaries for several rows',
        )
    return list(rows)


def _bind_all(compiled: SQLCompiler, rows: list[Mapping[str, Any]]) -> tuple[str, list[Sequence[Any]]]:
    sql, values = "", list[Sequence[Any]]()
    for row in rows:
        text, bound = _bind(compiled, row)
        if sql and text != sql:
            raise QueryError(
                "The rows need different statements: their lists have different lengths.",
                hint="Call db.execute() for each of them.",
            )
        sql = text
        values.append(bound)
    return sql, values


def _bind(compiled: SQLCompiler, row: Mapping[str, Any]) -> tuple[str, Sequence[Any]]:
    """Return the text and its values, each as the driver wants it, in the order of the text."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        state = compiled.construct_expanded_state({**_defaults_of(compiled, row), **row}, escape_names=False)
    except SQLAlchemyError as error:
        raise QueryError(str(error.args[0]), hint="Give a value for each :name.") from error
    processors = {**compiled._bind_processors, **state.processors}  # pyright: ignore[reportPrivateUsage]
    values: list[Any] = []
    for name in state.positiontup or ():
        value = state.parameters[name]
        process: Any = processors.get(name)
        values.append(value if process is None else process(value))
    return state.statement, values


def _defaults_of(compiled: SQLCompiler, row: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults that a plain Table computes in Python; SQLAlchemy does it in its own connection."""
    found: dict[str, Any] = {}
    for kind, columns in (("default", compiled.insert_prefetch), ("onupdate", compiled.update_prefetch)):
        for column in columns:
            default: Any = getattr(column, kind)
            if column.key in row or default is None:
                continue
            if not (default.is_scalar or default.is_callable):
                raise QueryError(
                    f"The default of {column} needs a query of its own.",
                    hint=f"Give a value for {column.key}, or make it a server_default.",
                )
            found[column.key] = default.arg(None) if default.is_callable else default.arg
    return found


def _reader(compiled: SQLCompiler) -> Callable[[Answer], Result]:
    """Return what makes a result of an answer: names and types are those of the statement."""
    entries = compiled._result_columns  # pyright: ignore[reportPrivateUsage]
    dialect = compiled.dialect

    def read(answer: Answer) -> Result:
        if answer.columns is None or len(entries) != len(answer.columns):
            return _read_plain(answer)
        processors = [
            entry.type._cached_result_processor(dialect, code)  # pyright: ignore[reportPrivateUsage]
            for entry, (_, code) in zip(entries, answer.columns, strict=True)
        ]
        names = [entry.keyname for entry in entries]
        rows: Sequence[Sequence[Any]] = answer.rows
        if any(processors):
            rows = [
                [value if process is None else process(value) for process, value in zip(processors, row, strict=True)]
                for row in rows
            ]
        return Result(names, rows, rowcount=answer.touched, lastrowid=answer.last_id)

    return read


def _read_plain(answer: Answer) -> Result:
    names = None if answer.columns is None else [name for name, _ in answer.columns]
    return Result(names, answer.rows, rowcount=answer.touched, lastrowid=answer.last_id)
