"""`segue squashmigrations`: one migration in place of many."""

from __future__ import annotations

import click

from ..group import invocation_of
from ..migrating import database_option, home_of

__all__ = ["command"]


@click.command("squashmigrations")
@click.argument("first")
@click.argument("last", required=False)
@click.option("--name", metavar="NAME", help="What the file is called, behind its number.")
@database_option
@click.pass_context
def command(ctx: click.Context, *, first: str, last: str | None, name: str | None, database: str | None) -> None:
    """Write one migration that does what those from FIRST to LAST do.

    With one argument: those up to it. The old files stay until all databases have run
    them, or the new one; then delete them, and `replaces` in the new one.
    """
    from ...db.migrations.squashing import squash

    home = home_of(invocation_of(ctx).app(), database)
    path, replaced = squash(home.folder, first if last else None, last or first, name)
    click.echo(str(path))
    click.echo(f"It stands for {', '.join(replaced)}.", err=True)
