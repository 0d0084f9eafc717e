"""Joining and parting rows of a many-to-many relation.

Holds: `add_links`, `remove_links`, `set_links`.
Imports: bulk, reading, signals.
Never: joins a pair twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import QueryError
from ..fields.relations import Relation
from ..instance import Instance
from ..query.query import Query, Selection
from ..signals import m2m_changed, send, sends
from ..steps import Execute, Operation, Transaction
from .bulk import bulk_create
from .reading import fetch
from .retrying import retried
from .statements import delete_rows

__all__ = ["add_links", "remove_links", "set_links"]


def _ends(relation: Relation) -> tuple[Any, Any]:
    """Return the keys of the table between: to this side, to the other."""
    here, there = relation.field.ends()
    return (here, there) if relation.is_forward else (there, here)


def _keys(relation: Relation, things: Iterable[Any]) -> list[Any]:
    _, far = _ends(relation)
    found: list[Any] = []
    for each in things:
        if isinstance(each, Instance):
            value = far.value_of(each)
            if value is None:
                raise QueryError(
                    f"This {type(each).__name__} was not saved.", code="data/unsaved", hint="save() it first."
                )
        else:
            value = far.prepare(each)
        if value not in found:
            found.append(value)
    return found


def _sides(relation: Relation) -> list[tuple[Any, Any]]:
    near, far = _ends(relation)
    field = relation.field
    symmetrical = field.symmetrical and field.target is field.model
    return [(near, far), (far, near)] if symmetrical else [(near, far)]


def add_links(
    instance: Any, relation: Relation, things: Iterable[Any], database: Any, defaults: Mapping[str, Any] | None
) -> Operation[None]:
    """Join *things* to *instance*; pairs that are there stay."""
    keys = _keys(relation, things)
    if keys:
        given = dict(defaults or {})
        yield from retried(database, lambda: _add(instance, relation, keys, database, given), savepoint=False)


def _add(
    instance: Any, relation: Relation, keys: list[Any], database: Any, defaults: dict[str, Any]
) -> Operation[None]:
    through = relation.field.through
    mine = relation.key_of(instance)
    for at, (near, far) in enumerate(_sides(relation)):
        query = Query(through).filtered((), {near.attname: mine, f"{far.attname}__in": keys})
        known = yield from fetch(query.framed(selection=Selection("flat", (far.attname,)), order=()), database)
        new = [key for key in keys if key not in known]
        if not new:
            continue
        if at == 0:
            yield from _tell("pre_add", instance, relation, new, database)
        rows = [through(**{near.attname: mine, far.attname: key}, **_called(defaults)) for key in new]
        # Another may join the same pair in between; where Segue made the table, that is no error.
        yield from bulk_create(through, rows, database, ignore_conflicts=relation.field.auto_created)
        if at == 0:
            yield from _tell("post_add", instance, relation, new, database)


def _called(defaults: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value() if callable(value) else value for name, value in defaults.items()}


def remove_links(instance: Any, relation: Relation, things: Iterable[Any] | None, database: Any) -> Operation[None]:
    """Part *things* from *instance*; all of them where *things* is `None`."""
    keys = None if things is None else _keys(relation, things)
    if keys is None or keys:
        yield Transaction(_remove(instance, relation, keys, database), savepoint=False)


def _remove(instance: Any, relation: Relation, keys: list[Any] | None, database: Any) -> Operation[None]:
    through = relation.field.through
    mine = relation.key_of(instance)
    word = "clear" if keys is None else "remove"
    yield from _tell(f"pre_{word}", instance, relation, keys, database)
    for near, far in _sides(relation):
        chosen = {near.attname: mine} if keys is None else {near.attname: mine, f"{far.attname}__in": keys}
        plan, parameters = delete_rows(database, Query(through).framed(order=()).filtered((), chosen))
        yield Execute(plan, parameters)
    yield from _tell(f"post_{word}", instance, relation, keys, database)


def set_links(
    instance: Any,
    relation: Relation,
    things: list[Any],
    database: Any,
    defaults: Mapping[str, Any] | None,
    *,
    clear: bool,
) -> Operation[None]:
    """Join exactly *things* to *instance*."""
    keys = _keys(relation, things)
    yield Transaction(_set(instance, relation, keys, database, dict(defaults or {}), clear=clear), savepoint=False)


def _set(
    instance: Any, relation: Relation, keys: list[Any], database: Any, defaults: dict[str, Any], *, clear: bool
) -> Operation[None]:
    if clear:
        yield from _remove(instance, relation, None, database)
    else:
        near, far = _ends(relation)
        mine = relation.key_of(instance)
        query = Query(relation.field.through).framed(selection=Selection("flat", (far.attname,)), order=())
        known = yield from fetch(query.filtered((), {near.attname: mine}), database)
        gone = [key for key in known if key not in keys]
        if gone:
            yield from _remove(instance, relation, gone, database)
    if keys:
        yield from _add(instance, relation, keys, database, defaults)


def _tell(action: str, instance: Any, relation: Relation, keys: list[Any] | None, database: Any) -> Operation[None]:
    if not sends(database, relation.field.through, m2m_changed):
        return
    yield from send(
        database,
        m2m_changed,
        relation.field.through,
        action=action,
        instance=instance,
        # By the keys: a relation of a model to itself has one model on both sides.
        reverse=not relation.is_forward,
        model=relation.target,
        pk_set=None if keys is None else set(keys),
        using=database,
    )
