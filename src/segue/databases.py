"""The databases of an app, and which models are its own.

Holds: the databases that `DATABASE` names, made at start-up; owned models; first tables;
what handlers may return of the data layer; transactions and budgets of routes.
Imports: the data layer, blueprints.
Never: is loaded by an app without a database.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import inspect
import logging
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ref

from .blueprint import Scaffold
from .db.budgets import QueryBudget
from .db.choice import allows_table, enter
from .db.current import DATABASES, Databases, atomic, enter_app
from .db.database import Database, running_on_loop
from .db.errors import QueryBudgetError
from .db.models.base import Model
from .db.models.checks import check_models
from .db.models.making import check_declared
from .db.observing import watching
from .db.policies import STRICT_POLICIES, has_policy
from .db.queryset import QuerySet
from .db.registry import registry_of_package
from .discovering import package_of
from .errors import SetupError, UsageError, did_you_mean, place_of
from .handling.results import Waiting
from .http.response import show_in_json
from .targets import load_target

if TYPE_CHECKING:
    from .app import App

__all__ = [
    "DATABASES",
    "STRICT_POLICIES",
    "app_databases",
    "create_first_tables",
    "demand_sound_models",
    "enter_owner",
    "owned_models",
    "teach_answers",
    "wrap_view",
]

_logger = logging.getLogger("segue.db")
_MOST_ROWS = 1000
_DATABASE_OPTIONS = ("url", "pool_size", "pool_timeout", "replica_of", "replica_window", "fetch_mode")


def app_databases(app: App) -> Databases:
    """Make the databases of *app*: what its key `DATABASE` names.

    It is an address, or addresses (or mappings with `url`) by name. A pool holds `THREADS`
    connections and ten more; the path of a SQLite file is relative to the app.

    Raises:
        SetupError: An address is wrong, or none is called `default`.
    """
    configured: Any = app.config["DATABASE"]
    place = app.place
    given = configured if isinstance(configured, Mapping) else {"default": configured}
    if "default" not in given:
        raise SetupError(
            f"DATABASE names {', '.join(map(repr, given))}, and none of them `default`.",
            code="data/database-option",
            where=place,
            hint='DATABASE = {"default": "sqlite:///club.db", "archive": "sqlite:///archive.db"}',
        )
    made: dict[str, Database] = {}
    replicas: dict[str, str] = {}
    for name, each in given.items():
        options = dict(each) if isinstance(each, Mapping) else {"url": each}
        unknown = [key for key in options if key not in _DATABASE_OPTIONS]
        if unknown or "url" not in options:
            wrong = unknown[0] if unknown else "url"
            raise SetupError(
                f"DATABASE[{name!r}] has " + ("an unknown option " if unknown else "no ") + repr(wrong) + ".",
                code="data/database-option",
                where=place,
                hint=did_you_mean(wrong, _DATABASE_OPTIONS),
            )
        options.setdefault("pool_size", app.config["THREADS"] + 10)
        options.setdefault("fetch_mode", app.config["FETCH_MODE"])
        if options.get("replica_of") is not None:
            replicas[name] = options["replica_of"]
        options.pop("replica_of", None)
        made[name] = Database(options.pop("url"), root=app.root_path, **options)
    databases = Databases(made, routers=_routers(app))
    for name, primary in replicas.items():
        databases[primary].add_replica(made[name])
    for name, database in made.items():
        database.siblings = databases
        database.models = _ModelsOf(app, name)
    return databases


def _routers(app: App) -> list[Any]:
    """Return the routers of an app: what stands in `DATABASE_ROUTERS`, classes made into objects."""
    found: list[Any] = []
    for given in app.config["DATABASE_ROUTERS"]:
        router = load_target(given, root=app.root_path) if isinstance(given, str) else given
        found.append(router() if isinstance(router, type) else router)
    return found


class _ModelsOf:
    """The models of an app that live in one of its databases; asked when tables are made."""

    def __init__(self, app: App, name: str) -> None:
        self._app = ref(app)
        self._name = name

    def __call__(self) -> list[Any]:
        app = self._app()
        if app is None:
            return []
        databases = app.own_databases()
        return [model for model in app.owned_models() if allows_table(databases, self._name, model)]


# Whose models


def owned_models(scaffolds: Sequence[Scaffold], further: Iterable[Any] = ()) -> list[Any]:
    """Return the models of an app: of its own package, of its blueprints', and of `App(models=…)`.

    `<package>.models` of each is imported first, where there is one. An app that discovers has
    imported all modules of its package.

    Raises:
        SetupError: Two of them have one label and name, or one declares a relation that nothing makes.
    """
    found: dict[Any, None] = dict.fromkeys(further)
    for scaffold in scaffolds:
        for home in _homes(scaffold):
            for model in registry_of_package(home.partition(".")[0]):
                if _is_below(model.__module__, home):
                    found[model] = None
    by_label: dict[str, Any] = {}
    for model in found:
        other = by_label.setdefault(model._meta.label_key, model)
        if other is not model:
            raise SetupError(
                f"Two models are called {model._meta.label}.",
                code="data/same-label",
                where=f"{other._meta.where}\n{model._meta.where}",
                why="Label and name make the table, permissions and links of a model.",
                hint='class Meta:\n    app_label = "…"',
            )
        check_declared(model)  # all modules are imported by now, so every relation is known
    return list(found)


def _home(scaffold: Scaffold) -> str:
    """Return what an app's models must stand below: its package, or its one file."""
    import_name = scaffold.import_name
    if getattr(scaffold, "autodiscover", False):
        return package_of(import_name)
    module = sys.modules.get(import_name)
    if module is None or hasattr(module, "__path__"):
        return import_name
    package = import_name.rpartition(".")[0]
    # A file whose own models are the whole story is its own home, wherever it lies.
    own = any(
        isinstance(each, type) and issubclass(each, Model) and each.__module__ == import_name
        for each in vars(module).values()
    )
    return import_name if own and not _exists(f"{package}.models") else package or import_name


def _homes(scaffold: Scaffold) -> list[str]:
    """Return what the models of an app or a blueprint stand below, once their modules are imported.

    Raises:
        SetupError: A blueprint names a module that is not there (`data/no-models-module`).
    """
    home, named = _home(scaffold), getattr(scaffold, "models_module", None)
    if named is None:
        module = f"{home}.models"
        if module not in sys.modules and _exists(module):
            import_module(module)
        # What `python -m` runs in a package has another name than the package.
        return list(dict.fromkeys([home, scaffold.import_name]))
    if named not in sys.modules and not _exists(named):
        raise SetupError(
            f"{scaffold!r} says that its models are in {named!r}, and there is no such module.",
            code="data/no-models-module",
            hint=f'Blueprint(…, models="{home}.models"), or without `models` for that very module.',
        )
    import_module(named)
    return [home, named]


def _exists(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _is_below(module: str, home: str) -> bool:
    return module == home or module.startswith(f"{home}.")


def demand_sound_models(models: Iterable[Any]) -> None:
    """Refuse models that could not work; `segue check` tells all their faults, this the first.

    Raises:
        SetupError: `data/models`.
    """
    for each in check_models(models):
        if each.level == "error":
            raise SetupError(each.message, code="data/models", where=each.where, hint=each.hint)


def enter_owner(models: Iterable[Any], databases: Databases) -> None:
    """Let models know whose they are, for code that runs outside any app (DESIGN §12.3)."""
    enter_app(databases)
    for model in models:
        enter(model, databases)


# First tables


def create_first_tables(databases: Databases, models: Sequence[Any], root: Path) -> None:
    """Make the tables that are missing, where no migrations rule yet; never alters one."""
    if not models or (root / "migrations").is_dir():
        return
    for database in databases.values():
        if database.in_atomic:
            continue  # a test holds it, and has made its tables
        made = database.create_all()
        if made:
            _logger.info("made the tables %s in %s", ", ".join(made), database.url)


# What handlers return


def teach_answers(encoders: dict[type, Callable[[Any], Any]]) -> None:
    """Let models and querysets be answers, by an app's *encoders*, and stand inside lists and dicts.

    What an app has said of them itself stays.
    """
    encoders.setdefault(Model, _row)
    encoders.setdefault(QuerySet, _rows)
    show_in_json(Model, _row)
    show_in_json(QuerySet, lambda queryset: _listed(list(_limited(queryset))))


def _row(instance: Any) -> dict[str, Any]:
    """Return a model's own columns (DESIGN §12.12)."""
    options = type(instance)._meta
    secret = [field.name for field in options.fields if field.secret]
    if secret or has_policy(options.model):
        raise UsageError(
            f"{options.object_name} is not shown whole.",
            code="data/private-model",
            where=options.where,
            why=f"It has secret fields: {', '.join(secret)}." if secret else "It has a policy.",
            hint=f"Declare what is shown: response={options.object_name}Public, a msgspec.Struct.",
        )
    values = instance.__dict__
    return {
        field.attname: values[field.attname] if field.attname in values else getattr(instance, field.attname)
        for field in options.fields
    }


def _rows(queryset: QuerySet[Any]) -> Any:
    limited = _limited(queryset)
    if limited._rows is None and running_on_loop():  # pyright: ignore[reportPrivateUsage]  # one package
        return Waiting(limited._afetched(), _listed)  # pyright: ignore[reportPrivateUsage]  # one package
    return _listed(list(limited))


def _limited(queryset: QuerySet[Any]) -> QuerySet[Any]:
    """Return the rows that may be answered, and one more where there are too many."""
    is_bounded = queryset.query.is_sliced or queryset._rows is not None  # pyright: ignore[reportPrivateUsage]  # one package
    return queryset if is_bounded else queryset[: _MOST_ROWS + 1]


def _listed(rows: list[Any]) -> list[Any]:
    if len(rows) > _MOST_ROWS:
        raise UsageError(
            f"A queryset of more than {_MOST_ROWS} rows was returned.",
            code="data/too-many-rows",
            hint="Return a slice of it ([:100]), paginate, or stream: (row for row in queryset.iterator()).",
        )
    return [_row(each) if isinstance(each, Model) else each for each in rows]


# Around handlers


def wrap_view(
    view: Callable[..., Any], *, is_atomic: bool, queries: int | None, what: str, is_strict: bool
) -> Callable[..., Any]:
    """Return a handler in a transaction, or with a budget of queries.

    Args:
        what: The route, for the report.
        is_strict: Whether too many queries are an error; in production they are a warning.
    """
    if inspect.isgeneratorfunction(view) or inspect.isasyncgenfunction(view):
        return view  # a streamed body runs outside
    if is_atomic:
        view = atomic(view)
    return _budgeted(view, queries, what, is_strict=is_strict) if queries is not None else view


def _budgeted(view: Callable[..., Any], most: int, what: str, *, is_strict: bool) -> Callable[..., Any]:
    where = place_of(view)

    def judged(budget: QueryBudget) -> None:
        try:
            budget.check()
        except QueryBudgetError as error:
            if is_strict:
                raise
            _logger.warning("%s", error)

    if inspect.iscoroutinefunction(view):

        @wraps(view)
        async def on_loop(*arguments: Any, **keywords: Any) -> Any:
            budget = QueryBudget(most, what=what, where=where)
            with watching(budget.note):
                result = await view(*arguments, **keywords)
                if isinstance(result, QuerySet):  # what is answered counts too
                    result = _limited(result)
                    await result
            judged(budget)
            return result

        return on_loop

    @wraps(view)
    def in_thread(*arguments: Any, **keywords: Any) -> Any:
        budget = QueryBudget(most, what=what, where=where)
        with watching(budget.note):
            result = view(*arguments, **keywords)
            if isinstance(result, QuerySet):
                result = _limited(result)
                len(result)
        judged(budget)
        return result

    return in_thread
