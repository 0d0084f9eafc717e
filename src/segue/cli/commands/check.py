"""`segue check`: look for mistakes without serving."""

from __future__ import annotations

import dataclasses

import click

from .. import checks
from ..group import invocation_of
from ..output import json_option, note, print_json

__all__ = ["command"]


@click.command("check")
@click.option("--deploy", is_flag=True, help="Check what production needs, too; DEBUG is off for it.")
@click.option("--security", is_flag=True, help="Look for values that get into HTML or SQL as they are, too.")
@json_option
@click.pass_context
def command(ctx: click.Context, *, deploy: bool, security: bool, as_json: bool) -> None:
    """Look for mistakes without serving.

    The app is compiled, its configuration read, and the checks of all its parts are
    run. Ends with 1 if there is an error; warnings do not change that.
    """
    app = invocation_of(ctx).app(is_production=deploy)
    if deploy and app.debug:
        source = app.config.explain("DEBUG").source
        note(f"DEBUG is on ({source}); segue run --prod would refuse that.")
        app.config.push_options({"DEBUG": False}, source="check --deploy")
    findings = checks.find(app, serving=deploy)
    if security and not checks.errors_in(findings):
        from ..safety import find_formatted_sql, find_unsafe_html

        findings += [*find_unsafe_html(app), *find_formatted_sql(app)]
    if as_json:
        print_json([dataclasses.asdict(each) for each in findings])
    else:
        checks.print_findings(findings)
        errors = len(checks.errors_in(findings))
        note(f"{len(findings)} found, {errors} of them errors." if findings else "Nothing found.")
    if checks.errors_in(findings):
        ctx.exit(1)
