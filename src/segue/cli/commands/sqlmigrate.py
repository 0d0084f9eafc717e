"""`segue sqlmigrate`: the SQL of a migration."""

from __future__ import annotations

import click

from ..group import invocation_of
from ..migrating import database_option, home_of

__all__ = ["command"]


@click.command("sqlmigrate")
@click.argument("name")
@click.option("--backwards", is_flag=True, help="What takes it back.")
@database_option
@click.pass_context
def command(ctx: click.Context, *, name: str, backwards: bool, database: str | None) -> None:
    """Print the SQL that a migration runs, or that takes it back.

    NAME is a migration or the beginning of its name. Nothing is changed.
    """
    from ...db.migrations.executor import steps_of
    from ...db.migrations.graph import Graph

    home = home_of(invocation_of(ctx).app(), database)
    graph = Graph.read(home.folder)
    migration = graph[graph.find(name)]
    before = graph.before(migration.name)
    for operation, steps in steps_of(migration, before, home.database.dialect, backwards=backwards):
        click.echo(f"-- {operation.describe()}")
        for step in steps:
            click.echo(f"{step};" if step.sql else str(step))
