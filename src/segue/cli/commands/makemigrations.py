"""`segue makemigrations`: write what changed in the models as a migration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from ...errors import SetupError
from ..group import invocation_of
from ..migrating import Home, database_option, home_of, homes_of
from ..output import note

if TYPE_CHECKING:
    from ...db.migrations.making import Maker
    from ...db.migrations.questions import Questions

__all__ = ["command"]


@click.command("makemigrations")
@click.option("--check", is_flag=True, help="Write nothing; end with 1 if something changed.")
@click.option("--dry-run", is_flag=True, help="Show what would be written.")
@click.option("--empty", is_flag=True, help="Write a migration without operations, to be filled in.")
@click.option("--merge", is_flag=True, help="Make several heads one.")
@click.option("--resnapshot", is_flag=True, help="Write the snapshots anew, from the operations.")
@click.option("--split", metavar="NAME", help="Make two of a migration that drops: its drops are for the next release.")
@click.option("--name", metavar="NAME", help="What the file is called, behind its number.")
@click.option("--rename", "renames", metavar="OLD:NEW", multiple=True, help="record.titel:title, or record:album.")
@click.option(
    "--drop", "drops", metavar="NAME", multiple=True, help="Not renamed but dropped: record.titel, or record."
)
@click.option("--default", "fills", metavar="NAME=VALUE", multiple=True, help="What rows that are there get.")
@click.option("--no-input", is_flag=True, help="Ask nothing; end with 1 where an answer is missing.")
@database_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    check: bool,
    dry_run: bool,
    empty: bool,
    merge: bool,
    resnapshot: bool,
    split: str | None,
    name: str | None,
    renames: tuple[str, ...],
    drops: tuple[str, ...],
    fills: tuple[str, ...],
    no_input: bool,
    database: str | None,
) -> None:
    """Write what changed in the models as a migration.

    The models are compared with the snapshot of the last migration; no database is
    needed. What looks renamed is asked for, or said: --rename record.titel:title.
    """
    from ...db.migrations.making import Maker

    app = invocation_of(ctx).app()
    homes = [home_of(app, database)] if database else homes_of(app)
    has_changed = False
    for home in homes:
        maker = Maker(home.folder)
        if resnapshot:
            changed = maker.resnapshot()
            note(f"Written: {', '.join(changed)}." if changed else "All snapshots are as the operations say.")
        elif split:
            if home.name == (database or "default"):
                for path in maker.split(split):
                    click.echo(str(path))
        elif merge:
            if len(maker.graph.heads()) > 1 or database or len(homes) == 1:
                _write(maker, maker.merge(name), dry_run=dry_run or check)
        elif empty:
            if home.name == (database or "default"):
                _write(maker, maker.make([], name), dry_run=dry_run)
        else:
            questions = _questions(renames, drops, fills, asks=not (no_input or check) and sys.stdin.isatty())
            has_changed |= _make(home, maker, questions, name, shows=check or dry_run)
    if check and has_changed:
        ctx.exit(1)


def _make(home: Home, maker: Maker, questions: Questions, name: str | None, *, shows: bool) -> bool:
    operations = maker.changes(home.models, questions)
    unused = questions.unused()
    if unused:
        given = f"{unused[0]}:{questions.renames[unused[0]]}"
        raise SetupError(
            f"--rename {given}: nothing of that name is gone, or nothing new has it.",
            code="data/migration-undecided",
            hint="segue makemigrations --dry-run shows what changed.",
        )
    if not operations:
        note(f"No changes in {home.name}." if home.name != "default" else "No changes.")
        return False
    _write(maker, maker.make(operations, name), dry_run=shows)
    return True


def _write(maker: Maker, migration: Any, *, dry_run: bool) -> None:
    from ...db.migrations.files import source_of

    if dry_run:
        click.echo(source_of(migration), nl=False)
        return
    path = maker.write(migration)
    click.echo(str(path))
    for operation in migration.operations:
        click.echo(f"  {operation.describe()}")


def _questions(renames: tuple[str, ...], drops: tuple[str, ...], fills: tuple[str, ...], *, asks: bool) -> Questions:
    from ...db.migrations.questions import Asking, Questions, parse_value

    given: dict[str, Any] = {}
    for each in fills:
        field, separator, text = each.partition("=")
        if not separator:
            raise click.BadParameter(f"{each!r} has no value.", param_hint="--default record.year=1900")
        given[field] = parse_value(text)
    if not asks:
        return Questions(renames, drops, given)

    def confirm(text: str) -> bool:
        return click.confirm(text, err=True)

    def prompt(text: str) -> str:
        return str(click.prompt(text, err=True))

    return Asking(confirm, prompt, renames, drops, given)
