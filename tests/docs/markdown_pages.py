"""Runs what the documentation shows: pages, their blocks, and the files that blocks make.

A page runs in a folder of its own, as a module of its own:

- A ```python block is executed; all blocks of a page share one namespace. With `no-run`
  behind the language it is only compiled.
- A block whose first line names a file (`# app.py`, `<!-- templates/index.html -->`) is
  written to it. A python file at the top of the folder is then imported and its names
  join the namespace; one in a package is imported by whoever needs it, or at the end.
- A ```console block is carried out where it begins with a command listed in `_COMMANDS`;
  what it shows below the command must be in the output.
- A block of another framework, which says `flask` or `django` behind the language, is
  compiled; `test_pairs` runs it where that framework is.
- A tutorial is one growing program: a chapter begins with the files of those before it.
"""

from __future__ import annotations

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

THEIRS = frozenset({"flask", "django"})
ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<info>[^\n`]*)\n(?P<code>.*?)^(?P=fence)[ ]*$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(
    r"\A(?:#|//|/\*|<!--)\s*(?P<name>[\w./-]+\.(?:py|html|css|js|toml|json|txt|yaml|env))\s*(?:\*/|-->)?\s*$",
    re.MULTILINE,
)
_numbers = count(1)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    page: Path
    line: int
    language: str
    options: frozenset[str]
    code: str

    @property
    def place(self) -> str:
        """The page and the line in it where the code begins."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def filename(self) -> str | None:
        """The file that the first line names, or `None`."""
        if self.language == "console":
            return None
        found = _FILE.match(self.code)
        return found["name"] if found else None

    @property
    def content(self) -> str:
        """What is written to the file: python as it stands, others without the first line."""
        return self.code if self.language in ("python", "toml") else self.code.partition("\n")[2]


def pages() -> list[Path]:
    """Every page of the documentation that holds blocks to run, and the README."""
    found = [path for path in sorted(DOCS.rglob("*.md")) if "_build" not in path.parts]
    return [path for path in [*found, ROOT / "README.md"] if DOCS / "errors" not in path.parents]


def error_pages() -> list[Path]:
    """The pages about one error each."""
    return sorted((DOCS / "errors").glob("*/*.md"))


def blocks_of(page: Path, text: str | None = None, *, first_line: int = 1) -> list[Block]:
    """Return the fenced blocks of a page, or of *text*, a part of it."""
    text = page.read_text(encoding="utf-8") if text is None else text
    found: list[Block] = []
    for match in _FENCE.finditer(text):
        language, *options = match["info"].split() or [""]
        line = first_line + text.count("\n", 0, match.start("code"))
        found.append(Block(page, line, language, frozenset(options), match["code"]))
    return found


def sections_of(page: Path) -> dict[str, list[Block]]:
    """Return the blocks of a page by the `##` heading they stand under."""
    text = page.read_text(encoding="utf-8")
    found: dict[str, list[Block]] = {}
    starts = [*re.finditer(r"^## (.+)$", text, re.MULTILINE)]
    ends = [match.start() for match in starts[1:]] + [len(text)]
    for match, end in zip(starts, ends, strict=True):
        line = 1 + text.count("\n", 0, match.end())
        found[match[1].strip()] = blocks_of(page, text[match.end() : end], first_line=line)
    return found


def chapters_before(page: Path) -> list[Path]:
    """Return the chapters that a chapter of the tutorial goes on from."""
    if page.parent.name != "tutorial" or not page.name[0].isdigit():
        return []
    return sorted((each for each in page.parent.glob("[0-9]*.md") if _number(each) < _number(page)), key=_number)


def _number(chapter: Path) -> int:
    return int(chapter.name.partition("-")[0])


class PageRun:
    """One page being run in a folder.

    Attributes:
        folder: Where the page's files are.
        names: What its python blocks share.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # A file, so that an app made in a block finds templates and static files beside it.
        self.module = ModuleType(f"docs_page_{next(_numbers)}")
        self.module.__file__ = str(folder / "page.py")
        self.names: dict[str, Any] = self.module.__dict__
        sys.modules[self.module.__name__] = self.module
        self._unimported: dict[str, Block] = {}

    def run(self, blocks: list[Block]) -> None:
        """Run *blocks* in their order, then import what no block imported."""
        for block in blocks:
            self._run(block)
        for name in list(self._unimported):
            self._import(name)

    def write_files(self, blocks: list[Block]) -> None:
        """Write what *blocks* write, move what they move and migrate, without running any other code."""
        for block in blocks:
            if block.filename is not None:
                self._write(block)
            elif block.language == "console":
                self._console(block, only=("mkdir", "mv", "rm", "segue makemigrations", "segue migrate"))

    def _run(self, block: Block) -> None:
        if block.options & THEIRS:
            compile(block.code if block.language == "python" else "", str(block.page), "exec", dont_inherit=True)
            return
        if block.language == "console":
            self._console(block)
            return
        if block.filename is not None:
            self._write(block)
        if block.language != "python":
            return
        code = compile(block.code, str(block.page), "exec", dont_inherit=True)
        if "no-run" in block.options:
            return
        name = block.filename
        if name is None:
            # Lines of the page, so that a traceback names the line of the page.
            padded = "\n" * (block.line - 1) + block.code
            exec(compile(padded, str(block.page), "exec", dont_inherit=True), self.names)
        elif "/" in name:
            self._unimported[name] = block
        elif not name.startswith("test_"):
            assert code is not None
            self.names.update(_public(self._import(name)))

    def _write(self, block: Block) -> None:
        assert block.filename is not None
        path = self.folder / block.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py" and path.exists():
            forget_modules(self.folder)  # a changed file counts for the next block that imports it
        path.write_text(block.content, encoding="utf-8")

    def _import(self, name: str) -> ModuleType:
        self._unimported.pop(name, None)
        parts = name.removesuffix(".py").split("/")
        if parts[-1] == "__init__":
            parts.pop()
        if parts[0] == "tests":
            return self.module  # run by a `$ pytest` of the page
        forget_modules(self.folder)
        importlib.invalidate_caches()
        return importlib.import_module(".".join(parts))

    def _console(self, block: Block, *, only: tuple[str, ...] = ()) -> None:
        for command, shown in _commands(block.code):
            program = shlex.split(command)[0]
            carry_out = _COMMANDS.get(program)
            if carry_out is None or (only and not command.startswith(only)):
                continue
            output = carry_out(self.folder, shlex.split(command)[1:], block)
            for line in shown:
                if line.strip() not in ("", "...", "…"):
                    assert line.strip() in output, f"{block.place}: `{command}` shows no {line!r}; it shows\n{output}"


def _public(module: ModuleType) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if not name.startswith("__")}


def _commands(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a console block with the lines shown below it."""
    command, shown = "", list[str]()
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:].partition("  #")[0].strip(), []
        else:
            shown.append(line)
    if command:
        yield command, shown


def _segue(folder: Path, arguments: list[str], block: Block) -> str:
    if "run" in arguments:
        return ""  # it serves until it is stopped; tests/servers and tests/integration run it
    from click.testing import CliRunner

    from segue.cli.group import segue

    forget_modules(folder)
    result = CliRunner().invoke(segue, arguments, catch_exceptions=True)
    forget_modules(folder)  # what the command compiled is closed; the page goes on with its own
    assert result.exit_code == 0, f"{block.place}: segue {' '.join(arguments)}\n{result.output}\n{result.exception!r}"
    return result.output


def _pytest(folder: Path, arguments: list[str], block: Block) -> str:
    # Of all plugins that are installed here only Segue's: the others take longer to load than the tests.
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "segue.testing.plugin", *arguments]
    path = os.pathsep.join([str(folder), str(ROOT / "src")])
    environment = {**os.environ, "PYTHONPATH": path, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, f"{block.place}\n{done.stdout}{done.stderr}"
    return done.stdout


def _move(folder: Path, arguments: list[str], block: Block) -> str:
    *sources, target = arguments
    for source in sources:
        shutil.move(str(folder / source), str(folder / target))
    return ""


def _make_folder(folder: Path, arguments: list[str], block: Block) -> str:
    for name in arguments:
        (folder / name).mkdir(parents=True, exist_ok=True)
    return ""


def _remove(folder: Path, arguments: list[str], block: Block) -> str:
    for name in arguments:
        (folder / name).unlink()
    return ""


_COMMANDS = {"segue": _segue, "pytest": _pytest, "mv": _move, "mkdir": _make_folder, "rm": _remove}


def forget_modules(folder: Path) -> None:
    """Forget every module that was imported from *folder*, so that changed files count."""
    inside = str(folder.resolve())
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.startswith(inside) and not name.startswith("docs_page_"):
            del sys.modules[name]


@contextmanager
def running_in(folder: Path) -> Generator[PageRun]:
    """Run a page in *folder*: the working directory, and first on the import path."""
    before, path = os.getcwd(), list(sys.path)
    # Files are written and changed within one second: byte code would be stale.
    written, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    _disconnect()
    page = PageRun(folder)
    try:
        yield page
    finally:
        os.chdir(before)
        sys.path[:] = path
        sys.dont_write_bytecode = written
        forget_modules(folder)
        _disconnect()
        sys.modules.pop(page.module.__name__, None)


def _disconnect() -> None:
    """Close the databases that a page has connected, and forget those of apps: another page begins with none."""
    current = sys.modules.get("segue.db.current")
    if current is not None:
        current._of_apps.clear()
        for name in list(current._connected):
            current.disconnect(name)
    registry = sys.modules.get("segue.db.registry")
    if registry is not None:
        registry._registries.pop("club", None)  # the package of most pages: another one, with other models
