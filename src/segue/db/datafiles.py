"""Rows as files, and back.

Holds: `dump`, `load`, `flush`: JSON and MessagePack, in Django's form; natural keys.
Imports: models, schema, msgspec.
Never: reads another format: XML and YAML can do more than hold data, pickles can do anything.

An entry is one row of one table: `{"model": "club.record", "pk": 1, "fields": {…}}`. What
`save()` and signals would do is not done: a row is loaded as it was dumped.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import base64
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal, cast

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql, sqlite

from ..errors import SetupError, ValidationError, cut, did_you_mean
from .database import Database
from .fields.base import NOT_PROVIDED
from .fields.parts import KeyPart
from .fields.relations import ForeignKey
from .fields.special import GeneratedField
from .schema import tables_of

__all__ = ["DataFileError", "dump", "flush", "load"]

Format = Literal["json", "msgpack"]

_MAX_BYTES = 256 * 1024 * 1024
_MAX_DEPTH = 64
_BATCH = 500


class DataFileError(SetupError):
    """A data file cannot be read, or does not fit the models."""

    code = "data/data-file"


# Dumping


def dump(
    database: Database,
    models: Iterable[Any],
    *,
    format: Format = "json",  # noqa: A002  # what it is
    natural: bool = False,
    secrets: bool = False,
    indent: int = 0,
) -> bytes:
    """Return the rows of *models*, those that are referred to first.

    Args:
        natural: Whether rows that have a `natural_key()` are named by it, not by their key.
        secrets: Whether fields with `secret=True` are in it.
        indent: Of JSON: how many spaces.
    """
    entries = [
        entry
        for model in _ordered(list(models))
        for entry in _entries(database, model, natural=natural, secrets=secrets)
    ]
    if format == "msgpack":
        return msgspec.msgpack.encode(entries)
    text = msgspec.json.encode(entries)
    return msgspec.json.format(text, indent=indent) + b"\n" if indent else text + b"\n"


def _ordered(models: list[Any]) -> list[Any]:
    """Each model behind those that it refers to, as far as that can be."""
    waiting = [model for model in models if not (model._meta.abstract or model._meta.proxy or model._meta.auto_created)]
    waiting.sort(key=lambda model: model._meta.label_key)
    order: list[Any] = []
    while waiting:
        ready = next((each for each in waiting if not _targets(each) & {*waiting} - {each}), waiting[0])
        waiting.remove(ready)
        order.append(ready)
    return order


def _targets(model: Any) -> set[Any]:
    options = model._meta
    return {field.target._meta.concrete_model for field in (*options.local_foreign_keys, *options.many_to_many)}


def _entries(database: Database, model: Any, *, natural: bool, secrets: bool) -> Iterator[dict[str, Any]]:
    options = model._meta
    fields = [
        each
        for each in options.local_fields
        if not isinstance(each, GeneratedField | KeyPart) and (secrets or not each.secret)
    ]
    references = [each for each in options.local_references if secrets or not each.secret]
    keys = list(options.pk_fields)
    by_natural_key = natural and hasattr(model, "natural_key")
    many = {
        field.name: _links(database, field, natural=natural) for field in options.many_to_many if _is_own(model, field)
    }
    parts = [part for each in references for part in each.fields]
    columns = [options.table.c[each.column] for each in dict.fromkeys((*keys, *fields, *parts))]
    order = [options.table.c[each.column] for each in keys]
    for row in database.execute(sa.select(*columns).order_by(*order)).mappings():
        key = [_plain(row[each.column]) for each in keys]
        found: dict[str, Any] = {"model": options.label_key}
        if not by_natural_key:
            found["pk"] = key[0] if len(key) == 1 else key
        values: dict[str, Any] = {}
        for field in fields:
            if field in keys and not (len(keys) > 1 or isinstance(field, ForeignKey)):
                continue
            values[field.name] = _value(database, field, row[field.column], natural=natural)
        for reference in references:
            values[reference.name] = _value(database, reference, _key_in(row, reference), natural=natural)
        for name, links in many.items():
            values[name] = links.get(tuple([row[each.column] for each in keys]), [])
        found["fields"] = values
        yield found


def _key_in(row: Any, field: Any) -> Any:
    """Return the key that a foreign key of several columns keeps in a row, or `None`."""
    key = tuple([row[each.column] for each in field.fields])
    return None if None in key else key


def _is_own(model: Any, field: Any) -> bool:
    return field.model is model and field.auto_created


def _value(database: Database, field: Any, value: Any, *, natural: bool) -> Any:
    if natural and isinstance(field, ForeignKey) and value is not None and hasattr(field.target, "natural_key"):
        return _natural_key(database, field, value)
    return _plain(value)


def _natural_key(database: Database, field: Any, value: Any) -> Any:
    parts = value if field.fields else (value,)
    named = {there: part for (_, there), part in zip(field.pairs, parts, strict=True)}
    found = field.target.objects.using(database).get(**named)
    key = [_plain(each) for each in found.natural_key()]
    # A key of several columns is a list, too: which of the two it is must be said.
    return {_NATURAL: key} if field.fields else key


def _links(database: Database, field: Any, *, natural: bool) -> dict[Any, list[Any]]:
    near, far = field.ends()
    table = field.through._meta.table
    columns = [table.c[each.column] for each in (*near.columns, *far.columns)]
    found: dict[Any, list[Any]] = {}
    for row in database.execute(sa.select(*columns).order_by(*columns)):
        here, there = tuple(row)[: len(near.columns)], tuple(row)[len(near.columns) :]
        value = _value(database, far, there if far.fields else there[0], natural=natural)
        found.setdefault(here, []).append(value)
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return msgspec.to_builtins(value)


# Loading


def load(
    database: Database,
    models: Iterable[Any],
    content: bytes,
    *,
    format: Format = "json",  # noqa: A002  # what it is
    ignore_unknown: bool = False,
    max_bytes: int = _MAX_BYTES,
) -> int:
    """Write the rows of a file, all or none; those whose key is there are written over.

    Args:
        models: Those that may be in it.
        ignore_unknown: Whether models and fields that there are no more are left out.

    Returns:
        How many rows.

    Raises:
        DataFileError: It is too large, too deep, no such file, or does not fit (`data/data-file`).
    """
    known = {model._meta.label_key: model for model in models}
    entries = _read(content, format, max_bytes)
    loading = _Loading(database, known, ignore_unknown=ignore_unknown)
    with _unchecked(database) as is_unchecked:
        for at, entry in enumerate(entries):
            loading.add(at, entry)
        loading.finish()
        if is_unchecked:
            loading.check_references()
    return loading.count


@contextmanager
def _unchecked(database: Database) -> Generator[bool]:
    """Run the block in a transaction in which references are looked at last.

    MySQL checks them at once: it is told not to, on a connection that is closed afterwards.
    """
    if database.vendor != "mysql" or database.in_atomic:
        with database.atomic():
            yield False
        return
    from .migrations.session import Session  # with Alembic: only where it is needed

    with Session(database).opened(locks=False) as session, session.transaction():
        session.command("SET foreign_key_checks = 0")
        yield True


def _read(content: bytes, format: Format, max_bytes: int) -> list[Any]:  # noqa: A002  # what it is
    if len(content) > max_bytes:
        raise DataFileError(
            f"The file has {len(content):,} bytes; {max_bytes:,} are read.", hint="Dump the models one by one."
        )
    try:
        found = (msgspec.msgpack if format == "msgpack" else msgspec.json).decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise DataFileError(f"The file is no {format}.", why=str(error), hint="segue dumpdata writes them.") from error
    if not isinstance(found, list):
        raise DataFileError("The file is no list of rows.", hint='[{"model": "club.record", "pk": 1, "fields": {}}]')
    return cast("list[Any]", found)  # type: ignore[redundant-cast]  # pyright must be told


def _depth(value: Any, left: int = _MAX_DEPTH) -> bool:
    if left < 0:
        return False
    if isinstance(value, dict):
        return all(_depth(each, left - 1) for each in cast("dict[Any, Any]", value).values())  # type: ignore[redundant-cast]  # pyright must be told
    if isinstance(value, list):
        return all(_depth(each, left - 1) for each in cast("list[Any]", value))  # type: ignore[redundant-cast]  # pyright must be told
    return True


class _Loading:
    """One file on its way into the database."""

    def __init__(self, database: Database, known: Mapping[str, Any], *, ignore_unknown: bool) -> None:
        self.database = database
        self.known = known
        self.ignore_unknown = ignore_unknown
        self.count = 0
        self.touched: dict[Any, None] = {}
        self._rows: list[dict[str, Any]] = []
        self._model: Any = None
        self._columns: tuple[str, ...] = ()
        # What refers to a row by its natural key waits until the row is there.
        self._links: list[tuple[Any, Any, list[Any]]] = []

    def add(self, at: int, entry: Any) -> None:
        """Take one entry; rows of one table are written together."""
        model = self._model_of(at, entry)
        if model is None:
            return
        row, links = self._row(at, model, cast("dict[str, Any]", entry))
        columns = tuple(row)
        if self._model is not model or self._columns != columns or len(self._rows) >= _BATCH:
            self.write()
            self._model, self._columns = model, columns
        self._rows.append(row)
        self._links += links
        self.count += 1

    def _model_of(self, at: int, entry: Any) -> Any:
        if not isinstance(entry, dict) or not {"model", "fields"} <= entry.keys() <= {"model", "fields", "pk"}:
            raise self._wrong(at, f"is no row: {cut(entry)}", 'It is {"model": …, "pk": …, "fields": {…}}.')
        if not _depth(entry):
            raise self._wrong(at, f"is nested more than {_MAX_DEPTH} deep", "No column holds such a value.")
        told = cast("dict[str, Any]", entry)
        name = str(told["model"]).lower()
        model = self.known.get(name)
        if model is None and not self.ignore_unknown:
            raise self._wrong(
                at, f"is of an unknown model {cut(name)}", did_you_mean(name, self.known) or "--ignore-unknown"
            )
        if not isinstance(told["fields"], dict):
            raise self._wrong(at, "has no fields", '"fields": {"title": "…"}')
        return model

    def _row(self, at: int, model: Any, entry: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        options = model._meta
        row: dict[str, Any] = {}
        links: list[tuple[Any, Any, list[Any]]] = []
        own = {each.name: each for each in (*options.local_fields, *options.local_references)}
        many = {each.name: each for each in options.many_to_many if _is_own(model, each)}
        for name, value in entry["fields"].items():
            field = own.get(name)
            if field is not None and not isinstance(field, GeneratedField):
                row |= _columns(field, self._value(at, model, field, value))
            elif name in many:
                if not isinstance(value, list):
                    raise self._wrong(at, f"{name} is no list", "Keys of rows, or natural keys.")
                links.append((many[name], None, cast("list[Any]", value)))  # type: ignore[redundant-cast]  # pyright must be told
            elif not self.ignore_unknown and field is None:
                raise self._wrong(
                    at, f"has an unknown field {cut(name)}", did_you_mean(name, [*own, *many]) or "--ignore-unknown"
                )
        self._take_key(at, model, entry, row)
        for field in options.local_fields:
            if field.column not in row and not field.generated and not isinstance(field, GeneratedField):
                row[field.column] = self._default(field)
        keys = options.pk_fields
        if links and not all(each.column in row for each in keys):
            raise self._wrong(at, "has no key for its lists of rows", "Dump without natural keys, or give it a pk.")
        key = tuple([row.get(each.column) for each in keys])
        linked = [(field, key, values) for field, _, values in links]
        return {name: value for name, value in row.items() if value is not _LEFT_OUT}, linked

    def _take_key(self, at: int, model: Any, entry: dict[str, Any], row: dict[str, Any]) -> None:
        keys = model._meta.pk_fields
        if "pk" in entry:
            given = entry["pk"] if len(keys) > 1 else [entry["pk"]]
            if not isinstance(given, list) or len(cast("list[Any]", given)) != len(keys):  # type: ignore[redundant-cast]  # pyright must be told
                raise self._wrong(
                    at, f"has a key that is none: {cut(entry['pk'])}", "One value for each of its fields."
                )
            for field, value in zip(keys, cast("list[Any]", given), strict=True):  # type: ignore[redundant-cast]  # pyright must be told
                row[field.column] = self._value(at, model, field, value)
            return
        find = getattr(model.objects, "get_by_natural_key", None)
        if find is None or not hasattr(model, "natural_key"):
            if not all(field.column in row or field.generated for field in keys):
                raise self._wrong(at, "has no key", '"pk": 1')
            return
        made = model(**{field.attname: row[field.column] for field in model._meta.local_fields if field.column in row})
        known = self._natural(model, list(made.natural_key()))
        if known is not None:
            row |= {each.column: getattr(known, each.attname) for each in keys}

    def _default(self, field: Any) -> Any:
        if not field.has_default and (field.null or field.db_default is not NOT_PROVIDED):
            return _LEFT_OUT
        return field.get_default()

    def _value(self, at: int, model: Any, field: Any, value: Any) -> Any:
        try:
            named = _natural_in(field, value)
            if named is not None:
                found = self._natural(field.target, named)
                if found is None:
                    raise self._wrong(
                        at, f"{field.name} refers to {cut(value)}, which is not there", "Load that first."
                    )
                return field.value_of(found)
            if value is None:
                return None
            if field.kind == "binary" and isinstance(value, str):
                return base64.b64decode(value, validate=True)
            found = field.prepare(field.to_python(value))
            limits = getattr(field, "limits", None)
            if limits is not None and isinstance(found, int) and not limits[0] <= found <= limits[1]:
                raise ValueError("out of range")
            return found
        except (ValidationError, ValueError) as error:
            if isinstance(error, SetupError):
                raise
            raise self._wrong(at, f"{field.name} cannot be {cut(value)}", f"It is a {type(field).__name__}.") from error

    def _natural(self, model: Any, key: list[Any]) -> Any:
        self.write()
        try:
            return model.objects.get_by_natural_key(*key)
        except model.DoesNotExist:
            return None

    def _wrong(self, at: int, what: str, hint: str) -> DataFileError:
        return DataFileError(f"Row {at + 1} of the file {what}.", hint=hint)

    # Writing

    def write(self) -> None:
        """Write the rows that were gathered."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        model = self._model
        self.touched[model] = None
        keys = [field.column for field in model._meta.pk_fields]
        statement = _upsert(self.database.vendor, model._meta.table, self._columns, keys)
        self.database.execute(statement, rows)

    def finish(self) -> None:
        """Write what is left, the tables between, and count keys on behind the highest."""
        self.write()
        for field, key, values in self._links:
            near, far = field.ends()
            table = field.through._meta.table
            mine = {each.column: part for each, part in zip(near.columns, key, strict=True)}
            same = [table.c[name] == part for name, part in mine.items()]
            self.database.execute(sa.delete(table).where(*same))
            rows = [{**mine, **_columns(far, self._far_key(field, far, value))} for value in values]
            if rows:
                self.database.execute(sa.insert(table), rows)
        if self.database.vendor == "postgresql":
            for model in self.touched:
                _count_on(self.database, model._meta.table)

    def _far_key(self, field: Any, far: Any, value: Any) -> Any:
        named = _natural_in(far, value)
        if named is not None:
            found = self._natural(field.target, named)
            if found is None:
                raise DataFileError(
                    f"{field.name} refers to {cut(value)}, which is not there.", hint="Load that first."
                )
            return far.value_of(found)
        return far.prepare(far.to_python(value))

    def check_references(self) -> None:
        """Refuse rows that refer to none: what the database was told not to look at."""
        tables = [model._meta.table for model in self.touched]
        tables += [field.through._meta.table for field, _, _ in self._links]
        models = {model._meta.table: model for model in self.known.values()}
        for table in dict.fromkeys(tables):
            model = models.get(table) or next(
                field.through for field, _, _ in self._links if field.through._meta.table is table
            )
            for field in model._meta.local_foreign_keys:
                if field.db_constraint:
                    self._check_reference(table, field)

    def _check_reference(self, table: sa.Table, field: Any) -> None:
        target = field.target._meta.concrete_model._meta.table.alias()
        columns = [table.c[each.column] for each in field.columns]
        remotes = field.remotes or (field.remote,)
        same = [target.c[there.column] == here for here, there in zip(columns, remotes, strict=True)]
        present = [each.is_not(None) for each in columns]
        missing = sa.select(*columns).where(*present, ~sa.exists().where(*same))
        found = self.database.execute(missing.limit(1)).first()
        if found is not None:
            shown = found[0] if len(columns) == 1 else tuple(found)
            names = ", ".join(each.name for each in columns)
            raise DataFileError(
                f"{table.name}.{names} refers to {cut(shown)}, which is not there.", hint="Dump both models."
            )


_LEFT_OUT: Any = object()
_NATURAL = "natural_key"


def _natural_in(field: Any, value: Any) -> list[Any] | None:
    """Return the natural key that a value of a file is; `None` where it is none."""
    if not isinstance(field, ForeignKey) or not hasattr(field.target, "natural_key"):
        return None
    found: Any = value.get(_NATURAL) if field.fields and isinstance(value, dict) else value
    if not isinstance(found, list) or (field.fields and found is value):
        return None
    return found


def _columns(field: Any, value: Any) -> dict[str, Any]:
    """Return what the columns of a field are written, of a foreign key of several each its part."""
    if field.is_column:
        return {field.column: value}
    if value is None:
        return {part.column: None for part in field.own_parts}
    return {part.column: each for part, each in zip(field.fields, value, strict=True)}


def _upsert(vendor: str, table: sa.Table, columns: Sequence[str], keys: Sequence[str]) -> Any:
    changed = [name for name in columns if name not in keys]
    values = {name: sa.bindparam(name, type_=table.c[name].type) for name in columns}
    if vendor == "mysql":
        inserting = mysql.insert(table).values(values)
        return inserting.on_duplicate_key_update({name: inserting.inserted[name] for name in changed or keys})
    insert: Any = postgresql.insert if vendor == "postgresql" else sqlite.insert
    inserting = insert(table).values(values)
    if not set(keys) <= set(columns):
        return inserting
    if not changed:
        return inserting.on_conflict_do_nothing(index_elements=list(keys))
    return inserting.on_conflict_do_update(
        index_elements=list(keys), set_={name: inserting.excluded[name] for name in changed}
    )


def _count_on(database: Database, table: sa.Table) -> None:
    column = table.autoincrement_column
    if column is None:
        return
    quoted = database.dialect.identifier_preparer.quote(table.name).replace("'", "''")
    sequence: Any = sa.literal_column(f"pg_get_serial_sequence('{quoted}', '{column.name}')")
    top = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
    database.execute(sa.select(sa.func.setval(sequence, top, sa.false())))


# Emptying


def flush(database: Database, models: Iterable[Any]) -> list[str]:
    """Delete all rows of *models*, and begin counting keys anew; return the tables."""
    tables = tables_of(models)
    quote = database.dialect.identifier_preparer.quote
    names = [quote(table.name) for table in tables]
    if not names:
        return []
    if database.vendor == "postgresql":
        database.execute(f"TRUNCATE {', '.join(names)} RESTART IDENTITY")
        return [table.name for table in tables]
    with _unchecked(database):
        for table in reversed(list(sa.schema.sort_tables(tables))) if database.vendor == "sqlite" else tables:
            database.execute(sa.delete(table))
    if database.vendor == "mysql":
        for name in names:
            database.execute(f"ALTER TABLE {name} AUTO_INCREMENT = 1")
    return [table.name for table in tables]
