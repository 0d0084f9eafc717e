"""Deleting rows and what refers to them.

Holds: `delete`, which collects first and then deletes, as in Django.
Imports: statements, reading, signals.
Never: deletes anything when something protects a part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import ProtectedError, RestrictedError
from ..fields.relations import CASCADE, DO_NOTHING, PROTECT, RESTRICT, SET_DEFAULT, SET_NULL, ForeignKey
from ..query.query import Query
from ..signals import post_delete, pre_delete, send, sends
from ..steps import Execute, Operation, Transaction
from .reading import fetch
from .statements import delete_rows, update_rows

__all__ = ["delete_instances", "delete_query"]

Counts = dict[str, int]


def delete_query(query: Query, database: Any) -> Operation[tuple[int, Counts]]:
    """Delete a query's rows and what goes with them; return how many, by model.

    Raises:
        ProtectedError: Rows refer to them by PROTECT (or RESTRICT, as `RestrictedError`).
    """
    if _can_go_fast(query.model, database):
        plan, parameters = delete_rows(database, query)
        written = yield Execute(plan, parameters)
        return _counted({query.model._meta.label: written.count})
    instances = yield from fetch(query.framed(order=(), related=(), selection=None), database)
    return (yield from delete_instances(instances, database))


def delete_instances(
    instances: Sequence[Any], database: Any, *, keep_parents: bool = False
) -> Operation[tuple[int, Counts]]:
    """Delete instances of one model and what goes with them; return how many, by model.

    Raises:
        ProtectedError: Rows refer to them by PROTECT (or RESTRICT, as `RestrictedError`).
    """
    if not instances:
        return 0, {}
    collector = _Collector(database, keep_parents=keep_parents)
    return (yield Transaction(collector.run(instances), savepoint=False))  # type: ignore[no-any-return]  # the step's result


def _counted(counts: Counts) -> tuple[int, Counts]:
    found = {label: count for label, count in counts.items() if count > 0}
    return sum(found.values()), found


def _can_go_fast(model: Any, database: Any) -> bool:
    """Tell whether one DELETE does it: nothing listens, nothing refers, no parent's row goes too."""
    options = model._meta
    if sends(database, pre_delete, post_delete) or options.parents:
        return False
    return (
        all(field.on_delete is DO_NOTHING or field.on_delete.database for field in options.referrers())
        and not options.generic_relations()
    )


class _Collector:
    def __init__(self, database: Any, *, keep_parents: bool) -> None:
        self.database = database
        self.keep_parents = keep_parents
        # In the order they were found: what refers comes after what it refers to.
        self.doomed: dict[Any, dict[Any, Any]] = {}
        self.fast: list[Query] = []
        self.updates: list[tuple[ForeignKey[Any], Query, Any]] = []
        self.restricted: list[tuple[ForeignKey[Any], list[Any]]] = []

    def run(self, instances: Sequence[Any]) -> Operation[tuple[int, Counts]]:
        yield from self.collect(list(instances))
        self._refuse_restricted()
        return (yield from self._delete())

    def collect(self, instances: list[Any]) -> Operation[None]:
        model = type(instances[0])
        concrete = model._meta.concrete_model
        known = self.doomed.setdefault(concrete, {})
        new = [each for each in instances if each.pk not in known]
        if not new:
            return
        known.update((each.pk, each) for each in new)
        options = concrete._meta
        if not self.keep_parents:
            for parent, link in options.parents.items():
                keys = [getattr(each, link.attname) for each in new]
                rows = yield from fetch(Query(parent).framed(order=()).filtered((), {"pk__in": keys}), self.database)
                if rows:
                    yield from self.collect(rows)
        for relation in options.generic_relations():
            rows = yield from relation.doomed(new, self.database)
            if rows:
                yield from self.collect(rows)
        for field in options.referrers():
            yield from self._follow(field, new)

    def _follow(self, field: ForeignKey[Any], targets: list[Any]) -> Operation[None]:
        action = field.on_delete
        if action is DO_NOTHING or action.database:
            return
        keys = [getattr(each, field.remote.attname) for each in targets]
        rows = Query(field.model).framed(order=()).filtered((), {f"{field.attname}__in": keys})
        if action is CASCADE:
            if _can_go_fast(field.model, self.database):
                self.fast.append(rows)
                return
            found = yield from fetch(rows, self.database)
            if found:
                yield from self.collect(found)
        elif action is PROTECT or action is RESTRICT:
            found = yield from fetch(rows, self.database)
            if found and action is PROTECT:
                raise _protected(ProtectedError, targets[0], field, found)
            if found:
                self.restricted.append((field, found))
        elif action is SET_NULL:
            self.updates.append((field, rows, None))
        elif action is SET_DEFAULT:
            self.updates.append((field, rows, field.get_default()))
        else:
            value = action.value() if callable(action.value) else action.value
            self.updates.append((field, rows, field.prepare(value)))

    def _refuse_restricted(self) -> None:
        for field, rows in self.restricted:
            gone = self.doomed.get(field.model._meta.concrete_model, {})
            left = [each for each in rows if each.pk not in gone]
            if left:
                raise _protected(RestrictedError, None, field, left)

    def _delete(self) -> Operation[tuple[int, Counts]]:
        database = self.database
        counts: Counts = {}
        listened = sends(database, pre_delete, post_delete)
        if listened:
            for model, rows in self.doomed.items():
                if not model._meta.auto_created:
                    for instance in rows.values():
                        yield from send(database, pre_delete, model, instance=instance, using=database)
        for query in self.fast:
            plan, parameters = delete_rows(database, query)
            written = yield Execute(plan, parameters)
            _count(counts, query.model, written.count)
        for field, query, value in self.updates:
            plan, parameters = update_rows(database, query, {field: value})
            yield Execute(plan, parameters)
        for model in _ordered(list(self.doomed)):
            rows = self.doomed[model]
            chosen = Query(model).framed(order=()).filtered((), {"pk__in": list(rows)})
            plan, parameters = delete_rows(database, chosen)
            written = yield Execute(plan, parameters)
            _count(counts, model, written.count)
            for instance in rows.values():
                instance.__dict__.pop("_peers", None)
            if listened and not model._meta.auto_created:
                for instance in rows.values():
                    yield from send(database, post_delete, model, instance=instance, using=database)
        return _counted(counts)


def _ordered(models: list[Any]) -> list[Any]:
    """Return models so that what refers to another comes before it."""
    done: list[Any] = []

    def visit(model: Any, path: tuple[Any, ...]) -> None:
        if model in done or model in path:
            return
        for other in models:
            if other is not model and any(
                field.target._meta.concrete_model is model
                for field in other._meta.local_fields
                if isinstance(field, ForeignKey)
            ):
                visit(other, (*path, model))
        done.append(model)

    for model in models:
        visit(model, ())
    return done


def _count(counts: Counts, model: Any, count: int) -> None:
    label = model._meta.label
    counts[label] = counts.get(label, 0) + max(count, 0)


def _protected(kind: type[ProtectedError], target: Any, field: ForeignKey[Any], rows: list[Any]) -> ProtectedError:
    what = f"{type(target).__name__} {target.pk!r}" if target is not None else field.target.__name__
    shown = ", ".join(f"{field.model.__name__} {each.pk!r}" for each in rows[:5])
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return kind(
        f"{what} cannot be deleted: {shown}{more} refer to it by {field.name}.",
        rows,
        why=f"{field.model.__name__}.{field.name} says on_delete={field.on_delete!r}.",
        hint="Delete or change those first.",
    )
