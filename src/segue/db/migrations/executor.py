"""Running migrations.

Holds: `Executor`: what is to be done, and doing it, both ways; resuming what was interrupted.
Imports: the graph, the session, the journal.
Never: leaves a migration half done unnoticed.

Where tables can be changed in a transaction (SQLite, PostgreSQL), a migration is one. Where not
(MySQL; PostgreSQL while an index is built beside its writers; `atomic = False`), each step is
noted once it is done, and a second run goes on behind the last note.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from ...errors import SegueError
from ..database import Database
from ..errors import DatabaseError, OperationalError
from .editor import Editor, Step
from .files import Migration, MigrationError
from .graph import Graph
from .historic import Historic
from .journal import Journal, Progress
from .session import Session
from .state import State

__all__ = ["Executor", "Planned", "steps_of"]

Tell = Callable[[str], None]

_RETRIES = 10
_UNDO = "undo "
_PAUSE_SECONDS = 0.25
_DATA = ("UPDATE ", "INSERT ", "DELETE ", "REPLACE ")
# What MySQL answers where a statement was carried out already: exists, is gone, is called so.
_DONE_MYSQL = {1005, 1022, 1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1176, 1826}
_DONE_POSTGRESQL = {"42P07", "42701", "42710", "42703", "42704", "42P01", "42P16"}


@dataclass(frozen=True)
class Planned:
    """One migration that is to be run.

    Attributes:
        backwards: Whether it is taken back.
    """

    migration: Migration
    backwards: bool = False

    def __str__(self) -> str:
        return f"{'Take back' if self.backwards else 'Apply'} {self.migration.name}"


def steps_of(
    migration: Migration, before: State, dialect: Any, *, backwards: bool = False
) -> list[tuple[Any, list[Step]]]:
    """Return the steps of each operation, in the order in which they are run."""
    states = migration.states(before)
    found: list[tuple[Any, list[Step]]] = []
    order = range(len(migration.operations))
    fresh: set[str] = set()
    for at in reversed(order) if backwards else order:
        operation = migration.operations[at]
        editor = Editor(dialect, online=migration.online)
        editor.fresh = fresh
        run = operation.steps_back if backwards else operation.steps
        run(editor, states[at], states[at + 1])
        found.append((operation, editor.steps))
    return found


class Executor:
    """Runs the migrations of one database.

    Args:
        folder: Where they are.
        tell: Given each line about what is done.
        lock_timeout: How many seconds a statement may wait for a table; then it is tried again.
        wait: How many seconds to wait for another `migrate`.
    """

    def __init__(
        self,
        database: Database,
        folder: Path,
        *,
        tell: Tell | None = None,
        lock_timeout: float = 3.0,
        wait: float = 60.0,
    ) -> None:
        self.database = database
        self.folder = folder
        self.tell: Tell = tell or (lambda line: None)
        self.session: Session = Session(database, lock_timeout=lock_timeout, wait=wait)
        self.journal: Journal = Journal(self.session)
        self.graph: Graph = Graph([])

    # What is there

    def look(self) -> dict[str, str]:
        """Read the files and what was applied; return the checksums of that by name."""
        applied = self.journal.applied()
        self.graph = Graph.read(self.folder, applied)
        for each in self.graph.migrations.values():
            if each.replaces and each.name not in applied and set(each.replaces) <= applied.keys():
                applied[each.name] = each.checksum
        return applied

    def applied(self) -> dict[str, str]:
        """Return the checksums of what was applied, by name; opens and closes a connection."""
        with self.session.opened(locks=False):
            return self.look()

    def plan(self, target: str | None = None) -> list[Planned]:
        """Return what `migrate` would do; opens and closes a connection."""
        with self.session.opened(locks=False):
            return self._plan(set(self.look()), target)

    def _plan(self, applied: set[str], target: str | None) -> list[Planned]:
        graph = self.graph
        here = applied & graph.migrations.keys()
        self._refuse_gaps(here)
        if target is None:
            graph.head()
            return [Planned(graph[name]) for name in graph.order if name not in here]
        if target == "zero":
            return [Planned(graph[name], backwards=True) for name in reversed(graph.order) if name in here]
        name = graph.find(target)
        if name in here:
            later = graph.descendants(name) - {name}
            return [Planned(graph[each], backwards=True) for each in reversed(graph.order) if each in later & here]
        wanted = graph.ancestors(name)
        return [Planned(graph[each]) for each in graph.order if each in wanted and each not in here]

    def _refuse_gaps(self, applied: set[str]) -> None:
        for name in sorted(applied):
            missing = [parent for parent in self.graph.parents(name) if parent not in applied]
            if missing:
                raise MigrationError(
                    f"{name} was applied, and {missing[0]}, which comes before it, was not.",
                    code="data/migration-order",
                    why="The tables are not as any point of the history says.",
                    hint=f"segue migrate {missing[0]} --fake says that it was done by other means.",
                )

    # Doing it

    def migrate(self, target: str | None = None, *, fake: bool = False, fake_initial: bool = False) -> list[Planned]:
        """Bring the database to *target*; to the end of the history where it is `None`.

        Args:
            target: A migration, or `zero`.
            fake: Note it as done without doing it.
            fake_initial: Do so for a first migration whose tables are all there, though they
                have more columns than it says.

        Returns:
            What was done.
        """
        done: list[Planned] = []
        with self.session.opened():
            self.journal.make()
            interrupted = self.journal.progress()
            if interrupted is not None:
                done.append(self._resume(interrupted))
            while True:
                applied = self.look()
                plan = self._plan(set(applied), target)
                self._note_squashed(applied)
                if not plan:
                    return done
                each = plan[0]
                is_first = not applied and not each.backwards
                # Start-up makes the first tables by itself: there these are what this would make.
                is_there = is_first and self._is_there(each.migration, exactly=not fake_initial)
                if fake or is_there:
                    self._fake(each)
                else:
                    self._run(each, set(applied))
                done.append(each)

    def _note_squashed(self, applied: dict[str, str]) -> None:
        known = self.journal.applied()
        for name in applied:
            if name not in known:
                self.journal.record(name, applied[name])

    def _fake(self, planned: Planned) -> None:
        migration = planned.migration
        with self.session.transaction():
            if (migration.name in self.journal.applied()) != planned.backwards:
                return  # another process was faster
            self.finish(planned)
        self.tell(f"{'Forget' if planned.backwards else 'Note'} {migration.name}; nothing is done")

    def _is_there(self, migration: Migration, *, exactly: bool = False) -> bool:
        """Whether all tables that a first migration makes are there, with their columns."""
        if migration.parents:
            return False
        return not self.missing(migration, exactly=exactly)

    def missing(self, migration: Migration, *, exactly: bool = False) -> list[str]:
        """Return what a first migration makes and the database has not: tables, and columns.

        Args:
            exactly: Whether a column too many counts as well.
        """
        from .transition import tables_of

        state = migration.states(State())[-1]
        tables = [table for key in state for table in tables_of(state, key).values()]
        found: list[str] = []
        for table in tables:
            columns, wanted = self._columns(table.name), {each.name for each in table.columns}
            if not columns:
                found.append(f"no table {table.name}")
                continue
            found += [f"no column {table.name}.{name}" for name in sorted(wanted - columns)]
            found += [f"a column {table.name}.{name} too many" for name in sorted(columns - wanted) if exactly]
        return found if tables else ["no tables"]

    def _columns(self, table: str) -> set[str]:
        if self.session.vendor == "sqlite":
            rows = self.session.query(f"SELECT name FROM pragma_table_info('{table}')")
        else:
            schema = "current_schema()" if self.session.vendor == "postgresql" else "DATABASE()"
            rows = self.session.query(
                f"SELECT column_name FROM information_schema.columns WHERE table_schema = {schema} "
                f"AND table_name = '{table}'"
            )
        return {str(row[0]) for row in rows}

    def _unchanged(self, progress: Progress) -> Migration:
        migration = self.graph.all.get(progress.name)
        if migration is None or migration.checksum != progress.checksum:
            what = "is gone" if migration is None else "was changed"
            raise MigrationError(
                f"{progress.name} was interrupted at step {progress.step + 1}, and its file {what} since.",
                code="data/migration-changed",
                where=str(self.folder / f"{progress.name}.py"),
                why="What is still to be done stands in the file as it was.",
                hint="Bring the file back as it was; then segue migrate goes on, and segue migrate --undo takes back.",
            )
        return migration

    def _resume(self, progress: Progress) -> Planned:
        self.look()
        migration = self._unchanged(progress)
        self.tell(f"Resume {progress.name} at step {progress.step + 1}")
        if progress.direction.startswith(_UNDO):
            return self._undo(migration, progress)
        planned = Planned(migration, backwards=progress.direction == "backwards")
        self._run(planned, set(self.look()), progress)
        return planned

    def undo(self) -> Planned:
        """Take back what a migration did that was interrupted, in place of going on with it.

        Raises:
            MigrationError: None was, or it has no way back (`data/migration-undo`, `data/irreversible`).
        """
        with self.session.opened():
            progress = self.journal.progress()
            if progress is None or progress.direction == "backwards":
                raise MigrationError(
                    "No migration was interrupted on its way forwards.",
                    code="data/migration-undo",
                    hint="segue migrate goes on where one was; segue migrate NAME takes back what comes after it.",
                )
            self.look()
            migration = self._unchanged(progress)
            if progress.direction.startswith(_UNDO):
                return self._undo(migration, progress)
            groups = self._groups(migration, set(self.look()), backwards=False)
            ends = list(accumulate(len(steps) for _, steps in groups))
            at = next((each for each, end in enumerate(ends) if end > progress.step), len(groups) - 1)
            if migration.atomic and groups[at][0].writes_data and progress.step == ends[at] - len(groups[at][1]):
                at -= 1  # code is saved with its note, so this has not begun
            begun = Progress(migration.name, f"{_UNDO}{at}", progress.checksum, 0)
            with self.session.transaction():
                self.journal.end(migration.name)
                self.journal.begin(begun)
            return self._undo(migration, begun)

    def _undo(self, migration: Migration, progress: Progress) -> Planned:
        """Take back the operations up to the one that was under way, whatever of that is done."""
        planned = Planned(migration, backwards=True)
        at = int(progress.direction.removeprefix(_UNDO))
        before = self.graph.state(set(self.look()) & self.graph.migrations.keys())
        begun = Migration(
            migration.name, migration.parents, migration.operations[: at + 1],
            atomic=migration.atomic, online=migration.online, path=migration.path,
        )  # fmt: skip
        if not begun.reversible:
            raise self._irreversible(begun)
        groups = steps_of(begun, before, self.database.dialect, backwards=True)
        self.tell(f"{planned}…")
        if progress.step == 0 and groups:
            self._clean(steps_of(begun, before, self.database.dialect)[-1][1])
        _Run(self, planned, groups, progress, loose=groups[0][0] if groups else None).step_by_step()
        return planned

    def _clean(self, steps: list[Step]) -> None:
        """Drop what the steps of an operation make for themselves, as far as it is there."""
        for step in steps:
            if step.undo:
                # What became part of something else goes with that.
                with suppress(DatabaseError):
                    self.session.command(step.undo)

    def _groups(self, migration: Migration, applied: set[str], *, backwards: bool) -> list[tuple[Any, list[Step]]]:
        others = applied - {migration.name} if backwards else applied
        before = self.graph.state(others & self.graph.migrations.keys())
        return steps_of(migration, before, self.database.dialect, backwards=backwards)

    def _run(self, planned: Planned, applied: set[str], progress: Progress | None = None) -> None:
        migration = planned.migration
        if planned.backwards and not migration.reversible:
            raise self._irreversible(migration)
        groups = self._groups(migration, applied, backwards=planned.backwards)
        self.tell(f"{planned}…")
        run = _Run(self, planned, groups, progress)
        if progress is None and run.is_one_transaction:
            run.at_once()
        else:
            run.step_by_step()

    def _irreversible(self, migration: Migration) -> MigrationError:
        operation = next(each for each in migration.operations if not each.reversible)
        return MigrationError(
            f"{migration.name} cannot be taken back: {operation.describe()} has no way back.",
            code="data/irreversible",
            where=str(migration.path or ""),
            hint=f"Give {operation.function} its second argument; migrations.noop where nothing needs to be done.",
        )

    def finish(self, planned: Planned) -> None:
        """Note that a migration was run."""
        if planned.backwards:
            self.journal.forget(planned.migration.name)
        else:
            self.journal.record(planned.migration.name, planned.migration.checksum)


class _Run:
    """One migration, being run; the `Context` of its operations."""

    def __init__(
        self,
        executor: Executor,
        planned: Planned,
        groups: list[tuple[Any, list[Step]]],
        progress: Progress | None,
        loose: Any = None,
    ) -> None:
        self.database = executor.database
        self._executor = executor
        self._session = executor.session
        self._journal = executor.journal
        self._planned = planned
        self._migration = planned.migration
        self._steps = [(operation, step) for operation, steps in groups for step in steps]
        self._progress = progress
        # The operation of which nobody knows how much was done: what is done already is passed over.
        self._loose = loose
        self._historic: dict[int, tuple[State, Historic]] = {}
        self._at = 0
        self._note: Any = None

    @property
    def is_one_transaction(self) -> bool:
        if self._session.driver.has_one_connection:
            return True
        if self._session.vendor == "mysql" or not self._migration.atomic:
            return False
        return not any(step.outside or step.is_last for _, step in self._steps)

    @property
    def _minds_references(self) -> bool:
        """Whether SQLite may check references at each statement: it must not while a table is rebuilt."""
        return not any(step.sql.startswith("DROP TABLE") for _, step in self._steps)

    # Context

    def models(self, state: State) -> Historic:
        found = self._historic.get(id(state))
        if found is None:
            found = self._historic[id(state)] = state, Historic(state, self.database)
        return found[1]

    def query(self, sql: str) -> list[Any]:
        return self._session.query(sql)

    def command(self, sql: str) -> None:
        self._session.command(sql)

    def progress(self) -> Any:
        return self._note

    def note(self, value: Any) -> None:
        self._note = value
        if not self.is_one_transaction and not self._migration.atomic:
            self._journal.advance(self._migration.name, self._at, value)

    @contextmanager
    def block(self) -> Generator[None]:
        if self._session.in_transaction:
            yield
        else:
            with self._session.transaction():
                yield

    # All or nothing

    def at_once(self) -> None:
        self._patiently(self._all)

    def _all(self) -> None:
        with self._session.transaction(foreign_keys=self._minds_references):
            if self._is_done_by_another():
                return
            for operation, step in self._steps:
                self._perform(operation, step)
            self._executor.finish(self._planned)

    def _is_done_by_another(self) -> bool:
        return (self._migration.name in self._journal.applied()) != self._planned.backwards

    # Step by step

    def step_by_step(self) -> None:
        progress, name = self._progress, self._migration.name
        if progress is None:
            direction = "backwards" if self._planned.backwards else "forwards"
            self._journal.begin(Progress(name, direction, self._migration.checksum, 0))
        self._at, self._note = (progress.step, progress.note) if progress is not None else (0, None)
        is_resumed = progress is not None
        while self._at < len(self._steps):
            segment = self._segment()
            self._patiently(lambda segment=segment, is_resumed=is_resumed: self._do(segment, is_resumed=is_resumed))  # type: ignore[misc]  # its argument is bound here
            self._at += len(segment)
            self._note = None
            is_resumed = False
        with self._session.transaction():
            self._executor.finish(self._planned)
            self._journal.end(name)

    def _segment(self) -> list[tuple[Any, Step]]:
        """The steps that are one transaction from here: those of one operation, up to what stands apart."""
        operation, first = self._steps[self._at]
        segment = [(operation, first)]
        if self._stands_apart(operation, first) or first.is_last:
            return segment
        for other, step in self._steps[self._at + 1 :]:
            if other is not operation or self._stands_apart(other, step) or step.is_last:
                break
            segment.append((other, step))
        return segment

    def _stands_apart(self, operation: Any, step: Step) -> bool:
        if step.outside or (step.call is not None and not self._migration.atomic and not step.inside):
            return True
        if operation is self._loose and self._session.vendor == "postgresql":
            return True
        # MySQL commits by itself with each statement that changes a table.
        return self._session.vendor == "mysql"

    def _do(self, segment: list[tuple[Any, Step]], *, is_resumed: bool) -> None:
        operation, first = segment[0]
        is_data = first.sql.upper().startswith(_DATA) or (first.call is not None and self._migration.atomic)
        if self._stands_apart(operation, first) and not (self._session.vendor == "mysql" and is_data):
            if is_resumed and first.undo:
                self._session.command(first.undo)
            try:
                self._perform(operation, first)
            except MigrationError as error:
                if not ((is_resumed or operation is self._loose) and _is_done(error.__cause__)):
                    raise
            self._journal.advance(self._migration.name, self._at + 1)
            return
        with self._session.transaction(foreign_keys=self._minds_references):
            for each, step in segment:
                self._perform(each, step)
            self._journal.advance(self._migration.name, self._at + len(segment))

    # One step

    def _perform(self, operation: Any, step: Step) -> None:
        try:
            if step.call is not None:
                step.call(self)
            else:
                self._session.command(step.sql)
        except MigrationError:
            raise
        except Exception as error:
            if isinstance(error, OperationalError) and _is_lock_timeout(error):
                raise
            raise self._failed(operation, step, error) from error

    def _failed(self, operation: Any, step: Step, error: Exception) -> MigrationError:
        saved = "Nothing of it was saved." if self.is_one_transaction else "The steps before it are done, and noted."
        why = error.message if isinstance(error, SegueError) else f"{type(error).__name__}: {error}"
        if isinstance(error, DatabaseError) and error.__cause__ is not None:
            why = f"{why} ({' '.join(str(error.__cause__).split())[:300]})"
        return MigrationError(
            f"{self._migration.name} failed at: {operation.describe()}.",
            code="data/migration-failed",
            where=_place(error, self._migration),
            why=f"{why} {saved}",
            hint=f"Correct the rows or the migration, then segue migrate. The statement was:\n{str(step)[:500]}",
        )

    def _patiently(self, function: Callable[[], None]) -> None:
        """Call *function*; once more, after a pause, where a table was in use for too long."""
        for left in range(_RETRIES, -1, -1):
            try:
                return function()
            except OperationalError as error:
                if not left or not _is_lock_timeout(error):
                    raise
                self._executor.tell("  a table is in use; trying again…")
                time.sleep(_PAUSE_SECONDS * (_RETRIES - left + 1))
        return None


def _place(error: BaseException, migration: Migration) -> str:
    """The line of the migration's own code that failed, else its file."""
    path, line, traceback = str(migration.path or ""), 0, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == path:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return f"{path}:{line}" if line else path


def _is_lock_timeout(error: BaseException) -> bool:
    cause = error.__cause__
    if getattr(cause, "sqlstate", None) in ("55P03", "40P01"):
        return True
    arguments: tuple[Any, ...] = getattr(cause, "args", ())
    return bool(arguments) and arguments[0] in (1205, 1213)


def _is_done(error: BaseException | None) -> bool:
    """Whether the database says that a statement was carried out already."""
    cause = getattr(error, "__cause__", None)
    if getattr(cause, "sqlstate", None) in _DONE_POSTGRESQL:
        return True
    arguments: tuple[Any, ...] = getattr(cause, "args", ())
    return bool(arguments) and arguments[0] in _DONE_MYSQL
