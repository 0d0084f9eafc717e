"""`segue config`: the configuration, and where each value comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from ...config import Config
from ...errors import did_you_mean
from ...settings import declare_core
from ..group import invocation_of
from ..output import json_option, print_json, print_table

__all__ = ["command"]


def _complete_key(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    try:
        options = invocation_of(ctx).app().config.options
    except Exception:  # a broken project still has the keys of the core
        config = Config()
        declare_core(config)
        options = config.options
    return [
        CompletionItem(name, help=option.doc)
        for name, option in sorted(options.items())
        if name.startswith(incomplete.upper())
    ]


@click.group("config")
def command() -> None:
    """Show the configuration, and where each value comes from."""


@command.command("explain")
@click.argument("key", shell_complete=_complete_key)
@json_option
@click.pass_context
def explain(ctx: click.Context, *, key: str, as_json: bool) -> None:
    """Print the value of KEY, where it comes from, and what it overrode. Secrets are masked."""
    config = invocation_of(ctx).app().config
    key = key.upper()
    explanation = config.explain(key)
    if not explanation.source and key not in config.options:
        raise click.ClickException(f"There is no configuration key {key!r}. {did_you_mean(key, config.options)}")
    if not as_json:
        click.echo(explanation)
        return
    print_json(
        {
            "key": explanation.key,
            "value": explanation.value,
            "type": explanation.type,
            "source": explanation.source,
            "overridden": [{"value": each.value, "source": each.source} for each in explanation.overridden],
            "doc": explanation.doc,
        }
    )


@command.command("show")
@click.option("--changed", is_flag=True, help="Only what is not the default.")
@json_option
@click.pass_context
def show(ctx: click.Context, *, changed: bool, as_json: bool) -> None:
    """List all keys with their values and sources. Secrets are masked."""
    config = invocation_of(ctx).app().config
    rows: list[dict[str, Any]] = []
    for key in sorted({*config, *config.options}):
        explanation = config.explain(key)
        if not changed or explanation.source not in ("", "default"):
            rows.append({"key": key, "value": explanation.value, "source": explanation.source})
    if as_json:
        print_json(rows)
    else:
        print_table(("Key", "Value", "Source"), [(each["key"], each["value"], each["source"]) for each in rows])


@command.command("diff")
@click.argument("first")
@click.argument("second")
@json_option
@click.pass_context
def diff(ctx: click.Context, *, first: str, second: str, as_json: bool) -> None:
    """List the keys that differ between two targets, such as site.dev and site.prod."""
    app = invocation_of(ctx).app()
    one, other = (_with_target(app.config, app.root_path, target) for target in (first, second))
    found = one.diff(other)
    if as_json:
        print_json({key: {first: values[0], second: values[1]} for key, values in found.items()})
    else:
        rows = [(key, repr(values[0]), repr(values[1])) for key, values in found.items()]
        print_table(("Key", first, second), rows)


def _with_target(config: Config, root: Path, target: str) -> Config:
    """The declared keys of *config* with only *target* above the defaults."""
    twin = Config(root, environ={})
    for option in config.options.values():
        twin.declare(
            option.name, option.default, type=option.type, doc=option.doc, secret=option.secret, env=option.env
        )
    twin.push_target(target)
    return twin
