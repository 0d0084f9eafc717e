"""Querysets: what users ask a database by.

Holds: `QuerySet`, lazy and immutable; its reading, its changes, in both colours.
Imports: queries, operations, floor 0.
Never: compiles or fetches itself; plans and operations do.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast, overload

from ..errors import cut
from .choice import database_for
from .columns import Column
from .errors import DoesNotExist, FieldError, QueryError
from .expressions.base import Expression
from .expressions.ctes import CTE
from .expressions.q import Q
from .instance import FetchMode, Peers, fetch_mode_of
from .naming import check_alias
from .operations import bulk as bulk_operations
from .operations.deleting import delete_query
from .operations.reading import Prefetch, prefetch
from .operations.retrieving import aggregate, get_or_create, in_bulk, update_or_create
from .policies.asking import ascoped, scoped
from .query.plans import Plan, plan_of
from .query.query import Joined, Lock, Query, Selection
from .steps import Operation
from .streaming import Closing

if TYPE_CHECKING:
    from .managers import ManagerOf

__all__ = ["QuerySet"]

R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S", bound="QuerySet[Any]")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")

_REPR_ROWS = 20
# What drivers take for the size of a chunk.
_LARGEST_CHUNK = 2**31 - 1


class QuerySet(Generic[R]):
    """Rows of a model, as far as they were described; fetched when they are looked at.

    Every method that narrows, orders or shapes returns another queryset; this one stays as
    it was. Looking at it (a loop, `len`, `list`, an index) fetches once and keeps the rows.

    >>> Record.objects.filter(year__gte=1935).order_by("title")  # doctest: +SKIP
    <QuerySet [<Record: 1>, …]>
    """

    # Of the relation of one instance: whose.
    _instance: Any = None

    def __init__(self, model: Any, query: Query | None = None, using: Any = None) -> None:
        self.model: Any = model
        self.query: Query = query if query is not None else Query(model)
        self._using: Any = using
        self._prefetches: tuple[Any, ...] = ()
        self._mode: FetchMode | None = None
        self._rows: list[Any] | None = None

    # Making others

    def _with(self: S, query: Query) -> S:
        new = object.__new__(type(self))
        # PERF: one dictionary copy; what was fetched does not go along.
        new.__dict__ = {**self.__dict__, "query": query, "_rows": None}
        return new

    def all(self: S) -> S:
        """Return the same rows, to be fetched anew."""
        return self._with(self.query)

    def none(self: S) -> S:
        """Return no rows, without asking the database."""
        return self._with(self.query.copy(empty=True))

    def using(self: S, alias: Any) -> S:
        """Ask another database: its name, or the `Database`."""
        new = self._with(self.query)
        new._using = alias
        return new

    def filter(self: S, *conditions: Any, **lookups: Any) -> S:
        """Keep the rows for which all of these hold.

        Raises:
            FieldError: A name leads nowhere (`data/unknown-name`).
            ValueError: A value cannot be compared with its column.
        """
        query = self.query
        if query.low or query.high is not None or query.frame.combined is not None:
            self._refuse_sliced("filter")
        return self._with(query.filtered(conditions, lookups))

    def exclude(self: S, *conditions: Any, **lookups: Any) -> S:
        """Drop the rows for which all of these hold."""
        self._refuse_sliced("exclude")
        return self._with(self.query.filtered(conditions, lookups, negated=True))

    def search(self: S, text: str, *, field: str = "") -> S:
        """Keep the rows that have the words of *text*, best first: `'"kind of" blue -train or milestones'`.

        Args:
            field: Which search field, where the model has several.

        Raises:
            QueryError: The model has no such search field (`data/search`).
        """
        from .search.matching import searched

        self._refuse_sliced("search")
        return self._with(searched(self.query, text, field))

    def visible_to(self: S, user: Any, action: str = "view") -> S:
        """Keep the rows for which the model's policies let *user* do *action*; `None` is nobody."""
        self._refuse_sliced("visible_to")
        return cast(S, scoped(self, user, action))

    async def avisible_to(self: S, user: Any, action: str = "view") -> S:
        """`visible_to()`, where the user's permissions may have to be fetched first."""
        self._refuse_sliced("avisible_to")
        return cast(S, await ascoped(self, user, action))

    def _refuse_sliced(self, method: str) -> None:
        if self.query.is_sliced:
            raise QueryError(
                f"{method}() after a slice.",
                code="data/sliced",
                why="The slice was taken of other rows.",
                hint=f"Call {method}() before [:n].",
            )
        if self.query.frame.combined is not None and method not in ("order_by", "values", "count"):
            raise QueryError(
                f"{method}() after a union.",
                code="data/combined",
                why="A union, intersection or difference can be ordered, sliced and shaped.",
                hint=f"Call {method}() on the querysets before they are combined.",
            )

    def order_by(self: S, *names: Any) -> S:
        """Order by fields: `"title"`, `"-year"`, `"leader__name"`, `"?"`, or expressions."""
        if self.query.is_sliced:
            self._refuse_sliced("order_by")
        if self.query.frame.combined is not None:
            return self._with(self.query.framed(order=tuple(_combined_order(name) for name in names)))
        return self._with(self.query.ordered(names))

    def reverse(self: S) -> S:
        """Turn the order round."""
        self._refuse_sliced("reverse")
        return self._with(self.query.framed(reversed=not self.query.frame.reversed))

    def distinct(self: S, *names: str) -> S:
        """Drop equal rows; with names (PostgreSQL), keep the first of each group."""
        self._refuse_sliced("distinct")
        for name in names:
            self.query.name(name)
        return self._with(self.query.framed(distinct=True, distinct_on=names))

    def annotate(self: S, *aggregates: Any, **values: Any) -> S:
        """Give each row a computed value."""
        self._refuse_sliced("annotate")
        return self._with(self.query.annotated(_named("annotate()", aggregates, values), shown=True))

    def alias(self: S, *aggregates: Any, **values: Any) -> S:
        """Name a computed value for look-ups and order, without giving it to rows."""
        self._refuse_sliced("alias")
        return self._with(self.query.annotated(_named("alias()", aggregates, values), shown=False))

    def values(self, *names: Any, **computed: Any) -> QuerySet[dict[str, Any]]:
        """Give dictionaries in place of instances."""
        return cast("QuerySet[dict[str, Any]]", self._selected("dict", names, computed))

    @overload
    def values_list(self, name: Column[A], /, *, flat: Literal[True]) -> QuerySet[A]: ...
    @overload
    def values_list(self, one: Column[A], /) -> QuerySet[tuple[A]]: ...
    @overload
    def values_list(self, one: Column[A], two: Column[B], /) -> QuerySet[tuple[A, B]]: ...
    @overload
    def values_list(self, one: Column[A], two: Column[B], three: Column[C], /) -> QuerySet[tuple[A, B, C]]: ...
    @overload
    def values_list(
        self, one: Column[A], two: Column[B], three: Column[C], four: Column[D], /
    ) -> QuerySet[tuple[A, B, C, D]]: ...
    @overload
    def values_list(
        self, one: Column[A], two: Column[B], three: Column[C], four: Column[D], five: Column[E], /
    ) -> QuerySet[tuple[A, B, C, D, E]]: ...
    @overload
    def values_list(self, *names: Any, named: bool = ..., **computed: Expression) -> QuerySet[tuple[Any, ...]]: ...
    @overload
    def values_list(self, *names: Any, flat: bool = ..., **computed: Expression) -> QuerySet[Any]: ...
    def values_list(self, *names: Any, flat: Any = False, named: Any = False, **computed: Any) -> QuerySet[Any]:
        """Give tuples in place of instances; `flat` gives one bare value, `named` named tuples."""
        if flat and (named or len(names) + len(computed) > 1):
            raise QueryError(
                "values_list(flat=True) takes one name.", code="data/argument", hint='values_list("title", flat=True)'
            )
        return self._selected("flat" if flat else "named" if named else "tuple", names, computed)

    def _selected(self, kind: str, names: Sequence[Any], computed: Mapping[str, Any]) -> QuerySet[Any]:
        query = self.query
        named = dict(computed)
        chosen: list[str] = []
        for name in names:
            if isinstance(name, Expression):
                label = getattr(name, "default_name", None) or f"column{len(chosen) + 1}"
                named[label] = name
                chosen.append(label)
            else:
                chosen.append(str(name))
        if named:
            query = query.annotated(_named("values()", (), named), shown=True)
        if not chosen and not computed:
            options = self.model._meta
            # A secret is given to who asks for it by its name.
            chosen = [field.attname for field in options.fields if not field.secret]
            chosen += [label for label, each in query.frame.annotations.items() if each.shown]
        chosen += [label for label in named if label not in chosen]
        for name in chosen:
            query.name(name)
        if kind == "flat" and len(chosen) != 1:
            chosen = chosen[:1]
        selection = Selection(kind, tuple(chosen))
        if query.frame.combined is not None:
            how, every, parts = query.frame.combined
            parts = tuple(part.framed(selection=selection, related=()) for part in parts)
            return self._with(query.framed(combined=(how, every, parts), selection=selection))
        return self._with(query.framed(selection=selection, related=(), only=None, deferred=frozenset()))

    def dates(self, name: str, kind: str, order: str = "ASC") -> QuerySet[Any]:
        """Give the distinct years, months, weeks or days of a date field."""
        return self._moments(name, kind, order, ("year", "month", "week", "day"), dates=True)

    def datetimes(self, name: str, kind: str, order: str = "ASC") -> QuerySet[Any]:
        """Give the distinct moments of a field, cut to years … seconds."""
        kinds = ("year", "month", "week", "day", "hour", "minute", "second")
        return self._moments(name, kind, order, kinds, dates=False)

    def _moments(self, name: str, kind: str, order: str, kinds: Sequence[str], *, dates: bool) -> QuerySet[Any]:
        from .expressions.functions.dates import Trunc
        from .fields.times import DateField, DateTimeField

        if kind not in kinds or order not in ("ASC", "DESC"):
            raise QueryError(
                f"dates({name!r}, {str(kind)[:40]!r}, {str(order)[:20]!r}) cannot be.",
                code="data/argument",
                hint=f"The second is one of {', '.join(kinds)}; the third ASC or DESC.",
            )
        output = DateField[Any]() if dates else DateTimeField[Any]()
        found = self._with(self.query.annotated({"moment": Trunc(name, kind, output_field=output)}, shown=True))
        chosen = found.filter(**{f"{name}__isnull": False}).values_list("moment", flat=True).distinct()
        return chosen.order_by("moment" if order == "ASC" else "-moment")

    def select_related(self: S, *paths: Any) -> S:
        """Load these relations with each row, by a join.

        Args:
            paths: Forward relations and one-to-one back; `None` forgets what was asked for.

        Raises:
            FieldError: A path is no such relation.
        """
        if paths == (None,):
            return self._with(self.query.framed(related=()))
        if self.query.frame.selection is not None:
            raise QueryError("select_related() after values().", code="data/shaped", hint='values("leader__name")')
        if not paths:
            paths = tuple(field.name for field in self.model._meta.foreign_keys if not field.null)
        related = list(self.query.frame.related)
        for path in paths:
            parts = str(path).split("__")
            for at in range(1, len(parts) + 1):
                self._check_related("__".join(parts[:at]))
                if "__".join(parts[:at]) not in related:
                    related.append("__".join(parts[:at]))
        return self._with(self.query.framed(related=tuple(related)))

    def _check_related(self, path: str) -> None:
        reached = self.model._meta.resolve(path)
        relation = reached.relation
        if relation is None or reached.rest or any(each.many for each in reached.relations):
            options = self.model._meta
            names = [field.name for field in options.foreign_keys]
            raise FieldError(
                f"{self.model.__name__}.{path} cannot be loaded by a join.",
                code="data/select-related",
                where=options.where,
                why="select_related() follows foreign keys, and one-to-one relations both ways.",
                hint=f'prefetch_related("{path}")'
                if relation is not None
                else f"Choices: {', '.join(names) or 'none'}.",
            )

    def prefetch_related(self: S, *lookups: Any) -> S:
        """Load these relations by one further query each."""
        new = self._with(self.query)
        new._prefetches = (
            ()
            if lookups == (None,)
            else (*self._prefetches, *[each if isinstance(each, Prefetch) else Prefetch(each) for each in lookups])
        )
        return new

    def only(self: S, *names: Any) -> S:
        """Load these fields alone; the others when they are touched."""
        chosen = [str(name) for name in names]
        for name in chosen:
            self._check_column(name)
        # What was deferred before stays so, as in Django.
        return self._with(self.query.framed(only=frozenset(chosen) - self.query.frame.deferred, deferred=frozenset()))

    def defer(self: S, *names: Any) -> S:
        """Load all but these fields."""
        if names == (None,):
            return self._with(self.query.framed(only=None, deferred=frozenset()))
        chosen = {str(name) for name in names}
        for name in chosen:
            self._check_column(name)
        frame = self.query.frame
        if frame.only is not None:
            return self._with(self.query.framed(only=frame.only - chosen))
        return self._with(self.query.framed(deferred=frame.deferred | chosen))

    def _check_column(self, name: str) -> None:
        reached = self.model._meta.resolve(name)
        if reached.rest or (reached.relation is not None and reached.relation.many):
            self.model._meta.get_field(name)

    def fetch_mode(self: S, mode: FetchMode) -> S:
        """Say what touching an unloaded relation does: `FETCH_PEERS`, `FETCH_ONE`, `RAISE`."""
        new = self._with(self.query)
        new._mode = fetch_mode_of(mode)
        return new

    def select_for_update(
        self: S, *, nowait: bool = False, skip_locked: bool = False, of: Sequence[str] = (), no_key: bool = False
    ) -> S:
        """Lock the rows until the transaction ends.

        Args:
            nowait: Fail at once where another holds them.
            skip_locked: Leave out those that another holds.
            of: Relations whose rows are locked; `"self"` is the model's own.
        """
        if nowait and skip_locked:
            raise QueryError("nowait and skip_locked exclude each other.", code="data/argument", hint="Give one.")
        return self._with(self.query.framed(lock=Lock(nowait, skip_locked, tuple(of), no_key)))

    def union(self: S, *others: QuerySet[Any], all: bool = False) -> S:  # noqa: A002  # Django's name
        """Give the rows of this and the others; equal ones once unless `all`."""
        return self._combined("union", others, every=all)

    def intersection(self: S, *others: QuerySet[Any]) -> S:
        """Give the rows that all have."""
        return self._combined("intersection", others, every=False)

    def difference(self: S, *others: QuerySet[Any]) -> S:
        """Give the rows of this that the others have not."""
        return self._combined("difference", others, every=False)

    def _combined(self: S, kind: str, others: Sequence[QuerySet[Any]], *, every: bool) -> S:
        queries = (self.query, *[other.query for other in others])
        if kind == "union":
            queries = tuple(query for query in queries if not query.empty) or queries[:1]
        elif kind == "difference":
            queries = (queries[0], *[query for query in queries[1:] if not query.empty])
        if len(queries) == 1:
            return self._with(queries[0])
        selection = queries[0].frame.selection
        if selection is not None:
            queries = tuple(
                query if query.frame.selection is not None else query.framed(selection=selection) for query in queries
            )
        query = Query(self.model).framed(combined=(kind, every, queries), order=(), selection=selection)
        return self._with(query)

    def with_cte(self: S, cte: CTE, on: Any = None, *, outer: bool = False, **pairs: str) -> S:
        """Join a named query.

        Args:
            on: The condition, where equal columns do not say it.
            outer: Whether rows without a match are kept; the query's columns are NULL there.
            pairs: Fields of this model, each with the column it equals: `pk="leader"`.
                Without any, and without *on*, the query is only named, for subqueries.
        """
        self._refuse_sliced("with_cte")
        conditions = [] if on is None else [on]
        conditions += [Q((name, cte[column])) for name, column in pairs.items()]
        node = self.query.condition(Q(*conditions)) if conditions else None
        return self._with(self.query.framed(ctes=(*self.query.frame.ctes, Joined(cte, node, outer))))

    def from_statement(self: S, statement: Any) -> S:
        """Give the instances that a Core statement selects: one with the table's columns."""
        from .expressions.base import Raw

        return self._with(Query(self.model).framed(statement=Raw(statement), order=()))

    def raw(self: S, sql: str, params: Any = None) -> S:
        """Give the instances that an SQL text selects; `:name` in it is bound from *params*."""
        from .query.raw import raw_statement

        return self._with(Query(self.model).framed(statement=raw_statement(self.model, sql, params), order=()))

    def __or__(self: S, other: QuerySet[Any]) -> S:
        return self._joined(other, "OR")

    def __and__(self: S, other: QuerySet[Any]) -> S:
        return self._joined(other, "AND")

    def _joined(self: S, other: QuerySet[Any], connector: str) -> S:
        from .query.where import Node

        if other.query.empty:
            return self if connector == "OR" else self.none()
        if self.query.empty:
            return self._with(other.query) if connector == "OR" else self
        mine, theirs = (Node("AND", query.where) for query in (self.query, other.query))
        if connector == "OR" and (not mine.parts or not theirs.parts):
            return self._with(self.query.copy(where=()))
        parts = tuple(each for each in (mine, theirs) if each.parts)
        return self._with(self.query.copy(where=(Node(connector, parts),) if parts else ()))

    # What is in the way of running

    @property
    def db(self) -> Any:
        """The database that will be asked."""
        writes = self.query.frame.lock is not None
        return database_for(self.model, self._using, writes=writes, instance=self._instance)

    @property
    def _writer(self) -> Any:
        return database_for(self.model, self._using, writes=True, instance=self._instance)

    @property
    def ordered(self) -> bool:
        """Whether it has an order."""
        frame = self.query.frame
        return bool(frame.order) or (frame.order is None and bool(self.model._meta.ordering))

    def _fetch_mode(self, database: Any) -> str:
        return self._mode or self.model._meta.fetch_mode or database.fetch_mode

    def _run(self, operation: Operation[T], method: str, database: Any = None) -> T:
        return cast(T, (database if database is not None else self.db).run(operation, method))

    async def _arun(self, operation: Operation[T], database: Any = None) -> T:
        database = database if database is not None else self.db
        return cast(T, await database.arun(operation))

    def _check_lock(self, database: Any) -> None:
        lock = self.query.frame.lock
        if lock is not None and not database.in_atomic:
            from .errors import TransactionManagementError

            raise TransactionManagementError(
                "select_for_update() outside a transaction locks nothing.",
                code="data/lock-outside",
                hint="with db.atomic():\n    ...",
            )
        if (
            lock is not None
            and database.vendor == "sqlite"
            and (lock.nowait or lock.skip_locked or lock.of or lock.no_key)
        ):
            from .errors import NotSupportedError

            raise NotSupportedError(
                "SQLite locks the whole database: nowait, skip_locked, no_key and of= mean nothing there.",
                code="data/not-supported",
                hint="select_for_update() in atomic(), which waits for its turn.",
            )

    # Reading

    def _fetched(self, method: str = "list()") -> list[Any]:
        rows = self._rows
        if rows is None:
            rows = self._rows = self._load(self.query, method)
        return rows

    async def _afetched(self) -> list[Any]:
        rows = self._rows
        if rows is None:
            rows = self._rows = await self._aload(self.query)
        return rows

    def _load(self, query: Query, method: str) -> list[Any]:
        """Fetch a query of this queryset's kind. PERF: no operation is driven: one plan, one fetch."""
        if _gives_nothing(query):
            return []
        database = self._asked(query)
        if query.frame.statement is not None and (text := _text_of(query)) is not None:
            database.refuse_on_loop(method)
            rows = self._read(text, database.execute(text.text, text.values), database)
        else:
            plan, values = plan_of(query, database)
            rows = self._made(plan, database.fetch(plan, plan.bind(values), method), database)
        if self._prefetches and rows and query.frame.selection is None:
            database.run(prefetch(rows, self._prefetches, database, self._fetch_mode(database)), method)
        return rows

    async def _aload(self, query: Query) -> list[Any]:
        """`_load()` in async code."""
        if _gives_nothing(query):
            return []
        database = self._asked(query)
        if not database.driver.is_prepared:
            await database.aprepare()
        if query.frame.statement is not None and (text := _text_of(query)) is not None:
            rows = self._read(text, await database.aexecute(text.text, text.values), database)
        else:
            plan, values = plan_of(query, database)
            rows = self._made(plan, await database.afetch(plan, plan.bind(values)), database)
        if self._prefetches and rows and query.frame.selection is None:
            await database.arun(prefetch(rows, self._prefetches, database, self._fetch_mode(database)))
        return rows

    def _asked(self, query: Query) -> Any:
        database = self.db
        if query.frame.lock is not None:
            self._check_lock(database)
        return database

    def _made(self, plan: Plan, rows: list[Any], database: Any) -> list[Any]:
        if self.query.frame.selection is not None:
            return plan.hydrate(rows, None)
        peers = Peers(database, self._fetch_mode(database))
        found = plan.hydrate(rows, peers)
        if len(found) > 1:
            peers.hold(found)
        return found

    def _read(self, text: Any, result: Any, database: Any) -> list[Any]:
        peers = Peers(database, self._fetch_mode(database))
        found: list[Any] = text.instances(result, self.model, peers, database.dialect)
        peers.hold(found)
        return found

    def __iter__(self) -> Iterator[R]:
        return iter(self._fetched(f"for … in {self._shown}"))

    def __await__(self) -> Generator[Any, None, list[R]]:
        return self._afetched().__await__()

    async def __aiter__(self) -> AsyncIterator[R]:
        for row in await self._afetched():
            yield row

    def __len__(self) -> int:
        return len(self._fetched("len()"))

    def __bool__(self) -> bool:
        return bool(self._fetched("bool()"))

    @property
    def _shown(self) -> str:
        return f"{self.model.__name__}.objects"

    @overload
    def __getitem__(self, index: int) -> R: ...
    @overload
    def __getitem__(self: S, index: slice) -> S: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._sliced(index)  # pyright: ignore[reportUnknownArgumentType]  # of any bounds
        if isinstance(index, bool) or not hasattr(index, "__index__"):
            raise TypeError(f"A queryset is indexed by a whole number or a slice, not {type(index).__name__}.")
        at = int(index)
        if at < 0:
            raise QueryError(
                "A queryset has no negative index.", code="data/argument", hint="reverse() it, or make a list of it."
            )
        if self._rows is not None:
            return self._rows[at]
        found = self._sliced(slice(at, at + 1))._fetched(f"{self._shown}[{at}]")
        if not found:
            raise IndexError(f"There is no row {at}.")
        return found[0]

    def _sliced(self, index: slice) -> Any:
        start, stop, step = index.start, index.stop, index.step
        for bound in (start, stop, step):
            if bound is not None and (isinstance(bound, bool) or not hasattr(bound, "__index__")):
                raise TypeError(f"A slice of a queryset takes whole numbers, not {type(bound).__name__}.")
            if bound is not None and (bound < 0 or bound > 2**63 - 1):
                raise QueryError(
                    "A queryset is sliced by numbers from 0 to 2^63-1.", code="data/argument", hint="queryset[:20]"
                )
        if self._rows is not None:
            return self._rows[index]
        low = self.query.low + (start or 0)
        high = self.query.high
        if stop is not None:
            high = self.query.low + stop if high is None else min(high, self.query.low + stop)
        if high is not None:
            low = min(low, high)
        new = self._with(self.query.copy(low=low, high=high))
        if high is not None and low == high:
            new = new._with(new.query.copy(empty=True))
        return new._fetched("list()")[::step] if step is not None else new

    def __contains__(self, thing: object) -> bool:
        return thing in self._fetched("in")

    def __repr__(self) -> str:
        rows = self._rows
        if rows is None:
            # A repr fetches nothing: it is printed where nobody expects a query.
            return f"<{type(self).__name__} of {self.model.__name__}, not fetched>"
        shown = ", ".join(map(repr, rows[:_REPR_ROWS]))
        more = f", … {len(rows) - _REPR_ROWS} more" if len(rows) > _REPR_ROWS else ""
        return f"<{type(self).__name__} [{shown}{more}]>"

    def __reduce__(self) -> tuple[Any, ...]:
        # What travels is the rows: a query is code, and code does not travel.
        return _restored, (type(self), self.model, self._fetched("pickle.dumps()"))

    def __expression__(self) -> Expression:
        from .expressions.subqueries import Subquery

        if self.query.frame.selection is None and self.query.frame.combined is None:
            keys = tuple(field.name for field in self.model._meta.pk_fields)
            return Subquery(
                self._with(
                    self.query.framed(
                        selection=Selection("tuple", keys),
                        related=(),
                        order=(self.query.frame.order if self.query.is_sliced else ()),
                    )
                )
            )
        return Subquery(self)

    # One row

    def _for_one(self, conditions: tuple[Any, ...], lookups: Mapping[str, Any]) -> Query:
        """Return the query that tells whether there is one such row, or more."""
        query = self.query
        if query.low or query.high is not None or query.frame.combined is not None:
            if conditions or lookups:
                self._refuse_sliced("get")
            return query
        if conditions or lookups:
            query = query.filtered(conditions, lookups)
        frame = query.frame
        if frame.order or (frame.order is None and query.model._meta.ordering):
            frame = frame.unordered()
        return Query(query.model, query.where, frame, 0, _GET_ROWS, empty=query.empty)

    def _only(self, rows: list[Any], lookups: Mapping[str, Any]) -> R:
        if len(rows) == 1:
            return cast(R, rows[0])
        named = ", ".join(f"{name}=…" for name in lookups)
        if not rows:
            raise self.model.DoesNotExist(f"No {self.model.__name__} matches {named or 'this query'}.")
        count = f"{len(rows)}" if len(rows) < _GET_ROWS else f"{_GET_ROWS - 1} or more"
        raise self.model.MultipleObjectsReturned(
            f"get() found {count} {self.model._meta.verbose_name_plural}, and wants one.",
            hint="filter(…).first(), or a look-up that is unique.",
        )

    def get(self, *conditions: Any, **lookups: Any) -> R:
        """Return the one row for which all of these hold.

        Raises:
            DoesNotExist: There is none; the class is the model's own.
            MultipleObjectsReturned: There are several.
        """
        return self._only(self._load(self._for_one(conditions, lookups), "get()"), lookups)

    async def aget(self, *conditions: Any, **lookups: Any) -> R:
        """`get()` in async code."""
        return self._only(await self._aload(self._for_one(conditions, lookups)), lookups)

    def _edge(self, *, last: bool) -> QuerySet[R]:
        if self.ordered or self.query.frame.distinct_on or (self.query.frame.selection is not None and last is False):
            chosen = self if not last else self.reverse()
        else:
            names = ["pk"] if self.query.frame.combined is None else []
            chosen = self.order_by(*[("-" if last else "") + name for name in names])
        return chosen[:1]

    def first(self) -> R | None:
        """Return the first row, by key where there is no order; `None` where there is none."""
        found = self._edge(last=False)._fetched("first()")
        return found[0] if found else None

    async def afirst(self) -> R | None:
        """`first()` in async code."""
        found = await self._edge(last=False)._afetched()
        return found[0] if found else None

    def last(self) -> R | None:
        """Return the last row, by key where there is no order; `None` where there is none."""
        found = self._edge(last=True)._fetched("last()")
        return found[0] if found else None

    async def alast(self) -> R | None:
        """`last()` in async code."""
        found = await self._edge(last=True)._afetched()
        return found[0] if found else None

    def _by_time(self, names: Sequence[str], *, newest: bool) -> QuerySet[R]:
        given = names or self.model._meta.get_latest_by or ()
        names = (given,) if isinstance(given, str) else given
        if not names:
            raise QueryError(
                "latest() needs a field.", code="data/argument", hint='latest("created"), or Meta.get_latest_by'
            )
        self._refuse_sliced("latest")
        parts = [self.query.order_of(name) for name in names]
        return self.order_by(*[part.reversed() if newest else part for part in parts])[:1]

    def latest(self, *names: str) -> R:
        """Return the newest row by these fields, or by `Meta.get_latest_by`.

        Raises:
            DoesNotExist: There is none.
        """
        return self._only(self._by_time(names, newest=True)._fetched("latest()"), {})

    async def alatest(self, *names: str) -> R:
        """`latest()` in async code."""
        return self._only(await self._by_time(names, newest=True)._afetched(), {})

    def earliest(self, *names: str) -> R:
        """Return the oldest row by these fields, or by `Meta.get_latest_by`.

        Raises:
            DoesNotExist: There is none.
        """
        return self._only(self._by_time(names, newest=False)._fetched("earliest()"), {})

    async def aearliest(self, *names: str) -> R:
        """`earliest()` in async code."""
        return self._only(await self._by_time(names, newest=False)._afetched(), {})

    def get_or_404(self, *conditions: Any, **lookups: Any) -> R:
        """`get()`, where a missing row is the answer 404."""
        try:
            return self.get(*conditions, **lookups)
        except DoesNotExist as error:
            raise _not_found(self.model) from error

    async def aget_or_404(self, *conditions: Any, **lookups: Any) -> R:
        """`get_or_404()` in async code."""
        try:
            return await self.aget(*conditions, **lookups)
        except DoesNotExist as error:
            raise _not_found(self.model) from error

    def in_bulk(self, keys: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, R]:
        """Return rows by key: those of *keys*, or all."""
        return self._run(in_bulk(self, keys, field_name), "in_bulk()")

    async def ain_bulk(self, keys: Iterable[Any] | None = None, *, field_name: str = "pk") -> dict[Any, R]:
        """`in_bulk()` in async code."""
        return await self._arun(in_bulk(self, keys, field_name))

    # Numbers

    def count(self) -> int:
        """Return how many rows there are."""
        if self._rows is not None:
            return len(self._rows)
        found: dict[str, int] = self._run(aggregate(self, {}, count=True), "count()")
        return found["count"]

    async def acount(self) -> int:
        """`count()` in async code."""
        if self._rows is not None:
            return len(self._rows)
        found: dict[str, int] = await self._arun(aggregate(self, {}, count=True))
        return found["count"]

    def _any(self) -> QuerySet[Any]:
        query = self.query
        if query.frame.combined is not None or query.frame.annotations or query.is_sliced:
            return self._with(query.copy(high=query.low + 1) if query.high is None else query)
        keys = Selection("tuple", (self.model._meta.pk_fields[0].name,))
        return self._with(query.framed(order=(), related=(), selection=keys, distinct=False).copy(high=1))

    def exists(self) -> bool:
        """Tell whether there are rows."""
        return bool(self._rows) if self._rows is not None else bool(self._any()._fetched("exists()"))

    async def aexists(self) -> bool:
        """`exists()` in async code."""
        return bool(self._rows) if self._rows is not None else bool(await self._any()._afetched())

    def contains(self, instance: Any) -> bool:
        """Tell whether a saved instance is among the rows, by one small query."""
        return instance in self._rows if self._rows is not None else self._same(instance).exists()

    async def acontains(self, instance: Any) -> bool:
        """`contains()` in async code."""
        return instance in self._rows if self._rows is not None else await self._same(instance).aexists()

    def _same(self, instance: Any) -> QuerySet[Any]:
        if getattr(instance, "pk", None) is None:
            raise QueryError("contains() takes a saved instance.", code="data/unsaved", hint="Save it first.")
        if not isinstance(instance, self.model):
            return self.none()
        return self.filter(pk=instance.pk)

    def aggregate(self, *aggregates: Any, **named: Any) -> dict[str, Any]:
        """Return values that sum all rows up."""
        return self._run(aggregate(self, _named("aggregate()", aggregates, named)), "aggregate()")

    async def aaggregate(self, *aggregates: Any, **named: Any) -> dict[str, Any]:
        """`aggregate()` in async code."""
        return await self._arun(aggregate(self, _named("aggregate()", aggregates, named)))

    # Many rows

    def iterator(self, chunk_size: int = 2000) -> Iterator[R]:
        """Give the rows in chunks, keeping none; prefetches are made for each chunk."""
        _check_chunk(chunk_size)
        if _text_of(self.query) is not None:
            yield from self.all()
            return
        database = self.db
        plan, values = plan_of(self.query, database)
        with_peers = self.query.frame.selection is None
        for rows in database.stream(plan, plan.bind(values), chunk_size):
            peers = Peers(database, self._fetch_mode(database))
            found = plan.hydrate(rows, peers)
            if with_peers:
                peers.hold(found)
                if self._prefetches:
                    database.run(prefetch(found, self._prefetches, database, peers.mode), "iterator()")
            yield from found

    async def aiterator(self, chunk_size: int = 2000) -> AsyncGenerator[R]:
        """`iterator()` in async code."""
        _check_chunk(chunk_size)
        if _text_of(self.query) is not None:
            for row in await self.all():
                yield row
            return
        database = self.db
        await database.aprepare()
        plan, values = plan_of(self.query, database)
        with_peers = self.query.frame.selection is None
        async with Closing(database.astream(plan, plan.bind(values), chunk_size)) as chunks:
            async for rows in chunks:
                peers = Peers(database, self._fetch_mode(database))
                found = plan.hydrate(rows, peers)
                if with_peers:
                    peers.hold(found)
                    if self._prefetches:
                        await database.arun(prefetch(found, self._prefetches, database, peers.mode))
                for each in found:
                    yield each

    # Changes

    def create(self, **values: Any) -> R:
        """Make and save an instance."""
        instance = self._new(values)
        instance.save(force_insert=True, using=self._writer)
        return cast(R, instance)

    async def acreate(self, **values: Any) -> R:
        """`create()` in async code."""
        instance = self._new(values)
        await instance.asave(force_insert=True, using=self._writer)
        return cast(R, instance)

    def _new(self, values: Mapping[str, Any]) -> Any:
        return self.model(**values)

    def get_or_create(self, defaults: Mapping[str, Any] | None = None, **lookups: Any) -> tuple[R, bool]:
        """Return the row for which these hold, made if there is none; and whether it was made.

        Two callers at once make one row, where a unique constraint says so.
        """
        return self._run(get_or_create(self, lookups, defaults or {}), "get_or_create()", self._writer)

    async def aget_or_create(self, defaults: Mapping[str, Any] | None = None, **lookups: Any) -> tuple[R, bool]:
        """`get_or_create()` in async code."""
        return await self._arun(get_or_create(self, lookups, defaults or {}), self._writer)

    def update_or_create(
        self,
        defaults: Mapping[str, Any] | None = None,
        create_defaults: Mapping[str, Any] | None = None,
        **lookups: Any,
    ) -> tuple[R, bool]:
        """Update the row for which these hold, or make it; return it and whether it was made."""
        operation = update_or_create(self, lookups, defaults or {}, create_defaults)
        return self._run(operation, "update_or_create()", self._writer)

    async def aupdate_or_create(
        self,
        defaults: Mapping[str, Any] | None = None,
        create_defaults: Mapping[str, Any] | None = None,
        **lookups: Any,
    ) -> tuple[R, bool]:
        """`update_or_create()` in async code."""
        return await self._arun(update_or_create(self, lookups, defaults or {}, create_defaults), self._writer)

    def _bulk_create(self, instances: Iterable[Any], options: Mapping[str, Any]) -> Operation[list[Any]]:
        options = dict(options)
        if options.pop("update_conflicts", False) and not options.get("update_fields"):
            raise QueryError(
                "update_conflicts needs update_fields.", code="data/argument", hint='update_fields=["year"]'
            )
        return bulk_operations.bulk_create(self.model, list(instances), self._writer, **options)

    def bulk_create(self, instances: Iterable[R], **options: Any) -> list[R]:
        """Insert many instances in few statements; keys are set.

        Args:
            options: `batch_size`, `ignore_conflicts`, `update_conflicts` with
                `update_fields` and `unique_fields`, as in Django.
        """
        return self._run(self._bulk_create(instances, options), "bulk_create()", self._writer)

    async def abulk_create(self, instances: Iterable[R], **options: Any) -> list[R]:
        """`bulk_create()` in async code."""
        await self._writer.aprepare()
        return await self._arun(self._bulk_create(instances, options), self._writer)

    def bulk_update(self, instances: Iterable[R], fields: Sequence[str], *, batch_size: int | None = None) -> int:
        """Write these fields of many instances in few statements; return how many rows matched."""
        operation = bulk_operations.bulk_update(
            self.model, list(instances), fields, self._writer, batch_size=batch_size
        )
        return self._run(operation, "bulk_update()", self._writer)

    async def abulk_update(
        self, instances: Iterable[R], fields: Sequence[str], *, batch_size: int | None = None
    ) -> int:
        """`bulk_update()` in async code."""
        operation = bulk_operations.bulk_update(
            self.model, list(instances), fields, self._writer, batch_size=batch_size
        )
        return await self._arun(operation, self._writer)

    def update(self, **values: Any) -> int:
        """Set fields of all rows in one statement; return how many matched."""
        database = self._writer
        return self._run(bulk_operations.update(self.query, values, database), "update()", database)

    async def aupdate(self, **values: Any) -> int:
        """`update()` in async code."""
        database = self._writer
        return await self._arun(bulk_operations.update(self.query, values, database), database)

    def _deletion(self) -> Operation[tuple[int, dict[str, int]]]:
        query = self.query
        if query.is_sliced or query.frame.combined is not None or query.frame.distinct_on:
            self._refuse_sliced("delete")
        if query.frame.selection is not None:
            raise QueryError("delete() after values().", code="data/shaped", hint="Delete before, or filter(pk__in=…).")
        return delete_query(query, self._writer, self)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete all rows and what goes with them; return how many, and how many by model."""
        return self._run(self._deletion(), "delete()", self._writer)

    async def adelete(self) -> tuple[int, dict[str, int]]:
        """`delete()` in async code."""
        return await self._arun(self._deletion(), self._writer)

    delete.alters_data = True  # type: ignore[attr-defined]  # templates do not call it

    # Looking at the query itself

    @property
    def statement(self) -> Any:
        """The query as a SQLAlchemy `Select`, with its values, for plain Core."""
        from .query.statement import select_of

        return select_of(self.query, self.db.dialect)

    def sql(self) -> str:
        """Return the SQL as it is sent; values are not in it."""
        plan, _ = plan_of(self.query, self.db)
        return plan.sql

    def explain(self, *, analyze: bool = False, format: str = "text") -> str:  # noqa: A002  # Django's name
        """Return how the database would find the rows.

        Args:
            analyze: Whether it is run, and measured.
            format: `text` or `json`.
        """
        return "\n".join(self._run(_explanation(self, analyze=analyze, format=format), "explain()"))

    async def aexplain(self, *, analyze: bool = False, format: str = "text") -> str:  # noqa: A002  # Django's name
        """`explain()` in async code."""
        return "\n".join(await self._arun(_explanation(self, analyze=analyze, format=format)))

    @classmethod
    def as_manager(cls: type[S]) -> ManagerOf[S]:
        """Return a manager whose methods are this queryset's: `objects = PublishedQuerySet.as_manager()`."""
        from .managers import manager_of

        return manager_of(cls)


_GET_ROWS = 21


def _gives_nothing(query: Query) -> bool:
    return query.empty and query.frame.combined is None and not query.frame.annotations


def _explanation(queryset: QuerySet[Any], *, analyze: bool, format: str) -> Operation[list[str]]:  # noqa: A002  # Django's name
    from .query.statement import explanation

    return explanation(queryset.query, queryset.db, analyze=analyze, format=format)


def _text_of(query: Query) -> Any:
    """Return the text of `raw()`, where nothing else was asked of its rows."""
    statement = query.frame.statement
    return statement if hasattr(statement, "instances") and query.is_statement else None


def _check_chunk(size: int) -> None:
    if type(size) is not int or not 1 <= size <= _LARGEST_CHUNK:
        raise QueryError(
            f"chunk_size={cut(size)} must be a number from 1 to {_LARGEST_CHUNK}.",
            code="data/argument",
            hint="iterator(chunk_size=2000)",
        )


def _combined_order(name: Any) -> Any:
    from .expressions.base import F, OrderBy

    if isinstance(name, str):
        return OrderBy(F(name.removeprefix("-")), descending=name.startswith("-"))
    return name


def _named(what: str, aggregates: Sequence[Any], named: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in aggregates:
        label = getattr(each, "default_name", None)
        if label is None:
            raise QueryError(f"{what} cannot name {each!r}.", code="data/alias", hint=f"{what[:-1]}total={each!r})")
        found[label] = each
    for name, value in named.items():
        found[check_alias(name, what)] = value
    return found


def _not_found(model: Any) -> Exception:
    from ..errors import NotFound

    return NotFound(f"No {model._meta.verbose_name} is here.")


def _restored(kind: type[QuerySet[Any]], model: Any, rows: list[Any]) -> QuerySet[Any]:
    found = kind(model)
    found._rows = rows  # pyright: ignore[reportPrivateUsage]  # of this module's own class
    return found
