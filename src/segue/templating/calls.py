"""What templates call and read, known without rendering one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jinja2
from jinja2 import nodes

from .environment import Environment
from .folders import FolderLoader

__all__ = ["TemplateCall", "calls_in", "names_read"]

_ENDINGS = (".html", ".htm", ".xml", ".txt", ".svg", ".md", ".jinja", ".jinja2", ".j2")


@dataclass(frozen=True, slots=True)
class TemplateCall:
    """One call of a function in a template.

    Attributes:
        first: The literal text that it is given first.
        names: Its named arguments.
        is_open: Whether more arguments come out of a dictionary or a list.
        where: `file:line`.
    """

    first: str
    names: tuple[str, ...]
    is_open: bool
    where: str


def calls_in(environment: Environment, loader: FolderLoader, name: str) -> list[TemplateCall]:
    """Return the calls of *name* whose first argument is a literal text."""
    found: list[TemplateCall] = []
    for tree, filename in _trees(environment, loader):
        for call in tree.find_all(nodes.Call):
            if not (isinstance(call.node, nodes.Name) and call.node.name == name and call.args):
                continue
            first = call.args[0]
            if isinstance(first, nodes.Const) and isinstance(first.value, str):
                names = tuple(each.key for each in call.kwargs)
                is_open = call.dyn_args is not None or call.dyn_kwargs is not None
                found.append(TemplateCall(first.value, names, is_open, f"{filename}:{call.lineno}"))
    return found


def names_read(environment: Environment, loader: FolderLoader) -> set[str]:
    """Return the names of attributes and the literal keys that templates read."""
    found: set[str] = set()
    for tree, _ in _trees(environment, loader):
        found.update(each.attr for each in tree.find_all(nodes.Getattr))
        items = (each.arg for each in tree.find_all(nodes.Getitem))
        arguments = (each.args[0] for each in tree.find_all(nodes.Call) if _is_get(each))
        found.update(each.value for each in [*items, *arguments] if isinstance(each, nodes.Const) and _is_text(each))
    return found


def _is_get(call: nodes.Call) -> bool:
    return bool(call.args) and isinstance(call.node, nodes.Getattr) and call.node.attr in ("get", "getlist")


def _is_text(constant: nodes.Const) -> bool:
    return isinstance(constant.value, str)


def _trees(environment: Environment, loader: FolderLoader) -> Iterator[tuple[nodes.Template, str]]:
    for name in loader.list_templates():
        if not name.endswith(_ENDINGS):
            continue
        try:
            source, filename, _ = loader.get_source(environment, name)
            yield environment.parse(source, name, filename), filename or name
        except (jinja2.TemplateSyntaxError, UnicodeDecodeError):
            continue  # the check of templates reports it
