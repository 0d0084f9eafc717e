"""Files that lie beside the code that needs them.

Holds: `open_beside`.
Imports: errors and places.
Never: opens anything outside the folder, or for writing.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any, Literal

from .errors import UsageError, did_you_mean
from .places import caller_place

__all__ = ["ResourceNotFound", "open_beside"]


class ResourceNotFound(UsageError, FileNotFoundError):
    """A file that was to lie beside the code does not."""

    code = "app/no-resource"


def open_beside(root: Path, name: str, mode: Literal["rb", "r", "rt"], encoding: str, *, module: str) -> IO[Any]:
    """Open the file *name* that lies in the folder *root*, or below; the caller closes it.

    Args:
        module: Whose folder it is, for errors.

    Raises:
        ResourceNotFound: There is no such file there (`app/no-resource`).
        UsageError: Another mode (`app/read-only-resource`).
    """
    if mode not in ("rb", "r", "rt"):
        raise UsageError(
            f"open_resource() cannot open {name!r} with the mode {mode!r}.",
            code="app/read-only-resource",
            where=caller_place(),
            why="What lies beside the code is a part of the program; where it is installed, it is read-only.",
            hint="Use rb or r, and write to a folder of your own.",
        )
    root = root.resolve()
    path = (root / name).resolve()
    if not path.is_relative_to(root) or not path.is_file():
        raise ResourceNotFound(
            f"There is no resource {name!r}.",
            where=caller_place(),
            why=f"Resources of {module} are files in {root} and below.",
            hint=did_you_mean(name, [each.name for each in path.parent.glob("*")] if path.parent == root else []),
        )
    return path.open(mode, encoding=None if mode == "rb" else encoding)
