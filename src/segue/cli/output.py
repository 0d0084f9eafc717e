"""What commands print: data to stdout, as a table or as JSON; everything else to stderr."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

__all__ = ["json_option", "note", "print_json", "print_table"]

F = TypeVar("F", bound=Callable[..., Any])


def json_option(function: F) -> F:
    """Give the command `--json`, as its parameter `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def print_json(value: Any) -> None:
    """Print *value* as JSON."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as their widest text."""
    if not rows:
        return
    widths = [max(len(row[index]) for row in (head, *rows)) for index in range(len(head))]
    click.echo(click.style(_line(head, widths), bold=True))
    for row in rows:
        click.echo(_line(row, widths))


def note(text: str) -> None:
    """Print a message for the person, not for the program that reads stdout."""
    click.echo(text, err=True)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
