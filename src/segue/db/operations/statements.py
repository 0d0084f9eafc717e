"""The statements that change rows.

Holds: plans of INSERT, UPDATE and DELETE, kept by shape like those of queries.
Imports: plans, the compiler.
Never: runs them.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from ..expressions.base import Expression
from ..expressions.conversion import assigned
from ..query.compiler import Parameters, SelectCompiler
from ..query.plans import Plan, compile_statement
from ..query.query import Query
from ..shapes import Keyer, key_of

__all__ = [
    "delete_rows",
    "insert_all",
    "insert_row",
    "insert_rows",
    "supports_returning",
    "update_all",
    "update_row",
    "update_rows",
]


def supports_returning(database: Any) -> bool:
    """Tell whether INSERT can give back what the database filled in."""
    dialect = database.dialect
    return bool(getattr(dialect, "insert_returning", False)) or database.vendor in ("sqlite", "postgresql")


def _written(parameters: Parameters, slot: int, field: Any) -> Any:
    """Return the parameter by which a value is written to its column; one that does not fit is refused."""
    parameters.hides = field.secret
    try:
        return parameters.make(slot, field.column_type(), field.guard(parameters.vendor))
    finally:
        parameters.hides = False


def insert_row(database: Any, model: Any, fields: Sequence[Any], returning: Sequence[Any]) -> Plan:
    """Return the plan that inserts one row; its slots are the fields' values in order."""
    key = ("insert", model, tuple(fields), tuple(returning))

    def build() -> Plan:
        table = model._meta.table
        parameters = Parameters(database.dialect, {})
        parameters.model = model
        values = {field.column: _written(parameters, at, field) for at, field in enumerate(fields)}
        # Without any value it is DEFAULT VALUES, and not a parameter for each column.
        statement: Any = sa.insert(table).values(values)
        if returning and supports_returning(database) and not _is_last_id(database, returning):
            statement = statement.returning(*[table.c[field.column] for field in returning])
            return _with_rows(compile_statement(statement, parameters, writes=True), returning, database)
        statement = statement.inline()
        return compile_statement(statement, parameters, writes=True, returns_rows=False)

    return database.plans.find(key, build)  # type: ignore[no-any-return]  # the database is any


def _is_last_id(database: Any, returning: Sequence[Any]) -> bool:
    """Tell whether the driver says all that is wanted by itself: one counted key. PERF: no rows to fetch."""
    return database.vendor != "postgresql" and len(returning) == 1 and returning[0].kind.endswith("auto")


def update_row(database: Any, model: Any, fields: tuple[Any, ...]) -> Plan:
    """Return the plan that sets fields of the row with a key; its slots are the values, then the key.

    PERF: what `save()` does, without a query whose shape would be asked for.
    """
    key = ("update one", model, fields)

    def build() -> Plan:
        table = model._meta.table
        parameters = Parameters(database.dialect, {})
        parameters.model = model
        values = {field.column: _written(parameters, at, field) for at, field in enumerate(fields)}
        where = [
            table.c[field.column] == parameters.make(len(fields) + at, field.column_type())
            for at, field in enumerate(model._meta.pk_fields)
        ]
        statement = sa.update(table).where(*where).values(values)
        return compile_statement(statement, parameters, writes=True, returns_rows=False)

    return database.plans.find(key, build)  # type: ignore[no-any-return]  # the database is any


def insert_all(database: Any, model: Any, missing: tuple[Any, ...]) -> Plan:
    """Return the plan that inserts a row with every column but what the database fills in.

    PERF: found by the model alone.
    """

    def build() -> Plan:
        fields = [field for field in model._meta.local_fields if field not in missing]
        return insert_row(database, model, fields, missing)

    return database.plans.find(("insert all", model), build)  # type: ignore[no-any-return]  # the database is any


def update_all(database: Any, model: Any) -> Plan:
    """Return the plan that sets every column of the row with a key; its slots are the values, then the key."""

    def build() -> Plan:
        options = model._meta
        fields = [each for each in options.local_fields if each not in options.pk_fields and each.kind != "generated"]
        return update_row(database, model, tuple(fields))

    return database.plans.find(("update all", model), build)  # type: ignore[no-any-return]  # the database is any


def insert_rows(
    database: Any,
    model: Any,
    fields: Sequence[Any],
    returning: Sequence[Any],
    count: int,
    conflict: Conflict | None = None,
) -> Plan:
    """Return the plan that inserts *count* rows in one statement; slots run row by row."""
    key = ("insert", model, tuple(fields), tuple(returning), count, None if conflict is None else conflict.key)

    def build() -> Plan:
        table = model._meta.table
        parameters = Parameters(database.dialect, {})
        parameters.model = model
        width = len(fields)
        rows = [
            {field.column: _written(parameters, row * width + at, field) for at, field in enumerate(fields)}
            for row in range(count)
        ]
        statement = _insert(database)(table).values(rows if len(rows) > 1 else rows[0])
        if conflict is not None:
            statement = conflict.apply(statement, table, database.vendor)
        if returning and supports_returning(database):
            statement = statement.returning(*[table.c[field.column] for field in returning])
            return _with_rows(compile_statement(statement, parameters, writes=True), returning, database)
        return compile_statement(statement.inline(), parameters, writes=True, returns_rows=False)

    return database.plans.find(key, build)  # type: ignore[no-any-return]  # the database is any


def _insert(database: Any) -> Any:
    from sqlalchemy.dialects import mysql, postgresql, sqlite

    return {"sqlite": sqlite.insert, "postgresql": postgresql.insert, "mysql": mysql.insert}[database.vendor]


class Conflict:
    """What a bulk insert does with a row that a unique constraint refuses.

    Attributes:
        update: The fields that are overwritten; none leaves the old row.
        unique: The fields whose constraint is meant.
    """

    def __init__(self, update: Sequence[Any] = (), unique: Sequence[Any] = ()) -> None:
        self.update: tuple[Any, ...] = tuple(update)
        self.unique: tuple[Any, ...] = tuple(unique)
        self.key: tuple[tuple[Any, ...], tuple[Any, ...]] = (self.update, self.unique)

    def apply(self, statement: Any, table: Any, vendor: str) -> Any:
        """Return the statement with its ON CONFLICT (ON DUPLICATE KEY) clause."""
        if vendor == "mysql":
            if not self.update:
                first = next(iter(table.primary_key.columns))
                return statement.on_duplicate_key_update({first.name: table.c[first.name]})
            return statement.on_duplicate_key_update(
                {field.column: statement.inserted[field.column] for field in self.update}
            )
        if not self.update:
            return statement.on_conflict_do_nothing()
        return statement.on_conflict_do_update(
            index_elements=[table.c[field.column] for field in self.unique],
            set_={field.column: statement.excluded[field.column] for field in self.update},
        )


def _with_rows(plan: Plan, returning: Sequence[Any], database: Any) -> Plan:
    from ..query.compiler import Column
    from ..query.plans import reader_of

    readers = [
        reader_of(Column(field.attname, field.model._meta.table.c[field.column], field), database.dialect)
        for field in returning
    ]

    def hydrate(rows: list[Any], peers: Any) -> list[Any]:
        return [
            tuple(value if reader is None else reader(value) for value, reader in zip(row, readers, strict=True))
            for row in rows
        ]

    if any(readers):  # else the rows are given as they come
        plan.hydrate = hydrate
    return plan


class _Slot:
    """Stands for one plain value of an UPDATE."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def update_rows(database: Any, query: Query, values: Mapping[Any, Any]) -> tuple[Plan, Sequence[Any]]:
    """Return the plan that sets fields of a query's rows, and its parameters.

    Args:
        values: Fields of one table, each with a prepared value or an expression.
    """
    nodes: dict[Any, Any] = {
        field: value if isinstance(value, Expression) else _Slot(value) for field, value in values.items()
    }

    def shape(keyer: Keyer) -> Hashable:
        shapes: list[Hashable] = [query.shape(keyer)]
        for field, node in nodes.items():
            if isinstance(node, Expression):
                shapes.append((field, node.shape(keyer)))
            else:
                shapes.append((field, None if node.value is None else keyer.slot(node, node.value, "v")))
        return "update", *shapes

    key, keyer = key_of(shape)

    def build() -> Plan:
        parameters = Parameters(database.dialect, keyer.slots)
        table = next(iter(values)).model._meta.table
        compiler = SelectCompiler(query, parameters)
        conditions = _conditions(compiler, query, table, parameters)
        sets = {
            field.column: sa.null()
            if isinstance(node, _Slot) and node.value is None
            else _written(parameters, keyer.slots[id(node)], field)
            if isinstance(node, _Slot)
            else assigned(compiler, node.compile(compiler), field.column_type())
            for field, node in nodes.items()
        }
        if compiler.joins.all and any(isinstance(node, Expression) for node in nodes.values()):
            from ..errors import NotSupportedError

            raise NotSupportedError(
                "update() cannot set a field from another table's.",
                code="data/not-supported",
                hint='Use Subquery(…) with OuterRef("pk") for the value.',
            )
        statement = sa.update(table).values(sets)
        if conditions is not None:
            statement = statement.where(conditions)
        return compile_statement(statement, parameters, writes=True, returns_rows=False)

    plan = database.plans.find(key, build)
    return plan, plan.bind(keyer.values)


def delete_rows(database: Any, query: Query) -> tuple[Plan, Sequence[Any]]:
    """Return the plan that deletes a query's rows from its own table, and its parameters."""
    key, keyer = key_of(lambda keyer: ("delete", query.shape(keyer)))

    def build() -> Plan:
        parameters = Parameters(database.dialect, keyer.slots)
        compiler = SelectCompiler(query, parameters)
        table = query.model._meta.table
        conditions = _conditions(compiler, query, table, parameters)
        statement = sa.delete(table)
        if conditions is not None:
            statement = statement.where(conditions)
        return compile_statement(statement, parameters, writes=True, returns_rows=False)

    plan = database.plans.find(key, build)
    return plan, plan.bind(keyer.values)


def _conditions(compiler: SelectCompiler, query: Query, table: Any, parameters: Parameters) -> Any:
    """Return what chooses the rows: conditions, or the keys of a subquery where tables are joined."""
    frame = query.frame
    simple = (
        not query.is_sliced and not frame.distinct and frame.combined is None and not (frame.annotations or frame.ctes)
    )
    if simple and query.model._meta.table is table:
        found = compiler.conditions()
        if query.empty:
            found.append(sa.false())
        if not compiler.joins.all:
            return sa.and_(*found) if found else None
    # With joins, limits or another table: by the keys of the rows.
    options = query.model._meta
    names = tuple(field.name for field in options.pk_fields)
    from ..query.query import Selection

    keys = query.framed(selection=Selection("tuple", names), related=(), only=None, lock=None)
    if not query.is_sliced:
        keys = keys.framed(order=())
    else:
        parameters.slots[id(keys)] = parameters.slots[id(query)]
    inner = SelectCompiler(keys, parameters, compiler)
    chosen = inner.select()
    if parameters.vendor == "mysql" or query.is_sliced:
        # MySQL neither reads the table it changes nor takes a limit in a subquery; a derived table may.
        derived = chosen.subquery(parameters.next_alias())
        chosen = sa.select(*derived.columns)
    columns = list(table.primary_key.columns)
    return columns[0].in_(chosen) if len(columns) == 1 else sa.tuple_(*columns).in_(chosen)
