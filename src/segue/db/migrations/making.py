"""Writing the next migration.

Holds: `Maker`: what changed since the last snapshot, its file; merging, squashing, new snapshots.
Imports: the differ, the graph, files.
Never: asks a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from .differ import diff
from .files import Migration, MigrationError, next_number, write_migration
from .graph import Graph
from .operations import CreateTable, Operation
from .questions import Questions
from .rehearsing import split
from .squashing import prelude_of
from .state import State

__all__ = ["Maker"]

_NAME = re.compile(r"[a-z0-9_]{1,80}", re.ASCII)


class Maker:
    """Makes the migrations of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.graph: Graph = Graph.read(folder)

    def changes(self, models: Iterable[Any], questions: Questions | None = None) -> list[Operation]:
        """Return what makes the last snapshot what *models* say; nothing where they agree.

        Raises:
            MigrationError: The history has several heads, or a file was changed without its snapshot.
        """
        head = self.graph.head()
        if head is not None:
            self.graph.check_snapshots([head])
        return diff(self.graph.state(), State.of(models), questions)

    def make(self, operations: Sequence[Operation], name: str | None = None, title: str = "") -> Migration:
        """Return a migration that comes after the last one."""
        head = self.graph.head()
        parents = [] if head is None else [head]
        return self._new(parents, operations, name or self._slug(operations), title or self._title(operations))

    def merge(self, name: str | None = None) -> Migration:
        """Return the migration that makes several heads one.

        Raises:
            MigrationError: There is one head, or they contradict each other (`data/migration-conflict`).
        """
        heads = self.graph.heads()
        if len(heads) < 2:
            raise MigrationError("There is nothing to merge: the history has one head.", hint="segue makemigrations")
        self.graph.check_snapshots(heads)
        self.graph.state()
        return self._new(heads, [], name or "merge", f"Merge {' and '.join(heads)}.")

    def _new(self, parents: Sequence[str], operations: Sequence[Operation], slug: str, title: str) -> Migration:
        if not _NAME.fullmatch(slug):
            raise MigrationError(
                f"A migration cannot be called {slug[:80]!r}.",
                why="A name is lower-case letters, digits and _, at most 80.",
                hint="--name add_year",
            )
        number = next_number(list(self.graph.all.values()))
        return Migration(f"{number:04}_{slug}", parents, operations, title=title)

    def write(self, migration: Migration) -> Path:
        """Write a migration that `make` or `merge` has returned, with its snapshot."""
        before = self.graph.state(migration.parents)
        path = write_migration(self.folder, migration, migration.states(before)[-1])
        self.graph = Graph.read(self.folder)
        return path

    def split(self, name: str) -> list[Path]:
        """Write the last migration in two: what the release before can live with, and what drops.

        Raises:
            MigrationError: It is not the last one, or drops nothing (`data/migration-split`).
        """
        found = self.graph[self.graph.find(name)]
        first, second = split(found)
        if self.graph.head() != found.name or not second or found.path is None:
            raise MigrationError(
                f"{found.name} cannot be made two.",
                code="data/migration-split",
                where=str(found.path or ""),
                why="Only the last migration can, where it drops a column or a table.",
                hint="segue makemigrations writes the drop into a migration of its own.",
            )
        parents = self.graph.parents(found.name)
        prelude = prelude_of([found])
        for path in (found.path, found.path.with_suffix(".json")):
            path.unlink(missing_ok=True)
        self.graph = Graph.read(self.folder)
        expanding = Migration(found.name, parents, first, atomic=found.atomic, title=found.title, prelude=prelude)
        paths = [self.write(expanding)]
        contracting = self.make(second, title=f"Drop what {found.name} has retired; for the next release.")
        return [*paths, self.write(contracting)]

    def resnapshot(self) -> list[str]:
        """Write snapshots anew, from the operations; return the migrations whose snapshot changed."""
        changed: list[str] = []
        for name in self.graph.order:
            path = self.graph[name].snapshot_path
            text = self.graph.replayed(name).to_json()
            if path is not None and (not path.is_file() or path.read_text(encoding="utf-8") != text):
                path.write_text(text, encoding="utf-8")
                changed.append(name)
                self.graph = Graph.read(self.folder)
        return changed

    def _slug(self, operations: Sequence[Operation]) -> str:
        if not self.graph.order and operations and all(isinstance(each, CreateTable) for each in operations[:1]):
            return "initial"
        slugs = [re.sub(r"[^a-z0-9_]+", "_", each.slug().lower()) for each in operations]
        if not slugs:
            return "empty"
        name = "_".join(slugs)
        return name if len(name) <= 50 else f"{slugs[0][:40]}_and_more"

    def _title(self, operations: Sequence[Operation]) -> str:
        if not operations:
            return "Nothing yet."
        first = operations[0].describe()
        return f"{first}." if len(operations) == 1 else f"{first}, and {len(operations) - 1} more."
