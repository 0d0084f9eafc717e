"""What a model says of itself: Django's `_meta`.

Holds: `Options`: fields, relations both ways, the path of a look-up, the plain table.
Imports: fields, `registry`, `naming`.
Never: compiles a query.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from ...errors import did_you_mean, place_of
from ..errors import FieldError, ModelError
from ..fields.base import NOT_PROVIDED, Field
from ..fields.parts import CompositeKey
from ..fields.relations import CASCADE, ForeignKey, ManyToManyField, OneToOneField, Relation
from ..naming import SEPARATOR, plural, short_name, snake, words
from ..registry import Registry, label_of, registry_for

__all__ = ["META_NAMES", "CompositePrimaryKey", "Options", "Reached"]

META_NAMES: dict[str, Any] = {
    "abstract": False,
    "app_label": None,
    "base_manager_name": None,
    "constraints": (),
    "database": None,
    "db_table": None,
    "db_table_comment": "",
    "default_manager_name": None,
    "default_permissions": ("add", "change", "delete", "view"),
    "default_related_name": None,
    "fetch_mode": None,
    "get_latest_by": None,
    "indexes": (),
    "managed": True,
    "ordering": (),
    "permissions": (),
    "privileged_fields": (),
    "proxy": False,
    "unique_together": (),
    "verbose_name": None,
    "verbose_name_plural": None,
}


class Reached(NamedTuple):
    """Where a look-up path leads.

    Attributes:
        relations: The relations it walks.
        field: The field it ends at; the target's key where it ends at a relation.
        relation: The relation it ends at, where it does.
        rest: What is left: transforms, keys of JSON, a look-up.
    """

    relations: tuple[Relation, ...]
    field: Any
    relation: Relation | None
    rest: tuple[str, ...]

    @property
    def telling(self) -> tuple[int, ...] | None:
        """Of several columns that it ends at, the places of those that are NULL where there is no key."""
        last = self.relations[-1] if self.relations else None
        if last is not None and last.kind == "forward" and self.field.name == "pk":
            return last.field.telling  # type: ignore[no-any-return]  # of any field
        return getattr(self.field, "telling", None)


class CompositePrimaryKey:
    """A key of several columns: `pk = db.CompositePrimaryKey("tenant", "number")`."""

    def __init__(self, *names: str) -> None:
        if len(names) < 2:
            raise ModelError(
                "CompositePrimaryKey() takes two or more names of fields.",
                code="data/primary-key",
                hint='pk = db.CompositePrimaryKey("tenant", "number")',
            )
        self.names = names


class Options:
    """The facts about one model.

    Attributes:
        fields: Its concrete fields, those of parents included, in order.
        local_fields: Those of its own table.
        local_references: Foreign keys of its own table to keys of several columns, which are among the fields.
        many_to_many: Its many-to-many fields.
        parents: Concrete parents and the field that links each.
        pk_fields: The fields of its key.
    """

    def __init__(self, model: Any, meta: Mapping[str, Any], registry: Registry | None = None) -> None:
        self.model = model
        self.given: dict[str, Any] = dict(meta)
        for name, default in META_NAMES.items():
            if not name.startswith("verbose_"):
                setattr(self, name, meta.get(name, default))
        self.object_name: str = model.__name__
        self.model_name: str = model.__name__.lower()
        self.app_label: str = meta.get("app_label") or label_of(model.__module__)
        self.registry: Registry = registry or registry_for(model.__module__, model.__qualname__)
        name = snake(model.__name__)
        self.db_table: str = meta.get("db_table") or short_name(*filter(None, (self.app_label, name)))
        self.auto_created: Any = False
        self.local_fields: list[Field[Any]] = []
        self.local_references: list[ForeignKey[Any]] = []
        self.many_to_many: list[ManyToManyField[Any]] = []
        self.private: dict[str, Any] = {}
        self.parents: dict[Any, OneToOneField[Any]] = {}
        self.concrete_model: Any = model
        self.pk_fields: tuple[Field[Any], ...] = ()
        self._fields: tuple[Field[Any], ...] | None = None
        self._references: tuple[ForeignKey[Any], ...] | None = None
        self._by_name: dict[str, Any] = {}
        self._reached: dict[str, Reached] = {}
        self._reverse: dict[str, Relation] = {}
        self._forward: dict[str, Relation] = {}
        self.hidden_relations: dict[str, Relation] = {}
        self._referrers: list[ForeignKey[Any]] = []
        self._base_query: Any = None
        self._table: sa.Table | None = None
        self.managers: dict[str, Any] = {}
        # The databases of the apps that own it, by weak references; `choice` keeps them.
        self.owners: list[Any] = []
        # The rules of `@policy`, by action; they last as long as the class.
        self.policies: dict[str, tuple[Any, ...]] = {}
        self.lookups: dict[str, Any] = {}
        self.cache: dict[Any, Any] = {}

    abstract: bool
    base_manager_name: str | None
    constraints: Sequence[Any]
    database: str | None
    db_table_comment: str
    default_manager_name: str | None
    default_permissions: Sequence[str]
    default_related_name: str | None
    fetch_mode: str | None
    get_latest_by: Any
    indexes: Sequence[Any]
    managed: bool
    ordering: Sequence[Any]
    permissions: Sequence[tuple[str, str]]
    privileged_fields: Sequence[str]
    proxy: bool
    unique_together: Sequence[Any]

    def __repr__(self) -> str:
        return f"<Options of {self.label}>"

    # Names

    @property
    def label(self) -> str:
        """`label.Model`; the model's name alone where the label is empty."""
        return f"{self.app_label}.{self.object_name}" if self.app_label else self.object_name

    @property
    def label_lower(self) -> str:
        """`label.model`."""
        return f"{self.app_label}.{self.model_name}" if self.app_label else self.model_name

    @property
    def label_key(self) -> str:
        """The name in snapshots and generic relations: the label in lower case."""
        return self.label_lower

    @property
    def verbose_name(self) -> str:
        """The model's name for people."""
        return self.given.get("verbose_name") or words(self.object_name)

    @property
    def verbose_name_plural(self) -> str:
        """The name of several."""
        return self.given.get("verbose_name_plural") or plural(self.verbose_name)

    @property
    def where(self) -> str:
        """Where the class stands."""
        return place_of(self.model) or f"{self.model.__module__}.{self.model.__qualname__}"

    # Fields

    @property
    def privileged(self) -> frozenset[str]:
        """The fields by which a row gives power: no form has one that does not name it.

        Those of the models it derives from are among them, whatever its own `Meta` says.
        """
        found = frozenset(self.given.get("privileged_fields", ()))
        parents: list[Any] = [vars(each)["_meta"] for each in self.model.__mro__[1:] if "_meta" in vars(each)]
        return found.union(*[each.privileged for each in parents])

    @property
    def fields(self) -> tuple[Field[Any], ...]:
        """The concrete fields, parents' first."""
        if self._fields is None:
            found: dict[str, Field[Any]] = {}
            for parent in self.parents:
                for field in parent._meta.fields:
                    found.setdefault(field.name, field)
            for field in self.local_fields:
                found[field.name] = field
            self._fields = tuple(found.values())
        return self._fields

    @property
    def references(self) -> tuple[ForeignKey[Any], ...]:
        """The foreign keys to keys of several columns, parents' first: their columns are fields."""
        if self._references is None:
            found = {field.name: field for parent in self.parents for field in parent._meta.references}
            found |= {field.name: field for field in self.local_references}
            self._references = tuple(found.values())
        return self._references

    @property
    def foreign_keys(self) -> tuple[ForeignKey[Any], ...]:
        """Every foreign key, whatever its columns."""
        return (*[field for field in self.fields if isinstance(field, ForeignKey)], *self.references)

    @property
    def local_foreign_keys(self) -> tuple[ForeignKey[Any], ...]:
        """Every foreign key of its own table."""
        return (*[field for field in self.local_fields if isinstance(field, ForeignKey)], *self.local_references)

    @property
    def concrete_fields(self) -> tuple[Field[Any], ...]:
        """The same: Django's name."""
        return self.fields

    @property
    def pk(self) -> Field[Any]:
        """The field of the key; the first of a composite one."""
        return self.pk_fields[0]

    @property
    def composite(self) -> bool:
        """Whether the key has several columns."""
        return len(self.pk_fields) > 1

    def get_fields(self) -> list[Any]:
        """Return fields, many-to-many fields and relations back."""
        return [*self.fields, *self.references, *self.many_to_many, *self.reverse.values()]

    def get_field(self, name: str) -> Any:
        """Return the field called *name* (or with that attribute name).

        Raises:
            FieldError: There is none (`data/unknown-name`).
        """
        found = self.find_field(name)
        if found is None:
            raise FieldError(
                f"{self.object_name} has no field {name[:80]!r}.",
                code="data/unknown-name",
                where=self.where,
                hint=did_you_mean(name, self.names()),
            )
        return found

    def find_field(self, name: str) -> Any:
        """Return the field called *name*, or `None`."""
        if not self._by_name:
            for field in (*self.fields, *self.references):
                self._by_name[field.attname] = field
            for each in (*self.fields, *self.references, *self.many_to_many):
                self._by_name[each.name] = each
        return self._by_name.get(name)

    def columns_of(self, names: Sequence[str]) -> tuple[Field[Any], ...]:
        """Return the fields that are the columns of *names*: each once, several for a key of several."""
        return tuple(dict.fromkeys(each for name in names for each in self.get_field(name).columns))

    def names(self) -> list[str]:
        """Return what a look-up may begin with."""
        fields = (*self.fields, *self.references, *self.many_to_many)
        return sorted({"pk", *(each.name for each in fields), *self.reverse})

    def blank(self) -> tuple[dict[str, Any], list[tuple[str, Any]], frozenset[str], tuple[Any, ...]]:
        """Return what a new instance begins with: defaults, functions that make them, plain attributes.

        The last are foreign keys of several columns whose default is made by one call.
        """
        constant: dict[str, Any] = {}
        made: list[tuple[str, Any]] = []
        for field in self.fields:
            if field.default_is_constant:
                constant[field.attname] = field.get_default()
            elif field.has_default or field.db_default is NOT_PROVIDED:
                made.append((field.attname, field.get_default))
        several = tuple(field for field in self.references if field.default_is_made)
        for field in several:
            # What is not there yet is made.
            for part in field.own_parts:
                constant.pop(part.attname, None)
        found = self.cache["blank"] = constant, made, frozenset(field.attname for field in self.fields), several
        return found

    def forget(self) -> None:
        """Make everything derived anew: a field or a relation was added."""
        self._fields = self._references = None
        self._by_name.clear()
        self._reached.clear()
        self._forward.clear()
        self.lookups.clear()
        self.cache.clear()

    def replace(self, field: ForeignKey[Any], parts: Sequence[Field[Any]]) -> None:
        """Keep a foreign key's columns in its place, now that they are known to be several."""
        at = self.local_fields.index(field)
        self.local_fields[at : at + 1] = parts
        self.local_references.append(field)
        found = [each for one in self.pk_fields for each in (field.fields if one is field else (one,))]
        self.pk_fields = tuple(dict.fromkeys(found))
        self._table = None
        for model in _subclasses(self.model):
            model._meta.forget()
        self.forget()

    def link_to(self, ancestor: Any) -> tuple[OneToOneField[Any], ...]:
        """Return the links from this model's table to that of a concrete parent."""
        for parent, link in self.parents.items():
            if parent is ancestor:
                return (link,)
            further = parent._meta.link_to(ancestor)
            if further:
                return (link, *further)
        return ()

    # Relations

    @property
    def reverse(self) -> Mapping[str, Relation]:
        """The ways from here to models that refer to this one, by query name."""
        found: dict[str, Relation] = {}
        for parent in self.parents:
            found.update(parent._meta.reverse)
        if self.concrete_model is not self.model:
            found.update(self.concrete_model._meta._reverse)
        found.update(self._reverse)
        return found

    def add_reverse(self, relation: Relation) -> None:
        """Learn of a model that refers to this one."""
        self._reverse[relation.name] = relation
        for model in _subclasses(self.model):
            model._meta.forget()
        self.forget()

    def relation(self, name: str) -> Relation | None:
        """Return the way that *name* begins, or `None`."""
        found = self._forward.get(name)
        if found is not None:
            return found
        field = self.find_field(name)
        if field is not None and field.is_relation and name == field.name:
            found = self._forward[name] = field.forward()
            return found  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model
        private = self.private.get(name)
        if private is not None and hasattr(private, "forward"):
            return private.forward()  # type: ignore[no-any-return]  # generic relations say their own way
        return self.reverse.get(name) or self.hidden_relations.get(name)

    def add_referrer(self, field: ForeignKey[Any]) -> None:
        """Learn of a foreign key that refers to this model's rows."""
        kept = [
            each
            for each in self._referrers
            if (each.model.__qualname__, each.name) != (field.model.__qualname__, field.name)
            or each.model.__module__ != field.model.__module__
        ]
        self._referrers = [*kept, field]

    def referrers(self) -> list[ForeignKey[Any]]:
        """Return the foreign keys that refer to rows of this table, hidden ones too."""
        for field in self.many_to_many:
            _ = field.through  # the table between refers to this one
        for relation in self.reverse.values():
            if isinstance(relation.field, ManyToManyField):
                _ = relation.field.through  # pyright: ignore[reportUnknownMemberType]  # of any kind
        return list(self.concrete_model._meta._referrers)

    def generic_relations(self) -> list[Any]:
        """Return the generic relations whose rows are deleted with this model's."""
        return [each for each in self.private.values() if hasattr(each, "doomed")]

    # Where querysets begin

    def base_query(self) -> Any:
        """Return the plain query of all rows."""
        if self._base_query is None:
            from ..query.query import Query  # above this module; made once

            self._base_query = Query(self.model)
        return self._base_query

    def default_queryset(self) -> Any:
        """Return a queryset of the model's first manager."""
        name = self.default_manager_name or next(iter(self.managers), None)
        manager = self.managers.get(name) if name else None
        return manager.begin(self.model) if manager is not None else self._every_row()

    def base_queryset(self) -> Any:
        """Return a queryset of every row, whatever the managers hide; `Meta.base_manager_name` may name another."""
        name = self.base_manager_name
        return self.managers[name].begin(self.model) if name else self._every_row()

    def _every_row(self) -> Any:
        from ..queryset import QuerySet  # above this module

        return QuerySet[Any](self.model, self.base_query())

    def resolve(self, path: str, *, code: str = "data/unknown-name") -> Reached:
        """Return where a look-up path leads; the rest is not looked at.

        Args:
            code: Of the error, where it leads nowhere.

        Raises:
            FieldError: Its first part is no field of this model.
        """
        found = self._reached.get(path)
        if found is None:
            found = self._walk(path, code)
            # Paths into JSON hold users' keys: what is kept must not grow with them.
            if len(found.rest) <= 2 and len(self._reached) < 4096:
                self._reached[path] = found
        return found

    def _walk(self, path: str, code: str) -> Reached:
        parts = path.split(SEPARATOR)
        options, relations = self, list[Relation]()
        last: Relation | None = None
        for at, part in enumerate(parts):
            field = options.pk_field if part == "pk" else options.find_field(part)
            relation = options.relation(part) if part != "pk" else None
            if relation is None and field is None:
                if at and last is not None:
                    break
                raise self._unknown(path, part, options, code)
            if relation is None or (field is not None and field.is_column and part == field.attname != field.name):
                return Reached(tuple(relations), field, None, tuple(parts[at + 1 :]))
            relations.append(relation)
            last = relation
            options = relation.target._meta
        else:
            at = len(parts)
        assert last is not None
        rest = tuple(parts[at:])
        if rest and not _may_be_lookup(rest[0]):
            raise self._unknown(path, rest[0], options, code)
        field = options.pk_field
        if last.kind in ("forward", "many") and len(last.hops[-1].pairs) == 1:
            field = options.find_field(last.hops[-1].pairs[0][1])  # `to_field` names another than the key
        return Reached(tuple(relations), field, last, rest)

    @property
    def pk_field(self) -> Any:
        """The key as one thing: its field, or the composite one."""
        return self.pk_fields[0] if len(self.pk_fields) == 1 else CompositeKey("pk", self.model, self.pk_fields)

    def _unknown(self, path: str, part: str, options: Options, code: str) -> FieldError:
        walked = path[: path.find(part)].strip("_")
        where = f" (after {walked})" if walked else ""
        return FieldError(
            f"{options.object_name} has no field {part[:80]!r}{where}.",
            code=code,
            where=self.where,
            why=f"{self.object_name} was asked for {path[:80]!r}.",
            hint=did_you_mean(part, options.names()) or f"Choices: {', '.join(options.names()[:30])}",
        )

    # The table

    @property
    def table(self) -> sa.Table:
        """The table with its columns; `schema` adds constraints and indexes."""
        if self._table is None:
            if self.concrete_model is not self.model:
                self._table = self.concrete_model._meta.table
            else:
                self._table = self._make_table()
        return self._table  # pyright: ignore[reportReturnType]  # set just above

    @table.setter
    def table(self, table: sa.Table) -> None:
        self._table = table

    def _make_table(self) -> sa.Table:
        keys = {field.name for field in self.pk_fields}
        columns = [
            sa.Column(
                field.column,
                field.column_type(),
                primary_key=field.name in keys,
                # MariaDB knows no NOT NULL of a column that it computes.
                nullable=(field.null or field.kind == "generated") and field.name not in keys,
                autoincrement=bool(field.generated and field.kind.endswith("auto")),
                comment=field.db_comment,
                key=field.column,
            )
            for field in self.local_fields
        ]
        return sa.Table(
            self.db_table,
            sa.MetaData(),
            *columns,
            comment=self.db_table_comment or None,
            mysql_engine="InnoDB",
            mariadb_engine="InnoDB",
            mysql_charset="utf8mb4",
            mariadb_charset="utf8mb4",
            mysql_collate="utf8mb4_0900_bin",
            mariadb_collate="utf8mb4_nopad_bin",
        )

    def core_column(self, path: str) -> Any:
        """Return SQLAlchemy's column of a path that stays in this table."""
        reached = self.resolve(path)
        if reached.rest or (reached.relations and reached.relation is None) or len(reached.relations) > 1:
            raise FieldError(
                f"{self.object_name}.{path} is not a column of {self.db_table}.",
                code="data/not-a-column",
                why="It goes through a relation or into a value; plain SQLAlchemy has to be told how.",
                hint=f"Use it in {self.object_name}.objects, or join the tables yourself.",
            )
        field = self.get_field(path) if reached.relations else reached.field
        if not field.is_column:
            raise FieldError(
                f"{self.object_name}.{path} is {len(field.fields)} columns of {self.db_table}.",
                code="data/not-a-column",
                hint=", ".join(f"{self.object_name}.{each.attname}" for each in field.fields),
            )
        return field.model._meta.table.c[field.column]

    # Many-to-many

    def make_through(self, field: ManyToManyField[Any]) -> Any:
        """Make the model of the table between, for a field that names none."""
        from .base import Model  # the class that is derived; this runs when relations resolve

        here, there = self.model_name, field.target._meta.model_name
        if here == there:
            here, there = f"from_{here}", f"to_{there}"
        meta = type(
            "Meta",
            (),
            {
                "app_label": self.app_label,
                "db_table": field.db_table or short_name(self.db_table, field.name),
                "unique_together": [(here, there)],
                "managed": self.managed,
                "database": self.database,
            },
        )
        body = {
            "__module__": self.model.__module__,
            "__qualname__": f"{self.model.__qualname__}_{field.name}",
            "Meta": meta,
            "_registry": self.registry,
            here: ForeignKey(self.model, on_delete=CASCADE, related_name="+"),
            there: ForeignKey(field.target, on_delete=CASCADE, related_name="+"),
        }
        through: Any = type(f"{self.object_name}_{field.name}", (Model,), body)
        through._meta.auto_created = self.model
        return through


def _may_be_lookup(part: str) -> bool:
    return part.isidentifier() or part.isdigit()


def _subclasses(model: Any) -> Iterator[Any]:
    for each in model.__subclasses__():
        if "_meta" in vars(each):
            yield each
        yield from _subclasses(each)
