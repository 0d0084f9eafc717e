"""Which database a call without a database means.

Holds: `connect`, `current_database`, `Databases`, the key under which an app keeps its own; and
`atomic`, `on_commit`, `execute` on the current one.
Imports: floor 0, the database of this package.
Never: names an app: a context is asked for what it provides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, overload
from weakref import ref

from ..context import Key, find_current
from ..errors import UsageError, did_you_mean
from ..signals import Signals
from .atomic import Atomic
from .database import Database
from .places import place_of_caller
from .results import Result
from .statements import Parameters
from .urls import DatabaseURL

__all__ = [
    "DATABASES",
    "Databases",
    "aexecute",
    "atomic",
    "connect",
    "current_database",
    "database_called",
    "databases_here",
    "disconnect",
    "enter_app",
    "execute",
    "on_commit",
    "route",
    "set_rollback",
]

F = TypeVar("F", bound=Callable[..., Any])

DEFAULT = "default"
DATABASES: Key[Databases] = Key("databases")
"""Where an app keeps its databases, by their names."""


class Databases(Mapping[str, Database]):
    """Several databases by their names; `default` is the one that is meant where none is named.

    Args:
        databases: The databases.
        routers: Who says in which of them a model's rows are; see `choice`.
    """

    def __init__(self, databases: Mapping[str, Database], *, routers: Iterable[Any] = ()) -> None:
        self._databases: dict[str, Database] = dict(databases)
        self.routers: list[Any] = list(routers)

    def __getitem__(self, name: str) -> Database:
        try:
            return self._databases[name]
        except KeyError:
            raise _unknown(name, self._databases) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._databases)

    def __len__(self) -> int:
        return len(self._databases)

    def __contains__(self, name: object) -> bool:
        return name in self._databases

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(self._databases) or 'none'}>"

    def hear(self, signals: Signals) -> None:
        """Send what happens to models to *signals*."""
        for database in self._databases.values():
            database.signals = signals

    def find(self, name: str) -> Database | None:
        """Return the database called *name*, or `None`."""
        return self._databases.get(name)

    def put(self, name: str, database: Database | None) -> Database | None:
        """Let *name* mean another database, or none; return what it meant before."""
        before = self._databases.pop(name, None)
        if database is not None:
            self._databases[name] = database
        return before

    def close(self) -> None:
        """Close all of them."""
        for database in self._databases.values():
            database.close()

    async def aclose(self) -> None:
        """Close all of them, with a good-bye to their servers."""
        for database in self._databases.values():
            await database.aclose()


_connected = Databases({})


def connect(url: str | DatabaseURL, *, name: str = DEFAULT, root: str | Path | None = None, **options: Any) -> Database:
    """Make a database current for this process: for scripts, tools and tests without an app.

    Nothing is opened yet. A database that had this name before is closed.

    Args:
        name: What `using=` calls it; `default` is the one that is meant where none is named.
        options: What `Database` takes.

    >>> database = connect("sqlite://:memory:")
    >>> execute("SELECT 1 + 1").scalar()
    2
    """
    database = Database(url, root=root, **options)
    before = _connected.put(name, database)
    if before is not None:
        before.close()
    return database


def route(*routers: Any) -> None:
    """Say who chooses between the databases that `connect` has made current; nobody, where none is given."""
    _connected.routers[:] = routers


def disconnect(name: str = DEFAULT) -> None:
    """Close what `connect` has made current, and forget it."""
    database = _connected.put(name, None)
    if database is not None:
        database.close()


def current_database(
    using: str | Database | None = None, owner: Callable[[], Databases | None] | None = None
) -> Database:
    """Return the database that is meant here.

    The running app's (in a request, a command, a task, a block of `app.context()`), else
    that of *owner*, else what `connect` made current.

    Args:
        using: The name of one of them, or a database, which is returned as it is.
        owner: Asked outside any app for the databases of the app that owns a model, if one does.

    Raises:
        UsageError: `data/no-database`, with the line to write.
    """
    if isinstance(using, Database):
        return using
    return database_called(using or DEFAULT, databases_here(owner))


def database_called(name: str, databases: Databases) -> Database:
    """Return one of *databases* by its name.

    Raises:
        UsageError: `data/no-database` or `data/unknown-database`.
    """
    found = databases.find(name)
    if found is None:
        raise _none() if not databases else _unknown(name, databases)
    return found


def databases_here(owner: Callable[[], Databases | None] | None = None) -> Databases:
    """Return the databases that names mean here; see `current_database`."""
    context = find_current()
    if context is not None:
        try:
            return context.get(DATABASES)
        except UsageError:
            pass  # an app without a database
    owned = owner() if owner is not None else None
    if owned is not None:
        return owned
    return _connected if _connected else _only_app() or _connected


# The databases of apps, for code that runs outside any: `with db.atomic():` in a script of the one app.
_of_apps: list[ref[Databases]] = []


def enter_app(databases: Databases) -> None:
    """Remember the databases of an app; they are not kept alive."""
    _of_apps[:] = [each for each in _of_apps if each() is not None and each() is not databases]
    _of_apps.append(ref(databases))


def _only_app() -> Databases | None:
    alive = [found for found in (each() for each in _of_apps) if found is not None]
    return alive[0] if len(alive) == 1 else None


def _none() -> UsageError:
    return UsageError(
        "There is no database here.",
        code="data/no-database",
        where=place_of_caller(),
        why="The database is that of the running app; here none runs, or it has none.",
        hint='In an app: App(__name__, database="sqlite:///club.db").\n'
        'In a script: db.connect("sqlite:///club.db") before the first query.',
    )


def _unknown(name: str, databases: Mapping[str, Database]) -> UsageError:
    return UsageError(
        f"There is no database {name!r}.",
        code="data/unknown-database",
        where=place_of_caller(),
        hint=did_you_mean(name, databases),
    )


@overload
def atomic(function: F, /) -> F: ...
@overload
def atomic(
    *,
    savepoint: bool = ...,
    durable: bool = ...,
    read_only: bool = ...,
    isolation: str | None = ...,
    retry: int = ...,
    using: str | Database | None = ...,
) -> Atomic: ...
def atomic(
    function: Any = None,
    /,
    *,
    savepoint: bool = True,
    durable: bool = False,
    read_only: bool = False,
    isolation: str | None = None,
    retry: int = 0,
    using: str | Database | None = None,
) -> Any:
    """Begin a block in which all is saved, or nothing: `with`, `async with`, or a decorator.

    Args:
        savepoint: Whether an inner block that fails takes back what was done in it alone;
            else the outer one is broken as well.
        durable: Refuse to be an inner block: at its end everything is in the database.
        read_only: See one snapshot, and refuse statements that write.
        isolation: `read committed`, `repeatable read` or `serializable`.
        retry: How often a decorated function is tried again where two transactions met.
        using: The name of a database; `None` is the default.
    """
    block = Atomic(
        lambda: current_database(using),
        savepoint=savepoint,
        durable=durable,
        read_only=read_only,
        isolation=isolation,
        retry=retry,
    )
    return block if function is None else block(function)


def on_commit(function: Callable[[], Any], *, robust: bool = False, using: str | Database | None = None) -> None:
    """Call *function* once the outermost block of the current database is committed."""
    current_database(using).on_commit(function, robust=robust)


def set_rollback(rollback: bool, using: str | Database | None = None) -> None:  # noqa: FBT001  # Django's
    """Say whether the innermost block is rolled back at its end, though nothing failed."""
    current_database(using).set_rollback(rollback)


def execute(statement: Any, parameters: Parameters | None = None, *, using: str | Database | None = None) -> Result:
    """Run a statement of SQLAlchemy Core, or a text with `:name` for each value, on the current database."""
    return current_database(using).execute(statement, parameters)


async def aexecute(
    statement: Any, parameters: Parameters | None = None, *, using: str | Database | None = None
) -> Result:
    """Run a statement on the current database; see `execute`."""
    return await current_database(using).aexecute(statement, parameters)
