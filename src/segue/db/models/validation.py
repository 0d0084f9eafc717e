"""Checking an instance before it is written.

Holds: `full_clean` and its parts; constraints, one query each.
Imports: queries, reading, floor 0.
Never: saves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...errors import Fault, ValidationError
from ..expressions.base import Expression, F, OrderBy
from ..expressions.q import Q
from ..query.plans import plan_of
from ..query.query import Query, Selection
from ..steps import Call, Execute, Operation
from .constraints import CheckConstraint, UniqueConstraint

__all__ = ["afull_clean", "clean_fields", "full_clean", "validate_constraints", "validate_unique"]

NON_FIELD = "__all__"


def clean_fields(instance: Any, exclude: Iterable[str] = ()) -> None:
    """Check and convert each field's value.

    Raises:
        ValidationError: With a fault for each field that is wrong.
    """
    faults: list[Fault] = []
    left_out = set(exclude)
    kept = instance.__dict__
    for field in type(instance)._meta.fields:
        if field.name in left_out or field.attname not in kept or field.kind == "generated":
            continue
        value = kept[field.attname]
        if isinstance(value, Expression):
            continue
        if value in field.empty_values and field.blank:
            continue
        if value is None and field.generated:
            continue
        try:
            kept[field.attname] = field.clean(value, instance)
        except ValidationError as error:
            faults += [
                Fault((field.name, *fault.path), fault.code, fault.message, fault.params) for fault in error.faults
            ]
    if faults:
        raise ValidationError(faults)


def full_clean(instance: Any, database: Any, exclude: Iterable[str] = ()) -> Operation[None]:
    """Check everything; faults of one step do not hide those of the next, but for fields known bad."""
    faults: list[Fault] = []
    left_out = set(exclude)
    try:
        clean_fields(instance, left_out)
    except ValidationError as error:
        faults += error.faults
    left_out |= {str(fault.path[0]) for fault in faults if fault.path}
    try:
        yield Call(instance.clean)
    except ValidationError as error:
        faults += error.faults
        left_out |= {str(fault.path[0]) for fault in error.faults if fault.path}
    for check in (validate_unique, validate_constraints):
        try:
            yield from check(instance, database, left_out)
        except ValidationError as error:
            faults += error.faults
    if faults:
        raise ValidationError(faults)


afull_clean = full_clean


def _others(instance: Any, model: Any, condition: dict[str, Any], database: Any) -> Operation[bool]:
    query = Query(model).framed(order=()).filtered((), condition)
    return (yield from _exists(_without(instance, model, query), database))


def _without(instance: Any, model: Any, query: Query) -> Query:
    if instance._peers is not None and instance.pk is not None and isinstance(instance, model):
        return query.filtered((), {"pk": instance.pk}, negated=True)
    return query


def _exists(query: Query, database: Any) -> Operation[bool]:
    key = query.model._meta.pk_fields[0].name
    plan, values = plan_of(query.framed(selection=Selection("tuple", (key,)), order=()).copy(high=1), database)
    rows = yield Execute(plan, plan.bind(values))
    return bool(rows)


def validate_unique(instance: Any, database: Any, exclude: Iterable[str] = ()) -> Operation[None]:
    """Check unique fields and `unique_together`, one query each.

    Raises:
        ValidationError: Another row has the same.
    """
    left_out = set(exclude)
    options = type(instance)._meta
    faults: list[Fault] = []
    for group, model in _unique_groups(options):
        fields = [model._meta.get_field(name) for name in group]
        if left_out & {field.name for field in fields}:
            continue
        values = {field.attname: instance.__dict__.get(field.attname) for field in fields}
        if any(value is None or isinstance(value, Expression) for value in values.values()):
            continue
        if fields[0] in options.pk_fields and len(fields) == 1 and instance._peers is not None:
            continue
        if (yield from _others(instance, model, values, database)):
            faults.append(_not_unique(options, fields))
    for field in options.fields:
        for span, day in field.unique_for.items():
            if not left_out & {field.name, day}:
                fault = yield from _same_day(instance, field, span, day, database)
                if fault is not None:
                    faults.append(fault)
    if faults:
        raise ValidationError(faults)


def _unique_groups(options: Any) -> list[tuple[tuple[str, ...], Any]]:
    found: list[tuple[tuple[str, ...], Any]] = []
    for field in options.fields:
        if field.unique and not field.generated and not getattr(field, "parent_link", False):
            found.append(((field.name,), field.model))
    for model in (options.concrete_model, *options.parents):
        given = model._meta.unique_together
        groups = [given] if given and all(isinstance(each, str) for each in given) else given
        found += [(tuple(group), model) for group in groups]
    if options.composite:
        found.append((tuple(field.name for field in options.pk_fields), options.model))
    return found


def _not_unique(options: Any, fields: list[Any]) -> Fault:
    if len(fields) == 1:
        field = fields[0]
        text = field.error_messages["unique"].format(model=options.verbose_name.capitalize(), field=field.verbose_name)
        return Fault((field.name,), "unique", text)
    names = " and ".join(field.verbose_name for field in fields)
    return Fault((), "unique_together", f"{options.verbose_name.capitalize()} with this {names} already exists.")


_PARTS = {"date": ("year", "month", "day"), "month": ("month",), "year": ("year",)}


def _same_day(instance: Any, field: Any, span: str, name: str, database: Any) -> Operation[Fault | None]:
    value, day = instance.__dict__.get(field.attname), instance.__dict__.get(name)
    if value is None or day is None:
        return None
    condition = {field.attname: value} | {f"{name}__{part}": getattr(day, part) for part in _PARTS[span]}
    if (yield from _others(instance, type(instance), condition, database)):
        return Fault((field.name,), f"unique_for_{span}", f"This {field.verbose_name} is taken for that {span}.")
    return None


def validate_constraints(instance: Any, database: Any, exclude: Iterable[str] = ()) -> Operation[None]:
    """Check `Meta.constraints`, one query each; those that name an excluded field are left to the database.

    Raises:
        ValidationError: One is broken.
    """
    left_out = set(exclude)
    faults: list[Fault] = []
    options = type(instance)._meta
    for model in (options.concrete_model, *options.parents):
        for constraint in model._meta.constraints:
            if isinstance(constraint, CheckConstraint):
                broken = yield from _check_broken(instance, model, constraint, database, left_out)
                path: tuple[str, ...] = ()
            elif isinstance(constraint, UniqueConstraint):
                broken = yield from _unique_broken(instance, model, constraint, database, left_out)
                path = constraint.fields if len(constraint.fields) == 1 else ()
            else:
                continue
            if broken:
                faults.append(Fault(path, constraint.violation_error_code, constraint.violation_error_message))
    if faults:
        raise ValidationError(faults)


def _names_in(condition: Any) -> set[str]:
    names: set[str] = set()
    for child in condition.children:
        if isinstance(child, Q):
            names |= _names_in(child)
        elif isinstance(child, tuple):
            names.add(child[0].partition("__")[0])
            if isinstance(child[1], Expression):
                names |= {each.name.partition("__")[0] for each in child[1].walk() if isinstance(each, F)}
        elif isinstance(child, Expression):
            names |= {each.name.partition("__")[0] for each in child.walk() if isinstance(each, F)}
    return names


def _check_broken(
    instance: Any, model: Any, constraint: CheckConstraint, database: Any, left_out: set[str]
) -> Operation[bool]:
    options = model._meta
    names = _names_in(constraint.condition)
    if names & left_out or any(
        isinstance(instance.__dict__.get(options.get_field(n).attname), Expression) for n in names
    ):
        return False
    # The database itself judges: the instance's values stand where its columns would.
    return not (yield from holds(instance, model, constraint.condition, database))


def holds(instance: Any, model: Any, condition: Q, database: Any) -> Operation[bool]:
    """Ask the database whether a condition is true (or NULL) of an instance's values."""
    from ..query.instances import condition_plan

    plan, values = condition_plan(instance, model, condition, database)
    rows = yield Execute(plan, plan.bind(values))
    return rows[0][0] is None or bool(rows[0][0])


def _unique_broken(
    instance: Any, model: Any, constraint: UniqueConstraint, database: Any, left_out: set[str]
) -> Operation[bool]:
    options = model._meta
    query = Query(model).framed(order=())
    if constraint.fields:
        if left_out & set(constraint.fields):
            return False
        values = {options.get_field(name).attname: None for name in constraint.fields}
        values = {name: instance.__dict__.get(name) for name in values}
        if any(value is None for value in values.values()) and constraint.nulls_distinct is not False:
            return False
        query = query.filtered((), values)
    for number, expression in enumerate(constraint.expressions):
        inner = expression.expression if isinstance(expression, OrderBy) else expression
        names = {each.name for each in inner.walk() if isinstance(each, F)}
        if names & left_out:
            return False
        query = query.annotated({f"part{number}": inner}, shown=False)
        query = query.filtered((), {f"part{number}": _with_values(inner, instance, options)})
    if constraint.condition is not None:
        if _names_in(constraint.condition) & left_out:
            return False
        if not (yield from holds(instance, model, constraint.condition, database)):
            return False
        query = query.filtered((constraint.condition,), {})
    return (yield from _exists(_without(instance, model, query), database))


def _with_values(expression: Any, instance: Any, options: Any) -> Any:
    """Return an expression with the instance's values where its fields stand."""
    from ..query.instances import substituted

    return substituted(expression, instance, options)
