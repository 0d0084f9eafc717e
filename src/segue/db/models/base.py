"""`Model`: a class for a table, an instance for a row.

Holds: how the class is made, how an instance is made, saved, deleted, fetched again.
Imports: querysets, operations, options.
Never: opens a connection when a class is defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from ...errors import did_you_mean
from ..choice import database_for
from ..errors import DoesNotExist, ModelError, MultipleObjectsReturned, QueryError
from ..expressions.base import Expression
from ..fields.relations import ForeignKey, Relation
from ..instance import Instance, Peers
from ..managers import ManagerDescriptor
from ..operations.deleting import delete_instances
from ..operations.reading import load_fields, load_relation, relation_called
from ..operations.saving import save as save_operation
from ..queryset import QuerySet
from ..related import ReverseDescriptor, missing_related, related_manager
from ..steps import Operation
from .making import make_model
from .options import Options
from .validation import afull_clean, full_clean

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["Model"]

M = TypeVar("M", bound="Model")


class _TableAttribute:
    """`Record.table`: SQLAlchemy's table, with constraints and indexes, made at the first touch."""

    def __get__(self, instance: Any, owner: type[Model]) -> sa.Table:
        from ..schema import full_table

        return full_table(owner)


class _PrimaryKey:
    """`record.pk`: the value of the key, a tuple of a composite one."""

    def __get__(self, instance: Any, owner: type[Model]) -> Any:
        if instance is None:
            from ..columns import Column

            return Column(owner, "pk")
        fields = owner._meta.pk_fields
        if len(fields) == 1:
            return instance.__dict__.get(fields[0].attname)
        key = tuple(instance.__dict__.get(field.attname) for field in fields)
        return None if None in key else key

    def __set__(self, instance: Any, value: Any) -> None:
        fields = type(instance)._meta.pk_fields
        values = (value,) if len(fields) == 1 else value if value is not None else (None,) * len(fields)
        for field, each in zip(fields, values, strict=True):
            setattr(instance, field.attname, each)


class Model(Instance):
    """A class whose instances are rows of a table.

    >>> class Musician(Model):
    ...     name = CharField(max_length=100)
    """

    _meta: ClassVar[Options]
    _registry: ClassVar[Any] = None
    table: ClassVar[sa.Table] = cast("sa.Table", _TableAttribute())
    objects: ClassVar[ManagerDescriptor[Any]] = ManagerDescriptor(QuerySet)
    DoesNotExist: ClassVar[type[DoesNotExist]] = DoesNotExist
    MultipleObjectsReturned: ClassVar[type[MultipleObjectsReturned]] = MultipleObjectsReturned
    if TYPE_CHECKING:
        id: Any
        pk: Any

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        make_model(cls, Model)

    if not TYPE_CHECKING:
        pk = _PrimaryKey()

    def __init__(self, *args: Any, **values: Any) -> None:
        options = self._meta
        if options.abstract:
            raise ModelError(
                f"{type(self).__name__} is abstract: it has no rows.",
                code="data/abstract",
                hint="Make an instance of a model that derives from it.",
            )
        fields = options.fields
        if args:
            if len(args) > len(fields):
                raise TypeError(f"{type(self).__name__}() takes at most {len(fields)} values by position")
            for field, value in zip(fields, args, strict=False):
                values.setdefault(field.attname, value)
        kept = self.__dict__
        for field in fields:
            attname = field.attname
            if attname in values:
                kept[attname] = values.pop(attname)
            elif field.name in values:
                setattr(self, field.name, values.pop(field.name))
            else:
                kept[attname] = field.get_default()
        for name, value in values.items():
            kind = type(self)
            settable = isinstance(getattr(kind, name, None), property) or isinstance(
                vars(kind).get(name), ReverseDescriptor
            )
            if name == "pk" or settable or name in options.private:
                setattr(self, name, value)
            else:
                raise TypeError(
                    f"{type(self).__name__}() has no field {name!r}. "
                    + did_you_mean(name, [each.name for each in fields])
                )

    # What an instance is

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Model):
            return NotImplemented
        if self._meta.concrete_model is not other._meta.concrete_model:
            return False
        return self is other if self.pk is None else bool(self.pk == other.pk)

    def __hash__(self) -> int:
        key = self.pk
        if key is None:
            raise TypeError(f"A {type(self).__name__} that was not saved has no key, and cannot be hashed.")
        return hash((self._meta.concrete_model, key))

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        if state.get("_peers") is not None:
            state["_peers"] = Peers(None, state["_peers"].mode)
        return state

    def __copy__(self: M) -> M:
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__)
        if "_prefetched" in new.__dict__:
            new.__dict__["_prefetched"] = dict(new.__dict__["_prefetched"])
        return new

    @property
    def is_stored(self) -> bool:
        """Whether it is a row of the database, as far as this instance knows."""
        return self._peers is not None

    def _database(self, using: Any = None, *, writes: bool = False) -> Any:
        if using is None and self._peers is not None and self._peers.database is not None:
            here = database_for(type(self), None, writes=writes)
            # A session's other databases keep what came from them.
            return self._peers.database if self._peers.database.url != here.url else here
        return database_for(type(self), using, writes=writes)

    # Saving

    def save(
        self,
        *,
        update_fields: Sequence[str] | None = None,
        force_insert: bool = False,
        force_update: bool = False,
        using: Any = None,
    ) -> None:
        """Write this instance to the database.

        Args:
            update_fields: Write these alone.
            force_insert: Fail where the key exists already.
            force_update: Fail where it does not.
            using: Another database.

        Raises:
            IntegrityError: A constraint refuses it.
        """
        self._refuse_async_override("save", "asave")
        database = self._database(using, writes=True)
        operation = self._save(
            database, update_fields=update_fields, force_insert=force_insert, force_update=force_update
        )
        database.run(operation, "save()")

    async def asave(
        self,
        *,
        update_fields: Sequence[str] | None = None,
        force_insert: bool = False,
        force_update: bool = False,
        using: Any = None,
    ) -> None:
        """`save()` in async code; a model that overrides `save()` alone has it run in a thread."""
        database = self._database(using, writes=True)
        options: dict[str, Any] = {
            "update_fields": update_fields,
            "force_insert": force_insert,
            "force_update": force_update,
        }
        if _overrides(type(self), "save") and not _overrides(type(self), "asave"):
            await database.in_thread(lambda: self.save(**options, using=database))
            return
        await database.arun(self._save(database, **options))

    def _save(self, database: Any, **options: Any) -> Operation[None]:
        self._take_related()
        return save_operation(self, database, **options)

    def _save_here(self, database: Any, **options: Any) -> Any:
        """Save from inside an operation: by the method that its model overrides, in either colour."""
        from ..database import running_on_loop

        if running_on_loop():
            return self.asave(using=database, **options)
        return self.save(using=database, **options)

    def _take_related(self) -> None:
        """Take the keys of related instances that were saved after they were assigned."""
        kept = self.__dict__
        for field in self._meta.fields:
            if not isinstance(field, ForeignKey):
                continue
            related = kept.get(field.name)
            if related is None:
                continue
            value = getattr(related, field.remote.attname)
            if value is None:
                raise QueryError(
                    f"{type(self).__name__}.{field.name} is a {type(related).__name__} that was not saved.",
                    code="data/unsaved-relation",
                    hint=f"Save the {type(related).__name__.lower()} first.",
                )
            if kept.get(field.attname) is None:
                kept[field.attname] = value
            elif kept[field.attname] != value:
                del kept[field.name]  # the key was changed since

    def _refuse_async_override(self, name: str, twin: str) -> None:
        if _overrides(type(self), twin) and not _overrides(type(self), name):
            raise QueryError(
                f"{type(self).__name__} overrides {twin}() alone, and {name}() was called.",
                code="data/async-override",
                why=f"{name}() would go past what {twin}() does.",
                hint=f"await instance.{twin}(), or override {name}() too.",
            )

    def delete(self, *, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """Delete this row and what goes with it; return how many, and how many by model.

        Raises:
            ProtectedError: Rows refer to it by PROTECT.
        """
        self._refuse_async_override("delete", "adelete")
        self._demand_key("delete")
        database = self._database(using, writes=True)
        return cast(
            "tuple[int, dict[str, int]]",
            database.run(delete_instances([self], database, keep_parents=keep_parents), "delete()"),
        )

    async def adelete(self, *, using: Any = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:
        """`delete()` in async code."""
        self._demand_key("delete")
        database = self._database(using, writes=True)
        if _overrides(type(self), "delete") and not _overrides(type(self), "adelete"):
            return cast("tuple[int, dict[str, int]]", await database.in_thread(lambda: self.delete(using=database)))
        return cast(
            "tuple[int, dict[str, int]]",
            await database.arun(delete_instances([self], database, keep_parents=keep_parents)),
        )

    delete.alters_data = True  # type: ignore[attr-defined]  # templates do not call it
    save.alters_data = True  # type: ignore[attr-defined]  # templates do not call it

    def _demand_key(self, what: str) -> None:
        if self.pk is None:
            raise QueryError(
                f"{what}(): this {type(self).__name__} was not saved.", code="data/unsaved", hint="There is no row yet."
            )

    # Fetching

    def refresh_from_db(self, *, fields: Sequence[str] | None = None, using: Any = None) -> None:
        """Load this row anew; what was loaded of relations is forgotten.

        Raises:
            DoesNotExist: It is gone.
        """
        database = self._database(using)
        database.run(self._refresh(database, fields), "refresh_from_db()")

    async def arefresh_from_db(self, *, fields: Sequence[str] | None = None, using: Any = None) -> None:
        """`refresh_from_db()` in async code."""
        database = self._database(using)
        await database.arun(self._refresh(database, fields))

    def _refresh(self, database: Any, names: Sequence[str] | None) -> Operation[None]:
        options = self._meta
        self._demand_key("refresh_from_db")
        if names is None:
            chosen = [field.attname for field in options.fields]
            self.__dict__.pop("_prefetched", None)
        else:
            chosen = [options.get_field(name).attname for name in names if _is_column(options, name)]
            for name in names:
                self.__dict__.get("_prefetched", {}).pop(name, None)
        if chosen:
            yield from load_fields([self], chosen, database)
        for field in options.fields:
            if field.is_relation and field.attname in chosen:
                self.__dict__.pop(field.name, None)
        if names is None:
            for relation in options.reverse.values():
                self.__dict__.pop(relation.accessor, None)

    def fetch(self, *names: str) -> Any:
        """Load relations or columns of this instance and its peers; return the (last) one."""
        database = self._database()
        return database.run(self._fetch(names, database), "fetch()")

    async def afetch(self, *names: str) -> Any:
        """`fetch()` in async code: `await record.afetch("leader")`."""
        database = self._database()
        return await database.arun(self._fetch(names, database))

    def _fetch(self, names: Sequence[str], database: Any) -> Operation[Any]:
        for name in names:
            field = self._meta.find_field(name)
            if field is not None and field.is_column and (not field.is_relation or name != field.name):
                if field.attname not in self.__dict__:
                    yield from load_fields(self._peers_without(field.attname), [field.attname], database)
                continue
            relation = relation_called(type(self), name)
            if relation is None:
                self._meta.get_field(name)
            assert relation is not None
            if relation.many:
                yield from load_relation(self._peers_all(), relation, database)
            else:
                yield from self._load_one(relation, database)
        last = getattr(self, names[-1]) if names else None
        return list(last) if isinstance(last, QuerySet) else last

    def _peers_all(self) -> list[Any]:
        peers = self._peers
        if peers is None or peers.mode == "one":
            return [self]
        others = [each for each in peers.alive() if each is not self and type(each) is type(self)]
        return [self, *others]

    def _peers_without(self, attname: str) -> list[Any]:
        return [each for each in self._peers_all() if attname not in each.__dict__]

    def _load_deferred(self, attname: str) -> Any:
        if self.pk is None or self._peers is None:
            raise AttributeError(f"{type(self).__name__}.{attname} was never set.")
        self._refuse_touch(attname)
        database = self._database()
        database.run(load_fields(self._peers_without(attname), [attname], database), attname)
        return self.__dict__[attname]

    def _refuse_touch(self, name: str) -> None:
        """Refuse a touch that would wait on the loop, or that the queryset forbade."""
        from ..database import running_on_loop
        from ..places import place_of_caller

        mode = self._peers.mode if self._peers is not None else "peers"
        if mode == "raise":
            raise QueryError(
                f"{type(self).__name__}.{name} was not loaded, and this queryset forbids loading it now.",
                code="data/unloaded-relation",
                where=place_of_caller(),
                hint=f'select_related("{name}"), or prefetch_related("{name}")',
            )
        if running_on_loop():
            raise QueryError(
                f"{type(self).__name__}.{name} was not loaded, and async code cannot wait for it here.",
                code="data/unloaded-relation",
                where=place_of_caller(),
                hint=f'await instance.afetch("{name}"), or select_related("{name}") in the query',
            )

    def _load_one(self, relation: Relation, database: Any) -> Operation[None]:
        name = relation.accessor or relation.name
        missing = [each for each in self._peers_all() if name not in each.__dict__]
        mode = self._peers.mode if self._peers is not None else "peers"
        yield from load_relation(missing or [self], relation, database, mode)

    def _related(self, field: Any) -> Any:
        kept = self.__dict__
        value = kept.get(field.attname)
        found = kept.get(field.name)
        if found is not None:
            # PERF: a changed key is seen here, so setting a key costs nothing.
            if value is None or found.__dict__.get(field.remote.attname, value) == value:
                return found
            del kept[field.name]
        if field.attname not in kept:
            value = self._load_deferred(field.attname)
        if value is None:
            if field.null or self._peers is not None:
                return None
            raise missing_related(field.target, f"{type(self).__name__} has no {field.name} yet.")
        self._refuse_touch(field.name)
        database = self._database()
        relation = self._meta.relation(field.name)
        assert relation is not None
        database.run(self._load_one(relation, database), field.name)
        if field.name not in kept:
            text = f"{type(self).__name__}.{field.name} refers to a {field.target.__name__} that is not there."
            raise missing_related(field.target, text)
        return kept[field.name]

    def _set_related(self, field: Any, value: Any) -> None:
        kept = self.__dict__
        if value is None:
            if not field.null:
                kept[field.attname] = None
                kept.pop(field.name, None)
                return
            kept[field.attname] = None
            kept[field.name] = None
            return
        if isinstance(value, Expression):
            kept[field.attname] = value
            return
        kept[field.attname] = field.value_of(value)
        kept[field.name] = value
        if field.one and not field.hidden:
            value.__dict__[field.back_name(many=False)] = self

    def _reverse_one(self, relation: Relation) -> Any:
        kept = self.__dict__
        name = relation.accessor
        if name not in kept:
            if self.pk is None:
                found = None
            else:
                self._refuse_touch(name)
                database = self._database()
                database.run(self._load_one(relation, database), name)
                found = kept.get(name)
        else:
            found = kept[name]
        if found is None:
            raise missing_related(relation.target, f"{type(self).__name__} {self.pk!r} has no {name}.")
        return found

    def _manager(self, relation: Any) -> Any:
        return related_manager(self, relation)

    # Validation

    def clean_fields(self, exclude: Iterable[str] = ()) -> None:
        """Check each field's value.

        Raises:
            ValidationError: With a fault for each field that is wrong.
        """
        from .validation import clean_fields

        clean_fields(self, exclude)

    def clean(self) -> None:
        """Check what concerns several fields; the place to override."""

    def validate_unique(self, exclude: Iterable[str] = ()) -> None:
        """Check unique fields against the database."""
        from .validation import validate_unique

        database = self._database()
        database.run(validate_unique(self, database, exclude), "validate_unique()")

    def validate_constraints(self, exclude: Iterable[str] = ()) -> None:
        """Check `Meta.constraints`, one query each."""
        from .validation import validate_constraints

        database = self._database()
        database.run(validate_constraints(self, database, exclude), "validate_constraints()")

    def full_clean(self, exclude: Iterable[str] = ()) -> None:
        """Check everything: fields, `clean()`, unique values, constraints.

        Raises:
            ValidationError: With every fault; each path begins with the field's name.
        """
        database = self._database()
        database.run(full_clean(self, database, exclude), "full_clean()")

    async def afull_clean(self, exclude: Iterable[str] = ()) -> None:
        """`full_clean()` in async code."""
        database = self._database()
        await database.arun(afull_clean(self, database, exclude))


def _overrides(cls: type, name: str) -> bool:
    return getattr(cls, name) is not getattr(Model, name)


def _is_column(options: Options, name: str) -> bool:
    field = options.get_field(name)
    return bool(field.is_column)
