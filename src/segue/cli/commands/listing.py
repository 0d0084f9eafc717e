"""`segue commands`: all commands, those of the app too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import click

from ...servers.reporting import last_line, place_text
from ..appcommands import commands_of
from ..group import BUILTINS, invocation_of
from ..output import json_option, note, print_json, print_table
from ..packages import packaged_commands

__all__ = ["command"]


@click.command("commands")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """List all commands, those of the app too.

    An app that cannot be loaded is a message; the commands that are known are listed.
    """
    rows = [(name, builtin.summary, "segue") for name, builtin in BUILTINS.items()]
    rows += [(name, "", package) for name, package in packaged_commands().items() if name not in BUILTINS]
    problem: Exception | None = None
    try:
        app = invocation_of(ctx).app()
        rows += [(name, summary, str(app.name)) for name, summary in _walk(commands_of(app), "")]
    except Exception as error:  # whatever the project's code raises
        problem = error
    rows.sort()
    if as_json:
        print_json([dict(zip(("name", "summary", "from"), row, strict=True)) for row in rows])
    else:
        print_table(("Command", "Summary", "From"), rows)
    for name, _, origin in rows:
        if name.partition(" ")[0] in BUILTINS and origin != "segue":
            note(f"Warning: the app's command {name!r} is hidden by the built-in one; give it another name.")
    if problem is not None:
        place = place_text(problem.__cause__ or problem)
        note(f"The app could not be loaded, so its commands are missing here:\n  {place}\n  {last_line(problem)}")


def _walk(commands: Mapping[str, click.Command], prefix: str) -> Iterator[tuple[str, str]]:
    for name, each in commands.items():
        if isinstance(each, click.Group):
            yield from _walk(each.commands, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", each.get_short_help_str(limit=80)
