"""`segue entry`: the file by which another server finds the app."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from ...errors import SetupError
from ..discovery import load_app
from ..group import invocation_of
from ..output import note

__all__ = ["command", "entry_source", "write_entry"]

_LINES = {
    "wsgi": ("gunicorn wsgi:application", "application = app.wsgi"),
    "asgi": ("uvicorn asgi:application", "application = app"),
}


def entry_source(kind: str, target: str, configs: Sequence[str] = ()) -> str:
    """Return the text of an entry file.

    Args:
        kind: `wsgi` or `asgi`.
        target: The app's target.
        configs: Targets of configuration to put on top.
    """
    command, line = _LINES[kind]
    return "\n".join(
        [
            f'"""The app for {kind.upper()} servers: {command}"""',
            "",
            "from segue.config import load_target",
            "",
            f"app = load_target({target!r})",
            *(f"app.config.push_target({each!r})" for each in configs),
            "app.compile(serving=True)  # a mistake stops the server here, not its first request",
            line,
            "",
        ]
    )


def write_entry(path: Path, target: str, configs: Sequence[str] = (), *, force: bool) -> None:
    """Write the entry file *path*.

    Raises:
        SetupError: It is there already, and not *force* (`cli/file-exists`).
    """
    if path.exists() and not force:
        raise SetupError(
            f"{path.name} is there already.",
            code="cli/file-exists",
            where=str(path),
            why="It may hold changes of yours.",
            hint=f"segue entry {path.name} --force",
        )
    path.write_text(entry_source(path.stem, target, configs), encoding="utf-8")


@click.command("entry")
@click.argument("file", type=click.Choice(["wsgi.py", "asgi.py"]))
@click.option("--force", is_flag=True, help="Overwrite the file.")
@click.pass_context
def command(ctx: click.Context, *, file: str, force: bool) -> None:
    """Write wsgi.py or asgi.py for another server, which finds the app by it."""
    invocation = invocation_of(ctx)
    path = Path.cwd() / file
    sys.path.insert(0, str(path.parent))
    _, target = load_app(invocation.target, path.parent)
    if target.partition(":")[0] in (path.stem, file):
        raise SetupError(
            f"{file} holds the app itself.",
            code="cli/file-exists",
            where=str(path),
            hint=f"Name it to the server as it is: {target}",
        )
    write_entry(path, target, invocation.configs, force=force)
    note(f"Wrote {file}: {_LINES[path.stem][0]}")
