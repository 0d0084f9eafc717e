"""Search fields in a database that is inspected.

Holds: `read_searches`, the search fields of a table; `hidden_tables`, what SQLite keeps them in.
Imports: SQLAlchemy's inspector, the statements of search indexes.
Never: takes a text index for one that was not made by a `SearchField`.
"""

# Rows and what the inspector tells are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..naming import short_name

__all__ = ["FoundSearch", "hidden_tables", "read_searches"]

_PARTS = {
    "postgresql": re.compile(
        r'"left"\(COALESCE\(\(?(?P<name>"(?:[^"]|"")+"|\w+)\)?(?:::text)?, \'\'::text\)'
        r'.*?\'(?P<letter>[A-D])\'::"char"',
        re.DOTALL,
    ),
    "mysql": re.compile(r"coalesce\((?P<name>`(?:[^`]|``)+`),.*?' zz(?P<letter>[a-d])", re.DOTALL | re.IGNORECASE),
}
_SHADOWS = ("data", "idx", "docsize", "config", "content")


@dataclass(frozen=True, slots=True)
class FoundSearch:
    """A search field as a database keeps it.

    Attributes:
        column: What a model calls it.
        index: The name of its index; empty where it follows from the table.
        columns: Those that are searched.
        levels: Their weights, as steps from 1; on SQLite all are 1, for it keeps none.
    """

    column: str
    index: str
    columns: tuple[str, ...]
    levels: tuple[int, ...]


def hidden_tables(inspector: Any) -> set[str]:
    """Return the virtual tables of SQLite, and those in which they keep what they know."""
    if inspector.dialect.name != "sqlite":
        return set()
    rows = inspector.bind.exec_driver_sql("SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE %'")
    virtual = {row[0] for row in rows}
    return virtual | {f"{name}_{part}" for name in virtual for part in _SHADOWS}


def read_searches(inspector: Any, table: str, columns: list[Any]) -> list[FoundSearch]:
    """Return the search fields of a table."""
    if inspector.dialect.name == "sqlite":
        return _of_sqlite(inspector, table)
    vendor = "postgresql" if inspector.dialect.name == "postgresql" else "mysql"
    found: list[FoundSearch] = []
    for column in columns:
        text = (column.get("computed") or {}).get("sqltext", "")
        if "to_tsvector('simple'" not in text and "' zz" not in text:
            continue
        parts = [(_plain(each["name"]), each["letter"].lower()) for each in _PARTS[vendor].finditer(text)]
        index = next((each for each in inspector.get_indexes(table) if each["column_names"] == [column["name"]]), None)
        if parts and index is not None:
            letters = sorted({letter for _, letter in parts}, reverse=True)
            levels = tuple(letters.index(letter) + 1 for _, letter in parts)
            name = "" if index["name"] == short_name("ix", table, column["name"]) else index["name"]
            found.append(FoundSearch(column["name"], name, tuple(each for each, _ in parts), levels))
    return found


def _of_sqlite(inspector: Any, table: str) -> list[FoundSearch]:
    content = table.replace("'", "''")
    rows = inspector.bind.exec_driver_sql(
        "SELECT name, sql FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE %' ORDER BY name"
    )
    found: list[FoundSearch] = []
    for name, sql in rows.fetchall():
        if "USING fts5(" not in sql or f"content='{content}'" not in sql:
            continue
        quoted = inspector.dialect.identifier_preparer.quote(name)
        names = tuple(row[1] for row in inspector.bind.exec_driver_sql(f"PRAGMA table_info({quoted})"))
        column = name.removeprefix(f"ix_{table}_")
        follows = column != name and column.isidentifier()
        found.append(FoundSearch(column if follows else "search", "" if follows else name, names, (1,) * len(names)))
    return found


def _plain(name: str) -> str:
    mark = name[0]
    return name[1:-1].replace(mark * 2, mark) if mark in '"`' else name
