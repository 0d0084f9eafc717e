"""`segue loaddata`: rows from files."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..group import invocation_of
from ..migrating import database_option, home_of
from .dumpdata import format_of

__all__ = ["command"]


@click.command("loaddata")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(["json", "msgpack"]), help="From the name of the file; else json.")
@click.option("--ignore-unknown", is_flag=True, help="Leave out models and fields that there are no more.")
@database_option
@click.pass_context
def command(
    ctx: click.Context, *, files: tuple[Path, ...], kind: str | None, ignore_unknown: bool, database: str | None
) -> None:
    """Write the rows of FILES into the database: each file all, or nothing of it.

    Rows whose key is there are written over. `-` reads from stdin.
    """
    from ...db.datafiles import load

    app = invocation_of(ctx).app()
    home = home_of(app, database)
    with app.context():
        for path in files:
            if str(path) != "-" and not path.is_file():
                raise click.BadParameter(f"There is no file {path}.")
            content = sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
            how = format_of(kind, path)
            count = load(home.database, home.models, content, format=how, ignore_unknown=ignore_unknown)
            click.echo(f"{path}: {count} rows.")
