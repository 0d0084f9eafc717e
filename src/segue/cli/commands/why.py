"""`segue why GET /path`: what a request meets, read from what was compiled; nothing is run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click

from ...errors import nearest, place_of
from ...routing import Match, NotAllowed, Redirect
from ...signals import request_finished, request_started
from ..group import invocation_of
from ..output import json_option, print_json, print_table

if TYPE_CHECKING:
    from ...app import App

__all__ = ["command", "explain"]

_ORDER = (
    "middleware of the app",
    "guard",
    "middleware",
    "request_started",
    "url_value_preprocessor",
    "before_request",
    "dependency",
    "handler",
    "fallback",
    "after_request",
    "teardown_request",
    "request_finished",
)


def explain(app: App, method: str, target: str, *, host: str = "") -> dict[str, Any]:
    """Return what a request would meet, as JSON can hold it.

    Args:
        target: The path; a query behind it changes nothing here.
        host: For routes that are bound to one.
    """
    compiled = app.compile()
    path = unquote(target.partition("?")[0]) or "/"
    found: dict[str, Any] = {"method": method, "path": path}
    resolved = compiled.router.resolve(method, path, host)
    if isinstance(resolved, Match):
        return found | {"outcome": "handler"} | _of_match(app, resolved)
    found["calls"] = _calls(app, compiled.fallback)
    if isinstance(resolved, Redirect):
        return found | {"outcome": "redirect", "status": resolved.status, "location": resolved.location}
    if isinstance(resolved, NotAllowed):
        allowed = sorted(resolved.allowed)
        if method == "OPTIONS":
            return found | {"outcome": "options", "status": 204, "allowed": allowed}
        return found | {"outcome": "method not allowed", "status": 405, "allowed": allowed}
    rules = {endpoint.rule.path for each in compiled.endpoints.values() for endpoint in each if endpoint.rule}
    if method in ("GET", "HEAD"):
        found["calls"] = _calls(app, compiled.fallback, *_fallbacks(app))
    return found | {"outcome": "not found", "status": 404, "near": nearest(path, sorted(rules))}


def _fallbacks(app: App) -> Iterator[dict[str, str]]:
    for function in app.fallback_functions:
        yield {"kind": "fallback", "name": getattr(function, "__name__", repr(function)), "place": place_of(function)}
    for each in app.frontends:
        yield {"kind": "fallback", "name": "frontend", "place": each["place"]}


def _of_match(app: App, match: Match) -> dict[str, Any]:
    endpoint, handler = match.target, match.target.handler
    own = {"kind": "handler", "name": handler.name, "place": handler.place}
    waits = handler.blocking and not (handler.is_async or handler.is_generator or handler.is_async_generator)
    return {
        "rule": match.rule.path,
        "host": match.rule.host,
        "endpoint": endpoint.name,
        "values": match.parameters,
        "colour": "async def" if handler.is_async or handler.is_async_generator else "def",
        "runs": "on the loop" if endpoint.is_async and not waits else "in a thread",
        "body": _body_of(endpoint),
        "max_body": endpoint.limits.max_body,
        "is_cancelled_by_disconnect": endpoint.cancellable,
        "calls": _calls(app, endpoint, own),
    }


def _calls(app: App, endpoint: Any, *more: dict[str, str]) -> list[dict[str, str]]:
    steps = [each._asdict() for each in (*_signalled(app), *endpoint.steps)]
    # `sorted` keeps the order of those of one kind.
    return sorted([*steps, *more], key=lambda each: _ORDER.index(each["kind"]))


def _signalled(app: App) -> Iterator[Any]:
    from ...handling.endpoint import Step

    for part in app.compile().parts:
        for receiver in part.registries.receivers:
            if receiver.signal in (request_started, request_finished):
                name = getattr(receiver.function, "__name__", repr(receiver.function))
                yield Step(receiver.signal.name, name, place_of(receiver.function))


def _body_of(endpoint: Any) -> str:
    if endpoint.streams_body:
        return "read by the handler"
    return "read before the handler" if "read_body(" in endpoint.source else "not read"


@click.command("why")
@click.argument("method")
@click.argument("path")
@click.option("--host", default="", metavar="NAME", help="The Host header, for routes that are bound to one.")
@json_option
@click.pass_context
def command(ctx: click.Context, *, method: str, path: str, host: str, as_json: bool) -> None:
    """Tell what a request meets: the route, the handler, and every callable around it.

    It is read from what was compiled: nothing is run, and no request is made.

    \b
    segue why GET /records/7
    """
    if not path.startswith("/"):
        raise click.UsageError(f"A path begins with a slash: segue why {method} /{path}")
    found = explain(invocation_of(ctx).app(), method.upper(), path, host=host)
    if as_json:
        print_json(found)
        return
    click.echo(f"{found['method']} {found['path']}")
    for name, text in _lines(found):
        click.echo(f"  {name:<9} {text}")
    if all(each["kind"] == "handler" for each in found["calls"]):
        click.echo(f"Nothing stands between the server and {'the handler' if found['calls'] else 'the answer'}.")
        return
    click.echo("Called in this order:")
    rows = [(each["kind"], f"{each['name']}()", _shortened(each["place"])) for each in found["calls"]]
    print_table(("Kind", "Name", "Place"), rows)


def _lines(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    outcome = found["outcome"]
    if outcome == "redirect":
        yield "Answer", f"{found['status']}, to {found['location']}: the rule ends with a slash"
    elif outcome == "options":
        yield "Answer", f"204, by itself; allowed: {', '.join(found['allowed'])}"
    elif outcome == "method not allowed":
        yield "Answer", f"405; the path answers {', '.join(found['allowed'])}"
    elif outcome == "not found":
        near = f" Near: {', '.join(found['near'])}" if found["near"] else ""
        is_asked = any(each["kind"] == "fallback" for each in found["calls"])
        yield "Answer", f"404: no rule matches{', unless a fallback answers' if is_asked else ''}.{near}"
    else:
        handler = next(each for each in found["calls"] if each["kind"] == "handler")
        yield "Rule", f"{found['host'] or ''}{found['rule']}"
        yield "Endpoint", found["endpoint"]
        if found["values"]:
            yield "Values", ", ".join(f"{name}={value!r}" for name, value in found["values"].items())
        yield "Handler", f"{handler['name']}()  {_shortened(handler['place'])}"
        yield "Runs", f"{found['colour']}, {found['runs']}; under WSGI in the request's own thread"
        limit = f", at most {found['max_body']:,} bytes" if found["body"] != "not read" else ""
        yield "Body", found["body"] + limit
        if found["is_cancelled_by_disconnect"]:
            yield "Cancelled", "when the client is gone"


def _shortened(place: str) -> str:
    return place.removeprefix(os.getcwd() + os.sep)
