"""`segue inspectdb`: models for tables that are there."""

from __future__ import annotations

import click

from ..group import invocation_of
from ..migrating import database_option, home_of

__all__ = ["command"]


@click.command("inspectdb")
@click.argument("tables", nargs=-1)
@click.option("--unmanaged", is_flag=True, help="Leave the tables to whoever made them: no migrations.")
@database_option
@click.pass_context
def command(ctx: click.Context, *, tables: tuple[str, ...], unmanaged: bool, database: str | None) -> None:
    """Print models for the tables of a database, or for TABLES of it.

    Put them into a file, look through them, then `segue makemigrations` and
    `segue migrate`, which notes the first migration as done where the tables are there.
    """
    from ...db.migrations.inspecting import inspect_database

    home = home_of(invocation_of(ctx).app(), database)
    click.echo(inspect_database(home.database, tables, managed=not unmanaged), nl=False)
