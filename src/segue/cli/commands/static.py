"""`segue static`: build the static files for production, and find where one comes from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import SetupError, UsageError, did_you_mean
from ..group import invocation_of
from ..output import json_option, note, print_json

if TYPE_CHECKING:
    from ...app import App

__all__ = ["command"]


@click.group("static")
def command() -> None:
    """Build static files, and find them."""


@command.command("build")
@click.option(
    "--to", "target", type=click.Path(path_type=Path), metavar="FOLDER", help="Where to; STATIC_ROOT by default."
)
@click.option(
    "--allow-missing",
    multiple=True,
    metavar="PATTERN",
    help="Names of files that may refer to what is not there, such as 'vendor/*'; repeatable.",
)
@json_option
@click.pass_context
def build_command(ctx: click.Context, /, *, target: Path | None, allow_missing: Sequence[str], as_json: bool) -> None:
    """Gather all static files, hash and compress them, and write their manifest.

    The app serves what the manifest names from then on, outside development.
    """
    from ...parts import static_folders
    from ...web.building import build, gather

    app = invocation_of(ctx).app()
    folder = target if target is not None else app.root_path / app.config["STATIC_ROOT"]
    folders = static_folders(app.parts)
    _demand_apart(folder, [path for _, path in folders])
    built = build(gather(folders), folder, base=app.config["STATIC_URL"], allow_missing=allow_missing)
    if as_json:
        print_json({"folder": str(folder), "files": {file.name: file.hashed_name for file in built.files}})
        return
    many = f"{len(built.files)} static files" if len(built.files) != 1 else "1 static file"
    note(f"{many} in {folder}: {built.written} written, {built.removed} old ones removed.")


def _demand_apart(folder: Path, sources: Sequence[Path]) -> None:
    """Refuse to build into a folder that is built from.

    Raises:
        SetupError: It is (`web/bad-static-root`).
    """
    for source in sources:
        if folder.resolve().is_relative_to(source.resolve()):
            raise SetupError(
                f"Static files cannot be built into {folder}.",
                code="web/bad-static-root",
                where=str(source),
                why="It is a folder of sources, so the next build would take what this one wrote.",
                hint="Set STATIC_ROOT, or give --to, a folder outside of it, such as build/static.",
            )


@command.command("find")
@click.argument("name")
@json_option
@click.pass_context
def find_command(ctx: click.Context, /, *, name: str, as_json: bool) -> None:
    """Print the paths of the static file NAME, the one that is served first."""
    app = invocation_of(ctx).app()
    found = [str(path) for path in _paths_of(app, name)]
    if not found:
        raise _unknown(app, name)
    if as_json:
        print_json(found)
        return
    for path in found:
        click.echo(path)


def _paths_of(app: App, name: str) -> list[Path]:
    from ...http.files import safe_join
    from ...parts import static_folders

    folders = static_folders(app.parts)
    places: list[tuple[Path, str]] = [
        (folder, name.removeprefix(prefix)) for prefix, folder in folders if prefix and name.startswith(prefix)
    ]
    places += [(folder, name) for _, folder in folders]
    paths = [safe_join(folder, each) for folder, each in places]
    return list(dict.fromkeys(path for path in paths if path is not None and path.is_file()))


def _unknown(app: App, name: str) -> UsageError:
    from ...parts import static_folders
    from ...web.building import gather

    folders: list[tuple[str, Any]] = static_folders(app.parts)
    return UsageError(
        f"There is no static file {name!r}.",
        code="web/no-static-file",
        why=f"Looked in: {', '.join(str(folder) for _, folder in folders) or 'no folder; the app has none'}.",
        hint=did_you_mean(name, gather(folders)),
    )
