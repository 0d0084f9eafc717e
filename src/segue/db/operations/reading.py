"""Fetching rows, and what is loaded with them.

Holds: the fetch of a query, prefetching, relations of all peers, deferred columns.
Imports: plans, queries.
Never: keeps an instance alive for another's sake.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...errors import did_you_mean
from ..errors import QueryError
from ..expressions.base import F
from ..fields.relations import Relation
from ..instance import FETCH_PEERS, Peers
from ..query.plans import plan_of
from ..query.query import Annotation, Query
from ..query.where import among
from ..steps import Execute, Operation

__all__ = [
    "Prefetch",
    "fetch",
    "load_fields",
    "load_relation",
    "matching",
    "opposite",
    "origin_of",
    "prefetch",
    "relation_called",
]


class Prefetch:
    """A relation to load ahead, with a queryset of its own.

    Args:
        lookup: The relation, `records` or `records__leader`.
        queryset: What is loaded; filtered, ordered, related as it says.
        to_attr: The attribute that keeps the list, in place of the relation's own.
    """

    def __init__(self, lookup: str, queryset: Any = None, to_attr: str | None = None) -> None:
        if to_attr is not None and not to_attr.isidentifier():
            raise QueryError(f"to_attr={to_attr!r} is no name.", code="data/prefetch", hint='to_attr="recent"')
        if queryset is not None and queryset.query.frame.selection is not None:
            raise QueryError(
                "A Prefetch takes a queryset of instances.", code="data/prefetch", hint="Leave values() out."
            )
        if queryset is not None and queryset.query.is_sliced:
            raise QueryError(
                f"The queryset that prefetches {str(lookup)!r} is sliced.",
                code="data/prefetch",
                why="The slice would be of all rows together, not of each instance's.",
                hint="Filter it, or use a Window to number the rows.",
            )
        self.lookup: str = str(lookup)
        self.query: Query | None = None if queryset is None else queryset.query
        self.further: tuple[Any, ...] = () if queryset is None else queryset._prefetches
        self.mode: str | None = None if queryset is None else queryset._mode
        self.to_attr = to_attr

    def __repr__(self) -> str:
        return f"Prefetch({self.lookup!r})"


def fetch(
    query: Query,
    database: Any,
    prefetches: Sequence[Any] = (),
    mode: str = FETCH_PEERS,
    origin: tuple[Any, str] | None = None,
) -> Operation[list[Any]]:
    """Return what a query gives, with its prefetches.

    Args:
        origin: By which path of which model's query the rows are reached.
    """
    plan, values = plan_of(query, database)
    rows = yield Execute(plan, plan.bind(values))
    peers = Peers(database, mode, origin)
    found = plan.hydrate(rows, peers)
    if query.frame.selection is None:
        peers.hold(found)
        if prefetches and found:
            yield from prefetch(found, prefetches, database, mode)
    return found


def prefetch(
    instances: Sequence[Any], lookups: Sequence[Any], database: Any, mode: str = FETCH_PEERS
) -> Operation[None]:
    """Load relations of *instances*: one query for each level of each look-up.

    Raises:
        QueryError: A look-up names no relation (`data/prefetch`).
    """
    # What was loaded, by the attributes that lead there.
    done: dict[str, list[Any]] = {}
    for lookup in lookups:
        given = lookup if isinstance(lookup, Prefetch) else Prefetch(lookup)
        *parts, last = given.lookup.split("__")
        level, path = list(instances), ""
        for part in parts:
            path = f"{path}__{part}" if path else part
            if path not in done:
                done[path] = yield from _one_level(level, part, database, Prefetch(part), mode)
            level = done[path]
        name = given.to_attr or last
        path = f"{path}__{name}" if path else name
        if path not in done:
            done[path] = yield from _one_level(level, last, database, given, mode)
        elif given.query is not None:
            raise QueryError(
                f"{given.lookup!r} is prefetched twice.",
                code="data/prefetch",
                hint="Put the Prefetch with its queryset first, or give it to_attr=.",
            )


def _one_level(instances: list[Any], name: str, database: Any, given: Prefetch, mode: str) -> Operation[list[Any]]:
    """Load the relation *name* of instances, which may be of several models; return what it reaches."""
    by_model: dict[Any, dict[int, Any]] = {}
    for instance in instances:
        by_model.setdefault(type(instance), {})[id(instance)] = instance
    found: list[Any] = []
    for model, group in by_model.items():
        found += yield from _of_model(model, list(group.values()), name, database, given, mode)
    return found


def _of_model(
    model: Any, group: list[Any], name: str, database: Any, given: Prefetch, mode: str
) -> Operation[list[Any]]:
    private = model._meta.private.get(name)
    if private is not None and hasattr(private, "prefetch"):
        return (yield from private.prefetch(group, database, given, mode))  # type: ignore[no-any-return]  # of any field
    relation = relation_called(model, name)
    if relation is not None:
        return (
            yield from load_relation(
                group, relation, database, given.mode or mode, given.query, given.further, given.to_attr
            )
        )
    kept: list[Any] = [each.__dict__[name] for each in group if name in each.__dict__]
    if len(kept) == len(group) and model._meta.find_field(name) is None:
        # What an earlier `to_attr` keeps: a list, or the one there is.
        several: list[list[Any]] = [value if type(value) is list else [value] for value in kept]
        return [each for values in several for each in values if each is not None]
    raise QueryError(
        f"{model.__name__} has no relation {name[:80]!r} to prefetch.",
        code="data/prefetch",
        where=model._meta.where,
        hint=did_you_mean(name, _relation_names(model)) or "It has no relations.",
    )


def relation_called(model: Any, name: str) -> Relation | None:
    """Return the relation whose attribute on instances is *name*."""
    options = model._meta
    field = options.find_field(name)
    if field is not None and field.is_relation and field.name == name:
        return options.relation(name)  # type: ignore[no-any-return]  # of any model
    if name in options.private:
        return options.relation(name)  # type: ignore[no-any-return]  # of any model
    for relation in options.reverse.values():
        if relation.accessor == name:
            return relation  # type: ignore[no-any-return]  # of any model
    return None


def _relation_names(model: Any) -> list[str]:
    options = model._meta
    names = [field.name for field in (*options.foreign_keys, *options.many_to_many)]
    names += list(options.private)
    return [*names, *(relation.accessor for relation in options.reverse.values() if relation.accessor)]


def load_relation(
    instances: Sequence[Any],
    relation: Relation,
    database: Any,
    mode: str = FETCH_PEERS,
    query: Query | None = None,
    further: Sequence[Any] = (),
    to_attr: str | None = None,
) -> Operation[list[Any]]:
    """Load one relation of many instances in one query; return what was loaded.

    What an instance has loaded already is left as it is.
    """
    name = to_attr or relation.accessor or relation.name
    many = relation.many
    kept_in = "_prefetched" if many and to_attr is None else None
    missing: list[Any] = []
    found: list[Any] = []
    for instance in instances:
        kept = instance.__dict__.get(kept_in, {}) if kept_in else instance.__dict__
        if name in kept and query is None and _still_fits(instance, relation, kept[name]):
            value = kept[name]
            found.extend(value if many else [value] if value is not None else [])
        else:
            missing.append(instance)
    if not missing:
        return found
    yield from _load_keys(missing, relation, database)
    key_of = relation.key_of
    wanted = {key_of(instance): instance for instance in missing}
    wanted.pop(None, None)
    groups: dict[Any, list[Any]] = {}
    if wanted:
        load = _through if relation.kind == "many" else _direct
        found += yield from load(relation, wanted, database, mode, query, further, groups)
    for instance in missing:
        key = key_of(instance)
        group = groups.get(key, [])
        if many:
            target = instance.__dict__.setdefault("_prefetched", {}) if kept_in else instance.__dict__
            target[name] = list(group)
        else:
            value = group[0] if group else None
            if relation.kind == "forward" and value is None and key is not None:
                if query is None:
                    continue  # a dangling reference: touching it says so
                # The queryset left it out; for as long as the key stays, there is none.
                instance.__dict__.setdefault("_prefetched", {})[name] = key
            instance.__dict__[name] = value
        # What was loaded knows the instance it belongs to, where that is one.
        if relation.kind == "generic":
            for each in group:
                relation.field.introduce(each, instance)
        elif relation.back:
            for each in group:
                each.__dict__[relation.back] = instance
    return found


def _still_fits(instance: Any, relation: Relation, value: Any) -> bool:
    if relation.kind != "forward":
        return True
    kept = instance.__dict__
    for here, there in relation.hops[0].pairs:
        key = kept.get(here)
        if key is not None and (value is None or value.__dict__.get(there) != key):
            return False
    return True


def _load_keys(instances: Sequence[Any], relation: Relation, database: Any) -> Operation[None]:
    """Load the columns that the relation begins with, where they were deferred."""
    for here, _ in relation.hops[0].pairs:
        without = [each for each in instances if here not in each.__dict__ and each.is_stored]
        if without:
            yield from load_fields(without, [here], database)


def _direct(
    relation: Relation,
    wanted: Mapping[Any, Any],
    database: Any,
    mode: str,
    query: Query | None,
    further: Sequence[Any],
    groups: dict[Any, list[Any]],
) -> Operation[list[Any]]:
    names = [there for _, there in relation.hops[0].pairs]
    base = query if query is not None else _rows_of(relation)
    _check_target(base, relation)
    if relation.kind == "generic":
        base = relation.field.of_type(base)
    first = next(iter(wanted.values()))
    loaded = yield from fetch(matching(base, names, list(wanted)), database, further, mode, _origin(first, relation))
    for each in loaded:
        kept = [getattr(each, name) for name in names]
        groups.setdefault(kept[0] if len(kept) == 1 else tuple(kept), []).append(each)
    return loaded


def matching(query: Query, names: Sequence[str], keys: Sequence[Any]) -> Query:
    """Return the rows of *query* whose columns are one of *keys*: values, or tuples of several."""
    if len(names) == 1:
        return query.filtered((), {f"{names[0]}__in": keys})
    return query.copy(where=(*query.where, among(query.model._meta, names, keys)))


def origin_of(instance: Any, name: str) -> tuple[Any, str]:
    """Return by which path of which model's query rows are reached from *instance* by *name*."""
    peers = instance._peers
    root, path = instance.__class__, ""
    if peers is not None and peers.origin is not None:
        root, path = peers.origin
    return root, f"{path}__{name}" if path else name


def _origin(instance: Any, relation: Relation) -> tuple[Any, str]:
    return origin_of(instance, relation.accessor or relation.name)


def _through(
    relation: Relation,
    wanted: Mapping[Any, Any],
    database: Any,
    mode: str,
    query: Query | None,
    further: Sequence[Any],
    groups: dict[Any, list[Any]],
) -> Operation[list[Any]]:
    """Load a many-to-many relation: the targets, each with the key it was reached from."""
    base = query if query is not None else _rows_of(relation)
    _check_target(base, relation)
    back = opposite(relation).name
    names = [f"{back}__{here}" for here, _ in relation.hops[0].pairs]
    chosen = matching(base, names, list(wanted))
    near = {f"_near{at}": Annotation(F(name), len(chosen.where)) for at, name in enumerate(names)}
    chosen = chosen.framed(annotations={**chosen.frame.annotations, **near})
    first = next(iter(wanted.values()))
    loaded = yield from fetch(chosen, database, further, mode, _origin(first, relation))
    for each in loaded:
        kept = [each.__dict__.pop(name) for name in near]
        groups.setdefault(kept[0] if len(kept) == 1 else tuple(kept), []).append(each)
    return loaded


def opposite(relation: Relation) -> Relation:
    """Return the same many-to-many relation, walked from the other end; hidden ones too."""
    field = relation.field
    forward = relation.is_forward
    back: Relation = field.backward() if forward else field.forward()
    if not (forward and field.hidden):
        return back
    # Several hidden relations would have one name; queries inside need one of its own.
    options = back.source._meta
    name = f"+{field.model._meta.label_lower}.{field.name}"
    return options.hidden_relations.setdefault(name, replace(back, name=name))  # type: ignore[no-any-return]  # of any model


def _check_target(query: Query, relation: Relation) -> None:
    concrete = relation.target._meta.concrete_model
    if not issubclass(query.model, concrete) and query.model._meta.concrete_model is not concrete:
        raise QueryError(
            f"{relation.source.__name__}.{relation.accessor or relation.name} cannot be prefetched by a queryset of "
            f"{query.model.__name__}.",
            code="data/prefetch",
            hint=f"{relation.target.__name__}.objects",
        )


def _rows_of(relation: Relation) -> Query:
    """Return the query that a relation starts from: to many, that of the first manager."""
    options = relation.target._meta
    return (options.default_queryset() if relation.many else options.base_queryset()).query  # type: ignore[no-any-return]  # of any model


def load_fields(
    instances: Sequence[Any], names: Sequence[str], database: Any, among: Query | None = None
) -> Operation[None]:
    """Load columns of instances that were not loaded with them.

    Args:
        among: The query in whose rows they are looked for; `None` is every row.

    Raises:
        DoesNotExist: The row of the first is gone.
    """
    model = instances[0].__class__
    options = model._meta
    keys = {instance.pk: instance for instance in instances}
    chosen = {options.get_field(name).name for name in names} | {field.name for field in options.pk_fields}
    rows = Query(model) if among is None else among
    query = rows.framed(only=frozenset(chosen), order=(), related=()).filtered((), {"pk__in": list(keys)})
    loaded = yield from fetch(query, database)
    fresh = {each.pk: each.__dict__ for each in loaded}
    for instance in instances:
        row = fresh.get(instance.pk)
        if row is None:
            if instance is instances[0]:
                raise model.DoesNotExist(f"This {model.__name__} is not in the database any more.")
            continue
        for name in names:
            instance.__dict__[name] = row[name]
