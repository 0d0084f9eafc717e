"""A query as a value.

Holds: `Query`, what a queryset has been told so far; `Frame`, all of it but conditions.
Imports: conditions, expressions.
Never: changes; every call makes another.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, cast

from ...errors import did_you_mean
from ..errors import FieldError, QueryError, too_deep
from ..expressions.base import Expression, F, OrderBy, as_expression
from ..expressions.q import Q
from ..naming import SEPARATOR
from ..shapes import Keyer
from .where import AnyField, Leaf, Node, Target, finish, plain_target

__all__ = ["Annotation", "Frame", "Joined", "Lock", "Query", "Selection"]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A computed value.

    Attributes:
        expression: What computes it.
        after: How many `filter()` calls came before: their joins it shares.
        shown: Whether rows carry it (`annotate`, not `alias`).
    """

    expression: Expression
    after: int
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Selection:
    """Which values rows are made of, where they are not instances.

    Attributes:
        kind: `dict`, `tuple`, `flat` or `named`.
        names: Paths, annotations.
        grouped: Whether aggregates that come later are grouped by these.
    """

    kind: str
    names: tuple[str, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """How rows are locked."""

    nowait: bool = False
    skip_locked: bool = False
    of: tuple[str, ...] = ()
    no_key: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """A named query that is joined.

    Attributes:
        on: The condition, resolved; `None` where it is only named, for subqueries.
        outer: Whether rows without a match are kept.
    """

    cte: Any
    on: Node | None
    outer: bool

    def shape(self, keyer: Keyer) -> Hashable:
        """Return its part of the key."""
        on = None if self.on is None else self.on.shape(keyer)
        return self.cte.shape(keyer), on, self.outer


_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """All of a query but its conditions and limits.

    Attributes:
        order: Names and `OrderBy`s; `None` is `Meta.ordering`.
        group: Names by which a selection with aggregates is grouped; `None` groups by row.
        related: Paths that are joined and loaded with each row.
        only: Names that are loaded; `None` loads all.
        combined: `union`, `intersection` or `difference`, whether all rows, and the queries.
        statement: A Core statement in place of everything else.
        kept: The key, once it was made and holds no values.
    """

    annotations: Mapping[str, Annotation] = field(default_factory=dict[str, Annotation])
    selection: Selection | None = None
    order: tuple[OrderBy, ...] | None = None
    reversed: bool = False
    distinct: bool = False
    distinct_on: tuple[str, ...] = ()
    group: tuple[str, ...] | None = None
    related: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    deferred: frozenset[str] = frozenset()
    lock: Lock | None = None
    combined: tuple[str, bool, tuple[Query, ...]] | None = None
    ctes: tuple[Joined, ...] = ()
    statement: Any = None
    kept: list[Hashable] = field(default_factory=list[Hashable])
    bare: list[Frame] = field(default_factory=list["Frame"])

    def unordered(self) -> Frame:
        """Return the same without an order, made once."""
        if not self.bare:
            self.bare.append(self.changed(order=(), reversed=False))
        return self.bare[0]

    def changed(self, **changes: Any) -> Frame:
        """Return another frame that differs in *changes*."""
        # PERF: each step of a chain makes one, and `dataclasses.replace` took three times as long.
        new = object.__new__(Frame)
        values: dict[str, Any] = {**dict(zip(_COPIED, _read_all(self), strict=True)), "kept": [], "bare": [], **changes}
        for name, value in values.items():
            object.__setattr__(new, name, value)
        return new

    def shape(self, keyer: Keyer) -> Hashable:
        """Return the key of everything here."""
        if self.kept:
            return self.kept[0]
        before = len(keyer.values), keyer.repeats
        key: Hashable = (
            tuple(
                (name, each.after, each.shown, each.expression.shape(keyer)) for name, each in self.annotations.items()
            ),
            self.selection,
            None if self.order is None else tuple(each.shape(keyer) for each in self.order),
            self.reversed,
            self.distinct,
            self.distinct_on,
            self.group,
            self.related,
            self.only,
            self.deferred,
            self.lock,
            None if self.combined is None else (*self.combined[:2], *[each.shape(keyer) for each in self.combined[2]]),
            None if self.statement is None else self.statement.shape(keyer),
            tuple([each.shape(keyer) for each in self.ctes]),
        )
        plain = self.combined is None and self.statement is None and not self.ctes
        if plain and before == (len(keyer.values), keyer.repeats):
            # PERF: a frame without values is keyed once, however many queries share it.
            self.kept.append(key)
        return key


_COPIED = tuple(each.name for each in fields(Frame) if each.name not in ("kept", "bare"))
_read_all = attrgetter(*_COPIED)
_PLAIN = Frame()


class Query:
    """What a queryset has been told so far.

    Attributes:
        model: The model whose rows it gives.
        where: One condition for each `filter()` or `exclude()` call.
        frame: Everything else.
        low, high: The slice; `high` is `None` without an end.
        empty: Whether it is known to give nothing.
    """

    __slots__ = ("empty", "frame", "high", "low", "model", "where")

    def __init__(
        self,
        model: Any,
        where: tuple[Node, ...] = (),
        frame: Frame = _PLAIN,
        low: int = 0,
        high: int | None = None,
        *,
        empty: bool = False,
    ) -> None:
        self.model: Any = model
        self.where: tuple[Node, ...] = where
        self.frame: Frame = frame
        self.low: int = low
        self.high: int | None = high
        self.empty: bool = empty

    def __repr__(self) -> str:
        return f"<Query of {self.model.__name__} where {self.where!r}>"

    def copy(self, **changes: Any) -> Query:
        """Return another query with other conditions, limits or frame."""
        return Query(
            changes.get("model", self.model),
            changes.get("where", self.where),
            changes.get("frame", self.frame),
            changes.get("low", self.low),
            changes.get("high", self.high),
            empty=changes.get("empty", self.empty),
        )

    def framed(self, **changes: Any) -> Query:
        """Return another query with a changed frame."""
        return self.copy(frame=self.frame.changed(**changes))

    def shape(self, keyer: Keyer) -> Hashable:
        """Return the key of this query; its values go to *keyer*."""
        where = self.where
        limits: Hashable = None
        if self.high is not None or self.low:
            values = (self.low, -1 if self.high is None else self.high - self.low)
            limits = keyer.fill(self, values, (bool(self.low), self.high is not None))
        return (
            self.model,
            where[0].shape(keyer) if len(where) == 1 else tuple([each.shape(keyer) for each in where]),
            self.frame.shape(keyer),
            limits,
            self.empty,
        )

    def bare(self) -> Query:
        """Return the same rows with nothing selected and no order, for EXISTS."""
        if self.frame.combined is not None or self.low or self.high is not None or self.frame.distinct_on:
            return self
        return self.framed(order=(), related=(), only=None, deferred=frozenset(), lock=None)

    @property
    def is_sliced(self) -> bool:
        """Whether it has limits."""
        return bool(self.low) or self.high is not None

    @property
    def is_statement(self) -> bool:
        """Whether it is a statement of the user's, and nothing else was asked of its rows."""
        frame = self.frame
        changed = self.where or self.is_sliced or self.empty or frame.order or frame.annotations or frame.selection
        more = frame.related or frame.only is not None or frame.deferred or frame.lock or frame.ctes or frame.distinct
        return frame.statement is not None and not (changed or more)

    # Names

    def target(self, name: str) -> Target:
        """Return where a look-up leads: into an annotation, or along a path.

        Raises:
            FieldError: Nowhere.
        """
        annotations = self.frame.annotations
        if annotations:
            first, _, rest = name.partition(SEPARATOR)
            # An annotation may have a default name with __ in it: `records__count`.
            for known in sorted(annotations, key=len, reverse=True):
                if name == known or name.startswith(known + SEPARATOR):
                    left = tuple(name[len(known) + 2 :].split(SEPARATOR)) if name != known else ()
                    return finish(
                        self.model.__name__, name, known, None, AnyField(known), left, code="data/unknown-lookup"
                    )
            del first, rest
        return plain_target(self.model._meta, name)

    def name(self, name: str) -> None:
        """Refuse a name that is neither an annotation nor a path.

        Raises:
            FieldError: It is neither.
        """
        annotations = self.frame.annotations
        if name in annotations:
            return
        reached = self._reach(name)
        if reached.rest:
            finish(self.model.__name__, name, name, reached, reached.field, reached.rest)

    def _reach(self, name: str) -> Any:
        try:
            return self.model._meta.resolve(name)
        except FieldError as error:
            if self.frame.annotations:
                error.why = f"Annotations: {', '.join(self.frame.annotations)}. {error.why}"
                choices = [*self.frame.annotations, *self.model._meta.names()]
                error._hint = did_you_mean(name, choices)  # pyright: ignore[reportPrivateUsage]  # has no setter
            raise

    def condition(self, condition: Any) -> Node:
        """Return a `Q` resolved against this query.

        Raises:
            FieldError: It names what is not there.
            ValueError: A value cannot be compared.
        """
        parts: list[Expression] = []
        child: Any
        for child in condition.children:
            if isinstance(child, Q):
                try:
                    inner = self.condition(child)
                except RecursionError:
                    raise too_deep() from None
                if inner.parts:  # one that says nothing is left out, denied or not
                    parts.append(inner)
            elif isinstance(child, tuple):
                name, value = cast("tuple[str, Any]", child)
                parts.append(self.leaf(name, value))
            else:
                parts.append(child.resolve(self))
        return Node(condition.connector, tuple(parts), negated=condition.negated)

    def leaf(self, name: str, value: Any) -> Leaf:
        """Return one comparison.

        Raises:
            FieldError: *name* leads nowhere.
            ValueError: The value cannot be compared.
        """
        leaf = Leaf(self.target(name), value)
        if leaf.right is not None:
            leaf.right = leaf.right.resolve(self)
        return leaf

    # Changes

    def filtered(self, conditions: tuple[Any, ...], lookups: Mapping[str, Any], *, negated: bool = False) -> Query:
        """Return this query with one more condition: one `filter()` call is one join of a to-many relation."""
        if conditions:
            node = self.condition(Q(*conditions, **lookups))
            if negated:
                node = Node(node.connector, node.parts, negated=not node.negated)
        else:
            leaf = self.leaf
            node = Node("AND", tuple([leaf(name, value) for name, value in lookups.items()]), negated=negated)
        if not node.parts:
            return self
        return Query(self.model, (*self.where, node), self.frame, self.low, self.high, empty=self.empty)

    def annotated(self, found: Mapping[str, Any], *, shown: bool) -> Query:
        """Return this query with computed values added.

        Raises:
            QueryError: A name is one of the model's (`data/alias`).
        """
        query = self
        options = self.model._meta
        for name, given in found.items():
            if options.find_field(name) is not None or name == "pk" or name in options.reverse:
                raise QueryError(
                    f"{self.model.__name__} has a field {name!r} already.",
                    code="data/alias",
                    hint=f"annotate({name}_value=…)",
                )
            expression = as_expression(given).resolve(query)
            annotations = {**query.frame.annotations, name: Annotation(expression, len(query.where), shown)}
            changes: dict[str, Any] = {"annotations": annotations, "group": query._group_of(expression)}
            selection = query.frame.selection
            if selection is not None and shown and selection.kind != "flat":
                # values("year").annotate(n=…): the rows have it too.
                changes["selection"] = replace(selection, names=(*selection.names, name))
            query = query.framed(**changes)
        return query

    def _group_of(self, expression: Expression) -> tuple[str, ...] | None:
        frame = self.frame
        if frame.group is not None or frame.selection is None or not expression.contains_aggregate:
            return frame.group
        return frame.selection.names

    def ordered(self, names: tuple[Any, ...]) -> Query:
        """Return this query in another order.

        Raises:
            FieldError: A name is unknown (`data/unknown-name`).
        """
        query = self
        parts: list[OrderBy] = []
        for name in names:
            part = query.order_of(name)
            if part.contains_aggregate and not isinstance(part.expression, F):
                # An aggregate groups the rows: it is a value of theirs that is not shown.
                hidden = f"_order{len(query.frame.annotations)}"
                query = query.annotated({hidden: part.expression}, shown=False)
                part = part.of(F(hidden))
            parts.append(part)
        return query.framed(order=tuple(parts), reversed=False)

    def order_of(self, thing: Any) -> OrderBy:
        """Return one part of an order."""
        if isinstance(thing, str):
            if thing == "?":
                from ..expressions.functions.maths import Random

                return OrderBy(Random())
            name = thing.lstrip("+-") if thing[:1] in "+-" else thing
            if len(thing) - len(name) > 1:
                name = thing
            self.name(name)
            return OrderBy(F(name), descending=thing.startswith("-"))
        if isinstance(thing, OrderBy):
            return thing.resolve(self)  # type: ignore[return-value]  # an order stays one
        return OrderBy(as_expression(thing)).resolve(self)  # type: ignore[return-value]  # an order stays one
