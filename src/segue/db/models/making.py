"""How the statement `class Record(db.Model)` becomes a model.

Holds: what is read from the class body, inherited, checked and entered.
Imports: fields, options, the registry.
Never: builds a table or asks a database; nothing happens but an entry in the registry.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from inspect import get_annotations
from typing import Any, get_origin

from ...errors import did_you_mean
from ..choice import apart
from ..current import DEFAULT
from ..errors import DoesNotExist, ModelError, MultipleObjectsReturned
from ..fields.base import Field
from ..fields.numbers import BigAutoField
from ..fields.relations import CASCADE, ForeignKey, ManyToManyField, OneToOneField
from ..instance import fetch_mode_of
from ..managers import ManagerDescriptor, NoObjects
from ..related import Key, Reverse, ReverseDescriptor
from .added import add_methods
from .options import META_NAMES, CompositePrimaryKey, Options
from .settling import settle, settle_ends

__all__ = ["check_declared", "make_model"]

# What a child of an abstract model takes over from its Meta.
_NOT_INHERITED = frozenset({"abstract", "proxy", "db_table", "managed", "permissions", "app_label", "database"})
_INHERITED_BY_CHILDREN = frozenset({"ordering", "get_latest_by"})


def make_model(cls: Any, base: Any) -> None:
    """Make *cls* a model; *base* is `Model` itself."""
    own: dict[str, Any] = cls.__dict__
    meta = _meta_of(cls, own)
    parents: list[Any] = [
        each for each in cls.__bases__ if isinstance(each, type) and issubclass(each, base) and each is not base
    ]
    concrete = [each for each in parents if not each._meta.abstract]
    abstract = [each for each in parents if each._meta.abstract]
    options = Options(cls, _merged(meta, abstract, concrete), own.get("_registry"))
    cls._meta = options
    if options.fetch_mode is not None:
        options.fetch_mode = fetch_mode_of(options.fetch_mode, f"{cls.__name__}.Meta.fetch_mode")
    if options.proxy:
        _make_proxy(cls, options, concrete)
    declared = _declared(cls, own, abstract, options)
    _check_names(cls, declared, base)
    if options.proxy and declared:
        raise ModelError(
            f"{cls.__name__} is a proxy, and has fields: {', '.join(declared)}.",
            code="data/proxy",
            where=options.where,
            hint="Leave proxy = True out, and it gets a table of its own.",
        )
    for name, field in declared.items():
        _take(options, name, field)
    if not options.abstract and not options.proxy:
        _link_parents(cls, options, concrete)
        _refuse_clashes(cls, options)
        _find_key(cls, options, own)
        cls.DoesNotExist = _error(cls, "DoesNotExist", [*concrete, base], DoesNotExist)
        cls.MultipleObjectsReturned = _error(cls, "MultipleObjectsReturned", [*concrete, base], MultipleObjectsReturned)
    _take_managers(cls, options, own, parents)
    if not options.abstract:
        cls._made(options)
        add_methods(cls, options.local_fields)
        options.registry.add(cls)
        _connect(options)


def _meta_of(cls: Any, own: Any) -> dict[str, Any]:
    given = own.get("Meta")
    if given is None:
        return {}
    found: dict[str, Any] = {}
    for part in reversed(given.__mro__):
        body: dict[str, Any] = part.__dict__
        found.update({name: value for name, value in body.items() if not name.startswith("_")})
    for name in found:
        if name not in META_NAMES:
            raise ModelError(
                f"{cls.__name__}.Meta has an unknown option {name!r}.",
                code="data/meta-option",
                where=f"{cls.__module__}.{cls.__qualname__}",
                hint=did_you_mean(name, META_NAMES),
            )
    inherited: set[str] = {name for part in given.__mro__[1:] for name in part.__dict__}
    if "abstract" in inherited and "abstract" not in vars(given):
        found["abstract"] = False  # as in Django: a Meta that derives is not abstract by that
    return found


def _merged(meta: dict[str, Any], abstract: list[Any], concrete: list[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for parent in reversed(concrete):
        merged.update({name: value for name, value in parent._meta.given.items() if name in _INHERITED_BY_CHILDREN})
    for parent in reversed(abstract):
        merged.update({name: value for name, value in parent._meta.given.items() if name not in _NOT_INHERITED})
        for name in ("app_label", "database"):
            if name in parent._meta.given:
                merged[name] = parent._meta.given[name]
    merged.update(meta)
    return merged


def _make_proxy(cls: Any, options: Options, concrete: list[Any]) -> None:
    if len(concrete) != 1:
        raise ModelError(
            f"{cls.__name__} is a proxy of {len(concrete)} models.",
            code="data/proxy",
            where=options.where,
            hint="A proxy derives from exactly one concrete model.",
        )
    parent = concrete[0]._meta
    options.concrete_model = parent.concrete_model
    options.database = options.database or parent.database
    options.db_table = parent.db_table
    options.local_fields = list(parent.local_fields)
    options.local_references = list(parent.local_references)
    options.many_to_many = list(parent.many_to_many)
    options.parents = dict(parent.parents)
    options.pk_fields = parent.pk_fields
    options.private = dict(parent.private)


def _declared(cls: Any, own: Any, abstract: list[Any], options: Options) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for parent in abstract:
        for name, field in parent._meta.cache["declared"].items():
            if name not in own:
                found.setdefault(name, _copied(field))
    for name, value in list(own.items()):
        if isinstance(value, Field):
            found[name] = value
        elif hasattr(value, "contribute") and not isinstance(value, type):
            value.contribute(options, name)
            options.private[name] = value
    options.cache["declared"] = dict(found)
    for parent in abstract:
        _inherit_private(options, parent, own)
    return found


def _inherit_private(options: Options, parent: Any, own: Any) -> None:
    """Take over what a parent has beside its fields: each model has its own."""
    for name, value in parent._meta.private.items():
        if name not in own and name not in options.private:
            new = copy(value)
            new.inherited = not parent._meta.abstract
            new.contribute(options, name)
            options.private[name] = new


def _copied(field: Any) -> Any:
    new: Any = copy(field)
    new.validators = list(field.validators)
    new.error_messages = dict(field.error_messages)
    new._column_type = None
    through = getattr(field, "_through", None)
    if through is not None and not isinstance(through, str):
        new._through = None if getattr(through._meta, "auto_created", False) else through
    return new


def _check_names(cls: Any, names: Any, base: Any) -> None:
    # By the bodies of the classes: asking for `objects` of a model without rows is an error of its own.
    reserved: set[str] = {name for each in base.__mro__ for name in each.__dict__} - {"id"}
    for name in names:
        taken = name in reserved
        if taken or "__" in name or name.endswith("_") or name.startswith("_"):
            free = name.strip("_").replace("__", "_")
            free = f"{free}_value" if free in reserved else free
            why = "It is an attribute of every model." if taken else "Look-ups are parted by __, so a name holds none."
            raise ModelError(
                f"{cls.__name__} cannot have a field {name!r}.",
                code="data/reserved-name",
                where=cls._meta.where,
                why=why,
                hint=f"{free} = …",
            )


def _take(options: Options, name: str, field: Any) -> None:
    if isinstance(field, ManyToManyField):
        options.many_to_many.append(field)  # pyright: ignore[reportUnknownArgumentType]  # of any kind
    else:
        options.local_fields.append(field)
    field.contribute(options, name)


def _link_parents(cls: Any, options: Options, concrete: list[Any]) -> None:
    for parent in concrete:
        options.database = options.database or parent._meta.database
        target = parent._meta.concrete_model
        link = next(
            (
                field
                for field in options.local_fields
                if isinstance(field, OneToOneField) and field.to is target and field.parent_link
            ),
            None,
        )
        if link is None:
            name = f"{target._meta.model_name}_ptr"
            first = not any(field.primary_key for field in options.local_fields) and not options.parents
            link = OneToOneField(
                target, on_delete=CASCADE, parent_link=True, primary_key=first, editable=False, blank=True
            )
            options.local_fields.insert(0, link)
            link.contribute(options, name)
        options.parents[target] = link
        _inherit_private(options, parent, vars(cls))
        for field in parent._meta.many_to_many:
            if field.name not in vars(cls):
                options.many_to_many.append(field)


def _refuse_clashes(cls: Any, options: Options) -> None:
    """Refuse a field of the name that a parent's has: one instance could not keep both."""
    taken: dict[str, Any] = {}
    for parent in options.parents:
        for field in (*parent._meta.fields, *parent._meta.references):
            other = taken.setdefault(field.name, field)
            if other is not field:
                raise _clash(cls, f"{field.model.__name__}.{field.name}", f"{other.model.__name__}.{other.name}")
    for field in options.local_fields:
        other = taken.get(field.name)
        if other is not None:
            raise _clash(cls, f"{cls.__name__}.{field.name}", f"{other.model.__name__}.{other.name}")


def _clash(cls: Any, one: str, other: str) -> ModelError:
    return ModelError(
        f"{one} has the name of {other}, and a {cls.__name__} has both.",
        code="data/field-clash",
        where=cls._meta.where,
        why="They are columns of two tables.",
        hint="Give one of them another name, or make the parent abstract.",
    )


def _find_key(cls: Any, options: Options, own: Any) -> None:
    composite = own.get("pk")
    if isinstance(composite, CompositePrimaryKey):
        delattr(cls, "pk")
        by_name = {field.name: field for field in options.local_fields} | {
            field.attname: field for field in options.local_fields
        }
        unknown = [name for name in composite.names if name not in by_name]
        if unknown:
            raise ModelError(
                f"{cls.__name__}.pk names {unknown[0]!r}, which is no field.",
                code="data/primary-key",
                where=options.where,
                hint=did_you_mean(unknown[0], by_name),
            )
        options.pk_fields = tuple(by_name[name] for name in composite.names)
        return
    keys = [field for field in options.local_fields if field.primary_key]
    if len(keys) > 1:
        raise ModelError(
            f"{cls.__name__} has {len(keys)} primary keys: {', '.join(field.name for field in keys)}.",
            code="data/primary-key",
            where=options.where,
            hint=f"pk = db.CompositePrimaryKey({', '.join(repr(field.name) for field in keys)})",
        )
    if not keys:
        if any(field.name == "id" for field in options.local_fields):
            raise ModelError(
                f"{cls.__name__} has a field `id` that is not its key.",
                code="data/primary-key",
                where=options.where,
                hint="Add primary_key=True to it, or to another field.",
            )
        key: Any = BigAutoField()  # pyright: ignore[reportUnknownVariableType]  # of any kind
        options.local_fields.insert(0, key)
        key.contribute(options, "id")
        keys = [key]
    options.pk_fields = (keys[0],)


def _error(cls: Any, name: str, bases: list[Any], kind: type[Exception]) -> type[Exception]:
    """Make a model's own `DoesNotExist`, a kind of its parents' and of Segue's."""
    above = tuple(dict.fromkeys(getattr(base, name) for base in bases)) or (kind,)
    return type(name, above, {"__module__": cls.__module__, "__qualname__": f"{cls.__qualname__}.{name}"})


def _take_managers(cls: Any, options: Options, own: Any, parents: list[Any]) -> None:
    # Its own come first: the first of all is the default.
    options.managers.update({name: value for name, value in own.items() if isinstance(value, ManagerDescriptor)})
    for parent in parents:
        for name, manager in parent._meta.managers.items():
            if name not in own:
                options.managers.setdefault(name, manager)
    if options.managers and "objects" not in options.managers and "objects" not in own:
        cls.objects = NoObjects()
    elif "objects" in options.managers and "objects" not in own:
        cls.objects = options.managers["objects"]  # a parent between may have none
    for name in ("default_manager_name", "base_manager_name"):
        chosen = getattr(options, name)
        if chosen and chosen not in options.managers:
            raise ModelError(
                f"{cls.__name__}.Meta.{name} is {chosen!r}, which is no manager.",
                code="data/meta-option",
                where=options.where,
                hint=did_you_mean(chosen, options.managers),
            )


def _connect(options: Options) -> None:
    """Let the targets of relations know, as soon as they are defined."""
    for field in list(_relations(options)):
        options.registry.when_known(_connector(options, field))
    for each in options.private.values():
        if not options.proxy and hasattr(each, "connect"):
            options.registry.when_known(each.connect)


def _relations(options: Options) -> Iterator[Any]:
    if options.proxy:
        return
    for field in (*options.local_fields, *options.local_references, *options.many_to_many):
        if field.is_relation and field.model is options.model:
            yield field


def _connector(options: Options, field: Any) -> Any:
    def connect() -> bool:
        if not field.target_is_known():
            return False
        through = getattr(field, "_through", None)
        if isinstance(through, str) and not options.registry.knows(through, options.model):
            return False
        target = field.target._meta
        if (options.database or DEFAULT) != (target.database or DEFAULT):
            raise apart(
                f"{options.object_name}.{field.name} refers to {target.object_name}, whose rows are in the database "
                f"{target.database or DEFAULT!r}; its own are in {options.database or DEFAULT!r}.",
                options.where,
            )
        if not (settle(field) if isinstance(field, ForeignKey) else settle_ends(field)):
            return False
        if isinstance(field, ForeignKey):
            target.concrete_model._meta.add_referrer(field)
        if field.hidden:
            return True
        relation = field.backward()
        clash = target.reverse.get(relation.name)
        own = target.find_field(relation.accessor) if relation.accessor else None
        if own is not None or (clash is not None and not _same_field(clash.field, field)):
            other = f"the field {own.name}" if clash is None and own is not None else _named(clash)
            raise ModelError(
                f"{options.object_name}.{field.name} would be called {relation.accessor or relation.name!r} on "
                f"{target.object_name}, as {other} is.",
                code="data/reverse-clash",
                where=options.where,
                hint='related_name="…", or related_name="+" for none',
            )
        target.add_reverse(relation)
        if relation.accessor:
            setattr(field.target, relation.accessor, ReverseDescriptor(field.backward))
        return True

    return connect


def _named(relation: Any) -> str:
    return f"{relation.field.model.__name__}.{relation.field.name}"


def _same_field(first: Any, second: Any) -> bool:
    one, two = first.model, second.model
    return first.name == second.name and (one.__module__, one.__qualname__) == (two.__module__, two.__qualname__)


def check_declared(model: Any) -> None:
    """Check what a class body declares for type checkers: `Reverse["Record"]`, `Key[int]`.

    Raises:
        ModelError: There is no such relation (`data/declared-relation`).
    """
    options = model._meta
    annotations: dict[str, Any] = get_annotations(model)
    for name, annotation in annotations.items():
        text: str = (
            annotation if isinstance(annotation, str) else getattr(get_origin(annotation) or annotation, "__name__", "")
        )
        if f"{Reverse.__name__}[" in text or text == Reverse.__name__:
            names = [relation.accessor for relation in options.reverse.values()]
            if name not in names:
                raise ModelError(
                    f"{model.__name__}.{name} is declared, and no relation makes it.",
                    code="data/declared-relation",
                    where=options.where,
                    hint=did_you_mean(name, names) or f'related_name="{name}" on the foreign key',
                )
        elif f"{Key.__name__}[" in text and options.find_field(name) is None:
            raise ModelError(
                f"{model.__name__}.{name} is declared as a Key, and there is no such foreign key.",
                code="data/declared-relation",
                where=options.where,
                hint=did_you_mean(name, [field.attname for field in (*options.fields, *options.references)]),
            )
