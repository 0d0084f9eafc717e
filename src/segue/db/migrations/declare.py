"""What a migration file says.

Holds: one function for each operation, as people write them.
Imports: the operations.
Never: does anything; it returns what is to be done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..fields.base import Field
from .fields import facts_of
from .operations import (
    AddColumn,
    AddConstraint,
    AddIndex,
    AlterColumn,
    AlterTable,
    CreateTable,
    DropColumn,
    DropConstraint,
    DropIndex,
    DropTable,
    Operation,
    RenameIndex,
    RenameTable,
    RetireColumn,
    RetireTable,
    RunBatches,
    RunPython,
    RunSQL,
    StateOnly,
)
from .operations.base import UNSET, encoded
from .operations.tables import table_facts
from .state import constraint_facts, index_facts
from .values import Reference, raw_sql

__all__ = [
    "add_column",
    "add_constraint",
    "add_index",
    "alter_column",
    "alter_table",
    "create_table",
    "drop_column",
    "drop_constraint",
    "drop_index",
    "drop_table",
    "noop",
    "reference",
    "rename_index",
    "rename_table",
    "retire_column",
    "retire_table",
    "run_batches",
    "run_python",
    "run_sql",
    "sql",
    "state_only",
]


def create_table(
    name: str,
    *,
    fields: Mapping[str, Field[Any]],
    table: str | None = None,
    key: Sequence[str] = (),
    bases: Sequence[str] = (),
    comment: str = "",
    managed: bool = True,
    unique_together: Sequence[Sequence[str]] = (),
    constraints: Sequence[Any] = (),
    indexes: Sequence[Any] = (),
) -> Operation:
    """Create the table of a model.

    Args:
        name: `label.Model`; `Model` in a one-file app.
        fields: Its fields by name, in the order of the columns.
        table: Its table, where it does not follow from the name.
        key: The fields of a composite key.
        bases: The models it derives from by multi-table inheritance.
        managed: Whether the database's table is Segue's to make.
    """
    facts = table_facts(
        name,
        fields=fields,
        table=table,
        key=key,
        bases=bases,
        comment=comment,
        managed=managed,
        unique_together=unique_together,
        constraints=constraints,
        indexes=indexes,
    )
    return CreateTable(name, facts)


def drop_table(name: str) -> Operation:
    """Drop the table of a model, with its rows."""
    return DropTable(name)


def rename_table(name: str, new: str) -> Operation:
    """Rename a model: `rename_table("club.Record", "club.Album")`; its table goes with it."""
    return RenameTable(name, new)


def alter_table(name: str, **changes: Any) -> Operation:
    """Change `table`, `comment`, `unique_together` or `managed` of a model."""
    return AlterTable(name, changes)


def add_column(model: str, name: str, field: Field[Any], *, fill: Any = UNSET) -> Operation:
    """Add a field to a model.

    Args:
        fill: What rows that are there get, where it is not the field's default.
    """
    return AddColumn(model, name, facts_of(field, name), encoded(fill))


def drop_column(model: str, name: str) -> Operation:
    """Drop a field of a model, with its values."""
    return DropColumn(model, name)


def alter_column(
    model: str, column: str, field: Field[Any] | None = None, *, name: str = "", fill: Any = UNSET
) -> Operation:
    """Change a field of a model, rename it, or both.

    Args:
        field: What it is from now on; left out where it is only renamed.
        name: What it is called from now on.
        fill: What rows without a value get, where it refuses NULL from now on.
    """
    facts = None if field is None else facts_of(field, name or column)
    return AlterColumn(model, column, facts, name, encoded(fill))


def retire_column(model: str, name: str) -> Operation:
    """Let a field go in two steps: the models forget it, the release before still finds its column.

    `drop_column` follows in a later release.
    """
    return RetireColumn(model, name)


def retire_table(name: str) -> Operation:
    """Let a model go in two steps; `drop_table` follows in a later release."""
    return RetireTable(name)


def add_index(model: str, index: Any, *, name: str = "") -> Operation:
    """Add an index; on PostgreSQL without keeping writers out.

    Args:
        name: Its name, where the index has none of its own.
    """
    return AddIndex(model, index.name or name, index_facts(index))


def drop_index(model: str, name: str) -> Operation:
    """Drop an index."""
    return DropIndex(model, name)


def rename_index(model: str, name: str, new: str) -> Operation:
    """Give an index another name."""
    return RenameIndex(model, name, new)


def add_constraint(model: str, constraint: Any) -> Operation:
    """Add a check or a unique constraint; on PostgreSQL without keeping writers out."""
    return AddConstraint(model, constraint.name, constraint_facts(constraint))


def drop_constraint(model: str, name: str) -> Operation:
    """Drop a constraint."""
    return DropConstraint(model, name)


def run_python(forwards: Callable[..., Any], backwards: Callable[..., Any] | None = None) -> Operation:
    """Call a function, `def` or `async def`, with the models of that moment.

    >>> def fill(models):
    ...     models.Record.objects.filter(year=0).update(year=1900)

    Args:
        backwards: What takes it back; `noop` where nothing needs to be done.
    """
    return RunPython(forwards, backwards)


def run_batches(
    model: str, forwards: Callable[..., Any], backwards: Callable[..., Any] | None = None, *, size: int = 1000
) -> Operation:
    """Call a function with the models of that moment and so many rows at a time: `fill(models, records)`.

    With `atomic = False` in the file each batch is committed, and an interrupted run goes on behind it.
    """
    return RunBatches(model, forwards, backwards, size)


def run_sql(sql: Any, backwards: Any = None, *, states: Sequence[Operation] = ()) -> Operation:
    """Run SQL: a text, several, or a dictionary of them by database (`sqlite`, `postgresql`, `mysql`).

    Args:
        backwards: What takes it back; an empty text where nothing needs to be done.
        states: Operations that say what it does to the models.
    """
    return RunSQL(sql, backwards, states)


def state_only(*operations: Operation) -> Operation:
    """Say what is so already, or comes later: the database hears nothing of it."""
    return StateOnly(operations)


def noop(*arguments: Any) -> None:
    """Do nothing."""


def reference(path: str) -> Any:
    """Return a function by its path, `module:name`; it is imported when it is called."""
    return Reference(path)


def sql(text: str) -> Any:
    """Return SQL as an expression, for a check or a generated column that nothing else can say."""
    return raw_sql(text)
