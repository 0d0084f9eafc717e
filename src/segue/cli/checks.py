"""Running the checks of an app: its own, those of its parts, and those of its configuration."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..errors import Finding, SetupError, cut, place_of

if TYPE_CHECKING:
    from ..app import App

__all__ = ["demand_no_errors", "errors_in", "find", "print_findings", "run_check"]

_COLOURS = {"error": "red", "warning": "yellow", "info": "cyan"}


def find(app: App, *, serving: bool = False) -> list[Finding]:
    """Return what is wrong with *app*, errors first.

    Args:
        serving: Whether what production needs is demanded too.
    """
    found = list(app.config.findings())
    try:
        found.extend(_model_findings(app))
        with app.context():
            app.compile(serving=serving)
            for part in app.parts:
                for check in part.registries.checks:
                    found.extend(run_check(check, app))
    except SetupError as error:
        if not any(each.message == error.message for each in found):
            found.append(Finding(error.code, "error", error.message, error.hint, error.where))
    order = ("error", "warning", "info")
    return sorted(found, key=lambda each: order.index(each.level))


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
    return results
