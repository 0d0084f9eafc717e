"""From one state to the next, as statements.

Holds: `transition`: what of the tables two states differ in, in the order in which it can be done.
Imports: the editor, states, SQLAlchemy's DDL.
Never: asks the database what is there: the states say it.

Every operation is an effect on the state; this finds the statements. So going backwards is
the same with the states exchanged, and names that follow from others follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic.ddl.base import AddColumn, DropColumn
from sqlalchemy.schema import CheckConstraint, CreateIndex, DropIndex, ForeignKeyConstraint, UniqueConstraint

from ..ddl import Later
from ..expressions.base import Value
from ..search.tables import SearchIndex
from .editor import Editor
from .fields import is_many_to_many
from .rebuild import change_table
from .rebuild import rename_table as rename_in_sqlite
from .state import State
from .values import decode

__all__ = ["Fills", "Pair", "named_parts", "rename_objects", "rename_tables", "tables_of", "transition"]

Fills = Mapping[tuple[str, str], Any]
"""What rows that are there get in a column: encoded, by the model's key and the field's name."""


@dataclass
class Pair:
    """A table that is in both states.

    Attributes:
        fills: SQL literals for the rows that are there, by column.
    """

    before: sa.Table
    after: sa.Table
    fills: dict[str, str]

    def kept(self) -> list[tuple[Any, Any]]:
        """Return the columns that are in both."""
        return [(self.before.c[each.name], each) for each in self.after.columns if each.name in self.before.c]


def tables_of(state: State, key: str) -> dict[tuple[str, str], sa.Table]:
    """Return a model's table, and those between it and others, by the field they belong to."""
    if key not in state or not state[key].get("managed", True):
        return {}
    found = {(key, ""): state.historic.table(key)}
    for name in state[key]["order"]:
        facts = state[key]["fields"][name]
        if is_many_to_many(facts) and "through" not in facts:
            found[key, name] = state.historic.through(key, name).table
    return found


def transition(editor: Editor, before: State, after: State, keys: Iterable[str], fills: Fills | None = None) -> None:
    """Add the steps that lead from the tables of *before* to those of *after*.

    Args:
        keys: The models that differ; those that refer to a key that changes are found.
    """
    pairs: list[Pair] = []
    made: list[sa.Table] = []
    gone: list[sa.Table] = []
    for key in _affected(before, after, list(keys)):
        old, new = tables_of(before, key), tables_of(after, key)
        made += [table for each, table in new.items() if each not in old]
        gone += [table for each, table in old.items() if each not in new]
        for each in old:
            if each in new:
                wanted = _literals(editor, after, key, fills or {}) if not each[1] else {}
                pairs.append(Pair(old[each], new[each], wanted))
    for table in reversed(gone):
        editor.drop_table(table)
    if editor.vendor == "sqlite":
        for pair in pairs:
            change_table(editor, pair.before, pair.after, pair.fills)
    else:
        _alter(editor, pairs)
    for table in made:
        editor.create_table(table)


def _affected(before: State, after: State, keys: list[str]) -> list[str]:
    """The models that differ, and those whose references change with a key's type."""
    found: list[str] = []
    waiting = list(keys)
    while waiting:
        key = waiting.pop(0)
        if key in found:
            continue
        found.append(key)
        if key not in before or key not in after:
            continue
        old, new = before[key]["fields"], after[key]["fields"]
        changed = [name for name in new if name in old and _sizes(old[name]) != _sizes(new[name])]
        is_key_changed = any(new[name].get("unique") or name in after[key].get("key", ()) for name in changed)
        passes_on = key not in keys and any("to" in field and field.get("unique") for field in new.values())
        if not (is_key_changed or passes_on):
            continue
        for other in after:
            if any(field.get("to") == key for field in after[other]["fields"].values()):
                waiting.append(other)
    return found


def _sizes(facts: Mapping[str, Any]) -> list[Any]:
    return [
        facts.get(name) for name in ("kind", "max_length", "max_digits", "decimal_places", "db_collation", "type", "to")
    ]


def _literals(editor: Editor, state: State, key: str, fills: Fills) -> dict[str, str]:
    found: dict[str, str] = {}
    for (model, name), value in fills.items():
        if model == key:
            owner = state.historic.of(key)
            field = owner._meta.get_field(name)
            known = field.prepare(decode(value)) if not hasattr(decode(value), "resolve") else decode(value)
            for part, each in zip(field.columns, (known,) if field.is_column else known, strict=True):
                if field.is_column or part in field.own_parts:
                    expression = each if hasattr(each, "resolve") else Value(each, part)
                    found[part.column] = editor.expression(Later(owner, expression))
    return found


# Renaming


def rename_tables(editor: Editor, before: State, after: State, names: Mapping[str, str]) -> None:
    """Add the steps between two states that differ in names alone.

    Args:
        names: The keys of the models: as they were, and as they are.
    """
    pairs: list[tuple[sa.Table, sa.Table]] = []
    for old, new in names.items():
        pairs += zip(tables_of(before, old).values(), tables_of(after, new).values(), strict=True)
        others = [each for each in before if each != old and _reaches(before, each, old)] if old != new else []
        for other in others:
            olds, news = tables_of(before, other), tables_of(after, other)
            pairs += [(olds[each], news[each]) for each in olds if each[1]]
    for was, now in pairs:
        if editor.vendor == "sqlite":
            rename_in_sqlite(editor, was, now)
            continue
        if was.name != now.name:
            editor.rename_table(was.name, now.name)
        for one, two in zip(was.columns, now.columns, strict=True):
            if one.name != two.name:
                editor.rename_column(now.name, one.name, two.name)
        rename_objects(editor, was, now)


def _reaches(state: State, key: str, target: str) -> bool:
    return any(is_many_to_many(each) and each["to"] == target for each in state[key]["fields"].values())


def rename_objects(editor: Editor, before: sa.Table, after: sa.Table) -> None:
    """Give constraints and indexes the names that follow from a new name of the table or of a column.

    The two tables differ in names alone.
    """
    table = editor.name(after.name)
    for old, new in _renamed_parts(before, after):
        was, now = editor.name(str(old.name)), editor.name(str(new.name))
        is_index = isinstance(old, sa.Index)
        if editor.vendor == "postgresql":
            renaming = f"ALTER INDEX {was}" if is_index else f"ALTER TABLE {table} RENAME CONSTRAINT {was}"
            editor.sql(f"{renaming}{' RENAME' if is_index else ''} TO {now}")
        elif isinstance(old, UniqueConstraint) or (is_index and not _is_computed(editor, old)):
            editor.sql(f"ALTER TABLE {table} RENAME INDEX {was} TO {now}")
        else:
            _drop_named(editor, after, old)
            editor.ddl(CreateIndex(new) if is_index else sa.schema.AddConstraint(new, isolate_from_table=False))
    if editor.vendor == "postgresql" and before.name != after.name:
        # Names that PostgreSQL made itself.
        was, now = f"{before.name}_pkey", f"{after.name}_pkey"
        editor.sql(f"ALTER INDEX IF EXISTS {editor.name(was)} RENAME TO {editor.name(now)}")
        column = before.autoincrement_column
        if column is not None:
            was, now = f"{before.name}_{column.name}_seq", f"{after.name}_{column.name}_seq"
            editor.sql(f"ALTER SEQUENCE IF EXISTS {editor.name(was)} RENAME TO {editor.name(now)}")


def _renamed_parts(before: sa.Table, after: sa.Table) -> list[tuple[Any, Any]]:
    """The parts whose names follow from others, as they are called before and after."""
    olds, news = named_parts(before), named_parts(after)
    by_place = {_place(after, each): each for name, each in news.items() if name not in olds}
    return [(each, by_place[_place(before, each)]) for name, each in sorted(olds.items()) if name not in news]


def _place(table: sa.Table, thing: Any) -> tuple[str, tuple[int, ...]]:
    order = [each.name for each in table.columns]
    return type(thing).__name__, tuple(order.index(each.name) for each in thing.columns if each.name in order)


def _is_computed(editor: Editor, index: Any) -> bool:
    """Whether MariaDB keeps columns of its own for an index, which are named after it."""
    return editor.text(CreateIndex(index)).startswith("ALTER TABLE")


def _drop_named(editor: Editor, table: sa.Table, thing: Any) -> None:
    """Drop a constraint or index of a table, which may have been renamed since."""
    name, on = editor.name(str(thing.name)), editor.name(table.name)
    if isinstance(thing, sa.Index):
        before, thing.table = thing.table, table
        editor.ddl(DropIndex(thing))
        thing.table = before
    elif editor.vendor == "postgresql":
        editor.sql(f"ALTER TABLE {on} DROP CONSTRAINT {name}")
    elif isinstance(thing, UniqueConstraint):
        editor.sql(f"ALTER TABLE {on} DROP INDEX {name}")
    else:
        what = "FOREIGN KEY" if isinstance(thing, ForeignKeyConstraint) else "CONSTRAINT"
        editor.sql(f"ALTER TABLE {on} DROP {what} {name}")


# On servers


def named_parts(table: sa.Table) -> dict[str, Any]:
    """Return the constraints and indexes of a table by their names."""
    constraints = [each for each in table.constraints if each.name and not isinstance(each, sa.PrimaryKeyConstraint)]
    named: list[Any] = [*constraints, *table.indexes]
    return {str(each.name): each for each in named}


def _alter(editor: Editor, pairs: list[Pair]) -> None:
    works = [_Work(editor, pair) for pair in pairs]
    kind: tuple[type[Any], ...]
    for kind in ((ForeignKeyConstraint,), (CheckConstraint, UniqueConstraint, sa.Index)):
        for work in works:
            work.drop_parts(kind)
    for action in ("drop_columns", "add_columns", "alter_columns", "change_key"):
        for work in works:
            getattr(work, action)()
    for kind in ((UniqueConstraint, sa.Index), (CheckConstraint,), (ForeignKeyConstraint,)):
        for work in works:
            work.add_parts(kind)
    for work in works:
        work.comment()


class _Work:
    """What is to be done to one table."""

    def __init__(self, editor: Editor, pair: Pair) -> None:
        self.editor = editor
        self.pair = pair
        self.table = editor.name(pair.after.name)
        self.replaced = {new.name for old, new in pair.kept() if self._must_be_replaced(old, new)}
        old, new = named_parts(pair.before), named_parts(pair.after)
        self.dropped = [each for name, each in old.items() if name not in new or self._differ(each, new[name])]
        self.added = [each for name, each in new.items() if name not in old or self._differ(old[name], each)]
        if editor.vendor == "mysql":
            self._free_indexes(old, new)

    def _free_indexes(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """A foreign key of MySQL holds on to the index of its column: it goes first, and comes back."""
        held = {
            _columns(each)[0]
            for each in self.dropped
            if isinstance(each, sa.Index | UniqueConstraint) and _columns(each)
        }
        for name, each in old.items():
            if isinstance(each, ForeignKeyConstraint) and each not in self.dropped and _columns(each)[0] in held:
                self.dropped.append(each)
                if name in new:
                    self.added.append(new[name])

    def _must_be_replaced(self, old: Any, new: Any) -> bool:
        """A column whose expression changes is dropped and made anew: its values follow from others."""
        if old.computed is None and new.computed is None:
            return False
        return self.editor.column(old) != self.editor.column(new)

    def _differ(self, old: Any, new: Any) -> bool:
        if self.editor.signature(old) != self.editor.signature(new):
            return True
        return bool(self.replaced & set(_columns(old))) or any(
            name in self.editor.signature(old) for name in self.replaced
        )

    def drop_parts(self, kinds: tuple[type, ...]) -> None:
        for each in self.dropped:
            if isinstance(each, kinds):
                self._drop_part(each)

    def _drop_part(self, each: Any) -> None:
        editor = self.editor
        is_index = isinstance(each, sa.Index) and not isinstance(each, SearchIndex)
        if is_index and editor.online and editor.vendor == "postgresql" and self._is_old():
            editor.sql(f"DROP INDEX CONCURRENTLY IF EXISTS {editor.name(str(each.name))}", outside=True)
        else:
            _drop_named(editor, self.pair.after, each)

    def _is_old(self) -> bool:
        return self.pair.after.name not in self.editor.fresh

    def drop_columns(self) -> None:
        for column in self.pair.before.columns:
            if column.name not in self.pair.after.c or column.name in self.replaced:
                self.editor.ddl(DropColumn(self.pair.after.name, column))

    def add_columns(self) -> None:
        for column in self.pair.after.columns:
            if column.name not in self.pair.before.c or column.name in self.replaced:
                self._add_column(column)

    def _add_column(self, column: Any) -> None:
        editor, literal = self.editor, self.pair.fills.get(column.name)
        if literal is None or column.server_default is not None:
            editor.ddl(AddColumn(self.pair.after.name, column))
        else:
            # The rows that are there get it from a default, which goes away again: nothing is rewritten.
            column.server_default = sa.DefaultClause(sa.text(literal.replace(":", "\\:")))
            try:
                editor.ddl(AddColumn(self.pair.after.name, column))
            finally:
                column.server_default = None
            editor.sql(f"ALTER TABLE {self.table} ALTER COLUMN {editor.name(column.name)} DROP DEFAULT")
        if column.comment and editor.vendor == "postgresql":
            editor.ddl(sa.schema.SetColumnComment(column))

    def alter_columns(self) -> None:
        for old, new in self.pair.kept():
            if new.name not in self.replaced:
                self._alter_column(old, new)

    def _alter_column(self, old: Any, new: Any) -> None:
        editor = self.editor
        is_narrowed = old.nullable and not new.nullable
        same_type = editor.kind(old) == editor.kind(new)
        same_default = editor.default(old) == editor.default(new)
        if editor.vendor == "mysql":
            if editor.column(old) == editor.column(new):
                return
            if is_narrowed:
                self._fill(new)
            editor.sql(f"ALTER TABLE {self.table} MODIFY {editor.column(new)}")
            return
        options: dict[str, Any] = {"existing_type": old.type, "existing_nullable": old.nullable}
        if not same_type:
            using = None if _casts_itself(old, new) else f"{editor.name(new.name)}::{editor.kind(new)}"
            if not same_default and editor.default(old) is not None:
                editor.operations.alter_column(self.pair.after.name, new.name, server_default=None, **options)
            editor.operations.alter_column(
                self.pair.after.name, new.name, type_=new.type, postgresql_using=using, **options
            )
        if not same_default:
            default = new.server_default if new.server_default is not None else None
            editor.operations.alter_column(self.pair.after.name, new.name, server_default=default, **options)
        self._count_up(old, new)
        if is_narrowed:
            self._fill(new)
            self._refuse_null(new)
        elif old.nullable != new.nullable:
            editor.operations.alter_column(self.pair.after.name, new.name, nullable=True, **options)
        if old.comment != new.comment:
            editor.ddl(sa.schema.SetColumnComment(new) if new.comment else sa.schema.DropColumnComment(new))

    def _fill(self, column: Any) -> None:
        literal = self.pair.fills.get(column.name)
        if literal is not None:
            name = self.editor.name(column.name)
            if self.editor.vendor == "postgresql" and column.foreign_keys:
                # A reference that is checked at the end would keep the table from being altered until then.
                self.editor.sql("SET CONSTRAINTS ALL IMMEDIATE")
            self.editor.sql(f"UPDATE {self.table} SET {name} = {literal} WHERE {name} IS NULL")

    def _refuse_null(self, column: Any) -> None:
        editor, name = self.editor, self.editor.name(column.name)
        if not editor.online or not self._is_old():
            editor.sql(f"ALTER TABLE {self.table} ALTER COLUMN {name} SET NOT NULL")
            return
        # Checked by a constraint first, without keeping writers out; SET NOT NULL then reads nothing.
        check = editor.name(f"segue_{column.name}_not_null"[:63])
        editor.sql(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {check}")
        editor.sql(
            f"ALTER TABLE {self.table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID",
            undo=f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {check}",
        )
        editor.sql(f"ALTER TABLE {self.table} VALIDATE CONSTRAINT {check}", is_last=True)
        editor.sql(f"ALTER TABLE {self.table} ALTER COLUMN {name} SET NOT NULL")
        editor.sql(f"ALTER TABLE {self.table} DROP CONSTRAINT {check}")

    def _count_up(self, old: Any, new: Any) -> None:
        """Make a column of PostgreSQL count up, or stop it."""
        editor, table = self.editor, self.pair.after
        was, now = old.table.autoincrement_column is old, new.table.autoincrement_column is new
        if was == now:
            return
        sequence, name = editor.name(f"{table.name}_{new.name}_seq"), editor.name(new.name)
        if now:
            editor.sql(f"CREATE SEQUENCE IF NOT EXISTS {sequence} OWNED BY {self.table}.{name}")
            editor.sql(f"SELECT setval('{sequence}', COALESCE((SELECT MAX({name}) FROM {self.table}), 0) + 1, false)")
            editor.sql(f"ALTER TABLE {self.table} ALTER COLUMN {name} SET DEFAULT nextval('{sequence}')")
        else:
            editor.sql(f"ALTER TABLE {self.table} ALTER COLUMN {name} DROP DEFAULT")
            editor.sql(f"DROP SEQUENCE IF EXISTS {sequence}")

    def change_key(self) -> None:
        old = [each.name for each in self.pair.before.primary_key.columns]
        new = [each.name for each in self.pair.after.primary_key.columns]
        if old == new:
            return
        editor = self.editor
        columns = ", ".join(editor.name(each) for each in new)
        if editor.vendor == "postgresql":
            key = editor.name(f"{self.pair.after.name}_pkey")
            editor.sql(f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {key}")
            editor.sql(f"ALTER TABLE {self.table} ADD PRIMARY KEY ({columns})")
        else:
            editor.sql(f"ALTER TABLE {self.table} DROP PRIMARY KEY, ADD PRIMARY KEY ({columns})")

    def add_parts(self, kinds: tuple[type, ...]) -> None:
        for each in self.added:
            if isinstance(each, kinds):
                self._add_part(each)

    def _add_part(self, each: Any) -> None:
        editor = self.editor
        is_online = editor.online and editor.vendor == "postgresql" and self._is_old()
        if not is_online or isinstance(each, SearchIndex):
            editor.ddl(
                CreateIndex(each)
                if isinstance(each, sa.Index)
                else sa.schema.AddConstraint(each, isolate_from_table=False)
            )
            return
        name = editor.name(str(each.name))
        if isinstance(each, sa.Index):
            self._build_index(editor.text(CreateIndex(each)), name)
        elif isinstance(each, UniqueConstraint) and not each.deferrable:
            self._build_index(self._unique_index(each), name)
            editor.sql(f"ALTER TABLE {self.table} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}")
        elif isinstance(each, UniqueConstraint):
            editor.ddl(sa.schema.AddConstraint(each, isolate_from_table=False))
        else:
            editor.sql(f"{editor.text(sa.schema.AddConstraint(each, isolate_from_table=False))} NOT VALID")
            editor.sql(f"ALTER TABLE {self.table} VALIDATE CONSTRAINT {name}", is_last=True)

    def _unique_index(self, constraint: Any) -> str:
        """The index that a unique constraint is made of."""
        nulls = constraint.dialect_options["postgresql"].get("nulls_not_distinct")
        options = {} if nulls is None else {"postgresql_nulls_not_distinct": nulls}
        table = self.pair.after
        index = sa.Index(constraint.name, *constraint.columns, unique=True, **options)
        text = self.editor.text(CreateIndex(index))
        table.indexes.discard(index)
        return text

    def _build_index(self, text: str, name: str) -> None:
        head, _, rest = text.partition(" INDEX ")
        # What an interrupted build leaves is no index: it is dropped before the next try.
        self.editor.sql(
            f"{head} INDEX CONCURRENTLY {rest}", outside=True, undo=f"DROP INDEX CONCURRENTLY IF EXISTS {name}"
        )

    def comment(self) -> None:
        old, new = self.pair.before.comment, self.pair.after.comment
        if old != new:
            self.editor.ddl(
                sa.schema.SetTableComment(self.pair.after) if new else sa.schema.DropTableComment(self.pair.after)
            )


def _columns(thing: Any) -> list[str]:
    return [each.name for each in thing.columns]


def _casts_itself(old: Any, new: Any) -> bool:
    families = ((sa.Integer, sa.Numeric, sa.Float), (sa.String,))
    return any(isinstance(old.type, each) and isinstance(new.type, each) for each in families)
