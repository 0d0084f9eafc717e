"""What an instance loads when it is touched or told to.

Holds: `Loads`, the part of every model that fetches relations and columns, for all peers.
Imports: operations, relations.
Never: waits on an event loop; it says what to await instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..choice import database_for, refuse_apart
from ..database import running_on_loop
from ..errors import QueryError
from ..fields.base import NOT_PROVIDED
from ..fields.relations import Relation
from ..instance import Instance
from ..observing import loading
from ..operations.reading import load_fields, load_relation, prefetch, relation_called
from ..places import place_of_caller
from ..queryset import QuerySet
from ..related import missing_related, related_manager
from ..steps import Operation

__all__ = ["Loads", "aprefetch_related_objects", "prefetch_related_objects"]


class Loads(Instance):
    """An instance that knows where the rest of it is."""

    def _database(self, using: Any = None, *, writes: bool = False) -> Any:
        return database_for(type(self), using, writes=writes, instance=self)

    def fetch(self, *names: str) -> Any:
        """Load relations or columns of this instance and its peers; return the (last) one.

        Args:
            names: Attributes; `leader__country` loads what is behind a relation too.
        """
        database = self._database()
        with loading(self, names[-1] if names else ""):
            return database.run(self._fetch(names, database), "fetch()")

    async def afetch(self, *names: str) -> Any:
        """`fetch()` in async code: `await record.afetch("leader")`."""
        database = self._database()
        with loading(self, names[-1] if names else ""):
            return await database.arun(self._fetch(names, database))

    def _fetch(self, names: Sequence[str], database: Any) -> Operation[Any]:
        for name in names:
            field = self._meta.find_field(name)
            if field is not None and field.kind != "many_to_many" and (not field.is_relation or name != field.name):
                for each in field.columns:
                    if each.attname not in self.__dict__:
                        yield from load_fields(self._peers_without(each.attname), [each.attname], database)
                continue
            relation = relation_called(type(self), name)
            if relation is not None and not relation.many:
                yield from self._load_one(relation, database)
            else:
                yield from prefetch(self._peers_all(), [name], database, self._mode)
        last: Any = self
        for part in names[-1].split("__") if names else ():
            last = getattr(last, part) if last is not None else None
        return list(last) if issubclass(last.__class__, QuerySet) else last

    @property
    def _mode(self) -> str:
        if self._peers is not None:
            return self._peers.mode
        mode: str = self._meta.fetch_mode or self._database().fetch_mode
        return mode

    def _peers_all(self) -> list[Any]:
        peers = self._peers
        if peers is None or peers.mode == "one":
            return [self]
        others = [each for each in peers.alive() if each is not self and type(each) is type(self)]
        return [self, *others]

    def _peers_without(self, attname: str) -> list[Any]:
        return [each for each in self._peers_all() if attname not in each.__dict__]

    # What a touch does

    def _load_deferred(self, attname: str) -> Any:
        if self.pk is None or self._peers is None:
            if self._meta.get_field(attname).db_default is not NOT_PROVIDED:
                return None  # the database fills it in when this is saved
            raise AttributeError(f"{type(self).__name__}.{attname} was never set.")
        self._refuse_touch(attname, f'only(…, "{attname}"), or no defer("{attname}"),')
        self._load(load_fields(self._peers_without(attname), [attname], self._database()), attname)
        return self.__dict__[attname]

    def _load(self, operation: Operation[None], name: str) -> None:
        with loading(self, name):
            self._database().run(operation, name)

    def _refuse_touch(self, name: str, ahead: str) -> None:
        """Refuse a touch that would wait on the loop, or that the queryset forbade.

        Args:
            ahead: The call that loads it with the query.
        """
        if self._mode == "raise":
            raise QueryError(
                f"{type(self).__name__}.{name} was not loaded, and this queryset forbids loading it now.",
                code="data/unloaded-relation",
                where=place_of_caller(),
                why="Its fetch mode is RAISE.",
                hint=f"{ahead} in the query",
            )
        if running_on_loop():
            raise QueryError(
                f"{type(self).__name__}.{name} was not loaded, and async code cannot wait for it here.",
                code="data/unloaded-relation",
                where=place_of_caller(),
                why="An attribute cannot be awaited, and a query would keep the event loop waiting.",
                hint=f'await {type(self).__name__.lower()}.afetch("{name}"), or {ahead} in the query',
            )

    def _load_one(self, relation: Relation, database: Any) -> Operation[None]:
        name = relation.accessor or relation.name
        missing = [each for each in self._peers_all() if name not in each.__dict__]
        yield from load_relation(missing or [self], relation, database, self._mode)

    def _related(self, field: Any) -> Any:
        kept = self.__dict__
        value = kept.get(field.attname)
        found = kept.get(field.name)
        if found is not None:
            # PERF: a changed key is seen here, so setting a key costs nothing.
            if value is None or found.__dict__.get(field.remote_attname, value) == value:
                return found
            del kept[field.name]
        if field.attname not in kept:
            value = self._load_deferred(field.attname)
        return self._fetched(field, value)

    def _fetched(self, field: Any, key: Any) -> Any:
        """Fetch what a foreign key refers to, for all peers; `None` where it refers to nothing."""
        kept = self.__dict__
        if key is None:
            if field.null:
                return None
            raise missing_related(field.target, f"{type(self).__name__} has no {field.name} yet.")
        if kept.get("_prefetched", {}).get(field.name) == key:
            return None  # a Prefetch left it out
        self._refuse_touch(field.name, f'select_related("{field.name}")')
        relation = self._meta.relation(field.name)
        assert relation is not None
        self._load(self._load_one(relation, self._database()), field.name)
        if field.name not in kept:
            text = f"{type(self).__name__}.{field.name} refers to a {field.target.__name__} that is not there."
            raise missing_related(field.target, text)
        return kept[field.name]

    def _set_related(self, field: Any, value: Any) -> None:
        kept = self.__dict__
        if value is None:
            kept[field.attname] = None
            if field.null:
                kept[field.name] = None
            else:
                kept.pop(field.name, None)
            return
        if hasattr(value, "resolve"):
            kept[field.attname] = value  # an expression: the database knows which
            kept.pop(field.name, None)
            return
        kept[field.attname] = field.value_of(value)
        self._attach(field, value)

    def _attach(self, field: Any, value: Any) -> None:
        """Keep what a foreign key refers to, now that its key is written."""
        peers = self._peers
        if peers is not None and value._peers is not None and value._peers.database is not peers.database:
            refuse_apart(self, peers.database, value, field.name)
        self.__dict__[field.name] = value
        if field.one and not field.hidden:
            value.__dict__[field.back_name(many=False)] = self

    def _demand_saved(self, field: Any, related: Any, key: Any, database: Any) -> None:
        """Refuse to refer to what has no key, or lives elsewhere."""
        if key is None:
            raise QueryError(
                f"{type(self).__name__}.{field.name} is a {type(related).__name__} that was not saved.",
                code="data/unsaved",
                hint=f"Save the {type(related).__name__.lower()} first.",
            )
        if related._peers is not None and related._peers.database is not database:
            refuse_apart(self, database, related, field.name)

    # References of several columns: the same, part by part

    def _referred(self, field: Any) -> Any:
        kept = self.__dict__
        key = getattr(self, field.attname)
        found = kept.get(field.name)
        if found is not None:
            theirs = tuple([found.__dict__.get(each.attname) for each in field.remotes])
            # One that was not saved yet has no key, and is taken as it is until then.
            if theirs == key or (None in theirs and key is None):
                return found
            del kept[field.name]
        return self._fetched(field, key)

    def _refer(self, field: Any, value: Any) -> None:
        kept = self.__dict__
        if value is None:
            field.set_parts(kept, None)
            kept.pop(field.name, None)
            return
        if hasattr(value, "resolve"):
            raise QueryError(
                f"{type(self).__name__}.{field.name} was given an expression, and is {len(field.fields)} columns.",
                code="data/relation-value",
                hint=f"{type(self).__name__}.objects.filter(…).update({field.name}=…)",
            )
        field.set_parts(kept, field.value_of(value))
        self._attach(field, value)

    def _take_reference(self, field: Any, database: Any) -> None:
        """Take the key of a related instance that was saved since; refuse half of a key."""
        kept = self.__dict__
        related = kept.get(field.name)
        if related is not None:
            value = field.value_of(related)
            self._demand_saved(field, related, value, database)
            if all(kept.get(part.attname) is None for part in field.own_parts):
                field.set_parts(kept, value)
            elif tuple([kept.get(part.attname) for part in field.fields]) != value:
                del kept[field.name]  # the key was changed since
        field.refuse_half(kept)

    def _reverse_one(self, relation: Relation) -> Any:
        kept = self.__dict__
        name = relation.accessor
        if name not in kept and self.pk is not None:
            self._refuse_touch(name, f'select_related("{name}")')
            self._load(self._load_one(relation, self._database()), name)
        found = kept.get(name)
        if found is None:
            raise missing_related(relation.target, f"{type(self).__name__} {self.pk!r} has no {name}.")
        return found

    def _manager(self, relation: Any) -> Any:
        return related_manager(self, relation)


def prefetch_related_objects(instances: Iterable[Any], *lookups: Any) -> None:
    """Load relations of instances that are at hand: one query for each level of each look-up."""
    found = list(instances)
    if found:
        database = found[0]._database()
        database.run(prefetch(found, lookups, database, found[0]._mode), "prefetch_related_objects()")


async def aprefetch_related_objects(instances: Iterable[Any], *lookups: Any) -> None:
    """`prefetch_related_objects()` in async code."""
    found = list(instances)
    if found:
        database = found[0]._database()
        await database.arun(prefetch(found, lookups, database, found[0]._mode))
