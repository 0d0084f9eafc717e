"""Letting rows refer to an instance, or no longer.

Holds: what `add`, `remove`, `clear` and `set` of a way back do.
Imports: bulk changes, queries.
Never: touches a row that refers to something else, unless it is given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import QueryError
from ..fields.relations import Relation
from ..query.query import Query
from ..steps import Call, Operation, Transaction
from .bulk import update

__all__ = ["add_referring", "point_rows", "remove_referring", "save_each", "set_referring"]


def add_referring(
    instance: Any, relation: Relation, things: Sequence[Any], database: Any, *, bulk: bool
) -> Operation[None]:
    """Let *things* refer to *instance*: by one UPDATE, or by saving each.

    Raises:
        QueryError: One was not saved, and *bulk* saves none (`data/unsaved`).
    """
    values = {relation.field.name: instance}
    if bulk:
        yield from point_rows(relation.field.model, things, values, database, accessor=relation.accessor)
    else:
        yield Transaction(save_each(things, values, database), savepoint=False)


def save_each(things: Sequence[Any], values: Mapping[str, Any], database: Any) -> Operation[None]:
    """Give each of *things* these values, and save it."""
    for each in things:
        for name, value in values.items():
            setattr(each, name, value)
        yield Call(each._save_here, database)


def point_rows(
    model: Any, things: Sequence[Any], values: Mapping[str, Any], database: Any, *, accessor: str
) -> Operation[None]:
    """Give the rows of *things* these values by one UPDATE, and the instances too.

    Raises:
        QueryError: One was not saved (`data/unsaved`).
    """
    for each in things:
        if each.pk is None or not each.is_stored:
            raise QueryError(
                f"This {type(each).__name__} was not saved, and add() updates rows.",
                code="data/unsaved",
                hint=f"save() it first, or {accessor}.add(…, bulk=False).",
            )
    if not things:
        return
    rows = Query(model).framed(order=()).filtered((), {"pk__in": [each.pk for each in things]})
    yield from update(rows, values, database)
    for each in things:
        for name, value in values.items():
            setattr(each, name, value)


def remove_referring(
    instance: Any, relation: Relation, things: Sequence[Any] | None, database: Any, *, bulk: bool = True
) -> Operation[None]:
    """Let *things* (all, where that is `None`) refer to nothing.

    Raises:
        DoesNotExist: One does not refer to *instance*.
    """
    field = relation.field
    if things is None:
        rows = Query(field.model).framed(order=()).filtered((), {field.name: instance})
        yield from update(rows, {field.name: None}, database)
        return
    value = field.value_of(instance)
    for each in things:
        if getattr(each, field.attname) != value:
            raise field.target.DoesNotExist(
                f"{type(each).__name__} {each.pk!r} does not refer to this {type(instance).__name__} by {field.name}."
            )
    nothing = {field.name: None}
    if bulk:
        yield from point_rows(field.model, things, nothing, database, accessor=relation.accessor)
    else:
        yield Transaction(save_each(things, nothing, database), savepoint=False)


def set_referring(
    instance: Any, relation: Relation, things: Sequence[Any], database: Any, *, bulk: bool, clear: bool
) -> Operation[None]:
    """Let exactly *things* refer to *instance*; the others refer to nothing, where they may."""
    operation = _set(instance, relation, things, database, bulk=bulk, clear=clear)
    yield Transaction(operation, savepoint=False)


def _set(
    instance: Any, relation: Relation, things: Sequence[Any], database: Any, *, bulk: bool, clear: bool
) -> Operation[None]:
    field = relation.field
    if field.null:
        rows = Query(field.model).framed(order=()).filtered((), {field.name: instance})
        keep = [each.pk for each in things if each.pk is not None]
        if keep and not clear:
            rows = rows.filtered((), {"pk__in": keep}, negated=True)
        yield from update(rows, {field.name: None}, database)
    yield from add_referring(instance, relation, things, database, bulk=bulk)
