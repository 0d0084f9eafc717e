"""Modules of the project that import each other in a circle.

Such a circle works or fails by which of them is imported first, so it breaks on a day
when nobody touched it. Imports inside functions and for types alone do not count.
"""

from __future__ import annotations

import ast
import sys
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Finding
from .safety import files_of
from .safety.reading import parsed, shown_path

if TYPE_CHECKING:
    from ..app import App

__all__ = ["cycles_below", "find_import_cycles"]

Find = Callable[[str], "Path | None"]


def find_import_cycles(app: App) -> list[Finding]:
    """Return a warning for each circle among the modules of *app*'s project that were imported."""
    files = set(files_of(app))
    loaded = {name: Path(file).resolve() for name, file in _loaded() if str(Path(file).resolve()) in files}
    return _cycles(list(loaded), loaded.get, "warning")


def cycles_below(name: str, folder: Path) -> list[Finding]:
    """Return an error for each circle among the modules below *folder* that the module *name* leads to."""

    def find(module: str) -> Path | None:
        path = folder.joinpath(*module.split("."))
        return next((each for each in (path.with_suffix(".py"), path / "__init__.py") if each.is_file()), None)

    return _cycles([name], find, "error")


def _loaded() -> Iterator[tuple[str, str]]:
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and name != "__main__":
            yield name, file


def _cycles(names: list[str], find: Find, level: str) -> list[Finding]:
    graph = _graph(names, find)
    findings: list[Finding] = []
    done: set[str] = set()
    for name in sorted(graph):
        circle = None if name in done else _shortest_circle(graph, name)
        if circle is not None:
            done.update(circle)
            path = find(name)
            findings.append(
                Finding(
                    "imports.E001" if level == "error" else "imports.W001",
                    "error" if level == "error" else "warning",
                    f"Modules import each other: {' → '.join([*circle, name])}.",
                    "Move what both need into a module of its own, or import it in the function that uses it.",
                    f"{shown_path(str(path))}:{graph[name][circle[1]]}",
                )
            )
    return findings


def _graph(names: list[str], find: Find) -> dict[str, dict[str, int]]:
    """Return for each module what it imports, with the line."""
    graph: dict[str, dict[str, int]] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        path = find(name)
        if name in graph or path is None:
            continue
        source = parsed(str(path))
        graph[name] = {} if source is None else dict(_imports(source.tree, name, path, find))
        graph[name].pop(name, None)
        waiting += graph[name]
    return {name: {each: line for each, line in found.items() if each in graph} for name, found in graph.items()}


def _imports(tree: ast.Module, name: str, path: Path, find: Find) -> Iterator[tuple[str, int]]:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in _at_import(tree):
        if isinstance(node, ast.Import):
            for each in node.names:
                if find(each.name) is not None:
                    yield each.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, *([node.module] if node.module else [])])
            for each in node.names:
                inner = f"{base}.{each.name}"
                target = inner if find(inner) is not None else base
                if find(target) is not None:
                    yield target, node.lineno


def _at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Walk what runs while the module is imported."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        waiting += ast.iter_child_nodes(node)


def _shortest_circle(graph: dict[str, dict[str, int]], start: str) -> list[str] | None:
    """Return the modules from *start* back to it, once each."""
    paths = deque([[start]])
    seen = {start}
    while paths:
        path = paths.popleft()
        for each in graph[path[-1]]:
            if each == start:
                return path
            if each not in seen:
                seen.add(each)
                paths.append([*path, each])
    return None
