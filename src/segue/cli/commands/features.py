"""`segue features`: what installed packages bring, and what of it the app uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ...installed import installed_features
from ...servers.reporting import last_line
from ..group import invocation_of
from ..output import json_option, note, print_json, print_table

if TYPE_CHECKING:
    from ...app import App

__all__ = ["command"]


@click.command("features")
@json_option
@click.pass_context
def command(ctx: click.Context, *, as_json: bool) -> None:
    """List blueprints of installed packages, and which the app has.

    One that it has not is added by its name: app.register("NAME").
    """
    features = installed_features()
    things = None
    if features:
        try:
            things = _things_of(invocation_of(ctx).app())
        except Exception as error:  # whatever the project's code raises
            note(f"The app could not be loaded, so what it has is not known:\n  {last_line(error)}")
    states = [None if things is None else each.is_among(things) for each in features]
    if as_json:
        rows = zip(features, states, strict=True)
        print_json(
            [
                {
                    "name": each.name,
                    "package": each.package,
                    "version": each.version,
                    "target": each.target,
                    "registered": state,
                }
                for each, state in rows
            ]
        )
        return
    words = {True: "yes", False: "no", None: "?"}
    print_table(
        ("Name", "Package", "Version", "Registered"),
        [(each.name, each.package, each.version, words[state]) for each, state in zip(features, states, strict=True)],
    )
    if not features:
        note("No installed package brings a blueprint (an entry point of the group segue.blueprints).")
    unused = [each.name for each, state in zip(features, states, strict=True) if state is False]
    if unused:
        note(f'To use one: app.register("{unused[0]}")')


def _things_of(app: App) -> list[object]:
    return [*(part.scaffold for part in app.parts), *app.batteries]
