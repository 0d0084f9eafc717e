"""`segue test`: pytest, with the app that the command line names."""

from __future__ import annotations

import os
import sys

import click

from ..group import invocation_of
from ..packages import demand

__all__ = ["command"]


@click.command("test", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(ctx: click.Context, *, arguments: tuple[str, ...]) -> None:
    """Run the tests with pytest; ARGUMENTS are pytest's."""
    demand("pytest", extra="test", why="segue test runs the tests with it.")
    import pytest

    invocation = invocation_of(ctx)
    if invocation.target is not None:
        os.environ["SEGUE_APP"] = invocation.target
    if invocation.configs:
        os.environ["SEGUE_CONFIG"] = ",".join(invocation.configs)
    if sys.path[0] != os.getcwd():
        sys.path.insert(0, os.getcwd())
    ctx.exit(int(pytest.main(list(arguments))))
