"""Queries inside queries.

Holds: `Subquery`, `Exists`, `OuterRef`.
Imports: the parts of `base`.
Never: runs the query inside.
"""

from __future__ import annotations

from collections.abc import Hashable
from copy import copy
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ..errors import QueryError
from .base import Compiling, Expression, Resolving, output_facts
from .kinds import constant

__all__ = ["Exists", "OuterRef", "Subquery"]


class OuterRef(Expression):
    """A field of the query around the one it stands in; `OuterRef(OuterRef("pk"))` of the one around that."""

    def __init__(self, name: str | OuterRef) -> None:
        if not isinstance(name, str | OuterRef):  # pyright: ignore[reportUnnecessaryIsInstance]  # of users
            raise QueryError(
                f"OuterRef() takes the name of a field, not {type(name).__name__}.",
                code="data/outer-ref",
                hint='OuterRef("pk")',
            )
        self.name: str = name if isinstance(name, str) else name.name
        # How many queries further out.
        self.further: int = 0 if isinstance(name, str) else name.further + 1

    def __repr__(self) -> str:
        return "OuterRef(" * (self.further + 1) + repr(self.name) + ")" * (self.further + 1)

    def facts(self) -> Hashable:
        return self.name, self.further

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        return compiler.outer(self.name, self.further)


class Subquery(Expression):
    """The one value that a queryset gives for each row: `Subquery(qs.values("year")[:1])`."""

    def __init__(self, queryset: Any, output_field: Any = None) -> None:
        query = getattr(queryset, "query", None)
        if query is None:
            raise QueryError(
                f"{type(self).__name__}() takes a queryset, not {type(queryset).__name__}.",
                code="data/argument",
                hint=f'{type(self).__name__}(Record.objects.filter(leader=OuterRef("pk")))',
            )
        self.query: Any = query
        self.output_field = output_field

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.query!r})"

    def facts(self) -> Hashable:
        return output_facts(self.output_field)

    def shape(self, keyer: Any) -> Hashable:
        return type(self), self.facts(), self.query.shape(keyer)

    def resolve(self, resolver: Resolving) -> Expression:
        return self  # its names are those of its own query

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        return self.typed(compiler.subselect(self.query).scalar_subquery())


class Exists(Subquery):
    """Whether a queryset has rows; `~Exists(…)` whether it has none."""

    is_condition_expression: ClassVar[bool] = True

    def __init__(self, queryset: Any) -> None:
        super().__init__(queryset)
        self.negated = False

    def __invert__(self) -> Exists:
        inverted = copy(self)
        inverted.negated = not self.negated
        return inverted

    def facts(self) -> Hashable:
        return self.negated

    def __and__(self, other: Any) -> Any:
        from .q import Q

        return Q(self) & other

    def __or__(self, other: Any) -> Any:
        from .q import Q

        return Q(self) | other

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        inner = compiler.subselect(self.query.bare())
        found = sa.exists(inner.with_only_columns(constant("1"), maintain_column_froms=True))
        return ~found if self.negated else found
