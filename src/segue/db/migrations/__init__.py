"""Migrations: how tables follow the models.

Holds: what a migration file says (`create_table`, `add_column`, … `run_python`), and behind it
states, the differ, the history and what runs it.
Imports: the data layer below; Alembic's operations when statements are made.
Never: reads the tables of a database to find out what to do: snapshots say what is there.
"""

from __future__ import annotations

from .declare import (
    add_column,
    add_constraint,
    add_index,
    alter_column,
    alter_table,
    create_table,
    drop_column,
    drop_constraint,
    drop_index,
    drop_table,
    noop,
    reference,
    rename_index,
    rename_table,
    retire_column,
    retire_table,
    run_batches,
    run_python,
    run_sql,
    sql,
    state_only,
)
from .fields import PlainField

__all__ = [
    "PlainField",
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
