"""Places where a visitor's text may become HTML: in what handlers return, and in templates.

Holds: `find_unsafe_html`. It reads the source of every view, error handler and hook, and asks one thing only:
was text put together from values that nothing escaped?
Imports: `reading`, blueprints; templates of the app.
Never: runs what it reads.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...blueprint import Blueprint
from ...errors import Finding
from .reading import (
    HOWS,
    Function,
    Mix,
    Reader,
    Rules,
    Source,
    article,
    leaves_of,
    own_nodes,
    parsed,
    placeholders_of,
    shown,
    shown_path,
    spec_of,
)

if TYPE_CHECKING:
    from ...app import App

__all__ = ["find_unsafe_html"]

_PACKAGE = os.fspath(Path(__file__).resolve().parents[2]) + os.sep

_CODES = {how: f"security.W00{number}" for number, how in enumerate(HOWS, 1)}


def _is_other_than_html(answer: ast.Call | ast.Tuple) -> bool:
    if isinstance(answer, ast.Tuple):
        return any(map(_say_other_than_html, answer.elts[1:]))
    kind = next((each.value for each in answer.keywords if each.arg == "content_type"), None)
    if isinstance(kind, ast.Constant):
        return "html" not in str(kind.value)
    if kind is not None:
        return ast.unparse(kind).rpartition(".")[2] in ("TEXT", "JSON")
    headers = [each.value for each in answer.keywords if each.arg == "headers"]
    return any(map(_say_other_than_html, [*headers, *answer.args[1:]]))


def _say_other_than_html(headers: ast.expr) -> bool:
    """Whether these are literal headers with a content type that is not HTML."""
    match headers:
        case ast.Dict(keys=names, values=values):
            pairs = [*zip(names, values, strict=True)]
        case ast.List(elts=found) | ast.Tuple(elts=found):
            pairs = [(each.elts[0], each.elts[1]) for each in found if isinstance(each, ast.Tuple) and each.elts[1:]]
        case _:
            pairs = []
    return any(
        isinstance(name, ast.Constant)
        and str(name.value).lower() == "content-type"
        and isinstance(value, ast.Constant)
        and "html" not in str(value.value).lower()
        for name, value in pairs
    )


_RULES = Rules(
    # What makes a response of its first argument, or trusts it.
    wrappers=frozenset({"Response", "make_response", "html", "Markup", "StreamResponse", "stream"}),
    # What gives an escaped text or an address: neither can open a tag.
    safe_calls=frozenset(
        {
            "escape", "html", "Markup", "render_template", "render_template_string", "arender_template", "url_for",
            "quote", "urlencode", "uuid4", "isoformat",
        }
    ),
    escaping=frozenset({"Markup", "html", "escape"}),
    counts=lambda answer: not _is_other_than_html(answer),
)  # fmt: skip


def find_unsafe_html(app: App) -> list[Finding]:
    """Return a warning for each place of *app* where a value gets into HTML without being escaped."""
    sources: dict[str, Source | None] = {}
    found: dict[tuple[str, str], Finding] = {}
    for function in _functions_of(app):
        for each in _check(function, sources):
            found.setdefault((each.id, each.where), each)
    if any(folder.is_dir() for folder in app.template_folders()):
        own = str(Path(__file__).parents[2])  # Segue's templates are read by its own tests
        for each in app.templates.check_safety():
            if not each.where.startswith(own):
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


def _check(function: Any, sources: dict[str, Source | None]) -> Iterator[Finding]:
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    function = getattr(function, "__func__", function)
    code = getattr(function, "__code__", None)
    if code is None or code.co_filename.startswith(_PACKAGE):
        return
    path = code.co_filename
    if path not in sources:
        sources[path] = parsed(path)
    source = sources[path]
    node = _node_of(source.tree, code.co_name, code.co_firstlineno) if source is not None else None
    if source is not None and node is not None:
        with suppress(RecursionError):  # too deep to be judged: nothing is said of it
            yield from [*_findings(Reader(source, node, _RULES), node, code.co_name, shown_path(path))]


def _node_of(module: ast.Module, name: str, line: int) -> Function | None:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name:
            if min([node.lineno, *(each.lineno for each in node.decorator_list)]) == line:
                return node
        elif isinstance(node, ast.Lambda) and name == "<lambda>" and node.lineno == line:
            return node
    return None


def _findings(reader: Reader, node: Function, name: str, path: str) -> Iterator[Finding]:
    for answer in _answers(node):
        mix = reader.mix(answer)
        if mix is not None:
            yield Finding(
                _CODES[mix.how],
                "warning",
                f"{name}() returns text made by {article(mix.how)}, and nothing escapes {shown(mix.value)} in it.",
                hint=_suggestion(mix, reader),
                where=f"{path}:{mix.whole.lineno}",
            )


def _answers(node: Function) -> Iterator[ast.expr]:
    if isinstance(node, ast.Lambda):
        yield node.body
        return
    for each in own_nodes(node):
        if isinstance(each, ast.Return | ast.Yield) and each.value is not None:
            yield each.value


def _as_keyword(keyword: ast.keyword) -> str:
    return (f"{keyword.arg}=" if keyword.arg else "**") + ast.unparse(keyword.value)


def _suggestion(mix: Mix, reader: Reader) -> str:
    """Return the line to write instead, where it is easily made."""
    template, values = "", list[str]()
    parts: list[ast.expr] = []
    several = False
    match mix.whole:
        case ast.JoinedStr(values=found):
            parts = found
        case ast.BinOp(op=ast.Add()):
            parts = leaves_of(mix.whole)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right) if {*placeholders_of(text)} == {
            "s"
        } and "%(" not in text:
            template = text.replace("{", "{{").replace("}", "}}").replace("%s", "{}")
            values = [ast.unparse(each) for each in (right.elts if isinstance(right, ast.Tuple) else [right])]
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text))), args=arguments, keywords=named):
            template = text
            values = [*map(ast.unparse, arguments), *map(_as_keyword, named)]
        case _:
            pass
    for part in parts:
        if isinstance(part, ast.Constant):
            template += str(part.value).replace("{", "{{").replace("}", "}}")
        else:
            value, spec = part, ""
            if isinstance(part, ast.FormattedValue):
                value = part.value
                spec = f":{spec_of(part)}" if spec_of(part) else ""
            template += f"{{{spec}}}"
            values.append(ast.unparse(value))
            several = several or reader.is_joined(value)
    line = f"return html({template!r}, {', '.join(values)})"
    if several or not values or len(line) > 120:
        return 'return html("<b>{}</b>", value), or render_template(…): both escape every value.'
    return line
