"""Every error has a code, every code a page, and every page a code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from markdown_pages import ROOT, error_pages

SOURCES = sorted((ROOT / "src" / "segue").rglob("*.py"))
_CODE = re.compile(r"[a-z][a-z0-9-]*/[a-z0-9-]+").fullmatch

# Bare classes of Python that the framework may raise, each place with its reason. They are
# protocols of the language, or caught one level up and reported with a code.
ALLOWED: dict[str, dict[str, str]] = {
    "AssertionError": {
        "testing/assertions.py": "how a test fails",
        "testing/database.py": "how a test fails",
    },
    "SystemExit": {
        "cli/group.py": "the exit code of a program",
    },
    "AttributeError": {
        "auth/__init__.py": "the protocol of a module's __getattr__",
        "auth/shown.py": "the protocol of __getattr__, which tests of templates need",
        "auth/social/__init__.py": "the protocol of a module's __getattr__",
        "cache/__init__.py": "the protocol of a module's __getattr__",
        "context.py": "the protocol of __getattr__: hasattr() and getattr(…, default) need it",
        "content/__init__.py": "the protocol of a module's __getattr__",
        "config.py": "the protocol of a descriptor: what the class itself does not have",
        "handling/application.py": "the protocol of __getattr__ on a request",
        "forms/__init__.py": "the protocol of a module's __getattr__",
        "http/__init__.py": "the protocol of a module's __getattr__",
        "protocols/__init__.py": "the protocol of a module's __getattr__",
        "registries.py": "what assigning to an attribute without a setter raises",
        "mail/__init__.py": "the protocol of a module's __getattr__",
        "signing/__init__.py": "the protocol of a module's __getattr__",
        "testing/__init__.py": "the protocol of a module's __getattr__",
        "validation/__init__.py": "the protocol of a module's __getattr__",
        "web/__init__.py": "the protocol of a module's __getattr__",
        "auth/pages/__init__.py": "the protocol of a module's __getattr__",
        "web/sessions/__init__.py": "the protocol of a module's __getattr__",
        "http/download.py": "what assigning to an attribute without a setter raises",
        "text.py": "the protocol of __getattr__: names with _ are asked by the language",
        "templating/undefined.py": "the protocol of __getattr__: dunder names are asked by the language",
        "db/adopting.py": "the protocol of __getattr__: hasattr() and getattr(…, default) need it",
        "db/columns.py": "the protocol of __getattr__: names with _ are asked by the language",
        "db/instance.py": "the protocol of an attribute: an instance of no model has none of these",
        "db/managers.py": "the protocol of a descriptor: what an instance itself does not have",
        "db/migrations/historic.py": "the protocol of __getattr__: names with _ are asked by the language",
        "db/models/loading.py": "the protocol of an attribute: it was never set",
        "http/redirects.py": "the protocol of __getattr__: names with _ are asked by the language",
    },
    "KeyError": {
        "config.py": "the protocol of a mapping: `in`, get() and dict() need it",
        "http/headers.py": "the protocol of a mapping",
        "regexes.py": "caught by reversing, which tries the next rule",
        "testing/cookies.py": "the protocol of a mapping",
    },
    "FileNotFoundError": {
        "storage/memory.py": "what opening a missing file raises, as in a folder",
    },
    "IndexError": {
        "db/queryset.py": "the protocol of a sequence",
    },
    "NotImplementedError": {
        "db/managers.py": "an abstract method: each kind of manager has it",
    },
    "TypeError": {
        "auth/users.py": "what a call with too many arguments raises",
        "forms/boundfield.py": "the protocol of a sequence",
        "forms/formsets.py": "the protocol of a sequence",
        "forms/modelfields.py": "an abstract method: each validator that asks has it",
        "http/response.py": "a hook of the JSON encoder must raise it",
        "templating/filters/markup.py": "a hook of the JSON encoder must raise it",
        "db/expressions/base.py": "an abstract method: each expression has it",
        "validators.py": "an abstract method: each limit has it",
        "db/migrations/operations/base.py": "an abstract method: each operation that is written has it",
        "db/models/base.py": "what a call with wrong arguments, and hash(), raise",
        "db/query/lookups.py": "an abstract method: each look-up has it",
        "db/query/transforms.py": "an abstract method: each transform has it",
        "db/queryset.py": "the protocol of a sequence",
        "db/types.py": "an abstract method: each type of a column has it",
    },
    "ValueError": {
        "forms/fields/text.py": "caught a few lines below: a fault of the field",
        "cache/database.py": "caught by the cache: cache/no-counter",
        "db/datafiles.py": "caught a line below: data/data-file",
        "conversion.py": "caught by the configuration, which says key, value and place",
        "sources.py": "caught by the configuration: config/bad-file",
        "layers.py": "caught by the configuration, which says the variable",
        "targets.py": "caught by the configuration: config/bad-file",
        "validation/readers.py": "caught where the faults of a request are collected",
        "protocols/asgi.py": "what a server expects of an unknown kind of scope",
        "routing/converters.py": "the contract of a converter: this text is not one of its values",
        "regexes.py": "caught by reversing, which tries the next rule",
        "db/expressions/parts.py": "its callers have checked the part",
        "validators.py": "caught two lines below",
        "db/migrations/state.py": "caught two lines below: data/migration-snapshot",
    },
}


@cache
def nodes_of(path: Path) -> list[ast.AST]:
    """Return all nodes of a source file, read once for all tests."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def codes_used() -> dict[str, str]:
    """Return each code in the source with the first place that has it."""
    found: dict[str, str] = {}
    for path in SOURCES:
        for node in nodes_of(path):
            for code, line in _codes_in(node):
                found.setdefault(code, f"{path.relative_to(ROOT)}:{line}")
    return found


def _codes_in(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The codes that a node sets, with their lines: `code="…"`, `code = "…"`, a default of a parameter `code`."""
    values: list[ast.expr | None] = []
    match node:
        case ast.keyword(arg="code"):
            values = [node.value]
        case ast.Assign() if any(_is_code(target) for target in node.targets):
            values = [node.value]
        case ast.AnnAssign() if _is_code(node.target):
            values = [node.value]
        case ast.arguments():
            named = [*node.posonlyargs, *node.args][-len(node.defaults) :] if node.defaults else []
            pairs = [*zip(named, node.defaults, strict=True), *zip(node.kwonlyargs, node.kw_defaults, strict=True)]
            values = [default for argument, default in pairs if argument.arg == "code"]
        case _:
            pass
    for value in values:
        for each in ast.walk(value) if value is not None else ():
            if isinstance(each, ast.Constant) and isinstance(each.value, str) and _CODE(each.value):
                yield each.value, each.lineno


def _is_code(target: ast.expr) -> bool:
    return (isinstance(target, ast.Name) and target.id == "code") or (
        isinstance(target, ast.Attribute) and target.attr == "code"
    )


def bare_raises() -> Iterator[tuple[str, str, int]]:
    """Yield every `raise` of a class of Python itself: its name, file and line."""
    import builtins

    for path in SOURCES:
        for node in nodes_of(path):
            if not isinstance(node, ast.Raise) or node.exc is None:
                continue
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            if isinstance(raised, ast.Name):
                kind = getattr(builtins, raised.id, None)
                if isinstance(kind, type) and issubclass(kind, BaseException):
                    yield raised.id, path.relative_to(ROOT / "src" / "segue").as_posix(), node.lineno


USED = codes_used()
PAGES = {f"{page.parent.name}/{page.stem}": page for page in error_pages()}


@pytest.mark.parametrize("code", sorted(USED))
def test_every_code_has_a_page(code: str) -> None:
    assert code in PAGES, f"{USED[code]} uses the code {code}: write docs/errors/{code}.md"


@pytest.mark.parametrize("code", sorted(PAGES))
def test_every_page_has_a_code(code: str) -> None:
    assert code in USED, f"nothing in src/segue uses the code {code}: delete {PAGES[code].relative_to(ROOT)}"


def test_every_error_of_the_framework_has_a_code() -> None:
    bare = [
        f"src/segue/{file}:{line} raises {name}"
        for name, file, line in bare_raises()
        if file not in ALLOWED.get(name, {})
    ]

    assert bare == []


def test_every_exception_class_of_the_framework_is_one_of_its_errors() -> None:
    unknown = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in nodes_of(path)
        if isinstance(node, ast.ClassDef) and _is_bare_exception(node) and node.name not in _INTERNAL
    ]

    assert unknown == []


def test_an_allowed_bare_raise_is_still_needed() -> None:
    used = {(name, file) for name, file, _ in bare_raises()}
    left = [f"{name} in {file}" for name, files in ALLOWED.items() for file in files if (name, file) not in used]

    assert left == []


def test_the_scan_sees_a_code_in_each_of_its_forms() -> None:
    text = 'f(code="a/b")\ncode = "a/c"\ndef g(*, code: str = "a/d"): ...\nself.code = "a/e" if x else "a/f"'

    found = {code for node in ast.walk(ast.parse(text)) for code, _ in _codes_in(node)}

    assert found == {"a/b", "a/c", "a/d", "a/e", "a/f"}


def _is_bare_exception(node: ast.ClassDef) -> bool:
    bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
    return bool(bases & {"Exception", "BaseException", "ValueError"}) and not bases & _KNOWN_BASES


_KNOWN_BASES = {"SegueError", "DatabaseError", "SetupError", "UsageError", "HTTPError", "ValidationError", "BadRequest"}
# Carried from one function to another inside the framework; no user meets them.
_INTERNAL = {
    "SegueError": "the root",
    "UnshapedError": "says that a query has no key to keep its plan by",
    "Answer": "carries a finished response",
    "Invalid": "carries the faults of one input",
    "Wrong": "carries one fault of one value",
    "NotAsked": "says for the log why an answer is none; its page tells visitors less",
    "ProviderError": "says for the log why a provider is not believed; its page tells visitors less",
    "PasskeyRefused": "says why a passkey is not taken; its page tells visitors less",
    "Refused": "carries the sentence of a page that lets nobody in",
    "_Enough": "stops looking for faults",
}
