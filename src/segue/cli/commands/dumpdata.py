"""`segue dumpdata`: rows as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import did_you_mean
from ..group import invocation_of
from ..migrating import database_option, home_of

if TYPE_CHECKING:
    from ..migrating import Home

__all__ = ["chosen_models", "command", "format_of"]


@click.command("dumpdata")
@click.argument("models", nargs=-1)
@click.option("--exclude", metavar="MODEL", multiple=True, help="Not this one; repeatable.")
@click.option("--format", "kind", type=click.Choice(["json", "msgpack"]), help="From the name of the file; else json.")
@click.option("--natural", is_flag=True, help="Name rows by their natural keys, where they have them.")
@click.option("--secrets", is_flag=True, help="With the fields that are secret.")
@click.option("--indent", default=0, metavar="N", help="Spaces of JSON.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The file; else stdout.")
@database_option
@click.pass_context
def command(
    ctx: click.Context,
    *,
    models: tuple[str, ...],
    exclude: tuple[str, ...],
    kind: str | None,
    natural: bool,
    secrets: bool,
    indent: int,
    output: Path | None,
    database: str | None,
) -> None:
    """Write the rows of all models, or of MODELS, into a file.

    `label` stands for all models of a label. Secret fields are left out without --secrets.
    """
    from ...db.datafiles import dump

    app = invocation_of(ctx).app()
    home = home_of(app, database)
    with app.context():
        content = dump(
            home.database,
            chosen_models(home, models, exclude),
            format=format_of(kind, output),
            natural=natural,
            secrets=secrets,
            indent=indent,
        )
    if output is None:
        sys.stdout.buffer.write(content)
        return
    output.write_bytes(content)


def format_of(kind: str | None, path: Path | None) -> Any:
    """Return the format that an option or a file's name says."""
    if kind is not None:
        return kind
    return "msgpack" if path is not None and path.suffix in (".msgpack", ".mp") else "json"


def chosen_models(home: Home, names: tuple[str, ...], exclude: tuple[str, ...] = ()) -> list[Any]:
    """Return the models that *names* mean; all where there is none."""
    known = {model._meta.label_key: model for model in home.models}

    def found(name: str) -> list[Any]:
        low = name.lower()
        several = [model for model in known.values() if low in (model._meta.label_key, model._meta.app_label.lower())]
        if not several:
            raise click.BadParameter(f"There is no model {name!r}. {did_you_mean(low, known)}")
        return several

    left_out = {model for name in exclude for model in found(name)}
    chosen = [model for name in names for model in found(name)] if names else list(known.values())
    return [model for model in dict.fromkeys(chosen) if model not in left_out]
