"""References to rows of any model.

Holds: `ContentType`, a model by its label; the field that keeps it; `GenericForeignKey`,
`GenericRelation`, `GenericPrefetch`.
Imports: fields, operations, the managers of relations.
Never: keeps a table of models; the label is the identity, and stays when code moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, overload

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from .columns import Column
from .errors import DoesNotExist, QueryError
from .fields.relations import Hop, Relation
from .fields.text import CharField
from .generickeys import from_stored, joinable, to_stored
from .instance import Instance
from .operations.deleting import delete_query
from .operations.reading import Prefetch, fetch, matching, origin_of
from .operations.referring import point_rows, save_each
from .query.query import Query
from .registry import Registry, model_of_label
from .related import RelatedManager
from .steps import Operation, Transaction

__all__ = ["ContentType", "ContentTypeField", "GenericForeignKey", "GenericPrefetch", "GenericRelation"]


class ContentType(str):
    """A model by its label: the text `core.record`, or `record` where the label is empty.

    It is the same in every database, and needs no table: what Django asks `ContentType.objects`
    for, this knows itself.

    >>> kind = ContentType.of(Record)  # doctest: +SKIP
    >>> kind.model_class()  # doctest: +SKIP
    <class 'core.models.Record'>
    """

    _registry: Registry | None = None

    def __new__(cls, label: str, registry: Registry | None = None) -> ContentType:
        """Return the type of a label; *registry* is where its model is looked for first."""
        self = super().__new__(cls, label.lower())
        self._registry = registry
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return ContentType, (str(self),)

    def __repr__(self) -> str:
        return f"<ContentType: {self!s}>"

    def __str__(self) -> str:
        return str.__str__(self)

    @classmethod
    def of(cls, model: Any, *, for_concrete_model: bool = True) -> ContentType:
        """Return the type of a model, or of an instance's.

        Args:
            for_concrete_model: Whether a proxy is its model.
        """
        options = model._meta.concrete_model._meta if for_concrete_model else model._meta
        return cls(options.label_key, options.registry)

    @property
    def app_label(self) -> str:
        """The label of the package; empty in one file."""
        return self.rpartition(".")[0]

    @property
    def model(self) -> str:
        """The name of the model, in lower case."""
        return self.rpartition(".")[2]

    @property
    def name(self) -> str:
        """The model's name for people; its label where the model is gone."""
        model = self.model_class()
        return str(model._meta.verbose_name) if model is not None else str(self)

    def model_class(self) -> Any:
        """Return the model; `None` where there is none of that label any more."""
        return model_of_label(str(self), self._registry)

    def _demanded(self) -> Any:
        model = self.model_class()
        if model is None:
            raise DoesNotExist(
                f"There is no model {str(self)!r}.",
                hint="Import the module that defines it, or keep its label: Meta.app_label.",
            )
        return model

    def get_object_for_this_type(self, **lookups: Any) -> Any:
        """Return the row of this model for which the look-ups hold."""
        return self._demanded().objects.get(**lookups)

    async def aget_object_for_this_type(self, **lookups: Any) -> Any:
        """`get_object_for_this_type()` in async code."""
        return await self._demanded().objects.aget(**lookups)

    def get_all_objects_for_this_type(self, **lookups: Any) -> Any:
        """Return a queryset of this model's rows."""
        return self._demanded().objects.filter(**lookups)

    objects: ClassVar[_Types]


class _Types:
    """Django's way to ask for content types."""

    def get_for_model(self, model: Any, *, for_concrete_model: bool = True) -> ContentType:
        """Return the type of a model, or of an instance's."""
        return ContentType.of(model, for_concrete_model=for_concrete_model)

    def get_for_models(self, *models: Any, for_concrete_models: bool = True) -> dict[Any, ContentType]:
        """Return the type of each model."""
        return {each: ContentType.of(each, for_concrete_model=for_concrete_models) for each in models}

    def get_by_natural_key(self, app_label: str, model: str) -> ContentType:
        """Return the type of a label and a name."""
        return ContentType(f"{app_label}.{model}" if app_label else model)

    def get(self, *, app_label: str, model: str) -> ContentType:
        """Return the type of a label and a name."""
        return self.get_by_natural_key(app_label, model)


ContentType.objects = _Types()


class ContentTypeField(CharField[ContentType]):
    """Keeps which model a row speaks of: a short text, its label.

    It takes a `ContentType`, a model, an instance or the label.
    """

    kind = "char"
    exact: ClassVar[frozenset[type]] = frozenset({ContentType})

    def __init__(self, *, max_length: int = 130, null: bool = False, **options: Any) -> None:
        self._declare(options, max_length=max_length, null=null)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Instance) or (isinstance(value, type) and issubclass(value, Instance)):
            return ContentType.of(value)
        if isinstance(value, ContentType):
            return value
        text = super().to_python(value)
        return self._bound(text) if text else text

    def prepare(self, value: Any) -> Any:
        if value is None:
            return None
        found = self.to_python(value)
        return str(found) if isinstance(found, ContentType) else super().prepare(found)

    def _bound(self, text: str) -> ContentType:
        owner: Any = self.model
        return ContentType(text, owner._meta.registry)

    def from_database(self) -> Any:
        known: dict[str, ContentType] = {}

        def read(value: Any) -> Any:
            if value is None or value == "":
                return value
            found = known.get(value)
            if found is None:
                found = known[value] = self._bound(value)
            return found

        return read

    @overload
    def __get__(self, instance: None, owner: type) -> Column[ContentType]: ...
    @overload
    def __get__(self, instance: Any, owner: type) -> ContentType: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return Column[Any](owner, self.name)
        kept = instance.__dict__
        if self.attname not in kept:
            return instance._load_deferred(self.attname)
        value = kept[self.attname]
        if value is not None and value != "" and type(value) is not ContentType and not hasattr(value, "resolve"):
            value = kept[self.attname] = self.to_python(value)
        return value

    if not TYPE_CHECKING:

        def __set__(self, instance: Any, value: Any) -> None:
            instance.__dict__[self.attname] = value


class GenericForeignKey:
    """A reference to a row of any model: its type in one column, its key in another.

    Args:
        ct_field: The field that keeps the type.
        fk_field: The field that keeps the key: a number, or a text for keys of every kind,
            those of several columns too.
        for_concrete_model: Whether a proxy is kept as its model.

    >>> class Comment(db.Model):  # doctest: +SKIP
    ...     content_type = db.ContentTypeField()
    ...     object_id = db.CharField(max_length=64)
    ...     about = db.GenericForeignKey()
    """

    is_relation = True
    inherited = False
    name: str
    model: Any

    def __init__(
        self, ct_field: str = "content_type", fk_field: str = "object_id", *, for_concrete_model: bool = True
    ) -> None:
        self.ct_field = ct_field
        self.fk_field = fk_field
        self.for_concrete_model = for_concrete_model

    def __repr__(self) -> str:
        return f"<GenericForeignKey {self.model.__name__}.{self.name}>"

    def contribute(self, options: Any, name: str) -> None:
        """Become the attribute *name* of a model."""
        self.name, self.model = name, options.model
        setattr(options.model, name, self)

    @property
    def fields(self) -> tuple[Any, Any]:
        """The fields that keep the type and the key."""
        options = self.model._meta
        return options.get_field(self.ct_field), options.get_field(self.fk_field)

    def values_for(self, target: Any) -> dict[str, Any]:
        """Return what the two columns keep to refer to *target*."""
        if target is None:
            return {self.ct_field: None, self.fk_field: None}
        kind = ContentType.of(target, for_concrete_model=self.for_concrete_model)
        return {self.ct_field: kind, self.fk_field: to_stored(target, self.fields[1])}

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        key = self._key(instance)
        kept = instance.__dict__.get(self.name)
        if kept is not None and kept[0] == key:
            return kept[1]
        if None in key or key[0] == "":
            return None
        instance._refuse_touch(self.name, f'prefetch_related("{self.name}")')
        instance._load(self._load_peers(instance), self.name)
        return instance.__dict__[self.name][1]

    def __set__(self, instance: Any, value: Any) -> None:
        if value is not None and not isinstance(value, Instance):
            raise QueryError(
                f"{self.model.__name__}.{self.name} takes a row of a model, not {type(value).__name__}.",
                code="data/relation-value",
                hint=f"{self.name}=record",
            )
        for name, each in self.values_for(value).items():
            setattr(instance, name, each)
        instance.__dict__[self.name] = (self._key(instance), value)

    def _key(self, instance: Any) -> tuple[Any, Any]:
        return getattr(instance, self.ct_field), getattr(instance, self.fk_field)

    def keep(self, instance: Any, target: Any) -> None:
        """Let *instance* know what it refers to."""
        instance.__dict__[self.name] = (self._key(instance), target)

    # Loading

    def _load_peers(self, instance: Any) -> Operation[None]:
        peers = [each for each in instance._peers_all() if self._is_missing(each)]
        yield from self.load(peers or [instance], instance._database(), instance._mode)

    def _is_missing(self, instance: Any) -> bool:
        kept = instance.__dict__.get(self.name)
        return kept is None or kept[0] != self._key(instance)

    def prefetch(self, instances: Sequence[Any], database: Any, given: Prefetch, mode: str) -> Operation[list[Any]]:
        """Load what instances refer to, one query for each type; return it."""
        if given.query is not None or given.to_attr is not None:
            raise QueryError(
                f"{given.lookup!r} may reach several models, and a Prefetch has one queryset.",
                code="data/prefetch",
                hint=f'GenericPrefetch("{self.name}", [Record.objects.…, Musician.objects.…])',
            )
        querysets = given.querysets if isinstance(given, GenericPrefetch) else ()
        missing = [each for each in instances if querysets or self._is_missing(each)]
        yield from self.load(missing, database, mode, querysets)
        return [target for each in instances if (target := each.__dict__[self.name][1]) is not None]

    def load(
        self, instances: Sequence[Any], database: Any, mode: str, querysets: Sequence[Any] = ()
    ) -> Operation[None]:
        """Load what instances refer to, one query for each type."""
        by_type: dict[ContentType, list[Any]] = {}
        for each in instances:
            kind, key = self._key(each)
            each.__dict__[self.name] = ((kind, key), None)
            if kind and key is not None:
                by_type.setdefault(kind, []).append(each)
        chosen = {ContentType.of(each.model): each for each in querysets}
        for kind, group in by_type.items():
            yield from self._load_type(kind, group, database, mode, chosen.get(kind))

    def _load_type(
        self, kind: ContentType, group: Sequence[Any], database: Any, mode: str, queryset: Any
    ) -> Operation[None]:
        model = kind.model_class()
        if model is None:
            return
        keys: dict[Any, list[Any]] = {}
        for each in group:
            key = from_stored(getattr(each, self.fk_field), model)
            if key is not None:
                keys.setdefault(key, []).append(each)
        query = queryset.query if queryset is not None else model._meta.base_query()
        further = queryset._prefetches if queryset is not None else ()
        names = [field.attname for field in model._meta.pk_fields]
        origin = origin_of(group[0], self.name)
        rows = yield from fetch(matching(query, names, list(keys)), database, further, mode, origin)
        for row in rows:
            for each in keys.get(row.pk, ()):
                self.keep(each, row)


class GenericPrefetch(Prefetch):
    """A generic reference to load ahead, with a queryset for each model it may reach.

    Args:
        lookup: The generic foreign key.
        querysets: Of the models; rows of others are loaded as without.
    """

    def __init__(self, lookup: str, querysets: Iterable[Any]) -> None:
        super().__init__(lookup)
        self.querysets: tuple[Any, ...] = tuple(querysets)


class GenericRelatedManager(RelatedManager[Any]):
    """The rows that refer to one instance by a generic foreign key."""

    def _fixed(self) -> dict[str, Any]:
        return self._relation.field.values_for(self._instance)  # type: ignore[no-any-return]  # of any field

    def _new(self, values: Any) -> Any:
        new = super()._new(values)
        self._relation.field.introduce(new, self._instance)
        return new

    def _introduced(self, rows: list[Any]) -> list[Any]:
        frame = self.query.frame
        if frame.selection is None and frame.combined is None:
            for each in rows:
                self._relation.field.introduce(each, self._instance)
        return rows

    def _adding(self, instances: tuple[Any, ...], *, bulk: bool) -> Operation[None]:
        return self._point(self._check("add", instances), bulk=bulk)

    def _point(self, found: list[Any], *, bulk: bool) -> Operation[None]:
        values = self._fixed()
        if bulk:
            yield from point_rows(self.model, found, values, self._writer, accessor=self._kept_name)
        else:
            yield Transaction(save_each(found, values, self._writer), savepoint=False)
        for each in found:
            self._relation.field.introduce(each, self._instance)

    def _removing(self, instances: tuple[Any, ...], *, bulk: bool) -> Operation[None]:
        keys = [each.pk for each in self._check("remove", instances)]
        return self._delete(self.query.filtered((), {"pk__in": keys}))

    def _clearing(self) -> Operation[None]:
        return self._delete(self.query)

    def _delete(self, query: Query) -> Operation[None]:
        yield from delete_query(query, self._writer, self)

    def _setting(self, instances: Iterable[Any], *, bulk: bool, clear: bool) -> Operation[None]:
        found = self._check("set", instances)
        return self._set(found, bulk=bulk, clear=clear)

    def _set(self, found: list[Any], *, bulk: bool, clear: bool) -> Operation[None]:
        yield Transaction(self._set_inside(found, bulk=bulk, clear=clear), savepoint=False)

    def _set_inside(self, found: list[Any], *, bulk: bool, clear: bool) -> Operation[None]:
        keep = [each.pk for each in found if each.pk is not None]
        gone = self.query.filtered((), {"pk__in": keep}, negated=True) if keep and not clear else self.query
        yield from self._delete(gone)
        yield from self._point(found, bulk=bulk)


class GenericRelation:
    """The way back from a model to rows that refer to it by a generic foreign key.

    They are deleted with what they refer to.

    Args:
        to: The model that refers, or its name.
        object_id_field: Its field that keeps the key.
        content_type_field: Its field that keeps the type.
        for_concrete_model: Whether a proxy's rows are its model's.
        related_query_name: What queries of the other model call this one; none without.
    """

    is_relation = True
    is_column = False
    one = False
    hidden = False
    manager: ClassVar[Any] = GenericRelatedManager
    # Whether it is a copy of a concrete parent's: the way to it is the parent's then.
    inherited = False
    name: str
    model: Any

    def __init__(
        self,
        to: Any,
        *,
        object_id_field: str = "object_id",
        content_type_field: str = "content_type",
        for_concrete_model: bool = True,
        related_query_name: str | None = None,
    ) -> None:
        self.to: Any = to
        self.object_id_field = object_id_field
        self.content_type_field = content_type_field
        self.for_concrete_model = for_concrete_model
        self.related_query_name = related_query_name

    def __repr__(self) -> str:
        return f"<GenericRelation {self.model.__name__}.{self.name}>"

    def contribute(self, options: Any, name: str) -> None:
        """Become the attribute *name* of a model."""
        self.name, self.model = name, options.model
        setattr(options.model, name, self)

    def connect(self) -> bool:
        """Let the other model know its way here, once it is defined; tell whether it is."""
        if not self.related_query_name or self.inherited:
            return True
        if isinstance(self.to, str) and not self.model._meta.registry.knows(self.to, self.model):
            return False
        self.target._meta.add_reverse(self.backward())
        return True

    @property
    def target(self) -> Any:
        """The model that refers."""
        if isinstance(self.to, str):
            self.to = self.model._meta.registry.find(self.to, self.model)
        return self.to

    @property
    def content_object(self) -> str:
        """The name of the target's generic foreign key over the same two fields; empty without one."""
        for name, each in self.target._meta.private.items():
            if isinstance(each, GenericForeignKey) and (each.ct_field, each.fk_field) == (
                self.content_type_field,
                self.object_id_field,
            ):
                return str(name)
        return ""

    @property
    def kind_of(self) -> ContentType:
        """The type that rows which belong here are of."""
        return ContentType.of(self.model, for_concrete_model=self.for_concrete_model)

    # What relations ask of their field

    def _hop(self) -> tuple[tuple[str, str], ...]:
        options = self.target._meta
        return ((self.model._meta.pk.attname, options.get_field(self.object_id_field).attname),)

    def forward(self) -> Relation:
        """Return the way to the rows that refer."""
        hop = Hop(self.target, self._hop(), many=True, optional=True)
        return Relation(self.name, self.name, "generic", self.model, self.target, self, (hop,))

    def backward(self) -> Relation:
        """Return the way from them to this model, for queries."""
        ((here, there),) = self._hop()
        hop = Hop(self.model, ((there, here),), optional=True)
        options = self.model._meta
        name = str(self.related_query_name).replace("%(class)s", options.model_name)
        name = name.replace("%(app_label)s", options.app_label)
        return Relation(name, "", "generic_back", self.target, self.model, self, (hop,))

    def key_of(self, instance: Any) -> Any:
        """Return what the rows that refer to *instance* keep of it."""
        if instance.pk is None:
            return None
        return to_stored(instance, self.target._meta.get_field(self.object_id_field))

    def values_for(self, instance: Any) -> dict[str, Any]:
        """Return what rows keep to refer to *instance*."""
        return {self.content_type_field: self.kind_of, self.object_id_field: self.key_of(instance)}

    def of_type(self, query: Query) -> Query:
        """Return the rows of *query* that refer to this model."""
        return query.filtered((), {self.content_type_field: self.kind_of})

    def introduce(self, row: Any, instance: Any) -> None:
        """Let a row that refers know the instance it refers to."""
        name = self.content_object
        if name:
            self.target._meta.private[name].keep(row, instance)

    def join_condition(self, relation: Relation, parent: Any, found: Any, vendor: str) -> ColumnElement[bool]:
        """Return by what a row here and one that refers belong together."""
        here, there = (parent, found) if relation.kind == "generic" else (found, parent)
        options = self.target._meta
        kind = options.get_field(self.content_type_field)
        key = options.get_field(self.object_id_field)
        own = [here.column(field) for field in here.model._meta.pk_fields]
        same = joinable(own, list(here.model._meta.pk_fields), there.column(key), key, vendor)
        return sa.and_(same, there.column(kind) == sa.literal(str(self.kind_of), kind.column_type()))

    def doomed(self, instances: Sequence[Any], database: Any) -> Operation[list[Any]]:
        """Return the rows that are deleted with *instances*."""
        keys = [self.key_of(each) for each in instances]
        rows = self.target._meta.base_query().framed(order=()).filtered((), {f"{self.object_id_field}__in": keys})
        return (yield from fetch(self.of_type(rows), database))

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return Column[Any](owner, self.name)
        return instance._manager(self.forward())

    def __set__(self, instance: Any, value: Any) -> None:
        raise QueryError(
            f"{self.model.__name__}.{self.name} cannot be assigned.",
            code="data/many-assigned",
            hint=f"instance.{self.name}.set([…])",
        )
