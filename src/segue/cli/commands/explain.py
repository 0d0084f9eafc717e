"""`segue explain CODE`: the page about an error."""

from __future__ import annotations

import re
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from ...errors import did_you_mean

__all__ = ["command", "page_folders"]

_CODE = re.compile(r"[a-z0-9-]+/[a-z0-9-]+")


def page_folders() -> list[Path]:
    """Return where the pages are: beside the installed package, or in the source tree."""
    package = Path(__file__).resolve().parents[2]
    places = (package / "_errors", package.parents[1] / "docs" / "errors")
    return [each for each in places if each.is_dir()]


def _codes() -> list[str]:
    return sorted(f"{path.parent.name}/{path.stem}" for folder in page_folders() for path in folder.glob("*/*.md"))


def _complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(code) for code in _codes() if code.startswith(incomplete)]


@click.command("explain")
@click.argument("code", required=False, shell_complete=_complete)
def command(*, code: str | None) -> None:
    """Print the page about an error code, or list the codes.

    The code stands in brackets in the error: [routing/unknown-parameter].
    """
    if code is None:
        for each in _codes():
            click.echo(each)
        return
    code = code.strip("[]")
    if _CODE.fullmatch(code):
        for folder in page_folders():
            page = folder / f"{code}.md"
            if page.is_file():
                click.echo_via_pager(page.read_text(encoding="utf-8"))
                return
    raise click.ClickException(f"There is no page about {code!r}. {did_you_mean(code, _codes())}")
