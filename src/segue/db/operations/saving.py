"""Saving one instance.

Holds: what `save()` does: signals, tables of parents first, INSERT or UPDATE.
Imports: statements, signals.
Never: validates; that is at the edges and in `full_clean()`.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import DatabaseError, QueryError
from ..expressions.base import Expression
from ..fields.base import NOT_PROVIDED
from ..fields.relations import OneToOneField
from ..instance import Peers
from ..query.query import Query
from ..signals import post_save, pre_save, send, sends
from ..steps import Execute, Operation, Transaction
from .statements import insert_row, update_row, update_rows

__all__ = ["save", "values_to_write"]


def save(
    instance: Any,
    database: Any,
    *,
    update_fields: Sequence[str] | None = None,
    force_insert: bool = False,
    force_update: bool = False,
    raw: bool = False,
) -> Operation[None]:
    """Write *instance*: a row of its table, and of each concrete parent's.

    Raises:
        QueryError: `update_fields` names no field, or force_insert and force_update meet.
        DatabaseError: Nothing was updated, though it had to be.
    """
    model = type(instance)
    options = model._meta
    chosen = _chosen(options, update_fields)
    if force_insert and (force_update or update_fields is not None):
        raise QueryError("save() cannot both insert and update.", code="data/argument", hint="Give one of the two.")
    if update_fields is not None and not chosen:
        return
    adding = instance._peers is None
    listened = sends(database, model, pre_save, post_save)
    if listened and not options.auto_created:
        yield from send(database, pre_save, model, instance=instance, raw=raw, using=database, update_fields=chosen)
    write = _write(instance, database, chosen, adding=adding, force_insert=force_insert, force_update=force_update)
    if options.parents:
        created = yield Transaction(write, savepoint=False)
    else:
        created = yield from write
    if instance._peers is None:
        instance.__dict__["_peers"] = Peers(database)
    if listened and not options.auto_created:
        yield from send(
            database,
            post_save,
            model,
            instance=instance,
            created=created,
            raw=raw,
            using=database,
            update_fields=chosen,
        )


def _chosen(options: Any, names: Sequence[str] | None) -> frozenset[str] | None:
    if names is None:
        return None
    if isinstance(names, str):
        raise QueryError(f"update_fields={names!r} is a text.", code="data/argument", hint=f"update_fields=[{names!r}]")
    return frozenset(options.get_field(name).name for name in names)


def _write(
    instance: Any,
    database: Any,
    chosen: frozenset[str] | None,
    *,
    adding: bool,
    force_insert: bool,
    force_update: bool,
) -> Operation[bool]:
    options = type(instance)._meta.concrete_model._meta
    for parent, link in options.parents.items():
        yield from _write_parent(instance, database, parent, link, chosen, adding=adding, force_insert=force_insert)
    return (
        yield from _write_table(
            instance, database, options, chosen, adding=adding, force_insert=force_insert, force_update=force_update
        )
    )


def _write_parent(
    instance: Any,
    database: Any,
    parent: Any,
    link: OneToOneField[Any],
    chosen: frozenset[str] | None,
    *,
    adding: bool,
    force_insert: bool,
) -> Operation[None]:
    options = parent._meta
    for further, further_link in options.parents.items():
        yield from _write_parent(
            instance, database, further, further_link, chosen, adding=adding, force_insert=force_insert
        )
    remote = link.remote.attname
    values = instance.__dict__
    if values.get(remote) is None and values.get(link.attname) is not None:
        values[remote] = values[link.attname]
    yield from _write_table(instance, database, options, chosen, adding=adding, force_insert=False, force_update=False)
    values[link.attname] = values[remote]


def values_to_write(
    instance: Any, fields: Sequence[Any], *, adding: bool, chosen: frozenset[str] | None = None
) -> dict[Any, Any]:
    """Return fields with their values, prepared for the database.

    Fields that are not loaded, that the database computes, or that it has a default for
    and the instance no value, are left out.
    """
    found: dict[Any, Any] = {}
    kept = instance.__dict__
    for field in fields:
        if chosen is not None and field.name not in chosen:
            continue
        if field.kind == "generated":
            continue
        # PERF: most fields keep what they are given, and are not asked.
        value = field.pre_save(instance, adding=adding) if field.fills_itself else kept.get(field.attname)
        if value is None:
            if field.attname not in kept and (not adding or field.db_default is not NOT_PROVIDED):
                continue
            if adding and field.generated:
                continue
        elif isinstance(value, Expression):
            found[field] = value
            continue
        found[field] = field.prepare(value)
    return found


def _write_table(
    instance: Any,
    database: Any,
    options: Any,
    chosen: frozenset[str] | None,
    *,
    adding: bool,
    force_insert: bool,
    force_update: bool,
) -> Operation[bool]:
    kept = instance.__dict__
    keys = options.pk_fields
    key = tuple(kept.get(field.attname) for field in keys)
    has_key = None not in key
    own_default = adding and all(field.has_default for field in keys)
    if has_key and not force_insert and not (own_default and chosen is None and not force_update):
        updated = yield from _update(instance, database, options, key, chosen, force=force_update or chosen is not None)
        if updated:
            return False
        if force_update or chosen is not None:
            raise DatabaseError(
                f"{type(instance).__name__} {cut_key(key)} was not updated: no row has that key.",
                code="data/not-updated",
                hint="It was deleted, or was never saved; save() without update_fields inserts it.",
            )
    elif force_update or (chosen is not None and not has_key):
        raise QueryError(
            f"{type(instance).__name__} has no key, and cannot be updated.",
            code="data/unsaved",
            hint="save() inserts it.",
        )
    yield from _insert(instance, database, options)
    return True


def cut_key(key: tuple[Any, ...]) -> str:
    """Return a key as a message shows it."""
    return repr(key[0] if len(key) == 1 else key)[:80]


def _update(
    instance: Any, database: Any, options: Any, key: tuple[Any, ...], chosen: frozenset[str] | None, *, force: bool
) -> Operation[bool]:
    keys = options.pk_fields
    adding = instance._peers is None
    fields = [field for field in options.local_fields if field not in keys]
    # PERF: a new row with a key of its own costs one UPDATE that finds nothing, as in Django.
    values = values_to_write(instance, fields, adding=False, chosen=chosen)
    model = options.model
    if values and not any(isinstance(value, Expression) for value in values.values()):
        plan = update_row(database, model, tuple(values))
        written = yield Execute(
            plan, plan.bind([*values.values(), *[field.prepare(part) for field, part in zip(keys, key, strict=True)]])
        )
        _forget_computed(instance, options)
        return bool(written.count)
    query = Query(model).filtered((), {field.attname: value for field, value in zip(keys, key, strict=True)})
    if not values:
        if force or not adding:
            return True
        from ..query.plans import plan_of
        from ..query.query import Selection

        plan, found = plan_of(query.framed(selection=Selection("flat", (keys[0].name,)), order=()), database)
        rows = yield Execute(plan, plan.bind(found))
        return bool(rows)
    values = {
        field: value.resolve(query) if isinstance(value, Expression) else value for field, value in values.items()
    }
    plan, parameters = update_rows(database, query, values)
    written = yield Execute(plan, parameters)
    for field, value in values.items():
        if isinstance(value, Expression):
            # What the database computed is fetched when it is touched.
            instance.__dict__.pop(field.attname, None)
    _forget_computed(instance, options)
    return bool(written.count)


def _forget_computed(instance: Any, options: Any) -> None:
    for field in options.local_fields:
        if field.kind == "generated":
            instance.__dict__.pop(field.attname, None)


def _insert(instance: Any, database: Any, options: Any) -> Operation[None]:
    values = values_to_write(instance, options.local_fields, adding=True)
    expressions = [field for field, value in values.items() if isinstance(value, Expression)]
    if expressions:
        raise QueryError(
            f"{options.object_name}.{expressions[0].name} cannot be an expression in a new row.",
            code="data/insert-expression",
            why="There is no row yet whose fields it could name.",
            hint="Save a value first, or use db_default=.",
        )
    fields = tuple(values)
    missing = [field for field in options.local_fields if field not in values]
    plan = insert_row(database, options.model, fields, missing)
    answer = yield Execute(plan, plan.bind(list(values.values())))
    kept = instance.__dict__
    if not missing:
        return
    if plan.returns_rows:
        for field, value in zip(missing, plan.hydrate(answer, None)[0], strict=True):
            kept[field.attname] = value
        return
    generated = [field for field in missing if field.generated and field.kind.endswith("auto")]
    for field in generated:
        kept[field.attname] = answer.last_id
    for field in missing:
        if field not in generated:
            kept.pop(field.attname, None)  # fetched when it is touched
