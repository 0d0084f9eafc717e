"""How one value becomes what its annotation says: numbers, dates, choices, text.

Two grammars meet here. *Text* (query, path, header, cookie, form) knows only strings and
is read by the rules below. *JSON* has types of its own and is judged exactly as the fast
decoder judges it. Nothing here knows where a value came from.
"""

from __future__ import annotations

import datetime
import inspect
import math
import re
import types
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Annotated, Any, TypeAlias, TypeGuard, TypeVar, Union, cast, get_args, get_origin

import msgspec
from msgspec import inspect as shapes

__all__ = [
    "LIMITS",
    "MISSING",
    "Leaf",
    "Limits",
    "Wrong",
    "check_length",
    "choice_needed",
    "decimal_check",
    "decimal_limits",
    "is_dict",
    "is_list",
    "is_mapping",
    "json_leaf",
    "needs",
    "normalize",
    "takes_blank",
    "text_leaf",
    "unwrap",
]

# What stands for "no default": that of the standard library's signatures.
MISSING: Any = inspect.Parameter.empty

N = TypeVar("N", int, float, Decimal)

Leaf: TypeAlias = Callable[[Any], Any]  # takes what the client sent, returns the value or raises Wrong

LIMITS = "segue.decimal_limits"
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII).fullmatch
_REAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,9})?", re.ASCII).fullmatch
_NOT_FINITE = re.compile(r"[+-]?(?:s?nan|inf(?:inity)?)", re.IGNORECASE | re.ASCII).fullmatch
_NO_SECONDS = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ])?[0-9]{2}:[0-9]{2}", re.ASCII).fullmatch
_BOOLS: dict[str, bool] = {
    **dict.fromkeys(("true", "1", "on", "yes"), True),
    **dict.fromkeys(("false", "0", "off", "no"), False),
}

# What each kind is called: for programs, for people.
_NOUNS: dict[type[shapes.Type], tuple[str, str]] = {
    shapes.NoneType: ("null", "nothing"),
    shapes.BoolType: ("boolean", "true or false"),
    shapes.IntType: ("integer", "a whole number"),
    shapes.FloatType: ("number", "a number"),
    shapes.DecimalType: ("decimal", "a decimal number"),
    shapes.StrType: ("string", "text"),
    shapes.BytesType: ("base64", "base64 text"),
    shapes.DateTimeType: ("datetime", "a date with a time (2030-05-31T18:30:00)"),
    shapes.DateType: ("date", "a date (2030-05-31)"),
    shapes.TimeType: ("time", "a time (18:30:00)"),
    shapes.TimeDeltaType: ("duration", "a duration (PT90S)"),
    shapes.UUIDType: ("uuid", "a UUID"),
    shapes.EnumType: ("choice", "one of the choices"),
    shapes.LiteralType: ("choice", "one of the choices"),
    shapes.CustomType: ("file", "a file"),
    shapes.DictType: ("object", "an object"),
    shapes.StructType: ("object", "an object"),
    shapes.TypedDictType: ("object", "an object"),
    shapes.DataclassType: ("object", "an object"),
}
_PARSED: dict[type[shapes.Type], type] = {
    shapes.BytesType: bytes,
    shapes.DateTimeType: datetime.datetime,
    shapes.DateType: datetime.date,
    shapes.TimeType: datetime.time,
    shapes.TimeDeltaType: datetime.timedelta,
    shapes.UUIDType: uuid.UUID,
}


class Wrong(Exception):  # becomes a Fault, never reaches a user
    """One value breaks a rule; whoever knows its path makes the `Fault`."""

    def __init__(self, code: str, message: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.params = params


@dataclass(frozen=True, slots=True)
class Limits:
    """What a `Decimal` must keep to. Without any, 100 digits are the limit."""

    ge: Decimal | None = None
    gt: Decimal | None = None
    le: Decimal | None = None
    lt: Decimal | None = None
    multiple_of: Decimal | None = None
    max_digits: int = 100
    decimal_places: int | None = None


def decimal_limits(
    *,
    ge: Decimal | int | str | None = None,
    gt: Decimal | int | str | None = None,
    le: Decimal | int | str | None = None,
    lt: Decimal | int | str | None = None,
    multiple_of: Decimal | int | str | None = None,
    max_digits: int = 100,
    decimal_places: int | None = None,
) -> msgspec.Meta:
    """Return the constraints of a `Decimal`, which `msgspec.Meta` alone cannot hold.

    >>> Price = Annotated[Decimal, decimal_limits(gt=0, max_digits=8, decimal_places=2)]
    """
    bounds = [None if bound is None else Decimal(bound) for bound in (ge, gt, le, lt, multiple_of)]
    at_least, above, at_most, below, step = bounds
    limits = Limits(at_least, above, at_most, below, step, max_digits, decimal_places)
    return msgspec.Meta(extra={LIMITS: limits})


def normalize(annotation: Any) -> Any:
    """Return *annotation* with `Meta(ge=…)` on a `Decimal` made into `decimal_limits`.

    Only what is written in the annotation itself is reached, not the fields of a class.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        base, *extras = arguments
        if base is Decimal:
            extras = [_decimal_meta(each) if isinstance(each, msgspec.Meta) else each for each in extras]
        base = normalize(base)
        for extra in extras:
            base = Annotated[base, extra]
        return base
    if origin in (Union, types.UnionType):
        return Union[tuple(normalize(each) for each in arguments)]  # noqa: UP007 - made at run time
    if origin in (list, set, frozenset, tuple, dict):
        generic: Any = origin
        return generic[tuple(each if each is ... else normalize(each) for each in arguments)]
    return annotation


def _decimal_meta(meta: msgspec.Meta) -> msgspec.Meta:
    bounds = [meta.ge, meta.gt, meta.le, meta.lt, meta.multiple_of]
    if all(bound is None for bound in bounds):
        return meta
    ge, gt, le, lt, multiple_of = (None if bound is None else str(bound) for bound in bounds)
    return decimal_limits(ge=ge, gt=gt, le=le, lt=lt, multiple_of=multiple_of)


def is_dict(value: Any) -> TypeGuard[dict[Any, Any]]:
    """Return whether *value* is a dict, and say so to type checkers."""
    return isinstance(value, dict)


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Return whether *value* is a list, and say so to type checkers."""
    return isinstance(value, list)


def is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    """Return whether *value* is a mapping, and say so to type checkers."""
    return isinstance(value, Mapping)


def unwrap(shape: shapes.Type) -> tuple[shapes.Type, Limits]:
    """Return *shape* without its metadata, and the decimal limits found there."""
    limits = Limits()
    while isinstance(shape, shapes.Metadata):
        found = cast("dict[str, Any] | None", shape.extra)
        limits = found.get(LIMITS, limits) if found else limits
        shape = shape.type
    return shape, limits


def needs(*wanted: shapes.Type, code: str = "type") -> Wrong:
    """Return the `Wrong` that says which kinds of value would do."""
    names = [_NOUNS.get(type(unwrap(each)[0]), ("array", "a list")) for each in wanted]
    text = " or ".join(dict.fromkeys(noun for _, noun in names))
    expected = "|".join(dict.fromkeys(name for name, _ in names))
    return Wrong(code, f"{text[0].upper()}{text[1:]} is needed.", expected=expected)


def takes_blank(shape: shapes.Type) -> bool:
    """Return whether an empty text is a value of *shape*; elsewhere it means *not given*."""
    shape, _ = unwrap(shape)
    if isinstance(shape, shapes.UnionType):
        return not any(isinstance(each, shapes.NoneType) for each in shape.types) and any(map(takes_blank, shape.types))
    if isinstance(shape, shapes.EnumType):
        return any(member.value == "" for member in shape.cls)
    if isinstance(shape, shapes.LiteralType):
        return "" in shape.values
    return isinstance(shape, shapes.StrType | shapes.AnyType | shapes.DictType)


def text_leaf(shape: shapes.Type) -> Leaf | None:
    """Return the reader of one string, or `None` where *shape* is no scalar."""
    shape, limits = unwrap(shape)
    match shape:
        case shapes.UnionType():
            return _any_of(shape)
        case shapes.BoolType():
            return lambda text: _lookup(_BOOLS, text.lower(), shape)
        case shapes.IntType():
            return lambda text: _within(_integer_of(text, shape), shape)
        case shapes.FloatType():
            return lambda text: _within(_finite(float(_numeral(text, shape))), shape)
        case shapes.DecimalType():
            check = decimal_check(limits)
            return lambda text: check(Decimal(_numeral(text, shape)))
        case shapes.StrType():
            check_text = _text_check(shape)
            return lambda text: check_text(_writable(text))
        case shapes.EnumType():
            members = {str(member.value): member for member in shape.cls}
            return lambda text: members[text] if text in members else _enum(text, shape.cls)
        case shapes.LiteralType():
            values = {str(value): value for value in shape.values}
            return lambda text: _chosen(values, text)
        case shapes.AnyType():
            return _writable
        case _ if type(shape) in _PARSED:
            parse = _parser(shape)
            # Browsers leave out seconds that are zero, which RFC 3339 does not allow.
            return lambda text: parse(f"{text}:00" if _NO_SECONDS(text) else text)
        case _:
            return None


def json_leaf(shape: shapes.Type) -> Leaf | None:
    """Return the check of one JSON value, or `None` where *shape* is no scalar.

    Real numbers arrive as `Decimal`, and whole ones too long to hold as a `float` infinity.
    """
    shape, limits = unwrap(shape)
    match shape:
        case shapes.NoneType():
            return lambda value: _expect(value, shape, type(None))
        case shapes.BoolType():
            return lambda value: _expect(value, shape, bool)
        case shapes.IntType():
            return lambda value: _within(_bits(_expect(value, shape, int, float)), shape)
        case shapes.FloatType():
            return lambda value: _within(_finite(_as_float(_expect(value, shape, int, float, Decimal))), shape)
        case shapes.DecimalType():
            check = decimal_check(limits)
            return lambda value: check(_as_decimal(_expect(value, shape, int, float, Decimal, str), shape))
        case shapes.StrType():
            check_text = _text_check(shape)
            return lambda value: check_text(_expect(value, shape, str))
        case shapes.EnumType():
            return lambda value: _enum(value, shape.cls)
        case shapes.LiteralType():
            values = {(type(value), value): value for value in shape.values}
            return lambda value: _chosen(values, (type(value), value))
        case _ if type(shape) in _PARSED:
            parse = _parser(shape)
            return lambda value: parse(_expect(value, shape, str))
        case _:
            return None


def decimal_check(limits: Limits) -> Callable[[Decimal], Decimal]:
    """Return the check of a `Decimal`: finite and short before any arithmetic touches it."""
    most, places = limits.max_digits, limits.decimal_places
    bounds = (limits.ge, limits.gt, limits.le, limits.lt, limits.multiple_of)
    is_bounded = any(bound is not None for bound in bounds)

    def check(value: Decimal) -> Decimal:
        _, digits, exponent = value.as_tuple()
        if isinstance(exponent, str):
            raise _not_finite()
        fraction = max(-exponent, 0)
        whole = max(exponent if digits == (0,) else len(digits) + exponent, 0)
        if whole + fraction > most or (places is not None and whole > most - places):
            raise Wrong("too_many_digits", f"At most {most} digits are allowed.", max_digits=most)
        if places is not None and fraction > places:
            raise Wrong("too_many_places", f"At most {places} decimal places are allowed.", decimal_places=places)
        return _within(value, limits) if is_bounded else value

    return check


def _any_of(shape: shapes.UnionType) -> Leaf | None:
    # Text fits every string, so it is asked last.
    members = sorted(
        (each for each in shape.types if not isinstance(each, shapes.NoneType)),
        key=lambda each: isinstance(unwrap(each)[0], shapes.StrType),
    )
    leaves = [text_leaf(each) for each in members]

    def read(text: str) -> Any:
        wrongs: list[Wrong] = []
        for leaf in leaves:
            try:
                return leaf(text)  # type: ignore[misc]  # None was excluded below
            except Wrong as wrong:
                wrongs.append(wrong)
        raise wrongs[-1] if len(wrongs) == 1 else needs(*members)

    return None if None in leaves else read


def _expect(value: Any, shape: shapes.Type, *kinds: type) -> Any:
    if type(value) not in kinds:
        raise needs(shape)
    return value


def _lookup(table: dict[str, Any], text: str, shape: shapes.Type) -> Any:
    if text not in table:
        raise needs(shape)
    return table[text]


def _integer_of(text: str, shape: shapes.Type) -> int:
    if _INTEGER(text) is None:
        raise needs(shape)
    # 19 digits hold every 64-bit number; int() of more is work that a client chooses.
    if len(text.lstrip("+-")) > 19:
        return int(_bits(-math.inf if text[0] == "-" else math.inf))
    return int(_bits(int(text)))


def _bits(value: float) -> float:
    if value < _SMALLEST:
        raise Wrong("too_small", f"At least {_SMALLEST} is needed.", ge=_SMALLEST)
    if value > _LARGEST:
        raise Wrong("too_large", f"At most {_LARGEST} is allowed.", le=_LARGEST)
    return value


def _numeral(text: str, shape: shapes.Type) -> str:
    if len(text) > 400:
        raise Wrong("too_many_digits", "At most 400 characters are allowed in a number.", max_digits=400)
    if _REAL(text) is None:
        raise _not_finite() if _NOT_FINITE(text) else needs(shape)
    return text


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise _not_finite()
    return value


def _not_finite() -> Wrong:
    return Wrong("not_finite", "A finite number is needed.")


def _as_decimal(value: Any, shape: shapes.Type) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation:
        raise needs(shape, code="format") from None


def _within(value: N, limits: Any) -> N:  # Any: IntType, FloatType and Limits have these five names
    if limits.ge is not None and value < limits.ge:
        raise Wrong("too_small", f"At least {limits.ge} is needed.", ge=limits.ge)
    if limits.gt is not None and value <= limits.gt:
        raise Wrong("too_small", f"More than {limits.gt} is needed.", gt=limits.gt)
    if limits.le is not None and value > limits.le:
        raise Wrong("too_large", f"At most {limits.le} is allowed.", le=limits.le)
    if limits.lt is not None and value >= limits.lt:
        raise Wrong("too_large", f"Less than {limits.lt} is needed.", lt=limits.lt)
    step = limits.multiple_of
    if step is not None and (math.fmod(value, step) if isinstance(value, float) else value % step) != 0:
        raise Wrong("step", f"A multiple of {step} is needed.", multiple_of=step)
    return value


def check_length(count: int, least: int | None, most: int | None, unit: str) -> None:
    """Raise `Wrong` where *count* lies outside *least* and *most*."""
    if least is not None and count < least:
        raise Wrong("too_short", f"At least {_counted(least, unit)} needed.", min_length=least)
    if most is not None and count > most:
        raise Wrong("too_long", f"At most {_counted(most, unit)} allowed.", max_length=most)


def _counted(count: int, unit: str) -> str:
    return f"1 {unit} is" if count == 1 else f"{count} {unit}s are"


def _text_check(shape: shapes.StrType) -> Callable[[str], str]:
    search = re.compile(shape.pattern).search if shape.pattern is not None else None
    least, most = shape.min_length, shape.max_length

    def check(text: str) -> str:
        check_length(len(text), least, most, "character")
        if search is not None and search(text) is None:
            raise Wrong("pattern", "The text does not have the form that is needed.", pattern=shape.pattern)
        return text

    return check


def _writable(text: str) -> str:
    # NUL and lone surrogates are in no text a person types, and break databases and encoders.
    if "\0" in text or (not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text)):
        raise Wrong("format", "The text contains a character that cannot be stored.", expected="text")
    return text


def _parser(shape: shapes.Type) -> Callable[[str], Any]:
    kind: Any = _PARSED[type(shape)]

    def parse(text: str) -> Any:
        try:
            value: Any = msgspec.convert(text, kind)
        except (ValueError, OverflowError):
            raise needs(shape, code="format") from None
        if isinstance(shape, shapes.BytesType):
            check_length(len(value), shape.min_length, shape.max_length, "byte")
        wants_zone = getattr(shape, "tz", None)
        if wants_zone is not None and (value.tzinfo is not None) is not wants_zone:
            word = "A" if wants_zone else "No"
            raise Wrong("format", f"{word} time zone is needed.", expected="time zone", tz=wants_zone)
        return value

    return parse


def _enum(value: Any, cls: type[Enum]) -> Any:
    try:
        return msgspec.convert(value, cls)
    except (ValueError, TypeError):
        raise choice_needed([member.value for member in cls]) from None


def _chosen(values: dict[Any, Any], key: Any) -> Any:
    try:
        return values[key]
    except (KeyError, TypeError):  # TypeError: a list or an object cannot be looked up
        raise choice_needed(list(values.values())) from None


def choice_needed(choices: list[Any]) -> Wrong:
    """Return the `Wrong` that lists the choices, where they are ten or fewer."""
    listed = f": {', '.join(map(str, choices))}" if len(choices) <= 10 else ""
    return Wrong("choice", f"One of the choices is needed{listed}.", choices=choices)
