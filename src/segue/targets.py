"""The one grammar by which a text names a thing: a module, something in it, a call, a file.

Holds: `Target`, `load_target`, the UPPERCASE keys of what was loaded, the line a key stands on.
Imports: the standard library, `conversion` and `errors`.
Never: evaluates a target's text; the arguments of a factory are literals.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import logging
import os
import re
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, cast

from .conversion import is_table
from .errors import SegueError, SetupError, cut, did_you_mean

__all__ = [
    "FORMS",
    "FileKeys",
    "Target",
    "TargetError",
    "execute",
    "line_of",
    "load_target",
    "read_mapping",
    "search_folders",
    "split_targets",
    "uppercase",
]

logger: logging.Logger = logging.getLogger("segue.config")
_numbers = itertools.count(1)
_PACKAGE = str(Path(__file__).parent) + os.sep

FORMS = (
    "package.module\n"
    "package.module:attribute\n"
    'package.module:factory(name="value", debug=True)\n'
    "package.module.Name\n"
    "folder/file.py, .toml, .json or .yaml"
)

_FILE = re.compile(r"(?P<path>.+\.(?:py|toml|json|yaml|yml))(?::(?P<rest>[^:/\\]*(?:\(.*)?))?", re.DOTALL)
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


class TargetError(SetupError, ImportError):
    """A target that cannot be loaded; the code says which part of it failed."""


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed target.

    Attributes:
        text: As it was written.
        module: The dotted module; empty where a file is named.
        file: The file, as it was written; empty where a module is named.
        path: The names to follow inside what was loaded.
        arguments: What to call the end of the path with; `None` where it is not called.

    >>> Target.parse('site.app:create(debug=True)').path
    ('create',)
    """

    text: str
    module: str = ""
    file: str = ""
    path: tuple[str, ...] = ()
    arguments: tuple[tuple[Any, ...], dict[str, Any]] | None = None

    @classmethod
    def parse(cls, text: str) -> Target:
        """Read *text*; nothing is imported, opened or evaluated.

        Raises:
            TargetError: It has none of the forms (`config/bad-target`), or the factory
                is given something that is no literal (`config/not-a-literal`).
        """
        text = text.strip()
        found = _FILE.fullmatch(text)
        if found is not None:
            path, arguments = _parse_attribute(text, found["rest"]) if found["rest"] else ((), None)
            return cls(text, file=found["path"], path=path, arguments=arguments)
        module, colon, rest = text.partition(":")
        if not _DOTTED.fullmatch(module) or (colon and not rest):
            raise _bad_target(text)
        path, arguments = _parse_attribute(text, rest) if colon else ((), None)
        return cls(text, module=module, path=path, arguments=arguments)

    def load(self, folders: Sequence[Path] = (), *, fresh: bool = False) -> Any:  # Any: the user's object
        """Return what the target names.

        Args:
            folders: Where relative files are looked for, first match wins.
            fresh: Execute a `.py` file as a value of its own, not as a module that others import.

        Raises:
            TargetError: A part of it is missing or failed; the code says which.
        """
        if self.file:
            value = _load_file(self, self.find_file(folders), fresh=fresh)
        else:
            value = self._load_module(self.module, ())
        done = self.file or self.module
        for name in self.path:
            value = _follow(self.text, done, value, name)
            done = f"{done}.{name}"
        return value if self.arguments is None else self._call(value)

    def find_file(self, folders: Sequence[Path]) -> Path:
        """Return the file it names, looked for in *folders*, first match wins.

        Raises:
            TargetError: There is none (`config/no-such-file`); the message lists the places.
        """
        named = Path(self.file).expanduser()
        candidates = [named] if named.is_absolute() else [each / named for each in folders or (Path.cwd(),)]
        for candidate in candidates:
            if candidate.is_file():
                return candidate.absolute()
        raise TargetError(
            f"The target {self.text!r} names a file that does not exist.",
            code="config/no-such-file",
            why="Looked for:\n" + "\n".join(str(candidate) for candidate in candidates),
            hint="Correct the path. What ends in .py, .toml, .json or .yaml is a file; a module has dots only.",
        )

    def _load_module(self, name: str, rest: tuple[str, ...]) -> Any:
        try:
            with _reporting(self.text, name):
                value: Any = importlib.import_module(name)
        except _AbsentModuleError as error:
            parent, _, last = name.rpartition(".")
            if not parent or self.path:
                raise _no_module(self.text, error.name or "", self.module) from None
            return self._load_module(parent, (last, *rest))
        done = name
        for part in rest:
            value = _follow(self.text, done, value, part)
            done = f"{done}.{part}"
        return value

    def _call(self, factory: Any) -> Any:
        positional, named = self.arguments or ((), {})
        if not callable(factory):
            raise TargetError(
                f"The target {self.text!r} calls {'.'.join(self.path)}, which is no function.",
                code="config/no-such-attribute",
                why=f"It is {cut(factory)}.",
                hint=f"Leave the parentheses away: {self.text.partition('(')[0]}",
            )
        with _reporting(self.text, ".".join(self.path)):
            made = factory(*positional, **named)
            return _wait_for(made) if inspect.isawaitable(made) else made


def load_target(text: str, *, root: Path | None = None, fresh: bool = False) -> Any:  # Any: the user's object
    """Return what *text* names, importing or reading it; an `async def` factory is awaited.

    Args:
        root: Where relative files are looked for (with its `instance` folder and, for
            a package, the folder that holds it); `None` is the working directory.
        fresh: Execute a `.py` file anew instead of importing it as a module.

    Raises:
        TargetError: The text has none of the forms, or a part of it failed.

    >>> load_target("decimal:Decimal('1.5')")
    Decimal('1.5')
    """
    return Target.parse(text).load(search_folders(root or Path.cwd()), fresh=fresh)


def search_folders(root: Path) -> tuple[Path, ...]:
    """Return where files named relative to an app are looked for, in order.

    They are *root*, its `instance` folder, and, where *root* is a package, the
    folder that holds the outermost package (above `src`, where that is its name).
    """
    project = root
    while (project / "__init__.py").is_file():
        project = project.parent
    if project.name == "src":
        project = project.parent
    places = (root, root / "instance", project, project / "instance")
    return tuple(dict.fromkeys(places))


def split_targets(text: str) -> list[str]:
    """Split a comma-separated list of targets; commas inside a factory's parentheses stay.

    >>> split_targets("site.base, site.dev:make(a=1, b=2)")
    ['site.base', 'site.dev:make(a=1, b=2)']
    """
    parts, depth, quote, start = list[str](), 0, "", 0
    for index, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "'\"":
            quote = sign if depth else ""
        elif sign in "([{":
            depth += 1
        elif sign in ")]}":
            depth -= 1
        elif sign == "," and depth <= 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def uppercase(thing: Any) -> dict[str, Any]:
    """Return the UPPERCASE keys of a mapping, module, class or instance.

    Classes and functions that a settings module merely imported (`UUID`) are no
    keys; what is left out is noted in the log at debug level.
    """
    if is_table(thing):
        pairs: Iterable[tuple[Any, Any]] = thing.items()
    else:
        missing = object()
        pairs = ((name, getattr(thing, name, missing)) for name in dir(thing) if not name.startswith("__"))
        pairs = [(name, value) for name, value in pairs if value is not missing]
    kept: dict[str, Any] = {}
    skipped: list[str] = []
    for name, value in pairs:
        if isinstance(name, str) and name.isupper() and not _is_import(name, value):
            kept[name] = value
        else:
            skipped.append(str(name))
    if skipped:
        logger.debug("Not UPPERCASE, so no configuration keys: %s", ", ".join(skipped))
    return kept


def line_of(thing: Any, key: str) -> str:
    """Return `file:line` where *thing* (module, class, instance, file) sets *key*, else the file."""
    if isinstance(thing, Path):
        return _line_in_text(thing, key)
    if isinstance(thing, ModuleType):
        return _line_in_source(getattr(thing, "__file__", None) or thing.__name__, (), key)
    cls: type = thing if isinstance(thing, type) else type(thing)
    owner = next((base for base in cls.__mro__ if key in vars(base)), cls)
    module = sys.modules.get(owner.__module__)
    file = getattr(module, "__file__", None)
    names = tuple(name for name in owner.__qualname__.split(".") if name != "<locals>")
    return _line_in_source(file, names, key) if file else f"{owner.__module__}.{owner.__qualname__}"


# Reading the text


def _parse_attribute(text: str, rest: str) -> tuple[tuple[str, ...], tuple[tuple[Any, ...], dict[str, Any]] | None]:
    try:
        node = ast.parse(rest.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _bad_target(text) from None
    if not isinstance(node, ast.Call):
        return _names(text, node), None
    path = _names(text, node.func)
    positional = tuple(_literal(text, argument) for argument in node.args)
    named: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise _not_a_literal(text, ast.unparse(keyword))
        named[keyword.arg] = _literal(text, keyword.value)
    return path, (positional, named)


def _names(text: str, node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Name):
        return (node.id,)
    if isinstance(node, ast.Attribute):
        return (*_names(text, node.value), node.attr)
    raise _bad_target(text)


def _literal(text: str, node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise _not_a_literal(text, ast.unparse(node)) from None


# Loading


def _load_file(target: Target, path: Path, *, fresh: bool) -> Any:
    if path.suffix == ".py":
        return execute(path, text=target.text) if fresh else _import_file(target.text, path)
    return read_mapping(path)


class FileKeys(dict[str, Any]):
    """The table a file holds, and the file."""

    path: Path


def read_mapping(path: Path) -> FileKeys:
    """Return the table that a TOML, JSON or YAML file holds.

    Raises:
        TargetError: The file is not well formed, or holds no table (`config/bad-file`).
    """
    import json
    import tomllib

    readers: dict[str, Callable[[str], Any]] = {".toml": tomllib.loads, ".json": json.loads}
    try:
        value = readers.get(path.suffix, _read_yaml)(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:  # JSON's, TOML's and YAML's errors are ValueErrors
        raise TargetError(
            f"{path} cannot be read as {path.suffix[1:].upper()}.",
            code="config/bad-file",
            where=f"{path}:{line}" if (line := getattr(error, "lineno", None)) else str(path),
            why=str(error),
            hint="Correct the file.",
        ) from error
    if not isinstance(value, dict):
        raise TargetError(
            f"{path} holds no table of keys.",
            code="config/bad-file",
            where=str(path),
            why=f"Its outermost value is {cut(value)}.",
            hint='{"DEBUG": true}' if path.suffix == ".json" else "DEBUG: true",
        )
    keys = FileKeys(cast("dict[str, Any]", value))
    keys.path = path
    return keys


def _read_yaml(text: str) -> Any:
    try:
        yaml: Any = importlib.import_module("yaml")  # the extra `yaml`; it ships no types
    except ImportError:
        raise ValueError("YAML needs a library that is not installed: pip install 'segue[yaml]'") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def execute(path: Path, *, text: str = "") -> ModuleType:
    """Run a Python file, whatever its suffix, as a module of its own.

    Raises:
        TargetError: It fails (`config/target-failed`).
    """
    # Under a name of its own: two apps with a `dev.py` each do not meet, and a `test.py`
    # hides no library. It stands in sys.modules because annotations are resolved there.
    module = ModuleType(f"segue_target_{path.stem}_{next(_numbers)}")
    module.__file__ = str(path)
    module.__package__ = _dotted(path)[0].rpartition(".")[0]
    sys.modules[module.__name__] = module
    try:
        with _reporting(text or path.name, path.name):
            exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


def _import_file(text: str, path: Path) -> ModuleType:
    name, folder = _dotted(path)
    for loaded in (sys.modules.get(name), sys.modules.get("__main__")):
        if loaded is not None and _is_at(loaded, path):
            return loaded
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    module = _import_named(text, name, path)
    if not _is_at(module, path):
        raise TargetError(
            f"The target {text!r} cannot be imported as `{name}`: another module has that name.",
            code="config/target-failed",
            where=str(path),
            why=f"`{name}` is {getattr(module, '__file__', None) or 'built in'}.",
            hint=f"Rename {path.name}.",
        )
    return module


def _import_named(text: str, name: str, path: Path) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location

    spec = spec_from_file_location(name, path)
    with _reporting(text, path.name):
        if "." in name or name in sys.modules or spec is None or spec.loader is None:
            return importlib.import_module(name)
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            sys.modules.pop(name, None)
            raise
    return module


def _is_at(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return bool(file) and Path(str(file)).resolve() == path.resolve()


def _dotted(path: Path) -> tuple[str, Path]:
    """Return the import name of a file and the folder from which it is imported."""
    parts = [] if path.name == "__init__.py" else [path.stem]
    folder = path.parent
    while (folder / "__init__.py").is_file():
        parts.insert(0, folder.name)
        folder = folder.parent
    return ".".join(parts), folder


def _follow(text: str, done: str, value: Any, name: str) -> Any:
    if is_table(value):
        if name in value:
            return value[name]
        names: Iterable[str] = value
    else:
        missing = object()
        found = getattr(value, name, missing)
        if found is not missing:
            return found
        import pkgutil

        submodules = pkgutil.iter_modules(getattr(value, "__path__", ()))
        names = [
            *(each for each in dir(value) if not each.startswith("_")),
            *(each.name for each in submodules),
        ]
    raise TargetError(
        f"The target {text!r} failed at {name!r}: {done} was found, and has nothing of that name.",
        code="config/no-such-attribute",
        why="Forms of a target:\n" + FORMS,
        hint=did_you_mean(name, names) or f"Define {name} in {done}.",
    )


def _wait_for(made: Awaitable[Any]) -> Any:
    import asyncio  # its weight is for async factories alone

    async def finish() -> Any:
        return await made

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(finish())
    result: list[Any] = []
    failure: list[BaseException] = []

    def drive() -> None:
        try:
            result.append(asyncio.run(finish()))
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=drive, name="segue-factory")
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


# Lines


def _line_in_text(path: Path, key: str) -> str:
    name = re.escape(key)
    found = re.compile(rf"""\s*(?:\[\s*)?["']?{name}["']?\s*(?:[=:.\]])""")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return str(path)
    numbers = [number for number, line in enumerate(lines, 1) if found.match(line)]
    if not numbers:  # JSON written on one line, or several keys on it
        numbers = [number for number, line in enumerate(lines, 1) if f'"{key}"' in line]
    return f"{path}:{numbers[0]}" if numbers else str(path)


def _line_in_source(file: str, names: tuple[str, ...], key: str) -> str:
    try:
        body: list[ast.stmt] = ast.parse(Path(file).read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return file
    for name in names:
        found = [node for node in _statements(body) if _is_scope(node, name)]
        if not found:
            return file
        body = cast("ast.ClassDef", found[-1]).body
    lines = [node.lineno for node in _statements(body) if key in _assigned(node)]
    return f"{file}:{lines[-1]}" if lines else file


def _is_scope(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name


def _statements(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Yield the statements of a scope, those in `if`, `try`, `with`, `for` and `match` too."""
    for node in body:
        yield node
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            inner = (child for child in ast.walk(node) if isinstance(child, ast.stmt) and child is not node)
            yield from sorted(inner, key=lambda child: child.lineno)


def _assigned(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.Assign):
        return {each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)}
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return {node.target.id} if isinstance(node.target, ast.Name) else set()
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    return set()


def _is_import(name: str, value: Any) -> bool:
    return isinstance(value, type | FunctionType | ModuleType) and getattr(value, "__name__", "") == name


# Errors


def _bad_target(text: str) -> TargetError:
    return TargetError(
        f"{cut(text)} names nothing that can be loaded.",
        code="config/bad-target",
        why="It has none of the forms of a target.",
        hint="Write one of:\n" + FORMS,
    )


def _not_a_literal(text: str, part: str) -> TargetError:
    return TargetError(
        f"The target {cut(text)} passes `{part}`, which is no literal.",
        code="config/not-a-literal",
        why="A target is never evaluated: a factory takes texts, numbers, True, None, lists of them.",
        hint="Write a function that takes no argument, and name it.",
    )


def _no_module(text: str, missing: str, module: str) -> TargetError:
    tried = [module] if module == missing else [module, missing]
    return TargetError(
        f"The target {text!r} failed at the module `{missing}`: there is none.",
        code="config/no-such-module",
        why=f"Tried to import {' and '.join(f'`{each}`' for each in tried)}. Forms of a target:\n{FORMS}",
        hint="Correct the name, or run from the folder that holds the package. A file is written with its "
        "suffix: ./settings.py",
    )


@contextmanager
def _reporting(text: str, part: str) -> Generator[None, None, None]:
    """Turn what the user's code raises into an error that says where; Segue's own pass."""
    try:
        yield
    except SegueError as error:
        error.where = error.where or _place_in(error, besides=_PACKAGE)
        raise
    except Exception as error:
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        if absent and (part == absent or part.startswith(absent + ".")):
            raise _AbsentModuleError(name=absent) from None
        raise TargetError(
            f"The target {text!r} was found, but {part} failed: {type(error).__name__}: {error}",
            code="config/target-failed",
            where=_place_in(error),
            why="An error was raised inside it; the traceback above shows where.",
            hint="Correct the code at that line.",
        ) from error


class _AbsentModuleError(ImportError):
    """The module that was asked for does not exist, as opposed to one that it imports."""


def _place_in(error: Exception, *, besides: str = __file__) -> str:
    """Return the innermost line on the way of an error that stands in no file whose path begins with *besides*."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    place, trace = "", error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith((besides, "<frozen")):
            place = f"{file}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place
