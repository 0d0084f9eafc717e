"""Which app a command is about, and how it is loaded.

The first of these that names one: `--app`, the variable `SEGUE_APP`, `app` under
`[tool.segue]` in pyproject.toml; then `app.py`, `main.py`, `wsgi.py` in the working
directory; then the one package there that has an `app.py`. In what is named, the app
is the only `App`, or what `create_app`, `make_app` or `get_app` returns.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..errors import SetupError, cut
from ..targets import Target, load_target

if TYPE_CHECKING:
    from ..app import App

__all__ = ["FACTORIES", "FILES", "Project", "find_target", "load_app"]

FILES = ("app.py", "main.py", "wsgi.py")
FACTORIES = ("create_app", "make_app", "get_app")


@dataclass(frozen=True, slots=True)
class Project:
    """How to load the app; a value that can be sent to another process.

    Attributes:
        target: What `--app` said; `None` looks for the app.
        configs: What `--config` said, in order.
        debug: What `--debug` said; `None` leaves it to the configuration.
        is_development: Whether debug is on where nothing says otherwise.
        is_production: Whether `.env`, which belongs to development, is left alone.
        options: Configuration keys that options of the command set.
        folder: The working directory.
    """

    target: str | None = None
    configs: tuple[str, ...] = ()
    debug: bool | None = None
    is_development: bool = False
    is_production: bool = False
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    folder: str = field(default_factory=os.getcwd)

    def load(self) -> App:
        """Import the app and give its configuration what the command line says.

        Raises:
            SetupError: There is none, there are several, or its code fails.
        """
        if not sys.path or sys.path[0] != self.folder:
            sys.path.insert(0, self.folder)
        is_assumed = self.is_development and self.debug is None and "SEGUE_DEBUG" not in os.environ
        if is_assumed:
            # A variable, so that code which reads `app.debug` while it is imported sees it.
            os.environ["SEGUE_DEBUG"] = "1"
        if not self.is_production:
            # So that a command finds the database that `segue run` uses, with debug or without.
            os.environ.setdefault("SEGUE_DOTENV", "1")
        app, _ = load_app(self.target, Path(self.folder))
        for target in self.configs:
            app.config.push_target(target)
        options = dict(self.options)
        if self.debug is not None:
            options["DEBUG"] = self.debug
        elif is_assumed:
            said = [each for each in app.config.explain("DEBUG").overridden if each.source != "default"]
            if said:
                options["DEBUG"] = said[0].value == "True"
        if options:
            app.config.push_options(options)
        return app


def find_target(folder: Path) -> tuple[str, str]:
    """Return the target that the environment, pyproject.toml or the files of *folder* name, and who says so.

    Raises:
        SetupError: Nothing does (`cli/no-app`), or several packages have an app (`cli/several-apps`).
    """
    named = os.environ.get("SEGUE_APP")
    if named:
        return named, "the variable SEGUE_APP"
    named = _from_pyproject(folder)
    if named:
        return named, "[tool.segue] in pyproject.toml"
    for name in FILES:
        if (folder / name).is_file():
            return name, name
    packages = sorted(each.parent.name for each in folder.glob("*/app.py") if (each.parent / "__init__.py").is_file())
    if len(packages) == 1:
        return f"{packages[0]}.app", f"the package {packages[0]}"
    if packages:
        raise SetupError(
            f"Several packages here have an app.py: {', '.join(packages)}.",
            code="cli/several-apps",
            where=str(folder),
            hint=f"segue --app {packages[0]}.app …",
        )
    raise SetupError(
        "There is no app here.",
        code="cli/no-app",
        where=str(folder),
        why="Looked for: --app, the variable SEGUE_APP, app under [tool.segue] in pyproject.toml, the files "
        f"{', '.join(FILES)}, a package with an app.py.",
        hint="segue --app package.module …, or go to the folder that holds app.py.",
    )


def load_app(text: str | None, folder: Path) -> tuple[App, str]:
    """Import what *text* names, or what is found in *folder*; return the app and its full target."""
    target, said_by = (text, "--app") if text else find_target(folder)
    if (folder / target).is_dir() and not target.isidentifier():
        target = f"{target.rstrip('/')}/app.py"
    loaded = _load(target, folder)
    if isinstance(loaded, ModuleType):
        return _app_in(loaded, target)
    if inspect.isroutine(loaded):
        loaded, target = _made_by(loaded, target), f"{target}()"
    if not _is_app(loaded):
        raise SetupError(
            f"{target} is no app: it is {cut(loaded)}.",
            code="cli/not-an-app",
            where=said_by,
            hint="Name an App, a module that has one, or a function that returns one.",
        )
    app: App = loaded
    return app, target


def _load(target: str, folder: Path) -> Any:
    parsed = Target.parse(target)
    loaded = load_target(target, root=folder)
    is_package = isinstance(loaded, ModuleType) and hasattr(loaded, "__path__")
    if is_package and not parsed.path and not _apps_in(loaded) and not _factory_in(loaded):
        inner = f"{loaded.__name__}.app"
        if find_spec(inner) is not None:
            return load_target(inner, root=folder)
    return loaded


def _is_app(thing: Any) -> bool:
    # Where nobody imported the class, nothing is an instance of it.
    module = sys.modules.get("segue.app")
    return module is not None and isinstance(thing, module.App)


def _apps_in(module: ModuleType) -> dict[str, Any]:
    """The apps of a module by name; of several names of one app the first."""
    found: dict[int, tuple[str, Any]] = {}
    for name, value in vars(module).items():
        if _is_app(value):
            found.setdefault(id(value), (name, value))
    return dict(found.values())


def _factory_in(module: ModuleType) -> Any:
    return next((vars(module)[name] for name in FACTORIES if callable(vars(module).get(name))), None)


def _app_in(module: ModuleType, target: str) -> tuple[App, str]:
    apps = _apps_in(module)
    file = getattr(module, "__file__", None) or module.__name__
    if len(apps) > 1:
        places = [f"{name} ({app.place})" for name, app in apps.items()]
        raise SetupError(
            f"{module.__name__} has {len(apps)} apps: {_listed(places)}.",
            code="cli/several-apps",
            where=file,
            why="Which one is meant cannot be known.",
            hint=f"segue --app {module.__name__}:{next(iter(apps))} …",
        )
    if apps:
        name, app = next(iter(apps.items()))
        return app, f"{module.__name__}:{name}"
    factory = _factory_in(module)
    if factory is not None:
        made = _made_by(factory, target)
        if _is_app(made):
            return made, f"{module.__name__}:{factory.__name__}()"
    raise SetupError(
        f"{module.__name__} has no app.",
        code="cli/no-app",
        where=file,
        why=f"It has neither an App nor a function that returns one and is called {' or '.join(FACTORIES)}.",
        hint="app = App(__name__)",
    )


def _made_by(factory: Any, target: str) -> Any:
    required = [
        parameter.name
        for parameter in inspect.signature(factory).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if required:
        module, name = factory.__module__, factory.__name__
        raise SetupError(
            f"{name}() needs {', '.join(required)}.",
            code="cli/factory-arguments",
            where=f"{factory.__code__.co_filename}:{factory.__code__.co_firstlineno}",
            why="A factory that is found by its name is called without arguments.",
            hint=f"segue --app '{module}:{name}({required[0]}=…)' …; the arguments are literals.",
        )
    try:
        made = factory()
        return asyncio.run(_awaited(made)) if inspect.isawaitable(made) else made
    except SetupError:
        raise
    except Exception as error:
        raise SetupError(
            f"{factory.__name__}() of {target} failed: {type(error).__name__}: {error}",
            code="cli/factory-failed",
            why="The traceback above shows where.",
            hint="Correct the code at that line.",
        ) from error


async def _awaited(made: Any) -> Any:
    return await made


def _from_pyproject(folder: Path) -> str | None:
    path = folder / "pyproject.toml"
    if not path.is_file():
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SetupError(
            "pyproject.toml cannot be read.",
            code="cli/bad-pyproject",
            where=str(path),
            why=str(error),
            hint="Correct the file.",
        ) from None
    named = table.get("tool", {}).get("segue", {}).get("app")
    return str(named) if named else None


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"
