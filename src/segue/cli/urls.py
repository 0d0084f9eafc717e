"""URLs that the program names: whether each leads somewhere, known without a request.

Holds: `find_bad_urls`. It reads `url_for` and its like in the project's modules and
templates, redirects, and the addresses that views go on to.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ..errors import Finding, did_you_mean
from .safety import files_of
from .safety.reading import called, parsed, shown_path

if TYPE_CHECKING:
    from ..app import App

__all__ = ["find_bad_urls"]

_FUNCTIONS = frozenset({"url_for", "url_for_lazy"})
_OWN = frozenset({"_external", "_scheme", "_anchor"})
_SCALARS = frozenset({str, int, float, bool, Decimal, date, datetime, time, UUID})
_KNOWN_PARAMETERS = frozenset({"session", "user", "app"})
# What lists, searches and logins of any site read.
_USUAL = frozenset({"page", "per_page", "page_size", "q", "o", "order", "order_by", "next"})


@dataclass(frozen=True, slots=True)
class _Call:
    """One URL asked for by name: in code or in a template."""

    endpoint: str
    names: Sequence[str]
    is_open: bool
    where: str
    function: str = "url_for"


def find_bad_urls(app: App) -> list[Finding]:
    """Return a finding for each literal endpoint, parameter or path of *app*'s project that leads nowhere."""
    code = _Code(files_of(app))
    site = _Site(app, code)
    found: list[Finding] = []
    for call in [*code.calls, *site.template_calls]:
        found += site.check(call)
    for path, where, what in code.paths:
        found += site.check_path(path, where, what)
    return list({(each.where, each.message): each for each in found}.values())


class _Code:
    """What the modules of a project say: the URLs they name, and the names they read."""

    def __init__(self, files: Iterable[str]) -> None:
        self.calls: list[_Call] = []
        self.paths: list[tuple[str, str, str]] = []
        self.strings: set[str] = set()
        self.query_names: set[str] = set()
        self.fields: set[str] = set()
        for file in files:
            source = parsed(file)
            if source is not None:
                self._read(source.tree, shown_path(file))

    def _read(self, tree: ast.Module, path: str) -> None:
        nodes = [*ast.walk(tree)]
        taken = {name for each in nodes for name in _foreign(each)}
        for node in nodes:
            match node:
                case ast.Constant(value=str(text)):
                    self.strings.add(text)
                case ast.Subscript(value=ast.Attribute(attr="query"), slice=ast.Constant(value=str(text))):
                    self.query_names.add(text)
                case ast.ClassDef():
                    self._class(node, path)
                case ast.Call():
                    if called(node) not in taken:
                        self._call(node, f"{path}:{node.lineno}")
                case _:
                    pass

    def _call(self, node: ast.Call, where: str) -> None:
        name = called(node)
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="query")), args=[ast.Constant(value=str(key)), *_]
            ):
                self.query_names.add(key)
            case ast.Call(args=[ast.Constant(value=str(endpoint)), *rest]) if name in _FUNCTIONS:
                names = [each.arg for each in node.keywords if each.arg]
                is_open = len(names) < len(node.keywords) or any(isinstance(each, ast.Starred) for each in rest)
                self.calls.append(_Call(endpoint, names, is_open, where, name))
            case ast.Call(func=ast.Attribute(attr="redirect"), args=[_, ast.Constant(value=str(target)), *_]):
                self._target(target, where, "redirect()")
            case ast.Call(func=ast.Name(id="redirect"), args=[ast.Constant(value=str(path)), *_]) if path.startswith(
                "/"
            ):
                self.paths.append((path, where, "redirect()"))
            case _:
                pass

    def _class(self, node: ast.ClassDef, path: str) -> None:
        is_model = any(ast.unparse(base).endswith("Model") for base in node.bases)
        for statement in node.body:
            match statement:
                case ast.AnnAssign(target=ast.Name(id=name)) if not is_model:
                    self.fields.add(name)
                case ast.Assign(targets=[ast.Name(id="success_url")], value=ast.Constant(value=str(target))):
                    self._target(target, f"{path}:{statement.lineno}", "success_url")
                case ast.Assign(targets=[ast.Name(id=name)]) if not is_model:
                    self.fields.add(name)
                case _:
                    pass

    def _target(self, target: str, where: str, what: str) -> None:
        if target.startswith("/"):
            self.paths.append((target, where, what))
        elif target and "/" not in target and ":" not in target:
            self.calls.append(_Call(target, (), is_open=True, where=where, function=what))


def _foreign(node: ast.AST) -> list[str]:
    """Return the names of ours that a module imports from somebody else."""
    if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] in ("flask", "starlette"):
        return [each.asname or each.name for each in node.names]
    return []


class _Site:
    """What an app answers, and what its handlers read."""

    def __init__(self, app: App, code: _Code) -> None:
        self._app = app
        self._code = code
        compiled = self._compiled = app.compile()
        self._rules: dict[str, list[Any]] = {}
        for rule in compiled.router.rules:
            self._rules.setdefault(rule.endpoint, []).append(rule)
        # A hook may give any URL or parameter: then nothing is known to be wrong.
        self._is_unknown_built = bool(app.build_error_handlers)

    @cached_property
    def has_templates(self) -> bool:
        """Whether there are any: without, Jinja2 is not loaded for this."""
        return any(folder.is_dir() for folder in self._app.template_folders())

    @property
    def template_calls(self) -> list[_Call]:
        """The calls of `url_for` in templates."""
        if not self.has_templates:
            return []
        # Segue's own pages are of batteries that this app may not have.
        own = str(Path(__file__).parents[1])
        found = [each for each in self._app.templates.calls_of("url_for") if not each.where.startswith(own)]
        where = [shown_path(each.where) for each in found]
        return [_Call(each.first, each.names, each.is_open, at) for each, at in zip(found, where, strict=True)]

    @cached_property
    def _read_by_templates(self) -> set[str]:
        return self._app.templates.read_names() if self.has_templates else set()

    def check(self, call: _Call) -> Iterator[Finding]:
        """Yield what is wrong with one URL."""
        endpoints = self._endpoints(call.endpoint)
        if not endpoints:
            if not self._is_unknown_built:
                yield self._unknown(call)
            return
        given = [name for name in call.names if name not in _OWN]
        problems = [self._problem(call, rule, given) for name in endpoints for rule in self._rules[name]]
        found = [each for each in problems if each is not None]
        if len(found) == len(problems):
            yield min(found, key=lambda each: each.id)

    def _endpoints(self, name: str) -> list[str]:
        if not name.startswith("."):
            return [name] if name in self._rules else []
        return [each for each in self._rules if each == name[1:] or each.endswith(name)]

    def _unknown(self, call: _Call) -> Finding:
        name = call.endpoint.removeprefix(".")
        choices = list(self._rules)
        hint = did_you_mean(name, choices)
        tails = [each for each in choices if each.rpartition(".")[2] == name]
        if not hint and tails:
            hint = f"Did you mean {' or '.join(tails[:3])}?"
        if not hint:
            hint = f"There are: {', '.join(sorted(choices)[:10])}."
        message = f"{call.function} names {call.endpoint!r}, and there is no such endpoint."
        if call.function != "success_url" and call.function != "redirect()":
            message = f"{call.function}({call.endpoint!r}): there is no such endpoint."
        return Finding("urls.E001", "error", message, hint, call.where)

    def _problem(self, call: _Call, rule: Any, given: Sequence[str]) -> Finding | None:
        wanted = [each.name for each in rule.values if each.name]
        missing = [] if call.is_open else [each for each in wanted if each not in {*given, *rule.defaults}]
        extras = [each for each in given if each not in wanted and each not in rule.defaults]
        if missing and not self._may_be_filled(rule.endpoint):
            names = ", ".join(f"`{each}`" for each in missing)
            hint = f"url_for({call.endpoint!r}, {', '.join(f'{each}=…' for each in missing)})"
            near = did_you_mean(missing[0], extras)
            if near or (len(missing) == len(extras) == 1):
                hint = f"Rename `{extras[0] if len(extras) == 1 else near}` to `{missing[0]}`: {hint}"
            message = f"{call.function}({call.endpoint!r}) misses {names} of {str(rule)!r}."
            return Finding("urls.E002", "error", message, hint, call.where)
        unread = [each for each in extras if not self._is_read(rule, each)]
        if unread:
            message = (
                f"{call.function}({call.endpoint!r}) gives `{unread[0]}`, which {str(rule)!r} does not have "
                "and nothing reads from the query."
            )
            hint = did_you_mean(unread[0], wanted) or f"Take `{unread[0]}` away, or read it in the handler."
            return Finding("urls.W003", "warning", message, hint, call.where)
        return None

    def _may_be_filled(self, endpoint: str) -> bool:
        """Whether a `url_defaults` hook may give what is missing."""
        parts = endpoint.split(".")[:-1]
        scopes: list[str | None] = [None, "", *(".".join(parts[: index + 1]) for index in range(len(parts)))]
        return any(self._compiled.url_defaults.get(scope) for scope in scopes)

    def _is_read(self, rule: Any, name: str) -> bool:
        if name in self._code.query_names or name in self._read_by_templates:
            return True
        handlers = [each.handler for each in self._compiled.endpoints.get(rule.endpoint, ()) if each.handler]
        if any(name == parameter.name for handler in handlers for parameter in handler.parameters):
            return True
        if handlers and all(_is_closed(handler, rule) for handler in handlers):
            return False
        return name in _USUAL or name in self._code.strings or name in self._code.fields

    def check_path(self, path: str, where: str, what: str) -> Iterator[Finding]:
        """Yield a finding for a literal path that no route answers."""
        if path.startswith("//") or any(mark in path for mark in "%{<") or self._compiled.router.has_hosts:
            return
        plain = path.partition("?")[0].partition("#")[0]
        if self._compiled.router.resolve("GET", plain) is None:
            rules = [str(rule) for each in self._rules.values() for rule in each]
            message = f"{what} goes to {path!r}, which no route answers."
            hint = did_you_mean(plain, rules) or "url_for(…) makes the path of an endpoint."
            yield Finding("urls.W004", "warning", message, hint, where)


def _is_closed(handler: Any, rule: Any) -> bool:
    """Whether a handler reads nothing of the query but what its parameters say."""
    if handler.takes_kwargs is not None:
        return False
    names = {*rule.parameters, *rule.defaults, *_KNOWN_PARAMETERS}
    return all(each.name in names or any(each.annotation is kind for kind in _SCALARS) for each in handler.parameters)
