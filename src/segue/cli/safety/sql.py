"""Places where a value gets into the text of SQL instead of beside it.

Holds: `find_formatted_sql`. It reads every module of the project that the app has loaded, and looks at what is
given to `raw()`, `execute()`, and SQLAlchemy's `text()` and `literal_column()`.
Imports: `reading`.
Never: reads installed packages, or modules that nothing has imported.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import Finding
from .reading import Mix, Reader, Rules, Source, article, called, leaves_of, own_nodes, parsed, shown, shown_path

if TYPE_CHECKING:
    from ...app import App

__all__ = ["files_of", "find_formatted_sql"]

_CODE = "security.W010"
_SEGUE = os.fspath(Path(__file__).resolve().parents[2]) + os.sep

_METHODS = frozenset({"raw", "execute", "aexecute", "executemany", "executescript"})
_FUNCTIONS = frozenset({"execute", "aexecute"})
_SQLALCHEMYS = frozenset({"text", "literal_column"})
_KEYWORDS = frozenset({"sql", "statement"})

_RULES = Rules(
    wrappers=_SQLALCHEMYS,
    safe_calls=frozenset(
        {"uuid4", "isoformat", "quote", "quote_name", "quote_identifier", "quoted_name", "Identifier"}
    ),
    constants_are_safe=True,
    joins_count=True,
)

_BEFORE_A_NAME = re.compile(r"\b(from|join|into|update|table|index|by|select|,)\s*[\"`]?$", re.IGNORECASE)


def find_formatted_sql(app: App) -> list[Finding]:
    """Return a warning for each SQL text of *app*'s project that was put together from values."""
    found: dict[str, Finding] = {}
    for path in files_of(app):
        source = parsed(path)
        if source is not None:
            for each in _check(source, shown_path(path)):
                found.setdefault(each.where, each)
    return list(found.values())


def files_of(app: App) -> list[str]:
    """Return the files of all loaded modules that lie where the app, or one of its blueprints, does."""
    # A name that is no module says nothing of where the project is.
    scaffolds = [part.scaffold for part in app.parts if part.scaffold.import_name in sys.modules]
    roots = {os.path.realpath(each.root_path) for each in scaffolds}
    roots = {root for root in roots if not _is_installed(root)} or roots
    files = {getattr(module, "__file__", None) for module in [*sys.modules.values()]}
    paths = {os.path.realpath(file) for file in files if file and file.endswith(".py")}
    return sorted(
        path
        for path in paths
        if not path.startswith(_SEGUE)
        and any(path.startswith(root + os.sep) and not _is_installed(path.removeprefix(root)) for root in roots)
    )


def _is_installed(path: str) -> bool:
    return "site-packages" in path.split(os.sep)


def _check(source: Source, path: str) -> Iterator[Finding]:
    nodes = [*ast.walk(source.tree)]
    is_sqlalchemys = any(_is_import_of_sqlalchemy(each) for each in nodes)
    functions = [each for each in nodes if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    for scope in (source.tree, *functions):
        with suppress(RecursionError):  # too deep to be judged: nothing is said of it
            yield from [*_findings(Reader(source, scope, _RULES), path, is_sqlalchemys=is_sqlalchemys)]


def _is_import_of_sqlalchemy(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module=str(name)):
            names = [name]
        case ast.Import(names=found):
            names = [each.name for each in found]
        case _:
            names = []
    return any(name.partition(".")[0] == "sqlalchemy" for name in names)


def _findings(reader: Reader, path: str, *, is_sqlalchemys: bool) -> Iterator[Finding]:
    for node in own_nodes(reader.node):
        sql = _sql_of(node, is_sqlalchemys=is_sqlalchemys) if isinstance(node, ast.Call) else None
        mix = reader.mix(sql) if sql is not None else None
        if mix is not None and isinstance(node, ast.Call):
            yield Finding(
                _CODE,
                "warning",
                f"{called(node)}() is given SQL made by {article(mix.how)}, with {shown(mix.value)} in its text.",
                hint=_suggestion(node, mix, reader),
                where=f"{path}:{mix.whole.lineno}",
            )


def _sql_of(call: ast.Call, *, is_sqlalchemys: bool) -> ast.expr | None:
    """Return the SQL that a call is given, if it takes some."""
    name = called(call)
    takes_sql = name in _METHODS if isinstance(call.func, ast.Attribute) else name in _FUNCTIONS
    if not (takes_sql or (name in _SQLALCHEMYS and is_sqlalchemys)):
        return None
    if call.args:
        return call.args[0]
    return next((each.value for each in call.keywords if each.arg in _KEYWORDS), None)


def _suggestion(call: ast.Call, mix: Mix, reader: Reader) -> str:
    """Return the call with its values beside the text, where that is easily made."""
    parts = _parts_of(mix.whole)
    text, values = "", dict[str, str]()
    for position, part in enumerate(parts):
        if isinstance(part, str):
            text += part
            continue
        if _BEFORE_A_NAME.search(text):
            return "Names of tables and columns cannot be bound: take them from a fixed list, or use a QuerySet."
        name = _name_for(part, values)
        following = parts[position + 1] if position + 1 < len(parts) else ""
        if text.endswith("'") and isinstance(following, str) and following.startswith("'"):
            text, parts[position + 1] = text[:-1], following[1:]
        text += f":{name}"
        values[name] = ast.unparse(part)
    bound = ", ".join(f'"{name}": {value}' for name, value in values.items())
    line = f"{ast.unparse(call.func)}({ast.unparse(ast.Constant(text))}, {{{bound}}})"
    several = any(reader.is_joined(each) for each in parts if isinstance(each, ast.expr))
    if several or not values or len(line) > 120 or called(call) not in _METHODS:
        return 'db.execute("SELECT … WHERE name = :name", {"name": name}): the value goes beside the text.'
    return line


def _parts_of(whole: ast.expr) -> list[str | ast.expr]:
    """Return the texts and the values that *whole* is made of, in order; nothing where that is not plain."""
    parts: list[ast.expr] = []
    match whole:
        case ast.JoinedStr(values=values):
            parts = [each.value if isinstance(each, ast.FormattedValue) else each for each in values]
        case ast.BinOp(op=ast.Add()):
            parts = leaves_of(whole)
        case ast.BinOp(left=ast.Constant(value=str(text)), op=ast.Mod(), right=right):
            return _filled(re.split(r"%s", text), [*right.elts] if isinstance(right, ast.Tuple) else [right])
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text))), args=arguments, keywords=[]):
            return _filled(text.split("{}"), arguments)
        case _:
            pass
    return [each.value if isinstance(each, ast.Constant) and isinstance(each.value, str) else each for each in parts]


def _filled(texts: list[str], values: list[ast.expr]) -> list[str | ast.expr]:
    if len(texts) != len(values) + 1:
        return []
    parts: list[str | ast.expr] = [texts[0]]
    for value, text in zip(values, texts[1:], strict=True):
        parts += [value, text]
    return parts


def _name_for(value: ast.expr, taken: dict[str, str]) -> str:
    match value:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case _:
            name = "value"
    while name in taken:
        name += "_"
    return name
