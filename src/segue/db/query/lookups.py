"""How a column is compared with a value.

Holds: every look-up of Django's, by name; `Lookup`, to write own ones.
Imports: fields, SQLAlchemy's expression language.
Never: puts a value into SQL; a value is a slot of the plan.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError
from sqlalchemy.sql.elements import ColumnElement

from ..errors import QueryError
from ..expressions.arithmetic import alike
from ..expressions.kinds import constant
from ..fields.base import Field, lookup_error
from ..fields.special import ArrayField, JSONField
from ..shapes import bucket
from ..types import Array
from .transforms import Transform, register_transform

__all__ = ["LOOKUPS", "Lookup", "OneOf", "lookup_for", "register_lookup"]

L = TypeVar("L", "Lookup", Transform)
Prepared = tuple[Hashable, tuple[Any, ...]]
_LONG_LIST = 512


class Lookup:
    """One way to compare.

    Subclasses give `name`, and `build`: the condition for a column and a right side.

    >>> class NotEqual(Lookup):
    ...     name = "ne"
    ...
    ...     def build(self, compiler, left, right):
    ...         return left != right
    """

    name: str = ""
    # Whether the right side may be another column or expression.
    takes_expressions: bool = True
    # Whether the right side is a list of values.
    takes_several: bool = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        """Return the kind of *value*, a part of the query's shape, and what fills its slots.

        Raises:
            ValueError: The value cannot be compared with this field.
        """
        if value is None:
            raise QueryError(
                f"{getattr(field, 'name', 'value')}__{self.name}=None compares with NULL, and is never true.",
                code="data/compare-null",
                hint=f"{getattr(field, 'name', 'value')}__isnull=True",
            )
        return "v", (field.prepare(value),)

    def compile(self, compiler: Any, left: ColumnElement[Any], leaf: Any) -> ColumnElement[bool]:
        """Return the condition; the right side is the leaf's expression or its slot."""
        if leaf.right is None:
            return self.build(compiler, left, compiler.parameter(leaf, left.type))
        (first, second), _ = alike(compiler, [left, leaf.right.compile(compiler)])
        return self.build(compiler, first, second)

    def build(self, compiler: Any, left: Any, right: Any) -> ColumnElement[bool]:
        """Return the condition for compiled sides."""
        raise TypeError(f"{type(self).__name__} has no build()")


class Exact(Lookup):
    """Equal; `None` asks for NULL, as in Django."""

    name = "exact"

    def prepare(self, field: Any, value: Any) -> Prepared:
        if value is None:
            return "null", ()
        limits = getattr(field, "limits", None)
        if limits is not None and type(value) is bool:
            raise lookup_error(field, value)  # True is no key, though Python takes it for 1
        prepared = field.prepare(value)
        if limits is not None and isinstance(prepared, type(limits[0])) and not limits[0] <= prepared <= limits[1]:
            return "never", ()  # beyond the column: no row has it, and the database need not be asked
        if _is_tuple(prepared):
            return (("tuple", len(prepared)), prepared) if _fits(field, prepared) else ("never", ())
        return "v", (prepared,)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
        if leaf.kind == "null":
            return _is_null(left, leaf.target) if _is_key(left) else left.is_(None)
        if leaf.kind == "never":
            return sa.false()
        if _is_key(left):
            if leaf.right is not None:
                return _same_key(left, compiler.parts_of(leaf.right), leaf.target)
            return sa.and_(*[each == compiler.parameter(leaf, each.type, at) for at, each in enumerate(left)])
        return super().compile(compiler, left, leaf)

    def build(self, compiler: Any, left: Any, right: Any) -> ColumnElement[bool]:
        return left == right  # type: ignore[no-any-return]  # a column


class _Compare(Lookup):
    """Smaller or larger."""

    def prepare(self, field: Any, value: Any) -> Prepared:
        limits = getattr(field, "limits", None)
        if limits is not None and type(value) is bool:
            raise lookup_error(field, value)
        kind, values = super().prepare(field, value)
        if limits is not None and isinstance(values[0], type(limits[0])) and not limits[0] <= values[0] <= limits[1]:
            larger = values[0] > limits[1]
            return ("always" if larger == self.name.startswith("l") else "never"), ()
        if _is_tuple(values[0]):
            return ("tuple", len(values[0])), values[0]
        return kind, values

    def compile(self, compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
        if leaf.kind == "never":
            return sa.false()
        if leaf.kind == "always":
            return left.is_not(None)  # type: ignore[no-any-return]  # a column
        if _is_key(left):
            # A key of several columns compares part by part, as rows do.
            if leaf.right is not None:
                other = compiler.parts_of(leaf.right)
                return self.build(compiler, sa.tuple_(*left), sa.tuple_(*other) if _is_key(other) else other)
            parts = [compiler.parameter(leaf, each.type, at) for at, each in enumerate(left)]
            return self.build(compiler, sa.tuple_(*left), sa.tuple_(*parts))
        return super().compile(compiler, left, leaf)

    def build(self, compiler: Any, left: Any, right: Any) -> ColumnElement[bool]:
        return {  # type: ignore[no-any-return]  # columns
            "gt": left.__gt__,
            "gte": left.__ge__,
            "lt": left.__lt__,
            "lte": left.__le__,
        }[self.name](right)


def _named(base: type[Lookup], name: str) -> Lookup:
    return type(name.title(), (base,), {"name": name, "__module__": __name__})()  # type: ignore[no-any-return]  # of type()


class In(Lookup):
    """One of several values, or of a queryset's."""

    name = "in"
    takes_several = True

    def prepare(self, field: Any, value: Any) -> Prepared:
        if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            raise lookup_error(field, value)
        limits = getattr(field, "limits", None)
        prepare = field.prepare
        given = [each for each in value if each is not None]
        if limits is not None and bool in {*map(type, given)}:
            raise lookup_error(field, value)
        values = [prepare(each) for each in given]
        if limits is not None:
            values = [
                each for each in values if not isinstance(each, type(limits[0])) or limits[0] <= each <= limits[1]
            ]
        if not values:
            return "never", ()
        if _is_tuple(values[0]):
            return _list_of_keys([each for each in values if _fits(field, each)])
        if len(values) > _LONG_LIST:
            return "long", (values,)
        size = bucket(len(values))
        return ("list", size), (values, *values, *[values[-1]] * (size - len(values)))

    def compile(self, compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
        if leaf.right is not None:
            items = getattr(leaf.right, "items", None)
            if items is not None and _is_key(left):
                raise _no_expressions(leaf.target)
            if items is not None:
                (first, *others), _ = alike(compiler, [left, *[each.compile(compiler) for each in items]])
                return first.in_(others)
            inner = leaf.right.compile(compiler)
            chosen = getattr(inner, "element", inner)
            query = getattr(leaf.right, "query", None)
            if compiler.vendor == "mysql" and query is not None and query.is_sliced:
                # MySQL takes no limit right inside IN; in a table inside it does.
                table = chosen.subquery(compiler.parameters.next_alias())
                chosen = sa.select(*table.columns)
            try:
                return (sa.tuple_(*left) if _is_key(left) else left).in_(chosen)
            except ArgumentError:
                raise _needs_several("in", "(F(…), 5)") from None
        if leaf.kind == "never":
            return sa.false()
        if leaf.kind[0] == "long keys":
            return _long_list_of_keys(compiler, left, leaf)
        if leaf.kind[0] == "keys":
            _, rows, width = leaf.kind
            return sa.or_(
                *[
                    sa.and_(
                        *[left[at] == compiler.parameter(leaf, left[at].type, row * width + at) for at in range(width)]
                    )
                    for row in range(rows)
                ]
            )
        if compiler.vendor == "postgresql":
            # PERF: one text for every length, and the server's prepared statement stays.
            whole = compiler.parameter(leaf, Array(left.type))
            return left == sa.any_(whole)  # type: ignore[no-any-return]  # a column
        if leaf.kind == "long":
            return _long_list(compiler, left, leaf)
        size = leaf.kind[1]
        return left.in_([compiler.parameter(leaf, left.type, 1 + at) for at in range(size)])  # type: ignore[no-any-return]  # a column


def _long_list(compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
    """Compare with a list that would pass the limit of parameters: it travels as one JSON text."""
    bind = left.type._cached_bind_processor(compiler.dialect)

    def as_json(values: Any) -> str:
        return json.dumps([bind(each) if bind is not None else each for each in values])

    whole = compiler.parameter(leaf, sa.Text(), 0, as_json)
    if compiler.vendor == "sqlite":
        items = sa.func.json_each(whole).table_valued(sa.column("value"))
        return left.in_(sa.select(items.c.value))  # type: ignore[no-any-return]  # a column
    return _mysql_list(compiler, left, leaf)


def _mysql_list(compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
    bind = left.type._cached_bind_processor(compiler.dialect)

    def each_bound(values: Any) -> tuple[Any, ...]:
        return tuple(bind(each) if bind is not None else each for each in values)

    # PyMySQL and asyncmy write a tuple as (1, 2, 3): the text of the plan stays one.
    return left.op("IN")(compiler.parameter(leaf, sa.types.NullType(), 0, each_bound))  # type: ignore[no-any-return]  # a column


def _no_expressions(target: Any) -> QueryError:
    return QueryError(
        f"{target.name} takes keys, not expressions among them.",
        code="data/lookup-value",
        why="A key of several columns is compared part by part.",
        hint="Tuples; or, of in, a queryset.",
    )


def _list_of_keys(keys: list[Any]) -> Prepared:
    """Return what fills the slots for keys of several columns."""
    if not keys:
        return "never", ()
    width = len(keys[0])
    if len(keys) > _LONG_LIST:
        return ("long keys", width), (keys, *[[key[at] for key in keys] for at in range(width)])
    size = bucket(len(keys))
    keys = [*keys, *[keys[-1]] * (size - len(keys))]
    return ("keys", size, width), tuple([part for key in keys for part in key])


def _long_list_of_keys(compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
    """Compare with keys of several columns whose parts would pass the limit of parameters."""
    alias = compiler.parameters.next_alias()
    names = [f"x{at}" for at in range(len(left))]
    if compiler.vendor == "postgresql":
        lists = [
            sa.cast(compiler.parameter(leaf, Array(kind), 1 + at), Array(kind))
            for at, kind in enumerate(_loosely(each.type) for each in left)
        ]
        table = sa.func.unnest(*lists).table_valued(*names, name=alias).render_derived()
        return sa.tuple_(*left).in_(sa.select(*[table.c[name] for name in names]))
    binds = [each.type._cached_bind_processor(compiler.dialect) for each in left]

    def bound(keys: Any) -> tuple[Any, ...]:
        return tuple(
            tuple(part if bind is None else bind(part) for part, bind in zip(key, binds, strict=True)) for key in keys
        )

    if compiler.vendor == "sqlite":

        def as_json(keys: Any) -> str:
            return json.dumps(bound(keys))

        whole = compiler.parameter(leaf, sa.Text(), 0, as_json)
        items = sa.func.json_each(whole).table_valued(sa.column("value"), name=alias)
        parts = [sa.func.json_extract(items.c.value, constant(f"'$[{at}]'")) for at in range(len(left))]
        return sa.tuple_(*left).in_(sa.select(*parts))
    # As with single values: PyMySQL and asyncmy write a tuple of tuples as ((1, 2), (3, 4)).
    # A text to SQLAlchemy, which would else make each of it a part of the left side's tuple.
    return sa.tuple_(*left).op("IN")(compiler.parameter(leaf, sa.Text(), 0, bound))


def _loosely(kind: Any) -> Any:
    """Return a type that a value is not cut or rounded to."""
    if isinstance(kind, sa.String):
        return sa.Text()
    return sa.Numeric() if isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float) else kind


class OneOf(Lookup):
    """One of several values that are compared one by one, where SQL's IN would not do.

    Subclasses give `same`: the condition for the value in one slot.
    """

    name = "in"
    takes_expressions = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        if isinstance(value, str | bytes) or not hasattr(value, "__iter__"):
            raise lookup_error(field, value)
        values = tuple(field.prepare(each) for each in value if each is not None)
        return ("list", len(values)) if values else "never", values

    def compile(self, compiler: Any, left: Any, leaf: Any) -> Any:
        if leaf.kind == "never":
            return sa.false()
        return sa.or_(*[self.same(compiler, left, leaf, at) for at in range(leaf.kind[1])])

    def same(self, compiler: Any, left: Any, leaf: Any, offset: int) -> Any:
        """Return whether the column equals the value in one slot of *leaf*."""
        raise TypeError(f"{type(self).__name__} has no same()")


def _needs_several(name: str, example: str) -> QueryError:
    return QueryError(
        f"__{name} takes several values, not one expression.", code="data/lookup-value", hint=f"__{name}={example}"
    )


class Range(Lookup):
    """Between two values, both included."""

    name = "range"
    takes_several = True

    def prepare(self, field: Any, value: Any) -> Prepared:
        if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2:
            raise lookup_error(field, value)
        low, high = value
        if low is None or high is None:
            raise lookup_error(field, value)
        low, high = field.prepare(low), field.prepare(high)
        limits = getattr(field, "limits", None)
        if limits is not None and isinstance(low, type(limits[0])) and isinstance(high, type(limits[0])):
            if low > limits[1] or high < limits[0]:
                return "never", ()
            # Beyond the column the database would refuse the number itself.
            low, high = max(low, limits[0]), min(high, limits[1])
        if _is_tuple(low):
            return ("tuple", len(low)), (*low, *high)
        return "v", (low, high)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
        if leaf.kind == "never":
            return sa.false()
        if _is_key(left) and leaf.right is not None:
            raise _no_expressions(leaf.target)
        if _is_key(left):
            parts = [compiler.parameter(leaf, each.type, at) for at, each in enumerate([*left, *left])]
            whole = sa.tuple_(*left)
            return sa.and_(whole >= sa.tuple_(*parts[: len(left)]), whole <= sa.tuple_(*parts[len(left) :]))
        if leaf.right is not None:
            items = getattr(leaf.right, "items", None)
            if items is None:
                raise _needs_several("range", "(F(…), 5)")
            (left, low, high), _ = alike(compiler, [left, *[each.compile(compiler) for each in items]])
        else:
            low, high = compiler.parameter(leaf, left.type), compiler.parameter(leaf, left.type, 1)
        return sa.and_(left >= low, left <= high)


class IsNull(Lookup):
    """NULL, or not."""

    name = "isnull"
    takes_expressions = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        if not isinstance(value, int) or value not in (True, False):
            raise lookup_error(field, value)
        return bool(value), ()

    def compile(self, compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
        columns: list[Any] = _telling(left, leaf.target) if _is_key(left) else [left]
        if leaf.kind:
            return sa.and_(*[each.is_(None) for each in columns])
        return sa.and_(*[each.is_not(None) for each in columns])


def _is_key(left: Any) -> bool:
    """Tell whether a left side is the columns of a key of several."""
    return isinstance(left, list)


def _telling(left: list[Any], target: Any) -> list[Any]:
    """Return those columns of several that say whether there is a value: not the ones that it shares."""
    own: tuple[int, ...] | None = target.reached.telling
    return left if own is None else [left[at] for at in own]


def _is_null(left: list[Any], target: Any) -> ColumnElement[bool]:
    if not target.reached.relations and target.reached.telling is None:
        return sa.false()  # a row has a key
    return sa.and_(*[each.is_(None) for each in _telling(left, target)])


def _same_key(left: list[Any], other: Any, target: Any) -> ColumnElement[bool]:
    """Compare a key of several columns with another, or with the one that a subquery gives."""
    if not _is_key(other):
        return sa.tuple_(*left) == other  # type: ignore[no-any-return]  # a column
    if len(other) != len(left):
        raise QueryError(
            f"{target.name} has {len(left)} columns, and is compared with {len(other)}.",
            code="data/lookup-value",
            hint="Compare it with a key of the same model.",
        )
    return sa.and_(*[here == there for here, there in zip(left, other, strict=True)])


def _fits(field: Any, key: tuple[Any, ...]) -> bool:
    """Tell whether each part of a key can be in its column."""
    for each, part in zip(_fields_of(field), key, strict=False):
        limits = getattr(each, "limits", None)
        if limits is not None and isinstance(part, type(limits[0])) and not limits[0] <= part <= limits[1]:
            return False
    return True


def _fields_of(field: Any) -> tuple[Any, ...]:
    key = getattr(field, "key", field)
    return tuple(getattr(key, "fields", ()))


def _is_tuple(value: Any) -> bool:
    """Tell whether a value is that of a key of several columns."""
    return type(value) is tuple


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _glob(text: str) -> str:
    return "".join(f"[{each}]" if each in "*?[" else each for each in text)


class Pattern(Lookup):
    """A text that begins, ends or stands somewhere; what is special in patterns is not."""

    before = ""
    after = ""
    folded = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        if value is None:
            return super().prepare(field, value)
        if isinstance(value, bytes | list | tuple | dict | set):
            raise lookup_error(field, value)
        text = str(value)
        if "\x00" in text:
            raise lookup_error(field, value)
        return "v", (text,)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
        vendor = compiler.vendor
        text = _as_text(vendor, left)
        if leaf.right is not None:
            return self._against(compiler, text, leaf.right.compile(compiler))
        if vendor == "sqlite" and not self.folded:
            # LIKE ignores case there; GLOB does not, and uses an index.
            pattern = compiler.parameter(leaf, sa.Text(), 0, self._globbed)
            return text.op("GLOB", is_comparison=True)(pattern)  # type: ignore[no-any-return]  # a column
        pattern = compiler.parameter(leaf, sa.Text(), 0, self._liked)
        if self.folded:
            fold = sa.func.segue_fold if vendor == "sqlite" else sa.func.lower
            return fold(text).like(fold(pattern), escape="\\")
        return text.like(pattern, escape="\\")  # type: ignore[no-any-return]  # a column

    def _globbed(self, value: str) -> str:
        return f"{self.before and '*'}{_glob(value)}{self.after and '*'}"

    def _liked(self, value: str) -> str:
        return f"{self.before}{_like(value)}{self.after}"

    def _against(self, compiler: Any, text: Any, other: Any) -> ColumnElement[bool]:
        if self.folded:
            fold = sa.func.segue_fold if compiler.vendor == "sqlite" else sa.func.lower
            text, other = fold(text), fold(other)
        length = sa.func.length if compiler.vendor == "sqlite" else sa.func.char_length
        if not self.before and not self.after:
            return text == other  # type: ignore[no-any-return]  # a column
        if not self.before:
            return sa.func.substr(text, 1, length(other)) == other  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model
        if not self.after:
            return (  # type: ignore[no-any-return]  # of SQLAlchemy's, or of any model
                sa.func.right(text, length(other)) == other
                if compiler.vendor != "sqlite"
                else (sa.func.substr(text, length(text) - length(other) + 1) == other)
            )
        find = {"sqlite": "instr", "postgresql": "strpos", "mysql": "instr"}[compiler.vendor]
        return getattr(sa.func, find)(text, other) > 0  # type: ignore[no-any-return]  # sa.func is open


def _as_text(vendor: str, left: Any) -> Any:
    if isinstance(left.type, sa.String):
        return left
    kind = sa.CHAR() if vendor == "mysql" else sa.Text()
    return sa.cast(left, kind)


class Contains(Pattern):
    """Contains a text, case counting; of JSON and arrays, a value."""

    name = "contains"
    before = after = "%"


class StartsWith(Pattern):
    """Begins with a text, case counting."""

    name = "startswith"
    after = "%"


class EndsWith(Pattern):
    """Ends with a text, case counting."""

    name = "endswith"
    before = "%"


class IContains(Contains):
    """Contains a text, whatever its case."""

    name = "icontains"
    folded = True


class IStartsWith(StartsWith):
    """Begins with a text, whatever its case."""

    name = "istartswith"
    folded = True


class IEndsWith(EndsWith):
    """Ends with a text, whatever its case."""

    name = "iendswith"
    folded = True


class IExact(Pattern):
    """Equal, whatever the case; `None` asks for NULL."""

    name = "iexact"
    folded = True

    def prepare(self, field: Any, value: Any) -> Prepared:
        return ("null", ()) if value is None else super().prepare(field, value)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
        if leaf.kind == "null":
            return left.is_(None)  # type: ignore[no-any-return]  # a column
        return super().compile(compiler, left, leaf)


class Regex(Lookup):
    """Matches a regular expression of the database."""

    name = "regex"
    folded = False

    def prepare(self, field: Any, value: Any) -> Prepared:
        if not isinstance(value, str) or "\x00" in value or len(value) > 1000:
            raise lookup_error(field, value)
        return "v", (value,)

    def compile(self, compiler: Any, left: Any, leaf: Any) -> ColumnElement[bool]:
        text = _as_text(compiler.vendor, left)
        if leaf.right is not None:
            pattern = leaf.right.compile(compiler)
        else:
            pattern = compiler.parameter(leaf, sa.Text())
        if compiler.vendor == "postgresql":
            return text.op("~*" if self.folded else "~", is_comparison=True)(pattern)  # type: ignore[no-any-return]  # a column
        if compiler.vendor == "sqlite":
            return sa.func.segue_regex(pattern, text, sa.literal_column(str(int(self.folded)))) == 1
        flag = constant("'(?i)'" if self.folded else "'(?-i)'")
        return text.op("REGEXP", is_comparison=True)(sa.func.concat(flag, pattern))  # type: ignore[no-any-return]  # a column


class IRegex(Regex):
    """Matches a regular expression, whatever the case."""

    name = "iregex"
    folded = True


LOOKUPS: dict[str, Lookup] = {
    each.name: each
    for each in (
        Exact(),
        IExact(),
        Contains(),
        IContains(),
        StartsWith(),
        IStartsWith(),
        EndsWith(),
        IEndsWith(),
        In(),
        Range(),
        IsNull(),
        Regex(),
        IRegex(),
        *[_named(_Compare, name) for name in ("gt", "gte", "lt", "lte")],
    )
}
_OWN: dict[type[Field[Any]], dict[str, Lookup]] = {}


def register_lookup(field: type[Field[Any]], lookup: type[L]) -> type[L]:
    """Give fields of a class (and its subclasses) a look-up or a transform of one's own."""
    if not lookup.name.isidentifier() or "__" in lookup.name:
        raise QueryError(f"{lookup.__name__} has no usable name.", code="data/argument", hint='name = "ne"')
    made = lookup()
    if isinstance(made, Transform):
        register_transform(field, made)
    else:
        _OWN.setdefault(field, {})[lookup.name] = made
    return lookup


def lookup_for(field: Any, name: str) -> Lookup | None:
    """Return the look-up that *name* means for *field*."""
    for kind in type(field).__mro__:
        found = _OWN.get(kind, {}).get(name)
        if found is not None:
            return found
    if isinstance(field, JSONField | ArrayField):
        from .documents import DOCUMENT_LOOKUPS

        found = DOCUMENT_LOOKUPS[JSONField if isinstance(field, JSONField) else ArrayField].get(name)
        if found is not None:
            return found
    return LOOKUPS.get(name)
