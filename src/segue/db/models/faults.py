"""What is told to whoever gave a value that a rule of the table refuses.

Holds: the faults of unique values, constraints and references; `fault_of`, which finds the one that
an error of the database means.
Imports: fields, constraints, floor 0.
Never: asks the database; never repeats a value.

A rule is checked before a row is written, but another writer may come between. Then the database
refuses the row, and the user is told the same as by the check.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from ...errors import Fault
from ..errors import IntegrityError
from ..fields.relations import ForeignKey
from ..naming import short_name
from .constraints import BaseConstraint, UniqueConstraint

__all__ = ["columns_in", "constraint_fault", "family_of", "fault_of", "missing_target", "not_unique", "unique_groups"]


def family_of(options: Any) -> list[Any]:
    """Return the model whose table this is, and every concrete one above it."""
    found: list[Any] = [options.concrete_model]
    for parent in options.parents:
        found += [each for each in family_of(parent._meta) if each not in found]
    return found


def unique_groups(options: Any) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Return the fields that must be unique together, each group with the model of its table."""
    for model in family_of(options):
        own = model._meta
        for field in (*own.local_fields, *own.local_references):
            if field.unique and not field.generated and not getattr(field, "parent_link", False):
                yield (field,), model
        for group in groups_of(own.unique_together):
            yield tuple(own.get_field(name) for name in group), model
        if own.composite:
            # A foreign key of several columns is told of as one.
            yield tuple(dict.fromkeys(getattr(each, "reference", each) for each in own.pk_fields)), model


def columns_in(fields: Iterable[Any]) -> tuple[Any, ...]:
    """Return the fields that are the columns of *fields*, in order."""
    return tuple(dict.fromkeys(each for field in fields for each in field.columns))


def groups_of(given: Sequence[Any]) -> list[tuple[str, ...]]:
    """Return the groups of `unique_together`, which may be given as one."""
    if given and all(isinstance(each, str) for each in given):
        return [tuple(given)]
    return [tuple(each) for each in given]


def not_unique(options: Any, fields: Sequence[Any]) -> Fault:
    """Return the fault of values that another row has."""
    name = options.verbose_name[:1].upper() + options.verbose_name[1:]
    if len(fields) == 1:
        field = fields[0]
        text = field.error_messages["unique"].format(model=name, field=field.verbose_name)
        return Fault((field.name,), "unique", text)
    names = " and ".join(field.verbose_name for field in fields)
    return Fault((), "unique_together", f"{name} with this {names} already exists.")


def constraint_fault(options: Any, constraint: BaseConstraint) -> Fault:
    """Return the fault of a row that breaks one of `Meta.constraints`."""
    if not isinstance(constraint, UniqueConstraint):
        return Fault((), constraint.violation_error_code, constraint.violation_error_message)
    fields = [options.get_field(name) for name in constraint.fields]
    if fields and not constraint.has_own_message:
        plain = not_unique(options, fields)
        return Fault(plain.path, constraint.violation_error_code, plain.message)
    path = (fields[0].name,) if len(fields) == 1 else constraint.path
    return Fault(path, constraint.violation_error_code, constraint.violation_error_message)


def missing_target(field: ForeignKey[Any]) -> Fault:
    """Return the fault of a reference to a row that is not there, or not among the choices."""
    return Fault((field.name,), "invalid", f"There is no such {field.target._meta.verbose_name}.")


def fault_of(error: IntegrityError, model: Any) -> Fault:
    """Return what an error of the database means to whoever gave the values of a row.

    It is the same fault that `full_clean()` finds where nobody comes between.

    Args:
        model: The model that was written, or an instance of it.
    """
    options = model._meta
    for each in family_of(options):
        found = _found(error, options, each._meta)
        if found is not None:
            return found
    texts = {
        "unique": "A row with these values exists already.",
        "not_null": "A value is missing.",
        "foreign_key": "A row that this refers to is not there.",
    }
    return Fault((), error.kind or "constraint", texts.get(error.kind, "A rule of the database refuses this."))


def _found(error: IntegrityError, options: Any, own: Any) -> Fault | None:
    """Look among the rules of one table."""
    if error.table and error.table != own.db_table:
        return None
    by_name = {each.named(own): each for each in own.constraints}
    constraint = by_name.get(error.constraint)
    if constraint is not None:
        return constraint_fault(own, constraint)
    look = {"unique": _found_unique, "not_null": _found_null, "check": _found_check, "foreign_key": _found_reference}
    return look[error.kind](error, options, own) if error.kind in look else None


def _found_unique(error: IntegrityError, options: Any, own: Any) -> Fault | None:
    for fields, model in unique_groups(own):
        if model is not own.model:
            continue
        columns = tuple(field.column for field in columns_in(fields))
        keys = {short_name("uq", own.db_table, *columns)}
        if columns_in(fields) == own.pk_fields:
            keys |= {"PRIMARY", f"{own.db_table}_pkey"}
        if error.constraint in keys or (error.columns and set(error.columns) == set(columns)):
            return not_unique(options, fields)
    for constraint in own.constraints:
        if isinstance(constraint, UniqueConstraint) and constraint.fields:
            columns = tuple(field.column for field in own.columns_of(constraint.fields))
            if error.columns and set(error.columns) == set(columns):
                return constraint_fault(own, constraint)
    return None


def _found_null(error: IntegrityError, options: Any, own: Any) -> Fault | None:
    for field in own.local_fields:
        if field.column in error.columns:
            fault = field.fault("null")
            # A part of a reference is nothing that anybody was asked for.
            return Fault((getattr(field, "reference", field).name,), fault.code, fault.message)
    return None


def _found_check(error: IntegrityError, options: Any, own: Any) -> Fault | None:
    for field in own.local_fields:
        if getattr(field, "positive", False) and error.constraint == short_name("ck", own.db_table, field.column):
            return Fault((field.name,), "min_value", "This must be at least 0.", {"limit": 0})
    for field in own.local_references:
        if error.constraint == short_name("ck", own.db_table, *[each.column for each in field.fields]):
            fault = field.fault("invalid")
            return Fault((field.name,), fault.code, fault.message)
    return None


def _found_reference(error: IntegrityError, options: Any, own: Any) -> Fault | None:
    for field in own.local_foreign_keys:
        columns = [each.column for each in field.columns]
        is_named = error.constraint == short_name("fk", own.db_table, *columns)
        if is_named or (not error.constraint and set(columns) & set(error.columns)):
            return missing_target(field)
    return None
