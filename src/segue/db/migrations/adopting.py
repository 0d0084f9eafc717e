"""Going on where Alembic's history ends.

Holds: `adopt`.
Imports: Alembic's scripts, the making of migrations, the journal.
Never: runs an operation of the old history: what it did is in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..database import Database
from .executor import Executor
from .files import MigrationError
from .making import Maker
from .questions import Ignoring

__all__ = ["adopt"]


def adopt(
    database: Database, folder: Path, alembic: Path, models: Iterable[Any], *, tell: Callable[[str], None] | None = None
) -> str:
    """Write a first migration that stands for Alembic's history, and note it as done.

    The database must be at the head of that history, and have the tables of *models*.

    Args:
        folder: Where the migrations go; there must be none.
        alembic: The folder with `versions`, or the one that holds `alembic.ini`.

    Returns:
        What was done, in a line.

    Raises:
        MigrationError: The database is elsewhere in the history, or a table is not as its
            model says (`data/migration-adopt`).
    """
    head = _head_of(alembic)
    maker = Maker(folder)
    if len(maker.graph):
        raise MigrationError(
            "There are migrations already.",
            code="data/migration-adopt",
            where=str(folder),
            hint="A history can only be adopted before the first one.",
        )
    executor = Executor(database, folder, tell=tell)
    with executor.session.opened():
        current = {str(row[0]) for row in executor.session.query("SELECT version_num FROM alembic_version")}
        if current != head:
            raise MigrationError(
                f"The database is at {', '.join(sorted(current)) or 'the beginning'} of Alembic's history, "
                f"which ends at {', '.join(sorted(head))}.",
                code="data/migration-adopt",
                hint="alembic upgrade head",
            )
        operations = maker.changes(models, Ignoring())
        migration = maker.make(
            operations, f"adopted_{'_'.join(sorted(head))}", f"Stands for Alembic's {sorted(head)[0]}."
        )
        missing = executor.missing(migration)
        if missing:
            raise MigrationError(
                f"The tables are not as the models say: {'; '.join(missing[:10])}.",
                code="data/migration-adopt",
                why="The history that is adopted must have made what the models describe.",
                hint="Compare with `segue inspectdb`.",
            )
        maker.write(migration)
        executor.journal.make()
        executor.journal.record(migration.name, migration.checksum)
    return f"{migration.name} stands for {len(operations)} operations; from here on: segue makemigrations."


def _head_of(folder: Path) -> set[str]:
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    place = folder if (folder / "versions").is_dir() else None
    if place is None:
        found = sorted(each.parent for each in folder.glob("*/versions") if each.is_dir())
        place = found[0] if found else None
    if place is None:
        raise MigrationError(
            f"{folder} holds no history of Alembic.",
            code="data/migration-adopt",
            why="There is no folder `versions` in it.",
            hint="segue migrate --adopt alembic/",
        )
    config = Config()
    config.set_main_option("script_location", str(place).replace("%", "%%"))
    try:
        return set(ScriptDirectory.from_config(config).get_heads())
    except CommandError as error:
        raise MigrationError(
            "Alembic's history cannot be read.", code="data/migration-adopt", where=str(place), why=str(error)
        ) from error
