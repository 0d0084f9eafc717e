"""Changing a table of SQLite, which can change little of it itself.

Holds: `change_table`, `rebuild`: the table is made anew and its rows are copied.
Imports: the editor, SQLAlchemy's DDL.
Never: asks SQLite how the table looks: what is made is what the state says. What the state does
not know (triggers, indexes made by hand) is kept as it was written.

The executor turns foreign keys off around it, outside the transaction: dropping a table would
delete the rows that refer to it. Before the commit they are all checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import sqlalchemy as sa
from alembic.ddl.base import AddColumn
from sqlalchemy.schema import CreateIndex, CreateTable, DropIndex

from ..search.tables import SearchIndex
from ..types import Day, ExactDecimal, Moment
from .context import Context, OperationError
from .editor import Editor

__all__ = ["change_table", "rebuild", "rename_table", "rescale"]


def change_table(editor: Editor, before: sa.Table, after: sa.Table, fills: Mapping[str, str]) -> None:
    """Add the steps from one table to the other, which have one name."""
    if _declared(editor, before) == _declared(editor, after):
        _change_indexes(editor, before, after)
        return
    added = _added_at_the_end(editor, before, after, fills)
    if added is None:
        rebuild(editor, before, after, fills)
        return
    for column in added:
        editor.ddl(AddColumn(after.name, column))
    _change_indexes(editor, before, after)


def _declared(editor: Editor, table: sa.Table, leave_out: frozenset[str] = frozenset()) -> tuple[frozenset[str], ...]:
    """What stands between the brackets of CREATE TABLE; the order means nothing."""
    columns = [
        f"{at} {editor.column(each)} {_kept_as(each.type)}"
        for at, each in enumerate(table.columns)
        if each.name not in leave_out
    ]
    constraints = [
        editor.signature(each) for each in table.constraints if not isinstance(each, sa.PrimaryKeyConstraint)
    ]
    key = " ".join(each.name for each in table.primary_key.columns)
    return frozenset(columns), frozenset(constraints), frozenset([key])


def _kept_as(kind: Any) -> str:
    """What tells apart types that are declared alike, and keep their values otherwise."""
    if isinstance(kind, ExactDecimal):
        return f"{kind.places if kind.scaled else 'text'}"
    return type(kind).__name__ if isinstance(kind, Day | Moment) else ""


def _added_at_the_end(editor: Editor, before: sa.Table, after: sa.Table, fills: Mapping[str, str]) -> list[Any] | None:
    """The columns that SQLite can add itself, if they are all there is to do."""
    added = [each for each in after.columns if each.name not in before.c]
    names = frozenset(each.name for each in added)
    if not added or any(not each.nullable or each.computed is not None or each.name in fills for each in added):
        return None
    if any(each.server_default is not None for each in added):
        return None
    same = _declared(editor, before) == _declared(editor, after, names)
    return added if same and list(after.columns)[-len(added) :] == added else None


def _change_indexes(editor: Editor, before: sa.Table, after: sa.Table) -> None:
    old = {str(each.name): editor.text(CreateIndex(each)) for each in before.indexes}
    new = {str(each.name): editor.text(CreateIndex(each)) for each in after.indexes}
    for index in _sorted(before):
        if old[str(index.name)] != new.get(str(index.name)):
            editor.ddl(DropIndex(index))
    for index in _sorted(after):
        if old.get(str(index.name)) != new[str(index.name)]:
            editor.ddl(CreateIndex(index))


def _sorted(table: sa.Table) -> list[sa.Index]:
    return sorted(table.indexes, key=lambda each: str(each.name))


def _drop_searches(editor: Editor, table: sa.Table) -> None:
    """Drop what is named after columns, and has triggers: it is made anew, not kept as it was written."""
    for index in _sorted(table):
        if isinstance(index, SearchIndex):
            editor.ddl(DropIndex(index))


def rebuild(
    editor: Editor, before: sa.Table, after: sa.Table, fills: Mapping[str, str], known: Iterable[str] | None = None
) -> None:
    """Make a table anew, under its name, with its rows.

    Args:
        known: The names of the indexes that the state before knew, where they are not those of *before*.
    """
    _drop_searches(editor, before)
    table, new = editor.name(after.name), editor.name(f"_segue_new_{after.name}")
    kept = _Kept(after.name, known if known is not None else [str(each.name) for each in before.indexes])
    editor.call(kept.note, f"note triggers and indexes of {after.name} that were made by hand", inside=True)
    editor.sql(f"DROP TABLE IF EXISTS {new}")
    editor.sql(editor.text(CreateTable(after)).replace(f"CREATE TABLE {table} ", f"CREATE TABLE {new} ", 1))
    targets: list[str] = []
    values: list[str] = []
    for column in after.columns:
        if column.computed is not None:
            continue
        value = _copied(editor, before.c.get(column.name), column, fills.get(column.name))
        if value is not None:
            targets.append(editor.name(column.name))
            values.append(value)
    if targets:
        editor.sql(f"INSERT INTO {new} ({', '.join(targets)}) SELECT {', '.join(values)} FROM {table}")
    editor.sql(f"DROP TABLE {table}")
    # Else views and triggers that name the table would be looked at while it is not there.
    editor.sql("PRAGMA legacy_alter_table = ON")
    editor.sql(f"ALTER TABLE {new} RENAME TO {table}")
    editor.sql("PRAGMA legacy_alter_table = OFF")
    for index in _sorted(after):
        editor.ddl(CreateIndex(index))
    editor.call(kept.restore, f"make triggers and indexes of {after.name} again that were made by hand", inside=True)


def _copied(editor: Editor, old: Any, new: Any, literal: str | None) -> str | None:
    """What a column is copied from; `None` leaves it to its default."""
    if old is None:
        return literal
    name = editor.name(old.name)
    if literal is not None and old.nullable and not new.nullable:
        return f"COALESCE({name}, {literal})"
    if editor.kind(old) != editor.kind(new) or _kept_as(old.type) != _kept_as(new.type):
        return _converted(editor, name, old, new)
    return name


def _converted(editor: Editor, name: str, old: Any, new: Any) -> str:
    """Decimals are integers of their last place, or text: another size is another number."""
    if isinstance(old.type, Day) and isinstance(new.type, Moment):
        return f"{name} || ' 00:00:00.000000'"
    if isinstance(old.type, Moment) and isinstance(new.type, Day):
        return f"substr({name}, 1, 10)"
    if getattr(old.type, "places", None) is None and getattr(new.type, "places", None) is None:
        if _is_text(old.type) and _is_number(new.type):
            return f"CAST({name} AS {editor.kind(new)})"
        return f"CAST({name} AS TEXT)" if _is_text(new.type) and _is_number(old.type) else name
    was = old.type.places if getattr(old.type, "scaled", False) else "NULL"
    if getattr(new.type, "scaled", False):
        now = str(new.type.places)
    else:
        now = (
            "'integer'"
            if isinstance(new.type, sa.Integer)
            else "'float'"
            if isinstance(new.type, sa.Float)
            else "'text'"
        )
    return f"segue_rescale({name}, {was}, {now})"


def _is_number(kind: Any) -> bool:
    return isinstance(kind, sa.Integer | sa.Numeric | sa.Float)


def _is_text(kind: Any) -> bool:
    return isinstance(kind, sa.String)


def rescale(value: Any, was: int | None, now: int | str) -> Any:
    """Return a decimal as SQLite keeps it in another column: `segue_rescale` in statements.

    Args:
        was: How many places the integer had; `None` where it was text or a plain number.
        now: How many it is to have, or `text`, `integer` or `float`.
    """
    if value is None:
        return None
    number = Decimal(str(value)).scaleb(-(was or 0))
    if isinstance(now, int):
        return int(number.scaleb(now).to_integral_value(ROUND_HALF_UP))
    if now == "text":
        return format(number, "f")
    return int(number.to_integral_value(ROUND_HALF_UP)) if now == "integer" else float(number)


class _Kept:
    """What belongs to a table, and is in no state."""

    def __init__(self, table: str, known: Iterable[str]) -> None:
        self._table = table
        self._known = set(known)
        self._statements: list[tuple[str, str]] = []

    def note(self, context: Context) -> None:
        rows = context.query(
            "SELECT name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL "
            f"AND tbl_name = '{self._table}' ORDER BY type, name"
        )
        self._statements = [(name, sql) for name, sql in rows if name not in self._known]

    def restore(self, context: Context) -> None:
        for name, sql in self._statements:
            try:
                context.command(sql)
            except Exception as error:
                raise OperationError(
                    f"{name} of the table {self._table} cannot be made again.",
                    code="data/migration-failed",
                    why=f"It was made by hand, and does not fit the table any more: {error}",
                    hint=f"Drop it in a run_sql before: DROP TRIGGER {name}, or DROP INDEX {name}.",
                ) from error


def rename_table(editor: Editor, before: sa.Table, after: sa.Table) -> None:
    """Rename a table and its columns, and what is named after them: the two differ in names alone."""
    _drop_searches(editor, before)
    if before.name != after.name:
        editor.rename_table(before.name, after.name)
    for old, new in zip(before.columns, after.columns, strict=True):
        if old.name != new.name:
            editor.rename_column(after.name, old.name, new.name)
    names = [
        {str(each.name) for each in table.constraints if not isinstance(each, sa.PrimaryKeyConstraint)}
        for table in (before, after)
    ]
    indexes = {str(each.name) for each in before.indexes}
    if names[0] != names[1]:
        rebuild(editor, after, after, {}, indexes)
        return
    kept = {str(each.name) for each in after.indexes}
    for index in _sorted(before):
        if str(index.name) not in kept and not isinstance(index, SearchIndex):
            editor.ddl(DropIndex(index))
    for index in _sorted(after):
        if str(index.name) not in indexes or isinstance(index, SearchIndex):
            editor.ddl(CreateIndex(index))
