"""Checking an instance before it is written.

Holds: `full_clean` and its parts; unique values, references and constraints, one query each; `fault_of`.
Imports: queries, reading, floor 0.
Never: saves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ...errors import Fault, ValidationError
from ..expressions.base import Expression, F, OrderBy
from ..expressions.q import Q
from ..operations.reading import load_fields
from ..query.instances import condition_plan, substituted
from ..query.plans import plan_of
from ..query.query import Query, Selection
from ..signals import call
from ..steps import Execute, Operation
from .constraints import CheckConstraint, UniqueConstraint
from .faults import columns_in, constraint_fault, family_of, fault_of, missing_target, not_unique, unique_groups

__all__ = ["clean_fields", "fault_of", "full_clean", "validate_constraints", "validate_unique"]


def clean_fields(instance: Any, exclude: Iterable[str] = ()) -> None:
    """Check and convert each field's value.

    Raises:
        ValidationError: With a fault for each field that is wrong.
    """
    faults: list[Fault] = []
    left_out = set(exclude)
    kept = instance.__dict__
    options = instance._meta
    for field in options.fields:
        if field.name in left_out or field.attname not in kept or field.kind in ("generated", "key_part"):
            continue
        value = kept[field.attname]
        if isinstance(value, Expression):
            continue
        if field.blank and _is_empty(field, value):
            continue
        if value is None and field.generated:
            continue
        try:
            kept[field.attname] = field.clean(value, instance)
        except ValidationError as error:
            faults += [
                Fault((field.name, *fault.path), fault.code, fault.message, fault.params) for fault in error.faults
            ]
    for reference in options.references:
        if reference.name not in left_out:
            faults += _clean_reference(reference, kept)
    if faults:
        raise ValidationError(faults)


def _clean_reference(field: Any, kept: dict[str, Any]) -> list[Fault]:
    """Check and convert the columns of a foreign key of several; return the faults."""
    names = [part.attname for part in field.fields]
    if not all(name in kept for name in names) or any(isinstance(kept[name], Expression) for name in names):
        return []
    key = tuple([kept[name] for name in names])
    missing = [part for part in field.own_parts if kept[part.attname] is None]
    try:
        if missing and len(missing) < len(field.own_parts):
            raise field.invalid()
        if missing and field.blank:
            return []
        field.set_parts(kept, field.clean(None if None in key else key))
    except ValidationError as error:
        return [Fault((field.name, *fault.path), fault.code, fault.message, fault.params) for fault in error.faults]
    return []


def _is_empty(field: Any, value: Any) -> bool:
    # By type too: 0 == False, and an array of numpy has no truth.
    return any(type(value) is type(empty) and value == empty for empty in field.empty_values)


def full_clean(
    instance: Any,
    database: Any,
    exclude: Iterable[str] = (),
    *,
    unique: bool = True,
    constraints: bool = True,
    overridden: frozenset[str] = frozenset(),
) -> Operation[None]:
    """Check everything; faults of one step do not hide those of the next, but for fields known bad.

    Args:
        unique: Whether unique fields are checked.
        constraints: Whether `Meta.constraints` are.
        overridden: The names of methods that the model has in place of Segue's; one that is not
            async runs in a thread on a loop.
    """
    faults: list[Fault] = []
    left_out = set(exclude)
    wanted = ["clean_fields", "targets", "clean"]
    wanted += ["validate_unique"] if unique else []
    wanted += ["validate_constraints"] if constraints else []
    for name in wanted:
        try:
            if name == "clean":
                if name in overridden:
                    yield from call(database, instance.clean)
            elif name in overridden:
                yield from call(database, getattr(instance, name), set(left_out))
            elif name == "clean_fields":
                clean_fields(instance, left_out)
            else:
                yield from _CHECKS[name](instance, database, left_out)
        except ValidationError as error:
            faults += error.faults
            left_out |= {str(fault.path[0]) for fault in error.faults if fault.path}
    if faults:
        raise ValidationError(faults)


def validate_targets(instance: Any, database: Any, exclude: Iterable[str] = ()) -> Operation[None]:
    """Check that what foreign keys refer to is there, and among the choices; one query each.

    Raises:
        ValidationError: It is not.
    """
    left_out = set(exclude)
    kept = instance.__dict__
    faults: list[Fault] = []
    options = instance._meta
    for field in options.foreign_keys:
        values = [kept.get(part.attname) for part in field.columns]
        if (
            field.name in left_out
            or any(value is None or isinstance(value, Expression) for value in values)
            or getattr(field, "parent_link", False)
        ):
            continue
        limit: Any = field.limit_choices_to() if callable(field.limit_choices_to) else field.limit_choices_to
        loaded = kept.get(field.name)
        if loaded is not None and loaded._peers is not None and not limit:
            continue
        query = field.target._meta.base_queryset().query.framed(order=())
        query = query.filtered((), dict(zip((there for _, there in field.pairs), values, strict=True)))
        if limit:
            query = query.filtered((limit,), {}) if isinstance(limit, Q) else query.filtered((), dict(limit))
        if not (yield from _exists(query, database)):
            faults.append(missing_target(field))
    if faults:
        raise ValidationError(faults)


def _others(instance: Any, model: Any, condition: dict[str, Any], database: Any) -> Operation[bool]:
    query = Query(model).framed(order=()).filtered((), condition)
    return (yield from _exists(_without(instance, model, query), database))


def _without(instance: Any, model: Any, query: Query) -> Query:
    """Leave the instance's own row out."""
    key = {field.attname: instance.__dict__.get(field.attname) for field in model._meta.pk_fields}
    if instance._peers is None or None in key.values():
        return query
    return query.filtered((), key, negated=True)


def _exists(query: Query, database: Any) -> Operation[bool]:
    key = query.model._meta.pk_fields[0].name
    plan, values = plan_of(query.framed(selection=Selection("tuple", (key,)), order=()).copy(high=1), database)
    rows = yield Execute(plan, plan.bind(values))
    return bool(rows)


def _load(instance: Any, names: Iterable[str], database: Any) -> Operation[bool]:
    """Load what was deferred of some columns; tell whether all have a value that Python knows."""
    kept = instance.__dict__
    missing = [name for name in names if name not in kept]
    if missing and instance._peers is not None and instance.pk is not None:
        yield from load_fields([instance], missing, database)
    return all(name in kept and not isinstance(kept[name], Expression) for name in names)


def validate_unique(instance: Any, database: Any, exclude: Iterable[str] = ()) -> Operation[None]:
    """Check unique fields and `unique_together`, one query each.

    Raises:
        ValidationError: Another row has the same.
    """
    left_out = set(exclude)
    options = instance._meta
    faults: list[Fault] = []
    for fields, model in unique_groups(options):
        columns = columns_in(fields)
        names = [field.attname for field in columns]
        if left_out & {field.name for field in fields} or not (yield from _load(instance, names, database)):
            continue
        values = {name: instance.__dict__[name] for name in names}
        if None in values.values():
            continue
        if columns == model._meta.pk_fields and instance._peers is not None:
            continue
        if (yield from _others(instance, model, values, database)):
            faults.append(not_unique(options, fields))
    for field in options.fields:
        for span, day in field.unique_for.items():
            if not left_out & {field.name, day}:
                fault = yield from _same_day(instance, field, span, day, database)
                if fault is not None:
                    faults.append(fault)
    if faults:
        raise ValidationError(faults)


_PARTS = {"date": ("year", "month", "day"), "month": ("month",), "year": ("year",)}


def _same_day(instance: Any, field: Any, span: str, name: str, database: Any) -> Operation[Fault | None]:
    if not (yield from _load(instance, (field.attname, name), database)):
        return None
    value, day = instance.__dict__[field.attname], instance.__dict__[name]
    if value is None or day is None:
        return None
    condition = {field.attname: value} | {f"{name}__{part}": getattr(day, part) for part in _PARTS[span]}
    if (yield from _others(instance, field.model, condition, database)):
        return Fault((field.name,), f"unique_for_{span}", f"This {field.verbose_name} is taken for that {span}.")
    return None


def validate_constraints(instance: Any, database: Any, exclude: Iterable[str] = ()) -> Operation[None]:
    """Check `Meta.constraints`, one query each; those that name an excluded field are left to the database.

    Raises:
        ValidationError: One is broken.
    """
    left_out = set(exclude)
    faults: list[Fault] = []
    options = instance._meta
    for model in family_of(options):
        for constraint in model._meta.constraints:
            broken = False
            if isinstance(constraint, CheckConstraint):
                broken = yield from _check_broken(instance, model, constraint, database, left_out)
            elif isinstance(constraint, UniqueConstraint):
                broken = yield from _unique_broken(instance, model, constraint, database, left_out)
            if broken:
                faults.append(constraint_fault(model._meta, constraint))
    if faults:
        raise ValidationError(faults)


def _names_in(thing: Any) -> set[str]:
    """Return the fields that a condition or expression names."""
    if isinstance(thing, Q):
        return {name for child in thing.children for name in _names_in(child)}
    if isinstance(thing, tuple):
        leaf: tuple[Any, Any] = thing  # pyright: ignore[reportUnknownVariableType]  # of any kind
        return {str(leaf[0]).partition("__")[0]} | _names_in(leaf[1])
    if isinstance(thing, Expression):
        return {each.name.partition("__")[0] for each in thing.walk() if isinstance(each, F)}
    made = getattr(thing, "__expression__", None)
    return _names_in(made()) if made is not None else set()


def _ready(instance: Any, model: Any, names: set[str], database: Any, left_out: set[str]) -> Operation[bool]:
    """Load what a constraint names; tell whether Python has a value for all of it."""
    fields = [
        field for name in names for field in (model._meta.pk_fields if name == "pk" else [model._meta.get_field(name)])
    ]
    if left_out & {field.name for field in fields}:
        return False
    return (yield from _load(instance, [field.attname for field in columns_in(fields)], database))


def _check_broken(
    instance: Any, model: Any, constraint: CheckConstraint, database: Any, left_out: set[str]
) -> Operation[bool]:
    if not (yield from _ready(instance, model, _names_in(constraint.condition), database, left_out)):
        return False
    # The database itself judges: the instance's values stand where its columns would.
    return not (yield from holds(instance, model, constraint.condition, database))


def holds(instance: Any, model: Any, condition: Q, database: Any, *, unknown: bool = True) -> Operation[bool]:
    """Ask the database whether a condition is true of an instance's values.

    Args:
        unknown: The answer where it is NULL: a check lets that pass, a condition of an index does not.
    """
    plan, values = condition_plan(instance, model, condition, database)
    rows = yield Execute(plan, plan.bind(values))
    return unknown if rows[0][0] is None else bool(rows[0][0])


def _unique_broken(
    instance: Any, model: Any, constraint: UniqueConstraint, database: Any, left_out: set[str]
) -> Operation[bool]:
    options = model._meta
    names = set(constraint.fields)
    for expression in constraint.expressions:
        names |= _names_in(expression)
    if constraint.condition is not None:
        names |= _names_in(constraint.condition)
    if not (yield from _ready(instance, model, names, database, left_out)):
        return False
    query = Query(model).framed(order=())
    if constraint.fields:
        values = {
            field.attname: instance.__dict__.get(field.attname) for field in options.columns_of(constraint.fields)
        }
        if None in values.values() and constraint.nulls_distinct is not False:
            return False
        query = query.filtered((), values)
    for number, expression in enumerate(constraint.expressions):
        inner = expression.expression if isinstance(expression, OrderBy) else expression
        query = query.annotated({f"part{number}": inner}, shown=False)
        query = query.filtered((), {f"part{number}": substituted(inner, instance, options)})
    if constraint.condition is not None:
        if not (yield from holds(instance, model, constraint.condition, database, unknown=False)):
            return False
        query = query.filtered((constraint.condition,), {})
    return (yield from _exists(_without(instance, model, query), database))


_CHECKS: dict[str, Callable[[Any, Any, Iterable[str]], Operation[None]]] = {
    "targets": validate_targets,
    "validate_unique": validate_unique,
    "validate_constraints": validate_constraints,
}
