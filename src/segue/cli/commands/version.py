"""`segue version`: what runs here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import click

from ..._version import __version__
from ..output import json_option, print_json

__all__ = ["command", "version_line"]

_LIBRARIES = ("granian", "msgspec", "jinja2", "sqlalchemy", "click")


def version_line() -> str:
    """Return the versions in one line."""
    python = f"Python {platform.python_version()} ({platform.python_implementation()})"
    return f"Segue {__version__}, {python}, {platform.platform(terse=True)}"


@click.command("version")
@json_option
def command(*, as_json: bool) -> None:
    """Print the versions of Segue and what it runs on."""
    libraries = {name: _installed(name) for name in _LIBRARIES}
    if as_json:
        print_json(
            {
                "segue": __version__,
                "python": platform.python_version(),
                "implementation": platform.python_implementation(),
                "platform": platform.platform(),
                "libraries": libraries,
            }
        )
        return
    click.echo(version_line())
    for name, number in libraries.items():
        click.echo(f"  {name} {number or 'is not installed'}")


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
