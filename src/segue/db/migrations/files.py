"""Migrations as files.

Holds: `Migration`, one file with its snapshot; reading a folder, writing a file.
Imports: operations, states.
Never: runs an operation, or a file that is no migration.

    migrations/
        0001_initial.py      what is done, and its parents
        0001_initial.json    what the models are after it
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from ...errors import SetupError
from .operations import Operation
from .state import State
from .values import Imports

__all__ = ["Migration", "MigrationError", "next_number", "read_folder", "source_of", "write_migration"]

_NAME = re.compile(r"[0-9]{4,}_[a-z0-9_]+|[a-z0-9]{6,40}", re.ASCII)


class MigrationError(SetupError):
    """The history of the migrations is not as it must be."""

    code = "data/migration-history"


class Migration:
    """One step of the history.

    Attributes:
        name: The file's name without its ending.
        parents: The migrations it comes after; none for the first.
        operations: What it does, in order.
        replaces: The migrations that it stands for, where it was squashed.
        atomic: Whether it is one transaction, where the database can do that with tables.
        online: Whether tables stay usable meanwhile, where that takes other statements.
        prelude: Source that stands before the operations: the functions they call.
    """

    def __init__(
        self,
        name: str,
        parents: Sequence[str] = (),
        operations: Sequence[Operation] = (),
        *,
        replaces: Sequence[str] = (),
        atomic: bool = True,
        online: bool = True,
        path: Path | None = None,
        title: str = "",
        prelude: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.parents: tuple[str, ...] = tuple(parents)
        self.operations: list[Operation] = list(operations)
        self.replaces: tuple[str, ...] = tuple(replaces)
        self.atomic = atomic
        self.online = online
        self.path = path
        self.title = title
        self.prelude: list[str] = list(prelude)

    def __repr__(self) -> str:
        return f"<Migration {self.name}>"

    @property
    def snapshot_path(self) -> Path | None:
        """Where its snapshot is."""
        return None if self.path is None else self.path.with_suffix(".json")

    @property
    def checksum(self) -> str:
        """What tells whether the file was changed since it was applied."""
        if self.path is None:
            return ""
        return hashlib.sha256(self.path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()[:16]

    @property
    def reversible(self) -> bool:
        """Whether all it does can be taken back."""
        return all(each.reversible for each in self.operations)

    def snapshot(self) -> State | None:
        """Return the state that stands beside the file, or `None`."""
        path = self.snapshot_path
        if path is None or not path.is_file():
            return None
        return State.from_json(path.read_text(encoding="utf-8"), str(path))

    def states(self, before: State) -> list[State]:
        """Return the states from *before* to what is after the last operation.

        Raises:
            MigrationError: An operation does not fit.
        """
        found = [before]
        for at, operation in enumerate(self.operations):
            try:
                found.append(operation.apply(found[-1]))
            except SetupError as error:
                raise MigrationError(
                    f"{self.name}, operation {at + 1}: {error.message}",
                    code=error.code,
                    where=str(self.path or ""),
                    hint=error.hint,
                ) from error
        return found


def read_folder(folder: Path) -> list[Migration]:
    """Return the migrations of a folder, in the order of their names; none where there is no folder.

    Raises:
        MigrationError: A file cannot be read (`data/migration-file`).
    """
    if not folder.is_dir():
        return []
    names = sorted(path for path in folder.glob("*.py") if _NAME.fullmatch(path.stem))
    return [_read(path) for path in names]


def _read(path: Path) -> Migration:
    # Not `import`: a file of a folder that is no package, and each time as it is now.
    module = ModuleType(f"__migrations__.{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), vars(module))
    except SetupError as error:
        raise MigrationError(
            f"{path.name}: {error.message}", code="data/migration-file", where=str(path), hint=error.hint
        ) from error
    except Exception as error:
        raise MigrationError(
            f"{path.name} cannot be read: {type(error).__name__}: {error}",
            code="data/migration-file",
            where=f"{path}:{_line_of(error, path)}",
            hint="Correct it; `git diff` may show what changed.",
        ) from error
    told = vars(module)
    operations = told.get("operations")
    parents = told.get("parents")
    for name, value in (("operations", operations), ("parents", parents)):
        if not isinstance(value, list | tuple):
            raise MigrationError(
                f"{path.name} has no list `{name}`.", code="data/migration-file", where=str(path), hint=f"{name} = []"
            )
    wrong = next((each for each in operations or () if not isinstance(each, Operation)), None)
    if wrong is not None:
        raise MigrationError(
            f"{path.name}: {wrong!r} is no operation.",
            code="data/migration-file",
            where=str(path),
            hint="migrations.run_python(…), migrations.add_column(…) and so on",
        )
    return Migration(
        path.stem,
        parents or (),
        operations or (),
        replaces=told.get("replaces", ()),
        atomic=told.get("atomic", True),
        online=told.get("online", True),
        path=path,
        title=(module.__doc__ or "").strip().partition("\n")[0],
    )


def _line_of(error: BaseException, path: Path) -> int:
    if isinstance(error, SyntaxError):
        return error.lineno or 0
    line, traceback = 0, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def next_number(migrations: Sequence[Migration]) -> int:
    """Return the number of the next file."""
    numbers = [int(each.name[:4]) for each in migrations if each.name[:4].isdigit()]
    return max(numbers, default=0) + 1


def source_of(migration: Migration) -> str:
    """Return the text of a migration's file."""
    imports = Imports()
    imports.name("segue.db", "migrations")
    operations = [each.source(imports) for each in migration.operations]
    moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [f'"""{migration.title or "Nothing."}', "", f"Made on {moment}.", '"""', ""]
    given = [each for each in migration.prelude if each.startswith(("import ", "from "))]
    lines += _import_lines(imports, given)
    lines += ["", f"parents = {_list_of(migration.parents)}"]
    if migration.replaces:
        lines.append(f"replaces = {_list_of(migration.replaces)}")
    if not migration.atomic:
        lines.append("atomic = False")
    lines.append("")
    functions = [each for each in migration.prelude if each not in given]
    for each in functions:
        lines += ["", *each.splitlines(), ""] if "\n" in each else [each]
    if functions:
        lines.append("")
    if operations:
        lines.append("operations = [")
        lines += [f"    {line}" if line else "" for each in operations for line in f"{each},".splitlines()]
        lines.append("]")
    else:
        lines.append("operations = []")
    return "\n".join(lines) + "\n"


def _list_of(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{each}"' for each in names) + "]"


def _import_lines(imports: Imports, given: Sequence[str]) -> list[str]:
    lines = list(dict.fromkeys([*given, *imports.lines()]))
    ours = [each for each in lines if each.startswith("from segue")]
    theirs = [each for each in lines if "sqlalchemy" in each]
    standard = [each for each in lines if each not in ours and each not in theirs]
    groups = [group for group in (standard, theirs, ours) if group]
    return [line for at, group in enumerate(groups) for line in ([""] if at else []) + group]


def write_migration(folder: Path, migration: Migration, state: State) -> Path:
    """Write a migration and its snapshot; return the path of its file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{migration.name}.py"
    if path.exists():
        raise MigrationError(f"{path} is there already.", where=str(path), hint="--name another_name")
    migration.path = path
    # The snapshot first: a file without one is refused, a snapshot without a file is not seen.
    path.with_suffix(".json").write_text(state.to_json(), encoding="utf-8")
    path.write_text(source_of(migration), encoding="utf-8")
    return path
