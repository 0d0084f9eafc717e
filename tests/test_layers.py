"""Imports go down, never up and never sideways: at the top, in functions, for types alike.

The floors are those of docs/explanation/layers.md. What goes across stands in `ARROWS`
or `INSIDE`, each with its reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"
PACKAGE = SRC / "segue"
MODULES = sorted(PACKAGE.rglob("*.py"))

# Each unit of the package (a module or a folder directly below it) and its floor.
GROUND, ENGINES, SERVICES, PIPELINE, PROTOCOLS, COMPOSITION, READERS, SITES, FACES, EDGES, DOOR = (
    0.0, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0,
)  # fmt: skip

FLOORS: dict[str, float] = {
    "_version": GROUND,
    "errors": GROUND,
    "validators": GROUND,
    "text": GROUND,
    "places": GROUND,
    "resources": GROUND,
    "regexes": GROUND,
    "watchdog": GROUND,
    "signals": GROUND,
    "context": GROUND,
    "colours": GROUND,
    "clock": GROUND,
    "typing": GROUND,
    "masking": GROUND,
    "targets": GROUND,
    "conversion": GROUND,
    "sources": GROUND,
    "layers": GROUND,
    "config": GROUND,
    "http": ENGINES,
    "routing": ENGINES,
    "db": ENGINES,
    "i18n": ENGINES,
    "signing": ENGINES,
    "validation": ENGINES,
    "tasks": SERVICES,
    "cache": SERVICES,
    "mail": SERVICES,
    "storage": SERVICES,
    "handling": PIPELINE,
    "templating": PIPELINE,
    "web": PIPELINE,
    "protocols": PROTOCOLS,
    "settings": COMPOSITION,
    "tables": COMPOSITION,
    "blueprint": COMPOSITION,
    "parts": COMPOSITION,
    "registries": COMPOSITION,
    "discovering": COMPOSITION,
    "databases": COMPOSITION,
    "serving": COMPOSITION,
    "assembly": COMPOSITION,
    "installed": COMPOSITION,
    "rendering": COMPOSITION,
    "shortcuts": COMPOSITION,
    "services": COMPOSITION,
    "app": COMPOSITION,
    "forms": READERS,
    "lists": READERS,
    "views": SITES,
    "content": SITES,
    "auth": SITES,
    "api": FACES,
    "admin": FACES,
    "servers": EDGES,
    "cli": EDGES,
    "testing": EDGES,
    "__main__": DOOR,
    "__init__": DOOR,
}

# What a floor imports of its own: these read in one direction, so they form no cycle.
INSIDE: dict[float, tuple[list[str], str]] = {
    GROUND: (
        ["_version", "errors", "validators", "text", "places", "resources", "regexes", "watchdog", "signals", "context",
         "colours", "clock", "typing", "conversion", "masking", "targets", "sources", "layers", "config"],
        "each of the ground may import those above it in this list",
    ),
    COMPOSITION: (
        ["settings", "tables", "blueprint", "parts", "registries", "installed", "shortcuts", "rendering",
         "discovering", "databases", "services", "serving", "assembly", "app"],
        "one composition in its files; each may import those above it in this list",
    ),
}  # fmt: skip

# Named arrows: (who, whom) → why.
ARROWS: dict[tuple[str, str], str] = {
    ("app", "testing"): "App.test_client(), async_client() and test_request_context() import it when called",
    ("app", "servers"): "App.run() imports it when called",
    ("app", "cli"): "App.run() may import it when called",
    ("cli", "servers"): "`segue run` starts a server",
    ("servers", "cli"): "a server's worker finds the app as the command line does",
    ("cli", "testing"): "`segue test` uses the same client",
    ("testing", "cli"): "the pytest plugin finds the app as the command line does",
    ("web", "handling"): "what a site has around its handlers is written with steps and marks of the pipeline",
    ("registries", "app"): "for types: whose registries they read",
    ("assembly", "app"): "for types: what it assembles is an App",
    ("services", "app"): "for types: whose services they are",
    ("databases", "app"): "for types: whose databases they are",
    ("rendering", "app"): "for types: whose templates they are",
    ("shortcuts", "app"): "for types: what current_app() returns",
    ("shortcuts", "rendering"): "loaded at the first template, so that an app without any never loads Jinja2",
    ("lists", "forms"): "a filter is a form",
    ("auth", "views"): "the login pages are views",
}
# Arrows that exist for types alone: at run time they would be cycles.
ONLY_FOR_TYPES = {
    ("registries", "app"),
    ("assembly", "app"),
    ("services", "app"),
    ("databases", "app"),
    ("rendering", "app"),
    ("shortcuts", "app"),
}
# Arrows that exist inside functions alone: at the top they would load what few need.
ONLY_IN_FUNCTIONS = {("app", "testing"), ("app", "servers"), ("app", "cli"), ("shortcuts", "rendering")}

# Libraries that only some packages may know. What is not named here is the standard library.
# fmt: off
LIBRARIES: dict[str, set[str]] = {
    "msgspec": {
        "http", "validation", "signing", "handling", "testing", "rendering", "assembly", "conversion", "config",
        "sources", "cli", "web", "api", "forms", "db", "templating",
        "cache",
    },
    "jinja2": {"templating"},
    "markupsafe": {"__init__", "templating", "shortcuts", "rendering", "web", "forms", "views", "admin", "content"},
    "multipart": {"http"},
    "blinker": {"signals"},
    "click": {"cli", "testing"},
    "rich": {"cli", "servers"},
    "granian": {"servers", "testing"},
    "uvicorn": {"servers"},
    "watchfiles": {"servers"},
    "uvloop": {"servers", "protocols"},
    "sqlalchemy": {"db"},
    "alembic": {"db"},
    "psycopg": {"db"},
    "pymysql": {"db"},
    "asyncmy": {"db"},
    "itsdangerous": {"signing"},
    "redis": {"cache"},
    "brotli": {"web"},
    "zstandard": {"web"},
    "argon2": {"auth"},
    "joserfc": {"auth"},
    "PIL": {"forms"},
    "bcrypt": {"auth"},
    "fido2": {"auth"},
    "pytest": {"testing", "cli"},
    "httpx2": {"testing", "auth"},
    "yaml": {"targets", "sources"},
    "IPython": {"cli"},
    "ptpython": {"cli"},
    "bpython": {"cli"},
    "typing_extensions": {"typing"},
    "babel": {"i18n"},
}  # fmt: skip


@dataclass(frozen=True)
class Import:
    """One import: who imports whom, where, and how."""

    importer: str
    imported: str
    file: str
    line: int
    is_typing: bool
    is_inner: bool

    @property
    def arrow(self) -> tuple[str, str]:
        return self.importer, self.imported

    def __str__(self) -> str:
        return f"src/segue/{self.file}:{self.line}: {self.importer} imports {self.imported}"


def unit_of(path: Path) -> str:
    """Return the module or folder directly below the package that *path* belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports_of(path: Path) -> Iterator[Import]:
    """Yield every import of a file, inside the package and outside."""
    package = path.relative_to(SRC).with_suffix("").parts[:-1]

    def visit(node: ast.AST, *, is_typing: bool, is_inner: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                for name in _names(child, package):
                    yield Import(
                        unit_of(path),
                        name,
                        path.relative_to(PACKAGE).as_posix(),
                        child.lineno,
                        is_typing=is_typing,
                        is_inner=is_inner,
                    )
            else:
                typing = is_typing or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test))
                inner = is_inner or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                yield from visit(child, is_typing=typing, is_inner=inner)

    return visit(ast.parse(path.read_text(encoding="utf-8")), is_typing=False, is_inner=False)


def _names(node: ast.Import | ast.ImportFrom, package: tuple[str, ...]) -> list[str]:
    """The imported modules: `segue.UNIT` for our own, the distribution's first name for others."""
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    else:
        base = list(package[: len(package) - node.level + 1]) if node.level else []
        base += node.module.split(".") if node.module else []
        # `from . import names` of the root: each name is a unit of its own.
        modules = [".".join([*base, alias.name] if base == ["segue"] else base) for alias in node.names]
    found: list[str] = []
    for module in dict.fromkeys(modules):
        parts = module.split(".")
        found.append("segue." + (parts[1] if len(parts) > 1 else "__init__") if parts[0] == "segue" else parts[0])
    return found


ALL = [each for path in MODULES for each in imports_of(path)]
OURS = [
    Import(each.importer, each.imported.removeprefix("segue."), each.file, each.line, each.is_typing, each.is_inner)
    for each in ALL
    if each.imported.startswith("segue.")
]


def is_down(each: Import) -> bool:
    """Whether an import goes to a lower floor, stays in its unit, or is allowed by the order of a floor."""
    importer, imported = each.arrow
    if importer == imported or importer in ("__init__", "__main__"):
        return True
    if FLOORS[importer] != FLOORS[imported]:
        # The edges see composition and what is below it, not the readers, sites and faces.
        if FLOORS[importer] == EDGES:
            return FLOORS[imported] <= COMPOSITION
        return FLOORS[importer] > FLOORS[imported]
    order = INSIDE.get(FLOORS[importer], ([], ""))[0]
    return importer in order and imported in order and order.index(imported) < order.index(importer)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_stands_on_a_floor(path: Path) -> None:
    assert unit_of(path) in FLOORS


def test_the_explanation_of_the_layers_names_every_part() -> None:
    page = (SRC.parent / "docs" / "explanation" / "layers.md").read_text(encoding="utf-8")
    parts = sorted({unit_of(path) for path in MODULES} - {"_version"})

    assert [part for part in parts if f"`{part}.py`" not in page and f"`{part}/`" not in page] == []


def test_imports_go_down() -> None:
    wrong = [str(each) for each in OURS if not is_down(each) and each.arrow not in ARROWS]

    assert wrong == []


def test_arrows_for_types_are_not_imports_at_run_time() -> None:
    wrong = [str(each) for each in OURS if each.arrow in ONLY_FOR_TYPES and not each.is_typing]

    assert wrong == []


def test_late_arrows_stay_inside_functions() -> None:
    wrong = [str(each) for each in OURS if each.arrow in ONLY_IN_FUNCTIONS and not (each.is_inner or each.is_typing)]

    assert wrong == []


def test_nothing_inside_imports_the_door() -> None:
    wrong = [str(each) for each in OURS if each.imported in ("__init__", "__main__")]

    assert wrong == []


def test_the_ground_imports_the_standard_library_and_blinker_alone() -> None:
    allowed = {"blinker", "yaml", "typing_extensions"}
    wrong = [
        str(each)
        for each in ALL
        if FLOORS[each.importer] == GROUND and each.imported in LIBRARIES and each.imported not in allowed
    ]

    assert wrong == []


def test_a_library_is_known_only_where_it_is_used() -> None:
    wrong = [
        str(each)
        for each in ALL
        if each.imported in LIBRARIES and each.importer not in LIBRARIES[each.imported] and not each.is_typing
    ]

    assert wrong == []


def test_every_library_is_named() -> None:
    import sys

    known = {*sys.stdlib_module_names, *LIBRARIES, "__future__"}
    wrong = [str(each) for each in ALL if not each.imported.startswith("segue") and each.imported not in known]

    assert wrong == []


def test_jinja_and_sqlalchemy_are_loaded_by_their_own_floor_alone() -> None:
    heavy = {"templating": "rendering", "db": "databases"}
    # What a service keeps in the database stands in one module, which it loads where it is chosen.
    wrong = [
        str(each)
        for each in OURS
        if each.imported in heavy and not (each.is_typing or each.is_inner)
        and not (each.imported == "db" and each.file.endswith("/database.py"))
        and each.importer not in (each.imported, heavy[each.imported])
        and FLOORS[each.importer] < READERS
    ]  # fmt: skip

    assert wrong == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("__init__.py")), ids=lambda path: path.parent.name)
def test_a_package_says_what_it_holds_imports_and_never_does(path: Path) -> None:
    document = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""

    if path.parent == PACKAGE:
        assert "public names" in document
    else:
        assert [word for word in ("Holds", "Imports", "Never") if word not in document] == []


def test_the_scan_sees_imports_at_the_top_in_functions_and_for_types() -> None:
    kinds = {(each.is_typing, each.is_inner) for each in OURS if each.file == "shortcuts.py"}

    assert kinds == {(False, False), (True, False), (False, True)}


def test_an_import_upwards_is_seen() -> None:
    upwards = Import("http", "app", "http/request.py", 1, is_typing=True, is_inner=False)
    sideways = Import("http", "routing", "http/request.py", 1, is_typing=False, is_inner=True)
    down = Import("app", "http", "app.py", 1, is_typing=False, is_inner=False)

    assert [is_down(upwards), is_down(sideways), is_down(down)] == [False, False, True]
