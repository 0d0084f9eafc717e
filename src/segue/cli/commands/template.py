"""`segue template new NAME`: a template where the app looks for it."""

from __future__ import annotations

from pathlib import PurePosixPath

import click

from ...errors import UsageError
from ..group import invocation_of
from ..output import note

__all__ = ["command"]

_PAGE = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>{title}</title>
  </head>
  <body>
    <h1>{title}</h1>
  </body>
</html>
"""
_CHILD = """{{% extends "base.html" %}}
{{% block title %}}{title}{{% endblock %}}
{{% block content %}}
<h1>{title}</h1>
{{% endblock %}}
"""


@click.group("template")
def command() -> None:
    """Make templates."""


@command.command("new")
@click.argument("name")
@click.pass_context
def new(ctx: click.Context, /, *, name: str) -> None:
    """Write the template NAME into the app's folder; never over one that exists.

    Where the app has a base.html, the new page extends it.
    """
    app = invocation_of(ctx).app()
    path = PurePosixPath(name)
    if path.is_absolute() or any(part.startswith(".") for part in path.parts) or not path.suffix or "\\" in name:
        raise UsageError(
            f"{name!r} is no name of a template.",
            code="cli/bad-template-name",
            hint="Write it as render_template does, for example records/detail.html.",
        )
    folder = app.template_folders()[0]
    file = folder / path
    if file.exists():
        raise UsageError(f"The template {file} is there already.", code="cli/template-exists", hint=f"Edit {file}.")
    text = _CHILD if (folder / "base.html").is_file() and path.suffix == ".html" else _PAGE
    if path.suffix != ".html":
        text = ""
    title = path.stem.replace("_", " ").replace("-", " ").capitalize()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.format(title=title), encoding="utf-8")
    note(f"Wrote {file}.")
