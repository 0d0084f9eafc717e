"""To-many relations of one instance.

Holds: the querysets behind `musician.records` and `record.tags`, with what changes them.
Imports: querysets, operations.
Never: is built for an instance that is not asked.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from .columns import Column
from .errors import QueryError
from .fields.relations import Relation
from .instance import Instance
from .observing import loading
from .operations.linking import add_links, remove_links, set_links
from .operations.reading import opposite, origin_of
from .operations.referring import add_referring, remove_referring, set_referring
from .query.plans import Plan
from .query.query import Query
from .query.where import Node
from .queryset import QuerySet
from .steps import Operation
from .streaming import Closing

__all__ = ["Key", "ManyRelatedManager", "RelatedManager", "Reverse", "missing_related", "related_manager"]

M = TypeVar("M")
T = TypeVar("T")
S = TypeVar("S", bound="ManyRelatedManager[Any]")


class RelatedManager(QuerySet[M]):
    """The rows that refer to one instance."""

    _relation: Relation
    _instance: Any

    # Reading: what was prefetched is not asked for again; rows know the instance they refer to.

    def _fetched(self, method: str = "list()") -> list[Any]:
        if self._rows is None:
            self._rows = self._ahead()
        return super()._fetched(method)

    async def _afetched(self) -> list[Any]:
        if self._rows is None:
            self._rows = self._ahead()
        return await super()._afetched()

    def __getitem__(self, index: Any) -> Any:
        if self._rows is None:
            self._rows = self._ahead()
        return cast(Any, super().__getitem__(index))

    def _load(self, query: Query, method: str) -> list[Any]:
        with self._loading(query):
            return super()._load(query, method)

    async def _aload(self, query: Query) -> list[Any]:
        with self._loading(query):
            return await super()._aload(query)

    def _loading(self, query: Query | None = None) -> loading:
        """Say what is loaded: all of the relation, which could be prefetched, or a part of it."""
        is_whole = self._is_whole and (query is None or query is self.query)
        return loading(self._instance, self._kept_name, is_whole=is_whole)

    def _made(self, plan: Plan, rows: list[Any], database: Any) -> list[Any]:
        found = self._introduced(super()._made(plan, rows, database))
        peers: Any = getattr(found[0], "_peers", None) if found else None
        if peers is not None:
            peers.origin = origin_of(self._instance, self._kept_name)
        return found

    def iterator(self, chunk_size: int = 2000) -> Iterator[M]:
        for each in super().iterator(chunk_size):
            yield self._introduced([each])[0]

    async def aiterator(self, chunk_size: int = 2000) -> AsyncGenerator[M]:
        async with Closing(super().aiterator(chunk_size)) as rows:
            async for each in rows:
                yield self._introduced([each])[0]

    def _introduced(self, rows: list[Any]) -> list[Any]:
        """Let rows know the instance they refer to: touching it asks nothing."""
        frame = self.query.frame
        if frame.selection is None and frame.combined is None and self._relation.kind == "reverse":
            name = self._relation.field.name
            for each in rows:
                each.__dict__.setdefault(name, self._instance)
        return rows

    def count(self) -> int:
        ahead = self._ahead()
        if ahead is not None:
            return len(ahead)
        with self._loading():
            return super().count()

    async def acount(self) -> int:
        ahead = self._ahead()
        if ahead is not None:
            return len(ahead)
        with self._loading():
            return await super().acount()

    def exists(self) -> bool:
        ahead = self._ahead()
        if ahead is not None:
            return bool(ahead)
        with self._loading():
            return super().exists()

    async def aexists(self) -> bool:
        ahead = self._ahead()
        if ahead is not None:
            return bool(ahead)
        with self._loading():
            return await super().aexists()

    @property
    def _kept_name(self) -> str:
        return self._relation.accessor or self._relation.name

    @property
    def _is_whole(self) -> bool:
        """Whether this is still all of the relation."""
        return self.__dict__.get("_begun") is self.query

    def _ahead(self) -> list[Any] | None:
        """Return what was prefetched, while this is still all of the relation."""
        kept = self._instance.__dict__.get("_prefetched") if self._is_whole else None
        found = None if kept is None else kept.get(self._kept_name)
        return None if found is None else list(found)

    def _forget(self) -> None:
        kept = self._instance.__dict__.get("_prefetched")
        if kept is not None:
            kept.pop(self._kept_name, None)

    # Changing

    def _demand_saved(self) -> None:
        if self._instance.pk is None:
            raise QueryError(
                f"This {type(self._instance).__name__} was not saved, and nothing can refer to it yet.",
                code="data/unsaved",
                hint="save() it first.",
            )

    def _change(self, operation: Operation[None], method: str) -> None:
        self._demand_whole(method)
        self._run(operation, f"{method}()", self._writer)
        self._forget()

    async def _achange(self, operation: Operation[None], method: str) -> None:
        self._demand_whole(method)
        await self._arun(operation, self._writer)
        self._forget()

    def _demand_whole(self, method: str) -> None:
        self._demand_saved()
        if not self._is_whole:
            raise QueryError(
                f"{self._kept_name}.{method}() after the rows were narrowed.",
                code="data/relation-narrowed",
                why="It changes the relation, not the rows that were chosen of it.",
                hint=f"instance.{self._kept_name}.{method}(…)",
            )

    def _fixed(self) -> dict[str, Any]:
        return {self._relation.field.name: self._instance}

    def _new(self, values: Any) -> Any:
        self._demand_saved()
        self._forget()
        return self.model(**{**values, **self._fixed()})

    def _bulk_create(self, instances: Iterable[Any], options: Any) -> Operation[list[Any]]:
        self._demand_saved()
        self._forget()
        found = self._check("bulk_create", instances)
        for each in found:
            for name, value in self._fixed().items():
                setattr(each, name, value)
        return super()._bulk_create(found, options)

    def _check(self, method: str, instances: Iterable[Any]) -> list[Any]:
        found = list(instances)
        for each in found:
            if not isinstance(each, self.model):
                raise QueryError(
                    f"{self._kept_name}.{method}() takes {self.model.__name__}, not {type(each).__name__}.",
                    code="data/relation-value",
                    hint=f"Give instances of {self.model.__name__}.",
                )
        return found

    def _demand_optional(self, method: str) -> None:
        field = self._relation.field
        if not field.null:
            raise QueryError(
                f"{self._kept_name}.{method}() cannot be: {self.model.__name__}.{field.name} is never NULL.",
                code="data/relation-required",
                hint=f"Delete them, or declare {field.name} with null=True.",
            )

    def _adding(self, instances: tuple[Any, ...], *, bulk: bool) -> Operation[None]:
        found = self._check("add", instances)
        return add_referring(self._instance, self._relation, found, self._writer, bulk=bulk)

    def _removing(self, instances: tuple[Any, ...], *, bulk: bool) -> Operation[None]:
        self._demand_optional("remove")
        found = self._check("remove", instances)
        return remove_referring(self._instance, self._relation, found, self._writer, bulk=bulk)

    def _clearing(self) -> Operation[None]:
        self._demand_optional("clear")
        return remove_referring(self._instance, self._relation, None, self._writer)

    def _setting(self, instances: Iterable[Any], *, bulk: bool, clear: bool) -> Operation[None]:
        found = self._check("set", instances)
        return set_referring(self._instance, self._relation, found, self._writer, bulk=bulk, clear=clear)

    def add(self, *instances: M, bulk: bool = True) -> None:
        """Let these refer to the instance.

        Args:
            bulk: Whether one UPDATE does it; else each is saved, with its signals.
        """
        self._change(self._adding(instances, bulk=bulk), "add")

    async def aadd(self, *instances: M, bulk: bool = True) -> None:
        """`add()` in async code."""
        await self._achange(self._adding(instances, bulk=bulk), "add")

    def remove(self, *instances: M, bulk: bool = True) -> None:
        """Let these refer to nothing; only where the field may be NULL.

        Raises:
            DoesNotExist: One does not refer to the instance.
        """
        self._change(self._removing(instances, bulk=bulk), "remove")

    async def aremove(self, *instances: M, bulk: bool = True) -> None:
        """`remove()` in async code."""
        await self._achange(self._removing(instances, bulk=bulk), "remove")

    def clear(self) -> None:
        """Let none refer to the instance; only where the field may be NULL."""
        self._change(self._clearing(), "clear")

    async def aclear(self) -> None:
        """`clear()` in async code."""
        await self._achange(self._clearing(), "clear")

    def set(self, things: Iterable[M], *, bulk: bool = True, clear: bool = False) -> None:
        """Let exactly these refer to the instance; where the field is never NULL, these too."""
        self._change(self._setting(things, bulk=bulk, clear=clear), "set")

    async def aset(self, things: Iterable[M], *, bulk: bool = True, clear: bool = False) -> None:
        """`set()` in async code."""
        await self._achange(self._setting(things, bulk=bulk, clear=clear), "set")


class ManyRelatedManager(RelatedManager[M]):
    """The rows that a many-to-many relation joins to one instance."""

    def filter(self: S, *conditions: Any, **lookups: Any) -> S:
        """Keep the rows for which all of these hold.

        The first call speaks of the same row of the table between, as in Django.
        """
        found = super().filter(*conditions, **lookups)
        query = found.query
        if self._is_whole and len(query.where) > len(self.query.where):
            both = Node("AND", query.where[-2:])
            return found._with(query.copy(where=(*query.where[:-2], both)))
        return found

    def _for_one(self, conditions: tuple[Any, ...], lookups: Mapping[str, Any]) -> Query:
        if conditions or lookups:
            return self.filter(*conditions, **lookups)._for_one((), {})
        return super()._for_one(conditions, lookups)

    @property
    def through(self) -> Any:
        """The model of the table between."""
        return self._relation.field.through

    def _fixed(self) -> dict[str, Any]:
        return {}

    def add(self, *things: Any, through_defaults: Any = None, bulk: bool = True) -> None:
        """Join these: instances or keys; what is joined already stays as it is.

        Args:
            through_defaults: Values of the other fields of the table between.
        """
        self._change(self._joining(things, through_defaults), "add")

    async def aadd(self, *things: Any, through_defaults: Any = None, bulk: bool = True) -> None:
        """`add()` in async code."""
        await self._achange(self._joining(things, through_defaults), "add")

    def remove(self, *things: Any, bulk: bool = True) -> None:
        """Part these: instances or keys; what is not joined is left alone."""
        self._change(self._parting("remove", things), "remove")

    async def aremove(self, *things: Any, bulk: bool = True) -> None:
        """`remove()` in async code."""
        await self._achange(self._parting("remove", things), "remove")

    def clear(self) -> None:
        """Part all."""
        self._change(self._parting("clear", None), "clear")

    async def aclear(self) -> None:
        """`clear()` in async code."""
        await self._achange(self._parting("clear", None), "clear")

    def set(
        self, things: Iterable[Any], *, bulk: bool = True, clear: bool = False, through_defaults: Any = None
    ) -> None:
        """Join exactly these.

        Args:
            clear: Whether all are parted first; else only those that are not among *things*.
            through_defaults: Values of the other fields of the table between, for new pairs.
        """
        self._change(self._exactly(things, through_defaults, clear=clear), "set")

    async def aset(
        self, things: Iterable[Any], *, bulk: bool = True, clear: bool = False, through_defaults: Any = None
    ) -> None:
        """`set()` in async code."""
        await self._achange(self._exactly(things, through_defaults, clear=clear), "set")

    def create(self, *, through_defaults: Any = None, **values: Any) -> M:
        """Make, save and join an instance."""
        with self._writer.atomic():
            instance = super().create(**values)
            self._run(self._joining([instance], through_defaults), "create()", self._writer)
        return instance

    async def acreate(self, *, through_defaults: Any = None, **values: Any) -> M:
        """`create()` in async code."""
        async with self._writer.atomic():
            instance = await super().acreate(**values)
            await self._arun(self._joining([instance], through_defaults), self._writer)
        return instance

    def get_or_create(self, defaults: Any = None, *, through_defaults: Any = None, **lookups: Any) -> tuple[M, bool]:
        """Return the joined row for which these hold, made and joined if there is none."""
        with self._writer.atomic():
            instance, created = super().get_or_create(defaults, **lookups)
            if created:
                self._run(self._joining([instance], through_defaults), "get_or_create()", self._writer)
        return instance, created

    async def aget_or_create(
        self, defaults: Any = None, *, through_defaults: Any = None, **lookups: Any
    ) -> tuple[M, bool]:
        """`get_or_create()` in async code."""
        async with self._writer.atomic():
            instance, created = await super().aget_or_create(defaults, **lookups)
            if created:
                await self._arun(self._joining([instance], through_defaults), self._writer)
        return instance, created

    def update_or_create(
        self, defaults: Any = None, create_defaults: Any = None, *, through_defaults: Any = None, **lookups: Any
    ) -> tuple[M, bool]:
        """Update the joined row for which these hold, or make and join it."""
        with self._writer.atomic():
            instance, created = super().update_or_create(defaults, create_defaults, **lookups)
            if created:
                self._run(self._joining([instance], through_defaults), "update_or_create()", self._writer)
        return instance, created

    async def aupdate_or_create(
        self, defaults: Any = None, create_defaults: Any = None, *, through_defaults: Any = None, **lookups: Any
    ) -> tuple[M, bool]:
        """`update_or_create()` in async code."""
        async with self._writer.atomic():
            instance, created = await super().aupdate_or_create(defaults, create_defaults, **lookups)
            if created:
                await self._arun(self._joining([instance], through_defaults), self._writer)
        return instance, created

    # The operations; what is wrong with their arguments is said before they begin

    def _joining(self, things: Iterable[Any], through_defaults: Any) -> Operation[None]:
        self._demand_saved()
        found = self._check("add", things)
        return add_links(self._instance, self._relation, found, self._writer, through_defaults)

    def _parting(self, method: str, things: Iterable[Any] | None) -> Operation[None]:
        self._demand_saved()
        found = None if things is None else self._check(method, things)
        return remove_links(self._instance, self._relation, found, self._writer)

    def _exactly(self, things: Iterable[Any], through_defaults: Any, *, clear: bool) -> Operation[None]:
        self._demand_saved()
        found = self._check("set", things)
        return set_links(self._instance, self._relation, found, self._writer, through_defaults, clear=clear)

    def _check(self, method: str, instances: Iterable[Any]) -> list[Any]:
        found = list(instances)
        super()._check(method, [each for each in found if isinstance(each, Instance)])
        return found


for _manager in (RelatedManager, ManyRelatedManager):
    for _name in ("add", "remove", "clear", "set", "create", "get_or_create", "update_or_create"):
        # Templates do not call what changes rows.
        vars(_manager).get(_name, lambda: None).alters_data = True


def related_manager(instance: Any, relation: Relation) -> Any:
    """Return the queryset of a to-many relation of *instance*."""
    base = relation.target._meta.default_queryset()
    mixin = getattr(relation.field, "manager", None) or (
        ManyRelatedManager if relation.kind == "many" else RelatedManager
    )
    kind: Any = _combined(mixin, base.__class__)
    manager: Any = object.__new__(kind)
    manager.__dict__ = {**base.__dict__, "_relation": relation, "_instance": instance}
    manager.query = manager._begun = _rows_of(instance, relation, base.query)
    return manager


def _rows_of(instance: Any, relation: Relation, query: Any) -> Any:
    if relation.kind == "generic":
        key = relation.field.key_of(instance)
        if key is None:
            return query.copy(empty=True)
        return relation.field.of_type(query).filtered((), {relation.field.object_id_field: key})
    pairs = relation.hops[0].pairs
    values = [getattr(instance, here) for here, _ in pairs] if instance.pk is not None else [None]
    if None in values:
        return query.copy(empty=True)
    if relation.kind == "many":
        back = opposite(relation).name
        names = [f"{back}__{here}" for here, _ in pairs]
    else:
        names = [there for _, there in pairs]
    return query.filtered((), dict(zip(names, values, strict=True)))


_kinds: dict[tuple[type, type], type] = {}


def _combined(mixin: type, kind: type) -> type:
    if kind is QuerySet:
        return mixin
    found = _kinds.get((mixin, kind))
    if found is None:
        found = _kinds[mixin, kind] = type(f"{mixin.__name__}Of{kind.__name__}", (mixin, kind), {})
    return found


def _set_one(instance: Any, relation: Relation, value: Any) -> None:
    """Let *value* refer to *instance*, and what referred to it so far, as far as is known, to nothing."""
    name = relation.field.name
    if value is not None and not isinstance(value, relation.target):
        raise QueryError(
            f"{type(instance).__name__}.{relation.accessor} takes {_one(relation.target)}, not {type(value).__name__}.",
            code="data/relation-value",
            hint=f"{relation.accessor}={relation.target.__name__.lower()}",
        )
    before = instance.__dict__.get(relation.accessor)
    if value is None and before is not None:
        setattr(before, name, None)
    instance.__dict__[relation.accessor] = value
    if value is not None:
        setattr(value, name, instance)


def _one(model: Any) -> str:
    """Return a model's name with its article, for messages."""
    return f"{'an' if model.__name__[:1] in 'AEIOU' else 'a'} {model.__name__}"


def missing_related(target: Any, text: str) -> Exception:
    """Return the error of a relation that leads nowhere: the target's `DoesNotExist`, and an `AttributeError`."""
    kinds = target._meta.cache
    kind = kinds.get("missing_related")
    if kind is None:
        body = {"__module__": target.__module__, "__qualname__": f"{target.__qualname__}.RelatedObjectDoesNotExist"}
        kind = kinds["missing_related"] = type("RelatedObjectDoesNotExist", (target.DoesNotExist, AttributeError), body)
    return kind(text)  # type: ignore[no-any-return]  # kept among other things


class ReverseDescriptor:
    """The attribute on a model by which it reaches what refers to it."""

    def __init__(self, relation_of: Any) -> None:
        self._relation_of = relation_of

    def __get__(self, instance: Any, owner: type) -> Any:
        relation: Relation = self._relation_of()
        if instance is None:
            return Column[Any](owner, relation.name)
        if relation.kind == "reverse_one":
            return instance._reverse_one(relation)
        return instance._manager(relation)

    def __set__(self, instance: Any, value: Any) -> None:
        relation: Relation = self._relation_of()
        if relation.kind == "reverse_one":
            _set_one(instance, relation, value)
            return
        raise QueryError(
            f"{type(instance).__name__}.{relation.accessor} cannot be assigned.",
            code="data/many-assigned",
            hint=f"instance.{relation.accessor}.set([…])",
        )


class Reverse(Generic[M]):
    """Declares what `related_name` makes, for type checkers: `records: db.Reverse["Record"]`."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Column[Any]: ...
        @overload
        def __get__(self, instance: Any, owner: type) -> RelatedManager[M]: ...
        def __get__(self, instance: Any, owner: type) -> Any: ...


class Key(Generic[T]):
    """Declares the column of a foreign key, for type checkers: `leader_id: db.Key[int]`."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Column[T]: ...
        @overload
        def __get__(self, instance: Any, owner: type) -> T: ...
        def __get__(self, instance: Any, owner: type) -> Any: ...
        def __set__(self, instance: Any, value: T) -> None: ...
