"""`Model`: a class for a table, an instance for a row.

Holds: how the class is made, how an instance is made, saved, deleted, fetched again.
Imports: querysets, operations, options.
Never: opens a connection when a class is defined.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from ...errors import did_you_mean
from ..errors import DoesNotExist, ModelError, MultipleObjectsReturned, QueryError
from ..fields.relations import ForeignKey, ManyToManyField
from ..instance import Peers
from ..managers import AllRows, ManagerDescriptor, Objects
from ..operations.deleting import delete_instances
from ..operations.reading import load_fields
from ..operations.saving import finish, only_statement
from ..operations.saving import save as save_operation
from ..queryset import QuerySet
from ..related import ReverseDescriptor
from ..steps import Operation
from .loading import Loads
from .making import make_model
from .options import Options
from .validation import clean_fields, full_clean, validate_constraints, validate_unique

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

            return Column[Any](owner, "pk")
        fields = instance._meta.pk_fields
        if len(fields) == 1:
            return instance.__dict__.get(fields[0].attname)
        key = tuple(instance.__dict__.get(field.attname) for field in fields)
        return None if None in key else key

    def __set__(self, instance: Any, value: Any) -> None:
        fields = instance._meta.pk_fields
        values = (value,) if len(fields) == 1 else value if value is not None else (None,) * len(fields)
        for field, each in zip(fields, values, strict=True):
            setattr(instance, field.attname, each)


class Model(Loads):
    """A class whose instances are rows of a table.

    >>> class Musician(Model):
    ...     name = CharField(max_length=100)
    """

    _meta: ClassVar[Options]
    _registry: ClassVar[Any] = None
    table: ClassVar[sa.Table] = cast("sa.Table", _TableAttribute())
    # Not declared but inferred: a model's own `objects` and `id` have the types they are given there.
    objects = cast("Objects", ManagerDescriptor(QuerySet))
    # Django's names: the rows that a model shows by default, and every row.
    _default_manager: ClassVar[Any] = AllRows("default_queryset")
    _base_manager: ClassVar[Any] = AllRows("base_queryset")
    DoesNotExist: ClassVar[type[DoesNotExist]] = DoesNotExist
    MultipleObjectsReturned: ClassVar[type[MultipleObjectsReturned]] = MultipleObjectsReturned
    if TYPE_CHECKING:
        id = cast("Any", None)
        pk: Any

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        make_model(cls, Model)

    @classmethod
    def _made(cls, options: Options) -> None:
        """Change the options of a model that was just made; for mixins."""

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
        if args:
            self._by_position(args, values)
        constant, made, plain, several = options.cache.get("blank") or options.blank()
        kept = self.__dict__
        # PERF: one update for all defaults that are the same each time, and one look-up for each value.
        kept.update(constant)
        for name, value in values.items():
            if name in plain:
                kept[name] = value
            else:
                self._take(name, value)
        for attname, make in made:
            if attname not in kept:
                kept[attname] = make()
        for reference in several:
            if not any(part.attname in kept for part in reference.own_parts):
                reference.set_parts(kept, reference.get_default())

    def _by_position(self, args: tuple[Any, ...], values: dict[str, Any]) -> None:
        fields = self._meta.fields
        if len(args) > len(fields):
            raise TypeError(f"{type(self).__name__}() takes at most {len(fields)} values by position")
        for field, value in zip(fields, args, strict=False):
            if field.attname in values or field.name in values:
                raise TypeError(f"{type(self).__name__}() got two values for {field.name}")
            values[field.attname] = value

    def _take(self, name: str, value: Any) -> None:
        """Take a value that is more than a column's: a related instance, the key, a property."""
        kind, options = type(self), self._meta
        field = options.find_field(name)
        is_settable = (
            (field is not None and (field.is_column or isinstance(field, ForeignKey)))
            or name == "pk"
            or name in options.private
            or isinstance(getattr(kind, name, None), property)
            or isinstance(vars(kind).get(name), ReverseDescriptor)
        )
        if not is_settable:
            raise TypeError(
                f"{kind.__name__}() has no field {name!r}. "
                + did_you_mean(name, [each.name for each in options.fields])
            )
        setattr(self, name, value)

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
            # A cache or a queue holds no secret; it is fetched again where it is touched.
            for field in self._meta.fields:
                if field.secret:
                    state.pop(field.attname, None)
        return state

    def __deepcopy__(self: M, memo: dict[int, Any]) -> M:
        new = memo[id(self)] = object.__new__(type(self))
        new.__dict__.update(deepcopy(self.__dict__, memo))
        return new

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
        database.refuse_on_loop("save()")
        self._take_related(database)
        is_plain = update_fields is None and not force_insert and not force_update
        only = only_statement(self, database) if is_plain else None
        if only is not None:
            plan, parameters, _ = only
            answer = database.perform("execute", plan, parameters)
            if finish(self, database, only, answer):
                return
        operation = save_operation(
            self, database, update_fields=update_fields, force_insert=force_insert, force_update=force_update
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
        if not database.driver.is_prepared:
            await database.aprepare()
        self._take_related(database)
        is_plain = update_fields is None and not force_insert and not force_update
        only = only_statement(self, database) if is_plain else None
        if only is not None:
            plan, parameters, _ = only
            answer = await database.aperform("execute", plan, parameters)
            if finish(self, database, only, answer):
                return
        await database.arun(save_operation(self, database, **options))

    def _save_here(self, database: Any, **options: Any) -> Any:
        """Save from inside an operation: by the method that its model overrides, in either colour."""
        from ..database import running_on_loop

        if running_on_loop():
            return self.asave(using=database, **options)
        return self.save(using=database, **options)

    def _take_related(self, database: Any) -> None:
        """Take the keys of related instances that were saved after they were assigned."""
        kept, cache = self.__dict__, self._meta.cache
        keys: tuple[ForeignKey[Any], ...] | None = cache.get("foreign keys")
        if keys is None:
            # PERF: found once, since every save asks.
            keys = cache["foreign keys"] = tuple(each for each in self._meta.fields if isinstance(each, ForeignKey))
        for field in keys:
            related = kept.get(field.name)
            if related is None:
                continue
            value = getattr(related, field.remote.attname)
            self._demand_saved(field, related, value, database)
            if kept.get(field.attname) is None:
                kept[field.attname] = value
            elif kept[field.attname] != value:
                del kept[field.name]  # the key was changed since
        for reference in self._meta.references:
            self._take_reference(reference, database)

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

    def refresh_from_db(
        self, *, fields: Sequence[str] | None = None, using: Any = None, from_queryset: QuerySet[Any] | None = None
    ) -> None:
        """Load this row anew; what was loaded of relations is forgotten.

        Args:
            fields: These alone.
            from_queryset: Where it is to be found: a locked queryset, or one that hides less.

        Raises:
            DoesNotExist: It is gone.
        """
        database = self._database(using)
        database.run(self._refresh(database, fields, from_queryset), "refresh_from_db()")

    async def arefresh_from_db(
        self, *, fields: Sequence[str] | None = None, using: Any = None, from_queryset: QuerySet[Any] | None = None
    ) -> None:
        """`refresh_from_db()` in async code."""
        database = self._database(using)
        await database.arun(self._refresh(database, fields, from_queryset))

    def get_deferred_fields(self) -> set[str]:
        """Return the attributes of columns that were not loaded."""
        return {field.attname for field in self._meta.fields if field.attname not in self.__dict__}

    def _refresh(
        self, database: Any, names: Sequence[str] | None, queryset: QuerySet[Any] | None = None
    ) -> Operation[None]:
        options = self._meta
        self._demand_key("refresh_from_db")
        if names is None:
            chosen = [field.attname for field in options.fields]
            self.__dict__.pop("_prefetched", None)
        else:
            plain = [name for name in names if name not in options.private]
            columns = [name for name in plain if not isinstance(options.get_field(name), ManyToManyField)]
            chosen = [field.attname for field in options.columns_of(columns)]
            for name in names:
                self.__dict__.get("_prefetched", {}).pop(name, None)
        if chosen:
            yield from load_fields([self], chosen, database, queryset.query if queryset is not None else None)
        for field in options.foreign_keys:
            if any(part.attname in chosen for part in field.columns):
                self.__dict__.pop(field.name, None)
        for name in options.private if names is None else names:
            if name in options.private:
                self.__dict__.pop(name, None)
        if names is None:
            for relation in options.reverse.values():
                self.__dict__.pop(relation.accessor, None)

    # Validation

    def clean_fields(self, exclude: Iterable[str] = ()) -> None:
        """Check each field's value.

        Raises:
            ValidationError: With a fault for each field that is wrong.
        """
        clean_fields(self, exclude)

    def clean(self) -> None:
        """Check what concerns several fields; the place to override."""

    def validate_unique(self, exclude: Iterable[str] = ()) -> None:
        """Check unique fields against the database."""
        database = self._database()
        database.run(validate_unique(self, database, exclude), "validate_unique()")

    async def avalidate_unique(self, exclude: Iterable[str] = ()) -> None:
        """`validate_unique()` in async code."""
        database = self._database()
        await database.arun(validate_unique(self, database, exclude))

    def validate_constraints(self, exclude: Iterable[str] = ()) -> None:
        """Check `Meta.constraints`, one query each."""
        database = self._database()
        database.run(validate_constraints(self, database, exclude), "validate_constraints()")

    async def avalidate_constraints(self, exclude: Iterable[str] = ()) -> None:
        """`validate_constraints()` in async code."""
        database = self._database()
        await database.arun(validate_constraints(self, database, exclude))

    def full_clean(
        self, exclude: Iterable[str] = (), *, validate_unique: bool = True, validate_constraints: bool = True
    ) -> None:
        """Check everything: fields, references, `clean()`, unique values, constraints.

        Args:
            exclude: Fields that are not checked, and not what depends on them.
            validate_unique: Whether unique values are.
            validate_constraints: Whether `Meta.constraints` are.

        Raises:
            ValidationError: With every fault; each path begins with the field's name.
        """
        self._refuse_async_override("full_clean", "afull_clean")
        database = self._database()
        operation = full_clean(
            self,
            database,
            exclude,
            unique=validate_unique,
            constraints=validate_constraints,
            overridden=self._overridden(),
        )
        database.run(operation, "full_clean()")

    async def afull_clean(
        self, exclude: Iterable[str] = (), *, validate_unique: bool = True, validate_constraints: bool = True
    ) -> None:
        """`full_clean()` in async code; methods that the model overrides run in a thread, unless they are async."""
        database = self._database()
        chosen = {"validate_unique": validate_unique, "validate_constraints": validate_constraints}
        if _overrides(type(self), "full_clean") and not _overrides(type(self), "afull_clean"):
            await database.in_thread(lambda: self.full_clean(exclude, **chosen))
            return

        operation = full_clean(
            self,
            database,
            exclude,
            unique=validate_unique,
            constraints=validate_constraints,
            overridden=self._overridden(),
        )
        await database.arun(operation)

    def _overridden(self) -> frozenset[str]:
        kind = type(self)
        found = kind._meta.cache.get("overridden")
        if found is None:
            names = ("clean_fields", "clean", "validate_unique", "validate_constraints")
            found = kind._meta.cache["overridden"] = frozenset(name for name in names if _overrides(kind, name))
        return cast("frozenset[str]", found)


def _overrides(cls: type, name: str) -> bool:
    return getattr(cls, name) is not getattr(Model, name)
