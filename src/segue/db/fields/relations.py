"""Fields that point at other models.

Holds: `ForeignKey`, `OneToOneField`, `ManyToManyField`, what happens on delete, and
`Relation`: one way from a model to another, as a query walks it.
Imports: `base`, `naming`.
Never: fetches; the descriptors of `related` do.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar, Unpack, overload

from sqlalchemy.types import TypeEngine

from ...context import lazy
from ...errors import ValidationError, cut
from ..columns import Column
from ..errors import ModelError, QueryError
from ..instance import Instance
from .base import Field, FieldOptions, lookup_error
from .parts import KeyPart, referring_type

if TYPE_CHECKING:
    from ..related import ManyRelatedManager

__all__ = [
    "CASCADE",
    "DB_CASCADE",
    "DB_SET_DEFAULT",
    "DB_SET_NULL",
    "DO_NOTHING",
    "PROTECT",
    "RESTRICT",
    "SET",
    "SET_DEFAULT",
    "SET_NULL",
    "ForeignKey",
    "Hop",
    "ManyToManyField",
    "OnDelete",
    "OneToOneField",
    "Relation",
]

if TYPE_CHECKING:
    from typing_extensions import TypeVar as Defaulting

    # Of a target that is named by a text nothing is known: ForeignKey["Musician"]("Musician", …) says it.
    T = Defaulting("T", default=Any)
else:
    T = TypeVar("T")
M = TypeVar("M", bound=Instance)


@dataclass(frozen=True, slots=True)
class OnDelete:
    """What becomes of rows whose target is deleted.

    Attributes:
        name: As in Django.
        database: The SQL clause, where the database does it.
        value: What `SET(…)` sets: a value or a function that makes it.
    """

    name: str
    database: str = ""
    value: Any = None

    def __repr__(self) -> str:
        return self.name


CASCADE = OnDelete("CASCADE")
PROTECT = OnDelete("PROTECT")
RESTRICT = OnDelete("RESTRICT")
SET_NULL = OnDelete("SET_NULL")
SET_DEFAULT = OnDelete("SET_DEFAULT")
DO_NOTHING = OnDelete("DO_NOTHING")
DB_CASCADE = OnDelete("DB_CASCADE", "CASCADE")
DB_SET_NULL = OnDelete("DB_SET_NULL", "SET NULL")
DB_SET_DEFAULT = OnDelete("DB_SET_DEFAULT", "SET DEFAULT")


def SET(value: Any) -> OnDelete:  # noqa: N802  # Django's name
    """Set the reference to *value*, or to what it returns."""
    return OnDelete("SET", value=value)


@dataclass(frozen=True, slots=True)
class Hop:
    """One join: from a table to the next, by equal columns.

    Attributes:
        target: The model whose table is joined.
        pairs: Attribute names that are equal: here and there.
        many: Whether one row may meet several.
        optional: Whether a row may meet none.
    """

    target: Any
    pairs: tuple[tuple[str, str], ...]
    many: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """One way from a model to another.

    Attributes:
        name: What a query calls it.
        accessor: The attribute of instances; empty where there is none.
        kind: `forward`, `reverse_one`, `reverse`, `many`; `generic` to rows that say what they
            refer to, `generic_back` from them.
        field: The field that declares it, on either side.
        hops: The joins it takes.
    """

    name: str
    accessor: str
    kind: Literal["forward", "reverse_one", "reverse", "many", "generic", "generic_back"]
    source: Any
    target: Any
    field: Any
    hops: tuple[Hop, ...]

    @property
    def back(self) -> str:
        """The attribute by which what this reaches knows the one instance it belongs to, or nothing."""
        field = self.field
        if self.kind == "forward":
            return str(field.back_name(many=False)) if field.one and not field.hidden else ""
        return str(field.name) if self.kind in ("reverse", "reverse_one") else ""

    def key_of(self, instance: Any) -> Any:
        """Return what the rows reached have in common with *instance*; `None` where it reaches none.

        It is a value, or a tuple where the relation goes by several columns.
        """
        if self.kind == "generic":
            return self.field.key_of(instance)
        pairs = self.hops[0].pairs
        if len(pairs) == 1:
            return getattr(instance, pairs[0][0])
        key = tuple(getattr(instance, here) for here, _ in pairs)
        return None if None in key else key

    @property
    def is_forward(self) -> bool:
        """Of a many-to-many relation: whether it begins where the field stands."""
        near, _ = self.field.ends()
        return self.hops[0].pairs == tuple((there, here) for here, there in near.pairs)

    def tells(self, near: Any) -> bool:
        """Tell whether a field by which it begins is NULL where it reaches no row.

        One that a foreign key of several columns shares has a value even then.
        """
        own = getattr(self.field, "own_parts", ()) if self.kind == "forward" and self.optional else ()
        return not own or near in own

    @property
    def many(self) -> bool:
        """Whether one row may reach several."""
        return any(hop.many for hop in self.hops)

    @property
    def optional(self) -> bool:
        """Whether a row may reach none."""
        return any(hop.optional for hop in self.hops)


class RelationOptions(FieldOptions, total=False):
    """The options that every relation takes, as in Django."""

    related_name: str | None
    related_query_name: str | None
    limit_choices_to: Any


class ForeignKeyOptions(RelationOptions, total=False):
    """The options of a foreign key."""

    to_field: str | None
    db_columns: Sequence[str] | None
    db_constraint: bool


class OneToOneOptions(ForeignKeyOptions, total=False):
    """The options of a one-to-one relation."""

    parent_link: bool


class ManyToManyOptions(RelationOptions, total=False):
    """The options of a many-to-many relation."""

    through: Any
    through_fields: Sequence[str] | None
    symmetrical: bool | None
    db_table: str | None


class _Relational(Field[T]):
    """What fields that point at a model share."""

    is_relation: ClassVar[bool] = True

    def __init__(
        self,
        to: Any,
        *,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        null: bool = False,
        **options: Any,
    ) -> None:
        if not (isinstance(to, str) or (isinstance(to, type) and issubclass(to, Instance))):
            raise ModelError(
                f"{type(self).__name__}({to!r}) does not name a model.",
                code="data/relation-target",
                hint=f'{type(self).__name__}("Musician"), or the class itself; "self" for the same model',
            )
        self.to: Any = to
        self.related_name = related_name
        self.related_query_name = related_query_name
        self.limit_choices_to = limit_choices_to
        super().__init__(null=null, **options)

    @property
    def target(self) -> Any:
        """The model it points at."""
        if isinstance(self.to, str):
            self.to = self.model._meta.registry.find(self.to, self.model)  # pyright: ignore[reportPrivateUsage]  # one package
        return self.to

    def target_is_known(self) -> bool:
        """Tell whether the model it points at is defined yet."""
        return not isinstance(self.to, str) or self.model._meta.registry.knows(self.to, self.model)  # pyright: ignore[reportPrivateUsage]  # one package

    @property
    def hidden(self) -> bool:
        """Whether the target has no way back (`related_name="+"`)."""
        return bool(self.related_name) and str(self.related_name).endswith("+")

    def deconstruct(self) -> dict[str, Any]:
        facts = super().deconstruct()
        # A field of a migration names its target; that of a model knows it.
        to = self.to if isinstance(self.to, str) and not hasattr(self, "model") else _key_of(self.target)
        facts["to"] = to.lower()
        for name in ("related_name", "related_query_name"):
            if getattr(self, name) is not None:
                facts[name] = getattr(self, name)
        return facts

    def back_name(self, *, many: bool) -> str:
        """Return the attribute on the target: `related_name`, or Django's default."""
        options = self.model._meta  # pyright: ignore[reportPrivateUsage]  # one package
        given = self.related_name or options.default_related_name
        if given:
            return given.replace("%(class)s", options.model_name).replace("%(app_label)s", options.app_label)
        return f"{options.model_name}_set" if many else options.model_name

    def back_query_name(self, *, many: bool) -> str:
        """Return what queries of the target call this."""
        if self.related_query_name:
            options = self.model._meta  # pyright: ignore[reportPrivateUsage]  # one package
            return self.related_query_name.replace("%(class)s", options.model_name)
        is_named = self.related_name or self.model._meta.default_related_name  # pyright: ignore[reportPrivateUsage]  # one package
        return self.back_name(many=many) if is_named else self.model._meta.model_name  # pyright: ignore[reportPrivateUsage]  # one package


def _key_of(model: Any) -> str:
    return model._meta.concrete_model._meta.label_key  # type: ignore[no-any-return]  # of any model


class ForeignKey(_Relational[T], Generic[T]):
    """A reference to one row of another model.

    Args:
        to: The model, its name, or `"self"`.
        on_delete: What happens to this row when the other is deleted.
        related_name: The attribute by which the other reaches these; `"+"` for none.
        to_field: The unique field it refers to where that is not the key.
        db_columns: Of a target whose key has several columns: the column for each of them. One that
            another field has already is shared with it.
        db_constraint: Whether the database enforces it.

    Attributes:
        fields: Where the target's key has several columns, the fields that keep them; else empty.
        remotes: The fields of the target that those equal.
    """

    kind = "foreign_key"
    one: ClassVar[bool] = False
    fields: tuple[Field[Any], ...] = ()
    remotes: tuple[Field[Any], ...] = ()

    @overload
    def __init__(
        self: ForeignKey[M],
        to: type[M],
        *,
        on_delete: OnDelete,
        null: Literal[False] = ...,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: ForeignKey[M | None],
        to: type[M],
        *,
        on_delete: OnDelete,
        null: bool,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        to: str,
        *,
        on_delete: OnDelete,
        null: bool = ...,
        **options: Unpack[ForeignKeyOptions],
    ) -> None: ...
    def __init__(
        self,
        to: Any,
        *,
        on_delete: OnDelete,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        to_field: str | None = None,
        db_columns: Sequence[str] | None = None,
        db_constraint: bool = True,
        null: bool = False,
        **options: Any,
    ) -> None:
        if not isinstance(on_delete, OnDelete):  # pyright: ignore[reportUnnecessaryIsInstance]  # of users
            raise ModelError(
                f"on_delete={on_delete!r} is none of Segue's.",
                code="data/on-delete",
                hint="on_delete=db.CASCADE, db.PROTECT, db.SET_NULL, db.SET_DEFAULT, db.SET(…) or db.DO_NOTHING",
            )
        if on_delete in (SET_NULL, DB_SET_NULL) and not null:
            raise ModelError(
                "on_delete=SET_NULL needs a column that may be NULL.",
                code="data/on-delete",
                hint="Add null=True, or choose another on_delete.",
            )
        if on_delete.name.endswith("SET_DEFAULT") and "default" not in options and "db_default" not in options:
            raise ModelError(
                "on_delete=SET_DEFAULT needs a default.",
                code="data/on-delete",
                hint="Add default=…, or choose another.",
            )
        self.on_delete = on_delete
        self.to_field = to_field
        self.db_columns: tuple[str, ...] = tuple(db_columns or ())
        self.db_constraint = db_constraint
        options.setdefault("db_index", not (options.get("unique") or options.get("primary_key")))
        super().__init__(
            to,
            related_name=related_name,
            related_query_name=related_query_name,
            limit_choices_to=limit_choices_to,
            null=null,
            **options,
        )

    def contribute(self, options: Any, name: str) -> None:
        super().contribute(options, name)
        self.attname: str = f"{name}_id"
        self.column: str = self.db_column or self.attname
        self.check_column()
        setattr(options.model, self.attname, _KeyValue(self))

    @overload
    # Any: of a row it gives the key, of a path what is behind it.
    def __get__(self, instance: None, owner: type) -> Column[Any]: ...
    @overload
    def __get__(self, instance: Instance, owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return Column(owner, self.name)
        return instance._related(self)

    def __set__(self, instance: Instance, value: T) -> None:
        instance._set_related(self, value)  # pyright: ignore[reportPrivateUsage]  # one package

    @property
    def remote(self) -> Any:
        """The field of the target that it refers to."""
        options = self.target._meta
        if self.to_field is not None:
            return options.get_field(self.to_field)
        return options.pk

    @lazy
    def remote_attname(self) -> str:
        """The attribute of the target that it refers to. PERF: looked at by every read of the relation."""
        return str(self.remote.attname)

    @property
    def columns(self) -> tuple[Field[Any], ...]:
        return self.fields or (self,)

    @property
    def own_parts(self) -> tuple[Field[Any], ...]:
        """Those of its columns that say whether it refers to anything: all but those that other fields have."""
        return tuple(each for each in self.fields if isinstance(each, KeyPart)) or self.fields

    @property
    def own_columns(self) -> tuple[Field[Any], ...]:
        """What no other field has: itself, where it is one column."""
        return self.own_parts or (self,)

    @property
    def telling(self) -> tuple[int, ...] | None:
        """The places of those among several columns; `None` where there is one."""
        own = self.own_parts
        return tuple(at for at, each in enumerate(self.fields) if each in own) or None

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """The attributes that are equal: here and at the target."""
        if self.fields:
            return tuple((here.attname, there.attname) for here, there in zip(self.fields, self.remotes, strict=True))
        return ((self.attname, self.remote.attname),)

    def make_type(self) -> TypeEngine[Any]:
        return referring_type(self.remote)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Instance):
            return self.value_of(value)
        if self.fields:
            return self._converted(value, "to_python")
        return self.remote.to_python(value)

    def prepare(self, value: Any) -> Any:
        if isinstance(value, Instance):
            value = self.value_of(value)
        if self.fields:
            return self._prepared(value)
        return self.remote.prepare(value)

    def _converted(self, value: Any, how: str) -> Any:
        """Return a key of several columns, each part converted; `None` for none."""
        if value is None:
            return None
        if not isinstance(value, tuple | list) or len(value) != len(self.fields):
            raise self.invalid()
        return tuple([getattr(each, how)(part) for each, part in zip(self.remotes, value, strict=True)])

    def _prepared(self, value: Any) -> Any:
        try:
            key = self._converted(value, "prepare")
        except ValidationError as error:
            raise lookup_error(self, value) from error
        if key is not None and None in key:
            raise lookup_error(self, value)
        return key

    def set_parts(self, kept: dict[str, Any], value: Any) -> None:
        """Write a key of several columns to the dictionary of an instance; `None` is no reference.

        Raises:
            QueryError: It is no such key, or one of another key of this row (`data/relation-value`).
        """
        if value is None:
            for part in self.own_parts:
                kept[part.attname] = None
            return
        if not isinstance(value, tuple | list) or len(value) != len(self.fields):
            raise QueryError(
                f"{self.model.__name__}.{self.attname} was given {cut(value)}.",
                code="data/relation-value",
                why=f"The key of {self.target.__name__} has {len(self.fields)} columns.",
                hint=f"{self.attname}=({', '.join(each.attname for each in self.remotes)})",
            )
        if kept.get("_peers") is not None:
            self._refuse_another_key(kept, value)
        for part, each in zip(self.fields, value, strict=True):
            kept[part.attname] = each

    @property
    def key_parts(self) -> tuple[Field[Any], ...]:
        """Those of its columns that are of the key of its own model."""
        model: Any = self.model
        return tuple(part for part in self.fields if part in model._meta.pk_fields)

    def _refuse_another_key(self, kept: Mapping[str, Any], value: Sequence[Any]) -> None:
        """Refuse what would make a stored row another one: its key is how it is found again."""
        for part, each in zip(self.fields, value, strict=True):
            if part in self.key_parts and kept.get(part.attname, each) != each:
                raise QueryError(
                    f"{self.model.__name__}.{self.name} was given a row whose {part.attname} is {cut(each)}.",
                    code="data/relation-value",
                    why=f"{part.attname} is of the key of {self.model.__name__} too, and is "
                    f"{cut(kept[part.attname])} here.",
                    hint="Refer to a row with the same one, or make a new row.",
                )

    def refuse_half(self, kept: Mapping[str, Any]) -> None:
        """Refuse the values of an instance where some columns of the key are set, and others are not.

        Raises:
            QueryError: So it is (`data/relation-value`).
        """
        # What is not loaded stays as it is; an expression is the database's to compute.
        missing = [each.attname for each in self.own_parts if kept.get(each.attname, self) is None]
        if not missing:
            missing = [each.attname for each in self.fields if kept.get(each.attname, self) is None]
        if missing and len(missing) < len(self.fields) and missing != [each.attname for each in self.own_parts]:
            raise QueryError(
                f"{self.model.__name__}.{self.name} is half a reference: {', '.join(missing)} is None.",
                code="data/relation-value",
                why="It refers to a row by all columns of its key, or to none.",
                hint=f"{self.attname}=({', '.join(each.attname for each in self.remotes)}), or {self.name}=None",
            )

    def value_of(self, instance: Any) -> Any:
        """Return what a column keeps to refer to *instance*.

        Raises:
            QueryError: It is of another model (`data/relation-value`).
        """
        target = self.target
        concrete = target._meta.concrete_model
        options = getattr(type(instance), "_meta", None)
        if not isinstance(instance, concrete) and (options is None or options.concrete_model is not concrete):
            raise QueryError(
                f"{self.model.__name__}.{self.name} takes a {target.__name__}, not {type(instance).__name__}.",
                code="data/relation-value",
                hint=f"{self.name}={target.__name__.lower()}",
            )
        if self.fields:
            key = tuple([getattr(instance, each.attname) for each in self.remotes])
            return None if None in key else key
        return getattr(instance, self.remote.attname)

    def from_database(self) -> Callable[[Any], Any] | None:
        return self.remote.from_database()  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model

    def get_default(self) -> Any:
        value = super().get_default()
        return self.value_of(value) if isinstance(value, Instance) else value

    @property
    def default_is_made(self) -> bool:
        """Whether the default is a function, or an instance: the parts of its key come from one call."""
        return callable(self.default) or isinstance(self.default, Instance)

    @property
    def limits(self) -> Any:
        """The smallest and largest key, where it is a number."""
        return None if self.fields else getattr(self.remote, "limits", None)

    def forward(self) -> Relation:
        """Return the way to the target."""
        hop = Hop(self.target, self.pairs, optional=self.null)
        return Relation(self.name, self.name, "forward", self.model, self.target, self, (hop,))

    def backward(self) -> Relation:
        """Return the way from the target to these."""
        many = not self.one
        hop = Hop(self.model, tuple((there, here) for here, there in self.pairs), many=many, optional=True)
        accessor = "" if self.hidden else self.back_name(many=many)
        kind: Literal["reverse", "reverse_one"] = "reverse" if many else "reverse_one"
        return Relation(self.back_query_name(many=many), accessor, kind, self.target, self.model, self, (hop,))

    def deconstruct(self) -> dict[str, Any]:
        facts = super().deconstruct()
        facts["on_delete"] = self.on_delete
        columns = [each.column for each in self.fields] or list(self.db_columns)
        if columns:
            del facts["column"]
            facts["db_columns"] = columns
        if self.to_field is not None:
            facts["to_field"] = self.to_field
        if not self.db_constraint:
            facts["db_constraint"] = False
        return facts


class _KeyValue:
    """`record.leader_id`: on the class a column; on an instance not loaded, fetched."""

    def __init__(self, field: ForeignKey[Any]) -> None:
        self.field = field

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return Column(owner, self.field.attname)
        return instance._load_deferred(self.field.attname)


class OneToOneField(ForeignKey[T]):
    """A reference that no two rows share; the way back is one instance.

    Args:
        parent_link: Whether it is the key of a child of multi-table inheritance.
    """

    kind = "one_to_one"
    one = True

    @overload
    def __init__(
        self: OneToOneField[M],
        to: type[M],
        *,
        on_delete: OnDelete,
        null: Literal[False] = ...,
        **options: Unpack[OneToOneOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: OneToOneField[M | None],
        to: type[M],
        *,
        on_delete: OnDelete,
        null: bool,
        **options: Unpack[OneToOneOptions],
    ) -> None: ...
    @overload
    def __init__(
        self,
        to: str,
        *,
        on_delete: OnDelete,
        null: bool = ...,
        **options: Unpack[OneToOneOptions],
    ) -> None: ...
    def __init__(self, to: Any, *, on_delete: OnDelete, parent_link: bool = False, **options: Any) -> None:
        options["unique"] = True
        self.parent_link = parent_link
        super().__init__(to, on_delete=on_delete, **options)

    def deconstruct(self) -> dict[str, Any]:
        facts = super().deconstruct()
        return {**facts, "parent_link": True} if self.parent_link else facts


class ManyToManyField(_Relational[T]):
    """Many rows here, many there, by a table between them.

    Args:
        to: The model, its name, or `"self"`.
        through: The model between them, where it has columns of its own.
        through_fields: Its two foreign keys, here and there, where it has more.
        symmetrical: Of `"self"`: whether each pair counts in both directions.
        db_table: The name of the table between, where Segue makes it.
    """

    kind = "many_to_many"
    is_column = False

    @overload
    def __init__(self: ManyToManyField[M], to: type[M], **options: Unpack[ManyToManyOptions]) -> None: ...
    @overload
    def __init__(self, to: str, **options: Unpack[ManyToManyOptions]) -> None: ...
    def __init__(
        self,
        to: Any,
        *,
        through: Any = None,
        through_fields: Sequence[str] | None = None,
        symmetrical: bool | None = None,
        db_table: str | None = None,
        related_name: str | None = None,
        related_query_name: str | None = None,
        limit_choices_to: Any = None,
        **options: Any,
    ) -> None:
        self._through = through
        self.through_fields: tuple[str, ...] = tuple(through_fields or ())
        self.symmetrical: bool = (to == "self") if symmetrical is None else symmetrical
        self.db_table = db_table
        if self.symmetrical and related_name is None:
            related_name = "+"
        super().__init__(
            to,
            related_name=related_name,
            related_query_name=related_query_name,
            limit_choices_to=limit_choices_to,
            **options,
        )

    @overload  # type: ignore[override]  # of an instance it is not a value, but what changes them
    def __get__(self, instance: None, owner: type) -> Column[Any]: ...
    @overload
    def __get__(self, instance: Instance, owner: type) -> ManyRelatedManager[T]: ...
    def __get__(self, instance: Any, owner: type) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # the same
        if instance is None:
            return Column(owner, self.name)
        return instance._manager(self.forward())

    def __set__(self, instance: Instance, value: Any) -> None:
        raise QueryError(
            f"{self.model.__name__}.{self.name} cannot be assigned.",
            code="data/many-assigned",
            why="It is a set of rows of another table.",
            hint=f"instance.{self.name}.set([…])",
        )

    @property
    def through(self) -> Any:
        """The model of the table between."""
        if isinstance(self._through, str):
            self._through = self.model._meta.registry.find(self._through, self.model)  # pyright: ignore[reportPrivateUsage]  # one package
        if self._through is None:
            self._through = self.model._meta.make_through(self)  # pyright: ignore[reportPrivateUsage]  # one package
        return self._through

    @property
    def auto_created(self) -> bool:
        """Whether Segue makes the table between."""
        return bool(getattr(self.through._meta, "auto_created", False))

    def ends(self) -> tuple[ForeignKey[Any], ForeignKey[Any]]:
        """Return the foreign keys of the table between: to here, and to there.

        Raises:
            ModelError: It has none, or several that fit (`data/through`).
        """
        keys: list[ForeignKey[Any]] = list(self.through._meta.foreign_keys)
        if self.through_fields:
            by_name = {each.name: each for each in keys}
            return by_name[self.through_fields[0]], by_name[self.through_fields[1]]
        here = [each for each in keys if issubclass(self.model, each.target)]
        there = [each for each in keys if issubclass(self.target, each.target)]
        if self.target is self.model and len(keys) == 2:
            return keys[0], keys[1]
        if len(here) != 1 or len(there) != 1:
            raise ModelError(
                f"{self.through.__name__} does not say by which keys {self.model.__name__}.{self.name} goes.",
                code="data/through",
                why=f"Its foreign keys are: {', '.join(each.name for each in keys) or 'none'}.",
                hint='ManyToManyField(…, through_fields=("here", "there"))',
            )
        return here[0], there[0]

    def forward(self) -> Relation:
        """Return the way to the target."""
        here, there = self.ends()
        return self._way(self.name, self.name, self.model, self.target, here, there)

    def backward(self) -> Relation:
        """Return the way from the target to these."""
        here, there = self.ends()
        accessor = "" if self.hidden else self.back_name(many=True)
        return self._way(self.back_query_name(many=True), accessor, self.target, self.model, there, here)

    def deconstruct(self) -> dict[str, Any]:
        self.__dict__.setdefault("column", "")
        facts = super().deconstruct()
        del facts["column"]
        through = self._through
        if through is not None and not getattr(getattr(through, "_meta", None), "auto_created", False):
            named = isinstance(through, str) and not hasattr(self, "model")
            facts["through"] = through.lower() if named else _key_of(self.through)
        if self.through_fields:
            facts["through_fields"] = list(self.through_fields)
        if self.db_table:
            facts["db_table"] = self.db_table
        if self.symmetrical:
            facts["symmetrical"] = True
        return facts

    def _way(
        self, name: str, accessor: str, source: Any, target: Any, near: ForeignKey[Any], far: ForeignKey[Any]
    ) -> Relation:
        back = tuple((there, here) for here, there in near.pairs)
        hops = (Hop(self.through, back, many=True, optional=True), Hop(target, far.pairs))
        return Relation(name, accessor, "many", source, target, self, hops)
