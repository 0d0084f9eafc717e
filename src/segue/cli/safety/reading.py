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
    "HOWS", "Function", "Mix", "Reader", "Rules", "article", "called", "leaves_of", "own_nodes", "parsed",
    "shown", "shown_path", "spec_of",
]  # fmt: skip

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

HOWS = ("f-string", "%", ".format()", "+")
"""How text may be put together."""

_NUMBERS = frozenset({"int", "float", "len", "round", "ord", "hash", "abs", "sum", "id", "bool", "count"})
_SAFE_TYPES = frozenset({"int", "float", "bool", "UUID", "Decimal", "date", "datetime", "time", "timedelta"})
_ARITHMETIC = (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow)
_UNCHANGED = frozenset({"strip", "lstrip", "rstrip", "encode", "replace", "lower", "upper", "title"})

_NUMBER_SPEC = re.compile(r".*[dfFeEgGxXobn%]").fullmatch
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[#0\- +]*[\d*.]*([a-zA-Z%])")


def parsed(path: str) -> ast.Module | None:
    """Return the source of a file, or `None` where it has none: typed at a prompt, or not there any more."""
    try:
        return ast.parse(Path(path).read_bytes(), path)
    except (OSError, SyntaxError, ValueError):
        return None


def shown_path(path: str) -> str:
    """Return a path as it is shown: relative to here, where it lies below."""
    return path.removeprefix(os.getcwd() + os.sep)


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a function, or a module, without the functions and classes in it."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield child
            yield from own_nodes(child)


@dataclass(frozen=True, slots=True)
class Mix:
    """Text put together from a value that nothing made safe.

    Attributes:
        how: One of `HOWS`.
        whole: The expression.
        value: The value in it.
    """

    how: str
    whole: ast.expr
    value: ast.expr


def _always(call: ast.Call) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rules:
    """What is safe for one use of text.

    Attributes:
        wrappers: Calls that hand on their first argument as it is.
        safe_calls: Calls that give what can do no harm, beside numbers.
        escaping: Calls whose result escapes what is added to it.
        counts: Whether a call of a wrapper is one that matters.
        constants_are_safe: Whether a name in capitals is taken for one that no visitor reaches.
    """

    wrappers: frozenset[str]
    safe_calls: frozenset[str]
    escaping: frozenset[str] = frozenset()
    counts: Callable[[ast.Call], bool] = _always
    constants_are_safe: bool = False


@dataclass(slots=True)
class Reader:
    """Reads one function, or what stands in a module outside all functions."""

    module: ast.Module
    node: Function | ast.Module
    rules: Rules
    values: dict[str, list[ast.expr]] = field(default_factory=dict[str, list[ast.expr]])
    numbers: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        local: set[str] = set()
        if not isinstance(self.node, ast.Module):
            arguments = self.node.args
            for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
                local.add(argument.arg)
                if argument.annotation is not None and _is_safe_type(argument.annotation):
                    self.numbers.add(argument.arg)
            for statement in own_nodes(self.node):
                self._note(statement)
        local |= set(self.values)
        for statement in self.module.body:
            if isinstance(statement, ast.Assign) and not {ast.unparse(each) for each in statement.targets} & local:
                self._note(statement)

    def mix(self, value: ast.expr) -> Mix | None:
        """Return how *value* was put together, if it is text with something unsafe in it."""
        return self._mix(value, frozenset())

    # Where names come from

    def _note(self, statement: ast.AST) -> None:
        match statement:
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    if isinstance(target, ast.Name):
                        self.values.setdefault(target.id, []).append(value)
            case (
                ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
                | ast.NamedExpr(target=ast.Name(id=name), value=value)
            ):
                self.values.setdefault(name, []).append(value)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=op, value=value):
                before = ast.Name(name, ast.Load())
                made = ast.BinOp(ast.copy_location(before, target), op, value)
                self.values.setdefault(name, []).append(ast.copy_location(made, statement))
            case _:
                pass

    # Judging expressions

    def _mix(self, value: ast.expr, seen: frozenset[str]) -> Mix | None:
        match value:
            case ast.Tuple(elts=[first, *_]) | ast.Await(value=first):
                return self._mix(first, seen)
            case ast.IfExp(body=body, orelse=orelse):
                return self._mix(body, seen) or self._mix(orelse, seen)
            case ast.BoolOp(values=values):
                return self._first(values, seen)
            case ast.Name(id=name):
                return self._first(self.values.get(name, []), seen | {name}) if name not in seen else None
            case ast.JoinedStr():
                return self._of(value, "f-string", _values_of(value), seen)
            case ast.BinOp(left=left, op=ast.Mod(), right=right) if (text := self._text(left, seen)) is not None:
                return self._of(value, "%", _arguments_of(text, right), seen)
            case ast.BinOp(op=ast.Add()):
                return self._sum(value, seen)
            case ast.Call():
                return self._call(value, seen)
            case _:
                return None

    def _first(self, values: list[ast.expr], seen: frozenset[str]) -> Mix | None:
        return next((mix for each in values if (mix := self._mix(each, seen)) is not None), None)

    def _of(self, whole: ast.expr, how: str, values: list[ast.expr], seen: frozenset[str]) -> Mix | None:
        for each in values:
            if not self._is_safe(each, seen):
                # The innermost is the one to mend.
                return self._mix(each, seen) or Mix(how, whole, each)
        return None

    def _sum(self, whole: ast.BinOp, seen: frozenset[str]) -> Mix | None:
        leaves = leaves_of(whole)
        if any(isinstance(each, ast.Call) and called(each) in self.rules.escaping for each in leaves):
            return None
        if not any(self._is_textual(each) for each in leaves):
            return None  # numbers or lists
        return self._of(whole, "+", leaves, seen)

    def _is_textual(self, value: ast.expr) -> bool:
        """Whether *value* is visibly text, or a name that is given text somewhere."""
        values = self.values.get(value.id, []) if isinstance(value, ast.Name) else [value]
        return any(
            isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str))
            for each in values
        )

    def _call(self, call: ast.Call, seen: frozenset[str]) -> Mix | None:
        name = called(call)
        if isinstance(call.func, ast.Attribute):
            inside = call.func.value
            if name == "format" and self._text(inside, seen) is not None:
                return self._of(call, ".format()", [*call.args, *(each.value for each in call.keywords)], seen)
            if name == "join" and call.args:
                return self._joined(call.args[0], seen)
            if name in _UNCHANGED:
                return self._mix(inside, seen)
        if name in self.rules.wrappers and call.args and self.rules.counts(call):
            return self._mix(call.args[0], seen)
        return None

    def _joined(self, items: ast.expr, seen: frozenset[str]) -> Mix | None:
        match items:
            case ast.GeneratorExp(elt=item) | ast.ListComp(elt=item):
                return self._mix(item, seen)
            case ast.List(elts=values) | ast.Tuple(elts=values):
                return self._first(values, seen)
            case _:
                return None

    def _is_safe(self, value: ast.expr, seen: frozenset[str]) -> bool:
        """Whether nothing that a visitor sent can be in *value* as it was sent."""
        match value:
            case ast.Constant() | ast.Compare() | ast.UnaryOp():
                return True
            case ast.Name(id=name):
                known = self.values.get(name, [])
                if self.rules.constants_are_safe and name.isupper():
                    return True
                if name in seen:
                    return True  # a += b: what it was before is judged by its other assignments
                return name in self.numbers or (
                    bool(known) and all(self._is_safe(each, seen | {name}) for each in known)
                )
            case ast.JoinedStr():
                return all(self._is_safe(each, seen) for each in _values_of(value))
            case ast.BinOp(left=left, op=ast.Mod(), right=right) if (text := self._text(left, seen)) is not None:
                return all(self._is_safe(each, seen) for each in _arguments_of(text, right))
            case ast.BinOp(left=left, op=op, right=right):
                return isinstance(op, _ARITHMETIC) or (self._is_safe(left, seen) and self._is_safe(right, seen))
            case ast.IfExp(body=body, orelse=orelse):
                return self._is_safe(body, seen) and self._is_safe(orelse, seen)
            case ast.BoolOp(values=values):
                return all(self._is_safe(each, seen) for each in values)
            case ast.Await(value=inner):
                return self._is_safe(inner, seen)
            case ast.Call():
                return self._is_safe_call(value, seen)
            case _:
                return False

    def _is_safe_call(self, call: ast.Call, seen: frozenset[str]) -> bool:
        name = called(call)
        if isinstance(call.func, ast.Attribute):
            inside = call.func.value
            if name == "join" and call.args:
                items = call.args[0]
                if isinstance(items, ast.GeneratorExp | ast.ListComp):
                    return self._is_safe(items.elt, seen)
                return isinstance(items, ast.List | ast.Tuple) and all(self._is_safe(each, seen) for each in items.elts)
            if name == "format" and isinstance(inside, ast.Call) and called(inside) in self.rules.escaping:
                return True
            if name == "format" and self._text(inside, seen) is not None:
                return all(self._is_safe(each, seen) for each in [*call.args, *(each.value for each in call.keywords)])
        return (name in _NUMBERS or name in self.rules.safe_calls) and self._mix(call, seen) is None

    def _text(self, value: ast.expr, seen: frozenset[str]) -> str | None:
        """Return the constant text that *value* is, where it is one."""
        match value:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name(id=name) if name not in seen and len(self.values.get(name, [])) == 1:
                return self._text(self.values[name][0], seen | {name})
            case _:
                return None


def _values_of(text: ast.JoinedStr) -> list[ast.expr]:
    """Return the values of an f-string, but those that a format makes numbers of."""
    found: list[ast.expr] = []
    for part in text.values:
        if isinstance(part, ast.FormattedValue) and not _NUMBER_SPEC(spec_of(part)):
            found.append(part.value)
    return found


def _arguments_of(text: str, right: ast.expr) -> list[ast.expr]:
    """Return the values of a %-format, but those that it makes numbers of."""
    kinds = [kind for kind in _PLACEHOLDER.findall(text) if kind != "%"]
    values = list(right.elts) if isinstance(right, ast.Tuple) else [right]
    if isinstance(right, ast.Dict):
        values = list(right.values)
    if len(kinds) != len(values):
        return values
    return [value for kind, value in zip(kinds, values, strict=True) if kind in "srac"]


def leaves_of(value: ast.expr) -> list[ast.expr]:
    """Return what is added up."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return [*leaves_of(value.left), *leaves_of(value.right)]
    return [value]


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
    return {"f-string": "an f-string"}.get(how, f"`{how}`")


def shown(value: ast.expr) -> str:
    """Return an expression as it is written, cut."""
    text = ast.unparse(value)
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"
