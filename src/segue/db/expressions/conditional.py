"""Choices inside a query.

Holds: `Case` and `When`.
Imports: the parts of `base`, `Q`.
Never: decides in Python.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..errors import QueryError
from .arithmetic import alike
from .base import Compiling, Expression, F, as_expression, output_facts
from .kinds import taken_as
from .q import Q

__all__ = ["Case", "When"]


class When(Expression):
    """A condition and what it gives: `When(year__lt=1940, then=Value("early"))`."""

    def __init__(self, condition: Any = None, *, then: Any, **lookups: Any) -> None:
        if lookups:
            named = Q(**lookups)
            condition = named if condition is None else condition & named
        if condition is None:
            raise QueryError("When() needs a condition.", code="data/condition", hint="When(year__lt=1940, then=…)")
        # A Q until a query resolves it.
        self.condition: Any = condition if isinstance(condition, Q) else Q(condition)
        self.result: Expression = F(then) if isinstance(then, str) else as_expression(then)

    def __repr__(self) -> str:
        return f"When({self.condition!r}, then={self.result!r})"

    def children(self) -> tuple[Expression, ...]:
        return self.condition, self.result


class Case(Expression):
    """The first `When` that holds, else *default*."""

    def __init__(self, *cases: When, default: Any = None, output_field: Any = None) -> None:
        self.cases = cases
        self.default: Expression = F(default) if isinstance(default, str) else as_expression(default)
        self.output_field = output_field

    def __repr__(self) -> str:
        return f"Case({', '.join(map(repr, self.cases))}, default={self.default!r})"

    def children(self) -> tuple[Expression, ...]:
        return (*self.cases, self.default)

    def facts(self) -> Hashable:
        return output_facts(self.output_field)

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        default = self.default.compile(compiler)
        if not self.cases:
            return self.typed(default)
        results = [each.result.compile(compiler) for each in self.cases]
        (*results, default), kind = alike(compiler, [*results, default])
        whens = [(compiler.condition(each.condition), result) for each, result in zip(self.cases, results, strict=True)]
        return self.typed(taken_as(sa.case(*whens, else_=default), kind))
