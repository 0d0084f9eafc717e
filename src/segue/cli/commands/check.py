"""`segue check`: look for mistakes without serving."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import Finding, SetupError
from ...targets import Target
from .. import checks
from ..discovery import find_target
from ..group import Invocation, invocation_of
from ..imports import cycles_below
from ..output import json_option, note, print_json
from ..sarif import as_sarif

if TYPE_CHECKING:
    from ...app import App

__all__ = ["command"]


@click.command("check")
@click.option("--deploy", is_flag=True, help="Check what production needs, too; DEBUG is off for it.")
@click.option("--security", is_flag=True, help="Look for values that get into HTML or SQL as they are, too.")
@click.option("--tag", "tags", multiple=True, metavar="WORD", help="Only findings of this area or tag; repeatable.")
@click.option(
    "--fail-level",
    type=click.Choice(checks.LEVELS),
    help="End with 1 at this level or a graver one.  [default: error; warning with --deploy]",
)
@click.option("--format", "form", type=click.Choice(["text", "json", "sarif"]), default="text", help="How to print.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    deploy: bool,
    security: bool,
    tags: Sequence[str],
    fail_level: str | None,
    form: str,
    as_json: bool,
) -> None:
    """Look for mistakes without serving.

    The app is compiled, its configuration read, every URL that code and templates name
    is looked up, and the checks of all its parts are run. Ends with 1 if there is an
    error; warnings do not change that, unless --fail-level or --deploy says so.
    """
    invocation = invocation_of(ctx)
    try:
        app = invocation.app(is_production=deploy)
    except SetupError as error:
        findings = _why_not_loaded(error, invocation)
    else:
        findings = checks.tagged(_find(app, deploy=deploy, security=security), tags)
    _print(findings, "json" if as_json else form)
    if checks.fails(findings, fail_level or ("warning" if deploy else "error")):
        ctx.exit(1)


def _find(app: App, *, deploy: bool, security: bool) -> list[Finding]:
    if deploy and app.debug:
        source = app.config.explain("DEBUG").source
        note(f"DEBUG is on ({source}); segue run --prod would refuse that.")
        app.config.push_options({"DEBUG": False}, source="check --deploy")
    findings = checks.find(app, serving=deploy, deploy=deploy)
    if security:
        from ..safety import find_formatted_sql, find_unsafe_html

        try:
            more = [*find_unsafe_html(app), *find_formatted_sql(app)]
        except SetupError:
            more = []  # it does not compile, which was found already
        findings = [*findings, *checks.heard(app, more)]
    return findings


def _why_not_loaded(error: SetupError, invocation: Invocation) -> list[Finding]:
    """Return why the app cannot be imported, if its modules import each other; else raise it."""
    folder = Path.cwd()
    text = invocation.target or find_target(folder)[0]
    target = Target.parse(text)
    name = target.module or target.file.removesuffix(".py").strip("./").replace("/", ".")
    circles = cycles_below(name, folder)
    if not circles:
        raise error
    return [*circles, Finding(error.code, "error", error.message, error.hint, error.where)]


def _print(findings: Sequence[Finding], form: str) -> None:
    if form == "text":
        checks.print_findings(findings)
        errors = len(checks.errors_in(findings))
        note(f"{len(findings)} found, {errors} of them errors." if findings else "Nothing found.")
        return
    value: Any = as_sarif(findings) if form == "sarif" else [dataclasses.asdict(each) for each in findings]
    print_json(value)
