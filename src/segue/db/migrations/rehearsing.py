"""Trying migrations on a copy first.

Holds: `rehearse`: up, down, up on a shadow of the database, then the queries of the release before.
Imports: the executor, provisioning of databases.
Never: writes to the database itself, or leaves the shadow behind.

The release before is the state that the database is in now. While a new release is rolled out
it still runs, so every table and column that it selects must still be there.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

from ..database import Database
from ..urls import DatabaseURL
from .editor import Editor
from .executor import Executor
from .files import Migration
from .journal import APPLIED, Journal
from .operations import DropColumn, DropTable, Operation, RetireColumn, RetireTable
from .session import Session
from .state import State
from .transition import tables_of

__all__ = ["rehearse", "split"]

Tell = Callable[[str], None]

_ROWS = 1000


def rehearse(database: Database, folder: Path, *, tell: Tell, rows: int = _ROWS) -> bool:
    """Run what is pending on a copy of the database; tell what happens, return whether all went well.

    Args:
        rows: How many rows of each table are copied; on SQLite the whole file is.
    """
    executor = Executor(database, folder)
    planned = executor.plan()
    if not planned:
        tell("Nothing to do.")
        return True
    applied = set(executor.applied()) & executor.graph.migrations.keys()
    before = executor.graph.state(applied)
    target = _last(executor, applied)
    with _shadow(database, before, rows) as shadow:
        inner = Executor(shadow, folder)
        if not applied:
            with inner.session.opened():
                inner.journal.make()
        for text, aim in (("up", None), ("down", target), ("up", None)):
            if text == "down" and not all(each.migration.reversible for each in planned):
                tell("down: skipped, there is no way back")
                continue
            done = inner.migrate(aim)
            tell(f"{text}: {', '.join(each.migration.name for each in done)}")
        broken = list(_broken_queries(shadow, before))
    for text in broken:
        tell(f"blocked: {text}")
    if broken:
        for each in planned:
            for line in _advice(each.migration):
                tell(line)
    else:
        tell("The queries of the release before run on the new tables.")
    return not broken


def _last(executor: Executor, applied: set[str]) -> str:
    heads = executor.graph.heads(applied)
    return heads[-1] if heads else "zero"


def _broken_queries(database: Database, before: State) -> Iterator[str]:
    """What the release before selects, and the new tables do not have."""
    for key in before:
        for table in tables_of(before, key).values():
            try:
                database.execute(sa.select(table).limit(1))
            except Exception as error:
                yield f"SELECT of {before[key]['name']} ({table.name}): {getattr(error, 'message', error)}"


def _advice(migration: Migration) -> Iterator[str]:
    dropped = [each for each in migration.operations if isinstance(each, DropColumn | DropTable)]
    if not dropped:
        return
    yield f"{migration.name} in two steps (segue makemigrations --split {migration.name}):"
    first, second = split(migration)
    yield f"  1. with this release: {'; '.join(each.describe() for each in first)}"
    yield f"  2. with the next one: {'; '.join(each.describe() for each in second)}"


def split(migration: Migration) -> tuple[list[Operation], list[Operation]]:
    """Return a migration in two: what the release before can live with, and what drops."""
    first: list[Operation] = []
    second: list[Operation] = []
    for each in migration.operations:
        if isinstance(each, DropColumn):
            first.append(RetireColumn(each.model, each.name))
            second.append(each)
        elif isinstance(each, DropTable):
            first.append(RetireTable(each.name))
            second.append(each)
        else:
            first.append(each)
    return first, second


# The shadow


@contextmanager
def _shadow(database: Database, state: State, rows: int) -> Generator[Database]:
    """Give a copy of the database, and drop it afterwards."""
    if database.vendor == "sqlite":
        with TemporaryDirectory(prefix="segue-rehearsal-") as folder:
            shadow = Database(f"sqlite:///{folder}/shadow.db")
            try:
                _copy_file(database, shadow)
                yield shadow
            finally:
                shadow.close()
        return
    from ..drivers.provisioning import create_database, drop_database, maintenance_url

    url: DatabaseURL = replace(database.url, database=f"{database.name}_rehearsal_{secrets.token_hex(3)}"[-63:])
    server = Database(maintenance_url(url))
    shadow = Database(url)
    try:
        create_database(url, server.execute, anew=True)
        _copy_tables(database, shadow, state, rows)
        yield shadow
    finally:
        shadow.close()
        drop_database(url, server.execute)
        server.close()


def _copy_file(database: Database, shadow: Database) -> None:
    source, target = database.pool.take(), shadow.pool.take()
    try:
        source.raw.backup(target.raw)
    finally:
        database.pool.give_back(source)
        shadow.pool.give_back(target)


def _copy_tables(database: Database, shadow: Database, state: State, rows: int) -> None:
    """Make the tables of *state* anew, with some of the rows, and note what was applied."""
    tables = [table for key in state for table in tables_of(state, key).values()]
    editor = Editor(shadow.dialect)
    for table in tables:
        # References come when the rows are there: of those that were not copied, some are missing.
        editor.create_table(table, references=False)
    with Session(database).opened(locks=False) as session:
        is_known = Journal(session).exists()
    with Session(shadow).opened() as session:
        for step in editor.steps:
            session.command(step.sql)
        Journal(session).make()
    for table in tables:
        _copy_rows(database, shadow, table, rows)
    if is_known:
        _copy_rows(database, shadow, APPLIED, None)
    _refer(shadow, editor, tables)


def _copy_rows(database: Database, shadow: Database, table: sa.Table, rows: int | None) -> None:
    columns = [each for each in table.columns if each.computed is None]
    found = database.execute(sa.select(*columns).limit(rows))
    values = [{column.name: each for column, each in zip(columns, row, strict=True)} for row in found]
    if values:
        shadow.execute(sa.insert(table), values)
    counted = table.autoincrement_column
    if counted is not None and shadow.vendor == "postgresql":
        name = shadow.dialect.identifier_preparer.quote(table.name)
        sequence = f"pg_get_serial_sequence('{name}', '{counted.name}')"
        top = sa.select(sa.func.coalesce(sa.func.max(counted), 0) + 1).scalar_subquery()
        shadow.execute(sa.select(sa.func.setval(sa.literal_column(sequence), top, sa.false())))


def _refer(shadow: Database, editor: Editor, tables: list[sa.Table]) -> None:
    keys = [key for table in tables for key in table.foreign_key_constraints]
    is_changed = True
    while is_changed:
        is_changed = False
        for key in keys:
            local, remote = key.elements[0].parent, key.elements[0].column
            target = remote.table.alias()
            missing = local.is_not(None) & ~sa.exists().where(target.c[remote.name] == local)
            if remote.table is local.table:
                continue  # MySQL deletes from no table that it reads
            is_changed |= bool(_touched(shadow, sa.delete(local.table).where(missing)))
    for key in keys:
        if key.elements[0].column.table is not key.elements[0].parent.table:
            shadow.execute(editor.text(sa.schema.AddConstraint(key, isolate_from_table=False)))


def _touched(database: Database, statement: Any) -> int:
    return max(0, database.execute(statement).rowcount)
