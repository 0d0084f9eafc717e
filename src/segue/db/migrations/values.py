"""Python values as JSON, as source, and back.

Holds: `encode`, `decode`, `source`: what a snapshot keeps, and what a migration file shows.
Imports: expressions, fields and types of the data layer.
Never: imports a user's module while a snapshot is read; a function is looked up when it is called.

A plain value stands for itself. What JSON has no word for is an object with one key that
begins with `$`; an expression is the call that makes it: `{"$call": "Lower", "args": […]}`.
"""

# Facts, rows and models of users are of any type here.
# pyright: reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import base64
import enum
import inspect
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from ...errors import cut
from ..errors import ModelError
from ..expressions.base import Combined, Expression, OrderBy, Raw
from ..expressions.functions.dates import Zone
from ..expressions.q import AND, XOR, Q
from ..fields.base import Field
from ..fields.relations import SET, OnDelete
from ..shapes import Keyer, UnshapedError

__all__ = ["Imports", "Reference", "decode", "encode", "raw_sql", "same_text", "source"]

_MICROSECOND = timedelta(microseconds=1)
# Parameters that an expression keeps under another name.
_KEPT_AS = {"then": "result", "part": "kind", "lookup_name": "kind", "tzinfo": "zone"}
_OPERATORS = ("+", "-", "*", "/", "%", "**")


class Reference:
    """A function that a model names, found by its path when it is called.

    So a migration can be read after the function has gone; only calling it needs it.
    """

    def __init__(self, path: str) -> None:
        self.path: str = path

    def __call__(self, *arguments: Any) -> Any:
        module, _, name = self.path.partition(":")
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
        return found(*arguments)

    def __repr__(self) -> str:
        return f"reference({self.path!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and other.path == self.path

    def __hash__(self) -> int:
        return hash(self.path)


# To JSON


def encode(value: Any) -> Any:
    """Return *value* as JSON.

    Raises:
        ModelError: A migration cannot keep it (`data/migration-value`).
    """
    if value is None or type(value) in (bool, int, str):
        return value
    if isinstance(value, enum.Enum):
        return encode(value.value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str | int):
        return str(value) if isinstance(value, str) else int(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(each) for each in cast("list[Any]", value)]
    if isinstance(value, Mapping):
        pairs = cast("Mapping[Any, Any]", value)  # type: ignore[redundant-cast]  # pyright must be told
        return {"$dict": {str(key): encode(each) for key, each in sorted(pairs.items(), key=lambda pair: str(pair[0]))}}
    for kind, name, write in _SCALARS:
        if isinstance(value, kind):
            return {f"${name}": write(value)}
    if isinstance(value, Q):
        return _encode_q(value)
    if isinstance(value, Zone) and not value.fixed:
        return {"$zone": value.value}
    if isinstance(value, Raw):
        return {"$raw": _sql_of(value.element)}
    if isinstance(value, Expression):
        return _encode_call(value)
    if isinstance(value, OnDelete):
        return value.name if value.name != "SET" else {"$set": encode(value.value)}
    if isinstance(value, Field):
        field = cast("Field[Any]", value)  # type: ignore[redundant-cast]  # pyright must be told
        return {"$field": {name: encode(each) for name, each in field.deconstruct_item().items()}}
    if isinstance(value, sa.types.TypeEngine):
        return _encode_type(cast("Any", value))
    if isinstance(value, sa.ClauseElement):
        return {"$sql": _sql_of(value)}
    if isinstance(value, Reference):
        return {"$function": value.path}
    if callable(value):
        return _encode_function(value)
    raise _unkept(value)


_SCALARS: tuple[tuple[type, str, Callable[[Any], Any]], ...] = (
    (datetime, "datetime", datetime.isoformat),
    (date, "date", date.isoformat),
    (time, "time", time.isoformat),
    (timedelta, "microseconds", lambda value: value // _MICROSECOND),
    (Decimal, "decimal", str),
    (UUID, "uuid", str),
    (bytes, "bytes", lambda value: base64.b64encode(value).decode()),
)


def _encode_q(condition: Q) -> Any:
    children: list[Any] = []
    for child in condition.children:
        if isinstance(child, tuple):
            name, value = cast("tuple[str, Any]", child)
            children.append([name, encode(value)])
            continue
        inner = encode(child)
        # One form for what means the same, as joining the parts by operators would make it.
        same = inner.get("connector", AND) == condition.connector != XOR or len(inner.get("$q", ())) == 1
        if "$q" in inner and not inner.get("negated") and (same or len(condition.children) == 1):
            if len(condition.children) == 1 and len(inner["$q"]) > 1:
                return {**inner, "negated": True} if condition.negated else inner
            children.extend(inner["$q"])
        elif "$q" in inner and len(condition.children) == 1:
            return inner if not condition.negated else {"$q": [inner], "negated": True}
        else:
            children.append(inner)
    found: dict[str, Any] = {"$q": children}
    if condition.connector != AND and len(children) > 1:
        found["connector"] = condition.connector
    if condition.negated:
        found["negated"] = True
    return found


def _encode_call(expression: Expression) -> Any:
    kind = type(expression)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    is_skipped = False
    for parameter in _parameters(kind):
        if parameter.kind is parameter.VAR_KEYWORD:
            continue
        value = _kept(expression, parameter.name, len(positional))
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(encode(each) for each in value)
        elif parameter.default is not parameter.empty and _is_default(kind, parameter, value):
            is_skipped = True
        elif parameter.kind is parameter.KEYWORD_ONLY or is_skipped:
            named[parameter.name] = encode(value)
        else:
            positional.append(encode(value))
    found: dict[str, Any] = {"$call": _path_of(kind)}
    if positional:
        found["args"] = positional
    if named:
        found["named"] = named
    if not _same_shape(expression, decode(found)):
        raise _unkept(expression)
    return found


def _parameters(kind: type) -> list[inspect.Parameter]:
    return list(inspect.signature(kind.__init__).parameters.values())[1:]  # type: ignore[misc]  # what makes it


def _kept(expression: Any, name: str, at: int) -> Any:
    for attribute in (name, _KEPT_AS.get(name, name), f"_{name}"):
        if hasattr(expression, attribute):
            return getattr(expression, attribute)
    # A function keeps its arguments together.
    arguments = getattr(expression, "expressions", ())
    if at < len(arguments):
        return arguments[at]
    raise _unkept(expression)


def _is_default(kind: type, parameter: inspect.Parameter, value: Any) -> bool:
    if parameter.name in ("output_field", "function"):
        return value is None or value is getattr(kind, parameter.name, None) or value == ""
    if parameter.name in ("part", "kind", "lookup_name"):
        return bool(value == getattr(kind, "part", ""))
    default = parameter.default
    if value is default:
        return True
    try:
        return bool(value == default) and type(value) is type(default)
    except Exception:  # of a user's own __eq__
        return False


def _same_shape(one: Any, two: Any) -> bool:
    first, second = Keyer(), Keyer()
    try:
        return bool(one.shape(first) == two.shape(second)) and first.values == second.values
    except (AttributeError, UnshapedError):
        return True  # it holds a Q that no query has resolved, or raw SQL: both were encoded by themselves


def _encode_type(kind: Any) -> Any:
    found: dict[str, Any] = {"$type": f"{type(kind).__module__}:{type(kind).__qualname__}"}
    named: dict[str, Any] = {}
    for parameter in _parameters(type(kind)):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = getattr(kind, parameter.name, parameter.default)
        if value is not parameter.default:
            named[parameter.name] = encode(value)
    return {**found, "named": named} if named else found


def _sql_of(element: Any) -> str:
    if isinstance(element, sa.TextClause):
        return element.text
    try:
        return str(element.compile(compile_kwargs={"literal_binds": True}))
    except SQLAlchemyError as error:
        raise _unkept(element) from error


def _encode_function(function: Any) -> Any:
    function = getattr(function, "__func__", function)
    owner = getattr(function, "__self__", None)
    name = getattr(function, "__qualname__", "")
    module = getattr(function, "__module__", None) or getattr(owner, "__module__", None)
    if not name or not module or "<" in name:
        raise _unkept(function)
    return {"$function": f"{module}:{name}"}


def raw_sql(text: str) -> Raw:
    """Return SQL as an expression: of one kind of database, and never of anybody's input."""
    return Raw(sa.literal_column(text))


def _unkept(value: Any) -> ModelError:
    return ModelError(
        f"A migration cannot keep {cut(value)}.",
        code="data/migration-value",
        why="Values of models are written into files: plain values, dates, decimals, UUIDs, F, Q, functions of "
        "the database and functions of a module can be.",
        hint="For a default that is computed, give a function that is defined in a module (no lambda).",
    )


# From JSON


def decode(value: Any) -> Any:
    """Return the value that *value* was made from."""
    if isinstance(value, list):
        return [decode(each) for each in cast("list[Any]", value)]  # type: ignore[redundant-cast]  # pyright must be told
    if not isinstance(value, dict):
        return value
    facts = cast("dict[str, Any]", value)
    name = next((each for each in facts if each.startswith("$")), None)
    return _DECODERS[name](facts) if name is not None else {key: decode(each) for key, each in facts.items()}


def _decode_q(facts: dict[str, Any]) -> Q:
    condition = Q()
    condition.children = tuple(
        (each[0], decode(each[1])) if isinstance(each, list) else decode(each) for each in facts["$q"]
    )
    condition.connector = facts.get("connector", AND)
    condition.negated = facts.get("negated", False)
    return condition


def _decode_call(facts: dict[str, Any]) -> Any:
    kind = _find(facts["$call"])
    positional = [decode(each) for each in facts.get("args", ())]
    named = {name: decode(each) for name, each in facts.get("named", {}).items()}
    return kind(*positional, **named)


def _decode_field(facts: dict[str, Any]) -> Any:
    from .fields import build_field

    return build_field(facts["$field"], "")


def _decode_type(facts: dict[str, Any]) -> Any:
    return _find(facts["$type"])(**{name: decode(each) for name, each in facts.get("named", {}).items()})


_DECODERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "$dict": lambda facts: {name: decode(each) for name, each in facts["$dict"].items()},
    "$datetime": lambda facts: datetime.fromisoformat(facts["$datetime"]),
    "$date": lambda facts: date.fromisoformat(facts["$date"]),
    "$time": lambda facts: time.fromisoformat(facts["$time"]),
    "$microseconds": lambda facts: facts["$microseconds"] * _MICROSECOND,
    "$decimal": lambda facts: Decimal(facts["$decimal"]),
    "$uuid": lambda facts: UUID(facts["$uuid"]),
    "$bytes": lambda facts: base64.b64decode(facts["$bytes"]),
    "$zone": lambda facts: ZoneInfo(facts["$zone"]),
    "$q": _decode_q,
    "$call": _decode_call,
    "$set": lambda facts: SET(decode(facts["$set"])),
    "$field": _decode_field,
    "$type": _decode_type,
    "$sql": lambda facts: sa.text(facts["$sql"]),
    "$raw": lambda facts: raw_sql(facts["$raw"]),
    "$function": lambda facts: Reference(facts["$function"]),
}


def _path_of(kind: type) -> str:
    """The name in `segue.db` where it is public there, else module and name."""
    import segue.db as public
    from segue.db import functions

    if getattr(public, kind.__name__, None) is kind:
        return kind.__name__  # type: ignore[no-any-return]  # of facts of any kind
    if getattr(functions, kind.__name__, None) is kind:
        return f"functions.{kind.__name__}"
    return f"{kind.__module__}:{kind.__qualname__}"


def _find(path: str) -> Any:
    module, colon, name = path.partition(":")
    found: Any = import_module(module if colon else "segue.db")
    for part in (name if colon else path).split("."):
        found = getattr(found, part)
    return found


# To source


class Imports:
    """What the source of a migration must import, gathered while it is written."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.names: dict[str, set[str]] = {}

    def module(self, name: str) -> str:
        """Import a module; return how it is called."""
        self.modules.add(name)
        return name

    def name(self, module: str, name: str) -> str:
        """Import a name from a module; return it."""
        self.names.setdefault(module, set()).add(name.partition(".")[0])
        return name

    def lines(self) -> list[str]:
        """Return the statements, sorted."""
        plain = [f"import {name}" for name in sorted(self.modules)]
        return plain + [
            f"from {module} import {', '.join(sorted(self.names[module]))}" for module in sorted(self.names)
        ]


def source(value: Any, imports: Imports) -> str:
    """Return Python source that makes the value of encoded *value*."""
    if isinstance(value, list):
        return f"[{', '.join(source(each, imports) for each in cast('list[Any]', value))}]"  # type: ignore[redundant-cast]  # pyright must be told
    if not isinstance(value, dict):
        return same_text(value)
    facts = cast("dict[str, Any]", value)
    name = next((each for each in facts if each.startswith("$")), "")
    writer = _SOURCES.get(name)
    if writer is not None:
        return writer(facts, imports)
    shown = repr(decode(facts))
    if name == "$decimal":
        return f"{imports.name('decimal', 'Decimal')}({facts[name]!r})"
    if name == "$uuid":
        return f"{imports.name('uuid', 'UUID')}({facts[name]!r})"
    if name in ("$datetime", "$date", "$time", "$microseconds"):
        imports.module("datetime")
    return shown


def same_text(value: Any) -> str:
    """Return a plain value as source, texts in double quotes."""
    if isinstance(value, str) and '"' not in value and "\\" not in value and value.isprintable():
        return f'"{value}"'
    return repr(value)


def _source_q(facts: dict[str, Any], imports: Imports) -> str:
    parts = facts["$q"]
    connector = facts.get("connector", AND)
    db = _db(imports)
    plain = [each for each in parts if isinstance(each, list)]
    if connector == AND and not facts.get("negated") and len(plain) == len(parts) and _are_names(plain):
        return f"{db}.Q({', '.join(f'{name}={source(value, imports)}' for name, value in plain)})"
    symbol = {"AND": " & ", "OR": " | ", "XOR": " ^ "}[connector]
    texts: list[str] = []
    for each in parts:
        if isinstance(each, list):
            name, content = cast("list[Any]", each)  # type: ignore[redundant-cast]  # pyright must be told
            texts.append(f"{db}.Q({name}={source(content, imports)})")
        else:
            text = source(each, imports)
            is_q = isinstance(each, dict) and "$q" in each
            texts.append(
                f"({text})" if is_q and len(cast("Any", each)["$q"]) > 1 else text if is_q else f"{db}.Q({text})"
            )
    joined = symbol.join(texts)
    if not facts.get("negated"):
        return joined
    return f"~({joined})" if len(texts) > 1 else f"~{joined}"


def _are_names(pairs: list[Any]) -> bool:
    names = [name for name, _ in pairs]
    return len(set(names)) == len(names) and names == sorted(names) and all(name.isidentifier() for name in names)


def _source_call(facts: dict[str, Any], imports: Imports) -> str:
    path, positional, named = facts["$call"], facts.get("args", []), dict(facts.get("named", {}))
    if path.endswith(f":{Combined.__qualname__}") and positional[1] in _OPERATORS and not named:
        left, right = (_operand(each, imports) for each in (positional[0], positional[2]))
        return f"{left} {positional[1]} {right}"
    if path.endswith(f":{OrderBy.__qualname__}"):
        method = "desc" if named.pop("descending", False) else "asc"
        options = ", ".join(f"{name}=True" for name in named)
        return f"{_operand(positional[0], imports)}.{method}({options})"
    texts = [source(each, imports) for each in positional]
    texts += [f"{name}={source(each, imports)}" for name, each in named.items()]
    return f"{_name(path, imports)}({', '.join(texts)})"


def _operand(value: Any, imports: Imports) -> str:
    text = source(value, imports)
    return f"({text})" if isinstance(value, dict) and str(value.get("$call", "")).endswith(":Combined") else text  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]  # JSON


def _name(path: str, imports: Imports) -> str:
    module, colon, name = path.partition(":")
    if colon:
        return imports.name(module, name)
    if path.startswith("functions."):
        imports.name("segue.db", "functions")
        return path
    return f"{_db(imports)}.{path}"


def _db(imports: Imports) -> str:
    return imports.name("segue", "db")


def _source_field(facts: dict[str, Any], imports: Imports) -> str:
    from .fields import field_source

    return field_source(facts["$field"], "", imports)


def _source_type(facts: dict[str, Any], imports: Imports) -> str:
    named = ", ".join(f"{name}={source(each, imports)}" for name, each in facts.get("named", {}).items())
    return f"{_name(facts['$type'], imports)}({named})"


def _source_dict(facts: dict[str, Any], imports: Imports) -> str:
    pairs = [f"{same_text(name)}: {source(each, imports)}" for name, each in facts["$dict"].items()]
    return "{" + ", ".join(pairs) + "}"


def _source_function(facts: dict[str, Any], imports: Imports) -> str:
    module, _, name = facts["$function"].partition(":")
    if module == "builtins":
        return name  # type: ignore[no-any-return]  # of facts of any kind
    if module.partition(".")[0] in sys.stdlib_module_names:
        return f"{imports.module(module)}.{name}"
    return f"{imports.name('segue.db', 'migrations')}.reference({same_text(facts['$function'])})"


_SOURCES: dict[str, Callable[[dict[str, Any], Imports], str]] = {
    "$q": _source_q,
    "$call": _source_call,
    "$field": _source_field,
    "$type": _source_type,
    "$dict": _source_dict,
    "$function": _source_function,
    "$zone": lambda facts, imports: f"{imports.name('zoneinfo', 'ZoneInfo')}({same_text(facts['$zone'])})",
    "$set": lambda facts, imports: f"{_db(imports)}.SET({source(facts['$set'], imports)})",
    "$raw": lambda facts, imports: f"{imports.name('segue.db', 'migrations')}.sql({same_text(facts['$raw'])})",
    "$sql": lambda facts, imports: f"{imports.module('sqlalchemy')}.text({same_text(facts['$sql'])})",
}
