"""Making and dropping whole databases, for tests and rehearsals.

Holds: `create_database`, `drop_database`.
Imports: addresses of databases.
Never: drops what it was not told by name.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..results import Result
    from ..urls import DatabaseURL

__all__ = ["create_database", "drop_database", "maintenance_url"]

_QUOTES = {"postgresql": '"', "mysql": "`"}


def maintenance_url(url: DatabaseURL) -> DatabaseURL:
    """Return the address of a database that is always there, on the same server."""
    return dataclasses.replace(url, database="postgres" if url.vendor == "postgresql" else "mysql")


def create_database(url: DatabaseURL, execute: Callable[[str], Result], *, anew: bool = True) -> bool:
    """Make the database that *url* names; return whether it is a new one.

    Args:
        execute: Runs a statement on `maintenance_url(url)`; SQLite needs none.
        anew: Whether one that is there is dropped first.
    """
    if url.vendor == "sqlite":
        if anew:
            drop_database(url, execute)
        return url.is_memory or not Path(url.database).exists()
    if anew:
        drop_database(url, execute)
    elif execute(_exists(url)).first() is not None:
        return False
    execute(f"CREATE DATABASE {_name(url)}")
    return True


def drop_database(url: DatabaseURL, execute: Callable[[str], Result]) -> None:
    """Drop the database that *url* names, where it is there."""
    if url.vendor == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            if not url.is_memory:
                Path(url.database + suffix).unlink(missing_ok=True)
        return
    force = " WITH (FORCE)" if url.vendor == "postgresql" else ""
    execute(f"DROP DATABASE IF EXISTS {_name(url)}{force}")


def _name(url: DatabaseURL) -> str:
    quote = _QUOTES[url.vendor]
    return quote + url.database.replace(quote, quote * 2) + quote


def _exists(url: DatabaseURL) -> str:
    text = "'" + url.database.replace("'", "''") + "'"
    if url.vendor == "postgresql":
        return f"SELECT 1 FROM pg_database WHERE datname = {text}"
    return f"SELECT 1 FROM information_schema.schemata WHERE schema_name = {text}"
