"""`segue flush`: empty the tables."""

from __future__ import annotations

import click

from ..group import invocation_of
from ..migrating import database_option, home_of

__all__ = ["command"]


@click.command("flush")
@click.option("--yes", is_flag=True, help="Do not ask.")
@database_option
@click.pass_context
def command(ctx: click.Context, *, yes: bool, database: str | None) -> None:
    """Delete all rows of the app's models; the tables stay, and what was migrated."""
    from ...db.datafiles import flush

    app = invocation_of(ctx).app()
    home = home_of(app, database)
    if not yes:
        click.confirm(f"Delete all rows in {home.database.url}?", abort=True, err=True)
    with app.context():
        tables = flush(home.database, home.models)
    click.echo(f"{len(tables)} tables are empty.")
