"""`segue routes`: every route, what answers it, and who may."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from ...errors import did_you_mean
from ...handling.markers import marks_of
from ..group import invocation_of
from ..output import json_option, print_json, print_table

if TYPE_CHECKING:
    from ...app import App

__all__ = ["command", "routes_of"]


def routes_of(app: App) -> Iterator[dict[str, Any]]:
    """Yield the routes of *app* in the order of their registration."""
    compiled = app.compile()
    guards = {part.name: _names(part.registries.guards) for part in compiled.parts}
    for endpoint, variants in compiled.endpoints.items():
        # One rule may be compiled for reading methods and for writing ones.
        by_rule: dict[int, list[Any]] = {}
        for variant in variants:
            by_rule.setdefault(id(variant.rule), []).append(variant)
        for same in by_rule.values():
            rule, handler = same[0].rule, same[0].handler
            scopes = [None, *reversed(same[0].scopes)]
            own = _names(marks_of(handler.function).get("guards", ())) if handler is not None else []
            yield {
                "rule": rule.path,
                "methods": ["WEBSOCKET"]
                if rule.websocket
                else sorted({method for each in same for method in each.route.methods}),
                "endpoint": endpoint,
                "host": rule.host,
                "place": handler.place if handler is not None else same[0].route.place,
                "access": [*(name for scope in scopes for name in guards.get(scope, ())), *own],
            }


def _names(guards: Any) -> list[str]:
    return [getattr(guard, "__name__", type(guard).__name__) for guard in guards]


def _complete_endpoint(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    try:
        names = invocation_of(ctx).app().compile().endpoints
    except Exception:  # a broken project must not break the shell
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command("routes")
@click.argument("endpoint", required=False, shell_complete=_complete_endpoint)
@json_option
@click.pass_context
def command(ctx: click.Context, *, endpoint: str | None, as_json: bool) -> None:
    """List the routes, or those of one endpoint.

    Access lists the guards that a request must pass; `open` where there is none.
    """
    app = invocation_of(ctx).app()
    routes = list(routes_of(app))
    if endpoint is not None:
        known = [each["endpoint"] for each in routes]
        routes = [each for each in routes if each["endpoint"] == endpoint]
        if not routes:
            raise click.ClickException(f"There is no endpoint {endpoint!r}. {did_you_mean(endpoint, known)}")
    if as_json:
        print_json(routes)
        return
    if not routes:
        click.echo("The app has no routes.", err=True)
    print_table(("Rule", "Methods", "Endpoint", "Place", "Access"), [_row(each) for each in routes])


def _row(route: dict[str, Any]) -> tuple[str, ...]:
    rule = f"{route['host'] or ''}{route['rule']}"
    methods = " ".join(route["methods"])
    return rule, methods, route["endpoint"], _shortened(route["place"]), " ".join(route["access"]) or "open"


def _shortened(place: str) -> str:
    here = os.getcwd() + os.sep
    return place.removeprefix(here)
