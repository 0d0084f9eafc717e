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
from .statements import insert_all, insert_row, update_all, update_row, update_rows

__all__ = ["finish", "only_statement", "save", "values_to_insert"]


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
    chosen = None if update_fields is None else _chosen(options, update_fields)
    if force_insert and (force_update or update_fields is not None):
        raise QueryError("save() cannot both insert and update.", code="data/argument", hint="Give one of the two.")
    if update_fields is not None and not chosen:
        return
    adding = instance._peers is None
    listened = not options.auto_created and sends(database, model, pre_save, post_save)
    if listened:
        yield from send(database, pre_save, model, instance=instance, raw=raw, using=database, update_fields=chosen)
    how: dict[str, Any] = {"adding": adding, "force_insert": force_insert, "force_update": force_update}
    concrete = options.concrete_model._meta
    if concrete.parents:
        created = yield Transaction(_write_family(instance, database, concrete, chosen, **how), savepoint=False)
    else:
        created = yield from _write_table(instance, database, concrete, chosen, **how)
    if adding:
        instance.__dict__["_peers"] = Peers(database)
    if listened:
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


# PERF: nearly every save is one statement. It is sent without an operation and its driver, which cost as much
# as the database does; where it turns out not to be enough, `save` does all of it.


Only = tuple[Any, Sequence[Any], Sequence[Any] | None]
"""A plan, its parameters, and the fields that the database fills in; `None` where it is an UPDATE."""


def only_statement(instance: Any, database: Any) -> Only | None:
    """Return the statement that saves *instance*; `None` where it takes more, or more than one may be needed."""
    options = instance._meta
    key, fields, fills, missing = options.cache.get("only statement") or _only_facts(options)
    if key is None or database.signals:
        return None
    kept = instance.__dict__
    number = kept.get(key)
    adding = instance._peers is None
    if (number is None) is not adding:
        return None
    values: list[Any] = []
    for attname, prepare in fields:
        value = kept.get(attname, NOT_PROVIDED)
        if value is NOT_PROVIDED or isinstance(value, Expression):
            return None
        values.append(value if prepare is None else prepare(value))
    # Only now, since it may change the instance.
    for at, fill, prepare in fills:
        value = fill(instance, adding=adding)
        if isinstance(value, Expression):
            return None
        values[at] = prepare(value)
    if adding:
        plan = insert_all(database, options.concrete_model, missing)
        return plan, plan.bind(values), missing
    if not values:
        return None
    values.append(options.pk.prepare(number))
    plan = update_all(database, options.concrete_model)
    return plan, plan.bind(values), None


OnlyFacts = tuple[str | None, tuple[tuple[str, Any], ...], tuple[tuple[int, Any, Any], ...], tuple[Any, ...]]


def _only_facts(options: Any) -> OnlyFacts:
    """Return the attribute of a key that the database counts; what is written beside it; what of that fills
    itself, and where; and what is not written.

    There is no such key where a row may take more than one statement.
    """
    concrete = options.concrete_model._meta
    key = concrete.pk
    is_plain = key.generated and key.kind.endswith("auto") and not concrete.composite
    is_plain = is_plain and not concrete.parents and not options.auto_created
    facts = _facts(concrete, keys=False)
    beside = tuple((attname, prepare if fill is None else None) for _, attname, fill, prepare in facts)
    fills = tuple((at, fill, prepare) for at, (_, _, fill, prepare) in enumerate(facts) if fill is not None)
    written = [field for field, *_ in facts]
    missing = tuple(field for field in concrete.local_fields if field not in written)
    found: OnlyFacts = (key.attname if is_plain else None, beside, fills, missing)
    options.cache["only statement"] = found
    return found


def finish(instance: Any, database: Any, only: Only, answer: Any) -> bool:
    """Take over the answer; return whether the instance is saved by it."""
    plan, _, missing = only
    if missing is None:
        _forget_computed(instance, instance._meta.concrete_model._meta)
        return bool(answer.count)
    _take_answer(instance, plan, missing, answer)
    instance.__dict__["_peers"] = Peers(database)
    return True


def _chosen(options: Any, names: Sequence[str]) -> frozenset[str]:
    if isinstance(names, str):
        raise QueryError(f"update_fields={names!r} is a text.", code="data/argument", hint=f"update_fields=[{names!r}]")
    fields = [options.get_field(name) for name in names]
    return frozenset(each.name for field in fields for each in field.columns)


def _write_family(
    instance: Any,
    database: Any,
    options: Any,
    chosen: frozenset[str] | None,
    *,
    adding: bool,
    force_insert: bool,
    force_update: bool,
) -> Operation[bool]:
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


Facts = tuple[Any, str, Any, Any]
"""A field that is written: itself, its attribute, what fills it in (if something does), its `prepare`."""


def _facts(options: Any, *, keys: bool) -> tuple[Facts, ...]:
    """Return what is asked of each field of a table at every save. PERF: asked once for each model."""
    name = "written" if keys else "written beside the key"
    found: tuple[Facts, ...] | None = options.cache.get(name)
    if found is None:
        found = options.cache[name] = tuple(
            (field, field.attname, field.pre_save if field.fills_itself else None, field.prepare)
            for field in options.local_fields
            if field.kind != "generated" and (keys or field not in options.pk_fields)
        )
    return found


def values_to_write(
    instance: Any, options: Any, *, adding: bool, keys: bool = True, chosen: frozenset[str] | None = None
) -> dict[Any, Any]:
    """Return the fields of a table with their values, prepared for the database.

    Fields that are not loaded, that the database computes, or that it has a default for
    and the instance no value, are left out.

    Args:
        adding: Whether it is for a new row.
        keys: Whether the key is among them.
        chosen: The names of those that are wanted; `None` is all.
    """
    found: dict[Any, Any] = {}
    kept = instance.__dict__
    for field, attname, fill, prepare in _facts(options, keys=keys):
        if chosen is not None and field.name not in chosen:
            continue
        value = kept.get(attname) if fill is None else fill(instance, adding=adding)
        if value is None:
            if attname not in kept and (not adding or field.db_default is not NOT_PROVIDED):
                continue
            if adding and field.generated:
                continue
        elif isinstance(value, Expression):
            found[field] = value
            continue
        found[field] = prepare(value)
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
    insertion, missing = _insertion(instance, database, options)
    _take_answer(instance, insertion.prepared, missing, (yield insertion))
    return True


def cut_key(key: tuple[Any, ...]) -> str:
    """Return a key as a message shows it."""
    return repr(key[0] if len(key) == 1 else key)[:80]


def _update(
    instance: Any, database: Any, options: Any, key: tuple[Any, ...], chosen: frozenset[str] | None, *, force: bool
) -> Operation[bool]:
    keys = options.pk_fields
    # PERF: a new row with a key of its own costs one UPDATE that finds nothing, as in Django.
    values = values_to_write(instance, options, adding=False, keys=False, chosen=chosen)
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
        if force or instance._peers is not None:
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
    computed: tuple[str, ...] | None = options.cache.get("computed")
    if computed is None:
        computed = options.cache["computed"] = tuple(
            field.attname for field in options.local_fields if field.kind == "generated"
        )
    for attname in computed:
        instance.__dict__.pop(attname, None)


def _insertion(instance: Any, database: Any, options: Any) -> tuple[Execute, Sequence[Any]]:
    """Return the INSERT of an instance, and the fields that the database fills in."""
    values = values_to_insert(instance, options)
    fields = tuple(values)
    missing = [field for field in options.local_fields if field not in values]
    plan = insert_row(database, options.model, fields, missing)
    return Execute(plan, plan.bind(list(values.values()))), missing


def _take_answer(instance: Any, plan: Any, missing: Sequence[Any], answer: Any) -> None:
    """Take over what the database filled in."""
    if not missing:
        return
    kept = instance.__dict__
    if plan.returns_rows:
        for field, value in zip(missing, plan.hydrate(answer, None)[0], strict=True):
            kept[field.attname] = value
        return
    for field in missing:
        if field.generated and field.kind.endswith("auto"):
            kept[field.attname] = answer.last_id
        else:
            kept.pop(field.attname, None)  # fetched when it is touched


def values_to_insert(instance: Any, options: Any) -> dict[Any, Any]:
    """Return the values of a row that is not there yet, by field.

    Raises:
        QueryError: One of them is an expression.
    """
    values = values_to_write(instance, options, adding=True)
    for field, value in values.items():
        if isinstance(value, Expression):
            raise QueryError(
                f"{options.object_name}.{field.name} cannot be an expression in a new row.",
                code="data/insert-expression",
                why="There is no row yet whose fields it could name.",
                hint="Save a value first, or use db_default=.",
            )
    return values
