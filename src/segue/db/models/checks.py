"""What can only be checked when all models are known.

Holds: `check_models`, which start-up and `segue check` ask.
Imports: options, fields, SQLAlchemy's SQLite, floor 0.
Never: raises for a fault it was asked to look for; asks a database.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy.dialects import sqlite

from ...errors import Finding, SegueError, did_you_mean
from ..expressions.base import Expression, F, OrderBy
from ..expressions.q import Q
from ..fields.parts import referring_type
from ..fields.relations import ManyToManyField
from ..fields.special import GeneratedField
from ..fields.text import CharField, TextField
from ..naming import LONGEST, short_name
from ..query.where import plain_target
from ..search.fields import SearchField
from .constraints import CheckConstraint, UniqueConstraint
from .faults import groups_of
from .making import check_declared

__all__ = ["check_models"]

_FTS_NAMES = frozenset({"rank", "rowid"})


def check_models(models: Iterable[Any]) -> list[Finding]:
    """Return what is wrong with models: names that mean nothing, and things that two of them claim.

    Errors stop an app from starting; warnings are told.
    """
    known = list(models)
    found = list(_conflicts(known))
    for model in known:
        for check in _CHECKS:
            try:
                found += check(model)
            except SegueError as error:
                found.append(_from_error("models.E002", error, model))
    return found


def _error(id: str, model: Any, message: str, hint: str = "") -> Finding:  # noqa: A002  # as Finding calls it
    return Finding(id, "error", message, hint, model._meta.where)


def _from_error(id: str, error: SegueError, model: Any, what: str = "") -> Finding:  # noqa: A002  # as Finding calls it
    message = f"{model.__name__}.{what}: {error.message}" if what else error.message
    return Finding(id, "error", message, error.hint, error.where or model._meta.where)


# What two models claim


def _conflicts(models: list[Any]) -> Iterator[Finding]:
    told = {pair: None for model in models for pair in model._meta.registry.conflicts}
    both = {pair: None for pair in told if all(map(_is_there, pair))}
    by_label: dict[str, Any] = {}
    for model in models:
        other = by_label.setdefault(model._meta.label_key, model)
        if other is not model:
            both[other, model] = None
    for one, other in both:
        yield _error(
            "models.E001",
            other,
            f"Two models are called {other._meta.label}: {_path(one)} and {_path(other)}.",
            'class Meta:\n    app_label = "…"',
        )
    taken: dict[tuple[Any, str, str], Any] = {}
    for model in models:
        for kind, name in _names_in_database(model):
            other = taken.setdefault((model._meta.database, kind, name), model)
            if other is not model and (other, model) not in both:
                hint = 'class Meta:\n    db_table = "…"' if kind == "table" else 'name="%(class)s_…"'
                yield _error(
                    "models.E003", model, f"{_path(other)} and {_path(model)} both have a {kind} {name!r}.", hint
                )


def _is_there(model: Any) -> bool:
    """Tell whether a model's module still has it: one that was loaded anew has another."""
    if "<locals>" in model.__qualname__:
        return True
    found: Any = sys.modules.get(model.__module__)
    for part in model.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is model


def _path(model: Any) -> str:
    return f"{model.__module__}.{model.__qualname__}"


def _names_in_database(model: Any) -> Iterator[tuple[str, str]]:
    options = model._meta
    if options.proxy or options.abstract or options.auto_created:
        return  # a table between two others is named by its many-to-many field
    yield "table", options.db_table
    for field in options.many_to_many:
        if field.model is model and field.target_is_known() and field.auto_created:
            yield "table", field.through._meta.db_table
    for constraint in options.constraints:
        yield "constraint or index", constraint.named(options)
    for index in options.indexes:
        if index.name:
            yield (
                "constraint or index",
                short_name(
                    index.name.replace("%(class)s", options.model_name).replace("%(app_label)s", options.app_label)
                ),
            )


# One model


def _declared(model: Any) -> Iterator[Finding]:
    try:
        check_declared(model)
    except SegueError as error:
        yield _from_error("models.E004", error, model)


def _relations(model: Any) -> Iterator[Finding]:
    options = model._meta
    for field in (*options.local_fields, *options.local_references, *options.many_to_many):
        if not field.is_relation or field.model is not model:
            continue
        try:
            target = field.target
            if isinstance(field, ManyToManyField):
                field.ends()
            elif getattr(field, "to_field", None) is not None and not field.remote.unique:
                yield _error(
                    "models.E005",
                    model,
                    f"{model.__name__}.{field.name} refers to {target.__name__}.{field.remote.name}, "
                    "which is not unique.",
                    f"{field.remote.name} = …(unique=True)",
                )
            yield from _shared(model, field)
        except SegueError as error:
            yield _from_error("models.E005", error, model, field.name)
        except KeyError as error:
            names = ", ".join(each.name for each in field.through._meta.foreign_keys)
            yield _error(
                "models.E005",
                model,
                f"{model.__name__}.{field.name}: through_fields names {error.args[0]!r}, which is no foreign key.",
                f"Those of {field.through.__name__}: {names}",
            )


def _shared(model: Any, field: Any) -> Iterator[Finding]:
    """Find fault with a foreign key that shares a column of another type than what it refers to."""
    remotes = getattr(field, "remotes", ())
    for here, there in zip(field.columns if remotes else (), remotes, strict=True):
        kinds = [type(each) for each in (here.column_type(), referring_type(there))]
        if kinds[0] is not kinds[1]:
            yield _error(
                "models.E005",
                model,
                f"{model.__name__}.{field.name} shares the column of {here.name}, a {kinds[0].__name__}, "
                f"and refers to a {kinds[1].__name__}.",
                f"Give {here.name} the type of {there.model.__name__}.{there.name}.",
            )


def _own_name(model: Any, name: str, id: str, what: str, names: Iterable[str] = ()) -> Iterator[Finding]:  # noqa: A002
    """Find fault with a name that must be a column of this very model."""
    options = model._meta
    field = options.find_field(name)
    if field is None or field.kind == "many_to_many":
        choices = names or [each.name for each in options.fields]
        yield _error(
            id,
            model,
            f"{model.__name__}.{what} names {name!r}, which is no column of it.",
            did_you_mean(name, choices),
        )
    elif field.model._meta.concrete_model is not options.concrete_model:
        yield _error(
            id,
            model,
            f"{model.__name__}.{what} names {name!r}, which is in the table of {field.model.__name__}.",
            "Say it in the Meta of that model.",
        )


def _paths_in(thing: Any) -> Iterator[str]:
    if isinstance(thing, str):
        yield thing.lstrip("-+")
    elif isinstance(thing, Q):
        for child in thing.children:
            if isinstance(child, tuple):
                yield child[0]
                if not isinstance(child[1], str):
                    yield from _paths_in(child[1])
            else:
                yield from _paths_in(child)
    elif isinstance(thing, OrderBy | Expression):
        yield from (each.name for each in thing.walk() if isinstance(each, F))
    elif hasattr(thing, "__expression__"):
        yield from _paths_in(thing.__expression__())


def _ordering(model: Any) -> Iterator[Finding]:
    options = model._meta
    named = [("Meta.ordering", "models.E006", options.ordering)]
    latest = options.get_latest_by
    named.append(("Meta.get_latest_by", "models.E007", [latest] if isinstance(latest, str) else latest or ()))
    for what, number, given in named:
        if isinstance(given, str):
            yield _error(number, model, f"{model.__name__}.{what} is a text.", f"ordering = [{given!r}]")
            continue
        for path in (path for each in given for path in _paths_in(each)):
            if path == "?":
                continue
            try:
                plain_target(options, path)
            except SegueError as error:
                yield _from_error(number, error, model, what)


def _uniqueness(model: Any) -> Iterator[Finding]:
    options = model._meta
    for group in groups_of(options.unique_together):
        for name in group:
            yield from _own_name(model, name, "models.E008", "Meta.unique_together")
    joined = {field.name for field in options.many_to_many}
    for name in options.given.get("privileged_fields", ()):
        if name in joined:
            continue  # a form has those too
        yield from _own_name(model, name, "models.E019", "Meta.privileged_fields")
    for field in options.local_fields:
        for span, day in field.unique_for.items():
            other = options.find_field(day)
            if other is None or other.kind not in ("date", "datetime"):
                names = [each.name for each in options.fields if each.kind in ("date", "datetime")]
                yield _error(
                    "models.E009",
                    model,
                    f"{model.__name__}.{field.name}: unique_for_{span} names {day!r}, which is no date of it.",
                    did_you_mean(day, names),
                )


def _constraints(model: Any) -> Iterator[Finding]:
    options = model._meta
    for constraint in options.constraints:
        what = f"Meta.constraints: {constraint.name}"
        paths = [*_paths_in(getattr(constraint, "condition", None))]
        if isinstance(constraint, UniqueConstraint):
            for name in (*constraint.fields, *constraint.include):
                yield from _own_name(model, name, "models.E010", what)
            paths += [path for each in constraint.expressions for path in _paths_in(each)]
        if isinstance(constraint, CheckConstraint | UniqueConstraint):
            yield from _own_paths(model, paths, "models.E010", what)
    for index in options.indexes:
        what = f"Meta.indexes: {index.name or ', '.join(index.fields)}"
        for name in (*index.fields, *index.include):
            yield from _own_name(model, name.removeprefix("-"), "models.E011", what)
        paths = [path for each in (*index.expressions, index.condition) for path in _paths_in(each)]
        yield from _own_paths(model, paths, "models.E011", what)
        if isinstance(index, SearchField):
            yield from _searched(model, index)
    for field in options.local_fields:
        if isinstance(field, GeneratedField):
            yield from _own_paths(model, list(_paths_in(field.expression)), "models.E012", field.name)


def _searched(model: Any, search: SearchField) -> Iterator[Finding]:
    options = model._meta
    what = f"{model.__name__}.{search.column}"
    for name in search.fields:
        field = options.find_field(name)
        if field is not None and not isinstance(field, CharField | TextField):
            message = f"{what} searches {name!r}, a {type(field).__name__}, which holds no words."
            yield _error("models.E018", model, message, "Name a CharField or a TextField.")
        elif field is not None and field.column.lower() in _FTS_NAMES:
            message = f"{what} searches the column {field.column!r}, a name that SQLite keeps for itself in a search."
            yield _error("models.E018", model, message, f'{name} = …(db_column="{name}_text")')
    for field in options.local_fields:
        # An integer that is the key is what SQLite itself calls rowid.
        is_rowid = options.pk_fields == (field,) and _is_integer_on_sqlite(options.table.c[field.column])
        if field.column.lower() == "rowid" and not is_rowid:
            message = f"{what} finds rows of SQLite by their rowid, which the column {field.column!r} hides."
            key = f"{field.name} = BigAutoField(primary_key=True)"
            hint = key if field.primary_key else f'{field.name} = …(db_column="{field.name}_column")'
            yield _error("models.E018", model, message, hint)
    if any(field.column == search.column for field in options.local_fields):
        message = f"{what} has the name of a column."
        yield _error("models.E018", model, message, f'SearchField(…, column="{search.column}_words")')


def _is_integer_on_sqlite(column: Any) -> bool:
    return str(column.type.compile(dialect=sqlite.dialect())) == "INTEGER"


def _own_paths(model: Any, paths: list[str], id: str, what: str) -> Iterator[Finding]:  # noqa: A002
    options = model._meta
    for path in paths:
        try:
            reached = plain_target(options, path).reached
        except SegueError as error:
            yield _from_error(id, error, model, what)
            continue
        if len(reached.relations) > 1 or (reached.relations and reached.relation is None):
            yield _error(
                id,
                model,
                f"{model.__name__}.{what} looks at {path!r}, through a relation.",
                "A rule of a table sees its own columns alone.",
            )
        else:
            yield from _own_name(model, path.partition("__")[0], id, what) if not path.startswith("pk") else ()


def _fields(model: Any) -> Iterator[Finding]:
    options = model._meta
    if len(options.db_table.encode()) > LONGEST:
        yield _error(
            "models.E013",
            model,
            f"{model.__name__}.Meta.db_table is longer than {LONGEST} characters.",
            f'db_table = "{short_name(options.db_table)}"',
        )
    columns: dict[str, Any] = {}
    for field in options.local_fields:
        other = columns.setdefault(field.column, field)
        if other is not field:
            yield _error(
                "models.E014",
                model,
                f"{model.__name__}.{other.name} and .{field.name} are both the column {field.column!r}.",
                'db_column="…"',
            )
        longest = getattr(field, "max_length", None)
        if longest is not None and field.choices_given is not None and not callable(field.choices_given):
            long = [value for value, _ in field.flat_choices if isinstance(value, str) and len(value) > longest]
            if long:
                yield _error(
                    "models.E015",
                    model,
                    f"{model.__name__}.{field.name} has max_length={longest}, and the choice {long[0]!r} is longer.",
                    f"max_length={max(map(len, long))}",
                )
        shared: Any = field.default
        if isinstance(shared, list | dict | set):
            yield Finding(
                "models.W016",
                "warning",
                f"{model.__name__}.{field.name} has a default that all instances share.",
                f"default={type(field.default).__name__}, or a function that makes one",
                options.where,
            )
        if field in options.pk_fields and field.null:
            yield _error(
                "models.E017",
                model,
                f"{model.__name__}.{field.name} is of the key, and may be NULL.",
                "Leave null=True out.",
            )


_CHECKS: tuple[Callable[[Any], Iterator[Finding]], ...] = (
    _declared,
    _relations,
    _ordering,
    _uniqueness,
    _constraints,
    _fields,
)
