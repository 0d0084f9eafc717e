"""Tables as the database is to have them.

Holds: the full table of a model (constraints, indexes, defaults), their order, and
`create_all` and `drop_all`.
Imports: `ddl`, the models, SQLAlchemy.
Never: alters a table; migrations do.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable, DropTable

from ..errors import did_you_mean
from .ddl import Later
from .errors import ModelError
from .expressions.base import Expression, OrderBy
from .fields.base import NOT_PROVIDED
from .fields.relations import ForeignKey
from .fields.special import GeneratedField
from .fields.text import CharField, TextField
from .models.constraints import BaseConstraint, CheckConstraint, Index, UniqueConstraint
from .models.faults import groups_of
from .naming import short_name
from .query.query import Query
from .search.fields import SearchField
from .search.tables import SearchIndex, left_behind, make_texts

__all__ = ["Later", "create_all", "drop_all", "full_table", "tables_of"]


def full_table(model: Any) -> sa.Table:
    """Return a model's table with constraints, indexes and defaults, made once."""
    options = model._meta.concrete_model._meta
    table: sa.Table = options.table
    if options.cache.get("full") is not table:
        options.cache["full"] = table
        if not table.info.get("full"):
            table.info["full"] = True
            _complete(options, table)
    return table


def _column(table: sa.Table, field: Any) -> Any:
    return table.c[field.column]  # pyright: ignore[reportUnknownVariableType]  # of any kind


def _complete(options: Any, table: sa.Table) -> None:
    for field in options.local_fields:
        column = _column(table, field)
        if isinstance(field, GeneratedField):
            text = _expression(options.model, field.expression)
            column.server_default = None
            computed: Any = sa.Computed(text, persisted=field.db_persist)
            computed._set_parent(column)
        elif field.db_default is not NOT_PROVIDED:
            column.server_default = sa.DefaultClause(_default(options.model, field))
            column.server_default._set_parent(column)  # pyright: ignore[reportPrivateUsage]  # of this package
        if field.unique and field not in options.pk_fields:
            table.append_constraint(sa.UniqueConstraint(column, name=short_name("uq", options.db_table, field.column)))
        if field.db_index and not field.unique:
            sa.Index(short_name("ix", options.db_table, field.column), column)
        if getattr(field, "positive", False):  # pyright: ignore[reportUnknownArgumentType]  # of any kind
            name = short_name("ck", options.db_table, field.column)
            table.append_constraint(sa.CheckConstraint(column >= sa.literal_column("0"), name=name))
        if isinstance(field, ForeignKey) and field.db_constraint:
            _refer(options, table, field)  # pyright: ignore[reportUnknownArgumentType]  # of any kind
    for field in options.local_references:
        _refer_by_several(options, table, field)
    for group in groups_of(options.unique_together):
        columns = _columns(options, table, group)
        name = short_name("uq", options.db_table, *[column.name for column in columns])
        table.append_constraint(sa.UniqueConstraint(*columns, name=name))
    for constraint in options.constraints:
        _constrain(options, table, constraint)
    for index in options.indexes:
        _index(options, table, index)


def _columns(options: Any, table: sa.Table, names: Sequence[str]) -> list[Any]:
    """Return the columns of fields by their names."""
    return [_column(table, field) for field in options.columns_of(names)]


def _refer_by_several(options: Any, table: sa.Table, field: ForeignKey[Any]) -> None:
    columns = [_column(table, each) for each in field.fields]
    names = [each.column for each in field.fields]
    if field.unique and field.fields != options.pk_fields:
        table.append_constraint(sa.UniqueConstraint(*columns, name=short_name("uq", options.db_table, *names)))
    if field.db_index and not field.unique:
        sa.Index(short_name("ix", options.db_table, *names), *columns)
    own = [_column(table, each) for each in field.own_parts]
    # Where the database itself sets one after the other to NULL, MySQL allows no check of them.
    if field.null and len(own) > 1 and field.on_delete.database in ("", "CASCADE"):
        none = sa.and_(*[each.is_(None) for each in own])
        every = sa.and_(*[each.is_not(None) for each in own])
        table.append_constraint(
            sa.CheckConstraint(sa.or_(none, every), name=short_name("ck", options.db_table, *names))
        )
    if field.db_constraint:
        _refer(options, table, field)


def _refer(options: Any, table: sa.Table, field: ForeignKey[Any]) -> None:
    target = field.target._meta.concrete_model._meta.table
    remotes = field.remotes or (field.remote,)
    table.append_constraint(
        sa.ForeignKeyConstraint(
            [_column(table, each) for each in field.columns],
            [target.c[each.column] for each in remotes],
            name=short_name("fk", options.db_table, *[each.column for each in field.columns]),
            ondelete=field.on_delete.database or None,
            # A cycle of tables is made in two steps where the database wants that.
            use_alter=False,
            deferrable=True if not field.on_delete.database else None,
            initially="DEFERRED" if not field.on_delete.database else None,
        )
    )


def _constrain(options: Any, table: sa.Table, constraint: Any) -> None:
    if not isinstance(constraint, BaseConstraint):
        raise ModelError(
            f"{options.object_name}.Meta.constraints holds {constraint!r}.",
            code="data/constraint",
            where=options.where,
            hint="CheckConstraint(…) or UniqueConstraint(…)",
        )
    name = constraint.named(options)
    if not isinstance(constraint, UniqueConstraint):
        assert isinstance(constraint, CheckConstraint)
        table.append_constraint(sa.CheckConstraint(_condition(options.model, constraint.condition), name=name))
        return
    if constraint.is_index:
        parts = [_expression(options.model, each) for each in constraint.expressions] or _columns(
            options, table, constraint.fields
        )
        sa.Index(name, *parts, unique=True, _table=table, **_index_options(options, table, constraint))
        return
    columns = _columns(options, table, constraint.fields)
    extra: dict[str, Any] = {}
    if constraint.nulls_distinct is not None:
        extra["postgresql_nulls_not_distinct"] = not constraint.nulls_distinct
    table.append_constraint(
        sa.UniqueConstraint(
            *columns,
            name=name,
            deferrable=True if constraint.deferrable else None,
            initially=constraint.deferrable.upper() if constraint.deferrable else None,
            **extra,
        )
    )


def _named(options: Any, name: str) -> str:
    return name.replace("%(class)s", options.model_name).replace("%(app_label)s", options.app_label)


def _index_options(options: Any, table: sa.Table, index: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if index.condition is not None:
        condition = _condition(options.model, index.condition)
        found["sqlite_where"] = condition
        found["postgresql_where"] = condition
    if index.include:
        found["postgresql_include"] = _columns(options, table, index.include)
    if getattr(index, "nulls_distinct", None) is False:
        found["postgresql_nulls_not_distinct"] = True
    if getattr(index, "using", ""):
        found["postgresql_using"] = index.using
    return found


def _index(options: Any, table: sa.Table, index: Index) -> None:
    if isinstance(index, SearchField):
        own = [_column(table, _searched(options, index, name)) for name in index.fields]
        SearchIndex.of(index.named(options), index, table, own)
        return
    parts: list[Any] = []
    columns: list[str] = []
    for name in index.fields:
        for column in _columns(options, table, [name.removeprefix("-")]):
            columns.append(column.name)
            parts.append(column.desc() if name.startswith("-") else column)
    parts += [_expression(options.model, each) for each in index.expressions]
    name = _named(options, index.name) if index.name else short_name("ix", options.db_table, *columns)
    sa.Index(name, *parts, _table=table, **_index_options(options, table, index))


def _searched(options: Any, search: SearchField, name: str) -> Any:
    field = options.find_field(name)
    if isinstance(field, CharField | TextField) and field in options.local_fields:
        return field
    texts = [each.name for each in options.local_fields if isinstance(each, CharField | TextField)]
    what = "which is no field" if field is None else f"which is no text of its own table: {type(field).__name__}"
    raise ModelError(
        f"{options.object_name}.{search.column} searches {name[:80]!r}, {what}.",
        code="data/search",
        where=options.where,
        hint=did_you_mean(name, texts) or f"Texts: {', '.join(texts) or 'none'}.",
    )


def _condition(model: Any, condition: Any) -> Any:
    return Later(model, Query(model).condition(condition))


def _expression(model: Any, expression: Expression) -> Any:
    resolved = expression.resolve(Query(model))
    if isinstance(resolved, OrderBy):
        inner: Any = Later(model, resolved.expression)
        return inner.desc() if resolved.descending else inner
    return Later(model, resolved)


def _default(model: Any, field: Any) -> Any:
    value = field.db_default
    if isinstance(value, Expression):
        return Later(model, value.resolve(Query(model)))
    if isinstance(value, sa.ClauseElement):
        return value
    from .expressions.base import Value

    return Later(model, Value(field.prepare(value), field))


# The order of tables


def tables_of(models: Iterable[Any]) -> list[sa.Table]:
    """Return the full tables of managed models, and of the tables between them."""
    found: dict[str, sa.Table] = {}
    for model in models:
        options = model._meta
        if options.abstract or options.proxy or not options.managed:
            continue
        for each in (model, *[field.through for field in options.many_to_many if field.auto_created]):
            found[each._meta.db_table] = full_table(each)
    return list(found.values())


def create_all(connection: Any, models: Iterable[Any]) -> list[str]:
    """Make the tables that are missing; return their names.

    Args:
        connection: A SQLAlchemy connection.
    """
    tables = tables_of(models)
    if not tables:
        return []
    present = set(sa.inspect(connection).get_table_names())
    missing = [table for table in tables if table.name not in present]
    made: list[str] = []
    late: list[Any] = []
    for table, keys in _sorted(missing, alter=connection.dialect.supports_alter):
        if table is None:
            late = list(keys)
            continue
        connection.execute(CreateTable(table, include_foreign_key_constraints=keys))
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            if isinstance(index, SearchIndex):
                for text in make_texts(index, connection.dialect):
                    connection.exec_driver_sql(text)
            else:
                index.create(connection)
        if connection.dialect.name == "postgresql":
            _comment(connection, table)
        made.append(table.name)
    for constraint in late:
        connection.execute(sa.schema.AddConstraint(constraint))
    return made


def _comment(connection: Any, table: sa.Table) -> None:
    if table.comment:
        connection.execute(sa.schema.SetTableComment(table))
    for column in table.columns:
        if column.comment:
            connection.execute(sa.schema.SetColumnComment(column))


def _sorted(tables: Sequence[sa.Table], *, alter: bool) -> list[tuple[sa.Table | None, Any]]:
    """Return tables so that each comes after those it refers to, with the keys made inside it."""
    if not alter:
        return [(table, None) for table in sa.schema.sort_tables(tables, skip_fn=lambda key: True)]
    return list(sa.schema.sort_tables_and_constraints(tables))  # type: ignore[no-untyped-call]  # SQLAlchemy's


def drop_all(connection: Any, models: Iterable[Any]) -> None:
    """Drop the tables that are there."""
    tables = tables_of(models)
    present = set(sa.inspect(connection).get_table_names())
    there = [table for table in tables if table.name in present]
    if connection.dialect.supports_alter:
        for table in there:
            for key in sa.inspect(connection).get_foreign_keys(table.name):
                name = key["name"]
                constraint = next((each for each in table.foreign_key_constraints if each.name == name), None)
                if constraint is not None:
                    connection.execute(sa.schema.DropConstraint(constraint))
    for table in there:
        connection.execute(DropTable(table))
        for text in left_behind(table, connection.dialect):
            connection.exec_driver_sql(text)
