"""`segue clearsessions`: remove the sessions that have ended."""

from __future__ import annotations

import click

from ..group import invocation_of

__all__ = ["command"]


@click.command("clearsessions")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Remove the sessions that have ended from where the server keeps them."""
    from ...colours import run
    from ...web.sessions import SESSIONS
    from ...web.sessions.stores import ServerStore

    app = invocation_of(ctx).app()
    with app.context() as context:
        store = context.get(SESSIONS).store
        if not isinstance(store, ServerStore):
            click.echo("Sessions are kept in cookies; there is nothing to clear.")
            return
        count = run(store.backend.remove_expired())
    click.echo("1 session was removed." if count == 1 else f"{count} sessions were removed.")
