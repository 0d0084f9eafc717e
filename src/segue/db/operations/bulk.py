"""Many rows at once.

Holds: `bulk_create`, `bulk_update`, `update`.
Imports: statements, saving.
Never: sends a signal for each row, as in Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

from ...errors import cut
from ..errors import NotSupportedError, QueryError
from ..expressions.base import Expression, F, Value, as_expression
from ..expressions.conditional import Case, When
from ..expressions.q import Q
from ..instance import Peers
from ..query.plans import plan_of
from ..query.query import Query, Selection
from ..steps import Execute, Operation, Transaction
from .reading import load_fields
from .saving import values_to_insert
from .statements import Conflict, insert_rows, supports_returning, update_rows

__all__ = ["bulk_create", "bulk_update", "parts_of_key", "update"]

_MOST_PARAMETERS = {"sqlite": 30_000, "postgresql": 30_000, "mysql": 30_000}


def bulk_create(
    model: Any,
    instances: Sequence[Any],
    database: Any,
    *,
    batch_size: int | None = None,
    ignore_conflicts: bool = False,
    update_fields: Sequence[str] = (),
    unique_fields: Sequence[str] = (),
) -> Operation[list[Any]]:
    """Insert *instances* in few statements, in one transaction; keys are set where they can be.

    Raises:
        NotSupportedError: The model has a concrete parent.
        QueryError: Options that do not go together.
    """
    options = model._meta.concrete_model._meta
    if options.parents:
        raise NotSupportedError(
            f"bulk_create() cannot write {model.__name__}: its rows are in several tables.",
            code="data/not-supported",
            hint="Save them one by one in atomic().",
        )
    _check_batch_size(batch_size)
    conflict = _conflict(options, ignore_conflicts=ignore_conflicts, update=update_fields, unique=unique_fields)
    if not instances:
        return []
    return (  # type: ignore[no-any-return]  # the step's result
        yield Transaction(_create(model, options, list(instances), database, batch_size, conflict), savepoint=False)
    )


def _check_batch_size(size: Any) -> None:
    if size is not None and (type(size) is not int or size < 1):
        raise QueryError(
            f"batch_size={cut(size)} must be 1 or more.", code="data/argument", hint="Leave it away, or batch_size=500."
        )


def _conflict(options: Any, *, ignore_conflicts: bool, update: Sequence[str], unique: Sequence[str]) -> Conflict | None:
    if ignore_conflicts:
        if update:
            raise QueryError(
                "bulk_create() cannot both ignore conflicts and update.",
                code="data/argument",
                hint="Give one of the two.",
            )
        return Conflict()
    if not update:
        return None
    fields = options.columns_of(update)
    keys = [each for name in unique for each in (options.pk_fields if name == "pk" else options.columns_of([name]))]
    keys = keys or list(options.pk_fields)
    return Conflict(fields, keys)


def _create(
    model: Any,
    options: Any,
    instances: list[Any],
    database: Any,
    batch_size: int | None,
    conflict: Conflict | None,
) -> Operation[list[Any]]:
    peers = Peers(database)
    for fields, rows, written in _groups(options, instances, database):
        missing = tuple(each for each in options.local_fields if each not in fields)
        if conflict is not None and not (conflict.update and supports_returning(database)):
            missing = ()  # which rows are new is not known
        if missing and not supports_returning(database):
            yield from _one_by_one(options, fields, missing, zip(written, rows, strict=True), database)
            continue
        # DEFAULT VALUES makes one row.
        most = max(_MOST_PARAMETERS[database.vendor] // len(fields), 1) if fields else 1
        for batch in _batches(len(rows), min(most, batch_size or 1000)):
            chosen = rows[batch]
            plan = insert_rows(database, options.model, fields, missing, len(chosen), conflict)
            answer = yield Execute(plan, plan.bind(list(chain.from_iterable(chosen))))
            if missing:
                _take_answers(written[batch], missing, plan.hydrate(answer, None))
    for instance in instances:
        instance.__dict__["_peers"] = peers
    peers.hold(instances)
    return instances


def _take_answers(instances: Sequence[Any], missing: Sequence[Any], rows: Sequence[Sequence[Any]]) -> None:
    """Take over what the database filled in."""
    for field, column in zip(missing, zip(*rows, strict=True), strict=True):
        name = field.attname
        for instance, value in zip(instances, column, strict=True):
            instance.__dict__[name] = value


Group = tuple[tuple[Any, ...], Sequence[Sequence[Any]], Sequence[Any]]
"""Fields, the values of each row, and the instances that they are of."""


def _groups(options: Any, instances: Sequence[Any], database: Any) -> list[Group]:
    """Return instances by what they write."""
    for instance in instances:
        instance._take_related(database)
    alike = _alike(options, instances)
    if alike is not None:
        return [alike]
    groups: dict[tuple[Any, ...], tuple[list[Sequence[Any]], list[Any]]] = {}
    for instance in instances:
        values = values_to_insert(instance, options)
        rows, written = groups.setdefault(tuple(values), ([], []))
        rows.append(list(values.values()))
        written.append(instance)
    return [(fields, rows, written) for fields, (rows, written) in groups.items()]


def _alike(options: Any, instances: Sequence[Any]) -> Group | None:
    """Return instances as one group, where each has every column but a key that the database makes.

    PERF: what `values_to_write` does for each value is done here for each column, in a quarter of the time.
    """
    key, fields, pick = options.cache.get("bulk") or _bulk_facts(options)
    kept = [instance.__dict__ for instance in instances]
    if pick is None or (key is not None and any(each.get(key) is not None for each in kept)):
        return None
    try:
        columns = list(zip(*map(pick, kept), strict=True))
    except KeyError:
        return None  # one was not given, and the database has a default for it
    if any(issubclass(each, Expression) for column in columns for each in {*map(type, column)}):
        return None
    prepared = [field.prepare_all(column) for field, column in zip(fields, columns, strict=True)]
    return fields, list(zip(*prepared, strict=True)), instances


def _bulk_facts(options: Any) -> tuple[str | None, tuple[Any, ...], Callable[[dict[str, Any]], Sequence[Any]] | None]:
    """Return the attribute of a key that is counted, the other fields, and what takes their values from an instance."""
    key = options.pk if not options.composite and options.pk.generated else None
    fields = tuple(field for field in options.local_fields if field is not key and field.kind != "generated")
    names = [field.attname for field in fields]
    pick: Any = itemgetter(*names) if len(names) > 1 else None
    if any(field.fills_itself or field.generated for field in fields):
        pick = None
    found = options.cache["bulk"] = (None if key is None else key.attname, fields, pick)
    return found


def _one_by_one(
    options: Any,
    fields: tuple[Any, ...],
    missing: Sequence[Any],
    rows: Iterable[tuple[Any, Sequence[Any]]],
    database: Any,
) -> Operation[None]:
    """Insert where the database gives back but the last key: MySQL."""
    plan = insert_rows(database, options.model, fields, missing, 1)
    for instance, values in rows:
        written = yield Execute(plan, plan.bind(values))
        for field in missing:
            if field.generated:
                instance.__dict__[field.attname] = written.last_id
            else:
                instance.__dict__.pop(field.attname, None)


def _batches(count: int, size: int) -> Iterator[slice]:
    """Return the slices of *count* rows, whose lengths are few different ones: each is a plan of its own.

    PERF: full batches, then powers of two: 10,007 rows are 10 statements of 1,000, one
    of 4, one of 2, one of 1, by plans that every later call shares.
    """
    at = 0
    while count - at >= size:
        yield slice(at, at + size)
        at += size
    left = count - at
    while left:
        step = 1 << (left.bit_length() - 1)
        yield slice(at, at + step)
        at += step
        left -= step


def bulk_update(
    model: Any, instances: Sequence[Any], names: Sequence[str], database: Any, *, batch_size: int | None = None
) -> Operation[int]:
    """Write fields of many instances in few statements; return how many rows matched.

    Raises:
        QueryError: No field, a key among them, or an instance that was never saved.
    """
    _check_batch_size(batch_size)
    options = model._meta
    fields = _columns_to_update(options, names)
    if not fields:
        raise QueryError("bulk_update() was given no field.", code="data/argument", hint='bulk_update(rows, ["year"])')
    if any(field in options.pk_fields for field in fields):
        raise QueryError("bulk_update() cannot change the key.", code="data/argument", hint="Make new rows instead.")
    if any(instance.pk is None for instance in instances):
        raise QueryError("bulk_update() takes saved instances.", code="data/unsaved", hint="bulk_create() them first.")
    if not instances:
        return 0
    return (yield Transaction(_update_batches(model, list(instances), fields, database, batch_size), savepoint=False))  # type: ignore[no-any-return]  # the step's result


def _columns_to_update(options: Any, names: Sequence[str]) -> list[Any]:
    """Return the fields that are written; a reference that shares a column of the key leaves that as it is."""
    found: list[Any] = []
    for field in map(options.get_field, names):
        parts = [each for each in field.columns if each not in options.pk_fields]
        found += [each for each in (field.columns if field.is_column else parts or field.columns) if each not in found]
    return found


def _update_batches(
    model: Any, instances: list[Any], fields: Sequence[Any], database: Any, batch_size: int | None
) -> Operation[int]:
    most = max(_MOST_PARAMETERS[database.vendor] // (2 * len(fields) + 1), 1)
    count = 0
    for instance in instances:
        instance._take_related(database)
    for field in fields:
        unloaded = [each for each in instances if field.attname not in each.__dict__]
        if unloaded:
            yield from load_fields(unloaded, [field.attname], database)
    for each in _batches(len(instances), min(most, batch_size or 500)):
        batch = instances[each]
        values: dict[Any, Any] = {}
        for field in fields:
            whens = [
                When(Q(pk=each.pk), then=_then(field, field.pre_save(each, adding=False), database)) for each in batch
            ]
            values[field.name] = Case(*whens, output_field=field)
        query = Query(model).framed(order=()).filtered((), {"pk__in": [each.pk for each in batch]})
        count += yield from update(query, values, database)
    return count


def _then(field: Any, value: Any, database: Any) -> Any:
    if isinstance(value, Expression):
        return value
    prepared, guard = field.prepare(value), field.guard(database.vendor)
    return Value(prepared if guard is None else guard(prepared), field)


def update(query: Query, values: Mapping[str, Any], database: Any) -> Operation[int]:
    """Set fields of every row of a query; return how many rows matched.

    Raises:
        FieldError: A name is no field.
        QueryError: A field that cannot be set, or a sliced query.
    """
    if query.is_sliced or query.frame.combined is not None:
        raise QueryError(
            f"update() cannot work on {'a slice' if query.is_sliced else 'a union'}.",
            code="data/sliced" if query.is_sliced else "data/combined",
            hint="filter(pk__in=…) the rows first.",
        )
    options = query.model._meta
    by_table: dict[Any, dict[Any, Any]] = {}
    same: dict[str, Any] = {}
    for name, given in values.items():
        field = options.get_field(name)
        if field.kind in ("many_to_many", "generated"):
            raise QueryError(
                f"{query.model.__name__}.{name} cannot be set by update().",
                code="data/update-field",
                why="It is not a column that is written.",
                hint="Set what it is computed from." if field.is_column else f"{name}.set(…) of each instance",
            )
        table = by_table.setdefault(field.model._meta.concrete_model, {})
        parts = {field: _prepared(query, field, given)} if field.is_column else _parts(query, field, given)
        for part in () if field.is_column else field.key_parts:
            # Rows keep their keys: only those that have the same already can refer to it.
            kept = parts.pop(part, None)
            if kept is not None:
                same[part.attname] = kept
        table |= parts
    plain = query.framed(related=(), only=None, deferred=frozenset(), lock=None, order=())
    if same:
        plain = plain.filtered((), same)
    if len(by_table) > 1:
        return (yield Transaction(_update_family(plain, by_table, database), savepoint=False))  # type: ignore[no-any-return]  # the step's result
    return (yield from _update_tables(plain, by_table, database))


def _prepared(query: Query, field: Any, given: Any) -> Any:
    if isinstance(given, Expression) or hasattr(given, "__expression__") or hasattr(given, "__clause_element__"):
        return as_expression(given).resolve(query)
    value = field.prepare(given)
    if value is None and not field.null:
        raise QueryError(
            f"{field.model.__name__}.{field.name} cannot be None.",
            code="data/update-field",
            hint="Give a value, or declare the field with null=True.",
        )
    return value


def _parts(query: Query, field: Any, given: Any) -> dict[Any, Any]:
    """Return what the columns of a foreign key of several become."""
    if isinstance(given, Expression) or hasattr(given, "__expression__"):
        names = _parts_named(query, as_expression(given))
        if len(names) != len(field.fields):
            raise QueryError(
                f"{field.model.__name__}.{field.name} cannot be set to {given!r}.",
                code="data/update-field",
                why=f"It is {len(field.fields)} columns.",
                hint="Give an instance, a tuple, or another foreign key to the same model.",
            )
        return {part: F(name).resolve(query) for part, name in zip(field.fields, names, strict=True)}
    return parts_of_key(field, _prepared(query, field, given))


def _parts_named(query: Query, expression: Expression) -> list[str]:
    """Return the names of the columns of a foreign key of several that an `F` names."""
    if not isinstance(expression, F):
        return []
    field = query.model._meta.find_field(expression.name)
    return [] if field is None or field.is_column else [each.attname for each in field.columns]


def parts_of_key(field: Any, key: Any) -> dict[Any, Any]:
    """Return the columns of a foreign key with a prepared value for each; without a key its own are NULL."""
    if field.is_column:
        return {field: key}
    if key is None:
        return dict.fromkeys(field.own_parts)
    return dict(zip(field.fields, key, strict=True))


def _update_family(query: Query, by_table: Mapping[Any, dict[Any, Any]], database: Any) -> Operation[int]:
    """Set fields of several tables: of the rows that were meant before the first was changed."""
    key = query.model._meta.pk_fields[0].name
    plan, values = plan_of(query.framed(selection=Selection("flat", (key,))), database)
    keys = plan.hydrate((yield Execute(plan, plan.bind(values))), None)
    if not keys:
        return 0
    chosen = Query(query.model).framed(order=()).filtered((), {"pk__in": keys})
    return (yield from _update_tables(chosen, by_table, database))


def _update_tables(query: Query, by_table: Mapping[Any, dict[Any, Any]], database: Any) -> Operation[int]:
    count = 0
    for values in by_table.values():
        plan, parameters = update_rows(database, query, values)
        written = yield Execute(plan, parameters)
        count = max(count, written.count)
    return count
