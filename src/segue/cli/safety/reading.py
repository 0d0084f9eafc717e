"""Reading functions of users: is text put together from values that nothing made safe?

Holds: `Reader`, which follows local names back through one function; `Rules`, which say what is safe for
whom; finding the source of a function.
Imports: nothing of Segue.
Never: knows what the text is for: `html` and `sql` do.

It is a lint: it knows neither types nor what other functions do.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

__all__ = [
    "HOWS", "Function", "Mix", "Reader", "Rules", "Source", "article", "called", "leaves_of", "own_nodes", "parsed",
    "placeholders_of", "shown", "shown_path", "spec_of",
]  # fmt: skip

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

HOWS = ("f-string", "%", ".format()", "+")
"""How text may be put together."""

_NUMBERS = frozenset({"int", "float", "len", "round", "ord", "hash", "abs", "sum", "id", "bool", "count"})
_SAFE_TYPES = frozenset({"int", "float", "bool", "UUID", "Decimal", "date", "datetime", "time", "timedelta"})
_ARITHMETIC = (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow)
_UNCHANGED = frozenset({"strip", "lstrip", "rstrip", "encode", "replace", "lower", "upper", "title"})

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
_GROWING = frozenset({"append", "add", "insert", "setdefault"})
_SAME_ELEMENTS = frozenset({"list", "tuple", "set", "frozenset", "sorted", "reversed", "dict", "fromkeys"})
_OWN_ELEMENTS = frozenset({"keys", "values", "items", "copy"})
_HARMLESS = ast.Constant("")

_NUMBER_SPEC = re.compile(r".*[dfFeEgGxXobn%]").fullmatch
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[#0\- +]*[\d*.]*([a-zA-Z%])")


@dataclass(frozen=True, slots=True)
class Source:
    """A module that was read.

    Attributes:
        tree: What it says.
        assigned: The values of its own names, which its functions see.
    """

    tree: ast.Module
    assigned: dict[str, list[ast.expr]]


def parsed(path: str) -> Source | None:
    """Return the source of a file, or `None` where it has none: typed at a prompt, not there any more, too deep."""
    try:
        tree = ast.parse(Path(path).read_bytes(), path)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    assigned: dict[str, list[ast.expr]] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            for name, value in _bindings(statement):
                assigned.setdefault(name, []).append(value)
    return Source(tree, assigned)


def shown_path(path: str) -> str:
    """Return a path as it is shown: relative to here, where it lies below."""
    return path.removeprefix(os.getcwd() + os.sep)


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a function, or a module, without the functions and classes in it."""
    waiting = [node]  # no recursion: a chain of `elif` is as deep as it is long
    while waiting:
        inner = waiting.pop()
        if inner is not node:
            yield inner
        waiting += [each for each in reversed([*ast.iter_child_nodes(inner)]) if not isinstance(each, _SCOPES)]


@dataclass(frozen=True, slots=True)
class Mix:
    """Text put together from a value that nothing made safe.

    Attributes:
        how: One of `HOWS`, or `join` where joins count.
        whole: The expression.
        value: The value in it.
    """

    how: str
    whole: ast.expr
    value: ast.expr


def _always(answer: ast.Call | ast.Tuple) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rules:
    """What is safe for one use of text.

    Attributes:
        wrappers: Calls that hand on their first argument as it is.
        safe_calls: Calls that give what can do no harm, beside numbers.
        escaping: Calls whose result escapes what is added to it.
        counts: Whether a call of a wrapper, or a tuple, is one that matters.
        constants_are_safe: Whether a name in capitals is taken for one that no visitor reaches.
        joins_count: Whether text may be put together by `join` of single values too.
    """

    wrappers: frozenset[str]
    safe_calls: frozenset[str]
    escaping: frozenset[str] = frozenset()
    counts: Callable[[ast.Call | ast.Tuple], bool] = _always
    constants_are_safe: bool = False
    joins_count: bool = False


@dataclass(slots=True)
class Reader:
    """Reads one function, or what stands in a module outside all functions.

    Each name is judged once for a question, however often others are made of it.
    """

    source: Source
    node: Function | ast.Module
    rules: Rules
    values: dict[str, list[ast.expr]] = field(default_factory=dict[str, list[ast.expr]])
    grown: dict[str, list[ast.expr]] = field(default_factory=dict[str, list[ast.expr]])
    numbers: set[str] = field(default_factory=set[str])
    _bound: dict[int, str] = field(default_factory=dict[int, str])
    _open: set[str] = field(default_factory=set[str])
    _mixes: dict[str, Mix | None] = field(default_factory=dict[str, "Mix | None"])
    _safe: dict[str, bool] = field(default_factory=dict[str, bool])
    _contents: dict[str, list[ast.expr] | None] = field(default_factory=dict[str, "list[ast.expr] | None"])

    def __post_init__(self) -> None:
        if not isinstance(self.node, ast.Module):
            arguments = self.node.args
            for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
                self.values[argument.arg] = []
                if argument.annotation is not None and _is_safe_type(argument.annotation):
                    self.numbers.add(argument.arg)
        for node in own_nodes(self.node):
            for name, value in _bindings(node):
                self.values.setdefault(name, []).append(value)
            for name, value in _growth(node):
                self.grown.setdefault(name, []).append(value)
            if isinstance(node, _COMPREHENSIONS):
                self._note_comprehension(node)

    def mix(self, value: ast.expr) -> Mix | None:
        """Return how *value* was put together, if it is text with something unsafe in it."""
        for answers in (self._mixes, self._safe, self._contents):
            answers.clear()
        return self._mix(value)

    def is_joined(self, value: ast.expr) -> bool:
        """Whether a `join` stands in *value*, or made it: no single value can take its place."""
        made = [value, *(self._known(value) if isinstance(value, ast.Name) else ())]
        return any(isinstance(each, ast.Call) and called(each) == "join" for one in made for each in ast.walk(one))

    # Where names come from

    def _note_comprehension(self, node: ast.GeneratorExp | ast.ListComp | ast.SetComp | ast.DictComp) -> None:
        """Give the names of a comprehension keys of their own, for they are no names of the function."""
        own: set[str] = set()
        for generator in node.generators:
            for name, value in _targets(generator.target, generator.iter):
                own.add(name)
                self.values.setdefault(f"{name}@{id(node)}", []).append(value)
        outside = {id(each) for each in ast.walk(node.generators[0].iter)}
        for each in ast.walk(node):
            if isinstance(each, ast.Name) and each.id in own and id(each) not in outside:
                self._bound[id(each)] = f"{each.id}@{id(node)}"

    def _key(self, name: ast.Name) -> str:
        return self._bound.get(id(name), name.id)

    def _known(self, name: ast.Name) -> list[ast.expr]:
        key = self._key(name)
        return self.values[key] if key in self.values else self.source.assigned.get(key, [])

    # Judging expressions

    def _mix(self, value: ast.expr) -> Mix | None:
        match value:
            case ast.Tuple(elts=[first, *_]):
                return self._mix(first) if self.rules.counts(value) else None
            case ast.Await(value=inner) | ast.Subscript(value=inner, slice=ast.Slice()):
                return self._mix(inner)
            case ast.IfExp(body=body, orelse=orelse):
                return self._mix(body) or self._mix(orelse)
            case ast.BoolOp(values=values):
                return self._first(values)
            case ast.Name():
                return self._mix_of_name(value)
            case ast.Starred(value=items):
                return self._first(self._elements(items) or [])
            case ast.JoinedStr():
                return self._of(value, "f-string", _values_of(value))
            case ast.BinOp(left=left, op=ast.Mod(), right=right) if (text := self._text(left)) is not None:
                return self._of(value, "%", _arguments_of(text, right))
            case ast.BinOp(op=ast.Add()):
                return self._sum(value)
            case ast.Call():
                return self._call(value)
            case _:
                return None

    def _mix_of_name(self, name: ast.Name) -> Mix | None:
        key = self._key(name)
        if key in self._open:
            return None
        if key not in self._mixes:
            self._open.add(key)
            self._mixes[key] = self._first(self._known(name))
            self._open.discard(key)
        return self._mixes[key]

    def _first(self, values: list[ast.expr]) -> Mix | None:
        return next((mix for each in values if (mix := self._mix(each)) is not None), None)

    def _of(self, whole: ast.expr, how: str, values: list[ast.expr]) -> Mix | None:
        for each in values:
            if not self._is_safe(each):
                # The innermost is the one to mend.
                return self._mix(each) or Mix(how, whole, each.value if isinstance(each, ast.Starred) else each)
        return None

    def _sum(self, whole: ast.BinOp) -> Mix | None:
        leaves = leaves_of(whole)
        if any(isinstance(each, ast.Call) and called(each) in self.rules.escaping for each in leaves):
            return None
        if not any(self._is_textual(each) for each in leaves):
            return None  # numbers or lists
        return self._of(whole, "+", leaves)

    def _is_textual(self, value: ast.expr) -> bool:
        """Whether *value* is visibly text, or a name that is given text somewhere."""
        values = self._known(value) if isinstance(value, ast.Name) else [value]
        return any(
            isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str))
            for each in values
        )

    def _call(self, call: ast.Call) -> Mix | None:
        name = called(call)
        if isinstance(call.func, ast.Attribute):
            inside = call.func.value
            if name == "format" and self._text(inside) is not None:
                return self._of(call, ".format()", _arguments_in(call))
            if name == "join" and call.args:
                return self._joined(call)
            if name in _UNCHANGED:
                return self._mix(inside)
        if name in self.rules.wrappers and call.args and self.rules.counts(call):
            return self._mix(call.args[0])
        return None

    def _joined(self, call: ast.Call) -> Mix | None:
        items = self._elements(call.args[0]) or []
        mix = self._first(items)
        if mix is None and self.rules.joins_count and any(self._is_textual(each) for each in items):
            return self._of(call, "join", items)
        return mix

    def _is_safe(self, value: ast.expr) -> bool:
        """Whether nothing that a visitor sent can be in *value* as it was sent."""
        match value:
            case ast.Constant() | ast.Compare() | ast.UnaryOp():
                return True
            case ast.Name():
                return self._is_safe_name(value)
            case ast.Starred(value=items):
                return self._holds_safe(items)
            case ast.Subscript(value=inner, slice=ast.Slice()):
                return self._is_safe(inner)
            case ast.Subscript(value=items):
                return self._holds_safe(items)
            case ast.JoinedStr():
                return all(map(self._is_safe, _values_of(value)))
            case ast.BinOp(left=left, op=ast.Mod(), right=right) if (text := self._text(left)) is not None:
                return all(map(self._is_safe, _arguments_of(text, right)))
            case ast.BinOp(op=ast.Add()):
                return all(map(self._is_safe, leaves_of(value)))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                texts = [each for each in (left, right) if self._is_textual(each)]
                return all(map(self._is_safe, texts or (left, right)))
            case ast.BinOp(left=left, op=op, right=right):
                return isinstance(op, _ARITHMETIC) or (self._is_safe(left) and self._is_safe(right))
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_safe(body) and self._is_safe(orelse)
            case ast.BoolOp(values=values):
                return all(map(self._is_safe, values))
            case ast.Await(value=inner):
                return self._is_safe(inner)
            case ast.Call():
                return self._is_safe_call(value)
            case _:
                return False

    def _is_safe_name(self, name: ast.Name) -> bool:
        key = self._key(name)
        if key in self.numbers or (self.rules.constants_are_safe and name.id.isupper()):
            return True
        if key in self._open:
            return True  # a += b: what it was before is judged by its other assignments
        if key not in self._safe:
            known = self._known(name)
            self._open.add(key)
            self._safe[key] = bool(known) and all(map(self._is_safe, known))
            self._open.discard(key)
        return self._safe[key]

    def _is_safe_call(self, call: ast.Call) -> bool:
        name = called(call)
        if isinstance(call.func, ast.Attribute):
            inside = call.func.value
            if name == "join" and call.args:
                return self._holds_safe(call.args[0])
            if name == "format" and isinstance(inside, ast.Call) and called(inside) in self.rules.escaping:
                return True
            if name == "format" and self._text(inside) is not None:
                return all(map(self._is_safe, _arguments_in(call)))
            if name == "get" and call.args and self._holds_safe(inside):
                return all(map(self._is_safe, call.args[1:]))
            if name in _UNCHANGED and self._is_safe(inside):
                return all(map(self._is_safe, _arguments_in(call)))
        if name == "str" and len(call.args) == 1:
            return self._is_safe(call.args[0])
        return (name in _NUMBERS or name in self.rules.safe_calls) and self._mix(call) is None

    # What lists and other collections hold

    def _holds_safe(self, items: ast.expr) -> bool:
        """Whether it is known what *items* holds, and all of it is safe."""
        found = self._elements(items)
        return found is not None and all(map(self._is_safe, found))

    def _elements(self, items: ast.expr) -> list[ast.expr] | None:
        """Return all that *items* may hold, keys too; `None` where that is not known."""
        match items:
            case ast.Constant(value=str()):
                return [items]
            case ast.List(elts=values) | ast.Tuple(elts=values) | ast.Set(elts=values):
                return values
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return [each for key, value in pairs for each in ([key, value] if key else [_one_of(value)])]
            case ast.GeneratorExp(elt=item) | ast.ListComp(elt=item) | ast.SetComp(elt=item):
                return [item]
            case ast.DictComp(key=key, value=value):
                return [key, value]
            case ast.BinOp(op=ast.Add()):
                return self._all_elements(leaves_of(items))
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                return self._elements(left) or self._elements(right)
            case ast.IfExp(body=body, orelse=orelse):
                return self._all_elements([body, orelse])
            case ast.BoolOp(values=values):
                return self._all_elements(values)
            case ast.Subscript(value=inner, slice=ast.Slice()):
                return self._elements(inner)
            case ast.Starred(value=inner) | ast.Subscript(value=inner):
                held = self._elements(inner)
                return self._all_elements(held) if held is not None else None
            case ast.Name():
                return self._elements_of_name(items)
            case ast.Call():
                return self._elements_of_call(items)
            case _:
                return None

    def _all_elements(self, several: list[ast.expr]) -> list[ast.expr] | None:
        found: dict[int, ast.expr] = {}
        for each in several:
            held = self._elements(each)
            if held is None:
                return None
            found.update((id(one), one) for one in held)
        return [*found.values()]

    def _elements_of_name(self, name: ast.Name) -> list[ast.expr] | None:
        if self.rules.constants_are_safe and name.id.isupper():
            return [_HARMLESS]
        key = f"{self._key(name)}[]"
        if key in self._open:
            return []
        if key not in self._contents:
            self._open.add(key)
            known = self._known(name)
            found = self._all_elements([*known, *self.grown.get(self._key(name), [])]) if known else None
            self._open.discard(key)
            asked = any(each.endswith("[]") for each in self._open)
            self._contents[key] = found if found or asked else None  # what stays empty is filled somewhere else
        return self._contents[key]

    def _elements_of_call(self, call: ast.Call) -> list[ast.expr] | None:
        name = called(call)
        if isinstance(call.func, ast.Attribute) and name in _OWN_ELEMENTS:
            return self._elements(call.func.value)
        if isinstance(call.func, ast.Attribute) and name == "split":
            return [call.func.value]
        match name, call.args:
            case "range", _:
                return [_HARMLESS]
            case "repeat", [first, *_]:
                return [first]
            case "map", [ast.Name(id=function) | ast.Attribute(attr=function), items]:
                if function == "str":
                    return self._elements(items)
                return [_HARMLESS] if function in _NUMBERS or function in self.rules.safe_calls else None
            case _, [first, *_] if name in _SAME_ELEMENTS and not call.keywords:
                return self._elements(first)
            case _:
                return None

    def _text(self, value: ast.expr, seen: frozenset[str] = frozenset()) -> str | None:
        """Return the constant text that *value* is, where it is one."""
        match value:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name() if (key := self._key(value)) not in seen and len(known := self._known(value)) == 1:
                return self._text(known[0], seen | {key})
            case _:
                return None


def _bindings(node: ast.AST) -> list[tuple[str, ast.expr]]:
    """Return the names that a statement gives values to, and the values."""
    match node:
        case ast.Assign(targets=targets, value=value):
            return [each for target in targets for each in _assigned(target, value)]
        case (
            ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            | ast.NamedExpr(target=ast.Name(id=name), value=value)
        ):
            return [(name, value)]
        case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
            before = ast.copy_location(ast.Name(name, ast.Load()), target)
            return [(name, ast.copy_location(ast.BinOp(before, op, value), node))]
        case ast.For(target=target, iter=items) | ast.AsyncFor(target=target, iter=items):
            return _targets(target, items)
        case _:
            return []


def _assigned(target: ast.expr, value: ast.expr) -> list[tuple[str, ast.expr]]:
    match target, value:
        case ast.Name(id=name), _:
            return [(name, value)]
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), (ast.Tuple(elts=values) | ast.List(elts=values))) if (
            len(targets) == len(values) and not any(isinstance(each, ast.Starred) for each in [*targets, *values])
        ):
            pairs = zip(targets, values, strict=True)
            return [each for one, other in pairs for each in _assigned(one, other)]
        case ((ast.Tuple(elts=targets) | ast.List(elts=targets)), _):
            return [each for one in targets for each in _assigned(one, _one_of(value))]
        case _:
            return []


def _targets(target: ast.expr, items: ast.expr) -> list[tuple[str, ast.expr]]:
    """Return the names that a loop over *items* gives values to."""
    match target, items:
        case ast.Tuple(elts=[index, inner]), ast.Call(func=ast.Name(id="enumerate"), args=[counted, *_]):
            return [*_assigned(index, _HARMLESS), *_targets(inner, counted)]
        case ast.Tuple(elts=targets), ast.Call(func=ast.Name(id="zip"), args=several) if len(targets) == len(several):
            return [each for one, other in zip(targets, several, strict=True) for each in _targets(one, other)]
        case ast.Tuple(elts=targets), ast.Call(func=ast.Attribute(value=inside, attr="items")):
            return [each for one in targets for each in _targets(one, inside)]
        case _:
            return _assigned(target, _one_of(items))


def _growth(node: ast.AST) -> list[tuple[str, ast.expr]]:
    """Return the names of collections that a statement puts something into, and collections of what it puts there."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method), args=[*_, last]) if method in _GROWING:
            return [(name, ast.List([last], ast.Load()))]
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="extend" | "update"), args=several):
            named = ast.List([each.value for each in node.keywords], ast.Load())
            return [(name, each) for each in [*several, named]]
        case ast.Assign(targets=targets, value=value):
            held = ast.List([value], ast.Load())
            return [(name, held) for each in targets for name in _holder(each)]
        case _:
            return []


def _holder(target: ast.expr) -> list[str]:
    match target:
        case ast.Subscript(value=ast.Name(id=name)):
            return [name]
        case _:
            return []


def _one_of(items: ast.expr) -> ast.expr:
    """Return what stands for any element of *items*."""
    return ast.Starred(items, ast.Load())


def _arguments_in(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(each.value if each.arg else _one_of(each.value) for each in call.keywords)]


def _values_of(text: ast.JoinedStr) -> list[ast.expr]:
    """Return the values of an f-string, but those that a format makes numbers of."""
    found: list[ast.expr] = []
    for part in text.values:
        if isinstance(part, ast.FormattedValue) and not _NUMBER_SPEC(spec_of(part)):
            found.append(part.value)
    return found


def placeholders_of(text: str) -> list[str]:
    """Return what each `%` of a text makes of its value: `s`, `d`, …"""
    return _PLACEHOLDER.findall(text)


def _arguments_of(text: str, right: ast.expr) -> list[ast.expr]:
    """Return the values of a %-format, but those that it makes numbers of."""
    kinds = [kind for kind in placeholders_of(text) if kind != "%"]
    values = list(right.elts) if isinstance(right, ast.Tuple) else [right]
    if isinstance(right, ast.Dict):
        values = list(right.values)
    if len(kinds) != len(values):
        return values
    return [value for kind, value in zip(kinds, values, strict=True) if kind in "srac"]


def leaves_of(value: ast.expr) -> list[ast.expr]:
    """Return what is added up."""
    leaves: list[ast.expr] = []
    waiting = [value]
    while waiting:
        match waiting.pop():
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                waiting += [right, left]
            case leaf:
                leaves.append(leaf)
    return leaves


def called(call: ast.Call) -> str:
    """Return the last name of what is called."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_safe_type(annotation: ast.expr) -> bool:
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    parts = [part.strip().rpartition(".")[2] for part in str(text).split("|")]
    return all(part in _SAFE_TYPES or part == "None" for part in parts)


def spec_of(part: ast.FormattedValue) -> str:
    """Return the format of a value in an f-string."""
    return ast.unparse(part.format_spec)[2:-1] if part.format_spec is not None else ""


def article(how: str) -> str:
    """Return a way of putting text together as it is told."""
    return {"f-string": "an f-string", "join": "`.join()`"}.get(how, f"`{how}`")


def shown(value: ast.expr) -> str:
    """Return an expression as it is written, cut."""
    text = ast.unparse(value)
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"
