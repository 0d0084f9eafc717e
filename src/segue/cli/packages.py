"""Commands of installed packages: the entry points `segue.commands`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import SetupError

__all__ = ["demand", "load_packaged", "packaged_commands"]

_GROUP = "segue.commands"


def packaged_commands() -> dict[str, str]:
    """Return the names of the commands of installed packages, each with its package; none is loaded."""
    return {point.name: _package_of(point) for point in _entry_points()}


def load_packaged(name: str) -> click.Command | None:
    """Return the command called *name*, or `None`; one that cannot be loaded is a warning."""
    for point in _entry_points():
        if point.name != name:
            continue
        try:
            loaded = point.load()
        except Exception as error:  # somebody else's package must not break ours
            problem = f"cannot be loaded: {type(error).__name__}: {error}"
        else:
            if isinstance(loaded, click.Command):
                return loaded
            problem = f"is {type(loaded).__name__}, not a Click command."
        click.echo(f"Warning: {name!r} of {_package_of(point)} {problem}", err=True)
    return None


def demand(package: str, *, extra: str, why: str) -> None:
    """Make sure that *package*, which *extra* brings, can be imported.

    Raises:
        SetupError: `cli/not-installed`.
    """
    if importlib.util.find_spec(package) is None:
        raise SetupError(
            f"{package} is not installed.",
            code="cli/not-installed",
            why=why,
            hint=f'pip install "segue[{extra}]"',
        )


def _entry_points() -> list[Any]:
    if not any(map(_has_commands, sys.path)):
        return []
    from importlib.metadata import entry_points

    return list(entry_points(group=_GROUP))


def _has_commands(folder: str) -> bool:
    """Whether a package installed there has commands.

    PERF: importlib.metadata costs a quarter of `segue --help`, and mostly there are none.
    """
    try:
        files = Path(folder or ".").glob("*.*-info/entry_points.txt")
        return any(_GROUP.encode() in file.read_bytes() for file in files)
    except OSError:
        return False


def _package_of(point: Any) -> str:
    return point.dist.name if point.dist is not None else "?"
