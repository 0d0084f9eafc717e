"""Which database a model's rows are in.

Holds: `database_for`; `allows_table` and `refuse_apart`, which ask the routers of an app too.
Imports: `current`, floor 0.
Never: connects.

A router is any object; it may have the methods `db_for_read` and `db_for_write` (a model and hints; the
name of a database), `allow_relation` (two instances) and `allow_migrate` (the name of a database, a
label and hints), as in Django. `None` means that it does not care; the first that does decides.
"""

from __future__ import annotations

from typing import Any, cast
from weakref import ref

from .current import DEFAULT, Databases, current_database, database_called, databases_here
from .database import Database
from .errors import ModelError

__all__ = ["allows_table", "apart", "database_for", "enter", "is_of_another_app", "refuse_apart"]


def enter(model: Any, databases: Databases) -> None:
    """Remember that an app with these databases owns *model*; the app is not kept alive."""
    owners: list[ref[Databases]] = model._meta.owners
    owners[:] = [each for each in owners if each() is not None and each() is not databases]
    owners.append(ref(databases))


def _owner_of(model: Any) -> Databases | None:
    """Return the databases of the one app that owns *model*; `None` where none or several do."""
    known: list[ref[Databases]] = model._meta.owners
    alive = [found for found in (each() for each in known) if found is not None]
    return alive[0] if len(alive) == 1 else None


def is_of_another_app(model: Any, database: Database) -> bool:
    """Tell whether *database* is an app's, and *model* is none of that app: then it has no table there."""
    options = model._meta
    source = options.auto_created or model
    if not database.siblings or isinstance(source._meta.database, Database):
        return False
    return not any(each() is database.siblings for each in source._meta.owners)


def database_for(model: Any, using: Any = None, *, writes: bool = False, instance: Any = None) -> Database:
    """Return the database to ask for rows of *model*.

    What `using=` names, else what a router says, else where *instance* came from, else
    `Meta.database`, else the current one. A write never goes to a replica.

    Args:
        instance: The row that is saved, or whose relation is asked.

    Raises:
        UsageError: There is none (`data/no-database`).
    """
    home: Any = model._meta.database
    if using is None and isinstance(home, Database):
        using = home  # a model of a migration: of that database alone
    if using is None:
        databases = databases_here((lambda: _owner_of(model)) if model._meta.owners else None)
        alias = _routed(databases, model, writes=writes, instance=instance) if databases.routers else None
        if alias is None:
            # PERF: where that is was just asked.
            found = database_called(cast("str", home or DEFAULT), databases)
            peers = instance._peers if instance is not None else None
            if peers is not None and peers.database is not None and not found.is_same_place(peers.database):
                found = peers.database
        else:
            found = current_database(alias, lambda: _owner_of(model))
    else:
        found = current_database(using, lambda: _owner_of(model))
    return found.primary if writes and found.primary is not None else found


def _routed(databases: Databases, model: Any, *, writes: bool, instance: Any) -> str | None:
    hints = {} if instance is None else {"instance": instance}
    name = "db_for_write" if writes else "db_for_read"
    return _first(databases, name, model, **hints)  # type: ignore[no-any-return]  # of the user's router


def _first(databases: Databases, method: str, *arguments: Any, **hints: Any) -> Any:
    for router in databases.routers:
        ask = getattr(router, method, None)
        said = ask(*arguments, **hints) if ask is not None else None
        if said is not None:
            return said
    return None


def allows_table(databases: Databases, name: str, model: Any) -> bool:
    """Tell whether the database called *name* has the table of *model*.

    Where no router says it: if it is the one that `Meta.database` names, else `default`.
    """
    options = model._meta
    said = _first(databases, "allow_migrate", name, options.app_label, model_name=options.model_name, model=model)
    if said is not None:
        return bool(said)
    return name == (_routed(databases, model, writes=True, instance=None) or options.database or DEFAULT)


def refuse_apart(instance: Any, home: Database | None, other: Any, name: str) -> None:
    """Refuse that *instance*, whose row is or will be in *home*, refers to *other*, a row elsewhere.

    Raises:
        ModelError: They are in two databases, and no router allows it (`data/cross-database`).
    """
    there: Database | None = other._peers.database if other._peers is not None else None
    if home is None or there is None or home is there:
        return
    databases = databases_here(lambda: _owner_of(type(instance)))
    said = _first(databases, "allow_relation", instance, other) if databases.routers else None
    if said if said is not None else home.is_same_place(there):
        return
    raise apart(
        f"{type(instance).__name__}.{name} cannot be a {type(other).__name__} of another database "
        f"({there.url} beside {home.url})."
    )


def apart(text: str, where: str = "") -> ModelError:
    """Return the error for a relation between two databases."""
    return ModelError(
        text,
        code="data/cross-database",
        where=where,
        why="A database cannot join rows of another, nor watch over a reference to them.",
        hint="Keep both models in one database, or keep the other's key in a plain field.",
    )
