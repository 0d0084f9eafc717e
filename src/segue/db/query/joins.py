"""The tables of one SELECT, and how they are joined.

Holds: `Joins`: aliases by path, and which of them a row must have.
Imports: SQLAlchemy's selectable parts.
Never: knows a look-up.

A join of a to-many relation belongs to one `filter()` call (its scope): conditions of
one call speak of the same related row, those of two calls may speak of two. What is not
a condition (an annotation, an order) shares the latest join there is.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from ..fields.relations import Hop

__all__ = ["Join", "Joins"]


class Join:
    """One table of the statement."""

    __slots__ = ("condition", "hop", "many", "model", "parent", "required", "scope", "table")

    def __init__(
        self,
        model: Any,
        table: FromClause,
        parent: Join | None = None,
        hop: Hop | None = None,
        scope: int | None = None,
    ) -> None:
        self.model: Any = model
        self.table: FromClause = table
        self.parent: Join | None = parent
        self.hop: Hop | None = hop
        self.scope: int | None = scope
        self.required: bool = False
        self.many: bool = bool(hop is not None and hop.many) or bool(parent is not None and parent.many)
        self.condition: ColumnElement[bool] | None = None

    def column(self, field: Any) -> ColumnElement[Any]:
        """Return a column of this table."""
        columns: Any = self.table.c
        return columns[field.column]  # type: ignore[no-any-return]  # a column

    def require(self) -> None:
        """Demand that a row has this one and all between."""
        join: Join | None = self
        while join is not None and not join.required:
            join.required = True
            join = join.parent

    @property
    def outer(self) -> bool:
        """Whether rows without it are kept."""
        if self.required or self.parent is None or self.hop is None:
            return False
        return self.hop.optional or self.parent.outer


class Joins:
    """The tables of one SELECT.

    Args:
        model: The model at its root.
        table: Its table, or an alias of it.
        name_alias: Gives the next free alias.
        vendor: Which database it is for.
    """

    def __init__(self, model: Any, table: FromClause, name_alias: Any, vendor: str = "") -> None:
        self.root: Join = Join(model, table)
        self.vendor = vendor
        self.name_alias = name_alias
        self.all: list[Join] = []
        self._known: dict[tuple[int, Any, int, int | None], Join] = {}
        self._latest: dict[tuple[int, Any, int], Join] = {}

    def follow(self, parent: Join, relation: Any, index: int, *, scope: int | None, share: int | None) -> Join:
        """Return the join of one hop of a relation, made if it is new.

        Args:
            scope: The `filter()` call it belongs to; `None` outside conditions.
            share: How many calls' joins of to-many relations it may share; `None` for all.
        """
        hop: Hop = relation.hops[index]
        many = hop.many or parent.many
        # By the columns, not by the field: a relation to its own model is walked both ways, and a
        # many-to-many relation meets the same row between as the way back of one of its keys.
        extra = getattr(relation.field, "join_condition", None)
        place = (id(parent), (hop.target, hop.pairs, None if extra is None else relation.field), index)
        if many and scope is None:
            latest = self._latest.get(place)
            if latest is not None and (share is None or latest.scope is None or latest.scope < share):
                return latest
        key = (*place, scope if many else None)
        found = self._known.get(key)
        if found is None:
            table = hop.target._meta.table.alias(self.name_alias())
            found = Join(hop.target, table, parent, hop, scope if many else None)
            if extra is not None:
                found.condition = extra(relation, parent, found, self.vendor)
            else:
                near, far = parent.model._meta, hop.target._meta
                found.condition = sa.and_(
                    *[
                        parent.column(near.find_field(here)) == found.column(far.find_field(there))
                        for here, there in hop.pairs
                    ]
                )
            self._known[key] = found
            self.all.append(found)
        if many:
            self._latest[place] = found
        return found

    def ancestor(self, join: Join, field: Any) -> Join:
        """Return the join that has *field*: a concrete parent's table, for inherited ones."""
        links = join.model._meta.concrete_model._meta.link_to(field.model) if field.model is not join.model else ()
        for link in links:
            join = self.follow(join, _ParentLink(link), 0, scope=join.scope, share=None)
        return join

    def source(self) -> FromClause:
        """Return the FROM clause."""
        found: Any = self.root.table
        for join in self.all:
            assert join.condition is not None
            found = found.join(join.table, join.condition, isouter=join.outer)
        return found  # type: ignore[no-any-return]  # a selectable

    def tables(self) -> list[FromClause]:
        """Return every table of the statement."""
        return [self.root.table, *(join.table for join in self.all)]


class _ParentLink:
    """The way from a child's table to its parent's: it is always there."""

    def __init__(self, link: Any) -> None:
        self.field = link
        self.hops = (Hop(link.target, ((link.attname, link.remote.attname),)),)
