"""Hiding rows in place of deleting them, and showing them again.

Holds: what `SoftDelete` does: rows and those that go with them are marked, and unmarked together.
Imports: reading, bulk, signals.
Never: removes a row.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from ...errors import ValidationError
from ..errors import IntegrityError, ProtectedError, RestrictedError
from ..fields.relations import CASCADE, PROTECT, RESTRICT, ForeignKey
from ..fields.times import now
from ..models.faults import fault_of
from ..query.query import Query
from ..signals import post_delete, pre_delete, send, sends
from ..steps import Operation, Transaction
from .bulk import update
from .reading import fetch

__all__ = ["hide", "is_hidable", "show"]

Counts = dict[str, int]


def is_hidable(model: Any) -> bool:
    """Tell whether rows of *model* are hidden, not deleted."""
    return hasattr(model, "_hides_rows")


def hide(query: Query, database: Any, instance: Any = None) -> Operation[tuple[int, Counts]]:
    """Hide a query's rows, and those that refer to them by CASCADE; return how many, by model.

    Rows of models that are not hidden stay as they are: what they refer to is still there.

    Args:
        instance: The one that the caller has of the row; it learns of the change.

    Raises:
        ProtectedError: Visible rows refer to them by PROTECT (or RESTRICT, as `RestrictedError`).
    """
    plain = query.framed(order=(), related=(), only=None, deferred=frozenset(), lock=None)
    return (yield Transaction(_hide(plain, database, instance), savepoint=False))  # type: ignore[no-any-return]  # the step's result


def _hide(query: Query, database: Any, own: Any) -> Operation[tuple[int, Counts]]:
    found: dict[Any, dict[Any, Any]] = {}
    refused: list[tuple[ForeignKey[Any], list[Any]]] = []
    yield from _gather(query.filtered((), {"deleted_at__isnull": True}), database, found, refused)
    for field, protecting in refused:
        left = [row for row in protecting if row.pk not in found.get(row._meta.concrete_model, {})]
        if left:
            kind = ProtectedError if field.on_delete is PROTECT else RestrictedError
            shown = ", ".join(repr(row) for row in left[:5])
            raise kind(
                f"{field.target.__name__} cannot be deleted: {len(left)} {field.model.__name__} refer to it by "
                f"{field.model.__name__}.{field.name} ({shown}).",
                left,
                hint=f"Delete those first, or choose another on_delete for {field.model.__name__}.{field.name}.",
            )
    mark = {"deleted_at": now(), "deletion": uuid.uuid4()}
    counts: Counts = {}
    for model, rows in found.items():
        listened = sends(database, model, pre_delete, post_delete)
        for instance in rows.values() if listened else ():
            yield from send(database, pre_delete, model, instance=instance, using=database, origin=instance)
        keys = Query(model).framed(order=()).filtered((), {"pk__in": list(rows)})
        counts[model._meta.label] = yield from update(keys, mark, database)
        for instance in _with_own(rows, own):
            instance.__dict__.update(mark)
        for instance in rows.values() if listened else ():
            yield from send(database, post_delete, model, instance=instance, using=database, origin=instance)
    return sum(counts.values()), counts


def _with_own(rows: dict[Any, Any], own: Any) -> list[Any]:
    return [*rows.values(), own] if own is not None and own.pk in rows and own in rows.values() else [*rows.values()]


def _gather(
    query: Query,
    database: Any,
    found: dict[Any, dict[Any, Any]],
    refused: list[tuple[ForeignKey[Any], list[Any]]],
) -> Operation[None]:
    rows: list[Any] = yield from fetch(query, database)
    if not rows:
        return
    model = rows[0]._meta.concrete_model
    known = found.setdefault(model, {})
    new = [row for row in rows if row.pk not in known]
    known.update((row.pk, row) for row in new)
    for field in model._meta.referrers() if new else ():
        inner = _referring(field, new)
        if inner is None:
            continue
        if field.on_delete is CASCADE and is_hidable(field.model):
            yield from _gather(inner.filtered((), {"deleted_at__isnull": True}), database, found, refused)
        elif field.on_delete in (PROTECT, RESTRICT):
            if is_hidable(field.model):
                inner = inner.filtered((), {"deleted_at__isnull": True})
            refused.append((field, (yield from fetch(inner, database))))


def _referring(field: ForeignKey[Any], rows: Sequence[Any]) -> Query | None:
    if getattr(field, "parent_link", False) or field.model._meta.auto_created:  # pyright: ignore[reportPrivateUsage]  # of this package
        return None
    values = [value for value in map(field.value_of, rows) if value is not None]
    return Query(field.model).framed(order=()).filtered((), {f"{field.attname}__in": values})


def show(query: Query, database: Any, instance: Any = None) -> Operation[int]:
    """Show a query's rows again, and what was hidden with them; return how many.

    Args:
        instance: The one that the caller has of the row; it learns of the change.

    Raises:
        ValidationError: Another row has taken a value that must be unique.
    """
    plain = query.framed(order=(), related=(), only=None, deferred=frozenset(), lock=None)
    return (yield Transaction(_show(plain, database, instance)))  # type: ignore[no-any-return]  # the step's result


def _show(query: Query, database: Any, own: Any) -> Operation[int]:
    found: dict[Any, dict[Any, Any]] = {}
    rows: list[Any] = yield from fetch(query.filtered((), {"deleted_at__isnull": False}), database)
    for row in rows:
        yield from _follow(row._meta.concrete_model, [row], row.deletion, database, found)
    count = 0
    for model, instances in found.items():
        keys = Query(model).framed(order=()).filtered((), {"pk__in": list(instances)})
        try:
            count += yield from update(keys, {"deleted_at": None, "deletion": None}, database)
        except IntegrityError as error:
            raise ValidationError([fault_of(error, model)]) from error
        for instance in _with_own(instances, own):
            instance.__dict__.update(deleted_at=None, deletion=None)
    return count


def _follow(
    model: Any, rows: list[Any], deletion: uuid.UUID, database: Any, found: dict[Any, dict[Any, Any]]
) -> Operation[None]:
    known = found.setdefault(model, {})
    new = [row for row in rows if row.pk not in known]
    known.update((row.pk, row) for row in new)
    for field in model._meta.referrers() if new else ():
        inner = _referring(field, new)
        if inner is None or field.on_delete is not CASCADE or not is_hidable(field.model):
            continue
        below: list[Any] = yield from fetch(inner.filtered((), {"deletion": deletion}), database)
        if below:
            yield from _follow(below[0]._meta.concrete_model, below, deletion, database, found)
