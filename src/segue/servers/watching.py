"""Which changes of files restart the workers in development."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

# Only the process that watches imports this module.
from watchfiles import DefaultFilter

if TYPE_CHECKING:
    from watchfiles import Change

__all__ = ["ChangeFilter", "filter_for", "watched_paths"]

_SUFFIXES = frozenset({".py", ".toml", ".yaml", ".yml"})


class ChangeFilter(DefaultFilter):
    """Lets code and configuration through; templates are read anew without a restart.

    It keeps the names of what changed, for the message, and removes the byte code of
    changed modules: that is dated to the second, and would hide a second change in it.

    Attributes:
        configuration: Ends of paths of configuration files whose suffix alone does not say so.
        changed: What changed since the last restart.
    """

    configuration: ClassVar[tuple[str, ...]] = ()
    changed: ClassVar[dict[str, None]] = {}

    def __call__(self, change: Change, path: str) -> bool:
        """Whether the change of *path* restarts the workers."""
        if not super().__call__(change, path):
            return False
        suffix = os.path.splitext(path)[1]
        is_configuration = os.path.basename(path).startswith(".env") or path.endswith(self.configuration)
        if suffix not in _SUFFIXES and not is_configuration:
            return False
        if suffix == ".py":
            Path(importlib.util.cache_from_source(path)).unlink(missing_ok=True)
        self.changed[path] = None
        return True


def filter_for(configuration: Iterable[str]) -> type[ChangeFilter]:
    """Return a filter class of its own, for Granian makes the instance and sets class attributes."""
    ends = tuple(os.sep + each.lstrip(os.sep) for each in configuration)
    return type("ChangeFilter", (ChangeFilter,), {"configuration": ends, "changed": {}})


def watched_paths(folder: Path, others: Iterable[str]) -> list[Path]:
    """Return *folder* and those of *others* that are not below it nor installed packages."""
    paths = [folder]
    for other in (Path(each) for each in others):
        installed = {"site-packages", "dist-packages"} & set(other.parts)
        if other.is_dir() and not installed and not any(other.is_relative_to(each) for each in paths):
            paths.append(other)
    return paths
