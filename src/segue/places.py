"""Where things stand: in the user's code, and on the disk.

Holds: the line that called, the folder of a module, a function with its place.
Imports: the standard library and errors.
Never: opens a file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from .errors import place_of

__all__ = ["caller_place", "describe", "root_of"]


def caller_place() -> str:
    """Return `file:line` of the first frame outside this package."""
    frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]  # documented, and there is no other
    here = __name__.rpartition(".")[0]
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module != here and not module.startswith(here + "."):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def root_of(import_name: str) -> Path:
    """Return the folder of a module: where what lies beside it is found."""
    module = sys.modules.get(import_name)
    file = getattr(module, "__file__", None)
    if file is None and module is not None:
        paths = list(getattr(module, "__path__", []))
        if paths:
            return Path(paths[0])
    if file is None and module is None:
        from importlib.util import find_spec

        try:
            spec = find_spec(import_name)
        except (ImportError, ValueError):
            spec = None
        if spec is not None and spec.submodule_search_locations:
            return Path(next(iter(spec.submodule_search_locations)))
        file = spec.origin if spec is not None else None
    return Path(file).resolve().parent if file else Path.cwd()


def describe(function: Callable[..., Any]) -> str:
    """Return a function with its place, for readable registries."""
    name, place = getattr(function, "__qualname__", repr(function)), place_of(function)
    return f"{name} ({place})" if place else name
