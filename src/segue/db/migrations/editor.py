"""Writing DDL for one kind of database.

Holds: `Step`, one thing to do; `Editor`, which gathers the steps of an operation.
Imports: Alembic's operations, SQLAlchemy's DDL. Both are loaded for migrations alone.
Never: runs a statement: the executor does, and `sqlmigrate` prints the same ones.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import AddConstraint, CreateColumn, CreateIndex, CreateTable, ForeignKeyConstraint

from ..ddl import statements_of
from ..search.tables import SearchIndex, left_behind
from ..types import vendor_of

__all__ = ["Editor", "Step"]


@dataclass(slots=True)
class Step:
    """One thing that a migration does.

    Attributes:
        sql: The statement; empty for a call.
        call: What runs in Python.
        label: What a plan shows for a call.
        outside: Whether it must stand outside of any transaction.
        is_last: Whether what was done before it must be committed first.
        undo: SQL that cleans up what an interrupted try has left.
        inside: Whether a call belongs to the statements around it, in their transaction.
    """

    sql: str = ""
    call: Callable[[Any], Any] | None = None
    label: str = ""
    outside: bool = False
    is_last: bool = False
    undo: str = ""
    inside: bool = False

    def __str__(self) -> str:
        return self.sql or f"-- {self.label}"


@dataclass
class Editor:
    """Gathers the statements that change tables.

    Attributes:
        dialect: Of the database they are for.
        online: Whether readers and writers are to go on meanwhile, where that takes other statements.
        steps: What was gathered.
    """

    dialect: Dialect
    online: bool = False
    steps: list[Step] = field(default_factory=list[Step])

    def __post_init__(self) -> None:
        self.dialect = _plain(self.dialect)
        self.vendor: str = vendor_of(self.dialect)
        self.fresh: set[str] = set()

    @cached_property
    def operations(self) -> Operations:
        """Alembic's operations; what they say becomes steps."""
        context = MigrationContext.configure(dialect=self.dialect, opts={"as_sql": True})
        context.impl.static_output = lambda text: self.sql(text.removesuffix(";"))  # type: ignore[method-assign]  # pyright: ignore[reportAttributeAccessIssue]  # in place of a file
        return Operations(context)

    # Gathering

    def sql(self, text: str, *, outside: bool = False, is_last: bool = False, undo: str = "") -> None:
        """Add a statement."""
        self.steps.append(Step(text, outside=outside, is_last=is_last, undo=undo))

    def call(self, function: Callable[[Any], Any], label: str, *, inside: bool = False) -> None:
        """Add something to be done in Python; it is given a `Context`."""
        self.steps.append(Step(call=function, label=label, inside=inside))

    def ddl(self, element: Any) -> None:
        """Add a statement of SQLAlchemy's or Alembic's, as it is compiled here."""
        for text in statements_of(element, self.text(element)):
            self.sql(text)

    # Texts

    def text(self, element: Any) -> str:
        """Return a statement of DDL as SQL."""
        compiled = str(element.compile(dialect=self.dialect))
        return compiled.replace("\t", "    ").strip()

    def name(self, name: str) -> str:
        """Return a name, quoted where it must be."""
        return self.dialect.identifier_preparer.quote(name)

    def expression(self, element: Any) -> str:
        """Return a condition or expression as SQL, its values in it."""
        compiler: Any = self.dialect.ddl_compiler(self.dialect, None)  # type: ignore[arg-type]  # what SQLAlchemy's own dialects do
        return str(compiler.sql_compiler.process(element, include_table=False, literal_binds=True))

    def column(self, column: sa.Column[Any]) -> str:
        """Return the declaration of a column."""
        return str(CreateColumn(column).compile(dialect=self.dialect)).strip()

    def kind(self, column: sa.Column[Any]) -> str:
        """Return the type of a column."""
        return str(self.dialect.type_compiler_instance.process(column.type, type_expression=column))

    def default(self, column: sa.Column[Any]) -> str | None:
        """Return what the database fills into a column."""
        compiler: Any = self.dialect.ddl_compiler(self.dialect, None)  # type: ignore[arg-type]  # what SQLAlchemy's own dialects do
        found: str | None = compiler.get_column_default_string(column)
        return found

    def signature(self, thing: Any) -> str:
        """Return what tells whether a constraint or an index is as it was."""
        text = self.text(CreateIndex(thing) if isinstance(thing, sa.Index) else _added(thing))
        if isinstance(thing, SearchIndex):
            text += " ".join(self.kind(each) for each in thing.columns)
        if isinstance(thing, ForeignKeyConstraint):
            # The types must be equal on both sides while it stands.
            ends = [each for element in thing.elements for each in (element.parent, element.column)]
            text += " ".join(self.kind(each) for each in ends)
        return text

    # Whole tables

    def create_table(self, table: sa.Table, *, references: bool = True) -> None:
        """Create a table with its indexes and comments.

        Args:
            references: Whether with its foreign keys, too.
        """
        self.fresh.add(table.name)
        self.ddl(CreateTable(table, include_foreign_key_constraints=None if references else []))
        for index in sorted(table.indexes, key=lambda each: str(each.name)):
            self.ddl(CreateIndex(index))
        if self.vendor == "postgresql":
            if table.comment:
                self.ddl(sa.schema.SetTableComment(table))
            for column in table.columns:
                if column.comment:
                    self.ddl(sa.schema.SetColumnComment(column))

    def drop_table(self, table: sa.Table) -> None:
        """Drop a table."""
        self.ddl(sa.schema.DropTable(table))
        for text in left_behind(table, self.dialect):
            self.sql(text)

    def rename_table(self, old: str, new: str) -> None:
        """Give a table another name."""
        self.sql(f"ALTER TABLE {self.name(old)} RENAME TO {self.name(new)}")

    def rename_column(self, table: str, old: str, new: str) -> None:
        """Give a column another name."""
        self.sql(f"ALTER TABLE {self.name(table)} RENAME COLUMN {self.name(old)} TO {self.name(new)}")


def _added(constraint: Any) -> AddConstraint:
    # `isolate_from_table` would take it out of the CREATE TABLE.
    return AddConstraint(constraint, isolate_from_table=False)


def _plain(dialect: Dialect) -> Dialect:
    """Return a dialect whose texts go to the database without parameters: no percent sign is doubled."""
    plain: Any = copy(dialect)
    plain.paramstyle = "named"
    plain.positional = False
    plain.identifier_preparer = plain.preparer(plain)
    plain.type_compiler_instance = plain.type_compiler_cls(plain)
    return plain  # type: ignore[no-any-return]  # as it came
