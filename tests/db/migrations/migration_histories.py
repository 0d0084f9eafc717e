"""Histories of migrations in a folder of the test's own, and what a database says of its tables."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from segue import db
from segue.db.database import Database
from segue.db.migrations.executor import Executor, Planned
from segue.db.migrations.files import Migration, write_migration
from segue.db.migrations.graph import Graph
from segue.db.migrations.historic import Historic
from segue.db.migrations.making import Maker
from segue.db.migrations.operations import Operation
from segue.db.migrations.questions import Questions
from segue.db.registry import Registry


class Models:
    """Declares models that only this set of them knows."""

    def __init__(self) -> None:
        self.registry = Registry("a test")
        self.all: list[Any] = []

    def add(self, name: str, /, *bases: Any, meta: dict[str, Any] | None = None, **fields: Any) -> Any:
        """Declare one model."""
        body: dict[str, Any] = {
            "__module__": "test_migrations",
            "__qualname__": name,
            "_registry": self.registry,
            "Meta": type("Meta", (), {"app_label": "", **(meta or {})}),
            **fields,
        }
        model = type(name, bases or (db.Model,), body)
        self.all.append(model)
        return model


class History:
    """The migrations of one folder, and a database to run them on."""

    def __init__(self, folder: Path, database: Database | None = None) -> None:
        self.folder = folder
        self.database = database
        self.lines: list[str] = []

    @property
    def graph(self) -> Graph:
        return Graph.read(self.folder)

    @property
    def executor(self) -> Executor:
        assert self.database is not None
        return Executor(self.database, self.folder, tell=self.lines.append)

    def make(self, models: Iterable[Any], name: str | None = None, **answers: Any) -> list[Operation]:
        """Write the migration that *models* need; return its operations."""
        maker = Maker(self.folder)
        operations = maker.changes(models, Questions(**answers))
        maker.write(maker.make(operations, name))
        return operations

    def add(self, *operations: Operation, name: str = "by_hand", **options: Any) -> str:
        """Enter a migration by hand, as a file that holds no code of its own."""
        graph = self.graph
        head = graph.head()
        full = f"{len(graph.all) + 1:04}_{name}"
        migration = Migration(full, [head] if head else [], operations, title=name, **options)
        write_migration(self.folder, migration, migration.states(graph.state())[-1])
        return full

    def write(self, text: str, name: str = "code") -> str:
        """Enter a migration as source: the text behind `parents`."""
        graph = self.graph
        head = graph.head()
        full = f"{len(graph.all) + 1:04}_{name}"
        parents = [head] if head else []
        path = self.folder / f"{full}.py"
        self.folder.mkdir(exist_ok=True)
        path.write_text(f"from segue import db\nfrom segue.db import migrations\n\nparents = {parents!r}\n\n{text}\n")
        Maker(self.folder).resnapshot()
        return full

    def migrate(self, target: str | None = None, **options: Any) -> list[Planned]:
        return self.executor.migrate(target, **options)

    def models(self, *names: str) -> Any:
        """The models after *names*; those after all of them where none is named."""
        return Historic(self.graph.state(names or None), self.database)


def schema_of(database: Database) -> dict[str, Any]:
    """Return what the database says of its tables, but those of the migrations."""
    with database.connection() as connection, warnings.catch_warnings():
        # SQLAlchemy says so where SQLite has an index of expressions: it cannot tell which.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        inspector = sa.inspect(connection)
        return {
            table: _table(inspector, table)
            for table in sorted(inspector.get_table_names())
            if not table.startswith("segue_migration")
        }


def _table(inspector: Any, table: str) -> dict[str, Any]:
    columns = {
        each["name"]: (
            str(each["type"]),
            each["nullable"],
            str(each["default"]).replace(f"'{table}_", "'").replace("::regclass", ""),
            each.get("comment"),
            (each.get("computed") or {}).get("sqltext"),
        )
        for each in inspector.get_columns(table)
    }
    keys = {
        (each["name"], tuple(each["constrained_columns"]), each["referred_table"], str(sorted(each["options"].items())))
        for each in inspector.get_foreign_keys(table)
    }
    indexes = {
        (each["name"], tuple(each["column_names"]), each["unique"], tuple(each.get("expressions", ())))
        for each in inspector.get_indexes(table)
    }
    return {
        "columns": columns,
        "key": inspector.get_pk_constraint(table)["constrained_columns"],
        "keys": keys,
        "unique": {(each["name"], tuple(each["column_names"])) for each in inspector.get_unique_constraints(table)},
        "checks": {(each["name"], each["sqltext"]) for each in inspector.get_check_constraints(table)},
        "indexes": indexes,
        "comment": inspector.get_table_comment(table)["text"] if inspector.dialect.name != "sqlite" else None,
    }
