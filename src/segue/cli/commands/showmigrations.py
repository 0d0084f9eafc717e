"""`segue showmigrations`: which migrations there are, and which were applied."""

from __future__ import annotations

from typing import Any

import click

from ..group import invocation_of
from ..migrating import database_option, home_of, homes_of
from ..output import json_option, print_json

__all__ = ["command"]


@click.command("showmigrations")
@database_option
@json_option
@click.pass_context
def command(ctx: click.Context, *, database: str | None, as_json: bool) -> None:
    """List the migrations in the order in which they are run; [X] are those that were.

    Also those of the database whose file is not here, and applied ones whose file was
    changed since.
    """
    from ...db.migrations.executor import Executor

    app = invocation_of(ctx).app()
    found: dict[str, list[dict[str, Any]]] = {}
    for home in [home_of(app, database)] if database else homes_of(app):
        executor = Executor(home.database, home.folder)
        applied = executor.applied()
        rows: list[dict[str, Any]] = []
        for name in executor.graph.order:
            changed = name in applied and applied[name] not in ("", executor.graph[name].checksum)
            rows.append({"name": name, "applied": name in applied, "changed": changed, "missing": False})
        known = set(executor.graph.all)
        rows += [
            {"name": name, "applied": True, "changed": False, "missing": True} for name in applied if name not in known
        ]
        found[home.name] = rows
    if as_json:
        print_json(found)
        return
    for name, rows in found.items():
        if len(found) > 1:
            click.echo(name)
        for row in rows:
            remark = "  (changed since it was applied)" if row["changed"] else "  (no file)" if row["missing"] else ""
            click.echo(f"[{'X' if row['applied'] else ' '}] {row['name']}{remark}")
        if not rows:
            click.echo("There are no migrations.", err=True)
