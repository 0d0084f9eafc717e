"""The modules of an app's package, imported for what they define: `App(autodiscover=True)`.

Holds: `discover`; `package_of`, where it looks.
Imports: the standard library and errors.
Never: imports what runs by itself, tests or migrations; knows an app.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules
from types import ModuleType

from .errors import SetupError

__all__ = ["discover", "package_of"]

_LEFT_OUT = ("__main__", "conftest", "migrations", "test", "tests")
_RUNNING = ("__main__", "__mp_main__")  # what runs is called so, in this process or in one that it spawned


def discover(import_name: str, *, where: str) -> None:
    """Import every module of the package that *import_name* is, or stands in.

    Left out are `__main__`, and what is called `migrations`, `tests`, `conftest` or `test_…`; scripts
    whose names no `import` can write; and the module that `python -m` runs, which is loaded already.

    Args:
        where: The line that asks for it, for the error.

    Raises:
        SetupError: It stands in no package (`app/no-package`).
    """
    package = package_of(import_name)
    if not package:
        raise SetupError(
            f"{import_name!r} stands in no package, so there are no other modules to find models in.",
            code="app/no-package",
            where=where,
            why="autodiscover=True imports the modules of the package that the app is made in.",
            hint="Leave autodiscover away: the models of a single file are the app's own.",
        )
    _import_below(import_module(package))


def package_of(import_name: str) -> str:
    """Return the package that a module is or stands in; empty where there is none."""
    if import_name in _RUNNING:
        spec = getattr(sys.modules.get(import_name), "__spec__", None)
        return spec.parent or "" if spec is not None else ""
    return import_name if _is_package(import_name) else import_name.rpartition(".")[0]


def _is_package(name: str) -> bool:
    module = sys.modules.get(name)
    if module is not None:
        return hasattr(module, "__path__")
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return False
    return spec is not None and spec.submodule_search_locations is not None


def _import_below(package: ModuleType) -> None:
    running = getattr(getattr(sys.modules.get("__main__"), "__spec__", None), "name", None)
    for found in sorted(iter_modules(package.__path__, f"{package.__name__}."), key=lambda each: each.name):
        last = found.name.rpartition(".")[2]
        if last in _LEFT_OUT or last.startswith("test_") or not last.isidentifier() or found.name == running:
            continue
        module = import_module(found.name)
        if found.ispkg:
            _import_below(module)
