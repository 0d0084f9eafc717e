"""The parts every expression is made of.

Holds: `Expression`, its operators, `F`, `Value`, `Func`, `OrderBy`, raw Core expressions.
Imports: SQLAlchemy's expression language, `shapes`.
Never: resolves a name itself; the compiler that is passed in does.
"""

from __future__ import annotations

import operator
import re
import uuid
from collections.abc import Callable, Hashable, Iterator
from copy import copy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Protocol

import sqlalchemy as sa
from sqlalchemy.sql.elements import ClauseElement, ColumnElement
from sqlalchemy.types import TypeEngine

from ..errors import QueryError, too_deep
from ..shapes import Keyer, UnshapedError
from ..types import Day, ExactDecimal, Json, Moment, Span, TimeOfDay, Uuid

__all__ = [
    "ARITHMETIC",
    "Combinable",
    "Combined",
    "Compiling",
    "Expression",
    "F",
    "Func",
    "OrderBy",
    "Raw",
    "Resolving",
    "Value",
    "as_expression",
    "column_type",
    "type_of_value",
]


class Compiling(Protocol):
    """What an expression needs of the compiler that asks it."""

    @property
    def vendor(self) -> str:
        """`sqlite`, `postgresql` or `mysql`."""
        ...

    def path(self, name: str) -> ColumnElement[Any]:
        """Return the column that *name* reaches, joining what lies between."""
        ...

    def parts(self, name: str) -> list[ColumnElement[Any]]:
        """Return the same as `path`, or each column of a key of several."""
        ...

    def outer(self, name: str, further: int = 0) -> ColumnElement[Any]:
        """Return the column that *name* reaches in the query around this one, or so many further out."""
        ...

    def bind(self, node: object, type_: TypeEngine[Any], offset: int = 0) -> ColumnElement[Any]:
        """Return the parameter of a node's slot."""
        ...

    def condition(self, condition: Any) -> ColumnElement[bool]:
        """Compile a `Q` where a value of yes or no is wanted."""
        ...

    def subselect(self, query: Any) -> sa.Select[Any]:
        """Compile a query inside this one."""
        ...

    def cte_column(self, cte: Any, name: str) -> ColumnElement[Any]:
        """Return a column of a query that this one joins by its name."""
        ...

    def raw(self, element: Any, slots: list[tuple[Any, int]]) -> ColumnElement[Any]:
        """Fit a Core expression to this query's tables, and its parameters to slots."""
        ...

    def slot_of(self, node: object) -> int:
        """Return the first slot of *node*."""
        ...


class Resolving(Protocol):
    """What an expression is checked against when a query is given it."""

    @property
    def model(self) -> Any:
        """The model whose rows the query gives."""
        ...

    def name(self, name: str) -> None:
        """Refuse a name that the query does not know."""
        ...

    def condition(self, condition: Any) -> Expression:
        """Return a `Q` resolved."""
        ...


class Combinable:
    """Python's operators, made into expressions."""

    def __add__(self, other: Any) -> Combined:
        return Combined(self, "+", other)

    def __radd__(self, other: Any) -> Combined:
        return Combined(other, "+", self)

    def __sub__(self, other: Any) -> Combined:
        return Combined(self, "-", other)

    def __rsub__(self, other: Any) -> Combined:
        return Combined(other, "-", self)

    def __mul__(self, other: Any) -> Combined:
        return Combined(self, "*", other)

    def __rmul__(self, other: Any) -> Combined:
        return Combined(other, "*", self)

    def __truediv__(self, other: Any) -> Combined:
        return Combined(self, "/", other)

    def __rtruediv__(self, other: Any) -> Combined:
        return Combined(other, "/", self)

    def __mod__(self, other: Any) -> Combined:
        return Combined(self, "%", other)

    def __rmod__(self, other: Any) -> Combined:
        return Combined(other, "%", self)

    def __pow__(self, other: Any) -> Combined:
        return Combined(self, "**", other)

    def __rpow__(self, other: Any) -> Combined:
        return Combined(other, "**", self)

    def __neg__(self) -> Combined:
        return Combined(self, "*", -1)

    def bitand(self, other: Any) -> Combined:
        """Return the bits that are set in both."""
        return Combined(self, "bitand", other)

    def bitor(self, other: Any) -> Combined:
        """Return the bits that are set in either."""
        return Combined(self, "bitor", other)

    def bitxor(self, other: Any) -> Combined:
        """Return the bits that differ."""
        return Combined(self, "bitxor", other)

    def bitleftshift(self, other: Any) -> Combined:
        """Return the bits moved left."""
        return Combined(self, "bitleftshift", other)

    def bitrightshift(self, other: Any) -> Combined:
        """Return the bits moved right."""
        return Combined(self, "bitrightshift", other)

    def asc(self, *, nulls_first: bool = False, nulls_last: bool = False) -> OrderBy:
        """Order by this, smallest first."""
        return OrderBy(self, nulls_first=nulls_first, nulls_last=nulls_last)

    def desc(self, *, nulls_first: bool = False, nulls_last: bool = False) -> OrderBy:
        """Order by this, largest first."""
        return OrderBy(self, descending=True, nulls_first=nulls_first, nulls_last=nulls_last)


class Expression(Combinable):
    """Something a database computes.

    Subclasses say of what it is made (`children`), what of it stands in the SQL text
    (`facts`), and how it is compiled. What is a value goes into a `Value`, never into
    `facts`: equal facts share one plan.

    Attributes:
        output_field: Says the type of the result where it cannot be seen; a field or a type.
    """

    output_field: Any = None
    is_aggregate: ClassVar[bool] = False
    is_window: ClassVar[bool] = False
    is_implied_order: ClassVar[bool] = False

    def children(self) -> tuple[Expression, ...]:
        """Return the expressions inside this one."""
        return ()

    def facts(self) -> Hashable:
        """Return what stands in the SQL text and is no child."""
        return ()

    def shape(self, keyer: Keyer) -> Hashable:
        """Return this expression's part of the key, its values going to *keyer*."""
        kind: Any = type(self)
        parts: list[Hashable] = [kind, self.facts()]
        parts.extend([child.shape(keyer) for child in self.children()])
        return tuple(parts)

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        """Return the Core expression."""
        raise TypeError(f"{type(self).__name__} has no compile()")  # pragma: no cover

    def resolve(self, resolver: Resolving) -> Expression:
        """Return this expression for one query: its names checked, its `Q`s resolved.

        An expression belongs to no model, so one that holds a `Q` is copied.
        """
        changed: dict[str, Any] = {}
        try:
            for name, value in vars(self).items():
                new = _resolved(value, resolver)
                if new is not value:
                    changed[name] = new
        except RecursionError:
            raise too_deep() from None
        if not changed:
            return self
        new = copy(self)
        vars(new).update(changed)
        return new

    def typed(self, element: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return *element* with the type of `output_field`, where one was given."""
        if self.output_field is None:
            return element
        return sa.type_coerce(element, column_type(self.output_field))

    def walk(self) -> Iterator[Expression]:
        """Return this and every expression inside it."""
        yield self
        for child in self.children():
            yield from child.walk()

    @property
    def contains_aggregate(self) -> bool:
        """Whether it sums rows up."""
        return any(each.is_aggregate for each in self.walk() if not each.is_window) and not self.is_window

    @property
    def contains_window(self) -> bool:
        """Whether it looks at neighbouring rows."""
        return any(each.is_window for each in self.walk())


def _all_resolved(old: Any, resolver: Resolving) -> Any:
    new = tuple(_resolved(each, resolver) for each in old)
    return new if any(a is not b for a, b in zip(new, old, strict=True)) else old


def _resolved(value: Any, resolver: Resolving) -> Any:
    if isinstance(value, Expression):
        return value.resolve(resolver)
    if isinstance(value, tuple):
        return _all_resolved(value, resolver)
    return resolver.condition(value) if getattr(value, "is_condition", False) else value


def column_type(output: Any) -> TypeEngine[Any]:
    """Return the SQLAlchemy type of a field, or of a type."""
    make = getattr(output, "column_type", None)
    found = make() if make is not None else output
    return found() if isinstance(found, type) else found  # type: ignore[no-any-return]  # of any field


_VALUE_TYPES: dict[type, Callable[[Any], TypeEngine[Any]]] = {
    bool: lambda _: sa.Boolean(),
    int: lambda value: sa.Integer() if -(2**31) <= value < 2**31 else sa.BigInteger(),
    float: lambda _: sa.Double(),
    str: lambda _: sa.String(),
    bytes: lambda _: sa.LargeBinary(),
    datetime: lambda _: Moment(),
    date: lambda _: Day(),
    time: lambda _: TimeOfDay(),
    timedelta: lambda _: Span(),
    uuid.UUID: lambda _: Uuid(),
    dict: lambda _: Json(),
    list: lambda _: Json(),
    type(None): lambda _: sa.types.NullType(),
}


def type_of_value(value: Any) -> TypeEngine[Any]:
    """Return the type a bare Python value has in a query.

    Raises:
        QueryError: None fits (`data/value-type`).
    """
    if isinstance(value, Decimal):
        _, digits, exponent = value.as_tuple()
        if not isinstance(exponent, int):
            raise QueryError(f"A query cannot take {value} as a value.", code="data/value-type", hint="Give a number.")
        length = max(len(digits) + max(exponent, 0), -exponent)
        return ExactDecimal(18 if length <= 18 else 65, max(-exponent, 0))
    for kind in type(value).__mro__:
        make = _VALUE_TYPES.get(kind)
        if make is not None:
            return make(value)
    raise QueryError(
        f"A query cannot take {type(value).__name__} as a value.",
        code="data/value-type",
        hint="Give Value(…, output_field=…), or a plain value (text, number, date, UUID).",
    )


class Value(Expression):
    """A Python value in a query; always a parameter.

    Args:
        value: The value.
        output_field: Its field or type, where the value does not show it.
    """

    def __init__(self, value: Any, output_field: Any = None) -> None:
        self.value = value
        self.output_field = output_field
        self._type = type_of_value(value) if output_field is None else column_type(output_field)

    def __repr__(self) -> str:
        return f"Value({self.value!r})"

    def shape(self, keyer: Keyer) -> Hashable:
        kind = self._type._static_cache_key  # pyright: ignore[reportPrivateUsage]  # the type's own identity
        if self.value is None:
            return (Value, None, kind)
        return keyer.slot(self, self.value, (Value, kind))

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        if self.value is None:
            return sa.null() if self.output_field is None else sa.cast(sa.null(), self._type)
        bound = compiler.bind(self, self._type)
        if compiler.vendor == "mysql" and isinstance(self._type, Day | Moment | TimeOfDay):
            # It travels as a text, and would come back as one.
            return sa.cast(bound, self._type)
        return bound


class F(Expression):
    """The value of a field, or of a look-up path, in the row at hand."""

    def __init__(self, name: str) -> None:
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # of users
            raise QueryError(
                f"F() takes the name of a field, not {type(name).__name__}.",
                code="data/argument",
                hint='F("year")',
            )
        self.name: str = name

    def __repr__(self) -> str:
        return f"F({self.name!r})"

    def facts(self) -> Hashable:
        return self.name

    def resolve(self, resolver: Resolving) -> Expression:
        resolver.name(self.name)
        return self

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        return compiler.path(self.name)


def as_expression(thing: Any) -> Expression:
    """Return *thing* as an expression: a path for a column, a `Value` for a value."""
    if isinstance(thing, Expression):
        return thing
    convert = getattr(thing, "__expression__", None)
    if convert is not None and not isinstance(thing, type):
        return convert()  # type: ignore[no-any-return]  # columns and querysets know how
    if hasattr(thing, "__clause_element__") or isinstance(thing, sa.ClauseElement):
        return Raw(thing)
    return Value(thing)


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b,
    "%": operator.mod,
    "bitand": lambda a, b: a.bitwise_and(b),
    "bitor": lambda a, b: a.bitwise_or(b),
    "bitleftshift": lambda a, b: a.bitwise_lshift(b),
    "bitrightshift": lambda a, b: a.bitwise_rshift(b),
}


class Combined(Expression):
    """Two expressions and an operator between them."""

    def __init__(self, left: Any, connector: str, right: Any, output_field: Any = None) -> None:
        self.left: Expression = as_expression(left)
        self.connector = connector
        self.right: Expression = as_expression(right)
        self.output_field = output_field

    def __repr__(self) -> str:
        return f"({self.left!r} {self.connector} {self.right!r})"

    def children(self) -> tuple[Expression, ...]:
        return self.left, self.right

    def facts(self) -> Hashable:
        return self.connector, output_facts(self.output_field)

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        from .arithmetic import combine  # what depends on the database, only on a miss

        return self.typed(combine(compiler, self.left, self.connector, self.right))


def output_facts(output: Any) -> Hashable:
    """Return what of an output field stands in a key."""
    if output is None:
        return None
    return column_type(output)._static_cache_key  # pyright: ignore[reportPrivateUsage]  # the type's own identity


_FUNCTION = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}(\.[A-Za-z_][A-Za-z0-9_]{0,62})?", re.ASCII)


class Func(Expression):
    """A function of the database.

    >>> class Soundex(Func):
    ...     function = "SOUNDEX"

    Attributes:
        function: Its name in SQL: letters, digits and _.
    """

    function: str = ""

    def __init__(self, *expressions: Any, output_field: Any = None, function: str | None = None) -> None:
        self.expressions: tuple[Expression, ...] = tuple(
            F(each) if isinstance(each, str) else as_expression(each) for each in expressions
        )
        if output_field is not None:
            self.output_field = output_field
        if function is not None:
            self.function = function
        if self.function and not _FUNCTION.fullmatch(self.function):
            raise QueryError(
                f"{self.function[:80]!r} is no name of a function.",
                code="data/argument",
                hint="A name is letters, digits and _; what changes goes into the arguments.",
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.expressions))})"

    def children(self) -> tuple[Expression, ...]:
        return self.expressions

    def facts(self) -> Hashable:
        return self.function, output_facts(self.output_field)

    def arguments(self, compiler: Compiling) -> list[ColumnElement[Any]]:
        """Return the compiled arguments."""
        return [each.compile(compiler) for each in self.expressions]

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        return self.typed(self.build(compiler, *self.arguments(compiler)))

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the call; the place to override where databases differ."""
        call = getattr(sa.func, self.function)(*arguments)
        if isinstance(call.type, sa.types.NullType) and arguments:
            call.type = arguments[0].type
        return call  # type: ignore[no-any-return]  # sa.func is open


class OrderBy(Expression):
    """A direction of order, and where NULLs go."""

    def __init__(
        self, expression: Any, *, descending: bool = False, nulls_first: bool = False, nulls_last: bool = False
    ) -> None:
        if nulls_first and nulls_last:
            raise QueryError(
                "NULLs cannot come both first and last.", code="data/argument", hint="Give one of the two."
            )
        self.expression: Expression = F(expression) if isinstance(expression, str) else as_expression(expression)
        self.descending = descending
        self.nulls_first = nulls_first
        self.nulls_last = nulls_last

    def __repr__(self) -> str:
        return f"{self.expression!r}.{'desc' if self.descending else 'asc'}()"

    def children(self) -> tuple[Expression, ...]:
        return (self.expression,)

    def facts(self) -> Hashable:
        return self.descending, self.nulls_first, self.nulls_last

    def of(self, expression: Expression) -> OrderBy:
        """Return the same direction for another expression."""
        return OrderBy(expression, descending=self.descending, nulls_first=self.nulls_first, nulls_last=self.nulls_last)

    def reversed(self) -> OrderBy:
        """Return the opposite order."""
        return OrderBy(
            self.expression,
            descending=not self.descending,
            nulls_first=self.nulls_last,
            nulls_last=self.nulls_first,
        )

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        return self.compile_all(compiler)[-1]

    def compile_all(self, compiler: Compiling) -> list[ColumnElement[Any]]:
        """Return what goes into ORDER BY: two parts where MySQL must be told about NULLs."""
        return self.arranged(compiler, self.expression.compile(compiler))

    def arranged(self, compiler: Compiling, element: ColumnElement[Any]) -> list[ColumnElement[Any]]:
        """Return the same for an element that is compiled already."""
        ordered = element.desc() if self.descending else element.asc()
        if not (self.nulls_first or self.nulls_last):
            return [ordered]
        if compiler.vendor == "mysql":
            missing = element.is_(None)
            return [missing.desc() if self.nulls_first else missing.asc(), ordered]
        return [ordered.nulls_first() if self.nulls_first else ordered.nulls_last()]


class Raw(Expression):
    """A SQLAlchemy Core expression inside a query."""

    def __init__(self, element: Any) -> None:
        # Core's own elements have the method too, and return themselves.
        while not isinstance(element, ClauseElement) and hasattr(element, "__clause_element__"):
            element = element.__clause_element__()
        self.element: Any = element
        self._key: Any = None

    def shape(self, keyer: Keyer) -> Hashable:
        if self._key is None:
            self._key = self.element._generate_cache_key()
            if self._key is not None and any(bound.expanding for bound in self._key.bindparams):
                self._key = None  # how many values there are is in the text
        if self._key is None:
            if not keyer.lenient:
                raise UnshapedError(repr(self.element))
            return Raw
        values = [bound.effective_value for bound in self._key.bindparams]
        return keyer.fill(self, values, (Raw, self._key.key))

    def slots(self, compiler: Compiling) -> list[tuple[Any, int]]:
        """Return each parameter of the element with its slot; none where they are constants of the statement."""
        if self._key is None or not self._key.bindparams:
            return []
        first = compiler.slot_of(self)
        return [(bound, first + at) for at, bound in enumerate(self._key.bindparams)]

    def compile(self, compiler: Compiling) -> ColumnElement[Any]:
        return compiler.raw(self.element, self.slots(compiler))
