"""Which database a model's rows are in.

Holds: `database_for`.
Imports: `current`, the registry.
Never: connects.
"""

from __future__ import annotations

from typing import Any

from .current import current_database
from .database import Database

__all__ = ["database_for", "owners"]

# The databases of each app that owns a model, by the app's name; the app enters them.
owners: dict[Any, Any] = {}


def database_for(model: Any, using: Any = None, *, writes: bool = False) -> Database:
    """Return the database to ask for rows of *model*.

    What `using=` names, else what a router says, else `Meta.database`, else the current one.

    Raises:
        UsageError: There is none (`data/no-database`).
    """
    if using is not None:
        return current_database(using)
    for router in routers():
        choose = getattr(router, "db_for_write" if writes else "db_for_read", None)
        alias = choose(model) if choose is not None else None
        if alias is not None:
            return current_database(alias)
    return current_database(model._meta.database, lambda: owners.get(model))


def routers() -> Any:
    """Return the routers between databases, as the app lists them."""
    return _routers


_routers: list[Any] = []
