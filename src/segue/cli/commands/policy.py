"""`segue policy`: who may do what, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ...errors import UsageError, did_you_mean
from ..group import invocation_of
from ..output import json_option, print_json

if TYPE_CHECKING:
    from ...app import App

__all__ = ["command"]

_NOBODY = "nobody"


@click.group("policy")
def command() -> None:
    """Ask the policies of models."""


@command.command("explain")
@click.argument("user")
@click.argument("action")
@click.argument("obj", metavar="OBJ")
@json_option
@click.pass_context
def explain(ctx: click.Context, /, *, user: str, action: str, obj: str, as_json: bool) -> None:
    """Say whether USER may do ACTION with OBJ, and which clause decides it.

    USER and OBJ are rows, written label.Model:key (club.Member:3); the parts of a key of several
    columns are joined by commas. USER may be "nobody", OBJ a model alone.
    """
    app = invocation_of(ctx).app()
    with app.context():
        from ...db.policies import policy  # SQLAlchemy, which no other command needs

        found = policy.explain(None if user == _NOBODY else _row(app, user), action, _thing(app, obj))
    if as_json:
        clauses = [
            {"text": each.text, "holds": each.holds, "rule": each.rule, "place": each.place} for each in found.clauses
        ]
        print_json({"allowed": found.is_allowed, "question": found.question, "clauses": clauses})
    else:
        click.echo(str(found))
    if not found:
        ctx.exit(1)


def _thing(app: App, text: str) -> Any:
    return _row(app, text) if ":" in text else _model(app, text)


def _row(app: App, text: str) -> Any:
    from ...db.queryset import QuerySet

    label, colon, key = text.partition(":")
    model = _model(app, label)
    if not colon or not key:
        raise UsageError(f"{text!r} names no row.", code="cli/bad-row", hint=f"{label}:1")
    parts = key.split(",")
    pk = parts if len(model._meta.pk_fields) > 1 else key
    try:
        return QuerySet[Any](model).get(pk=pk)
    except (model.DoesNotExist, ValueError):
        raise UsageError(
            f"There is no {model._meta.label} with the key {key!r}.",
            code="cli/bad-row",
            hint=f'segue shell: {model.__name__}.objects.values_list("pk", flat=True)',
        ) from None


def _model(app: App, label: str) -> Any:
    models = app.owned_models()
    found = [model for model in models if model._meta.label.lower() == label.lower()]
    found = found or [model for model in models if model.__name__.lower() == label.lower()]
    if len(found) != 1:
        labels = [model._meta.label for model in models]
        raise UsageError(
            f"{label!r} names {'no' if not found else 'more than one'} model of the app.",
            code="cli/bad-row",
            hint=did_you_mean(label, labels) or f"Models: {', '.join(sorted(labels)) or 'none'}.",
        )
    return found[0]
