"""Numbers.

Holds: rounding, roots, logarithms, angles, random numbers.
Imports: the parts of `base`.
Never: pastes a user's word into SQL.

What has no result (the root of -1, the logarithm of 0) is NULL on every database, and a
half is rounded away from zero.
"""

from __future__ import annotations

from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.elements import ColumnElement

from ...errors import QueryError
from ...types import ExactDecimal
from ..arithmetic import alike, as_number
from ..base import Compiling, Func, Value
from ..conversion import half_up
from ..kinds import AnyDecimal, Real, Whole, constant, is_real, is_whole, taken_as

__all__ = [
    "ACos",
    "ASin",
    "ATan",
    "ATan2",
    "Abs",
    "Ceil",
    "Cos",
    "Cot",
    "Degrees",
    "Exp",
    "Floor",
    "Ln",
    "Log",
    "Mod",
    "Pi",
    "Power",
    "Radians",
    "Random",
    "Round",
    "Sign",
    "Sin",
    "Sqrt",
    "Tan",
]


class _Real(Func):
    """A function of double precision numbers."""

    name: ClassVar[str] = ""
    count: ClassVar[int] = 1

    def __init__(self, *expressions: Any, output_field: Any = None) -> None:
        if len(expressions) != self.count:
            raise QueryError(
                f"{type(self).__name__}() takes {self.count}, not {len(expressions)}.",
                code="data/argument",
                hint=f"{type(self).__name__}({', '.join(['…'] * self.count)})",
            )
        super().__init__(*expressions, output_field=output_field)

    def arguments(self, compiler: Compiling) -> list[ColumnElement[Any]]:
        return [as_double(compiler, each) for each in super().arguments(compiler)]

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        if compiler.vendor == "sqlite":
            name = constant(f"'{self.name}'")
            call = getattr(sa.func, f"segue_math{self.count}")(name, *arguments)
        else:
            call = self.call(compiler, *arguments)
        return taken_as(call, Real())

    def call(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        """Return the call on PostgreSQL and MySQL."""
        return getattr(sa.func, self.name)(*arguments)  # type: ignore[no-any-return]  # sa.func is open


def as_double(compiler: Compiling, element: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return *element* as PostgreSQL's functions of double precision want it."""
    if compiler.vendor == "postgresql" and not is_real(element.type):
        return sa.cast(element, sa.Double())
    return as_number(compiler, element)


def _within(element: ColumnElement[Any], condition: ColumnElement[bool]) -> ColumnElement[Any]:
    """Return *element* where it has a result; PostgreSQL alone would raise an error."""
    return sa.case((condition, element), else_=sa.null())


class ACos(_Real):
    """The arc cosine, in radians."""

    name = "acos"

    def call(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        (x,) = arguments
        return super().call(compiler, _within(x, sa.and_(x >= constant("-1"), x <= constant("1"))))


class ASin(ACos):
    """The arc sine, in radians."""

    name = "asin"


class ATan(_Real):
    """The arc tangent, in radians."""

    name = "atan"


class ATan2(_Real):
    """The angle to the point (second, first), in radians."""

    name = "atan2"
    count = 2


class Cos(_Real):
    """The cosine of radians."""

    name = "cos"


class Cot(_Real):
    """The cotangent of radians."""

    name = "cot"


class Degrees(_Real):
    """Radians in degrees."""

    name = "degrees"


class Exp(_Real):
    """*e* to the power of the number."""

    name = "exp"


class Ln(_Real):
    """The natural logarithm."""

    name = "ln"

    def call(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        (x,) = arguments
        return super().call(compiler, _within(x, x > constant("0")))


class Log(_Real):
    """The logarithm to a base: `Log(10, "population")`."""

    name = "log"
    count = 2

    def call(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        base, x = (_within(each, each > constant("0")) for each in arguments)
        if compiler.vendor == "postgresql":
            # Its own log() of a base is one of numeric: exact where a quotient would not be.
            base, x = (sa.cast(each, sa.Numeric()) for each in (base, x))
            return sa.cast(sa.func.log(sa.func.nullif(base, constant("1")), x), sa.Double())
        return super().call(compiler, base, x)


class Pi(_Real):
    """The number π."""

    name = "pi"
    count = 0

    def call(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        if compiler.vendor == "mysql":
            return sa.func.acos(constant("-1e0"))  # its own pi() shows six digits
        return super().call(compiler)


class Power(_Real):
    """The first to the power of the second."""

    name = "power"
    count = 2


class Radians(_Real):
    """Degrees in radians."""

    name = "radians"


class Sin(_Real):
    """The sine of radians."""

    name = "sin"


class Sqrt(_Real):
    """The square root."""

    name = "sqrt"

    def call(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        (x,) = arguments
        return super().call(compiler, _within(x, x >= constant("0")))


class Tan(_Real):
    """The tangent of radians."""

    name = "tan"


class Random(Func):
    """A random number from 0 to 1."""

    def __init__(self) -> None:
        super().__init__()

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        name = {"sqlite": "segue_random", "postgresql": "random", "mysql": "rand"}[compiler.vendor]
        return taken_as(getattr(sa.func, name)(), Real())


# Functions whose result is of the kind that goes in


class Abs(Func):
    """The number without its sign."""

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        (x,) = arguments
        if compiler.vendor == "sqlite" and isinstance(x.type, ExactDecimal) and not x.type.scaled:
            return half_up(compiler, "abs", x, constant("0"))
        return taken_as(sa.func.abs(x), x.type)


class Ceil(Func):
    """The smallest whole number that is not smaller."""

    how: ClassVar[str] = "ceil"

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        (x,) = arguments
        if is_whole(x.type):
            return x
        if compiler.vendor == "sqlite":
            return half_up(compiler, self.how, x, constant("0"))
        return taken_as(getattr(sa.func, self.how)(x), Real() if is_real(x.type) else AnyDecimal())


class Floor(Ceil):
    """The largest whole number that is not larger."""

    how = "floor"


class Round(Func):
    """The number, rounded to *precision* digits after the point; a half goes away from zero."""

    def __init__(self, expression: Any, precision: Any = 0, *, output_field: Any = None) -> None:
        if isinstance(precision, bool | str | float):
            raise QueryError("Round(precision=) is a whole number.", code="data/argument", hint='Round("price", 1)')
        super().__init__(expression, Value(precision) if isinstance(precision, int) else precision)
        self.output_field = output_field

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        x, precision = arguments
        return half_up(compiler, "round", x, precision)


class Sign(Func):
    """-1, 0 or 1."""

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        x = as_number(compiler, arguments[0])
        zero = constant("0")
        found = sa.case((x > zero, constant("1")), (x < zero, constant("-1")), (x == zero, zero), else_=sa.null())
        return taken_as(found, Whole())


class Mod(Func):
    """What is left when the first is divided by the second; it has the sign of the first."""

    def build(self, compiler: Compiling, *arguments: ColumnElement[Any]) -> ColumnElement[Any]:
        (first, second), kind = alike(compiler, list(arguments), self.expressions)
        if compiler.vendor == "postgresql":
            second = sa.func.nullif(second, constant("0"))
            if is_real(kind):
                found = sa.func.mod(*[sa.cast(each, sa.Numeric()) for each in (first, second)])
                return taken_as(sa.cast(found, sa.Double()), Real())
            return taken_as(sa.func.mod(first, second), kind)
        if compiler.vendor == "mysql":
            return taken_as(sa.func.mod(first, second), kind)
        if is_whole(kind) or (isinstance(kind, ExactDecimal) and kind.scaled):
            plain = [taken_as(each, sa.BigInteger()) for each in (first, second)]
            return taken_as(plain[0].op("%", precedence=8)(plain[1]), kind)
        return taken_as(sa.func.segue_math2(constant("'fmod'"), first, second), kind)
