"""Reads a whole value by its type, and reports every fault on the way.

One walker is built per type at start-up, in one of two modes. For *JSON* it judges what
the fast decoder refused. For *text* (forms, queries) it is the reader: it takes a `Tree`
of strings and returns what `msgspec.convert` makes the value of. A reader in a walker
returns the value, or adds to the faults and returns anything.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, TypeAlias

import msgspec
from msgspec import inspect as shapes

from ..errors import Fault, SetupError, ValidationError, cut
from .coercion import (
    MISSING,
    Leaf,
    Wrong,
    check_length,
    choice_needed,
    is_dict,
    is_list,
    json_leaf,
    needs,
    normalize,
    takes_blank,
    text_leaf,
    unwrap,
)

__all__ = [
    "ARRAYS",
    "OBJECTS",
    "Faults",
    "Pairs",
    "Path",
    "Read",
    "Tree",
    "Walker",
    "fault_of",
    "inspect_type",
    "is_optional",
    "key_class",
    "members_of",
    "missing",
    "name_of",
    "unsupported",
    "walk",
]

Path: TypeAlias = tuple[str | int, ...]
Pairs: TypeAlias = Iterable[tuple[str, Any]]
Read: TypeAlias = Callable[[Any, Path, "Faults"], Any]

MOST_FAULTS = 100

OBJECTS: Final = (shapes.StructType, shapes.TypedDictType, shapes.DataclassType, shapes.NamedTupleType)
ARRAYS: Final = (shapes.ListType, shapes.SetType, shapes.FrozenSetType, shapes.VarTupleType)

_MOST_PARTS = 20
_NAME_PART = re.compile(r"([^.\[\]]+)((?:\[[0-9]{1,6}\])*)(?:\.(?=[^.])|$)")
_PLACE = re.compile(r"\.([^.\[\]`]+)|\[([0-9]+)\]")


class _Enough(Exception):  # ends a walk
    pass


class Faults(list[Fault]):
    """The faults of one input; ends the walk before the answer becomes a flood."""

    def add(self, path: Path, wrong: Wrong) -> None:
        """Add what is *wrong* at *path*."""
        self.take([Fault(path, wrong.code, wrong.message, wrong.params)])

    def take(self, faults: Iterable[Fault]) -> None:
        """Add faults that were found elsewhere."""
        for fault in faults:
            if len(self) >= MOST_FAULTS:
                raise _Enough
            self.append(fault)


class Tree:
    """Pairs with nested names: what was sent under a name, and under the names below it."""

    __slots__ = ("children", "values")

    def __init__(self, values: list[Any]) -> None:
        self.values: list[Any] = values
        self.children: dict[str | int, Tree] = {}

    @classmethod
    def of(cls, pairs: Pairs) -> Tree:
        """Return the tree of *pairs*; a name of another grammar than ours stays whole."""
        root = cls([])
        for name, value in pairs:
            tree = root
            for part in _parts_of(name):
                tree = tree.children.setdefault(part, cls([]))
            tree.values.append(value)
        return root

    @property
    def is_blank(self) -> bool:
        """Whether nothing was sent, or only empty texts."""
        return not self.children and not any(self.values)


def _parts_of(name: str) -> list[str | int]:
    if "." not in name and "[" not in name:
        return [name]
    found: list[str | int] = []
    at = 0
    while at < len(name):
        match = _NAME_PART.match(name, at)
        if match is None or len(found) > _MOST_PARTS:
            return [name]
        found.append(match[1])
        found.extend(int(index) for index in match[2].strip("[]").split("][") if index)
        at = match.end()
    return found


def walk(read: Read, raw: Any, path: Path) -> tuple[Any, Faults]:
    """Return what *read* makes of *raw*, and every fault (at most 100)."""
    faults = Faults()
    value = None
    try:
        value = read(raw, path, faults)
    except _Enough:
        pass
    except RecursionError:
        faults.append(Fault(path, "too_deep", "The value is nested too deeply."))
    return value, faults


class Walker:
    """Builds the reader of one type.

    Args:
        text: Whether it reads a `Tree` of strings, not JSON.
        is_form: Whether an absent `bool` is an unchecked box.
        upload: The class of uploaded files, where they may be fields.

    Attributes:
        has_open_integer: Whether the type can hold whole numbers of any length.
    """

    def __init__(self, *, text: bool, is_form: bool = False, upload: type | None = None) -> None:
        self.text = text
        self.is_form = is_form
        self.upload = upload
        self.has_open_integer: bool = False
        self._made: dict[Any, Read] = {}

    def node(self, shape: shapes.Type) -> Read:
        """Return the reader of *shape*.

        Raises:
            SetupError: It holds a type that cannot be read (`handling/unsupported-type`).
        """
        bare, _ = unwrap(shape)
        if isinstance(bare, shapes.UnionType):
            return self._union(bare)
        if isinstance(bare, OBJECTS):
            return self._object(bare)
        if isinstance(bare, ARRAYS):
            return self._array(bare)
        if isinstance(bare, shapes.TupleType):
            return self._tuple([self.node(each) for each in bare.item_types])
        if isinstance(bare, shapes.DictType):
            return self._dict(bare)
        if isinstance(bare, shapes.CustomType) and self.upload is not None and issubclass(bare.cls, self.upload):
            return self._leaf(lambda value: value, accepts=bare.cls)
        self.has_open_integer |= isinstance(bare, shapes.IntType | shapes.AnyType)
        if isinstance(bare, shapes.AnyType | shapes.RawType) and not self.text:
            return _read_any
        leaf = text_leaf(shape) if self.text else json_leaf(shape)
        if leaf is None:
            raise unsupported(getattr(bare, "cls", type(bare).__name__.removesuffix("Type").lower()))
        return self._leaf(leaf)

    def _leaf(self, leaf: Leaf, *, accepts: type = str) -> Read:
        def read_json(raw: Any, path: Path, faults: Faults) -> Any:
            try:
                return leaf(_accept(raw, accepts) if accepts is not str else raw)
            except Wrong as wrong:
                return faults.add(path, wrong)

        def read_text(tree: Tree, path: Path, faults: Faults) -> Any:
            try:
                return leaf(_accept(_only(tree), accepts))
            except Wrong as wrong:
                return faults.add(path, wrong)

        return read_text if self.text else read_json

    # Objects

    def _object(self, shape: Any) -> Read:
        key = shape.cls
        if key not in self._made:
            self._made[key] = _read_any  # a type that holds itself finds this; it is replaced before any use
            self._made[key] = self._new_object(shape)
        return lambda raw, path, faults: self._made[key](raw, path, faults)

    def _new_object(self, shape: Any) -> Read:
        read_field = self._fields(shape)
        names = [field.encode_name for field in shape.fields]
        tag_field, tag = getattr(shape, "tag_field", None), getattr(shape, "tag", None)
        is_tuple = isinstance(shape, shapes.NamedTupleType)
        as_array = is_tuple or getattr(shape, "array_like", False)
        order = names if tag_field is None else [tag_field, *names]
        forbids = is_tuple or getattr(shape, "forbid_unknown_fields", False)
        checks_itself = hasattr(key_class(shape), "__post_init__")

        def read(raw: Any, path: Path, faults: Faults) -> Any:
            given = self._named(raw, order if as_array else None)
            if given is None:
                return faults.add(path, _list_needed() if as_array and not self.text else needs(shape))
            before = len(faults)
            values: dict[str, Any] = {}
            if tag_field is not None:
                values[tag_field] = tag
                self._check_tag(given.get(tag_field), tag, (*path, tag_field), faults)
            read_field(given, values, path, faults)
            if forbids:
                for name in given.keys() - set(order):
                    faults.add((*path, name), Wrong("unknown_field", "There is no such field.", name=name))
            made = [values[name] for name in order if name in values] if as_array else values
            if checks_itself and len(faults) == before:
                _let_check_itself(shape.cls, made, path, faults)
            return made

        return read

    def _fields(self, shape: Any) -> Callable[[dict[Any, Any], dict[str, Any], Path, Faults], None]:
        fields = [
            (
                field.encode_name,
                self.node(field.type),
                field.required,
                self.text and is_optional(field.type),
                self.text and not takes_blank(field.type),
                self.is_form and isinstance(unwrap(field.type)[0], shapes.BoolType),
            )
            for field in shape.fields
        ]

        def read(given: dict[Any, Any], values: dict[str, Any], path: Path, faults: Faults) -> None:
            for name, read_field, required, optional, drops_blank, is_box in fields:
                child = given.get(name, MISSING)
                blank = child is not MISSING and drops_blank and child.is_blank
                if child is not MISSING and not blank:
                    values[name] = read_field(child, (*path, name), faults)
                elif optional and (blank or required):
                    values[name] = None
                elif required and is_box:
                    values[name] = False
                elif required:
                    faults.add((*path, name), missing())

        return read

    def _named(self, raw: Any, order: list[str] | None) -> dict[Any, Any] | None:
        """Return the fields that were sent, by name, or `None` where these are no fields."""
        if self.text:
            return None if any(raw.values) else raw.children
        if order is None:
            return raw if is_dict(raw) else None
        if not is_list(raw):
            return None
        rest: dict[Any, Any] = dict.fromkeys(range(len(order), len(raw)))
        return {**dict(zip(order, raw, strict=False)), **rest}

    def _check_tag(self, sent: Any, tag: Any, path: Path, faults: Faults) -> None:
        sent = _tag_of(sent)
        if sent is not None and sent != (str(tag) if self.text else tag):
            faults.add(path, choice_needed([tag]))

    # Lists and dicts

    def _array(self, shape: Any) -> Read:
        read_item = self.node(shape.item_type)
        keeps_blank = takes_blank(shape.item_type)
        is_set = isinstance(shape, shapes.SetType | shapes.FrozenSetType)

        def read(raw: Any, path: Path, faults: Faults) -> Any:
            found = self._items(raw, keeps_blank=keeps_blank)
            if found is None:
                return faults.add(path, _list_needed())
            before = len(faults)
            items = [read_item(item, (*path, index), faults) for index, item in found]
            if len(faults) == before:
                count = _count_different(items) if is_set else len(items)
                _check_size(count, shape.min_length, shape.max_length, "item", path, faults)
            return items

        return read

    def _tuple(self, readers: list[Read]) -> Read:
        size = len(readers)

        def read(raw: Any, path: Path, faults: Faults) -> Any:
            found = self._items(raw, keeps_blank=True)
            if found is None:
                return faults.add(path, _list_needed())
            _check_size(len(found), size, size, "item", path, faults)
            pairs = zip(readers, found, strict=False)
            return [read_item(item, (*path, index), faults) for read_item, (index, item) in pairs]

        return read

    def _items(self, raw: Any, *, keeps_blank: bool) -> list[tuple[int, Any]] | None:
        """Return the items of a list with their indices, of which a form may leave some out."""
        if not self.text:
            return list(enumerate(raw)) if is_list(raw) else None
        if not raw.children:
            return [(index, Tree([each])) for index, each in enumerate(raw.values) if each or keeps_blank]
        if any(raw.values) or any(isinstance(key, str) for key in raw.children):
            return None
        return sorted(raw.children.items())

    def _dict(self, shape: shapes.DictType) -> Read:
        read_key = _text_key(shape.key_type)
        read_value = self.node(shape.value_type)
        self.has_open_integer |= isinstance(unwrap(shape.key_type)[0], shapes.IntType)

        def read(raw: Any, path: Path, faults: Faults) -> Any:
            given = self._named(raw, None)
            if given is None:
                return faults.add(path, needs(shape))
            found: dict[Any, Any] = {}
            for name, item in given.items():
                key = read_key(str(name), (*path, name), faults)
                found[key] = read_value(item, (*path, name), faults)
            _check_size(len(given), shape.min_length, shape.max_length, "item", path, faults)
            return found

        return read

    # Unions

    def _union(self, shape: shapes.UnionType) -> Read:
        optional = is_optional(shape)
        members = [each for each in members_of(shape) if not isinstance(each, shapes.NoneType)]
        # Text fits every string, so it is tried last.
        members.sort(key=lambda each: self.text and isinstance(each, shapes.StrType | shapes.AnyType))
        by_member = [(self.node(each), _kinds(each)) for each in members]
        structs = [each for each in members if isinstance(each, shapes.StructType)]
        read_tagged = self._tagged(structs) if len(structs) > 1 else None
        struct_kind = list if structs and structs[0].array_like and not self.text else dict

        def read(raw: Any, path: Path, faults: Faults) -> Any:
            if optional and (raw.is_blank if self.text else raw is None):
                return None
            kind: type[Any] = (dict if raw.children else str) if self.text else raw.__class__
            if read_tagged is not None and kind is struct_kind:
                return read_tagged(raw, path, faults)
            tried: list[Faults] = []
            for read_member, kinds in by_member:
                if self.text or kind in kinds:
                    tried.append(Faults())
                    value = read_member(raw, path, tried[-1])
                    if not tried[-1]:
                        return value
            return faults.take(tried[0]) if len(tried) == 1 else faults.add(path, needs(*members))

        return read

    def _tagged(self, structs: list[shapes.StructType]) -> Read:
        readers = {str(each.tag) if self.text else each.tag: self.node(each) for each in structs}
        tag_field = str(structs[0].tag_field)
        array_like = structs[0].array_like and not self.text

        def read(raw: Any, path: Path, faults: Faults) -> Any:
            if array_like:
                sent = raw[0] if raw else None
            else:
                sent = _tag_of((raw.children if self.text else raw).get(tag_field))
            if sent is None:
                return faults.add((*path, tag_field), missing())
            if isinstance(sent, str | int) and sent in readers:
                return readers[sent](raw, path, faults)
            return faults.add((*path, tag_field), choice_needed([each.tag for each in structs]))

        return read


def _read_any(raw: Any, path: Path, faults: Faults) -> Any:
    if is_dict(raw):
        return {name: _read_any(item, (*path, name), faults) for name, item in raw.items()}
    if is_list(raw):
        return [_read_any(item, (*path, index), faults) for index, item in enumerate(raw)]
    if raw is None or isinstance(raw, bool | str):
        return raw
    try:
        return _any_real(raw) if isinstance(raw, Decimal) else _any_integer(raw)
    except Wrong as wrong:
        return faults.add(path, wrong)


_any_real: Leaf = json_leaf(shapes.FloatType())  # type: ignore[assignment]  # numbers are scalars
_any_integer: Leaf = json_leaf(shapes.IntType())  # type: ignore[assignment]  # numbers are scalars


def _only(tree: Tree) -> Any:
    if tree.children:
        raise Wrong("type", "One value is needed, not a group of them.", expected="value")
    if len(tree.values) > 1:
        count = len(tree.values)
        raise Wrong("too_many", f"One value is allowed; {count} were sent.", count=count)
    return tree.values[0] if tree.values else ""


def _accept(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        expected = "text" if kind is str else "a file"
        raise Wrong("type", f"{expected.capitalize()} is needed.", expected=expected.removeprefix("a "))
    return value


def _text_key(shape: shapes.Type) -> Read:
    leaf = text_leaf(shape)
    if leaf is None:
        raise unsupported(f"a dict with keys of type {type(shape).__name__.removesuffix('Type').lower()}")

    def read(name: Any, path: Path, faults: Faults) -> Any:
        try:
            return leaf(name)
        except Wrong as wrong:
            message = f"The name is not right: {wrong.message}"
            return faults.add(path, Wrong("key", message, rule=wrong.code, **wrong.params))

    return read


def _kinds(shape: shapes.Type) -> frozenset[type[Any]]:
    """Return the Python types in which JSON may bring a value of *shape*."""
    shape, _ = unwrap(shape)
    match shape:
        case shapes.BoolType():
            return frozenset({bool})
        case shapes.IntType():
            return frozenset({int, float})
        case shapes.FloatType():
            return frozenset({int, float, Decimal})
        case shapes.DecimalType():
            return frozenset({int, float, Decimal, str})
        case shapes.EnumType():
            return frozenset(member.value.__class__ for member in shape.cls)
        case shapes.LiteralType():
            return frozenset(type(value) for value in shape.values)
        case shapes.StructType(array_like=True) | shapes.NamedTupleType() | shapes.TupleType():
            return frozenset({list})
        case shapes.StructType() | shapes.TypedDictType() | shapes.DataclassType() | shapes.DictType():
            return frozenset({dict})
        case shapes.AnyType() | shapes.RawType():
            return frozenset({bool, int, float, Decimal, str, list, dict, type(None)})
        case _:
            return frozenset({list} if isinstance(shape, ARRAYS) else {str})


def _let_check_itself(cls: Any, made: Any, path: Path, faults: Faults) -> None:
    """Run `__post_init__`, whose `ValueError` is a fault of the object."""
    try:
        msgspec.convert(made, cls)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, ValidationError):
            faults.take(dataclasses.replace(each, path=(*path, *each.path)) for each in error.__cause__.faults)
        else:
            faults.take([fault_of(error, path)])


def _count_different(items: list[Any]) -> int:
    try:
        return len(set(items))
    except TypeError:  # objects, which become hashable only when they are made
        return len({repr(each) for each in items})


def _check_size(count: int, least: int | None, most: int | None, unit: str, path: Path, faults: Faults) -> None:
    try:
        check_length(count, least, most, unit)
    except Wrong as wrong:
        faults.add(path, wrong)


def _tag_of(raw: Any) -> Any:
    if isinstance(raw, Tree):
        return raw.values[0] if raw.values else None
    return raw


def key_class(shape: Any) -> Any:
    """Return the class of an object's shape; of `Page[Item]`, `Page`."""
    return getattr(shape.cls, "__origin__", shape.cls)


def members_of(shape: shapes.Type) -> list[shapes.Type]:
    """Return the members of a union, or the shape itself; only limits stay wrapped around them."""
    bare, _ = unwrap(shape)
    if isinstance(bare, shapes.UnionType):
        return [each for member in bare.types for each in members_of(member)]
    return [shape if isinstance(bare, shapes.DecimalType) else bare]


def is_optional(shape: shapes.Type) -> bool:
    """Return whether `None` is a value of *shape*."""
    return any(isinstance(each, shapes.NoneType) for each in members_of(shape))


def missing() -> Wrong:
    """Return what is wrong where nothing was sent."""
    return Wrong("missing", "This value is needed.")


def _list_needed() -> Wrong:
    return Wrong("type", "A list is needed.", expected="array")


def fault_of(error: msgspec.ValidationError, path: Path) -> Fault:
    """Return the fault that msgspec found and the walk has no rule for."""
    message, _, place = str(error).rpartition(" - at `$")
    inner = [int(index) if index else name for name, index in _PLACE.findall(place)] if message else []
    return Fault((*path, *inner), "invalid", message or str(error))


def inspect_type(annotation: Any) -> shapes.Type:
    """Return the shape of *annotation*.

    Raises:
        SetupError: msgspec has no such type (`handling/unsupported-type`).
    """
    try:
        wanted = normalize(annotation)
        msgspec.json.Decoder(wanted)
        return shapes.type_info(wanted)
    except (TypeError, NameError, ValueError) as error:
        raise unsupported(annotation, str(error)) from None


def unsupported(annotation: Any, reason: str = "") -> SetupError:
    """Return the error that names a type which no input can become."""
    hint = (
        "Use a Struct, dataclass or TypedDict, made of bool, int, float, Decimal, str, bytes, datetime, date, "
        "time, timedelta, UUID, Enum, Literal, and lists, sets, tuples, dicts and unions of these."
    )
    if "Decimal" in reason:
        hint = "Write Annotated[Decimal, decimal_limits(ge=0)]: Meta cannot limit a Decimal in a class."
    return SetupError(
        f"The type {name_of(annotation)} cannot be read from a request.",
        code="handling/unsupported-type",
        why=reason or "Input is JSON, or text that has one meaning.",
        hint=hint,
    )


def name_of(annotation: Any) -> str:
    """Return *annotation* as a person would write it."""
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, type):
        return annotation.__qualname__
    return cut(annotation, 200).replace("typing.", "")
