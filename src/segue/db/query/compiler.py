"""From a query to a SELECT.

Holds: `SelectCompiler`, which walks one query, and `Parameters`, its slots.
Imports: joins, conditions, expressions.
Never: sees a value, but those that no key could hold; runs on a miss of the plan cache alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BindParameter, ColumnElement, UnaryExpression
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.types import TypeEngine

from ...errors import did_you_mean
from ..errors import FieldError, NotSupportedError, QueryError
from ..expressions.aggregates import Aggregate, Count
from ..expressions.base import Expression, F, OrderBy
from ..expressions.kinds import AnyDecimal, constant, is_whole
from ..expressions.subqueries import OuterRef
from ..fields.special import JSONField
from ..types import ExactDecimal, vendor_of
from .joins import Join, Joins
from .lookups import Pattern, Regex
from .query import Annotation, Frame, Lock, Query
from .where import Leaf, Node, finish

__all__ = ["Column", "Parameters", "SelectCompiler"]

# The characters that a text of a recursive query may grow to on MySQL.
_WIDEST = 4000
Through = Callable[[Any], Any] | None


class Parameters:
    """The slots of a statement, and the parameters that show them.

    Attributes:
        shown: For each parameter's name: the slot, and what changes its value first.
        secrets: The names of parameters that no log shows.
        hides: Whether what is made now is one of them.
        model: Whose rows the statement is about.
    """

    def __init__(self, dialect: Any, slots: dict[int, int]) -> None:
        self.dialect = dialect
        self.vendor: str = vendor_of(dialect)
        self.slots = slots
        self.shown: dict[str, tuple[int, Through]] = {}
        self.secrets: set[str] = set()
        self.hides = False
        self.model: Any = None
        self.ctes: dict[int, Any] = {}
        self._cte_names: dict[str, int] = {}
        self._aliases = 0

    def make(self, slot: int, type_: TypeEngine[Any], through: Through = None) -> BindParameter[Any]:
        """Return a parameter that shows *slot*."""
        name = f"s{slot}_{len(self.shown)}"
        self.shown[name] = (slot, through)
        if self.hides:
            self.secrets.add(name)
        return sa.bindparam(name, type_=type_, required=True)

    def cte(self, cte: Any) -> Any:
        """Return a named query of the statement, compiled at its first use.

        Raises:
            QueryError: Another one has its name.
        """
        found = self.ctes.get(id(cte))
        if found is not None:
            return found
        if self._cte_names.setdefault(cte.name, id(cte)) != id(cte):
            raise QueryError(
                f"Two CTEs of one query are called {cte.name!r}.", code="data/cte", hint="Give each its own name."
            )
        found = self._labelled(cte, cte.query).cte(cte.name, recursive=cte.step is not None)
        self.ctes[id(cte)] = found
        if cte.step is not None:
            found = found.union_all(self._labelled(cte, cte.step))
            self.ctes[id(cte)] = found
        return found

    def _labelled(self, cte: Any, query: Query) -> Any:
        compiler = SelectCompiler(query if query.is_sliced else query.framed(order=()), self)
        statement = compiler.select()
        if not isinstance(statement, sa.Select):
            statement = sa.select(statement.subquery(self.next_alias()))
        chosen: list[Any] = []
        for column, each, name in zip(statement.exported_columns, compiler.columns, cte.names, strict=True):
            kind = each.element.type
            element = column if cte.step is None else self._widened(column, kind)
            chosen.append(sa.type_coerce(element, kind).label(name))
        return statement.with_only_columns(*chosen, maintain_column_froms=True)

    def _widened(self, column: Any, kind: Any) -> Any:
        """Return a column of a recursive query: what its first rows are must hold all later ones."""
        if self.vendor == "sqlite":
            return column
        if isinstance(kind, sa.String):
            return sa.cast(column, sa.Text() if self.vendor == "postgresql" else sa.CHAR(_WIDEST))
        if self.vendor == "postgresql" and is_whole(kind):
            return sa.cast(column, sa.BigInteger())
        if self.vendor == "postgresql" and isinstance(kind, ExactDecimal | AnyDecimal):
            return sa.cast(column, sa.Numeric())
        return column

    def next_alias(self) -> str:
        """Return a name that no other table of the statement has."""
        self._aliases += 1
        return f"t{self._aliases}"


PART = "\x00"
"""Stands in a label between a key of several columns and each of them; no name can have it."""


class Column:
    """One column of a result.

    Attributes:
        label: What rows call it.
        element: The Core expression.
        field: The field it is of, where it is one's.
        optional: Of a part of a key: whether there may be no key.
    """

    __slots__ = ("element", "field", "label", "optional")

    def __init__(self, label: str, element: ColumnElement[Any], field: Any = None, *, optional: bool = False) -> None:
        self.label: str = label
        self.element: ColumnElement[Any] = element
        self.field: Any = field
        self.optional: bool = optional


class SelectCompiler:
    """Compiles one query; those inside it get compilers of their own."""

    def __init__(self, query: Query, parameters: Parameters, outer: SelectCompiler | None = None) -> None:
        self.query = query
        self.parameters = parameters
        if outer is None:
            parameters.model = query.model
        self.vendor: str = parameters.vendor
        self.dialect: Any = parameters.dialect
        self.outer_compiler = outer
        # Where this compiles a part of a query apart, the compiler of that query.
        self.whole: SelectCompiler | None = None
        table: Any = query.model._meta.table
        if query.frame.statement is not None:
            # Whatever is asked of its rows is asked of it as a table.
            raw = query.frame.statement
            table = self._slotted(raw.element, raw.slots(self)).subquery(parameters.next_alias())
        elif outer is not None:
            table = table.alias(parameters.next_alias())
        self.joins: Joins = Joins(query.model, table, parameters.next_alias, self.vendor)
        self._annotations: dict[str, ColumnElement[Any]] = {}
        # The column is kept beside its items: while it lives, nothing else has its identity.
        self._items: dict[Any, tuple[Any, Any]] = {}
        self._scope: int | None = None
        self._share: int | None = None
        self._strict = False
        self._apart: set[str] = set()
        self._cte_tables: dict[int, Any] = {
            id(each.cte): parameters.cte(each.cte).alias(parameters.next_alias())
            for each in query.frame.ctes
            if each.on is not None
        }
        self._later: list[Any] = []
        self._around: Any = None
        self.columns: list[Column] = []

    # What expressions and look-ups ask

    def parameter(self, node: object, type_: TypeEngine[Any], offset: int = 0, through: Through = None) -> Any:
        """Return the parameter of a node's slot."""
        return self.parameters.make(self.slot_of(node) + offset, type_, through)

    def bind(self, node: object, type_: TypeEngine[Any], offset: int = 0) -> Any:
        """Return the parameter of a node's slot."""
        hides, self.parameters.hides = self.parameters.hides, _is_secret(node) or self.parameters.hides
        try:
            return self.parameters.make(self.slot_of(node) + offset, type_)
        finally:
            self.parameters.hides = hides

    def slot_of(self, node: object) -> int:
        """Return the first slot of *node*."""
        return self.parameters.slots[id(node)]

    def path(self, name: str) -> Any:
        """Return the column that *name* reaches."""
        query = self.query
        if self.whole is not None and self.whole.query.frame.annotations:
            annotations = self.whole.query.frame.annotations
            if name in annotations or any(name.startswith(known + "__") for known in annotations):
                return self.whole.path(name)
        if name in query.frame.annotations:
            return self.annotation(name)
        for known in query.frame.annotations:
            if name.startswith(known + "__"):
                target = query.target(name)
                return self._transformed(self.annotation(known), target)
        reached = query.model._meta.resolve(name)
        element, _ = self.reach(reached)
        if not reached.rest:
            return element[_telling(reached)] if _is_key(element) else element
        target = finish(query.model.__name__, name, name, reached, reached.field, reached.rest)
        return self._transformed(element, target)

    def parts(self, name: str) -> list[Any]:
        """Return the columns that *name* reaches: several where it is a key of several."""
        if name not in self.query.frame.annotations and not any(
            name.startswith(known + "__") for known in self.query.frame.annotations
        ):
            reached = self.query.model._meta.resolve(name)
            if not reached.rest and not reached.field.is_column:
                element, _ = self.reach(reached)
                return list(element)
        return [self.path(name)]

    def parts_of(self, expression: Expression) -> Any:
        """Return the columns of the key that an expression is, or what it compiles to where it is none."""
        found: list[Any] = []
        if isinstance(expression, F):
            found = self.parts(expression.name)
        elif isinstance(expression, OuterRef):
            found = self._further(expression.name, expression.further).parts(expression.name)
        return found if len(found) > 1 else expression.compile(self)

    def outer(self, name: str, further: int = 0) -> ColumnElement[Any]:
        """Return a column of the query around this one, or of one so many further out."""
        return self._further(name, further).path(name)  # type: ignore[no-any-return]  # a column

    def _further(self, name: str, further: int) -> SelectCompiler:
        around: SelectCompiler | None = self
        for _ in range(further + 1):
            while around is not None and around.whole is not None:
                around = around.whole
            around = None if around is None else around.outer_compiler
        if around is None:
            raise QueryError(
                f'OuterRef("{name}") stands in a query that is in no other.',
                code="data/outer-ref",
                hint="Use it inside Subquery(…) or Exists(…).",
            )
        return around

    def condition(self, condition: Any) -> ColumnElement[bool]:
        """Compile a condition where rows are not chosen by it: in `CASE`, in `filter=`."""
        strict, self._strict = self._strict, False
        try:
            node = condition if isinstance(condition, Expression) else self.query.condition(condition)
            return node.compile(self)
        finally:
            self._strict = strict

    def subselect(self, query: Any) -> sa.Select[Any]:
        """Compile a query inside this one."""
        inner = SelectCompiler(query, self.parameters, self)
        statement: Any = inner.select()
        if isinstance(statement, sa.Select):
            return cast("sa.Select[Any]", statement).correlate_except(*inner.tables())
        return statement  # type: ignore[no-any-return]  # a compound select

    def tables(self) -> list[Any]:
        """Return the tables that its statement selects from."""
        around = [] if self._around is None else [self._around]
        return [*self.joins.tables(), *self._cte_tables.values(), *around]

    def source(self) -> Any:
        """Return the FROM clause, named queries joined."""
        conditions = [(each, each.on.compile(self)) for each in self.query.frame.ctes if each.on is not None]
        found: Any = self.joins.source()
        for each, condition in conditions:
            found = found.join(self._cte_tables[id(each.cte)], condition, isouter=each.outer)
        return found

    def cte_column(self, cte: Any, name: str) -> ColumnElement[Any]:
        """Return a column of a query that this one, or one around it, joins by its name."""
        compiler: SelectCompiler | None = self
        while compiler is not None:
            table = compiler._cte_tables.get(id(cte))
            if table is not None:
                return table.c[name]  # type: ignore[no-any-return]  # a column
            compiler = compiler.outer_compiler
        raise QueryError(
            f"{cte.name}[{name!r}] is used in a query that does not join it.",
            code="data/cte",
            hint=f'with_cte({cte.name}, pk="…")',
        )

    def raw(self, element: Any, slots: list[tuple[Any, int]]) -> Any:
        """Fit a Core expression to this statement's tables and slots."""
        table = self.query.model._meta.table
        root = self.joins.root.table
        if root is not table:
            element = ClauseAdapter(root).traverse(element)
        return self._slotted(element, slots)

    def _slotted(self, element: Any, slots: list[tuple[Any, int]]) -> Any:
        by_key = {bound._identifying_key: slot for bound, slot in slots}

        def replace(part: Any, **_: Any) -> Any:
            slot = by_key.get(getattr(part, "_identifying_key", None))
            if slot is not None:
                return self.parameters.make(slot, part.type)
            return None

        if not slots:
            return element
        return visitors.replacement_traverse(element, {}, replace)  # type: ignore[call-overload]  # typed for its own callers

    # Walking

    def reach(self, reached: Any, *, strict: bool = False) -> tuple[Any, Join]:
        """Return the column (a list for a composite key) that a path reaches, and its table.

        The last join is left out where the column before it says the same.
        """
        join = self.joins.root
        relations = reached.relations
        for at, relation in enumerate(relations):
            join = self._owner(join, relation)
            last = at == len(relations) - 1
            hops = len(relation.hops)
            for index in range(hops):
                hop = relation.hops[index]
                if last and index == hops - 1 and not hop.many and relation.kind in ("forward", "many"):
                    here = self._already_here(join, relation, reached.field)
                    if here is not None:
                        if strict and join is not self.joins.root:
                            join.require()
                        return here, join
                join = self.joins.follow(join, relation, index, scope=self._scope, share=self._share)
        if strict and join is not self.joins.root:
            join.require()
        return self.column_of(join, reached.field), join

    def _owner(self, join: Join, relation: Any) -> Join:
        """Return the table that the first column of a relation is in."""
        field = join.model._meta.find_field(relation.hops[0].pairs[0][0])
        return self.joins.ancestor(join, field)

    def _already_here(self, join: Join, relation: Any, field: Any) -> Any:
        hop = relation.hops[-1]
        if not getattr(field, "is_column", False):
            return self._key_already_here(join, hop, field)
        for here, there in hop.pairs:
            if there == field.attname and field.model is hop.target._meta.concrete_model:
                near = join.model._meta.find_field(here)
                return join.column(near) if relation.tells(near) else None
        return None

    def _key_already_here(self, join: Join, hop: Any, key: Any) -> Any:
        """Return the columns before a join that equal a key of several behind it, or `None`."""
        concrete = hop.target._meta.concrete_model
        known = {there: here for here, there in hop.pairs}
        if not all(each.attname in known and each.model is concrete for each in key.fields):
            return None
        near = join.model._meta
        return [join.column(near.find_field(known[each.attname])) for each in key.fields]

    def column_of(self, join: Join, field: Any) -> Any:
        """Return a field's column in a table; of a composite key, the list of them."""
        if not field.is_column:
            return [self.column_of(join, each) for each in field.fields]
        return self.joins.ancestor(join, field).column(field)

    def _transformed(self, element: Any, target: Any) -> Any:
        if target.keys:
            element = self._item(element, target)
        for transform in target.transforms:
            element = transform.build(self, element)
        return element

    def _item(self, element: Any, target: Any) -> Any:
        """Return what stands in JSON or an array; the same element for the same path, so that it can be grouped by."""
        from .documents import item

        as_text = bool(target.transforms) or isinstance(target.lookup, Pattern | Regex)
        key = id(element), target.keys, as_text
        found = self._items.get(key)
        if found is None:
            found = self._items[key] = element, item(self, element, target.keys, as_text=as_text)
        return found[1]

    # Conditions

    def leaf(self, leaf: Leaf) -> Any:
        """Compile one comparison."""
        target = leaf.target
        if target.reached is None:
            element: Any = self.annotation(target.path)
        else:
            strict = self._strict and not (target.lookup.name == "isnull" and leaf.kind is True) and leaf.kind != "null"
            element, _ = self.reach(target.reached, strict=strict)
        hides, self.parameters.hides = self.parameters.hides, target.field.secret or self.parameters.hides
        try:
            return target.lookup.compile(self, self._transformed(element, target), leaf)
        finally:
            self.parameters.hides = hides

    def node(self, node: Node) -> Any:
        """Compile several conditions; a denied one is true for NULL, as in Django."""
        strict = self._strict
        parts: list[Any] = []
        self._strict = strict and not node.negated and (node.connector == "AND" or len(node.parts) == 1)
        try:
            for part in node.parts:
                if node.negated and self._is_many(part):
                    parts.append(self._exists(part))
                else:
                    parts.append(part.compile(self))
        finally:
            self._strict = strict
        if node.connector == "XOR":
            joined = _odd(parts)
        else:
            joined = sa.and_(*parts) if node.connector == "AND" else sa.or_(*parts)
        if not node.negated:
            return joined
        # NOT NULL is NULL: a denied condition holds where the condition is not true.
        return (
            sa.case((joined, constant("0")), else_=constant("1")) == constant("1")
            if (self._may_be_null(node))
            else sa.not_(joined)
        )

    def _may_be_null(self, node: Node) -> bool:
        for part in node.parts:
            if isinstance(part, Node):
                if not part.negated and self._may_be_null(part):
                    return True
            elif isinstance(part, Leaf):
                if self._leaf_may_be_null(part):
                    return True
            elif not getattr(part, "is_condition_expression", False):
                return True
        return False

    def _leaf_may_be_null(self, leaf: Leaf) -> bool:
        target = leaf.target
        if target.lookup.name == "isnull" or leaf.kind in ("null", "never"):
            return False
        if target.reached is None or leaf.right is not None or target.keys or target.transforms:
            return True
        if any(relation.many for relation in target.reached.relations):
            return False
        return bool(target.reached.field.null) or any(each.optional for each in target.reached.relations)

    def _is_many(self, part: Expression) -> bool:
        return (
            isinstance(part, Leaf)
            and part.target.reached is not None
            and any(relation.many for relation in part.target.reached.relations)
        )

    def _exists(self, leaf: Expression) -> ColumnElement[bool]:
        """Compile a denied look-up through a to-many relation: no such row may exist."""
        inner = SelectCompiler(Query(self.query.model), self.parameters, self)
        inner.whole = self
        inner._strict = True
        inner._scope = 0
        condition = leaf.compile(inner)
        mine, theirs = self._keys(self.joins.root), inner._keys(inner.joins.root)
        same = [a == b for a, b in zip(mine, theirs, strict=True)]
        statement: Any = sa.select(constant("1")).select_from(inner.joins.source()).where(*same, condition)
        return sa.exists(statement.correlate_except(*inner.joins.tables()))

    def _keys(self, join: Join) -> list[ColumnElement[Any]]:
        return [self.joins.ancestor(join, field).column(field) for field in join.model._meta.pk_fields]

    # Annotations

    def annotation(self, name: str) -> Any:
        """Return a computed value, compiled once."""
        found = self._annotations.get(name)
        if found is None:
            annotation = self.query.frame.annotations[name]
            scope, share, strict = self._scope, self._share, self._strict
            self._scope, self._share, self._strict = None, annotation.after, False
            try:
                if name in self._apart:
                    found = self._aggregate_apart(annotation)
                else:
                    found = annotation.expression.compile(self)
            finally:
                self._scope, self._share, self._strict = scope, share, strict
            self._annotations[name] = found
        return found

    def _aggregate_apart(self, annotation: Annotation) -> Any:
        """Compute an aggregate in a query of its own, where another join would multiply its rows."""
        query = self.query
        keep = _many_heads_of(query, annotation.expression)
        where = tuple(node for node in query.where[: annotation.after] if _many_heads_of(query, node) & keep)
        inner = SelectCompiler(Query(query.model, where), self.parameters, self)
        inner.whole = self
        conditions = inner.conditions()
        inner._share = len(where)
        element = annotation.expression.compile(inner)
        same = [a == b for a, b in zip(self._keys(self.joins.root), inner._keys(inner.joins.root), strict=True)]
        statement = sa.select(element).select_from(inner.joins.source()).where(*same, *conditions)
        scalar = statement.correlate_except(*inner.joins.tables()).scalar_subquery()
        return sa.type_coerce(scalar, element.type)

    def conditions(self) -> list[Any]:
        """Return the conditions on rows, one for each of the query's; those on windows are kept for later."""
        found: list[Any] = []
        for scope, node in enumerate(self.query.where):
            plain, windowed = self._parted(node)
            self._scope, self._share, self._strict = scope, None, True
            found.append(plain.compile(self) if plain.parts else sa.true())
            self._strict = False
            if windowed.parts:
                self._later.append(windowed.compile(self))
        self._scope, self._strict = None, False
        return found

    def _parted(self, node: Node) -> tuple[Node, Node]:
        """Part a condition into what WHERE can hold, and what looks at windows."""
        nothing = Node("AND", ())
        if not any(each.expression.contains_window for each in self.query.frame.annotations.values()):
            return node, nothing
        if node.negated or node.connector != "AND":
            return (nothing, node) if self._sees_window(node) else (node, nothing)
        seen = tuple(part for part in node.parts if self._sees_window(part))
        plain = tuple(part for part in node.parts if part not in seen)
        return Node("AND", plain), Node("AND", seen)

    def _sees_window(self, part: Expression) -> bool:
        if part.is_window:
            return True
        if isinstance(part, F):
            return self._annotation_sees_window(part.name)
        if isinstance(part, Leaf) and part.target.reached is None and self._annotation_sees_window(part.target.path):
            return True
        return any(self._sees_window(child) for child in part.children())

    def _annotation_sees_window(self, name: str) -> bool:
        annotation = self.query.frame.annotations.get(name)
        return annotation is not None and self._sees_window(annotation.expression)

    def _plan_aggregates(self) -> None:
        """Decide which aggregates cannot share one FROM."""
        query = self.query
        found = {
            name: each.expression
            for name, each in query.frame.annotations.items()
            if each.expression.contains_aggregate
        }
        if not found:
            return
        heads: set[Any] = set()
        for scope, node in enumerate(query.where):
            heads |= {(scope, head) for head in _many_heads_of(query, node)}
        wheres = {head: scope for scope, head in heads}
        for name, expression in found.items():
            for head in _many_heads_of(query, expression):
                shared = wheres.get(head)
                within = shared is not None and shared < query.frame.annotations[name].after
                heads.add((shared if within else None, head))
        if len(heads) < 2:
            return
        apart = {name for name, each in found.items() if _minds_repeats(each)}
        if apart and query.frame.group is not None:
            raise QueryError(
                f"{', '.join(sorted(apart))} would count rows several times.",
                code="data/multiplied-aggregate",
                why="Two to-many relations are joined, and the rows of values() are grouped.",
                hint="Count(…, distinct=True), or Subquery(…) for one of them.",
            )
        self._apart = apart

    # The statement

    def select(self) -> Any:
        """Return the statement."""
        query = self.query
        frame = query.frame
        if frame.statement is not None and self.outer_compiler is None and query.is_statement:
            return self._from_statement()
        if frame.combined is not None:
            return self._compound()
        self._plan_aggregates()
        conditions = self.conditions()
        having = self._having(conditions)
        self._choose()
        order = self._order()
        statement: Any = sa.select(*[column.element for column in self.columns])
        if query.empty:
            conditions.append(sa.false())
        grouped = self._group(having)
        statement = statement.select_from(self.source())
        plain = [each for each, sums in zip(conditions, having, strict=False) if not sums]
        plain += conditions[len(having) :]
        if plain:
            statement = statement.where(*plain)
        if grouped is not None:
            statement = statement.group_by(*grouped)
        summed = [each for each, sums in zip(conditions, having, strict=False) if sums]
        if summed:
            statement = statement.having(sa.and_(*summed))
        if self._later:
            statement, order = self._qualified(statement, order)
        if frame.distinct_on:
            if self.vendor != "postgresql":
                raise NotSupportedError(
                    f"distinct({', '.join(map(repr, frame.distinct_on))}) is PostgreSQL's alone.",
                    code="data/not-supported",
                    hint="distinct() without names, or a Subquery that picks the row.",
                )
            from sqlalchemy.dialects.postgresql import distinct_on

            chosen = [each for name in frame.distinct_on for each in self.parts(name)]
            statement = statement.ext(distinct_on(*chosen))
        elif frame.distinct:
            statement, order = self._without_repeats(statement, order)
        if order:
            statement = statement.order_by(*order)
        return self._locked(self._limited(statement))

    def _qualified(self, statement: Any, order: list[Any]) -> tuple[Any, list[Any]]:
        """Choose rows by their windows: those are computed after WHERE, so in a query around it."""
        return self._wrapped(statement, order, sa.and_(*self._later))

    def _wrapped(self, statement: Any, order: list[Any], condition: Any = None) -> tuple[Any, list[Any]]:
        """Put a query around *statement*, which knows what rows are ordered and chosen by, and gives none of it."""
        elements = [column.element for column in self.columns]
        bare = [_undirected(each) for each in order]
        every = [*elements, *bare, *([] if condition is None else [condition])]
        inner = statement.with_only_columns(*[each.label(f"x{at}") for at, each in enumerate(every)])
        table = inner.subquery(self.parameters.next_alias())
        found = [sa.type_coerce(column, each.type) for column, each in zip(table.columns, every, strict=True)]
        self.columns = [
            Column(column.label, element, column.field) for column, element in zip(self.columns, found, strict=False)
        ]
        self._around = table
        around = sa.select(*[column.element for column in self.columns]).select_from(table)
        if condition is not None:
            around = around.where(found[-1])
        beside = found[len(elements) : len(elements) + len(bare)]
        return around, [_directed(element, each) for element, each in zip(beside, order, strict=True)]

    def _without_repeats(self, statement: Any, order: list[Any]) -> tuple[Any, list[Any]]:
        """Drop rows that are equal in what is selected and, as in Django, in what they are ordered by.

        Only some databases order by what DISTINCT does not select; here it is selected in a query inside.
        """
        statement = statement.distinct()
        selected = [column.element for column in self.columns]
        beside = [each for each in map(_undirected, order) if not any(each.compare(one) for one in selected)]
        return self._wrapped(statement, order) if beside else (statement, order)

    def _limited(self, statement: Any) -> Any:
        query = self.query
        if not query.is_sliced:
            return statement
        slot = self.slot_of(query)
        if query.high is not None:
            statement = statement.limit(self.parameters.make(slot + 1, sa.BigInteger()))
        if query.low:
            statement = statement.offset(self.parameters.make(slot, sa.BigInteger()))
        return statement

    def _locked(self, statement: Any) -> Any:
        lock = self.query.frame.lock
        if lock is None or self.vendor == "sqlite":
            return statement  # SQLite locks the whole database: atomic() begins IMMEDIATE
        self._check_lock(lock)
        of = [self.joins.root.table if name == "self" else self._join_of(name).table for name in lock.of]
        return statement.with_for_update(
            nowait=lock.nowait, skip_locked=lock.skip_locked, of=of or None, key_share=lock.no_key
        )

    def _check_lock(self, lock: Lock) -> None:
        """Refuse to lock less, or more, than was asked for."""
        choices = ("self", *self.query.frame.related)
        for name in lock.of:
            if name not in choices:
                raise FieldError(
                    f"select_for_update(of=…) names {name[:80]!r}, which this query does not load.",
                    hint=did_you_mean(name, choices) + f' select_related("{name}") loads it.',
                )
        if self.vendor == "mysql" and (lock.no_key or (lock.of and getattr(self.dialect, "is_mariadb", False))):
            raise NotSupportedError(
                f"This database has no select_for_update({'no_key=True' if lock.no_key else 'of=…'}).",
                hint="select_for_update() locks all rows of the query.",
            )

    def _join_of(self, path: str) -> Join:
        join = self.joins.root
        for relation in self.query.model._meta.resolve(path).relations:
            join = self._owner(join, relation)
            for index in range(len(relation.hops)):
                join = self.joins.follow(join, relation, index, scope=None, share=None)
        return join

    def _having(self, conditions: list[Any]) -> list[bool]:
        """Return for each condition whether it looks at groups."""
        if not self.query.frame.annotations:
            return [False] * len(conditions)
        return [self._sums(node) for node in self.query.where]

    def _sums(self, part: Expression) -> bool:
        if isinstance(part, Leaf) and part.target.reached is None and self._annotation_sums(part.target.path):
            return True
        names = [each.name for each in part.walk() if isinstance(each, F)]
        return any(self._annotation_sums(name) for name in names) or any(
            self._sums(child) for child in part.children() if isinstance(child, Leaf | Node)
        )

    def _annotation_sums(self, name: str) -> bool:
        annotation = self.query.frame.annotations.get(name)
        if annotation is None or name in self._apart:
            return False
        if annotation.expression.contains_aggregate:
            return True
        return any(isinstance(each, F) and self._annotation_sums(each.name) for each in annotation.expression.walk())

    def _group(self, having: list[bool]) -> list[Any] | None:
        annotations = self.query.frame.annotations
        sums = [name for name in annotations if self._annotation_sums(name)]
        if not sums:
            return None
        group = self.query.frame.group
        if group is None:
            elements = [*self._keys(self.joins.root)]
            elements += [column.element for column in self.columns if column.label not in annotations]
        else:
            elements = [each for name in group if name not in sums for each in self.parts(name)]
        for name in annotations:
            if (
                name not in sums
                and name in self._annotations
                and not isinstance(annotations[name].expression, Aggregate)
            ):
                expression = annotations[name].expression
                if not (expression.contains_aggregate or self._sees_window(expression) or name in self._apart):
                    elements.append(self._annotations[name])
        for node, is_summed in zip(self.query.where, having, strict=False):
            if is_summed:
                elements += self._plain_parts(node)
        # Equal columns once; constants cannot be grouped by on every database.
        unique: dict[int, Any] = {}
        for each in elements:
            if not isinstance(each, BindParameter):
                unique.setdefault(hash(each), each)
        return list(unique.values())

    def _plain_parts(self, part: Expression) -> list[Any]:
        """Return the columns that a condition on groups names outside of aggregates: HAVING knows only those."""
        if isinstance(part, Aggregate):
            return []
        found: list[Any] = []
        if isinstance(part, Leaf) and part.target.reached is not None:
            many = any(relation.many for relation in part.target.reached.relations)
            element = None if many else self.reach(part.target.reached)[0]
            found += element if isinstance(element, list) else [] if element is None else [element]
        elif isinstance(part, F) and not self._annotation_sums(part.name) and part.name not in self._apart:
            found.append(self.path(part.name))
        for child in part.children():
            found += self._plain_parts(child)
        return found

    def _order(self) -> list[Any]:
        query = self.query
        frame = query.frame
        parts: list[OrderBy]
        if frame.order is None:
            if frame.group is not None:
                return []  # Meta.ordering does not part groups
            parts = [query.order_of(each) for each in query.model._meta.ordering]
        else:
            parts = [] if self._drops_implied_order(frame) else list(frame.order)
        self._share = None
        found: list[Any] = []
        for part in parts:
            ordered = part.reversed() if frame.reversed else part
            found.extend(self._ordered(ordered))
        return found

    def _drops_implied_order(self, frame: Frame) -> bool:
        """Tell whether nobody asked for the order, and it would part equal values of `distinct()`."""
        if not frame.distinct or frame.distinct_on or frame.selection is None or not frame.order:
            return False
        chosen = set(frame.selection.names)
        has_key = "pk" in chosen or all(
            not chosen.isdisjoint((each.name, each.attname)) for each in self.query.model._meta.pk_fields
        )
        return frame.order[0].expression.is_implied_order and not has_key

    def _ordered(self, part: OrderBy) -> list[Any]:
        inner = part.expression
        if isinstance(inner, F) and inner.name not in self.query.frame.annotations:
            reached = self.query.model._meta.resolve(inner.name)
            if not reached.rest and reached.relation is not None:
                return self._order_of_target(part, inner.name, reached)
            if reached.field is not None and not reached.field.is_column and not reached.rest:
                return self._order_of_parts(part, inner.name)
            if reached.rest and isinstance(reached.field, JSONField):
                from .documents import sort_parts

                parts = sort_parts(self, self.path(inner.name))
                return [one for each in parts for one in part.arranged(self, each)]
        return part.compile_all(self)

    def _order_of_parts(self, part: OrderBy, name: str) -> list[Any]:
        return [one for each in self.parts(name) for one in part.arranged(self, each)]

    def _order_of_target(self, part: OrderBy, name: str, reached: Any) -> list[Any]:
        """Order by a relation as its model is ordered, as in Django; by its key without an order."""
        ordering = reached.relation.target._meta.ordering
        if not ordering:
            return self._order_of_parts(part, name)
        found: list[Any] = []
        for each in ordering:
            inner = self.query.order_of(each) if not isinstance(each, str) else None
            if inner is None:
                descending = each.startswith("-")
                inner = OrderBy(F(f"{name}__{each.lstrip('+-')}"), descending=descending)
            found.extend(self._ordered(inner.reversed() if part.descending else inner))
        return found

    # What is selected

    def _choose(self) -> None:
        query = self.query
        selection = query.frame.selection
        self._share = None
        if selection is not None:
            for name, label in zip(selection.names, selection.labels or selection.names, strict=True):
                self._choose_value(name, label)
            return
        self._choose_model(self.joins.root, "")
        for name, annotation in query.frame.annotations.items():
            if annotation.shown:
                self.columns.append(Column(name, self.annotation(name)))
        for path in query.frame.related:
            self._choose_model(self._join_of(path), path)

    def _choose_value(self, name: str, label: str) -> None:
        query = self.query
        if name in query.frame.annotations:
            self.columns.append(Column(label, self.annotation(name)))
            return
        reached = query.model._meta.resolve(name)
        if reached.rest:
            element = self.path(name)
            target = query.target(name)
            self.columns.append(Column(label, element, None if target.keys else target.field))
            return
        element, _ = self.reach(reached)
        if _is_key(element):
            optional = reached.field.null or any(relation.optional for relation in reached.relations)
            for part, field in zip(element, reached.field.fields, strict=True):
                self.columns.append(Column(f"{label}{PART}{field.name}", part, field, optional=optional))
            return
        self.columns.append(Column(label, element, reached.field))

    def _choose_model(self, join: Join, path: str) -> None:
        prefix = f"{path}__" if path else ""
        here: Any = None
        if not path and self.query.frame.statement is not None:
            here = {column.name for column in join.table.c}
        for field in join.model._meta.fields:
            if here is not None and field.model is join.model._meta.concrete_model and field.column not in here:
                continue  # the statement does not give it: it is loaded when it is touched
            if self._is_loaded(prefix, field, join.model):
                self.columns.append(Column(prefix + field.attname, self.column_of(join, field), field))

    def _is_loaded(self, prefix: str, field: Any, model: Any) -> bool:
        frame = self.query.frame
        if field in model._meta.pk_fields:
            return True
        names = {prefix + field.name, prefix + field.attname}
        for reference in model._meta.references:
            if field in reference.fields:
                names |= {prefix + reference.name, prefix + reference.attname}
        if frame.only is not None:
            here = {each for each in frame.only if each.startswith(prefix) and "__" not in each[len(prefix) :]}
            if here or not prefix:
                return bool(names & frame.only) or self._links(prefix, field, model)
        return not names & frame.deferred

    def _links(self, prefix: str, field: Any, model: Any) -> bool:
        """Tell whether a foreign key is walked by `select_related`, and so is needed."""
        names = [each.name for each in model._meta.references if field in each.fields]
        names += [field.name] if field.is_relation else []
        return any(
            path == prefix + name or path.startswith(f"{prefix}{name}__")
            for path in self.query.frame.related
            for name in names
        )

    # Statements made of others

    def _compound(self) -> Any:
        combined = self.query.frame.combined
        assert combined is not None
        kind, every, queries = combined
        parts: list[Any] = []
        for query in queries:
            inner = SelectCompiler(query, self.parameters, None if self.outer_compiler is None else self)
            if query.is_sliced or query.frame.order:
                part = inner.select()
                if self.vendor in ("sqlite", "mysql"):
                    part = sa.select(part.subquery(self.parameters.next_alias()))
            else:
                inner.query = query.framed(order=())
                part = inner.select()
            parts.append(part)
            if not self.columns:
                self.columns = inner.columns
            for column, other in zip(self.columns, inner.columns, strict=False):
                column.optional = column.optional or other.optional
        name = {"union": "union_all" if every else "union", "intersection": "intersect", "difference": "except_"}[kind]
        statement = getattr(sa, name)(*parts)
        if self.query.empty:
            statement = sa.select(statement.subquery(self.parameters.next_alias())).where(sa.false())
        order = [each for part in self.query.frame.order or () for each in self._compound_order(part)]
        if order:
            statement = statement.order_by(*order)
        return self._limited(statement)

    def _compound_order(self, part: OrderBy) -> list[Any]:
        if not isinstance(part.expression, F):
            raise QueryError(
                "A combined query is ordered by its columns alone.", code="data/combined", hint='order_by("name")'
            )
        name = part.expression.name
        labels = [column.label.partition(PART)[0] for column in self.columns]
        wanted = name if name in labels else f"{name}_id"
        if name == "pk" and name not in labels:
            wanted = self.query.model._meta.pk.attname
        if wanted not in labels:
            raise QueryError(
                f"The combined query has no column {name!r}.",
                code="data/combined",
                hint=f"Columns: {', '.join(labels)}.",
            )
        # By position: compound selects of three databases agree on nothing else.
        places = [constant(str(at)) for at, label in enumerate(labels, 1) if label == wanted]
        is_descending = part.descending != self.query.frame.reversed
        return [each.desc() if is_descending else each.asc() for each in places]

    def _from_statement(self) -> Any:
        raw = self.query.frame.statement
        statement = self._slotted(raw.element, raw.slots(self))
        options = self.query.model._meta
        by_column = {field.column: field for field in options.fields}
        for column in statement.selected_columns:
            field = by_column.get(column.name)
            self.columns.append(Column(field.attname if field is not None else column.name, column, field))
        return statement


_DIRECTIONS = (operators.asc_op, operators.desc_op, operators.nulls_first_op, operators.nulls_last_op)


def _is_key(element: Any) -> bool:
    """Tell whether it is the columns of a key of several."""
    return isinstance(element, list)


def _telling(reached: Any) -> int:
    """Return the place of a column, among several that are reached, that is NULL where there is no key."""
    return (reached.telling or (0,))[0]


def _undirected(element: Any) -> Any:
    """Return what is ordered by, without its direction."""
    found: Any = element
    while isinstance(element, UnaryExpression) and element.modifier in _DIRECTIONS:
        found = element = cast("Any", element).element
    return found


def _directed(element: Any, like: Any) -> Any:
    """Return *element* in the order of another."""
    if isinstance(like, UnaryExpression) and like.modifier in _DIRECTIONS:
        inner: Any = _directed(element, cast("Any", like).element)
        return UnaryExpression[Any](inner, modifier=like.modifier, wraps_column_expression=False)
    return element


def _odd(parts: list[Any]) -> Any:
    """Return whether an odd number of conditions hold."""
    numbers = [sa.case((each, 1), else_=0) for each in parts]
    total: Any = numbers[0]
    for each in numbers[1:]:
        total = total + each
    return total % sa.literal_column("2") == sa.literal_column("1")


def _is_secret(node: object) -> bool:
    """Tell whether a value is of a field that is never shown."""
    return bool(getattr(getattr(node, "output_field", None), "secret", False))


def _many_heads_of(query: Query, expression: Expression) -> set[Any]:
    """Return the first to-many relation of each path inside."""
    heads: set[Any] = set()
    for each in expression.walk():
        if isinstance(each, F) and each.name not in query.frame.annotations:
            reached = query.model._meta.resolve(each.name)
        elif isinstance(each, Leaf) and each.target.reached is not None:
            reached = each.target.reached
        else:
            continue
        # A relation to its own model is walked both ways: the columns tell which.
        head = next(((each.field, each.hops[0].pairs) for each in reached.relations if each.many), None)
        if head is not None:
            heads.add(head)
    return heads


def _minds_repeats(expression: Expression) -> bool:
    return any(
        isinstance(each, Aggregate) and not (each.ignores_repeats or (isinstance(each, Count) and each.distinct))
        for each in expression.walk()
    )
