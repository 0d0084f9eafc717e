"""Which driver an address needs.

Holds: `driver_of`.
Imports: the drivers, each when it is needed: who uses SQLite never loads another.
Never: opens a connection.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..urls import DatabaseURL
from .contract import Driver

__all__ = ["driver_of"]


def driver_of(url: DatabaseURL, on_connect: list[Callable[[Any], None]]) -> Driver:
    """Return the driver of the database at *url*.

    Raises:
        SetupError: `data/no-driver`: its package is not installed.
    """
    if url.vendor == "sqlite":
        from .sqlite import SQLite

        return SQLite(url, on_connect)
    if url.vendor == "postgresql":
        from .postgresql import PostgreSQL

        return PostgreSQL(url, on_connect)
    from .mysql import MySQL

    return MySQL(url, on_connect)
