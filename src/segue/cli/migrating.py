"""What the commands about migrations share: whose databases, folders and models they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ..errors import SetupError, did_you_mean

if TYPE_CHECKING:
    from ..app import App
    from ..db.database import Database

__all__ = ["Home", "database_option", "home_of", "homes_of"]

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class Home:
    """A database of an app, with the folder of its migrations.

    Attributes:
        name: What the app calls it; `default` is the one that is meant where none is named.
    """

    app: App
    name: str
    folder: Path

    @property
    def database(self) -> Database:
        """The database; nothing is opened yet."""
        return self.app.own_databases()[self.name]

    @property
    def models(self) -> list[Any]:
        """The models whose tables are in it."""
        return list(self.database.models())


def homes_of(app: App) -> list[Home]:
    """Return the databases of *app*, the default one first.

    Raises:
        SetupError: It has none (`data/no-database`).
    """
    if app.config["DATABASE"] is None:
        raise SetupError(
            f"{app!r} has no database.",
            code="data/no-database",
            where=app.place,
            hint='App(__name__, database="sqlite:///club.db")',
        )
    root = app.root_path / "migrations"
    # A replica has what its primary has.
    own = [name for name, database in app.own_databases().items() if database.primary is None]
    order = sorted(own, key=lambda name: (name != "default", name))
    return [Home(app, name, root if name == "default" else root / name) for name in order]


def home_of(app: App, name: str | None) -> Home:
    """Return one database of *app*; the default one where *name* is `None`.

    Raises:
        SetupError: It has none of that name.
    """
    homes = homes_of(app)
    found = next((each for each in homes if each.name == (name or "default")), None)
    if found is None:
        names = [each.name for each in homes]
        raise SetupError(
            f"The app has no database {name!r}.", code="data/unknown-database", hint=did_you_mean(name or "", names)
        )
    return found


def database_option(function: F) -> F:
    """Give the command `--database`, as its parameter `database`."""
    return click.option("--database", metavar="NAME", help="Which of the app's databases; the default one.")(function)
