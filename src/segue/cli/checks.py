"""Running the checks of an app: its own, those of its parts, and those of its configuration."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import Finding, SetupError, cut, place_of
from ..handling.markers import marks_of
from .imports import find_import_cycles
from .urls import find_bad_urls

if TYPE_CHECKING:
    from ..app import App

__all__ = [
    "LEVELS",
    "demand_no_errors",
    "errors_in",
    "fails",
    "find",
    "heard",
    "print_findings",
    "run_check",
    "tagged",
]

LEVELS = ("error", "warning", "info")
"""From the gravest on."""

_AREA = re.compile(r"[./]").split
_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def find(app: App, *, serving: bool = False, deploy: bool = False) -> list[Finding]:
    """Return what is wrong with *app*, errors first.

    Args:
        serving: Whether what a server needs is demanded too.
        deploy: Whether settings are looked for that production should not have.
    """
    found = list(app.config.findings())
    if deploy:
        from .deploy import find_unfit  # for production alone

        found.extend(find_unfit(app))
    try:
        found.extend(_model_findings(app))
        with app.context():
            app.compile(serving=serving)
            found.extend(find_bad_urls(app))
            for part in app.parts:
                for check in part.registries.checks:
                    found.extend(run_check(check, app))
    except SetupError as error:
        if not any(each.message == error.message for each in found):
            found.append(Finding(error.code, "error", error.message, error.hint, error.where))
    found.extend(find_import_cycles(app))
    return heard(app, found)


def heard(app: App, findings: Iterable[Finding]) -> list[Finding]:
    """Return *findings* without those that `SILENCED_CHECKS` names, the gravest first."""
    silenced = set(app.config["SILENCED_CHECKS"])
    return sorted((each for each in findings if each.id not in silenced), key=lambda each: LEVELS.index(each.level))


def tagged(findings: Iterable[Finding], tags: Collection[str]) -> list[Finding]:
    """Return the findings of one of these areas (what their ids begin with) or tags; all where none is named."""
    return [each for each in findings if not tags or {_AREA(each.id)[0], *each.tags} & {*tags}]


def fails(findings: Iterable[Finding], level: str) -> bool:
    """Whether one of the findings is as grave as *level*."""
    return any(LEVELS.index(each.level) <= LEVELS.index(level) for each in findings)


def _model_findings(app: App) -> list[Finding]:
    if app.config["DATABASE"] is None:
        return []
    from ..db.models.checks import check_models  # the data layer, for apps with a database

    return check_models(app.owned_models())


def errors_in(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that stop a start."""
    return [each for each in findings if each.level == "error"]


def demand_no_errors(app: App) -> None:
    """Print what is wrong with *app*, and end the command with 1 if it is an error."""
    findings = find(app)
    print_findings(findings, err=True)
    if errors_in(findings):
        click.echo("Stopped. --skip-checks goes on all the same.", err=True)
        raise click.exceptions.Exit(1)


def print_findings(findings: Sequence[Finding], *, err: bool = False) -> None:
    """Print findings for a person."""
    for each in findings:
        level = click.style(each.level, fg=_COLOURS[each.level], bold=True)
        click.echo(f"{level} [{each.id}] {each.message}", err=err)
        for label, text in (("Where", each.where), ("Fix", each.hint)):
            if text:
                click.echo(f"  {label:<6} " + text.replace("\n", "\n         "), err=err)


def run_check(check: Callable[..., Any], app: App) -> list[Finding]:
    """Return what one check finds; it is given the app if it takes a parameter.

    Raises:
        SetupError: It raised, or gave something else (`cli/check-failed`).
    """
    given = [app] if inspect.signature(check).parameters else []
    try:
        results: list[Any] = list(check(*given) or ())
    except Exception as error:
        name = getattr(check, "__qualname__", repr(check))
        raise SetupError(
            f"The check {name}() raised {type(error).__name__}: {error}",
            code="cli/check-failed",
            where=place_of(check),
            why="A check yields what it finds; an exception says nothing about the app.",
            hint="Catch the exception in the check and yield a Finding.",
        ) from error
    for result in results:
        if not isinstance(result, Finding):
            raise SetupError(
                f"The check {getattr(check, '__qualname__', repr(check))}() gave {cut(result)}.",
                code="cli/check-failed",
                where=place_of(check),
                why="A check yields segue.Finding objects.",
                hint='yield Finding("shop.W001", "warning", "There is no currency.")',
            )
    tags = marks_of(check).get("check_tags", ())
    return [dataclasses.replace(each, tags=(*each.tags, *tags)) for each in results] if tags else results
