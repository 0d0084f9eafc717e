"""What `migrate --plan` shows.

Holds: `describe_plan`: operations, who must wait for them, what is written anew, rows, risks.
Imports: the executor's steps, the linter.
Never: runs a migration; it asks for numbers of rows alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from .executor import Executor, Planned, steps_of
from .linting import lint
from .operations import Operation
from .state import State

__all__ = ["describe_plan", "rows_in"]


def describe_plan(executor: Executor, planned: Sequence[Planned]) -> Iterator[str]:
    """Yield the lines of `migrate --plan`: operations, their locks and rewrites, rows, risks."""
    with executor.session.opened(locks=False):
        applied = set(executor.look()) & executor.graph.migrations.keys()
        for each in planned:
            yield str(each)
            others = applied - {each.migration.name} if each.backwards else applied
            before = executor.graph.state(others)
            risks = [] if each.backwards else lint(each.migration, before, executor.session.vendor)
            states = each.migration.states(before)
            for operation, steps in steps_of(
                each.migration, before, executor.database.dialect, backwards=each.backwards
            ):
                yield f"  {operation.describe()}"
                yield f"    {', '.join(_effects(executor, operation, steps, states))}"
                for owner, risk in risks:
                    if owner is operation:
                        yield f"    ! {risk}"
            applied = others if each.backwards else applied | {each.migration.name}


def _effects(executor: Executor, operation: Operation, steps: Sequence[Any], states: Sequence[State]) -> Iterator[str]:
    locks = [lock for lock in _LOCKS if any(_lock_of(step.sql, executor.session.vendor) == lock for step in steps)]
    yield f"lock: {locks[0] if locks else 'none'}"
    rewrites = any("_segue_new_" in step.sql and step.sql.startswith("INSERT") for step in steps)
    rewrites |= any(re.search(r" ALTER COLUMN .* TYPE | MODIFY ", step.sql) for step in steps)
    yield f"rewrite: {'yes' if rewrites else 'no'}"
    for key in operation.touched():
        tables = [state[key]["table"] for state in states if key in state]
        rows = next((found for table in tables if (found := rows_in(executor, table)) is not None), None)
        if rows is not None:
            yield f"{tables[0]}: about {rows:,} rows"
            return


_LOCKS = ("all others", "writers", "other changes of the table", "rows it changes")


def _lock_of(sql: str, vendor: str) -> str:
    """Who must wait while a statement runs."""
    head = sql.upper()
    if head.startswith(("UPDATE ", "INSERT ", "DELETE ")):
        return _LOCKS[1] if vendor == "sqlite" else _LOCKS[3]
    if not head.startswith(("ALTER ", "CREATE ", "DROP ")) or head.startswith("CREATE TABLE"):
        return ""
    if vendor == "sqlite":
        return _LOCKS[1]
    if "CONCURRENTLY" in head or "VALIDATE CONSTRAINT" in head:
        return _LOCKS[2]
    if head.startswith(("CREATE INDEX", "CREATE UNIQUE INDEX")) or (
        "FOREIGN KEY" in head and head.endswith("NOT VALID")
    ):
        return _LOCKS[1]
    return _LOCKS[0]


def rows_in(executor: Executor, table: str) -> int | None:
    """Return about how many rows a table has; `None` where it is not there."""
    session = executor.session
    if session.vendor == "sqlite":
        if not session.query(f"SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '{table}'"):
            return None
        quoted = session.driver.dialect.identifier_preparer.quote(table)
        return int(session.query(f"SELECT count(*) FROM {quoted}")[0][0])
    if session.vendor == "postgresql":
        rows = session.query(
            f"SELECT reltuples::bigint, pg_relation_size(oid) FROM pg_class WHERE oid = to_regclass('\"{table}\"')"
        )
        if not rows:
            return None
        estimate, size = rows[0]
        if estimate >= 0 and (estimate or not size):
            return int(estimate)
        return int(session.query(f'SELECT count(*) FROM "{table}"')[0][0])
    rows = session.query(
        f"SELECT table_rows FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = '{table}'"
    )
    return int(rows[0][0] or 0) if rows else None
