"""The encoder of a declared result: what is not declared does not leave the house."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import is_
from typing import Any, TypeAlias, TypeGuard, is_typeddict

import msgspec
from msgspec import inspect as shapes

from ..errors import UsageError, cut
from .coercion import MISSING, is_mapping, normalize, unwrap
from .walking import ARRAYS, OBJECTS, inspect_type, key_class, name_of

__all__ = ["result_encoder"]

Reduce: TypeAlias = Callable[[Any], Any]  # returns the value itself where it holds nothing undeclared


def result_encoder(annotation: Any) -> Callable[[Any], bytes]:
    """Return the encoder of a declared result: its JSON, with declared fields only.

    A value that is exactly of the declared types is encoded at once. Anything else
    (a larger object, a subclass, a dict, a model) is read field by field, at every depth.

    Raises:
        SetupError: The type cannot be written as JSON (`handling/unsupported-type`).
    """
    reduce = _Reducer().node(inspect_type(annotation))
    wanted = normalize(annotation)
    encode = msgspec.json.Encoder().encode
    if reduce is None:
        return encode

    def encode_result(value: Any) -> bytes:
        reduced = reduce(value)
        if reduced is value:
            return encode(value)
        try:
            return encode(msgspec.convert(reduced, wanted))
        except msgspec.ValidationError as error:
            raise UsageError(
                f"The handler returned {cut(value)}, which does not make {name_of(annotation)}: {error}.",
                code="handling/result-mismatch",
                why="A declared result is made of the declared fields; one is absent or of another type.",
                hint="Return an object that has them, or change the return annotation or response=.",
            ) from error

    return encode_result


class _Reducer:
    """Builds the function that reduces a value to what its type declares, in JSON's terms."""

    def __init__(self) -> None:
        self._made: dict[Any, Reduce] = {}
        self._flat: dict[Reduce, type] = {}  # the class of objects whose fields hold no objects

    def node(self, shape: shapes.Type) -> Reduce | None:
        """Return the function for *shape*, or `None` where nothing can be undeclared."""
        shape, _ = unwrap(shape)
        if isinstance(shape, shapes.UnionType):
            return self._union(shape)
        if isinstance(shape, OBJECTS):
            key = shape.cls
            if key in self._made:
                return lambda value: self._made[key](value)  # a type that holds itself: bound when called
            self._made[key] = _itself
            self._made[key] = self._object(shape)
            return self._made[key]
        if isinstance(shape, ARRAYS):
            item = self.node(shape.item_type)
            return None if item is None else _each(item, self._flat.get(item))
        if isinstance(shape, shapes.TupleType):
            items = [self.node(each) or _itself for each in shape.item_types]
            return None if all(each is _itself for each in items) else _places(items)
        if isinstance(shape, shapes.DictType):
            item = self.node(shape.value_type)
            return None if item is None else _entries(item)
        return None

    def _object(self, shape: Any) -> Reduce:
        cls: type = dict if is_typeddict(shape.cls) else key_class(shape)
        names = frozenset(field.encode_name for field in shape.fields) if cls is dict else None
        inner = [(field.name, field.encode_name, self.node(field.type)) for field in shape.fields]
        fields = [(name, wire, item or _itself) for name, wire, item in inner]
        nested = [(name, item) for name, _, item in inner if item is not None]
        tag = {shape.tag_field: shape.tag} if getattr(shape, "tag_field", None) is not None else {}
        as_array = isinstance(shape, shapes.NamedTupleType) or getattr(shape, "array_like", False)

        def is_exact(value: Any) -> bool:
            if names is not None and not value.keys() <= names:
                return False
            for name, item in nested:
                held = value.get(name) if names is not None else getattr(value, name)
                if item(held) is not held:
                    return False
            return True

        is_flat = not nested and names is None

        def reduce(value: Any) -> Any:
            if type(value) is cls and (is_flat or is_exact(value)):
                return value
            if isinstance(value, _PLAIN):
                return value
            found: dict[str, Any] = dict(tag)
            from_mapping = is_mapping(value)
            for name, wire, item in fields:
                held = value.get(wire, value.get(name, MISSING)) if from_mapping else getattr(value, name, MISSING)
                if held is not MISSING and held is not msgspec.UNSET:
                    found[wire] = item(held)
            return list(found.values()) if as_array else found

        if is_flat:
            self._flat[reduce] = cls
        return reduce

    def _union(self, shape: shapes.UnionType) -> Reduce | None:
        members = [(unwrap(each)[0], self.node(each)) for each in shape.types]
        objects = [(key_class(each), item) for each, item in members if item is not None and isinstance(each, OBJECTS)]
        others = [item for each, item in members if item is not None and not isinstance(each, OBJECTS)]
        if not objects and not others:
            return None

        def reduce(value: Any) -> Any:
            if isinstance(value, _PLAIN):
                return value
            for cls, item in objects:
                if isinstance(cls, type) and isinstance(value, dict if issubclass(cls, dict) else cls):
                    return item(value)
            if others and (not objects or isinstance(value, list | tuple | set | frozenset)):
                return others[0](value)
            return objects[0][1](value)

        return reduce


_PLAIN = (str, int, float, bytes, type(None))


def _is_many(value: Any) -> TypeGuard[Iterable[Any]]:
    return hasattr(value, "__iter__") and not isinstance(value, str | bytes | Mapping)


def _itself(value: Any) -> Any:
    return value


def _each(item: Reduce, flat: type | None) -> Reduce:
    only = {flat}

    def reduce(value: Any) -> Any:
        kind: type = type(value)  # pyright: ignore[reportUnknownVariableType]  # of anything
        if kind is list and flat is not None and set(map(type, value)) <= only:
            return value
        if not _is_many(value):
            return value
        found = [item(each) for each in value]
        return value if kind in (list, tuple) and all(map(is_, found, value)) else found

    return reduce


def _places(items: list[Reduce]) -> Reduce:
    def reduce(value: Any) -> Any:
        if type(value) not in (list, tuple):
            return value
        found = [item(each) for item, each in zip(items, value, strict=False)]
        return value if all(map(is_, found, value)) else [*found, *value[len(found) :]]

    return reduce


def _entries(item: Reduce) -> Reduce:
    def reduce(value: Any) -> Any:
        if not is_mapping(value):
            return value
        found = {name: item(each) for name, each in value.items()}
        return value if all(map(is_, found.values(), value.values())) else found

    return reduce
