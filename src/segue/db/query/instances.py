"""Conditions on values that are not in the database yet.

Holds: a condition of a model, asked of one instance's values by the database itself.
Imports: the compiler, plans.
Never: judges in Python: NULLs, collations and functions are the database's.
"""

from __future__ import annotations

from copy import copy
from typing import Any

import sqlalchemy as sa

from ..errors import QueryError
from ..expressions.base import Expression, F, Value
from ..shapes import Keyer
from .compiler import Parameters, SelectCompiler
from .plans import Plan, compile_statement
from .query import Query

__all__ = ["condition_plan", "substituted"]


def substituted(expression: Any, instance: Any, options: Any) -> Any:
    """Return *expression* with an instance's values in place of its fields."""
    if isinstance(expression, F):
        field = options.get_field(expression.name)
        return Value(field.prepare(instance.__dict__.get(field.attname)), field)
    if not isinstance(expression, Expression):
        return expression
    new = copy(expression)
    for name, value in vars(expression).items():
        if isinstance(value, Expression):
            vars(new)[name] = substituted(value, instance, options)
        elif isinstance(value, tuple):
            items: Any = vars(expression)[name]
            vars(new)[name] = tuple(substituted(each, instance, options) for each in items)
    return new


class _OfInstance(SelectCompiler):
    """Compiles a condition in which a column is a parameter: the instance's value."""

    columns_used: dict[str, Value]

    def reach(self, reached: Any, *, strict: bool = False) -> Any:
        if reached.relations and not (len(reached.relations) == 1 and reached.relation is not None):
            raise QueryError(
                "A constraint cannot look through a relation.", code="data/constraint", hint="Name own fields alone."
            )
        field = reached.field
        if reached.relations:
            field = reached.relations[0].field
        if not field.is_column:
            return [self._value_of(each) for each in field.fields], self.joins.root
        return self._value_of(field), self.joins.root

    def _value_of(self, field: Any) -> Any:
        value = self.bind(self.columns_used[field.attname], field.column_type())
        # `$1 IS NULL` alone has no type there
        return sa.cast(value, field.column_type()) if self.vendor == "postgresql" else value


def condition_plan(instance: Any, model: Any, condition: Any, database: Any) -> tuple[Plan, list[Any]]:
    """Return the plan that says whether a condition holds for an instance's values."""
    query = Query(model)
    node = query.condition(condition)
    keyer = Keyer()
    shape = node.shape(keyer)
    used: dict[str, Value] = {}
    for field in model._meta.fields:
        if field.attname not in instance.__dict__:
            continue
        value = instance.__dict__[field.attname]
        if isinstance(value, Expression):
            continue
        stand_in = used[field.attname] = Value(None, field)
        keyer.slot(stand_in, field.prepare(value), field.attname)
    key = ("condition", model, shape, tuple(used))

    def build() -> Plan:
        parameters = Parameters(database.dialect, keyer.slots)
        compiler = _OfInstance(query, parameters)
        compiler.columns_used = used
        element = node.compile(compiler)
        return compile_statement(sa.select(sa.case((element, 1), (sa.not_(element), 0), else_=None)), parameters)

    return database.plans.find(key, build), keyer.values
