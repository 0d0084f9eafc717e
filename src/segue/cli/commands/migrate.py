"""`segue migrate`: bring the tables to what the migrations say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ...errors import SetupError
from ..checks import demand_no_errors
from ..group import invocation_of
from ..migrating import Home, database_option, home_of, homes_of
from ..output import note

if TYPE_CHECKING:
    from ...db.migrations.executor import Executor

__all__ = ["command"]


@click.command("migrate")
@click.argument("target", required=False)
@click.option("--fake", is_flag=True, help="Note it as done without doing it.")
@click.option("--fake-initial", is_flag=True, help="Do so for a first migration whose tables are all there.")
@click.option("--plan", is_flag=True, help="Show what would be done: locks, rewrites, rows; do nothing.")
@click.option("--check", is_flag=True, help="Do nothing; end with 1 if something is to be done.")
@click.option("--rehearse", is_flag=True, help="Try it on a copy: up, down, up, and the release before on the result.")
@click.option("--adopt", metavar="FOLDER", type=click.Path(path_type=Path), help="Go on where Alembic's history ends.")
@click.option("--undo", is_flag=True, help="Take back what an interrupted migration did, in place of going on.")
@click.option("--lock-timeout", default=3.0, show_default=True, help="Seconds to wait for a table; it is tried again.")
@click.option("--wait", default=60.0, show_default=True, help="Seconds to wait for another migrate.")
@click.option("--skip-checks", is_flag=True, help="Go on even if a check found an error.")
@database_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    target: str | None,
    fake: bool,
    fake_initial: bool,
    plan: bool,
    check: bool,
    rehearse: bool,
    adopt: Path | None,
    undo: bool,
    lock_timeout: float,
    wait: float,
    skip_checks: bool,
    database: str | None,
) -> None:
    """Bring the tables to what the migrations say, or to one of them.

    TARGET is a migration or the beginning of its name; those after it are taken back.
    `zero` takes all back. A run that was interrupted is resumed.
    """
    app = invocation_of(ctx).app()
    homes = [home_of(app, database)] if database or target else homes_of(app)
    if adopt is not None:
        from ...db.migrations.adopting import adopt as adopt_history

        home = home_of(app, database)
        done = adopt_history(home.database, home.folder, adopt, home.models, tell=click.echo)
        click.echo(done)
        return
    if all(not home.folder.is_dir() for home in homes):
        raise SetupError(
            "There are no migrations yet.",
            code="data/no-migrations",
            where=str(homes[0].folder),
            hint="segue makemigrations",
        )
    is_pending = False
    if not (skip_checks or plan or check):
        demand_no_errors(app)
    with app.context():
        for home in homes:
            from ...db.migrations.executor import Executor

            executor = Executor(home.database, home.folder, tell=click.echo, lock_timeout=lock_timeout, wait=wait)
            if plan or check:
                is_pending |= _show(executor, home, target, quiet=check)
            elif undo:
                executor.undo()
            elif rehearse:
                from ...db.migrations.rehearsing import rehearse as run

                if not run(home.database, home.folder, tell=click.echo):
                    ctx.exit(1)
            else:
                _migrate(executor, home, target, fake=fake, fake_initial=fake_initial)
    if check and is_pending:
        ctx.exit(1)


def _migrate(executor: Executor, home: Home, target: str | None, *, fake: bool, fake_initial: bool) -> None:
    done = executor.migrate(target, fake=fake, fake_initial=fake_initial)
    if not done:
        note("Nothing to do." if home.name == "default" else f"Nothing to do in {home.name}.")
        return
    from ...db.migrations.making import Maker
    from ...db.migrations.questions import Ignoring

    if target is not None:
        return
    try:
        if Maker(home.folder).changes(home.models, Ignoring()):
            note("The models have changed since: segue makemigrations.")
    except SetupError as error:
        # What was to be done is done; this is for the next time.
        note(f"{error.message} {error.hint}")


def _show(executor: Executor, home: Home, target: str | None, *, quiet: bool) -> bool:
    from ...db.migrations.planning import describe_plan

    planned = executor.plan(target)
    if not planned:
        if not quiet:
            note("Nothing to do.")
        return False
    for line in describe_plan(executor, planned):
        click.echo(line)
    return True
