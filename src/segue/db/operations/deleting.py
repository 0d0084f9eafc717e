"""Deleting rows and what refers to them.

Holds: `delete_instances` and `delete_query`, which collect first and then delete, as in Django.
Imports: statements, reading, signals.
Never: deletes anything when something protects a part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from ..choice import is_of_another_app
from ..errors import ProtectedError, RestrictedError
from ..expressions.base import as_expression
from ..fields.base import NOT_PROVIDED
from ..fields.relations import CASCADE, DO_NOTHING, PROTECT, RESTRICT, SET_DEFAULT, SET_NULL, ForeignKey
from ..query.query import Query, Selection
from ..signals import call, post_delete, pre_delete, send, sends
from ..steps import Execute, Operation, Transaction
from .bulk import parts_of_key
from .reading import fetch
from .statements import delete_rows, update_rows

__all__ = ["delete_instances", "delete_query"]

Counts = dict[str, int]


def delete_query(query: Query, database: Any, origin: Any = None) -> Operation[tuple[int, Counts]]:
    """Delete a query's rows and what goes with them; return how many, by model.

    Args:
        origin: What receivers of signals are told it began with.

    Raises:
        ProtectedError: Rows refer to them by PROTECT (or RESTRICT, as `RestrictedError`).
    """
    plain = query.framed(order=(), related=(), only=None, deferred=frozenset(), lock=None)
    if _can_go_fast(query.model, database):
        plan, parameters = delete_rows(database, plain)
        written = yield Execute(plan, parameters)
        return _counted({query.model._meta.label: written.count})
    return (yield Transaction(_delete_found(plain, database, origin), savepoint=False))  # type: ignore[no-any-return]  # the step's result


def _delete_found(query: Query, database: Any, origin: Any) -> Operation[tuple[int, Counts]]:
    instances = yield from fetch(query, database)
    if not instances:
        return 0, {}
    return (yield from _Collector(database, origin).run(instances))


def delete_instances(
    instances: Sequence[Any], database: Any, *, keep_parents: bool = False
) -> Operation[tuple[int, Counts]]:
    """Delete instances of one model and what goes with them; return how many, by model.

    Raises:
        ProtectedError: Rows refer to them by PROTECT (or RESTRICT, as `RestrictedError`).
    """
    if not instances:
        return 0, {}
    collector = _Collector(database, instances[0], keep_parents=keep_parents)
    return (yield Transaction(collector.run(instances), savepoint=False))  # type: ignore[no-any-return]  # the step's result


def _counted(counts: Counts) -> tuple[int, Counts]:
    found = {label: count for label, count in counts.items() if count > 0}
    return sum(found.values()), found


def _can_go_fast(model: Any, database: Any) -> bool:
    """Tell whether one DELETE does it: nothing listens, nothing refers, no parent's row goes too."""
    options = model._meta
    if options.parents or options.generic_relations():
        return False
    if any(field.on_delete is not DO_NOTHING and not field.on_delete.database for field in options.referrers()):
        return False
    return options.auto_created or not sends(database, model, pre_delete, post_delete)


class _Collector:
    def __init__(self, database: Any, origin: Any, *, keep_parents: bool = False) -> None:
        self.database = database
        self.origin = origin
        self.keep_parents = keep_parents
        # Rows to delete, by concrete model and key, in the order they were found.
        self.doomed: dict[Any, dict[Any, Any]] = {}
        self.fast: list[Query] = []
        self.updates: list[tuple[ForeignKey[Any], Query, Any]] = []
        # The foreign key, the rows it refers to, and those that refuse.
        self.protected: list[tuple[Any, Any, list[Any]]] = []
        self.restricted: list[tuple[Any, Any, list[Any]]] = []

    def run(self, instances: Sequence[Any]) -> Operation[tuple[int, Counts]]:
        yield from self.collect(list(instances))
        if self.protected:
            raise _refused(ProtectedError, self.protected)
        yield from self._refuse_restricted()
        return (yield from self._delete())

    # Collecting

    def collect(self, instances: list[Any]) -> Operation[None]:
        concrete: Any = instances[0]._meta.concrete_model
        known = self.doomed.setdefault(concrete, {})
        new = [each for each in instances if each.pk not in known]
        if not new:
            return
        known.update((each.pk, each) for each in new)
        options = concrete._meta
        if not self.keep_parents:
            for parent, link in options.parents.items():
                keys = [getattr(each, link.attname) for each in new]
                yield from self._gather(Query(parent), {f"{link.remote.name}__in": keys})
        for relation in options.generic_relations():
            rows = yield from cast("Operation[list[Any]]", relation.doomed(new, self.database))
            if rows:
                yield from self.collect(rows)
        for field in options.referrers():
            if not is_of_another_app(field.model, self.database):
                yield from self._follow(field, new)

    def _gather(self, query: Query, lookups: dict[str, Any]) -> Operation[None]:
        rows = yield from fetch(query.framed(order=()).filtered((), lookups), self.database)
        if rows:
            yield from self.collect(rows)

    def _follow(self, field: Any, targets: list[Any]) -> Operation[None]:
        """Collect what refers to *targets* by *field*, or note what becomes of it."""
        action = field.on_delete
        if action is DO_NOTHING or action.database:
            return
        rows = Query(field.model).framed(order=()).filtered((), {f"{field.name}__in": targets})
        if action is CASCADE:
            yield from self._cascade(field, rows)
        elif action is PROTECT or action is RESTRICT:
            found = yield from fetch(rows, self.database)
            if found:
                (self.protected if action is PROTECT else self.restricted).append((field, targets, found))
        elif callable(action.value):
            # What makes the value may make a row for it: it is called where that is needed alone.
            one = rows.framed(selection=Selection("tuple", (field.model._meta.pk_fields[0].name,))).copy(high=1)
            if (yield from fetch(one, self.database)):
                value = yield from call(self.database, action.value)
                self.updates.append((field, rows, field.prepare(value)))
        else:
            self.updates.append((field, rows, _replacement(field, rows)))

    def _cascade(self, field: ForeignKey[Any], rows: Query) -> Operation[None]:
        if _can_go_fast(field.model, self.database):
            self.fast.append(rows)
            return
        found = yield from fetch(rows, self.database)
        if not found:
            return
        yield from self.collect(found)
        if field.null and self.database.vendor == "mysql":
            # It checks references row by row: a cycle is cut before its rows go.
            self.updates.append((field, rows, None))

    def _refuse_restricted(self) -> Operation[None]:
        """Refuse where rows restrict that are not deleted themselves, by another way."""
        refused: list[tuple[Any, Any, list[Any]]] = []
        for field, targets, rows in self.restricted:
            gone = set(self.doomed.get(field.model._meta.concrete_model, ()))
            left = [each for each in rows if each.pk not in gone]
            for query in self.fast:
                if left and query.model._meta.concrete_model is field.model._meta.concrete_model:
                    keys = query.filtered((), {"pk__in": [each.pk for each in left]})
                    chosen = Selection("tuple", tuple(each.name for each in field.model._meta.pk_fields))
                    found = yield from fetch(keys.framed(selection=chosen), self.database)
                    going = {key if len(key) > 1 else key[0] for key in found}
                    left = [each for each in left if each.pk not in going]
            if left:
                refused.append((field, targets, left))
        if refused:
            raise _refused(RestrictedError, refused)

    # Deleting

    def _delete(self) -> Operation[tuple[int, Counts]]:
        database = self.database
        counts: Counts = {}
        yield from self._tell(pre_delete, list(self.doomed))
        for query in self.fast:
            plan, parameters = delete_rows(database, query)
            written = yield Execute(plan, parameters)
            _count(counts, query.model, written.count)
        for field, query, value in self.updates:
            parts = {part: each for part, each in parts_of_key(field, value).items() if part in field.own_columns}
            plan, parameters = update_rows(database, query, parts)
            yield Execute(plan, parameters)
        for model in _ordered(list(self.doomed)):
            chosen = Query(model).framed(order=()).filtered((), {"pk__in": list(self.doomed[model])})
            plan, parameters = delete_rows(database, chosen)
            written = yield Execute(plan, parameters)
            _count(counts, model, written.count)
            yield from self._tell(post_delete, [model])
        for rows in self.doomed.values():
            for instance in rows.values():
                _forget_row(instance)
        return _counted(counts)

    def _tell(self, signal: Any, models: list[Any]) -> Operation[None]:
        database = self.database
        for model in models:
            if model._meta.auto_created:
                continue
            for instance in self.doomed[model].values():
                sender = instance.__class__
                if sends(database, sender, signal):
                    yield from send(database, signal, sender, instance=instance, using=database, origin=self.origin)


def _replacement(field: ForeignKey[Any], rows: Query) -> Any:
    """Return what a reference becomes when its target goes, ready for the column."""
    action = field.on_delete
    if action is SET_NULL:
        return None
    if action is SET_DEFAULT:
        if not field.has_default and field.db_default is not NOT_PROVIDED and field.is_column:
            value = field.db_default
            return as_expression(value).resolve(rows) if hasattr(value, "resolve") else field.prepare(value)
        return field.prepare(field.get_default() if field.has_default else field.db_default)
    return field.prepare(action.value)


def _forget_row(instance: Any) -> None:
    """Let an instance know that it is no row any more: it has no key."""
    kept = instance.__dict__
    kept.pop("_peers", None)
    options = instance._meta
    for field in options.pk_fields:
        kept[field.attname] = None
    for parent in options.parents:
        for field in parent._meta.pk_fields:
            kept[field.attname] = None


def _ordered(models: list[Any]) -> list[Any]:
    """Return models so that what refers to another comes before it."""
    done: list[Any] = []

    def visit(model: Any, path: tuple[Any, ...]) -> None:
        if model in done or model in path:
            return
        for other in models:
            if other is not model and any(
                field.target._meta.concrete_model is model for field in other._meta.local_foreign_keys
            ):
                visit(other, (*path, model))
        done.append(model)

    for model in models:
        visit(model, ())
    return done


def _count(counts: Counts, model: Any, count: int) -> None:
    label = model._meta.label
    counts[label] = counts.get(label, 0) + max(count, 0)


_SHOWN = 10


def _refused(kind: type[ProtectedError], refusals: Sequence[tuple[Any, Any, list[Any]]]) -> ProtectedError:
    """Return the error that lists the rows by which a delete is refused."""
    rows = [row for _, _, each in refusals for row in each]
    targets = refusals[0][1]
    what = f"{type(targets[0]).__name__} {targets[0].pk!r}" if len(targets) == 1 else f"{len(targets)} rows"
    keys = sorted({f"{field.model.__name__}.{field.name}" for field, _, _ in refusals})
    shown = ", ".join(f"{type(each).__name__} {each.pk!r}" for each in rows[:_SHOWN])
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    action = refusals[0][0].on_delete
    return kind(
        f"{what} cannot be deleted: {shown}{more} refer to it by {', '.join(keys)}.",
        rows,
        why=f"{keys[0]} says on_delete={action!r}.",
        hint="Delete or change those first.",
    )
