"""What a database knows of its migrations.

Holds: `Journal`: which were applied, and how far one is that was interrupted.
Imports: the session, SQLAlchemy's statements.
Never: decides what comes next.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from ..types import Moment
from .session import Session

__all__ = ["APPLIED", "Journal", "Progress"]

_tables = sa.MetaData()
_SETTINGS: dict[str, Any] = {"mysql_charset": "utf8mb4", "mariadb_charset": "utf8mb4", "mysql_engine": "InnoDB"}

APPLIED = sa.Table(
    "segue_migrations",
    _tables,
    sa.Column("name", sa.String(190), primary_key=True),
    sa.Column("applied_at", Moment(), nullable=False),
    sa.Column("checksum", sa.String(64), nullable=False),
    **_SETTINGS,
)
_PROGRESS = sa.Table(
    "segue_migration_progress",
    _tables,
    sa.Column("name", sa.String(190), primary_key=True),
    sa.Column("direction", sa.String(16), nullable=False),
    sa.Column("checksum", sa.String(64), nullable=False),
    sa.Column("step", sa.Integer(), nullable=False),
    sa.Column("note", sa.Text(), nullable=False),
    **_SETTINGS,
)


@dataclass(frozen=True)
class Progress:
    """How far an interrupted migration is.

    Attributes:
        step: The first step that is not known to be done.
        note: What that step noted of its own progress.
    """

    name: str
    direction: str
    checksum: str
    step: int
    note: Any = None


class Journal:
    """The tables `segue_migrations` and `segue_migration_progress` of one database."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._database = session.database

    def exists(self) -> bool:
        """Tell whether anything was ever migrated."""
        return self._has(APPLIED.name)

    def _has(self, table: str) -> bool:
        vendor = self._session.vendor
        if vendor == "sqlite":
            sql = f"SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '{table}'"
        elif vendor == "postgresql":
            sql = f"SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass('{table}')"
        else:
            sql = f"SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{table}'"
        return bool(self._session.query(sql))

    def make(self) -> None:
        """Make the tables where they are missing."""
        for table in (APPLIED, _PROGRESS):
            if not self._has(table.name):
                text = str(CreateTable(table, if_not_exists=True).compile(dialect=self._database.dialect))
                self._in_transaction(lambda text=text: self._session.command(text))  # type: ignore[misc]  # its argument is bound here

    def _in_transaction(self, function: Callable[[], Any]) -> Any:
        if self._session.in_transaction:
            return function()
        with self._session.transaction():
            return function()

    # What was applied

    def applied(self) -> dict[str, str]:
        """Return the checksums of what was applied, by name."""
        if not self.exists():
            return {}
        rows = self._session.query("SELECT name, checksum FROM segue_migrations ORDER BY name")
        return dict(rows)

    def record(self, name: str, checksum: str) -> None:
        """Note that a migration was applied."""
        values = {"name": name, "applied_at": datetime.now(UTC), "checksum": checksum}
        self._in_transaction(lambda: self._database.execute(sa.insert(APPLIED).values(values)))

    def forget(self, name: str) -> None:
        """Note that a migration was taken back."""
        self._in_transaction(lambda: self._database.execute(sa.delete(APPLIED).where(APPLIED.c.name == name)))

    # How far one is

    def progress(self) -> Progress | None:
        """Return how far the migration is that was interrupted; `None` where none was."""
        if not self._has(_PROGRESS.name):
            return None
        rows = self._session.query("SELECT name, direction, checksum, step, note FROM segue_migration_progress")
        if not rows:
            return None
        name, direction, checksum, step, note = rows[0]
        return Progress(name, direction, checksum, step, json.loads(note))

    def begin(self, progress: Progress) -> None:
        """Note that a migration begins."""
        values = {
            "name": progress.name, "direction": progress.direction, "checksum": progress.checksum,
            "step": progress.step, "note": "null",
        }  # fmt: skip
        self._in_transaction(lambda: self._database.execute(sa.insert(_PROGRESS).values(values)))

    def advance(self, name: str, step: int, note: Any = None) -> None:
        """Note that the steps before *step* are done."""
        change = (
            sa.update(_PROGRESS).where(_PROGRESS.c.name == name).values(step=step, note=json.dumps(note, default=str))
        )
        self._in_transaction(lambda: self._database.execute(change))

    def end(self, name: str) -> None:
        """Note that a migration is under way no more."""
        self._in_transaction(lambda: self._database.execute(sa.delete(_PROGRESS).where(_PROGRESS.c.name == name)))
