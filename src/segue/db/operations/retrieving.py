"""Operations that begin by reading.

Holds: aggregates and counts, rows by key, `get_or_create`, `update_or_create`.
Imports: plans, reading, saving.
Never: trusts that nobody came between a read and a write.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from ..errors import IntegrityError, QueryError
from ..expressions.aggregates import Count
from ..expressions.base import F
from ..query.compiler import PART, Column, Parameters, SelectCompiler
from ..query.plans import compile_statement, reader_of
from ..query.query import Lock, Query, Selection
from ..shapes import Keyer, key_of
from ..steps import Call, Execute, Operation
from .reading import fetch
from .retrying import retried

__all__ = ["aggregate", "get_or_create", "in_bulk", "update_or_create"]


def aggregate(queryset: Any, named: Mapping[str, Any], *, count: bool = False) -> Operation[dict[str, Any]]:
    """Return values that sum all rows of a queryset up.

    Args:
        count: Whether rows are counted: `{"count": …}`.
    """
    query: Query = queryset.query
    database = queryset.db
    if count:
        named = {"count": Count("*")}
    if query.empty and query.frame.combined is None:
        return {
            name: 0 if isinstance(each, Count) else getattr(each.default, "value", None) for name, each in named.items()
        }
    outer = query
    expressions: dict[str, Any] = {}
    for name, given in named.items():
        expression = given.resolve(outer)
        if not expression.contains_aggregate:
            raise QueryError(
                f"aggregate({name}=…) sums nothing up.", code="data/aggregate", hint=f'aggregate({name}=Sum("year"))'
            )
        expressions[name] = expression

    def shape(keyer: Keyer) -> Hashable:
        parts = tuple((name, each.shape(keyer)) for name, each in expressions.items())
        return "aggregate", query.shape(keyer), parts

    key, keyer = key_of(shape)
    plan = database.plans.find(key, lambda: _aggregate_plan(query, expressions, database, keyer.slots))
    rows = yield Execute(plan, plan.bind(keyer.values))
    values = plan.hydrate(rows, None)[0]
    return dict(zip(expressions, values, strict=True))


def _needs_wrapping(query: Query) -> bool:
    frame = query.frame
    if query.is_sliced or frame.distinct or frame.combined is not None:
        return True
    expressions = [each.expression for each in frame.annotations.values()]
    return frame.group is not None or any(each.contains_aggregate or each.contains_window for each in expressions)


def _aggregate_plan(query: Query, expressions: Mapping[str, Any], database: Any, slots: dict[int, int]) -> Any:
    parameters = Parameters(database.dialect, slots)
    if not _needs_wrapping(query):
        bare = query.framed(order=(), related=(), only=None, deferred=frozenset(), lock=None, selection=None)
        compiler = SelectCompiler(bare, parameters)
        conditions = compiler.conditions()
        elements = [each.compile(compiler) for each in expressions.values()]
        statement = sa.select(*elements).select_from(compiler.source())
        if conditions:
            statement = statement.where(*conditions)
    else:
        inner = query if query.is_sliced or query.frame.combined is not None else query.framed(order=())
        if inner is not query:
            slots.setdefault(id(inner), slots.get(id(query), 0))
        if inner.frame.selection is None and inner.frame.combined is None:
            inner = _narrowed(inner, expressions, slots, query)
        compiler = SelectCompiler(inner, parameters)
        source = compiler.select()
        labelled = [(column.label, f"x{at}") for at, column in enumerate(compiler.columns)]
        if isinstance(source, sa.Select):
            source = source.with_only_columns(
                *[column.element.label(name) for column, (_, name) in zip(compiler.columns, labelled, strict=True)]
            )
        table = source.subquery(parameters.next_alias())
        over = _OverSubquery(compiler, table, labelled)
        elements = [each.compile(over) for each in expressions.values()]
        statement = sa.select(*elements).select_from(table)
    plan = compile_statement(statement, parameters)
    readers = [reader_of(Column("", element), database.dialect) for element in elements]

    def hydrate(rows: list[Any], peers: Any) -> list[Any]:
        return [
            [value if reader is None else reader(value) for value, reader in zip(row, readers, strict=True)]
            for row in rows
        ]

    plan.hydrate = hydrate
    return plan


def _narrowed(query: Query, expressions: Mapping[str, Any], slots: dict[int, int], original: Query) -> Query:
    """Return a query that selects only what the aggregates read, and the key so that rows stay apart."""
    if query.frame.distinct:
        return query
    options = query.model._meta
    names = [field.name for field in options.pk_fields]
    for each in expressions.values():
        for part in each.walk():
            if isinstance(part, F) and part.name not in names:
                names.append(part.name)
    names += [name for name, each in query.frame.annotations.items() if name not in names and each.shown]
    narrowed = query.framed(selection=Selection("tuple", tuple(names)), related=(), only=None, deferred=frozenset())
    if id(original) in slots:
        slots[id(narrowed)] = slots[id(original)]
    return narrowed


class _OverSubquery:
    """Compiles aggregates over a query that became a table."""

    def __init__(self, compiler: SelectCompiler, table: Any, labelled: list[tuple[str, str]]) -> None:
        self._compiler = compiler
        self._table = table
        self._labels = dict(labelled)
        self._types = {name: column.element.type for column, (_, name) in zip(compiler.columns, labelled, strict=True)}
        self.vendor = compiler.vendor
        self.dialect = compiler.dialect
        self.parameters = compiler.parameters

    def path(self, name: str) -> Any:
        options = self._compiler.query.model._meta
        label = self._labels.get(name)
        if label is None:
            field = options.pk if name == "pk" else options.find_field(name)
            label = self._labels.get(field.attname) if field is not None else None
            label = label or (self._labels.get(field.name) if field is not None else None)
            label = label or next(iter(self._labels_of_parts(name)), None)
        if label is None:
            raise QueryError(
                f"aggregate() over this queryset cannot reach {name!r}.",
                code="data/aggregate",
                hint=f"Columns: {', '.join(self._labels)}.",
            )
        columns = list(self._table.columns)
        return sa.type_coerce(columns[list(self._labels.values()).index(label)], self._types[label])

    def parts(self, name: str) -> list[Any]:
        labels = self._labels_of_parts(name)
        columns = dict(zip(self._labels.values(), self._table.columns, strict=True))
        return [sa.type_coerce(columns[each], self._types[each]) for each in labels] or [self.path(name)]

    def _labels_of_parts(self, name: str) -> list[str]:
        """Return the labels of the columns of a key of several."""
        options = self._compiler.query.model._meta
        field = options.pk_field if name == "pk" else options.find_field(name)
        names = {name} if field is None else {field.name, field.attname}
        whole = [each for known, each in self._labels.items() if PART in known and known.partition(PART)[0] in names]
        parts = () if field is None or field.is_column else getattr(field, "fields", ())
        return whole or [self._labels[part.attname] for part in parts if part.attname in self._labels]

    def condition(self, condition: Any) -> Any:
        raise QueryError(
            "aggregate(filter=…) over a sliced, distinct or grouped queryset.",
            code="data/aggregate",
            hint="filter() the queryset before it is sliced.",
        )

    def __getattr__(self, name: str) -> Any:
        return getattr(self._compiler, name)


def in_bulk(queryset: Any, keys: Iterable[Any] | None, field_name: str) -> Operation[dict[Any, Any]]:
    """Return rows by a unique field.

    Raises:
        QueryError: The field is not unique, or the queryset is sliced.
    """
    options = queryset.model._meta
    if queryset.query.is_sliced:
        raise QueryError("in_bulk() after a slice.", code="data/sliced", hint="in_bulk() first.")
    if field_name != "pk":
        field = options.get_field(field_name)
        if not field.unique:
            raise QueryError(
                f"{options.object_name}.{field_name} is not unique.",
                code="data/argument",
                hint="in_bulk() takes a field with unique=True.",
            )
    chosen = queryset if keys is None else queryset.filter(**{f"{field_name}__in": list(keys)})
    database = chosen.db
    rows = yield from fetch(chosen.query, database, chosen._prefetches, chosen._fetch_mode(database))
    return {getattr(row, field_name): row for row in rows}


def get_or_create(
    queryset: Any, lookups: Mapping[str, Any], defaults: Mapping[str, Any]
) -> Operation[tuple[Any, bool]]:
    """Return the row for which the look-ups hold, made if there is none.

    Another may make it in between: then the INSERT is refused, its savepoint undone, and
    the row is read again.
    """
    database = queryset._writer
    chosen = queryset._for_one((), lookups)
    rows = yield from fetch(chosen, database)
    if rows:
        return queryset._only(rows, lookups), False
    _check_names(queryset.model, defaults)
    instance = queryset._new(_new_values(queryset.model, lookups, defaults))
    try:
        yield from retried(database, lambda: _created(instance, database))
    except IntegrityError:
        rows = yield from fetch(chosen, database)
        if not rows:
            raise
        return queryset._only(rows, lookups), False
    return instance, True


def _created(instance: Any, database: Any) -> Operation[None]:
    yield Call(instance._save_here, database, force_insert=True)


def _new_values(model: Any, lookups: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    options = model._meta
    values: dict[str, Any] = {}
    for name, value in lookups.items():
        plain = name.removesuffix("__exact")
        if "__" not in plain and (plain == "pk" or options.find_field(plain) is not None):
            values[plain] = value
    for name, value in defaults.items():
        values[name] = value
    return {
        name: value() if callable(value) and not isinstance(value, type) else value for name, value in values.items()
    }


def update_or_create(
    queryset: Any,
    lookups: Mapping[str, Any],
    defaults: Mapping[str, Any],
    create_defaults: Mapping[str, Any] | None,
) -> Operation[tuple[Any, bool]]:
    """Update the row for which the look-ups hold, or make it; the row is locked meanwhile."""
    database = queryset._writer
    _check_names(queryset.model, defaults)
    new = defaults if create_defaults is None else create_defaults
    if database.in_atomic:
        return (yield from _make_or_lock(queryset, lookups, defaults, new))
    while True:
        # Not in one transaction: an INSERT that was refused keeps a shared lock on the row until
        # the end (MySQL), and two that wait for the whole lock then wait for each other.
        instance, created = yield from get_or_create(queryset, lookups, new)
        if created:
            return instance, created
        changed = yield from retried(database, lambda: _lock_and_update(queryset, lookups, defaults))
        if changed is not None:
            return changed, False


def _make_or_lock(
    queryset: Any, lookups: Mapping[str, Any], defaults: Mapping[str, Any], new: Mapping[str, Any]
) -> Operation[tuple[Any, bool]]:
    instance, created = yield from get_or_create(_locked(queryset), lookups, new)
    if not created:
        yield from _update_one(instance, defaults, queryset._writer)
    return instance, created


def _lock_and_update(queryset: Any, lookups: Mapping[str, Any], defaults: Mapping[str, Any]) -> Operation[Any]:
    rows = yield from fetch(_locked(queryset)._for_one((), lookups), queryset._writer)
    if not rows:
        return None  # it was deleted in between
    instance = queryset._only(rows, lookups)
    yield from _update_one(instance, defaults, queryset._writer)
    return instance


def _locked(queryset: Any) -> Any:
    """Return the queryset with its rows locked; a transaction of SQLite has locked all there is."""
    if queryset._writer.vendor == "sqlite":
        return queryset
    return queryset._with(queryset.query.framed(lock=Lock()))


def _update_one(instance: Any, defaults: Mapping[str, Any], database: Any) -> Operation[None]:
    options = instance._meta
    names: list[str] = []
    for name, value in defaults.items():
        setattr(instance, name, value() if callable(value) and not isinstance(value, type) else value)
        field = options.find_field(name)
        if field is not None and field.kind != "many_to_many":
            names.append(field.name)
    automatic = [field.name for field in options.fields if getattr(field, "auto_now", False)]
    # Only what changes is written, where that is known.
    chosen = [*names, *automatic] if names and len(names) == len(defaults) else None
    yield Call(instance._save_here, database, update_fields=chosen)


def _check_names(model: Any, defaults: Mapping[str, Any]) -> None:
    """Refuse a name that no instance has.

    Raises:
        FieldError: One is unknown.
    """
    options = model._meta
    for name in defaults:
        if name != "pk" and name not in options.private and not hasattr(model, name):
            options.get_field(name)
