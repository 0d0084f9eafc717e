"""Places where a visitor's text may become HTML: in what handlers return, and in templates.

Holds `find_unsafe_html`. It reads the source of every view, error handler and hook, and
follows what they return back through local names. It is a lint: it knows neither types
nor what other functions do, so it asks one thing only: was text put together from
values that nothing escaped?
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ..blueprint import Blueprint
from ..errors import Finding

if TYPE_CHECKING:
    from ..app import App

__all__ = ["find_unsafe_html"]

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

_PACKAGE = os.fspath(Path(__file__).resolve().parents[1]) + os.sep

_KINDS = {
    "f-string": "security.W001",
    "%": "security.W002",
    ".format()": "security.W003",
    "+": "security.W004",
}

# What makes a response of its first argument, or trusts it.
_WRAPPERS = frozenset({"Response", "make_response", "html", "Markup", "StreamResponse", "stream"})
# What gives a number, an escaped text or an address: none can open a tag.
_SAFE_CALLS = frozenset(
    {
        "escape", "html", "Markup", "render_template", "render_template_string", "arender_template", "url_for",
        "int", "float", "len", "round", "ord", "hash", "abs", "sum", "id", "bool", "quote", "urlencode", "uuid4",
        "isoformat", "count",
    }
)  # fmt: skip
_SAFE_TYPES = frozenset({"int", "float", "bool", "UUID", "Decimal", "date", "datetime", "time", "timedelta"})
_ARITHMETIC = (ast.Sub, ast.Div, ast.FloorDiv, ast.Pow)
_UNCHANGED = frozenset({"strip", "lstrip", "rstrip", "encode", "replace", "lower", "upper", "title"})

_NUMBER_SPEC = re.compile(r".*[dfFeEgGxXobn%]").fullmatch
_PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[#0\- +]*[\d*.]*([a-zA-Z%])")


def find_unsafe_html(app: App) -> list[Finding]:
    """Return a warning for each place of *app* where a value gets into HTML without being escaped."""
    sources: dict[str, ast.Module | None] = {}
    found: dict[tuple[str, str], Finding] = {}
    for function in _functions_of(app):
        for each in _check(function, sources):
            found.setdefault((each.id, each.where), each)
    if any(folder.is_dir() for folder in app.template_folders()):
        for each in app.templates.check_safety():
            found.setdefault((each.id, each.where), each)
    return list(found.values())


def _functions_of(app: App) -> Iterator[Callable[..., Any]]:
    """Yield everything that may return an answer."""
    for part in app.parts:
        for route in part.registries.routes:
            yield from _methods_of(route.view)
        levels = [part.registries]
        if isinstance(part.scaffold, Blueprint):
            levels.append(part.scaffold.app_level)
        for level in levels:
            yield from (*level.before, *level.guards, *level.middleware)
            for handlers in level.errors.values():
                yield from handlers.values()


def _methods_of(view: Any) -> Iterator[Callable[..., Any]]:
    """Yield the view, or, of a class of views, its methods and those that it inherits."""
    cls = view if isinstance(view, type) else getattr(view, "view_class", None)
    if cls is None:
        yield view
        return
    for base in cls.__mro__:
        yield from (member for member in vars(base).values() if callable(member) and not isinstance(member, type))


def _check(function: Any, sources: dict[str, ast.Module | None]) -> Iterator[Finding]:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is None or code.co_filename.startswith(_PACKAGE):
        return
    path = code.co_filename
    if path not in sources:
        sources[path] = _parsed(path)
    module = sources[path]
    node = _node_of(module, code.co_name, code.co_firstlineno) if module is not None else None
    if module is not None and node is not None:
        place = path.removeprefix(os.getcwd() + os.sep)
        yield from _Reader(module, node, code.co_name, place).findings()


def _parsed(path: str) -> ast.Module | None:
    try:
        return ast.parse(Path(path).read_bytes(), path)
    except (OSError, SyntaxError, ValueError):
        return None  # typed at a prompt, or not there any more


def _node_of(module: ast.Module, name: str, line: int) -> Function | None:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            if min([node.lineno, *(each.lineno for each in node.decorator_list)]) == line:
                return node
        elif isinstance(node, ast.Lambda) and name == "<lambda>" and node.lineno == line:
            return node
    return None


@dataclass(frozen=True, slots=True)
class _Mix:
    """Text put together from a value that nothing escaped.

    Attributes:
        how: A key of `_KINDS`.
        whole: The expression.
        value: The value in it.
    """

    how: str
    whole: ast.expr
    value: ast.expr


@dataclass(slots=True)
class _Reader:
    """Reads one function."""

    module: ast.Module
    node: Function
    name: str
    path: str
    values: dict[str, list[ast.expr]] = field(default_factory=dict[str, list[ast.expr]])
    numbers: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        arguments = self.node.args
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if argument.annotation is not None and _is_safe_type(argument.annotation):
                self.numbers.add(argument.arg)
        local = {argument.arg for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
        for statement in self._own(self.node):
            self._note(statement)
        local |= set(self.values)
        for statement in self.module.body:
            if isinstance(statement, ast.Assign) and not {ast.unparse(each) for each in statement.targets} & local:
                self._note(statement)

    def findings(self) -> Iterator[Finding]:
        for answer in self._answers():
            mix = self._mix(answer, frozenset())
            if mix is not None:
                yield Finding(
                    _KINDS[mix.how],
                    "warning",
                    f"{self.name}() returns text made by {_article(mix.how)}, "
                    f"and nothing escapes {_shown(mix.value)} in it.",
                    hint=_suggestion(mix),
                    where=f"{self.path}:{mix.whole.lineno}",
                )

    # What is returned, and where names come from

    def _own(self, node: ast.AST) -> Iterator[ast.AST]:
        """Walk the function without the functions in it."""
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
                yield child
                yield from self._own(child)

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

    def _answers(self) -> Iterator[ast.expr]:
        if isinstance(self.node, ast.Lambda):
            yield self.node.body
            return
        for node in self._own(self.node):
            if isinstance(node, ast.Return | ast.Yield) and node.value is not None:
                yield node.value

    # Judging expressions

    def _mix(self, value: ast.expr, seen: frozenset[str]) -> _Mix | None:
        """Return how *value* was put together, if it is text with something unescaped in it."""
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

    def _first(self, values: list[ast.expr], seen: frozenset[str]) -> _Mix | None:
        return next((mix for each in values if (mix := self._mix(each, seen)) is not None), None)

    def _of(self, whole: ast.expr, how: str, values: list[ast.expr], seen: frozenset[str]) -> _Mix | None:
        for each in values:
            if not self._is_safe(each, seen):
                # The innermost is the one to mend.
                return self._mix(each, seen) or _Mix(how, whole, each)
        return None

    def _sum(self, whole: ast.BinOp, seen: frozenset[str]) -> _Mix | None:
        leaves = _leaves_of(whole)
        if any(isinstance(each, ast.Call) and _called(each) in ("Markup", "html", "escape") for each in leaves):
            return None  # Markup escapes what is added to it
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

    def _call(self, call: ast.Call, seen: frozenset[str]) -> _Mix | None:
        name = _called(call)
        if isinstance(call.func, ast.Attribute):
            inside = call.func.value
            if name == "format" and self._text(inside, seen) is not None:
                return self._of(call, ".format()", [*call.args, *(each.value for each in call.keywords)], seen)
            if name == "join" and call.args:
                return self._joined(call.args[0], seen)
            if name in _UNCHANGED:
                return self._mix(inside, seen)
        if name in _WRAPPERS and call.args and not _is_other_than_html(call):
            return self._mix(call.args[0], seen)
        return None

    def _joined(self, items: ast.expr, seen: frozenset[str]) -> _Mix | None:
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
        name = _called(call)
        if isinstance(call.func, ast.Attribute):
            inside = call.func.value
            if name == "join" and call.args:
                items = call.args[0]
                if isinstance(items, ast.GeneratorExp | ast.ListComp):
                    return self._is_safe(items.elt, seen)
                return isinstance(items, ast.List | ast.Tuple) and all(self._is_safe(each, seen) for each in items.elts)
            if name == "format" and isinstance(inside, ast.Call) and _called(inside) == "Markup":
                return True
            if name == "format" and self._text(inside, seen) is not None:
                return all(self._is_safe(each, seen) for each in [*call.args, *(each.value for each in call.keywords)])
        return name in _SAFE_CALLS and self._mix(call, seen) is None

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
        if isinstance(part, ast.FormattedValue):
            spec = ast.unparse(part.format_spec)[2:-1] if part.format_spec is not None else ""
            if not _NUMBER_SPEC(spec):
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


def _leaves_of(value: ast.expr) -> list[ast.expr]:
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add):
        return [*_leaves_of(value.left), *_leaves_of(value.right)]
    return [value]


def _called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _is_other_than_html(call: ast.Call) -> bool:
    kind = next((each.value for each in call.keywords if each.arg == "content_type"), None)
    if isinstance(kind, ast.Constant):
        return "html" not in str(kind.value)
    return kind is not None and ast.unparse(kind).rpartition(".")[2] in ("TEXT", "JSON")


def _is_safe_type(annotation: ast.expr) -> bool:
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    parts = [part.strip().rpartition(".")[2] for part in str(text).split("|")]
    return all(part in _SAFE_TYPES or part == "None" for part in parts)


def _article(how: str) -> str:
    return {"f-string": "an f-string"}.get(how, f"`{how}`")


def _shown(value: ast.expr) -> str:
    """Return an expression as it is written, cut."""
    text = ast.unparse(value)
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"


def _suggestion(mix: _Mix) -> str:
    """Return the line to write instead, where it is easily made."""
    template, values = "", list[str]()
    parts: list[ast.expr] = []
    match mix.whole:
        case ast.JoinedStr(values=found):
            parts = found
        case ast.BinOp(op=ast.Add()):
            parts = _leaves_of(mix.whole)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right) if (
            _PLACEHOLDER.findall(text) and set(_PLACEHOLDER.findall(text)) == {"s"} and "%(" not in text
        ):
            template = text.replace("{", "{{").replace("}", "}}").replace("%s", "{}")
            values = [ast.unparse(each) for each in (right.elts if isinstance(right, ast.Tuple) else [right])]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text))), args=arguments, keywords=named):
            template = text
            values = [*map(ast.unparse, arguments), *(f"{each.arg}={ast.unparse(each.value)}" for each in named)]
        case _:
            pass
    for part in parts:
        if isinstance(part, ast.Constant):
            template += str(part.value).replace("{", "{{").replace("}", "}}")
        else:
            value, spec = part, ""
            if isinstance(part, ast.FormattedValue):
                value = part.value
                spec = ":" + ast.unparse(part.format_spec)[2:-1] if part.format_spec is not None else ""
            template += f"{{{spec}}}"
            values.append(ast.unparse(value))
    line = f"return html({template!r}, {', '.join(values)})"
    if not values or len(line) > 120:
        return 'return html("<b>{}</b>", value), or render_template(…): both escape every value.'
    return line
