"""Queries with names, that others join: `WITH`.

Holds: `CTE`, also one that refers to itself; its columns.
Imports: the parts of `base`.
Never: runs the query.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from sqlalchemy.sql.elements import ColumnElement

from ...errors import did_you_mean
from ..errors import FieldError, QueryError
from ..naming import check_alias
from ..shapes import Keyer
from .base import Compiling, Expression, Resolving

__all__ = ["CTE", "CTEColumn"]


class CTE:
    """A query with a name; `QuerySet.with_cte()` joins it, and `cte["total"]` is its column.

    >>> totals = CTE("totals", Record.objects.values("leader").annotate(n=Count("pk")))  # doctest: +SKIP
    >>> Musician.objects.with_cte(totals, pk="leader").annotate(n=totals["n"])  # doctest: +SKIP

    Args:
        name: Its name in the statement.
        queryset: Its rows; `values()` says which columns it has.

    Raises:
        QueryError: The name is none, or it is no queryset.
    """

    def __init__(self, name: str, queryset: Any) -> None:
        self.name: str = check_alias(name, "CTE()")
        self.query: Any = _query_of(queryset)
        self.step: Any = None

    @classmethod
    def recursive(cls, name: str, start: Any, step: Callable[[CTE], Any]) -> CTE:
        """Return one whose rows lead to further rows.

        Args:
            start: The queryset of the first rows.
            step: Makes the queryset of the next ones: it joins what it is given with
                `with_cte()`, and has columns of the same names.

        >>> tree = CTE.recursive(  # doctest: +SKIP
        ...     "tree",
        ...     Category.objects.filter(parent=None).values("id", depth=Value(0)),
        ...     lambda tree: Category.objects.with_cte(tree, parent="id").values("id", depth=tree["depth"] + 1),
        ... )
        """
        made = cls(name, start)
        made.step = _query_of(step(made))
        if made.step.frame.selection is None or len(made.step.frame.selection.names) != len(made.names):
            raise QueryError(
                f"The two queries of {name} have not the same columns.",
                code="data/cte",
                hint=f"values({', '.join(repr(each) for each in made.names)}) in both.",
            )
        return made

    def __repr__(self) -> str:
        return f"CTE({self.name!r})"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its columns."""
        selection = self.query.frame.selection
        if selection is not None:
            return tuple(selection.names)
        shown = [name for name, each in self.query.frame.annotations.items() if each.shown]
        return (*[field.attname for field in self.query.model._meta.fields], *shown)

    def __getitem__(self, name: str) -> CTEColumn:
        if name not in self.names:
            raise FieldError(
                f"{self.name} has no column {str(name)[:80]!r}.",
                code="data/unknown-name",
                hint=did_you_mean(str(name), self.names) or f"Columns: {', '.join(self.names)}.",
            )
        return CTEColumn(self, name)

    def shape(self, keyer: Keyer) -> Hashable:
        """Return its part of a key; inside itself its name is enough."""
        if not keyer.enter(self):
            return self.name
        return self.name, self.query.shape(keyer), None if self.step is None else self.step.shape(keyer)


def _query_of(queryset: Any) -> Any:
    query = getattr(queryset, "query", None)
    if query is None:
        raise QueryError(
            f"A CTE is of a queryset, not of {type(queryset).__name__}.",
            code="data/cte",
            hint='CTE("recent", Record.objects.filter(year__gte=2020).values("id"))',
        )
    return query


class CTEColumn(Expression):
    """A column of a `CTE`, in a query that joins it."""

    def __init__(self, cte: CTE, name: str) -> None:
        self.cte = cte
        self.name = name

    def __repr__(self) -> str:
        return f"{self.cte.name}[{self.name!r}]"

    def facts(self) -> Hashable:
        return self.cte.name, self.name

    def resolve(self, resolver: Resolving) -> Expression:
        return self

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        return compiler.cte_column(self.cte, self.name)
