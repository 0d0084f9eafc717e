"""What can be known to be wrong with templates before one is rendered."""

from __future__ import annotations

from collections.abc import Iterator

import jinja2
from jinja2 import nodes

from ..errors import Finding, did_you_mean, nearest
from .environment import Environment
from .folders import FolderLoader
from .lint import find_unsafe_places

__all__ = ["check_safety", "check_templates"]

# Of other files, such as images that lie beside templates, nothing is expected.
_ENDINGS = (".html", ".htm", ".xml", ".txt", ".svg", ".md", ".jinja", ".jinja2", ".j2")


def check_templates(environment: Environment, loader: FolderLoader) -> list[Finding]:
    """Return a finding for each mistake in syntax, filter, test, or name of another template."""
    findings: list[Finding] = []
    existing = loader.list_templates()
    for name in existing:
        if name.endswith(_ENDINGS):
            findings += _check_one(environment, loader, name, existing)
    return findings


def check_safety(environment: Environment, loader: FolderLoader) -> list[Finding]:
    """Return a warning for each place where escaping alone does not make a value safe."""
    findings: list[Finding] = []
    for name in loader.list_templates():
        if not name.endswith((".html", ".htm", ".jinja", ".jinja2", ".j2", ".svg")):
            continue
        source, filename, _ = loader.get_source(environment, name)
        try:
            tree = environment.parse(source, name, filename)
        except jinja2.TemplateSyntaxError:
            continue  # check_templates reports it
        findings += find_unsafe_places(tree, filename or name)
    return findings


def _check_one(environment: Environment, loader: FolderLoader, name: str, existing: list[str]) -> Iterator[Finding]:
    path = loader.find(name)
    try:
        source, filename, _ = loader.get_source(environment, name)
    except UnicodeDecodeError as error:
        yield Finding(
            "templates.E004",
            "error",
            f"The template is not UTF-8: {error.reason} at byte {error.start}.",
            hint="Save it as UTF-8.",
            where=str(path),
        )
        return
    try:
        tree = environment.parse(source, name, filename)
        unknown = list(_unknown_names(environment, tree, filename or name))
        if not unknown:
            environment.compile(source, name, filename)
    except jinja2.TemplateSyntaxError as error:
        where = f"{filename}:{error.lineno}"
        yield Finding("templates.E001", "error", error.message or "It cannot be read.", where=where)
        return
    yield from unknown
    yield from _missing_templates(tree, filename or name, existing)


def _unknown_names(environment: Environment, tree: nodes.Template, filename: str) -> Iterator[Finding]:
    # Jinja2 leaves a filter inside an {% if %} to the rendering; here it is known at once.
    for kind, node_type, known in (
        ("filter", nodes.Filter, environment.filters),
        ("test", nodes.Test, environment.tests),
    ):
        for node in tree.find_all(node_type):
            name: str = getattr(node, "name", "")
            if name not in known:
                near = nearest(name, known)
                yield Finding(
                    "templates.E002",
                    "error",
                    f"There is no {kind} {name!r}.",
                    hint=f"Did you mean {' or '.join(near)}?" if near else f"@app.template_{kind}() adds one.",
                    where=f"{filename}:{node.lineno}",
                )


def _missing_templates(tree: nodes.Template, filename: str, existing: list[str]) -> Iterator[Finding]:
    known = set(existing)
    for node in tree.find_all((nodes.Extends, nodes.Include, nodes.Import, nodes.FromImport)):
        named = getattr(node, "template", None)
        if not isinstance(named, nodes.Const) or not isinstance(named.value, str) or named.value in known:
            continue
        if isinstance(node, nodes.Include) and node.ignore_missing:
            continue
        yield Finding(
            "templates.E003",
            "error",
            f"There is no template {named.value!r}.",
            hint=did_you_mean(named.value, known) or f"segue template new {named.value}",
            where=f"{filename}:{node.lineno}",
        )
