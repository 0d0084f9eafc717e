"""One migration in place of many.

Holds: `squash`, `prelude_of`.
Imports: the differ, the graph, files.
Never: loses a data migration: functions are copied, between what comes before and after them.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .context import model_key
from .differ import diff
from .files import Migration, MigrationError, next_number, read_folder, write_migration
from .graph import Graph
from .operations import AddColumn, AlterColumn, Operation, RenameTable
from .operations.base import UNSET
from .operations.code import RunBatches, RunPython, RunSQL, StateOnly
from .questions import Questions
from .state import State

__all__ = ["prelude_of", "squash"]

_TOLD = {"parents", "operations", "replaces", "atomic", "online"}


def squash(folder: Path, first: str | None, last: str, name: str | None = None) -> tuple[Path, list[str]]:
    """Write the migration that does what those from *first* to *last* do.

    Args:
        first: `None` begins with the first of all.

    Returns:
        The path of the file, and what it replaces.

    Raises:
        MigrationError: They are no unbroken row, or functions in them clash (`data/migration-squash`).
    """
    graph = Graph(read_folder(folder))
    row = _row(graph, None if first is None else graph.find(first), graph.find(last))
    migrations = [graph[each] for each in row]
    before = graph.before(row[0])
    operations = _combined(before, migrations)
    number = next_number(list(graph.all.values()))
    squashed = Migration(
        f"{number:04}_{name or f'squashed_{row[-1][:4]}'}",
        graph.parents(row[0]),
        operations,
        replaces=row,
        atomic=all(each.atomic for each in migrations),
        title=f"{row[0]} to {row[-1]} in one.",
        prelude=prelude_of(migrations),
    )
    after = squashed.states(before)[-1]
    if diff(after, graph.state([row[-1]]), _Told({}, {})):
        raise MigrationError(
            "The migrations cannot be squashed: what comes out is not what they make.",
            code="data/migration-squash",
            where=str(folder),
            hint="Squash a shorter row.",
        )
    return write_migration(folder, squashed, after), row


def _row(graph: Graph, first: str | None, last: str) -> list[str]:
    wanted = graph.ancestors(last)
    if first is not None:
        if first not in wanted:
            raise MigrationError(
                f"{first} does not come before {last}.", code="data/migration-squash", hint="segue showmigrations"
            )
        wanted = (wanted - graph.ancestors(first)) | {first}
    row = [name for name in graph.order if name in wanted]
    if len(row) < 2:
        raise MigrationError("One migration alone is not squashed.", code="data/migration-squash", hint="Name two.")
    inner = set(row[:-1])
    for name in graph.order:
        if name not in wanted and inner & set(graph.parents(name)):
            raise MigrationError(
                f"{name} comes after one of them and is not among them.",
                code="data/migration-squash",
                why="It would have nothing to come after.",
                hint=f"Squash up to where the branches meet, or only up to {graph.parents(name)[0]}.",
            )
    return row


def _combined(before: State, migrations: Sequence[Migration]) -> list[Operation]:
    """What the operations come to: between two pieces of code, the difference of the states."""
    found: list[Operation] = []
    start = state = before
    plain: list[Operation] = []
    for operation in [each for migration in migrations for each in migration.operations]:
        if isinstance(operation, RunPython | RunBatches | RunSQL | StateOnly):
            found += _difference(start, state, plain)
            plain = []
            found.append(operation)
            start = state = operation.apply(state)
        else:
            plain.append(operation)
            state = operation.apply(state)
    return found + _difference(start, state, plain)


def _difference(before: State, after: State, operations: Sequence[Operation]) -> list[Operation]:
    renames: dict[str, str] = {}
    fills: dict[str, Any] = {}
    state = before
    for each in operations:
        if isinstance(each, RenameTable):
            old, new = model_key(each.name), model_key(each.new)
            renames = {_moved(name, old, new): _moved(now, old, new) for name, now in renames.items()}
            origin = next((name for name, now in renames.items() if now == new and "." not in name), old)
            renames[origin] = new
            fills = {_moved(name, old, new): value for name, value in fills.items()}
        elif isinstance(each, AlterColumn) and each.new:
            key = model_key(each.model)
            full = f"{key}.{each.name}"
            origin = next((name for name, now in renames.items() if now == full), full)
            renames[origin] = f"{key}.{each.new}"
            if full in fills:
                fills[f"{key}.{each.new}"] = fills.pop(full)
        if isinstance(each, AddColumn | AlterColumn) and each.fill is not UNSET:
            fills[f"{model_key(each.model)}.{getattr(each, 'new', '') or each.name}"] = each.fill
        state = each.apply(state)
    return diff(before, after, _Told(renames, fills))


def _moved(name: str, old: str, new: str) -> str:
    return new if name == old else f"{new}{name[len(old) :]}" if name.startswith(f"{old}.") else name


class _Told(Questions):
    """Answers from what the operations did."""

    def __init__(self, renames: dict[str, str], fills: dict[str, Any]) -> None:
        super().__init__()
        self.renames = renames
        self.known = fills

    def ask_rename(self, what: str, old: str, new: str, alternatives: Sequence[str]) -> bool:
        return False

    def fill(self, model: str, field: str, *, narrows: bool) -> Any:
        return self.known.get(f"{model}.{field}", UNSET)


def prelude_of(migrations: Sequence[Migration]) -> list[str]:
    """Return the functions that the operations call, with what they need, from the files."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for migration in migrations:
        if migration.path is None or not any(each.writes_data for each in migration.operations):
            continue
        text = migration.path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            source = ast.get_source_segment(text, node) or ""
            if _is_told(node) or not source or source.startswith("from segue"):
                continue
            for name in _defined(node):
                if names.get(name, source) != source:
                    raise MigrationError(
                        f"{name} is defined twice, and differently; the second time in {migration.name}.",
                        code="data/migration-squash",
                        where=str(migration.path),
                        hint="Give one of the two another name.",
                    )
                names[name] = source
            found.setdefault(source, source)
    return list(found)


def _is_told(node: ast.stmt) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    return isinstance(node, ast.Assign) and any(
        isinstance(each, ast.Name) and each.id in _TOLD for each in node.targets
    )


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for each in node.targets if isinstance(each, ast.Name)]
    return []
