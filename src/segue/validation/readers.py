"""What a client sent, read as what an annotation says; every fault of it, found at once.

The good path is one msgspec decoder made at start-up; only what it refuses is walked, to
collect every fault. Forms and queries hold nothing but strings: there the walk is the reader.
This is the door of the three modules beside it: `coercion`, `walking` and `declared`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from decimal import Decimal, InvalidOperation
from operator import attrgetter, methodcaller
from typing import Any, Protocol, TypeAlias, TypeGuard

import msgspec
from msgspec import inspect as shapes

from ..errors import BadRequest, Fault, UnsupportedMediaType
from .coercion import (
    MISSING,
    Limits,
    Wrong,
    decimal_check,
    decimal_limits,
    is_dict,
    normalize,
    takes_blank,
    text_leaf,
    unwrap,
)
from .walking import (
    OBJECTS,
    Pairs,
    Path,
    Read,
    Tree,
    Walker,
    fault_of,
    inspect_type,
    is_optional,
    key_class,
    members_of,
    missing,
    name_of,
    unsupported,
    walk,
)

__all__ = [
    "BodyReader",
    "Files",
    "Invalid",
    "body_reader",
    "decimal_limits",
    "is_scalar",
    "list_reader",
    "scalar_reader",
    "struct_reader",
]

Test: TypeAlias = Callable[[Any], bool]

_ZEROS = bytes(48 if 48 <= byte < 58 else 32 for byte in range(256))  # every digit becomes a zero


class Invalid(Exception):  # carries faults to the endpoint, which raises ValidationError
    """Input broke its rules. The faults are found when they are first asked for."""

    def __init__(self, faults: list[Fault] | Callable[[], list[Fault]]) -> None:
        super().__init__("the input is not valid")
        self._faults = faults

    @property
    def faults(self) -> list[Fault]:
        """Every fault of this input, at most 100."""
        if callable(self._faults):
            self._faults = self._faults()
        return self._faults


class Files(Protocol):
    """The uploaded files of a form."""

    def multi_items(self) -> Pairs:
        """Return `(name, file)` for each file."""
        ...


def is_scalar(annotation: Any) -> bool:
    """Return whether one string can hold a value of *annotation*."""
    try:
        shape = shapes.type_info(normalize(annotation))
    except Exception:  # whatever msgspec cannot read is no scalar; who needs the type reports it
        return False
    members = [each for each in members_of(shape) if not isinstance(each, shapes.NoneType)]
    unfit = shapes.AnyType | shapes.BytesType
    return bool(members) and all(text_leaf(each) is not None and not isinstance(each, unfit) for each in members)


def scalar_reader(annotation: Any, *, default: Any = MISSING, name: str, source: str) -> Callable[[str | None], Any]:
    """Return the reader of one string from the query, path, headers, cookies or form.

    `None`, and an empty text where it is no value of the type, mean *not given*: the
    default, else `None` where the annotation allows it, else a fault. An empty text
    for an optional is `None`, whatever the default.

    Raises:
        SetupError: No string can hold *annotation* (`handling/unsupported-type`).
    """
    shape = inspect_type(annotation)
    leaf = text_leaf(shape)
    if leaf is None:
        raise unsupported(annotation)
    optional = is_optional(shape)
    keeps_blank = takes_blank(shape)

    def read(text: str | None) -> Any:
        if text is None or (not text and not keeps_blank):
            if default is not MISSING and not (optional and text is not None):
                return default
            if optional:
                return None
            raise _invalid((source, name), missing())
        try:
            return leaf(text)
        except Wrong as wrong:
            raise _invalid((source, name), wrong) from None

    return _shortcut(shape, read)


def _shortcut(shape: shapes.Type, read: Callable[[str | None], Any]) -> Callable[[str | None], Any]:
    """Return a reader that decides the plain values of the commonest types by itself.

    PERF: a third of the time of *read*, which judges everything else.
    """
    if isinstance(shape, shapes.IntType) and shape.multiple_of is None:
        low = max(
            -(10**18), -(10**18) if shape.ge is None else shape.ge, -(10**18) if shape.gt is None else shape.gt + 1
        )
        high = min(10**18, 10**18 if shape.le is None else shape.le, 10**18 if shape.lt is None else shape.lt - 1)

        def read_int(text: str | None) -> Any:
            # Up to 18 ASCII digits need no pattern.
            if text is not None and len(text) < 19 and text.isdecimal() and text.isascii():
                value = int(text)
                if low <= value <= high:
                    return value
            return read(text)

        return read_int
    if isinstance(shape, shapes.StrType) and shape.pattern is None:
        shortest = shape.min_length or 0
        longest = 1_000_000_000 if shape.max_length is None else shape.max_length

        def read_str(text: str | None) -> Any:
            if text is not None and shortest <= len(text) <= longest and text.isascii() and "\0" not in text:
                return text
            return read(text)

        return read_str
    return read


def list_reader(annotation: Any, *, default: Any = MISSING, name: str, source: str) -> Callable[[list[str]], Any]:
    """Return the reader of a repeated name; nothing sent means *not given*."""
    shape = inspect_type(annotation)
    wanted = normalize(annotation)
    read = Walker(text=True).node(shape)
    optional = is_optional(shape)

    def read_all(values: list[str]) -> Any:
        if values:
            return _made_of(read, Tree(values), (source, name), wanted)
        if default is MISSING and not optional:
            raise _invalid((source, name), missing())
        return None if default is MISSING else default

    return read_all


def struct_reader(annotation: Any) -> Callable[[Pairs], Any]:
    """Return the reader of a Struct, dataclass or TypedDict gathered from query pairs."""
    read = Walker(text=True).node(inspect_type(annotation))
    wanted = normalize(annotation)
    return lambda pairs: _made_of(read, Tree.of(pairs), ("query",), wanted)


def body_reader(annotation: Any, *, upload: type | None = None) -> BodyReader:
    """Return the reader of a body.

    Args:
        annotation: A Struct, dataclass or TypedDict (from JSON or a form), or any type JSON can hold.
        upload: The class of uploaded files, which may then be fields of a form.

    Raises:
        SetupError: The type cannot be read (`handling/unsupported-type`).
    """
    return BodyReader(annotation, upload=upload)


class BodyReader:
    """Reads one type from JSON and, where it has fields, from forms."""

    def __init__(self, annotation: Any, *, upload: type | None = None) -> None:
        self.annotation: Any = normalize(annotation)
        shape = inspect_type(annotation)
        walker = Walker(text=False, upload=upload)
        self._json = walker.node(shape)
        self._has_integers = walker.has_open_integer
        self._fits = _DecimalTests().test(shape)
        self._decode = msgspec.json.Decoder(self.annotation).decode
        has_fields = any(isinstance(each, (*OBJECTS, shapes.DictType)) for each in members_of(shape))
        self._form = Walker(text=True, upload=upload, is_form=True).node(shape) if has_fields else None

    def __repr__(self) -> str:
        return f"<BodyReader {name_of(self.annotation)}>"

    def from_json(self, body: bytes) -> Any:
        """Return the value in *body*.

        Raises:
            BadRequest: It is no JSON (`http/bad-json`).
            Invalid: It is JSON, and not what the type says.
        """
        try:
            value = self._decode(body)
        except msgspec.ValidationError as error:
            refusal = error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise _bad_json(error) from None
        else:
            # What the decoder does not judge: whole numbers over 64 bits, and decimals.
            # PERF: 19 digits in a row, as every number over 64 bits has, show as three in every
            # sixth byte; that is looked at first.
            is_long = (
                self._has_integers
                and body[5::6].translate(_ZEROS).find(b"000") >= 0
                and b"0000000000000000000" in body.translate(_ZEROS)
            )
            if is_long or (self._fits is not None and not self._fits(value)):
                faults = self._json_faults(_parse(body))
                if faults:
                    raise Invalid(faults)
            return value
        raw = _parse(body)
        raise Invalid(lambda: self._json_faults(raw) or [fault_of(refusal, ("body",))])

    def from_form(self, pairs: Pairs, files: Files | None = None) -> Any:
        """Return the value in the fields of a form.

        Names may nest as fault paths are written: `address.city`, `items[0].price`; a
        list is also a repeated name. A `bool` that is absent is an unchecked box.

        Raises:
            UnsupportedMediaType: The type has no fields, so no form can hold it.
            Invalid: The fields are not what the type says.
        """
        if self._form is None:
            raise UnsupportedMediaType("A form is not read here; send JSON.", hint="Content-Type: application/json")
        uploads = files.multi_items() if files is not None else ()
        return _made_of(self._form, Tree.of([*pairs, *uploads]), ("form",), self.annotation)

    def faults_of(self, raw: bytes | Pairs, files: Files | None = None) -> list[Fault]:
        """Return every fault of a body, at most 100; empty where it is valid.

        Raises:
            BadRequest: *raw* is bytes, and no JSON (`http/bad-json`).
        """
        try:
            if isinstance(raw, bytes):
                self.from_json(raw)
            else:
                self.from_form(raw, files)
        except Invalid as invalid:
            return invalid.faults
        return []

    def _json_faults(self, raw: Any) -> list[Fault]:
        return walk(self._json, raw, ("body",))[1]


def _invalid(path: Path, wrong: Wrong) -> Invalid:
    return Invalid([Fault(path, wrong.code, wrong.message, wrong.params)])


def _made_of(read: Read, tree: Tree, path: Path, wanted: Any) -> Any:
    """Return the value of type *wanted* that a tree of strings makes."""
    value, faults = walk(read, tree, path)
    if faults:
        raise Invalid(faults)
    try:
        return msgspec.convert(value, wanted)
    except msgspec.ValidationError as error:
        raise Invalid([fault_of(error, path)]) from None


def _parse(body: bytes) -> Any:
    """Return JSON with every number intact, however long: see `coercion.json_leaf`."""
    import json

    try:
        return json.loads(
            body.decode(), parse_float=_parse_real, parse_int=_parse_integer, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise _bad_json(error) from None


def _parse_integer(text: str) -> float:
    if len(text) < 400:
        return int(text)
    return -math.inf if text[0] == "-" else math.inf


def _parse_real(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what a Decimal holds
        return Decimal("Infinity")


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _bad_json(error: BaseException) -> BadRequest:
    if isinstance(error, RecursionError):
        return BadRequest("The JSON is nested too deeply.", code="http/bad-json")
    if isinstance(error, UnicodeDecodeError):
        return BadRequest("The body is not UTF-8.", code="http/bad-json")
    return BadRequest("The body is not JSON.", code="http/bad-json", why=str(error))


class _DecimalTests:
    """Builds the test of a decoded value that visits only its decimals."""

    def __init__(self) -> None:
        self._made: dict[Any, Test] = {}

    def test(self, shape: shapes.Type) -> Test | None:
        """Return the test of *shape*, or `None` where it holds no decimal."""
        bare, limits = unwrap(shape)
        if isinstance(bare, shapes.DecimalType):
            return _fits(limits)
        if isinstance(bare, OBJECTS):
            return self._object(bare)
        if isinstance(bare, shapes.UnionType | shapes.TupleType):
            inner = bare.types if isinstance(bare, shapes.UnionType) else bare.item_types
            tests = [each for each in map(self.test, inner) if each is not None]
            if not tests:
                return None
            if isinstance(bare, shapes.UnionType):
                return tests[0] if len(tests) == 1 else lambda value: all(test(value) for test in tests)
            return _every_part([self.test(each) or _is_fine for each in inner])
        inner_type = getattr(bare, "item_type", None) or getattr(bare, "value_type", None)
        item = self.test(inner_type) if inner_type is not None else None
        return None if item is None else _every_item(item)

    def _object(self, shape: Any) -> Test | None:
        key = shape.cls
        if key in self._made:
            return lambda value: self._made[key](value)
        self._made[key] = _is_fine
        tests = [(field.name, test) for field in shape.fields if (test := self.test(field.type)) is not None]
        is_dict = isinstance(shape, shapes.TypedDictType)
        getters = [(methodcaller("get", name) if is_dict else attrgetter(name), test) for name, test in tests]
        cls = dict if is_dict else key_class(shape)

        def fits(value: Any) -> bool:
            if isinstance(value, cls):
                for get, test in getters:
                    if not test(get(value)):
                        return False
            return True

        self._made[key] = fits
        return fits if tests else None


def _fits(limits: Limits) -> Test:
    check = decimal_check(limits)

    def fits(value: Any) -> bool:
        try:
            return not isinstance(value, Decimal) or check(value) is value
        except Wrong:
            return False

    return fits


def _is_fine(value: Any) -> bool:
    return True


def _every_part(parts: list[Test]) -> Test:
    return lambda value: not _is_tuple(value) or all(test(each) for test, each in zip(parts, value, strict=False))


def _is_array(value: Any) -> TypeGuard[Iterable[Any]]:
    return isinstance(value, list | tuple | set | frozenset)


def _is_tuple(value: Any) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)


def _every_item(item: Test) -> Test:
    def test(value: Any) -> bool:
        if is_dict(value):
            return all(map(item, value.values()))
        return not _is_array(value) or all(map(item, value))

    return test
