"""Fields as facts, and facts as fields.

Holds: `facts_of`, `build_field`, `field_source`: what the schema knows of a field.
Imports: the field classes, `values`.
Never: makes a field of a user's class; what its column is stands in the facts.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.types import TypeEngine

from ..errors import ModelError
from ..fields import relations
from ..fields.base import Field
from ..fields.relations import ForeignKey, ManyToManyField
from .values import Imports, decode, encode, source

__all__ = ["Facts", "PlainField", "build_field", "columns_of", "facts_of", "field_source", "is_many_to_many"]

Facts = dict[str, Any]

_COMMON = (
    "null", "unique", "primary_key", "default", "db_default", "db_comment", "db_collation", "to_field", "db_columns",
    "db_constraint", "parent_link", "related_name", "related_query_name", "through", "through_fields", "symmetrical",
    "db_table", "db_persist",
)  # fmt: skip


class PlainField(Field[Any]):
    """A column of which only its type is known: of a class of field that a project made."""

    kind = "plain"

    def __init__(self, type: TypeEngine[Any], *, null: bool = False, **options: Any) -> None:  # noqa: A002  # what it is
        self.type: TypeEngine[Any] = type
        super().__init__(null=null, **options)

    def make_type(self) -> TypeEngine[Any]:
        return self.type

    def deconstruct(self) -> dict[str, Any]:
        return {**super().deconstruct(), "type": self.type}


def _subclasses(kind: type) -> Iterator[Any]:
    found: list[Any] = kind.__subclasses__()
    for each in found:
        yield each
        yield from _subclasses(each)


def _is_ours(kind: type) -> bool:
    return kind.__module__.startswith("segue.")


_kinds: dict[str, Any] = {}


def _class_of(kind: str) -> Any:
    if kind not in _kinds:
        for each in _subclasses(Field):
            if _is_ours(each) and vars(each).get("kind"):
                _kinds.setdefault(vars(each)["kind"], each)
    if kind not in _kinds:
        raise ModelError(
            f"There is no field of the kind {kind!r}.",
            code="data/migration-kind",
            why="A snapshot of a migration names it; it may be of a newer Segue.",
            hint="Update Segue.",
        )
    return _kinds[kind]


def columns_of(facts: Mapping[str, Any]) -> list[str]:
    """Return the columns of a field: several of a foreign key to a key of several, none of many-to-many."""
    if "db_columns" in facts:
        return list(facts["db_columns"])
    return [facts["column"]] if "column" in facts else []


def is_many_to_many(facts: Mapping[str, Any]) -> bool:
    """Tell whether these are the facts of a field without a column."""
    return facts["kind"] == ManyToManyField.kind  # type: ignore[no-any-return]  # of facts of any kind


def facts_of(field: Field[Any], name: str) -> Facts:
    """Return the facts of a field: of a model, or of none yet.

    Raises:
        ModelError: A value of it cannot be kept (`data/migration-value`).
    """
    if not hasattr(field, "model"):
        field.name = name
        field.column = field.db_column or (f"{name}_id" if isinstance(field, ForeignKey) else name)
    return _facts(field, field.deconstruct())


def _facts(field: Any, told: Mapping[str, Any]) -> Facts:
    facts: Facts = {}
    for name, value in told.items():
        inner = getattr(field, {"item": "item", "output": "output_field"}.get(name, ""), None)
        facts[name] = _facts(inner, inner.deconstruct_item()) if isinstance(inner, Field) else encode(value)
    maker: Any = next((kind for kind in type(field).__mro__ if "make_type" in vars(kind)), Field)
    if _is_ours(maker) and (field.kind or not field.is_column):
        return facts
    kept = {name: value for name, value in facts.items() if name in (*_COMMON, "column", "choices", "db_index")}
    return {**kept, "kind": PlainField.kind, "type": encode(field.column_type())}


def build_field(facts: Facts, name: str) -> Any:
    """Return a field of its own with these facts."""
    kind, positional, named = _call_of(facts, name)
    return kind(*[_decoded(each) for each in positional], **{key: _decoded(each) for key, each in named.items()})


def field_source(facts: Facts, name: str, imports: Imports) -> str:
    """Return the Python source that declares a field with these facts."""
    kind, positional, named = _call_of(facts, name)
    texts = [_source(each, imports) for each in positional]
    texts += [f"{key}={_source(each, imports)}" for key, each in named.items()]
    if kind is PlainField:
        return f"{imports.name('segue.db', 'migrations')}.PlainField({', '.join(texts)})"
    return f"{imports.name('segue', 'db')}.{kind.__name__}({', '.join(texts)})"


def _decoded(value: Any) -> Any:
    if isinstance(value, _OnDelete):
        return getattr(relations, value)
    if isinstance(value, _Item):
        return build_field(value, "")
    return decode(value)


def _source(value: Any, imports: Imports) -> str:
    if isinstance(value, _OnDelete):
        return f"{imports.name('segue', 'db')}.{value}"
    if isinstance(value, _Item):
        return field_source(value, "", imports)
    return source(value, imports)


class _OnDelete(str):
    """The name of what happens on delete."""

    __slots__ = ()


class _Item(dict[str, Any]):
    """The facts of a field inside another."""


def _call_of(facts: Facts, name: str) -> tuple[Any, list[Any], dict[str, Any]]:
    kind = _class_of(facts["kind"])
    positional: list[Any] = []
    named: dict[str, Any] = {}
    if "to" in facts:
        positional.append(facts["to"])
    if "item" in facts:
        positional.append(_Item(facts["item"]))
    if "type" in facts:
        positional.append(facts["type"])
    if "expression" in facts:
        named["expression"] = facts["expression"]
        named["output_field"] = _Item(facts["output"])
    if "on_delete" in facts:
        given = facts["on_delete"]
        named["on_delete"] = _OnDelete(given) if isinstance(given, str) else given
    for key in kind.own_options:
        if key in facts:
            named[key] = facts[key]
    for key in _COMMON:
        if key in facts and not _follows(kind, facts, key):
            named[key] = facts[key]
    if "choices" in facts:
        named["choices"] = [each if isinstance(each, str) else [each, str(each)] for each in facts["choices"]]
    expected = f"{name}_id" if issubclass(kind, ForeignKey) else name
    if facts.get("column", expected) != expected:
        named["db_column"] = facts["column"]
    is_key = bool(facts.get("unique") or facts.get("primary_key"))
    assumed = not is_key and (issubclass(kind, ForeignKey) or kind.kind == "slug")
    if bool(facts.get("db_index")) != assumed:
        named["db_index"] = bool(facts.get("db_index"))
    return kind, positional, named


def _follows(kind: Any, facts: Facts, key: str) -> bool:
    """Whether the class says it by itself."""
    if key == "unique":
        return bool(facts.get("primary_key")) or (issubclass(kind, ForeignKey) and kind.one)
    if key == "primary_key":
        return bool(kind.generated and kind.kind.endswith("auto"))
    if key == "null":
        return "expression" in facts
    return False
