"""Tables that SQLAlchemy knows already, as models.

Holds: `adopt`: a declarative base, a `MetaData` or tables in, models out.
Imports: models, fields, SQLAlchemy.
Never: changes the tables or the mapped classes, or takes part in SQLAlchemy's ORM.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from ..errors import did_you_mean
from .errors import ModelError
from .fields.base import Field
from .fields.relations import CASCADE, DO_NOTHING, SET_NULL, ForeignKey, OnDelete
from .models.base import Model
from .models.options import CompositePrimaryKey

__all__ = ["Adopted", "CoreField", "adopt"]


class CoreField(Field[Any]):
    """A column of an adopted table: its values are what SQLAlchemy's type says they are."""

    kind = "core"

    def __init__(self, type_: TypeEngine[Any], **options: Any) -> None:
        self.core_type = type_
        super().__init__(**options)

    def make_type(self) -> TypeEngine[Any]:
        return self.core_type

    def to_python(self, value: Any) -> Any:
        try:
            wanted = self.core_type.python_type
        except NotImplementedError:
            return value
        if isinstance(value, wanted) and not (wanted is int and isinstance(value, bool)):
            return value
        try:
            return wanted(value)
        except (TypeError, ValueError, ArithmeticError) as error:
            raise self.invalid() from error


class _CoreKey(CoreField):
    """A key that the database counts up."""

    kind = "core_auto"
    generated: ClassVar[bool] = True


class Adopted(Mapping[str, Any]):
    """The models that `adopt` made, by class name; also as attributes."""

    def __init__(self, models: Mapping[str, Any]) -> None:
        self._models = dict(models)

    def __getitem__(self, name: str) -> Any:
        return self._models[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._models)

    def __len__(self) -> int:
        return len(self._models)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._models:
            raise AttributeError(f"No model {name!r} was adopted. {did_you_mean(name, self._models)}".strip())
        return self._models[name]

    def __repr__(self) -> str:
        return f"<Adopted {', '.join(self._models)}>"


def adopt(source: Any, *tables: sa.Table, app_label: str | None = None, managed: bool = False) -> Adopted:
    """Return models for tables that SQLAlchemy declares; those stay as they are.

    Args:
        source: A declarative base, a mapped class, a `MetaData`, or a `Table`.
        tables: Further tables.
        app_label: The label of the models.
        managed: Whether migrations and `create_all()` make the tables too.

    A mapped class gives its name to the model; a bare table its own, as a class is called.
    `User.objects` then asks as any model does, and gives instances of the model.

    Raises:
        ModelError: There is no table, or one has no key (`data/adopt`).
    """
    module = str(sys._getframe(1).f_globals.get("__name__", "__main__"))  # pyright: ignore[reportPrivateUsage]  # who adopts owns them
    found = [*_tables_of(source), *((None, table) for table in tables)]
    if not found:
        raise ModelError(
            f"{source!r} has no tables to adopt.",
            code="data/adopt",
            why="adopt() takes a declarative base, a MetaData or tables.",
            hint="db.adopt(Base) after the classes are defined",
        )
    names: dict[sa.Table, str] = {}
    for mapped, table in found:
        if len(table.primary_key.columns):
            names[table] = mapped.__name__ if mapped is not None else _class_name(table.name)
        elif mapped is not None:
            raise ModelError(
                f"The table {table.name} has no primary key.",
                code="data/adopt",
                hint="Name one in SQLAlchemy's mapping.",
            )
    models = {
        name: _model(table, name, names, module=module, app_label=app_label, managed=managed)
        for table, name in names.items()
    }
    return Adopted(models)


def _tables_of(source: Any) -> Iterator[tuple[Any, sa.Table]]:
    if isinstance(source, sa.Table):
        yield None, source
        return
    if isinstance(source, sa.MetaData):
        yield from ((None, table) for table in source.sorted_tables)
        return
    registry = getattr(source, "registry", None)
    mappers = list(getattr(registry, "mappers", ()))
    if not mappers and getattr(source, "metadata", None) is not None:
        yield from _tables_of(source.metadata)
        return
    mapped = {mapper.local_table: mapper.class_ for mapper in mappers if not mapper.inherits}
    for table in source.metadata.sorted_tables:
        yield mapped.get(table), table


def _class_name(table: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in table.replace(".", "_").split("_"))


def _model(
    table: sa.Table,
    name: str,
    names: Mapping[sa.Table, str],
    *,
    module: str,
    app_label: str | None,
    managed: bool,
) -> Any:
    keys = list(table.primary_key.columns)
    body: dict[str, Any] = {"__module__": module, "__qualname__": name}
    for column in table.columns:
        attribute, field = _field(column, names, is_key=len(keys) == 1 and column in keys)
        body[attribute] = field
    if len(keys) > 1:
        body["pk"] = CompositePrimaryKey(*[_attribute(column, names) for column in keys])
    meta: dict[str, Any] = {"db_table": table.name, "managed": managed}
    if app_label is not None:
        meta["app_label"] = app_label
    body["Meta"] = type("Meta", (), meta)
    model: Any = type(name, (Model,), body)
    # The table itself, not one like it: plain SQLAlchemy and the model speak of the same columns.
    table.info["full"] = True
    model._meta.table = table
    return model


def _attribute(column: sa.Column[Any], names: Mapping[sa.Table, str]) -> str:
    return _field(column, names, is_key=False)[0]


def _field(column: sa.Column[Any], names: Mapping[sa.Table, str], *, is_key: bool) -> tuple[str, Any]:
    reference = next(iter(column.foreign_keys), None)
    options: dict[str, Any] = {"null": bool(column.nullable) and not is_key, "db_column": column.key}
    if column.unique:
        options["unique"] = True
    default: Any = column.default
    if default is not None and getattr(default, "is_scalar", False):
        options["default"] = default.arg
    elif default is not None and getattr(default, "is_callable", False):
        options["default"] = _called(default.arg)
    if reference is not None and reference.column.table in names and len(reference.column.table.primary_key) == 1:
        target = reference.column
        name = column.key.removesuffix("_id") or column.key
        if target is not next(iter(target.table.primary_key)):
            options["to_field"] = target.key
        attribute = name if name not in column.table.columns else f"{name}_object"
        return attribute, ForeignKey(
            names[target.table], on_delete=_on_delete(reference, null=options["null"]), primary_key=is_key, **options
        )
    options["blank"] = bool(column.nullable)
    if is_key and column.table.autoincrement_column is column:
        return column.key, _CoreKey(column.type, primary_key=True, **{**options, "blank": True})
    if column.server_default is not None:
        options.setdefault("db_default", column.server_default)
    return column.key, CoreField(column.type, primary_key=is_key, **options)


def _called(function: Any) -> Any:
    """SQLAlchemy's defaults take a context; those that look at it are left to it."""

    def make() -> Any:
        return function(None)

    return make


def _on_delete(reference: sa.ForeignKey, *, null: bool) -> OnDelete:
    said = (reference.ondelete or "").upper()
    if said == "CASCADE":
        return CASCADE
    return SET_NULL if said == "SET NULL" and null else DO_NOTHING
