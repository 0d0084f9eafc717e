"""Conditions that have met a model.

Holds: `Target`, where a look-up leads and how it compares; `Leaf`, one comparison;
`Node`, several joined.
Imports: look-ups, transforms, expressions.
Never: compiles a leaf; the compiler walks the joins.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import Any

from sqlalchemy.sql.elements import ColumnElement

from ...errors import did_you_mean
from ..errors import FieldError, QueryError
from ..expressions.base import Expression, Value, as_expression
from ..fields.base import Field
from ..fields.parts import CompositeKey
from ..fields.special import ArrayField, JSONField
from ..instance import Instance
from ..shapes import Keyer
from .lookups import LOOKUPS, Lookup, lookup_for
from .transforms import transform_for, transforms_of

__all__ = ["AnyField", "Leaf", "Node", "Target", "among", "finish", "plain_target"]


class AnyField:
    """What an annotation is compared as: its type is known when the query is compiled."""

    is_relation = False
    is_of_any_kind = True
    secret = False
    null = True

    def __init__(self, name: str) -> None:
        self.name = name

    def prepare(self, value: Any) -> Any:
        """Return the value as it stands."""
        return value


class Target:
    """Where one look-up leads, and how it compares.

    Attributes:
        name: The look-up as it was written.
        path: The part of it that is a path or an annotation.
        reached: What the path reaches; `None` for an annotation.
        transforms: What is done to the column, in order.
        keys: The path into JSON or an array.
        field: What values are prepared by.
        lookup: How it compares.
    """

    __slots__ = ("field", "keys", "lookup", "name", "path", "reached", "transforms")

    def __init__(
        self,
        name: str,
        path: str,
        reached: Any,
        transforms: tuple[Any, ...],
        keys: tuple[str, ...],
        field: Any,
        lookup: Lookup,
    ) -> None:
        self.name: str = name
        self.path: str = path
        self.reached: Any = reached
        self.transforms: tuple[Any, ...] = transforms
        self.keys: tuple[str, ...] = keys
        self.field: Any = field
        self.lookup: Lookup = lookup

    def __repr__(self) -> str:
        return f"<Target {self.name}>"

    @property
    def key(self) -> Hashable:
        """What stands in a shape for it: itself where it is shared, else its name."""
        return self.name if self.reached is None or self.keys else self


def plain_target(options: Any, name: str) -> Target:
    """Return the target of a look-up on a model, kept for the next time.

    Raises:
        FieldError: A part of it is unknown (`data/unknown-lookup`).
    """
    found = options.lookups.get(name)
    if found is None:
        reached = options.resolve(name, code="data/unknown-lookup")
        field, rest = reached.field, reached.rest
        found = finish(options.object_name, name, name, reached, field, rest, code="data/unknown-lookup")
        if not found.keys and len(options.lookups) < 4096:
            options.lookups[name] = found
    return found  # type: ignore[no-any-return]  # a dictionary of any


_OF_KEYS = ("exact", "in", "isnull", "range", "gt", "gte", "lt", "lte")


def finish(
    owner: str,
    name: str,
    path: str,
    reached: Any,
    field: Any,
    rest: tuple[str, ...],
    *,
    code: str = "data/unknown-name",
) -> Target:
    """Return the target of what is left of a look-up after its path.

    Args:
        code: Of the error.

    Raises:
        FieldError: A part is neither a transform nor a look-up.
    """
    transforms: list[Any] = []
    keys: list[str] = []
    lookup: Lookup | None = None
    into = isinstance(field, JSONField | ArrayField)
    for at, part in enumerate(rest):
        if "\x00" in part:
            raise _unknown(owner, name, part, field, code)
        last = at == len(rest) - 1
        found = lookup_for(field, part) if last else None
        if found is not None:
            lookup = found
            break
        # In JSON every further name is a key.
        transform = transform_for(field, part) if not (into and isinstance(field, JSONField)) else None
        if transform is not None:
            transforms.append(transform)
            field = transform.output(field)
            into = False
        elif into and "\x00" not in part and (isinstance(field, JSONField) or (part.isascii() and part.isdigit())):
            keys.append(part)
            field = _inside(field)
            into = isinstance(field, JSONField | ArrayField)
        else:
            raise _unknown(owner, name, part, field, code, None if at or reached is None else reached.relation)
    if reached is not None and reached.relation is not None and not (transforms or keys):
        field = RelatedKey(reached.relation, field)
    chosen = lookup or lookup_for(field, "exact") or LOOKUPS["exact"]
    if chosen.name not in _OF_KEYS and len(getattr(getattr(field, "key", field), "fields", ())) > 1:
        raise FieldError(
            f"{owner} has no look-up {name[:80]!r}: it compares several columns.",
            code=code,
            hint=f"Choices: {', '.join(_OF_KEYS)}.",
        )
    return Target(name, path, reached, tuple(transforms), tuple(keys), field, chosen)


def among(options: Any, names: Sequence[str], keys: Sequence[Any]) -> Node:
    """Return the condition that columns, all of one table, are together one of *keys*, which are tuples."""
    name = "+".join(names)
    target = options.lookups.get(name)
    if target is None:
        reached = [options.resolve(each) for each in names]
        field = CompositeKey(name, reached[0].field.model, [each.field for each in reached])
        whole = reached[0]._replace(field=field, relation=None)
        target = options.lookups[name] = Target(name, name, whole, (), (), field, LOOKUPS["in"])
    return Node("AND", (Leaf(target, keys),))


class RelatedKey:
    """What a path that ends at a relation is compared as: the key of its rows, or one of them."""

    is_relation = True

    def __init__(self, relation: Any, field: Any) -> None:
        self.relation = relation
        self.key = field
        self.name: Any = relation.name
        self.secret: Any = field.secret
        self.null: Any = field.null
        self.model: Any = relation.source
        self.limits: Any = getattr(field, "limits", None)

    def prepare(self, value: Any) -> Any:
        """Return the key that *value* means.

        Raises:
            ValueError: It is a row of another model, or one that was not saved.
        """
        if not isinstance(value, Instance):
            return self.key.prepare(value)
        target = self.relation.target
        if not isinstance(value, target._meta.concrete_model) and not issubclass(target, type(value)):
            raise QueryError(
                f"{self.name} is compared with a {type(value).__name__}, and leads to {target.__name__}.",
                code="data/lookup-value",
                hint=f"Give a {target.__name__}, or its key.",
            )
        key = getattr(value, self.key.attname if self.key.is_column else "pk")
        if key is None:
            raise QueryError(
                f"{self.name} is compared with a {type(value).__name__} that was not saved.",
                code="data/lookup-value",
                hint="Save it first: only then has it a key.",
            )
        return self.key.prepare(key)


class _ItemField(JSONField[Any]):
    """A value inside JSON; any, whatever the whole is declared as."""

    def __init__(self, whole: Any) -> None:
        super().__init__()
        self.name = self.attname = self.column = getattr(whole, "name", "value")


def _inside(field: Any) -> Any:
    return _ItemField(field) if isinstance(field, JSONField) else getattr(field, "item", field)


def _kind_of(field: Any) -> str:
    return str(type(field).__name__)


def _unknown(owner: str, name: str, part: str, field: Any, code: str, relation: Any = None) -> FieldError:
    choices = sorted([*LOOKUPS, *transforms_of(field)])
    if relation is None:
        what = f"{part[:40]!r} is none of {_kind_of(field)}"
    else:
        options = relation.target._meta
        choices = [*options.names(), *choices]
        what = f"{options.object_name} has no field {part[:40]!r}"
    return FieldError(
        f"{owner} has no look-up {name[:80]!r}: {what}.",
        code=code,
        hint=did_you_mean(part, choices) or f"Choices: {', '.join(choices[:40])}.",
    )


class Leaf(Expression):
    """One comparison: a target, and a value or an expression.

    Attributes:
        kind: What of the value is in the SQL text: whether it is `None`, how many there are.
        values: What fills its slots.
        right: The expression it is compared with, in place of values.
    """

    def __init__(self, target: Target, value: Any) -> None:
        self.target = target
        self.right: Expression | None = None
        self.kind: Hashable
        self.values: tuple[Any, ...]
        if isinstance(value, Expression) or hasattr(value, "__expression__") or hasattr(value, "__clause_element__"):
            self.right = _right_side(target, value)
            self.kind, self.values = None, ()
        elif target.lookup.takes_several and (several := _several(target, value)) is not None:
            value = several
            if type(several) is Several:
                self.right = several
                self.kind, self.values = None, ()
            else:
                self.kind, self.values = target.lookup.prepare(target.field, several)
        else:
            self.kind, self.values = target.lookup.prepare(target.field, value)

    def __repr__(self) -> str:
        return f"<{self.target.name}>"

    def children(self) -> tuple[Expression, ...]:
        return () if self.right is None else (self.right,)

    def shape(self, keyer: Keyer) -> Hashable:
        if self.right is not None:
            return self.target.key, self.right.shape(keyer)
        # PERF: most leaves have one value; no further call is made for the key.
        if self.values and keyer.slots.setdefault(id(self), len(keyer.values)) == len(keyer.values):
            keyer.values.extend(self.values)
            return self.target.key, self.kind
        return (
            (self.target.key, keyer.fill(self, self.values, self.kind))
            if self.values
            else (
                self.target.key,
                self.kind,
            )
        )

    def compile(self, compiler: Any) -> ColumnElement[Any]:
        return compiler.leaf(self)  # type: ignore[no-any-return]  # the compiler walks the joins


class Several(Expression):
    """A list on the right side that holds expressions: `range=(F("low"), 5)`."""

    def __init__(self, items: tuple[Expression, ...]) -> None:
        self.items = items

    def children(self) -> tuple[Expression, ...]:
        return self.items

    def facts(self) -> Hashable:
        return len(self.items)


def _listed(value: Any) -> Any:
    found: Any = value
    return list(found) if not isinstance(value, list | tuple) else found


def _several(target: Target, value: Any) -> Any:
    """Return *value* as a list, or as `Several` where one of it is an expression; `None` where it is none."""
    if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
        return None
    values = _listed(value)
    # PERF: the kinds of a thousand values are few.
    kinds: set[type[Any]] = set(map(type, values))
    if not any(issubclass(kind, Expression) or hasattr(kind, "__expression__") for kind in kinds):
        return values
    prepare, output = target.field.prepare, getattr(target.field, "key", target.field)
    return Several(
        tuple(
            as_expression(each)
            if isinstance(each, Expression) or hasattr(each, "__expression__")
            else Value(prepare(each), output if isinstance(output, Field) else None)
            for each in values
            if each is not None
        )
    )


def _right_side(target: Target, value: Any) -> Expression:
    if not target.lookup.takes_expressions:
        raise QueryError(
            f"{target.name} takes a plain value, not an expression.",
            code="data/lookup-value",
            hint=f"{target.name}=True"
            if target.lookup.name == "isnull"
            else "Give the values themselves, such as list(queryset).",
        )
    query = getattr(value, "query", None)
    reached = target.reached
    if query is None or reached is None or reached.relation is None or target.transforms:
        return as_expression(value)
    if query.frame.selection is None and query.frame.combined is None:
        wanted = reached.relation.target._meta.concrete_model
        if query.model._meta.concrete_model is not wanted and not issubclass(query.model, wanted):
            raise QueryError(
                f"{target.name} leads to {wanted.__name__}, and is compared with a queryset of {query.model.__name__}.",
                code="data/lookup-value",
                hint=f"Give a queryset of {wanted.__name__}, or values() of the column you mean.",
            )
        if reached.field.is_column and reached.field not in query.model._meta.pk_fields:
            return as_expression(value.values_list(reached.field.name))
    return as_expression(value)


class Node(Expression):
    """Several conditions joined: a resolved `Q`."""

    def __init__(self, connector: str, parts: tuple[Expression, ...], *, negated: bool = False) -> None:
        self.connector = connector
        self.negated = negated
        self.parts = parts

    def __repr__(self) -> str:
        joined = f" {self.connector} ".join(map(repr, self.parts))
        return f"{'NOT ' if self.negated else ''}({joined})"

    def children(self) -> tuple[Expression, ...]:
        return self.parts

    def shape(self, keyer: Keyer) -> Hashable:
        parts = self.parts
        if len(parts) == 1 and not self.negated:
            return parts[0].shape(keyer)
        return self.connector, self.negated, *[each.shape(keyer) for each in parts]

    def resolve(self, resolver: Any) -> Expression:
        return self

    def leaves(self) -> Iterator[Leaf]:
        """Return every comparison inside."""
        for part in self.parts:
            if isinstance(part, Leaf):
                yield part
            elif isinstance(part, Node):
                yield from part.leaves()

    def compile(self, compiler: Any) -> ColumnElement[Any]:
        return compiler.node(self)  # type: ignore[no-any-return]  # the compiler keeps the context
