"""Which database a model's rows are in.

Holds: `database_for`.
Imports: `current`, the registry.
Never: connects.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, ref

from .current import Databases, current_database
from .database import Database

__all__ = ["database_for", "enter"]

_owners: WeakKeyDictionary[Any, list[ref[Databases]]] = WeakKeyDictionary()


def enter(model: Any, databases: Databases) -> None:
    """Remember that an app with these databases owns *model*; the app is not kept alive."""
    known = [each for each in _owners.get(model, ()) if each() is not None and each() is not databases]
    _owners[model] = [*known, ref(databases)]


def _owner_of(model: Any) -> Databases | None:
    """Return the databases of the one app that owns *model*; `None` where none or several do."""
    alive = [found for found in (each() for each in _owners.get(model, ())) if found is not None]
    return alive[0] if len(alive) == 1 else None


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
    return current_database(model._meta.database, lambda: _owner_of(model))


def routers() -> Any:
    """Return the routers between databases, as the app lists them."""
    return _routers


_routers: list[Any] = []
