"""To-many relations of one instance.

Holds: the querysets behind `musician.records` and `record.tags`, with what changes them.
Imports: querysets, operations.
Never: is built for an instance that is not asked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from .errors import QueryError
from .fields.relations import Relation
from .operations.linking import add_links, remove_links, set_links
from .queryset import QuerySet
from .steps import Operation

__all__ = ["Key", "ManyRelatedManager", "RelatedManager", "Reverse", "related_manager"]

M = TypeVar("M")
T = TypeVar("T")


class RelatedManager(QuerySet[M]):
    """The rows that refer to one instance."""

    _relation: Relation
    _instance: Any

    def _fetched(self, method: str = "list()") -> list[Any]:
        if self._rows is None:
            self._rows = self._ahead()
        return super()._fetched(method)

    async def _afetched(self) -> list[Any]:
        if self._rows is None:
            self._rows = self._ahead()
        return await super()._afetched()

    def count(self) -> int:
        ahead = self._ahead()
        return len(ahead) if ahead is not None else super().count()

    async def acount(self) -> int:
        ahead = self._ahead()
        return len(ahead) if ahead is not None else await super().acount()

    def exists(self) -> bool:
        ahead = self._ahead()
        return bool(ahead) if ahead is not None else super().exists()

    def _ahead(self) -> list[Any] | None:
        """Return what was prefetched, while this is still all of the relation."""
        if self.__dict__.get("_begun") is not self.query:
            return None
        kept = self._instance.__dict__.get("_prefetched")
        found = None if kept is None else kept.get(self._relation.accessor or self._relation.name)
        return None if found is None else list(found)

    def _forget(self) -> None:
        kept = self._instance.__dict__.get("_prefetched")
        if kept is not None:
            kept.pop(self._relation.accessor or self._relation.name, None)

    def _demand_saved(self) -> None:
        if self._instance.pk is None:
            raise QueryError(
                f"This {type(self._instance).__name__} was not saved, and nothing can refer to it yet.",
                code="data/unsaved-relation",
                hint="save() it first.",
            )

    def _fixed(self) -> dict[str, Any]:
        field = self._relation.field
        return {field.name: self._instance}

    def _new(self, values: Any) -> Any:
        self._demand_saved()
        self._forget()
        return self.model(**{**values, **self._fixed()})

    def _check(self, instances: Iterable[Any]) -> list[Any]:
        found = list(instances)
        for each in found:
            if not isinstance(each, self.model):
                raise QueryError(
                    f"{self._relation.accessor}.add() takes {self.model.__name__}, not {type(each).__name__}.",
                    code="data/relation-value",
                    hint=f"Give instances of {self.model.__name__}.",
                )
        return found

    def _pointed(self, instances: list[Any], target: Any) -> QuerySet[Any]:
        self._forget()
        for each in instances:
            setattr(each, self._relation.field.name, target)
        return QuerySet(self.model, None, self._writer).filter(pk__in=[each.pk for each in instances])

    def add(self, *instances: M, bulk: bool = True) -> None:
        """Let these refer to the instance."""
        found = self._check(instances)
        self._demand_saved()
        if bulk:
            self._pointed(found, self._instance).update(**self._fixed())
        else:
            self._pointed(found, self._instance)
            for each in found:
                each.save()

    async def aadd(self, *instances: M, bulk: bool = True) -> None:
        """`add()` in async code."""
        found = self._check(instances)
        self._demand_saved()
        if bulk:
            await self._pointed(found, self._instance).aupdate(**self._fixed())
        else:
            self._pointed(found, self._instance)
            for each in found:
                await each.asave()

    def _demand_optional(self, method: str) -> None:
        field = self._relation.field
        if not field.null:
            raise QueryError(
                f"{self._relation.accessor}.{method}() cannot be: {self.model.__name__}.{field.name} is never NULL.",
                code="data/relation-required",
                hint=f"Delete them, or declare {field.name} with null=True.",
            )

    def remove(self, *instances: M) -> None:
        """Let these refer to nothing; only where the field may be NULL."""
        self._demand_optional("remove")
        self._pointed(self._check(instances), None).update(**{self._relation.field.name: None})

    async def aremove(self, *instances: M) -> None:
        """`remove()` in async code."""
        self._demand_optional("remove")
        await self._pointed(self._check(instances), None).aupdate(**{self._relation.field.name: None})

    def clear(self) -> None:
        """Let none refer to the instance."""
        self._demand_optional("clear")
        self._forget()
        self.update(**{self._relation.field.name: None})

    async def aclear(self) -> None:
        """`clear()` in async code."""
        self._demand_optional("clear")
        self._forget()
        await self.aupdate(**{self._relation.field.name: None})

    def set(self, instances: Iterable[M], *, clear: bool = False) -> None:
        """Let exactly these refer to the instance."""
        wanted = self._check(instances)
        if not self._relation.field.null:
            self.add(*wanted)
            return
        with self._writer.atomic():
            keep = {each.pk for each in wanted}
            self.exclude(pk__in=list(keep)).update(**{self._relation.field.name: None})
            self.add(*wanted)

    async def aset(self, instances: Iterable[M], *, clear: bool = False) -> None:
        """`set()` in async code."""
        wanted = self._check(instances)
        if not self._relation.field.null:
            await self.aadd(*wanted)
            return
        async with self._writer.atomic():
            keep = {each.pk for each in wanted}
            await self.exclude(pk__in=list(keep)).aupdate(**{self._relation.field.name: None})
            await self.aadd(*wanted)


class ManyRelatedManager(RelatedManager[M]):
    """The rows that a many-to-many relation joins to one instance."""

    def _fixed(self) -> dict[str, Any]:
        return {}

    def _linked(self, operation: Operation[T], method: str) -> T:
        self._demand_saved()
        self._forget()
        return self._run(operation, method, self._writer)

    async def _alinked(self, operation: Operation[T]) -> T:
        self._demand_saved()
        self._forget()
        return await self._arun(operation, self._writer)

    def add(self, *things: Any, through_defaults: Any = None, bulk: bool = True) -> None:
        """Join these: instances or keys; what is joined already stays as it is."""
        self._linked(add_links(self._instance, self._relation, things, self._writer, through_defaults), "add()")

    async def aadd(self, *things: Any, through_defaults: Any = None, bulk: bool = True) -> None:
        """`add()` in async code."""
        await self._alinked(add_links(self._instance, self._relation, things, self._writer, through_defaults))

    def remove(self, *things: Any) -> None:
        """Part these."""
        self._linked(remove_links(self._instance, self._relation, things, self._writer), "remove()")

    async def aremove(self, *things: Any) -> None:
        """`remove()` in async code."""
        await self._alinked(remove_links(self._instance, self._relation, things, self._writer))

    def clear(self) -> None:
        """Part all."""
        self._linked(remove_links(self._instance, self._relation, None, self._writer), "clear()")

    async def aclear(self) -> None:
        """`clear()` in async code."""
        await self._alinked(remove_links(self._instance, self._relation, None, self._writer))

    def set(self, things: Iterable[Any], *, clear: bool = False, through_defaults: Any = None) -> None:
        """Join exactly these."""
        operation = set_links(self._instance, self._relation, list(things), self._writer, through_defaults, clear=clear)
        self._linked(operation, "set()")

    async def aset(self, things: Iterable[Any], *, clear: bool = False, through_defaults: Any = None) -> None:
        """`set()` in async code."""
        operation = set_links(self._instance, self._relation, list(things), self._writer, through_defaults, clear=clear)
        await self._alinked(operation)

    def create(self, *, through_defaults: Any = None, **values: Any) -> M:
        """Make, save and join an instance."""
        with self._writer.atomic():
            instance = super().create(**values)
            self.add(instance, through_defaults=through_defaults)
        return instance

    async def acreate(self, *, through_defaults: Any = None, **values: Any) -> M:
        """`create()` in async code."""
        async with self._writer.atomic():
            instance = await super().acreate(**values)
            await self.aadd(instance, through_defaults=through_defaults)
        return instance


def related_manager(instance: Any, relation: Relation) -> Any:
    """Return the queryset of a to-many relation of *instance*."""
    from .operations.reading import opposite

    model = relation.target
    base = model._meta.default_queryset()
    kind = type(base)
    mixin = ManyRelatedManager if relation.kind == "many" else RelatedManager
    manager: Any = object.__new__(_combined(mixin, kind))
    manager.__dict__ = {**base.__dict__, "_relation": relation, "_instance": instance}
    here = relation.hops[0].pairs[0][0]
    value = instance.__dict__.get(here, getattr(instance, here, None))
    if relation.kind == "many":
        back = opposite(relation)
        query = (
            base.query.filtered((), {f"{back.name}__{here}": value})
            if value is not None
            else base.query.copy(empty=True)
        )
    elif value is None:
        query = base.query.copy(empty=True)
    else:
        query = base.query.filtered((), {relation.hops[0].pairs[0][1]: value})
    if instance._peers is not None and instance._peers.database is not None and base._using is None:
        manager._using = instance._peers.database
    manager.query = manager._begun = query
    return manager


_kinds: dict[tuple[type, type], type] = {}


def _combined(mixin: type, kind: type) -> type:
    if kind is QuerySet:
        return mixin
    found = _kinds.get((mixin, kind))
    if found is None:
        found = _kinds[mixin, kind] = type(f"{mixin.__name__}Of{kind.__name__}", (mixin, kind), {})
    return found


class ReverseDescriptor:
    """The attribute on a model by which it reaches what refers to it."""

    def __init__(self, relation_of: Any) -> None:
        self._relation_of = relation_of

    def __get__(self, instance: Any, owner: type) -> Any:
        relation: Relation = self._relation_of()
        if instance is None:
            from .columns import Column

            return Column(owner, relation.name)
        if relation.kind == "reverse_one":
            return instance._reverse_one(relation)
        return instance._manager(relation)

    def __set__(self, instance: Any, value: Any) -> None:
        relation: Relation = self._relation_of()
        if relation.kind == "reverse_one":
            instance.__dict__[relation.accessor] = value
            if value is not None:
                setattr(value, relation.field.name, instance)
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
        def __get__(self, instance: None, owner: type) -> Any: ...
        @overload
        def __get__(self, instance: Any, owner: type) -> RelatedManager[M]: ...
        def __get__(self, instance: Any, owner: type) -> Any: ...


class Key(Generic[T]):
    """Declares the column of a foreign key, for type checkers: `leader_id: db.Key[int]`."""

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Any: ...
        @overload
        def __get__(self, instance: Any, owner: type) -> T: ...
        def __get__(self, instance: Any, owner: type) -> Any: ...
        def __set__(self, instance: Any, value: T) -> None: ...
